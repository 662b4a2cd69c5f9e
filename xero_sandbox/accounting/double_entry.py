"""Double-entry accounting as Xero does it: totals, settlement, currencies and journals. All functions are pure:
they return new records and never change their arguments. A record is a `dict` in Xero's own field names holding
Python values: `Decimal` for numbers, `date` for calendar days, aware UTC `datetime` for instants. Amounts have
two decimals; a `CurrencyRate` is what one unit of the base currency buys (as Xero shows it), so base = amount /
rate.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha1
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date, datetime

Record = dict[str, Any]

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
ONE = Decimal(1)

SALES = ("ACCREC", "ACCRECCREDIT")
DEAD = ("VOIDED", "DELETED")


def money(value: Decimal) -> Decimal:
    """Round to cents, halves away from zero; never a negative zero."""
    return value.quantize(CENT, ROUND_HALF_UP) + ZERO


def negated(value: Decimal) -> Decimal:
    """The negated amount; never a negative zero."""
    return ZERO - value


# --- totals -------------------------------------------------------------------------------------------------


def line_amount(line: Mapping[str, Any]) -> Decimal | None:
    """Quantity x UnitAmount less discount, in cents; None for a line that is only a description."""
    price = line.get("UnitAmount")
    if price is None:
        amount: Decimal | None = line.get("LineAmount")
        return amount
    gross = line.get("Quantity", ONE) * price
    return money(gross - line_discount(line, gross))


def line_discount(line: Mapping[str, Any], gross: Decimal) -> Decimal:
    """What a line's DiscountRate (per cent) or DiscountAmount takes off `gross`."""
    if rate := line.get("DiscountRate"):
        return Decimal(gross * rate / 100)
    return line.get("DiscountAmount") or ZERO


def line_tax(amount: Decimal, percent: Decimal, amount_types: str) -> Decimal:
    """The tax on (Exclusive) or inside (Inclusive) a line amount, rounded to cents per line as Xero does."""
    kind = amount_types.upper()
    if kind == "NOTAX":
        return ZERO
    if kind == "INCLUSIVE":
        return money(amount * percent / (100 + percent))
    return money(amount * percent / 100)


def priced(document: Record, percents: Mapping[str, Decimal], *, keep_tax: bool = False) -> Record:
    """The document with LineAmount and TaxAmount on its lines and its SubTotal, TotalTax and Total.

    `percents` maps TaxType to its effective rate in per cent; a line without TaxType has no tax. With
    `keep_tax`, a line keeps the TaxAmount that it has. Lines that are only a description stay unchanged.
    TotalDiscount appears when a line is discounted.
    """
    kind = document.get("LineAmountTypes", "Exclusive")
    lines: list[Record] = []
    total = tax_total = discount = ZERO
    for line in document.get("LineItems", ()):
        amount = line_amount(line)
        if amount is None:
            lines.append(line)
            continue
        tax = line.get("TaxAmount") if keep_tax else None
        if tax is None:
            tax = line_tax(amount, percents.get(line.get("TaxType", ""), ZERO), kind)
        lines.append({**line, "LineAmount": amount, "TaxAmount": tax})
        total += amount
        tax_total += tax
        if "UnitAmount" in line:
            discount += line_discount(line, line.get("Quantity", ONE) * line["UnitAmount"])
    if kind.upper() != "INCLUSIVE":
        total += tax_total
    result = {
        **document,
        "LineItems": lines,
        "SubTotal": total - tax_total,
        "TotalTax": tax_total,
        "Total": total,
    }
    if discount:
        result["TotalDiscount"] = money(discount)
    else:
        result.pop("TotalDiscount", None)
    return result


# --- settlement ---------------------------------------------------------------------------------------------

CREDIT_KEYS = {"CreditNoteID": "CreditNotes", "PrepaymentID": "Prepayments", "OverpaymentID": "Overpayments"}
"""The id of a credit document, and the list on an invoice in which it is named."""


def is_credit(document: Mapping[str, Any]) -> bool:
    """Whether the document is a credit note, prepayment or overpayment, rather than an invoice or bill."""
    return "InvoiceID" not in document


def credit_key(document: Mapping[str, Any]) -> str:
    """The id field of a credit document."""
    return next(key for key in CREDIT_KEYS if key in document)


def document_id(document: Mapping[str, Any]) -> str:
    """The id of an invoice, bill, credit note, prepayment or overpayment."""
    return str(document[credit_key(document) if is_credit(document) else "InvoiceID"])


def is_sale(document: Mapping[str, Any]) -> bool:
    """Whether the document stands in accounts receivable; else it stands in accounts payable."""
    return document["Type"] in SALES or document["Type"].startswith(("RECEIVE", "AR"))


def used(document: Mapping[str, Any]) -> Decimal:
    """How much of the document is paid, credited or allocated so far, in its own currency."""
    paid: Decimal = sum((p["Amount"] for p in document["Payments"]), ZERO)
    if is_credit(document):
        return paid + sum((a["Amount"] for a in document["Allocations"]), ZERO)
    applied = (c["AppliedAmount"] for key in CREDIT_KEYS.values() for c in document[key])
    return paid + sum(applied, ZERO)


def settled(document: Record) -> Record:
    """The document with the amounts due and the status that follow from its payments, credits and allocations.

    An approved document with nothing left is PAID and has a FullyPaidOnDate; one with something left is
    AUTHORISED. A voided or deleted one owes nothing, whatever its Total.
    """
    result = dict(document)
    live = document["Status"] not in DEAD
    total: Decimal = document["Total"]
    if is_credit(document):
        left = total - used(document) if live else ZERO
        result["RemainingCredit"] = left
        dates = [p["Date"] for p in document["Payments"]] + [a["Date"] for a in document["Allocations"]]
    else:
        paid: Decimal = sum((p["Amount"] for p in document["Payments"]), ZERO)
        credited = used(document) - paid
        left = total - paid - credited if live else ZERO
        result.update(AmountDue=left, AmountPaid=paid, AmountCredited=credited)
        applied = (c["Date"] for key in CREDIT_KEYS.values() for c in document[key])
        dates = [p["Date"] for p in document["Payments"]] + list(applied)
    result.pop("FullyPaidOnDate", None)
    if document["Status"] in ("AUTHORISED", "PAID"):
        result["Status"] = "AUTHORISED" if left else "PAID"
        if not left and ("InvoiceID" in document or "CreditNoteID" in document):
            result["FullyPaidOnDate"] = max(dates, default=document["Date"])
    return result


def with_payment(document: Record, payment: Mapping[str, Any]) -> Record:
    """The invoice or credit with the payment on it, changed at the payment's own instant (as Xero does)."""
    thin = {key: payment[key] for key in ("PaymentID", "BatchPaymentID", "Date", "Amount") if key in payment}
    thin["Reference"] = payment.get("Reference", "")
    thin["CurrencyRate"] = payment.get("CurrencyRate", ONE)
    thin.update(HasAccount=False, HasValidationErrors=False)
    changed = {**document, "Payments": [*document["Payments"], thin]}
    return settled({**changed, "UpdatedDateUTC": payment["UpdatedDateUTC"]})


def without_payment(document: Record, payment_id: str, at: datetime) -> Record:
    """The invoice or credit without a deleted payment."""
    kept = [p for p in document["Payments"] if p["PaymentID"] != payment_id]
    return settled({**document, "Payments": kept, "UpdatedDateUTC": at})


def with_allocation(
    credit: Record, invoice: Record, *, allocation_id: str, amount: Decimal, day: date, at: datetime
) -> tuple[Record, Record]:
    """The credit and the invoice after `amount` of the credit was allocated; both change at `at`."""
    key = credit_key(credit)
    allocation = {
        "AllocationID": allocation_id,
        "Amount": amount,
        "Date": day,
        "Invoice": {"InvoiceID": invoice["InvoiceID"], "InvoiceNumber": invoice.get("InvoiceNumber", "")},
    }
    named = {
        key: credit[key],
        "ID": credit[key],
        "AppliedAmount": amount,
        "Date": day,
        "Total": credit["Total"],
    }
    if "CreditNoteNumber" in credit:
        named["CreditNoteNumber"] = credit["CreditNoteNumber"]
    named_now = [*invoice[CREDIT_KEYS[key]], named]
    return (
        settled({**credit, "Allocations": [*credit["Allocations"], allocation], "UpdatedDateUTC": at}),
        settled({**invoice, CREDIT_KEYS[key]: named_now, "UpdatedDateUTC": at}),
    )


def without_allocation(
    credit: Record, invoice: Record, allocation_id: str, at: datetime
) -> tuple[Record, Record]:
    """The credit and the invoice after the allocation was deleted."""
    key = credit_key(credit)
    gone = next(a for a in credit["Allocations"] if a["AllocationID"] == allocation_id)
    kept = [a for a in credit["Allocations"] if a is not gone]
    named = list(invoice[CREDIT_KEYS[key]])
    named.remove(next(c for c in named if c[key] == credit[key] and c["AppliedAmount"] == gone["Amount"]))
    return (
        settled({**credit, "Allocations": kept, "UpdatedDateUTC": at}),
        settled({**invoice, CREDIT_KEYS[key]: named, "UpdatedDateUTC": at}),
    )


def ended(document: Record, status: str, at: datetime) -> Record:
    """The document as VOIDED (if it was approved) or DELETED. The caller refuses documents with payments."""
    result = {**document, "Status": status, "UpdatedDateUTC": at}
    return settled(result) if "Payments" in document else result


def balances(
    invoices: Iterable[Record], credit_documents: Iterable[Record], today: date
) -> dict[str, dict[str, dict[str, Decimal]]]:
    """Outstanding and overdue amounts by ContactID in base currency, in the form of Contact.Balances.

    The credit documents are credit notes, prepayments and overpayments. Xero keeps these amounts outside the
    contact: they change without a new UpdatedDateUTC. Contacts without an open document are left out.
    """
    found: dict[str, dict[str, dict[str, Decimal]]] = {}

    def add(document: Record, amount: Decimal, *, overdue: bool) -> None:
        sides = found.setdefault(
            document["Contact"]["ContactID"],
            {
                side: {"Outstanding": ZERO, "Overdue": ZERO}
                for side in ("AccountsReceivable", "AccountsPayable")
            },
        )
        side = sides["AccountsReceivable" if is_sale(document) else "AccountsPayable"]
        side["Outstanding"] += amount
        if overdue:
            side["Overdue"] += amount

    for invoice in invoices:
        if invoice["Status"] == "AUTHORISED":
            rate = invoice.get("CurrencyRate", ONE)
            owed = in_base(invoice["Total"], rate) - in_base(used(invoice), rate)
            add(invoice, owed, overdue=invoice.get("DueDate", today) < today)
    for credit in credit_documents:
        if credit["Status"] == "AUTHORISED":
            rate = credit.get("CurrencyRate", ONE)
            add(credit, in_base(used(credit), rate) - in_base(credit["Total"], rate), overdue=False)
    return found


# --- currencies ---------------------------------------------------------------------------------------------

_PER_NZD = {
    "NZD": Decimal(1),
    "AUD": Decimal("0.9105"),
    "USD": Decimal("0.5985"),
    "EUR": Decimal("0.5492"),
    "GBP": Decimal("0.4702"),
    "CNY": Decimal("4.3120"),
    "JPY": Decimal("89.15"),
    "CAD": Decimal("0.8240"),
    "SGD": Decimal("0.7990"),
    "FJD": Decimal("1.3480"),
}
CURRENCIES = tuple(_PER_NZD)
"""The currencies that `market_rate` knows."""

_TEN_PLACES = Decimal("0.0000000001")


def market_rate(code: str, base: str, day: date) -> Decimal:
    """An invented exchange rate that is always the same for a day: units of `code` for one unit of `base`, ten
    decimals.

    Raises KeyError for a currency the sandbox has no rate for.
    """
    if code == base:
        return ONE

    def worth(currency: str) -> Decimal:
        turn = (day.toordinal() + 97 * len(_PER_NZD) * ord(currency[0])) % 420
        swing = Decimal(abs(turn - 210) - 105) / 105 * Decimal("0.035")
        noise = Decimal(int.from_bytes(sha1(f"{currency}{day}".encode()).digest()[:4], "big")) / 2**32  # noqa: S324
        still = currency == "NZD"
        return _PER_NZD[currency] * (1 if still else 1 + swing + (noise - Decimal("0.5")) / 125)

    return (worth(code) / worth(base)).quantize(_TEN_PLACES, ROUND_HALF_UP)


def in_base(amount: Decimal, rate: Decimal | None = None) -> Decimal:
    """An amount in base currency at `rate`; a missing or zero rate means that it is in base already."""
    return money(amount / rate) if rate and rate != ONE else amount


def relief(document: Mapping[str, Any], before: Decimal, amount: Decimal) -> Decimal:
    """The amount in base currency that settling `amount` takes off a document of which `before` is settled
    already. It is the difference of two running values, so the parts of a document always add up to the whole.
    """
    rate = document.get("CurrencyRate", ONE)
    return in_base(before + amount, rate) - in_base(before, rate)


# --- journals -----------------------------------------------------------------------------------------------

PAYMENT_TYPES = {
    "ACCREC": "ACCRECPAYMENT",
    "ACCPAY": "ACCPAYPAYMENT",
    "ACCRECCREDIT": "ARCREDITPAYMENT",
    "ACCPAYCREDIT": "APCREDITPAYMENT",
    "RECEIVE-OVERPAYMENT": "AROVERPAYMENTPAYMENT",
    "SPEND-OVERPAYMENT": "APOVERPAYMENTPAYMENT",
    "RECEIVE-PREPAYMENT": "ARPREPAYMENTPAYMENT",
    "SPEND-PREPAYMENT": "APPREPAYMENTPAYMENT",
}
"""PaymentType by the type of the document that is paid or refunded."""

_CREDIT_SOURCES = {
    "RECEIVE-OVERPAYMENT": "AROVERPAYMENT",
    "SPEND-OVERPAYMENT": "APOVERPAYMENT",
    "RECEIVE-PREPAYMENT": "ARPREPAYMENT",
    "SPEND-PREPAYMENT": "APPREPAYMENT",
}

Tracking = tuple[tuple[str, str], ...]
"""Category and option names of a line; lines with the same tracking are summed up."""


class Posting:
    """A line of a journal to be written, in base currency: debits are positive, credits negative."""

    __slots__ = ("account", "description", "net", "tax", "tax_type", "tracking")

    def __init__(
        self,
        account: Record,
        net: Decimal,
        *,
        tax: Decimal = ZERO,
        tax_type: str | None = None,
        description: str | None = None,
        tracking: Tracking = (),
    ) -> None:
        self.account, self.net, self.tax = account, net, tax
        self.tax_type, self.description, self.tracking = tax_type, description, tracking


def _net(document: Mapping[str, Any], line: Mapping[str, Any]) -> Decimal:
    """A line's amount without tax, in the document's currency."""
    amount: Decimal = line["LineAmount"]
    inclusive = document["LineAmountTypes"].upper() == "INCLUSIVE"
    return amount - line.get("TaxAmount", ZERO) if inclusive else amount


def _tracking(line: Mapping[str, Any]) -> Tracking:
    return tuple((t["Name"], t["Option"]) for t in line.get("Tracking") or ())


def _options(line: Mapping[str, Any]) -> Tracking:
    """The tracking of a line, sorted: the order in which a line names its categories does not matter."""
    return tuple(sorted(_tracking(line)))


class Chart:
    """An organisation's accounts, tax rates and tracking, by the names that records use.

    `records` is read for Organisations, Accounts, TaxRates and TrackingCategories.
    """

    def __init__(self, records: Mapping[str, Iterable[Record]]) -> None:
        self.base_currency: str = next(iter(records["Organisations"]))["BaseCurrency"]
        self.accounts: dict[str, Record] = {}
        self.system: dict[str, Record] = {}
        for account in records["Accounts"]:
            self.accounts[account["AccountID"]] = account
            if account.get("Code"):
                self.accounts[account["Code"]] = account
            if account.get("SystemAccount"):
                self.system[account["SystemAccount"]] = account
        self.tax_names: dict[str, str] = {rate["TaxType"]: rate["Name"] for rate in records["TaxRates"]}
        self.percents: dict[str, Decimal] = {r["TaxType"]: r["EffectiveRate"] for r in records["TaxRates"]}
        self.options: dict[tuple[str, str], tuple[str, str]] = {
            (category["Name"], option["Name"]): (category["TrackingCategoryID"], option["TrackingOptionID"])
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
    """Writes journals for one organisation: numbered without gaps, in base currency, debits equal to credits.

    `next_number` is the first JournalNumber to give; `guid` makes ids from a name (random ones by default).

    The `post_*` methods take full records and return one journal record each; they store nothing. Journals
    never change: a void or an edit is a `reverse` with a number of its own, dated like the original and
    created when it happened (as recorded from Xero's Journals endpoint).
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
        number = self.next_number
        self.next_number += 1
        name = f"journal/{number}"
        record: Record = {"JournalID": self.guid(name), "JournalDate": day, "JournalNumber": number}
        record["CreatedDateUTC"] = at
        if reference is not None:
            record["Reference"] = reference
        if source:
            record.update(SourceType=source[0], SourceID=source[1])
        record["JournalLines"] = [self._line(p, f"{name}/{i}") for i, p in enumerate(postings)]
        return record

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
        line["TrackingCategories"] = [
            {
                "Name": name,
                "Option": option,
                "TrackingCategoryID": self.chart.options[name, option][0],
                "TrackingOptionID": self.chart.options[name, option][1],
                "Options": [],
            }
            for name, option in posting.tracking
        ]
        return line

    def _document(self, document: Record, sign: int, against: Record) -> list[Posting]:
        """The postings of a document: its counter account, lines and tax; `sign` is the sign of the lines."""
        rate = document.get("CurrencyRate", ONE)
        gross: dict[Tracking, Decimal] = defaultdict(lambda: ZERO)
        for line in document["LineItems"]:
            if "LineAmount" in line:
                gross[_options(line)] += _net(document, line) + line.get("TaxAmount", ZERO)
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
                taxes[_options(line)] += tax
            lines.append(self._posting(line, sign * in_base(_net(document, line), rate), tax))
        return lines + [Posting(self.system["GST"], tax, tracking=key) for key, tax in taxes.items()]

    def _posting(self, line: Record, net: Decimal, tax: Decimal) -> Posting:
        return Posting(
            self.account(line),
            net,
            tax=tax,
            tax_type=line.get("TaxType"),
            description=line.get("Description"),
            tracking=_tracking(line),
        )

    def post_document(self, document: Record, at: datetime, extra: Sequence[Posting] = ()) -> Record:
        """An approved invoice, bill or credit note; `extra` postings go with it (the cost of stock sold)."""
        sign = {"ACCREC": -1, "ACCPAY": 1, "ACCRECCREDIT": 1, "ACCPAYCREDIT": -1}[document["Type"]]
        postings = [*self._document(document, sign, self.control(document)), *extra]
        reference = document.get("Reference", "")
        source = (document["Type"], document_id(document))
        return self.journal(source, document["Date"], at, postings, reference)

    def post_bank_transaction(self, transaction: Record, at: datetime) -> Record:
        """Money spent or received.

        An overpayment posts its whole amount to receivables or payables. A prepayment posts its lines with
        their tax, and stays in those accounts until it is allocated or refunded (Xero's help: tax is accounted
        for when a prepayment is received, but not for an overpayment).
        """
        kind = transaction["Type"]
        bank = self.account(transaction["BankAccount"])
        sign = -1 if kind.startswith("RECEIVE") else 1
        reference = transaction.get("Reference", "")
        if kind in _CREDIT_SOURCES:
            held = transaction.get("OverpaymentID") or transaction["PrepaymentID"]
            if kind.endswith("-PREPAYMENT"):
                postings = self._document(transaction, sign, bank)
            else:
                whole = sign * in_base(transaction["Total"], transaction.get("CurrencyRate"))
                postings = [Posting(bank, negated(whole)), Posting(self.control(transaction), whole)]
            return self.journal((_CREDIT_SOURCES[kind], held), transaction["Date"], at, postings, reference)
        postings = self._document(transaction, sign, bank)
        source = ("CASHREC" if sign < 0 else "CASHPAID", transaction["BankTransactionID"])
        return self.journal(source, transaction["Date"], at, postings, reference)

    def _relieved(self, document: Record, amount: Decimal, sign: int) -> list[Posting]:
        """The postings that settle `amount` of a document; `sign` is the sign of the control account. A
        prepayment is held in the accounts and the tax of its lines, so each of them is reduced in proportion;
        any other document is held in receivables or payables.
        """
        before, total = used(document), document["Total"]
        if not document["Type"].endswith("-PREPAYMENT"):
            return [Posting(self.control(document), sign * relief(document, before, amount))]
        return [
            Posting(
                part.account,
                money(part.net * before / total) - money(part.net * (before + amount) / total),
                tax_type=part.tax_type,
                tracking=part.tracking,
            )
            for part in self._lines(document, -1 if document["Type"].startswith("RECEIVE") else 1)
        ]

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
        source_type = payment["PaymentType"].removesuffix("PAYMENT")
        if source_type in ("ACCREC", "ACCPAY", "ARCREDIT", "APCREDIT"):
            source_type = payment["PaymentType"]
        reference = payment.get("Reference", "")
        return self.journal((source_type, payment["PaymentID"]), payment["Date"], at, postings, reference)

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
        source = (str(_CREDIT_SOURCES.get(credit["Type"], credit["Type"])), document_id(credit))
        return self.journal(source, day, at, postings, credit.get("Reference", ""))

    def post_transfer(self, transfer: Record, at: datetime) -> Record:
        """Money moved between two bank accounts; Amount is in the currency of the one it leaves."""
        moved = in_base(transfer["Amount"], transfer.get("CurrencyRate"))
        postings = [
            Posting(self.account(transfer["FromBankAccount"]), negated(moved)),
            Posting(self.account(transfer["ToBankAccount"]), moved),
        ]
        reference = transfer.get("Reference", "")
        return self.journal(
            ("TRANSFER", transfer["BankTransferID"]), transfer["Date"], at, postings, reference
        )

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
        number = self.next_number
        self.next_number += 1
        name = f"journal/{number}"
        lines = [
            {
                **line,
                "JournalLineID": self.guid(f"{name}/{i}"),
                "NetAmount": negated(line["NetAmount"]),
                "GrossAmount": negated(line["GrossAmount"]),
                "TaxAmount": negated(line["TaxAmount"]),
            }
            for i, line in enumerate(journal["JournalLines"])
        ]
        ids = {"JournalID": self.guid(name), "JournalNumber": number, "CreatedDateUTC": at}
        return {**journal, **ids, "JournalLines": lines}


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
