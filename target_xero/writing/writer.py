"""Writes the records of the intake: plans those of each object and sends them in batches.

The records of a request are logged as in flight before it is sent, and as written or refused afterwards. Records that
are in flight when a run begins are looked up in Xero before anything is sent.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from itertools import chain, groupby, islice

from singer_xero.api.client import XeroClient
from singer_xero.organisations import Organisation
from target_xero.intake.intake import Intake
from target_xero.intake.records import Job
from target_xero.lookups.lookups import Lookups
from target_xero.lookups.references import References
from target_xero.planning.operations import WriteOp
from target_xero.planning.planner import Planner
from target_xero.planning.refusals import Refusals
from target_xero.settings import TargetSettings
from target_xero.summary import RejectsFile, Summary
from target_xero.write_log.identity import former, origin
from target_xero.write_log.log import LogEntry, WriteLog
from target_xero.write_specs.rows import WRITE_SPECS
from target_xero.write_specs.spec import WriteSpec
from target_xero.writing.dispatcher import Dispatcher
from target_xero.writing.outcomes import OutcomeHandler
from target_xero.writing.recovery import Recovery
from target_xero.writing.requests import grouped, planning_keys
from target_xero.writing.settlement import Settlement
from target_xero.writing.tally import Tally

#: The most keys of planned records in memory. Beyond it, all requests are waited for.
_MANY_KEYS = 10_000


@dataclass
class Writer:
    """Writes to one organisation. `stop` is called before each request, and ends the run if it returns True."""

    client: XeroClient
    organisation: Organisation
    log: WriteLog
    intake: Intake
    summary: Summary
    rejects: RejectsFile
    logger: logging.Logger
    settings: TargetSettings
    stop: Callable[[], bool]

    def __post_init__(self) -> None:
        log, logger, settings = self.log, self.logger, self.settings
        # A known outcome must be on disk during a call, which may take long, and before a state that covers it.
        self._lookups = Lookups(self.client, self.organisation, before_call=log.save)
        self.intake.states.save = log.save
        self._references = References(
            log,
            self._lookups,
            self.organisation.tenant_id,
            creates_contacts=settings.missing_contacts == "create",
        )
        self._planner = Planner(
            log, self._lookups, self._references, self.intake,
            deletes=settings.deletes, looks_up_names=settings.dry_run,
        )  # fmt: skip
        refusals = Refusals(log, self._lookups, self._references, self._planner)
        self._tally = Tally(
            self.intake, self.summary, self.rejects, self._references.rejected, logger, settings
        )
        self._settlement = Settlement(
            log, self._lookups, self._planner, refusals, self.intake.states, self._tally, logger, settings
        )
        self._recovery = Recovery(
            log, self._lookups, self._references, self._planner.finder, self._settlement, logger
        )
        self._dispatcher = Dispatcher(
            self.client, self.organisation, log, self._lookups, settings, self._references.foreign, self.stop
        )
        self._outcomes = OutcomeHandler(
            self._dispatcher, log, self._lookups, self._settlement, self._recovery, logger
        )
        #: The requests of an earlier run, by their records that Xero has not written.
        self._unwritten: dict[tuple[str, str], str] = {}

    def run(self) -> None:
        """Write all records of the intake; raises the error that ends the run early."""
        self._tally.set_aside(self.intake.rejects)
        self._tally.check_stop()
        for (name, _), number in self.intake.elsewhere.items():
            self.summary.of(name).skipped += number
        self._find_disputed()
        for spec, pending in self._recovery.pending():
            with self._calls_counted(spec):
                self._unwritten |= self._recovery.recover(spec, pending)
        for spec in reversed(list(WRITE_SPECS.values())):
            if spec.document and self.intake.ends[spec.name]:
                with self._calls_counted(spec):
                    self._write(spec, self._endings(spec))
        for spec in WRITE_SPECS.values():
            with self._calls_counted(spec):
                self._write(spec, self._others(spec))
        self._write_postponed()
        self._tell()
        self.log.complete(datetime.now(timezone.utc).isoformat(timespec="seconds"))
        self.intake.states.flush()

    def _tell(self) -> None:
        self._tally.tell_skipped()
        for name, number in sorted(self._planner.removed_parts.kept.items()):
            if number:
                self.logger.warning(
                    "%s: %s that are no longer in their records stay in Xero. Set deletes to true to remove them.",
                    name, f"{number:,}",
                )  # fmt: skip
        for name, number in sorted(self._planner.search.found.items()):
            self.logger.info("%s: %s were found in Xero by their content.", name, f"{number:,}")

    def _write_postponed(self) -> None:
        """End settings, because nothing can refer to them afterwards; those that refer to others first."""
        ends = reversed(self._settlement.postponed.values())
        for name, group in groupby(ends, key=lambda one: one[0].name):
            spec = WRITE_SPECS[name]
            with self._calls_counted(spec):
                for ops in grouped([op for _, op in group]):
                    self._dispatcher.send(spec, ops)
                self._dispatcher.wait_for_all()

    def _find_disputed(self) -> None:
        """Find the keys of an old log without streams that several streams of this run have."""
        if max((len(streams) for streams in self.intake.identities.origins.values()), default=0) < 2:
            return
        for spec in WRITE_SPECS.values():
            if self.log.claims.has_unknown_origins(spec.name):
                claims: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
                for job in self.intake.jobs(spec):
                    if of := origin(job.key):
                        for key in former(job.key):
                            claims[key].add((of.source, of.stream))
                self.log.claims.disputed[spec.name] = {
                    key for key, streams in claims.items() if len(streams) > 1
                }

    @contextmanager
    def _calls_counted(self, spec: WriteSpec) -> Iterator[None]:
        """Count the calls for an object; settles the requests in flight if it ends early."""
        before = self.client.usage(self.organisation.header).calls
        try:
            yield
        except Exception:
            self._outcomes.settle_rest()
            raise
        finally:
            calls = self.client.usage(self.organisation.header).calls - before
            if calls:
                self.summary.of(spec.name).calls += calls

    def _write(self, spec: WriteSpec, jobs: Iterator[Job]) -> None:
        """Write records of one object in their order, with as many in a request as Xero accepts."""
        self._dispatcher.wait_for_all()
        self._references.forget()
        batch = _Batch(self._dispatcher, spec, by_name=self._planner.looks_up_name(spec))
        while chunk := list(islice(jobs, self.settings.batch_size)):
            self._prepare(spec, chunk)
            for job in chunk:
                keys = batch.make_room(job)
                op = self._settlement.plan(spec, job)
                if op is not None:
                    unwritten = self._unwritten.get((spec.name, job.key), "") if self._unwritten else ""
                    batch.add(op, keys, is_copy=self._references.foreign(job.tenant), request=unwritten)
        batch.send_all()

    def _prepare(self, spec: WriteSpec, jobs: list[Job]) -> None:
        """Look up what the records of a batch need, in as few calls as possible."""
        self.log.save()
        last_hashes = {job.key: self.intake.last_hash(spec, job) for job in jobs}
        self.log.foresee(spec.name, last_hashes)
        entries = [self.log.entry(spec.name, job.key) for job in jobs]
        known = list(zip(jobs, entries, strict=True))
        coming = [
            job for job, entry in known if spec.create and (not entry or entry.hash != last_hashes[job.key])
        ]
        of = spec.member_reference
        self._references.prepare([({of: job.sent} if of else job.sent, job.tenant) for job in coming])
        self._look_up_lines(spec, known, last_hashes)
        new = [job.sent for job, entry in known if spec.create and not job.id and entry is None]
        self._planner.search.prepare(spec, new)
        if self._planner.looks_up_name(spec):
            self._lookups.look_up_names(spec, (job.sent for job in coming))

    def _look_up_lines(
        self, spec: WriteSpec, known: list[tuple[Job, LogEntry | None]], last_hashes: Mapping[str, str]
    ) -> None:
        # Lines keep their ids. If a record was not written here, only Xero knows them.
        if spec.update is None or spec.xero is None:
            return
        look_up = self._planner.lines.document_to_look_up
        unknown = [
            found
            for job, entry in known
            if (entry or job.id) and (found := look_up(job, entry, last_hashes[job.key]))
        ]
        if unknown:
            self._lookups.by_ids(spec, unknown)

    def _endings(self, spec: WriteSpec) -> Iterator[Job]:
        """Yield the documents that end before anything is created, after their parts are ended."""
        for job in self.intake.jobs(spec):
            if self.intake.ends_first(spec, job):
                for part in spec.parts:
                    removed = self._planner.removed_parts.take(part.stream, job, keep=())
                    self._write(WRITE_SPECS[part.stream], iter(removed))
                yield job

    def _others(self, spec: WriteSpec) -> Iterator[Job]:
        """Return all other records; first the parts that were removed from their record."""
        jobs = self.intake.jobs(spec)
        if self.intake.ends[spec.name]:
            jobs = (job for job in jobs if not self.intake.ends_first(spec, job))
        return chain(self._planner.removed_parts.found(spec.name), jobs)


class _Batch:
    """The planned operations of one object, by their request."""

    def __init__(self, dispatcher: Dispatcher, spec: WriteSpec, *, by_name: bool) -> None:
        self._dispatcher = dispatcher
        self._spec = spec
        self._planning_keys = partial(planning_keys, spec, by_name=by_name)
        self._pending: dict[tuple[str, str, bool, str], list[WriteOp]] = {}
        self._keys: set[object] = set()

    def make_room(self, job: Job) -> list[object]:
        """Send the operations that must be written before a record is planned; returns the record's keys.

        A second record with the same key waits for the first. So does one with the same name, if Xero would not refuse
        it but change the first.
        """
        keys = self._planning_keys(job)
        if not self._keys.isdisjoint(keys):
            self.send_all()
        elif len(self._keys) > _MANY_KEYS:
            self._dispatcher.wait_for_all()
            ops = (op for pending in self._pending.values() for op in pending)
            self._keys = {key for op in ops for key in self._planning_keys(op.job)}
        return keys

    def add(self, op: WriteOp, keys: list[object], *, is_copy: bool, request: str) -> None:
        """Add an operation of the record with these keys, and send its request if it is full.

        `request` is the earlier request of a record that Xero has not written. The records of such a request are sent
        together again, so that its Idempotency-Key and body are the same.
        """
        kind = (op.endpoint.method, op.path, is_copy, request)
        if op.path != self._spec.path and kind not in self._pending:
            self.send_all()
        self._keys.update(keys)
        pending = self._pending.setdefault(kind, [])
        pending.append(op)
        if len(pending) >= self._dispatcher.batch_size(op.endpoint) and not request:
            self._dispatcher.send(self._spec, self._pending.pop(kind))
            if not self._pending and not self._dispatcher.in_flight:
                self._keys = set()

    def send_all(self) -> None:
        """Send everything and wait for it."""
        while self._pending:
            self._dispatcher.send(self._spec, self._pending.pop(next(iter(self._pending))))
        self._dispatcher.wait_for_all()
        self._keys = set()
