"""The rules for documents with lines: their headings, and invoices, bills and credit notes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from ..accounting import settlement
from ..accounting.currencies import known_rate
from ..accounting.general_ledger import month_end
from ..accounting.settlement import DEAD
from ..resources import RESOURCES
from ..values import ONE, ZERO, Record, picked
from .checks import check_currency
from .contacts import contact_of, met
from .lines import Lines, amount_types, with_lines
from .reference.stock import move_stock
from .work import Work, head

CHANGED_STATUS = "Invoice not of valid status for modification"
SETTLED = "This document cannot be edited as it has a payment or credit note allocated to it."

_STEPS = {
    "": "DRAFT SUBMITTED AUTHORISED",
    "DRAFT": "DRAFT SUBMITTED AUTHORISED DELETED",
    "SUBMITTED": "DRAFT SUBMITTED AUTHORISED DELETED",
    "AUTHORISED": "AUTHORISED VOIDED",
    "PAID": "PAID AUTHORISED VOIDED",
}
"""The statuses that invoices and credit notes can change to; VOIDED and DELETED are final."""


@dataclass(frozen=True)
class Spec:
    """A kind of document: its resource, the field and series of its number, and the fields that can be written.
    ``noun`` is its name in Xero's messages; ``plain`` are fields that are stored as sent, ``by_hand`` those that
    the API cannot write.
    """

    path: str
    number: str
    prefix: str
    noun: str
    types: str
    plain: str
    amounts: str = "Exclusive"
    by_hand: str = ""
    fresh: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The field that identifies a document."""
        return RESOURCES[self.path].id


_FRESH: Record = {
    "Reference": "",
    "SentToContact": False,
    "HasAttachments": False,
    "InvoiceAddresses": [],
    "HasErrors": False,
}

INVOICE = Spec(
    "Invoices",
    "InvoiceNumber",
    "INV-",
    "Invoice",
    "ACCREC ACCPAY",
    "Reference BrandingThemeID Url SentToContact DueDate ExpectedPaymentDate PlannedPaymentDate",
    by_hand="RepeatingInvoiceID",
    fresh={
        "Prepayments": [],
        "Overpayments": [],
        "CreditNotes": [],
        "Payments": [],
        **dict.fromkeys(("AmountDue", "AmountPaid", "AmountCredited"), ZERO),
        **_FRESH,
    },
)
CREDIT_NOTE = Spec(
    "CreditNotes",
    "CreditNoteNumber",
    "CN-",
    "Credit Note",
    "ACCRECCREDIT ACCPAYCREDIT",
    "Reference BrandingThemeID SentToContact DueDate",
    fresh={"Payments": [], "Allocations": [], "RemainingCredit": ZERO, **_FRESH},
)
_PART_PAID = frozenset(INVOICE.plain.split())
"""The fields of a part-paid or paid document that can be changed."""

_SILENT = frozenset({"DueDate", "SentToContact"})
"""Fields of a part-paid document whose change leaves UpdatedDateUTC as it is (Xero's change notes)."""


# --- the heading -----------------------------------------------------------------------------------------


def heading(work: Work, spec: Spec, current: Record | None, *, make_contacts: bool = True) -> Record:
    """The document with its heading as requested; its lines are unchanged."""
    sent = work.sent
    document = dict(current or {spec.id: work.new_id(), **spec.fresh})
    if spec.types:
        _type(work, spec, document, current)
    by_hand = spec.by_hand.split() if work.by_hand else ()
    document.update(picked(sent, (*spec.plain.split(), *by_hand)))
    document["Date"] = sent.get("Date") or document.get("Date") or work.today
    document["LineAmountTypes"] = amount_types(work, document.get("LineAmountTypes", spec.amounts))
    if "Contact" in sent or current is None:
        named = contact_of(work, make=make_contacts)
        same = current is not None and named.get("ContactID") == current["Contact"]["ContactID"]
        document["Contact"] = current["Contact"] if current is not None and same else named
        work.echo["Contact"] = document["Contact"] or sent.get("Contact", {})
    _theme(work, document, current)
    _currency(work, document, current)
    return document


def _type(work: Work, spec: Spec, document: Record, current: Record | None) -> None:
    kind = work.sent.get("Type", document.get("Type"))
    if kind not in spec.types.split():
        work.refuse(f"The Type '{kind or ''}' is not valid for this document")
    elif current is not None and kind != current["Type"]:
        work.refuse(f"The Type of {spec.noun} cannot be changed")
    document["Type"] = kind


def _theme(work: Work, document: Record, current: Record | None) -> None:
    theme = work.sent.get("BrandingThemeID")
    if theme and not work.matching("BrandingThemes", "BrandingThemeID", theme):
        work.refuse("BrandingThemeID could not be found")
    themed = work.path in {"Quotes", "PurchaseOrders"} or document.get("Type") in settlement.SALES
    if current is None and themed and not theme and (usual := default_theme(work)):
        document["BrandingThemeID"] = usual


def default_theme(work: Work) -> str | None:
    """The BrandingThemeID of the organisation's first branding theme, if it has one."""
    themes = work.organisation.records("BrandingThemes")
    first = min(themes, key=lambda one: one.get("SortOrder", 0), default={})
    return first.get("BrandingThemeID")


def _currency(work: Work, document: Record, current: Record | None) -> None:
    """Set the currency (requested, else the contact's, else the organisation's) and the rate (requested, else
    the day's)."""
    contact = work.get("Contacts", (document.get("Contact") or {}).get("ContactID")) or {}
    code = (
        work.sent.get("CurrencyCode")
        or document.get("CurrencyCode")
        or contact.get("DefaultCurrency")
        or work.base
    )
    if not check_currency(work, code):
        return
    document["CurrencyCode"] = code.upper()
    if (work.sent.get("CurrencyRate") or ZERO) < 0:
        work.refuse("CurrencyRate must be greater than zero")
    if document["CurrencyCode"] != work.base:
        _currency_rate(work, document, current)
    elif "RepeatingInvoiceID" in document:  # made from a template: no rate in base currency (as recorded)
        document.pop("CurrencyRate", None)
    else:
        document["CurrencyRate"] = ONE


def _currency_rate(work: Work, document: Record, current: Record | None) -> None:
    code, rate = document["CurrencyCode"], work.sent.get("CurrencyRate")
    usual = known_rate(code, work.base, document["Date"])
    moved = current is None or any(document[name] != current.get(name) for name in ("CurrencyCode", "Date"))
    if rate:
        document["CurrencyRate"] = rate
        if usual and not Decimal("0.5") < rate / usual < 2:
            work.warn(f"The currency rate {rate} is far from the market rate {usual}")
    elif moved or not document.get("CurrencyRate"):
        document["CurrencyRate"] = usual or ONE


def numbered(work: Work, spec: Spec, document: Record) -> None:
    """Give a document that has no number the next one of its series."""
    if not document.get(spec.number):
        document[spec.number] = work.number(spec.path, spec.number, spec.prefix)


def _due(work: Work, document: Record) -> None:
    """Set DueDate by the payment terms of the contact, else of the organisation.

    The API approves no invoice without one; bills that were entered in Xero itself may have none (as recorded).
    """
    if document.get("DueDate") or work.by_hand:
        return
    side = "Sales" if settlement.is_sale(document) else "Bills"
    contact = work.get("Contacts", document["Contact"].get("ContactID")) or {}
    for owner in (contact, head(work.organisation)):
        terms = (owner.get("PaymentTerms") or {}).get(side)
        if terms:
            document["DueDate"] = _by_terms(document["Date"], int(terms["Day"]), terms["Type"])
            return
    work.refuse("DueDate must be specified")


def _by_terms(day: date, number: int, kind: str) -> date:
    if kind in {"DAYSAFTERBILLDATE", "DAYSAFTERINVOICEDATE"}:
        return day + timedelta(days=number)
    following = month_end(day) + timedelta(days=1)
    if kind in {"DAYSAFTERBILLMONTH", "DAYSAFTERINVOICEMONTH"}:
        return following + timedelta(days=number - 1)
    month = day.replace(day=1) if kind == "OFCURRENTMONTH" else following
    return min(month + timedelta(days=number - 1), month_end(month))


# --- invoices, bills and credit notes --------------------------------------------------------------------


def match_invoice(work: Work) -> Record | None:
    """A sales invoice by its number, voided ones included: numbers are not reused. Bills have no own numbers."""
    if work.sent.get("Type", "ACCREC") != "ACCREC":
        return None
    numbered = work.matching("Invoices", "InvoiceNumber", work.sent.get("InvoiceNumber"))
    found = [one for one in numbered if one["Type"] == "ACCREC"]
    return min(found, key=lambda one: one["Status"] in DEAD, default=None)


def save_invoice(work: Work, current: Record | None, spec: Spec = INVOICE) -> Record:
    """Check and store an invoice or bill, or a document of a similar kind (``spec``): a credit note."""
    was = current["Status"] if current else ""
    status = work.sent.get("Status", "AUTHORISED" if was == "PAID" else was or "DRAFT")
    if status not in _STEPS.get(was, "").split():
        work.echo = {**own(spec, current), **work.echo}
        work.fail(f"Invoice not of valid status for {work.doing}")
    if current is not None and status in DEAD:
        return _end(work, spec, current, status)
    document = heading(work, spec, current)
    document["Status"] = status = "AUTHORISED" if status == "PAID" else status
    _unique_number(work, spec, document, current)
    if not work.broken and document.get("Contact") and document.get("Type"):
        document = _completed(work, spec, document, current)
    work.echo = {**own(spec, document, sent=work.sent), **work.echo}
    work.stop()
    if document["Type"] in settlement.SALES:
        numbered(work, spec, document)
    if current is not None and settlement.used(current):
        return _edit_settled(work, spec, current, document)
    document = settlement.settled({**document, "Status": status})
    if spec is CREDIT_NOTE:
        document["ID"] = document["CreditNoteID"]
        del document["IsDiscounted"]
    return _into_ledger(work, spec, document, current, approved=status == "AUTHORISED")


def _completed(work: Work, spec: Spec, document: Record, current: Record | None) -> Record:
    """The document with its due date, lines and totals."""
    approved = document["Status"] == "AUTHORISED"
    if approved:
        if spec is INVOICE:
            _due(work, document)
        in_ledger = current is not None and current["Status"] in {"AUTHORISED", "PAID"}
        work.lock_dates(document["Date"], current["Date"] if current and in_ledger else None)
    sale = document["Type"] in settlement.SALES
    kind = Lines(sale=sale, complete=approved, discount=document["Type"] == "ACCREC")
    document = with_lines(work, document, kind, current)
    discounts = (one.get("DiscountRate") or one.get("DiscountAmount") for one in document["LineItems"])
    return {**document, "IsDiscounted": any(discounts)}


def _into_ledger(
    work: Work, spec: Spec, document: Record, current: Record | None, *, approved: bool
) -> Record:
    """Store a document, and post it again if the ledger changes."""
    if current is not None and current["Status"] in {"AUTHORISED", "PAID"}:
        if all(document.get(name) == current.get(name) for name in _IN_LEDGER):
            return work.put(spec.path, document)
        move_stock(work, current, -1)
        work.reverse(document[spec.id])
    if approved:
        to_ledger(work, document)
    return work.put(spec.path, document)


_IN_LEDGER = ("Date", "Contact", "LineItems", "LineAmountTypes", "CurrencyCode", "CurrencyRate", "Reference")


_HIDDEN = frozenset(
    "UpdatedDateUTC CurrencyRate AmountDue AmountPaid AmountCredited RemainingCredit HasAttachments Reference"
    " SentToContact Status Contact FullyPaidOnDate".split()
)


def own(spec: Spec, document: Record | None, sent: Record | None = None) -> Record:
    """The fields that a refused element shows besides those sent; the number is not among them (as recorded)."""
    hidden = (_HIDDEN | {spec.number}) - set(sent or {})
    return {name: one for name, one in (document or {}).items() if name not in hidden}


def _unique_number(work: Work, spec: Spec, document: Record, current: Record | None) -> None:
    if document.get("Type") in {"ACCPAY", "ACCPAYCREDIT"}:
        document[spec.number] = work.sent.get(spec.number, document.get(spec.number, ""))
        return
    number = work.sent.get(spec.number)
    if number:
        others = work.others(spec.path, spec.number, number, current or {})
        if any(one.get("Type") == document.get("Type") for one in others):
            work.refuse(f"{spec.noun} # must be unique.")
        document[spec.number] = number


def _edit_settled(work: Work, spec: Spec, current: Record, document: Record) -> Record:
    """Change a document with payments or credits: only a few fields can change, and no LineItems can be sent."""
    free = _PART_PAID | {"UpdatedDateUTC", "Status", "IsDiscounted"}
    names = (set(document) | set(current)) - free
    changed = {name for name in _PART_PAID if document.get(name) != current.get(name)}
    if "LineItems" in work.sent or any(document.get(name) != current.get(name) for name in names):
        work.fail(CHANGED_STATUS, SETTLED)
    document = {**document, "Status": current["Status"]}
    if "IsDiscounted" not in current:
        document.pop("IsDiscounted", None)
    return work.put(spec.path, document, touch=not (changed and changed <= _SILENT))


def _end(work: Work, spec: Spec, current: Record, status: str) -> Record:
    """Void or delete a document. The answer still shows the old amount due (as recorded)."""
    if settlement.used(current):
        noun = spec.noun.lower()
        why = f"The status {status} cannot be applied to the {noun} because it has payments or credit notes allocated"
        work.fail(f"{why} to it.", SETTLED)
    if status == "VOIDED":
        work.lock_dates(current["Date"])
        work.stop()
        move_stock(work, current, -1)
        work.reverse(current[spec.id])
    ended = settlement.ended(current, status, work.at)
    kept = work.put(spec.path, ended)
    left = "AmountDue" if spec is INVOICE else "RemainingCredit"
    work.answer = {**kept, left: current[left]}
    return kept


def to_ledger(work: Work, document: Record) -> None:
    """Post an approved document, move its stock, and mark its contact as customer or supplier."""
    work.post(work.ledger.post_document(document, work.at, move_stock(work, document, 1)))
    role = "IsCustomer" if settlement.is_sale(document) else "IsSupplier"
    met(work, document["Contact"]["ContactID"], role)
