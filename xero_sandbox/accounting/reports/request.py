"""A request for a report: its parameters, and the organisation's accounts and ledger."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from ...values import Record
from ..cash_basis import cash_journals
from ..general_ledger import Books, Entry, entries, month_end

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_FRAMES = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}


class Request:
    """Reads the parameters, in any case, and the organisation's records. Invalid parameters raise ValueError."""

    def __init__(self, name: str, params: Mapping[str, str], books: Books) -> None:
        self.name, self.books = name, books
        self._params = {key.lower(): value for key, value in params.items()}
        self.organisation = [*books.records("Organisations"), *books.records("Organisation")][0]
        self.company = str(self.organisation["Name"])
        country = self.organisation.get("CountryCode", "")
        self.american = country == "US"
        self.now = books.now()
        self.today = (self.now + timedelta(hours={"NZ": 13, "US": -8}.get(country, 10))).date()
        self.accounts = {a["AccountID"]: a for a in books.records("Accounts")}

    # --- parameters

    def text(self, key: str) -> str | None:
        """A parameter as text; None if it is missing or empty."""
        return self._params.get(key.lower()) or None

    def day(self, key: str, default: date) -> date:
        """A date as YYYY-MM-DD; a time after it is ignored."""
        text = self.text(key)
        if text is None:
            return default
        try:
            return datetime.strptime(text[:10], "%Y-%m-%d").date()
        except ValueError:
            raise ValueError(f"Invalid {key}: '{text}' is not a date (YYYY-MM-DD)") from None

    def span(self) -> tuple[date, date]:
        """The dates fromDate and toDate; by default the current month, or the month of the date that is given."""
        given = self.day("fromDate", self.day("toDate", self.today))
        first, last = self.day("fromDate", given.replace(day=1)), self.day("toDate", month_end(given))
        if first > last:
            raise ValueError(f"Invalid toDate: {last} lies before fromDate {first}")
        return first, last

    def number(self, key: str, default: int, allowed: Iterable[int]) -> int:
        """A whole number, which must be one of `allowed`."""
        text = self.text(key)
        if text is None:
            return default
        choice = sorted(allowed)
        if not text.isdecimal() or int(text) not in choice:
            wanted = f"{choice[0]} to {choice[-1]}" if len(choice) > 3 else ", ".join(map(str, choice))
            raise ValueError(f"Invalid {key}: '{text}' must be one of {wanted}")
        return int(text)

    def flag(self, key: str) -> bool:
        """A boolean in any case."""
        text = (self.text(key) or "false").lower()
        if text not in ("true", "false"):
            raise ValueError(f"Invalid {key}: '{text}' must be true or false")
        return text == "true"

    def guid(self, key: str) -> str | None:
        """An identifier."""
        text = self.text(key)
        if text is not None and not _GUID.fullmatch(text):
            raise ValueError(f"Invalid {key}: '{text}' is not a valid identifier")
        return text.lower() if text else None

    def frame(self, default: str) -> int:
        """The timeframe in months."""
        text = (self.text("timeframe") or default).upper()
        if text not in _FRAMES:
            raise ValueError(f"Invalid timeframe: '{text}' must be MONTH, QUARTER or YEAR")
        return _FRAMES[text]

    def options(self, *keys: str) -> list[str]:
        """The ids of the tracking options to filter by."""
        known = {
            o["TrackingOptionID"] for c in self.books.records("TrackingCategories") for o in c["Options"]
        }
        found = [option for key in keys if (option := self.guid(key))]
        for option in found:
            if option not in known:
                raise ValueError(f"The tracking option '{option}' could not be found")
        return found

    # --- the ledger

    def year_start(self, day: date) -> date:
        """The first day of the financial year that contains `day`."""
        month, last = self.organisation["FinancialYearEndMonth"], self.organisation["FinancialYearEndDay"]
        ends = (
            date(year, month, min(last, month_end(date(year, month, 1)).day))
            for year in (day.year, day.year - 1)
        )
        return next(end for end in ends if end < day) + timedelta(days=1)

    def entries(self, options: Sequence[str] = ()) -> list[Entry]:
        """The ledger, on a cash basis if `paymentsOnly` is true; only lines with all of `options`."""
        self.flag("standardLayout")
        paid_only, wanted = self.flag("paymentsOnly"), frozenset(options)
        journals = cash_journals(self.books) if paid_only else self.books.records("Journals")
        return [entry for entry in entries(journals) if wanted <= entry.options]

    def report(self, titles: Sequence[str], rows: list[Record], name: str | None = None) -> dict[str, Any]:
        """A report with these rows; `name` is its ReportName if that is not the name in the address."""
        name = name or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", self.name)
        return report(self.name, name, self.name, titles, self.today, self.now, rows)


def report(
    key: str, name: str, kind: str, titles: Sequence[str], day: date, at: datetime, rows: list[Record]
) -> dict[str, Any]:
    """A report as an element of `Reports`: its id, name and type, and the day and instant on which it was made."""
    return {
        "ReportID": key,
        "ReportName": name,
        "ReportType": kind,
        "ReportTitles": list(titles),
        "ReportDate": long_date(day),
        "UpdatedDateUTC": at,
        "Fields": [],
        "Rows": rows,
    }


def long_date(day: date) -> str:
    """A date as in `20 November 2026`."""
    return f"{day.day} {day:%B %Y}"
