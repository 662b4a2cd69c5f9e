"""Writes Singer messages to stdout in blocks, in order, and never half a line.

The SDK's writers flush after each record, which costs as much as encoding it. This one writes when a block is full,
when a message other than a RECORD comes (so that a STATE is never delayed), and at the end.
"""

from __future__ import annotations

import atexit
import os
import sys
from typing import Any, Protocol, runtime_checkable

from singer_sdk.contrib.msgspec import MsgSpecWriter, encoder
from singer_sdk.singerlib import RecordMessage

from singer_xero.errors import ConfigurationProblem

BLOCK = 64 * 1024


@runtime_checkable
class RecordsWriter(Protocol):
    """A writer that also takes RECORD messages that are encoded already."""

    def write_records(self, lines: bytearray) -> None:
        """Write RECORD messages, each with its line break."""


class BlockWriter(MsgSpecWriter):
    """Writes to stdout from the one thread that runs the streams."""

    def __init__(self) -> None:
        self._block = bytearray()
        self._gone = 0
        self._writing = False
        self._is_broken = False
        atexit.register(self.flush)

    @property
    def taken(self) -> int:
        """The bytes of all messages so far."""
        return self._gone + len(self._block)

    def write_message(self, message: Any) -> None:
        """Take a message. A message other than a RECORD is written at once, after all messages before it."""
        if self._writing:
            # A signal handler writes a STATE while a block is being written. It must not end up within a line;
            # without it, the next run only reads a little more.
            return
        encoder.encode_into(message.to_dict(), self._block, -1)
        self._block += b"\n"
        if len(self._block) >= BLOCK or not isinstance(message, RecordMessage):
            self.flush()

    def write_records(self, lines: bytearray) -> None:
        """Write RECORD messages that are encoded already, each with its line break."""
        if len(lines) < BLOCK:
            self._block += lines
        else:  # a block of its own, which is not copied
            self.flush()
            self._block = lines
        if len(self._block) >= BLOCK:
            self.flush()

    def flush(self) -> None:
        """Write the gathered lines. If it is interrupted, it still writes the rest, so that no line is cut."""
        if not self._block or self._writing or self._is_broken:
            return
        block, self._block = self._block, bytearray()
        self._gone += len(block)
        self._writing = True
        out = memoryview(block)
        try:
            sys.stdout.flush()
            try:
                descriptor = sys.stdout.fileno()
            except OSError:  # stdout was replaced, by tests for example, with something that is not a file
                sys.stdout.buffer.write(out)
                return
            while out:
                try:
                    out = out[os.write(descriptor, out) :]
                except BrokenPipeError:
                    raise
                except OSError as error:
                    # Nothing may be written after half a line.
                    self._is_broken = True
                    raise ConfigurationProblem(
                        f"The messages can't be written to stdout: {error.strerror}."
                    ) from None
                except BaseException:
                    while out:
                        out = out[os.write(descriptor, out) :]
                    raise
        finally:
            self._writing = False
