"""A record of the source becomes content for Xero."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from target_xero.content.json_text import hashed
from target_xero.write_specs.not_written import why_not
from target_xero.write_specs.rows import WRITE_SPECS, parser_of, spec_of


def sent(stream: str, **record: object) -> dict[str, object]:
    content = parser_of(WRITE_SPECS[stream]).take(record)
    assert content.problems == []
    return content.sent


def problem(stream: str, **record: object) -> str:
    (found,) = parser_of(WRITE_SPECS[stream]).take(record).problems
    return str(found)


@pytest.mark.parametrize("name", ["LineItems", "line_items", "lineItems", "LINE_ITEMS"])
def test_names_are_understood_in_any_case(name: str):
    lines = '[{"quantity": "2", "unit_amount": "1.50", "account_code": 200}]'
    assert sent("invoices", **{name: lines}) == {
        "LineItems": [{"Quantity": 2, "UnitAmount": Decimal("1.5"), "AccountCode": "200"}]
    }


def test_numbers_dates_and_flags_may_be_text():
    assert sent(
        "payments", Amount="1,234".replace(",", ""), date="2026-11-05T00:00:00Z", IsReconciled="true"
    ) == {"Amount": 1234, "Date": "2026-11-05", "IsReconciled": True}
    assert sent("payments", Date="/Date(1793577600000+0000)/")["Date"] == "2026-11-02"
    assert sent("payments", Date=date(1969, 12, 31))["Date"] == "1969-12-31"


def test_nulls_empty_lists_and_empty_ids_are_ignored():
    empty = {"ContactID": "00000000-0000-0000-0000-000000000000", "Name": None}
    assert (
        sent("invoices", Reference=None, LineItems=[], Contact=empty, DueDate="", BrandingThemeID=" ") == {}
    )


def test_calculated_fields_and_fields_of_answers_are_never_sent():
    assert (
        sent(
            "invoices",
            tenant_id="t",
            _sdc_extracted_at="now",
            _rejected_reason="because",
            Total=1,
            AmountDue=1,
            HasErrors=False,
            SentToContact=True,
            UpdatedDateUTC="2026-11-05T00:00:00Z",
            Payments=[{"PaymentID": "x"}],
        )
        == {}
    )


@pytest.mark.parametrize(
    "line",
    [
        {"Quantity": 2, "UnitAmount": 50, "LineAmount": "100.004"},
        {"UnitAmount": 50, "LineAmount": 50},
        {"Quantity": 3, "UnitAmount": "33.33333", "LineAmount": 100},
        {"Quantity": 2, "UnitAmount": 50, "DiscountRate": 10, "LineAmount": 90},
        {"Quantity": 2, "UnitAmount": 50, "DiscountAmount": 12.5, "LineAmount": "87.50"},
        {"Quantity": -1, "UnitAmount": "0.005", "LineAmount": "-0.01"},
    ],
)
def test_a_line_amount_that_xero_calculates_is_omitted(line: dict[str, object]):
    (found,) = sent("invoices", LineItems=[line])["LineItems"]  # type: ignore[misc]
    assert found.keys() == line.keys() - {"LineAmount"}


@pytest.mark.parametrize(
    "line",
    [
        {"Quantity": 2, "LineAmount": 5},
        {"UnitAmount": 25, "LineAmount": 100},
        {"Quantity": 2, "UnitAmount": 50, "LineAmount": 90},
        {"Quantity": 8555500, "UnitAmount": "0.000149611361", "LineAmount": 1280},
        {"Quantity": 2, "UnitAmount": 50, "DiscountRate": 10, "LineAmount": 100},
        {"Quantity": 10**20, "UnitAmount": 10**20, "LineAmount": 1},
    ],
)
@pytest.mark.parametrize("stream", ["invoices", "quotes", "bank_transactions", "repeating_invoices"])
def test_any_other_line_amount_is_sent_so_that_xero_compares_it(stream: str, line: dict[str, object]):
    (found,) = sent(stream, LineItems=[line])["LineItems"]  # type: ignore[misc]
    assert found["LineAmount"] == line["LineAmount"]


def test_a_day_may_be_given_as_its_string_field():
    texts = {
        "DateString": "2026-11-05T00:00:00",
        "due_date_string": "2026-12-05",
        "UpdatedDateUTCString": "x",
    }
    assert sent("invoices", **texts) == {"Date": "2026-11-05", "DueDate": "2026-12-05"}
    assert sent("quotes", ExpiryDateString="2026-12-05") == {"ExpiryDate": "2026-12-05"}
    schedule = {"Period": 1, "StartDateString": "2026-12-05T00:00:00"}
    assert sent("repeating_invoices", Schedule=schedule)["Schedule"] == {
        "Period": 1,
        "StartDate": "2026-12-05",
    }
    assert sent("payments", Date="2026-11-05", DateString="2026-11-05T00:00:00") == {"Date": "2026-11-05"}


def test_a_day_that_differs_from_its_string_field_is_a_reject():
    words = "DateString: it is 2026-11-06, but Date is 2026-11-05"
    assert problem("invoices", DateString="2026-11-06", Date="2026-11-05") == words
    schedule = {"StartDateString": "2026-12-06", "StartDate": "2026-12-05"}
    words = "Schedule.StartDateString: it is 2026-12-06, but StartDate is 2026-12-05"
    assert problem("repeating_invoices", Schedule=schedule) == words


def test_a_reference_contains_only_the_fields_that_identify_a_record():
    contact = {
        "ContactID": "6A40B05B-D926-5F37-A9B6-C937434088C3",
        "Name": "Abel",
        "Phones": [{"PhoneNumber": "1"}],
    }
    assert sent("invoices", Contact=contact) == {
        "Contact": {"ContactID": "6a40b05b-d926-5f37-a9b6-c937434088c3", "Name": "Abel"}
    }


def test_flat_columns_can_refer_to_other_records():
    assert sent("invoices", contact_name="Abel", InvoiceNumber="I-1") == {
        "Contact": {"Name": "Abel"},
        "InvoiceNumber": "I-1",
    }
    assert sent("payments", invoice_number="I-1", account_code="090") == {
        "InvoiceNumber": "I-1",
        "Account": {"Code": "090"},
    }
    assert sent("bank_transfers", from_bank_account_code="090") == {"FromBankAccount": {"Code": "090"}}


def test_unknown_names_are_collected_with_their_path():
    form = parser_of(WRITE_SPECS["invoices"])
    form.take({"Colour": "red", "LineItems": [{"Colour": "blue"}], "id": 1}, frozenset({"id"}))
    assert form.unknown == {"Colour", "LineItems[].Colour"}


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"DueDate": "at once"}, "DueDate: expected a date such as 2026-12-31, got 'at once'"),
        ({"InvoiceID": "I-1"}, "InvoiceID: expected a GUID, got 'I-1'"),
        (
            {"LineItems": [{}, {"Quantity": "two"}]},
            "LineItems[1].Quantity: expected a number such as 1234.50, got 'two'",
        ),
        ({"LineItems": [{"Quantity": True}]}, "LineItems[0].Quantity: expected a number, got True"),
        (
            {"LineItems": "two lines"},
            "LineItems[0]: expected an object or a list, or its JSON text, got 'two lines'",
        ),
        ({"Contact": "{Name"}, "Contact: expected an object or a list, or its JSON text, got '{Name'"),
        ({"Reference": {"a": 1}}, "Reference: expected text, got an object"),
        ({"CurrencyRate": "NaN"}, "CurrencyRate: expected a number, got 'NaN'"),
    ],
)
def test_a_wrong_value_is_reported_with_its_path_and_rule(record: dict[str, object], words: str):
    assert problem("invoices", **record) == words


def test_the_same_content_has_the_same_hash_however_it_is_written():
    one = sent("invoices", Type="ACCREC", LineItems=[{"Quantity": "1.0", "UnitAmount": Decimal("2.50")}])
    other = sent("invoices", line_items=[{"unit_amount": "2.5", "quantity": 1}], type="ACCREC")
    assert hashed(one) == hashed(other)
    assert hashed(one) != hashed({**one, "Type": "ACCPAY"})


def test_streams_are_matched_whatever_their_case():
    assert spec_of("BankTransactions") is spec_of("bank_transactions") is WRITE_SPECS["bank_transactions"]
    assert spec_of("deals") is None
    assert why_not("Journals") == "Xero creates journals from documents; write manual_journals"
    assert why_not("deals") is None
