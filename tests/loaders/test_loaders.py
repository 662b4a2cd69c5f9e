"""Two nights of the demo company through each target, with every value compared with the tap's."""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from demo import install, postgres
from xero_sandbox import Sandbox

from . import amounts
from .loaders import LOADERS, SCRIPTS, Loader, Row

pytestmark = pytest.mark.skipif(not (SCRIPTS / "uv").exists(), reason="uv is not installed")


class Nights:
    """The tap's messages of two nights, with a business day between them."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self._settings = {
            "TAP_XERO_SANDBOX": str(folder / "xero"),
            "TAP_XERO_TOKEN_PATH": str(folder / "tokens.json"),
            **settings,
        }
        first = self._tap()
        state = folder / "state.json"
        state.write_text(json.dumps(_states(first)[-1]))
        with Sandbox(data=folder / "xero") as sandbox:
            sandbox.admin.day()
        self.messages = [first, self._tap("--state", str(state))]
        self.schemas: dict[str, Row] = {}
        self.records: defaultdict[str, list[Row]] = defaultdict(list)
        for line in b"".join(self.messages).splitlines():
            message = json.loads(line, parse_float=Decimal)
            if message["type"] == "SCHEMA":
                self.schemas[message["stream"]] = message
            elif message["type"] == "RECORD":
                self.records[message["stream"]].append(message["record"])

    def _tap(self, *arguments: str) -> bytes:
        done = subprocess.run(
            [SCRIPTS / "tap-xero", "--config=ENV", *arguments],
            env=install.environment() | self._settings,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()[-3000:]
        return done.stdout

    def latest(self, stream: str) -> list[Row]:
        """The last record of each key."""
        keys = self.schemas[stream]["key_properties"]
        return list({tuple(row[key] for key in keys): row for row in self.records[stream]}.values())


def _states(messages: bytes) -> list[Row]:
    decoded = (json.loads(line) for line in messages.splitlines() if b'"STATE"' in line[:40])
    return [message["value"] for message in decoded]


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Loader], Nights]:
    """The two nights with the tap's settings for a loader, shared by loaders with equal settings."""

    @cache
    def made(settings: tuple[tuple[str, str], ...]) -> Nights:
        given = {f"TAP_XERO_{name.upper()}": value for name, value in settings}
        return Nights(tmp_path_factory.mktemp("nights"), **given)

    return lambda loader: made(loader.tap)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres.running(tmp_path_factory.mktemp("postgres"), keep=False) as server:
        yield server.url


@pytest.mark.parametrize("loader", LOADERS, ids=lambda loader: loader.name)
def test_two_nights_arrive_complete_and_the_state_advances(
    loader: Loader, nights: Callable[[Loader], Nights], url: str, tmp_path: Path
) -> None:
    read = nights(loader)
    loader.install()
    for messages in read.messages:
        assert loader.load(messages, tmp_path, url)[-1] == _states(messages)[-1]
    assert len(read.records) > 25
    for stream, records in read.records.items():
        sent = records if loader.keeps == "all" else read.latest(stream)
        _compare(loader, read.schemas[stream], sent, loader.rows(tmp_path, url, stream))


def _compare(loader: Loader, schema: Row, sent: list[Row], stored: list[Row]) -> None:
    stream, keys = schema["stream"], schema["key_properties"]
    assert len(stored) == len(sent), stream
    if loader.keeps == "latest":
        found = {tuple(str(row[_plain(key)]) for key in keys): row for row in map(_plainly, stored)}
        pairs = [(row, found[tuple(str(row[key]) for key in keys)]) for row in sent]
    else:
        pairs = list(zip(sent, map(_plainly, stored), strict=True))
    properties = schema["schema"]["properties"]
    compared = 0
    for record, row in pairs:
        for name, value in record.items():
            kinds = properties[name].get("type") or ["object"]
            if not loader.nested and {"object", "array"} & set(kinds):
                continue
            assert _equal(value, row[_plain(name)], properties[name]), (
                stream,
                name,
                value,
                row[_plain(name)],
            )
            compared += 1
    assert compared > 0 or not sent, stream


def _plain(name: str) -> str:
    """The name of a column without case and underscores, which targets change."""
    return name.lower().replace("_", "")


def _plainly(row: Row) -> Row:
    return {_plain(name): value for name, value in row.items()}


def _equal(sent: Any, stored: Any, schema: Row) -> bool:
    """Whether a target stored a value as sent, in the form of its columns."""
    if sent is None or stored is None or stored == "":
        return sent in (None, "") and stored in (None, "")
    if isinstance(sent, bool):
        return str(stored).lower() in ({"true", "1"} if sent else {"false", "0"})
    if isinstance(sent, (int, Decimal)):
        # A float column holds the nearest float; another test checks the precision of each target.
        return float(stored) == float(sent)
    if isinstance(sent, str):
        if schema.get("format") == "date-time":
            return _instant(stored) == _instant(sent)
        return str(stored) == sent
    if isinstance(stored, str):
        stored = json.loads(stored)
    return _floats(stored) == _floats(sent)


def _instant(value: Any) -> datetime:
    found = (
        value if isinstance(value, datetime) else datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    )
    return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)


def _floats(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _floats(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_floats(part) for part in value]
    return float(value) if isinstance(value, Decimal) else value


@pytest.mark.parametrize("loader", LOADERS, ids=lambda loader: loader.name)
def test_the_table_in_the_docs_shows_how_a_target_stores_amounts(
    loader: Loader, url: str, tmp_path: Path
) -> None:
    loader.install()
    text = amounts.PAGE.read_text(encoding="utf-8")
    assert amounts.head() in text
    assert amounts.row(loader, tmp_path, url) in text, "run python -m tests.loaders.amounts"
