"""A full disk, wherever something is written: one line that says where, and no record lost or doubled."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from full_disk import of_its_own

from .conftest import Wiring, lines, record, schema

ROOT = Path(__file__).parents[2]
MANY = lines(
    schema("contacts", "id"), *(record("contacts", id=str(n), Name=f"{n}" * 50) for n in range(2_000))
)
BAD = lines(
    schema("contacts", "id"),
    *(record("contacts", id=str(n), Name="", AccountNumber="x" * 40) for n in range(400)),
)
ROWS = lines(
    schema("invoices", "InvoiceNumber"),
    *({"type": "RECORD", "stream": "invoices", "record": {
        "*ContactName": "A", "*InvoiceNumber": f"I{n}", "*InvoiceDate": "2026-01-01", "*DueDate": "2026-01-01",
        "*Description": "x" * 200, "*Quantity": 1, "*UnitAmount": 1, "*AccountCode": "200", "*TaxType": "NONE",
    }} for n in range(2_000)),
)  # fmt: skip

Run = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def run(wiring: Wiring, tmp_path: Path) -> Run:
    """Runs target-xero with a small file system at `full`; returns the exit code and the errors."""
    (tmp_path / "full").mkdir()

    def start(text: str, size: str, **settings: str) -> tuple[int, list[str]]:
        variables = {name: settings.pop(name) for name in ("TMPDIR",) if name in settings}
        (tmp_path / "config.json").write_text(json.dumps({**wiring.config, **settings}))
        (tmp_path / "input").write_text(text)
        full = of_its_own(f"mount -t tmpfs -o size={size} none '{tmp_path}/full'")
        command = [sys.executable, "-m", "target_xero", "--config", tmp_path / "config.json"]
        with (tmp_path / "input").open("rb") as source:
            done = subprocess.run(
                [*full, *command], cwd=ROOT, stdin=source, capture_output=True, text=True, check=False,
                env={**os.environ, **variables},
            )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, [line for line in done.stderr.splitlines() if "| ERROR" in line]

    return start


@pytest.mark.parametrize("text", [MANY, ROWS], ids=["records", "rows"])
def test_a_full_temporary_disk_is_reported_and_nothing_is_written(
    run: Run, wiring: Wiring, tmp_path: Path, text: str
) -> None:
    code, errors = run(text, "100k", TMPDIR=str(tmp_path / "full"))
    (error,) = errors
    assert code == 1
    assert f"The input can't be kept until its end in {tmp_path}/full: No space left on device." in error
    assert "TMPDIR" in error
    assert wiring.writes() == []


@pytest.mark.parametrize("size", ["8k", "300k"])
def test_a_full_disk_of_the_log_is_reported_and_the_next_run_doubles_nothing(
    run: Run, wiring: Wiring, tmp_path: Path, size: str
) -> None:
    code, errors = run(MANY, size, write_log_path=str(tmp_path / "full" / "writes.db"))
    assert code == 1
    assert "The disk has no space left for the log of writes" in errors[-1]
    assert len(wiring.records("Contacts")) < 2_000


def test_a_full_disk_of_the_rejects_is_reported(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "full" / "rejects.singer"
    code, errors = run(BAD, "8k", rejects_path=str(path))
    assert code == 1
    assert f"rejects_path: {path} can't be written: No space left on device." in errors[-1]


def test_a_locked_log_is_reported(wiring: Wiring) -> None:
    first = wiring.write(schema("contacts", "id"), record("contacts", id="1", Name="One"))
    assert first.error is None
    connection = sqlite3.connect(wiring.config["write_log_path"], isolation_level=None)
    wiring.opened.append(connection)
    connection.execute("BEGIN EXCLUSIVE")
    held = wiring.write(schema("contacts", "id"), record("contacts", id="2", Name="Two"))
    assert str(held.error) == (
        f"Another program holds the log of writes {wiring.config['write_log_path']}: close it and run again."
    )
    connection.execute("ROLLBACK")
    after = wiring.write(schema("contacts", "id"), record("contacts", id="2", Name="Two"))
    assert after.count("contacts") == {"created": 1}


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_link_in_place_of_the_log_is_not_followed(wiring: Wiring, tmp_path: Path, dry_run: bool) -> None:
    wiring.write(schema("contacts", "id"), record("contacts", id="1", Name="One"))
    real = Path(wiring.config["write_log_path"])
    elsewhere = real.rename(tmp_path / "elsewhere.db")
    real.symlink_to(elsewhere)
    before = elsewhere.read_bytes()
    run = wiring.write(schema("contacts", "id"), record("contacts", id="2", Name="Two"), dry_run=dry_run)
    assert "it is a symbolic link, which is not followed" in str(run.error)
    assert elsewhere.read_bytes() == before
