"""What the tests of the target share: an empty organisation, and runs with their outcome."""

from __future__ import annotations

import io
import logging
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from moving_time import OverlappingTime

from singer_xero.api.auth import ClientCredentials
from singer_xero.api.client import XeroClient
from singer_xero.api.errors import XeroError
from singer_xero.errors import ConfigurationProblem
from target_xero.summary import Count
from target_xero.target import TargetXero
from target_xero.write_log.identity import own_key
from target_xero.write_log.postgres_log import PREFIX
from xero_sandbox import Sandbox, apps

DATA = Path(__file__).parent / "data"
decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


def schema(stream: str, *keys: str) -> dict[str, Any]:
    return {"type": "SCHEMA", "stream": stream, "schema": {"properties": {}}, "key_properties": list(keys)}


def record(stream: str, **values: Any) -> dict[str, Any]:
    return {"type": "RECORD", "stream": stream, "record": values}


def state(value: Any) -> dict[str, Any]:
    return {"type": "STATE", "value": value}


def lines(*messages: dict[str, Any]) -> str:
    return "".join(_encode(message).decode() + "\n" for message in messages)


@dataclass
class Written:
    """One run of the target: its counts, states and messages."""

    counts: dict[str, Count]
    states: list[Any]
    messages: list[str]
    rejects: Path
    error: Exception | None = None
    target: TargetXero | None = field(default=None, repr=False)

    def logged(self, words: str) -> bool:
        return any(words in message for message in self.messages)

    def count(self, name: str) -> dict[str, int]:
        """The counts of one object, without zeros and calls."""
        found = self.counts.get(name, Count())
        return {n: v for n in found.__slots__ if n != "calls" and (v := getattr(found, n))}

    @property
    def rejected(self) -> list[tuple[str, str]]:
        """(stream, reason) of every reject in the file."""
        if not self.rejects.exists():
            return []
        messages = [decode(line) for line in self.rejects.read_bytes().splitlines()]
        return [(m["stream"], m["record"]["_rejected_reason"]) for m in messages if m["type"] == "RECORD"]


class Wiring:
    """Runs the target against one organisation of the sandbox, with files in a folder of the test's."""

    def __init__(self, xero: Sandbox, tenant: str, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
        self.xero, self.tenant, self.folder, self._caplog = xero, tenant, folder, caplog
        self.opened: list[sqlite3.Connection] = []
        self.config: dict[str, Any] = {
            **apps.CUSTOM_CONNECTION.settings(xero.url),
            "tenant_ids": [tenant],
            "token_path": str(folder / "tokens.json"),
            "write_log_path": str(folder / "writes.db"),
            "rejects_path": str(folder / "rejects.singer"),
        }

    def client(self, tries: int) -> XeroClient:
        """A client with a number of tries, whose waits take no time: Xero's clock moves instead."""
        moving = OverlappingTime(self.xero.admin.advance)
        app = apps.CUSTOM_CONNECTION
        return XeroClient(
            ClientCredentials(app.client_id, app.client_secret or ""),
            api_url=self.xero.url,
            identity_url=self.xero.url,
            monotonic=moving,
            sleep=moving.sleep,
            max_tries=tries,
        )

    def write(
        self,
        *source: str | Path | dict[str, Any] | Iterable[dict[str, Any]],
        tries: int | None = None,
        **settings: Any,
    ) -> Written:
        """Pipe messages, text or a file of tests/target/data into the target; `tries` bounds those of each call."""
        text = "".join(_text(one) for one in source)
        self._caplog.clear()
        out, error = io.StringIO(), None
        with pytest.MonkeyPatch.context() as patch, self._caplog.at_level(logging.INFO):
            patch.setattr("sys.stdout", out)
            try:
                target = TargetXero(config={**self.config, **settings})
            except ConfigurationProblem as problem:
                return Written({}, [], [], self.folder / "rejects.singer", problem)
            if tries:
                client = target.connected.__dict__["client"] = self.client(tries)
                target.connected.is_custom_connection = True
            try:
                target.listen(io.StringIO(text))
            except (XeroError, ConfigurationProblem) as problem:
                error = problem
            finally:
                target.close()
                if tries:
                    client.close()
        return Written(
            dict(target.summary.counts),
            [decode(line) for line in out.getvalue().splitlines()],
            [r.getMessage() for r in self._caplog.records],
            Path({**self.config, **settings}.get("rejects_path") or self.folder / "rejects.singer"),
            error,
            target,
        )

    def afresh(self) -> Wiring:
        """The same organisation in its first state, and an empty log of writes."""
        folder = self.folder / "afresh"
        folder.mkdir()
        self.xero.admin.reset()
        self.xero.admin.limits(enabled=False)
        fresh = Wiring(self.xero, self.tenant, folder, self._caplog)
        fresh.opened = self.opened
        return fresh

    def log(self) -> sqlite3.Connection:
        """The log of writes on the disk; it is closed at the end of the test."""
        connection = sqlite3.connect(f"file:{self.config['write_log_path']}?mode=ro", uri=True)
        self.opened.append(connection)
        return connection

    def ids(self, name: str) -> dict[str, str]:
        """What the log of writes has of an object: the source's own key of each record, and Xero's id."""
        found = self._log_rows(f"SELECT key, xero_id FROM {{}}record WHERE object = '{name}'")
        return {_value_of(key): xero_id for key, xero_id in found}

    def in_flight(self) -> list[str]:
        """The source's own keys of the records that the log of writes has in flight."""
        requests = self._log_rows("SELECT records FROM {}request ORDER BY sent_at, request")
        return [_value_of(record[0]) for (records,) in requests for record in decode(records)]

    def _log_rows(self, query: str) -> list[tuple[Any, ...]]:
        """The answer of the log of writes; braces stand for what is before the names of its tables."""
        path = self.config["write_log_path"]
        if not path.startswith("postgresql:"):
            return self.log().execute(query.format("")).fetchall()
        with psycopg.connect(path) as connection:
            return connection.execute(query.format(PREFIX)).fetchall()

    def notes(self, path: str) -> list[str]:
        """The notes in the history of a record, at an address such as `Invoices/<id>`."""
        client = self.client(1)
        try:
            history = client.get(self.tenant, f"{path}/History").json()["HistoryRecords"]
        finally:
            client.close()
        return [one["Details"] for one in history if one.get("Changes") == "Note"]

    def records(self, path: str) -> list[dict[str, Any]]:
        return self.xero.admin.records(path, self.tenant)

    def writes(self) -> list[dict[str, Any]]:
        """The writes that Xero received and answered for this organisation."""
        return [
            c
            for c in self.xero.admin.calls()
            if c["method"] in {"PUT", "POST", "DELETE"} and "api.xro" in c["path"]
        ]


def _value_of(key: str) -> str:
    own = own_key(key)
    return own[1] if own else key


def _text(source: Any) -> str:
    if isinstance(source, dict):
        return lines(source)
    if isinstance(source, Path):
        return source.read_text()
    if isinstance(source, str):
        return (DATA / source).read_text() if source.endswith(".singer") else source
    return lines(*source)


@pytest.fixture
def log_in_postgres(postgres_schema: str) -> str:
    """A `write_log_path` in PostgreSQL."""
    return postgres_schema


@pytest.fixture(scope="session")
def empty_company() -> Iterator[Sandbox]:
    """An organisation that has nothing but what Xero gives a new one."""
    with Sandbox(company="empty", limits=False) as sandbox:
        yield sandbox


@pytest.fixture
def xero(empty_company: Sandbox) -> Sandbox:
    empty_company.admin.reset()
    empty_company.admin.limits(enabled=False)
    return empty_company


@pytest.fixture
def wiring(xero: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Wiring]:
    wiring = Wiring(xero, xero.admin.organisations()[0]["tenant_id"], tmp_path, caplog)
    yield wiring
    for connection in wiring.opened:
        connection.close()


@contextmanager
def answered_together(requests: int) -> Iterator[None]:
    """No answer is there before so many requests are sent."""
    together = threading.Barrier(requests)
    send = XeroClient.send

    def waiting(self: XeroClient, *args: Any, **options: Any) -> Any:
        try:
            return send(self, *args, **options)
        finally:
            together.wait(10)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(XeroClient, "send", waiting)
        yield
