"""A place that cannot store the next token: noticed before the current one is used."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from full_disk import of_its_own

from singer_xero.api.tokens import open_store
from xero_sandbox import Sandbox

from .conftest import APP, Job

Jobs = Callable[..., Job]
Consent = Callable[..., str]
Refreshes = Callable[[], list[int]]


@pytest.fixture
def store(tmp_path: Path, consent: Consent) -> Path:
    """A file with tokens that must be refreshed."""
    path = tmp_path / "secret" / "tokens.json"
    consent(str(path))
    return path


def refused(job: Job, *said: str) -> None:
    code, _, complained = job.end()
    assert code == 1
    for one in ("the tokens can't be stored in", "token_path", *said):
        assert one in complained.splitlines()[-1]


def still_good(jobs: Jobs, place: str, refreshes: Refreshes) -> None:
    """The stored token still works, and is used only now."""
    assert refreshes() == []
    assert jobs(place).go().end()[:2] == (0, "1")
    assert refreshes() == [200]


@pytest.mark.parametrize("command", [(), ("tap-xero",)])
def test_a_full_disk_is_named_and_the_token_stays_valid(
    command: tuple[str, ...], store: Path, jobs: Jobs, refreshes: Refreshes
) -> None:
    folder, copy = store.parent, store.parent.with_name("copy")
    shutil.copytree(folder, copy)
    full = of_its_own(f"mount -t tmpfs -o size=12k none '{folder}'", f"cp '{copy}'/tokens.json '{folder}'")
    job = jobs(str(store), *command, within=full)
    refused(job if command else job.go(), "No space left on device")
    still_good(jobs, str(store), refreshes)


def test_a_file_that_may_not_grow_is_named_and_the_token_stays_valid(
    store: Path, jobs: Jobs, refreshes: Refreshes
) -> None:
    before = store.read_bytes()
    limited = (
        "sh",
        "-c",
        'ulimit -f 16; exec "$@"',
        "sh",
    )  # 512 bytes: enough for the tokens, but not for the next ones
    refused(jobs(str(store), within=limited).go(), "File too large")
    assert store.read_bytes() == before
    assert [path.name for path in store.parent.iterdir() if path.suffix != ".lock"] == ["tokens.json"]
    still_good(jobs, str(store), refreshes)


def test_a_read_only_file_system_is_named_and_the_token_stays_valid(
    store: Path, jobs: Jobs, refreshes: Refreshes
) -> None:
    folder = store.parent
    read_only = of_its_own(f"mount --bind '{folder}' '{folder}'", f"mount -o remount,bind,ro '{folder}'")
    refused(jobs(str(store), within=read_only).go(), "Read-only file system")
    still_good(jobs, str(store), refreshes)


def test_a_file_mounted_alone_into_a_container_is_named_and_the_token_stays_valid(
    store: Path, jobs: Jobs, refreshes: Refreshes
) -> None:
    alone = of_its_own(f"mount --bind '{store}' '{store}'")
    refused(jobs(str(store), within=alone).go(), "Device or resource busy")
    still_good(jobs, str(store), refreshes)


def test_unreadable_tokens_are_named(store: Path, jobs: Jobs, xero: Sandbox) -> None:
    store.unlink()
    store.mkdir()
    code, _, complained = jobs(str(store)).go().end()
    assert code == 1
    assert f"the tokens in {store} can't be read: Is a directory" in complained
    assert not xero.admin.calls("/connect/token")


def test_a_refusal_does_not_lose_the_entry_of_another_app(store: Path, jobs: Jobs) -> None:
    kept = open_store(store).read(APP.client_id)
    limited = ("sh", "-c", 'ulimit -f 16; exec "$@"', "sh")
    refused(
        jobs(str(store), within=limited, client_id="ANOTHER", refresh_token="pasted").go(), "File too large"
    )
    assert open_store(store).read(APP.client_id) == kept
