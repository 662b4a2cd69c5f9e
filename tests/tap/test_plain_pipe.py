"""The recipe for a plain pipe in docs/recipes.md, word for word, for the first run and later ones."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from xero_sandbox import AdminClient

from .company import guid
from .runs import own_environment

PAGE = Path(__file__).resolve().parents[2] / "docs" / "recipes.md"

#: A stand-in for target-jsonl: a file of records for each stream, and at the end the last STATE that no RECORD
#: follows.
TARGET = """#!{python}
import json, sys
state = None
for line in sys.stdin:
    message = json.loads(line)
    if message["type"] == "RECORD":
        state = None
        with open(message["stream"] + ".jsonl", "a") as file:
            file.write(json.dumps(message["record"]) + "\\n")
    elif message["type"] == "STATE":
        state = message["value"]
if state is not None:
    print(json.dumps(state))
"""


def recipe() -> str:
    """The commands of the page."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(r"<!-- plain pipe -->\n```sh\n(.*?)```", text, re.DOTALL)
    assert found
    return found[1]


class Folder:
    """A folder with the settings and target-jsonl, in which the recipe is followed."""

    def __init__(self, path: Path, config: dict[str, Any]) -> None:
        self.path = path
        (path / "config.json").write_text(json.dumps(config), encoding="utf-8")
        (path / "target.json").write_text("{}", encoding="utf-8")
        programs = path / "bin"
        programs.mkdir()
        (programs / "target-jsonl").write_text(TARGET.replace("{python}", sys.executable), encoding="utf-8")
        (programs / "target-jsonl").chmod(0o755)
        self.environment = own_environment(path)
        scripts = Path(sys.executable).parent
        self.environment["PATH"] = os.pathsep.join([str(programs), str(scripts), self.environment["PATH"]])

    def follow(self) -> dict[str, list[dict[str, Any]]]:
        """Run the recipe word for word; returns the records of this run."""
        before = {path: path.stat().st_size for path in self.path.glob("*.jsonl")}
        subprocess.run(
            ["bash", "-euo", "pipefail", "-c", recipe()],
            cwd=self.path,
            env=self.environment,
            check=True,
            capture_output=True,
        )
        found = {}
        for path in self.path.glob("*.jsonl"):
            lines = path.read_bytes()[before.get(path, 0) :].splitlines()
            if lines and path.stem != "states":
                found[path.stem] = [json.loads(line) for line in lines]
        return found


def test_the_recipe_works_the_first_time_and_every_time(
    config: dict[str, Any], admin: AdminClient, tmp_path: Path
) -> None:
    folder = Folder(tmp_path, config)
    first = folder.follow()
    assert len(first["contacts"]) == 7
    assert len(first["invoices"]) == 5
    assert "journals" in first
    second = folder.follow()
    assert "contacts" not in second
    assert "journals" not in second
    assert len(second["invoices"]) == 5
    admin.edit("Contacts", guid("c", 2), Name="Renamed")
    assert [one["Name"] for one in folder.follow()["contacts"]] == ["Renamed"]
    assert "contacts" not in folder.follow()


def test_a_run_without_a_state_from_the_target_does_not_block_the_next(
    config: dict[str, Any], tmp_path: Path
) -> None:
    folder = Folder(tmp_path, config)
    (tmp_path / "states.jsonl").touch()
    (tmp_path / "state.json").touch()
    assert len(folder.follow()["contacts"]) == 7
