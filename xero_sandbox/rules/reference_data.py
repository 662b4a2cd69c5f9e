"""The rules for accounts, items, tax rates, tracking, currencies, payment services and linked transactions."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ..accounting.chart import CLASSES, REPORTING
from ..accounting.settlement import DEAD
from ..state.organisation import Organisation
from ..values import TEN_THOUSANDTH, ZERO, Record
from .checks import check_currency, check_lengths, check_tax_type
from .lines import none_type
from .work import ZERO_ID, Rule, Work, head

_WITH_LINES = {
    "Invoices": "LineItems",
    "CreditNotes": "LineItems",
    "BankTransactions": "LineItems",
    "PurchaseOrders": "LineItems",
    "Quotes": "LineItems",
    "RepeatingInvoices": "LineItems",
    "ManualJournals": "JournalLines",
}


def _lines(organisation: Organisation) -> Iterator[Record]:
    """Every line of every document."""
    for path, field in _WITH_LINES.items():
        for document in organisation.table(path).rows.values():
            yield from document.get(field) or ()


def _used(work: Work, name: str, value: str) -> bool:
    """Whether a line of a document has this value."""
    return any(line.get(name) == value for line in _lines(work.organisation))


def _tracked_by(work: Work, key: str, value: str) -> bool:
    """Whether the tracking of a line has this category or option."""
    return any(
        one.get(key) == value for line in _lines(work.organisation) for one in line.get("Tracking") or ()
    )


# --- accounts --------------------------------------------------------------------------------------------

_ACCOUNT = (
    "Code Name Type BankAccountNumber Description BankAccountType CurrencyCode TaxType EnablePaymentsToAccount"
    " ShowInExpenseClaims AddToWatchlist"
).split()
_NEW_ACCOUNT: Record = {
    "EnablePaymentsToAccount": False,
    "ShowInExpenseClaims": False,
    "BankAccountType": "",
    "HasAttachments": False,
    "AddToWatchlist": False,
}


def save_account(work: Work, current: Record | None) -> Record:
    """Check and store an account; bank accounts need a number, all others a code."""
    sent = work.sent
    status = str(sent.get("Status", (current or {}).get("Status", "ACTIVE")))
    record: Record = {**_NEW_ACCOUNT, **(current or {"AccountID": work.new_id()})}
    record.update({name: sent[name] for name in _ACCOUNT if name in sent})
    _account_change(work, current, status)
    _account_type(work, record, current)
    _account_names(work, record)
    check_tax_type(work, sent.get("TaxType"))
    if record.get("Type") == "BANK":
        check_currency(work, record.setdefault("CurrencyCode", work.base))
        record["BankAccountType"] = record["BankAccountType"] or "BANK"
    work.stop()
    record["Class"] = CLASSES[record["Type"]]
    if not record.get("TaxType"):
        record["TaxType"] = _default_tax(work, record["Class"])
    record["ReportingCode"], record["ReportingCodeName"] = REPORTING[record["Class"]]
    record["Status"] = status
    return work.put("Accounts", record)


def _account_change(work: Work, current: Record | None, status: str) -> None:
    """Check a change: system accounts cannot be edited, nor the status together with other fields."""
    before = current or {}
    changed = any(name in work.sent and work.sent[name] != before.get(name) for name in _ACCOUNT)
    if before.get("SystemAccount") and (changed or status != before["Status"]):
        work.stop("System accounts cannot be edited")
    if current is not None and current["Status"] != "ACTIVE" and changed:
        work.refuse("Archived accounts cannot be edited")
    if status not in ({"ACTIVE"} if current is None else {"ACTIVE", "ARCHIVED"}):
        work.refuse(f"The status '{status}' is not valid for accounts")
    if current is not None and status != current["Status"] and changed:
        work.refuse("The Status of an account cannot be changed together with other fields")


def _account_type(work: Work, record: Record, current: Record | None) -> None:
    kind = record.get("Type", "")
    if kind not in CLASSES:
        work.refuse("Account Type must be specified" if not kind else f"Account Type '{kind}' is not valid")
    elif current is not None and "BANK" in {kind, current["Type"]} and kind != current["Type"]:
        work.refuse("The Type of a bank account cannot be changed")


def _account_names(work: Work, record: Record) -> None:
    bank = record.get("Type") == "BANK"
    if not record.get("Name"):
        work.refuse("Please enter a Name.")
    if bank and not record.get("BankAccountNumber"):
        work.refuse("Please enter a BankAccountNumber.")
    if not bank and not record.get("Code"):
        work.refuse("Please enter a Code.")
    if len(record.get("Code", "")) > 10:
        work.refuse("Account Code is too long. Maximum of 10 characters allowed")
    check_lengths(work, {"Name": 150, "Description": 4000})
    for name in ("Name", "Code"):
        if work.others("Accounts", name, record.get(name), record):
            work.refuse(f"Please enter a unique {name}.")


def _default_tax(work: Work, group: str) -> str:
    """The default tax type of a new account: that of sales or expenses, or none."""
    wanted = {"REVENUE": "OUTPUT", "EXPENSE": "INPUT"}.get(group)
    for rate in work.organisation.records("TaxRates"):
        if wanted and rate["Status"] == "ACTIVE" and rate["TaxType"].rstrip("0123456789") == wanted:
            return str(rate["TaxType"])
    return none_type(work)


def delete_account(work: Work, found: Record) -> Record:
    """Delete an account without transactions."""
    sides, code, key = ("SalesDetails", "PurchaseDetails"), found.get("Code"), found["AccountID"]
    items, journals = work.organisation.records("Items"), work.organisation.records("Journals")
    coded = any(code and code in item.get(side, {}).values() for item in items for side in sides)
    posted = any(line.get("AccountID") == key for journal in journals for line in journal["JournalLines"])
    if found.get("SystemAccount"):
        work.stop("System accounts cannot be deleted")
    if coded or posted or _used(work, "AccountID", key):
        work.stop("The account cannot be deleted because it has transactions; archive it instead")
    work.remove("Accounts", found["AccountID"])
    return {**found, "Status": "DELETED"}


ACCOUNTS = Rule(save_account, one="PUT POST", summarize="")


# --- items -----------------------------------------------------------------------------------------------


def match_item(work: Work) -> Record | None:
    """By Code."""
    return work.first("Items", "Code", work.sent.get("Code"))


def save_item(work: Work, current: Record | None) -> Record:
    """Check and store an item; updates need the Code, too."""
    sent = work.sent
    item: Record = dict(current or {"ItemID": work.new_id(), "IsTrackedAsInventory": False})
    code = sent.get("Code")
    if not code:
        work.stop("Price List Item Code must be specified")
    if work.others("Items", "Code", code, item):
        work.refuse(f"Price List Item with Code '{code}' already exists")
    check_lengths(work, {"Code": 30, "Name": 50, "Description": 4000, "PurchaseDescription": 4000})
    names = "Code Name Description PurchaseDescription IsSold IsPurchased InventoryAssetAccountCode"
    item.update({name: sent[name] for name in names.split() if name in sent})
    for side in ("SalesDetails", "PurchaseDetails"):
        item[side] = _details(work, item.get(side) or {}, sent.get(side, {}))
    item.setdefault("IsSold", True)
    item.setdefault("IsPurchased", True)
    _tracked(work, item, current)
    work.stop()
    return work.put("Items", item)


def _details(work: Work, before: Record, sent: Record) -> Record:
    names = ("UnitPrice", "AccountCode", "COGSAccountCode", "TaxType")
    details = {**before, **{name: sent[name] for name in names if name in sent}}
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
    if current is not None and untracked and _used(work, "ItemCode", current["Code"]):
        work.refuse("An item that has transactions cannot become a tracked item")
    item["IsTrackedAsInventory"] = True
    item.setdefault("QuantityOnHand", ZERO)
    item.setdefault("TotalCostPool", ZERO)


def delete_item(work: Work, found: Record) -> Record:
    """Delete an item; documents keep their lines."""
    if found.get("QuantityOnHand"):
        work.stop("Tracked items with a quantity on hand cannot be deleted")
    work.remove("Items", found["ItemID"])
    return found


ITEMS = Rule(save_item, match_item)


# --- tax rates -------------------------------------------------------------------------------------------


def match_tax_rate(work: Work) -> Record | None:
    """By TaxType, else by Name, deleted ones left out."""
    for name in ("TaxType", "Name"):
        for one in work.matching("TaxRates", name, work.sent.get(name)):
            if one["Status"] != "DELETED":
                return one
    return None


def save_tax_rate(work: Work, current: Record | None) -> Record:
    """Check and store a tax rate of the organisation; Xero's own rates cannot be changed."""
    sent = work.sent
    if current is not None and not current["TaxType"].startswith("TAX"):
        work.stop("System tax rates cannot be edited")
    status = sent.get("Status", "ACTIVE")
    if status not in {"ACTIVE", "DELETED"} or (current is None and status != "ACTIVE"):
        work.refuse(f"The status '{status}' is not valid for tax rates")
    if current is not None and status == "DELETED":
        return _delete_tax_rate(work, current)
    name = str(sent.get("Name", (current or {}).get("Name", "")))
    _tax_rate_name(work, name, current)
    country = head(work.organisation).get("CountryCode")
    report = sent.get("ReportTaxType", (current or {}).get("ReportTaxType"))
    if not report and country in {"AU", "NZ", "GB"}:
        work.refuse("ReportTaxType must be specified")
    components = _components(work, sent.get("TaxComponents", []))
    work.stop()
    rate = _effective_rate(components)
    sale = str(report or "OUTPUT").startswith(("OUTPUT", "EXEMPTOUTPUT"))
    record: Record = {
        "TaxType": current["TaxType"] if current else _next_tax_type(work),
        "Name": name,
        "CanApplyToAssets": True,
        "CanApplyToEquity": True,
        "CanApplyToExpenses": not sale,
        "CanApplyToLiabilities": True,
        "CanApplyToRevenue": sale,
        "DisplayTaxRate": rate,
        "EffectiveRate": rate,
        "Status": "ACTIVE",
        "TaxComponents": components,
    }
    if report:
        record["ReportTaxType"] = report
    return work.put("TaxRates", record)


def _delete_tax_rate(work: Work, current: Record) -> Record:
    if _used(work, "TaxType", current["TaxType"]):
        work.refuse("The tax rate cannot be deleted because it has been used on a transaction")
    work.stop()
    return work.put("TaxRates", {**current, "Status": "DELETED"})


def _tax_rate_name(work: Work, name: str, current: Record | None) -> None:
    if not name:
        work.refuse("The tax rate Name must be specified")
    check_lengths(work, {"Name": 50})
    if any(one["Status"] != "DELETED" for one in work.others("TaxRates", "Name", name, current or {})):
        work.refuse("The tax rate name must be unique")


def _effective_rate(components: list[Record]) -> Decimal:
    """The rate of all components; a compound component also applies to the tax of the others."""
    plain = sum((one["Rate"] for one in components if not one["IsCompound"]), ZERO)
    compound = sum((one["Rate"] for one in components if one["IsCompound"]), ZERO)
    return Decimal(plain + compound * (100 + plain) / 100).quantize(TEN_THOUSANDTH)


def _components(work: Work, sent: list[Record]) -> list[Record]:
    if not sent:
        work.refuse("One or more tax components must be specified")
    for one in sent:
        if not one.get("Name") or "Rate" not in one:
            work.refuse("A tax component needs a Name and a Rate")
    return [
        {
            "Name": one.get("Name", ""),
            "Rate": Decimal(one.get("Rate", ZERO)).quantize(TEN_THOUSANDTH),
            "IsCompound": one.get("IsCompound", False),
            "IsNonRecoverable": one.get("IsNonRecoverable", False),
        }
        for one in sent
    ]


def _next_tax_type(work: Work) -> str:
    taken = {rate["TaxType"] for rate in work.organisation.records("TaxRates")}
    return next(name for number in range(1, 1000) if (name := f"TAX{number:03d}") not in taken)


TAX_RATES = Rule(save_tax_rate, match_tax_rate, one="PUT POST", summarize="", by_id=False)


# --- tracking --------------------------------------------------------------------------------------------

_NOT_UNIQUE = "For each specified tracking option the name must be unique"


def save_category(work: Work, current: Record | None) -> Record:
    """Create, rename, archive or restore a tracking category: at most two active ones, four in all."""
    sent = work.sent
    category: Record = {
        "TrackingCategoryID": work.new_id(),
        "Status": "ACTIVE",
        "Options": [],
        **(current or {}),
    }
    category["Name"] = sent.get("Name", category.get("Name", ""))
    status = category["Status"] = sent.get("Status", category["Status"])
    if not category["Name"]:
        work.refuse("The tracking category Name must be specified")
    check_lengths(work, {"Name": 100})
    if status not in ({"ACTIVE"} if current is None else {"ACTIVE", "ARCHIVED"}):
        work.refuse(f"The status '{status}' is not valid for tracking categories")
    mine = category["TrackingCategoryID"]
    everything = work.organisation.records("TrackingCategories")
    others = [one for one in everything if one["TrackingCategoryID"] != mine and one["Status"] != "DELETED"]
    if any(one["Name"].casefold() == category["Name"].casefold() for one in others):
        work.refuse("The tracking category name must be unique")
    if status == "ACTIVE" and sum(one["Status"] == "ACTIVE" for one in others) >= 2:
        work.refuse("An organisation can have a maximum of 2 active tracking categories")
    if current is None and len(others) >= 4:
        work.refuse("An organisation can have a maximum of 4 tracking categories")
    work.stop()
    return work.put("TrackingCategories", category)


TRACKING_CATEGORIES = Rule(save_category, one="PUT POST", summarize="")


def delete_category(work: Work, found: Record) -> Record:
    """Delete a tracking category that no line has."""
    if _tracked_by(work, "TrackingCategoryID", found["TrackingCategoryID"]):
        work.stop("The tracking category cannot be deleted because it is in use; archive it instead")
    work.remove("TrackingCategories", found["TrackingCategoryID"])
    return {**found, "Status": "DELETED"}


def _option(name: str, identifier: str, status: str = "ACTIVE") -> Record:
    return {
        "TrackingOptionID": identifier,
        "Name": name,
        "Status": status,
        "HasValidationErrors": False,
        "IsDeleted": status == "DELETED",
        "IsArchived": status == "ARCHIVED",
        "IsActive": status == "ACTIVE",
    }


def add_option(work: Work, category_id: str) -> Record:
    """Add an option to a tracking category; returns the option."""
    category = work.get("TrackingCategories", category_id) or {}
    name, options = work.sent["Name"], category["Options"]
    if any(one["Name"].casefold() == name.casefold() and not one["IsDeleted"] for one in options):
        work.stop(_NOT_UNIQUE)
    option = _option(name, work.new_id())
    work.put("TrackingCategories", {**category, "Options": [*options, option]})
    return option


def save_option(work: Work, category: Record, before: Record) -> Record:
    """Rename, archive or restore an option; returns the option."""
    name = str(work.sent.get("Name", before["Name"]))
    status = str(work.sent.get("Status", before.get("Status", "ACTIVE")))
    others = [one for one in category["Options"] if one is not before]
    if status not in {"ACTIVE", "ARCHIVED"}:
        work.echo = {**before, "Status": status}
        work.stop(f"The status '{status}' is not valid for tracking options")
    if not name or any(one["Name"].casefold() == name.casefold() for one in others):
        work.echo = {**before, "Name": name}
        work.stop(_NOT_UNIQUE)
    option = _option(name, before["TrackingOptionID"], status)
    now = [option if one is before else one for one in category["Options"]]
    work.put("TrackingCategories", {**category, "Options": now})
    return option


def delete_option(work: Work, category: Record, before: Record) -> Record:
    """Delete an option that no line has; returns the option."""
    work.echo = before
    if _tracked_by(work, "TrackingOptionID", before["TrackingOptionID"]):
        work.stop("The tracking option cannot be deleted because it is in use")
    others = [one for one in category["Options"] if one is not before]
    work.put("TrackingCategories", {**category, "Options": others})
    return _option(before["Name"], before["TrackingOptionID"], "DELETED")


# --- currencies and payment services ---------------------------------------------------------------------


def save_currency(work: Work, _current: Record | None) -> Record:
    """Subscribe to a currency; it cannot be changed or removed again."""
    code = str(work.sent.get("Code", ""))
    if len(code) != 3 or not code.isalpha():
        work.refuse("Currency Code must be specified" if not code else f"Currency Code '{code}' is not valid")
    if work.matching("Currencies", "Code", code):
        work.refuse(f"Organisation is already subscribed to currency {code.upper()}")
    work.stop()
    return work.put(
        "Currencies", {"Code": code.upper(), "Description": work.sent.get("Description", code.upper())}
    )


CURRENCIES = Rule(save_currency, one="PUT", summarize="", by_id=False)


def save_payment_service(work: Work, _current: Record | None) -> Record:
    """Create a custom payment service."""
    sent = work.sent
    for name in ("PaymentServiceName", "PaymentServiceUrl"):
        if not sent.get(name):
            work.refuse(f"{name} must be specified")
    if sent.get("PaymentServiceUrl") and not sent["PaymentServiceUrl"].startswith("https://"):
        work.refuse("PaymentServiceUrl must be a valid https address")
    if work.matching("PaymentServices", "PaymentServiceName", sent.get("PaymentServiceName")):
        work.refuse("PaymentServiceName must be unique")
    work.stop()
    names = ("PaymentServiceName", "PaymentServiceUrl")
    service = {"PaymentServiceType": "Custom", "PayNowText": sent.get("PayNowText", "Pay now")}
    return work.put("PaymentServices", {**{name: sent[name] for name in names}, **service})


PAYMENT_SERVICES = Rule(save_payment_service, summarize="")


def attach_services(work: Work, theme: Record, sent: list[Record]) -> list[Record]:
    """Attach payment services to a branding theme; those attached before stay. Returns the requested ones."""
    chosen: list[Record] = []
    for one in sent:
        service = work.get("PaymentServices", one.get("PaymentServiceID"))
        if service is None:
            work.echo = {"PaymentServiceID": ZERO_ID, **one}
            work.stop("Payment service could not be found")
        else:
            chosen.append(service)
    known = theme.get("PaymentServiceIDs", ())
    attached = dict.fromkeys([*known, *(one["PaymentServiceID"] for one in chosen)])
    work.put("BrandingThemes", {**theme, "PaymentServiceIDs": list(attached)})
    return chosen


# --- linked transactions ---------------------------------------------------------------------------------


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
        work.stop("The SourceTransactionID must be that of an ACCPAY invoice or a SPEND bank transaction")
    source = source or {}
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


LINKED_TRANSACTIONS = Rule(save_link, one="PUT POST", summarize="")


def delete_link(work: Work, found: Record) -> Record:
    """Delete a linked transaction."""
    work.remove("LinkedTransactions", found["LinkedTransactionID"])
    return found
