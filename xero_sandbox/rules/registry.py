"""What a write does: the table of handlers. What is not in it is answered with 501 and says so.

A key is the verb and the address' shape, with ``*`` for any resource: ``"PUT Invoices"`` (the list),
``"POST Invoices/"`` (one record), ``"PUT Invoices/Allocations"`` (what hangs on a record) and
``"DELETE Invoices/Allocations/"`` (one of those). A handler gets the ``Call`` and runs inside ``store.change()``.
"""

from __future__ import annotations

from collections.abc import Callable

from werkzeug import Response

from ..http.calls import Call
from ..http.idempotency import once
from . import attachments as enclosures
from . import banking, documents
from . import contacts as people
from . import manual_journals as ledgering
from . import orders as trading
from . import reference_data as catalogues
from .work import Rule, write

Handler = Callable[[Call], Response]

RULES: dict[str, Rule] = {
    "Accounts": catalogues.ACCOUNTS,
    "BankTransactions": banking.BANK_TRANSACTIONS,
    "BankTransfers": banking.BANK_TRANSFERS,
    "BatchPayments": banking.BATCH_PAYMENTS,
    "ContactGroups": people.GROUPS,
    "Contacts": people.CONTACTS,
    "CreditNotes": documents.CREDIT_NOTES,
    "Currencies": catalogues.CURRENCIES,
    "Invoices": documents.INVOICES,
    "Items": catalogues.ITEMS,
    "LinkedTransactions": catalogues.LINKED_TRANSACTIONS,
    "ManualJournals": ledgering.MANUAL_JOURNALS,
    "PaymentServices": catalogues.PAYMENT_SERVICES,
    "Payments": banking.PAYMENTS,
    "PurchaseOrders": trading.ORDERS,
    "Quotes": trading.QUOTES,
    "RepeatingInvoices": trading.REPEATING_INVOICES,
    "TaxRates": catalogues.TAX_RATES,
    "TrackingCategories": catalogues.TRACKING_CATEGORIES,
}
"""How the records of each resource are written; ``resources.RESOURCES`` says by which verbs."""

HANDLERS: dict[str, Handler] = {
    "DELETE Accounts/": catalogues.delete_account,
    "DELETE Items/": catalogues.delete_item,
    "DELETE LinkedTransactions/": catalogues.delete_link,
    "DELETE TrackingCategories/": catalogues.delete_category,
    "PUT TrackingCategories/Options": catalogues.add_options,
    "POST TrackingCategories/Options/": catalogues.change_option,
    "DELETE TrackingCategories/Options/": catalogues.change_option,
    "POST BrandingThemes/PaymentServices": catalogues.attach_services,
    "PUT ContactGroups/Contacts": people.add_members,
    "DELETE ContactGroups/Contacts": people.remove_members,
    "DELETE ContactGroups/Contacts/": people.remove_members,
    "PUT */Allocations": banking.allocate,
    "DELETE */Allocations/": banking.deallocate,
    "PUT */History": enclosures.add_notes,
    "PUT */Attachments/": enclosures.attach,
    "POST */Attachments/": enclosures.attach,
    "POST Invoices/Email": enclosures.mail,
}
"""All other writes."""


def handler(call: Call) -> Handler | None:
    """The handler of a write, if there is one."""
    shape = "/" if call.key else ""
    if call.part:
        shape += call.part + ("/" if call.name else "")
    found = HANDLERS.get(f"{call.method} {call.resource.path}{shape}") or HANDLERS.get(
        f"{call.method} *{shape}"
    )
    if found is None and not call.part and call.method != "DELETE" and call.resource.path in RULES:
        found = write(RULES[call.resource.path])
    if found is None:
        return None
    work = found
    return lambda call: once(call, work)
