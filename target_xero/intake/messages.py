"""Reads the messages of the input, line by line."""

from __future__ import annotations

import io
import sys
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any

import msgspec

from singer_xero.errors import InputProblem
from target_xero.content.json_text import decode, decode_exactly
from target_xero.intake.intake import StreamReader
from target_xero.sdk_seam import SeamReader

_NOTHING = "an empty line"
#: Bytes that are read at a time, as many as a pipe holds. Python's standard input reads 8 KB, a few records.
_PIECE = 1 << 16


class _Record(msgspec.Struct, gc=False):
    type: str
    stream: str
    record: msgspec.Raw


class _Input(io.RawIOBase):
    """The bytes of an input that is open, and stays open."""

    def __init__(self, source: io.BufferedIOBase) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int:
        """Read what there is, at most once."""
        return self._source.readinto1(room)


def _lines_of(source: IO[str]) -> Iterable[bytes | str]:
    """Return the lines of an input, as bytes if it has them."""
    content = getattr(source, "buffer", source)
    return io.BufferedReader(_Input(content), _PIECE) if isinstance(content, io.BufferedIOBase) else content


class MessageReader(SeamReader):
    """Reads Singer messages. An error for an invalid line has its number, and never its content.

    `takers` take in the records of unmapped streams from their JSON, and `taken` counts them. The SDK handles other
    messages.
    """

    def __init__(self) -> None:
        super().__init__()
        self.number = 0
        self.line = b""
        self.takers: dict[str, StreamReader] = {}
        self.taken: Counter[str] = Counter()

    @property
    def default_input(self) -> IO[str]:
        """Standard input."""
        return sys.stdin

    def process_lines(
        self, file_input: IO[str] | None, callbacks: dict[str, Callable[[dict[str, Any]], None]]
    ) -> Counter[str]:
        """Read all lines, as bytes if the input has them; returns the number of messages by type."""
        source = file_input or self.default_input
        counts: Counter[str] = Counter()
        read = msgspec.json.Decoder(_Record).decode
        # Records of a stream mostly follow each other.
        stream, likely = "", None
        for line in _lines_of(source):
            line = line if isinstance(line, bytes) else line.encode()
            if not self.number:
                line = line.removeprefix(BOM_UTF8)
            self.number += 1
            self.line = line
            if likely and likely.take_line(line):
                self.taken[stream] += 1
                continue
            try:
                message = read(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                message = None
            likely = None
            if message and message.type == "RECORD":
                taker = self.takers.get(message.stream)
                if taker and taker.take(message.record, line):
                    likely = taker if message.stream == stream else None
                    stream = message.stream
                    self.taken[stream] += 1
                    continue
            decoded = self.deserialize_json(line)
            callback = callbacks.get(decoded["type"], self.unknown_message)
            try:
                callback(decoded)
            except RecursionError:
                raise self.invalid("is nested too deeply") from None
            counts[decoded["type"]] += 1
        counts["RECORD"] += sum(self.taken.values())
        return counts

    def deserialize_json(self, line: str | bytes) -> dict[str, Any]:
        """Decode one line with exact numbers."""
        if not line.strip():
            return {"type": _NOTHING}
        try:
            message = decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self.invalid(f"is not JSON: {error}") from None
        if not isinstance(message, dict) or "type" not in message:
            raise self.invalid("is not a Singer message: it has no type")
        if not isinstance(message["type"], str):
            raise self.invalid("is not a Singer message: its type is not text")
        if message["type"] != "RECORD":
            try:
                # A state must be passed on as it came.
                decode_exactly(line)
            except ArithmeticError:
                raise self.invalid("has a number that is too large") from None
        return message

    def invalid(self, what: str, kind: type[InputProblem] = InputProblem) -> InputProblem:
        """Return the error for the line that was read last; it does not show the message."""
        return kind(f"Line {self.number} of the input {what}.")

    def unknown_message(self, message: Mapping[str, Any]) -> None:
        """Raise `InputProblem` for a type that Singer does not have."""
        if message["type"] != _NOTHING:
            raise self.invalid(f"has the unknown type {str(message['type'])[:40]!r}")
