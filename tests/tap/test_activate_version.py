"""ACTIVATE_VERSION follows the last row of a full table, and only if the table was read completely."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from xero_sandbox import AdminClient

from .company import HARBOUR, TIDE, guid
from .runs import read


def test_a_table_is_activated_after_its_last_row(config: dict[str, Any]) -> None:
    run = read(config, "invoices", "tax_rates")
    for stream in ("invoices", "tax_rates"):
        kinds = [m["type"] for m in run.messages if m.get("stream") == stream]
        assert kinds == ["SCHEMA", *["RECORD"] * len(run.records[stream]), "ACTIVATE_VERSION"]
        (activated,) = run.of("ACTIVATE_VERSION", stream)
        assert {m["version"] for m in run.of("RECORD", stream)} == {activated["version"]}


def test_an_empty_table_is_activated_as_well(config: dict[str, Any]) -> None:
    """The earlier rows are deleted."""
    run = read(config, "repeating_invoices")
    assert run.records == {}
    assert len(run.of("ACTIVATE_VERSION", "repeating_invoices")) == 1


def test_versions_rise_from_run_to_run(config: dict[str, Any]) -> None:
    first = read(config, "tax_rates")
    with mock.patch("singer_sdk.plugin_base.time.time", lambda: 4_000_000_000.0):
        second = read(config, "tax_rates")
    versions = [run.of("ACTIVATE_VERSION")[0]["version"] for run in (first, second)]
    assert versions == sorted(set(versions))


def test_incremental_streams_have_no_version(config: dict[str, Any]) -> None:
    run = read(config, "contacts")
    assert run.of("ACTIVATE_VERSION") == []
    assert all("version" not in message for message in run.of("RECORD"))


def test_no_version_is_written_if_the_setting_forbids_it(config: dict[str, Any]) -> None:
    run = read({**config, "emit_activate_version_messages": False}, "tax_rates")
    assert run.of("ACTIVATE_VERSION") == []
    assert all("version" not in message for message in run.of("RECORD"))


def test_a_table_that_was_not_read_completely_is_not_activated(
    config: dict[str, Any], admin: AdminClient
) -> None:
    admin.fault("server_error", path="Invoices", after=1, count=0)
    run = read({**config, "page_size": 2}, "invoices", "tax_rates")
    assert ("invoices", "Harbour Limited") in run.failed
    assert [m["stream"] for m in run.of("ACTIVATE_VERSION")] == ["tax_rates"]


@pytest.mark.parametrize("failing", [HARBOUR, TIDE])
def test_a_table_is_activated_only_if_every_organisation_was_read(
    web: dict[str, Any], admin: AdminClient, failing: str
) -> None:
    admin.fault("server_error", path="TaxRates", tenant=failing, count=0)
    run = read({**web, "tenant_ids": [HARBOUR, TIDE]}, "currencies", "tax_rates")
    assert [m["stream"] for m in run.of("ACTIVATE_VERSION")] == ["currencies"]
    assert {r["tenant_id"] for r in run.records["tax_rates"]} == {HARBOUR, TIDE} - {failing}


def test_a_table_of_several_organisations_is_activated_once_after_the_last(web: dict[str, Any]) -> None:
    run = read({**web, "tenant_ids": [HARBOUR, TIDE]}, "currencies")
    kinds = [m["type"] for m in run.messages if m.get("stream") == "currencies"]
    assert kinds == ["SCHEMA", "RECORD", "RECORD", "ACTIVATE_VERSION"]


def test_a_stream_skipped_for_its_scope_is_not_activated(config: dict[str, Any], admin: AdminClient) -> None:
    """A target would empty its table if ACTIVATE_VERSION came."""
    run = read({**config, "scopes": ["accounting.settings.read"]}, "tax_rates", "invoices")
    assert [m["stream"] for m in run.of("ACTIVATE_VERSION")] == ["tax_rates"]


def test_a_renamed_stream_is_activated_by_its_new_name(config: dict[str, Any]) -> None:
    run = read({**config, "stream_maps": {"tax_rates": {"__alias__": "taxes"}}}, "tax_rates")
    assert [m["stream"] for m in run.of("ACTIVATE_VERSION")] == ["taxes"]


def test_a_second_run_activates_the_table_again(config: dict[str, Any], admin: AdminClient) -> None:
    read(config, "contact_groups")
    admin.edit("ContactGroups", guid("G", 1), Status="DELETED")
    run = read(config, "contact_groups")
    assert run.ids("contact_groups") == [guid("G", 2), guid("G", 3)]
    assert len(run.of("ACTIVATE_VERSION")) == 1
