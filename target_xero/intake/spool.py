"""Temporary files for the records that wait until the input ends.

They have no name, only this user can read them, and they are deleted when the process ends. If the disk is full, a
`ConfigurationProblem` names the folder.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from singer_xero.errors import ConfigurationProblem
from target_xero.content.json_text import decode, encode

#: Bytes that are buffered before they are written.
_BUFFER = 1 << 18


class SpoolFile:
    """A temporary file of lines."""

    def __init__(self) -> None:
        with room_for_spool():
            self._file = tempfile.TemporaryFile(buffering=_BUFFER)  # noqa: SIM115 - lives as long as the run

    def write(self, content: bytes) -> int:
        """Append content; returns the number of bytes."""
        try:
            return self._file.write(content)
        except OSError as error:
            raise _problem(error) from None

    def line(self, place: int) -> bytes:
        """Return the line that begins at a place."""
        with room_for_spool():
            self._file.seek(place)
            line: bytes = self._file.readline()
            self._file.seek(0, 2)
        return line

    def lines(self) -> Iterator[bytes]:
        """Yield all lines."""
        with room_for_spool():
            self._file.seek(0)
            yield from self._file

    def close(self) -> None:
        """Delete the file."""
        with suppress(OSError):  # the content is no longer needed
            self._file.close()


class LineSpool:
    """Keeps the lines of the input for rejects. A line with several records is kept once."""

    def __init__(self) -> None:
        self._file: SpoolFile | None = None
        self._line = b""
        self._place = self._end = 0

    def keep(self, line: bytes) -> int:
        """Keep a line and return its place."""
        if line is self._line:
            return self._place
        if self._file is None:
            self._file = SpoolFile()
        self._line, self._place = line, self._end
        self._end += self._file.write(line)
        if not line.endswith(b"\n"):
            self._end += self._file.write(b"\n")
        return self._place

    def keep_rows(self, stream: str, places: Sequence[int]) -> int:
        """Keep the places of the rows of one record, and return the place of this list."""
        return places[0] if len(places) == 1 else self.keep(encode({"stream": stream, "rows": places}))

    def records(self, place: int) -> tuple[str, list[dict[str, Any]]]:
        """Return the stream and the rows of one record as they came."""
        message = self._message(place)
        rows = [self._message(row) for row in message["rows"]] if "rows" in message else [message]
        return message["stream"], [row["record"] for row in rows]

    def _message(self, place: int) -> dict[str, Any]:
        assert self._file is not None  # noqa: S101
        message: dict[str, Any] = decode(self._file.line(place))
        return message

    def close(self) -> None:
        """Delete the file."""
        if self._file is not None:
            self._file.close()


@contextmanager
def room_for_spool() -> Iterator[None]:
    """Raise `ConfigurationProblem` if a temporary file or SQLite database can't be written or read."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise _problem(error) from None


def _problem(error: OSError | sqlite3.Error) -> ConfigurationProblem:
    said = (error.strerror if isinstance(error, OSError) else None) or str(error)
    try:
        place = tempfile.gettempdir()
    except OSError:
        place = "a temporary file"
    return ConfigurationProblem(
        f"The input can't be kept until its end in {place}: {said}. Free some space, or set TMPDIR to another folder. "
        "Nothing was written to Xero."
    )
