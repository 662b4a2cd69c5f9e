"""What a log of writes needs of the database that keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

#: Keys in one query: SQLite's oldest limit of variables is 999.
_AT_ONCE = 500


class Transaction(Protocol):
    """A transaction. Values stand for `?`, tables for their names in braces."""

    def run(self, statement: str, values: Sequence[Any] = ()) -> None:
        """Run one statement."""

    def run_many(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each row of values."""


class Database(Protocol):
    """The database of a log. Failures are a ConfigurationProblem that states what to do."""

    @property
    def place(self) -> str:
        """The name of the log for messages."""

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The answer to a query."""

    def change(self) -> AbstractContextManager[Transaction]:
        """One transaction: all of it is on the disk when it ends, or nothing of it."""

    def check(self) -> None:
        """Raise ConfigurationProblem if this run no longer holds the log."""

    def taken(self, scope: str, object_name: str, keys: Iterable[str]) -> set[str]:
        """Take over keys whose origin is unknown; returns those that another log has taken over before."""


def in_chunks(
    database: Database, query: str, values: Sequence[Any], wanted: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    """Return the answers to a query that ends in `IN ({})`, in as many parts as the wanted keys need."""
    for begin in range(0, len(wanted), _AT_ONCE):
        part = wanted[begin : begin + _AT_ONCE]
        marks = ", ".join("?" * len(part))
        yield from database.rows(f"{query} IN ({marks})", (*values, *part))
