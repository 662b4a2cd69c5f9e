"""The Assets API: another base path, bare answers, and a list that Xero gives by status only."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from singer_xero.objects import ASSETS
from xero_sandbox import AdminClient

from .runs import read

BASE = "/assets.xro/1.0/"


def test_assets_of_every_status_are_read_once(config: dict[str, Any], admin: AdminClient) -> None:
    run = read(config, "assets")
    assert run.failed == {}
    found = {record["assetNumber"]: record["assetStatus"] for record in run.records["assets"]}
    assert found == {
        "FA-0001": "Registered", "FA-0002": "Registered", "FA-0003": "Disposed", "FA-0004": "Draft",
    }  # fmt: skip
    assert len(run.records["assets"]) == len(found)
    asked = Counter(call["query"]["status"] for call in admin.calls() if call["path"] == f"{BASE}Assets")
    assert asked == {"DRAFT": 2, "REGISTERED": 2, "DISPOSED": 2}, "a second walk proves that nothing moved"


def test_assets_have_exact_amounts_and_days(config: dict[str, Any]) -> None:
    record = next(one for one in read(config, "assets").records["assets"] if one["assetNumber"] == "FA-0004")
    assert record["purchasePrice"] == Decimal("640.5")
    assert date.fromisoformat(record["purchaseDate"][:10]) == date(2024, 1, 15)
    assert record["bookDepreciationDetail"]["currentAccumDepreciationAmount"] == Decimal("80.0625")


def test_pages_are_no_larger_than_the_api_allows(config: dict[str, Any], admin: AdminClient) -> None:
    read({**config, "page_size": 1000}, "assets")
    assert {call["query"]["pageSize"] for call in admin.calls() if call["path"] == f"{BASE}Assets"} == {"200"}


def test_a_small_page_size_reads_the_same_assets(config: dict[str, Any]) -> None:
    assert read({**config, "page_size": 1}, "assets").records == read(config, "assets").records


def test_a_bare_list_and_a_bare_record_are_read(config: dict[str, Any]) -> None:
    run = read(config, "asset_types", "asset_settings")
    assert [one["assetTypeName"] for one in run.records["asset_types"]] == ["Computer Equipment", "Vehicles"]
    (settings,) = run.records["asset_settings"]
    assert settings["assetNumberPrefix"] == "FA-"
    assert run.of("SCHEMA", "asset_settings")[0]["key_properties"] == ["tenant_id"]


@pytest.mark.parametrize("stream", ["asset_types", "assets"])
def test_an_answer_without_its_list_is_an_error_not_an_empty_list(
    config: dict[str, Any], admin: AdminClient, stream: str
) -> None:
    admin.fault("status", path=f"*{ASSETS[stream].path}", status=200, body='"nothing"', count=0)
    assert list(read(config, stream).failed) == [(stream, "Harbour Limited")]


def test_the_error_message_of_the_assets_api_is_reported(config: dict[str, Any], admin: AdminClient) -> None:
    body = '{"title": "Validation Error", "fieldValidationErrors": [{"localisedMessage": "No such status"}]}'
    admin.fault("status", path="*Assets", status=400, body=body, count=0)
    (reason,) = read(config, "assets").failed.values()
    assert "GET /assets.xro/1.0/Assets page 1: 400 Validation Error / No such status" in reason


def test_assets_are_not_read_by_default() -> None:
    assert {row.selected for row in ASSETS.values()} == {False}


def test_without_its_scope_the_stream_is_skipped_and_the_scope_named(
    config: dict[str, Any], admin: AdminClient
) -> None:
    run = read({**config, "scopes": ["accounting.settings.read"]}, "assets")
    assert run.records == {}
    assert not [call for call in admin.calls() if call["path"].startswith(BASE)]
    assert any("assets.read" in line for line in run.warnings)
