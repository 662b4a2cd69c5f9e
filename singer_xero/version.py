"""The version of the installed package, and the command-line answer to `--version`."""

from __future__ import annotations

import sys
from importlib.metadata import version

DISTRIBUTION = "singer-xero"


def answers_version(command: str) -> bool:
    """Print the version if the command line asks for nothing else, and return whether it does.

    The SDK prints the same line, but importing it takes ten times as long.
    """
    if sys.argv[1:] != ["--version"]:
        return False
    print(f"{command} v{version(DISTRIBUTION)}, Meltano SDK v{version('singer-sdk')}")
    return True
