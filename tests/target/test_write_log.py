"""The log of writes as a file: private, of one organisation, reported when it is new or missing."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from singer_xero.api.client import XeroClient
from singer_xero.errors import ConfigurationProblem
from xero_sandbox import apps

from .conftest import Wiring, record, schema

ABEL = [schema("contacts", "id"), record("contacts", id=1, Name="Abel")]
BERT = [schema("contacts", "id"), record("contacts", id=2, Name="Bert")]


def path_of(wiring: Wiring) -> Path:
    return Path(wiring.config["write_log_path"])


def modes(folder: Path) -> dict[str, int]:
    return {one.name: stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()}


# For its user alone


@pytest.mark.parametrize("umask", [0, 0o077, 0o177])
def test_log_lock_and_folder_are_private(wiring: Wiring, tmp_path: Path, umask: int):
    path = tmp_path / "deep" / "er" / "writes.db"
    seen: dict[str, int] = {}
    send = XeroClient.send

    def look(self: XeroClient, *args: Any, **options: Any) -> Any:
        seen.update(modes(path.parent))
        return send(self, *args, **options)

    before = os.umask(umask)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(XeroClient, "send", look)
            run = wiring.write(ABEL, write_log_path=str(path))
    finally:
        os.umask(before)
    assert run.count("contacts") == {"created": 1}
    assert set(seen) >= {"writes.db", "writes.db-wal", "writes.db.lock"}
    assert set(seen.values()) == {0o600}
    assert {stat.S_IMODE(one.stat().st_mode) for one in (path.parent, path.parent.parent)} == {0o700}


def test_a_log_that_others_could_read_becomes_private(wiring: Wiring):
    wiring.write(ABEL)
    path_of(wiring).chmod(0o644)
    wiring.write(ABEL)
    assert stat.S_IMODE(path_of(wiring).stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["writes.db", "writes.db.lock"])
def test_a_link_in_place_of_the_log_or_its_lock_is_not_followed(wiring: Wiring, tmp_path: Path, name: str):
    victim = tmp_path / "victim"
    victim.write_bytes(b"")
    (wiring.folder / name).symlink_to(victim)
    run = wiring.write(ABEL)
    assert "symbolic link, which is not followed" in str(run.error)
    assert victim.read_bytes() == b""
    assert wiring.writes() == []


# New and lost


def test_a_new_log_is_reported_with_its_path_until_a_run_succeeds(wiring: Wiring):
    told = f"The log of writes {path_of(wiring)} is new for"
    assert wiring.write(ABEL, dry_run=True).logged(told)
    wiring.xero.admin.fault("server_error", method="PUT", path="Contacts", count=0)
    assert wiring.write(ABEL, tries=1).logged(told)
    wiring.xero.admin.clear_faults()
    assert wiring.write(ABEL).logged(told)
    assert not wiring.write(BERT).logged(told)


def test_an_empty_file_is_a_new_log(wiring: Wiring):
    wiring.write(ABEL)
    for one in wiring.folder.glob("writes.db*"):
        one.unlink()
    path_of(wiring).touch()
    assert wiring.write(ABEL).logged("is new for")


def test_a_run_can_require_a_log(wiring: Wiring):
    run = wiring.write(ABEL, require_write_log=True)
    assert "require_write_log is set, but the log of writes" in str(run.error)
    assert wiring.writes() == []
    wiring.write(ABEL)
    assert wiring.write(BERT, require_write_log=True).count("contacts") == {"created": 1}
    path_of(wiring).unlink()
    assert isinstance(wiring.write(BERT, require_write_log=True).error, ConfigurationProblem)


@pytest.mark.parametrize("replaced", [False, True], ids=["removed", "replaced"])
def test_a_log_that_is_removed_while_a_run_writes_is_noticed_and_rescued(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch, replaced: bool
):
    send, path = XeroClient.send, path_of(wiring)

    def removing(self: XeroClient, *args: Any, **options: Any) -> Any:
        answer = send(self, *args, **options)
        if path.exists() and len(wiring.writes()) == 1:
            path.unlink()
            if replaced:
                path.write_bytes(b"")
        return answer

    monkeypatch.setattr(XeroClient, "send", removing)
    people = [record("contacts", id=n, Name=f"Person {n}") for n in range(20)]
    run = wiring.write(ABEL[0], people, batch_size=1, on_reject="stop")
    assert f"The log of writes {path} was removed or replaced during the run" in str(run.error)
    assert len(wiring.writes()) == 1
    monkeypatch.undo()
    for one in wiring.folder.glob("writes.db*"):
        if one.suffix != ".rescued":
            one.unlink()
    (wiring.folder / "writes.db.rescued").rename(path)
    run = wiring.write(ABEL[0], people)
    assert run.count("contacts") == {"unchanged": 1, "created": 19}


# Problems are one line that says what is wrong


def test_a_full_disk_is_reported_and_the_next_run_continues(wiring: Wiring):
    wiring.write(ABEL)
    people = [record("contacts", id=n, Name=f"Person {n}", FirstName="x" * 200) for n in range(10, 510)]
    connect = sqlite3.connect

    def small(*args: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*args, **options)
        connection.execute("PRAGMA max_page_count = 40")
        return connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", small)
        run = wiring.write(ABEL[0], people)
    assert "no space left for the log of writes" in str(run.error)
    again = wiring.write(ABEL[0], people)
    assert again.error is None
    assert len(wiring.records("Contacts")) == 501


def test_a_log_that_another_program_has_locked_is_reported(wiring: Wiring):
    wiring.write(ABEL)
    with closing(sqlite3.connect(path_of(wiring))) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("target_xero.write_log.sqlite_log._PATIENCE", 0.1)
            run = wiring.write(BERT)
        other.rollback()
    assert "Another program holds the log of writes" in str(run.error)


# Organisations


def test_the_first_line_names_the_organisation(wiring: Wiring):
    name = wiring.xero.admin.organisations()[0]["name"]
    for dry_run in (True, False):
        run = wiring.write(ABEL, dry_run=dry_run)
        told = [message for message in run.messages if message.startswith("Writing to")]
        assert told == [
            f"Writing to {name} = {wiring.tenant}{' (dry run: nothing is sent)' if dry_run else ''}."
        ]


def test_an_organisation_without_log_entries_is_refused_unless_it_is_named(wiring: Wiring):
    wiring.write(ABEL)
    admin = wiring.xero.admin
    other = admin.add_organisation("Other Ltd", {"Accounts": [], "TaxRates": []})
    admin.consent(apps.CUSTOM_CONNECTION.client_id, [other])
    admin.disconnect(wiring.tenant)
    for dry_run in (True, False):
        run = wiring.write(BERT, tenant_ids=None, dry_run=dry_run)
        assert f"but Other Ltd = {other} is connected" in str(run.error)
    assert [c["Name"] for c in admin.records("Contacts", other)] == []
    run = wiring.write(BERT, tenant_ids=[other])
    assert run.error is None
    assert [c["Name"] for c in admin.records("Contacts", other)] == ["Bert"]
    # Named once, it is known.
    assert wiring.write(BERT, tenant_ids=None).count("contacts") == {"unchanged": 1}
