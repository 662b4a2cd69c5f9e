"""The forms in which sources write values are understood or reported; no part is lost or read in part."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_xero.content.values import number, without_noise
from target_xero.write_specs.rows import WRITE_SPECS, parser_of

from .conftest import Wiring, record, schema

ABEL = [schema("contacts", "id"), record("contacts", id=1, Name="Abel")]
LINE = {"Description": "Hull", "Quantity": 1, "UnitAmount": 10, "AccountCode": "200"}
REGIONS = [
    schema("tracking_categories", "id"),
    record("tracking_categories", id=1, Name="Region", Options=[{"Name": "Eastside"}, {"Name": "Westside"}]),
    record("tracking_categories", id=2, Name="Cost Centre", Options=[{"Name": "Shop"}]),
]


def sale(key: int, **values: Any) -> dict[str, Any]:
    given = {"Type": "ACCREC", "contact_name": "Abel", "DueDate": "2026-12-01", "LineItems": [LINE], **values}
    return record("invoices", id=key, **given)


def tracked(value: Any) -> dict[str, Any]:
    return sale(1, LineItems=[{**LINE, "tracking": value}])


# Tracking


@pytest.mark.parametrize(
    "value",
    [
        [{"Name": "Region", "Option": "Eastside"}],
        [{"tracking_category_name": "Region", "tracking_option_name": "Eastside"}],
        [{"TrackingCategory": {"Name": "Region", "Option": "Eastside"}}],
        [{"TrackingCategory": {"Name": "Region"}, "TrackingOption": {"Name": "Eastside"}}],
        [{"tracking_category": "Region", "tracking_option": "Eastside"}],
        [{"category": "region", "option": "EASTSIDE"}],
        [{"Name": "Region", "Options": [{"Name": "Eastside"}]}],
        {"Region": "Eastside"},
        [{"region": "Eastside"}],
        {"name": "Region", "option": "Eastside"},
        '{"Region": "Eastside"}',
        '[{"tracking_category_name": "Region", "tracking_option_name": "Eastside"}]',
    ],
)
def test_tracking_is_understood_in_every_form(wiring: Wiring, value: Any):
    run = wiring.write(REGIONS, ABEL, schema("invoices", "id"), tracked(value))
    assert run.rejected == []
    (invoice,) = wiring.records("Invoices")
    (line,) = invoice["LineItems"]
    assert [(one["Name"], one["Option"]) for one in line["Tracking"]] == [("Region", "Eastside")]
    assert not run.logged("no field")


@pytest.mark.parametrize(
    "value",
    [{"Region": "Westside", "cost_centre": "Shop"}, [{"Region": "Westside"}, {"Cost Centre": "Shop"}]],
)
def test_one_object_may_contain_two_categories(wiring: Wiring, value: Any):
    run = wiring.write(REGIONS, ABEL, schema("invoices", "id"), tracked(value))
    assert run.rejected == []
    (invoice,) = wiring.records("Invoices")
    tracking = invoice["LineItems"][0]["Tracking"]
    assert [(t["Name"], t["Option"]) for t in tracking] == [("Region", "Westside"), ("Cost Centre", "Shop")]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"Colour": "Red"}, "LineItems[0].Tracking: Xero has no tracking category 'Colour'"),
        ([{"Name": "Region"}], "LineItems[0].Tracking[0]: the category has no option"),
        ([{"Option": "Eastside"}], "LineItems[0].Tracking[0]: the option has no category"),
        (["Eastside"], "LineItems[0].Tracking[0]: expected an object or a list, or its JSON text, got 'Eastside'"),
        ([5], "LineItems[0].Tracking[0]: expected a tracking category and its option, got 5"),
    ],
)  # fmt: skip
def test_tracking_that_is_not_understood_is_a_reject(wiring: Wiring, value: Any, words: str):
    run = wiring.write(REGIONS, ABEL, schema("invoices", "id"), tracked(value), sale(2))
    assert run.rejected == [("invoices", words)]
    assert len(wiring.records("Invoices")) == 1


@pytest.mark.parametrize(
    "value", ["", " ", None, [], {}, [{}], [{"Name": "Region", "Option": ""}], {"Region": ""}, [None]]
)
def test_blank_tracking_is_ignored(wiring: Wiring, value: Any):
    run = wiring.write(REGIONS, ABEL, schema("invoices", "id"), tracked(value))
    assert run.rejected == []
    assert wiring.records("Invoices")[0]["LineItems"][0]["Tracking"] == []


def test_the_default_tracking_of_a_contact_is_understood_in_every_form(wiring: Wiring):
    abel = record("contacts", id=1, Name="Abel", SalesTrackingCategories={"Region": "Eastside"})
    assert wiring.write(REGIONS, ABEL[0], abel).rejected == []
    (contact,) = wiring.records("Contacts")
    assert contact["SalesTrackingCategories"] == [
        {"TrackingCategoryName": "Region", "TrackingOptionName": "Eastside"}
    ]


# Columns for what is nested


def test_columns_that_the_sdk_flattened_are_nested_again(wiring: Wiring):
    run = wiring.write(
        schema("items", "id"),
        record(
            "items",
            id=1,
            code="TENT",
            sales_details__unit_price="12.50",
            sales_details__account_code="200",
            PurchaseDetails__UnitPrice=7,
        ),
        schema("contacts", "id"),
        record(
            "contacts", id=1, Name="Abel", payment_terms__sales__day=20, PaymentTerms__Sales__Type="OFCURRENTMONTH"
        ),
        schema("invoices", "id"),
        record("invoices", id=1, Type="ACCREC", contact__name="Abel", LineItems=[LINE]),
    )  # fmt: skip
    assert run.rejected == []
    (item,) = wiring.records("Items")
    assert item["SalesDetails"]["UnitPrice"] == 12.5
    assert item["SalesDetails"]["AccountCode"] == "200"
    assert item["PurchaseDetails"]["UnitPrice"] == 7
    assert wiring.records("Contacts")[0]["PaymentTerms"]["Sales"] == {"Day": 20, "Type": "OFCURRENTMONTH"}
    assert wiring.records("Invoices")[0]["Contact"]["Name"] == "Abel"
    assert not run.logged("no field")


def test_a_payment_of_a_batch_names_its_invoice_by_number(wiring: Wiring):
    bank = record("accounts", id=1, Code="090", Name="Cheque", Type="BANK", BankAccountNumber="1")
    payments = [{"invoice_number": "I-1", "amount": 4}, {"invoice__invoice_number": "I-2", "amount": 6}]
    batch = record("batch_payments", id=1, account_code="090", Date="2026-11-05", payments=payments)
    run = wiring.write(
        schema("accounts", "id"),
        bank,
        ABEL,
        schema("invoices", "id"),
        [sale(n, InvoiceNumber=f"I-{n}", Status="AUTHORISED") for n in (1, 2)],
        schema("batch_payments", "id"),
        batch,
    )
    assert run.rejected == []
    assert sorted(i["AmountPaid"] for i in wiring.records("Invoices")) == [4, 6]


@pytest.mark.parametrize("name", WRITE_SPECS)
def test_every_nested_field_has_a_flat_column(name: str):
    form = parser_of(WRITE_SPECS[name])
    for outer, inner in form.inner.items():
        if form.wanted[outer].kind != "one":
            continue
        for field, word in inner.wanted.items():
            if word.kind == "text":
                content = form.take({f"{outer}__{field}": "x"})
                assert content.sent[outer] == {field: "x"}


# What is dropped


def test_unknown_names_in_a_reference_are_logged_once(wiring: Wiring):
    contact = {"Name": "Abel", "Shoe": 44, "Phones": [{"PhoneNumber": "1"}], "ContactStatus": "ACTIVE"}
    run = wiring.write(ABEL, schema("invoices", "id"), [sale(n, Contact=contact) for n in range(3)])
    assert run.rejected == []
    assert [m for m in run.messages if "Shoe" in m] == [
        "invoices: Contact.Shoe ignored (no field of Xero's invoices)."
    ]
    assert not run.logged("Phones")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"LineItems": [LINE, {"Text": "Mast", "Price": 20}]},
            "LineItems[1]: none of its fields is known or can be written: Text, Price",
        ),
        (
            {"Contact": {"Client": "Abel"}, "contact_name": None},
            "Contact: none of its fields is known or can be written: Client",
        ),
        (
            {"Contact": {"FirstName": "Abel"}, "contact_name": None},
            "Contact: none of its fields is known or can be written: FirstName",
        ),
    ],
)
def test_a_part_without_any_known_field_is_a_reject(wiring: Wiring, values: dict[str, Any], words: str):
    run = wiring.write(ABEL, schema("invoices", "id"), sale(1, **values), sale(2))
    assert run.rejected == [("invoices", words)]
    assert len(wiring.records("Invoices")) == 1


# Numbers


def journal(*amounts: Any, code: Any = "200") -> dict[str, Any]:
    lines = [{"LineAmount": amount, "AccountCode": code} for amount in amounts]
    return record("manual_journals", id=1, Narration="Pay", JournalLines=lines)


@pytest.mark.parametrize(
    "amounts",
    [
        (0.1 + 0.2, -0.3),
        (str(0.1 + 0.2), "-0.3"),
        (sum([0.1] * 1000), -100),
        (1000000.1 + 0.2, -1000000.3),
        (Decimal("12.500000000000000000"), -12.5),
    ],
)
def test_a_journal_balances_in_spite_of_float_noise(wiring: Wiring, amounts: tuple[Any, ...]):
    assert wiring.write(schema("manual_journals", "id"), journal(*amounts)).rejected == []
    (written,) = wiring.records("ManualJournals")
    assert sum(line["LineAmount"] for line in written["JournalLines"]) == 0


@given(
    st.decimals(min_value=-(10**9), max_value=10**9, places=4),
    st.decimals(min_value=-(10**9), max_value=10**9, places=4),
)
def test_the_sum_of_two_floats_has_no_noise(one: Decimal, other: Decimal):
    assert number(float(one) + float(other)) == one + other


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=6), st.integers(1, 14))
def test_a_number_of_few_digits_is_unchanged(value: Decimal, digits: int):
    short = Decimal(f"{value:.{digits}e}")
    assert without_noise(short) == short


@pytest.mark.parametrize(
    "exact", ["0.000149611361", "0.1234567890123456", "33.333333333333336", "1234567890123456.78"]
)
def test_a_number_without_noise_keeps_its_digits(exact: str):
    assert number(Decimal(exact)) == Decimal(exact)


@pytest.mark.parametrize("code", [200, 200.0, "200", "200.0", "200.00"])
def test_an_account_code_may_be_a_number(wiring: Wiring, code: Any):
    run = wiring.write(ABEL, schema("invoices", "id"), sale(1, LineItems=[{**LINE, "AccountCode": code}]))
    assert run.rejected == []
    assert wiring.records("Invoices")[0]["LineItems"][0]["AccountCode"] == "200"


def test_an_account_with_a_decimal_code_is_found_by_it(wiring: Wiring):
    accounts = [record("accounts", id=1, Code="200.0", Name="Odd", Type="REVENUE")]
    run = wiring.write(
        schema("accounts", "id"), accounts, ABEL, schema("invoices", "id"),
        sale(1, LineItems=[{**LINE, "AccountCode": "200.0"}]),
    )  # fmt: skip
    assert run.rejected == []
    assert wiring.records("Invoices")[0]["LineItems"][0]["AccountCode"] == "200.0"


def test_an_identifier_may_be_a_float(wiring: Wiring):
    bank = record("accounts", id=1, Code=90.0, Name="Cheque", Type="BANK", BankAccountNumber=1.0)
    paid = record(
        "payments", id=1, invoice_number=1001.0, account_code="90.0", Date="2026-11-05", Amount=10.0
    )
    run = wiring.write(
        schema("accounts", "id"),
        bank,
        ABEL,
        schema("invoices", "id"),
        sale(1, InvoiceNumber=1001.0, Status="AUTHORISED", Reference=1.50),
        schema("payments", "id"),
        paid,
    )
    assert run.rejected == []
    (invoice,) = wiring.records("Invoices")
    assert (invoice["InvoiceNumber"], invoice["Reference"], invoice["AmountPaid"]) == ("1001", "1.5", 10)


# Blank texts


def test_a_blank_text_is_ignored_in_every_field_of_every_object():
    for name, row in WRITE_SPECS.items():
        for field in row.fields:
            for blank in ("", " ", "\t\n"):
                content = parser_of(row).take({field: blank})
                assert (content.sent, content.aside, content.problems) == ({}, {}, []), f"{name}.{field}"


@pytest.mark.parametrize("blank", ["", "  "])
def test_a_blank_text_is_ignored_in_nested_fields(blank: str):
    for row in WRITE_SPECS.values():
        form = parser_of(row)
        for field, inner in form.inner.items():
            content = form.take({field: dict.fromkeys(inner.wanted, blank)})
            assert (content.sent, content.aside, content.problems) == ({}, {}, [])


def test_a_blank_text_clears_nothing_in_a_record_that_was_found_by_name(wiring: Wiring):
    full = {"Name": "Abel", "EmailAddress": "abel@example.com", "AccountNumber": "A-1", "FirstName": "A"}
    wiring.write(ABEL[0], record("contacts", id=1, **full))
    wiring.xero.admin.advance(600)
    run = wiring.write(
        ABEL[0],
        record(
            "contacts", id="x", Name="Abel", EmailAddress="", AccountNumber=" ", FirstName="Abel",
            payment_terms="", Phones="", SalesDefaultAccountCode="", contact_persons=" ",
        ),
        write_log_path=str(wiring.folder / "other.db"),
    )  # fmt: skip
    assert run.count("contacts") == {"updated": 1}
    (contact,) = wiring.records("Contacts")
    assert {name: contact[name] for name in full} == {**full, "FirstName": "Abel"}


def test_blank_references_lines_and_prices_do_not_reject_a_record(wiring: Wiring):
    line = {**LINE, "ItemCode": "", "Tracking": "", "TaxType": " ", "account": "", "DiscountRate": ""}
    run = wiring.write(
        ABEL,
        schema("invoices", "id"),
        sale(1, url="", reference="", branding_theme_id="", CurrencyCode=" ", LineItems=[line]),
        schema("items", "id"),
        record("items", id=1, Code="TENT", purchase_details="", sales_details=" "),
    )
    assert run.rejected == []
    assert run.count("invoices") == {"created": 1}
