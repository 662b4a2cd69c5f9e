"""The two places where a behaviour is tested: the sandbox, and a demo company at Xero if one is named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from singer_xero.api.client import XeroClient, connect
from singer_xero.api.errors import XeroError
from xero_sandbox import Sandbox, apps

decode = msgspec.json.Decoder(float_hook=Decimal).decode

PREFIX = "XERO_TEST_"
HOW = "see docs/real-organisation.md"
WHAT_TO_SET = f"set {PREFIX}CLIENT_ID and {PREFIX}TENANT to look at a Xero demo company ({HOW})"
LEFT_FOR_OTHERS = 500
MARK = "singer-xero test"


class NotNamed(Exception):
    """The environment names no demo company; the text names the variables to set."""


@dataclass
class Run:
    """The output of one `tap-xero`."""

    code: int
    log: str
    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    schemas: dict[str, dict[str, Any]] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)

    def keys(self, stream: str) -> list[tuple[Any, ...]]:
        """The keys of a stream's records, in order."""
        names = self.schemas[stream]["key_properties"]
        return [tuple(record[name] for name in names) for record in self.records.get(stream, [])]


@dataclass
class Place:
    """An organisation to test. `no_writes` is the reason why nothing may be written there, or None."""

    name: str
    config: dict[str, Any]
    tenant_id: str
    folder: Path
    no_writes: str | None = None

    @cached_property
    def client(self) -> XeroClient:
        """A client that respects Xero's limits and leaves calls for others."""
        given = {
            name: value for name, value in self.config.items() if name not in {"tenant_ids", "day_reserve"}
        }
        return connect(**given, day_reserve=self.config["day_reserve"])

    def tap(self, *streams: str, state: Mapping[str, Any] | None = None, **settings: Any) -> Run:
        """Run the tap's command with some streams, or all."""
        folder = self.folder / uuid.uuid4().hex
        folder.mkdir(parents=True)
        command = [
            str(Path(sys.executable).with_name("tap-xero")),
            "--config",
            self._file(folder, "config", {**self.config, **settings}),
        ]
        if streams:
            found = json.loads(
                subprocess.run([*command, "--discover"], capture_output=True, check=True).stdout
            )
            chosen = [entry for entry in found["streams"] if entry["tap_stream_id"] in streams]
            command += ["--catalog", self._file(folder, "catalog", {"streams": chosen})]
        if state:
            command += ["--state", self._file(folder, "state", state)]
        done = subprocess.run(command, capture_output=True, check=False, cwd=folder)
        run = Run(done.returncode, done.stderr.decode())
        for line in done.stdout.splitlines():
            message = decode(line)
            if message["type"] == "RECORD":
                run.records.setdefault(message["stream"], []).append(message["record"])
            elif message["type"] == "SCHEMA":
                run.schemas[message["stream"]] = message
            elif message["type"] == "STATE":
                run.state = message["value"]
        return run

    def target(self, *messages: Mapping[str, Any]) -> Run:
        """Pipe Singer messages into the target's command, with the same write log each time."""
        folder = self.folder / "target"
        folder.mkdir(exist_ok=True)
        settings = {**self.config, "write_log_path": str(folder / "ledger.db")}
        command = [
            Path(sys.executable).with_name("target-xero"),
            "--config",
            self._file(folder, "config", settings),
        ]
        lines = "".join(json.dumps(message) + "\n" for message in messages)
        done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False, cwd=folder)
        return Run(done.returncode, done.stderr)

    def _file(self, folder: Path, name: str, content: Any) -> str:
        path = folder / f"{name}.json"
        path.touch(0o600)
        path.write_text(json.dumps(content))
        return str(path)

    def get(self, path: str, **options: Any) -> Any:
        """The JSON answer to a GET."""
        return self.client.get(self.tenant_id, path, **options).json()

    def close(self) -> None:
        if "client" in vars(self):
            self.client.close()


@contextmanager
def sandbox(folder: Path) -> Iterator[Place]:
    """The sandbox's demo company."""
    with Sandbox(limits=False) as running:
        tenants = [one["tenant_id"] for one in running.admin.organisations()]
        running.admin.limits(enabled=True, **dict.fromkeys(("minute", "app_minute", "day"), 1_000_000))
        answer = running.admin.consent(tenants=tenants)
        config = {
            **apps.WEB_APP.settings(running.url),
            "refresh_token": answer["refresh_token"],
            "token_path": str(folder / "tokens.json"),
            "tenant_ids": tenants[:1],
            "day_reserve": 0,
        }
        place = Place("sandbox", config, tenants[0], folder)
        yield place
        place.close()


@contextmanager
def at_xero(folder: Path, environment: Mapping[str, str] = os.environ) -> Iterator[Place]:
    """The demo company that the environment names. Raises NotNamed if there is none, LookupError if it cannot
    be read.
    """
    told = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX)
    }
    if not told.get("client_id") or not told.get("tenant"):
        raise NotNamed(WHAT_TO_SET)
    names = ("client_id", "client_secret", "refresh_token", "token_path", "api_url", "identity_url")
    config: dict[str, Any] = {name: told[name] for name in names if told.get(name)}
    config |= {"tenant_ids": [told["tenant"]], "day_reserve": int(told.get("day_reserve") or LEFT_FOR_OTHERS)}
    place = Place("Xero", config, told["tenant"], folder)
    try:
        organisation = place.get("Organisation")["Organisations"][0]
    except XeroError as error:
        place.close()
        raise LookupError(f"the organisation that {PREFIX}TENANT names can't be read: {error}") from None
    if told.get("write_tenant") != told["tenant"]:
        place.no_writes = f"set {PREFIX}WRITE_TENANT to the same id to let tests write there as well ({HOW})"
    elif not organisation.get("IsDemoCompany"):
        place.no_writes = f"{organisation['Name']} is no demo company: tests write to none but those"
    yield place
    place.close()


class Seen:
    """The behaviours of both places, which are compared at the end."""

    def __init__(self) -> None:
        self.at: dict[str, dict[str, Any]] = {}

    def note(self, place: str, what: str, value: Any) -> None:
        """Store the behaviour `what` of a place; values must be comparable."""
        self.at.setdefault(what, {})[place] = value

    def differences(self) -> list[tuple[str, Any, Any]]:
        """(what, at the sandbox, at Xero) of all behaviours that differ."""
        return [
            (what, values["sandbox"], values["Xero"])
            for what, values in self.at.items()
            if {"sandbox", "Xero"} <= values.keys() and values["sandbox"] != values["Xero"]
        ]

    def compared(self) -> int:
        """The number of behaviours that were seen at both places."""
        return sum({"sandbox", "Xero"} <= values.keys() for values in self.at.values())


Undo = Callable[[Callable[[], object]], None]
