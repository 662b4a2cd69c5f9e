"""Damaged tables: stale lines, rows marked as deleted, repeated rows, missing tables and accounts."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from demo import dbt
from xero_sandbox import Sandbox
from xero_sandbox.cli import tap_config

from .conftest import read_company
from .warehouse import DuckDB, tables_of

VARIABLES = {"xero_ledger_from": "documents", "xero_deduplicate": True, "xero_as_at": "2026-11-20"}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory, dbt_program: Path) -> Any:
    """The second company's tables, damaged, and the ledger that is built from them."""
    folder = tmp_path_factory.mktemp("tables")
    with Sandbox(company="second", limits=False) as sandbox:
        tables = tables_of(read_company(tap_config(sandbox), folder / "read"))
    made = DuckDB(folder / "xero.duckdb")
    made.load({name: table for name, table in tables.items() if name != "credit_notes"})
    ((made.edited,), (made.removed,), (made.unknown,)) = made.ask(
        "SELECT invoice_id FROM {raw}.invoices ORDER BY invoice_id LIMIT 3"
    )
    ((made.gone,),) = made.ask("SELECT account_id FROM {raw}.accounts WHERE code = '310'")
    made.do(
        f"""
        INSERT INTO {{raw}}.invoice_line_items
            SELECT * REPLACE ('taken off' AS line_item_id, updated_date_utc - INTERVAL 1 DAY AS updated_date_utc)
            FROM {{raw}}.invoice_line_items WHERE invoice_id = '{made.edited}';
        UPDATE {{raw}}.invoices SET _sdc_deleted_at = now() WHERE invoice_id = '{made.removed}';
        INSERT INTO {{raw}}.payments SELECT * FROM {{raw}}.payments;
        DELETE FROM {{raw}}.accounts WHERE account_id = '{made.gone}';
        UPDATE {{raw}}.invoice_line_items SET account_id = 'nowhere', account_code = '999'
            WHERE invoice_id = '{made.unknown}';
        """
    )
    settings = {"XERO_LEDGER_TARGET": "duckdb", "XERO_DUCKDB_PATH": str(made.path)}
    dbt.run(
        dbt_program, ["run", "-s", "+general_ledger", "+invoice_lines"], settings, folder, variables=VARIABLES
    )
    return made


def net(warehouse: Any, where: str) -> dict[str, Decimal]:
    rows = warehouse.ask(
        f"SELECT account_id, sum(net_amount) FROM {{made}}.ledger_document_entries WHERE {where} GROUP BY 1"
    )
    return {account: amount for account, amount in rows if amount}


def journalled(warehouse: Any, where: str) -> dict[str, Decimal]:
    rows = warehouse.ask(
        "SELECT l.account_id, sum(CAST(l.net_amount AS decimal(18, 2))) FROM {raw}.journal_lines l"
        f" JOIN {{raw}}.journals j USING (tenant_id, journal_id) WHERE {where} GROUP BY 1"
    )
    return {account: amount for account, amount in rows if amount}


def test_a_removed_line_does_not_count(warehouse: Any) -> None:
    where = f"source_id = '{warehouse.edited}'"
    assert net(warehouse, where) == journalled(warehouse, where) != {}
    assert warehouse.ask("SELECT count(*) FROM {made}.invoice_lines WHERE line_item_id = 'taken off'") == [
        (0,)
    ]


def test_a_row_that_is_marked_as_deleted_does_not_count(warehouse: Any) -> None:
    assert net(warehouse, f"source_id = '{warehouse.removed}'") == {}


def test_repeated_rows_count_once(warehouse: Any) -> None:
    paid = f"SELECT payment_id FROM {{raw}}.payments WHERE invoice_id <> '{warehouse.removed}'"
    where = f"source_id IN ({paid})"
    assert net(warehouse, where) == journalled(warehouse, where) != {}


def test_a_deleted_account_is_known_from_its_journals(warehouse: Any) -> None:
    where = f"source_type = 'ACCPAY' AND source_id NOT IN ('{warehouse.removed}', '{warehouse.unknown}')"
    assert net(warehouse, where) == journalled(warehouse, where)
    assert warehouse.gone in net(warehouse, where)


def test_a_line_with_an_unknown_account_is_in_suspense_and_nothing_is_lost(warehouse: Any) -> None:
    where = f"source_id = '{warehouse.unknown}'"
    ours, theirs = net(warehouse, where), journalled(warehouse, where)
    assert ours.pop("suspense") in theirs.values()
    assert ours.items() <= theirs.items()
    assert len(ours) == len(theirs) - 1


def test_a_payment_of_a_missing_document_is_marked(warehouse: Any) -> None:
    rows = warehouse.ask(
        "SELECT DISTINCT description FROM {made}.ledger_document_entries WHERE account_id = 'suspense'"
        f" AND source_id IN (SELECT payment_id FROM {{raw}}.payments WHERE invoice_id = '{warehouse.removed}')"
    )
    assert rows == [("Payment of a document that is not in the warehouse",)]


def test_every_journal_still_adds_up_to_zero(warehouse: Any) -> None:
    assert (
        warehouse.ask("SELECT journal_id FROM {made}.general_ledger GROUP BY 1 HAVING sum(net_amount) <> 0")
        == []
    )


#: The tables that Fivetran's package for Xero reads, with a column of each that its models join by.
FIVETRAN = {
    "account": "code", "contact": "contact_id", "organization": "financial_year_end_month", "invoice": "contact_id",
    "invoice_line_item": "account_code", "invoice_line_item_has_tracking_category": "option",
    "bank_transaction": "contact_id", "credit_note": "contact_id", "journal": "journal_date",
    "journal_line": "account_id", "journal_line_has_tracking_category": "tracking_category_option_id",
    "tracking_category": "status", "tracking_category_option": "status",
    "tracking_category_has_option": "tracking_option_id", "journal_cash": "journal_date",
    "journal_cash_line": "account_id", "journal_cash_line_has_tracking_category": "tracking_category_option_id",
}  # fmt: skip
#: The form in which its staging models read a table, and its macro for that.
ASKS = """
select t.* {{ fivetran_utils.apply_source_relation(package_name='xero', use_package_prefix=false) }}
from ({{ fivetran_utils.union_connections('xero_sources', 'xero', '%s') }}) as t
"""
HANDS_ON = """
{% macro union_connections(connections, source, table, identifier=none) %}
  {{ adapter.dispatch('union_connections', 'fivetran_utils')(connections, source, table, identifier) }}
{% endmacro %}
{% macro default__union_connections(connections, source, table, identifier) %} select 1 as tenant_id {% endmacro %}
{% macro apply_source_relation(package_name, use_package_prefix=true) %}
  {{ adapter.dispatch('apply_source_relation', 'fivetran_utils')(package_name, use_package_prefix) }}
{% endmacro %}
{% macro default__apply_source_relation(package, prefix) %} , 'theirs' as source_relation {% endmacro %}
"""
#: The tables for which the second company has rows.
FILLED = {"account", "contact", "organization", "invoice", "invoice_line_item", "journal", "journal_line"}


def own_project(folder: Path, *, dispatch: bool) -> Path:
    """A user's dbt project with this package and one that reads tables like Fivetran's."""
    packages = {"xero": folder / "xero", "fivetran_utils": folder / "fivetran_utils", "own": folder / "own"}
    for name, place in packages.items():
        (place / "models").mkdir(parents=True)
        (place / "macros").mkdir()
        settings: dict[str, Any] = {"name": name, "version": "1.0.0", "profile": "xero_ledger"}
        if name == "xero":
            settings["models"] = {"xero": {"+materialized": "view", "+schema": "theirs"}}
        if name == "own" and dispatch:
            order = ["own", "xero_ledger", "fivetran_utils"]
            settings["dispatch"] = [{"macro_namespace": "fivetran_utils", "search_order": order}]
        (place / "dbt_project.yml").write_text(json.dumps(settings))
    for table in FIVETRAN:
        (packages["xero"] / "models" / f"stg_xero__{table}_tmp.sql").write_text(ASKS % table)
    (packages["fivetran_utils"] / "macros" / "tables.sql").write_text(HANDS_ON)
    packages["xero_ledger"] = dbt.PROJECT
    taken = [name for name in packages if name != "own"]
    listed = {"packages": [{"local": str(packages[name])} for name in taken]}
    (packages["own"] / "packages.yml").write_text(json.dumps(listed))
    (packages["own"] / "dbt_packages").mkdir()
    for name in taken:  # in the way that `dbt deps` links them
        (packages["own"] / "dbt_packages" / name).symlink_to(packages[name])
    return packages["own"]


def run_own(program: Path, project: Path, warehouse: Any, *arguments: str) -> None:
    settings = {
        "XERO_LEDGER_TARGET": "duckdb",
        "XERO_DUCKDB_PATH": str(warehouse.path),
        "DBT_PROFILES_DIR": str(dbt.PROJECT),
    }
    dbt.run(program, list(arguments), settings, project, variables=VARIABLES, project=project)


def test_fivetrans_package_finds_its_tables_in_a_users_project(
    warehouse: Any, dbt_program: Path, tmp_path: Path
) -> None:
    project = own_project(tmp_path, dispatch=True)
    run_own(dbt_program, project, warehouse, "run", "-s", "package:xero")
    tenants = warehouse.ask("SELECT tenant_id FROM {made}.organisations")
    for table, column in FIVETRAN.items():
        ((rows, filled),) = warehouse.ask(
            f"SELECT count(*), count({column}) FROM {{made}}_theirs.stg_xero__{table}_tmp"
        )
        assert rows >= filled
        assert filled or table not in FILLED, table
        theirs = f"SELECT DISTINCT source_relation FROM {{made}}_theirs.stg_xero__{table}_tmp"
        assert warehouse.ask(theirs) == (tenants if rows else []), table
    lines = "SELECT count(*) FROM {made}_theirs.stg_xero__journal_line_tmp"
    ledger = "SELECT count(*) FROM {made}.general_ledger"
    assert warehouse.ask(lines) == warehouse.ask(ledger)
    unknown = (
        "SELECT count(*) FROM {made}_theirs.stg_xero__journal_line_tmp AS l"
        " LEFT JOIN {made}_theirs.stg_xero__account_tmp AS a USING (source_relation, account_id) WHERE a.class IS NULL"
    )
    assert warehouse.ask(unknown) == [(0,)]


def test_without_the_dispatch_settings_the_build_fails_and_names_them(
    warehouse: Any, dbt_program: Path, tmp_path: Path
) -> None:
    project = own_project(tmp_path, dispatch=False)
    with pytest.raises(
        dbt.DbtError, match=r"macro_namespace: fivetran_utils, search_order: \[own, xero_ledger"
    ):
        run_own(dbt_program, project, warehouse, "compile", "-s", "organisations")
