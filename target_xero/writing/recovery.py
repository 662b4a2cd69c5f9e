"""Finds out what Xero has written of requests whose outcome is unknown."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from target_xero.content.compare import matches
from target_xero.lookups.lookups import Lookups, Record, may_be_changed_since
from target_xero.lookups.record_finder import RecordFinder
from target_xero.lookups.references import References
from target_xero.planning.operations import WriteOp
from target_xero.write_log.in_flight import PendingWrite
from target_xero.write_log.log import WriteLog
from target_xero.write_specs.rows import WRITE_SPECS
from target_xero.write_specs.spec import OnExisting, WriteSpec
from target_xero.writing.requests import revived
from target_xero.writing.settlement import Settlement

#: Operations that Xero has carried out, with its records, and the others.
Found = tuple[list[tuple[WriteOp, Record]], list[WriteOp]]


@dataclass
class Recovery:
    """Looks up operations of one organisation in Xero."""

    log: WriteLog
    lookups: Lookups
    references: References
    finder: RecordFinder
    settlement: Settlement
    logger: logging.Logger

    def pending(self) -> list[tuple[WriteSpec, list[PendingWrite]]]:
        """Return what an earlier run has left in flight, by object."""
        found = sorted(self.log.pending(), key=lambda one: one.object)
        return [
            (WRITE_SPECS[name], list(group)) for name, group in groupby(found, key=lambda one: one.object)
        ]

    def recover(self, spec: WriteSpec, pending: list[PendingWrite]) -> dict[tuple[str, str], str]:
        """Settle what an earlier run has left in flight of one object.

        Returns the requests of the records that Xero has not written, by object and key.
        """
        ops = [revived(spec, one, self.log.entry(spec.name, one.key)) for one in pending]
        done, left = self.look_up(spec, ops, min(one.sent_at for one in pending))
        for op, record in done:
            op.again = self.settlement.has_other_lines(spec, op, record)
        self.settlement.note(spec, done)
        for op, record in done:
            if not (op.after or op.again):
                self.settlement.compare(spec, op, record)
        missing = {op.job.key for op in left}
        self.log.settle(spec.name, unsent=missing)
        self.logger.warning(
            "%s: the last run ended before it had the answers for %s records; Xero has %s of them.",
            spec.name, f"{len(pending):,}", f"{len(pending) - len(missing):,}",
        )  # fmt: skip
        return {(spec.name, one.key): one.request for one in pending if one.key in missing}

    def settle_found(
        self, spec: WriteSpec, ops: list[WriteOp], since: str
    ) -> tuple[list[WriteOp], list[WriteOp]]:
        """Settle the operations that Xero has carried out; returns the operations that follow, and the others."""
        done, left = self.look_up(spec, ops, since)
        following = self.settlement.settle(spec, [op for op, _ in done], [record for _, record in done])
        return following, left

    def look_up(self, spec: WriteSpec, ops: list[WriteOp], since: str) -> Found:
        """Find out which operations Xero has carried out since a moment by Xero's clock.

        A record with a name is found by it, and a part among its siblings. Other records are found by their content,
        among those that were created or changed since then and that the log of writes does not know.
        """
        done: list[tuple[WriteOp, Record]] = []
        left: list[WriteOp] = []
        taken: set[str] = set()
        recent: list[Record] | None = None
        for op in ops:
            self.lookups.forget(spec, op.entry.xero_id)
        self.lookups.look_up_names(spec, (op.body for op in ops), afresh=True)
        for op in ops:
            if op.action != "create":
                record = self._changed(spec, op)
            elif spec.siblings_path:
                record = self._match(spec, op, self.finder.siblings(spec, op.owner), taken)
            elif spec.search and spec.natural_key(op.body):
                record = self._created(spec, op, since)
            else:
                recent = self.lookups.recent(spec, since) if recent is None else recent
                record = self._match(spec, op, recent, taken)
            if record is None:
                left.append(op)
            else:
                taken.add(str(record.get(spec.key)))
                done.append((op, record))
        return done, left

    def _created(self, spec: WriteSpec, op: WriteOp, since: str) -> Record | None:
        """Return the record of that name, unless it existed before the create."""
        record = self.finder.existing(spec, op.job, op.body, None)
        if record is None or not (spec.lookup_before_create or may_be_changed_since(record, since)):
            return None
        fields = spec.content_match
        if spec.on_existing is not OnExisting.REFUSE:
            fields = tuple(op.body.keys() - spec.create_only)
        is_mine = spec.on_existing is OnExisting.KEEP or matches(op.body, record, fields)
        holder = self.log.holder(spec.name, str(record.get(spec.key)))
        return record if is_mine and holder in {None, op.job.key} else None

    def _match(
        self, spec: WriteSpec, op: WriteOp, records: Iterable[Record], taken: set[str]
    ) -> Record | None:
        body = self.references.with_account_ids(op.body)
        found = [one for one in records if matches(body, one, spec.content_match or spec.natural_keys)]
        if not spec.key:
            # Notes have no id. This one was written if Xero has more of this content than the log.
            others = self.log.number(spec.name, op.owner or "", op.hash)
            return found[0] if len(found) > others else None
        for record in found:
            identifier = str(record.get(spec.key))
            if identifier not in taken and (spec.many_to_one or not self.log.holder(spec.name, identifier)):
                return record
        return None

    def _changed(self, spec: WriteSpec, op: WriteOp) -> Record | None:
        """Return the record as it is now, if it was changed or ended as requested."""
        record = self.finder.by_id(spec, op.entry.xero_id, op.owner)
        if op.action == "remove":
            is_over = record is None or (bool(op.status) and record.get(spec.status_field) == op.status)
            return (record or {spec.key: op.entry.xero_id}) if is_over else None
        return record if record is not None and matches(op.body, record) else None
