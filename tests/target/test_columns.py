"""Columns of flat tables: every one that the documentation lists is understood, for every object."""

from __future__ import annotations

from typing import Any

import pytest

from target_xero.content.values import InvalidRecord
from target_xero.intake.columns import Layout, layout_of
from target_xero.write_specs.rows import WRITE_SPECS, parser_of
from tools.writing_tables import columns_of, line_columns_of, template_columns_of

WRITTEN = [name for name, row in WRITE_SPECS.items() if row.create]
WITH_LINES = [name for name in WRITTEN if line_columns_of(WRITE_SPECS[name])]


def layout(name: str, *columns: str) -> Layout:
    return layout_of(WRITE_SPECS[name], parser_of(WRITE_SPECS[name]), columns)


def line(name: str, **columns: Any) -> dict[str, Any]:
    """The line that a row with these columns has."""
    found = layout(name, *columns)
    (only,) = found.unfold(columns).record[found.list_field]
    return only


@pytest.mark.parametrize("name", WRITTEN)
def test_every_listed_column_is_content(name: str):
    form = parser_of(WRITE_SPECS[name])
    assert [column for column in columns_of(WRITE_SPECS[name]) if not form.takes(column)] == []


@pytest.mark.parametrize("name", WITH_LINES)
def test_every_listed_column_of_a_line_is_read_as_one(name: str):
    columns = [column.replace("<category>", "region") for column in line_columns_of(WRITE_SPECS[name])]
    assert list(layout(name, *columns).lines) == columns


@pytest.mark.parametrize("name", WRITTEN)
def test_every_listed_column_of_a_template_is_understood(name: str):
    columns = template_columns_of(WRITE_SPECS[name])
    lines = ["AccountCode"] if name in WITH_LINES else []
    found = layout(name, *columns, *lines)
    assert [c for c in columns if c not in found.moved and c not in found.lines] == []


@pytest.mark.parametrize(
    "prefix", ["line_", "Line", "line_item_", "LineItems__", "lines.", "journal_line_", "LINE "]
)
@pytest.mark.parametrize("name", ["description", "AccountCode", "tax_type"])
def test_a_column_of_a_line_may_have_several_names(prefix: str, name: str):
    assert line("manual_journals", **{prefix + name: "x", "line_amount": 1})


@pytest.mark.parametrize(
    ("columns", "tracking"),
    [
        ({"line_tracking_region": "East"}, [{"region": "East"}]),
        ({"line_tracking_cost_centre": "Shop", "lineTrackingRegion": ""}, [{"cost_centre": "Shop"}]),
        ({"line_tracking_name_1": "Region", "line_tracking_option_1": "East"}, [{"Name": "Region", "Option": "East"}]),
        ({"line_tracking_category_name": "R", "line_tracking_option_name": "E"}, [{"Name": "R", "Option": "E"}]),
        ({"line_tracking_category": "R", "line_tracking_option": "E"}, [{"Name": "R", "Option": "E"}]),
        ({"TrackingName1": "R", "TrackingOption1": "", "TrackingName2": "C", "TrackingOption2": "S", "Quantity": 1},
         [{"Name": "C", "Option": "S"}]),
    ],
)  # fmt: skip
def test_columns_of_tracking_are_combined(columns: dict[str, Any], tracking: list[dict[str, Any]]):
    assert line("invoices", **columns)["tracking"] == tracking


def test_the_id_of_a_line_is_xero_s_only_if_it_is_a_guid():
    guid = "c08e45e0-d665-4f03-80cf-284f0cd77a48"
    assert line("invoices", line_item_id=guid, line_quantity=1)["lineitemid"] == guid
    found = layout("invoices", "line_item_id", "line_quantity")
    assert found.unfold({"line_item_id": 17, "line_quantity": 1}).key == "17"


def test_a_discount_in_a_template_is_a_percentage():
    assert line("invoices", Discount="10 %", Quantity=1)["discountrate"] == "10 "


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("contacts", {"POCity": "Nelson", "addresses": [{"City": "Nelson"}]}),
        ("items", {"SalesUnitPrice": 1, "sales_details": {"UnitPrice": 2}}),
        ("invoices", {"line_tracking": "{}", "line_tracking_region": "East", "line_quantity": 1}),
    ],
)
def test_a_field_that_is_given_twice_is_a_reject(name: str, columns: dict[str, Any]):
    with pytest.raises(InvalidRecord, match="it is given twice"):
        layout(name, *columns).unfold(columns)


@pytest.mark.parametrize("name", [name for name in WRITTEN if name not in WITH_LINES])
def test_an_object_without_lines_has_no_columns_of_lines(name: str):
    columns = ("line_description", "line_quantity", "description", "quantity", "unit_amount", "account_code")
    assert layout(name, *columns).lines == {}


def test_a_table_without_an_amount_is_not_a_table_of_lines():
    assert layout("invoices", "id", "description", "tax_type").lines == {}
    assert layout("invoices", "id", "line_items", "line_quantity").lines == {}
