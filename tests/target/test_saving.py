"""When outcomes are saved in the log of writes: with the next request, and before anything relies on them."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import pytest
from waiting import until

from singer_xero.api.client import XeroClient
from singer_xero.api.errors import OutcomeUnknown, XeroError
from target_xero.target import TargetXero
from target_xero.write_log.database import Transaction
from target_xero.write_log.identity import own_key
from target_xero.write_log.log import WriteLog
from target_xero.write_log.postgres_log import PostgresLog
from target_xero.write_log.sqlite_log import SqliteLog
from target_xero.writing import dispatcher

from .conftest import Wiring, answered_together, decode, record, schema, state
from .test_never_twice import BATCHES, JOURNALS, Killed, journal, landed, settled

PUT = {"method": "PUT", "path": "ManualJournals"}

Log = type[SqliteLog] | type[PostgresLog]


class Commits:
    """Counts the commits of a log, and kills the run before or after one of them."""

    def __init__(self, patch: pytest.MonkeyPatch, log: Log) -> None:
        self.number = 0
        self.last: int | None = None
        self.moment = ""
        change, counted = log.change, self

        @contextmanager
        def counting(self: Any) -> Iterator[Transaction]:
            counted.number += 1
            is_last = counted.number == counted.last
            with change(self) as transaction:
                yield transaction
                if is_last and counted.moment == "before":
                    raise Killed
            if is_last:
                raise Killed

        patch.setattr(log, "change", counting)


@pytest.fixture(params=["file", "postgresql"])
def commits(wiring: Wiring, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Commits:
    """Runs with a log of writes in a file and in PostgreSQL, and its commits."""
    if request.param == "file":
        return Commits(monkeypatch, SqliteLog)
    wiring.config["write_log_path"] = request.getfixturevalue("log_in_postgres")
    return Commits(monkeypatch, PostgresLog)


def in_flight(wiring: Wiring) -> set[str]:
    """What the log on the disk has in flight, for a thread."""
    with closing(sqlite3.connect(wiring.config["write_log_path"])) as log:
        requests = log.execute("SELECT records FROM request").fetchall()
    return {own[1] for (records,) in requests for one in decode(records) if (own := own_key(one[0]))}


# With the next request


def test_a_request_takes_one_commit(wiring: Wiring, commits: Commits, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dispatcher, "AT_ONCE", 1)
    settled(wiring, wiring.write(JOURNALS))
    # The first begins the log. The last ones save the last answer before the state, fill the tables and end the run.
    assert commits.number == 1 + BATCHES + 3


def test_five_requests_at_once_take_one_commit_each(wiring: Wiring, commits: Commits):
    settled(wiring, wiring.write(JOURNALS))
    # While it waits for one of the last answers, it may save those before.
    assert commits.number <= 1 + BATCHES + 3 + dispatcher.AT_ONCE - 1


# Before that


def test_the_records_before_a_state_are_saved_when_it_is_passed_on(
    wiring: Wiring, commits: Commits, monkeypatch: pytest.MonkeyPatch
):
    stream: list[Any] = [schema("manual_journals", "id")]
    for n in range(1, 201):
        stream += [journal(n), *([state(n)] if n % 20 == 0 else [])]
    seen: list[tuple[int, list[int]]] = []
    emit = TargetXero._emit_state

    def looking(self: TargetXero, value: Any) -> None:
        seen.append((value, [int(key) for key in wiring.in_flight()]))
        emit(self, value)

    monkeypatch.setattr(TargetXero, "_emit_state", looking)
    run = wiring.write(stream, batch_size=20)
    assert run.states == [value for value, _ in seen]
    assert len(seen) > 1 and seen[-1] == (200, [])
    assert [(value, flying) for value, flying in seen if any(key <= value for key in flying)] == []


@pytest.mark.parametrize("ends", [False, True], ids=["waits", "ends"])
def test_outcomes_are_saved_before_a_run_waits_for_an_answer(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch, ends: bool
):
    """The last answer does not come before the log has the one before it, also if the run ends by an error."""
    send = XeroClient.send
    flying: list[set[str]] = []
    third = threading.Event()

    def sending(self: XeroClient, *args: Any, body: bytes, **options: Any) -> Any:
        if ends and b"Journal 1" in body:
            assert third.wait(10)
            raise OutcomeUnknown("no answer", call="PUT ManualJournals")
        answer = send(self, *args, body=body, **options)
        if b"Journal 3" in body:
            third.set()
            saved = {"1", "3"} if ends else {"3"}
            until(lambda: in_flight(wiring) == saved, seconds=5)
            flying.append(in_flight(wiring))
        return answer

    monkeypatch.setattr(XeroClient, "send", sending)
    run = wiring.write(schema("manual_journals", "id"), *map(journal, (1, 2, 3)), batch_size=1, tries=1)
    assert isinstance(run.error, OutcomeUnknown) is ends
    assert flying == [{"1", "3"} if ends else {"3"}]


def test_outcomes_are_saved_before_a_call_looks_something_up(wiring: Wiring, monkeypatch: pytest.MonkeyPatch):
    """Xero refuses a name that is in use; the record that has it is looked up."""
    wiring.xero.admin.put("Contacts", {"Name": "Abel", "ContactStatus": "ACTIVE"}, wiring.tenant)
    seen: list[list[str]] = []
    get = XeroClient.get

    def looking(self: XeroClient, *args: Any, **options: Any) -> Any:
        if wiring.writes():
            seen.append(wiring.in_flight())
        return get(self, *args, **options)

    monkeypatch.setattr(XeroClient, "get", looking)
    people = [record("contacts", id=n, Name=name) for n, name in enumerate(["Bert", "Abel"])]
    run = wiring.write(schema("contacts", "id"), people)
    assert run.count("contacts") == {"created": 1, "unchanged": 1}
    assert seen == [["1"]]


def test_outcomes_are_saved_before_other_records_are_planned(wiring: Wiring, monkeypatch: pytest.MonkeyPatch):
    """Records that need no request can take long."""
    people = [schema("contacts", "id"), record("contacts", id=1, Name="Abel")]
    accounts = [schema("accounts", "id"), record("accounts", id=2, Code="1", Name="One", Type="REVENUE")]
    assert wiring.write(people).error is None
    seen: list[list[str]] = []
    foresee = WriteLog.foresee

    def looking(self: WriteLog, *args: Any) -> None:
        seen.append(wiring.in_flight())
        foresee(self, *args)

    monkeypatch.setattr(WriteLog, "foresee", looking)
    run = wiring.write(accounts, people)
    assert (run.count("accounts"), run.count("contacts")) == ({"created": 1}, {"unchanged": 1})
    assert seen == [[], []]


@pytest.mark.parametrize("fault", ["reset_before", "server_error"])
def test_outcomes_are_saved_when_a_run_ends_by_an_error(wiring: Wiring, fault: str):
    wiring.xero.admin.fault(fault, after=1, **PUT)
    with answered_together(3):
        run = wiring.write(schema("manual_journals", "id"), *map(journal, (1, 2, 3)), batch_size=1, tries=1)
    assert isinstance(run.error, XeroError)
    there = {one["Narration"] for one in wiring.records("ManualJournals")}
    assert len(there) == 2
    assert {f"Journal {key}" for key in wiring.ids("manual_journals")} == there


# Kills


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_at_any_commit_loses_and_doubles_nothing(
    wiring: Wiring, commits: Commits, monkeypatch: pytest.MonkeyPatch, moment: str
):
    """After each kill the source continues behind the last state, as a tap does."""
    emitted: list[int] = []
    monkeypatch.setattr(TargetXero, "_emit_state", lambda _, value: emitted.append(value))
    commits.moment = moment
    every: list[int] = []
    for last in range(1, 100):
        first = last * 99
        numbers = range(first, first + 9)
        every += numbers
        emitted[:] = [first - 1]
        commits.number, commits.last = 0, last
        with suppress(Killed):
            wiring.write(stream(numbers), batch_size=3)
            break
        landed()
        wiring.xero.admin.advance(400)
        commits.last = None
        run = wiring.write(stream(range(emitted[-1] + 1, first + 9)), batch_size=3)
        assert (run.error, emitted[-1], wiring.in_flight()) == (None, first + 8, [])
    assert last > 5
    there = {r["Narration"]: r["ManualJournalID"] for r in wiring.records("ManualJournals")}
    assert len(there) == len(wiring.records("ManualJournals"))
    assert there == {f"Journal {n}": wiring.ids("manual_journals").get(str(n)) for n in every if n % 3}
    rejects = [decode(line) for line in (wiring.folder / "rejects.singer").read_bytes().splitlines()]
    rejected = [one["record"]["id"] for one in rejects if one["type"] == "RECORD"]
    assert sorted(rejected) == [n for n in every if n % 3 == 0]


def stream(numbers: range) -> list[dict[str, Any]]:
    """Journals, of which Xero refuses every third, and a state after every third."""
    messages = [schema("manual_journals", "id")]
    for n in numbers:
        one = journal(n)
        if n % 3 == 0:
            one["record"]["journal_lines"][0]["AccountCode"] = "nowhere"
        messages += [one, *([state(n)] if n % 3 == 2 else [])]
    return messages
