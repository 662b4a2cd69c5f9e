"""The rules for bank transactions and transfers between bank accounts."""

from __future__ import annotations

from ..accounting import settlement
from ..accounting.currencies import in_base, market_rate
from ..values import ZERO, Record, money, picked
from .documents import SETTLED, Spec, default_theme, heading, own
from .lines import Lines, account, tracking, with_lines
from .work import Work

ONLY_STATUS = "Only Status accepted for updates."
RECONCILED = "This Bank Transaction cannot be edited as it has been reconciled with a Bank Statement."
_NAMED = ("AccountID", "Code", "Name")


# --- bank transactions -----------------------------------------------------------------------------------

BANK_TRANSACTION = Spec(
    "BankTransactions",
    "",
    "",
    "Bank Transaction",
    "SPEND RECEIVE SPEND-OVERPAYMENT RECEIVE-OVERPAYMENT SPEND-PREPAYMENT RECEIVE-PREPAYMENT",
    "Reference Url",
    amounts="Inclusive",
    fresh={"Reference": "", "IsReconciled": False, "HasAttachments": False},
)
_CREDITS = {"OVERPAYMENT": ("Overpayments", "OverpaymentID"), "PREPAYMENT": ("Prepayments", "PrepaymentID")}


_IN_CREDIT = (
    "Type Reference Contact Date Status LineAmountTypes LineItems CurrencyCode CurrencyRate SubTotal TotalTax Total"
).split()
"""The fields of a bank transaction that its overpayment or prepayment has as well."""

_IN_LEDGER = "Date Contact LineItems LineAmountTypes CurrencyRate BankAccount Reference".split()


def save_bank_transaction(work: Work, current: Record | None) -> Record:
    """Check and store money spent or received; overpayments and prepayments create that credit as well."""
    status = work.sent.get("Status", "AUTHORISED")
    if current is not None:
        _editable(work, current)
        if status in {"DELETED", "VOIDED"}:
            return _delete_transaction(work, current)
    if status != "AUTHORISED":
        work.refuse(f"The status '{status}' is not valid for bank transactions")
    transaction = _transaction(work, current)
    work.echo = {**own(BANK_TRANSACTION, transaction), **work.echo}
    work.stop()
    if current is not None:
        if all(transaction.get(name) == current.get(name) for name in _IN_LEDGER):
            return work.put("BankTransactions", transaction)
        held = current.get("OverpaymentID") or current.get("PrepaymentID")
        work.reverse(held or current["BankTransactionID"])
    credit = _CREDITS.get(transaction["Type"].partition("-")[2])
    if credit is not None:
        _hold(work, transaction, *credit)
    work.post(work.ledger.post_bank_transaction(transaction, work.at))
    return work.put("BankTransactions", transaction)


def _transaction(work: Work, current: Record | None) -> Record:
    """The transaction with the fields that were sent, and its lines."""
    sent = work.sent
    bank = bank_account(work, sent.get("BankAccount", (current or {}).get("BankAccount")))
    work.sent = {**sent, **({"CurrencyCode": bank["CurrencyCode"]} if bank.get("CurrencyCode") else {})}
    transaction = heading(work, BANK_TRANSACTION, current)
    transaction.update(Status="AUTHORISED", BankAccount=picked(bank, _NAMED))
    transaction.update(picked(sent, ["IsReconciled"]))
    kind = str(transaction.get("Type") or "")
    credit = kind.partition("-")[2] in _CREDITS
    if credit:
        if "LineAmountTypes" not in sent and current is None:
            transaction["LineAmountTypes"] = "NoTax"
        _to_control(work, kind)
    work.lock_dates(transaction["Date"], (current or {}).get("Date"))
    if not (bank and kind and transaction.get("Contact")):
        return transaction
    form = Lines(sale=kind.startswith("RECEIVE"), complete=True, control=credit)
    return with_lines(work, transaction, form, current)


def bank_account(work: Work, named: Record | None) -> Record:
    """The named bank account; an empty record if there is none."""
    found = account(work, named or {}, "Code")
    if found is None or found["Type"] != "BANK":
        work.refuse("The BankAccount could not be found" if named else "BankAccount must be specified")
        return {}
    if found["Status"] != "ACTIVE":
        work.refuse("The BankAccount has been archived")
    return {"CurrencyCode": work.base, **found}


def _editable(work: Work, current: Record) -> None:
    if current["Status"] != "AUTHORISED" or str(current["Type"]).endswith("-TRANSFER"):
        work.fail("Bank Transaction not of valid status for modification")
    if current.get("IsReconciled"):
        work.fail(RECONCILED)
    for path, key in _CREDITS.values():
        held = work.get(path, current.get(key))
        if held is not None and settlement.used(held):
            work.fail(SETTLED)


def _delete_transaction(work: Work, current: Record) -> Record:
    work.lock_dates(current["Date"])
    work.stop()
    source = current["BankTransactionID"]
    for path, key in _CREDITS.values():
        held = work.get(path, current.get(key))
        if held is not None:
            source = held[key]
            work.put(path, settlement.ended(held, "VOIDED", work.at))
    work.reverse(source)
    return work.put("BankTransactions", {**current, "Status": "DELETED"})


def _to_control(work: Work, kind: str) -> None:
    """Code the lines of overpayments and prepayments to receivables or payables by default."""
    control = work.organisation.chart.system["DEBTORS" if kind.startswith("RECEIVE") else "CREDITORS"]
    code = {"AccountCode": control["Code"]}
    if "LineItems" in work.sent:
        lines = work.sent["LineItems"]
        coded = [one if one.get("AccountCode") or "AccountID" in one else {**one, **code} for one in lines]
        work.sent = {**work.sent, "LineItems": coded}


def _hold(work: Work, transaction: Record, path: str, key: str) -> None:
    """Store the overpayment or prepayment of a bank transaction."""
    if key not in transaction:
        transaction[key] = work.new_id("credit")
    held: Record = {key: transaction[key], **picked(transaction, _IN_CREDIT)}
    held.update(RemainingCredit=ZERO, Allocations=[], Payments=[], HasAttachments=False)
    if key == "PrepaymentID":  # its reference has both names (Reference in Xero's API definition)
        held.update(ID=transaction[key], InvoiceNumber=held.get("Reference", ""))
    if transaction["Type"] == "RECEIVE-PREPAYMENT" and (theme := default_theme(work)):
        held["BrandingThemeID"] = theme
    work.put(path, settlement.settled(held))


# --- bank transfers --------------------------------------------------------------------------------------


def save_transfer(work: Work, current: Record | None) -> Record:
    """Transfer money between two bank accounts, or delete a transfer (possible since July 2026)."""
    sent = work.sent
    if current is not None or work.origin.updates:
        return _delete_transfer(work, current)
    sides = {side: bank_account(work, sent.get(f"{side}BankAccount")) for side in ("From", "To")}
    amount = money(sent.get("Amount", ZERO))
    if amount <= 0:
        work.refuse("Amount must be greater than zero")
    if sides["From"] and sides["From"] == sides["To"]:
        work.refuse("The FromBankAccount and ToBankAccount must be different")
    day = sent.get("Date") or work.today
    work.lock_dates(day)
    ways = {side: _transfer_tracking(work, sent.get(f"{side}Tracking", [])) for side in sides}
    work.stop()
    code = sides["From"]["CurrencyCode"]
    rate = market_rate(code, work.base, day)
    transfer: Record = {
        "BankTransferID": work.new_id(),
        "Date": day,
        "Status": "AUTHORISED",
        "Amount": amount,
        "Reference": sent.get("Reference", ""),
        "HasAttachments": False,
        "CurrencyRate": rate,
    }
    for side, bank in sides.items():
        named = picked(bank, _NAMED)
        other = market_rate(bank["CurrencyCode"], work.base, day)
        moved = amount if bank["CurrencyCode"] == code else money(in_base(amount, rate) * other)
        transaction = {
            "BankTransactionID": work.new_id(side.lower()),
            "BankAccount": named,
            "Type": "SPEND-TRANSFER" if side == "From" else "RECEIVE-TRANSFER",
            "Reference": transfer["Reference"],
            "IsReconciled": sent.get(f"{side}IsReconciled", False),
            "HasAttachments": False,
            "Date": day,
            "Status": "AUTHORISED",
            "LineAmountTypes": "NoTax",
            "LineItems": [],
            "SubTotal": moved,
            "TotalTax": ZERO,
            "Total": moved,
            "CurrencyCode": bank["CurrencyCode"],
            "CurrencyRate": other,
        }
        work.put("BankTransactions", transaction)
        transfer[f"{side}BankAccount"] = named
        transfer[f"{side}BankTransactionID"] = transaction["BankTransactionID"]
        transfer[f"{side}IsReconciled"] = transaction["IsReconciled"]
        transfer[f"{side}Tracking"] = ways[side]
    work.post(work.ledger.post_transfer(transfer, work.at))
    return work.put("BankTransfers", transfer)


def _transfer_tracking(work: Work, sent: list[Record]) -> list[Record]:
    for one in sent:
        if not one.get("TrackingCategoryID") or not one.get("TrackingOptionID"):
            work.refuse("TrackingCategoryID and TrackingOptionID must be specified")
            return []
    return tracking(work, sent, work.refuse)


def _delete_transfer(work: Work, current: Record | None) -> Record:
    if current is None:
        work.fail("BankTransferID must be specified")
    if work.sent.get("Status") != "DELETED" or set(work.sent) - {"BankTransferID", "Status"}:
        work.refuse(ONLY_STATUS)
    if current["Status"] == "DELETED":
        work.refuse("Bank Transfer not of valid status for modification")
    sides = [work.get("BankTransactions", current[f"{side}BankTransactionID"]) for side in ("From", "To")]
    if any(one and one.get("IsReconciled") for one in sides):
        work.refuse(RECONCILED)
    work.lock_dates(current["Date"])
    work.stop()
    work.reverse(current["BankTransferID"])
    for one in sides:
        if one is not None:
            work.put("BankTransactions", {**one, "Status": "DELETED"})
    return work.put("BankTransfers", {**current, "Status": "DELETED"})
