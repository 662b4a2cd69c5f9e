"""Faults of Xero and the network lose no row: a stream is read, or it is reported as failed."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest

from singer_xero.api.errors import NotConnected
from xero_sandbox import AdminClient, apps

from .company import HARBOUR, HARBOUR_NAME, TIDE, TIDE_NAME, guid
from .conftest import Time
from .runs import Run, read

ALL = [guid("c", n) for n in range(1, 8)]
BOTH = {"tenant_ids": [HARBOUR, TIDE]}


def contacts(config: dict[str, Any], **more: Any) -> Run:
    return read({**config, "page_size": 2}, "contacts", **more)


# Faults that pass


@pytest.mark.parametrize("after", [0, 1, 3])
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "server_error", "count": 2},
        {"kind": "unavailable", "count": 2},
        {"kind": "html", "count": 2},
        {"kind": "cut_off", "count": 2},
        {"kind": "reset_before", "count": 2},
        {"kind": "reset_after", "count": 2},
        {"kind": "token_expired"},
        {"kind": "rate_limit"},
        {"kind": "rate_limit", "problem": "Minute", "retry_after": 12},
        {"kind": "rate_limit", "problem": "concurrent"},
        {"kind": "rate_limit", "problem": "appminute", "retry_after": 3},
        {"kind": "rate_limit", "problem": ""},
        {"kind": "status", "status": 200, "body": '{"Contacts": [', "count": 2},
        {"kind": "status", "status": 200, "body": ""},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values()),
)
def test_a_temporary_fault_loses_no_row(
    config: dict[str, Any], admin: AdminClient, fault: dict[str, Any], after: int
) -> None:
    admin.fault(**fault, path="Contacts", after=after)
    run = contacts(config)
    assert run.ids("contacts") == ALL
    assert run.failed == {}
    assert admin.faults()[0]["hits"] >= 1


def test_a_401_during_a_run_leads_to_a_new_token(config: dict[str, Any], admin: AdminClient) -> None:
    admin.fault("token_expired", path="Contacts", after=2)
    run = contacts(config)
    assert run.ids("contacts") == ALL
    assert len(admin.calls("/connect/token")) == 2


def test_a_token_that_expires_while_a_long_list_is_read_is_renewed_in_time(
    config: dict[str, Any], admin: AdminClient, time: Time
) -> None:
    admin.fault("rate_limit", path="Contacts", problem="minute", retry_after=890, after=1)
    admin.fault("rate_limit", path="Contacts", problem="minute", retry_after=890, after=2)
    run = contacts(config)
    assert run.ids("contacts") == ALL
    assert sum(time.slept) > 1740
    assert len(admin.calls("/connect/token")) >= 2
    assert {call["status"] for call in admin.calls("Contacts")} == {200, 429}


def test_the_minute_limit_is_respected_and_never_hit(
    config: dict[str, Any], admin: AdminClient, time: Time
) -> None:
    admin.limits(enabled=True, start_afresh=True)
    for n in range(20, 160):
        admin.put(
            "Contacts",
            {"ContactID": guid("c", n), "UpdatedDateUTC": f"2026-11-05T0{n // 60}:{n % 60:02}:00Z"},
        )
    run = contacts(config)
    assert len(run.ids("contacts")) == 147
    assert {call["status"] for call in admin.calls("Contacts")} == {200}
    assert sum(time.slept) >= 55


# Faults that do not pass


@pytest.mark.parametrize("kind", ["server_error", "unavailable", "html", "cut_off", "reset_before"])
def test_a_permanent_fault_ends_the_stream_and_names_it(
    config: dict[str, Any], admin: AdminClient, kind: str
) -> None:
    admin.fault(kind, path="Contacts", count=0)
    run = read(config, "accounts", "contacts", "items")
    assert set(run.failed) == {("contacts", HARBOUR_NAME)}
    assert "GET Contacts page 1" in run.failed["contacts", HARBOUR_NAME]
    assert len(run.ids("accounts")) == 6
    assert len(run.ids("items")) == 3


def test_a_stream_that_fails_within_a_list_continues_from_there(
    config: dict[str, Any], admin: AdminClient
) -> None:
    admin.fault("server_error", path="Contacts", query={"page": "3"}, count=0)
    first = contacts(config)
    assert first.ids("contacts") == ALL[:4]
    assert first.failed != {}
    admin.clear_faults()
    second = contacts(config, state=first.state)
    assert set(first.ids("contacts")) | set(second.ids("contacts")) == set(ALL)


def test_a_refused_call_is_not_repeated(config: dict[str, Any], admin: AdminClient) -> None:
    refusal = {"ErrorNumber": 16, "Type": "QueryParseException", "Message": "No such property"}
    admin.fault("status", path="Contacts", status=400, body=json.dumps(refusal), count=0)
    run = contacts(config)
    assert "No such property" in run.failed["contacts", HARBOUR_NAME]
    assert len(admin.calls("Contacts")) == 1


def test_an_error_has_the_correlation_id_and_xero_s_message(
    config: dict[str, Any], admin: AdminClient
) -> None:
    admin.fault("server_error", path="Contacts", count=0)
    said = contacts(config).failed["contacts", HARBOUR_NAME]
    assert "An error occurred in Xero" in said
    assert "correlation id" in said


# The day's limit


def test_the_daily_limit_ends_an_organisation_cleanly(web: dict[str, Any], admin: AdminClient) -> None:
    """State is kept, the time of the reset is logged, and no further call is made."""
    admin.fault(
        "rate_limit", problem="day", retry_after=7200, tenant=HARBOUR, path="Contacts", after=1, count=0
    )
    run = read({**web, **BOTH, "page_size": 2}, "contacts", "payments", "purchase_orders")
    refused = [call for call in admin.calls() if call["status"] == 429]
    calls = [call for call in admin.calls() if call["tenant"] == HARBOUR]
    # After the first refusal, only calls that were already sent follow.
    assert 1 <= len(refused) <= 5
    assert calls.index(refused[0]) >= len(calls) - 5
    assert {r["tenant_id"] for r in run.records["contacts"]} == {HARBOUR, TIDE}
    assert ("contacts", HARBOUR_NAME) in run.failed
    assert all(name == HARBOUR_NAME for _, name in run.failed)
    said = run.failed["contacts", HARBOUR_NAME]
    resets = datetime.fromtimestamp(1_000_000 + 7200, timezone.utc)
    assert f"Run again after {resets:%Y-%m-%d %H:%M}" in said
    assert TIDE_NAME not in said


@pytest.mark.parametrize("problem", ["day", "Day", "DailyLimit", "daily"])
def test_the_daily_limit_is_recognised_in_any_form_and_without_retry_after(
    config: dict[str, Any], admin: AdminClient, time: Time, problem: str
) -> None:
    admin.fault("rate_limit", problem=problem, path="Contacts", count=0)
    run = contacts(config)
    assert "today's calls" in run.failed["contacts", HARBOUR_NAME]
    assert len(admin.calls("Contacts")) == 1
    assert sum(time.slept) == 0


def test_a_wait_of_hours_ends_the_organisation_whatever_its_name(
    config: dict[str, Any], admin: AdminClient, time: Time
) -> None:
    admin.fault("rate_limit", problem="minute", retry_after=40_000, path="Contacts", count=0)
    run = contacts(config)
    assert "Run again after" in run.failed["contacts", HARBOUR_NAME]
    assert sum(time.slept) == 0


def test_after_the_daily_limit_the_next_day_reads_the_rest(
    config: dict[str, Any], admin: AdminClient
) -> None:
    admin.fault("rate_limit", problem="day", retry_after=3600, path="Contacts", after=2, count=1)
    first = contacts(config)
    second = contacts(config, state=first.state)
    assert set(first.ids("contacts")) | set(second.ids("contacts")) == set(ALL)
    assert second.failed == {}


def test_prefetched_rows_are_kept_at_the_daily_limit(config: dict[str, Any], admin: AdminClient) -> None:
    """Otherwise a long list that uses each day's calls would starve the lists after it."""
    held = admin.fault("hold", path="Contacts")
    admin.fault("rate_limit", problem="day", retry_after=3600, path="Contacts", after=1, count=0)
    run = with_release(admin, held, "Items", lambda: read({**config, "page_size": 2}, "contacts", "items"))
    assert set(run.failed) == {("contacts", HARBOUR_NAME)}
    assert len(run.ids("items")) == 3


def with_release(admin: AdminClient, held: int, path: str, read_it: Any) -> Run:
    """Release a held call after another list was answered."""
    from concurrent.futures import ThreadPoolExecutor

    def release() -> None:
        admin.wait(held)
        while not any(call["status"] for call in admin.calls(path)):
            pass
        admin.release(held)

    with ThreadPoolExecutor() as pool:
        released = pool.submit(release)
        run: Run = read_it()
        released.result()
    return run


def test_calls_are_reserved_for_others_by_a_setting(config: dict[str, Any], admin: AdminClient) -> None:
    admin.limits(enabled=True, day=20, start_afresh=True)
    for n in range(20, 100):
        admin.put(
            "Contacts",
            {"ContactID": guid("c", n), "UpdatedDateUTC": f"2026-11-05T00:{n % 60:02}:{n // 60:02}Z"},
        )
    run = read({**config, "page_size": 2, "day_reserve": 8}, "contacts")
    assert "8 are kept for others" in run.failed["contacts", HARBOUR_NAME]
    assert len([call for call in admin.calls() if call["tenant"] == HARBOUR]) == 12


# Consent


def test_a_consent_withdrawn_during_a_run_ends_it_with_the_fix(
    web: dict[str, Any], admin: AdminClient
) -> None:
    gone = '{"Title": "Unauthorized", "Status": 401, "Detail": "AuthenticationUnsuccessful"}'
    admin.fault("status", path="Contacts", status=401, body=gone, after=1, count=0)
    with pytest.raises(NotConnected, match="xero-login"):
        read({**web, "tenant_ids": [HARBOUR], "page_size": 2}, "contacts", "items")


def test_an_expired_refresh_token_ends_the_run_before_the_first_call(
    web: dict[str, Any], admin: AdminClient
) -> None:
    admin.revoke(apps.WEB_APP.client_id)
    with pytest.raises(NotConnected, match="the refresh token was already used, expired or revoked"):
        read({**web, "tenant_ids": [HARBOUR]}, "contacts")
    assert [call for call in admin.calls() if "/api.xro/" in call["path"]] == []


def test_the_run_of_the_next_night_uses_the_rotated_token(web: dict[str, Any], admin: AdminClient) -> None:
    """The token in the settings is used, and its grace period of 30 minutes is over."""
    settings = {**web, "tenant_ids": [HARBOUR]}
    first = read(settings, "contacts")
    for _ in range(2):
        admin.advance(86_400)
        assert read(settings, "contacts", state=first.state).records == {}
    assert len(admin.calls("/connect/token")) == 3
