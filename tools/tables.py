"""Makes the tables of the documentation from the registry and the settings: `python tools/tables.py` rewrites them.

A table is between `<!-- name -->` and `<!-- /name -->`; a test fails if one is out of date.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from singer_xero.objects import ASSETS, EXCLUSIONS, NESTED_TABLES, OBJECTS, STREAMS, Paging, XeroObject
from tap_xero.tap import TapXero
from target_xero.target import TargetXero
from tools import writing_tables as writes

DOCS = Path(__file__).parent.parent / "docs"


def table(head: list[str], rows: list[list[str]]) -> str:
    """Lay out a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def streams() -> str:
    """One row for each stream: key, replication, scopes, paging, calls."""
    rows = []
    for xero in (*OBJECTS.values(), *ASSETS.values()):
        if xero.incremental:
            replication = f"incremental, by {xero.cursor}"
        else:
            replication = "full table" + (", can be incremental" if xero.can_be_incremental else "")
        paging = {
            Paging.WHOLE: "none",
            Paging.PAGES: f"{xero.api.largest_page:,}",
            Paging.SHORT_PAGES: "100",
            Paging.OFFSET: "100, by number",
        }
        rows.append(
            [
                f"`{xero.name}`{mark(xero)}",
                ", ".join(xero.key),
                replication,
                f"`{xero.scopes.read}`",
                paging[xero.paging],
                xero.calls,
                xero.removal,
            ]
        )
    head = [
        "stream",
        "key, after `tenant_id`",
        "replication",
        "scope",
        "rows a page",
        "calls",
        "removed records",
    ]
    return table(head, rows)


def mark(xero: XeroObject) -> str:
    """What a user must do to read a stream."""
    if xero.costly:
        return " (each)"
    return "" if xero.selected else " (off)"


def more_streams() -> str:
    """One row for each subresource and report."""
    rows = []
    for name, row in STREAMS.items():
        if name not in OBJECTS and name not in ASSETS:
            rows.append([f"`{name}`{mark(row)}", ", ".join(row.key), f"`{row.scopes.read}`", row.calls])
    return table(["stream", "key, after `tenant_id`", "scope", "calls"], rows)


def settings(properties: dict[str, Any]) -> str:
    """One row for each setting of a plugin, without those of the SDK."""
    rows = []
    for name, setting in properties.items():
        kinds = setting["type"] if isinstance(setting["type"], list) else [setting["type"]]
        default: Any = setting.get("default")
        shown = (
            "" if default is None else f"`{str(default).lower() if isinstance(default, bool) else default}`"
        )
        secret = " (secret)" if setting.get("secret") else ""
        kind = " or ".join(kind for kind in kinds if kind != "null")
        rows.append([f"`{name}`{secret}", kind, shown, setting.get("description", "")])
    return table(
        ["setting", "type", "default", "meaning"], [row for row in rows if not row[0].startswith(OF_THE_SDK)]
    )


def nested_tables() -> str:
    """One row for each nested table: its parent, its list and its key."""
    rows = []
    for child in NESTED_TABLES.values():
        path = " > ".join(level.field for level in child.levels)
        rows.append([f"`{child.name}`", f"`{child.of.name}`", path, ", ".join(child.key)])
    return table(["stream", "parent", "list", "key, after `tenant_id`"], rows)


def not_read() -> str:
    """The addresses that no stream reads, with the reason."""
    return table(["address", "reason"], [[f"`{path}`", why] for path, why in EXCLUSIONS.items()])


OF_THE_SDK = ("`stream_map", "`faker", "`flattening", "`batch_")

TABLES: dict[str, Callable[[], str]] = {
    "streams": streams,
    "more streams": more_streams,
    "tap settings": lambda: settings(TapXero.config_jsonschema["properties"]),
    "target settings": lambda: settings(TargetXero.config_jsonschema["properties"]),
    "writes": writes.table,
    "columns": writes.columns_table,
    "not copied": writes.not_copied,
    "not written": writes.not_written,
    "nested tables": nested_tables,
    "not read": not_read,
}
PAGES = {
    DOCS / "streams.md": ("streams", "more streams", "nested tables", "not read"),
    DOCS / "settings.md": ("tap settings", "target settings"),
    DOCS / "writing.md": ("not copied",),
    DOCS / "writing-reference.md": ("writes", "columns", "not written"),
}


def with_tables(page: Path) -> str:
    """The text of a page with its tables generated again."""
    text = page.read_text(encoding="utf-8")
    for name in PAGES[page]:
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if not pattern.search(text):
            message = f"{page.name} has no place for the table {name}"
            raise LookupError(message)
        text = pattern.sub(lambda match, name=name: f"{match[1]}{TABLES[name]()}\n{match[2]}", text)
    return text


if __name__ == "__main__":
    for page in PAGES:
        before, after = page.read_text(encoding="utf-8"), with_tables(page)
        page.write_text(after, encoding="utf-8")
        sys.stdout.write(f"{page.name}: " + ("tables updated\n" if after != before else "up to date\n"))
