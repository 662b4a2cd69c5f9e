"""The log of writes as a SQLite file, for one run at a time."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from singer_xero.api.storage import private_files
from singer_xero.errors import Busy, ConfigurationProblem
from target_xero.content.json_text import decode, encode
from target_xero.write_log.database import Transaction
from target_xero.write_log.identity import UNKNOWN_ORIGIN
from target_xero.write_log.in_flight import gathered
from target_xero.write_log.log import WriteLog
from target_xero.write_log.schema import OLD_FLIGHT, creation, insertion

_VERSION = 4
#: Bytes of a page, and kilobytes of pages in memory: the pages that change when many answers go to the tables.
_PAGE, _CACHE = 16_384, 8_000
#: Seconds to wait for another program that has locked the file.
_PATIENCE = 5.0
#: In a log that was copied: the copy that has taken over each key.
_TAKEN = """
CREATE TABLE IF NOT EXISTS taken (
    scope TEXT, object TEXT, key TEXT, log TEXT, PRIMARY KEY (scope, object, key)
) WITHOUT ROWID
"""
#: From the first version to the second, which knows the origin of each record.
_TO_SECOND = f"""
DROP INDEX record_by_parent;
ALTER TABLE record RENAME COLUMN tenant TO scope;
ALTER TABLE flight RENAME COLUMN tenant TO scope;
ALTER TABLE name RENAME COLUMN tenant TO scope;
ALTER TABLE id RENAME COLUMN tenant TO scope;
ALTER TABLE record ADD COLUMN source TEXT;
ALTER TABLE record ADD COLUMN value TEXT;
UPDATE record SET key = '{UNKNOWN_ORIGIN}' || key, parent = '{UNKNOWN_ORIGIN}' || parent;
UPDATE name SET key = '{UNKNOWN_ORIGIN}' || key;
UPDATE flight SET key = '{UNKNOWN_ORIGIN}' || key
"""
_ORIGINS = f"""
INSERT INTO origin SELECT DISTINCT scope, object, '{UNKNOWN_ORIGIN}' FROM record;
INSERT OR IGNORE INTO origin SELECT DISTINCT scope, object, '{UNKNOWN_ORIGIN}' FROM flight;
INSERT INTO organisation SELECT DISTINCT scope, '', '', '' FROM record
"""
#: Bytes that SQLite needs beside the log.
_LEAST_ROOM = 1 << 17
_SAYS_SO = "name another file with write_log_path, or update singer-xero"


class SqliteLog:
    """A log in a SQLite file (see `database.Database`); `path` is the file, also if the connection is a copy.

    `place` is the path of the file, or the name of the original of a copy.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, place: str = "") -> None:
        self._connection = connection
        self._path = path
        self.place = place or str(path)
        self._file: tuple[int, int] | None = None

    def guard(self) -> None:
        """Let `check` notice from now on if the file is removed or replaced."""
        self._file = _identity_of(self._path)

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with _one_line_errors(self._path):
            return self._connection.execute(plain(query), values).fetchall()

    @contextmanager
    def change(self) -> Iterator[Transaction]:
        """Open a transaction, which is flushed to the disk when it ends."""
        with _one_line_errors(self._path), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield Transaction(self._connection.cursor(), plain)

    def check(self) -> None:
        """Raise `ConfigurationProblem` if the file was removed or replaced, and save the content beside it."""
        if self._file is None or _identity_of(self._path) == self._file:
            return
        self._file = None
        kept = self._path.with_name(f"{self._path.name}.rescued")
        try:
            private_files.replace(kept, b"", kept.with_name(f"{kept.name}.new"))
            with closing(sqlite3.connect(kept)) as copy:
                self._connection.backup(copy)
        except (OSError, sqlite3.Error) as error:
            outcome = f"its content could not be saved ({error})"
        else:
            outcome = f"its content is in {kept}: move that file to its place before the next run"
        raise ConfigurationProblem(
            f"The log of writes {self._path} was removed or replaced during the run; {outcome}. Nothing more was sent."
        )

    def taken(self, scope: str, object_name: str, keys: Iterable[str]) -> set[str]:
        """Take over keys, also in the original of this copy; returns those that another copy has taken."""
        found = self.rows("SELECT value FROM about WHERE name = 'copy of'")
        if not found or not Path(found[0][0]).exists():
            return set()
        refused: set[str] = set()
        with (
            _one_line_errors(Path(found[0][0])),
            closing(sqlite3.connect(found[0][0], isolation_level=None)) as original,
            original,
        ):
            original.execute("BEGIN IMMEDIATE")
            original.execute(_TAKEN)
            for key in keys:
                asked = (scope, object_name, key)
                original.execute("INSERT OR IGNORE INTO taken VALUES (?, ?, ?, ?)", (*asked, self.place))
                by = original.execute(
                    "SELECT log FROM taken WHERE scope = ? AND object = ? AND key = ?", asked
                ).fetchone()
                if by[0] != self.place:
                    refused.add(key)
        return refused


def _identity_of(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@lru_cache(maxsize=256)
def plain(statement: str) -> str:
    """Return a statement with the names of the tables."""
    return statement.replace("{", "").replace("}", "")


@contextmanager
def open_sqlite_log(
    path: Path, tenant: str, *, dry_run: bool = False, copy_of: Path | None = None
) -> Iterator[WriteLog]:
    """Open the log at `path` for one organisation. A new log is created, as a copy of `copy_of` if that exists.

    Raises `Busy` if another run uses the log, and `ConfigurationProblem` for a file that is no log. A dry run uses a
    copy in memory.
    """
    original = copy_of if copy_of and copy_of.exists() and not path.exists() else None
    if dry_run:
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
            _copy(original or path, connection)
            make_tables(connection, path)
            with WriteLog(SqliteLog(connection, path), tenant) as opened:
                yield opened
        return
    with ExitStack() as held:
        try:
            held.enter_context(private_files.locked(path, 0))
            private_files.secure(path)
        except private_files.LockHeld:
            raise Busy(
                f"Another run is writing with the log of writes {path}: wait for it, or give this one a "
                "write_log_path of its own."
            ) from None
        except OSError as error:
            raise ConfigurationProblem(
                f"write_log_path: {path} can't be written: {error.strerror or error}."
            ) from None
        connection = held.enter_context(
            closing(sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None))
        )
        if original:
            _copy(original, connection)
        make_tables(connection, path)
        log = SqliteLog(connection, path)
        if original:
            with log.change() as change:
                change.run("INSERT INTO about VALUES ('copy of', ?)", (str(original),))
        log.guard()
        with WriteLog(log, tenant) as opened:
            yield opened


def _copy(path: Path, connection: sqlite3.Connection) -> None:
    """Copy a log, if it exists, to a connection."""
    try:
        private_files.secure(path, create=False)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigurationProblem(
            f"write_log_path: {path} can't be read: {error.strerror or error}."
        ) from None
    with (
        _one_line_errors(path),
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as kept,
    ):
        kept.backup(connection)


def make_tables(connection: sqlite3.Connection, path: Path) -> None:
    """Create or upgrade the tables. Raises `ConfigurationProblem` for a file that is no log."""
    with _one_line_errors(path):
        # The rows of requests and answers have many kilobytes. A log that exists keeps its size of pages.
        connection.execute(f"PRAGMA page_size = {_PAGE}")
        connection.execute(f"PRAGMA cache_size = -{_CACHE}")
        # Rows that are deleted need not be overwritten, which would write them a second time.
        connection.execute("PRAGMA secure_delete = FAST")
        # Every commit must survive a power failure.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if version == _VERSION:
            return
        if not (version == tables == 0 or 1 <= version < _VERSION):
            made = "by a newer version of singer-xero" if version > _VERSION else "by something else"
            raise ConfigurationProblem(f"write_log_path: {path} was made {made}: {_SAYS_SO}.")
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            _upgrade(connection, version)
            connection.execute(f"PRAGMA user_version = {_VERSION}")


def _upgrade(connection: sqlite3.Connection, version: int) -> None:
    """Upgrade a log of an earlier version, or create its tables (version 0).

    Version 3 has the same tables, but the programs that made it can't read the lines that version 4 stores.
    """
    if version == 1:
        _run(connection, _TO_SECOND.split(";"))
    _run(connection, creation())
    if version == 1:
        _run(connection, _ORIGINS.split(";"))
        _rename_in_flight(connection)
    if version in {1, 2}:
        rows = gathered(connection.execute(plain(OLD_FLIGHT)).fetchall())
        connection.executemany(plain(insertion("request")), rows)
        connection.execute("DROP TABLE flight")


def _run(connection: sqlite3.Connection, statements: Iterable[str]) -> None:
    for statement in statements:
        connection.execute(plain(statement))


def _rename_in_flight(connection: sqlite3.Connection) -> None:
    """Rename the keys of records in flight, also in their jobs."""
    rows = connection.execute("SELECT scope, object, key, job FROM flight").fetchall()
    for *place, kept in rows:
        operation = decode(kept)
        job = operation["job"]
        job["key"] = f"{UNKNOWN_ORIGIN}{job['key']}"
        if job.get("parent"):
            name, key, field = job["parent"]
            job["parent"] = [name, f"{UNKNOWN_ORIGIN}{key}", field]
        for name, keys in (job.get("parts") or {}).items():
            job["parts"][name] = [f"{UNKNOWN_ORIGIN}{key}" for key in keys]
        connection.execute(
            "UPDATE flight SET job = ? WHERE scope = ? AND object = ? AND key = ?",
            (encode(operation).decode(), *place),
        )


@contextmanager
def _one_line_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.ProgrammingError, sqlite3.IntegrityError):
        raise
    except sqlite3.DatabaseError as error:
        raise ConfigurationProblem(_message(path, error)) from None


def _message(path: Path, error: sqlite3.DatabaseError) -> str:
    """Return the message for an error of SQLite, with advice."""
    primary = error.sqlite_errorcode & 0xFF
    # SQLite reports an I/O error if the disk has no space for its shared memory.
    is_full = primary == sqlite3.SQLITE_IOERR and shutil.disk_usage(path.parent).free < _LEAST_ROOM
    if primary == sqlite3.SQLITE_FULL or is_full:
        return (
            f"The disk has no space left for the log of writes {path}: free some and run again. The next run looks up "
            "in Xero what was in flight."
        )
    if primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return f"Another program holds the log of writes {path}: close it and run again."
    if primary == sqlite3.SQLITE_NOTADB:
        return f"write_log_path: {path} is not a log of writes: {_SAYS_SO}."
    if primary == sqlite3.SQLITE_CORRUPT:
        return f"The log of writes {path} is damaged ({error}): restore it from a backup."
    return f"write_log_path: the log of writes {path} can't be used: {error}."
