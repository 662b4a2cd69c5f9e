"""The body of an answer as it arrives: decompressed, counted, and refused when it takes too much memory.

Other readers take a gzip stream that ends early for a complete one, and a short one can become gigabytes.
"""

from __future__ import annotations

import io
import threading
from contextlib import ExitStack
from dataclasses import dataclass

from singer_xero.api.errors import TooSlow, Unavailable
from singer_xero.api.http import deflate

PIECE = 64 << 10
"""Bytes that are read, or unpacked, at a time: few enough for the allocator to use the same memory again."""

# Larger answers are read one after the other, so that memory holds one of them at a time.
_LARGE = 32 << 20
# In a longer JSON text, values are counted before it is decoded: they take more memory than their text.
_COUNTED = 2 << 20
_VALUE, _OBJECT = 64, 300
# No JSON text of this many bytes can have more: an object takes two brackets.
_MOST_PER_BYTE = 150


class Broken(Exception):
    """No complete answer came.

    `sent` is False only if the request certainly never left. `hopeless` means that a retry would fail as well. `advice`
    says what to do; None if waiting may help.
    """

    def __init__(
        self, reason: str, advice: str | None = None, *, sent: bool = False, hopeless: bool = False
    ) -> None:
        super().__init__(reason)
        self.sent = sent
        self.hopeless = hopeless
        self.advice = advice

    @classmethod
    def damaged(cls, reason: str, *, hopeless: bool = False) -> Broken:
        """Make it for an answer that is incomplete or not what was requested."""
        advice = "Run again. If it persists, something in between, such as a proxy, changes Xero's answers."
        return cls(reason, advice, sent=True, hopeless=hopeless)

    def failure(self, call: str) -> Unavailable:
        """The error of the call."""
        return Unavailable(str(self), call=call, sent=self.sent, advice=self.advice)


class Late(Broken):
    """The answer was not complete at the end of the deadline."""

    def failure(self, call: str) -> TooSlow:
        """The error of the call."""
        return TooSlow(str(self), call=call, sent=self.sent)


@dataclass(frozen=True)
class Bounds:
    """The limits of one exchange: `seconds` in total, and `megabytes` of memory for its answer."""

    seconds: float = 300.0
    megabytes: int = 512


BOUNDS = Bounds()


class Room:
    """Counts the memory of one answer; raises Broken beyond `megabytes`.

    A large answer holds the lock `large`, so that others wait for it; `closing` releases it.
    """

    def __init__(self, megabytes: int, host: str, large: threading.Lock, closing: ExitStack) -> None:
        self._limit = megabytes * 1_000_000
        self._host = host
        self._large = large
        self._closing = closing
        self._is_large = False
        self._taken = 0

    def take(self, size: int) -> None:
        """Count bytes."""
        self._taken += size
        self._check(self._taken)
        if self._taken > _LARGE and not self._is_large:
            self._is_large = True
            self._closing.enter_context(self._large)

    def check_values(self, content: bytes) -> None:
        """Estimate the memory of the decoded values of a JSON text."""
        if self._taken + _MOST_PER_BYTE * len(content) <= self._limit:
            return
        if len(content) > _COUNTED and content[:64].lstrip()[:1] in {b"{", b"["}:
            values = content.count(b",") + content.count(b"[")
            self._check(self._taken + _VALUE * values + _OBJECT * content.count(b"{"))

    def _check(self, size: int) -> None:
        if size > self._limit:
            raise Broken(
                f"the answer from {self._host} takes more than {self._limit // 1_000_000} MB of memory",
                "Lower page_size, or raise the setting max_response_mb.",
                sent=True,
                hopeless=True,
            )


class Body:
    """A body as it arrives and its decompressed content; `encoding` is its Content-Encoding."""

    def __init__(self, encoding: str, room: Room) -> None:
        self._encoding = encoding.lower().strip()
        self._room = room
        self._raw = io.BytesIO()
        self._content = io.BytesIO()
        self._unpacker = deflate.gzip_decompressor() if self._encoding in {"gzip", "x-gzip"} else None
        self.received = 0

    def take(self, piece: bytes) -> None:
        """Add the next bytes."""
        self.received += len(piece)
        self._room.take(len(piece))
        self._raw.write(piece)
        unpacker = self._unpacker
        if not unpacker:
            return
        try:
            full = True
            while full and not unpacker.eof:
                content = unpacker.decompress(piece, PIECE)
                self._room.take(len(content))
                self._content.write(content)
                piece = unpacker.unconsumed_tail
                full = bool(piece) or len(content) == PIECE
        except deflate.ERRORS as error:
            raise Broken.damaged(f"the answer can't be decompressed: {error}") from None

    def end(self) -> tuple[bytes, bytes | None]:
        """The content, and the compressed body if there is one."""
        raw = self._raw.getvalue()
        if not raw or self._encoding in {"", "identity"}:
            return raw, None
        if not self._unpacker:
            raise Broken.damaged(
                f"the answer is compressed as {self._encoding!r}, which was not requested", hopeless=True
            )
        if not self._unpacker.eof:
            raise Broken.damaged(f"the answer was cut off: its gzip stream ends after {len(raw)} bytes")
        return self._content.getvalue(), raw
