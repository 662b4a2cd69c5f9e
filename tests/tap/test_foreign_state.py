"""States of other taps, targets and Meltano are used as far as possible; the rest is logged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from singer_xero.objects import OBJECTS
from tap_xero.state.foreign import state_from, unwrapped
from xero_sandbox import AdminClient

from .company import FIRST_JOURNAL, HARBOUR, HARBOUR_NAME, TIDE, guid
from .runs import bookmark, command, last_state, read, records_of, state_at
from .test_bookmarks import asked_since
from .test_command import only

#: singer-io's tap keeps the time of the last row under the field's name; bank transfers have CreatedDateUTC only.
CLASSIC = {
    "currently_syncing": "contacts",
    "bookmarks": {
        **{
            name: {"UpdatedDateUTC": "2026-11-01T00:00:40Z"}
            for name in (
                "accounts",
                "bank_transactions",
                "contacts",
                "credit_notes",
                "expense_claims",
                "invoices",
                "items",
                "manual_journals",
                "overpayments",
                "payments",
                "prepayments",
                "purchase_orders",
                "receipts",
                "users",
            )
        },
        "bank_transfers": {"CreatedDateUTC": "2026-11-01T00:00:01Z"},
        "contacts": {"UpdatedDateUTC": "2026-11-01T00:00:40Z", "offset": {"page": 3}},
        "employees": {"UpdatedDateUTC": "2026-11-01T00:00:40Z"},
        "journals": {"JournalNumber": FIRST_JOURNAL + 200},
        "linked_transactions": {"UpdatedDateUTC": "2026-11-01T00:00:40Z"},
    },
}


def test_the_bookmarks_of_the_classic_tap_are_used_for_every_stream_that_has_one(
    config: dict[str, Any], admin: AdminClient
) -> None:
    streams = [name for name in CLASSIC["bookmarks"] if name in OBJECTS]  # type: ignore[attr-defined]
    run = read(config, *streams, state=CLASSIC)
    assert run.ids("contacts") == [guid("c", number) for number in range(4, 8)]
    assert asked_since(admin, "Contacts")[0] == "2026-11-01T00:00:39"
    assert admin.calls("/Journals")[0]["query"] == {"offset": str(FIRST_JOURNAL + 200)}
    assert len(run.records["journals"]) == 29
    for name in streams:
        if OBJECTS[name].incremental:
            assert run.bookmark(name) is not None, name
    assert [
        line
        for line in run.said()
        if line.startswith("The state is from another tap") and HARBOUR_NAME in line
    ]
    (ignored,) = [line for line in run.warnings if line.startswith("These parts of the state are ignored")]
    assert "employees: there is no such stream" in ignored
    assert "linked_transactions: Xero can't be asked for changes" in ignored
    assert "invoices: it is a full table; choose INCREMENTAL" in ignored
    assert "contacts" not in ignored


def test_after_the_first_run_the_state_has_the_form_of_this_tap(config: dict[str, Any]) -> None:
    state = {"bookmarks": {"contacts": CLASSIC["bookmarks"]["contacts"]}}  # type: ignore[index]
    first = read(config, "contacts", state=state)
    assert first.state["bookmarks"]["contacts"].keys() == {"partitions"}
    second = read(config, "contacts", state=first.state)
    assert second.records == {}
    assert second.warnings == []


def test_a_bookmark_of_the_classic_tap_waits_for_a_stream_that_is_made_incremental(
    config: dict[str, Any],
) -> None:
    first = read(config, "invoices", state=CLASSIC)
    assert len(first.ids("invoices")) == 5
    metadata = {"selected": True, "replication-method": "INCREMENTAL"}
    entry = {"tap_stream_id": "invoices", "metadata": [{"breadcrumb": [], "metadata": metadata}]}
    second = read(config, "invoices", state=first.state, catalog={"streams": [entry]})
    assert len(second.ids("invoices")) < 5


def test_the_flat_bookmarks_of_other_sdk_taps_are_used(config: dict[str, Any], admin: AdminClient) -> None:
    flat = {"replication_key": "UpdatedDateUTC", "replication_key_value": "2026-11-01T00:00:40+00:00"}
    run = read(config, "contacts", state={"bookmarks": {"contacts": flat}})
    assert run.ids("contacts") == [guid("c", number) for number in range(4, 8)]
    assert run.warnings == []


def test_with_several_organisations_flat_bookmarks_are_not_used(
    web: dict[str, Any], admin: AdminClient
) -> None:
    run = read({**web, "tenant_ids": [HARBOUR, TIDE]}, "contacts", state=CLASSIC)
    assert len(run.ids("contacts")) > 7
    (ignored,) = [line for line in run.warnings if line.startswith("These parts of the state are ignored")]
    assert "contacts" in ignored
    assert "they do not name an organisation" in ignored
    alone = read({**web, "tenant_ids": [HARBOUR]}, "contacts", state=CLASSIC)
    assert len(alone.ids("contacts")) == 4


def test_the_bookmark_of_this_tap_has_priority(config: dict[str, Any]) -> None:
    state = state_at("2026-11-01T00:00:59.000000Z")
    state["bookmarks"]["contacts"]["UpdatedDateUTC"] = "2026-11-01T00:00:20Z"
    run = read(config, "contacts", state=state)
    assert run.ids("contacts") == [guid("c", 6), guid("c", 7)]
    assert "this tap's own bookmark" in run.warnings[0]


@pytest.mark.parametrize(
    ("state", "named"),
    [
        ({"contacts": "2026-11-01T00:00:40Z"}, "its fields contacts: there are no bookmarks"),
        ({"bookmarks": {"contacts": {"ModifiedDate": "2026-11-01"}}}, "contacts (ModifiedDate)"),
        ({"bookmarks": {"contacts": {"UpdatedDateUTC": "yesterday"}}}, "'yesterday' is not a bookmark"),
        ({"bookmarks": {"contacts": {"UpdatedDateUTC": 5}}}, "5 is not a bookmark"),
        (
            {"bookmarks": {"contacts": {"partitions": [{"context": {"tenantId": "a"}}]}}},
            "contacts (tenantId): it names no tenant_id",
        ),
    ],
)
def test_an_unusable_state_is_logged_and_everything_is_read(
    config: dict[str, Any], state: dict[str, Any], named: str
) -> None:
    run = read(config, "contacts", state=state)
    assert len(run.ids("contacts")) == 7
    assert named in run.warnings[0]


# Wrapped states

STATE = state_at("2026-11-01T00:00:40.000000Z")
WRAPPED = {
    "a STATE line": json.dumps({"type": "STATE", "value": STATE}),
    "STATE lines of which the last counts": "\n".join(
        json.dumps({"type": "STATE", "value": state}) for state in ({}, state_at("2026-11-01"), STATE)
    ),
    "all that a target printed": "\n".join(map(json.dumps, (state_at("2026-11-01"), STATE))) + "\n\n",
    "what meltano state get prints": json.dumps({"singer_state": STATE}),
    "what Meltano keeps": json.dumps({"completed": {"singer_state": STATE}, "partial": {}}),
    "a state over several lines": json.dumps(STATE, indent=2),
}


@pytest.mark.parametrize("text", WRAPPED.values(), ids=WRAPPED)
def test_a_state_is_unwrapped(text: str) -> None:
    assert state_from(text) == STATE
    assert unwrapped(STATE) is STATE


def test_a_run_continues_from_a_wrapped_state(config: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text(WRAPPED["what meltano state get prints"], encoding="utf-8")
    done = command(
        "--state", "state.json", "--catalog", only(tmp_path, "contacts"), config=config, at=tmp_path
    )
    assert done.code == 0
    assert len(records_of(done.messages)["contacts"]) == 4
    assert bookmark(last_state(done.messages), "contacts") == "2026-11-01T00:01:10.000000Z"


@pytest.mark.parametrize("text", ["", "\n", "  \n\n"])
def test_an_empty_state_file_is_no_state(config: dict[str, Any], tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text, encoding="utf-8")
    done = command(
        "--state", "state.json", "--catalog", only(tmp_path, "contacts"), config=config, at=tmp_path
    )
    assert done.code == 0
    assert len(records_of(done.messages)["contacts"]) == 7
