"""Unfolds the table of a report into one record for each amount.

A report is nested rows of cells, all of them text: a `Header` with the titles of the columns, `Section`s with a title
and rows, a `Row` for each account or document, and a `SummaryRow` for each sum. `Attributes` of a cell name what it is
about, such as an account.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

Record = dict[str, Any]

SEPARATOR = " > "
"""The separator in a section's path."""

_IDS = {"account": "AccountID", "accountid": "AccountID", "contactid": "ContactID", "invoiceid": "InvoiceID"}
"""Xero's names of attributes (the bank summary has `account` and `accountID` in one row)."""

_AMOUNT = re.compile(r"(\()?\s*(-?)\s*((?:\d[\d,]*)?(?:\.\d+)?)\s*(\))?\s*%?")
_BOX = re.compile(r"Box\d+")

_encode = msgspec.json.Encoder(decimal_format="number").encode


class NoTable(ValueError):
    """An answer without the form of a report. The text says where, without data."""


def amount_of(text: str) -> Decimal | None:
    """The exact number in a cell: `-1850.00`, `1,234.5`, `(12.00)` is negative, `7.3%` is 7.3; None for other text."""
    found = _AMOUNT.fullmatch(text.strip())
    if found is None or not found[3] or bool(found[1]) != bool(found[4]):
        return None
    number = Decimal(found[3].replace(",", ""))
    return number.copy_negate() if found[2] or found[1] else number  # a minus sign would round to 28 digits


def columns(table: Mapping[str, Any]) -> list[str]:
    """The titles of a table's columns, including that of the labels."""
    for row in _rows(table):
        if row.get("RowType") == "Header":
            return _texts(row)
    return []


def unfold(table: Mapping[str, Any], texts: Mapping[str, str] | None = None) -> Iterator[Record]:
    """Return a record for each amount of a table, in Xero's order.

    `texts` are the columns with words instead of amounts, `{title: field}`: their words go into that field of all
    records of the row. The title "" stands for an untitled column to the right of such a column. A cell of another
    column with text that is not a number makes a record without an Amount.

    Records have ReportName; SectionPath and Section, the titles of the sections around the row; RowNumber, from 1;
    RowType (Row or SummaryRow); Label, the row's first cell; ColumnNumber, 1 for the first after the label, and
    ColumnTitle; AccountID, ContactID, InvoiceID of the cell or of the row's label, and all Attributes; Amount, a
    Decimal or None; and Text, as Xero wrote it.

    A section with a title but without rows, such as Assets in the balance sheet, is a heading. It is in the path of the
    following rows up to its total, or up to the next heading if there is no total.
    """
    head: list[str] = []
    rows = 0
    for row, path in _walk(_rows(table), ()):
        if row.get("RowType") == "Header":
            head = _texts(row)
            continue
        rows += 1
        yield from _amounts(_cells(row), head, texts or {}, {
            "ReportName": table.get("ReportName"),
            "SectionPath": SEPARATOR.join(title for title in path if title),
            "Section": path[-1] if path else "",
            "RowNumber": rows,
            "RowType": row.get("RowType"),
        })  # fmt: skip


class _Headings:
    """The headings before rows: sections without rows, up to their totals."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._totals = {label.casefold(): place for place, row in enumerate(rows) for label in _labels(row)}
        self._open: list[tuple[str, int]] = []  # with the place of its total, or -1

    def begin(self, title: str, place: int) -> None:
        """Begin a heading at this position, and end those whose total came before."""
        end = self._totals.get(f"total {title}".casefold(), -1)
        self._open = [*(one for one in self._open if one[1] >= place), (title, end if end > place else -1)]

    def around(self, place: int) -> list[str]:
        """The headings of the row at this position. The total of a heading ends the headings within it."""
        ending = [number for number, (_, end) in enumerate(self._open, 1) if end == place]
        titles = [heading for heading, _ in self._open[: ending[-1] if ending else None]]
        if ending:
            self._open = [one for one in self._open if one[1] > place]
        return titles


def _walk(
    rows: Sequence[Mapping[str, Any]], path: tuple[str, ...]
) -> Iterator[tuple[Mapping[str, Any], tuple[str, ...]]]:
    """Return each row with cells, and the titles around it."""
    headings = _Headings(rows)
    for place, row in enumerate(rows):
        title, inner = str(row.get("Title") or ""), _rows(row)
        if row.get("RowType") == "Section" and title and not inner and not row.get("Cells"):
            headings.begin(title, place)
            continue
        around = (*path, *headings.around(place))
        if row.get("Cells"):
            yield row, around
        yield from _walk(inner, (*around, title))


def _rows(of: Any, name: str = "Rows") -> list[Mapping[str, Any]]:
    """The rows of a report or of a section, except null."""
    if not isinstance(of, Mapping):
        raise NoTable(f"what should have {name} is not an object")
    rows = of.get(name) or []
    if not isinstance(rows, list):
        raise NoTable(f"its {name} are not a list")
    if not all(isinstance(row, Mapping) for row in rows if row is not None):
        raise NoTable(f"one of its {name} is not an object")
    return [row for row in rows if row is not None]


def _cells(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The cells of a row. Null becomes an empty cell, so that the others stay in their columns."""
    cells = row.get("Cells") or []
    if not isinstance(cells, list):
        raise NoTable("the Cells of a row are not a list")
    return [cell if isinstance(cell, Mapping) else {"Value": cell} for cell in cells]


def _texts(row: Mapping[str, Any]) -> list[str]:
    return [_text(cell) for cell in _cells(row)]


def _text(cell: Mapping[str, Any]) -> str:
    """The text of a cell, or the JSON of another value."""
    value = cell.get("Value")
    if value is None:
        return ""
    return value if isinstance(value, str) else _encode(value).decode()


def _labels(row: Mapping[str, Any]) -> list[str]:
    """The labels of a row and of those within it."""
    own = _texts(row)[:1]
    return own + [label for inner in _rows(row) for label in _labels(inner)]


def _amounts(
    cells: Sequence[Mapping[str, Any]],
    head: Sequence[str],
    texts: Mapping[str, str],
    around: Record,
) -> Iterator[Record]:
    titles = [head[number] if number < len(head) else "" for number in range(len(cells))]
    fields = _word_fields(titles, texts)
    words = {
        field: _text(cells[number]) or None
        for number, field in fields.items()
        if around["RowType"] == "Row"  # a sum has its own name there
    }
    label = _text(cells[0]) if cells else ""
    own = _ids(cells[0]) if cells else {}
    for number, (title, cell) in enumerate(zip(titles, cells, strict=True)):
        text = _text(cell)
        if number == 0 or number in fields or not text:
            continue
        yield {
            **around,
            "Label": label,
            **words,
            **own,
            **_ids(cell),
            "ColumnNumber": number,
            "ColumnTitle": title,
            "Amount": amount_of(text),
            "Text": text,
            "Attributes": cell.get("Attributes") or cells[0].get("Attributes") or [],
        }


def _word_fields(titles: Sequence[str], texts: Mapping[str, str]) -> dict[int, str]:
    """The columns with words, by position, and their fields."""
    found: dict[int, str] = {}
    for number, title in enumerate(titles):
        if title in texts and (title or number - 1 in found):
            found[number] = texts[title]
    return found


def _ids(cell: Mapping[str, Any]) -> Record:
    found = {}
    attributes = cell.get("Attributes")
    for attribute in attributes if isinstance(attributes, list) else ():
        if not isinstance(attribute, Mapping):
            continue
        name = _IDS.get(str(attribute.get("Id") or "").lower())
        if name and attribute.get("Value"):
            found[name] = attribute["Value"]
    return found


def unfold_boxes(table: Mapping[str, Any], lines: str) -> Iterator[Record]:
    """Return a record for each box of each contact of a 1099 report, with what the report says of the contact.

    `lines` is the field of the table with the contacts. Amounts are numbers, decoded as Decimal.
    """
    for number, contact in enumerate(_rows(table, lines), 1):
        about = {name: value for name, value in contact.items() if not _BOX.fullmatch(name)}
        label, contact_id = about.pop("Name", None), about.pop("ContactId", None)
        boxes = sorted((name for name in contact if _BOX.fullmatch(name)), key=lambda name: int(name[3:]))
        for place, name in enumerate(boxes, 1):
            value = contact[name]
            yield {
                "ReportName": table.get("ReportName"),
                "SectionPath": "",
                "Section": "",
                "RowNumber": number,
                "RowType": "Row",
                "Label": label,
                "ContactID": contact_id,
                **about,
                "ColumnNumber": place,
                "ColumnTitle": name,
                "Amount": value,
                "Text": _text({"Value": value}) or None,
                "Attributes": [],
            }
