"""The rules for items."""

from __future__ import annotations

from ...values import ZERO, Record, picked
from ..checks import check_lengths, check_tax_type
from ..lines import used
from ..work import Work


def match_item(work: Work) -> Record | None:
    """By Code."""
    return work.first("Items", "Code", work.sent.get("Code"))


def save_item(work: Work, current: Record | None) -> Record:
    """Check and store an item; updates need the Code, too."""
    sent = work.sent
    item: Record = dict(current or {"ItemID": work.new_id(), "IsTrackedAsInventory": False})
    code = sent.get("Code")
    if not code:
        work.fail("Price List Item Code must be specified")
    if work.others("Items", "Code", code, item):
        work.refuse(f"Price List Item with Code '{code}' already exists")
    check_lengths(work, {"Code": 30, "Name": 50, "Description": 4000, "PurchaseDescription": 4000})
    names = "Code Name Description PurchaseDescription IsSold IsPurchased InventoryAssetAccountCode"
    item.update(picked(sent, names.split()))
    for side in ("SalesDetails", "PurchaseDetails"):
        item[side] = _details(work, item.get(side) or {}, sent.get(side, {}))
    item.setdefault("IsSold", True)
    item.setdefault("IsPurchased", True)
    _tracked(work, item, current)
    work.stop()
    return work.put("Items", item)


def _details(work: Work, before: Record, sent: Record) -> Record:
    names = ("UnitPrice", "AccountCode", "COGSAccountCode", "TaxType")
    details = {**before, **picked(sent, names)}
    if "UnitPrice" in sent:
        details["UnitPrice"] = work.price(sent["UnitPrice"])
    for name in ("AccountCode", "COGSAccountCode"):
        account = work.first("Accounts", "Code", details.get(name))
        if details.get(name) and (
            account is None or account["Status"] != "ACTIVE" or account["Type"] == "BANK"
        ):
            work.refuse(f"Account code '{details[name]}' is not a valid code for this document.")
        elif account is not None and name == "AccountCode" and not details.get("TaxType"):
            details["TaxType"] = account["TaxType"]
    check_tax_type(work, sent.get("TaxType"))
    return details


def _tracked(work: Work, item: Record, current: Record | None) -> None:
    """An item is tracked if it has an inventory account and an account for the cost of goods sold."""
    asset, cost = item.get("InventoryAssetAccountCode"), item["PurchaseDetails"].get("COGSAccountCode")
    if not asset and not cost:
        return
    account = work.first("Accounts", "Code", asset)
    if account is None or account["Type"] != "INVENTORY" or not cost:
        work.refuse(
            "A tracked item needs an InventoryAssetAccountCode of type INVENTORY and a COGSAccountCode"
        )
    if item["PurchaseDetails"].get("AccountCode"):
        work.refuse("The purchase details of a tracked item take a COGSAccountCode instead of an AccountCode")
    untracked = current is not None and not current["IsTrackedAsInventory"]
    if current is not None and untracked and used(work, "ItemCode", current["Code"]):
        work.refuse("An item that has transactions cannot become a tracked item")
    item["IsTrackedAsInventory"] = True
    item.setdefault("QuantityOnHand", ZERO)
    item.setdefault("TotalCostPool", ZERO)


def delete_item(work: Work, found: Record) -> Record:
    """Delete an item; documents keep their lines."""
    if found.get("QuantityOnHand"):
        work.fail("Tracked items with a quantity on hand cannot be deleted")
    work.remove("Items", found["ItemID"])
    return found
