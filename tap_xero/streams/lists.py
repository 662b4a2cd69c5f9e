"""How objects become streams: one class for each way their list is handed out, never one for each object."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
from singer_sdk import Stream
from singer_sdk.helpers._catalog import pop_deselected_record_properties
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform, StreamMap
from singer_sdk.singerlib import Catalog, Metadata, RecordMessage, SchemaMessage

from singer_xero.api.errors import AccessError, NotFound, Refused, XeroError
from singer_xero.config import ConfigurationProblem, Organisation
from singer_xero.objects import Paging, XeroObject
from tap_xero import paging
from tap_xero.failures import Unforeseen, Unreadable
from tap_xero.paging import AtOnce, Chunk, Fetch, Passed
from tap_xero.records.projection import Shape, without_descriptions
from tap_xero.records.reader import Page, Record, RecordReader, Row, UnexpectedAnswer
from tap_xero.records.stream_maps import Completion, Finisher, MapProblem, completion
from tap_xero.state.writer import OrganisationStates
from tap_xero.streams.budgets import joined

if TYPE_CHECKING:
    from singer_xero.api.transport import Answer
    from tap_xero.streams.nested_tables import NestedTableStream
    from tap_xero.tap import TapXero

INCREMENTAL, FULL_TABLE = "INCREMENTAL", "FULL_TABLE"

Decoded = tuple[Record, "Sequence[tuple[NestedTableStream, Record]]"]
"""A record, and the records of nested tables that lie in it."""

LAST_CALLS = 4
"""Calls of the day that are kept back for each list that is being read in pages: one proves what was read of it where
nothing has changed meanwhile, four where something has."""

BORDER = 200
"""How many rows at the border of a run the state remembers; more are simply passed on twice."""


class XeroStream(Stream):
    """A list of Xero's, read from each organisation in turn; each has its own bookmark."""

    # Records leave the reader in the shape of their schema, so that the SDK needn't walk them again.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def __init__(self, tap: TapXero, xero: XeroObject) -> None:
        self.xero = xero
        self.tap = tap
        self.selected_by_default = xero.selected or xero.name in tap.opened
        self.shape = Shape(xero, tap.config)
        super().__init__(tap, schema=self.shape.schema(), name=xero.name)
        self.primary_keys = ("tenant_id", *map(self.named, xero.key))
        self.cursor = self.named(xero.cursor) if xero.cursor else None
        self.replication_key = self.cursor if xero.incremental else None
        self.children: list[NestedTableStream] = []
        self._read_by(RecordReader(xero, self.logger, keep=self.shape.keeps))
        self.incomplete = False
        self._unread: Any = None
        self._current = Row((), "", msgspec.Raw(b"null"))

    def _read_by(self, reader: RecordReader) -> None:
        self.reader = reader
        self.shape.warn = reader.tell_once

    # What Singer sees

    @property
    def is_open(self) -> bool:
        """Whether it may be read: what costs many calls is opened by the setting `detail_streams` only."""
        return not self.xero.costly or self.name in self.tap.opened

    @property
    def is_wanted(self) -> bool:
        """Whether the catalogue selects it."""
        return bool(self.mask.get((), True))

    @property
    def selected(self) -> bool:
        """Whether it is to be read."""
        return self.is_wanted and self.is_open

    @selected.setter
    def selected(self, value: bool | None) -> None:
        self.metadata.root.selected = value
        self._mask = self.metadata.resolve_selection()

    @property
    def metadata(self) -> Any:
        """The catalogue's metadata; says of streams that are read whole by default whether they can be incremental."""
        cursor = self.cursor
        if self._metadata is None and cursor and self.xero.can_be_incremental:
            metadata = super().metadata
            metadata.root.valid_replication_keys = [cursor]
            metadata[("properties", cursor)].inclusion = Metadata.InclusionType.AUTOMATIC
        return super().metadata

    def apply_catalog(self, catalog: Catalog) -> None:
        """Take over what a catalogue chooses.

        The SDK forgets keys and bookmark of a stream whose entry doesn't repeat them; here they stay. See
        `tap_xero.catalog.choose_replication` for how a catalogue chooses.
        """
        keys, cursor = self.primary_keys, self.replication_key
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
        chosen = self.replication_key or (self.cursor if method == INCREMENTAL else cursor)
        if (chosen or method == INCREMENTAL) and not self.xero.can_be_incremental:
            raise ConfigurationProblem(
                f"Catalogue, stream {self.name}: it can't be incremental: Xero can't be asked for its changes alone."
            )
        if chosen and chosen not in {self.cursor, self.xero.cursor}:
            raise ConfigurationProblem(
                f"Catalogue, stream {self.name}: {chosen} can't be the replication key; use {self.cursor}."
            )
        self.replication_key = chosen and self.cursor  # Xero's name for it will do in snake_case, too
        self.forced_replication_method = INCREMENTAL if chosen else FULL_TABLE

    @property
    def partitions(self) -> list[dict[str, Any]]:
        """One for each organisation."""
        return [{"tenant_id": organisation.tenant_id} for organisation in self.tap.organisations]

    @property
    def is_sorted(self) -> bool:
        """Bookmarks move with the rows, so that a run that was killed goes on where it was."""
        return True

    @property
    def check_sorted(self) -> bool:
        """Rows come in order, but the first may be a second older than the bookmark."""
        return False

    @property
    def state_manager(self) -> OrganisationStates:
        """Keeps the bookmarks, one for each organisation."""
        if not isinstance(self._state_manager, OrganisationStates):
            self._state_manager = OrganisationStates(
                tap_name=self.tap_name,
                stream_name=self.name,
                tap_state=self._tap_state,
                is_sorted=self.is_sorted,
                check_sorted=self.check_sorted,
            )
        return self._state_manager

    def _write_starting_replication_value(self, context: Any) -> None:
        """Log where the reading begins, unless there would be too many lines of it; nothing else needs it."""
        if not self.tap.has_many:
            super()._write_starting_replication_value(context)

    def get_replication_key_signpost(self, context: Any = None) -> None:
        """No ceiling for bookmarks: they are times of Xero's clock, on rows that were passed on."""

    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        """Log a message; what the SDK calls an unhandled error is handled by the tap, which says more of it."""
        if level == logging.ERROR:
            level = logging.DEBUG
        super().log(message, *args, level=level, **kwargs)

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
            if self.selected and not self.incomplete:
                self._write_activate_version_message(self._stream_version)
            self._stream_version = None
        super().finalize_state_progress_markers(state)

    @property
    def is_whole_table(self) -> bool:
        """Whether this run reads all that the table is to hold, so that a target may drop everything else.

        Not for a table with a column `version`, which is the organisation's one row: the SDK's SQL targets can't mark
        deleted rows there, for they bind a parameter of that name.
        """
        return self.replication_method == FULL_TABLE and "version" not in self.schema["properties"]

    def scope_missing(self, granted: Iterable[str]) -> str | None:
        """The scope to ask for when none of the granted ones lets the stream be read; None when one does."""
        return self.xero.scope_missing(granted)

    def named(self, field: str) -> str:
        """A field of Xero's as it is called in this stream's records."""
        return self.shape.named(field)

    @property
    def reads(self) -> tuple[str, ...]:
        """The names of the lists that it has to read."""
        return (self.xero.name,)

    @cached_property
    def followers(self) -> list[XeroStream]:
        """The selected ones among this stream and its nested tables: those who follow what it reads."""
        return [stream for stream in (self, *self.children) if stream.selected] or [self]

    # Reading

    def get_records(self, context: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
        """Read one organisation's list.

        What goes wrong is noted at the tap, which ends with an error after the other streams were read; without
        consent there is nothing left to read, and the error goes up at once.
        """
        if self.ABORT_AT_RECORD_COUNT is not None and not self.selected_by_default:
            return  # `--test` asks for every stream; those that are off by default cost too much
        self.tap.check_stopped()
        organisation = self.tap.organisation((context or {})["tenant_id"])
        if self.is_whole_table and self.config.get("emit_activate_version_messages"):
            self._stream_version = self._initialized_at // 1000
        if not self.tap.may_read(self):
            self.incomplete = True
            return
        reading, chunks = self.tap.read(self, organisation)
        self._unread = None
        failures = len(self.tap.failures)
        progress = Progress(reading)
        for child in self._selected_children:
            child.begin(self._stream_version)
        decode = self._decoder()
        for chunk in self._sound(chunks, organisation):
            for row in chunk.rows:
                try:
                    record, parts = decode(row)
                except Exception as error:  # whatever is wrong with one record, the others are read
                    self._skip(organisation, row, error)
                    continue
                self._current = row
                for child, part in parts:
                    child.write(part, organisation.tenant_id)
                yield record
            if chunk.bookmark is not None:
                self._keep_bookmark(context, chunk.bookmark)
            self.tap.flush()
            progress.tell(len(chunk.rows), chunk.remaining)
        if len(self.tap.failures) > failures:
            return
        self.remember(organisation, reading.passed)
        if progress.rows or not self.tap.has_many:
            progress.done()

    def _sound(self, chunks: Iterator[Chunk], organisation: Organisation) -> Iterator[Chunk]:
        """Give the chunks of a list; what goes wrong while it is read ends the list, and is noted."""
        try:
            yield from chunks
        except (AccessError, ConfigurationProblem):
            raise
        except Exception as error:
            self.tap.check_stopped()
            self.incomplete = True
            self.tap.failed(
                self, organisation, error if isinstance(error, XeroError) else Unforeseen.of(error)
            )

    @property
    def _reader_of_rows(self) -> XeroStream:
        """The stream whose rows these records come from, and whose bookmark waits for them."""
        return self

    def _skip(self, organisation: Organisation, row: Row, error: Exception) -> None:
        """Leave a record out: it is named, and the bookmark stays before it, so that the next run asks for it again."""
        before = row.time - 1 if isinstance(row.time, int) else row.time
        reader = self._reader_of_rows
        reader.incomplete = True
        if before != "" and (reader._unread is None or before < reader._unread):
            reader._unread = before
        self.tap.failed(self, organisation, Unreadable.of(row, error))

    @property
    def _selected_children(self) -> list[NestedTableStream]:
        return [child for child in self.children if child.selected]

    def _decoder(self) -> Callable[[Row], Decoded]:
        """Choose what makes a record of a row, and of its lists the records of nested tables."""
        children = self._selected_children
        undecoded = self.as_it_is and type(self.reader) is RecordReader
        plain = self.reader.undecoded if undecoded else self.reader.record

        def decode(row: Row) -> Decoded:
            if row.fault:
                raise Unreadable(row.fault)
            return plain(row), ()

        def shaped(row: Row) -> Decoded:
            if row.fault:
                raise Unreadable(row.fault)
            record = self.reader.record(row)
            parts = [(child, part) for child in children for part in child.parts(record)]
            return self.shape.record(record), parts

        return shaped if children or not self.shape.is_xeros else decode

    def _generate_schema_messages(self) -> Generator[SchemaMessage, None, None]:
        """Make the SCHEMA messages, without descriptions: those are half the size, and no target needs them."""
        for message in super()._generate_schema_messages():
            yield replace(message, schema=without_descriptions(message.schema))

    # Two steps of the SDK's that would cost as much for each record as decoding it, left out where nothing is to do.

    def _process_record(
        self,
        record: Any,
        child_context: Any = None,  # noqa: ARG002
        partition_context: Any = None,
    ) -> None:
        """Add the organisation; nested tables are handed the record elsewhere."""
        if isinstance(record, dict):
            record.update(partition_context or {})
        else:  # a tree, see `RecordReader.undecoded`
            record.tenant_id = partition_context["tenant_id"]

    @property
    def stream_maps(self) -> list[StreamMap]:
        """The stream maps, of which the first is the stream's own."""
        return self.tap.maps_of(self)

    @cached_property
    def as_it_is(self) -> bool:
        """Whether records go into their messages whole: nothing is mapped, flattened or left out by the catalogue."""
        if self.is_mapped or not all(self.mask.values()):
            return False
        known = self.stream_maps[0].raw_schema["properties"]
        lacking = [name for name in self.schema["properties"] if name not in known]
        if lacking:
            self.logger.warning(
                "The catalogue lacks fields of %s, which are left out: %s. Make a new one with --discover.",
                self.name, ", ".join(lacking),
            )  # fmt: skip
        return not lacking

    @cached_property
    def is_mapped(self) -> bool:
        """Whether stream maps or flattening change the records."""
        maps = self.stream_maps
        return len(maps) != 1 or type(maps[0]) is not SameRecordTransform or maps[0].flattening_enabled

    @cached_property
    def completed(self) -> Completion | None:
        """What gives a record all its fields, where the settings want it: by default with maps or flattening."""
        wanted = self.config.get("complete_records")
        if wanted or (wanted is None and self.is_mapped):
            return completion(self.stream_maps[0].raw_schema, nested=self.is_mapped)
        return None

    @cached_property
    def _finishers(self) -> list[tuple[StreamMap, Finisher]]:
        complete = self.completed is not None
        return [(one, Finisher(one, complete=complete)) for one in self.stream_maps]

    def _generate_record_messages(self, record: dict[str, Any]) -> Generator[RecordMessage, None, None]:
        """Make the messages of a record: one, or with stream maps as many as they make of it.

        A map that fails costs this record only, which is named with the expression.
        """
        now = datetime.now(timezone.utc)
        if self.as_it_is:
            whole = self.completed(record) if self.completed else record
            yield RecordMessage(self.stream_maps[0].stream_alias, whole, self._stream_version, now)
            return
        pop_deselected_record_properties(record, self.schema, self.mask)
        record = self.completed(record) if self.completed else record
        for stream_map, finisher in self._finishers:
            try:
                mapped = stream_map.transform(record)
            except MapProblem as problem:
                self._skip_mapped(record, problem)
                continue
            if mapped is not None:
                version = self._stream_version
                yield RecordMessage(stream_map.stream_alias, finisher.finish(mapped), version, now)

    def _skip_mapped(self, record: Record, problem: MapProblem) -> None:
        """Leave out a record that a stream map fails on."""
        row = self._reader_of_rows._current
        key = tuple(record.get(name) for name in self.primary_keys[1:])
        self._skip(self.tap.organisation(record["tenant_id"]), row._replace(key=key), problem)

    def _increment_stream_state(self, latest_record: dict[str, Any], *, context: Any = None) -> None:
        """Nothing: bookmarks come with chunks, not with records; see `Chunk.bookmark`."""

    def _keep_bookmark(self, context: Any, bookmark: Any) -> None:
        """Let the bookmark stand here, but never beyond a record that could not be read."""
        if self.replication_method != INCREMENTAL:
            return
        if self._unread is not None:
            bookmark = min(bookmark, self._unread)
        for stream in self.followers:
            super(XeroStream, stream)._increment_stream_state(
                {str(self.replication_key): bookmark}, context=context
            )
        self.tap.bookmark_moved()

    def chunks(self, reading: Reading) -> Iterator[Chunk]:
        """Read the list in pieces; may run in a thread of its own, and touches nothing but `reading`."""
        raise NotImplementedError

    def bookmark(self, organisation: Organisation) -> Any:
        """The replication value up to which this organisation has been read; None: read all.

        Nested tables have theirs, too: one that is new has all to read, and the earliest counts.
        """
        if self.replication_method != INCREMENTAL:
            return None
        context = {"tenant_id": organisation.tenant_id}
        states = [stream.get_context_state(context) for stream in self.followers]
        values: list[Any] = [
            state.get("replication_key_value")
            if state.get("replication_key") == self.replication_key
            else None
            for state in states
        ]
        if len(values) == 1 or None in values:
            return values[0] if len(values) == 1 else None
        by_number = self.xero.paging is Paging.OFFSET
        return min(values, key=lambda value: int(value) if by_number else str(value))

    def since(self, organisation: Organisation) -> datetime | None:
        """The moment from which changes are asked for: the bookmark, or without one `start_date`."""
        if self.replication_method != INCREMENTAL:
            return None
        text = self.bookmark(organisation) or self.config.get("start_date")
        return moment_of(text) if text else None

    def border(self, organisation: Organisation) -> Passed:
        """The rows that the last run passed on within the seconds that this one asks for again."""
        border = self._border_state(organisation).get("border") or {}
        bookmark = self.bookmark(organisation)
        if bookmark is None or border.get("at") != bookmark:
            return {}
        return {tuple(key): time for *key, time in border.get("rows", ())}

    def _border_state(self, organisation: Organisation) -> dict[str, Any]:
        return self.followers[0].get_context_state({"tenant_id": organisation.tenant_id})

    def remember(self, organisation: Organisation, passed: Passed) -> None:
        """Keep the border for the next run, now that all of this run's rows are out."""
        if self.replication_method != INCREMENTAL:
            return
        state = self._border_state(organisation)
        if passed and len(passed) <= BORDER and state.get("replication_key_value"):
            rows = [[*key, time] for key, time in passed.items()]
            state["border"] = {"at": state["replication_key_value"], "rows": rows}
        else:
            state.pop("border", None)


class StateInFuture(Exception):
    """A bookmark lies in the future; `now` is Xero's own time."""

    def __init__(self, now: str) -> None:
        super().__init__(now)
        self.now = now


class Reading:
    """One stream's list in one organisation, being read: where it begins, how to ask, and what it has cost."""

    def __init__(self, stream: XeroStream, organisation: Organisation, within: Reading | None = None) -> None:
        self.stream, self.organisation = stream, organisation
        self.within = within
        self.bookmark = None if within else stream.bookmark(organisation)
        self.since = None if within else stream.since(organisation)
        self.passed: Passed = {} if within else stream.border(organisation)
        self.at_once: AtOnce = paging.one_by_one
        self.is_due = False
        """Whether its records are being waited for, so that its calls go before those of later lists."""
        self.in_steps = False
        """Whether each page has to be proved by itself, since what follows it costs a call for each row."""
        self.calls = 0
        self._dated = False
        self.params = dict(stream.xero.params)
        if stream.xero.archived and stream.config.get("include_archived", True):
            self.params["includeArchived"] = "true"

    def chunks(self, at_once: AtOnce = paging.one_by_one) -> Iterator[Chunk]:
        """Read it; `at_once` makes its calls side by side where their order doesn't matter."""
        self.at_once = at_once
        try:
            yield from self.stream.chunks(self)
        except StateInFuture as state:
            self.stream.logger.warning(
                "%s of %s: the bookmark %s lies in the future, Xero's time is %s. Changes are read from now on. Take "
                "the stream out of the state to read all of it.",
                self.stream.name, self.organisation.name, self.bookmark, state.now,
            )  # fmt: skip
            self.bookmark, self.since = state.now, moment_of(state.now)
            yield Chunk([], bookmark=state.now)
            yield from self.stream.chunks(self)

    def of(self, stream: XeroStream) -> Reading:
        """Another list of the same organisation, which this one has to know whole; its calls count as this one's."""
        return Reading(stream, self.organisation, within=self)

    def fetch(self, params: Mapping[str, str] | None, since: datetime | None, *, last: bool = False) -> Page:
        """Ask for the list, or a page of it; see `XeroClient.get` for a `last` call.

        Raises `StateInFuture` when the first answer is older than the bookmark.
        """
        page = self.ask(self.stream.xero.path, {**self.params, **(params or {})}, since, last=last)
        if page.at and not self._dated:
            self._dated = True
            if self.bookmark is not None and self.since and self.since > moment_of(page.at) + paging.SKEW:
                raise StateInFuture(page.at)
        return page

    def ask(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        since: datetime | None = None,
        *,
        last: bool = False,
    ) -> Page:
        """Make a call and find the rows of its answer."""
        reader = self.stream.reader
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
        (self.within or self).calls += 1
        client = self.stream.tap.client
        urgent = (self.within or self).is_due
        return client.get(
            self.organisation.header, path, params=params, modified_since=since, urgent=urgent, **options
        )

    @contextmanager
    def last_calls(self) -> Iterator[Fetch]:
        """Keep some of the day's calls back meanwhile, and give what may make them when no other call may be made."""
        with self.stream.tap.client.kept_back(self.organisation.header, LAST_CALLS):
            yield partial(self.fetch, last=True)


class WholeStream(XeroStream):
    """A list that comes in one answer."""

    def chunks(self, reading: Reading) -> Iterator[Chunk]:
        """Read it with one call, and one more for each record where only the single GET tells all."""
        by_time = self.replication_method == INCREMENTAL
        fetch = self._fetch_once(reading) if self.name in self.tap.shared else reading.fetch
        for chunk in paging.read_whole(fetch, reading.since, reading.passed, by_time=by_time):
            if self.xero.detail:
                yield from each_of(reading, chunk, chunk.rows, partial(self.in_detail, reading))
            else:
                yield chunk

    def _fetch_once(self, reading: Reading) -> Fetch:
        """Make what asks for the list unless another stream of this run has."""

        def fetch(params: Mapping[str, str] | None, since: datetime | None) -> Page:
            asked = frozenset({**reading.params, **(params or {})}.items())
            key = (self.xero.path, reading.organisation.tenant_id, asked, since)
            return self.tap.once(key, lambda: reading.fetch(params, since))

        return fetch

    def in_detail(self, reading: Reading, row: Row) -> Page:
        """Read a record by a call of its own; one that was removed in the meantime is left out."""
        try:
            path = f"{self.xero.path}/{quote(str(row.key[0]))}"
            return joined([reading.ask(path, params) for params in self.tap.detail_params(self.xero)])
        except NotFound:
            return Page([])


def each_of(
    reading: Reading, chunk: Chunk, rows: Sequence[Row], ask: Callable[[Row], Page]
) -> Iterator[Chunk]:
    """Ask each of some rows of a chunk by a call of its own, several at once.

    A bookmark follows each of them, where it may follow the chunk. What is wrong with the answer for one row costs no
    other: a row with the fault takes its place.
    """

    def page(number: int) -> Page:
        row = rows[number]
        try:
            return Page([row]) if row.fault else ask(row)
        except (Refused, UnexpectedAnswer) as error:
            return Page([row._replace(fault=error.what)])
        except (XeroError, OSError, ConfigurationProblem):
            raise
        except Exception as error:
            return Page([row._replace(fault=Unforeseen.of(error).words)])

    for row, answer in zip(rows, reading.at_once(page, range(len(rows))), strict=True):
        bookmark = min(row.time, chunk.bookmark) if row.time and chunk.bookmark else None
        yield Chunk(answer.rows, None, answer.size, proven=False, bookmark=bookmark)
    yield Chunk([], chunk.remaining, proven=chunk.proven, bookmark=chunk.bookmark)


class PagedStream(XeroStream):
    """A list in pages that can be asked for by time."""

    def chunks(self, reading: Reading) -> Iterator[Chunk]:
        """Read it from change to change, in the order of change where the list lets one say so."""
        if self.xero.order:
            reading.params["order"] = self.xero.order
        size = self.config["page_size"] if self.xero.paging is Paging.PAGES else None
        # What is archived leaves a list that doesn't show archived records.
        lasting = not self.xero.archived or "includeArchived" in reading.params
        return paging.read_by_change(
            reading.fetch,
            reading.since,
            reading.passed,
            size,
            reading.at_once,
            lasting=lasting and not reading.in_steps,
            last_calls=reading.last_calls if self.replication_method == INCREMENTAL else None,
        )


class WalkedStream(XeroStream):
    """A list in pages that can't be asked for by time."""

    def chunks(self, reading: Reading) -> Iterator[Chunk]:
        """Read it until it holds still."""
        return paging.read_until_still(reading.fetch)


class NumberedStream(XeroStream):
    """Journals: they never change, and are asked for by number."""

    def since(self, organisation: Organisation) -> None:
        """No moment: without a bookmark journals are read from the first, whatever `start_date` says.

        Their dates don't follow their numbers (recorded from Xero), so a journal can't be found by its date.
        """

    def chunks(self, reading: Reading) -> Iterator[Chunk]:
        """Read what is numbered higher than the bookmark."""
        return paging.read_by_number(reading.fetch, int(reading.bookmark or 0), reading.at_once)


def stream_of(tap: TapXero, xero: XeroObject) -> XeroStream:
    """Make the stream for a row of the registry."""
    if xero.paging is Paging.OFFSET:
        return NumberedStream(tap, xero)
    if xero.paging is Paging.WHOLE:
        return WholeStream(tap, xero)
    return PagedStream(tap, xero) if xero.modified_since else WalkedStream(tap, xero)


def moment_of(text: str) -> datetime:
    """Read a `start_date` or a bookmark: a day or a moment, in UTC unless it names a zone; or ValueError."""
    import pendulum

    found: Any = pendulum.parse(text, tz="UTC")
    if not isinstance(found, datetime):
        msg = f"no moment: {text!r}"
        raise ValueError(msg)  # noqa: TRY004 - the text is wrong, not its type
    return found


class Progress:
    """Tells how far a list is read: rows, calls, what is left of the day, and the time it will take."""

    EVERY = 10.0
    """Seconds between two lines."""

    def __init__(self, reading: Reading, clock: Callable[[], float] = time.monotonic) -> None:
        self.reading, self.clock = reading, clock
        self.rows = 0
        self.started = self.told = clock()

    def tell(self, rows: int, remaining: int | None) -> None:
        """Count rows that were passed on; log a line if the last one is long ago."""
        self.rows += rows
        now = self.clock()
        if now - self.told < self.EVERY or remaining == 0:  # the last line says the same
            return
        self.told = now
        to_do, to_go = "", ""
        if remaining:
            import pendulum

            seconds = (now - self.started) * remaining / max(self.rows, 1)
            to_do = f" of {self.rows + remaining:,}"
            to_go = f", about {pendulum.duration(seconds=int(seconds)).in_words()} to go"
        self._log(f"{self.rows:,}{to_do} rows{to_go}")

    def done(self) -> None:
        """Log the last line."""
        self._log(f"{self.rows:,} row{'' if self.rows == 1 else 's'}")

    def _log(self, text: str) -> None:
        stream, organisation, calls = self.reading.stream, self.reading.organisation, self.reading.calls
        usage = stream.tap.client.usage(organisation.header)
        left = "" if usage.day_left is None else f", {usage.day_left:,} left today"
        cost = f"{calls} call{'' if calls == 1 else 's'}{left}"
        stream.logger.info("%s of %s: %s (%s)", stream.name, organisation.name, text, cost)
