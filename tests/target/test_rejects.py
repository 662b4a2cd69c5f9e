"""A reject has its cause as the reason, and is in the file of rejects once."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Wiring, decode, record, schema, state

LINE = {"Description": "Hull", "Quantity": 1, "UnitAmount": 10, "AccountCode": "200"}
CONTACTS, INVOICES, PAYMENTS = (schema(stream, "id") for stream in ("contacts", "invoices", "payments"))
ABEL = record("contacts", id=1, Name="Abel")
BAD_ABEL = record("contacts", id=1, Name="Abel", EmailAddress="nowhere")
BANK = [
    schema("accounts", "id"),
    record("accounts", id=1, Code="090", Name="Cheque", Type="BANK", BankAccountNumber="1"),
]


def sale(key: int, **values: Any) -> dict[str, Any]:
    given = {
        "Type": "ACCREC", "contact_name": "Abel", "InvoiceNumber": f"I-{key}", "Status": "AUTHORISED",
        "DueDate": "2026-12-01", "LineItems": [LINE], **values,
    }  # fmt: skip
    return record("invoices", id=key, **given)


def payment(key: int, **values: Any) -> dict[str, Any]:
    given = {"invoice_number": f"I-{key}", "account_code": "090", "Date": "2026-11-05", "Amount": 5, **values}
    return record("payments", id=key, **given)


def stored(wiring: Wiring) -> list[dict[str, Any]]:
    """The records in the file of rejects."""
    lines = (wiring.folder / "rejects.singer").read_bytes().splitlines()
    return [m["record"] for m in map(decode, lines) if m["type"] == "RECORD"]


# What is behind a reject


def test_a_payment_is_rejected_with_the_reason_of_its_invoice(wiring: Wiring):
    run = wiring.write(
        BANK, CONTACTS, ABEL, INVOICES, sale(7, Type="ACCREX"), sale(8), PAYMENTS, payment(7), payment(8)
    )
    (_, cause), (stream, reason) = run.rejected
    assert (stream, reason) == ("payments", f"Invoice: its invoice I-7 was rejected: {cause}")
    assert run.count("payments") == {"created": 1, "rejected": 1}


def test_a_reason_is_passed_on_from_contact_to_payment(wiring: Wiring):
    run = wiring.write(BANK, CONTACTS, BAD_ABEL, INVOICES, sale(7), PAYMENTS, payment(7))
    reasons = [reason for _, reason in run.rejected]
    assert reasons[1] == f"Contact: its contact Abel was rejected: {reasons[0]}"
    assert reasons[2].startswith(
        "Invoice: its invoice I-7 was rejected: Contact: its contact Abel was rejected: "
    )


@pytest.mark.parametrize(
    ("stream", "bad", "line", "words"),
    [
        (
            "accounts",
            {"Code": "999", "Name": "Boats"},
            {"AccountCode": "999"},
            "AccountCode: its account 999 was rejected: ",
        ),
        ("items", {"Code": "TENT", "Name": "x" * 60}, {"ItemCode": "TENT"}, "ItemCode: its item TENT was rejected: "),
        (
            "tax_rates",
            {"Name": "15% of boats"},
            {"TaxType": "15% of boats"},
            "TaxType: its tax rate 15% of boats was rejected: ",
        ),
        (
            "tracking_categories",
            {"Name": "Region", "Status": "LOST"},
            {"Tracking": [{"Name": "Region", "Option": "East"}]},
            "Tracking: its tracking category Region was rejected: ",
        ),
    ],
)  # fmt: skip
def test_a_line_is_rejected_with_the_reason_of_its_reference(
    wiring: Wiring, stream: str, bad: dict[str, Any], line: dict[str, Any], words: str
):
    run = wiring.write(
        schema(stream, "id"), record(stream, id=1, **bad), CONTACTS, ABEL, INVOICES,
        sale(7, LineItems=[{**LINE, **line}]), sale(8),
    )  # fmt: skip
    assert [name for name, _ in run.rejected] == [stream, "invoices"]
    assert run.rejected[1][1].startswith(f"LineItems[0].{words}"), run.rejected
    assert run.count("invoices") == {"created": 1, "rejected": 1}


def test_a_record_that_xero_has_may_be_referred_to_although_its_change_was_rejected(wiring: Wiring):
    wiring.write(BANK, CONTACTS, ABEL)
    run = wiring.write(
        schema("accounts", "id"), record("accounts", id=1, Code="090", Name="Cheque", Type="BANK", Status="LOST"),
        CONTACTS, BAD_ABEL, INVOICES, sale(7), PAYMENTS, payment(7),
    )  # fmt: skip
    assert [name for name, _ in run.rejected] == ["accounts", "contacts"]
    assert run.count("payments") == {"created": 1}


def test_a_part_is_rejected_with_the_reason_of_its_parent(wiring: Wiring):
    group = record("contact_groups", id=1, Name="", Contacts=[{"Name": "Abel"}])
    run = wiring.write(CONTACTS, ABEL, schema("contact_groups", "id"), group)
    reasons = [reason for name, reason in run.rejected if name == "contact_groups"]
    assert reasons[1].startswith("its contact group was rejected: Name: it is required")


# Refusals without words


@pytest.mark.parametrize("body", ["", "{}", "<html><body></body></html>"])
def test_a_refusal_without_a_message_shows_status_and_correlation_id(wiring: Wiring, body: str):
    wiring.xero.admin.fault("status", method="PUT", path="Contacts", status=400, body=body, count=1)
    run = wiring.write(CONTACTS, ABEL)
    ((_, reason),) = run.rejected
    assert "PUT Contacts: 400" in reason
    assert "correlation id" in reason


# Once in the file


def test_the_same_reject_is_not_added_again_by_the_next_run(wiring: Wiring):
    stream = [CONTACTS, BAD_ABEL, record("contacts", id=2), record("contacts", id=3, Name="Carl"), state(1)]
    assert wiring.write(stream).count("contacts") == {"created": 1, "rejected": 2}
    before = (wiring.folder / "rejects.singer").read_bytes()
    again = wiring.write(stream)
    assert again.count("contacts") == {"unchanged": 1, "rejected": 2}
    assert (again.error, again.states) == (None, [1])
    assert again.logged("contacts id=2 rejected")
    assert (wiring.folder / "rejects.singer").read_bytes() == before


def test_metadata_of_a_tap_makes_no_new_reject(wiring: Wiring):
    for run in range(3):
        extracted = f"2026-11-{10 + run}T00:00:00Z"
        wiring.write(CONTACTS, record("contacts", id=2, _sdc_extracted_at=extracted, _sdc_sequence=run))
    assert len(stored(wiring)) == 1


def test_the_correlation_id_makes_no_new_reject(wiring: Wiring):
    for _ in range(2):
        wiring.xero.admin.fault("status", method="PUT", path="Contacts", status=400, body="", count=1)
        wiring.write(CONTACTS, ABEL)
    assert len(stored(wiring)) == 1


def test_another_record_another_reason_and_another_end_are_added(wiring: Wiring):
    wiring.write(CONTACTS, record("contacts", id=2))
    wiring.write(CONTACTS, record("contacts", id=2, FirstName="B"))
    wiring.write(CONTACTS, record("contacts", id=2, FirstName="B", ContactStatus="LOST"))
    wiring.write(CONTACTS, record("contacts", id=4))
    assert [(r["id"], r.get("FirstName")) for r in stored(wiring)] == [
        (2, None),
        (2, "B"),
        (2, "B"),
        (4, None),
    ]


def test_two_equal_rejects_of_one_run_are_one(wiring: Wiring):
    run = wiring.write(CONTACTS, record("contacts", id=2), record("contacts", id=2))
    assert run.count("contacts") == {"rejected": 2}
    assert len(stored(wiring)) == 1


def test_a_file_of_rejects_that_is_piped_in_unchanged_does_not_grow(wiring: Wiring):
    wiring.write(CONTACTS, BAD_ABEL, record("contacts", id=2))
    before = (wiring.folder / "rejects.singer").read_text()
    assert wiring.write(before).count("contacts") == {"rejected": 2}
    assert (wiring.folder / "rejects.singer").read_text() == before


def test_lines_of_the_file_that_are_no_rejects_are_ignored(wiring: Wiring):
    (wiring.folder / "rejects.singer").write_text('not JSON\n\n{"type": "STATE", "value": 1}\n[1]\n')
    for _ in range(2):
        wiring.write(CONTACTS, record("contacts", id=2))
    assert len((wiring.folder / "rejects.singer").read_bytes().splitlines()) == 6
