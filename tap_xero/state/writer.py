"""The state of many organisations, at a cost that grows with them and not with their square.

The SDK walks through all partitions to find one, and writes the state of all streams whenever one of them ends. With a
bookmark for each of 3,000 organisations in each of 15 streams that would be minutes of searching and hundreds of
megabytes of STATE.
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
"""Seconds after which a moved bookmark is told of at the latest."""

MANY = 1024 * 1024
"""Bytes of other messages after which one is."""

SHORT = 64 * 1024
"""Bytes up to which a STATE is written whenever the SDK has one; ten organisations need less."""

_encode = msgspec.json.Encoder().encode


class OrganisationStates(StreamStateManager):
    """Keeps the state of a stream as the SDK does, and finds an organisation's part of it at once."""

    _parts: list[dict[str, Any]] | None = None

    def get_context_state(self, context: Mapping[str, Any] | None) -> dict[str, Any]:
        """The state of an organisation, to read and to write; a blank one is made where there is none."""
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
    """Parts by organisation; None where there are two, which the SDK has words for."""
    found: dict[str, dict[str, Any] | None] = {}
    for part in parts:
        if part["context"].keys() == {"tenant_id"}:
            tenant_id = part["context"]["tenant_id"]
            found[tenant_id] = None if tenant_id in found else part
    return found


class _State(StateMessage):
    """A STATE that is written as it is; the SDK's own copies every part of it first."""

    def to_dict(self) -> dict[str, Any]:
        return {"type": "STATE", "value": self.value}


class SparingStateWriter(StateWriter):
    """Writes a STATE when it has changed, and a long one only after as many bytes of other messages, and at the end.

    So all STATEs together are never much longer than the records, and a run that is killed outright has at most the
    records of one STATE's length to pass on again. Parts that remember nothing, as those of full tables do, are left
    out.
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
        """Write a state, now or at the latest at the end."""
        self._waiting = state
        if len(self._last) <= SHORT or self._written() - self._last_at >= len(self._last):
            self.finish()

    def bookmark_moved(self, state: Mapping[str, Any]) -> None:
        """Write a state in the middle of a list, if the last moved bookmark is some time or many messages ago.

        A STATE that the SDK wrote in between does not count: it has the bookmark from before.
        """
        self._waiting = state
        many = max(MANY, 10 * len(self._last))
        if self._clock() - self._told >= OFTEN or self._written() - self._moved_at >= many:
            self.write_state(state)
            self._moved_at = self._written()

    def finish(self) -> None:
        """Write what hasn't been written yet."""
        if self._waiting is None:
            return
        state, self._waiting = _remembering(self._waiting), None
        text = _encode(state)
        self._told = self._clock()
        self._unchanged = text == self._last
        if not self._unchanged:
            self._write(state, text)

    def end(self, state: Mapping[str, Any]) -> None:
        """End the run with a STATE, unless nothing came after the last one.

        Some targets forget a STATE when a RECORD follows it, and keep the last one that none follows.
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
    """A state without the parts that hold nothing but the name of their organisation."""
    bookmarks = {
        stream: {**kept, "partitions": [part for part in kept["partitions"] if part.keys() != {"context"}]}
        if "partitions" in kept
        else kept
        for stream, kept in state.get("bookmarks", {}).items()
    }
    return {**state, "bookmarks": bookmarks}
