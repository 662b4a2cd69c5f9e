"""A small job: `python run_client.py config.json` makes a call to Xero after a line on stdin.

It prints `ready`, `waits` on stderr if another process holds the tokens, and finally the number of
organisations.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

from singer_xero.api.client import connect
from singer_xero.api.errors import XeroError


class Waits(logging.Handler):
    """Reports that the lock of the file is taken."""

    def emit(self, record: logging.LogRecord) -> None:
        if "not acquired" in record.getMessage():
            sys.stderr.write("waits\n")


def main() -> int:
    config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    locks = logging.getLogger("filelock")
    locks.setLevel(logging.DEBUG)
    locks.addHandler(Waits())
    locks.propagate = False
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        client = connect(**config)
        print(len(client.connections()), flush=True)
    except XeroError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
