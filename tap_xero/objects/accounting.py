"""The objects of the Accounting API, A to Z.

Facts are Xero's own: the public OpenAPI file and the developer guides; where real answers differ, the note or
a comment says so. How to read a row: `tap_xero.objects.base.XeroObject`; the words of the schemas:
`tap_xero.objects.fields`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tap_xero.objects.base import Paging, XeroObject
from tap_xero.objects.fields import (
    calculated,
    day,
    flag,
    guid,
    instant,
    many,
    money,
    one,
    percent,
    text,
    whole,
)
from tap_xero.objects.parts import (
    ADDRESS,
    ATTACHMENTS,
    CONTACT_GROUP_REF,
    CONTACT_PERSON,
    CONTACT_REF,
    CREDIT_NOTE_REF,
    CURRENCY,
    CURRENCY_RATE,
    HAS_ATTACHMENTS,
    INVOICE_ADDRESS,
    JOURNAL_TRACKING,
    LINE_AMOUNT_TYPES,
    LINE_ITEM,
    OVERPAYMENT_REF,
    PAYMENT_REF,
    PAYMENT_SERVICE,
    PAYMENT_TERMS,
    PHONE,
    PREPAYMENT_REF,
    SOURCE_URL,
    TAX_TYPE,
    UPDATED,
)

# Granular scopes first: they replace the broad ones, which no new app gets and which end in September 2027.
SETTINGS = ("accounting.settings.read", "accounting.settings")
CONTACTS = ("accounting.contacts.read", "accounting.contacts")
_BROAD = ("accounting.transactions.read", "accounting.transactions")
INVOICES = ("accounting.invoices.read", "accounting.invoices", *_BROAD)
PAYMENTS = ("accounting.payments.read", "accounting.payments", *_BROAD)
BANK_TRANSACTIONS = ("accounting.banktransactions.read", "accounting.banktransactions", *_BROAD)
MANUAL_JOURNALS = ("accounting.manualjournals.read", "accounting.manualjournals", *_BROAD)
JOURNALS = ("accounting.journals.read",)

BY_UPDATE = "UpdatedDateUTC ASC"
#: Without it Xero rounds unit prices to 2 decimals.
UNIT_PRICES = MappingProxyType({"unitdp": "4"})

DOCUMENT_STATUSES = ("DRAFT", "SUBMITTED", "AUTHORISED", "PAID", "VOIDED", "DELETED")

ACCOUNTS = XeroObject(
    name="accounts",
    path="Accounts",
    envelope="Accounts",
    key=("AccountID",),
    marker="UpdatedDateUTC",
    modified_since=True,
    incremental=True,
    scopes=SETTINGS,
    natural_keys=("Code", "Name"),
    statuses=("ACTIVE", "ARCHIVED", "DELETED"),
    removal="archived accounts stay with Status ARCHIVED; deleted ones vanish",
    fields={
        "AccountID": guid,
        "Code": text("The chart code; bank accounts may have none"),
        "Name": text,
        "Type": text("Such as BANK, CURRENT, EXPENSE, REVENUE"),
        "Class": calculated(text("ASSET, EQUITY, EXPENSE, LIABILITY or REVENUE")),
        "Status": text,
        "Description": text,
        "TaxType": TAX_TYPE,
        "CurrencyCode": CURRENCY,
        "BankAccountNumber": text,
        "BankAccountType": text("BANK, CREDITCARD or PAYPAL"),
        "EnablePaymentsToAccount": flag,
        "ShowInExpenseClaims": flag,
        "AddToWatchlist": flag,
        "SystemAccount": calculated(text("What Xero itself uses it for, such as DEBTORS")),
        "ReportingCode": text,
        "ReportingCodeName": calculated(text),
        "HasAttachments": HAS_ATTACHMENTS,
        "UpdatedDateUTC": UPDATED,
    },
)

_BALANCE = {"Outstanding": money, "Overdue": money}
_DEFAULT_TRACKING = {"TrackingCategoryName": text, "TrackingOptionName": text}

CONTACTS_ = XeroObject(
    name="contacts",
    path="Contacts",
    envelope="Contacts",
    key=("ContactID",),
    paging=Paging.PAGES,
    marker="UpdatedDateUTC",
    modified_since=True,
    incremental=True,
    order=BY_UPDATE,
    archived=True,
    scopes=CONTACTS,
    natural_keys=("ContactNumber", "Name"),
    statuses=("ACTIVE", "ARCHIVED", "GDPRREQUEST"),
    removal="contacts are never deleted; archived and merged ones have ContactStatus ARCHIVED",
    note="Balances, IsSupplier and IsCustomer change without moving UpdatedDateUTC.",
    fields={
        "ContactID": guid,
        "ContactNumber": text("Id in another system, unique"),
        "AccountNumber": text,
        "ContactStatus": text,
        "Name": text("Unique among active contacts, whatever the case"),
        "FirstName": text,
        "LastName": text,
        "EmailAddress": text,
        "CompanyNumber": text,
        "TaxNumber": text,
        "TaxNumberType": text,
        "BankAccountDetails": text,
        "ContactPersons": many(CONTACT_PERSON, "At most 5; a write replaces them all"),
        "Addresses": many(ADDRESS),
        "Phones": many(PHONE),
        "IsSupplier": calculated(flag("Has bills")),
        "IsCustomer": calculated(flag("Has sales invoices")),
        "DefaultCurrency": CURRENCY,
        "AccountsReceivableTaxType": TAX_TYPE,
        "AccountsPayableTaxType": TAX_TYPE,
        "SalesDefaultAccountCode": text,
        "PurchasesDefaultAccountCode": text,
        "SalesDefaultLineAmountType": text,
        "PurchasesDefaultLineAmountType": text,
        "SalesTrackingCategories": many(_DEFAULT_TRACKING),
        "PurchasesTrackingCategories": many(_DEFAULT_TRACKING),
        "TrackingCategoryName": text,
        "TrackingCategoryOption": text,
        "PaymentTerms": one(PAYMENT_TERMS),
        "Balances": calculated(
            one(
                {"AccountsReceivable": one(_BALANCE), "AccountsPayable": one(_BALANCE)},
                "In the base currency; left out when both are nil",
            )
        ),
        "BatchPayments": calculated(
            one(
                {
                    "BankAccountNumber": text,
                    "BankAccountName": text,
                    "Details": text,
                    "Code": text,
                    "Reference": text,
                },
                "Bank details for batch payments",
            )
        ),
        "ContactGroups": calculated(many(CONTACT_GROUP_REF)),
        "BrandingTheme": calculated(
            one(
                {
                    "BrandingThemeID": guid,
                    "Name": text,
                    "LogoUrl": text,
                    "Type": text,
                    "SortOrder": whole,
                    "CreatedDateUTC": instant,
                }
            )
        ),
        "Website": calculated(text),
        "Discount": calculated(percent("Default discount")),
        "XeroNetworkKey": text,
        "MergedToContactID": calculated(guid("The contact that this one was merged into")),
        "Attachments": ATTACHMENTS,
        "HasAttachments": HAS_ATTACHMENTS,
        "UpdatedDateUTC": UPDATED,
    },
)

INVOICES_ = XeroObject(
    name="invoices",
    path="Invoices",
    envelope="Invoices",
    key=("InvoiceID",),
    paging=Paging.PAGES,
    marker="UpdatedDateUTC",
    modified_since=True,
    order=BY_UPDATE,
    params=UNIT_PRICES,
    archived=True,
    scopes=INVOICES,
    natural_keys=("InvoiceNumber",),  # of sales invoices only: on a bill it is the supplier's, and not unique
    statuses=DOCUMENT_STATUSES,
    removal="deleted and voided ones stay, with Status DELETED or VOIDED",
    note="Sales invoices (Type ACCREC) and bills (ACCPAY).",
    fields={
        "InvoiceID": guid,
        "InvoiceNumber": text("Unique on sales invoices; on bills the supplier's number"),
        "Type": text("ACCREC for sales, ACCPAY for bills"),
        "Status": text,
        "Contact": one(CONTACT_REF),
        "Date": day,
        "DueDate": day,
        "ExpectedPaymentDate": day("When a customer is expected to pay"),
        "PlannedPaymentDate": day("When a bill is to be paid"),
        "FullyPaidOnDate": calculated(day),
        "Reference": text,
        "CurrencyCode": CURRENCY,
        "CurrencyRate": CURRENCY_RATE,
        "LineAmountTypes": LINE_AMOUNT_TYPES,
        "LineItems": many(LINE_ITEM),
        "SubTotal": calculated(money("Without tax")),
        "TotalTax": calculated(money),
        "Total": calculated(money("With tax")),
        "TotalDiscount": calculated(money),
        "EnteredTotal": calculated(money("The total as typed in, before rounding")),
        "RoundingAmount": calculated(money),
        "AmountDue": calculated(money),
        "AmountPaid": calculated(money),
        "AmountCredited": calculated(money("By credit notes, overpayments and prepayments")),
        "CISDeduction": calculated(money("UK Construction Industry Scheme")),
        "CISRate": calculated(percent("UK Construction Industry Scheme")),
        "Payments": calculated(many(PAYMENT_REF)),
        "Prepayments": calculated(many(PREPAYMENT_REF)),
        "Overpayments": calculated(many(OVERPAYMENT_REF)),
        "CreditNotes": calculated(many(CREDIT_NOTE_REF)),
        "BrandingThemeID": guid,
        "RepeatingInvoiceID": calculated(guid("The template it was made from")),
        "Url": SOURCE_URL,
        "SentToContact": flag,
        "IsDiscounted": calculated(flag),
        "InvoiceAddresses": calculated(many(INVOICE_ADDRESS)),
        "InvoicePaymentServices": calculated(many(PAYMENT_SERVICE)),
        "Attachments": ATTACHMENTS,
        "HasAttachments": HAS_ATTACHMENTS,
        "UpdatedDateUTC": UPDATED,
    },
)

JOURNALS_ = XeroObject(
    name="journals",
    path="Journals",
    envelope="Journals",
    key=("JournalID",),
    paging=Paging.OFFSET,
    # Numbers only grow; CreatedDateUTC does not grow with them, and If-Modified-Since filters on that one.
    marker="JournalNumber",
    modified_since=True,
    incremental=True,
    scopes=JOURNALS,
    natural_keys=("JournalNumber",),
    removal="journals are never changed or removed; a reversal is a new journal",
    note="Only for apps of Xero's Advanced tier and above.",
    fields={
        "JournalID": guid,
        "JournalNumber": whole("Grows by one; the bookmark"),
        "JournalDate": day,
        "Reference": text,
        "SourceID": guid("The document it comes from; none for opening balances"),
        "SourceType": text("Kind of that document, such as ACCREC, CASHPAID, TRANSFER, MANJOURNAL"),
        "JournalLines": many(
            {
                "JournalLineID": guid,
                "AccountID": guid,
                "AccountCode": text,
                "AccountType": text,
                "AccountName": text,
                "Description": text,
                "NetAmount": money("Debit positive, in the base currency"),
                "GrossAmount": money("NetAmount + TaxAmount"),
                "TaxAmount": calculated(money),
                "TaxType": TAX_TYPE,
                "TaxName": text,
                "TrackingCategories": many(JOURNAL_TRACKING),
            }
        ),
        "CreatedDateUTC": calculated(instant),
    },
)

#: All of them by stream name, A to Z.
OBJECTS: Mapping[str, XeroObject] = MappingProxyType(
    {row.name: row for row in (ACCOUNTS, CONTACTS_, INVOICES_, JOURNALS_)}
)
