"""The resources of the Accounting API, as Xero's documentation describes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

LIST, PAGE, SINGLE, SUMMARY = "list", "page", "single", "summary"


@dataclass(frozen=True)
class View:
    """The form of a record in one kind of answer.

    ``drop``: fields to omit. ``empty``: lists shown as ``[]``. ``unless_true``: fields omitted when empty or false.
    ``contact``: the form of the contact (``name``, ``quote``, ``order``, ``whole order``, ``full``; else as stored).
    ``lines``: fields to omit from every line; ``more_on_lines``: fields that this view adds to lines. ``tracking``:
    ``listed`` (an empty ``Options`` instead of TrackingOptionID, as in Xero's paged lists) or ``single`` (no
    ``Options``). ``no_base_rate``: a record in base currency that was entered in Xero itself has no CurrencyRate.
    ``more``: fields shown even when empty; ``within``: the same for nested records, by path.
    """

    drop: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    unless_true: tuple[str, ...] = ()
    contact: str = ""
    lines: tuple[str, ...] = ()
    more_on_lines: tuple[str, ...] = ()
    tracking: str = ""
    no_base_rate: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)
    within: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Resource:
    """One resource.

    ``path``: its name in the address. ``fields``: all its fields. ``scopes``: the scope families, any of which
    gives access. ``key``: its identifier, if that is not formed like InvoiceID. ``list_name``: its name in the
    envelope, if that is not the path. ``by``: further fields by which an address names a record. ``paging``: ``""``
    (one answer), ``page`` (on request), ``always``, ``hundred`` (pages of 100 without a pagination block) or
    ``offset`` (journals). ``since``: the instant that If-Modified-Since filters, empty where Xero ignores the
    header. ``order``: the field that orders lists, by default ``since``; empty for the order of creation.
    ``filters``: its query parameters, see ``queries.FILTERS``. ``hidden``: (field, value, parameter) of records
    that lists omit unless the parameter is true. ``unitdp``: it accepts that parameter. ``places``: the decimals of
    unit prices otherwise, None for up to four, as the price has them (as recorded of items). ``twins``: dates that
    also appear as text. ``bare``: dates without ``+0000`` (``*``: all). ``verbs``: Xero's methods by the rest of the
    address: ``""`` for the list, ``/`` for a record, ``/History`` and ``/Attachments/`` below it.
    """

    fields: str
    scopes: str
    path: str = ""
    key: str = ""
    list_name: str = ""
    by: tuple[str, ...] = ()
    single: bool = True
    paging: str = ""
    since: str = "UpdatedDateUTC"
    order: str | None = None
    where: bool = True
    filters: str = ""
    hidden: tuple[str, str, str] | None = None
    unitdp: bool = False
    places: int | None = 2
    twins: str = ""
    bare: str = ""
    id_twice: bool = False
    views: Mapping[str, View] = field(default_factory=dict)
    verbs: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of all its fields."""
        return frozenset(self.fields.split())

    @property
    def id(self) -> str:
        """The field that identifies a record."""
        return self.key or f"{self.path.removesuffix('s')}ID"

    @property
    def list_order(self) -> str:
        """The field that orders lists; empty for the order of creation."""
        return self.since if self.order is None else self.order

    @property
    def envelope(self) -> str:
        """The key of its records in an answer."""
        return self.list_name or self.path

    def view(self, name: str) -> View:
        """The view with that name."""
        return self.views.get(name, _AS_KEPT)


_AS_KEPT = View()
_SAVED = {"": "PUT POST", "/": "POST"}
_CREATED = {"": "PUT", "/": "POST"}
_NOTES = {"/History": "GET PUT"}
_FILES = {"/Attachments": "GET", "/Attachments/": "GET PUT POST"}
_CREDITS = {"/Allocations": "PUT", "/Allocations/": "DELETE"}

_EMPTY_INVOICE: dict[str, Any] = {
    "Payments": [],
    "CreditNotes": [],
    "Prepayments": [],
    "Overpayments": [],
    "IsDiscounted": False,
    "InvoiceAddresses": [],
    "HasErrors": False,
    "InvoicePaymentServices": [],
    "LineItems": [],
}
"""The fields that Xero adds to an invoice inside another record (as recorded)."""

_ALLOCATED = {"Allocations.Invoice": _EMPTY_INVOICE}
_CREDITED = {"CreditNotes": {"HasErrors": False, "InvoiceAddresses": [], "LineItems": []}}
_ALONE = ("DiscountEnteredAsPercent", "ValidationErrors")

_DOCUMENT = {
    LIST: View(empty=("LineItems",), contact="name", unless_true=("SentToContact",)),
    PAGE: View(contact="name", unless_true=("SentToContact",), tracking="listed"),
    SINGLE: View(contact="full", tracking="single", more_on_lines=_ALONE),
}
_CREDIT = {name: replace(view, within=_ALLOCATED) for name, view in _DOCUMENT.items()}
_INVOICE = {
    LIST: replace(_DOCUMENT[LIST], within=_CREDITED, more={"InvoicePaymentServices": []}),
    PAGE: replace(_DOCUMENT[PAGE], within=_CREDITED, more={"InvoicePaymentServices": []}),
    SINGLE: replace(
        _DOCUMENT[SINGLE],
        drop=("InvoiceAddresses",),
        unless_true=("Payments", "CreditNotes", "AmountCredited"),
        within=_CREDITED,
        more={"InvoicePaymentServices": []},
    ),
    SUMMARY: View(
        contact="name",
        drop=("LineItems", "Payments", "CreditNotes", "Prepayments", "Overpayments", "InvoiceAddresses"),
        unless_true=("SentToContact",),
    ),
}
_BANK = {name: replace(view, no_base_rate=True) for name, view in _DOCUMENT.items()}
_PAYMENT = View(within={"Invoice": _EMPTY_INVOICE})
_PAGED_ONLY = (
    "PaymentTerms SalesTrackingCategories PurchasesTrackingCategories MergedToContactID SalesDefaultLineAmountType"
    " PurchasesDefaultLineAmountType Website Discount SalesDefaultAccountCode PurchasesDefaultAccountCode"
).split()
_MEMBER: dict[str, dict[str, Any]] = {"ContactGroups": {"Contacts": []}}
_CONTACT = {
    PAGE: View(within=_MEMBER),
    SINGLE: View(within=_MEMBER),
    LIST: View(drop=tuple(_PAGED_ONLY), empty=("ContactGroups", "ContactPersons")),
    SUMMARY: View(
        drop=("IsSupplier", "IsCustomer", "Balances", "ContactGroups", "ContactPersons", "PaymentTerms")
    ),
}
_TRANSACTION_SCOPES = "accounting.transactions"

RESOURCES: dict[str, Resource] = {
    path: replace(row, path=path)
    for path, row in {
        "Accounts": Resource(
            "Code Name AccountID Type BankAccountNumber Status Description BankAccountType CurrencyCode TaxType"
            " EnablePaymentsToAccount ShowInExpenseClaims Class SystemAccount ReportingCode ReportingCodeName"
            " HasAttachments CreatedDateUTC UpdatedDateUTC AddToWatchlist",
            "accounting.settings",
            order="Code",
            verbs={"": "PUT POST", "/": "POST DELETE", **_FILES},
        ),
        "BankTransactions": Resource(
            "Type Contact LineItems BankAccount IsReconciled Date Reference CurrencyCode CurrencyRate Url Status"
            " LineAmountTypes SubTotal TotalTax Total BankTransactionID PrepaymentID OverpaymentID UpdatedDateUTC"
            " HasAttachments BatchPayment",
            f"accounting.banktransactions {_TRANSACTION_SCOPES}",
            paging="page",
            filters="References",
            unitdp=True,
            twins="Date",
            views=_BANK,
            verbs={**_SAVED, **_FILES, **_NOTES},
        ),
        "BankTransfers": Resource(
            "FromBankAccount ToBankAccount Amount Date BankTransferID CurrencyRate FromBankTransactionID"
            " ToBankTransactionID FromIsReconciled ToIsReconciled Reference HasAttachments CreatedDateUTC Status"
            " FromTracking ToTracking",
            f"accounting.banktransactions {_TRANSACTION_SCOPES}",
            since="CreatedDateUTC",
            hidden=("Status", "DELETED", "includeDeleted"),
            twins="Date CreatedDateUTC",
            verbs={**_SAVED, **_FILES, **_NOTES},
        ),
        "BatchPayments": Resource(
            "Account Reference Particulars Code Details Narrative BatchPaymentID Date Amount Payments Type Status"
            " TotalAmount UpdatedDateUTC IsReconciled",
            f"accounting.payments {_TRANSACTION_SCOPES}",
            twins="Date",
            verbs={**_SAVED, **_NOTES},
        ),
        "BrandingThemes": Resource(
            "BrandingThemeID Name LogoUrl Type SortOrder CreatedDateUTC",
            "accounting.settings",
            since="",
            where=False,
            verbs={"/PaymentServices": "GET POST"},
        ),
        "Budgets": Resource(
            "BudgetID Type Status Description UpdatedDateUTC BudgetLines Tracking",
            "accounting.budgets",
            since="",
            where=False,
            filters="IDs",
            views={LIST: View(empty=("BudgetLines",))},
        ),
        "ContactGroups": Resource(
            "Name Status ContactGroupID Contacts",
            "accounting.contacts",
            since="",
            hidden=("Status", "DELETED", ""),
            views={LIST: View(empty=("Contacts",)), SINGLE: View(contact="members")},
            verbs={**_CREATED, "/Contacts": "PUT DELETE", "/Contacts/": "DELETE"},
        ),
        "Contacts": Resource(
            "ContactID MergedToContactID ContactNumber AccountNumber ContactStatus Name FirstName LastName"
            " CompanyNumber EmailAddress ContactPersons BankAccountDetails TaxNumber TaxNumberType"
            " AccountsReceivableTaxType AccountsPayableTaxType Addresses Phones IsSupplier IsCustomer"
            " SalesDefaultLineAmountType PurchasesDefaultLineAmountType DefaultCurrency XeroNetworkKey"
            " SalesDefaultAccountCode PurchasesDefaultAccountCode SalesTrackingCategories"
            " PurchasesTrackingCategories TrackingCategoryName TrackingCategoryOption PaymentTerms UpdatedDateUTC"
            " ContactGroups Website BrandingTheme BatchPayments Discount Balances HasAttachments",
            "accounting.contacts",
            by=("ContactNumber",),
            paging="page",
            filters="IDs searchTerm",
            hidden=("ContactStatus", "ARCHIVED", "includeArchived"),
            views=_CONTACT,
            verbs={**_SAVED, **_FILES, **_NOTES, "/CISSettings": "GET"},
        ),
        "CreditNotes": Resource(
            "Type Contact Date DueDate Status LineAmountTypes LineItems SubTotal TotalTax Total CISDeduction CISRate"
            " UpdatedDateUTC CurrencyCode FullyPaidOnDate CreditNoteID CreditNoteNumber Reference SentToContact"
            " CurrencyRate RemainingCredit Allocations AppliedAmount Payments BrandingThemeID HasAttachments"
            " InvoiceAddresses",
            f"accounting.invoices {_TRANSACTION_SCOPES}",
            by=("CreditNoteNumber",),
            paging="page",
            unitdp=True,
            twins="Date DueDate UpdatedDateUTC",
            id_twice=True,
            views=_CREDIT,
            verbs={**_SAVED, **_FILES, **_NOTES, **_CREDITS, "/pdf": "GET"},
        ),
        "Currencies": Resource(
            "Code Description",
            "accounting.settings",
            key="Code",
            single=False,
            since="",
            verbs={"": "PUT"},
        ),
        "ExpenseClaims": Resource(
            "ExpenseClaimID Status Payments User Receipts UpdatedDateUTC Total AmountDue AmountPaid PaymentDueDate"
            " ReportingDate ReceiptID",
            f"accounting.classicexpenses {_TRANSACTION_SCOPES}",
            verbs={**_CREATED, **_NOTES},
        ),
        "Invoices": Resource(
            "Type Contact LineItems Date DueDate LineAmountTypes InvoiceNumber Reference BrandingThemeID Url"
            " CurrencyCode CurrencyRate Status SentToContact ExpectedPaymentDate PlannedPaymentDate CISDeduction"
            " CISRate SubTotal TotalTax Total TotalDiscount InvoiceID RepeatingInvoiceID HasAttachments IsDiscounted"
            " Payments Prepayments Overpayments AmountDue AmountPaid FullyPaidOnDate AmountCredited UpdatedDateUTC"
            " CreditNotes InvoiceAddresses EnteredTotal RoundingAmount",
            f"accounting.invoices {_TRANSACTION_SCOPES}",
            by=("InvoiceNumber",),
            paging="page",
            filters="IDs InvoiceNumbers ContactIDs Statuses searchTerm createdByMyApp",
            hidden=("Status", "ARCHIVED", "includeArchived"),
            unitdp=True,
            twins="Date DueDate UpdatedDateUTC",
            views=_INVOICE,
            verbs={**_SAVED, **_FILES, **_NOTES, "/OnlineInvoice": "GET", "/pdf": "GET", "/Email": "POST"},
        ),
        "Items": Resource(
            "Code InventoryAssetAccountCode Name IsSold IsPurchased Description PurchaseDescription PurchaseDetails"
            " SalesDetails IsTrackedAsInventory TotalCostPool QuantityOnHand UpdatedDateUTC ItemID QuantityAvailable"
            " QuantityOnBackOrder",
            "accounting.settings accounting.invoices accounting.transactions",
            by=("Code",),
            order="Code",
            unitdp=True,
            places=None,
            verbs={"": "PUT POST", "/": "POST DELETE", **_NOTES},
        ),
        "Journals": Resource(
            "JournalID JournalDate JournalNumber CreatedDateUTC Reference SourceID SourceType JournalLines",
            "accounting.journals",
            by=("JournalNumber",),
            paging="offset",
            since="CreatedDateUTC",
            order="JournalNumber",
            where=False,
            views={SINGLE: View(drop=("SourceID", "SourceType"))},
        ),
        "LinkedTransactions": Resource(
            "SourceTransactionID SourceLineItemID ContactID TargetTransactionID TargetLineItemID LinkedTransactionID"
            " Status Type UpdatedDateUTC SourceTransactionTypeCode",
            f"accounting.invoices {_TRANSACTION_SCOPES}",
            paging="hundred",
            since="",
            order="UpdatedDateUTC",
            where=False,
            filters="LinkedTransactionID SourceTransactionID TargetTransactionID ContactID Status",
            verbs={"": "PUT", "/": "POST DELETE"},
        ),
        "ManualJournals": Resource(
            "Narration JournalLines Date LineAmountTypes Status Url ShowOnCashBasisReports HasAttachments"
            " UpdatedDateUTC ManualJournalID",
            f"accounting.manualjournals {_TRANSACTION_SCOPES}",
            paging="page",
            views={LIST: View(empty=("JournalLines",))},
            verbs={**_SAVED, **_FILES, **_NOTES},
        ),
        "Organisation": Resource(
            "OrganisationID APIKey Name LegalName PaysTax Version OrganisationType BaseCurrency CountryCode"
            " IsDemoCompany OrganisationStatus RegistrationNumber EmployerIdentificationNumber TaxNumber"
            " TaxNumberName FinancialYearEndDay FinancialYearEndMonth SalesTaxBasis SalesTaxPeriod DefaultSalesTax"
            " DefaultPurchasesTax PeriodLockDate EndOfYearLockDate CreatedDateUTC Timezone OrganisationEntityType"
            " ShortCode Class Edition LineOfBusiness Addresses Phones ExternalLinks PaymentTerms",
            "accounting.settings",
            list_name="Organisations",
            single=False,
            since="",
            where=False,
            bare="CreatedDateUTC",
            verbs={"/CISSettings": "GET"},
        ),
        "Overpayments": Resource(
            "Type Contact Date Status LineAmountTypes LineItems SubTotal TotalTax Total UpdatedDateUTC CurrencyCode"
            " OverpaymentID CurrencyRate RemainingCredit Allocations AppliedAmount Payments HasAttachments Reference",
            f"accounting.payments {_TRANSACTION_SCOPES}",
            paging="page",
            filters="References",
            unitdp=True,
            twins="Date UpdatedDateUTC",
            views=_CREDIT,
            verbs={**_NOTES, **_CREDITS},
        ),
        "PaymentServices": Resource(
            "PaymentServiceID PaymentServiceName PaymentServiceUrl PayNowText PaymentServiceType",
            "paymentservices",
            single=False,
            since="",
            where=False,
            verbs={"": "PUT"},
        ),
        "Payments": Resource(
            "Invoice CreditNote Prepayment Overpayment InvoiceNumber CreditNoteNumber BatchPayment Account Code Date"
            " CurrencyRate Amount BankAmount Reference IsReconciled Status PaymentType UpdatedDateUTC PaymentID"
            " BatchPaymentID BankAccountNumber Particulars Details HasAccount",
            f"accounting.payments {_TRANSACTION_SCOPES}",
            paging="page",
            twins="UpdatedDateUTC",
            views={LIST: _PAYMENT, PAGE: _PAYMENT, SINGLE: _PAYMENT},
            verbs={**_SAVED, **_NOTES},
        ),
        "Prepayments": Resource(
            "Type Contact Date Status LineAmountTypes LineItems SubTotal TotalTax Total Reference InvoiceNumber"
            " UpdatedDateUTC CurrencyCode PrepaymentID BrandingThemeID CurrencyRate RemainingCredit Allocations"
            " Payments AppliedAmount HasAttachments",
            f"accounting.payments {_TRANSACTION_SCOPES}",
            paging="page",
            filters="InvoiceNumbers References",
            unitdp=True,
            twins="Date UpdatedDateUTC",
            id_twice=True,
            views=_CREDIT,
            verbs={**_NOTES, **_CREDITS},
        ),
        "PurchaseOrders": Resource(
            "Contact LineItems Date DeliveryDate LineAmountTypes PurchaseOrderNumber Reference BrandingThemeID"
            " CurrencyCode Status SentToContact DeliveryAddress AttentionTo Telephone DeliveryInstructions"
            " ExpectedArrivalDate PurchaseOrderID CurrencyRate SubTotal TotalTax Total TotalDiscount HasAttachments"
            " UpdatedDateUTC Type IsDiscounted",
            f"accounting.invoices {_TRANSACTION_SCOPES}",
            by=("PurchaseOrderNumber",),
            paging="always",
            where=False,
            filters="Status DateFrom DateTo",
            places=4,
            twins="Date DeliveryDate ExpectedArrivalDate",
            views={
                PAGE: View(
                    contact="order",
                    drop=("TotalDiscount",),
                    unless_true=("SentToContact",),
                    lines=("AccountID", "Item"),
                ),
                SINGLE: View(contact="whole order", lines=("Item",), more_on_lines=("ItemID",)),
            },
            verbs={**_SAVED, **_FILES, **_NOTES, "/pdf": "GET"},
        ),
        "Quotes": Resource(
            "QuoteID QuoteNumber Reference Terms Contact LineItems Date ExpiryDate Status CurrencyCode CurrencyRate"
            " SubTotal TotalTax Total TotalDiscount Title Summary BrandingThemeID UpdatedDateUTC LineAmountTypes",
            f"accounting.invoices {_TRANSACTION_SCOPES}",
            paging="hundred",
            where=False,
            filters="DateFrom DateTo ExpiryDateFrom ExpiryDateTo ContactID Status QuoteNumber",
            places=4,
            twins="Date ExpiryDate",
            bare="*",
            views={
                PAGE: View(contact="quote", drop=("Terms",), lines=("ItemCode", "Item", "AccountID")),
                SINGLE: View(contact="quote", drop=("TotalDiscount",), lines=("DiscountAmount",)),
            },
            verbs={**_SAVED, **_FILES, **_NOTES, "/pdf": "GET"},
        ),
        "Receipts": Resource(
            "Date Contact LineItems User Reference LineAmountTypes SubTotal TotalTax Total ReceiptID Status"
            " ReceiptNumber UpdatedDateUTC HasAttachments Url",
            f"accounting.classicexpenses {_TRANSACTION_SCOPES}",
            unitdp=True,
            views={LIST: View(empty=("LineItems",), contact="name")},
            verbs={**_CREATED, **_FILES, **_NOTES},
        ),
        "RepeatingInvoices": Resource(
            "Type Contact Schedule LineItems LineAmountTypes Reference BrandingThemeID CurrencyCode Status SubTotal"
            " TotalTax Total RepeatingInvoiceID ID HasAttachments ApprovedForSending SendCopy MarkAsSent IncludePDF",
            f"accounting.invoices {_TRANSACTION_SCOPES}",
            since="",
            places=4,
            id_twice=True,
            views={LIST: View(contact="name"), SINGLE: View(contact="name")},
            verbs={**_SAVED, **_FILES, **_NOTES},
        ),
        "TaxRates": Resource(
            "Name TaxType TaxComponents Status ReportTaxType CanApplyToAssets CanApplyToEquity CanApplyToExpenses"
            " CanApplyToLiabilities CanApplyToRevenue DisplayTaxRate EffectiveRate",
            "accounting.settings",
            key="TaxType",
            since="",
            order="Name",
            verbs={"": "PUT POST"},
        ),
        "TrackingCategories": Resource(
            "TrackingCategoryID TrackingOptionID Name Option Status Options",
            "accounting.settings",
            key="TrackingCategoryID",
            since="",
            hidden=("Status", "ARCHIVED", "includeArchived"),
            verbs={"": "PUT", "/": "POST DELETE", "/Options": "PUT", "/Options/": "POST DELETE"},
        ),
        "Users": Resource(
            "UserID EmailAddress FirstName LastName UpdatedDateUTC IsSubscriber OrganisationRole",
            "accounting.settings",
        ),
    }.items()
}

GUARDED = frozenset({"Invoices", "Contacts", "CreditNotes", "ManualJournals", "PurchaseOrders"})
"""The resources with a high-volume threshold: Xero refuses un-paged and un-optimised calls over very many records."""

OPTIMISED = frozenset(
    "Status Contact.ContactID Contact.Name Contact.ContactNumber Reference InvoiceNumber InvoiceID Type AmountPaid"
    " Date DueDate AmountDue Name EmailAddress".split()
)
"""Fields that Xero's guide to efficient calls names as optimised in ``where``."""

OPTIMISED_ORDER = frozenset({"InvoiceID", "UpdatedDateUTC", "Date"})

REPORT_SCOPES = {
    "ProfitAndLoss": "profitandloss",
    "BalanceSheet": "balancesheet",
    "TrialBalance": "trialbalance",
    "BankSummary": "banksummary",
    "BudgetSummary": "budgetsummary",
    "ExecutiveSummary": "executivesummary",
    "AgedPayablesByContact": "aged",
    "AgedReceivablesByContact": "aged",
    "TenNinetyNine": "tenninetynine",
}


def scopes_needed(families: str, method: str) -> set[str]:
    """The scopes any one of which lets ``method`` through; one that writes reads too."""
    needed = set(families.split())
    if method in {"GET", "HEAD"}:
        needed |= {f"{family}.read" for family in needed if family.startswith("accounting.")}
    return needed


def report_scopes(name: str) -> set[str]:
    """The scopes any one of which opens the report; the list of published reports takes any report scope."""
    granular = REPORT_SCOPES.get(name, "taxreports")
    return {"accounting.reports.read", f"accounting.reports.{granular}.read"}
