"""Faults that the admin API injects."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from xero_sandbox import AdminError


@pytest.mark.parametrize("problem", ["minute", "day", "concurrent", "appminute", "DayLimit"])
def test_a_429_of_any_kind_hits_one_call_and_has_a_retry_after_only_if_given(xero, api, problem):
    xero.admin.fault("rate_limit", problem=problem)
    refused = api.call("Contacts")
    assert (refused.status_code, refused.content) == (429, b"")
    assert refused.headers["X-Rate-Limit-Problem"] == problem
    assert "Retry-After" not in refused.headers
    assert api.call("Contacts").status_code == 200


@pytest.mark.parametrize(
    ("after", "header"), [(7, "7"), (2.5, "2.5"), ("Fri, 20 Nov 2026 09:00:07 GMT", None)]
)
def test_a_429_has_its_retry_after_in_any_form(xero, api, after, header):
    xero.admin.fault("rate_limit", retry_after=after)
    assert api.call("Contacts").headers["Retry-After"] == (header or after)


def test_a_call_gets_a_server_error_or_an_offline_organisation(xero, api):
    xero.admin.fault("server_error")
    xero.admin.fault("unavailable", after=1, headers={"Retry-After": "60"})
    first, second = api.call("Contacts"), api.call("Contacts")
    assert (first.status_code, first.json()["Title"]) == (500, "An error occurred")
    assert (second.status_code, second.text, second.headers["Retry-After"]) == (
        503,
        "Organisation offline",
        "60",
    )
    assert api.call("Contacts").status_code == 200


def test_a_call_gets_any_status_with_any_body(xero, api):
    xero.admin.fault("status", status=418, body="teapot", content_type="text/plain", headers={"X-Odd": "1"})
    response = api.call("Contacts")
    assert (response.status_code, response.text, response.headers["X-Odd"]) == (418, "teapot", "1")


def test_a_call_gets_an_html_page_with_200(xero, api):
    xero.admin.fault("html")
    response = api.call("Contacts")
    assert (response.status_code, response.text[:15]) == (200, "<!DOCTYPE html>")


def test_a_call_gets_a_body_that_ends_early(xero, api):
    xero.admin.fault("cut_off", path="Accounts")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        api.call("Accounts")
    assert len(api.get("Accounts")["Accounts"]) > 50


@pytest.mark.parametrize("kind", ["reset_before", "reset_after"])
def test_a_connection_that_drops_is_in_the_list_of_calls_without_a_status(xero, api, kind):
    xero.admin.fault(kind, path="connect/token")
    before = len(xero.admin.calls("/connect/token"))
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.post(f"{xero.url}/connect/token", data={"client_id": "x"}, timeout=30)
    assert len(xero.admin.calls("/connect/token")) == before + 1
    assert xero.admin.calls("/connect/token")[-1]["status"] == 0
    assert api.call("Contacts").status_code == 200


@pytest.mark.parametrize(("kind", "status"), [("reset_after", 400), ("reset_before", 200)])
def test_a_token_is_used_only_if_the_connection_drops_after_the_refresh(xero, ask_token, kind, status):
    token = xero.admin.consent()["refresh_token"]
    xero.admin.fault(kind, path="connect/token")
    with pytest.raises(requests.exceptions.ConnectionError):
        ask_token(xero.url, grant_type="refresh_token", refresh_token=token)
    xero.admin.advance(31 * 60)
    late = ask_token(xero.url, grant_type="refresh_token", refresh_token=token)
    assert late.status_code == status
    assert late.json().get("error") == (None if status == 200 else "invalid_grant")


def test_a_valid_token_is_refused_once_as_expired(xero, api):
    xero.admin.fault("token_expired")
    assert api.call("Contacts").json()["Detail"].startswith("TokenExpired")
    assert api.call("Contacts").status_code == 200


def test_a_slow_answer_is_complete(xero, api):
    xero.admin.fault("slow", seconds=0.01)
    assert api.call("Contacts").status_code == 200


def test_a_held_call_waits_until_it_is_released(xero, api):
    hold = xero.admin.fault("hold", path="Contacts")
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(api.call, "Contacts")
        xero.admin.wait(hold)
        assert not held.done()
        xero.admin.release(hold)
        assert held.result().status_code == 200
    assert xero.admin.faults() == []


def test_a_record_edited_between_two_pages_shifts_the_rest_by_one(xero, books, invoices):
    caller = books(Invoices=invoices(6))
    xero.admin.fault("edit", path="Invoices", resource="Invoices", position=0, patch={"Reference": "edited"})
    first = caller.ids("Invoices", "InvoiceNumber", page=1, pageSize=3)
    second = caller.ids("Invoices", "InvoiceNumber", page=2, pageSize=3)
    assert first == ["INV-1", "INV-2", "INV-3"]
    assert second == ["INV-5", "INV-6", "INV-1"]
    assert xero.admin.record("Invoices", "INV-1", tenant="Books Ltd")["Reference"] == "edited"


def test_a_record_is_edited_by_its_id_after_the_second_answer(xero, books, invoices):
    made = invoices(4)
    caller = books(Invoices=made)
    xero.admin.fault("edit", path="Invoices", resource="Invoices", id=made[3]["InvoiceID"], after=1)
    for expected in (["INV-1", "INV-2"], ["INV-3", "INV-4"]):
        page = 1 if "INV-1" in expected else 2
        assert caller.ids("Invoices", "InvoiceNumber", page=page, pageSize=2) == expected
    stamp = xero.admin.record("Invoices", "INV-4", tenant="Books Ltd")["UpdatedDateUTC"]
    assert stamp == "/Date(1795165200000+0000)/"


def test_a_fault_hits_the_given_number_of_matching_calls(xero, api):
    xero.admin.fault("unavailable", method="GET", path="Contacts", query={"page": "2"}, after=1, count=2)
    pages = [api.call(f"Contacts?page={page}").status_code for page in (1, 2, 2, 1, 2, 2)]
    assert pages == [200, 200, 503, 200, 503, 200]
    assert api.call("Users").status_code == 200


def test_a_fault_without_a_count_stays_until_it_is_removed(xero, api):
    xero.admin.fault("unavailable", path="*", count=0)
    assert {api.call(path).status_code for path in ("Contacts", "Users", "Users")} == {503}
    xero.admin.clear_faults()
    assert api.call("Users").status_code == 200


def test_a_fault_for_one_organisation_leaves_the_others_alone(xero, books, api):
    caller = books()
    tenant = caller.session.headers["xero-tenant-id"]
    xero.admin.fault("unavailable", tenant=tenant)
    assert (api.call("Contacts").status_code, caller.call("Contacts").status_code) == (200, 503)


@pytest.mark.parametrize("wrong", [{"kind": "earthquake"}, {"kind": "html", "sometimes": True}])
def test_a_fault_that_does_not_exist_is_refused(xero, wrong):
    with pytest.raises(AdminError, match="fault"):
        xero.admin.fault(**wrong)
