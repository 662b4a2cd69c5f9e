"""The file that stores tokens between runs."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from singer_xero.api.errors import TokenStoreError
from singer_xero.api.tokens import Kept, TokenStore, default_path, expanded
from singer_xero.api.tokens import file as tokens


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    return TokenStore(tmp_path / "secret" / "tokens.json")


def keep(store: TokenStore, client_id: str, kept: Kept | None) -> None:
    with store.locked(), store.successor(client_id) as put:
        put(kept)


ONE = Kept(refresh_token="r-1", access_token="a-1", expires_at=1_777_032_244.5, seeds=("f",))


def test_another_store_reads_the_stored_tokens(store: TokenStore) -> None:
    assert store.read("app") is None
    keep(store, "app", ONE)
    assert TokenStore(store.path).read("app") == ONE
    assert TokenStore(store.path).read("another app") is None


def test_apps_share_a_file_without_affecting_each_other(store: TokenStore) -> None:
    keep(store, "one", ONE)
    keep(store, "two", Kept(refresh_token="r-2"))
    keep(store, "one", Kept(refresh_token="r-3", previous_refresh_token="r-1"))
    assert store.read("two") == Kept(refresh_token="r-2")
    keep(store, "one", None)
    assert store.read("one") is None
    assert store.read("two") == Kept(refresh_token="r-2")


def test_only_the_owner_may_read_the_file_and_its_folder(store: TokenStore) -> None:
    old = os.umask(0)
    try:
        keep(store, "app", ONE)
    finally:
        os.umask(old)
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700


def test_a_file_readable_by_others_becomes_private_when_it_is_written(store: TokenStore) -> None:
    keep(store, "app", ONE)
    store.path.chmod(0o644)
    keep(store, "app", ONE)
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["tokens.json", "tokens.json.lock"])
def test_a_planted_link_is_not_followed(tmp_path: Path, name: str) -> None:
    real = TokenStore(tmp_path / "real" / "tokens.json")
    keep(real, "app", ONE)
    before = real.path.read_bytes()
    (tmp_path / name).symlink_to(real.path)
    store = TokenStore(tmp_path / "tokens.json")
    with pytest.raises(TokenStoreError, match="is a symbolic link, which is not followed") as refused:
        keep(store, "app", Kept(refresh_token="r-2"))
    assert str(tmp_path / name) in str(refused.value)
    assert real.path.read_bytes() == before


def test_a_link_in_place_of_the_next_file_is_not_followed(store: TokenStore, tmp_path: Path) -> None:
    store.path.parent.mkdir()
    (tmp_path / "victim").write_text("precious")
    (store.path.parent / ".tokens.json.new").symlink_to(tmp_path / "victim")
    keep(store, "app", ONE)
    assert store.read("app") == ONE
    assert (tmp_path / "victim").read_text() == "precious"


def test_tokens_of_a_project_are_excluded_from_its_repository(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    keep(TokenStore(tmp_path / ".secrets" / "xero-tokens.json"), "app", ONE)
    told = subprocess.run(
        ["git", "-C", tmp_path, "status", "--porcelain", "-uall"], capture_output=True, check=True
    )
    assert told.stdout == b""


def test_an_error_between_preparation_and_writing_leaves_the_old_tokens(store: TokenStore) -> None:
    keep(store, "app", ONE)
    with pytest.raises(ZeroDivisionError), store.locked(), store.successor("app"):
        raise ZeroDivisionError
    assert store.read("app") == ONE
    assert [path.name for path in store.path.parent.iterdir() if path.suffix != ".lock"] == ["tokens.json"]


@pytest.mark.parametrize(
    "damage",
    [
        b'{"version": 1, "clients": {"app": {"refr',
        b"\xff\xfe\x00",
        b"[]",
        b"{}",
        b'{"version": 2, "clients": {}}',
    ],
)
def test_a_damaged_or_foreign_file_is_neither_used_nor_overwritten(store: TokenStore, damage: bytes) -> None:
    store.path.parent.mkdir()
    store.path.write_bytes(damage)
    with pytest.raises(TokenStoreError, match="Move it away and run `xero-login`"):
        store.read("app")
    with pytest.raises(TokenStoreError, match="not a token file"):
        keep(store, "app", ONE)
    assert store.path.read_bytes() == damage


def test_an_empty_file_holds_no_tokens(store: TokenStore) -> None:
    store.path.parent.mkdir()
    store.path.write_bytes(b"\n")
    assert store.read("app") is None
    keep(store, "app", ONE)
    assert store.read("app") == ONE


def test_a_file_from_another_program_is_refused(store: TokenStore) -> None:
    store.path.parent.mkdir()
    store.path.write_text(json.dumps({"client_id": "app", "start_date": "2026-01-01"}))
    with pytest.raises(TokenStoreError, match="not a token file"):
        keep(store, "app", ONE)


def test_an_unwritable_folder_is_noticed_before_a_token_is_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    store = TokenStore(tmp_path / "file" / "tokens.json")
    with pytest.raises(TokenStoreError, match="token_path") as caught, store.locked():
        pytest.fail("the lock was given")
    assert str(tmp_path) in str(caught.value)


def test_a_file_that_cannot_be_replaced_is_noticed_before_a_token_is_used(
    store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(store, "app", ONE)

    def busy(self: Path, target: Path) -> Path:  # Linux raises this for a file mounted into a container
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    monkeypatch.setattr(Path, "replace", busy)
    with pytest.raises(TokenStoreError, match="busy"), store.locked(), store.successor("app"):
        pytest.fail("the token would have been used up")
    assert store.read("app") == ONE


def test_a_full_disk_is_noticed_before_a_token_is_used(
    store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(store, "app", ONE)

    def full(descriptor: int) -> None:
        if os.fstat(descriptor).st_size > 16_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TokenStoreError, match="No space left"), store.locked(), store.successor("app"):
        pytest.fail("the token would have been used up")
    assert store.read("app") == ONE
    assert not list(store.path.parent.glob(".*new"))


def test_a_disk_that_fails_at_the_last_moment_leaves_the_old_tokens_and_reports_their_grace_period(
    store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(store, "app", ONE)

    def broken(self: Path, target: Path) -> Path:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with pytest.raises(TokenStoreError, match=r"Input/output error.*within 30 minutes"):  # noqa: SIM117
        with store.locked(), store.successor("app") as put:
            monkeypatch.setattr(Path, "replace", broken)
            put(Kept(refresh_token="r-2"))
    assert store.read("app") == ONE


def test_tokens_are_on_the_disk_before_the_call_returns(
    store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    sync, replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    def renamed(self: Path, target: Path) -> Path:
        done.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", renamed)
    with store.locked(), store.successor("app") as put:
        done.clear()
        put(ONE)
        assert done == ["file", "rename", "folder"]


def test_a_lock_of_another_process_is_waited_for_and_then_reported(
    store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.path.parent.mkdir()
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import filelock, sys\n"
            "with filelock.FileLock(sys.argv[1]):\n    print('held', flush=True)\n    sys.stdin.read()",
            f"{store.path}.lock",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    try:
        assert holder.stdout.readline() == b"held\n"
        monkeypatch.setattr(tokens, "_LOCK_WAIT", 0.0)
        with pytest.raises(TokenStoreError, match=r"tokens\.json\.lock"), store.locked():
            pytest.fail("the lock was given twice")
    finally:
        holder.stdin.close()
        holder.stdout.close()
        holder.wait(10)
    with store.locked():
        assert store.read("app") is None


def test_variables_and_the_home_folder_are_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHERE", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert expanded("$WHERE/tokens.json") == tmp_path / "tokens.json"
    assert expanded("${WHERE}/tokens.json") == tmp_path / "tokens.json"
    assert expanded("~/tokens.json") == tmp_path / "home" / "tokens.json"


def test_a_variable_that_is_not_set_is_an_error_not_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOT_SET", raising=False)
    for path in ("$NOT_SET/tokens.json", "/x/${NOT_SET}/tokens.json"):
        with pytest.raises(TokenStoreError, match=r"NOT_SET\}? is not set"):
            TokenStore(path)


def test_the_default_is_under_the_meltano_project_else_with_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", str(tmp_path))
    assert TokenStore().path == tmp_path / ".secrets" / "xero-tokens.json"
    monkeypatch.delenv("MELTANO_PROJECT_ROOT")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert default_path().startswith(str(tmp_path))
    assert Path(default_path()).parts[-2:] == ("singer-xero", "xero-tokens.json")


def test_tokens_do_not_show_when_printed() -> None:
    assert "r-1" not in repr(ONE)
    assert "a-1" not in repr(ONE)
