"""What ends a command with one line and exit code 1, by who can put it right.

Problem
  + ConfigurationProblem   a setting, or what settings lead to
    - InputProblem         a file or a line that was given can't be used
    - Busy                 another process is at work in the same place; wait for it
    - Stopped              the run was asked to end here

What can go wrong with a call of Xero's API stands in `singer_xero.api.errors`.
"""

from __future__ import annotations

from singer_xero.api.redaction import redact_line


class Problem(Exception):
    """Something that a person can put right; its text says what and how, in one line and without secrets."""

    def __init__(self, text: str = "") -> None:
        super().__init__(redact_line(text))


class ConfigurationProblem(Problem):
    """A setting is missing or wrong, or leads nowhere."""


class InputProblem(ConfigurationProblem):
    """A file or a line that was given can't be used: no text, no JSON, or not what it should be."""


class Busy(ConfigurationProblem):
    """Another process is at work in the same place."""


class Stopped(ConfigurationProblem):
    """The run was asked to end before it was done."""
