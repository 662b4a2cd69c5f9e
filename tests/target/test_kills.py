"""Real kills of a real process lose and double nothing, wherever the log of writes is.

`python -m benchmarks.kills --kills 400` is the long version.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.kills import kill_often


@pytest.mark.parametrize("log", ["file", "postgresql"])
def test_killed_runs_lose_and_double_nothing(log: str, tmp_path: Path, request: pytest.FixtureRequest):
    place = str(tmp_path / "writes.db") if log == "file" else request.getfixturevalue("log_in_postgres")
    outcome = kill_often(5, place, tmp_path)
    assert (outcome.struck, outcome.lost, outcome.doubled) == (5, 0, 0)
    assert outcome.written >= 250
