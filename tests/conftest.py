"""What all tests share: a sandbox, and a tap run whose messages can be looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from singer_sdk.contrib.msgspec import MsgSpecWriter

from tap_xero.sandbox import Sandbox, apps
from tap_xero.tap import TapXero

decode = msgspec.json.Decoder(float_hook=Decimal).decode


class Recorder(MsgSpecWriter):
    """Keeps the lines that would go to stdout, as the bytes they would be."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def write_message(self, message: Any) -> None:
        self.lines.append(bytes(self.format_message(message)))


@dataclass
class Run:
    """One run of the tap: its messages in order, and what they amount to."""

    tap: TapXero
    messages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def state(self) -> dict[str, Any]:
        """The last STATE."""
        return next(m["value"] for m in reversed(self.messages) if m["type"] == "STATE")

    @property
    def records(self) -> dict[str, list[dict[str, Any]]]:
        """The RECORDs of each stream, in order."""
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for message in self.messages:
            if message["type"] == "RECORD":
                found[message["stream"]].append(message["record"])
        return found

    @property
    def schemas(self) -> dict[str, dict[str, Any]]:
        return {m["stream"]: m for m in self.messages if m["type"] == "SCHEMA"}

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [m for m in self.messages if m["type"] == kind]


def select(tap: TapXero, *streams: str) -> None:
    for name, stream in tap.streams.items():
        stream.selected = name in streams


def read(
    config: dict[str, Any], *streams: str, state: dict[str, Any] | None = None, catalog: Any = None
) -> Run:
    """Run the tap as its command does; named streams only, or all."""
    recorder = Recorder()
    tap = TapXero(config=config, state=state, catalog=catalog, message_writer=recorder)
    if streams:
        select(tap, *streams)
    try:
        tap.sync_all()
    finally:
        tap.close()
        run = Run(tap, [decode(line) for line in recorder.lines])
    return run


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def xero(running_sandbox: Sandbox) -> Sandbox:
    """The demo company on a server of its own, as new for each test."""
    running_sandbox.desk.reset()
    running_sandbox.desk.limits(enabled=False)
    return running_sandbox


@pytest.fixture
def config(xero: Sandbox) -> dict[str, Any]:
    """Settings that lead to the demo company through a custom connection."""
    return {
        "client_id": apps.CUSTOM_CONNECTION.client_id,
        "client_secret": apps.CUSTOM_CONNECTION.client_secret,
        "api_url": xero.url,
        "identity_url": xero.url,
    }
