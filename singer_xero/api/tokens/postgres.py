"""Tokens in PostgreSQL, for jobs on several machines: one row per app, locked for as long as it is refreshed.

The same promises as the file of `tokens`: one refresh at a time, its result on the server's disk before it is used,
and the place proved before the predecessor is used up. Needs the extra `postgres` (Psycopg).
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from singer_xero.api.errors import TokenStoreError
from singer_xero.api.storage.postgres_address import BadAddress, postgres_address
from singer_xero.api.tokens.model import Kept

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

TABLE = "xero_tokens"

_VERSION = 1
# A refresh ends long before, however often it is tried again.
_LOCK_WAIT = 900.0

_CREATE = f"""CREATE TABLE IF NOT EXISTS {TABLE} (
    client_id text PRIMARY KEY,
    tokens text,
    checked_at timestamptz NOT NULL DEFAULT now()
)"""
# Once committed it proves that a write lasts, and makes the row that is to be locked.
_PROVE = f"""INSERT INTO {TABLE} (client_id) VALUES (%s)
ON CONFLICT (client_id) DO UPDATE SET checked_at = now()"""  # noqa: S608
_READ = f"SELECT tokens FROM {TABLE} WHERE client_id = %s"  # noqa: S608
_WRITE = f"UPDATE {TABLE} SET tokens = %s, checked_at = now() WHERE client_id = %s"  # noqa: S608
# For this transaction alone, as a pool between us and the server may give the session to others: a refresh may take
# longer than the server lets a transaction idle, and a commit must be on the disk.
_SETTINGS = """SELECT set_config('lock_timeout', %s, true), set_config('statement_timeout', '0', true),
set_config('idle_in_transaction_session_timeout', '0', true),
set_config('synchronous_commit', replace(current_setting('synchronous_commit'), 'off', 'on'), true)"""

_MEND = "Set token_path to a PostgreSQL database in which this user may create and change a table."


@dataclass
class _Row:
    version: int
    tokens: Kept


class PostgresTokenStore:
    """A table of tokens; see `tokens.Store`. `path` shows the database, never user or password.

    `url` is libpq's `postgresql://user:password@host:port/database`; what it leaves out comes from libpq's own
    variables and files (PGPASSWORD, ~/.pgpass). TokenStoreError if it can't be
    understood or Psycopg is missing; nothing is connected before it is needed.
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
        """The app's tokens, None if there are none."""
        mine: psycopg.Connection | None = getattr(self._mine, "connection", None)
        if mine:
            return self._decoded(self._text(mine, client_id))
        with self._connection() as connection:
            return self._decoded(self._text(connection, client_id))

    @contextmanager
    def locked(self, client_id: str) -> Iterator[None]:
        """Hold the app's row: `SELECT ... FOR UPDATE` in a transaction that lasts until the end.

        Before that a write is committed, so that a server that can't keep anything is noticed in time.
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
        """Under the lock: gives `keep(kept)`, which commits; `keep(None)` takes the tokens out.

        A connection that broke while Xero answered is made anew, once, and the row written if nobody else has changed
        it meanwhile.
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
        # `CREATE TABLE IF NOT EXISTS` needs the right to create tables even where there is one.
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
        ):  # of several at once, all but one are told so in spite of IF NOT EXISTS
            connection.rollback()

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection]:
        import psycopg

        with self._one_line_errors():
            # Prepared statements don't outlast a transaction behind a pool.
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
            # Only the first line of what PostgreSQL says: the others may show the row.
            words = (error.diag.message_primary or str(error) or type(error).__name__).strip()
            for secret in self._secrets:
                words = words.replace(secret, "***")
            raise TokenStoreError(
                f"the tokens can't be stored in {self.path}: {words}", advice=_MEND
            ) from None
