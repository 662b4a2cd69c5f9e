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
from target_xero.content.payload import Broken
from target_xero.planning.differences import LINES
from target_xero.planning.lookups import Directory, Record
from target_xero.planning.planner import Adopted, Left, Planner, Step, ending
from target_xero.planning.references import References
from target_xero.write_log.identity import shown
from target_xero.write_log.log import Ledger
from target_xero.write_specs.rows import WRITES, Existing, Write

_CONTACTS = WRITES["contacts"]
#: A contact may be merged into one that is merged into another; more than so often is a circle.
_MOST_MERGES = 10


class Refusals:
    """Looks again at steps that Xero refused."""

    def __init__(
        self, ledger: Ledger, directory: Directory, references: References, planner: Planner
    ) -> None:
        self._ledger = ledger
        self._directory = directory
        self._references = references
        self._planner = planner
        self._moved: dict[str, str | None] = {}

    def prepare(self, row: Write, steps: list[Step]) -> None:
        """Look up what `reconsider` will need, in as few calls as that takes."""
        creates = [step for step in steps if self._may_exist(row, step)]
        for field in row.names:
            values = [value for step in creates for name, value in row.named(step.body) if name == field]
            self._directory.look_up(row, field, values)
        contacts = [found for step in steps if (found := _contact_of(row, step))]
        with suppress(ScopeMissing):
            self._find_moved(contacts)
        again = [step for step in steps if step.action == "remove" or _may_be_less(step)]
        ids = [step.entry.xero_id for step in again if step.entry.xero_id]
        for xero_id in ids:
            self._directory.forget(row, xero_id)
        if ids and not row.siblings:
            self._directory.by_ids(row, ids)

    def reconsider(self, row: Write, step: Step) -> Step | Adopted | Left | None:
        """What to do in place of a refused step; None to reject it. `Broken` rejects it with a further reason."""
        if step.action == "remove":
            return self._ended(row, step)
        if _may_be_less(step):
            change = self._planner.only_changes(row, step)
            if change is None and self._planner.is_first_look(row, step):
                change = self._planner.with_lines_looked_up(row, step)
            if change is not None:
                return change
        if self._may_exist(row, step):
            found = self._existing(row, step)
            if found:
                return found
        if step.action == "create" and row.search:
            self._check_over(row, step)
        if row is _CONTACTS and step.job.status == "ARCHIVED" and self._is_archived(step):
            # Nothing of it can be changed any more.
            step.status, step.after = "ARCHIVED", ()
            return Adopted(step, {row.key: step.entry.xero_id})
        old = _contact_of(row, step)
        new = self._moved.get(old) if old else None
        if new is None:
            return None
        if row is _CONTACTS:
            return self._merged(step, new)
        if step.body.get("Contact", step.body).get("ContactID") == new:
            return None
        plan = self._planner.plan(row, step.job)
        return plan if isinstance(plan, Step) and _contact_of(row, plan) == new else None

    # Creates of what is there

    @staticmethod
    def _may_exist(row: Write, step: Step) -> bool:
        return step.action == "create" and not row.first and bool(row.search)

    def _existing(self, row: Write, step: Step) -> Step | Adopted | None:
        """A refused create may be of a record that Xero has under that name."""
        record = self._planner.existing(row, step.job, step.body, step.owner)
        if record is not None and (row.existing is Existing.MERGE or says(step.body, record, row.marks)):
            content = {name: value for name, value in step.body.items() if name != row.status}
            return self._planner.settle_existing(row, step.job, content, record, step.entry, step.owner)
        return None

    def _is_archived(self, step: Step) -> bool:
        record = self._planner.now(_CONTACTS, step)
        return record is not None and not _CONTACTS.counts(record)

    def _check_over(self, row: Write, step: Step) -> None:
        """Raise `Broken` if what has the record's name is not in force any more, and keeps the name all the same."""
        for name, value in row.named(step.body):
            for one in self._directory.find(row, name, value):
                if not row.counts(one):
                    raise Broken(f"a {one.get(row.status)} one has the {name} {value} in Xero")

    # Ends of what has ended

    def _ended(self, row: Write, step: Step) -> Step | Adopted | None:
        """The end of a record that somebody has ended in Xero is done; one that has another status ends otherwise."""
        record = self._planner.now(row, step)
        if record is None:
            return Adopted(step, {row.key: step.entry.xero_id})
        now = str(record.get(row.status) or "")
        now = row.becomes.get(now, now)
        if now in {"DELETED", "VOIDED"} or now == step.status:
            step.status = now
            return Adopted(step, record)
        if not row.ends or now == step.entry.status:
            return None
        status = ending(row, now, step.job.status)
        if status == step.status:
            return None
        return self._planner.status_step(
            row, step.job, replace(step.entry, status=now), status, record=record
        )

    # Contacts that were merged or archived

    def _find_moved(self, contacts: Iterable[str]) -> None:
        wanted = [one for one in dict.fromkeys(contacts) if one not in self._moved]
        if not wanted:
            return
        for one in wanted:
            self._directory.forget(_CONTACTS, one)
        held = self._directory.by_ids(_CONTACTS, wanted)
        merged = {}
        for one in wanted:
            record = held.get(one)
            successor = self._successor(record) if record and not _CONTACTS.counts(record) else None
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
            record = self._directory.by_ids(_CONTACTS, [str(into)]).get(str(into)) or {}
            if record and _CONTACTS.counts(record):
                return record
        name = str(record.get("Name") or "")
        found = [one for one in self._directory.find(_CONTACTS, "Name", name) if _CONTACTS.counts(one)]
        return found[0] if len(found) == 1 and same_name(name, found[0].get("Name")) else None

    def _merged(self, step: Step, new: str) -> Step | Adopted | Left:
        """A change of a contact that lives on as another: of that one, unless another record of the source has it."""
        holder = self._ledger.holder(_CONTACTS.name, new)
        if holder not in {None, step.job.key}:
            entry = replace(step.entry, hash=step.hash, attempts=step.entry.attempts + 1)
            self._ledger.settle(_CONTACTS.name, written=[(step.job.key, entry)], at=self._directory.now())
            return Left(
                f"merged or archived in Xero, where the contact of {shown(holder or '')} is in their place"
            )
        return self._planner.update_of(_CONTACTS, step.job, replace(step.entry, xero_id=new, status="ACTIVE"))


def _may_be_less(step: Step) -> bool:
    """Whether a refused change may be sent without its lines; a change is only made smaller once."""
    return step.action == "update" and step.said is None and not step.body.keys().isdisjoint(LINES)


def _contact_of(row: Write, step: Step) -> str | None:
    """The contact that a step is of, or that its record names."""
    if row is _CONTACTS:
        return step.entry.xero_id if step.action == "update" else None
    named: Any = step.body if row.refers == "Contact" else step.body.get("Contact")
    found = named.get("ContactID") if isinstance(named, Mapping) else None
    return str(found) if found else None
