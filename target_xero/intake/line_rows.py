"""Keeps the rows of tables that have a row for each line on disk until the input ends.

The rows of a document may be anywhere in the table, so no document is complete before the end. Rows are kept in a
temporary database; then the rows of each document are read together, in the order of their first rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

import msgspec

from target_xero.content.payload import Content
from target_xero.content.values import InvalidRecord
from target_xero.intake.spool import room_for_spool

_TABLES = """
CREATE TABLE document (
    number INTEGER PRIMARY KEY, object TEXT, stream TEXT, identity TEXT, version TEXT, name TEXT,
    UNIQUE (object, stream, identity, version)
);
CREATE INDEX document_by_name ON document (object, stream, name) WHERE name <> '';
CREATE TABLE line (document INTEGER, number INTEGER PRIMARY KEY, row BLOB);
CREATE INDEX line_by_document ON line (document, number);
"""


class Row(msgspec.Struct, omit_defaults=True):
    """One row: its content, with its line, and its problems.

    `number` is its place in the stream, `place` the place of its message in the spool, `epoch` the number of states
    before it. `key` and `line_number` are those of the line; `is_keyed` tells whether the source's key distinguishes
    the lines.
    """

    number: int
    place: int
    epoch: int
    sent: dict[str, Any]
    aside: dict[str, Any] = {}
    problems: list[str] = []
    tenant: str | None = None
    gone: bool = False
    key: str = ""
    line_number: str = ""
    is_keyed: bool = False


class Place(NamedTuple):
    """The document that a row belongs to.

    `identity` distinguishes it within its stream, and `version` separates rows of different rejects. `name` is what
    distinguishes it in Xero, if rows of one name must have one identity.
    """

    object: str
    stream: str
    identity: str
    version: str = ""
    name: str = ""


class Document(NamedTuple):
    """The rows of a document; `is_torn` is set if another document of the stream has the same name."""

    place: Place
    rows: Sequence[Row]
    is_torn: bool


class RowSpool:
    """Keeps rows in a temporary database, which is deleted when the process ends."""

    def __init__(self) -> None:
        # Without a name, SQLite uses a temporary file and keeps only a small part of it in memory.
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(_TABLES)
        self._db.execute("BEGIN")
        self._encode = msgspec.json.Encoder(decimal_format="number").encode
        self._decode = msgspec.json.Decoder(Row, float_hook=Decimal).decode

    def add(self, place: Place, row: Row) -> None:
        """Keep a row."""
        with room_for_spool():
            self._db.execute(
                "INSERT INTO document (object, stream, identity, version, name) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET name = CASE name WHEN '' THEN excluded.name ELSE name END",
                place,
            )
            found = self._db.execute(
                "SELECT number FROM document WHERE object = ? AND stream = ? AND identity = ? AND version = ?",
                place[:4],
            ).fetchone()
            self._db.execute("INSERT INTO line (document, row) VALUES (?, ?)", (found[0], self._encode(row)))

    def documents(self) -> Iterator[Document]:
        """Yield every document with its rows, in the order of their first rows."""
        asking = """
            SELECT number, object, stream, identity, version, name,
                name <> '' AND EXISTS (
                    SELECT * FROM document AS other WHERE other.object = document.object
                    AND other.stream = document.stream AND other.name = document.name AND other.name <> ''
                    AND other.identity <> document.identity
                )
            FROM document ORDER BY number
        """
        with room_for_spool(), closing(self._db.execute(asking)) as documents:
            for number, *place, is_torn in documents:
                lines = self._db.execute("SELECT row FROM line WHERE document = ? ORDER BY number", (number,))
                yield Document(Place(*place), [self._decode(row) for (row,) in lines], bool(is_torn))

    def close(self) -> None:
        """Delete the database."""
        self._db.close()


def merged(document: Document, list_field: str) -> Content:
    """Return the content of a document from its rows, with the problems of all rows.

    A field of the document may be blank in some rows, and must be the same in all others.
    """
    rows = document.rows
    content = Content({})
    content.problems += [
        InvalidRecord(problem, f"row {row.number}") for row in rows for problem in row.problems
    ]
    if document.is_torn:
        content.problems.append(
            InvalidRecord(
                "other rows have the same number under another key: let the stream's key be what the rows of one "
                "document have in common"
            )
        )
    lines: list[tuple[Row, Any]] = []
    first: dict[str, Row] = {}
    for row in rows:
        lines += [(row, line) for line in row.sent.pop(list_field, ())]
        for said, whole in ((row.sent, content.sent), (row.aside, content.aside)):
            for name, value in said.items():
                if whole.setdefault(name, value) != value:
                    both = f"rows {first[name].number} and {row.number} of {document.place.stream}"
                    content.problems.append(
                        InvalidRecord(f"{both} are of one document and differ in it", name)
                    )
                first.setdefault(name, row)
    if len({row.gone for row in rows}) > 1:
        content.problems.append(
            InvalidRecord("some of its rows are deleted and others are not: send the whole document")
        )
    try:
        lines = _without_older(lines, document.place.stream)
    except InvalidRecord as invalid:
        content.problems.append(invalid)
    if lines:
        content.sent[list_field] = [line for _, line in _in_order(lines)]
    return content


def _without_older(lines: list[tuple[Row, Any]], stream: str) -> list[tuple[Row, Any]]:
    """Return each line once: of several rows for one line, the last one."""
    found: dict[str, tuple[Row, Any]] = {}
    for place, (row, line) in enumerate(lines):
        key = f"{row.key}|{row.line_number}" if row.key or row.line_number else f"#{place}"
        before = found.get(key)
        if before and not row.is_keyed:
            raise InvalidRecord(
                f"rows {before[0].number} and {row.number} of {stream} have the same number or key of a line"
            )
        found[key] = (row, line)
    return list(found.values())


def _in_order(lines: list[tuple[Row, Any]]) -> list[tuple[Row, Any]]:
    """Return the lines by their numbers if all have one, otherwise in the order of the rows."""
    try:
        return sorted(lines, key=lambda one: Decimal(one[0].line_number))
    except InvalidOperation:
        return lines
