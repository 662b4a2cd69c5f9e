"""Sends requests, several at once if the order of their records does not matter."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue

from singer_xero.api.client import XeroClient
from singer_xero.api.http.transport import Answer
from singer_xero.errors import Stopped
from singer_xero.organisations import Organisation
from target_xero.lookups.lookups import Lookups
from target_xero.planning.operations import WriteOp
from target_xero.settings import TargetSettings
from target_xero.write_log.log import WriteLog
from target_xero.write_specs.spec import Endpoint, WriteSpec
from target_xero.writing.requests import (
    ALONE,
    batches,
    grouped,
    idempotency_key,
    kept,
    locked_keys,
    request_body,
    request_params,
)

#: Xero answers at most five requests of one organisation at once.
AT_ONCE = 5


class InFlight:
    """A request in flight; another thread sends it and waits for the answer."""

    def __init__(self, spec: WriteSpec, ops: list[WriteOp], keys: frozenset[object], tries: int = 1) -> None:
        self.spec, self.ops, self.keys, self.tries = spec, ops, keys, tries
        self.sent_at = ""
        #: Locked from the sending until the answer.
        self.unanswered = threading.Lock()
        self._send: Callable[[], Answer]
        self._answer: Answer | None = None
        self._error: BaseException | None = None

    def set_off(self, sent_at: str, send: Callable[[], Answer]) -> None:
        """Send the request; `sent_at` is the time by Xero's clock."""
        self.sent_at, self._send = sent_at, send
        _senders.send(self)

    def run(self) -> None:
        """Send the request and keep the answer or the error."""
        try:
            self._answer = self._send()
        except BaseException as error:
            # Raised by `answer`.
            self._error = error

    def join(self) -> None:
        """Wait for the answer."""
        with self.unanswered:
            pass

    def error(self) -> BaseException | None:
        """Wait for the answer; returns what `XeroClient.send` raised, if anything."""
        self.join()
        return self._error

    def answer(self) -> Answer:
        """Wait for the answer and return it; raises what `XeroClient.send` raised."""
        if (error := self.error()) is not None:
            raise error
        assert self._answer is not None  # noqa: S101
        return self._answer


class _Senders:
    """Threads that send requests, each one after the other. They are daemons, so that the process can end."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begin without any thread."""
        self._requests: SimpleQueue[InFlight] = SimpleQueue()
        self._free = 0
        self._changing = threading.Lock()

    def send(self, request: InFlight) -> None:
        """Send a request in a thread that is free, or in a new one."""
        with self._changing:
            if self._free:
                self._free -= 1
            else:
                threading.Thread(target=self._run, name="sender", daemon=True).start()
        request.unanswered.acquire()
        self._requests.put(request)

    def _run(self) -> None:
        while True:
            request = self._requests.get()
            request.run()
            with self._changing:
                self._free += 1
            request.unanswered.release()
            # The thread must not keep the answer while it waits.
            del request


_senders = _Senders()
if hasattr(os, "register_at_fork"):
    # A forked process has none of the threads of the first one.
    os.register_at_fork(after_in_child=_senders.begin)


@dataclass
class Dispatcher:
    """Sends the requests of one organisation.

    Only the thread of the dispatcher uses the log of writes: before a request is sent, and when its answer is there.
    `on_answer` then settles the request, and may queue others. In a dry run, `on_dry_run` is called instead. `stop` is
    called before each request, and ends the run if it returns True.

    `due` are the requests that were not sent, and `in_flight` those that are in flight, oldest first. Whoever settles a
    request in flight takes it out.
    """

    client: XeroClient
    organisation: Organisation
    log: WriteLog
    lookups: Lookups
    settings: TargetSettings
    is_copy: Callable[[str | None], bool]
    stop: Callable[[], bool]
    due: deque[InFlight] = field(init=False, default_factory=deque)
    in_flight: deque[InFlight] = field(init=False, default_factory=deque)
    on_answer: Callable[[InFlight], None] = field(init=False)
    on_dry_run: Callable[[InFlight], None] = field(init=False)

    def batch_size(self, endpoint: Endpoint) -> int:
        """Return the number of records in a request."""
        return min(endpoint.size, self.settings.batch_size)

    def send(self, spec: WriteSpec, ops: list[WriteOp]) -> None:
        """Send operations of one kind in as few requests as possible; returns when the last one is in flight."""
        self.queue(spec, ops)
        while self.due:
            self._advance()
        if any(request.keys is ALONE for request in self.in_flight):
            self.wait_for_all()

    def queue(self, spec: WriteSpec, ops: list[WriteOp]) -> None:
        """Queue operations after those that are due."""
        for group in grouped(ops):
            for batch in batches(group, self.batch_size(group[0].endpoint)):
                self.due.append(InFlight(spec, batch, locked_keys(spec, batch, self.log)))

    def send_next(self, *requests: InFlight) -> None:
        """Queue requests before those that are due."""
        self.due.extendleft(reversed(requests))

    def wait_for_all(self) -> None:
        """Wait for all requests and for those that follow from them."""
        while self.due or self.in_flight:
            self._advance()

    def save_before_wait(self) -> None:
        """Save the outcomes that are known, unless the answer to the oldest request is there already."""
        if self.in_flight[0].unanswered.locked():
            self.log.save()

    def _advance(self) -> None:
        """Settle the oldest request if its answer is there, otherwise send the next one, or wait.

        No request in flight may lock the keys of one that is sent.
        """
        is_answered = bool(self.in_flight) and not self.in_flight[0].unanswered.locked()
        if not is_answered and self.due and self._may_go(self.due[0].keys):
            self._send(self.due.popleft())
        else:
            self.save_before_wait()
            self.on_answer(self.in_flight.popleft())

    def _may_go(self, keys: frozenset[object]) -> bool:
        # With on_reject=stop, no other request may be in flight when a record is rejected.
        at_once = 1 if self.settings.on_reject == "stop" else AT_ONCE
        if len(self.in_flight) >= at_once or (keys is ALONE and self.in_flight):
            return False
        return all(request.keys is not ALONE and request.keys.isdisjoint(keys) for request in self.in_flight)

    def _send(self, request: InFlight) -> None:
        """Log one request as in flight, then send it."""
        spec, ops, first = request.spec, request.ops, request.ops[0]
        if self.stop():
            raise Stopped("Stopped by a signal. The next run writes the remaining records.")
        if self.settings.dry_run:
            self.on_dry_run(request)
            return
        endpoint = first.endpoint
        body = request_body(spec, endpoint, [op.data for op in ops])
        key = idempotency_key(self.organisation.tenant_id, ops, body)
        sent_at = self.lookups.now()
        self.log.sending(
            spec.name, key, first.action, first.path, sent_at,
            [(op.job.key, op.hash, op.data, kept(spec, op)) for op in ops],
        )  # fmt: skip
        request.set_off(
            sent_at,
            partial(
                self.client.send,
                endpoint.method,
                self.organisation.header,
                first.path,
                params=request_params(spec, endpoint, is_copy=self.is_copy(first.job.tenant)),
                body=body,
                idempotency_key=key,
            ),
        )
        self.in_flight.append(request)
