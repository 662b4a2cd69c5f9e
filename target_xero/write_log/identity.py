"""The identity of a record: its source, its stream, its key fields and their values.

An identity is one line of JSON, such as `["tap-hubspot","customers",{"id":"17"}]`. A nested record that is written on
its own has the identity of its parent and one more object: `[…,{"id":"1"},{"Name":"North"}]`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import permutations
from typing import Any, NamedTuple

from target_xero.content.json_text import encode

#: The name of the field for the content of a record without a key.
CONTENT = "#"
#: Marks the keys of the first version of the log, which did not store source, stream and key fields.
UNKNOWN_ORIGIN = "?"
#: The most key fields for which every order is tried, because an old log stored them in some order.
_MOST_FIELDS = 4


class IdentityFormat:
    """Makes the identities of one stream's records; `keys` are its key properties.

    The order of the key properties does not matter, nor whether a value is a number or text.
    """

    def __init__(self, source: str, stream: str, keys: Sequence[str] = ()) -> None:
        self._head = encode([source, stream]).decode()[:-1]
        self._order = sorted(range(len(keys)), key=lambda place: keys[place])
        self._names = [encode(keys[place]).decode() for place in self._order]
        self._before = f"{self._head},{{{self._names[0]}:" if len(keys) == 1 else ""

    def of(self, values: Sequence[Any]) -> str:
        """Return the identity of a record; the values are in the order of the key properties."""
        if self._before:
            return f"{self._before}{_quoted(values[0])}}}]"
        texts = (_quoted(values[place]) for place in self._order)
        pairs = ",".join(f"{name}:{text}" for name, text in zip(self._names, texts, strict=True))
        return f"{self._head},{{{pairs}}}]"

    def by(self, name: str, value: str) -> str:
        """Return the identity of a record without a key: by a field that names it, or by its content."""
        return f"{self._head},{encode({name: value}).decode()}]"


# Written out, a number such as 1e999999999 has a billion digits.
_LONGEST_WHOLE = 50


def _quoted(value: Any) -> str:
    return f'"{value}"' if value.__class__ is int else encode(_text(value)).decode()


def _text(value: Any) -> str:
    if isinstance(value, (float, Decimal)):
        exact = Decimal(str(value))
        if exact.is_finite() and exact.adjusted() < _LONGEST_WHOLE and exact == exact.to_integral_value():
            return str(int(exact))
    return value if isinstance(value, str) else str(value)


def part_of(owner: str, fields: Mapping[str, str]) -> str:
    """Return the identity of a part of a record; `fields` distinguish it from its siblings."""
    return f"{owner[:-1]},{encode(fields).decode()}]"


class Origin(NamedTuple):
    """A parsed identity; `fields` are the key fields, and `parts` those that distinguish nested records."""

    source: str
    stream: str
    fields: Mapping[str, str]
    parts: Sequence[Mapping[str, str]] = ()


@lru_cache(maxsize=1024)
def origin(identity: str) -> Origin | None:
    """Parse an identity; None for a key of an old log, which only has values."""
    if identity.startswith(UNKNOWN_ORIGIN):
        return None
    source, stream, fields, *parts = json.loads(identity)
    return Origin(source, stream, fields, parts)


#: Begins the value of a key field. It occurs nowhere else, because quotation marks in texts are escaped.
_VALUE = '":"'


@lru_cache(maxsize=1024)
def _named_by(head: str) -> tuple[str, str]:
    """Return (source, first key field) of identities; `head` is the part before the first value."""
    source, _, fields = json.loads(f'{head}{_VALUE}"}}]')
    return source, next(iter(fields))


def source_of(identity: str) -> str | None:
    """Return the source of a record; None for a key of an old log, which only has values."""
    return source_and_value(identity)[0]


def own_key(identity: str) -> tuple[str, str] | None:
    """Return (source, value) of a record with a single key value, such as a customer number."""
    source, value = source_and_value(identity)
    return None if source is None or value is None else (source, value)


@lru_cache(maxsize=1024)
def source_and_value(identity: str) -> tuple[str | None, str | None]:
    """Return the source of a record and its single key value; None for what it does not have."""
    if identity.startswith(UNKNOWN_ORIGIN):
        return None, None
    head, _, rest = identity.partition(_VALUE)
    source, name = _named_by(head)
    if name == CONTENT or _VALUE in rest:
        return source, None
    value = rest[: -len('"}]')]
    return source, json.loads(f'"{value}"') if "\\" in value else value


def shown(identity: str) -> str:
    """Return an identity for messages: `customers id=17`."""
    found = origin(identity)
    if found is None:
        return identity[len(UNKNOWN_ORIGIN) :]
    values = [
        f"{name}={value}"
        for fields in (found.fields, *found.parts)
        for name, value in fields.items()
        if name != CONTENT
    ]
    return " ".join([found.stream, ", ".join(values)]) if values else found.stream


def with_source(identity: str, source: str) -> str:
    """Return the identity of the same record with another source."""
    _, *rest = json.loads(identity)
    return encode([source, *rest]).decode()


def former(identity: str) -> Iterator[str]:
    """Yield the keys under which an earlier log may have a record: without its source, or only its key values."""
    found = origin(identity)
    if found is None:
        return
    if found.source:
        yield with_source(identity, "")
    behind = "".join(f"/{next(iter(part.values()))}" for part in found.parts)
    for key in _former(found.fields):
        yield f"{UNKNOWN_ORIGIN}{key}{behind}"


def _former(fields: Mapping[str, str]) -> Iterable[str]:
    if len(fields) == 1:
        ((name, value),) = fields.items()
        return [f"{CONTENT}{value}"] if name == CONTENT else [value, f"{name}={value}"]
    if len(fields) > _MOST_FIELDS:
        return ["|".join(fields.values())]
    return dict.fromkeys("|".join(order) for order in permutations(fields.values()))
