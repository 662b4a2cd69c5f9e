"""`xero-login` as a process, and a user who answers Xero's consent page."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from xero_sandbox import Sandbox, apps

COMMAND = Path(sys.executable).with_name("xero-login")
FOREIGN = ("TAP_", "TARGET_", "MELTANO_", "DISPLAY", "WAYLAND", "BROWSER", "WSL", "PG")


@dataclass
class Ended:
    """The result of a run: exit code, output, and the last line on stderr."""

    code: int
    said: str
    complaint: str


class Login:
    """A running `xero-login`."""

    def __init__(self, arguments: list[str], folder: Path, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [COMMAND, *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._said = ""

    def url(self) -> str:
        """Wait for the address of the consent page."""
        assert self._process.stdout
        while "Waiting for the answer" not in self._said and "Paste the address" not in self._said:
            line = self._process.stdout.readline()
            assert line, f"{self._said}\n{self._process.communicate()[1]}"
            self._said += line
        return re.search(r"\S+/authorize\?\S+", self._said)[0]

    def asked(self) -> dict[str, str]:
        """The parameters of the consent page's address."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.url()).query).items()}

    def type(self, line: str) -> None:
        """Type a line into the terminal."""
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def until(self, words: str) -> None:
        """Wait until the output contains these words."""
        while words not in self._said:
            line = self._process.stdout.readline()
            assert line, f"{self._said}\n{self._process.communicate()[1]}"
            self._said += line

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def end(self) -> Ended:
        """Wait until it ends."""
        said, complained = self._process.communicate(timeout=60)
        self._said += said
        assert "Traceback" not in complained, complained
        lines = complained.splitlines()
        return Ended(self._process.returncode, self._said, lines[-1] if lines else "")

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


class Person:
    """A user who answers the consent page in a browser."""

    def __init__(self) -> None:
        self.codes: list[str] = []

    def answers(self, url: str, approve: str = "1", tenants: tuple[str, ...] = ()) -> str:
        """Approve or deny; returns the address to which Xero redirects the browser."""
        params = [("sandbox_approve", approve), *(("sandbox_tenant", tenant) for tenant in tenants)]
        answer = requests.get(url, params=params, allow_redirects=False, timeout=30)
        assert answer.status_code == 302, answer.text
        place: str = answer.headers["Location"]
        self.codes += parse_qs(urlsplit(place).query).get("code", [])
        return place

    def allows(self, login: Login, **options: Any) -> requests.Response:
        """Approve and follow the redirect to xero-login's page."""
        return requests.get(self.answers(login.url(), **options), timeout=30)


@pytest.fixture
def token_path(tmp_path: Path) -> Path:
    return tmp_path / "secret" / "tokens.json"


@pytest.fixture
def person() -> Person:
    return Person()


@pytest.fixture
def login(xero: Sandbox, tmp_path: Path, token_path: Path, person: Person) -> Iterator[Callable[..., Login]]:
    """Starts `xero-login` with the sandbox, by default with its PKCE app on a free port.

    After the test, the output must not contain a secret.
    """
    started: list[Login] = []
    folder = tmp_path / "work"
    folder.mkdir()

    def start(
        *arguments: str, app: apps.App | None = apps.PKCE_APP, port: int = 0, **variables: str
    ) -> Login:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        environment |= {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
        if app:
            environment |= {"TAP_XERO_CLIENT_ID": app.client_id, "TAP_XERO_TOKEN_PATH": str(token_path)}
            if app.client_secret:
                environment["TAP_XERO_CLIENT_SECRET"] = app.client_secret
        environment |= {"TAP_XERO_IDENTITY_URL": xero.url, "TAP_XERO_API_URL": xero.url}
        login = Login([f"--port={port}", *arguments], folder, environment | variables)
        started.append(login)
        return login

    yield start
    secrets = [*person.codes, apps.WEB_APP.client_secret, apps.CUSTOM_CONNECTION.client_secret]
    if token_path.is_file():
        for kept in json.loads(token_path.read_text())["clients"].values():
            secrets += [kept["refresh_token"], kept["access_token"]]
    for one in started:
        one.stop()
        for secret in filter(None, secrets):
            assert secret not in one._said


@pytest.fixture
def kept(token_path: Path) -> Callable[..., dict[str, Any] | None]:
    """The content of the token file for an app."""

    def read(app: apps.App = apps.PKCE_APP) -> dict[str, Any] | None:
        if not token_path.exists():
            return None
        found: dict[str, Any] | None = json.loads(token_path.read_text())["clients"].get(app.client_id)
        return found

    return read
