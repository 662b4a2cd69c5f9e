"""Write Meltano's definitions of tap-xero and target-xero from their `--about`.

    python plugins/make.py              # after a setting was added or changed
    python plugins/make.py --check      # writes nothing; exit code 1 if a file is outdated
    python plugins/make.py --pip-url singer-xero==0.2.0 --to FOLDER   # a release's definitions, into a folder

Two places: `plugins/*/*.yml`, for other projects (`meltano add tap-xero --from-ref <path or address>`), and
the marked parts of this project's own meltano.yml.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from singer_xero.objects import NESTED_TABLES, STREAMS

ROOT = Path(__file__).resolve().parent.parent

#: What Meltano installs: the Git repository in the variable. The definitions of a release name PyPI.
PIP_URL = "git+${SINGER_XERO_REPOSITORY}"
BEGIN, END = (
    "    # Generated from `{} --about` by plugins/make.py:\n",
    "    # (end of the generated part)\n",
)


def selection() -> list[str]:
    """Return the patterns for the streams that are on by default.

    They are named one by one: what a pattern with `!` leaves out, no later selection brings back. Nested tables are
    there with `nested_tables: true` only; Meltano warns of a stream that isn't, unless its name has a star.
    """
    lists = [name for name, xero in STREAMS.items() if xero.selected]
    stems = [
        re.sub(r"(_line(_item)?)(s|_tracking)$", r"\1", n) for n, one in NESTED_TABLES.items() if one.selected
    ]
    return [*(f"{name}.*" for name in lists), *(f"{stem}*.*" for stem in dict.fromkeys(stems))]


# What --about does not have: Meltano's folders, and groups of alternative settings.
PLUGINS: dict[str, dict[str, Any]] = {
    "tap-xero": {
        "type": "extractors",
        "module": "tap_xero",
        "description": "Reads Xero's Accounting API: lists, reports, history and attachments.",
        "settings_group_validation": [["client_id"], ["sandbox"]],
        "commands": {
            "login": {
                "executable": "xero-login",
                "args": "--config ENV",
                "description": "Connect organisations in the browser.",
            },
            "status": {
                "executable": "xero-login",
                "args": "--config ENV --status",
                "description": "Show organisations, scopes, the streams they give access to, and the days left.",
            },
        },
        "value": {"token_path": "$MELTANO_PROJECT_ROOT/.secrets/xero-tokens.json"},
        "select": selection(),
    },
    "target-xero": {
        "type": "loaders",
        "module": "target_xero",
        "description": "Writes contacts, items, documents, payments and journals to Xero.",
        "settings_group_validation": [["client_id"], ["sandbox"]],
        "value": {
            "token_path": "$MELTANO_PROJECT_ROOT/.secrets/xero-tokens.json",
        },
    },
}
KINDS = {
    "boolean": "boolean",
    "integer": "integer",
    "number": "decimal",
    "array": "array",
    "object": "object",
}


class Dumper(yaml.SafeDumper):
    """Indents lists under their key, like the rest of meltano.yml."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        """Indent lists as well."""
        super().increase_indent(flow, indentless=False)


def dump(value: Any) -> str:
    """Return a value as block YAML, in its own order."""
    return yaml.dump(value, Dumper=Dumper, sort_keys=False, width=110, allow_unicode=True)


def about(plugin: str) -> dict[str, Any]:
    """Return the output of the plugin's --about."""
    command = [sys.executable, "-m", PLUGINS[plugin]["module"], "--about", "--format=json"]
    said = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    described: dict[str, Any] = json.loads(said)
    return described


def setting(name: str, schema: dict[str, Any], own_value: Any) -> dict[str, Any]:
    """Turn one property of a plugin's settings schema into Meltano's definition of a setting."""
    types = [kind for kind in _listed(schema.get("type", "string")) if kind != "null"]
    kind = KINDS.get(types[0], "string") if len(types) == 1 else "string"
    if str(schema.get("format", "")).startswith("date"):
        kind = "date_iso8601"
    if schema.get("enum"):
        kind = "options"
    found: dict[str, Any] = {
        "name": name,
        "label": schema.get("title") or name.replace("_", " ").capitalize(),
        "kind": kind,
    }
    if schema.get("secret") or schema.get("writeOnly"):
        found["sensitive"] = True
    value = schema.get("default") if own_value is None else own_value
    if value is not None:
        found["value"] = value
    if schema.get("enum"):
        found["options"] = [{"label": str(one), "value": one} for one in schema["enum"] if one is not None]
    if schema.get("description"):
        found["description"] = " ".join(str(schema["description"]).split())
    return found


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def definition(plugin: str, described: dict[str, Any]) -> dict[str, Any]:
    """Return the common parts of meltano.yml and the definition for other projects."""
    row = PLUGINS[plugin]
    properties: dict[str, dict[str, Any]] = described["settings"]["properties"]
    return {
        "capabilities": described["capabilities"],
        **({"commands": row["commands"]} if "commands" in row else {}),
        "settings_group_validation": row["settings_group_validation"],
        "settings": [setting(name, schema, row["value"].get(name)) for name, schema in properties.items()],
        **({"select": row["select"]} if "select" in row else {}),
    }


def stand_alone(plugin: str, described: dict[str, Any], pip_url: str = PIP_URL) -> str:
    """Return the whole definition, as Meltano Hub writes them."""
    head = {
        "name": plugin,
        "namespace": PLUGINS[plugin]["module"],
        "variant": "singer-xero",
        "label": "Xero",
        "description": PLUGINS[plugin]["description"],
        "pip_url": pip_url,
        "executable": plugin,
        "keywords": ["api", "meltano_sdk"],
        "supported_python_versions": described["supported_python_versions"],
    }
    return f"# Written by plugins/make.py from `{plugin} --about`.\n{dump({**head, **definition(plugin, described)})}"


def within(text: str, plugin: str, described: dict[str, Any]) -> str:
    """Return the text of meltano.yml with the marked part of the plugin replaced."""
    lines = dump(definition(plugin, described)).splitlines(keepends=True)
    part = "".join(f"    {line}" for line in lines)
    begin = BEGIN.format(plugin)
    pattern = re.compile(f"({re.escape(begin)}).*?({re.escape(END)})", re.DOTALL)
    renewed, times = pattern.subn(lambda found: f"{found[1]}{part}{found[2]}", text)
    if times != 1:
        raise SystemExit(f"meltano.yml has {times} parts that begin with {begin.strip()!r}; one is wanted")
    return renewed


def files() -> dict[Path, str]:
    """Return the generated files with their text."""
    project = ROOT / "meltano.yml"
    made = {project: project.read_text(encoding="utf-8")}
    for plugin, row in PLUGINS.items():
        described = about(plugin)
        made[ROOT / "plugins" / row["type"] / f"{plugin}.yml"] = stand_alone(plugin, described)
        made[project] = within(made[project], plugin, described)
    return made


def release(folder: Path, pip_url: str) -> None:
    """Write the definitions for other projects into a folder, with another `pip_url`."""
    folder.mkdir(parents=True, exist_ok=True)
    for plugin in PLUGINS:
        (folder / f"{plugin}.yml").write_text(stand_alone(plugin, about(plugin), pip_url), encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Write the files, or only name those that differ."""
    parser = argparse.ArgumentParser(description="Write Meltano's definitions of tap-xero and target-xero.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 when a file differs")
    parser.add_argument("--pip-url", help="what Meltano installs in a release's definitions")
    parser.add_argument("--to", type=Path, help="the folder for a release's definitions")
    given = parser.parse_args(arguments)
    if bool(given.pip_url) != bool(given.to):
        parser.error("--pip-url and --to go together")
    if given.to:
        release(given.to, given.pip_url)
        return 0
    code = 0
    for path, text in files().items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        name = path.relative_to(ROOT)
        if given.check:
            print(f"{name} is out of step with --about: run python plugins/make.py")
            code = 1
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"{name} written")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
