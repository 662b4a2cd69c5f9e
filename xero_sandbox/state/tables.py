"""The records of one resource of one organisation, in memory."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from typing import Any

from ..resources import Resource
from ..values import Record

_NEVER = datetime(1, 1, 1, tzinfo=timezone.utc)


class Table:
    """The records of one resource in the order of Xero's lists, with a cache of their JSON texts.

    Records are shared and never changed in place: ``put`` takes a new one.
    """

    def __init__(self, resource: Resource, records: Iterable[Record] = ()) -> None:
        self.resource = resource
        self.rows: dict[str, Record] = {}
        self._texts: dict[tuple[str, int | None], dict[str, bytes]] = {}
        self._numbers: dict[str, dict[str, str]] | None = None
        self._words: dict[str, dict[str, dict[str, None]]] = {}
        self._paths: dict[str, list[str]] = {}
        self._sequence = 0
        self._keys: dict[str, tuple[Any, str]] = {}
        for record in records:
            identifier = str(record[resource.id])
            self.rows[identifier] = record
            self._keys[identifier] = self._key(identifier, record)
        self._index = sorted(self._keys.values())
        self.hidden = {identifier for identifier, record in self.rows.items() if self._hides(record)}

    def _hides(self, record: Record) -> bool:
        hidden = self.resource.hidden
        return hidden is not None and record.get(hidden[0]) == hidden[1]

    def _key(self, identifier: str, record: Record) -> tuple[Any, str]:
        field = self.resource.list_order
        if not field:
            known = self._keys.get(identifier)
            self._sequence += 1
            return known or (self._sequence, identifier)
        value = record.get(field)
        if field.endswith("UTC"):
            return (value or _NEVER, identifier)
        if field == "JournalNumber":
            return (value or 0, identifier)
        return (str(value or "").casefold(), identifier)

    def put(self, record: Record) -> None:
        """Store a new or changed record."""
        identifier = str(record[self.resource.id])
        self._unlist(identifier)
        self.rows[identifier] = record
        key = self._keys[identifier] = self._key(identifier, record)
        insort(self._index, key)
        self._numbers = None
        if self._hides(record):
            self.hidden.add(identifier)
        for field, words in self._words.items():
            words.setdefault(_word(record, self._paths[field]), {})[identifier] = None

    def remove(self, identifier: str) -> None:
        """Delete a record."""
        self._unlist(identifier)
        del self.rows[identifier], self._keys[identifier]
        self._numbers = None

    def _unlist(self, identifier: str) -> None:
        if identifier in self.rows:
            key = self._keys[identifier]
            del self._index[bisect_left(self._index, key)]
            self.hidden.discard(identifier)
            for texts in self._texts.values():
                texts.pop(identifier, None)
            for field, words in self._words.items():
                words[_word(self.rows[identifier], self._paths[field])].pop(identifier, None)

    def matching(self, field: str, text: str) -> list[Record]:
        """The records with that text in ``field`` (``Contact.ContactID`` for a nested one), in any case."""
        words = self._words.get(field)
        if words is None:
            words, path = {}, field.split(".")
            self._words[field], self._paths[field] = words, path
            for identifier, record in self.rows.items():
                words.setdefault(_word(record, path), {})[identifier] = None
        return [self.rows[identifier] for identifier in words.get(text.casefold(), ())]

    def last(self) -> Record | None:
        """The last record in the order of lists."""
        return self.rows[self._index[-1][1]] if self._index else None

    def ids(self, after: Any = None, first: int = 0, count: int | None = None) -> list[str]:
        """Identifiers in the order of lists, from the value ``after`` of the ordering field on (inclusive).

        ``first`` and ``count`` select a part of them.
        """
        start = first + self._start(after)
        return [identifier for _, identifier in self._index[start : None if count is None else start + count]]

    def size(self, after: Any = None) -> int:
        """The number of identifiers from the value ``after`` on."""
        return len(self._index) - self._start(after)

    def _start(self, after: Any) -> int:
        return 0 if after is None else bisect_left(self._index, (after, ""))

    def find(self, key: str) -> Record | None:
        """The record with that id, number or code, as an address names it."""
        wanted = key.lower()
        if record := self.rows.get(wanted) or self.rows.get(key):
            return record
        if self._numbers is None:
            self._numbers = {
                name: {
                    str(row[name]).lower(): one
                    for one, row in self.rows.items()
                    if row.get(name) not in {None, ""}
                }
                for name in (self.resource.id, *self.resource.by)
            }
        for numbers in self._numbers.values():
            if identifier := numbers.get(wanted):
                return self.rows[identifier]
        return None

    def text(self, identifier: str, form: tuple[str, int | None], make: Callable[[Record], bytes]) -> bytes:
        """The JSON text of a record in one form (view and decimals of prices), cached until the record changes."""
        texts = self._texts.setdefault(form, {})
        if (known := texts.get(identifier)) is None:
            known = texts[identifier] = make(self.rows[identifier])
        return known

    def forget_texts(self) -> None:
        """Drop all texts, because records that they show have changed."""
        self._texts.clear()


def _word(record: Record, path: list[str]) -> str:
    value: Any = record
    for name in path:
        value = (value or {}).get(name)
    return str(value if value is not None else "").casefold()
