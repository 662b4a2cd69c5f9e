"""A command imports what it needs: the client's libraries wait until there is a call to make."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .runs import own_environment

#: Each of them is needed by some command, and by none of these.
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


@pytest.mark.parametrize("argument", ["--version", "--help", "--about", "--discover"])
def test_commands_that_make_no_call_do_not_import_what_calls_need(tmp_path: Path, argument: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MAIN, argument],
        cwd=tmp_path,
        env=own_environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(done.stderr.rpartition("@")[2].split())
    assert "tap_xero.tap" in imported
    assert imported & LATER == set()
