"""Profit and loss, and the budget in the same layout."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from ...values import ZERO, Record
from ..general_ledger import Entry, shifted
from . import account_types
from .layout import Column, Table, header, minus, section, single, sums
from .request import Request, long_date


def _rows(table: Table, kind: str, *, budget: bool = False, american: bool = False) -> list[Record]:
    """The sections from income to net profit; `kind` is the row type of the profits."""
    gross = minus(table.total(account_types.INCOME, -1), table.total(account_types.COSTS, 1))
    profit = table.total(account_types.PROFIT, -1)
    spent = table.section("Less Operating Expenses", account_types.EXPENSES, 1)
    if budget and not spent:
        spent = [single("Total Expenses", table.total(account_types.EXPENSES, 1))]
    rows = [
        *table.section("Income", account_types.INCOME, -1),
        *table.section("Less Cost of Sales", account_types.COSTS, 1),
        single("Gross Profit", gross, kind),
        *table.section("Plus Other Income", account_types.OTHER_INCOME, -1),
        *spent,
    ]
    if not american:
        return [*rows, single("Net Profit", profit, kind)]
    for text in ("Net Income  / (Loss) before Tax", "Net Income", "Total Comprehensive Income"):
        rows += [single(text, profit, kind), section("", [])]
    return rows[:-1]


def profit_and_loss(request: Request) -> dict[str, Any]:
    """Defaults to the current month; `periods` adds columns before it, a tracking category splits them."""
    first, last = request.span()
    if (last - first).days > 365:
        raise ValueError("The date range of a Profit and Loss must not exceed 365 days")
    periods, months = request.number("periods", 0, range(1, 13)), request.frame("MONTH")
    filters = request.options("trackingOptionID", "trackingOptionID2")
    entries = request.entries(filters)
    if split := _split(request, filters):
        columns = [sums((e for e in entries if wanted(e)), first, last) for _, wanted in split]
        labels = [label for label, _ in split]
    else:
        spans = [(shifted(first, -months * n), shifted(last, -months * n)) for n in range(periods + 1)]
        columns = [sums(entries, *span) for span in spans]
        labels = [f"{end.day} {end:%b %y}" for _, end in spans]
    title = "Income Statement" if request.american else "Profit and Loss"
    titles = (title, request.company, f"{long_date(first)} to {long_date(last)}")
    rows = _rows(Table(request, columns), "Row", american=request.american)
    return request.report(titles, [header("", *labels), *rows], "Profit and Loss")


def _axis(
    request: Request, category: str, filters: Sequence[str]
) -> list[tuple[str, frozenset[str], frozenset[str]]]:
    """The columns of a tracking category: their names, the options that their entries have, and those they lack."""
    known = {c["TrackingCategoryID"]: c for c in request.books.records("TrackingCategories")}
    if category not in known:
        raise ValueError(f"The tracking category '{category}' could not be found")
    options = {o["TrackingOptionID"]: o["Name"] for o in known[category]["Options"]}
    chosen = [o for o in filters if o in options] or list(options)
    axis = [(options[o], frozenset([o]), frozenset[str]()) for o in chosen]
    if len(chosen) == len(options):
        axis.append(("Unassigned", frozenset(), frozenset(options)))
    return axis


def _split(request: Request, filters: Sequence[str]) -> list[tuple[str, Callable[[Entry], bool]]]:
    """A column for each option of the requested tracking categories, one for entries without, and the total."""
    ids = [key for name in ("trackingCategoryID", "trackingCategoryID2") if (key := request.guid(name))]
    if not ids:
        return []
    found: list[tuple[str, Callable[[Entry], bool]]] = []
    for combination in product(*(_axis(request, key, filters) for key in ids)):
        names, with_options, without = zip(*combination, strict=True)

        def wanted(
            entry: Entry,
            has: frozenset[str] = frozenset().union(*with_options),
            lacks: frozenset[str] = frozenset().union(*without),
        ) -> bool:
            return has <= entry.options and not lacks & entry.options

        found.append((", ".join(names), wanted))
    return [*found, ("Total", lambda _entry: True)]


def budget_summary(request: Request) -> dict[str, Any]:
    """The overall budget from the month of `date` on: `periods` columns of 1, 3 or 12 months, twelve by default."""
    first = request.day("date", request.today).replace(day=1)
    periods = request.number("periods", 12, range(1, 13))
    months = request.number("timeframe", 1, (1, 3, 12))
    column_of = {f"{shifted(first, n):%Y-%m}": n // months for n in range(periods * months)}
    columns: list[Column] = [defaultdict(lambda: ZERO) for _ in range(periods)]
    for budget in request.books.records("Budgets"):
        for line in budget["BudgetLines"] if budget["Type"] == "OVERALL" else ():
            account = request.accounts[line["AccountID"]]
            sign = -1 if account["Type"] in account_types.INCOME + account_types.OTHER_INCOME else 1
            for balance in line["BudgetBalances"]:
                if balance["Period"] in column_of:
                    columns[column_of[balance["Period"]]][line["AccountID"]] += sign * balance["Amount"]
    ends = [shifted(first, (n + 1) * months - 1) for n in range(periods)]
    rows = [header("Account", *(f"{end:%b-%y}" for end in ends))]
    rows += _rows(Table(request, columns), "SummaryRow", budget=True)
    for part in rows[1:]:
        for row in part["Rows"]:
            for cell in row["Cells"][1:]:
                cell.pop("Attributes", None)
    span = f"{first:%B %Y} to {ends[-1]:%B %Y}"
    return request.report(("Overall Budget", "Budget Summary", request.company, span), rows)
