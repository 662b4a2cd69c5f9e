"""The reports of the Accounting API, A to Z: tables that Xero works out anew at every call.

A report has no key, no pages and no time of change; its ``UpdatedDateUTC`` is the time of the call. What
comes back depends on the parameters, above all on the period, so they belong to the key of whatever is made
of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tap_xero.objects.base import missing
from tap_xero.objects.fields import Field, Part, day, flag, guid, many, money, text, whole
from tap_xero.objects.parts import REPORT_LINES


@dataclass(frozen=True, eq=False, kw_only=True)
class Report:
    """One report.

    Attributes:
        name: name of the stream.
        path: path below ``/api.xro/2.0/``.
        envelope: the key of an answer under which the tables lie.
        scopes: any one of these opens it, the one to ask for first.
        params: the query parameters it takes, by Xero's names, with what each holds.
        required: those of them without which Xero refuses the call.
        table: the field of a report that holds its lines.
        lines: the shape of a line.
        note: what a user should know before reading it.
    """

    name: str
    path: str
    envelope: str = "Reports"
    scopes: tuple[str, ...]
    params: Mapping[str, Field]
    required: tuple[str, ...] = ()
    table: str = "Rows"
    lines: Part = REPORT_LINES
    note: str = ""

    @property
    def per_contact(self) -> bool:
        """Whether it is about one contact, so that a full read costs one call per contact."""
        return "contactId" in self.required

    def fields(self) -> Mapping[str, Field]:
        """The fields of one table of the answer."""
        return {
            "ReportID": text,
            "ReportName": text,
            "ReportTitle": text,
            "ReportType": text,
            "ReportTitles": many(text, "Name of the report, of the organisation, and the period"),
            "ReportDate": text("As printed, such as 27 September 2010"),
            "Fields": many({"FieldID": text, "Description": text, "Value": text}),
            self.table: many(self.lines),
        }

    def scope_missing(self, granted: Iterable[str]) -> str | None:
        """The scope to ask for when none of the granted ones opens this report; None when one does."""
        return missing(self.scopes, granted)


def _opened_by(name: str) -> tuple[str, ...]:
    """The scope of one report, then the broad one that opened all of them and ends in September 2027."""
    return (f"accounting.reports.{name}.read", "accounting.reports.read")


_PERIOD = {"fromDate": day, "toDate": day}
_COMPARED = {
    "periods": whole("How many earlier periods to set beside it, up to 12"),
    "timeframe": text("Length of a period: MONTH, QUARTER or YEAR"),
}
_LAYOUT = {
    "standardLayout": flag("Keep to Xero's own layout, whatever layout users have made"),
    "paymentsOnly": flag("Cash basis: count what has been paid"),
}
_OF_CONTACT = {"contactId": guid, "date": day("As at this day"), **_PERIOD}

#: Amounts by box of a 1099 form, for one contact.
TEN_NINETY_NINE_LINES = Part(
    {
        "ContactId": guid,
        "Name": text,
        "LegalName": text,
        "BusinessName": text,
        "FederalTaxClassification": text,
        "FederalTaxIDType": text,
        "TaxID": text,
        "Email": text,
        "StreetAddress": text,
        "City": text,
        "State": text,
        "Zip": text,
        **{f"Box{number}": money for number in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14)},
    }
)

_ROWS = (
    Report(
        name="report_aged_payables_by_contact",
        path="Reports/AgedPayablesByContact",
        scopes=_opened_by("aged"),
        params=_OF_CONTACT,
        required=("contactId",),
        note="One call per contact.",
    ),
    Report(
        name="report_aged_receivables_by_contact",
        path="Reports/AgedReceivablesByContact",
        scopes=_opened_by("aged"),
        params=_OF_CONTACT,
        required=("contactId",),
        note="One call per contact.",
    ),
    Report(
        name="report_balance_sheet",
        path="Reports/BalanceSheet",
        scopes=_opened_by("balancesheet"),
        params={
            "date": day("As at this day; else the end of this month"),
            **_COMPARED,
            "trackingOptionID1": guid,
            "trackingOptionID2": guid,
            **_LAYOUT,
        },
    ),
    Report(
        name="report_bank_summary",
        path="Reports/BankSummary",
        scopes=_opened_by("banksummary"),
        params=_PERIOD,
    ),
    Report(
        name="report_budget_summary",
        path="Reports/BudgetSummary",
        scopes=_opened_by("budgetsummary"),
        params={
            "date": day("The first month"),
            "periods": whole("How many periods, up to 12"),
            "timeframe": whole("Length of a period in months: 1, 3 or 12"),
        },
    ),
    Report(
        name="report_executive_summary",
        path="Reports/ExecutiveSummary",
        scopes=_opened_by("executivesummary"),
        params={"date": day("Any day of the month")},
    ),
    Report(
        name="report_profit_and_loss",
        path="Reports/ProfitAndLoss",
        scopes=_opened_by("profitandloss"),
        params={
            **_PERIOD,
            **_COMPARED,
            "trackingCategoryID": guid("Show a column per option of this category"),
            "trackingOptionID": guid("Show this option alone"),
            "trackingCategoryID2": guid,
            "trackingOptionID2": guid,
            **_LAYOUT,
        },
        note="The current month unless asked for another period.",
    ),
    Report(
        name="report_ten_ninety_nine",
        path="Reports/TenNinetyNine",
        scopes=("accounting.reports.tenninetynine.read", "accounting.reports.read"),
        params={"reportYear": text("Four digits")},
        table="Contacts",
        lines=TEN_NINETY_NINE_LINES,
        note="Organisations of the United States only.",
    ),
    Report(
        name="report_trial_balance",
        path="Reports/TrialBalance",
        scopes=_opened_by("trialbalance"),
        params={"date": day("As at this day"), "paymentsOnly": _LAYOUT["paymentsOnly"]},
    ),
)

#: All of them by stream name, A to Z.
REPORTS: Mapping[str, Report] = MappingProxyType({row.name: row for row in _ROWS})
