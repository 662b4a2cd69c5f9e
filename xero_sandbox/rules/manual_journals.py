"""The rules for manual journals."""

from __future__ import annotations

from ..accounting import totals
from ..accounting.settlement import DEAD
from ..values import ZERO, Record, money, picked
from .checks import require, tax_type_error
from .lines import account, amount_types, none_type, tracking
from .work import Work

_STEPS = {"": "DRAFT POSTED", "DRAFT": "DRAFT POSTED DELETED", "POSTED": "POSTED VOIDED"}
_SYSTEM = frozenset({"DEBTORS", "CREDITORS", "RETAINEDEARNINGS"})
"""System accounts that take no manual journal; neither do bank and inventory accounts (Xero's documentation)."""


_IN_LEDGER = ("Date", "JournalLines", "LineAmountTypes", "Narration")


def save_manual_journal(work: Work, current: Record | None) -> Record:
    """Check and store a manual journal; its lines have no ids, so all of them are replaced."""
    was = current["Status"] if current else ""
    status = str(work.sent.get("Status", was or "DRAFT"))
    if status not in _STEPS.get(was, "").split():
        work.fail(f"Manual Journal not of valid status for {work.doing}")
    if current is not None and status in DEAD:
        return _end(work, current, status)
    journal = _journal(work, current, status)
    _check_balance(work, journal)
    shown = {name: one for name, one in journal.items() if name != "ManualJournalID"}
    work.echo = {**shown, **work.echo, "JournalLines": journal.get("JournalLines", [])}
    before = current if was == "POSTED" else None
    if status == "POSTED":
        work.lock_dates(journal["Date"], before["Date"] if before else None)
    work.stop()
    if before is not None:
        if all(journal.get(name) == before.get(name) for name in _IN_LEDGER):
            return work.put("ManualJournals", journal)
        work.reverse(before["ManualJournalID"])
    if status == "POSTED":
        work.post(work.ledger.post_manual_journal(journal, work.at))
    return work.put("ManualJournals", journal)


def _journal(work: Work, current: Record | None, status: str) -> Record:
    """The journal with the fields that were sent."""
    sent = work.sent
    journal: Record = dict(current or {"ManualJournalID": work.new_id(), "HasAttachments": False})
    journal.setdefault("ShowOnCashBasisReports", True)
    journal.update(picked(sent, ("Narration", "Url", "ShowOnCashBasisReports")))
    journal["Status"] = status
    journal["Date"] = sent.get("Date") or journal.get("Date") or work.today
    journal["LineAmountTypes"] = amount_types(work, journal.get("LineAmountTypes", "NoTax"))
    if not journal.get("Narration"):
        work.refuse("Narration must be specified")
    if "JournalLines" in sent:
        lines = (_line(work, one, journal["LineAmountTypes"]) for one in sent["JournalLines"])
        journal["JournalLines"] = [line for line in lines if line is not None]
    return journal


def _end(work: Work, current: Record, status: str) -> Record:
    """Void a posted journal or delete a draft."""
    if status == "VOIDED":
        work.lock_dates(current["Date"])
        work.stop()
        work.reverse(current["ManualJournalID"])
    return work.put("ManualJournals", {**current, "Status": status})


def _line(work: Work, sent: Record, kind: str) -> Record | None:
    """One line, or None for an unknown account: Xero drops such a line with a warning (API definition)."""
    found = account(work, sent)
    name = sent.get("AccountCode") or sent.get("AccountID") or ""
    if found is None:
        work.warn(f"Account code '{name}' has been removed as it does not match a recognised account.")
        return None
    if (
        found.get("SystemAccount") in _SYSTEM
        or found["Type"] in {"BANK", "INVENTORY"}
        or found["Status"] != "ACTIVE"
    ):
        work.refuse(f"Account code '{name}' is not a valid code for this document.")
    require(work, sent, "LineAmount")
    untaxed = kind == "NoTax"
    tax_type = none_type(work) if untaxed else sent.get("TaxType") or found.get("TaxType") or none_type(work)
    rate = work.first("TaxRates", "TaxType", tax_type)
    if rate is None or rate["Status"] != "ACTIVE":
        work.refuse(tax_type_error(tax_type))
    amount = money(sent.get("LineAmount", ZERO))
    line: Record = {"Description": sent["Description"]} if sent.get("Description") else {}
    line.update(
        {
            "TaxType": tax_type,
            "TaxAmount": totals.line_tax(amount, rate["EffectiveRate"] if rate else ZERO, kind),
            "LineAmount": amount,
            "AccountCode": found.get("Code", ""),
            "Tracking": tracking(work, sent.get("Tracking", []), work.refuse),
            "AccountID": found["AccountID"],
            "IsBlank": False,
        }
    )
    return line


def _check_balance(work: Work, journal: Record) -> None:
    """Refuse a journal whose debits and credits, tax included, are not equal."""
    lines = journal.get("JournalLines", [])
    exclusive = journal["LineAmountTypes"] == "Exclusive"
    amounts = [line["LineAmount"] + (line["TaxAmount"] if exclusive else ZERO) for line in lines]
    debit = sum((one for one in amounts if one > 0), ZERO)
    credit = sum((one for one in amounts if one < 0), ZERO)
    if len(lines) < 2 and not work.warnings:
        work.refuse("A manual journal must have at least two journal lines")
    if debit + credit:
        work.refuse(f"The total debits ({debit}) must equal total credits ({credit})")
    elif not debit:
        work.refuse("A manual journal must have a total other than zero")
