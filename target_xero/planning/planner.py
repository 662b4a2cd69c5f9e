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
from target_xero.content.payload import REFERENCES, Broken, encode
from target_xero.intake.intake import Intake, Job
from target_xero.planning.codes import alias
from target_xero.planning.content_search import ContentSearch
from target_xero.planning.differences import LINES, held
from target_xero.planning.line_matching import KnownLine, for_update, in_xero, known, noted, without_ids
from target_xero.planning.lookups import Directory, Record
from target_xero.planning.references import Ambiguous, References, several
from target_xero.write_log.identity import origin, shown
from target_xero.write_log.log import Entry, Ledger
from target_xero.write_specs.rows import WRITES, Existing, Verb, Write

#: Marks the hash of a record whose archiving was left out, so that it is made up for once `deletes` is on.
_NOT_ARCHIVED = "~"
_GONE = ("DELETED", "VOIDED")
_ONLY_DELETES = "to be deleted, voided or archived, which only `deletes: true` does"


@dataclass(eq=False)
class Step:
    """One thing to ask of Xero for one record.

    `action` is create, update or remove; `entry` what the ledger knows so far; `status` what this leads to
    and `after` the statuses still to go through; `hash` the content's once all is done; `lines` the source's
    ids of the lines sent; `follows` whether an earlier step of the same record was counted already; `again`
    whether the record is to be planned once more when this is done; `adopted` whether nothing is asked, as Xero has
    the record already; `said` what the record says in all, where the body is only a part of it.
    """

    job: Job
    action: str
    verb: Verb
    path: str
    body: dict[str, Any]
    entry: Entry
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

    def expected(self, row: Write) -> dict[str, Any]:
        """What Xero's answer is compared with: what the record says, its totals, and the status it is brought to."""
        said = self.body if self.said is None else self.said
        totals = {name: value for name, value in self.job.aside.items() if name not in row.aside}
        status = {row.status: self.status} if self.status else {}
        return {**said, **(totals if self.action != "remove" or self.said else {}), **status}


@dataclass
class Adopted:
    """Xero has the record already, and it says the same: only the ledger is to know."""

    step: Step
    record: Record


@dataclass
class Left:
    """The record is left alone; `why` completes `12 left out: …`, empty for one that is unchanged."""

    why: str = ""


class _OwnerLeftOut(Exception):
    """What the record belongs to was left out, and so is the record."""


class Planner:
    """Plans the records of one organisation; `deletes` allows to end records. `Broken` rejects a record."""

    def __init__(
        self, ledger: Ledger, directory: Directory, references: References, intake: Intake, *, deletes: bool
    ) -> None:
        self._ledger = ledger
        self._directory = directory
        self._references = references
        self._intake = intake
        self._deletes = deletes
        self._left: set[tuple[str, str] | str | None] = set()
        self._looked_twice: set[tuple[str, str]] = set()
        self.search = ContentSearch(ledger, directory, references)
        self.lost_parts: defaultdict[str, dict[str, Job]] = defaultdict(dict)
        self.kept_parts: Counter[str] = Counter()

    def plan(self, row: Write, job: Job) -> Step | Adopted | Left:
        """What to do about one record."""
        entry = self._ledger.entry(row.name, job.key)
        other = self._ledger.doubtful.get((row.name, job.key))
        if other is not None:
            raise Broken(_doubt(other))
        self._find_lost_parts(job)
        if entry and self._is_unchanged(entry, self._intake.last_hash(row, job)):
            return Left()
        try:
            if not row.create:
                return self._recognise(row, job)
            ends = job.gone or job.status in row.ends
            plan = self._end(row, job, entry) if ends else self._write(row, job, entry)
        except _OwnerLeftOut:
            plan = Left("parts of records that were left out")
        if isinstance(plan, Left) and plan.why:
            self._left |= {(row.name, job.key), job.id}
        return plan

    def _recognise(self, row: Write, job: Job) -> Adopted | Left:
        """What Xero lets nobody make may be there all the same, under the same name."""
        record = self._by_name(row, job.sent)
        if record is None:
            return Left(row.unchangeable)
        step = self._adoption(row, job, job.sent, Entry(xero_id=str(record[row.key])), "", None)
        return Adopted(step, record)

    def may_be_sent(self, row: Write, job: Job) -> bool:
        """Whether looking up what a record refers to may be of use."""
        entry = self._ledger.entry(row.name, job.key)
        return bool(row.create) and (entry is None or entry.hash != self._intake.last_hash(row, job))

    def _is_unchanged(self, entry: Entry, content: str) -> bool:
        return entry.hash == content or (entry.hash == content + _NOT_ARCHIVED and not self._deletes)

    # Create or update

    def _write(self, row: Write, job: Job, entry: Entry | None) -> Step | Adopted:
        entry = entry or Entry()
        known = bool(entry.xero_id) and not entry.gone
        owner, content = self._content(row, job, entry)
        xero_id = entry.xero_id if known else self._own_id(row, job)
        if not xero_id:
            record = self.existing(row, job, content, owner) if row.first else None
            if record is None:
                lost = self._lost(row, job, content, entry, owner)
                return lost or self._create(row, job, content, entry, owner)
            return self.settle_existing(row, job, content, record, entry, owner)
        if row.update is None:
            if not known:
                raise Broken(f"Xero has it already, as {xero_id}. {row.unchangeable}")
            raise Broken(f"it was written before and has changed since. {row.unchangeable}")
        return self._update(
            row, job, content, replace(entry, xero_id=xero_id), entry.status if known else "", owner
        )

    def _lost(
        self, row: Write, job: Job, content: dict[str, Any], entry: Entry, owner: str | None
    ) -> Step | Adopted | None:
        """What to do about a record that Xero has by what it says, although the log does not know it."""
        if not self.search.is_needed(row, content):
            return None
        siblings = self.siblings(row, owner) if row.siblings else None
        times = 0 if row.key else self._ledger.number(row.name, owner or "", job.hash)
        record = self.search.find(row, content, siblings, times)
        if record is None:
            return None
        self.search.found[row.name] += 1
        status = str(record.get(row.status) or "")
        there = row.becomes.get(status, status)
        entry = replace(entry, xero_id=str(record.get(row.key)) if row.key else None)
        if row.update and job.status not in {"", there}:
            return self._update(row, job, content, entry, there, owner)
        return Adopted(self._adoption(row, job, content, entry, there, owner), record)

    def _create(self, row: Write, job: Job, content: dict[str, Any], entry: Entry, owner: str | None) -> Step:
        for names in row.required:
            if not any(content.get(n) or content.get(n) == 0 or n in row.owners for n in names.split("|")):
                raise Broken(f"it is needed for a new record of {row.name}", names.replace("|", " or "))
        first = next(iter(row.steps.get("", ("",))))
        way = row.way("", job.status or first) if row.steps else ("",)
        if not way:
            raise Broken(f"a new record of {row.name} can't become {job.status}", row.status)
        body = dict(content)
        if "LineItems" in body:
            body["LineItems"] = without_ids(body["LineItems"])
        if (job.status or row.spoken) and not row.alone:
            body[row.status] = way[0]
        assert row.create is not None  # noqa: S101
        return Step(
            job, "create", row.create, _path(row.create, owner, ""), body,
            replace(entry, xero_id=None, lines=None), job.hash,
            status=way[0], after=way[1:], owner=owner, lines=_line_ids(content),
        )  # fmt: skip

    def _update(
        self, row: Write, job: Job, content: Mapping[str, Any], entry: Entry, now: str, owner: str | None
    ) -> Step | Adopted:
        xero_id = entry.xero_id or ""
        verb = row.update
        assert verb is not None  # noqa: S101
        body = {name: value for name, value in content.items() if name not in row.once}
        if "LineItems" in body:
            body["LineItems"] = for_update(body, self._lines_there(row, entry), self._line_id_of(job))
        if not body and job.status in {"", now}:
            record = self._directory.by_ids(row, [xero_id]).get(xero_id)
            if record is None:
                raise Broken("Xero has no such record: its id is not one of this organisation")
            return Adopted(self._adoption(row, job, content, entry, now, owner), record)
        way: tuple[str, ...] = ()
        if job.status and job.status != now:
            found = row.way(now, job.status) if now else (job.status,)
            if found is None:
                raise Broken(f"{now} to {job.status} is no step that Xero takes", row.status)
            way = found
        if row.alone and now == "ARCHIVED" and way:
            # Nothing of it can be changed before it is brought back.
            step = self.status_step(row, job, entry, way[0])
            step.again = True
            return step
        status, after = now, way
        if way and not row.alone:
            body[row.status] = way[0]
            status, after = way[0], way[1:]
        self._fill_header(row, body, xero_id)
        if verb.body == "list":
            body = {row.key: xero_id, **body}
        owner = owner or entry.owner
        return Step(
            job, "update", verb, _path(verb, owner, xero_id), body, entry, job.hash,
            status=status, after=after, owner=owner, lines=_line_ids(content),
        )  # fmt: skip

    def update_of(self, row: Write, job: Job, entry: Entry) -> Step | Adopted:
        """The change of a record that has another id in Xero by now, in `entry`."""
        owner, content = self._content(row, job, entry)
        return self._update(row, job, content, entry, entry.status, owner)

    def settle_existing(
        self, row: Write, job: Job, content: dict[str, Any], record: Record, entry: Entry, owner: str | None
    ) -> Step | Adopted:
        """What to do about a record that Xero has under this name, and that the ledger does not know."""
        xero_id = str(record[row.key])
        foreign = self._references.foreign(job.tenant)
        holder = self._ledger.holder(row.name, xero_id)
        if holder not in {None, job.key} and not row.shared:
            raise Broken(
                f"Xero would take it and the record {shown(holder or '')} for one: they have the same name"
            )
        status = str(record.get(row.status) or "")
        entry = replace(entry, xero_id=xero_id)
        others = [
            n for n in row.names if content.get(n) and record.get(n) and not same_name(content[n], record[n])
        ]
        fixed = (
            row.existing is Existing.KEEP
            or bool(record.get("SystemAccount"))
            or (row.name == "tax_rates" and not _is_own_rate(xero_id))
            or (bool(others) and row.shared and foreign)
        )
        there = row.becomes.get(status, status)
        if fixed or (says(content, record, content.keys() - row.once) and job.status in {"", there}):
            step = self._adoption(row, job, content, entry, status, owner)
            return Adopted(step, record)
        if others:
            raise Broken(f"Xero has {record.get(others[0])!r} for the record of this name", others[0])
        if row.existing is Existing.MERGE and row.update:
            return self._update(row, job, content, entry, status, owner)
        name, value = row.named(content)[0]
        raise Broken(
            f"{value} is in use in Xero by a record not written from here, which is not overwritten", name
        )

    @staticmethod
    def _adoption(
        row: Write, job: Job, content: Mapping[str, Any], entry: Entry, status: str, owner: str | None
    ) -> Step:
        return Step(
            job,
            "create",
            row.create or Verb("", ""),
            "",
            dict(content),
            entry,
            job.hash,
            status=status,
            owner=owner,
            lines=_line_ids(content),
            adopted=True,
        )

    def existing(self, row: Write, job: Job, content: Mapping[str, Any], owner: str | None) -> Record | None:
        """A record that Xero has under one of this record's names; the first name that finds one counts."""
        if row.siblings:
            for one in self.siblings(row, owner):
                if any(same_name(value, one.get(name)) for name, value in row.named(content)):
                    return one
            return None
        system = job.aside.get("SystemAccount")
        for account in self._directory.whole("accounts") if system else ():
            if account.get("SystemAccount") == system:
                return account
        if (
            row.name == "tax_rates"
            and job.id
            and not (_is_own_rate(job.id) and self._references.foreign(job.tenant))
        ):
            for rate in self._directory.whole("tax_rates"):
                if rate.get("TaxType") == job.id:
                    return rate
        return self._by_name(row, content)

    def _by_name(self, row: Write, content: Mapping[str, Any]) -> Record | None:
        for name, value in row.named(content) if row.search else ():
            found = self._directory.find(row, name, value)
            if row.numbered:
                found = [one for one in found if one.get(row.numbered[0]) == row.numbered[1]]
            found = [one for one in found if row.counts(one)]
            if found:
                return found[0]
        return None

    def _to_end(self, row: Write, job: Job) -> Record | None:
        """The record that one to be ended names: of its type, if it gives one, and in force, if there is one."""
        sent = job.sent
        for name in row.names if row.search else ():
            if not sent.get(name):
                continue
            value = str(sent[name])
            found = self._directory.find(row, name, value)
            if row.numbered and sent.get(row.numbered[0]):
                found = [one for one in found if one.get(row.numbered[0]) == sent[row.numbered[0]]]
            if row.numbered and len({one.get(row.numbered[0]) for one in found}) > 1:
                raise several(row, name, value, found)
            living = [one for one in found if row.counts(one)]
            if len(living) > 1 and "Contact" in sent:
                _, content = self._content(row, job, Entry())
                living = [one for one in living if says(content, one, ["Contact"])] or living
            if len(living) > 1:
                raise several(row, name, value, living)
            if found:
                return living[0] if living else found[0]
        return None

    # The end of a record

    def _end(self, row: Write, job: Job, entry: Entry | None) -> Step | Adopted | Left:
        """Delete, void or archive a record, as Xero has it and where `deletes` allows it."""
        entry = entry or Entry()
        if entry.gone:
            return Left()
        archive = job.status == "ARCHIVED" and not job.gone
        xero_id = entry.xero_id or self._own_id(row, job)
        # A number of another organisation says nothing about the record that has it here.
        record = None if xero_id or self._references.foreign(job.tenant) else self._to_end(row, job)
        if record:
            xero_id = str(record[row.key])
        if archive and row.unborn and not xero_id:
            return Left(row.unborn)
        if archive:
            now = entry.status
            if xero_id and not now:
                record = record or self._directory.by_ids(row, [xero_id]).get(xero_id) or {}
                now = str(record.get(row.status) or "")
            if now == "ARCHIVED":
                return Left()
            if xero_id and not job.sent:
                # It says nothing that could be written before it is archived.
                archived = replace(entry, xero_id=xero_id)
                return (
                    self.status_step(row, job, archived, "ARCHIVED") if self._deletes else Left(_ONLY_DELETES)
                )
            return self._unarchived(row, job, entry)
        if not xero_id:
            return Left("ended in the source before they were ever written here")
        if not self._deletes:
            return Left(_ONLY_DELETES)
        if not row.remove and not row.ends:
            raise Broken(row.unchangeable or f"Xero can't delete {row.name}")
        entry = replace(entry, xero_id=xero_id)
        now = entry.status
        if not now and row.steps and row.status in row.fields:
            record = record or self._directory.by_ids(row, [xero_id]).get(xero_id)
            if record is None:
                return Left("not in Xero any more")
            now = str(record.get(row.status) or "")
            now = row.becomes.get(now, now)
        if now in _GONE:
            step = self._adoption(row, job, job.sent, entry, now, entry.owner)
            return Adopted(step, {row.key: xero_id, **(record or {})})
        return self.status_step(row, job, entry, ending(row, now, job.status))

    def _unarchived(self, row: Write, job: Job, entry: Entry) -> Step | Adopted:
        """A record that is archived in the source: written first, as others may refer to it, archived last."""
        planned = self._write(row, msgspec.structs.replace(job, status=""), entry)
        step = planned.step if isinstance(planned, Adopted) else planned
        step.job = job
        if not self._deletes:
            step.hash += _NOT_ARCHIVED
        elif step.status != "ARCHIVED":
            step.after = ("ARCHIVED",)
        return planned

    def status_step(
        self,
        row: Write,
        job: Job,
        entry: Entry,
        status: str,
        after: tuple[str, ...] = (),
        *,
        record: Record | None = None,
        follows: bool = False,
        said: Mapping[str, Any] | None = None,
    ) -> Step:
        """Bring a record to a status, and nothing else; `record` is Xero's, if it is at hand.

        `said` is what was written of it before, so that the last answer is compared with all of it.
        """
        xero_id = entry.xero_id or ""
        verb = row.remove if row.remove and status in _GONE else row.update
        if verb is None:
            raise Broken(row.unchangeable)
        body: dict[str, Any] = {row.status: status} if verb.body else {}
        if verb.body:
            self._fill_header(row, body, xero_id, record)
        if verb.body == "list":
            body = {row.key: xero_id, **body}
        return Step(
            job, "remove" if status in (*row.ends, "DELETED") else "update", verb,
            _path(verb, entry.owner, xero_id), body, entry, job.hash,
            status=status, after=after, owner=entry.owner, follows=follows, said=said,
        )  # fmt: skip

    def is_first_look(self, row: Write, step: Step) -> bool:
        """Whether the lines of a record were not looked up a second time in this run; asked once, they were."""
        known = (row.name, step.job.key) in self._looked_twice
        self._looked_twice.add((row.name, step.job.key))
        return not known

    def with_lines_looked_up(self, row: Write, step: Step) -> Step | Adopted | None:
        """A refused change once more, if it names lines that Xero does not have any more."""
        xero_id = step.entry.xero_id or ""
        record = self._directory.by_ids(row, [xero_id]).get(xero_id)
        if record is None:
            return None
        lines = {line.get("LineItemID") for line in record.get("LineItems") or []}
        named = {line.get("LineItemID") for line in step.body.get("LineItems") or []} - {None}
        return None if named <= lines else self._write(row, step.job, replace(step.entry, lines=None))

    def only_changes(self, row: Write, step: Step) -> Step | Adopted | None:
        """A refused change without what Xero has already; None unless that leaves its lines out.

        Xero takes no lines of a document that is paid or in a locked period, not even those that it has.
        """
        xero_id = step.entry.xero_id or ""
        lines = step.body.keys() & LINES
        record = self._directory.by_ids(row, [xero_id]).get(xero_id) if lines else None
        there = held(row, step.body, record) if record else set()
        if record is None or not lines <= there:
            return None
        now = str(record.get(row.status) or "")
        if row.becomes.get(now, now) == step.status:
            there.add(row.status)
        kept = {row.key, *row.header}
        body = {name: value for name, value in step.body.items() if name in kept or name not in there}
        ids = [str(line.get("LineItemID")) for line in record.get("LineItems") or []]
        entry = replace(step.entry, lines=noted(ids, step.body) if "LineItems" in lines else None)
        if body.keys() <= kept:
            return Adopted(self._adoption(row, step.job, step.body, entry, step.status, step.owner), record)
        return replace(step, body=body, entry=entry, lines=[], said=step.said or step.body)

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
        self._ledger.claim(name, dict.fromkeys(keep, ""))
        return [
            key for key, _ in self._ledger.children(name, job.key) if key not in keep and key not in known
        ]

    # What a plan needs to know

    def _own_id(self, row: Write, job: Job) -> str | None:
        """Xero's id of the record, if the source knows it or it was written from there under another key."""
        if job.id is None:
            return None
        if row.name == "tax_rates":
            return self._ledger.id_of(alias("TaxType", job.tenant, job.id))
        return self._ledger.id_of(job.id) or (None if self._references.foreign(job.tenant) else job.id)

    def _content(self, row: Write, job: Job, entry: Entry) -> tuple[str | None, dict[str, Any]]:
        """The path of what a part belongs to, and the content with its references resolved."""
        sent = self._references.completed(job.sent, _source_of(job), _kinds(row, job))
        if row.refers:
            sent |= self._references.own(row.refers, sent, _source_of(job))
        owner = self._owner(row, job, sent) if row.owners else entry.owner
        if row.refers:
            return owner, dict(self._references.reference(row.refers, sent, job.tenant))
        tenant = None if job.parent and row.key_is_content else job.tenant
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
        row = next((row for row in WRITES.values() if row.path == path and row.parts), None)
        if row is None or path not in WRITES["allocations"].owners.values():
            return ""
        kind = str((self._directory.by_ids(row, [identifier]).get(identifier) or {}).get("Type", ""))
        if not kind:
            return ""
        return "ACCREC" if kind.startswith(("ACCREC", "RECEIVE", "AR")) else "ACCPAY"

    def _owner(self, row: Write, job: Job, sent: dict[str, Any]) -> str:
        """Where a part goes, such as `CreditNotes/<id>`; takes the field that says so out of the content."""
        tenant = job.tenant
        if job.parent:
            name, key, link = job.parent
            if (name, key) in self._left:
                raise _OwnerLeftOut
            parent = self._ledger.entry(name, key)
            if parent is None or not parent.xero_id or parent.gone:
                rejected = self._references.rejected.why(name, [("", key)])
                raise Broken(rejected or f"the record of {name} that it is part of is not in Xero")
            sent[link] = {REFERENCES[link][0]: parent.xero_id} if link in REFERENCES else parent.xero_id
            tenant = tenant if link not in row.owners else None
        for name, path in row.owners.items():
            if name in sent:
                value = sent.pop(name)
                source = value.get(REFERENCES[name][0]) if isinstance(value, dict) else value
                if source and source in self._left and not self._ledger.id_of(source):
                    raise _OwnerLeftOut
                if isinstance(value, dict):
                    return f"{path}/{self._references.reference(name, value, tenant)[REFERENCES[name][0]]}"
                if self._references.foreign(tenant) and not self._ledger.id_of(value):
                    raise Broken(
                        f"{value} is an id of another organisation, and that record was not written", name
                    )
                return f"{path}/{self._ledger.id_of(value) or value}"
        if row.name == "payment_service_themes" and sent.get("Name"):
            theme = sent.pop("Name")
            for one in self._directory.whole("branding_themes"):
                if same_name(theme, one.get("Name")):
                    return f"BrandingThemes/{one['BrandingThemeID']}"
            raise Broken(f"Xero has no branding theme {theme!r}", "Name")
        raise Broken("one of them says what it belongs to, and is needed", " or ".join(row.owners))

    def now(self, row: Write, step: Step) -> Record | None:
        """The record of a step as Xero has it; None if it is not there any more."""
        xero_id = step.entry.xero_id or ""
        if not row.siblings:
            return self._directory.by_ids(row, [xero_id]).get(xero_id)
        return next((one for one in self.siblings(row, step.owner) if str(one.get(row.key)) == xero_id), None)

    def siblings(self, row: Write, owner: str | None) -> list[Record]:
        """What hangs on a record in Xero already."""
        path = row.siblings.format(of=owner)
        if row.siblings != "{of}":
            return self._directory.listed(path, row.envelope)
        record = self._directory.one(path, path.partition("/")[0])
        return list((record or {}).get(row.envelope) or [])

    def document_to_look_up(self, row: Write, job: Job) -> str | None:
        """Xero's id of a document whose lines the ledger does not know, if its change needs them."""
        if "LineItems" not in job.sent or row.update is None:
            return None
        entry = self._ledger.entry(row.name, job.key)
        if entry is None:
            return None if self._references.foreign(job.tenant) else job.id
        if entry.gone or entry.hash == self._intake.last_hash(row, job) or _all_known(entry):
            return None
        return entry.xero_id

    def _lines_there(self, row: Write, entry: Entry) -> list[KnownLine]:
        """The lines that a document has in Xero, as the ledger knows them, else as Xero has them."""
        if _all_known(entry) or not entry.xero_id:
            return known(entry.lines or [])
        record = self._directory.by_ids(row, [entry.xero_id]).get(entry.xero_id) or {}
        return in_xero(record, lambda line: self._tax_filled_in(row, record, line))

    def _tax_filled_in(self, row: Write, document: Record, line: Mapping[str, Any]) -> str | None:
        """The tax type that Xero gives a line which says none; None where it can't be told."""
        if str(document.get("LineAmountTypes")).upper() == "NOTAX":
            return line.get("TaxType")
        if row.name == "quotes" or line.get("ItemCode") or not line.get("AccountCode"):
            return None
        accounts = self._directory.whole("accounts")
        return next((a.get("TaxType") for a in accounts if a.get("Code") == line["AccountCode"]), None)

    def _line_id_of(self, job: Job) -> Callable[[str], str | None]:
        """What gives Xero's id for a line's id in the source."""
        foreign = self._references.foreign(job.tenant)
        return lambda source: self._ledger.id_of(source) or (None if foreign else source)

    def _fill_header(
        self, row: Write, body: dict[str, Any], xero_id: str, record: Record | None = None
    ) -> None:
        """Repeat what an update would blank, as Xero's own record has it."""
        if all(name in body for name in row.header):
            return
        if record is None:
            record = self._directory.by_ids(row, [xero_id]).get(xero_id) or {}
        for name in row.header:
            value = record.get(name)
            if name in body or value in (None, ""):
                continue
            if name in REFERENCES:
                value = {REFERENCES[name][0]: value[REFERENCES[name][0]]}
            elif row.fields[name].kind == "day":
                value = dates.day(str(value))
            body[name] = value


def _source_of(job: Job) -> str:
    """The source that a record comes from."""
    of = origin(job.key)
    return of.source if of else ""


def _kinds(row: Write, job: Job) -> dict[str, Any]:
    """Which kinds of documents a record names by their numbers, where it says so."""
    field, meanings = row.kinds
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


def _path(verb: Verb, owner: str | None, xero_id: str) -> str:
    return verb.path.format(of=owner or "", id=xero_id)


def _all_known(entry: Entry) -> bool:
    """Whether the ledger knows of every line what was written of it."""
    return entry.lines is not None and all(line.said is not None for line in known(entry.lines))


def _line_ids(content: Mapping[str, Any]) -> list[str | None]:
    return [line.get("LineItemID") for line in content.get("LineItems") or []]


def _is_own_rate(tax_type: str) -> bool:
    """An organisation's own rates have codes TAX001 and so on; Xero's have the same ones everywhere."""
    return tax_type.startswith("TAX") and tax_type[3:].isdigit()


def ending(row: Write, now: str, asked: str) -> str:
    """Which status ends a record: a draft is deleted where an approved one is voided."""
    if not row.ends:
        return "DELETED"
    wanted = tuple(s for s in (asked, *row.ends) if s)
    now = now or next(iter(row.steps.get("", ("",))))
    for status in wanted:
        if status in row.ends and status in row.steps.get(now, ()):
            return status
    raise Broken(f"{now} to {wanted[0]} is no step that Xero takes", row.status)
