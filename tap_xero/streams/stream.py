"""A stream: one list of Xero's, read from one organisation after another."""

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
from tap_xero.records.reshape import record_reshape
from tap_xero.records.stream_maps import MapProblem
from tap_xero.run import Run
from tap_xero.sdk import EncodedRecords, SdkTap
from tap_xero.streams.described import INCREMENTAL
from tap_xero.streams.messages import MessageStream, RecordEncoder
from tap_xero.streams.progress import Progress

BORDER = 200
"""The most rows in the second of a bookmark that the state has; if there are more, the next run emits them again."""


class Follower(Protocol):
    """A stream whose records come from the records of another one."""

    name: str

    @property
    def selected(self) -> bool:
        """Whether it is read."""

    def get_context_state(self, context: Any) -> dict[str, Any]:
        """Its part of the state for an organisation."""

    def move_bookmark(self, bookmark: Any, context: Any) -> None:
        """Set its bookmark."""

    def begin(self, version: int | None) -> None:
        """Prepare for the records; `version` is the version of a full table."""

    def records_in(self, record: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the records of this stream that are in a record of the other stream."""

    def write(self, record: dict[str, Any], tenant_id: str) -> None:
        """Write one of them."""

    def records_in_tree(self, tree: Any, tenant_id: str) -> list[Any]:
        """The same as `records_in` from a tree, as trees."""

    @property
    def encodes_records(self) -> bool:
        """Whether its records can be encoded from trees."""

    def encoder(self) -> RecordEncoder:
        """Make what encodes them."""

    def write_encoded(self, blocks: Iterable[EncodedRecords]) -> None:
        """Write encoded records."""


Decoded = tuple[Record, Sequence[tuple[Follower, Record]]]
"""A record, and its records of nested tables."""


class XeroStream(MessageStream):
    """A list of Xero's, read from one organisation after another. Each organisation has a bookmark."""

    def __init__(self, tap: SdkTap, run: Run, xero: XeroObject) -> None:
        super().__init__(tap, run, xero)
        self.nested: list[Follower] = []
        self._unread: Any = None
        self._current = Row((), "", msgspec.Raw(b"null"))

    @cached_property
    def fed(self) -> list[XeroStream | Follower]:
        """The selected streams whose records this read has: the stream itself and its nested tables."""
        streams: list[XeroStream | Follower] = [self, *self.nested]
        return [stream for stream in streams if stream.selected] or [self]

    def get_records(self, context: Mapping[str, Any] | None) -> Iterator[Any]:
        """Read one organisation's list.

        Errors are kept in the run, which ends with exit code 1 after it has read the other streams. An error of
        access is raised at once, since no other stream can be read either.
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
        if self.ABORT_AT_RECORD_COUNT is not None or not all(stream.encodes_records for stream in self.fed):
            return lambda chunk: self._decoded(chunk.rows, decode, organisation)
        encoder = RowEncoder(self, self._selected_tables, organisation.tenant_id)
        return lambda chunk: self._encoded(chunk.rows, encoder, decode, organisation)

    def _decoded(
        self, rows: Iterable[Row], decode: Callable[[Row], Decoded], organisation: Organisation
    ) -> Iterator[Record]:
        """Decode rows, and write their nested tables."""
        for row in rows:
            try:
                record, parts = decode(row)
            except Exception as error:  # one unreadable record must not cost the others
                self._skip(organisation, row, error)
                continue
            self._current = row
            for table, part in parts:
                table.write(part, organisation.tenant_id)
            yield record

    def _encoded(
        self,
        rows: Iterable[Row],
        encoder: RowEncoder,
        decode: Callable[[Row], Decoded],
        organisation: Organisation,
    ) -> Iterator[Any]:
        """Encode the rows that fit their schema, and decode the others."""
        for row in rows:
            if not row.checked:
                yield from encoder.take()
                yield from self._decoded([row], decode, organisation)
                continue
            try:
                is_full = encoder.add(row)
            except Exception as error:
                self._skip(organisation, row, error)
                continue
            if is_full:  # writing is no matter of one record: its errors end the run
                yield from encoder.take()
        yield from encoder.take()

    def _sound(self, chunks: Iterator[Chunk], organisation: Organisation) -> Iterator[Chunk]:
        """Yield the chunks of a list. An error ends the list and is kept as a failure of the run."""
        try:
            yield from chunks
        except (AccessError, ConfigurationProblem):
            raise
        except Exception as error:
            self.run.check_stopped()
            self.incomplete = True
            self.failed(organisation, error if isinstance(error, XeroError) else Unforeseen.of(error))

    def failed(self, organisation: Organisation, error: XeroError) -> None:
        """Keep a failure, so that the run goes on with what can be read."""
        if self.ABORT_AT_RECORD_COUNT is not None:  # `--test`: the first failure is the answer
            raise error
        self.run.failures.note(Failure(self.name, organisation, error))

    @property
    def _reader_of_rows(self) -> XeroStream:
        """The stream that reads these records, and has the bookmark for them."""
        return self

    def _skip(self, organisation: Organisation, row: Row, error: Exception) -> None:
        """Leave a record out and report it. The bookmark stays before it, so that the next run reads it again."""
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
        """Choose how a row becomes a record and its records of nested tables."""
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
        """Leave out a record for which a stream map fails."""
        row = self._reader_of_rows._current
        key = tuple(record.get(name) for name in self.primary_keys[1:])
        self._skip(self.run.organisation_of[record["tenant_id"]], replace(row, key=key), problem)

    # Bookmarks

    def _keep_bookmark(self, context: Any, bookmark: Any) -> None:
        """Set the bookmark, but never beyond a record that could not be read."""
        if self.replication_method != INCREMENTAL:
            return
        if self._unread is not None:
            bookmark = min(bookmark, self._unread)
        for stream in self.fed:
            stream.move_bookmark(bookmark, context)
        self.run.bookmark_moved()

    def bookmark(self, organisation: Organisation) -> Any:
        """The replication value up to which this organisation was read; None to read everything.

        Nested tables have bookmarks, too. The earliest one counts, and a new table needs everything.
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
        """The time from which changes are requested: the bookmark, or `start_date` without one."""
        # The dates of journals don't follow their numbers (recorded from Xero), so no journal can be found by date.
        if self.replication_method != INCREMENTAL or self.xero.paging is Paging.OFFSET:
            return None
        text = self.bookmark(organisation) or self.run.settings.start_date
        return moment_of(text) if text else None

    def border(self, organisation: Organisation) -> Passed:
        """The rows that the last run emitted within the seconds that this run requests again."""
        border = self._border_state(organisation).get("border") or {}
        bookmark = self.bookmark(organisation)
        if bookmark is None or border.get("at") != bookmark:
            return {}
        return {tuple(key): time for *key, time in border.get("rows", ())}

    def _border_state(self, organisation: Organisation) -> dict[str, Any]:
        return self.fed[0].get_context_state({"tenant_id": organisation.tenant_id})

    def remember(self, organisation: Organisation, passed: Passed) -> None:
        """Keep the rows at the bookmark for the next run, after all rows of this run are emitted."""
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
        """Make the read of an organisation's list, starting at its bookmark."""
        return ListRead(self.run.source, organisation, self.xero, self.reader, **self.beginning(organisation))

    def beginning(self, organisation: Organisation) -> dict[str, Any]:
        """Where a read of an organisation's list begins, as arguments of `ListRead`."""
        return {
            "incremental": self.replication_method == INCREMENTAL,
            "bookmark": self.bookmark(organisation),
            "since": self.since(organisation),
            "passed": self.border(organisation),
        }


class RowEncoder:
    """Encodes the rows of one organisation, for a stream and those of its nested tables that are selected."""

    def __init__(self, stream: XeroStream, tables: Sequence[Follower], tenant_id: str) -> None:
        self._tenant_id = tenant_id
        self._undecoded = stream.reader.undecoded
        self._reshape = record_reshape(stream.projection, in_order=stream.completed is not None)
        self._own = stream.encoder() if stream.selected else None
        self._tables = [(table, table.encoder()) for table in tables]

    def add(self, row: Row) -> bool:
        """Encode a row that fits its schema. Returns whether a block is full and should be taken."""
        tenant_id, is_full = self._tenant_id, False
        tree = self._undecoded(row)
        found = [(encoder, table.records_in_tree(tree, tenant_id)) for table, encoder in self._tables]
        if self._reshape:
            tree = self._reshape(tree, tenant_id)
        else:
            tree.tenant_id = tenant_id
        for encoder, records in found:
            for record in records:
                is_full |= encoder.add(record)
        return bool(self._own and self._own.add(tree)) or is_full

    def take(self) -> Sequence[EncodedRecords]:
        """Write the records of nested tables so far, and return those of the stream."""
        for table, encoder in self._tables:
            table.write_encoded(encoder.take())
        return self._own.take() if self._own else ()
