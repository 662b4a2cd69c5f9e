"""The kinds of fields from which schemas are made.

A row of the registry lists its fields as ``"Total": money``. Each kind has a fragment of JSON schema (draft 7), and the
fragments keep to what all targets support:

* everything may be null, since Xero leaves out empty values;
* ``number`` wherever decimals can occur, ``integer`` only for counters;
* no ``enum`` and no ``required``: Xero adds values and leaves out fields without notice;
* no ``multipleOf``, and ``maxLength`` only on ids, codes and keys, which databases index;
* a GUID is a string without ``format: uuid``, so that an odd value does not break a uuid column;
* arrays and objects state their content.

A kind can have a note, which becomes the field's description: ``"DueDate": day("When it must be paid")``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

_JSON_TYPES: Mapping[str, Mapping[str, str]] = {
    "guid": {"type": "string"},
    "text": {"type": "string"},
    "day": {"type": "string", "format": "date"},
    "instant": {"type": "string", "format": "date-time"},
    **{kind: {"type": "number"} for kind in ("money", "rate", "quantity", "percent", "number")},
    "flag": {"type": "boolean"},
    "whole": {"type": "integer"},
    "one": {"type": "object"},
    "many": {"type": "array"},
}


@dataclass(frozen=True, eq=False)
class Component:
    """A nested shape.

    Attributes:
        fields: the fields by Xero's names, in the order of the schema.
        thin: why Xero's own model of this shape has more fields; empty if it has no more.
        of: the stream with complete records of this shape, whose other fields are left out here; see
            ``singer_xero.objects.references``.
    """

    fields: Mapping[str, Field]
    thin: str = ""
    of: str = ""

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the fields, as a new dictionary ``{name: fragment}``."""
        return {name: field.schema() for name, field in self.fields.items()}


@dataclass(frozen=True, eq=False)
class Field:
    """What one field holds.

    Attributes:
        kind: its kind, such as ``guid`` or ``many``.
        note: the ``description`` for users.
        component: the shape of a nested object, or of the objects in a list.
        item: the kind of the plain values in a list.
        read_only: whether Xero calculates the value, and refuses or ignores it in a write. No schema shows it.
        length: the most characters of a text; None without a relevant limit.
        mixed: whether Xero's examples also show the value in another type: a number or a boolean as text, or a text
            as a number.
    """

    kind: str
    note: str = ""
    component: Component | None = None
    item: Field | None = None
    read_only: bool = False
    length: int | None = None
    mixed: bool = False

    def __call__(self, note: str) -> Field:
        """The same field with a note."""
        return replace(self, note=note)

    @property
    def is_date(self) -> bool:
        """Whether it is a day or an instant."""
        return self.kind in {"day", "instant"}

    def schema(self, *, nullable: bool = True) -> dict[str, Any]:
        """The JSON schema fragment, as a new dictionary; ``nullable=False`` is for keys."""
        fragment: dict[str, Any] = dict(_JSON_TYPES[self.kind])
        if nullable:
            fragment["type"] = [fragment["type"], "null"]
        if self.length:
            fragment["maxLength"] = self.length
        if self.note:
            fragment["description"] = self.note
        if self.kind == "one" and self.component:
            fragment["properties"] = self.component.schema()
        elif self.kind == "many" and self.component:
            fragment["items"] = {"type": ["object", "null"], "properties": self.component.schema()}
        elif self.item:
            fragment["items"] = self.item.schema()
        return fragment


guid = Field("guid", "A GUID", length=36)
text = Field("text")
#: A day of the organisation's calendar, without time and zone.
day = Field("day")
#: A moment in UTC. In the Accounting API, the names of such fields end in UTC.
instant = Field("instant")
#: An amount in the record's currency: 2 decimals, unit prices up to 4.
money = Field("money")
#: A factor, such as an exchange rate with up to 10 decimals.
rate = Field("rate")
quantity = Field("quantity")
#: Percent: 15 means 15 %.
percent = Field("percent")
#: A number that is none of the above.
number = Field("number")
flag = Field("flag")
#: A counter, which never has decimals.
whole = Field("whole")


def one(part: Component | Mapping[str, Field], note: str = "") -> Field:
    """A nested object."""
    return Field("one", note, component=part if isinstance(part, Component) else Component(part))


def many(of: Component | Mapping[str, Field] | Field, note: str = "") -> Field:
    """A list, of nested objects or of plain values."""
    if isinstance(of, Field):
        return Field("many", note, item=of)
    return Field("many", note, component=of if isinstance(of, Component) else Component(of))


def calculated(field: Field) -> Field:
    """Mark a field that Xero calculates: it is read but never written."""
    return replace(field, read_only=True)


def at_most(length: int, field: Field) -> Field:
    """Limit the length of a text that is a key or a code by which tables are joined."""
    return replace(field, length=length)


def mixed(field: Field) -> Field:
    """Mark a field that Xero's examples also show in another type, such as an amount as text."""
    return replace(field, mixed=True)
