"""The tables of the log of writes, in SQLite and in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

#: The columns of each table.
TABLES: Mapping[str, str] = {
    "record": "scope text, object text, key text, hash text, xero_id text, status text, owner text, parent text,"
    " lines text, attempts integer NOT NULL DEFAULT 0, written_at text, source text, value text,"
    " PRIMARY KEY (scope, object, key)",
    "name": "scope text, object text, name text, key text, PRIMARY KEY (scope, object, name)",
    "id": "scope text, source text, xero text, PRIMARY KEY (scope, source)",
    # Records that are in flight, and answers that are not in the tables yet.
    "request": "scope text, request text, object text, action text, path text, sent_at text, records blob,"
    " PRIMARY KEY (scope, request)",
    "settled": "scope text, number integer, content blob, PRIMARY KEY (scope, number)",
    "origin": "scope text, object text, source text, PRIMARY KEY (scope, object, source)",
    "organisation": "scope text PRIMARY KEY, name text, began_at text, complete_at text",
    "about": "name text PRIMARY KEY, value text",
}
_INDEXES = (
    "record_by_id ON {record} (scope, object, xero_id)",
    "record_by_parent ON {record} (scope, parent, object) WHERE parent IS NOT NULL",
    "record_by_value ON {record} (scope, object, value) WHERE value IS NOT NULL",
    "name_by_key ON {name} (scope, object, key)",
)
#: The tables of one organisation.
OF_ORGANISATION = tuple(name for name in TABLES if name != "about")
#: The requests in flight in a log of an earlier version, which has a row for each record.
OLD_FLIGHT = (
    "SELECT scope, request, object, action, path, sent_at, key, hash, body, job FROM {flight}"
    " ORDER BY scope, request, place"
)


def creation(ending: str = "") -> Iterator[str]:
    """Return the statements that create what is missing of tables and indexes; `ending` ends those of tables."""
    for name, columns in TABLES.items():
        yield f"CREATE TABLE IF NOT EXISTS {{{name}}} ({columns}){ending}"
    for index in _INDEXES:
        yield f"CREATE INDEX IF NOT EXISTS {index}"


def insertion(table: str) -> str:
    """Return the statement that inserts a row into a table."""
    columns = columns_of(table)
    return f"INSERT INTO {{{table}}} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def columns_of(table: str) -> list[str]:
    """Return the names of the columns of a table."""
    return [column.split()[0] for column in TABLES[table].split(", PRIMARY KEY (")[0].split(", ")]
