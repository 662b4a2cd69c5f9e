"""All organisations of a sandbox, in memory and optionally in a SQLite file."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from ..resources import RESOURCES
from ..values import Record
from .clock import Clock
from .organisation import Organisation

_DECIMAL, _DATE = 1, 2


class Store:
    """The organisations, and other values by space and key. Changes are also written to ``path`` if there is one.

    Make changes only inside ``with store.change():``, which holds the lock and is one transaction in the file.
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
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    @contextmanager
    def change(self) -> Iterator[None]:
        """Hold the lock while something is changed; one transaction in the file."""
        with self.lock:
            self._depth += 1
            file = self._file if self._depth == 1 else None
            try:
                if file is not None:
                    file.execute("BEGIN IMMEDIATE")
                yield
                if file is not None:
                    file.execute("COMMIT")
            except BaseException:
                if file is not None and file.in_transaction:
                    file.execute("ROLLBACK")
                raise
            finally:
                self._depth -= 1

    def write(self, space: str, key: str, value: Any) -> None:
        """Write a value to the file, if there is one."""
        if self._file is not None:
            self._file.execute(
                "INSERT INTO thing VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
                (space, key, packed(value)),
            )

    def delete(self, space: str, key: str) -> None:
        """Delete a value from the file."""
        if self._file is not None:
            self._file.execute("DELETE FROM thing WHERE space = ? AND key = ?", (space, key))

    def clear(self) -> None:
        """Empty the file."""
        if self._file is not None:
            self._file.execute("DELETE FROM thing")

    def read(self, space: str) -> dict[str, Any]:
        """The values of a space in the file, in order of insertion."""
        if self._file is None:
            return {}
        found = self._file.execute("SELECT key, body FROM thing WHERE space = ? ORDER BY rowid", (space,))
        return {key: unpacked(body) for key, body in found}

    def add_organisation(
        self, tenant_id: str, name: str, records: Mapping[str, Iterable[Record]]
    ) -> Organisation:
        """Add an organisation with its records (see ``demo.company.Company``)."""
        organisation = self.organisations[tenant_id] = Organisation(
            tenant_id, name, records, self.clock, self
        )
        self.write("organisations", tenant_id, name)
        for resource, table in organisation.tables.items():
            for identifier, record in table.rows.items():
                self.write(f"records/{tenant_id}/{resource}", identifier, record)
        for space, kept in (
            ("extras", organisation.extras),
            ("files", organisation.files),
            ("notes", organisation.notes),
        ):
            for key, rows in kept.items():
                self.write(f"{space}/{tenant_id}", key, rows)
        return organisation

    def load(self) -> bool:
        """Read the organisations from the file; false if there are none yet."""
        for tenant_id, name in self.read("organisations").items():
            records: dict[str, Any] = {
                path: self.read(f"records/{tenant_id}/{path}").values() for path in RESOURCES
            }
            records.update(self.read(f"extras/{tenant_id}"))
            organisation = Organisation(tenant_id, name, records, self.clock, self)
            organisation.files = self.read(f"files/{tenant_id}")
            organisation.notes = self.read(f"notes/{tenant_id}")
            organisation.creators = self.read(f"creators/{tenant_id}")
            self.organisations[tenant_id] = organisation
        return bool(self.organisations)


def packed(value: Any) -> bytes:
    """Python values as bytes, from which ``unpacked`` restores them exactly, decimals and dates included."""
    return msgspec.msgpack.encode(_marked(value))


def unpacked(body: bytes) -> Any:
    """The values that were packed."""
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
