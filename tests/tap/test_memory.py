"""The memory of a run does not depend on the number of records."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from singer_xero.objects import OBJECTS
from xero_sandbox import Sandbox, apps

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells what a process took at most"
)

MB = 2**20
MOST = 100 * MB
"""The memory limit of a run, its libraries included."""

RUN = """
import shutil, sys
from tap_xero.tap import TapXero
try:
    TapXero.cli(sys.argv[2:])
finally:
    shutil.copy("/proc/self/status", sys.argv[1])
"""


@pytest.fixture(scope="module", params=[1_000, 15_000])
def large(request: pytest.FixtureRequest) -> Iterator[tuple[Sandbox, int]]:
    """An organisation with many invoices, and their number."""
    with Sandbox(invoices=request.param) as xero:
        xero.admin.limits(enabled=False)
        yield xero, request.param


def test_a_run_takes_less_than_100_mb_however_many_invoices_there_are(
    large: tuple[Sandbox, int], tmp_path: Path
) -> None:
    """An answer with 1,000 invoices takes 2 to 3 MB; a run that kept all rows would take 40 MB for 15,000."""
    xero, count = large
    config: dict[str, Any] = {
        **apps.CUSTOM_CONNECTION.settings(xero.url),
        "token_path": "tokens.json",
    }
    chosen = {
        "tap_stream_id": "invoices",
        "schema": OBJECTS["invoices"].schema(with_tenant=True),
        "metadata": [{"breadcrumb": [], "metadata": {"selected": True}}],
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "catalog.json").write_text(json.dumps({"streams": [chosen]}))
    with (tmp_path / "out").open("wb") as out:
        command = [
            sys.executable,
            "-c",
            RUN,
            "status",
            "--config",
            "config.json",
            "--catalog",
            "catalog.json",
        ]
        subprocess.run(command, stdout=out, cwd=tmp_path, check=True, timeout=120)
    messages = (tmp_path / "out").read_bytes().splitlines()
    assert sum(message.startswith(b'{"type":"RECORD"') for message in messages) == count
    lines = (line.split() for line in (tmp_path / "status").read_text().splitlines())
    (taken,) = (1024 * int(line[1]) for line in lines if line[0] == "VmHWM:")
    print(f"{count} invoices: {taken / MB:.0f} MB")
    assert taken < MOST
