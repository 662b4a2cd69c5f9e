"""Streams of what hangs on records: a list of records is read, and then each is asked by a call of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import msgspec

from singer_xero.api.errors import NotFound
from singer_xero.objects import Subresource
from tap_xero.paging import Chunk
from tap_xero.records.reader import Page, Record, RecordReader, Row, filled, values_of
from tap_xero.records.values import fitting
from tap_xero.streams.attachments import FileNotKept
from tap_xero.streams.lists import INCREMENTAL, Reading, XeroStream, each_of, stream_of

if TYPE_CHECKING:
    from tap_xero.tap import TapXero

_encode = msgspec.json.Encoder(decimal_format="number").encode


class SubresourceReader(RecordReader):
    """Adds to what was found on a record the record's key and time of change."""

    def record(self, row: Row) -> Record:
        """Decode a row; see `RecordReader`."""
        record = super().record(row)
        record.update(zip(self.xero.key, row.key, strict=True))
        if self.xero.cursor:
            # The one by which its list came, also where a record has changed since: a bookmark never runs ahead.
            record[self.xero.cursor] = row.time or None
        return record


class SubresourceStream(XeroStream):
    """What hangs on the records of one list, such as the history of invoices.

    Read whole by default, since what hangs on a record may change without the record's time of change; chosen to be
    incremental, only records that changed are asked, and a run that breaks off goes on where it was.
    """

    def __init__(self, tap: TapXero, detail: Subresource) -> None:
        self.detail = detail
        super().__init__(tap, detail)
        self._read_by(SubresourceReader(detail, self.logger, keep=self.shape.keeps, needed=detail.told))

    @cached_property
    def records(self) -> XeroStream:
        """The list of the records, which need not be selected itself."""
        records = stream_of(self.tap, self.detail.of)
        # It comes in the order of change where this stream's bookmark is to follow it.
        records.replication_key = self.detail.cursor if self.replication_method == INCREMENTAL else None
        return records

    @property
    def reads(self) -> tuple[str, ...]:
        """The list of the records."""
        return (self.detail.of.name,)

    def scope_missing(self, granted: Iterable[str]) -> str | None:
        """The scope that is missing: for the records, or for what hangs on them."""
        granted = frozenset(granted)
        return self.detail.of.scope_missing(granted) or super().scope_missing(granted)

    def chunks(self, reading: Reading) -> Iterator[Chunk]:
        """Read the list, and ask each record that can have something; several at once."""
        inner = reading.of(self.records)
        inner.bookmark, inner.since, inner.passed = reading.bookmark, reading.since, reading.passed
        inner.in_steps = self.replication_method == INCREMENTAL
        for chunk in self.records.chunks(inner):
            rows = [row for row in chunk.rows if self._may_have(row)]
            yield from each_of(reading, chunk, rows, partial(self.of_record, reading))

    def _may_have(self, row: Row) -> bool:
        if not self.detail.where or row.fault:
            return True
        record = values_of(row.raw)
        return all(
            fitting(self.detail.of.fields[name], record.get(name)) in allowed
            for name, allowed in self.detail.where.items()
        )

    def of_record(self, reading: Reading, parent: Row) -> Page:
        """Ask one record; nothing if it was removed in the meantime, or has nothing of the kind."""
        try:
            page = reading.ask(self.detail.path.format(id=str(parent.key[0])), self.detail.params)
        except NotFound:
            return Page([])
        found = self._numbered(page.rows) if self.detail.numbered else [(row, {}) for row in page.rows]
        rows = []
        for row, more in found:
            if row.fault:
                rows.append(row._replace(time=parent.time))
                continue
            own = dict(zip(self.detail.key, row.key, strict=True))
            own |= dict(zip(self.detail.of.key, parent.key, strict=True)) | more
            key = tuple(own[name] for name in self.detail.key)
            rows.append(Row(key, parent.time, row.raw, fault=row.fault))
        if self.detail.files and self.tap.files:
            rows = [row if row.fault else self._kept(reading, row) for row in rows]
        return Page(rows, size=page.size)

    def _numbered(self, rows: Sequence[Row]) -> list[tuple[Row, dict[str, Any]]]:
        """Number things without an id from the oldest on: whatever is added later leaves the numbers as they are.

        Xero doesn't say in which order it lists them; of those with one time, the order it lists them in counts.
        """
        name = self.detail.numbered
        read = partial(fitting, self.detail.fields[name])
        when = filled("" if row.fault else read(values_of(row.raw).get(name)) or "" for row in rows)
        newest_first = bool(rows) and when[0] > when[-1]
        order = sorted(range(len(rows)), key=lambda n: (when[n], -n if newest_first else n))
        return [(rows[place], {"Number": number}) for number, place in enumerate(order, 1)]

    def _kept(self, reading: Reading, row: Row) -> Row:
        """Put a file where attachments_path says, and say in the row where that is."""
        files = self.tap.files
        if files is None:
            return row
        record = values_of(row.raw)
        owner, attachment = row.key[0], str(row.key[-1])
        path = f"{self.detail.path.format(id=str(owner))}/{attachment}"
        kind = str(record.get("MimeType") or "")
        if not kind.isprintable() or not kind.isascii() or not kind:  # it becomes a header
            kind = "application/octet-stream"
        size = fitting(self.detail.fields["ContentLength"], record.get("ContentLength"))

        def fetch() -> bytes:
            answer = reading.get(path, accept="application/octet-stream", headers={"contentType": kind})
            return answer.content

        names = (reading.organisation.tenant_id, self.detail.of.name, str(owner), attachment)
        try:
            record["Path"] = files.keep((*names, str(record.get("FileName"))), size, fetch)
        except NotFound:
            record["Path"] = None
        except FileNotKept as error:
            self.logger.warning("%s: %s. Its record has no Path.", self.name, error)
            record["Path"] = None
        return row._replace(source=msgspec.Raw(_encode(record)))
