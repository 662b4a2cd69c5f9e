"""The settings of the tap: their description for users, and their typed values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from singer_sdk import typing as th

from singer_xero.api.dates import moment_of
from singer_xero.errors import ConfigurationProblem
from singer_xero.settings import CONNECTION_SETTINGS, TEXTS, properties_of, setting
from tap_xero.reads.periods import MONTH, MONTHS, later, month_end
from tap_xero.records.naming import SNAKE_CASE, XERO

DROP, KEEP = "drop", "keep"
"""The values of `unknown_fields`."""

NUMBER, STRING = "number", "string"
SINGER_DECIMALS = ("singer.decimal", "x-singer.decimal")
"""Two spellings of one format: the first taps of Singer write the one, the SDK reads the other."""

_DAYS = ("start_date", "report_start_date", "report_end_date", "budget_start_date", "budget_end_date")
_RANGES = (("report_start_date", "report_end_date"), ("budget_start_date", "budget_end_date"))


@dataclass(frozen=True)
class Settings:
    """The values of the settings, except those of the connection."""

    # fmt: off
    on_missing_scope: str = setting(
        th.StringType, "Missing scope", default="skip", allowed_values=["skip", "fail"],
        description="What to do with a stream whose scope the token lacks: skip it with a warning, or fail "
        "before the first call.",
    )
    start_date: str | None = setting(
        th.DateTimeType, "Start date",
        description="For incremental streams without a bookmark, read from this day or moment on. Journals and "
        "full tables are always read in full. Default: all history.",
    )
    page_size: int = setting(
        th.IntegerType(minimum=1, maximum=1000), "Page size", default=1000,
        description="Rows to request in one call, 1 to 1000.",
    )
    include_archived: bool = setting(
        th.BooleanType, "Include archived", default=True,
        description="Also read archived contacts, tracking categories and invoices of archived contacts. "
        "Without them, archived records stay active downstream.",
    )
    budget_start_date: str | None = setting(
        th.DateType, "Budgets from",
        description="Read budgets from the month of this day; 24 months take one call. Default: twelve months "
        "ago.",
    )
    budget_end_date: str | None = setting(
        th.DateType, "Budgets to",
        description="Read budgets to the month of this day. Default: eleven months ahead.",
    )
    report_start_date: str | None = setting(
        th.DateType, "Reports from",
        description="Read reports from the period that contains this day. Default: the first day of this month "
        "a year ago, or the bookmark; trial balance, bank summary and executive summary, which take one call "
        "for each period, begin with the previous month.",
    )
    report_end_date: str | None = setting(
        th.DateType, "Reports to",
        description="Read reports to the period that contains this day; aged reports are as at this day. "
        "Default: today; for aged reports, the end of this month.",
    )
    report_timeframe: str = setting(
        th.StringType, "Report periods", default=MONTH, allowed_values=list(MONTHS),
        description="Length of a period. Quarters and years are those of the organisation's financial year.",
    )
    report_payments_only: bool = setting(
        th.BooleanType, "Cash basis", default=False,
        description="Report payments (cash basis) instead of invoices (accrual basis).",
    )
    report_standard_layout: bool = setting(
        th.BooleanType, "Standard layout", default=True,
        description="Use Xero's standard layout for profit and loss and balance sheet, not a layout made by "
        "users.",
    )
    report_tracking_categories: tuple[str, ...] = setting(
        TEXTS, "Tracking categories of reports",
        description="Names or ids of up to two tracking categories. Profit and loss has a column for each of "
        "their options.",
    )
    report_tracking_options: tuple[str, ...] = setting(
        TEXTS, "Tracking options of reports",
        description="Names ('Option' or 'Category: Option') or ids of up to two tracking options to which "
        "profit and loss and balance sheet are restricted.",
    )
    report_reread_periods: int = setting(
        th.IntegerType(minimum=0), "Periods to read again", default=12,
        description="How many periods before the bookmark to read again, because books change.",
    )
    field_names: str = setting(
        th.StringType, "Field names", default=XERO, allowed_values=[XERO, SNAKE_CASE],
        description="xero: names as in Xero, such as UpdatedDateUTC; snake_case: updated_date_utc, which needs "
        "no quotes in SQL. Applies to nested fields, too.",
    )
    nested_tables: bool = setting(
        th.BooleanType, "Nested tables", default=False,
        description="Also create streams of the lists inside records, such as invoice_line_items, and put the "
        "ids of nested records into columns (ContactID beside Contact). Costs no calls.",
    )
    unknown_fields: str = setting(
        th.StringType, "Unknown fields", default=DROP, allowed_values=[DROP, KEEP],
        description="What to do with fields that the schema does not have, and with values that a field cannot "
        "hold: drop them with a warning, or keep them as JSON text in the column UnknownFields.",
    )
    decimals: str = setting(
        th.StringType, "Decimals", default=NUMBER, allowed_values=[NUMBER, STRING, *SINGER_DECIMALS],
        description="Form of amounts, quantities and rates. number: JSON numbers, digit for digit; string: "
        "text; singer.decimal or x-singer.decimal: text that the schema declares as a decimal of 38 digits, 10 "
        "of them after the point, for targets that create a decimal column from it.",
    )
    complete_records: bool | None = setting(
        th.BooleanType, "Complete records",
        description="Give each record all fields of its schema, in the schema's order, with null where Xero "
        "sends nothing. Default: true with stream maps or flattening, otherwise false.",
    )
    detail_streams: tuple[str, ...] = setting(
        TEXTS, "Streams of details",
        description="Streams to read although they cost many calls, mostly one for each record (history, "
        "attachments, details, online invoices, aged reports by contact, published reports, receipts, cash "
        "journals): names, patterns with *, or * for all. Other such streams are not read, whatever the catalog "
        "selects.",
    )
    attachments_path: str | None = setting(
        th.StringType, "Folder for attachments",
        description="Folder or fsspec URL (such as s3://bucket, with its package installed) in which the "
        "streams of attachments store the files; $VARIABLES and ~ are expanded. Existing files are not fetched "
        "again. Default: files are listed only.",
    )
    emit_activate_version_messages: bool = setting(
        th.BooleanType, "Emit ACTIVATE_VERSION", default=True,
        description="Send ACTIVATE_VERSION after a full table was read to its end. The target then marks or "
        "removes rows that no longer exist in Xero.",
    )
    # fmt: on

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
        given = {name: getattr(self, name) for name in _SHOWN_IN_STATE}
        values = {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}
        return " ".join(f"{name.removeprefix('report_')}={value}" for name, value in values.items() if value)


_SHOWN_IN_STATE = tuple(
    one.name
    for one in fields(Settings)
    # The other two do not change records.
    if one.name.startswith("report_") and one.name not in {"report_end_date", "report_reread_periods"}
)
SETTINGS = th.PropertiesList(*CONNECTION_SETTINGS, *properties_of(Settings)).to_dict()
