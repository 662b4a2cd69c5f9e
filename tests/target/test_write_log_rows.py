"""The rows of the log of writes: one for each request in flight and for each answer, until the tables have them.

Answers are saved with the next request, or earlier on demand.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from singer_xero.errors import ConfigurationProblem
from target_xero.content.json_text import encode
from target_xero.planning.line_matching import content_of, known
from target_xero.write_log.database import Transaction
from target_xero.write_log.identity import IdentityFormat, own_key, source_of
from target_xero.write_log.lines import LoggedLines, noted
from target_xero.write_log.log import LogEntry, WriteLog
from target_xero.write_log.postgres_log import PREFIX, open_postgres_log
from target_xero.write_log.sqlite_log import SqliteLog, open_sqlite_log
from target_xero.write_specs.rows import WRITE_SPECS
from target_xero.writing.answers import log_entry

from .conftest import Wiring, answered_together, decode, schema, state
from .parts import create
from .test_identity import journal

TENANT = "00000000-0000-4000-8000-000000000001"
OF = IdentityFormat("crm", "customers", ["id"])
KEYS = [OF.of([number]) for number in range(4)]
BODY, JOB = b'{"Name":"A","Amount":1.50}', {"job": {"key": "k"}}


def path_of(folder: Path) -> Path:
    return folder / "log.db"


@contextmanager
def opened(folder: Path) -> Iterator[WriteLog]:
    with open_sqlite_log(path_of(folder), TENANT) as log:
        yield log


@contextmanager
def after_kill(log: WriteLog, folder: Path) -> Iterator[WriteLog]:
    """The log as the next run finds it if this one is killed now."""
    place = folder / "killed"
    place.mkdir()
    for one in folder.glob("log.db*"):
        if not one.name.endswith((".lock", "-shm")):
            shutil.copy(one, place / one.name)
    with opened(place) as killed:
        yield killed


def send(log: WriteLog, keys: list[str], request: str = "r", name: str = "contacts") -> None:
    log.sending(
        name, request, "create", "Contacts", "2026-11-01T00:00:00Z", [(k, f"h{k}", BODY, JOB) for k in keys]
    )


def entry(number: int, **values: Any) -> LogEntry:
    return LogEntry(hash=f"hash {number}", xero_id=f"xero {number}", attempts=1, **values)


def settle(log: WriteLog, *numbers: int, name: str = "contacts", **values: Any) -> None:
    log.settle(
        name,
        written=[(KEYS[number], entry(number, **values)) for number in numbers],
        names=[("Name", f"Name {number}", KEYS[number]) for number in numbers],
        ids={f"own {number}": f"xero {number}" for number in numbers},
        at="2026-11-01T00:00:01Z",
    )


def rows(folder: Path, table: str) -> list[Any]:
    with closing(sqlite3.connect(path_of(folder))) as connection:
        return connection.execute(f"SELECT * FROM {table}").fetchall()


# In flight


def test_a_request_is_one_row_with_all_of_its_records(tmp_path: Path):
    with opened(tmp_path) as log:
        send(log, KEYS)
        assert len(rows(tmp_path, "request")) == 1
        with after_kill(log, tmp_path) as killed:
            assert [one.key for one in killed.pending()] == KEYS
            first = killed.pending()[0]
        assert (first.object, first.request, first.action, first.path) == (
            "contacts",
            "r",
            "create",
            "Contacts",
        )
        assert (first.hash, str(first.body["Amount"]), first.job) == (
            f"h{KEYS[0]}",
            "1.50",
            {"job": {"key": "k"}},
        )


def test_after_a_kill_in_the_middle_of_a_settlement_the_rest_is_in_flight(tmp_path: Path):
    """What was written and what was refused of one request are two transactions."""
    with opened(tmp_path) as log:
        send(log, KEYS)
        settle(log, 0, 2)
        log.save()
        with after_kill(log, tmp_path) as killed:
            assert [one.key for one in killed.pending()] == [KEYS[1], KEYS[3]]
            assert [killed.entry("contacts", key) for key in KEYS] == [entry(0), None, entry(2), None]
        log.settle("contacts", refused=[KEYS[1]], unsent=[KEYS[3]])
        assert log.pending() == []
        log.save()
        assert rows(tmp_path, "request") == []


def test_a_record_that_is_sent_again_is_in_flight_by_its_last_request_alone(tmp_path: Path):
    with opened(tmp_path) as log:
        send(log, KEYS, "first")
        send(log, KEYS[:1], "second")
        in_flight = {one.key: one.request for one in log.pending()}
        assert in_flight == {KEYS[0]: "second", **dict.fromkeys(KEYS[1:], "first")}
        # The same request again: a DELETE has no Idempotency-Key of its own.
        send(log, KEYS[:1], "second")
        assert len(log.pending()) == len(KEYS)


def test_the_same_key_of_two_objects_is_two_records(tmp_path: Path):
    with opened(tmp_path) as log:
        send(log, KEYS, "contacts'")
        send(log, KEYS, "items'", "items")
        settle(log, 0, 1, 2, 3)
        assert {(one.object, one.key) for one in log.pending()} == {("items", key) for key in KEYS}


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_transaction_that_fails_leaves_everything_in_flight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
):
    """Each statement of the transaction in which the next request is logged, too."""
    with opened(tmp_path) as log:
        send(log, KEYS[:2], "first")
        settle(log, 0, 1)
        run, left = Transaction.run, number

        def failing(change: Transaction, statement: str, values: Sequence[Any] = ()) -> None:
            nonlocal left
            left -= 1
            if not left:
                raise ConfigurationProblem("no room")
            run(change, statement, values)

        with monkeypatch.context() as patch:
            patch.setattr(Transaction, "run", failing)
            with pytest.raises(ConfigurationProblem):
                send(log, KEYS[2:], "second")
        with after_kill(log, tmp_path) as killed:
            assert [one.key for one in killed.pending()] == KEYS[:2]
            assert killed.entry("contacts", KEYS[0]) is None
        log.save()
        assert [one.request for one in log.pending()] == ["second", "second"]
        assert (len(rows(tmp_path, "request")), len(rows(tmp_path, "settled"))) == (1, 1)


def test_a_request_does_not_replace_records_in_flight_that_it_lacks(tmp_path: Path):
    with opened(tmp_path) as log:
        send(log, KEYS)
        with pytest.raises(ValueError, match="in flight with other records"):
            send(log, KEYS[:1])
        assert [one.key for one in log.pending()] == KEYS


# Saved


def test_an_outcome_is_in_flight_after_a_kill_until_it_is_saved(tmp_path: Path):
    with opened(tmp_path) as log:
        send(log, KEYS)
        settle(log, 0, 1)
        log.settle("contacts", refused=[KEYS[2]], unsent=[KEYS[3]])
        assert log.pending() == []
        with after_kill(log, tmp_path) as killed:
            assert [one.key for one in killed.pending()] == KEYS
            assert [killed.entry("contacts", key) for key in KEYS] == [None] * 4


@pytest.mark.parametrize("save", [
    WriteLog.save,
    lambda log: send(log, [OF.of([9])], "next"),
    lambda log: log.complete("2026-11-01T00:00:02Z"),
    lambda log: log.entry("contacts", KEYS[0]),
], ids=["save", "sending", "complete", "a query"])  # fmt: skip
def test_outcomes_are_saved_together(tmp_path: Path, save: Callable[[WriteLog], Any]):
    with opened(tmp_path) as log:
        send(log, KEYS)
        settle(log, 0, 1)
        log.settle("contacts", refused=[KEYS[2]], unsent=[KEYS[3]])
        save(log)
        with after_kill(log, tmp_path) as killed:
            assert {one.key for one in killed.pending()} <= {OF.of([9])}
            found = [killed.entry("contacts", key) for key in KEYS]
            assert found == [entry(0), entry(1), LogEntry(attempts=1), None]


@pytest.mark.parametrize("error", [None, ConfigurationProblem("the end"), RuntimeError("a bug")])
def test_outcomes_are_saved_when_the_log_is_closed(tmp_path: Path, error: Exception | None):
    with suppress(ConfigurationProblem, RuntimeError), opened(tmp_path) as log:
        send(log, KEYS)
        settle(log, 0)
        log.settle("contacts", unsent=KEYS[1:])
        if error:
            raise error
    with opened(tmp_path) as log:
        assert (log.pending(), log.entry("contacts", KEYS[0])) == ([], entry(0))


def test_records_that_were_not_sent_are_saved_without_other_outcomes(tmp_path: Path):
    for number, save in enumerate([WriteLog.save, lambda log: log.complete("")]):
        (tmp_path / str(number)).mkdir()
        with opened(tmp_path / str(number)) as log:
            send(log, KEYS)
            log.settle("contacts", unsent=KEYS)
            save(log)
            with after_kill(log, tmp_path / str(number)) as killed:
                assert killed.pending() == []


def test_saving_what_is_saved_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with opened(tmp_path) as log:
        send(log, KEYS)
        settle(log, 0)
        log.save()
        monkeypatch.setattr(SqliteLog, "change", None)
        log.save()
        monkeypatch.undo()


# Settled


def test_after_a_kill_the_next_run_puts_the_answers_into_the_tables(tmp_path: Path):
    with opened(tmp_path) as log:
        settle(log, 0)
        log.settle("contacts", refused=[KEYS[1]])
        log.save()
        assert (len(rows(tmp_path, "settled")), rows(tmp_path, "record")) == (2, [])
        with after_kill(log, tmp_path) as killed:
            assert rows(tmp_path / "killed", "settled") == []
            assert killed.entry("contacts", KEYS[0]) == entry(0)
            assert killed.entry("contacts", KEYS[1]) == LogEntry(attempts=1)
            assert (killed.id_of("own 0"), killed.by_name("contacts", "Name", "NAME 0")) == (
                "xero 0",
                "xero 0",
            )
    # A run that ends leaves none.
    assert (rows(tmp_path, "settled"), len(rows(tmp_path, "record"))) == ([], 2)


def test_an_answer_is_known_at_once_whatever_is_asked(tmp_path: Path):
    asked = {
        "entry": lambda log: log.entry("contacts", KEYS[0]).xero_id,
        "holder": lambda log: log.holder("contacts", "xero 0") and "xero 0",
        "name": lambda log: log.by_name("contacts", "Name", "name 0"),
        "own key": lambda log: log.by_own_key("contacts", "crm", "0")[0][1],
        "names": lambda log: log.has_names("contacts", {KEYS[0]: [("Name", "Name 0")]}) and "xero 0",
        "child": lambda log: next(log.children("contacts", "p"))[1].xero_id,
        "number": lambda log: f"xero {log.number('contacts', 'o', 'hash 0') - 1}",
        "id": lambda log: log.id_of("own 0"),
        "source": lambda log: (
            "xero 0" if log.claims.candidates("contacts", ['["","c",{"id":"0"}]']) else None
        ),
    }
    for number, (word, ask) in enumerate(asked.items()):
        (tmp_path / str(number)).mkdir()
        with opened(tmp_path / str(number)) as log:
            assert log.id_of("own 0") is None
            settle(log, 0, owner="o", parent="p")
            log.foresee_ids(["own 0"])
            assert ask(log) == "xero 0", word
            assert log.id_of("own 0") == "xero 0"


def test_foresight_knows_what_was_settled_before(tmp_path: Path):
    with opened(tmp_path) as log:
        settle(log, 0)
        log.foresee("contacts", dict.fromkeys(KEYS, ""))
        assert [log.entry("contacts", key) for key in KEYS] == [entry(0), None, None, None]
        settle(log, 1)
        assert log.entry("contacts", KEYS[1]) == entry(1)


def test_the_last_answer_counts_and_refusals_are_added_to_the_answers_before(tmp_path: Path):
    with opened(tmp_path) as log:
        log.settle("contacts", refused=[KEYS[0]])
        settle(log, 0)
        log.settle("contacts", written=[(KEYS[0], LogEntry("new", "xero 9", attempts=2))])
        log.settle("contacts", refused=[KEYS[0], KEYS[1]])
        assert log.entry("contacts", KEYS[0]) == LogEntry("new", "xero 9", attempts=3)
        assert log.entry("contacts", KEYS[1]) == LogEntry(attempts=1)
        assert (log.holder("contacts", "xero 9"), log.holder("contacts", "xero 0")) == (KEYS[0], None)


def test_a_record_is_found_by_its_last_name_and_a_name_names_the_last_record(tmp_path: Path):
    with opened(tmp_path) as log:
        for name, number in (("A", 0), ("B", 0), ("A", 1), ("C", 2), ("C", 3)):
            written = [(KEYS[number], entry(number))]
            log.settle("contacts", written=written, names=[("Name", name, KEYS[number])])
        found = {name: log.by_name("contacts", "Name", name) for name in "ABC"}
        assert found == {"A": "xero 1", "B": "xero 0", "C": "xero 3"}


@pytest.mark.parametrize("refused_first", [False, True])
def test_a_record_is_not_found_by_a_name_that_the_tables_have_of_it(tmp_path: Path, refused_first: bool):
    with opened(tmp_path) as log:
        if refused_first:
            log.settle("contacts", refused=[KEYS[0]])
    for attempts, name in enumerate("ABC", 1 + refused_first):
        with opened(tmp_path) as log:
            written = [(KEYS[0], replace(entry(0), attempts=attempts))]
            log.settle("contacts", written=written, names=[("Name", name, KEYS[0])])
            assert log.by_name("contacts", "Name", name) == "xero 0"
    assert rows(tmp_path, "name") == [(TENANT, "contacts", "Name=c", KEYS[0])]


def test_a_record_that_was_ended_is_not_found_by_its_name(tmp_path: Path):
    with opened(tmp_path) as log:
        settle(log, 0)
        assert log.by_name("contacts", "Name", "Name 0") == "xero 0"
        log.settle("contacts", written=[(KEYS[0], entry(0, status="DELETED"))])
        assert log.by_name("contacts", "Name", "Name 0") is None


def test_many_answers_go_into_the_tables_before_the_run_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("target_xero.write_log.backlog._MOST", 3)
    with opened(tmp_path) as log:
        settle(log, 0, 1)
        log.save()
        assert rows(tmp_path, "record") == []
        settle(log, 2)
        send(log, KEYS[3:])
        assert (len(rows(tmp_path, "record")), rows(tmp_path, "settled")) == (3, [])


# Pages


def page_size(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA page_size").fetchone()[0])


def test_a_new_log_has_large_pages_and_an_earlier_one_keeps_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patch:
        patch.setattr("target_xero.write_log.sqlite_log._PAGE", 4_096)
        with opened(tmp_path) as log:
            send(log, KEYS)
            settle(log, 0)
    for dry_run in (True, False):
        with open_sqlite_log(path_of(tmp_path), TENANT, dry_run=dry_run) as log:
            assert [one.key for one in log.pending()] == KEYS[1:]
            settle(log, 1)
            assert log.entry("contacts", KEYS[1]) == entry(1)
    copy, new = tmp_path / "copy.db", tmp_path / "new.db"
    with open_sqlite_log(copy, TENANT, copy_of=path_of(tmp_path)) as log:
        assert log.entry("contacts", KEYS[1]) == entry(1)
    with open_sqlite_log(new, TENANT):
        pass
    assert [page_size(path) for path in (path_of(tmp_path), copy, new)] == [4_096, 4_096, 16_384]
    with open_sqlite_log(new, TENANT, dry_run=True) as log:
        assert log.pending() == []


# Identities


@pytest.mark.parametrize("source", ["", "crm", 'a":"b', "v\n"])
@pytest.mark.parametrize("value", ["17", "", 'a":"b', "\\", '\\"', "é\n", '"}]'])
def test_source_and_own_key_are_read_from_an_identity(source: str, value: str):
    one = IdentityFormat(source, 'str":"eam', ["i:d"]).of([value])
    assert (source_of(one), own_key(one)) == (source, (source, value))
    several = IdentityFormat(source, "stream", ["a", "b"]).of([value, "x"])
    assert (source_of(several), own_key(several)) == (source, None)
    assert (source_of("?17"), own_key('?a":"b')) == (None, None)


# Logs of the version before

SECOND_VERSION = """
DROP TABLE request;
DROP TABLE settled;
CREATE TABLE flight (
    scope TEXT, object TEXT, key TEXT, request TEXT, place INTEGER, action TEXT, path TEXT, hash TEXT, body
    TEXT, job TEXT, sent_at TEXT, PRIMARY KEY (scope, object, key)
) WITHOUT ROWID;
PRAGMA user_version = 2;
"""
FIVE = [schema("manual_journals", "id"), *map(journal, range(1, 6)), state("all")]


def lose_answers(wiring: Wiring) -> None:
    """Two journals are settled, and the requests of three are in flight."""
    assert wiring.write(FIVE[0], *FIVE[1:3]).error is None
    wiring.xero.admin.fault("reset_after", method="PUT", path="ManualJournals", count=2)
    with answered_together(2):
        assert wiring.write(*FIVE, tries=1, batch_size=2).error is not None
    assert len(wiring.in_flight()) == 3
    wiring.xero.admin.clear_faults()
    wiring.xero.admin.advance(400)


def rows_of_second_version(requests: list[Any]) -> list[tuple[Any, ...]]:
    return [
        (scope, name, key, request, place, action, path, content, _text(body), _text(job), sent_at)
        for scope, request, name, action, path, sent_at, records in requests
        for place, (key, content, body, job) in enumerate(decode(records))
    ]


def _text(value: Any) -> str:
    return encode(value).decode()


def check_recovered(wiring: Wiring) -> None:
    run = wiring.write(FIVE)
    assert (run.error, run.states) == (None, ["all"])
    assert run.count("manual_journals") == {"unchanged": 5}
    assert len(wiring.records("ManualJournals")) == 5
    assert wiring.in_flight() == []


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_file_of_the_version_before_is_upgraded_with_what_it_has_in_flight(wiring: Wiring, dry_run: bool):
    lose_answers(wiring)
    path = Path(wiring.config["write_log_path"])
    with closing(sqlite3.connect(path)) as log:
        old = rows_of_second_version(log.execute("SELECT * FROM request").fetchall())
        log.executescript(SECOND_VERSION)
        log.executemany("INSERT INTO flight VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", old)
        log.commit()
    if dry_run:
        assert wiring.write(FIVE, dry_run=True).count("manual_journals") == {"unchanged": 5}
        with closing(sqlite3.connect(path)) as log:
            assert log.execute("SELECT count(*) FROM flight").fetchone() == (3,)
    check_recovered(wiring)


FIRST_IN_POSTGRES = f"""
DROP TABLE {PREFIX}request;
DROP TABLE {PREFIX}settled;
CREATE TABLE {PREFIX}flight (scope text, object text, key text, request text, place integer, action text, path text,
    hash text, body text, job text, sent_at text, PRIMARY KEY (scope, object, key));
UPDATE {PREFIX}about SET value = '1' WHERE name = 'version';
"""


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_database_of_the_version_before_is_upgraded_with_what_it_has_in_flight(
    wiring: Wiring, log_in_postgres: str, dry_run: bool
):
    wiring.config["write_log_path"] = log_in_postgres
    lose_answers(wiring)
    with psycopg.connect(log_in_postgres) as log:
        old = rows_of_second_version(log.execute(f"SELECT * FROM {PREFIX}request").fetchall())
        log.execute(FIRST_IN_POSTGRES)
        marks = ", ".join(["%s"] * 11)
        log.cursor().executemany(f"INSERT INTO {PREFIX}flight VALUES ({marks})", old)
    if dry_run:
        assert wiring.write(FIVE, dry_run=True).count("manual_journals") == {"unchanged": 5}
        with psycopg.connect(log_in_postgres) as log:
            assert log.execute(f"SELECT count(*) FROM {PREFIX}flight").fetchone() == (3,)
    check_recovered(wiring)


def test_a_database_keeps_answers_and_requests_of_a_killed_run(log_in_postgres: str):
    with psycopg.connect(log_in_postgres) as other:
        with open_postgres_log(log_in_postgres, "crm", TENANT) as log:
            send(log, KEYS)
            settle(log, 0, 1)
            log.save()
            count = f"SELECT (SELECT count(*) FROM {PREFIX}settled), (SELECT count(*) FROM {PREFIX}record)"
            assert other.execute(count).fetchone() == (1, 0)
            log._backlog.merge = lambda: None  # type: ignore[method-assign]
        with open_postgres_log(log_in_postgres, "crm", TENANT) as log:
            assert [one.key for one in log.pending()] == KEYS[2:]
            assert [log.entry("contacts", key) for key in KEYS] == [entry(0), entry(1), None, None]


# Lines


@pytest.mark.parametrize("lines", ["x1;Description=0f0f0f0f0f0f;=s1,x2", None])
def test_answers_that_a_killed_run_of_version_three_has_logged_are_known(tmp_path: Path, lines: str | None):
    with opened(tmp_path):
        pass
    row = [KEYS[0], "h", "xero 0", "PAID", None, None, lines, 1, "2026-11-01T00:00:00Z", "crm", "0"]
    batch = ["invoices", [row], [], [["InvoiceNumber=a", KEYS[0]]], {}, ["crm"]]
    with closing(sqlite3.connect(path_of(tmp_path))) as old:
        old.execute("INSERT INTO settled VALUES (?, 0, ?)", (TENANT, encode(batch)))
        old.execute("PRAGMA user_version = 3")
        old.commit()
    with opened(tmp_path) as log:
        found = log.entry("invoices", KEYS[0])
        assert found is not None
        assert (found.xero_id, found.lines) == ("xero 0", lines.encode() if lines else None)
        assert found.line_ids == ({"s1": "x1"} if lines else {})
        assert [line.content for line in known(found.lines)] == (
            [{"Description": "0f0f0f0f0f0f"}, None] if lines else []
        )
        log.settle(
            "invoices", written=[(KEYS[0], replace(found, status="VOIDED"))], at="2026-11-01T00:00:01Z"
        )
    with opened(tmp_path) as log:
        again = log.entry("invoices", KEYS[0])
        assert again is not None
        assert (again.status, again.lines) == ("VOIDED", found.lines)


@pytest.mark.parametrize("number", ["0.1", "1E-7", "123456789012.3456", "-4.8918"])
def test_what_was_written_of_a_line_comes_back_to_the_last_digit(number: str):
    line = {"Description": 'a "quoted"; text, Größe', "UnitAmount": Decimal(number), "Quantity": 2}
    document = {"LineAmountTypes": "Exclusive", "LineItems": [line]}
    (found,) = known(noted(["x1"], document))
    assert found.content == content_of(line, document)
    assert LoggedLines.of(noted(["x1"], document)).written == document


def test_a_line_is_found_by_the_id_that_the_source_gives_it_in_its_document(tmp_path: Path):
    document = {"LineAmountTypes": "Exclusive", "LineItems": [{"Description": "Hull"}, {"Quantity": 2}]}
    lines = noted(["x1", "x2"], document, ["s1", None])
    assert [line.content is not None for line in known(lines)] == [True, True]
    assert [line.id for line in known(lines)] == ["x1", "x2"]
    assert known(lines) == known(noted(["x1", "x2"], document))
    unknown = noted(["x3", "x4"], None, ["s3", "x4"])
    assert known(unknown) == known(b"x3,x4")
    with opened(tmp_path) as log:
        settle(log, 0, name="invoices", lines=lines)
        settle(log, 1, name="bank_transactions", lines=unknown)
        assert log.line_id(["quotes", "invoices"], "xero 0", "s1") == "x1"
        assert log.line_id(["quotes", "invoices"], "xero 0", "s2") is None
        assert log.line_id(["quotes", "invoices"], "xero 1", "s3") is None
        assert log.line_id(["invoices", "bank_transactions"], "xero 1", "s3") == "x3"
        entry = log.entry("bank_transactions", KEYS[1])
        assert entry is not None and entry.line_ids == {"s3": "x3"}


def test_lines_that_are_written_without_ids_of_the_source_keep_those_that_they_had():
    spec = WRITE_SPECS["invoices"]
    body = {"LineItems": [{"Description": "Hull", "LineItemID": "x1"}, {"Description": "Mast"}]}
    before = LogEntry("old", "i", lines=noted(["x1", "x9"], None, ["s1", "s9"]))
    op = replace(create(spec, "1", **body), action="update", entry=before)
    answer = {"InvoiceID": "i", "LineItems": [{"LineItemID": "x2"}, {"LineItemID": "x1"}]}
    assert log_entry(spec, op, answer).line_ids == {"s1": "x1"}
    assert log_entry(spec, replace(op, lines=["s5", "s6"]), answer).line_ids == {"s5": "x1", "s6": "x2"}
