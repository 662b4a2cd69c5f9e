"""After a lost log nothing is doubled that Xero still has as it was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .conftest import Wiring, record, schema
from .test_lookups import GIVEN, LINE, START, credit, invoice, payment
from .test_never_twice import JOURNALS, RECORDS, everything
from .test_refusals import DOCUMENTS, SAVINGS, SCHEMAS


def lose_log(wiring: Wiring) -> None:
    wiring.xero.admin.advance(600)
    for one in Path(wiring.config["write_log_path"]).parent.glob("writes.db*"):
        one.unlink()


NAMED = {"contacts", "tax_rates"}
NOTE = record("history_notes", id=1, invoice_number="I-9", details="Sent by post")
ALLOCATIONS = [
    {"Invoice": {"InvoiceNumber": "I-9"}, "Amount": amount, "Date": "2026-11-05"} for amount in (3, 4)
]
WITH_PARTS = credit(8, "ACCRECCREDIT", "C-8", Allocations=ALLOCATIONS)


def everything_once() -> list[dict[str, Any]]:
    """A document of each kind, two of which differ only in their keys."""
    made = [
        [schema(name, "id"), *(record(name, **{**DOCUMENTS[name][3], "id": n}) for n in keys)]
        for name in DOCUMENTS
        for keys in [(7,) if name in NAMED else (7, 8)]
    ]
    return [
        *START,
        SAVINGS,
        SCHEMAS[1],
        invoice(9, "ACCREC", "I-9"),
        record("invoices", id=10, Type="ACCREC", DueDate="2026-12-01", **GIVEN),
        *(message for piece in made for message in piece),
        schema("credit_notes", "id"),
        WITH_PARTS,
        schema("history_notes", "id"),
        NOTE,
    ]


def test_every_kind_of_document_is_found_again_after_a_lost_log(wiring: Wiring):
    stream = everything_once()
    first = wiring.write(stream)
    assert first.rejected == []
    before = everything(wiring)
    wiring.xero.admin.forget_calls()
    lose_log(wiring)
    run = wiring.write(stream)
    assert (run.error, run.rejected) == (None, [])
    assert {name: run.count(name) for name in run.counts if "created" in run.count(name)} == {}
    assert everything(wiring) == before
    # The new log knows what the old one did.
    wiring.xero.admin.forget_calls()
    again = wiring.write(stream)
    assert {tuple(again.count(name)) for name in again.counts} == {("unchanged",)}
    assert wiring.xero.admin.calls("/Payments") == []


def test_a_thousand_journals_are_found_in_a_few_calls(wiring: Wiring):
    wiring.write(JOURNALS)
    lose_log(wiring)
    wiring.xero.admin.forget_calls()
    run = wiring.write(JOURNALS)
    assert run.count("manual_journals") == {"unchanged": RECORDS}
    assert run.logged(f"manual_journals: {RECORDS:,} were found in Xero by their content")
    assert len(wiring.xero.admin.calls("/ManualJournals")) <= 2


@pytest.mark.parametrize("status", ["VOIDED", "DELETED"])
def test_a_document_that_was_ended_in_xero_is_not_found(wiring: Wiring, status: str):
    bill = invoice(1, "ACCPAY", "B-1")
    wiring.write(START, SCHEMAS[1], bill)
    (one,) = wiring.records("Invoices")
    wiring.xero.admin.edit("Invoices", one["InvoiceID"], wiring.tenant, Status=status)
    lose_log(wiring)
    assert wiring.write(SCHEMAS[1], bill).count("invoices") == {"created": 1}


def test_a_document_with_other_content_is_another_document(wiring: Wiring):
    wiring.write(START, SCHEMAS[1], invoice(1, "ACCPAY", "B-1"))
    lose_log(wiring)
    others = [
        invoice(1, "ACCPAY", "B-2"),
        invoice(2, "ACCPAY", "B-1", LineItems=[{**LINE, "UnitAmount": 101}]),
        invoice(3, "ACCPAY", "B-1", LineItems=[LINE, LINE]),
    ]
    assert wiring.write(SCHEMAS[1], others).count("invoices") == {"created": 3}


def test_of_equal_documents_only_the_missing_ones_are_created(wiring: Wiring):
    same = [payment(n, invoice_number="I-9", amount=1) for n in range(5)]
    wiring.write(START, SCHEMAS[1], invoice(9, "ACCREC", "I-9"), schema("payments", "id"), same[:3])
    lose_log(wiring)
    run = wiring.write(schema("payments", "id"), same)
    assert run.count("payments") == {"unchanged": 3, "created": 2}


def test_lines_and_numbers_are_compared_as_xero_stores_them(wiring: Wiring):
    odd = [{**LINE, "UnitAmount": "33.33335", "Description": "Odd"}, {**LINE, "Quantity": "0.33333"}, LINE]
    bill = invoice(1, "ACCPAY", "B-1", LineItems=odd)
    wiring.write(START, SCHEMAS[1], bill)
    lose_log(wiring)
    assert wiring.write(SCHEMAS[1], bill).count("invoices") == {"unchanged": 1}


def test_a_run_that_was_killed_leaves_the_log_new(wiring: Wiring):
    bills = [invoice(n, "ACCPAY", f"B-{n}") for n in range(1, 5)]
    wiring.write(START, SCHEMAS[1], bills)
    lose_log(wiring)
    wiring.xero.admin.fault("server_error", method="GET", path="Invoices", count=1)
    assert wiring.write(START, SCHEMAS[1], bills[:2], tries=1).error is not None
    assert wiring.write(SCHEMAS[1], bills).count("invoices") == {"unchanged": 4}


def test_documents_from_before_the_log_began_are_looked_up_later_too(wiring: Wiring):
    old, new = invoice(1, "ACCPAY", "B-1", Date="2026-01-05"), invoice(2, "ACCPAY", "B-2", Date="2099-01-05")
    wiring.write(START, SCHEMAS[1], old, new)
    lose_log(wiring)
    wiring.write(START)
    wiring.xero.admin.forget_calls()
    assert wiring.write(SCHEMAS[1], old).count("invoices") == {"unchanged": 1}
    # One that is dated later is not looked for: no log can have written it before this one did.
    wiring.xero.admin.forget_calls()
    later = invoice(3, "ACCPAY", "B-3", Date="2099-01-05")
    assert wiring.write(SCHEMAS[1], later).count("invoices") == {"created": 1}
    assert wiring.xero.admin.calls("/Invoices", "GET") == []


def test_a_dry_run_reports_what_would_be_found(wiring: Wiring):
    wiring.write(START)
    (abel,) = wiring.records("Contacts")
    bill = invoice(1, "ACCPAY", "B-1", contact_name=None, Contact={"ContactID": abel["ContactID"]})
    wiring.write(SCHEMAS[1], bill)
    lose_log(wiring)
    assert wiring.write(SCHEMAS[1], bill, dry_run=True).count("invoices") == {"unchanged": 1}
