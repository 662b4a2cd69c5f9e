"""Xero's Python SDK reads the demo company: every list, every kind of record and every subresource."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from official_sdk import client_of
from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient
from xero_python.identity import IdentityApi

from xero_sandbox import Sandbox

# The names in the SDK: (list call, single call, key in the list, name of the id)
OBJECTS = [
    ("accounts", "account", "accounts", "account_id"),
    ("bank_transactions", "bank_transaction", "bank_transactions", "bank_transaction_id"),
    ("bank_transfers", "bank_transfer", "bank_transfers", "bank_transfer_id"),
    ("batch_payments", "batch_payment", "batch_payments", "batch_payment_id"),
    ("branding_themes", "branding_theme", "branding_themes", "branding_theme_id"),
    ("budgets", "budget", "budgets", "budget_id"),
    ("contact_groups", "contact_group", "contact_groups", "contact_group_id"),
    ("contacts", "contact", "contacts", "contact_id"),
    ("credit_notes", "credit_note", "credit_notes", "credit_note_id"),
    ("expense_claims", "expense_claim", "expense_claims", "expense_claim_id"),
    ("invoices", "invoice", "invoices", "invoice_id"),
    ("items", "item", "items", "item_id"),
    ("journals", "journal", "journals", "journal_id"),
    ("linked_transactions", "linked_transaction", "linked_transactions", "linked_transaction_id"),
    ("manual_journals", "manual_journal", "manual_journals", "manual_journal_id"),
    ("overpayments", "overpayment", "overpayments", "overpayment_id"),
    ("payments", "payment", "payments", "payment_id"),
    ("prepayments", "prepayment", "prepayments", "prepayment_id"),
    ("purchase_orders", "purchase_order", "purchase_orders", "purchase_order_id"),
    ("quotes", "quote", "quotes", "quote_id"),
    ("receipts", "receipt", "receipts", "receipt_id"),
    ("repeating_invoices", "repeating_invoice", "repeating_invoices", "repeating_invoice_id"),
    ("tax_rates", "tax_rate_by_tax_type", "tax_rates", "tax_type"),
    ("tracking_categories", "tracking_category", "tracking_categories", "tracking_category_id"),
    ("users", "user", "users", "user_id"),
]
PAGED = [
    "bank_transactions",
    "contacts",
    "credit_notes",
    "invoices",
    "manual_journals",
    "overpayments",
    "payments",
    "prepayments",
]
WITH_HISTORY = [
    "bank_transfer",
    "batch_payment",
    "contact",
    "credit_note",
    "invoice",
    "item",
    "overpayment",
    "payment",
    "prepayment",
    "purchase_order",
    "quote",
]


@pytest.fixture(scope="module")
def demo() -> Iterator[Sandbox]:
    with Sandbox(limits=False) as running:
        yield running


@pytest.fixture(scope="module")
def client(demo: Sandbox) -> Iterator[ApiClient]:
    """The SDK's client with a token of the web app."""
    made = client_of(demo)
    yield made
    made.rest_client.pool_manager.clear()


@pytest.fixture(scope="module")
def sdk(demo: Sandbox, client: ApiClient) -> AccountingApi:
    api = AccountingApi(client)
    api.base_url = f"{demo.url}/api.xro/2.0"
    return api


@pytest.fixture(scope="module")
def tenant(demo: Sandbox) -> str:
    return str(demo.admin.organisations()[0]["tenant_id"])


def number_of(demo: Sandbox, resource: str) -> int:
    return int(demo.admin.organisations()[0]["records"][resource])


@pytest.mark.parametrize(("many", "one", "key", "identifier"), OBJECTS, ids=[row[0] for row in OBJECTS])
def test_the_sdk_reads_the_list_and_each_kind_of_record_alone(sdk, tenant, many, one, key, identifier):
    listed = getattr(getattr(sdk, f"get_{many}")(tenant), key)
    assert listed, f"the demo company has no {many}"
    for record in {
        id(record): record for record in (listed[0], listed[len(listed) // 2], listed[-1])
    }.values():
        wanted = getattr(record, identifier)
        found = getattr(getattr(sdk, f"get_{one}")(tenant, wanted), key)
        assert [getattr(single, identifier) for single in found] == [wanted]


@pytest.mark.parametrize("many", PAGED)
def test_the_sdk_pages_to_the_last_record(demo, sdk, tenant, many):
    whole = getattr(getattr(sdk, f"get_{many}")(tenant), many)
    paged: list[Any] = []
    page = 1
    while batch := getattr(getattr(sdk, f"get_{many}")(tenant, page=page, page_size=50), many):
        paged += batch
        page += 1
    identifier = f"{many[:-1]}_id"
    assert [getattr(one, identifier) for one in paged] == [getattr(one, identifier) for one in whole]


def test_the_sdk_reads_the_journals_to_the_end_by_their_numbers(demo, sdk, tenant):
    numbers: list[int] = []
    while batch := sdk.get_journals(tenant, offset=max(numbers, default=0)).journals:
        numbers += [journal.journal_number for journal in batch]
    assert len(numbers) == len(set(numbers)) == number_of(demo, "Journals")


@pytest.mark.parametrize("one", WITH_HISTORY)
def test_the_sdk_reads_history(sdk, tenant, one):
    row = next(row for row in OBJECTS if row[1] == one)
    record = getattr(getattr(sdk, f"get_{row[0]}")(tenant), row[2])[0]
    notes = getattr(sdk, f"get_{one}_history")(tenant, getattr(record, row[3])).history_records
    assert notes[0].changes


def test_the_sdk_reads_settings_and_actions(sdk, tenant):
    assert sdk.get_organisations(tenant).organisations[0].organisation_id == tenant
    assert sdk.get_organisation_actions(tenant).actions
    assert sdk.get_organisation_cis_settings(tenant, tenant).cis_settings == []
    assert {one.code.value for one in sdk.get_currencies(tenant).currencies} >= {"NZD", "USD"}
    assert sdk.get_payment_services(tenant).payment_services
    assert sdk.get_invoice_reminders(tenant).invoice_reminders[0].enabled in {True, False}


def rows_of(report):
    return [row for section in report.rows for row in (section.rows or [section])]


@pytest.mark.parametrize(
    "name",
    [
        "report_profit_and_loss",
        "report_balance_sheet",
        "report_trial_balance",
        "report_bank_summary",
        "report_budget_summary",
        "report_executive_summary",
    ],
)
def test_the_sdk_reads_the_reports(demo, sdk, tenant, name):
    report = getattr(sdk, f"get_{name}")(tenant).reports[0]
    assert report.report_name
    assert report.updated_date_utc.date() == demo.admin.now().date()
    assert sum(len(row.cells or []) for row in rows_of(report)) > 10


@pytest.mark.parametrize(("kind", "of"), [("receivables", "is_customer"), ("payables", "is_supplier")])
def test_the_sdk_reads_the_aged_reports_of_a_contact(sdk, tenant, kind, of):
    contact = next(one for one in sdk.get_contacts(tenant).contacts if getattr(one, of))
    report = getattr(sdk, f"get_report_aged_{kind}_by_contact")(tenant, contact.contact_id).reports[0]
    assert contact.name in str(report.report_titles)


def test_the_sdk_reads_a_published_report_by_its_id(sdk, tenant):
    published = sdk.get_reports_list(tenant).reports[0]
    report = sdk.get_report_from_id(tenant, published.report_id).reports[0]
    assert (report.report_id, bool(report.rows)) == (published.report_id, True)


def test_the_sdk_reads_by_number(sdk, tenant):
    order = sdk.get_purchase_orders(tenant).purchase_orders[0]
    same = sdk.get_purchase_order_by_number(tenant, order.purchase_order_number).purchase_orders[0]
    assert same.purchase_order_id == order.purchase_order_id
    contact = next(one for one in sdk.get_contacts(tenant).contacts if one.contact_number)
    found = sdk.get_contact_by_contact_number(tenant, contact.contact_number).contacts[0]
    assert found.contact_id == contact.contact_id
    assert sdk.get_journal_by_number(tenant, 7).journals[0].journal_number == 7


def test_the_sdk_fetches_an_attachment(demo, sdk, tenant):
    invoice = next(one for one in sdk.get_invoices(tenant).invoices if one.has_attachments)
    attached = sdk.get_invoice_attachments(tenant, invoice.invoice_id).attachments[0]
    path = sdk.get_invoice_attachment_by_id(
        tenant, invoice.invoice_id, attached.attachment_id, attached.mime_type
    )
    assert Path(path).stat().st_size == attached.content_length


def test_the_sdk_lists_its_connections(demo, client):
    identity = IdentityApi(client)
    identity.base_url = demo.url
    assert [one.tenant_name for one in identity.get_connections()] == [demo.admin.organisations()[0]["name"]]
