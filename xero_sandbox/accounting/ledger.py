"""The journals that documents, payments and transfers make, in base currency."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from ..values import CENT, ONE, ZERO, Record, money, negated
from .currencies import in_base
from .settlement import CREDIT_SOURCES, document_id, is_credit, is_sale, relief, used

Tracking = tuple[tuple[str, str], ...]
"""The names of the categories and options of a line."""


class Posting(NamedTuple):
    """A line of a journal to be written, in base currency: debits are positive, credits negative."""

    account: Record
    net: Decimal
    tax: Decimal = ZERO
    tax_type: str | None = None
    description: str | None = None
    tracking: Tracking = ()


def _net(document: Mapping[str, Any], line: Mapping[str, Any]) -> Decimal:
    """A line's amount without tax, in the document's currency."""
    amount: Decimal = line["LineAmount"]
    inclusive = document["LineAmountTypes"].upper() == "INCLUSIVE"
    return amount - line.get("TaxAmount", ZERO) if inclusive else amount


def _tracking(line: Mapping[str, Any]) -> Tracking:
    return tuple((t["Name"], t["Option"]) for t in line.get("Tracking") or ())


def tracking_of(category: Record, option: Record) -> Record:
    """A tracking category and its option as lines show them."""
    return {
        "Name": category["Name"],
        "Option": option["Name"],
        "TrackingCategoryID": category["TrackingCategoryID"],
        "TrackingOptionID": option["TrackingOptionID"],
        "Options": [],
    }


class Chart:
    """An organisation's accounts, tax rates and tracking, by the names that records use.

    `records` is read for Organisations, Accounts, TaxRates and TrackingCategories.
    """

    def __init__(self, records: Mapping[str, Iterable[Record]]) -> None:
        self.base_currency: str = next(iter(records["Organisations"]))["BaseCurrency"]
        accounts, rates = list(records["Accounts"]), list(records["TaxRates"])
        self.accounts: dict[str, Record] = {one["AccountID"]: one for one in accounts}
        self.accounts |= {one["Code"]: one for one in accounts if one.get("Code")}
        self.system: dict[str, Record] = {one.get("SystemAccount", ""): one for one in accounts}
        self.tax_names: dict[str, str] = {rate["TaxType"]: rate["Name"] for rate in rates}
        self.percents: dict[str, Decimal] = {rate["TaxType"]: rate["EffectiveRate"] for rate in rates}
        self.tracking = {
            (category["Name"], option["Name"]): tracking_of(category, option)
            for category in records["TrackingCategories"]
            for option in category["Options"]
        }

    def account(self, line: Mapping[str, Any]) -> Record:
        """The account that a line or a reference names by AccountID or AccountCode (or Code). Raises ValueError."""
        key = line.get("AccountID") or line.get("AccountCode") or line.get("Code")
        try:
            return self.accounts[str(key)]
        except KeyError:
            raise ValueError(f"Account code '{key}' is not a valid code for this document.") from None


class Ledger:
    """Makes the journals of one organisation: numbered without gaps, in base currency, debits equal to credits.

    `next_number` is the next JournalNumber; `guid` makes ids from a name, by default random ones. The `post_*`
    methods take full records and return a journal; they store nothing. Journals never change: voiding or editing
    a document makes a `reverse` with the date of the original (as recorded from Xero's Journals endpoint).
    """

    def __init__(self, chart: Chart, next_number: int = 1, guid: Callable[[str], str] | None = None) -> None:
        self.chart, self.next_number = chart, next_number
        self.guid = guid or (lambda _name: str(uuid.uuid4()))
        self.base_currency, self.system, self.account = chart.base_currency, chart.system, chart.account

    def control(self, document: Mapping[str, Any]) -> Record:
        """The control account of a document: accounts receivable or accounts payable."""
        return self.system["DEBTORS" if is_sale(document) else "CREDITORS"]

    def journal(
        self,
        source: tuple[str, str] | None,
        day: date,
        at: datetime,
        postings: Sequence[Posting],
        reference: str | None = None,
    ) -> Record:
        """A journal of these postings; `source` is its SourceType and SourceID (opening balances have none).

        Rounding differences go to the Rounding account.

        Raises ValueError when debits and credits differ by more than rounding can explain.
        """
        gap = sum((p.net for p in postings), ZERO)
        if abs(gap) > CENT * (len(postings) + 1):
            raise ValueError(f"The journal of {source} is out of balance by {gap}")
        if gap:
            postings = [*postings, Posting(self.system["ROUNDING"], negated(gap))]
        name, ids = self._numbered(at)
        record: Record = {"JournalID": ids["JournalID"], "JournalDate": day, **ids}
        if reference is not None:
            record["Reference"] = reference
        if source:
            record.update(SourceType=source[0], SourceID=source[1])
        record["JournalLines"] = [self._line(p, f"{name}/{i}") for i, p in enumerate(postings)]
        return record

    def _numbered(self, at: datetime) -> tuple[str, Record]:
        """The name of the next journal, from which its ids are made, and its id, number and instant."""
        number = self.next_number
        self.next_number += 1
        name = f"journal/{number}"
        return name, {"JournalID": self.guid(name), "JournalNumber": number, "CreatedDateUTC": at}

    def _journal_of(
        self, record: Record, source: tuple[str, str], at: datetime, postings: Sequence[Posting]
    ) -> Record:
        """A journal with the date and the reference of a record."""
        return self.journal(source, record["Date"], at, postings, record.get("Reference", ""))

    def _line(self, posting: Posting, name: str) -> Record:
        account = posting.account
        line: Record = {"JournalLineID": self.guid(name), "AccountID": account["AccountID"]}
        if account.get("Code"):
            line["AccountCode"] = account["Code"]
        line.update(AccountType=account["Type"], AccountName=account["Name"])
        if posting.description:
            line["Description"] = posting.description
        line["NetAmount"] = posting.net
        line["GrossAmount"] = posting.net + posting.tax
        line["TaxAmount"] = posting.tax
        if posting.tax_type:
            line["TaxType"] = posting.tax_type
            line["TaxName"] = self.chart.tax_names.get(posting.tax_type, "")
        line["TrackingCategories"] = [self.chart.tracking[key] for key in posting.tracking]
        return line

    def _document(self, document: Record, sign: int, against: Record) -> list[Posting]:
        """The postings of a document: its counter account, lines and tax; `sign` is the sign of the lines."""
        rate = document.get("CurrencyRate", ONE)
        gross: dict[Tracking, Decimal] = defaultdict(lambda: ZERO)
        for line in document["LineItems"]:
            if "LineAmount" in line:
                gross[tuple(sorted(_tracking(line)))] += _net(document, line) + line.get("TaxAmount", ZERO)
        whole = in_base(document["Total"], rate)
        counter: list[Posting] = []
        for tracking, amount in gross.items():
            share = whole if len(counter) == len(gross) - 1 else in_base(amount, rate)
            whole -= share
            counter.append(Posting(against, -sign * share + ZERO, tracking=tracking))
        return counter + self._lines(document, sign)

    def _lines(self, document: Record, sign: int) -> list[Posting]:
        """Every line of a document, and the tax on them."""
        rate = document.get("CurrencyRate", ONE)
        taxes: dict[Tracking, Decimal] = defaultdict(lambda: ZERO)
        lines: list[Posting] = []
        for line in document["LineItems"]:
            if "LineAmount" not in line:
                continue
            tax = sign * in_base(line.get("TaxAmount", ZERO), rate)
            if tax:
                taxes[tuple(sorted(_tracking(line)))] += tax
            lines.append(self._posting(line, sign * in_base(_net(document, line), rate), tax))
        return lines + [Posting(self.system["GST"], tax, tracking=key) for key, tax in taxes.items()]

    def _posting(self, line: Record, net: Decimal, tax: Decimal) -> Posting:
        account, tax_type = self.account(line), line.get("TaxType")
        return Posting(account, net, tax, tax_type, line.get("Description"), _tracking(line))

    def post_document(self, document: Record, at: datetime, extra: Sequence[Posting] = ()) -> Record:
        """An approved invoice, bill or credit note; `extra` postings go with it (the cost of stock sold)."""
        sign = {"ACCREC": -1, "ACCPAY": 1, "ACCRECCREDIT": 1, "ACCPAYCREDIT": -1}[document["Type"]]
        postings = [*self._document(document, sign, self.control(document)), *extra]
        return self._journal_of(document, (document["Type"], document_id(document)), at, postings)

    def post_bank_transaction(self, transaction: Record, at: datetime) -> Record:
        """Money spent or received.

        An overpayment posts its whole amount to receivables or payables. A prepayment posts its lines with
        their tax, and stays in those accounts until it is allocated or refunded (Xero's help: tax is accounted
        for when a prepayment is received, but not for an overpayment).
        """
        kind = transaction["Type"]
        bank = self.account(transaction["BankAccount"])
        sign = -1 if kind.startswith("RECEIVE") else 1
        source = ("CASHREC" if sign < 0 else "CASHPAID", transaction["BankTransactionID"])
        if kind in CREDIT_SOURCES:
            source = (CREDIT_SOURCES[kind], transaction.get("OverpaymentID") or transaction["PrepaymentID"])
        if kind.endswith("-OVERPAYMENT"):
            whole = sign * in_base(transaction["Total"], transaction.get("CurrencyRate"))
            postings = [Posting(bank, negated(whole)), Posting(self.control(transaction), whole)]
        else:
            postings = self._document(transaction, sign, bank)
        return self._journal_of(transaction, source, at, postings)

    def _relieved(self, document: Record, amount: Decimal, sign: int) -> list[Posting]:
        """The postings that settle `amount` of a document; `sign` is the sign of the control account. A
        prepayment is posted to the accounts and the tax of its lines, so each of them is reduced in proportion;
        any other document is posted to receivables or payables.
        """
        before, total = used(document), document["Total"]
        if not document["Type"].endswith("-PREPAYMENT"):
            return [Posting(self.control(document), sign * relief(document, before, amount))]
        postings = []
        for part in self._lines(document, -1 if document["Type"].startswith("RECEIVE") else 1):
            net = money(part.net * before / total) - money(part.net * (before + amount) / total)
            postings.append(Posting(part.account, net, tax_type=part.tax_type, tracking=part.tracking))
        return postings

    def post_payment(self, payment: Record, document: Record, at: datetime) -> Record:
        """A payment; the document as it was *before* the payment.

        The document is settled at its own rate, the bank account changes at the payment's rate; the difference
        is a realised currency gain or loss.
        """
        bank = self.account(payment["Account"])
        inward = is_sale(document) != is_credit(document)
        if bank.get("CurrencyCode", self.base_currency) == self.base_currency:
            moved = payment.get("BankAmount", in_base(payment["Amount"], payment.get("CurrencyRate")))
        else:
            moved = in_base(payment.get("BankAmount") or payment["Amount"], payment.get("CurrencyRate"))
        relieved = relief(document, used(document), payment["Amount"])
        sign = 1 if inward else -1
        postings = [Posting(bank, sign * moved), *self._relieved(document, payment["Amount"], -sign)]
        if moved != relieved:
            postings.append(Posting(self.system["REALISEDCURRENCYGAIN"], sign * (relieved - moved)))
        source_type = str(CREDIT_SOURCES.get(document["Type"], payment["PaymentType"]))
        return self._journal_of(payment, (source_type, payment["PaymentID"]), at, postings)

    def post_allocation(
        self, credit: Record, invoice: Record, amount: Decimal, day: date, at: datetime
    ) -> Record:
        """An allocation of a credit to an invoice; both records as they were *before* the allocation."""
        control = self.control(invoice)
        sign = 1 if is_sale(invoice) else -1
        taken = relief(credit, used(credit), amount)
        given = relief(invoice, used(invoice), amount)
        postings = [*self._relieved(credit, amount, sign), Posting(control, -sign * given)]
        if taken != given:
            postings.append(Posting(self.system["REALISEDCURRENCYGAIN"], sign * (given - taken)))
        transfers = self.system.get("TRACKINGTRANSFERS")
        if transfers:
            postings += [Posting(transfers, -sign * taken), Posting(transfers, sign * taken)]
        source = (str(CREDIT_SOURCES.get(credit["Type"], credit["Type"])), document_id(credit))
        return self.journal(source, day, at, postings, credit.get("Reference", ""))

    def post_transfer(self, transfer: Record, at: datetime) -> Record:
        """Money moved between two bank accounts; Amount is in the currency of the one it leaves."""
        moved = in_base(transfer["Amount"], transfer.get("CurrencyRate"))
        postings = [
            Posting(self.account(transfer["FromBankAccount"]), negated(moved)),
            Posting(self.account(transfer["ToBankAccount"]), moved),
        ]
        return self._journal_of(transfer, ("TRANSFER", transfer["BankTransferID"]), at, postings)

    def post_manual_journal(self, manual: Record, at: datetime) -> Record:
        """A posted manual journal; its lines are signed (a debit is positive)."""
        postings: list[Posting] = []
        for line in manual["JournalLines"]:
            tax = line.get("TaxAmount", ZERO)
            postings.append(self._posting(line, _net(manual, line), tax))
            if tax:
                postings.append(Posting(self.system["GST"], tax, tracking=_tracking(line)))
        source = ("MANJOURNAL", manual["ManualJournalID"])
        return self.journal(source, manual["Date"], at, postings, manual["Narration"])

    def reverse(self, journal: Record, at: datetime) -> Record:
        """The journal that reverses another: same date and source, negated amounts, a number of its own."""
        name, ids = self._numbered(at)
        lines = []
        for i, line in enumerate(journal["JournalLines"]):
            amounts = {key: negated(line[key]) for key in ("NetAmount", "GrossAmount", "TaxAmount")}
            lines.append({**line, "JournalLineID": self.guid(f"{name}/{i}"), **amounts})
        return {**journal, **ids, "JournalLines": lines}


def of_allocations(journals: Iterable[Record], accounts: Container[str]) -> list[Record]:
    """The journals among those of a credit that move only one control account, one of `accounts`."""
    first = ((one, [line["AccountID"] for line in one["JournalLines"][:2]]) for one in journals)
    return [one for one, (a, b) in first if a == b and a in accounts]


def nearest(journals: Iterable[Record], credit: Record, allocation: Record) -> Record:
    """The journal that is most like that of an allocation: by date, then by amount."""
    amount = in_base(allocation["Amount"], credit.get("CurrencyRate"))

    def unlike(journal: Record) -> tuple[bool, Decimal]:
        moved = abs(journal["JournalLines"][0]["NetAmount"])
        return journal["JournalDate"] != allocation["Date"], abs(moved - amount)

    return min(journals, key=unlike)


def standing(journals: Iterable[Record], source_id: str) -> list[Record]:
    """The journals of one source that no later journal has reversed, oldest first."""

    def effect(journal: Record, sign: int) -> list[tuple[str, Decimal]]:
        return [(line["AccountID"], sign * line["NetAmount"]) for line in journal["JournalLines"]]

    kept: list[Record] = []
    mine = (j for j in journals if j.get("SourceID") == source_id)
    for journal in sorted(mine, key=lambda j: int(j["JournalNumber"])):
        undone = next((k for k in kept if effect(k, -1) == effect(journal, 1)), None)
        if undone is not None and any(line["NetAmount"] for line in journal["JournalLines"]):
            kept.remove(undone)
        else:
            kept.append(journal)
    return kept
