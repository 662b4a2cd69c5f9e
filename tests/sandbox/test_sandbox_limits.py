"""Xero's call limits, on a clock that the tests move."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from xero_sandbox import apps


def left(response):
    return {
        name: int(response.headers[f"X-{name}Limit-Remaining"])
        for name in ("Day", "Min", "AppMin")
        if f"X-{name}Limit-Remaining" in response.headers
    }


def test_every_answer_has_the_remaining_calls(api):
    assert left(api.call("Contacts")) == {"Day": 4999, "Min": 59, "AppMin": 9999}
    assert left(api.call("Contacts?where=Nonsense")) == {"Day": 4998, "Min": 58, "AppMin": 9998}
    assert left(api.call("Contacts/none")) == {"Day": 4997, "Min": 57, "AppMin": 9997}


def test_connections_show_and_use_only_the_limit_of_the_app(api):
    assert left(api.call("/connections")) == {"AppMin": 9999}
    assert left(api.call("Contacts")) == {"Day": 4999, "Min": 59, "AppMin": 9998}


def test_the_sixty_first_call_of_a_minute_is_429_and_the_next_minute_is_free(xero, api):
    assert {api.call("Contacts").status_code for _ in range(60)} == {200}
    xero.admin.advance(34)
    refused = api.call("Contacts")
    assert (refused.status_code, refused.content) == (429, b"")
    assert "Content-Type" not in refused.headers
    assert refused.headers["X-Rate-Limit-Problem"] == "minute"
    assert refused.headers["Retry-After"] == "26"
    assert left(refused)["Min"] == 0
    xero.admin.advance(26)
    assert api.call("Contacts").status_code == 200


def test_a_refused_call_does_not_count_for_the_day(xero, api):
    xero.admin.limits(minute=2)
    days = [left(api.call("Contacts"))["Day"] for _ in range(4)]
    assert days == [4999, 4998, 4998, 4998]


def test_the_daily_limit_has_the_time_to_wait(xero, api, callers):
    xero.admin.limits(day=2)
    assert [api.call("Contacts").status_code for _ in range(3)] == [200, 200, 429]
    xero.admin.advance(3600)
    refused = callers(xero).call("Contacts")
    assert (refused.headers["X-Rate-Limit-Problem"], refused.headers["Retry-After"]) == (
        "day",
        str(23 * 3600),
    )
    assert refused.headers["X-MinLimit-Remaining"] == "60"
    xero.admin.advance(23 * 3600)
    assert callers(xero).call("Contacts").status_code == 200


def test_the_starter_tier_has_a_thousand_calls_a_day(xero, callers):
    xero.admin.add_app(client_id=apps.WEB_APP.client_id, client_secret="s" * 40, kind="web", tier="starter")
    tenant = xero.admin.organisations()[0]["tenant_id"]
    caller = callers(xero, xero.admin.consent()["access_token"], tenant)
    assert left(caller.call("Contacts"))["Day"] == 999


def test_limits_are_counted_by_organisation_and_the_apps_over_all(xero, callers):
    second = xero.admin.add_organisation("Second Ltd")
    xero.admin.limits(app_minute=3)
    token = xero.admin.consent(tenants=[xero.admin.organisations()[0]["tenant_id"], second])["access_token"]
    one = callers(xero, token, xero.admin.organisations()[0]["tenant_id"])
    other = callers(xero, token, second)
    assert left(one.call("Contacts")) == {"Day": 4999, "Min": 59, "AppMin": 2}
    assert left(other.call("Contacts")) == {"Day": 4999, "Min": 59, "AppMin": 1}
    assert one.call("Contacts").status_code == 200
    refused = other.call("Contacts")
    assert (refused.status_code, refused.headers["X-Rate-Limit-Problem"]) == (429, "appminute")


def test_a_sixth_call_at_once_is_429_concurrent_without_a_time(xero, api):
    hold = xero.admin.fault("hold", path="Contacts", count=5)
    with ThreadPoolExecutor(5) as pool:
        held = [pool.submit(api.call, "Contacts") for _ in range(5)]
        xero.admin.wait(hold, hits=5)
        refused = api.call("Users")
        xero.admin.release(hold)
        assert {call.result().status_code for call in held} == {200}
    assert (refused.status_code, refused.headers["X-Rate-Limit-Problem"]) == (429, "concurrent")
    assert "Retry-After" not in refused.headers
    tenant = xero.admin.organisations()[0]["tenant_id"]
    assert xero.admin.counters()["tenants"][tenant]["most_in_flight"] == 5
    assert api.call("Users").status_code == 200


def test_limits_can_be_switched_off(xero, api):
    xero.admin.limits(enabled=False, minute=1)
    assert {api.call("Contacts").status_code for _ in range(5)} == {200}


def test_limit_counters_can_be_reset(xero, api):
    xero.admin.limits(minute=1)
    assert [api.call("Contacts").status_code for _ in range(2)] == [200, 429]
    xero.admin.limits(start_afresh=True)
    assert api.call("Contacts").status_code == 200


def test_a_body_that_is_too_large_is_413(xero, api):
    xero.admin.limits(body=100)
    refused = api.call("Contacts", "PUT", data=b" " * 101)
    assert (refused.status_code, refused.json()["Title"]) == (413, "RequestEntityTooLarge")


@pytest.mark.parametrize("wrong", [{"minutes": 3}, {"minute": "many"}])
def test_the_admin_refuses_limits_that_do_not_exist(xero, wrong):
    from xero_sandbox import AdminError

    with pytest.raises(AdminError):
        xero.admin.limits(**wrong)
