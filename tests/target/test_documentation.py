"""The examples of docs/writing.md run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from .conftest import Wiring

PAGE = Path(__file__).parents[2] / "docs" / "writing.md"
EXAMPLES = re.findall(r"```jsonl\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_written_and_the_second_time_unchanged(wiring: Wiring, example: str):
    messages = [json.loads(line) for line in example.splitlines()]
    keys = {one["stream"]: one["key_properties"] for one in messages if one["type"] == "SCHEMA"}
    # Rows with the same key are one document.
    given = [(one["stream"], one["record"]) for one in messages if one["type"] == "RECORD"]
    records = len({(stream, *(str(row[key]) for key in keys[stream])) for stream, row in given})
    run = wiring.write(example)
    assert run.error is None
    assert sum(count.created for count in run.counts.values()) == records
    again = wiring.write(example)
    assert sum(count.unchanged for count in again.counts.values()) == records
