"""The rules for the lines of documents: accounts, items, tax, tracking, prices and totals."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from ..accounting import totals
from ..accounting.ledger import tracking_of
from ..values import CENT, ONE, TEN_THOUSANDTH, ZERO, Record, money
from .work import Work

_PLAIN = ("Description", "Quantity", "DiscountRate", "DiscountAmount")
_PRICING = frozenset(
    "Quantity UnitAmount LineAmount TaxAmount TaxType AccountCode AccountID ItemCode DiscountRate"
    " DiscountAmount".split()
)
"""Fields whose change makes the tax of a line be calculated again."""

_TOLERANCE = Decimal("0.05")
"""The largest difference between a TaxAmount that is sent and the calculated one; Xero does not document its
own."""

_APPLIES = {
    "ASSET": "CanApplyToAssets",
    "EQUITY": "CanApplyToEquity",
    "EXPENSE": "CanApplyToExpenses",
    "LIABILITY": "CanApplyToLiabilities",
    "REVENUE": "CanApplyToRevenue",
}
AMOUNT_TYPES = {"exclusive": "Exclusive", "inclusive": "Inclusive", "notax": "NoTax"}


@dataclass(frozen=True)
class Lines:
    """How lines of a kind of document are checked.

    ``sale``: items give their sales side, else the purchase side. ``complete``: as an approved document needs
    them. ``tax``: a line without TaxType gets the item's or account's. ``discount``: a line may have one.
    ``control``: lines may be coded to accounts receivable or payable (overpayments).
    """

    sale: bool
    complete: bool
    tax: bool = True
    discount: bool = False
    control: bool = False


def amount_types(work: Work, current: str) -> str:
    """LineAmountTypes as asked for, in Xero's spelling."""
    asked = work.asked.get("LineAmountTypes")
    if asked is None:
        return current
    if asked.lower() not in AMOUNT_TYPES:
        work.refuse(f"LineAmountTypes '{asked}' is not valid")
    return AMOUNT_TYPES.get(asked.lower(), current)


def account(work: Work, asked: Record, code: str = "AccountCode") -> Record | None:
    """The account named by AccountID or by its code, archived ones included."""
    if asked.get("AccountID"):
        return work.get("Accounts", asked["AccountID"])
    return next(iter(work.matching("Accounts", "Code", asked.get(code))), None)


def none_type(work: Work) -> str:
    """The tax type for no tax."""
    known = {rate["TaxType"] for rate in work.organisation.records("TaxRates")}
    return "NONE" if "NONE" in known else "BASEXCLUDED"


def with_lines(work: Work, document: Record, kind: Lines, current: Record | None) -> Record:
    """``document`` with the lines that were asked for, its totals and taxes.

    A line sent with its LineItemID keeps the fields that are not sent. A line without one is new, gets an id
    and comes before the others (XeroAPI/Xero-NetStandard#374, xero-python#111); a line that is not listed is
    deleted. No LineItems leaves all as they are.
    """
    before: list[Record] = (current or {}).get("LineItems", [])
    asked = work.asked.get("LineItems")
    if asked is not None:
        lines = _asked_lines(work, document, kind, before)
    elif current is not None and current["LineAmountTypes"] != document["LineAmountTypes"]:
        lines = [{name: one for name, one in line.items() if name != "TaxAmount"} for line in before]
    else:
        lines = before
    if kind.complete:
        _complete(work, lines)
    return totals.priced({**document, "LineItems": lines}, work.chart.percents, keep_tax=True)


def _asked_lines(work: Work, document: Record, kind: Lines, before: list[Record]) -> list[Record]:
    known = {str(line["LineItemID"]).lower(): line for line in before}
    fresh: list[Record] = []
    kept: list[Record] = []
    echo = []
    for place, one in enumerate(work.asked["LineItems"]):
        old = known.get(str(one.get("LineItemID", "")).lower())
        errors: list[str] = []
        line = _line(work, document, kind, one, old, place, errors)
        (kept if old else fresh).append(line)
        shown = {name: value for name, value in line.items() if old or name != "LineItemID"}
        echo.append({**shown, "ValidationErrors": [{"Message": error} for error in errors]})
    work.echo["LineItems"] = echo
    return fresh + kept


def _complete(work: Work, lines: list[Record]) -> None:
    """What an approved document needs (Xero's invoice documentation)."""
    if not lines:
        work.refuse("One or more line items must be specified")
    for line in lines:
        if not line.get("Description"):
            work.refuse("The Description field is mandatory")
        if "UnitAmount" in line and not line.get("AccountCode") and not line.get("AccountID"):
            work.refuse("Account code must be specified")
    if lines and not any("UnitAmount" in line for line in lines):
        work.refuse("One or more line items must be specified")


def _line(
    work: Work,
    document: Record,
    kind: Lines,
    asked: Record,
    old: Record | None,
    place: int,
    errors: list[str],
) -> Record:
    def wrong(message: str) -> None:
        errors.append(message)
        work.refuse(message)

    line: Record = dict(old) if old else {"LineItemID": work.new_id(f"line/{place}")}
    line.update({name: asked[name] for name in _PLAIN if name in asked})
    if "ItemCode" in asked:
        _item(work, kind, asked, line, wrong)
    if "UnitAmount" in asked:
        line["UnitAmount"] = asked["UnitAmount"]
    if asked.get("LineAmount") is not None:
        _fill_from_amount(line, asked["LineAmount"])
    if (line.get("DiscountRate") or line.get("DiscountAmount")) and not kind.discount:
        wrong("Discounts are not supported on this type of document")
    if asked.get("AccountCode") or asked.get("AccountID"):
        _account(work, kind, asked, line, wrong)
    if "Tracking" in asked:
        line["Tracking"] = tracking(work, asked["Tracking"], wrong)
    if "UnitAmount" not in line:
        return _description(line, wrong)
    _price(work, document, kind, asked, line, wrong, new=old is None)
    return line


def _description(line: Record, wrong: Callable[[str], None]) -> Record:
    """A line that is only a description."""
    if not line.get("Description"):
        wrong("The Description field is mandatory")
    return {name: one for name, one in line.items() if name != "Quantity" or one}


def _price(
    work: Work,
    document: Record,
    kind: Lines,
    asked: Record,
    line: Record,
    wrong: Callable[[str], None],
    *,
    new: bool,
) -> None:
    """Round the price of a line, check its amount and work out its tax."""
    if new or set(asked) & {"UnitAmount", "LineAmount", "ItemCode"}:
        step = TEN_THOUSANDTH if work.origin.four_decimals else CENT
        line["UnitAmount"] = line["UnitAmount"].quantize(step, ROUND_HALF_UP)
    line.setdefault("Quantity", ONE)
    line.setdefault("Tracking", [])
    expected, amount = totals.line_amount(line) or ZERO, asked.get("LineAmount")
    if amount is not None and money(amount) != expected:
        wrong(f"The line total {money(amount)} does not match the expected line total {expected}")
    if new or set(asked) & _PRICING or document["LineAmountTypes"] != work.was.get("LineAmountTypes"):
        _tax(work, document, kind, asked, line, expected, wrong)


def _fill_from_amount(line: Record, amount: Decimal) -> None:
    """Calculate the missing price or quantity of a line from its amount after discount."""
    discount = line.get("DiscountAmount") or ZERO
    part = 1 - (line.get("DiscountRate") or ZERO) / 100
    if not part:
        return
    gross = (amount + (ZERO if line.get("DiscountRate") else discount)) / part
    if "UnitAmount" not in line:
        line["UnitAmount"] = gross / (line.get("Quantity") or ONE)
    elif "Quantity" not in line and line["UnitAmount"]:
        line["Quantity"] = (gross / line["UnitAmount"]).quantize(TEN_THOUSANDTH, ROUND_HALF_UP)


def _item(work: Work, kind: Lines, asked: Record, line: Record, wrong: Callable[[str], None]) -> None:
    """Fill in description, price, account and tax of a new line from its item; an existing line keeps its own."""
    code = asked["ItemCode"]
    if not code:
        line.pop("ItemCode", None)
        line.pop("Item", None)
        return
    item = next(iter(work.matching("Items", "Code", code)), None)
    if item is None:
        wrong(f"Item code '{code}' is not valid")
        return
    line["ItemCode"] = item["Code"]
    line["Item"] = {name: item[name] for name in ("ItemID", "Name", "Code") if name in item}
    words = item.get("Description" if kind.sale else "PurchaseDescription") or item.get("Name")
    if words and not line.get("Description"):
        line["Description"] = words
    _item_details(work, kind, item, asked, line)


def _item_details(work: Work, kind: Lines, item: Record, asked: Record, line: Record) -> None:
    """Price, account and tax type of the item's sales or purchase side."""
    given = asked.keys() | line.keys()
    details = item.get("SalesDetails" if kind.sale else "PurchaseDetails") or {}
    if "UnitPrice" in details and not {"UnitAmount", "LineAmount"} & given:
        line["UnitAmount"] = details["UnitPrice"]
    code = details.get("AccountCode")
    if item.get("IsTrackedAsInventory") and not kind.sale:
        code = item.get("InventoryAssetAccountCode")
    coded = any(one.get(name) for one in (asked, line) for name in ("AccountCode", "AccountID"))
    found = account(work, {"AccountCode": code}) if code and not coded else None
    if found is not None:
        line.update(AccountCode=found["Code"], AccountID=found["AccountID"])
    if details.get("TaxType") and kind.tax and "TaxType" not in given:
        line["TaxType"] = details["TaxType"]


def _account(work: Work, kind: Lines, asked: Record, line: Record, wrong: Callable[[str], None]) -> None:
    found = account(work, asked)
    name = asked.get("AccountCode") or asked.get("AccountID")
    control = found is not None and found.get("SystemAccount") in {"DEBTORS", "CREDITORS"}
    if found is None or found["Type"] == "BANK" or (control and not kind.control):
        wrong(f"Account code '{name}' is not a valid code for this document.")
    elif found["Status"] != "ACTIVE":
        wrong(f"Account code '{name}' has been archived, or deleted.")
    else:
        line["AccountID"] = found["AccountID"]
        line.pop("AccountCode", None)
        if found.get("Code"):
            line["AccountCode"] = found["Code"]


def _tax(
    work: Work,
    document: Record,
    kind: Lines,
    asked: Record,
    line: Record,
    amount: Decimal,
    wrong: Callable[[str], None],
) -> None:
    """Tax type and amount: what is sent, else what item or account say (on quotes: none)."""
    found = work.chart.accounts.get(line.get("AccountID", ""))
    tax_type = _tax_type(work, document, kind, asked, line, found)
    line.pop("TaxAmount", None)
    if not tax_type:
        line.pop("TaxType", None)
        return
    line["TaxType"] = tax_type
    rate = next(iter(work.matching("TaxRates", "TaxType", tax_type)), None)
    if rate is None or rate["TaxType"] != tax_type or rate["Status"] != "ACTIVE":
        wrong(f"The TaxType code {tax_type} does not exist or cannot be used for this type of transaction.")
        return
    if found is not None and rate["EffectiveRate"] and not rate.get(_APPLIES[found["Class"]], True):
        wrong(f"The TaxType code '{tax_type}' cannot be used with account code '{found.get('Code')}'.")
        return
    if "TaxAmount" in asked:
        expected = totals.line_tax(amount, rate["EffectiveRate"], document["LineAmountTypes"])
        line["TaxAmount"] = money(asked["TaxAmount"])
        if abs(line["TaxAmount"] - expected) > _TOLERANCE:
            wrong(f"The tax amount {line['TaxAmount']} does not match the expected tax amount {expected}")


def _tax_type(
    work: Work, document: Record, kind: Lines, asked: Record, line: Record, found: Record | None
) -> str | None:
    tax_type: str | None = asked.get("TaxType", line.get("TaxType"))
    if not kind.tax:
        return tax_type
    if document["LineAmountTypes"].upper() == "NOTAX":
        return none_type(work)
    if not tax_type and found is not None:
        return found.get("TaxType") or none_type(work)
    return tax_type


def tracking(work: Work, asked: list[Record], wrong: Callable[[str], None]) -> list[Record]:
    """Tracking by names or by ids, in full."""
    if len(asked) > 2:
        wrong("A line can have a maximum of 2 tracking categories")
    found = []
    categories = work.organisation.table("TrackingCategories").rows.values()
    for one in asked:
        category = _named(categories, one, "TrackingCategoryID", "Name")
        chosen = category and _named(category.get("Options", ()), one, "TrackingOptionID", "Option")
        if category is None or chosen is None:
            name, option = one.get("Name", ""), one.get("Option", "")
            wrong(f"The tracking option '{option}' of the tracking category '{name}' could not be found")
        elif category["Status"] != "ACTIVE" or chosen.get("Status", "ACTIVE") != "ACTIVE":
            wrong(f"The tracking option '{chosen['Name']}' has been archived")
        else:
            found.append(tracking_of(category, chosen))
    return found


def _named(records: Iterable[Record], asked: Record, key: str, name: str) -> Record | None:
    """The category or option that is asked for, by its id or, without one, by its name."""
    if key in asked:
        wanted = asked[key].lower()
        return next((one for one in records if one[key] == wanted), None)
    text = asked.get(name, "").casefold()
    return next((one for one in records if one["Name"].casefold() == text), None)
