"""The words that schemas are written in.

A row of the registry lists its fields as ``"Total": money``; each word knows the fragment of JSON schema
(draft 7) that a Singer target gets to see. The fragments keep to what all targets survive:

* everything may be null, for Xero leaves empty values out of its answers;
* ``number`` wherever decimals can occur, ``integer`` only for true counters;
* no ``enum`` and no ``required``: Xero adds values and leaves out fields without notice;
* no ``multipleOf``, and ``maxLength`` on ids, codes and keys alone: databases that index text by its length need it
  there, and the tap lets no longer value pass;
* a GUID is a string without ``format: uuid``, so that no stray value breaks a database's uuid column, and ids
  of all tables can be joined with each other;
* arrays say what they hold, objects what they are made of; the tap passes on no field that is not named here.

Words can be given a note, which becomes the field's description: ``"DueDate": day("When it must be paid")``.
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
    "money": {"type": "number"},
    "rate": {"type": "number"},
    "quantity": {"type": "number"},
    "percent": {"type": "number"},
    "number": {"type": "number"},
    "flag": {"type": "boolean"},
    "whole": {"type": "integer"},
    "one": {"type": "object"},
    "many": {"type": "array"},
}


@dataclass(frozen=True, eq=False)
class Component:
    """A nested shape.

    Attributes:
        fields: the fields by Xero's names, in the order they are shown.
        thin: why Xero's own model of this shape has more fields than are listed here; empty if it has not.
        of: the stream that has records of this shape whole. Its other fields are left out here when Xero sends
            them: see ``singer_xero.objects.references``.
    """

    fields: Mapping[str, Field]
    thin: str = ""
    of: str = ""

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the fields, as a fresh ``{name: fragment}`` dictionary."""
        return {name: field.schema() for name, field in self.fields.items()}


@dataclass(frozen=True, eq=False)
class Field:
    """What one field holds.

    Attributes:
        kind: the word it was written with, such as ``guid`` or ``many``.
        note: what a user should know of it; becomes the ``description``.
        component: the shape of what is nested, for ``one`` and for ``many`` objects.
        item: the word of the elements, for ``many`` plain values.
        read_only: Xero works the value out itself and refuses or ignores it in a write. The JSON schema does
            not show it.
        length: the most characters that a text may have; None where there is no limit that matters.
        mixed: whether Xero's own examples show the value in another type too: a number or a boolean as text, a
            text as a number.
    """

    kind: str
    note: str = ""
    component: Component | None = None
    item: Field | None = None
    read_only: bool = False
    length: int | None = None
    mixed: bool = False

    def __call__(self, note: str) -> Field:
        """The same word with a note."""
        return replace(self, note=note)

    @property
    def is_date(self) -> bool:
        """Whether Xero sends it as ``/Date(…)/``."""
        return self.kind in {"day", "instant"}

    def schema(self, *, nullable: bool = True) -> dict[str, Any]:
        """The JSON schema fragment, a fresh dictionary each time; ``nullable=False`` is for keys."""
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
#: A day of the organisation's calendar: no time, no zone. Xero writes it as midnight UTC.
day = Field("day")
#: A moment in UTC. Only fields whose names end in UTC are instants.
instant = Field("instant")
#: An amount in the record's currency: 2 decimals, unit prices up to 4.
money = Field("money")
#: A factor, such as an exchange rate with up to 10 decimals.
rate = Field("rate")
quantity = Field("quantity")
#: Per cent: 15 means 15 %.
percent = Field("percent")
#: A number that is none of the above.
number = Field("number")
flag = Field("flag")
#: A true counter: it can never have decimals.
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
    """Marks what Xero works out itself, so that it is read but never written."""
    return replace(field, read_only=True)


def at_most(length: int, field: Field) -> Field:
    """Marks a text that never has more characters: a key, or a code that tables are joined by."""
    return replace(field, length=length)


def mixed(field: Field) -> Field:
    """Marks what Xero's own examples show in another type too, such as an amount as text."""
    return replace(field, mixed=True)
