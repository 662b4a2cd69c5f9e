"""Compares the records of two taps field by field, to the last digit."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import zip_longest
from typing import Any


def messages(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The messages of an output, with numbers as decimals."""
    for line in lines:
        yield json.loads(line, parse_float=Decimal)


def differences(
    ours: Iterable[bytes], theirs: Iterable[bytes], stream: str = "invoices"
) -> tuple[int, list[str]]:
    """Compare two outputs: returns the number of compared records, and a description of each difference.

    Records must have the same order. Fields that only one of the two schemas has are ignored.
    """
    schema, left = _read(ours, stream)
    other, right = _read(theirs, stream)
    found: list[str] = []
    compared = alone = 0
    for mine, yours in zip_longest(left, right):
        if mine is None or yours is None:
            alone += 1
            continue
        compared += 1
        found += [f"record {compared}: {what}" for what in _compare(mine, yours, schema, other, "")]
    if alone:
        found.append(f"{alone} more on one side")
    return compared, found


def _read(lines: Iterable[bytes], stream: str) -> tuple[Mapping[str, Any], Iterator[Mapping[str, Any]]]:
    coming = (message for message in messages(lines) if message.get("stream") == stream)
    schema = next(message["schema"] for message in coming if message["type"] == "SCHEMA")
    return schema, (message["record"] for message in coming if message["type"] == "RECORD")


def _compare(
    mine: Any, yours: Any, schema: Mapping[str, Any], other: Mapping[str, Any], path: str
) -> Iterator[str]:
    if isinstance(mine, dict) and isinstance(yours, dict):
        fields, others = schema.get("properties", {}), other.get("properties", {})
        for name in fields.keys() & others.keys() & (mine.keys() | yours.keys()):
            where = f"{path}.{name}"
            if name not in mine or name not in yours:
                yield f"{where} is missing on one side"
            else:
                yield from _compare(mine[name], yours[name], fields[name], others[name], where)
    elif isinstance(mine, list) and isinstance(yours, list):
        if len(mine) != len(yours):
            yield f"{path} has {len(mine)} and {len(yours)} elements"
        items, others = schema.get("items", {}), other.get("items", {})
        for number, (one, two) in enumerate(zip(mine, yours, strict=False)):
            yield from _compare(one, two, items, others, f"{path}[{number}]")
    elif _exact(mine) != _exact(yours):
        yield f"{path} is {mine!r} and {yours!r}"


def _exact(value: Any) -> Any:
    """A value that differs for 1.10 and 1.1, and for 1 and true."""
    return value.as_tuple() if isinstance(value, Decimal) else (type(value), value)
