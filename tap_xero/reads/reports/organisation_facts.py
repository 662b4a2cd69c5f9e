"""Facts about an organisation that its reports need, requested once for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timezone
from itertools import chain
from typing import Any

from singer_xero.objects.accounting import CONTACT_LIST, INVOICE_LIST, OPEN_DOCUMENTS, TRACKING_CATEGORIES
from tap_xero.reads.list_read import ListRead
from tap_xero.reads.periods import year_start
from tap_xero.records.reader import UnexpectedAnswer


class OrganisationFacts:
    """Reads lists within the read of a report. What several reports need is requested once in a run."""

    def __init__(self, read: ListRead) -> None:
        self._read, self._source = read, read.source
        self._tenant_id = read.organisation.tenant_id

    def organisation(self) -> dict[str, Any]:
        """The organisation's own record."""
        records = self._read.organisation_records()
        if not records:
            raise UnexpectedAnswer("Xero returned no organisation", call="GET Organisation")
        return records[0]

    def tracking_categories(self) -> list[dict[str, Any]]:
        """The organisation's tracking categories with their options."""
        key = (TRACKING_CATEGORIES.name, self._tenant_id)
        return self._source.once(key, lambda: list(self._read.records_of(TRACKING_CATEGORIES)))

    def year_start(self) -> date:
        """The first day of a financial year, from which quarters and years are counted."""
        try:
            return year_start(self.organisation())
        except ValueError as error:
            advice = "Enter the financial year end in Xero, or set report_timeframe to MONTH."
            raise UnexpectedAnswer(str(error), call="GET Organisation", advice=advice) from None

    def contacts(self, at: date, side: str) -> list[str]:
        """The ids of the contacts with an open document on a day, on the side AccountsPayable or AccountsReceivable.

        These are the contacts with a balance. Xero subtracts credits from balances (its API definition has negative
        amounts there), so contacts of open invoices are included. Both lists are about the present, so for a day in the
        past, contacts of documents that have changed since are included, unless the documents were paid by then.
        """
        key = ("contacts with open documents", self._tenant_id, at)

        def ask() -> dict[str, dict[str, None]]:
            found: dict[str, dict[str, None]] = {"AccountsPayable": {}, "AccountsReceivable": {}}
            for contact in self._read.records_of(CONTACT_LIST):
                for name, ids in found.items():
                    balance = (contact.get("Balances") or {}).get(name) or {}
                    if balance.get("Outstanding") or balance.get("Overdue"):
                        ids[contact["ContactID"]] = None
            documents = self._read.records_of(INVOICE_LIST, {"Statuses": "AUTHORISED", "summaryOnly": "true"})
            if at <= self._source.today():
                since = datetime(at.year, at.month, at.day, tzinfo=timezone.utc)
                changed = (self._read.records_of(row, {}, since) for row in OPEN_DOCUMENTS)
                documents = chain(documents, *changed)
            for document in documents:
                if _open_on(at, document):
                    of_sale = str(document.get("Type")).startswith(("ACCREC", "AR", "RECEIVE"))
                    contact_id = (document.get("Contact") or {}).get("ContactID")
                    if contact_id:
                        found["AccountsReceivable" if of_sale else "AccountsPayable"][contact_id] = None
            return found

        return list(self._source.once(key, ask)[side])


def _open_on(day: date, document: Mapping[str, Any]) -> bool:
    """Whether a document may have been open on a day: it existed, and was not paid by then as far as is known."""
    if document.get("Status") not in {"AUTHORISED", "PAID"}:
        return False
    dated, paid = document.get("Date") or "", document.get("FullyPaidOnDate") or "9"
    return bool(dated <= day.isoformat() < paid)
