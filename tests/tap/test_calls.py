"""The number of calls of a run, which Xero limits."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from urllib3.connection import HTTPConnection

from tap_xero.reads.prefetch import WINDOW
from xero_sandbox import AdminClient, Sandbox, apps

from .runs import read

API = "/api.xro/2.0/"


def asked(admin: AdminClient) -> Counter[str]:
    """The number of calls by path."""
    paths = (call["path"] for call in admin.calls())
    return Counter(path.removeprefix(API) for path in paths if path.startswith(API))


PARTS = {
    "Budgets": "budgets",
    "ContactGroups": "contact_groups",
    "BrandingThemes": "branding_themes",
}
"""Lists whose records need a further call each, and the streams of these calls."""


def test_a_night_without_changes_takes_one_call_for_each_stream(
    demo: dict[str, Any], running_sandbox: Sandbox
) -> None:
    """Further calls: one for each budget, contact group and branding theme.

    Invoices are read completely: a second page, and the call that proves that no row moved between the two.
    """
    first = read(demo)
    admin = running_sandbox.admin
    admin.forget_calls()
    second = read(demo, state=first.state)
    calls = asked(admin)
    parts = Counter(
        name for name, _, part in (path.partition("/") for path in calls) if part and name in PARTS
    )
    assert parts == {path: len(second.records[stream]) for path, stream in PARTS.items()}
    assert len(admin.records("Invoices")) > 1000
    assert {path: number for path, number in calls.items() if number > 1} == {"Invoices": 3}
    streams = {message["stream"] for message in second.messages if message["type"] == "SCHEMA"}
    assert len(calls) - parts.total() <= len(streams)


def test_a_list_that_two_streams_need_is_read_once(demo: dict[str, Any], running_sandbox: Sandbox) -> None:
    admin = running_sandbox.admin
    admin.forget_calls()
    run = read(demo, "branding_themes", "branding_theme_payment_services")
    assert len(run.records["branding_themes"]) == len(admin.records("BrandingThemes")) > 1
    assert asked(admin)["BrandingThemes"] == 1


def test_both_streams_fail_if_the_list_that_they_need_cannot_be_read(
    demo: dict[str, Any], running_sandbox: Sandbox
) -> None:
    running_sandbox.admin.fault("status", path="BrandingThemes", status=404, count=1)
    run = read(demo, "branding_themes", "branding_theme_payment_services")
    assert {stream for stream, _ in run.failed} == {"branding_themes", "branding_theme_payment_services"}


def test_a_list_of_many_pages_takes_one_call_for_each_page_and_one_that_proves_it_complete(
    tmp_path: Any,
) -> None:
    with Sandbox(invoices=12_500) as xero:
        xero.admin.limits(enabled=False)
        config = {
            **apps.CUSTOM_CONNECTION.settings(xero.url),
            "token_path": str(tmp_path / "tokens.json"),
        }
        assert len(read(config, "invoices").records["invoices"]) == 12_500
        assert asked(xero.admin) == {"Invoices": 13 + 1}


def test_calls_share_connections(
    config: dict[str, Any], admin: AdminClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of connections is that of concurrent calls, whatever the number of calls."""
    made: list[HTTPConnection] = []
    connect = HTTPConnection.connect

    def counted(connection: HTTPConnection) -> None:
        made.append(connection)
        connect(connection)

    monkeypatch.setattr(HTTPConnection, "connect", counted)
    read(config)
    assert len(admin.calls()) > 3 * WINDOW
    assert 0 < len(made) <= WINDOW
