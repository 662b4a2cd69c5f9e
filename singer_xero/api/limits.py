"""Xero's rate limits, respected before they are hit.

Each app has, for each organisation, 5 concurrent calls, 60 a minute and 5,000 a day (1,000 on the Starter tier), and
10,000 a minute over all organisations. Answers state what is left in X-MinLimit-Remaining, X-DayLimit-Remaining and
X-AppMinLimit-Remaining (Xero's guide to limits, xero-node#634), which reveals the calls of other processes. Xero does
not document whether its minute is a fixed or a sliding window. Here a call counts from its sending until 60 seconds
after its answer, which satisfies both.

A thread enters an organisation's gate, sends, and leaves with the answer. Threads wait in order, urgent ones first.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from random import uniform

from singer_xero.api.errors import Closed, DayLimitReached
from singer_xero.api.http.transport import Answer

logger = logging.getLogger(__name__)

AT_ONCE = 5
PER_MINUTE = 60
APP_PER_MINUTE = 10_000

_MINUTE = 60.0
# Timers may wake early, and a call at the edge of a window counts in both.
_MARGIN = 0.01
# A longer wait can only be about the daily limit, whatever Xero calls it, so no call waits for it.
_LONGEST_WAIT = 900.0
# Shorter waits are not logged.
_LOGGED_WAIT = 5.0


@dataclass
class Usage:
    """The usage of one organisation so far, and what Xero last said is left (None: unknown).

    `received` counts bytes on the wire, which Xero's plans meter; `waited` is in seconds over all threads.
    """

    calls: int = 0
    minute_left: int | None = None
    day_left: int | None = None
    received: int = 0
    waited: float = 0.0


class Window:
    """At most `limit` calls in any minute, including the calls of other processes that Xero reveals."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._in_flight = 0
        self._done: deque[float] = deque()
        self._others = 0
        self._others_end = 0.0

    def delay(self, now: float) -> float:
        """Seconds until a call may be possible; 0 if one may be sent now."""
        self._forget(now)
        if self._in_flight + len(self._done) + self._others < self._limit:
            return 0.0
        ends = [self._done[0] + _MINUTE] if self._done else []
        if self._others:
            ends.append(self._others_end)
        return min(ends, default=now) - now + _MARGIN

    def begin(self) -> None:
        """Count a call that is sent."""
        self._in_flight += 1

    def end(self, now: float) -> None:
        """Count the end of a call, with or without an answer."""
        self._in_flight -= 1
        self._done.append(now)

    def note_left(self, left: int, now: float) -> None:
        """Note how many calls Xero says are left: other processes used the rest, or the limit is higher."""
        self._forget(now)
        self._limit = max(self._limit, left)
        self._others = max(0, self._limit - left - self._in_flight - len(self._done))
        self._others_end = now + _MINUTE

    def forget_others(self) -> None:
        """Forget the calls of other processes, because Xero said how long to wait."""
        self._others = 0

    def _forget(self, now: float) -> None:
        while self._done and self._done[0] <= now - _MINUTE:
            self._done.popleft()
        if now >= self._others_end:
            self._others = 0


@dataclass(eq=False)
class _Ticket:
    """A place in a queue."""

    urgent: bool


class _Gate:
    """The queue of one organisation, and what is known of its limits."""

    def __init__(self) -> None:
        self.queue: deque[_Ticket] = deque()
        self.window = Window(PER_MINUTE)
        self.in_flight = 0
        self.room = AT_ONCE
        self.narrowed_at = 0.0
        self.held_until = 0.0
        self.held_why = ""
        self.day_said: int | None = None
        self.day_left: int | None = None
        self.day_over = False
        self.day_resets_at: datetime | None = None
        self.kept_back = 0
        self.usage = Usage()


class Limits:
    """The gates of all organisations; None as `tenant_id` stands for the organisation of a custom connection.

    `day_reserve` calls a day are left for other programs. `clock` gives seconds since 1970, `monotonic` measures waits.
    Without `sleep`, waits end when `close` is called, or `stop` for calls that are not `last` ones.
    """

    def __init__(
        self,
        *,
        day_reserve: int,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        sleep: Callable[[float], None] | None,
        name_of: Callable[[str | None], str] = str,
    ) -> None:
        self._day_reserve = day_reserve
        self._clock = clock
        self._monotonic = monotonic
        self._closed = threading.Event()
        self._stopped = threading.Event()
        self._sleep = sleep or self._stopped.wait
        self._sleep_last = sleep or self._closed.wait
        self._name_of = name_of
        self._turn = threading.Condition()
        self._gates: dict[str | None, _Gate] = {}
        self._app = Window(APP_PER_MINUTE)
        self._app_held_until = 0.0

    def enter(self, tenant_id: str | None, call: str, *, urgent: bool = False, last: bool = False) -> None:
        """Wait for a turn. Raises DayLimitReached if there is none today, and Closed after `close` or `stop`.

        `urgent` calls go before others. A `last` call may use the calls that are kept back, and is sent after `stop`.
        """
        ticket = _Ticket(urgent)
        sleep = self._sleep_last if last else self._sleep
        with self._turn:
            gate = self._gate(tenant_id)
            before = sum(other.urgent for other in gate.queue) if urgent else len(gate.queue)
            gate.queue.insert(before, ticket)
            try:
                while True:
                    self._check_open(call, last=last)
                    self._check_day(gate, tenant_id, call, last)
                    # Near the daily limit, wait for the calls under way: their answers say what is left.
                    at_end = gate.in_flight > 0 and self._at_reserve(gate, last=last)
                    if gate.queue[0] is not ticket or gate.in_flight >= gate.room or at_end:
                        self._turn.wait()
                        continue
                    delay, why = self._delay(gate)
                    if delay <= 0:
                        break
                    if delay >= _LOGGED_WAIT:
                        logger.info("%s: waiting %.0f s, %s", self._name_of(tenant_id), delay, why)
                    gate.usage.waited += delay
                    self._turn.release()
                    try:
                        sleep(delay)
                    finally:
                        self._turn.acquire()
                gate.in_flight += 1
                gate.usage.calls += 1
                gate.window.begin()
                self._app.begin()
                if gate.day_left is not None:
                    gate.day_left -= 1
            finally:
                gate.queue.remove(ticket)
                self._turn.notify_all()

    def leave(self, tenant_id: str | None, answer: Answer | None = None) -> str:
        """Note the end of a call and what its answer says about the limits.

        After a 429, the next `enter` waits. Returns the name of the limit that was hit, or an empty text.
        """
        with self._turn:
            gate, now = self._gate(tenant_id), self._monotonic()
            gate.in_flight -= 1
            gate.window.end(now)
            self._app.end(now)
            problem = ""
            if answer is not None:
                gate.usage.received += answer.received
                left = _number(answer.headers, "X-DayLimit-Remaining")
                if left is not None:
                    # Answers come out of order. The number grows only when a new day begins.
                    new_day = gate.day_said is None or left > gate.day_said + AT_ONCE
                    gate.day_said = left if gate.day_said is None or new_day else min(left, gate.day_said)
                    # Calls under way may not be counted in this answer yet.
                    gate.day_left = gate.day_said - gate.in_flight
                if answer.status == 429:
                    problem = self._hold(gate, answer.headers, now)
                else:
                    self._note_left(gate, answer.headers, now)
            self._turn.notify_all()
            return problem

    def _note_left(self, gate: _Gate, headers: Mapping[str, str], now: float) -> None:
        left = _number(headers, "X-MinLimit-Remaining")
        if left is not None:
            gate.usage.minute_left = left
            gate.window.note_left(left, now)
        left = _number(headers, "X-AppMinLimit-Remaining")
        if left is not None:
            self._app.note_left(left, now)
        if gate.room < AT_ONCE and now - gate.narrowed_at >= _MINUTE:
            gate.room += 1
            gate.narrowed_at = now

    def _hold(self, gate: _Gate, headers: Mapping[str, str], now: float) -> str:
        wait = self._retry_after(headers)
        problem = _problem(headers, gate.day_left, wait)
        if problem == "day":
            # Of several calls under way, the first answer says when the day ends.
            if not gate.day_over:
                gate.day_resets_at = None
            gate.day_over = True
            if wait is not None and gate.day_resets_at is None:
                ends = datetime.fromtimestamp(self._clock(), timezone.utc) + timedelta(seconds=wait)
                gate.day_resets_at = ends.replace(microsecond=0)
        elif problem == "app":
            self._app.forget_others()
            self._app_held_until = max(
                self._app_held_until, now + (_MINUTE if wait is None else wait) + _MARGIN
            )
        else:
            if problem == "concurrent":
                gate.room = max(1, gate.room - 1)
                gate.narrowed_at = now
                wait = uniform(1, 2) if wait is None else wait
            else:
                gate.usage.minute_left = 0
                gate.window.forget_others()
                wait = _MINUTE if wait is None else wait
            gate.held_until = max(gate.held_until, now + wait + _MARGIN)
            gate.held_why = f"because Xero's {problem} limit was hit"
        return problem

    @contextmanager
    def kept_back(self, tenant_id: str | None, calls: int) -> Iterator[None]:
        """Reserve so many of the day's calls for `last` calls while the context is open."""
        with self._turn:
            self._gate(tenant_id).kept_back += calls
        try:
            yield
        finally:
            with self._turn:
                self._gate(tenant_id).kept_back -= calls
                self._turn.notify_all()

    def check_day(self, tenant_id: str | None, call: str) -> None:
        """Raise DayLimitReached if Xero has said that the organisation's calls of the day are used up."""
        with self._turn:
            gate = self._gate(tenant_id)
            if gate.day_over:
                self._check_day(gate, tenant_id, call, last=True)

    def pause(self, tenant_id: str | None, seconds: float, call: str) -> None:
        """Wait between two tries, outside the queue; raises Closed after `close` or `stop`."""
        with self._turn:
            self._gate(tenant_id).usage.waited += seconds
        self._check_open(call)
        self._sleep(seconds)
        self._check_open(call)

    def usage(self, tenant_id: str | None) -> Usage:
        """The usage of an organisation so far."""
        with self._turn:
            gate = self._gate(tenant_id)
            return replace(gate.usage, day_left=gate.day_left)

    def stop(self) -> None:
        """Let only `last` calls pass; all others, waiting ones included, raise Closed."""
        self._stopped.set()
        with self._turn:
            self._turn.notify_all()

    def close(self) -> None:
        """End all waits with Closed."""
        self._closed.set()
        self.stop()

    def _gate(self, tenant_id: str | None) -> _Gate:
        return self._gates.setdefault(tenant_id, _Gate())

    def _check_open(self, call: str, *, last: bool = False) -> None:
        if self._closed.is_set():
            raise Closed("the client was closed", call=call)
        if self._stopped.is_set() and not last:
            raise Closed("the run was stopped", call=call)

    def _check_day(self, gate: _Gate, tenant_id: str | None, call: str, last: bool) -> None:
        if gate.day_over and gate.day_resets_at and self._clock() >= gate.day_resets_at.timestamp():
            gate.day_over, gate.day_resets_at = False, None
            gate.day_said = gate.day_left = None
        if gate.day_over:
            words = f"today's calls of {self._name_of(tenant_id)} are used up"
        elif self._at_reserve(gate, last=last) and not gate.in_flight:
            kept = f", and {self._day_reserve} are kept for others (day_reserve)" if self._day_reserve else ""
            if gate.kept_back and not last:
                kept += f", and {gate.kept_back} to finish what was begun"
            words = f"{gate.day_left} of today's calls of {self._name_of(tenant_id)} are left{kept}"
        else:
            return
        raise DayLimitReached(words, call=call, tenant_id=tenant_id, resets_at=gate.day_resets_at)

    def _at_reserve(self, gate: _Gate, *, last: bool) -> bool:
        reserve = self._day_reserve + (0 if last else gate.kept_back)
        return gate.day_left is not None and gate.day_left <= reserve

    def _delay(self, gate: _Gate) -> tuple[float, str]:
        now = self._monotonic()
        return max(
            (gate.held_until - now, gate.held_why),
            (self._app_held_until - now, "because Xero's limit for the app was hit"),
            (gate.window.delay(now), f"because {PER_MINUTE} calls a minute are allowed"),
            (self._app.delay(now), "because the app's calls of this minute are used up"),
        )

    def _retry_after(self, headers: Mapping[str, str]) -> float | None:
        stated = headers.get("Retry-After", "").strip()
        wait: float | None = None
        with suppress(ValueError, TypeError):
            wait = float(stated)
        if wait is None and stated:
            with suppress(ValueError, TypeError):
                wait = parsedate_to_datetime(stated).timestamp() - self._clock()
        return wait if wait is not None and 0 <= wait < float("inf") else None


def _problem(headers: Mapping[str, str], day_left: int | None, wait: float | None) -> str:
    """The limit that a 429 is about: minute, day, concurrent or app.

    Xero spells X-Rate-Limit-Problem in several ways (`minute`, `Minute`, `day`, `Daily`, `DayLimit`: xero-php#352), may
    omit it, and does not promise Retry-After for the concurrent limit.
    """
    stated = headers.get("X-Rate-Limit-Problem", "").strip().lower()
    kinds = {"min": "minute", "da": "day", "con": "concurrent", "app": "app"}
    problem = next((kind for prefix, kind in kinds.items() if stated.startswith(prefix)), "")
    if wait is not None and wait > _LONGEST_WAIT:
        return "day"
    if problem:
        return problem
    if day_left is not None and day_left <= 0:
        return "day"
    if _number(headers, "X-AppMinLimit-Remaining") == 0:
        return "app"
    # Without a wait and with calls left in the minute, it can only be the concurrent limit.
    minute_left = _number(headers, "X-MinLimit-Remaining")
    return "minute" if wait is not None or minute_left in {None, 0} else "concurrent"


def _number(headers: Mapping[str, str], name: str) -> int | None:
    stated = headers.get(name, "").strip()
    return int(stated) if stated.isdigit() else None
