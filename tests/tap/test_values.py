"""Values arrive unchanged: amounts digit for digit, days as days, instants as instants, text as text."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from xero_sandbox import AdminClient

from .company import HARBOUR, guid
from .runs import Run, read

DATE = "/Date(1795132800000+0000)/"  # 2026-11-20


def answered(config: dict[str, Any], admin: AdminClient, record: dict[str, Any] | str) -> dict[str, Any]:
    """The record of an invoice from Xero; the invoice is text where the digits matter."""
    return answered_run(config, admin, record).records["invoices"][0]


#: Records of short answers are checked one by one. Those of long answers are checked together, and their values
#: are emitted undecoded if nothing maps them; a map makes the tap decode them.
DECODED = {"stream_maps": {"invoices": {"again": "InvoiceID"}}}
BOTH_WAYS = pytest.mark.parametrize("more", ["short", "as bytes", "decoded"], indirect=True)


@pytest.fixture
def more(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Settings with which the tap reads records in one of these ways."""
    if request.param != "short":
        monkeypatch.setattr("tap_xero.records.reader.LONG", 0)
    return DECODED if request.param == "decoded" else {}


def answered_run(config: dict[str, Any], admin: AdminClient, record: dict[str, Any] | str) -> Run:
    known = {"InvoiceID": guid("i", 1), "UpdatedDateUTC": DATE}
    text = record if isinstance(record, str) else json.dumps({**known, **record})
    body = '{"Id": "5f1c3a0e-0000-0000-0000-000000000000", "Status": "OK", "Invoices": [' + text + "]}"
    admin.fault("status", path="Invoices", status=200, body=body)
    return read(config, "invoices")


def line_of(run: Run, stream: str = "invoices") -> str:
    """The first RECORD line as text."""
    return next(line for line in run.lines if b'"RECORD"' in line).decode()


# Decimals


DIGITS = (
    "10.10 10.00 0.1 1.0000000001 1234567890123456789.99 -0.30 100 0 1.2345"
    " 99999999999999999999999999999999999999.9999"
)


@BOTH_WAYS
@pytest.mark.parametrize("digits", DIGITS.split())
def test_amounts_are_emitted_digit_for_digit(
    config: dict[str, Any], admin: AdminClient, digits: str, more: dict[str, Any]
) -> None:
    text = (
        f'{{"InvoiceID": "{guid("i", 1)}", "UpdatedDateUTC": "{DATE}", "Total": {digits},'
        f' "CurrencyRate": {digits}, "LineItems": [{{"UnitAmount": {digits}}}]}}'
    )
    line = line_of(answered_run(config | more, admin, text))
    assert f'"Total":{digits},' in line
    assert f'"CurrencyRate":{digits},' in line
    assert f'"UnitAmount":{digits}}}' in line


def test_a_very_small_rate_is_exact(config: dict[str, Any], admin: AdminClient) -> None:
    text = f'{{"InvoiceID": "{guid("i", 1)}", "UpdatedDateUTC": "{DATE}", "CurrencyRate": 0.0000000001}}'
    assert answered(config, admin, text)["CurrencyRate"] == Decimal("0.0000000001")


@pytest.mark.parametrize(
    ("stream", "path"),
    [
        ("invoices", "Invoices"),
        ("items", "Items"),
        ("credit_notes", "CreditNotes"),
        ("prepayments", "Prepayments"),
    ],
)
def test_prices_are_requested_with_four_decimals(
    config: dict[str, Any], admin: AdminClient, stream: str, path: str
) -> None:
    read(config, stream)
    assert {call["query"].get("unitdp") for call in admin.calls(path)} == {"4"}


def test_prices_keep_four_decimals_on_the_way_from_the_sandbox(config: dict[str, Any]) -> None:
    run = read(config, "invoices")
    assert '"UnitAmount":10.1234' in line_of(run)
    assert '"Total":10.10' in line_of(run)
    assert '"CurrencyRate":1.000000' in line_of(run)


# Dates


@BOTH_WAYS
@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("/Date(1795132800000+0000)/", "2026-11-20"),
        ("/Date(1795132800000)/", "2026-11-20"),
        ("/Date(-62135596800000+0000)/", "0001-01-01"),
        ("/Date(-315619200000+0000)/", "1960-01-01"),
        ("/Date(-1)/", "1969-12-31"),
        ("/Date(0+0000)/", "1970-01-01"),
        # Midnight UTC is the organisation's day, whatever the offset.
        ("/Date(1795132800000+1300)/", "2026-11-20"),
        ("2026-11-20T00:00:00", "2026-11-20"),
        ("2026-11-20", "2026-11-20"),
    ],
)
def test_days_are_days(
    config: dict[str, Any], admin: AdminClient, written: str, day: str, more: dict[str, Any]
) -> None:
    record = answered(config | more, admin, {"Date": written, "Payments": [{"Date": written}]})
    assert record["Date"] == day
    assert record["Payments"][0]["Date"] == day


@BOTH_WAYS
@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("/Date(1795165200663+0000)/", "2026-11-20T09:00:00.663000Z"),
        ("/Date(1795165200663+1300)/", "2026-11-20T09:00:00.663000Z"),
        ("/Date(-1000+0000)/", "1969-12-31T23:59:59.000000Z"),
        ("2026-11-20T09:00:00.1234567", "2026-11-20T09:00:00.123456Z"),
        ("2026-11-20T09:00:00Z", "2026-11-20T09:00:00.000000Z"),
    ],
)
def test_fields_that_end_in_utc_are_instants(
    config: dict[str, Any], admin: AdminClient, written: str, instant: str, more: dict[str, Any]
) -> None:
    assert answered(config | more, admin, {"UpdatedDateUTC": written})["UpdatedDateUTC"] == instant


@BOTH_WAYS
@pytest.mark.parametrize("text", [DATE, "see /Date(0)/ for more", "Date(1)", "2026-11-20"])
def test_text_that_looks_like_a_date_is_unchanged(
    config: dict[str, Any], admin: AdminClient, text: str, more: dict[str, Any]
) -> None:
    record = answered(
        config | more,
        admin,
        {"Reference": text, "InvoiceNumber": text, "LineItems": [{"Description": text}]},
    )
    assert record["Reference"] == record["InvoiceNumber"] == text
    assert record["LineItems"][0]["Description"] == text


def test_dates_that_xero_sends_twice_are_emitted_once(config: dict[str, Any], admin: AdminClient) -> None:
    record = answered(
        config, admin, {"Date": DATE, "DateString": "2026-11-20T00:00:00", "DueDateString": "x"}
    )
    assert record["Date"] == "2026-11-20"
    assert "DateString" not in record
    assert "DueDateString" not in record


def test_an_empty_date_is_null(config: dict[str, Any], admin: AdminClient) -> None:
    run = answered_run(config, admin, {"Date": "", "DueDate": None})
    assert run.records["invoices"][0]["Date"] is None
    assert run.warnings == []


@BOTH_WAYS
@pytest.mark.parametrize("odd", [5, True, {"Y": 2026}, ["2026"]])
def test_a_date_of_another_type_is_null(
    config: dict[str, Any], admin: AdminClient, odd: Any, more: dict[str, Any]
) -> None:
    assert answered(config | more, admin, {"Date": odd})["Date"] is None


@BOTH_WAYS
def test_a_date_that_cannot_be_read_is_null_and_logged_once(
    config: dict[str, Any], admin: AdminClient, more: dict[str, Any]
) -> None:
    odd = {"Date": "next week", "Payments": [{"Date": "soon"}, {"Date": "later"}]}
    run = answered_run(config | more, admin, odd)
    assert run.records["invoices"][0]["Date"] is None
    assert [one["Date"] for one in run.records["invoices"][0]["Payments"]] == [None, None]
    assert run.warnings == [
        f"invoices: {field} holds text that is not a date; null is emitted instead. First seen in "
        f"{guid('i', 1)}."
        for field in ("Date", "Payments.Date")
    ]


# Ids and organisations


def test_every_record_starts_with_its_tenant_id(config: dict[str, Any]) -> None:
    run = read(config)
    for stream, records in run.records.items():
        assert {record["tenant_id"] for record in records} == {HARBOUR}, stream
        assert run.of("SCHEMA", stream)[0]["key_properties"][0] == "tenant_id", stream


def test_the_id_of_the_answer_is_not_mistaken_for_that_of_the_record(
    config: dict[str, Any], admin: AdminClient
) -> None:
    record = answered(config, admin, {})
    assert record["InvoiceID"] == guid("i", 1)
    assert "Id" not in record
    assert "5f1c3a0e" not in json.dumps(record)


def test_fields_about_the_answer_are_not_in_the_record(config: dict[str, Any], admin: AdminClient) -> None:
    noise = {"HasErrors": False, "HasValidationErrors": False, "StatusAttributeString": "OK", "Warnings": []}
    assert not noise.keys() & answered(config, admin, noise).keys()


def test_unicode_and_control_characters_survive(config: dict[str, Any], admin: AdminClient) -> None:
    text = 'Tōtara & Söhne — 東京 🛶\n\t"quoted" \\ <b>'
    assert answered(config, admin, {"Reference": text})["Reference"] == text


def test_keys_are_unique_in_every_stream(config: dict[str, Any]) -> None:
    """The SDK's own test for this compares nothing."""
    run = read(config)
    assert len(run.records) >= 16
    for stream, records in run.records.items():
        keys = run.of("SCHEMA", stream)[0]["key_properties"]
        found = [tuple(record[key] for key in keys) for record in records]
        assert None not in {part for key in found for part in key}, stream
        assert len(found) == len(set(found)), stream
