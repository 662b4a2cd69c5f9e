"""The rules for the lines of documents: accounts, items, tax, tracking, prices and totals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from ..accounting import totals
from ..accounting.chart import APPLIES
from ..accounting.ledger import tracking_of
from ..state.organisation import Organisation
from ..values import ONE, TEN_THOUSANDTH, ZERO, Record, money, picked
from .checks import tax_type_error
from .work import Work

_PLAIN = ("Description", "Quantity", "DiscountRate", "DiscountAmount")
_PRICING = frozenset(
    "Quantity UnitAmount LineAmount TaxAmount TaxType AccountCode AccountID ItemCode DiscountRate"
    " DiscountAmount".split()
)
"""The fields that the tax of a line depends on."""

_TOLERANCE = Decimal("0.05")
"""The accepted difference between a TaxAmount that is sent and the calculated one; Xero does not document its own."""

AMOUNT_TYPES = {"exclusive": "Exclusive", "inclusive": "Inclusive", "notax": "NoTax"}


@dataclass(frozen=True)
class Lines:
    """The rules for the lines of a kind of document.

    ``sale``: items provide their SalesDetails, else their PurchaseDetails. ``complete``: lines need everything that
    an approved document needs. ``tax``: a line without TaxType gets that of its item or account. ``discount``:
    lines may have a discount. ``control``: lines may have the account receivable or payable (overpayments).
    """

    sale: bool
    complete: bool
    tax: bool = True
    discount: bool = False
    control: bool = False


def amount_types(work: Work, current: str) -> str:
    """LineAmountTypes as sent, in Xero's spelling."""
    sent = work.sent.get("LineAmountTypes")
    if sent is None:
        return current
    if sent.lower() not in AMOUNT_TYPES:
        work.refuse(f"LineAmountTypes '{sent}' is not valid")
    return AMOUNT_TYPES.get(sent.lower(), current)


def account(work: Work, sent: Record, code: str = "AccountCode") -> Record | None:
    """The account named by AccountID or by its code, archived ones included."""
    if sent.get("AccountID"):
        return work.get("Accounts", sent["AccountID"])
    return work.first("Accounts", "Code", sent.get(code))


def none_type(work: Work) -> str:
    """The tax type for no tax."""
    known = {rate["TaxType"] for rate in work.organisation.records("TaxRates")}
    return "NONE" if "NONE" in known else "BASEXCLUDED"


def with_lines(work: Work, document: Record, rules: Lines, current: Record | None) -> Record:
    """``document`` with the lines that were sent, its totals and taxes.

    A line with a LineItemID keeps the fields that are not sent. A line without one is new and comes before the
    others (XeroAPI/Xero-NetStandard#374, xero-python#111). A line that is not sent is deleted. Without LineItems,
    all lines stay.
    """
    before: list[Record] = (current or {}).get("LineItems", [])
    sent = work.sent.get("LineItems")
    if sent is not None:
        lines = _sent_lines(work, document, rules, before)
    elif current is not None and current["LineAmountTypes"] != document["LineAmountTypes"]:
        lines = [{name: one for name, one in line.items() if name != "TaxAmount"} for line in before]
    else:
        lines = before
    if rules.complete:
        _complete(work, lines)
    return totals.priced({**document, "LineItems": lines}, work.organisation.chart.percents, keep_tax=True)


def _sent_lines(work: Work, document: Record, rules: Lines, before: list[Record]) -> list[Record]:
    known = {str(line["LineItemID"]).lower(): line for line in before}
    lines = []
    for place, sent in enumerate(work.sent["LineItems"]):
        old = known.get(str(sent.get("LineItemID", "")).lower())
        lines.append(_Line(work, document, rules, sent, old, place))
        lines[-1].fill()
    work.echo["LineItems"] = [line.echo() for line in lines]
    return [one.line for one in lines if one.new] + [one.line for one in lines if not one.new]


def _complete(work: Work, lines: list[Record]) -> None:
    """Check what an approved document needs (Xero's invoice documentation)."""
    if not lines:
        work.refuse("One or more line items must be specified")
    for line in lines:
        if not line.get("Description"):
            work.refuse("The Description field is mandatory")
        if "UnitAmount" in line and not line.get("AccountCode") and not line.get("AccountID"):
            work.refuse("Account code must be specified")
    if lines and not any("UnitAmount" in line for line in lines):
        work.refuse("One or more line items must be specified")


class _Line:
    """A line that is being written: ``sent`` are its fields in the request, ``line`` is what becomes of them."""

    def __init__(
        self, work: Work, document: Record, rules: Lines, sent: Record, old: Record | None, place: int
    ) -> None:
        self.work, self.document, self.rules, self.sent, self.new = work, document, rules, sent, old is None
        self.line: Record = dict(old) if old else {"LineItemID": work.new_id(f"line/{place}")}
        self.errors: list[str] = []

    def wrong(self, message: str) -> None:
        """Note an error on the line and on the document."""
        self.errors.append(message)
        self.work.refuse(message)

    def echo(self) -> Record:
        """The line in an answer that refuses the document."""
        shown = {name: value for name, value in self.line.items() if not self.new or name != "LineItemID"}
        return {**shown, "ValidationErrors": [{"Message": error} for error in self.errors]}

    def fill(self) -> None:
        """Set the fields of the line, and check them."""
        line, sent = self.line, self.sent
        line.update(picked(sent, _PLAIN))
        if "ItemCode" in sent:
            self._item(sent["ItemCode"])
        line.update(picked(sent, ["UnitAmount"]))
        if sent.get("LineAmount") is not None:
            self._fill_from_amount(sent["LineAmount"])
        if (line.get("DiscountRate") or line.get("DiscountAmount")) and not self.rules.discount:
            self.wrong("Discounts are not supported on this type of document")
        if sent.get("AccountCode") or sent.get("AccountID"):
            self._account()
        if "Tracking" in sent:
            line["Tracking"] = tracking(self.work, sent["Tracking"], self.wrong)
        if "UnitAmount" in line:
            self._price()
        else:
            self._description()

    def _description(self) -> None:
        """Check a line that is only a description."""
        if not self.line.get("Description"):
            self.wrong("The Description field is mandatory")
        if not self.line.get("Quantity"):
            self.line.pop("Quantity", None)

    def _price(self) -> None:
        """Round the price of a line, check its amount and compute its tax."""
        line, sent = self.line, self.sent
        if self.new or set(sent) & {"UnitAmount", "LineAmount", "ItemCode"}:
            line["UnitAmount"] = self.work.price(line["UnitAmount"])
        line.setdefault("Quantity", ONE)
        line.setdefault("Tracking", [])
        expected, amount = totals.line_amount(line) or ZERO, sent.get("LineAmount")
        if amount is not None and money(amount) != expected:
            self.wrong(f"The line total {money(amount)} does not match the expected line total {expected}")
        taxed_anew = self.document["LineAmountTypes"] != self.work.was.get("LineAmountTypes")
        if self.new or set(sent) & _PRICING or taxed_anew:
            self._tax(expected)

    def _fill_from_amount(self, amount: Decimal) -> None:
        """Calculate the missing price or quantity from the amount after discount."""
        line = self.line
        discount = line.get("DiscountAmount") or ZERO
        part = 1 - (line.get("DiscountRate") or ZERO) / 100
        if not part:
            return
        gross = (amount + (ZERO if line.get("DiscountRate") else discount)) / part
        if "UnitAmount" not in line:
            line["UnitAmount"] = gross / (line.get("Quantity") or ONE)
        elif "Quantity" not in line and line["UnitAmount"]:
            line["Quantity"] = (gross / line["UnitAmount"]).quantize(TEN_THOUSANDTH, ROUND_HALF_UP)

    def _item(self, code: str) -> None:
        """Take description, price, account and tax of a new line from its item; an existing line keeps its own."""
        line, sale = self.line, self.rules.sale
        item = self.work.first("Items", "Code", code)
        if not code:
            line.pop("ItemCode", None)
            line.pop("Item", None)
        elif item is None:
            self.wrong(f"Item code '{code}' is not valid")
        else:
            line["ItemCode"] = item["Code"]
            line["Item"] = picked(item, ("ItemID", "Name", "Code"))
            words = item.get("Description" if sale else "PurchaseDescription") or item.get("Name")
            if words and not line.get("Description"):
                line["Description"] = words
            self._item_details(item)

    def _item_details(self, item: Record) -> None:
        """Take price, account and tax type from the item's SalesDetails or PurchaseDetails."""
        line, sent, sale = self.line, self.sent, self.rules.sale
        given = sent.keys() | line.keys()
        details = item.get("SalesDetails" if sale else "PurchaseDetails") or {}
        if "UnitPrice" in details and not {"UnitAmount", "LineAmount"} & given:
            line["UnitAmount"] = details["UnitPrice"]
        code = details.get("AccountCode")
        if item.get("IsTrackedAsInventory") and not sale:
            code = item.get("InventoryAssetAccountCode")
        coded = any(one.get(name) for one in (sent, line) for name in ("AccountCode", "AccountID"))
        found = account(self.work, {"AccountCode": code}) if code and not coded else None
        if found is not None:
            line.update(AccountCode=found["Code"], AccountID=found["AccountID"])
        if details.get("TaxType") and self.rules.tax and "TaxType" not in given:
            line["TaxType"] = details["TaxType"]

    def _account(self) -> None:
        found, line = account(self.work, self.sent), self.line
        name = self.sent.get("AccountCode") or self.sent.get("AccountID")
        control = found is not None and found.get("SystemAccount") in {"DEBTORS", "CREDITORS"}
        if found is None or found["Type"] == "BANK" or (control and not self.rules.control):
            self.wrong(f"Account code '{name}' is not a valid code for this document.")
        elif found["Status"] != "ACTIVE":
            self.wrong(f"Account code '{name}' has been archived, or deleted.")
        else:
            line["AccountID"] = found["AccountID"]
            line.pop("AccountCode", None)
            if found.get("Code"):
                line["AccountCode"] = found["Code"]

    def _tax(self, amount: Decimal) -> None:
        """Set tax type and amount: as sent, else those of the item or account (on quotes: none)."""
        line = self.line
        found = self.work.organisation.chart.accounts.get(line.get("AccountID", ""))
        tax_type = self._tax_type(found)
        line.pop("TaxAmount", None)
        if not tax_type:
            line.pop("TaxType", None)
            return
        line["TaxType"] = tax_type
        rate = self.work.first("TaxRates", "TaxType", tax_type)
        if rate is None or rate["TaxType"] != tax_type or rate["Status"] != "ACTIVE":
            self.wrong(tax_type_error(tax_type))
        elif found is not None and rate["EffectiveRate"] and not rate.get(APPLIES[found["Class"]], True):
            code = found.get("Code")
            self.wrong(f"The TaxType code '{tax_type}' cannot be used with account code '{code}'.")
        elif "TaxAmount" in self.sent:
            expected = totals.line_tax(amount, rate["EffectiveRate"], self.document["LineAmountTypes"])
            tax = line["TaxAmount"] = money(self.sent["TaxAmount"])
            if abs(tax - expected) > _TOLERANCE:
                self.wrong(f"The tax amount {tax} does not match the expected tax amount {expected}")

    def _tax_type(self, found: Record | None) -> str | None:
        tax_type: str | None = self.sent.get("TaxType", self.line.get("TaxType"))
        if not self.rules.tax:
            return tax_type
        if self.document["LineAmountTypes"].upper() == "NOTAX":
            return none_type(self.work)
        if not tax_type and found is not None:
            return found.get("TaxType") or none_type(self.work)
        return tax_type


def tracking(work: Work, sent: list[Record], wrong: Callable[[str], None]) -> list[Record]:
    """The complete tracking for names or ids."""
    if len(sent) > 2:
        wrong("A line can have a maximum of 2 tracking categories")
    found = []
    categories = work.organisation.table("TrackingCategories").rows.values()
    for one in sent:
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


def _named(records: Iterable[Record], sent: Record, key: str, name: str) -> Record | None:
    """The category or option that ``sent`` names by id, or by name if there is no id."""
    if key in sent:
        wanted = sent[key].lower()
        return next((one for one in records if one[key] == wanted), None)
    text = sent.get(name, "").casefold()
    return next((one for one in records if one["Name"].casefold() == text), None)


_WITH_LINES = {
    **dict.fromkeys(
        "Invoices CreditNotes BankTransactions PurchaseOrders Quotes RepeatingInvoices".split(), "LineItems"
    ),
    "ManualJournals": "JournalLines",
}


def _lines(organisation: Organisation) -> Iterator[Record]:
    """Every line of every document."""
    for path, field in _WITH_LINES.items():
        for document in organisation.table(path).rows.values():
            yield from document.get(field) or ()


def used(work: Work, name: str, value: str) -> bool:
    """Whether a line of a document has this value."""
    return any(line.get(name) == value for line in _lines(work.organisation))


def tracked_by(work: Work, key: str, value: str) -> bool:
    """Whether the tracking of a line has this category or option."""
    return any(
        one.get(key) == value for line in _lines(work.organisation) for one in line.get("Tracking") or ()
    )
