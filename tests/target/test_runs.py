"""A run as a whole: streams, states, rejects, the dry run, and errors before it begins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from singer_xero.errors import ConfigurationProblem
from target_xero.write_log.sqlite_log import open_sqlite_log
from target_xero.write_specs.not_written import NOT_WRITTEN
from xero_sandbox import apps

from .conftest import Wiring, decode, lines, record, schema, state

GOOD = [schema("contacts", "id"), *(record("contacts", id=n, Name=f"Contact {n}") for n in (1, 2))]
BAD = record("contacts", id="bad", Name="Bad", EmailAddress="nowhere", Colour="red")


# Streams


def test_an_unknown_stream_ends_the_run_before_the_first_call(wiring: Wiring):
    run = wiring.write(GOOD, schema("deals", "id"), record("deals", id=1))
    assert isinstance(run.error, ConfigurationProblem)
    assert "The stream 'deals' is unknown" in str(run.error)
    assert wiring.xero.admin.calls() == []


def test_an_unknown_stream_can_be_skipped(wiring: Wiring):
    run = wiring.write(GOOD, schema("deals", "id"), record("deals", id=1), on_unknown_stream="ignore")
    assert run.error is None
    assert (run.count("contacts"), run.count("deals")) == ({"created": 2}, {"skipped": 1})


@pytest.mark.parametrize("stream", NOT_WRITTEN)
def test_streams_that_are_only_read_are_skipped_with_a_reason(wiring: Wiring, stream: str):
    run = wiring.write(schema(stream, "id"), record(stream, id=1), record(stream, id=2))
    assert run.error is None
    assert run.count(stream) == {"skipped": 2}
    assert run.logged(f"The stream {stream} is skipped: {NOT_WRITTEN[stream]}.")
    assert wiring.xero.admin.calls() == []


def test_unknown_fields_are_logged_once(wiring: Wiring):
    run = wiring.write(
        GOOD[0], [record("contacts", id=n, Name=f"C{n}", Colour="red", shoe_size=1) for n in range(3)]
    )
    given = [message for message in run.messages if "no field of Xero's contacts" in message]
    assert given == ["contacts: Colour, shoe_size ignored (no field of Xero's contacts)."]


def test_stream_maps_can_reshape_rows(wiring: Wiring):
    maps = {"customers": {"__alias__": "contacts", "Name": "full_name", "__else__": None, "id": "id"}}
    described = {
        **schema("customers", "id"),
        "schema": {"properties": {"id": {"type": "integer"}, "full_name": {"type": "string"}}},
    }
    customer = record("customers", id=1, full_name="Abel")
    run = wiring.write(described, customer, stream_maps=maps)
    assert run.error is None
    assert run.count("contacts") == {"created": 1}
    assert wiring.records("Contacts")[0]["Name"] == "Abel"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense\n", "Line 1 of the input is not JSON"),
        ("[1]\n", "Line 1 of the input is not a Singer message"),
        (lines(GOOD[0]) + '{"type": "HELLO"}\n', "Line 2 of the input has the unknown type 'HELLO'"),
        (
            lines(record("contacts", id=1)),
            "Line 1 of the input is a record of 'contacts', but no SCHEMA message precedes it",
        ),
        (
            '{"type": "SCHEMA", "stream": "contacts", "schema": {}}\n',
            "Line 1 of the input has no 'properties'",
        ),
        (
            lines(GOOD[0]) + '{"type": "RECORD", "stream": "contacts"}\n',
            "Line 2 of the input has no 'record'",
        ),
        ('{"type": "STATE"}\n', "Line 1 of the input is a STATE without a value"),
        (
            lines(GOOD[0], {"type": "BATCH", "stream": "contacts", "encoding": {}, "manifest": []}),
            "BATCH messages",
        ),
    ],
)
def test_invalid_input_is_reported_with_its_line(wiring: Wiring, text: str, words: str):
    run = wiring.write(text)
    assert words in str(run.error)
    assert wiring.xero.admin.calls() == []


# Before the first write


def test_several_organisations_are_an_error(wiring: Wiring):
    other = wiring.xero.admin.add_organisation("Other Ltd")
    wiring.xero.admin.consent(apps.CUSTOM_CONNECTION.client_id, [other])
    run = wiring.write(GOOD, tenant_ids=[wiring.tenant, other])
    assert "target-xero writes to one" in str(run.error)
    run = wiring.write(GOOD, tenant_ids=[])
    assert "name the ones to use in tenant_ids" in str(run.error)
    assert wiring.writes() == []


def test_a_missing_scope_is_reported_before_anything_is_written(wiring: Wiring):
    scopes = ["accounting.contacts", "accounting.settings", "accounting.manualjournals.read"]
    app = wiring.xero.admin.add_app(kind=apps.CUSTOM, scopes=scopes)
    wiring.config |= {name: app[name] for name in ("client_id", "client_secret")}
    lines_ = [{"LineAmount": 5, "AccountCode": "477"}, {"LineAmount": -5, "AccountCode": "825"}]
    journal = record("manual_journals", id=1, Narration="Pay", JournalLines=lines_)
    run = wiring.write(GOOD, schema("manual_journals", "id"), journal)
    assert "accounting.manualjournals for manual_journals" in str(run.error)
    assert wiring.writes() == []


def test_one_run_at_a_time_can_use_a_log(wiring: Wiring):
    wiring.write(GOOD)
    with open_sqlite_log(Path(wiring.config["write_log_path"]), wiring.tenant):
        run = wiring.write(GOOD)
    assert "Another run is writing with the log of writes" in str(run.error)


def test_a_file_that_is_no_log_is_not_changed(wiring: Wiring):
    path = wiring.folder / "writes.db"
    path.write_text("Dear diary")
    run = wiring.write(GOOD)
    assert "is not a log of writes" in str(run.error)
    assert path.read_text() == "Dear diary"
    assert wiring.writes() == []


# States


def test_a_state_waits_for_everything_before_it(wiring: Wiring):
    # Contacts are written before invoices, whatever the order they came in.
    invoice = record(
        "invoices", id=1, Type="ACCREC", contact_name="Contact 1", LineItems=[{"Description": "Work"}]
    )
    wiring.xero.admin.fault("server_error", method="PUT", path="Invoices", count=0)
    stream = [GOOD[0], GOOD[1], state(1), schema("invoices", "id"), invoice, state(2), GOOD[2], state(3)]
    run = wiring.write(stream, tries=1)
    assert run.error is not None
    assert run.states == [1]
    wiring.xero.admin.clear_faults()
    assert wiring.write(stream).states == [3]


def test_a_state_is_passed_on_exactly_as_it_came(wiring: Wiring):
    value = {"bookmarks": {"invoices": {"at": "2026-11-05T00:00:00.000000Z", "n": 1.10}}}
    assert wiring.write(GOOD, state(value)).states == [decode(lines(value))]


def test_states_alone_are_passed_on_without_a_call(wiring: Wiring):
    assert wiring.write(state(1), state(2)).states == [2]
    assert wiring.xero.admin.calls() == []


# Rejects


def test_rejects_are_a_singer_stream_that_can_be_corrected_and_piped_in(wiring: Wiring):
    first = wiring.write(GOOD, BAD, state("all"))
    assert (first.count("contacts"), first.states) == ({"created": 2, "rejected": 1}, ["all"])
    messages = [decode(line) for line in first.rejects.read_bytes().splitlines()]
    assert [m["type"] for m in messages] == ["SCHEMA", "RECORD"]
    assert messages[0]["key_properties"] == ["id"]
    rejected = messages[1]["record"]
    assert {n: v for n, v in rejected.items() if not n.startswith("_rejected")} == BAD["record"]
    assert rejected["_rejected_reason"] == "Email address must be valid."
    mended = first.rejects.read_text().replace("nowhere", "bad@example.com")
    first.rejects.unlink()
    run = wiring.write(mended)
    assert (run.error, run.count("contacts")) == (None, {"created": 1})
    assert not run.rejects.exists()
    assert len(wiring.records("Contacts")) == 3


def test_rejects_are_appended_and_never_overwritten(wiring: Wiring):
    wiring.write(GOOD[0], BAD)
    run = wiring.write(GOOD[0], record("contacts", id="worse", Name=""))
    assert [reason for _, reason in run.rejected] == [
        "Email address must be valid.",
        "Name: it is required for a new record of contacts",
    ]


def test_the_file_of_rejects_can_itself_be_the_input(wiring: Wiring):
    run = wiring.write(GOOD[0], BAD)
    again = wiring.write(run.rejects.read_text())
    assert again.count("contacts") == {"rejected": 1}
    assert again.rejected == run.rejected


def test_a_record_without_its_key_is_a_reject(wiring: Wiring):
    run = wiring.write(GOOD, record("contacts", Name="Nobody"))
    assert run.count("contacts") == {"created": 2, "rejected": 1}
    assert run.rejected == [("contacts", "id: the key is empty")]


def test_the_first_reject_can_stop_the_run(wiring: Wiring):
    stream = [
        GOOD,
        state(1),
        BAD,
        state(2),
        [record("contacts", id=n, Name=f"N{n}") for n in range(50)],
        state(3),
    ]
    run = wiring.write(*stream, on_reject="stop", batch_size=3)
    assert "Stopped at the first reject" in str(run.error)
    assert run.count("contacts") == {"created": 2, "rejected": 1}
    assert run.states == [2]


def test_a_record_of_the_wrong_shape_stops_the_run_before_anything_is_written(wiring: Wiring):
    odd = record("contacts", id=3, Name="Odd", Phones="none")
    run = wiring.write(GOOD, odd, on_reject="stop")
    assert "Stopped at the first reject" in str(run.error)
    assert wiring.writes() == []


# The dry run


def whole_stream() -> list[dict[str, Any]]:
    work = {"Description": "Work", "Quantity": 1, "UnitAmount": 10, "AccountCode": "200"}
    allocation = {"Invoice": {"InvoiceNumber": "I-1"}, "Amount": 5, "Date": "2026-11-05"}
    return [
        *GOOD,
        BAD,
        schema("invoices", "id"),
        record("invoices", id=1, Type="ACCREC", InvoiceNumber="I-1", contact_name="Contact 1", LineItems=[work],
               Status="AUTHORISED", DueDate="2026-12-01"),
        record("invoices", id=2, Type="ACCREC", contact_name="Nobody", LineItems=[work]),
        schema("credit_notes", "id"),
        record("credit_notes", id=1, Type="ACCRECCREDIT", contact_name="Contact 1", LineItems=[work],
               Status="AUTHORISED", Allocations=[allocation]),
        schema("quotes", "id"),
        record("quotes", id=1, contact_name="Contact 2", Date="2026-11-05", LineItems=[work], Status="ACCEPTED"),
        state("all"),
    ]  # fmt: skip


def test_a_dry_run_reports_what_would_happen_and_changes_nothing(wiring: Wiring):
    run = wiring.write(whole_stream(), dry_run=True)
    assert run.error is None
    assert {name: run.count(name) for name in run.counts} == {
        "contacts": {"created": 3},  # what only Xero can find wrong is not known yet
        "invoices": {"created": 1, "rejected": 1},
        "credit_notes": {"created": 1},
        "quotes": {"created": 1},
        "allocations": {"created": 1},
    }
    assert run.logged("dry run: nothing was sent")
    assert run.logged(
        "invoices id=2 rejected: Contact: Xero has no record of contacts with the Name 'Nobody'"
    )
    assert run.states == []
    assert wiring.writes() == []
    assert not (wiring.folder / "writes.db").exists()
    assert not run.rejects.exists()


def test_a_dry_run_after_a_real_one_finds_everything_unchanged(wiring: Wiring):
    wiring.write(whole_stream())
    before = (wiring.folder / "writes.db").read_bytes()
    wiring.xero.admin.forget_calls()
    run = wiring.write(whole_stream(), dry_run=True)
    assert run.count("contacts") == {"unchanged": 2, "created": 1}
    assert run.count("invoices") == {"unchanged": 1, "rejected": 1}
    assert (run.count("quotes"), run.count("allocations")) == ({"unchanged": 1}, {"unchanged": 1})
    assert wiring.writes() == []
    assert (wiring.folder / "writes.db").read_bytes() == before


def test_the_summary_counts_the_calls_of_each_object(wiring: Wiring):
    run = wiring.write(GOOD)
    table = next(message for message in run.messages if message.startswith("Summary"))
    assert table.splitlines()[1].split() == [
        "object", "created", "updated", "removed", "unchanged", "rejected", "different", "skipped", "calls",
    ]  # fmt: skip
    assert table.splitlines()[2].split() == ["contacts", "2", "0", "0", "0", "0", "0", "0", "2"]
