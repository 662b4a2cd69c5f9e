"""The form in which each target stores an amount: `python -m tests.loaders.amounts` writes the table of
docs/targets.md.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

from demo import install, postgres

from .loaders import LOADERS, Loader

PAGE = install.ROOT / "docs" / "targets.md"
_DECIMAL = {"type": ["string", "null"], "precision": 38, "scale": 10}
#: For each value of the tap's setting `decimals`: the schema of an amount, and whether it is sent as text.
FORMS: dict[str, tuple[dict[str, Any], bool]] = {
    "number": ({"type": ["number", "null"]}, False),
    "string": ({"type": ["string", "null"]}, True),
    "singer.decimal": ({**_DECIMAL, "format": "singer.decimal"}, True),
    "x-singer.decimal": ({**_DECIMAL, "format": "x-singer.decimal"}, True),
}
#: Amounts that floats cannot hold, and one with ten decimals and leading zeros.
AMOUNTS = ["1234567890123456.7891", "0.1", "0.0001496114", "-99999999999999.99", "1280.00"]


def messages(form: str) -> bytes:
    """Return Singer messages with the amounts in this form."""
    schema, as_text = FORMS[form]
    properties = {"id": {"type": ["string"]}, "amount": schema}
    lines = [
        json.dumps(
            {
                "type": "SCHEMA",
                "stream": "amounts",
                "key_properties": ["id"],
                "schema": {"type": "object", "properties": properties},
            }
        )
    ]
    for number, amount in enumerate(AMOUNTS):
        value = f'"{amount}"' if as_text else amount
        record = f'{{"id": "{number}", "amount": {value}}}'
        lines.append(f'{{"type": "RECORD", "stream": "amounts", "record": {record}}}')
    lines.append('{"type": "STATE", "value": {}}')
    return "\n".join(lines).encode() + b"\n"


def stored_as(loader: Loader, form: str, folder: Path, url: str) -> str:
    """Load the amounts and return how the target stored them, such as `float: 15 digits`."""
    postgres_schema(url)
    loader.load(messages(form), folder, url)
    rows = {row["id"]: row["amount"] for row in loader.rows(folder, url, "amounts")}
    values = [rows[str(number)] for number in range(len(AMOUNTS))]
    kinds = {type(value) for value in values if value is not None}
    if kinds == {str}:
        kind = "text"
    elif float in kinds:
        kind = "float"
    else:
        kind = "decimal"
    if all(Decimal(str(value)) == Decimal(amount) for value, amount in zip(values, AMOUNTS, strict=True)):
        return f"{kind}, exact"
    if all(float(value) == float(amount) for value, amount in zip(values, AMOUNTS, strict=True)):
        return f"{kind}: 15 digits"
    return f"{kind}: wrong"


def postgres_schema(url: str) -> None:
    """Drop the table of an earlier form, because the type of its column would stay."""
    import psycopg

    from .loaders import SCHEMA

    with psycopg.connect(url) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")


def row(loader: Loader, folder: Path, url: str) -> str:
    """Return a target's row of the table."""
    cells = []
    for form in FORMS:
        place = folder / form
        place.mkdir()
        cells.append(stored_as(loader, form, place, url))
    package = loader.packages[0].replace("==", " ")
    return "| " + " | ".join([loader.name, package, *cells, loader.advice]) + " |"


def head() -> str:
    """Return the head of the table."""
    columns = ["target", "package", *(f"`{form}`" for form in FORMS), "settings and advice"]
    return "\n".join("| " + " | ".join(line) + " |" for line in (columns, ["---"] * len(columns)))


def write() -> None:
    """Try every target and write the table."""
    with (
        tempfile.TemporaryDirectory() as name,
        postgres.running(Path(name, "postgres"), keep=False) as server,
    ):
        rows = []
        for loader in LOADERS:
            loader.install()
            folder = Path(name, loader.program + str(len(rows)))
            folder.mkdir()
            rows.append(row(loader, folder, server.url))
    table = "\n".join([head(), *rows])
    text = PAGE.read_text(encoding="utf-8")
    pattern = re.compile(r"(<!-- targets -->\n).*?(<!-- /targets -->)", re.DOTALL)
    PAGE.write_text(pattern.sub(lambda match: f"{match[1]}{table}\n{match[2]}", text), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(write())
