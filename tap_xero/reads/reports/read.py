"""Report streams: the calls of a report, and the periods of the columns in its answers.

Months are requested by calendar year, in one call with twelve columns, if Xero's columns are exactly right. Otherwise
each period is a call of its own. What is known of `periods` and `timeframe`:

* Profit and loss repeats the *day* on which the last month ends: with 30 September, August ends on the 30th as well.
  From a month of 31 days, all twelve end correctly (Coupler.io's and CData's help on Xero's monthly profit and loss),
  and December always has 31.
* The balance sheet goes from month end to month end (31 March, 30 April and 28 February in the example of Xero's API
  definition).
* The budget summary begins with the requested month and goes forward.
* Nothing is known of quarters and years.

If the titles of the columns do not name the requested days, the periods are requested one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

import msgspec

from singer_xero.objects import Report, Span
from tap_xero.reads.list_read import ListRead
from tap_xero.reads.paging import Chunk
from tap_xero.reads.periods import MONTH, MONTHS, YEAR, Period, later, month_end, periods
from tap_xero.reads.reports.column_titles import day_of, month_of, names_a_period
from tap_xero.reads.reports.organisation_facts import OrganisationFacts
from tap_xero.reads.reports.rows import NoTable, columns, unfold, unfold_boxes
from tap_xero.reads.reports.tracking import Option, chosen_tracking, tracked
from tap_xero.records.reader import Page, Row, UnexpectedAnswer, values_of

if TYPE_CHECKING:
    from singer_xero.api.http.transport import Answer

REMOVED = "Removed"
"""RowType in place of an amount that an earlier read of the period had and this one does not have."""

_OF_THE_PERIOD = frozenset({"variance", "variance %", "ytd", "year to date"})
"""Titles of further columns that belong to the requested period."""

COLUMNS = 12
"""The most periods of one call."""

_encode = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(frozen=True)
class Ask:
    """A call: its parameters and the wanted periods.

    `titled` are the days or months that the titles of its columns must name, if each column is a period.
    """

    params: Mapping[str, Any]
    wanted: tuple[Period, ...]
    titled: tuple[date, ...] = ()
    contact: str | None = None


class ReportRead(ListRead):
    """Reads a report of an organisation: the calls for its periods, and the amounts in the answers.

    `passed` has the number of amounts of each period that was read before.
    """

    row: Report

    @cached_property
    def facts(self) -> OrganisationFacts:
        """What is known of the organisation."""
        return OrganisationFacts(self)

    # What to ask for

    def walk(self) -> Iterator[Chunk]:
        """Make the calls, several at a time, and return the amounts in the order of the periods."""
        asks = list(self.asks())
        for page in self.at_once(lambda number: self.answer(asks[number]), range(len(asks))):
            yield Chunk(
                page.rows, None, page.size, bookmark=max((row.time for row in page.rows), default=None)
            )

    def asks(self) -> Iterator[Ask]:
        """The calls of the report."""
        span = self.row.span
        if span is Span.OPEN:
            at = self.source.settings.day("report_end_date") or month_end(self.source.today())
            for contact in self.facts.contacts(at, self.row.balance):
                yield Ask({"contactId": contact, "date": at}, (Period(at, at),), contact=contact)
        elif span is Span.YEARLY:
            for period in self.periods(YEAR, date(2023, 1, 1)):
                yield Ask({"reportYear": str(period.first.year)}, (period,))
        elif span is Span.BUDGET:
            yield from self.budget_asks()
        else:
            yield from self.period_asks()

    def period_asks(self) -> Iterator[Ask]:
        """A call for each calendar year of months if Xero's columns are right, otherwise for each period."""
        timeframe = MONTH if self.row.span is Span.MONTHLY else self.source.settings.report_timeframe
        start = date(2023, 1, 1) if timeframe == MONTH else self.facts.year_start()
        wanted = self.periods(timeframe, start)
        more = self.options()
        if timeframe != MONTH or "periods" not in self.row.takes or "trackingCategoryID" in more:
            yield from (self.single(period, more) for period in wanted)
            return
        for year, months in groupby(wanted, lambda period: period.first.year):
            ends = [month_end(date(year, month, 1)) for month in range(12, 0, -1)]
            params = {**self.bounds(Period(date(year, 12, 1), ends[0])), **more}
            yield Ask({**params, "periods": 11, "timeframe": MONTH}, tuple(months), tuple(ends))

    def single(self, period: Period, more: Mapping[str, Any]) -> Ask:
        """The call for one period."""
        return Ask({**self.bounds(period), **more}, (self.labelled(period),))

    def bounds(self, period: Period) -> dict[str, Any]:
        """The parameters for a period."""
        if self.row.span is Span.MOVEMENT:
            return {"fromDate": period.first, "toDate": period.last}
        return {"date": period.last}

    def labelled(self, period: Period) -> Period:
        """The period as in records: a balance is for a day."""
        return Period(period.last, period.last) if self.row.span is Span.BALANCE else period

    def budget_asks(self) -> Iterator[Ask]:
        """The calls for budgets: twelve periods each, from the first month of the range."""
        timeframe = self.source.settings.report_timeframe
        start = date(2023, 1, 1) if timeframe == MONTH else self.facts.year_start()
        wanted = periods(timeframe, *self.source.budget_range(), start.replace(day=1))
        for begin in range(0, len(wanted), COLUMNS):
            block = wanted[begin : begin + COLUMNS]
            params = {"date": block[0].first, "periods": len(block), "timeframe": MONTHS[timeframe]}
            yield Ask(params, tuple(block), tuple(period.last.replace(day=1) for period in block))

    def options(self) -> dict[str, Any]:
        """The parameters for all periods: basis, layout, tracking."""
        found: dict[str, Any] = {}
        if self.source.settings.report_payments_only and "paymentsOnly" in self.row.takes:
            found["paymentsOnly"] = True
        if self.source.settings.report_standard_layout and "standardLayout" in self.row.takes:
            found["standardLayout"] = True
        categories, options = self.tracking()
        if "trackingOptionID1" in self.row.takes:
            found |= {f"trackingOptionID{number}": option.id for number, option in enumerate(options, 1)}
        if "trackingCategoryID" in self.row.takes:
            for ending, (category, _) in zip(("", "2"), categories.items(), strict=False):
                found[f"trackingCategoryID{ending}"] = category
                # Xero refuses an option without its category (Xero-Java#100).
                chosen = [option.id for option in options if option.category == category]
                found |= {f"trackingOptionID{ending}": one for one in chosen}
        return found

    def periods(self, timeframe: str, start: date) -> list[Period]:
        """The periods to read: from the first requested one, or from the bookmark, to the last."""
        last = self.source.settings.day("report_end_date") or self.source.today()
        first = self.source.settings.day("report_start_date")
        if self.bookmark:
            (now,) = periods(timeframe, self.source.today(), self.source.today(), start)
            read_to = self._not_in_future(now)
            back = later(read_to, -MONTHS[timeframe] * self.source.settings.report_reread_periods)
            first = max(first, back) if first else max(back, self._first_known(back))
        month = last.replace(day=1)
        by_default = later(month, -MONTHS[timeframe]) if self.row.per_period else later(month, -12)
        return periods(timeframe, first or by_default, last, start)

    def _not_in_future(self, now: Period) -> date:
        """The bookmark, or the end of the current period if the bookmark is later."""
        read_to = date.fromisoformat(str(self.bookmark)[:10])
        if read_to > now.last:
            self.logger.warning(
                "%s of %s: the bookmark %s is in the future. Periods are read again from the current one.",
                self.row.name, self.organisation.name, self.bookmark,
            )  # fmt: skip
        return min(read_to, now.last)

    def _first_known(self, back: date) -> date:
        """The first known period from `back` on: earlier ones were never requested."""
        ends = sorted(date.fromisoformat(period) for (period,) in self.passed)
        return next((end.replace(day=1) for end in ends if end >= back), back)

    def tracking(self) -> tuple[dict[str, list[Option]], list[Option]]:
        """The categories with a column for each option, by id, and the options to which to restrict the report."""
        names = self.source.settings.report_tracking_categories
        chosen = self.source.settings.report_tracking_options
        if not (names or chosen) or "trackingOptionID2" not in self.row.takes:
            return {}, []
        return chosen_tracking(self.facts.tracking_categories(), names, chosen)

    # From an answer to records

    def answer(self, ask: Ask) -> Page:
        """Make a call and unfold its answer. If the columns are wrong, make a call for each period."""
        answer = self.get(self.row.path, ask.params)
        tables = _tables(answer, self.row.envelope)
        try:
            if self._is_as_asked(tables, ask):
                return Page(list(self.rows(tables, ask)), size=len(answer.content))
        except NoTable as problem:
            raise UnexpectedAnswer(
                f"the report does not have the form of one: {problem}", call=answer.call
            ) from None
        self.reader.warn_once(
            f"{self.row.name}: Xero returned other periods than those requested, so each period is read separately."
        )
        rest = {
            name: value
            for name, value in ask.params.items()
            if name not in {"periods", "timeframe", "date", "fromDate", "toDate"}
        }
        pages = [self.answer(self.alone(period, rest, ask)) for period in ask.wanted]
        return Page([row for page in pages for row in page.rows], size=sum(page.size for page in pages))

    def _is_as_asked(self, tables: Sequence[Mapping[str, Any]], ask: Ask) -> bool:
        """Whether the titles of the columns name the requested periods, if they must."""
        read = month_of if self.row.span is Span.BUDGET else day_of
        return not ask.titled or all(tuple(map(read, columns(table)[1:])) == ask.titled for table in tables)

    def alone(self, period: Period, rest: Mapping[str, Any], ask: Ask) -> Ask:
        """The call for one of the periods of a call for several."""
        if self.row.span is Span.BUDGET:
            one = {"date": period.first, "periods": 1, "timeframe": ask.params["timeframe"]}
            return Ask({**one, **rest}, (period,))
        return self.single(period, rest)

    def rows(self, tables: Sequence[Mapping[str, Any]], ask: Ask) -> Iterator[Row]:
        """The numbered amounts of an answer by period, with `Removed` for those that no longer exist."""
        unfolded: list[dict[str, Any]] = []
        for table in tables:
            yearly = self.row.span is Span.YEARLY
            unfolded += unfold_boxes(table, self.row.table) if yearly else unfold(table, self.row.texts)
        whose = dict(zip(ask.titled, range(1, len(ask.titled) + 1), strict=True))
        split = "trackingCategoryID" in ask.params
        tracking = self.tracking()
        for wanted in ask.wanted:
            period = self.labelled(wanted)
            if ask.titled:
                end = period.last.replace(day=1) if self.row.span is Span.BUDGET else period.last
                amounts = [
                    {**one, "ColumnNumber": 1} for one in unfolded if one["ColumnNumber"] == whose[end]
                ]
            else:
                amounts = [one for one in unfolded if split or self.is_asked_for(one)]
            key = {"PeriodFrom": period.first.isoformat(), "PeriodTo": period.last.isoformat()}
            if ask.contact:
                key = {"ContactID": ask.contact, **key}
            before = int(self.passed.get((key["PeriodTo"],), 0))
            for number in range(1, max(len(amounts), before) + 1):
                found = amounts[number - 1] if number <= len(amounts) else {"RowType": REMOVED}
                record = {**found, **key, "Number": number, **self.basis, **tracked(found, split, *tracking)}
                raw = msgspec.Raw(_encode(record))
                yield Row((*key.values(), number), key["PeriodTo"], raw)

    def is_asked_for(self, amount: Mapping[str, Any]) -> bool:
        """Whether an amount is of the requested period rather than of a comparison.

        The first column is the requested period; others named after a day, a month or a year are comparisons. In a
        report with comparisons, other columns are left out with a warning.
        """
        title = amount["ColumnTitle"]
        if amount["ColumnNumber"] == 1:
            return True
        if names_a_period(title):
            return False
        compares = "periods" in self.row.takes or self.row.span is Span.MONTHLY
        if not compares or title.strip().lower() in _OF_THE_PERIOD:
            return True
        self.reader.warn_once(
            f"{self.row.name}: the column {title!r} is left out, since no period could be read from its title; only "
            "the requested period is emitted."
        )
        return False

    @property
    def basis(self) -> dict[str, Any]:
        """Cash or accrual, if the report has both."""
        if "paymentsOnly" not in self.row.takes:
            return {}
        return {"PaymentsOnly": bool(self.source.settings.report_payments_only)}


def _tables(answer: Answer, envelope: str) -> list[Mapping[str, Any]]:
    """The tables in the answer of a report; raises `UnexpectedAnswer` if there are none."""
    try:
        tables = values_of(answer.content).get(envelope)
    except ValueError as error:
        raise UnexpectedAnswer(f"the answer has no report: {error}", call=answer.call) from None
    if not isinstance(tables, list):
        raise UnexpectedAnswer(f"the answer has no list '{envelope}'", call=answer.call)
    return tables
