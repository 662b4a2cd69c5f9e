"""Settles records: plans each one, and logs its outcome in the log of writes."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from functools import partial

from target_xero.content.values import InvalidRecord
from target_xero.intake.records import Job, Reject
from target_xero.intake.states import StateQueue
from target_xero.lookups.codes import alias
from target_xero.lookups.lookups import Lookups, Record
from target_xero.planning.differences import differences
from target_xero.planning.operations import Adopt, Plan, Skip, WriteOp
from target_xero.planning.planner import Planner
from target_xero.planning.refusals import Refusals
from target_xero.settings import TargetSettings
from target_xero.write_log.identity import shown
from target_xero.write_log.log import LogEntry, WriteLog
from target_xero.write_specs.spec import WriteSpec
from target_xero.writing.answers import Outcome, Refusal, log_entry
from target_xero.writing.tally import Tally

_COUNTED = {"create": "created", "update": "updated", "remove": "removed"}


@dataclass
class Settlement:
    """Settles the records of one organisation. `postponed` are the ends of settings, which come last."""

    log: WriteLog
    lookups: Lookups
    planner: Planner
    refusals: Refusals
    states: StateQueue
    tally: Tally
    logger: logging.Logger
    settings: TargetSettings
    postponed: dict[tuple[str, str], tuple[WriteSpec, WriteOp]] = field(init=False, default_factory=dict)

    def plan(self, spec: WriteSpec, job: Job) -> WriteOp | None:
        """Return the operation for a record; None if it is settled without one, or if that is postponed."""
        overtaken = self.postponed.pop((spec.name, job.key), None)
        if overtaken:
            self.states.settled(overtaken[1].job.epoch)
        try:
            plan = self.planner.plan(spec, job)
            # The adoption of an archived record may reject it as well.
            op = self._without_request(spec, job, plan)
        except InvalidRecord as invalid:
            self.tally.reject(spec, job, str(invalid))
            return None
        if op and op.action == "remove" and not spec.document:
            self.postponed[spec.name, op.job.key] = (spec, op)
            return None
        return op

    def _without_request(self, spec: WriteSpec, job: Job, plan: Plan) -> WriteOp | None:
        """Settle a plan that needs no request; returns the operation that needs one."""
        if isinstance(plan, Adopt):
            self._adopt(spec, plan)
        elif isinstance(plan, Skip):
            self.tally.skip(spec, job, plan.why)
        else:
            return plan
        return None

    def _adopt(self, spec: WriteSpec, plan: Adopt) -> None:
        """Log that Xero already has a record."""
        op = plan.op
        entry = self.note(spec, [(op, plan.record)])[0]
        if op.after:
            then = self.planner.ops.status_change(spec, op.job, entry, op.after[0], record=plan.record)
            self.postponed[spec.name, op.job.key] = (spec, then)
        elif op.follows:
            self.states.settled(op.job.epoch)
        else:
            self.tally.settle(spec, op.job, "unchanged")

    # Outcomes

    def settle(self, spec: WriteSpec, ops: list[WriteOp], outcomes: list[Outcome]) -> list[WriteOp]:
        """Log the outcomes of the records of a request; returns the operations that follow."""
        done: list[tuple[WriteOp, Record]] = []
        refused: list[tuple[WriteOp, str]] = []
        for op, outcome in zip(ops, outcomes, strict=True):
            if isinstance(outcome, Refusal):
                refused.append((op, outcome.reason))
            else:
                op.again = op.again or self.has_other_lines(spec, op, outcome)
                done.append((op, outcome))
        following: list[WriteOp] = []
        for (op, answer), entry in zip(done, self.note(spec, done), strict=True):
            if answer.get("Warnings"):
                self.tally.tell_remarks(spec, answer["Warnings"])
            following += self._follow(spec, op, answer, entry)
        if refused:
            following += self._settle_refused(spec, refused)
        self.states.flush()
        self.tally.tell_progress(spec)
        return following

    def _follow(self, spec: WriteSpec, op: WriteOp, answer: Record, entry: LogEntry) -> list[WriteOp]:
        """Count a written record; returns the operation that it needs next, if any."""
        if op.again:
            planned = self.plan(spec, op.job)
            return [planned] if planned else []
        if not op.follows:
            self.tally.count(spec, _COUNTED[op.action])
        if not op.after:
            self.compare(spec, op, answer)
            self.states.settled(op.job.epoch)
            return []
        now = {**op.body, **answer}
        whole = op.body if op.whole is None else op.whole
        then = self.planner.ops.status_change(
            spec, op.job, entry, op.after[0], op.after[1:], record=now, follows=True, whole=whole
        )
        if then.status == "ARCHIVED":
            self.postponed[spec.name, op.job.key] = (spec, then)
            return []
        return [then]

    def _settle_refused(self, spec: WriteSpec, refused: list[tuple[WriteOp, str]]) -> list[WriteOp]:
        """Settle refused records: Xero already has them, accepts another operation, or they are rejects."""
        following: list[WriteOp] = []
        rejects: list[Reject] = []
        denied: list[str] = []
        self.refusals.prepare(spec, [op for op, _ in refused])
        for op, words in refused:
            try:
                plan = self.refusals.reconsider(spec, op)
            except InvalidRecord as invalid:
                plan, words = None, f"{words} ({invalid})"
            if plan is None:
                rejects.append(Reject.of(spec, op.job, words))
                denied.append(op.job.key)
            elif then := self._without_request(spec, op.job, plan):
                following.append(then)
        self.tally.set_aside(rejects)
        self.log.settle(spec.name, refused=denied, unsent=[op.job.key for op in following])
        self.tally.check_stop()
        return following

    def note(self, spec: WriteSpec, done: list[tuple[WriteOp, Record]]) -> list[LogEntry]:
        """Log written records; returns their new entries."""
        if not done:
            return []
        entries: list[tuple[str, LogEntry]] = []
        names: list[tuple[str, str, str]] = []
        ids: dict[str, str] = {}
        for op, answer in done:
            entry = log_entry(spec, op, answer)
            entries.append((op.job.key, entry))
            if op.action == "remove":
                self.lookups.forget(spec, entry.xero_id)
                continue
            found = self._names(spec, op, answer)
            names += [(name, value, op.job.key) for name, value in found]
            ids |= _new_ids(spec, op, entry, answer)
            self.lookups.wrote(spec, entry.xero_id, found, partial(_record, spec, op, answer, entry))
        self.log.settle(spec.name, written=entries, names=names, ids=ids, at=self.lookups.now())
        return [entry for _, entry in entries]

    @staticmethod
    def _names(spec: WriteSpec, op: WriteOp, answer: Record) -> list[tuple[str, str]]:
        """Return the names of a written record: Xero's if it has set or changed them."""
        sent = op.job.sent
        if not spec.has_natural_key(sent):
            return []
        return [
            (name, str(value)) for name in spec.natural_keys if (value := answer.get(name) or sent.get(name))
        ]

    # Comparing answers with what was sent

    def has_other_lines(self, spec: WriteSpec, op: WriteOp, answer: Record) -> bool:
        """Tell whether lines differ after an update because somebody has changed them in Xero.

        Such lines are looked up and written once more; those with too much content are sent as new lines.
        """
        if op.action != "update" or op.after or self.settings.dry_run:
            return False
        if not any("LineItemID" in line for line in op.body.get("LineItems") or ()):
            return False
        changed = any(one.by_hand for one in differences(spec, op.body, answer))
        return changed and self.planner.lines.is_first_look(spec, op.job.key)

    def compare(self, spec: WriteSpec, op: WriteOp, answer: Record) -> None:
        """Log and count a record that differs in Xero."""
        found = [] if self.settings.dry_run else differences(spec, op.expected(spec), answer)
        for difference in found:
            self.logger.warning("%s differs in Xero: %s", shown(op.job.key), difference)
        if found:
            self.tally.count(spec, "different")


def _record(spec: WriteSpec, op: WriteOp, answer: Record, entry: LogEntry) -> Record:
    """Return a written record as a look-up would return it."""
    return {**op.body, **answer, spec.key: entry.xero_id}


def _new_ids(spec: WriteSpec, op: WriteOp, entry: LogEntry, answer: Record) -> dict[str, str]:
    """Return Xero's ids and codes by those of the source."""
    job = op.job
    pairs = [(source, answer.get(name)) for name in spec.inspected_ids if (source := job.aside.get(name))]
    if job.id and spec.id_alias:
        pairs.append((alias(spec.id_alias, job.tenant, job.id), entry.xero_id))
    elif job.id:
        pairs.append((job.id, entry.xero_id))
    if spec.code_alias and (code := job.sent.get("Code")) and answer.get("Code") != code:
        pairs.append((alias(spec.code_alias, job.tenant, code), answer.get("Code")))
    return {source: xero for source, xero in pairs if source and xero and source != xero}
