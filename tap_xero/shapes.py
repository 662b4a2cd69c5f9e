"""The shape of a stream's records: Xero's own, or one that suits SQL better.

`field_names: snake_case` renames every field; `child_streams: true` lifts the ids of nested records (`ContactID` beside
`Contact`), so that tables can be joined.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from singer_xero.objects import XeroObject
from tap_xero.naming import SNAKE_CASE, renamed, renamed_schema, snake_case

Record = dict[str, Any]


def lifted(xero: XeroObject) -> dict[str, tuple[str, str]]:
    """The columns for ids of nested records: ``{column: (field, its id)}``, such as BankAccountID of BankAccount."""
    found = {}
    for name, word in xero.fields.items():
        first = next(iter(word.part.fields), "") if word.kind == "one" and word.part else ""
        if first.endswith("ID") and f"{name}ID" not in xero.fields:
            found[f"{name}ID"] = (name, first)
    return found


class Shape:
    """How the records of one stream look, by the tap's settings."""

    def __init__(self, xero: XeroObject, config: Mapping[str, Any]) -> None:
        self.xero = xero
        self.snake = config.get("field_names") == SNAKE_CASE
        self.lifted = lifted(xero) if config.get("child_streams") else {}

    @property
    def is_xeros(self) -> bool:
        """Whether records stay as Xero has them."""
        return not (self.snake or self.lifted)

    def named(self, field: str) -> str:
        """A field of Xero's as it is called in the records."""
        return snake_case(field) if self.snake else field

    def schema(self) -> dict[str, Any]:
        """The JSON schema of a record, with the organisation in front."""
        schema = self.xero.schema(with_tenant=True)
        for column, (name, key) in self.lifted.items():
            schema["properties"][column] = {"type": ["string", "null"], "description": f"{key} of {name}"}
        return renamed_schema(schema) if self.snake else schema

    def record(self, record: Record) -> Record:
        """Bring a record of Xero's into this shape."""
        for column, (name, key) in self.lifted.items():
            nested = record.get(name)
            record[column] = nested.get(key) if isinstance(nested, dict) else None
        if not self.snake:
            return record
        found: Record = renamed(record)
        return found
