"""Who reads the invoices: their commands, their settings, and the servers they read from."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks import environments, measure
from benchmarks.environments import CLASSIC, OURS, ROOT, TEMPLATE
from benchmarks.server import tenant

HERE = Path(__file__).resolve().parent


class Place:
    """A server that can be read from: its address, and the tokens that open it."""

    def __init__(self, url: str, client_id: str, client_secret: str, tenants: Sequence[str]) -> None:
        self.url, self.client_id, self.client_secret, self.tenants = url, client_id, client_secret, tenants

    def refresh_token(self) -> str:
        """A refresh token that has not been used."""
        return "first"

    @cached_property
    def access_token(self) -> str:
        """An access token of the custom connection."""
        return str(self._token(grant_type="client_credentials")["access_token"])

    def _token(self, **wish: str) -> Any:
        secret = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        headers = {"Authorization": f"Basic {secret}", "Content-Type": "application/x-www-form-urlencoded"}
        return ask(f"{self.url}/connect/token", urlencode(wish).encode(), headers)


class Prebuilt(Place):
    """The server of `benchmarks.server`."""

    def __init__(self, url: str) -> None:
        super().__init__(url, "benchmark", "secret", [tenant(0)])

    def set(self, **wish: Any) -> None:
        """Choose what it holds and how it answers, and count from zero."""
        ask(f"{self.url}/bench", json.dumps(wish).encode())
        self.tenants = [tenant(number) for number in range(wish.get("tenants", 1))]

    def counted(self) -> dict[str, Any]:
        """What it has counted since."""
        found: dict[str, Any] = ask(f"{self.url}/bench")
        return found


class SandboxPlace(Place):
    """A running `xero-sandbox`."""

    def refresh_token(self) -> str:
        """Give the web app a new consent."""
        wish = json.dumps({"tenants": list(self.tenants), "client_id": self.web_client_id}).encode()
        return str(ask(f"{self.admin}/consents", wish)["refresh_token"])

    admin = ""
    web_client_id = ""
    web_client_secret = ""

    def calls(self, path: str = "/api.xro") -> list[dict[str, Any]]:
        """The calls of the API since they were forgotten."""
        found: list[dict[str, Any]] = ask(f"{self.admin}/calls")["calls"]
        return [call for call in found if call["path"].startswith(path)]

    def forget_calls(self) -> None:
        """Count from zero."""
        request = urllib.request.Request(f"{self.admin}/calls", method="DELETE")
        urllib.request.urlopen(request).close()


def ask(url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Any:
    """Send a request, read its JSON."""
    fitting = {"Content-Type": "application/json", **(headers or {})}
    with urllib.request.urlopen(urllib.request.Request(url, data=body, headers=fitting)) as answer:
        return json.load(answer)


@contextmanager
def prebuilt() -> Iterator[Prebuilt]:
    """Run the server of pre-built pages."""
    process = measure.start([sys.executable, "-m", "benchmarks.server"], 0, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield Prebuilt(f"http://127.0.0.1:{int(process.stdout.readline())}")
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


@contextmanager
def sandbox(*options: str) -> Iterator[SandboxPlace]:
    """Run the sandbox of the installed project, as its command starts it."""
    command = [environments.program(OURS, "xero-sandbox"), "--print-config", "--no-limits", *options]
    secret = secrets.token_urlsafe(18)
    own = {**os.environ, "XERO_SANDBOX_SECRET": secret}
    process = measure.start(command, 0, stdout=subprocess.PIPE, env=own)
    try:
        assert process.stdout is not None
        text = ""
        while not text.rstrip().endswith("}"):
            text += process.stdout.readline().decode() or sys.exit("the sandbox did not start")
        config = json.loads(text)
        place = SandboxPlace(
            config["api_url"], config["client_id"], config["client_secret"], config["tenant_ids"]
        )
        place.admin = f"{place.url}/sandbox/{secret}"
        code = "from xero_sandbox.apps import WEB_APP as a; print(a.client_id, a.client_secret)"
        web = subprocess.check_output([environments.python_of(OURS), "-c", code], text=True).split()
        place.web_client_id, place.web_client_secret = web
        yield place
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def environment(home: Path) -> dict[str, str]:
    """The variables a contender starts with: no settings of whoever measures."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}


@dataclass(frozen=True)
class Contender:
    """One way to read invoices. `share` of the records is enough for it: it is slow."""

    name: str
    kind: str
    page_size: int
    share: float = 1.0

    def prepare(self, place: Place, folder: Path, **settings: Any) -> list[str | Path]:
        """Write its settings for a place, and return its command."""
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "config.json"
        run = {
            "ours": self._ours,
            "classic": self._classic,
            "template": self._plain,
            "floor": self._plain,
        }[self.kind]
        return run(place, folder, config, settings)

    def _ours(
        self, place: Place, folder: Path, config: Path, settings: Mapping[str, Any]
    ) -> list[str | Path]:
        own = {
            "client_id": place.client_id,
            "client_secret": place.client_secret,
            "api_url": place.url,
            "identity_url": place.url,
            "token_path": str(folder / "tokens.json"),
            "tenant_ids": list(place.tenants),
            "page_size": self.page_size,
        }
        config.write_text(json.dumps({**own, **settings}))
        command: list[str | Path] = [environments.program(OURS, "tap-xero"), "--config", config]
        return [*command, "--catalog", only("invoices")]

    def _classic(
        self, place: Place, folder: Path, config: Path, settings: Mapping[str, Any]
    ) -> list[str | Path]:
        web = isinstance(place, SandboxPlace)
        own = {
            "client_id": place.web_client_id if web else place.client_id,
            "client_secret": place.web_client_secret if web else place.client_secret,
            "tenant_id": place.tenants[0],
            "refresh_token": place.refresh_token(),
            "start_date": "2000-01-01T00:00:00Z",
        }
        config.write_text(json.dumps({**own, **settings}))
        python = environments.python_of(CLASSIC)
        catalog = folder / "catalog.json"
        wrapper = HERE / "classic_tap.py"
        catalog.write_bytes(subprocess.check_output([python, wrapper, "catalog"]))
        return [python, wrapper, place.url, "--config", config, "--catalog", catalog]

    def _plain(
        self,
        place: Place,
        folder: Path,  # noqa: ARG002
        config: Path,
        settings: Mapping[str, Any],
    ) -> list[str | Path]:
        own = {
            "api_url": place.url,
            "tenant_id": place.tenants[0],
            "access_token": place.access_token,
            "page_size": self.page_size,
        }
        config.write_text(json.dumps({**own, **settings}))
        if self.kind == "floor":
            return [environments.python_of(OURS), HERE / "floor.py", config]
        return [environments.python_of(TEMPLATE), HERE / "template_tap.py", "--config", config]


def only(*streams: str, **settings: Any) -> Path:
    """A catalog of the tap with nothing but these streams selected, as it is discovered with some settings."""
    path = environments.CACHE / f"{'-'.join([*streams, *settings])}.json"
    made = environments.CACHE / OURS / "installed"
    if not path.exists() or path.stat().st_mtime < made.stat().st_mtime:
        config = environments.CACHE / "discover.json"
        config.write_text(json.dumps(settings))
        text = subprocess.check_output(
            [environments.program(OURS, "tap-xero"), "--config", config, "--discover"],
            env=environment(environments.CACHE),
        )
        catalog = json.loads(text)
        for stream in catalog["streams"]:
            for entry in stream["metadata"]:
                if not entry["breadcrumb"]:
                    entry["metadata"]["selected"] = stream["tap_stream_id"] in streams
        path.write_text(json.dumps(catalog))
    return path


FIRST = Contender("tap-xero", "ours", 1000)
READERS = [
    FIRST,
    Contender("tap-xero, 100 a page", "ours", 100),
    Contender("SDK template", "template", 1000, 0.3),
    Contender("SDK template, 100 a page", "template", 100, 0.3),
    Contender("classic tap-xero (100 a page)", "classic", 100, 0.2),
    Contender("floor: no SDK", "floor", 1000),
]
