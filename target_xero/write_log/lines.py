"""The line items of a document as the log of writes stores them: Xero's ids, the source's ids and what was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from target_xero.content.json_text import encode

#: Begins the source's id of a line, and each of its fingerprints, in the logs of earlier versions.
_SOURCE, _PRINT = ";=", ";"
#: The fields of a document that say what was written of its lines.
WRITTEN = ("LineAmountTypes", "LineItems")
_NONE = msgspec.Raw(b"null")


class LoggedLines(msgspec.Struct, omit_defaults=True):
    """The lines of a document in the order in which they were sent.

    Attributes:
        ids: Xero's ids of the lines.
        sources: the source's ids of the lines; None for a line that has none of its own.
        written: the `LineItems` that were written, and their `LineAmountTypes`; empty if they are unknown.
        prints: of a log of an earlier version, a fingerprint of each field of each line, as `field=fingerprint`.
    """

    ids: Sequence[str]
    sources: Sequence[str | None] = ()
    written: Mapping[str, Any] = {}
    prints: list[list[str]] = []

    @classmethod
    def of(cls, stored: bytes | None) -> LoggedLines:
        """Read what the log stores, also that of an earlier version; no lines if there is nothing."""
        if not stored:
            return cls([])
        if stored.startswith(b"{"):
            return _decode(stored)
        lines = [line.partition(_SOURCE) for line in stored.decode().split(",")]
        prints = [line.split(_PRINT) for line, _, _ in lines]
        sources = [source or None for _, _, source in lines]
        return cls([one[0] for one in prints], sources, prints=[one[1:] for one in prints])

    @property
    def by_source(self) -> dict[str, str]:
        """Xero's ids of the lines by those of the source."""
        return {source: one for one, source in zip(self.ids, self.sources, strict=False) if source}


_decode = msgspec.json.Decoder(LoggedLines, float_hook=Decimal).decode


def noted(ids: Sequence[str], written: Mapping[str, Any] | None, sources: Sequence[str | None] = ()) -> bytes:
    """Return lines as the log stores them.

    `written` are the fields `WRITTEN` of what was written, None if that is unknown. `sources` are the source's ids.
    """
    own: Sequence[str | None] = ()
    if any(sources):
        own = [None if source == one else source for one, source in zip(ids, sources, strict=False)]
    return encode(LoggedLines(ids, own, written or {}))


def as_json(stored: bytes | None) -> msgspec.Raw:
    """Return stored lines as JSON; those of an earlier version are a text."""
    if stored is None:
        return _NONE
    return msgspec.Raw(stored if stored.startswith(b"{") else encode(stored.decode()))


def as_text(json: msgspec.Raw) -> str | None:
    """Return the text of a column from the JSON of lines."""
    text = str(json, "utf-8")
    found: str | None = text if text.startswith("{") else msgspec.json.decode(text)
    return found
