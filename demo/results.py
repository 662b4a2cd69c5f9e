"""The progress of a run, and the results in PostgreSQL."""

from __future__ import annotations

import contextlib
import json
import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from demo.screen import heading, say, table

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator

    import psycopg

SHOWN_CONTACTS = 15


class DatabaseError(Exception):
    """The database refused a request, or contains a schema that the demo did not create."""


@dataclass
class Progress:
    """Condenses Meltano's log into one line: the stream that is being read, and the number of rows so far."""

    text: str = ""
    rows: dict[str, int] = field(default_factory=dict)
    last: deque[str] = field(default_factory=lambda: deque(maxlen=15))

    def read(self, line: str) -> str:
        """Read a line of Meltano's JSON log and return it as text: time, program and message."""
        try:
            entry: dict[str, Any] = json.loads(line)
        except ValueError:
            entry = {"event": line.rstrip()}
        event = str(entry.get("event", ""))
        said = f"{str(entry.get('timestamp', ''))[:19]} {entry.get('name', 'meltano')}: {event}".strip()
        if not event.startswith("METRIC"):
            self.last.append(said)
        # The tap logs `invoices of Some Company: 1,278 rows (3 calls, ...)`, and at the end the cost of the run.
        if told := re.match(r"(\w+) of .+: ([\d,]+)( of [\d,]+)? rows?\b", event):
            self.rows[told[1]] = int(told[2].replace(",", ""))
            self.text = f"reading {told[1]}; {self._so_far()}"
        elif re.match(r".+: [\d,]+ calls?, .* received", event):
            self.text = f"all streams are read, target-postgres is writing; {self._so_far()}"
        return said

    def _so_far(self) -> str:
        return f"{sum(self.rows.values()):,} rows of {len(self.rows)} streams"


# -- the database --


@dataclass(frozen=True)
class Table:
    """A table of the demo's schema: its rows now, and how many the latest run wrote."""

    name: str
    rows: int
    moved: int


@contextlib.contextmanager
def connected(url: str) -> Iterator[psycopg.Connection[Any]]:
    """Connect for the length of the block, and commit at its end. Raises `DatabaseError` if the server refuses."""
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=10, application_name="singer-xero demo") as connection:
            yield connection
    except psycopg.Error as error:
        raise DatabaseError(f"PostgreSQL refused: {error}".strip()) from error


def own_schema(url: str, schema: str, mark: str) -> bool:
    """Create the schema if it is missing (returns True). A schema of that name without the mark is an error."""
    from psycopg import sql

    with connected(url) as connection:
        comment = _comment(connection, schema)
        if comment == mark:
            return False
        if comment is not None:
            raise DatabaseError(
                f"the database already has a schema {schema} that this demo did not create: rename it, "
                "or use another database in DATABASE_URL"
            )
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        connection.execute(
            sql.SQL("COMMENT ON SCHEMA {} IS {}").format(sql.Identifier(schema), sql.Literal(mark))
        )
    return True


def drop_schema(url: str, schema: str, mark: str) -> None:
    """Drop the schema if it has the mark."""
    from psycopg import sql

    with connected(url) as connection:
        if _comment(connection, schema) == mark:
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))


def _comment(connection: psycopg.Connection[Any], schema: str) -> str | None:
    """Return the schema's comment, which may be empty; None if there is no such schema."""
    asked = "SELECT coalesce(obj_description(oid, 'pg_namespace'), '') FROM pg_namespace WHERE nspname = %s"
    row = connection.execute(asked, [schema]).fetchone()
    return row[0] if row else None


def tables(url: str, schema: str, since: float) -> list[Table]:
    """Return the schema's tables; `since` is the start of the latest run in seconds since 1970."""
    from psycopg import sql

    counting = sql.SQL(
        "SELECT count(*) FILTER (WHERE _sdc_deleted_at IS NULL), "
        "count(*) FILTER (WHERE _sdc_sync_started_at >= %s) FROM {}"
    )
    found = []
    with connected(url) as connection:
        asked = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s ORDER BY table_name"
        for (name,) in connection.execute(asked, [schema]).fetchall():
            counted = connection.execute(
                counting.format(sql.Identifier(schema, name)), [int(since * 1000)]
            ).fetchone()
            rows, moved = counted or (0, 0)
            found.append(Table(name, rows, moved))
    return found


OWED = """
WITH open_invoices AS (
    SELECT "Contact" ->> 'Name' AS contact,
           "CurrencyCode"       AS currency,
           "AmountDue"          AS due,
           %(today)s::date - "DueDate" AS late
    FROM {schema}.invoices
    WHERE "Type" = 'ACCREC' AND "Status" = 'AUTHORISED' AND "AmountDue" > 0 AND _sdc_deleted_at IS NULL
)
SELECT currency, contact, count(*) AS invoices,
       coalesce(sum(due) FILTER (WHERE late IS NULL OR late <= 0), 0) AS not_due,
       coalesce(sum(due) FILTER (WHERE late BETWEEN 1 AND 30), 0)     AS days_30,
       coalesce(sum(due) FILTER (WHERE late BETWEEN 31 AND 60), 0)    AS days_60,
       coalesce(sum(due) FILTER (WHERE late BETWEEN 61 AND 90), 0)    AS days_90,
       coalesce(sum(due) FILTER (WHERE late > 90), 0)                 AS older,
       sum(due) AS owed,
       greatest(max(late), 0) AS oldest
FROM open_invoices
GROUP BY GROUPING SETS ((currency, contact), (currency))
ORDER BY currency, contact IS NULL, oldest DESC, owed DESC
"""


def owed(url: str, schema: str, today: datetime.date) -> list[dict[str, Any]]:
    """Return the open sales invoices by currency, contact and days overdue; without contact, the sum of a currency."""
    from psycopg import rows, sql

    with connected(url) as connection, connection.cursor(row_factory=rows.dict_row) as cursor:
        cursor.execute(sql.SQL(OWED).format(schema=sql.Identifier(schema)), {"today": today})
        return cursor.fetchall()


# -- the screen --


def show_tables(found: list[Table], runs: list[dict[str, Any]], schema: str) -> None:
    """Show each table's rows, and the rows loaded by the first run and by this one."""
    first, latest = runs[0]["rows"], runs[-1]["rows"]
    heading(f"Rows per table, schema {schema}")
    if len(runs) == 1:
        rows = [[one.name, f"{one.rows:,}"] for one in found]
        table(["table", "rows"], [rows, [["all", f"{sum(one.rows for one in found):,}"]]])
        return
    heads = ["table", "rows", "first run", "this run"]
    rows = [[one.name, f"{one.rows:,}", f"{first.get(one.name, 0):,}", f"{one.moved:,}"] for one in found]
    sums = [sum(one.rows for one in found), sum(first.values()), sum(latest.values())]
    table(heads, [rows, [["all", *(f"{number:,}" for number in sums)]]])
    say()
    say(
        f"  First run: {sums[1]:,} rows in {runs[0]['seconds']} s.  This run: {sums[2]:,} rows in "
        f"{runs[-1]['seconds']} s: what changed, and the short lists that are always read in full."
    )


def show_owed(url: str, schema: str, today: datetime.date) -> None:
    """Show the open sales invoices."""
    found = owed(url, schema, today)
    heading(f"Open sales invoices on {today:%d %B %Y}, by days overdue (from SQL)")
    heads = [
        "contact",
        "currency",
        "invoices",
        "not due",
        "1-30",
        "31-60",
        "61-90",
        "over 90",
        "owed",
        "oldest",
    ]
    blocks = []
    for currency in dict.fromkeys(row["currency"] for row in found):
        *contacts, total = (row for row in found if row["currency"] == currency)
        left_out = contacts[SHOWN_CONTACTS:]
        shown = contacts[:SHOWN_CONTACTS]
        if left_out:
            rest = {key: sum(row[key] for row in left_out) for key in ("invoices", *AMOUNTS)}
            oldest = max(row["oldest"] for row in left_out)
            shown.append({**rest, "contact": f"{len(left_out)} more", "currency": currency, "oldest": oldest})
        blocks += [[_cells(row) for row in shown], [_cells({**total, "contact": f"all {len(contacts)}"})]]
    table(heads, blocks, left=2)


AMOUNTS = ("not_due", "days_30", "days_60", "days_90", "older", "owed")


def _cells(row: dict[str, Any]) -> list[str]:
    amounts = [f"{row[key]:,.2f}" if row[key] else "" for key in AMOUNTS]
    oldest = f"{row['oldest']} d" if row["oldest"] else ""
    return [row["contact"], row["currency"], str(row["invoices"]), *amounts, oldest]
