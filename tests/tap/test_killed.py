"""A run that ends anywhere, by whatever hand, leaves a state from which the next one brings the rest."""

from __future__ import annotations

import fcntl
import json
import signal
import subprocess
import sys
import termios
from array import array
from pathlib import Path
from typing import Any

import pytest

from singer_xero.objects import OBJECTS
from tap_xero import paging
from tap_xero.streams import XeroStream
from xero_sandbox import Desk

from .company import guid
from .runs import Run, command, last_state, own_environment, read, records_of, started, until
from .test_command import only

STREAMS = ("contacts", "items", "journals", "manual_journals")


@pytest.fixture
def chatty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A state after every record, and proofs every two pages, as a list of 200,000 rows would have them."""
    monkeypatch.setattr(XeroStream, "STATE_MSG_FREQUENCY", 1)
    monkeypatch.setattr(paging, "BLOCK", 2)


def versions(messages: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
    """Stream, key and time of change of each record."""
    return {
        (stream, record[OBJECTS[stream].key[0]], record[str(OBJECTS[stream].marker)])
        for stream, records in records_of(messages).items()
        for record in records
    }


def states_of(run: Run) -> list[int]:
    """Where in a run a STATE differs from the one before."""
    found, before = [], None
    for place, message in enumerate(run.messages):
        if message["type"] == "STATE" and message["value"] != before:
            before = message["value"]
            found.append(place)
    return found


@pytest.mark.usefixtures("chatty")
@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize("streams", [("contacts",), STREAMS], ids=len)
def test_from_every_state_that_was_printed_the_rest_is_read(
    config: dict[str, Any], desk: Desk, streams: tuple[str, ...], after: int
) -> None:
    """A target that dies keeps what came before a STATE; what came after it is not counted on here."""
    settings = {**config, "page_size": 2}
    desk.fault("edit", path="Contacts", resource="Contacts", id=guid("c", 1), after=after)
    run = read(settings, *streams)
    everything = versions(read(settings, *streams).messages)
    places = states_of(run)
    assert len(places) > len(streams)
    for place in places:
        state = run.messages[place]["value"]
        rest = read(settings, *streams, state=state)
        assert everything <= versions(run.messages[:place]) | versions(rest.messages), state


@pytest.mark.usefixtures("chatty")
def test_no_bookmark_is_ever_beyond_what_was_passed_on(config: dict[str, Any], desk: Desk) -> None:
    desk.fault("edit", path="Contacts", resource="Contacts", id=guid("c", 1))
    newest: dict[str, Any] = {}
    for message in read({**config, "page_size": 2}, *STREAMS).messages:
        if message["type"] == "RECORD":
            marker = message["record"][str(OBJECTS[message["stream"]].marker)]
            newest[message["stream"]] = max(marker, newest.get(message["stream"], marker))
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


@pytest.mark.parametrize(
    "held", [{"path": "Contacts", "after": 0}, {"path": "Items"}, {"path": "Journals", "after": 1}]
)
def test_a_killed_process_leaves_whole_lines_and_a_state_to_go_on_from(
    config: dict[str, Any], desk: Desk, tmp_path: Path, held: dict[str, Any]
) -> None:
    arguments = ("--catalog", only(tmp_path, *STREAMS))
    number = desk.fault("hold", **held)
    process = started(*arguments, config=config, at=tmp_path)
    desk.wait(number)
    process.kill()
    process.join(10)
    desk.clear_faults()
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


def test_a_terminated_process_writes_its_state_and_says_by_its_exit_code_that_it_is_not_done(
    config: dict[str, Any], desk: Desk, tmp_path: Path
) -> None:
    number = desk.fault("hold", path="Contacts")
    process = started("--catalog", only(tmp_path, "accounts", "contacts"), config=config, at=tmp_path)
    desk.wait(number)
    until(lambda: "Beginning sync of 'contacts'" in (tmp_path / "stderr").read_text(encoding="utf-8"))
    process.terminate()
    until(lambda: "Gracefully shutting down" in (tmp_path / "stderr").read_text(encoding="utf-8"))
    desk.release(number)
    process.join(20)
    assert process.exitcode == 128 + signal.SIGTERM
    messages = [json.loads(line) for line in (tmp_path / "stdout").read_text(encoding="utf-8").splitlines()]
    assert messages[-1]["type"] == "STATE"
    accounts = last_state(messages)["bookmarks"]["accounts"]["partitions"][0]
    assert accounts["replication_key_value"] == "2026-11-01T00:00:09.000000Z"
    assert "Traceback" not in (tmp_path / "stderr").read_text(encoding="utf-8")


def test_a_process_killed_while_nobody_reads_its_output_loses_no_row(
    config: dict[str, Any], desk: Desk, tmp_path: Path
) -> None:
    """The pipe is full, and the process waits within a block of lines; the last line may end anywhere."""
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
        until(lambda: waiting_in(pipe) >= 60_000)
        process.kill()
        lines = process.stdout.read().splitlines(keepends=True)
    first = [json.loads(line) for line in lines if line.endswith(b"\n")]
    assert versions(first)
    second = read(config, *streams, state=last_state(first))
    assert versions(read(config, *streams).messages) == versions(first) | versions(second.messages)


def waiting_in(pipe: int) -> int:
    """The bytes that nobody has read yet."""
    count = array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]
