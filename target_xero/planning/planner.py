"""What is to be asked of Xero for a record: nothing, a create, an update, or its end."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import msgspec

from singer_xero.api import dates
from target_xero.content.compare import same_name, says
from target_xero.content.payload import REFERENCES, InvalidRecord, encode
from target_xero.content.spelling import singular
from target_xero.intake.intake import Intake, Job
from target_xero.planning.codes import alias
from target_xero.planning.content_search import ContentSearch
from target_xero.planning.differences import LINES, held
from target_xero.planning.line_matching import KnownLine, for_update, in_xero, known, noted, without_ids
from target_xero.planning.lookups import Lookups, Record
from target_xero.planning.references import Ambiguous, References, several
from target_xero.write_log.identity import origin, shown
from target_xero.write_log.log import LogEntry, WriteLog
from target_xero.write_specs.rows import WRITE_SPECS
from target_xero.write_specs.spec import Endpoint, OnExisting, WriteSpec

#: Marks the hash of a record whose archiving was left out, so that it is made up for once `deletes` is on.
_NOT_ARCHIVED = "~"
_GONE = ("DELETED", "VOIDED")
_ONLY_DELETES = "to be deleted, voided or archived, which only `deletes: true` does"


@dataclass(eq=False)
class WriteOp:
    """One thing to ask of Xero for one record.

    `action` is create, update or remove; `entry` what the ledger knows so far; `status` what this leads to
    and `after` the statuses still to go through; `hash` the content's once all is done; `lines` the source's
    ids of the lines sent; `follows` whether an earlier step of the same record was counted already; `again`
    whether the record is to be planned once more when this is done; `adopted` whether nothing is asked, as Xero has
    the record already; `said` what the record says in all, where the body is only a part of it.
    """

    job: Job
    action: str
    endpoint: Endpoint
    path: str
    body: dict[str, Any]
    entry: LogEntry
    hash: str
    status: str = ""
    after: tuple[str, ...] = ()
    owner: str | None = None
    lines: list[str | None] = field(default_factory=list)
    follows: bool = False
    again: bool = False
    adopted: bool = False
    said: Mapping[str, Any] | None = None

    @cached_property
    def data(self) -> bytes:
        """The body as JSON; it does not change any more once it was asked for."""
        return encode(self.body)

    def expected(self, spec: WriteSpec) -> dict[str, Any]:
        """What Xero's answer is compared with: what the record says, its totals, and the status it is brought to."""
        said = self.body if self.said is None else self.said
        totals = {name: value for name, value in self.job.aside.items() if name not in spec.inspected}
        status = {spec.status_field: self.status} if self.status else {}
        return {**said, **(totals if self.action != "remove" or self.said else {}), **status}


@dataclass
class Adopt:
    """Xero has the record already, and it says the same: only the ledger is to know."""

    op: WriteOp
    record: Record


@dataclass
class Skip:
    """The record is left alone; `why` completes `12 left out: …`, empty for one that is unchanged."""

    why: str = ""


class _OwnerLeftOut(Exception):
    """What the record belongs to was left out, and so is the record."""


class Planner:
    """Plans the records of one organisation; `deletes` allows to end records. `Broken` rejects a record."""

    def __init__(
        self, log: WriteLog, lookups: Lookups, references: References, intake: Intake, *, deletes: bool
    ) -> None:
        self._log = log
        self._lookups = lookups
        self._references = references
        self._intake = intake
        self._deletes = deletes
        self._left: set[tuple[str, str] | str | None] = set()
        self._looked_twice: set[tuple[str, str]] = set()
        self.search = ContentSearch(log, lookups, references)
        self.lost_parts: defaultdict[str, dict[str, Job]] = defaultdict(dict)
        self.kept_parts: Counter[str] = Counter()

    def plan(self, spec: WriteSpec, job: Job) -> WriteOp | Adopt | Skip:
        """What to do about one record."""
        entry = self._log.entry(spec.name, job.key)
        other = self._log.doubtful.get((spec.name, job.key))
        if other is not None:
            raise InvalidRecord(_doubt(other))
        self._find_lost_parts(job)
        if entry and self._is_unchanged(entry, self._intake.last_hash(spec, job)):
            return Skip()
        try:
            if not spec.create:
                return self._recognise(spec, job)
            ends = job.gone or job.status in spec.end_statuses
            plan = self._end(spec, job, entry) if ends else self._write(spec, job, entry)
        except _OwnerLeftOut:
            plan = Skip("parts of records that were left out")
        if isinstance(plan, Skip) and plan.why:
            self._left |= {(spec.name, job.key), job.id}
        return plan

    def _recognise(self, spec: WriteSpec, job: Job) -> Adopt | Skip:
        """What Xero lets nobody make may be there all the same, under the same name."""
        record = self._by_name(spec, job.sent)
        if record is None:
            return Skip(spec.why_no_update)
        op = self._adoption(spec, job, job.sent, LogEntry(xero_id=str(record[spec.key])), "", None)
        return Adopt(op, record)

    def may_be_sent(self, spec: WriteSpec, job: Job) -> bool:
        """Whether looking up what a record refers to may be of use."""
        entry = self._log.entry(spec.name, job.key)
        return bool(spec.create) and (entry is None or entry.hash != self._intake.last_hash(spec, job))

    def _is_unchanged(self, entry: LogEntry, content: str) -> bool:
        return entry.hash == content or (entry.hash == content + _NOT_ARCHIVED and not self._deletes)

    # Create or update

    def _write(self, spec: WriteSpec, job: Job, entry: LogEntry | None) -> WriteOp | Adopt:
        entry = entry or LogEntry()
        known = bool(entry.xero_id) and not entry.gone
        owner, content = self._content(spec, job, entry)
        xero_id = entry.xero_id if known else self._own_id(spec, job)
        if not xero_id:
            record = self.existing(spec, job, content, owner) if spec.lookup_before_create else None
            if record is None:
                lost = self._lost(spec, job, content, entry, owner)
                return lost or self._create(spec, job, content, entry, owner)
            return self.settle_existing(spec, job, content, record, entry, owner)
        if spec.update is None:
            if not known:
                raise InvalidRecord(f"Xero has it already, as {xero_id}. {spec.why_no_update}")
            raise InvalidRecord(f"it was written before and has changed since. {spec.why_no_update}")
        return self._update(
            spec, job, content, replace(entry, xero_id=xero_id), entry.status if known else "", owner
        )

    def _lost(
        self, spec: WriteSpec, job: Job, content: dict[str, Any], entry: LogEntry, owner: str | None
    ) -> WriteOp | Adopt | None:
        """What to do about a record that Xero has by what it says, although the log does not know it."""
        if not self.search.is_needed(spec, content):
            return None
        siblings = self.siblings(spec, owner) if spec.siblings_path else None
        times = 0 if spec.key else self._log.number(spec.name, owner or "", job.hash)
        record = self.search.find(spec, content, siblings, times)
        if record is None:
            return None
        self.search.found[spec.name] += 1
        status = str(record.get(spec.status_field) or "")
        there = spec.status_aliases.get(status, status)
        entry = replace(entry, xero_id=str(record.get(spec.key)) if spec.key else None)
        if spec.update and job.status not in {"", there}:
            return self._update(spec, job, content, entry, there, owner)
        return Adopt(self._adoption(spec, job, content, entry, there, owner), record)

    def _create(
        self, spec: WriteSpec, job: Job, content: dict[str, Any], entry: LogEntry, owner: str | None
    ) -> WriteOp:
        for names in spec.required:
            if not any(
                content.get(n) or content.get(n) == 0 or n in spec.parent_paths for n in names.split("|")
            ):
                raise InvalidRecord(
                    f"it is needed for a new record of {spec.name}", names.replace("|", " or ")
                )
        first = next(iter(spec.transitions.get("", ("",))))
        way = spec.transitions_to("", job.status or first) if spec.transitions else ("",)
        if not way:
            raise InvalidRecord(f"a new record of {spec.name} can't become {job.status}", spec.status_field)
        body = dict(content)
        if "LineItems" in body:
            body["LineItems"] = without_ids(body["LineItems"])
        if (job.status or spec.status_required) and not spec.status_sent_alone:
            body[spec.status_field] = way[0]
        assert spec.create is not None  # noqa: S101
        return WriteOp(
            job, "create", spec.create, _path(spec.create, owner, ""), body,
            replace(entry, xero_id=None, lines=None), job.hash,
            status=way[0], after=way[1:], owner=owner, lines=_line_ids(content),
        )  # fmt: skip

    def _update(
        self,
        spec: WriteSpec,
        job: Job,
        content: Mapping[str, Any],
        entry: LogEntry,
        now: str,
        owner: str | None,
    ) -> WriteOp | Adopt:
        xero_id = entry.xero_id or ""
        endpoint = spec.update
        assert endpoint is not None  # noqa: S101
        body = {name: value for name, value in content.items() if name not in spec.create_only}
        if "LineItems" in body:
            body["LineItems"] = for_update(body, self._lines_there(spec, entry), self._line_id_of(job))
        if not body and job.status in {"", now}:
            record = self._lookups.by_ids(spec, [xero_id]).get(xero_id)
            if record is None:
                raise InvalidRecord("Xero has no such record: its id is not one of this organisation")
            return Adopt(self._adoption(spec, job, content, entry, now, owner), record)
        way: tuple[str, ...] = ()
        if job.status and job.status != now:
            found = spec.transitions_to(now, job.status) if now else (job.status,)
            if found is None:
                raise InvalidRecord(f"{now} to {job.status} is no step that Xero takes", spec.status_field)
            way = found
        if spec.status_sent_alone and now == "ARCHIVED" and way:
            # Nothing of it can be changed before it is brought back.
            op = self.status_step(spec, job, entry, way[0])
            op.again = True
            return op
        status, after = now, way
        if way and not spec.status_sent_alone:
            body[spec.status_field] = way[0]
            status, after = way[0], way[1:]
        self._fill_header(spec, body, xero_id)
        if endpoint.body == "list":
            body = {spec.key: xero_id, **body}
        owner = owner or entry.owner
        return WriteOp(
            job, "update", endpoint, _path(endpoint, owner, xero_id), body, entry, job.hash,
            status=status, after=after, owner=owner, lines=_line_ids(content),
        )  # fmt: skip

    def update_of(self, spec: WriteSpec, job: Job, entry: LogEntry) -> WriteOp | Adopt:
        """The change of a record that has another id in Xero by now, in `entry`."""
        owner, content = self._content(spec, job, entry)
        return self._update(spec, job, content, entry, entry.status, owner)

    def settle_existing(
        self,
        spec: WriteSpec,
        job: Job,
        content: dict[str, Any],
        record: Record,
        entry: LogEntry,
        owner: str | None,
    ) -> WriteOp | Adopt:
        """What to do about a record that Xero has under this name, and that the ledger does not know."""
        xero_id = str(record[spec.key])
        foreign = self._references.foreign(job.tenant)
        holder = self._log.holder(spec.name, xero_id)
        if holder not in {None, job.key} and not spec.many_to_one:
            raise InvalidRecord(
                f"Xero would take it and the record {shown(holder or '')} for one: they have the same name"
            )
        status = str(record.get(spec.status_field) or "")
        entry = replace(entry, xero_id=xero_id)
        others = [
            n
            for n in spec.natural_keys
            if content.get(n) and record.get(n) and not same_name(content[n], record[n])
        ]
        fixed = (
            spec.on_existing is OnExisting.KEEP
            or bool(record.get("SystemAccount"))
            or (bool(spec.id_alias) and not spec.is_own_id(xero_id))
            or (bool(others) and spec.many_to_one and foreign)
        )
        there = spec.status_aliases.get(status, status)
        if fixed or (says(content, record, content.keys() - spec.create_only) and job.status in {"", there}):
            op = self._adoption(spec, job, content, entry, status, owner)
            return Adopt(op, record)
        if others:
            raise InvalidRecord(f"Xero has {record.get(others[0])!r} for the record of this name", others[0])
        if spec.on_existing is OnExisting.MERGE and spec.update:
            return self._update(spec, job, content, entry, status, owner)
        name, value = spec.natural_key(content)[0]
        raise InvalidRecord(
            f"{value} is in use in Xero by a record not written from here, which is not overwritten", name
        )

    @staticmethod
    def _adoption(
        spec: WriteSpec, job: Job, content: Mapping[str, Any], entry: LogEntry, status: str, owner: str | None
    ) -> WriteOp:
        return WriteOp(
            job,
            "create",
            spec.create or Endpoint("", ""),
            "",
            dict(content),
            entry,
            job.hash,
            status=status,
            owner=owner,
            lines=_line_ids(content),
            adopted=True,
        )

    def existing(
        self, spec: WriteSpec, job: Job, content: Mapping[str, Any], owner: str | None
    ) -> Record | None:
        """A record that Xero has under one of this record's names; the first name that finds one counts."""
        if spec.siblings_path:
            for one in self.siblings(spec, owner):
                if any(same_name(value, one.get(name)) for name, value in spec.natural_key(content)):
                    return one
            return None
        identifier = self._identifier(spec, job)
        for one in self._lookups.whole(spec.name) if identifier else ():
            if one.get(spec.identified_by) == identifier:
                return one
        return self._by_name(spec, content)

    def _identifier(self, spec: WriteSpec, job: Job) -> str | None:
        """What identifies a record in Xero before its names: a system account, or a tax type of Xero's own."""
        if not spec.identified_by or spec.identified_by != spec.key:
            return job.aside.get(spec.identified_by)
        is_other = job.id and spec.is_own_id(job.id) and self._references.foreign(job.tenant)
        return None if is_other else job.id

    def _by_name(self, spec: WriteSpec, content: Mapping[str, Any]) -> Record | None:
        for name, value in spec.natural_key(content) if spec.search else ():
            found = self._lookups.find(spec, name, value)
            if spec.unique_when:
                found = [one for one in found if one.get(spec.unique_when[0]) == spec.unique_when[1]]
            found = [one for one in found if spec.is_active(one)]
            if found:
                return found[0]
        return None

    def _to_end(self, spec: WriteSpec, job: Job) -> Record | None:
        """The record that one to be ended names: of its type, if it gives one, and in force, if there is one."""
        sent = job.sent
        for name in spec.natural_keys if spec.search else ():
            if not sent.get(name):
                continue
            value = str(sent[name])
            found = self._lookups.find(spec, name, value)
            if spec.unique_when and sent.get(spec.unique_when[0]):
                found = [one for one in found if one.get(spec.unique_when[0]) == sent[spec.unique_when[0]]]
            if spec.unique_when and len({one.get(spec.unique_when[0]) for one in found}) > 1:
                raise several(spec, name, value, found)
            living = [one for one in found if spec.is_active(one)]
            if len(living) > 1 and "Contact" in sent:
                _, content = self._content(spec, job, LogEntry())
                living = [one for one in living if says(content, one, ["Contact"])] or living
            if len(living) > 1:
                raise several(spec, name, value, living)
            if found:
                return living[0] if living else found[0]
        return None

    # The end of a record

    def _end(self, spec: WriteSpec, job: Job, entry: LogEntry | None) -> WriteOp | Adopt | Skip:
        """Delete, void or archive a record, as Xero has it and where `deletes` allows it."""
        entry = entry or LogEntry()
        if entry.gone:
            return Skip()
        archive = job.status == "ARCHIVED" and not job.gone
        xero_id = entry.xero_id or self._own_id(spec, job)
        # A number of another organisation says nothing about the record that has it here.
        record = None if xero_id or self._references.foreign(job.tenant) else self._to_end(spec, job)
        if record:
            xero_id = str(record[spec.key])
        if archive and spec.skip_if_archived and not xero_id:
            return Skip(spec.skip_if_archived)
        if archive:
            now = entry.status
            if xero_id and not now:
                record = record or self._lookups.by_ids(spec, [xero_id]).get(xero_id) or {}
                now = str(record.get(spec.status_field) or "")
            if now == "ARCHIVED":
                return Skip()
            if xero_id and not job.sent:
                # It says nothing that could be written before it is archived.
                archived = replace(entry, xero_id=xero_id)
                return (
                    self.status_step(spec, job, archived, "ARCHIVED")
                    if self._deletes
                    else Skip(_ONLY_DELETES)
                )
            return self._unarchived(spec, job, entry)
        if not xero_id:
            return Skip("ended in the source before they were ever written here")
        if not self._deletes:
            return Skip(_ONLY_DELETES)
        if not spec.remove and not spec.end_statuses:
            raise InvalidRecord(spec.why_no_update or f"Xero can't delete {spec.name}")
        entry = replace(entry, xero_id=xero_id)
        now = entry.status
        if not now and spec.transitions and spec.status_field in spec.fields:
            record = record or self._lookups.by_ids(spec, [xero_id]).get(xero_id)
            if record is None:
                return Skip("not in Xero any more")
            now = str(record.get(spec.status_field) or "")
            now = spec.status_aliases.get(now, now)
        if now in _GONE:
            op = self._adoption(spec, job, job.sent, entry, now, entry.owner)
            return Adopt(op, {spec.key: xero_id, **(record or {})})
        return self.status_step(spec, job, entry, ending(spec, now, job.status))

    def _unarchived(self, spec: WriteSpec, job: Job, entry: LogEntry) -> WriteOp | Adopt:
        """A record that is archived in the source: written first, as others may refer to it, archived last."""
        planned = self._write(spec, msgspec.structs.replace(job, status=""), entry)
        op = planned.op if isinstance(planned, Adopt) else planned
        op.job = job
        if not self._deletes:
            op.hash += _NOT_ARCHIVED
        elif op.status != "ARCHIVED":
            op.after = ("ARCHIVED",)
        return planned

    def status_step(
        self,
        spec: WriteSpec,
        job: Job,
        entry: LogEntry,
        status: str,
        after: tuple[str, ...] = (),
        *,
        record: Record | None = None,
        follows: bool = False,
        said: Mapping[str, Any] | None = None,
    ) -> WriteOp:
        """Bring a record to a status, and nothing else; `record` is Xero's, if it is at hand.

        `said` is what was written of it before, so that the last answer is compared with all of it.
        """
        xero_id = entry.xero_id or ""
        endpoint = spec.remove if spec.remove and status in _GONE else spec.update
        if endpoint is None:
            raise InvalidRecord(spec.why_no_update)
        body: dict[str, Any] = {spec.status_field: status} if endpoint.body else {}
        if endpoint.body:
            self._fill_header(spec, body, xero_id, record)
        if endpoint.body == "list":
            body = {spec.key: xero_id, **body}
        return WriteOp(
            job, "remove" if status in (*spec.end_statuses, "DELETED") else "update", endpoint,
            _path(endpoint, entry.owner, xero_id), body, entry, job.hash,
            status=status, after=after, owner=entry.owner, follows=follows, said=said,
        )  # fmt: skip

    def is_first_look(self, spec: WriteSpec, op: WriteOp) -> bool:
        """Whether the lines of a record were not looked up a second time in this run; asked once, they were."""
        known = (spec.name, op.job.key) in self._looked_twice
        self._looked_twice.add((spec.name, op.job.key))
        return not known

    def with_lines_looked_up(self, spec: WriteSpec, op: WriteOp) -> WriteOp | Adopt | None:
        """A refused change once more, if it names lines that Xero does not have any more."""
        xero_id = op.entry.xero_id or ""
        record = self._lookups.by_ids(spec, [xero_id]).get(xero_id)
        if record is None:
            return None
        lines = {line.get("LineItemID") for line in record.get("LineItems") or []}
        named = {line.get("LineItemID") for line in op.body.get("LineItems") or []} - {None}
        return None if named <= lines else self._write(spec, op.job, replace(op.entry, lines=None))

    def only_changes(self, spec: WriteSpec, op: WriteOp) -> WriteOp | Adopt | None:
        """A refused change without what Xero has already; None unless that leaves its lines out.

        Xero takes no lines of a document that is paid or in a locked period, not even those that it has.
        """
        xero_id = op.entry.xero_id or ""
        lines = op.body.keys() & LINES
        record = self._lookups.by_ids(spec, [xero_id]).get(xero_id) if lines else None
        there = held(spec, op.body, record) if record else set()
        if record is None or not lines <= there:
            return None
        now = str(record.get(spec.status_field) or "")
        if spec.status_aliases.get(now, now) == op.status:
            there.add(spec.status_field)
        kept = {spec.key, *spec.repeated_on_update}
        body = {name: value for name, value in op.body.items() if name in kept or name not in there}
        ids = [str(line.get("LineItemID")) for line in record.get("LineItems") or []]
        entry = replace(op.entry, lines=noted(ids, op.body) if "LineItems" in lines else None)
        if body.keys() <= kept:
            return Adopt(self._adoption(spec, op.job, op.body, entry, op.status, op.owner), record)
        return replace(op, body=body, entry=entry, lines=[], said=op.said or op.body)

    def _find_lost_parts(self, job: Job) -> None:
        """Parts that were written for a record and are not in it any more, to be removed in their turn."""
        for name, keys in job.parts.items():
            if self._deletes:
                self.lost_parts[name] |= {lost.key: lost for lost in self.take_lost_parts(name, job, keys)}
            else:
                self.kept_parts[name] += len(self._lost_keys(name, job, keys))

    def take_lost_parts(self, name: str, job: Job, keep: Collection[str]) -> list[Job]:
        """The parts of a record that were written and are not among those to keep, as records that end."""
        found = self._lost_keys(name, job, keep) if self._deletes else []
        for _ in found:
            self._intake.states.opened(job.epoch)
        return [Job(key=key, hash="", sent={}, epoch=job.epoch, raw=job.raw, gone=True) for key in found]

    def _lost_keys(self, name: str, job: Job, keep: Collection[str]) -> list[str]:
        known = self.lost_parts[name]
        self._log.claim(name, dict.fromkeys(keep, ""))
        return [key for key, _ in self._log.children(name, job.key) if key not in keep and key not in known]

    # What a plan needs to know

    def _own_id(self, spec: WriteSpec, job: Job) -> str | None:
        """Xero's id of the record, if the source knows it or it was written from there under another key."""
        if job.id is None:
            return None
        if spec.id_alias:
            return self._log.id_of(alias(spec.id_alias, job.tenant, job.id))
        return self._log.id_of(job.id) or (None if self._references.foreign(job.tenant) else job.id)

    def _content(self, spec: WriteSpec, job: Job, entry: LogEntry) -> tuple[str | None, dict[str, Any]]:
        """The path of what a part belongs to, and the content with its references resolved."""
        sent = self._references.completed(job.sent, _source_of(job), _kinds(spec, job))
        if spec.member_reference:
            sent |= self._references.own(spec.member_reference, sent, _source_of(job))
        owner = self._owner(spec, job, sent) if spec.parent_paths else entry.owner
        if spec.member_reference:
            return owner, dict(self._references.reference(spec.member_reference, sent, job.tenant))
        tenant = None if job.parent and spec.key_is_content else job.tenant
        try:
            return owner, self._references.resolve(sent, tenant)
        except Ambiguous:
            kind = self._kind_of_credit(owner)
            if not kind:
                raise
            return owner, self._references.resolve(
                self._references.completed(sent, "", {"Invoice": kind}), tenant
            )

    def _kind_of_credit(self, owner: str | None) -> str:
        """The type of invoice that a credit note, overpayment or prepayment can be set off against."""
        path, _, identifier = (owner or "").partition("/")
        spec = next((spec for spec in WRITE_SPECS.values() if spec.path == path and spec.parts), None)
        if spec is None or not spec.sets_off_invoices:
            return ""
        kind = str((self._lookups.by_ids(spec, [identifier]).get(identifier) or {}).get("Type", ""))
        if not kind:
            return ""
        return "ACCREC" if kind.startswith(("ACCREC", "RECEIVE", "AR")) else "ACCPAY"

    def _owner(self, spec: WriteSpec, job: Job, sent: dict[str, Any]) -> str:
        """Where a part goes, such as `CreditNotes/<id>`; takes the field that says so out of the content."""
        tenant = job.tenant
        if job.parent:
            name, key, link = job.parent
            if (name, key) in self._left:
                raise _OwnerLeftOut
            parent = self._log.entry(name, key)
            if parent is None or not parent.xero_id or parent.gone:
                rejected = self._references.rejected.why(name, [("", key)])
                raise InvalidRecord(rejected or f"the record of {name} that it is part of is not in Xero")
            sent[link] = {REFERENCES[link][0]: parent.xero_id} if link in REFERENCES else parent.xero_id
            tenant = tenant if link not in spec.parent_paths else None
        for name, path in spec.parent_paths.items():
            if name in sent:
                value = sent.pop(name)
                source = value.get(REFERENCES[name][0]) if isinstance(value, dict) else value
                if source and source in self._left and not self._log.id_of(source):
                    raise _OwnerLeftOut
                if isinstance(value, dict):
                    return f"{path}/{self._references.reference(name, value, tenant)[REFERENCES[name][0]]}"
                if self._references.foreign(tenant) and not self._log.id_of(value):
                    raise InvalidRecord(
                        f"{value} is an id of another organisation, and that record was not written", name
                    )
                return f"{path}/{self._log.id_of(value) or value}"
        if spec.parent_by_name and sent.get(spec.parent_by_name[0]):
            return self._named_parent(*spec.parent_by_name, sent)
        raise InvalidRecord(
            "one of them says what it belongs to, and is needed", " or ".join(spec.parent_paths)
        )

    def _named_parent(self, field: str, stream: str, sent: dict[str, Any]) -> str:
        """The path of the parent that a part names by its name, which is taken out of the content."""
        name, parent = sent.pop(field), WRITE_SPECS[stream]
        for one in self._lookups.whole(stream):
            if same_name(name, one.get(field)):
                return f"{parent.path}/{one[parent.key]}"
        raise InvalidRecord(f"Xero has no {singular(stream).replace('_', ' ')} {name!r}", field)

    def now(self, spec: WriteSpec, op: WriteOp) -> Record | None:
        """The record of a step as Xero has it; None if it is not there any more."""
        xero_id = op.entry.xero_id or ""
        if not spec.siblings_path:
            return self._lookups.by_ids(spec, [xero_id]).get(xero_id)
        return next((one for one in self.siblings(spec, op.owner) if str(one.get(spec.key)) == xero_id), None)

    def siblings(self, spec: WriteSpec, owner: str | None) -> list[Record]:
        """What hangs on a record in Xero already."""
        path = spec.siblings_path.format(of=owner)
        if spec.siblings_path != "{of}":
            return self._lookups.listed(path, spec.envelope)
        record = self._lookups.one(path, path.partition("/")[0])
        return list((record or {}).get(spec.envelope) or [])

    def document_to_look_up(self, spec: WriteSpec, job: Job) -> str | None:
        """Xero's id of a document whose lines the ledger does not know, if its change needs them."""
        if "LineItems" not in job.sent or spec.update is None:
            return None
        entry = self._log.entry(spec.name, job.key)
        if entry is None:
            return None if self._references.foreign(job.tenant) else job.id
        if entry.gone or entry.hash == self._intake.last_hash(spec, job) or _all_known(entry):
            return None
        return entry.xero_id

    def _lines_there(self, spec: WriteSpec, entry: LogEntry) -> list[KnownLine]:
        """The lines that a document has in Xero, as the ledger knows them, else as Xero has them."""
        if _all_known(entry) or not entry.xero_id:
            return known(entry.lines or [])
        record = self._lookups.by_ids(spec, [entry.xero_id]).get(entry.xero_id) or {}
        return in_xero(record, lambda line: self._tax_filled_in(spec, record, line))

    def _tax_filled_in(self, spec: WriteSpec, document: Record, line: Mapping[str, Any]) -> str | None:
        """The tax type that Xero gives a line which says none; None where it can't be told."""
        if str(document.get("LineAmountTypes")).upper() == "NOTAX":
            return line.get("TaxType")
        if not spec.fills_in_tax or line.get("ItemCode") or not line.get("AccountCode"):
            return None
        accounts = self._lookups.whole("accounts")
        return next((a.get("TaxType") for a in accounts if a.get("Code") == line["AccountCode"]), None)

    def _line_id_of(self, job: Job) -> Callable[[str], str | None]:
        """What gives Xero's id for a line's id in the source."""
        foreign = self._references.foreign(job.tenant)
        return lambda source: self._log.id_of(source) or (None if foreign else source)

    def _fill_header(
        self, spec: WriteSpec, body: dict[str, Any], xero_id: str, record: Record | None = None
    ) -> None:
        """Repeat what an update would blank, as Xero's own record has it."""
        if all(name in body for name in spec.repeated_on_update):
            return
        if record is None:
            record = self._lookups.by_ids(spec, [xero_id]).get(xero_id) or {}
        for name in spec.repeated_on_update:
            value = record.get(name)
            if name in body or value in (None, ""):
                continue
            if name in REFERENCES:
                value = {REFERENCES[name][0]: value[REFERENCES[name][0]]}
            elif spec.fields[name].kind == "day":
                value = dates.day(str(value))
            body[name] = value


def _source_of(job: Job) -> str:
    """The source that a record comes from."""
    of = origin(job.key)
    return of.source if of else ""


def _kinds(spec: WriteSpec, job: Job) -> dict[str, Any]:
    """Which kinds of documents a record names by their numbers, where it says so."""
    field, meanings = spec.reference_types
    meant = meanings.get(str(job.aside.get(field, "")).upper())
    return {**(dict([meant]) if meant else {}), **job.kinds}


def _doubt(other: str) -> str:
    """Why a record is not taken for the one that the log of writes has under a key like its own."""
    of = origin(other)
    if of is None:
        return (
            f"the log of writes knows a record with the key {shown(other)} from an earlier version, which did not note "
            "the stream, and several streams have that key: run them one at a time once"
        )
    return (
        f"the log of writes knows the record {shown(other)} of the source {of.source}, and this input names no source: "
        f"set the setting source to {of.source} if it is the same record, else to another name"
    )


def _path(endpoint: Endpoint, owner: str | None, xero_id: str) -> str:
    return endpoint.path.format(of=owner or "", id=xero_id)


def _all_known(entry: LogEntry) -> bool:
    """Whether the ledger knows of every line what was written of it."""
    return entry.lines is not None and all(line.said is not None for line in known(entry.lines))


def _line_ids(content: Mapping[str, Any]) -> list[str | None]:
    return [line.get("LineItemID") for line in content.get("LineItems") or []]


def ending(spec: WriteSpec, now: str, asked: str) -> str:
    """Which status ends a record: a draft is deleted where an approved one is voided."""
    if not spec.end_statuses:
        return "DELETED"
    wanted = tuple(s for s in (asked, *spec.end_statuses) if s)
    now = now or next(iter(spec.transitions.get("", ("",))))
    for status in wanted:
        if status in spec.end_statuses and status in spec.transitions.get(now, ()):
            return status
    raise InvalidRecord(f"{now} to {wanted[0]} is no step that Xero takes", spec.status_field)
