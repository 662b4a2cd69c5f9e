"""Xero's reports, computed from journals and documents, in Xero's rows and cells. `run` makes a report.
Layouts, default periods and titles follow the specification's examples and answers of the live API seen in
public recordings (August 2026).
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import product
from typing import TYPE_CHECKING, Any

from .cash_basis import on_cash_basis
from .double_entry import ZERO, Record, document_id, in_base, is_credit, is_sale
from .general_ledger import Books, Entry, accrued, month_end, shifted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

EARNINGS = "abababab-abab-abab-abab-abababababab"
"""The id under which Xero shows Current Year Earnings, which is no account."""

INCOME = ("REVENUE", "SALES")
COSTS = ("DIRECTCOSTS",)
OTHER_INCOME = ("OTHERINCOME",)
EXPENSES = ("EXPENSE", "OVERHEADS", "DEPRECIATN")
PROFIT_TYPES = INCOME + COSTS + OTHER_INCOME + EXPENSES

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_FRAMES = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}


def run(name: str, params: Mapping[str, str], books: Books) -> dict[str, Any]:
    """One report: `name` as in its address (`ProfitAndLoss`), `params` as in the query string.

    Gives one element of `Reports`; UpdatedDateUTC is a datetime, everything else text. Raises ValueError with a
    message for the caller when a parameter is missing, malformed or out of range, or the report does not exist
    for this organisation.
    """
    if name not in _REPORTS:
        raise ValueError(f"There is no report '{name}'")
    return _REPORTS[name](_Request(name, params, books))


class _Request:
    """The parameters of one request, checked, and the organisation's accounts and ledger."""

    def __init__(self, name: str, params: Mapping[str, str], books: Books) -> None:
        self.name, self.books = name, books
        self._params = {key.lower(): value for key, value in params.items()}
        organisations = [*books.records("Organisations"), *books.records("Organisation")]
        self.organisation = organisations[0]
        self.now = books.now()
        ahead = {"NZ": 13, "US": -8}.get(self.organisation.get("CountryCode", ""), 10)
        self.today = (self.now + timedelta(hours=ahead)).date()
        self.accounts = {a["AccountID"]: a for a in books.records("Accounts")}

    # --- parameters

    def text(self, key: str) -> str | None:
        """A parameter as text; None if it is missing or empty."""
        return self._params.get(key.lower()) or None

    def day(self, key: str, default: date) -> date:
        """A date as YYYY-MM-DD; a time after it is ignored."""
        text = self.text(key)
        if text is None:
            return default
        try:
            return datetime.strptime(text[:10], "%Y-%m-%d").date()
        except ValueError:
            raise ValueError(f"Invalid {key}: '{text}' is not a date (YYYY-MM-DD)") from None

    def number(self, key: str, default: int, allowed: Iterable[int]) -> int:
        """A whole number; it must be one of those allowed."""
        text = self.text(key)
        if text is None:
            return default
        choice = sorted(allowed)
        if not text.isdecimal() or int(text) not in choice:
            wanted = f"{choice[0]} to {choice[-1]}" if len(choice) > 3 else ", ".join(map(str, choice))
            raise ValueError(f"Invalid {key}: '{text}' must be one of {wanted}")
        return int(text)

    def flag(self, key: str) -> bool:
        """A boolean in any case."""
        text = (self.text(key) or "false").lower()
        if text not in ("true", "false"):
            raise ValueError(f"Invalid {key}: '{text}' must be true or false")
        return text == "true"

    def guid(self, key: str) -> str | None:
        """An identifier."""
        text = self.text(key)
        if text is not None and not _GUID.fullmatch(text):
            raise ValueError(f"Invalid {key}: '{text}' is not a valid identifier")
        return text.lower() if text else None

    def frame(self, default: str) -> int:
        """The months of the timeframe."""
        text = (self.text("timeframe") or default).upper()
        if text not in _FRAMES:
            raise ValueError(f"Invalid timeframe: '{text}' must be MONTH, QUARTER or YEAR")
        return _FRAMES[text]

    def options(self, *keys: str) -> list[str]:
        """Tracking option ids to filter by; each must exist."""
        known = {
            o["TrackingOptionID"] for c in self.books.records("TrackingCategories") for o in c["Options"]
        }
        found = [option for key in keys if (option := self.guid(key))]
        for option in found:
            if option not in known:
                raise ValueError(f"The tracking option '{option}' could not be found")
        return found

    # --- the ledger

    def year_start(self, day: date) -> date:
        """The first day of the financial year that `day` lies in."""
        month, last = self.organisation["FinancialYearEndMonth"], self.organisation["FinancialYearEndDay"]
        ends = (
            date(year, month, min(last, month_end(date(year, month, 1)).day))
            for year in (day.year, day.year - 1)
        )
        return next(end for end in ends if end < day) + timedelta(days=1)

    def entries(self, options: Sequence[str] = ()) -> list[Entry]:
        """The ledger, on a cash basis if `paymentsOnly` asks for it, only lines with all of `options`."""
        self.flag("standardLayout")
        found = on_cash_basis(self.books) if self.flag("paymentsOnly") else list(accrued(self.books))
        wanted = frozenset(options)
        return [entry for entry in found if wanted <= entry.options] if wanted else found

    def report(self, titles: Sequence[str], rows: list[Record], title: str | None = None) -> dict[str, Any]:
        """A report with these rows."""
        words = title or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", self.name)
        return {
            "ReportID": self.name,
            "ReportName": words,
            "ReportType": self.name,
            "ReportTitles": list(titles),
            "ReportDate": _long(self.today),
            "UpdatedDateUTC": self.now,
            "Fields": [],
            "Rows": rows,
        }

    @property
    def american(self) -> bool:
        """Whether it is an organisation of the United States, which has layouts of its own (recorded in 2026)."""
        return self.organisation.get("CountryCode") == "US"

    @property
    def company(self) -> str:
        """The organisation's name, as titles show it."""
        return str(self.organisation["Name"])


# --- rows ---------------------------------------------------------------------------------------------------


def _long(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _american(day: date) -> str:
    return f"{day.month}/{day.day}/{day.year}"


def _money(value: Decimal) -> str:
    return f"{value + ZERO:.2f}"


def _cell(value: str, *attributes: tuple[str, str]) -> Record:
    if not attributes:
        return {"Value": value}
    return {"Value": value, "Attributes": [{"Value": text, "Id": name} for name, text in attributes]}


def _header(*values: str) -> Record:
    return {"RowType": "Header", "Cells": [_cell(value) for value in values]}


def _row(cells: list[Record], kind: str = "Row") -> Record:
    return {"RowType": kind, "Cells": cells}


def _total(text: str, amounts: Iterable[Decimal], kind: str = "SummaryRow") -> Record:
    return _row([_cell(text), *(_cell(_money(amount)) for amount in amounts)], kind)


def _section(title: str, rows: list[Record]) -> Record:
    return {"RowType": "Section", "Title": title, "Rows": rows}


Column = dict[str, Decimal]
"""Amounts by AccountID."""


def _sums(entries: Iterable[Entry], first: date | None, last: date) -> Column:
    """The movement of every account from `first` (or the beginning) to `last`."""
    found: Column = defaultdict(lambda: ZERO)
    for entry in entries:
        if entry.day <= last and (first is None or entry.day >= first):
            found[entry.account] += entry.net
    return found


class _Table:
    """Columns of the ledger over accounts, cut into sections."""

    def __init__(self, request: _Request, columns: list[Column]) -> None:
        self.columns = columns
        self.accounts = sorted(request.accounts.values(), key=lambda account: str(account["Name"]).lower())

    def of(self, types: Sequence[str], sign: int) -> list[tuple[Record, list[Decimal]]]:
        """The accounts of some types that have an amount in any column; `sign` turns credits positive (-1)."""
        found = []
        for account in self.accounts:
            key = account["AccountID"]
            amounts = [sign * column.get(key, ZERO) + ZERO for column in self.columns]
            if account["Type"] in types and any(amounts):
                found.append((account, amounts))
        return found

    def total(self, types: Sequence[str], sign: int) -> list[Decimal]:
        """The sum of those accounts per column."""
        sums = [ZERO] * len(self.columns)
        for _, amounts in self.of(types, sign):
            sums = [a + b for a, b in zip(sums, amounts, strict=True)]
        return sums

    def section(self, title: str, total: str, types: Sequence[str], sign: int) -> list[Record]:
        """A section with a row per account and its total; nothing if there is no such account."""
        rows = []
        for account, amounts in self.of(types, sign):
            mark = ("account", account["AccountID"])
            rows.append(
                _row([_cell(account["Name"], mark), *(_cell(_money(amount), mark) for amount in amounts)])
            )
        return [_section(title, [*rows, _total(total, self.total(types, sign))])] if rows else []


def _minus(one: Sequence[Decimal], other: Sequence[Decimal]) -> list[Decimal]:
    return [a - b for a, b in zip(one, other, strict=True)]


def _plus(one: Sequence[Decimal], other: Sequence[Decimal]) -> list[Decimal]:
    return [a + b for a, b in zip(one, other, strict=True)]


# --- profit and loss ----------------------------------------------------------------------------------------


def _profit_rows(table: _Table, kind: str, *, budget: bool = False, american: bool = False) -> list[Record]:
    income, costs = table.total(INCOME, -1), table.total(COSTS, 1)
    other, expenses = table.total(OTHER_INCOME, -1), table.total(EXPENSES, 1)
    gross = _minus(income, costs)
    rows = table.section("Income", "Total Income", INCOME, -1)
    rows += table.section("Less Cost of Sales", "Total Cost of Sales", COSTS, 1)
    rows.append(_section("", [_total("Gross Profit", gross, kind)]))
    rows += table.section("Plus Other Income", "Total Other Income", OTHER_INCOME, -1)
    spent = table.section("Less Operating Expenses", "Total Operating Expenses", EXPENSES, 1)
    if budget and not spent:
        spent = [_section("", [_total("Total Expenses", expenses)])]
    rows += spent
    profit = _minus(_plus(gross, other), expenses)
    if not american:
        rows.append(_section("", [_total("Net Profit", profit, kind)]))
        return rows
    for text in ("Net Income  / (Loss) before Tax", "Net Income", "Total Comprehensive Income"):
        rows += [_section("", [_total(text, profit, kind)]), _section("", [])]
    return rows[:-1]


def _span(request: _Request) -> tuple[date, date]:
    """From and to: the current month, or the month of whichever of the two was given."""
    given = request.day("fromDate", request.day("toDate", request.today))
    first = request.day("fromDate", given.replace(day=1))
    last = request.day("toDate", month_end(given))
    if first > last:
        raise ValueError(f"Invalid toDate: {last} lies before fromDate {first}")
    return first, last


def _profit_and_loss(request: _Request) -> dict[str, Any]:
    """Defaults to the current month; `periods` adds columns before it, a tracking category splits them."""
    first, last = _span(request)
    if (last - first).days > 365:
        raise ValueError("The date range of a Profit and Loss must not exceed 365 days")
    periods = request.number("periods", 0, range(1, 13))
    months = request.frame("MONTH")
    filters = request.options("trackingOptionID", "trackingOptionID2")
    entries = request.entries(filters)
    split = _split(request, filters)
    if split:
        columns = [_sums((e for e in entries if wanted(e)), first, last) for _, wanted in split]
        labels = [label for label, _ in split]
    else:
        spans = [(shifted(first, -months * n), shifted(last, -months * n)) for n in range(periods + 1)]
        columns = [_sums(entries, *span) for span in spans]
        labels = [f"{end.day} {end:%b %y}" for _, end in spans]
    title = "Income Statement" if request.american else "Profit and Loss"
    titles = (title, request.company, f"{_long(first)} to {_long(last)}")
    rows = _profit_rows(_Table(request, columns), "Row", american=request.american)
    return request.report(titles, [_header("", *labels), *rows], "Profit and Loss")


def _axis(
    request: _Request, category: str, filters: Sequence[str]
) -> list[tuple[str, frozenset[str], frozenset[str]]]:
    """The columns of a tracking category: the name of each, the options that its entries have and those they lack."""
    known = {c["TrackingCategoryID"]: c for c in request.books.records("TrackingCategories")}
    if category not in known:
        raise ValueError(f"The tracking category '{category}' could not be found")
    options = {o["TrackingOptionID"]: o["Name"] for o in known[category]["Options"]}
    chosen = [o for o in filters if o in options] or list(options)
    axis = [(options[o], frozenset([o]), frozenset[str]()) for o in chosen]
    if len(chosen) == len(options):
        axis.append(("Unassigned", frozenset(), frozenset(options)))
    return axis


def _split(request: _Request, filters: Sequence[str]) -> list[tuple[str, Callable[[Entry], bool]]]:
    """A column per option of the tracking categories asked for, one for what has none, and the total."""
    ids = [key for name in ("trackingCategoryID", "trackingCategoryID2") if (key := request.guid(name))]
    if not ids:
        return []
    axes = [_axis(request, key, filters) for key in ids]
    found: list[tuple[str, Callable[[Entry], bool]]] = []
    for combination in product(*axes):
        has = frozenset().union(*(part[1] for part in combination))
        lacks = frozenset().union(*(part[2] for part in combination))

        def wanted(entry: Entry, has: frozenset[str] = has, lacks: frozenset[str] = lacks) -> bool:
            return has <= entry.options and not lacks & entry.options

        found.append((", ".join(part[0] for part in combination), wanted))
    return [*found, ("Total", lambda _entry: True)]


# --- balance sheet and trial balance ------------------------------------------------------------------------

BANK = ("BANK",)
CURRENT_ASSETS = ("CURRENT", "INVENTORY", "PREPAYMENT")
FIXED_ASSETS = ("FIXED",)
OTHER_ASSETS = ("NONCURRENT",)
CURRENT_LIABILITIES = ("CURRLIAB", "PAYG")
OTHER_LIABILITIES = ("LIABILITY", "TERMLIAB")
ASSETS = BANK + CURRENT_ASSETS + FIXED_ASSETS + OTHER_ASSETS
LIABILITIES = CURRENT_LIABILITIES + OTHER_LIABILITIES


def _earnings(request: _Request, entries: list[Entry], day: date) -> tuple[Decimal, Decimal]:
    """The profit of the financial year up to `day`, and that of all earlier years."""
    start = request.year_start(day)
    profit = {key for key, account in request.accounts.items() if account["Type"] in PROFIT_TYPES}
    current = past = ZERO
    for entry in entries:
        if entry.account in profit and entry.day <= day:
            if entry.day >= start:
                current -= entry.net
            else:
                past -= entry.net
    return current, past


def _balance_sheet(request: _Request) -> dict[str, Any]:
    """As at the end of the current month unless `date` says otherwise, beside the year before."""
    day = request.day("date", month_end(request.today))
    periods = request.number("periods", 1, range(1, 13))
    months = request.frame("MONTH" if request.text("periods") else "YEAR")
    entries = request.entries(request.options("trackingOptionID1", "trackingOptionID2"))
    days = [shifted(day, -months * n) for n in range(periods + 1)]
    table = _Table(request, [_sums(entries, None, one) for one in days])
    assets, liabilities = table.total(ASSETS, 1), table.total(LIABILITIES, -1)
    rows = [_header("", *(f"{one.day} {one:%b %Y}" for one in days)), _section("Assets", [])]
    bank, fixed = ("Bank", "Fixed Assets")
    if request.american:
        bank, fixed = ("Cash and Cash Equivalents", "Property, Plant and Equipment")
    rows += table.section(bank, f"Total {bank}", BANK, 1)
    rows += table.section("Current Assets", "Total Current Assets", CURRENT_ASSETS, 1)
    rows += table.section(fixed, f"Total {fixed}", FIXED_ASSETS, 1)
    rows += table.section("Non-current Assets", "Total Non-current Assets", OTHER_ASSETS, 1)
    rows.append(_section("", [_total("Total Assets", assets)]))
    rows += [_section("Liabilities and Equity", [])] * request.american + [_section("Liabilities", [])]
    rows += table.section("Current Liabilities", "Total Current Liabilities", CURRENT_LIABILITIES, -1)
    rows += table.section("Non-current Liabilities", "Total Non-current Liabilities", OTHER_LIABILITIES, -1)
    rows.append(_section("", [_total("Total Liabilities", liabilities)]))
    equity = _section("Equity", _equity(request, table, entries, days))
    if request.american:
        rows += [equity, _section("", [_total("Total Liabilities and Equity", assets)])]
    else:
        rows += [_section("", [_total("Net Assets", _minus(assets, liabilities), "Row")]), equity]
    titles = ("Balance Sheet", request.company, f"As at {_long(day)}")
    return request.report(titles, rows)


def _equity(request: _Request, table: _Table, entries: list[Entry], days: list[date]) -> list[Record]:
    """The rows of equity in order of name, with this year's earnings and those of the years before."""
    earned = [_earnings(request, entries, day) for day in days]
    retained = next((a for a in table.accounts if a.get("SystemAccount") == "RETAINEDEARNINGS"), None)
    lines: list[tuple[str, str, list[Decimal], list[tuple[str, str]] | None]] = []
    spans = [(_american(request.year_start(day)), _american(day)) for day in days]
    lines.append(("Current Year Earnings", EARNINGS, [current for current, _ in earned], spans))
    total = [current + past for current, past in earned]
    for account, amounts in table.of(("EQUITY",), -1):
        total = _plus(total, amounts)
        if account is not retained:
            lines.append((account["Name"], account["AccountID"], amounts, None))
    past = [past for _, past in earned]
    if retained:
        held = [-column.get(retained["AccountID"], ZERO) for column in table.columns]
        ends = [("", _american(day)) for day in days]
        lines.append((retained["Name"], retained["AccountID"], _plus(held, past), ends))
    rows = [_equity_row(*line) for line in sorted(lines, key=lambda line: line[0].lower())]
    return [*rows, _total("Total Equity", total)]


def _equity_row(name: str, key: str, amounts: list[Decimal], marks: list[tuple[str, str]] | None) -> Record:
    mark = ("account", key)
    cells = [_cell(name, mark)]
    for n, amount in enumerate(amounts):
        more = [("fromDate", marks[n][0]), ("toDate", marks[n][1])] if marks else []
        cells.append(_cell(_money(amount), mark, *more))
    return _row(cells)


def _trial_balance(request: _Request) -> dict[str, Any]:
    """The month's movement and the year's, as at today unless `date` says otherwise."""
    day = request.day("date", request.today)
    entries = request.entries()
    start = request.year_start(day)
    month, year, ever = (_sums(entries, first, day) for first in (day.replace(day=1), start, None))
    _, past = _earnings(request, entries, day)
    rows = [_header("Account", "Debit", "Credit", "YTD Debit", "YTD Credit")]
    totals = [ZERO] * 4
    table = _Table(request, [month, year, ever])
    for title, types, sign in (
        ("Revenue", INCOME + OTHER_INCOME, -1),
        ("Expenses", COSTS + EXPENSES, 1),
        ("Assets", ASSETS, 1),
        ("Liabilities", LIABILITIES, -1),
        ("Equity", ("EQUITY",), -1),
    ):
        section = []
        for account in (one for one in table.accounts if one["Type"] in types):
            key = account["AccountID"]
            moved, held = month.get(key, ZERO), (year if types[0] in PROFIT_TYPES else ever).get(key, ZERO)
            more: list[tuple[str, str]] = []
            if account.get("SystemAccount") == "RETAINEDEARNINGS":
                held -= past
                more = [("fromDate", ""), ("toDate", _american(start - timedelta(days=1)))]
            if moved or held:
                section.append(_trial_row(account, (moved, held), sign, more, totals))
        if section:
            rows.append(_section(title, section))
    rows.append(_section("", [_total("Total", totals)]))
    return request.report(("Trial Balance", request.company, f"As at {_long(day)}"), rows)


def _trial_row(
    account: Record,
    amounts: tuple[Decimal, Decimal],
    sign: int,
    more: list[tuple[str, str]],
    totals: list[Decimal],
) -> Record:
    """The row of an account in a trial balance; its debits and credits are added to the totals."""
    mark = ("account", account["AccountID"])
    name = f"{account['Name']} ({account['Code']})" if account.get("Code") else account["Name"]
    cells = [_cell(name, mark)]
    for n, amount in enumerate(amounts):
        debit = amount > 0 or (amount == 0 and sign > 0)
        pair = (_money(abs(amount)), "") if debit else ("", _money(abs(amount)))
        totals[2 * n + (0 if debit else 1)] += abs(amount)
        cells += [_cell(text, mark, *more) for text in pair]
    return _row(cells)


# --- cash ---------------------------------------------------------------------------------------------------


def _cash(request: _Request, entries: Iterable[Entry], first: date, last: date) -> dict[str, list[Decimal]]:
    """Per bank account: opening balance, received, spent, closing balance. Deleted transactions do not count."""
    banks = {key for key, account in request.accounts.items() if account["Type"] == "BANK"}
    found = {key: [ZERO, ZERO, ZERO, ZERO] for key in banks}
    moved: dict[tuple[str, str, date], Decimal] = defaultdict(lambda: ZERO)
    for entry in entries:
        if entry.account in banks and entry.day <= last:
            found[entry.account][3] += entry.net
            if entry.day < first:
                found[entry.account][0] += entry.net
            else:
                moved[entry.account, entry.source, entry.day] += entry.net
    for (key, _, _), amount in moved.items():
        found[key][1 if amount > 0 else 2] += abs(amount)
    return found


def _bank_summary(request: _Request) -> dict[str, Any]:
    """The bank accounts' movement in the current month, or from `fromDate` to `toDate`."""
    first, last = _span(request)
    cash = _cash(request, request.entries(), first, last)
    rows, totals = [], [ZERO] * 4
    for account in sorted((request.accounts[key] for key in cash), key=lambda a: str(a["Name"]).lower()):
        key = account["AccountID"]
        amounts = cash[key]
        if account["Status"] != "ACTIVE" and not any(amounts):
            continue
        totals = _plus(totals, amounts)
        opening, received, spent, closing = (_money(amount) for amount in amounts)
        mark = ("account", key)
        rows.append(
            _row(
                [
                    _cell(account["Name"], ("accountID", key)),
                    _cell(opening),
                    _cell(received, mark),
                    _cell(spent, mark),
                    _cell(closing),
                ]
            )
        )
    header = _header("Bank Accounts", "Opening Balance", "Cash Received", "Cash Spent", "Closing Balance")
    titles = ("Bank Summary", request.company, f"From {_long(first)} to {_long(last)}")
    return request.report(titles, [header, _section("", [*rows, _total("Total", totals)])])


# --- budget and summary -------------------------------------------------------------------------------------


def _budget_summary(request: _Request) -> dict[str, Any]:
    """The overall budget from the month of `date` on: `periods` columns of 1, 3 or 12 months, twelve by default."""
    first = request.day("date", request.today).replace(day=1)
    periods = request.number("periods", 12, range(1, 13))
    months = request.number("timeframe", 1, (1, 3, 12))
    column_of = {}
    for n in range(periods):
        for month in range(months):
            column_of[f"{shifted(first, n * months + month):%Y-%m}"] = n
    columns: list[Column] = [defaultdict(lambda: ZERO) for _ in range(periods)]
    for budget in request.books.records("Budgets"):
        for line in budget["BudgetLines"] if budget["Type"] == "OVERALL" else ():
            account = request.accounts[line["AccountID"]]
            sign = -1 if account["Type"] in INCOME + OTHER_INCOME else 1
            for balance in line["BudgetBalances"]:
                if balance["Period"] in column_of:
                    columns[column_of[balance["Period"]]][line["AccountID"]] += sign * balance["Amount"]
    ends = [shifted(first, (n + 1) * months - 1) for n in range(periods)]
    rows = [_header("Account", *(f"{end:%b-%y}" for end in ends))]
    rows += _profit_rows(_Table(request, columns), "SummaryRow", budget=True)
    for section in rows[1:]:
        for row in section["Rows"]:
            for cell in row["Cells"][1:]:
                cell.pop("Attributes", None)
    span = f"{first:%B %Y} to {ends[-1]:%B %Y}"
    return request.report(("Overall Budget", "Budget Summary", request.company, span), rows)


def _executive_summary(request: _Request) -> dict[str, Any]:
    """The month of `date` beside the month before, with the variance in per cent."""
    day = month_end(request.day("date", request.today))
    entries = list(request.entries())
    days = (day, month_end(shifted(day, -1)))
    now, before = (_figures(request, entries, one) for one in days)
    rows = [_header("", f"{days[0]:%b %Y}", f"{days[1]:%b %Y}", "Variance")]
    for title, lines in _EXECUTIVE:
        section = []
        for text, kind in lines:
            one, other = now[text], before[text]
            cells = [
                _cell(text),
                _cell(_figure(one, kind)),
                _cell(_figure(other, kind)),
                _cell(_variance(one, other)),
            ]
            section.append(_row(cells))
        rows.append(_section(title, section))
    titles = ("Executive Summary", request.company, f"For the month of {day:%B %Y}")
    return request.report(titles, rows)


_EXECUTIVE: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Cash",
        (
            ("Cash received", "money"),
            ("Cash spent", "money"),
            ("Cash surplus (deficit)", "money"),
            ("Closing bank balance", "money"),
        ),
    ),
    (
        "Profitability",
        (
            ("Income", "money"),
            ("Direct costs", "money"),
            ("Gross profit (loss)", "money"),
            ("Other Income", "money"),
            ("Expenses", "money"),
            ("Profit (loss)", "money"),
        ),
    ),
    ("Balance Sheet", (("Debtors", "money"), ("Creditors", "money"), ("Net assets", "money"))),
    ("Income", (("Number of invoices issued", "count"), ("Average value of invoices", "money"))),
    (
        "Performance",
        (
            ("Gross profit margin", "percent"),
            ("Net profit margin", "percent"),
            ("Return on investment (p.a.)", "percent"),
        ),
    ),
    (
        "Position",
        (
            ("Average debtors days", "days"),
            ("Average creditors days", "days"),
            ("Short term cash forecast", "money"),
            ("Current assets to liabilities", "ratio"),
            ("Term assets to liabilities", "ratio"),
        ),
    ),
)


def _over(one: Decimal, other: Decimal) -> Decimal | None:
    return one / other if other else None


def _figures(request: _Request, entries: list[Entry], day: date) -> dict[str, Decimal | None]:
    """Every figure of the summary for the month that ends on `day`; None instead of a division by zero."""
    first = day.replace(day=1)
    cash = _cash(request, entries, first, day).values()
    table = _Table(request, [_sums(entries, first, day), _sums(entries, None, day)])
    income, costs = table.total(INCOME, -1)[0], table.total(COSTS, 1)[0]
    other, expenses = table.total(OTHER_INCOME, -1)[0], table.total(EXPENSES, 1)[0]
    profit = income - costs + other - expenses
    system = {a.get("SystemAccount"): a["AccountID"] for a in table.accounts}
    debtors = table.columns[1].get(system.get("DEBTORS", ""), ZERO)
    creditors = -table.columns[1].get(system.get("CREDITORS", ""), ZERO)
    assets, liabilities = table.total(ASSETS, 1)[1], table.total(LIABILITIES, -1)[1]
    issued = [
        in_base(invoice["SubTotal"], invoice.get("CurrencyRate"))
        for invoice in request.books.records("Invoices")
        if invoice["Type"] == "ACCREC"
        and invoice["Status"] in ("AUTHORISED", "PAID")
        and first <= invoice["Date"] <= day
    ]
    received, spent = sum((c[1] for c in cash), ZERO), sum((c[2] for c in cash), ZERO)
    days = Decimal(day.day)
    net_assets = assets - liabilities
    term_assets = table.total(FIXED_ASSETS + OTHER_ASSETS, 1)[1]
    monthly_return = _over(profit, net_assets)
    return {
        "Cash received": received,
        "Cash spent": spent,
        "Cash surplus (deficit)": received - spent,
        "Closing bank balance": sum((c[3] for c in cash), ZERO),
        "Income": income,
        "Direct costs": costs,
        "Gross profit (loss)": income - costs,
        "Other Income": other,
        "Expenses": expenses,
        "Profit (loss)": profit,
        "Debtors": debtors,
        "Creditors": creditors,
        "Net assets": net_assets,
        "Number of invoices issued": Decimal(len(issued)),
        "Average value of invoices": sum(issued, ZERO) / len(issued) if issued else ZERO,
        "Gross profit margin": _over(income - costs, income),
        "Net profit margin": _over(profit, income),
        "Return on investment (p.a.)": monthly_return * 12 if monthly_return is not None else None,
        "Average debtors days": (_over(debtors, income) or ZERO) * days,
        "Average creditors days": (_over(creditors, costs + expenses) or ZERO) * days,
        "Short term cash forecast": debtors - creditors,
        "Current assets to liabilities": _over(
            table.total(BANK + CURRENT_ASSETS, 1)[1], table.total(CURRENT_LIABILITIES, -1)[1]
        ),
        "Term assets to liabilities": _over(term_assets, table.total(OTHER_LIABILITIES, -1)[1]),
    }


def _figure(value: Decimal | None, kind: str) -> str:
    if value is None:
        return ""
    if kind == "money":
        return _money(value.quantize(Decimal("0.01"), ROUND_HALF_UP))
    if kind == "percent":
        return _percent(value)
    if kind == "count" or not value:
        return str(int(value))
    return str(value)


def _percent(value: Decimal) -> str:
    return f"{(value * 100).quantize(Decimal('0.1'), ROUND_HALF_UP) + Decimal('0.0')}%"


def _variance(one: Decimal | None, other: Decimal | None) -> str:
    return _percent((one - other) / abs(other)) if one is not None and other else "0.0%"


# --- aged reports -------------------------------------------------------------------------------------------


def _contact(request: _Request) -> Record:
    contact_id = request.guid("contactId")
    if contact_id is None:
        raise ValueError("The contactId parameter is required")
    contact = next((c for c in request.books.records("Contacts") if c["ContactID"] == contact_id), None)
    if contact is None:
        raise ValueError(f"The contact '{contact_id}' could not be found")
    return contact


def _aged(request: _Request) -> dict[str, Any]:
    """What one contact owes or is owed, document by document, in base currency."""
    sales = request.name == "AgedReceivablesByContact"
    contact = _contact(request)
    day = request.day("date", month_end(request.today))
    first = request.day("fromDate", date.min)
    last = request.day("toDate", day)
    layout = _aged_columns if sales else _with_blanks
    opening, closing = [ZERO] * 4, [ZERO] * 4
    rows = []
    for document in _documents(request.books, contact["ContactID"], sales=sales):
        total, paid, credited = _as_at(document, day)
        amounts = [total, paid, credited, total - paid - credited]
        if not amounts[3] or document["Date"] > last:
            continue
        if document["Date"] < first:
            opening[3] += amounts[3]
        else:
            closing = _plus(closing, amounts)
            rows.append(_aged_row(document, layout(_aged_values(document, amounts, day, sales=sales))))
    header = layout(["Date", "Number" if sales else "Reference", "Due Date", "", *_AGED])
    body = [_header(*header)]
    span = f"To {_long(last)}"
    if request.text("fromDate"):
        span = f"From {_long(first)} to {_long(last)}"
        start = layout([f"{first}T00:00:00", "Opening Balance", "", "", "", "", "", _money(opening[3])])
        body.append(_section("", [_row([_cell(value) for value in start])]))
    if rows or request.text("fromDate"):  # as recorded: without a document there is the header alone
        body.append(_section("", [*rows, _aged_total(layout, "Total", closing)]))
    if request.text("fromDate"):
        body.append(_section("", [_aged_total(layout, "Closing Balance", _plus(opening, closing))]))
    titles = ("Invoices", contact["Name"], span, f"Showing payments to {_long(day)}")
    return request.report(titles, body)


_AGED = ("Total", "Paid", "Credited", "Due")


def _aged_columns(values: list[str]) -> list[str]:
    return values


def _with_blanks(values: list[str]) -> list[str]:
    """The row in the layout of payables (recorded in August 2026): an empty column behind each amount."""
    return [*values[:4], *(text for value in values[4:] for text in (value, ""))]


def _documents(books: Books, contact_id: str, *, sales: bool) -> list[Record]:
    """The approved documents of a contact on one side, oldest first."""
    found = [
        document
        for resource in ("Invoices", "CreditNotes", "Prepayments", "Overpayments")
        for document in books.records(resource)
        if document["Status"] in ("AUTHORISED", "PAID")
        and document["Contact"]["ContactID"] == contact_id
        and is_sale(document) == sales
    ]
    return sorted(found, key=lambda d: (d["Date"], d.get("InvoiceNumber") or d.get("CreditNoteNumber") or ""))


def _as_at(document: Record, day: date) -> tuple[Decimal, Decimal, Decimal]:
    """Total, paid and credited in base currency as they stood on `day`; a credit's are negative."""
    rate = document.get("CurrencyRate")
    paid = sum((p["Amount"] for p in document["Payments"] if p["Date"] <= day), ZERO)
    if is_credit(document):
        credited = sum((a["Amount"] for a in document["Allocations"] if a["Date"] <= day), ZERO)
    else:
        lists = ("CreditNotes", "Prepayments", "Overpayments")
        credited = sum((c["AppliedAmount"] for key in lists for c in document[key] if c["Date"] <= day), ZERO)
    sign = -1 if is_credit(document) else 1
    in_paid = in_base(paid, rate)
    in_credited = in_base(paid + credited, rate) - in_paid
    return sign * in_base(document["Total"], rate) + ZERO, sign * in_paid + ZERO, sign * in_credited + ZERO


def _aged_values(document: Record, amounts: list[Decimal], day: date, *, sales: bool) -> list[str]:
    number = (
        document.get("InvoiceNumber") or document.get("CreditNoteNumber") or document.get("Reference", "")
    )
    due = document.get("DueDate")
    late = f"{(day - due).days} days overdue" if due and due < day else ""
    if not sales and not is_credit(document):
        number = document.get("InvoiceNumber") or document.get("Reference", "")
    issued = f"{document['Date']}T00:00:00"
    return [issued, number, f"{due}T00:00:00" if due else "", late, *map(_money, amounts)]


def _aged_row(document: Record, values: list[str]) -> Record:
    return _row([_cell(value, ("invoiceID", document_id(document))) for value in values])


def _aged_total(layout: Callable[[list[str]], list[str]], text: str, amounts: list[Decimal]) -> Record:
    return _row([_cell(value) for value in layout([text, "", "", "", *map(_money, amounts)])], "SummaryRow")


# --- 1099 ---------------------------------------------------------------------------------------------------


def _ten_ninety_nine(request: _Request) -> dict[str, Any]:
    """Payments to suppliers in a calendar year, for organisations in the United States alone.

    Xero puts a payment into the box that the user's own 1099 rules name; the sandbox has no such rules and shows
    everything in box 1 of the 1099-NEC, from 600 dollars on.
    """
    if request.organisation.get("CountryCode") != "US":
        raise ValueError("The 1099 report is only available to organisations in the United States")
    year = request.number("reportYear", request.today.year - 1, range(2000, request.today.year + 1))
    paid: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for payment in request.books.records("Payments"):
        live = payment["Status"] == "AUTHORISED" and payment["PaymentType"] == "ACCPAYPAYMENT"
        if live and payment["Date"].year == year:
            paid[payment["Invoice"]["Contact"]["ContactID"]] += payment["Amount"]
    contacts = [
        {
            "Box1": paid[c["ContactID"]],
            "Name": c["Name"],
            "Email": c.get("EmailAddress", ""),
            "ContactId": c["ContactID"],
        }
        for c in request.books.records("Contacts")
        if paid.get(c["ContactID"], ZERO) >= 600
    ]
    span = f"1 Jan {year} to 31 Dec {year}"
    return {"ReportName": "1099-NEC report", "ReportDate": span, "Fields": [], "Contacts": contacts}


_REPORTS: dict[str, Callable[[_Request], dict[str, Any]]] = {
    "AgedPayablesByContact": _aged,
    "AgedReceivablesByContact": _aged,
    "BalanceSheet": _balance_sheet,
    "BankSummary": _bank_summary,
    "BudgetSummary": _budget_summary,
    "ExecutiveSummary": _executive_summary,
    "ProfitAndLoss": _profit_and_loss,
    "TenNinetyNine": _ten_ninety_nine,
    "TrialBalance": _trial_balance,
}
