"""The interface between the log of writes and its database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

#: Keys in one query. Old versions of SQLite accept 999 variables.
_AT_ONCE = 500


@dataclass(frozen=True)
class Transaction:
    """A transaction. Values replace `?`, and tables their names in braces.

    `cursor` is one of the database's driver, and `translate` returns a statement in the driver's syntax.
    """

    cursor: Any
    translate: Callable[[str], str]

    def run(self, statement: str, values: Sequence[Any] = ()) -> None:
        """Run one statement."""
        self.cursor.execute(self.translate(statement), values)

    def run_many(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each row of values."""
        self.cursor.executemany(self.translate(statement), values)


class Database(Protocol):
    """The database of a log. Raises `ConfigurationProblem`, with advice, if it can't be used.

    `place` is the name of the log for messages.
    """

    place: str

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""

    def change(self) -> AbstractContextManager[Transaction]:
        """Open a transaction. When it ends, either all of it is on disk, or nothing."""

    def check(self) -> None:
        """Raise ConfigurationProblem if this run no longer holds the log."""

    def taken(self, scope: str, object_name: str, keys: Iterable[str]) -> set[str]:
        """Take over keys whose origin is unknown; returns those that another log has taken over before."""


def in_chunks(
    database: Database, query: str, values: Sequence[Any], wanted: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a query with the wanted keys appended as `IN (…)`, in as many queries as needed."""
    for statement, part in chunks(query, values, wanted):
        yield from database.rows(statement, part)


def chunks(
    statement: str, values: Sequence[Any], wanted: Sequence[str]
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield a statement with the wanted keys appended as `IN (…)`, and its values, as often as needed."""
    for begin in range(0, len(wanted), _AT_ONCE):
        part = wanted[begin : begin + _AT_ONCE]
        yield f"{statement} IN ({', '.join('?' * len(part))})", (*values, *part)
