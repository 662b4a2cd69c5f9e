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
from target_xero.content.payload import Broken, encode
from target_xero.intake.intake import Intake, Job, Reject
from target_xero.planning.codes import alias
from target_xero.planning.differences import differences
from target_xero.planning.line_matching import line_id, noted
from target_xero.planning.lookups import Directory, Record
from target_xero.planning.planner import Adopted, Left, Planner, Step
from target_xero.planning.references import References
from target_xero.planning.refusals import Refusals
from target_xero.summary import Rejects, Report
from target_xero.write_log.identity import former, origin, shown
from target_xero.write_log.log import Entry, Flight, Ledger
from target_xero.write_specs.rows import MANY, MOST_BYTES, WRITES, Existing, Verb, Write

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


class Trip(threading.Thread):
    """A request under way: only the exchange with Xero runs beside the rest, which plans and settles meanwhile.

    A process that must end does not wait for it.
    """

    def __init__(self, row: Write, steps: list[Step], marks: set[object], tries: int = 1) -> None:
        super().__init__(name=f"{steps[0].verb.method} {steps[0].path}", daemon=True)
        self.row, self.steps, self.marks, self.tries = row, steps, marks, tries
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
        ledger: Ledger,
        intake: Intake,
        report: Report,
        rejects: Rejects,
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
        self._ledger = ledger
        self._intake = intake
        self._report = report
        self._rejects = rejects
        self._logger = logger
        self._batch_size = batch_size
        self._dry_run = dry_run
        self._stop_at_reject = stop_at_reject
        self._stop = stop
        self._clock = clock
        self._told_at = clock()
        self._remarks: set[tuple[str, str]] = set()
        self._directory = Directory(client, organisation)
        self._references = References(
            ledger, self._directory, organisation.tenant_id, creates_contacts=creates_contacts
        )
        self._planner = Planner(ledger, self._directory, self._references, intake, deletes=deletes)
        self._refusals = Refusals(ledger, self._directory, self._references, self._planner)
        self._lost: dict[tuple[str, str], str] = {}
        self._left_out: Counter[tuple[str, str]] = Counter(intake.elsewhere)
        self._last: dict[tuple[str, str], tuple[Write, Step]] = {}
        # Who wants to stop at the first reject wants nothing sent beside it.
        self._at_once = 1 if stop_at_reject else AT_ONCE
        self._due: deque[Trip] = deque()
        self._under_way: deque[Trip] = deque()

    def run(self) -> None:
        """Write everything the intake holds; raises what ends the run early."""
        self._set_aside(self._intake.rejects)
        self._check_stop()
        for (name, _), number in self._intake.elsewhere.items():
            self._report.of(name).skipped += number
        self._find_disputed()
        self._recover()
        for row in reversed(list(WRITES.values())):
            if row.document and self._intake.ends[row.name]:
                with self._counted(row):
                    self._write(row, self._endings(row))
        for row in WRITES.values():
            with self._counted(row):
                self._write(row, self._others(row))
        # What has ended can't be referred to any more, so that comes last, and what refers to others first.
        for name, steps in groupby(reversed(self._last.values()), key=lambda one: one[0].name):
            row = WRITES[name]
            with self._counted(row):
                for group in _grouped([step for _, step in steps]):
                    self._post(row, group)
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
        self._ledger.complete(datetime.now(timezone.utc).isoformat(timespec="seconds"))
        self._intake.states.flush()

    def _find_disputed(self) -> None:
        """Find keys that an old log has without their stream, and that several streams of this run have."""
        if max((len(streams) for streams in self._intake.origins.values()), default=0) < 2:
            return
        for row in WRITES.values():
            if self._ledger.has_unknown_origins(row.name):
                claims: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
                for job in self._intake.jobs(row):
                    if of := origin(job.key):
                        for key in former(job.key):
                            claims[key].add((of.source, of.stream))
                self._ledger.disputed[row.name] = {key for key, streams in claims.items() if len(streams) > 1}

    @contextmanager
    def _counted(self, row: Write) -> Iterator[None]:
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
                self._report.of(row.name).calls += calls

    # From records to requests

    def _write(self, row: Write, jobs: Iterator[Job]) -> None:
        """Write records of one object, in the order they come, with as many in a request as it takes."""
        pending: dict[tuple[str, str, bool, str], list[Step]] = {}
        keys: set[object] = set()

        def send_all() -> None:
            while pending:
                self._post(row, pending.pop(next(iter(pending))))
            self._settle_all()

        self._settle_all()
        while chunk := list(islice(jobs, self._batch_size)):
            self._prepare(row, chunk)
            for job in chunk:
                # A second record of the same key waits for the first, as does one of the same name where Xero
                # would not refuse it, but change the first.
                mine = _told_by(row, job)
                if not keys.isdisjoint(mine):
                    send_all()
                    keys = set()
                elif len(keys) > _MANY_KEYS:
                    self._settle_all()
                    keys = {
                        key for steps in pending.values() for step in steps for key in _told_by(row, step.job)
                    }
                step = self._planned(row, job)
                if step is None:
                    continue
                # What was in one request before its answer was lost is in one again: the same key, the same
                # body.
                copied = self._references.foreign(job.tenant)
                kind = (step.verb.method, step.path, copied, self._lost.get((row.name, job.key), ""))
                if step.path != row.path and kind not in pending:
                    send_all()
                    keys = set()
                keys.update(mine)
                pending.setdefault(kind, []).append(step)
                if len(pending[kind]) >= self._size(step.verb) and not kind[3]:
                    self._post(row, pending.pop(kind))
                    if not pending and not self._under_way:
                        keys = set()
        send_all()

    def _prepare(self, row: Write, jobs: list[Job]) -> None:
        """Look up what the records of a batch will need, in as few calls as that takes."""
        self._ledger.foresee(row.name, {job.key: self._intake.last_hash(row, job) for job in jobs})
        coming = [job for job in jobs if self._planner.may_be_sent(row, job)]
        self._references.prepare(
            ({row.refers: job.sent} if row.refers else job.sent, job.tenant) for job in coming
        )
        # Lines that Xero has already keep their ids, which only Xero knows of a record that was not written here.
        unknown = [found for job in jobs if (found := self._planner.document_to_look_up(row, job))]
        if unknown and row.xero:
            self._directory.by_ids(row, unknown)
        self._planner.search.prepare(
            row, [job.sent for job in coming if not job.id and self._ledger.entry(row.name, job.key) is None]
        )
        if row.first and row.search:
            for field in row.names:
                values = [v for job in coming for name, v in row.named(job.sent) if name == field]
                self._directory.look_up(row, field, values)

    def _endings(self, row: Write) -> Iterator[Job]:
        """The documents that end before anything is made; what hangs on them goes before them."""
        for job in self._intake.jobs(row):
            if self._intake.ends_first(row, job):
                for part in row.parts:
                    lost = self._planner.take_lost_parts(part.row, job, keep=())
                    self._write(WRITES[part.row], iter(lost))
                yield job

    def _others(self, row: Write) -> Iterator[Job]:
        """All other records; first the parts that are not in their record any more."""
        yield from self._planner.lost_parts.pop(row.name, {}).values()
        for job in self._intake.jobs(row):
            if not self._intake.ends_first(row, job):
                yield job

    def _size(self, verb: Verb) -> int:
        return min(verb.size, self._batch_size)

    def _planned(self, row: Write, job: Job) -> Step | None:
        """What to ask of Xero for a record; None if nothing, which is then settled, or put off to the end."""
        overtaken = self._last.pop((row.name, job.key), None)
        if overtaken:
            self._intake.states.settled(overtaken[1].job.epoch)
        try:
            plan = self._planner.plan(row, job)
            if isinstance(plan, Adopted):
                self._adopt(row, plan)
                return None
        except Broken as broken:
            self._reject(row, job, str(broken))
            return None
        if isinstance(plan, Left):
            self._leave(row, job, plan)
            return None
        if plan.action == "remove" and not row.document:
            self._put_off(row, plan)
            return None
        return plan

    def _leave(self, row: Write, job: Job, plan: Left) -> None:
        """Settle a record that is left alone."""
        if plan.why:
            self._left_out[row.name, plan.why] += 1
        self._settled(row, job, "skipped" if plan.why else "unchanged")

    def _put_off(self, row: Write, step: Step) -> None:
        self._last[row.name, step.job.key] = (row, step)

    def _adopt(self, row: Write, plan: Adopted) -> None:
        """Take a record that Xero has for the source's."""
        step = plan.step
        entry = self._note(row, [(step, plan.record)])[0]
        if step.after:
            then = self._planner.status_step(row, step.job, entry, step.after[0], record=plan.record)
            self._put_off(row, then)
        elif step.follows:
            self._intake.states.settled(step.job.epoch)
        else:
            self._settled(row, step.job, "unchanged")

    # Sending

    def _post(self, row: Write, steps: list[Step]) -> None:
        """Send steps of one kind in as few requests as their sizes allow; returns when the last of them is out."""
        self._follow(row, steps)
        while self._due:
            self._go_on()
        if any(trip.marks is _ALONE for trip in self._under_way):
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
        return not any(trip.marks is _ALONE or trip.marks & marks for trip in self._under_way)

    def _marks(self, row: Write, steps: list[Step]) -> set[object]:
        """What a request touches, so that no other that touches it is under way; `_ALONE` if none may be.

        Only batches go beside each other: what is created, or changed without taking a new name, in its object's
        own list. A name that one record leaves and another takes, and numbers that Xero gives in the order in which
        records come, need their order.
        """
        verb = steps[0].verb
        if verb.size == 1 or any(step.path != row.path or step.action == "remove" for step in steps):
            return _ALONE
        marks: set[object] = set()
        changed: dict[str, list[tuple[str, str]]] = {}
        for step in steps:
            named = row.named(step.body)
            if step.action != "create":
                changed[step.job.key] = named
                if row.numbered and row.numbered[0] not in step.body:
                    return _ALONE
            elif row.document and row.names and not named and row.named({row.names[0]: "?", **step.body}):
                return _ALONE
            marks |= {step.job.key, ("", step.job.id), ("", step.entry.xero_id), *_folded(row, step.body)}
            contact = step.body.get("Contact")
            if isinstance(contact, dict) and "Name" in contact:
                # The first document that names it makes the contact.
                marks.add(("Contact", contact["Name"].casefold()))
            for part in (step.body, *(step.body.get("Payments") or ())):
                marks |= {(name, *part[name].values()) for name in _PAID if isinstance(part.get(name), dict)}
        if not self._ledger.has_names(row.name, changed):
            return _ALONE
        return marks - {("", None)}

    def _send(self, trip: Trip) -> None:
        """Send one request on its way: from here on the ledger knows of it."""
        row, steps = trip.row, trip.steps
        if self._stop():
            raise Stopped("Stopped by a signal; what is not written yet comes with the next run.")
        first = steps[0]
        verb = first.verb
        if self._dry_run:
            self._follow(row, self._settle(row, steps, [_imagined(row, step) for step in steps]))
            return
        params = dict(row.unit_prices) if verb.body == "list" and row.unit_prices else {}
        if verb.body == "list" and self._references.foreign(first.job.tenant):
            params |= row.copied
        if verb.size > 1 and verb.answers:
            params["summarizeErrors"] = "false"
        body = _body(row, verb, [step.data for step in steps])
        request = self._request_key(steps, body)
        sent_at = self._directory.now()
        self._ledger.sending(
            row.name, request, first.action, first.path, sent_at,
            [(step.job.key, step.hash, step.data, encode(_kept(step))) for step in steps],
        )  # fmt: skip
        send = partial(
            self._client.send,
            verb.method,
            self._organisation.header,
            first.path,
            params=params,
            body=body,
            idempotency_key=request,
        )
        self._under_way.append(trip)
        trip.set_off(sent_at, send)

    def _arrived(self, trip: Trip) -> None:
        """Settle the records of a request that has its answer; what follows from it is due next."""
        row, steps = trip.row, trip.steps
        try:
            answer = trip.answer()
        except (Refused, NotFound) as error:
            self._refused(trip, error)
            return
        except OutcomeUnknown:
            if steps[0].verb.method != "DELETE" or trip.tries >= _DELETE_TRIES:
                raise
            following, left = self._settle_found(row, steps, trip.sent_at)
            if left:
                self._due.appendleft(Trip(row, left, trip.marks, trip.tries + 1))
            self._follow(row, following)
            return
        except XeroError:
            # Anything else says that nothing was done, so that there is nothing to look up.
            self._ledger.settle(row.name, unsent=[step.job.key for step in steps])
            raise
        self._follow(row, self._answered(row, steps, answer))

    def _answered(self, row: Write, steps: list[Step], answer: Answer) -> list[Step]:
        envelope = answer.json() if answer.content else {}
        self._directory.heard(envelope)
        # Looking for messages at every depth is only worth it where there are any.
        empty, every = (
            answer.content.count(sign) for sign in (b'"ValidationErrors":[]', b"ValidationErrors")
        )
        silent = empty == every
        answers = _paired(row, steps, _elements(envelope, row.envelope))
        call = f" ({answer.call}: {answer.status}, correlation id {answer.correlation_id})"
        return self._settle(row, steps, answers, silent=silent, call=call)

    def _follow(self, row: Write, steps: list[Step]) -> None:
        for group in _grouped(steps):
            for batch in _sized(group, self._size(group[0].verb)):
                self._due.append(Trip(row, batch, self._marks(row, batch)))

    def _settle_rest(self) -> None:
        """Wait for what is under way when a run ends early, and settle what is plain; the rest is the next run's."""
        self._due.clear()
        while self._under_way:
            trip = self._under_way.popleft()
            row, steps, error = trip.row, trip.steps, trip.error()
            try:
                if error is None:
                    self._answered(row, steps, trip.answer())
                elif isinstance(error, XeroError) and not (
                    isinstance(error, OutcomeUnknown) or (isinstance(error, Refused) and error.elements)
                ):
                    self._ledger.settle(row.name, unsent=[step.job.key for step in steps])
            except Stopped:
                continue
            except (XeroError, ConfigurationProblem) as another:
                self._logger.warning("%s: %s", row.name, another)
            if error is not None:
                self._logger.warning("%s: %s", row.name, error)
        self._due.clear()

    def _request_key(self, steps: list[Step], body: bytes | None) -> str:
        """The same for the same request until it has had its answer, so that Xero tells a retry from a new wish."""
        first = steps[0]
        told = sha256(f"{self._organisation.tenant_id} {first.verb.method} {first.path}\n".encode())
        told.update(body or b"")
        for step in steps:
            told.update(f"\n{step.job.key} {step.entry.attempts}".encode())
        return told.hexdigest()

    def _refused(self, trip: Trip, error: Refused | NotFound) -> None:
        """A request that was refused as a whole: find the records that it is about."""
        row, steps = trip.row, trip.steps
        elements = error.elements if isinstance(error, Refused) else []
        if len(steps) == 1:
            if isinstance(error, NotFound) and steps[0].action == "remove":
                self._follow(row, self._settle(row, steps, [{}]))
                return
            words = [word for element in elements for word in _words(element)]
            self._follow(row, self._settle(row, steps, [Refusal("; ".join(words) or _why(error))]))
            return
        if _may_be_written(error):
            # In spite of summarizeErrors=false (Xero-Net#354): the good ones may be saved, and nobody said so.
            trips = [trip, *self._doubtful()]
            steps = [step for one in trips for step in one.steps]
            following, left = self._settle_found(row, steps, min(one.sent_at for one in trips))
            parts = [[step] for step in left]
        else:
            # One id that Xero does not know costs the whole batch, and nothing of it is written.
            following = []
            middle = len(steps) // 2
            parts = [steps[:middle], steps[middle:]]
        self._ledger.settle(row.name, unsent=[step.job.key for part in parts for step in part])
        self._due.extendleft(Trip(row, part, trip.marks) for part in reversed(parts))
        self._follow(row, following)

    def _doubtful(self) -> list[Trip]:
        """Settle all that is under way but requests that may be written in part, and return those.

        What they have written is told by what it says, which is only safe once every other record has its owner.
        """
        doubtful = []
        while self._under_way:
            trip = self._under_way.popleft()
            if len(trip.steps) > 1 and _may_be_written(trip.error()):
                doubtful.append(trip)
            else:
                self._arrived(trip)
        return doubtful

    # What became of them

    def _settle(
        self,
        row: Write,
        steps: list[Step],
        answers: list[Record | Refusal],
        *,
        silent: bool = False,
        call: str = "",
    ) -> list[Step]:
        """Write down what became of the records of a request; returns the steps that follow from it.

        `silent` answers hold no messages. `call` tells of the request where Xero does not say why it refused a record.
        """
        done: list[tuple[Step, Record]] = []
        refused: list[tuple[Step, str]] = []
        for step, answer in zip(steps, answers, strict=True):
            if isinstance(answer, Refusal):
                refused.append((step, answer.reason))
            elif _is_written(answer, silent=silent):
                done.append((step, answer))
            else:
                refused.append(
                    (step, "; ".join(_words(answer)) or f"Xero refused it and did not say why{call}")
                )
        following: list[Step] = []
        for step, answer in done:
            step.again = step.again or self._has_other_lines(row, step, answer)
        for (step, answer), entry in zip(done, self._note(row, done), strict=True):
            self._tell_remarks(row, answer)
            if step.again:
                planned = self._planned(row, step.job)
                following += [planned] if planned else []
                continue
            if not step.follows:
                what = {"create": "created", "update": "updated", "remove": "removed"}[step.action]
                self._count(row, what)
            if not step.after:
                self._compare(row, step, answer)
                self._intake.states.settled(step.job.epoch)
                continue
            now = {**step.body, **answer}
            said = step.body if step.said is None else step.said
            then = self._planner.status_step(
                row, step.job, entry, step.after[0], step.after[1:], record=now, follows=True, said=said
            )
            if then.status == "ARCHIVED":
                self._put_off(row, then)
            else:
                following.append(then)
        if refused:
            following += self._settle_refused(row, refused)
        self._intake.states.flush()
        self._tell_progress(row)
        return following

    def _settle_refused(self, row: Write, refused: list[tuple[Step, str]]) -> list[Step]:
        """Settle what was refused: what is so in Xero already, or can be sent in another way; the rest are rejects."""
        following: list[Step] = []
        rejects: list[Reject] = []
        denied: list[str] = []
        self._refusals.prepare(row, [step for step, _ in refused])
        for step, words in refused:
            try:
                plan = self._refusals.reconsider(row, step)
            except Broken as broken:
                plan, words = None, f"{words} ({broken})"
            if isinstance(plan, Adopted):
                self._adopt(row, plan)
            elif isinstance(plan, Left):
                self._leave(row, step.job, plan)
            elif plan is not None:
                following.append(plan)
            else:
                rejects.append(Reject.of(row, step.job, words))
                denied.append(step.job.key)
        self._set_aside(rejects)
        self._ledger.settle(row.name, refused=denied, unsent=[step.job.key for step in following])
        self._check_stop()
        return following

    def _note(self, row: Write, done: list[tuple[Step, Record]]) -> list[Entry]:
        """Let the ledger know what is written; returns its new entries."""
        if not done:
            return []
        entries: list[tuple[str, Entry]] = []
        names: list[tuple[str, str, str]] = []
        ids: dict[str, str] = {}
        for step, answer in done:
            entry = _entry(row, step, answer)
            entries.append((step.job.key, entry))
            if step.action == "remove":
                self._directory.forget(row, entry.xero_id)
                continue
            told = {name: answer[name] for name in row.names if answer.get(name)}
            found = row.named({**step.job.sent, **told})
            names += [(name, value, step.job.key) for name, value in found]
            ids |= self._ids(row, step, entry, answer)
            self._directory.wrote(row, {**step.body, **answer, row.key: entry.xero_id}, found)
        self._ledger.settle(row.name, written=entries, names=names, ids=ids, at=self._directory.now())
        return [entry for _, entry in entries]

    def _ids(self, row: Write, step: Step, entry: Entry, answer: Record) -> dict[str, str]:
        """What the ids and codes of the source became in Xero."""
        job = step.job
        pairs: list[tuple[Any, Any]] = list(zip(step.lines, map(line_id, entry.lines or []), strict=False))
        pairs += [(source, answer.get(name)) for name, source in job.aside.items() if name.endswith("ID")]
        if job.id and row.name != "tax_rates":
            pairs.append((job.id, entry.xero_id))
        found: dict[str, str] = {source: xero for source, xero in pairs if source and xero and source != xero}
        if job.id and row.name == "tax_rates" and entry.xero_id:
            found[alias("TaxType", job.tenant, job.id)] = entry.xero_id
        code = job.sent.get("Code")
        if row.name == "accounts" and code and answer.get("Code") and answer["Code"] != code:
            found[alias("AccountCode", job.tenant, code)] = answer["Code"]
        return found

    # After a lost answer

    def _recover(self) -> None:
        """Look up whatever an earlier run has left in flight."""
        for name, group in groupby(
            sorted(self._ledger.flights(), key=lambda f: f.object), key=lambda f: f.object
        ):
            row = WRITES[name]
            flights = list(group)
            steps = {
                flight.key: _revived(row, flight, self._ledger.entry(name, flight.key)) for flight in flights
            }
            with self._counted(row):
                done, left = self._look_up(
                    row, list(steps.values()), min(flight.sent_at for flight in flights)
                )
                for step, record in done:
                    step.again = self._has_other_lines(row, step, record)
                self._note(row, done)
                for step, record in done:
                    if not (step.after or step.again):
                        self._compare(row, step, record)
                missing = {step.job.key for step in left}
                self._ledger.settle(name, unsent=missing)
            self._lost |= {(name, f.key): f.request for f in flights if f.key in missing}
            self._logger.warning(
                "%s: the last run ended before the answer for %s came; %s done in Xero.",
                name, f"{len(flights):,}", f"{len(flights) - len(missing):,}",
            )  # fmt: skip

    def _settle_found(self, row: Write, steps: list[Step], since: str) -> tuple[list[Step], list[Step]]:
        """Settle the steps that Xero has done all the same; returns what follows from them, and the others."""
        done, left = self._look_up(row, steps, since)
        return self._settle(row, [step for step, _ in done], [record for _, record in done]), left

    def _look_up(
        self, row: Write, steps: list[Step], since: str
    ) -> tuple[list[tuple[Step, Record]], list[Step]]:
        """Find out which steps Xero has done, with its records; and which it has not.

        A record with a name is found by it; a part among its siblings; anything else by what it says, among
        the records made or changed since it was sent that the ledger does not know.
        """
        done: list[tuple[Step, Record]] = []
        left: list[Step] = []
        taken: set[str] = set()
        recent: list[Record] | None = None
        for step in steps:
            self._directory.forget(row, step.entry.xero_id)
        for field in row.names if row.search else ():
            values = [value for step in steps for name, value in row.named(step.body) if name == field]
            self._directory.look_up(row, field, values, afresh=True)
        for step in steps:
            if step.action != "create":
                record = self._now(row, step)
            elif row.siblings:
                record = self._match(row, step, self._planner.siblings(row, step.owner), taken)
            elif row.search and row.named(step.body):
                record = self._planner.existing(row, step.job, step.body, None)
                # One of that name may have been there before, so that the create was refused.
                marks = row.marks if row.existing is Existing.REFUSE else step.body.keys() - row.once
                mine = record and (row.existing is Existing.KEEP or says(step.body, record, marks))
                held = record and self._ledger.holder(row.name, str(record.get(row.key)))
                record = record if mine and held in {None, step.job.key} else None
            else:
                recent = self._directory.recent(row, since) if recent is None else recent
                record = self._match(row, step, recent, taken)
            if record is None:
                left.append(step)
            else:
                taken.add(str(record.get(row.key)))
                done.append((step, record))
        return done, left

    def _match(self, row: Write, step: Step, records: Iterable[Record], taken: set[str]) -> Record | None:
        body = self._references.with_account_ids(step.body)
        found = [record for record in records if says(body, record, row.marks or row.names)]
        if not row.key:
            # Notes have no id: of equal ones, as many are there as the ledger knows, and one more if this one is.
            others = self._ledger.number(row.name, step.owner or "", step.hash)
            return found[0] if len(found) > others else None
        for record in found:
            identifier = str(record.get(row.key))
            if identifier not in taken and (row.shared or not self._ledger.holder(row.name, identifier)):
                return record
        return None

    def _now(self, row: Write, step: Step) -> Record | None:
        """The record as it is now, if the change or the end of it that was asked for is done."""
        record = self._planner.now(row, step)
        if step.action == "remove":
            over = record is None or (bool(step.status) and record.get(row.status) == step.status)
            return (record or {row.key: step.entry.xero_id}) if over else None
        return record if record is not None and says(step.body, record) else None

    # Telling

    def _tell_progress(self, row: Write) -> None:
        """Say now and then how far it has come: 60 calls a minute are all that Xero allows."""
        if self._clock() - self._told_at >= _QUIET:
            self._told_at = self._clock()
            count = self._report.of(row.name)
            done = (
                count.created
                + count.updated
                + count.removed
                + count.unchanged
                + count.rejected
                + count.skipped
            )
            self._logger.info(
                "%s: %s of %s records done.", row.name, f"{done:,}", f"{self._intake.counts[row.name]:,}"
            )

    def _tell_remarks(self, row: Write, answer: Record) -> None:
        """Xero's warnings about what it wrote all the same, each once."""
        for warning in answer.get("Warnings") or []:
            words = str(warning.get("Message") if isinstance(warning, dict) else warning)
            if (row.name, words) not in self._remarks:
                self._remarks.add((row.name, words))
                self._logger.warning("%s: Xero remarks on what it wrote: %s", row.name, words)

    def _has_other_lines(self, row: Write, step: Step, answer: Record) -> bool:
        """Whether a change left lines otherwise than it said, as somebody had changed them in Xero.

        Then they are looked up and written once more, those that hold too much as new ones.
        """
        if step.action != "update" or step.after or self._dry_run:
            return False
        if not any("LineItemID" in line for line in step.body.get("LineItems") or ()):
            return False
        stuck = any(one.stuck for one in differences(row, step.body, answer))
        return stuck and self._planner.is_first_look(row, step)

    def _compare(self, row: Write, step: Step, answer: Record) -> None:
        """Say and count where Xero answers with something else than the record says."""
        found = [] if self._dry_run else differences(row, step.expected(row), answer)
        if not found:
            return
        for difference in found:
            self._logger.warning("%s differs in Xero: %s", shown(step.job.key), difference)
        self._count(row, "different")

    # Counting and putting aside

    def _count(self, row: Write, what: str) -> None:
        count = self._report.of(row.name)
        setattr(count, what, getattr(count, what) + 1)

    def _settled(self, row: Write, job: Job, what: str) -> None:
        self._count(row, what)
        self._intake.states.settled(job.epoch)

    def _reject(self, row: Write, job: Job, reason: str) -> None:
        self._set_aside([Reject.of(row, job, reason)])
        self._check_stop()

    def _set_aside(self, rejects: list[Reject]) -> None:
        """Put rejects into their file; only then do they not hold back the state any more."""
        told: list[tuple[str, list[dict[str, Any]], str]] = []
        for reject in rejects:
            stream, rows = self._intake.records(reject.raw)
            told.append((stream, rows, reject.reason))
            self._references.rejected.add(reject.row, reject.names, reject.reason)
            self._logger.error("%s rejected: %s", self._rejects.name(stream, rows[0]), reject.reason)
        if told and not self._dry_run:
            self._rejects.add(told)
        for reject in rejects:
            self._report.of(reject.row).rejected += 1
            self._intake.states.settled(reject.epoch)

    def _check_stop(self) -> None:
        if self._stop_at_reject and not self._dry_run and self._report.rejected:
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


def _folded(row: Write, content: Mapping[str, object]) -> list[object]:
    """The names of a record as Xero compares them."""
    return [(name, " ".join(value.split()).casefold()) for name, value in row.named(content)]


def _told_by(row: Write, job: Job) -> list[object]:
    """What two records of the source must not have in common to be planned beside each other."""
    found: list[object] = [job.key]
    if job.id:
        found.append(("", job.id))
    return found + _folded(row, job.sent) if row.first else found


def _may_be_written(error: BaseException | None) -> bool:
    """Whether a request was refused in a way that may have left some of its records written."""
    return isinstance(error, Refused) and bool(error.elements) and not isinstance(error, TooLarge)


def _body(row: Write, verb: Verb, bodies: list[bytes]) -> bytes | None:
    if not verb.body:
        return None
    return bodies[0] if verb.body == "one" else b'{"%b":[%b]}' % (row.envelope.encode(), b",".join(bodies))


def _sized(steps: list[Step], size: int) -> Iterator[list[Step]]:
    """Parts of at most so many records, and smaller than Xero takes; one that is larger by itself goes alone."""
    batch: list[Step] = []
    weight = 0
    for step in steps:
        heavy = len(step.data) + 1 if len(steps) > 1 else 0
        if batch and (len(batch) >= size or weight + heavy > MOST_BYTES):
            yield batch
            batch, weight = [], 0
        batch.append(step)
        weight += heavy
    if batch:
        yield batch


def _grouped(steps: list[Step]) -> list[list[Step]]:
    """Steps that may go in one request, together."""
    groups: dict[tuple[str, str], list[Step]] = {}
    for step in steps:
        groups.setdefault((step.verb.method, step.path), []).append(step)
    return list(groups.values())


def _elements(envelope: Mapping[str, Any], name: str) -> list[Record]:
    """The records of an answer, one each; the envelope's case does not count."""
    found: Any = next((value for key, value in envelope.items() if key.lower() == name.lower()), [])
    return [found] if isinstance(found, dict) else list(found or [])


def _paired(row: Write, steps: list[Step], elements: list[Record]) -> list[Record | Refusal]:
    """The answer of each record: by position, and checked by id and name.

    Raises OutcomeUnknown if it can't be told which answer is whose: the records stay in flight, and the next
    run looks them up.
    """
    if not elements and not steps[0].verb.body:
        return [{} for _ in steps]
    if len(elements) == len(steps) and all(_fits(row, *pair) for pair in zip(steps, elements, strict=True)):
        return list(elements)
    rest = list(elements)
    found: list[Record | Refusal] = []
    for step in steps:
        mine = next((one for one in rest if _is_of(row, step, one)), None)
        if mine is None:
            raise OutcomeUnknown(
                f"{len(elements)} answers came for {len(steps)} records, and which is whose can't be told",
                call=f"{step.verb.method} {step.path}",
            )
        rest.remove(mine)
        found.append(mine)
    return found


def _fits(row: Write, step: Step, element: Record) -> bool:
    """Whether nothing speaks against an answer being this record's; a refused one may lack its names."""
    sent, got = step.body.get(row.key), element.get(row.key)
    if sent and got and got != _NOBODY and str(sent).lower() != str(got).lower():
        return False
    return all(
        not element.get(name) or same_name(value, element[name]) for name, value in row.named(step.body)
    )


def _is_of(row: Write, step: Step, element: Record) -> bool:
    """Whether an answer is this record's for certain."""
    sent = step.body.get(row.key)
    if sent and str(sent).lower() == str(element.get(row.key)).lower():
        return True
    named = row.named(step.body)
    if named:
        return any(same_name(value, element.get(name)) for name, value in named)
    return bool(row.marks) and says(step.body, element, row.marks)


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


def _entry(row: Write, step: Step, answer: Record) -> Entry:
    """What the ledger is to know of a record after a step."""
    identifier = answer.get(row.key) if row.key else None
    xero_id = str(identifier) if identifier and identifier != _NOBODY else step.entry.xero_id
    status = step.status
    if step.action != "remove" and row.status in row.fields and not status:
        status = str(answer.get(row.status) or "")
    if step.action == "remove" and not status:
        status = "DELETED"
    return Entry(
        hash=None if step.after or step.again else step.hash,
        xero_id=xero_id or step.entry.xero_id or "-",
        status=status,
        owner=step.owner,
        parent=step.job.parent[1] if step.job.parent else step.entry.parent,
        lines=_lines_after(step, answer),
        attempts=step.entry.attempts + 1,
    )


def _lines_after(step: Step, answer: Record) -> list[str] | None:
    """The lines as the ledger keeps them, in the order they were sent: in an answer new ones stand before old ones."""
    sent = step.body.get("LineItems")
    if not sent:
        return step.entry.lines
    answered = [str(line.get("LineItemID")) for line in answer.get("LineItems") or []]
    kept = [line.get("LineItemID") for line in sent]
    new = iter([one for one in answered if one not in kept])
    found = [one or next(new, "") for one in kept]
    is_known = not (step.adopted or step.again)
    return noted(found, step.body if is_known else None) if all(found) else None


def _imagined(row: Write, step: Step) -> Record | Refusal:
    """What Xero would answer in a dry run."""
    lines = [
        {**line, "LineItemID": line.get("LineItemID") or str(uuid.uuid4())}
        for line in step.body.get("LineItems") or []
    ]
    made = {row.key: step.entry.xero_id or step.body.get(row.key) or str(uuid.uuid4())} if row.key else {}
    asides = {name: str(uuid.uuid4()) for name in step.job.aside if name.endswith("ID")}
    return {**asides, **step.body, **({"LineItems": lines} if lines else {}), **made}


# What is kept of a step while it is in flight


def _kept(step: Step) -> dict[str, Any]:
    return {
        "job": step.job,
        "xero_id": step.entry.xero_id,
        "status": step.status,
        "after": bool(step.after) or step.again,
        "owner": step.owner,
        "lines": step.lines,
    }


def _revived(row: Write, flight: Flight, entry: Entry | None) -> Step:
    kept = flight.job
    entry = entry or Entry()
    verb = row.remove if flight.action == "remove" and row.remove else row.update or row.create
    verb = (row.create if flight.action == "create" else verb) or Verb("", "")
    return Step(
        job=msgspec.convert(kept["job"], Job),
        action=flight.action,
        verb=verb,
        path=flight.path,
        body=flight.body,
        entry=replace(entry, xero_id=entry.xero_id or kept["xero_id"]),
        hash=flight.hash,
        status=kept["status"],
        after=("",) if kept["after"] else (),
        owner=kept["owner"],
        lines=kept["lines"],
    )
