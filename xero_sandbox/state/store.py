"""What the sandbox keeps: organisations with their records, in memory and, if asked for, in a SQLite file."""

from __future__ import annotations

import sqlite3
import threading
import uuid
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from ..http.messages import encode, rendered
from ..http.views import shown
from ..resources import PAGE, RESOURCES, SINGLE, Resource
from .clock import Clock, sql_stamp

Record = dict[str, Any]

_NEVER = datetime(1, 1, 1, tzinfo=timezone.utc)
_DECIMAL, _DATE = 1, 2
_OFFLINE = ("IncludeOnline", False)


# --- one resource of one organisation --------------------------------------------------------------------


class Table:
    """The records of one resource, in the order Xero lists them, with each one's JSON text kept ready.

    A record is never changed in place: ``put`` takes a new one. What is handed out may be shared.
    """

    def __init__(self, resource: Resource, records: Iterable[Record] = ()) -> None:
        self.resource = resource
        self.rows: dict[str, Record] = {}
        self._texts: dict[tuple[str, int | None], dict[str, bytes]] = {}
        self._numbers: dict[str, dict[str, str]] | None = None
        self._words: dict[str, dict[str, dict[str, None]]] = {}
        self._sequence = 0
        self._keys: dict[str, tuple[Any, str]] = {}
        for record in records:
            identifier = str(record[resource.id])
            self.rows[identifier] = record
            self._keys[identifier] = self._key(identifier, record)
        self._index = sorted(self._keys.values())
        self.hidden = {identifier for identifier, record in self.rows.items() if self._hides(record)}

    def _hides(self, record: Record) -> bool:
        return (
            self.resource.hidden is not None
            and record.get(self.resource.hidden[0]) == self.resource.hidden[1]
        )

    def _key(self, identifier: str, record: Record) -> tuple[Any, str]:
        field = self.resource.order
        if not field:
            known = self._keys.get(identifier)
            self._sequence += 1
            return known or (self._sequence, identifier)
        value = record.get(field)
        if field.endswith("UTC"):
            return (value or _NEVER, identifier)
        return (
            (value or 0, identifier)
            if field == "JournalNumber"
            else (str(value or "").casefold(), identifier)
        )

    def put(self, record: Record) -> None:
        """Take in a record, or the new state of one."""
        identifier = str(record[self.resource.id])
        self._unlist(identifier)
        self.rows[identifier] = record
        key = self._keys[identifier] = self._key(identifier, record)
        insort(self._index, key)
        self._numbers = None
        if self._hides(record):
            self.hidden.add(identifier)
        for field, words in self._words.items():
            words.setdefault(_word(record, field), {})[identifier] = None

    def remove(self, identifier: str) -> None:
        """Forget a record for good."""
        self._unlist(identifier)
        del self.rows[identifier], self._keys[identifier]
        self._numbers = None

    def _unlist(self, identifier: str) -> None:
        if identifier in self.rows:
            key = self._keys[identifier]
            del self._index[bisect_left(self._index, key)]
            self.hidden.discard(identifier)
            for texts in self._texts.values():
                texts.pop(identifier, None)
            for field, words in self._words.items():
                words[_word(self.rows[identifier], field)].pop(identifier, None)

    def matching(self, field: str, text: str) -> list[Record]:
        """The records with that text in ``field`` (``Contact.ContactID`` for a nested one), whatever its case."""
        words = self._words.get(field)
        if words is None:
            words = self._words[field] = {}
            for identifier, record in self.rows.items():
                words.setdefault(_word(record, field), {})[identifier] = None
        return [self.rows[identifier] for identifier in words.get(text.casefold(), ())]

    def last(self) -> Record | None:
        """The record that lists end with."""
        return self.rows[self._index[-1][1]] if self._index else None

    def ids(self, after: Any = None, first: int = 0, count: int | None = None) -> list[str]:
        """Identifiers in the order of lists; ``after``: only from that value of the ordering field on (inclusive).

        Of those ``count`` from the ``first`` one on, all without it.
        """
        start = first + self._start(after)
        return [identifier for _, identifier in self._index[start : None if count is None else start + count]]

    def size(self, after: Any = None) -> int:
        """How many identifiers ``ids`` has in all."""
        return len(self._index) - self._start(after)

    def _start(self, after: Any) -> int:
        return 0 if after is None else bisect_left(self._index, (after, ""))

    def find(self, key: str) -> Record | None:
        """The record with that id, number or code, as an address names it."""
        wanted = key.lower()
        if record := self.rows.get(wanted) or self.rows.get(key):
            return record
        if self._numbers is None:
            self._numbers = {
                name: {
                    str(row[name]).lower(): one
                    for one, row in self.rows.items()
                    if row.get(name) not in {None, ""}
                }
                for name in (self.resource.id, *self.resource.by)
            }
        for numbers in self._numbers.values():
            if identifier := numbers.get(wanted):
                return self.rows[identifier]
        return None

    def text(self, identifier: str, view: str, places: int | None, organisation: Organisation) -> bytes:
        """The JSON text of a record in a view, with unit prices at ``places`` decimals."""
        texts = self._texts.setdefault((view, places), {})
        if (known := texts.get(identifier)) is None:
            known = texts[identifier] = encode(self.tree(self.rows[identifier], view, places, organisation))
        return known

    def tree(self, record: Record, view: str, places: int | None, organisation: Organisation) -> Record:
        """A record in a view with JSON's values."""
        resource = self.resource
        return rendered(
            shown(record, resource, view, organisation),
            twins=resource.twins.split(),
            offset="" if resource.bare == "*" else "+0000",
            bare=frozenset(resource.bare.split()),
            places=places,
        )

    def forget_texts(self) -> None:
        """Something that the texts show has changed elsewhere."""
        self._texts.clear()


def _word(record: Record, field: str) -> str:
    value: Any = record
    for name in field.split("."):
        value = (value or {}).get(name)
    return str(value if value is not None else "").casefold()


def _by_owner(rows: Iterable[Record]) -> dict[str, list[Record]]:
    """Notes or files by the record they hang on, newest first, without the words that say whose they are."""
    found: dict[str, list[Record]] = {}
    for row in rows:
        found.setdefault(str(row["ResourceID"]), []).insert(0, _unowned(row))
    return found


def _unowned(row: Record) -> Record:
    return {name: value for name, value in row.items() if name not in {"Resource", "ResourceID"}}


_EXTRAS = frozenset({"Reports", "InvoiceReminders"})
"""What an organisation may hold beside the resources."""


class Organisation:
    """One organisation (a tenant): its tables, files and notes. Also the ``books`` that reports are drawn from."""

    def __init__(
        self, tenant_id: str, name: str, records: Mapping[str, Iterable[Record]], clock: Clock, store: Store
    ) -> None:
        self.tenant_id, self.name = tenant_id, name
        self._clock, self._store = clock, store
        self.tables = {
            path: Table(row, records.get(path) or records.get(row.envelope) or ())
            for path, row in RESOURCES.items()
        }
        self.extras: dict[str, list[Record]] = {
            key: list(rows) for key, rows in records.items() if key in _EXTRAS and rows
        }
        self.files = _by_owner(records.get("Attachments", ()))
        self.notes = _by_owner(records.get("History", ()))
        self.creators: dict[str, str] = {}
        self._cash_journals: Table | None = None

    def cash_journals(self) -> Table:
        """The journals of the cash basis, as they follow from all records."""
        from ..accounting.cash_basis import cash_journals

        if self._cash_journals is None:
            self._cash_journals = Table(RESOURCES["Journals"], cash_journals(self))
        return self._cash_journals

    def table(self, resource: str) -> Table:
        """The table of a resource, by its path."""
        return self.tables[resource]

    def records(self, resource: str) -> list[Record]:
        """All records of a resource in the order of lists; empty for one that the sandbox does not know."""
        if resource not in self.tables:
            return self.extras.get(resource, [])
        table = self.tables[resource]
        return [table.rows[identifier] for identifier in table.ids()]

    def now(self) -> datetime:
        """The present by the sandbox's clock."""
        return self._clock.now()

    def stamp(self) -> datetime:
        """The present as Xero's database keeps it."""
        return sql_stamp(self._clock.now())

    def put(self, resource: str, record: Record, *, touch: bool = True) -> Record:
        """Keep a new or changed record, and return it as kept.

        ``touch`` moves UpdatedDateUTC to the present (CreatedDateUTC for a new record of those that have it).
        """
        table = self.tables[resource]
        identifier = str(record.get(table.resource.id) or uuid.uuid4())
        record = {**record, table.resource.id: identifier}
        if touch:
            fields = table.resource.fields.split()
            if "UpdatedDateUTC" in fields:
                record["UpdatedDateUTC"] = self.stamp()
            if "CreatedDateUTC" in fields and not record.get("CreatedDateUTC"):
                record["CreatedDateUTC"] = self.stamp()
        before = table.rows.get(identifier)
        table.put(record)
        self._cash_journals = None
        if resource == "Contacts" and before is not None:
            renamed = before.get("Name") != record.get("Name")
            for path, other in self.tables.items():
                if renamed or path in {"PurchaseOrders", "Quotes"}:
                    other.forget_texts()
        self._store.keep(f"records/{self.tenant_id}/{resource}", identifier, record)
        return record

    def everything(self) -> dict[str, list[Record]]:
        """All records as a company of the seed has them: by the key of Xero's envelopes."""
        return {row.envelope: self.records(path) for path, row in RESOURCES.items()}

    def take(self, resource: str, record: Record) -> None:
        """Keep a record as the seed hands it over, its stamps as they are."""
        if resource == "History":
            self.note(str(record["ResourceID"]), _unowned(record))
        elif resource == "Attachments":
            self.attach(str(record["ResourceID"]), _unowned(record))
        else:
            self.put(
                next(path for path, row in RESOURCES.items() if row.envelope == resource), record, touch=False
            )

    def remove(self, resource: str, identifier: str) -> None:
        """Take a record away, as if it had never been."""
        self.tables[resource].remove(identifier)
        self._cash_journals = None
        self._store.drop(f"records/{self.tenant_id}/{resource}", identifier)

    def attachments(self, identifier: str) -> list[Record]:
        """What is attached to a record, without the contents; IncludeOnline only where it is set (as recorded)."""
        return [
            {name: value for name, value in one.items() if name != "Content" and (name, value) != _OFFLINE}
            for one in self.files.get(identifier, [])
        ]

    def attach(self, identifier: str, file: Record) -> None:
        """Keep a file (``FileName``, ``MimeType``, ``Content`` as bytes ...); it replaces one of the same name."""
        kept = [one for one in self.files.get(identifier, []) if one["FileName"] != file["FileName"]]
        self.files[identifier] = [*kept, file]
        self._store.keep(f"files/{self.tenant_id}", identifier, self.files[identifier])

    def note(self, identifier: str, note: Record) -> None:
        """Add a line to a record's history (``Changes``, ``DateUTC``, ``User``, ``Details``), newest first."""
        self.notes[identifier] = [note, *self.notes.get(identifier, [])]
        self._store.keep(f"notes/{self.tenant_id}", identifier, self.notes[identifier])

    def created_by(self, identifier: str, client_id: str) -> None:
        """Remember which app made a record (``createdByMyApp``)."""
        self.creators[identifier] = client_id
        self._store.keep(f"creators/{self.tenant_id}", identifier, client_id)


# --- all of it -------------------------------------------------------------------------------------------


class Store:
    """The organisations, and small things by (space, key). Written through to ``path`` if there is one.

    Change things inside ``with store.change():`` only: it holds the lock, and what was written is in the file
    when it ends, or not at all.
    """

    def __init__(self, clock: Clock, path: Path | None = None) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.organisations: dict[str, Organisation] = {}
        self._depth = 0
        self._file: sqlite3.Connection | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.execute("PRAGMA synchronous=NORMAL")
            self._file.execute(
                "CREATE TABLE IF NOT EXISTS thing (space TEXT, key TEXT, body BLOB, PRIMARY KEY (space, key))"
            )

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    @contextmanager
    def change(self) -> Iterator[None]:
        """Hold everybody else off while something is changed; one transaction in the file."""
        with self.lock:
            self._depth += 1
            outermost = self._depth == 1 and self._file is not None
            try:
                if outermost and self._file is not None:
                    self._file.execute("BEGIN IMMEDIATE")
                yield
                if outermost and self._file is not None:
                    self._file.execute("COMMIT")
            except BaseException:
                if outermost and self._file is not None and self._file.in_transaction:
                    self._file.execute("ROLLBACK")
                raise
            finally:
                self._depth -= 1

    def keep(self, space: str, key: str, value: Any) -> None:
        """Write one thing to the file, if there is one."""
        if self._file is not None:
            self._file.execute(
                "INSERT INTO thing VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
                (space, key, packed(value)),
            )

    def drop(self, space: str, key: str) -> None:
        """Take one thing out of the file."""
        if self._file is not None:
            self._file.execute("DELETE FROM thing WHERE space = ? AND key = ?", (space, key))

    def drop_all(self) -> None:
        """Empty the file."""
        if self._file is not None:
            self._file.execute("DELETE FROM thing")

    def kept(self, space: str) -> dict[str, Any]:
        """What the file holds in a space, in the order it came."""
        if self._file is None:
            return {}
        found = self._file.execute("SELECT key, body FROM thing WHERE space = ? ORDER BY rowid", (space,))
        return {key: unpacked(body) for key, body in found}

    def add_organisation(
        self, tenant_id: str, name: str, records: Mapping[str, Iterable[Record]]
    ) -> Organisation:
        """Take in an organisation with its records (see ``seed.Company``)."""
        organisation = self.organisations[tenant_id] = Organisation(
            tenant_id, name, records, self.clock, self
        )
        self.keep("organisations", tenant_id, name)
        for resource, table in organisation.tables.items():
            for identifier, record in table.rows.items():
                self.keep(f"records/{tenant_id}/{resource}", identifier, record)
        for space, kept in (
            ("extras", organisation.extras),
            ("files", organisation.files),
            ("notes", organisation.notes),
        ):
            for key, rows in kept.items():
                self.keep(f"{space}/{tenant_id}", key, rows)
        return organisation

    def load(self) -> bool:
        """Read the organisations from the file; false if there are none yet."""
        for tenant_id, name in self.kept("organisations").items():
            records: dict[str, Any] = {
                path: self.kept(f"records/{tenant_id}/{path}").values() for path in RESOURCES
            }
            records.update(self.kept(f"extras/{tenant_id}"))
            organisation = Organisation(tenant_id, name, records, self.clock, self)
            organisation.files = self.kept(f"files/{tenant_id}")
            organisation.notes = self.kept(f"notes/{tenant_id}")
            organisation.creators = self.kept(f"creators/{tenant_id}")
            self.organisations[tenant_id] = organisation
        return bool(self.organisations)


def packed(value: Any) -> bytes:
    """Python values as bytes that ``unpacked`` gives back exactly, decimals and dates included."""
    return msgspec.msgpack.encode(_marked(value))


def unpacked(body: bytes) -> Any:
    """What ``packed`` took."""
    return _decode(body)


def _marked(value: Any) -> Any:
    kind = type(value)
    if kind is dict:
        return {name: _marked(one) for name, one in value.items()}
    if kind is list or kind is tuple:
        return [_marked(one) for one in value]
    if kind is Decimal:
        return msgspec.msgpack.Ext(_DECIMAL, str(value).encode())
    if kind is date:
        return msgspec.msgpack.Ext(_DATE, value.isoformat().encode())
    return value


def _unmarked(code: int, body: memoryview) -> Any:
    text = bytes(body).decode()
    return Decimal(text) if code == _DECIMAL else date.fromisoformat(text)


_decode = msgspec.msgpack.Decoder(ext_hook=_unmarked).decode

__all__ = ["PAGE", "SINGLE", "Organisation", "Record", "Store", "Table", "packed", "unpacked"]
