"""One list of one organisation, from its first call to its last row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from msgspec.structs import replace

from singer_xero.api.dates import moment_of
from singer_xero.api.errors import CallError, NotFound, Refused, XeroError
from singer_xero.errors import ConfigurationProblem
from singer_xero.objects import ORGANISATION, Paging, XeroObject
from singer_xero.organisations import Organisation
from tap_xero.failures import Unforeseen
from tap_xero.reads import paging
from tap_xero.reads.budgets import joined, windows
from tap_xero.reads.paging import AtOnce, Chunk, Fetch, Passed
from tap_xero.reads.source import Source
from tap_xero.records.reader import Page, RecordReader, Row, UnexpectedAnswer

if TYPE_CHECKING:
    from singer_xero.api.http.transport import Answer

LAST_CALLS = 4
"""Daily calls that are reserved for each list that is being read in pages, to prove what was read: one call if nothing
has changed meanwhile, four if something has."""


class StateInFuture(Exception):
    """A bookmark is in the future; `now` is Xero's time."""

    def __init__(self, now: str) -> None:
        super().__init__(now)
        self.now = now


class ListRead:
    """Reads one list of one organisation.

    If it is `incremental`, rows come in the order of their cursor, and a bookmark follows them. `bookmark` is where the
    last run ended, `since` the moment from which to ask for changes, and `passed` the emitted rows that the answer may
    repeat; at the end it has those of this run. Calls count for the read that this one is `within`.
    """

    def __init__(
        self,
        source: Source,
        organisation: Organisation,
        row: XeroObject,
        reader: RecordReader,
        *,
        incremental: bool = False,
        bookmark: Any = None,
        since: datetime | None = None,
        passed: Passed | None = None,
        within: ListRead | None = None,
    ) -> None:
        self.source, self.organisation, self.row, self.reader = source, organisation, row, reader
        self.incremental, self.bookmark, self.since = incremental, bookmark, since
        self.passed: Passed = {} if passed is None else passed
        self.within = within
        self.at_once: AtOnce = paging.one_by_one
        self.is_due = False
        """Whether its records are needed now, so that its calls go before those of later lists."""
        self.in_steps = False
        """Whether each page is proved separately, since each of its rows costs a call."""
        self.calls = 0
        self._dated = False
        self.params = dict(row.params)
        if row.archived and source.settings.include_archived:
            self.params["includeArchived"] = "true"

    @property
    def logger(self) -> Any:
        """The stream's logger."""
        return self.reader.logger

    def chunks(self, at_once: AtOnce = paging.one_by_one) -> Iterator[Chunk]:
        """Read it; `at_once` makes several calls at a time where their order makes no difference.

        A list that Xero does not offer in the organisation's country is skipped without a call.
        """
        self.at_once = at_once
        if not self._is_offered():
            return
        try:
            yield from self.walk()
        except StateInFuture as state:
            self.logger.warning(
                "%s of %s: the bookmark %s is in the future, Xero's time is %s. Changes are read from now on. Remove "
                "the stream from the state to read all of it.",
                self.row.name, self.organisation.name, self.bookmark, state.now,
            )  # fmt: skip
            self.bookmark, self.since = state.now, moment_of(state.now)
            yield Chunk([], bookmark=state.now)
            yield from self.walk()

    def _is_offered(self) -> bool:
        """Whether Xero has the list for organisations of this country; True if the country is unknown."""
        if self.row.regions is None:
            return True
        try:
            country = next((record.get("CountryCode") for record in self.organisation_records()), None)
        except CallError:
            country = None
        if country is None or country in self.row.regions:
            return True
        self.logger.info(
            "%s of %s is skipped: Xero offers it only in %s, and the organisation is in %s.",
            self.row.name, self.organisation.name, ", ".join(sorted(self.row.regions)), country,
        )  # fmt: skip
        return False

    def organisation_records(self) -> list[dict[str, Any]]:
        """The organisation's own record, in a list of one; it is read once in a run."""
        key = (ORGANISATION.name, self.organisation.tenant_id)
        return self.source.once(key, lambda: list(self.records_of(ORGANISATION)))

    def walk(self) -> Iterator[Chunk]:
        """Read the list in the way in which Xero returns it."""
        if self.row.paging is Paging.OFFSET:
            return paging.read_by_number(self.fetch, int(self.bookmark or 0), self.at_once)
        if self.row.paging is Paging.WHOLE:
            return self._whole()
        if self.row.modified_since:
            return self._by_change()
        sized = {} if self._page_size is None else {self.row.api.size_param: str(self._page_size)}
        return paging.read_until_still(self.fetch, [{**sized, **walk} for walk in self.row.walks or ({},)])

    @property
    def _page_size(self) -> int | None:
        """The number of rows to request in a call; None if Xero decides."""
        if self.row.paging is not Paging.PAGES:
            return None
        return min(self.source.settings.page_size, self.row.api.largest_page)

    def _whole(self) -> Iterator[Chunk]:
        """Read a list that comes in one answer, with a call for each record if only single reads are complete."""
        fetch = self._fetch_once if self.row.name in self.source.shared else self.fetch
        for chunk in paging.read_whole(fetch, self.since, self.passed, by_time=self.incremental):
            if self.row.detail:
                yield from self.each_of(chunk, chunk.rows, self._single)
            else:
                yield chunk

    def _by_change(self) -> Iterator[Chunk]:
        """Read a list in pages, in the order of change if the list supports that."""
        if self.row.order:
            self.params["order"] = self.row.order
        # A record that is archived meanwhile leaves a list without archived records.
        lasting = not self.row.archived or "includeArchived" in self.params
        return paging.read_by_change(
            self.fetch,
            self.since,
            self.passed,
            self._page_size,
            self.at_once,
            size_param=self.row.api.size_param,
            lasting=lasting and not self.in_steps,
            last_calls=self.last_calls if self.incremental else None,
        )

    def _single(self, row: Row) -> Page:
        """Read a single record; none if it was removed meanwhile."""
        path = f"{self.row.path}/{quote(str(row.key[0]))}"
        asked = (
            windows(*self.source.budget_range(), self.row.months_a_call) if self.row.months_a_call else [{}]
        )
        try:
            return joined([self.ask(path, params) for params in asked])
        except NotFound:
            return Page([])

    def each_of(self, chunk: Chunk, rows: Sequence[Row], ask: Callable[[Row], Page]) -> Iterator[Chunk]:
        """Make a call for each of these rows of a chunk, several at a time.

        A bookmark follows each row if it may follow the chunk. If an answer is unusable, a row with the fault takes its
        place, and the others are read.
        """

        def page(number: int) -> Page:
            row = rows[number]
            try:
                return Page([row]) if row.fault else ask(row)
            except (Refused, UnexpectedAnswer) as error:
                return Page([replace(row, fault=error.what)])
            except (XeroError, OSError, ConfigurationProblem):
                raise
            except Exception as error:
                return Page([replace(row, fault=Unforeseen.of(error).words)])

        for row, answer in zip(rows, self.at_once(page, range(len(rows))), strict=True):
            bookmark = min(row.time, chunk.bookmark) if row.time and chunk.bookmark else None
            yield Chunk(answer.rows, None, answer.size, proven=False, bookmark=bookmark)
        yield Chunk([], chunk.remaining, proven=chunk.proven, bookmark=chunk.bookmark)

    def of(self, row: XeroObject, **given: Any) -> ListRead:
        """Make a read of another list of the organisation, whose calls count for this one."""
        return ListRead(
            self.source, self.organisation, row, RecordReader(row, self.logger), within=self, **given
        )

    def records_of(
        self, row: XeroObject, params: Mapping[str, str] | None = None, since: datetime | None = None
    ) -> Iterator[dict[str, Any]]:
        """The decoded records of another list of the organisation."""
        read = self.of(row, since=since)
        read.params |= params or {}
        for chunk in read.chunks():
            yield from map(read.reader.record, chunk.rows)

    # Calls

    def fetch(self, params: Mapping[str, str] | None, since: datetime | None, *, last: bool = False) -> Page:
        """Request the list or a page of it; see `XeroClient.get` for a `last` call.

        Raises `StateInFuture` if the first answer is older than the bookmark.
        """
        page = self.ask(self.row.path, {**self.params, **(params or {})}, since, last=last)
        if page.at and not self._dated:
            self._dated = True
            if self.bookmark is not None and self.since and self.since > moment_of(page.at) + paging.SKEW:
                raise StateInFuture(page.at)
        return page

    def _fetch_once(self, params: Mapping[str, str] | None, since: datetime | None) -> Page:
        """Request the list, unless another stream of this run has done so."""
        asked = frozenset({**self.params, **(params or {})}.items())
        key = (self.row.path, self.organisation.tenant_id, asked, since)
        return self.source.once(key, lambda: self.fetch(params, since))

    def ask(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        since: datetime | None = None,
        *,
        last: bool = False,
    ) -> Page:
        """Make a call and find the rows in its answer."""
        reader = self.reader
        answer = self.get(
            path,
            params,
            since,
            last=last,
            read=lambda answer: reader.page(answer.content, answer.call, answer.packed),
        )
        # Some of Xero's gateways answer 304 when nothing has changed.
        return Page([]) if answer.value is None else answer.value

    def get(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        since: datetime | None = None,
        **options: Any,
    ) -> Answer:
        """Make a call and count it; `options` are those of `XeroClient.get`."""
        outer = self.within or self
        outer.calls += 1
        return self.source.client.get(
            self.organisation.header,
            path,
            params=params,
            api=self.row.api,
            modified_since=since,
            urgent=outer.is_due,
            **options,
        )

    @contextmanager
    def last_calls(self) -> Iterator[Fetch]:
        """Reserve some of the daily calls while the context is open, and yield a `Fetch` that may use them."""
        with self.source.client.kept_back(self.organisation.header, LAST_CALLS):
            yield partial(self.fetch, last=True)
