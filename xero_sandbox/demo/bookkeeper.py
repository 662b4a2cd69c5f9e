"""The everyday business of one organisation, entered in Xero: invoices go out, payments come in.

A `Bookkeeper` writes by the rules that answer a write through the API, as a person who works in Xero itself, at any
instant of the past. What breaks a rule is a mistake in the story and raises `ValueError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import sha1
from typing import Any
from uuid import UUID

from ..accounting import double_entry as books
from ..accounting.double_entry import ONE, ZERO, Posting, Record
from ..resources import RESOURCES
from ..rules import banking, contacts, reference_data
from ..rules.lines import Lines, with_lines
from ..rules.registry import RULES
from ..rules.work import Origin, Work, attempt, chart_of, tried
from ..state.organisation import Organisation

_DOCUMENT_OF = {
    "Invoices": "Invoice",
    "CreditNotes": "CreditNote",
    "Prepayments": "Prepayment",
    "Overpayments": "Overpayment",
}
"""What a payment calls the document that it pays."""


_BARE_LINES = frozenset({"Receipts", "RepeatingInvoices"})
"""Documents whose lines are named by their place alone."""


class Guids:
    """GUIDs made from names (version 5): the same name gives the same GUID, in every run."""

    def __init__(self, namespace: UUID, scope: str) -> None:
        self._seed = sha1(namespace.bytes + scope.encode() + b"/")  # noqa: S324 (an id, no secret)

    def __call__(self, name: str) -> str:
        """The GUID of `name`."""
        digest = self._seed.copy()
        digest.update(name.encode())
        text = digest.hexdigest()
        variant = "89ab"[int(text[16], 16) & 3]
        return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{variant}{text[17:20]}-{text[20:32]}"


def _first_sunday(year: int, month: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(6 - first.weekday()) % 7)


def local_time(day: date, seconds: int, millisecond: int = 0) -> datetime:
    """An instant of a New Zealand business day: `seconds` after local midnight, as an aware UTC datetime.

    Daylight saving (UTC+13) runs from the last Sunday of September to the first Sunday of April. The
    milliseconds are those SQL Server can hold: they end in 0, 3 or 7.
    """
    summer_ends = _first_sunday(day.year, 4)
    summer_starts = _first_sunday(day.year, 10) - timedelta(days=7)
    offset = 12 if summer_ends <= day < summer_starts else 13
    midnight = datetime(day.year, day.month, day.day, tzinfo=timezone.utc)
    tick = round(millisecond * 300 / 1000) * 1000 / 300
    return midnight + timedelta(hours=-offset, seconds=seconds, milliseconds=round(tick) % 1000)


def business_day(day: date) -> date:
    """The day itself, or the Monday after a weekend."""
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)


class Bookkeeper:
    """Works in one organisation.

    `guid` makes an id from a name that is unique within the organisation; `bank` is the code of the account that
    money goes through unless another one is given; `first_journal` is the number of the first journal in an
    organisation that has none. `changed` holds the ids of what was written, by resource, the latest change last;
    `entries` what the journals have moved, by AccountID.
    """

    def __init__(
        self,
        organisation: Organisation,
        guid: Callable[[str], str],
        bank: str = "090",
        first_journal: int = 1,
    ) -> None:
        self.organisation, self.guid, self.bank = organisation, guid, bank
        self._first_journal = first_journal
        self.changed: dict[str, dict[str, None]] = {}
        self.entries: dict[str, list[tuple[date, Decimal]]] = {}
        self._counts: dict[str, int] = {}

    # --- records

    @property
    def chart(self) -> books.Chart:
        """The organisation's accounts, tax rates and tracking."""
        return chart_of(self.organisation)

    def get(self, resource: str, key: str) -> Record:
        """The record as it stands now."""
        return self.organisation.table(resource).rows[key]

    def all(self, resource: str) -> list[Record]:
        """What was written of a resource, as it stands now, the latest change last."""
        rows = self.organisation.table(resource).rows
        return [rows[key] for key in self.changed.get(resource, ())]

    def balance(self, code: str, day: date | None = None) -> Decimal:
        """What an account holds in the ledger, in base currency; up to `day` if one is given."""
        entries = self.entries.get(self.chart.account({"Code": code})["AccountID"], ())
        return sum((net for on, net in entries if day is None or on <= day), ZERO)

    def number(self, prefix: str, taken: Iterable[str] = ()) -> str:
        """The next number of a series such as INV-0001, after those `taken`."""
        if prefix not in self._counts:
            used = [int(n.removeprefix(prefix)) for n in taken if n.removeprefix(prefix).isdigit()]
            self._counts[prefix] = max(used, default=0)
        self._counts[prefix] += 1
        return f"{prefix}{self._counts[prefix]:04d}"

    def put(self, resource: str, record: Record) -> Record:
        """Keep a record of a kind that the API cannot write, as it is."""
        key = record[RESOURCES[resource].id]
        self._noted(resource, key)
        return self.organisation.put(resource, record, touch=False)

    def _noted(self, resource: str, key: str) -> None:
        table = self.changed.setdefault(resource, {})
        table.pop(key, None)
        table[key] = None

    def _work(self, path: str, asked: Record, at: datetime | None, name: str = "") -> Work:
        return Work(self.organisation, path, asked, self._origin(path, at, name))

    def _origin(self, path: str, at: datetime | None, name: str, *, updates: bool = False) -> Origin:
        def new_id(part: str) -> str:
            if part.startswith("/"):
                return self.guid(part[1:])
            if path in _BARE_LINES:
                part = part.removeprefix("line/")
            return self.guid(f"{name}/{part}" if part else name)

        return Origin(
            updates=updates, four_decimals=True, at=at, new_id=new_id, first_journal=self._first_journal
        )

    def create(self, path: str, asked: Record, at: datetime, name: str) -> Record:
        """Write a new record; `name` makes its ids."""
        return self._done(attempt(self.organisation, path, RULES[path], asked, self._origin(path, at, name)))

    def update(self, path: str, key: str, at: datetime, **asked: Any) -> Record:
        """Change fields of a record."""
        asked[RESOURCES[path].id] = key
        origin = self._origin(path, at, key, updates=True)
        return self._done(attempt(self.organisation, path, RULES[path], asked, origin, key))

    def _done(self, work: Work) -> Record:
        if work.failed:
            raise ValueError(f"{work.path} {work.asked}: {'; '.join(work.errors)}")
        for path, key in work.touched:
            self._noted(path, key)
        for journal in work.posted:
            self._noted("Journals", journal["JournalID"])
            for line in journal["JournalLines"]:
                entry = (journal["JournalDate"], line["NetAmount"])
                self.entries.setdefault(line["AccountID"], []).append(entry)
        record = work.answer or {}
        return self.organisation.table(work.path).rows.get(str(record.get(RESOURCES[work.path].id)), record)

    def post(self, at: datetime, journal: Callable[[books.Ledger], Record]) -> Record:
        """Put a journal into the ledger that belongs to no record the API can write."""
        work = self._work("Journals", {}, at)

        def save() -> Record:
            made = journal(work.ledger)
            work.post(made)
            return made

        return self._done(tried(work, save))

    # --- lines

    def line(
        self,
        description: str,
        price: Decimal,
        account: str,
        *,
        quantity: Decimal = ONE,
        tax: str | None = None,
        item: str | None = None,
        tracking: Sequence[tuple[str, str]] = (),
        **more: Any,
    ) -> Record:
        """A line as it is typed in: tax type and tracking (category, option) by name."""
        line: Record = {
            "Description": description,
            "UnitAmount": price,
            "AccountCode": account,
            "Quantity": quantity,
            "TaxType": tax or self.chart.account({"Code": account})["TaxType"],
            "Tracking": [{"Name": name, "Option": option} for name, option in tracking],
            **more,
        }
        if item:
            line["ItemCode"] = item
        return line

    def with_lines(self, document: Record, asked: list[Record], name: str) -> Record:
        """A document of a kind that the API cannot write, with its lines and totals."""
        work = self._work("Receipts", {"LineItems": asked}, None, name)
        return with_lines(work, document, Lines(sale=False, complete=True), None)

    # --- invoices, bills and credit notes

    def invoice(
        self,
        kind: str,
        contact_id: str,
        day: date,
        at: datetime,
        lines: Sequence[Record],
        *,
        name: str,
        due: date | None,
        number: str = "",
        reference: str = "",
        status: str = "AUTHORISED",
        amounts: str = "Exclusive",
        currency: str | None = None,
        **more: Any,
    ) -> Record:
        """A sales invoice (ACCREC) or bill (ACCPAY).

        Most drafts have no DueDate yet, as recorded; they get one when they are approved.
        """
        asked = self._document(kind, contact_id, day, lines, status, amounts, currency, more)
        asked.update(InvoiceNumber=number, Reference=reference)
        undecided = status in ("DRAFT", "SUBMITTED") and int(self.guid(name)[:2], 16) % 4
        if due is not None and not undecided:
            asked["DueDate"] = due
        return self.create("Invoices", asked, at, name)

    def credit_note(
        self,
        kind: str,
        contact_id: str,
        day: date,
        at: datetime,
        lines: Sequence[Record],
        *,
        name: str,
        number: str = "",
        reference: str = "",
        status: str = "AUTHORISED",
        amounts: str = "Exclusive",
        currency: str | None = None,
        **more: Any,
    ) -> Record:
        """A credit note to a customer (ACCRECCREDIT) or from a supplier (ACCPAYCREDIT)."""
        asked = self._document(kind, contact_id, day, lines, status, amounts, currency, more)
        return self.create(
            "CreditNotes", {**asked, "CreditNoteNumber": number, "Reference": reference}, at, name
        )

    def _document(
        self,
        kind: str,
        contact_id: str,
        day: date,
        lines: Sequence[Record],
        status: str,
        amounts: str,
        currency: str | None,
        more: Mapping[str, Any],
    ) -> Record:
        return {
            "Type": kind,
            "Contact": {"ContactID": contact_id},
            "Date": day,
            "Status": status,
            "LineAmountTypes": amounts,
            "LineItems": list(lines),
            "CurrencyCode": currency or self.chart.base_currency,
            **more,
        }

    def approve(self, resource: str, key: str, at: datetime, **more: Any) -> Record:
        """A draft or submitted invoice, bill or credit note becomes AUTHORISED."""
        return self.update(resource, key, at, Status="AUTHORISED", **more)

    def end(self, resource: str, key: str, status: str, at: datetime) -> Record:
        """Void or delete a document; a bank transaction is taken back from the bank statement first."""
        record = self.get(resource, key)
        if record.get("IsReconciled"):
            self.organisation.put(resource, {**record, "IsReconciled": False}, touch=False)
        return self.update(resource, key, at, Status=status)

    def new_status(self, resource: str, key: str, status: str, at: datetime) -> Record:
        """An order or a quote goes on to another status; a quote takes its heading again, as its form sends it."""
        record = self.get(resource, key)
        again = ("Contact", "Date", "QuoteNumber", "Terms") if resource == "Quotes" else ()
        return self.update(resource, key, at, Status=status, **{name: record[name] for name in again})

    # --- payments and credits

    def pay(
        self,
        resource: str,
        key: str,
        day: date,
        at: datetime,
        *,
        amount: Decimal | None = None,
        bank: str | None = None,
        reference: str = "",
        reconciled: bool = True,
    ) -> Record:
        """Pay an invoice or bill, or refund a credit: all that is left, or `amount`."""
        document = self.get(resource, key)
        left = document["RemainingCredit" if books.is_credit(document) else "AmountDue"]
        asked = {
            _DOCUMENT_OF[resource]: {RESOURCES[resource].id: key},
            "Account": {"Code": bank or self.bank},
            "Date": day,
            "Amount": left if amount is None else amount,
            "Reference": reference,
            "IsReconciled": reconciled,
        }
        return self.create("Payments", asked, at, "")

    def delete_payment(self, payment_id: str, at: datetime) -> Record:
        """Take a payment back: it stays as DELETED, its document is open again."""
        return self.update("Payments", payment_id, at, Status="DELETED")

    def pay_batch(
        self, keys: Sequence[str], day: date, at: datetime, *, reference: str, reconciled: bool = True
    ) -> Record:
        """Pay several invoices or several bills in one bank line; everything changes at the same instant."""
        documents = [self.get("Invoices", key) for key in keys]
        asked: Record = {
            "Account": {"Code": self.bank},
            "Reference": reference,
            "Date": day,
            "IsReconciled": reconciled,
            "Payments": [
                {"Invoice": {"InvoiceID": one["InvoiceID"]}, "Amount": one["AmountDue"]} for one in documents
            ],
        }
        if documents[0]["Type"] == "ACCPAY":
            asked.update(Particulars="Invoices", Code="Tōtara", Details=f"{day:%d %b %Y}")
            asked["Narrative"] = f"Pay {day:%d %b %Y}"
        return self.create("BatchPayments", asked, at, f"batch/{day}/{keys[0]}")

    def allocate(self, resource: str, credit_id: str, invoice_id: str, day: date, at: datetime) -> None:
        """Set a credit note, prepayment or overpayment against an invoice, as far as both go."""
        credit, invoice = self.get(resource, credit_id), self.get("Invoices", invoice_id)
        amount = min(credit["RemainingCredit"], invoice["AmountDue"])
        work = self._work(resource, {"Amount": amount, "Date": day, "Invoice": {"InvoiceID": invoice_id}}, at)
        self._done(tried(work, lambda: banking.allocate(work, credit_id)))

    # --- bank

    def bank_transaction(
        self,
        kind: str,
        contact_id: str,
        day: date,
        at: datetime,
        lines: Sequence[Record],
        *,
        name: str,
        bank: str | None = None,
        reference: str = "",
        amounts: str = "Inclusive",
        reconciled: bool = True,
        **more: Any,
    ) -> Record:
        """Money spent or received; -OVERPAYMENT and -PREPAYMENT make that credit as well."""
        asked = {
            "Type": kind,
            "BankAccount": {"Code": bank or self.bank},
            "Contact": {"ContactID": contact_id},
            "Date": day,
            "LineAmountTypes": amounts,
            "LineItems": list(lines),
            "Reference": reference,
            "IsReconciled": reconciled,
            **more,
        }
        return self.create("BankTransactions", asked, at, name)

    def transfer(
        self, source: str, target: str, amount: Decimal, day: date, at: datetime, *, reference: str = ""
    ) -> Record:
        """Move money between two bank accounts; each side is a bank transaction of its own as well."""
        asked = {
            "FromBankAccount": {"Code": source},
            "ToBankAccount": {"Code": target},
            "Amount": amount,
            "Date": day,
            "Reference": reference,
            "FromIsReconciled": True,
            "ToIsReconciled": True,
        }
        return self.create("BankTransfers", asked, at, f"transfer/{day}/{source}/{target}")

    # --- the rest

    def manual_journal(
        self,
        narration: str,
        day: date,
        at: datetime,
        lines: Sequence[tuple[str, str, Decimal]],
        *,
        status: str = "POSTED",
        tracking: Sequence[tuple[str, str]] = (),
        **more: Any,
    ) -> Record:
        """A manual journal from (account code, description, amount) lines; a debit is positive."""
        tracked = [{"Name": name, "Option": option} for name, option in tracking]
        asked = {
            "Narration": narration,
            "Date": day,
            "Status": status,
            "JournalLines": [
                {
                    "Description": description,
                    "LineAmount": amount,
                    "AccountCode": code,
                    "Tracking": tracked if code[0] in "234" else [],
                }
                for code, description, amount in lines
            ],
            **more,
        }
        return self.create("ManualJournals", asked, at, f"manual/{day}/{narration}")

    def order(
        self,
        contact_id: str,
        day: date,
        at: datetime,
        lines: Sequence[Record],
        *,
        number: str,
        status: str,
        currency: str | None = None,
        **more: Any,
    ) -> Record:
        """A purchase order; orders never touch the ledger."""
        asked = {
            "Contact": {"ContactID": contact_id},
            "Date": day,
            "PurchaseOrderNumber": number,
            "Status": status,
            "CurrencyCode": currency or self.chart.base_currency,
            "LineItems": list(lines),
            "SentToContact": status in ("AUTHORISED", "BILLED"),
            **more,
        }
        return self.create("PurchaseOrders", asked, at, f"order/{number}")

    def quote(
        self,
        contact_id: str,
        day: date,
        at: datetime,
        lines: Sequence[Record],
        *,
        number: str,
        status: str,
        currency: str | None = None,
        **more: Any,
    ) -> Record:
        """A quote."""
        asked = {
            "Contact": {"ContactID": contact_id},
            "Date": day,
            "QuoteNumber": number,
            "Status": status,
            "CurrencyCode": currency or self.chart.base_currency,
            "LineItems": list(lines),
            **more,
        }
        return self.create("Quotes", asked, at, f"quote/{number}")

    def add_option(
        self, category_id: str, option: str, at: datetime, name: str, status: str = "ACTIVE"
    ) -> None:
        """Add an option to a tracking category, and archive it if `status` says so."""
        work = self._work("TrackingCategories", {"Name": option}, at, name)
        made = self._done(tried(work, lambda: reference_data.add_option(work, category_id)))
        if status != "ACTIVE":
            change = self._work("TrackingCategories", {"Status": status}, at, name)
            category = self.get("TrackingCategories", category_id)
            before = next(
                one for one in category["Options"] if one["TrackingOptionID"] == made["TrackingOptionID"]
            )
            self._done(tried(change, lambda: reference_data.save_option(change, category, before)))

    def add_members(self, group_id: str, members: list[Record], at: datetime) -> None:
        """Put contacts into a group."""
        work, group = self._work("ContactGroups", {}, at), self.get("ContactGroups", group_id)
        self._done(tried(work, lambda: contacts.add_members(work, group, members)))

    def merge(self, contact_id: str, into: str, at: datetime) -> Record:
        """Merge a contact into another one."""
        work = self._work("Contacts", {}, at)
        contact, other = self.get("Contacts", contact_id), self.get("Contacts", into)
        return self._done(tried(work, lambda: contacts.merge(work, contact, other)))

    def opening(self, day: date, at: datetime, amounts: Mapping[str, Decimal]) -> None:
        """Conversion balances: a journal without source, as Xero keeps them."""
        chart = self.chart
        postings = [Posting(chart.account({"Code": code}), amount) for code, amount in amounts.items()]
        self.post(at, lambda ledger: ledger.journal(None, day, at, postings, "Conversion balances"))
