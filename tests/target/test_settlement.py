"""Settlement alone: the log of writes, the summary and the state after an outcome."""

from __future__ import annotations

import dataclasses

import pytest
from msgspec.structs import replace

from target_xero.write_log.log import LogEntry
from target_xero.writing.answers import Refusal

from .conftest import Wiring
from .parts import CONTACTS, Parts, create, job, parts

ID = "6a40b05b-d926-5f37-a9b6-c937434088c3"


def counted(built: Parts) -> dict[str, int]:
    found = built.summary.of("contacts")
    names = ("created", "updated", "removed", "unchanged", "rejected", "different", "skipped")
    return {name: value for name in names if (value := getattr(found, name))}


def test_a_written_record_is_found_by_key_id_and_name(wiring: Wiring):
    with parts(wiring) as built:
        op = create(CONTACTS, "1", Name="Abel")
        built.intake.states.opened(0)
        assert built.settlement.settle(CONTACTS, [op], [{"ContactID": ID, "Name": "Abel"}]) == []
        entry = built.log.entry("contacts", op.job.key)
        assert entry is not None and (entry.hash, entry.xero_id, entry.attempts) == (op.hash, ID, 1)
        assert built.log.holder("contacts", ID) == op.job.key
        assert built.log.by_name("contacts", "Name", "ABEL") == ID
        assert counted(built) == {"created": 1}


def test_a_state_is_passed_on_once_the_records_before_it_are_settled(wiring: Wiring):
    with parts(wiring) as built:
        ops = [create(CONTACTS, key, Name=key) for key in "12"]
        for _ in ops:
            built.intake.states.opened(0)
        built.intake.states.received("after both")
        built.settlement.settle(CONTACTS, ops[:1], [{"ContactID": ID, "Name": "1"}])
        assert built.states == []
        built.settlement.settle(CONTACTS, ops[1:], [Refusal("no")])
        assert built.states == ["after both"]


def test_progress_is_logged_every_thirty_seconds(wiring: Wiring, caplog: pytest.LogCaptureFixture):
    times = [0.0]
    with parts(wiring) as built, caplog.at_level("INFO"):
        tally = dataclasses.replace(built.settlement.tally, clock=lambda: times[-1])
        built.intake.counts["contacts"] = 5
        for now in (29.9, 30.0, 59.9, 60.0):
            times.append(now)
            tally.count(CONTACTS, "created")
            tally.tell_progress(CONTACTS)
    told = [record.message for record in caplog.records if "records done" in record.message]
    assert told == ["contacts: 2 of 5 records done.", "contacts: 4 of 5 records done."]


def test_a_refused_record_is_a_reject_with_xero_s_reason_and_counts_as_an_attempt(wiring: Wiring):
    with parts(wiring) as built:
        op = create(CONTACTS, "1", Name="Abel")
        built.intake.states.opened(0)
        assert built.settlement.settle(CONTACTS, [op], [Refusal("Xero says no")]) == []
        entry = built.log.entry("contacts", op.job.key)
        assert entry is not None and (entry.hash, entry.xero_id, entry.attempts) == (None, None, 1)
        assert counted(built) == {"rejected": 1}
    assert "Xero says no" in (wiring.folder / "rejects.singer").read_text()


def test_a_refused_create_adopts_the_record_that_xero_has(wiring: Wiring):
    wiring.xero.admin.put("Contacts", {"ContactID": ID, "Name": "Abel"}, wiring.tenant)
    (there,) = [one for one in wiring.records("Contacts") if one["Name"] == "Abel"]
    with parts(wiring) as built:
        op = create(CONTACTS, "1", Name="Abel")
        built.intake.states.opened(0)
        assert built.settlement.settle(CONTACTS, [op], [Refusal("The name is in use")]) == []
        entry = built.log.entry("contacts", op.job.key)
        assert entry is not None and entry.xero_id == there["ContactID"]
        assert counted(built) == {"unchanged": 1}


def test_further_statuses_follow_as_separate_operations(wiring: Wiring):
    with parts(wiring) as built:
        op = replace(create(CONTACTS, "1", Name="Abel"), after=("ARCHIVED",))
        built.intake.states.opened(0)
        assert built.settlement.settle(CONTACTS, [op], [{"ContactID": ID, "Name": "Abel"}]) == []
        ((_, last),) = built.settlement.postponed.values()
        assert (last.action, last.body) == ("remove", {"ContactID": ID, "ContactStatus": "ARCHIVED"})
        entry = built.log.entry("contacts", op.job.key)
        assert entry is not None and entry.hash is None  # not written as a whole yet


def test_an_answer_that_differs_is_counted(wiring: Wiring):
    with parts(wiring) as built:
        op = create(CONTACTS, "1", Name="Abel", FirstName="A")
        built.intake.states.opened(0)
        built.settlement.settle(CONTACTS, [op], [{"ContactID": ID, "Name": "Abel", "FirstName": "B"}])
        assert counted(built) == {"created": 1, "different": 1}


def test_a_plan_that_needs_no_request_is_settled_at_once(wiring: Wiring):
    with parts(wiring) as built:
        one = job(CONTACTS, "1", Name="Abel")
        built.log.settle("contacts", written=[(one.key, LogEntry(hash=one.hash, xero_id=ID))])
        built.intake.states.opened(0)
        assert built.settlement.plan(CONTACTS, one) is None
        assert counted(built) == {"unchanged": 1}


def test_a_record_that_breaks_a_rule_is_rejected_by_its_plan(wiring: Wiring):
    with parts(wiring) as built:
        built.intake.states.opened(0)
        assert built.settlement.plan(CONTACTS, job(CONTACTS, "1", FirstName="A")) is None
        assert counted(built) == {"rejected": 1}
