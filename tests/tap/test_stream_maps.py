"""Stream maps, flattening and complete records: exact amounts, absent fields, and errors that affect one
record.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from singer_xero.errors import ConfigurationProblem
from xero_sandbox import AdminClient

from .company import HARBOUR_NAME, guid, invoice
from .runs import Run, command, read
from .test_command import only


def mapped(config: dict[str, Any], maps: dict[str, Any], *streams: str, **more: Any) -> Run:
    return read({**config, "stream_maps": maps, **more}, *streams)


def column(run: Run, stream: str, name: str) -> dict[str, Any]:
    """The SCHEMA of a field."""
    described: dict[str, Any] = run.of("SCHEMA", stream)[0]["schema"]["properties"][name]
    return described


# Exact amounts


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("Total * 1.1", "11.110"),
        ("1.1 * Total", "11.110"),
        ("Total + 0.1", "10.20"),
        ("Total - 0.1", "10.00"),
        ("-Total", "-10.10"),
        ("Total / 2", "5.05"),
        ("(Total - SubTotal) * 0.5", "-0.010"),
        ("float(Total)", "10.10"),
        ("Total * 2", "20.20"),
    ],
)
def test_amounts_and_constants_are_computed_exactly_and_make_a_numeric_column(
    config: dict[str, Any], expression: str, result: str
) -> None:
    run = mapped(config, {"invoices": {"found": expression}}, "invoices")
    assert str(run.records["invoices"][0]["found"]) == result
    assert "number" in column(run, "invoices", "found")["type"]
    assert run.failed == {}


@pytest.mark.parametrize(("rule", "count"), [("Total == 10.1", 5), ("Total > 10.1", 0), ("Total <= 10.1", 5)])
def test_amounts_compare_with_constants_as_they_are_written(
    config: dict[str, Any], rule: str, count: int
) -> None:
    run = mapped(config, {"invoices": {"__filter__": rule}}, "invoices")
    assert len(run.records["invoices"]) == count


@pytest.mark.parametrize(
    ("expression", "text"), [("Total > 5", "true"), ("[Total]", '["10.10"]'), ("Type", "ACCREC")]
)
def test_a_text_field_is_text(config: dict[str, Any], expression: str, text: str) -> None:
    run = mapped(config, {"invoices": {"found": expression}}, "invoices")
    assert run.records["invoices"][0]["found"] == text
    assert "string" in column(run, "invoices", "found")["type"]


# Fields that Xero omits


def sparse(admin: AdminClient) -> None:
    """Invoices, some of which have no rate, no total, or a contact without a name."""
    amounts = {"SubTotal": 10.12, "Total": 10.10, "CurrencyRate": 1, "LineItems": []}
    no_rate = {"CurrencyRate": None, "Contact": {"ContactID": guid("c", 1)}}
    admin.put("Invoices", {**invoice(50, 50), **amounts, **no_rate})
    for name in ("CurrencyRate", "Total", "Contact"):
        plain = {**invoice(60 + len(name), 60 + len(name)), **amounts}
        del plain[name]
        admin.put("Invoices", plain)


@pytest.mark.parametrize(
    "maps",
    [
        {"rate": "CurrencyRate"},
        {"__filter__": "CurrencyRate != None"},
        {"__filter__": "CurrencyRate > 0.5"},
        {"more": "Total * 1.1"},
        {"number": "float(CurrencyRate)", "whole": "int(CurrencyRate)", "text": "str(CurrencyRate)"},
        {"hash": "md5(Reference)", "other": "sha256(Reference)"},
        {"who": "Contact['Name'] if Contact else None"},
        {"planned": "ExpectedPaymentDate"},
    ],
    ids=json.dumps,
)
def test_a_field_that_xero_omits_is_null_in_expressions(
    config: dict[str, Any], admin: AdminClient, maps: dict[str, Any]
) -> None:
    sparse(admin)
    run = mapped(config, {"invoices": maps}, "invoices")
    assert run.failed == {}
    kept = run.records["invoices"]
    assert len(kept) == 9 if "__filter__" not in maps else 0 < len(kept) < 9
    for name in maps.keys() - {"__filter__"}:
        assert all(name in record for record in kept)
        assert "None" not in [record[name] for record in kept]


@pytest.mark.parametrize("field_names", ["xero", "snake_case"])
@pytest.mark.parametrize(
    "settings",
    [
        {"complete_records": True},
        {"stream_maps": {"*": {"loaded_by": "'me'"}}},
        {"flattening_enabled": True, "flattening_max_depth": 1},
        {"flattening_enabled": True, "flattening_max_depth": 3},
        {"complete_records": True, "nested_tables": True},
    ],
    ids=json.dumps,
)
def test_complete_records_have_all_fields_of_their_schema_in_its_order(
    demo: dict[str, Any], settings: dict[str, Any], field_names: str
) -> None:
    run = read({**demo, **settings, "field_names": field_names})
    schemas = {message["stream"]: list(message["schema"]["properties"]) for message in run.of("SCHEMA")}
    assert len(run.records) > 20
    for stream, records in run.records.items():
        for record in records:
            assert list(record)[: len(schemas[stream])] == schemas[stream], stream


def test_records_have_the_fields_that_xero_sends_by_default(
    config: dict[str, Any], admin: AdminClient
) -> None:
    sparse(admin)
    maps = {"invoices": {"loud": "Type.upper()"}}
    for settings in ({}, {"complete_records": False, "stream_maps": maps}):
        run = read({**config, **settings}, "invoices")
        assert any("CurrencyRate" not in record for record in run.records["invoices"])


def test_a_deselected_field_stays_out_of_complete_records(config: dict[str, Any]) -> None:
    entry = {
        "tap_stream_id": "contacts",
        "metadata": [
            {"breadcrumb": [], "metadata": {"selected": True}},
            {"breadcrumb": ["properties", "Name"], "metadata": {"selected": False}},
        ],
        "schema": {"properties": {"Name": {"type": "string"}, "EmailAddress": {"type": ["string", "null"]}}},
    }
    run = read({**config, "complete_records": True}, "contacts", catalog={"streams": [entry]})
    (schema,) = run.of("SCHEMA")
    assert all(list(record) == list(schema["schema"]["properties"]) for record in run.records["contacts"])
    assert "Name" not in schema["schema"]["properties"]
    assert "EmailAddress" in schema["schema"]["properties"]


# Errors


def test_a_map_that_fails_for_a_record_loses_this_record_and_logs_one_line(
    config: dict[str, Any], admin: AdminClient, tmp_path: Path
) -> None:
    admin.edit("Contacts", guid("c", 3), Name="3")
    maps = {"contacts": {"found": "float(Name)"}}
    done = command(
        "--catalog", only(tmp_path, "contacts", "items"), config={**config, "stream_maps": maps}, at=tmp_path
    )
    assert done.code == 1
    records = [message for message in done.messages if message["type"] == "RECORD"]
    assert [m["record"]["found"] for m in records if m["stream"] == "contacts"] == [3]
    assert len([m for m in records if m["stream"] == "items"]) == 3
    said, closing = done.errors
    assert "contacts of Harbour Limited" in said
    assert "stream_maps: float(Name): ValueError" in said
    assert "Contact 01" not in done.err
    assert closing == f"Not complete: contacts of {HARBOUR_NAME}, 6 records could not be read."
    assert "Traceback" not in done.err


def test_the_bookmark_waits_for_a_record_that_a_map_fails_on(
    config: dict[str, Any], admin: AdminClient
) -> None:
    maps = {"contacts": {"found": "1 / (Name != 'Contact 03')"}}
    first = mapped(config, maps, "contacts")
    assert len(first.records["contacts"]) == 6
    assert first.bookmark("contacts") == "2026-11-01T00:00:30.000000Z"
    second = read(config, "contacts", state=first.state)
    assert guid("c", 3) in second.ids("contacts")


def test_a_map_that_fails_for_a_child_stream_names_it_and_the_parent_s_bookmark_waits(
    config: dict[str, Any], admin: AdminClient
) -> None:
    maps = {"invoice_line_items": {"found": "1 / (Quantity != 1)"}}
    run = mapped(config, maps, "invoices", nested_tables=True)
    assert len(run.records["invoices"]) == 5
    assert run.failed.keys() <= {("invoice_line_items", HARBOUR_NAME)}
    lines = [line for line in run.said(logging.ERROR) if "invoice_line_items" in line]
    assert len(lines) == len(run.failed)


def test_the_message_shows_the_expression_as_it_was_written(config: dict[str, Any]) -> None:
    run = mapped(config, {"invoices": {"found": "Total / (Total - Total)"}}, "invoices")
    said = run.failed["invoices", HARBOUR_NAME]
    assert said.startswith("stream_maps: Total / (Total - Total): DivisionByZero, the first time for ")


@pytest.mark.parametrize(
    ("maps", "words"),
    [
        ({"contacts": {"loud": "Name.upper("}}, ["contacts, loud", "'Name.upper('"]),
        ({"contacts": {"rate": "Nmae"}}, ["contacts, rate", "no field Nmae", "did you mean Name?"]),
        ({"contacts": {"__filter__": "Nmae != None"}}, ["contacts, __filter__", "did you mean Name?"]),
        ({"people": {"__source__": "contacts", "x": "Nmae"}}, ["people, x", "did you mean Name?"]),
        ({"contact": {"x": "Name"}}, ["no stream is called contact", "did you mean contacts?"]),
        ({"contacts": {"x": 5}}, ["contacts, x", "as text"]),
        ({"contacts": {"x": {"y": "Name"}}}, ["contacts, x", "as text"]),
        ({"contacts": "Name"}, ["contacts", "object of fields"]),
        ({"contacts": {"ContactID": None}}, ["ContactID"]),
        ([], ["stream_maps"]),
    ],
    ids=str,
)
def test_a_map_that_cannot_work_is_refused_before_the_first_call(
    config: dict[str, Any], admin: AdminClient, tmp_path: Path, maps: Any, words: list[str]
) -> None:
    admin.forget_calls()
    done = command(config={**config, "stream_maps": maps}, at=tmp_path)
    assert done.code == 1
    assert len(done.errors) == 1, done.err
    assert "Traceback" not in done.err
    for word in words:
        assert word in done.errors[0]
    assert admin.calls() == []


@pytest.mark.parametrize(
    "expression",
    [
        "_['Name']",
        "record['Name']",
        "config['x']",
        "[one for one in (Addresses or [])]",
        "__stream_name__",
        "datetime.date.today().isoformat()",
        "json.dumps({})",
        "str(self)",
    ],
)
def test_names_that_the_sdk_provides_to_expressions_are_known(
    config: dict[str, Any], expression: str
) -> None:
    maps = {"contacts": {"Name": expression}}
    run = mapped(config, maps, "contacts", stream_map_config={"x": "y"})
    assert len(run.records["contacts"]) == 7
    assert run.failed == {}


def test_a_pattern_of_streams_may_name_fields_that_some_of_them_lack(config: dict[str, Any]) -> None:
    run = mapped(config, {"*s": {"where": "_.get('Name')"}}, "contacts", "items")
    assert {record["where"] for record in run.records["contacts"]} >= {"Contact 01"}


def test_a_misspelt_field_is_refused_with_a_configuration_problem(config: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationProblem, match="did you mean CurrencyRate"):
        mapped(config, {"invoices": {"rate": "CurencyRate"}}, "invoices")
