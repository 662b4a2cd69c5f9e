"""Files that only their owner may read, in folders in which others may have put links."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from singer_xero.api.storage import private_files


@pytest.fixture(params=[0o000, 0o022, 0o377], ids=oct, autouse=True)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """The most permissive umask, the usual one and a senseless one."""
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A user's file to which a planted link points."""
    path = tmp_path / "victim"
    path.write_bytes(b"precious")
    path.chmod(0o644)
    return path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def put(path: Path, content: bytes) -> None:
    with os.fdopen(private_files.create(path), "wb") as file:
        file.write(content)


def test_files_and_new_folders_are_private_to_their_owner(tmp_path: Path) -> None:
    folder = tmp_path / "one" / "two"
    private_files.make_folder(folder)
    put(folder / "created", b"1")
    private_files.append(folder / "appended", b"2")
    private_files.replace(folder / "replaced", b"3", aside=folder / "replaced.part")
    private_files.secure(folder / "secured")
    with private_files.locked(folder / "locked", 0):
        pass
    assert {path.name: mode(path) for path in folder.iterdir()} == dict.fromkeys(
        ("created", "appended", "replaced", "secured", "locked.lock"), 0o600
    )
    assert [mode(tmp_path / "one"), mode(folder)] == [0o700, 0o700]


def test_a_folder_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o750)
    private_files.append(tmp_path / "shared" / "file", b"1")
    assert mode(tmp_path / "shared") == 0o750


@pytest.mark.parametrize(
    "touch", [private_files.read, private_files.secure, lambda p: private_files.append(p, b"")]
)
def test_a_file_that_was_open_to_others_is_closed_to_them(tmp_path: Path, touch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"precious")
    path.chmod(0o666)
    touch(path)
    assert mode(path) == 0o600
    assert path.read_bytes() == b"precious"


@pytest.mark.parametrize(
    "touch", [private_files.read, private_files.secure, lambda p: private_files.append(p, b"more")]
)
def test_a_link_in_place_of_a_file_is_refused(tmp_path: Path, victim: Path, touch) -> None:
    link = tmp_path / "link"
    for target in (victim, tmp_path / "missing"):
        link.symlink_to(target)
        with pytest.raises(OSError, match="symbolic link"):
            touch(link)
        link.unlink()
    assert (victim.read_bytes(), mode(victim)) == (b"precious", 0o644)
    assert not (tmp_path / "missing").exists()


def test_a_link_in_place_of_a_lock_is_refused(tmp_path: Path, victim: Path) -> None:
    (tmp_path / "file.lock").symlink_to(victim)
    with (
        pytest.raises(OSError, match=r"file\.lock: it is a symbolic link"),
        private_files.locked(tmp_path / "file", 0),
    ):
        pytest.fail("the lock was given")
    assert (victim.read_bytes(), mode(victim)) == (b"precious", 0o644)


def test_links_in_place_of_new_files_are_replaced(tmp_path: Path, victim: Path) -> None:
    for name in ("created", "file", "file.part"):
        (tmp_path / name).symlink_to(victim)
    put(tmp_path / "created", b"1")
    private_files.replace(tmp_path / "file", b"2", aside=tmp_path / "file.part")
    assert [(tmp_path / name).read_bytes() for name in ("created", "file")] == [b"1", b"2"]
    assert not (tmp_path / "file").is_symlink()
    assert (victim.read_bytes(), mode(victim)) == (b"precious", 0o644)


def test_a_pipe_in_place_of_a_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "pipe").chmod(0o600)
    for touch in (private_files.read, private_files.secure, lambda p: private_files.append(p, b"1")):
        with pytest.raises(OSError, match="not a regular file"):
            touch(tmp_path / "pipe")


def test_a_file_that_cannot_be_written_completely_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "file"
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from singer_xero.api.storage import private_files\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "private_files.append(Path(sys.argv[1]), b'whole\\n')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "try:\n    private_files.append(Path(sys.argv[1]), b'x' * 1000)\n"
        "except OSError as error:\n    print(error.errno)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert int(done.stdout) == errno.EFBIG
    assert path.read_bytes() == b"whole\n"


def test_a_lock_belongs_to_one_process_at_a_time(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom singer_xero.api.storage import private_files\n"
        "try:\n    with private_files.locked(Path(sys.argv[1]), 0):\n        print('got it')\n"
        "except private_files.LockHeld as held:\n    print(held.path.name)\n"
    )

    def other() -> str:
        done = subprocess.run(
            [sys.executable, "-c", code, tmp_path / "file"], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    with private_files.locked(tmp_path / "file", 0):
        assert other() == "file.lock"
    assert other() == "got it"


def test_a_folder_of_secrets_excludes_itself_from_the_repository(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    subprocess.run(["git", "init", "-q", project], check=True)
    private_files.append(project / ".secrets" / "deep" / "file", b"1")
    private_files.append(project / "else" / "file", b"1")
    told = subprocess.run(
        ["git", "-C", project, "status", "--porcelain", "--untracked-files=all"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout == "?? else/file\n"
    assert mode(project / ".secrets" / ".gitignore") == 0o600


def test_an_existing_gitignore_stays(tmp_path: Path) -> None:
    folder = tmp_path / ".secrets"
    folder.mkdir(0o700)
    folder.chmod(0o700)
    (folder / ".gitignore").write_text("mine")
    (folder / ".gitignore").chmod(0o600)
    private_files.make_folder(folder)
    assert (folder / ".gitignore").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's link")
def test_a_link_to_a_folder_is_followed_if_a_trusted_user_made_it(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real").chmod(0o700)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    private_files.append(link / "file", b"1")
    os.chown(link, 12345, 12345, follow_symlinks=False)
    for touch in (private_files.read, private_files.secure, lambda p: private_files.append(p, b"2")):
        with pytest.raises(OSError, match="another user"):
            touch(link / "file")
    assert (tmp_path / "real" / "file").read_bytes() == b"1"
    os.chown(tmp_path, 12345, 12345)  # the owner of the folder may put links in it
    private_files.append(link / "file", b"2")
    assert (tmp_path / "real" / "file").read_bytes() == b"12"
