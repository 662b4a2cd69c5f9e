"""Makes the transcript and the table in docs/connecting.md: `python -m tools.transcript` (or with one of their names).

The transcript is what really happened, at the sandbox. Needs uvx (for the loader) and the ports 8742 and 8743.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from textwrap import indent

import requests

from tools.scopes import scopes
from xero_sandbox import Sandbox, apps

PAGE = Path(__file__).parent.parent / "docs" / "connecting.md"
SCRIPTS = Path(sys.executable).parent
STREAMS = ("accounts", "bank_transactions", "contacts", "invoices", "payments")


def transcript() -> str:
    """What a user types and sees, from the login to the second run, a business day later."""
    with Sandbox(port=8743) as xero, tempfile.TemporaryDirectory() as home:
        variables = {
            "TAP_XERO_CLIENT_ID": apps.PKCE_APP.client_id,
            "TAP_XERO_IDENTITY_URL": xero.url,
            "TAP_XERO_API_URL": xero.url,
        }
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("TAP_", "MELTANO_"))
        }
        environment |= {**variables, "HOME": home, "XDG_STATE_HOME": f"{home}/.local/state"}
        environment |= {"PATH": f"{SCRIPTS}:{os.environ['PATH']}"}
        shell = ["bash", "-o", "pipefail", "-c"]

        def run(line: str) -> str:
            done = subprocess.run(  # noqa: S603
                [*shell, line], cwd=home, env=environment, capture_output=True, text=True, check=True
            )
            return done.stdout + done.stderr

        shown = [*(f"$ export {name}={value}" for name, value in variables.items()), "$ xero-login"]
        shown += _login(["xero-login", "--no-browser"], home, environment, xero).splitlines()

        Path(home, "catalog.json").write_text(run("tap-xero --config=ENV --discover 2>/dev/null"))
        _choose(Path(home, "catalog.json"))
        run("uvx -q target-jsonl < /dev/null")  # so that the first run does not wait for its installation
        pipe = "tap-xero --config=ENV --catalog catalog.json{} | uvx -q target-jsonl >> states.jsonl"
        shown += ["", f"$ {pipe.format('')}", *_own_lines(run(pipe.format("")))]
        xero.admin.day()
        second = ["tail -n 1 states.jsonl > state.json", pipe.format(" --state state.json")]
        shown += [
            "",
            "  … the next day",
            "",
            f"$ {second[0]}",
            f"$ {second[1]}",
            *_own_lines(run("\n".join(second))),
        ]
        shown += [
            "",
            "$ xero-login --status | tail -n 2",
            *run("xero-login --status | tail -n 2").splitlines(),
        ]
        grants = [call["grant_type"] for call in xero.admin.calls("/connect/token")]
        if grants != ["authorization_code", "refresh_token"]:
            message = f"the second run should have refreshed once, but the grants were {grants}"
            raise AssertionError(message)
        return "\n".join(shown).replace(home, "~")


def _login(command: list[str], home: str, environment: dict[str, str], xero: Sandbox) -> str:
    """Log in as a user who allows one organisation; the address is shortened."""
    with subprocess.Popen(  # noqa: S603
        command, cwd=home, env=environment, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    ) as running:
        if running.stdout is None:
            raise AssertionError
        said = ""
        while "Waiting for the answer" not in said:
            said += running.stdout.readline()
        url = re.findall(r"\S+/authorize\?\S+", said)[0]
        tenant = xero.admin.organisations()[0]["tenant_id"]
        requests.get(
            url, params={"sandbox_approve": "1", "sandbox_tenant": tenant}, timeout=30
        ).raise_for_status()
        said += running.stdout.read()
    return re.sub(r"(client_id=\w{4})\S+", r"\1…", said)


def _choose(path: Path) -> None:
    catalog = json.loads(path.read_text())
    catalog["streams"] = [one for one in catalog["streams"] if one["tap_stream_id"] in STREAMS]
    for one in catalog["streams"]:
        if one["tap_stream_id"] == "invoices":
            root = next(row["metadata"] for row in one["metadata"] if not row["breadcrumb"])
            root["replication-method"] = "INCREMENTAL"
    path.write_text(json.dumps(catalog))


def _own_lines(log: str) -> list[str]:
    """The tap's own lines of a log, without time and name."""
    found = [line.split(" | ")[-1] for line in log.splitlines() if " | INFO " in line]
    return [line for line in found if re.search(r"\d rows? \(|\d+ calls?, ", line)]


PARTS: dict[str, Callable[[], str]] = {
    "scopes": scopes,
    "transcript": lambda: indent(transcript(), "    ").replace("    \n", "\n"),
}


def main(names: list[str]) -> None:
    """Generate the named parts of the page again, or all."""
    text = PAGE.read_text(encoding="utf-8")
    for name in names or PARTS:
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if not pattern.search(text):
            message = f"{PAGE.name} has no place for the {name}"
            raise LookupError(message)
        part = PARTS[name]()
        text = pattern.sub(lambda found, part=part: f"{found[1]}{part}\n{found[2]}", text)
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
