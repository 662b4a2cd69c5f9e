"""Kills target-xero repeatedly while it writes, and counts the records that are lost or written twice.

python -m benchmarks.kills --kills 400 --log file
python -m benchmarks.kills --kills 400 --log postgresql
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo import postgres
from xero_sandbox import Sandbox, apps

ROOT = Path(__file__).resolve().parent.parent

#: Manual journals of a round, and those of a request: 25 requests, of which five are in flight at once. Xero has no
#: unique number or name for them.
_RECORDS, _BATCH = 250, 10


@dataclass(frozen=True)
class Outcome:
    """The result of all kills; `struck` of them hit a running process."""

    struck: int
    written: int
    lost: int
    doubled: int

    def __str__(self) -> str:
        return f"kills {self.struck}, written {self.written}, lost {self.lost}, doubled {self.doubled}"


class Round:
    """Manual journals that several runs try to write; only the last run is not killed."""

    def __init__(self, xero: Sandbox, folder: Path, config: dict[str, Any], number: int) -> None:
        self._xero = xero
        self._config = folder / "config.json"
        self._config.write_text(json.dumps(config))
        self._input = folder / "input.singer"
        self.names = [f"Journal {number}-{place}" for place in range(_RECORDS)]
        amounts = [{"LineAmount": 5, "AccountCode": "477"}, {"LineAmount": -5, "AccountCode": "825"}]
        head = {"type": "SCHEMA", "stream": "manual_journals", "schema": {"properties": {}}}
        messages: list[dict[str, Any]] = [{**head, "key_properties": ["id"]}]
        for name in self.names:
            record = {"id": name, "narration": name, "date": "2026-11-05", "journal_lines": amounts}
            messages.append({"type": "RECORD", "stream": "manual_journals", "record": record})
        self._input.write_text("".join(json.dumps(message) + "\n" for message in messages))

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "target_xero", "--config", self._config, "--input", self._input]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self, chance: random.Random) -> bool:
        """Kill a run at a random time after its first write. Returns whether it was still running."""
        self._xero.admin.forget_calls()
        with self._start() as process:
            while process.poll() is None and not self._xero.admin.calls("/ManualJournals", "PUT"):
                time.sleep(0.002)
            time.sleep(chance.random() ** 2 * 0.5)
            alive = process.poll() is None
            process.kill()
        if chance.random() < 0.5:  # long enough that Xero forgets the Idempotency-Key
            self._xero.admin.advance(400)
        return alive

    def end(self) -> None:
        """Run to completion."""
        with self._start() as process:
            if process.wait() != 0:
                raise SystemExit(f"a run that was not killed ended with exit code {process.returncode}")


def kill_often(
    kills: int, write_log_path: str, folder: Path, seed: int = 1, verbose: bool = False
) -> Outcome:
    """Kill this many runs that share one log of writes; `verbose` prints the counts after each round."""
    chance, struck, number = random.Random(seed), 0, 0
    expected: list[str] = []
    outcome = Outcome(0, 0, 0, 0)
    with Sandbox(company="empty", limits=False) as xero:
        config = {
            **apps.CUSTOM_CONNECTION.settings(xero.url),
            "token_path": str(folder / "tokens.json"),
            "write_log_path": write_log_path,
            "batch_size": _BATCH,
            "rejects_path": str(folder / "rejects.singer"),
        }
        while struck < kills:
            number += 1
            one = Round(xero, folder, config, number)
            for _ in range(chance.randint(1, min(4, kills - struck))):
                struck += one.kill(chance)
            one.end()
            expected += one.names
            there = Counter(record["Narration"] for record in xero.admin.records("ManualJournals"))
            lost = sum(1 for name in expected if name not in there)
            outcome = Outcome(struck, len(expected), lost, sum(times - 1 for times in there.values()))
            if verbose:
                print(outcome, flush=True)
    return outcome


@contextmanager
def place_of(log: str, folder: Path) -> Iterator[str]:
    """The `write_log_path`: a file, or the URL of a PostgreSQL that runs while the context is open."""
    if log == "file":
        yield str(folder / "ledger.db")
    elif given := os.environ.get("TEST_POSTGRES_URL"):
        yield given
    else:
        with postgres.running(folder / "postgres", keep=False) as server:
            yield server.url


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=100, help="number of kills (default: 100)")
    parser.add_argument(
        "--log", choices=["file", "postgresql"], default="file", help="storage of the log of writes"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed for the times of the kills")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, place_of(options.log, Path(folder)) as write_log_path:
        outcome = kill_often(options.kills, write_log_path, Path(folder), options.seed, verbose=True)
    return 1 if outcome.lost or outcome.doubled else 0


if __name__ == "__main__":
    sys.exit(main())
