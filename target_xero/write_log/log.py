"""The log of writes: for each record of a source, what was last written of it and Xero's id.

Before a request is sent, its records are in flight in the log, with the request's Idempotency-Key and content; when it
is answered, they are written or refused. So a run that ends at any point leaves either settled records, or records
that the next run looks up in Xero before it sends anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from target_xero.content.payload import decode
from target_xero.write_log.claims import Claims, own_values
from target_xero.write_log.database import Database, in_chunks

#: Ids that are kept in memory.
_REMEMBERED = 20_000
#: What a request does to a record.
Action = Literal["create", "update", "remove"]
_ENTRY = "hash, xero_id, status, owner, parent, lines, attempts"
_LIVING = "status NOT IN ('DELETED', 'VOIDED')"


@dataclass(slots=True)
class LogEntry:
    """What the log knows of a record.

    Attributes:
        hash: the hash of the content last written; None if nothing was written.
        status: the status it was brought to; "" if it has none, DELETED once it is gone.
        owner: the path of the parent (`CreditNotes/<id>`).
        lines: the line items in the order they were sent, as `line_matching` notes them.
        attempts: the number of answers, which is part of the Idempotency-Key: sending the same content again on
            purpose is no retry.
    """

    hash: str | None = None
    xero_id: str | None = None
    status: str = ""
    owner: str | None = None
    parent: str | None = None
    lines: list[str] | None = None
    attempts: int = 0

    @property
    def gone(self) -> bool:
        """Whether it was deleted or voided, so that it may come again as a new one."""
        return self.status in {"DELETED", "VOIDED"}


@dataclass(frozen=True, slots=True)
class PendingWrite:
    """A record in flight: what was asked of Xero, when (by Xero's clock), and by which request."""

    object: str
    key: str
    request: str
    action: Action
    path: str
    hash: str
    body: dict[str, Any]
    job: dict[str, Any]
    sent_at: str


class WriteLog:
    """The log of one organisation. Everything is on disk when a method returns.

    `scope` is the organisation's id, behind a `prefix` where a database has several logs.
    """

    def __init__(self, database: Database, scope: str, prefix: str = "") -> None:
        self._db = database
        self._scope = scope
        self._prefix = prefix
        self._foreseen: dict[tuple[str, str], LogEntry | None] = {}
        self._ids: dict[str, str | None] = {}
        self._head: tuple[str, str | None] | None = None
        heads = self._db.rows(
            "SELECT began_at, complete_at FROM {organisation} WHERE scope = ?", (self._scope,)
        )
        if heads:
            self._head = (str(heads[0][0] or ""), heads[0][1])
        self.claims = Claims(database, scope)

    # The organisation

    @property
    def place(self) -> str:
        """The name of the log for messages."""
        return self._db.place

    @property
    def is_known(self) -> bool:
        """Whether a run has used the log for this organisation before."""
        return self._head is not None

    @property
    def is_new(self) -> bool:
        """Whether no run has ended well yet, so that Xero may have records that the log should know."""
        return self._head is None or self._head[1] is None

    @property
    def began_at(self) -> str:
        """When the log was begun for this organisation; empty if it is older than such notes."""
        return self._head[0] if self._head else ""

    def organisations(self) -> list[tuple[str, str]]:
        """(id, name) of the organisations that it knows."""
        rows = self._db.rows("SELECT scope, name FROM {organisation} ORDER BY scope")
        return [
            (str(scope).removeprefix(self._prefix), str(name or ""))
            for scope, name in rows
            if str(scope).startswith(self._prefix)
        ]

    def begin(self, name: str, at: str) -> None:
        """Note that a run uses it for this organisation."""
        with self._db.change() as change:
            change.run(
                "INSERT INTO {organisation} (scope, name, began_at) VALUES (?, ?, ?)"
                " ON CONFLICT (scope) DO UPDATE SET name = excluded.name",
                (self._scope, name, at),
            )
        self._head = self._head or (at, None)

    def complete(self, at: str) -> None:
        """Note that a run has ended well."""
        with self._db.change() as change:
            change.run(
                "UPDATE {organisation} SET complete_at = ? WHERE scope = ? AND complete_at IS NULL",
                (at, self._scope),
            )
        self._db.check()

    # Looking up

    def foresee(self, object_name: str, keys: Mapping[str, str]) -> None:
        """Look up many records at once, so that `entry` answers without a query; the ones before are forgotten.

        `keys` are identities with the hash of the content that comes with each.
        """
        self.claims.claim(object_name, keys)
        self._foreseen = {(object_name, key): None for key in keys}
        query = f"SELECT key, {_ENTRY} FROM {{record}} WHERE scope = ? AND object = ? AND key"
        for row in in_chunks(self._db, query, (self._scope, object_name), list(keys)):
            self._foreseen[(object_name, row[0])] = _entry(row[1:])

    def entry(self, object_name: str, key: str) -> LogEntry | None:
        """What is known of a record of the source; None if it never got an answer."""
        try:
            return self._foreseen[(object_name, key)]
        except KeyError:
            pass
        self.claims.claim(object_name, {key: ""})
        rows = self._db.rows(
            f"SELECT {_ENTRY} FROM {{record}} WHERE scope = ? AND object = ? AND key = ?",
            (self._scope, object_name, key),
        )
        return _entry(rows[0]) if rows else None

    def holder(self, object_name: str, xero_id: str) -> str | None:
        """Return the identity of the record that stands for one of Xero's; None if the log has none."""
        found = self._db.rows(
            "SELECT key FROM {record} WHERE scope = ? AND object = ? AND xero_id = ? ORDER BY key LIMIT 1",
            (self._scope, object_name, xero_id),
        )
        return str(found[0][0]) if found else None

    def number(self, object_name: str, owner: str, content: str) -> int:
        """How many records with this content were written as parts of one of Xero's."""
        found = self._db.rows(
            "SELECT count(*) FROM {record} WHERE scope = ? AND object = ? AND owner = ? AND hash = ?",
            (self._scope, object_name, owner, content),
        )
        return int(found[0][0])

    def by_name(self, object_name: str, field: str, value: str) -> str | None:
        """Xero's id of the record that was written under a name or number, whatever its case."""
        found = self._db.rows(
            "SELECT record.xero_id FROM {name} AS name JOIN {record} AS record USING (scope, object, key)"
            f" WHERE name.scope = ? AND name.object = ? AND name.name = ? AND record.{_LIVING}",
            (self._scope, object_name, _named(field, value)),
        )
        return str(found[0][0]) if found and found[0][0] is not None else None

    def by_own_key(self, object_name: str, source: str, value: str) -> list[tuple[str, str]]:
        """The records that a source knows by one value, such as its number of a customer: identity and Xero's id."""
        return [
            (str(key), str(xero_id))
            for key, xero_id in self._db.rows(
                "SELECT key, xero_id FROM {record} WHERE scope = ? AND object = ? AND value = ? AND source = ?"
                f" AND xero_id IS NOT NULL AND {_LIVING} ORDER BY key",
                (self._scope, object_name, value, source),
            )
        ]

    def has_names(self, object_name: str, names: Mapping[str, Iterable[tuple[str, str]]]) -> bool:
        """Whether records, by their identities, were written under all of these (field, value) already."""
        wanted = {_named(field, value): key for key, pairs in names.items() for field, value in pairs}
        query = "SELECT name, key FROM {name} WHERE scope = ? AND object = ? AND name"
        known = dict(in_chunks(self._db, query, (self._scope, object_name), list(wanted)))
        return known == wanted

    def children(self, object_name: str, parent: str) -> Iterator[tuple[str, LogEntry]]:
        """The parts that were written for a record and are still there."""
        rows = self._db.rows(
            f"SELECT key, {_ENTRY} FROM {{record}} WHERE scope = ? AND parent = ? AND object = ?"
            f" AND hash IS NOT NULL AND {_LIVING} ORDER BY key",
            (self._scope, parent, object_name),
        )
        for row in rows:
            yield row[0], _entry(row[1:])

    def id_of(self, source: str) -> str | None:
        """Return what an id (or `TaxType:<organisation>:<code>`) of the source is in Xero."""
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
        """Look up many ids at once, so that `id_of` answers without a query."""
        wanted = [source for source in dict.fromkeys(sources) if source not in self._ids]
        if len(self._ids) + len(wanted) > _REMEMBERED:
            self._ids.clear()
        self._ids |= dict.fromkeys(wanted)
        found = in_chunks(
            self._db, "SELECT source, xero FROM {id} WHERE scope = ? AND source", (self._scope,), wanted
        )
        self._ids |= {source: str(xero) for source, xero in found}

    def pending(self) -> list[PendingWrite]:
        """Everything in flight, in the order it was sent."""
        rows = self._db.rows(
            "SELECT object, key, request, action, path, hash, body, job, sent_at FROM {flight} WHERE scope = ?"
            " ORDER BY sent_at, request, place",
            (self._scope,),
        )
        return [PendingWrite(o, k, r, a, p, h, decode(b), decode(j), s) for o, k, r, a, p, h, b, j, s in rows]

    # Writing down

    def sending(
        self,
        object_name: str,
        request: str,
        action: Action,
        path: str,
        sent_at: str,
        jobs: Iterable[tuple[str, str, bytes, bytes]],
    ) -> None:
        """Put the records of a request in flight: (identity, content hash, body, job) each, in its order, as JSON."""
        self._db.check()
        with self._db.change() as change:
            change.run_many(
                "INSERT INTO {flight} (scope, object, key, request, place, action, path, hash, body, job, sent_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (scope, object, key) DO UPDATE SET"
                " request = excluded.request, place = excluded.place, action = excluded.action,"
                " path = excluded.path, hash = excluded.hash, body = excluded.body, job = excluded.job,"
                " sent_at = excluded.sent_at",
                [
                    (
                        self._scope, object_name, key, request, place, action, path, content,
                        body.decode(), job.decode(), sent_at,
                    )
                    for place, (key, content, body, job) in enumerate(jobs)
                ],
            )  # fmt: skip

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
        """Take records out of flight, all at once.

        `written` are (identity, entry); `refused` the identities that Xero refused; `unsent` those that Xero certainly
        did not receive. `names` are (field, value, identity) under which records are found again, and `ids` what ids
        of the source are in Xero.
        """
        scope = self._scope
        named, ids = list(names), ids or {}
        entries, denied = list(written), list(refused)
        done = [*(key for key, _ in entries), *denied, *unsent]
        for key in done:
            self._foreseen.pop((object_name, key), None)
        for source in ids:
            self._ids.pop(source, None)
        with self._db.change() as change:
            change.run_many(
                "INSERT INTO {record} (scope, object, key, source, value, hash, xero_id, status, owner, parent, lines,"
                " attempts, written_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (scope, object, key) DO UPDATE SET"
                " hash = excluded.hash, xero_id = excluded.xero_id, status = excluded.status,"
                " owner = excluded.owner, parent = excluded.parent, lines = excluded.lines,"
                " attempts = excluded.attempts, written_at = excluded.written_at",
                [
                    (
                        scope, object_name, key, *own_values(key), entry.hash, entry.xero_id, entry.status, entry.owner,
                        entry.parent, None if entry.lines is None else ",".join(entry.lines), entry.attempts, at,
                    )
                    for key, entry in entries
                ],
            )  # fmt: skip
            change.run_many(
                "INSERT INTO {record} (scope, object, key, source, value, status, attempts)"
                " VALUES (?, ?, ?, ?, ?, '', 1)"
                " ON CONFLICT (scope, object, key) DO UPDATE SET attempts = {record}.attempts + 1",
                [(scope, object_name, key, *own_values(key)) for key in denied],
            )
            self.claims.note_sources(change, object_name, [*(key for key, _ in entries), *denied])
            change.run_many(
                "DELETE FROM {flight} WHERE scope = ? AND object = ? AND key = ?",
                [(scope, object_name, key) for key in done],
            )
            change.run_many(
                "DELETE FROM {name} WHERE scope = ? AND object = ? AND key = ?",
                [(scope, object_name, key) for key in {key for _, _, key in named}],
            )
            change.run_many(
                "INSERT INTO {name} (scope, object, name, key) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (scope, object, name) DO UPDATE SET key = excluded.key",
                [(scope, object_name, _named(field, value), key) for field, value, key in named],
            )
            change.run_many(
                "INSERT INTO {id} (scope, source, xero) VALUES (?, ?, ?)"
                " ON CONFLICT (scope, source) DO UPDATE SET xero = excluded.xero",
                [(scope, source, xero) for source, xero in ids.items()],
            )
        self._db.check()


def _entry(row: tuple[Any, ...]) -> LogEntry:
    content, xero_id, status, owner, parent, lines, attempts = row
    return LogEntry(
        content, xero_id, status or "", owner, parent, lines.split(",") if lines else None, attempts
    )


def _named(field: str, value: str) -> str:
    return f"{field}={' '.join(value.split()).casefold()}".replace("\0", "")
