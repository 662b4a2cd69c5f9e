"""Where attachments are put: a folder, or any place that fsspec has a name for."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

import fsspec

from singer_xero.api.errors import CallError

_UNSAFE = re.compile(r'[\x00-\x1f<>:"/\\|?*]|^\.+|[. ]+$')


class NotKept(CallError):
    """A file can't be written to the place that attachments_path names."""

    way_out = "Point attachments_path at a folder or URL that can be written."


class Files:
    """Files below `path`: a local folder (`~` and $VARIABLES are expanded), or a URL such as s3://bucket/xero.

    A file that is there in its full length is left alone, so that a run that broke off goes on where it was.
    """

    def __init__(self, path: str) -> None:
        expanded = os.path.expanduser(os.path.expandvars(path))  # noqa: PTH111 - it may be a URL
        self.system, self.root = fsspec.url_to_fs(expanded)

    def keep(self, pieces: tuple[str, ...], length: int | None, fetch: Callable[[], bytes]) -> str:
        """Put a file at the path of these names, unless it is there, and return its address.

        `length` in bytes tells whether what is there is whole; None: it is taken to be. Raises NotKept.
        """
        place = "/".join([str(self.root).rstrip("/"), *map(_safe, pieces)])
        try:
            if not self.system.exists(place) or length not in {None, self.system.size(place)}:
                content = fetch()
                self.system.makedirs(place.rpartition("/")[0], exist_ok=True)
                # Aside first: whoever looks into the folder finds whole files only.
                self.system.pipe_file(f"{place}.part", content)
                self.system.mv(f"{place}.part", place)
        except OSError as error:
            raise NotKept(f"{'/'.join(pieces)} can't be stored: {error.strerror or error}") from None
        return str(self.system.unstrip_protocol(place))


def _safe(name: str) -> str:
    """A name that stays within its folder on every file system."""
    return _UNSAFE.sub("_", name) or "_"
