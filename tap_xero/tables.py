"""A report is a table, not a list: unfolded here, one record for each amount.

Xero answers a report as nested rows of cells, all of them text: a `Header` with the titles of the columns, `Section`s
with a title and rows, a `Row` for each account or document, a `SummaryRow` for each sum. Cells say in `Attributes`
what they are about, such as an account. Everything here is a pure function of such an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

Record = dict[str, Any]

SEPARATOR = " > "
"""Between the titles of a section's path."""

_IDS = {"account": "AccountID", "accountid": "AccountID", "contactid": "ContactID", "invoiceid": "InvoiceID"}
"""What Xero calls the attributes of cells (the bank summary has `account` and `accountID` in one row)."""

_AMOUNT = re.compile(r"(\()?\s*(-?)\s*((?:\d[\d,]*)?(?:\.\d+)?)\s*(\))?\s*%?")
_BOX = re.compile(r"Box\d+")
_DAYS = ("%d %b %Y", "%d %b %y", "%b %d, %Y", "%d %B %Y", "%Y-%m-%d")
_MONTHS = ("%b-%y", "%b %Y", "%b %y", "%B %Y", "%b-%Y")


def amount_of(text: str) -> Decimal | None:
    """The number that a cell shows, exactly: `-1850.00`, `1,234.5`, `(12.00)` is negative, `7.3%` is 7.3.

    None for text that is no number, and for an empty cell.
    """
    found = _AMOUNT.fullmatch(text.strip())
    if found is None or not found[3] or bool(found[1]) != bool(found[4]):
        return None
    number = Decimal(found[3].replace(",", ""))
    return number.copy_negate() if found[2] or found[1] else number  # a minus sign would round to 28 digits


def day_of(title: str) -> date | None:
    """The day that the title of a column names, such as `30 Apr 2019` or `31 Mar 24`; None if it names none."""
    return _read(title, _DAYS)


def month_of(title: str) -> date | None:
    """The first day of the month that the title of a column names, such as `Jan-20`; None if it names none."""
    return _read(title, _MONTHS)


def _read(title: str, spellings: Sequence[str]) -> date | None:
    for spelling in spellings:
        try:
            return datetime.strptime(title.strip(), spelling).date()
        except ValueError:
            continue
    return None


def columns(table: Mapping[str, Any]) -> list[str]:
    """The titles of a table's columns, the one over the labels included."""
    for row in table.get("Rows") or ():
        if row.get("RowType") == "Header":
            return [str(cell.get("Value") or "") for cell in row.get("Cells") or ()]
    return []


def unfold(table: Mapping[str, Any], texts: Mapping[str, str] | None = None) -> Iterator[Record]:
    """Give a record for each amount of a table of rows, in Xero's order.

    `texts` names columns that hold words instead of amounts, `{title: field}`: their words go into that field of all
    records of the row. A cell of another column that isn't empty and is no number makes a record without an Amount:
    nothing that Xero shows is lost.

    Records hold: ReportName; SectionPath and Section, the titles of the sections around the row; RowNumber, counted
    from 1; RowType (Row or SummaryRow); Label, the row's first cell; ColumnNumber, 1 for the first behind the label,
    and ColumnTitle; AccountID, ContactID, InvoiceID, of the cell or else of the row's label, and all Attributes
    as Xero has them; Amount, a Decimal or None, and Text as Xero wrote it.

    A section with a title and no rows, such as Assets in the balance sheet, is a heading: it belongs to the path of
    what follows, up to the row of its total or the next heading.
    """
    head: list[str] = []
    rows = 0
    for row, path in _walk(table.get("Rows") or (), ()):
        cells = row.get("Cells") or []
        if row.get("RowType") == "Header":
            head = [str(cell.get("Value") or "") for cell in cells]
            continue
        rows += 1
        yield from _amounts(cells, head, texts or {}, {
            "ReportName": table.get("ReportName"),
            "SectionPath": SEPARATOR.join(title for title in path if title),
            "Section": path[-1] if path else "",
            "RowNumber": rows,
            "RowType": row.get("RowType"),
        })  # fmt: skip


def _walk(
    rows: Sequence[Mapping[str, Any]], path: tuple[str, ...]
) -> Iterator[tuple[Mapping[str, Any], tuple[str, ...]]]:
    heading = ""
    for row in rows:
        title, inner = str(row.get("Title") or ""), row.get("Rows") or ()
        if row.get("RowType") == "Section" and title and not inner and not row.get("Cells"):
            heading = title
            continue
        if row.get("Cells"):
            yield row, path
        around = (*path, heading) if heading else path
        for found in _walk(inner, (*around, title)):
            yield found
            if _label(found[0].get("Cells") or ()) == f"Total {heading}":
                heading = ""


def _label(cells: Sequence[Mapping[str, Any]]) -> str:
    return str(cells[0].get("Value") or "") if cells else ""


def _amounts(
    cells: Sequence[Mapping[str, Any]],
    head: Sequence[str],
    texts: Mapping[str, str],
    around: Record,
) -> Iterator[Record]:
    titles = [head[number] if number < len(head) else "" for number in range(len(cells))]
    words = {
        texts[title]: cell.get("Value") or None
        for title, cell in zip(titles, cells, strict=True)
        if title in texts and around["RowType"] == "Row"  # a sum has its own name there
    }
    own = _ids(cells[0]) if cells else {}
    for number, (title, cell) in enumerate(zip(titles, cells, strict=True)):
        text = str(cell.get("Value") or "")
        if number == 0 or title in texts or not text:
            continue
        yield {
            **around,
            "Label": _label(cells),
            **words,
            **own,
            **_ids(cell),
            "ColumnNumber": number,
            "ColumnTitle": title,
            "Amount": amount_of(text),
            "Text": text,
            "Attributes": cell.get("Attributes") or cells[0].get("Attributes") or [],
        }


def _ids(cell: Mapping[str, Any]) -> Record:
    found = {}
    for attribute in cell.get("Attributes") or ():
        name = _IDS.get(str(attribute.get("Id") or "").lower())
        if name and attribute.get("Value"):
            found[name] = attribute["Value"]
    return found


def unfold_boxes(table: Mapping[str, Any]) -> Iterator[Record]:
    """Give a record for each box of each contact of a 1099 report, with what the report says of the contact.

    Its amounts are numbers, not text: decoded as Decimal they keep the digits that Xero wrote.
    """
    for number, contact in enumerate(table.get("Contacts") or (), 1):
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
                "Amount": None if value is None else Decimal(str(value)),
                "Text": None if value is None else str(value),
                "Attributes": [],
            }
