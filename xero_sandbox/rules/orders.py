"""The rules for purchase orders, quotes and repeating invoices: documents that never touch the ledger."""

from __future__ import annotations

from ..values import ZERO, Record, picked
from .checks import require
from .documents import Spec, heading, numbered, own
from .lines import Lines, with_lines
from .work import Work

ORDER = Spec(
    "PurchaseOrders",
    "PurchaseOrderNumber",
    "PO-",
    "PurchaseOrder",
    "",
    "Reference BrandingThemeID DeliveryAddress AttentionTo Telephone DeliveryInstructions DeliveryDate"
    " ExpectedArrivalDate",
    fresh={
        "Type": "PURCHASEORDER",
        **dict.fromkeys(("SentToContact", "HasAttachments", "IsDiscounted", "HasErrors"), False),
    },
)
QUOTE = Spec(
    "Quotes",
    "QuoteNumber",
    "QU-",
    "Quote",
    "",
    "Reference Terms Title Summary BrandingThemeID ExpiryDate",
    fresh={"Terms": ""},
)
REPEATING = Spec(
    "RepeatingInvoices",
    "",
    "",
    "Repeating Invoice",
    "ACCREC ACCPAY",
    "Reference BrandingThemeID ApprovedForSending SendCopy MarkAsSent IncludePDF",
    fresh={"HasAttachments": False},
)
_ORDER_STEPS = {
    "": "DRAFT SUBMITTED AUTHORISED BILLED",
    "DRAFT": "DRAFT SUBMITTED AUTHORISED BILLED DELETED",
    "SUBMITTED": "DRAFT SUBMITTED AUTHORISED BILLED DELETED",
    "AUTHORISED": "AUTHORISED BILLED DELETED",
    "BILLED": "BILLED DELETED",
}
_QUOTE_STEPS = {
    "": "DRAFT SENT DECLINED ACCEPTED INVOICED",
    "DRAFT": "DRAFT SENT DECLINED ACCEPTED INVOICED DELETED",
    "SENT": "DRAFT SENT DECLINED ACCEPTED INVOICED DELETED",
    "DECLINED": "DRAFT SENT DECLINED ACCEPTED DELETED",
    "ACCEPTED": "DRAFT SENT DECLINED ACCEPTED INVOICED DELETED",
    "INVOICED": "INVOICED DELETED",
}


# --- purchase orders -------------------------------------------------------------------------------------


def save_order(work: Work, current: Record | None) -> Record:
    """Check and store a purchase order. A create with the number of an existing order updates that order
    without a warning; the number of a deleted order is refused with a zero id (both measured against a demo
    company).
    """
    sent = work.sent
    number = sent.get("PurchaseOrderNumber")
    holders = work.matching("PurchaseOrders", "PurchaseOrderNumber", number)
    live = next((one for one in holders if one["Status"] != "DELETED"), None)
    if current is None and live is not None:
        current, work.was, work.creates = live, live, False
        work.echo["PurchaseOrderID"] = live["PurchaseOrderID"]
    order = heading(work, ORDER, current, make_contacts=False)
    if number:
        order["PurchaseOrderNumber"] = number
    order["Status"] = status = sent.get("Status", order.get("Status", "DRAFT"))
    if order.get("Contact"):
        order = _with_lines(work, order, Lines(sale=False, complete=False, discount=True), current)
    order["IsDiscounted"] = "TotalDiscount" in order
    _mark_sent(work, order)
    work.echo = {**own(ORDER, order, sent=sent), **work.echo, "Status": status}
    if (current or {}).get("Status") == "DELETED" or (current is None and holders):
        work.fail("PurchaseOrder status change is invalid", "Deleted PurchaseOrders cannot be updated")
    if status not in _ORDER_STEPS[current["Status"] if current else ""].split():
        work.refuse("PurchaseOrder status change is invalid")
    if work.others("PurchaseOrders", "PurchaseOrderNumber", number, order):
        work.refuse("Order number must be unique")
    work.stop()
    numbered(work, ORDER, order)
    return work.put("PurchaseOrders", order)


def _with_lines(work: Work, document: Record, kind: Lines, current: Record | None) -> Record:
    document = with_lines(work, document, kind, current)
    if not document["LineItems"]:
        work.refuse("One or more line items must be specified")
    return document


def _mark_sent(work: Work, order: Record) -> None:
    sent = work.sent.get("SentToContact")
    if sent is not None and order["Status"] in {"AUTHORISED", "BILLED"}:
        order["SentToContact"] = sent
    elif sent:
        work.warn("Only AUTHORISED and BILLED purchase orders may have SentToContact updated.")


# --- quotes ----------------------------------------------------------------------------------------------


def match_quote(work: Work) -> Record | None:
    """By QuoteNumber; the number of a deleted quote can be used again."""
    found = work.matching("Quotes", "QuoteNumber", work.sent.get("QuoteNumber"))
    return next((one for one in found if one["Status"] != "DELETED"), None)


def save_quote(work: Work, current: Record | None) -> Record:
    """Check and store a quote. An update needs Contact and Date; without QuoteNumber the quote gets the next
    number, without Terms they become empty (as recorded). Lines without TaxType get no tax.
    """
    sent = work.sent
    was = current["Status"] if current else ""
    status = sent.get("Status", was or "DRAFT")
    if status not in _QUOTE_STEPS.get(was, "").split():
        work.refuse("Quote status change is invalid")
    if current is not None:
        require(work, sent, "Contact", "Date")
    work.stop()
    quote = heading(work, QUOTE, current)
    quote["Terms"] = sent.get("Terms", "")
    quote["Status"] = status
    quote["LineAmountTypes"] = quote["LineAmountTypes"].upper()
    other = match_quote(work)
    if other is not None and other["QuoteID"] != quote["QuoteID"]:
        work.refuse("Quote number must be unique")
    if quote.get("Contact"):
        quote = _with_lines(work, quote, Lines(sale=True, complete=False, tax=False, discount=True), current)
        quote["LineItems"] = [{"ItemCode": "", "DiscountAmount": ZERO, **line} for line in quote["LineItems"]]
    quote.setdefault("TotalDiscount", ZERO)
    work.echo = {**own(QUOTE, quote, sent=sent), **work.echo}
    work.stop()
    quote["QuoteNumber"] = sent.get("QuoteNumber") or ""
    numbered(work, QUOTE, quote)
    return work.put("Quotes", quote)


# --- repeating invoices ----------------------------------------------------------------------------------

_UNITS = frozenset({"WEEKLY", "MONTHLY"})
_DUE = frozenset(
    "DAYSAFTERBILLDATE DAYSAFTERBILLMONTH DAYSAFTERINVOICEDATE DAYSAFTERINVOICEMONTH OFCURRENTMONTH"
    " OFFOLLOWINGMONTH".split()
)


def save_repeating(work: Work, current: Record | None) -> Record:
    """Create or delete a repeating invoice; nothing else can be changed."""
    sent = work.sent
    if current is not None:
        names = f"{REPEATING.plain} Type Contact Schedule LineItems LineAmountTypes CurrencyCode".split()
        changed = any(name in sent and sent[name] != current.get(name) for name in names)
        if current["Status"] == "DELETED" or sent.get("Status") != "DELETED" or changed:
            work.fail("Only Status accepted for updates.")
        return work.put("RepeatingInvoices", {**current, "Status": "DELETED"})
    status = sent.get("Status", "")
    if status not in {"DRAFT", "AUTHORISED"}:
        work.refuse(f"Status '{status}' is not valid; a repeating invoice is DRAFT or AUTHORISED")
    schedule = _schedule(work, sent.get("Schedule", {}))
    invoice = heading(work, REPEATING, None)
    for name in ("Date", "CurrencyRate"):
        invoice.pop(name, None)
    invoice.update(Status=status, Schedule=schedule, ID=invoice["RepeatingInvoiceID"])
    for name in ("ApprovedForSending", "SendCopy", "MarkAsSent", "IncludePDF"):
        invoice.setdefault(name, False)
    if invoice.get("Contact") and invoice.get("Type"):
        sale = invoice["Type"] == "ACCREC"
        invoice = with_lines(work, invoice, Lines(sale=sale, complete=True, discount=sale), None)
    work.echo = {**own(REPEATING, invoice), **work.echo}
    work.stop()
    return work.put("RepeatingInvoices", invoice)


def _schedule(work: Work, sent: Record) -> Record:
    require(work, sent, "Period", "Unit", "StartDate", "DueDate", "DueDateType", within="Schedule.")
    if sent.get("Unit", "MONTHLY") not in _UNITS:
        work.refuse(f"Schedule.Unit '{sent['Unit']}' is not valid")
    if sent.get("DueDateType", "OFCURRENTMONTH") not in _DUE:
        work.refuse(f"Schedule.DueDateType '{sent['DueDateType']}' is not valid")
    if sent.get("Period", 1) < 1:
        work.refuse("Schedule.Period must be greater than zero")
    names = ("Period", "Unit", "DueDate", "DueDateType", "StartDate", "EndDate")
    return {**picked(sent, names), "NextScheduledDate": sent.get("StartDate")}
