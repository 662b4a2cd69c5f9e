"""Report streams: which calls a report takes, and whose period the columns of its answers are.

Months are asked for by the calendar year, in one call of twelve columns, where Xero's columns are exactly right; else
each period is a call of its own. What is known of `periods` and `timeframe`:

* Profit and loss repeats the *day* on which the last month ends: with 30 September, August ends on the 30th too.
  From a month of 31 days all twelve end where they should (Coupler.io's help on Xero's monthly profit and loss and
  CData's on the same report both say so), and December has 31 in every year.
* The balance sheet goes from month end to month end (31 March beside 30 April and 28 February, in the example of Xero's
  API definition).
* The budget summary begins with the month asked for and goes forward.
* Of quarters and years nothing is on record.

Even so the titles of the columns must name the days that were asked for: if they don't, the periods are asked for one
by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from decimal import Decimal
from itertools import chain, groupby
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk import typing as th

from singer_xero.api.errors import CallError
from singer_xero.config import TEXTS
from singer_xero.objects import OBJECTS, Report, Span
from tap_xero.paging import Chunk, Passed
from tap_xero.records.column_titles import day_of, month_of, names_a_period
from tap_xero.records.reader import Page, Row, UnexpectedAnswer, values_of
from tap_xero.records.report_rows import NoTable, columns, unfold, unfold_boxes
from tap_xero.streams.lists import INCREMENTAL, Reading, XeroStream, stream_of
from tap_xero.streams.periods import MONTH, MONTHS, YEAR, Period, later, month_end, periods, year_start

if TYPE_CHECKING:
    from singer_xero.api.transport import Answer
    from singer_xero.config import Organisation
    from tap_xero.tap import TapXero

REMOVED = "Removed"
"""RowType of what takes the place of an amount that an earlier read of the period had and this one hasn't."""

PASSING = ("report_end_date", "report_reread_periods")
"""Settings that don't change what a record says."""

_DOCUMENTS = ("invoices", "credit_notes", "prepayments", "overpayments")
"""What a contact can owe or be owed."""

_OF_THE_PERIOD = frozenset({"variance", "variance %", "ytd", "year to date"})
"""Titles of columns that belong to the period asked for although they stand beside it."""

COLUMNS = 12
"""Periods that one call can show beside each other."""

_decode = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


class NoSuchTracking(CallError):
    """A setting names a tracking category or option that the organisation doesn't have."""

    way_out = "Correct report_tracking_categories or report_tracking_options."


@dataclass(frozen=True)
class Ask:
    """A call: its parameters and the periods wanted of it.

    `titled`: the days or months that the titles of its columns must name, where each column is a period of its own.
    """

    params: Mapping[str, Any]
    wanted: tuple[Period, ...]
    titled: tuple[date, ...] = ()
    contact: str | None = None


@dataclass(frozen=True)
class Option:
    """An option of a tracking category."""

    id: str
    name: str
    category: str


UNASSIGNED = Option("", "Unassigned", "")
"""Xero's column for what has no option of a category."""


class ReportStream(XeroStream):
    """A report of an organisation, period by period, one record for each amount.

    Incremental by default: a run reads the periods since the last one and `report_reread_periods` before them again,
    since books change. A period that is read again is written over place by place; where it has become shorter, its
    last places come as `Removed`. Other settings than those of the last run make a new table.
    """

    def __init__(self, tap: TapXero, report: Report) -> None:
        self.report = report
        super().__init__(tap, report.amounts)
        self._counts: dict[str, int] = {}
        self._anew: bool | None = None

    @property
    def reads(self) -> tuple[str, ...]:
        """The short lists that tell what a report is of."""
        return ("organisation", "tracking_categories")

    # Bookmarks

    @property
    def asked(self) -> str:
        """The settings that the records depend on, for the state to tell whether they are still the same."""
        names = [setting.name for setting in REPORT_SETTINGS]
        told = {name: self.config.get(name) for name in names if name not in PASSING}
        return " ".join(f"{name.removeprefix('report_')}={value}" for name, value in told.items() if value)

    def bookmark(self, organisation: Organisation) -> Any:
        """The last day of the last period that was read with these settings; None: read all."""
        state = self.get_context_state({"tenant_id": organisation.tenant_id})
        return super().bookmark(organisation) if state.get("asked") == self.asked else None

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
            bookmarks = [self.bookmark(organisation) for organisation in self.tap.organisations]
            self._anew = super().is_whole_table or not any(bookmarks)
        return self._anew

    def _increment_stream_state(self, latest_record: dict[str, Any], *, context: Any = None) -> None:
        super()._increment_stream_state(latest_record, context=context)
        if latest_record[self.named("RowType")] != REMOVED:
            self._counts[latest_record[self.named("PeriodTo")]] = latest_record[self.named("Number")]

    def _keep_bookmark(self, context: Any, bookmark: Any) -> None:
        super()._keep_bookmark(context, bookmark)
        if self.replication_method == INCREMENTAL:
            state = self.get_context_state(context)
            known = state.get("counts", {}) if state.get("asked") == self.asked else {}
            newest = sorted({**known, **self._counts}.items())
            state["asked"] = self.asked
            state["counts"] = dict(newest[-self.config["report_reread_periods"] - 1 :])
        self._counts = {}

    # What to ask for

    def chunks(self, reading: Reading) -> Iterator[Chunk]:
        """Make the calls, several at once, and give their amounts in the order of the periods."""
        asks = list(self.asks(reading))
        for page in reading.at_once(lambda number: self.answer(reading, asks[number]), range(len(asks))):
            yield Chunk(
                page.rows, None, page.size, bookmark=max((row.time for row in page.rows), default=None)
            )

    def asks(self, reading: Reading) -> Iterator[Ask]:
        """The calls that the report takes."""
        span = self.report.span
        if span is Span.OPEN:
            at = self.config_day("report_end_date") or month_end(self.tap.today())
            for contact in self.contacts(reading, at):
                yield Ask({"contactId": contact, "date": at}, (Period(at, at),), contact=contact)
        elif span is Span.YEARLY:
            if self.organisation(reading).get("CountryCode") != "US":
                self.logger.info("%s is of American organisations only.", self.report.name)
                return
            for period in self.periods(reading, YEAR, date(2023, 1, 1)):
                yield Ask({"reportYear": str(period.first.year)}, (period,))
        elif span is Span.BUDGET:
            yield from self.budget_asks(reading)
        else:
            yield from self.period_asks(reading)

    def period_asks(self, reading: Reading) -> Iterator[Ask]:
        """A call for each calendar year of months where Xero's columns are right, else for each period."""
        timeframe = MONTH if self.report.span is Span.MONTHLY else self.config["report_timeframe"]
        start = date(2023, 1, 1) if timeframe == MONTH else self.year_start(reading)
        wanted = self.periods(reading, timeframe, start)
        more = self.options(reading)
        if timeframe != MONTH or "periods" not in self.report.params or "trackingCategoryID" in more:
            yield from (self.single(period, more) for period in wanted)
            return
        for year, months in groupby(wanted, lambda period: period.first.year):
            ends = [month_end(date(year, month, 1)) for month in range(12, 0, -1)]
            params = {**self.bounds(Period(date(year, 12, 1), ends[0])), **more}
            yield Ask({**params, "periods": 11, "timeframe": MONTH}, tuple(months), tuple(ends))

    def single(self, period: Period, more: Mapping[str, Any]) -> Ask:
        """The call for one period alone."""
        return Ask({**self.bounds(period), **more}, (self.labelled(period),))

    def bounds(self, period: Period) -> dict[str, Any]:
        """How the report is told of a period."""
        if self.report.span is Span.MOVEMENT:
            return {"fromDate": period.first, "toDate": period.last}
        return {"date": period.last}

    def labelled(self, period: Period) -> Period:
        """The period as its records name it: a balance is one of a day."""
        return Period(period.last, period.last) if self.report.span is Span.BALANCE else period

    def budget_asks(self, reading: Reading) -> Iterator[Ask]:
        """Twelve periods a call, from the first month of the budgets' range on."""
        timeframe = self.config["report_timeframe"]
        start = date(2023, 1, 1) if timeframe == MONTH else self.year_start(reading)
        wanted = periods(timeframe, *self.tap.budget_range(), start.replace(day=1))
        for begin in range(0, len(wanted), COLUMNS):
            block = wanted[begin : begin + COLUMNS]
            params = {"date": block[0].first, "periods": len(block), "timeframe": MONTHS[timeframe]}
            yield Ask(params, tuple(block), tuple(period.last.replace(day=1) for period in block))

    def options(self, reading: Reading) -> dict[str, Any]:
        """The parameters that are the same for all periods: basis, layout, tracking."""
        found: dict[str, Any] = {}
        if self.config["report_payments_only"] and "paymentsOnly" in self.report.params:
            found["paymentsOnly"] = True
        if self.config["report_standard_layout"] and "standardLayout" in self.report.params:
            found["standardLayout"] = True
        categories, options = self.tracking(reading)
        if "trackingOptionID1" in self.report.params:
            found |= {f"trackingOptionID{number}": option.id for number, option in enumerate(options, 1)}
        if "trackingCategoryID" in self.report.params:
            for ending, (category, _) in zip(("", "2"), categories.items(), strict=False):
                found[f"trackingCategoryID{ending}"] = category
                # Xero refuses an option without its category (Xero-Java#100).
                chosen = [option.id for option in options if option.category == category]
                found |= {f"trackingOptionID{ending}": one for one in chosen}
        return found

    def periods(self, reading: Reading, timeframe: str, start: date) -> list[Period]:
        """The periods to read: from the first one asked for, or what a bookmark leaves of them, to the last."""
        last = self.config_day("report_end_date") or self.tap.today()
        first = self.config_day("report_start_date")
        if reading.bookmark:
            (now,) = periods(timeframe, self.tap.today(), self.tap.today(), start)
            read_to = self._not_in_future(reading, now)
            back = later(read_to, -MONTHS[timeframe] * self.config["report_reread_periods"])
            first = max(first, back) if first else max(back, self._first_known(reading, back))
        month = last.replace(day=1)
        by_default = later(month, -MONTHS[timeframe]) if self.report.per_period else later(month, -12)
        return periods(timeframe, first or by_default, last, start)

    def _not_in_future(self, reading: Reading, now: Period) -> date:
        """The bookmark, or the end of the period that it is now if the bookmark lies beyond it."""
        read_to = date.fromisoformat(str(reading.bookmark)[:10])
        if read_to > now.last:
            self.logger.warning(
                "%s of %s: the bookmark %s lies in the future. Periods are read again from this one.",
                self.name, reading.organisation.name, reading.bookmark,
            )  # fmt: skip
        return min(read_to, now.last)

    def _first_known(self, reading: Reading, back: date) -> date:
        """The first period that was read before, of those from `back` on: earlier ones were never asked for."""
        ends = sorted(date.fromisoformat(period) for (period,) in reading.passed)
        return next((end.replace(day=1) for end in ends if end >= back), back)

    def config_day(self, name: str) -> date | None:
        """A setting that is a day."""
        text = self.config.get(name)
        return date.fromisoformat(str(text)[:10]) if text else None

    # What only other lists tell, asked once for all reports of an organisation

    def _each(
        self,
        name: str,
        reading: Reading,
        params: Mapping[str, str] | None = None,
        since: datetime | None = None,
    ) -> Iterator[dict[str, Any]]:
        stream = stream_of(self.tap, OBJECTS[name])
        inner = reading.of(stream)
        inner.params |= params or {}
        inner.since = since
        for chunk in inner.chunks():
            yield from map(stream.reader.record, chunk.rows)

    def _list(self, name: str, reading: Reading) -> Callable[[], list[dict[str, Any]]]:
        return lambda: list(self._each(name, reading))

    def organisation(self, reading: Reading) -> dict[str, Any]:
        """The organisation's own record."""
        key = ("organisation", reading.organisation.tenant_id)
        records = self.tap.once(key, self._list("organisation", reading))
        if not records:
            raise UnexpectedAnswer("Xero says nothing about the organisation", call="GET Organisation")
        return records[0]

    def year_start(self, reading: Reading) -> date:
        """The first day of a financial year, from which quarters and years are counted."""
        try:
            return year_start(self.organisation(reading))
        except ValueError as error:
            advice = "Enter the financial year end in Xero, or set report_timeframe to MONTH."
            raise UnexpectedAnswer(str(error), call="GET Organisation", advice=advice) from None

    def tracking(self, reading: Reading) -> tuple[dict[str, list[Option]], list[Option]]:
        """The categories to show columns for, by id, with their options; and the options to keep to."""
        names = self.config.get("report_tracking_categories") or []
        chosen = self.config.get("report_tracking_options") or []
        if not (names or chosen) or "trackingOptionID2" not in self.report.params:
            return {}, []
        key = ("tracking", reading.organisation.tenant_id)
        rows = self.tap.once(key, self._list("tracking_categories", reading))
        every = {
            row["TrackingCategoryID"]: [
                Option(option["TrackingOptionID"], option["Name"], row["TrackingCategoryID"])
                for option in row.get("Options") or ()
                if option and option.get("TrackingOptionID") and option.get("Name")
            ]
            for row in rows
        }
        category = {row["TrackingCategoryID"]: row.get("Name") or "" for row in rows}
        options = [
            _named(
                "tracking option",
                name,
                [
                    (o, (o.id, o.name, f"{category[o.category]}: {o.name}"))
                    for of in every.values()
                    for o in of
                ],
            )
            for name in chosen
        ]
        ids = [
            _named("tracking category", name, [(i, (i, n)) for i, n in category.items()]) for name in names
        ]
        ids += [option.category for option in options]
        found = {one: every[one] for one in dict.fromkeys(ids)}
        if len(found) > 2 or len({option.category for option in options}) < len(options):
            raise NoSuchTracking("Xero takes two tracking categories at most, and one option of each")
        return found, options

    def contacts(self, reading: Reading, at: date) -> list[str]:
        """The ids of the contacts that had a document open on a day, on this report's side.

        They are those with a balance. Since Xero takes credits off what is outstanding (its API definition has
        negative amounts there), those of open invoices too, which may cancel out with a credit note. And since both
        lists tell of the present, on a day gone by those of the documents that have changed since, unless they were
        paid by then.
        """
        key = ("contacts with open documents", reading.organisation.tenant_id, at)
        side = "AccountsPayable" if "Payables" in self.report.path else "AccountsReceivable"

        def ask() -> dict[str, dict[str, None]]:
            found: dict[str, dict[str, None]] = {"AccountsPayable": {}, "AccountsReceivable": {}}
            for contact in self._each("contacts", reading):
                for name, ids in found.items():
                    balance = (contact.get("Balances") or {}).get(name) or {}
                    if balance.get("Outstanding") or balance.get("Overdue"):
                        ids[contact["ContactID"]] = None
            documents = self._each("invoices", reading, {"Statuses": "AUTHORISED", "summaryOnly": "true"})
            if at <= self.tap.today():
                since = datetime(at.year, at.month, at.day, tzinfo=timezone.utc)
                changed = (self._each(name, reading, {}, since) for name in _DOCUMENTS)
                documents = chain(documents, *changed)
            for document in documents:
                if _open_on(at, document):
                    of_sale = str(document.get("Type")).startswith(("ACCREC", "AR", "RECEIVE"))
                    contact_id = (document.get("Contact") or {}).get("ContactID")
                    if contact_id:
                        found["AccountsReceivable" if of_sale else "AccountsPayable"][contact_id] = None
            return found

        return list(self.tap.once(key, ask)[side])

    def scope_missing(self, granted: Iterable[str]) -> str | None:
        """The scope that is missing; aged reports need those of the lists that tell whom to ask for, too."""
        lists = ("contacts", *_DOCUMENTS) if self.report.per_contact else ()
        lacking = (OBJECTS[name].scope_missing(granted) for name in lists)
        return super().scope_missing(granted) or next(filter(None, lacking), None)

    # From an answer to records

    def answer(self, reading: Reading, ask: Ask) -> Page:
        """Make a call and unfold its answer; asks again for each period alone if the columns are others."""
        answer = reading.get(self.report.path, ask.params)
        tables = _tables(answer, self.report.envelope)
        try:
            if self._is_as_asked(tables, ask):
                return Page(list(self.rows(tables, ask, reading)), size=len(answer.content))
        except NoTable as problem:
            raise UnexpectedAnswer(f"the report is not built as one: {problem}", call=answer.call) from None
        self.reader.tell_once(
            f"{self.name}: Xero shows other periods than were asked for side by side; each gets a call of its own."
        )
        rest = {
            name: value
            for name, value in ask.params.items()
            if name not in {"periods", "timeframe", "date", "fromDate", "toDate"}
        }
        pages = [self.answer(reading, self.alone(period, rest, ask)) for period in ask.wanted]
        return Page([row for page in pages for row in page.rows], size=sum(page.size for page in pages))

    def _is_as_asked(self, tables: Sequence[Mapping[str, Any]], ask: Ask) -> bool:
        """Whether the columns are those of the periods that were asked for, where the titles must say so."""
        read = month_of if self.report.span is Span.BUDGET else day_of
        return not ask.titled or all(tuple(map(read, columns(table)[1:])) == ask.titled for table in tables)

    def alone(self, period: Period, rest: Mapping[str, Any], ask: Ask) -> Ask:
        """The call for one of the periods of a call for several."""
        if self.report.span is Span.BUDGET:
            one = {"date": period.first, "periods": 1, "timeframe": ask.params["timeframe"]}
            return Ask({**one, **rest}, (period,))
        return self.single(period, rest)

    def rows(self, tables: Sequence[Mapping[str, Any]], ask: Ask, reading: Reading) -> Iterator[Row]:
        """The amounts of an answer by period, numbered, and `Removed` for those there are no more."""
        unfolded: list[dict[str, Any]] = []
        for table in tables:
            yearly = self.report.span is Span.YEARLY
            unfolded += unfold_boxes(table) if yearly else unfold(table, self.report.texts)
        whose = dict(zip(ask.titled, range(1, len(ask.titled) + 1), strict=True))
        split = "trackingCategoryID" in ask.params
        tracked = self.tracking(reading)
        for wanted in ask.wanted:
            period = self.labelled(wanted)
            if ask.titled:
                end = period.last.replace(day=1) if self.report.span is Span.BUDGET else period.last
                amounts = [
                    {**one, "ColumnNumber": 1} for one in unfolded if one["ColumnNumber"] == whose[end]
                ]
            else:
                amounts = [one for one in unfolded if split or self.is_asked_for(one)]
            key = {"PeriodFrom": period.first.isoformat(), "PeriodTo": period.last.isoformat()}
            if ask.contact:
                key = {"ContactID": ask.contact, **key}
            before = int(reading.passed.get((key["PeriodTo"],), 0))
            for number in range(1, max(len(amounts), before) + 1):
                found = amounts[number - 1] if number <= len(amounts) else {"RowType": REMOVED}
                record = {**found, **key, "Number": number, **self.basis, **_tracked(found, split, *tracked)}
                raw = msgspec.Raw(_encode(record))
                yield Row((*key.values(), number), key["PeriodTo"], raw)

    def is_asked_for(self, amount: Mapping[str, Any]) -> bool:
        """Whether an amount is of the period that was asked for, rather than of one to compare with.

        The first column is what was asked for; one that is called after a day, a month or a year compares it. In a
        report that compares periods, a column whose title says neither is left out, and named.
        """
        title = amount["ColumnTitle"]
        if amount["ColumnNumber"] == 1:
            return True
        if names_a_period(title):
            return False
        compares = "periods" in self.report.params or self.report.span is Span.MONTHLY
        if not compares or title.strip().lower() in _OF_THE_PERIOD:
            return True
        self.reader.tell_once(
            f"{self.name}: the column {title!r} is left out, since its title names no period that could be read; "
            "only the period that was asked for is passed on."
        )
        return False

    @property
    def basis(self) -> dict[str, Any]:
        """Cash or accrual, where the report has both."""
        if "paymentsOnly" not in self.report.params:
            return {}
        return {"PaymentsOnly": bool(self.config["report_payments_only"])}


def _tables(answer: Answer, envelope: str) -> list[Mapping[str, Any]]:
    """The tables of a report's answer; raises `UnexpectedAnswer` when it has none."""
    try:
        tables = values_of(answer.content).get(envelope)
    except ValueError as error:
        raise UnexpectedAnswer(f"the answer has no report: {error}", call=answer.call) from None
    if not isinstance(tables, list):
        raise UnexpectedAnswer(f"the answer has no list '{envelope}'", call=answer.call)
    return tables


def _open_on(day: date, document: Mapping[str, Any]) -> bool:
    """Whether a document may have been open on a day: it was there, and not known to be paid by then."""
    if document.get("Status") not in {"AUTHORISED", "PAID"}:
        return False
    dated, paid = document.get("Date") or "", document.get("FullyPaidOnDate") or "9"
    return bool(dated <= day.isoformat() < paid)


def _tracked(
    amount: Mapping[str, Any], split: bool, categories: Mapping[str, list[Option]], options: Sequence[Option]
) -> dict[str, Any]:
    """The tracking options that an amount is for: those its column is called after, or those kept to."""
    found = _options_of(str(amount.get("ColumnTitle") or ""), list(categories.values())) if split else options
    chosen: dict[str, Any] = {}
    for ending, one in zip(("", "2"), found, strict=False):
        chosen |= {f"TrackingOptionID{ending}": one.id or None, f"TrackingOption{ending}": one.name}
    return chosen


def _options_of(title: str, categories: Sequence[Sequence[Option]]) -> Sequence[Option]:
    """The options that the title of a column names: of one category, or of two with something between them."""
    first, second = [[*options, UNASSIGNED] for options in [*categories, ()][:2]]
    for one in first:
        if len(categories) == 1 and one.name == title.strip():
            return [one]
        for other in second if len(categories) == 2 else ():
            between = title.removeprefix(one.name).removesuffix(other.name)
            if title == f"{one.name}{between}{other.name}" and not any(map(str.isalnum, between)):
                return [one, other]
    return []


def _named(what: str, name: str, known: Sequence[tuple[Any, tuple[str, ...]]]) -> Any:
    matches = [one for one, names in known if name.lower() in {each.lower() for each in names}]
    if len(matches) != 1:
        several = "several are called" if matches else "there is none called"
        listing = ", ".join(names[-1] for _, names in known)
        raise NoSuchTracking(f"{what}: {several} {name!r}; the organisation has {listing}")
    return matches[0]


REPORT_SETTINGS: tuple[th.Property[Any], ...] = (
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
