"""Schemas, the records that fit them, and unknown fields."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import jsonschema
import pytest

from singer_xero.objects import OBJECTS
from xero_sandbox import AdminClient, Sandbox, apps

from .company import HARBOUR, TIDE, guid
from .conftest import moving_clock
from .runs import Run, read

CHECKER = jsonschema.FormatChecker(formats=())


@CHECKER.checks("date", raises=ValueError)
def _is_day(value: object) -> bool:
    return not isinstance(value, str) or (len(value) == 10 and bool(date.fromisoformat(value)))


@CHECKER.checks("date-time", raises=ValueError)
def _is_instant(value: object) -> bool:
    return not isinstance(value, str) or bool(datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ"))


def floats(value: Any) -> Any:
    """Numbers in the types of jsonschema."""
    if isinstance(value, dict):
        return {name: floats(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [floats(inner) for inner in value]
    return float(value) if isinstance(value, Decimal) else value


def unread_dates(value: Any, path: str) -> Iterator[str]:
    """The places where a value still has Xero's form of dates."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from unread_dates(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from unread_dates(inner, path)
    elif isinstance(value, str) and value.startswith("/Date("):
        yield path


def some(records: list[Any]) -> list[Any]:
    """A hundred records, from the whole list."""
    return records[:: len(records) // 100 + 1]


@pytest.fixture(scope="module")
def whole(running_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with all streams of the demo company."""
    running_sandbox.admin.reset()
    running_sandbox.admin.limits(enabled=False)
    config = {
        **apps.CUSTOM_CONNECTION.settings(running_sandbox.url),
        "token_path": str(tmp_path_factory.mktemp("tokens") / "tokens.json"),
    }
    with pytest.MonkeyPatch.context() as patch:
        moving_clock(running_sandbox.admin, patch)
        return read(config, *OBJECTS)


def test_all_objects_are_streams_and_the_demo_company_fills_them(whole: Run) -> None:
    assert {message["stream"] for message in whole.of("SCHEMA")} == set(OBJECTS)
    assert {stream for stream, records in whole.records.items() if records} == set(OBJECTS)
    assert whole.failed == {}


@pytest.mark.parametrize("stream", OBJECTS)
def test_every_record_fits_its_schema(whole: Run, stream: str) -> None:
    schema = whole.of("SCHEMA", stream)[0]["schema"]
    validator = jsonschema.Draft7Validator(schema, format_checker=CHECKER)
    for record in some(whole.records[stream]):
        problems = [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(floats(record))]
        assert problems == []


@pytest.mark.parametrize("stream", OBJECTS)
def test_every_date_is_converted_nested_ones_included(whole: Run, stream: str) -> None:
    assert {path for record in whole.records[stream] for path in unread_dates(record, stream)} == set()


def test_the_schemas_have_every_field_of_the_demo_company(whole: Run) -> None:
    assert [line for line in whole.warnings if "doesn't know" in line] == []


@pytest.mark.parametrize("stream", OBJECTS)
def test_keys_are_unique_in_the_demo_company(whole: Run, stream: str) -> None:
    """The SDK's own test for this compares nothing."""
    keys = next(message["key_properties"] for message in whole.of("SCHEMA", stream))
    assert keys == ["tenant_id", *OBJECTS[stream].key]
    found = [tuple(record[key] for key in keys) for record in whole.records[stream]]
    assert len(found) == len(set(found))


def test_every_number_with_decimals_is_a_number_in_the_schema(whole: Run) -> None:
    """A column for whole numbers would cut off decimals silently."""

    def check(value: Any, schema: dict[str, Any], path: str) -> None:
        if isinstance(value, Decimal):
            assert "number" in schema.get("type", ()), path
        elif isinstance(value, dict):
            for name, inner in value.items():
                if name in schema.get("properties", {}):
                    check(inner, schema["properties"][name], f"{path}.{name}")
        elif isinstance(value, list):
            for inner in value:
                check(inner, schema.get("items", {}), path)

    schemas = {message["stream"]: message["schema"] for message in whole.of("SCHEMA")}
    for stream, records in whole.records.items():
        for record in records:
            check(record, schemas[stream], stream)


# New fields


def answered(config: dict[str, Any], admin: AdminClient, *records: dict[str, Any]) -> Run:
    """A run in which this is Xero's list of items."""
    admin.fault("status", path="Items", status=200, body=json.dumps({"Items": records}))
    return read(config, "items")


def item(number: int, **fields: Any) -> dict[str, Any]:
    return {"ItemID": guid("t", number), "UpdatedDateUTC": "/Date(1795132800000)/", **fields}


@pytest.fixture(params=["short answers", "long answers"])
def both(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records of short answers are checked one by one, those of long answers together."""
    if request.param == "long answers":
        monkeypatch.setattr("tap_xero.records.reader.LONG", 0)


def item_with_new_fields(number: int) -> dict[str, Any]:
    nested = {"UnitPrice": 1.5, "Novelty": {"SeenUTC": "/Date(1795132800000)/"}}
    return item(number, Colour="blue", Weights=[1, {"kg": 2.5}], SalesDetails=nested)


def test_new_fields_are_omitted_and_logged_once_nested_ones_included(
    config: dict[str, Any], admin: AdminClient, both: None
) -> None:
    run = answered(config, admin, *map(item_with_new_fields, range(5)))
    assert [record.keys() for record in run.records["items"]] == [
        {"tenant_id", "ItemID", "SalesDetails", "UpdatedDateUTC"}
    ] * 5
    assert run.records["items"][0]["SalesDetails"] == {"UnitPrice": Decimal("1.5")}
    told = sorted(run.warnings)
    assert len(told) == 3
    for field, line in zip(("Colour", "SalesDetails.Novelty", "Weights"), told, strict=True):
        assert f"items has a field that this version does not know: {field}." in line
        assert "It is left out; set unknown_fields to keep to keep it." in line


def test_new_fields_are_kept_in_one_column_by_a_setting(
    config: dict[str, Any], admin: AdminClient, both: None
) -> None:
    run = answered(config | {"unknown_fields": "keep"}, admin, item(1), item_with_new_fields(2))
    assert run.of("SCHEMA", "items")[0]["schema"]["properties"]["UnknownFields"]["type"] == ["string", "null"]
    plain, kept = run.records["items"]
    assert plain["UnknownFields"] is None
    assert json.loads(kept["UnknownFields"]) == {
        "Colour": "blue",
        "Weights": [1, {"kg": 2.5}],
        "SalesDetails.Novelty": {"SeenUTC": "2026-11-20T00:00:00.000000Z"},
    }


def test_new_fields_of_lines_are_in_the_column_of_the_child_stream(
    config: dict[str, Any], admin: AdminClient
) -> None:
    lines = [
        {"LineItemID": "1"},
        {"LineItemID": "2", "Hue": 3, "Tracking": [{"TrackingCategoryID": "9", "Why": "x"}]},
    ]
    invoice = {"InvoiceID": guid("i", 1), "UpdatedDateUTC": "/Date(1795132800000)/", "LineItems": lines}
    admin.fault("status", path="Invoices", status=200, body=json.dumps({"Invoices": [invoice]}))
    names = ("invoices", "invoice_line_items", "invoice_line_item_tracking")
    catalog = {
        "streams": [
            {"tap_stream_id": name, "metadata": [{"breadcrumb": [], "metadata": {"selected": True}}]}
            for name in names
        ]
    }
    run = read(config | {"unknown_fields": "keep", "nested_tables": True}, catalog=catalog)
    kept = {name: [record["UnknownFields"] for record in run.records[name]] for name in names}
    assert [json.loads(text) for text in kept["invoices"]] == [
        {"LineItems[1].Hue": 3, "LineItems[1].Tracking[0].Why": "x"}
    ]
    assert kept["invoice_line_items"][0] is None
    assert json.loads(kept["invoice_line_items"][1]) == {"Hue": 3, "Tracking[0].Why": "x"}
    assert json.loads(kept["invoice_line_item_tracking"][0]) == {"Why": "x"}


def test_a_part_with_another_type_is_null_and_logged(
    config: dict[str, Any], admin: AdminClient, both: None
) -> None:
    run = answered(
        config, admin, item(1, SalesDetails=None), item(2, SalesDetails="none"), item(3, SalesDetails=[])
    )
    assert [record["SalesDetails"] for record in run.records["items"]] == [None, None, None]
    (line,) = run.warnings
    assert "items: SalesDetails holds a value that is not an object; null is emitted instead." in line


def keywords(schema: dict[str, Any]) -> set[str]:
    """The keywords of a JSON schema and of its properties and items; names of properties are not keywords."""
    inner = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    return set(schema).union(*map(keywords, inner))


@pytest.mark.parametrize("settings", [{}, {"field_names": "snake_case", "nested_tables": True}])
def test_descriptions_are_in_the_catalog_and_not_in_messages(
    config: dict[str, Any], settings: dict[str, Any]
) -> None:
    run = read({**config, **settings}, "items", "invoices")
    entry = run.tap.catalog["items"].schema.to_dict()
    (message,) = run.of("SCHEMA", "items")
    assert "description" in keywords(entry)
    assert "description" not in keywords(message["schema"])
    name = "description" if settings else "Description"
    assert message["schema"]["properties"].keys() == entry["properties"].keys() >= {name}


def test_every_schema_is_written_once_whatever_the_number_of_organisations(web: dict[str, Any]) -> None:
    run = read({**web, "tenant_ids": [HARBOUR, TIDE], "nested_tables": True}, "contacts", "invoices")
    assert set(Counter(message["stream"] for message in run.of("SCHEMA")).values()) == {1}


def test_the_message_of_a_schema_names_keys_and_bookmark(config: dict[str, Any]) -> None:
    run = read(config, "contacts", "tax_rates", "journals")
    assert run.of("SCHEMA", "contacts")[0]["bookmark_properties"] == ["UpdatedDateUTC"]
    assert run.of("SCHEMA", "journals")[0]["bookmark_properties"] == ["JournalNumber"]
    assert run.of("SCHEMA", "tax_rates")[0].get("bookmark_properties") is None
    assert run.of("SCHEMA", "tax_rates")[0]["key_properties"] == ["tenant_id", "TaxType"]
