"""An unexpected error affects one record or one list, never other streams and organisations."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from tap_xero.failures import NAMED
from tap_xero.records.reader import RecordReader
from tap_xero.streams.stream import XeroStream
from xero_sandbox import AdminClient

from .company import FIRST_JOURNAL, HARBOUR, HARBOUR_NAME, TIDE, TIDE_NAME, at, guid, ticks
from .runs import command, read
from .test_command import only

BOTH = {"tenant_ids": [HARBOUR, TIDE]}
NOT_RECORDS: list[Any] = [None, "text", 7, [], True]
NOT_KEYS: list[Any] = [None, "", {"Id": 1}, [], 1.5, True]


def answer(admin: AdminClient, path: str, records: list[Any], **more: Any) -> None:
    """Let the next call of a list return these records."""
    body = {path: records, "DateTimeUTC": f"/Date({ticks(at(86_400))})/", **more}
    admin.fault("status", path=path, status=200, body=json.dumps(body))


def one(number: int, seconds: float, **more: Any) -> dict[str, Any]:
    stamp = f"/Date({ticks(at(seconds))}+0000)/"
    return {"ContactID": guid("c", number), "Name": f"Contact {number}", "UpdatedDateUTC": stamp, **more}


# A record


@pytest.mark.parametrize("odd", NOT_RECORDS, ids=json.dumps)
def test_a_value_that_is_not_a_record_affects_no_record(
    config: dict[str, Any], admin: AdminClient, odd: Any
) -> None:
    answer(admin, "Contacts", [one(1, 10), odd, one(2, 20)])
    run = read(config, "contacts", "items")
    assert run.ids("contacts") == [guid("c", 1), guid("c", 2)]
    assert len(run.ids("items")) == 3
    said = run.failed["contacts", HARBOUR_NAME]
    assert said.startswith("record 2 of GET Contacts page 1: it is not a JSON object")


@pytest.mark.parametrize("odd", NOT_KEYS, ids=json.dumps)
def test_a_record_without_a_key_is_named_and_left_out(
    config: dict[str, Any], admin: AdminClient, odd: Any
) -> None:
    answer(admin, "Contacts", [one(1, 10), one(2, 20, ContactID=odd), one(3, 30)])
    run = read(config, "contacts")
    assert run.ids("contacts") == [guid("c", 1), guid("c", 3)]
    assert "record 2 of GET Contacts page 1: its ContactID" in run.failed["contacts", HARBOUR_NAME]


def test_the_bookmark_stays_before_a_record_that_was_left_out_and_the_next_run_reads_it(
    config: dict[str, Any], admin: AdminClient
) -> None:
    answer(admin, "Contacts", [one(1, 10), one(2, 20, ContactID=None), one(3, 30)])
    first = read(config, "contacts")
    assert first.bookmark("contacts") == "2026-11-01T00:00:20.000000Z"
    second = read(config, "contacts", state=first.state)
    assert set(second.ids("contacts")) == {guid("c", number) for number in range(2, 8)}
    assert second.failed == {}


def test_a_journal_that_was_left_out_is_read_again(config: dict[str, Any], admin: AdminClient) -> None:
    journals = [{"JournalID": guid("j", n), "JournalNumber": n, "JournalLines": []} for n in (1, 2, 3)]
    answer(admin, "Journals", [journals[0], {**journals[1], "JournalID": 0.5}, journals[2]])
    run = read(config, "journals")
    assert [record["JournalNumber"] for record in run.records["journals"]][:2] == [1, 3]
    assert run.bookmark("journals") == 1


@pytest.mark.parametrize("nested_tables", [False, True])
def test_a_record_that_cannot_be_decoded_is_named_without_its_content(
    config: dict[str, Any], monkeypatch: pytest.MonkeyPatch, nested_tables: bool
) -> None:
    plain = {name: getattr(RecordReader, name) for name in ("record", "undecoded")}

    def broken(name: str) -> Any:
        def decode(self: RecordReader, row: Any) -> Any:
            if row.key == (guid("c", 4),):
                raise ValueError("the secret of contact 4")
            return plain[name](self, row)

        return decode

    for name in plain:
        monkeypatch.setattr(RecordReader, name, broken(name))
    run = read({**config, "nested_tables": nested_tables}, "contacts")
    assert run.ids("contacts") == [guid("c", number) for number in (1, 2, 3, 5, 6, 7)]
    said = run.failed["contacts", HARBOUR_NAME]
    assert said.startswith(f"{guid('c', 4)}: unexpected ValueError at test_one_odd_value.py:")
    assert not [line for line in run.said() if "secret" in line]


def test_of_many_unreadable_records_the_first_are_named_and_all_are_counted(
    config: dict[str, Any], admin: AdminClient, tmp_path: Path
) -> None:
    answer(admin, "Contacts", [one(1, 10), *[None] * 30])
    done = command("--catalog", only(tmp_path, "contacts", "items"), config=config, at=tmp_path)
    assert done.code == 1
    assert len([line for line in done.errors if "one record: record" in line]) == NAMED
    assert done.errors[-1] == f"Not complete: contacts of {HARBOUR_NAME}, 30 records could not be read."
    assert "Traceback" not in done.err


def test_a_full_table_without_one_of_its_records_does_not_make_a_target_drop_it(
    config: dict[str, Any], admin: AdminClient
) -> None:
    answer(admin, "TaxRates", [{"TaxType": "OUTPUT2", "Name": "15% GST"}, {"TaxType": None}])
    run = read(config, "tax_rates")
    assert len(run.records["tax_rates"]) == 1
    assert run.of("ACTIVATE_VERSION") == []


# The cursor of a list


@pytest.mark.parametrize(
    "odd", ["soon", "/Date(9999999999999999)/", 5, {"when": 1}, "", None], ids=json.dumps
)
def test_an_invalid_time_of_change_loses_neither_the_record_nor_the_bookmark(
    config: dict[str, Any], admin: AdminClient, odd: Any
) -> None:
    answer(admin, "Contacts", [one(1, 10), one(2, 20, UpdatedDateUTC=odd), one(3, 30)])
    run = read(config, "contacts")
    assert {record["ContactID"]: record["UpdatedDateUTC"] for record in run.records["contacts"]} == {
        guid("c", 1): "2026-11-01T00:00:10.000000Z",
        guid("c", 2): None,
        guid("c", 3): "2026-11-01T00:00:30.000000Z",
    }
    assert run.failed == {}
    assert run.bookmark("contacts") == "2026-11-01T00:00:30.000000Z"


@pytest.mark.parametrize("page_size", [2, 1000])
def test_an_invalid_time_of_change_loses_nothing_in_a_list_of_several_pages(
    config: dict[str, Any], admin: AdminClient, page_size: int
) -> None:
    admin.put("Contacts", {"ContactID": guid("c", 4), "Name": "Timeless", "UpdatedDateUTC": None})
    run = read({**config, "page_size": page_size}, "contacts")
    assert sorted(set(run.ids("contacts"))) == [guid("c", number) for number in range(1, 8)]
    assert run.failed == {}


@pytest.mark.parametrize(
    "odd",
    [
        {"pagination": "none"},
        {"pagination": {"page": "1", "pageCount": "many"}},
        {"DateTimeUTC": 5},
        {"DateTimeUTC": "now"},
        {"Status": None, "Id": 7},
    ],
    ids=json.dumps,
)
def test_unexpected_fields_around_a_list_do_not_affect_it(
    config: dict[str, Any], admin: AdminClient, odd: Any
) -> None:
    answer(admin, "Contacts", [one(1, 10), one(2, 20)], **odd)
    run = read(config, "contacts")
    assert run.ids("contacts") == [guid("c", 1), guid("c", 2)]
    assert run.failed == {}


def test_a_journal_number_may_be_text(config: dict[str, Any], admin: AdminClient) -> None:
    journals = [{"JournalID": guid("j", n), "JournalNumber": str(n), "JournalLines": []} for n in (1, 2)]
    answer(admin, "Journals", [*journals, {"JournalID": guid("j", 3), "JournalNumber": "third"}])
    run = read(config, "journals")
    assert [record["JournalNumber"] for record in run.records["journals"]][:3] == [1, 2, None]
    assert run.bookmark("journals") == FIRST_JOURNAL + 229


# A record that is read by its own call


def test_an_answer_that_is_refused_for_one_record_affects_no_other(
    config: dict[str, Any], admin: AdminClient
) -> None:
    refusal = json.dumps({"ErrorNumber": 10, "Type": "ValidationException", "Message": "No history for it"})
    admin.fault("status", path=f"Contacts/{guid('c', 3)}/History", status=400, body=refusal, count=0)
    run = read(config, "contact_history", "items")
    whole = read(config, "contacts").ids("contacts")
    asked = {record["ContactID"] for record in run.records["contact_history"]}
    assert guid("c", 3) not in asked
    assert f"{guid('c', 3)}: GET Contacts/{guid('c', 3)}/History: 400 No history for it" in next(
        iter(run.failed.values())
    )
    assert len([call for call in admin.calls() if call["path"].endswith("/History")]) == len(whole)


def test_one_unexpected_record_of_a_detail_stream_affects_no_other(
    config: dict[str, Any], admin: AdminClient
) -> None:
    path = f"Contacts/{guid('c', 1)}/History"
    records = [{"DateUTC": f"/Date({ticks(at(5))})/", "Changes": "Created"}, None]
    admin.fault("status", path=path, status=200, body=json.dumps({"HistoryRecords": records}))
    run = read(config, "contact_history")
    assert guid("c", 1) in {record["ContactID"] for record in run.records["contact_history"]}
    assert f"record 2 of GET {path}" in run.failed["contact_history", HARBOUR_NAME]


# A stream, an organisation


@pytest.mark.parametrize("error", [KeyError("x"), TypeError(), OverflowError(), MemoryError()])
def test_any_error_in_a_stream_of_an_organisation_is_one_line_and_the_rest_is_read(
    web: dict[str, Any], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    plain = RecordReader.page

    def page(self: RecordReader, content: bytes, call: str, packed: bytes | None) -> Any:
        if self.xero.name == "contacts" and b"Contact 01" in content:
            raise error
        return plain(self, content, call, packed)

    monkeypatch.setattr(RecordReader, "page", page)
    run = read({**web, **BOTH}, "contacts", "items")
    assert run.failed == {
        ("contacts", HARBOUR_NAME): run.failed["contacts", HARBOUR_NAME],
    }
    # The JSON reader is recursive, so this is the error of a deeply nested answer.
    nested = isinstance(error, RecursionError)
    told = "GET Contacts page 1: 200 it is nested" if nested else f"unexpected {type(error).__name__} at "
    assert run.failed["contacts", HARBOUR_NAME].startswith(told)
    assert {record["tenant_id"] for record in run.records["contacts"]} == {TIDE}
    assert {record["tenant_id"] for record in run.records["items"]} == {HARBOUR}
    assert run.bookmark("contacts") is None
    assert run.bookmark("contacts", TIDE) is not None
    errors = [line for line in run.said(logging.ERROR) if "unexpected" in line]
    assert len(errors) == 1


def test_an_error_outside_of_lists_ends_the_stream_only(
    web: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = XeroStream._process_record

    def process(self: XeroStream, *given: Any, **more: Any) -> None:
        if self.name == "contacts":
            raise LookupError("somewhere in the SDK")
        plain(self, *given, **more)

    monkeypatch.setattr(XeroStream, "_process_record", process)
    run = read({**web, **BOTH}, "contacts", "items")
    assert set(run.failed) == {("contacts", HARBOUR_NAME), ("contacts", TIDE_NAME)}
    assert len(run.ids("items")) == 3
    assert run.bookmark("contacts") is None
    assert len(run.said(logging.ERROR)) == 2


def test_the_command_ends_with_exit_code_1_and_the_state_of_the_rest(
    config: dict[str, Any], admin: AdminClient, tmp_path: Path
) -> None:
    admin.fault("status", path="Contacts", status=200, body='{"Contacts": null}', count=0)
    done = command("--catalog", only(tmp_path, "contacts", "items"), config=config, at=tmp_path)
    assert done.code == 1
    assert "Traceback" not in done.err
    assert "Not complete: contacts" in done.errors[-1]
    state = done.messages[-1]["value"]["bookmarks"]
    assert state["items"]["partitions"][0]["replication_key_value"]
