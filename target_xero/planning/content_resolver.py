"""Resolves the content of a record: its references, and the parent of a part."""

from __future__ import annotations

from typing import Any

from target_xero.content.compare import same_name
from target_xero.content.payload import REFERENCES
from target_xero.content.spelling import singular
from target_xero.content.values import InvalidRecord
from target_xero.intake.records import Job
from target_xero.lookups.codes import alias
from target_xero.lookups.lookups import Lookups
from target_xero.lookups.references import Ambiguous, References
from target_xero.planning.operations import Draft
from target_xero.write_log.log import LogEntry, WriteLog
from target_xero.write_specs.rows import WRITE_SPECS
from target_xero.write_specs.spec import WriteSpec


class ParentSkipped(Exception):
    """The parent of a part was skipped, and so is the part."""


class ContentResolver:
    """Resolves the contents of one organisation's records."""

    def __init__(self, log: WriteLog, lookups: Lookups, references: References) -> None:
        self._log = log
        self._lookups = lookups
        self._references = references
        self._skipped: set[tuple[str, str] | str | None] = set()

    def skipped(self, spec: WriteSpec, job: Job) -> None:
        """Remember that a record is skipped, for the parts that belong to it."""
        self._skipped |= {(spec.name, job.key), job.id}

    def own_id(self, spec: WriteSpec, job: Job) -> str | None:
        """Return Xero's id of a record if the source knows it, or if the record was written under another key."""
        if job.id is None:
            return None
        if spec.id_alias:
            return self._log.id_of(alias(spec.id_alias, job.tenant, job.id))
        return self._log.id_of(job.id) or (None if self._references.foreign(job.tenant) else job.id)

    def resolve(self, spec: WriteSpec, job: Job, entry: LogEntry) -> Draft:
        """Resolve the references and the parent of a record.

        Raises `InvalidRecord` for a reference that can't be resolved, and `ParentSkipped`.
        """
        own_keys = self._references.own_keys
        sent = own_keys.completed(job.sent, job.key, _kinds(spec, job))
        if spec.member_reference:
            sent = {**sent, **own_keys.reference(spec.member_reference, sent, job.key)}
        owner = entry.owner
        if spec.parent_paths:
            sent = dict(sent)
            owner = self._owner(spec, job, sent)
        if spec.member_reference:
            member = self._references.reference(spec.member_reference, sent, job.tenant)
            return Draft(spec, job, dict(member), entry, owner)
        tenant = None if job.parent and spec.key_is_content else job.tenant
        try:
            content = self._references.resolve(sent, tenant)
        except Ambiguous:
            kind = self._kind_of_credit(owner)
            if not kind:
                raise
            typed = own_keys.completed(sent, job.key, {"Invoice": kind})
            content = self._references.resolve(typed, tenant)
        return Draft(spec, job, content, entry, owner)

    def _kind_of_credit(self, owner: str | None) -> str:
        """Return the type of invoice to which a credit note, overpayment or prepayment can be allocated."""
        path, _, identifier = (owner or "").partition("/")
        spec = next((spec for spec in WRITE_SPECS.values() if spec.path == path and spec.parts), None)
        if spec is None:
            return ""
        kind = str((self._lookups.by_id(spec, identifier) or {}).get("Type", ""))
        return kind and ("ACCREC" if kind.startswith(("ACCREC", "RECEIVE", "AR")) else "ACCPAY")

    def _owner(self, spec: WriteSpec, job: Job, sent: dict[str, Any]) -> str:
        """Return the path of a part's parent, and remove the field that names it from the content."""
        tenant = self._fill_parent(spec, job, sent) if job.parent else job.tenant
        for name, path in spec.parent_paths.items():
            if name in sent:
                return f"{path}/{self._parent_id(name, sent.pop(name), tenant)}"
        if spec.parent_by_name and sent.get(spec.parent_by_name[0]):
            return self._named_parent(*spec.parent_by_name, sent)
        raise InvalidRecord("one is required, to name the parent", " or ".join(spec.parent_paths))

    def _fill_parent(self, spec: WriteSpec, job: Job, sent: dict[str, Any]) -> str | None:
        """Fill in the parent of a nested part. Returns the organisation whose ids are left in the content."""
        assert job.parent is not None  # noqa: S101
        name, key, link = job.parent
        if (name, key) in self._skipped:
            raise ParentSkipped
        parent = self._log.entry(name, key)
        if parent is None or not parent.xero_id or parent.gone:
            rejected = self._references.rejected.why(name, [("", key)])
            raise InvalidRecord(rejected or f"its parent, a record of {name}, is not in Xero")
        sent[link] = {REFERENCES[link][0]: parent.xero_id} if link in REFERENCES else parent.xero_id
        return None if link in spec.parent_paths else job.tenant

    def _parent_id(self, name: str, value: Any, tenant: str | None) -> str:
        """Return Xero's id of the parent that a field names."""
        source = value.get(REFERENCES[name][0]) if isinstance(value, dict) else value
        written = self._log.id_of(source) if source else None
        if source and source in self._skipped and not written:
            raise ParentSkipped
        if isinstance(value, dict):
            return self._references.reference(name, value, tenant)[REFERENCES[name][0]]
        if self._references.foreign(tenant) and not written:
            raise InvalidRecord(
                f"{value} is an id of another organisation whose record was not written", name
            )
        return str(written or value)

    def _named_parent(self, field: str, stream: str, sent: dict[str, Any]) -> str:
        """Return the path of a parent by its name, and remove the name from the content."""
        name, parent = sent.pop(field), WRITE_SPECS[stream]
        for one in self._lookups.whole(stream):
            if same_name(name, one.get(field)):
                return f"{parent.path}/{one[parent.key]}"
        raise InvalidRecord(f"Xero has no {singular(stream).replace('_', ' ')} {name!r}", field)


def _kinds(spec: WriteSpec, job: Job) -> dict[str, Any]:
    """The types of the documents that a record names by their numbers, if it has them."""
    if not spec.reference_types:
        return job.kinds
    meant = spec.reference_types.get(str(job.aside.get(spec.type_field, "")).upper())
    return {**(dict([meant]) if meant else {}), **job.kinds}
