"""A stream: one list of Xero's, read from each organisation in turn."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from functools import cached_property
from typing import Any, Protocol

import msgspec
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import StreamMap
from singer_sdk.singerlib import Catalog, Metadata, RecordMessage

from singer_xero.api.dates import moment_of
from singer_xero.api.errors import AccessError, XeroError
from singer_xero.errors import ConfigurationProblem
from singer_xero.objects import Paging, XeroObject
from singer_xero.organisations import Organisation
from tap_xero.failures import Failure, Unforeseen, Unreadable
from tap_xero.reads.list_read import ListRead
from tap_xero.reads.paging import Chunk, Passed
from tap_xero.records.projection import Projection
from tap_xero.records.reader import Record, RecordReader, Row
from tap_xero.records.stream_maps import Completion, Finisher, MapProblem, completion
from tap_xero.run import Run
from tap_xero.sdk import SdkStream, SdkTap
from tap_xero.state.writer import OrganisationStates
from tap_xero.streams.progress import Progress

INCREMENTAL, FULL_TABLE = "INCREMENTAL", "FULL_TABLE"

BORDER = 200
"""How many rows at the border of a run the state remembers; more are simply passed on twice."""


class Follower(Protocol):
    """A stream that is fed by the records of another one."""

    name: str

    @property
    def selected(self) -> bool:
        """Whether it is read."""

    def get_context_state(self, context: Any) -> dict[str, Any]:
        """Its part of the state for an organisation."""

    def move_bookmark(self, bookmark: Any, context: Any) -> None:
        """Let its bookmark stand here."""

    def begin(self, version: int | None) -> None:
        """Get ready for the records; `version` is that of a whole table."""

    def records_in(self, record: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The records of this stream in a record, by Xero's names, of the other one."""

    def write(self, record: dict[str, Any], tenant_id: str) -> None:
        """Write one of them."""


Decoded = tuple[Record, Sequence[tuple[Follower, Record]]]
"""A record, and the records of nested tables that lie in it."""


class XeroStream(SdkStream):
    """A list of Xero's, read from each organisation in turn; each has its own bookmark."""

    # Records leave the reader in the shape of their schema, so that the SDK needn't walk them again.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    STATE_MANAGER = OrganisationStates

    def __init__(self, tap: SdkTap, run: Run, xero: XeroObject) -> None:
        self.tap, self.run, self.xero = tap, run, xero
        self.selected_by_default = xero.selected or xero.name in run.opened
        self.projection = Projection(xero, tap.config)
        super().__init__(tap, schema=self.projection.schema(), name=xero.name)
        self.primary_keys = ("tenant_id", *map(self.named, xero.key))
        self.cursor = self.named(xero.cursor) if xero.cursor else None
        self.replication_key = self.cursor if xero.incremental else None
        self.nested: list[Follower] = []
        self.reader = self.make_reader()
        self.projection.warn = self.reader.tell_once
        self.incomplete = False
        self._unread: Any = None
        self._current = Row((), "", msgspec.Raw(b"null"))

    def make_reader(self) -> RecordReader:
        """Make what reads the answers."""
        return RecordReader(self.xero, self.logger, keep=self.projection.keeps)

    # What Singer sees

    @property
    def is_open(self) -> bool:
        """Whether it may be read: what costs many calls is opened by the setting `detail_streams` only."""
        return not self.xero.costly or self.name in self.run.opened

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
        self.select(value)

    @property
    def metadata(self) -> Any:
        """The catalogue's metadata; says of streams that are read whole by default whether they can be incremental."""
        cursor = self.cursor
        if not self.has_metadata and cursor and self.xero.can_be_incremental:
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
        return [{"tenant_id": organisation.tenant_id} for organisation in self.run.organisations]

    @property
    def is_sorted(self) -> bool:
        """Bookmarks move with the rows, so that a run that was killed goes on where it was."""
        return True

    @property
    def check_sorted(self) -> bool:
        """Rows come in order, but the first may be a second older than the bookmark."""
        return False

    @property
    def logs_start(self) -> bool:
        """Whether to log where the reading of each organisation begins: not where that would bury all other lines."""
        return not self.run.has_many

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
        if self.version is not None:
            if self.selected and not self.incomplete:
                self.activate(self.version)
            self.version = None
        super().finalize_state_progress_markers(state)

    @property
    def is_whole_table(self) -> bool:
        """Whether this run reads all that the table is to hold, so that a target may drop everything else.

        Not for a table with a column `version`, which is the organisation's one row: the SDK's SQL targets can't mark
        deleted rows there, for they bind a parameter of that name.
        """
        return self.replication_method == FULL_TABLE and "version" not in self.schema["properties"]

    def named(self, field: str) -> str:
        """A field of Xero's as it is called in this stream's records."""
        return self.projection.named(field)

    @property
    def reads(self) -> tuple[str, ...]:
        """The names of the lists that it has to read."""
        return (self.xero.name,)

    @cached_property
    def fed(self) -> list[XeroStream | Follower]:
        """The selected streams that this read feeds: itself and its nested tables."""
        streams: list[XeroStream | Follower] = [self, *self.nested]
        return [stream for stream in streams if stream.selected] or [self]

    # Reading

    def get_records(self, context: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
        """Read one organisation's list.

        What goes wrong is noted at the tap, which ends with an error after the other streams were read; without
        consent there is nothing left to read, and the error goes up at once.
        """
        if self.ABORT_AT_RECORD_COUNT is not None and not self.selected_by_default:
            return  # `--test` asks for every stream; those that are off by default cost too much
        self.run.check_stopped()
        organisation = self.run.organisation_of[(context or {})["tenant_id"]]
        if self.is_whole_table and self.run.settings.emit_activate_version_messages:
            self.version = self.new_version
        if not self.run.may_read(self.xero):
            self.incomplete = True
            return
        # `--test` wants one record of each stream and not a call more.
        begun = self.run.begun(self.name, organisation) if self.ABORT_AT_RECORD_COUNT is None else None
        read, chunks = begun or self._read_now(organisation)
        self._unread = None
        failures = len(self.run.failures)
        progress = Progress(read)
        for table in self._selected_tables:
            table.begin(self.version)
        decode = self._decoder()
        for chunk in self._sound(chunks, organisation):
            for row in chunk.rows:
                try:
                    record, parts = decode(row)
                except Exception as error:  # whatever is wrong with one record, the others are read
                    self._skip(organisation, row, error)
                    continue
                self._current = row
                for table, part in parts:
                    table.write(part, organisation.tenant_id)
                yield record
            if chunk.bookmark is not None:
                self._keep_bookmark(context, chunk.bookmark)
            self.run.flush()
            progress.tell(len(chunk.rows), chunk.remaining)
        if len(self.run.failures) > failures:
            return
        self.remember(organisation, read.passed)
        if progress.rows or not self.run.has_many:
            progress.done()

    def _sound(self, chunks: Iterator[Chunk], organisation: Organisation) -> Iterator[Chunk]:
        """Give the chunks of a list; what goes wrong while it is read ends the list, and is noted."""
        try:
            yield from chunks
        except (AccessError, ConfigurationProblem):
            raise
        except Exception as error:
            self.run.check_stopped()
            self.incomplete = True
            self.failed(organisation, error if isinstance(error, XeroError) else Unforeseen.of(error))

    def failed(self, organisation: Organisation, error: XeroError) -> None:
        """Note what went wrong, for the run to go on with what can be read."""
        if self.ABORT_AT_RECORD_COUNT is not None:  # `--test`: the first failure is the answer
            raise error
        self.run.failures.note(Failure(self.name, organisation, error))

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
        self.failed(organisation, Unreadable.of(row, error))

    @property
    def _selected_tables(self) -> list[Follower]:
        return [table for table in self.nested if table.selected]

    def _decoder(self) -> Callable[[Row], Decoded]:
        """Choose what makes a record of a row, and of its lists the records of nested tables."""
        tables = self._selected_tables
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
            parts = [(table, part) for table in tables for part in table.records_in(record)]
            return self.projection.record(record), parts

        return shaped if tables or not self.projection.is_xeros else decode

    # Messages

    def tag(self, record: Any, context: Mapping[str, Any]) -> None:
        """Add the organisation to a record."""
        if isinstance(record, dict):
            record.update(context)
        else:  # a tree, see `RecordReader.undecoded`
            record.tenant_id = context["tenant_id"]

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
        return self.changes_records(self.stream_maps)

    @cached_property
    def completed(self) -> Completion | None:
        """What gives a record all its fields, where the settings want it: by default with maps or flattening."""
        wanted = self.run.settings.complete_records
        if wanted or (wanted is None and self.is_mapped):
            return completion(self.stream_maps[0].raw_schema, nested=self.is_mapped)
        return None

    @cached_property
    def _finishers(self) -> list[tuple[StreamMap, Finisher]]:
        complete = self.completed is not None
        return [(one, Finisher(one, complete=complete)) for one in self.stream_maps]

    def messages_of(self, record: Any) -> Generator[RecordMessage, None, None]:
        """Make the messages of a record: one, or with stream maps as many as they make of it.

        A map that fails costs this record only, which is named with the expression.
        """
        now = datetime.now(timezone.utc)
        if self.as_it_is:
            whole = self.completed(record) if self.completed else record
            yield RecordMessage(self.stream_maps[0].stream_alias, whole, self.version, now)
            return
        record = self.deselected_removed(record)
        record = self.completed(record) if self.completed else record
        for stream_map, finisher in self._finishers:
            try:
                mapped = stream_map.transform(record)
            except MapProblem as problem:
                self._skip_mapped(record, problem)
                continue
            if mapped is not None:
                version = self.version
                yield RecordMessage(stream_map.stream_alias, finisher.finish(mapped), version, now)

    def _skip_mapped(self, record: Record, problem: MapProblem) -> None:
        """Leave out a record that a stream map fails on."""
        row = self._reader_of_rows._current
        key = tuple(record.get(name) for name in self.primary_keys[1:])
        self._skip(self.run.organisation_of[record["tenant_id"]], row._replace(key=key), problem)

    # Bookmarks

    def _keep_bookmark(self, context: Any, bookmark: Any) -> None:
        """Let the bookmark stand here, but never beyond a record that could not be read."""
        if self.replication_method != INCREMENTAL:
            return
        if self._unread is not None:
            bookmark = min(bookmark, self._unread)
        for stream in self.fed:
            stream.move_bookmark(bookmark, context)
        self.run.bookmark_moved()

    def bookmark(self, organisation: Organisation) -> Any:
        """The replication value up to which this organisation has been read; None: read all.

        Nested tables have theirs, too: one that is new has all to read, and the earliest counts.
        """
        if self.replication_method != INCREMENTAL:
            return None
        context = {"tenant_id": organisation.tenant_id}
        states = [stream.get_context_state(context) for stream in self.fed]
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
        # The dates of journals don't follow their numbers (recorded from Xero): none can be found by its date.
        if self.replication_method != INCREMENTAL or self.xero.paging is Paging.OFFSET:
            return None
        text = self.bookmark(organisation) or self.run.settings.start_date
        return moment_of(text) if text else None

    def border(self, organisation: Organisation) -> Passed:
        """The rows that the last run passed on within the seconds that this one asks for again."""
        border = self._border_state(organisation).get("border") or {}
        bookmark = self.bookmark(organisation)
        if bookmark is None or border.get("at") != bookmark:
            return {}
        return {tuple(key): time for *key, time in border.get("rows", ())}

    def _border_state(self, organisation: Organisation) -> dict[str, Any]:
        return self.fed[0].get_context_state({"tenant_id": organisation.tenant_id})

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

    def _read_now(self, organisation: Organisation) -> tuple[ListRead, Iterator[Chunk]]:
        read = self.list_read(organisation)
        return read, read.chunks()

    def list_read(self, organisation: Organisation) -> ListRead:
        """Make the read of an organisation's list, from its bookmark on."""
        return ListRead(self.run.source, organisation, self.xero, self.reader, **self.beginning(organisation))

    def beginning(self, organisation: Organisation) -> dict[str, Any]:
        """Where a read of an organisation's list begins, as `ListRead` takes it."""
        return {
            "incremental": self.replication_method == INCREMENTAL,
            "bookmark": self.bookmark(organisation),
            "since": self.since(organisation),
            "passed": self.border(organisation),
        }
