"""Streams that cost a call for each record are read only if the setting `detail_streams` names them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from singer_xero.errors import ConfigurationProblem
from singer_xero.objects import OBJECTS, REPORTS, STREAMS, SUBRESOURCES
from xero_sandbox import AdminClient

from .runs import Run, read
from .test_calls import asked

COSTLY = {name for name, xero in STREAMS.items() if xero.costly}


def everything(config: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A catalog in which everything is selected, as `*.*` does."""
    return {"streams": [{"tap_stream_id": name, "metadata": SELECTED} for name in STREAMS]}


SELECTED = [{"breadcrumb": [], "metadata": {"selected": True}}]
CLOSED = {"detail_streams": None}


def warned(run: Run, words: str) -> list[str]:
    return [line for line in run.warnings if words in line]


def test_detail_streams_are_history_files_details_links_and_others_that_cost_many_calls() -> None:
    assert {
        *(name for name, detail in SUBRESOURCES.items() if not detail.selected),
        *(name for name, report in REPORTS.items() if report.per_contact),
        "cash_journals",
        "receipts",
        "reports",
    } == COSTLY
    assert not COSTLY & {name for name, xero in OBJECTS.items() if xero.selected}


def test_with_everything_selected_nothing_costs_a_call_for_each_record(
    demo: dict[str, Any], running_sandbox: Any
) -> None:
    """A hundred calls are 2 % of the daily limit."""
    admin = running_sandbox.admin
    admin.forget_calls()
    run = read({**demo, **CLOSED}, catalog=everything(demo))
    assert not set(run.records) & COSTLY
    assert {message["stream"] for message in run.of("SCHEMA")} == set(STREAMS) - COSTLY
    assert run.failed == {}
    assert len(admin.calls()) <= 100
    (line,) = warned(run, "These selected streams are not read")
    for name in COSTLY:
        assert f"{name} ({STREAMS[name].calls})" in line


@pytest.mark.parametrize(
    ("named", "opened"),
    [
        (["contact_history"], {"contact_history"}),
        ("contact_history, item_history", {"contact_history", "item_history"}),
        (["con*_history"], {"contact_history"}),
        (["*"], {"contact_history", "item_history", "contact_details"}),
        (["contacts", "item_history"], {"item_history"}),
        ([], set()),
    ],
    ids=lambda value: str(sorted(value) if isinstance(value, set) else value),
)
def test_the_setting_names_streams_by_name_and_by_pattern(
    config: dict[str, Any], admin: AdminClient, named: Any, opened: set[str]
) -> None:
    names = ("contact_history", "item_history", "contact_details", "contacts")
    run = read({**config, "detail_streams": named}, *names)
    assert {message["stream"] for message in run.of("SCHEMA")} == opened | {"contacts"}
    closed = {"contact_history", "item_history", "contact_details"} - opened
    line = " ".join(warned(run, "These selected streams are not read"))
    assert {name for name in names if f"{name} (" in line} == closed


def test_named_detail_streams_are_selected_by_default(config: dict[str, Any]) -> None:
    run = read({**config, "detail_streams": "item_history"}, catalog=None)
    assert "item_history" in {message["stream"] for message in run.of("SCHEMA")}
    assert "contact_history" not in {message["stream"] for message in run.of("SCHEMA")}


def test_named_detail_streams_that_are_not_selected_are_logged(config: dict[str, Any]) -> None:
    catalog = {"streams": [{"tap_stream_id": "items", "metadata": SELECTED}]}
    run = read({**config, "detail_streams": "item_history"}, catalog=catalog)
    assert warned(run, "These streams in detail_streams are not selected and not read: item_history.")
    assert warned(read({**config, "detail_streams": "*"}, catalog=catalog), "not selected") == []


def test_an_unknown_stream_name_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(
        ConfigurationProblem, match="no stream is called invoice_histroy; did you mean invoice_history"
    ):
        read({**config, "detail_streams": ["invoice_histroy"]}, "contacts")


def test_nested_tables_of_detail_streams_are_detail_streams_as_well(
    config: dict[str, Any], admin: AdminClient
) -> None:
    names = ("receipts", "receipt_line_items")
    catalog = {"streams": [{"tap_stream_id": name, "metadata": SELECTED} for name in names]}
    run = read({**config, **CLOSED, "nested_tables": True}, catalog=catalog)
    assert run.of("SCHEMA") == []
    assert asked(admin)["Receipts"] == 0


def test_incremental_history_costs_a_call_for_each_changed_record(
    config: dict[str, Any], admin: AdminClient, tmp_path: Path
) -> None:
    metadata = [{"breadcrumb": [], "metadata": {"selected": True, "replication-method": "INCREMENTAL"}}]
    catalog = {"streams": [{"tap_stream_id": "contact_history", "metadata": metadata}]}
    settings = {**config, "detail_streams": ["contact_history"]}
    first = read(settings, catalog=catalog)
    admin.forget_calls()
    second = read(settings, catalog=catalog, state=json.loads(json.dumps(first.state)))
    assert [path for path in asked(admin) if path.endswith("/History")] == []
    assert second.records == {}
