"""Changes the form of a stream's records by the tap's settings.

`field_names: snake_case` renames every field. `nested_tables: true` adds the ids of nested records (`ContactID` beside
`Contact`), so that tables can be joined. `decimals` writes numbers as text, for targets that would round them.
`unknown_fields: keep` adds a column for fields that the schema doesn't have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from singer_xero.objects import Field, XeroObject
from tap_xero.records.naming import SNAKE_CASE, renamed, snake_case
from tap_xero.records.types import is_number
from tap_xero.settings import KEEP, NUMBER, SINGER_DECIMALS, Settings

Record = dict[str, Any]

UNKNOWN = "UnknownFields"
"""The column of unknown fields."""

PRECISION, SCALE = 38, 10
"""Digits of such a decimal, and how many of them are decimals: what large warehouses offer."""

_encode = msgspec.json.Encoder(decimal_format="number").encode


def lifted(xero: XeroObject) -> dict[str, tuple[str, str]]:
    """The columns of nested records' ids, ``{column: (field, its id)}``, such as BankAccountID of BankAccount."""
    found = {}
    for name, word in xero.fields.items():
        first = next(iter(word.component.fields), "") if word.kind == "one" and word.component else ""
        if first.endswith("ID") and f"{name}ID" not in xero.fields:
            found[f"{name}ID"] = (name, first)
    return found


class Projection:
    """The form of one stream's records."""

    def __init__(self, xero: XeroObject, settings: Settings) -> None:
        self.xero = xero
        self.warn: Callable[[str], None] = lambda _: None
        """Reports a number that a decimal of the target can't hold."""
        self.snake = settings.field_names == SNAKE_CASE
        self.lifted = lifted(xero) if settings.nested_tables else {}
        self.keeps = settings.unknown_fields == KEEP
        self.decimals = settings.decimals or NUMBER
        self._write_numbers = (
            None if self.decimals == NUMBER else _writer(xero.fields, f"{xero.name}.", self._digits)
        )

    @property
    def is_xeros(self) -> bool:
        """Whether records keep the form that Xero gives them."""
        return not (self.snake or self.lifted or self.keeps or self._write_numbers)

    @property
    def keeps_values(self) -> bool:
        """Whether only names change and ids are added, and no value is written in another form."""
        return not (self.keeps or self._write_numbers)

    def named(self, field: str) -> str:
        """The name of Xero's field in the records."""
        return snake_case(field) if self.snake else field

    def schema(self) -> dict[str, Any]:
        """The JSON schema of a record; the organisation is its first property."""
        schema = self.xero.schema(with_tenant=True)
        properties = schema["properties"]
        for column, (name, key) in self.lifted.items():
            word = self.xero.fields[name].component
            fragment = word.fields[key].schema() if word else {}
            properties[column] = {**fragment, "description": f"{key} of {name}"}
        if self.keeps:
            properties[UNKNOWN] = {
                "type": ["string", "null"],
                "description": "JSON of what Xero sent and no other field holds, by its place in the record",
            }
        if self.decimals != NUMBER:
            schema = changed_schema(schema, self._with_decimals)
        return changed_schema(schema, dict, snake_case) if self.snake else schema

    def record(self, record: Record) -> Record:
        """Bring a record into this form."""
        for column, (name, key) in self.lifted.items():
            nested = record.get(name)
            record[column] = nested.get(key) if isinstance(nested, dict) else None
        if self._write_numbers:
            self._write_numbers(record)
        if self.keeps:
            unknown = record.get(UNKNOWN)
            record[UNKNOWN] = _encode(unknown).decode() if unknown else None
        if not self.snake:
            return record
        found: Record = renamed(record)
        return found

    def _with_decimals(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Make a number text, except a whole number."""
        changed, types = dict(schema), schema.get("type", ())
        if "number" in types:
            changed["type"] = ["string", "null"] if isinstance(types, list) else "string"
            if self.decimals in SINGER_DECIMALS:
                changed |= {"format": self.decimals, "precision": PRECISION, "scale": SCALE}
        return changed

    def _digits(self, value: Decimal | int, field: str) -> str | None:
        """Write a number as text, digit for digit, without an exponent."""
        number = Decimal(value)
        if self.decimals in SINGER_DECIMALS:
            whole, exponent = number.adjusted() + 1 if number else 0, number.as_tuple().exponent
            if whole > PRECISION - SCALE:
                self.warn(
                    f"{field} holds a number of {whole} digits, more than a decimal has: null is emitted instead."
                )
                return None
            if isinstance(exponent, int) and -exponent > SCALE:
                self.warn(f"{field} holds numbers of more than {SCALE} decimals: the target rounds them.")
        return format(number, "f")


def changed_schema(
    schema: Mapping[str, Any],
    change: Callable[[Mapping[str, Any]], dict[str, Any]],
    rename: Callable[[str], str] = str,
) -> dict[str, Any]:
    """Change a JSON schema and the schemas within it; returns a new one.

    `change` returns a changed copy of one schema, and `rename` the new name of a property.
    """
    found = change(schema)
    if isinstance(found.get("properties"), Mapping):
        found["properties"] = {
            rename(name): changed_schema(inner, change, rename) for name, inner in found["properties"].items()
        }
    if isinstance(found.get("items"), Mapping):
        found["items"] = changed_schema(found["items"], change, rename)
    return found


def with_precision(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Add the digits of a decimal to its schema again: the SDK's catalog keeps only its format."""
    digits = {"precision": PRECISION, "scale": SCALE} if schema.get("format") in SINGER_DECIMALS else {}
    return {**schema, **digits}


def without_description(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Remove the description of a schema; a property of that name stays."""
    return {keyword: value for keyword, value in schema.items() if keyword != "description"}


def _writer(
    fields: Mapping[str, Field], path: str, digits: Callable[[Any, str], str | None]
) -> Callable[[Record], None] | None:
    """Make the function that writes the numbers of a record as text, in place; None if there are no numbers."""
    numbers = [(name, f"{path}{name}") for name, word in fields.items() if is_number(word)]
    parts = [
        (name, writer, word.kind == "many")
        for name, word in fields.items()
        if word.component and (writer := _writer(word.component.fields, f"{path}{name}.", digits))
    ]
    if not numbers and not parts:
        return None

    def write(record: Record) -> None:
        for name, field in numbers:
            value = record.get(name)
            if value is not None:
                record[name] = digits(value, field)
        for name, writer, many in parts:
            part = record.get(name)
            for one in (part or ()) if many else (part,):
                if one:
                    writer(one)

    return write
