"""Streams are recognised by the names that taps give them."""

from __future__ import annotations

import codecs

import pytest

from target_xero.intake.stream_names import reason_not_written, stream_target
from target_xero.write_specs.not_written import NOT_WRITTEN
from target_xero.write_specs.rows import WRITE_SPECS

from .conftest import Wiring, lines, record, schema

ABEL = record("contacts", id=1, Name="Abel")


def sale(stream: str, key: int, **values: object) -> dict[str, object]:
    line = {"Description": "Hull", "Quantity": 1, "UnitAmount": 10, "AccountCode": "200"}
    return record(stream, id=key, **{"contact_name": "Abel", "LineItems": [line], **values})


@pytest.mark.parametrize(
    ("stream", "name"),
    [
        ("public-invoices", "invoices"),
        ("public-bank_transactions", "bank_transactions"),
        ("bank-transactions", "bank_transactions"),
        ("warehouse-public-bank-transactions", "bank_transactions"),
        ("dbo.Contacts", "contacts"),
        ("invoice", "invoices"),
        ("Purchase Order", "purchase_orders"),
        ("MANUAL JOURNALS", "manual_journals"),
        ("currency", "currencies"),
        ("tracking category", "tracking_categories"),
        ("public-tax_rate", "tax_rates"),
        ("ContactsTemplate", "contacts"),
        ("Inventory Items", "items"),
        ("invoice_history", "history_notes"),
    ],
)
def test_schemas_in_front_singulars_and_spaces_are_understood(stream: str, name: str):
    found = stream_target(stream)
    assert found is not None
    assert (found.spec.name, found.says) == (name, {})


@pytest.mark.parametrize("stream", WRITE_SPECS)
def test_every_object_is_understood_by_its_own_name(stream: str):
    found = stream_target(stream)
    assert found is not None
    assert found.spec is WRITE_SPECS[stream]


@pytest.mark.parametrize("stream", NOT_WRITTEN)
def test_streams_that_are_only_read_are_not_confused_with_others(stream: str):
    assert stream_target(stream) is None
    assert reason_not_written(stream) == NOT_WRITTEN[stream]
    assert reason_not_written(f"public-{stream}") == NOT_WRITTEN[stream]


@pytest.mark.parametrize(
    ("stream", "name", "kind"),
    [
        ("bills", "invoices", "ACCPAY"),
        ("public-bill", "invoices", "ACCPAY"),
        ("Sales Invoices", "invoices", "ACCREC"),
        ("SalesInvoiceTemplate", "invoices", "ACCREC"),
        ("supplier_credit_notes", "credit_notes", "ACCPAYCREDIT"),
        ("spend_money", "bank_transactions", "SPEND"),
    ],
)
def test_names_of_xero_s_pages_imply_the_type(stream: str, name: str, kind: str):
    found = stream_target(stream)
    assert found is not None
    assert (found.spec.name, found.says) == (name, {"Type": kind})


@pytest.mark.parametrize("stream", ["deals", "public-deals", "my_invoices", "", "-", "invoices-eu"])
def test_other_names_are_not_guessed(stream: str):
    assert stream_target(stream) is None
    assert reason_not_written(stream) is None


def test_records_of_such_streams_are_written(wiring: Wiring):
    run = wiring.write(
        schema("crm-public-contact", "id"),
        record("crm-public-contact", id=1, Name="Abel"),
        schema("bills", "id"),
        sale("bills", 1),
        sale("bills", 2, type="ACCREC"),
        schema("public-invoices", "id"),
        sale("public-invoices", 3, Type="ACCREC"),
    )
    assert run.error is None
    assert run.rejected == []
    assert [c["Name"] for c in wiring.records("Contacts")] == ["Abel"]
    assert sorted(i["Type"] for i in wiring.records("Invoices")) == ["ACCPAY", "ACCREC", "ACCREC"]
    assert run.logged("The stream public-invoices is written to invoices.")


@pytest.mark.parametrize("nothing", [None, "__NULL__"])
@pytest.mark.parametrize("stream", ["deals", "items"])
def test_a_stream_map_of_nothing_removes_the_stream(wiring: Wiring, stream: str, nothing: str | None):
    other = {**schema(stream, "id"), "schema": {"properties": {"id": {}, "Code": {}}}}
    run = wiring.write(
        schema("contacts", "id"), ABEL, other, record(stream, id=1, Code="A"), stream_maps={stream: nothing}
    )
    assert run.error is None
    assert {name: run.count(name) for name in run.counts} == {"contacts": {"created": 1}}


@pytest.mark.parametrize("nothing", [None, "__NULL__"])
def test_a_stream_map_can_remove_all_other_streams(wiring: Wiring, nothing: str | None):
    people = {**schema("contacts", "id"), "schema": {"properties": {"id": {}, "Name": {}}}}
    maps = {"contacts": {"EmailAddress": "'abel@example.com'"}, "__else__": nothing}
    run = wiring.write(people, ABEL, schema("deals", "id"), record("deals", id=1), stream_maps=maps)
    assert run.error is None
    assert [c["EmailAddress"] for c in wiring.records("Contacts")] == ["abel@example.com"]


@pytest.mark.parametrize("mark", [codecs.BOM_UTF8.decode(), ""], ids=["marked", "plain"])
def test_a_byte_order_mark_before_the_input_is_ignored(wiring: Wiring, mark: str):
    run = wiring.write(mark + lines(schema("contacts", "id"), ABEL))
    assert run.error is None
    assert run.count("contacts") == {"created": 1}


@pytest.mark.parametrize("mark", ["\ufeff", "\u00ef\u00bb\u00bf"], ids=["UTF-8", "read as Latin-1"])
def test_a_byte_order_mark_before_the_first_column_is_ignored(wiring: Wiring, mark: str):
    run = wiring.write(schema("contacts", "id"), record("contacts", **{f"{mark}Name": "Abel", "id": 1}))
    assert run.error is None
    assert [c["Name"] for c in wiring.records("Contacts")] == ["Abel"]
    assert not run.logged("no field")


@pytest.mark.parametrize("day", ["2026-02-30", "2026-02-30T00:00:00", "2026-13-01", "0000-01-01"])
def test_a_day_that_does_not_exist_is_a_reject_before_anything_is_sent(wiring: Wiring, day: str):
    wiring.write(schema("contacts", "id"), ABEL)
    wiring.xero.admin.forget_calls()
    run = wiring.write(schema("invoices", "id"), sale("invoices", 1, Type="ACCREC", DueDate=day))
    assert run.count("invoices") == {"rejected": 1}
    assert run.rejected[0][1].startswith("DueDate: ")
    assert wiring.writes() == []


@pytest.mark.parametrize("mark", ["\ufeff", "\u00ef\u00bb\u00bf"], ids=["UTF-8", "read as Latin-1"])
def test_a_byte_order_mark_before_the_column_of_the_key_is_ignored(wiring: Wiring, mark: str):
    people = [schema("contacts", "*ContactName"), record("contacts", **{f"{mark}*ContactName": "Abel"})]
    assert wiring.write(people).count("contacts") == {"created": 1}
    assert wiring.write(people).count("contacts") == {"unchanged": 1}
    without = [schema("contacts", "*ContactName"), record("contacts", **{"*ContactName": "Abel"})]
    assert wiring.write(without).count("contacts") == {"unchanged": 1}
