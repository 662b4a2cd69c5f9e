"""A stream: one list of Xero's, read from each organisation in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from singer_xero.api.dates import moment_of
from singer_xero.api.errors import AccessError, XeroError
from singer_xero.errors import ConfigurationProblem
from singer_xero.objects import Paging, XeroObject
from singer_xero.organisations import Organisation
from tap_xero.failures import Failure, Unforeseen, Unreadable
from tap_xero.reads.list_read import ListRead
from tap_xero.reads.paging import Chunk, Passed
from tap_xero.records.reader import Record, Row
from tap_xero.records.stream_maps import MapProblem
from tap_xero.run import Run
from tap_xero.sdk import SdkTap
from tap_xero.streams.described import INCREMENTAL
from tap_xero.streams.messages import MessageStream, RecordEncoder
from tap_xero.streams.progress import Progress

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


class XeroStream(MessageStream):
    """A list of Xero's, read from each organisation in turn; each has its own bookmark."""

    def __init__(self, tap: SdkTap, run: Run, xero: XeroObject) -> None:
        super().__init__(tap, run, xero)
        self.nested: list[Follower] = []
        self._unread: Any = None
        self._current = Row((), "", msgspec.Raw(b"null"))

    @cached_property
    def fed(self) -> list[XeroStream | Follower]:
        """The selected streams that this read feeds: itself and its nested tables."""
        streams: list[XeroStream | Follower] = [self, *self.nested]
        return [stream for stream in streams if stream.selected] or [self]

    def get_records(self, context: Mapping[str, Any] | None) -> Iterator[Any]:
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
        records_of = self._records_of(organisation)
        for chunk in self._sound(chunks, organisation):
            yield from records_of(chunk)
            if chunk.bookmark is not None:
                self._keep_bookmark(context, chunk.bookmark)
            self.run.flush()
            progress.tell(len(chunk.rows), chunk.remaining)
        if len(self.run.failures) > failures:
            return
        self.remember(organisation, read.passed)
        if progress.rows or not self.run.has_many:
            progress.done()

    def _records_of(self, organisation: Organisation) -> Callable[[Chunk], Iterator[Any]]:
        """Choose how the rows of an organisation's chunks become records for the SDK."""
        decode = self._decoder()
        if self._selected_tables or not self.encodes_records or self.ABORT_AT_RECORD_COUNT is not None:
            return lambda chunk: self._decoded(chunk.rows, decode, organisation)
        encoder = self.encoder(organisation.tenant_id)
        return lambda chunk: self._encoded(chunk.rows, encoder, decode, organisation)

    def _decoded(
        self, rows: Iterable[Row], decode: Callable[[Row], Decoded], organisation: Organisation
    ) -> Iterator[Record]:
        """Decode rows, and write their nested tables."""
        for row in rows:
            try:
                record, parts = decode(row)
            except Exception as error:  # whatever is wrong with one record, the others are read
                self._skip(organisation, row, error)
                continue
            self._current = row
            for table, part in parts:
                table.write(part, organisation.tenant_id)
            yield record

    def _encoded(
        self,
        rows: Iterable[Row],
        encoder: RecordEncoder,
        decode: Callable[[Row], Decoded],
        organisation: Organisation,
    ) -> Iterator[Any]:
        """Encode the rows that fit their schema, and decode the others."""
        undecoded = self.reader.undecoded
        for row in rows:
            if not row.checked:
                yield from encoder.take()
                yield from self._decoded([row], decode, organisation)
                continue
            try:
                is_full = encoder.add(undecoded(row))
            except Exception as error:
                self._skip(organisation, row, error)
                continue
            if is_full:
                yield from encoder.take()
        yield from encoder.take()

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

        def decode(row: Row) -> Decoded:
            if row.fault:
                raise Unreadable(row.fault)
            return self.reader.record(row), ()

        def shaped(row: Row) -> Decoded:
            if row.fault:
                raise Unreadable(row.fault)
            record = self.reader.record(row)
            parts = [(table, part) for table in tables for part in table.records_in(record)]
            return self.projection.record(record), parts

        return shaped if tables or not self.projection.is_xeros else decode

    def skip_mapped(self, record: Record, problem: MapProblem) -> None:
        """Leave out a record that a stream map fails on."""
        row = self._reader_of_rows._current
        key = tuple(record.get(name) for name in self.primary_keys[1:])
        self._skip(self.run.organisation_of[record["tenant_id"]], replace(row, key=key), problem)

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
