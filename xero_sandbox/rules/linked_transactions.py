"""The rules for linked transactions."""

from __future__ import annotations

from ..accounting.settlement import DEAD
from ..values import Record
from .work import Work

_SOURCE = ("SourceTransactionID", "SourceLineItemID")
_LINK = (*_SOURCE, "ContactID", "TargetTransactionID", "TargetLineItemID")


def save_link(work: Work, current: Record | None) -> Record:
    """Make a bill's or purchase's line billable to a customer, or point it at the line of a sales invoice."""
    link: Record = dict(current or {"LinkedTransactionID": work.new_id()})
    link.update({name: work.sent[name].lower() for name in _LINK if name in work.sent})
    source = _source(work, link, current)
    target = work.get("Invoices", link.get("TargetTransactionID"))
    if link.get("TargetTransactionID"):
        _target(work, link, target)
    elif link.get("TargetLineItemID"):
        work.refuse("TargetTransactionID must be specified together with TargetLineItemID")
    elif not link.get("ContactID"):
        work.refuse("ContactID must be specified unless there is a TargetTransactionID")
    if link.get("ContactID") and work.get("Contacts", link["ContactID"]) is None:
        work.refuse("The ContactID could not be found")
    work.stop()
    if target is not None:
        link.setdefault("ContactID", target["Contact"]["ContactID"])
        link["Status"] = "BILLED" if target["Status"] in {"AUTHORISED", "PAID"} else "ONDRAFT"
    else:
        link["Status"] = "APPROVED" if source["Status"] in {"AUTHORISED", "PAID"} else "DRAFT"
    link.update(Type="BILLABLEEXPENSE", SourceTransactionTypeCode=source["Type"])
    return work.put("LinkedTransactions", link)


def _source(work: Work, link: Record, current: Record | None) -> Record:
    """The bill or purchase of a link."""
    key, line = link.get("SourceTransactionID"), link.get("SourceLineItemID")
    source = work.get("Invoices", key) or work.get("BankTransactions", key)
    if current is not None and any(link.get(name) != current.get(name) for name in _SOURCE):
        work.refuse("The source of a linked transaction cannot be changed")
    if source is None or source["Type"] not in {"ACCPAY", "SPEND"} or source["Status"] in DEAD:
        work.fail("The SourceTransactionID must be that of an ACCPAY invoice or a SPEND bank transaction")
    if line not in {one["LineItemID"] for one in source["LineItems"]}:
        work.refuse("The SourceLineItemID and SourceTransactionID do not match")
    elif current is None and work.matching("LinkedTransactions", "SourceLineItemID", line):
        work.refuse("The SourceLineItemID has already been linked")
    return source


def _target(work: Work, link: Record, target: Record | None) -> None:
    if target is None or target["Type"] != "ACCREC" or target["Status"] in DEAD:
        work.refuse("The TargetTransactionID must be that of an ACCREC invoice")
        return
    if link.get("ContactID") and link["ContactID"] != target["Contact"]["ContactID"]:
        work.refuse("The ContactID and the TargetTransaction ContactID do not match")
    if link.get("TargetLineItemID") not in {line["LineItemID"] for line in target["LineItems"]}:
        work.refuse("The TargetLineItemID and TargetTransactionID do not match")


def delete_link(work: Work, found: Record) -> Record:
    """Delete a linked transaction."""
    work.remove("LinkedTransactions", found["LinkedTransactionID"])
    return found
