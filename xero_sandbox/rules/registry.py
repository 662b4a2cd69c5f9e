"""The rule for each resource that can be written; ``resources.RESOURCES`` has the methods."""

from __future__ import annotations

from . import bank_transactions, contacts, documents, linked_transactions, manual_journals, orders, payments
from .reference import accounts, currencies, items, tax_rates, tracking_categories
from .work import Rule

RULES: dict[str, Rule] = {
    "Accounts": accounts.ACCOUNTS,
    "BankTransactions": bank_transactions.BANK_TRANSACTIONS,
    "BankTransfers": bank_transactions.BANK_TRANSFERS,
    "BatchPayments": payments.BATCH_PAYMENTS,
    "ContactGroups": contacts.GROUPS,
    "Contacts": contacts.CONTACTS,
    "CreditNotes": documents.CREDIT_NOTES,
    "Currencies": currencies.CURRENCIES,
    "Invoices": documents.INVOICES,
    "Items": items.ITEMS,
    "LinkedTransactions": linked_transactions.LINKED_TRANSACTIONS,
    "ManualJournals": manual_journals.MANUAL_JOURNALS,
    "PaymentServices": currencies.PAYMENT_SERVICES,
    "Payments": payments.PAYMENTS,
    "PurchaseOrders": orders.ORDERS,
    "Quotes": orders.QUOTES,
    "RepeatingInvoices": orders.REPEATING_INVOICES,
    "TaxRates": tax_rates.TAX_RATES,
    "TrackingCategories": tracking_categories.TRACKING_CATEGORIES,
}
