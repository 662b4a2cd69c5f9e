"""A small company to write to, and a check that its books agree after every write."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import requests

CENT = Decimal("0.01")
DEAD = {"VOIDED", "DELETED"}
CREDITS = {"CreditNotes": "CreditNoteID", "Prepayments": "PrepaymentID", "Overpayments": "OverpaymentID"}


def number(value: Any) -> Decimal:
    return Decimal(str(value or 0))


def in_base(amount: Decimal, rate: Any) -> Decimal:
    worth = number(rate) or Decimal(1)
    return (amount / worth).quantize(CENT, ROUND_HALF_UP)


def books_agree(admin: Any, tenant: str | None = None) -> None:
    """Journals are balanced and without gaps; documents, their payments and credits, and the ledger agree."""

    def records(resource: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = admin.records(resource, tenant)
        return found

    journals = records("Journals")
    for journal in journals:
        assert sum(number(line["NetAmount"]) for line in journal["JournalLines"]) == 0, journal
    numbers = sorted(journal["JournalNumber"] for journal in journals)
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True

    payments = [one for one in records("Payments") if one["Status"] == "AUTHORISED"]
    paid: dict[str, Decimal] = defaultdict(Decimal)
    for payment in payments:
        paid[payment["Invoice"]["InvoiceID"]] += number(payment["Amount"])
    systems = {
        one["AccountID"]: one["SystemAccount"] for one in records("Accounts") if one.get("SystemAccount")
    }
    control: dict[str, Decimal] = defaultdict(Decimal)
    applied: dict[str, Decimal] = defaultdict(Decimal)
    held = {path: records(path) for path in CREDITS}
    for path, key in CREDITS.items():
        for credit in held[path]:
            allocated = sum((number(one["Amount"]) for one in credit["Allocations"]), Decimal())
            for one in credit["Allocations"]:
                applied[one["Invoice"]["InvoiceID"]] += number(one["Amount"])
            left = number(credit["Total"]) - allocated - paid[credit[key]]
            _owes(credit, left, "RemainingCredit")
            sale = credit["Type"].startswith(("RECEIVE", "ACCREC"))
            if path == "Prepayments" and not _in_control(credit, systems):
                continue  # it is posted to the accounts of its lines
            if credit["Status"] in {"AUTHORISED", "PAID"}:
                whole = in_base(number(credit["Total"]), credit.get("CurrencyRate"))
                gone = in_base(allocated + paid[credit[key]], credit.get("CurrencyRate"))
                control["DEBTORS" if sale else "CREDITORS"] += (gone - whole) if sale else (whole - gone)
    for invoice in records("Invoices"):
        key = invoice["InvoiceID"]
        assert number(invoice["AmountPaid"]) == paid[key], invoice
        assert number(invoice["AmountCredited"]) == applied[key], invoice
        left = number(invoice["Total"]) - paid[key] - applied[key]
        _owes(invoice, left, "AmountDue")
        if invoice["Status"] in {"AUTHORISED", "PAID"}:
            whole = in_base(number(invoice["Total"]), invoice.get("CurrencyRate"))
            owed = whole - in_base(paid[key] + applied[key], invoice.get("CurrencyRate"))
            sale = invoice["Type"] == "ACCREC"
            control["DEBTORS" if sale else "CREDITORS"] += owed if sale else -owed
        assert number(invoice["SubTotal"]) + number(invoice["TotalTax"]) == number(invoice["Total"]), invoice

    ledger: dict[str, Decimal] = defaultdict(Decimal)
    by_source: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for journal in journals:
        for line in journal["JournalLines"]:
            ledger[systems.get(line["AccountID"], "")] += number(line["NetAmount"])
            by_source[journal.get("SourceID", "")][line["AccountID"]] += number(line["NetAmount"])
    opening = by_source.get("", {})
    for system in ("DEBTORS", "CREDITORS"):
        account = next((key for key, name in systems.items() if name == system), "")
        assert ledger[system] - opening.get(account, Decimal()) == control[system], (system, ledger, control)
    _in_ledger(records, by_source)


def _in_control(prepayment: Mapping[str, Any], systems: Mapping[str, str]) -> bool:
    accounts = {systems.get(line.get("AccountID", "")) for line in prepayment["LineItems"]}
    return bool(accounts & {"DEBTORS", "CREDITORS"})


def _owes(document: Mapping[str, Any], left: Decimal, field: str) -> None:
    assert number(document[field]) == (0 if document["Status"] in DEAD else left), document
    if document["Status"] in {"AUTHORISED", "PAID"}:
        assert (document["Status"] == "PAID") == (left == 0), document
    assert left >= 0, document


def _in_ledger(records: Any, by_source: Mapping[str, Mapping[str, Decimal]]) -> None:
    """Approved documents change accounts; drafts, voided and deleted ones do not."""
    kinds = {
        "Invoices": ("InvoiceID", {"AUTHORISED", "PAID"}),
        "CreditNotes": ("CreditNoteID", {"AUTHORISED", "PAID"}),
        "ManualJournals": ("ManualJournalID", {"POSTED"}),
        "Payments": ("PaymentID", {"AUTHORISED"}),
        "BankTransfers": ("BankTransferID", {"AUTHORISED"}),
    }
    for path, (key, live) in kinds.items():
        for record in records(path):
            moved = any(by_source.get(record[key], {}).values())
            total = number(record.get("Total", 1))
            assert moved == (record["Status"] in live and total != 0), (path, record)


class Company:
    """Writes to one organisation by plain HTTP."""

    def __init__(self, caller: Any, admin: Any, tenant: str | None = None) -> None:
        self.caller, self.admin, self.tenant = caller, admin, tenant

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        """The raw answer; ``options`` are query parameters, ``headers`` and ``data`` go to requests."""
        more = {name: options.pop(name) for name in ("headers", "data") if name in options}
        response: requests.Response = self.caller.call(path, method, json=body, params=options, **more)
        return response

    def each(self, method: str, path: str, *elements: Any, **params: Any) -> list[dict[str, Any]]:
        """All elements of a 200 to a batch with summarizeErrors=false."""
        key = path.partition("/")[0]
        response = self.send(method, path, {key: list(elements)}, **{"summarizeErrors": "false", **params})
        assert response.status_code == 200, (response.status_code, response.text)
        found: list[dict[str, Any]] = response.json()[key]
        assert len(found) == len(elements)
        return found

    def put(self, path: str, element: Any, **params: Any) -> dict[str, Any]:
        """Create one record; fails if it is refused."""
        return self._done("PUT", path, element, **params)

    def post(self, path: str, element: Any, **params: Any) -> dict[str, Any]:
        """Create or update one record; fails if it is refused."""
        return self._done("POST", path, element, **params)

    def _done(self, method: str, path: str, element: Any, **params: Any) -> dict[str, Any]:
        (found,) = self.each(method, path, element, **params)
        assert found.get("StatusAttributeString") in {None, "OK", "WARNING"}, found
        return found

    def refused(self, method: str, path: str, element: Any, **params: Any) -> list[str]:
        """The messages that refuse one element, of which nothing may be stored."""
        before = self.admin.organisations()
        (found,) = self.each(method, path, element, **params)
        assert found["StatusAttributeString"] == "ERROR", found
        assert "UpdatedDateUTC" not in found
        assert self.admin.organisations() == before, "something was left behind"
        return [one["Message"] for one in found["ValidationErrors"]]

    def get(self, resource: str, identifier: str, **params: Any) -> dict[str, Any]:
        """One record as a single GET shows it."""
        body = self.caller.get(f"{resource}/{identifier}", **params)
        return dict(body["Organisations" if resource == "Organisation" else resource][0])

    def kept(self, resource: str, identifier: str) -> dict[str, Any]:
        """One record as the admin API shows it."""
        found: dict[str, Any] = self.admin.record(resource, identifier, self.tenant)
        return found

    def count(self, resource: str) -> int:
        return len(self.admin.records(resource, self.tenant))

    def trial_balance(self) -> tuple[Decimal, Decimal]:
        """Debits and credits of all accounts to the end of the year, from the report."""
        (report,) = self.caller.get("Reports/TrialBalance", date="2027-03-31")["Reports"]
        rows = [
            row for section in report["Rows"] for row in section.get("Rows", ()) if row["RowType"] == "Row"
        ]
        sides = zip(*([number(cell["Value"]) for cell in row["Cells"][3:5]] for row in rows), strict=True)
        debits, credited = (sum(side, Decimal()) for side in sides) if rows else (Decimal(), Decimal())
        return debits, credited

    # --- records that most tests need

    def bank(self, code: str = "090", **more: Any) -> dict[str, Any]:
        body = {
            "Code": code,
            "Name": f"Bank {code}",
            "Type": "BANK",
            "BankAccountNumber": f"12-{code}",
            **more,
        }
        return self.put("Accounts", body)

    def invoice(self, total: Any = 115, **more: Any) -> dict[str, Any]:
        """An approved sales invoice (or what ``more`` says) of that total, tax included."""
        due = {"DueDate": "2026-12-19"}
        return self.put("Invoices", self._document("ACCREC", "Work", total, {**due, **more}))

    def credit_note(self, total: Any = 115, **more: Any) -> dict[str, Any]:
        """An approved credit note to a customer (or what ``more`` says) of that total, tax included."""
        return self.put("CreditNotes", self._document("ACCRECCREDIT", "Returned", total, more))

    def _document(self, kind: str, text: str, total: Any, more: dict[str, Any]) -> dict[str, Any]:
        account = "400" if str(more.get("Type")).startswith("ACCPAY") else "200"
        line = {"Description": text, "Quantity": 1, "UnitAmount": total, "AccountCode": account}
        return {
            "Type": kind,
            "Contact": {"Name": "Ada"},
            "Date": "2026-11-19",
            "Status": "AUTHORISED",
            "LineAmountTypes": "Inclusive",
            "LineItems": [line],
            **more,
        }

    def pay(self, invoice: Mapping[str, Any], amount: Any, bank: str = "090", **more: Any) -> dict[str, Any]:
        body = {
            "Invoice": {"InvoiceID": invoice["InvoiceID"]},
            "Account": {"Code": bank},
            "Date": "2026-11-20",
            "Amount": amount,
            **more,
        }
        return self.put("Payments", body)
