"""What the schemas say, what the records hold, and what becomes of fields that nobody knew of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import jsonschema
import pytest

from singer_xero.objects import OBJECTS
from xero_sandbox import Desk, Sandbox, apps

from .company import guid
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
    """Numbers as jsonschema knows them."""
    if isinstance(value, dict):
        return {name: floats(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [floats(inner) for inner in value]
    return float(value) if isinstance(value, Decimal) else value


def unread_dates(value: Any, path: str) -> Iterator[str]:
    """Where a value still is in Xero's spelling of dates."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from unread_dates(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from unread_dates(inner, path)
    elif isinstance(value, str) and value.startswith("/Date("):
        yield path


def some(records: list[Any]) -> list[Any]:
    """A hundred of them, from all over the list."""
    return records[:: len(records) // 100 + 1]


@pytest.fixture(scope="module")
def whole(running_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run over everything the demo company has."""
    running_sandbox.desk.reset()
    running_sandbox.desk.limits(enabled=False)
    config = {
        **apps.CUSTOM_CONNECTION.settings(running_sandbox.url),
        "token_path": str(tmp_path_factory.mktemp("tokens") / "tokens.json"),
    }
    with pytest.MonkeyPatch.context() as patch:
        moving_clock(running_sandbox.desk, patch)
        return read(config, *OBJECTS)


def test_all_objects_are_streams_and_the_demo_company_fills_them(whole: Run) -> None:
    assert {message["stream"] for message in whole.of("SCHEMA")} == set(OBJECTS)
    assert {stream for stream, records in whole.records.items() if records} == set(OBJECTS)
    assert whole.failed == {}


@pytest.mark.parametrize("stream", OBJECTS)
def test_every_record_is_what_its_schema_says(whole: Run, stream: str) -> None:
    schema = whole.of("SCHEMA", stream)[0]["schema"]
    validator = jsonschema.Draft7Validator(schema, format_checker=CHECKER)
    for record in some(whole.records[stream]):
        problems = [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(floats(record))]
        assert problems == []


@pytest.mark.parametrize("stream", OBJECTS)
def test_every_date_is_read_nested_ones_included(whole: Run, stream: str) -> None:
    assert {path for record in whole.records[stream] for path in unread_dates(record, stream)} == set()


def test_the_demo_company_holds_nothing_that_the_schemas_do_not_know(whole: Run) -> None:
    assert [line for line in whole.warnings if "doesn't know" in line] == []


@pytest.mark.parametrize("stream", OBJECTS)
def test_keys_are_unique_in_the_demo_company(whole: Run, stream: str) -> None:
    """The SDK's own test of this compares nothing."""
    keys = next(message["key_properties"] for message in whole.of("SCHEMA", stream))
    assert keys == ["tenant_id", *OBJECTS[stream].key]
    found = [tuple(record[key] for key in keys) for record in whole.records[stream]]
    assert len(found) == len(set(found))


def test_every_number_with_decimals_is_a_number_in_the_schema(whole: Run) -> None:
    """A column that was made for whole numbers cuts decimals off without a word."""

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


def answered(config: dict[str, Any], desk: Desk, *records: dict[str, Any]) -> Run:
    """A run in which Xero's list of items is this."""
    desk.fault("status", path="Items", status=200, body=json.dumps({"Items": records}))
    return read(config, "items")


def item(number: int, **fields: Any) -> dict[str, Any]:
    return {"ItemID": guid("t", number), "UpdatedDateUTC": "/Date(1795132800000)/", **fields}


def test_a_new_field_is_passed_on_and_told_once(config: dict[str, Any], desk: Desk) -> None:
    run = answered(config, desk, *(item(n, Colour="blue", Weights=[1, {"kg": 2.50}]) for n in range(5)))
    assert {record["Colour"] for record in run.records["items"]} == {"blue"}
    assert run.records["items"][0]["Weights"] == [1, {"kg": Decimal("2.5")}]
    assert len(run.warnings) == 2
    assert "a field of items that this version doesn't know: Colour." in run.warnings[0]


def test_a_new_nested_field_is_passed_on(config: dict[str, Any], desk: Desk) -> None:
    run = answered(config, desk, item(1, SalesDetails={"UnitPrice": 1.5, "Novelty": {"Deep": [True]}}))
    assert run.records["items"][0]["SalesDetails"]["Novelty"] == {"Deep": [True]}
    assert run.warnings == []


def test_a_part_that_is_null_or_of_another_shape_is_passed_on(config: dict[str, Any], desk: Desk) -> None:
    run = answered(
        config, desk, item(1, SalesDetails=None), item(2, SalesDetails="none"), item(3, SalesDetails=[])
    )
    assert [record["SalesDetails"] for record in run.records["items"]] == [None, "none", []]


def test_the_message_of_a_schema_names_keys_and_bookmark(config: dict[str, Any]) -> None:
    run = read(config, "contacts", "tax_rates", "journals")
    assert run.of("SCHEMA", "contacts")[0]["bookmark_properties"] == ["UpdatedDateUTC"]
    assert run.of("SCHEMA", "journals")[0]["bookmark_properties"] == ["JournalNumber"]
    assert run.of("SCHEMA", "tax_rates")[0].get("bookmark_properties") is None
    assert run.of("SCHEMA", "tax_rates")[0]["key_properties"] == ["tenant_id", "TaxType"]
