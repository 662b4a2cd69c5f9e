"""What is left to do about a record that Xero refused, once it is known how things stand in Xero.

A record may be there already, or have ended there; a contact may have been merged into another one or archived. Only
what was refused is looked up, so that this costs nothing while all goes well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from singer_xero.api.errors import ScopeMissing
from target_xero.content.compare import same_name, says
from target_xero.content.payload import InvalidRecord
from target_xero.planning.differences import LINES
from target_xero.planning.lookups import Lookups, Record
from target_xero.planning.planner import Adopt, Planner, Skip, WriteOp, ending
from target_xero.planning.references import References
from target_xero.write_log.identity import shown
from target_xero.write_log.log import WriteLog
from target_xero.write_specs.rows import WRITE_SPECS
from target_xero.write_specs.spec import OnExisting, WriteSpec

_CONTACTS = WRITE_SPECS["contacts"]
#: A contact may be merged into one that is merged into another; more than so often is a circle.
_MOST_MERGES = 10


class Refusals:
    """Looks again at steps that Xero refused."""

    def __init__(self, log: WriteLog, lookups: Lookups, references: References, planner: Planner) -> None:
        self._log = log
        self._lookups = lookups
        self._references = references
        self._planner = planner
        self._moved: dict[str, str | None] = {}

    def prepare(self, spec: WriteSpec, ops: list[WriteOp]) -> None:
        """Look up what `reconsider` will need, in as few calls as that takes."""
        creates = [op for op in ops if self._may_exist(spec, op)]
        for field in spec.natural_keys:
            values = [value for op in creates for name, value in spec.natural_key(op.body) if name == field]
            self._lookups.look_up(spec, field, values)
        contacts = [found for op in ops if (found := _contact_of(spec, op))]
        with suppress(ScopeMissing):
            self._find_moved(contacts)
        again = [op for op in ops if op.action == "remove" or _may_be_less(op)]
        ids = [op.entry.xero_id for op in again if op.entry.xero_id]
        for xero_id in ids:
            self._lookups.forget(spec, xero_id)
        if ids and not spec.siblings_path:
            self._lookups.by_ids(spec, ids)

    def reconsider(self, spec: WriteSpec, op: WriteOp) -> WriteOp | Adopt | Skip | None:
        """What to do in place of a refused step; None to reject it. `Broken` rejects it with a further reason."""
        if op.action == "remove":
            return self._ended(spec, op)
        if _may_be_less(op):
            change = self._planner.only_changes(spec, op)
            if change is None and self._planner.is_first_look(spec, op):
                change = self._planner.with_lines_looked_up(spec, op)
            if change is not None:
                return change
        if self._may_exist(spec, op):
            found = self._existing(spec, op)
            if found:
                return found
        if op.action == "create" and spec.search:
            self._check_over(spec, op)
        if spec is _CONTACTS and op.job.status == "ARCHIVED" and self._is_archived(op):
            # Nothing of it can be changed any more.
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

    # Creates of what is there

    @staticmethod
    def _may_exist(spec: WriteSpec, op: WriteOp) -> bool:
        return op.action == "create" and not spec.lookup_before_create and bool(spec.search)

    def _existing(self, spec: WriteSpec, op: WriteOp) -> WriteOp | Adopt | None:
        """A refused create may be of a record that Xero has under that name."""
        record = self._planner.existing(spec, op.job, op.body, op.owner)
        if record is not None and (
            spec.on_existing is OnExisting.MERGE or says(op.body, record, spec.content_match)
        ):
            content = {name: value for name, value in op.body.items() if name != spec.status_field}
            return self._planner.settle_existing(spec, op.job, content, record, op.entry, op.owner)
        return None

    def _is_archived(self, op: WriteOp) -> bool:
        record = self._planner.now(_CONTACTS, op)
        return record is not None and not _CONTACTS.is_active(record)

    def _check_over(self, spec: WriteSpec, op: WriteOp) -> None:
        """Raise `Broken` if what has the record's name is not in force any more, and keeps the name all the same."""
        for name, value in spec.natural_key(op.body):
            for one in self._lookups.find(spec, name, value):
                if not spec.is_active(one):
                    raise InvalidRecord(f"a {one.get(spec.status_field)} one has the {name} {value} in Xero")

    # Ends of what has ended

    def _ended(self, spec: WriteSpec, op: WriteOp) -> WriteOp | Adopt | None:
        """The end of a record that somebody has ended in Xero is done; one that has another status ends otherwise."""
        record = self._planner.now(spec, op)
        if record is None:
            return Adopt(op, {spec.key: op.entry.xero_id})
        now = str(record.get(spec.status_field) or "")
        now = spec.status_aliases.get(now, now)
        if now in {"DELETED", "VOIDED"} or now == op.status:
            op.status = now
            return Adopt(op, record)
        if not spec.end_statuses or now == op.entry.status:
            return None
        status = ending(spec, now, op.job.status)
        if status == op.status:
            return None
        return self._planner.status_step(spec, op.job, replace(op.entry, status=now), status, record=record)

    # Contacts that were merged or archived

    def _find_moved(self, contacts: Iterable[str]) -> None:
        wanted = [one for one in dict.fromkeys(contacts) if one not in self._moved]
        if not wanted:
            return
        for one in wanted:
            self._lookups.forget(_CONTACTS, one)
        held = self._lookups.by_ids(_CONTACTS, wanted)
        merged = {}
        for one in wanted:
            record = held.get(one)
            successor = self._successor(record) if record and not _CONTACTS.is_active(record) else None
            self._moved[one] = str(successor["ContactID"]) if successor else None
            if record and record.get("MergedToContactID") and self._moved[one]:
                merged[one] = str(self._moved[one])
        # A merge can't be undone; an archived contact can be restored, so that each run looks that up.
        self._references.note_moves({old: new for old, new in self._moved.items() if new}, lasting=merged)

    def _successor(self, record: Record) -> Record | None:
        """The contact that another one was merged into, else the active one that has its name now."""
        for _ in range(_MOST_MERGES):
            into = record.get("MergedToContactID")
            if not into:
                break
            record = self._lookups.by_ids(_CONTACTS, [str(into)]).get(str(into)) or {}
            if record and _CONTACTS.is_active(record):
                return record
        name = str(record.get("Name") or "")
        found = [one for one in self._lookups.find(_CONTACTS, "Name", name) if _CONTACTS.is_active(one)]
        return found[0] if len(found) == 1 and same_name(name, found[0].get("Name")) else None

    def _merged(self, op: WriteOp, new: str) -> WriteOp | Adopt | Skip:
        """A change of a contact that lives on as another: of that one, unless another record of the source has it."""
        holder = self._log.holder(_CONTACTS.name, new)
        if holder not in {None, op.job.key}:
            entry = replace(op.entry, hash=op.hash, attempts=op.entry.attempts + 1)
            self._log.settle(_CONTACTS.name, written=[(op.job.key, entry)], at=self._lookups.now())
            return Skip(
                f"merged or archived in Xero, where the contact of {shown(holder or '')} is in their place"
            )
        return self._planner.update_of(_CONTACTS, op.job, replace(op.entry, xero_id=new, status="ACTIVE"))


def _may_be_less(op: WriteOp) -> bool:
    """Whether a refused change may be sent without its lines; a change is only made smaller once."""
    return op.action == "update" and op.said is None and not op.body.keys().isdisjoint(LINES)


def _contact_of(spec: WriteSpec, op: WriteOp) -> str | None:
    """The contact that a step is of, or that its record names."""
    if spec is _CONTACTS:
        return op.entry.xero_id if op.action == "update" else None
    named: Any = op.body if spec.member_reference == "Contact" else op.body.get("Contact")
    found = named.get("ContactID") if isinstance(named, Mapping) else None
    return str(found) if found else None
