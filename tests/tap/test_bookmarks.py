"""Bookmarks: the next run starts where the last one ended, misses no record and reads no more than needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from singer_xero.api.dates import instant
from singer_xero.objects import OBJECTS
from xero_sandbox import AdminClient

from .company import FIRST_JOURNAL, HARBOUR, contact, dated, guid
from .runs import command, part_of, read, state_at
from .test_command import only

INCREMENTAL = [name for name, xero in OBJECTS.items() if xero.incremental]


def asked_since(admin: AdminClient, path: str) -> list[str | None]:
    """If-Modified-Since of each call of a list."""
    return [call["headers"].get("If-Modified-Since") for call in admin.calls(path)]


# The second run


def test_a_second_run_reads_nothing_if_nothing_has_changed(
    config: dict[str, Any], admin: AdminClient
) -> None:
    first = read(config, *INCREMENTAL)
    admin.forget_calls()
    second = read(config, *INCREMENTAL, state=first.state)
    assert second.records == {}
    calls = [call for call in admin.calls() if "/api.xro/" in call["path"]]
    assert len(calls) == len(INCREMENTAL)
    assert second.state == first.state


def test_a_second_run_reads_only_changes(config: dict[str, Any], admin: AdminClient) -> None:
    first = read(config, "contacts", "items", "manual_journals")
    admin.edit("Contacts", guid("c", 2), Name="Renamed")
    admin.edit("Items", guid("t", 1))
    admin.put("Contacts", {"ContactID": guid("c", 50), "Name": "New"})
    second = read(config, "contacts", "items", "manual_journals", state=first.state)
    assert second.ids("contacts") == [guid("c", 2), guid("c", 50)]
    assert second.ids("items") == [guid("t", 1)]
    assert second.ids("manual_journals") == []
    third = read(config, "contacts", "items", state=second.state)
    assert third.records == {}


def test_a_row_that_changes_within_the_second_of_the_bookmark_is_read(
    config: dict[str, Any], admin: AdminClient
) -> None:
    """If-Modified-Since counts whole seconds."""
    admin.put("Contacts", contact(20, 0) | {"UpdatedDateUTC": "2026-11-05T00:00:00.400Z"})
    first = read(config, "contacts")
    admin.put("Contacts", contact(21, 0) | {"UpdatedDateUTC": "2026-11-05T00:00:00.700Z"})
    second = read(config, "contacts", state=first.state)
    assert second.ids("contacts") == [guid("c", 21)]
    third = read(config, "contacts", state=second.state)
    assert third.ids("contacts") == []


def test_a_row_that_appears_within_the_second_before_the_bookmark_is_read(
    config: dict[str, Any], admin: AdminClient
) -> None:
    first = read(config, "contacts")
    admin.put("Contacts", contact(21, 69.5))
    second = read(config, "contacts", state=first.state)
    assert second.ids("contacts") == [guid("c", 21)]


def test_the_same_row_changed_again_within_a_second_is_read_again(
    config: dict[str, Any], admin: AdminClient
) -> None:
    admin.put("Contacts", contact(20, 0) | {"UpdatedDateUTC": "2026-11-05T00:00:00.400Z"})
    first = read(config, "contacts")
    admin.put("Contacts", contact(20, 0, Name="Again") | {"UpdatedDateUTC": "2026-11-05T00:00:00.900Z"})
    second = read(config, "contacts", state=first.state)
    assert [one["Name"] for one in second.records["contacts"]] == ["Again"]


@pytest.mark.parametrize("switch", ["nothing_new_304", "since_inclusive"])
def test_a_second_run_is_right_with_each_answer_for_no_changes(
    config: dict[str, Any], admin: AdminClient, switch: str
) -> None:
    admin.switch(**{switch: switch == "nothing_new_304"})
    first = read(config, "contacts", "items", "bank_transfers")
    second = read(config, "contacts", "items", "bank_transfers", state=first.state)
    assert second.records == {}
    assert second.failed == {}
    assert second.state == first.state


def test_more_rows_at_the_bookmark_than_the_state_keeps_are_emitted_twice_and_none_is_lost(
    config: dict[str, Any], admin: AdminClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tap_xero.streams.stream.BORDER", 3)
    for n in range(20, 26):
        admin.put("Contacts", contact(n, 0) | {"UpdatedDateUTC": f"2026-11-05T00:00:00.{n}0Z"})
    first = read(config, "contacts")
    assert "border" not in part_of(first.state, "contacts")
    admin.put("Contacts", contact(26, 0) | {"UpdatedDateUTC": "2026-11-05T00:00:00.260Z"})
    second = read(config, "contacts", state=first.state)
    assert set(second.ids("contacts")) == {guid("c", n) for n in range(20, 27)}


# The bookmark


def test_a_bookmark_is_the_time_of_the_last_row_and_never_later(
    config: dict[str, Any], admin: AdminClient
) -> None:
    admin.advance(86_400)
    run = read(config, *INCREMENTAL)
    for stream, records in run.records.items():
        cursor = OBJECTS[stream].cursor
        assert run.bookmark(stream) == max(record[cursor] for record in records), stream
        part = part_of(run.state, stream)
        assert part["replication_key"] == cursor


def test_bookmarks_have_a_fixed_width_so_that_they_compare_as_text(
    config: dict[str, Any], admin: AdminClient
) -> None:
    admin.put("Contacts", contact(20, 0) | {"UpdatedDateUTC": "2026-11-05T00:00:00.500Z"})
    run = read(config, "contacts")
    assert run.bookmark("contacts") == "2026-11-05T00:00:00.500000Z"


def test_an_unpaged_list_is_emitted_in_the_order_of_change(config: dict[str, Any]) -> None:
    """Accounts are sorted by code; the bookmark still follows the times of change."""
    times = [one["UpdatedDateUTC"] for one in read(config, "accounts").records["accounts"]]
    assert times == sorted(times)
    assert len(times) == 6


def test_changes_are_requested_from_a_second_before_the_bookmark(
    config: dict[str, Any], admin: AdminClient
) -> None:
    read(config, "contacts", state=state_at("2026-11-01T00:00:30.700000Z"))
    assert asked_since(admin, "Contacts")[0] == "2026-11-01T00:00:29"


def test_a_bookmark_that_was_set_back_by_hand_is_used(config: dict[str, Any]) -> None:
    state = read(config, "contacts").state
    part = state["bookmarks"]["contacts"]["partitions"][0]
    part["replication_key_value"] = "2026-11-01T00:00:40.000000Z"
    run = read(config, "contacts", state=state)
    assert run.ids("contacts") == [guid("c", n) for n in range(4, 8)]
    part["replication_key_value"] = "2026-11-01"
    assert len(read(config, "contacts", state=state).ids("contacts")) == 7


def test_a_stream_removed_from_the_state_is_read_completely_and_the_others_continue(
    config: dict[str, Any],
) -> None:
    state = read(config, "contacts", "items").state
    del state["bookmarks"]["contacts"]
    run = read(config, "contacts", "items", state=state)
    assert len(run.ids("contacts")) == 7
    assert run.ids("items") == []


def test_a_bookmark_of_another_replication_key_does_not_count(config: dict[str, Any]) -> None:
    state = state_at("2026-11-09T00:00:00.000000Z")
    state["bookmarks"]["contacts"]["partitions"][0]["replication_key"] = "ContactNumber"
    assert len(read(config, "contacts", state=state).ids("contacts")) == 7


def test_the_state_of_organisations_outside_a_run_is_kept(config: dict[str, Any]) -> None:
    other = state_at("2026-01-01T00:00:00.000000Z", tenant_id="33333333-0000-4000-8000-000000000003")
    run = read(config, "contacts", state=other)
    parts = run.state["bookmarks"]["contacts"]["partitions"]
    assert other["bookmarks"]["contacts"]["partitions"][0] in parts
    assert len(parts) == 2


def test_full_tables_have_no_bookmark_and_are_read_completely_each_time(config: dict[str, Any]) -> None:
    first = read(config, "invoices", "tax_rates")
    second = read(config, "invoices", "tax_rates", state=first.state)
    assert second.ids("invoices") == first.ids("invoices")
    assert first.bookmark("invoices") is None


def test_a_bookmark_for_journals_is_their_number(config: dict[str, Any], admin: AdminClient) -> None:
    first = read(config, "journals")
    assert first.bookmark("journals") == FIRST_JOURNAL + 229
    admin.forget_calls()
    read(config, "journals", state=first.state)
    assert [call["query"] for call in admin.calls("Journals")] == [{"offset": str(FIRST_JOURNAL + 229)}]


def test_the_bookmark_of_bank_transfers_is_their_time_of_creation(
    config: dict[str, Any], admin: AdminClient
) -> None:
    """These records have no time of change."""
    first = read(config, "bank_transfers")
    assert first.bookmark("bank_transfers") == "2026-11-01T00:00:02.000000Z"
    admin.put("BankTransfers", {"BankTransferID": guid("b", 3), "Amount": 1})
    second = read(config, "bank_transfers", state=first.state)
    assert second.ids("bank_transfers") == [guid("b", 3)]


# Times in the future


def test_a_record_dated_in_the_future_hides_no_edit(config: dict[str, Any], admin: AdminClient) -> None:
    """Xero dates some records of New Zealand and Australia thirteen hours ahead."""
    admin.set_clock("2026-11-05T00:00:00Z")
    admin.put("Contacts", contact(20, 0) | {"UpdatedDateUTC": "2026-11-05T13:00:00Z"})
    admin.put("Items", dated("t", "ItemID", 9) | {"UpdatedDateUTC": "2026-11-05T13:00:00Z"})
    first = read(config, "contacts", "items")
    assert guid("c", 20) in first.ids("contacts")
    for stream in ("contacts", "items"):
        assert first.bookmark(stream) == "2026-11-05T00:00:00.000000Z"
    admin.set_clock("2026-11-05T06:00:00Z")
    admin.edit("Contacts", guid("c", 3), Name="Edited")
    admin.edit("Items", guid("t", 1), Name="Edited")
    second = read(config, "contacts", "items", state=first.state)
    assert second.ids("contacts") == [guid("c", 3)]
    assert second.ids("items") == [guid("t", 1)]
    assert second.bookmark("contacts") == "2026-11-05T06:00:00.000000Z"
    admin.set_clock("2026-11-06T00:00:00Z")
    third = read(config, "contacts", state=second.state)
    assert set(third.ids("contacts")) <= {guid("c", 20)}
    assert third.bookmark("contacts") >= "2026-11-05T06:00:00.000000Z"
    assert read(config, "contacts", state=third.state).records == {}


@pytest.mark.parametrize("after", range(6))
def test_a_record_dated_in_the_future_hides_no_edit_in_a_list_of_several_pages(
    config: dict[str, Any], admin: AdminClient, after: int
) -> None:
    admin.set_clock("2026-11-05T00:00:00Z")
    for n in range(20, 25):
        admin.put("Contacts", contact(n, 0) | {"UpdatedDateUTC": f"2026-11-05T13:00:{n}Z"})
    admin.fault("edit", path="Contacts", resource="Contacts", id=guid("c", 2), after=after)
    settings = {**config, "page_size": 2}
    first = read(settings, "contacts")
    assert first.bookmark("contacts") <= "2026-11-05T00:00:00.000000Z"
    admin.set_clock("2026-11-05T06:00:00Z")
    admin.edit("Contacts", guid("c", 3), Name="Edited")
    second = read(settings, "contacts", state=first.state)
    assert guid("c", 3) in second.ids("contacts")
    now = {one["ContactID"]: instant(one["UpdatedDateUTC"]) for one in admin.records("Contacts")}
    seen = {(r["ContactID"], r["UpdatedDateUTC"]) for run in (first, second) for r in run.records["contacts"]}
    assert set(now.items()) <= seen


@pytest.mark.parametrize("stream", ["contacts", "items", "contact_history"])
def test_a_state_in_the_future_is_logged_and_read_from_now(
    config: dict[str, Any], admin: AdminClient, stream: str
) -> None:
    admin.set_clock("2026-11-05T00:00:00Z")
    metadata = {"selected": True, "replication-method": "INCREMENTAL"}
    catalog = {"streams": [{"tap_stream_id": stream, "metadata": [{"breadcrumb": [], "metadata": metadata}]}]}
    far = {
        "context": {"tenant_id": HARBOUR},
        "replication_key": "UpdatedDateUTC",
        "replication_key_value": "2099-01-01T00:00:00.000000Z",
    }
    state = {"bookmarks": {stream: {"partitions": [far]}}}
    first = read(config, stream, state=state, catalog=catalog)
    assert [line for line in first.warnings if "2099-01-01" in line and f"{stream} of Harbour" in line]
    assert first.bookmark(stream) == "2026-11-05T00:00:00.000000Z"
    admin.set_clock("2026-11-05T01:00:00Z")
    admin.edit("Contacts", guid("c", 3), Name="Edited")
    admin.edit("Items", guid("t", 1), Name="Edited")
    second = read(config, stream, state=first.state, catalog=catalog)
    assert second.records[stream]
    assert second.warnings == []


def test_a_start_date_in_the_future_is_not_used_as_a_bookmark(config: dict[str, Any]) -> None:
    run = read({**config, "start_date": "2099-01-01"}, "contacts")
    assert run.records == {}
    assert run.warnings == []


# The last STATE


def test_the_last_message_of_a_run_is_a_state_that_no_record_follows(
    config: dict[str, Any], tmp_path: Path
) -> None:
    """target-jsonl and others drop a STATE that is followed by a RECORD."""
    catalog = only(tmp_path, "contacts", "items", "organisation", "tax_rates")
    first = command("--catalog", catalog, config=config, at=tmp_path)
    kinds = [message["type"] for message in first.messages]
    assert kinds[-1] == "STATE"
    (tmp_path / "state.json").write_text(json.dumps(first.messages[-1]["value"]), encoding="utf-8")
    second = command("--catalog", catalog, "--state", "state.json", config=config, at=tmp_path)
    assert [message["type"] for message in second.messages][-1] == "STATE"
    assert second.messages[-1]["value"] == first.messages[-1]["value"]
    assert [message["stream"] for message in second.messages if message["type"] == "RECORD"] == [
        "organisation",
        "tax_rates",
    ]


def test_a_run_of_full_tables_ends_with_a_state_as_well(config: dict[str, Any], tmp_path: Path) -> None:
    done = command("--catalog", only(tmp_path, "tax_rates"), config=config, at=tmp_path)
    assert [message["type"] for message in done.messages][-1] == "STATE"


# start_date


@pytest.mark.parametrize(
    "start", ["2026-11-01T00:00:40Z", "2026-11-01T01:00:40+01:00", "2026-11-01 00:00:40"]
)
def test_a_first_run_starts_at_start_date(config: dict[str, Any], admin: AdminClient, start: str) -> None:
    run = read({**config, "start_date": start}, "contacts")
    assert run.ids("contacts") == [guid("c", n) for n in range(4, 8)]
    assert asked_since(admin, "Contacts")[0] == "2026-11-01T00:00:39"


def test_start_date_may_be_a_day(config: dict[str, Any], admin: AdminClient) -> None:
    assert len(read({**config, "start_date": "2026-11-01"}, "contacts").ids("contacts")) == 7
    assert read({**config, "start_date": "2026-11-02"}, "contacts").ids("contacts") == []


@pytest.mark.parametrize("start", ["2020-01-01", "2030-01-01"])
def test_a_bookmark_overrides_start_date(config: dict[str, Any], start: str) -> None:
    state = state_at("2026-11-01T00:00:59.000000Z")
    run = read({**config, "start_date": start}, "contacts", state=state)
    assert run.ids("contacts") == [guid("c", 6), guid("c", 7)]


def test_full_tables_are_read_completely_whatever_start_date_is(config: dict[str, Any]) -> None:
    assert len(read({**config, "start_date": "2030-01-01"}, "invoices").ids("invoices")) == 5


# Forms of states


def test_the_state_is_json_that_can_be_read_back(config: dict[str, Any]) -> None:
    state = read(config, *INCREMENTAL).state
    assert json.loads(json.dumps(state)) == state
    assert all(
        part["context"] == {"tenant_id": HARBOUR}
        for stream in state["bookmarks"].values()
        for part in stream["partitions"]
    )


def test_no_record_follows_the_last_state(config: dict[str, Any]) -> None:
    kinds = [message["type"] for message in read(config, "contacts", "items", "journals").messages]
    assert "RECORD" not in kinds[len(kinds) - kinds[::-1].index("STATE") :]
