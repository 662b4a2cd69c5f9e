"""These tests find a named organisation, compare it, and clean up; another sandbox takes the place of Xero."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from xero_sandbox import Sandbox, apps

from .place import MARK, NotNamed, Seen, at_xero

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def other() -> Iterator[Sandbox]:
    with Sandbox(limits=False) as sandbox:
        yield sandbox


@pytest.fixture
def named(other: Sandbox, tmp_path: Path) -> dict[str, str]:
    """The environment of a user who names the demo company of the other sandbox."""
    other.admin.reset()
    tenants = [one["tenant_id"] for one in other.admin.organisations()]
    return {
        "XERO_TEST_CLIENT_ID": apps.WEB_APP.client_id,
        "XERO_TEST_CLIENT_SECRET": apps.WEB_APP.client_secret or "",
        "XERO_TEST_REFRESH_TOKEN": other.admin.consent(tenants=tenants)["refresh_token"],
        "XERO_TEST_TOKEN_PATH": str(tmp_path / "tokens.json"),
        "XERO_TEST_TENANT": tenants[0],
        "XERO_TEST_API_URL": other.url,
        "XERO_TEST_IDENTITY_URL": other.url,
    }


def test_different_answers_of_xero_are_reported_and_writes_are_cleaned_up(
    other: Sandbox, named: dict[str, str], tmp_path: Path
) -> None:
    other.admin.switch(nothing_new_304=True, since_inclusive=False)
    report = tmp_path / "report.json"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("XERO_TEST_")}
    environment |= {
        **named,
        "XERO_TEST_WRITE_TENANT": named["XERO_TEST_TENANT"],
        "XERO_TEST_REPORT": str(report),
    }
    chosen = "if_modified_since or nothing_new or one_invalid_record or changed_and_archived"
    command = [sys.executable, "-m", "pytest", str(HERE), "-k", chosen, "-p", "no:cacheprovider", "-n", "0"]
    done = subprocess.run(
        command, env=environment, cwd=HERE.parents[1], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert " 8 passed" in done.stdout
    said = " ".join(done.stdout.split())
    assert "2 things were looked at in both, 2 of them differ." in said
    assert "- status when nothing is new sandbox: 200 Xero: 304" in said
    assert "- If-Modified-Since brings what changed in its own second sandbox: True Xero: False" in said
    assert json.loads(report.read_text())["status when nothing is new"] == {"sandbox": 200, "Xero": 304}
    for secret in (named["XERO_TEST_CLIENT_SECRET"], named["XERO_TEST_REFRESH_TOKEN"]):
        assert secret not in done.stdout + done.stderr
    contacts = [one for one in other.admin.records("Contacts") if one["Name"].startswith(MARK)]
    assert [one["ContactStatus"] for one in contacts] == ["ARCHIVED"] * 2
    invoices = [one for one in other.admin.records("Invoices") if MARK in str(one)]
    assert [one["Status"] for one in invoices] == ["DELETED"]


def test_nothing_is_written_unless_the_organisation_is_named_a_second_time(
    named: dict[str, str], tmp_path: Path
) -> None:
    for second in ({}, {"XERO_TEST_WRITE_TENANT": "another"}):
        with at_xero(tmp_path, {**named, **second}) as place:
            assert "set XERO_TEST_WRITE_TENANT to the same id" in place.no_writes
    with at_xero(tmp_path, {**named, "XERO_TEST_WRITE_TENANT": named["XERO_TEST_TENANT"]}) as place:
        assert place.no_writes is None


def test_nothing_is_written_to_an_organisation_that_is_not_a_demo_company(
    other: Sandbox, named: dict[str, str], tmp_path: Path
) -> None:
    real = other.admin.organisations()[1]
    environment = {
        **named,
        "XERO_TEST_TENANT": real["tenant_id"],
        "XERO_TEST_WRITE_TENANT": real["tenant_id"],
    }
    with at_xero(tmp_path, environment) as place:
        assert place.no_writes == f"{real['name']} is no demo company: tests write to none but those"


def test_missing_variables_are_named(named: dict[str, str], tmp_path: Path) -> None:
    for missing in ("XERO_TEST_CLIENT_ID", "XERO_TEST_TENANT"):
        environment = {name: value for name, value in named.items() if name != missing}
        with (
            pytest.raises(NotNamed, match="set XERO_TEST_CLIENT_ID and XERO_TEST_TENANT"),
            at_xero(tmp_path, environment),
        ):
            pytest.fail("a place was given")


def test_an_organisation_that_cannot_be_read_is_an_error_not_a_skip(
    named: dict[str, str], tmp_path: Path
) -> None:
    environment = {**named, "XERO_TEST_TENANT": "11111111-1111-1111-1111-111111111111"}
    with (
        pytest.raises(LookupError, match="XERO_TEST_TENANT names can't be read"),
        at_xero(tmp_path, environment),
    ):
        pytest.fail("a place was given")


def test_calls_are_reserved_for_others(named: dict[str, str], tmp_path: Path) -> None:
    with at_xero(tmp_path, named) as place:
        assert place.config["day_reserve"] == 500
    with at_xero(tmp_path, {**named, "XERO_TEST_DAY_RESERVE": "4000"}) as place:
        assert place.config["day_reserve"] == 4_000


def test_only_behaviour_that_was_seen_at_both_places_is_compared() -> None:
    seen = Seen()
    seen.note("sandbox", "status", 200)
    seen.note("sandbox", "words", "No")
    assert (seen.compared(), seen.differences()) == (0, [])
    seen.note("Xero", "status", 200)
    seen.note("Xero", "words", "Not found")
    assert (seen.compared(), seen.differences()) == (2, [("words", "No", "Not found")])
