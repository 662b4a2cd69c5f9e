"""The sink of one stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from target_xero.intake.stream_names import StreamTarget
from target_xero.sdk_seam import SeamSink, SeamTarget
from target_xero.summary import Summary


class Taker(Protocol):
    """What a sink needs from the target."""

    summary: Summary

    def object_of(self, stream: str) -> StreamTarget | None:
        """Return what a stream is written to, or None if it is ignored."""

    def take(
        self, found: StreamTarget, record: Mapping[str, Any], keys: Sequence[str], columns: Sequence[str]
    ) -> None:
        """Take in a record."""


class XeroSink(SeamSink):
    """Passes the records of one stream to the target."""

    def __init__(
        self,
        target: SeamTarget,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
    ) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        self._taker = cast("Taker", target)
        self._object = self._taker.object_of(stream_name)
        self._columns = tuple(schema.get("properties") or ())

    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:  # noqa: ARG002
        """Take a record in, or count it if its stream is ignored."""
        if self._object is None:
            self._taker.summary.of(self.stream_name).skipped += 1
        else:
            self._taker.take(self._object, record, self.key_properties, self._columns)
