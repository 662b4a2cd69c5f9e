"""The command ``xero-sandbox``: a sandbox that runs until it is stopped."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from importlib.metadata import version
from pathlib import Path
from typing import Any

from . import apps
from .server import COMPANIES, Sandbox

ADMIN_SECRET = "XERO_SANDBOX_SECRET"  # noqa: S105 - the name of a variable
"""The environment variable with the secret in the admin API's address, for programs that start a sandbox."""


def main(arguments: list[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM. The exit code is 0, or 1 if the sandbox cannot start."""
    options = _parser().parse_args(arguments)
    sandbox = Sandbox(
        data=options.data,
        company=options.company,
        invoices=options.invoices,
        port=options.port,
        limits=not options.no_limits,
        admin_secret=os.environ.get(ADMIN_SECRET),
    )
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        sandbox.start()
    except (OSError, ValueError) as error:
        print(f"xero-sandbox: cannot start: {error}", file=sys.stderr)
        return 1
    try:
        if options.print_config:
            print(f"The admin API is at {sandbox.admin_url}", file=sys.stderr, flush=True)
            print(json.dumps(tap_config(sandbox), indent=2), flush=True)
        else:
            print(_greeting(sandbox), flush=True)
        stopped.wait()
    finally:
        sandbox.stop()
    return 0


def tap_config(sandbox: Sandbox) -> dict[str, Any]:
    """The settings of tap and target for this sandbox and its custom connection."""
    app = apps.CUSTOM_CONNECTION
    return {
        **app.settings(sandbox.url),
        "tenant_ids": [sandbox.admin.organisations()[0]["tenant_id"]],
    }


def _greeting(sandbox: Sandbox) -> str:
    lines = [
        f"A small Xero is listening on {sandbox.url}",
        f"Its admin API is at {sandbox.admin_url}",
        "",
        "Organisations:",
    ]
    lines += [f"  {one['tenant_id']}  {one['name']}" for one in sandbox.admin.organisations()]
    lines += ["", "Apps:"]
    lines += [
        f"  {app.kind:18} client_id {app.client_id}"
        + (f"  client_secret {app.client_secret}" if app.client_secret else "  (no secret)")
        for app in apps.KNOWN
    ]
    lines += [
        "",
        "Settings for tap-xero and target-xero:",
        json.dumps(tap_config(sandbox), indent=2),
        "",
        "Ctrl-C stops it.",
    ]
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="xero-sandbox",
        description="A small Xero on loopback, for demos and tests without an account.",
        epilog=f"The address of the admin API has a secret, which is new each time unless {ADMIN_SECRET} sets it.",
    )
    parser.add_argument("--port", type=int, default=0, help="the port to listen on (default: a free one)")
    parser.add_argument(
        "--data", type=Path, help="a folder or SQLite file that keeps everything between starts"
    )
    parser.add_argument(
        "--company", choices=sorted(COMPANIES), default="demo", help="what to begin with (default: demo)"
    )
    parser.add_argument(
        "--invoices", type=int, help="begin with one organisation of this many invoices instead"
    )
    parser.add_argument("--no-limits", action="store_true", help="switch Xero's call limits off")
    parser.add_argument(
        "--print-config",
        action="store_true",
        help="print the settings for tap and target as JSON, and nothing else on stdout",
    )
    parser.add_argument("--version", action="version", version=f"xero-sandbox {version('singer-xero')}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
