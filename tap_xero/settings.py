"""The settings of the tap: their description for users, and their typed values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from singer_sdk import typing as th

from singer_xero.api.dates import moment_of
from singer_xero.errors import ConfigurationProblem
from singer_xero.settings import CONNECTION_SETTINGS, SCOPE_SETTING, TEXTS
from tap_xero.reads.periods import MONTH, MONTHS, later, month_end
from tap_xero.records.naming import SNAKE_CASE, XERO
from tap_xero.records.projection import DROP, KEEP, NUMBER, SINGER_DECIMALS, STRING

_REPORT_SETTINGS: tuple[th.Property[Any], ...] = (
    th.Property(
        "report_start_date", th.DateType, title="Reports from",
        description="Read reports from the period that contains this day. Default: the first day of this "
        "month a year ago, or the bookmark; trial balance, bank summary and executive summary, "
        "which take one call for each period, begin with the previous month.",
    ),
    th.Property(
        "report_end_date", th.DateType, title="Reports to",
        description="Read reports to the period that contains this day; aged reports are as at this day. "
        "Default: today; for aged reports, the end of this month.",
    ),
    th.Property(
        "report_timeframe", th.StringType, default=MONTH, allowed_values=list(MONTHS), title="Report periods",
        description="Length of a period. Quarters and years are those of the organisation's financial year.",
    ),
    th.Property(
        "report_payments_only", th.BooleanType, default=False, title="Cash basis",
        description="Report payments (cash basis) instead of invoices (accrual basis).",
    ),
    th.Property(
        "report_standard_layout", th.BooleanType, default=True, title="Standard layout",
        description="Use Xero's standard layout for profit and loss and balance sheet, not a layout made by "
        "users.",
    ),
    th.Property(
        "report_tracking_categories", TEXTS, title="Tracking categories of reports",
        description="Names or ids of up to two tracking categories. Profit and loss has a column for each of "
        "their options.",
    ),
    th.Property(
        "report_tracking_options", TEXTS, title="Tracking options of reports",
        description="Names ('Option' or 'Category: Option') or ids of up to two tracking options to which "
        "profit and loss and balance sheet are restricted.",
    ),
    th.Property(
        "report_reread_periods", th.IntegerType(minimum=0), default=12, title="Periods to read again",
        description="How many periods before the bookmark to read again, because books change.",
    ),
)  # fmt: skip

SETTINGS = th.PropertiesList(
    *CONNECTION_SETTINGS,
    SCOPE_SETTING,
    th.Property(
        "start_date", th.DateTimeType, title="Start date",
        description="For incremental streams without a bookmark, read from this day or moment on. Journals "
        "and full tables are always read in full. Default: all history.",
    ),
    th.Property(
        "page_size", th.IntegerType(minimum=1, maximum=1000), default=1000, title="Page size",
        description="Rows to request in one call, 1 to 1000.",
    ),
    th.Property(
        "include_archived", th.BooleanType, default=True, title="Include archived",
        description="Also read archived contacts, tracking categories and invoices of archived contacts. "
        "Without them, archived records stay active downstream.",
    ),
    th.Property(
        "budget_start_date", th.DateType, title="Budgets from",
        description="Read budgets from the month of this day; 24 months take one call. Default: twelve months "
        "ago.",
    ),
    th.Property(
        "budget_end_date", th.DateType, title="Budgets to",
        description="Read budgets to the month of this day. Default: eleven months ahead.",
    ),
    *_REPORT_SETTINGS,
    th.Property(
        "field_names", th.StringType, default=XERO, allowed_values=[XERO, SNAKE_CASE], title="Field names",
        description="xero: names as in Xero, such as UpdatedDateUTC; snake_case: updated_date_utc, which "
        "needs no quotes in SQL. Applies to nested fields, too.",
    ),
    th.Property(
        "nested_tables", th.BooleanType, default=False, title="Nested tables",
        description="Also create streams of the lists inside records, such as invoice_line_items, and put the "
        "ids of nested records into columns (ContactID beside Contact). Costs no calls.",
    ),
    th.Property(
        "unknown_fields", th.StringType, default=DROP, allowed_values=[DROP, KEEP], title="Unknown fields",
        description="What to do with fields that the schema does not have, and with values that a field "
        "cannot hold: drop them with a warning, or keep them as JSON text in the column "
        "UnknownFields.",
    ),
    th.Property(
        "decimals", th.StringType, default=NUMBER, allowed_values=[NUMBER, STRING, *SINGER_DECIMALS],
        title="Decimals",
        description="Form of amounts, quantities and rates. number: JSON numbers, digit for digit; string: "
        "text; singer.decimal or x-singer.decimal: text that the schema declares as a decimal of "
        "38 digits, 10 of them after the point, for targets that create a decimal column from it.",
    ),
    th.Property(
        "complete_records", th.BooleanType, title="Complete records",
        description="Give each record all fields of its schema, in the schema's order, with null where Xero "
        "sends nothing. Default: true with stream maps or flattening, otherwise false.",
    ),
    th.Property(
        "detail_streams", TEXTS, title="Streams of details",
        description="Streams to read although they cost many calls, mostly one for each record (history, "
        "attachments, details, online invoices, aged reports by contact, published reports, "
        "receipts, cash journals): names, patterns with *, or * for all. Other such streams are "
        "not read, whatever the catalog selects.",
    ),
    th.Property(
        "attachments_path", th.StringType, title="Folder for attachments",
        description="Folder or fsspec URL (such as s3://bucket, with its package installed) in which the "
        "streams of attachments store the files; $VARIABLES and ~ are expanded. Existing files "
        "are not fetched again. Default: files are listed only.",
    ),
    th.Property(
        "emit_activate_version_messages", th.BooleanType, default=True, title="Emit ACTIVATE_VERSION",
        description="Send ACTIVATE_VERSION after a full table was read to its end. The target then marks or "
        "removes rows that no longer exist in Xero.",
    ),
).to_dict()  # fmt: skip

_DAYS = ("start_date", "report_start_date", "report_end_date", "budget_start_date", "budget_end_date")
_RANGES = (("report_start_date", "report_end_date"), ("budget_start_date", "budget_end_date"))


@dataclass(frozen=True)
class Settings:
    """The values of the settings, except those of the connection."""

    start_date: str | None = None
    page_size: int = 1000
    include_archived: bool = True
    budget_start_date: str | None = None
    budget_end_date: str | None = None
    report_start_date: str | None = None
    report_end_date: str | None = None
    report_timeframe: str = MONTH
    report_payments_only: bool = False
    report_standard_layout: bool = True
    report_tracking_categories: tuple[str, ...] = ()
    report_tracking_options: tuple[str, ...] = ()
    report_reread_periods: int = 12
    complete_records: bool | None = None
    detail_streams: tuple[str, ...] = ()
    attachments_path: str | None = None
    emit_activate_version_messages: bool = True
    on_missing_scope: str = "skip"

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Settings:
        """Read a configuration; raises `ConfigurationProblem` for an invalid day or a reversed range."""
        for name in _DAYS:
            day = config.get(name)
            try:
                if day and (name == "start_date" or date.fromisoformat(day[:10])):
                    moment_of(day)
            except ValueError:
                raise ConfigurationProblem(f"{name} must be a day like 2024-07-01, not {day!r}.") from None
        for first, last in _RANGES:
            if (config.get(first) or "") > (config.get(last) or "9"):
                raise ConfigurationProblem(f"{first} must not be later than {last}.")
        given = {
            field.name: config[field.name] for field in fields(cls) if config.get(field.name) is not None
        }
        values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}
        return cls(**values)

    def day(self, name: str) -> date | None:
        """The value of a setting that is a day."""
        text = getattr(self, name)
        return date.fromisoformat(str(text)[:10]) if text else None

    def budget_range(self, today: date) -> tuple[date, date]:
        """The first day of the first month of budgets, and the last day of the last month."""
        month = today.replace(day=1)
        first = self.day("budget_start_date") or later(month, -12)
        last = self.day("budget_end_date") or max(later(month, 11), first)
        return first.replace(day=1), month_end(last)

    @property
    def of_reports(self) -> str:
        """The settings on which the records of reports depend, as the state has them."""
        told = {name: getattr(self, name) for name in _SHOWN_IN_STATE}
        values = {name: list(value) if isinstance(value, tuple) else value for name, value in told.items()}
        return " ".join(f"{name.removeprefix('report_')}={value}" for name, value in values.items() if value)


_SHOWN_IN_STATE = tuple(
    setting.name
    for setting in _REPORT_SETTINGS
    if setting.name not in {"report_end_date", "report_reread_periods"}  # they do not change records
)
