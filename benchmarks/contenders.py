"""The contenders that read invoices, with their commands and settings, and the servers that they read from."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlencode

from benchmarks import environments, measure
from benchmarks.environments import CLASSIC, OURS, ROOT, TEMPLATE
from benchmarks.server import tenant

HERE = Path(__file__).resolve().parent


class Place:
    """A server to read from or write to: its address, the credentials of an app, and its organisations."""

    def __init__(self, url: str, client_id: str, client_secret: str, tenants: Sequence[str]) -> None:
        self.url, self.client_id, self.client_secret, self.tenants = url, client_id, client_secret, tenants
        self.web_app = client_id, client_secret
        """The id and secret of an app that uses refresh tokens."""

    def settings(self, folder: Path) -> dict[str, Any]:
        """The settings with which tap-xero and target-xero connect to this server; tokens are stored in `folder`."""
        return {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "api_url": self.url,
            "identity_url": self.url,
            "token_path": str(folder / "tokens.json"),
        }

    def refresh_token(self) -> str:
        """A refresh token that has not been used."""
        return "first"

    @cached_property
    def access_token(self) -> str:
        """An access token of the custom connection."""
        secret = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        headers = {"Authorization": f"Basic {secret}", "Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode({"grant_type": "client_credentials"}).encode()
        return str(ask(f"{self.url}/connect/token", body, headers)["access_token"])


class Prebuilt(Place):
    """A running `benchmarks.server`."""

    def __init__(self, url: str) -> None:
        super().__init__(url, "benchmark", "secret", [tenant(0)])

    def set(self, **options: Any) -> None:
        """Set the server's content and behaviour (see `Xero.set`), and reset its counters."""
        ask(f"{self.url}/bench", json.dumps(options).encode())
        self.tenants = [tenant(number) for number in range(options.get("tenants", 1))]

    def counted(self) -> dict[str, Any]:
        """The server's counters since the last `set`."""
        found: dict[str, Any] = ask(f"{self.url}/bench")
        return found


class SandboxPlace(Place):
    """A running `xero-sandbox`, from the configuration that it prints and the secret of its admin API."""

    def __init__(self, config: Mapping[str, Any], secret: str) -> None:
        super().__init__(
            config["api_url"], config["client_id"], config["client_secret"], config["tenant_ids"]
        )
        self._admin = f"{self.url}/sandbox/{secret}"
        code = "from xero_sandbox.apps import WEB_APP as a; print(a.client_id, a.client_secret)"
        client_id, client_secret = subprocess.check_output(
            [environments.python_of(OURS), "-c", code], text=True
        ).split()
        self.web_app = client_id, client_secret

    def refresh_token(self) -> str:
        """A refresh token from a new consent to the web app."""
        consent = json.dumps({"tenants": list(self.tenants), "client_id": self.web_app[0]}).encode()
        return str(ask(f"{self._admin}/consents", consent)["refresh_token"])

    def calls(self, path: str = "/api.xro") -> list[dict[str, Any]]:
        """The calls of the API since the last `forget_calls`."""
        found: list[dict[str, Any]] = ask(f"{self._admin}/calls")["calls"]
        return [call for call in found if call["path"].startswith(path)]

    def forget_calls(self) -> None:
        """Clear the list of calls."""
        request = urllib.request.Request(f"{self._admin}/calls", method="DELETE")
        urllib.request.urlopen(request).close()


def ask(url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Any:
    """Send a request and return the JSON of its answer."""
    sent = {"Content-Type": "application/json", **(headers or {})}
    with urllib.request.urlopen(urllib.request.Request(url, data=body, headers=sent)) as answer:
        return json.load(answer)


@contextmanager
def _serving(command: Sequence[str | Path], **options: Any) -> Iterator[IO[bytes]]:
    """Run a server while the context is open, and yield its stdout."""
    with measure.start(command, 0, stdout=subprocess.PIPE, **options) as process:
        try:
            yield process.stdout  # type: ignore[misc]
        finally:
            process.terminate()


@contextmanager
def prebuilt() -> Iterator[Prebuilt]:
    """Run the server of pre-built pages."""
    with _serving([sys.executable, "-m", "benchmarks.server"], cwd=ROOT) as output:
        yield Prebuilt(f"http://127.0.0.1:{int(output.readline())}")


@contextmanager
def sandbox(*options: str) -> Iterator[SandboxPlace]:
    """Run the sandbox of the installed project with its command."""
    command = [environments.program(OURS, "xero-sandbox"), "--print-config", "--no-limits", *options]
    secret = secrets.token_urlsafe(18)
    with _serving(command, env={**os.environ, "XERO_SANDBOX_SECRET": secret}) as output:
        text = ""
        while not text.rstrip().endswith("}"):
            text += output.readline().decode() or sys.exit("the sandbox did not start")
        yield SandboxPlace(json.loads(text), secret)


def environment(home: Path) -> dict[str, str]:
    """The environment variables of a measured program, without the settings of the calling user."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}


@dataclass(frozen=True)
class Contender:
    """A program that reads invoices. A slow one reads only a `share` of the records."""

    name: str
    kind: str
    page_size: int
    share: float = 1.0

    def prepare(
        self, place: Place, folder: Path, streams: Sequence[str] = ("invoices",), **settings: Any
    ) -> list[str | Path]:
        """Write the configuration for a server, and return the command.

        Only tap-xero can read other `streams` than invoices; it reads all of them if none is named.
        """
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "config.json"
        more: list[str | Path] = []
        if self.kind == "ours":
            own = place.settings(folder)
            own |= {"tenant_ids": list(place.tenants), "page_size": self.page_size}
            command: list[str | Path] = [environments.program(OURS, "tap-xero")]
            if streams:
                more = ["--catalog", only(*streams, nested=settings.get("nested_tables", False))]
        elif self.kind == "classic":
            own = dict(zip(("client_id", "client_secret"), place.web_app, strict=True))
            own |= {"tenant_id": place.tenants[0], "refresh_token": place.refresh_token()}
            own |= {"start_date": "2000-01-01T00:00:00Z"}
            wrapper: list[str | Path] = [environments.python_of(CLASSIC), HERE / "classic_tap.py"]
            catalog = folder / "catalog.json"
            catalog.write_bytes(subprocess.check_output([*wrapper, "catalog"]))
            command, more = [*wrapper, place.url], ["--catalog", catalog]
        else:
            own = {"api_url": place.url, "tenant_id": place.tenants[0], "access_token": place.access_token}
            own |= {"page_size": self.page_size}
            name, program = (OURS, "floor.py") if self.kind == "floor" else (TEMPLATE, "template_tap.py")
            command = [environments.python_of(name), HERE / program]
        config.write_text(json.dumps({**own, **settings}))
        return [*command, "--config", config, *more]

    def run(
        self,
        place: Place,
        folder: Path,
        streams: Sequence[str] = ("invoices",),
        *,
        out: Path | None = None,
        pipe: bool = False,
        **settings: Any,
    ) -> measure.Sample:
        """Read once and measure it; see `prepare` and `measure.run`."""
        command = self.prepare(place, folder, streams, **settings)
        return measure.run(command, env=environment(folder), out=out, pipe=pipe)


def only(*streams: str, nested: bool = False) -> Path:
    """A catalog of the tap in which only these streams are selected, discovered with `nested_tables` or without."""
    path = environments.CACHE / f"{'-'.join(streams)}{'-nested' if nested else ''}.json"
    installed = environments.CACHE / OURS / "installed"
    if not path.exists() or path.stat().st_mtime < installed.stat().st_mtime:
        config = environments.CACHE / "discover.json"
        config.write_text(json.dumps({"nested_tables": nested}))
        select([environments.program(OURS, "tap-xero"), "--config", config], streams.__contains__, path)
    return path


def select(command: Sequence[str | Path], is_selected: Callable[[str], bool], path: Path) -> None:
    """Discover the tap's streams and write a catalog to `path` in which the given ones are selected."""
    text = subprocess.check_output(
        [*command, "--discover"], env=environment(environments.CACHE), cwd=environments.CACHE
    )
    catalog = json.loads(text)
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = is_selected(stream["tap_stream_id"])
    path.write_text(json.dumps(catalog), encoding="utf-8")


FIRST = Contender("tap-xero", "ours", 1000)
SDK = Contender("SDK template", "template", 1000, 0.3)
CLASSIC_TAP = Contender("classic tap-xero (100 a page)", "classic", 100, 0.2)
FLOOR = Contender("floor: no SDK", "floor", 1000)
FASTEST = [FIRST, SDK, CLASSIC_TAP, FLOOR]
"""Each contender with the largest page that it supports."""

READERS = [
    FIRST,
    Contender("tap-xero, 100 a page", "ours", 100),
    SDK,
    Contender("SDK template, 100 a page", "template", 100, 0.3),
    CLASSIC_TAP,
    FLOOR,
]
