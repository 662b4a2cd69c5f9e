"""The line items of a document as the log of writes stores them, in one text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from target_xero.content.payload import encode

#: Begins the source's id of a line, and its fingerprints, in the logs of earlier versions.
_SOURCE, _PRINT = ";=", ";"


class LoggedLines(msgspec.Struct, omit_defaults=True):
    """The lines of a document in the order in which they were sent.

    Attributes:
        ids: Xero's ids of the lines.
        sources: the source's ids of the lines; None for a line that has none of its own.
        types: the `LineAmountTypes` of the document, if they were written.
        names: the names of fields that lines have, each combination once.
        rows: what was written of each line: the place of its names, and its values. None if that is unknown.
        prints: of a log of an earlier version, a fingerprint of each field of each line, as `field=fingerprint`.
    """

    ids: Sequence[str]
    sources: Sequence[str | None] = ()
    types: str | None = None
    names: Sequence[Sequence[str]] = ()
    rows: list[list[Any]] | None = None
    prints: list[list[str]] = []

    @classmethod
    def of(cls, text: str | None) -> LoggedLines:
        """Read the text of the log, also of an earlier version; no lines if there is none."""
        if not text:
            return cls([])
        if text.startswith("{"):
            return _decode(text)
        lines = [line.partition(_SOURCE) for line in text.split(",")]
        prints = [line.split(_PRINT) for line, _, _ in lines]
        sources = [source or None for _, _, source in lines]
        return cls([one[0] for one in prints], sources, prints=[one[1:] for one in prints])

    @property
    def written(self) -> list[dict[str, Any]]:
        """What was written of the lines; empty if that is unknown."""
        return [dict(zip(self.names[row[0]], row[1:], strict=True)) for row in self.rows or ()]

    @property
    def by_source(self) -> dict[str, str]:
        """Xero's ids of the lines by those of the source."""
        return {source: one for one, source in zip(self.ids, self.sources, strict=False) if source}


def noted(ids: Sequence[str], document: Mapping[str, Any] | None, sources: Sequence[str | None] = ()) -> str:
    """Return lines as the log stores them.

    `document` is what was written, None if that is unknown. `sources` are the source's ids of the lines.
    """
    own: Sequence[str | None] = ()
    if any(sources):
        own = [None if source == one else source for one, source in zip(ids, sources, strict=False)]
    if document is None:
        return encode(LoggedLines(ids, own)).decode()
    names: dict[tuple[str, ...], int] = {}
    rows = [[names.setdefault(tuple(line), len(names)), *line.values()] for line in document["LineItems"]]
    return encode(LoggedLines(ids, own, document.get("LineAmountTypes"), tuple(names), rows)).decode()


_decode = msgspec.json.Decoder(LoggedLines, float_hook=Decimal).decode
