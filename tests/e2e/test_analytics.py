"""Names in snake_case, nested tables and reports in PostgreSQL, from which the models in dbt/ are built.

The tests check the columns that target-postgres creates, and the joins of the models. tests/ledger tests the
models.
"""

from __future__ import annotations

import json
from calendar import monthrange
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from singer_xero.objects import EVERY, REPORTS
from tap_xero.records.projection import Projection
from tap_xero.settings import Settings

#: Tables, and the columns that models join by or show.
COLUMNS = {
    "accounts": "account_id class code name type",
    "contacts": "contact_id name",
    "organisation": "financial_year_end_month financial_year_end_day organisation_id",
    "invoices": "invoice_id contact_id date due_date planned_payment_date expected_payment_date fully_paid_on_date"
    " updated_date_utc currency_code currency_rate invoice_number reference sent_to_contact status type url",
    "invoice_line_items": "invoice_id line_item_id account_code description quantity unit_amount line_amount tax_amount"
    " tax_type item_code discount_rate discount_entered_as_percent",
    "invoice_line_item_tracking": "invoice_id line_item_id tracking_category_id option",
    "journals": "journal_id journal_date source_id source_type journal_number created_date_utc reference",
    "journal_lines": "journal_id journal_line_id account_id net_amount description gross_amount tax_amount tax_name"
    " tax_type",
    "journal_line_tracking": "journal_id journal_line_id tracking_category_id tracking_option_id",
    "bank_transactions": "bank_transaction_id contact_id",
    "credit_notes": "credit_note_id contact_id",
    "tracking_categories": "tracking_category_id name status",
    "tracking_options": "tracking_category_id tracking_option_id name status",
}
#: The types in PostgreSQL that the models need.
TYPES = {
    ("journals", "journal_date"): "date",
    ("journal_lines", "net_amount"): "numeric",
    ("organisation", "financial_year_end_month"): "bigint",
    ("organisation", "financial_year_end_day"): "bigint",
    ("accounts", "code"): "text",
    ("invoice_line_items", "account_code"): "text",
}
#: The streams that are loaded besides the tables of the package.
LISTS = (
    "budgets",
    "budget_balances",
    "contact_group_members",
    "credit_note_allocations",
    "overpayments",
    "overpayment_allocations",
    "prepayment_allocations",
    "quote_history",
)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("company")


@pytest.fixture(scope="module")
def loaded(project: Any, database: Any, company: Path) -> Any:
    """The database after two runs, the second without changes."""
    streams = {*COLUMNS, *REPORTS, *LISTS}
    for _ in range(2):
        project.meltano(
            "run", "tap-xero", "target-postgres",
            TAP_XERO_SANDBOX=str(company),
            TAP_XERO_FIELD_NAMES="snake_case",
            TAP_XERO_NESTED_TABLES="true",
            TAP_XERO_DETAIL_STREAMS='["*"]',
            TAP_XERO_REPORT_START_DATE="2024-01-01",
            TAP_XERO_REPORT_END_DATE="2026-12-31",
            TAP_XERO_BUDGET_START_DATE="2024-04-01",
            TAP_XERO_BUDGET_END_DATE="2027-03-31",
            TAP_XERO__SELECT=json.dumps([f"{stream}.*" for stream in sorted(streams)]),
            **database.settings,
        )  # fmt: skip
    return database


@pytest.mark.parametrize("source", COLUMNS)
def test_every_column_that_the_package_uses_exists(loaded: Any, source: str) -> None:
    asked = "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
    there = dict(loaded.ask(asked, loaded.schema, source))
    assert set(COLUMNS[source].split()) - there.keys() == set()
    for (table, column), kind in TYPES.items():
        if table == source:
            assert there[column] == kind
    assert {there[name] for name in COLUMNS[source].split() if name.endswith("_id")} == {"text"}
    assert loaded.ask(f"SELECT count(*) FROM {{}}.{source}")[0][0] > 0


@pytest.mark.parametrize(("source", "columns"), COLUMNS.items(), ids=COLUMNS)
def test_no_column_for_joins_is_always_empty(loaded: Any, source: str, columns: str) -> None:
    for column in columns.split():
        if column.endswith("_id") or column in {
            "class",
            "code",
            "account_code",
            "net_amount",
            "journal_date",
        }:
            query = f"SELECT count({column}) FROM {{}}.{source}"
            assert loaded.ask(query)[0][0] > 0, column


def test_each_journal_adds_up_to_zero_and_every_line_has_its_account(loaded: Any) -> None:
    sums = loaded.ask(
        "SELECT DISTINCT sum(net_amount) OVER (PARTITION BY tenant_id, journal_id) FROM {}.journal_lines"
    )
    assert [(Decimal(0),)] == [(value[0].normalize() + 0,) for value in sums]
    ((lines,),) = loaded.ask("SELECT count(*) FROM {}.journal_lines")
    ((joined,),) = loaded.ask(
        "SELECT count(*) FROM {}.journal_lines JOIN {}.journals USING (tenant_id, journal_id)"
        " JOIN {}.accounts USING (tenant_id, account_id) WHERE class IN"
        " ('REVENUE', 'EXPENSE', 'ASSET', 'LIABILITY', 'EQUITY')"
    )
    assert joined == lines > 5000


def test_journals_join_to_the_contact_of_their_document(loaded: Any) -> None:
    for kinds, table, key in (
        (("ACCREC", "ACCPAY"), "invoices", "invoice_id"),
        (("CASHREC", "CASHPAID"), "bank_transactions", "bank_transaction_id"),
        (("ACCRECCREDIT", "ACCPAYCREDIT"), "credit_notes", "credit_note_id"),
    ):
        found = loaded.ask(
            f"SELECT count(*), count(c.name) FROM {{}}.journals j JOIN {{}}.{table} d"
            f" ON d.{key} = j.source_id AND d.tenant_id = j.tenant_id"
            " LEFT JOIN {}.contacts c ON c.contact_id = d.contact_id AND c.tenant_id = d.tenant_id"
            " WHERE j.source_type = ANY(%s)",
            list(kinds),
        )
        ((journals, named),) = found
        assert journals == named > 0, kinds


def test_lines_join_to_their_tracking_by_id_and_by_name(loaded: Any) -> None:
    ((rows, named),) = loaded.ask(
        "SELECT count(*), count(o.name) FROM {}.journal_line_tracking t LEFT JOIN {}.tracking_options o"
        " ON o.tracking_option_id = t.tracking_option_id AND o.tenant_id = t.tenant_id"
    )
    assert rows == named > 0
    ((rows, named),) = loaded.ask(
        "SELECT count(*), count(o.tracking_option_id) FROM {}.invoice_line_item_tracking t"
        " LEFT JOIN {}.tracking_options o ON o.name = t.option AND o.tracking_category_id = t.tracking_category_id"
        " AND o.tenant_id = t.tenant_id"
    )
    assert rows == named > 0


def test_invoice_lines_join_to_invoice_and_account(loaded: Any) -> None:
    ((lines,),) = loaded.ask("SELECT count(*) FROM {}.invoice_line_items WHERE account_code IS NOT NULL")
    ((joined,),) = loaded.ask(
        "SELECT count(*) FROM {}.invoice_line_items l JOIN {}.invoices i USING (tenant_id, invoice_id)"
        " JOIN {}.accounts a ON a.code = l.account_code AND a.tenant_id = l.tenant_id"
    )
    assert joined == lines > 2000


def test_profit_and_loss_in_the_database_is_the_journals_in_the_database(loaded: Any) -> None:
    """The figures of the package from journals agree with Xero's own report, month by month."""
    reported = loaded.ask(
        "SELECT to_char(period_to, 'YYYY-MM'), account_id, sum(amount) FROM {}.report_profit_and_loss"
        " WHERE row_type = 'Row' AND account_id IS NOT NULL GROUP BY 1, 2 HAVING sum(amount) <> 0"
    )
    booked = loaded.ask(
        "SELECT to_char(journal_date, 'YYYY-MM'), account_id,"
        " sum(CASE WHEN class = 'REVENUE' THEN -net_amount ELSE net_amount END)"
        " FROM {}.journal_lines JOIN {}.journals USING (tenant_id, journal_id)"
        " JOIN {}.accounts USING (tenant_id, account_id)"
        " WHERE class IN ('REVENUE', 'EXPENSE') AND journal_date BETWEEN '2024-01-01' AND '2026-12-31'"
        " GROUP BY 1, 2 HAVING sum(net_amount) <> 0"
    )
    assert sorted(reported) == sorted(booked)
    assert len({month for month, _, _ in reported}) > 24


def test_the_balance_sheet_in_the_database_balances_and_its_months_are_real(loaded: Any) -> None:
    rows = loaded.ask(
        "SELECT period_to::text, label, amount FROM {}.report_balance_sheet"
        " WHERE label IN ('Net Assets', 'Total Equity') ORDER BY 1"
    )
    by_day: dict[str, set[Decimal]] = {}
    for day, _, amount in rows:
        by_day.setdefault(day, set()).add(amount)
    months = [
        date(year, month, monthrange(year, month)[1]) for year in (2024, 2025, 2026) for month in range(1, 13)
    ]
    assert list(by_day) == [day.isoformat() for day in months if day.isoformat() in by_day]
    assert {len(amounts) for amounts in by_day.values()} == {1}
    assert len(by_day) > 30


def test_a_leap_year_february_has_its_29th_in_the_database(loaded: Any) -> None:
    assert loaded.ask(
        "SELECT DISTINCT period_from::text, period_to::text FROM {}.report_profit_and_loss"
        " WHERE period_from BETWEEN '2024-02-01' AND '2024-03-01' ORDER BY 1"
    ) == [("2024-02-01", "2024-02-29"), ("2024-03-01", "2024-03-31")]
    (reported,) = loaded.ask(
        "SELECT amount FROM {}.report_profit_and_loss WHERE label = 'Cost of Goods Sold' AND period_to = '2024-02-29'"
    )
    (booked,) = loaded.ask(
        "SELECT sum(net_amount) FROM {}.journal_lines JOIN {}.journals USING (tenant_id, journal_id)"
        " WHERE account_name = 'Cost of Goods Sold' AND journal_date = '2024-02-29'"
    )
    assert reported == booked


def test_aged_receivables_and_payables_in_the_database_are_its_open_invoices(loaded: Any) -> None:
    for report, kind in (
        ("report_aged_receivables_by_contact", "ACCREC"),
        ("report_aged_payables_by_contact", "ACCPAY"),
    ):
        aged = loaded.ask(
            f"SELECT invoice_id, amount FROM {{}}.{report} JOIN {{}}.invoices USING (tenant_id, invoice_id)"
            " WHERE row_type = 'Row' AND column_title = 'Due' AND currency_code = 'NZD' ORDER BY 1"
        )
        owed = loaded.ask(
            "SELECT invoice_id, amount_due FROM {}.invoices"
            " WHERE type = %s AND status = 'AUTHORISED' AND currency_code = 'NZD' ORDER BY 1",
            kind,
        )
        assert aged == owed
        assert len(owed) > 10


def test_the_trial_balance_in_the_database_is_the_journals_in_the_database(loaded: Any) -> None:
    """Year to date; for accounts of the balance sheet, the whole history."""
    reported = loaded.ask(
        "SELECT account_id, sum(CASE column_title WHEN 'YTD Debit' THEN amount ELSE -amount END)"
        " FROM {}.report_trial_balance JOIN {}.accounts USING (tenant_id, account_id)"
        " WHERE period_to = '2026-10-31' AND row_type = 'Row' AND column_title LIKE 'YTD%%'"
        " AND class IN ('ASSET', 'LIABILITY') GROUP BY 1 HAVING sum(amount) <> 0 ORDER BY 1"
    )
    booked = loaded.ask(
        "SELECT account_id, sum(net_amount) FROM {}.journal_lines JOIN {}.journals USING (tenant_id, journal_id)"
        " JOIN {}.accounts USING (tenant_id, account_id) WHERE journal_date <= '2026-10-31'"
        " AND class IN ('ASSET', 'LIABILITY') GROUP BY 1 HAVING sum(net_amount) <> 0 ORDER BY 1"
    )
    assert reported == booked
    assert len(booked) > 5


def test_the_bank_summary_and_the_executive_summary_agree_on_cash_received(loaded: Any) -> None:
    summed = loaded.ask(
        "SELECT period_to, sum(amount) FROM {}.report_bank_summary"
        " WHERE row_type = 'Row' AND column_title = 'Cash Received' GROUP BY 1 ORDER BY 1"
    )
    told = loaded.ask(
        "SELECT period_to, amount FROM {}.report_executive_summary"
        " WHERE label = 'Cash received' AND column_title <> 'Variance' ORDER BY 1"
    )
    assert summed == told
    assert len(told) > 24


def test_budgets_in_the_database_are_complete_and_agree_with_the_summary_and_their_lines(
    loaded: Any,
) -> None:
    ((first, last, months),) = loaded.ask(
        "SELECT min(period), max(period), count(DISTINCT period) FROM {}.budget_balances"
    )
    assert (first, last, months) == ("2025-04", "2027-03", 24)
    lines = loaded.ask(
        "SELECT budget_id, l->>'account_id', b->>'period', (b->>'amount')::numeric FROM {}.budgets,"
        " unnest(budget_lines) l, jsonb_array_elements(l->'budget_balances') b ORDER BY 1, 2, 3"
    )
    rows = loaded.ask("SELECT budget_id, account_id, period, amount FROM {}.budget_balances ORDER BY 1, 2, 3")
    assert rows == lines
    summary = loaded.ask(
        "SELECT label, to_char(period_to, 'YYYY-MM'), abs(amount) FROM {}.report_budget_summary"
        " WHERE row_type = 'Row' AND amount <> 0 ORDER BY 1, 2"
    )
    planned = loaded.ask(
        "SELECT a.name, b.period, abs(b.amount) FROM {}.budget_balances b JOIN {}.budgets USING (tenant_id, budget_id)"
        " JOIN {}.accounts a USING (tenant_id, account_id)"
        " WHERE budgets.type = 'OVERALL' AND a.class IN ('REVENUE', 'EXPENSE') AND b.amount <> 0 ORDER BY 1, 2"
    )
    assert summary == planned
    assert len(planned) > 100


def test_allocations_and_members_join_to_their_parents(loaded: Any) -> None:
    for table, parent, key in (
        ("credit_note_allocations", "credit_notes", "credit_note_id"),
        ("overpayment_allocations", "overpayments", "overpayment_id"),
    ):
        ((rows, found),) = loaded.ask(
            f"SELECT count(*), count(i.invoice_id) FROM {{}}.{table} JOIN {{}}.{parent} USING (tenant_id, {key})"
            " LEFT JOIN {}.invoices i USING (tenant_id, invoice_id)"
        )
        assert rows == found > 0, table
        applied = loaded.ask(f"SELECT {key}, sum(amount) FROM {{}}.{table} GROUP BY 1 ORDER BY 1")
        left = loaded.ask(
            f"SELECT {key}, total - remaining_credit FROM {{}}.{parent}"
            f" WHERE {key} IN (SELECT {key} FROM {{}}.{table}) AND coalesce(cardinality(payments), 0) = 0 ORDER BY 1"
        )
        assert set(left) <= set(applied)
        assert left
    ((rows, named),) = loaded.ask(
        "SELECT count(*), count(c.name) FROM {}.contact_group_members"
        " LEFT JOIN {}.contacts c USING (tenant_id, contact_id)"
    )
    assert rows == named > 0


def test_columns_are_not_reserved_words_of_the_database(loaded: Any) -> None:
    """`user` without quotes would be the database user, not the column."""
    reserved = {
        word for (word,) in loaded.ask("SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T')")
    }
    settings = Settings(field_names="snake_case", nested_tables=True)
    for name, xero in EVERY.items():
        assert not reserved & {name, *Projection(xero, settings).schema()["properties"]}, name
    assert loaded.ask("SELECT xero_user FROM {}.quote_history WHERE xero_user IS NOT NULL LIMIT 1")


def test_after_a_second_run_every_report_amount_is_there_once(loaded: Any) -> None:
    for report in REPORTS:
        ((rows, places),) = loaded.ask(
            f"SELECT count(*), count(DISTINCT (tenant_id, {'contact_id,' * ('aged' in report)} period_from, period_to,"
            f" number)) FROM {{}}.{report}"
        )
        assert rows == places
        assert rows > 100 or report == "report_ten_ninety_nine"  # only of American organisations


def test_tracking_options_in_the_database_add_up_to_the_total(
    project: Any, loaded: Any, company: Path
) -> None:
    tracked = type(loaded)(loaded.url)
    try:
        project.meltano(
            "run", "tap-xero", "target-postgres",
            TAP_XERO_SANDBOX=str(company),
            TAP_XERO_FIELD_NAMES="snake_case",
            TAP_XERO_REPORT_START_DATE="2026-06-01",
            TAP_XERO_REPORT_END_DATE="2026-07-31",
            TAP_XERO_REPORT_TRACKING_CATEGORIES='["Region"]',
            TAP_XERO__SELECT='["report_profit_and_loss.*"]',
            **tracked.settings,
        )  # fmt: skip
        sums = tracked.ask(
            "SELECT period_to, label, sum(amount) FILTER (WHERE tracking_option IS NOT NULL),"
            " sum(amount) FILTER (WHERE column_title = 'Total'), count(DISTINCT tracking_option)"
            " FROM {}.report_profit_and_loss GROUP BY period_to, label, row_number ORDER BY 1, 2"
        )
        assert {options == total for _, _, options, total, _ in sums} == {True}
        assert {columns for *_, columns in sums} == {6}
        plain = loaded.ask(
            "SELECT period_to, label, amount FROM {}.report_profit_and_loss"
            " WHERE label IN ('Net Profit', 'Total Income') AND period_to BETWEEN '2026-06-30' AND '2026-07-31'"
            " ORDER BY 1, 2"
        )
        assert plain == [
            (day, label, total) for day, label, _, total, _ in sums if label in {"Net Profit", "Total Income"}
        ]
        assert len(plain) == 4
    finally:
        tracked.drop()
