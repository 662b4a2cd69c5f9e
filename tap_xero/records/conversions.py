"""Converts the values of checked records that can't be emitted as Xero writes them.

These are dates, and the few values that Xero writes in more than one type. A plan works on the trees of
`tap_xero.records.types`, in place, and visits only the branches that have something to convert.
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
"""Converts one value to what is emitted."""

Report = Callable[[str, str], None]
"""Takes the path of a field, and what is wrong with its value."""

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode

MOST_KNOWN = 10_000
"""Different values of a field whose conversion is kept: a list of thousands of records has a few hundred days."""


class _Converted(dict[Any, Any]):
    """The values of one field to what is emitted for them, each converted once. What a record lacks stays so."""

    def __init__(self, convert: Convert) -> None:
        super().__init__({msgspec.UNSET: msgspec.UNSET, None: None})
        self._convert = convert

    def __missing__(self, value: Any) -> Any:
        found = self._convert(value)
        if len(self) < MOST_KNOWN:
            self[value] = found
        return found


def plan_for(fields: Mapping[str, Field], path: str, report: Report, *, of_bytes: bool) -> Plan | None:
    """Make the plan for a tree, None if there is nothing to convert.

    With `of_bytes`, values of the tree are `msgspec.Raw`, except dates, which are text in every tree.
    """
    dates: list[tuple[str, _Converted]] = []
    values: list[tuple[str, Convert]] = []
    parts: list[tuple[str, Plan, bool]] = []
    for name, word in fields.items():
        field = f"{path}{name}"
        if word.component:
            inner = plan_for(word.component.fields, f"{field}.", report, of_bytes=of_bytes)
            if inner:
                parts.append((name, inner, word.kind == "many"))
            continue
        read = _reporting(reader_of(word), field, report)
        if word.is_date:
            dates.append((name, _Converted(_encoded(read) if of_bytes else read)))
        elif word.mixed:
            values.append((name, _of_bytes(word, read) if of_bytes else read))
    return _plan(dates, values, parts) if dates or values or parts else None


def _plan(
    dates: list[tuple[str, _Converted]],
    values: list[tuple[str, Convert]],
    parts: list[tuple[str, Plan, bool]],
) -> Plan:
    unset = msgspec.UNSET

    def plan(tree: Any) -> None:
        for name, converted in dates:
            setattr(tree, name, converted[getattr(tree, name)])
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


def _reporting(read: Convert, field: str, report: Report) -> Convert:
    """Convert to null what can't be read, and report it."""

    def convert(value: Any) -> Any:
        try:
            return read(value)
        except Unfit as problem:
            report(field, str(problem))
            return None

    return convert


def _encoded(read: Convert) -> Convert:
    return lambda value: msgspec.Raw(_encode(read(value)))


def _of_bytes(word: Field, read: Convert) -> Convert:
    """Read the bytes of a value that has another type than its field."""
    is_text = word.kind == "text"

    def convert(raw: Any) -> Any:
        data = bytes(raw)
        if data == b"null" or data.startswith(b'"') == is_text:
            return raw
        return read(_decode(data))

    return convert
