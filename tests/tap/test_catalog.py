"""The catalog selects streams, fields and the replication method; the SDK's settings change records."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from singer_xero.errors import ConfigurationProblem
from singer_xero.objects import STREAMS
from tap_xero.tap import TapXero
from xero_sandbox import AdminClient

from .company import guid
from .runs import Run, read


@pytest.fixture(scope="module")
def discovered() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(TapXero(config={"client_id": "x"}).catalog_json_text)
    return found


@pytest.fixture
def catalog(discovered: dict[str, Any]) -> dict[str, Any]:
    """A catalog from `--discover`, with no stream selected."""
    made = deepcopy(discovered)
    for entry in made["streams"]:
        root(entry)["selected"] = False
    return made


def entry_of(catalog: dict[str, Any], stream: str) -> dict[str, Any]:
    found: dict[str, Any] = next(entry for entry in catalog["streams"] if entry["tap_stream_id"] == stream)
    return found


def root(entry: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(m["metadata"] for m in entry["metadata"] if m["breadcrumb"] == [])
    return found


def field_of(entry: dict[str, Any], name: str) -> dict[str, Any]:
    return next(m["metadata"] for m in entry["metadata"] if m["breadcrumb"] == ["properties", name])


def choose(catalog: dict[str, Any], stream: str, **metadata: Any) -> dict[str, Any]:
    """Select a stream; keywords are metadata, with _ for -."""
    entry = entry_of(catalog, stream)
    root(entry).update(
        {"selected": True, **{name.replace("_", "-"): value for name, value in metadata.items()}}
    )
    return entry


def paths(admin: AdminClient) -> set[str]:
    """The lists that were requested."""
    return {
        call["path"].removeprefix("/api.xro/2.0/") for call in admin.calls() if "/api.xro/" in call["path"]
    }


# Streams and fields


def test_discovery_needs_no_credentials_and_knows_every_object(discovered: dict[str, Any]) -> None:
    assert {entry["tap_stream_id"] for entry in discovered["streams"]} == set(STREAMS)
    for entry in discovered["streams"]:
        xero = STREAMS[entry["tap_stream_id"]]
        assert entry["key_properties"] == ["tenant_id", *xero.key]
        assert entry["replication_method"] == ("INCREMENTAL" if xero.incremental else "FULL_TABLE")
        assert root(entry)["selected"] is root(entry)["selected-by-default"] is xero.selected


def test_the_catalog_shows_which_full_tables_can_be_incremental(discovered: dict[str, Any]) -> None:
    said = {e["tap_stream_id"] for e in discovered["streams"] if root(e).get("valid-replication-keys")}
    assert said == {name for name, xero in STREAMS.items() if xero.can_be_incremental}
    assert {"invoices", "quotes"} <= said


def test_streams_that_are_not_selected_cost_no_call(
    config: dict[str, Any], catalog: dict[str, Any], admin: AdminClient
) -> None:
    choose(catalog, "contacts")
    run = read(config, catalog=catalog)
    assert set(run.records) == {"contacts"}
    assert {message["stream"] for message in run.of("SCHEMA")} == {"contacts"}
    assert paths(admin) == {"Contacts"}


def test_a_stream_that_the_catalog_lacks_is_not_read(
    config: dict[str, Any], catalog: dict[str, Any], admin: AdminClient
) -> None:
    choose(catalog, "items")
    catalog["streams"] = [entry for entry in catalog["streams"] if entry["tap_stream_id"] == "items"]
    read(config, catalog=catalog)
    assert paths(admin) == {"Items"}


def test_fields_that_are_not_selected_are_omitted_including_nested_ones(
    config: dict[str, Any], catalog: dict[str, Any]
) -> None:
    entry = choose(catalog, "invoices")
    field_of(entry, "Reference")["selected"] = False
    field_of(entry, "SubTotal")["selected"] = False
    for metadata in entry["metadata"]:
        if (
            metadata["breadcrumb"][:2] == ["properties", "LineItems"]
            and metadata["breadcrumb"][-1] == "UnitAmount"
        ):
            metadata["metadata"]["selected"] = False
    run = read(config, "invoices", catalog=catalog)
    record = run.records["invoices"][0]
    assert "SubTotal" not in record
    assert "Total" in record
    assert "SubTotal" not in run.of("SCHEMA", "invoices")[0]["schema"]["properties"]


def test_keys_and_the_replication_key_cannot_be_deselected(
    config: dict[str, Any], catalog: dict[str, Any]
) -> None:
    entry = choose(catalog, "contacts")
    for metadata in entry["metadata"]:
        if metadata["breadcrumb"]:
            metadata["metadata"]["selected"] = False
    run = read(config, "contacts", catalog=catalog)
    assert set(run.records["contacts"][0]) == {"tenant_id", "ContactID", "UpdatedDateUTC"}
    assert run.bookmark("contacts") == "2026-11-01T00:01:10.000000Z"


def test_a_minimal_catalog_is_enough(config: dict[str, Any]) -> None:
    """A minimal catalog, written by hand or by a tool, for which the SDK drops keys and bookmark."""
    schema = {
        "type": "object",
        "properties": {"ContactID": {"type": "string"}, "UpdatedDateUTC": {"type": "string"}},
    }
    entry = {
        "tap_stream_id": "contacts",
        "schema": schema,
        "metadata": [{"breadcrumb": [], "metadata": {"selected": True}}],
    }
    run = read(config, "contacts", catalog={"streams": [entry]})
    (message,) = run.of("SCHEMA")
    assert message["key_properties"] == ["tenant_id", "ContactID"]
    assert run.bookmark("contacts") == "2026-11-01T00:01:10.000000Z"
    assert len(run.ids("contacts")) == 7


# Replication

METADATA = [
    {"replication-method": "INCREMENTAL"},
    {"replication-key": "UpdatedDateUTC"},
    {"replication-method": "INCREMENTAL", "replication-key": "UpdatedDateUTC"},
    {"forced-replication-method": "INCREMENTAL"},
]


def twice(
    config: dict[str, Any], catalog: dict[str, Any], admin: AdminClient, stream: str
) -> tuple[Run, Run]:
    first = read(config, stream, catalog=catalog)
    admin.forget_calls()
    return first, read(config, stream, catalog=catalog, state=first.state)


@pytest.mark.parametrize("metadata", METADATA, ids=str)
@pytest.mark.parametrize("stream", ["invoices", "quotes"])
def test_invoices_and_quotes_become_incremental_by_metadata(
    config: dict[str, Any], catalog: dict[str, Any], admin: AdminClient, stream: str, metadata: dict[str, str]
) -> None:
    root(choose(catalog, stream)).update(metadata)
    first, second = twice(config, catalog, admin, stream)
    assert len(first.records[stream]) in {5, 230}
    assert first.bookmark(stream) == max(record["UpdatedDateUTC"] for record in first.records[stream])
    assert first.of("SCHEMA", stream)[0]["bookmark_properties"] == ["UpdatedDateUTC"]
    assert first.of("ACTIVATE_VERSION") == []
    assert second.records == {}


def test_invoices_become_incremental_by_the_catalog_entry(
    config: dict[str, Any], catalog: dict[str, Any], admin: AdminClient
) -> None:
    entry = choose(catalog, "invoices")
    entry.update(replication_method="INCREMENTAL", replication_key="UpdatedDateUTC")
    root(entry).pop("forced-replication-method", None)
    _, second = twice(config, catalog, admin, "invoices")
    assert second.records == {}


@pytest.mark.parametrize("word", ["replication-method", "forced-replication-method"])
def test_an_incremental_stream_is_a_full_table_if_the_catalog_says_so(
    config: dict[str, Any], catalog: dict[str, Any], admin: AdminClient, word: str
) -> None:
    root(choose(catalog, "contacts"))[word] = "FULL_TABLE"
    first, second = twice(config, catalog, admin, "contacts")
    assert len(second.ids("contacts")) == 7
    assert first.of("ACTIVATE_VERSION", "contacts") != []
    assert all("If-Modified-Since" not in call["headers"] for call in admin.calls("Contacts"))


@pytest.mark.parametrize(
    ("stream", "metadata", "words"),
    [
        ("tax_rates", {"replication-method": "INCREMENTAL"}, "stream tax_rates: it can't be incremental"),
        ("budgets", {"replication-key": "UpdatedDateUTC"}, "stream budgets: it can't be incremental"),
        (
            "invoices",
            {"replication-key": "DueDate"},
            "DueDate can't be the replication key; use UpdatedDateUTC",
        ),
        ("contacts", {"replication-method": "LOG_BASED"}, "replication method LOG_BASED is not supported"),
    ],
)
def test_an_impossible_replication_method_is_refused_before_the_first_call(
    config: dict[str, Any],
    catalog: dict[str, Any],
    admin: AdminClient,
    stream: str,
    metadata: dict[str, str],
    words: str,
) -> None:
    root(choose(catalog, stream)).update(metadata)
    with pytest.raises(ConfigurationProblem, match=words):
        read(config, stream, catalog=catalog)
    assert admin.calls() == []


def test_a_stream_that_was_incremental_can_be_a_full_table_and_start_again(
    config: dict[str, Any], catalog: dict[str, Any], admin: AdminClient
) -> None:
    """When the stream is incremental again, its bookmark counts again, and rows changed meanwhile are read."""
    root(choose(catalog, "contacts"))["replication-method"] = "INCREMENTAL"
    first = read(config, "contacts", catalog=catalog)
    root(choose(catalog, "contacts"))["replication-method"] = "FULL_TABLE"
    full = read(config, "contacts", catalog=catalog, state=first.state)
    admin.edit("Contacts", guid("c", 1))
    root(choose(catalog, "contacts"))["replication-method"] = "INCREMENTAL"
    again = read(config, "contacts", catalog=catalog, state=full.state)
    assert again.ids("contacts") == [guid("c", 1)]


# Archived records


@pytest.mark.parametrize(
    ("setting", "count"), [({}, 7), ({"include_archived": True}, 7), ({"include_archived": False}, 6)]
)
def test_archived_contacts_are_read_by_default(
    config: dict[str, Any], admin: AdminClient, setting: dict[str, bool], count: int
) -> None:
    admin.edit("Contacts", guid("c", 3), ContactStatus="ARCHIVED")
    run = read({**config, **setting}, "contacts")
    assert len(run.ids("contacts")) == count
    assert (guid("c", 3) in run.ids("contacts")) == (count == 7)


def test_archived_records_are_requested_only_of_lists_that_hide_them(
    config: dict[str, Any], admin: AdminClient
) -> None:
    read(config)
    asked = {c["path"].split("/")[-1] for c in admin.calls() if c["query"].get("includeArchived") == "true"}
    assert asked == {"Contacts", "Invoices", "TrackingCategories"}


# Records with the SDK's settings


def mapped(config: dict[str, Any], maps: dict[str, Any], *streams: str) -> Run:
    return read({**config, "stream_maps": maps}, *streams)


def test_a_stream_map_filters_computes_and_renames_and_bookmarks_go_on(config: dict[str, Any]) -> None:
    maps = {
        "contacts": {
            "__alias__": "people",
            "__filter__": "Name != 'Contact 07'",
            "Name": None,
            "loud": "Name.upper()",
        }
    }
    run = mapped(config, maps, "contacts")
    assert set(run.records) == {"people"}
    people = run.records["people"]
    assert [one["loud"] for one in people] == [f"CONTACT {n:02}" for n in range(1, 7)]
    assert all("Name" not in one and one["ContactID"] for one in people)
    # The row that was filtered out has been read all the same.
    assert run.bookmark("contacts") == "2026-11-01T00:01:10.000000Z"


def test_a_stream_map_may_remove_the_replication_key(config: dict[str, Any]) -> None:
    run = mapped(config, {"contacts": {"UpdatedDateUTC": None}}, "contacts")
    assert "UpdatedDateUTC" not in run.records["contacts"][0]
    assert run.bookmark("contacts") == "2026-11-01T00:01:10.000000Z"


def test_else_removes_the_other_fields_or_streams(config: dict[str, Any]) -> None:
    kept = {name: name for name in ("tenant_id", "ContactID", "Name")}
    run = mapped(config, {"contacts": {**kept, "__else__": None}, "__else__": None}, "contacts", "items")
    assert set(run.records) == {"contacts"}
    assert set(run.records["contacts"][0]) == set(kept)
    assert {message["stream"] for message in run.of("SCHEMA")} == {"contacts"}


def test_a_map_computes_with_exact_decimals(config: dict[str, Any]) -> None:
    run = mapped(config, {"invoices": {"Double": "Total + Total"}}, "invoices")
    assert str(run.records["invoices"][0]["Double"]) == "20.20"


def test_flattening_keeps_amounts_exact_and_lists_as_json(config: dict[str, Any]) -> None:
    run = read({**config, "flattening_enabled": True, "flattening_max_depth": 2}, "invoices")
    record = run.records["invoices"][0]
    assert record["Contact__Name"] == "Contact 01"
    assert str(record["Total"]) == "10.10"
    assert record["Date"] == "2026-10-02"
    properties = run.of("SCHEMA", "invoices")[0]["schema"]["properties"]
    # Nested fields that the schema lacks pass through and become columns.
    assert {name for name in record if "__" not in name} <= set(properties)
    lines = json.loads(record["LineItems"]) if isinstance(record["LineItems"], str) else record["LineItems"]
    assert str(lines[0]["UnitAmount"]) == "10.1234"


def test_a_catalog_without_fields_gets_all_of_them(config: dict[str, Any]) -> None:
    entry = {"tap_stream_id": "contacts", "metadata": [{"breadcrumb": [], "metadata": {"selected": True}}]}
    run = read(config, "contacts", catalog={"streams": [entry]})
    plain = read(config, "contacts")
    assert run.of("SCHEMA") == plain.of("SCHEMA")
    assert run.records == plain.records


def test_fields_that_a_catalog_s_schema_lacks_are_omitted_and_logged(config: dict[str, Any]) -> None:
    entry = {
        "tap_stream_id": "contacts",
        "metadata": [{"breadcrumb": [], "metadata": {"selected": True}}],
        "schema": {"type": "object", "properties": {"Name": {"type": ["string", "null"]}}},
    }
    run = read(config, "contacts", catalog={"streams": [entry]})
    fields = {"tenant_id", "ContactID", "UpdatedDateUTC", "Name"}
    assert set(run.of("SCHEMA")[0]["schema"]["properties"]) == fields
    assert all(set(record) == fields for record in run.records["contacts"])
    (line,) = [line for line in run.warnings if "The catalog lacks fields of contacts" in line]
    assert "ContactStatus" in line
