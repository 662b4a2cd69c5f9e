"""The dbt package's ledger compared with the sandbox's journals: by account and month, by document, by
tracking.

Three organisations that do anything that Xero allows, with the two demo companies, are in one schema. The
ledger is built from documents, on PostgreSQL and on DuckDB.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from login.chromium import Chromium, program

from demo import dbt
from xero_reconcile.__main__ import AGREES, main
from xero_sandbox import Sandbox, apps

from .conftest import read_company
from .random_company import RandomCompany
from .warehouse import DuckDB, Message, Postgres, Table, tables_of

#: The seed of the random companies.
SEED = int(os.environ.get("RANDOM_COMPANY_SEED", "20261120"))
DEEDS, COMPANIES = 150, 3
#: A tracking option that the random companies archive while lines have it.
ARCHIVED = ("Department", "Shop")

#: The cases of a ledger; each of them occurs in the companies, whose figures are compared to the cent.
SITUATIONS = {
    "voided invoices": "SELECT 1 FROM {raw}.invoices WHERE status = 'VOIDED'",
    "deleted invoices": "SELECT 1 FROM {raw}.invoices WHERE status = 'DELETED'",
    "drafts": "SELECT 1 FROM {raw}.invoices WHERE status IN ('DRAFT', 'SUBMITTED')",
    "voided credit notes": "SELECT 1 FROM {raw}.credit_notes WHERE status = 'VOIDED'",
    "deleted bank transactions": "SELECT 1 FROM {raw}.bank_transactions WHERE status = 'DELETED'",
    "tax inclusive": "SELECT 1 FROM {raw}.invoices WHERE lower(line_amount_types) = 'inclusive' AND status = 'PAID'",
    "tax exclusive": "SELECT 1 FROM {raw}.invoices WHERE lower(line_amount_types) = 'exclusive' AND status = 'PAID'",
    "no tax": "SELECT 1 FROM {raw}.invoices WHERE lower(line_amount_types) = 'notax' AND status = 'PAID'",
    "discounts": "SELECT 1 FROM {raw}.invoice_line_items WHERE discount_rate > 0",
    "cents on the rounding account": "SELECT 1 FROM {made}.general_ledger WHERE kind = 'Rounding' AND net_amount <> 0",
    "realised currency gains": "SELECT 1 FROM {made}.ledger_document_entries e"
    " JOIN {made}.organisations o USING (tenant_id)"
    " WHERE e.account_id = o.currency_gain_account_id AND e.kind = 'Payments'",
    "gains of allocations": "SELECT 1 FROM {made}.ledger_document_entries e"
    " JOIN {made}.organisations o USING (tenant_id)"
    " WHERE e.account_id = o.currency_gain_account_id AND e.kind = 'Allocations'",
    "documents settled in several parts": "SELECT 1 FROM {made}.ledger_settlements"
    " GROUP BY document_id HAVING count(*) > 2",
    "overpayments": "SELECT 1 FROM {raw}.overpayments",
    "prepayments": "SELECT 1 FROM {raw}.prepayments",
    "allocated overpayments": "SELECT 1 FROM {raw}.overpayment_allocations",
    "allocated prepayments": "SELECT 1 FROM {raw}.prepayment_allocations",
    "allocated credit notes": "SELECT 1 FROM {raw}.credit_note_allocations",
    "refunds of overpayments": "SELECT 1 FROM {raw}.payments"
    " WHERE payment_type LIKE '%OVERPAYMENTPAYMENT' AND status = 'AUTHORISED'",
    "refunds of prepayments": "SELECT 1 FROM {raw}.payments"
    " WHERE payment_type LIKE '%PREPAYMENTPAYMENT' AND status = 'AUTHORISED'",
    "refunds of credit notes": "SELECT 1 FROM {raw}.payments"
    " WHERE payment_type LIKE '%CREDITPAYMENT' AND status = 'AUTHORISED'",
    "deleted payments": "SELECT 1 FROM {raw}.payments WHERE status = 'DELETED'",
    "batch payments": "SELECT 1 FROM {raw}.batch_payments WHERE status = 'AUTHORISED'",
    "transfers": "SELECT 1 FROM {raw}.bank_transfers",
    "manual journals with tax": "SELECT 1 FROM {raw}.manual_journal_lines WHERE tax_amount <> 0",
    "voided manual journals": "SELECT 1 FROM {raw}.manual_journals WHERE status = 'VOIDED'",
    "sales credit notes": "SELECT 1 FROM {raw}.credit_notes WHERE type = 'ACCRECCREDIT'",
    "supplier credit notes": "SELECT 1 FROM {raw}.credit_notes WHERE type = 'ACCPAYCREDIT'",
    "expense claims": "SELECT 1 FROM {made}.ledger_document_entries WHERE source_type = 'EXPCLAIM'",
    "cost of tracked stock": "SELECT 1 FROM {made}.ledger_document_entries WHERE kind = 'Cost of stock sold'",
    "lines with two tracking options": "SELECT 1 FROM {made}.ledger_line_tags WHERE tags = 2",
    "lines with a foreign currency": "SELECT 1 FROM {made}.invoice_lines WHERE currency_code <> base_currency",
}
ACCOUNT_MONTHS = """
WITH truth AS (
    SELECT j.tenant_id, date_trunc('month', CAST(j.journal_date AS date)) AS month, l.account_id,
           sum(CAST(l.net_amount AS decimal(18, 2))) AS net
    FROM {raw}.journals j JOIN {raw}.journal_lines l ON l.tenant_id = j.tenant_id AND l.journal_id = j.journal_id
    WHERE j.source_id IS NOT NULL
    GROUP BY 1, 2, 3
), ours AS (
    SELECT tenant_id, date_trunc('month', date) AS month, account_id, sum(net_amount) AS net
    FROM {made}.ledger_document_entries GROUP BY 1, 2, 3
)
SELECT o.organisation_name, CAST(CAST(month AS date) AS varchar), coalesce(a.account_name, account_id),
       coalesce(t.net, 0), coalesce(u.net, 0)
FROM truth t FULL JOIN ours u USING (tenant_id, month, account_id)
LEFT JOIN {made}.chart_of_accounts a USING (tenant_id, account_id)
LEFT JOIN {made}.organisations o USING (tenant_id)
WHERE coalesce(t.net, 0) <> 0 OR coalesce(u.net, 0) <> 0
ORDER BY 1, 2, 3
"""
PROFIT_BY_TRACKING = """
WITH truth AS (
    SELECT l.tenant_id, l.account_id, substr(CAST(j.journal_date AS varchar), 1, 7) AS month,
           coalesce(t.options, '') AS options, sum(CAST(l.net_amount AS decimal(18, 2))) AS net
    FROM {raw}.journal_lines l JOIN {raw}.journals j ON l.tenant_id = j.tenant_id AND l.journal_id = j.journal_id
    LEFT JOIN (
        SELECT tenant_id, journal_line_id, string_agg(option, ',' ORDER BY option) AS options
        FROM {raw}.journal_line_tracking GROUP BY 1, 2) t
      ON t.tenant_id = l.tenant_id AND t.journal_line_id = l.journal_line_id
    GROUP BY 1, 2, 3, 4
), ours AS (
    SELECT tenant_id, account_id, substr(CAST(month AS varchar), 1, 7) AS month,
           CASE WHEN tracking_option_1 IS NULL THEN coalesce(tracking_option_2, '')
                WHEN tracking_option_2 IS NULL THEN tracking_option_1
                WHEN tracking_option_1 < tracking_option_2 THEN tracking_option_1 || ',' || tracking_option_2
                ELSE tracking_option_2 || ',' || tracking_option_1 END AS options,
           -sum(profit) AS net
    FROM {made}.profit_and_loss GROUP BY 1, 2, 3, 4
)
SELECT a.account_name, month, options, coalesce(t.net, 0), coalesce(u.net, 0)
FROM truth t FULL JOIN ours u USING (tenant_id, account_id, month, options)
JOIN {made}.chart_of_accounts a USING (tenant_id, account_id)
WHERE a.is_profit_and_loss AND (coalesce(t.net, 0) <> 0 OR coalesce(u.net, 0) <> 0)
"""


def random_company(sandbox: Sandbox, seed: int, happened: set[str]) -> str:
    """The tenant id of a new organisation after its story; accepted events are added to `happened`."""
    company = RandomCompany(sandbox, f"Random {seed}", seed)
    for _ in range(DEEDS):
        company.act()
    company.archive_option(*ARCHIVED)
    company.close()
    happened |= company.happened
    assert company.done > 3 * company.refused
    return company.tenant


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> list[Message]:
    """The tap's messages of all organisations, the demo company's reports included."""
    folder = tmp_path_factory.mktemp("companies")
    found: list[Message] = []
    with Sandbox(limits=False) as sandbox:
        admin = sandbox.admin
        admin.freeze()
        tenants = [one["tenant_id"] for one in admin.organisations()[:2]]
        app = apps.WEB_APP.settings(sandbox.url)
        tokens = admin.consent(tenants=tenants)
        settings = {**app, "tenant_ids": tenants, "refresh_token": tokens["refresh_token"]}
        found += read_company(settings, folder / "told")
    with Sandbox(company="empty", limits=False) as sandbox:
        sandbox.admin.freeze()
        happened: set[str] = set()
        tenants = [random_company(sandbox, SEED + n, happened) for n in range(COMPANIES)]
        assert SEED != 20261120 or happened == {deed.__name__ for deed in RandomCompany.DEEDS}
        tokens = sandbox.admin.consent(tenants=tenants)
        settings = {**apps.WEB_APP.settings(sandbox.url), "tenant_ids": tenants}
        found += read_company({**settings, "refresh_token": tokens["refresh_token"]}, folder / "random")
    return found


@pytest.fixture(scope="module")
def tables(messages: list[Message]) -> dict[str, Table]:
    return tables_of(messages)


@pytest.fixture(scope="module", params=["postgres", "duckdb"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def place(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp(kind)


@pytest.fixture(scope="module")
def warehouse(
    kind: str, place: Path, tables: dict[str, Table], dbt_program: Path, request: pytest.FixtureRequest
) -> Iterator[Any]:
    """A warehouse after `dbt build` from documents, with all tests of the package passed."""
    made: Any
    if kind == "postgres":
        made = Postgres(request.getfixturevalue("postgres_url"), "ledger_models")
        settings = dbt.postgres_settings(made.url)
    else:
        made = DuckDB(place / "xero.duckdb")
        settings = {"XERO_LEDGER_TARGET": "duckdb", "XERO_DUCKDB_PATH": str(made.path)}
    made.load(tables)
    made.settings = settings = {**settings, "XERO_LEDGER_SCHEMA": made.made}
    variables = {"xero_schema": made.raw, "xero_ledger_from": "documents", "xero_as_at": "2026-11-20"}
    made.said = dbt.run(dbt_program, ["build"], settings, place, variables=variables)
    yield made
    if kind == "postgres":
        made.drop()


def test_the_build_ran_every_model_and_every_test(warehouse: Any) -> None:
    assert "Completed successfully" in warehouse.said or "Completed with" in warehouse.said
    assert " ERROR=0 " in warehouse.said
    assert warehouse.said.count("PASS ") > 60


@pytest.mark.parametrize("query", SITUATIONS.values(), ids=SITUATIONS)
def test_every_case_of_a_ledger_occurs_in_the_companies(warehouse: Any, query: str) -> None:
    assert warehouse.ask(f"SELECT count(*) FROM ({query}) AS found") > [(0,)]


def test_each_account_and_month_agrees_to_the_cent_without_reports(warehouse: Any) -> None:
    """Everything except the account that paid a classic expense claim, which Xero does not show."""
    rows = warehouse.ask(ACCOUNT_MONTHS)
    assert {name for name, *_ in rows} == {
        "Tōtara & Tide Limited", "Tide & Timber Pty Ltd", *(f"Random {SEED + n}" for n in range(COMPANIES)),
    }  # fmt: skip
    differing = [(name, account, ours - truth) for name, _, account, truth, ours in rows if ours != truth]
    assert sorted(differing) == sorted(
        [
            ("Tōtara & Tide Limited", "Business Cheque Account", Decimal("75.90")),
            ("Tōtara & Tide Limited", "Suspense: not placed by xero_ledger", Decimal("-75.90")),
        ]
        * 2
    )
    assert len(rows) > 1_300


def test_each_document_of_the_random_companies_agrees_to_the_cent(warehouse: Any) -> None:
    rows = warehouse.ask(
        """
        WITH truth AS (
            SELECT j.tenant_id, j.source_id, j.source_type, l.account_id,
                   sum(CAST(l.net_amount AS decimal(18, 2))) AS net
            FROM {raw}.journals j
            JOIN {raw}.journal_lines l ON l.tenant_id = j.tenant_id AND l.journal_id = j.journal_id
            GROUP BY 1, 2, 3, 4
        ), ours AS (
            SELECT tenant_id, source_id, source_type, account_id, sum(net_amount) AS net
            FROM {made}.ledger_document_entries GROUP BY 1, 2, 3, 4
        )
        SELECT source_type, source_id, account_id, coalesce(t.net, 0), coalesce(u.net, 0)
        FROM truth t FULL JOIN ours u USING (tenant_id, source_id, source_type, account_id)
        JOIN {made}.organisations o USING (tenant_id)
        WHERE o.organisation_name LIKE 'Random%' AND (coalesce(t.net, 0) <> 0 OR coalesce(u.net, 0) <> 0)
        """
    )
    assert [row for row in rows if row[3] != row[4]] == []
    assert {row[0] for row in rows} >= {
        "ACCREC", "ACCPAY", "ACCRECCREDIT", "ACCPAYCREDIT", "CASHREC", "CASHPAID", "ACCRECPAYMENT", "ACCPAYPAYMENT",
        "ARPREPAYMENT", "TRANSFER", "MANJOURNAL",
    }  # fmt: skip


def test_profit_and_loss_by_tracking_agrees_with_the_journals(warehouse: Any) -> None:
    rows = warehouse.ask(PROFIT_BY_TRACKING)
    differing = [row for row in rows if row[3] != row[4]]
    assert [row for row in differing if row[0] != "Cost of Goods Sold"] == []
    assert len(rows) > 1_000


def test_lines_keep_a_tracking_option_that_was_archived_since(warehouse: Any) -> None:
    options = "SELECT DISTINCT status FROM {raw}.tracking_options WHERE name = %s"
    assert ("ARCHIVED",) in warehouse.ask(options, ARCHIVED[1])
    told = (
        "SELECT t.tenant_id, count(*) FROM {raw}.invoice_line_item_tracking t JOIN {raw}.tracking_options o"
        " ON o.tenant_id = t.tenant_id AND o.tracking_category_id = t.tracking_category_id AND o.name = t.option"
        " JOIN {raw}.invoice_line_items l ON l.tenant_id = t.tenant_id AND l.invoice_id = t.invoice_id"
        " AND l.line_item_id = t.line_item_id JOIN {raw}.invoices i ON i.tenant_id = t.tenant_id"
        " AND i.invoice_id = t.invoice_id AND i.updated_date_utc <= l.updated_date_utc"
        " WHERE o.status = 'ARCHIVED' GROUP BY 1 ORDER BY 1"
    )
    kept = (
        "SELECT l.tenant_id, count(*) FROM {made}.invoice_lines l JOIN {raw}.tracking_options o"
        " ON o.tenant_id = l.tenant_id AND o.status = 'ARCHIVED'"
        " AND o.tracking_option_id IN (l.tracking_option_id_1, l.tracking_option_id_2)"
        " WHERE l.type IN ('ACCREC', 'ACCPAY') GROUP BY 1 ORDER BY 1"
    )
    assert warehouse.ask(kept) == warehouse.ask(told)
    assert len(warehouse.ask(kept)) >= COMPANIES


def test_with_the_lines_of_reports_every_balance_agrees_with_xero(warehouse: Any) -> None:
    rows = warehouse.ask(
        """
        WITH ours AS (
            SELECT tenant_id, month_end, account_id, sum(balance) AS balance FROM {made}.balance_sheet GROUP BY 1, 2, 3
        ), xero AS (
            SELECT tenant_id, CAST(period_to AS date) AS month_end,
                   CASE WHEN account_id LIKE 'abababab-%' THEN 'current-year-earnings' ELSE account_id END
                       AS account_id,
                   sum(CAST(amount AS decimal(18, 2))) AS balance
            FROM {raw}.report_balance_sheet WHERE row_type = 'Row' AND account_id IS NOT NULL GROUP BY 1, 2, 3
        )
        SELECT x.account_id, x.month_end, x.balance, coalesce(o.balance, 0)
        FROM xero x LEFT JOIN ours o USING (tenant_id, month_end, account_id)
        """
    )
    assert rows
    assert [row for row in rows if row[2] != row[3]] == []
    assert sum(1 for row in rows if row[2]) > 800


def test_entries_that_only_reports_show_are_named(warehouse: Any) -> None:
    kinds = warehouse.ask(
        "SELECT organisation_name, kind, count(DISTINCT account_id), sum(net_amount) FROM {made}.explained"
        " WHERE only_in_report GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert kinds == [
        ("Tōtara & Tide Limited", "Expense claim payments", 2, Decimal("0.00")),
        ("Tōtara & Tide Limited", "Opening balances", 16, Decimal("0.00")),
    ]


def test_every_figure_agrees_with_xero_or_has_a_reason(warehouse: Any) -> None:
    rows = warehouse.ask(
        "SELECT check_name, count(*), sum(CASE WHEN agrees THEN 1 ELSE 0 END),"
        " sum(CASE WHEN NOT agrees AND reason IS NULL THEN 1 ELSE 0 END)"
        " FROM {made}.reconciliation GROUP BY 1 ORDER BY 1"
    )
    assert [row[0] for row in rows] == [
        "Aged payables", "Aged receivables", "Balance sheet", "Bank summary", "Profit and loss", "Trial balance",
    ]  # fmt: skip
    assert [row[3] for row in rows] == [0] * 6
    by_name = {row[0]: row[1:3] for row in rows}
    for name in ("Aged payables", "Aged receivables", "Profit and loss"):
        assert by_name[name][0] == by_name[name][1] > 30
    assert {
        row[0]
        for row in warehouse.ask("SELECT DISTINCT reason FROM {made}.reconciliation WHERE reason IS NOT NULL")
    } == {"Opening balances", "Expense claim payments, Opening balances", "Expense claim payments"}


def test_organisations_are_independent(warehouse: Any) -> None:
    """Organisations share account codes; each line finds the account of its own organisation."""
    ((lines, right),) = warehouse.ask(
        "SELECT count(*), count(a.account_id) FROM {made}.invoice_lines l LEFT JOIN {raw}.accounts a"
        " ON a.account_id = l.account_id AND a.tenant_id = l.tenant_id WHERE l.account_id <> 'suspense'"
    )
    assert lines == right > 2_500
    ((raw,),) = warehouse.ask(
        "SELECT (SELECT count(*) FROM {raw}.invoice_line_items) + (SELECT count(*) FROM {raw}.credit_note_line_items)"
    )
    ((made,),) = warehouse.ask("SELECT count(*) FROM {made}.invoice_lines")
    assert made == raw


def test_cash_agrees_with_xeros_bank_summary(warehouse: Any) -> None:
    rows = warehouse.ask(
        """
        WITH ours AS (
            SELECT tenant_id, account_id, month_end, sum(cash_received) AS received, sum(cash_spent) AS spent
            FROM {made}.cash_summary GROUP BY 1, 2, 3
        )
        SELECT r.label, r.period_to, CAST(r.amount AS decimal(18, 2)),
               CASE r.column_title WHEN 'Cash Received' THEN o.received ELSE o.spent END
        FROM {raw}.report_bank_summary r JOIN {made}.organisations g ON g.tenant_id = r.tenant_id
        JOIN ours o ON o.tenant_id = r.tenant_id AND o.account_id = r.account_id
                   AND o.month_end = CAST(r.period_to AS date)
        WHERE r.row_type = 'Row' AND r.column_title IN ('Cash Received', 'Cash Spent')
          AND g.organisation_name NOT LIKE 'Random%'
        """
    )
    # The lines of reports are entries at the end of their month: opening balances, and claims that were paid.
    differing = {row[1] for row in rows if row[2] != row[3]}
    assert {str(day)[:7] for day in differing} <= {"2024-10", "2025-05", "2026-11"}
    assert len(rows) > 200


@pytest.fixture(scope="module")
def page(warehouse: Any, place: Path) -> Path:
    """The page that the command writes; the command must report that everything agrees."""
    path = place / "books.html"
    database = warehouse.url if isinstance(warehouse, Postgres) else str(warehouse.path)
    arguments = ["--database", database, "--schema", warehouse.made, "--tap-schema", warehouse.raw]
    assert main([*arguments, "--page", str(path)], {}) == AGREES
    return path


def test_the_command_agrees_and_shows_each_figure_beside_xeros(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.count('data-mark="agrees"') > 500
    assert text.count('data-mark="completed"') > 50
    assert 'data-mark="differs"' not in text
    for title in (
        "Profit and loss by month",
        "Balance sheet",
        "Cash at the end",
        "Who owes us what",
        "Whom we owe",
    ):
        assert title in text


@pytest.mark.parametrize(
    "kind", ["duckdb"], indirect=True
)  # the page is the same, and starting a browser is slow
def test_the_page_opens_in_a_browser_without_a_network(page: Path, kind: str, tmp_path: Path) -> None:
    browser = program()
    if browser is None:
        pytest.skip("there is no Chromium")
    with Chromium(browser, tmp_path / "profile") as chromium:
        chromium.open(page.as_uri())
        assert chromium.run("Number(document.documentElement.dataset.charts)") >= 8
        drawn = "[...document.querySelectorAll('canvas')].map(c => c.toDataURL().length)"
        assert min(chromium.run(drawn)) > 4_000
        assert chromium.run("document.querySelectorAll('td[data-mark=differs]').length") == 0
        assert chromium.run("document.querySelectorAll('article').length") == COMPANIES + 2
        asked = [
            event["params"]["request"]["url"]
            for event in chromium.events
            if "request" in event.get("params", {})
        ]
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
        assert not [event for event in chromium.events if event.get("method") == "Runtime.exceptionThrown"]
        paper = "getComputedStyle(document.body).backgroundColor"
        light = chromium.run(paper)
        chromium.screenshot(tmp_path / "dark.png", dark=True)
        dark = chromium.run(paper)
        assert light != dark
        assert (tmp_path / "dark.png").stat().st_size > 20_000
        chromium.ask("Emulation.setEmulatedMedia", media="print")
        assert chromium.run(paper) == "rgb(255, 255, 255)"
        assert len(chromium.ask("Page.printToPDF", printBackground=True)["data"]) > 100_000
