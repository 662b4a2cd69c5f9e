"""Records that are emitted unchanged are encoded in blocks, which changes only the speed."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any
from unittest import mock

import pytest

from singer_xero.objects import NESTED_TABLES
from tap_xero.streams import messages
from tap_xero.streams.messages import MessageStream
from xero_sandbox import AdminClient

from .company import HARBOUR_NAME, guid
from .runs import Recorder, Run, read
from .test_nested_tables import read as read_with_tables
from .test_schemas import answered, item

DAY = "/Date(1795132800000+0000)/"


@pytest.fixture(autouse=True)
def checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short answers are checked in the same way as long ones."""
    monkeypatch.setattr("tap_xero.records.reader.LONG", 0)


def without_time(run: Run) -> list[Any]:
    """The messages of a run, in order, without the time of the run; it is also the version of full tables."""
    return [
        {name: "version" in name or value for name, value in message.items() if name != "time_extracted"}
        for message in map(json.loads, run.lines)
    ]


def counted(run: Run, stream: str) -> int:
    """The records that the SDK's metrics count for a stream."""
    points = [json.loads(line.removeprefix("METRIC: ")) for line in run.said() if line.startswith("METRIC: ")]
    of_stream = [p for p in points if p["metric"] == "record_count" and p["tags"]["stream"] == stream]
    return sum(int(point["value"]) for point in of_stream)


FORMS: list[dict[str, Any]] = [
    {},
    {"nested_tables": True},
    {"field_names": "snake_case"},
    {"field_names": "snake_case", "nested_tables": True},
    {"field_names": "snake_case", "nested_tables": True, "complete_records": True},
]
WITH_TABLES = sorted({table.of.name for table in NESTED_TABLES.values()} - {"cash_journals"})
LINES: list[Any] = [
    {"LineItemID": guid("l", 1), "Quantity": 1.50, "Item": {"ItemID": guid("t", 1)}},
    None,
    {"LineItemID": None, "Description": "without an id", "Item": None},
    {"Tracking": [{"TrackingCategoryID": guid("k", 1), "Option": "North"}, None, {"Option": "no id"}]},
    {"LineItemID": guid("l", 1), "Description": "the id of another line", "Tracking": []},
    {"LineItemID": "", "Item": {}},
]


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_all_streams_and_nested_tables_are_the_same_in_every_form(
    demo: dict[str, Any], monkeypatch: pytest.MonkeyPatch, form: dict[str, Any]
) -> None:
    encoded = read_with_tables(demo | form, *WITH_TABLES)
    monkeypatch.setattr(MessageStream, "encodes_records", False)
    decoded = read_with_tables(demo | form, *WITH_TABLES)
    assert encoded.records == decoded.records
    assert len(encoded.records) > (40 if "nested_tables" in form else 15)
    assert encoded.state == decoded.state


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_odd_elements_of_lists_are_the_same_in_every_form(
    config: dict[str, Any], admin: AdminClient, monkeypatch: pytest.MonkeyPatch, form: dict[str, Any]
) -> None:
    invoices = [
        {"InvoiceID": guid("i", 1), "UpdatedDateUTC": DAY, "LineItems": LINES, "Contact": {"Name": "A"}},
        {"InvoiceID": guid("i", 2), "UpdatedDateUTC": DAY, "LineItems": None, "Contact": None},
        {"InvoiceID": guid("i", 3), "UpdatedDateUTC": DAY, "Contact": {"ContactID": guid("c", 1)}},
    ]
    admin.fault("status", path="Invoices", status=200, body=json.dumps({"Invoices": invoices}), count=2)
    encoded = read_with_tables(config | form, "invoices")
    monkeypatch.setattr(MessageStream, "encodes_records", False)
    decoded = read_with_tables(config | form, "invoices")
    assert encoded.records == decoded.records
    assert len(encoded.records["invoices"]) == 3
    assert encoded.failed == {}


def test_a_nested_table_is_encoded_where_its_records_are_not_selected(
    demo: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = demo | {"nested_tables": True}
    encoded = read_with_tables(config, "invoices", only=("invoice_line_items",))
    monkeypatch.setattr(MessageStream, "encodes_records", False)
    assert encoded.records == read_with_tables(config, "invoices", only=("invoice_line_items",)).records
    assert encoded.records.keys() == {"invoice_line_items"}


@pytest.mark.parametrize("settings", [{}, {"complete_records": True}])
@pytest.mark.parametrize("size", [1, 400, 64 * 1024])
def test_encoded_messages_are_those_that_the_sdk_would_write(
    config: dict[str, Any], monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], size: int
) -> None:
    config = config | settings
    monkeypatch.setattr(messages, "ENCODED_AT_ONCE", size)
    encoded = read(config, "contacts", "items", "currencies", "invoices")
    monkeypatch.setattr(MessageStream, "encodes_records", False)
    assert without_time(encoded) == without_time(read(config, "contacts", "items", "currencies", "invoices"))
    assert all("time_extracted" in message for message in encoded.of("RECORD"))


@pytest.mark.parametrize("complete", [False, True])
def test_fields_come_in_the_order_of_the_answer_unless_records_are_completed(
    config: dict[str, Any], admin: AdminClient, complete: bool
) -> None:
    sold = {"IsSold": True, "SalesDetails": {"TaxType": "OUTPUT2", "UnitPrice": 1.50}}
    items = [{**sold, **item(1)}, {"Description": "none", **item(2), **sold}]
    run = answered(config | {"complete_records": complete}, admin, *items)
    (schema,) = run.of("SCHEMA", "items")
    names = [list(record) for record in run.records["items"]]
    if complete:
        assert names == [list(schema["schema"]["properties"])] * 2
    else:
        assert names[0][:3] == ["tenant_id", "IsSold", "SalesDetails"]
        assert [name for name in names[1] if name != "Description"] == names[0]
    assert list(run.records["items"][0]["SalesDetails"]) == ["TaxType", "UnitPrice"]


def test_an_encoded_record_of_a_whole_table_has_the_version_of_the_table(config: dict[str, Any]) -> None:
    run = read(config, "currencies")
    (version,) = {message["version"] for message in run.of("ACTIVATE_VERSION", "currencies")}
    assert {message["version"] for message in run.of("RECORD", "currencies")} == {version}


def test_the_metrics_count_each_encoded_record(config: dict[str, Any]) -> None:
    run = read(config, "contacts")
    assert counted(run, "contacts") == len(run.records["contacts"]) > 1


def test_records_that_do_not_fit_their_schema_keep_their_place_among_encoded_ones(
    config: dict[str, Any], admin: AdminClient
) -> None:
    odd = item(3, IsSold="perhaps")
    run = answered(config, admin, item(1), item(2, Colour="blue"), odd, item(4), item(5))
    assert run.ids("items") == [guid("t", number) for number in range(1, 6)]
    assert run.records["items"][2]["IsSold"] is None
    assert counted(run, "items") == 5


def test_a_target_that_is_gone_ends_the_run_also_while_a_nested_table_is_written(
    demo: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_records(self: Recorder, lines: bytearray) -> None:
        if b'"stream":"invoice_line_items"' in lines:
            raise BrokenPipeError

    monkeypatch.setattr(messages, "ENCODED_AT_ONCE", 1)
    monkeypatch.setattr(Recorder, "write_records", write_records)
    with pytest.raises(BrokenPipeError):
        read_with_tables(demo | {"nested_tables": True}, "invoices")


def test_a_record_that_fails_half_way_leaves_no_part_of_its_line() -> None:
    class Fails:
        def __str__(self) -> str:
            raise ValueError("unforeseen")

    encoder = messages.RecordEncoder("items", None, None)
    encoder.add({"ItemID": "1"})
    with pytest.raises(ValueError, match="unforeseen"):
        encoder.add({"ItemID": "2", "Code": Fails()})
    encoder.add({"ItemID": "3"})
    (block,) = encoder.take()
    assert [json.loads(line)["record"]["ItemID"] for line in block.lines.splitlines()] == ["1", "3"]
    assert block.count == 2


def test_the_time_of_a_block_is_that_of_its_first_record(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter(
        [datetime(2026, 11, 29, 12, tzinfo=timezone.utc), datetime(2026, 11, 29, 13, tzinfo=timezone.utc)]
    )
    encoder = messages.RecordEncoder("items", None, None)
    monkeypatch.setattr(messages, "datetime", mock.Mock(now=lambda _: next(times)))
    found = []
    for number in range(2):
        encoder.add({"ItemID": str(number)})
        (block,) = encoder.take()
        found.append(json.loads(bytes(block.lines))["time_extracted"])
    assert found == ["2026-11-29T12:00:00Z", "2026-11-29T13:00:00Z"]


def test_a_record_that_cannot_be_encoded_is_named_and_the_others_are_emitted(
    config: dict[str, Any], admin: AdminClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = messages.RecordEncoder.add

    def add(self: messages.RecordEncoder, tree: Any) -> bool:
        if bytes(tree.ItemID) == f'"{guid("t", 2)}"'.encode():
            raise ValueError("unforeseen")
        return plain(self, tree)

    monkeypatch.setattr(messages.RecordEncoder, "add", add)
    run = answered(config, admin, item(1), item(2), item(3))
    assert run.ids("items") == [guid("t", 1), guid("t", 3)]
    assert guid("t", 2) in run.failed["items", HARBOUR_NAME]
