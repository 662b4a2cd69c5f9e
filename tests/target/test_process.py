"""The command as a process: exit codes, SIGKILL, SIGTERM, stdout and stderr."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
from pathlib import Path
from typing import IO, Any

import pytest
from waiting import until

from .conftest import Wiring, lines, record, schema, state
from .test_never_twice import journal

TEN_BATCHES = lines(schema("manual_journals", "id"), *map(journal, range(1, 501)), state("all"))
TWO_BATCHES = lines(schema("manual_journals", "id"), *map(journal, range(1, 101)), state("all"))


class Command:
    """target-xero as a process of its own."""

    def __init__(self, wiring: Wiring, folder: Path) -> None:
        self.config = folder / "config.json"
        self.config.write_text(json.dumps(wiring.config))
        self.folder = folder

    def start(self, text: str) -> subprocess.Popen[str]:
        source = self.folder / "input.singer"
        source.write_text(text)
        command = [sys.executable, "-m", "target_xero", "--config", str(self.config), "--input", str(source)]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(
            command, cwd=Path(__file__).parents[2], env={**os.environ, "NO_COLOR": "1"}, **pipes
        )

    def run(self, text: str) -> tuple[int, str, str]:
        with self.start(text) as process:
            out, error = process.communicate(timeout=60)
        return process.returncode, out, error


@pytest.fixture
def command(wiring: Wiring, tmp_path: Path) -> Command:
    return Command(wiring, tmp_path)


def unread(pipe: IO[str]) -> int:
    """Bytes that the reader of a pipe has not read yet."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def all_there_once(wiring: Wiring, number: int = 100) -> None:
    narrations = sorted(r["Narration"] for r in wiring.records("ManualJournals"))
    assert narrations == sorted(f"Journal {n}" for n in range(1, number + 1))


def test_a_run_without_rejects_ends_with_0_and_the_state_on_stdout(command: Command):
    code, out, error = command.run(TWO_BATCHES)
    assert (code, out) == (0, '"all"\n')
    assert "created" in error


def test_a_run_with_a_reject_ends_with_1_and_still_passes_on_the_state(command: Command, wiring: Wiring):
    code, out, error = command.run(
        lines(
            schema("contacts", "id"),
            record("contacts", id=1, Name="Abel"),
            record("contacts", id=2),
            state("all"),
        )
    )
    assert (code, out) == (1, '"all"\n')
    assert "contacts id=2 rejected: Name: it is required for a new record of contacts" in error
    assert len(wiring.records("Contacts")) == 1


@pytest.mark.parametrize("dry_run", [True, False])
def test_the_first_line_of_every_run_names_the_organisation(command: Command, wiring: Wiring, dry_run: bool):
    command.config.write_text(json.dumps({**wiring.config, "dry_run": dry_run}))
    for text in (TWO_BATCHES, lines(state("all"))):
        code, _, error = command.run(text)
        assert code == 0
        assert f"= {wiring.tenant}" in error.splitlines()[0]
        assert "Writing to" in error.splitlines()[0]


def test_a_user_s_error_is_one_line_and_no_traceback(command: Command):
    code, out, error = command.run('{"type": "RECORD"\n')
    assert (code, out) == (1, "")
    assert "Line 1 of the input is not JSON" in error
    assert "Traceback" not in error


@pytest.mark.parametrize("done", [True, False], ids=["done by xero", "not done yet"])
def test_a_kill_with_five_batches_in_flight_doubles_nothing(command: Command, wiring: Wiring, done: bool):
    held_back = wiring.xero.admin.fault("hold", method="PUT", path="ManualJournals", count=5)
    with command.start(TEN_BATCHES) as process:
        wiring.xero.admin.wait(held_back, hits=5)
        process.kill()
    assert len(wiring.in_flight()) == 250
    if done:
        wiring.xero.admin.release()
        until(lambda: len(wiring.records("ManualJournals")) == 250, seconds=20)
    # Without that, the next run sends the same five requests again, under the same keys.
    code, out, error = command.run(TEN_BATCHES)
    assert (code, out) == (0, '"all"\n')
    assert f"the answers for 250 records; Xero has {250 if done else 0} of them" in error
    wiring.xero.admin.release()
    until(lambda: all(call["status"] for call in wiring.writes()), seconds=20)
    all_there_once(wiring, 500)


def test_after_sigterm_requests_in_flight_are_answered_and_no_more_are_sent(command: Command, wiring: Wiring):
    held_back = wiring.xero.admin.fault("hold", method="PUT", path="ManualJournals", count=5)
    with command.start(TEN_BATCHES) as process:
        wiring.xero.admin.wait(held_back, hits=5)
        process.send_signal(signal.SIGTERM)
        wiring.xero.admin.release()
        out, error = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out == ""
    assert "stopping as soon as the requests in flight are answered" in error
    assert len(wiring.records("ManualJournals")) == 250
    assert wiring.in_flight() == []
    assert command.run(TEN_BATCHES)[:2] == (0, '"all"\n')
    all_there_once(wiring, 500)


def test_sigterm_while_the_input_is_read_ends_the_run_before_anything_is_sent(
    command: Command, wiring: Wiring, tmp_path: Path
):
    fifo = tmp_path / "input"
    os.mkfifo(fifo)
    arguments = [sys.executable, "-m", "target_xero", "--config", str(command.config), "--input", str(fifo)]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with process, fifo.open("w") as pipe:
        pipe.write(TWO_BATCHES)
        pipe.flush()
        until(lambda: unread(pipe) == 0, seconds=20)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert out == ""
    assert wiring.records("ManualJournals") == []
    assert wiring.writes() == []


def test_no_secret_and_no_content_of_a_record_reaches_the_log(command: Command, wiring: Wiring):
    code, _, error = command.run(
        lines(
            schema("contacts", "id"),
            record("contacts", id=1, Name="Abel", BankAccountDetails="12-3456-0000001-00"),
            record(
                "contacts", id=2, Name="Bert", EmailAddress="nowhere", BankAccountDetails="12-3456-0000002-00"
            ),
        )
    )
    assert code == 1
    assert "contacts id=2 rejected" in error
    assert "12-3456" not in error
    assert str(wiring.config["client_secret"]) not in error


@pytest.mark.parametrize(
    ("setting", "code"), [({}, 0), ({"on_difference": "warn"}, 0), ({"on_difference": "fail"}, 1)]
)
def test_the_exit_code_reports_differences_if_on_difference_is_fail(
    wiring: Wiring, tmp_path: Path, setting: dict[str, str], code: int
):
    wiring.config |= setting
    contact = [schema("contacts", "id"), record("contacts", id=1, Name="Abel")]
    line = {"Description": "Work", "UnitAmount": 10, "AccountCode": "200"}
    invoice = record("invoices", id=1, Type="ACCREC", contact_name="Abel", LineItems=[line], Total=12)
    result, out, error = Command(wiring, tmp_path).run(
        lines(*contact, schema("invoices", "id"), invoice, state("all"))
    )
    assert (result, out) == (code, '"all"\n')
    assert "invoices id=1 differs in Xero: Total: expected 12, got 11.50" in error
    assert "1 written, but Xero stores different values" in error
