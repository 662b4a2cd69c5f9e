"""Plans for names in use, lines, statuses, quotes, orders and archived contacts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import Wiring, record, schema, state

LINES = [
    {"Description": "Hull", "Quantity": 1, "UnitAmount": 10, "AccountCode": "200"},
    {"Description": "Mast", "Quantity": 2, "UnitAmount": 20, "AccountCode": "200"},
]
ABEL = [schema("contacts", "id"), record("contacts", id=1, Name="Abel")]


def order(key: int, **values: Any) -> dict[str, Any]:
    return record("purchase_orders", id=key, **{"contact_name": "Abel", "LineItems": LINES, **values})


def sale(key: int, **values: Any) -> dict[str, Any]:
    given = {"Type": "ACCREC", "contact_name": "Abel", "LineItems": LINES, "DueDate": "2026-12-01", **values}
    return record("invoices", id=key, **given)


def quote(key: int, **values: Any) -> dict[str, Any]:
    return record(
        "quotes", id=key, **{"contact_name": "Abel", "Date": "2026-11-05", "LineItems": LINES, **values}
    )


def other_log(wiring: Wiring) -> dict[str, str]:
    """Settings of a run with an empty log of writes."""
    wiring.xero.admin.advance(600)
    return {"write_log_path": str(wiring.folder / "other.db")}


# Names in use


def test_a_contact_whose_name_is_in_use_is_updated(wiring: Wiring):
    wiring.write(ABEL)
    run = wiring.write(
        ABEL[0],
        record("contacts", id="x", Name="ABEL", EmailAddress="abel@example.com"),
        record("contacts", id="y", Name="Bert"),
        **other_log(wiring),
    )
    assert run.count("contacts") == {"updated": 1, "created": 1}
    assert sorted(c["Name"] for c in wiring.records("Contacts")) == ["ABEL", "Bert"]


def test_contacts_that_xero_has_are_counted_as_updated_or_unchanged(wiring: Wiring):
    """Xero refuses to create them (PUT), so that none of them counts as created; a dry run says the same."""
    wiring.write(
        ABEL[0],
        record("contacts", id=1, Name="Abel", FirstName="A"),
        record("contacts", id=2, Name="Bert"),
        record("contacts", id=3, Name="Cora", ContactNumber="C-3"),
    )
    wiring.xero.admin.forget_calls()
    stream = [
        ABEL[0],
        record("contacts", id=1, Name="ABEL", FirstName="A"),
        record("contacts", id=2, Name="Bert", FirstName="B"),
        record("contacts", id=3, Name="Cora", ContactNumber="C-3"),
        record("contacts", id=4, Name="Dora"),
        record("contacts", id=5, Name="dora", FirstName="D"),
    ]
    counts = {"unchanged": 2, "updated": 1, "created": 1, "rejected": 1}
    dry = wiring.write(stream, dry_run=True, **other_log(wiring))
    assert dry.count("contacts") == counts
    # One look-up for each natural key, whatever the number of contacts.
    assert len(wiring.xero.admin.calls("/Contacts")) == 2
    assert wiring.write(stream, **other_log(wiring)).count("contacts") == counts
    assert wiring.write(stream[:-1], **other_log(wiring)).count("contacts") == {"unchanged": 4}
    assert sorted(c["Name"] for c in wiring.records("Contacts")) == ["Abel", "Bert", "Cora", "Dora"]


def test_a_contact_that_xero_had_before_a_refused_batch_is_not_counted_as_created(wiring: Wiring):
    """What Xero kept of a refused batch is looked up by name (Xero-Net#354)."""
    wiring.write(ABEL)
    wiring.xero.admin.advance(600)
    answer = {
        "ErrorNumber": 10,
        "Type": "ValidationException",
        "Message": "A validation exception occurred",
        "Elements": [{"Name": "Bert", "ValidationErrors": [{"Message": "Not today"}]}],
    }
    wiring.xero.admin.fault("status", method="PUT", path="Contacts", status=400, body=json.dumps(answer))
    run = wiring.write(*ABEL, record("contacts", id=2, Name="Bert"), **other_log(wiring))
    assert run.count("contacts") == {"unchanged": 1, "created": 1}


@pytest.mark.parametrize(("stream", "number", "make"), [
    ("invoices", "InvoiceNumber", sale),
    ("quotes", "QuoteNumber", quote),
])  # fmt: skip
def test_a_dry_run_finds_numbers_in_use(wiring: Wiring, stream: str, number: str, make: Any):
    head = [*ABEL, schema(stream, "id")]
    wiring.write(head, make(1, **{number: "N-1"}), make(2, **{number: "N-2"}))
    given = [
        make(1, **{number: "N-1"}),
        make(2, Reference="Other", **{number: "N-2"}),
        make(3, **{number: "N-3"}),
    ]
    counts = {"unchanged": 1, "rejected": 1, "created": 1}
    for dry_run in (True, False):
        run = wiring.write(head, given, dry_run=dry_run, **other_log(wiring))
        assert run.count(stream) == counts


def test_two_contacts_of_the_source_with_one_name_are_not_merged(wiring: Wiring):
    run = wiring.write(
        ABEL[0], [record("contacts", id=n, Name="John Smith", FirstName=f"J{n}") for n in (1, 2)]
    )
    assert run.count("contacts") == {"created": 1, "rejected": 1}
    assert "Xero would treat it and the record contacts id=1 as one" in run.rejected[0][1]
    assert [c["FirstName"] for c in wiring.records("Contacts")] == ["J1"]


def test_a_former_name_does_not_refer_to_a_contact(wiring: Wiring):
    wiring.write(ABEL)
    wiring.write(ABEL[0], record("contacts", id=1, Name="Bert"))
    run = wiring.write(schema("invoices", "id"), sale(1))
    assert run.count("invoices") == {"rejected": 1}
    assert "Xero has no record of contacts with the Name 'Abel'" in run.rejected[0][1]


def test_a_paid_invoice_is_recognised_without_its_log_entry(wiring: Wiring):
    bank = record("accounts", id=1, Code="090", Name="Cheque", Type="BANK", BankAccountNumber="1")
    paid = record("payments", id=1, InvoiceNumber="I-1", AccountCode="090", Date="2026-11-05", Amount=50)
    invoice = sale(1, InvoiceNumber="I-1", Status="AUTHORISED", LineAmountTypes="NoTax")
    stream = [*ABEL, schema("invoices", "id"), invoice]
    wiring.write(schema("accounts", "id"), bank, stream, schema("payments", "id"), paid)
    assert wiring.records("Invoices")[0]["Status"] == "PAID"
    assert wiring.write(stream, **other_log(wiring)).count("invoices") == {"unchanged": 1}


def test_a_contact_of_the_same_name_and_another_number_is_a_reject(wiring: Wiring):
    wiring.write(ABEL[0], record("contacts", id=1, Name="Abel", ContactNumber="A-1"))
    run = wiring.write(
        ABEL[0], record("contacts", id="x", Name="Abel", ContactNumber="A-2"), **other_log(wiring)
    )
    assert run.count("contacts") == {"rejected": 1}
    assert "already assigned to another contact" in run.rejected[0][1]
    assert [c["ContactNumber"] for c in wiring.records("Contacts")] == ["A-1"]


@pytest.mark.parametrize(
    ("stream", "number", "make"),
    [
        ("purchase_orders", "PurchaseOrderNumber", order),
        ("invoices", "InvoiceNumber", sale),
        ("quotes", "QuoteNumber", quote),
    ],
)
def test_a_number_in_use_is_never_overwritten_by_a_create(
    wiring: Wiring, stream: str, number: str, make: Any
):
    mine = [*ABEL, schema(stream, "id"), make(1, Reference="Mine", **{number: "N-1"})]
    assert wiring.write(mine).count(stream) == {"created": 1}
    settings = other_log(wiring)
    same = wiring.write(mine, **settings)
    assert same.count(stream) == {"unchanged": 1}
    run = wiring.write(schema(stream, "id"), make(2, Reference="Other", **{number: "N-1"}), **settings)
    assert run.count(stream) == {"rejected": 1}
    path = {"purchase_orders": "PurchaseOrders", "invoices": "Invoices", "quotes": "Quotes"}[stream]
    assert [r["Reference"] for r in wiring.records(path)] == ["Mine"]


def test_two_orders_of_one_run_with_one_number_are_not_merged(wiring: Wiring):
    orders = [order(n, PurchaseOrderNumber="P-1", Reference=f"R{n}") for n in (1, 2)]
    run = wiring.write(ABEL, schema("purchase_orders", "id"), orders)
    assert run.count("purchase_orders") == {"created": 1, "rejected": 1}
    assert [o["Reference"] for o in wiring.records("PurchaseOrders")] == ["R1"]


def test_each_order_without_a_number_gets_one(wiring: Wiring):
    run = wiring.write(ABEL, schema("purchase_orders", "id"), order(1), order(2))
    assert run.count("purchase_orders") == {"created": 2}
    assert len({o["PurchaseOrderNumber"] for o in wiring.records("PurchaseOrders")}) == 2


def test_xero_s_own_settings_are_used_unchanged(wiring: Wiring):
    run = wiring.write(
        schema("accounts", "id"),
        record("accounts", id=1, Code="200", Name="Sales", Type="REVENUE", TaxType="OUTPUT2"),
        record("accounts", id=2, Code="610", Name="Debtors", Type="CURRENT", SystemAccount="DEBTORS"),
        schema("tax_rates", "TaxType"),
        record("tax_rates", TaxType="OUTPUT2", Name="GST", TaxComponents=[{"Name": "GST", "Rate": 15}]),
        schema("currencies", "Code"),
        record("currencies", Code="NZD", Description="Kiwi"),
    )
    assert run.count("accounts") == {"unchanged": 2}
    assert run.count("tax_rates") == {"unchanged": 1}
    assert run.count("currencies") == {"unchanged": 1}
    assert wiring.writes() == []


# Lines, headers and statuses


def line_ids(wiring: Wiring, path: str = "Invoices") -> dict[str, str]:
    (document,) = wiring.records(path)
    return {line["Description"]: line["LineItemID"] for line in document["LineItems"]}


@pytest.mark.parametrize("make", [sale, order, quote])
def test_lines_keep_their_ids_when_a_document_changes(wiring: Wiring, make: Any):
    stream = make(1)["stream"]
    path = {"purchase_orders": "PurchaseOrders", "invoices": "Invoices", "quotes": "Quotes"}[stream]
    wiring.write(ABEL, schema(stream, "id"), make(1))
    before = line_ids(wiring, path)
    lines = [{**LINES[1], "Description": "Sail"}, {**LINES[0], "UnitAmount": 11}, LINES[1]]
    run = wiring.write(schema(stream, "id"), make(1, LineItems=lines))
    assert run.count(stream) == {"updated": 1}
    after = line_ids(wiring, path)
    assert list(after) == ["Sail", "Hull", "Mast"]
    assert {name: after[name] for name in before} == before
    assert wiring.write(schema(stream, "id"), make(1, LineItems=lines[1:2])).count(stream) == {"updated": 1}
    assert line_ids(wiring, path) == {"Hull": before["Hull"]}


def test_lines_with_ids_of_the_source_are_matched_by_ids_and_not_by_position(wiring: Wiring):
    ids = [f"0f0f0f0f-0000-4000-8000-00000000000{n}" for n in range(3)]
    lines = [{**line, "LineItemID": one} for line, one in zip(LINES, ids, strict=False)]
    given = {"tenant_id": "elsewhere", "InvoiceID": "0f0f0f0f-0000-4000-8000-0000000000ff"}
    stream = schema("invoices", "tenant_id", "InvoiceID")
    wiring.write(ABEL, stream, sale(1, LineItems=lines, **given))
    before = line_ids(wiring)
    turned = [
        {**lines[1], "UnitAmount": 21},
        {**LINES[0], "Description": "Keel", "LineItemID": ids[2]},
        lines[0],
    ]
    assert wiring.write(stream, sale(1, LineItems=turned, **given)).count("invoices") == {"updated": 1}
    after = line_ids(wiring)
    # What stands above a new line is new as well, or Xero would put the new line on top.
    assert list(after) == ["Mast", "Keel", "Hull"]
    assert after["Hull"] == before["Hull"]
    assert wiring.write(stream, sale(1, LineItems=[turned[0], turned[2]], **given)).error is None
    assert line_ids(wiring) == {"Mast": after["Mast"], "Hull": before["Hull"]}


def test_lines_of_other_documents_keep_their_ids_with_one_call_for_many(wiring: Wiring):
    wiring.write(ABEL, schema("invoices", "id"), [sale(n) for n in range(30)])
    before = {
        i["InvoiceID"]: [line["LineItemID"] for line in i["LineItems"]] for i in wiring.records("Invoices")
    }
    wiring.xero.admin.forget_calls()
    changed = [sale(0, InvoiceID=one, Reference="New") for one in before]
    run = wiring.write(schema("invoices", "InvoiceID"), changed, **other_log(wiring))
    assert run.count("invoices") == {"updated": 30}
    after = {
        i["InvoiceID"]: [line["LineItemID"] for line in i["LineItems"]] for i in wiring.records("Invoices")
    }
    assert after == before
    assert len(wiring.xero.admin.calls("/Invoices", "GET")) == 1


def test_a_quote_keeps_its_number_and_its_terms_when_it_changes(wiring: Wiring):
    wiring.write(ABEL, schema("quotes", "id"), quote(1, Terms="Half in advance", Title="Boat"))
    (before,) = wiring.records("Quotes")
    changed = record("quotes", id=1, Reference="As agreed", Status="ACCEPTED")
    assert wiring.write(schema("quotes", "id"), changed).count("quotes") == {"updated": 1}
    (after,) = wiring.records("Quotes")
    kept = ("QuoteNumber", "Terms", "Title", "Contact", "Date")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert (after["Reference"], after["Status"]) == ("As agreed", "ACCEPTED")


def test_a_paid_invoice_is_created_as_approved(wiring: Wiring):
    run = wiring.write(ABEL, schema("invoices", "id"), sale(1, Status="PAID"))
    assert run.count("invoices") == {"created": 1}
    assert wiring.records("Invoices")[0]["Status"] == "AUTHORISED"


def test_a_status_is_reached_step_by_step(wiring: Wiring):
    wiring.write(ABEL, schema("quotes", "id"), quote(1, Status="INVOICED"))
    assert wiring.records("Quotes")[0]["Status"] == "INVOICED"
    assert [c["method"] for c in wiring.writes()[1:]] == ["PUT", "POST", "POST", "POST"]


def test_a_transition_that_xero_does_not_allow_is_rejected_before_anything_is_sent(wiring: Wiring):
    wiring.write(ABEL, schema("invoices", "id"), sale(1, Status="AUTHORISED"))
    wiring.xero.admin.forget_calls()
    run = wiring.write(schema("invoices", "id"), sale(1, Status="DRAFT"), sale(2, Status="POSTED"))
    assert [reason for _, reason in run.rejected] == [
        "Status: POSTED is none of AUTHORISED, DELETED, DRAFT, PAID, SUBMITTED, VOIDED",
        "Status: Xero does not allow the change from AUTHORISED to DRAFT",
    ]
    assert wiring.writes() == []


def test_an_unbalanced_journal_is_rejected_before_anything_is_sent(wiring: Wiring):
    lines = [{"LineAmount": "10.10", "AccountCode": "477"}, {"LineAmount": "-10", "AccountCode": "825"}]
    journal = record("manual_journals", id=1, Narration="Pay", JournalLines=lines)
    run = wiring.write(schema("manual_journals", "id"), journal)
    assert run.rejected == [("manual_journals", "JournalLines: the lines must add up to zero, not to 0.1")]
    assert wiring.writes() == []


# The end of a record


def test_an_archived_contact_is_archived_only_after_its_documents_are_written(wiring: Wiring):
    stream = [
        schema("contacts", "id"),
        record("contacts", id=1, Name="Abel", ContactStatus="ARCHIVED"),
        schema("invoices", "id"),
        sale(1),
    ]
    run = wiring.write(stream)
    assert (run.count("contacts"), run.count("invoices")) == ({"created": 1}, {"created": 1})
    assert wiring.records("Contacts")[0]["ContactStatus"] == "ACTIVE"
    assert wiring.write(stream).count("contacts") == {"unchanged": 1}
    assert wiring.write(stream, deletes=True).count("contacts") == {"updated": 1}
    assert wiring.records("Contacts")[0]["ContactStatus"] == "ARCHIVED"
    assert wiring.write(stream, deletes=True).count("contacts") == {"unchanged": 1}


def test_a_new_archived_contact_is_created_used_and_archived_in_one_run(wiring: Wiring):
    stream = [
        schema("contacts", "id"),
        record("contacts", id=1, Name="Abel", ContactStatus="ARCHIVED"),
        schema("invoices", "id"),
        sale(1),
    ]
    run = wiring.write(stream, deletes=True)
    assert (run.count("contacts"), run.count("invoices")) == ({"created": 1}, {"created": 1})
    assert wiring.records("Contacts")[0]["ContactStatus"] == "ARCHIVED"
    assert wiring.write(stream, deletes=True).count("contacts") == {"unchanged": 1}


def test_a_contact_that_is_archived_and_restored_in_one_input_stays_active(wiring: Wiring):
    wiring.write(ABEL)
    back = [record("contacts", id=1, Name="Abel", ContactStatus=s) for s in ("ARCHIVED", "ACTIVE")]
    run = wiring.write(ABEL[0], back, state("all"), deletes=True)
    assert (run.error, run.states) == (None, ["all"])
    assert wiring.records("Contacts")[0]["ContactStatus"] == "ACTIVE"


def test_an_archived_category_is_restored_before_it_is_changed(wiring: Wiring):
    def region(**values: Any) -> list[dict[str, Any]]:
        return [schema("tracking_categories", "id"), record("tracking_categories", id=1, **values)]

    wiring.write(region(Name="Region"))
    assert wiring.write(region(Name="Region", Status="ARCHIVED"), deletes=True).count(
        "tracking_categories"
    ) == {"updated": 1}
    run = wiring.write(region(Name="Area", Status="ACTIVE"))
    assert run.count("tracking_categories") == {"updated": 1}
    (category,) = wiring.records("TrackingCategories")
    assert (category["Name"], category["Status"]) == ("Area", "ACTIVE")
    assert wiring.write(region(Name="Area", Status="ACTIVE")).count("tracking_categories") == {"unchanged": 1}


def test_a_number_of_another_organisation_ends_no_record_of_this_one(wiring: Wiring):
    wiring.write(ABEL, schema("invoices", "id"), sale(1, InvoiceNumber="I-1", Status="AUTHORISED"))
    foreign = sale(9, InvoiceNumber="I-1", Status="VOIDED", tenant_id="elsewhere")
    run = wiring.write(schema("invoices", "tenant_id", "id"), foreign, deletes=True)
    assert run.count("invoices") == {"skipped": 1}
    assert wiring.records("Invoices")[0]["Status"] == "AUTHORISED"


def test_a_deleted_record_that_returns_is_created_again(wiring: Wiring):
    item = record("items", id=1, Code="TENT", Name="Tent")
    wiring.write(schema("items", "id"), item)
    gone = record("items", id=1, Code="TENT", _sdc_deleted_at="2026-11-20T09:00:00Z")
    assert wiring.write(schema("items", "id"), gone, deletes=True).count("items") == {"removed": 1}
    assert wiring.write(schema("items", "id"), item).count("items") == {"created": 1}
    assert [i["Name"] for i in wiring.records("Items")] == ["Tent"]


def settled_documents() -> list[dict[str, Any]]:
    """An invoice with a payment and an allocated credit note."""
    bank = record("accounts", id=1, Code="090", Name="Cheque", Type="BANK", BankAccountNumber="1")
    given = {"Status": "AUTHORISED", "LineAmountTypes": "NoTax"}
    allocation = {"Invoice": {"InvoiceNumber": "I-1"}, "Amount": 10, "Date": "2026-11-05"}
    note = {
        "Type": "ACCRECCREDIT",
        "contact_name": "Abel",
        "LineItems": LINES[:1],
        "Allocations": [allocation],
    }
    return [
        schema("accounts", "id"),
        bank,
        *ABEL,
        schema("invoices", "id"),
        sale(1, InvoiceNumber="I-1", **given),
        schema("credit_notes", "id"),
        record("credit_notes", id=1, **note, **given),
        schema("payments", "id"),
        record("payments", id=1, InvoiceNumber="I-1", AccountCode="090", Date="2026-11-05", Amount=40),
    ]


def test_payments_and_allocations_end_before_their_document(wiring: Wiring):
    run = wiring.write(settled_documents())
    assert wiring.records("Invoices")[0]["Status"] == "PAID"
    run = wiring.write(
        schema("credit_notes", "id"),
        record("credit_notes", id=1, Status="VOIDED"),
        schema("invoices", "id"),
        record("invoices", id=1, Status="VOIDED"),
        schema("payments", "id"),
        record("payments", id=1, Status="DELETED"),
        deletes=True,
    )
    assert (run.error, run.rejected) == (None, [])
    assert {name: run.count(name) for name in run.counts} == {
        name: {"removed": 1} for name in ("credit_notes", "invoices", "payments", "allocations")
    }
    assert wiring.records("Invoices")[0]["Status"] == wiring.records("CreditNotes")[0]["Status"] == "VOIDED"


def test_a_payment_is_created_after_the_one_that_it_replaces_is_deleted(wiring: Wiring):
    wiring.write(settled_documents())
    right = record("payments", id=2, InvoiceNumber="I-1", AccountCode="090", Date="2026-11-06", Amount=40)
    run = wiring.write(
        schema("payments", "id"), right, record("payments", id=1, Status="DELETED"), deletes=True
    )
    assert run.count("payments") == {"created": 1, "removed": 1}
    assert wiring.records("Invoices")[0]["Status"] == "PAID"


def test_a_setting_ends_when_nothing_uses_it(wiring: Wiring):
    rate = {"ReportTaxType": "OUTPUT", "TaxComponents": [{"Name": "Luxury", "Rate": 20}]}
    taxed = [{**LINES[0], "TaxType": "Luxury"}]
    stream = [schema("tax_rates", "id"), record("tax_rates", id=1, Name="Luxury", **rate), *ABEL]
    wiring.write(stream, schema("quotes", "id"), quote(1, LineItems=taxed))
    run = wiring.write(
        stream[0],
        record("tax_rates", id=1, Name="Luxury", Status="DELETED"),
        schema("quotes", "id"),
        quote(1, LineItems=[{**taxed[0], "TaxType": "OUTPUT2"}]),
        deletes=True,
    )
    assert (run.error, run.rejected) == (None, [])
    paths = [call["path"].rpartition("/")[2] for call in wiring.writes()]
    assert paths[-2:] == ["Quotes", "TaxRates"]


def test_a_record_that_is_created_and_deleted_in_one_input_is_deleted(wiring: Wiring):
    run = wiring.write(ABEL, schema("invoices", "id"), sale(1), sale(1, Status="VOIDED"), deletes=True)
    assert run.count("invoices") == {"created": 1, "removed": 1}
    assert [i["Status"] for i in wiring.records("Invoices")] == ["DELETED"]


def test_a_missing_part_is_removed_only_if_deletes_is_true(wiring: Wiring):
    def group(*names: str) -> list[dict[str, Any]]:
        members = [{"Name": name} for name in names]
        return [
            schema("contact_groups", "id"),
            record("contact_groups", id=1, Name="Friends", Contacts=members),
        ]

    people = [schema("contacts", "id"), *(record("contacts", id=n, Name=n) for n in ("Abel", "Bert"))]
    assert wiring.write(people, group("Abel", "Bert")).count("contact_group_members") == {"created": 2}
    assert wiring.write(group("Bert")).count("contact_group_members") == {"unchanged": 1}
    assert wiring.write(group("Bert"), deletes=True).count("contact_group_members") == {
        "unchanged": 1,
        "removed": 1,
    }
    assert [c["Name"] for c in wiring.records("ContactGroups")[0]["Contacts"]] == ["Bert"]
    assert wiring.write(group("Bert"), deletes=True).count("contact_group_members") == {"unchanged": 1}


def test_a_record_that_target_xero_did_not_write_ends_by_its_number_or_id(wiring: Wiring):
    wiring.write(ABEL, schema("invoices", "id"), [sale(n, InvoiceNumber=f"I-{n}") for n in (1, 2)])
    (id_of_second,) = [i["InvoiceID"] for i in wiring.records("Invoices") if i["InvoiceNumber"] == "I-2"]
    ends = [
        record("invoices", Type="ACCREC", InvoiceNumber="I-1", Status="VOIDED"),
        record("invoices", InvoiceID=id_of_second, Status="VOIDED"),
        record("invoices", Type="ACCREC", InvoiceNumber="I-3", Status="VOIDED"),
    ]
    settings = other_log(wiring)
    run = wiring.write(schema("invoices"), ends, deletes=True, **settings)
    assert run.count("invoices") == {"removed": 2, "skipped": 1}
    assert {i["Status"] for i in wiring.records("Invoices")} == {"DELETED"}
    assert wiring.write(schema("invoices"), ends, deletes=True, **settings).count("invoices") == {
        "unchanged": 2,
        "skipped": 1,
    }


def test_a_record_that_has_ended_in_xero_is_unchanged(wiring: Wiring):
    wiring.write(ABEL, schema("invoices", "id"), sale(1, InvoiceNumber="I-1"))
    void = record("invoices", id=1, Type="ACCREC", InvoiceNumber="I-1", Status="VOIDED")
    wiring.write(schema("invoices", "id"), void, deletes=True)
    run = wiring.write(schema("invoices", "id"), void, deletes=True, **other_log(wiring))
    assert run.count("invoices") == {"unchanged": 1}
    archived = record(
        "contacts", ContactID=wiring.records("Contacts")[0]["ContactID"], ContactStatus="ARCHIVED"
    )
    wiring.write(schema("contacts", "ContactID"), archived, deletes=True)
    wiring.xero.admin.forget_calls()
    run = wiring.write(schema("contacts", "ContactID"), archived, deletes=True, **other_log(wiring))
    assert run.count("contacts") == {"unchanged": 1}
    assert wiring.writes() == []


def test_a_payment_that_xero_has_under_its_own_id_is_a_clear_reject(wiring: Wiring):
    wiring.write(settled_documents())
    (payment,) = wiring.records("Payments")
    same = record(
        "payments", PaymentID=payment["PaymentID"], InvoiceNumber="I-1", AccountCode="090", Amount=40
    )
    run = wiring.write(schema("payments", "PaymentID"), same, **other_log(wiring))
    assert run.count("payments") == {"rejected": 1}
    assert f"Xero already has it as {payment['PaymentID']}" in run.rejected[0][1]


# The same record more than once


def test_every_version_of_a_record_is_written_in_order(wiring: Wiring):
    versions = [record("contacts", id=1, Name="Abel", FirstName=f) for f in ("A", "B")]
    stream = [ABEL[0], *versions, record("contacts", id=1, Name="Abel", EmailAddress="a@example.com")]
    assert wiring.write(stream).count("contacts") == {"created": 1, "updated": 2}
    (contact,) = wiring.records("Contacts")
    assert (contact["FirstName"], contact["EmailAddress"]) == ("B", "a@example.com")
    wiring.xero.admin.forget_calls()
    assert wiring.write(stream).count("contacts") == {"unchanged": 3}
    assert wiring.writes() == []


def test_a_change_and_its_reversal_are_both_written(wiring: Wiring):
    for name in ("Abel", "Abba", "Abel"):
        run = wiring.write(ABEL[0], record("contacts", id=1, Name=name))
    assert run.count("contacts") == {"updated": 1}
    assert [c["Name"] for c in wiring.records("Contacts")] == ["Abel"]


def test_a_reject_whose_cause_was_removed_in_xero_is_sent_again(wiring: Wiring):
    stream = [ABEL, schema("invoices", "id"), sale(1, LineItems=[{**LINES[0], "AccountCode": "299"}])]
    assert wiring.write(*stream).count("invoices") == {"rejected": 1}
    wiring.write(schema("accounts", "id"), record("accounts", id=1, Code="299", Name="Rents", Type="REVENUE"))
    assert wiring.write(*stream).count("invoices") == {"created": 1}


def test_records_without_a_key_are_distinguished_by_their_names(wiring: Wiring):
    people = [record("contacts", ContactNumber="X", Name="Abel"), record("contacts", Name="X")]
    assert wiring.write(schema("contacts"), people).count("contacts") == {"created": 2}
    assert wiring.write(schema("contacts"), people).count("contacts") == {"unchanged": 2}


def test_records_without_a_key_are_distinguished_by_their_content(wiring: Wiring):
    lines = [{"LineAmount": 5, "AccountCode": "477"}, {"LineAmount": -5, "AccountCode": "825"}]
    rows = [record("manual_journals", Narration=n, JournalLines=lines) for n in ("Pay", "Pay", "Tax")]
    stream = [schema("manual_journals"), *rows]
    assert wiring.write(stream).count("manual_journals") == {"created": 3}
    assert wiring.write(stream).count("manual_journals") == {"unchanged": 3}
    assert len(wiring.records("ManualJournals")) == 3


# What tap-xero reads beside the records themselves


def test_a_copied_document_gets_the_theme_of_the_same_name(wiring: Wiring):
    ids = [f"0f0f0f0f-0000-4000-8000-00000000000{n}" for n in range(2)]
    themes = [
        record("branding_themes", tenant_id="elsewhere", BrandingThemeID=one, Name=name)
        for one, name in zip(ids, ("Standard", "Kites"), strict=True)
    ]
    invoices = [sale(n, tenant_id="elsewhere", BrandingThemeID=one) for n, one in enumerate(ids)]
    run = wiring.write(
        schema("branding_themes", "BrandingThemeID"), themes, ABEL, schema("invoices", "id"), invoices
    )
    assert run.count("branding_themes") == {"unchanged": 1, "skipped": 1}
    assert run.count("invoices") == {"created": 2}
    (standard,) = wiring.records("BrandingThemes")
    assert wiring.records("Invoices")[0]["BrandingThemeID"] == standard["BrandingThemeID"]
    assert wiring.records("Invoices")[1].get("BrandingThemeID") != ids[1]


def test_a_theme_is_no_longer_known_by_its_former_name(wiring: Wiring):
    for number, name in enumerate(("Kites", "Boats")):
        theme = {"BrandingThemeID": f"0f0f0f0f-0000-4000-8000-00000000000{number}", "Name": name}
        wiring.xero.admin.put("BrandingThemes", theme, wiring.tenant)
        assert (
            wiring.write(schema("branding_themes", "id"), record("branding_themes", id=1, Name=name)).error
            is None
        )
        assert wiring.log().execute("SELECT name FROM name").fetchall() == [(f"Name={name.casefold()}",)]


def test_only_the_notes_of_a_history_are_written(wiring: Wiring):
    live, dead = (f"0f0f0f0f-0000-4000-8000-00000000000{n}" for n in range(2))
    given = {"tenant_id": "elsewhere"}
    history = [
        record("invoice_history", InvoiceID=one, Number=n, Changes=changes, Details=details, **given)
        for one in (live, dead)
        for n, (changes, details) in enumerate((("Created", "By Ann"), ("Note", "Sent by post")))
    ]
    run = wiring.write(
        ABEL,
        schema("invoices", "InvoiceID"),
        sale(1, InvoiceID=live, **given),
        sale(2, InvoiceID=dead, Status="VOIDED", **given),
        schema("invoice_history", "InvoiceID", "Number"),
        history,
    )
    assert run.error is None
    assert run.count("history_notes") == {"created": 1, "skipped": 3}
    (invoice,) = wiring.records("Invoices")
    assert wiring.notes(f"Invoices/{invoice['InvoiceID']}") == ["Sent by post"]
