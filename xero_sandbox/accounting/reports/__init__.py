"""Xero's reports, computed from journals and documents, in Xero's rows and cells.

Layouts, default periods and titles follow the specification's examples and answers of the live API seen in
public recordings (August 2026).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..general_ledger import Books
from . import balance, cash, contacts, profit
from .request import Request

REPORTS: dict[str, Callable[[Request], dict[str, Any]]] = {
    "AgedPayablesByContact": contacts.aged,
    "AgedReceivablesByContact": contacts.aged,
    "BalanceSheet": balance.balance_sheet,
    "BankSummary": cash.bank_summary,
    "BudgetSummary": profit.budget_summary,
    "ExecutiveSummary": cash.executive_summary,
    "ProfitAndLoss": profit.profit_and_loss,
    "TenNinetyNine": contacts.ten_ninety_nine,
    "TrialBalance": balance.trial_balance,
}


def run(name: str, params: Mapping[str, str], books: Books) -> dict[str, Any]:
    """Return a report as an element of `Reports`: UpdatedDateUTC is a datetime, everything else is text.

    `name` is the report's name in the address (`ProfitAndLoss`), `params` the query string. Raises ValueError with
    a message for the caller if a parameter is missing, malformed or out of range, or if this organisation does not
    have the report.
    """
    if name not in REPORTS:
        raise ValueError(f"There is no report '{name}'")
    return REPORTS[name](Request(name, params, books))
