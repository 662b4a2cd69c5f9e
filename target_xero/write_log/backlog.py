"""Answers that are in the log, each batch as one row, and not yet in its tables.

One row is written for the answer of a request, because a row in each table for every record takes several times as
long. The tables get the records of many answers at once: before they are asked for them, and when a run ends. A run
that is killed leaves the rows to the next one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from target_xero.write_log.claims import Claims
from target_xero.write_log.database import Database, Transaction
from target_xero.write_log.schema import insertion

#: Records that wait for the tables at most.
_MOST = 6_000
#: The places of the identity and of Xero's id in a written record.
_KEY, _XERO_ID = 0, 2


class SettledBatch(msgspec.Struct, array_like=True):
    """What an answer settles of one object.

    Attributes:
        written: a row of the table each, from the identity on.
        refused: (identity, source, own value) each.
        names: (name, identity) each, by which records are found again.
        ids: what ids of the source are in Xero.
        sources: the sources of the records.
    """

    object: str
    written: list[tuple[Any, ...]] = []
    refused: list[tuple[str, str | None, str | None]] = []
    names: list[tuple[str, str]] = []
    ids: dict[str, str] = {}
    sources: list[str] = []


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(SettledBatch).decode


class Backlog:
    """The answers of one organisation that are not in the tables; `ids` are what they say of the source's ids."""

    def __init__(self, database: Database, scope: str, claims: Claims) -> None:
        self._db = database
        self._scope = scope
        self._claims = claims
        rows = database.rows("SELECT content FROM {settled} WHERE scope = ? ORDER BY number", (scope,))
        self._batches = [_decode(content) for (content,) in rows]
        self.ids = {source: xero for batch in self._batches for source, xero in batch.ids.items()}
        self._held: defaultdict[str, set[str | None]] = defaultdict(set)
        self._number = 0
        self.merge()

    def add(self, change: Transaction, batch: SettledBatch) -> None:
        """Write a batch down; `note` it once the transaction has ended well."""
        change.run(insertion("settled"), (self._scope, len(self._batches), _encode(batch)))

    def note(self, batch: SettledBatch) -> None:
        """Note that the log has a batch."""
        self._batches.append(batch)
        self._claims.note_sources(batch.object, batch.sources)
        held = self._held[batch.object]
        held.update(row[_KEY] for row in (*batch.written, *batch.refused))
        held.update(row[_XERO_ID] for row in batch.written)
        held.update(name for name, _ in batch.names)
        self.ids |= batch.ids
        self._number += len(batch.written) + len(batch.refused)
        if self._number >= _MOST:
            self.merge()

    def has(self, object_name: str, words: Collection[str] | None = None) -> bool:
        """Whether there is a record with one of these identities, ids of Xero's or names; by default, any record."""
        held = self._held.get(object_name)
        return bool(held and (words is None or not held.isdisjoint(words)))

    def merge(self) -> None:
        """Put everything into the tables."""
        if not self._batches:
            return
        with self._db.change() as change:
            written: dict[tuple[str, str], tuple[Any, ...]] = {}
            for batch in self._batches:
                written |= {(batch.object, row[_KEY]): row for row in batch.written}
                if batch.refused:  # counts the answers that there were before
                    self._write_records(change, written)
                    written = {}
                    self._count_refused(change, batch)
            self._write_records(change, written)
            self._write_names(change)
            self._write_ids(change)
            for name, source in {(batch.object, one) for batch in self._batches for one in batch.sources}:
                self._claims.write_sources(change, name, [source])
            change.run("DELETE FROM {settled} WHERE scope = ?", (self._scope,))
        self._batches.clear()
        self._held.clear()
        self.ids.clear()
        self._number = 0

    def _write_records(self, change: Transaction, rows: Mapping[tuple[str, str], tuple[Any, ...]]) -> None:
        change.run_many(
            f"{insertion('record')} ON CONFLICT (scope, object, key) DO UPDATE SET"
            " hash = excluded.hash, xero_id = excluded.xero_id, status = excluded.status,"
            " owner = excluded.owner, parent = excluded.parent, lines = excluded.lines,"
            " attempts = excluded.attempts, written_at = excluded.written_at",
            [(self._scope, name, *row) for (name, _), row in rows.items()],
        )

    def _count_refused(self, change: Transaction, batch: SettledBatch) -> None:
        change.run_many(
            "INSERT INTO {record} (scope, object, key, source, value, status, attempts)"
            " VALUES (?, ?, ?, ?, ?, '', 1)"
            " ON CONFLICT (scope, object, key) DO UPDATE SET attempts = {record}.attempts + 1",
            [(self._scope, batch.object, *row) for row in batch.refused],
        )

    def _write_names(self, change: Transaction) -> None:
        """The names of each record, as it had them last."""
        names: dict[tuple[str, str], list[str]] = {}
        for batch in self._batches:
            latest: defaultdict[str, list[str]] = defaultdict(list)
            for name, key in batch.names:
                latest[key].append(name)
            for key, those in latest.items():
                names.pop((batch.object, key), None)
                names[batch.object, key] = those
        change.run_many(
            "DELETE FROM {name} WHERE scope = ? AND object = ? AND key = ?",
            [(self._scope, *place) for place in names],
        )
        change.run_many(
            f"{insertion('name')} ON CONFLICT (scope, object, name) DO UPDATE SET key = excluded.key",
            [(self._scope, name, one, key) for (name, key), those in names.items() for one in those],
        )

    def _write_ids(self, change: Transaction) -> None:
        change.run_many(
            f"{insertion('id')} ON CONFLICT (scope, source) DO UPDATE SET xero = excluded.xero",
            [(self._scope, *pair) for pair in sorted(self.ids.items())],
        )
