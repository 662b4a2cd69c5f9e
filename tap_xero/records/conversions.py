"""Converts in records that have been checked what can't be passed on as Xero writes it.

These are dates, and the few values that Xero writes in more than one type. Works on the trees of
`tap_xero.records.types`, in place, and walks only the branches in which there is something to convert.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from singer_xero.objects import Field
from tap_xero.records.values import Unfit, reader_of

Plan = Callable[[Any], None]
"""Converts the values of one tree in place."""

Convert = Callable[[Any], Any]
"""Makes of a value what may be passed on."""

Tell = Callable[[str, str], None]
"""Is told a field by its path, and what is wrong with its value."""

_decode = msgspec.json.Decoder().decode

MOST_KNOWN = 10_000
"""Different values of a field that are remembered: a list of thousands of records has a few hundred days."""


def plan_for(fields: Mapping[str, Field], path: str, tell: Tell, *, of_bytes: bool) -> Plan | None:
    """Make what converts a tree: of values as bytes, or of decoded ones. None where there is nothing to do."""
    values: list[tuple[str, Convert]] = []
    parts: list[tuple[str, Plan, bool]] = []
    for name, word in fields.items():
        field = f"{path}{name}"
        if word.component:
            inner = plan_for(word.component.fields, f"{field}.", tell, of_bytes=of_bytes)
            if inner:
                parts.append((name, inner, word.kind == "many"))
        elif word.is_date or word.mixed:
            read = _telling(reader_of(word), field, tell)
            values.append((name, _of_bytes(word, read) if of_bytes else read))
    return _plan(values, parts) if values or parts else None


def _plan(values: list[tuple[str, Convert]], parts: list[tuple[str, Plan, bool]]) -> Plan:
    unset = msgspec.UNSET

    def plan(tree: Any) -> None:
        for name, convert in values:
            value = getattr(tree, name)
            if value is not unset and value is not None:
                setattr(tree, name, convert(value))
        for name, inner, many in parts:
            part = getattr(tree, name)
            if part is unset or not part:
                continue
            if many:
                for one in part:
                    if one is not None:
                        inner(one)
            else:
                inner(part)

    return plan


def _telling(read: Convert, field: str, tell: Tell) -> Convert:
    """Let what can't be read become null, and be told."""

    def convert(value: Any) -> Any:
        try:
            return read(value)
        except Unfit as problem:
            tell(field, str(problem))
            return None

    return convert


def _of_bytes(word: Field, read: Convert) -> Convert:
    """Read the bytes of a value; those of a date are read once where they come again."""
    if word.is_date:
        known: dict[bytes, Any] = {b"null": None}

        def date(raw: Any) -> Any:
            data = bytes(raw)
            try:
                return known[data]
            except KeyError:
                found = read(_decode(data))
                if len(known) < MOST_KNOWN:
                    known[data] = found
                return found

        return date
    is_text = word.kind == "text"

    def other_type(raw: Any) -> Any:
        data = bytes(raw)
        if data == b"null" or data.startswith(b'"') == is_text:
            return raw
        return read(_decode(data))

    return other_type
