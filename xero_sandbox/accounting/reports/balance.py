"""The balance sheet and the trial balance."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from ...values import ZERO, Record
from ..general_ledger import Entry, month_end, shifted
from . import account_types
from .layout import Mark, Table, account_row, header, minus, money, plus, section, single, sums, texts, total
from .request import Request, long_date

EARNINGS = "abababab-abab-abab-abab-abababababab"
"""The id under which Xero shows Current Year Earnings, which is no account."""


def _american(day: date) -> str:
    return f"{day.month}/{day.day}/{day.year}"


def _earnings(request: Request, entries: list[Entry], day: date) -> tuple[Decimal, Decimal]:
    """The profit of the financial year up to `day`, and that of all earlier years."""
    start = request.year_start(day)
    profit = {key for key, account in request.accounts.items() if account["Type"] in account_types.PROFIT}
    current = past = ZERO
    for entry in entries:
        if entry.account in profit and entry.day <= day:
            if entry.day >= start:
                current -= entry.net
            else:
                past -= entry.net
    return current, past


def balance_sheet(request: Request) -> dict[str, Any]:
    """As at `date`, by default the end of the current month, beside the year before."""
    day = request.day("date", month_end(request.today))
    periods = request.number("periods", 1, range(1, 13))
    months = request.frame("MONTH" if request.text("periods") else "YEAR")
    entries = request.entries(request.options("trackingOptionID1", "trackingOptionID2"))
    days = [shifted(day, -months * n) for n in range(periods + 1)]
    table = Table(request, [sums(entries, None, one) for one in days])
    assets, liabilities = table.total(account_types.ASSETS, 1), table.total(account_types.LIABILITIES, -1)
    equity = section("Equity", _equity(request, table, entries, days))
    bank, fixed = "Bank", "Fixed Assets"
    start, end = (
        [section("Liabilities", [])],
        [single("Net Assets", minus(assets, liabilities), "Row"), equity],
    )
    if request.american:
        bank, fixed = "Cash and Cash Equivalents", "Property, Plant and Equipment"
        start = [section("Liabilities and Equity", []), *start]
        end = [equity, single("Total Liabilities and Equity", assets)]
    rows = [
        header("", *(f"{one.day} {one:%b %Y}" for one in days)),
        section("Assets", []),
        *table.section(bank, account_types.BANK, 1),
        *table.section("Current Assets", account_types.CURRENT_ASSETS, 1),
        *table.section(fixed, account_types.FIXED_ASSETS, 1),
        *table.section("Non-current Assets", account_types.OTHER_ASSETS, 1),
        single("Total Assets", assets),
        *start,
        *table.section("Current Liabilities", account_types.CURRENT_LIABILITIES, -1),
        *table.section("Non-current Liabilities", account_types.OTHER_LIABILITIES, -1),
        single("Total Liabilities", liabilities),
        *end,
    ]
    return request.report(("Balance Sheet", request.company, f"As at {long_date(day)}"), rows)


def _equity(request: Request, table: Table, entries: list[Entry], days: list[date]) -> list[Record]:
    """The rows of equity by name, with the earnings of this year and of the years before."""
    earned = [_earnings(request, entries, day) for day in days]
    current, past = ([one[n] for one in earned] for n in (0, 1))
    found = table.of(account_types.EQUITY, -1)
    sum_ = plus(current, past)
    for _, amounts in found:
        sum_ = plus(sum_, amounts)
    spans = [(("fromDate", _american(request.year_start(day))), ("toDate", _american(day))) for day in days]
    rows = [account_row("Current Year Earnings", EARNINGS, texts(current), spans)]
    for account in table.accounts:
        name, key = account["Name"], account["AccountID"]
        if account.get("SystemAccount") == "RETAINEDEARNINGS":
            held = [-column.get(key, ZERO) for column in table.columns]
            ends = [(("fromDate", ""), ("toDate", _american(day))) for day in days]
            rows.append(account_row(name, key, texts(plus(held, past)), ends))
        else:
            rows += [account_row(name, key, texts(amounts)) for one, amounts in found if one is account]
    rows.sort(key=lambda one: str(one["Cells"][0]["Value"]).lower())
    return [*rows, total("Total Equity", sum_)]


def trial_balance(request: Request) -> dict[str, Any]:
    """The month's movement and the year's up to `date`, by default today."""
    day = request.day("date", request.today)
    entries = request.entries()
    start = request.year_start(day)
    month, year, ever = (sums(entries, first, day) for first in (day.replace(day=1), start, None))
    _, past = _earnings(request, entries, day)
    rows = [header("Account", "Debit", "Credit", "YTD Debit", "YTD Credit")]
    totals = [ZERO] * 4
    table = Table(request, [month, year, ever])
    for title, types, sign in (
        ("Revenue", account_types.INCOME + account_types.OTHER_INCOME, -1),
        ("Expenses", account_types.COSTS + account_types.EXPENSES, 1),
        ("Assets", account_types.ASSETS, 1),
        ("Liabilities", account_types.LIABILITIES, -1),
        ("Equity", account_types.EQUITY, -1),
    ):
        found = []
        for account in (one for one in table.accounts if one["Type"] in types):
            key = account["AccountID"]
            moved = month.get(key, ZERO)
            held = (year if types[0] in account_types.PROFIT else ever).get(key, ZERO)
            more: list[Mark] = []
            if account.get("SystemAccount") == "RETAINEDEARNINGS":
                held -= past
                more = [("fromDate", ""), ("toDate", _american(start - timedelta(days=1)))]
            if moved or held:
                sides = [*_sides(moved, sign), *_sides(held, sign)]
                totals = plus(totals, [side or ZERO for side in sides])
                shown = ["" if side is None else money(side) for side in sides]
                found.append(account_row(_with_code(account), key, shown, [more] * 4))
        if found:
            rows.append(section(title, found))
    rows.append(single("Total", totals))
    return request.report(("Trial Balance", request.company, f"As at {long_date(day)}"), rows)


def _with_code(account: Record) -> str:
    return f"{account['Name']} ({account['Code']})" if account.get("Code") else str(account["Name"])


def _sides(amount: Decimal, sign: int) -> tuple[Decimal | None, Decimal | None]:
    """Debit and credit of an amount; zero is shown on the side that is usual for the account (`sign`)."""
    return (abs(amount), None) if amount > 0 or (not amount and sign > 0) else (None, abs(amount))
