"""Recovery alone: what Xero has written of requests without an answer."""

from __future__ import annotations

from target_xero.write_specs.rows import WRITE_SPECS
from target_xero.writing.dispatcher import InFlight
from target_xero.writing.requests import kept

from .conftest import Wiring
from .parts import CONTACTS, Parts, create, parts

JOURNALS = WRITE_SPECS["manual_journals"]
BALANCED = [
    {"LineAmount": 5, "AccountCode": "400", "Description": "a"},
    {"LineAmount": -5, "AccountCode": "400", "Description": "b"},
]


def lose_answers(built: Parts, spec, ops) -> None:
    """Send operations and forget their answers: the log has them in flight, as after a kill."""
    dispatcher = built.dispatcher()
    dispatcher.on_answer = InFlight.answer
    dispatcher.send(spec, ops)
    dispatcher.wait_for_all()


def recovered(built: Parts) -> dict[tuple[str, str], str]:
    ((spec, pending),) = built.recovery.pending()
    return built.recovery.recover(spec, pending)


def test_written_records_are_settled_and_the_others_returned_with_their_request(wiring: Wiring):
    with parts(wiring) as built:
        written, other = create(CONTACTS, "1", Name="Abel"), create(CONTACTS, "2", Name="Bert")
        lose_answers(built, CONTACTS, [written])
        built.log.sending("contacts", "lost", "create", "Contacts", built.lookups.now(), [
            (other.job.key, other.hash, other.data, kept(CONTACTS, other)),
        ])  # fmt: skip
        assert recovered(built) == {("contacts", other.job.key): "lost"}
        entry = built.log.entry("contacts", written.job.key)
        (there,) = wiring.records("Contacts")
        assert entry is not None and (entry.hash, entry.xero_id) == (written.hash, there["ContactID"])
        assert built.log.pending() == []


def test_records_without_a_name_are_found_by_content_each_once(wiring: Wiring):
    with parts(wiring) as built:
        ops = [
            create(JOURNALS, key, Narration="Same", Date="2026-11-01", JournalLines=BALANCED) for key in "12"
        ]
        lose_answers(built, JOURNALS, ops)
        assert recovered(built) == {}
        ids = {built.log.entry("manual_journals", op.job.key).xero_id for op in ops}
        assert ids == {one["ManualJournalID"] for one in wiring.records("ManualJournals")}


def test_a_record_that_belongs_to_another_one_is_not_used_twice(wiring: Wiring):
    with parts(wiring) as built:
        first = create(CONTACTS, "1", Name="Abel")
        lose_answers(built, CONTACTS, [first])
        recovered(built)
        second = create(CONTACTS, "2", Name="Abel")
        done, left = built.recovery.look_up(CONTACTS, [second], built.lookups.now())
        assert (done, left) == ([], [second])


def test_settling_what_was_found_returns_what_was_not(wiring: Wiring):
    with parts(wiring) as built:
        written, other = create(CONTACTS, "1", Name="Abel"), create(CONTACTS, "2", Name="Bert")
        since = built.lookups.now()
        lose_answers(built, CONTACTS, [written])
        built.intake.states.opened(0)
        following, left = built.recovery.settle_found(CONTACTS, [written, other], since)
        assert (following, left) == ([], [other])
        assert built.summary.of("contacts").created == 1
