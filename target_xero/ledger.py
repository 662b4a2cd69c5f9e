"""What has been written: by organisation, object and the source's key, the content's hash and Xero's id.

A small SQLite file. Before a request goes out, its records stand in it as in flight, with the request's
Idempotency-Key and what is sent; when the answer is there, they are written or refused. So a run that ends
anywhere leaves behind either a settled record or one that the next run looks up in Xero before it sends
anything.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock

from singer_xero.config import ConfigurationProblem
from target_xero.payload import decode

_VERSION = 1
#: Keys in one query: SQLite's oldest limit of variables is 999.
_AT_ONCE = 500
#: Ids that are kept in memory.
_REMEMBERED = 20_000
_TABLES = """
CREATE TABLE record (
    tenant TEXT, object TEXT, key TEXT, hash TEXT, xero_id TEXT, status TEXT, owner TEXT, parent TEXT, lines
    TEXT, attempts INTEGER NOT NULL DEFAULT 0, written_at TEXT, PRIMARY KEY (tenant, object, key)
) WITHOUT ROWID;
CREATE INDEX record_by_id ON record (tenant, object, xero_id);
CREATE INDEX record_by_parent ON record (tenant, object, parent) WHERE parent IS NOT NULL;
CREATE TABLE flight (
    tenant TEXT, object TEXT, key TEXT, request TEXT, place INTEGER, action TEXT, path TEXT, hash TEXT, body
    TEXT, job TEXT, sent_at TEXT, PRIMARY KEY (tenant, object, key)
) WITHOUT ROWID;
CREATE TABLE name (
    tenant TEXT, object TEXT, name TEXT, key TEXT, PRIMARY KEY (tenant, object, name)
) WITHOUT ROWID;
CREATE INDEX name_by_key ON name (tenant, object, key);
CREATE TABLE id (tenant TEXT, source TEXT, xero TEXT, PRIMARY KEY (tenant, source)) WITHOUT ROWID;
"""


@dataclass(slots=True)
class Entry:
    """What the ledger knows of a record.

    `hash` is that of the content last written, None if nothing was; `xero_id` Xero's id; `status` the status
    it was brought to ("" if it has none, DELETED once it is gone); `owner` the path of what it hangs on
    (`CreditNotes/<id>`); `lines` the ids of its line items in the order they were sent; `attempts` how many
    answers it has had, which goes into the Idempotency-Key so that sending the same again on purpose is not
    taken for a retry.
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
class Flight:
    """A record whose answer never came: what was asked of Xero, when (in Xero's time), and by which request."""

    object: str
    key: str
    request: str
    action: str
    path: str
    hash: str
    body: dict[str, Any]
    job: dict[str, Any]
    sent_at: str


class Ledger:
    """The ledger of one organisation; open it with `open_ledger`. Everything is on the disk when a method returns."""

    def __init__(self, connection: sqlite3.Connection, tenant: str) -> None:
        self._db = connection
        self._tenant = tenant
        self._foreseen: dict[tuple[str, str], Entry | None] = {}
        self._ids: dict[str, str | None] = {}

    # Looking up

    def foresee(self, object_name: str, keys: Iterable[str]) -> None:
        """Look up many records at once, so that `entry` answers without a query; the ones before are forgotten."""
        self._foreseen = {(object_name, key): None for key in keys}
        asked = [key for _, key in self._foreseen]
        for begin in range(0, len(asked), _AT_ONCE):
            part = asked[begin : begin + _AT_ONCE]
            asking = (
                "SELECT key, hash, xero_id, status, owner, parent, lines, attempts FROM record"
                " WHERE tenant = ? AND object = ? AND key IN (?" + ", ?" * (len(part) - 1) + ")"
            )
            for row in self._db.execute(asking, (self._tenant, object_name, *part)):
                self._foreseen[(object_name, row[0])] = _entry(row[1:])

    def entry(self, object_name: str, key: str) -> Entry | None:
        """What is known of a record of the source; None if it never got an answer."""
        try:
            return self._foreseen[(object_name, key)]
        except KeyError:
            pass
        row = self._db.execute(
            "SELECT hash, xero_id, status, owner, parent, lines, attempts FROM record"
            " WHERE tenant = ? AND object = ? AND key = ?",
            (self._tenant, object_name, key),
        ).fetchone()
        return None if row is None else _entry(row)

    def holder(self, object_name: str, xero_id: str) -> str | None:
        """The source key of the record that stands behind one of Xero's; None if the ledger has none."""
        found = self._db.execute(
            "SELECT key FROM record WHERE tenant = ? AND object = ? AND xero_id = ? ORDER BY key LIMIT 1",
            (self._tenant, object_name, xero_id),
        ).fetchone()
        return None if found is None else str(found[0])

    def number(self, object_name: str, owner: str, content: str) -> int:
        """How many records with this content were written as parts of one of Xero's."""
        found = self._db.execute(
            "SELECT count(*) FROM record WHERE tenant = ? AND object = ? AND owner = ? AND hash = ?",
            (self._tenant, object_name, owner, content),
        ).fetchone()
        return int(found[0])

    def by_name(self, object_name: str, field: str, value: str) -> str | None:
        """Xero's id of the record that was written under a name or number, whatever its case."""
        found = self._db.execute(
            "SELECT record.xero_id FROM name JOIN record USING (tenant, object, key)"
            " WHERE name.tenant = ? AND name.object = ? AND name.name = ?"
            " AND record.status NOT IN ('DELETED', 'VOIDED')",
            (self._tenant, object_name, _named(field, value)),
        ).fetchone()
        return None if found is None or found[0] is None else str(found[0])

    def has_names(self, object_name: str, names: Mapping[str, Iterable[tuple[str, str]]]) -> bool:
        """Whether records, by their keys, were written under all of these (field, value) already."""
        wanted = {_named(field, value): key for key, pairs in names.items() for field, value in pairs}
        for name, key in wanted.items():
            found = self._db.execute(
                "SELECT key FROM name WHERE tenant = ? AND object = ? AND name = ?",
                (self._tenant, object_name, name),
            ).fetchone()
            if found is None or found[0] != key:
                return False
        return True

    def children(self, object_name: str, parent: str) -> Iterator[tuple[str, Entry]]:
        """The parts that were written for a record and are still there."""
        rows = self._db.execute(
            "SELECT key, hash, xero_id, status, owner, parent, lines, attempts FROM record"
            " WHERE tenant = ? AND object = ? AND parent = ?"
            " AND hash IS NOT NULL AND status NOT IN ('DELETED', 'VOIDED') ORDER BY key",
            (self._tenant, object_name, parent),
        ).fetchall()
        for row in rows:
            yield row[0], _entry(row[1:])

    def id_of(self, source: str) -> str | None:
        """What an id (or `TaxType:<organisation>:<code>`) of the source became here."""
        try:
            return self._ids[source]
        except KeyError:
            pass
        found = self._db.execute(
            "SELECT xero FROM id WHERE tenant = ? AND source = ?", (self._tenant, source)
        ).fetchone()
        if len(self._ids) >= _REMEMBERED:
            self._ids.clear()
        self._ids[source] = None if found is None else str(found[0])
        return self._ids[source]

    def flights(self) -> list[Flight]:
        """Everything in flight, in the order it was sent."""
        rows = self._db.execute(
            "SELECT object, key, request, action, path, hash, body, job, sent_at FROM flight WHERE tenant = ?"
            " ORDER BY sent_at, request, place",
            (self._tenant,),
        ).fetchall()
        return [Flight(o, k, r, a, p, h, decode(b), decode(j), s) for o, k, r, a, p, h, b, j, s in rows]

    # Writing down

    @contextmanager
    def _change(self) -> Iterator[None]:
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            yield

    def sending(
        self,
        object_name: str,
        request: str,
        action: str,
        path: str,
        sent_at: str,
        jobs: Iterable[tuple[str, str, bytes, bytes]],
    ) -> None:
        """Put the records of a request in flight: (key, content hash, body, job) each, in its order, as JSON."""
        with self._change():
            self._db.executemany(
                "INSERT OR REPLACE INTO flight VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        self._tenant, object_name, key, request, place, action, path, content,
                        body.decode(), job.decode(), sent_at,
                    )
                    for place, (key, content, body, job) in enumerate(jobs)
                ],
            )  # fmt: skip

    def settle(
        self,
        object_name: str,
        written: Iterable[tuple[str, Entry]] = (),
        refused: Iterable[str] = (),
        unsent: Iterable[str] = (),
        names: Iterable[tuple[str, str, str]] = (),
        ids: Mapping[str, str] | None = None,
        at: str = "",
    ) -> None:
        """Take records out of flight, all at once.

        `written` are (key, entry), `refused` the keys of those that Xero answered with a refusal, `unsent` of
        those that surely were not received; `names` are (field, value, key) under which records are found
        again, `ids` what ids of the source became.
        """
        tenant = self._tenant
        named, ids = list(names), ids or {}
        entries, denied = list(written), list(refused)
        done = [*(key for key, _ in entries), *denied, *unsent]
        for key in done:
            self._foreseen.pop((object_name, key), None)
        for source in ids:
            self._ids.pop(source, None)
        with self._change():
            self._db.executemany(
                "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " hash = excluded.hash, xero_id = excluded.xero_id, status = excluded.status,"
                " owner = excluded.owner, parent = excluded.parent, lines = excluded.lines,"
                " attempts = excluded.attempts, written_at = excluded.written_at",
                [
                    (
                        tenant, object_name, key, entry.hash, entry.xero_id, entry.status, entry.owner, entry.parent,
                        None if entry.lines is None else ",".join(entry.lines), entry.attempts, at,
                    )
                    for key, entry in entries
                ],
            )  # fmt: skip
            self._db.executemany(
                "INSERT INTO record (tenant, object, key, status, attempts) VALUES (?, ?, ?, '', 1)"
                " ON CONFLICT DO UPDATE SET attempts = attempts + 1",
                [(tenant, object_name, key) for key in denied],
            )
            self._db.executemany(
                "DELETE FROM flight WHERE tenant = ? AND object = ? AND key = ?",
                [(tenant, object_name, key) for key in done],
            )
            self._db.executemany(
                "DELETE FROM name WHERE tenant = ? AND object = ? AND key = ?",
                [(tenant, object_name, key) for key in {key for _, _, key in named}],
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO name VALUES (?, ?, ?, ?)",
                [(tenant, object_name, _named(field, value), key) for field, value, key in named],
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO id VALUES (?, ?, ?)",
                [(tenant, source, xero) for source, xero in ids.items()],
            )


def _entry(row: tuple[Any, ...]) -> Entry:
    content, xero_id, status, owner, parent, lines, attempts = row
    return Entry(content, xero_id, status or "", owner, parent, lines.split(",") if lines else None, attempts)


def _named(field: str, value: str) -> str:
    return f"{field}={' '.join(value.split()).casefold()}"


@contextmanager
def open_ledger(path: Path, tenant: str, *, dry_run: bool = False) -> Iterator[Ledger]:
    """Open the ledger at `path` for one organisation, making it if there is none.

    One run at a time: another one that holds it is a ConfigurationProblem, as is a file that is no ledger. A
    dry run works on a copy in memory and leaves no trace.
    """
    if dry_run:
        connection = sqlite3.connect(":memory:", isolation_level=None)
        try:
            if path.exists():
                with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as kept:
                    kept.backup(connection)
                kept.close()
            _prepare(connection, path)
            yield Ledger(connection, tenant)
        finally:
            connection.close()
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(f"{path}.lock", timeout=0)
        lock.acquire()
    except filelock.Timeout:
        raise ConfigurationProblem(
            f"Another run is writing with the ledger {path}: wait for it, or give this one a ledger_path of its own."
        ) from None
    except OSError as error:
        raise ConfigurationProblem(f"ledger_path: {path} can't be written: {error.strerror}.") from None
    try:
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            _prepare(connection, path)
            yield Ledger(connection, tenant)
        finally:
            connection.close()
    finally:
        lock.release()


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables of a new ledger; ConfigurationProblem for a file that is none, or a newer one."""
    try:
        # What is in flight must survive a power cut, so every commit is flushed to the disk.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if version == 0 and tables == 0:
            connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {_VERSION}; COMMIT;")
        elif version != _VERSION:
            made = "by a newer version of singer-xero" if version > _VERSION else "by something else"
            raise ConfigurationProblem(
                f"ledger_path: {path} was made {made}; name another file, or update singer-xero."
            )
    except sqlite3.DatabaseError as error:
        raise ConfigurationProblem(f"ledger_path: {path} is not a ledger: {error}.") from None
