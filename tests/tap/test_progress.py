"""The progress of a run: rows, calls, the rest of the daily limit and the remaining time; and its summary."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from tap_xero.streams.progress import Progress
from xero_sandbox import AdminClient

from .company import HARBOUR_NAME
from .runs import command, read


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> tuple[Progress, Clock, list[str]]:
    """A progress that stores its lines, for contacts of Harbour Limited after 3 calls."""
    clock, lines = Clock(), []
    reading = mock.MagicMock(calls=3)
    reading.row.name, reading.organisation.name = "contacts", HARBOUR_NAME
    reading.source.client.usage.return_value.day_left = 4321
    reading.logger.info = lambda text, *values: lines.append(text % values)
    return Progress(reading, clock), clock, lines


def test_rows_calls_and_remaining_time_are_logged(said: Any) -> None:
    progress, clock, lines = said
    clock.now = 20.0
    progress.tell(2_000, 8_000)
    assert lines == [
        "contacts of Harbour Limited: 2,000 of 10,000 rows, about 1 minute 20 seconds to go (3 calls, 4,321 left today)"
    ]


def test_a_line_is_logged_every_ten_seconds_at_most(said: Any) -> None:
    progress, clock, lines = said
    for second in range(0, 60):
        clock.now = float(second)
        progress.tell(100, 10_000)
    assert len(lines) == 5


def test_without_a_total_only_rows_are_logged(said: Any) -> None:
    progress, clock, lines = said
    clock.now = 11.0
    progress.tell(1_500, None)
    assert lines == ["contacts of Harbour Limited: 1,500 rows (3 calls, 4,321 left today)"]


def test_each_list_ends_with_its_rows_and_its_calls(config: dict[str, Any], admin: AdminClient) -> None:
    admin.limits(enabled=True, start_afresh=True)
    run = read({**config, "page_size": 3}, "contacts", "items", "tax_rates")
    lines = [line for line in run.said() if f" of {HARBOUR_NAME}: " in line]
    patterns = [
        r"contacts of Harbour Limited: 7 rows \(\d+ calls, 4,\d{3} left today\)",
        r"items of Harbour Limited: 3 rows \(1 call, 4,\d{3} left today\)",
        r"tax_rates of Harbour Limited: 1 row \(1 call, 4,\d{3} left today\)",
    ]
    assert len(lines) == len(patterns)
    for line, pattern in zip(lines, patterns, strict=True):
        assert re.fullmatch(pattern, line), line


def test_a_long_list_logs_its_progress(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Progress, "EVERY", 0.0)
    run = read({**config, "page_size": 2}, "contacts")
    lines = [line for line in run.said() if "rows" in line and "contacts of" in line]
    assert re.match(r"contacts of Harbour Limited: 2 of 7 rows, about .* to go \(", lines[0])
    assert lines[-1].startswith("contacts of Harbour Limited: 7 rows (")


def test_the_last_lines_have_the_cost_of_each_organisation(
    config: dict[str, Any], admin: AdminClient, tmp_path: Path
) -> None:
    admin.limits(enabled=True, start_afresh=True)
    done = command(config=config, at=tmp_path)
    assert done.code == 0
    last = done.err.splitlines()[-1]
    calls = len([call for call in admin.calls() if "/api.xro/" in call["path"]])
    expected = (
        rf"Harbour Limited: {calls} calls, {5000 - calls:,} left today, 0\.\d MB received, 0 s waited\."
    )
    assert re.search(expected, last), last
