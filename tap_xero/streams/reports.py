"""Streams of reports: one record for each amount."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from singer_xero.objects import ORGANISATION, Report
from singer_xero.objects.accounting import TRACKING_CATEGORIES
from singer_xero.organisations import Organisation
from tap_xero.reads.paging import Passed
from tap_xero.reads.reports.read import REMOVED, ReportRead
from tap_xero.run import Run
from tap_xero.sdk import SdkTap
from tap_xero.streams.described import INCREMENTAL
from tap_xero.streams.stream import XeroStream


class ReportStream(XeroStream):
    """A report, with one record for each amount.

    It is incremental by default: a run reads the periods since the last one and, since books change, the
    `report_reread_periods` before them. A period that is read again replaces the earlier one by position; if it has
    become shorter, its last positions come as `Removed`. With other settings than those of the last run, the table is
    read anew.
    """

    xero: Report

    def __init__(self, tap: SdkTap, run: Run, report: Report) -> None:
        super().__init__(tap, run, report)
        self._counts: dict[str, int] = {}
        self._anew: bool | None = None

    @property
    def reads(self) -> tuple[str, ...]:
        """The lists about the organisation that reports need."""
        return (ORGANISATION.name, TRACKING_CATEGORIES.name)

    # Bookmarks

    def bookmark(self, organisation: Organisation) -> Any:
        """The last day of the last period that was read with these settings; None to read all."""
        state = self.get_context_state({"tenant_id": organisation.tenant_id})
        return super().bookmark(organisation) if state.get("asked") == self.run.settings.of_reports else None

    def since(self, organisation: Organisation) -> None:
        """None: Xero calculates a report for every call."""

    def border(self, organisation: Organisation) -> Passed:
        """The number of amounts of each period that was read before."""
        if self.bookmark(organisation) is None:
            return {}
        counts = self.get_context_state({"tenant_id": organisation.tenant_id}).get("counts", {})
        return {(period,): str(count) for period, count in counts.items()}

    def remember(self, organisation: Organisation, passed: Passed) -> None:
        """Nothing: the numbers of amounts are stored with each bookmark."""

    @property
    def is_whole_table(self) -> bool:
        """Whether this run reads the complete table, as it also does without any bookmark."""
        if self._anew is None:
            bookmarks = [self.bookmark(organisation) for organisation in self.run.organisations]
            self._anew = super().is_whole_table or not any(bookmarks)
        return self._anew

    def passed_on(self, record: Mapping[str, Any]) -> None:
        """Count the amounts of each period."""
        if record[self.named("RowType")] != REMOVED:
            self._counts[record[self.named("PeriodTo")]] = record[self.named("Number")]

    def _keep_bookmark(self, context: Any, bookmark: Any) -> None:
        super()._keep_bookmark(context, bookmark)
        if self.replication_method == INCREMENTAL:
            state = self.get_context_state(context)
            known = state.get("counts", {}) if state.get("asked") == self.run.settings.of_reports else {}
            newest = sorted({**known, **self._counts}.items())
            state["asked"] = self.run.settings.of_reports
            state["counts"] = dict(newest[-self.run.settings.report_reread_periods - 1 :])
        self._counts = {}

    def list_read(self, organisation: Organisation) -> ReportRead:
        """Make the read of an organisation's report, from its bookmark on."""
        return ReportRead(
            self.run.source, organisation, self.xero, self.reader, **self.beginning(organisation)
        )
