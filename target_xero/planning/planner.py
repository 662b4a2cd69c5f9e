"""Plans what to ask of Xero for a record: nothing, a create, an update, or its end (delete, void or archive)."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from target_xero.content.compare import matches, same_name
from target_xero.content.values import InvalidRecord
from target_xero.intake.intake import Intake
from target_xero.intake.records import Job
from target_xero.lookups.content_search import ContentSearch
from target_xero.lookups.lookups import Lookups, Record
from target_xero.lookups.record_finder import RecordFinder
from target_xero.lookups.references import References, several
from target_xero.planning.content_resolver import ContentResolver, ParentSkipped
from target_xero.planning.document_lines import DocumentLines
from target_xero.planning.op_builder import GONE, OpBuilder
from target_xero.planning.operations import Adopt, Draft, Plan, Skip, WriteOp, ending
from target_xero.planning.removed_parts import RemovedParts
from target_xero.write_log.identity import origin, shown
from target_xero.write_log.log import LogEntry, WriteLog
from target_xero.write_specs.spec import OnExisting, WriteSpec

#: Marks the hash of a record that was not archived because `deletes` is off, so that it is archived once it is on.
NOT_ARCHIVED = "~"
_ONLY_DELETES = "to be deleted, voided or archived, which requires `deletes: true`"


@dataclass
class Planner:
    """Plans the records of one organisation. Its methods raise `InvalidRecord` to reject a record.

    `deletes` allows to end records. With `looks_up_names`, every create is looked up by name first, as in a dry run,
    in which Xero can't refuse a name in use.
    """

    log: WriteLog
    lookups: Lookups
    references: References
    intake: Intake
    deletes: bool
    looks_up_names: bool = False

    def __post_init__(self) -> None:
        log, lookups, references = self.log, self.lookups, self.references
        self._contents = ContentResolver(log, lookups, references)
        self.finder = RecordFinder(lookups, references)
        self.lines = DocumentLines(log, lookups, references)
        self.ops = OpBuilder(lookups, self.lines)
        self.search = ContentSearch(log, lookups, references)
        self.removed_parts = RemovedParts(log, self.intake, deletes=self.deletes)

    def plan(self, spec: WriteSpec, job: Job) -> Plan:
        """Plan one record."""
        entry = self.log.entry(spec.name, job.key)
        other = self.log.claims.doubtful.get((spec.name, job.key))
        if other is not None:
            raise InvalidRecord(_doubt(other))
        if job.parts:
            self.removed_parts.find(job)
        if entry and self._is_unchanged(entry, self.intake.last_hash(spec, job)):
            return Skip()
        try:
            if not spec.create:
                return self._recognise(spec, job, entry or LogEntry())
            plan = self._end if job.gone or job.status in spec.end_statuses else self.write
            found: Plan = plan(spec, job, entry or LogEntry())
        except ParentSkipped:
            found = Skip("parts of records that were skipped")
        if isinstance(found, Skip) and found.why:
            self._contents.skipped(spec, job)
        return found

    def _recognise(self, spec: WriteSpec, job: Job, entry: LogEntry) -> Adopt | Skip:
        """Find by its name a record that no API request can create."""
        record = self.finder.by_name(spec, job.sent)
        if record is None:
            return Skip(spec.why_no_update)
        return Draft(spec, job, job.sent, replace(entry, xero_id=str(record[spec.key]))).adopt(record, "")

    def looks_up_name(self, spec: WriteSpec) -> bool:
        """Tell whether a record without an id is looked up by name before it is created."""
        return spec.lookup_before_create or (self.looks_up_names and spec.search is not None)

    def _is_unchanged(self, entry: LogEntry, content: str) -> bool:
        return entry.hash == content or (entry.hash == content + NOT_ARCHIVED and not self.deletes)

    # Creates and updates

    def write(self, spec: WriteSpec, job: Job, entry: LogEntry) -> WriteOp | Adopt:
        """Plan a create or an update."""
        known = bool(entry.xero_id) and not entry.gone
        draft = self._contents.resolve(spec, job, entry)
        xero_id = entry.xero_id if known else self._contents.own_id(spec, job)
        if not xero_id:
            is_asked = self.looks_up_name(spec)
            record = self.finder.existing(spec, job, draft.content, draft.owner) if is_asked else None
            if record is not None:
                return self.adopt_existing(draft, record)
            return self._find_by_content(draft) or self.ops.create(draft)
        if spec.update is None:
            why = "it has changed since it was written" if known else f"Xero already has it as {xero_id}"
            raise InvalidRecord(f"{why}. {spec.why_no_update}")
        draft = replace(draft, entry=replace(entry, xero_id=xero_id))
        return self.ops.update(draft, entry.status if known else "")

    def update_of(self, spec: WriteSpec, job: Job, entry: LogEntry) -> WriteOp | Adopt:
        """Plan the update of a record whose id in Xero has changed; `entry` has the new id."""
        return self.ops.update(self._contents.resolve(spec, job, entry), entry.status)

    def _find_by_content(self, draft: Draft) -> WriteOp | Adopt | None:
        """Plan for a record that Xero has with the same content although the log does not know it."""
        spec, job = draft.spec, draft.job
        if not self.search.is_needed(spec, draft.content):
            return None
        siblings = self.finder.siblings(spec, draft.owner) if spec.siblings_path else None
        times = 0 if spec.key else self.log.number(spec.name, draft.owner or "", job.hash)
        record = self.search.find(spec, draft.content, siblings, times)
        if record is None:
            return None
        self.search.found[spec.name] += 1
        there = spec.status_of(record)
        xero_id = str(record.get(spec.key)) if spec.key else None
        draft = replace(draft, entry=replace(draft.entry, xero_id=xero_id))
        is_update = spec.update and job.status not in {"", there}
        return self.ops.update(draft, there) if is_update else draft.adopt(record, there)

    def adopt_existing(self, draft: Draft, record: Record) -> WriteOp | Adopt:
        """Plan for a record that Xero has under this name and that the log of writes does not know."""
        spec, job, content = draft.spec, draft.job, draft.content
        xero_id = str(record[spec.key])
        holder = self.log.holder(spec.name, xero_id)
        if holder not in {None, job.key} and not spec.many_to_one:
            raise InvalidRecord(
                f"Xero would treat it and the record {shown(holder or '')} as one: they have the same name"
            )
        status = str(record.get(spec.status_field) or "")
        draft = replace(draft, entry=replace(draft.entry, xero_id=xero_id))
        others = [
            name
            for name in spec.natural_keys
            if content.get(name) and record.get(name) and not same_name(content[name], record[name])
        ]
        is_same = matches(content, record, content.keys() - spec.create_only)
        if self._is_fixed(spec, job, record, others) or (
            is_same and job.status in {"", spec.status_of(record)}
        ):
            return draft.adopt(record, status)
        if others:
            raise InvalidRecord(f"the record of this name has {record.get(others[0])!r} in Xero", others[0])
        if spec.on_existing is OnExisting.MERGE and spec.update:
            return self.ops.update(draft, status)
        name, value = spec.natural_key(content)[0]
        raise InvalidRecord(
            f"{value} is in use in Xero by a record that target-xero did not write, and is not overwritten",
            name,
        )

    def _is_fixed(self, spec: WriteSpec, job: Job, record: Record, others: list[str]) -> bool:
        """Tell whether a record is used unchanged: Xero's own accounts and tax rates, and what `on_existing` keeps."""
        if spec.on_existing is OnExisting.KEEP or record.get("SystemAccount"):
            return True
        if spec.id_alias and not spec.is_own_id(str(record[spec.key])):
            return True
        return bool(others) and spec.many_to_one and self.references.foreign(job.tenant)

    # Ends

    def _end(self, spec: WriteSpec, job: Job, entry: LogEntry) -> Plan:
        """Plan the end of a record as Xero has it."""
        if entry.gone:
            return Skip()
        xero_id = entry.xero_id or self._contents.own_id(spec, job)
        # A number of another organisation does not identify a record of this one.
        record = None if xero_id or self.references.foreign(job.tenant) else self._named_in(spec, job)
        if record:
            xero_id = str(record[spec.key])
        if job.status == "ARCHIVED" and not job.gone:
            return self._archive(spec, job, entry, xero_id, record)
        if not xero_id:
            return Skip("ended in the source before they were written")
        if not self.deletes:
            return Skip(_ONLY_DELETES)
        if not spec.remove and not spec.end_statuses:
            raise InvalidRecord(spec.why_no_update or f"Xero can't delete {spec.name}")
        return self._remove(spec, job, replace(entry, xero_id=xero_id), record)

    def _remove(self, spec: WriteSpec, job: Job, entry: LogEntry, record: Record | None) -> Plan:
        """Delete or void a record; its id is in `entry`."""
        xero_id, now = entry.xero_id, entry.status
        if not now and spec.transitions and spec.status_field in spec.fields:
            record = record or self.lookups.by_id(spec, xero_id)
            if record is None:
                return Skip("no longer in Xero")
            now = spec.status_of(record)
        if now in GONE:
            draft = Draft(spec, job, job.sent, entry, entry.owner)
            return draft.adopt({spec.key: xero_id, **(record or {})}, now)
        return self.ops.status_change(spec, job, entry, ending(spec, now, job.status))

    def _archive(
        self, spec: WriteSpec, job: Job, entry: LogEntry, xero_id: str | None, record: Record | None
    ) -> Plan:
        """Archive a record, which is written first, because others may refer to it."""
        if spec.skip_if_archived and not xero_id:
            return Skip(spec.skip_if_archived)
        now = entry.status
        if xero_id and not now:
            record = record or self.lookups.by_id(spec, xero_id) or {}
            now = str(record.get(spec.status_field) or "")
        if now == "ARCHIVED":
            return Skip()
        if xero_id and not job.sent:
            if not self.deletes:
                return Skip(_ONLY_DELETES)
            return self.ops.status_change(spec, job, replace(entry, xero_id=xero_id), "ARCHIVED")
        planned = self.write(spec, replace(job, status=""), entry)
        op = planned.op if isinstance(planned, Adopt) else planned
        op.job = job
        if not self.deletes:
            op.hash += NOT_ARCHIVED
        elif op.status != "ARCHIVED":
            op.after = ("ARCHIVED",)
        return planned

    def _named_in(self, spec: WriteSpec, job: Job) -> Record | None:
        """Find the record in Xero that one to be ended names, an active one if possible."""
        names = [name for name in spec.natural_keys if job.sent.get(name)] if spec.search else []
        for name in names:
            value = str(job.sent[name])
            found = self.lookups.find(spec, name, value)
            kind = spec.unique_when[0] if spec.unique_when else ""
            if job.sent.get(kind):
                found = [one for one in found if one.get(kind) == job.sent[kind]]
            if kind and len({one.get(kind) for one in found}) > 1:
                raise several(spec, name, value, found)
            active = self._of_contact(spec, job, list(filter(spec.is_active, found)))
            if len(active) > 1:
                raise several(spec, name, value, active)
            if found:
                return (active or found)[0]
        return None

    def _of_contact(self, spec: WriteSpec, job: Job, records: list[Record]) -> list[Record]:
        """The records of the contact that a record names, if there are several and some have it."""
        if len(records) < 2 or "Contact" not in job.sent:
            return records
        content = self._contents.resolve(spec, job, LogEntry()).content
        return [one for one in records if matches(content, one, ["Contact"])] or records


def _doubt(other: str) -> str:
    """Return why a record is not taken for the one that the log of writes has under a similar key."""
    of = origin(other)
    if of is None:
        return (
            f"the log of writes has a record with the key {shown(other)} from an earlier version, which did not store "
            "the stream, and several streams have this key: run these streams one at a time once"
        )
    return (
        f"the log of writes has the record {shown(other)} of the source {of.source}, and this input names no source: "
        f"set source to {of.source} if it is the same record, otherwise to another name"
    )
