"""Xero's Python SDK creates and updates every object that can be written, and receives refusals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from company import books_agree
from official_sdk import client_of
from xero_python.accounting import AccountingApi
from xero_python.accounting import models as xm
from xero_python.exceptions import AccountingBadRequestException

from xero_sandbox import Sandbox

DAY, DUE = date(2026, 11, 19), date(2026, 12, 19)


class Sdk:
    """The SDK's Accounting API with the organisation filled in."""

    def __init__(self, api: AccountingApi, tenant: str) -> None:
        self.api, self.tenant = api, tenant

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.api, name)
        return lambda *arguments, **options: method(self.tenant, *arguments, **options)

    def one(self, name: str, *arguments: Any, **options: Any) -> Any:
        """The only record of an answer."""
        answer = getattr(self, name)(*arguments, **options)
        lists = [
            one
            for one in (getattr(answer, key, None) for key in answer.openapi_types)
            if isinstance(one, list)
        ]
        (found,) = next(one for one in lists if one)
        return found

    def refusal(self, name: str, *arguments: Any) -> str:
        """The text of a 400."""
        with pytest.raises(AccountingBadRequestException) as refused:
            getattr(self, name)(*arguments)
        assert refused.value.status == 400
        return str(refused.value.error_data)


@pytest.fixture(scope="module")
def books() -> Iterator[Sandbox]:
    with Sandbox(company="empty", limits=False) as running:
        yield running


@pytest.fixture(scope="module")
def sdk(books: Sandbox) -> Iterator[Sdk]:
    client = client_of(books)
    api = AccountingApi(client)
    api.base_url = f"{books.url}/api.xro/2.0"
    made = Sdk(api, str(books.admin.organisations()[0]["tenant_id"]))
    for code in ("090", "091"):
        made.create_account(
            xm.Account(code=code, name=f"Bank {code}", type=xm.AccountType.BANK, bank_account_number=code)
        )
    yield made
    client.rest_client.pool_manager.clear()


@pytest.fixture(autouse=True)
def in_balance(books: Sandbox, sdk: Sdk) -> Iterator[None]:
    yield
    books_agree(books.admin)


def many(kind: Any, elements: list[Any]) -> Any:
    """The SDK's envelope of some elements."""
    name = next(
        key for key, one in kind.openapi_types.items() if one == f"list[{type(elements[0]).__name__}]"
    )
    return kind(**{name: elements})


def line(amount: float = 100, account: str = "200", **more: Any) -> xm.LineItem:
    return xm.LineItem(description="Work", quantity=1, unit_amount=amount, account_code=account, **more)


def invoice(sdk: Sdk, **more: Any) -> Any:
    account = "400" if more.get("type") == "ACCPAY" else "200"
    fields = {"type": "ACCREC", "status": "AUTHORISED", "line_items": [line(account=account)], **more}
    wanted = xm.Invoice(contact=xm.Contact(name="Ada"), date=DAY, due_date=DUE, **fields)
    return sdk.one("create_invoices", many(xm.Invoices, [wanted]))


def test_the_sdk_writes_contacts(sdk):
    made = sdk.one("create_contacts", many(xm.Contacts, [xm.Contact(name="Grace", email_address="g@b.nz")]))
    assert made.contact_status == "ACTIVE"
    changed = xm.Contact(contact_id=made.contact_id, first_name="Grace")
    assert sdk.one("update_or_create_contacts", many(xm.Contacts, [changed])).first_name == "Grace"
    by_id = sdk.one("update_contact", made.contact_id, many(xm.Contacts, [xm.Contact(last_name="Hopper")]))
    assert (by_id.first_name, by_id.last_name) == ("Grace", "Hopper")
    assert "is already assigned to another contact" in sdk.refusal(
        "create_contacts", many(xm.Contacts, [xm.Contact(name="grace")])
    )
    answer = sdk.create_contacts(
        many(xm.Contacts, [xm.Contact(name="Grace"), xm.Contact(name="Mary")]), summarize_errors=False
    )
    assert [one.status_attribute_string for one in answer.contacts] == ["ERROR", "OK"]
    assert answer.contacts[0].has_validation_errors is True


def test_the_sdk_writes_contact_groups(sdk):
    ada = sdk.one("create_contacts", many(xm.Contacts, [xm.Contact(name="Member")]))
    made = sdk.one("create_contact_group", many(xm.ContactGroups, [xm.ContactGroup(name="VIP")]))
    members = many(xm.Contacts, [xm.Contact(contact_id=ada.contact_id)])
    assert sdk.one("create_contact_group_contacts", made.contact_group_id, members).name == "Member"
    renamed = many(xm.ContactGroups, [xm.ContactGroup(name="Best")])
    assert sdk.one("update_contact_group", made.contact_group_id, renamed).name == "Best"
    sdk.delete_contact_group_contact(made.contact_group_id, ada.contact_id)
    sdk.delete_contact_group_contacts(made.contact_group_id)
    assert "already exists with this name" in sdk.refusal(
        "create_contact_group", many(xm.ContactGroups, [xm.ContactGroup(name="best")])
    )


def test_the_sdk_writes_invoices(sdk):
    made = invoice(sdk)
    assert (made.status, made.total, made.due_date) == ("AUTHORISED", 115, DUE)
    changed = many(xm.Invoices, [xm.Invoice(invoice_id=made.invoice_id, reference="R")])
    assert sdk.one("update_or_create_invoices", changed).reference == "R"
    voided = sdk.one("update_invoice", made.invoice_id, many(xm.Invoices, [xm.Invoice(status="VOIDED")]))
    assert (voided.status, voided.amount_due) == ("VOIDED", 115)
    assert "Invoice not of valid status for modification" in sdk.refusal(
        "update_invoice", made.invoice_id, many(xm.Invoices, [xm.Invoice(status="AUTHORISED")])
    )


def test_the_sdk_writes_credit_notes_and_their_allocations(sdk):
    contact = xm.Contact(name="Ada")
    fields = {"type": "ACCRECCREDIT", "contact": contact, "date": DAY, "line_items": [line()]}
    made = sdk.one("create_credit_notes", many(xm.CreditNotes, [xm.CreditNote(**fields)]))
    assert made.status == "DRAFT"
    approve = many(xm.CreditNotes, [xm.CreditNote(credit_note_id=made.credit_note_id, status="AUTHORISED")])
    assert sdk.one("update_or_create_credit_notes", approve).remaining_credit == 115
    bill = invoice(sdk)
    part = xm.Allocation(amount=15, date=DAY, invoice=xm.Invoice(invoice_id=bill.invoice_id))
    allocation = sdk.one("create_credit_note_allocation", made.credit_note_id, many(xm.Allocations, [part]))
    assert sdk.one("get_credit_note", made.credit_note_id).remaining_credit == 100
    too_much = xm.Allocation(amount=500, date=DAY, invoice=xm.Invoice(invoice_id=bill.invoice_id))
    assert "exceeds" in sdk.refusal(
        "create_credit_note_allocation", made.credit_note_id, many(xm.Allocations, [too_much])
    )
    gone = sdk.delete_credit_note_allocations(made.credit_note_id, allocation.allocation_id)
    assert (gone.allocation_id, gone.is_deleted) == (allocation.allocation_id, True)
    assert sdk.one("get_credit_note", made.credit_note_id).remaining_credit == 115
    voided = sdk.one(
        "update_credit_note", made.credit_note_id, many(xm.CreditNotes, [xm.CreditNote(status="VOIDED")])
    )
    assert voided.status == "VOIDED"


def test_the_sdk_writes_bank_transactions_overpayments_and_prepayments(sdk):
    fields = {"contact": xm.Contact(name="Ada"), "bank_account": xm.Account(code="090"), "date": DAY}
    spent = xm.BankTransaction(type="SPEND", line_items=[line(account="400")], **fields)
    made = sdk.one("create_bank_transactions", many(xm.BankTransactions, [spent]))
    assert (made.total, made.status) == (100, "AUTHORISED")
    same = {"type": "SPEND", "line_items": made.line_items, "bank_account": made.bank_account}
    changed = many(xm.BankTransactions, [xm.BankTransaction(reference="R", **same)])
    assert sdk.one("update_bank_transaction", made.bank_transaction_id, changed).reference == "R"
    bill = invoice(sdk)
    part = many(
        xm.Allocations, [xm.Allocation(amount=10, date=DAY, invoice=xm.Invoice(invoice_id=bill.invoice_id))]
    )
    for kind, field, call in (
        ("RECEIVE-OVERPAYMENT", "overpayment_id", "overpayment"),
        ("RECEIVE-PREPAYMENT", "prepayment_id", "prepayment"),
    ):
        extra = xm.LineItem(description="Extra", quantity=1, unit_amount=50)
        wanted = xm.BankTransaction(type=kind, line_items=[extra], **fields)
        held = sdk.one("create_bank_transactions", many(xm.BankTransactions, [wanted]))
        allocation = sdk.one(f"create_{call}_allocations", getattr(held, field), part)
        assert sdk.one(f"get_{call}", getattr(held, field)).remaining_credit == 40
        getattr(sdk, f"delete_{call}_allocations")(getattr(held, field), allocation.allocation_id)
        assert sdk.one(f"get_{call}", getattr(held, field)).remaining_credit == 50
    nowhere = xm.BankTransaction(
        type="SPEND", line_items=[line()], contact=xm.Contact(name="Ada"), bank_account=xm.Account(code="200")
    )
    assert "BankAccount could not be found" in sdk.refusal(
        "create_bank_transactions", many(xm.BankTransactions, [nowhere])
    )


def test_the_sdk_writes_bank_transfers(sdk):
    accounts = {"from_bank_account": xm.Account(code="090"), "to_bank_account": xm.Account(code="091")}
    made, other = (
        sdk.one(
            "create_bank_transfer", many(xm.BankTransfers, [xm.BankTransfer(amount=20, date=DAY, **accounts)])
        )
        for _ in range(2)
    )
    assert made.amount == 20
    gone = sdk.one(
        "delete_bank_transfer", made.bank_transfer_id, xm.BankTransferDeleteByUrlParam(status="DELETED")
    )
    assert gone.status == "DELETED"
    wanted = xm.BankTransferDelete(bank_transfer_id=other.bank_transfer_id, status="DELETED")
    assert sdk.one("delete_bank_transfers", many(xm.BankTransfersDelete, [wanted])).status == "DELETED"
    assert "Amount must be greater" in sdk.refusal(
        "create_bank_transfer", many(xm.BankTransfers, [xm.BankTransfer(amount=0, **accounts)])
    )


def test_the_sdk_writes_payments(sdk):
    due = invoice(sdk)
    fields = {
        "invoice": xm.Invoice(invoice_id=due.invoice_id),
        "account": xm.Account(code="090"),
        "date": DAY,
    }
    made = sdk.one("create_payments", many(xm.Payments, [xm.Payment(amount=15, **fields)]))
    assert (made.status, made.payment_type) == ("AUTHORISED", "ACCRECPAYMENT")
    sdk.create_payment(xm.Payment(amount=20, **fields))
    assert sdk.one("get_invoice", due.invoice_id).amount_due == 80
    assert sdk.one("delete_payment", made.payment_id, xm.PaymentDelete(status="DELETED")).status == "DELETED"
    assert "exceeds the amount outstanding" in sdk.refusal(
        "create_payments", many(xm.Payments, [xm.Payment(amount=500, **fields)])
    )


def test_the_sdk_writes_batch_payments(sdk):
    bills = [invoice(sdk, type="ACCPAY") for _ in range(2)]

    def batch(amount: float) -> Any:
        payments = [xm.Payment(invoice=xm.Invoice(invoice_id=one.invoice_id), amount=amount) for one in bills]
        account = sdk.get_accounts(where='Code=="090"').accounts[0]
        return many(
            xm.BatchPayments,
            [xm.BatchPayment(account=xm.Account(account_id=account.account_id), date=DAY, payments=payments)],
        )

    first, second = (sdk.one("create_batch_payment", batch(10)) for _ in range(2))
    assert first.total_amount == 20
    wanted = xm.BatchPaymentDelete(batch_payment_id=first.batch_payment_id, status="DELETED")
    assert sdk.one("delete_batch_payment", wanted).status == "DELETED"
    by_url = xm.BatchPaymentDeleteByUrlParam(status="DELETED")
    assert sdk.one("delete_batch_payment_by_url_param", second.batch_payment_id, by_url).status == "DELETED"
    assert sdk.one("get_invoice", bills[0].invoice_id).amount_due == 115
    assert "exceeds the amount outstanding" in sdk.refusal("create_batch_payment", batch(500))


def test_the_sdk_writes_purchase_orders(sdk):
    sdk.update_or_create_contacts(many(xm.Contacts, [xm.Contact(name="Ada")]))
    ada = sdk.get_contacts(where='Name=="Ada"').contacts[0].contact_id
    wanted = xm.PurchaseOrder(contact=xm.Contact(contact_id=ada), line_items=[line(account="400")], date=DAY)
    made = sdk.one("create_purchase_orders", many(xm.PurchaseOrders, [wanted]))
    assert (made.status, made.total) == ("DRAFT", 115)
    approve = many(xm.PurchaseOrders, [xm.PurchaseOrder(status="AUTHORISED")])
    assert sdk.one("update_purchase_order", made.purchase_order_id, approve).status == "AUTHORISED"
    back = xm.PurchaseOrder(purchase_order_id=made.purchase_order_id, status="DRAFT")
    assert "status change is invalid" in sdk.refusal(
        "update_or_create_purchase_orders", many(xm.PurchaseOrders, [back])
    )


def test_the_sdk_writes_quotes(sdk):
    fields = {"contact": xm.Contact(name="Ada"), "date": DAY}
    made = sdk.one("create_quotes", many(xm.Quotes, [xm.Quote(line_items=[line()], **fields)]))
    assert (made.total, made.line_amount_types.value) == (100, "EXCLUSIVE")
    sent = xm.Quote(quote_number=made.quote_number, status=xm.QuoteStatusCodes.SENT, **fields)
    assert sdk.one("update_quote", made.quote_id, many(xm.Quotes, [sent])).quote_id == made.quote_id
    answer = sdk.one("update_or_create_quotes", many(xm.Quotes, [xm.Quote(quote_id=made.quote_id, **fields)]))
    assert answer.quote_number != made.quote_number
    assert "Date must be specified" in sdk.refusal(
        "update_quote", made.quote_id, many(xm.Quotes, [xm.Quote(contact=xm.Contact(name="Ada"))])
    )


def test_the_sdk_writes_repeating_invoices(sdk):
    schedule = xm.Schedule(
        period=1, unit="MONTHLY", due_date=20, due_date_type="OFFOLLOWINGMONTH", start_date=DUE
    )
    fields = {
        "type": "ACCREC",
        "contact": xm.Contact(name="Ada"),
        "line_items": [line()],
        "schedule": schedule,
    }
    made = sdk.one(
        "create_repeating_invoices",
        many(xm.RepeatingInvoices, [xm.RepeatingInvoice(status="DRAFT", **fields)]),
    )
    assert (made.total, made.schedule.start_date) == (115, DUE)
    change = many(xm.RepeatingInvoices, [xm.RepeatingInvoice(reference="R")])
    assert "Only Status" in sdk.refusal("update_repeating_invoice", made.repeating_invoice_id, change)
    gone = many(xm.RepeatingInvoices, [xm.RepeatingInvoice(status="DELETED")])
    assert sdk.one("update_repeating_invoice", made.repeating_invoice_id, gone).status == "DELETED"


def test_the_sdk_writes_manual_journals(sdk):
    def journal(debit: float, credit: float, **more: Any) -> Any:
        lines = [
            xm.ManualJournalLine(line_amount=debit, account_code="400"),
            xm.ManualJournalLine(line_amount=-credit, account_code="404"),
        ]
        return many(
            xm.ManualJournals, [xm.ManualJournal(narration="N", journal_lines=lines, date=DAY, **more)]
        )

    made = sdk.one("create_manual_journals", journal(10, 10, status="POSTED"))
    assert made.status == "POSTED"
    assert (
        sdk.one("update_manual_journal", made.manual_journal_id, journal(7, 7)).journal_lines[0].line_amount
        == 7
    )
    again = sdk.one(
        "update_or_create_manual_journals", journal(5, 5, manual_journal_id=made.manual_journal_id)
    )
    assert again.manual_journal_id == made.manual_journal_id
    assert "must equal total credits" in sdk.refusal("create_manual_journals", journal(10, 9))


def test_the_sdk_writes_items(sdk):
    side = xm.Purchase(unit_price=10.1234, account_code="200")
    wanted = many(xm.Items, [xm.Item(code="KAY", name="Kayak", sales_details=side)])
    made = sdk.one("create_items", wanted, unitdp=4)
    assert str(made.sales_details.unit_price) == "10.1234"
    assert (
        sdk.one("update_or_create_items", many(xm.Items, [xm.Item(code="kay", name="Boat")])).item_id
        == made.item_id
    )
    assert sdk.one("update_item", made.item_id, many(xm.Items, [xm.Item(code="BOAT")])).code == "BOAT"
    assert "already exists" in sdk.refusal("create_items", many(xm.Items, [xm.Item(code="boat")]))
    sdk.delete_item(made.item_id)
    assert sdk.get_items().items == []


def test_the_sdk_writes_accounts(sdk):
    made = sdk.one("create_account", xm.Account(code="201", name="Tours", type=xm.AccountType.REVENUE))
    assert made._class == "REVENUE"
    changed = many(xm.Accounts, [xm.Account(name="Trips")])
    assert sdk.one("update_account", made.account_id, changed).name == "Trips"
    assert "Please enter a unique Name." in sdk.refusal(
        "create_account", xm.Account(code="209", name="TRIPS", type=xm.AccountType.REVENUE)
    )
    archived = sdk.one("update_account", made.account_id, many(xm.Accounts, [xm.Account(status="ARCHIVED")]))
    assert archived.status == "ARCHIVED"
    assert sdk.one("delete_account", made.account_id).status == "DELETED"


def test_the_sdk_writes_tax_rates(sdk):
    def rate(percent: float, **more: Any) -> Any:
        parts = [xm.TaxComponent(name="City", rate=percent)]
        return many(
            xm.TaxRates, [xm.TaxRate(name="City tax", report_tax_type="OUTPUT", tax_components=parts, **more)]
        )

    made = sdk.one("create_tax_rates", rate(2.25))
    assert (made.tax_type, made.effective_rate) == ("TAX001", Decimal("2.25"))
    assert sdk.one("update_tax_rate", rate(3)).effective_rate == 3
    assert "name must be unique" in sdk.refusal("create_tax_rates", rate(4))
    assert sdk.one("update_tax_rate", rate(3, status="DELETED")).status == "DELETED"


def test_the_sdk_writes_tracking_categories_and_options(sdk):
    made = sdk.one("create_tracking_category", xm.TrackingCategory(name="Region"))
    key = made.tracking_category_id
    option = sdk.one("create_tracking_options", key, xm.TrackingOption(name="North"))
    renamed = sdk.one(
        "update_tracking_options", key, option.tracking_option_id, xm.TrackingOption(name="South")
    )
    assert renamed.name == "South"
    assert "must be unique" in sdk.refusal("create_tracking_options", key, xm.TrackingOption(name="south"))
    assert sdk.one("delete_tracking_options", key, option.tracking_option_id).status == "DELETED"
    assert sdk.one("update_tracking_category", key, xm.TrackingCategory(name="Place")).name == "Place"
    assert "must be unique" in sdk.refusal("create_tracking_category", xm.TrackingCategory(name="place"))
    assert sdk.one("delete_tracking_category", key).status == "DELETED"


def test_the_sdk_writes_currencies(sdk):
    assert (
        sdk.one("create_currency", xm.Currency(code=xm.CurrencyCode.EUR, description="Euro")).description
        == "Euro"
    )
    assert "already subscribed" in sdk.refusal("create_currency", xm.Currency(code=xm.CurrencyCode.EUR))


def test_the_sdk_writes_payment_services(sdk):
    wanted = xm.PaymentService(
        payment_service_name="Cards", payment_service_url="https://p.nz", pay_now_text="Pay"
    )
    made = sdk.one("create_payment_service", many(xm.PaymentServices, [wanted]))
    assert made.payment_service_type == "Custom"
    theme = sdk.get_branding_themes().branding_themes[0].branding_theme_id
    chosen = many(xm.PaymentServices, [xm.PaymentService(payment_service_id=made.payment_service_id)])
    assert sdk.one("create_branding_theme_payment_services", theme, chosen).payment_service_name == "Cards"
    assert sdk.one("get_branding_theme_payment_services", theme).payment_service_name == "Cards"
    assert "PaymentServiceName must be unique" in sdk.refusal(
        "create_payment_service", many(xm.PaymentServices, [wanted])
    )


def test_the_sdk_writes_linked_transactions(sdk):
    bill, sale = invoice(sdk, type="ACCPAY"), invoice(sdk)
    source = {
        "source_transaction_id": bill.invoice_id,
        "source_line_item_id": bill.line_items[0].line_item_id,
    }
    made = sdk.one(
        "create_linked_transaction", xm.LinkedTransaction(contact_id=sale.contact.contact_id, **source)
    )
    assert made.status == "APPROVED"
    target = xm.LinkedTransaction(
        target_transaction_id=sale.invoice_id, target_line_item_id=sale.line_items[0].line_item_id
    )
    key = made.linked_transaction_id
    assert sdk.one("update_linked_transaction", key, many(xm.LinkedTransactions, [target])).status == "BILLED"
    assert "already been linked" in sdk.refusal(
        "create_linked_transaction", xm.LinkedTransaction(contact_id=sale.contact.contact_id, **source)
    )
    sdk.delete_linked_transaction(key)


def test_the_sdk_writes_history_attachments_and_mail(sdk):
    sdk.update_or_create_contacts(many(xm.Contacts, [xm.Contact(name="Ada", email_address="ada@b.nz")]))
    made = invoice(sdk)
    note = many(xm.HistoryRecords, [xm.HistoryRecord(details="Called")])
    assert sdk.one("create_invoice_history", made.invoice_id, note).details == "Called"
    file = sdk.one(
        "create_invoice_attachment_by_file_name", made.invoice_id, "a.pdf", b"%PDF", include_online=True
    )
    assert (file.file_name, file.content_length) == ("a.pdf", 4)
    changed = sdk.one("update_invoice_attachment_by_file_name", made.invoice_id, "a.pdf", b"%PDF-1")
    assert changed.attachment_id == file.attachment_id
    sdk.email_invoice(made.invoice_id, xm.RequestEmpty())
    assert sdk.one("get_invoice", made.invoice_id).sent_to_contact is True


def test_an_idempotency_key_of_the_sdk_makes_a_repeated_call_harmless(sdk, books):
    wanted = many(
        xm.Invoices,
        [xm.Invoice(type="ACCPAY", contact=xm.Contact(name="Ada"), line_items=[line(account="400")])],
    )
    before = len(books.admin.records("Invoices"))
    first, second = (sdk.one("create_invoices", wanted, idempotency_key="the-same") for _ in range(2))
    assert first.invoice_id == second.invoice_id
    assert len(books.admin.records("Invoices")) == before + 1
