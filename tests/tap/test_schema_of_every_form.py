"""No record has a field that its SCHEMA lacks, and amounts are exact, with every form of records."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from singer_xero.objects import NESTED_TABLES, OBJECTS
from xero_sandbox import AdminClient

from .company import guid
from .runs import read

FORMS = [
    {"field_names": names, "nested_tables": children, "flattening_enabled": flat, "flattening_max_depth": 3}
    for names, children, flat in itertools.product(("xero", "snake_case"), (False, True), (False, True))
]
FLAT = {"flattening_enabled": True, "flattening_max_depth": 3}


def strange_to(value: Any, schema: dict[str, Any], path: str) -> Iterator[str]:
    """The fields of a value that its schema lacks."""
    if isinstance(value, dict):
        for name, inner in value.items():
            known = schema.get("properties", {}).get(name)
            if known is None:
                yield f"{path}.{name}"
            else:
                yield from strange_to(inner, known, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from strange_to(inner, schema.get("items", {}), path)


@pytest.mark.parametrize(
    "form", FORMS, ids=lambda form: " ".join(str(value) for value in list(form.values())[:3])
)
def test_no_record_has_a_field_that_its_schema_lacks(demo: dict[str, Any], form: dict[str, Any]) -> None:
    run = read(demo | form)
    schemas = {message["stream"]: message["schema"] for message in run.of("SCHEMA")}
    found = {
        path
        for stream, records in run.records.items()
        for record in records
        for path in strange_to(record, schemas[stream], stream)
    }
    assert found == set()
    wanted = {name for name, xero in OBJECTS.items() if xero.selected}
    assert wanted <= {stream for stream, records in run.records.items() if records}
    if form["nested_tables"]:
        assert {
            "invoice_line_item_tracking",
            "contact_group_members",
        } & NESTED_TABLES.keys() <= run.records.keys()


# Amounts as text


AMOUNTS = ("10.10", "0.0000000001", "-0.30", "100", "1E+5", "99999999999999999999.9999")


def invoice(admin: AdminClient, *amounts: str) -> None:
    """Let the list of invoices be one for each amount."""
    records = ",".join(
        f'{{"InvoiceID": "{guid("i", number)}", "UpdatedDateUTC": "/Date({number}000)/", "Total": {amount}, '
        f'"LineItems": [{{"UnitAmount": {amount}}}]}}'
        for number, amount in enumerate(amounts, 1)
    )
    admin.fault("status", path="Invoices", status=200, body=f'{{"Invoices": [{records}]}}')


@pytest.mark.parametrize("decimals", ["string", "singer.decimal", "x-singer.decimal"])
@pytest.mark.parametrize("names", ["xero", "snake_case"])
def test_amounts_are_text_digit_for_digit_by_a_setting(
    config: dict[str, Any], admin: AdminClient, decimals: str, names: str
) -> None:
    invoice(admin, *AMOUNTS)
    run = read(config | {"decimals": decimals, "field_names": names}, "invoices")
    total, lines, price = (
        ("Total", "LineItems", "UnitAmount") if names == "xero" else ("total", "line_items", "unit_amount")
    )
    assert [record[total] for record in run.records["invoices"]] == [
        format(Decimal(amount), "f") for amount in AMOUNTS
    ]
    assert [record[lines][0][price] for record in run.records["invoices"]] == [
        format(Decimal(amount), "f") for amount in AMOUNTS
    ]
    field = run.of("SCHEMA", "invoices")[0]["schema"]["properties"][total]
    shown = {name: value for name, value in field.items() if name != "description"}
    kind = {"format": decimals, "precision": 38, "scale": 10} if decimals != "string" else {}
    assert shown == {"type": ["string", "null"], **kind}
    assert run.warnings == []


def test_a_number_too_large_for_a_decimal_column_is_null_and_a_rounded_one_is_logged(
    config: dict[str, Any], admin: AdminClient
) -> None:
    invoice(admin, "1" * 29, "0.12345678901")
    run = read(config | {"decimals": "singer.decimal"}, "invoices")
    assert [record["Total"] for record in run.records["invoices"]] == [None, "0.12345678901"]
    assert [line for line in run.warnings if "invoices.Total" in line] == [
        "invoices.Total holds a number of 29 digits, more than a decimal has: null is emitted instead.",
        "invoices.Total holds numbers of more than 10 decimals: the target rounds them.",
    ]


def test_whole_numbers_stay_integers(config: dict[str, Any]) -> None:
    run = read(config | {"decimals": "string"}, "journals")
    assert isinstance(run.records["journals"][0]["JournalNumber"], int)


# Text that targets cannot store


@pytest.mark.parametrize("long", [False, True], ids=["one by one", "as a whole"])
@pytest.mark.parametrize(
    ("sent", "arrives", "told"),
    [
        (b'"a\\u0000b"', "ab", "NUL characters were removed"),
        (b'"cut \\ud83d"', "cut \ufffd", "halves of surrogate pairs were replaced by U+FFFD"),
        (b'"\xff!"', "\ufffd!", "bytes that are not UTF-8 were replaced by U+FFFD"),
        (b'"\\\\u0000 \\ud83d\\ude00"', "\\u0000 \U0001f600", ""),
    ],
)
def test_text_that_targets_cannot_store_is_repaired_and_logged_once(
    config: dict[str, Any],
    admin: AdminClient,
    monkeypatch: pytest.MonkeyPatch,
    sent: bytes,
    arrives: str,
    told: str,
    long: bool,
) -> None:
    monkeypatch.setattr("tap_xero.records.reader.LONG", 0 if long else 10**9)
    line = b'{"Description": %s}' % sent
    record = b'{"InvoiceID": "%s", "UpdatedDateUTC": "/Date(1000)/", "LineItems": [%s, %s]}'
    body = b'{"Invoices": [%s]}' % (record % (guid("i", 1).encode(), line, line))
    admin.fault("status", path="Invoices", status=200, hex=body.hex())
    run = read(config, "invoices")
    assert [one["Description"] for one in run.records["invoices"][0]["LineItems"]] == [arrives] * 2
    assert [line.split(": ", 1)[1] for line in run.warnings] == ([f"{told}."] if told else [])
    assert run.failed == {}
    assert len(admin.calls("Invoices")) == 1
    for written in run.lines:
        json.loads(written.decode())
