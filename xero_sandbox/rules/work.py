"""The writing of one record. Each element of a request is a ``Work``, which stores nothing until every rule is met.

The rules are functions in the other modules of this package. HTTP and the demo companies both write through
them, and the rules know neither.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import Any, NoReturn
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from ..accounting import ledger, settlement
from ..resources import RESOURCES
from ..state.organisation import Organisation
from ..values import CENT, TEN_THOUSANDTH, Record

ZERO_ID = "00000000-0000-0000-0000-000000000000"


class Rejected(Exception):
    """An element breaks a rule; the reasons are in its ``Work``."""


_ZONES = {
    "NEWZEALANDSTANDARDTIME": "Pacific/Auckland",
    "AUSEASTERNSTANDARDTIME": "Australia/Sydney",
    "GMTSTANDARDTIME": "Europe/London",
}
_numbers: WeakKeyDictionary[Organisation, dict[tuple[str, str], int]] = WeakKeyDictionary()


def zone(organisation: Organisation) -> ZoneInfo:
    """The organisation's time zone, UTC for one that the sandbox does not know."""
    return ZoneInfo(_ZONES.get(head(organisation).get("Timezone", ""), "UTC"))


def head(organisation: Organisation) -> Record:
    """The organisation's own record."""
    return next(iter(organisation.table("Organisation").rows.values()), {})


@dataclass(frozen=True)
class Origin:
    """Who writes, and how.

    ``client_id`` and ``user``: the app; without ``client_id``, a person enters the record in Xero itself.
    ``updates``: the element may change a record (POST), else it creates one (PUT). ``four_decimals``: unit prices
    are stored with four decimals (``unitdp=4``). ``backorders``: sales may exceed the stock. ``at``: the instant of
    the write, by default now. ``new_id``: makes the id of a part of the record (``""`` is the record itself), by
    default a random one. ``first_journal``: the number of the organisation's first journal.
    """

    client_id: str | None = None
    user: str = "System Generated"
    updates: bool = False
    four_decimals: bool = False
    backorders: bool = False
    at: datetime | None = None
    new_id: Callable[[str], str] = lambda _part: str(uuid.uuid4())
    first_journal: int = 1


@dataclass
class Work:
    """One element that is being written.

    ``sent`` is the element as sent, ``echo`` its form in an answer that refuses it, ``was`` the record before the
    write. ``refuse`` notes a broken rule and continues, ``stop`` ends the work if a rule is broken. ``broken``
    means that an error is noted on a part of the element.
    """

    organisation: Organisation
    path: str
    sent: Record
    origin: Origin
    creates: bool = False
    failed: bool = False
    broken: bool = False
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    answer: Record | None = None
    was: Record = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.at: datetime = self.origin.at or self.organisation.stamp()
        self.echo: Record = dict(self.sent)
        self.touched: dict[tuple[str, str], None] = {}
        self._kept: dict[tuple[str, str], Record] = {}
        self._new: set[str] = set()
        self._removed: list[tuple[str, str]] = []

    # rules

    def refuse(self, message: str) -> None:
        """Note why the element cannot be written."""
        if message not in self.errors:
            self.errors.append(message)

    def warn(self, message: str) -> None:
        """Note a warning; the element is written."""
        self.warnings.append(message)

    def stop(self) -> None:
        """End the work if a rule was broken. Raises ``Rejected``."""
        if self.errors or self.broken:
            raise Rejected

    def fail(self, *messages: str) -> NoReturn:
        """Refuse the write and end the work. Raises ``Rejected``."""
        for message in messages:
            self.refuse(message)
        raise Rejected

    # records

    def new_id(self, part: str = "") -> str:
        """The id of the record, or of a part of it."""
        return self.origin.new_id(part)

    def price(self, value: Decimal) -> Decimal:
        """A unit price with two decimals, or four if the request asks for them."""
        return value.quantize(TEN_THOUSANDTH if self.origin.four_decimals else CENT, ROUND_HALF_UP)

    @property
    def by_hand(self) -> bool:
        """Whether a person enters the record in Xero itself; an app cannot write every field."""
        return self.origin.client_id is None

    @property
    def doing(self) -> str:
        """Xero's term for the write: creation or modification."""
        return "creation" if self.creates else "modification"

    @property
    def today(self) -> date:
        """The current day in the organisation's time zone; Xero's default for Date."""
        return (self.origin.at or self.organisation.now()).astimezone(zone(self.organisation)).date()

    @property
    def base(self) -> str:
        """The organisation's currency."""
        return str(head(self.organisation).get("BaseCurrency", "NZD"))

    def get(self, path: str, identifier: Any) -> Record | None:
        """The record with that id, including this work's changes."""
        rows = self.organisation.table(path).rows
        wanted = str(identifier or "")
        if wanted not in rows:
            wanted = wanted.lower()
        return self._kept.get((path, wanted)) or rows.get(wanted)

    def matching(self, path: str, field_name: str, text: Any) -> list[Record]:
        """The records with that text in a field, in any case; none for an empty text."""
        return self.organisation.table(path).matching(field_name, str(text)) if text else []

    def first(self, path: str, field_name: str, text: Any) -> Record | None:
        """The first record with that text in a field."""
        return next(iter(self.matching(path, field_name, text)), None)

    def others(self, path: str, field_name: str, text: Any, record: Record) -> list[Record]:
        """The records with that text in a field, except this one."""
        key = RESOURCES[path].id
        return [one for one in self.matching(path, field_name, text) if one[key] != record.get(key)]

    def put(self, path: str, record: Record, *, touch: bool = True) -> Record:
        """Store a new or changed record when the work is done; an unchanged record keeps its UpdatedDateUTC."""
        resource = RESOURCES[path]
        identifier = str(record.get(resource.id) or self.new_id())
        record = record if resource.id in record else {**record, resource.id: identifier}
        before = self.get(path, identifier)
        if before is None:
            self._new.add(identifier)
        elif {**before, "UpdatedDateUTC": None} == {**record, "UpdatedDateUTC": None}:
            return before
        fields = resource.names
        if touch:
            self.touched.pop((path, identifier), None)
            self.touched[path, identifier] = None
            if "UpdatedDateUTC" in fields:
                record = {**record, "UpdatedDateUTC": self.at}
        if before is None and "CreatedDateUTC" in fields:
            record = {**record, "CreatedDateUTC": self.at}
        self._kept[path, identifier] = record
        return record

    def remove(self, path: str, identifier: str) -> None:
        """Delete a record when the work is done."""
        self._removed.append((path, identifier))

    def number(self, path: str, field_name: str, prefix: str) -> str:
        """The next free number of a series such as INV-0001."""
        series = _numbers.setdefault(self.organisation, {})
        table = self.organisation.table(path)
        if (path, prefix) not in series:
            found = (str(row.get(field_name, "")).removeprefix(prefix) for row in table.rows.values())
            numbers = (int(one) for one in found if one.isdecimal() and len(one) < 9)
            series[path, prefix] = max(numbers, default=0)
        while True:
            series[path, prefix] += 1
            number = f"{prefix}{series[path, prefix]:04d}"
            if not table.matching(field_name, number):
                return number

    def commit(self) -> None:
        """Store the changes of the work."""
        client_id = self.origin.client_id
        for (path, identifier), record in self._kept.items():
            self.organisation.put(path, record, touch=False)
            if client_id is not None and identifier in self._new and path != "Journals":
                self.organisation.created_by(identifier, client_id)
        for path, identifier in self._removed:
            self.organisation.remove(path, identifier)

    def contacts_concerned(self) -> set[str]:
        """The contacts whose balances this work changes; none if it was refused."""
        return {
            str(record["Contact"]["ContactID"])
            for (path, _), record in ({} if self.failed else self._kept).items()
            if path in settlement.SETTLED_DOCUMENTS and record.get("Contact")
        }

    # the ledger

    @cached_property
    def ledger(self) -> ledger.Ledger:
        """The ledger of this organisation, at the next journal's number."""
        last = self.organisation.table("Journals").last()
        number = int(last["JournalNumber"]) + 1 if last else self.origin.first_journal
        return ledger.Ledger(self.organisation.chart, number, lambda name: self.new_id(f"/{name}"))

    def post(self, journal: Record, journal_id: str | None = None) -> None:
        """Post a journal, with this id if one is given."""
        self.put("Journals", {**journal, "JournalID": journal_id} if journal_id else journal, touch=False)

    @property
    def posted(self) -> list[Record]:
        """The journals of this work, in order of their numbers."""
        return [record for (path, _), record in self._kept.items() if path == "Journals"]

    def standing(self, source_id: str) -> list[Record]:
        """The journals of a document that are not reversed, oldest first."""
        mine = self.organisation.table("Journals").matching("SourceID", source_id)
        return ledger.standing(mine, source_id)

    def reverse(self, source_id: str) -> None:
        """Reverse the journals of a document."""
        for journal in self.standing(source_id):
            self.post(self.ledger.reverse(journal, self.at))

    def lock_dates(self, *days: date | None) -> None:
        """Refuse days on or before the organisation's lock dates."""
        organisation = head(self.organisation)
        for name, words in (
            ("EndOfYearLockDate", "end of year lock date"),
            ("PeriodLockDate", "period lock date"),
        ):
            locked = organisation.get(name)
            if locked and any(day and day <= locked for day in days):
                self.refuse(
                    f"The document date cannot be before the {words}, currently set at {locked.strftime('%d-%b-%Y')}"
                )
                return


def refresh_balances(organisation: Organisation, contacts: Iterable[str]) -> None:
    """Update ``Contact.Balances``; UpdatedDateUTC stays as it is (Xero's change notes)."""
    today = organisation.now().astimezone(zone(organisation)).date()
    for contact_id in contacts:
        contact = organisation.table("Contacts").rows.get(contact_id)
        if contact is None:
            continue
        documents = (
            one
            for path in settlement.SETTLED_DOCUMENTS
            for one in organisation.table(path).matching("Contact.ContactID", contact_id)
        )
        found = settlement.balances(documents, today).get(contact_id)
        if found != contact.get("Balances"):
            others = {name: one for name, one in contact.items() if name != "Balances"}
            balances = {"Balances": found} if found else {}
            organisation.put("Contacts", {**others, **balances}, touch=False)


# --- rules -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """The rules for the elements of one resource.

    ``save`` takes the work and the current record (None for a new one), checks everything, puts the changes and
    returns the record. ``match`` finds the record of a POST without an id by its natural key. ``one``: the methods
    for which Xero ignores all elements but the first. ``summarize``: the methods that take the parameter
    ``summarizeErrors``. ``flag``: the field that marks a failure in an answer. ``lists``: the empty lists of a
    refused element. ``by_id``: false if the identifier is a natural key, which a create may contain.
    """

    save: Callable[[Work, Record | None], Record]
    match: Callable[[Work], Record | None] | None = None
    one: str = ""
    summarize: str = "PUT POST"
    flag: str = ""
    lists: str = ""
    by_id: bool = True


def attempt(
    organisation: Organisation, path: str, rule: Rule, sent: Record, origin: Origin, identifier: str = ""
) -> Work:
    """Write one element, unless it is refused; ``identifier`` is the id of the record that it changes."""
    work = Work(organisation, path, sent, origin)

    def save() -> Record:
        current = work.get(path, identifier) if identifier else None
        if current is None and origin.updates and rule.match is not None:
            current = rule.match(work)
        work.creates = current is None
        if current is not None:
            work.was = current
            key = RESOURCES[path].id
            work.echo[key] = current[key]
        return rule.save(work, current)

    return tried(work, save)


def tried(work: Work, save: Callable[[], Record]) -> Work:
    """Call ``save`` and store its changes unless the element is refused."""
    try:
        record = save()
        work.stop()
    except Rejected:
        work.failed = True
        return work
    work.answer = work.answer or record
    work.commit()
    return work
