"""The examples of Xero's API definition pass through every stream, and every record fits its schema."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from singer_xero.objects import OBJECTS, REPORTS, SUBRESOURCES, Paging, Subresource, XeroObject
from xero_sandbox import AdminClient

from .company import HARBOUR, HARBOUR_NAME, invoice
from .runs import Run, read
from .test_damaged_values import closed
from .test_schemas import CHECKER, floats

DEFINITION = Path(__file__).resolve().parents[3] / "shared" / "xero-openapi" / "xero_accounting.yaml"

#: Log lines that are allowed: misspelled fields, unordered lists, and reports of another period.
TOLD = ("TaxNumbeType", "CISEnambed", "not in order of change", "other periods than those requested")


@cache
def examples() -> dict[str, Any]:
    """The documented answer to a GET, by its path with `{id}` for any parameter."""
    if not DEFINITION.exists():
        pytest.skip("Xero's API definition does not lie beside this checkout")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    paths = yaml.load(DEFINITION.read_text(encoding="utf-8"), loader)["paths"]
    found = {}
    for path, verbs in paths.items():
        content = verbs.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        example = content.get("application/json", {}).get("example")
        if isinstance(example, dict):
            found.setdefault(re.sub(r"\{\w+\}", "{id}", path.strip("/")), example)
    return found


def example_of(xero: XeroObject) -> dict[str, Any]:
    path = xero.path if isinstance(xero, Subresource) else xero.path + "/{id}" * bool(xero.detail)
    example = examples().get(path)
    if example is None or not example.get(xero.envelope):
        pytest.skip(f"Xero documents no answer for {path}")
    return example


def answer(admin: AdminClient, path: str, example: Any, count: int = 0) -> None:
    admin.fault("status", path=path, status=200, body=json.dumps(example, default=str), count=count)


def fits(run: Run, stream: str) -> None:
    schema = closed(run.of("SCHEMA", stream)[0]["schema"])
    validator = jsonschema.Draft7Validator(schema, format_checker=CHECKER)
    assert run.records[stream]
    for record in run.records[stream]:
        assert [error.message for error in validator.iter_errors(floats(record))] == []
    assert run.failed == {}
    assert [line for line in run.warnings if not any(words in line for words in TOLD)] == []


@pytest.mark.parametrize("stream", OBJECTS)
@pytest.mark.parametrize("long", [False, True], ids=["one by one", "as a whole"])
def test_a_documented_record_fits_its_schema(
    config: dict[str, Any], admin: AdminClient, monkeypatch: pytest.MonkeyPatch, stream: str, long: bool
) -> None:
    monkeypatch.setattr("tap_xero.records.reader.LONG", 0 if long else 10**9)
    xero = OBJECTS[stream]
    example = example_of(xero)
    if xero.detail:
        rows = example[xero.envelope]
        answer(admin, xero.path, {xero.envelope: rows if isinstance(rows, list) else [rows]})
        answer(admin, f"{xero.path}/*", example)
    else:
        answer(admin, xero.path, example, count=xero.paging is Paging.OFFSET)
    fits(read(config, stream), stream)


@pytest.mark.parametrize("stream", SUBRESOURCES)
def test_a_documented_subresource_fits_its_schema(
    config: dict[str, Any], admin: AdminClient, stream: str
) -> None:
    detail = SUBRESOURCES[stream]
    example = example_of(detail)
    parent = dict.fromkeys(detail.of.key, f"{detail.of.name}-1")
    parent |= {name: next(iter(allowed)) for name, allowed in detail.where.items()}
    answer(admin, detail.of.path, {detail.of.envelope: [parent]})
    answer(admin, detail.path.format(id=parent[detail.of.key[0]]), example)
    fits(read(config, stream), stream)


#: The records that the calls of a report need.
YEAR = {"report_start_date": "2026-01-01", "report_end_date": "2026-12-31"}


@pytest.mark.parametrize("stream", REPORTS)
def test_a_documented_report_fits_its_schema(config: dict[str, Any], admin: AdminClient, stream: str) -> None:
    report = REPORTS[stream]
    example = examples().get(report.path)
    if example is None:
        pytest.skip(f"Xero documents no answer for {report.path}")
    admin.put("Invoices", invoice(9, 90, Type="ACCPAY"))
    american = {"OrganisationID": HARBOUR, "Name": HARBOUR_NAME, "CountryCode": "US", "Version": "US",
                "FinancialYearEndMonth": 12, "FinancialYearEndDay": 31}  # fmt: skip
    answer(admin, "Organisation", {"Organisations": [american]})
    answer(admin, report.path, example)
    fits(read(config | YEAR, stream), stream)
