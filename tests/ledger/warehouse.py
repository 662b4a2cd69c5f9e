"""The tap's messages as tables, in PostgreSQL as target-postgres makes them and in DuckDB as target-duckdb does.

An own loader keeps the tests of the models fast. Tests that run Meltano show that the real target-postgres makes the
same tables.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import psycopg

Message = dict[str, Any]


def read_messages(lines: Iterable[bytes | str]) -> Iterator[Message]:
    """Singer messages with exact numbers."""
    for line in lines:
        yield json.loads(line, parse_float=Decimal)


class Table:
    """The rows of one stream, the newest of each key."""

    def __init__(self, schema: Message) -> None:
        self.properties: dict[str, Message] = schema["schema"]["properties"]
        self.key: list[str] = schema["key_properties"]
        self.rows: dict[tuple[Any, ...], Message] = {}

    def add(self, record: Message) -> None:
        key = tuple(record.get(name) for name in self.key)
        self.rows[key] = {**self.rows.get(key, {}), **record}


def tables_of(messages: Iterable[Message], into: dict[str, Table] | None = None) -> dict[str, Table]:
    """Tables by stream, as in an upserting target; ACTIVATE_VERSION is ignored."""
    found = {} if into is None else into
    for message in messages:
        if message["type"] == "SCHEMA":
            table = found.setdefault(message["stream"], Table(message))
            table.properties = message["schema"]["properties"]
        elif message["type"] == "RECORD":
            found[message["stream"]].add(message["record"])
    return found


def _kind(schema: Message) -> str:
    types = schema.get("type", [])
    names = {types} if isinstance(types, str) else set(types)
    for one in schema.get("anyOf", ()):
        names |= {one["type"]} if isinstance(one["type"], str) else set(one["type"])
    if names & {"object", "array"}:
        return "json"
    if schema.get("format") in {"date", "date-time"}:
        return str(schema["format"])
    return next((name for name in ("number", "integer", "boolean") if name in names), "string")


def _value(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind == "json":
        return json.dumps(value, default=str)
    if kind == "date-time":
        return datetime.fromisoformat(value).replace(tzinfo=None)
    return value


class Warehouse:
    """A database with the tap's tables in one schema (`raw`) and dbt's in another (`made`)."""

    TYPES: ClassVar[dict[str, str]]
    NOW: ClassVar[str]
    raw: str
    made: str

    def load(self, tables: dict[str, Table]) -> None:
        """Create the tables again with these rows."""
        raise NotImplementedError

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a query, `%s` for a value; `{raw}` and `{made}` stand for the two schemas."""
        raise NotImplementedError

    def do(self, statement: str) -> None:
        """Run a statement."""
        raise NotImplementedError

    def _named(self, text: str) -> str:
        return text.replace("{raw}", self.raw).replace("{made}", self.made)

    def _empty_tables(
        self, connection: Any, tables: dict[str, Table]
    ) -> Iterator[tuple[str, Table, dict[str, str]]]:
        """Create the tables; yields the name, the rows and the kinds of the columns of each."""
        connection.execute(f"DROP SCHEMA IF EXISTS {self.raw} CASCADE; CREATE SCHEMA {self.raw}")
        for stream, table in tables.items():
            kinds = {name: _kind(schema) for name, schema in table.properties.items()}
            columns = ", ".join(f'"{name}" {self.TYPES[kind]}' for name, kind in kinds.items())
            connection.execute(
                f"CREATE TABLE {self.raw}.{stream} ({columns}, _sdc_deleted_at timestamp,"
                f" _sdc_extracted_at timestamp default {self.NOW})"
            )
            yield stream, table, kinds


class Postgres(Warehouse):
    NOW = "now()"
    TYPES = {
        "string": "text", "number": "numeric", "integer": "bigint", "boolean": "boolean", "date": "date",
        "date-time": "timestamp", "json": "jsonb",
    }  # fmt: skip

    def __init__(self, url: str, name: str) -> None:
        self.url, self.raw, self.made = url, f"{name}_raw", f"{name}_made"

    def load(self, tables: dict[str, Table]) -> None:
        with psycopg.connect(self.url) as connection:
            for stream, table, kinds in self._empty_tables(connection, tables):
                names = ", ".join(f'"{name}"' for name in kinds)
                with connection.cursor().copy(f"COPY {self.raw}.{stream} ({names}) FROM STDIN") as copy:
                    for row in table.rows.values():
                        copy.write_row([_value(kind, row.get(name)) for name, kind in kinds.items()])

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(self._named(query), values or None).fetchall()

    def do(self, statement: str) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(self._named(statement))

    def drop(self) -> None:
        self.do("DROP SCHEMA IF EXISTS {raw} CASCADE; DROP SCHEMA IF EXISTS {made} CASCADE")


class DuckDB(Warehouse):
    NOW = "current_localtimestamp()"
    #: target-duckdb has no exact numbers and stores days as text.
    TYPES = {
        "string": "varchar", "number": "double", "integer": "hugeint", "boolean": "boolean", "date": "varchar",
        "date-time": "timestamp", "json": "json",
    }  # fmt: skip

    def __init__(self, path: Path) -> None:
        self.path, self.raw, self.made = path, "tap_xero", "xero_ledger"

    def load(self, tables: dict[str, Table]) -> None:
        with duckdb.connect(str(self.path)) as connection:
            for stream, table, kinds in self._empty_tables(connection, tables):
                file = self.path.with_suffix(f".{stream}.jsonl")
                with file.open("w", encoding="utf-8") as out:
                    for row in table.rows.values():
                        line = {name: self._plain(kind, row.get(name)) for name, kind in kinds.items()}
                        out.write(f"{json.dumps(line, default=str)}\n")
                if table.rows:
                    read = ", ".join(f"'{name}': '{self.TYPES[kind]}'" for name, kind in kinds.items())
                    names = ", ".join(f'"{name}"' for name in kinds)
                    connection.execute(
                        f"INSERT INTO {self.raw}.{stream} ({names}) SELECT {names} FROM read_json('{file}',"
                        f" format='newline_delimited', columns={{{read}}})"
                    )
                file.unlink()

    @staticmethod
    def _plain(kind: str, value: Any) -> Any:
        if kind == "json":
            return value
        return float(value) if kind == "number" and value is not None else _value(kind, value)

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.path), read_only=True) as connection:
            return connection.execute(self._named(query).replace("%s", "?"), list(values)).fetchall()

    def do(self, statement: str) -> None:
        with duckdb.connect(str(self.path)) as connection:
            connection.execute(self._named(statement))
