"""Singer messages to stdout: in blocks, in order, and never half a line.

The SDK's writers flush every record, which costs as much as encoding it. Here lines are gathered and written when there
is a block of them, when anything but a record comes (so a STATE is never held back), and at the end.
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
        """Bytes of all messages so far."""
        return self._gone + len(self._block)

    def write_message(self, message: Any) -> None:
        """Take a message; what isn't a record goes out at once, with all before it."""
        if self._writing:
            # A signal's handler wants to write a STATE while a block is on its way: there is no place for it within
            # a line, and the next run only reads a little more without it.
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
        """Write what has been gathered. If it is interrupted, the rest goes out all the same: whole lines only."""
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
            except OSError:  # stdout has been replaced, by tests for one, with something that is no file
                sys.stdout.buffer.write(out)
                return
            while out:
                try:
                    out = out[os.write(descriptor, out) :]
                except BrokenPipeError:
                    raise
                except OSError as error:
                    # What is still gathered has no place to go, and half a line must not be followed by another.
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
