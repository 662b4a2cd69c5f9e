"""Load a demo company from a small Xero into PostgreSQL with `meltano run tap-xero target-postgres`.

    python3 demo             # or `make demo`; the next run reads what changed during a business day
    python3 demo --stay      # leave the database running until Ctrl-C
    python3 demo --reset     # remove everything, so that the next run starts over

It needs Python 3.11 or newer, pip and a network, but no Xero account and no PostgreSQL. It writes only to the
folders `.demo` and `.venv`. DATABASE_URL=postgresql://user:password@host/database uses your own server instead,
in the schemas `xero_demo` and `xero_demo_ledger`.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from demo import install, run
from demo.screen import bold, say, step


def main() -> int:
    """Create the Python environment with this Python, and run the demo in it."""
    parser = argparse.ArgumentParser(
        prog="python3 demo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stay", action="store_true", help="leave the database running until Ctrl-C")
    parser.add_argument("--reset", action="store_true", help="remove what earlier runs left, and stop")
    options = parser.parse_args()
    if options.reset and "DATABASE_URL" not in os.environ:
        # A reset removes files only, so it needs no installation.
        return run.main(["--reset"])
    began = time.time()
    say(bold("A Xero company into PostgreSQL: meltano run tap-xero target-postgres"))
    say()
    try:
        with step("Python environment") as current:
            install.install("demo", current)
    except (install.InstallError, KeyboardInterrupt) as stopped:
        say(f"\n{str(stopped) or 'Stopped.'}")
        return 1
    environment = {**install.environment(), "XERO_DEMO_BEGAN": str(began), "PYTHONPATH": str(install.ROOT)}
    os.chdir(install.ROOT)
    return os.execve(install.PYTHON, [str(install.PYTHON), "-m", "demo.run", *sys.argv[1:]], environment)  # noqa: S606


if __name__ == "__main__":
    sys.exit(main())
