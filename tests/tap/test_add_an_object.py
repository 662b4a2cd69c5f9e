"""The guide "Add an object" of docs/architecture.md: one row of the registry makes a stream."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from singer_xero.objects import STREAMS, Paging, XeroObject
from singer_xero.objects.accounting import SETTINGS
from singer_xero.objects.fields import at_most, guid, instant, many, money, text
from tap_xero import run as tap_run
from tap_xero.streams import discovery
from xero_sandbox import AdminClient

from .company import guid as an_id
from .runs import Run, read

VOUCHERS = XeroObject(
    name="vouchers",
    path="Vouchers",
    envelope="Vouchers",
    key=("VoucherID",),
    scopes=SETTINGS,
    paging=Paging.PAGES,
    cursor="UpdatedDateUTC",
    modified_since=True,
    incremental=True,
    fields={
        "VoucherID": guid,
        "Code": at_most(50, text),
        "Amount": money,
        "Terms": many({"Text": text}),
        "UpdatedDateUTC": instant,
    },
)


@pytest.fixture
def vouchers(monkeypatch: pytest.MonkeyPatch, admin: AdminClient) -> Mapping[str, XeroObject]:
    """The registry with one more row, and a Xero that answers for it."""
    rows = {**STREAMS, VOUCHERS.name: VOUCHERS}
    monkeypatch.setattr(discovery, "STREAMS", rows)
    monkeypatch.setattr(tap_run, "STREAMS", rows)
    answer(admin, voucher(1, "12.3456"), voucher(2, "0.1"))
    return rows


def voucher(number: int, amount: str) -> str:
    changed = f"/Date({1_767_225_600_000 + number * 1000}+0000)/"
    record = {"VoucherID": an_id("b", number), "Code": f"V{number}", "UpdatedDateUTC": changed, "Terms": []}
    return json.dumps(record)[:-1] + f', "Amount": {amount}}}'


def answer(admin: AdminClient, *records: str) -> None:
    admin.clear_faults()
    admin.fault(
        "status", path="Vouchers", status=200, body=f'{{"Vouchers": [{", ".join(records)}]}}', count=0
    )


def vouchers_of(run: Run) -> list[dict[str, Any]]:
    assert run.failed == {}
    return run.records["vouchers"]


def test_a_row_of_the_registry_makes_a_stream(
    config: dict[str, Any], vouchers: Mapping[str, XeroObject]
) -> None:
    run = read(config, "vouchers")
    (schema,) = run.of("SCHEMA", "vouchers")
    assert schema["key_properties"] == ["tenant_id", "VoucherID"]
    assert schema["schema"]["properties"].keys() == {"tenant_id", *VOUCHERS.fields}
    assert [(one["Code"], one["Amount"]) for one in vouchers_of(run)] == [
        ("V1", Decimal("12.3456")),
        ("V2", Decimal("0.1")),
    ]


def test_its_bookmark_requests_changes_only(
    config: dict[str, Any], vouchers: Mapping[str, XeroObject], admin: AdminClient
) -> None:
    first = read(config, "vouchers")
    assert first.bookmark("vouchers") == "2026-01-01T00:00:02.000000Z"
    admin.forget_calls()
    assert vouchers_of(read(config, "vouchers", state=first.state)) == []
    (call, *_) = admin.calls("Vouchers")
    assert call["headers"]["If-Modified-Since"] == "2026-01-01T00:00:01"


def test_settings_for_the_form_of_records_apply_to_it(
    config: dict[str, Any], vouchers: Mapping[str, XeroObject]
) -> None:
    run = read({**config, "field_names": "snake_case", "decimals": "string"}, "vouchers")
    assert [(one["voucher_id"], one["amount"]) for one in vouchers_of(run)] == [
        (an_id("b", 1), "12.3456"),
        (an_id("b", 2), "0.1"),
    ]
