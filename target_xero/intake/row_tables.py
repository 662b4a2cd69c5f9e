"""Takes in tables that have a row for each line, and combines the rows of each document."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from target_xero.content.json_text import hashed
from target_xero.content.payload import Content
from target_xero.content.values import InvalidRecord
from target_xero.intake.columns import Layout, Unfolded
from target_xero.intake.identities import Identities
from target_xero.intake.line_rows import Place, Row, RowSpool, merged
from target_xero.intake.stream_names import StreamTarget
from target_xero.summary import REJECT
from target_xero.write_specs.spec import DELETED_AT, WriteSpec

_INCREMENTAL = (
    "%s has a row for each line and is read incrementally. Each document must come with all of its lines, because Xero "
    "removes missing lines: read the stream in full, or by a column that changes on all rows of a document."
)


class Origin(NamedTuple):
    """The origin of a record: its stream and key, and what its message states besides the content.

    `epoch` is the number of states before it; `places` are those of its messages in the spool, several for a document
    of rows.
    """

    stream: str
    keys: Sequence[str]
    key: str
    gone: bool
    tenant: str | None
    epoch: int
    places: Sequence[int]


def tenant_of(record: Mapping[str, Any]) -> str | None:
    """Return the organisation that a record comes from, if the record states it."""
    tenant = record.get("tenant_id")
    return str(tenant) if tenant else None


@dataclass
class _Table:
    """A stream with a row for each line; `keys` identify a document, and `place` is that of the last row."""

    stream_target: StreamTarget
    keys: Sequence[str]
    list_field: str
    rows: int = 0
    place: Place | None = None


class RowTables:
    """The tables of one run; `settled` is called with each epoch that rows no longer hold back."""

    def __init__(
        self, identities: Identities, warn: Callable[..., None], settled: Callable[[int], None]
    ) -> None:
        self._identities, self._warn, self._settled = identities, warn, settled
        #: The streams that a tap reads incrementally.
        self.incremental: set[str] = set()
        self._tables: dict[tuple[str, str], _Table] = {}
        self._rows: RowSpool | None = None

    def has(self, stream: str) -> bool:
        """Tell whether a stream has a row for each line, so that no record of it is a whole document."""
        return any(name == stream for _, name in self._tables)

    def take(
        self,
        stream_target: StreamTarget,
        layout: Layout,
        record: Mapping[str, Any],
        unfolded: Unfolded,
        content: Content,
        origin: Origin,
    ) -> None:
        """Keep one row until the input ends; `content` is its content, with its line."""
        row, stream, keys = stream_target.spec, origin.stream, origin.keys
        table = self._tables.get((row.name, stream))
        if table is None:
            own = [key for key in keys if key not in layout.lines]
            table = self._tables[row.name, stream] = _Table(stream_target, own, layout.list_field)
            if stream in self.incremental:
                self._warn(_INCREMENTAL, stream)
        table.rows += 1
        try:
            table.place = self._place(row, stream, table.keys, record, content)
        except InvalidRecord as invalid:
            # It may belong to the document of the row before it, which must then be rejected as well.
            content.problems.append(invalid)
            table.place = table.place or Place(row.name, stream, f"#{table.rows}")
        if self._rows is None:
            self._rows = RowSpool()
        self._rows.add(
            table.place,
            Row(
                number=table.rows,
                place=origin.places[0],
                epoch=origin.epoch,
                sent=content.sent,
                aside=content.aside,
                problems=[str(problem) for problem in content.problems[:5]],
                tenant=origin.tenant,
                gone=bool(record.get(DELETED_AT)),
                key=unfolded.key,
                line_number=unfolded.number,
                is_keyed=len(table.keys) < len(keys),
            ),
        )

    def _place(
        self, row: WriteSpec, stream: str, keys: Sequence[str], record: Mapping[str, Any], content: Content
    ) -> Place:
        """Find the document of a row: by the key properties of documents, otherwise by what its rows share."""
        sent, version = content.sent, str(record.get(REJECT) or "")
        # The number of a bill is the supplier's, and identifies the bill only together with the contact.
        is_own = row.unique_when is None or sent.get(row.unique_when[0]) == row.unique_when[1]
        shared = (*row.natural_keys, *(() if is_own else ("Contact",))) or row.shared_by_rows
        values = [hashed(sent[name]) for name in shared if name in sent]
        is_named = bool(row.natural_keys) and len(values) == len(shared)
        if keys:
            identity = self._identities.key(row, stream, keys, record, content)
            dated = values if is_own else [*values, hashed(sent.get("Date"))]
            return Place(row.name, stream, identity, version, "|".join(dated) if is_named else "")
        if not shared:
            raise InvalidRecord("the stream needs key properties that tell which rows are of one document")
        if len(values) < len(shared):
            raise InvalidRecord("it tells which rows are of one document, and is empty", " or ".join(shared))
        if not row.natural_keys:
            # Only its whole content distinguishes it from others.
            return Place(row.name, stream, "#" + "|".join(values), version)
        if is_own:
            return Place(row.name, stream, self._identities.key(row, stream, keys, record, content), version)
        return Place(row.name, stream, self._identities.format_by(stream, shared).of(values), version)

    def documents(self) -> Iterator[tuple[WriteSpec, Content, Origin]]:
        """Yield the documents of all rows, once the input has ended."""
        if self._rows is None:
            return
        for document in self._rows.documents():
            place, rows = document.place, document.rows
            table = self._tables[place.object, place.stream]
            epoch, *later = sorted(row.epoch for row in rows)
            for one in later:
                self._settled(one)
            key = "" if place.identity.startswith("#") else place.identity
            places = [row.place for row in rows]
            origin = Origin(place.stream, table.keys, key, rows[0].gone, rows[0].tenant, epoch, places)
            yield table.stream_target.spec, merged(document, table.list_field), origin

    def close(self) -> None:
        """Delete the rows."""
        if self._rows is not None:
            self._rows.close()
            self._rows = None
