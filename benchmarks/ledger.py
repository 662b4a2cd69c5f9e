"""Measures `dbt build` of a large ledger in PostgreSQL: wall time, CPU of dbt and of the database, slow models."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from benchmarks import contenders, environments, measure
from benchmarks.environments import OURS
from benchmarks.measure import Failed, say
from benchmarks.tables import titled
from demo import dbt, postgres, run

POSTGRES = "target-postgres"
RAW, MADE = "bench_raw", "bench_made"
SLOWEST = 10


def build(folder: Path, invoices: int) -> None:
    """Load the demo company, multiply its documents, and measure two builds of its ledger."""
    for name in (OURS, POSTGRES):
        environments.install(name)
    program = dbt.make_environment(environments.CACHE / "dbt")
    if measure.CORES:
        os.sched_setaffinity(0, measure.CORES)  # dbt and the database use all cores, like in production
    with postgres.running(folder / "postgres", keep=False) as server:
        with contenders.sandbox() as place:
            _load(folder, place, server.url)
        python = environments.python_of(POSTGRES)
        count = (
            f"import psycopg; c = psycopg.connect({server.url!r});"
            f"print(c.execute('SELECT count(*) FROM {RAW}.invoices').fetchone()[0])"
        )
        loaded = int(subprocess.check_output([python, "-c", count], text=True))
        times = -(-invoices // loaded)
        copies = Path(__file__).with_name("copies.py")
        subprocess.run([python, copies, server.url, RAW, str(times)], check=True)
        say(f"dbt: {loaded * times:,} invoices are loaded")
        settings = {**dbt.postgres_settings(server.url), "XERO_LEDGER_SCHEMA": MADE}
        variables = {"xero_schema": RAW, "xero_ledger_from": "documents", "xero_as_at": "2026-11-20"}
        rows = []
        for title in ("first", "again"):
            before, database, began = os.times(), _database_cpu(server.data), time.perf_counter()
            try:
                dbt.run(program, ["build"], settings, folder / "dbt", variables=variables)
            except dbt.DbtError as error:
                raise Failed(str(error)) from None
            wall, after = time.perf_counter() - began, os.times()
            own = after.children_user + after.children_system - before.children_user - before.children_system
            rows.append([title, f"{wall:.1f}", f"{own:.1f}", f"{_database_cpu(server.data) - database:.1f}"])
        titled(
            f"`dbt build` of a ledger from {loaded * times:,} invoices, PostgreSQL {server.programs.version}",
            ["", "wall s", "CPU s: dbt", "PostgreSQL"],
            rows,
            "Models and tests. Every figure agrees with Xero's reports; otherwise the build fails.",
        )
        titled("The slowest models and tests of the second build", ["", "wall s"], _slowest(folder / "dbt"))


def _load(folder: Path, place: contenders.SandboxPlace, url: str) -> None:
    """Run `tap-xero | target-postgres` with the streams that the ledger reads."""
    tap = {
        **place.settings(folder), "tenant_ids": list(place.tenants),
        "field_names": "snake_case", "nested_tables": True, "detail_streams": run.DETAILS,
        "report_start_date": "2024-10-01", "report_end_date": "2026-11-30",
    }  # fmt: skip
    target = {
        "sqlalchemy_url": run.sqlalchemy_url(url), "default_target_schema": RAW, "validate_records": False
    }  # fmt: skip
    for name, settings in (("tap", tap), ("target", target)):
        (folder / f"{name}.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [environments.program(OURS, "tap-xero"), "--config", folder / "tap.json"]
    contenders.select(command, _is_selected, folder / "catalog.json")
    # Not in the checkout, whose packages Python would import instead of those of the environment.
    options: dict[str, Any] = {"env": contenders.environment(folder), "cwd": tempfile.gettempdir()}
    with (folder / "load.log").open("wb") as log:
        reading = subprocess.Popen(
            [*command, "--catalog", folder / "catalog.json"],
            stdout=subprocess.PIPE,
            stderr=log,
            **options,
        )
        writing = subprocess.run(
            [environments.program(POSTGRES, POSTGRES), "--config", folder / "target.json"],
            stdin=reading.stdout,
            stdout=subprocess.DEVNULL,
            stderr=log,
            check=False,
            **options,
        )
        if reading.stdout:
            reading.stdout.close()
    if reading.wait() or writing.returncode:
        raise Failed(f"tap-xero | {POSTGRES}:\n{(folder / 'load.log').read_text()[-3000:]}")


def _is_selected(stream: str) -> bool:
    wanted = False
    for pattern in run.SELECTED:
        if fnmatch(f"{stream}.*", pattern.lstrip("!")):
            wanted = not pattern.startswith("!")
    return wanted


def _database_cpu(data: Path) -> float:
    """CPU seconds of all ended connections, which the kernel adds to the server process; NaN except on Linux."""
    pid = (data / "postmaster.pid").read_text().split()[0]
    stat = Path("/proc") / pid / "stat"
    if not stat.exists():
        return float("nan")
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def _slowest(folder: Path) -> list[list[str]]:
    results = json.loads((folder / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
    found = sorted(((one["execution_time"], one["unique_id"].split(".")[2]) for one in results), reverse=True)
    return [[name, f"{seconds:.1f}"] for seconds, name in found[:SLOWEST]]
