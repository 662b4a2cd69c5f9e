"""A run that is interrupted anywhere leaves a state from which the next run reads the rest."""

from __future__ import annotations

import fcntl
import json
import signal
import subprocess
import sys
import termios
import threading
from array import array
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from waiting import until

from singer_xero.objects import OBJECTS
from tap_xero.reads import paging
from tap_xero.streams.stream import XeroStream
from tap_xero.tap import TapXero
from xero_sandbox import AdminClient, Sandbox, apps

from .busy_list import BusyList, rows_at
from .busy_list import run as run_reader
from .company import contact, guid
from .runs import Run, command, last_state, own_environment, read, records_of, started
from .test_command import only

STREAMS = ("contacts", "items", "journals", "manual_journals")


@pytest.fixture
def chatty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A state after every record, and proofs after every two pages, as in a list of 200,000 rows."""
    monkeypatch.setattr(XeroStream, "STATE_MSG_FREQUENCY", 1)
    monkeypatch.setattr(paging, "BLOCK", 2)


def versions(messages: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
    """Stream, key and time of change of each record."""
    return {
        (stream, record[OBJECTS[stream].key[0]], record[str(OBJECTS[stream].cursor)])
        for stream, records in records_of(messages).items()
        for record in records
    }


def states_of(run: Run) -> list[int]:
    """The positions at which a STATE differs from the one before."""
    found, before = [], None
    for place, message in enumerate(run.messages):
        if message["type"] == "STATE" and message["value"] != before:
            before = message["value"]
            found.append(place)
    return found


@pytest.mark.usefixtures("chatty")
@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize("streams", [("contacts",), STREAMS], ids=len)
def test_every_printed_state_leads_to_the_rest_of_the_rows(
    config: dict[str, Any], admin: AdminClient, streams: tuple[str, ...], after: int
) -> None:
    """A target that dies keeps the records before a STATE; those after it are not counted."""
    settings = {**config, "page_size": 2}
    admin.fault("edit", path="Contacts", resource="Contacts", id=guid("c", 1), after=after)
    run = read(settings, *streams)
    everything = versions(read(settings, *streams).messages)
    places = states_of(run)
    assert len(places) > len(streams)
    for place in places:
        state = run.messages[place]["value"]
        rest = read(settings, *streams, state=state)
        assert everything <= versions(run.messages[:place]) | versions(rest.messages), state


@pytest.mark.usefixtures("chatty")
def test_no_bookmark_is_ever_later_than_the_emitted_rows(config: dict[str, Any], admin: AdminClient) -> None:
    admin.fault("edit", path="Contacts", resource="Contacts", id=guid("c", 1))
    newest: dict[str, Any] = {}
    for message in read({**config, "page_size": 2}, *STREAMS).messages:
        if message["type"] == "RECORD":
            cursor = message["record"][str(OBJECTS[message["stream"]].cursor)]
            newest[message["stream"]] = max(cursor, newest.get(message["stream"], cursor))
        elif message["type"] == "STATE":
            for stream, kept in message["value"]["bookmarks"].items():
                for part in kept["partitions"]:
                    if "replication_key_value" in part:
                        assert part["replication_key_value"] <= newest[stream]


@pytest.mark.usefixtures("chatty")
def test_bookmarks_move_while_a_long_list_is_read(config: dict[str, Any]) -> None:
    run = read({**config, "page_size": 2}, "contacts")
    seen = [
        part.get("replication_key_value")
        for message in run.of("STATE")
        for part in message["value"]["bookmarks"]["contacts"]["partitions"]
    ]
    assert len(set(seen)) > 2
    told = [value for value in seen if value]
    assert told == sorted(told)


def test_a_first_run_that_is_killed_after_ten_pages_leaves_their_bookmark(tmp_path: Path) -> None:
    """The SDK writes a STATE after the last record of the ten pages, which must have the current bookmark."""
    with Sandbox(invoices=11_000, limits=False) as xero:
        config = apps.CUSTOM_CONNECTION.settings(xero.url)
        (tmp_path / "catalog.json").write_text(json.dumps(incremental("invoices")), encoding="utf-8")
        done = command("--catalog", "catalog.json", config=config, at=tmp_path)
    assert done.code == 0, done.err
    records, moved = 0, []
    for message in done.messages:
        records += message["type"] == "RECORD"
        if message["type"] == "STATE" and "replication_key_value" in json.dumps(message):
            moved.append(records)
    assert moved[0] < 11_000


@pytest.mark.parametrize(
    "held", [{"path": "Contacts", "after": 0}, {"path": "Items"}, {"path": "Journals", "after": 1}]
)
def test_a_killed_process_leaves_whole_lines_and_a_usable_state(
    config: dict[str, Any], admin: AdminClient, tmp_path: Path, held: dict[str, Any]
) -> None:
    arguments = ("--catalog", only(tmp_path, *STREAMS))
    number = admin.fault("hold", **held)
    process = started(*arguments, config=config, at=tmp_path)
    admin.wait(number)
    process.kill()
    process.join(10)
    admin.clear_faults()
    lines = (tmp_path / "stdout").read_text(encoding="utf-8").splitlines(keepends=True)
    first = [json.loads(line) for line in lines if line.endswith("\n")]
    last = max((place for place, message in enumerate(first) if message["type"] == "STATE"), default=0)
    state = first[last]["value"] if first[last:] and first[last]["type"] == "STATE" else {}
    (tmp_path / "state.json").write_text(json.dumps(state), encoding="utf-8")
    second = command(*arguments, "--state", "state.json", config=config, at=tmp_path)
    assert second.code == 0, second.err
    everything = versions(read(config, *STREAMS).messages)
    assert versions(first) | versions(second.messages) == everything
    assert not versions(first[:last]) & versions(second.messages)


def terminated(process: Any, release: Callable[[], None], folder: Path) -> list[dict[str, Any]]:
    """Terminate a process whose call is held, and release the call; returns the messages of the process."""
    process.terminate()
    until(lambda: "Gracefully shutting down" in (folder / "stderr").read_text(encoding="utf-8"), seconds=10)
    release()
    process.join(20)
    assert process.exitcode == 128 + signal.SIGTERM
    return [json.loads(line) for line in (folder / "stdout").read_text(encoding="utf-8").splitlines()]


def test_a_terminated_process_writes_its_state_and_its_exit_code_shows_that_it_is_incomplete(
    config: dict[str, Any], admin: AdminClient, tmp_path: Path
) -> None:
    number = admin.fault("hold", path="Contacts")
    process = started("--catalog", only(tmp_path, "accounts", "contacts"), config=config, at=tmp_path)
    admin.wait(number)
    until(
        lambda: "Beginning sync of 'contacts'" in (tmp_path / "stderr").read_text(encoding="utf-8"),
        seconds=10,
    )
    messages = terminated(process, lambda: admin.release(number), tmp_path)
    assert messages[-1]["type"] == "STATE"
    accounts = last_state(messages)["bookmarks"]["accounts"]["partitions"][0]
    assert accounts["replication_key_value"] == "2026-11-01T00:00:09.000000Z"
    assert "Traceback" not in (tmp_path / "stderr").read_text(encoding="utf-8")


def test_a_process_killed_while_nobody_reads_its_output_loses_no_row(
    config: dict[str, Any], admin: AdminClient, tmp_path: Path
) -> None:
    """The pipe is full, and the process waits in the middle of a block; the last line may be cut anywhere."""
    streams = (*STREAMS, "quotes")
    arguments = [
        sys.executable,
        "-m",
        "tap_xero",
        "--config",
        "config.json",
        "--catalog",
        only(tmp_path, *streams),
    ]
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    process = subprocess.Popen(
        arguments,
        cwd=tmp_path,
        env=own_environment(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process:
        assert process.stdout is not None
        pipe = process.stdout.fileno()
        until(lambda: waiting_in(pipe) >= 60_000, seconds=10)
        process.kill()
        lines = process.stdout.read().splitlines(keepends=True)
    first = [json.loads(line) for line in lines if line.endswith(b"\n")]
    assert versions(first)
    second = read(config, *streams, state=last_state(first))
    assert versions(read(config, *streams).messages) == versions(first) | versions(second.messages)


def waiting_in(pipe: int) -> int:
    """The unread bytes."""
    count = array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


# Rows that were read before a run breaks off


def long_list(admin: AdminClient, count: int = 60) -> list[str]:
    """Make the list of contacts longer; returns their ids in the order of change."""
    for n in range(100, 100 + count):
        admin.put("Contacts", contact(n, n))
    return [guid("c", n) for n in (*range(1, 8), *range(100, 100 + count))]


def test_pages_read_before_an_error_are_proved_and_the_bookmark_follows_them(
    config: dict[str, Any], admin: AdminClient
) -> None:
    """Sixty-seven contacts, two per page: the first block has ten pages, the error is in the second."""
    ids = long_list(admin)
    admin.fault("status", path="Contacts", query={"page": "9"}, status=500, body="broken", after=1, count=0)
    first = read({**config, "page_size": 2}, "contacts")
    got = first.ids("contacts")
    assert 30 < len(got) < 60
    assert got == ids[: len(got)]
    assert first.bookmark("contacts") == first.records["contacts"][-1]["UpdatedDateUTC"]
    admin.clear_faults()
    second = read({**config, "page_size": 2}, "contacts", state=first.state)
    assert set(got) | set(second.ids("contacts")) == set(ids)
    assert (
        len(second.ids("contacts")) <= len(ids) - len(got) + 2
    )  # contacts changed in the second of the bookmark


def test_a_list_that_was_edited_and_cannot_be_read_again_proves_nothing(
    config: dict[str, Any], admin: AdminClient
) -> None:
    ids = long_list(admin, 12)
    admin.fault("edit", path="Contacts", resource="Contacts", id=ids[0], after=2)
    admin.fault("status", path="Contacts", status=500, body="broken", after=4, count=0)
    first = read({**config, "page_size": 2}, "contacts")
    admin.clear_faults()
    second = read({**config, "page_size": 2}, "contacts", state=first.state if first.of("STATE") else None)
    assert {*first.ids("contacts"), *second.ids("contacts")} == set(ids)
    assert versions(read(config, "contacts").messages) <= versions(first.messages) | versions(second.messages)


@pytest.mark.parametrize("day", range(8, 40, 3))
def test_the_last_calls_of_a_day_prove_the_rows_so_that_each_day_advances(
    config: dict[str, Any], admin: AdminClient, day: int
) -> None:
    ids = long_list(admin)
    seen: set[str] = set()
    state: dict[str, Any] | None = None
    for _ in range(60):
        admin.limits(enabled=True, day=day, start_afresh=True)
        admin.forget_calls()
        run = read({**config, "page_size": 2}, "contacts", state=state)
        assert not [call for call in admin.calls() if call["status"] == 429]
        assert run.records["contacts"] or not run.failed
        seen |= set(run.ids("contacts"))
        if not run.failed:
            break
        assert run.state != state
        state = run.state
    assert seen == set(ids)


def test_a_terminated_process_emits_and_proves_the_rows_that_it_has_read(
    config: dict[str, Any], admin: AdminClient, tmp_path: Path
) -> None:
    ids = long_list(admin)
    settings = {**config, "page_size": 2}
    number = admin.fault("hold", path="Contacts", query={"page": "8"})
    process = started("--catalog", only(tmp_path, "contacts"), config=settings, at=tmp_path)
    admin.wait(number)
    messages = terminated(process, lambda: admin.release(number), tmp_path)
    got = [record["ContactID"] for record in records_of(messages)["contacts"]]
    assert got == ids[: len(got)]
    assert len(got) >= 14
    assert messages[-1]["type"] == "STATE"
    kept = last_state(messages)["bookmarks"]["contacts"]["partitions"][0]["replication_key_value"]
    assert kept == records_of(messages)["contacts"][-1]["UpdatedDateUTC"]
    assert "Traceback" not in (tmp_path / "stderr").read_text(encoding="utf-8")


def test_a_second_signal_ends_a_run_at_once(
    config: dict[str, Any], admin: AdminClient, tmp_path: Path
) -> None:
    number = admin.fault("hold", path="Contacts", count=0)
    process = started("--catalog", only(tmp_path, "contacts"), config=config, at=tmp_path)
    admin.wait(number)
    process.terminate()
    until(lambda: "Gracefully shutting down" in (tmp_path / "stderr").read_text(encoding="utf-8"), seconds=10)
    process.terminate()
    admin.release(number)
    process.join(20)
    assert process.exitcode == 128 + signal.SIGTERM


@pytest.mark.parametrize("signals", [1, 2])
def test_a_signal_while_the_reads_start_ends_the_run_and_leaves_no_thread(
    config: dict[str, Any], monkeypatch: pytest.MonkeyPatch, signals: int
) -> None:
    plain = TapXero._reads

    def reads(self: TapXero, streams: Any) -> Iterator[Any]:
        for one in plain(self, streams):
            yield one
            for _ in range(signals):
                signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(TapXero, "_reads", reads)
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as ended:
            read(config, "contacts", "items", "invoices")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ended.value.code == 128 + signal.SIGTERM
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]


def test_reads_of_subresources_advance_with_each_record(config: dict[str, Any], admin: AdminClient) -> None:
    """One call for each contact: with fifteen calls a day, a list of sixty-seven is complete within a week."""
    ids = long_list(admin)
    catalog = incremental("contact_history")
    state, seen, days = None, set(), 0
    while days < 12:
        admin.limits(enabled=True, day=15, start_afresh=True)
        run = read(config, "contact_history", state=state, catalog=catalog)
        days, state = days + 1, run.state
        seen |= {record["ContactID"] for record in run.records["contact_history"]}
        if not run.failed:
            break
    assert seen == set(ids)
    assert days <= 7


def incremental(stream: str) -> dict[str, Any]:
    """A catalog with an incremental stream."""
    metadata = {"selected": True, "replication-method": "INCREMENTAL"}
    return {"streams": [{"tap_stream_id": stream, "metadata": [{"breadcrumb": [], "metadata": metadata}]}]}


def test_blocks_grow_so_that_a_killed_run_reads_again_at_most_about_what_it_had_read() -> None:
    """Blocks have ten pages, twenty, forty, eighty, and then a hundred each."""
    busy = BusyList(rows_at(*range(0, 10_000, 10)))
    after: list[int] = []
    pages = 0
    for chunk in paging.read_by_change(busy.fetch, None, {}, 2, last_calls=lambda: nullcontext(busy.fetch)):
        pages += bool(chunk.rows)
        if chunk.bookmark:
            after.append(pages)
    assert after[:4] == [10, 30, 70, 150]
    assert {later - earlier for earlier, later in pairwise(after[3:-1])} == {100}


def test_a_hundred_pages_take_at_most_a_hundred_and_six_calls() -> None:
    """With the token and the list of organisations, these are 108 calls."""
    busy = BusyList(rows_at(*range(0, 2_000, 10)))
    seen = run_reader(paging.read_by_change, busy, 2, last_calls=lambda: nullcontext(busy.fetch))
    assert len(seen.versions) == 200
    assert busy.calls <= 106


@pytest.mark.parametrize("after", [0, 2], ids=["at once", "after two messages"])
def test_a_target_that_ends_early_ends_the_tap(demo: dict[str, Any], tmp_path: Path, after: int) -> None:
    """More lies ready than prefetching may hold, so that its threads wait for room."""
    (tmp_path / "config.json").write_text(json.dumps(demo), encoding="utf-8")
    with (tmp_path / "stderr").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tap_xero", "--config", str(tmp_path / "config.json")],
            env=own_environment(tmp_path),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    assert process.stdout is not None
    try:
        for _ in range(after):
            process.stdout.readline()
        process.stdout.close()
        assert process.wait(20) == 1
    finally:
        process.kill()
        process.wait()
    said = (tmp_path / "stderr").read_text(encoding="utf-8")
    assert "Traceback" not in said
    (error,) = [line for line in said.splitlines() if "| ERROR" in line]
    assert "The target has ended, so the run is not complete. Check the target's log." in error
