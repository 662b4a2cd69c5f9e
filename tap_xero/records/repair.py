"""Makes a decoded record fit its schema, value by value, whatever Xero sent.

This is the slow path, for short answers and for records that `tap_xero.records.types.checked` rejects. Its result fits
the schema in every part. Everything that it changes or leaves out is a `Finding`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from singer_xero.objects import Component, DateForm, Field, left_out
from tap_xero.records.values import Unfit, reader_of

Record = dict[str, Any]


class Finding(NamedTuple):
    """A value that was changed or left out.

    `field` is its path by Xero's names, `place` the same path with the indices of list elements, and `value` is what
    Xero sent. `problem` says what is wrong; it is "" for a field that the schema doesn't have.
    """

    field: str
    place: str
    value: Any
    problem: str = ""


Findings = list[Finding]

Fix = Callable[[Any, str, str, Findings], Any]
"""Takes a value other than null, its field, its place and the list of findings. Returns what is emitted."""


class Repairer:
    """Repairs a record or a part of one; `others` are fields that are left out without a finding."""

    def __init__(self, fields: Mapping[str, Field], others: frozenset[str], dates: DateForm) -> None:
        self.known = frozenset(fields)
        self.others = others
        self._fixes = [(name, _fix(word, dates)) for name, word in fields.items()]

    def repaired(self, record: Mapping[str, Any], field: str, place: str, findings: Findings) -> Record:
        """Return the fields of the schema that a record has, in the schema's order.

        `field` and `place` are those of the record, followed by a dot unless they are empty.
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
            findings.append(Finding(field, place, value, "a value that is not an object"))
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
            findings.append(Finding(field, place, value, "a value that is not a list"))
        return None

    return fix
