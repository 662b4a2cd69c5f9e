"""The objects of the Accounting API, A to Z.

The facts are from Xero's OpenAPI file and developer guides; where real answers differ, a note or a comment says so.
`singer_xero.objects.base.XeroObject` explains the columns of a row, `singer_xero.objects.fields` the kinds of fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from singer_xero.objects.base import Paging, XeroObject
from singer_xero.objects.components import (
    ACCOUNT_CODE,
    ACCOUNT_REF,
    ADDRESS,
    ALLOCATIONS,
    ATTACHMENTS,
    BATCH_PAYMENT_REF,
    BATCHED_PAYMENT,
    CONTACT_GROUP_REF,
    CONTACT_PERSON,
    CONTACT_REF,
    CREDIT_NOTE_REF,
    CURRENCY,
    CURRENCY_RATE,
    DUE_DATE_TYPES,
    HAS_ATTACHMENTS,
    INVOICE_ADDRESS,
    INVOICE_REF,
    JOURNAL_TRACKING,
    LINE_AMOUNT_TYPES,
    LINE_ITEM,
    LINK_NAME,
    NUMBER,
    OVERPAYMENT_REF,
    PAYMENT_REF,
    PAYMENT_SERVICE,
    PAYMENT_TERMS,
    PHONE,
    PREPAYMENT_REF,
    REPORT_LINES,
    SOURCE_URL,
    TAX_TYPE,
    TRACKING,
    TRACKING_OPTION,
    UPDATED,
)
from singer_xero.objects.fields import (
    Component,
    at_most,
    calculated,
    day,
    flag,
    guid,
    instant,
    many,
    mixed,
    money,
    one,
    percent,
    quantity,
    text,
    whole,
)
from singer_xero.objects.scopes import Scopes, granular, report_scopes

# Granular scopes and, until September 2027, the broad ones that Xero gives to no new app.
_TRANSACTIONS = ("accounting.transactions.read", "accounting.transactions")
BANK_TRANSACTIONS = granular("accounting.banktransactions", broad=_TRANSACTIONS)
CLASSIC_EXPENSES = granular(
    "accounting.classicexpenses",
    broad=_TRANSACTIONS,
    reserved="Xero no longer grants classic expenses to new connections",
)
# Xero's list of scopes has none to write budgets.
BUDGETS = Scopes("accounting.budgets.read", also=("accounting.budgets",))
CONTACTS = granular("accounting.contacts")
INVOICES = granular("accounting.invoices", broad=_TRANSACTIONS)
JOURNALS = Scopes(
    "accounting.journals.read",
    reserved="Xero grants it only to apps of its Advanced tier",
    if_refused="Xero gives access to Journals only to apps of its Advanced tier (scope accounting.journals.read). "
    "Logging in again does not help: move the app to that tier at developer.xero.com, or deselect the streams "
    "journals and cash_journals.",
)
MANUAL_JOURNALS = granular("accounting.manualjournals", broad=_TRANSACTIONS)
PAYMENTS = granular("accounting.payments", broad=_TRANSACTIONS)
# Requesting it fails the whole consent: xero-python-oauth2-app#14, xero-node-oauth2-app#33.
PAYMENT_SERVICES = Scopes(
    "paymentservices",
    write="paymentservices",
    reserved="Xero grants it only to apps that it has certified for payments",
)
PUBLISHED_REPORTS = report_scopes("taxreports")
SETTINGS = granular("accounting.settings")

#: Without it Xero rounds unit prices to 2 decimals.
UNIT_PRICES = MappingProxyType({"unitdp": "4"})

_BALANCE = {"Outstanding": money, "Overdue": money}
_DEFAULT_TRACKING = {"TrackingCategoryName": text, "TrackingOptionName": text}
_PRICES = {
    "UnitPrice": money("Up to 4 decimals"),
    "AccountCode": ACCOUNT_CODE,
    "COGSAccountCode": ACCOUNT_CODE("Account of the cost of goods sold, for tracked items"),
    "TaxType": TAX_TYPE,
}
_HEAD = {"Status": text, "Contact": one(CONTACT_REF), "Date": day}
_SUMS = {
    "SubTotal": calculated(money("Without tax")),
    "TotalTax": calculated(money),
    "Total": calculated(money("With tax")),
}
_LINES = {"LineAmountTypes": LINE_AMOUNT_TYPES, "LineItems": many(LINE_ITEM), **_SUMS}
_CURRENCY_AND_LINES = {"CurrencyCode": CURRENCY, "CurrencyRate": CURRENCY_RATE, **_LINES}
_CREDIT = dict.fromkeys(("RemainingCredit", "AppliedAmount"), calculated(money))
_USES_OF_CREDIT = {"Allocations": ALLOCATIONS, "Payments": calculated(many(PAYMENT_REF, "Refunds"))}
_CIS_NOTE = "UK Construction Industry Scheme"
_CIS = {"CISDeduction": calculated(money(_CIS_NOTE)), "CISRate": calculated(percent(_CIS_NOTE))}
_LINK = {"Url": SOURCE_URL, "ExternalLinkProviderName": LINK_NAME}
_FILES_AND_CHANGE = {"Attachments": ATTACHMENTS, "HasAttachments": HAS_ATTACHMENTS, "UpdatedDateUTC": UPDATED}
_BANK_DETAILS = ("BankAccountNumber", "BankAccountName", "Details", "Code", "Reference")
_ACCOUNT_CLASSES = ("Assets", "Equity", "Expenses", "Liabilities", "Revenue")
_DELETED_LISTED = "listed with Status DELETED"
_ARCHIVED_LISTED = "listed with Status ARCHIVED if archived, no longer listed if deleted"
#: How lists report changes: all of them by time, most of them also in pages.
_BY_CHANGE: Mapping[str, Any] = {"cursor": "UpdatedDateUTC", "modified_since": True}
_PAGED: Mapping[str, Any] = {**_BY_CHANGE, "paging": Paging.PAGES}
_PREPAID: Mapping[str, Any] = {
    **_PAGED,
    "params": UNIT_PRICES,
    "scopes": PAYMENTS,
    "statuses": ("AUTHORISED", "PAID", "VOIDED"),
    "removal": "listed with Status VOIDED",
}

_PERSON = {
    **dict.fromkeys(("EmailAddress", "FirstName", "LastName"), text),
    "IsSubscriber": flag("Pays for the organisation"),
    "OrganisationRole": text("Such as READONLY, INVOICEONLY, STANDARD or FINANCIALADVISER"),
    "UpdatedDateUTC": UPDATED,
}
USER = Component({"UserID": guid, **_PERSON})
BRANDING_THEME = {
    "BrandingThemeID": guid,
    **dict.fromkeys(("Name", "Type", "LogoUrl"), text),
    "SortOrder": whole("0 is the default theme"),
    "CreatedDateUTC": calculated(instant),
}
RECEIPT = {
    "ReceiptID": guid,
    "ReceiptNumber": calculated(mixed(text("Number of the receipt within the user's claim"))),
    "Status": text,
    "User": one(USER),
    "Contact": one(CONTACT_REF),
    "Date": day,
    "Reference": text,
    "LineAmountTypes": LINE_AMOUNT_TYPES,
    "LineItems": many(LINE_ITEM),
    "SubTotal": money("Without tax"),
    "TotalTax": money,
    "Total": money("With tax"),
    "Url": calculated(SOURCE_URL),
    "ExternalLinkProviderName": LINK_NAME,
    **_FILES_AND_CHANGE,
}
RECEIPT_REF = Component(
    {
        name: word
        for name, word in RECEIPT.items()
        if name not in {"Contact", "LineItems", "Attachments", "User"}
    },
    thin="Xero sends id, number, date and amounts; receipts has the rest",
    of="receipts",
)

#: A journal, in the accrual books as in the cash ones.
JOURNAL = {
    "JournalID": guid,
    "JournalNumber": whole("Increases by one with each journal; used as the bookmark"),
    "JournalDate": day,
    "Reference": text,
    "SourceID": guid("The source document; empty for opening balances"),
    "SourceType": text("Type of the source document, such as ACCREC, CASHPAID, TRANSFER, MANJOURNAL"),
    "JournalLines": many(
        {
            "JournalLineID": guid,
            "AccountID": guid,
            "AccountCode": ACCOUNT_CODE,
            "AccountType": text,
            "AccountName": text,
            "Description": text,
            "NetAmount": money("Positive for debits, in the base currency"),
            "GrossAmount": money("NetAmount + TaxAmount"),
            "TaxAmount": calculated(money),
            "TaxType": TAX_TYPE,
            "TaxName": text,
            "TrackingCategories": many(JOURNAL_TRACKING),
        }
    ),
    "CreatedDateUTC": calculated(instant),
}

_ROWS = (
    XeroObject(
        name="accounts",
        **_BY_CHANGE,
        scopes=SETTINGS,
        natural_keys=("Code", "Name"),
        statuses=("ACTIVE", "ARCHIVED", "DELETED"),
        removal=_ARCHIVED_LISTED,
        fields={
            "AccountID": guid,
            "Code": at_most(50, text("Code in the chart of accounts; bank accounts may have none")),
            "Name": text,
            "Type": text("Such as BANK, CURRENT, EXPENSE, REVENUE"),
            "Class": calculated(text("ASSET, EQUITY, EXPENSE, LIABILITY or REVENUE")),
            "Status": text,
            "Description": text,
            "TaxType": TAX_TYPE,
            "CurrencyCode": CURRENCY,
            "BankAccountNumber": text,
            "BankAccountType": text("BANK, CREDITCARD or PAYPAL"),
            **dict.fromkeys(("EnablePaymentsToAccount", "ShowInExpenseClaims", "AddToWatchlist"), flag),
            "SystemAccount": calculated(text("Xero's own use of the account, such as DEBTORS")),
            "ReportingCode": text,
            "ReportingCodeName": calculated(text),
            "HasAttachments": HAS_ATTACHMENTS,
            "CreatedDateUTC": calculated(instant),
            "UpdatedDateUTC": UPDATED,
        },
    ),
    XeroObject(
        name="bank_transactions",
        **_PAGED,
        params=UNIT_PRICES,
        scopes=BANK_TRANSACTIONS,
        statuses=("AUTHORISED", "DELETED", "VOIDED"),
        removal=f"{_DELETED_LISTED} or VOIDED",
        fields={
            "BankTransactionID": guid,
            "Type": text("SPEND or RECEIVE, optionally followed by -OVERPAYMENT, -PREPAYMENT or -TRANSFER"),
            "Status": text,
            "Contact": one(CONTACT_REF),
            "BankAccount": one(ACCOUNT_REF),
            "IsReconciled": flag,
            "Date": day,
            "Reference": text,
            **_CURRENCY_AND_LINES,
            "PrepaymentID": calculated(guid("The prepayment that it created")),
            "OverpaymentID": calculated(guid("The overpayment that it created")),
            "BatchPayment": calculated(one(BATCH_PAYMENT_REF)),
            **_LINK,
            **_FILES_AND_CHANGE,
        },
    ),
    XeroObject(
        name="bank_transfers",
        cursor="CreatedDateUTC",
        modified_since=True,
        params=MappingProxyType({"includeDeleted": "true"}),
        scopes=BANK_TRANSACTIONS,
        statuses=("AUTHORISED", "DELETED"),
        removal=f"{_DELETED_LISTED}; only a full read finds a later deletion",
        fields={
            "BankTransferID": guid,
            "Status": calculated(text),
            "Date": day,
            "Amount": money,
            "CurrencyRate": calculated(CURRENCY_RATE),
            "Reference": text,
            "FromBankAccount": one(ACCOUNT_REF),
            "ToBankAccount": one(ACCOUNT_REF),
            "FromBankTransactionID": calculated(guid("The spend money transaction, in bank_transactions")),
            "ToBankTransactionID": calculated(guid("The receive money transaction, in bank_transactions")),
            "FromIsReconciled": flag,
            "ToIsReconciled": flag,
            "FromTracking": many(TRACKING),
            "ToTracking": many(TRACKING),
            "Attachments": ATTACHMENTS,
            "HasAttachments": HAS_ATTACHMENTS,
            "CreatedDateUTC": calculated(instant),
        },
    ),
    XeroObject(
        name="batch_payments",
        **_BY_CHANGE,
        scopes=PAYMENTS,
        statuses=("AUTHORISED", "DELETED"),
        removal=_DELETED_LISTED,
        fields={
            "BatchPaymentID": guid,
            "Type": calculated(text("PAYBATCH for bills, RECBATCH for sales")),
            "Status": calculated(text),
            "Account": one(ACCOUNT_REF, "The bank account"),
            "Date": day,
            "Amount": money,
            "TotalAmount": calculated(money("Sum of the payments")),
            "Payments": many(BATCHED_PAYMENT),
            "Reference": text("For the bank statement; New Zealand"),
            "Particulars": text("For the bank statement; New Zealand"),
            "Code": text("For the bank statement; New Zealand"),
            "Details": text("For the bank statement; outside New Zealand"),
            "Narrative": text("For the bank statement; United Kingdom"),
            "IsReconciled": calculated(flag),
            "UpdatedDateUTC": UPDATED,
        },
    ),
    XeroObject(
        name="branding_themes",
        scopes=SETTINGS,
        natural_keys=("Name",),
        fields=BRANDING_THEME,
    ),
    XeroObject(
        name="budgets",
        cursor="UpdatedDateUTC",
        detail="BudgetLines",
        months_a_call=24,  # Xero refuses more (its guide to budgets)
        scopes=BUDGETS,
        fields={
            "BudgetID": guid,
            "Type": text("OVERALL or TRACKING"),
            "Status": text,
            "Description": text,
            "CreatedIn": calculated(text("Where the budget was created")),
            "BudgetLines": many(
                {
                    "AccountID": guid,
                    "AccountCode": ACCOUNT_CODE,
                    "BudgetBalances": many(
                        {
                            "Period": at_most(30, text("Year and month, such as 2019-08")),
                            "Amount": mixed(money),
                            "UnitAmount": money,
                            "Notes": text,
                        }
                    ),
                }
            ),
            "Tracking": many(JOURNAL_TRACKING),
            "UpdatedDateUTC": UPDATED,
        },
    ),
    XeroObject(
        name="cash_journals",
        path="Journals",
        key=("JournalID",),
        paging=Paging.OFFSET,
        cursor="JournalNumber",
        modified_since=True,
        params=MappingProxyType({"paymentsOnly": "true"}),
        scopes=JOURNALS,
        natural_keys=("JournalNumber",),
        selected=False,
        costly=True,
        removal="never changed or removed; a reversal is a new journal",
        fields=JOURNAL,
    ),
    XeroObject(
        name="contact_groups",
        detail="Contacts",
        scopes=CONTACTS,
        natural_keys=("Name",),
        statuses=("ACTIVE", "DELETED"),
        removal="no longer listed, because Xero lists active groups only",
        fields={
            "ContactGroupID": guid,
            "Name": text,
            "Status": text,
            "Contacts": calculated(many(CONTACT_REF, "The members; written by separate requests")),
        },
    ),
    XeroObject(
        name="contacts",
        **_PAGED,
        archived=True,
        scopes=CONTACTS,
        natural_keys=("ContactNumber", "Name"),
        statuses=("ACTIVE", "ARCHIVED", "GDPRREQUEST"),
        removal="listed with ContactStatus ARCHIVED if archived or merged; never deleted",
        fields={
            "ContactID": guid,
            "ContactNumber": NUMBER("Id in another system, unique"),
            "AccountNumber": text,
            "ContactStatus": text,
            "Name": text("Unique among active contacts, ignoring case"),
            **dict.fromkeys(("FirstName", "LastName", "EmailAddress", "CompanyNumber"), text),
            **dict.fromkeys(("TaxNumber", "TaxNumberType", "BankAccountDetails"), text),
            "ContactPersons": many(CONTACT_PERSON, "At most 5; a write replaces all of them"),
            "Addresses": many(ADDRESS),
            "Phones": many(PHONE),
            "IsSupplier": calculated(flag("Has bills")),
            "IsCustomer": calculated(flag("Has sales invoices")),
            "DefaultCurrency": CURRENCY,
            "AccountsReceivableTaxType": TAX_TYPE,
            "AccountsPayableTaxType": TAX_TYPE,
            "SalesDefaultAccountCode": ACCOUNT_CODE,
            "PurchasesDefaultAccountCode": ACCOUNT_CODE,
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
                    "In the base currency; omitted if both are zero",
                )
            ),
            "BatchPayments": calculated(
                one(dict.fromkeys(_BANK_DETAILS, text), "Bank details for batch payments")
            ),
            "ContactGroups": calculated(many(CONTACT_GROUP_REF)),
            "BrandingTheme": calculated(one(BRANDING_THEME)),
            "Website": calculated(text),
            "Discount": calculated(percent("Default discount")),
            "XeroNetworkKey": text,
            "MergedToContactID": calculated(guid("The contact that this one was merged into")),
            **_FILES_AND_CHANGE,
        },
    ),
    XeroObject(
        name="credit_notes",
        **_PAGED,
        params=UNIT_PRICES,
        scopes=INVOICES,
        natural_keys=("CreditNoteNumber",),  # of sales credit notes only, as with invoices
        statuses=("DRAFT", "SUBMITTED", "AUTHORISED", "PAID", "VOIDED", "DELETED"),
        same_as=MappingProxyType({"ID": "CreditNoteID"}),
        removal=f"{_DELETED_LISTED} or VOIDED",
        fields={
            "CreditNoteID": guid,
            "CreditNoteNumber": NUMBER("Unique on sales credit notes"),
            "Type": text("ACCRECCREDIT for sales, ACCPAYCREDIT for bills"),
            **_HEAD,
            "DueDate": day,
            "FullyPaidOnDate": calculated(day),
            "Reference": text,
            **_CURRENCY_AND_LINES,
            "TotalDiscount": calculated(money),
            **_CREDIT,
            **_CIS,
            **_USES_OF_CREDIT,
            "BrandingThemeID": guid,
            "SentToContact": flag,
            "InvoiceAddresses": calculated(many(INVOICE_ADDRESS)),
            **_FILES_AND_CHANGE,
        },
    ),
    XeroObject(
        name="currencies",
        scopes=SETTINGS,
        natural_keys=("Code",),
        removal="never removed",
        fields={
            "Code": CURRENCY,
            "Description": text,
        },
    ),
    XeroObject(
        name="expense_claims",
        **_BY_CHANGE,
        scopes=CLASSIC_EXPENSES,
        statuses=("SUBMITTED", "AUTHORISED", "PAID", "VOIDED", "DELETED"),
        selected=False,
        removal=f"{_DELETED_LISTED} or VOIDED",
        fields={
            "ExpenseClaimID": guid,
            "Status": text,
            "User": one(USER),
            "Receipts": many(RECEIPT_REF),
            "ReceiptID": guid,
            "Payments": calculated(many(PAYMENT_REF)),
            **dict.fromkeys(("Total", "AmountDue", "AmountPaid"), calculated(money)),
            **dict.fromkeys(("PaymentDueDate", "ReportingDate"), calculated(day)),
            "UpdatedDateUTC": UPDATED,
        },
    ),
    XeroObject(
        name="invoice_reminders",
        path="InvoiceReminders/Settings",
        envelope="InvoiceReminders",
        key=(),
        scopes=SETTINGS,
        removal="never removed",
        fields={"Enabled": flag},
    ),
    XeroObject(
        name="invoices",
        **_PAGED,
        incremental=False,
        params=UNIT_PRICES,
        archived=True,
        scopes=INVOICES,
        # Xero's own on sales invoices only: on a bill it is the supplier's, and not unique.
        natural_keys=("InvoiceNumber",),
        statuses=("DRAFT", "SUBMITTED", "AUTHORISED", "PAID", "VOIDED", "DELETED"),
        removal=f"{_DELETED_LISTED} or VOIDED",
        fields={
            "InvoiceID": guid,
            "InvoiceNumber": NUMBER("Unique on sales invoices; on bills the supplier's number"),
            "Type": text("ACCREC for sales, ACCPAY for bills"),
            **_HEAD,
            "DueDate": day,
            "ExpectedPaymentDate": day("When the customer is expected to pay"),
            "PlannedPaymentDate": day("When the bill is planned to be paid"),
            "FullyPaidOnDate": calculated(day),
            "Reference": text,
            **_CURRENCY_AND_LINES,
            "TotalDiscount": calculated(money),
            "EnteredTotal": money("The total as entered, before rounding; in single reads only"),
            "RoundingAmount": money("Total less SubTotal and TotalTax; in single reads only"),
            "AmountDue": calculated(money),
            "AmountPaid": calculated(money),
            "AmountCredited": calculated(money("By credit notes, overpayments and prepayments")),
            **_CIS,
            "Payments": calculated(many(PAYMENT_REF)),
            "Prepayments": calculated(many(PREPAYMENT_REF)),
            "Overpayments": calculated(many(OVERPAYMENT_REF)),
            "CreditNotes": calculated(many(CREDIT_NOTE_REF)),
            "BrandingThemeID": guid,
            "RepeatingInvoiceID": calculated(guid("The repeating invoice that it was created from")),
            **_LINK,
            "SentToContact": flag,
            "IsDiscounted": calculated(flag),
            "InvoiceAddresses": calculated(many(INVOICE_ADDRESS)),
            "InvoicePaymentServices": calculated(many(PAYMENT_SERVICE)),
            **_FILES_AND_CHANGE,
        },
    ),
    XeroObject(
        name="items",
        **_BY_CHANGE,
        params=UNIT_PRICES,
        scopes=replace(SETTINGS, also=INVOICES.opening[:2]),
        natural_keys=("Code",),
        fields={
            "ItemID": guid,
            "Code": at_most(50, text("Unique; lines refer to it as ItemCode")),
            "Name": text,
            "Description": text("For sales"),
            "PurchaseDescription": text,
            "IsSold": flag,
            "IsPurchased": flag,
            "SalesDetails": one(_PRICES),
            "PurchaseDetails": one(_PRICES),
            "IsTrackedAsInventory": calculated(flag("Has an InventoryAssetAccountCode")),
            "InventoryAssetAccountCode": ACCOUNT_CODE,
            "TotalCostPool": calculated(money("Value of the stock; tracked items only")),
            **dict.fromkeys(
                ("QuantityOnHand", "QuantityAvailable", "QuantityOnBackOrder"),
                calculated(quantity("Tracked items only")),
            ),
            "UpdatedDateUTC": UPDATED,
        },
    ),
    XeroObject(
        name="journals",
        key=("JournalID",),
        paging=Paging.OFFSET,
        # Numbers only grow. CreatedDateUTC, on which If-Modified-Since filters, does not grow with them.
        cursor="JournalNumber",
        modified_since=True,
        scopes=JOURNALS,
        natural_keys=("JournalNumber",),
        removal="never changed or removed; a reversal is a new journal",
        fields=JOURNAL,
    ),
    XeroObject(
        name="linked_transactions",
        paging=Paging.SHORT_PAGES,
        cursor="UpdatedDateUTC",
        scopes=INVOICES,
        statuses=("DRAFT", "APPROVED", "ONDRAFT", "BILLED", "VOIDED"),
        fields={
            "LinkedTransactionID": guid,
            "Type": calculated(text("BILLABLEEXPENSE")),
            "Status": calculated(text),
            "SourceTransactionID": guid("The bill or spend money transaction"),
            "SourceLineItemID": guid,
            "SourceTransactionTypeCode": calculated(text("ACCPAY or SPEND")),
            "ContactID": guid("The customer to be charged"),
            "TargetTransactionID": guid("The sales invoice"),
            "TargetLineItemID": guid,
            "UpdatedDateUTC": UPDATED,
        },
    ),
    XeroObject(
        name="manual_journals",
        **_PAGED,
        # Asked for an order, this list has come back whole, page or no page (singer-io/tap-xero#104).
        ordered=False,
        scopes=MANUAL_JOURNALS,
        statuses=("DRAFT", "POSTED", "DELETED", "VOIDED", "ARCHIVED"),
        removal=f"{_DELETED_LISTED} or VOIDED",
        fields={
            "ManualJournalID": guid,
            "Narration": text,
            "Status": text,
            "Date": day,
            "LineAmountTypes": LINE_AMOUNT_TYPES,
            "JournalLines": many(
                {
                    "LineAmount": money("Positive for debits"),
                    "AccountCode": ACCOUNT_CODE,
                    "AccountID": guid("The account of AccountCode"),
                    "Description": text,
                    "TaxType": TAX_TYPE,
                    "TaxAmount": calculated(money),
                    "Tracking": many(JOURNAL_TRACKING, "At most two"),
                    "IsBlank": calculated(flag),
                },
                "Lines have no id: a write replaces all of them",
            ),
            "DebitTotal": calculated(money("Sum of the debit lines")),
            "CreditTotal": calculated(money("Sum of the credit lines")),
            "ShowOnCashBasisReports": flag,
            **_LINK,
            **_FILES_AND_CHANGE,
        },
    ),
    XeroObject(
        name="organisation",
        envelope="Organisations",
        scopes=SETTINGS,
        removal="never removed",
        fields={
            "OrganisationID": guid("The same as the tenant id"),
            "Name": text,
            "LegalName": text,
            "ShortCode": text("For links into Xero"),
            "APIKey": text("Key for Xero-to-Xero invoices"),
            **dict.fromkeys(("OrganisationStatus", "OrganisationType", "OrganisationEntityType"), text),
            "IsDemoCompany": flag,
            "Class": text("The price plan, such as DEMO, STARTER or PREMIUM"),
            "Edition": text("BUSINESS or PARTNER"),
            "Version": text("The regional version, such as AU, NZ, UK, US or GLOBAL"),
            "LineOfBusiness": text,
            "BaseCurrency": CURRENCY,
            "CountryCode": text("ISO 3166 code"),
            "Timezone": text("Such as NEWZEALANDSTANDARDTIME"),
            "RegistrationNumber": text,
            "EmployerIdentificationNumber": text("United States"),
            "PaysTax": flag,
            "TaxNumber": text,
            "TaxNumberName": calculated(text("Name of the tax number, such as GST Number")),
            **dict.fromkeys(
                ("SalesTaxBasis", "SalesTaxPeriod", "DefaultSalesTax", "DefaultPurchasesTax"), text
            ),
            "FinancialYearEndDay": whole,
            "FinancialYearEndMonth": whole,
            "PeriodLockDate": day("Only advisers can change anything dated on or before this day"),
            "EndOfYearLockDate": day("Nothing dated on or before this day can be changed"),
            "Addresses": many(ADDRESS),
            "Phones": many(PHONE),
            "ExternalLinks": many({"LinkType": text, "Url": text, "Description": text}),
            "PaymentTerms": one(PAYMENT_TERMS),
            "CreatedDateUTC": calculated(instant),
        },
    ),
    XeroObject(
        name="organisation_actions",
        path="Organisation/Actions",
        envelope="Actions",
        scopes=SETTINGS,
        removal="never removed",
        fields={
            "Name": at_most(255, text("Such as UseMulticurrency")),
            "Status": text("ALLOWED or NOT-ALLOWED"),
        },
    ),
    XeroObject(
        name="overpayments",
        **_PREPAID,
        same_as=MappingProxyType({"ID": "OverpaymentID"}),
        fields={
            "OverpaymentID": guid,
            "Type": text("RECEIVE-OVERPAYMENT, SPEND-OVERPAYMENT or AROVERPAYMENT"),
            **_HEAD,
            "Reference": text,
            **_CURRENCY_AND_LINES,
            **_CREDIT,
            **_USES_OF_CREDIT,
            **_FILES_AND_CHANGE,
        },
    ),
    XeroObject(
        name="payment_services",
        key=("PaymentServiceID",),
        scopes=PAYMENT_SERVICES,
        natural_keys=("PaymentServiceName",),
        fields=PAYMENT_SERVICE.fields,
    ),
    XeroObject(
        name="payments",
        **_PAGED,
        scopes=PAYMENTS,
        statuses=("AUTHORISED", "DELETED"),
        removal=_DELETED_LISTED,
        fields={
            "PaymentID": guid,
            "PaymentType": calculated(text("Such as ACCRECPAYMENT or ACCPAYPAYMENT")),
            "Status": text,
            "Date": day,
            "Amount": money("In the currency of what is paid"),
            "BankAmount": money("In the bank account's currency"),
            "CurrencyRate": CURRENCY_RATE(f"{CURRENCY_RATE.note}; 0 on some batch and deleted payments"),
            "Reference": text,
            "IsReconciled": flag,
            "Account": one(ACCOUNT_REF, "The bank account"),
            "HasAccount": calculated(flag),
            "Invoice": one(INVOICE_REF, "The paid document: this or one of the next three fields"),
            "CreditNote": one(CREDIT_NOTE_REF),
            "Prepayment": one(PREPAYMENT_REF),
            "Overpayment": one(OVERPAYMENT_REF),
            "InvoiceNumber": NUMBER,
            "CreditNoteNumber": NUMBER,
            "BatchPaymentID": calculated(guid),
            "BatchPayment": calculated(one(BATCH_PAYMENT_REF)),
            "BankAccountNumber": text("The payee's, for batch payments"),
            "Particulars": text("For the bank statement"),
            "Code": text("For the bank statement; in a write the code of the bank account"),
            "Details": text("For the bank statement"),
            "UpdatedDateUTC": UPDATED,
        },
    ),
    XeroObject(
        name="prepayments",
        **_PREPAID,
        same_as=MappingProxyType({"ID": "PrepaymentID"}),
        fields={
            "PrepaymentID": guid,
            "Type": text("RECEIVE-PREPAYMENT, SPEND-PREPAYMENT, ARPREPAYMENT or APPREPAYMENT"),
            **_HEAD,
            "Reference": calculated(text),
            "InvoiceNumber": calculated(NUMBER),
            **_CURRENCY_AND_LINES,
            **_CREDIT,
            **_USES_OF_CREDIT,
            "BrandingThemeID": calculated(guid),
            **_FILES_AND_CHANGE,
        },
    ),
    XeroObject(
        name="purchase_orders",
        **_PAGED,
        scopes=INVOICES,
        natural_keys=("PurchaseOrderNumber",),
        statuses=("DRAFT", "SUBMITTED", "AUTHORISED", "BILLED", "DELETED"),
        removal=_DELETED_LISTED,
        fields={
            "PurchaseOrderID": guid,
            "PurchaseOrderNumber": NUMBER(
                "Unique: a new order with a number in use overwrites the order that has it"
            ),
            "Type": calculated(text("PURCHASEORDER")),
            **_HEAD,
            "DeliveryDate": day,
            "ExpectedArrivalDate": day,
            "Reference": text,
            **_CURRENCY_AND_LINES,
            "TotalDiscount": calculated(money),
            "IsDiscounted": calculated(flag),
            **dict.fromkeys(("DeliveryAddress", "AttentionTo", "Telephone", "DeliveryInstructions"), text),
            "BrandingThemeID": guid,
            "SentToContact": flag,
            **_FILES_AND_CHANGE,
        },
    ),
    XeroObject(
        name="quotes",
        paging=Paging.SHORT_PAGES,
        **_BY_CHANGE,
        incremental=False,
        scopes=INVOICES,
        natural_keys=("QuoteNumber",),
        statuses=("DRAFT", "SENT", "DECLINED", "ACCEPTED", "INVOICED", "DELETED"),
        removal=_DELETED_LISTED,
        fields={
            "QuoteID": guid,
            "QuoteNumber": NUMBER("Not a permanent key: Xero may reuse a number that becomes free"),
            **_HEAD,
            "ExpiryDate": day,
            **dict.fromkeys(("Reference", "Title", "Summary"), text),
            "Terms": text("In single reads only"),
            "CurrencyCode": CURRENCY,
            "CurrencyRate": CURRENCY_RATE,
            "LineAmountTypes": text("Whether prices include tax, in capitals: EXCLUSIVE, INCLUSIVE or NOTAX"),
            "LineItems": many(LINE_ITEM),
            **_SUMS,
            "TotalDiscount": calculated(money),
            "BrandingThemeID": guid,
            "UpdatedDateUTC": UPDATED,
        },
    ),
    XeroObject(
        name="receipts",
        key=("ReceiptID",),
        **_BY_CHANGE,
        incremental=False,
        params=UNIT_PRICES,
        detail="LineItems",
        scopes=CLASSIC_EXPENSES,
        statuses=("DRAFT", "SUBMITTED", "AUTHORISED", "DECLINED", "VOIDED"),
        same_as=MappingProxyType({"ID": "ReceiptID"}),
        selected=False,
        costly=True,
        removal="listed with Status VOIDED",
        fields=RECEIPT,
    ),
    XeroObject(
        name="repeating_invoices",
        scopes=INVOICES,
        statuses=("DRAFT", "AUTHORISED", "DELETED"),
        same_as=MappingProxyType({"ID": "RepeatingInvoiceID"}),
        removal=_DELETED_LISTED,
        fields={
            "RepeatingInvoiceID": guid,
            "Type": text("ACCREC for sales, ACCPAY for bills"),
            "Status": text,
            "Contact": one(CONTACT_REF),
            "Schedule": one(
                {
                    "Period": whole("Number of units between two invoices"),
                    "Unit": text("WEEKLY or MONTHLY"),
                    "DueDate": whole("Days, or a day of the month, as DueDateType says"),
                    "DueDateType": text(DUE_DATE_TYPES),
                    "StartDate": day,
                    "NextScheduledDate": calculated(day),
                    "EndDate": day,
                }
            ),
            "Reference": text,
            "CurrencyCode": CURRENCY,
            **_LINES,
            "TotalDiscount": calculated(money),
            "BrandingThemeID": guid,
            "ApprovedForSending": flag("Xero emails each invoice when it is created"),
            **dict.fromkeys(("SendCopy", "MarkAsSent", "IncludePDF"), flag),
            "Attachments": ATTACHMENTS,
            "HasAttachments": HAS_ATTACHMENTS,
        },
    ),
    XeroObject(
        name="reports",
        scopes=PUBLISHED_REPORTS,
        detail="Rows",
        selected=False,
        costly=True,
        fields={
            "ReportID": at_most(255, text),
            **dict.fromkeys(("ReportName", "ReportTitle", "ReportType"), text),
            "ReportTitles": many(text),
            "ReportDate": text("As printed, such as 27 September 2010"),
            "Fields": many({"FieldID": text, "Description": text, "Value": text}),
            "Rows": many(REPORT_LINES),
            "UpdatedDateUTC": calculated(instant("When the report was created")),
        },
    ),
    XeroObject(
        name="tax_rates",
        scopes=SETTINGS,
        natural_keys=("Name",),
        statuses=("ACTIVE", "ARCHIVED", "DELETED", "PENDING"),
        removal=_DELETED_LISTED,
        fields={
            "TaxType": TAX_TYPE("Code that Xero assigns; TAX001 and so on for an organisation's own rates"),
            "Name": text,
            "Status": text,
            "ReportTaxType": text("Line of the tax return; required in Australia, New Zealand and the UK"),
            "DisplayTaxRate": calculated(percent("Sum of the components")),
            "EffectiveRate": calculated(percent("Including the effect of compound components")),
            "TaxComponents": many(
                {
                    "Name": text,
                    "Rate": percent,
                    "IsCompound": flag("Calculated on top of the other components; Canada"),
                    "IsNonRecoverable": flag("Canada"),
                }
            ),
            **{f"CanApplyTo{kind}": calculated(flag) for kind in _ACCOUNT_CLASSES},
        },
    ),
    XeroObject(
        name="tracking_categories",
        archived=True,
        scopes=SETTINGS,
        natural_keys=("Name",),
        statuses=("ACTIVE", "ARCHIVED", "DELETED"),
        removal=_ARCHIVED_LISTED,
        fields={
            "TrackingCategoryID": guid,
            "Name": text,
            "Status": text,
            "Options": calculated(many(TRACKING_OPTION, "Written by separate requests")),
        },
    ),
    XeroObject(
        name="users",
        **_BY_CHANGE,
        scopes=SETTINGS,
        fields={
            "UserID": guid,
            "GlobalUserID": guid("The same person in every organisation"),
            **_PERSON,
        },
    ),
)

#: All of them by stream name, A to Z.
OBJECTS: Mapping[str, XeroObject] = MappingProxyType({row.name: row for row in _ROWS})

# The rows that the programs read for themselves: whose books these are, and what reports are about.
ORGANISATION = OBJECTS["organisation"]
TRACKING_CATEGORIES = OBJECTS["tracking_categories"]
CONTACT_LIST = OBJECTS["contacts"]
INVOICE_LIST = OBJECTS["invoices"]
#: What a contact can owe or be owed.
OPEN_DOCUMENTS = (INVOICE_LIST, *(OBJECTS[name] for name in ("credit_notes", "prepayments", "overpayments")))
