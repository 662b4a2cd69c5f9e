"""The errors that end a command with one line and exit code 1. Those of calls are in `singer_xero.api.errors`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from singer_xero.api.redaction import redact_line


class Problem(Exception):
    """A problem that a person can fix. The text says what and how, in one line and without secrets."""

    def __init__(self, text: str = "") -> None:
        super().__init__(redact_line(text))


class ConfigurationProblem(Problem):
    """A setting is missing or wrong, or names something that does not exist."""


class InputProblem(ConfigurationProblem):
    """A file or a line can't be used: it is not text, not JSON, or not what it should be."""


class Busy(ConfigurationProblem):
    """Another process uses the same files."""


class Stopped(ConfigurationProblem):
    """The run was asked to end early."""


def suggested(name: str, known: Iterable[str], otherwise: str = ".") -> str:
    """The end of a sentence about an unknown name: it suggests the known name that is most like it, if there is one."""
    near = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {near[0]}?" if near else otherwise
