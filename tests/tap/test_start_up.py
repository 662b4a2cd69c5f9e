"""Commands import only what they need: the libraries of the client are imported before the first call."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tap_xero.tap import TapXero

from .runs import own_environment, state_at

#: Modules that some commands need, but none of these.
LATER = {
    *("singer_xero.api.client", "xero_sandbox"),
    *("dateutil", "filelock", "jwt", "pendulum", "platformdirs", "psycopg", "werkzeug"),
}
MAIN = """
import runpy, sys
try:
    runpy.run_module("tap_xero", run_name="__main__")
finally:
    sys.stderr.write("@" + " ".join(sys.modules))
"""


def run(*arguments: str, at: Path, package: str = "tap_xero") -> tuple[str, set[str]]:
    """The output of a command, and the modules that it imports."""
    done = subprocess.run(
        [sys.executable, "-c", MAIN.replace("tap_xero", package), *arguments],
        cwd=at,
        env=own_environment(at),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout, set(done.stderr.rpartition("@")[2].split())


@pytest.mark.parametrize("argument", ["--help", "--about", "--discover"])
def test_commands_without_calls_do_not_import_the_client(tmp_path: Path, argument: str) -> None:
    _, imported = run(argument, at=tmp_path)
    assert "tap_xero.tap" in imported
    assert imported & LATER == set()


@pytest.mark.parametrize("package", ["tap_xero", "target_xero"])
def test_the_version_is_printed_in_the_sdks_form_without_importing_it(tmp_path: Path, package: str) -> None:
    out, imported = run("--version", at=tmp_path, package=package)
    told: list[str] = []
    TapXero.print_version(print_fn=told.append)
    assert out.splitlines() == [told[0].replace("tap-xero", package.replace("_", "-"))]
    assert imported & {"click", "msgspec", "singer_sdk", "tap_xero.tap", "target_xero.target"} == set()


def test_a_run_with_a_bookmark_imports_no_library_that_it_does_not_use(
    demo: dict[str, Any], tmp_path: Path
) -> None:
    selected = {"breadcrumb": [], "metadata": {"selected": True}}
    given = {
        "config": demo,
        "catalog": {"streams": [{"tap_stream_id": "contacts", "metadata": [selected]}]},
        "state": state_at("2026-01-01T00:00:00.000000Z"),
    }
    options = []
    for name, value in given.items():
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(value))
        options += [f"--{name}", str(path)]
    out, imported = run(*options, at=tmp_path)
    assert '"type":"STATE"' in out
    assert "singer_xero.api.client" in imported
    assert imported & {"asyncio", "fsspec", "joblib", "pendulum", "upath"} == set()


SPARE = """
import sys
from singer_xero.deferred import import_sdk
import_sdk()
from singer_sdk.helpers._batch import StorageTarget
from singer_sdk.target_base import Target
assert not {"asyncio", "joblib", "upath"} & set(sys.modules)

with StorageTarget(root=sys.argv[1]).open("batch") as batch:
    assert batch.read() == b"stored"

class Drains:
    drained = []
    drain_one = drained.append
    max_parallelism = 2
Target._drain_all(Drains(), ["one", "two"], 2)
print(sorted(Drains.drained))

import backoff
calls = []
@backoff.on_exception(backoff.constant, OSError, interval=0, jitter=None, max_tries=2)
async def fails():
    calls.append("call")
    raise OSError
import asyncio
try:
    asyncio.run(fails())
except OSError:
    print(calls)
import joblib, upath
print(joblib.Parallel.__module__, upath.UPath.__module__)
"""


def test_what_the_sdk_imports_later_works_when_it_is_needed(tmp_path: Path) -> None:
    (tmp_path / "batch").write_text("stored")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SPARE, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["['one', 'two']", "['call', 'call']", "joblib.parallel upath.core"]
