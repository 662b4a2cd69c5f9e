"""The log of writes in PostgreSQL, for jobs on several machines.

It has the same guarantees as the file: changes are on the server's disk when a transaction ends, and only one run at a
time uses the log of a source for an organisation. Each source has its own log in the database. Requires the extra
`postgres` (Psycopg).
"""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_xero.api.redaction import redact
from singer_xero.api.storage.postgres_address import BadAddress, PostgresAddress, postgres_address
from singer_xero.errors import Busy, ConfigurationProblem
from target_xero.write_log.database import Transaction
from target_xero.write_log.in_flight import gathered
from target_xero.write_log.log import WriteLog
from target_xero.write_log.schema import OF_ORGANISATION, OLD_FLIGHT, columns_of, creation, insertion
from target_xero.write_log.sqlite_log import SqliteLog, make_tables, plain

if TYPE_CHECKING:
    import psycopg

PREFIX = "xero_writes_"
_VERSION = "3"
# Set for the transaction only, because a pool may give the session to other clients. A commit must be on the disk, and
# the transaction that holds the lock is idle during the whole run.
_SETTINGS = """SELECT set_config('lock_timeout', '60s', true), set_config('statement_timeout', '0', true),
set_config('idle_in_transaction_session_timeout', '0', true),
set_config('synchronous_commit', replace(current_setting('synchronous_commit'), 'off', 'on'), true)"""
# A lock of the transaction, so that a pool can't give its session to other clients. It needs no row and no transaction
# id, so that it does not hold up vacuuming.
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))"
_ALIVE: dict[str, Any] = {
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}


class PostgresLog:
    """The log of one source and organisation in PostgreSQL (see `database.Database`).

    `place` is the address without user and password.
    """

    def __init__(
        self, work: psycopg.Connection, guard: psycopg.Connection, address: PostgresAddress, scope: str
    ) -> None:
        self._work, self._guard, self._address, self._scope = work, guard, address, scope
        self._holder = str(uuid.uuid4())
        self.place = address.shown

    def take(self) -> None:
        """Hold the log for this run; ConfigurationProblem if another run has it."""
        with _one_line_errors(self._address):
            self._guard.execute(_SETTINGS)
            row = self._guard.execute(_LOCK, [f"{PREFIX}{self._scope}"]).fetchone()
            if not row or not row[0]:
                raise Busy(
                    f"Another run is writing with the log of writes in {self.place}: wait for it, or give this one a "
                    "write_log_path or a source of its own."
                )
            with self._work.transaction():
                self._work.execute(_SETTINGS)
                Transaction(self._work.cursor(), _own).run(
                    "INSERT INTO {holder} (scope, holder) VALUES (?, ?)"
                    " ON CONFLICT (scope) DO UPDATE SET holder = excluded.holder",
                    [self._scope, self._holder],
                )

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with _one_line_errors(self._address):
            return self._work.execute(_own(query), values).fetchall()

    @contextmanager
    def change(self) -> Iterator[Transaction]:
        """Open a transaction, which is on the server's disk when it ends; only while this run holds the log."""
        with _one_line_errors(self._address), self._work.transaction():
            self._work.execute(_SETTINGS)
            held = self._work.execute(
                _own("SELECT holder FROM {holder} WHERE scope = ? FOR UPDATE"), [self._scope]
            ).fetchone()
            if held is None or held[0] != self._holder:
                raise ConfigurationProblem(
                    f"The log of writes in {self.place} was emptied or taken over by another run. Nothing more was "
                    "sent."
                )
            yield Transaction(self._work.cursor(), _own)

    def check(self) -> None:
        """Raise `ConfigurationProblem` if the connection that holds the lock is lost."""
        with _one_line_errors(self._address):
            self._guard.execute("SELECT 1")

    def taken(self, scope: str, object_name: str, keys: Iterable[str]) -> set[str]:  # noqa: ARG002
        """Return nothing: such a log is never a copy."""
        return set()


@contextmanager
def open_postgres_log(url: str, source: str, tenant: str, *, dry_run: bool = False) -> Iterator[WriteLog]:
    """Open the log of a source for one organisation, making its tables if there are none.

    One run at a time: another one that holds it is a ConfigurationProblem, as is a database that can't be used. A dry
    run works on a copy in memory and leaves no trace.
    """
    try:
        address = postgres_address("write_log_path", os.path.expandvars(url))
    except BadAddress as problem:
        raise ConfigurationProblem(f"{problem}. {problem.advice}") from None
    prefix = f"{source}/"
    scope = f"{prefix}{tenant}"
    with _connected(address) as work:
        if dry_run:
            with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
                make_tables(copy, Path(address.shown))
                _copy(work, address, scope, copy)
                with WriteLog(SqliteLog(copy, Path(address.shown), address.shown), scope, prefix) as opened:
                    yield opened
            return
        _prepare(work, address)
        with _connected(address, autocommit=False) as guard:
            log = PostgresLog(work, guard, address, scope)
            log.take()
            with WriteLog(log, scope, prefix) as opened:
                yield opened


@contextmanager
def _connected(address: PostgresAddress, *, autocommit: bool = True) -> Iterator[psycopg.Connection]:
    import psycopg

    with _one_line_errors(address):
        # Prepared statements don't outlast a transaction behind a pool.
        connection = psycopg.connect(
            address.url,
            autocommit=autocommit,
            prepare_threshold=None,
            application_name="singer-xero",
            **_ALIVE,
            **address.options,
        )
    with closing(connection):
        yield connection


def _prepare(connection: psycopg.Connection, address: PostgresAddress) -> None:
    """Create or upgrade the tables. Raises `ConfigurationProblem` for those of a newer version."""
    import psycopg

    with _one_line_errors(address):
        version = _version(connection)
        if version in {None, "1", "2"}:
            try:
                with connection.transaction():
                    _make_tables(connection)
            except (
                psycopg.errors.UniqueViolation,
                psycopg.errors.DuplicateObject,
                psycopg.errors.DuplicateTable,
            ):  # of several runs at once, all but one get this error in spite of IF NOT EXISTS
                pass
            version = _version(connection)
    if version != _VERSION:
        raise ConfigurationProblem(
            f"write_log_path: the log of writes in {address.shown} is of another version: update singer-xero, or name "
            "another database."
        )


def _version(connection: psycopg.Connection) -> str | None:
    """Return the version of the tables; None if there are none."""
    # `CREATE TABLE IF NOT EXISTS` needs the right to create tables even where there is one.
    there = connection.execute("SELECT to_regclass(%s) IS NOT NULL", [f"{PREFIX}about"]).fetchone()
    if not there or not there[0]:
        return None
    found = connection.execute(_own("SELECT value FROM {about} WHERE name = 'version'")).fetchone()
    return str(found[0]) if found else None


def _make_tables(connection: psycopg.Connection) -> None:
    """Create the tables, or upgrade those of an earlier version.

    Version 2 has the same tables, but the programs that made it can't read the lines that version 3 stores.
    """
    change = Transaction(connection.cursor(), _own)
    for statement in creation():
        change.run(statement.replace(" blob", " bytea"))
    change.run("CREATE TABLE IF NOT EXISTS {holder} (scope text PRIMARY KEY, holder text)")
    # Only one run at a time; the others then find the new version.
    change.run("LOCK TABLE {about}")
    if _version(connection) == "1":
        # A run of an earlier version can't log requests without this table, and stops.
        change.run("LOCK TABLE {flight}")
        rows = gathered(connection.execute(_own(OLD_FLIGHT)).fetchall())
        change.run_many(insertion("request"), rows)
        change.run("DROP TABLE {flight}")
    change.run(
        "INSERT INTO {about} (name, value) VALUES ('version', ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [_VERSION],
    )


def _copy(
    connection: psycopg.Connection, address: PostgresAddress, scope: str, copy: sqlite3.Connection
) -> None:
    """Copy a log from the database to a log in memory."""
    with _one_line_errors(address):
        version = _version(connection)
        if version is None:
            return
        is_old = version == "1"
        to = Transaction(copy.cursor(), plain)
        like = scope.rpartition("/")[0]
        for name in OF_ORGANISATION:
            if is_old and name in {"request", "settled"}:
                continue
            # All organisations of the log are needed, but only the records of this one.
            where = "left(scope, %s) = %s" if name == "organisation" else "scope = %s"
            values = [len(like) + 1, f"{like}/"] if name == "organisation" else [scope]
            query = f"SELECT {', '.join(columns_of(name))} FROM {PREFIX}{name} WHERE {where}"
            to.run_many(insertion(name), connection.execute(query, values).fetchall())
        if is_old:
            to.run_many(insertion("request"), gathered(connection.execute(_own(OLD_FLIGHT)).fetchall()))


@lru_cache(maxsize=256)
def _own(statement: str) -> str:
    """Return a statement in the syntax of Psycopg, with the names of the tables."""
    return statement.replace("{", PREFIX).replace("}", "").replace("?", "%s")


@contextmanager
def _one_line_errors(address: PostgresAddress) -> Iterator[None]:
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        # Only the first line of the message, because the others may contain values of the row.
        words = (error.diag.message_primary or str(error) or type(error).__name__).strip().splitlines()[0]
        for secret in address.secrets:
            words = words.replace(secret, "***")
        raise ConfigurationProblem(
            f"write_log_path: the log of writes in {address.shown} can't be used: {redact(words)}. The next run looks "
            "up in Xero what was under way."
        ) from None
