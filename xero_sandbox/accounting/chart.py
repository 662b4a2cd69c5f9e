"""What Xero sets up in a new organisation: chart of accounts, tax rates and currencies."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from ..values import TEN_THOUSANDTH, Record, read_csv

_HERE = Path(__file__).parent

# Account class, its ReportingCodeName, its name in the fields of tax rates, and its account types.
_CLASSES = (
    ("ASSET", "Assets", "Assets", "BANK CURRENT FIXED INVENTORY NONCURRENT PREPAYMENT"),
    ("EQUITY", "Equity", "Equity", "EQUITY"),
    ("EXPENSE", "Expense", "Expenses", "DEPRECIATN DIRECTCOSTS EXPENSE OVERHEADS"),
    ("LIABILITY", "Liability", "Liabilities", "CURRLIAB LIABILITY TERMLIAB PAYG"),
    ("REVENUE", "Revenue", "Revenue", "OTHERINCOME REVENUE SALES"),
)
CLASSES = {kind: group for group, _, _, kinds in _CLASSES for kind in kinds.split()}
"""Account class by account type, from Xero's list of account types."""

REPORTING = {group: (group[:3], name) for group, name, _, _ in _CLASSES}
"""ReportingCode and ReportingCodeName by account class."""

APPLIES = {group: f"CanApplyTo{plural}" for group, _, plural, _ in _CLASSES}
"""The field of a tax rate that says whether accounts of a class can have it."""

DEFAULT_TAX = {
    "NZ": {"sales": "OUTPUT2", "purchases": "INPUT2", "none": "NONE"},
    "AU": {"sales": "OUTPUT", "purchases": "INPUT", "none": "BASEXCLUDED"},
}
"""The default TaxType of sales, purchases and everything else."""

_PAYABLE = frozenset({"620", "850", "880", "881", "900", "970"})
"""The accounts to which payments can be made."""

CURRENCY_NAMES = {
    "AUD": "Australian Dollar",
    "EUR": "Euro",
    "GBP": "British Pound",
    "NZD": "New Zealand Dollar",
    "USD": "United States Dollar",
}


def default_organisation(country: str) -> Record:
    """The Organisation of a new organisation in New Zealand (`NZ`) or Australia (`AU`); its own fields are None."""
    found: dict[str, Record] = json.loads(_HERE.joinpath("organisations.json").read_text(encoding="utf-8"))
    return found[country]


def default_accounts(guid: Callable[[str], str], country: str, at: datetime) -> list[Record]:
    """The chart of accounts of a new organisation, system accounts included; it has no bank account yet."""
    found = []
    for row in read_csv(_HERE / "accounts.csv"):
        kind, tax, group = row["Type"], row["Tax"], CLASSES[row["Type"]]
        account: Record = {
            "AccountID": guid(f"account/{row['Code']}"),
            "Code": row["Code"],
            "Name": row["Name"],
            "Status": "ACTIVE",
            "Type": kind,
            "TaxType": DEFAULT_TAX[country][tax],
            "Class": group,
            "EnablePaymentsToAccount": row["Code"] in _PAYABLE,
            "ShowInExpenseClaims": kind == "EXPENSE" and tax == "purchases",
            "BankAccountType": "",
            "ReportingCode": REPORTING[group][0],
            "ReportingCodeName": REPORTING[group][1],
            "HasAttachments": False,
            "CreatedDateUTC": at,
            "UpdatedDateUTC": at,
            "AddToWatchlist": False,
        }
        if row["SystemAccount"]:
            account["SystemAccount"] = row["SystemAccount"]
        found.append(account)
    return found


def default_tax_rates(country: str) -> list[Record]:
    """The tax rates of a new organisation in New Zealand (`NZ`) or Australia (`AU`), by name."""
    found = []
    for row in read_csv(_HERE / "tax_rates.csv"):
        rate = Decimal(row["Rate"]).quantize(TEN_THOUSANDTH)
        tax_rate: Record = {name: row[name] for name in ("Name", "TaxType", "ReportTaxType")}
        tax_rate.update({name: one == "yes" for name, one in row.items() if name.startswith("CanApplyTo")})
        component = {"Name": "GST", "Rate": rate, "IsCompound": False, "IsNonRecoverable": False}
        tax_rate.update(
            DisplayTaxRate=rate, EffectiveRate=rate, Status=row["Status"], TaxComponents=[component]
        )
        if row["Country"] == country:
            found.append(tax_rate)
    return found
