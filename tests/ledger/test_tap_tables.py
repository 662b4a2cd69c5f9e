"""Tables that are not as they should be: stale lines, rows marked as deleted, rows twice, tables and accounts gone."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from demo import dbt
from xero_sandbox import Sandbox
from xero_sandbox.cli import tap_config

from .conftest import read_company
from .warehouse import DuckDB, tables_of


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory, dbt_program: Path) -> Any:
    """The sister company's tables, damaged, and the ledger that is made of them all the same."""
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
    variables = {"xero_ledger_from": "documents", "xero_deduplicate": True, "xero_as_at": "2026-11-20"}
    dbt.run(
        dbt_program, ["run", "-s", "+general_ledger", "+invoice_lines"], settings, folder, variables=variables
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


def test_a_line_that_was_taken_off_does_not_count(warehouse: Any) -> None:
    where = f"source_id = '{warehouse.edited}'"
    assert net(warehouse, where) == journalled(warehouse, where) != {}
    assert warehouse.ask("SELECT count(*) FROM {made}.invoice_lines WHERE line_item_id = 'taken off'") == [
        (0,)
    ]


def test_a_row_that_is_marked_as_deleted_does_not_count(warehouse: Any) -> None:
    assert net(warehouse, f"source_id = '{warehouse.removed}'") == {}


def test_rows_that_stand_twice_count_once(warehouse: Any) -> None:
    paid = f"SELECT payment_id FROM {{raw}}.payments WHERE invoice_id <> '{warehouse.removed}'"
    where = f"source_id IN ({paid})"
    assert net(warehouse, where) == journalled(warehouse, where) != {}


def test_an_account_that_is_gone_is_known_from_its_journals(warehouse: Any) -> None:
    where = f"source_type = 'ACCPAY' AND source_id NOT IN ('{warehouse.removed}', '{warehouse.unknown}')"
    assert net(warehouse, where) == journalled(warehouse, where)
    assert warehouse.gone in net(warehouse, where)


def test_a_line_whose_account_nobody_knows_stands_in_suspense_and_nothing_is_lost(warehouse: Any) -> None:
    where = f"source_id = '{warehouse.unknown}'"
    ours, theirs = net(warehouse, where), journalled(warehouse, where)
    assert ours.pop("suspense") in theirs.values()
    assert ours.items() <= theirs.items()
    assert len(ours) == len(theirs) - 1


def test_a_payment_of_a_document_that_is_not_there_says_so(warehouse: Any) -> None:
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
