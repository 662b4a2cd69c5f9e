"""Two taps and a target with one consent: processes that refresh concurrently, die, lose answers and start
again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from waiting import until

from singer_xero.api.auth import fingerprint
from singer_xero.api.tokens import open_store
from xero_sandbox import Sandbox

from .conftest import APP, Job

Jobs = Callable[..., Job]
Consent = Callable[..., str]
Refreshes = Callable[[], list[int]]
DAY = 86_400
SCHEMA = {
    "type": "SCHEMA",
    "stream": "contacts",
    "schema": {"properties": {}},
    "key_properties": ["ContactNumber"],
}


def hit(xero: Sandbox, number: int) -> None:
    """Wait until the fault has hit."""
    until(
        lambda: next(fault for fault in xero.admin.faults() if fault["number"] == number)["hits"], seconds=60
    )


def blocked(place: str, count: int) -> None:
    """Wait until this number of sessions wait for a row of the database."""
    waiting = """SELECT count(*) FROM pg_stat_activity
    WHERE application_name = 'singer-xero' AND wait_event_type = 'Lock'"""
    with psycopg.connect(place, autocommit=True) as connection:
        until(lambda: connection.execute(waiting).fetchone()[0] >= count, seconds=60)


def test_one_of_three_concurrent_processes_refreshes(
    place: str, xero: Sandbox, jobs: Jobs, consent: Consent, refreshes: Refreshes
) -> None:
    consent(place)
    held = xero.admin.fault("hold", path="connect/token")
    first, *others = (jobs(place) for _ in range(3))
    first.go()
    hit(xero, held)
    for job in others:
        job.go()
    if place.startswith("postgresql"):
        blocked(place, 2)
    else:
        for job in others:
            job.waits()
    xero.admin.release()
    assert [job.end()[:2] for job in (first, *others)] == [(0, "1")] * 3
    assert refreshes() == [200]


def test_two_taps_and_a_target_with_the_same_old_configuration_make_one_refresh(
    place: str, xero: Sandbox, jobs: Jobs, consent: Consent, refreshes: Refreshes, tmp_path: Path
) -> None:
    seed = consent()
    catalog = tmp_path / "catalog.json"
    code, said, _ = jobs(place, "tap-xero", "--discover").end()
    assert code == 0
    streams = [entry for entry in json.loads(said)["streams"] if entry["tap_stream_id"] == "currencies"]
    catalog.write_text(json.dumps({"streams": streams}))
    taps = [jobs(place, "tap-xero", f"--catalog={catalog}", refresh_token=seed) for _ in range(2)]
    target = jobs(place, "target-xero", refresh_token=seed, write_log_path=str(tmp_path / "ledger.db"))
    record = {
        "type": "RECORD",
        "stream": "contacts",
        "record": {"ContactNumber": "C-1", "Name": "A new contact"},
    }
    target.process.stdin.write(f"{json.dumps(SCHEMA)}\n{json.dumps(record)}\n")
    for tap in taps:
        code, said, complained = tap.end()
        assert code == 0, complained
        assert '"stream":"currencies"' in said
        assert seed not in said + complained
    code, said, complained = target.end()
    assert code == 0, complained
    assert seed not in said + complained
    assert xero.admin.record("Contacts", "C-1")["Name"] == "A new contact"
    assert refreshes() == [200]


def lose_an_answer(place: str, xero: Sandbox, jobs: Jobs, refreshes: Refreshes) -> None:
    """Kill a process while Xero answers: the token is used, and its successor is lost."""
    held = xero.admin.fault("hold", path="connect/token")
    killed = jobs(place).go()
    hit(xero, held)
    killed.process.kill()
    killed.process.wait()
    xero.admin.release()
    until(lambda: refreshes() == [200], seconds=60)


def test_a_process_killed_while_xero_answers_leaves_a_token_that_works(
    place: str, xero: Sandbox, jobs: Jobs, consent: Consent, refreshes: Refreshes
) -> None:
    consent(place)
    lose_an_answer(place, xero, jobs, refreshes)
    assert jobs(place).go().end()[:2] == (0, "1")
    assert refreshes() == [200, 200]


def test_a_later_run_within_the_grace_period_recovers_a_lost_answer(
    place: str, xero: Sandbox, jobs: Jobs, consent: Consent, refreshes: Refreshes
) -> None:
    before = consent(place)
    lose_an_answer(place, xero, jobs, refreshes)
    xero.admin.advance(29 * 60)
    assert jobs(place).go().end()[:2] == (0, "1")
    assert open_store(place).read(APP.client_id).previous_refresh_token == before


def test_a_lost_answer_after_the_grace_period_says_to_run_xero_login(
    place: str, xero: Sandbox, jobs: Jobs, consent: Consent, refreshes: Refreshes
) -> None:
    seed = consent(place)
    lose_an_answer(place, xero, jobs, refreshes)
    xero.admin.advance(31 * 60)
    code, _, complained = jobs(place).go().end()
    assert code == 1
    assert "invalid_grant" in complained
    assert "Run `xero-login`" in complained
    assert seed not in complained


def test_sixty_unused_days_end_a_tap_with_one_line_that_says_to_run_xero_login(
    place: str, xero: Sandbox, jobs: Jobs, consent: Consent
) -> None:
    seed = consent(place)
    xero.admin.advance(61 * DAY)
    code, said, complained = jobs(place, "tap-xero").end()
    assert code == 1
    assert '"RECORD"' not in said
    assert "Run `xero-login`" in complained.splitlines()[-1]
    assert seed not in complained


def test_a_newer_consent_in_the_configuration_is_used_and_an_older_one_is_not(
    place: str, xero: Sandbox, jobs: Jobs, consent: Consent, refreshes: Refreshes
) -> None:
    old, new = consent(), consent()
    for seed in (old, new):
        assert jobs(place, refresh_token=seed).go().end()[:2] == (0, "1")
    assert refreshes() == [200, 200]
    kept = open_store(place).read(APP.client_id)
    assert kept.previous_refresh_token == new
    assert kept.seeds == (fingerprint(old), fingerprint(new))
    # A job that still has the old configuration uses the newer token.
    assert jobs(place, refresh_token=old).go().end()[:2] == (0, "1")
    assert refreshes() == [200, 200]
    assert open_store(place).read(APP.client_id) == kept


def test_tokens_of_several_apps_are_stored_together(place: str, consent: Consent) -> None:
    consent(place)
    mine, store = open_store(place).read(APP.client_id), open_store(place)
    with store.locked("another"), store.successor("another") as keep:
        assert store.read("another") is None
        keep(mine)
    assert store.read("another") == store.read(APP.client_id) == mine
    with store.locked("another"), store.successor("another") as keep:
        keep(None)
    assert open_store(place).read("another") is None
    assert open_store(place).read(APP.client_id) == mine


def test_a_failure_under_the_lock_changes_nothing_and_releases_it(place: str, consent: Consent) -> None:
    consent(place)
    store = open_store(place)
    before = store.read(APP.client_id)
    with pytest.raises(ZeroDivisionError), store.locked(APP.client_id), store.successor(APP.client_id):
        raise ZeroDivisionError
    with store.locked(APP.client_id):
        assert store.read(APP.client_id) == before
