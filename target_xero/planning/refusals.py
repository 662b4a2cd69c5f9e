"""Plans refused operations again, after a look at what Xero has.

A record may exist already, or have ended; a contact may have been merged or archived. Only refused records are looked
up, so this costs no call while Xero refuses nothing.
"""

from __future__ import annotations

from msgspec.structs import replace

from target_xero.content.compare import LINES, matches
from target_xero.content.values import InvalidRecord
from target_xero.lookups.lookups import Lookups
from target_xero.lookups.references import References
from target_xero.planning.differences import unchanged_fields
from target_xero.planning.merged_contacts import MergedContacts
from target_xero.planning.operations import Adopt, Draft, Plan, WriteOp, ending
from target_xero.planning.planner import Planner
from target_xero.write_log.lines import noted
from target_xero.write_log.log import WriteLog
from target_xero.write_specs.spec import OnExisting, WriteSpec


class Refusals:
    """Reconsiders the refused operations of one organisation."""

    def __init__(self, log: WriteLog, lookups: Lookups, references: References, planner: Planner) -> None:
        self._lookups = lookups
        self._planner = planner
        self._contacts = MergedContacts(log, lookups, references, planner)

    def prepare(self, spec: WriteSpec, ops: list[WriteOp]) -> None:
        """Look up what `reconsider` needs, in as few calls as possible."""
        creates = [op for op in ops if self._may_exist(spec, op)]
        self._lookups.look_up_names(spec, (op.body for op in creates))
        self._contacts.prepare(spec, ops)
        again = (op.entry.xero_id for op in ops if op.action == "remove" or _can_omit_lines(op))
        ids = [xero_id for xero_id in again if xero_id]
        for xero_id in ids:
            self._lookups.forget(spec, xero_id)
        if ids and not spec.siblings_path:
            self._lookups.by_ids(spec, ids)

    def reconsider(self, spec: WriteSpec, op: WriteOp) -> Plan | None:
        """Return what to do instead of a refused operation; None to reject the record.

        Raises `InvalidRecord` to reject it with an additional reason.
        """
        if op.action == "remove":
            return self._ended(spec, op)
        change = self._smaller_change(spec, op)
        if change is None and self._may_exist(spec, op):
            change = self._existing(spec, op)
        if change is not None:
            return change
        if op.action == "create" and spec.search:
            self._check_inactive(spec, op)
        return self._contacts.reconsider(spec, op)

    def _smaller_change(self, spec: WriteSpec, op: WriteOp) -> WriteOp | Adopt | None:
        """Return a refused update without its lines, or with the lines that Xero has now."""
        if not _can_omit_lines(op):
            return None
        change = self._only_changes(spec, op)
        if change is None and self._planner.lines.is_first_look(spec, op.job.key):
            change = self._with_lines_looked_up(spec, op)
        return change

    def _with_lines_looked_up(self, spec: WriteSpec, op: WriteOp) -> WriteOp | Adopt | None:
        """Return a refused update again, if it names lines that Xero no longer has."""
        record = self._lookups.by_id(spec, op.entry.xero_id)
        if record is None:
            return None
        lines = {line.get("LineItemID") for line in record.get("LineItems") or []}
        named = {line.get("LineItemID") for line in op.body.get("LineItems") or []} - {None}
        return None if named <= lines else self._planner.write(spec, op.job, replace(op.entry, lines=None))

    def _only_changes(self, spec: WriteSpec, op: WriteOp) -> WriteOp | Adopt | None:
        """Return a refused update without the fields that Xero has already; None unless that omits the lines.

        Xero refuses the lines of a document that is paid or in a locked period, even unchanged ones.
        """
        lines = op.body.keys() & LINES
        record = self._lookups.by_id(spec, op.entry.xero_id) if lines else None
        unchanged = unchanged_fields(spec, op.body, record) if record else set()
        if record is None or not lines <= unchanged:
            return None
        if spec.status_of(record) == op.status:
            unchanged.add(spec.status_field)
        kept = {spec.key, *spec.repeated_on_update}
        body = {name: value for name, value in op.body.items() if name in kept or name not in unchanged}
        ids = [str(line.get("LineItemID")) for line in record.get("LineItems") or []]
        entry = replace(
            op.entry, lines=noted(ids, op.written_lines, op.lines) if "LineItems" in lines else None
        )
        if body.keys() <= kept:
            return Draft(spec, op.job, op.body, entry, op.owner).adopt(record, op.status)
        return replace(op, body=body, entry=entry, lines=[], whole=op.whole or op.body)

    @staticmethod
    def _may_exist(spec: WriteSpec, op: WriteOp) -> bool:
        return op.action == "create" and not spec.lookup_before_create and bool(spec.search)

    def _existing(self, spec: WriteSpec, op: WriteOp) -> WriteOp | Adopt | None:
        """Plan a refused create for the record that Xero has under that name."""
        record = self._planner.finder.existing(spec, op.job, op.body, op.owner)
        if record is not None and (
            spec.on_existing is OnExisting.MERGE or matches(op.body, record, spec.content_match)
        ):
            content = {name: value for name, value in op.body.items() if name != spec.status_field}
            return self._planner.adopt_existing(Draft(spec, op.job, content, op.entry, op.owner), record)
        return None

    def _check_inactive(self, spec: WriteSpec, op: WriteOp) -> None:
        """Raise `InvalidRecord` if an inactive record has the name."""
        for name, value in spec.natural_key(op.body):
            for one in self._lookups.find(spec, name, value):
                if not spec.is_active(one):
                    status = one.get(spec.status_field)
                    raise InvalidRecord(f"a record with the status {status} has the {name} {value} in Xero")

    def _ended(self, spec: WriteSpec, op: WriteOp) -> WriteOp | Adopt | None:
        """Adopt the end of a record that has ended in Xero already, or end it as its status there requires."""
        record = self._planner.finder.by_id(spec, op.entry.xero_id, op.owner)
        if record is None:
            return Adopt(op, {spec.key: op.entry.xero_id})
        now = spec.status_of(record)
        if now in {"DELETED", "VOIDED"} or now == op.status:
            op.status = now
            return Adopt(op, record)
        if not spec.end_statuses or now == op.entry.status:
            return None
        status = ending(spec, now, op.job.status)
        if status == op.status:
            return None
        return self._planner.ops.status_change(
            spec, op.job, replace(op.entry, status=now), status, record=record
        )


def _can_omit_lines(op: WriteOp) -> bool:
    """Whether to try a refused update without its lines, which is done once."""
    return op.action == "update" and op.whole is None and not op.body.keys().isdisjoint(LINES)
