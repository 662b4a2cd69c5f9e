"""Several batches in flight: as many as order allows, and each record is settled by its own answer."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import Any

import pytest

from singer_xero.api.client import XeroClient
from singer_xero.api.errors import OutcomeUnknown, Refused, XeroError
from target_xero.writing import dispatcher
from xero_sandbox import Sandbox

from .conftest import Wiring, Written, answered_together, record, schema, state
from .test_never_twice import AFTER, JOURNALS, RECORDS, journal, settled
from .test_round_trip import Copy, contents

PUT = {"method": "PUT", "path": "ManualJournals"}


def most_at_once(wiring: Wiring) -> int:
    counters = wiring.xero.admin.counters()
    return int(counters["tenants"][wiring.tenant]["most_in_flight"])


def written_while_held(wiring: Wiring, *source: Any, **held: Any) -> tuple[Written, int]:
    """A run whose first five writes are answered together; returns the most writes in flight."""
    number = wiring.xero.admin.fault("hold", count=5, **held)

    def let_go() -> None:
        wiring.xero.admin.wait(number, hits=5)
        wiring.xero.admin.release(number)

    thread = threading.Thread(target=let_go)
    thread.start()
    run = wiring.write(*source)
    thread.join()
    return run, most_at_once(wiring)


@pytest.fixture
def backwards(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Concurrent requests reach Xero in the opposite order; returns how many there were each time."""
    waiting: list[dispatcher.InFlight] = []
    together: list[int] = []

    def set_off(sent: dispatcher.InFlight, sent_at: str, send: Any) -> None:
        sent.sent_at, sent._send = sent_at, send
        sent.unanswered.acquire()
        waiting.append(sent)

    def join(sent: dispatcher.InFlight) -> None:
        if sent in waiting:
            together.append(len(waiting))
            for one in reversed(waiting):
                one.run()
                one.unanswered.release()
            waiting.clear()

    monkeypatch.setattr(dispatcher.InFlight, "set_off", set_off)
    monkeypatch.setattr(dispatcher.InFlight, "join", join)
    return together


def people(first: int, last: int, **values: Any) -> list[dict[str, Any]]:
    return [record("contacts", id=n, **{"Name": f"Person {n}", **values}) for n in range(first, last)]


def test_at_most_five_batches_are_in_flight(wiring: Wiring):
    run, most = written_while_held(wiring, JOURNALS, **PUT)
    settled(wiring, run)
    assert most == 5
    assert len(wiring.writes()) == RECORDS // 50


@pytest.mark.parametrize("fault", AFTER)
def test_a_lost_answer_among_five_neither_loses_nor_doubles_a_record(wiring: Wiring, fault: str):
    stream: list[Any] = [schema("manual_journals", "id")]
    for n in range(1, 501):
        stream += [journal(n), *([state(n // 50)] if n % 50 == 0 else [])]
    wiring.xero.admin.fault(fault, after=2, **PUT)
    run = wiring.write(*stream, tries=1)
    assert isinstance(run.error, OutcomeUnknown)
    flying = [int(key) for key in wiring.in_flight()]
    assert len(flying) == 50
    # No state is passed on that a record before it is not settled for, although later ones are.
    assert all(value <= (min(flying) - 1) // 50 for value in run.states)
    assert len(wiring.records("ManualJournals")) == sum(run.count("manual_journals").values()) + 50
    wiring.xero.admin.advance(400)
    again = wiring.write(*stream)
    assert again.error is None
    assert again.states[-1] == 10
    assert sorted(r["Narration"] for r in wiring.records("ManualJournals")) == sorted(
        f"Journal {n}" for n in range(1, 501)
    )


def test_two_lost_answers_of_equal_records_are_both_found(wiring: Wiring):
    """The journals of the two batches differ only in their keys."""
    same = [{**journal(1), "record": {**journal(1)["record"], "id": n}} for n in range(100)]
    wiring.xero.admin.fault("reset_after", count=2, **PUT)
    with answered_together(2):
        lost = wiring.write(schema("manual_journals", "id"), *same, tries=1)
    assert isinstance(lost.error, OutcomeUnknown)
    wiring.xero.admin.advance(400)
    run = wiring.write(schema("manual_journals", "id"), *same)
    assert run.count("manual_journals") == {"unchanged": 100}
    assert len(wiring.records("ManualJournals")) == 100


@pytest.mark.parametrize("done", [True, False], ids=["kept all the same", "not kept"])
def test_batches_refused_as_a_whole_do_not_claim_the_records_of_others(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch, backwards: list[int], done: bool
):
    """What Xero kept of them is found by content, and all have the same content (Xero-Net#354)."""
    same = [{**journal(1), "record": {**journal(1)["record"], "id": n}} for n in range(200)]
    send, sent = XeroClient.send, 0

    def refusing(self: XeroClient, endpoint: str, *args: Any, **options: Any) -> Any:
        nonlocal sent
        sent += 1
        if sent not in {2, 4}:
            return send(self, endpoint, *args, **options)
        if done:
            send(self, endpoint, *args, **options)
        elements = [{"Narration": "Journal 1", "ValidationErrors": [{"Message": "Not today"}]}]
        raise Refused(
            "A validation exception occurred", call="PUT ManualJournals", status=400, elements=elements
        )

    monkeypatch.setattr(XeroClient, "send", refusing)
    run = wiring.write(schema("manual_journals", "id"), *same)
    assert backwards[0] == 4
    assert run.error is None
    # Those that were not kept are sent again one by one.
    assert run.count("manual_journals") == {"created": 200}
    there = [r["ManualJournalID"] for r in wiring.records("ManualJournals")]
    assert len(there) == 200
    owned = wiring.ids("manual_journals").values()
    assert sorted(owned) == sorted(there)


def test_at_the_daily_limit_requests_in_flight_are_settled(wiring: Wiring):
    wiring.xero.admin.fault("rate_limit", problem="day", after=3, **PUT)
    run = wiring.write(JOURNALS, tries=1)
    assert isinstance(run.error, XeroError)
    there = len(wiring.records("ManualJournals"))
    assert run.count("manual_journals") == {"created": there}
    assert wiring.in_flight() == []
    wiring.xero.admin.clear_faults()
    wiring.xero.admin.advance(86_400)
    settled(wiring, wiring.write(JOURNALS))


def test_a_second_record_with_one_key_waits_for_the_first(wiring: Wiring, backwards: list[int]):
    stream = [*people(0, 300), *people(100, 101, FirstName="Second"), *people(300, 400)]
    stream += people(100, 101, FirstName="Third")
    run = wiring.write(schema("contacts", "id"), *stream)
    assert run.count("contacts") == {"created": 400, "updated": 2}
    (person,) = [c for c in wiring.records("Contacts") if c["Name"] == "Person 100"]
    assert person["FirstName"] == "Third"
    assert max(backwards) > 1
    again = wiring.write(schema("contacts", "id"), *stream[:100], *stream[101:300], *stream[301:])
    assert again.count("contacts") == {"unchanged": 400}


def test_a_name_that_one_record_releases_can_be_taken_by_another(wiring: Wiring, backwards: list[int]):
    wiring.write(schema("contacts", "id"), people(0, 300))
    moved = [
        record("contacts", id=n, Name=f"Person {n + 50}" if n < 250 else f"New {n}")
        for n in range(299, -1, -1)
    ]
    run = wiring.write(schema("contacts", "id"), *moved)
    assert run.count("contacts") == {"updated": 300}
    assert sorted(c["Name"] for c in wiring.records("Contacts")) == sorted(m["record"]["Name"] for m in moved)


def test_a_copy_is_complete_in_any_order_of_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backwards: list[int]
):
    with Sandbox(limits=False) as sandbox:
        copy = Copy(sandbox, tmp_path)
        monkeypatch.setattr("sys.stdout", io.StringIO())
        original = copy.read(copy.source)
        copy.write(original)
        assert copy.rejects() == []
        assert max(backwards) == 5
        copied, expected = contents(copy.read(copy.target)), contents(original)
        assert {name: sum(said.values()) for name, said in copied.items()} == {
            name: sum(said.values()) for name, said in expected.items()
        }
        assert copied == expected


def test_changes_without_a_new_name_are_sent_concurrently(wiring: Wiring):
    wiring.write(schema("contacts", "id"), people(0, 300))
    run, most = written_while_held(
        wiring, schema("contacts", "id"), people(0, 300, FirstName="Ann"), method="POST", path="Contacts"
    )
    assert run.count("contacts") == {"updated": 300}
    assert most == 5


LINE = {"Description": "Work", "Quantity": 1, "UnitAmount": 100, "AccountCode": "200"}


def invoices(number: int, **values: Any) -> list[dict[str, Any]]:
    told = {"Type": "ACCREC", "Status": "AUTHORISED", "Date": "2026-11-05", "DueDate": "2026-12-05"}
    told |= {"contact_name": "Abel", "LineItems": [LINE]}
    return [
        schema("contacts", "id"),
        record("contacts", id=1, Name="Abel"),
        schema("invoices", "id"),
        *(record("invoices", id=n, **told, **values, Reference=f"No. {n}") for n in range(number)),
    ]


def test_xero_numbers_invoices_in_their_order(wiring: Wiring, backwards: list[int]):
    run = wiring.write(*invoices(300))
    assert run.count("invoices") == {"created": 300}
    numbered = sorted((i["InvoiceNumber"], int(i["Reference"][4:])) for i in wiring.records("Invoices"))
    assert [place for _, place in numbered] == list(range(300))


def test_payments_of_one_invoice_are_sent_one_after_the_other(wiring: Wiring, backwards: list[int]):
    bank = record(
        "accounts", id=1, Code="090", Name="Bank", Type="BANK", BankAccountNumber="12-3456-0000001-00"
    )
    paid = {"Code": "090", "Date": "2026-11-06", "Amount": "0.1"}
    wiring.write(schema("accounts", "id"), bank, *invoices(2, InvoiceNumber="INV-A"))
    backwards.clear()
    run = wiring.write(
        schema("payments", "id"),
        *(record("payments", id=n, InvoiceNumber="INV-A", **paid) for n in range(150)),
    )
    assert run.count("payments") == {"created": 150}
    assert backwards == [1, 1, 1]


def test_xero_refuses_the_second_use_of_an_invoice_number(wiring: Wiring, backwards: list[int]):
    """The first of them is the one that is written, although they are in different batches."""
    stream = invoices(120)
    for n, message in enumerate(stream[3:]):
        message["record"] |= {"InvoiceNumber": f"INV-{n % 100}"}
    run = wiring.write(*stream)
    assert run.count("invoices") == {"created": 100, "rejected": 20}
    assert {i["Reference"] for i in wiring.records("Invoices")} == {f"No. {n}" for n in range(100)}


def test_the_requests_in_flight_are_bounded_for_any_input(wiring: Wiring, monkeypatch: pytest.MonkeyPatch):
    most = 0
    advance = dispatcher.Dispatcher._advance

    def watched(self: dispatcher.Dispatcher) -> None:
        nonlocal most
        advance(self)
        ops = [op for request in (*self.due, *self.in_flight) for op in request.ops]
        most = max(most, len(ops))

    monkeypatch.setattr(dispatcher.Dispatcher, "_advance", watched)
    settled(wiring, wiring.write(JOURNALS))
    assert 50 < most <= (dispatcher.AT_ONCE + 1) * 50
