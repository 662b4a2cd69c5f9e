"""Another API of Xero's is a row of `singer_xero.objects.apis`; no other code knows it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

from singer_xero.objects import ANSWER_ONLY, STREAMS, Api, DateForm, Paging, XeroObject, left_out
from singer_xero.objects.accounting import SETTINGS
from singer_xero.objects.apis import ErrorShape
from singer_xero.objects.fields import Component, day, guid, instant, money, one, text
from tap_xero import run as tap_run
from tap_xero.streams import discovery
from xero_sandbox import AdminClient

from .company import HARBOUR, TIDE, TIDE_NAME
from .company import guid as an_id
from .runs import Run, read

FLEET = Api(
    name="Fleet",
    base="/fleet.xro/9.0",
    largest_page=2,
    size_param="limit",
    errors=ErrorShape(
        words=("problem.headline",), lists=MappingProxyType({"invalidFields": "reason"}), elements="vehicles"
    ),
    regions=frozenset({"NZ", "GB"}),
)
VEHICLES = XeroObject(
    api=FLEET,
    name="vehicles",
    path="Vehicles",
    envelope="vehicles",
    key=("vehicleId",),
    scopes=SETTINGS,
    paging=Paging.PAGES,
    fields={
        "vehicleId": guid,
        "price": money,
        "boughtOn": day,
        "seenAt": instant,
        "service": one(Component({"doneOn": day, "garage": text})),
    },
)
PATH = "fleet.xro/9.0/Vehicles"


@pytest.fixture(autouse=True)
def vehicles(monkeypatch: pytest.MonkeyPatch, admin: AdminClient) -> Iterator[None]:
    """The registry with a row of that API, and a Xero that answers for it."""
    rows = {**STREAMS, VEHICLES.name: VEHICLES}
    monkeypatch.setattr(discovery, "STREAMS", rows)
    monkeypatch.setattr(tap_run, "STREAMS", rows)
    for page, numbers in (("1", (1, 2)), ("2", (3,))):
        block = {"page": int(page), "pageSize": 2, "pageCount": 2, "itemCount": 3}
        body = {"pagination": block, "vehicles": [vehicle(number) for number in numbers]}
        admin.fault("status", path=PATH, query={"page": page}, status=200, body=json.dumps(body), count=0)
    yield
    admin.clear_faults()


def vehicle(number: int) -> dict[str, Any]:
    return {
        "vehicleId": an_id("e", number),
        "price": number + 0.125,
        "boughtOn": f"2026-03-0{number}T00:00:00",
        "seenAt": "2026-03-09T10:11:12.1234567",
        "service": {"doneOn": "2026-02-01", "garage": "/Date(0)/"},
    }


def calls(admin: AdminClient) -> list[dict[str, Any]]:
    return [call for call in admin.calls() if call["path"] == f"/{PATH}"]


def read_vehicles(config: dict[str, Any]) -> Run:
    return read(config, "vehicles")


def test_its_records_come_page_by_page_with_dates_as_it_writes_them(
    config: dict[str, Any], admin: AdminClient
) -> None:
    run = read_vehicles(config)
    assert run.failed == {}
    assert [(one["price"], one["boughtOn"], one["seenAt"]) for one in run.records["vehicles"]] == [
        (Decimal("1.125"), "2026-03-01", "2026-03-09T10:11:12.123456Z"),
        (Decimal("2.125"), "2026-03-02", "2026-03-09T10:11:12.123456Z"),
        (Decimal("3.125"), "2026-03-03", "2026-03-09T10:11:12.123456Z"),
    ]
    assert run.records["vehicles"][0]["service"] == {"doneOn": "2026-02-01", "garage": "/Date(0)/"}
    assert {call["query"]["limit"] for call in calls(admin)} == {"2"}
    assert not any("pageSize" in call["query"] for call in calls(admin))


def test_its_error_messages_are_reported(config: dict[str, Any], admin: AdminClient) -> None:
    body = {
        "problem": {
            "Headline": "No such depot",
            "invalidFields": [{"name": "depot", "reason": "Closed in May"}],
        },
        "ValidationErrors": [{"Message": "of another API"}],
    }
    admin.clear_faults()
    admin.fault("status", path=PATH, status=400, body=json.dumps(body), count=0)
    (reason,) = read_vehicles(config).failed.values()
    assert "GET /fleet.xro/9.0/Vehicles page 1: 400 No such depot / Closed in May" in reason
    assert "of another API" not in reason


def test_a_field_that_looks_like_a_date_of_another_api_is_unknown_and_unchanged(
    config: dict[str, Any], admin: AdminClient
) -> None:
    admin.clear_faults()
    odd = {**vehicle(1), "boughtOnString": "/Date(0)/"}
    body = {"pagination": {"pageCount": 1, "itemCount": 1}, "vehicles": [odd]}
    admin.fault("status", path=PATH, status=200, body=json.dumps(body), count=0)
    run = read_vehicles({**config, "unknown_fields": "keep"})
    (record,) = run.records["vehicles"]
    assert json.loads(record["UnknownFields"]) == {"boughtOnString": "/Date(0)/"}
    assert any("boughtOnString" in line for line in run.warnings)


def test_only_an_api_with_ticks_repeats_its_dates_as_text() -> None:
    part = Component({"doneOn": day})
    assert left_out(part, DateForm.TICKS) == ANSWER_ONLY | {"doneOnString"}
    assert left_out(part, DateForm.ISO) == ANSWER_ONLY
    assert VEHICLES.duplicate_fields == {}


def test_a_stream_that_xero_does_not_offer_is_skipped_without_a_call(
    web: dict[str, Any], admin: AdminClient
) -> None:
    for tenant, country in ((HARBOUR, "NZ"), (TIDE, "AU")):
        organisation = {"OrganisationID": tenant, "CountryCode": country}
        body = json.dumps({"Organisations": [organisation]})
        admin.fault("status", path="Organisation", tenant=tenant, status=200, body=body, count=0)
    run = read_vehicles({**web, "tenant_ids": [HARBOUR, TIDE]})
    assert run.failed == {}
    assert [record["tenant_id"] for record in run.records["vehicles"]] == [HARBOUR] * 3
    assert {call["headers"]["Xero-Tenant-Id"] for call in calls(admin)} == {HARBOUR}
    assert any(
        f"vehicles of {TIDE_NAME} is skipped: Xero offers it only in GB, NZ, and the organisation is in AU."
        in line
        for line in run.said()
    )
    assert len(run.of("ACTIVATE_VERSION", "vehicles")) == 1, "the table is complete"


def test_the_country_of_the_organisation_is_read_once(config: dict[str, Any], admin: AdminClient) -> None:
    read(config, "vehicles", "organisation")
    assert len([call for call in admin.calls() if call["path"].endswith("/Organisation")]) == 1


def test_if_the_country_is_unknown_the_api_is_called(config: dict[str, Any], admin: AdminClient) -> None:
    admin.fault("status", path="Organisation", status=404, body="{}", count=0)
    run = read_vehicles(config)
    assert run.failed == {}
    assert len(run.records["vehicles"]) == 3
