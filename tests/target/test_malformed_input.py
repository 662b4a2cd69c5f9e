"""Input that is no Singer stream, or can't be read: one line that says where, never a traceback."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Wiring, lines, record, schema, state

HUGE = "1e99999999999999999999"
DEEP = 10_000
GOOD = lines(schema("items", "id"), record("items", id="good", Code="GOOD", Name="Good"))


def nested(depth: int, open_with: str = '{"a":', close_with: str = "}") -> str:
    return open_with * depth + "1" + close_with * depth


def record_with(field: str, value: str) -> str:
    """The line of an item with a value as it is."""
    return f'{{"type":"RECORD","stream":"items","record":{{"id":"1",{field}:{value}}}}}\n'


def schema_with(value: str, keys: str = '["id"]') -> str:
    """The line of a schema whose one property is described so."""
    properties = f'{{"properties":{{"id":{value}}}}}'
    return f'{{"type":"SCHEMA","stream":"items","schema":{properties},"key_properties":{keys}}}\n'


DEEP_LINES = {
    "a list": nested(DEEP, "[", "]"),
    "an object": nested(DEEP),
    "a record": record_with('"Code"', nested(DEEP)),
    "a field that is no field of Xero's": record_with('"Zzz"', nested(DEEP, "[", "]")),
    "a state": f'{{"type":"STATE","value":{nested(DEEP)}}}',
    "a schema": schema_with(nested(DEEP)),
    "a schema that can be read, but not copied": schema_with(nested(900)),
}


@pytest.mark.parametrize("line", DEEP_LINES.values(), ids=DEEP_LINES)
def test_json_that_is_nested_too_deeply_is_named_by_its_line(wiring: Wiring, line: str) -> None:
    run = wiring.write(GOOD, line + "\n")
    assert str(run.error).startswith("Line 3 of the input ")
    assert "nested too deeply" in str(run.error)
    assert len(str(run.error)) < 200
    assert wiring.writes() == []


def test_json_text_in_a_field_that_is_nested_too_deeply_is_a_reject(wiring: Wiring) -> None:
    run = wiring.write(GOOD, record("items", id="1", Code="C", SalesDetails=nested(DEEP)))
    assert run.count("items") == {"created": 1, "rejected": 1}
    assert "SalesDetails" in run.rejected[0][1]


@pytest.mark.parametrize("written", [HUGE, f'"{HUGE}"', f"-{HUGE}", "1e999999999", '"1e999999999"', "1e400"])
def test_a_number_out_of_range_rejects_only_its_own_record(wiring: Wiring, written: str) -> None:
    line = record_with('"Code":"C","SalesDetails"', f'{{"UnitPrice":{written}}}')
    after = lines(record("items", id="later", Code="LATER"))
    run = wiring.write(GOOD, line, after, state("all"))
    assert (run.error, run.states) == (None, ["all"])
    assert run.count("items") == {"created": 2, "rejected": 1}
    assert "SalesDetails.UnitPrice" in run.rejected[0][1]
    again = wiring.write(run.rejects.read_text())
    assert again.count("items") == {"rejected": 1}


@pytest.mark.parametrize("key", [HUGE, "1e999999999", "-1e999999999"])
def test_a_number_out_of_range_can_be_a_key(wiring: Wiring, key: str) -> None:
    line = record_with('"Code"', '"C"').replace('"id":"1"', f'"id":{key}')
    assert wiring.write(GOOD, line).count("items") == {"created": 2}
    assert wiring.write(GOOD, line).count("items") == {"unchanged": 2}


@pytest.mark.parametrize(
    "line",
    [f'{{"type":"STATE","value":{{"x":{HUGE}}}}}\n', schema_with(f'{{"maximum":{HUGE}}}')],
    ids=["state", "schema"],
)
def test_a_number_out_of_range_in_a_state_or_a_schema_ends_the_run(wiring: Wiring, line: str) -> None:
    run = wiring.write(GOOD, line)
    assert str(run.error) == "Line 3 of the input has a number that is too large."


@pytest.mark.parametrize("kind", ["[]", "{}", '["RECORD"]', "5", "null", "true"])
def test_a_type_that_is_no_text_is_reported(wiring: Wiring, kind: str) -> None:
    run = wiring.write(GOOD, f'{{"type":{kind},"stream":"items"}}\n')
    assert str(run.error) == "Line 3 of the input is not a Singer message: its type is not text."


@pytest.mark.parametrize("keys", ["5", '"id"', "[5]", "{}", "[[]]", "[null]", "true"])
def test_key_properties_that_are_no_list_of_names_are_reported(wiring: Wiring, keys: str) -> None:
    run = wiring.write(schema_with("{}", keys))
    assert str(run.error) == (
        "Line 1 of the input is a SCHEMA of 'items' whose key_properties are not a list of names."
    )


def test_key_properties_may_be_null(wiring: Wiring) -> None:
    message: dict[str, Any] = {**schema("items"), "key_properties": None}
    assert wiring.write(message, record("items", Code="C", Name="N")).count("items") == {"created": 1}
