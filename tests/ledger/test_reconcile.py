"""The command xero-reconcile: its output, its exit code, and the numbers of records compared with Xero's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from xero_reconcile.__main__ import AGREES, DIFFERS, NOT_COMPARED, main
from xero_sandbox import Sandbox
from xero_sandbox.cli import tap_config

from .conftest import read_company
from .warehouse import DuckDB, tables_of

MODELS = """
CREATE SCHEMA IF NOT EXISTS xero_ledger; CREATE SCHEMA IF NOT EXISTS tap_xero;
CREATE TABLE xero_ledger.organisations AS
    SELECT '{tenant}' AS tenant_id, '{name}' AS organisation_name, 'documents' AS ledger_from, 'NZD' AS base_currency;
CREATE TABLE xero_ledger.reconciliation (
    tenant_id varchar, check_name varchar, subject varchar, subject_id varchar, period date,
    warehouse_amount decimal(18, 2), xero_amount decimal(18, 2), reason varchar);
"""
OF_ONE = ("t", "Kauri Ltd")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "xero.duckdb"


@pytest.fixture
def figures(database: Path) -> Callable[..., Path]:
    """Creates a warehouse whose reconciliation has these rows: check, subject, period, here, Xero, reason."""

    def make(*rows: tuple[Any, ...], organisation: tuple[str, str] = OF_ONE) -> Path:
        tenant, name = organisation
        with duckdb.connect(str(database)) as connection:
            connection.execute(MODELS.replace("{tenant}", tenant).replace("{name}", name))
            for check, subject, period, here, xero, reason in rows:
                connection.execute(
                    "INSERT INTO xero_ledger.reconciliation VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    [tenant, check, subject, subject, period, here, xero, reason],
                )
        return database

    return make


def test_figures_that_agree_to_the_cent_give_exit_code_0(figures: Any, capsys: Any) -> None:
    path = figures(
        ("Profit and loss", "Sales", "2026-10-31", "100.10", "100.10", None),
        ("Profit and loss", "Rent", "2026-10-31", "40.00", "40.00", None),
    )
    assert main(["--database", str(path)], {}) == AGREES
    said = capsys.readouterr().out
    assert "Kauri Ltd: the ledger made from documents, beside Xero (NZD)" in said
    assert "2 of 2 figures agree with Xero." in said
    assert "not checked: Balance sheet: the report was not loaded" in said
    assert "not checked: Records" in said


def test_an_unexplained_cent_fails(figures: Any, capsys: Any) -> None:
    path = figures(
        ("Profit and loss", "Sales", "2026-09-30", "5.00", "5.00", None),
        ("Profit and loss", "Sales", "2026-10-31", "100.10", "100.11", None),
    )
    assert main(["--database", str(path)], {}) == DIFFERS
    said = capsys.readouterr().out
    assert "1 of 2 figures agree with Xero; 1 differ and should not." in said
    (line,) = (line for line in said.splitlines() if "NOT EXPLAINED" in line)
    assert line.split() == [
        "Profit", "and", "loss", "Sales", "2026-10-31", "2026-10-31", "-0.01", "NOT", "EXPLAINED",
    ]  # fmt: skip


def test_differences_that_only_xero_can_explain_fail_in_strict_mode_only(figures: Any, capsys: Any) -> None:
    path = figures(
        ("Balance sheet", "Loan", "2026-09-30", "0.00", "64000.00", "Opening balances"),
        ("Balance sheet", "Loan", "2026-10-31", "-500.00", "63500.00", "Opening balances"),
        ("Trial balance", "Loan", "2026-09-30", "0.00", "-64000.00", "Opening balances"),
        ("Trial balance", "Loan", "2026-10-31", "500.00", "-63500.00", "Opening balances"),
    )
    assert main(["--database", str(path)], {}) == AGREES
    said = capsys.readouterr().out
    assert "1 of 2 movements of an account in a month agree to the cent." in said
    assert "0 of 4 figures agree with Xero; 4 differ by what only Xero knows." in said
    assert said.count("Opening balances") == 1, "one line for one reason"
    assert main(["--database", str(path), "--strict"], {}) == DIFFERS


@pytest.mark.parametrize(
    ("arguments", "environment", "reason"),
    [
        ([], {}, "No warehouse is named"),
        (["--database", "mysql://host/db"], {}, "A warehouse is postgresql://"),
        (["--database", "none.duckdb"], {}, "There is no DuckDB file none.duckdb"),
        (
            [],
            {"XERO_LEDGER_TARGET": "duckdb", "XERO_DUCKDB_PATH": "gone.duckdb"},
            "no DuckDB file gone.duckdb",
        ),
        (["--database", "x.duckdb", "--schema", "a; drop table b"], {}, "is not a valid name of a schema"),
        (
            [],
            {
                "TARGET_POSTGRES_DATABASE": "db",
                "TARGET_POSTGRES_PORT": "1",
                "TARGET_POSTGRES_PASSWORD": "hush!",
            },
            "No connection to PostgreSQL",
        ),
    ],
)
def test_figures_that_cannot_be_compared_have_a_reason(
    arguments: Any, environment: Any, reason: str, capsys: Any
) -> None:
    assert main(arguments, environment) == NOT_COMPARED
    said = capsys.readouterr()
    assert reason in said.err
    assert "hush" not in said.err + said.out


def test_missing_models_are_reported(database: Path, capsys: Any) -> None:
    duckdb.connect(str(database)).close()
    assert main(["--database", str(database)], {}) == NOT_COMPARED
    assert "run `dbt build` first" in capsys.readouterr().err


def test_an_empty_comparison_is_not_an_agreement(figures: Any, capsys: Any) -> None:
    assert main(["--database", str(figures())], {}) == NOT_COMPARED
    assert "There was nothing to compare" in capsys.readouterr().err


@pytest.fixture(scope="module")
def sister(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Any, tuple[str, str]]]:
    """The second company in a running sandbox, and the tap's messages of it."""
    folder = tmp_path_factory.mktemp("sister")
    with Sandbox(company="second", limits=False) as sandbox:
        config = tap_config(sandbox)
        tables = tables_of(read_company(config, folder))
        (one,) = sandbox.admin.organisations()
        (folder / "tap.json").write_text(json.dumps({**config, "token_path": str(folder / "tokens.json")}))
        yield sandbox, (tables, folder / "tap.json"), (one["tenant_id"], one["name"])


@pytest.fixture
def loaded(sister: Any, figures: Any) -> tuple[Path, Path]:
    """A warehouse with the second company, and the tap's config file."""
    _, (tables, config), organisation = sister
    path = figures(organisation=organisation)
    DuckDB(path).load(tables)
    return path, config


def test_the_numbers_of_records_agree_with_xero(loaded: Any, capsys: Any) -> None:
    path, config = loaded
    assert main(["--database", str(path), "--config", str(config)], {}) == AGREES
    said = capsys.readouterr().out
    (line,) = (line for line in said.splitlines() if line.strip().startswith("Records"))
    _, lists, agreeing, _, wrong = line.split()
    assert int(lists) == int(agreeing) > 25
    assert wrong == "0"


def test_a_record_that_the_warehouse_lacks_is_found(loaded: Any, capsys: Any) -> None:
    path, config = loaded
    DuckDB(path).do(
        "DELETE FROM {raw}.payments WHERE rowid = 0; UPDATE {raw}.accounts SET _sdc_deleted_at = now()"
        " WHERE rowid < 2"
    )
    assert main(["--database", str(path), "--config", str(config)], {}) == DIFFERS
    said = capsys.readouterr().out
    assert "-1 (" in said
    assert "-2 (" in said
    assert said.count("load again, or a record is lost") == 2


def test_newer_journals_are_found(loaded: Any, sister: Any, capsys: Any) -> None:
    path, config = loaded
    DuckDB(path).do(
        "DELETE FROM {raw}.journals WHERE journal_number > (SELECT max(journal_number) - 3 FROM {raw}.journals)"
    )
    assert main(["--database", str(path), "--config", str(config)], {}) == DIFFERS
    assert "journals newer than the newest here" in capsys.readouterr().out


def test_settings_come_from_the_environment_like_those_of_the_tap(loaded: Any) -> None:
    path, config = loaded
    given = json.loads(config.read_text())
    environment = {
        f"TAP_XERO_{name.upper()}": str(value) for name, value in given.items() if name != "tenant_ids"
    }
    assert main(["--database", str(path), "--config", "ENV"], environment) == AGREES
