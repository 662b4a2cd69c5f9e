"""The admin API, and the server around it."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from datetime import datetime, timezone
from pathlib import Path

import pytest
import requests

from xero_sandbox import AdminClient, AdminError, Sandbox, apps, cli

FOLDER = Path(cli.__file__).parent
SECRET = "the-secret-of-these-tests"


# --- the clock ---


def test_the_clock_starts_at_the_demos_day_and_can_be_moved_and_stopped():
    with Sandbox(company="empty") as xero:
        begin = datetime(2026, 11, 20, 9, tzinfo=timezone.utc)
        assert 0 <= (xero.admin.now() - begin).total_seconds() < 60
        frozen = xero.admin.freeze()
        assert xero.admin.now() == xero.admin.now() == frozen
        assert (xero.admin.advance(90) - frozen).total_seconds() == 90
        assert xero.admin.set_clock("2027-01-01T00:00:00Z") == datetime(2027, 1, 1, tzinfo=timezone.utc)
        xero.admin.freeze(False)
        assert xero.admin.now() >= datetime(2027, 1, 1, tzinfo=timezone.utc)


def test_a_sandbox_can_start_on_another_day():
    with Sandbox(company="empty", now=datetime(2027, 3, 1, tzinfo=timezone.utc)) as xero:
        assert xero.admin.now().date().isoformat() == "2027-03-01"


# --- what was asked ---


def test_the_admin_lists_the_calls_without_secrets(xero, api):
    xero.admin.forget_calls()
    api.call(
        "Contacts", params={"page": 1, "where": "Name==null"}, headers={"If-Modified-Since": "2026-11-01"}
    )
    api.call("Contacts", "PUT", json={"Contacts": []})
    first, second = xero.admin.calls("/Contacts")
    assert (first["method"], first["path"], first["status"]) == ("GET", "/api.xro/2.0/Contacts", 200)
    assert first["query"] == {"page": "1", "where": "Name==null"}
    assert first["headers"]["If-Modified-Since"] == "2026-11-01"
    assert first["tenant"] == xero.admin.organisations()[0]["tenant_id"]
    assert (second["body_bytes"], len(second["body_hash"])) == (16, 64)
    assert "Bearer" not in json.dumps([first, second])
    assert xero.admin.calls("/Contacts", method="PUT") == [second]


def test_the_admin_counts_calls_and_bytes_by_organisation(xero, api):
    xero.admin.forget_calls()
    sizes = [len(api.call(path).content) for path in ("Accounts", "Users")]
    counted = xero.admin.counters()
    assert counted["calls"] == 2
    tenant = xero.admin.organisations()[0]["tenant_id"]
    assert counted["tenants"][tenant] == {"calls": 2, "bytes": sum(sizes), "most_in_flight": 1}


# --- records ---


def test_a_record_is_put_changed_and_deleted(xero, api):
    made = xero.admin.put("Contacts", {"Name": "Ada", "ContactStatus": "ACTIVE"})
    assert api.ids("Contacts", "Name") == ["Ada"]
    xero.admin.advance(60)
    changed = xero.admin.edit("Contacts", made["ContactID"], EmailAddress="ada@example.com")
    assert changed["UpdatedDateUTC"] == "/Date(1795165260000+0000)/"
    assert api.get(f"Contacts/{made['ContactID']}")["Contacts"][0]["EmailAddress"] == "ada@example.com"
    xero.admin.delete("Contacts", made["ContactID"])
    assert api.ids("Contacts", "Name") == []
    with pytest.raises(AdminError, match="has no"):
        xero.admin.record("Contacts", made["ContactID"])


def test_a_given_updated_date_is_kept(xero, api):
    xero.admin.put("Contacts", {"Name": "Old", "UpdatedDateUTC": "2020-01-01T00:00:00Z"})
    assert api.ids("Contacts", "UpdatedDateUTC") == ["/Date(1577836800000+0000)/"]


def test_an_added_organisation_is_connected_to_no_app_before_a_consent(xero, callers):
    tenant = xero.admin.add_organisation("New Ltd", {"Accounts": [{"Code": "1", "Name": "One"}]})
    token = xero.admin.consent()["access_token"]
    assert callers(xero, token, tenant).call("Accounts").status_code == 403
    caller = callers(xero, xero.admin.consent(tenants=["New Ltd"])["access_token"], tenant)
    assert caller.ids("Accounts", "Code") == ["1"]
    assert caller.get("Organisation")["Organisations"][0]["OrganisationID"] == tenant


def test_the_admin_api_refuses_unknown_input(xero):
    for wish in (
        lambda: xero.admin.records("Nonsense"),
        lambda: xero.admin.records("Contacts", tenant="Nobody"),
        lambda: xero.admin.switch(everything=True),
        lambda: xero.admin.consent(client_id="0" * 32),
        lambda: xero.admin.consent(scopes="no.such.scope"),
        lambda: xero.admin.ask("POST", "nonsense", {}),
        lambda: xero.admin.ask("DELETE", "clock"),
        lambda: xero.admin.ask("POST", "clock", {"later": 1}),
    ):
        with pytest.raises(AdminError):
            wish()


def test_reset_restores_the_initial_state(xero, api):
    tenant = xero.admin.organisations()[0]["tenant_id"]
    xero.admin.put("Contacts", {"Name": "Ada"})
    xero.admin.add_organisation("More Ltd")
    xero.admin.fault("unavailable", count=0)
    xero.admin.switch(scrambled_order=True)
    xero.admin.limits(enabled=False)
    xero.admin.advance(86_400)
    xero.admin.reset()
    assert [one["tenant_id"] for one in xero.admin.organisations()] == [tenant]
    assert xero.admin.records("Contacts") == xero.admin.faults() == xero.admin.calls() == []
    assert xero.admin.switch()["scrambled_order"] is False
    assert xero.admin.limits()["enabled"] is True
    assert xero.admin.now().date().isoformat() == "2026-11-20"
    assert api.call("Contacts").status_code == 401


# --- a day goes by ---


def test_a_business_day_brings_new_invoices_and_moves_the_clock_to_its_close(callers):
    with Sandbox(limits=False) as xero:
        caller = callers(xero)
        before = xero.admin.now()
        numbers = set(caller.ids("Invoices", "InvoiceNumber"))
        changed = xero.admin.day()["changed"]
        after = xero.admin.now()
        assert after.weekday() == 0
        assert (after - before).days == 2
        since = before.strftime("%Y-%m-%dT%H:%M:%S")
        fresh = callers(xero)
        new = fresh.ids("Invoices", "InvoiceNumber", since=since, page=1)
        assert len(new) == changed["Invoices"]
        assert set(new) - numbers
        assert len(fresh.get("Contacts", since=since, page=1)["Contacts"]) == changed["Contacts"]
        second = xero.admin.day()["changed"]
        assert second["Invoices"] > 0
        assert xero.admin.now().weekday() == 1


# --- kept on disk ---


def admin_of(url: str) -> AdminClient:
    """The admin API of a sandbox process."""
    return AdminClient(f"{url}/sandbox/{SECRET}")


def start(folder: Path, *arguments: str) -> tuple[subprocess.Popen[str], str]:
    command = [
        sys.executable,
        "-m",
        "xero_sandbox.cli",
        "--data",
        str(folder),
        "--print-config",
        *arguments,
    ]
    environment = {**os.environ, cli.ADMIN_SECRET: SECRET}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    text = ""
    while not text.endswith("}\n"):
        line = process.stdout.readline()
        assert line, "the sandbox did not start"
        text += line
    return process, json.loads(text)["api_url"]


def test_answered_writes_survive_a_kill(tmp_path, callers, ask_token):
    process, url = start(tmp_path, "--company", "empty")
    admin = admin_of(url)
    tenant = admin.organisations()[0]["tenant_id"]
    admin.freeze()
    admin.set_clock("2026-12-24T18:00:00Z")
    made = admin.put("Contacts", {"Name": "Ada", "Discount": 2.5, "ContactStatus": "ACTIVE"})
    more = admin.add_organisation(
        "More Ltd", {"Invoices": [{"InvoiceNumber": "I1", "Date": "2026-01-31", "Total": 9.99}]}
    )
    tokens = admin.consent(tenants=[tenant, more])
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()

    process, url = start(tmp_path)
    try:
        admin = admin_of(url)
        assert admin.now() == datetime(2026, 12, 24, 18, tzinfo=timezone.utc)
        assert [one["name"] for one in admin.organisations()] == ["Blank Slate Ltd", "More Ltd"]
        assert admin.record("Contacts", made["ContactID"]) == made
        assert admin.record("Invoices", "I1", tenant=more)["Date"] == "/Date(1769817600000+0000)/"
        auth = {"Authorization": f"Bearer {tokens['access_token']}", "xero-tenant-id": more}
        assert requests.get(f"{url}/api.xro/2.0/Invoices", headers=auth, timeout=30).status_code == 200
        again = ask_token(url, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
        assert again.status_code == 200
    finally:
        process.terminate()
        assert process.wait(30) == 0
        process.stdout.close()


def test_a_refused_request_leaves_nothing_in_the_file(tmp_path):
    file = tmp_path / "kept.sqlite"
    with Sandbox(file, company="empty") as xero, pytest.raises(AdminError):
        xero.admin.ask("POST", "organisations", {"name": "Half", "records": {"Contacts": [1]}})
    with Sandbox(file, company="demo") as xero:
        assert [one["name"] for one in xero.admin.organisations()] == ["Blank Slate Ltd"]


def test_the_reset_of_a_stored_sandbox_is_stored(tmp_path):
    with Sandbox(tmp_path, company="empty") as xero:
        xero.admin.put("Contacts", {"Name": "Ada"})
        xero.admin.reset()
    with Sandbox(tmp_path, company="empty") as xero:
        assert xero.admin.records("Contacts") == []


# --- who may ask it ---


OWN = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:{port}"},
        {"Host": "localhost"},
        {"Host": "localhost:1"},
        {"Host": "127.0.0.1.evil.example:{port}"},
        {"Host": "sandbox:{port}"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": None},
    ],
)
def test_no_web_page_can_use_the_admin_api(xero, headers):
    port = xero.admin_url.split(":")[2].partition("/")[0]
    headers = {name: value and value.format(port=port) for name, value in {**OWN, **headers}.items()}
    xero.admin.put("Contacts", {"Name": "Still here"})
    before = xero.admin.freeze()
    for path, body in (("reset", "{}"), ("clock", '{"advance": 60}'), ("organisations", '{"name": "New"}')):
        answer = requests.post(f"{xero.admin_url}/{path}", data=body, headers=headers, timeout=30)
        assert answer.status_code in {403, 415, 421}, answer.text
        assert "client_secret" not in answer.text
    assert xero.admin.now() == before
    assert [one["Name"] for one in xero.admin.records("Contacts")] == ["Still here"]
    assert len(xero.admin.organisations()) == 1


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
def test_no_web_page_can_read_the_admin_api(xero, headers):
    for path in ("", "/calls", "/organisations"):
        answer = requests.get(xero.admin_url + path, headers=headers, timeout=30)
        assert answer.status_code in {403, 421}
        assert apps.WEB_APP.client_secret not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST"])
def test_the_admin_api_answers_to_the_names_of_this_machine(xero, host):
    port = xero.url.rpartition(":")[2]
    headers = {
        "Host": f"{host}:{port}",
        "Origin": f"http://localhost:{port}",
        "Sec-Fetch-Site": "same-origin",
    }
    assert requests.get(f"{xero.admin_url}/clock", headers=headers, timeout=30).status_code == 200


@pytest.mark.parametrize(
    "path", ["/sandbox", "/sandbox/", "/sandbox/clock", "/sandbox/x/clock", "/sandbox//clock"]
)
def test_the_admin_api_answers_only_at_the_address_with_its_secret(xero, path):
    answer = requests.get(xero.url + path, timeout=30)
    assert (answer.status_code, list(answer.json())) == (403, ["error"])
    assert "the address that xero-sandbox prints" in answer.json()["error"]
    with pytest.raises(AdminError, match="address that xero-sandbox prints"):
        AdminClient(f"{xero.url}/sandbox/wrong").now()


def test_the_secret_is_new_each_time_unless_it_is_given():
    with Sandbox(company="empty") as one, Sandbox(company="empty") as two:
        first, second = (each.admin_url.rpartition("/")[2] for each in (one, two))
        assert len(first) >= 24
        assert first != second
    with Sandbox(company="empty", admin_secret="mine") as xero:
        assert xero.admin_url == f"{xero.url}/sandbox/mine"
        assert AdminClient(xero.admin_url).now()


@pytest.mark.parametrize("host", ["evil.example", "xero.evil.example:8743", "127.0.0.1.evil.example"])
def test_the_api_does_not_answer_to_names_that_a_web_page_can_point_here(xero, host):
    for path in ("/connect/token", "/identity/connect/authorize", "/api.xro/2.0/Contacts", "/connections"):
        assert requests.get(xero.url + path, headers={"Host": host}, timeout=30).status_code == 421


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:1", "[::1]", "host.docker.internal:8743", "xero", "10.0.0.7"]
)
def test_the_api_answers_to_names_that_nobody_can_register(xero, host):
    assert requests.get(f"{xero.url}/connections", headers={"Host": host}, timeout=30).status_code == 401


# --- the server ---


def test_one_connection_serves_many_calls(xero, api):
    with socket.create_connection(("127.0.0.1", int(xero.url.rsplit(":", 1)[1]))) as connection:
        for _ in range(3):
            connection.sendall(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 404")


def test_it_listens_on_loopback_only(xero):
    assert xero.url.startswith("http://127.0.0.1:")


def test_stopping_leaves_no_thread_and_frees_the_port(callers):
    before = set(threading.enumerate())
    with Sandbox(company="empty") as xero:
        callers(xero).call("Contacts")
        port = int(xero.url.rsplit(":", 1)[1])
        while_running = threading.active_count()
    assert threading.active_count() < while_running
    assert "xero-sandbox" not in {thread.name for thread in set(threading.enumerate()) - before}
    with Sandbox(company="empty", port=port) as xero:
        assert xero.admin.now()


def test_stopping_does_not_wait_for_a_held_call(xero, api):
    hold = xero.admin.fault("hold", path="Contacts")

    def call():
        with contextlib.suppress(requests.ConnectionError):
            api.call("Contacts")

    waiting = threading.Thread(target=call)
    waiting.start()
    xero.admin.wait(hold)
    xero.stop()
    waiting.join()


def test_a_port_that_is_taken_is_an_error(xero):
    with pytest.raises(OSError, match="in use"):
        Sandbox(company="empty", port=int(xero.url.rsplit(":", 1)[1])).start()


def test_a_company_that_does_not_exist_is_an_error():
    with pytest.raises(ValueError, match="demo, second, empty"):
        Sandbox(company="enron")


def test_a_large_company_has_the_requested_number_of_invoices():
    with Sandbox(invoices=250) as xero:
        (one,) = xero.admin.organisations()
        assert one["records"]["Invoices"] == 250


# --- the command ---


def test_the_command_prints_address_apps_and_settings_and_stops_on_a_signal(tmp_path):
    command = [sys.executable, "-m", "xero_sandbox.cli", "--company", "empty", "--no-limits"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        text = ""
        while "Ctrl-C" not in text and (line := process.stdout.readline()):
            text += line
        for app in apps.KNOWN:
            assert app.client_id in text
        url = json.loads(text[text.index("{") : text.rindex("}") + 1])["api_url"]
        admin_url = re.search(r"admin API is at (\S+)", text)[1]
        assert admin_url.startswith(f"{url}/sandbox/")
        assert AdminClient(admin_url).limits()["enabled"] is False
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


def test_the_command_serves_on_the_given_port_until_it_is_stopped(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process, url = start(tmp_path, "--company", "empty", "--port", str(port))
    with process:
        assert url == f"http://127.0.0.1:{port}"
        assert admin_of(url).organisations()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_starting_a_running_sandbox_does_nothing():
    with Sandbox(company="empty") as xero:
        url = xero.url
        with xero.start() as same:
            assert (same, same.url) == (xero, url)
            assert same.admin.organisations()


def test_the_command_says_why_it_cannot_start(xero, capsys):
    taken = xero.url.rsplit(":", 1)[1]
    assert cli.main(["--company", "empty", "--port", taken]) == 1
    assert "cannot start" in capsys.readouterr().err


def test_the_printed_settings_give_access_to_its_organisation(xero):
    settings = cli.tap_config(xero)
    answer = requests.post(
        f"{settings['identity_url']}/connect/token",
        data={"grant_type": "client_credentials"},
        auth=(settings["client_id"], settings["client_secret"]),
        timeout=30,
    ).json()
    headers = {
        "Authorization": f"Bearer {answer['access_token']}",
        "xero-tenant-id": settings["tenant_ids"][0],
        "Accept": "application/json",
    }
    response = requests.get(f"{settings['api_url']}/api.xro/2.0/Organisation", headers=headers, timeout=30)
    assert response.json()["Organisations"][0]["Name"] == "Blank Slate Ltd"


# --- alone ---


def imported(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            outside = node.level > len(file.relative_to(FOLDER).parts)
            found.add(
                ("outside:" if outside else "xero_sandbox." if node.level else "") + (node.module or "")
            )
    return found


@pytest.mark.parametrize("file", sorted(FOLDER.rglob("*.py")), ids=lambda file: str(file.relative_to(FOLDER)))
def test_the_sandbox_imports_no_other_package_of_the_project(file):
    ours = {
        name
        for name in imported(file)
        if name.split(".")[0] in {"singer_xero", "tap_xero", "target_xero"} or ":" in name
    }
    assert {name for name in ours if not name.startswith("xero_sandbox")} == set()


def test_importing_the_package_imports_little():
    code = "import sys, xero_sandbox; print([m for m in ('werkzeug', 'jwt', 'msgspec') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
