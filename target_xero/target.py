"""The target's command. Writing is not built yet, and it says so."""

import sys


def main() -> None:
    """Say that writing to Xero is not there yet, and exit with 1 so that no pipeline takes it for success."""
    sys.stderr.write("target-xero: writing to Xero is not built yet; nothing was read and nothing was written.\n")
    sys.exit(1)
