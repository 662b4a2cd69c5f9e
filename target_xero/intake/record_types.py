"""Types with which msgspec decodes whole records, and functions that normalise such records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Context, Decimal, Inexact
from typing import Any, NamedTuple

import msgspec

from target_xero.content.amounts import agrees
from target_xero.content.payload import RecordParser
from target_xero.content.values import NOBODY

#: Replaces the digits of an id by x and characters that ids do not have by ?, so that ids match a pattern.
_HEXADECIMAL = bytes(
    120 if chr(byte) in "0123456789abcdef" else byte if byte == 45 else 63 for byte in range(256)
)
_ID_LIKE = b"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
_NUMBERS = frozenset({"money", "rate", "quantity", "percent", "number"})
#: The types of values that need no conversion, by the kind of a field.
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
#: Shortens numbers: 1.50 to 1.5, and 3E+2 to 300. The parser drops the noise of a float, which is at most 1E-12, or
#: 1E-12 of the number. A number with at most 12 digits and 11 decimals has none; any other number raises Inexact.
_SHORT = Context(prec=12, Emax=11, Emin=0, clamp=1, traps=[Inexact])


class Unusual(Exception):
    """A record that only the parser can read."""


_Tidy = Callable[[Any], None]


class CompiledType(NamedTuple):
    """The types of a parser's records under Xero's names and under those of the input, and a function.

    `tidy` normalises a record of the type `read`, and makes it one of `kind`. Both are one type if the names of the
    input are Xero's.
    """

    kind: type[Any]
    read: type[Any]
    tidy: _Tidy


class _Parts:
    """The fields and statements from which a type is compiled."""

    def __init__(self, parser: RecordParser, name: str) -> None:
        self._parser, self._name = parser, name
        self.fields: list[tuple[str, Any, Any]] = []
        self.read: dict[str, Any] = {}
        self.ops: list[str] = []
        self.known = dict(_NAMES)

    def add(self, field: str) -> None:
        """Add a field, which may hold nested records."""
        if field in self._parser.inner and field not in self._parser.aside:
            self._add_nested(field, many=self._parser.wanted[field].kind == "many")
        elif (kind := _plain_type(self._parser, field)) is not None:
            self.fields.append((field, kind | None, None))
            self.ops.append(_tidied(self._parser, field).format(field=field))

    def _add_nested(self, field: str, *, many: bool) -> None:
        inner = compiled_type(self._parser.inner[field], f"{self._name}_{field}", {})
        self.known |= {f"given_{field}": inner.read(), f"empty_{field}": inner.kind()}
        self.known[f"tidy_{field}"] = inner.tidy
        self.fields.append((field, (list[inner.kind] if many else inner.kind) | None, None))  # type: ignore[name-defined]
        if inner.read is not inner.kind:
            self.read[field] = (list[inner.read] if many else inner.read) | None  # type: ignore[name-defined]
        call = "pass" if inner.tidy is _nothing_to_do else f"tidy_{field}(one)"
        self.ops.append((_EACH if many else _ONE).format(field=field, tidy=call))


def compiled_type(parser: RecordParser, name: str, special: Mapping[str, Any]) -> CompiledType:
    """Compile a parser.

    The fields of the type are in the order of their names, because they are hashed in this order; `special` fields are
    called `x0`, `x1` and so on. `tidy` shortens numbers and removes empty and special values. It raises `Unusual` for a
    record that the parser must read.
    """
    parts = _Parts(parser, name)
    for field in sorted(parser.wanted):
        parts.add(field)
    parts.ops += [_DROP_AMOUNT] if parser.is_priced_line else []
    parts.ops += [
        f"if {' and '.join(f'record.{one} is None' for one in group)}: raise Unusual"
        for group in parser.needs
    ]
    places = {f"x{number}": raw for number, raw in enumerate(dict.fromkeys((*special, *parser.left_out)))}
    for place, raw in places.items():
        of = (special[raw] | None, None) if raw in special else (msgspec.Raw, _UNSEEN)
        parts.fields.append((place, *of))
        parts.ops.append(f"record.{place} = {None if raw in special else 'unseen'}")
    kind = read = _struct(name, parts.fields, places)
    spellings = {field: raw for field, raw in parser.spellings.items() if raw not in places.values()}
    if spellings or parts.read:
        fields = [(field, parts.read.get(field, of), default) for field, of, default in parts.fields]
        read = _struct(name, fields, {**places, **spellings})
        # Both types have the same fields in the same places, so that a record can change from one to the other.
        parts.ops.insert(0, "record.__class__ = kind")
    return CompiledType(kind, read, _tidying(parts.ops, {**parts.known, "kind": kind}))


def _plain_type(parser: RecordParser, field: str) -> Any:
    """Return the type of a field that has no nested content; None if the field is not read here."""
    word = parser.wanted[field]
    if field in parser.inner:
        return Any
    return list[str] if word.item and word.item.kind == "text" else _TYPES.get(word.kind)


def _tidied(parser: RecordParser, field: str) -> str:
    word = parser.wanted[field]
    if field in parser.inner:
        # The parser makes separate records of parts.
        return _NO_PARTS
    return _TEXTS if word.item and word.item.kind == "text" else _TIDIED.get(word.kind, "")


def _struct(name: str, fields: Sequence[tuple[str, Any, Any]], rename: Mapping[str, str]) -> type[Any]:
    return msgspec.defstruct(
        name, fields, rename=rename, omit_defaults=True, forbid_unknown_fields=True, gc=False
    )


def _tidying(ops: Sequence[str], known: dict[str, Any]) -> _Tidy:
    if not any(ops):
        return _nothing_to_do
    source = "\n".join(["def tidy(record):", *filter(None, ops)]).replace("\n", "\n    ")
    # Compiled once for each object, from names of the registry. One function for all fields takes 15 to 19 % off the
    # CPU of the intake, compared with a loop over a function for each field: 28 instead of 33 µs for an invoice of
    # 1.8 KB, and 28 to 29 instead of 34 under other names (`python -m benchmarks.intake_loop`).
    exec(source, known)  # noqa: S102
    tidy: _Tidy = known["tidy"]
    return tidy


def _nothing_to_do(record: Any) -> None:
    """Leave a record unchanged."""


_NAMES: Mapping[str, Any] = {
    "Decimal": Decimal,
    "shortest": _SHORT.normalize,
    "hexadecimal": _HEXADECIMAL,
    "id_like": _ID_LIKE,
    "nobody": NOBODY,
    "unseen": _UNSEEN,
    "Unusual": Unusual,
    "agrees": agrees,
}
_ID = """value = record.{field}
if value is not None and (value.encode().translate(hexadecimal) != id_like or value == nobody): raise Unusual"""
_NUMBER = """value = record.{field}
if value is not None:
    if value.__class__ is Decimal: record.{field} = shortest(value) or 0
    elif value.__class__ is not int: raise Unusual"""
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
    if one == given_{field}: record.{field} = None
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
