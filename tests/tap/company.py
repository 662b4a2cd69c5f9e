"""Two small organisations with known times for every row, so that a test knows what must be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from xero_sandbox import Sandbox

HARBOUR, TIDE = "11111111-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002"
HARBOUR_NAME, TIDE_NAME = "Harbour Limited", "Tide & Söhne"
START = datetime(2026, 11, 1, tzinfo=timezone.utc)
FIRST_JOURNAL = 344

Record = dict[str, Any]


def guid(kind: str, number: int) -> str:
    """A readable id: guid("c", 7) is contact 7."""
    return f"{ord(kind):08x}-0000-4000-8000-{number:012}"


def at(seconds: float) -> datetime:
    """Seconds after the first row's time."""
    return START + timedelta(seconds=seconds)


def ticks(moment: datetime) -> int:
    """Milliseconds since 1970, as Xero writes moments."""
    return round(moment.timestamp() * 1000)


def contact(number: int, seconds: float, **more: Any) -> Record:
    """A contact."""
    return {
        "ContactID": guid("c", number),
        "Name": f"Contact {number:02}",
        "ContactStatus": "ACTIVE",
        "UpdatedDateUTC": at(seconds),
        **more,
    }


def invoice(number: int, seconds: float, **more: Any) -> Record:
    """An invoice with one line."""
    line = {
        "LineItemID": guid("l", number),
        "Description": "Work",
        "Quantity": Decimal("1.0000"),
        "UnitAmount": Decimal("10.1234"),
        "LineAmount": Decimal("10.12"),
        "TaxType": "OUTPUT2",
        "Tracking": [],
    }
    return {
        "InvoiceID": guid("i", number),
        "InvoiceNumber": f"INV-{number:04}",
        "Type": "ACCREC",
        "Status": "AUTHORISED",
        "Contact": {"ContactID": guid("c", 1), "Name": "Contact 01"},
        "Date": date(2026, 10, 1) + timedelta(days=number),
        "DueDate": date(2026, 10, 21) + timedelta(days=number),
        "LineItems": [line],
        "SubTotal": Decimal("10.12"),
        "Total": Decimal("10.10"),
        "CurrencyCode": "NZD",
        "CurrencyRate": Decimal("1.000000"),
        "UpdatedDateUTC": at(seconds),
        **more,
    }


def journal(number: int) -> Record:
    """A journal; neither its date nor its time of creation follows its number."""
    return {
        "JournalID": guid("j", number),
        "JournalNumber": number,
        "JournalDate": date(2024, 1, 1) + timedelta(days=number * 37 % 700),
        "CreatedDateUTC": at(number * 37 % 700),
        "SourceID": guid("i", number),
        "SourceType": "ACCREC",
        "JournalLines": [],
    }


def dated(kind: str, field: str, number: int, **more: Any) -> Record:
    """A record that has only its id and its time of change."""
    return {field: guid(kind, number), "UpdatedDateUTC": at(number), **more}


def organisation(tenant_id: str, name: str) -> Record:
    """The organisation's own record."""
    return {
        "OrganisationID": tenant_id,
        "Name": name,
        "OrganisationStatus": "ACTIVE",
        "BaseCurrency": "NZD",
        "FinancialYearEndDay": 31,
        "FinancialYearEndMonth": 3,
    }


def harbour() -> dict[str, list[Record]]:
    """The larger organisation, with several pages of each paged list."""
    return {
        "Organisation": [organisation(HARBOUR, HARBOUR_NAME)],
        "Accounts": [
            # In the order of their codes, which is Xero's order, the newest is first.
            dated(
                "a",
                "AccountID",
                9 - n,
                Code=f"{200 + n}",
                Name=f"Account {n}",
                Type="REVENUE",
                Status="ACTIVE",
            )
            for n in range(6)
        ],
        "Contacts": [contact(n, 10 * n) for n in range(1, 8)],
        "Invoices": [invoice(n, 10 * n) for n in range(1, 6)],
        "Items": [dated("t", "ItemID", n, Code=f"ITEM-{n}", Name=f"Item {n}") for n in range(1, 4)],
        "Journals": [journal(FIRST_JOURNAL + n) for n in range(230)],
        "ManualJournals": [dated("m", "ManualJournalID", n, Narration=f"Note {n}") for n in range(1, 5)],
        "Payments": [dated("p", "PaymentID", n, Amount=Decimal("10.00")) for n in range(1, 4)],
        "Quotes": [dated("q", "QuoteID", n, QuoteNumber=f"QU-{n:04}") for n in range(1, 231)],
        "LinkedTransactions": [dated("k", "LinkedTransactionID", n) for n in range(1, 131)],
        "BankTransfers": [
            {"BankTransferID": guid("b", n), "Amount": Decimal("5.00"), "CreatedDateUTC": at(n)}
            for n in (1, 2)
        ],
        "Budgets": [dated("g", "BudgetID", n, Type="OVERALL", BudgetLines=[]) for n in (1, 2)],
        "ContactGroups": [
            {"ContactGroupID": guid("G", n), "Name": f"Group {n}", "Status": "ACTIVE", "Contacts": []}
            for n in (1, 2, 3)
        ],
        "TaxRates": [{"TaxType": "OUTPUT2", "Name": "15% GST", "Status": "ACTIVE"}],
        "Currencies": [{"Code": "NZD", "Description": "New Zealand Dollar"}],
        "Users": [dated("u", "UserID", 1, FirstName="Alex")],
    }


def tide() -> dict[str, list[Record]]:
    """The smaller organisation. Its tax type and its currency have the same codes as the other's."""
    return {
        "Organisation": [organisation(TIDE, TIDE_NAME)],
        "Contacts": [contact(n, 1000 + n) for n in (101, 102, 103)],
        "Invoices": [invoice(n, 1000 + n) for n in (101, 102)],
        "Journals": [journal(n) for n in range(1, 4)],
        "TaxRates": [{"TaxType": "OUTPUT2", "Name": "15% GST", "Status": "ACTIVE"}],
        "Currencies": [{"Code": "NZD", "Description": "New Zealand Dollar"}],
    }


class SmallXero(Sandbox):
    """A sandbox with both organisations; the first is that of the custom connection."""

    def populate(self, now: datetime) -> Iterable[tuple[str, str, Mapping[str, Any]]]:
        """See Sandbox."""
        return [(HARBOUR, HARBOUR_NAME, harbour()), (TIDE, TIDE_NAME, tide())]
