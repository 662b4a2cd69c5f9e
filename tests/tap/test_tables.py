"""Reports as records: the unfolding alone, on layouts like Xero's and on the examples of its API definition."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from singer_xero.objects import REPORTS
from tap_xero.tables import amount_of, columns, day_of, month_of, unfold, unfold_boxes

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
def test_words_and_dates_are_no_amounts(text: str) -> None:
    assert amount_of(text) is None


def test_titles_of_columns_name_days_and_months() -> None:
    assert str(day_of("28 Feb 2019")) == "2019-02-28"
    assert str(day_of("29 Feb 24")) == "2024-02-29"
    assert str(day_of("Feb 28, 2019")) == "2019-02-28"
    assert str(month_of("Jan-20")) == "2020-01-01"
    assert str(month_of("Nov 2019")) == "2019-11-01"
    assert day_of("Total") is None
    assert month_of("Variance") is None


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


def test_a_cell_without_ids_is_about_what_its_row_is_about() -> None:
    (opening, received) = unfold(
        table(
            row("Bank Accounts", "Opening Balance", "Cash Received", kind="Header"),
            section("", row(cell("Cheque", accountID="a1"), "0.00", cell("110.00", account="a1"))),
        )
    )
    assert opening["AccountID"] == received["AccountID"] == "a1"


def test_columns_of_words_go_into_every_record_of_their_row() -> None:
    found = list(
        unfold(
            table(
                row("Date", "Number", "Due Date", "", "Total", "Due", kind="Header"),
                section("", row(*(cell(one, invoiceID="i1") for one in ("2018-05-13", "1242", "", "", "9.00", "")))),
            ),
            {"Number": "Reference", "Due Date": "DueDate", "": "Overdue", "Date": "Date"},
        )
    )  # fmt: skip
    (total,) = found  # an empty cell is no amount
    assert (total["Reference"], total["DueDate"], total["Overdue"]) == ("1242", None, None)
    assert (total["ColumnTitle"], total["Amount"], total["InvoiceID"]) == ("Total", Decimal("9.00"), "i1")


def test_words_where_an_amount_is_expected_make_a_record_without_one() -> None:
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
            }
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
    """As JSON has it: YAML reads unquoted days as dates."""
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
    found = [record for one in tables for record in unfold_boxes(one)]
    assert len(found) == boxes == 39
    assert {one["ReportName"] for one in found} == {"1099-NEC report", "1099-MISC report"}
    known = {"ContactID", *REPORTS["report_ten_ninety_nine"].amounts.fields}
    assert all(one.keys() <= known for one in found)
