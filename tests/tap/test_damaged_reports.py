"""A damaged value of a report costs no more than itself, and what isn't built like a report is named in one line."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from xero_sandbox import Desk

from .company import HARBOUR_NAME
from .runs import read
from .test_damaged_values import closed
from .test_schemas import CHECKER, floats

STREAM = "report_trial_balance"
ONE_MONTH = {"report_start_date": "2026-10-01", "report_end_date": "2026-10-31"}


def report(desk: Desk, cell: Any, rows: Any = None) -> None:
    """Let the trial balance have one row, of a label, this cell and another amount."""
    header = {"RowType": "Header", "Cells": [{"Value": title} for title in ("Account", "Debit", "Credit")]}
    row = {"RowType": "Row", "Cells": [{"Value": "Sales"}, cell, {"Value": "7.50"}]}
    section = {"RowType": "Section", "Title": "Revenue", "Rows": [row] if rows is None else rows}
    table = {"ReportID": "TrialBalance", "ReportName": "Trial Balance", "Rows": [header, section]}
    desk.fault("status", path="Reports/TrialBalance", status=200, body=json.dumps({"Reports": [table]}))


@pytest.mark.parametrize(
    "cell",
    [None, "12.50", 5, {}, {"Value": None}, {"Value": 12.5}, {"Value": True}, {"Value": {"a": 1}}, {"Value": "9" * 400},
     {"Value": "1.00", "Attributes": None}, {"Value": "1.00", "Attributes": "x"},
     {"Value": "1.00", "Attributes": [None]},
     {"Value": "1.00", "Attributes": [{"Id": 5, "Value": {"a": 1}}]}],
    ids=str,
)  # fmt: skip
def test_a_damaged_cell_costs_no_other(config: dict[str, Any], desk: Desk, cell: Any) -> None:
    report(desk, cell)
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
def test_what_is_not_built_like_a_report_is_named(config: dict[str, Any], desk: Desk, rows: Any) -> None:
    report(desk, {}, rows)
    run = read(config | ONE_MONTH, STREAM, "items")
    assert "the report is not built as one" in run.failed[STREAM, HARBOUR_NAME]
    assert len(run.records["items"]) == 3


@pytest.mark.parametrize("body", ['{"Reports": null}', '{"Reports": {}}', "{}"])
def test_an_answer_without_reports_is_named(config: dict[str, Any], desk: Desk, body: str) -> None:
    desk.fault("status", path="Reports/TrialBalance", status=200, body=body)
    run = read(config | ONE_MONTH, STREAM, "items")
    assert "the answer has no list 'Reports'" in run.failed[STREAM, HARBOUR_NAME]
    assert len(run.records["items"]) == 3


def test_quarters_of_an_organisation_that_does_not_say_when_its_year_ends(
    config: dict[str, Any], desk: Desk
) -> None:
    desk.fault("status", path="Organisation", status=200, count=0, body=json.dumps(
        {"Organisations": [{"OrganisationID": "11111111-0000-4000-8000-000000000001", "Name": HARBOUR_NAME}]}
    ))  # fmt: skip
    run = read(config | ONE_MONTH | {"report_timeframe": "QUARTER"}, STREAM, "items")
    said = run.failed[STREAM, HARBOUR_NAME]
    assert "Xero doesn't say when the organisation's financial year ends" in said
    assert "set report_timeframe to MONTH" in said
    assert len(run.records["items"]) == 3
