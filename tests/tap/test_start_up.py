"""Commands import only what they need: the libraries of the client are imported before the first call."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tap_xero.tap import TapXero

from .runs import own_environment

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


def run(argument: str, at: Path, package: str = "tap_xero") -> tuple[str, set[str]]:
    """The output of a command, and the modules that it imports."""
    done = subprocess.run(
        [sys.executable, "-c", MAIN.replace("tap_xero", package), argument],
        cwd=at,
        env=own_environment(at),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout, set(done.stderr.rpartition("@")[2].split())


@pytest.mark.parametrize("argument", ["--help", "--about", "--discover"])
def test_commands_without_calls_do_not_import_the_client(tmp_path: Path, argument: str) -> None:
    _, imported = run(argument, tmp_path)
    assert "tap_xero.tap" in imported
    assert imported & LATER == set()


@pytest.mark.parametrize("package", ["tap_xero", "target_xero"])
def test_the_version_is_printed_in_the_sdks_form_without_importing_it(tmp_path: Path, package: str) -> None:
    out, imported = run("--version", tmp_path, package)
    told: list[str] = []
    TapXero.print_version(print_fn=told.append)
    assert out.splitlines() == [told[0].replace("tap-xero", package.replace("_", "-"))]
    assert imported & {"click", "msgspec", "singer_sdk", "tap_xero.tap", "target_xero.target"} == set()
