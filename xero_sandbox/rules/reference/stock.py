"""The rules for the stock of tracked items."""

from __future__ import annotations

from decimal import Decimal

from ...accounting import settlement
from ...accounting.currencies import in_base
from ...accounting.ledger import Posting
from ...values import ONE, ZERO, Record, money, negated
from ..lines import account
from ..work import Work


def move_stock(work: Work, document: Record, sign: int) -> list[Posting]:
    """Move tracked items: bills and credited sales add to the stock, sales take from it at average cost.

    ``sign`` -1 reverses that. Returns the postings for the cost of goods sold.
    """
    postings: list[Posting] = []
    posted: list[Record] = []
    if sign < 0:
        standing = work.standing(settlement.document_id(document))
        posted = [line for journal in standing for line in journal["JournalLines"]]
    for line in document["LineItems"]:
        item = work.first("Items", "Code", line.get("ItemCode"))
        item = item and work.get("Items", item["ItemID"])
        if not item or not item.get("IsTrackedAsInventory"):
            continue
        if document["Type"] in settlement.SALES:
            postings += _sold(work, document, line, item, sign, posted)
        else:
            _bought(work, document, line, item, sign)
    return postings


def _move(work: Work, item: Record, quantity: Decimal, cost: Decimal) -> None:
    stock = {
        "QuantityOnHand": item.get("QuantityOnHand", ZERO) + quantity,
        "TotalCostPool": item.get("TotalCostPool", ZERO) + cost,
    }
    work.put("Items", {**item, **stock}, touch=False)


def _bought(work: Work, document: Record, line: Record, item: Record, sign: int) -> None:
    """A line of a bill or of a supplier's credit note: the stock is worth what was paid without tax."""
    sign *= -1 if document["Type"].endswith("CREDIT") else 1
    net = line["LineAmount"]
    if document["LineAmountTypes"] == "Inclusive":
        net -= line.get("TaxAmount", ZERO)
    _move(work, item, line.get("Quantity", ONE) * sign, in_base(net, document.get("CurrencyRate")) * sign)


def _sold(
    work: Work, document: Record, line: Record, item: Record, sign: int, posted: list[Record]
) -> list[Posting]:
    """A line of a sale or of a customer's credit note, and the postings for its cost."""
    quantity, pool = item.get("QuantityOnHand", ZERO), item.get("TotalCostPool", ZERO)
    moved = line.get("Quantity", ONE) * sign * (1 if document["Type"].endswith("CREDIT") else -1)
    if sign < 0:
        _move(work, item, moved, negated(_taken(posted, item)))
        return []
    cost = money(pool * moved / quantity) if quantity else ZERO
    if quantity + moved < 0 and not work.origin.backorders:
        work.fail(f"The quantity of item '{item['Code']}' on hand is not enough for this document")
    _move(work, item, moved, cost)
    sides = (
        (item["PurchaseDetails"].get("COGSAccountCode"), negated(cost)),
        (item.get("InventoryAssetAccountCode"), cost),
    )
    accounts = [(account(work, {"AccountCode": code}), net) for code, net in sides if cost]
    return [Posting(one, net, description=item.get("Name")) for one, net in accounts if one is not None]


def _taken(posted: list[Record], item: Record) -> Decimal:
    """The amount of the next posted line for the stock of an item; the line is removed from ``posted``."""
    wanted = (item.get("InventoryAssetAccountCode"), item.get("Name"))
    for line in posted:
        if (line.get("AccountCode"), line.get("Description")) == wanted:
            posted.remove(line)
            net: Decimal = line["NetAmount"]
            return net
    return ZERO
