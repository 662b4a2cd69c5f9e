"""Compares tap-xero and target-xero with other taps and targets, and with Xero's limits.

    python -m benchmarks                      # all parts except the long ones
    python -m benchmarks read start           # some parts
    python -m benchmarks --records 10000 --repeats 3 read

Each contender is installed like its users would install it, into its own environment in `.bench/`. Runs are
interleaved. Numbers are medians, with the lowest and the highest value in brackets. CPU seconds are the user and system
time of the program itself.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import calls, end_to_end, environments, ledger, measure, reading, writing

DEFAULT = ("read", "varied", "equal", "sandbox", "start", "calls", "memory", "latency", "write")
LONG = ("whole", "million", "rows", "limit", "end-to-end", "dbt")
#: Parts that need no rivals.
ALONE = {"end-to-end", "dbt"}


def main() -> int:
    """Run the requested parts."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="part", help=f"one of {', '.join(DEFAULT + LONG)}")
    parser.add_argument("--records", type=int, default=30_000, help="invoices to read (default: 30,000)")
    parser.add_argument("--invoices", type=int, default=100_000, help="invoices for `dbt` (default: 100,000)")
    parser.add_argument("--repeats", type=int, default=5, help="repetitions (default: 5)")
    parser.add_argument(
        "--keep",
        action="store_true",
        help="use the environments in `.bench/` even if the sources have changed",
    )
    parser.add_argument("--all", action="store_true", help="all parts, including those that take minutes")
    options = parser.parse_args()
    unknown = [part for part in options.parts if part not in DEFAULT + LONG]
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}")
    wanted = options.parts or (DEFAULT + LONG if options.all else DEFAULT)
    records, repeats = options.records, options.repeats
    parts: dict[str, Callable[[Path], None]] = {
        "read": lambda folder: reading.from_pages(folder, records, repeats),
        "varied": lambda folder: reading.varied(folder, records, repeats),
        "equal": lambda folder: reading.equal(folder, 2000),
        "sandbox": lambda folder: reading.from_sandbox(folder, min(records, 20_000), max(1, repeats // 2)),
        "start": lambda folder: reading.start_up(folder, 2 * repeats),
        "calls": calls.count,
        "memory": lambda folder: reading.memory(folder, [100_000]),
        "latency": calls.waits,
        "write": lambda folder: writing.write(folder, repeats),
        "whole": lambda folder: reading.whole(folder, [20_000, 200_000], repeats),
        "rows": lambda folder: reading.rows(folder, [1_000_000, 3_000_000, 10_000_000]),
        "million": lambda folder: reading.memory(folder, [1_000_000]),
        "limit": calls.limit,
        "end-to-end": lambda folder: end_to_end.end_to_end(
            folder, min(records, 20_000), max(1, repeats // 2)
        ),
        "dbt": lambda folder: ledger.build(folder, options.invoices),
    }
    for name in environments.RIVALS if not ALONE.issuperset(wanted) else ():
        if not (options.keep and environments.python_of(name).exists()):
            environments.install(name)
    measure.on_core(0)
    print(f"Measured on {measure.machine()}.")
    failed = False
    for part in wanted:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            try:
                parts[part](Path(folder))
            except measure.Failed as error:
                failed = True
                print(f"\n{part} failed: {error}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
