"""What Xero holds after a run is what the source said: lines, amounts and dates."""

from __future__ import annotations

from typing import Any

import pytest

from singer_xero.api import dates

from .conftest import Wiring, record, schema

ABEL = [schema("contacts", "id"), record("contacts", id=1, Name="Abel")]


def sale(key: int, *line_items: dict[str, Any], **values: Any) -> dict[str, Any]:
    given = {"type": "ACCREC", "contact_name": "Abel", "due_date": "2026-12-01", "line_items": line_items}
    return record("invoices", id=key, **{**given, **values})


def line(description: str, **values: Any) -> dict[str, Any]:
    return {"description": description, "quantity": 1, "unit_amount": 40, "account_code": "200", **values}


# Amounts and dates


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"quantity": 2, "unit_amount": 50, "line_amount": 90}, "The line total 90.00 does not match"),
        (
            {"quantity": 8555500, "unit_amount": "0.000149611361", "line_amount": 1280},
            "The line total 1280.00 does not match the expected line total 855.55",
        ),
    ],
)
def test_a_line_amount_that_xero_would_not_reach_is_refused_and_no_other_amount_is_written(
    wiring: Wiring, values: dict[str, Any], words: str
):
    run = wiring.write(ABEL, schema("invoices", "id"), sale(1, line("Ads", **values)), sale(2, line("Work")))
    assert run.count("invoices") == {"created": 1, "rejected": 1}
    assert words in run.rejected[0][1]
    assert [one["Total"] for one in wiring.records("Invoices")] == [46]


def test_a_line_amount_gives_the_quantity_that_is_missing(wiring: Wiring):
    hours = {"description": "Hours", "unit_amount": 25, "line_amount": 100, "account_code": "200"}
    wiring.write(ABEL, schema("invoices", "id"), sale(1, hours, line_amount_types="NoTax"))
    (invoice,) = wiring.records("Invoices")
    assert (invoice["LineItems"][0]["Quantity"], invoice["Total"]) == (4, 100)


def test_dates_that_come_only_as_their_texts_are_written(wiring: Wiring):
    texts = {"date_string": "2026-11-02T00:00:00", "DueDateString": "2026-12-24T00:00:00"}
    wiring.write(ABEL, schema("invoices", "id"), sale(1, line("Work"), due_date=None, **texts))
    (invoice,) = wiring.records("Invoices")
    assert (dates.day(invoice["Date"]), dates.day(invoice["DueDate"])) == ("2026-11-02", "2026-12-24")
