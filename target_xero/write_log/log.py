"""The log of writes: for each record of a source, the content that was last written, and Xero's id.

Before a request is sent, its records are logged as in flight, with the Idempotency-Key and the content. When the answer
comes, they are noted as written or refused, which is saved with the next request, or earlier by `WriteLog.save`. So
whenever a run ends, each record is either settled or in flight. The next run looks up in Xero what is in flight before
it sends anything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from singer_xero.errors import ConfigurationProblem
from target_xero.write_log.backlog import Backlog, SettledBatch, WrittenRecord
from target_xero.write_log.claims import Claims
from target_xero.write_log.database import Database, in_chunks
from target_xero.write_log.identity import source_and_value
from target_xero.write_log.in_flight import Action, PendingWrite, Request, RequestsInFlight, SentRecord
from target_xero.write_log.lines import LoggedLines, as_json

#: Ids that are kept in memory.
_REMEMBERED = 20_000
_ENTRY = "hash, xero_id, status, owner, parent, lines, attempts"
_LIVING = "status NOT IN ('DELETED', 'VOIDED')"


class LogEntry(msgspec.Struct):
    """What the log knows of a record.

    Attributes:
        hash: the hash of the content last written; None if nothing was written.
        status: the last status that was written; "" if it has none, DELETED after its end.
        owner: the path of the parent (`CreditNotes/<id>`).
        lines: the line items as `lines.noted` returns them.
        attempts: the number of answers so far. It is part of the Idempotency-Key, so that Xero does not take the same
            content for a retry if it is sent again on purpose.
    """

    hash: str | None = None
    xero_id: str | None = None
    status: str = ""
    owner: str | None = None
    parent: str | None = None
    lines: bytes | None = None
    attempts: int = 0

    @property
    def line_ids(self) -> dict[str, str]:
        """Xero's ids of the line items by those of the source."""
        return LoggedLines.of(self.lines).by_source

    @property
    def gone(self) -> bool:
        """Whether the record was deleted or voided, so that it may be created again."""
        return self.status in {"DELETED", "VOIDED"}


class WriteLog:
    """The log of one organisation.

    Everything is on disk when a method returns, except what `settle` takes in: all methods know it at once, and it is
    on disk after the next `sending`, `save` or `complete`. Until then, these records are in flight on disk.

    `scope` is the organisation's id, after a `prefix` if a database has several logs. `place` is the name of the log
    for messages.
    """

    def __init__(self, database: Database, scope: str, prefix: str = "") -> None:
        self._db = database
        self.place = database.place
        self._scope = scope
        self._prefix = prefix
        self._foreseen: dict[str, LogEntry | None] = {}
        self._foreseen_object = ""
        self._ids: dict[str, str | None] = {}
        self._head: tuple[str, str | None] | None = None
        heads = self._db.rows(
            "SELECT began_at, complete_at FROM {organisation} WHERE scope = ?", (self._scope,)
        )
        if heads:
            self._head = (str(heads[0][0] or ""), heads[0][1])
        self.claims = Claims(database, scope)
        self._in_flight = RequestsInFlight(database, scope)
        self._backlog = Backlog(database, scope, self.claims, self._in_flight)
        self._recorded: set[str] = set()
        # Most logs have no ids, because most sources have none of Xero's.
        self._has_ids = bool(self._db.rows("SELECT 1 FROM {id} WHERE scope = ? LIMIT 1", (self._scope,)))

    # The organisation

    @property
    def is_known(self) -> bool:
        """Whether a run has used the log for this organisation before."""
        return self._head is not None

    @property
    def is_new(self) -> bool:
        """Whether no run has succeeded yet, so that Xero may have records that the log does not know."""
        return self._head is None or self._head[1] is None

    @property
    def began_at(self) -> str:
        """When the first run used the log for this organisation; empty if the log does not have the time."""
        return self._head[0] if self._head else ""

    def organisations(self) -> list[tuple[str, str]]:
        """Return (id, name) of each organisation in the log."""
        rows = self._db.rows("SELECT scope, name FROM {organisation} ORDER BY scope")
        return [
            (str(scope).removeprefix(self._prefix), str(name or ""))
            for scope, name in rows
            if str(scope).startswith(self._prefix)
        ]

    def begin(self, name: str, at: str) -> None:
        """Log that a run uses the log for this organisation."""
        with self._db.change() as change:
            change.run(
                "INSERT INTO {organisation} (scope, name, began_at) VALUES (?, ?, ?)"
                " ON CONFLICT (scope) DO UPDATE SET name = excluded.name",
                (self._scope, name, at),
            )
        self._head = self._head or (at, None)

    def complete(self, at: str) -> None:
        """Log that a run has succeeded."""
        self._backlog.merge()
        with self._db.change() as change:
            change.run(
                "UPDATE {organisation} SET complete_at = ? WHERE scope = ? AND complete_at IS NULL",
                (at, self._scope),
            )
        self._db.check()

    # Looking up

    def foresee(self, object_name: str, keys: Mapping[str, str]) -> None:
        """Look up many records at once, so that `entry` needs no query; earlier ones are forgotten.

        `keys` are identities with the hash of the content that comes with each.
        """
        self.claim(object_name, keys)
        self._merge(object_name, keys.keys())
        self._foreseen, self._foreseen_object = dict.fromkeys(keys), object_name
        if not self._has_records(object_name):
            return
        query = f"SELECT key, {_ENTRY} FROM {{record}} WHERE scope = ? AND object = ? AND key"
        for row in in_chunks(self._db, query, (self._scope, object_name), list(keys)):
            self._foreseen[row[0]] = _entry(row[1:])

    def _has_records(self, object_name: str) -> bool:
        """Whether the tables have any record of an object; if not, none needs to be looked up."""
        if object_name not in self._recorded and self._db.rows(
            "SELECT 1 FROM {record} WHERE scope = ? AND object = ? LIMIT 1", (self._scope, object_name)
        ):
            self._recorded.add(object_name)
        return object_name in self._recorded

    def entry(self, object_name: str, key: str) -> LogEntry | None:
        """Return the entry of a record of the source; None before its first answer."""
        if object_name == self._foreseen_object and key in self._foreseen:
            return self._foreseen[key]
        self.claim(object_name, {key: ""})
        self._merge(object_name, {key})
        rows = self._db.rows(
            f"SELECT {_ENTRY} FROM {{record}} WHERE scope = ? AND object = ? AND key = ?",
            (self._scope, object_name, key),
        )
        return _entry(rows[0]) if rows else None

    def claim(self, object_name: str, keys: Mapping[str, str]) -> None:
        """Let records take over entries that lack their source (see `Claims`).

        `keys` are identities, each with the hash of its content.
        """
        candidates = self.claims.candidates(object_name, keys)
        if candidates:
            self._merge(object_name)
            self.claims.claim(object_name, {key: keys[key] for key in candidates})

    def _merge(self, object_name: str, words: Collection[str] | None = None) -> bool:
        """Move all records to the tables if one of the object has one of these words (see `Backlog.has`).

        Queries then find it. Returns whether records were moved.
        """
        is_held = self._backlog.has(object_name, words)
        if is_held:
            self._backlog.merge()
        return is_held

    def _found(self, object_name: str, wanted: str, query: str) -> list[tuple[Any, ...]]:
        """Find records by one of their ids or names; the last column of the query is the identity."""
        values = (self._scope, object_name, wanted)
        found = self._db.rows(query, values)
        if self._merge(object_name, {wanted, *(row[-1] for row in found)}):
            found = self._db.rows(query, values)
        return found

    def holder(self, object_name: str, xero_id: str) -> str | None:
        """Return the identity of the record with an id of Xero's; None if the log has none."""
        query = "SELECT key FROM {record} WHERE scope = ? AND object = ? AND xero_id = ? ORDER BY key LIMIT 1"
        found = self._found(object_name, xero_id, query)
        return str(found[0][0]) if found else None

    def line_id(self, object_names: Iterable[str], xero_id: str, source: str) -> str | None:
        """Return Xero's id of a line item by that of the source; `xero_id` is that of its document."""
        for name in object_names:
            key = self.holder(name, xero_id)
            entry = self.entry(name, key) if key else None
            if entry and (found := entry.line_ids.get(source)):
                return found
        return None

    def number(self, object_name: str, owner: str, content: str) -> int:
        """Return how many records with this content were written as parts of one owner."""
        self._merge(object_name)
        found = self._db.rows(
            "SELECT count(*) FROM {record} WHERE scope = ? AND object = ? AND owner = ? AND hash = ?",
            (self._scope, object_name, owner, content),
        )
        return int(found[0][0])

    def by_name(self, object_name: str, field: str, value: str) -> str | None:
        """Return Xero's id of the record with a name or number, ignoring case."""
        found = self._found(
            object_name,
            _named(field, value),
            "SELECT record.xero_id, key FROM {name} AS name JOIN {record} AS record USING (scope, object, key)"
            f" WHERE name.scope = ? AND name.object = ? AND name.name = ? AND record.{_LIVING}",
        )
        return str(found[0][0]) if found and found[0][0] is not None else None

    def by_own_key(self, object_name: str, source: str, value: str) -> list[tuple[str, str]]:
        """Return (identity, Xero's id) of the records with a single key value, such as a customer number."""
        self._merge(object_name)
        return [
            (str(key), str(xero_id))
            for key, xero_id in self._db.rows(
                "SELECT key, xero_id FROM {record} WHERE scope = ? AND object = ? AND value = ? AND source = ?"
                f" AND xero_id IS NOT NULL AND {_LIVING} ORDER BY key",
                (self._scope, object_name, value, source),
            )
        ]

    def has_names(self, object_name: str, names: Mapping[str, Iterable[tuple[str, str]]]) -> bool:
        """Whether records, by their identities, already have all of these names: (field, value) each."""
        wanted = {_named(field, value): key for key, pairs in names.items() for field, value in pairs}
        self._merge(object_name, wanted)
        query = "SELECT name, key FROM {name} WHERE scope = ? AND object = ? AND name"
        known = dict(in_chunks(self._db, query, (self._scope, object_name), list(wanted)))
        return known == wanted

    def children(self, object_name: str, parent: str) -> Iterator[tuple[str, LogEntry]]:
        """Yield the parts of a record that were written and not deleted."""
        self._merge(object_name)
        rows = self._db.rows(
            f"SELECT key, {_ENTRY} FROM {{record}} WHERE scope = ? AND parent = ? AND object = ?"
            f" AND hash IS NOT NULL AND {_LIVING} ORDER BY key",
            (self._scope, parent, object_name),
        )
        for row in rows:
            yield row[0], _entry(row[1:])

    def id_of(self, source: str) -> str | None:
        """Return Xero's id for an id of the source, or its code for a `TaxType:<organisation>:<code>`."""
        if not self._has_ids:
            return None
        if source in self._backlog.ids:
            return self._backlog.ids[source]
        try:
            return self._ids[source]
        except KeyError:
            pass
        found = self._db.rows("SELECT xero FROM {id} WHERE scope = ? AND source = ?", (self._scope, source))
        if len(self._ids) >= _REMEMBERED:
            self._ids.clear()
        self._ids[source] = str(found[0][0]) if found else None
        return self._ids[source]

    def foresee_ids(self, sources: Iterable[str]) -> None:
        """Look up many ids at once, so that `id_of` needs no query."""
        if not self._has_ids:
            return
        noted, settled = self._ids, self._backlog.ids
        wanted = [one for one in dict.fromkeys(sources) if one not in noted and one not in settled]
        if len(self._ids) + len(wanted) > _REMEMBERED:
            self._ids.clear()
        self._ids |= dict.fromkeys(wanted)
        found = in_chunks(
            self._db, "SELECT source, xero FROM {id} WHERE scope = ? AND source", (self._scope,), wanted
        )
        self._ids |= {source: str(xero) for source, xero in found}

    def pending(self) -> list[PendingWrite]:
        """Return the records in flight, in the order in which they were sent."""
        return self._in_flight.pending()

    # Logging

    def sending(
        self,
        object_name: str,
        request: str,
        action: Action,
        path: str,
        sent_at: str,
        jobs: Iterable[tuple[str, str, bytes, Any]],
    ) -> None:
        """Log the records of a request as in flight: (identity, content hash, body as JSON, job) of each.

        The outcomes that were settled before are saved in the same transaction. Raises `ConfigurationProblem` if the
        log can't be used or is lost.
        """
        records = {key: SentRecord(key, content, msgspec.Raw(body), job) for key, content, body, job in jobs}
        self._in_flight.put(Request(request, object_name, action, path, sent_at, records))
        self._backlog.save()

    def settle(
        self,
        object_name: str,
        written: Iterable[tuple[str, LogEntry]] = (),
        refused: Iterable[str] = (),
        unsent: Iterable[str] = (),
        names: Iterable[tuple[str, str, str]] = (),
        ids: Mapping[str, str] | None = None,
        at: str = "",
    ) -> None:
        """Take in the outcome of records in flight. It is saved in one transaction, by `sending` or `save`.

        `written` are (identity, entry). `refused` are the identities of records that Xero refused, and `unsent` those
        of records that Xero certainly did not receive. `names` are (field, value, identity) for `by_name`, and `ids`
        Xero's ids by those of the source.
        """
        batch = _batch(object_name, written, refused, at)
        batch.names = [(_named(field, value), key) for field, value, key in names]
        batch.ids = dict(ids or {})
        done = [*(row.key for row in batch.written), *(row[0] for row in batch.refused), *unsent]
        if object_name == self._foreseen_object:
            for key in self._foreseen.keys() & done:
                del self._foreseen[key]
        for source in self._ids.keys() & batch.ids.keys():
            del self._ids[source]
        self._has_ids = self._has_ids or bool(batch.ids)
        if batch.written or batch.refused or batch.ids:
            self._backlog.add(batch)
        self._in_flight.take_out(object_name, done)

    def save(self) -> None:
        """Save all outcomes that were settled. Raises `ConfigurationProblem` if the log can't be used or is lost."""
        self._backlog.save()

    def __enter__(self) -> WriteLog:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Save all outcomes in the tables. If that fails after another error, the next run does it."""
        if kind is None:
            self._backlog.merge()
        elif issubclass(kind, Exception):
            with suppress(ConfigurationProblem):
                self._backlog.merge()


def _batch(
    object_name: str, written: Iterable[tuple[str, LogEntry]], refused: Iterable[str], at: str
) -> SettledBatch:
    """Return the written and refused records of one object for the backlog."""
    batch = SettledBatch(object_name)
    sources = set()
    for key, entry in written:
        source, value = source_and_value(key)
        sources.add(source)
        batch.written.append(
            WrittenRecord(
                key, entry.hash, entry.xero_id, entry.status, entry.owner, entry.parent,
                as_json(entry.lines), entry.attempts, at, None if value is None else source, value,
            )
        )  # fmt: skip
    for key in refused:
        source, value = source_and_value(key)
        sources.add(source)
        batch.refused.append((key, None if value is None else source, value))
    batch.sources = [source for source in sources if source is not None]
    return batch


def _entry(row: tuple[Any, ...]) -> LogEntry:
    content, xero_id, status, owner, parent, lines, attempts = row
    return LogEntry(
        content, xero_id, status or "", owner, parent, lines.encode() if lines else None, attempts
    )


def _named(field: str, value: str) -> str:
    return f"{field}={' '.join(value.split()).casefold()}".replace("\0", "")
