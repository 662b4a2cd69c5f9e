"""Where attachments are put: a folder, or any place that fsspec has a name for."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

import fsspec
from fsspec.implementations.local import LocalFileSystem

from singer_xero.api import private_files
from singer_xero.api.errors import CallError

_UNSAFE = re.compile(r'[\x00-\x1f<>:"/\\|?*]|^\.+|[. ]+$')


class NotKept(CallError):
    """A file can't be written to the place that attachments_path names."""

    way_out = "Point attachments_path at a folder or URL that can be written."


class Files:
    """Files below `path`: a local folder (`~` and $VARIABLES are expanded), or a URL such as s3://bucket/xero.

    A file that is there in its full length is left alone, so that a run that broke off goes on where it was. What is
    put into a local folder is for this user alone, and no link below that folder is followed.
    """

    def __init__(self, path: str) -> None:
        expanded = os.path.expanduser(os.path.expandvars(path))  # noqa: PTH111 - it may be a URL
        self.system, self.root = fsspec.url_to_fs(expanded)
        self._is_local = isinstance(self.system, LocalFileSystem)

    def keep(self, pieces: tuple[str, ...], length: int | None, fetch: Callable[[], bytes]) -> str:
        """Put a file at the path of these names, unless it is there, and return its address.

        `length` in bytes tells whether what is there is whole; None: it is taken to be. Raises NotKept.
        """
        place = "/".join([str(self.root).rstrip("/"), *map(_safe, pieces)])
        try:
            if self._is_local:
                self._keep_locally(Path(place), length, fetch)
            elif not self.system.exists(place) or length not in {None, self.system.size(place)}:
                content = fetch()
                self.system.makedirs(place.rpartition("/")[0], exist_ok=True)
                # Aside first: whoever looks into the folder finds whole files only.
                self.system.pipe_file(f"{place}.part", content)
                self.system.mv(f"{place}.part", place)
        except OSError as error:
            raise NotKept(f"{'/'.join(pieces)} can't be stored: {error.strerror or error}") from None
        return str(self.system.unstrip_protocol(place))

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
    """A name that stays within its folder on every file system."""
    return _UNSAFE.sub("_", name) or "_"
