"""Measures `meltano run tap-xero <target>`: wall time, and the CPU of Meltano, tap and target."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from benchmarks import contenders, environments, measure
from benchmarks.environments import OURS
from benchmarks.measure import Sample, Spread, say
from benchmarks.tables import titled
from demo import postgres

MELTANO, POSTGRES, DUCKDB, JSONL = "meltano", "target-postgres", "target-duckdb", "target-jsonl"
#: A wrapper that runs a program and logs its CPU seconds.
TIMED = """\
#!{python} -SE
import os, resource, subprocess, sys
code = subprocess.call([{program!r}, *sys.argv[1:]])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
if "--config" in sys.argv and "--discover" not in sys.argv:
    with open({log!r}, "a") as file:
        file.write(f"{{used.ru_utime + used.ru_stime}}\\n")
sys.exit(code)
"""


@dataclass(frozen=True)
class Way:
    """A target with its settings, and settings of the tap."""

    title: str
    target: str
    settings: dict[str, Any] = field(default_factory=dict)
    tap: dict[str, Any] = field(default_factory=dict)


WAYS = [
    Way("target-postgres", POSTGRES, {"validate_records": False}),
    Way("target-postgres, validating", POSTGRES, {"validate_records": True}),
    Way(
        "target-postgres, flattened to depth 1",
        POSTGRES,
        {"validate_records": False},
        {"flattening_enabled": True, "flattening_max_depth": 1},
    ),
    Way("target-duckdb", DUCKDB),
    Way("target-jsonl", JSONL, {"do_timestamp_file": False}),
]


class Project:
    """A Meltano project with tap-xero and one target."""

    def __init__(self, folder: Path, way: Way, place: contenders.Place, database: str) -> None:
        self.folder = folder
        folder.mkdir()
        own = {
            POSTGRES: {"sqlalchemy_url": database, "default_target_schema": f"bench_{folder.name}"},
            DUCKDB: {"path": str(folder / "xero.duckdb"), "default_target_schema": "main"},
            JSONL: {"destination_path": str(folder)},
        }
        tap = {**place.settings(folder), **way.tap}
        plugins = {
            "extractors": [self._plugin("tap-xero", OURS, tap, ["catalog", "state", "discover"])],
            "loaders": [self._plugin(way.target, way.target, {**own[way.target], **way.settings}, [])],
        }
        project = {
            "requires_meltano": ">=4.4",
            "project_id": "benchmark",
            "send_anonymous_usage_stats": False,
            "cli": {"disable_version_check": True},
            "default_environment": "dev",
            "environments": [{"name": "dev"}],
            "plugins": plugins,
        }
        (folder / "meltano.yml").write_text(yaml.safe_dump(project, sort_keys=False), encoding="utf-8")

    def _plugin(
        self, name: str, environment: str, config: dict[str, Any], capabilities: list[str]
    ) -> dict[str, Any]:
        program = self.folder / name
        text = TIMED.format(
            python=environments.python_of(environment),
            program=str(environments.program(environment, name)),
            log=str(self.folder / f"{name}.cpu"),
        )
        program.write_text(text, encoding="utf-8")
        program.chmod(0o755)
        plugin: dict[str, Any] = {
            "name": name,
            "namespace": name.replace("-", "_"),
            "executable": str(program),
            "settings": [{"name": setting} for setting in config],
            "config": config,
        }
        if capabilities:
            plugin |= {"capabilities": capabilities, "select": ["invoices.*"]}
        return plugin

    def run(self, target: str) -> tuple[Sample, float, float]:
        """Run once. Returns the sample of the whole, and the CPU seconds of tap and target."""
        for log in self.folder.glob("*.cpu"):
            log.unlink()
        meltano = environments.program(MELTANO, "meltano")
        command = [meltano, "--cwd", self.folder, "--log-level=error", "run", "tap-xero", target]
        env = contenders.environment(self.folder) | {"MELTANO_PROJECT_ROOT": str(self.folder)}
        whole = measure.run(command, env=env)
        cpu = [
            sum(map(float, (self.folder / f"{name}.cpu").read_text().split()))
            for name in ("tap-xero", target)
        ]
        return whole, cpu[0], cpu[1]


@contextmanager
def _database(folder: Path) -> Iterator[str]:
    with postgres.running(folder / "postgres", keep=False) as server:
        yield server.url.replace("postgresql://", "postgresql+psycopg://")


def end_to_end(folder: Path, records: int, repeats: int) -> None:
    """Load invoices in each way, and again without changes; print a table of both."""
    for name in (OURS, MELTANO, POSTGRES, DUCKDB, JSONL):
        environments.install(name)
    rows, idle = [], []
    with contenders.sandbox("--invoices", str(records)) as place, _database(folder) as database:
        for number, way in enumerate(WAYS):
            samples, again = [], []
            for turn in range(repeats):
                project = Project(folder / f"{number}_{turn}", way, place, database)
                samples.append(project.run(way.target))
                again.append(project.run(way.target))
                shutil.rmtree(project.folder)
                say(f"end to end: {way.title}, {turn + 1} of {repeats}")
            rate = records / Spread.of(whole.wall for whole, _, _ in samples).middle
            rows.append([way.title, *_cells(samples), f"{rate:,.0f}"])
            idle.append([way.title, *_cells(again)])
    head = ["", "wall s", "CPU s: Meltano", "tap", "target"]
    titled(f"`meltano run tap-xero <target>`, {records:,} invoices", [*head, "rows/s"], rows)
    titled("The same again without changes (invoices are read in full)", head, idle)


def _cells(samples: list[tuple[Sample, float, float]]) -> list[str]:
    wall = Spread.of(whole.wall for whole, _, _ in samples)
    meltano = Spread.of(whole.cpu - tap - target for whole, tap, target in samples)
    tap, target = (Spread.of(sample[place] for sample in samples) for place in (1, 2))
    return [wall.text(), meltano.text(), tap.text(), target.text()]
