"""Multiplies the documents of a loaded company. Each copy of a document has its own ids.

    python copies.py postgresql://user:password@host/database schema times

Run it with the Python of target-postgres, which has psycopg.

Lines, payments, allocations, journals, stock and aged reports are copied as well, and the amounts of Xero's other
reports are multiplied. The ledger of the large company must therefore agree with the reports to the cent.
"""

from __future__ import annotations

import sys

import psycopg

TABLES = (
    "bank_transaction_line_item_tracking", "bank_transaction_line_items", "bank_transactions", "bank_transfers",
    "credit_note_allocations", "credit_note_line_item_tracking", "credit_note_line_items", "credit_notes",
    "expense_claim_payments", "expense_claim_receipts", "expense_claims", "invoice_line_item_tracking",
    "invoice_line_items", "invoices", "items", "journal_line_tracking", "journal_lines", "journals",
    "manual_journal_line_tracking", "manual_journal_lines", "manual_journals", "overpayment_allocations",
    "overpayments", "payments", "prepayment_allocations", "prepayments", "receipt_line_item_tracking",
    "receipt_line_items", "receipts", "report_aged_payables_by_contact", "report_aged_receivables_by_contact",
)  # fmt: skip
IDS = (
    "allocation_id", "bank_transaction_id", "bank_transfer_id", "credit_note_id", "expense_claim_id",
    "from_bank_transaction_id", "invoice_id", "item_id", "item_code", "journal_id", "journal_line_id",
    "line_item_id", "manual_journal_id",
    "overpayment_id", "payment_id", "prepayment_id", "receipt_id", "source_id", "to_bank_transaction_id",
)  # fmt: skip
REPORTS = ("report_balance_sheet", "report_bank_summary", "report_profit_and_loss", "report_trial_balance")


def main(url: str, schema: str, times: int) -> None:
    """Copy each row `times` - 1 times, and multiply the amounts of reports by `times`."""
    with psycopg.connect(url, autocommit=True) as connection:
        columns: dict[str, list[str]] = {}
        for table, column in connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = %s", [schema]
        ):
            columns.setdefault(table, []).append(column)
        for table in (name for name in TABLES if name in columns):
            names = ", ".join(f'"{name}"' for name in columns[table])
            values = ", ".join(_copied(table, name) for name in columns[table])
            connection.execute(
                f"INSERT INTO {schema}.{table} ({names}) SELECT {values} FROM {schema}.{table} AS t"
                f" CROSS JOIN generate_series(2, {times}) AS copy"
            )
        for table in (name for name in REPORTS if name in columns):
            connection.execute(f"UPDATE {schema}.{table} SET amount = amount * {times}")
        connection.execute("ANALYZE")


def _copied(table: str, column: str) -> str:
    if column in IDS or (table, column) == ("items", "code"):
        return f"t.\"{column}\" || '-' || copy"
    if (table, column) == ("journals", "journal_number") or (
        table.startswith("report_") and column == "number"
    ):
        return f't."{column}" + 1000000 * copy'
    return f't."{column}"'


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
