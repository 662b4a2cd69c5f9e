"""A damaged value of a report affects nothing else, and an answer that is not a report is named in one line."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import jsonschema
import pytest

from singer_xero.api.client import XeroClient
from singer_xero.objects import REPORTS
from xero_sandbox import AdminClient

from .company import HARBOUR_NAME, invoice
from .runs import Run, read
from .test_damaged_values import closed
from .test_schemas import CHECKER, floats

STREAM = "report_trial_balance"
ONE_MONTH = {"report_start_date": "2026-10-01", "report_end_date": "2026-10-31"}


def report(admin: AdminClient, cell: Any, rows: Any = None) -> None:
    """Let the trial balance have one row with a label, this cell and another amount."""
    header = {"RowType": "Header", "Cells": [{"Value": title} for title in ("Account", "Debit", "Credit")]}
    row = {"RowType": "Row", "Cells": [{"Value": "Sales"}, cell, {"Value": "7.50"}]}
    section = {"RowType": "Section", "Title": "Revenue", "Rows": [row] if rows is None else rows}
    table = {"ReportID": "TrialBalance", "ReportName": "Trial Balance", "Rows": [header, section]}
    admin.fault("status", path="Reports/TrialBalance", status=200, body=json.dumps({"Reports": [table]}))


@pytest.mark.parametrize(
    "cell",
    [None, "12.50", 5, {}, {"Value": None}, {"Value": 12.5}, {"Value": True}, {"Value": {"a": 1}}, {"Value": "9" * 400},
     {"Value": "1.00", "Attributes": None}, {"Value": "1.00", "Attributes": "x"},
     {"Value": "1.00", "Attributes": [None]},
     {"Value": "1.00", "Attributes": [{"Id": 5, "Value": {"a": 1}}]}],
    ids=str,
)  # fmt: skip
def test_a_damaged_cell_affects_no_other_cell(config: dict[str, Any], admin: AdminClient, cell: Any) -> None:
    report(admin, cell)
    run = read(config | ONE_MONTH, STREAM)
    assert run.failed == {}
    validator = jsonschema.Draft7Validator(
        closed(run.of("SCHEMA", STREAM)[0]["schema"]), format_checker=CHECKER
    )
    for record in run.records[STREAM]:
        assert [error.message for error in validator.iter_errors(floats(record))] == []
    last = run.records[STREAM][-1]
    assert (str(last["Amount"]), last["ColumnTitle"], last["Section"]) == ("7.50", "Credit", "Revenue")


@pytest.mark.parametrize("rows", ["x", [5], [["x"]], [{"RowType": "Row", "Cells": "x"}]], ids=str)
def test_an_answer_that_is_not_a_report_is_named(
    config: dict[str, Any], admin: AdminClient, rows: Any
) -> None:
    report(admin, {}, rows)
    run = read(config | ONE_MONTH, STREAM, "items")
    assert "the report does not have the form of one" in run.failed[STREAM, HARBOUR_NAME]
    assert len(run.records["items"]) == 3


@pytest.mark.parametrize("body", ['{"Reports": null}', '{"Reports": {}}', "{}"])
def test_an_answer_without_reports_is_named(config: dict[str, Any], admin: AdminClient, body: str) -> None:
    admin.fault("status", path="Reports/TrialBalance", status=200, body=body)
    run = read(config | ONE_MONTH, STREAM, "items")
    assert "the answer has no list 'Reports'" in run.failed[STREAM, HARBOUR_NAME]
    assert len(run.records["items"]) == 3


def test_quarters_need_the_end_of_the_financial_year(config: dict[str, Any], admin: AdminClient) -> None:
    admin.fault("status", path="Organisation", status=200, count=0, body=json.dumps(
        {"Organisations": [{"OrganisationID": "11111111-0000-4000-8000-000000000001", "Name": HARBOUR_NAME}]}
    ))  # fmt: skip
    run = read(config | ONE_MONTH | {"report_timeframe": "QUARTER"}, STREAM, "items")
    said = run.failed[STREAM, HARBOUR_NAME]
    assert "Xero doesn't say when the organisation's financial year ends" in said
    assert "set report_timeframe to MONTH" in said
    assert len(run.records["items"]) == 3


# Every report with every value damaged

DAMAGED_REPORTS = sorted(set(REPORTS) - {"report_ten_ninety_nine"})
DAMAGES_OF_A_REPORT = 24
DAMAGES = (None, True, 0, 12.5, "text", "", "12.50", "(7.00)", "2026-13-45", "/Date(9999999999999999)/", [], {}, [None],
           {"a": 1}, "x" * 5000, "9" * 400, "a\u0000b", "Tōtara \u202e")  # fmt: skip


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every value in a report's rows."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for part, below in inner:
        yield (*path, part)
        yield from places(below, (*path, part))


def damaged(table: dict[str, Any], path: tuple[str | int, ...], damage: Any) -> dict[str, Any]:
    """A report with one value replaced."""
    copy = deepcopy(table)
    holder: Any = copy
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = damage
    return copy


def cells_of(table: dict[str, Any], path: tuple[str | int, ...]) -> int | None:
    """The number of cells of the damaged row; None if something else is damaged."""
    if "Cells" not in path[:-1]:
        return None
    row: Any = table
    for part in path[: path.index("Cells")]:
        row = row[part]
    return None if row["RowType"] == "Header" else len(row["Cells"])


@pytest.fixture(scope="module")
def sheets(client: XeroClient) -> dict[str, dict[str, Any]]:
    """Each report of the demo company."""
    of = {kind: client.get(None, "Invoices", {"where": f'Type=="{kind}" AND Status=="AUTHORISED"'}).json()
          for kind in ("ACCREC", "ACCPAY")}  # fmt: skip
    owed, owing = (of[kind]["Invoices"][0]["Contact"]["ContactID"] for kind in of)
    asked = {
        "report_aged_receivables_by_contact": {"contactId": owed, "date": "2026-10-31"},
        "report_aged_payables_by_contact": {"contactId": owing, "date": "2026-10-31"},
        "report_balance_sheet": {"date": "2026-10-31", "periods": "11", "timeframe": "MONTH"},
        "report_profit_and_loss": {"fromDate": "2026-10-01", "toDate": "2026-10-31"},
        "report_bank_summary": {"fromDate": "2026-10-01", "toDate": "2026-10-31"},
    }
    return {name: client.get(None, REPORTS[name].path, asked.get(name, {"date": "2026-10-31"})).json()["Reports"][0]
            for name in DAMAGED_REPORTS}  # fmt: skip


@pytest.mark.parametrize("stream", DAMAGED_REPORTS)
def test_a_damaged_value_anywhere_in_a_report_affects_at_most_its_row(
    config: dict[str, Any], admin: AdminClient, sheets: dict[str, dict[str, Any]], stream: str
) -> None:
    table = sheets[stream]
    admin.put("Invoices", invoice(9, 90, Type="ACCPAY"))  # a supplier with aged payables

    def run_over(report: dict[str, Any]) -> Run:
        admin.clear_faults()
        body = json.dumps({"Reports": [report]})
        admin.fault("status", path=REPORTS[stream].path, status=200, body=body, count=0)
        return read(config | ONE_MONTH, stream, "items")

    whole = run_over(table)
    amounts = Counter(str(record["Amount"]) for record in whole.records[stream])
    assert (whole.failed, amounts.total() > 5) == ({}, True)
    calls = len(admin.calls(REPORTS[stream].path))
    validator = jsonschema.Draft7Validator(
        closed(whole.of("SCHEMA", stream)[0]["schema"]), format_checker=CHECKER
    )
    chance = random.Random(stream)
    every = [("Rows", *path) for path in places(table["Rows"])]
    in_rows = [path for path in every if "Cells" in path]
    chosen = [chance.choice(every if number % 4 == 0 else in_rows) for number in range(DAMAGES_OF_A_REPORT)]
    for number, path in enumerate(chosen):
        damage = DAMAGES[number % len(DAMAGES)]
        run = run_over(damaged(table, path, damage))
        what = (path, damage)
        assert len(run.records["items"]) == 3, what
        assert run.failed.keys() <= {(stream, HARBOUR_NAME)}, what
        assert "\n" not in "".join(run.failed.values()), what
        for record in run.records[stream]:
            assert [error.message for error in validator.iter_errors(floats(record))] == [], what
        cells = cells_of(table, path)
        if cells is not None and not run.failed:
            lost = amounts - Counter(str(record["Amount"]) for record in run.records[stream])
            assert lost.total() <= cells * calls, what
