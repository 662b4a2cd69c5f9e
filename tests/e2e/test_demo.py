"""The demo's database and output; the checks of the repository run the whole demo."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from demo import install, results, run, screen

TODAY = date(2026, 11, 20)
OURS = "made by these tests"


@pytest.fixture
def schema(postgres_url: str) -> Iterator[str]:
    name = f"xero_test_{uuid.uuid4().hex[:12]}"
    yield name
    with psycopg.connect(postgres_url) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")


def with_invoices(url: str, schema: str, *invoices: tuple[str, str, str, str, str, int | None]) -> None:
    """Create a table of invoices: type, status, contact, currency, amount due, days overdue."""
    with psycopg.connect(url) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        connection.execute(
            f'CREATE TABLE {schema}.invoices ("Type" text, "Status" text, "Contact" jsonb, "CurrencyCode" text, '
            '"AmountDue" numeric, "DueDate" date, _sdc_deleted_at timestamp)'
        )
        for kind, status, contact, currency, due, late in invoices:
            day = None if late is None else TODAY - timedelta(days=late)
            connection.execute(
                f"INSERT INTO {schema}.invoices VALUES (%s, %s, %s, %s, %s, %s)",
                [kind, status, json.dumps({"Name": contact}), currency, due, day],
            )


def test_amounts_due_are_in_the_bucket_of_their_days_overdue(postgres_url: str, schema: str) -> None:
    days = [None, -5, 0, 1, 30, 31, 60, 61, 90, 91]
    rows = [("ACCREC", "AUTHORISED", "Ada", "NZD", f"{10**at}.01", late) for at, late in enumerate(days)]
    with_invoices(postgres_url, schema, *rows)
    ada, total = results.owed(postgres_url, schema, TODAY)
    assert ada["contact"] == "Ada"
    assert total["contact"] is None
    for row in (ada, total):
        assert [row[key] for key in results.AMOUNTS] == [
            Decimal("111.03"),
            Decimal("11000.02"),
            Decimal("1100000.02"),
            Decimal("110000000.02"),
            Decimal("1000000000.01"),
            Decimal("1111111111.10"),
        ]
        assert (row["invoices"], row["oldest"]) == (10, 91)


def test_only_approved_sales_with_an_amount_due_are_owed_and_currencies_are_not_added_up(
    postgres_url: str, schema: str
) -> None:
    with_invoices(
        postgres_url,
        schema,
        ("ACCREC", "AUTHORISED", "Ada", "NZD", "1.50", 3),
        ("ACCREC", "AUTHORISED", "Ada", "EUR", "2.25", 3),
        ("ACCREC", "DRAFT", "Ada", "NZD", "100", 3),
        ("ACCREC", "PAID", "Ada", "NZD", "0", 3),
        ("ACCPAY", "AUTHORISED", "Ada", "NZD", "100", 3),
    )
    found = [
        (row["currency"], row["contact"], row["owed"]) for row in results.owed(postgres_url, schema, TODAY)
    ]
    assert found == [
        ("EUR", "Ada", Decimal("2.25")),
        ("EUR", None, Decimal("2.25")),
        ("NZD", "Ada", Decimal("1.50")),
        ("NZD", None, Decimal("1.50")),
    ]


def test_a_schema_that_the_demo_did_not_create_is_neither_used_nor_dropped(
    postgres_url: str, schema: str
) -> None:
    with_invoices(postgres_url, schema, ("ACCREC", "AUTHORISED", "Ada", "NZD", "1", 1))
    with pytest.raises(results.DatabaseError, match="did not create"):
        results.own_schema(postgres_url, schema, OURS)
    results.drop_schema(postgres_url, schema, OURS)
    assert results.owed(postgres_url, schema, TODAY)


def test_its_own_schema_is_found_again_and_dropped(postgres_url: str, schema: str) -> None:
    assert results.own_schema(postgres_url, schema, OURS)
    assert not results.own_schema(postgres_url, schema, OURS)
    results.drop_schema(postgres_url, schema, OURS)
    assert results.own_schema(postgres_url, schema, OURS)


def test_each_server_has_its_own_folder_without_a_password_in_its_name() -> None:
    mine = run.Destination("postgres://me:secret@db.example.com:5433/books")
    same = run.Destination("postgresql+psycopg://me:other@db.example.com:5433/books")
    other = run.Destination("postgresql://me:secret@db.example.com:5433/more")
    assert mine.folder == same.folder != other.folder
    assert run.Destination(None).folder.name == "local"
    assert "secret" not in f"{mine.folder} {mine.shown}"
    assert mine.url == "postgresql://me:secret@db.example.com:5433/books"


def test_an_address_of_another_database_is_refused() -> None:
    with pytest.raises(run.DemoError, match="mysql"):
        run.Destination("mysql://me@localhost/books")


def test_the_demo_ignores_the_users_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TAP_XERO_CLIENT_ID", "TARGET_POSTGRES_HOST", "MELTANO_ENVIRONMENT", "DATABASE_URL"):
        monkeypatch.setenv(name, "theirs")
    assert "theirs" not in run.meltano_environment().values()


def test_progress_shows_the_stream_and_the_rows_so_far() -> None:
    progress = results.Progress()
    events = [
        "invoices of Ada Ltd: 1,200 of 3,400 rows (2 calls)",
        "invoices of Ada Ltd: 3,400 rows (4 calls)",
        "users of Ada Ltd: 1 row (1 call)",
    ]
    for event in events:
        progress.read(json.dumps({"event": event, "name": "tap-xero"}))
    assert progress.text == "reading users; 3,401 rows of 2 streams"
    progress.read(json.dumps({"event": "Ada Ltd: 5 calls, 4,970 left today, 0.1 MB received, 0 s waited."}))
    assert progress.text == "all streams are read, target-postgres is writing; 3,401 rows of 2 streams"


def test_a_line_that_is_not_json_is_shown_unchanged() -> None:
    progress = results.Progress()
    assert "Traceback" in progress.read("Traceback (most recent call last):\n")
    assert "Traceback" in progress.last[-1]


def test_columns_are_aligned_in_any_script(capsys: pytest.CaptureFixture[str]) -> None:
    screen.table(["contact", "owed"], [[["株式会社うみのこ", "1.00"], ["Zoe\u0308", "12.00"]]])
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "  contact            owed",
        f"  {screen.LINE * 23}",
        "  株式会社うみのこ   1.00",
        "  Zoe\u0308               12.00",
    ]


def test_an_extra_is_installed_again_when_pyproject_changes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(install, "ROOT", tmp_path)
    monkeypatch.setattr(install, "STAMP", tmp_path / "installed.json")
    (tmp_path / "pyproject.toml").write_text("[project]")
    (tmp_path / "installed.json").write_text(json.dumps({"test": install.fingerprint()}))
    assert install.installed("test")
    assert not install.installed("demo")
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'more'")
    assert not install.installed("test")
