"""Contacts that were merged into others, or archived and replaced, so that they have another id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from msgspec.structs import replace

from singer_xero.api.errors import ScopeMissing
from target_xero.content.compare import same_name
from target_xero.lookups.lookups import Lookups, Record
from target_xero.lookups.references import References
from target_xero.planning.operations import Adopt, Plan, Skip, WriteOp
from target_xero.planning.planner import Planner
from target_xero.write_log.identity import shown
from target_xero.write_log.log import WriteLog
from target_xero.write_specs.rows import WRITE_SPECS
from target_xero.write_specs.spec import WriteSpec

_CONTACTS = WRITE_SPECS["contacts"]
#: The most merges that are followed; more are a cycle.
_MOST_MERGES = 10


class MergedContacts:
    """Finds the successors of one organisation's contacts."""

    def __init__(self, log: WriteLog, lookups: Lookups, references: References, planner: Planner) -> None:
        self._log = log
        self._lookups = lookups
        self._references = references
        self._planner = planner
        self._moved: dict[str, str | None] = {}

    def prepare(self, spec: WriteSpec, ops: Iterable[WriteOp]) -> None:
        """Look up the contacts of refused operations, in as few calls as possible."""
        with suppress(ScopeMissing):
            self._find_moved(found for op in ops if (found := _contact_of(spec, op)))

    def reconsider(self, spec: WriteSpec, op: WriteOp) -> Plan | None:
        """Plan an operation again that names a contact with a successor; None if it names no such contact."""
        if spec is _CONTACTS and op.job.status == "ARCHIVED":
            record = self._lookups.by_id(spec, op.entry.xero_id)
            if record is not None and not spec.is_active(record):
                # An archived contact can't be changed.
                op.status, op.after = "ARCHIVED", ()
                return Adopt(op, {spec.key: op.entry.xero_id})
        old = _contact_of(spec, op)
        new = self._moved.get(old) if old else None
        if new is None:
            return None
        if spec is _CONTACTS:
            return self._merged(op, new)
        if op.body.get("Contact", op.body).get("ContactID") == new:
            return None
        plan = self._planner.plan(spec, op.job)
        return plan if isinstance(plan, WriteOp) and _contact_of(spec, plan) == new else None

    def _find_moved(self, contacts: Iterable[str]) -> None:
        wanted = [one for one in dict.fromkeys(contacts) if one not in self._moved]
        if not wanted:
            return
        for one in wanted:
            self._lookups.forget(_CONTACTS, one)
        records = self._lookups.by_ids(_CONTACTS, wanted)
        merged = {}
        for one in wanted:
            record = records.get(one)
            successor = self._successor(record) if record and not _CONTACTS.is_active(record) else None
            self._moved[one] = str(successor["ContactID"]) if successor else None
            if record and record.get("MergedToContactID") and self._moved[one]:
                merged[one] = str(self._moved[one])
        # A merge can't be undone; an archived contact can be restored, so each run looks it up.
        self._references.note_moves({old: new for old, new in self._moved.items() if new}, lasting=merged)

    def _successor(self, record: Record) -> Record | None:
        """The contact that another one was merged into, otherwise the active one that has its name now."""
        for _ in range(_MOST_MERGES):
            into = record.get("MergedToContactID")
            if not into:
                break
            record = self._lookups.by_id(_CONTACTS, str(into)) or {}
            if record and _CONTACTS.is_active(record):
                return record
        name = str(record.get("Name") or "")
        found = [one for one in self._lookups.find(_CONTACTS, "Name", name) if _CONTACTS.is_active(one)]
        return found[0] if len(found) == 1 and same_name(name, found[0].get("Name")) else None

    def _merged(self, op: WriteOp, new: str) -> WriteOp | Adopt | Skip:
        """Update the successor of a contact, unless it belongs to another record of the source."""
        holder = self._log.holder(_CONTACTS.name, new)
        if holder not in {None, op.job.key}:
            entry = replace(op.entry, hash=op.hash, attempts=op.entry.attempts + 1)
            self._log.settle(_CONTACTS.name, written=[(op.job.key, entry)], at=self._lookups.now())
            return Skip(f"merged into the contact of {shown(holder or '')} in Xero, or replaced by it")
        return self._planner.update_of(_CONTACTS, op.job, replace(op.entry, xero_id=new, status="ACTIVE"))


def _contact_of(spec: WriteSpec, op: WriteOp) -> str | None:
    """The contact that an operation changes, or to which its record refers."""
    if spec is _CONTACTS:
        return op.entry.xero_id if op.action == "update" else None
    named: Any = op.body if spec.member_reference == "Contact" else op.body.get("Contact")
    found = named.get("ContactID") if isinstance(named, Mapping) else None
    return str(found) if found else None
