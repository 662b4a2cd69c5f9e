"""The page that a person looks at: one HTML file with everything in it, for a browser without a network.

The charts are drawn by Chart.js, whose code and licence are in `static/`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from decimal import Decimal
from html import escape
from importlib.resources import files
from string import Template

from xero_reconcile.figures import Figure, Organisation, account_months
from xero_reconcile.text import summary
from xero_reconcile.warehouse import Row, Warehouse

SHOWN_MONTHS, CHART_MONTHS, SHOWN_CONTACTS = 6, 24, 12
ZERO = Decimal()
AGES = ("Not due", "1-30 days", "31-60 days", "61-90 days", "Over 90 days")
CHART_CODE = "chart-4.6.1.umd.min.js"

#: The class of a cell, its sign, and its meaning.
MARKS = {
    "agrees": ("✓", "agrees with Xero to the cent"),
    "completed": ("✓", "agrees with Xero, completed by what only Xero's report knows"),
    "differs": ("✗", "differs from Xero"),
    "unknown": ("·", "not compared: Xero's report was not loaded"),
}


@dataclass(frozen=True)
class Cell:
    """An amount and whether it agrees with Xero's."""

    amount: Decimal
    mark: str = ""
    title: str = ""


class Marks:
    """Looks up whether a figure agrees with Xero's."""

    def __init__(self, organisation: Organisation) -> None:
        self._found: dict[tuple[str, str, date | None], Figure] = {}
        for figure in organisation.figures:
            self._found[figure.check, figure.subject_id, figure.period] = figure

    def cell(self, amount: Decimal, check: str, subject_id: str, period: date) -> Cell:
        """An amount of one account or document in one period."""
        figure = self._found.get((check, subject_id, period))
        if figure is None:
            return Cell(amount, "unknown" if amount else "", MARKS["unknown"][1])
        if figure.agrees and amount == figure.xero:
            return Cell(amount, "agrees", MARKS["agrees"][1])
        if figure.reason and amount == figure.xero:
            return Cell(amount, "completed", f"{MARKS['completed'][1]}: {figure.reason}")
        away = figure.difference or amount - figure.xero
        return Cell(amount, "differs", f"{MARKS['differs'][1]} by {away:+,.2f}")


def together(cells: Iterable[Cell]) -> Cell:
    """The sum of cells; its agreement is that of the worst one."""
    every = list(cells)
    marks = {cell.mark for cell in every if cell.mark}
    worst = next((mark for mark in ("differs", "unknown", "completed", "agrees") if mark in marks), "")
    return Cell(sum((cell.amount for cell in every), ZERO), worst, MARKS[worst][1] if worst else "")


def render(warehouse: Warehouse, every: Sequence[Organisation]) -> str:
    """The whole page."""
    static = files("xero_reconcile") / "static"
    code = (static / CHART_CODE).read_text(encoding="utf-8").partition("//# sourceMappingURL")[0]
    parts: list[str] = []
    charts: dict[str, object] = {}
    for number, organisation in enumerate(every):
        parts.append(_organisation(warehouse, organisation, f"o{number}", charts))
    return Template((static / "page.html").read_text(encoding="utf-8")).substitute(
        title=escape(", ".join(one.name for one in every)),
        made=f"{datetime.now(timezone.utc):%d %B %Y, %H:%M} UTC",
        summary=escape(summary(every)),
        legend="".join(
            f'<li><span class="mark {name}">{sign}</span> {escape(meaning)}</li>'
            for name, (sign, meaning) in MARKS.items()
        ),
        organisations="".join(parts),
        data=json.dumps(charts).replace("<", "\\u003c"),
        code=code.replace("</script", "<\\/script"),
        style=(static / "page.css").read_text(encoding="utf-8"),
        script=(static / "page.js").read_text(encoding="utf-8"),
    )


def _organisation(warehouse: Warehouse, one: Organisation, key: str, charts: dict[str, object]) -> str:
    marks = Marks(one)
    sections = [
        _profit_and_loss(warehouse, one, marks, key, charts),
        _balance_sheet(warehouse, one, marks, key, charts),
        _cash(warehouse, one, marks, key, charts),
        _aged(warehouse, one, marks, key, charts, "receivables", "Who owes us what"),
        _aged(warehouse, one, marks, key, charts, "payables", "Whom we owe what"),
    ]
    total, agreeing = account_months(one)
    return (
        f'<article id="{key}"><h2>{escape(one.name)}</h2>'
        f"<p>In {escape(one.currency)}; the ledger is made from {escape(one.ledger_from)}."
        f" {agreeing:,} of {total:,} movements of an account in a month agree with Xero's reports to the cent.</p>"
        f"{''.join(sections)}</article>"
    )


def _of(one: Organisation) -> str:
    return f"tenant_id = '{one.tenant_id.replace(chr(39), chr(39) * 2)}'"


def _amounts(rows: Iterable[Row], value: str) -> dict[str, dict[date, Decimal]]:
    found: dict[str, dict[date, Decimal]] = defaultdict(dict)
    for row in rows:
        found[row["account_id"]][row["month_end"]] = Decimal(row[value])
    return found


def _label(day: date) -> str:
    return f"{day:%b %Y}"


def _latest(days: Iterable[date], count: int) -> list[date]:
    return sorted(set(days))[-count:]


def _by_section(rows: Iterable[Row]) -> dict[str, list[str]]:
    """The accounts of each section, in order."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for row in rows:
        found[row["section"]][row["account_id"]] = None
    return {section: list(accounts) for section, accounts in found.items()}


def _lines(
    accounts: Iterable[str], months: Sequence[date], cell: Callable[[str, date], Cell]
) -> dict[str, list[Cell]]:
    """A line of cells for each account with an amount in one of the months."""
    lines = {account: [cell(account, month) for month in months] for account in accounts}
    return {account: line for account, line in lines.items() if any(one.amount for one in line)}


def _totals(lines: Iterable[Sequence[Cell]], width: int) -> list[Cell]:
    """The sums of the cells of all lines, by column."""
    found = list(lines)
    return [together(line[at] for line in found) for at in range(width)]


def _sums(
    rows: Iterable[Row], value: str, months: Sequence[date], sections: Sequence[str] = ()
) -> list[float]:
    """The sums of a column by month, of all sections or of some."""
    sums: dict[date, Decimal] = defaultdict(Decimal)
    for row in rows:
        if not sections or row["section"] in sections:
            sums[row["month_end"]] += Decimal(row[value])
    return [float(sums[month]) for month in months]


# --- profit and loss


def _profit_and_loss(
    warehouse: Warehouse, one: Organisation, marks: Marks, key: str, charts: dict[str, object]
) -> str:
    rows = warehouse.ask(
        "SELECT p.section, p.section_number, p.account_id, p.account_name, m.month_end, sum(p.amount) AS amount,"
        " sum(p.profit) AS profit FROM {models}.profit_and_loss p"
        " JOIN {models}.ledger_months m ON m.tenant_id = p.tenant_id AND m.month = p.month"
        f" WHERE p.{_of(one)} GROUP BY 1, 2, 3, 4, 5 ORDER BY 2, 4"
    )
    months = _latest((row["month_end"] for row in rows), CHART_MONTHS)
    shown = months[-SHOWN_MONTHS:]
    amounts = _amounts(rows, "amount")
    names = {row["account_id"]: row["account_name"] for row in rows}

    def cell(account: str, month: date) -> Cell:
        return marks.cell(amounts[account].get(month, ZERO), "Profit and loss", account, month)

    body: list[str] = []
    profit: list[list[Cell]] = []
    for section, accounts in _by_section(rows).items():
        lines = _lines(accounts, shown, cell)
        totals = _totals(lines.values(), len(shown))
        body.append(_heading(section, len(shown)))
        body += [_line(names[account], line) for account, line in lines.items()]
        body.append(_line(f"Total {section.removeprefix('Less ').removeprefix('Plus ')}", totals, "total"))
        sign = -1 if section.startswith("Less") else 1
        profit.append([Cell(sign * total.amount, total.mark, total.title) for total in totals])
    body.append(_line("Net Profit", _totals(profit, len(shown)), "grand"))
    series = {
        "Income": _sums(rows, "amount", months, ("Income", "Plus Other Income")),
        "Costs and expenses": _sums(
            rows, "amount", months, ("Less Cost of Sales", "Less Operating Expenses")
        ),
        "Net profit": _sums(rows, "profit", months),
    }
    charts[f"{key}-profit"] = {"kind": "profit", "labels": [_label(m) for m in months], "series": series}
    return _section("Profit and loss by month", f"{key}-profit", _table([_label(m) for m in shown], body))


# --- balance sheet


def _balance_sheet(
    warehouse: Warehouse, one: Organisation, marks: Marks, key: str, charts: dict[str, object]
) -> str:
    rows = warehouse.ask(
        "SELECT section, section_number, account_id, account_name, account_class, month_end, sum(balance) AS balance"
        f" FROM {{models}}.balance_sheet WHERE {_of(one)} GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 2, 4"
    )
    today = _as_at(warehouse, one)
    months = _latest((row["month_end"] for row in rows if row["month_end"] <= today), CHART_MONTHS)
    shown = months[-SHOWN_MONTHS:]
    amounts = _amounts(rows, "balance")
    names = {row["account_id"]: row["account_name"] for row in rows}

    def cell(account: str, month: date) -> Cell:
        return marks.cell(amounts[account].get(month, ZERO), "Balance sheet", account, month)

    body: list[str] = []
    for section, accounts in _by_section(rows).items():
        lines = _lines(accounts, shown, cell)
        if lines:
            body.append(_heading(section, len(shown)))
            body += [_line(names[account], line) for account, line in lines.items()]
            body.append(_line(f"Total {section}", _totals(lines.values(), len(shown)), "total"))
    series = {
        name: _sums((row for row in rows if row["account_class"] == of), "balance", months)
        for name, of in (("Assets", "ASSET"), ("Liabilities", "LIABILITY"), ("Equity", "EQUITY"))
    }
    charts[f"{key}-balance"] = {"kind": "lines", "labels": [_label(m) for m in months], "series": series}
    return _section("Balance sheet", f"{key}-balance", _table([_label(m) for m in shown], body))


def _as_at(warehouse: Warehouse, one: Organisation) -> date:
    """The end of the last month that has an entry."""
    (row,) = warehouse.ask(
        "SELECT max(m.month_end) AS day FROM {models}.general_ledger g"
        " JOIN {models}.ledger_months m ON m.tenant_id = g.tenant_id AND m.month = g.month"
        f" WHERE g.ledger_source <> 'report' AND g.{_of(one)}"
    )
    return row["day"] or date.max


# --- cash


def _cash(warehouse: Warehouse, one: Organisation, marks: Marks, key: str, charts: dict[str, object]) -> str:
    rows = warehouse.ask(
        "SELECT account_id, account_name, month_end, sum(closing_balance) AS closing_balance"
        f" FROM {{models}}.cash_summary WHERE {_of(one)} GROUP BY 1, 2, 3 ORDER BY 2"
    )
    today = _as_at(warehouse, one)
    months = _latest((row["month_end"] for row in rows if row["month_end"] <= today), CHART_MONTHS)
    shown = months[-SHOWN_MONTHS:]
    amounts = _amounts(rows, "closing_balance")
    names = {row["account_id"]: row["account_name"] for row in rows}
    lines = {
        account: [
            marks.cell(amounts[account].get(month, ZERO), "Bank summary", account, month) for month in shown
        ]
        for account in names
    }
    body = [_line(names[account], line) for account, line in lines.items()]
    body.append(_line("All accounts", _totals(lines.values(), len(shown)), "grand"))
    series = {
        names[account]: [float(amounts[account].get(month, ZERO)) for month in months] for account in names
    }
    charts[f"{key}-cash"] = {"kind": "stack", "labels": [_label(m) for m in months], "series": series}
    return _section("Cash at the end of the month", f"{key}-cash", _table([_label(m) for m in shown], body))


# --- who owes what


def _aged(
    warehouse: Warehouse,
    one: Organisation,
    marks: Marks,
    key: str,
    charts: dict[str, object],
    side: str,
    title: str,
) -> str:
    rows = warehouse.ask(
        "SELECT contact_id, contact_name, document_id, age, as_at, sum(due_in_base) AS due"
        f" FROM {{models}}.aged_{side} WHERE {_of(one)} GROUP BY 1, 2, 3, 4, 5"
    )
    if not rows:
        return f"<section><h3>{escape(title)}</h3><p>Nothing is open.</p></section>"
    lines = _by_contact(rows, one, marks, f"Aged {side}")
    totals = _totals((cells for _, cells in lines), len(AGES))
    body = [_line(name, [*cells, together(cells)]) for name, cells in lines[:SHOWN_CONTACTS]]
    rest = lines[SHOWN_CONTACTS:]
    if rest:
        others = _totals((cells for _, cells in rest), len(AGES))
        body.append(_line(f"{len(rest)} more", [*others, together(others)]))
    body.append(_line("All", [*totals, together(totals)], "grand"))
    charts[f"{key}-{side}"] = {
        "kind": "ages",
        "labels": list(AGES),
        "series": {title: [float(cell.amount) for cell in totals]},
    }
    as_at = max(row["as_at"] for row in rows)
    heading = f"{title} on {as_at.day} {as_at:%B %Y}"
    return _section(heading, f"{key}-{side}", _table([*AGES, "All"], body))


def _by_contact(
    rows: Iterable[Row], one: Organisation, marks: Marks, check: str
) -> list[tuple[str, list[Cell]]]:
    """Each contact's name and its amounts by age, the largest first."""
    periods = {figure.subject_id: figure.period for figure in one.figures if figure.check == check}
    contacts: dict[tuple[str, str], dict[str, list[Cell]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        period = periods.get(row["document_id"]) or row["as_at"]
        cell = marks.cell(Decimal(row["due"]), check, row["document_id"], period)
        contacts[row["contact_id"] or "", row["contact_name"] or "?"][row["age"]].append(cell)
    lines = [(name, [together(ages.get(age, ())) for age in AGES]) for (_, name), ages in contacts.items()]
    return sorted(lines, key=lambda line: -sum((cell.amount for cell in line[1]), ZERO))


# --- pieces of HTML


def _section(title: str, chart: str, table: str) -> str:
    canvas = f'<canvas id="{chart}" role="img" aria-label="{escape(title)}"></canvas>'
    return f'<section><h3>{escape(title)}</h3><div class="chart">{canvas}</div>{table}</section>'


def _table(heads: Sequence[str], body: Sequence[str]) -> str:
    cells = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    head = f"<thead><tr><td></td>{cells}</tr></thead>"
    return f'<div class="wide"><table>{head}<tbody>{"".join(body)}</tbody></table></div>'


def _heading(text: str, width: int) -> str:
    return f'<tr class="head"><th scope="rowgroup" colspan="{width + 1}">{escape(text)}</th></tr>'


def _line(name: str, cells: Sequence[Cell], kind: str = "") -> str:
    shown = "".join(_cell(cell) for cell in cells)
    return f'<tr class="{kind}"><th scope="row">{escape(name)}</th>{shown}</tr>'


def _cell(cell: Cell) -> str:
    if not cell.amount and cell.mark in {"", "agrees", "unknown"}:
        return "<td></td>"
    sign = MARKS[cell.mark][0] if cell.mark else ""
    mark = f' <span class="mark {cell.mark}" title="{escape(cell.title)}">{sign}</span>' if sign else ""
    return f'<td data-mark="{cell.mark}">{cell.amount:,.2f}{mark}</td>'
