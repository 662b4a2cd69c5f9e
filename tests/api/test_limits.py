"""Xero's limits, with a clock that moves only in sleeps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from waiting import until

from singer_xero.api.errors import Closed, DayLimitReached
from singer_xero.api.http.transport import Answer
from singer_xero.api.limits import AT_ONCE, Limits


class Clock:
    """A time that passes only in sleeps. Several threads may sleep concurrently."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds


class Gates:
    """Limits with a clock, and calls that take no time."""

    def __init__(self, day_reserve: int = 0, sleep: Callable[[float], None] | None = None) -> None:
        self.clock = Clock()
        self.limits = Limits(
            day_reserve=day_reserve,
            clock=lambda: 1_777_032_244.0 + self.clock.now,
            monotonic=self.clock,
            sleep=sleep or self.clock.sleep,
        )

    def call(self, tenant_id: str = "A", status: int = 200, **headers: Any) -> float:
        """Make a call; returns the time at which it was sent."""
        self.limits.enter(tenant_id, "GET Invoices")
        at = self.clock.now
        self.limits.leave(tenant_id, answer(status, **headers))
        return at

    def until_waiting(self, threads: int, tenant_id: str = "A") -> None:
        """Wait until this number of threads wait for their turn."""
        with self.limits._turn:
            queue = self.limits._gate(tenant_id).queue
            while len(queue) < threads:
                self.limits._turn.wait(0.001)


def answer(status: int = 200, **headers: Any) -> Answer:
    names = {
        "minute": "X-MinLimit-Remaining",
        "day": "X-DayLimit-Remaining",
        "app": "X-AppMinLimit-Remaining",
        "problem": "X-Rate-Limit-Problem",
        "retry": "Retry-After",
    }
    return Answer(status, {names[name]: str(value) for name, value in headers.items()}, b"", received=10)


def test_never_more_than_60_calls_lie_within_a_minute() -> None:
    gates = Gates()
    sent = [gates.call() for _ in range(200)]
    assert all(later - earlier >= 60 for earlier, later in zip(sent, sent[60:], strict=False))
    assert sent[-1] - sent[0] < 181  # and no call waited longer than needed
    assert gates.limits.usage("A").calls == 200
    assert gates.limits.usage("A").waited == pytest.approx(sum(gates.clock.slept))


def test_a_slow_call_counts_until_a_minute_after_its_answer() -> None:
    gates = Gates()
    gates.limits.enter("A", "GET Slow")
    for _ in range(59):
        gates.call()
    gates.clock.now += 50
    gates.limits.leave("A", answer())
    assert gates.call() >= 1_060  # the 59 calls are forgotten
    for _ in range(58):
        gates.call()
    assert gates.call() >= 1_110


def test_organisations_do_not_wait_for_each_other() -> None:
    gates = Gates()
    sent = [gates.call(tenant) for _ in range(60) for tenant in ("A", "B", "C")]
    assert set(sent) == {1_000.0}


def test_calls_of_other_processes_are_known_from_the_header() -> None:
    gates = Gates()
    gates.call(minute=3)  # 57 calls are used, one of them by this client
    sent = [gates.call(minute=left) for left in (2, 1, 0)]
    assert set(sent) == {1_000.0}
    assert gates.call(minute=59) > 1_059
    assert gates.limits.usage("A").minute_left == 59


def test_a_header_with_more_remaining_calls_than_expected_is_used() -> None:
    gates = Gates()
    gates.call(minute=0)
    gates.clock.now += 61
    gates.call(minute=59)
    assert {gates.call(minute=58 - i) for i in range(50)} == {1_061.0}


def test_more_than_60_calls_a_minute_are_used_if_the_header_allows_it() -> None:
    gates = Gates()
    assert {gates.call(minute=999 - i) for i in range(500)} == {1_000.0}
    gates.call(minute=0)
    assert gates.call(minute=59) >= 1_060


def test_five_calls_are_in_flight_and_the_others_follow_in_order() -> None:
    gates = Gates()
    entered: list[int] = []
    answered = [threading.Event() for _ in range(20)]

    def work(number: int) -> None:
        gates.limits.enter("A", "GET Invoices")
        entered.append(number)
        answered[number].wait(10)
        gates.limits.leave("A", answer())

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    queue = gates.limits._gate("A").queue
    for number, thread in enumerate(threads):
        thread.start()
        until(lambda last=number: len(entered) + len(queue) == last + 1, seconds=5)
    assert entered == [0, 1, 2, 3, 4]
    for number in range(20):
        answered[number].set()
        until(lambda last=number: len(entered) == min(last + 6, 20), seconds=5)
        assert entered == list(range(min(number + 6, 20)))
    for thread in threads:
        thread.join(10)


@pytest.mark.parametrize("spelling", ["minute", "Minute", "MinuteLimit", None])
def test_a_minute_limit_is_waited_out_for_the_time_that_xero_gives(spelling: str | None) -> None:
    gates = Gates()
    headers = {"problem": spelling} if spelling else {}
    gates.call(status=429, retry=26, minute=0, day=344, **headers)
    assert 1_026 <= gates.call() < 1_027


@pytest.mark.parametrize("headers", [{"problem": "minute"}, {"minute": 0}, {}])
def test_a_minute_limit_without_a_wait_is_waited_out_for_a_minute(headers: dict[str, Any]) -> None:
    gates = Gates()
    gates.call(status=429, **headers)
    assert 1_060 <= gates.call() < 1_061


def test_a_wait_given_as_a_date_is_understood() -> None:
    gates = Gates()
    gates.clock.now = 0
    gates.call(
        status=429, problem="minute", retry="Fri, 24 Apr 2026 12:04:24 GMT"
    )  # the clock shows 12:04:04
    assert 20 <= gates.call() < 21


@pytest.mark.parametrize("retry", ["-5", "soon", "nan", "inf", ""])
def test_a_wait_that_makes_no_sense_counts_as_none(retry: str) -> None:
    gates = Gates()
    gates.call(status=429, problem="minute", retry=retry)
    assert 1_060 <= gates.call() < 1_061


@pytest.mark.parametrize(
    "headers", [{"problem": "concurrent"}, {"problem": "ConcurrentLimit"}, {"minute": 40, "day": 9}]
)
def test_the_concurrent_limit_waits_a_moment_and_then_sends_fewer_calls(headers: dict[str, Any]) -> None:
    gates = Gates()
    gates.call(status=429, **headers)
    assert 1_001 <= gates.call() <= 1_002.1
    gate = gates.limits._gate("A")
    assert gate.room == 4
    gates.call(status=429, **headers)
    assert gate.room == 3
    gates.clock.now += 61
    gates.call()
    assert gate.room == 4


def test_one_call_at_a_time_is_the_minimum() -> None:
    gates = Gates()
    for _ in range(9):
        gates.call(status=429, problem="concurrent")
    assert gates.limits._gate("A").room == 1
    gates.call()


@pytest.mark.parametrize("spelling", ["day", "Daily", "daily", "DayLimit"])
def test_the_daily_limit_ends_the_organisation_at_once_and_has_the_time_of_the_reset(spelling: str) -> None:
    gates = Gates()
    gates.clock.now = 0
    gates.call(status=429, problem=spelling, retry=7_200, minute=60)
    with pytest.raises(DayLimitReached) as caught:
        gates.call()
    assert caught.value.tenant_id == "A"
    assert caught.value.resets_at is not None
    assert caught.value.resets_at.isoformat() == "2026-04-24T14:04:04+00:00"
    assert "Run again after 2026-04-24 14:04:04 UTC" in str(caught.value)
    assert gates.clock.slept == []
    gates.call("B")  # another organisation has its own daily limit
    gates.clock.now = 7_201
    gates.call()  # a new day


def test_a_day_limit_without_a_wait_says_that_the_time_is_unknown() -> None:
    gates = Gates()
    gates.call(status=429, day=0)
    with pytest.raises(DayLimitReached, match="when Xero's next day begins") as caught:
        gates.call()
    assert caught.value.resets_at is None


def test_nothing_sleeps_for_hours_whatever_the_limit_is_called() -> None:
    gates = Gates()
    gates.call(status=429, problem="minute", retry=40_000)
    with pytest.raises(DayLimitReached):
        gates.call()
    assert gates.clock.slept == []


@pytest.mark.parametrize("spelling", ["app", "appminute", "AppMinute"])
def test_the_limit_of_the_app_delays_all_organisations(spelling: str) -> None:
    gates = Gates()
    gates.call("A", status=429, problem=spelling, retry=30)
    assert 1_030 <= gates.call("B") < 1_031


def test_the_apps_last_calls_are_counted_over_all_organisations() -> None:
    gates = Gates()
    gates.call("A", app=2)
    assert gates.call("B", app=1) == 1_000
    assert gates.call("C", app=0) == 1_000
    assert gates.call("D", app=9_000) >= 1_060


def test_calls_of_the_day_are_reserved_for_others() -> None:
    gates = Gates(day_reserve=100)
    gates.call(day=103)
    gates.call(day=102)
    gates.call(day=101)
    gates.call(day=100)
    with pytest.raises(
        DayLimitReached, match=r"100 of today's calls of A are left, and 100 are kept for others"
    ):
        gates.call()
    assert gates.limits.usage("A").calls == 4
    assert gates.limits.usage("A").day_left == 100


def test_the_last_calls_of_the_day_are_used_one_by_one_by_several_threads() -> None:
    gates = Gates()
    server = iter(range(9, -1, -1))
    lock = threading.Lock()
    done: list[int] = []
    refused: list[DayLimitReached] = []

    def work() -> None:
        while True:
            try:
                gates.limits.enter("A", "GET Invoices")
            except DayLimitReached as error:
                refused.append(error)
                return
            with lock:
                left = next(server)
                done.append(left)
            gates.limits.leave("A", answer(day=left))

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(done) == list(range(10))
    assert len(refused) == 5


def test_closing_wakes_a_thread_that_waits_for_its_turn() -> None:
    waiting = threading.Event()

    gates = Gates()
    gates.limits = Limits(day_reserve=0, clock=gates.clock, monotonic=gates.clock, sleep=None)
    gates.call(status=429, problem="minute", retry=800)
    caught: list[BaseException] = []

    def work() -> None:
        waiting.set()
        try:
            gates.limits.enter("A", "GET Invoices")
        except Closed as error:
            caught.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    waiting.wait(10)
    gates.limits.close()
    for thread in threads:
        thread.join(10)
    assert len(caught) == 3
    assert str(caught[0]) == "GET Invoices: the client was closed"


def test_a_thread_interrupted_in_its_sleep_leaves_the_queue_to_the_next() -> None:
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    gates = Gates(sleep=interrupted)
    gates.call(status=429, problem="minute", retry=30)
    with pytest.raises(KeyboardInterrupt):
        gates.call()
    gates.clock.now += 31
    gates.call()


def test_urgent_calls_have_their_turn_before_waiting_ones_and_after_other_urgent_ones() -> None:
    gates = Gates()
    for _ in range(AT_ONCE):
        gates.limits.enter("A", "GET Slow")
    turns: list[str] = []

    def work(name: str) -> None:
        gates.limits.enter("A", name, urgent=name.startswith("urgent"))
        turns.append(name)
        gates.limits.leave("A", answer())

    threads = []
    for place, name in enumerate(["first", "second", "urgent one", "urgent two"], 1):
        threads.append(threading.Thread(target=work, args=(name,)))
        threads[-1].start()
        gates.until_waiting(place)
    gates.limits.leave("A", answer())
    for thread in threads:
        thread.join(10)
    assert turns == ["urgent one", "urgent two", "first", "second"]


def test_reserved_calls_are_for_last_calls_only_and_free_afterwards() -> None:
    gates = Gates(day_reserve=10)
    with gates.limits.kept_back("A", 4):
        gates.call(day=14)
        with pytest.raises(DayLimitReached, match=r"14 of today's calls .* and 4 to finish what was begun"):
            gates.call()
        gates.limits.enter("A", "GET Invoices", last=True)
        gates.limits.leave("A", answer(day=13))
        gates.call("B", day=12)
    gates.call(day=12)
    gates.call(day=10)
    with pytest.raises(DayLimitReached, match="10 are kept for others"):
        gates.limits.enter("A", "GET Invoices", last=True)


def test_after_a_stop_only_last_calls_are_sent_and_nothing_waits() -> None:
    gates = Gates()
    gates.call()
    gates.limits.stop()
    with pytest.raises(Closed, match="the run was stopped"):
        gates.call()
    with pytest.raises(Closed):
        gates.limits.pause("A", 30, "GET Invoices")
    gates.limits.enter("A", "GET Invoices", last=True)
    gates.limits.leave("A", answer())
    assert gates.clock.slept == []
    gates.limits.close()
    with pytest.raises(Closed, match="closed"):
        gates.limits.enter("A", "GET Invoices", last=True)
