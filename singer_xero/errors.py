"""The errors that end a command with one line and exit code 1. Those of calls are in `singer_xero.api.errors`."""

from __future__ import annotations

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
