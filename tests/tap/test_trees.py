"""Trees of undecoded values become the records that decoding makes, for every object, every form and any values."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from singer_xero.objects import NESTED_TABLES, OBJECTS, Field, NestedTable
from tap_xero.records.projection import Projection
from tap_xero.records.reader import RecordReader
from tap_xero.records.reshape import TableReshape, record_reshape
from tap_xero.records.types import is_number
from tap_xero.settings import Settings

RECORDS = 40
TENANT = "11111111-0000-4000-8000-000000000001"
decode = msgspec.json.Decoder(float_hook=Decimal).decode

DAYS = ("/Date(0+0000)/", "/Date(1795132800000+0000)/", "/Date(-86400000)/", "/Date(1795132800663)/")
TEXTS = ("", "Tōtara", 'a "quoted" \\ line\nbreak', "/Date(0)/", "12")
NUMBERS = ("0", "12", "-0.00", "1.50", "600.0000", "1E+2", "123456789012345678.0001")
"""As JSON, since only as text does a number keep its digits."""


class Maker(random.Random):
    """Makes JSON texts that fit fields, at random."""

    def value(self, word: Field) -> str:
        """A value of a field, or null."""
        if self.random() < 0.15:
            return "null"
        if word.component:
            fields = word.component.fields
            return self._list(lambda: self.record(fields)) if word.kind == "many" else self.record(fields)
        if word.kind == "many":
            return self._list(lambda: self.value(word.item or Field("text")))
        if is_number(word):
            return self.choice(NUMBERS)
        if word.kind in {"whole", "flag"}:
            return self.choice(("7", "12") if word.kind == "whole" else ("true", "false"))
        return json.dumps(self.choice(DAYS if word.is_date else ("a", "b", "") if word.length else TEXTS))

    def _list(self, one: Callable[[], str]) -> str:
        return f"[{','.join(self.choice((one, one, lambda: 'null'))() for _ in range(self.randrange(4)))}]"

    def record(self, fields: Mapping[str, Field], **fixed: str) -> str:
        """A record with some of these fields, and with all that are fixed, in their order or in another one."""
        some = {name: self.value(word) for name, word in fields.items() if self.random() < 0.7} | fixed
        names = self.sample(sorted(some), len(some)) if self.random() < 0.5 else some
        return "{" + ",".join(f"{json.dumps(name)}:{some[name]}" for name in names) + "}"


@pytest.mark.parametrize("in_order", [False, True], ids=["", "in_order"])
@pytest.mark.parametrize("form", ["xero", "snake_case"])
@pytest.mark.parametrize("name", OBJECTS)
def test_a_tree_becomes_the_record_and_the_elements_that_decoding_makes(
    monkeypatch: pytest.MonkeyPatch, name: str, form: str, in_order: bool
) -> None:
    monkeypatch.setattr("tap_xero.records.reader.LONG", 0)
    xero, make = OBJECTS[name], Maker(name)
    settings = Settings(field_names=form, nested_tables=True)
    fixed = dict.fromkeys(xero.key, '"k"')
    if xero.cursor:
        fixed[xero.cursor] = "7" if xero.fields[xero.cursor].kind == "whole" else json.dumps(DAYS[1])
    records = ",".join(make.record(xero.fields, **fixed) for _ in range(RECORDS))
    reader = RecordReader(xero, logging.getLogger("tap-xero"))
    rows = reader.page(f'{{"{xero.envelope}":[{records}]}}'.encode(), "call").rows
    assert [row.checked for row in rows] == [True] * RECORDS
    tables = [table for table in NESTED_TABLES.values() if table.of is xero]
    projection = Projection(xero, settings)
    reshape = record_reshape(projection, in_order=in_order)
    for row in rows:
        tree, slow = reader.undecoded(row), msgspec.structs.replace(row, checked=False)
        for table in tables:
            assert elements(table, settings, tree) == decoded_elements(table, settings, reader.record(slow))
        wanted = {"tenant_id": TENANT, **projection.record(reader.record(slow))}
        if reshape:
            tree = reshape(tree, TENANT)
        else:
            tree.tenant_id = TENANT
        assert exactly(decode(msgspec.json.encode(tree))) == exactly(wanted)


def elements(table: NestedTable, settings: Settings, tree: Any) -> list[Any]:
    records = TableReshape(table, Projection(table, settings)).records(tree, TENANT)
    return [exactly(decode(msgspec.json.encode(record))) for record in records]


def decoded_elements(table: NestedTable, settings: Settings, record: dict[str, Any]) -> list[Any]:
    projection = Projection(table, settings)
    return [
        exactly({"tenant_id": TENANT, **projection.record(element)}) for _, element in table.placed(record)
    ]


def exactly(value: Any) -> Any:
    """The same value, in which 1.50 differs from 1.5, and the order of fields does not count."""
    if isinstance(value, dict):
        return {name: exactly(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [exactly(inner) for inner in value]
    return (type(value).__name__, str(value)) if isinstance(value, (Decimal, int, bool)) else value
