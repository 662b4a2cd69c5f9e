"""Faults of the login: one clear line, exit code 1, and no token used unless necessary."""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from singer_xero.login.consent_page import objection, refused_scopes
from singer_xero.login.waiting import user_of
from xero_sandbox import Sandbox, apps

from .conftest import Ended, Login, Person

Start = Callable[..., Login]
Kept = Callable[..., dict[str, Any] | None]


@pytest.fixture
def before(login: Start, person: Person, kept: Kept, xero: Sandbox) -> dict[str, Any]:
    """Tokens of an earlier login, which no failure may change."""
    running = login()
    person.allows(running)
    assert running.end().code == 0
    xero.admin.forget_calls()
    return kept()


def failed(ended: Ended, *said: str) -> None:
    assert ended.code == 1
    assert ended.complaint.startswith("xero-login: ")
    for one in said:
        assert one in ended.complaint


def test_a_refusal_is_shown_in_browser_and_terminal(
    xero: Sandbox, login: Start, person: Person, before: dict[str, Any], kept: Kept
) -> None:
    running = login()
    page = requests.get(person.answers(running.url(), approve="deny"), timeout=30)
    assert page.status_code == 400
    assert "Access was not allowed" in page.text
    failed(running.end(), "access_denied", "Run xero-login again")
    assert not xero.admin.calls("/connect/token")
    assert kept() == before


FORGED = {
    "another state": lambda place: re.sub(r"&state=[^&]*", "&state=forged", place),
    "no state": lambda place: re.sub(r"&state=[^&]*", "", place),
    "an error without state": lambda place: f"{place.partition('?')[0]}?error=access_denied",
    "an error with another state": lambda place: (
        f"{place.partition('?')[0]}?error=access_denied&state=forged"
    ),
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_an_answer_without_the_state_changes_and_reveals_nothing(
    forged: Callable[[str], str], xero: Sandbox, login: Start, person: Person
) -> None:
    running = login()
    place = person.answers(running.url())
    for _ in range(2):
        page = requests.get(forged(place), timeout=30)
        assert (page.status_code, page.content) == (404, b"")
    assert not xero.admin.calls("/connect/token")
    assert requests.get(place, timeout=30).status_code == 200
    assert running.end().code == 0


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "localhost", "localhost:1", "", "localhost.evil.example:{port}"],
)
def test_a_request_by_dns_rebinding_gets_no_information(
    host: str, xero: Sandbox, login: Start, person: Person
) -> None:
    running = login()
    place = person.answers(running.url())
    port = urlsplit(place).port
    page = requests.get(place, headers={"Host": host.format(port=port)}, timeout=30)
    assert (page.status_code, page.content) == (404, b"")
    assert not xero.admin.calls("/connect/token")
    page = requests.get(place, timeout=30)
    assert "Connected to" in page.text
    assert running.end().code == 0


def test_a_second_request_without_the_state_does_not_see_the_organisations(
    login: Start, person: Person, xero: Sandbox
) -> None:
    running = login()
    place = person.answers(running.url())
    xero.admin.fault("slow", path="connect/token", seconds=1)
    pages: list[requests.Response] = []
    first = threading.Thread(target=lambda: pages.append(requests.get(place, timeout=30)))
    first.start()
    for forged in FORGED.values():
        page = requests.get(forged(place), timeout=30)
        assert (page.status_code, page.content) == (404, b"")
    first.join()
    assert "Connected to" in pages[0].text
    assert running.end().code == 0


@pytest.mark.parametrize(
    ("forged", "said"),
    [("another state", "its state differs"), ("no state", "state is missing"),
     ("an error without state", "state is missing"), ("an error with another state", "its state differs")],
)  # fmt: skip
def test_a_wrong_paste_asks_again(
    forged: str, said: str, xero: Sandbox, login: Start, person: Person, before: dict[str, Any], kept: Kept
) -> None:
    running = login()
    place = person.answers(running.url())
    running.type(FORGED[forged](place))
    running.until(said)
    assert not xero.admin.calls("/connect/token")
    assert kept() == before
    running.type(place)
    assert running.end().code == 0
    assert kept() != before


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT")
def test_ctrl_c_says_that_nothing_was_stored(login: Start, kept: Kept, before: dict[str, Any]) -> None:
    running = login()
    running.url()
    running.interrupt()
    ended = running.end()
    assert (ended.code, ended.complaint) == (130, "xero-login: stopped; nothing was stored.")
    assert kept() == before


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT")
def test_ctrl_c_after_the_tokens_were_stored_does_not_deny_it(
    xero: Sandbox, login: Start, person: Person, kept: Kept
) -> None:
    running = login()
    place = person.answers(running.url())
    number = xero.admin.fault("hold", path="connections")
    running.type(place)
    xero.admin.wait(number)
    running.interrupt()
    xero.admin.release()
    ended = running.end()
    assert ended.code == 130
    assert "the tokens are stored" in ended.complaint
    assert kept()["refresh_token"]


def test_an_expired_code_is_named(
    xero: Sandbox, login: Start, person: Person, before: dict[str, Any], kept: Kept
) -> None:
    running = login()
    place = person.answers(running.url())
    xero.admin.advance(5 * 60 + 1)
    page = requests.get(place, timeout=30)
    assert page.status_code == 400
    assert "Too late" in page.text
    failed(running.end(), "invalid_grant", "five minutes", "Run `xero-login` again")
    assert kept() == before


def test_a_code_works_once(xero: Sandbox, login: Start, person: Person) -> None:
    first = login()
    place = person.answers(first.url())
    assert requests.get(place, timeout=30).status_code == 200
    assert first.end().code == 0
    second = login()
    code = re.search(r"code=([^&]*)", place)[1]
    page = requests.get(
        second.asked()["redirect_uri"], params={"code": code, "state": second.asked()["state"]}, timeout=30
    )
    assert page.status_code == 400
    failed(second.end(), "works once")


def test_a_lost_answer_to_the_code_leaves_the_earlier_tokens(
    xero: Sandbox, login: Start, person: Person, before: dict[str, Any], kept: Kept
) -> None:
    running = login()
    running.url()
    xero.admin.fault("reset_after", path="connect/token")
    assert person.allows(running).status_code == 400
    failed(running.end(), "invalid_grant", "Run `xero-login` again")
    assert kept() == before


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_port_in_use_is_named_before_the_consent(
    family: socket.AddressFamily, host: str, xero: Sandbox, login: Start
) -> None:
    with socket.socket(family) as taken:
        try:
            taken.bind((host, 0))
        except OSError:
            pytest.skip("this machine has no IPv6 loopback")
        taken.listen()
        port = taken.getsockname()[1]
        failed(login(port=port).end(), f"Port {port} is in use", "--port")
    assert not xero.admin.calls()


def test_no_answer_ends_in_time(login: Start, kept: Kept) -> None:
    failed(login("--timeout=0.01").end(), "No answer came from Xero within 0.01 seconds", "redirect URIs")


def test_an_unwritable_place_is_named_before_the_consent(xero: Sandbox, login: Start, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    failed(
        login(TAP_XERO_TOKEN_PATH=str(tmp_path / "file" / "tokens.json")).end(),
        "tokens can't be stored",
        "token_path",
    )
    assert not xero.admin.calls()


def test_a_place_that_became_full_meanwhile_is_named_before_the_code_is_used(
    xero: Sandbox, login: Start, person: Person, before: dict[str, Any], kept: Kept, token_path: Path
) -> None:
    running = login()
    running.url()
    token_path.rename(token_path.with_suffix(".old"))
    token_path.mkdir()  # now no file can have this name
    page = person.allows(running)
    assert page.status_code == 400
    token_path.rmdir()
    token_path.with_suffix(".old").rename(token_path)
    failed(running.end(), str(token_path))
    assert not xero.admin.calls("/connect/token")
    assert kept() == before


def test_a_wrong_secret_is_named_and_not_shown(xero: Sandbox, login: Start, person: Person) -> None:
    running = login(app=apps.WEB_APP, TAP_XERO_CLIENT_SECRET="not-the-secret-of-this-app")
    assert person.allows(running).status_code == 400
    ended = running.end()
    failed(ended, "invalid_client", "client_secret")
    assert "not-the-secret" not in ended.said + ended.complaint


def test_a_missing_secret_of_a_web_app_is_named(login: Start, person: Person) -> None:
    running = login("--client-id", apps.WEB_APP.client_id)
    assert person.allows(running).status_code == 400
    failed(running.end(), "A web app needs its client_secret")


# Requests that Xero refuses on its own page, without a redirect


def test_a_scope_that_the_app_may_not_ask_for_is_named_with_the_reason(xero: Sandbox, login: Start) -> None:
    xero.admin.add_app(client_id=apps.PKCE_APP.client_id, kind=apps.PKCE, tier="starter", granular_only=True)
    ended = login("--scopes", "offline_access accounting.journals.read accounting.settings.read").end()
    failed(
        ended, "invalid_scope", "accounting.journals.read (Xero grants it only to apps of its Advanced tier)"
    )
    assert "settings" not in ended.complaint


def test_several_scopes_that_are_refused_are_all_named(xero: Sandbox, login: Start) -> None:
    xero.admin.add_app(
        client_id=apps.PKCE_APP.client_id,
        kind=apps.PKCE,
        scopes=["offline_access", "accounting.contacts.read", "accounting.settings.read"],
    )
    ended = login(
        "--scopes", "offline_access accounting.invoices.read accounting.contacts.read accounting.budgets.read"
    ).end()
    failed(
        ended,
        "accounting.invoices.read; accounting.budgets.read",
        "developer.xero.com/app/manage",
        "--scopes",
    )


def test_broad_scopes_of_a_new_app_are_explained(xero: Sandbox, login: Start) -> None:
    xero.admin.add_app(client_id=apps.PKCE_APP.client_id, kind=apps.PKCE, granular_only=True)
    failed(login("--broad").end(), "accounting.transactions.read", "since March 2026", "omit --broad")


def test_a_redirect_uri_that_is_not_registered_is_named(xero: Sandbox, login: Start) -> None:
    xero.admin.add_app(
        client_id=apps.PKCE_APP.client_id, kind=apps.PKCE, redirect_uris=["https://example.com"]
    )
    failed(login().end(), "Register exactly http://localhost:")


@pytest.mark.parametrize("client_id", ["NOBODY", apps.CUSTOM_CONNECTION.client_id])
def test_a_client_id_that_cannot_sign_in_is_named(client_id: str, login: Start) -> None:
    failed(login("--client-id", client_id).end(), "unauthorized_client", "custom connection needs no login")


XERO_SAYS = "<h1>Sorry</h1><p>Error: unauthorized_client : Invalid scope for client</p><p>Error code: 500</p>"


def test_xeros_error_page_is_read_whatever_its_status(xero: Sandbox) -> None:
    xero.admin.fault("status", path="identity/*", status=500, body=XERO_SAYS, content_type="text/html")
    said = objection(f"{xero.url}/identity/connect/authorize", "test")
    assert said == "unauthorized_client : Invalid scope for client Error code: 500"


@pytest.mark.parametrize(("status", "body"), [(403, "Access Denied by a wall"), (500, ""), (200, XERO_SAYS)])
def test_a_page_that_is_not_clearly_xeros_refusal_is_ignored(xero: Sandbox, status: int, body: str) -> None:
    xero.admin.fault("status", path="identity/*", status=status, body=body, content_type="text/html")
    assert objection(f"{xero.url}/identity/connect/authorize", "test") is None


def test_a_page_that_does_not_answer_is_not_a_refusal(xero: Sandbox) -> None:
    xero.admin.fault("reset_before", path="identity/*")
    assert objection(f"{xero.url}/identity/connect/authorize", "test") is None


@pytest.mark.parametrize("bad", [(), ("c",), ("a", "h"), ("a", "b", "c", "d", "e", "f", "g", "h")])
def test_refused_scopes_are_found_by_halves(bad: tuple[str, ...]) -> None:
    asked: list[tuple[str, ...]] = []

    def refuses(scopes: tuple[str, ...]) -> bool:
        asked.append(scopes)
        return bool(set(scopes) & set(bad))

    assert refused_scopes("abcdefgh", refuses) == bad
    assert len(asked) <= 1 + 6 * max(len(bad), 1)


# Requests to xero-login's own address


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux says whose a connection is")
@pytest.mark.parametrize(
    ("family", "address"),
    [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::ffff:127.0.0.1"), (socket.AF_INET6, "::1")],
)
def test_the_user_at_the_other_end_of_a_connection_is_known(
    family: socket.AddressFamily, address: str
) -> None:
    place = ("::1", socket.AF_INET6) if address == "::1" else ("127.0.0.1", socket.AF_INET)
    try:
        server = socket.create_server((place[0], 0), family=place[1])
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with server, socket.socket(family) as client:
        client.connect((address, server.getsockname()[1]))
        connection, visitor = server.accept()
        connection.close()
        assert user_of(visitor[:2]) == os.getuid()


def test_without_information_from_the_system_no_user_is_named(tmp_path: Path) -> None:
    assert user_of(("127.0.0.1", 1), tmp_path) is None
    (tmp_path / "tcp").write_text("  sl  local_address rem_address   st ...\n")
    assert user_of(("127.0.0.1", 1), tmp_path) is None
