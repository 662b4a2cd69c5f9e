"""The dispatcher alone: which requests are sent concurrently, and what the log has before a request is sent."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable

import pytest

from singer_xero.api.http.transport import Answer
from singer_xero.errors import Stopped
from target_xero.writing import dispatcher
from target_xero.writing.dispatcher import AT_ONCE, Dispatcher, InFlight

from .conftest import Wiring
from .parts import CONTACTS, Parts, create, parts
from .test_never_twice import JOURNALS, settled


def sending(built: Parts) -> tuple[Dispatcher, list[InFlight]]:
    """A dispatcher that collects the answered requests."""
    answered: list[InFlight] = []
    found = built.dispatcher()
    found.on_answer = answered.append
    found.on_dry_run = answered.append
    return found, answered


def test_records_are_sent_in_batches(wiring: Wiring):
    with parts(wiring, batch_size=2) as built:
        dispatcher, answered = sending(built)
        dispatcher.send(CONTACTS, [create(CONTACTS, str(n), Name=f"N{n}") for n in range(5)])
        dispatcher.wait_for_all()
        assert [len(request.ops) for request in answered] == [2, 2, 1]
        assert all(request.answer().status == 200 for request in answered)
    assert {one["Name"] for one in wiring.records("Contacts")} == {f"N{n}" for n in range(5)}


def test_no_more_requests_are_in_flight_than_xero_answers_at_once(wiring: Wiring):
    most = 0
    with parts(wiring, batch_size=1) as built:
        dispatcher, _ = sending(built)

        def look(request: InFlight) -> None:
            nonlocal most
            most = max(most, len(dispatcher.in_flight) + 1)

        dispatcher.on_answer = look
        held = wiring.xero.admin.fault("hold", method="PUT", path="Contacts", count=AT_ONCE)

        def release() -> None:
            wiring.xero.admin.wait(held, hits=AT_ONCE)
            wiring.xero.admin.release(held)

        thread = threading.Thread(target=release)
        thread.start()
        dispatcher.send(CONTACTS, [create(CONTACTS, str(n), Name=f"N{n}") for n in range(12)])
        dispatcher.wait_for_all()
        thread.join()
    assert most == AT_ONCE


def test_an_answer_that_is_there_is_settled_before_the_next_request_is_sent(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch
):
    settled: list[int] = []
    with parts(wiring, batch_size=1) as built:
        dispatcher, answered = sending(built)

        def set_off(self: InFlight, sent_at: str, send: Callable[[], Answer]) -> None:
            settled.append(len(answered))
            self._answer = send()

        monkeypatch.setattr(InFlight, "set_off", set_off)
        dispatcher.send(CONTACTS, [create(CONTACTS, str(n), Name=f"N{n}") for n in range(3)])
        dispatcher.wait_for_all()
    assert settled == [0, 1, 2]


def test_requests_with_the_same_name_wait_for_each_other(wiring: Wiring):
    with parts(wiring, batch_size=1) as built:
        dispatcher, answered = sending(built)
        dispatcher.send(CONTACTS, [create(CONTACTS, str(n), Name="Abel") for n in range(2)])
        assert (len(answered), len(dispatcher.in_flight)) == (1, 1)
        dispatcher.wait_for_all()
        assert not dispatcher.in_flight


def test_with_on_reject_stop_one_request_is_sent_at_a_time(wiring: Wiring):
    with parts(wiring, batch_size=1, on_reject="stop") as built:
        dispatcher, answered = sending(built)
        dispatcher.send(CONTACTS, [create(CONTACTS, str(n), Name=f"N{n}") for n in range(3)])
        assert (len(answered), len(dispatcher.in_flight)) == (2, 1)
        dispatcher.wait_for_all()


def test_the_log_has_a_request_in_flight_before_it_is_sent(wiring: Wiring, monkeypatch: pytest.MonkeyPatch):
    seen: list[list[str]] = []
    with parts(wiring) as built:
        dispatcher, _ = sending(built)
        set_off = InFlight.set_off

        def looking(self: InFlight, *args: object) -> None:
            seen.append([one.key for one in built.log.pending()])
            set_off(self, *args)  # type: ignore[arg-type]

        monkeypatch.setattr(InFlight, "set_off", looking)
        op = create(CONTACTS, "1", Name="Abel")
        dispatcher.send(CONTACTS, [op])
        dispatcher.wait_for_all()
    assert seen == [[op.job.key]]


def test_a_stop_sends_nothing_and_leaves_nothing_in_flight(wiring: Wiring):
    with parts(wiring, stop=lambda: True) as built:
        dispatcher, _ = sending(built)
        with pytest.raises(Stopped):
            dispatcher.send(CONTACTS, [create(CONTACTS, "1", Name="Abel")])
        assert built.log.pending() == []
    assert wiring.writes() == []


def test_a_dry_run_sends_nothing(wiring: Wiring):
    with parts(wiring, dry_run=True) as built:
        dispatcher, answered = sending(built)
        dispatcher.send(CONTACTS, [create(CONTACTS, "1", Name="Abel")])
        assert (len(answered), built.log.pending()) == (1, [])
    assert wiring.writes() == []


def test_requests_queued_in_front_keep_their_order(wiring: Wiring):
    with parts(wiring) as built:
        dispatcher, answered = sending(built)
        dispatcher.queue(CONTACTS, [create(CONTACTS, "3", Name="C")])
        first, second = (InFlight(CONTACTS, [create(CONTACTS, n, Name=n)], frozenset({n})) for n in "12")
        dispatcher.send_next(first, second)
        dispatcher.wait_for_all()
        assert [request.ops[0].body["Name"] for request in answered] == ["1", "2", "C"]


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread of an earlier test sends requests."""
    monkeypatch.setattr(dispatcher, "_senders", dispatcher._Senders())


@pytest.mark.usefixtures("no_threads")
def test_requests_one_after_the_other_share_a_thread_that_does_not_keep_a_process_alive():
    threads: set[threading.Thread] = set()
    answer = Answer(200, {}, b"{}")

    def send() -> Answer:
        threads.add(threading.current_thread())
        return answer

    for _ in range(20):
        request = InFlight(CONTACTS, [create(CONTACTS, "1", Name="A")], frozenset())
        request.set_off("", send)
        assert request.answer() is answer
    (thread,) = threads
    assert thread.daemon


@pytest.mark.usefixtures("no_threads")
def test_a_thread_is_free_again_after_an_error_and_does_not_keep_the_request():
    def send() -> Answer:
        raise Stopped("stopped")

    threads = threading.active_count()
    for _ in range(20):
        request = InFlight(CONTACTS, [create(CONTACTS, "1", Name="A")], frozenset())
        request.set_off("", send)
        assert isinstance(request.error(), Stopped)
        with pytest.raises(Stopped):
            request.answer()
    assert threading.active_count() <= threads + 1
    kept = weakref.ref(request)
    del request
    until = time.monotonic() + 10
    while kept() is not None and time.monotonic() < until:
        gc.collect()
        time.sleep(0.01)
    assert kept() is None


@pytest.mark.usefixtures("no_threads")
def test_without_a_thread_a_request_is_not_sent_and_nothing_waits_for_it(monkeypatch: pytest.MonkeyPatch):
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    request = InFlight(CONTACTS, [create(CONTACTS, "1", Name="A")], frozenset())
    with pytest.raises(RuntimeError, match="can't start"):
        request.set_off("", lambda: Answer(200, {}, b"{}"))
    with pytest.raises(AssertionError):
        request.answer()


@pytest.mark.usefixtures("no_threads")
def test_a_run_that_gets_no_thread_says_so(wiring: Wiring, monkeypatch: pytest.MonkeyPatch):
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "sender":
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start"):
            wiring.write(JOURNALS)
    settled(wiring, wiring.write(JOURNALS))


FORKED = """
import os, signal
from target_xero.writing.dispatcher import InFlight
def send():
    request = InFlight(None, [], frozenset())
    request.set_off("", lambda: "answer")
    return request.answer()
send()
if not (child := os.fork()):
    signal.alarm(20)
    os._exit(send() != "answer")
raise SystemExit(os.waitpid(child, 0)[1])
"""


def test_a_forked_process_sends_in_threads_of_its_own():
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", FORKED], check=False).returncode == 0
