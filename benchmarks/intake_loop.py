"""What the one compiled function for each type of record saves the intake, against a loop over a function a field.

python -m benchmarks.intake_loop messages.jsonl

Prints the CPU of the intake with the compiled function, and with the loop, in µs a record: the least of several rounds
that alternate. `benchmarks.writing.messages` writes such a file.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from target_xero.intake import record_types
from target_xero.target import TargetXero

_ROUNDS = 5
_compiled = record_types._tidying


def looped(ops: Sequence[str], known: dict[str, Any]) -> Callable[[Any], None]:
    """Return a loop over the steps of `record_types`; each is compiled alone, which is as fast as it can be."""
    steps = [_compiled([op], known) for op in ops if op]

    def tidy(record: Any) -> None:
        for step in steps:
            step(record)

    return tidy


class Intake(TargetXero):
    """Ends with the input."""

    def process_endofpipe(self) -> None:
        """Delete the temporary files."""
        self.intake.close()


def cost(path: Path, tidying: Callable[..., Callable[[Any], None]]) -> float:
    """Return the CPU of the intake for each record of a file, in µs."""
    record_types._tidying = tidying
    target = Intake(config={"client_id": "unused"})
    with path.open() as lines:
        begun = time.process_time()
        target.listen(lines)
        return 1e6 * (time.process_time() - begun) / sum(target.intake.counts.values())


def main() -> None:
    """Measure both."""
    path = Path(sys.argv[1])
    costs = [(cost(path, _compiled), cost(path, looped)) for _ in range(_ROUNDS)]
    for name, least in zip(("compiled", "loop"), map(min, zip(*costs, strict=True)), strict=True):
        print(f"{name}: {least:.1f} µs a record")


if __name__ == "__main__":
    main()
