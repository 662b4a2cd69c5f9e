"""The types of the fields of Xero's records, by name."""

from __future__ import annotations

NUMBERS = frozenset(
    "UnitAmount UnitPrice Quantity LineAmount TaxAmount DiscountRate DiscountAmount Amount BankAmount CurrencyRate"
    " Rate SubTotal TotalTax Total TotalDiscount AmountDue AmountPaid AmountCredited RemainingCredit Discount"
    " TotalCostPool QuantityOnHand DisplayTaxRate EffectiveRate TotalAmount AppliedAmount".split()
)
DATES = frozenset(
    "Date DueDate ExpectedPaymentDate PlannedPaymentDate DeliveryDate ExpectedArrivalDate ExpiryDate StartDate"
    " EndDate NextScheduledDate".split()
)
DATES_READ_ONLY = frozenset(
    "FullyPaidOnDate JournalDate PeriodLockDate EndOfYearLockDate PaymentDueDate ReportingDate".split()
)
"""Calendar days that Xero sets and that cannot be written."""

COUNTS = frozenset(
    "JournalNumber Period Day SortOrder FinancialYearEndDay FinancialYearEndMonth ContentLength DueDate".split()
)
"""Whole numbers; DueDate is one inside a Schedule."""

COUNTS_WRITTEN = frozenset({"Period", "Day"})
"""The whole numbers that can be written."""

FLAGS = frozenset(
    "IncludeInEmails SentToContact EnablePaymentsToAccount ShowInExpenseClaims ShowOnCashBasisReports AddToWatchlist"
    " IsSold IsPurchased IsReconciled FromIsReconciled ToIsReconciled IsCompound IsNonRecoverable ApprovedForSending"
    " SendCopy MarkAsSent IncludePDF IsCustomer IsSupplier IsTrackedAsInventory".split()
)
OBJECTS = frozenset(
    "Contact BankAccount Invoice CreditNote Prepayment Overpayment Account FromBankAccount ToBankAccount Schedule"
    " PurchaseDetails SalesDetails PaymentTerms Bills Sales BatchPayments".split()
)
LISTS = frozenset(
    "LineItems JournalLines Phones Addresses ContactPersons Tracking TaxComponents Options FromTracking ToTracking"
    " SalesTrackingCategories PurchasesTrackingCategories Payments Allocations".split()
)
