"""Reports as records: the conversion alone, with layouts like Xero's and the examples of its API definition."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from singer_xero.objects import REPORTS
from tap_xero.reads.reports.column_titles import day_of, month_of, names_a_period, year_of
from tap_xero.reads.reports.rows import amount_of, columns, unfold, unfold_boxes

DEFINITION = Path(__file__).resolve().parents[3] / "shared" / "xero-openapi" / "xero_accounting.yaml"


def cell(value: str, **about: str) -> dict[str, Any]:
    found: dict[str, Any] = {"Value": value}
    if about:
        found["Attributes"] = [{"Id": name, "Value": one} for name, one in about.items()]
    return found


def row(*cells: Any, kind: str = "Row") -> dict[str, Any]:
    return {"RowType": kind, "Cells": [one if isinstance(one, dict) else cell(one) for one in cells]}


def section(title: str, *rows: dict[str, Any]) -> dict[str, Any]:
    return {"RowType": "Section", "Title": title, "Rows": list(rows)}


def table(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"ReportName": "A report", "Rows": list(rows)}


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("-1850.00", "-1850.00"),
        ("0.00", "0.00"),
        ("1,234,567.89", "1234567.89"),
        ("(12.50)", "-12.50"),
        ("-413.5%", "-413.5"),
        ("-62.034024896265560165975103734", "-62.034024896265560165975103734"),
        ("1", "1"),
        (" 7.3% ", "7.3"),
    ],
)
def test_an_amount_is_exactly_what_xero_wrote(text: str, amount: str) -> None:
    assert str(amount_of(text)) == amount


@pytest.mark.parametrize(
    "text", ["", "INV-0086", "181 days overdue", "2018-10-09T00:00:00", "-", "(1.00", "1.2.3", ","]
)
def test_words_and_dates_are_not_amounts(text: str) -> None:
    assert amount_of(text) is None


@pytest.mark.parametrize(
    ("title", "day"),
    [
        ("28 Feb 2019", "2019-02-28"),
        ("29 Feb 24", "2024-02-29"),
        ("Feb 28, 2019", "2019-02-28"),
        ("30 Sept 2023", "2023-09-30"),
        ("30 Sep. 2023", "2023-09-30"),
        ("30 September 2023", "2023-09-30"),
        ("30th September 2023", "2023-09-30"),
        ("30-Sep-23", "2023-09-30"),
        ("30/09/2023", "2023-09-30"),
        ("09/30/2023", "2023-09-30"),
        ("30.09.23", "2023-09-30"),
        ("05/06/2023", "2023-06-05"),
        ("2023-09-30", "2023-09-30"),
        ("2023-09-30T00:00:00", "2023-09-30"),
    ],
)
def test_titles_of_columns_name_days(title: str, day: str) -> None:
    assert str(day_of(title)) == day


@pytest.mark.parametrize(
    ("title", "month"),
    [
        ("Jan-20", "2020-01-01"),
        ("Nov 2019", "2019-11-01"),
        ("Sept 2023", "2023-09-01"),
        ("September 2023", "2023-09-01"),
        ("09/2023", "2023-09-01"),
        ("2023-09", "2023-09-01"),
    ],
)
def test_titles_of_columns_name_months(title: str, month: str) -> None:
    assert str(month_of(title)) == month


@pytest.mark.parametrize(
    ("title", "year"), [("2023", 2023), ("FY2023", 2023), ("FY 2023", 2023), ("2022/23", 2022)]
)
def test_titles_of_columns_name_years(title: str, year: int) -> None:
    assert year_of(title) == year
    assert day_of(title) is None


@pytest.mark.parametrize(
    "title", ["", "Total", "Variance", "Debit", "31 Nov 2023", "13/13/2023", "Mar", "Ju 2023", "1"]
)
def test_words_and_invalid_days_name_no_period(title: str) -> None:
    assert not names_a_period(title)


def test_each_amount_is_a_record_with_its_place() -> None:
    found = list(
        unfold(
            table(
                row("", "31 Mar 24", "29 Feb 24", kind="Header"),
                section(
                    "Income",
                    row(
                        cell("Sales", account="a1"), cell("10.00", account="a1"), cell("20.00", account="a1")
                    ),
                    row("Total Income", "10.00", "20.00", kind="SummaryRow"),
                ),
            )
        )
    )
    assert [(one["Label"], one["ColumnTitle"], one["Amount"], one["RowType"]) for one in found] == [
        ("Sales", "31 Mar 24", Decimal("10.00"), "Row"),
        ("Sales", "29 Feb 24", Decimal("20.00"), "Row"),
        ("Total Income", "31 Mar 24", Decimal("10.00"), "SummaryRow"),
        ("Total Income", "29 Feb 24", Decimal("20.00"), "SummaryRow"),
    ]
    assert [(one["RowNumber"], one["ColumnNumber"]) for one in found] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert [one.get("AccountID") for one in found] == ["a1", "a1", None, None]
    assert {one["Section"] for one in found} == {"Income"}
    assert found[0]["Attributes"] == [{"Id": "account", "Value": "a1"}]


def test_a_heading_belongs_to_the_path_up_to_its_total() -> None:
    found = unfold(
        table(
            row("", "30 Apr 2019", kind="Header"),
            section("Assets"),
            section("Bank", row("Cheque", "1.00")),
            section("", row("Total Assets", "1.00", kind="SummaryRow")),
            section("", row("Net Assets", "1.00")),
            section("Equity", row("Capital", "1.00")),
        )
    )
    assert [(one["Label"], one["SectionPath"]) for one in found] == [
        ("Cheque", "Assets > Bank"),
        ("Total Assets", "Assets"),
        ("Net Assets", ""),
        ("Capital", "Equity"),
    ]


def test_a_heading_around_other_headings_is_in_the_path_of_all_their_parts() -> None:
    found = unfold(
        table(
            row("", "31 Aug 2026", kind="Header"),
            section("Assets"),
            section("Bank", row("Cheque", "3.00")),
            section("", row("Total Assets", "3.00", kind="SummaryRow")),
            section("Liabilities and Equity"),
            section("Liabilities"),
            section("Current Liabilities", row("Tax", "1.00")),
            section("", row("Total Liabilities", "1.00", kind="SummaryRow")),
            section("Equity", row("Capital", "2.00")),
            section("", row("Total Liabilities and Equity", "3.00", kind="SummaryRow")),
            section("Notes", row("Remark", "0.00")),
        )
    )
    assert [(one["Label"], one["SectionPath"]) for one in found] == [
        ("Cheque", "Assets > Bank"),
        ("Total Assets", "Assets"),
        ("Tax", "Liabilities and Equity > Liabilities > Current Liabilities"),
        ("Total Liabilities", "Liabilities and Equity > Liabilities"),
        ("Capital", "Liabilities and Equity > Equity"),
        ("Total Liabilities and Equity", "Liabilities and Equity"),
        ("Remark", "Notes"),
    ]


def test_a_heading_without_a_total_ends_with_the_next_heading() -> None:
    found = unfold(
        table(
            row("", "Now", kind="Header"),
            section("Assets"),
            section("Empty part"),
            section("Bank", row("Cheque", "1.00")),
            section("Plant"),
            section("Tools", row("Saw", "1.00")),
            section("", row("Total Assets", "2.00", kind="SummaryRow")),
        )
    )
    assert [(one["Label"], one["SectionPath"]) for one in found] == [
        ("Cheque", "Assets > Empty part > Bank"),
        ("Saw", "Assets > Plant > Tools"),
        ("Total Assets", "Assets"),
    ]


def test_rows_that_lie_deeper_or_outside_of_sections_are_not_lost() -> None:
    found = unfold(
        table(
            row("", "Now", kind="Header"),
            row("Loose", "1.00"),
            section("Outer", section("Inner", row("Deep", "2.00")), row("Flat", "3.00")),
        )
    )
    assert [(one["Label"], one["SectionPath"]) for one in found] == [
        ("Loose", ""),
        ("Deep", "Outer > Inner"),
        ("Flat", "Outer"),
    ]


def test_a_cell_without_ids_has_those_of_its_row() -> None:
    (opening, received) = unfold(
        table(
            row("Bank Accounts", "Opening Balance", "Cash Received", kind="Header"),
            section("", row(cell("Cheque", accountID="a1"), "0.00", cell("110.00", account="a1"))),
        )
    )
    assert opening["AccountID"] == received["AccountID"] == "a1"


def test_columns_of_text_are_in_every_record_of_their_row() -> None:
    found = list(
        unfold(
            table(
                row("Date", "Number", "Due Date", "", "Total", "Due", kind="Header"),
                section("", row(*(cell(one, invoiceID="i1") for one in ("2018-05-13", "1242", "", "", "9.00", "")))),
            ),
            {"Number": "Reference", "Due Date": "DueDate", "": "Overdue", "Date": "Date"},
        )
    )  # fmt: skip
    (total,) = found  # an empty cell has no amount
    assert (total["Reference"], total["DueDate"], total["Overdue"]) == ("1242", None, None)
    assert (total["ColumnTitle"], total["Amount"], total["InvoiceID"]) == ("Total", Decimal("9.00"), "i1")


def test_only_the_blank_column_after_the_due_date_has_the_days_overdue() -> None:
    head = ("Date", "Reference", "Due Date", "", "Total", "", "Paid", "", "Credited", "", "Due", "")
    late = ("2026-08-01T00:00:00", "B1", "2026-08-15T00:00:00", "16 days overdue")
    found = list(
        unfold(
            table(
                row(*head, kind="Header"),
                section("", row(*late, "100.00", "", "0.00", "", "0.00", "", "100.00", "")),
            ),
            REPORTS["report_aged_payables_by_contact"].texts,
        )
    )
    assert {(one["Overdue"], one["Reference"]) for one in found} == {("16 days overdue", "B1")}
    assert [(one["ColumnTitle"], one["Amount"]) for one in found] == [
        ("Total", Decimal("100.00")),
        ("Paid", Decimal("0.00")),
        ("Credited", Decimal("0.00")),
        ("Due", Decimal("100.00")),
    ]


def test_text_in_a_blank_column_elsewhere_is_not_lost() -> None:
    found = unfold(
        table(row("", "Due", "", kind="Header"), section("", row("A", "1.00", "note"))), {"": "Overdue"}
    )
    assert [(one["ColumnTitle"], one["Text"]) for one in found] == [("Due", "1.00"), ("", "note")]


def test_empty_cells_rows_and_attributes_affect_only_themselves() -> None:
    broken = {
        "RowType": "Row",
        "Cells": [{"Value": "A", "Attributes": None}, None, {"Value": "2.00", "Attributes": [None]}],
    }
    found = unfold(
        table(row("", "x", "y", kind="Header"), {"RowType": "Section", "Title": None, "Rows": [None, broken]})
    )
    assert [(one["Label"], one["ColumnTitle"], one["Amount"]) for one in found] == [
        ("A", "y", Decimal("2.00"))
    ]


def test_text_in_place_of_an_amount_makes_a_record_without_one() -> None:
    (one,) = unfold(table(row("", "30 Apr 2019", kind="Header"), section("", row("Note", "n/a"))))
    assert (one["Amount"], one["Text"]) == (None, "n/a")


def test_a_report_without_rows_has_no_records() -> None:
    assert list(unfold(table(row("", "30 Apr 2019", kind="Header")))) == []
    assert list(unfold({})) == []


def test_each_box_of_a_1099_is_a_record_in_the_order_of_the_form() -> None:
    found = list(
        unfold_boxes(
            {
                "ReportName": "1099-MISC report",
                "Contacts": [
                    {"Box10": Decimal("2.00"), "Box2": Decimal("1.50")}
                    | {"Name": "Hoyt", "ContactId": "c1", "City": "Oaktown"}
                ],
            },
            "Contacts",
        )
    )  # fmt: skip
    assert [(one["ColumnTitle"], one["Amount"], one["Text"]) for one in found] == [
        ("Box2", Decimal("1.50"), "1.50"),
        ("Box10", Decimal("2.00"), "2.00"),
    ]
    assert {(one["Label"], one["ContactID"], one["City"]) for one in found} == {("Hoyt", "c1", "Oaktown")}


# -- the examples of the official definition


@pytest.fixture(scope="module")
def examples() -> dict[str, list[dict[str, Any]]]:
    if not DEFINITION.exists():
        pytest.skip("Xero's API definition does not lie beside this checkout")
    paths = yaml.safe_load(DEFINITION.read_text(encoding="utf-8"))["paths"]
    found = {}
    for report in REPORTS.values():
        answer = paths[f"/{report.path}"]["get"]["responses"]["200"]["content"]["application/json"]
        if "example" in answer:
            found[report.name] = answer["example"][report.envelope]
    return found


def text_of(value: Any) -> str:
    """The value as in JSON; YAML reads unquoted days as dates."""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else text_of(value)


def test_no_cell_of_the_examples_is_lost(examples: dict[str, list[dict[str, Any]]]) -> None:
    assert len(examples) >= 7
    for name, tables in examples.items():
        if name == "report_ten_ninety_nine":
            continue
        texts = REPORTS[name].texts
        for one in plain(tables):
            titles = columns(one)
            shown = [
                (titles[n], each["Value"])
                for part in one["Rows"] if part["RowType"] == "Section"
                for line in part["Rows"]
                for n, each in enumerate(line["Cells"])
                if n and each["Value"] and titles[n] not in texts
            ]  # fmt: skip
            found = list(unfold(one, texts))
            assert [(each["ColumnTitle"], each["Text"]) for each in found] == shown, name
            assert all(each["Amount"] is not None for each in found), name


def test_the_balance_sheet_of_the_examples_adds_up(examples: dict[str, list[dict[str, Any]]]) -> None:
    (sheet,) = plain(examples["report_balance_sheet"])
    found = list(unfold(sheet))
    for title in columns(sheet)[1:]:
        column = [one for one in found if one["ColumnTitle"] == title]
        for total in ("Total Assets", "Total Liabilities"):
            (shown,) = [one["Amount"] for one in column if one["Label"] == total]
            heading = total.removeprefix("Total ")
            own = [one for one in column if one["SectionPath"].startswith(f"{heading} > ")]
            assert sum(one["Amount"] for one in own if one["RowType"] == "Row") == shown
            assert own


def test_every_box_of_the_examples_is_a_record(examples: dict[str, list[dict[str, Any]]]) -> None:
    tables = examples["report_ten_ninety_nine"]
    boxes = sum(name.startswith("Box") for one in tables for contact in one["Contacts"] for name in contact)
    found = [record for one in tables for record in unfold_boxes(one, "Contacts")]
    assert len(found) == boxes == 39
    assert {one["ReportName"] for one in found} == {"1099-NEC report", "1099-MISC report"}
    known = {"ContactID", *REPORTS["report_ten_ninety_nine"].fields}
    assert all(one.keys() <= known for one in found)
