"""The properties of the registry on which tap, target and README rely."""

import json
import re
from pathlib import Path

import pytest
import yaml

from singer_xero.objects import ANSWER_ONLY, ASSETS, EVERY, OBJECTS, REPORTS, Paging
from singer_xero.objects.fields import calculated, day, guid, instant, many, money, one, text

EACH = pytest.mark.parametrize("xero", [*OBJECTS.values(), *ASSETS.values()], ids=lambda xero: xero.name)
EACH_OF_ACCOUNTING = pytest.mark.parametrize("xero", OBJECTS.values(), ids=lambda xero: xero.name)
EACH_REPORT = pytest.mark.parametrize("report", REPORTS.values(), ids=lambda report: report.name)

#: The granular scopes in the groups of Xero's scope table, with the broad scope that each replaces.
READ_SCOPES = {
    ("accounting.settings.read", None): {
        "accounts",
        "branding_themes",
        "currencies",
        "invoice_reminders",
        "items",
        "organisation",
        "organisation_actions",
        "tax_rates",
        "tracking_categories",
        "users",
    },
    ("accounting.contacts.read", None): {"contacts", "contact_groups"},
    ("accounting.invoices.read", "accounting.transactions.read"): {
        "credit_notes",
        "invoices",
        "linked_transactions",
        "purchase_orders",
        "quotes",
        "repeating_invoices",
    },
    ("accounting.payments.read", "accounting.transactions.read"): {
        "batch_payments",
        "overpayments",
        "payments",
        "prepayments",
    },
    ("accounting.banktransactions.read", "accounting.transactions.read"): {
        "bank_transactions",
        "bank_transfers",
    },
    ("accounting.manualjournals.read", "accounting.transactions.read"): {"manual_journals"},
    ("accounting.budgets.read", None): {"budgets"},
    ("accounting.classicexpenses.read", "accounting.transactions.read"): {"expense_claims", "receipts"},
    ("accounting.journals.read", None): {"cash_journals", "journals"},
    ("paymentservices", None): {"payment_services"},
    ("accounting.reports.taxreports.read", "accounting.reports.read"): {"reports"},
}


def fragments(schema, path=""):
    """Every property of a schema, nested ones included, with its path."""
    for name, fragment in schema.get("properties", {}).items():
        yield f"{path}{name}", fragment
        yield from fragments(fragment, f"{path}{name}.")
        yield from fragments(fragment.get("items", {}), f"{path}{name}.")


# -- names


def test_every_word_lets_a_field_be_null():
    assert money.schema() == {"type": ["number", "null"]}
    assert day.schema() == {"type": ["string", "null"], "format": "date"}
    assert instant.schema() == {"type": ["string", "null"], "format": "date-time"}


def test_a_note_becomes_the_description():
    assert text("Free text").schema() == {"type": ["string", "null"], "description": "Free text"}
    assert "description" not in text.schema()


def test_a_guid_is_plain_text_to_a_database_with_its_length():
    assert "format" not in guid.schema()
    assert guid.schema()["maxLength"] == 36


def test_lists_say_what_they_hold():
    assert many(text).schema() == {"type": ["array", "null"], "items": {"type": ["string", "null"]}}
    assert many({"Amount": money}).schema() == {
        "type": ["array", "null"],
        "items": {
            "type": ["object", "null"],
            "properties": {"Amount": {"type": ["number", "null"]}},
        },
    }


def test_what_xero_calculates_is_marked_outside_the_schema():
    total = calculated(money("With tax"))
    assert total.read_only
    assert total.schema() == money("With tax").schema()
    assert not money.read_only


def test_a_schema_can_be_changed_without_changing_the_registry():
    word = one({"Items": many({"Name": text})})
    word.schema()["properties"]["Items"]["items"]["properties"]["Name"]["type"] = "integer"
    assert word.schema() == one({"Items": many({"Name": text})}).schema()
    OBJECTS["invoices"].schema()["properties"]["LineItems"]["items"]["properties"].clear()
    assert "Quantity" in OBJECTS["invoices"].schema()["properties"]["LineItems"]["items"]["properties"]


# -- schemas


@EACH
def test_a_schema_says_nothing_that_targets_choke_on(xero):
    for path, fragment in fragments(xero.schema()):
        unknown = fragment.keys() - {"type", "format", "maxLength", "description", "properties", "items"}
        assert not unknown, f"{path}: {unknown}"
        assert fragment.get("format") in {None, "date", "date-time"}, path
        kind = fragment["type"][0] if isinstance(fragment["type"], list) else fragment["type"]
        assert ("items" in fragment) == (kind == "array"), path
        assert ("properties" in fragment) == (kind == "object"), path
        if kind == "array":
            assert fragment["items"]["type"][0] != "object" or fragment["items"]["properties"], path


@EACH
def test_keys_are_never_null_and_everything_else_may_be(xero):
    for path, fragment in fragments(xero.schema()):
        if path in xero.key:
            assert isinstance(fragment["type"], str)
        else:
            assert fragment["type"][1:] == ["null"], path


@pytest.mark.parametrize("xero", EVERY.values(), ids=lambda xero: xero.name)
def test_text_in_a_key_has_a_length(xero):
    """Databases that index text by its length, such as MySQL, accept it as a primary key."""
    schema = xero.schema(with_tenant=True)
    for name in ("tenant_id", *xero.key):
        fragment = schema["properties"][name]
        if fragment["type"] == "string" and "format" not in fragment:
            assert fragment.get("maxLength", 0) in range(1, 256), name


@EACH
def test_integers_are_true_counters(xero):
    counters = {
        "BrandingTheme.SortOrder",
        "ContentLength",
        "Day",
        "FinancialYearEndDay",
        "FinancialYearEndMonth",
        "JournalNumber",
        "Schedule.DueDate",
        "Schedule.Period",
        "SortOrder",
        "effectiveLifeYears",
        "locks",
    }
    for path, fragment in fragments(xero.schema()):
        if "integer" in fragment["type"]:
            assert path in counters or path.rsplit(".")[-1] in counters, path


@EACH
def test_names_fit_into_a_postgresql_column(xero):
    assert all(len(path.rsplit(".")[-1]) <= 63 for path, _ in fragments(xero.schema()))
    assert len(xero.name) <= 63


@EACH
def test_names_that_end_in_utc_are_instants_and_no_others_are(xero):
    for path, fragment in fragments(xero.schema()):
        assert path.endswith("UTC") == (fragment.get("format") == "date-time"), path


@EACH
def test_the_organisation_comes_first_when_asked_for(xero):
    plain, with_tenant = xero.schema(), xero.schema(with_tenant=True)
    assert list(with_tenant["properties"]) == ["tenant_id", *plain["properties"]]
    assert with_tenant["properties"]["tenant_id"]["type"] == "string"


@EACH
def test_comments_on_the_answer_and_second_copies_are_in_no_schema(xero):
    assert not xero.dropped & xero.schema()["properties"].keys()
    assert not any(path.rsplit(".")[-1] in ANSWER_ONLY for path, _ in fragments(xero.schema()))
    assert all(original in xero.fields for original in xero.duplicate_fields.values())


def test_second_copies_name_the_field_they_repeat():
    assert OBJECTS["credit_notes"].duplicate_fields["ID"] == "CreditNoteID"
    assert OBJECTS["invoices"].duplicate_fields["DueDateString"] == "DueDate"
    assert OBJECTS["payments"].duplicate_fields["UpdatedDateUTCString"] == "UpdatedDateUTC"
    assert OBJECTS["accounts"].dropped >= ANSWER_ONLY


# -- rows


def test_rows_are_found_by_their_name_and_stand_in_order():
    for rows in (OBJECTS, ASSETS, REPORTS):
        assert list(rows) == sorted(rows)
        assert [row.name for row in rows.values()] == list(rows)
    assert not OBJECTS.keys() & REPORTS.keys()


@EACH
def test_a_row_refers_to_fields_it_has(xero):
    assert set(xero.key) <= xero.fields.keys()
    assert set(xero.natural_keys) <= xero.fields.keys()
    assert {xero.cursor, xero.detail} - {None} <= xero.fields.keys()
    assert not xero.read_only & set(xero.key), "writes name records by the key"
    assert bool(xero.statuses) <= (xero.status_field is not None)
    assert not xero.order or xero.order == f"{xero.cursor} ASC"


def test_these_streams_are_incremental_unless_the_catalog_says_otherwise():
    assert {name for name, xero in OBJECTS.items() if xero.incremental} == {
        "accounts",
        "bank_transactions",
        "bank_transfers",
        "batch_payments",
        "cash_journals",
        "contacts",
        "credit_notes",
        "expense_claims",
        "items",
        "journals",
        "manual_journals",
        "overpayments",
        "payments",
        "prepayments",
        "purchase_orders",
        "users",
    }


def test_only_what_xero_can_filter_may_be_made_incremental():
    can_be = {name for name, xero in OBJECTS.items() if xero.can_be_incremental}
    assert can_be == {name for name, xero in OBJECTS.items() if xero.incremental} | {
        "invoices",
        "quotes",
        "receipts",
    }
    assert OBJECTS["budgets"].cursor == OBJECTS["linked_transactions"].cursor == "UpdatedDateUTC"


def test_the_cost_of_a_full_read_can_be_told():
    assert OBJECTS["accounts"].calls == "1"
    assert OBJECTS["invoices"].calls == "1 per 1,000 rows"
    assert OBJECTS["quotes"].calls == OBJECTS["journals"].calls == "1 per 100 rows"
    assert OBJECTS["budgets"].calls == "1 + 1 per budget"
    assert OBJECTS["contact_groups"].calls == "1 + 1 per contact group"


def test_what_xero_works_out_is_not_for_writing():
    invoice = OBJECTS["invoices"]
    assert {"Total", "AmountDue", "UpdatedDateUTC", "Payments"} <= invoice.read_only
    assert not {"InvoiceID", "InvoiceNumber", "LineItems", "SentToContact"} & invoice.read_only
    assert not OBJECTS["credit_notes"].fields["SentToContact"].read_only, "Xero-OpenAPI pull request 827"
    line = invoice.fields["LineItems"].component.fields
    assert line["LineAmount"].read_only
    assert not line["LineItemID"].read_only


# -- scopes


def test_the_scope_to_ask_for_is_the_granular_one_of_xeros_table():
    for (granular, broad), names in READ_SCOPES.items():
        for name in names:
            assert OBJECTS[name].scopes.read == granular, name
            assert OBJECTS[name].scope_missing({"openid", "offline_access"}) == granular, name
            assert OBJECTS[name].scope_missing({granular}) is None, name
            assert broad is None or OBJECTS[name].scope_missing({broad}) is None, name
    assert set().union(*READ_SCOPES.values()) == OBJECTS.keys()


@EACH
def test_a_scope_for_writing_opens_reading_and_not_the_reverse(xero):
    assert len(set(xero.scopes.opening)) == len(xero.scopes.opening)
    for scope in xero.scopes.opening:
        assert xero.scope_missing([scope]) is None
        if not scope.endswith(".read"):
            assert xero.scope_missing([scope], write=True) is None
        elif any(not other.endswith(".read") for other in xero.scopes.opening):
            assert not xero.scope_missing([scope], write=True).endswith(".read")


def test_items_open_with_settings_or_with_invoices():
    assert OBJECTS["items"].scope_missing({"accounting.invoices.read"}) is None
    assert OBJECTS["items"].scope_missing({"accounting.settings"}) is None
    assert OBJECTS["items"].scope_missing({"accounting.contacts"}) == "accounting.settings.read"


@EACH_REPORT
def test_a_report_opens_with_its_own_scope_or_the_broad_one(report):
    assert re.fullmatch(r"accounting\.reports\.[a-z]+\.read", report.scopes.read)
    lists = "accounting.contacts.read" if report.per_contact else None
    assert report.scope_missing({"accounting.reports.read"}) == lists
    assert report.scope_missing({"accounting.settings"}) == report.scopes.read


def test_only_the_aged_reports_take_a_call_for_each_contact():
    assert {name for name, report in REPORTS.items() if report.per_contact} == {
        "report_aged_payables_by_contact",
        "report_aged_receivables_by_contact",
    }


# -- comparison with the collected facts about Xero, if they are available

FACTS = Path(__file__).resolve().parents[2] / "shared" / "xero" / "objects.json"
PAGING = {"none": Paging.WHOLE, "page": Paging.PAGES, "offset": Paging.OFFSET}

DEFINITION = FACTS.parents[1] / "xero-openapi" / "xero_accounting.yaml"

#: Fields that are read-only there and writable here.
WRITABLE = {
    "currencies.Description": "Xero takes Code and Description when a currency is added",
}


@pytest.fixture(scope="module")
def facts():
    if not FACTS.exists():
        pytest.skip("the collected facts about Xero do not lie beside this checkout")
    return json.loads(FACTS.read_text(encoding="utf-8"))


def fact(facts, name):
    """The sheet of an object; its names are in camelCase."""
    name = {"cash_journals": "journals"}.get(name, name)
    if name == "organisation_actions":
        pytest.skip("the collected facts have no sheet of it")
    return facts["objects"][re.sub(r"_(\w)", lambda found: found[1].upper(), name)]


@EACH_OF_ACCOUNTING
def test_the_collected_facts_agree_on_how_a_list_is_read(xero, facts):
    sheet = fact(facts, xero.name)
    read = sheet["read"]
    assert sheet["path"] == f"/{xero.path}"
    assert sheet["envelope_key"] == xero.envelope
    assert tuple(sheet["primary_key"]) == xero.key
    assert bool(read.get("if_modified_since")) == xero.modified_since
    paging = PAGING[read["paging"]["style"]]
    if paging is Paging.PAGES and not read["paging"]["page_size_param"]:
        paging = Paging.SHORT_PAGES
    assert paging is xero.paging
    told = read.get("change_marker", "none").split()[0]
    assert (None if told == "none" else told) == xero.cursor


@EACH_OF_ACCOUNTING
def test_the_collected_facts_agree_on_scopes_and_statuses(xero, facts):
    sheet = fact(facts, xero.name)
    known = {
        scope
        for scopes in sheet["scopes"].values()
        for scope in scopes
        if " " not in scope  # a remark
    }
    assert known <= set(xero.scopes.opening)
    assert set(xero.scopes.opening) - known <= {"accounting.reports.taxreports.read"}
    assert set(sheet.get("status_values") or ()) == set(xero.statuses)


@EACH_OF_ACCOUNTING
def test_the_collected_facts_agree_on_what_is_read_only(xero, facts):
    write = fact(facts, xero.name)["write"]
    writable = {remark.split()[0] for remark in write.get("writable_despite_spec") or ()}
    told = set(write.get("read_only_spec") or ()) | {
        name for name in write.get("read_only_extra") or () if re.fullmatch(r"\w+", name)
    }
    exempt = {name for name in told if f"{xero.name}.{name}" in WRITABLE}
    assert told & xero.fields.keys() - writable - set(xero.key) - exempt <= xero.read_only
    assert not writable & xero.read_only


@EACH_REPORT
def test_the_collected_facts_agree_on_reports(report, facts):
    sheet = next(it for it in facts["reports"].values() if it["path"] == f"/{report.path}")
    kinds = {"date": "day", "uuid": "guid", "integer": "whole", "boolean": "flag", "string": "text"}
    for parameter in sheet["params"]:
        kind = kinds[parameter["format"] or parameter["type"]]
        ours = report.takes[parameter["name"]].kind
        assert ours == kind or {ours, kind} == {"guid", "text"}
        assert parameter["required"] == (parameter["name"] in report.required)
    assert sheet["scopes"]["granular_read_any_of"] == [report.scopes.read]
    assert set(sheet["scopes"]["broad_read"]) <= set(report.scopes.opening)


def test_no_length_is_shorter_than_what_xero_documents():
    """Xero states lengths as numbers or as text such as `max length = 10`."""
    if not DEFINITION.exists():
        pytest.skip("Xero's API definition does not lie beside this checkout")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    models = yaml.load(DEFINITION.read_text(encoding="utf-8"), loader)["components"]["schemas"]
    documented = {}
    for model in models.values():
        for name, field in (model.get("properties") or {}).items():
            words = re.search(r"max length *= *(\d+)", str(field.get("description", "")), re.IGNORECASE)
            length = max(int(field.get("maxLength") or 0), int(words[1]) if words else 0)
            documented[name] = max(length, documented.get(name, 0))
    compared = 0
    for xero in EVERY.values():
        for path, fragment in fragments(xero.schema()):
            length = fragment.get("maxLength")
            if (
                length and length != 36 and (xero.name, path) != ("currencies", "Code")
            ):  # not the code of an item
                compared += 1
                assert length >= documented.get(path.rpartition(".")[2], 0), f"{xero.name}.{path}"
    assert compared > 50
