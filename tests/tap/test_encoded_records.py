"""Records that are emitted unchanged are encoded in blocks, which changes only the speed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tap_xero.streams import messages
from tap_xero.streams.messages import MessageStream
from xero_sandbox import AdminClient

from .company import HARBOUR_NAME, guid
from .runs import Run, read
from .test_schemas import answered, item

DAY = "/Date(1795132800000+0000)/"


@pytest.fixture(autouse=True)
def checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short answers are checked in the same way as long ones."""
    monkeypatch.setattr("tap_xero.records.reader.LONG", 0)


def without_time(run: Run) -> list[Any]:
    """The messages of a run, in order, without the time of the run."""
    messages = [json.loads(line) for line in run.lines]
    return [{name: value for name, value in one.items() if name != "time_extracted"} for one in messages]


def counted(run: Run, stream: str) -> int:
    """The records that the SDK's metrics count for a stream."""
    points = [json.loads(line.removeprefix("METRIC: ")) for line in run.said() if line.startswith("METRIC: ")]
    of_stream = [p for p in points if p["metric"] == "record_count" and p["tags"]["stream"] == stream]
    return sum(int(point["value"]) for point in of_stream)


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
