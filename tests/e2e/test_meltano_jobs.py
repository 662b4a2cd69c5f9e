"""Runs under Meltano that meet, break off, or share state."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from demo import install

JOB = "demo:tap-xero-to-target-jsonl"
SELECTED = {"TAP_XERO__SELECT": '["contacts.*", "payments.*", "journals.*"]'}


@pytest.fixture
def own(project: Any, tmp_path: Path) -> Any:
    """A project that no other test uses."""
    return project.another(tmp_path)


def start(own: Any, *arguments: str) -> subprocess.Popen[str]:
    """Start a run and return its process."""
    environment = {name: value for name, value in install.environment().items() if "MELTANO" not in name}
    environment |= {"MELTANO_PROJECT_ROOT": str(own.folder), "XDG_STATE_HOME": str(own.folder / "state")}
    command = [Path(sys.executable).parent / "meltano", "--environment=demo", *arguments]
    return subprocess.Popen(
        command,
        cwd=own.folder,
        env=environment | SELECTED,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def rows(own: Any) -> dict[str, set[str]]:
    """The keys of the rows that target-jsonl wrote, by stream."""
    keys = {"contacts": "ContactID", "payments": "PaymentID", "journals": "JournalID"}
    return {
        path.stem: {json.loads(line)[keys[path.stem]] for line in path.read_text().splitlines()}
        for path in (own.folder / ".demo/jsonl").glob("*.jsonl")
    }


def bookmarks(own: Any) -> dict[str, Any]:
    said = own.meltano("--environment=demo", "--log-level=error", "state", "get", JOB)
    found: dict[str, Any] = json.loads(said[said.index("{") :])["singer_state"]["bookmarks"]
    return found


def test_a_run_that_was_stopped_is_continued_and_ends_complete(own: Any) -> None:
    with start(own, "run", "tap-xero", "target-jsonl") as process:
        assert process.stdout is not None
        while line := process.stdout.readline():
            if "contacts of" in line:  # the tap has read a first list
                break
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
    assert process.returncode != 0
    own.meltano("--environment=demo", "run", "tap-xero", "target-jsonl", **SELECTED)
    interrupted = rows(own)
    own.meltano("--environment=demo", "run", "--full-refresh", "tap-xero", "target-jsonl", **SELECTED)
    assert interrupted == rows(own)
    assert {name: len(keys) for name, keys in interrupted.items()} == {
        "contacts": 174,
        "payments": 1197,
        "journals": 3380,
    }


def test_meltano_refuses_a_second_run_of_the_same_job(own: Any) -> None:
    with start(own, "run", "tap-xero", "target-jsonl") as first:
        assert first.stdout is not None
        while "contacts of" not in (line := first.stdout.readline()):
            assert line
        first.send_signal(signal.SIGSTOP)  # it must not end before the second run starts
        try:
            with start(own, "run", "tap-xero", "target-jsonl") as second:
                said, _ = second.communicate()
        finally:
            first.send_signal(signal.SIGCONT)
        first.stdout.read()
    assert first.returncode == 0
    assert second.returncode == 1
    assert "already running" in said


def test_merging_states_replaces_the_bookmarks_of_a_stream(own: Any) -> None:
    own.meltano("--environment=demo", "run", "tap-xero", "target-jsonl", **SELECTED)
    before = bookmarks(own)
    other = {"contacts": {"partitions": [{"context": {"tenant_id": "other"}}]}}
    (own.folder / "other.json").write_text(json.dumps({"singer_state": {"bookmarks": other}}))
    own.meltano("--environment=demo", "state", "merge", JOB, "--input-file", "other.json")
    assert bookmarks(own) == {**before, **other}
