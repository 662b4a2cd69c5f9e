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

from target_xero.content.payload import encode

#: The name under which content stands that has no key.
CONTENT = "#"
#: Marks the keys of the first version of the log, which did not know source, stream and key fields.
UNKNOWN_ORIGIN = "?"
#: Key fields whose order an old log may have kept.
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
        """The identity of the record with these values, in the order of the key properties."""
        if self._before:
            return f"{self._before}{encode(_text(values[0])).decode()}}}]"
        told = (encode(_text(values[place])).decode() for place in self._order)
        pairs = ",".join(f"{name}:{value}" for name, value in zip(self._names, told, strict=True))
        return f"{self._head},{{{pairs}}}]"

    def by(self, name: str, value: str) -> str:
        """The identity of a record that has no key of its own: by a field that names it, or by its content."""
        return f"{self._head},{encode({name: value}).decode()}]"


# Written out, a number such as 1e999999999 has a billion digits.
_LONGEST_WHOLE = 50


def _text(value: Any) -> str:
    if isinstance(value, (float, Decimal)):
        exact = Decimal(str(value))
        if exact.is_finite() and exact.adjusted() < _LONGEST_WHOLE and exact == exact.to_integral_value():
            return str(int(exact))
    return value if isinstance(value, str) else str(value)


def part_of(owner: str, told: Mapping[str, str]) -> str:
    """The identity of what is nested in a record; `told` tells it from its siblings."""
    return f"{owner[:-1]},{encode(told).decode()}]"


class Origin(NamedTuple):
    """An identity taken apart; `fields` are the key fields, `parts` what tells nested records from each other."""

    source: str
    stream: str
    fields: Mapping[str, str]
    parts: Sequence[Mapping[str, str]] = ()


@lru_cache(maxsize=1024)
def origin(identity: str) -> Origin | None:
    """Parse an identity; None for a key of an old log that has nothing but values."""
    if identity.startswith(UNKNOWN_ORIGIN):
        return None
    source, stream, fields, *parts = json.loads(identity)
    return Origin(source, stream, fields, parts)


#: Where the first value of an identity begins: a quotation mark inside of a text has a backslash before it.
_VALUE = '":"'


@lru_cache(maxsize=1024)
def _named_by(head: str) -> tuple[str, str]:
    """(source, first key field) of the identities that begin with this, which ends before the value of the field."""
    source, _, fields = json.loads(f'{head}{_VALUE}"}}]')
    return source, next(iter(fields))


def source_of(identity: str) -> str | None:
    """Return the source of a record; None for a key of an old log that has nothing but values."""
    if identity.startswith(UNKNOWN_ORIGIN):
        return None
    return _named_by(identity.partition(_VALUE)[0])[0]


def own_key(identity: str) -> tuple[str, str] | None:
    """(source, value) of a record that its source knows by one value, such as its number of a customer."""
    head, _, rest = identity.partition(_VALUE)
    if identity.startswith(UNKNOWN_ORIGIN) or _VALUE in rest:
        return None
    source, name = _named_by(head)
    if name == CONTENT:
        return None
    value = rest[: -len('"}]')]
    return source, json.loads(f'"{value}"') if "\\" in value else value


def shown(identity: str) -> str:
    """An identity for people: `customers id=17`."""
    found = origin(identity)
    if found is None:
        return identity[len(UNKNOWN_ORIGIN) :]
    told = [
        f"{name}={value}"
        for fields in (found.fields, *found.parts)
        for name, value in fields.items()
        if name != CONTENT
    ]
    return " ".join([found.stream, ", ".join(told)]) if told else found.stream


def with_source(identity: str, source: str) -> str:
    """The identity of the same record, said to come from another source."""
    _, *rest = json.loads(identity)
    return encode([source, *rest]).decode()


def former(identity: str) -> Iterator[str]:
    """The keys under which a log may have the record that did not know its source, or nothing but the key's values."""
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
