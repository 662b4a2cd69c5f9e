"""The reports of the Accounting API, A to Z: tables that Xero calculates for every call.

A report has no key, no pages and no time of change; its ``UpdatedDateUTC`` is the time of the call. It depends on its
parameters, so the period is part of the key of its records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any

from singer_xero.objects.accounting import CONTACT_LIST, OPEN_DOCUMENTS
from singer_xero.objects.base import XeroObject
from singer_xero.objects.components import REPORT_LINES
from singer_xero.objects.fields import Component, Field, day, flag, guid, many, money, number, text, whole
from singer_xero.objects.scopes import report_scopes


class Span(Enum):
    """How a report relates to time, which decides how often it is requested."""

    MOVEMENT = "what happened in each period"
    BALANCE = "balances on the last day of each period"
    MONTHLY = "a month and the one before it, whatever the periods"
    BUDGET = "future periods as well"
    YEARLY = "a calendar year"
    OPEN = "what is open now, for one contact"


@dataclass(frozen=True, eq=False, kw_only=True)
class Report(XeroObject):
    """One report; its stream has one record for each amount, see `tap_xero.reads.reports.rows`.

    The key is the period and the position of the amount in it, so that a new read of a period replaces the earlier one
    even if accounts were added or removed. Path, key and fields follow from the columns.

    Attributes:
        span: how it relates to time.
        takes: its query parameters, by Xero's names.
        required: the parameters without which Xero refuses the call.
        table: the field of a report that holds its lines.
        lines: the shape of a line.
        texts: the columns that hold words instead of amounts, and the fields for them.
        balance: the balance of a contact that it is about, by its name in contacts; empty if it is not about contacts.
        cost: what a full read costs, in calls, as text.
    """

    key: tuple[str, ...] = ()
    fields: Mapping[str, Field] = field(default_factory=dict)
    envelope: str = "Reports"
    selected: bool = False
    span: Span
    takes: Mapping[str, Field]
    required: tuple[str, ...] = ()
    table: str = "Rows"
    lines: Component = REPORT_LINES
    balance: str = ""
    texts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    cost: str

    def __post_init__(self) -> None:
        fields = dict(_AMOUNTS)
        if "trackingCategoryID" in self.takes or "trackingOptionID1" in self.takes:
            fields |= _TRACKED
        if "paymentsOnly" in self.takes:
            fields["PaymentsOnly"] = flag("Cash basis")
        for name in self.texts.values():
            fields[name] = day if name.endswith("Date") else text
        if self.span is Span.YEARLY:
            about = self.lines.fields.items()
            fields |= {name: word for name, word in about if word is text and name != "Name"}
        columns: dict[str, Any] = {
            "fields": MappingProxyType(fields),
            "path": "Reports/" + "".join(word.capitalize() for word in self.name.split("_")[1:]),
            "key": ("ContactID",) * self.per_contact + ("PeriodFrom", "PeriodTo", "Number"),
            "costly": self.per_contact,
        }
        if self.span not in {Span.BUDGET, Span.OPEN}:
            columns["cursor"] = "PeriodTo"
        for name, value in columns.items():
            object.__setattr__(self, name, value)
        super().__post_init__()

    @property
    def per_contact(self) -> bool:
        """Whether it is about one contact, which costs one call for each contact."""
        return "contactId" in self.required

    @property
    def per_period(self) -> bool:
        """Whether it can't have several periods, which costs one call for each period."""
        return self.span in {Span.MOVEMENT, Span.BALANCE, Span.MONTHLY} and "periods" not in self.takes

    @property
    def can_be_incremental(self) -> bool:
        """Whether periods that were read before can be skipped."""
        return self.cursor is not None

    @property
    def calls(self) -> str:
        """What a full read costs, in calls, as text."""
        return self.cost

    def scope_missing(self, granted: Iterable[str], *, write: bool = False) -> str | None:
        """The missing scope, for the report or for one of the lists that name its contacts."""
        lists = (CONTACT_LIST, *OPEN_DOCUMENTS) if self.per_contact else ()
        lacking = (row.scope_missing(granted) for row in lists)
        return super().scope_missing(granted, write=write) or next(filter(None, lacking), None)


_AMOUNTS = {
    "PeriodFrom": day("First day of the period; for a balance, its day"),
    "PeriodTo": day("Last day of the period, or the day of the balance, as requested"),
    "Number": whole("Position of the amount in this report and period, from 1"),
    "ReportName": text,
    "SectionPath": text("Titles of the enclosing sections, such as Assets > Bank"),
    "Section": text("Title of the innermost section"),
    "RowNumber": whole("Position of the row in the report, from 1"),
    "RowType": text("Row; SummaryRow for Xero's sums; Removed for an amount that the report no longer has"),
    "Label": text("The row's first cell, such as an account's name"),
    "AccountID": guid,
    "ContactID": guid,
    "InvoiceID": guid("The document, which may also be a credit note"),
    "ColumnNumber": whole("Position of the column after the labels, from 1"),
    "ColumnTitle": text("Title of the column"),
    "Amount": number("Exact value; for a percentage, the number before the % sign"),
    "Text": text("As Xero returns it"),
    "Attributes": many({"Id": text, "Value": text}, "Xero's attributes of the cell"),
}
_TRACKED = {
    "TrackingOptionID": guid("Of the first requested category"),
    "TrackingOption": text,
    "TrackingOptionID2": guid("Of the second requested category"),
    "TrackingOption2": text,
}

_PERIOD = {"fromDate": day, "toDate": day}
_COMPARED = {
    "periods": whole("Number of earlier periods to compare with, up to 12"),
    "timeframe": text("Length of a period: MONTH, QUARTER or YEAR"),
}
_LAYOUT = {
    "standardLayout": flag("Use Xero's standard layout, even if users have defined another"),
    "paymentsOnly": flag("Cash basis: include paid amounts only"),
}
_OF_CONTACT = {"contactId": guid, "date": day("The day of the balances"), **_PERIOD}

_TAXPAYER = (
    "Name", "LegalName", "BusinessName", "FederalTaxClassification",
    "FederalTaxIDType", "TaxID", "Email", "StreetAddress", "City", "State", "Zip",
)  # fmt: skip
#: Amounts by box of a 1099 form, for one contact.
TEN_NINETY_NINE_LINES = Component(
    {
        "ContactId": guid,
        **dict.fromkeys(_TAXPAYER, text),
        **{f"Box{number}": money for number in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14)},
    }
)

_WORDS = {"Date": "Date", "Due Date": "DueDate", "": "Overdue"}
_BY_YEAR = "1 per calendar year of months; 1 per period of quarters or years"
_BY_PERIOD = "1 per period"
_BY_CONTACT = "1 per contact with open documents + 1 per 1,000 contacts + 1 per 1,000 open invoices"

_ROWS = (
    Report(
        name="report_aged_payables_by_contact",
        scopes=report_scopes("aged"),
        span=Span.OPEN,
        texts=MappingProxyType({**_WORDS, "Reference": "Reference"}),
        cost=_BY_CONTACT,
        takes=_OF_CONTACT,
        required=("contactId",),
        balance="AccountsPayable",
    ),
    Report(
        name="report_aged_receivables_by_contact",
        scopes=report_scopes("aged"),
        span=Span.OPEN,
        texts=MappingProxyType({**_WORDS, "Number": "Reference"}),
        cost=_BY_CONTACT,
        takes=_OF_CONTACT,
        required=("contactId",),
        balance="AccountsReceivable",
    ),
    Report(
        name="report_balance_sheet",
        scopes=report_scopes("balancesheet"),
        span=Span.BALANCE,
        cost=_BY_YEAR,
        takes={
            "date": day("The day of the balance; by default the end of this month"),
            **_COMPARED,
            "trackingOptionID1": guid,
            "trackingOptionID2": guid,
            **_LAYOUT,
        },
    ),
    Report(
        name="report_bank_summary",
        scopes=report_scopes("banksummary"),
        span=Span.MOVEMENT,
        cost=_BY_PERIOD,
        takes=_PERIOD,
    ),
    Report(
        name="report_budget_summary",
        scopes=report_scopes("budgetsummary"),
        span=Span.BUDGET,
        cost="1 per 12 periods",
        takes={
            "date": day("The first month"),
            "periods": whole("Number of periods, up to 12"),
            "timeframe": whole("Length of a period in months: 1, 3 or 12"),
        },
    ),
    Report(
        name="report_executive_summary",
        scopes=report_scopes("executivesummary"),
        span=Span.MONTHLY,
        cost="1 per month",
        takes={"date": day("Any day of the month")},
    ),
    Report(
        name="report_profit_and_loss",
        scopes=report_scopes("profitandloss"),
        span=Span.MOVEMENT,
        cost=_BY_YEAR,
        takes={
            **_PERIOD,
            **_COMPARED,
            "trackingCategoryID": guid("Show one column for each option of this category"),
            "trackingOptionID": guid("Show only this option"),
            "trackingCategoryID2": guid,
            "trackingOptionID2": guid,
            **_LAYOUT,
        },
    ),
    Report(
        name="report_ten_ninety_nine",
        scopes=report_scopes("tenninetynine"),
        span=Span.YEARLY,
        cost="1 per calendar year",
        takes={"reportYear": text("Four digits")},
        table="Contacts",
        lines=TEN_NINETY_NINE_LINES,
        regions=frozenset({"US"}),
    ),
    Report(
        name="report_trial_balance",
        scopes=report_scopes("trialbalance"),
        span=Span.BALANCE,
        cost=_BY_PERIOD,
        takes={"date": day("The day of the balances"), "paymentsOnly": _LAYOUT["paymentsOnly"]},
    ),
)

#: All of them by stream name, A to Z.
REPORTS: Mapping[str, Report] = MappingProxyType({row.name: row for row in _ROWS})
