"""Brings a decoded record into the shape of its schema, value by value, whatever Xero has sent.

This is the thorough way, for records that `tap_xero.records.types.checked` doesn't take, and for short answers. What it
returns fits the schema in every part; what it changed or left out it notes as a `Finding`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from singer_xero.objects import Component, DateForm, Field, left_out
from tap_xero.records.values import Unfit, reader_of

Record = dict[str, Any]


class Finding(NamedTuple):
    """Something that a record can't be passed on with.

    `field` is its path by Xero's names, `place` the same with the numbers of list elements, `value` what Xero sent.
    `problem` says what is wrong; "" for a field that the schema doesn't have.
    """

    field: str
    place: str
    value: Any
    problem: str = ""


Findings = list[Finding]

Fix = Callable[[Any, str, str, Findings], Any]
"""Takes a value that isn't null, its field, its place and the list for findings; returns what may be passed on."""


class Repairer:
    """The shape of a record or of a part of one; `others` are fields that are silently left out."""

    def __init__(self, fields: Mapping[str, Field], others: frozenset[str], dates: DateForm) -> None:
        self.known = frozenset(fields)
        self.others = others
        self._fixes = [(name, _fix(word, dates)) for name, word in fields.items()]

    def repaired(self, record: Mapping[str, Any], field: str, place: str, findings: Findings) -> Record:
        """The fields of the schema that a record has, in the schema's order.

        `field` and `place` are those of the record, with a dot behind them unless they are empty.
        """
        fitting: Record = {}
        for name, fix in self._fixes:
            if name in record:
                value = record[name]
                fitting[name] = (
                    None if value is None else fix(value, f"{field}{name}", f"{place}{name}", findings)
                )
        if not record.keys() <= self.known:
            for name in record.keys() - self.known - self.others:
                findings.append(Finding(f"{field}{name}", f"{place}{name}", record[name]))
        return fitting


@cache
def _shape_of(part: Component, dates: DateForm) -> Repairer:
    return Repairer(part.fields, left_out(part, dates), dates)


def _fix(word: Field, dates: DateForm) -> Fix:
    if word.kind == "one" and word.component:
        return _fix_object(word.component, dates)
    if word.kind == "many":
        return _fix_list(
            _fix_object(word.component, dates) if word.component else _fix_value(word.item or Field("text"))
        )
    return _fix_value(word)


def _fix_value(word: Field) -> Fix:
    read = reader_of(word)

    def fix(value: Any, field: str, place: str, findings: Findings) -> Any:
        try:
            return read(value)
        except Unfit as problem:
            findings.append(Finding(field, place, value, str(problem)))
            return None

    return fix


def _fix_object(part: Component, dates: DateForm) -> Fix:
    shape = _shape_of(part, dates)

    def fix(value: Any, field: str, place: str, findings: Findings) -> Record | None:
        if isinstance(value, dict):
            return shape.repaired(value, f"{field}.", f"{place}.", findings)
        if value != "":
            findings.append(Finding(field, place, value, "a value that is no object"))
        return None

    return fix


def _fix_list(fix_one: Fix) -> Fix:
    def fix(value: Any, field: str, place: str, findings: Findings) -> list[Any] | None:
        if isinstance(value, list):
            return [
                None if one is None else fix_one(one, field, f"{place}[{number}]", findings)
                for number, one in enumerate(value)
            ]
        if value != "":
            findings.append(Finding(field, place, value, "a value that is no list"))
        return None

    return fix
