"""Files that only their owner may read: tokens, the log of writes, rejects, attachments.

Files get mode 0600 and new folders 0700, whatever the umask. A symbolic link in place of a file is never followed,
since another user could create it in a shared folder. A link to a folder is followed if this user, root or the owner of
the folder around it made it, as Linux does in /tmp (`fs.protected_symlinks`).

Everything here raises OSError. Its `strerror` completes the sentence "<path> can't be read or written: …".
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

FILE_MODE = 0o600
FOLDER_MODE = 0o700
SECRETS = ".secrets"
"""The folder of a project for tokens; a .gitignore keeps its content out of the repository."""

_IGNORE = "# Made by singer-xero: nothing in this folder belongs into a repository.\n*\n"
# Without O_NONBLOCK, opening a named pipe waits for its other end. Windows has neither flag.
_SAFE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class LockHeld(Exception):
    """Another process holds the lock; `path` is the lock file."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"another process holds {path}")
        self.path = path


def make_folder(folder: Path) -> None:
    """Make a folder and its missing parents, for this user only; an existing one keeps its mode.

    A parent named `.secrets` gets a .gitignore unless it has one.
    """
    _check_folders(folder)
    missing = [each for each in (folder, *folder.parents) if not os.path.lexists(each)]
    for each in reversed(missing):
        try:
            each.mkdir(FOLDER_MODE)
        except FileExistsError:  # another process was faster
            _check_folders(folder)
        else:
            each.chmod(FOLDER_MODE)  # the umask may have taken rights from the owner
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, f"{folder} is not a folder", str(folder))
    for each in (folder, *folder.parents):
        if each.name == SECRETS:
            _ignore(each)
            break


def create(path: Path) -> int:
    """Open a new file for writing and return its descriptor. An existing file or link is removed first."""
    _check_folders(path.parent)
    path.unlink(missing_ok=True)
    return _opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)


def append(path: Path, content: bytes) -> None:
    """Append to a file, which is created if necessary: all of the content is on disk afterwards, or nothing."""
    make_folder(path.parent)
    with os.fdopen(_opened(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), "ab", buffering=0) as file:
        before = os.fstat(file.fileno()).st_size
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[file.write(rest) :]
            os.fsync(file.fileno())
        except OSError:
            with suppress(OSError):
                file.truncate(before)
            raise


def replace(path: Path, content: bytes, aside: Path) -> None:
    """Replace a file atomically: the content is written to `aside` first. Creates the folder.

    Links at either path are replaced, not followed.
    """
    make_folder(path.parent)
    try:
        with os.fdopen(create(aside), "wb") as file:
            file.write(content)
        aside.replace(path)
    except BaseException:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise


def read(path: Path) -> bytes:
    """The content of a file, which becomes private if it was not."""
    _check_folders(path.parent)
    with os.fdopen(_opened(path, os.O_RDONLY), "rb") as file:
        return file.read()


def secure(path: Path, *, create: bool = True) -> None:
    """Prepare a file that a library will open: it exists, is private, and is not a link; without `create` only check.

    Call it before the library opens the file: closing any descriptor of a file releases the process's POSIX locks on
    it, which SQLite uses.
    """
    _check_folders(path.parent)
    os.close(_opened(path, os.O_RDONLY | (os.O_CREAT if create else 0)))


@contextmanager
def locked(path: Path, timeout: float) -> Iterator[None]:
    """Hold the lock file `<path>.lock`; raises LockHeld if another process holds it for `timeout` seconds.

    Creates the folder. The operating system releases the lock however the process ends.
    """
    import filelock

    name = path.with_name(f"{path.name}.lock")
    make_folder(path.parent)
    try:
        secure(name)
    except OSError as error:
        raise OSError(error.errno, f"{name}: {error.strerror}", str(name)) from None
    lock = filelock.FileLock(name, timeout=timeout, mode=FILE_MODE)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise LockHeld(name) from None
    try:
        yield
    finally:
        lock.release()


def _opened(path: Path, flags: int) -> int:
    """Open a regular file; O_CREAT creates it if necessary."""
    if flags & os.O_CREAT and not flags & os.O_EXCL:
        with suppress(FileExistsError):
            return _opened(path, flags | os.O_EXCL)
        flags &= ~os.O_CREAT
    try:
        if path.is_symlink() and not flags & os.O_EXCL:  # Windows has no flag to refuse it
            raise _link(path)
        descriptor = os.open(path, flags | _SAFE, FILE_MODE)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.EMLINK}:
            raise _link(path) from None
        if error.errno == errno.ENXIO:
            raise _irregular(path) from None
        raise
    with ExitStack() as closing:
        closing.callback(os.close, descriptor)
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(status.st_mode):
            raise _irregular(path)
        if os.name == "posix" and (status.st_mode & _OTHERS or flags & os.O_EXCL):
            # This fails if another user owns the file, who then decides about its mode.
            with suppress(PermissionError):
                os.fchmod(descriptor, FILE_MODE)
        closing.pop_all()
    return descriptor


def _check_folders(folder: Path) -> None:
    """Refuse links above a file that another user may have made."""
    if os.name != "posix":
        return
    for each in (folder, *folder.parents):
        if each.is_symlink():
            trusted = {0, os.geteuid(), each.parent.stat().st_uid}
            if each.lstat().st_uid not in trusted:
                words = f"the folder {each} is a link that another user made, and is not followed"
                raise OSError(errno.ELOOP, words, str(folder))


def _ignore(folder: Path) -> None:
    # If the folder can't be written, storing the tokens reports it.
    with (
        suppress(OSError),
        os.fdopen(
            _opened(folder / ".gitignore", os.O_WRONLY | os.O_CREAT | os.O_EXCL), "w", encoding="utf-8"
        ) as file,
    ):
        file.write(_IGNORE)


def _link(path: Path) -> OSError:
    return OSError(errno.ELOOP, "it is a symbolic link, which is not followed", str(path))


def _irregular(path: Path) -> OSError:
    return OSError(errno.EINVAL, "it is not a regular file", str(path))
