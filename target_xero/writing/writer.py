"""Writes what the input held: batches go out, and each record's answer comes back to it.

Before a request goes out the ledger knows of it, and afterwards what became of it. Whatever is found in
flight when a run begins is looked up in Xero before anything is sent.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import partial
from hashlib import sha256
from itertools import groupby, islice
from typing import Any

import msgspec

from singer_xero.api.client import XeroClient
from singer_xero.api.errors import NotFound, OutcomeUnknown, Refused, TooLarge, XeroError
from singer_xero.api.transport import Answer
from singer_xero.config import ConfigurationProblem, Organisation
from target_xero.content.compare import same_name, says
from target_xero.content.payload import InvalidRecord, encode
from target_xero.intake.intake import Intake, Job, Reject
from target_xero.planning.codes import alias
from target_xero.planning.differences import differences
from target_xero.planning.line_matching import line_id, noted
from target_xero.planning.lookups import Lookups, Record
from target_xero.planning.planner import Adopt, Planner, Skip, WriteOp
from target_xero.planning.references import References
from target_xero.planning.refusals import Refusals
from target_xero.summary import RejectsFile, Summary
from target_xero.write_log.identity import former, origin, shown
from target_xero.write_log.log import LogEntry, PendingWrite, WriteLog
from target_xero.write_specs.rows import WRITE_SPECS
from target_xero.write_specs.spec import MANY, MOST_BYTES, Endpoint, OnExisting, WriteSpec

_NOBODY = "00000000-0000-0000-0000-000000000000"
#: A DELETE has no Idempotency-Key: after a lost answer the record is looked up and, if it is still there, sent again.
_DELETE_TRIES = 3
#: Seconds between two lines about how far it has come.
_QUIET = 30.0
#: Requests under way at once: Xero answers no more than five of one organisation.
AT_ONCE = 5
#: So many keys are told apart from what is under way before all of it is waited for.
_MANY_KEYS = 10_000


class Stopped(ConfigurationProblem):
    """The run ends before everything was written; what is left comes with the next run."""


@dataclass(frozen=True)
class Refusal:
    """Xero did not take the record; its own words."""

    reason: str


class InFlight(threading.Thread):
    """A request under way: only the exchange with Xero runs beside the rest, which plans and settles meanwhile.

    A process that must end does not wait for it.
    """

    def __init__(self, spec: WriteSpec, ops: list[WriteOp], marks: set[object], tries: int = 1) -> None:
        super().__init__(name=f"{ops[0].endpoint.method} {ops[0].path}", daemon=True)
        self.spec, self.ops, self.marks, self.tries = spec, ops, marks, tries
        self.sent_at = ""
        self._send: Callable[[], Answer]
        self._answer: Answer | None = None
        self._error: BaseException | None = None

    def set_off(self, sent_at: str, send: Callable[[], Answer]) -> None:
        """Send it; `sent_at` is when, by Xero's clock."""
        self.sent_at, self._send = sent_at, send
        self.start()

    def run(self) -> None:
        """Send it, and keep what came of it."""
        try:
            self._answer = self._send()
        except BaseException as error:
            # Raised where the answer is asked for.
            self._error = error

    def error(self) -> BaseException | None:
        """What went wrong, once there is an answer or none will come."""
        self.join()
        return self._error

    def answer(self) -> Answer:
        """The answer, once it is there; raises what `XeroClient.send` raised."""
        self.join()
        if self._error is not None:
            raise self._error
        assert self._answer is not None  # noqa: S101
        return self._answer


class Writer:
    """Writes to one organisation. `stop` is asked before each request; it ends the run between two of them.

    Several requests are under way at once where the order of their records does not matter. The ledger is only
    touched by the thread that runs the writer: before a request goes out, and when its answer is there.
    """

    def __init__(
        self,
        client: XeroClient,
        organisation: Organisation,
        log: WriteLog,
        intake: Intake,
        summary: Summary,
        rejects: RejectsFile,
        logger: logging.Logger,
        *,
        batch_size: int = MANY,
        deletes: bool = False,
        creates_contacts: bool = False,
        dry_run: bool = False,
        stop_at_reject: bool = False,
        stop: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._organisation = organisation
        self._log = log
        self._intake = intake
        self._summary = summary
        self._rejects = rejects
        self._logger = logger
        self._batch_size = batch_size
        self._dry_run = dry_run
        self._stop_at_reject = stop_at_reject
        self._stop = stop
        self._clock = clock
        self._told_at = clock()
        self._remarks: set[tuple[str, str]] = set()
        self._lookups = Lookups(client, organisation)
        self._references = References(
            log, self._lookups, organisation.tenant_id, creates_contacts=creates_contacts
        )
        self._planner = Planner(log, self._lookups, self._references, intake, deletes=deletes)
        self._refusals = Refusals(log, self._lookups, self._references, self._planner)
        self._lost: dict[tuple[str, str], str] = {}
        self._left_out: Counter[tuple[str, str]] = Counter(intake.elsewhere)
        self._last: dict[tuple[str, str], tuple[WriteSpec, WriteOp]] = {}
        # Who wants to stop at the first reject wants nothing sent beside it.
        self._at_once = 1 if stop_at_reject else AT_ONCE
        self._due: deque[InFlight] = deque()
        self._under_way: deque[InFlight] = deque()

    def run(self) -> None:
        """Write everything the intake holds; raises what ends the run early."""
        self._set_aside(self._intake.rejects)
        self._check_stop()
        for (name, _), number in self._intake.elsewhere.items():
            self._summary.of(name).skipped += number
        self._find_disputed()
        self._recover()
        for spec in reversed(list(WRITE_SPECS.values())):
            if spec.document and self._intake.ends[spec.name]:
                with self._counted(spec):
                    self._write(spec, self._endings(spec))
        for spec in WRITE_SPECS.values():
            with self._counted(spec):
                self._write(spec, self._others(spec))
        # What has ended can't be referred to any more, so that comes last, and what refers to others first.
        for name, ops in groupby(reversed(self._last.values()), key=lambda one: one[0].name):
            spec = WRITE_SPECS[name]
            with self._counted(spec):
                for group in _grouped([op for _, op in ops]):
                    self._post(spec, group)
                self._settle_all()
        for (name, why), number in sorted(self._left_out.items()):
            self._logger.warning("%s: %s left out: %s.", name, f"{number:,}", why)
        for name, number in sorted(self._planner.kept_parts.items()):
            if number:
                self._logger.warning(
                    "%s: %s not in their records any more stay in Xero; only `deletes: true` removes them.",
                    name, f"{number:,}",
                )  # fmt: skip
        for name, number in sorted(self._planner.search.found.items()):
            self._logger.info("%s: %s found in Xero by what they say.", name, f"{number:,}")
        self._log.complete(datetime.now(timezone.utc).isoformat(timespec="seconds"))
        self._intake.states.flush()

    def _find_disputed(self) -> None:
        """Find keys that an old log has without their stream, and that several streams of this run have."""
        if max((len(streams) for streams in self._intake.origins.values()), default=0) < 2:
            return
        for spec in WRITE_SPECS.values():
            if self._log.has_unknown_origins(spec.name):
                claims: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
                for job in self._intake.jobs(spec):
                    if of := origin(job.key):
                        for key in former(job.key):
                            claims[key].add((of.source, of.stream))
                self._log.disputed[spec.name] = {key for key, streams in claims.items() if len(streams) > 1}

    @contextmanager
    def _counted(self, spec: WriteSpec) -> Iterator[None]:
        """Count the calls that an object takes; what is under way when it ends early is waited for."""
        before = self._client.usage(self._organisation.header).calls
        try:
            yield
        except Exception:
            self._settle_rest()
            raise
        finally:
            calls = self._client.usage(self._organisation.header).calls - before
            if calls:
                self._summary.of(spec.name).calls += calls

    # From records to requests

    def _write(self, spec: WriteSpec, jobs: Iterator[Job]) -> None:
        """Write records of one object, in the order they come, with as many in a request as it takes."""
        pending: dict[tuple[str, str, bool, str], list[WriteOp]] = {}
        keys: set[object] = set()

        def send_all() -> None:
            while pending:
                self._post(spec, pending.pop(next(iter(pending))))
            self._settle_all()

        self._settle_all()
        while chunk := list(islice(jobs, self._batch_size)):
            self._prepare(spec, chunk)
            for job in chunk:
                # A second record of the same key waits for the first, as does one of the same name where Xero
                # would not refuse it, but change the first.
                mine = _told_by(spec, job)
                if not keys.isdisjoint(mine):
                    send_all()
                    keys = set()
                elif len(keys) > _MANY_KEYS:
                    self._settle_all()
                    keys = {key for ops in pending.values() for op in ops for key in _told_by(spec, op.job)}
                op = self._planned(spec, job)
                if op is None:
                    continue
                # What was in one request before its answer was lost is in one again: the same key, the same
                # body.
                copied = self._references.foreign(job.tenant)
                kind = (op.endpoint.method, op.path, copied, self._lost.get((spec.name, job.key), ""))
                if op.path != spec.path and kind not in pending:
                    send_all()
                    keys = set()
                keys.update(mine)
                pending.setdefault(kind, []).append(op)
                if len(pending[kind]) >= self._size(op.endpoint) and not kind[3]:
                    self._post(spec, pending.pop(kind))
                    if not pending and not self._under_way:
                        keys = set()
        send_all()

    def _prepare(self, spec: WriteSpec, jobs: list[Job]) -> None:
        """Look up what the records of a batch will need, in as few calls as that takes."""
        self._log.foresee(spec.name, {job.key: self._intake.last_hash(spec, job) for job in jobs})
        coming = [job for job in jobs if self._planner.may_be_sent(spec, job)]
        self._references.prepare(
            ({spec.member_reference: job.sent} if spec.member_reference else job.sent, job.tenant)
            for job in coming
        )
        # Lines that Xero has already keep their ids, which only Xero knows of a record that was not written here.
        unknown = [found for job in jobs if (found := self._planner.document_to_look_up(spec, job))]
        if unknown and spec.xero:
            self._lookups.by_ids(spec, unknown)
        self._planner.search.prepare(
            spec, [job.sent for job in coming if not job.id and self._log.entry(spec.name, job.key) is None]
        )
        if spec.lookup_before_create and spec.search:
            for field in spec.natural_keys:
                values = [v for job in coming for name, v in spec.natural_key(job.sent) if name == field]
                self._lookups.look_up(spec, field, values)

    def _endings(self, spec: WriteSpec) -> Iterator[Job]:
        """The documents that end before anything is made; what hangs on them goes before them."""
        for job in self._intake.jobs(spec):
            if self._intake.ends_first(spec, job):
                for part in spec.parts:
                    lost = self._planner.take_lost_parts(part.stream, job, keep=())
                    self._write(WRITE_SPECS[part.stream], iter(lost))
                yield job

    def _others(self, spec: WriteSpec) -> Iterator[Job]:
        """All other records; first the parts that are not in their record any more."""
        yield from self._planner.lost_parts.pop(spec.name, {}).values()
        for job in self._intake.jobs(spec):
            if not self._intake.ends_first(spec, job):
                yield job

    def _size(self, endpoint: Endpoint) -> int:
        return min(endpoint.size, self._batch_size)

    def _planned(self, spec: WriteSpec, job: Job) -> WriteOp | None:
        """What to ask of Xero for a record; None if nothing, which is then settled, or put off to the end."""
        overtaken = self._last.pop((spec.name, job.key), None)
        if overtaken:
            self._intake.states.settled(overtaken[1].job.epoch)
        try:
            plan = self._planner.plan(spec, job)
            if isinstance(plan, Adopt):
                self._adopt(spec, plan)
                return None
        except InvalidRecord as broken:
            self._reject(spec, job, str(broken))
            return None
        if isinstance(plan, Skip):
            self._leave(spec, job, plan)
            return None
        if plan.action == "remove" and not spec.document:
            self._put_off(spec, plan)
            return None
        return plan

    def _leave(self, spec: WriteSpec, job: Job, plan: Skip) -> None:
        """Settle a record that is left alone."""
        if plan.why:
            self._left_out[spec.name, plan.why] += 1
        self._settled(spec, job, "skipped" if plan.why else "unchanged")

    def _put_off(self, spec: WriteSpec, op: WriteOp) -> None:
        self._last[spec.name, op.job.key] = (spec, op)

    def _adopt(self, spec: WriteSpec, plan: Adopt) -> None:
        """Take a record that Xero has for the source's."""
        op = plan.op
        entry = self._note(spec, [(op, plan.record)])[0]
        if op.after:
            then = self._planner.status_step(spec, op.job, entry, op.after[0], record=plan.record)
            self._put_off(spec, then)
        elif op.follows:
            self._intake.states.settled(op.job.epoch)
        else:
            self._settled(spec, op.job, "unchanged")

    # Sending

    def _post(self, spec: WriteSpec, ops: list[WriteOp]) -> None:
        """Send steps of one kind in as few requests as their sizes allow; returns when the last of them is out."""
        self._follow(spec, ops)
        while self._due:
            self._go_on()
        if any(sent.marks is _ALONE for sent in self._under_way):
            self._settle_all()

    def _settle_all(self) -> None:
        """Wait for everything that is under way, and for what follows from it."""
        while self._due or self._under_way:
            self._go_on()

    def _go_on(self) -> None:
        """Send the next request if its order allows that, else settle the one that has been out longest."""
        if self._due and self._may_go(self._due[0].marks):
            self._send(self._due.popleft())
        else:
            self._arrived(self._under_way.popleft())

    def _may_go(self, marks: set[object]) -> bool:
        if len(self._under_way) >= self._at_once or (marks is _ALONE and self._under_way):
            return False
        return not any(sent.marks is _ALONE or sent.marks & marks for sent in self._under_way)

    def _marks(self, spec: WriteSpec, ops: list[WriteOp]) -> set[object]:
        """What a request touches, so that no other that touches it is under way; `_ALONE` if none may be.

        Only batches go beside each other: what is created, or changed without taking a new name, in its object's
        own list. A name that one record leaves and another takes, and numbers that Xero gives in the order in which
        records come, need their order.
        """
        endpoint = ops[0].endpoint
        if endpoint.size == 1 or any(op.path != spec.path or op.action == "remove" for op in ops):
            return _ALONE
        marks: set[object] = set()
        changed: dict[str, list[tuple[str, str]]] = {}
        for op in ops:
            named = spec.natural_key(op.body)
            if op.action != "create":
                changed[op.job.key] = named
                if spec.unique_when and spec.unique_when[0] not in op.body:
                    return _ALONE
            elif (
                spec.document
                and spec.natural_keys
                and not named
                and spec.natural_key({spec.natural_keys[0]: "?", **op.body})
            ):
                return _ALONE
            marks |= {op.job.key, ("", op.job.id), ("", op.entry.xero_id), *_folded(spec, op.body)}
            contact = op.body.get("Contact")
            if isinstance(contact, dict) and "Name" in contact:
                # The first document that names it makes the contact.
                marks.add(("Contact", contact["Name"].casefold()))
            for part in (op.body, *(op.body.get("Payments") or ())):
                marks |= {(name, *part[name].values()) for name in _PAID if isinstance(part.get(name), dict)}
        if not self._log.has_names(spec.name, changed):
            return _ALONE
        return marks - {("", None)}

    def _send(self, sent: InFlight) -> None:
        """Send one request on its way: from here on the ledger knows of it."""
        spec, ops = sent.spec, sent.ops
        if self._stop():
            raise Stopped("Stopped by a signal; what is not written yet comes with the next run.")
        first = ops[0]
        endpoint = first.endpoint
        if self._dry_run:
            self._follow(spec, self._settle(spec, ops, [_imagined(spec, op) for op in ops]))
            return
        params = dict(spec.unit_price_params) if endpoint.body == "list" and spec.unit_price_params else {}
        if endpoint.body == "list" and self._references.foreign(first.job.tenant):
            params |= spec.copy_params
        if endpoint.size > 1 and endpoint.answers:
            params["summarizeErrors"] = "false"
        body = _body(spec, endpoint, [op.data for op in ops])
        request = self._request_key(ops, body)
        sent_at = self._lookups.now()
        self._log.sending(
            spec.name, request, first.action, first.path, sent_at,
            [(op.job.key, op.hash, op.data, encode(_kept(op))) for op in ops],
        )  # fmt: skip
        send = partial(
            self._client.send,
            endpoint.method,
            self._organisation.header,
            first.path,
            params=params,
            body=body,
            idempotency_key=request,
        )
        self._under_way.append(sent)
        sent.set_off(sent_at, send)

    def _arrived(self, sent: InFlight) -> None:
        """Settle the records of a request that has its answer; what follows from it is due next."""
        spec, ops = sent.spec, sent.ops
        try:
            answer = sent.answer()
        except (Refused, NotFound) as error:
            self._refused(sent, error)
            return
        except OutcomeUnknown:
            if ops[0].endpoint.method != "DELETE" or sent.tries >= _DELETE_TRIES:
                raise
            following, left = self._settle_found(spec, ops, sent.sent_at)
            if left:
                self._due.appendleft(InFlight(spec, left, sent.marks, sent.tries + 1))
            self._follow(spec, following)
            return
        except XeroError:
            # Anything else says that nothing was done, so that there is nothing to look up.
            self._log.settle(spec.name, unsent=[op.job.key for op in ops])
            raise
        self._follow(spec, self._answered(spec, ops, answer))

    def _answered(self, spec: WriteSpec, ops: list[WriteOp], answer: Answer) -> list[WriteOp]:
        envelope = answer.json() if answer.content else {}
        self._lookups.heard(envelope)
        # Looking for messages at every depth is only worth it where there are any.
        empty, every = (
            answer.content.count(sign) for sign in (b'"ValidationErrors":[]', b"ValidationErrors")
        )
        silent = empty == every
        answers = _paired(spec, ops, _elements(envelope, spec.envelope))
        call = f" ({answer.call}: {answer.status}, correlation id {answer.correlation_id})"
        return self._settle(spec, ops, answers, silent=silent, call=call)

    def _follow(self, spec: WriteSpec, ops: list[WriteOp]) -> None:
        for group in _grouped(ops):
            for batch in _sized(group, self._size(group[0].endpoint)):
                self._due.append(InFlight(spec, batch, self._marks(spec, batch)))

    def _settle_rest(self) -> None:
        """Wait for what is under way when a run ends early, and settle what is plain; the rest is the next run's."""
        self._due.clear()
        while self._under_way:
            sent = self._under_way.popleft()
            spec, ops, error = sent.spec, sent.ops, sent.error()
            try:
                if error is None:
                    self._answered(spec, ops, sent.answer())
                elif isinstance(error, XeroError) and not (
                    isinstance(error, OutcomeUnknown) or (isinstance(error, Refused) and error.elements)
                ):
                    self._log.settle(spec.name, unsent=[op.job.key for op in ops])
            except Stopped:
                continue
            except (XeroError, ConfigurationProblem) as another:
                self._logger.warning("%s: %s", spec.name, another)
            if error is not None:
                self._logger.warning("%s: %s", spec.name, error)
        self._due.clear()

    def _request_key(self, ops: list[WriteOp], body: bytes | None) -> str:
        """The same for the same request until it has had its answer, so that Xero tells a retry from a new wish."""
        first = ops[0]
        told = sha256(f"{self._organisation.tenant_id} {first.endpoint.method} {first.path}\n".encode())
        told.update(body or b"")
        for op in ops:
            told.update(f"\n{op.job.key} {op.entry.attempts}".encode())
        return told.hexdigest()

    def _refused(self, sent: InFlight, error: Refused | NotFound) -> None:
        """A request that was refused as a whole: find the records that it is about."""
        spec, ops = sent.spec, sent.ops
        elements = error.elements if isinstance(error, Refused) else []
        if len(ops) == 1:
            if isinstance(error, NotFound) and ops[0].action == "remove":
                self._follow(spec, self._settle(spec, ops, [{}]))
                return
            words = [word for element in elements for word in _words(element)]
            self._follow(spec, self._settle(spec, ops, [Refusal("; ".join(words) or _why(error))]))
            return
        if _may_be_written(error):
            # In spite of summarizeErrors=false (Xero-Net#354): the good ones may be saved, and nobody said so.
            requests = [sent, *self._doubtful()]
            ops = [op for one in requests for op in one.ops]
            following, left = self._settle_found(spec, ops, min(one.sent_at for one in requests))
            parts = [[op] for op in left]
        else:
            # One id that Xero does not know costs the whole batch, and nothing of it is written.
            following = []
            middle = len(ops) // 2
            parts = [ops[:middle], ops[middle:]]
        self._log.settle(spec.name, unsent=[op.job.key for part in parts for op in part])
        self._due.extendleft(InFlight(spec, part, sent.marks) for part in reversed(parts))
        self._follow(spec, following)

    def _doubtful(self) -> list[InFlight]:
        """Settle all that is under way but requests that may be written in part, and return those.

        What they have written is told by what it says, which is only safe once every other record has its owner.
        """
        doubtful = []
        while self._under_way:
            sent = self._under_way.popleft()
            if len(sent.ops) > 1 and _may_be_written(sent.error()):
                doubtful.append(sent)
            else:
                self._arrived(sent)
        return doubtful

    # What became of them

    def _settle(
        self,
        spec: WriteSpec,
        ops: list[WriteOp],
        answers: list[Record | Refusal],
        *,
        silent: bool = False,
        call: str = "",
    ) -> list[WriteOp]:
        """Write down what became of the records of a request; returns the steps that follow from it.

        `silent` answers hold no messages. `call` tells of the request where Xero does not say why it refused a record.
        """
        done: list[tuple[WriteOp, Record]] = []
        refused: list[tuple[WriteOp, str]] = []
        for op, answer in zip(ops, answers, strict=True):
            if isinstance(answer, Refusal):
                refused.append((op, answer.reason))
            elif _is_written(answer, silent=silent):
                done.append((op, answer))
            else:
                refused.append(
                    (op, "; ".join(_words(answer)) or f"Xero refused it and did not say why{call}")
                )
        following: list[WriteOp] = []
        for op, answer in done:
            op.again = op.again or self._has_other_lines(spec, op, answer)
        for (op, answer), entry in zip(done, self._note(spec, done), strict=True):
            self._tell_remarks(spec, answer)
            if op.again:
                planned = self._planned(spec, op.job)
                following += [planned] if planned else []
                continue
            if not op.follows:
                what = {"create": "created", "update": "updated", "remove": "removed"}[op.action]
                self._count(spec, what)
            if not op.after:
                self._compare(spec, op, answer)
                self._intake.states.settled(op.job.epoch)
                continue
            now = {**op.body, **answer}
            said = op.body if op.said is None else op.said
            then = self._planner.status_step(
                spec, op.job, entry, op.after[0], op.after[1:], record=now, follows=True, said=said
            )
            if then.status == "ARCHIVED":
                self._put_off(spec, then)
            else:
                following.append(then)
        if refused:
            following += self._settle_refused(spec, refused)
        self._intake.states.flush()
        self._tell_progress(spec)
        return following

    def _settle_refused(self, spec: WriteSpec, refused: list[tuple[WriteOp, str]]) -> list[WriteOp]:
        """Settle what was refused: what is so in Xero already, or can be sent in another way; the rest are rejects."""
        following: list[WriteOp] = []
        rejects: list[Reject] = []
        denied: list[str] = []
        self._refusals.prepare(spec, [op for op, _ in refused])
        for op, words in refused:
            try:
                plan = self._refusals.reconsider(spec, op)
            except InvalidRecord as broken:
                plan, words = None, f"{words} ({broken})"
            if isinstance(plan, Adopt):
                self._adopt(spec, plan)
            elif isinstance(plan, Skip):
                self._leave(spec, op.job, plan)
            elif plan is not None:
                following.append(plan)
            else:
                rejects.append(Reject.of(spec, op.job, words))
                denied.append(op.job.key)
        self._set_aside(rejects)
        self._log.settle(spec.name, refused=denied, unsent=[op.job.key for op in following])
        self._check_stop()
        return following

    def _note(self, spec: WriteSpec, done: list[tuple[WriteOp, Record]]) -> list[LogEntry]:
        """Let the ledger know what is written; returns its new entries."""
        if not done:
            return []
        entries: list[tuple[str, LogEntry]] = []
        names: list[tuple[str, str, str]] = []
        ids: dict[str, str] = {}
        for op, answer in done:
            entry = _entry(spec, op, answer)
            entries.append((op.job.key, entry))
            if op.action == "remove":
                self._lookups.forget(spec, entry.xero_id)
                continue
            told = {name: answer[name] for name in spec.natural_keys if answer.get(name)}
            found = spec.natural_key({**op.job.sent, **told})
            names += [(name, value, op.job.key) for name, value in found]
            ids |= self._ids(spec, op, entry, answer)
            self._lookups.wrote(spec, {**op.body, **answer, spec.key: entry.xero_id}, found)
        self._log.settle(spec.name, written=entries, names=names, ids=ids, at=self._lookups.now())
        return [entry for _, entry in entries]

    def _ids(self, spec: WriteSpec, op: WriteOp, entry: LogEntry, answer: Record) -> dict[str, str]:
        """What the ids and codes of the source became in Xero."""
        job = op.job
        pairs: list[tuple[Any, Any]] = list(zip(op.lines, map(line_id, entry.lines or []), strict=False))
        pairs += [(source, answer.get(name)) for name, source in job.aside.items() if name.endswith("ID")]
        if job.id and not spec.id_alias:
            pairs.append((job.id, entry.xero_id))
        found: dict[str, str] = {source: xero for source, xero in pairs if source and xero and source != xero}
        if job.id and spec.id_alias and entry.xero_id:
            found[alias(spec.id_alias, job.tenant, job.id)] = entry.xero_id
        code = job.sent.get("Code") if spec.code_alias else None
        if code and answer.get("Code") and answer["Code"] != code:
            found[alias(spec.code_alias, job.tenant, code)] = answer["Code"]
        return found

    # After a lost answer

    def _recover(self) -> None:
        """Look up whatever an earlier run has left in flight."""
        for name, group in groupby(
            sorted(self._log.flights(), key=lambda f: f.object), key=lambda f: f.object
        ):
            spec = WRITE_SPECS[name]
            flights = list(group)
            ops = {
                flight.key: _revived(spec, flight, self._log.entry(name, flight.key)) for flight in flights
            }
            with self._counted(spec):
                done, left = self._look_up(
                    spec, list(ops.values()), min(flight.sent_at for flight in flights)
                )
                for op, record in done:
                    op.again = self._has_other_lines(spec, op, record)
                self._note(spec, done)
                for op, record in done:
                    if not (op.after or op.again):
                        self._compare(spec, op, record)
                missing = {op.job.key for op in left}
                self._log.settle(name, unsent=missing)
            self._lost |= {(name, f.key): f.request for f in flights if f.key in missing}
            self._logger.warning(
                "%s: the last run ended before the answer for %s came; %s done in Xero.",
                name, f"{len(flights):,}", f"{len(flights) - len(missing):,}",
            )  # fmt: skip

    def _settle_found(
        self, spec: WriteSpec, ops: list[WriteOp], since: str
    ) -> tuple[list[WriteOp], list[WriteOp]]:
        """Settle the steps that Xero has done all the same; returns what follows from them, and the others."""
        done, left = self._look_up(spec, ops, since)
        return self._settle(spec, [op for op, _ in done], [record for _, record in done]), left

    def _look_up(
        self, spec: WriteSpec, ops: list[WriteOp], since: str
    ) -> tuple[list[tuple[WriteOp, Record]], list[WriteOp]]:
        """Find out which steps Xero has done, with its records; and which it has not.

        A record with a name is found by it; a part among its siblings; anything else by what it says, among
        the records made or changed since it was sent that the ledger does not know.
        """
        done: list[tuple[WriteOp, Record]] = []
        left: list[WriteOp] = []
        taken: set[str] = set()
        recent: list[Record] | None = None
        for op in ops:
            self._lookups.forget(spec, op.entry.xero_id)
        for field in spec.natural_keys if spec.search else ():
            values = [value for op in ops for name, value in spec.natural_key(op.body) if name == field]
            self._lookups.look_up(spec, field, values, afresh=True)
        for op in ops:
            if op.action != "create":
                record = self._now(spec, op)
            elif spec.siblings_path:
                record = self._match(spec, op, self._planner.siblings(spec, op.owner), taken)
            elif spec.search and spec.natural_key(op.body):
                record = self._planner.existing(spec, op.job, op.body, None)
                # One of that name may have been there before, so that the create was refused.
                marks = (
                    spec.content_match
                    if spec.on_existing is OnExisting.REFUSE
                    else op.body.keys() - spec.create_only
                )
                mine = record and (spec.on_existing is OnExisting.KEEP or says(op.body, record, marks))
                held = record and self._log.holder(spec.name, str(record.get(spec.key)))
                record = record if mine and held in {None, op.job.key} else None
            else:
                recent = self._lookups.recent(spec, since) if recent is None else recent
                record = self._match(spec, op, recent, taken)
            if record is None:
                left.append(op)
            else:
                taken.add(str(record.get(spec.key)))
                done.append((op, record))
        return done, left

    def _match(
        self, spec: WriteSpec, op: WriteOp, records: Iterable[Record], taken: set[str]
    ) -> Record | None:
        body = self._references.with_account_ids(op.body)
        found = [record for record in records if says(body, record, spec.content_match or spec.natural_keys)]
        if not spec.key:
            # Notes have no id: of equal ones, as many are there as the ledger knows, and one more if this one is.
            others = self._log.number(spec.name, op.owner or "", op.hash)
            return found[0] if len(found) > others else None
        for record in found:
            identifier = str(record.get(spec.key))
            if identifier not in taken and (spec.many_to_one or not self._log.holder(spec.name, identifier)):
                return record
        return None

    def _now(self, spec: WriteSpec, op: WriteOp) -> Record | None:
        """The record as it is now, if the change or the end of it that was asked for is done."""
        record = self._planner.now(spec, op)
        if op.action == "remove":
            over = record is None or (bool(op.status) and record.get(spec.status_field) == op.status)
            return (record or {spec.key: op.entry.xero_id}) if over else None
        return record if record is not None and says(op.body, record) else None

    # Telling

    def _tell_progress(self, spec: WriteSpec) -> None:
        """Say now and then how far it has come: 60 calls a minute are all that Xero allows."""
        if self._clock() - self._told_at >= _QUIET:
            self._told_at = self._clock()
            count = self._summary.of(spec.name)
            done = (
                count.created
                + count.updated
                + count.removed
                + count.unchanged
                + count.rejected
                + count.skipped
            )
            self._logger.info(
                "%s: %s of %s records done.", spec.name, f"{done:,}", f"{self._intake.counts[spec.name]:,}"
            )

    def _tell_remarks(self, spec: WriteSpec, answer: Record) -> None:
        """Xero's warnings about what it wrote all the same, each once."""
        for warning in answer.get("Warnings") or []:
            words = str(warning.get("Message") if isinstance(warning, dict) else warning)
            if (spec.name, words) not in self._remarks:
                self._remarks.add((spec.name, words))
                self._logger.warning("%s: Xero remarks on what it wrote: %s", spec.name, words)

    def _has_other_lines(self, spec: WriteSpec, op: WriteOp, answer: Record) -> bool:
        """Whether a change left lines otherwise than it said, as somebody had changed them in Xero.

        Then they are looked up and written once more, those that hold too much as new ones.
        """
        if op.action != "update" or op.after or self._dry_run:
            return False
        if not any("LineItemID" in line for line in op.body.get("LineItems") or ()):
            return False
        stuck = any(one.stuck for one in differences(spec, op.body, answer))
        return stuck and self._planner.is_first_look(spec, op)

    def _compare(self, spec: WriteSpec, op: WriteOp, answer: Record) -> None:
        """Say and count where Xero answers with something else than the record says."""
        found = [] if self._dry_run else differences(spec, op.expected(spec), answer)
        if not found:
            return
        for difference in found:
            self._logger.warning("%s differs in Xero: %s", shown(op.job.key), difference)
        self._count(spec, "different")

    # Counting and putting aside

    def _count(self, spec: WriteSpec, what: str) -> None:
        count = self._summary.of(spec.name)
        setattr(count, what, getattr(count, what) + 1)

    def _settled(self, spec: WriteSpec, job: Job, what: str) -> None:
        self._count(spec, what)
        self._intake.states.settled(job.epoch)

    def _reject(self, spec: WriteSpec, job: Job, reason: str) -> None:
        self._set_aside([Reject.of(spec, job, reason)])
        self._check_stop()

    def _set_aside(self, rejects: list[Reject]) -> None:
        """Put rejects into their file; only then do they not hold back the state any more."""
        told: list[tuple[str, list[dict[str, Any]], str]] = []
        for reject in rejects:
            stream, rows = self._intake.records(reject.raw)
            told.append((stream, rows, reject.reason))
            self._references.rejected.add(reject.object, reject.names, reject.reason)
            self._logger.error("%s rejected: %s", self._rejects.name(stream, rows[0]), reject.reason)
        if told and not self._dry_run:
            self._rejects.add(told)
        for reject in rejects:
            self._summary.of(reject.object).rejected += 1
            self._intake.states.settled(reject.epoch)

    def _check_stop(self) -> None:
        if self._stop_at_reject and not self._dry_run and self._summary.rejected:
            self._intake.states.flush()
            raise Stopped(
                "Stopped at the first reject, as on_reject says; what is not written yet comes with the next run."
            )


# Requests and answers

_NESTED: frozenset[type[Any]] = frozenset({dict, list})
#: Marks of a request that nothing else may be under way with.
_ALONE: set[object] = {"alone"}
#: What payments change besides themselves.
_PAID = ("Invoice", "CreditNote", "Prepayment", "Overpayment")


def _folded(spec: WriteSpec, content: Mapping[str, object]) -> list[object]:
    """The names of a record as Xero compares them."""
    return [(name, " ".join(value.split()).casefold()) for name, value in spec.natural_key(content)]


def _told_by(spec: WriteSpec, job: Job) -> list[object]:
    """What two records of the source must not have in common to be planned beside each other."""
    found: list[object] = [job.key]
    if job.id:
        found.append(("", job.id))
    return found + _folded(spec, job.sent) if spec.lookup_before_create else found


def _may_be_written(error: BaseException | None) -> bool:
    """Whether a request was refused in a way that may have left some of its records written."""
    return isinstance(error, Refused) and bool(error.elements) and not isinstance(error, TooLarge)


def _body(spec: WriteSpec, endpoint: Endpoint, bodies: list[bytes]) -> bytes | None:
    if not endpoint.body:
        return None
    return (
        bodies[0] if endpoint.body == "one" else b'{"%b":[%b]}' % (spec.envelope.encode(), b",".join(bodies))
    )


def _sized(ops: list[WriteOp], size: int) -> Iterator[list[WriteOp]]:
    """Parts of at most so many records, and smaller than Xero takes; one that is larger by itself goes alone."""
    batch: list[WriteOp] = []
    weight = 0
    for op in ops:
        heavy = len(op.data) + 1 if len(ops) > 1 else 0
        if batch and (len(batch) >= size or weight + heavy > MOST_BYTES):
            yield batch
            batch, weight = [], 0
        batch.append(op)
        weight += heavy
    if batch:
        yield batch


def _grouped(ops: list[WriteOp]) -> list[list[WriteOp]]:
    """Steps that may go in one request, together."""
    groups: dict[tuple[str, str], list[WriteOp]] = {}
    for op in ops:
        groups.setdefault((op.endpoint.method, op.path), []).append(op)
    return list(groups.values())


def _elements(envelope: Mapping[str, Any], name: str) -> list[Record]:
    """The records of an answer, one each; the envelope's case does not count."""
    found: Any = next((value for key, value in envelope.items() if key.lower() == name.lower()), [])
    return [found] if isinstance(found, dict) else list(found or [])


def _paired(spec: WriteSpec, ops: list[WriteOp], elements: list[Record]) -> list[Record | Refusal]:
    """The answer of each record: by position, and checked by id and name.

    Raises OutcomeUnknown if it can't be told which answer is whose: the records stay in flight, and the next
    run looks them up.
    """
    if not elements and not ops[0].endpoint.body:
        return [{} for _ in ops]
    if len(elements) == len(ops) and all(_fits(spec, *pair) for pair in zip(ops, elements, strict=True)):
        return list(elements)
    rest = list(elements)
    found: list[Record | Refusal] = []
    for op in ops:
        mine = next((one for one in rest if _is_of(spec, op, one)), None)
        if mine is None:
            raise OutcomeUnknown(
                f"{len(elements)} answers came for {len(ops)} records, and which is whose can't be told",
                call=f"{op.endpoint.method} {op.path}",
            )
        rest.remove(mine)
        found.append(mine)
    return found


def _fits(spec: WriteSpec, op: WriteOp, element: Record) -> bool:
    """Whether nothing speaks against an answer being this record's; a refused one may lack its names."""
    sent, got = op.body.get(spec.key), element.get(spec.key)
    if sent and got and got != _NOBODY and str(sent).lower() != str(got).lower():
        return False
    return all(
        not element.get(name) or same_name(value, element[name]) for name, value in spec.natural_key(op.body)
    )


def _is_of(spec: WriteSpec, op: WriteOp, element: Record) -> bool:
    """Whether an answer is this record's for certain."""
    sent = op.body.get(spec.key)
    if sent and str(sent).lower() == str(element.get(spec.key)).lower():
        return True
    named = spec.natural_key(op.body)
    if named:
        return any(same_name(value, element.get(name)) for name, value in named)
    return bool(spec.content_match) and says(op.body, element, spec.content_match)


def _is_written(element: Record, *, silent: bool) -> bool:
    """Written is what neither itself nor anything nested in it speaks of an error.

    The flags differ by object: documents have HasErrors, contacts and payments HasValidationErrors, items
    only the list of messages; an answer to a single record may have none of them.
    """
    if element.get("StatusAttributeString") == "ERROR":
        return False
    if element.get("HasErrors") is True or element.get("HasValidationErrors") is True:
        return False
    return silent or not _words(element)


def _words(value: Any) -> list[str]:
    """Xero's validation messages, those of nested records too, each once."""
    found: dict[str, None] = {}
    if isinstance(value, list):
        for one in value:
            found |= dict.fromkeys(_words(one))
    elif isinstance(value, dict):
        for name, one in value.items():
            if one.__class__ not in _NESTED or not one:
                continue
            if name == "ValidationErrors":
                messages = [e.get("Message") if isinstance(e, dict) else e for e in one]
                found |= dict.fromkeys(str(message) for message in messages if message)
            else:
                found |= dict.fromkeys(_words(one))
    return list(found)


def _why(error: Refused | NotFound) -> str:
    if isinstance(error, NotFound):
        return "Xero has no such record: an id in it is not one of this organisation (404)"
    return error.words if error.says_why else error.what


def _entry(spec: WriteSpec, op: WriteOp, answer: Record) -> LogEntry:
    """What the ledger is to know of a record after a step."""
    identifier = answer.get(spec.key) if spec.key else None
    xero_id = str(identifier) if identifier and identifier != _NOBODY else op.entry.xero_id
    status = op.status
    if op.action != "remove" and spec.status_field in spec.fields and not status:
        status = str(answer.get(spec.status_field) or "")
    if op.action == "remove" and not status:
        status = "DELETED"
    return LogEntry(
        hash=None if op.after or op.again else op.hash,
        xero_id=xero_id or op.entry.xero_id or "-",
        status=status,
        owner=op.owner,
        parent=op.job.parent[1] if op.job.parent else op.entry.parent,
        lines=_lines_after(op, answer),
        attempts=op.entry.attempts + 1,
    )


def _lines_after(op: WriteOp, answer: Record) -> list[str] | None:
    """The lines as the ledger keeps them, in the order they were sent: in an answer new ones stand before old ones."""
    sent = op.body.get("LineItems")
    if not sent:
        return op.entry.lines
    answered = [str(line.get("LineItemID")) for line in answer.get("LineItems") or []]
    kept = [line.get("LineItemID") for line in sent]
    new = iter([one for one in answered if one not in kept])
    found = [one or next(new, "") for one in kept]
    is_known = not (op.adopted or op.again)
    return noted(found, op.body if is_known else None) if all(found) else None


def _imagined(spec: WriteSpec, op: WriteOp) -> Record | Refusal:
    """What Xero would answer in a dry run."""
    lines = [
        {**line, "LineItemID": line.get("LineItemID") or str(uuid.uuid4())}
        for line in op.body.get("LineItems") or []
    ]
    made = {spec.key: op.entry.xero_id or op.body.get(spec.key) or str(uuid.uuid4())} if spec.key else {}
    asides = {name: str(uuid.uuid4()) for name in op.job.aside if name.endswith("ID")}
    return {**asides, **op.body, **({"LineItems": lines} if lines else {}), **made}


# What is kept of a step while it is in flight


def _kept(op: WriteOp) -> dict[str, Any]:
    return {
        "job": op.job,
        "xero_id": op.entry.xero_id,
        "status": op.status,
        "after": bool(op.after) or op.again,
        "owner": op.owner,
        "lines": op.lines,
    }


def _revived(spec: WriteSpec, flight: PendingWrite, entry: LogEntry | None) -> WriteOp:
    kept = flight.job
    entry = entry or LogEntry()
    endpoint = spec.remove if flight.action == "remove" and spec.remove else spec.update or spec.create
    endpoint = (spec.create if flight.action == "create" else endpoint) or Endpoint("", "")
    return WriteOp(
        job=msgspec.convert(kept["job"], Job),
        action=flight.action,
        endpoint=endpoint,
        path=flight.path,
        body=flight.body,
        entry=replace(entry, xero_id=entry.xero_id or kept["xero_id"]),
        hash=flight.hash,
        status=kept["status"],
        after=("",) if kept["after"] else (),
        owner=kept["owner"],
        lines=kept["lines"],
    )
