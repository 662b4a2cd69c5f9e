"""Tokens in PostgreSQL, for jobs on several machines: one row for each app, locked while it is refreshed.

It gives the same guarantees as the file: one refresh at a time, whose result is on the server's disk before it is used,
and a store that is proved writable before the old token is used. It needs the extra `postgres` (Psycopg).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from singer_xero.api.errors import TokenStoreError
from singer_xero.api.storage.postgres_address import BadAddress, postgres_address
from singer_xero.api.tokens.model import Kept

if TYPE_CHECKING:
    import psycopg

TABLE = "xero_tokens"

_VERSION = 1
# A refresh takes much less time, including its retries.
_LOCK_WAIT = 900.0

_CREATE = f"""CREATE TABLE IF NOT EXISTS {TABLE} (
    client_id text PRIMARY KEY,
    tokens text,
    checked_at timestamptz NOT NULL DEFAULT now()
)"""
# Its commit proves that the server can write, and creates the row to lock.
_PROVE = f"""INSERT INTO {TABLE} (client_id) VALUES (%s)
ON CONFLICT (client_id) DO UPDATE SET checked_at = now()"""  # noqa: S608
_READ = f"SELECT tokens FROM {TABLE} WHERE client_id = %s"  # noqa: S608
_WRITE = f"UPDATE {TABLE} SET tokens = %s, checked_at = now() WHERE client_id = %s"  # noqa: S608
# Only for this transaction, since a connection pool may give the session to others. A refresh may take longer than the
# server lets a transaction idle, and a commit must be on disk.
_SETTINGS = """SELECT set_config('lock_timeout', %s, true), set_config('statement_timeout', '0', true),
set_config('idle_in_transaction_session_timeout', '0', true),
set_config('synchronous_commit', replace(current_setting('synchronous_commit'), 'off', 'on'), true)"""

_MEND = "Set token_path to a PostgreSQL database in which this user may create and change a table."


@dataclass
class _Row:
    version: int
    tokens: Kept


class PostgresTokenStore:
    """A table of tokens; see `tokens.Store`. `path` names the database without user and password.

    `url` is as in `postgres_address`. Raises TokenStoreError if it can't be parsed or Psycopg is missing. It connects
    on first use.
    """

    def __init__(self, url: str) -> None:
        try:
            address = postgres_address("token_path", url)
        except BadAddress as problem:
            raise TokenStoreError(str(problem), advice=problem.advice) from None
        self._url, self._options, self._secrets = address.url, address.options, address.secrets
        self.path = address.shown
        self._mine = threading.local()

    def read(self, client_id: str) -> Kept | None:
        """The app's tokens; None if there are none."""
        mine: psycopg.Connection | None = getattr(self._mine, "connection", None)
        if mine:
            return self._decoded(self._text(mine, client_id))
        with self._connection() as connection:
            return self._decoded(self._text(connection, client_id))

    @contextmanager
    def locked(self, client_id: str) -> Iterator[None]:
        """Lock the app's row: `SELECT ... FOR UPDATE` in a transaction until the end.

        A write is committed first, to find out in time whether the server can store anything.
        """
        with self._connection() as connection:
            if not self._exists(connection):
                self._create(connection)
            self._begin(connection)
            connection.execute(_PROVE, [client_id])
            connection.commit()
            self._lock(connection, client_id)
            self._mine.connection = connection
            try:
                yield
            finally:
                self._mine.connection = None

    @contextmanager
    def successor(self, client_id: str) -> Iterator[Callable[[Kept | None], None]]:
        """Under the lock: yields `keep(kept)`, which commits; `keep(None)` deletes the tokens.

        If the connection broke while Xero answered, `keep` connects once more, and writes the row unless another
        process has changed it.
        """
        import psycopg

        connection: psycopg.Connection = self._mine.connection
        before = self._text(connection, client_id)

        def keep(kept: Kept | None) -> None:
            after = None if kept is None else msgspec.json.encode(_Row(_VERSION, kept)).decode()
            try:
                self._write(connection, client_id, after)
            except psycopg.OperationalError:
                with self._connection() as another:
                    now = self._lock(another, client_id)
                    if now == before:
                        self._write(another, client_id, after)
                    elif now != after:
                        raise TokenStoreError(
                            f"the tokens in {self.path} were changed by another process while the connection was lost",
                            advice="Run again.",
                        ) from None

        with self._one_line_errors():
            yield keep

    def _begin(self, connection: psycopg.Connection) -> None:
        connection.execute(_SETTINGS, [f"{_LOCK_WAIT * 1_000:.0f}ms"])

    def _write(self, connection: psycopg.Connection, client_id: str, text: str | None) -> None:
        connection.execute(_WRITE, [text, client_id])
        connection.commit()

    def _lock(self, connection: psycopg.Connection, client_id: str) -> str | None:
        self._begin(connection)
        found = connection.execute(f"{_READ} FOR UPDATE", [client_id]).fetchone()
        return found[0] if found else None

    def _text(self, connection: psycopg.Connection, client_id: str) -> str | None:
        if not self._exists(connection):
            return None
        found = connection.execute(_READ, [client_id]).fetchone()
        return found[0] if found else None

    def _decoded(self, text: str | None) -> Kept | None:
        if text is None:
            return None
        try:
            row = msgspec.json.decode(text, type=_Row)
        except msgspec.DecodeError:
            row = None
        if row is None or row.version != _VERSION:
            raise TokenStoreError(
                f"the tokens in {self.path} (table {TABLE}) are damaged, or of another version",
                advice="Delete the row and run `xero-login`, or put a new refresh_token into the configuration.",
            )
        return row.tokens

    def _exists(self, connection: psycopg.Connection) -> bool:
        # `CREATE TABLE IF NOT EXISTS` needs the privilege to create tables even if the table exists.
        found = connection.execute("SELECT to_regclass(%s) IS NOT NULL", [TABLE]).fetchone()
        return bool(found and found[0])

    def _create(self, connection: psycopg.Connection) -> None:
        import psycopg

        try:
            connection.execute(_CREATE)
            connection.commit()
        except (
            psycopg.errors.UniqueViolation,
            psycopg.errors.DuplicateObject,
            psycopg.errors.DuplicateTable,
        ):  # concurrent statements can fail in spite of IF NOT EXISTS
            connection.rollback()

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection]:
        import psycopg

        with self._one_line_errors():
            # Prepared statements do not outlive a transaction behind a connection pool.
            connection = psycopg.connect(
                self._url, prepare_threshold=None, application_name="singer-xero", **self._options
            )
            try:
                yield connection
            finally:
                connection.close()

    @contextmanager
    def _one_line_errors(self) -> Iterator[None]:
        import psycopg

        try:
            yield
        except psycopg.errors.LockNotAvailable:
            raise TokenStoreError(
                f"another process has held the tokens in {self.path} for {_LOCK_WAIT / 60:.0f} minutes",
                advice="End that process, or its session in PostgreSQL.",
            ) from None
        except psycopg.Error as error:
            # Only the first line of PostgreSQL's message: the others may show the row.
            words = (error.diag.message_primary or str(error) or type(error).__name__).strip()
            for secret in self._secrets:
                words = words.replace(secret, "***")
            raise TokenStoreError(
                f"the tokens can't be stored in {self.path}: {words}", advice=_MEND
            ) from None
