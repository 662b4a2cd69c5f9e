"""The warehouse: a PostgreSQL or a DuckDB file, with the tap's tables in one schema and dbt's models in another."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol
from urllib.parse import quote

from singer_xero.errors import ConfigurationProblem

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")

Row = dict[str, Any]


class _Connection(Protocol):
    """The part of a connection that both drivers have."""

    def execute(self, query: Any) -> Any:
        """Run a query; the answer has `description` and `fetchall`."""

    def close(self) -> None:
        """Close the connection."""


class Warehouse(AbstractContextManager["Warehouse"]):
    """A read-only connection.

    Args:
        database: `postgresql://user:password@host/database`, or the path of a DuckDB file.
        models: the schema of dbt's models.
        tables: the schema of the tap's tables.

    Raises:
        ConfigurationProblem: the driver is not installed, there is no such database, or a schema's name is invalid.
    """

    def __init__(self, database: str, models: str, tables: str) -> None:
        for name in (models, tables):
            if not _NAME.fullmatch(name):
                raise ConfigurationProblem(f"'{name}' is not a valid name of a schema.")
        self.models, self.tables = models, tables
        self._connection = _connect(database)

    def ask(self, query: str) -> list[Row]:
        """The rows of a query, in which `{models}` and `{tables}` stand for the schemas."""
        answer = self._connection.execute(
            query.replace("{models}", self.models).replace("{tables}", self.tables)
        )
        names = [column[0] for column in answer.description]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def columns(self, schema: str) -> dict[str, set[str]]:
        """The tables of a schema and the names of their columns, in their own case."""
        found: dict[str, set[str]] = {}
        for row in self.ask(
            "SELECT table_name, column_name FROM information_schema.columns"
            f" WHERE lower(table_schema) = '{schema.lower()}'"
        ):
            found.setdefault(row["table_name"], set()).add(row["column_name"])
        return found

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()


def _connect(database: str) -> _Connection:
    scheme, separator, rest = database.partition("://")
    if separator and scheme.partition("+")[0] in {"postgres", "postgresql"}:
        try:
            import psycopg
        except ModuleNotFoundError:
            raise ConfigurationProblem(
                "For PostgreSQL install its driver too: pip install 'singer-xero[postgres]'"
            ) from None
        try:
            return psycopg.connect(f"postgresql://{rest}", autocommit=True)
        except psycopg.Error as error:
            raise ConfigurationProblem(f"No connection to PostgreSQL: {_first_line(error)}") from None
    path = Path(rest if separator else database)
    if separator and scheme != "duckdb":
        raise ConfigurationProblem(
            f"A warehouse is postgresql://… or the path of a DuckDB file, and not {scheme}://…"
        )
    try:
        import duckdb
    except ModuleNotFoundError:
        raise ConfigurationProblem("For DuckDB install it too: pip install 'singer-xero[duckdb]'") from None
    if not path.is_file():
        raise ConfigurationProblem(f"There is no DuckDB file {path}.")
    try:
        connection: _Connection = duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        raise ConfigurationProblem(f"{path} could not be opened: {_first_line(error)}") from None
    return connection


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def from_environment(environment: Mapping[str, str]) -> str | None:
    """The database that the environment names for dbt's profile of this project; None if it names none."""
    if environment.get("XERO_LEDGER_TARGET") == "duckdb":
        return environment.get("XERO_DUCKDB_PATH", "xero.duckdb")
    if url := environment.get("TARGET_POSTGRES_SQLALCHEMY_URL"):
        return url
    if database := environment.get("TARGET_POSTGRES_DATABASE"):
        user = quote(environment.get("TARGET_POSTGRES_USER", "postgres"), safe="")
        password = quote(environment.get("TARGET_POSTGRES_PASSWORD", ""), safe="")
        host = environment.get("TARGET_POSTGRES_HOST", "localhost")
        return f"postgresql://{user}:{password}@{host}:{environment.get('TARGET_POSTGRES_PORT', '5432')}/{database}"
    return None
