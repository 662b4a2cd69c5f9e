"""Records in Xero's own names and types, read by msgspec in one go.

A shape is a `Form` as a msgspec type: it reads a record straight from its JSON, and what is left of it is
written out again as the content that `Form.take` would have found, several times faster. It takes nothing but
what is right already: names as Xero spells them, numbers, days as `2026-12-31`, ids in small letters. Of
anything else it says nothing, and the form decides, so that what becomes of a record is the same either way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Context, Decimal, Inexact
from fnmatch import fnmatchcase
from functools import lru_cache
from operator import attrgetter
from typing import Any, Literal, NamedTuple

import msgspec

from target_xero.content.amounts import agrees
from target_xero.content.payload import (
    HEXADECIMAL,
    ID_LIKE,
    KINDS,
    NOBODY,
    REFERENCES,
    RecordParser,
    encode_sorted,
)
from target_xero.write_log.identity import IdentityFormat
from target_xero.write_specs.spec import DELETED_AT, WriteSpec

_NUMBERS = frozenset({"money", "rate", "quantity", "percent", "number"})
#: What a field of each kind looks like when there is nothing to put right about it.
_TYPES: Mapping[str, Any] = {
    "guid": str,
    "text": str,
    "day": date,
    "instant": str,
    "flag": bool,
    "whole": int,
    **dict.fromkeys(_NUMBERS, Any),
}
_UNSEEN = msgspec.Raw()
#: So many records that are not right as they are, and as many again are left to the form without a look.
_PATIENCE, _REST = 20, 1000
_matches = lru_cache(maxsize=1024)(fnmatchcase)


class _Unusual(Exception):
    """A record that only the form can judge."""


_NOT_MINE = (msgspec.DecodeError, UnicodeDecodeError, _Unusual, ArithmeticError, RecursionError)


#: A record as a shape found it: its identity; its content as JSON, and what of it the hash is made of; Xero's id, the
#: organisation, the status, whether it is gone, and what is only looked at, as in `sinks.Job`.
Taken = tuple[str, bytes, bytes, "str | None", "str | None", str, bool, dict[str, Any]]


class FastPath:
    """The records of one `stream`; `keys` are its key properties.

    A name that the form has met and leaves out is left out here as well; a new one is the form's to tell of.
    """

    def __init__(
        self,
        spec: WriteSpec,
        form: RecordParser,
        stream: str,
        keys: Sequence[str],
        identities: IdentityFormat | None = None,
    ) -> None:
        self._row, self._form, self._stream, self._keys = spec, form, stream, tuple(keys)
        self._identity_format = identities or IdentityFormat("", stream, keys)
        self._misses = self._resting = 0
        self._names_met = -1
        self._read: Callable[[msgspec.Raw], Any]
        self._read_line: Callable[[bytes], Any]
        self._convert: Callable[[Any], Any] | None = None
        # What is looked at beside the form's fields: the organisation, the deletion, and the source's own key.
        self._special: dict[str, Any] = {"tenant_id": str, DELETED_AT: str}
        self._special |= {name: int | str for name in keys if name not in {*form.wanted, *self._special}}
        # Where the type has them.
        places = {name: f"x{number}" for number, name in enumerate(self._special)}
        self._key_places = tuple(places.get(name, name) for name in keys)
        self._once = tuple(name for name in spec.create_only if name in form.wanted)
        self._aside = tuple(name for name in form.aside if name in form.wanted and name not in form.inner)
        self._status = spec.status_field if spec.status_field in form.wanted else ""
        self._statuses: dict[str | None, str] = {None: "", "": ""}
        self._statuses |= {status: spec.status_aliases.get(status, status) for status in spec.known_statuses}
        self._names = (*spec.natural_keys, *(spec.unique_when or ())[:1])
        self._kinds = tuple(name for name in KINDS if name in form.inner)
        payments = form.inner.get("Payments")
        self._nested_kinds = tuple(name for name in KINDS if payments and name in payments.inner)
        self._is_special = bool(spec.written_by_other_stream or spec.either or spec.has_own_rules)
        # A key that is a number counts as it was written, and one that is content under another name is both.
        self._can_read = all(
            form.wanted[name].kind in {"guid", "text", "instant"}
            if name in form.wanted
            else not form.takes(name)
            for name in (*keys, *self._special)
        )

    def take(self, record: msgspec.Raw) -> Taken | None:
        """What a record says, from its JSON; None if the form has to look at it."""
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

    def take_line(self, line: bytes) -> Taken | None:
        """The same from a line that probably holds a record of this stream; None also if it is another message."""
        if not self._can_read or self._resting or self._names_met < 0:
            return None
        try:
            return self._taken(self._read_line(line).record)
        except _NOT_MINE:
            return None

    def learn(self) -> None:
        """The form has looked at a record, and may have met new names."""
        if self._names_met != len(self._form.met):
            self._names_met = -1

    def _missed(self) -> None:
        self._misses += 2
        if self._misses > 2 * _PATIENCE:
            self._misses, self._resting = 0, _REST

    def _compile(self) -> None:
        self._names_met = len(self._form.met)
        compiled = _compiled(self._form, self._row.name, self._special)
        self._tidy, self._convert = compiled.tidy, compiled.convert
        self._read = msgspec.json.Decoder(compiled.read, float_hook=Decimal).decode
        message = msgspec.defstruct(
            "Message",
            [("type", Literal["RECORD"]), ("stream", Literal[self._stream]), ("record", compiled.read)],
            gc=False,
        )
        self._read_line = msgspec.json.Decoder(message, float_hook=Decimal).decode

    def _taken(self, record: Any) -> Taken:
        spec = self._row
        if self._convert:
            record = self._convert(record)
        tenant, gone = record.x0 or None, bool(record.x1)
        key = self._key(record)
        self._tidy(record)
        status = ""
        if self._status:
            status = self._status_of(getattr(record, self._status))
            if self._status not in self._aside:
                setattr(record, self._status, None)
        if self._is_special:
            _look_closer(spec, record)
        for name in self._kinds:
            _drop_kind(getattr(record, name), name)
        for name in self._nested_kinds:
            for payment in record.Payments or ():
                _drop_kind(getattr(payment, name), name)
        identifier = None
        aside = {}
        for name in self._aside:
            value = getattr(record, name)
            if value is not None:
                if name == spec.key:
                    identifier = value
                    key = key or self._identity_format.by(name, value)
                if name in spec.inspected_fields:
                    aside[name] = value
                setattr(record, name, None)
        if not key and not self._keys:
            named = spec.natural_key({name: getattr(record, name) for name in self._names})
            key = next((self._identity_format.by(name, value) for name, value in named), "")
        sent = compared = encode_sorted(record)
        for name in self._once:
            if getattr(record, name) is not None:
                for other in self._once:
                    setattr(record, other, None)
                compared = encode_sorted(record)
                break
        return key, sent, compared, identifier, tenant, status, gone, aside

    def _status_of(self, status: str | None) -> str:
        if not self._row.transitions:
            return ""
        found = self._statuses.get(status)
        if found is None:
            raise _Unusual
        return found

    def _key(self, record: Any) -> str:
        """The identity by the key properties, or nothing if there are none."""
        values = [getattr(record, place) for place in self._key_places]
        if None in values or "" in values:
            raise _Unusual
        return self._identity_format.of(values) if values else ""


def _look_closer(spec: WriteSpec, record: Any) -> None:
    """Leave to the form what objects have rules of their own for; raises `_Unusual`."""
    for field, pattern, _ in spec.written_by_other_stream:
        value = getattr(record, field)
        if value and _matches(value, pattern):
            raise _Unusual
    if spec.either and sum(getattr(record, name) is not None for name in spec.either) > 1:
        raise _Unusual
    if spec.is_unusual(record):
        raise _Unusual


def _drop_kind(reference: Any, name: str) -> None:
    """Leave to the form what is named by its number; beside an id its kind says nothing."""
    if reference is not None:
        if getattr(reference, REFERENCES[name][0]) is None:
            raise _Unusual
        setattr(reference, KINDS[name], None)


_Tidy = Callable[[Any], None]


class _Compiled(NamedTuple):
    """The type of a form's records under Xero's names, and what tidies such a record up.

    `read` is the type under the names that the input has, and `convert` makes a record of the one into the other; None
    if the names are Xero's.
    """

    kind: type[Any]
    tidy: _Tidy
    read: type[Any]
    convert: Callable[[Any], Any] | None


def _compiled(form: RecordParser, name: str, special: Mapping[str, Any]) -> _Compiled:
    """Compile a form.

    The fields of the type are in the order of their names, as they are hashed; what is `special` is in `x0`, `x1`
    and so on. Tidying up leaves shortest numbers, and no empty or special values; `_Unusual` is raised for a record
    that the form has to judge.
    """
    fields: list[tuple[str, Any, Any]] = []
    read: dict[str, Any] = {}
    kind: Any
    converters: dict[str, tuple[Callable[[Any], Any], bool]] = {}
    ops: list[str] = []
    known = dict(_NAMES)
    for field in sorted(form.wanted):
        word = form.wanted[field]
        if field in form.aside and field in form.inner:
            # Parts are records of their own, if there are any.
            kind = Any
            ops.append(_NO_PARTS.format(field=field))
        elif field in form.inner:
            inner, many = _compiled(form.inner[field], f"{name}_{field}", {}), word.kind == "many"
            known |= {f"empty_{field}": inner.kind(), f"tidy_{field}": inner.tidy}
            kind = list[inner.kind] if many else inner.kind  # type: ignore[name-defined]
            if inner.convert:
                read[field] = list[inner.read] if many else inner.read  # type: ignore[name-defined]
                converters[field] = (inner.convert, many)
            call = "pass" if inner.tidy is _nothing_to_do else f"tidy_{field}(one)"
            ops.append((_EACH if many else _ONE).format(field=field, tidy=call))
        elif word.item and word.item.kind == "text":
            kind = list[str]
            ops.append(_TEXTS.format(field=field))
        elif word.kind in _TYPES:
            kind = _TYPES[word.kind]
            ops += [_TIDIED[word.kind].format(field=field)] if word.kind in _TIDIED else []
        else:
            continue
        fields.append((field, kind | None, None))
    ops += [_DROP_AMOUNT] if form.is_priced_line else []
    ops += [
        f"if {' and '.join(f'record.{one} is None' for one in group)}: raise Unusual" for group in form.needs
    ]
    places = {f"x{number}": raw for number, raw in enumerate(dict.fromkeys((*special, *form.left_out)))}
    for place, raw in places.items():
        is_special = raw in special
        fields.append((place, special[raw] | None, None) if is_special else (place, msgspec.Raw, _UNSEEN))
        ops.append(f"record.{place} = {None if is_special else 'unseen'}")
    kind = _struct(name, fields, places)
    spellings = {field: raw for field, raw in form.spellings.items() if raw not in places.values()}
    if not spellings and not converters:
        return _Compiled(kind, _tidying(ops, known), kind, None)
    spelled = [
        (field, (read[field] | None) if field in read else of, default) for field, of, default in fields
    ]
    reading = _struct(name, spelled, {**places, **spellings})
    return _Compiled(kind, _tidying(ops, known), reading, _converter(kind, converters))


def _struct(name: str, fields: Sequence[tuple[str, Any, Any]], rename: Mapping[str, str]) -> type[Any]:
    return msgspec.defstruct(
        name, fields, rename=rename, omit_defaults=True, forbid_unknown_fields=True, gc=False
    )


def _converter(
    kind: type[Any], converters: Mapping[str, tuple[Callable[[Any], Any], bool]]
) -> Callable[[Any], Any]:
    """Return what makes a record under the input's names into one under Xero's."""
    names = kind.__struct_fields__
    values_of = attrgetter(*names) if len(names) > 1 else lambda record: (getattr(record, names[0]),)
    inner = [(names.index(field), convert, many) for field, (convert, many) in converters.items()]

    def convert(record: Any) -> Any:
        values = list(values_of(record))
        for index, one, many in inner:
            if values[index] is not None:
                values[index] = [one(each) for each in values[index]] if many else one(values[index])
        return kind(*values)

    return convert


def _tidying(ops: Sequence[str], known: dict[str, Any]) -> _Tidy:
    if not ops:
        return _nothing_to_do
    source = "\n".join(["def tidy(record):", *ops]).replace("\n", "\n    ")
    # Compiled once for each object, of the registry's own names; a loop over them takes twice as long.
    exec(source, known)  # noqa: S102
    tidy: _Tidy = known["tidy"]
    return tidy


def _nothing_to_do(record: Any) -> None:
    """Leave a record as it is."""


_NAMES: Mapping[str, Any] = {
    "Decimal": Decimal,
    # More digits than a float is sure of are the form's to judge.
    "short": Context(prec=14, traps=[Inexact]),
    "whole": Decimal(1),
    "hexadecimal": HEXADECIMAL,
    "id_like": ID_LIKE,
    "nobody": NOBODY,
    "unseen": _UNSEEN,
    "Unusual": _Unusual,
    "agrees": agrees,
}
_ID = """value = record.{field}
if value is not None and (value.encode().translate(hexadecimal) != id_like or value == nobody): raise Unusual"""
_NUMBER = """value = record.{field}
if value.__class__ is Decimal:
    record.{field} = value.normalize(short) if value % whole else value.quantize(whole) or 0
elif value is not None and value.__class__ is not int: raise Unusual"""
_DROP_AMOUNT = """amount = record.LineAmount
if amount is not None and record.UnitAmount is not None and agrees(
    amount, record.Quantity, record.UnitAmount, record.DiscountRate, record.DiscountAmount
): record.LineAmount = None"""
_TEXT = """value = record.{field}
if value is not None and (not value or value.isspace()): record.{field} = None"""
_TEXTS = """many = record.{field}
if many is not None:
    if not many: record.{field} = None
    for one in many:
        if not one or one.isspace(): raise Unusual"""
_ONE = """one = record.{field}
if one is not None:
    if one == empty_{field}: record.{field} = None
    else:
        {tidy}
        if one == empty_{field}: raise Unusual"""
_EACH = """many = record.{field}
if many is not None:
    if not many: record.{field} = None
    for one in many:
        {tidy}
        if one == empty_{field}: raise Unusual"""
_NO_PARTS = """many = record.{field}
if many is not None:
    if many != []: raise Unusual
    record.{field} = None"""
_TIDIED: Mapping[str, str] = {
    "guid": _ID,
    "text": _TEXT,
    "instant": _TEXT,
    **dict.fromkeys(_NUMBERS, _NUMBER),
}
