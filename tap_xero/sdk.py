"""Every private name of the Singer SDK that the tap uses, and why.

The SDK makes no promise for these names, so no other module uses them. `PRIVATE` says what the tap does with each name
and what would go wrong if the SDK renamed it. A test checks that they exist and have the expected signatures.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, replace
from types import FrameType, MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from singer_sdk import Stream, Tap
from singer_sdk.helpers._catalog import get_selected_schema, pop_deselected_record_properties
from singer_sdk.helpers._state import StateWriter
from singer_sdk.mapper import SameRecordTransform, StreamMap
from singer_sdk.metrics import Counter
from singer_sdk.singerlib import RecordMessage, SchemaMessage
from singer_sdk.streams._state import StreamStateManager

from singer_xero.plugin import XeroPlugin
from tap_xero.records.projection import changed_schema, without_description

if TYPE_CHECKING:
    from tap_xero.message_writer import RecordsWriter

__all__ = [
    "EncodedRecords",
    "SdkStream",
    "SdkTap",
    "StateWriter",
    "StreamStateManager",
    "get_selected_schema",
]

PRIVATE: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "singer_sdk.streams.core.Stream": {
            "_process_record": "adds tenant_id; without it records lose their organisation",
            "_generate_record_messages": "maps, flattens and completes records; without it they stay as Xero has them",
            "_generate_schema_messages": "leaves descriptions out; without it SCHEMA messages double",
            "_increment_stream_state": "moves bookmarks with chunks; without it they pass rows that were never read",
            "_write_activate_version_message": "comes after the last row; without it a broken run empties the table",
            "_write_schema_message": "comes before a nested table's records; without it the stream is unknown",
            "_write_record_message": "writes encoded records, and those of nested tables; without it they are lost",
            "_write_starting_replication_value": "logs each organisation; without it nothing else is seen in the log",
        },
        "singer_sdk.tap_base.Tap": {
            "_handle_termination": "ends a run on a signal; without it the state of the list at hand is lost",
            "_reset_state_progress_markers": "begins a run; without it the markers of a broken run stay",
            "_set_compatible_replication_methods": "begins a run; without it parents and children may not fit",
        },
        "singer_sdk.helpers._catalog": {
            "get_selected_schema": "makes the schema of what is selected; without it no map can be made",
            "pop_deselected_record_properties": "takes deselected fields out; without it they reach the target",
        },
        "singer_sdk.helpers._state": {
            "StateWriter": "is replaced by a writer whose cost doesn't grow with the square of the organisations",
        },
        "singer_sdk.streams._state": {
            "StreamStateManager": "is replaced by one that finds an organisation's part at once",
        },
    }
)
"""Functions and classes, by the class or module that has them."""

PRIVATE_ATTRIBUTES: Mapping[str, str] = MappingProxyType(
    {
        "_stream_version": "goes into RECORD and ACTIVATE_VERSION messages of whole tables",
        "_initialized_at": "is that version",
        "_metadata": "is None until the SDK has made the metadata, to which key and cursor are added once",
        "_mask": "is what is selected; kept up to date where a test or a catalog changes it",
        "_state_manager": "is replaced by one that finds organisations at once",
        "_tap_state": "is the state that it manages",
        "_state_writer": "is replaced by one that writes what has changed",
    }
)
"""Attributes of streams and taps."""


@dataclass
class EncodedRecords:
    """Encoded RECORD messages: their lines, and how many they are.

    A stream may yield them in place of a record. The SDK's loop takes a fifth of the time of a record; with these it
    runs once for several hundred records.
    """

    lines: bytearray
    count: int


class SdkStream(Stream):
    """A stream that gives public names to the SDK's private steps."""

    _counter: Counter | None = None

    STATE_MANAGER: type[StreamStateManager] = StreamStateManager

    # For subclasses to define

    def tag(self, record: Any, context: Mapping[str, Any]) -> None:
        """Add the values of the SDK's context to a record."""
        raise NotImplementedError

    def messages_of(self, record: Any) -> Generator[RecordMessage, None, None]:
        """Make the RECORD messages of a record."""
        raise NotImplementedError

    def passed_on(self, record: Mapping[str, Any]) -> None:
        """Called for each record that was written, except those of `EncodedRecords`."""

    @property
    def logs_start(self) -> bool:
        """Whether to log where the reading of each organisation begins."""
        return True

    # For subclasses to use

    @property
    def version(self) -> int | None:
        """The version of a full table in this run; None if it has no version."""
        return self._stream_version

    @version.setter
    def version(self, version: int | None) -> None:
        self._stream_version = version

    @property
    def new_version(self) -> int:
        """The version of a table that is read in full in this run: the second in which the run began."""
        return self._initialized_at // 1000

    def activate(self, version: int) -> None:
        """Tell the target to remove all records of other versions."""
        self._write_activate_version_message(version)

    def write_schema(self) -> None:
        """Write the SCHEMA messages now."""
        self._write_schema_message()

    def write_record(self, record: dict[str, Any]) -> None:
        """Write a record outside the SDK's loop."""
        self._write_record_message(record)

    def write_encoded(self, blocks: Iterable[EncodedRecords]) -> None:
        """Write encoded records outside the SDK's loop."""
        for block in blocks:
            cast("RecordsWriter", self._tap.message_writer).write_records(block.lines)
            self.state_manager.is_flushed = False

    def move_bookmark(self, bookmark: Any, context: Any) -> None:
        """Set the bookmark of an organisation."""
        super()._increment_stream_state({str(self.replication_key): bookmark}, context=context)

    def deselected_removed(self, record: dict[str, Any]) -> dict[str, Any]:
        """Remove the deselected fields from a record, and return it."""
        pop_deselected_record_properties(record, self.schema, self.mask)
        return record

    @staticmethod
    def changes_records(maps: list[StreamMap]) -> bool:
        """Whether stream maps or flattening change records."""
        return len(maps) != 1 or type(maps[0]) is not SameRecordTransform or maps[0].flattening_enabled

    def select(self, value: bool | None) -> None:
        """Select the stream, or deselect it."""
        self.metadata.root.selected = value
        self._mask = self.metadata.resolve_selection()

    @property
    def has_metadata(self) -> bool:
        """Whether the SDK has made the metadata already."""
        return self._metadata is not None

    @property
    def state_manager(self) -> StreamStateManager:
        """Keeps the bookmarks."""
        if not isinstance(self._state_manager, self.STATE_MANAGER):
            self._state_manager = self.STATE_MANAGER(
                tap_name=self.tap_name,
                stream_name=self.name,
                tap_state=self._tap_state,
                is_sorted=self.is_sorted,
                check_sorted=self.check_sorted,
            )
        return self._state_manager

    # The SDK's private steps

    def get_record_counter(self, **options: Any) -> Counter:
        """Keep the SDK's counter of records, to add those of `EncodedRecords`."""
        self._counter = super().get_record_counter(**options)
        return self._counter

    def _process_record(
        self,
        record: Any,
        child_context: Any = None,  # noqa: ARG002
        partition_context: Any = None,
    ) -> None:
        if type(record) is not EncodedRecords:
            self.tag(record, partition_context or {})

    def _generate_schema_messages(self) -> Generator[SchemaMessage, None, None]:
        # Descriptions are half of a schema, and no target needs them.
        for message in super()._generate_schema_messages():
            yield replace(message, schema=changed_schema(message.schema, without_description))

    def _generate_record_messages(self, record: dict[str, Any]) -> Generator[RecordMessage, None, None]:
        yield from self.messages_of(record)

    def _write_record_message(self, record: Any) -> None:
        if type(record) is not EncodedRecords:
            super()._write_record_message(record)
            return
        self.write_encoded([record])
        if self._counter:
            self._counter.increment(record.count - 1)

    def _increment_stream_state(self, latest_record: Any, *, context: Any = None) -> None:  # noqa: ARG002
        # Bookmarks come with chunks, not with records; see `Chunk.bookmark`.
        if type(latest_record) is not EncodedRecords:
            self.passed_on(latest_record)

    def _write_starting_replication_value(self, context: Any) -> None:
        if self.logs_start:
            super()._write_starting_replication_value(context)


class SdkTap(XeroPlugin, Tap):
    """A tap that gives public names to the SDK's private steps."""

    def use_state_writer(self, writer: StateWriter) -> None:
        """Write all STATE messages through this writer."""
        self._state_writer = writer

    def begin(self) -> None:
        """Begin a run as the SDK does."""
        self._reset_state_progress_markers()
        self._set_compatible_replication_methods()

    def stop(self, signum: int) -> bool:
        """End soon. Returns False if nothing is being read, to end at once."""
        raise NotImplementedError

    def maps_of(self, stream: Stream) -> list[StreamMap]:
        """The stream maps of a stream."""
        raise NotImplementedError

    def set_up_maps(self) -> None:
        """Make the mapper, without the maps of all streams that `Tap` adds to it."""
        super(Tap, self).setup_mapper()

    def change_maps(self, maps: Mapping[str, Any]) -> None:
        """Replace the setting of the stream maps."""
        self._config["stream_maps"] = maps

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        if self.stop(signum):
            return
        try:
            super()._handle_termination(signum, frame)
        finally:
            sys.exit(128 + signum)
