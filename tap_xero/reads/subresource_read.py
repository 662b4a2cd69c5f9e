"""Reads subresources: the list of the records, and then a call for each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from singer_xero.api.errors import NotFound
from singer_xero.objects import Subresource
from tap_xero.reads.attachments import FileNotKept
from tap_xero.reads.list_read import ListRead
from tap_xero.reads.paging import Chunk
from tap_xero.records.reader import Page, Record, RecordReader, Row, filled, values_of
from tap_xero.records.values import fitting

_encode = msgspec.json.Encoder(decimal_format="number").encode


class SubresourceReader(RecordReader):
    """Adds the record's key and time of change to its subresources."""

    def record(self, row: Row) -> Record:
        """Decode a row; see `RecordReader`."""
        record = super().record(row)
        record.update(zip(self.xero.key, row.key, strict=True))
        if self.xero.cursor:
            # The time in the list, even if the record has changed since, so that no bookmark runs ahead.
            record[self.xero.cursor] = row.time or None
        return record


class SubresourceRead(ListRead):
    """Reads the subresources of the records of one list, such as the history of invoices."""

    row: Subresource

    def walk(self) -> Iterator[Chunk]:
        """Read the list, and make a call for each record that can have the subresource."""
        records = self.of(
            self.row.of,
            incremental=self.incremental,
            bookmark=self.bookmark,
            since=self.since,
            passed=self.passed,
        )
        records.in_steps = self.incremental
        for chunk in records.walk():
            rows = [row for row in chunk.rows if self._may_have(row)]
            yield from self.each_of(chunk, rows, self._of_record)

    def _may_have(self, row: Row) -> bool:
        if not self.row.where or row.fault:
            return True
        record = values_of(row.raw)
        return all(
            fitting(self.row.of.fields[name], record.get(name)) in allowed
            for name, allowed in self.row.where.items()
        )

    def _of_record(self, parent: Row) -> Page:
        """Make the call for one record; no rows if it was removed meanwhile or has no such subresource."""
        try:
            page = self.ask(self.row.path.format(id=str(parent.key[0])), self.row.params)
        except NotFound:
            return Page([])
        found = self._numbered(page.rows) if self.row.numbered else [(row, {}) for row in page.rows]
        rows = []
        for row, more in found:
            if row.fault:
                rows.append(replace(row, time=parent.time))
                continue
            own = dict(zip(self.row.key, row.key, strict=True))
            own |= dict(zip(self.row.of.key, parent.key, strict=True)) | more
            key = tuple(own[name] for name in self.row.key)
            rows.append(Row(key, parent.time, row.raw, fault=row.fault))
        if self.row.files and self.source.files:
            rows = [row if row.fault else self._kept(row) for row in rows]
        return Page(rows, size=page.size)

    def _numbered(self, rows: Sequence[Row]) -> list[tuple[Row, dict[str, Any]]]:
        """Number subresources without an id from the oldest on, so that later ones do not change the numbers.

        Xero does not document their order; for those with the same time, its order decides.
        """
        name = self.row.numbered
        read = partial(fitting, self.row.fields[name])
        when = filled("" if row.fault else read(values_of(row.raw).get(name)) or "" for row in rows)
        newest_first = bool(rows) and when[0] > when[-1]
        order = sorted(range(len(rows)), key=lambda n: (when[n], -n if newest_first else n))
        return [(rows[place], {"Number": number}) for number, place in enumerate(order, 1)]

    def _kept(self, row: Row) -> Row:
        """Store a file at attachments_path, and add its address to the row."""
        files = self.source.files
        if files is None:
            return row
        record = values_of(row.raw)
        owner, attachment = row.key[0], str(row.key[-1])
        path = f"{self.row.path.format(id=str(owner))}/{attachment}"
        kind = str(record.get("MimeType") or "")
        if not kind.isprintable() or not kind.isascii() or not kind:  # it becomes a header
            kind = "application/octet-stream"
        size = fitting(self.row.fields["ContentLength"], record.get("ContentLength"))

        def fetch() -> bytes:
            answer = self.get(path, accept="application/octet-stream", headers={"contentType": kind})
            return answer.content

        names = (self.organisation.tenant_id, self.row.of.name, str(owner), attachment)
        try:
            record["Path"] = files.keep((*names, str(record.get("FileName"))), size, fetch)
        except NotFound:
            record["Path"] = None
        except FileNotKept as error:
            self.logger.warning("%s: %s. Its record has no Path.", self.row.name, error)
            record["Path"] = None
        return replace(row, source=msgspec.Raw(_encode(record)))
