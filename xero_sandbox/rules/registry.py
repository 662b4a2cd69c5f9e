"""The rule for each resource that can be written; ``resources.RESOURCES`` has the methods."""

from __future__ import annotations

from functools import partial

from . import bank_transactions, contacts, documents, linked_transactions, manual_journals, orders, payments
from .reference import accounts, currencies, items, tax_rates, tracking_categories
from .work import Rule

RULES: dict[str, Rule] = {
    "Accounts": Rule(accounts.save_account, one="PUT POST", summarize=""),
    "BankTransactions": Rule(bank_transactions.save_bank_transaction),
    "BankTransfers": Rule(bank_transactions.save_transfer, summarize="POST"),
    "BatchPayments": Rule(payments.save_batch, summarize="PUT"),
    "ContactGroups": Rule(contacts.save_group, summarize="", flag="HasValidationErrors", lists="Contacts"),
    "Contacts": Rule(
        contacts.save_contact,
        contacts.match_contact,
        flag="HasValidationErrors",
        lists="Addresses Phones ContactGroups ContactPersons",
    ),
    "CreditNotes": Rule(
        partial(documents.save_invoice, spec=documents.CREDIT_NOTE),
        flag="HasErrors",
        lists="Payments Allocations InvoiceAddresses",
    ),
    "Currencies": Rule(currencies.save_currency, one="PUT", summarize="", by_id=False),
    "Invoices": Rule(
        documents.save_invoice,
        documents.match_invoice,
        flag="HasErrors",
        lists="Payments CreditNotes Prepayments Overpayments InvoiceAddresses InvoicePaymentServices",
    ),
    "Items": Rule(items.save_item, items.match_item),
    "LinkedTransactions": Rule(linked_transactions.save_link, one="PUT POST", summarize=""),
    "ManualJournals": Rule(manual_journals.save_manual_journal),
    "PaymentServices": Rule(currencies.save_payment_service, summarize=""),
    "Payments": Rule(payments.save_payment, one="POST", summarize="PUT", flag="HasValidationErrors"),
    "PurchaseOrders": Rule(orders.save_order, flag="HasErrors"),
    "Quotes": Rule(orders.save_quote, orders.match_quote),
    "RepeatingInvoices": Rule(orders.save_repeating),
    "TaxRates": Rule(
        tax_rates.save_tax_rate, tax_rates.match_tax_rate, one="PUT POST", summarize="", by_id=False
    ),
    "TrackingCategories": Rule(tracking_categories.save_category, one="PUT POST", summarize=""),
}
