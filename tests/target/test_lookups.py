"""A number, a name or a key refers to one active record of the right kind."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Wiring, record, schema
from .test_planning import other_log

LINE = {"Description": "Work", "Quantity": 1, "UnitAmount": 100, "AccountCode": "200"}
GIVEN = {"Status": "AUTHORISED", "LineAmountTypes": "NoTax", "LineItems": [LINE], "contact_name": "Abel"}
BANK = record("accounts", id=1, Code="090", Name="Cheque", Type="BANK", BankAccountNumber="1")
START = [schema("accounts", "id"), BANK, schema("contacts", "id"), record("contacts", id=1, Name="Abel")]


def invoice(key: int, kind: str, number: str, **values: Any) -> dict[str, Any]:
    given = {**GIVEN, "DueDate": "2026-12-01", **values}
    return record("invoices", id=key, Type=kind, InvoiceNumber=number, **given)


def credit(key: int, kind: str, number: str, **values: Any) -> dict[str, Any]:
    return record("credit_notes", id=key, Type=kind, CreditNoteNumber=number, **{**GIVEN, **values})


def payment(key: int = 1, **values: Any) -> dict[str, Any]:
    return record("payments", id=key, **{"account_code": "090", "date": "2026-11-05", "amount": 30, **values})


def by_type(wiring: Wiring, path: str = "Invoices", field: str = "AmountPaid") -> dict[str, Any]:
    return {one["Type"]: one[field] for one in wiring.records(path)}


BOTH = [*START, schema("invoices", "id"), invoice(1, "ACCREC", "1001"), invoice(2, "ACCPAY", "1001")]
BOTH_CREDITS = [
    *START,
    schema("credit_notes", "id"),
    credit(1, "ACCRECCREDIT", "C-1"),
    credit(2, "ACCPAYCREDIT", "C-1"),
]


# Kinds


@pytest.mark.parametrize("known", [True, False], ids=["known", "log lost"])
@pytest.mark.parametrize(
    ("says", "paid"),
    [
        ({"invoice_number": "1001", "payment_type": "ACCPAYPAYMENT"}, "ACCPAY"),
        ({"invoice_number": "1001", "payment_type": "accrecpayment"}, "ACCREC"),
        ({"invoice_number": "1001", "invoice_type": "ACCPAY"}, "ACCPAY"),
        ({"Invoice": {"InvoiceNumber": "1001", "Type": "ACCPAY"}}, "ACCPAY"),
        ({"invoice": '{"invoice_number": "1001", "type": "ACCREC"}'}, "ACCREC"),
    ],
)
def test_a_payment_goes_to_the_invoice_of_its_type(
    wiring: Wiring, says: dict[str, Any], paid: str, known: bool
):
    wiring.write(BOTH)
    settings = {} if known else other_log(wiring)
    run = wiring.write(schema("payments", "id"), payment(**says), **settings)
    assert (run.rejected, run.count("payments")) == ([], {"created": 1})
    assert by_type(wiring) == {"ACCREC": 0, "ACCPAY": 0, paid: 30}
    assert wiring.write(schema("payments", "id"), payment(**says), **settings).count("payments") == {
        "unchanged": 1
    }


def test_a_payment_without_a_type_is_a_reject_if_an_invoice_and_a_bill_have_the_number(wiring: Wiring):
    wiring.write(BOTH)
    run = wiring.write(schema("payments", "id"), payment(invoice_number="1001"))
    assert run.count("payments") == {"rejected": 1}
    reason = run.rejected[0][1]
    assert "Invoice: 2 invoices in Xero have the InvoiceNumber '1001'" in reason
    for one in wiring.records("Invoices"):
        assert f"{one['Type']} {one['InvoiceID']} of Abel" in reason
    assert by_type(wiring) == {"ACCREC": 0, "ACCPAY": 0}


def test_a_number_that_one_document_has_needs_no_type(wiring: Wiring):
    wiring.write(*START, schema("invoices", "id"), invoice(1, "ACCPAY", "B-1"), invoice(2, "ACCREC", "S-1"))
    payments = [payment(n, invoice_number=number) for n, number in enumerate(("B-1", "S-1"))]
    assert wiring.write(schema("payments", "id"), *payments).count("payments") == {"created": 2}
    assert by_type(wiring) == {"ACCREC": 30, "ACCPAY": 30}


def test_a_dry_run_finds_an_invoice_that_it_would_have_created(wiring: Wiring):
    run = wiring.write(BOTH[:-1], schema("payments", "id"), payment(invoice_number="1001"), dry_run=True)
    assert run.count("payments") == {"created": 1}


def test_bills_with_one_number_are_distinguished_only_by_their_id(wiring: Wiring):
    wiring.write(*START, schema("invoices", "id"), invoice(1, "ACCPAY", "1001"), invoice(2, "ACCPAY", "1001"))
    says = {"invoice_number": "1001", "payment_type": "ACCPAYPAYMENT"}
    run = wiring.write(schema("payments", "id"), payment(**says))
    assert "2 invoices in Xero have the InvoiceNumber '1001'" in run.rejected[0][1]


@pytest.mark.parametrize(
    ("says", "paid"),
    [
        ({"credit_note_number": "C-1", "payment_type": "APCREDITPAYMENT"}, "ACCPAYCREDIT"),
        ({"credit_note_number": "C-1", "payment_type": "ARCREDITPAYMENT"}, "ACCRECCREDIT"),
        ({"CreditNote": {"CreditNoteNumber": "C-1", "Type": "ACCPAYCREDIT"}}, "ACCPAYCREDIT"),
    ],
)
def test_a_refund_goes_to_the_credit_note_of_its_type(wiring: Wiring, says: dict[str, Any], paid: str):
    wiring.write(BOTH_CREDITS)
    run = wiring.write(schema("payments", "id"), payment(**says))
    assert (run.rejected, run.count("payments")) == ([], {"created": 1})
    left = by_type(wiring, "CreditNotes", "RemainingCredit")
    assert left == {"ACCRECCREDIT": 100, "ACCPAYCREDIT": 100, paid: 70}


def test_a_refund_without_a_type_is_a_reject_if_both_kinds_have_the_number(wiring: Wiring):
    wiring.write(BOTH_CREDITS)
    run = wiring.write(schema("payments", "id"), payment(credit_note_number="C-1"))
    assert "CreditNote: 2 credit_notes in Xero have the CreditNoteNumber 'C-1'" in run.rejected[0][1]


def test_the_payments_of_a_batch_go_to_invoices_of_its_type(wiring: Wiring):
    wiring.write(BOTH)
    batch = {"Account": {"Code": "090"}, "Date": "2026-11-05"}
    paid = [{"Invoice": {"InvoiceNumber": "1001"}, "Amount": 30}]
    run = wiring.write(
        schema("batch_payments", "id"),
        record("batch_payments", id=1, Type="PAYBATCH", Payments=paid, **batch),
    )
    assert (run.rejected, run.count("batch_payments")) == ([], {"created": 1})
    assert by_type(wiring) == {"ACCREC": 0, "ACCPAY": 30}
    paid[0]["Invoice"]["Type"] = "ACCREC"
    run = wiring.write(schema("batch_payments", "id"), record("batch_payments", id=2, Payments=paid, **batch))
    assert run.count("batch_payments") == {"created": 1}
    assert by_type(wiring) == {"ACCREC": 30, "ACCPAY": 30}


@pytest.mark.parametrize("nested", [True, False], ids=["in its record", "as a stream"])
@pytest.mark.parametrize(("kind", "credited"), [("ACCRECCREDIT", "ACCREC"), ("ACCPAYCREDIT", "ACCPAY")])
def test_a_credit_note_is_allocated_to_an_invoice_of_its_own_kind(
    wiring: Wiring, kind: str, credited: str, nested: bool
):
    wiring.write(BOTH)
    given = {"Invoice": {"InvoiceNumber": "1001"}, "Amount": 20, "Date": "2026-11-05"}
    note = credit(1, kind, "C-1", **({"Allocations": [given]} if nested else {}))
    allocation = record("allocations", id=1, CreditNote={"CreditNoteNumber": "C-1"}, **given)
    parts = [] if nested else [schema("allocations", "id"), allocation]
    run = wiring.write(schema("credit_notes", "id"), note, *parts)
    assert (run.rejected, run.count("allocations")) == ([], {"created": 1})
    assert by_type(wiring, field="AmountCredited") == {"ACCREC": 0, "ACCPAY": 0, credited: 20}


def test_a_note_on_a_number_that_two_documents_have_needs_the_type(wiring: Wiring):
    wiring.write(BOTH)
    notes = [
        record("history_notes", id=1, invoice_number="1001", details="Which?"),
        record("history_notes", id=2, invoice_number="1001", invoice_type="ACCPAY", details="This"),
    ]
    run = wiring.write(schema("history_notes", "id"), *notes)
    assert run.count("history_notes") == {"created": 1, "rejected": 1}
    assert "2 invoices in Xero have the InvoiceNumber '1001'" in run.rejected[0][1]
    notes_of = {
        one["Type"]: wiring.notes(f"Invoices/{one['InvoiceID']}") for one in wiring.records("Invoices")
    }
    assert notes_of == {"ACCREC": [], "ACCPAY": ["This"]}


def test_the_type_of_a_payment_is_not_part_of_its_content(wiring: Wiring):
    wiring.write(BOTH[:-1])
    (sale,) = wiring.records("Invoices")
    by_id = {"Invoice": {"InvoiceID": sale["InvoiceID"], "InvoiceNumber": "1001"}}
    wiring.write(schema("payments", "id"), payment(**by_id))
    by_id["Invoice"]["Type"] = "ACCREC"
    assert wiring.write(schema("payments", "id"), payment(**by_id)).count("payments") == {"unchanged": 1}


# In force


def ended(wiring: Wiring, number: str, kind: str) -> None:
    """Somebody voids a document in Xero."""
    (one,) = [i for i in wiring.records("Invoices") if (i["InvoiceNumber"], i["Type"]) == (number, kind)]
    wiring.xero.admin.edit("Invoices", one["InvoiceID"], wiring.tenant, Status="VOIDED")


def test_a_voided_document_is_ignored_when_its_number_is_looked_up(wiring: Wiring):
    wiring.write(BOTH)
    ended(wiring, "1001", "ACCREC")
    run = wiring.write(schema("payments", "id"), payment(invoice_number="1001"))
    assert (run.rejected, run.count("payments")) == ([], {"created": 1})
    assert by_type(wiring)["ACCPAY"] == 30


def test_a_payment_of_a_voided_document_is_a_reject_with_that_reason(wiring: Wiring):
    wiring.write(BOTH[:-1])
    ended(wiring, "1001", "ACCREC")
    run = wiring.write(schema("payments", "id"), payment(invoice_number="1001"), **other_log(wiring))
    assert (
        "Xero has no active record of invoices with the InvoiceNumber '1001', only one with the status VOIDED"
        in run.rejected[0][1]
    )


@pytest.mark.parametrize(
    ("stream", "number", "path", "make"),
    [
        ("invoices", "InvoiceNumber", "Invoices", lambda n: invoice(n, "ACCREC", "N-1")),
        ("credit_notes", "CreditNoteNumber", "CreditNotes", lambda n: credit(n, "ACCRECCREDIT", "N-1")),
        (
            "purchase_orders",
            "PurchaseOrderNumber",
            "PurchaseOrders",
            lambda n: record(
                "purchase_orders", id=n, contact_name="Abel", LineItems=[LINE], PurchaseOrderNumber="N-1"
            ),
        ),
        (
            "quotes",
            "QuoteNumber",
            "Quotes",
            lambda n: record(
                "quotes", id=n, contact_name="Abel", Date="2026-11-05", LineItems=[LINE], QuoteNumber="N-1"
            ),
        ),
    ],
)
@pytest.mark.parametrize("status", ["VOIDED", "DELETED"])
def test_a_document_that_is_voided_or_deleted_is_never_adopted(
    wiring: Wiring, stream: str, number: str, path: str, make: Any, status: str
):
    wiring.write(START, schema(stream, "id"), make(1))
    (one,) = wiring.records(path)
    key = next(name for name in one if name == f"{path[:-1]}ID")
    wiring.xero.admin.edit(path, one[key], wiring.tenant, Status=status)
    run = wiring.write(schema(stream, "id"), make(1), **other_log(wiring))
    # Whether the number is free again is for Xero to say; it is never the old document.
    assert not run.count(stream).keys() & {"unchanged", "updated"}
    assert [r["Status"] for r in wiring.records(path) if r[key] == one[key]] == [status]
    for _, reason in run.rejected:
        assert f"a record with the status {status} has the {number} N-1 in Xero" in reason


def test_a_deleted_tax_rate_is_neither_adopted_nor_found_by_its_name(wiring: Wiring):
    rate = {"ReportTaxType": "OUTPUT", "TaxComponents": [{"Name": "Luxury", "Rate": 20}]}
    wiring.write(schema("tax_rates", "id"), record("tax_rates", id=1, Name="Luxury tax", **rate))
    wiring.write(
        schema("tax_rates", "id"),
        record("tax_rates", id=1, Name="Luxury tax", Status="DELETED"),
        deletes=True,
    )
    lost = other_log(wiring)
    taxed = invoice(
        1, "ACCREC", "I-1", LineAmountTypes="Exclusive", LineItems=[{**LINE, "TaxType": "luxury tax"}]
    )
    run = wiring.write(START, schema("invoices", "id"), taxed, **lost)
    assert "no tax rate in Xero has the code or name 'luxury tax'" in run.rejected[0][1]


# Names and codes in capitals, with blanks around them


def test_names_are_looked_up_regardless_of_case_and_surrounding_blanks(wiring: Wiring):
    wiring.write(
        START,
        schema("accounts", "id"),
        record("accounts", id=2, Code="471", Name="KAYAKS", Type="EXPENSE"),
        record("accounts", id=3, Code="R-1", Name="Repairs", Type="EXPENSE"),
        schema("tax_rates", "id"),
        record(
            "tax_rates", id=1, Name="GST", ReportTaxType="INPUT", TaxComponents=[{"Name": "GST", "Rate": 15}]
        ),
        schema("tracking_categories", "id"),
        record("tracking_categories", id=1, Name="Region", Options=[{"Name": "North"}]),
        schema("items", "id"),
        record("items", id=1, Code="TENT"),
    )
    (gst,) = [r["TaxType"] for r in wiring.records("TaxRates") if r["Name"] == "GST"]
    cases: list[tuple[dict[str, Any], tuple[str, str]]] = [
        ({"AccountCode": "KAYAKS", "TaxType": "GST"}, ("471", gst)),
        ({"AccountCode": " 471 ", "TaxType": " gst "}, ("471", gst)),
        ({"AccountCode": "kayaks ", "TaxType": "Gst"}, ("471", gst)),
        ({"AccountCode": "r-1 ", "TaxType": gst.lower()}, ("R-1", gst)),
        ({"AccountCode": "REPAIRS", "TaxType": f"{gst} "}, ("R-1", gst)),
    ]
    lines = [{**LINE, **given, "Tracking": [{"Name": " REGION", "Option": "north "}]} for given, _ in cases]
    lines[0]["ItemCode"] = " TENT "
    bill = invoice(1, "ACCPAY", "B-1", contact_name=" ABEL ", LineAmountTypes="Exclusive", LineItems=lines)
    run = wiring.write(schema("invoices", "id"), bill)
    assert (run.rejected, run.count("invoices")) == ([], {"created": 1})
    written = wiring.records("Invoices")[0]["LineItems"]
    assert [(line["AccountCode"], line["TaxType"]) for line in written] == [expected for _, expected in cases]
    assert all((t["Name"], t["Option"]) == ("Region", "North") for line in written for t in line["Tracking"])
    assert written[0]["ItemCode"] == "TENT"


@pytest.mark.parametrize("account", [" 090 ", "CHEQUE", " cheque"])
def test_a_bank_account_is_found_by_its_code_or_name(wiring: Wiring, account: str):
    spent = record(
        "bank_transactions",
        id=1,
        Type="SPEND",
        contact_name="Abel ",
        bank_account_code=account,
        LineItems=[LINE],
    )
    run = wiring.write(START, schema("bank_transactions", "id"), spent)
    assert (run.rejected, run.count("bank_transactions")) == ([], {"created": 1})
    assert wiring.records("BankTransactions")[0]["BankAccount"]["Code"] == "090"


def test_numbers_with_blanks_around_them_are_found(wiring: Wiring):
    wiring.write(BOTH[:-1])
    run = wiring.write(schema("payments", "id"), payment(invoice_number=" 1001 "), **other_log(wiring))
    assert (run.rejected, run.count("payments")) == ([], {"created": 1})


def test_codes_are_sent_unchanged_if_the_token_may_not_read_the_lists(wiring: Wiring):
    wiring.write(START)
    wiring.xero.admin.fault(
        "status", method="GET", path="TaxRates", status=401, body="AuthorizationUnsuccessful", count=0
    )
    sale = invoice(
        1, "ACCREC", "I-1", LineAmountTypes="Exclusive", LineItems=[{**LINE, "TaxType": "ZERORATED"}]
    )
    run = wiring.write(schema("invoices", "id"), sale)
    assert run.count("invoices").keys() <= {"created", "rejected"}


# The source's own keys


def test_a_customer_is_found_by_the_source_s_own_id(wiring: Wiring):
    people = [schema("customers", "id"), *(record("customers", id=n, Name=f"Person {n}") for n in (17, 18))]
    people[0]["schema"]["properties"] = {"id": {"type": "integer"}, "Name": {"type": "string"}}
    maps = {"customers": {"__alias__": "contacts", "id": "id", "Name": "Name"}}
    orders = [
        schema("invoices", "id"),
        record("invoices", id=1, Type="ACCREC", contact_id=17, LineItems=[LINE]),
        record("invoices", id=2, Type="ACCREC", contact_id="18", LineItems=[LINE]),
        record("invoices", id=3, Type="ACCREC", Contact={"ContactID": 17.0}, LineItems=[LINE]),
        record("invoices", id=4, Type="ACCREC", contact_id=19, LineItems=[LINE]),
        record("invoices", id=5, Type="ACCREC", contact_id=19, contact_name="Person 18", LineItems=[LINE]),
    ]
    run = wiring.write(people, orders, stream_maps=maps, source="shop")
    assert run.count("invoices") == {"created": 4, "rejected": 1}
    assert "no record of contacts with the source's key '19' was written" in run.rejected[0][1]
    named = sorted(i["Contact"]["Name"] for i in wiring.records("Invoices"))
    assert named == ["Person 17", "Person 17", "Person 18", "Person 18"]
    later = record("invoices", id=6, Type="ACCREC", contact_id=17, LineItems=[LINE])
    assert wiring.write(schema("invoices", "id"), later, source="shop").count("invoices") == {"created": 1}
    other = record("invoices", id=7, Type="ACCREC", contact_id=17, LineItems=[LINE])
    assert wiring.write(schema("invoices", "id"), other, source="till").count("invoices") == {"rejected": 1}


def test_an_id_of_two_streams_is_ambiguous(wiring: Wiring):
    streams = [
        schema("public-contacts", "id"),
        record("public-contacts", id=1, Name="Abel"),
        schema("other-contacts", "id"),
        record("other-contacts", id=1, Name="Bert"),
    ]
    order = record("invoices", id=1, Type="ACCREC", contact_id=1, LineItems=[LINE])
    run = wiring.write(streams, schema("invoices", "id"), order)
    assert run.count("invoices") == {"rejected": 1}
    assert "'1' is the key of other-contacts id=1 and public-contacts id=1" in run.rejected[0][1]


def test_invoices_accounts_and_members_are_found_by_the_source_s_own_ids(wiring: Wiring):
    run = wiring.write(
        BOTH[:-1],
        schema("payments", "id"),
        payment(invoice_id=1, account_code=None, account_id=1),
        schema("contact_groups", "id"),
        record("contact_groups", id=1, Name="Friends", Contacts=[{"ContactID": 1}]),
    )
    assert run.rejected == []
    assert by_type(wiring) == {"ACCREC": 30}
    assert [c["Name"] for c in wiring.records("ContactGroups")[0]["Contacts"]] == ["Abel"]


# The end of what was not written from here


def test_an_invoice_that_target_xero_did_not_write_is_voided_by_its_number(wiring: Wiring):
    wiring.write(BOTH[:-1], invoice(2, "ACCPAY", "B-1"))
    lost = other_log(wiring)
    ends = [record("invoices", InvoiceNumber=number, Status="VOIDED") for number in ("1001", "B-1", "X-1")]
    run = wiring.write(schema("invoices", "InvoiceNumber"), ends, deletes=True, **lost)
    assert (run.rejected, run.count("invoices")) == ([], {"removed": 2, "skipped": 1})
    assert by_type(wiring, field="Status") == {"ACCREC": "VOIDED", "ACCPAY": "VOIDED"}


def test_a_number_of_an_invoice_and_a_bill_voids_neither(wiring: Wiring):
    wiring.write(BOTH)
    lost = other_log(wiring)
    run = wiring.write(
        schema("invoices", "id"),
        record("invoices", id=9, InvoiceNumber="1001", Status="VOIDED"),
        deletes=True,
        **lost,
    )
    assert "2 invoices in Xero have the InvoiceNumber '1001'" in run.rejected[0][1]
    assert by_type(wiring, field="Status") == {"ACCREC": "AUTHORISED", "ACCPAY": "AUTHORISED"}
    bill = record(
        "invoices", id=9, Type="ACCPAY", InvoiceNumber="1001", _sdc_deleted_at="2026-11-20T00:00:00Z"
    )
    run = wiring.write(schema("invoices", "id"), bill, deletes=True, **lost)
    assert run.count("invoices") == {"removed": 1}
    assert by_type(wiring, field="Status") == {"ACCREC": "AUTHORISED", "ACCPAY": "VOIDED"}


def test_the_contact_decides_which_of_two_bills_with_one_number_ends(wiring: Wiring):
    bert = record("contacts", id=2, Name="Bert")
    bills = [invoice(1, "ACCPAY", "1001"), invoice(2, "ACCPAY", "1001", contact_name="Bert")]
    wiring.write(START, bert, schema("invoices", "id"), *bills)
    gone = record("invoices", id=9, Type="ACCPAY", InvoiceNumber="1001", contact_name="Bert", Status="VOIDED")
    run = wiring.write(schema("invoices", "id"), gone, deletes=True, **other_log(wiring))
    assert (run.rejected, run.count("invoices")) == ([], {"removed": 1})
    assert {i["Contact"]["Name"]: i["Status"] for i in wiring.records("Invoices")} == {
        "Abel": "AUTHORISED",
        "Bert": "VOIDED",
    }
