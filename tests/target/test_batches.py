"""Batches: their size, how they are split, and which answer belongs to which record."""

from __future__ import annotations

import json
from typing import Any

import pytest

from singer_xero.api.client import XeroClient
from singer_xero.api.errors import DayLimitReached
from target_xero.planning.operations import WriteOp
from target_xero.write_specs.rows import WRITE_SPECS
from target_xero.write_specs.spec import Endpoint
from target_xero.writing.answers import messages, paired

from .conftest import Wiring, record, schema, state

STRANGER = "6a40b05b-d926-5f37-a9b6-c937434088c3"
PUT_CONTACTS = {"method": "PUT", "path": "Contacts"}


def contacts(number: int, **values: Any) -> list[dict[str, Any]]:
    return [
        schema("contacts", "id"),
        *(record("contacts", id=n, Name=f"Contact {n}", **values) for n in range(number)),
    ]


def sizes(wiring: Wiring) -> list[int]:
    """Bytes of every write."""
    return [call["body_bytes"] for call in wiring.writes()]


def test_ten_thousand_contacts_take_201_writes_and_none_the_second_time(wiring: Wiring):
    stream = contacts(10_000)
    run = wiring.write(stream, state("all"))
    assert run.count("contacts") == {"created": 10_000}
    assert len(wiring.writes()) <= 201
    assert run.states == ["all"]
    wiring.xero.admin.forget_calls()
    run = wiring.write(stream, state("all"))
    assert run.count("contacts") == {"unchanged": 10_000}
    assert wiring.writes() == []
    assert run.states == ["all"]


def test_every_write_requests_an_answer_per_record_and_four_decimals(wiring: Wiring):
    line = {"Description": "Work", "Quantity": 1, "UnitAmount": "1.2345", "AccountCode": "200"}
    invoice = record("invoices", id=1, Type="ACCREC", contact_name="Contact 0", LineItems=[line])
    wiring.write(contacts(1), schema("invoices", "id"), invoice)
    assert [call["query"] for call in wiring.writes()] == [
        {"summarizeErrors": "false"},
        {"summarizeErrors": "false", "unitdp": "4"},
    ]
    assert len({call["headers"]["Idempotency-Key"] for call in wiring.writes()}) == 2


def test_batch_size_limits_the_records_of_a_request(wiring: Wiring):
    wiring.write(contacts(7), batch_size=3)
    assert len(wiring.writes()) == 3


def test_a_request_stays_below_three_and_a_half_megabytes(wiring: Wiring):
    run = wiring.write(contacts(20, BankAccountDetails="x" * 400_000))
    assert len(wiring.writes()) == 3
    assert max(sizes(wiring)) < 3_500_000
    assert sum(run.count("contacts").values()) == 20


def test_a_request_that_is_too_large_is_halved_until_it_fits(wiring: Wiring):
    wiring.xero.admin.limits(body=300)
    run = wiring.write(contacts(20))
    assert run.error is None
    assert run.count("contacts") == {"created": 20}
    assert {call["status"] for call in wiring.writes()} == {200, 413}


def test_a_record_that_is_too_large_by_itself_is_the_only_reject(wiring: Wiring):
    wiring.xero.admin.limits(body=5_000)
    large = record("contacts", id="large", Name="Large", BankAccountDetails="x" * 6_000)
    run = wiring.write(contacts(3), large, [record("contacts", id="last", Name="Last")])
    assert run.count("contacts") == {"created": 4, "rejected": 1}
    assert "PayloadTooLarge" in run.rejected[0][1]


def test_one_unknown_id_in_a_batch_rejects_only_its_own_record(wiring: Wiring):
    wiring.write(contacts(30))
    changed = contacts(30, FirstName="F")
    changed.insert(9, record("contacts", id="x", ContactID=STRANGER, Name="Nobody"))
    run = wiring.write(changed)
    assert run.count("contacts") == {"updated": 30, "rejected": 1}
    assert "404" in run.rejected[0][1]
    assert {c["FirstName"] for c in wiring.records("Contacts")} == {"F"}


def test_a_batch_refused_without_errors_of_records_is_halved(wiring: Wiring):
    body = json.dumps(
        {"ErrorNumber": 14, "Type": "PostDataInvalidException", "Message": "Something is wrong"}
    )
    wiring.xero.admin.fault("status", **PUT_CONTACTS, status=400, body=body)
    assert wiring.write(contacts(10)).count("contacts") == {"created": 10}
    assert len(wiring.writes()) == 3


def test_the_good_records_of_a_refused_batch_are_not_written_twice(wiring: Wiring):
    # Xero answered for its failures only, with 400, and has kept the others (Xero-Net#354).
    answer = {
        "ErrorNumber": 10,
        "Type": "ValidationException",
        "Message": "A validation exception occurred",
        "Elements": [{"Narration": "Pay 3", "ValidationErrors": [{"Message": "Not today"}]}],
    }

    def lines(number: int) -> list[dict[str, Any]]:
        return [{"LineAmount": number, "AccountCode": "477"}, {"LineAmount": -number, "AccountCode": "825"}]

    journals = [
        record("manual_journals", id=n, Narration=f"Pay {n}", Date="2099-11-05", JournalLines=lines(n))
        for n in (1, 2, 3)
    ]
    wiring.write(contacts(1))  # a log that is not new looks for no document dated later
    wiring.write(
        schema("manual_journals", "id"), journals[:2], **{"write_log_path": str(wiring.folder / "other.db")}
    )
    assert len(wiring.records("ManualJournals")) == 2
    wiring.xero.admin.fault(
        "status", method="PUT", path="ManualJournals", status=400, body=json.dumps(answer)
    )
    run = wiring.write(schema("manual_journals", "id"), journals)
    assert run.error is None
    assert sum(run.count("manual_journals").values()) == 3
    assert sorted(j["Narration"] for j in wiring.records("ManualJournals")) == ["Pay 1", "Pay 2", "Pay 3"]
    keys = wiring.ids("manual_journals")
    assert set(keys.values()) == {j["ManualJournalID"] for j in wiring.records("ManualJournals")}


def test_the_daily_limit_ends_the_run_and_the_next_run_continues(wiring: Wiring):
    wiring.xero.admin.fault("rate_limit", **PUT_CONTACTS, problem="day", retry_after=3600, after=2, count=0)
    run = wiring.write(contacts(200), state("all"))
    assert isinstance(run.error, DayLimitReached)
    assert run.states == []
    assert run.count("contacts") == {"created": 100}
    wiring.xero.admin.clear_faults()
    run = wiring.write(contacts(200), state("all"))
    assert run.count("contacts") == {"created": 100, "unchanged": 100}
    assert run.states == ["all"]


def test_the_second_half_of_a_batch_is_written_if_the_first_is_refused(wiring: Wiring):
    bad = [record("contacts", id=f"bad{n}", Name=f"Bad {n}", EmailAddress="nowhere") for n in range(25)]
    run = wiring.write(schema("contacts", "id"), bad, contacts(25))
    assert run.count("contacts") == {"created": 25, "rejected": 25}
    assert len([c for c in wiring.writes() if c["method"] == "PUT"]) == 1


# Whose answer is whose


def step(**body: Any) -> WriteOp:
    return WriteOp(None, "create", Endpoint("PUT"), "Contacts", body, None, "")  # type: ignore[arg-type]


def test_answers_out_of_order_are_matched_with_records_by_name():
    steps = [step(Name="Abel"), step(Name="Bert")]
    answers = paired(
        WRITE_SPECS["contacts"],
        steps,
        [{"Name": "bert", "ContactID": "2"}, {"Name": "Abel", "ContactID": "1"}],
    )
    assert [a["ContactID"] for a in answers] == ["1", "2"]


def test_an_answer_for_fewer_records_than_were_sent_leaves_them_in_flight(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch
):
    """A batch of which Xero drops records silently, as it does where it accepts only one (xero-ruby#200)."""
    send = XeroClient.send

    def dropping(self: XeroClient, *args: Any, **options: Any) -> Any:
        answer = send(self, *args, **options)
        envelope = answer.json()
        envelope["ManualJournals"] = envelope["ManualJournals"][:1]
        object.__setattr__(answer, "content", json.dumps(envelope, default=float).encode())
        return answer

    lines = [{"LineAmount": 5, "AccountCode": "477"}, {"LineAmount": -5, "AccountCode": "825"}]
    journals = [record("manual_journals", id=n, Narration=f"Pay {n}", JournalLines=lines) for n in (1, 2)]
    monkeypatch.setattr(XeroClient, "send", dropping)
    run = wiring.write(schema("manual_journals", "id"), journals)
    assert "they can't be matched" in str(run.error)
    monkeypatch.undo()
    assert wiring.write(schema("manual_journals", "id"), journals).count("manual_journals") == {
        "unchanged": 2
    }
    assert len(wiring.records("ManualJournals")) == 2


def test_messages_of_nested_records_belong_to_the_record():
    element = {
        "StatusAttributeString": "OK",
        "LineItems": [
            {"ValidationErrors": [{"Message": "A"}]},
            {"ValidationErrors": [{"Message": "A"}, {"Message": "B"}]},
        ],
        "Contact": {"ValidationErrors": []},
    }
    assert messages(element) == ["A", "B"]
