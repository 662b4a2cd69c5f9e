"""Rows and cells of reports, and the table of accounts from which most reports are made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from ...values import ZERO, Record
from ..general_ledger import Entry
from .request import Request

Mark = tuple[str, str]
"""The id and the value of an attribute of a cell."""

Column = dict[str, Decimal]
"""Amounts by AccountID."""


def money(value: Decimal) -> str:
    """An amount with two decimals, never a negative zero."""
    return f"{value + ZERO:.2f}"


def texts(amounts: Iterable[Decimal]) -> list[str]:
    """Amounts with two decimals."""
    return [money(amount) for amount in amounts]


def cell(value: str, *marks: Mark) -> Record:
    """A cell with these attributes."""
    if not marks:
        return {"Value": value}
    return {"Value": value, "Attributes": [{"Value": text, "Id": name} for name, text in marks]}


def header(*values: str) -> Record:
    """The header row."""
    return row(map(cell, values), "Header")


def row(cells: Iterable[Record], kind: str = "Row") -> Record:
    """A row of cells."""
    return {"RowType": kind, "Cells": list(cells)}


def account_row(
    name: str, key: str, values: Sequence[str], marks: Sequence[Sequence[Mark]] | None = None
) -> Record:
    """A row with the name of an account and values, whose cells have the account and further attributes."""
    mark, more = ("account", key), marks or [()] * len(values)
    cells = [cell(value, mark, *others) for value, others in zip(values, more, strict=True)]
    return row([cell(name, mark), *cells])


def total(text: str, amounts: Iterable[Decimal], kind: str = "SummaryRow") -> Record:
    """A row with a text and amounts."""
    return row(map(cell, (text, *texts(amounts))), kind)


def section(title: str, rows: list[Record]) -> Record:
    """A section with rows."""
    return {"RowType": "Section", "Title": title, "Rows": rows}


def single(text: str, amounts: Iterable[Decimal], kind: str = "SummaryRow") -> Record:
    """A section without a title that has one row."""
    return section("", [total(text, amounts, kind)])


def plus(one: Sequence[Decimal], other: Sequence[Decimal]) -> list[Decimal]:
    """The sums of two rows of amounts."""
    return [a + b for a, b in zip(one, other, strict=True)]


def minus(one: Sequence[Decimal], other: Sequence[Decimal]) -> list[Decimal]:
    """The differences of two rows of amounts."""
    return [a - b for a, b in zip(one, other, strict=True)]


def sums(entries: Iterable[Entry], first: date | None, last: date) -> Column:
    """The movement of every account from `first` (or the beginning) to `last`."""
    found: Column = defaultdict(lambda: ZERO)
    for entry in entries:
        if entry.day <= last and (first is None or entry.day >= first):
            found[entry.account] += entry.net
    return found


class Table:
    """Columns of amounts by account; accounts are sorted by name."""

    def __init__(self, request: Request, columns: list[Column]) -> None:
        self.columns = columns
        self.accounts = sorted(request.accounts.values(), key=lambda account: str(account["Name"]).lower())

    def of(self, types: Sequence[str], sign: int) -> list[tuple[Record, list[Decimal]]]:
        """The accounts of these types with an amount in any column; `sign` -1 makes credits positive."""
        found = []
        for account in self.accounts:
            amounts = [sign * column.get(account["AccountID"], ZERO) + ZERO for column in self.columns]
            if account["Type"] in types and any(amounts):
                found.append((account, amounts))
        return found

    def total(self, types: Sequence[str], sign: int) -> list[Decimal]:
        """The sums of the accounts of these types by column."""
        found = [ZERO] * len(self.columns)
        for _, amounts in self.of(types, sign):
            found = plus(found, amounts)
        return found

    def section(self, title: str, types: Sequence[str], sign: int) -> list[Record]:
        """A section with a row for each account and the total; nothing if there is no such account."""
        rows = []
        for account, amounts in self.of(types, sign):
            rows.append(account_row(account["Name"], account["AccountID"], texts(amounts)))
        words = f"Total {title.removeprefix('Less ').removeprefix('Plus ')}"
        return [section(title, [*rows, total(words, self.total(types, sign))])] if rows else []
