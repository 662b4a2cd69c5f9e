"""Unreadable files, variables and answers, and full disks: one line, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from full_disk import of_its_own

from xero_sandbox import AdminClient

from .runs import command, own_environment, read
from .test_command import assert_one_line

DEEP = '{"a":' * 10_000 + "1" + "}" * 10_000
LONG = '{"day_reserve":' + "9" * 5_000 + "}"


@pytest.mark.parametrize(
    ("text", "said"), [(DEEP, "is nested too deeply"), (LONG, "contains a number that is too long")]
)
@pytest.mark.parametrize("option", ["config", "state", "catalog"])
def test_a_file_that_cannot_be_read_is_named(
    config: dict[str, Any], tmp_path: Path, option: str, text: str, said: str
) -> None:
    (tmp_path / "file.json").write_text(text)
    done = command(f"--{option}", "file.json", config=config, at=tmp_path)
    name = {"config": "config file", "state": "state file", "catalog": "catalog"}[option]
    assert_one_line(done, f"The {name}", said)


@pytest.mark.parametrize(
    ("name", "text"),
    [("STREAM_MAPS", DEEP), ("TENANT_IDS", f"[{'[' * 10_000}"), ("DAY_RESERVE", "9" * 5_000)],
)
def test_a_variable_that_cannot_be_read_is_named(tmp_path: Path, name: str, text: str) -> None:
    done = command("--config=ENV", at=tmp_path, **{f"TAP_XERO_{name}": text, "TAP_XERO_CLIENT_ID": "x"})
    assert_one_line(done, f"The environment variable TAP_XERO_{name}", secrets=())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("client_secret", "s\u0131kret-with-a-dotless-i"),
        ("user_agent", "caf\u0131"),
        ("client_id", "\u0131d"),
    ],
)
def test_a_setting_that_cannot_be_sent_in_a_header_is_named(
    config: dict[str, Any], tmp_path: Path, name: str, value: str
) -> None:
    done = command(config={**config, name: value}, at=tmp_path)
    assert_one_line(done, f"of {name} can't be sent to Xero", secrets=(value,))


@pytest.mark.parametrize(
    "body",
    [DEEP, '{"Contacts":' + "[" * 10_000 + "]" * 10_000 + "}",
     '{"Contacts":[{"ContactID":"a","Zzz":' + "[" * 10_000 + "]" * 10_000 + "}]}"],
    ids=["answer", "list", "record"],
)  # fmt: skip
def test_an_answer_that_is_nested_too_deeply_affects_its_stream_only(
    config: dict[str, Any], admin: AdminClient, body: str
) -> None:
    admin.fault("status", path="Contacts", status=200, body=body, content_type="application/json", count=0)
    run = read(config, "contacts", "currencies")
    ((stream, _),) = run.failed
    assert stream == "contacts"
    assert "nested too deeply" in run.failed.popitem()[1]
    assert run.records["currencies"]


def test_an_error_that_is_nested_too_deeply_is_an_error(config: dict[str, Any], admin: AdminClient) -> None:
    admin.fault("status", path="Contacts", status=400, body=DEEP, content_type="application/json", count=0)
    run = read(config, "contacts", "currencies")
    assert [stream for stream, _ in run.failed] == ["contacts"]
    assert run.records["currencies"]


def test_a_full_disk_for_attachments_affects_their_files_only(demo: dict[str, Any], tmp_path: Path) -> None:
    place = tmp_path / "full"
    place.mkdir()
    (tmp_path / "config.json").write_text(
        json.dumps({**demo, "attachments_path": str(place), "detail_streams": ["*"]})
    )
    streams = [
        {"tap_stream_id": name, "metadata": [{"breadcrumb": [], "metadata": {"selected": True}}]}
        for name in ("contact_attachments", "currencies")
    ]
    (tmp_path / "catalog.json").write_text(json.dumps({"streams": streams}))
    full = of_its_own(f"mount -t tmpfs -o size=4k none '{place}'")
    done = subprocess.run(
        [*full, sys.executable, "-m", "tap_xero", "--config", "config.json", "--catalog", "catalog.json"],
        cwd=tmp_path, capture_output=True, text=True, check=False, env=own_environment(tmp_path),
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert done.returncode == 1
    assert "can't be stored: No space left on device" in done.stderr
    assert "attachments_path" in done.stderr
    assert '"stream":"currencies"' in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_for_the_messages_is_named(config: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    with Path("/dev/full").open("wb") as nowhere:
        done = subprocess.run(
            [sys.executable, "-m", "tap_xero", "--config", "config.json"],
            cwd=tmp_path, stdout=nowhere, stderr=subprocess.PIPE, text=True, check=False, env=own_environment(tmp_path),
        )  # fmt: skip
    errors = [line for line in done.stderr.splitlines() if "| ERROR" in line]
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert len(errors) == 1
    assert "The messages can't be written to stdout: No space left on device." in errors[0]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may become somebody else"
)
def test_a_missing_home_folder_is_reported_in_one_line() -> None:
    """The same holds for the command: nothing before the settings needs a home directory."""
    program = (
        "import os, sys\n"
        "import tap_xero.tap, singer_xero.api.client, singer_xero.api.auth, platformdirs.unix\n"
        "from tap_xero.__main__ import main\n"
        "os.setgroups([]); os.setgid(54321); os.setuid(54321)\n"
        "sys.argv = ['tap-xero', '--config=ENV']\n"
        "main()\n"
    )
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "TAP_XERO_CLIENT_ID": "x",
    }
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment, cwd="/"
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == 1
    assert (
        "token_path is not set, and there is no default folder: HOME is not set"
        in done.stderr.splitlines()[-1]
    )
