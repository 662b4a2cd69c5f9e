"""The state of many organisations, at a cost that grows linearly with their number.

The SDK searches all partitions to find one, and writes the state of all streams whenever one of them ends. With 3,000
organisations and 15 streams that would be minutes of searching and hundreds of megabytes of STATE.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from singer_sdk.singerlib import StateMessage

from tap_xero.message_writer import BlockWriter
from tap_xero.sdk import StateWriter, StreamStateManager

OFTEN = 10.0
"""Seconds after which a moved bookmark is written at the latest."""

MANY = 1024 * 1024
"""Bytes of other messages after which a moved bookmark is written."""

SHORT = 64 * 1024
"""The size up to which each STATE of the SDK is written; ten organisations need less."""

_encode = msgspec.json.Encoder().encode


class OrganisationStates(StreamStateManager):
    """The state of a stream, as in the SDK, with an index by organisation."""

    _parts: list[dict[str, Any]] | None = None

    def get_context_state(self, context: Mapping[str, Any] | None) -> dict[str, Any]:
        """The writable state of an organisation, which is created if necessary."""
        if context is None or context.keys() != {"tenant_id"}:
            return super().get_context_state(context)
        tenant_id, parts = context["tenant_id"], self.stream_state.setdefault("partitions", [])
        if parts is not self._parts:  # the first time, or another state has been loaded
            self._parts, self._by_tenant = parts, _by_tenant(parts)
        if tenant_id not in self._by_tenant:
            self._by_tenant[tenant_id] = {"context": dict(context)}
            parts.append(self._by_tenant[tenant_id])
        found = self._by_tenant[tenant_id]
        return super().get_context_state(context) if found is None else found


def _by_tenant(parts: list[dict[str, Any]]) -> dict[str, dict[str, Any] | None]:
    """Parts by organisation; None for duplicates, which the SDK reports."""
    found: dict[str, dict[str, Any] | None] = {}
    for part in parts:
        if part["context"].keys() == {"tenant_id"}:
            tenant_id = part["context"]["tenant_id"]
            found[tenant_id] = None if tenant_id in found else part
    return found


class _State(StateMessage):
    """A STATE message that is written without the SDK's copy of each part."""

    def to_dict(self) -> dict[str, Any]:
        return {"type": "STATE", "value": self.value}


class SparingStateWriter(StateWriter):
    """Writes a STATE if it has changed, and a long one only after as many bytes of other messages, and at the end.

    All STATEs together are therefore not much longer than the records, and a killed run repeats at most as many bytes
    of records as a STATE has. Parts without content, such as those of full tables, are left out.
    """

    def __init__(self, writer: Any, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(writer)
        self._writer = writer
        self._clock = clock
        self._last = b""
        self._last_at = 0
        self._told = clock()
        self._moved_at = 0
        self._waiting: Mapping[str, Any] | None = None
        self._unchanged = False

    def write_state(self, state: Mapping[str, Any]) -> None:
        """Write a state, now or later."""
        self._waiting = state
        if len(self._last) <= SHORT or self._written() - self._last_at >= len(self._last):
            self.finish()

    def bookmark_moved(self, state: Mapping[str, Any]) -> None:
        """Write a state in the middle of a list, if the last one is long ago in time or messages.

        A STATE that the SDK wrote in between does not count, since it has the earlier bookmark.
        """
        self._waiting = state
        many = max(MANY, 10 * len(self._last))
        if self._clock() - self._told >= OFTEN or self._written() - self._moved_at >= many:
            self.write_state(state)
            self._moved_at = self._written()

    def finish(self) -> None:
        """Write the state that waits."""
        if self._waiting is None:
            return
        state, self._waiting = _remembering(self._waiting), None
        text = _encode(state)
        self._told = self._clock()
        self._unchanged = text == self._last
        if not self._unchanged:
            self._write(state, text)

    def end(self, state: Mapping[str, Any]) -> None:
        """End the run with a STATE, unless the last one was the last message.

        Some targets forget a STATE that a RECORD follows.
        """
        self._waiting = None
        state = _remembering(state)
        text = _encode(state)
        taken = self._writer.taken if isinstance(self._writer, BlockWriter) else None
        followed = self._unchanged if taken is None else taken > self._last_at
        if text != self._last or followed:
            self._write(state, text)

    def _write(self, state: Mapping[str, Any], text: bytes) -> None:
        self._writer.write_message(_State(dict(state)))
        self._last, self._last_at, self._unchanged = text, self._written(), False

    def _written(self) -> int:
        # Of other writers, such as a test's, it isn't known how much they have written: they get every STATE.
        return (
            self._writer.taken if isinstance(self._writer, BlockWriter) else self._last_at + len(self._last)
        )


def _remembering(state: Mapping[str, Any]) -> dict[str, Any]:
    """A state without the parts that have only the name of their organisation."""
    bookmarks = {
        stream: {**kept, "partitions": [part for part in kept["partitions"] if part.keys() != {"context"}]}
        if "partitions" in kept
        else kept
        for stream, kept in state.get("bookmarks", {}).items()
    }
    return {**state, "bookmarks": bookmarks}
