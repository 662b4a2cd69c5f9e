"""The body of an answer as it comes in: unpacked, counted, and ended when it takes too much memory.

A gzip stream that ends early is otherwise taken for a whole one, and a small one may become gigabytes.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from singer_xero.api.errors import TooSlow, Unavailable
from singer_xero.api.http import deflate

if TYPE_CHECKING:
    import threading
    from contextlib import ExitStack

    from singer_xero.api.http.connection_faults import Fault

PIECE = 64 << 10
"""Bytes that are read, or unpacked, in one go: few enough for the allocator to use the same memory again."""

# Answers beyond this are read one after the other, so that several large ones are not in memory at once.
_LARGE = 32 << 20
# Beyond this the values of a JSON text are counted before any is made: they take more than their text does.
_COUNTED = 2 << 20
_VALUE, _OBJECT = 64, 300
# No JSON text of this many bytes can have more: an object takes two brackets.
_MOST_PER_BYTE = 150


class Broken(Exception):
    """No whole answer came.

    `sent` is False only if the request surely never left; `hopeless` if it would be the same again; `advice` is what
    to do, None where waiting may help.
    """

    def __init__(self, reason: str, *, sent: bool, hopeless: bool = False, advice: str | None = None) -> None:
        super().__init__(reason)
        self.sent = sent
        self.hopeless = hopeless
        self.advice = advice

    @classmethod
    def by(cls, fault: Fault) -> Broken:
        """Made from what the libraries said."""
        return cls(fault.reason, sent=fault.sent, hopeless=fault.lasts, advice=fault.advice)

    @classmethod
    def damaged(cls, reason: str, *, hopeless: bool = False) -> Broken:
        """An answer came that isn't whole, or isn't what was asked for."""
        advice = "Run again. If it persists, something in between, such as a proxy, changes Xero's answers."
        return cls(reason, sent=True, hopeless=hopeless, advice=advice)

    def failure(self, call: str) -> Unavailable:
        """The error of the call that it was for."""
        return Unavailable(str(self), call=call, sent=self.sent, advice=self.advice)


class Late(Broken):
    """The answer was not there in full at the end of the deadline."""

    def failure(self, call: str) -> TooSlow:
        """The error of the call that it was for."""
        return TooSlow(str(self), call=call, sent=self.sent)


@dataclass(frozen=True)
class Bounds:
    """What one exchange may take: `seconds` in all, and `megabytes` of memory for its answer."""

    seconds: float = 300.0
    megabytes: int = 512


BOUNDS = Bounds()


class Room:
    """Counts the memory of one answer; Broken when it is more than `megabytes`.

    Of several answers that grow large at once, all but one wait for `large`, which `closing` gives back.
    """

    def __init__(self, megabytes: int, host: str, large: threading.Lock, closing: ExitStack) -> None:
        self._limit = megabytes * 1_000_000
        self._host = host
        self._large = large
        self._closing = closing
        self._is_large = False
        self._taken = 0

    def take(self, size: int) -> None:
        """So many bytes more."""
        self._taken += size
        self._check(self._taken)
        if self._taken > _LARGE and not self._is_large:
            self._is_large = True
            self._closing.enter_context(self._large)

    def check_values(self, content: bytes) -> None:
        """Estimate what the values of a JSON text take once they are read."""
        if self._taken + _MOST_PER_BYTE * len(content) <= self._limit:
            return
        if len(content) > _COUNTED and content[:64].lstrip()[:1] in {b"{", b"["}:
            values = content.count(b",") + content.count(b"[")
            self._check(self._taken + _VALUE * values + _OBJECT * content.count(b"{"))

    def _check(self, size: int) -> None:
        if size > self._limit:
            raise Broken(
                f"the answer from {self._host} takes more than {self._limit // 1_000_000} MB of memory",
                sent=True,
                hopeless=True,
                advice="Lower page_size, or raise the setting max_response_mb.",
            )


class Body:
    """A body as it comes, and what it is unpacked; `encoding` is its Content-Encoding."""

    def __init__(self, encoding: str, room: Room) -> None:
        self._encoding = encoding.lower().strip()
        self._room = room
        self._raw = io.BytesIO()
        self._content = io.BytesIO()
        self._unpacker = deflate.gzip_decompressor() if self._encoding in {"gzip", "x-gzip"} else None
        self.received = 0

    def take(self, piece: bytes) -> None:
        """The next bytes of it."""
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
        """The content, and the body as it came if it was packed. BytesIO gives away its bytes without copying them."""
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
