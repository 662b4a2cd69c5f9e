"""Singer targets for Xero: how to install, configure and read each of them."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

from demo import install, run

Row = dict[str, Any]
SCRIPTS = Path(sys.executable).parent
#: Environments are kept between test runs: a loader is installed once for each set of packages.
ENVIRONMENTS = Path(install.ROOT, ".demo", "loaders")
#: The classic targets need names that Python 3.10 removed from `collections`.
REMOVED_NAMES = """\
import collections, collections.abc
for name in ("Mapping", "MutableMapping", "Sequence", "MutableSequence", "Set", "MutableSet", "Callable", "Iterable"):
    setattr(collections, name, getattr(collections.abc, name))
"""


@dataclass(frozen=True)
class Loader:
    """One target.

    `settings` returns its configuration for a folder and a PostgreSQL address. `read` returns the rows of a
    stream that it wrote there, with every value as the target stored it. `keeps` tells which rows stay when a key
    comes again: the `latest`, or `all`. `nested` tells whether objects and lists are stored as JSON.
    `tap` holds the settings that the target needs of the tap.
    """

    name: str
    packages: tuple[str, ...]
    program: str
    settings: Callable[[Path, str], Row]
    read: Callable[[Loader, Path, str, str], list[Row]]
    keeps: str = "latest"
    advice: str = ""
    old_names: bool = False
    nested: bool = True
    tap: tuple[tuple[str, str], ...] = ()

    @property
    def python(self) -> Path:
        """The interpreter of the loader's environment."""
        return self._folder / "bin" / "python"

    @property
    def _folder(self) -> Path:
        what = "\n".join([*self.packages, sys.version, str(self.old_names)])
        return ENVIRONMENTS / f"{self.name}-{hashlib.sha256(what.encode()).hexdigest()[:12]}"

    def install(self) -> None:
        """Create the loader's environment, unless it exists."""
        if self.python.exists():
            return
        partial = self._folder.with_suffix(f".{os.getpid()}")
        self._call(SCRIPTS / "uv", "venv", "-q", "--python", sys.executable, "--relocatable", partial)
        python = partial / "bin" / "python"
        self._call(SCRIPTS / "uv", "pip", "install", "-q", "--python", python, *self.packages)
        if self.old_names:
            (site,) = (partial / "lib").glob("python*/site-packages")
            (site / "sitecustomize.py").write_text(REMOVED_NAMES)
        try:
            partial.rename(self._folder)
        except OSError:  # another process created it first
            shutil.rmtree(partial)

    def _call(self, *command: str | Path) -> None:
        subprocess.run(command, env=install.environment(), check=True, capture_output=True)

    def load(self, messages: bytes, folder: Path, url: str) -> list[Row]:
        """Load messages and return the states that the target emits, in order."""
        config = folder / "config.json"
        config.write_text(json.dumps(self.settings(folder, url)))
        done = subprocess.run(
            [self._folder / "bin" / self.program, "--config", config],
            input=messages,
            cwd=folder,
            env=install.environment() | {"XDG_STATE_HOME": str(folder)},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()[-3000:]
        return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]

    def rows(self, folder: Path, url: str, stream: str) -> list[Row]:
        """The rows of a stream in the form in which the target stored them."""
        return self.read(self, folder, url, stream)


SCHEMA = "loaders_test"


def _jsonl(_: Loader, folder: Path, url: str, stream: str) -> list[Row]:
    lines = (folder / f"{stream}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line, parse_float=Decimal) for line in lines]


def _singer_jsonl(_: Loader, folder: Path, url: str, stream: str) -> list[Row]:
    files = sorted((folder / stream).glob("*.gz"), key=lambda path: path.stat().st_mtime_ns)
    lines = [line for path in files for line in gzip.decompress(path.read_bytes()).splitlines()]
    messages = [json.loads(line, parse_float=Decimal) for line in lines]
    return [message["record"] for message in messages if message["type"] == "RECORD"]


def _csv(_: Loader, folder: Path, url: str, stream: str) -> list[Row]:
    rows: list[Row] = []
    for path in sorted(folder.glob(f"{stream}-*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            rows += csv.DictReader(file)
    return rows


def _postgres(_: Loader, folder: Path, url: str, stream: str) -> list[Row]:
    with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as connection:
        return connection.execute(f'SELECT * FROM {SCHEMA}."{stream}"').fetchall()


def _by_program(program: str) -> Callable[[Loader, Path, str, str], list[Row]]:
    """Read with a library of the loader's environment."""

    def read(loader: Loader, folder: Path, url: str, stream: str) -> list[Row]:
        command = [loader.python, "-c", program, str(folder), stream]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        rows: list[Row] = json.loads(done.stdout)
        return rows

    return read


_duckdb = _by_program("""
import json, sys
import duckdb
connection = duckdb.connect(sys.argv[1] + "/xero.duckdb", read_only=True)
found = connection.execute(f'SELECT * FROM main."{sys.argv[2]}"')
names = [column[0] for column in found.description]
print(json.dumps([dict(zip(names, row)) for row in found.fetchall()], default=str))
""")
_sqlite = _by_program("""
import json, sqlite3, sys
connection = sqlite3.connect(sys.argv[1] + "/xero.db")
connection.row_factory = sqlite3.Row
print(json.dumps([dict(row) for row in connection.execute(f'SELECT * FROM "{sys.argv[2]}"')]))
""")

LOADERS = [
    Loader(
        "target-postgres",
        ("meltanolabs-target-postgres==0.8.1",),
        "target-postgres",
        lambda folder, url: {
            "sqlalchemy_url": run.sqlalchemy_url(url),
            "default_target_schema": SCHEMA,
            "validate_records": False,
        },
        _postgres,
        advice="`validate_records: false` saves two fifths of the time; the tap sends valid records.",
    ),
    Loader(
        "target-jsonl",
        ("target-jsonl==0.1.4",),
        "target-jsonl",
        lambda folder, url: {"destination_path": str(folder), "do_timestamp_file": False},
        _jsonl,
        keeps="all",
        advice="Appends to its files on every run; the last line of a key is the current one.",
    ),
    Loader(
        "target-singer-jsonl",
        ("target-singer-jsonl==0.1.0",),
        "target-singer-jsonl",
        lambda folder, url: {"destination": "local", "local": {"folder": str(folder)}},
        _singer_jsonl,
        keeps="all",
        tap=(("emit_activate_version_messages", "false"),),
        advice="Set the tap's `emit_activate_version_messages: false`: the target stops at such a message.",
    ),
    Loader(
        "target-csv",
        ("meltanolabs-target-csv==0.5.0",),
        "target-csv",
        lambda folder, url: {
            "output_path": str(folder),
            "file_naming_scheme": "{stream_name}-{timestamp}.csv",
        },
        _csv,
        keeps="all",
        nested=False,
        advice="Set `file_naming_scheme: '{stream_name}-{timestamp}.csv'`: by default each run replaces the files, and "
        "an incremental stream without changes leaves an empty one. Nested values are Python text, not JSON: set the "
        "tap's `nested_tables`.",
    ),
    Loader(
        "target-csv (singer-io)",
        ("target-csv==0.3.0", "setuptools<80"),
        "target-csv",
        lambda folder, url: {"destination_path": str(folder), "disable_collection": True},
        _csv,
        keeps="all",
        nested=False,
        old_names=True,
        tap=(("flattening_enabled", "true"), ("flattening_max_depth", "3")),
        advice="Needs Python 3.9. Set the tap's `flattening_enabled: true`: the target shifts the columns of a record "
        "that lacks a field or an object. Set `disable_collection: true`, or it reports each run to a third party.",
    ),
    Loader(
        "target-sqlite",
        ("target-sqlite==0.2.0", "setuptools<80"),
        "target-sqlite",
        lambda folder, url: {"database": str(folder / "xero")},
        _sqlite,
        nested=False,
        old_names=True,
        advice="Needs Python 3.9.",
    ),
    Loader(
        "target-duckdb",
        ("target-duckdb==0.8.0", "duckdb==1.0.0"),
        "target-duckdb",
        lambda folder, url: {"path": str(folder / "xero.duckdb"), "default_target_schema": "main"},
        _duckdb,
        advice="Install with `duckdb==1.0.0`: with newer ones it loses the first row of each batch.",
    ),
]
