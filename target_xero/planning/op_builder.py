"""Builds the operations for a record: create, update, and a change of its status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from singer_xero.api import dates
from target_xero.content.payload import REFERENCES
from target_xero.content.values import InvalidRecord
from target_xero.intake.records import Job
from target_xero.lookups.lookups import Lookups, Record
from target_xero.planning.document_lines import DocumentLines
from target_xero.planning.line_matching import for_update
from target_xero.planning.operations import Adopt, Draft, WriteOp, line_ids, no_transition, request_path
from target_xero.write_log.log import LogEntry
from target_xero.write_specs.spec import Endpoint, WriteSpec

GONE = ("DELETED", "VOIDED")


class OpBuilder:
    """Builds operations for one organisation. All methods raise `InvalidRecord` for what Xero does not accept."""

    def __init__(self, lookups: Lookups, lines: DocumentLines) -> None:
        self._lookups = lookups
        self._lines = lines

    def create(self, draft: Draft) -> WriteOp:
        """Return the create of a record, whose body is the content of the draft."""
        spec, job, entry, body = draft.spec, draft.job, draft.entry, draft.content
        _check_required(spec, body)
        first = next(iter(spec.transitions.get("", ("",))))
        way = spec.transitions_to("", job.status or first) if spec.transitions else ("",)
        if not way:
            raise InvalidRecord(
                f"a new record of {spec.name} can't have the status {job.status}", spec.status_field
            )
        # Xero gives new lines their ids.
        lines = [line.pop("LineItemID", None) for line in body.get("LineItems", ())]
        if (job.status or spec.status_required) and not spec.status_sent_alone:
            body[spec.status_field] = way[0]
        assert spec.create is not None  # noqa: S101
        return WriteOp(
            job, "create", spec.create, request_path(spec, spec.create, draft.owner, ""), body,
            replace(entry, xero_id=None, lines=None) if entry.xero_id or entry.lines else entry, job.hash,
            status=way[0], after=way[1:], owner=draft.owner, lines=lines,
        )  # fmt: skip

    def update(self, draft: Draft, now: str) -> WriteOp | Adopt:
        """Return the update of a record that has the status `now`."""
        spec, job, entry = draft.spec, draft.job, draft.entry
        xero_id, endpoint = entry.xero_id or "", spec.update
        assert endpoint is not None  # noqa: S101
        body = {name: value for name, value in draft.content.items() if name not in spec.create_only}
        if "LineItems" in body:
            body["LineItems"] = for_update(
                body, self._lines.there(spec, entry), self._lines.ids_of(spec, job)
            )
        way = _transitions(spec, now, job.status)
        if not body and not way:
            record = self._lookups.by_id(spec, xero_id)
            if record is None:
                raise InvalidRecord("Xero has no record with this id in this organisation")
            return draft.adopt(record, now)
        if spec.status_sent_alone and now == "ARCHIVED" and way:
            # An archived record must be restored before any other change.
            return replace(self.status_change(spec, job, entry, way[0]), again=True)
        if way and not spec.status_sent_alone:
            now, way = way[0], way[1:]
            body[spec.status_field] = now
        body = self._completed(spec, endpoint, body, xero_id)
        return WriteOp(
            job, "update", endpoint, request_path(spec, endpoint, draft.owner, xero_id), body, entry, job.hash,
            status=now, after=way, owner=draft.owner, lines=line_ids(draft.content),
        )  # fmt: skip

    def status_change(
        self,
        spec: WriteSpec,
        job: Job,
        entry: LogEntry,
        status: str,
        after: tuple[str, ...] = (),
        *,
        record: Record | None = None,
        follows: bool = False,
        whole: Mapping[str, Any] | None = None,
    ) -> WriteOp:
        """Return the change of a record's status; `record` is Xero's, if it was read already.

        `whole` is the content that was written before, with which the last answer is compared.
        """
        xero_id = entry.xero_id or ""
        endpoint = spec.remove if spec.remove and status in GONE else spec.update
        if endpoint is None:
            raise InvalidRecord(spec.why_no_update)
        body: dict[str, Any] = {spec.status_field: status} if endpoint.body else {}
        if endpoint.body:
            body = self._completed(spec, endpoint, body, xero_id, record)
        return WriteOp(
            job, "remove" if status in (*spec.end_statuses, "DELETED") else "update", endpoint,
            request_path(spec, endpoint, entry.owner, xero_id), body, entry, job.hash,
            status=status, after=after, owner=entry.owner, follows=follows, whole=whole,
        )  # fmt: skip

    def _completed(
        self,
        spec: WriteSpec,
        endpoint: Endpoint,
        body: dict[str, Any],
        xero_id: str,
        record: Record | None = None,
    ) -> dict[str, Any]:
        """Return the body of an update with the id, and with the fields that it would blank, as Xero has them."""
        missing = [name for name in spec.repeated_on_update if name not in body]
        if missing and record is None:
            record = self._lookups.by_id(spec, xero_id)
        for name in missing:
            value = record.get(name) if record else None
            if value in (None, ""):
                continue
            if name in REFERENCES:
                value = {REFERENCES[name][0]: value[REFERENCES[name][0]]}
            elif spec.fields[name].kind == "day":
                value = dates.day(str(value))
            body[name] = value
        return {spec.key: xero_id, **body} if endpoint.body == "list" else body


def _check_required(spec: WriteSpec, content: Mapping[str, Any]) -> None:
    for names in spec.required:
        # Most fields are given under their only name.
        if not content.get(names) and not any(
            content.get(name) or content.get(name) == 0 or name in spec.parent_paths
            for name in names.split("|")
        ):
            raise InvalidRecord(f"it is required for a new record of {spec.name}", names.replace("|", " or "))


def _transitions(spec: WriteSpec, now: str, wanted: str) -> tuple[str, ...]:
    """Return the statuses that lead from `now` to the one wanted."""
    if wanted in {"", now}:
        return ()
    way = spec.transitions_to(now, wanted) if now else (wanted,)
    if way is None:
        raise no_transition(spec, now, wanted)
    return way
