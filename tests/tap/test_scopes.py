"""Streams without a scope are skipped with a log line, or refused before the first call; never reported as
empty.
"""

from __future__ import annotations

from typing import Any

import pytest

from singer_xero.errors import ConfigurationProblem
from singer_xero.objects import OBJECTS
from xero_sandbox import AdminClient, apps

from .company import HARBOUR_NAME
from .runs import read

GRANULAR = [
    "accounting.settings.read",
    "accounting.contacts.read",
    "accounting.invoices.read",
    "accounting.payments.read",
    "accounting.banktransactions.read",
    "accounting.manualjournals.read",
    "accounting.budgets.read",
    "accounting.journals.read",
    "accounting.reports.taxreports.read",
    "paymentservices",
]
BROAD = [
    "accounting.settings",
    "accounting.contacts",
    "accounting.transactions.read",
    "accounting.budgets.read",
    "accounting.journals.read",
    "accounting.reports.read",
    "paymentservices",
]
FORBIDDEN = '{"Title": "Unauthorized", "Status": 401, "Detail": "AuthorizationUnsuccessful"}'


def asked(admin: AdminClient) -> set[str]:
    return {call["path"].split("/")[3] for call in admin.calls() if "/api.xro/" in call["path"]}


@pytest.mark.parametrize("scopes", [GRANULAR, BROAD], ids=["granular", "broad"])
def test_either_set_of_scopes_gives_access_to_every_stream(config: dict[str, Any], scopes: list[str]) -> None:
    run = read({**config, "scopes": scopes})
    assert run.warnings == []
    assert run.failed == {}
    assert len(run.records) == 18


def test_every_broad_scope_but_one_is_enough_for_a_write_s_stream(config: dict[str, Any]) -> None:
    run = read({**config, "scopes": ["accounting.transactions"]}, "invoices", "payments", "manual_journals")
    assert run.warnings == []
    assert len(run.records) == 3


def test_a_stream_without_its_scope_is_skipped_with_one_warning_and_no_call(
    config: dict[str, Any], admin: AdminClient
) -> None:
    run = read({**config, "scopes": ["accounting.contacts.read"]}, "contacts", "invoices", "items")
    assert len(run.ids("contacts")) == 7
    assert asked(admin) == {"Contacts"}
    assert len(run.warnings) == 2
    assert (
        "Stream invoices is skipped: the token lacks the scope accounting.invoices.read." in run.warnings[0]
    )
    assert "developer.xero.com" in run.warnings[0]
    assert run.failed == {}


def test_with_several_organisations_it_is_still_one_warning(web: dict[str, Any], admin: AdminClient) -> None:
    admin.take_scopes("accounting.contacts", "accounting.contacts.read")
    tenants = [one["tenant_id"] for one in admin.organisations()]
    run = read({**web, "tenant_ids": tenants}, "contacts", "items")
    assert len(run.warnings) == 1
    assert "Contacts" not in asked(admin)


def test_a_skipped_stream_keeps_the_bookmark_that_it_had(config: dict[str, Any]) -> None:
    first = read(config, "contacts")
    second = read({**config, "scopes": ["accounting.settings.read"]}, "contacts", state=first.state)
    assert second.bookmark("contacts") == first.bookmark("contacts")


def test_a_missing_scope_can_be_an_error_before_the_first_call(
    config: dict[str, Any], admin: AdminClient
) -> None:
    strict = {**config, "scopes": ["accounting.contacts.read"], "on_missing_scope": "fail"}
    with pytest.raises(ConfigurationProblem) as problem:
        read(strict, "contacts", "invoices", "items")
    assert "accounting.invoices.read (for invoices)" in str(problem.value)
    assert "accounting.settings.read (for items)" in str(problem.value)
    assert "on_missing_scope" in str(problem.value)
    assert asked(admin) - {"Contacts"} == set()


def test_streams_that_are_not_selected_need_no_scope(config: dict[str, Any]) -> None:
    run = read({**config, "scopes": ["accounting.contacts.read"], "on_missing_scope": "fail"}, "contacts")
    assert len(run.ids("contacts")) == 7


def test_a_stream_that_xero_refuses_despite_its_scope_fails_alone(
    config: dict[str, Any], admin: AdminClient
) -> None:
    """The user who gave consent may have lost the permission."""
    admin.fault("status", path="Contacts", status=401, body=FORBIDDEN, count=0)
    run = read(config, "accounts", "contacts", "items")
    assert set(run.failed) == {("contacts", HARBOUR_NAME)}
    assert "AuthorizationUnsuccessful" in run.failed["contacts", HARBOUR_NAME]
    assert len(run.ids("items")) == 3
    # A stale token was enough to know it: no new one was requested.
    assert len(admin.calls("/connect/token")) == 1


def test_a_token_that_does_not_list_its_scopes_is_tried(
    config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from singer_xero.api.errors import XeroError

    def silent(*_: Any) -> Any:
        raise XeroError("the access token lists no scopes")

    monkeypatch.setattr("singer_xero.api.client.scopes_of", silent)
    run = read(config, "contacts")
    assert len(run.ids("contacts")) == 7
    assert run.warnings == []


def test_the_journals_of_an_app_below_the_advanced_tier_are_skipped_with_the_reason(
    config: dict[str, Any], admin: AdminClient
) -> None:
    app = admin.add_app(kind="custom_connection", tier="core", client_secret="x" * 40)
    run = read(
        {**config, "client_id": app["client_id"], "client_secret": app["client_secret"]}, "journals", "items"
    )
    assert asked(admin) == {"Items"}
    (warning,) = run.warnings
    assert "accounting.journals.read" in warning
    assert "Advanced" in warning


def test_journals_that_are_refused_despite_their_scope_name_the_tier(
    config: dict[str, Any], admin: AdminClient
) -> None:
    """The token was issued before the app's tier changed."""
    admin.fault("status", path="Journals", status=401, body=FORBIDDEN, count=0)
    run = read(config, "journals", "items")
    (failure,) = run.failed.values()
    assert "apps of its Advanced tier (scope accounting.journals.read)" in failure
    assert "Logging in again does not help" in failure
    assert len(run.ids("items")) == 3


def test_a_new_app_gets_only_granular_scopes_and_reads_everything(
    config: dict[str, Any], admin: AdminClient
) -> None:
    app = admin.add_app(kind="custom_connection", granular_only=True, client_secret="x" * 40)
    run = read({**config, "client_id": app["client_id"], "client_secret": app["client_secret"]})
    assert run.warnings == []
    assert len(run.records) == 18


def test_a_scope_that_is_not_ticked_for_the_app_is_named(config: dict[str, Any], admin: AdminClient) -> None:
    from singer_xero.api.errors import InvalidScope

    admin.add_app(client_id=apps.CUSTOM_CONNECTION.client_id, client_secret=apps.CUSTOM_CONNECTION.client_secret,
                 kind="custom_connection", scopes=["accounting.contacts.read"])  # fmt: skip
    with pytest.raises(InvalidScope, match=r"asked for: accounting\.invoices\.read"):
        read({**config, "scopes": ["accounting.invoices.read"]}, "invoices")


def test_every_object_names_a_scope_that_xero_grants() -> None:
    for xero in OBJECTS.values():
        assert xero.scopes.read in apps.EVERY, xero.name
