"""What the command prints: a table that an accountant reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from singer_xero.api.redaction import redact_line
from xero_reconcile.figures import Check, Organisation, Run, account_months, runs

WIDEST = 44
"""The number of characters of a subject that are shown."""


def lines(every: Sequence[Organisation]) -> Iterator[str]:
    """The comparison as lines of text."""
    for organisation in every:
        yield from _organisation(organisation)
        yield ""
    yield summary(every)


def summary(every: Sequence[Organisation]) -> str:
    """The last line: how many figures agree, and why others do not."""
    figures = [figure for one in every for figure in one.figures]
    agreeing = sum(1 for figure in figures if figure.agrees)
    wrong = sum(len(check.wrong) for one in every for check in one.checks)
    explained = len(figures) - agreeing - wrong
    text = f"{agreeing:,} of {len(figures):,} figures agree with Xero"
    if explained:
        text += f"; {explained:,} differ by what only Xero knows"
    if wrong:
        text += f"; {wrong:,} differ and should not"
    return f"{text}."


def _organisation(one: Organisation) -> Iterator[str]:
    yield redact_line(f"{one.name}: the ledger made from {one.ledger_from}, beside Xero ({one.currency})")
    total, agreeing = account_months(one)
    if total:
        yield f"{agreeing:,} of {total:,} movements of an account in a month agree to the cent."
    yield ""
    heads = ("", "figures", "agree", "differ, explained", "differ, not explained")
    yield from _table(heads, [_counts(check) for check in one.checks])
    differing = runs(figure for check in one.checks for figure in check.figures if not figure.agrees)
    if differing:
        yield ""
        yield from _table(
            ("report", "what", "from", "to", "here less Xero", "because"),
            [_difference(run) for run in sorted(differing, key=lambda run: run.reason is not None)],
            left={0, 1, 2, 3, 5},
        )
    for text in one.not_checked:
        yield redact_line(f"  not checked: {text}")


def _counts(check: Check) -> list[str]:
    numbers = (len(check.figures), check.agreeing, len(check.explained), len(check.wrong))
    return [check.name, *(f"{number:,}" for number in numbers)]


def _difference(run: Run) -> list[str]:
    subject = run.subject if len(run.subject) <= WIDEST else f"{run.subject[: WIDEST - 1]}…"
    amount = (
        money(run.last.difference)
        if run.unit
        else f"{run.last.difference:+,} ({run.last.warehouse:,} of {run.last.xero:,})"
    )
    checks = run.checks[0] if len(run.checks) == 1 else f"{run.checks[0]} + {len(run.checks) - 1}"
    because = run.reason or (
        "NOT EXPLAINED" if run.unit else "NOT EXPLAINED: load again, or a record is lost"
    )
    return [checks, redact_line(subject), day(run.first.period), day(run.last.period), amount, because]


def money(amount: Decimal) -> str:
    """An amount with its sign, to the cent."""
    return f"{amount:+,.2f}"


def day(period: date | None) -> str:
    """A day in ISO 8601; empty if there is none."""
    return period.isoformat() if period else ""


def _table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], left: frozenset[int] | set[int] = frozenset({0})
) -> Iterator[str]:
    widths = [max(len(row[at]) for row in [heads, *rows]) for at in range(len(heads))]

    def laid_out(row: Sequence[str]) -> str:
        cells = [
            cell.ljust(width) if at in left else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return f"  {'  '.join(cells)}".rstrip()

    yield laid_out(heads)
    yield f"  {'─' * (sum(widths) + 2 * (len(widths) - 1))}"
    for row in rows:
        yield laid_out(row)
