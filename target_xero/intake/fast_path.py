"""Decodes records whose values need no conversion directly from JSON, several times faster than the parser.

A fast path is a `RecordParser` as a msgspec type. It reads numbers, days as `2026-12-31` and ids in lower case, under
Xero's names or under those that the parser has met. It leaves every other record to the parser. Both give the same
result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import lru_cache
from operator import attrgetter
from typing import Any, Literal

import msgspec

from target_xero.content.json_text import encode_sorted, fingerprint
from target_xero.content.payload import KINDS, REFERENCES, RecordParser
from target_xero.intake.record_types import Unusual, compiled_type
from target_xero.intake.records import Job
from target_xero.write_log.identity import IdentityFormat
from target_xero.write_specs.spec import DELETED_AT, WriteSpec

#: After `_PATIENCE` records in a row that needed the parser, the next `_REST` records go to the parser directly.
_PATIENCE, _REST = 20, 1000
_matches = lru_cache(maxsize=1024)(fnmatchcase)


_NOT_MINE = (msgspec.DecodeError, UnicodeDecodeError, Unusual, ArithmeticError, RecursionError)


class FastPath:
    """Reads the records of one `stream`; `keys` are its key properties.

    It also drops the names that the parser has dropped. A record with a new name goes to the parser, which logs it.
    """

    def __init__(
        self,
        spec: WriteSpec,
        parser: RecordParser,
        stream: str,
        keys: Sequence[str],
        identities: IdentityFormat | None = None,
    ) -> None:
        self._spec, self._parser, self._stream, self._keys = spec, parser, stream, tuple(keys)
        self._identity_format = identities or IdentityFormat("", stream, keys)
        self._misses = self._resting = 0
        self._names_met = -1
        self._read: Callable[[msgspec.Raw], Any]
        self._read_line: Callable[[bytes], Any]
        # Fields that the parser does not read: the organisation, the time of the deletion, and the key properties.
        self._special: dict[str, Any] = {"tenant_id": str, DELETED_AT: str}
        self._special |= {name: int | str for name in keys if name not in {*parser.wanted, *self._special}}
        places = {name: f"x{number}" for number, name in enumerate(self._special)}
        self._key_values = _values_of([places.get(name, name) for name in keys]) if keys else None
        self._create_only = tuple(spec.create_only & parser.wanted.keys())
        #: The calculated fields and the id, and whether each is one of `inspected_fields`.
        self._aside = {
            name: name in spec.inspected_fields
            for name in (parser.aside & parser.wanted.keys()) - parser.inner.keys()
        }
        self._status = spec.status_field if spec.status_field in parser.wanted else ""
        self._statuses: dict[str | None, str] = {None: "", "": ""}
        self._statuses |= {status: spec.status_aliases.get(status, status) for status in spec.known_statuses}
        self._names = (*spec.natural_keys, *(spec.unique_when or ())[:1])
        self._kinds = _kinds_in(parser)
        self._nested_kinds = _kinds_in(parser.inner.get("Payments"))
        self._is_special = bool(spec.written_by_other_stream or spec.either or spec.has_own_rules)
        self._can_read = all(self._is_readable(name) for name in (*keys, *self._special))

    def _is_readable(self, name: str) -> bool:
        """Whether a key can be read here: not if it is a number, or content under another name."""
        word = self._parser.wanted.get(name)
        return word.kind in {"guid", "text", "instant"} if word else not self._parser.takes(name)

    def take(self, record: msgspec.Raw) -> Job | None:
        """Read a record from its JSON; None if the parser must read it.

        The identity of a record without any key is empty. `epoch` and `raw` are left to the caller.
        """
        if not self._can_read:
            return None
        if self._resting:
            self._resting -= 1
            return None
        if self._names_met < 0:
            self._compile()
        try:
            taken = self._taken(self._read(record))
        except _NOT_MINE:
            self._missed()
            return None
        if self._misses:
            self._misses -= 1
        return taken

    def take_line(self, line: bytes) -> Job | None:
        """Read a line that is probably a record of this stream; None for any other message as well."""
        if not self._can_read or self._resting or self._names_met < 0:
            return None
        try:
            return self._taken(self._read_line(line).record)
        except _NOT_MINE:
            return None

    def learn(self) -> None:
        """Compile the type again if the parser has met new names."""
        if self._names_met != len(self._parser.met):
            self._names_met = -1

    def _missed(self) -> None:
        self._misses += 2
        if self._misses > 2 * _PATIENCE:
            self._misses, self._resting = 0, _REST

    def _compile(self) -> None:
        self._names_met = len(self._parser.met)
        compiled = compiled_type(self._parser, self._spec.name, self._special)
        self._tidy = compiled.tidy
        self._read = msgspec.json.Decoder(compiled.read, float_hook=Decimal).decode
        message = msgspec.defstruct(
            "Message",
            [("type", Literal["RECORD"]), ("stream", Literal[self._stream]), ("record", compiled.read)],
            gc=False,
        )
        self._read_line = msgspec.json.Decoder(message, float_hook=Decimal).decode

    def _taken(self, record: Any) -> Job:
        spec = self._spec
        tenant, gone = record.x0 or None, bool(record.x1)
        key = self._key(record)
        self._tidy(record)
        status = self._take_status(record) if self._status else ""
        if self._is_special:
            _check_rules(spec, record)
        if self._kinds or self._nested_kinds:
            self._drop_kinds(record)
        identifier, inspected = None, {}
        for name, is_inspected in self._aside.items():
            value = getattr(record, name)
            if value is not None:
                setattr(record, name, None)
                if name == spec.key:
                    identifier = value
                if is_inspected:
                    inspected[name] = value
        if not key and not self._keys:
            key = self._own_key(record, identifier)
        sent, compared = self._encoded(record)
        # The same bytes that `hashed` encodes.
        content = fingerprint(b"[", compared, b',"%b",%b]' % (status.encode(), b"true" if gone else b"false"))
        raw: Any = msgspec.Raw(sent)
        return Job(key, content, raw, 0, 0, identifier, tenant, status, gone, inspected)

    def _drop_kinds(self, record: Any) -> None:
        for name in self._kinds:
            _drop_kind(getattr(record, name), name)
        for name in self._nested_kinds:
            for payment in record.Payments or ():
                _drop_kind(getattr(payment, name), name)

    def _own_key(self, record: Any, identifier: str | None) -> str:
        """Return the identity of a record without key properties: by Xero's id, or by its names."""
        if identifier is not None:
            return self._identity_format.by(self._spec.key, identifier)
        named = self._spec.natural_key({name: getattr(record, name) for name in self._names})
        return next((self._identity_format.by(name, value) for name, value in named), "")

    def _encoded(self, record: Any) -> tuple[bytes, bytes]:
        """Return the content as JSON, and the part that is hashed."""
        sent = compared = encode_sorted(record)
        given = [name for name in self._create_only if getattr(record, name) is not None]
        if given:
            for name in given:
                setattr(record, name, None)
            compared = encode_sorted(record)
        return sent, compared

    def _take_status(self, record: Any) -> str:
        status = getattr(record, self._status)
        if self._status not in self._aside:
            setattr(record, self._status, None)
        if not self._spec.transitions:
            return ""
        found = self._statuses.get(status)
        if found is None:
            raise Unusual
        return found

    def _key(self, record: Any) -> str:
        """Return the identity by the key properties; empty if there are none."""
        if self._key_values is None:
            return ""
        values = self._key_values(record)
        if None in values or "" in values:
            raise Unusual
        return self._identity_format.of(values)


def _values_of(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Return a function that returns these fields of a record, at least one."""
    found = attrgetter(*names)
    return found if len(names) > 1 else lambda record: (found(record),)


def _check_rules(spec: WriteSpec, record: Any) -> None:
    """Raise `Unusual` for a record that needs the rules of its object."""
    for field, pattern, _ in spec.written_by_other_stream:
        value = getattr(record, field)
        if value and _matches(value, pattern):
            raise Unusual
    if spec.either and sum(getattr(record, name) is not None for name in spec.either) > 1:
        raise Unusual
    if spec.is_unusual(record):
        raise Unusual


def _kinds_in(parser: RecordParser | None) -> tuple[str, ...]:
    """Return the references that may state the type of the document that they refer to."""
    return tuple(name for name in KINDS if name in parser.inner) if parser else ()


def _drop_kind(reference: Any, name: str) -> None:
    """Drop the type of a document that has an id. Raises `Unusual` for a document without an id."""
    if reference is not None:
        if getattr(reference, REFERENCES[name][0]) is None:
            raise Unusual
        setattr(reference, KINDS[name], None)
