"""Every object: created, changed, ended, refused, and a bad record among good ones. One small stream each in data/."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from target_xero.write_specs.rows import WRITE_SPECS

from .conftest import DATA, Wiring, decode, lines

FIXED = "it has changed since it was written"


@dataclass(frozen=True)
class Case:
    """What must become of `data/<name>.singer`: its records 1 and 3 are good, and 2 is refused in these words.

    `changed` is how often a change is an update, or the words it is refused in; `ended` how many records end, and
    `left` what is then to be seen of record 1: field and value, or nothing if Xero forgets it.
    """

    refused: str
    made: int = 2
    changed: int | str = 1
    ended: int | str = 1
    left: tuple[str, Any] | None = ("Status", "DELETED")


CASES = {
    "accounts": Case("Account Type 'NONSENSE' is not valid", made=1, left=None),
    "allocations": Case("Allocation amount exceeds the remaining credit", changed=FIXED, left=None),
    "bank_transactions": Case("Account code '9999' is not a valid code"),
    "bank_transfers": Case("The FromBankAccount and ToBankAccount must be different", changed=FIXED),
    "batch_payments": Case("Payment amount exceeds the amount outstanding", changed=FIXED),
    "contact_groups": Case("Name: it is required for a new record of contact_groups"),
    "contacts": Case("Email address must be valid", left=("ContactStatus", "ARCHIVED")),
    "credit_notes": Case("Account code '9999' is not a valid code", left=("Status", "VOIDED")),
    "currencies": Case("Currency Code 'EURO' is not valid", changed=0, ended="neither change nor remove a currency"),
    "history_notes": Case(
        "Xero has no record of invoices with the InvoiceNumber 'I-2'", changed=FIXED, ended="neither change nor remove"
    ),
    "invoices": Case("Account code '9999' is not a valid code", ended=2, left=("Status", "VOIDED")),
    "items": Case("Account code '9999' is not a valid code", left=None),
    "linked_transactions": Case("The SourceLineItemID has already been linked", left=None),
    "manual_journals": Case("Account code '610' is not a valid code", left=("Status", "VOIDED")),
    "payment_services": Case("PaymentServiceUrl must be a valid https address", made=1, changed=FIXED, ended=0),
    "payments": Case("Xero has no record of invoices with the InvoiceNumber 'I-2'", changed=FIXED),
    "purchase_orders": Case("Item code 'NONE' is not valid"),
    "quotes": Case("Item code 'NONE' is not valid"),
    "repeating_invoices": Case("Account code '9999' is not a valid code", changed=FIXED),
    "tax_rates": Case("A tax component needs a Name and a Rate", made=1),
    "tracking_categories": Case("Name: it is required for a new record of tracking_categories", made=1, left=None),
}  # fmt: skip

#: Written as parts of these, and tested with them.
PARTS = {
    "contact_group_members": "contact_groups",
    "payment_service_themes": "payment_services",
    "tracking_options": "tracking_categories",
}
NEVER_MADE = {"branding_themes", "overpayments", "prepayments"}


def phases(name: str) -> dict[str, str]:
    """The stream in three parts: up to the state `created`, then `changed`, then `ended`."""
    schemas: list[dict[str, Any]] = []
    found: dict[str, str] = {}
    piece: list[dict[str, Any]] = []
    for line in (DATA / f"{name}.singer").read_bytes().splitlines():
        message = decode(line)
        if message["type"] == "SCHEMA":
            schemas.append(message)
        piece.append(message)
        if message["type"] == "STATE":
            found[message["value"]] = lines(*piece)
            piece = list(schemas)
    return found


def shown(wiring: Wiring, name: str, key: str) -> dict[str, Any]:
    """The record in Xero for one of the source's; empty if Xero does not have it."""
    row = WRITE_SPECS[name]
    xero_id = wiring.ids(name)[key]
    return (
        next((r for r in wiring.records(row.path) if r[row.key] == xero_id), {})
        if "{of}" not in row.path
        else {}
    )


def test_every_object_that_can_be_written_is_tested_here():
    assert CASES.keys() | PARTS.keys() | NEVER_MADE == WRITE_SPECS.keys()
    assert {Path(file).stem for file in DATA.glob("*.singer")} >= CASES.keys()


@pytest.mark.parametrize("name", CASES)
def test_good_records_are_written_although_one_is_refused(wiring: Wiring, name: str):
    case, phase = CASES[name], phases(name)
    run = wiring.write(phase["created"])
    assert run.error is None
    assert run.count(name) == {"created": case.made, "rejected": 1}
    assert [stream for stream, _ in run.rejected] == [name]
    assert case.refused in run.rejected[0][1]
    assert run.states == ["created"]


@pytest.mark.parametrize("name", CASES)
def test_a_second_run_sends_only_what_was_refused(wiring: Wiring, name: str):
    case, phase = CASES[name], phases(name)
    wiring.write(phase["created"])
    before = {row.path: wiring.records(row.path) for row in WRITE_SPECS.values() if "{of}" not in row.path}
    run = wiring.write(phase["created"])
    assert run.count(name) == {"unchanged": case.made, "rejected": 1}
    assert {c for count in run.counts.values() for c in (count.created, count.updated, count.removed)} == {0}
    assert {
        row.path: wiring.records(row.path) for row in WRITE_SPECS.values() if "{of}" not in row.path
    } == before


@pytest.mark.parametrize("name", [name for name in CASES if "changed" in phases(name)])
def test_a_changed_record_is_an_update_or_a_clear_reject_but_never_a_second_create(wiring: Wiring, name: str):
    case, phase = CASES[name], phases(name)
    wiring.write(phase["created"])
    numbers = {
        row.path: len(wiring.records(row.path)) for row in WRITE_SPECS.values() if "{of}" not in row.path
    }
    run = wiring.write(phase["changed"])
    if isinstance(case.changed, str):
        assert run.count(name) == {"rejected": 1}
        assert case.changed in run.rejected[-1][1]
    else:
        assert run.error is None
        assert run.count(name) == {"updated": case.changed}
    assert {
        row.path: len(wiring.records(row.path)) for row in WRITE_SPECS.values() if "{of}" not in row.path
    } == numbers


@pytest.mark.parametrize("name", [name for name in CASES if "ended" in phases(name)])
def test_a_record_ends_only_if_deletes_is_true(wiring: Wiring, name: str):
    case, phase = CASES[name], phases(name)
    wiring.write(phase["created"])
    if case.changed == 1:
        wiring.write(phase["changed"])
    kept = wiring.write(phase["ended"])
    removals = case.ended if isinstance(case.ended, int) else 1
    assert kept.count(name) == {"skipped": removals}
    assert kept.logged("which requires `deletes: true`")
    run = wiring.write(phase["ended"], deletes=True)
    if isinstance(case.ended, str):
        assert run.count(name) == {"rejected": 1}
        assert case.ended in run.rejected[-1][1]
        return
    assert run.error is None
    assert run.count(name) == {"removed": case.ended}
    record = shown(wiring, name, "1")
    assert record.get(case.left[0]) == case.left[1] if case.left else not record
    again = wiring.write(phase["ended"], deletes=True)
    assert again.count(name) == {"unchanged": case.ended}
