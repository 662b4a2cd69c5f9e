"""Streams of reports: one record for each amount."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from singer_xero.objects import ORGANISATION, Report
from singer_xero.objects.accounting import TRACKING_CATEGORIES
from singer_xero.organisations import Organisation
from tap_xero.reads.paging import Passed
from tap_xero.reads.report_read import REMOVED, ReportRead
from tap_xero.run import Run
from tap_xero.sdk import SdkTap
from tap_xero.streams.described import INCREMENTAL
from tap_xero.streams.stream import XeroStream


class ReportStream(XeroStream):
    """A report of an organisation, period by period, one record for each amount.

    Incremental by default: a run reads the periods since the last one and `report_reread_periods` before them again,
    since books change. A period that is read again is written over place by place; where it has become shorter, its
    last places come as `Removed`. Other settings than those of the last run make a new table.
    """

    def __init__(self, tap: SdkTap, run: Run, report: Report) -> None:
        self.report = report
        super().__init__(tap, run, report)
        self._counts: dict[str, int] = {}
        self._anew: bool | None = None

    @property
    def reads(self) -> tuple[str, ...]:
        """The short lists that tell what a report is of."""
        return (ORGANISATION.name, TRACKING_CATEGORIES.name)

    # Bookmarks

    def bookmark(self, organisation: Organisation) -> Any:
        """The last day of the last period that was read with these settings; None: read all."""
        state = self.get_context_state({"tenant_id": organisation.tenant_id})
        return super().bookmark(organisation) if state.get("asked") == self.run.settings.of_reports else None

    def since(self, organisation: Organisation) -> None:
        """No moment: Xero works a report out anew at every call."""

    def border(self, organisation: Organisation) -> Passed:
        """How many amounts each period had when it was last read, where it may be read again."""
        if self.bookmark(organisation) is None:
            return {}
        counts = self.get_context_state({"tenant_id": organisation.tenant_id}).get("counts", {})
        return {(period,): str(count) for period, count in counts.items()}

    def remember(self, organisation: Organisation, passed: Passed) -> None:
        """Nothing: the numbers of amounts are kept with each bookmark."""

    @property
    def is_whole_table(self) -> bool:
        """Whether this run reads all that the table is to hold: it does so without any bookmark, too."""
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
            self.run.source, organisation, self.report, self.reader, **self.beginning(organisation)
        )
