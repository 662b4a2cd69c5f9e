"""Checks before a release, and its notes.

python tools/release.py check v0.2.0   # exit code 1 unless tag, version and changelog agree
python tools/release.py notes v0.2.0   # the changelog's section of that version
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class NotReadyError(Exception):
    """The tag cannot be released; the text says what has to change."""


def version_of(tag: str) -> str:
    """Return the version that a tag names: `v0.2.0` is `0.2.0`.

    Raises:
        NotReadyError: the tag has another form, or is not the version in pyproject.toml.
    """
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if tag != f"v{version}":
        raise NotReadyError(f"The tag is {tag}, and pyproject.toml has version {version}: tag v{version}.")
    return str(version)


def notes(changelog: str, version: str) -> str:
    """Return the text of one version's section of the changelog, without its heading.

    Raises:
        NotReadyError: there is no such section, or nothing in it.
    """
    heading = rf"## \[{re.escape(version)}\] - \d{{4}}-\d{{2}}-\d{{2}}\n"
    found = re.search(rf"^{heading}(.*?)(?=^## \[|\Z)", changelog, re.DOTALL | re.MULTILINE)
    if not found or not found[1].strip():
        raise NotReadyError(
            f"CHANGELOG.md has no section for {version}: rename [Unreleased] to `## [{version}] - YYYY-MM-DD`."
        )
    return found[1].strip() + "\n"


def main(arguments: list[str]) -> int:
    """Run one command and return the exit code."""
    match arguments:
        case ["check" | "notes" as command, tag]:
            pass
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    try:
        text = notes((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), version_of(tag))
    except NotReadyError as error:
        print(error, file=sys.stderr)
        return 1
    if command == "notes":
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
