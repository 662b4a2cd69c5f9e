"""A record is identified by its source, its stream, its key fields and their values."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from target_xero.write_log import identity
from target_xero.write_log.identity import IdentityFormat

from .conftest import Wiring, lines, record, schema, state

LINE = {"Description": "Work", "Quantity": 1, "UnitAmount": 10, "AccountCode": "200"}
MAPPED = {name: {"__alias__": "contacts", "id": "id", "Name": "Name"} for name in ("customers", "vendors")}


def described(stream: str, *keys: str) -> dict[str, Any]:
    """A schema that stream maps can work with."""
    properties = {name: {"type": ["string", "integer", "null"]} for name in (*keys, "Name")}
    return {**schema(stream, *keys), "schema": {"properties": properties}}


def journal(number: int, amount: int = 10, stream: str = "manual_journals") -> dict[str, Any]:
    entries = [{"LineAmount": amount, "AccountCode": "477"}, {"LineAmount": -amount, "AccountCode": "825"}]
    return record(stream, id=number, narration=f"Journal {number}", journal_lines=entries)


def names(wiring: Wiring) -> list[str]:
    return sorted(contact["Name"] for contact in wiring.records("Contacts"))


# Streams, keys and sources


def test_two_streams_for_one_object_do_not_overwrite_each_other(wiring: Wiring):
    stream = [
        described("customers", "id"),
        record("customers", id=1, Name="Acme"),
        described("vendors", "id"),
        record("vendors", id=1, Name="Beta"),
    ]
    run = wiring.write(stream, stream_maps=MAPPED)
    assert (run.error, run.count("contacts")) == (None, {"created": 2})
    assert names(wiring) == ["Acme", "Beta"]
    assert wiring.write(stream, stream_maps=MAPPED).count("contacts") == {"unchanged": 2}
    stream[1]["record"]["Name"] = "Acme Ltd"
    assert wiring.write(stream, stream_maps=MAPPED).count("contacts") == {"updated": 1, "unchanged": 1}
    assert names(wiring) == ["Acme Ltd", "Beta"]


def test_two_sources_with_one_log_do_not_overwrite_each_other(wiring: Wiring):
    for source, amount in (("shop", 10), ("till", 20)):
        run = wiring.write(schema("manual_journals", "id"), journal(1, amount), source=source)
        assert run.count("manual_journals") == {"created": 1}
    assert len(wiring.records("ManualJournals")) == 2
    for source, amount in (("shop", 10), ("till", 20)):
        run = wiring.write(schema("manual_journals", "id"), journal(1, amount), source=source)
        assert run.count("manual_journals") == {"unchanged": 1}


def test_the_names_of_the_key_fields_are_part_of_the_identity(wiring: Wiring):
    one = record("contacts", id=1, number=2, Name="Abel")
    other = record("contacts", id=2, number=1, Name="Bert")
    wiring.write(schema("contacts", "id"), one)
    run = wiring.write(schema("contacts", "number"), other)
    assert run.count("contacts") == {"created": 1}
    assert names(wiring) == ["Abel", "Bert"]


def test_the_order_of_key_fields_and_the_type_of_numbers_do_not_matter(wiring: Wiring):
    wiring.write(schema("contacts", "shop", "id"), record("contacts", shop="a", id=1, Name="Abel"))
    for given in (1, "1", 1.0):
        run = wiring.write(
            schema("contacts", "id", "shop"), record("contacts", shop="a", id=given, Name="Abel")
        )
        assert run.count("contacts") == {"unchanged": 1}


def test_values_with_separators_are_distinguished():
    identities = IdentityFormat("", "orders", ["a", "b"])
    assert identities.of(["1|2", "3"]) != identities.of(["1", "2|3"])
    assert identities.of(['1","b":"2', "3"]) != identities.of(["1", "2"])


def test_an_identity_can_be_taken_apart_and_shown():
    made = IdentityFormat("crm", "deals", ["id", "shop"]).of([7, "a"])
    assert made == '["crm","deals",{"id":"7","shop":"a"}]'
    assert identity.shown(made) == "deals id=7, shop=a"
    part = identity.part_of(made, {"Name": "North"})
    assert identity.shown(part) == "deals id=7, shop=a, Name=North"
    assert identity.origin(part) == ("crm", "deals", {"id": "7", "shop": "a"}, [{"Name": "North"}])
    assert identity.own_key(IdentityFormat("crm", "deals", ["id"]).of([7])) == ("crm", "7")
    assert identity.own_key(part) is None


def test_parts_of_records_without_a_key_belong_to_their_record(wiring: Wiring):
    def group(name: str, member: str) -> dict[str, Any]:
        return record("contact_groups", Name=name, Contacts=[{"Name": member}])

    people = [schema("contacts", "id"), *(record("contacts", id=n, Name=n) for n in ("Abel", "Bert"))]
    run = wiring.write(people, schema("contact_groups"), group("One", "Abel"), group("Two", "Bert"))
    assert run.count("contact_group_members") == {"created": 2}
    groups = {g["Name"]: [c["Name"] for c in g["Contacts"]] for g in wiring.records("ContactGroups")}
    assert groups == {"One": ["Abel"], "Two": ["Bert"]}


# Where the log is


@pytest.fixture
def project(wiring: Wiring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Meltano project: nothing says where the log and the rejects are."""
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", str(tmp_path / "project"))
    del wiring.config["write_log_path"], wiring.config["rejects_path"]
    return tmp_path / "project" / ".secrets"


def under_meltano(monkeypatch: pytest.MonkeyPatch, extractor: str) -> None:
    monkeypatch.setenv("MELTANO_EXTRACTOR_NAME", extractor)


def test_each_extractor_has_a_log_and_rejects_of_its_own(
    wiring: Wiring, project: Path, monkeypatch: pytest.MonkeyPatch
):
    for extractor, name in (("tap-shop", "Abel"), ("tap-till", "Bert")):
        under_meltano(monkeypatch, extractor)
        run = wiring.write(
            schema("contacts", "id"), record("contacts", id=1, Name=name), record("contacts", id=2)
        )
        assert run.count("contacts") == {"created": 1, "rejected": 1}
    assert names(wiring) == ["Abel", "Bert"]
    made = {path.name for path in project.iterdir() if path.suffix in {".db", ".singer"}}
    assert made == {
        "xero-write-log-tap-shop.db", "xero-write-log-tap-till.db", "xero-rejects-tap-shop.singer",
        "xero-rejects-tap-till.singer",
    }  # fmt: skip


def test_a_source_whose_name_is_no_file_name_has_its_own_log(wiring: Wiring, project: Path):
    for source in ("a/b", "a b"):
        wiring.write(schema("contacts", "id"), record("contacts", id=1, Name=source), source=source)
    assert len(list(project.glob("xero-write-log-a_b-*.db"))) == 2


def test_corrected_rejects_keep_their_source_when_they_are_piped_in_by_hand(
    wiring: Wiring, project: Path, monkeypatch: pytest.MonkeyPatch
):
    under_meltano(monkeypatch, "tap-shop")
    bad = record("contacts", id=1, Name="Abel", EmailAddress="nowhere")
    wiring.write(schema("contacts", "id"), bad)
    monkeypatch.delenv("MELTANO_EXTRACTOR_NAME")
    mended = (project / "xero-rejects-tap-shop.singer").read_text().replace("nowhere", "abel@example.com")
    assert wiring.write(mended).count("contacts") == {"created": 1}
    under_meltano(monkeypatch, "tap-shop")
    good = record("contacts", id=1, Name="Abel", EmailAddress="abel@example.com")
    assert wiring.write(schema("contacts", "id"), good).count("contacts") == {"unchanged": 1}


def test_rejects_of_two_sources_are_not_written_with_the_log_of_one(wiring: Wiring, project: Path):
    mixed = [
        {**schema("contacts", "id"), "_source": "shop"},
        record("contacts", id=1, Name="Abel"),
        {**schema("items", "id"), "_source": "till"},
        record("items", id=1, Code="A"),
    ]
    run = wiring.write(mixed)
    assert "records of several sources (shop, till)" in str(run.error)
    assert wiring.writes() == []


# What a log has without source or stream


FIRST_VERSION = """
CREATE TABLE record (
    tenant TEXT, object TEXT, key TEXT, hash TEXT, xero_id TEXT, status TEXT, owner TEXT, parent TEXT, lines
    TEXT, attempts INTEGER NOT NULL DEFAULT 0, written_at TEXT, PRIMARY KEY (tenant, object, key)
) WITHOUT ROWID;
CREATE INDEX record_by_id ON record (tenant, object, xero_id);
CREATE INDEX record_by_parent ON record (tenant, object, parent) WHERE parent IS NOT NULL;
CREATE TABLE flight (
    tenant TEXT, object TEXT, key TEXT, request TEXT, place INTEGER, action TEXT, path TEXT, hash TEXT, body
    TEXT, job TEXT, sent_at TEXT, PRIMARY KEY (tenant, object, key)
) WITHOUT ROWID;
CREATE TABLE name (
    tenant TEXT, object TEXT, name TEXT, key TEXT, PRIMARY KEY (tenant, object, name)
) WITHOUT ROWID;
CREATE INDEX name_by_key ON name (tenant, object, key);
CREATE TABLE id (tenant TEXT, source TEXT, xero TEXT, PRIMARY KEY (tenant, source)) WITHOUT ROWID;
PRAGMA user_version = 1;
"""


def old_key(key: str) -> str:
    """The key that the first version of the log had for a record."""
    found = identity.origin(key)
    assert found is not None
    values = "|".join(f"#{v}" if n == identity.CONTENT else v for n, v in found.fields.items())
    return "/".join([values, *(next(iter(part.values())) for part in found.parts)])


def make_old(path: Path, old: Path) -> None:
    """Write a log as its first version would have it."""
    old.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as new, closing(sqlite3.connect(old)) as first:
        first.executescript(FIRST_VERSION)
        for row in new.execute(
            "SELECT scope, object, key, hash, xero_id, status, owner, parent, lines, attempts, written_at FROM record"
        ):
            old_row = list(row)
            old_row[2], old_row[7] = old_key(row[2]), row[7] and old_key(row[7])
            first.execute(f"INSERT OR REPLACE INTO record VALUES ({','.join('?' * 11)})", old_row)
        for scope, name, named, key in new.execute("SELECT scope, object, name, key FROM name"):
            first.execute(
                "INSERT OR REPLACE INTO name VALUES (?, ?, ?, ?)", (scope, name, named, old_key(key))
            )
        query = "SELECT scope, object, request, action, path, sent_at, records FROM request"
        for scope, name, request, action, path_of, sent_at, records in new.execute(query):
            for place, (key, content, body, job) in enumerate(json.loads(records)):
                job["job"]["key"] = old_key(key)
                values = (scope, name, old_key(key), request, place, action, path_of, content)
                row = (*values, json.dumps(body), json.dumps(job), sent_at)
                first.execute(f"INSERT INTO flight VALUES ({','.join('?' * 11)})", row)
        first.executemany(
            "INSERT INTO id VALUES (?, ?, ?)", new.execute("SELECT scope, source, xero FROM id")
        )
        first.commit()


def with_old_log(wiring: Wiring) -> None:
    """Replace the log by what its first version would have written."""
    path = Path(wiring.config["write_log_path"])
    wiring.config["write_log_path"] = str(wiring.folder / "old.db")
    make_old(path, wiring.folder / "old.db")


EVERYTHING = [
    schema("tracking_categories", "id"),
    record("tracking_categories", id=1, Name="Region", Options=[{"Name": "North"}, {"Name": "South"}]),
    schema("contacts", "shop", "id"),
    record("contacts", shop="a", id=1, Name="Abel"),
    schema("contact_groups", "id"),
    record("contact_groups", id=1, Name="Friends", Contacts=[{"Name": "Abel"}]),
    schema("items"),
    record("items", Code="TENT"),
    schema("invoices", "id"),
    record("invoices", id=1, Type="ACCREC", contact_name="Abel", LineItems=[LINE], DueDate="2026-12-01"),
    schema("manual_journals"),
    {**journal(1), "record": {n: v for n, v in journal(1)["record"].items() if n != "id"}},
    {**journal(1), "record": {n: v for n, v in journal(1)["record"].items() if n != "id"}},
    state("all"),
]  # fmt: skip


@pytest.mark.parametrize("source", ["", "shop"])
def test_a_log_of_the_first_version_is_still_used(wiring: Wiring, source: str):
    wiring.write(EVERYTHING)
    with_old_log(wiring)
    wiring.xero.admin.forget_calls()
    for _ in range(2):
        run = wiring.write(EVERYTHING, source=source, deletes=True)
        assert run.error is None
        assert {tuple(run.count(name)) for name in run.counts} == {("unchanged",)}
        assert wiring.writes() == []
    changed = record("contacts", shop="a", id=1, Name="Abel Ltd")
    assert wiring.write(schema("contacts", "id", "shop"), changed, source=source).count("contacts") == {
        "updated": 1
    }
    assert names(wiring) == ["Abel Ltd"]


def test_requests_that_the_first_version_left_in_flight_are_looked_up(wiring: Wiring):
    wiring.xero.admin.fault("reset_after", method="PUT", path="ManualJournals")
    stream = [schema("manual_journals", "id"), journal(1), state("all")]
    assert wiring.write(stream, tries=1).error is not None
    wiring.xero.admin.advance(400)
    with_old_log(wiring)
    run = wiring.write(stream)
    assert (run.count("manual_journals"), run.states) == ({"unchanged": 1}, ["all"])
    assert len(wiring.records("ManualJournals")) == 1


def test_two_streams_with_one_key_the_last_written_one_keeps_the_old_entry(wiring: Wiring):
    one, other = "public-manual_journals", "other-manual_journals"
    wiring.write(schema(one, "id"), journal(2, 20, one), schema(other, "id"), journal(1, 30, other))
    with_old_log(wiring)
    run = wiring.write(
        schema(one, "id"),
        journal(1, 10, one),
        journal(2, 20, one),
        schema(other, "id"),
        journal(1, 30, other),
    )
    assert run.count("manual_journals") == {"unchanged": 2, "rejected": 1}
    assert "several streams have this key: run these streams one at a time once" in run.rejected[0][1]


def test_records_written_without_a_source_are_known_once_it_has_a_name(wiring: Wiring):
    wiring.write(schema("manual_journals", "id"), journal(1), journal(2))
    run = wiring.write(schema("manual_journals", "id"), journal(1), journal(2, 20), source="shop")
    assert run.count("manual_journals") == {"unchanged": 1, "updated": 1}
    assert len(wiring.records("ManualJournals")) == 2


def test_a_changed_record_without_a_source_is_not_confused_with_one_of_a_named_source(wiring: Wiring):
    wiring.write(schema("manual_journals", "id"), journal(1), journal(2), source="shop")
    run = wiring.write(schema("manual_journals", "id"), journal(1), journal(2, 20))
    assert run.count("manual_journals") == {"unchanged": 1, "rejected": 1}
    assert "set source to shop if it is the same record" in run.rejected[0][1]
    run = wiring.write(schema("manual_journals", "id"), journal(2, 20), source="till")
    assert run.count("manual_journals") == {"created": 1}


def test_extractors_that_shared_the_default_log_get_their_own_without_sharing_a_record(
    wiring: Wiring, project: Path, monkeypatch: pytest.MonkeyPatch
):
    common = project / "xero-write-log.db"
    wiring.write(
        schema("contacts", "id"), record("contacts", id=1, Name="Abel"), record("contacts", id=2, Name="Bert")
    )
    old = common.rename(common.with_name("moved.db"))
    make_old(old, common)
    under_meltano(monkeypatch, "tap-shop")
    run = wiring.write(schema("contacts", "id"), record("contacts", id=1, Name="Abel"))
    assert run.count("contacts") == {"unchanged": 1}
    under_meltano(monkeypatch, "tap-till")
    till = [record("contacts", id=1, Name="Cora"), record("contacts", id=2, Name="Bert")]
    for outcome in ({"created": 1, "unchanged": 1}, {"unchanged": 2}):
        run = wiring.write(schema("contacts", "id"), till)
        assert (run.error, run.count("contacts")) == (None, outcome)
    assert names(wiring) == ["Abel", "Bert", "Cora"]


def test_a_dry_run_upgrades_no_log(wiring: Wiring):
    wiring.write(EVERYTHING)
    with_old_log(wiring)
    before = Path(wiring.config["write_log_path"]).read_bytes()
    run = wiring.write(EVERYTHING, dry_run=True)
    assert {tuple(run.count(name)) for name in run.counts} == {("unchanged",)}
    assert Path(wiring.config["write_log_path"]).read_bytes() == before


# Parts that look alike


def test_two_allocations_of_one_day_are_both_written(wiring: Wiring):
    given = {"Status": "AUTHORISED", "LineAmountTypes": "NoTax", "contact_name": "Abel"}
    documents = [
        schema("contacts", "id"),
        record("contacts", id=1, Name="Abel"),
        schema("invoices", "id"),
        *(
            record("invoices", id=n, Type="ACCREC", InvoiceNumber=f"I-{n}", LineItems=[LINE], DueDate="2026-12-01",
                   **given)
            for n in (1, 2)
        ),
        schema("credit_notes", "id"),
    ]  # fmt: skip

    def note(*allocations: tuple[str, int]) -> dict[str, Any]:
        allocated = [
            {"Invoice": {"InvoiceNumber": invoice}, "Amount": amount, "Date": "2026-11-05"}
            for invoice, amount in allocations
        ]
        return record(
            "credit_notes", id=1, Type="ACCRECCREDIT", LineItems=[LINE], Allocations=allocated, **given
        )

    run = wiring.write(documents, note(("I-1", 3), ("I-2", 4), ("I-1", 2)))
    assert (run.rejected, run.count("allocations")) == ([], {"created": 3})
    assert sorted(i["AmountCredited"] for i in wiring.records("Invoices")) == [4, 5]
    assert wiring.write(documents, note(("I-1", 3), ("I-2", 4), ("I-1", 2))).count("allocations") == {
        "unchanged": 3
    }
    run = wiring.write(documents, note(("I-1", 3), ("I-2", 1), ("I-1", 2)))
    assert run.count("allocations") == {"unchanged": 2, "rejected": 1}
    assert "Xero's API can't change it" in run.rejected[0][1]
    run = wiring.write(documents, note(("I-1", 3), ("I-1", 2)))
    assert run.count("allocations") == {"unchanged": 2}
    assert run.logged(
        "allocations: 1 that are no longer in their records stay in Xero. Set deletes to true to remove them."
    )
    run = wiring.write(documents, note(("I-1", 3), ("I-1", 2)), deletes=True)
    assert run.count("allocations") == {"unchanged": 2, "removed": 1}


def test_an_identity_is_one_line_of_json():
    text = IdentityFormat("a\nb", 'quo"te', ["k"]).of(["vé\n"])
    assert "\n" not in text
    assert identity.origin(text) == ("a\nb", 'quo"te', {"k": "vé\n"}, [])
    assert lines({"key": text}).count("\n") == 1
