"""What commands print: everything for a terminal or a log passes through `api.redaction` first."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

from singer_xero.api.redaction import redact, redact_line, remember, remember_passwords_of

# Other programs' variables that hold a password, or an address that may contain one.
_PASSWORDS = ("PGPASSWORD",)
_ADDRESSES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


class Block(str):
    """An argument of a log message that may span several lines; all others are put on one line."""

    __slots__ = ()


class CleanRecord(logging.LogRecord):
    """A log record whose message, arguments and exception are redacted.

    Line breaks in the message itself stay. Line breaks in its arguments become spaces: arguments come from outside and
    could forge another record.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.args:  # the SDK's JSON formatter uses such a message unchanged
            self.msg = redact(str(self.msg))
        if self.exc_info and self.exc_info[1]:
            error = clean_error(self.exc_info[1])
            self.exc_info = (type(error), error, self.exc_info[2])

    def getMessage(self) -> str:  # noqa: N802 - logging's name
        """The message with its arguments."""
        if not self.args:
            return str(self.msg)
        if isinstance(self.args, tuple):
            return redact(str(self.msg) % tuple(map(_cleaned, self.args)))
        return redact(str(self.msg) % {name: _cleaned(value) for name, value in self.args.items()})


class CleanStream:
    """A text stream that redacts what is written to it and delegates everything else."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the redacted text."""
        self._stream.write(redact(text))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Write several lines."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def clean_output(*, stdout: bool = False) -> Iterator[None]:
    """Redact logs and stderr, and with `stdout` also stdout.

    A Singer tap's stdout is data and stays unchanged.
    """
    for variable in _PASSWORDS:
        remember(os.environ.get(variable))
    for variable in _ADDRESSES:
        remember_passwords_of(os.environ.get(variable), os.environ.get(variable.lower()))
    before = logging.getLogRecordFactory(), sys.stderr, sys.stdout, warnings.formatwarning
    logging.setLogRecordFactory(CleanRecord)
    sys.stderr = cast("TextIO", CleanStream(sys.stderr))
    if stdout:
        sys.stdout = cast("TextIO", CleanStream(sys.stdout))
    try:
        yield
    except Exception:
        # Printed here: the interpreter would print it after the original streams are restored.
        sys.excepthook(*sys.exc_info())
        sys.exit(1)
    finally:
        logging.setLogRecordFactory(before[0])
        sys.stderr, sys.stdout = before[1:3]


def clean_error(error: BaseException, seen: set[int] | None = None) -> BaseException:
    """A copy of an error for display, with the same name and redacted text; so are its causes.

    `seen` has the ids of errors that were copied.
    """
    seen = set() if seen is None else seen
    seen.add(id(error))
    kind = type(error)
    names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    clean: BaseException = type(kind.__name__, (Exception,), names)(redact(_text(error)))
    clean.__traceback__ = error.__traceback__
    for name in ("__cause__", "__context__"):
        beneath = getattr(error, name)
        if beneath is not None and id(beneath) not in seen:
            setattr(clean, name, clean_error(beneath, seen))
    clean.__suppress_context__ = error.__suppress_context__
    return clean


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "(no text)"


def _cleaned(value: Any) -> Any:
    if isinstance(value, Block):
        return redact(value)
    if isinstance(value, str):
        return redact_line(value)
    if isinstance(value, BaseException):
        return redact_line(_text(value))
    return value
