"""Reads, limits and failed calls, over HTTP at the sandbox."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import backoff
import msgspec
import pytest
from waiting import until

from singer_xero.api.auth import ClientCredentials
from singer_xero.api.client import XeroClient
from singer_xero.api.errors import (
    Closed,
    DayLimitReached,
    InsecureAddress,
    InvalidScope,
    NotConnected,
    NotFound,
    NotJson,
    OrganisationUnavailable,
    OutcomeUnknown,
    Refused,
    ScopeMissing,
    TooSlow,
    Unavailable,
    XeroError,
)
from singer_xero.api.http.response_body import Bounds
from singer_xero.api.tokens import TokenStore
from xero_sandbox import AdminClient, apps

from .conftest import ONE, TWO, Time

Make = Callable[..., XeroClient]


def statuses(admin: AdminClient, path: str = "") -> list[int]:
    return [call["status"] for call in admin.calls(path)]


def asking_for(*scopes: str) -> ClientCredentials:
    app = apps.CUSTOM_CONNECTION
    return ClientCredentials(app.client_id, str(app.client_secret), scopes)


@pytest.fixture
def no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "full_jitter", float)


# --- reading ---


def test_organisations_are_listed_and_read_by_their_id(signed_in: Make, admin: AdminClient) -> None:
    client = signed_in()
    assert [(c.tenant_id, c.name) for c in client.connections()] == [
        (ONE, "One Ltd"),
        (TWO, "Two Ltd"),
    ]
    for tenant_id, name in ((ONE, "One Ltd"), (TWO, "Two Ltd")):
        assert client.get(tenant_id, "Organisation").json()["Organisations"][0]["Name"] == name
    assert [call["tenant"] for call in admin.calls("Organisation")] == [ONE, TWO]
    assert not client.is_custom_connection


def test_a_practice_is_not_an_organisation(signed_in: Make, admin: AdminClient) -> None:
    rows = [{"id": "c", "tenantId": ONE, "tenantType": "PRACTICE", "tenantName": "Advisers"}]
    admin.fault("status", path="connections", status=200, body=json.dumps(rows))
    assert signed_in().connections() == []


def test_a_custom_connection_needs_no_organisation(client: XeroClient, admin: AdminClient) -> None:
    assert [c.name for c in client.connections()] == ["One Ltd"]
    assert client.get(None, "Organisation").json()["Organisations"][0]["Name"] == "One Ltd"
    assert client.is_custom_connection
    assert "Xero-Tenant-Id" not in admin.calls("Organisation")[0]["headers"]
    admin.switch(custom_connections=False)
    assert client.connections() == []


def test_a_users_missing_connections_are_an_error_not_an_empty_list(
    signed_in: Make, admin: AdminClient
) -> None:
    admin.fault("status", path="connections", status=403, body='{"Title":"Forbidden","Detail":"no"}')
    with pytest.raises(OrganisationUnavailable):
        signed_in().connections()


def test_parameters_and_headers_have_xeros_form(client: XeroClient, admin: AdminClient) -> None:
    client.get(
        None,
        "Accounts",
        {
            "page": 2,
            "includeArchived": True,
            "IDs": ["a", "b"],
            "DateFrom": date(2026, 4, 1),
            "unitdp": None,
            "where": 'Name=="A&B + C"',
            "amount": Decimal("1.10"),
        },
        modified_since=datetime(2026, 4, 24, 12, 4, 4, 999_999, tzinfo=timezone.utc),
        headers={"X-Test": "1"},
    )
    (call,) = admin.calls("Accounts")
    assert call["query"] == {
        "page": "2",
        "includeArchived": "true",
        "IDs": "a,b",
        "DateFrom": "2026-04-01",
        "where": 'Name=="A&B + C"',
        "amount": "1.10",
    }
    sent = {name.lower(): value for name, value in call["headers"].items()}
    assert sent["if-modified-since"] == "2026-04-24T12:04:04"
    assert sent["accept"] == "application/json"
    assert sent["accept-encoding"] == "gzip"
    assert sent["user-agent"].startswith("singer-xero/")
    assert sent["x-test"] == "1"


def test_a_304_is_an_answer(client: XeroClient, admin: AdminClient) -> None:
    admin.switch(nothing_new_304=True)
    answer = client.get(None, "Accounts", modified_since="2035-01-01")
    assert (answer.status, answer.json()) == (304, {})


def test_the_scopes_of_the_token_are_known_before_any_call(signed_in: Make, admin: AdminClient) -> None:
    admin.take_scopes("accounting.contacts", "accounting.contacts.read")
    scopes = signed_in().scopes()
    assert "accounting.settings.read" in scopes
    assert "accounting.contacts.read" not in scopes
    assert [call["path"] for call in admin.calls()] == ["/connect/token"]


def test_the_calls_of_an_organisation_are_counted(client: XeroClient, admin: AdminClient) -> None:
    for _ in range(3):
        client.get(None, "Accounts")
    usage = client.usage(None)
    assert (usage.calls, usage.minute_left, usage.day_left, usage.waited) == (3, 57, 4_997, 0)
    assert usage.received == sum(call["bytes"] for call in admin.calls("Accounts"))
    assert client.usage(TWO).calls == 0


def test_many_threads_and_organisations_share_a_client(signed_in: Make, admin: AdminClient) -> None:
    client = signed_in()

    def read(number: int) -> str:
        tenant_id = (ONE, TWO)[number % 2]
        return client.get(tenant_id, "Organisation").json()["Organisations"][0]["OrganisationID"] == tenant_id

    with ThreadPoolExecutor(20) as pool:
        assert all(pool.map(read, range(100)))
    assert len(admin.calls("connect/token")) == 1


# --- limits ---


def test_200_calls_meet_no_limit(client: XeroClient, admin: AdminClient, time: Time) -> None:
    begun = time.now
    for _ in range(200):
        client.get(None, "Organisation")
    assert statuses(admin, "Organisation") == [200] * 200
    assert 180 <= time.now - begun < 182
    assert client.usage(None).waited == pytest.approx(sum(time.slept))


def test_200_calls_of_20_threads_meet_no_limit(client: XeroClient, admin: AdminClient) -> None:
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: client.get(None, "Organisation"), range(200)))
    assert statuses(admin, "Organisation") == [200] * 200


def test_two_processes_on_one_organisation_share_its_limit(make: Make, admin: AdminClient) -> None:
    clients = make(), make()
    for number in range(150):
        clients[number % 3 // 2].get(None, "Organisation")  # one process calls twice as often as the other
    # In each full minute, one call is refused, because the processes do not know of each other.
    assert statuses(admin, "Organisation").count(200) == 150
    assert statuses(admin, "Organisation").count(429) <= 2


def test_a_second_run_within_the_minute_counts_the_calls_of_the_first(make: Make, admin: AdminClient) -> None:
    for _ in range(3):
        client = make()
        for _ in range(50):
            client.get(None, "Organisation")
    assert statuses(admin, "Organisation") == [200] * 150


def test_20_threads_never_make_more_than_5_concurrent_calls(client: XeroClient, admin: AdminClient) -> None:
    client.scopes()
    admin.fault("hold", path="Organisation", count=5)
    with ThreadPoolExecutor(20) as pool:
        done = [pool.submit(client.get, None, "Organisation") for _ in range(20)]
        until(lambda: len(admin.calls("Organisation")) == 5, seconds=5)
        assert not any(one.done() for one in done)
        admin.release()
        assert {one.result().status for one in done} == {200}
    assert statuses(admin, "Organisation") == [200] * 20
    assert admin.counters()["tenants"][ONE]["most_in_flight"] == 5


@pytest.mark.parametrize("problem", ["minute", "Minute", ""])
@pytest.mark.parametrize(("retry_after", "waits"), [(26, 26), (None, 60)])
def test_a_minutes_limit_is_waited_out(
    client: XeroClient, admin: AdminClient, time: Time, problem: str, retry_after: int | None, waits: int
) -> None:
    # Without a name, only a wait or an empty minute shows which limit it is.
    left = {} if problem else {"X-MinLimit-Remaining": "0"}
    admin.fault("rate_limit", path="Organisation", problem=problem, retry_after=retry_after, headers=left)
    assert client.get(None, "Organisation").status == 200
    assert sum(time.slept) == pytest.approx(waits, abs=0.1)
    assert statuses(admin, "Organisation") == [429, 200]


@pytest.mark.parametrize("problem", ["concurrent", "Concurrent"])
def test_the_concurrent_limit_waits_a_second_or_two(
    client: XeroClient, admin: AdminClient, time: Time, problem: str
) -> None:
    admin.fault("rate_limit", path="Organisation", problem=problem, count=2)
    assert client.get(None, "Organisation").status == 200
    assert len(time.slept) == 2
    assert all(1 <= slept <= 2.1 for slept in time.slept)


@pytest.mark.parametrize("problem", ["day", "Daily", "DayLimit"])
def test_the_daily_limit_ends_the_organisation_without_further_calls(
    signed_in: Make, admin: AdminClient, time: Time, problem: str
) -> None:
    client = signed_in()
    client.connections()
    admin.fault("rate_limit", path="Accounts", problem=problem, retry_after=3_600, tenant=ONE)
    for _ in range(2):
        with pytest.raises(DayLimitReached) as caught:
            client.get(ONE, "Accounts", {"page": 3})
    assert str(caught.value) == (
        f"GET Accounts page 3: today's calls of One Ltd ({ONE}) are used up."
        " Run again after 1970-01-12 14:46:40 UTC; it continues where this run stopped."
    )
    assert caught.value.tenant_id == ONE
    assert time.slept == []
    assert statuses(admin, "Accounts") == [429]
    assert client.get(TWO, "Accounts").status == 200


def test_the_actual_daily_limit_is_respected_before_it_is_hit(make: Make, admin: AdminClient) -> None:
    admin.limits(day=30)
    client = make(day_reserve=5)
    with pytest.raises(DayLimitReached, match=r"5 of today's calls .* 5 are kept for others \(day_reserve\)"):
        for _ in range(40):
            client.get(None, "Organisation")
    assert statuses(admin, "Organisation") == [200] * 25


def test_the_limit_of_the_app_delays_every_organisation(
    signed_in: Make, admin: AdminClient, time: Time
) -> None:
    client = signed_in()
    admin.fault("rate_limit", path="Organisation", problem="appminute", retry_after=40, tenant=ONE)
    assert client.get(ONE, "Organisation").status == 200
    assert sum(time.slept) == pytest.approx(40, abs=0.1)


def test_a_limit_that_never_ends_is_an_error(client: XeroClient, admin: AdminClient) -> None:
    admin.fault("rate_limit", path="Organisation", problem="minute", retry_after=10, count=0)
    with pytest.raises(Unavailable, match="GET Organisation: 429 over the minute limit") as caught:
        client.get(None, "Organisation")
    assert not caught.value.sent
    assert statuses(admin, "Organisation") == [429] * 6


def test_a_limit_of_the_minute_that_never_ends_is_not_blamed_on_the_state_of_xero(
    client: XeroClient, admin: AdminClient
) -> None:
    admin.fault("rate_limit", path="Organisation", problem="minute", retry_after=10, count=0)
    with pytest.raises(Unavailable, match="with fewer programs that call Xero") as caught:
        client.get(None, "Organisation")
    assert "status.developer.xero.com" not in str(caught.value)


@pytest.mark.parametrize("problem", ["day", "Daily", "DayLimit"])
def test_the_daily_limit_is_not_logged_as_a_retry(
    client: XeroClient, admin: AdminClient, problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    admin.fault("rate_limit", path="Accounts", problem=problem, retry_after=4000)
    with pytest.raises(DayLimitReached, match="are used up"):
        client.get(None, "Accounts")
    assert "trying again" not in caplog.text
    assert statuses(admin, "Accounts") == [429]


# --- trying again ---

XEROS_OWN = {"server_error", "unavailable", "status"}
"""Failures that indicate the state of Xero: 5xx."""

PASSING = {
    "server_error": {},
    "server_error_after": {},
    "unavailable": {},
    "html": {},
    "cut_off": {},
    "reset_before": {},
    "reset_after": {},
    "status": {"status": 502, "body": "<html><title>Bad Gateway</title></html>", "content_type": "text/html"},
}


@pytest.mark.parametrize("kind", PASSING)
def test_a_read_is_repeated_after_a_temporary_fault(
    client: XeroClient, admin: AdminClient, time: Time, kind: str
) -> None:
    admin.fault(kind, path="Accounts", count=2, **PASSING[kind])
    assert len(client.get(None, "Accounts").json()["Accounts"]) == 3
    assert len(admin.calls("Accounts")) == 3
    assert len(time.slept) == 2


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        (
            "server_error",
            Unavailable,
            "500 An error occurred / An error occurred in Xero. Check the API Status page",
        ),
        ("unavailable", Unavailable, "503 Organisation offline"),
        ("html", NotJson, "200 not JSON but text/html"),
        ("cut_off", Unavailable, "was cut off"),
        ("reset_before", Unavailable, "was lost"),
        ("status", Unavailable, "502 Bad Gateway"),
    ],
)
def test_a_read_that_keeps_failing_reports_the_reason(
    client: XeroClient, admin: AdminClient, kind: str, error: type[XeroError], words: str
) -> None:
    admin.fault(kind, path="Accounts", count=0, **PASSING[kind])
    with pytest.raises(error) as caught:
        client.get(None, "Accounts", {"page": 3})
    text = str(caught.value)
    assert text.startswith("GET Accounts page 3: ")
    assert words in text
    assert "\n" not in text
    assert ("status.developer.xero.com shows Xero's status." in text) == (kind in XEROS_OWN)
    if caught.value.status:
        assert f"(correlation id {caught.value.correlation_id})" in text
    assert len(admin.calls("Accounts")) == 6


@pytest.mark.parametrize(
    ("fault", "waits"), [("server_error", [1, 2, 4, 8, 16]), ("unavailable", [15, 30, 60, 120, 120])]
)
def test_waits_grow_and_take_minutes_if_the_organisation_is_offline(
    client: XeroClient, admin: AdminClient, time: Time, no_jitter: None, fault: str, waits: list[int]
) -> None:
    admin.fault(fault, path="Accounts", count=5)
    client.get(None, "Accounts")
    assert time.slept == waits


def test_an_unreachable_host_is_named(make: Make, client: XeroClient) -> None:
    with pytest.raises(
        Unavailable, match="GET Accounts: no connection to localhost:1: Connection refused"
    ) as caught:
        make(api_url="http://localhost:1", auth=client._auth).get(None, "Accounts")
    assert not caught.value.sent


def test_an_unreachable_identity_host_is_named(make: Make) -> None:
    with pytest.raises(
        Unavailable, match=r"POST /connect/token \(client_credentials\): no connection to localhost:1"
    ):
        make(identity_url="http://localhost:1").get(None, "Accounts")


# --- what is final ---


def test_an_unknown_id_is_not_found(client: XeroClient, admin: AdminClient) -> None:
    with pytest.raises(NotFound, match="GET Accounts/ffffffff-0000-4000-8000-000000000000: 404"):
        client.get(None, "Accounts/ffffffff-0000-4000-8000-000000000000")
    assert len(admin.calls(method="GET")) == 1


VALIDATION = {
    "ErrorNumber": 10,
    "Type": "ValidationException",
    "Message": "A validation exception occurred",
    "Elements": [
        {"Name": "Secret Name", "ValidationErrors": [{"Message": "The contact name must be unique."}]},
        {"Phones": [{"PhoneNumber": "1" * 99, "ValidationErrors": [{"Message": "Phone too long."}]}]},
    ],
}


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (
            msgspec.json.encode(VALIDATION).decode(),
            "application/json",
            "A validation exception occurred / The contact name must be unique. / Phone too long.",
        ),
        (
            "<ApiException><ErrorNumber>10</ErrorNumber><Message>A &lt;validation&gt;\nexception</Message>"
            "<Elements><E><ValidationErrors><ValidationError><Message>Too long</Message></ValidationError>"
            "</ValidationErrors></E></Elements></ApiException>",
            "text/xml",
            "A <validation> exception / Too long",
        ),
        ("The  string\r\n'x' is not a valid Boolean", "text/plain", "The string 'x' is not a valid Boolean"),
        (
            '{"type":null,"title":"Bad Request","detail":"small keys"}',
            "application/json",
            "Bad Request / small keys",
        ),
        ("", "text/html", "(no words)"),
        ("x" * 5_000, "text/plain", "x" * 399 + "…"),
        ('{"Account":"12-3456-7890"}', "application/json", "(no message in the answer)"),
    ],
    ids=["json", "xml", "text", "small", "empty", "long", "no message"],
)
def test_xeros_message_is_reported_in_every_form(
    client: XeroClient, admin: AdminClient, body: str, kind: str, words: str
) -> None:
    admin.fault("status", path="Accounts", status=400, body=body, content_type=kind)
    with pytest.raises(Refused) as caught:
        client.get(None, "Accounts")
    assert caught.value.words == words
    assert str(caught.value).startswith(f"GET Accounts: 400 {words} (correlation id ")
    assert "Secret Name" not in str(caught.value)
    assert caught.value.elements == (
        VALIDATION["Elements"] if kind == "application/json" and "Elem" in body else []
    )
    assert len(admin.calls("Accounts")) == 1


def test_a_redirect_is_not_followed_and_names_the_setting(client: XeroClient, admin: AdminClient) -> None:
    admin.fault("status", path="Accounts", status=302, headers={"Location": "https://portal.example/login"})
    with pytest.raises(Refused, match=r"302 a redirect to https://portal\.example/login, check api_url"):
        client.get(None, "Accounts")


def test_an_organisation_that_was_disconnected_is_named(signed_in: Make, admin: AdminClient) -> None:
    client = signed_in()
    client.connections()
    admin.disconnect(TWO)
    with pytest.raises(
        OrganisationUnavailable, match=rf"403 .*: for Two Ltd \({TWO}\).*xero-login"
    ) as caught:
        client.get(TWO, "Accounts")
    assert caught.value.tenant_id == TWO
    assert client.get(ONE, "Accounts").status == 200


def test_a_missing_scope_is_named_and_not_retried(signed_in: Make, admin: AdminClient) -> None:
    admin.take_scopes("accounting.settings", "accounting.settings.read")
    with pytest.raises(ScopeMissing, match=r"GET Accounts: 401 .*AuthorizationUnsuccessful") as caught:
        signed_in().get(ONE, "Accounts")
    assert "accounting.settings.read" in (caught.value.scope or "")
    assert "accounting.settings.read" in str(caught.value)
    assert len(admin.calls("Accounts")) == 1
    assert len(admin.calls("connect/token")) == 1


def test_a_missing_scope_of_a_browser_login_is_fixed_with_xero_login(
    signed_in: Make, admin: AdminClient
) -> None:
    admin.take_scopes("accounting.settings", "accounting.settings.read")
    client = signed_in()
    with pytest.raises(ScopeMissing, match=r"Run `xero-login`, or add it to its --scopes\.$"):
        client.get(ONE, "Accounts")
    with pytest.raises(ScopeMissing, match=r"Run `xero-login --write`, or add it to its --scopes\.$"):
        client.send("PUT", ONE, "Accounts", body={"Name": "x"})


def test_a_missing_scope_of_a_custom_connection_is_ticked_for_the_app(make: Make, admin: AdminClient) -> None:
    with pytest.raises(ScopeMissing, match=r"Select it for the app at developer\.xero\.com") as caught:
        make(asking_for("accounting.contacts.read")).get(None, "Accounts")
    assert "xero-login" not in str(caught.value)


def test_an_app_below_the_advanced_tier_is_reported_without_advice_to_log_in(
    make: Make, client: XeroClient, admin: AdminClient
) -> None:
    assert client.get(None, "Journals").status == 200
    custom = apps.CUSTOM_CONNECTION
    admin.add_app(
        client_id=custom.client_id, client_secret=custom.client_secret, kind=custom.kind, tier="core"
    )
    with pytest.raises(ScopeMissing) as caught:
        client.get(None, "Journals", {"offset": 0})
    text = str(caught.value)
    assert text.startswith("GET Journals offset 0: 401 Unauthorized / AuthorizationUnsuccessful")
    assert "Advanced tier (scope accounting.journals.read). Logging in again does not help" in text


def test_a_scope_that_the_app_may_not_have_is_named_with_the_reason(make: Make, admin: AdminClient) -> None:
    custom = apps.CUSTOM_CONNECTION
    admin.add_app(
        client_id=custom.client_id, client_secret=custom.client_secret, kind=custom.kind, tier="core"
    )
    with pytest.raises(InvalidScope, match=r"Advanced tier\. Remove the scope from the setting scopes"):
        make(asking_for("accounting.journals.read")).get(None, "Organisation")


@pytest.mark.parametrize("by_403", [False, True])
def test_a_write_with_a_read_scope_is_a_missing_scope_in_each_form_of_xero(
    signed_in: Make, admin: AdminClient, by_403: bool
) -> None:
    admin.switch(write_scope_403=by_403)
    admin.take_scopes("accounting.settings")
    with pytest.raises(ScopeMissing):
        signed_in().send("PUT", ONE, "Accounts", body={"Name": "x"})


def test_a_bare_403_to_a_write_of_a_read_only_token_is_a_missing_scope(
    signed_in: Make, admin: AdminClient
) -> None:
    admin.revoke()
    seed = admin.consent(scopes="offline_access accounting.settings.read")["refresh_token"]
    admin.fault("status", path="Accounts", status=403, count=0, body='{"Title":"Forbidden"}')
    client = signed_in(seed)
    with pytest.raises(ScopeMissing):
        client.send("PUT", ONE, "Accounts", body={"Name": "x"})
    with pytest.raises(OrganisationUnavailable):
        client.get(ONE, "Accounts")


# --- a token that ends in mid-run ---


def test_a_token_that_expires_during_a_run_is_renewed_once_and_the_run_continues(
    signed_in: Make, admin: AdminClient
) -> None:
    client = signed_in()
    client.get(ONE, "Accounts")
    admin.fault("token_expired", path="Accounts")
    client.get(ONE, "Accounts")
    admin.fault("token_expired", path="Accounts")
    client.get(ONE, "Accounts")
    assert statuses(admin, "Accounts") == [200, 401, 200, 401, 200]
    assert len(admin.calls("connect/token")) == 3


def test_threads_whose_token_expired_share_one_refresh(signed_in: Make, admin: AdminClient) -> None:
    client = signed_in()
    client.get(ONE, "Organisation")
    admin.fault("hold", path="Organisation", count=5)
    admin.fault("token_expired", path="Organisation", count=5)
    with ThreadPoolExecutor(5) as pool:
        done = [pool.submit(client.get, ONE, "Organisation") for _ in range(5)]
        until(lambda: len(admin.calls("Organisation")) == 6, seconds=5)
        admin.release()
        assert {one.result().status for one in done} == {200}
    assert sorted(statuses(admin, "Organisation")) == [200] * 6 + [401] * 5
    assert len(admin.calls("connect/token")) == 2


def test_a_fresh_token_that_is_refused_ends_the_run(signed_in: Make, admin: AdminClient) -> None:
    body = '{"Title":"Unauthorized","Status":401,"Detail":"AuthenticationUnsuccessful"}'
    admin.fault("status", path="Accounts", status=401, body=body, count=0)
    with pytest.raises(NotConnected, match="a new access token is refused, too"):
        signed_in().get(ONE, "Accounts")
    assert len(admin.calls("Accounts")) == 2


def test_a_closed_client_sends_nothing_more(client: XeroClient, admin: AdminClient) -> None:
    client.get(None, "Accounts")
    client.close()
    with pytest.raises(Closed, match="GET Accounts: the client was closed"):
        client.get(None, "Accounts")
    assert len(admin.calls("Accounts")) == 1


def test_a_pause_between_tries_ends_when_the_client_is_closed(make: Make, admin: AdminClient) -> None:
    client = make(sleep=None)
    admin.fault("unavailable", path="Accounts", count=0)
    caught: list[XeroError] = []

    def read() -> None:
        try:
            client.get(None, "Accounts")
        except XeroError as error:
            caught.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    until(lambda: bool(admin.calls("Accounts")), seconds=5)
    client.close()
    thread.join(10)
    assert isinstance(caught[0], Closed)


def test_numbers_are_exact_decimals(client: XeroClient, admin: AdminClient) -> None:
    admin.fault("status", path="Accounts", status=200, body='{"Rate": 1.10, "Zero": 0.00, "Whole": 7}')
    answer: Any = client.get(None, "Accounts").json()
    assert [str(answer[name]) for name in ("Rate", "Zero", "Whole")] == ["1.10", "0.00", "7"]


# --- what one call may take ---


def test_an_answer_that_is_too_slow_is_requested_twice_and_then_fails(make: Make, admin: AdminClient) -> None:
    client = make(bounds=Bounds(seconds=0.3))
    client.scopes()
    admin.fault("slow", path="Accounts", seconds=1, count=0)
    with pytest.raises(
        TooSlow, match=r"GET Accounts: no complete answer from .* within 0\.3 s\. .* request_timeout"
    ):
        client.get(None, "Accounts")
    assert len(admin.calls("Accounts")) == 2


def test_the_outcome_of_a_write_that_is_answered_too_slowly_is_unknown(
    make: Make, admin: AdminClient
) -> None:
    client = make(bounds=Bounds(seconds=0.3))
    client.scopes()
    admin.fault("slow", path="Contacts", seconds=1, count=0)
    with pytest.raises(OutcomeUnknown):
        client.send("PUT", None, "Contacts", body={"Name": "Slow"}, idempotency_key="key")


def test_a_token_endpoint_that_is_too_slow_does_not_hold_the_lock_for_long(
    signed_in: Make, admin: AdminClient, path: Path
) -> None:
    client = signed_in(bounds=Bounds(seconds=0.3))
    admin.fault("slow", path="connect/token", seconds=1, count=0)
    with pytest.raises(TooSlow, match=r"POST /connect/token \(refresh_token\): no complete answer"):
        client.scopes()
    assert len(admin.calls("connect/token")) == 2
    with TokenStore(path).locked():
        pass


def test_an_answer_that_is_too_large_is_not_requested_again(make: Make, admin: AdminClient) -> None:
    client = make(bounds=Bounds(megabytes=1))
    admin.fault("status", path="Accounts", status=200, body=" " * 2_000_000, count=0)
    with pytest.raises(Unavailable, match=r"takes more than 1 MB of memory\. .* max_response_mb"):
        client.get(None, "Accounts")
    assert len(admin.calls("Accounts")) == 1


@pytest.mark.parametrize("name", ["api_url", "identity_url"])
def test_no_token_is_sent_over_plain_http_to_another_machine(make: Make, name: str) -> None:
    with pytest.raises(InsecureAddress, match=f"{name} is 'http://xero.example'"):
        make(**{name: "http://xero.example"})
    make(**{name: "http://xero.example"}, allow_insecure_http=True)
