"""The log of writes in PostgreSQL gives the guarantees of the file."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from singer_xero.api.client import XeroClient
from target_xero.write_log.postgres_log import open_postgres_log

from .conftest import Wiring, record, schema, state
from .test_identity import EVERYTHING, journal
from .test_lost_log import everything_once
from .test_never_twice import AFTER, BATCHES, JOURNALS, Killed, landed, settled

ABEL = [schema("contacts", "id"), record("contacts", id=1, Name="Abel")]


@pytest.fixture
def logged(wiring: Wiring, log_in_postgres: str) -> Iterator[Wiring]:
    """Runs with their log in PostgreSQL."""
    wiring.config["write_log_path"] = log_in_postgres
    yield wiring


def ask(wiring: Wiring, statement: str) -> list[Any]:
    with psycopg.connect(wiring.config["write_log_path"], autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_the_next_run_knows_what_was_written(logged: Wiring):
    run = logged.write(EVERYTHING)
    assert (run.error, run.rejected) == (None, [])
    assert run.logged("is new for")
    logged.xero.admin.forget_calls()
    run = logged.write(EVERYTHING)
    assert {tuple(run.count(name)) for name in run.counts} == {("unchanged",)}
    assert logged.writes() == []
    assert not run.logged("is new for")


def test_every_kind_of_document_is_written_and_unchanged(logged: Wiring):
    stream = everything_once()
    assert logged.write(stream).rejected == []
    again = logged.write(stream)
    assert {tuple(again.count(name)) for name in again.counts} == {("unchanged",)}


def test_a_dry_run_leaves_no_trace(logged: Wiring):
    assert logged.write(EVERYTHING, dry_run=True).error is None
    assert ask(logged, "SELECT to_regclass('xero_writes_record')") == [(None,)]
    logged.write(EVERYTHING)
    before = ask(logged, "SELECT * FROM xero_writes_record ORDER BY 1, 2, 3")
    run = logged.write(EVERYTHING, schema("items", "id"), record("items", id=9, Code="X"), dry_run=True)
    assert run.count("items") == {"unchanged": 1, "created": 1}
    assert ask(logged, "SELECT * FROM xero_writes_record ORDER BY 1, 2, 3") == before


def test_each_source_has_a_log_of_its_own_there(logged: Wiring):
    for source, amount in (("shop", 10), ("till", 20)):
        run = logged.write(schema("manual_journals", "id"), journal(1, amount), source=source)
        assert run.count("manual_journals") == {"created": 1}
    assert len(logged.records("ManualJournals")) == 2
    run = logged.write(schema("manual_journals", "id"), journal(1, 10), source="shop")
    assert run.count("manual_journals") == {"unchanged": 1}


def test_one_run_at_a_time_uses_a_log(logged: Wiring):
    logged.write(ABEL)
    with open_postgres_log(logged.config["write_log_path"], "", logged.tenant):
        run = logged.write(ABEL)
        assert "Another run is writing with the log of writes in postgresql://" in str(run.error)
        # That of another source is free.
        assert logged.write(ABEL, source="shop", tenant_ids=[logged.tenant]).error is None
    assert logged.write(ABEL).count("contacts") == {"unchanged": 1}


def test_many_first_runs_at_once_make_the_tables_once(logged: Wiring):
    errors: list[BaseException] = []

    def opened(source: str) -> None:
        try:
            with open_postgres_log(logged.config["write_log_path"], source, logged.tenant):
                pass
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=opened, args=(f"s{n}",)) for n in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert errors == []


@pytest.mark.parametrize("fault", AFTER)
def test_the_next_run_finds_lost_answers(logged: Wiring, fault: str):
    logged.xero.admin.fault(fault, method="PUT", path="ManualJournals", after=2)
    assert logged.write(JOURNALS, tries=1).error is not None
    assert logged.in_flight() != []
    logged.xero.admin.clear_faults()
    logged.xero.admin.advance(400)
    settled(logged, logged.write(JOURNALS))


@pytest.mark.parametrize("moment", ["before", "after"])
def test_batches_are_killed(logged: Wiring, monkeypatch: pytest.MonkeyPatch, moment: str):
    send = XeroClient.send
    sent = deaths = 0

    def killing(self: XeroClient, endpoint: str, *args: Any, **options: Any) -> Any:
        nonlocal sent
        sent += 1
        if moment == "before" and sent % 4 == 0:
            raise Killed
        answer = send(self, endpoint, *args, **options)
        if moment == "after" and sent % 4 == 0:
            raise Killed
        return answer

    monkeypatch.setattr(XeroClient, "send", killing)
    while True:
        sent = 0
        try:
            run = logged.write(JOURNALS)
            break
        except Killed:
            deaths += 1
            landed()
            logged.xero.admin.advance(400)
    assert 1 < deaths < BATCHES
    settled(logged, run)


@pytest.mark.parametrize("statement", [
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'singer-xero'",
    "TRUNCATE xero_writes_holder",
    "DROP TABLE xero_writes_request",
])  # fmt: skip
def test_a_log_that_is_lost_while_a_run_writes_ends_it_before_the_next_request(
    logged: Wiring, monkeypatch: pytest.MonkeyPatch, statement: str
):
    send = XeroClient.send

    def losing(self: XeroClient, *args: Any, **options: Any) -> Any:
        answer = send(self, *args, **options)
        if len(logged.writes()) == 1:
            ask(logged, statement)
        return answer

    monkeypatch.setattr(XeroClient, "send", losing)
    people = [record("contacts", id=n, Name=f"Person {n}") for n in range(5)]
    run = logged.write(ABEL[0], people, state("all"), batch_size=1, on_reject="stop")
    assert "log of writes in postgresql://" in str(run.error)
    assert "\n" not in str(run.error)
    assert len(logged.writes()) == 1
    assert run.states == []


def test_a_password_in_the_address_is_never_shown(wiring: Wiring, postgres_url: str):
    host = postgres_url.rpartition("@")[2]
    run = wiring.write(ABEL, write_log_path=f"postgresql://nobody:s3cret-pass@{host}")
    assert "write_log_path" in str(run.error)
    assert "s3cret-pass" not in str(run.error) + "".join(run.messages)
    run = wiring.write(ABEL, write_log_path="postgresql://u:p@w/d@127.0.0.1:1x/db")
    assert "write_log_path is not the address of a PostgreSQL database" in str(run.error)
