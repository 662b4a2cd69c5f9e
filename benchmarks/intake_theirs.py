"""The SDK's default sink with its validation and its batches of 10,000, which are not written.

python intake_theirs.py messages.jsonl
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from singer_sdk import BatchSink, Target


class Sink(BatchSink):
    """Counts."""

    taken = 0

    def process_batch(self, context: dict[str, Any]) -> None:
        """Count the records, in place of a write."""
        Sink.taken += len(context["records"])


class TargetStubbed(Target):
    """The target."""

    name = "target-stubbed"
    default_sink_class = Sink
    config_jsonschema = {"properties": {}}


if __name__ == "__main__":
    with Path(sys.argv[1]).open() as lines:
        TargetStubbed(config={}).listen(lines)
    print(Sink.taken)
