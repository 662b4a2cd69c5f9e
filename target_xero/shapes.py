"""Records in Xero's own names and types, read by msgspec in one go.

A shape is a `Form` as a msgspec type: it reads a record straight from its JSON, and what is left of it is
written out again as the content that `Form.take` would have found, several times faster. It takes nothing but
what is right already: names as Xero spells them, numbers, days as `2026-12-31`, ids in small letters. Of
anything else it says nothing, and the form decides, so that what becomes of a record is the same either way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from target_xero.payload import Form, encode_sorted
from target_xero.writes import DELETED_AT, Write

_HEXADECIMAL = bytes(
    120 if chr(byte) in "0123456789abcdef" else byte if byte == 45 else 63 for byte in range(256)
)
_ID_LIKE = b"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
_NOBODY = "00000000-0000-0000-0000-000000000000"
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


class Taken(NamedTuple):
    """A record as a shape found it: `sent` is its content as JSON, `compared` what of it the hash is made of."""

    key: str
    sent: bytes
    compared: bytes
    id: str | None
    tenant: str | None
    status: str
    gone: bool
    aside: dict[str, Any]


class Shape:
    """The records of one stream; `keys` are its key properties.

    A name that the form has met and leaves out is left out here as well; a new one is the form's to tell of.
    """

    def __init__(self, row: Write, form: Form, keys: Sequence[str]) -> None:
        self._row, self._form, self._keys = row, form, tuple(keys)
        self._misses = self._resting = 0
        self._names_met = -1
        # What is looked at beside the form's fields: the organisation, the deletion, and the source's own key.
        self._special: dict[str, Any] = {"tenant_id": str, DELETED_AT: str}
        self._special |= {name: int | str for name in keys if name not in {*form.wanted, *self._special}}
        self._once = tuple(name for name in row.once if name in form.wanted)
        self._aside = tuple(name for name in form.aside if name in form.wanted and name not in form.inner)
        self._status = row.status if row.status in form.wanted else ""
        self._names = (*row.names, *(row.numbered or ())[:1])
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
        except (msgspec.DecodeError, UnicodeDecodeError, _Unusual, ArithmeticError):
            self._missed()
            return None
        if self._misses:
            self._misses -= 1
        return taken

    def learn(self) -> None:
        """The form has looked at a record, and may have met new names."""
        if self._names_met != self._form.names_met:
            self._names_met = -1

    def _missed(self) -> None:
        self._misses += 2
        if self._misses > 2 * _PATIENCE:
            self._misses, self._resting = 0, _REST

    def _compile(self) -> None:
        self._names_met = self._form.names_met
        kind, self._tidy, places = _made(self._form, self._row.name, self._special)
        self._places = [(name, places[name]) for name in self._special]
        self._read = msgspec.json.Decoder(kind, float_hook=Decimal).decode

    def _taken(self, record: Any) -> Taken:
        row = self._row
        special: dict[str, Any] = {}
        for name, place in self._places:
            special[name] = getattr(record, place)
            setattr(record, place, None)
        if self._tidy:
            self._tidy(record)
        key = self._key(record, special)
        status = ""
        if self._status:
            status = self._status_of(getattr(record, self._status))
            if self._status not in self._aside:
                setattr(record, self._status, None)
        _look_closer(row, record)
        identifier = None
        aside = {}
        for name in self._aside:
            value = getattr(record, name)
            if value is not None:
                if name == row.key:
                    identifier = value
                if name in row.aside:
                    aside[name] = value
                setattr(record, name, None)
        sent = compared = encode_sorted(record)
        for name in self._once:
            if getattr(record, name) is not None:
                for other in self._once:
                    setattr(record, other, None)
                compared = encode_sorted(record)
                break
        gone = bool(special[DELETED_AT])
        return Taken(key, sent, compared, identifier, special["tenant_id"] or None, status, gone, aside)

    def _status_of(self, status: str | None) -> str:
        row = self._row
        if not status or not row.steps:
            return ""
        status = status.upper()
        if status not in row.statuses:
            raise _Unusual
        return row.becomes.get(status, status)

    def _key(self, record: Any, special: Mapping[str, Any]) -> str:
        row = self._row
        if self._keys:
            values = [special[name] if name in special else getattr(record, name) for name in self._keys]
            if None in values or "" in values:
                raise _Unusual
            return str(values[0]) if len(values) == 1 else "|".join(map(str, values))
        if row.key in self._aside and getattr(record, row.key) is not None:
            return str(getattr(record, row.key))
        named = row.named({name: getattr(record, name) for name in self._names})
        return next((f"{name}={value}" for name, value in named), "")


def _look_closer(row: Write, record: Any) -> None:
    """Leave to the form what objects have rules of their own for; raises `_Unusual`."""
    for field, pattern, _ in row.elsewhere:
        value = getattr(record, field)
        if value and _matches(value, pattern):
            raise _Unusual
    if row.either and sum(getattr(record, name) is not None for name in row.either) > 1:
        raise _Unusual
    if row.name == "payments" and (
        record.InvoiceNumber is not None
        or record.CreditNoteNumber is not None
        or record.PaymentType not in _ORDINARY
    ):
        raise _Unusual
    if row.name == "manual_journals" and record.JournalLines is not None:
        amounts = [line.LineAmount for line in record.JournalLines]
        if None in amounts or len(amounts) < 2 or sum(amounts):
            raise _Unusual
    if row.name == "history_notes":
        raise _Unusual


_ORDINARY = frozenset({None, "ACCRECPAYMENT", "ACCPAYPAYMENT"})


_Tidy = Callable[[Any], None]


def _made(
    form: Form, name: str, special: Mapping[str, Any]
) -> tuple[type[Any], _Tidy | None, dict[str, str]]:
    """A type for the records of a form, what tidies them up, and where it holds what is `special`.

    Its fields are in the order of their names, as they are hashed. What tidies a record up leaves shortest
    numbers, and nothing that says nothing; it raises `_Unusual` for a record that is the form's to judge.
    """
    fields: list[tuple[str, Any, Any]] = []
    steps: list[str] = []
    known = dict(_NAMES)
    for field in sorted(form.wanted):
        word = form.wanted[field]
        if field in form.inner:
            kind, tidy, _ = _made(form.inner[field], f"{name}_{field}", {})
            known |= {f"empty_{field}": kind(), f"tidy_{field}": tidy}
            if field in form.aside:
                # Parts are records of their own, if there are any.
                kind = Any
                steps.append(_NO_PARTS.format(field=field))
            else:
                many = word.kind == "many"
                kind = list[kind] if many else kind  # type: ignore[valid-type]
                call = f"tidy_{field}(one)" if tidy else "pass"
                steps.append((_EACH if many else _ONE).format(field=field, tidy=call))
        elif word.item and word.item.kind == "text":
            kind = list[str]
            steps.append(f"if record.{field} is not None and not record.{field}: record.{field} = None")
        elif word.kind in _TYPES:
            kind = _TYPES[word.kind]
            if word.kind == "guid":
                steps.append(_ID.format(field=field))
            elif word.kind in _NUMBERS:
                step = _NUMBER.format(field=field)
                if form.either and field == form.either[1]:
                    inner = step.replace("\n", "\n    ")
                    step = _OR_ELSE.format(field=field, other=form.either[0], number=inner)
                steps.append(step)
        else:
            continue
        fields.append((field, kind | None, None))
    places: dict[str, str] = {}
    for number, raw in enumerate(dict.fromkeys((*special, *form.left_out))):
        place = places[raw] = f"x{number}"
        if raw in special:
            fields.append((place, special[raw] | None, None))
        else:
            fields.append((place, msgspec.Raw, _UNSEEN))
            steps.append(f"record.{place} = unseen")
    kind = msgspec.defstruct(
        name,
        fields,
        rename={place: raw for raw, place in places.items()},
        omit_defaults=True,
        forbid_unknown_fields=True,
        gc=False,
    )
    if steps:
        source = "\n".join(["def tidy(record):", *steps]).replace("\n", "\n    ")
        # Compiled once for each object, of the registry's own names; a loop over them takes twice as long.
        exec(source, known)  # noqa: S102
    return kind, known.get("tidy"), places


_NAMES: Mapping[str, Any] = {
    "Decimal": Decimal,
    "whole": Decimal(1),
    "hexadecimal": _HEXADECIMAL,
    "id_like": _ID_LIKE,
    "nobody": _NOBODY,
    "unseen": _UNSEEN,
    "Unusual": _Unusual,
}
_ID = """value = record.{field}
if value is not None and (value.encode().translate(hexadecimal) != id_like or value == nobody): raise Unusual"""
_NUMBER = """value = record.{field}
if value.__class__ is Decimal:
    record.{field} = value.normalize() if value % whole else value.quantize(whole) or 0
elif value is not None and value.__class__ is not int: raise Unusual"""
_OR_ELSE = """if record.{other} is None:
    {number}
else:
    value = record.{field}
    if value.__class__ is Decimal and value.adjusted() < 27 or value is None or value.__class__ is int:
        record.{field} = None
    else: raise Unusual"""
_ONE = """one = record.{field}
if one is not None:
    {tidy}
    if one == empty_{field}: record.{field} = None"""
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
