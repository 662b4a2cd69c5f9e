"""How objects become streams: one class for each way their list is handed out, never one for each object."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pendulum
from singer_sdk import Stream
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib import Catalog, Metadata

from tap_xero import paging
from tap_xero.api.errors import AccessError, NotFound, XeroError
from tap_xero.config import ConfigurationProblem, Organisation
from tap_xero.objects import OBJECTS, Paging, XeroObject
from tap_xero.paging import Chunk, Passed
from tap_xero.records import Page, RecordReader

if TYPE_CHECKING:
    from tap_xero.tap import TapXero

INCREMENTAL, FULL_TABLE = "INCREMENTAL", "FULL_TABLE"

BORDER = 200
"""How many rows at the border of a run the state remembers; more are simply read twice."""


class XeroStream(Stream):
    """A list of Xero's, read from each organisation in turn; each has its own bookmark."""

    # Records leave the reader in the shape of their schema, so that the SDK needn't walk them again.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    _tap: TapXero

    def __init__(self, tap: TapXero, xero: XeroObject) -> None:
        self.xero = xero
        super().__init__(tap, schema=xero.schema(with_tenant=True), name=xero.name)
        self.primary_keys = ("tenant_id", *xero.key)
        self.replication_key = xero.marker if xero.incremental else None
        self.reader = RecordReader(xero, self.logger)
        self.incomplete = False

    # What Singer sees

    @property
    def metadata(self) -> Any:
        """The catalogue's metadata; says of streams that are read whole by default whether they can be incremental."""
        marker = self.xero.marker
        if self._metadata is None and marker and self.xero.can_be_incremental:
            metadata = super().metadata
            metadata.root.valid_replication_keys = [marker]
            metadata[("properties", marker)].inclusion = Metadata.InclusionType.AUTOMATIC
        return super().metadata

    def apply_catalog(self, catalog: Catalog) -> None:
        """Take over what a catalogue chooses.

        The SDK forgets keys and bookmark of a stream whose entry doesn't repeat them; here they stay. See
        `tap_xero.tap.choose_replication` for how a catalogue chooses.
        """
        keys, marker = self.primary_keys, self.replication_key
        super().apply_catalog(catalog)
        entry = catalog.get_stream(self.name)
        if entry is None:
            return
        self.primary_keys = self.primary_keys or keys
        method = (self.forced_replication_method or "").upper()
        if method not in {"", INCREMENTAL, FULL_TABLE}:
            raise ConfigurationProblem(
                f"Catalogue, stream {self.name}: replication method {method} is not offered."
            )
        if method == FULL_TABLE:
            self.replication_key = None
            return
        chosen = self.replication_key or (self.xero.marker if method == INCREMENTAL else marker)
        if chosen and not self.xero.can_be_incremental:
            raise ConfigurationProblem(
                f"Catalogue, stream {self.name}: it can't be incremental: Xero can't be asked for its changes alone."
            )
        if chosen and chosen != self.xero.marker:
            raise ConfigurationProblem(
                f"Catalogue, stream {self.name}: {chosen} can't be the replication key; use {self.xero.marker}."
            )
        self.replication_key = chosen
        self.forced_replication_method = INCREMENTAL if chosen else FULL_TABLE

    @property
    def partitions(self) -> list[dict[str, Any]]:
        """One for each organisation."""
        return [{"tenant_id": organisation.tenant_id} for organisation in self._tap.organisations]

    @property
    def is_sorted(self) -> bool:
        """Bookmarks move with the rows, so that a run that was killed goes on where it was."""
        return True

    @property
    def check_sorted(self) -> bool:
        """Rows come in order, but the first may be a second older than the bookmark."""
        return False

    def get_replication_key_signpost(self, context: Any = None) -> None:
        """No ceiling for bookmarks: they are times of Xero's clock, on rows that were passed on."""

    @property
    def emit_activate_version_messages(self) -> bool:
        """Not now: see `finalize_state_progress_markers`."""
        return False

    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        """End the stream; a complete table is made the valid one.

        The SDK announces a new version before the first row, which makes a target forget the table when the run then
        breaks off. Here it comes after the last row, and only if every organisation was read to its end.
        """
        if self._stream_version is not None:
            if not self.incomplete:
                self._write_activate_version_message(self._stream_version)
            self._stream_version = None
        super().finalize_state_progress_markers(state)

    # Reading

    def get_records(self, context: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
        """Read one organisation's list.

        What goes wrong is noted at the tap, which ends with an error after the other streams were read; without
        consent there is nothing left to read, and the error goes up at once.
        """
        organisation = self._tap.organisation((context or {})["tenant_id"])
        if self.replication_method == FULL_TABLE and self.config.get("emit_activate_version_messages"):
            self._stream_version = self._initialized_at // 1000
        if not self._tap.may_read(self, organisation):
            self.incomplete = True
            return
        progress = Progress(self, organisation)
        try:
            for chunk in self.chunks(organisation):
                for record in chunk.records:
                    progress.rows += 1
                    yield record
                progress.tell(chunk.remaining)
        except AccessError:
            raise
        except XeroError as error:
            self.incomplete = True
            self._tap.failed(self, organisation, error)
            return
        progress.done()

    def chunks(self, organisation: Organisation) -> Iterator[Chunk]:
        """Read the list in pieces."""
        raise NotImplementedError

    def fetch(
        self, organisation: Organisation, params: Mapping[str, str] | None, since: datetime | None
    ) -> Page:
        """Ask for the list, with what is always asked."""
        query = {**self.xero.params, **(params or {})}
        if self.xero.archived and self.config.get("include_archived", True):
            query["includeArchived"] = "true"
        answer = self._tap.client.get(organisation.header, self.xero.path, params=query, modified_since=since)
        if answer.status == 304:  # some of Xero's gateways answer so when nothing has changed
            return Page([])
        return self.reader.page(answer.content, answer.call)

    def bookmark(self, organisation: Organisation) -> Any:
        """The replication value up to which this organisation has been read; None: read all."""
        state = self.get_context_state({"tenant_id": organisation.tenant_id})
        if self.replication_method != INCREMENTAL or state.get("replication_key") != self.replication_key:
            return None
        return state.get("replication_key_value")

    def since(self, organisation: Organisation) -> datetime | None:
        """The moment from which changes are asked for: the bookmark, or `start_date` where that is later."""
        if self.replication_method != INCREMENTAL:
            return None
        moments = [
            moment_of(text) for text in (self.bookmark(organisation), self.config.get("start_date")) if text
        ]
        return max(moments, default=None)

    def border(self, organisation: Organisation) -> Passed:
        """The rows that the last run passed on within the seconds that this one asks for again."""
        state = self.get_context_state({"tenant_id": organisation.tenant_id})
        border = state.get("border") or {}
        if self.bookmark(organisation) is None or border.get("at") != state.get("replication_key_value"):
            return {}
        return {tuple(row): at for *row, at in border.get("rows", ())}

    def remember(self, organisation: Organisation, passed: Passed) -> None:
        """Keep the border for the next run, when all of this run's rows are out."""
        if self.replication_method != INCREMENTAL:
            return
        state = self.get_context_state({"tenant_id": organisation.tenant_id})
        rows = [[*row, at] for row, at in passed.items()]
        if rows and len(rows) <= BORDER and state.get("replication_key_value"):
            state["border"] = {"at": state["replication_key_value"], "rows": rows}
        else:
            state.pop("border", None)


class WholeStream(XeroStream):
    """A list that comes in one answer."""

    def chunks(self, organisation: Organisation) -> Iterator[Chunk]:
        """Read it with one call, and one more for each record where only the single GET tells all."""
        passed = self.border(organisation)
        fetch = partial(self.fetch, organisation)
        marker = self.replication_key
        for chunk in paging.read_whole(fetch, self.xero.key, marker, self.since(organisation), passed):
            yield Chunk(list(self.in_detail(organisation, chunk.records)), 0) if self.xero.detail else chunk
        self.remember(organisation, passed)

    def in_detail(
        self, organisation: Organisation, records: Iterable[dict[str, Any]]
    ) -> Iterator[dict[str, Any]]:
        """Read each record by its own call; one that was removed in the meantime is left out."""
        for record in records:
            path = f"{self.xero.path}/{quote(str(record[self.xero.key[0]]))}"
            try:
                answer = self._tap.client.get(
                    organisation.header, path, params=self._tap.detail_params(self.xero)
                )
            except NotFound:
                continue
            yield from self.reader.page(answer.content, answer.call).records


class PagedStream(XeroStream):
    """A list in pages that can be asked for by time."""

    def chunks(self, organisation: Organisation) -> Iterator[Chunk]:
        """Read it from change to change."""
        passed = self.border(organisation)
        sized = self.xero.paging is Paging.PAGES
        yield from paging.read_by_change(
            partial(self.fetch, organisation),
            self.xero.key,
            str(self.xero.marker),
            self.since(organisation),
            passed,
            self.config["page_size"] if sized else None,
        )
        self.remember(organisation, passed)

    def fetch(
        self, organisation: Organisation, params: Mapping[str, str] | None, since: datetime | None
    ) -> Page:
        """Ask for a page, in the order of change where the list lets one say so."""
        order = {"order": self.xero.order} if self.xero.order else {}
        return super().fetch(organisation, {**order, **(params or {})}, since)


class WalkedStream(XeroStream):
    """A list in pages that can't be asked for by time."""

    def chunks(self, organisation: Organisation) -> Iterator[Chunk]:
        """Read it until it holds still."""
        yield from paging.read_until_still(
            partial(self.fetch, organisation), self.xero.key, str(self.xero.marker)
        )


class NumberedStream(XeroStream):
    """Journals: they never change, and are asked for by number."""

    def chunks(self, organisation: Organisation) -> Iterator[Chunk]:
        """Read what is numbered higher; without a bookmark from the first, whatever `start_date` says.

        Their dates don't follow their numbers (recorded from Xero), so a journal can't be found by its date.
        """
        after = int(self.bookmark(organisation) or 0)
        yield from paging.read_by_number(partial(self.fetch, organisation), str(self.xero.marker), after)


def stream_of(tap: TapXero, xero: XeroObject) -> XeroStream:
    """Make the stream for a row of the registry."""
    if xero.paging is Paging.OFFSET:
        return NumberedStream(tap, xero)
    if xero.paging is Paging.WHOLE:
        return WholeStream(tap, xero)
    return PagedStream(tap, xero) if xero.modified_since else WalkedStream(tap, xero)


def moment_of(text: str) -> datetime:
    """Read a `start_date` or a bookmark: a day or a moment, in UTC where it names no zone."""
    return pendulum.parse(text, tz="UTC")  # type: ignore[return-value]


class Progress:
    """Tells how far a list is read: rows, calls, what is left of the day, and the time it will take."""

    EVERY = 10.0
    """Seconds between two lines."""

    def __init__(
        self, stream: XeroStream, organisation: Organisation, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.stream, self.organisation, self.clock = stream, organisation, clock
        self.rows = 0
        self.started = self.told = clock()
        self.calls_before = stream._tap.client.usage(organisation.header).calls

    def tell(self, remaining: int | None) -> None:
        """Log a line if the last one is long ago."""
        now = self.clock()
        if now - self.told < self.EVERY:
            return
        self.told = now
        to_do, to_go = "", ""
        if remaining:
            seconds = (now - self.started) * remaining / max(self.rows, 1)
            to_do, to_go = (
                f" of {self.rows + remaining:,}",
                f", about {pendulum.duration(seconds=int(seconds)).in_words()} to go",
            )
        self._log(f"{self.rows:,}{to_do} rows{to_go}")

    def done(self) -> None:
        """Log the last line."""
        self._log(f"{self.rows:,} row{'' if self.rows == 1 else 's'}")

    def _log(self, text: str) -> None:
        usage = self.stream._tap.client.usage(self.organisation.header)
        calls = usage.calls - self.calls_before
        left = "" if usage.day_left is None else f", {usage.day_left:,} left today"
        cost = f"{calls} call{'' if calls == 1 else 's'}{left}"
        self.stream.logger.info("%s of %s: %s (%s)", self.stream.name, self.organisation.name, text, cost)


def all_streams(tap: TapXero) -> list[XeroStream]:
    """Make the streams of all objects."""
    return [stream_of(tap, xero) for xero in OBJECTS.values()]
