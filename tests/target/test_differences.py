"""Xero's answers are compared with the records; a difference is logged, counted, and may fail the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from singer_xero.api.client import XeroClient
from target_xero.planning.differences import differences
from target_xero.write_specs.rows import WRITE_SPECS

from .conftest import Wiring, decode, record, schema
from .test_values import EAST, SETTING, line

encode = msgspec.json.Encoder(decimal_format="number").encode
LINES = [
    line("Hull", quantity=2, unit_amount=100, discount_rate=10, tax_type="OUTPUT2", tracking=EAST),
    line("Mast", tax_type="NONE"),
]
SALE: dict[str, Any] = {
    "id": 7,
    "type": "ACCREC",
    "status": "AUTHORISED",
    "contact_name": "Abel",
    "invoice_number": "INV-7",
    "reference": "Order 7",
    "date": "2026-11-05",
    "due_date": "2026-12-05",
    "line_amount_types": "Exclusive",
    "line_items": LINES,
    "sub_total": 220,
    "total_tax": 27,
    "total": 247,
}


def sale(**values: Any) -> list[dict[str, Any]]:
    return [schema("invoices", "id"), record("invoices", **{**SALE, **values})]


def logged(run: Any) -> list[str]:
    return [message for message in run.messages if " differs in Xero: " in message]


@pytest.fixture
def altered(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[dict[str, Any]], None]], None]:
    """Replaces Xero's answers to writes of invoices."""

    def alter(change: Callable[[dict[str, Any]], None]) -> None:
        send = XeroClient.send

        def altering(self: XeroClient, endpoint: str, tenant: str, path: str, **options: Any) -> Any:
            answer = send(self, endpoint, tenant, path, **options)
            if path != "Invoices":
                return answer
            envelope = decode(answer.content)
            for one in envelope["Invoices"]:
                change(one)
            return replace(answer, content=encode(envelope), value=envelope)

        monkeypatch.setattr(XeroClient, "send", altering)

    return alter


def set_to(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda one: one.update({name: value})


def set_line(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda one: one["LineItems"][0].update({name: value})


OTHER = "0f0f0f0f-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (set_to("SubTotal", 219), "SubTotal: expected 220, got 219"),
        (set_to("TotalTax", 27.01), "TotalTax: expected 27, got 27.01"),
        (set_to("Total", 0), "Total: expected 247, got 0"),
        (set_to("Date", "/Date(1793750400000+0000)/"), "Date: expected 2026-11-05, got 2026-11-04"),
        (lambda one: one.pop("DueDate"), "DueDate: expected 2026-12-05, got nothing"),
        (set_to("Contact", {"ContactID": OTHER}), f"got ContactID {OTHER}"),
        (set_to("Status", "DRAFT"), "Status: expected AUTHORISED, got DRAFT"),
        (set_to("Reference", ""), "Reference: expected Order 7, got nothing"),
        (set_to("LineAmountTypes", "Inclusive"), "LineAmountTypes: expected Exclusive, got Inclusive"),
        (lambda one: one["LineItems"].pop(), "LineItems: expected 2 lines, got 1 line"),
        (lambda one: one["LineItems"].reverse(), "LineItems: expected this order, got the order 2, 1"),
        (set_line("AccountCode", "260"), "LineItems[0].AccountCode: expected 200, got 260"),
        (set_line("TaxType", "NONE"), "LineItems[0].TaxType: expected OUTPUT2, got NONE"),
        (set_line("Quantity", 3), "LineItems[0].Quantity: expected 2, got 3"),
        (set_line("UnitAmount", 99.9), "LineItems[0].UnitAmount: expected 100, got 99.9"),
        (set_line("LineAmount", 200), "LineItems[0].LineAmount: expected 180.00, got 200"),
        (set_line("DiscountRate", 0), "LineItems[0].DiscountRate: expected 10, got 0"),
        (
            lambda one: one["LineItems"][0].pop("DiscountRate"),
            "LineItems[0].DiscountRate: expected 10, got nothing",
        ),
        (set_line("Tracking", []), "LineItems[0].Tracking: expected Region Eastside, got nothing"),
        (set_line("Description", "Keel"), "LineItems[0].Description: expected Hull, got Keel"),
        (
            lambda one: one["LineItems"][1].update(DiscountRate=5),
            "LineItems[1].DiscountRate: expected nothing, got 5",
        ),
        (
            lambda one: one["LineItems"][1].update(ItemCode="K"),
            "LineItems[1].ItemCode: expected nothing, got K",
        ),
        (
            lambda one: one["LineItems"][1].update(Tracking=one["LineItems"][0]["Tracking"]),
            "LineItems[1].Tracking: expected nothing, got Region Eastside",
        ),
    ],
)
def test_a_difference_is_logged_with_record_field_and_both_values_and_counted(
    wiring: Wiring, altered: Any, change: Callable[[dict[str, Any]], None], words: str
):
    wiring.write(SETTING)
    altered(change)
    run = wiring.write(sale())
    assert [message for message in logged(run) if words in message] == logged(run)[:1] != []
    assert logged(run)[0].startswith("invoices id=7 differs in Xero: ")
    assert run.count("invoices") == {"created": 1, "different": 1}


def test_an_equal_answer_is_no_difference(wiring: Wiring):
    wiring.write(SETTING)
    run = wiring.write(sale())
    assert (logged(run), run.count("invoices")) == ([], {"created": 1})
    run = wiring.write(sale(reference="Order 8", line_items=LINES[1:], sub_total=40, total_tax=0, total=40))
    assert (logged(run), run.count("invoices")) == ([], {"updated": 1})


def test_totals_that_xero_calculates_differently_are_a_difference(wiring: Wiring):
    wiring.write(SETTING)
    run = wiring.write(sale(total="247.01"))
    assert logged(run) == ["invoices id=7 differs in Xero: Total: expected 247.01, got 247.00"]
    run = wiring.write(sale(reference="Order 8", total="246.996"))
    assert logged(run) == []


def test_what_xero_rounds_and_fills_in_is_no_difference(wiring: Wiring):
    third = {
        "description": "A third",
        "quantity": "0.333333",
        "unit_amount": "99.99996",
        "account_code": "200",
    }
    bare = {"description": "Words alone"}
    settings = [*SETTING, schema("currencies", "Code"), record("currencies", Code="USD")]
    wiring.write(settings)
    run = wiring.write(
        sale(line_items=[third, bare], sub_total=None, total_tax=None, total=None, currency_code="USD")
    )
    assert logged(run) == []
    assert wiring.records("Invoices")[0]["CurrencyRate"] != 1


def test_a_price_whose_rounding_changes_the_amount_is_a_difference(wiring: Wiring):
    wiring.write(SETTING)
    ads = line("Ads", quantity=8555500, unit_amount="0.000149611361")
    run = wiring.write(sale(line_items=[ads], sub_total=None, total_tax=None, total=None))
    assert logged(run) == [
        "invoices id=7 differs in Xero: LineItems[0].LineAmount: expected 1280.00, got 855.55"
    ]


def test_a_journal_line_that_xero_removes_is_a_difference(wiring: Wiring):
    lines = [
        {"LineAmount": amount, "AccountCode": code} for amount, code in ((5, "477"), (-5, "825"), (0, "999"))
    ]
    run = wiring.write(
        schema("manual_journals", "id"), record("manual_journals", id=1, Narration="Pay", JournalLines=lines)
    )
    assert logged(run) == [
        "manual_journals id=1 differs in Xero: JournalLines: expected 3 lines, got 2 lines"
    ]


def test_the_last_answer_is_compared_if_a_record_takes_several_steps(wiring: Wiring):
    wiring.write(SETTING)
    quote = {
        "contact_name": "Abel",
        "date": "2026-11-05",
        "status": "ACCEPTED",
        "line_items": LINES[1:],
        "total": 41,
    }
    run = wiring.write(schema("quotes", "id"), record("quotes", id=1, **quote))
    assert logged(run) == ["quotes id=1 differs in Xero: Total: expected 41, got 40.00"]
    assert run.count("quotes") == {"created": 1, "different": 1}


def test_a_record_that_is_found_after_a_lost_answer_is_compared(wiring: Wiring):
    wiring.write(SETTING)
    wiring.xero.admin.fault("reset_after", method="PUT", path="Invoices")
    lost = wiring.write(sale(total=250), tries=1)
    assert lost.error is not None
    run = wiring.write(sale(total=250))
    assert [message.partition(" differs ")[2] for message in logged(run)] == [
        "in Xero: Total: expected 250, got 247.00"
    ]
    assert len(wiring.records("Invoices")) == 1


def test_a_dry_run_has_no_answer_to_compare(wiring: Wiring):
    wiring.write(SETTING)
    assert logged(wiring.write(sale(total=250), dry_run=True)) == []


def test_personal_data_is_not_in_the_log(wiring: Wiring, monkeypatch: pytest.MonkeyPatch):
    said = {
        "Name": "Abel",
        "EmailAddress": "abel@example.com",
        "Addresses": [{"AddressType": "STREET", "City": "Ur"}],
    }
    got = {"Name": "Abel", "EmailAddress": "", "Addresses": [{"AddressType": "STREET", "City": "Uz"}]}
    shown = "a text that is not shown"
    assert [str(one) for one in differences(WRITE_SPECS["contacts"], said, got)] == [
        f"EmailAddress: expected {shown}, got nothing",
        f"Addresses[0].City: expected {shown}, got {shown}",
    ]


@pytest.mark.parametrize(
    ("stream", "said", "got", "words"),
    [
        (
            "payments",
            {"Amount": 5, "Account": {"Code": "090"}},
            {"Amount": 5, "Account": {"Code": "090", "AccountID": "a"}},
            [],
        ),
        (
            "payments",
            {"Account": {"Code": "090"}},
            {"Account": {"Code": "091"}},
            ["Account: expected Code 090, got Code 091"],
        ),
        ("payments", {"Date": "2026-11-05"}, {}, ["Date: expected 2026-11-05, got nothing"]),
        ("payments", {"CreditNote": {"CreditNoteID": "A"}}, {"Invoice": {"InvoiceID": "a"}}, []),
        (
            "payments",
            {"Overpayment": {"OverpaymentID": "a"}},
            {"Invoice": {"InvoiceID": "b"}},
            ["Overpayment: expected OverpaymentID a, got OverpaymentID b"],
        ),
        (
            "batch_payments",
            {
                "Payments": [
                    {"Invoice": {"InvoiceID": "a"}, "Amount": 1},
                    {"Invoice": {"InvoiceID": "b"}, "Amount": 2},
                ]
            },
            {
                "Payments": [
                    {"Invoice": {"InvoiceID": "b"}, "Amount": 2.00},
                    {"Invoice": {"InvoiceID": "a"}, "Amount": 3},
                ]
            },
            ["Payments[0].Amount: expected 1, got 3"],
        ),
        ("invoices", {"Status": "AUTHORISED"}, {"Status": "PAID"}, []),
        ("items", {"SalesDetails": {"UnitPrice": 1.23456}}, {"SalesDetails": {"UnitPrice": 1.2346}}, []),
        (
            "items",
            {"SalesDetails": {"UnitPrice": 1.5, "AccountCode": "200"}},
            {"SalesDetails": {"UnitPrice": 1.4}},
            ["SalesDetails.UnitPrice: expected 1.5, got 1.4"],
        ),
        ("accounts", {"BankAccountNumber": "0123-456"}, {"BankAccountNumber": "01-23-456"}, []),
        (
            "repeating_invoices",
            {"Schedule": {"StartDate": "2026-12-01", "Period": 1}},
            {"Schedule": {"StartDate": "/Date(1796169600000+0000)/", "Period": 1}},
            ["Schedule.StartDate: expected 2026-12-01, got 2026-12-02"],
        ),
        (
            "tax_rates",
            {"TaxComponents": [{"Name": "GST", "Rate": 15}]},
            {"TaxComponents": [{"Name": "GST", "Rate": 15.0}]},
            [],
        ),
        (
            "tax_rates",
            {"TaxComponents": [{"Name": "GST", "Rate": 15}]},
            {"TaxComponents": []},
            ["TaxComponents: expected 1 entry, got 0 entries"],
        ),
    ],
)
def test_each_object_is_compared_by_its_own_rules(
    stream: str, said: dict[str, Any], got: dict[str, Any], words: list[str]
):
    assert [str(one) for one in differences(WRITE_SPECS[stream], said, got)] == words
