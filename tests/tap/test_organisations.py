"""Several organisations: each has its own bookmark, none is chosen silently, and none delays another."""

from __future__ import annotations

from typing import Any

import pytest

from singer_xero.errors import ConfigurationProblem
from tap_xero.tap import TapXero
from xero_sandbox import AdminClient, apps

from .company import HARBOUR, HARBOUR_NAME, TIDE, TIDE_NAME, guid
from .runs import read

BOTH = {"tenant_ids": [HARBOUR, TIDE]}


def tenants(admin: AdminClient) -> set[str]:
    """The organisations that were called."""
    return {
        call["headers"].get("Xero-Tenant-Id", "") for call in admin.calls() if "/api.xro/" in call["path"]
    }


def test_each_organisation_has_its_records_and_its_bookmark(web: dict[str, Any], admin: AdminClient) -> None:
    run = read({**web, **BOTH}, "contacts", "journals")
    assert [r["tenant_id"] for r in run.records["contacts"]] == [HARBOUR] * 7 + [TIDE] * 3
    assert run.bookmark("contacts", HARBOUR) == "2026-11-01T00:01:10.000000Z"
    assert run.bookmark("contacts", TIDE) == "2026-11-01T00:18:23.000000Z"
    assert run.bookmark("journals", TIDE) == 3
    admin.edit("Contacts", guid("c", 1), tenant=HARBOUR)
    second = read({**web, **BOTH}, "contacts", "journals", state=run.state)
    assert second.ids("contacts") == [guid("c", 1)]


def test_two_organisations_can_have_rows_with_the_same_key(web: dict[str, Any]) -> None:
    run = read({**web, **BOTH}, "tax_rates")
    keys = [(r["tenant_id"], r["TaxType"]) for r in run.records["tax_rates"]]
    assert keys == [(HARBOUR, "OUTPUT2"), (TIDE, "OUTPUT2")]
    assert run.of("SCHEMA")[0]["key_properties"] == ["tenant_id", "TaxType"]


def test_an_organisation_that_is_added_later_is_read_from_the_start(web: dict[str, Any]) -> None:
    first = read({**web, "tenant_ids": [HARBOUR]}, "contacts")
    second = read({**web, **BOTH}, "contacts", state=first.state)
    assert [r["tenant_id"] for r in second.records["contacts"]] == [TIDE] * 3


def test_a_state_of_other_organisations_only_is_a_warning(
    web: dict[str, Any], admin: AdminClient, caplog: pytest.LogCaptureFixture
) -> None:
    first = read({**web, "tenant_ids": [HARBOUR]}, "contacts")
    assert "other organisations only" not in caplog.text
    admin.disconnect(HARBOUR)
    second = read(web, "contacts", state=first.state)
    assert {r["tenant_id"] for r in second.records["contacts"]} == {TIDE}
    told = [one.getMessage() for one in caplog.records if "other organisations only" in one.getMessage()]
    assert len(told) == 1
    assert HARBOUR in told[0]
    assert f"{TIDE_NAME} = {TIDE}" in told[0]


# The choice of organisations


def test_the_only_connected_organisation_needs_no_name(web: dict[str, Any], admin: AdminClient) -> None:
    admin.disconnect(TIDE)
    run = read(web, "contacts")
    assert {r["tenant_id"] for r in run.records["contacts"]} == {HARBOUR}


def test_with_several_connected_and_none_named_nothing_is_read(
    web: dict[str, Any], admin: AdminClient
) -> None:
    with pytest.raises(ConfigurationProblem) as problem:
        read(web, "contacts")
    said = str(problem.value)
    assert "2 organisations are connected; name the ones to use in tenant_ids" in said
    assert f"{HARBOUR_NAME} = {HARBOUR}" in said
    assert f"{TIDE_NAME} = {TIDE}" in said
    assert tenants(admin) == set()


@pytest.mark.parametrize("name", [TIDE, TIDE.upper(), TIDE_NAME, TIDE_NAME.upper(), f"  {TIDE_NAME} "])
def test_an_organisation_is_named_by_id_or_by_name_in_any_case(
    web: dict[str, Any], admin: AdminClient, name: str
) -> None:
    run = read({**web, "tenant_ids": [name]}, "contacts")
    assert {r["tenant_id"] for r in run.records["contacts"]} == {TIDE}
    assert tenants(admin) == {TIDE}


@pytest.mark.parametrize("name", ["Acme  Ltd ", "Acme Ltd", " acme ltd", "Acme Ltd  "])
def test_blanks_in_a_name_make_no_difference(web: dict[str, Any], admin: AdminClient, name: str) -> None:
    other = admin.add_organisation("Acme Ltd ")
    admin.consent(tenants=[other])
    assert read({**web, "tenant_ids": [name]}, "contacts").failed == {}
    assert tenants(admin) == {other}


COMMAS = "Smith, Jones & Co"


@pytest.mark.parametrize(
    "named",
    [
        COMMAS,
        f"{TIDE_NAME}, {COMMAS}",
        f"{COMMAS},{TIDE_NAME}",
        f"{TIDE_NAME}\n{COMMAS}",
        f'["{COMMAS}"]',
        f'["{COMMAS}", "{TIDE_NAME}"]',
        [COMMAS, TIDE_NAME],
    ],
)
@pytest.mark.parametrize("way", ["file", "environment"])
def test_names_with_commas_and_several_names_in_one_text_are_understood(
    web: dict[str, Any], admin: AdminClient, monkeypatch: pytest.MonkeyPatch, named: Any, way: str
) -> None:
    other = admin.add_organisation(COMMAS)
    admin.consent(tenants=[other])
    if way == "file":
        tap = TapXero(config={**web, "tenant_ids": named})
    else:
        monkeypatch.setenv("TAP_XERO_TENANT_IDS", named if isinstance(named, str) else ",".join(named))
        tap = TapXero(config=web, parse_env_config=True)
    try:
        assert {one.tenant_id for one in tap.run.organisations} == {other} | (
            {TIDE} if TIDE_NAME in named else set()
        )
    finally:
        tap.close()


def test_the_message_says_how_to_write_names_with_commas(web: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationProblem) as problem:
        read({**web, "tenant_ids": "Smith, Jones & Co"}, "contacts")
    assert 'as a JSON list: ["Smith, Jones & Co"]' in str(problem.value)


def test_an_organisation_named_twice_is_read_once(web: dict[str, Any]) -> None:
    run = read({**web, "tenant_ids": [TIDE, TIDE_NAME]}, "contacts")
    assert len(run.records["contacts"]) == 3


def test_an_unknown_organisation_is_refused_and_the_connected_ones_are_listed(
    web: dict[str, Any], admin: AdminClient
) -> None:
    with pytest.raises(ConfigurationProblem) as problem:
        read({**web, "tenant_ids": [HARBOUR, "Harbor Ltd"]}, "contacts")
    said = str(problem.value)
    assert "no connected organisation is 'Harbor Ltd'" in said
    assert f"{HARBOUR_NAME} = {HARBOUR}" in said
    assert tenants(admin) == set()


def test_a_name_that_two_organisations_share_is_refused(web: dict[str, Any], admin: AdminClient) -> None:
    other = admin.add_organisation(TIDE_NAME)
    admin.consent(tenants=[other])
    with pytest.raises(ConfigurationProblem) as problem:
        read({**web, "tenant_ids": [TIDE_NAME]}, "contacts")
    assert f"several connected organisations are called '{TIDE_NAME}'" in str(problem.value)
    assert f"{TIDE_NAME} = {other}" in str(problem.value)


def test_without_a_connected_organisation_the_error_names_the_fix(
    web: dict[str, Any], admin: AdminClient
) -> None:
    admin.disconnect(HARBOUR)
    admin.disconnect(TIDE)
    with pytest.raises(ConfigurationProblem, match="xero-login"):
        read(web, "contacts")


# Custom connections


def test_a_custom_connection_sends_its_organisation_if_connections_lists_it(
    config: dict[str, Any], admin: AdminClient
) -> None:
    admin.switch(custom_connections=True, custom_needs_tenant=True)
    run = read(config, "contacts")
    assert {r["tenant_id"] for r in run.records["contacts"]} == {HARBOUR}
    assert tenants(admin) == {HARBOUR}


def test_a_custom_connection_reads_without_a_header_if_connections_does_not_answer(
    config: dict[str, Any], admin: AdminClient
) -> None:
    admin.switch(custom_connections=False)
    first = read(config, "contacts")
    assert {r["tenant_id"] for r in first.records["contacts"]} == {HARBOUR}
    assert tenants(admin) == {""}
    second = read({**config, "tenant_ids": [HARBOUR_NAME.lower()]}, "contacts", state=first.state)
    assert second.records == {}


def test_a_custom_connection_is_not_used_for_another_organisation(
    config: dict[str, Any], admin: AdminClient
) -> None:
    admin.switch(custom_connections=False)
    with pytest.raises(ConfigurationProblem) as problem:
        read({**config, "tenant_ids": [TIDE]}, "contacts")
    assert f"belongs to {HARBOUR_NAME} = {HARBOUR}" in str(problem.value)


def test_a_custom_connection_that_must_send_its_organisation_takes_it_from_the_settings(
    config: dict[str, Any], admin: AdminClient
) -> None:
    """/connections does not answer and Xero requires the header, so the id must come from tenant_ids."""
    admin.switch(custom_connections=False, custom_needs_tenant=True)
    run = read({**config, "tenant_ids": [HARBOUR]}, "contacts")
    assert len(run.ids("contacts")) == 7
    assert tenants(admin) - {""} == {HARBOUR}


def test_a_pkce_app_can_read(web: dict[str, Any], admin: AdminClient) -> None:
    tokens = admin.consent(client_id=apps.PKCE_APP.client_id, tenants=[TIDE])
    settings = {**web, "client_id": apps.PKCE_APP.client_id, "refresh_token": tokens["refresh_token"]}
    del settings["client_secret"]
    assert len(read(settings, "contacts").ids("contacts")) == 3


# One of several organisations


def test_a_stream_that_fails_in_one_organisation_does_not_affect_the_other(
    web: dict[str, Any], admin: AdminClient
) -> None:
    admin.fault("server_error", path="Contacts", tenant=HARBOUR, count=0)
    run = read({**web, **BOTH}, "contacts", "invoices")
    assert {r["tenant_id"] for r in run.records["contacts"]} == {TIDE}
    assert {r["tenant_id"] for r in run.records["invoices"]} == {HARBOUR, TIDE}
    assert set(run.failed) == {("contacts", HARBOUR_NAME)}


def test_a_disconnected_organisation_does_not_affect_the_other(
    web: dict[str, Any], admin: AdminClient
) -> None:
    forbidden = '{"Title": "Forbidden", "Status": 403, "Detail": "AuthenticationUnsuccessful"}'
    admin.fault("status", status=403, body=forbidden, tenant=HARBOUR, count=0)
    run = read({**web, **BOTH}, "accounts", "contacts", "invoices")
    assert {r["tenant_id"] for r in run.records["contacts"]} == {TIDE}
    assert set(run.failed) == {(stream, HARBOUR_NAME) for stream in ("accounts", "contacts", "invoices")}
    assert "xero-login" in run.failed["contacts", HARBOUR_NAME]


def test_a_failing_organisation_keeps_the_bookmark_that_it_had(
    web: dict[str, Any], admin: AdminClient
) -> None:
    first = read({**web, **BOTH}, "contacts")
    admin.edit("Contacts", guid("c", 2), tenant=HARBOUR)
    admin.edit("Contacts", guid("c", 102), tenant=TIDE)
    admin.fault("server_error", path="Contacts", tenant=HARBOUR, count=0)
    second = read({**web, **BOTH}, "contacts", state=first.state)
    assert second.bookmark("contacts", HARBOUR) == first.bookmark("contacts", HARBOUR)
    assert second.ids("contacts") == [guid("c", 102)]
    admin.clear_faults()
    third = read({**web, **BOTH}, "contacts", state=second.state)
    assert third.ids("contacts") == [guid("c", 2)]
