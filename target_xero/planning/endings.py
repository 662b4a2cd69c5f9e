"""Plans the end of records: to delete, void or archive them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec

from target_xero.content.compare import says
from target_xero.content.payload import InvalidRecord
from target_xero.intake.records import Job
from target_xero.lookups.lookups import Lookups, Record
from target_xero.lookups.references import References, several
from target_xero.planning.content_resolver import ContentResolver
from target_xero.planning.op_builder import GONE, OpBuilder
from target_xero.planning.operations import Adopt, Plan, Skip, WriteOp, adoption, ending
from target_xero.write_log.log import LogEntry
from target_xero.write_specs.spec import WriteSpec

#: Marks the hash of a record that was not archived because `deletes` is off, so that it is archived once it is on.
NOT_ARCHIVED = "~"
_ONLY_DELETES = "to be deleted, voided or archived, which only `deletes: true` does"


class EndPlanner:
    """Plans the ends of one organisation's records; `deletes` allows them. `write` plans a create or update."""

    def __init__(
        self,
        lookups: Lookups,
        references: References,
        contents: ContentResolver,
        ops: OpBuilder,
        write: Callable[[WriteSpec, Job, LogEntry], WriteOp | Adopt],
        *,
        deletes: bool,
    ) -> None:
        self._lookups = lookups
        self._references = references
        self._contents = contents
        self._ops = ops
        self._write = write
        self._deletes = deletes

    def plan(self, spec: WriteSpec, job: Job, entry: LogEntry) -> Plan:
        """Plan the end of a record as Xero has it. Raises `InvalidRecord` if it can't be ended."""
        if entry.gone:
            return Skip()
        archive = job.status == "ARCHIVED" and not job.gone
        xero_id = entry.xero_id or self._contents.own_id(spec, job)
        # A number of another organisation does not identify a record of this one.
        record = None if xero_id or self._references.foreign(job.tenant) else self._find(spec, job)
        if record:
            xero_id = str(record[spec.key])
        if archive:
            return self._archive(spec, job, entry, xero_id, record)
        if not xero_id:
            return Skip("ended in the source before they were ever written here")
        if not self._deletes:
            return Skip(_ONLY_DELETES)
        if not spec.remove and not spec.end_statuses:
            raise InvalidRecord(spec.why_no_update or f"Xero can't delete {spec.name}")
        return self._remove(spec, job, replace(entry, xero_id=xero_id), record)

    def _remove(self, spec: WriteSpec, job: Job, entry: LogEntry, record: Record | None) -> Plan:
        """Delete or void a record; an id that the log does not know is in `entry` already."""
        xero_id, now = entry.xero_id or "", entry.status
        if not now and spec.transitions and spec.status_field in spec.fields:
            record = record or self._lookups.by_ids(spec, [xero_id]).get(xero_id)
            if record is None:
                return Skip("not in Xero any more")
            now = spec.status_of(record)
        if now in GONE:
            op = adoption(spec, job, job.sent, entry, now, entry.owner)
            return Adopt(op, {spec.key: xero_id, **(record or {})})
        return self._ops.status_change(spec, job, entry, ending(spec, now, job.status))

    def _archive(
        self, spec: WriteSpec, job: Job, entry: LogEntry, xero_id: str | None, record: Record | None
    ) -> Plan:
        """Archive a record, which is written first, because others may refer to it."""
        if spec.skip_if_archived and not xero_id:
            return Skip(spec.skip_if_archived)
        now = entry.status
        if xero_id and not now:
            record = record or self._lookups.by_ids(spec, [xero_id]).get(xero_id) or {}
            now = str(record.get(spec.status_field) or "")
        if now == "ARCHIVED":
            return Skip()
        if xero_id and not job.sent:
            if not self._deletes:
                return Skip(_ONLY_DELETES)
            return self._ops.status_change(spec, job, replace(entry, xero_id=xero_id), "ARCHIVED")
        planned = self._write(spec, msgspec.structs.replace(job, status=""), entry)
        op = planned.op if isinstance(planned, Adopt) else planned
        op.job = job
        if not self._deletes:
            op.hash += NOT_ARCHIVED
        elif op.status != "ARCHIVED":
            op.after = ("ARCHIVED",)
        return planned

    def _find(self, spec: WriteSpec, job: Job) -> Record | None:
        """Find the record that one to be ended names: of its type, if it has one, and in force, if there is one."""
        for name in spec.natural_keys if spec.search else ():
            found = self._named(spec, name, job.sent) if job.sent.get(name) else []
            active = [one for one in found if spec.is_active(one)]
            if len(active) > 1 and "Contact" in job.sent:
                _, content = self._contents.resolve(spec, job, LogEntry())
                active = [one for one in active if says(content, one, ["Contact"])] or active
            if len(active) > 1:
                raise several(spec, name, str(job.sent[name]), active)
            if found:
                return active[0] if active else found[0]
        return None

    def _named(self, spec: WriteSpec, name: str, sent: dict[str, Any]) -> list[Record]:
        """Return the records with a name, of one type."""
        found = self._lookups.find(spec, name, str(sent[name]))
        if not spec.unique_when:
            return found
        field = spec.unique_when[0]
        if sent.get(field):
            found = [one for one in found if one.get(field) == sent[field]]
        if len({one.get(field) for one in found}) > 1:
            raise several(spec, name, str(sent[name]), found)
        return found
