"""What Xero sets up in a new organisation: chart of accounts, tax rates and currencies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from ..values import TEN_THOUSANDTH, Record

_TYPES = {
    "ASSET": "BANK CURRENT FIXED INVENTORY NONCURRENT PREPAYMENT",
    "EQUITY": "EQUITY",
    "EXPENSE": "DEPRECIATN DIRECTCOSTS EXPENSE OVERHEADS",
    "LIABILITY": "CURRLIAB LIABILITY TERMLIAB PAYG",
    "REVENUE": "OTHERINCOME REVENUE SALES",
}
CLASSES = {kind: group for group, kinds in _TYPES.items() for kind in kinds.split()}
"""Account class by account type, from Xero's list of account types."""

REPORTING = {
    "ASSET": ("ASS", "Assets"),
    "EQUITY": ("EQU", "Equity"),
    "EXPENSE": ("EXP", "Expense"),
    "LIABILITY": ("LIA", "Liability"),
    "REVENUE": ("REV", "Revenue"),
}
"""ReportingCode and ReportingCodeName by account class."""

# Code, name, type, default tax (s = sales, p = purchases, n = none), system account.
_ACCOUNTS = """
200|Sales|REVENUE|s|
260|Other Revenue|REVENUE|s|
270|Interest Income|REVENUE|n|
310|Cost of Goods Sold|DIRECTCOSTS|p|
400|Advertising|EXPENSE|p|
404|Bank Fees|EXPENSE|n|
408|Cleaning|EXPENSE|p|
412|Consulting & Accounting|EXPENSE|p|
416|Depreciation|DEPRECIATN|n|
420|Entertainment|EXPENSE|p|
425|Freight & Courier|EXPENSE|p|
429|General Expenses|EXPENSE|p|
433|Insurance|EXPENSE|p|
437|Interest Expense|EXPENSE|n|
441|Legal expenses|EXPENSE|p|
445|Light, Power, Heating|EXPENSE|p|
449|Motor Vehicle Expenses|EXPENSE|p|
453|Office Expenses|EXPENSE|p|
461|Printing & Stationery|EXPENSE|p|
469|Rent|EXPENSE|p|
473|Repairs and Maintenance|EXPENSE|p|
477|Salaries|EXPENSE|n|
478|KiwiSaver Employer Contributions|EXPENSE|n|
485|Subscriptions|EXPENSE|p|
489|Telephone & Internet|EXPENSE|p|
493|Travel - National|EXPENSE|p|
494|Travel - International|EXPENSE|n|
497|Bank Revaluations|EXPENSE|n|BANKCURRENCYGAIN
498|Unrealised Currency Gains|EXPENSE|n|UNREALISEDCURRENCYGAIN
499|Realised Currency Gains|EXPENSE|n|REALISEDCURRENCYGAIN
505|Income Tax Expense|EXPENSE|n|
610|Accounts Receivable|CURRENT|n|DEBTORS
620|Prepayments|CURRENT|n|
630|Inventory|INVENTORY|n|
710|Office Equipment|FIXED|p|
711|Less Accumulated Depreciation on Office Equipment|FIXED|n|
720|Computer Equipment|FIXED|p|
721|Less Accumulated Depreciation on Computer Equipment|FIXED|n|
800|Accounts Payable|CURRLIAB|n|CREDITORS
801|Unpaid Expense Claims|CURRLIAB|n|UNPAIDEXPCLM
803|Wages Payable|CURRLIAB|n|WAGEPAYABLES
820|GST|CURRLIAB|n|GST
825|PAYE Payable|CURRLIAB|n|
830|Income Tax Payable|CURRLIAB|n|
835|Revenue Received in Advance|CURRLIAB|n|
840|Historical Adjustment|CURRLIAB|n|HISTORICAL
850|Suspense|CURRLIAB|n|
860|Rounding|CURRLIAB|n|ROUNDING
877|Tracking Transfers|CURRLIAB|n|TRACKINGTRANSFERS
880|Owner A Drawings|EQUITY|n|
881|Owner A Funds Introduced|EQUITY|n|
900|Loan|TERMLIAB|n|
960|Retained Earnings|EQUITY|n|RETAINEDEARNINGS
970|Owner A Share Capital|EQUITY|n|
"""

# TaxType, name, per cent, ReportTaxType, status, and the classes it can apply to: Assets, eQuity, Expenses,
# Liabilities, Revenue.
_TAX_RATES = {
    "NZ": """
INPUT|12.5% GST on Expenses|12.5|INPUT|DELETED|AQEL
OUTPUT|12.5% GST on Income|12.5|OUTPUT|DELETED|AQLR
INPUT2|15% GST on Expenses|15|INPUT|ACTIVE|AQEL
OUTPUT2|15% GST on Income|15|OUTPUT|ACTIVE|AQLR
GSTONIMPORTS|GST on Imports|0|GSTONIMPORTS|ACTIVE|L
NONE|No GST|0|NONE|ACTIVE|AQELR
ZERORATED|Zero Rated|0|OUTPUT|ACTIVE|LR
""",
    "AU": """
BASEXCLUDED|BAS Excluded|0|BASEXCLUDED|ACTIVE|AQELR
EXEMPTEXPENSES|GST Free Expenses|0|EXEMPTEXPENSES|ACTIVE|AQEL
EXEMPTOUTPUT|GST Free Income|0|EXEMPTOUTPUT|ACTIVE|AQLR
INPUT|GST on Expenses|10|INPUT|ACTIVE|AQEL
GSTONIMPORTS|GST on Imports|0|GSTONIMPORTS|ACTIVE|L
OUTPUT|GST on Income|10|OUTPUT|ACTIVE|AQLR
""",
}

DEFAULT_TAX = {
    "NZ": {"s": "OUTPUT2", "p": "INPUT2", "n": "NONE"},
    "AU": {"s": "OUTPUT", "p": "INPUT", "n": "BASEXCLUDED"},
}
"""The default TaxType of sales, purchases and everything else."""

CURRENCY_NAMES = {
    "AUD": "Australian Dollar",
    "EUR": "Euro",
    "GBP": "British Pound",
    "NZD": "New Zealand Dollar",
    "USD": "United States Dollar",
}


def account(
    guid: Callable[[str], str], code: str, *, name: str, kind: str, tax: str, at: datetime, **more: Any
) -> Record:
    """A complete account record; `more` adds or replaces fields."""
    reporting = REPORTING[CLASSES[kind]]
    record: Record = {
        "AccountID": guid(f"account/{code}"),
        "Code": code,
        "Name": name,
        "Status": "ACTIVE",
        "Type": kind,
        "TaxType": tax,
        "Class": CLASSES[kind],
        "EnablePaymentsToAccount": False,
        "ShowInExpenseClaims": False,
        "BankAccountType": "",
        "ReportingCode": reporting[0],
        "ReportingCodeName": reporting[1],
        "HasAttachments": False,
        "CreatedDateUTC": at,
        "UpdatedDateUTC": at,
        "AddToWatchlist": False,
    }
    record.update(more)
    return record


def default_accounts(guid: Callable[[str], str], country: str, at: datetime) -> list[Record]:
    """The chart of accounts of a new organisation, system accounts included; it has no bank account yet."""
    found = []
    for row in _ACCOUNTS.strip().splitlines():
        code, name, kind, tax, system = row.split("|")
        more: dict[str, Any] = {"SystemAccount": system} if system else {}
        if kind == "EXPENSE" and tax == "p":
            more["ShowInExpenseClaims"] = True
        if code in {"620", "850", "880", "881", "900", "970"}:
            more["EnablePaymentsToAccount"] = True
        default = DEFAULT_TAX[country][tax]
        found.append(account(guid, code, name=name, kind=kind, tax=default, at=at, **more))
    return found


def default_tax_rates(country: str) -> list[Record]:
    """The tax rates of a new organisation in New Zealand (`NZ`) or Australia (`AU`), by name."""
    found = []
    for row in _TAX_RATES[country].strip().splitlines():
        tax_type, name, percent, report, status, applies = row.split("|")
        rate = Decimal(percent).quantize(TEN_THOUSANDTH)
        found.append(
            {
                "Name": name,
                "TaxType": tax_type,
                "ReportTaxType": report,
                "CanApplyToAssets": "A" in applies,
                "CanApplyToEquity": "Q" in applies,
                "CanApplyToExpenses": "E" in applies,
                "CanApplyToLiabilities": "L" in applies,
                "CanApplyToRevenue": "R" in applies,
                "DisplayTaxRate": rate,
                "EffectiveRate": rate,
                "Status": status,
                "TaxComponents": [
                    {"Name": "GST", "Rate": rate, "IsCompound": False, "IsNonRecoverable": False}
                ],
            }
        )
    return found
