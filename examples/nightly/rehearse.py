"""Runs the job for two nights against its own sandbox and PostgreSQL: `python rehearse.py`.

It needs this repository's environment, which `make test` creates, and the program of Dagster on PATH or in the variable
DAGSTER. One of twelve organisations is disconnected before the second night: its share fails and names it. `-v` prints
Dagster's whole log.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

import psycopg

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from demo import install, postgres, run
from xero_sandbox import AdminClient, Sandbox, apps

SCRIPTS = Path(sys.executable).parent
TENANTS = [str(uuid.uuid5(uuid.NAMESPACE_DNS, f"branch{number}.example")) for number in range(1, 13)]
DISCONNECTED = TENANTS[6]


def branch(number: int, tenant_id: str) -> dict[str, list[dict[str, object]]]:
    """The records of a small organisation with some contacts."""
    contacts = [
        {
            "ContactID": str(uuid.uuid5(uuid.UUID(tenant_id), f"contact {n}")),
            "Name": f"Customer {n} of branch {number}",
            "ContactStatus": "ACTIVE",
            "UpdatedDateUTC": f"2026-11-01T00:{number:02}:{n:02}+00:00",
        }
        for n in range(1, 3 + number)
    ]
    own = {"OrganisationID": tenant_id, "Name": f"Branch {number}", "BaseCurrency": "NZD"}
    return {"Organisation": [own], "Contacts": contacts}


def night(name: str, environment: dict[str, str], database: str) -> None:
    """Run the job, and print its result, the loaded rows and the bookmarks."""
    print(f"\n== {name}", flush=True)
    dagster = os.environ.get("DAGSTER", "dagster")
    done = subprocess.run(
        [dagster, "job", "execute", "-f", "nightly.py", "-j", "nightly"],
        cwd=HERE,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    for line in done.stdout.splitlines():
        message = re.sub(r"^.* - nightly - \S{36} - (\d+ - )?", "", line)
        if SHOWN.match(message):
            print("  ", message.replace("dagster._core.definitions.events.Failure: ", ""))
    print(f"   exit code {done.returncode}")
    if "-v" in sys.argv:
        print(done.stdout)
    with psycopg.connect(database) as connection:
        for number in range(1, 5):
            rows = f'SELECT count(DISTINCT tenant_id), count(*), max("UpdatedDateUTC") FROM xero_{number}.contacts'
            found = connection.execute(rows).fetchone() or ()
            print(
                "   xero_{}.contacts: {} organisations, {} rows, newest of {:%Y-%m-%d %H:%M}".format(
                    number, *found
                )
            )
        for state_id, whole, partial in connection.execute(STATES):
            newest = max(re.findall(r"2026-\d\d-\d\dT\d\d:\d\d", f"{whole}{partial}"))
            print(f"   state {state_id}: newest bookmark {newest}")


SHOWN = re.compile(
    r".*(STEP_(SUCCESS|FAILURE)|RUN_(SUCCESS|FAILURE)|share \d: )|dagster\S+Failure: Not complete"
)
STATES = "SELECT state_id, completed_state, partial_state FROM meltano.state ORDER BY state_id"


def main() -> None:
    """Run two nights, with changes and a disconnection between them."""
    folder = Path(tempfile.mkdtemp(prefix="nightly-"))
    try:
        with postgres.running(folder / "postgres", keep=False) as server, Sandbox(company="empty") as xero:
            admin = xero.admin
            for number, tenant_id in enumerate(TENANTS, 1):
                admin.add_organisation(f"Branch {number}", branch(number, tenant_id), tenant_id=tenant_id)
            tokens = admin.consent(tenants=TENANTS)
            (folder / "organisations").write_text("\n".join(TENANTS))
            (folder / "dagster").mkdir()
            with psycopg.connect(server.url, autocommit=True) as connection:
                connection.execute("CREATE SCHEMA meltano")
            outer = install.environment().items()
            environment = {name: text for name, text in outer if not name.startswith("MELTANO_")}
            environment |= {
                "XERO_ORGANISATIONS": str(folder / "organisations"),
                "XERO_CLIENT_ID": apps.WEB_APP.client_id,
                "XERO_CLIENT_SECRET": apps.WEB_APP.client_secret or "",
                "XERO_REFRESH_TOKEN": tokens["refresh_token"],
                "XERO_TOKEN_STORE": server.url,
                "WAREHOUSE": run.sqlalchemy_url(server.url),
                "MELTANO": str(SCRIPTS / "meltano"),
                "MELTANO_DATABASE_URI": f"{run.sqlalchemy_url(server.url)}?options=-csearch_path%3Dmeltano",
                "DAGSTER_HOME": str(folder / "dagster"),
                "RETRY_SECONDS": "1",
            }
            for number in range(1, 5):
                environment[f"TAP_XERO__{number}_API_URL"] = xero.url
                environment[f"TAP_XERO__{number}_IDENTITY_URL"] = xero.url
            subprocess.run([SCRIPTS / "meltano", "install"], cwd=HERE, env=environment, check=True)
            night("first night", environment, server.url)
            counted(admin)
            admin.advance(24 * 3600)
            for tenant_id in TENANTS:
                contact = str(uuid.uuid5(uuid.UUID(tenant_id), "contact 1"))
                admin.edit("Contacts", contact, tenant=tenant_id)
            admin.disconnect(DISCONNECTED)
            night("second night", environment, server.url)
            counted(admin)
    finally:
        postgres.remove(folder / "postgres")
        shutil.rmtree(folder, ignore_errors=True)


def counted(admin: AdminClient) -> None:
    """Print the number of calls to the sandbox, and reset it."""
    calls = admin.calls()
    refreshes = [call for call in calls if call["path"].endswith("/connect/token")]
    refused = [call for call in calls if call["status"] == 429]
    print(f"   Xero: {len(calls)} calls, {len(refreshes)} token refreshes, {len(refused)} over a limit")
    admin.forget_calls()


if __name__ == "__main__":
    main()
