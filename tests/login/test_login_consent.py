"""From consent in the browser to a run of the tap: requests, stored tokens and output."""

from __future__ import annotations

import html
import json
import os
import re
import select
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from singer_xero.api.auth import fingerprint, pkce_challenge
from singer_xero.api.client import connect
from singer_xero.api.scope_advice import RESERVED
from singer_xero.errors import ConfigurationProblem
from singer_xero.login.settings import settings
from singer_xero.objects import STREAMS
from singer_xero.scopes import read_scopes
from xero_sandbox import Sandbox, apps

from .conftest import COMMAND, Login, Person

Start = Callable[..., Login]
Kept = Callable[..., dict[str, Any] | None]


def tenants(xero: Sandbox) -> dict[str, str]:
    return {one["name"]: one["tenant_id"] for one in xero.admin.organisations()}


def test_a_pkce_app_is_connected_and_a_run_uses_the_tokens(
    xero: Sandbox, login: Start, person: Person, token_path: Path
) -> None:
    running = login()
    page = person.allows(running)
    ended = running.end()
    assert ended.code == 0
    assert page.status_code == 200
    for name, tenant_id in tenants(xero).items():
        assert f"{name}  " in ended.said
        assert tenant_id in ended.said
        assert tenant_id in page.text
    assert f"Tokens:  {token_path}" in ended.said
    assert stat.S_IMODE(token_path.stat().st_mode) == 0o600
    app = apps.PKCE_APP
    client = connect(app.client_id, token_path=str(token_path), api_url=xero.url, identity_url=xero.url)
    assert {one.name for one in client.connections()} == set(tenants(xero))
    client.close()
    # The run used the stored access token: the only grant is that of the code.
    assert [call["grant_type"] for call in xero.admin.calls("/connect/token")] == ["authorization_code"]


def test_the_code_is_bound_to_this_run_by_pkce(login: Start, person: Person) -> None:
    first, second = login(), login()
    asked = first.asked()
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == len(pkce_challenge("x" * 43))
    for name in ("state", "code_challenge"):
        assert asked[name] != second.asked()[name]
    person.allows(first)
    assert first.end().code == 0


def test_a_web_app_authenticates_with_its_secret(login: Start, person: Person, kept: Kept) -> None:
    running = login(app=apps.WEB_APP)
    assert "code_challenge" not in running.asked()
    assert person.allows(running).status_code == 200
    ended = running.end()
    assert ended.code == 0
    assert "set client_id and client_secret for tap-xero" in ended.said
    assert kept(apps.WEB_APP)["refresh_token"]


def test_granular_read_scopes_that_every_app_has_are_requested(
    xero: Sandbox, login: Start, person: Person
) -> None:
    xero.admin.add_app(client_id=apps.PKCE_APP.client_id, kind=apps.PKCE, tier="starter", granular_only=True)
    running = login()
    asked = running.asked()["scope"].split()
    assert asked[0] == "offline_access"
    assert all(scope.endswith(".read") for scope in asked[1:])
    assert "accounting.journals.read" not in asked
    assert person.allows(running).status_code == 200
    opened = [row for row in STREAMS.values() if row.scope_missing(asked) is None]
    reserved = [row for row in STREAMS.values() if row.scopes.read in RESERVED]
    assert 0 < len(opened) <= len(STREAMS) - len(reserved)
    assert f"give access to {len(opened)} of {len(STREAMS)} streams for reading" in running.end().said


def test_the_option_write_requests_the_write_scopes_as_well(xero: Sandbox, login: Start) -> None:
    xero.admin.add_app(client_id=apps.PKCE_APP.client_id, kind=apps.PKCE, tier="starter", granular_only=True)
    asked = set(login("--write").asked()["scope"].split())
    assert asked - set(read_scopes()) == {
        f"accounting.{name}"
        for name in ("banktransactions", "contacts", "invoices", "manualjournals", "payments", "settings")
    } | ({"accounting.attachments"} if "accounting.attachments.read" in read_scopes() else set())


@pytest.mark.parametrize(
    "written", ["offline_access accounting.settings.read", "offline_access,accounting.settings.read"]
)
def test_only_named_scopes_are_requested(written: str, login: Start, person: Person, kept: Kept) -> None:
    running = login("--scopes", written)
    assert running.asked()["scope"] == "offline_access accounting.settings.read"
    person.allows(running)
    opened = [row for row in STREAMS.values() if row.scope_missing({"accounting.settings.read"}) is None]
    assert f"give access to {len(opened)} of {len(STREAMS)} streams" in running.end().said


def test_broad_scopes_are_requested_for_an_old_app(login: Start, person: Person) -> None:
    running = login("--broad")
    asked = running.asked()["scope"].split()
    assert {"accounting.transactions.read", "accounting.reports.read"} <= set(asked)
    assert "accounting.invoices.read" not in asked
    person.allows(running)
    opened = [row for row in STREAMS.values() if row.scope_missing(asked) is None]
    assert f"give access to {len(opened)} of {len(STREAMS)} streams" in running.end().said


def test_only_the_organisations_that_were_chosen_are_connected(
    xero: Sandbox, login: Start, person: Person
) -> None:
    name, tenant_id = list(tenants(xero).items())[1]
    running = login()
    page = person.allows(running, tenants=(tenant_id,))
    assert f"Connected to {html.escape(name)}" in page.text
    ended = running.end()
    assert [line.split()[-1] for line in ended.said.splitlines() if line.endswith(tenant_id)] == [tenant_id]
    assert "it finds the tokens by itself" in ended.said


def test_a_second_consent_replaces_the_first(login: Start, person: Person, kept: Kept) -> None:
    tokens = []
    for _ in range(2):
        running = login()
        person.allows(running)
        assert running.end().code == 0
        tokens.append(kept()["refresh_token"])
    assert tokens[0] != tokens[1]


def test_the_refresh_token_in_the_configuration_is_older_than_the_consent(
    xero: Sandbox, login: Start, person: Person, kept: Kept
) -> None:
    old = xero.admin.consent()["refresh_token"]
    running = login(app=apps.WEB_APP, TAP_XERO_REFRESH_TOKEN=old)
    person.allows(running)
    assert running.end().code == 0
    assert kept(apps.WEB_APP)["seeds"] == [fingerprint(old)]


# Sources of settings


def test_settings_come_from_a_config_file_of_the_tap(
    xero: Sandbox, login: Start, person: Person, token_path: Path, tmp_path: Path
) -> None:
    config = tmp_path / "config.json"
    content = {
        "client_id": apps.PKCE_APP.client_id,
        "token_path": str(token_path),
        "start_date": "2024-01-01",
    }
    config.write_text(json.dumps(content | {"identity_url": xero.url, "api_url": xero.url}))
    running = login("--config", str(config), app=None)
    person.allows(running)
    assert running.end().code == 0
    assert token_path.exists()


def test_settings_of_the_target_work_as_well(
    xero: Sandbox, login: Start, person: Person, token_path: Path
) -> None:
    running = login(
        "--config=ENV",
        app=None,
        TARGET_XERO_CLIENT_ID=apps.PKCE_APP.client_id,
        TARGET_XERO_TOKEN_PATH=str(token_path),
    )
    person.allows(running)
    assert running.end().code == 0


def test_an_option_overrides_the_environment(login: Start) -> None:
    running = login("--client-id", apps.WEB_APP.client_id, "--client-secret", apps.WEB_APP.client_secret)
    assert running.asked()["client_id"] == apps.WEB_APP.client_id


def test_in_a_meltano_project_the_tokens_are_stored_where_meltano_run_looks(
    login: Start, person: Person, tmp_path: Path
) -> None:
    (tmp_path / "meltano.yml").write_text("version: 1\n")
    running = login(app=None, TAP_XERO_CLIENT_ID=apps.PKCE_APP.client_id)
    person.allows(running)
    assert f"Tokens:  {tmp_path}/.secrets/xero-tokens.json" in running.end().said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "No client_id: pass --client-id"),
        ({"client_id": 5}, "client_id must be string, not a number"),
        ({"client_id": "x", "client_secret": 31337}, "client_secret must be string"),
        ({"client_id": "x", "sandbox": True}, "needs no login"),
        ({"client_id": "x", "scopes": "[offline"}, "scopes begins like a JSON list but is not valid JSON"),
    ],
)
def test_wrong_settings_are_named_and_secrets_are_not(
    given: dict[str, Any], said: str, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(given))
    with pytest.raises(ConfigurationProblem, match=said) as caught:
        settings([str(tmp_path / "config.json")], {})
    assert "31337" not in str(caught.value)


def test_a_wrong_setting_ends_the_command_with_one_line(login: Start) -> None:
    ended = login("--client-id", "x", "--token-path", "s3://bucket/tokens", app=None).end()
    assert ended.code == 1
    assert ended.complaint == (
        "xero-login: token_path has the unsupported scheme s3://. Use a file, or postgresql://…"
    )


def test_scopes_without_offline_access_are_refused_before_the_consent(xero: Sandbox, login: Start) -> None:
    ended = login("--scopes", "accounting.settings.read").end()
    assert ended.code == 1
    assert "must include offline_access" in ended.complaint
    assert not xero.admin.calls()


# Browser and terminal


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for a browser is a shell script")
@pytest.mark.parametrize("wanted", [True, False])
def test_the_browser_is_opened_by_default(wanted: bool, login: Start, person: Person, tmp_path: Path) -> None:
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    os.mkfifo(opened)
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}\n')
    browser.chmod(0o755)
    running = login(*([] if wanted else ["--no-browser"]), BROWSER=str(browser))
    assert ("Your browser opens this page" in running.url() + running._said) is wanted
    if wanted:
        local = opened.read_text()
        assert running.asked()["state"] not in local
        assert urlsplit(local).hostname == "127.0.0.1"
        first, second = (requests.get(local, allow_redirects=False, timeout=30) for _ in range(2))
        assert (first.status_code, first.headers["Location"]) == (302, running.url())
        assert (second.status_code, second.content, "Location" in second.headers) == (404, b"", False)
    person.allows(running)
    assert running.end().code == 0


def test_the_address_can_be_pasted_if_the_browser_is_on_another_machine(
    login: Start, person: Person, kept: Kept
) -> None:
    running = login()
    place = person.answers(running.url())
    running.type("I don't know what to type")
    running.until("contains no answer from Xero")
    running.type(place)
    assert running.end().code == 0
    assert kept()["refresh_token"]


@pytest.mark.parametrize(
    "way",
    [
        "'{}'",
        '"{}"',
        "  <{}>  ",
        "\u201c{}\u201d",
        "{0:.60}\n{0}",
        "?{query}",
        "two lines",
        "three lines",
        "escaped",
    ],
)
def test_an_address_is_understood_however_it_was_pasted(
    way: str, login: Start, person: Person, kept: Kept
) -> None:
    running = login()
    place = person.answers(running.url())
    if way in {"two lines", "three lines"}:
        step = len(place) // (2 if way == "two lines" else 3) + 1
        text = "\n".join(place[at : at + step] for at in range(0, len(place), step))
    elif way == "escaped":
        text = re.sub(r"([?&=])", r"\\\1", place)
    else:
        text = way.format(place, query=urlsplit(place).query)
    running.type(text)
    ended = running.end()
    assert ended.code == 0, ended
    assert kept()["refresh_token"]


def test_a_line_break_at_the_end_of_a_setting_is_removed(
    login: Start, person: Person, kept: Kept, xero: Sandbox
) -> None:
    app = apps.WEB_APP
    running = login(
        app=app,
        TAP_XERO_CLIENT_ID=f"{app.client_id}\n",
        TAP_XERO_CLIENT_SECRET=f"{app.client_secret}\r\n",
        TAP_XERO_REFRESH_TOKEN="an-old-one\n",
    )
    assert running.asked()["client_id"] == app.client_id
    person.allows(running)
    assert running.end().code == 0
    assert kept(app)["seeds"] == [fingerprint("an-old-one")]


@pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")
def test_a_terminal_asks_for_the_secret_without_showing_it(
    xero: Sandbox, person: Person, token_path: Path, tmp_path: Path
) -> None:
    import pty

    ours, theirs = pty.openpty()
    app = apps.WEB_APP
    command = [COMMAND, "--client-id", app.client_id, "--port=0", "--no-browser", "--client-secret"]
    environment = {**os.environ, "TAP_XERO_IDENTITY_URL": xero.url, "TAP_XERO_API_URL": xero.url}
    environment |= {"TAP_XERO_TOKEN_PATH": str(token_path)}
    process = subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=tmp_path,
        env=environment,
        start_new_session=True,
    )
    os.close(theirs)
    said = ""

    def until(words: str) -> None:
        nonlocal said
        while words not in said:
            assert select.select([ours], [], [], 60)[0], said
            said += os.read(ours, 65_536).decode()

    until("Client secret:")
    os.write(ours, f"{app.client_secret}\n".encode())
    until("press Enter.")
    address = person.answers(re.search(r"\S+/authorize\?\S+", said)[0])
    os.write(ours, f"{address}\n".encode())
    until("the organisations to read in tenant_ids.")
    assert process.wait(60) == 0
    os.close(ours)
    assert app.client_secret not in said
    assert token_path.exists()


def test_a_redirect_uri_that_is_not_on_this_machine_is_pasted_back(
    xero: Sandbox, login: Start, person: Person
) -> None:
    place = "https://example.com/callback"
    xero.admin.add_app(client_id=apps.PKCE_APP.client_id, kind=apps.PKCE, redirect_uris=[place])
    running = login("--redirect-uri", place)
    assert running.asked()["redirect_uri"] == place
    running.type(person.answers(running.url()))
    assert running.end().code == 0


def test_a_path_of_the_redirect_uri_is_kept(login: Start, person: Person) -> None:
    running = login("--redirect-uri", "http://localhost:0/callback")
    assert urlsplit(running.asked()["redirect_uri"]).path == "/callback"
    assert person.allows(running).status_code == 200
    assert running.end().code == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_the_command_listens_at_both_addresses_of_localhost(host: str, login: Start, person: Person) -> None:
    if host == "[::1]":
        try:
            with socket.socket(socket.AF_INET6) as probe:
                probe.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6 loopback")
    running = login()
    place = person.answers(running.url()).replace("localhost", host)
    assert requests.get(place, timeout=30).status_code == 200
    assert running.end().code == 0


def test_other_requests_of_a_browser_do_not_end_the_login(login: Start, person: Person) -> None:
    running = login()
    place = running.asked()["redirect_uri"]
    for stray in ("/favicon.ico", "/", "/elsewhere?code=x&state=y"):
        found = requests.get(place + stray, timeout=30)
        assert (found.status_code, found.content, found.headers["Server"]) == (404, b"", "-")
    assert person.allows(running).status_code == 200
    assert running.end().code == 0


def test_the_page_has_no_script_and_is_not_cached(login: Start, person: Person) -> None:
    running = login()
    page = person.allows(running)
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "<script" not in page.text
    running.end()


def test_names_of_organisations_are_text_on_the_page(xero: Sandbox, login: Start, person: Person) -> None:
    tenant_id = xero.admin.add_organisation("<b>Tom & Co</b>")
    running = login()
    page = person.allows(running, tenants=(tenant_id,))
    assert "Connected to &lt;b&gt;Tom &amp; Co&lt;/b&gt;" in page.text
    assert running.end().code == 0


def test_closed_input_does_not_end_the_wait(login: Start, person: Person) -> None:
    running = login()
    url = running.url()
    running._process.stdin.close()
    running._process.stdin = None
    assert requests.get(person.answers(url), timeout=30).status_code == 200
    assert running.end().code == 0


def test_tokens_are_stored_even_if_organisations_cannot_be_listed(
    xero: Sandbox, login: Start, person: Person, kept: Kept
) -> None:
    running = login()
    running.url()
    xero.admin.fault("status", path="connections", status=404)
    page = person.allows(running)
    ended = running.end()
    assert (page.status_code, ended.code) == (200, 0)
    assert "tokens are stored, but the organisations could not be listed" in ended.complaint
    assert kept()["refresh_token"]


def test_python_dash_m_runs_it_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "singer_xero.login", "--help"], capture_output=True, text=True, check=True
    )
    assert "Connect Xero organisations in the browser" in done.stdout
