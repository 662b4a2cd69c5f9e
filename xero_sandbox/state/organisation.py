"""One organisation: its records, files and notes."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from ..accounting.cash_basis import cash_journals as on_cash_basis
from ..accounting.ledger import Chart
from ..resources import RESOURCES
from ..values import Record
from .clock import Clock, sql_stamp
from .tables import Table

_OFFLINE = ("IncludeOnline", False)


class Storage(Protocol):
    """Stores values for a later process, by space and key."""

    def write(self, space: str, key: str, value: Any) -> None:
        """Write a value."""

    def delete(self, space: str, key: str) -> None:
        """Delete a value."""


def _by_owner(rows: Iterable[Record]) -> dict[str, list[Record]]:
    """Notes or files by the id of their record, newest first."""
    found: dict[str, list[Record]] = {}
    for row in rows:
        own = {name: value for name, value in row.items() if name not in {"Resource", "ResourceID"}}
        found.setdefault(str(row["ResourceID"]), []).insert(0, own)
    return found


_IN_CHART = frozenset({"Accounts", "Organisation", "TaxRates", "TrackingCategories"})
"""The resources on which the chart depends."""

_EXTRAS = frozenset({"Reports", "InvoiceReminders"})
"""The records of an organisation that are not resources."""


class Organisation:
    """One organisation (a tenant): its tables, files and notes. Reports read from it as well."""

    def __init__(
        self, tenant_id: str, name: str, records: Mapping[str, Iterable[Record]], clock: Clock, store: Storage
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
        self._chart: Chart | None = None

    def cash_journals(self) -> Table:
        """The journals of the cash basis, computed from all records."""
        if self._cash_journals is None:
            self._cash_journals = Table(RESOURCES["Journals"], on_cash_basis(self))
        return self._cash_journals

    @property
    def chart(self) -> Chart:
        """The accounts, tax rates and tracking."""
        if self._chart is None:
            self._chart = Chart({RESOURCES[path].envelope: self.records(path) for path in _IN_CHART})
        return self._chart

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
        """The sandbox's current time."""
        return self._clock.now()

    def stamp(self) -> datetime:
        """The current time in the precision of Xero's database."""
        return sql_stamp(self._clock.now())

    def put(self, resource: str, record: Record, *, touch: bool = True) -> Record:
        """Store a new or changed record and return it. ``touch`` sets UpdatedDateUTC, and CreatedDateUTC of a
        new record that has it.
        """
        table = self.tables[resource]
        identifier = str(record.get(table.resource.id) or uuid.uuid4())
        record = {**record, table.resource.id: identifier}
        if touch:
            fields = table.resource.names
            if "UpdatedDateUTC" in fields:
                record["UpdatedDateUTC"] = self.stamp()
            if "CreatedDateUTC" in fields and not record.get("CreatedDateUTC"):
                record["CreatedDateUTC"] = self.stamp()
        before = table.rows.get(identifier)
        table.put(record)
        self._changed(resource)
        if resource == "Contacts" and before is not None:
            renamed = before.get("Name") != record.get("Name")
            for path, other in self.tables.items():
                if renamed or path in {"PurchaseOrders", "Quotes"}:
                    other.forget_texts()
        self._store.write(f"records/{self.tenant_id}/{resource}", identifier, record)
        return record

    def _changed(self, resource: str) -> None:
        self._cash_journals = None
        if resource in _IN_CHART:
            self._chart = None

    def everything(self) -> dict[str, list[Record]]:
        """All records by the key of Xero's envelopes, as in ``Company.records``."""
        return {row.envelope: self.records(path) for path, row in RESOURCES.items()}

    def remove(self, resource: str, identifier: str) -> None:
        """Delete a record."""
        self.tables[resource].remove(identifier)
        self._changed(resource)
        self._store.delete(f"records/{self.tenant_id}/{resource}", identifier)

    def attachments(self, identifier: str) -> list[Record]:
        """The attachments of a record, without contents; IncludeOnline only where it is true (as recorded)."""
        return [
            {name: value for name, value in one.items() if name != "Content" and (name, value) != _OFFLINE}
            for one in self.files.get(identifier, [])
        ]

    def attach(self, identifier: str, file: Record) -> None:
        """Store a file (``FileName``, ``MimeType``, ``Content`` as bytes ...); it replaces one of the same name."""
        kept = [one for one in self.files.get(identifier, []) if one["FileName"] != file["FileName"]]
        self.files[identifier] = [*kept, file]
        self._store.write(f"files/{self.tenant_id}", identifier, self.files[identifier])

    def note(self, identifier: str, note: Record) -> None:
        """Add a line to a record's history (``Changes``, ``DateUTC``, ``User``, ``Details``), newest first."""
        self.notes[identifier] = [note, *self.notes.get(identifier, [])]
        self._store.write(f"notes/{self.tenant_id}", identifier, self.notes[identifier])

    def created_by(self, identifier: str, client_id: str) -> None:
        """Remember which app made a record (``createdByMyApp``)."""
        self.creators[identifier] = client_id
        self._store.write(f"creators/{self.tenant_id}", identifier, client_id)
