"""The rules for accounts."""

from __future__ import annotations

from ...accounting.chart import CLASSES, REPORTING
from ...values import Record, picked
from ..checks import check_currency, check_lengths, check_status, check_tax_type
from ..lines import none_type, used
from ..work import Work

_ACCOUNT = (
    "Code Name Type BankAccountNumber Description BankAccountType CurrencyCode TaxType EnablePaymentsToAccount"
    " ShowInExpenseClaims AddToWatchlist"
).split()
_NEW = "EnablePaymentsToAccount ShowInExpenseClaims BankAccountType HasAttachments AddToWatchlist".split()
_NEW_ACCOUNT: Record = {**dict.fromkeys(_NEW, False), "BankAccountType": ""}


def save_account(work: Work, current: Record | None) -> Record:
    """Check and store an account; bank accounts need a number, all others a code."""
    sent = work.sent
    status = str(sent.get("Status", (current or {}).get("Status", "ACTIVE")))
    record: Record = {**_NEW_ACCOUNT, **(current or {"AccountID": work.new_id()})}
    record.update(picked(sent, _ACCOUNT))
    _account_change(work, current, status)
    _account_type(work, record, current)
    _account_names(work, record)
    check_tax_type(work, sent.get("TaxType"))
    if record.get("Type") == "BANK":
        check_currency(work, record.setdefault("CurrencyCode", work.base))
        record["BankAccountType"] = record["BankAccountType"] or "BANK"
    work.stop()
    record["Class"] = CLASSES[record["Type"]]
    if not record.get("TaxType"):
        record["TaxType"] = _default_tax(work, record["Class"])
    record["ReportingCode"], record["ReportingCodeName"] = REPORTING[record["Class"]]
    record["Status"] = status
    return work.put("Accounts", record)


def _account_change(work: Work, current: Record | None, status: str) -> None:
    """Check a change: system accounts cannot be edited, nor the status together with other fields."""
    before = current or {}
    changed = any(name in work.sent and work.sent[name] != before.get(name) for name in _ACCOUNT)
    if before.get("SystemAccount") and (changed or status != before["Status"]):
        work.fail("System accounts cannot be edited")
    if current is not None and current["Status"] != "ACTIVE" and changed:
        work.refuse("Archived accounts cannot be edited")
    check_status(work, status, current, "ARCHIVED", "accounts")
    if current is not None and status != current["Status"] and changed:
        work.refuse("The Status of an account cannot be changed together with other fields")


def _account_type(work: Work, record: Record, current: Record | None) -> None:
    kind = record.get("Type", "")
    if kind not in CLASSES:
        work.refuse("Account Type must be specified" if not kind else f"Account Type '{kind}' is not valid")
    elif current is not None and "BANK" in {kind, current["Type"]} and kind != current["Type"]:
        work.refuse("The Type of a bank account cannot be changed")


def _account_names(work: Work, record: Record) -> None:
    bank = record.get("Type") == "BANK"
    if not record.get("Name"):
        work.refuse("Please enter a Name.")
    if bank and not record.get("BankAccountNumber"):
        work.refuse("Please enter a BankAccountNumber.")
    if not bank and not record.get("Code"):
        work.refuse("Please enter a Code.")
    if len(record.get("Code", "")) > 10:
        work.refuse("Account Code is too long. Maximum of 10 characters allowed")
    check_lengths(work, {"Name": 150, "Description": 4000})
    for name in ("Name", "Code"):
        if work.others("Accounts", name, record.get(name), record):
            work.refuse(f"Please enter a unique {name}.")


def _default_tax(work: Work, group: str) -> str:
    """The default tax type of a new account: that of sales or expenses, or none."""
    wanted = {"REVENUE": "OUTPUT", "EXPENSE": "INPUT"}.get(group)
    for rate in work.organisation.records("TaxRates"):
        if wanted and rate["Status"] == "ACTIVE" and rate["TaxType"].rstrip("0123456789") == wanted:
            return str(rate["TaxType"])
    return none_type(work)


def delete_account(work: Work, found: Record) -> Record:
    """Delete an account without transactions."""
    sides, code, key = ("SalesDetails", "PurchaseDetails"), found.get("Code"), found["AccountID"]
    items, journals = work.organisation.records("Items"), work.organisation.records("Journals")
    coded = any(code and code in item.get(side, {}).values() for item in items for side in sides)
    posted = any(line.get("AccountID") == key for journal in journals for line in journal["JournalLines"])
    if found.get("SystemAccount"):
        work.fail("System accounts cannot be deleted")
    if coded or posted or used(work, "AccountID", key):
        work.fail("The account cannot be deleted because it has transactions; archive it instead")
    work.remove("Accounts", found["AccountID"])
    return {**found, "Status": "DELETED"}
