"""Answers that are not yet in the tables of the log of writes.

An answer is in memory until it is saved as one row, in the transaction of the next request. A transaction for each
answer takes longer, and a row for each record in each table several times as long. The records of many answers go to
the tables at once: before a query needs them, and at the end of a run. After a kill, the next run does this first with
the rows; the records of an answer that was not saved are still in flight.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import NamedTuple

import msgspec

from target_xero.write_log.claims import Claims
from target_xero.write_log.database import Database, Transaction, chunks
from target_xero.write_log.in_flight import RequestsInFlight
from target_xero.write_log.lines import as_text
from target_xero.write_log.schema import insertion

#: The most records that are not in the tables.
_MOST = 6_000


class WrittenRecord(NamedTuple):
    """A row of the table `record` without scope and object, with its lines as JSON (see `lines.as_json`)."""

    key: str
    hash: str | None
    xero_id: str | None
    status: str
    owner: str | None
    parent: str | None
    lines: msgspec.Raw
    attempts: int
    written_at: str
    source: str | None
    value: str | None


class SettledBatch(msgspec.Struct, array_like=True):
    """The records of one object that are settled together.

    Attributes:
        written: the records that Xero has written.
        refused: (identity, source, own value) of each record.
        names: (name, identity) of records that can be found by a name.
        ids: Xero's ids by those of the source.
        sources: the sources of the records.
    """

    object: str
    written: list[WrittenRecord] = []
    refused: list[tuple[str, str | None, str | None]] = []
    names: list[tuple[str, str]] = []
    ids: dict[str, str] = {}
    sources: list[str] = []


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(SettledBatch).decode


class Backlog:
    """The answers of one organisation that are not in the tables; `ids` has Xero's ids by those of the source.

    What changes in flight is saved with them, in the same transaction.
    """

    def __init__(self, database: Database, scope: str, claims: Claims, in_flight: RequestsInFlight) -> None:
        self._db = database
        self._scope = scope
        self._claims = claims
        self._in_flight = in_flight
        rows = database.rows("SELECT content FROM {settled} WHERE scope = ? ORDER BY number", (scope,))
        self._batches = [_decode(content) for (content,) in rows]
        self._saved = len(self._batches)
        self.ids = {source: xero for batch in self._batches for source, xero in batch.ids.items()}
        self._held: defaultdict[str, set[str | None]] = defaultdict(set)
        self._number = 0
        self.merge()

    def add(self, batch: SettledBatch) -> None:
        """Take in a batch."""
        self._batches.append(batch)
        self._claims.note_sources(batch.object, batch.sources)
        held = self._held[batch.object]
        held.update([row.key for row in batch.written])
        held.update([row.xero_id for row in batch.written])
        held.update([key for key, _, _ in batch.refused])
        held.update([name for name, _ in batch.names])
        self.ids |= batch.ids
        self._number += len(batch.written) + len(batch.refused)

    def save(self) -> None:
        """Save all changes; many records go to the tables. Raises `ConfigurationProblem` if the log is lost."""
        if self._number >= _MOST:
            self.merge()
        elif self._saved < len(self._batches) or not self._in_flight.is_saved:
            with self._db.change() as change:
                self._in_flight.save(change)
                for number in range(self._saved, len(self._batches)):
                    content = _encode(self._batches[number])
                    change.run(insertion("settled"), (self._scope, number, content))
            self._in_flight.note_saved()
            self._saved = len(self._batches)
            self._db.check()

    def has(self, object_name: str, words: Collection[str] | None = None) -> bool:
        """Whether a record has one of these identities, names or ids of Xero's; by default, whether there is any."""
        held = self._held.get(object_name)
        return bool(held and (words is None or not held.isdisjoint(words)))

    def merge(self) -> None:
        """Save all changes, and move all records to the tables."""
        if not self._batches:
            self.save()
            return
        with self._db.change() as change:
            self._in_flight.save(change)
            self._write_tables(change)
            change.run("DELETE FROM {settled} WHERE scope = ?", (self._scope,))
        self._in_flight.note_saved()
        self._batches.clear()
        self._held.clear()
        self.ids.clear()
        self._saved = self._number = 0
        self._db.check()

    def _write_tables(self, change: Transaction) -> None:
        written: defaultdict[str, dict[str, WrittenRecord]] = defaultdict(dict)
        for batch in self._batches:
            written[batch.object] |= {row.key: row for row in batch.written}
            if batch.refused:  # adds to the number of earlier answers
                self._write_records(change, batch.object, written.pop(batch.object))
                self._count_refused(change, batch)
        for of, rows in written.items():
            self._write_records(change, of, rows)
        for of in dict.fromkeys([batch.object for batch in self._batches]):
            self._write_names(change, of)
        self._write_ids(change)
        for name, source in {(batch.object, one) for batch in self._batches for one in batch.sources}:
            self._claims.write_sources(change, name, [source])

    def _write_records(self, change: Transaction, of: str, rows: Mapping[str, WrittenRecord]) -> None:
        change.run_many(
            f"{insertion('record')} ON CONFLICT (scope, object, key) DO UPDATE SET"
            " hash = excluded.hash, xero_id = excluded.xero_id, status = excluded.status,"
            " owner = excluded.owner, parent = excluded.parent, lines = excluded.lines,"
            " attempts = excluded.attempts, written_at = excluded.written_at",
            (
                (self._scope, of, key, content, xero_id, status, owner, parent, as_text(lines), *others)
                for key, content, xero_id, status, owner, parent, lines, *others in sorted(rows.values())
            ),
        )

    def _count_refused(self, change: Transaction, batch: SettledBatch) -> None:
        change.run_many(
            "INSERT INTO {record} (scope, object, key, source, value, status, attempts)"
            " VALUES (?, ?, ?, ?, ?, '', 1)"
            " ON CONFLICT (scope, object, key) DO UPDATE SET attempts = {record}.attempts + 1",
            [(self._scope, batch.object, *row) for row in batch.refused],
        )

    def _write_names(self, change: Transaction, of: str) -> None:
        """Write the latest names of each record of an object."""
        keys: dict[str, str] = {}
        named: set[str] = set()
        written_before: set[str] = set()
        for batch in reversed(self._batches):
            if batch.object == of:
                for name, key in reversed(batch.names):
                    if key not in named:
                        keys.setdefault(name, key)
                named.update([key for _, key in batch.names])
                # The tables have no names of a record that had no answer before.
                written_before.update([row.key for row in batch.written if row.attempts != 1])
        of_record = "DELETE FROM {name} WHERE scope = ? AND object = ? AND key"
        for statement, values in chunks(of_record, (self._scope, of), list(named & written_before)):
            change.run(statement, values)
        change.run_many(
            f"{insertion('name')} ON CONFLICT (scope, object, name) DO UPDATE SET key = excluded.key",
            ((self._scope, of, *pair) for pair in sorted(keys.items())),
        )

    def _write_ids(self, change: Transaction) -> None:
        change.run_many(
            f"{insertion('id')} ON CONFLICT (scope, source) DO UPDATE SET xero = excluded.xero",
            ((self._scope, *pair) for pair in sorted(self.ids.items())),
        )
