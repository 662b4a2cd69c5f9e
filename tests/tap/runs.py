"""Runs of the tap with their messages and logs, in this process or as a command."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import runpy
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
from singer_sdk.contrib.msgspec import MsgSpecWriter

from singer_xero.objects import OBJECTS, STREAMS
from tap_xero.run import Run as TapRun
from tap_xero.streams.discovery import stream_named
from tap_xero.streams.stream import XeroStream
from tap_xero.tap import TapXero

from .company import HARBOUR

decode = msgspec.json.Decoder(float_hook=Decimal).decode


class Recorder(MsgSpecWriter):
    """Stores the lines for stdout as bytes."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def write_message(self, message: Any) -> None:
        self.lines.append(bytes(self.format_message(message)))

    def write_records(self, lines: bytearray) -> None:
        """Store RECORD messages that are already encoded."""
        self.lines += bytes(lines).splitlines(keepends=True)


class _Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextmanager
def logged() -> Iterator[list[logging.LogRecord]]:
    """The log of the block, from level INFO."""
    handler, root = _Log(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield handler.records
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


@dataclass
class Run:
    """A run: its lines and messages in order, and its log."""

    tap: TapXero
    lines: list[bytes] = field(default_factory=list)
    log: list[logging.LogRecord] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.messages: list[dict[str, Any]] = [decode(line) for line in self.lines]

    @property
    def state(self) -> dict[str, Any]:
        """The last STATE."""
        return last_state(self.messages)

    @property
    def records(self) -> dict[str, list[dict[str, Any]]]:
        """The RECORDs of each stream, in order."""
        return records_of(self.messages)

    def of(self, kind: str, stream: str | None = None) -> list[dict[str, Any]]:
        """The messages of a type."""
        return [m for m in self.messages if m["type"] == kind and stream in {None, m.get("stream")}]

    def ids(self, stream: str) -> list[Any]:
        """The keys of a stream's records, without tenant_id, in order."""
        (key, *_) = OBJECTS[stream].key
        return [record[key] for record in self.records[stream]]

    def bookmark(self, stream: str, tenant_id: str = HARBOUR) -> Any:
        """The bookmark of a stream in the last STATE."""
        return bookmark(self.state, stream, tenant_id)

    @property
    def failed(self) -> dict[tuple[str, str], str]:
        """The streams that were not read completely, by organisation, with the reason."""
        return {(f.stream, f.organisation.name): str(f.error) for f in self.tap.failures}

    def said(self, *levels: int) -> list[str]:
        """The log, or its lines of these levels."""
        return [record.getMessage() for record in self.log if not levels or record.levelno in levels]

    @property
    def warnings(self) -> list[str]:
        """The warnings in the log."""
        return self.said(logging.WARNING)


def last_state(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """The last STATE among messages."""
    found: dict[str, Any] = next(m["value"] for m in reversed(messages) if m["type"] == "STATE")
    return found


def records_of(messages: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The RECORDs of each stream, in order."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for message in messages:
        if message["type"] == "RECORD":
            found[message["stream"]].append(message["record"])
    return found


def part_of(state: dict[str, Any], stream: str, tenant_id: str = HARBOUR) -> dict[str, Any]:
    """The part of a state for a stream of an organisation; empty if there is none."""
    parts = state["bookmarks"][stream]["partitions"]
    (found,) = [part for part in parts if part["context"] == {"tenant_id": tenant_id}] or [{}]
    return dict(found)


def bookmark(state: dict[str, Any], stream: str, tenant_id: str = HARBOUR) -> Any:
    """The bookmark of a stream in a state; None if there is none."""
    return part_of(state, stream, tenant_id).get("replication_key_value")


def state_at(value: Any, stream: str = "contacts", tenant_id: str = HARBOUR) -> dict[str, Any]:
    """A state written by hand."""
    part = {
        "context": {"tenant_id": tenant_id},
        "replication_key": OBJECTS[stream].cursor,
        "replication_key_value": value,
    }
    return {"bookmarks": {stream: {"partitions": [part]}}}


def read(
    config: dict[str, Any],
    *streams: str,
    state: dict[str, Any] | None = None,
    catalog: dict[str, Any] | None = None,
) -> Run:
    """Run the tap in this process, with these streams only or with all.

    Other streams are not created, which saves a fifth of a second. `command` covers what the command does
    besides `sync_all`: scopes, report and exit code. Detail streams that are named are opened unless `config`
    says otherwise.
    """
    costly = [name for name in streams if name in STREAMS and STREAMS[name].costly]
    config = {"detail_streams": costly, **config}
    recorder = Recorder()
    kept = json.loads(json.dumps(state)) if state else None

    def select(tap: TapXero, run: TapRun) -> list[XeroStream]:
        found = [stream_named(tap, run, name) for name in streams]
        for stream in found:
            stream.selected_by_default = True
        return found

    chosen = select if streams else None
    with mock.patch("tap_xero.tap.all_streams", chosen) if chosen else mock.patch.dict({}), logged() as log:
        tap = TapXero(config=dict(config), state=kept, catalog=catalog, message_writer=recorder)
        try:
            tap.sync_all()
        finally:
            tap.close()
    return Run(tap, recorder.lines, log)


@dataclass
class Done:
    """A finished command."""

    code: int
    out: str
    err: str

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The Singer messages that it wrote, without a last line that was cut off."""
        lines = self.out.splitlines(keepends=True)
        return [decode(line) for line in lines if line.endswith("\n")]

    @property
    def errors(self) -> list[str]:
        """The errors of the log, without the prefix of their lines."""
        lines = [line for line in self.err.splitlines() if "| ERROR" in line]
        return [line.split(" | ")[-1].strip() for line in lines]


def command(*arguments: str, config: dict[str, Any] | None = None, at: Path, **environment: str) -> Done:
    """Run `python -m tap_xero` in the folder `at`, with `config` in a file, to its end."""
    process = started(*arguments, config=config, at=at, **environment)
    process.join(60)
    if process.exitcode is None:
        process.kill()
    texts = [(at / name).read_text(encoding="utf-8") for name in ("stdout", "stderr")]
    return Done(process.exitcode if process.exitcode is not None else -9, *texts)


def started(
    *arguments: str, config: dict[str, Any] | None = None, at: Path, **environment: str
) -> ForkServerProcess:
    """Start `python -m tap_xero` with its output in the files stdout and stderr.

    The process is a copy of one that has already imported the tap, which saves most of a second.
    """
    given = list(arguments)
    if config is not None:
        (at / "config.json").write_text(json.dumps(config), encoding="utf-8")
        given = ["--config", "config.json", *given]
    process = _PROCESSES.Process(target=_run, args=(given, at, own_environment(at) | environment))
    process.start()
    return process


_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tap_xero.tap", "xero_sandbox.server"])


def _run(arguments: list[str], at: Path, environment: dict[str, str]) -> None:
    """Do in the current process what `python -m tap_xero` does."""
    for stream, name in ((sys.stdout, "stdout"), (sys.stderr, "stderr")):
        stream.flush()
        opened = os.open(at / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, stream.fileno())
        os.close(opened)
    os.chdir(at)
    os.environ.clear()
    os.environ.update(environment)
    warnings.simplefilter("error")
    warnings.filterwarnings(
        "ignore", "Python 3", FutureWarning
    )  # a warning of the SDK that depends on the date
    sys.argv = ["tap-xero", *arguments]
    runpy.run_module("tap_xero", run_name="__main__", alter_sys=True)


def own_environment(at: Path) -> dict[str, str]:
    """An environment without the user's tokens and settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TAP_", "MELTANO_", "XDG_", "SINGER_"))}
    root = Path(__file__).resolve().parents[2]
    return kept | {
        "HOME": str(at),
        "PYTHONPATH": str(root),
        "PYTHONWARNINGS": "error,ignore:Python 3:FutureWarning",
        "COLUMNS": "200",
    }
