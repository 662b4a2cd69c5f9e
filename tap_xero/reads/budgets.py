"""Budgets for more months than Xero returns in one answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from msgspec.structs import replace

from tap_xero.reads.periods import later
from tap_xero.records.reader import Page

_decode = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


def windows(first: date, last: date, months: int) -> Iterator[dict[str, str]]:
    """The parameters of the calls for a range, with `months` in each; `first` begins a month and `last` ends one."""
    while first <= last:
        after = later(first, months)
        end = min(after - timedelta(days=1), last)
        yield {"DateFrom": first.isoformat(), "DateTo": end.isoformat()}
        first = after


def joined(pages: Sequence[Page]) -> Page:
    """Join the answers for several windows into one budget, with a line for each account."""
    rows = [page.rows[0] for page in pages if page.rows]
    if len(rows) < 2:
        return Page(rows, size=sum(page.size for page in pages))
    budgets = [_decode(row.raw) for row in rows]
    lines: dict[Any, dict[str, Any]] = {}
    for budget in budgets:
        for line in budget.get("BudgetLines") or ():
            known = lines.setdefault(line.get("AccountID"), {**line, "BudgetBalances": []})
            known["BudgetBalances"] += line.get("BudgetBalances") or ()
    whole = {**budgets[-1], "BudgetLines": list(lines.values())}
    row = replace(rows[-1], source=msgspec.Raw(_encode(whole)), checked=False)
    return Page([row], size=sum(page.size for page in pages))
