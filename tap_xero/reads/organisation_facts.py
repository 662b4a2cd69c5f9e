"""What reports have to know of an organisation, asked once for all of its reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timezone
from itertools import chain
from typing import Any

from singer_xero.objects import XeroObject
from singer_xero.objects.accounting import CONTACT_LIST, INVOICE_LIST, OPEN_DOCUMENTS, TRACKING_CATEGORIES
from tap_xero.reads.list_read import ListRead
from tap_xero.reads.periods import year_start
from tap_xero.records.reader import UnexpectedAnswer


class OrganisationFacts:
    """Reads lists within the read of a report; what several reports need is asked once in a run."""

    def __init__(self, read: ListRead) -> None:
        self._read, self._source = read, read.source
        self._tenant_id = read.organisation.tenant_id

    def _each(
        self,
        row: XeroObject,
        params: Mapping[str, str] | None = None,
        since: datetime | None = None,
    ) -> Iterator[dict[str, Any]]:
        read = self._read.of(row, since=since)
        read.params |= params or {}
        for chunk in read.chunks():
            yield from map(read.reader.record, chunk.rows)

    def organisation(self) -> dict[str, Any]:
        """The organisation's own record."""
        records = self._read.organisation_records()
        if not records:
            raise UnexpectedAnswer("Xero says nothing about the organisation", call="GET Organisation")
        return records[0]

    def tracking_categories(self) -> list[dict[str, Any]]:
        """The organisation's tracking categories with their options."""
        key = (TRACKING_CATEGORIES.name, self._tenant_id)
        return self._source.once(key, lambda: list(self._each(TRACKING_CATEGORIES)))

    def year_start(self) -> date:
        """The first day of a financial year, from which quarters and years are counted."""
        try:
            return year_start(self.organisation())
        except ValueError as error:
            advice = "Enter the financial year end in Xero, or set report_timeframe to MONTH."
            raise UnexpectedAnswer(str(error), call="GET Organisation", advice=advice) from None

    def contacts(self, at: date, side: str) -> list[str]:
        """The ids of the contacts that had a document open on a day, on the side AccountsPayable or AccountsReceivable.

        They are those with a balance. Since Xero takes credits off what is outstanding (its API definition has
        negative amounts there), those of open invoices too, which may cancel out with a credit note. And since both
        lists tell of the present, on a day gone by those of the documents that have changed since, unless they were
        paid by then.
        """
        key = ("contacts with open documents", self._tenant_id, at)

        def ask() -> dict[str, dict[str, None]]:
            found: dict[str, dict[str, None]] = {"AccountsPayable": {}, "AccountsReceivable": {}}
            for contact in self._each(CONTACT_LIST):
                for name, ids in found.items():
                    balance = (contact.get("Balances") or {}).get(name) or {}
                    if balance.get("Outstanding") or balance.get("Overdue"):
                        ids[contact["ContactID"]] = None
            documents = self._each(INVOICE_LIST, {"Statuses": "AUTHORISED", "summaryOnly": "true"})
            if at <= self._source.today():
                since = datetime(at.year, at.month, at.day, tzinfo=timezone.utc)
                changed = (self._each(row, {}, since) for row in OPEN_DOCUMENTS)
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
    """Whether a document may have been open on a day: it was there, and not known to be paid by then."""
    if document.get("Status") not in {"AUTHORISED", "PAID"}:
        return False
    dated, paid = document.get("Date") or "", document.get("FullyPaidOnDate") or "9"
    return bool(dated <= day.isoformat() < paid)
