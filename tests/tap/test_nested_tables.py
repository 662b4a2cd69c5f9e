"""Nested tables and field names: the lists inside records as streams, and all names in snake_case."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from unittest import mock

import jsonschema
import pytest

from singer_xero.objects import EVERY, NESTED_TABLES, OBJECTS, STREAMS, NestedTable
from tap_xero.records.naming import renamed, snake_case
from tap_xero.records.projection import Projection
from tap_xero.run import Run as TapRun
from tap_xero.settings import Settings
from tap_xero.streams.discovery import stream_named, with_nested_tables
from tap_xero.streams.stream import XeroStream
from tap_xero.tap import TapXero
from xero_sandbox import AdminClient, Sandbox, apps

from .conftest import moving_clock
from .runs import Recorder, Run, logged
from .test_schemas import CHECKER, floats

Record = dict[str, Any]


@pytest.fixture
def admin(running_sandbox: Sandbox) -> AdminClient:
    return running_sandbox.admin


@pytest.fixture
def both(demo: dict[str, Any]) -> dict[str, Any]:
    return {**demo, "nested_tables": True, "field_names": "snake_case"}


def read(
    config: dict[str, Any],
    *objects: str,
    only: tuple[str, ...] = (),
    state: dict[str, Any] | None = None,
    catalog: dict[str, Any] | None = None,
    interrupt: Callable[[TapXero], None] = lambda _: None,
) -> Run:
    """Read these objects with their nested tables, or `only` some of these streams."""

    def select(tap: TapXero, run: TapRun) -> list[XeroStream]:
        found = with_nested_tables(tap, run, [stream_named(tap, run, name) for name in objects])
        for stream in found:
            stream.selected_by_default = not only or stream.name in only
        return found

    recorder = Recorder()
    kept = json.loads(json.dumps(state)) if state else None
    with mock.patch("tap_xero.tap.all_streams", select), logged() as log:
        opened = {"detail_streams": [name for name in objects if STREAMS[name].costly]}
        tap = TapXero(config=opened | config, state=kept, catalog=catalog, message_writer=recorder)
        interrupt(tap)
        try:
            tap.sync_all()
        finally:
            tap.close()
    return Run(tap, recorder.lines, log)


def held(*runs: Run, stream: str) -> dict[tuple[Any, ...], Record]:
    """The rows of an upserting target after these runs."""
    found: dict[tuple[Any, ...], Record] = {}
    for run in runs:
        keys = run.of("SCHEMA", stream)[0]["key_properties"]
        if run.of("ACTIVATE_VERSION", stream):
            found.clear()
        for record in run.records[stream]:
            found[tuple(record[key] for key in keys)] = record
    return found


def names_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from names_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from names_in(inner)


@pytest.fixture(scope="module")
def everything(running_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """All objects of the demo company with all nested lists, by Xero's names; every list has rows."""
    admin = running_sandbox.admin
    admin.reset()
    admin.limits(enabled=False)
    category = admin.records("TrackingCategories")[0]
    tag = {
        "TrackingCategoryID": category["TrackingCategoryID"],
        "Name": category["Name"],
        "Option": category["Options"][0]["Name"],
        "TrackingOptionID": category["Options"][0]["TrackingOptionID"],
    }
    for resource in (
        "Overpayments",
        "Prepayments",
        "PurchaseOrders",
        "Quotes",
        "Receipts",
        "RepeatingInvoices",
    ):
        record = next(one for one in admin.records(resource) if one.get("LineItems"))
        lines = [{**line, "Tracking": [tag]} for line in record["LineItems"]]
        admin.edit(resource, record[OBJECTS[snake_case(resource)].key[0]], LineItems=lines)
    config = {
        **apps.CUSTOM_CONNECTION.settings(running_sandbox.url),
        "token_path": str(tmp_path_factory.mktemp("tokens") / "tokens.json"),
        "nested_tables": True,
    }
    with pytest.MonkeyPatch.context() as patch:
        moving_clock(running_sandbox.admin, patch)
        return read(config, *OBJECTS)


# -- names


@pytest.mark.parametrize(
    ("xeros", "ours"),
    [
        ("UpdatedDateUTC", "updated_date_utc"),
        ("LineItems", "line_items"),
        ("COGSAccountCode", "cogs_account_code"),
        ("CISDeduction", "cis_deduction"),
        ("IncludePDF", "include_pdf"),
        ("AddressLine1", "address_line1"),
        ("TrackingOptionID2", "tracking_option_id2"),
        ("FederalTaxIDType", "federal_tax_id_type"),
        ("TaxComponentId", "tax_component_id"),
        ("APIKey", "api_key"),
        ("Date", "date"),
        ("User", "xero_user"),
        ("tenant_id", "tenant_id"),
    ],
)
def test_names_in_snake_case(xeros: str, ours: str) -> None:
    assert snake_case(xeros) == ours


def properties(schema: dict[str, Any]) -> Iterator[list[str]]:
    """The names of the properties at each level of a schema."""
    found = schema.get("properties", {})
    if found:
        yield list(found)
    for inner in found.values():
        yield from properties(inner)
    if "items" in schema:
        yield from properties(schema["items"])


@pytest.mark.parametrize("name", EVERY)
def test_no_two_fields_get_the_same_name(name: str) -> None:
    xero = EVERY[name]
    for every in properties(Projection(xero, Settings(nested_tables=True)).schema()):
        assert len({snake_case(one) for one in every}) == len(every)
        assert all(one == one.lower() and " " not in one for one in map(snake_case, every))


def test_a_record_loses_nothing_by_its_names() -> None:
    given = {
        "LineItems": [{"UnitAmount": Decimal("1.10"), "lineItems": None}],
        "Line_Items": 2,
        "line_items": 3,
    }
    found = renamed(given)
    assert len(found) == 3
    assert {"line_items", "Line_Items"} <= found.keys()
    assert [{"unit_amount": Decimal("1.10"), "line_items": None}] in found.values()


def test_all_names_are_snake_case_in_schemas_records_and_keys(both: dict[str, Any]) -> None:
    run = read(both, *(name for name, xero in OBJECTS.items() if xero.selected))
    assert run.failed == {}
    for message in run.of("SCHEMA"):
        xero = EVERY[message["stream"]]
        assert message["key_properties"] == ["tenant_id", *map(snake_case, xero.key)]
        if message.get("bookmark_properties"):
            assert message["bookmark_properties"] == [snake_case(xero.cursor or "")]
        for level in properties(message["schema"]):
            assert all(name == name.lower() for name in level)
        validator = jsonschema.Draft7Validator(message["schema"], format_checker=CHECKER)
        for record in run.records[message["stream"]][::50]:
            assert list(validator.iter_errors(floats(record))) == []
            assert {name for name in names_in(record) if name != name.lower()} == set()


def test_the_values_are_the_same_under_either_name(demo: dict[str, Any]) -> None:
    ours = read({**demo, "field_names": "snake_case"}, "invoices", "journals", "tax_rates")
    xeros = read(demo, "invoices", "journals", "tax_rates")
    for name in ("invoices", "journals", "tax_rates"):
        assert ours.records[name] == [renamed(record) for record in xeros.records[name]]


def test_bookmarks_continue_with_other_names(demo: dict[str, Any], admin: AdminClient) -> None:
    config = {**demo, "field_names": "snake_case"}
    first = read(config, "contacts", "journals")
    assert {p["replication_key"] for s in first.state["bookmarks"].values() for p in s["partitions"]} == {
        "updated_date_utc", "journal_number",
    }  # fmt: skip
    again = read(config, "contacts", "journals", state=first.state)
    assert again.records["contacts"] == again.records["journals"] == []
    admin.edit("Contacts", first.records["contacts"][0]["contact_id"], FirstName="Changed")
    third = read(config, "contacts", state=again.state)
    assert [record["first_name"] for record in third.records["contacts"]] == ["Changed"]


def test_other_names_make_another_table_that_is_read_from_the_start(demo: dict[str, Any]) -> None:
    first = read(demo, "contacts")
    second = read({**demo, "field_names": "snake_case"}, "contacts", state=first.state)
    assert len(second.records["contacts"]) == len(first.records["contacts"])


@pytest.mark.parametrize("key", ["UpdatedDateUTC", "updated_date_utc"])
def test_a_catalog_may_use_either_name_for_the_bookmark(demo: dict[str, Any], key: str) -> None:
    config = {**demo, "field_names": "snake_case"}
    root = {"selected": True, "replication-method": "INCREMENTAL", "replication-key": key}
    entry = {"tap_stream_id": "invoices", "stream": "invoices", "schema": {"type": "object"}}
    catalog = {"streams": [{**entry, "metadata": [{"breadcrumb": [], "metadata": root}]}]}
    run = read(config, "invoices", catalog=catalog)
    (schema,) = run.of("SCHEMA", "invoices")
    assert schema["key_properties"] == ["tenant_id", "invoice_id"]
    assert schema["bookmark_properties"] == ["updated_date_utc"]
    assert {"invoice_id", "updated_date_utc"} <= schema["schema"]["properties"].keys()
    assert read(config, "invoices", catalog=catalog, state=run.state).records["invoices"] == []


def test_a_minimal_catalog_is_read_by_the_names_of_the_environment(
    demo: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAP_XERO_FIELD_NAMES", "snake_case")
    monkeypatch.setenv("TAP_XERO_NESTED_TABLES", "true")
    entry = {"tap_stream_id": "invoice_line_items", "stream": "invoice_line_items"}
    tap = TapXero(config=demo, catalog={"streams": [entry]}, parse_env_config=True)
    assert tap.input_catalog is not None
    entry = tap.input_catalog.to_dict()["streams"][0]
    assert entry["key_properties"] == ["tenant_id", "invoice_id", "line_item_id"]
    assert {"invoice_id", "updated_date_utc"} <= entry["schema"]["properties"].keys()


# -- nested tables


def test_there_are_no_nested_tables_by_default(demo: dict[str, Any]) -> None:
    assert not set(TapXero(config=demo).streams) & set(NESTED_TABLES)
    assert set(TapXero(config={**demo, "nested_tables": True}).streams) == set(EVERY)


@pytest.mark.parametrize("name", NESTED_TABLES)
def test_a_child_stream_has_the_elements_of_its_parents_lists(everything: Run, name: str) -> None:
    child, run = NESTED_TABLES[name], everything

    def elements(record: Record) -> list[Record]:
        found = [record]
        for level in child.levels:
            found = [one for holder in found for one in holder.get(level.field) or ()]
        return found

    inside = [one for record in run.records[child.of.name] for one in elements(record)]
    records = run.records[name]
    assert len(records) == len(inside) > 0
    assert len(held(run, stream=name)) == len(records), "keys are unique"
    for given, found in zip(inside, records, strict=True):
        own = {
            k: v for k, v in given.items() if k not in child.without and k not in {*child.key, child.cursor}
        }
        assert own.items() <= found.items()
    validator = jsonschema.Draft7Validator(run.of("SCHEMA", name)[0]["schema"], format_checker=CHECKER)
    for record in records[::20]:
        assert list(validator.iter_errors(floats(record))) == []


def test_nested_tables_cost_no_call(demo: dict[str, Any], admin: AdminClient) -> None:
    names = ("invoices", "manual_journals", "contacts", "tracking_categories", "credit_notes")
    admin.forget_calls()
    read(demo, *names)
    plain = len(admin.calls())
    admin.forget_calls()
    run = read({**demo, "nested_tables": True}, *names)
    assert len(admin.calls()) == plain
    assert run.records["invoice_line_item_tracking"]


def test_the_lines_of_each_journal_add_up_to_zero(both: dict[str, Any]) -> None:
    run = read(both, "journals")
    sums: dict[str, Decimal] = {}
    for line in run.records["journal_lines"]:
        sums[line["journal_id"]] = sums.get(line["journal_id"], Decimal(0)) + line["net_amount"]
    assert set(sums.values()) == {Decimal(0)}
    assert sums.keys() == {journal["journal_id"] for journal in run.records["journals"]}


def test_elements_without_an_id_are_numbered_and_ids_that_repeat_do_not_collide() -> None:
    lines = [{"LineItemID": "a"}, {"LineItemID": "a"}, {"Description": "no id"}, None, "text"]
    table = NESTED_TABLES["invoice_line_items"]
    found = [element for _, element in table.placed({"InvoiceID": "i", "LineItems": lines})]
    assert [(one["LineItemID"], one["LineNumber"]) for one in found] == [("a", 1), ("2", 2), ("3", 3)]
    assert list(table.placed({"InvoiceID": "i"})) == []


def test_ids_of_nested_records_are_columns_of_their_own(both: dict[str, Any]) -> None:
    run = read(both, "invoices", "bank_transactions", "bank_transfers", "payments", "credit_notes")
    for name in ("invoices", "credit_notes"):
        assert all(one["contact_id"] == one["contact"]["contact_id"] for one in run.records[name])
    transfers = [one for one in run.records["bank_transactions"] if not one.get("contact")]
    assert transfers
    assert {one["contact_id"] for one in transfers} == {None}
    for one in run.records["bank_transfers"]:
        assert (
            one["from_bank_account_id"] == one["from_bank_account"]["account_id"] != one["to_bank_account_id"]
        )
    assert {one["invoice_id"] for one in run.records["payments"]} & {
        one["invoice_id"] for one in run.records["invoices"]
    }
    allocated = run.records["credit_note_allocations"]
    assert {one["invoice_id"] for one in allocated} <= {one["invoice_id"] for one in run.records["invoices"]}


# -- runs


def test_nested_tables_follow_the_bookmark_of_their_parent(both: dict[str, Any], admin: AdminClient) -> None:
    first = read(both, "credit_notes")
    note = first.records["credit_notes"][3]["credit_note_id"]
    again = read(both, "credit_notes", state=first.state)
    assert sum(map(len, again.records.values())) == 0
    admin.edit("CreditNotes", note, Reference="Changed")
    third = read(both, "credit_notes", state=again.state)
    assert {one["credit_note_id"] for one in third.records["credit_note_line_items"]} == {note}
    states = first.state["bookmarks"]
    assert (
        states["credit_note_line_items"]["partitions"][0]["replication_key_value"]
        == (states["credit_notes"]["partitions"][0]["replication_key_value"])
    )


def test_a_new_child_stream_has_everything_from_the_start(demo: dict[str, Any]) -> None:
    before = read(demo, "journals", "credit_notes")
    config = {**demo, "nested_tables": True}
    whole = read(config, "journals", "credit_notes")
    after = read(config, "journals", "credit_notes", state=before.state)
    for name in ("journal_lines", "credit_note_line_items", "credit_note_allocations"):
        assert after.records[name] == whole.records[name] != []
    again = read(config, "journals", "credit_notes", state=after.state)
    assert sum(map(len, again.records.values())) == 0


def test_a_child_stream_can_be_selected_without_its_parent(both: dict[str, Any]) -> None:
    only = ("journal_lines",)
    run = read(both, "journals", only=only)
    assert {message["stream"] for message in run.of("SCHEMA")} == {"journal_lines"}
    assert len(run.records["journal_lines"]) > 5000
    assert set(run.records) == {"journal_lines"}
    assert read(both, "journals", only=only, state=run.state).records["journal_lines"] == []
    # The parent has no row yet.
    later = read(both, "journals", state=run.state)
    assert len(later.records["journals"]) > 2000


def test_a_full_table_is_activated_with_its_child_tables(both: dict[str, Any]) -> None:
    run = read(both, "invoices")
    last = [message["stream"] for message in run.messages if message["type"] == "ACTIVATE_VERSION"]
    assert sorted(last) == ["invoice_line_item_tracking", "invoice_line_items", "invoices"]
    versions = {m["version"] for m in run.of("ACTIVATE_VERSION")}
    assert {m["version"] for m in run.of("RECORD")} == versions
    assert len(versions) == 1


def test_a_table_with_a_column_called_version_is_not_activated(both: dict[str, Any]) -> None:
    """The SDK's SQL targets fail on this name, because they bind a parameter of that name."""
    run = read(both, "organisation", "currencies")
    assert [m["stream"] for m in run.of("ACTIVATE_VERSION")] == ["currencies"]
    assert [one["version"] for one in run.records["organisation"]] == ["NZ"]


def test_child_tables_are_not_activated_if_their_parent_broke_off(
    both: dict[str, Any], admin: AdminClient
) -> None:
    admin.fault("status", path="*Invoices", query={"page": "2"}, status=400, count=1)
    run = read({**both, "page_size": 100}, "invoices")
    assert run.failed
    assert run.of("ACTIVATE_VERSION") == []
    assert run.records["invoice_line_items"]


def test_a_run_that_broke_off_continues_with_parents_and_children(
    both: dict[str, Any], admin: AdminClient
) -> None:
    whole = read(both, "journals")
    admin.fault("status", path="*Journals", query={"offset": "1200"}, status=400, count=1)
    broken = read(both, "journals")
    assert broken.failed
    rest = read(both, "journals", state=broken.state)
    for name in ("journals", "journal_lines", "journal_line_tracking"):
        assert held(broken, rest, stream=name) == held(whole, stream=name)
        assert len(rest.records[name]) < len(whole.records[name])


def test_removed_lines_have_an_older_time_of_change(both: dict[str, Any], admin: AdminClient) -> None:
    first = read(both, "credit_notes")
    lines = first.records["credit_note_line_items"]
    note = next(one["credit_note_id"] for one in lines if one["line_number"] == 2)
    kept = admin.record("CreditNotes", note)
    admin.edit("CreditNotes", note, LineItems=kept["LineItems"][:1])
    second = read(both, "credit_notes", state=first.state)
    times = {
        one["credit_note_id"]: one["updated_date_utc"]
        for one in held(first, second, stream="credit_notes").values()
    }
    rows = held(first, second, stream="credit_note_line_items").values()
    own = [one for one in rows if one["credit_note_id"] == note]
    assert len(own) >= 2
    current = [one for one in own if one["updated_date_utc"] == times[note]]
    assert [one["line_number"] for one in current] == [1]


def test_each_organisation_has_its_own_children_and_bookmarks(
    both: dict[str, Any], admin: AdminClient
) -> None:
    one, two = (each["tenant_id"] for each in admin.organisations()[:2])
    tokens = admin.consent(tenants=[one, two])
    web = {**both, "client_id": apps.WEB_APP.client_id, "client_secret": apps.WEB_APP.client_secret}
    config = {**web, "refresh_token": tokens["refresh_token"], "tenant_ids": [one, two]}
    first = read(config, "contacts", "tax_rates")
    for name in ("contact_phones", "tax_rate_components"):
        assert {record["tenant_id"] for record in first.records[name]} == {one, two}
        assert len(held(first, stream=name)) == len(first.records[name])
    parts = first.state["bookmarks"]["contact_phones"]["partitions"]
    assert {part["context"]["tenant_id"] for part in parts} == {one, two}
    admin.fault("status", path="*TaxRates", tenant=two, status=400, count=1)
    second = read(config, "contacts", "tax_rates", state=first.state)
    assert [stream for stream, _ in second.failed] == ["tax_rates"]
    assert second.of("ACTIVATE_VERSION") == [], "the other organisation's rows must stay"
    assert {record["tenant_id"] for record in second.records["tax_rate_components"]} == {one}
    assert second.records["contact_phones"] == []


@pytest.mark.parametrize("child", NESTED_TABLES.values(), ids=lambda child: child.name)
def test_a_child_refers_to_fields_it_has(child: NestedTable) -> None:
    assert {*child.key, *((child.cursor,) if child.cursor else ())} <= child.fields.keys()
    assert child.key[: len(child.of.key)] == child.of.key
    assert child.scopes == child.of.scopes
    assert child.selected == child.of.selected
    assert len(child.name) <= 63
