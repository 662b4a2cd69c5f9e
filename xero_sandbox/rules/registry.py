"""The rule for each resource that can be written; ``resources.RESOURCES`` has the methods."""

from __future__ import annotations

from . import bank_transactions, contacts, documents, manual_journals, orders, payments, reference_data
from .work import Rule

RULES: dict[str, Rule] = {
    "Accounts": reference_data.ACCOUNTS,
    "BankTransactions": bank_transactions.BANK_TRANSACTIONS,
    "BankTransfers": bank_transactions.BANK_TRANSFERS,
    "BatchPayments": payments.BATCH_PAYMENTS,
    "ContactGroups": contacts.GROUPS,
    "Contacts": contacts.CONTACTS,
    "CreditNotes": documents.CREDIT_NOTES,
    "Currencies": reference_data.CURRENCIES,
    "Invoices": documents.INVOICES,
    "Items": reference_data.ITEMS,
    "LinkedTransactions": reference_data.LINKED_TRANSACTIONS,
    "ManualJournals": manual_journals.MANUAL_JOURNALS,
    "PaymentServices": reference_data.PAYMENT_SERVICES,
    "Payments": payments.PAYMENTS,
    "PurchaseOrders": orders.ORDERS,
    "Quotes": orders.QUOTES,
    "RepeatingInvoices": orders.REPEATING_INVOICES,
    "TaxRates": reference_data.TAX_RATES,
    "TrackingCategories": reference_data.TRACKING_CATEGORIES,
}
