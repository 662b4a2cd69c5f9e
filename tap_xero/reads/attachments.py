"""Stores attachments in a folder, or in any place that fsspec supports."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

from singer_xero.api.errors import CallError
from singer_xero.api.storage import private_files
from singer_xero.api.storage.paths import filled_in

_LONGEST = 255 - len(".part")
"""Bytes of a name: file systems allow 255, and a file is written to a name with a suffix first."""

_LONGEST_ENDING = 32
_OF_ONE_FILE = frozenset({errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.EISDIR, errno.EFBIG})
_UNSAFE = re.compile(r'[\x00-\x1f<>:"/\\|?*]|^\.+|[. ]+$')


class NotKept(CallError):
    """A file can't be written to attachments_path."""

    remedy = "Point attachments_path at a folder or URL that can be written."


class FileNotKept(NotKept):
    """One file can't be written because of its own name; others can."""

    remedy = ""


class Files:
    """Files below `path`: a local folder (`~` and $VARIABLES are expanded), or a URL such as s3://bucket/xero.

    A complete file is not fetched again, so that an interrupted run continues. Files in a local folder are private, and
    no link below that folder is followed.
    """

    def __init__(self, path: str) -> None:
        # Imported here: it takes as long as the rest of the tap, and most runs store no attachments.
        import fsspec
        from fsspec.implementations.local import LocalFileSystem

        self.system, self.root = fsspec.url_to_fs(filled_in(path, "attachments_path"))
        self._is_local = isinstance(self.system, LocalFileSystem)

    def keep(self, pieces: tuple[str, ...], length: int | None, fetch: Callable[[], bytes]) -> str:
        """Store a file at the path of these names, unless it exists, and return its address.

        An existing file is complete if it has `length` bytes, or if `length` is None. Raises FileNotKept if only this
        file can't be stored, otherwise NotKept.
        """
        place = "/".join([str(self.root).rstrip("/"), *map(_safe, pieces)])
        try:
            if self._is_local:
                self._keep_locally(Path(place), length, fetch)
            elif not self.system.exists(place) or length not in {None, self.system.size(place)}:
                content = fetch()
                self.system.makedirs(place.rpartition("/")[0], exist_ok=True)
                # Under another name first, so that the folder has complete files only.
                self.system.pipe_file(f"{place}.part", content)
                self.system.mv(f"{place}.part", place)
        except OSError as error:
            kind = FileNotKept if self._is_of_one_file(error) else NotKept
            raise kind(f"{'/'.join(pieces)} can't be stored: {error.strerror or error}") from None
        return str(self.system.unstrip_protocol(place))

    def _is_of_one_file(self, error: OSError) -> bool:
        """Whether an error is about this file only, so that others can be stored."""
        if error.errno in _OF_ONE_FILE:
            return True
        denied = error.errno in {errno.EACCES, errno.EPERM}
        return denied and self._is_local and os.access(str(self.root), os.W_OK)

    def _keep_locally(self, place: Path, length: int | None, fetch: Callable[[], bytes]) -> None:
        root = Path(str(self.root))
        for folder in place.relative_to(root).parents[:-1]:
            if (root / folder).is_symlink():
                raise OSError(
                    errno.ELOOP, f"the folder {root / folder} is a symbolic link, which is not followed"
                )
        try:
            found = place.lstat()
        except FileNotFoundError:
            found = None
        if found and stat.S_ISREG(found.st_mode) and length in {None, found.st_size}:
            return
        private_files.replace(place, fetch(), aside=place.with_name(f"{place.name}.part"))


def _safe(name: str) -> str:
    """A name that is valid and short enough on every file system, and stays in its folder."""
    name = name.encode("utf-8", "replace").decode()  # a lone surrogate can't be in a file name
    return _short(_UNSAFE.sub("_", name)) or "_"


def _short(name: str) -> str:
    """The name, shortened to the bytes that file systems allow, with its extension."""
    if len(name.encode()) <= _LONGEST:
        return name
    stem, dot, last = name.rpartition(".")
    ending = f"{dot}{last}".encode() if stem and len(last.encode()) <= _LONGEST_ENDING else b""
    kept = (stem if ending else name).encode()[: _LONGEST - len(ending)]
    return kept.decode("utf-8", "ignore").rstrip(". ") + ending.decode()
