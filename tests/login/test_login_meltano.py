"""From an app to a nightly job: one login, then `meltano run` on several business days."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
import yaml

from xero_sandbox import Sandbox, apps

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(sys.executable).parent
LOADER = """import json, sys
with open("loaded.jsonl", "a") as file:
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == "STATE":
            print(json.dumps(message["value"]), flush=True)
        elif message["type"] == "RECORD":
            file.write(line)
"""


class Project:
    """A Meltano project like that of the repository, with the installed tap and a loader of a few lines."""

    def __init__(self, folder: Path, xero: Sandbox) -> None:
        self.folder = folder
        plugins = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))["plugins"]
        tap = next(one for one in plugins["extractors"] if one["name"] == "tap-xero")
        del tap["pip_url"]
        tap |= {
            "executable": str(SCRIPTS / "tap-xero"),
            "select": ["contacts.*", "invoices.*", "currencies.*"],
        }
        tap["metadata"] = {"invoices": {"replication-method": "INCREMENTAL"}}
        for command in tap["commands"].values():
            command["executable"] = str(SCRIPTS / command["executable"])
        loader = {
            "name": "target-lines",
            "namespace": "target_lines",
            "executable": str(folder / "target-lines"),
        }
        (folder / "target-lines").write_text(f"#!{sys.executable}\n{LOADER}")
        (folder / "target-lines").chmod(0o755)
        project = {
            "default_environment": "dev",
            "environments": [{"name": "dev"}],
            "plugins": {"extractors": [tap], "loaders": [loader]},
        }
        (folder / "meltano.yml").write_text(yaml.safe_dump(project))
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TAP_", "TARGET_", "MELTANO_", "DISPLAY", "BROWSER"))
        } | {
            "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
            "MELTANO_CLI_LOG_LEVEL": "warning",
            "HOME": str(folder),
            "TAP_XERO_CLIENT_ID": apps.PKCE_APP.client_id,
            "TAP_XERO_API_URL": xero.url,
            "TAP_XERO_IDENTITY_URL": xero.url,
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [SCRIPTS / "meltano", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def meltano(self, *arguments: str) -> str:
        process = self.start(*arguments)
        said = process.communicate(timeout=120)[0]
        assert process.returncode == 0, said
        return said

    def loaded(self) -> Iterator[dict[str, Any]]:
        """The rows that the last run loaded."""
        path = self.folder / "loaded.jsonl"
        yield from map(json.loads, path.read_text().splitlines())
        path.unlink()


def test_after_one_login_meltano_runs_night_after_night(xero: Sandbox, tmp_path: Path) -> None:
    project = Project(tmp_path, xero)
    login = project.start("invoke", "tap-xero:login", "--port=0")
    said = ""
    while "Waiting for the answer" not in said:
        line = login.stdout.readline()
        assert line, said
        said += line
    answer = requests.get(
        re.search(r"\S+/authorize\?\S+", said)[0],
        params={"sandbox_approve": "1", "sandbox_tenant": xero.admin.organisations()[0]["tenant_id"]},
        timeout=30,
    )
    assert answer.status_code == 200
    said = login.communicate(timeout=60)[0]
    assert login.returncode == 0
    assert f"Tokens:  {tmp_path}/.secrets/xero-tokens.json" in said

    tokens = []
    for night in range(2):
        if night:
            changed = xero.admin.day()["changed"]
        project.meltano("run", "tap-xero", "target-lines")
        rows = list(project.loaded())
        contacts = [row["record"] for row in rows if row["stream"] == "contacts"]
        if night:
            assert len(contacts) == changed["Contacts"]
            assert len([row for row in rows if row["stream"] == "invoices"]) == changed["Invoices"]
        else:
            assert len(contacts) == len(xero.admin.records("Contacts"))
        tokens.append(json.loads((tmp_path / ".secrets" / "xero-tokens.json").read_text())["clients"])
    # A day is longer than the life of an access token, so each night but the first uses the refresh token.
    grants = [call["grant_type"] for call in xero.admin.calls("/connect/token")]
    assert grants == ["authorization_code", "refresh_token"]
    refresh = [one[apps.PKCE_APP.client_id]["refresh_token"] for one in tokens]
    assert len(set(refresh)) == 2
    assert "60 days left" in project.meltano("invoke", "tap-xero:status")
