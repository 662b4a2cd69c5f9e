"""How the records of a stream become messages."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from datetime import datetime, timezone
from functools import cached_property
from typing import Any

from singer_sdk.contrib.msgspec import encoder
from singer_sdk.mapper import StreamMap
from singer_sdk.singerlib import RecordMessage

from tap_xero.message_writer import RecordsWriter
from tap_xero.records.reader import Record, RecordReader
from tap_xero.records.stream_maps import Completion, Finisher, MapProblem, completion
from tap_xero.sdk import EncodedRecords
from tap_xero.streams.described import DescribedStream

ENCODED_AT_ONCE = 64 * 1024
"""Bytes of RECORD messages that go through the SDK's loop together."""


class RecordEncoder:
    """Encodes RECORD messages of one stream from trees; see `RecordReader.undecoded`.

    `completed` gives a tree all its fields, if the settings ask for it.
    """

    def __init__(self, stream: str, version: int | None, completed: Completion | None) -> None:
        self._begin = encoder.encode({"type": "RECORD", "stream": stream})[:-1] + b',"record":'
        self._version = b"" if version is None else b',"version":%d' % version
        self._completed = completed
        self._end = b""
        self._records = EncodedRecords(bytearray(), 0)

    def add(self, tree: Any) -> bool:
        """Encode a record. Returns whether the block is full and should be taken.

        A record that can't be encoded leaves the block as it was. `time_extracted` is that of the block's first record.
        """
        records = self._records
        lines = records.lines
        if not records.count:
            now = encoder.encode(datetime.now(timezone.utc))
            self._end = self._version + b',"time_extracted":' + now + b"}\n"
        if self._completed:
            tree = self._completed(tree)
        before = len(lines)
        try:
            lines += self._begin
            encoder.encode_into(tree, lines, -1)
            lines += self._end
        except BaseException:
            del lines[before:]
            raise
        records.count += 1
        return len(lines) >= ENCODED_AT_ONCE

    def take(self) -> Sequence[EncodedRecords]:
        """Return the messages since the last call, if there are any, and begin a new block."""
        records = self._records
        if not records.count:
            return ()
        self._records = EncodedRecords(bytearray(), 0)
        return (records,)


class MessageStream(DescribedStream):
    """A stream that maps, completes and writes its records."""

    def skip_mapped(self, record: Record, problem: MapProblem) -> None:
        """Leave out a record for which a stream map fails."""
        raise NotImplementedError

    def tag(self, record: Any, context: Mapping[str, Any]) -> None:
        """Add the organisation to a record."""
        record.update(context)

    @property
    def stream_maps(self) -> list[StreamMap]:
        """The stream maps, of which the first is the stream's own."""
        return self.tap.maps_of(self)

    @cached_property
    def as_it_is(self) -> bool:
        """Whether records are emitted unchanged: nothing is mapped, flattened or deselected."""
        if self.is_mapped or not all(self.mask.values()):
            return False
        known = self.stream_maps[0].raw_schema["properties"]
        lacking = [name for name in self.schema["properties"] if name not in known]
        if lacking:
            self.logger.warning(
                "The catalog lacks fields of %s, which are left out: %s. Make a new one with --discover.",
                self.name, ", ".join(lacking),
            )  # fmt: skip
        return not lacking

    @cached_property
    def is_mapped(self) -> bool:
        """Whether stream maps or flattening change the records."""
        return self.changes_records(self.stream_maps)

    @cached_property
    def completed(self) -> Completion | None:
        """What gives a record all its fields, if the settings ask for it; by default with maps or flattening."""
        wanted = self.run.settings.complete_records
        if wanted or (wanted is None and self.is_mapped):
            return completion(self.stream_maps[0].raw_schema, nested=self.is_mapped)
        return None

    @cached_property
    def _finishers(self) -> list[tuple[StreamMap, Finisher]]:
        complete = self.completed is not None
        return [(one, Finisher(one, complete=complete)) for one in self.stream_maps]

    @property
    def encodes_records(self) -> bool:
        """Whether records can be encoded without being decoded first; see `RecordReader.undecoded`."""
        whole = self.as_it_is and self.projection.keeps_values and type(self.reader) is RecordReader
        return whole and isinstance(self.tap.message_writer, RecordsWriter)

    def encoder(self) -> RecordEncoder:
        """Make what encodes the messages of this stream's records."""
        return RecordEncoder(self.stream_maps[0].stream_alias, self.version, self.completed)

    def messages_of(self, record: Any) -> Generator[RecordMessage, None, None]:
        """Make the messages of a record: as many as the stream maps make from it.

        If a map fails, only this record is left out and reported with the expression.
        """
        now = datetime.now(timezone.utc)
        record = self.deselected_removed(record)
        record = self.completed(record) if self.completed else record
        for stream_map, finisher in self._finishers:
            try:
                mapped = stream_map.transform(record)
            except MapProblem as problem:
                self.skip_mapped(record, problem)
                continue
            if mapped is not None:
                version = self.version
                yield RecordMessage(stream_map.stream_alias, finisher.finish(mapped), version, now)
