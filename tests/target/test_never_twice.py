"""Whatever goes wrong with any batch: nothing is lost or written twice, and the log of writes is right."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from singer_xero.api.client import XeroClient
from singer_xero.api.errors import OutcomeUnknown, XeroError
from target_xero.write_specs.rows import WRITE_SPECS
from target_xero.writing import dispatcher

from .conftest import Wiring, Written, lines, record, schema, state
from .test_objects import CASES, phases

RECORDS, BATCH = 1_000, 50
BATCHES = RECORDS // BATCH

#: Answers that are lost although the work was done, and refusals before anything was done.
AFTER = ("reset_after", "server_error_after", "cut_off")
BEFORE = ("reset_before", "server_error", "html", "unavailable", "rate_limit")


def journal(number: int) -> dict[str, Any]:
    """Journals have no name or number in Xero: only their content distinguishes them."""
    return record(
        "manual_journals",
        id=number,
        narration=f"Journal {number}",
        date="2026-11-05",
        journal_lines=[{"LineAmount": number, "AccountCode": "477"}, {"LineAmount": -number, "AccountCode": "825"}],
    )  # fmt: skip


JOURNALS = lines(schema("manual_journals", "id"), *map(journal, range(1, RECORDS + 1)), state("all"))


@pytest.fixture(params=[1, dispatcher.AT_ONCE], ids=["one by one", "five at once"])
def at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """The number of batches in flight; which of several meets a fault is chance."""
    monkeypatch.setattr(dispatcher, "AT_ONCE", request.param)
    return int(request.param)


def landed() -> None:
    """Wait for requests that outlive the run that sent them."""
    for request in [one for one in gc.get_objects() if isinstance(one, dispatcher.InFlight)]:
        request.join()


class Killed(BaseException):
    """The process is gone: no handler runs, only what is on the disk is left."""


def settled(wiring: Wiring, run: Written) -> None:
    """Every journal is there once, under the id in the log of writes."""
    assert run.error is None
    assert run.states == ["all"]
    assert not run.count("manual_journals").keys() - {"created", "unchanged"}
    records = wiring.records("ManualJournals")
    assert len(records) == RECORDS
    assert {r["Narration"] for r in records} == {f"Journal {n}" for n in range(1, RECORDS + 1)}
    assert {(f"Journal {key}", xero_id) for key, xero_id in wiring.ids("manual_journals").items()} == {
        (r["Narration"], r["ManualJournalID"]) for r in records
    }
    assert wiring.in_flight() == []


def runs(wiring: Wiring, **settings: Any) -> Iterator[Written]:
    """Run until a run succeeds; none passes on a state before that."""
    for _ in range(3 * BATCHES):
        run = wiring.write(JOURNALS, **settings)
        if run.error is None:
            yield run
            return
        assert run.states == []
        assert isinstance(run.error, XeroError)
        yield run
    pytest.fail("it never ends well")


@pytest.mark.parametrize("fault", [*AFTER, *BEFORE])
def test_each_batch_fails_once_and_is_retried(wiring: Wiring, fault: str, at_once: int):
    # Each batch takes two calls then, and the first of them is struck.
    for batch in range(BATCHES):
        wiring.xero.admin.fault(fault, method="PUT", path="ManualJournals", after=2 * batch)
    run = wiring.write(JOURNALS, tries=2 if at_once == 1 else 3 * BATCHES)
    assert len(wiring.writes()) == 2 * BATCHES
    settled(wiring, run)


@pytest.mark.parametrize("fault", AFTER)
def test_each_lost_answer_is_found_by_the_next_run(wiring: Wiring, fault: str, at_once: int):
    found = []
    wiring.xero.admin.fault(fault, method="PUT", path="ManualJournals")
    for run in runs(wiring, tries=1):
        found.append(run)
        if run.error is not None:
            assert isinstance(run.error, OutcomeUnknown)
            wiring.xero.admin.advance(400)  # Xero has forgotten the Idempotency-Key by now
            wiring.xero.admin.fault(fault, method="PUT", path="ManualJournals")
    wiring.xero.admin.clear_faults()
    assert len(found) == BATCHES + 1 if at_once == 1 else BATCHES // at_once < len(found) <= BATCHES + 1
    settled(wiring, found[-1])


@pytest.mark.parametrize("fault", ["reset_before", "html"])
def test_each_failed_batch_is_sent_by_the_next_run(wiring: Wiring, fault: str, at_once: int):
    found = []
    wiring.xero.admin.fault(fault, method="PUT", path="ManualJournals", after=1)
    for run in runs(wiring, tries=1):
        found.append(run)
        wiring.xero.admin.clear_faults()
        wiring.xero.admin.fault(fault, method="PUT", path="ManualJournals", after=1)
    assert len(found) == BATCHES if at_once == 1 else BATCHES // at_once <= len(found) <= BATCHES
    settled(wiring, found[-1])


@pytest.mark.parametrize("moment", ["before", "after"])
def test_each_batch_is_killed(wiring: Wiring, monkeypatch: pytest.MonkeyPatch, moment: str, at_once: int):
    send = XeroClient.send
    sent = 0

    def killing(self: XeroClient, endpoint: str, *args: Any, **options: Any) -> Any:
        nonlocal sent
        sent += 1
        if moment == "before" and sent % 2 == 0:
            raise Killed
        answer = send(self, endpoint, *args, **options)
        if moment == "after":
            raise Killed
        return answer

    monkeypatch.setattr(XeroClient, "send", killing)
    deaths = 0
    while True:
        sent = 0
        try:
            run = wiring.write(JOURNALS)
            break
        except Killed:
            deaths += 1
            landed()
            wiring.xero.admin.advance(400)
    most = BATCHES if moment == "after" else BATCHES - 1
    assert deaths == most if at_once == 1 else 1 < deaths <= most
    settled(wiring, run)


def strike(wiring: Wiring, name: str, endpoint: str) -> None:
    """Lose the answer to the next write of an object."""
    path = WRITE_SPECS[name].path.replace("{of}", "*")
    wiring.xero.admin.fault("reset_after", method=endpoint, path=path)
    wiring.xero.admin.fault("reset_after", method=endpoint, path=f"{path}/*")


NOTED = (("Invoices", "InvoiceID"), ("Contacts", "ContactID"))


def everything(wiring: Wiring) -> dict[str, Any]:
    """What the organisation holds, without what Xero gives at random."""
    found = {}
    for row in WRITE_SPECS.values():
        if "{of}" not in row.path:
            found[row.path] = sorted(_bare(r) for r in wiring.records(row.path))
    notes = [f"{path}/{r[key]}" for path, key in NOTED for r in wiring.records(path)]
    found["notes"] = sorted(note for path in notes for note in wiring.notes(path))
    return found


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return repr(
            sorted(
                (k, _bare(v))
                for k, v in value.items()
                if not k.endswith(("ID", "IDs", "UTC", "Number")) or k == "Code"
            )
        )
    if isinstance(value, list):
        return repr([_bare(one) for one in value])
    return value if not isinstance(value, float) else round(value, 4)


@pytest.mark.parametrize("phase", ["created", "changed", "ended"])
@pytest.mark.parametrize("name", CASES)
def test_the_next_run_finds_the_lost_answer_of_any_object(wiring: Wiring, name: str, phase: str):
    pieces = phases(name)
    if phase not in pieces:
        pytest.skip(f"{name} can't be {phase}")
    earlier = list(pieces)[: list(pieces).index(phase)]
    for piece in earlier:
        wiring.write(pieces[piece], deletes=True)
    control = wiring.write(pieces[phase], deletes=True)
    undisturbed = everything(wiring)
    wiring = wiring.afresh()
    for piece in earlier:
        wiring.write(pieces[piece], deletes=True)
    for endpoint in ("PUT", "POST", "DELETE"):
        strike(wiring, name, endpoint)
    broken = wiring.write(pieces[phase], tries=1, deletes=True)
    struck = [fault["method"] for fault in wiring.xero.admin.faults() if fault["hits"]]
    assert struck or control.count(name) == {"rejected": 1}
    # Deletions have no Idempotency-Key: they are looked up and done with in the same run.
    assert (broken.error is None) == (not struck or struck == ["DELETE"])
    wiring.xero.admin.clear_faults()
    wiring.xero.admin.advance(400)
    run = wiring.write(pieces[phase], deletes=True)
    assert run.error is None
    assert everything(wiring) == undisturbed
    assert run.count(name).get("rejected", 0) == control.count(name).get("rejected", 0)
    assert run.states == [phase]


def test_a_refusal_whose_answer_was_lost_is_not_treated_as_a_write(wiring: Wiring):
    """Xero had a contact of that name, so the create was refused and the source's content is not written yet."""
    contact = record("contacts", id="x", Name="Abel", FirstName="New")
    wiring.xero.admin.put(
        "Contacts", {"Name": "Abel", "ContactStatus": "ACTIVE", "Phones": [], "Addresses": []}, wiring.tenant
    )
    wiring.xero.admin.fault("reset_after", method="PUT", path="Contacts")
    assert isinstance(wiring.write(schema("contacts", "id"), contact, tries=1).error, OutcomeUnknown)
    wiring.xero.admin.advance(400)
    assert wiring.write(schema("contacts", "id"), contact).count("contacts") == {"updated": 1}
    assert [c["FirstName"] for c in wiring.records("Contacts")] == ["New"]


@pytest.mark.parametrize("fault", ["reset_after", "html"])
def test_equal_notes_on_one_record_are_all_written_once(wiring: Wiring, fault: str):
    person = [schema("contacts", "id"), record("contacts", id=1, Name="Abel")]
    notes = [record("history_notes", id=n, ContactName="Abel", Details="Called") for n in (1, 2)]
    stream = [*person, schema("history_notes", "id"), *notes]
    wiring.xero.admin.fault(fault, method="PUT", path="Contacts/*/History", after=1)
    assert isinstance(wiring.write(stream, tries=1).error, OutcomeUnknown)
    wiring.xero.admin.advance(400)
    run = wiring.write(stream)
    assert run.count("history_notes") == (
        {"unchanged": 2} if fault == "reset_after" else {"unchanged": 1, "created": 1}
    )
    (contact,) = wiring.records("Contacts")
    assert wiring.notes(f"Contacts/{contact['ContactID']}") == ["Called", "Called"]
