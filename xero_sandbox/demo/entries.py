"""Writes to one organisation by Xero's rules, as a person who works in Xero itself, at any time in the past."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from hashlib import sha1
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from ..accounting import ledger
from ..resources import RESOURCES
from ..rules import contacts
from ..rules.lines import Lines, with_lines
from ..rules.reference import tracking_categories
from ..rules.registry import RULES
from ..rules.work import Origin, Work, attempt, tried
from ..state.organisation import Organisation
from ..values import ONE, UTC, ZERO, Record

_NEW_ZEALAND = ZoneInfo("Pacific/Auckland")
_BARE_LINES = frozenset({"Receipts", "RepeatingInvoices"})
"""Documents whose line ids depend only on the position of the line."""


_NAMESPACE = UUID("6f1c0d2e-5a53-5c1b-9d0a-7e40a5d3c9b1")


class Guids:
    """GUIDs made from names (version 5): the same name in the same scope gives the same GUID, in every run."""

    def __init__(self, scope: str) -> None:
        self._seed = sha1(_NAMESPACE.bytes + scope.encode() + b"/")  # noqa: S324 (an id, no secret)

    def __call__(self, name: str) -> str:
        """The GUID of `name`."""
        digest = self._seed.copy()
        digest.update(name.encode())
        text = digest.hexdigest()
        variant = "89ab"[int(text[16], 16) & 3]
        return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{variant}{text[17:20]}-{text[20:32]}"


def local_time(day: date, seconds: int, millisecond: int = 0) -> datetime:
    """An instant of a business day in New Zealand: `seconds` after midnight, as an aware UTC datetime.

    The milliseconds are those that SQL Server can store: they end in 0, 3 or 7.
    """
    tick = round(round(millisecond * 300 / 1000) * 1000 / 300) % 1000
    wall = datetime.combine(day, time(), _NEW_ZEALAND) + timedelta(seconds=seconds, milliseconds=tick)
    return wall.astimezone(UTC)


def business_day(day: date) -> date:
    """The day itself, or the Monday after a weekend."""
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)


class Entries:
    """Writes to one organisation.

    `guid` makes an id from a name that is unique within the organisation. `bank` is the code of the default bank
    account. `first_journal` is the number of the first journal of an organisation that has none. `changed` holds
    the ids of written records by resource, the latest change last; `entries` the ledger's entries by AccountID.
    """

    def __init__(
        self,
        organisation: Organisation,
        guid: Callable[[str], str],
        bank: str = "090",
        first_journal: int = 1,
    ) -> None:
        self.organisation, self.guid, self.bank = organisation, guid, bank
        self._first_journal = first_journal
        self.changed: dict[str, dict[str, None]] = {}
        self.entries: dict[str, list[tuple[date, Decimal]]] = {}
        self._counts: dict[str, int] = {}

    @property
    def chart(self) -> ledger.Chart:
        """The organisation's accounts, tax rates and tracking."""
        return self.organisation.chart

    def get(self, resource: str, key: str) -> Record:
        """The current record."""
        return self.organisation.table(resource).rows[key]

    def all(self, resource: str) -> list[Record]:
        """The current records of a resource that were written, the latest change last."""
        rows = self.organisation.table(resource).rows
        return [rows[key] for key in self.changed.get(resource, ())]

    def balance(self, code: str, day: date | None = None) -> Decimal:
        """The balance of an account in base currency, up to `day` if one is given."""
        entries = self.entries.get(self.chart.account({"Code": code})["AccountID"], ())
        return sum((net for on, net in entries if day is None or on <= day), ZERO)

    def number(self, prefix: str, taken: Iterable[str] = ()) -> str:
        """The next number of a series such as INV-0001, after those `taken`."""
        if prefix not in self._counts:
            used = [int(n.removeprefix(prefix)) for n in taken if n.removeprefix(prefix).isdigit()]
            self._counts[prefix] = max(used, default=0)
        self._counts[prefix] += 1
        return f"{prefix}{self._counts[prefix]:04d}"

    def put(self, resource: str, record: Record) -> Record:
        """Store a record that the API cannot write."""
        key = record[RESOURCES[resource].id]
        self._noted(resource, key)
        return self.organisation.put(resource, record, touch=False)

    def _noted(self, resource: str, key: str) -> None:
        table = self.changed.setdefault(resource, {})
        table.pop(key, None)
        table[key] = None

    def _work(self, path: str, element: Record, at: datetime | None, name: str = "") -> Work:
        return Work(self.organisation, path, element, self._origin(path, at, name))

    def _origin(self, path: str, at: datetime | None, name: str, *, updates: bool = False) -> Origin:
        def new_id(part: str) -> str:
            if part.startswith("/"):
                return self.guid(part[1:])
            if path in _BARE_LINES:
                part = part.removeprefix("line/")
            return self.guid(f"{name}/{part}" if part else name)

        return Origin(
            updates=updates, four_decimals=True, at=at, new_id=new_id, first_journal=self._first_journal
        )

    def create(self, path: str, element: Record, at: datetime, name: str) -> Record:
        """Write a new record; `name` makes its ids."""
        return self._done(
            attempt(self.organisation, path, RULES[path], element, self._origin(path, at, name))
        )

    def update(self, path: str, key: str, at: datetime, **fields: Any) -> Record:
        """Change fields of a record."""
        fields[RESOURCES[path].id] = key
        origin = self._origin(path, at, key, updates=True)
        return self._done(attempt(self.organisation, path, RULES[path], fields, origin, key))

    def _done(self, work: Work) -> Record:
        if work.failed:
            raise ValueError(f"{work.path} {work.sent}: {'; '.join(work.errors)}")
        for path, key in work.touched:
            self._noted(path, key)
        for journal in work.posted:
            self._noted("Journals", journal["JournalID"])
            for line in journal["JournalLines"]:
                entry = (journal["JournalDate"], line["NetAmount"])
                self.entries.setdefault(line["AccountID"], []).append(entry)
        record = work.answer or {}
        return self.organisation.table(work.path).rows.get(str(record.get(RESOURCES[work.path].id)), record)

    def post(self, at: datetime, journal: Callable[[ledger.Ledger], Record]) -> Record:
        """Post a journal that belongs to no record the API can write."""
        work = self._work("Journals", {}, at)

        def save() -> Record:
            made = journal(work.ledger)
            work.post(made)
            return made

        return self._done(tried(work, save))

    def line(
        self,
        description: str,
        price: Decimal | str | int,
        account: str,
        quantity: Decimal | str | int = ONE,
        item: str | None = None,
        *,
        tax: str | None = None,
        tracking: Sequence[tuple[str, str]] = (),
        **fields: Any,
    ) -> Record:
        """A line as it is entered: account, item, tax type and tracking (category, option) by code or name."""
        line: Record = {
            "Description": description,
            "UnitAmount": Decimal(price),
            "AccountCode": account,
            "Quantity": Decimal(quantity),
            "TaxType": tax or self.chart.account({"Code": account})["TaxType"],
            "Tracking": [{"Name": name, "Option": option} for name, option in tracking],
            **fields,
        }
        if item:
            line["ItemCode"] = item
        return line

    def goods(
        self,
        item: dict[str, str],
        price: Decimal | str,
        account: str,
        quantity: Decimal | int = ONE,
        **more: Any,
    ) -> Record:
        """A line for an item of the price list, with the item's name as description."""
        return self.line(item["name"], price, account, quantity, item["code"], **more)

    def with_lines(self, document: Record, element: list[Record], name: str) -> Record:
        """A document of a kind that the API cannot write, with its lines and totals."""
        work = self._work("Receipts", {"LineItems": element}, None, name)
        return with_lines(work, document, Lines(sale=False, complete=True), None)

    # --- tracking, groups and contacts

    def add_option(
        self, category_id: str, option: str, at: datetime, name: str, status: str = "ACTIVE"
    ) -> None:
        """Add an option to a tracking category, and archive it if `status` says so."""
        work = self._work("TrackingCategories", {"Name": option}, at, name)
        made = self._done(tried(work, lambda: tracking_categories.add_option(work, category_id)))
        if status != "ACTIVE":
            change = self._work("TrackingCategories", {"Status": status}, at, name)
            category = self.get("TrackingCategories", category_id)
            self._done(tried(change, lambda: tracking_categories.save_option(change, category, made)))

    def add_members(self, group_id: str, members: list[Record], at: datetime) -> None:
        """Put contacts into a group."""
        work, group = self._work("ContactGroups", {}, at), self.get("ContactGroups", group_id)
        self._done(tried(work, lambda: contacts.add_members(work, group, members)))

    def merge(self, contact_id: str, into: str, at: datetime) -> Record:
        """Merge a contact into another one."""
        work = self._work("Contacts", {}, at)
        contact, other = self.get("Contacts", contact_id), self.get("Contacts", into)
        return self._done(tried(work, lambda: contacts.merge(work, contact, other)))
