"""The bank summary, and the executive summary that uses its figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby
from typing import Any

from ...values import ZERO
from ...values import money as rounded
from ..currencies import in_base
from ..general_ledger import Entry, month_end, shifted
from . import account_types
from .layout import Table, cell, header, money, plus, row, section, sums, total
from .request import Request, long_date


def _cash(request: Request, entries: Iterable[Entry], first: date, last: date) -> dict[str, list[Decimal]]:
    """Opening balance, received, spent and closing balance by bank account. Deleted transactions do not count."""
    found = {
        key: [ZERO] * 4 for key, account in request.accounts.items() if account["Type"] in account_types.BANK
    }
    moved: dict[tuple[str, str, date], Decimal] = defaultdict(lambda: ZERO)
    for entry in entries:
        if entry.account in found and entry.day <= last:
            found[entry.account][3] += entry.net
            if entry.day < first:
                found[entry.account][0] += entry.net
            else:
                moved[entry.account, entry.source, entry.day] += entry.net
    for (key, _, _), amount in moved.items():
        found[key][1 if amount > 0 else 2] += abs(amount)
    return found


def bank_summary(request: Request) -> dict[str, Any]:
    """The movement of the bank accounts in the current month, or from `fromDate` to `toDate`."""
    first, last = request.span()
    cash = _cash(request, request.entries(), first, last)
    rows, totals = [], [ZERO] * 4
    for account in sorted((request.accounts[key] for key in cash), key=lambda a: str(a["Name"]).lower()):
        key = account["AccountID"]
        if account["Status"] != "ACTIVE" and not any(cash[key]):
            continue
        totals = plus(totals, cash[key])
        opening, received, spent, closing = map(money, cash[key])
        mark, own = ("account", key), ("accountID", key)
        amounts = (cell(opening), cell(received, mark), cell(spent, mark), cell(closing))
        rows.append(row([cell(account["Name"], own), *amounts]))
    head = header("Bank Accounts", "Opening Balance", "Cash Received", "Cash Spent", "Closing Balance")
    titles = ("Bank Summary", request.company, f"From {long_date(first)} to {long_date(last)}")
    return request.report(titles, [head, section("", [*rows, total("Total", totals)])])


def executive_summary(request: Request) -> dict[str, Any]:
    """The month of `date` beside the month before, with the variance in per cent."""
    day = month_end(request.day("date", request.today))
    before = month_end(shifted(day, -1))
    entries = request.entries()
    rows = [header("", f"{day:%b %Y}", f"{before:%b %Y}", "Variance")]
    both = zip(_figures(request, entries, day), _figures(request, entries, before), strict=True)
    for title, figures in groupby(both, key=lambda pair: pair[0][0]):
        lines = []
        for (_, text, kind, now), (*_, earlier) in figures:
            shown = (text, _figure(now, kind), _figure(earlier, kind), _variance(now, earlier))
            lines.append(row(map(cell, shown)))
        rows.append(section(title, lines))
    titles = ("Executive Summary", request.company, f"For the month of {day:%B %Y}")
    return request.report(titles, rows)


def _over(one: Decimal, other: Decimal) -> Decimal | None:
    return one / other if other else None


def _figures(request: Request, entries: list[Entry], day: date) -> list[tuple[str, str, str, Decimal | None]]:
    """The section, text, kind and value of each figure for the month that ends on `day`.

    The value is None instead of a division by zero.
    """
    first, days = day.replace(day=1), Decimal(day.day)
    cash = list(_cash(request, entries, first, day).values())
    received, spent, closing = (sum((one[n] for one in cash), ZERO) for n in (1, 2, 3))
    table = Table(request, [sums(entries, first, day), sums(entries, None, day)])
    income, costs = table.total(account_types.INCOME, -1)[0], table.total(account_types.COSTS, 1)[0]
    other = table.total(account_types.OTHER_INCOME, -1)[0]
    expenses = table.total(account_types.EXPENSES, 1)[0]
    profit = table.total(account_types.PROFIT, -1)[0]
    system = {a.get("SystemAccount"): a["AccountID"] for a in table.accounts}
    debtors = table.columns[1].get(system.get("DEBTORS", ""), ZERO)
    creditors = -table.columns[1].get(system.get("CREDITORS", ""), ZERO)
    net_assets = table.total(account_types.ASSETS, 1)[1] - table.total(account_types.LIABILITIES, -1)[1]
    current_assets = table.total(account_types.BANK + account_types.CURRENT_ASSETS, 1)[1]
    current_debts = table.total(account_types.CURRENT_LIABILITIES, -1)[1]
    term_assets = table.total(account_types.FIXED_ASSETS + account_types.OTHER_ASSETS, 1)[1]
    term_debts = table.total(account_types.OTHER_LIABILITIES, -1)[1]
    issued = [
        in_base(invoice["SubTotal"], invoice.get("CurrencyRate"))
        for invoice in request.books.records("Invoices")
        if invoice["Type"] == "ACCREC"
        and invoice["Status"] in ("AUTHORISED", "PAID")
        and first <= invoice["Date"] <= day
    ]
    monthly_return = _over(profit, net_assets)
    yearly_return = monthly_return * 12 if monthly_return is not None else None
    average = _over(sum(issued, ZERO), Decimal(len(issued))) or ZERO
    return [
        ("Cash", "Cash received", "money", received),
        ("Cash", "Cash spent", "money", spent),
        ("Cash", "Cash surplus (deficit)", "money", received - spent),
        ("Cash", "Closing bank balance", "money", closing),
        ("Profitability", "Income", "money", income),
        ("Profitability", "Direct costs", "money", costs),
        ("Profitability", "Gross profit (loss)", "money", income - costs),
        ("Profitability", "Other Income", "money", other),
        ("Profitability", "Expenses", "money", expenses),
        ("Profitability", "Profit (loss)", "money", profit),
        ("Balance Sheet", "Debtors", "money", debtors),
        ("Balance Sheet", "Creditors", "money", creditors),
        ("Balance Sheet", "Net assets", "money", net_assets),
        ("Income", "Number of invoices issued", "count", Decimal(len(issued))),
        ("Income", "Average value of invoices", "money", average),
        ("Performance", "Gross profit margin", "percent", _over(income - costs, income)),
        ("Performance", "Net profit margin", "percent", _over(profit, income)),
        ("Performance", "Return on investment (p.a.)", "percent", yearly_return),
        ("Position", "Average debtors days", "days", (_over(debtors, income) or ZERO) * days),
        ("Position", "Average creditors days", "days", (_over(creditors, costs + expenses) or ZERO) * days),
        ("Position", "Short term cash forecast", "money", debtors - creditors),
        ("Position", "Current assets to liabilities", "ratio", _over(current_assets, current_debts)),
        ("Position", "Term assets to liabilities", "ratio", _over(term_assets, term_debts)),
    ]


def _figure(value: Decimal | None, kind: str) -> str:
    if value is None:
        return ""
    if kind == "money":
        return money(rounded(value))
    if kind == "percent":
        return _percent(value)
    if kind == "count" or not value:
        return str(int(value))
    return str(value)


def _percent(value: Decimal) -> str:
    return f"{(value * 100).quantize(Decimal('0.1'), ROUND_HALF_UP) + Decimal('0.0')}%"


def _variance(one: Decimal | None, other: Decimal | None) -> str:
    return _percent((one - other) / abs(other)) if one is not None and other else "0.0%"
