"""How the records of a stream become messages."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from datetime import datetime, timezone
from functools import cached_property
from typing import Any

from singer_sdk.mapper import StreamMap
from singer_sdk.singerlib import RecordMessage

from tap_xero.records.reader import Record
from tap_xero.records.stream_maps import Completion, Finisher, MapProblem, completion
from tap_xero.streams.described import DescribedStream


class MessageStream(DescribedStream):
    """A stream whose records are mapped, completed and written."""

    def skip_mapped(self, record: Record, problem: MapProblem) -> None:
        """Leave out a record that a stream map fails on."""
        raise NotImplementedError

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
        """Whether records go into their messages whole: nothing is mapped, flattened or left out by the catalog."""
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
        """What gives a record all its fields, where the settings want it: by default with maps or flattening."""
        wanted = self.run.settings.complete_records
        if wanted or (wanted is None and self.is_mapped):
            return completion(self.stream_maps[0].raw_schema, nested=self.is_mapped)
        return None

    @cached_property
    def _finishers(self) -> list[tuple[StreamMap, Finisher]]:
        complete = self.completed is not None
        return [(one, Finisher(one, complete=complete)) for one in self.stream_maps]

    @cached_property
    def _whole(self) -> RecordMessage | None:
        """The message that carries one record after another; None where records don't go into it as they are."""
        return RecordMessage(self.stream_maps[0].stream_alias, {}) if self.as_it_is else None

    def message_of(self, record: Any) -> RecordMessage | None:
        """The message of a record that goes into it whole. It is the same object for all: it is written at once."""
        message = self._whole
        if message is not None:
            message.record = self.completed(record) if self.completed else record
            message.version = self.version
            message.time_extracted = datetime.now(timezone.utc)
        return message

    def messages_of(self, record: Any) -> Generator[RecordMessage, None, None]:
        """Make the messages of a record that is mapped, flattened or cut: as many as the stream maps make of it.

        A map that fails costs this record only, which is named with the expression.
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
