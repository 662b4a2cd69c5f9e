"""Processes that share one consent, and the two places that can store its tokens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from singer_xero.api.tokens import Kept, Store, open_store
from xero_sandbox import Sandbox, apps

APP = apps.WEB_APP
CLIENT = Path(__file__).with_name("run_client.py")


class Job:
    """A process whose output is read line by line."""

    def __init__(self, command: list[Any], environment: dict[str, str], folder: Path) -> None:
        self.process = subprocess.Popen(
            [str(part) for part in command],
            env=environment,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> Job:
        assert self.process.stdout.readline() == "ready\n", self.process.communicate()
        return self

    def go(self) -> Job:
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self

    def waits(self) -> None:
        """Wait until the process finds the file locked."""
        assert self.process.stderr.readline() == "waits\n"

    def end(self) -> tuple[int, str, str]:
        """Wait for the end; returns exit code, stdout and stderr."""
        said, complained = self.process.communicate(timeout=60)
        assert "Traceback" not in complained, complained
        return self.process.returncode, said.strip(), complained.strip()


@pytest.fixture
def database(postgres_schema: str) -> str:
    """A `token_path` in PostgreSQL."""
    return postgres_schema


@pytest.fixture(params=["file", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The value of `token_path`."""
    if request.param == "file":
        return str(tmp_path / "secret" / "tokens.json")
    return str(request.getfixturevalue("database"))


@pytest.fixture
def jobs(xero: Sandbox, tmp_path: Path) -> Iterator[Callable[..., Job]]:
    """Starts processes with `token_path`: run_client.py, or the given command with its arguments."""
    started: list[Job] = []

    def start(
        token_path: str,
        *command: str,
        within: tuple[str, ...] = (),
        refresh_token: str | None = None,
        **settings: Any,
    ) -> Job:
        config = {
            "client_id": APP.client_id,
            "client_secret": APP.client_secret,
            "token_path": token_path,
            "api_url": xero.url,
            "identity_url": xero.url,
            **({"refresh_token": refresh_token} if refresh_token else {}),
            **settings,
        }
        path = tmp_path / f"config-{len(started)}.json"
        path.write_text(json.dumps(config))
        if command:
            line = [Path(sys.executable).with_name(command[0]), "--config", path, *command[1:]]
        else:
            line = [sys.executable, CLIENT, path]
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("TAP_", "PG"))
        }
        environment |= {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
        started.append(Job([*within, *line], environment, tmp_path))
        return started[-1] if command else started[-1].ready()

    yield start
    for job in started:
        if job.process.poll() is None:
            job.process.kill()
        job.process.communicate()


@pytest.fixture
def consent(xero: Sandbox) -> Callable[..., str]:
    """Consent to the first organisation; returns the refresh token, which is stored if a store is given."""

    def give(token_path: str | None = None, *, expired: bool = True) -> str:
        answer = xero.admin.consent()
        if token_path:
            now = time.time()
            kept = Kept(
                refresh_token=answer["refresh_token"],
                access_token=answer["access_token"],
                expires_at=now - 60 if expired else now + 1_700,
                rotated_at=now - 86_400,
            )
            store: Store = open_store(token_path)
            with store.locked(APP.client_id), store.successor(APP.client_id) as keep:
                keep(kept)
        return str(answer["refresh_token"])

    return give


@pytest.fixture
def refreshes(xero: Sandbox) -> Callable[[], list[int]]:
    """The statuses of the refreshes that the sandbox has answered, oldest first."""
    return lambda: [call["status"] for call in xero.admin.calls("/connect/token")]
