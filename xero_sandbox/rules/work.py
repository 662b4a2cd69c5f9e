"""How a write is worked through: what a request holds, one element after the other, and how it is answered.

Each element is a ``Work``: what it changes is kept back until it has passed every rule, so that a refused element
leaves nothing behind. The rules themselves stand beside this file, one function per kind of record.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from werkzeug import Response

from ..accounting import double_entry as books
from ..http import messages
from ..http.calls import JSON, QUOTES_JSON, Call, Refusal, not_found
from ..http.queries import true
from ..http.views import shown
from ..resources import RESOURCES, SINGLE
from ..state.store import Organisation, Record

ZERO_ID = "00000000-0000-0000-0000-000000000000"
MOST = 500
"""Elements in one request (Xero's guide to limits)."""


class Rejected(Exception):
    """An element breaks a rule; the reasons are in its ``Work``."""


# --- what is sent ----------------------------------------------------------------------------------------

_NUMBERS = frozenset(
    "UnitAmount UnitPrice Quantity LineAmount TaxAmount DiscountRate DiscountAmount Amount BankAmount CurrencyRate"
    " Rate SubTotal TotalTax Total TotalDiscount AmountDue AmountPaid AmountCredited RemainingCredit Discount"
    " TotalCostPool QuantityOnHand DisplayTaxRate EffectiveRate TotalAmount AppliedAmount".split()
)
_TOO_MUCH = Decimal(10) ** 15
_WHOLE = frozenset({"Period", "Day"})
_DATES = frozenset(
    "Date DueDate ExpectedPaymentDate PlannedPaymentDate DeliveryDate ExpectedArrivalDate ExpiryDate StartDate"
    " EndDate NextScheduledDate".split()
)
_FLAGS = frozenset(
    "IncludeInEmails SentToContact EnablePaymentsToAccount ShowInExpenseClaims ShowOnCashBasisReports AddToWatchlist"
    " IsSold IsPurchased IsReconciled FromIsReconciled ToIsReconciled IsCompound IsNonRecoverable ApprovedForSending"
    " SendCopy MarkAsSent IncludePDF IsCustomer IsSupplier IsTrackedAsInventory".split()
)
_OBJECTS = frozenset(
    "Contact BankAccount Invoice CreditNote Prepayment Overpayment Account FromBankAccount ToBankAccount Schedule"
    " PurchaseDetails SalesDetails PaymentTerms Bills Sales BatchPayments".split()
)
_LISTS = frozenset(
    "LineItems JournalLines Phones Addresses ContactPersons Tracking TaxComponents Options FromTracking ToTracking"
    " SalesTrackingCategories PurchasesTrackingCategories Payments Allocations".split()
)


def _unreadable(message: str) -> Refusal:
    return Refusal(400, messages.api_exception(14, "PostDataInvalidException", message))


def elements(call: Call, key: str) -> list[Record]:
    """The elements of the body: ``{key: [...]}`` (``key`` in any case), a bare list, or one bare object.

    Values come as records keep them: decimals, dates, truth values and text by the name of their field; nulls
    are left out, and so are objects and lists under names that nothing is done with. Raises the 400 refusal for a
    body that can't be read.
    """
    try:
        body = messages.decoded(call.body)
    except ValueError as error:
        raise _unreadable(str(error)) from None
    if isinstance(body, dict):
        wanted = next((name for name in body if name.lower() == key.lower()), None)
        body = [body] if wanted is None else body[wanted]
    if isinstance(body, dict):
        body = [body]
    if not isinstance(body, list) or not all(isinstance(one, dict) for one in body):
        raise _unreadable(f"{key} must be an array of objects")
    if len(body) > MOST:
        raise Refusal(
            400,
            messages.api_exception(
                10,
                "ValidationException",
                f"A request can hold {MOST} {key} at most, this one holds {len(body)}",
            ),
        )
    return [_object(one) for one in body]


def _object(value: Record, parent: str = "") -> Record:
    read = {name: _value(name, one, parent) for name, one in _dated(value).items() if one is not None}
    return {name: one for name, one in read.items() if one is not None}


def _dated(value: Record) -> Record:
    """The object with its dates under their own names: Xero's own examples of requests say `DateString` for `Date`."""
    twins = [name for name in value if name.endswith("String") and name.removesuffix("String") in _DATES]
    if not twins:
        return value
    given = {name.removesuffix("String"): value[name] for name in twins if value[name]}
    rest = {name: one for name, one in value.items() if name not in twins and one is not None}
    return {**given, **rest}


def _value(name: str, value: Any, parent: str) -> Any:
    a_list = isinstance(value, list) and all(isinstance(one, dict) for one in value)
    if (name in _OBJECTS and not isinstance(value, dict)) or (name in _LISTS and not a_list):
        raise _unreadable(f"Error converting value {value!r} of {name}")
    try:
        if isinstance(value, dict):
            return _object(value, name) if name in _OBJECTS else None
        if isinstance(value, list):
            return [_object(one, name) for one in value] if name in _LISTS else None
        if name in _WHOLE or (name == "DueDate" and parent == "Schedule"):
            return int(value)
        if name in _NUMBERS:
            return None if value == "" else _number(value)
        if name in _DATES:
            return messages.instant(value).date() if value else None
        if name in _FLAGS:
            return value if isinstance(value, bool) else true(str(value))
    except (ValueError, TypeError, AttributeError, InvalidOperation):
        raise _unreadable(f"Error converting value {value!r} of {name}") from None
    if isinstance(value, bool):
        return value if name.startswith(("Has", "Is")) else str(value).lower()
    return str(value)


def _number(value: Any) -> Decimal:
    if isinstance(value, bool):
        raise TypeError
    number = Decimal(str(value).strip())
    if not number.is_finite() or abs(number) >= _TOO_MUCH:
        raise ValueError
    return number


# --- one element -----------------------------------------------------------------------------------------

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
    return next(iter(organisation.records("Organisation")), {})


@dataclass
class Work:
    """One element on its way into the books.

    ``asked`` is the element as sent; ``echo`` what an answer shows of it when it is refused (what was asked, with
    what was worked out so far). ``refuse`` notes a broken rule and goes on, ``stop`` ends the work if there is one;
    ``was`` is the record as it stood. ``broken`` says that there is one whose words stand on a part of the element.
    """

    call: Call
    path: str
    asked: Record
    creates: bool = False
    failed: bool = False
    broken: bool = False
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    answer: Record | None = None
    was: Record = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.organisation = self.call.organisation
        self.at: datetime = self.organisation.stamp()
        self.echo: Record = dict(self.asked)
        self._kept: dict[tuple[str, str], Record] = {}
        self._new: set[str] = set()

    # rules

    def refuse(self, message: str) -> None:
        """Note why this can't be written."""
        if message not in self.errors:
            self.errors.append(message)

    def warn(self, message: str) -> None:
        """Note something odd about what is written all the same."""
        self.warnings.append(message)

    def stop(self, *messages: str) -> None:
        """End the work if a rule was broken. Raises ``Rejected``."""
        for message in messages:
            self.refuse(message)
        if self.errors or self.broken:
            raise Rejected

    # records

    @property
    def method(self) -> str:
        """PUT or POST."""
        return self.call.method

    @property
    def today(self) -> date:
        """The calendar day in the organisation's zone; what Xero takes for a missing Date."""
        return self.organisation.now().astimezone(zone(self.organisation)).date()

    @property
    def base(self) -> str:
        """The organisation's currency."""
        return str(head(self.organisation).get("BaseCurrency", "NZD"))

    def get(self, path: str, identifier: Any) -> Record | None:
        """The record with that id as this work has left it."""
        rows = self.organisation.table(path).rows
        wanted = str(identifier or "")
        if wanted not in rows:
            wanted = wanted.lower()
        return self._kept.get((path, wanted)) or rows.get(wanted)

    def matching(self, path: str, field_name: str, text: Any) -> list[Record]:
        """The records with that text in a field, whatever its case; none for an empty text."""
        return self.organisation.table(path).matching(field_name, str(text)) if text else []

    def put(self, path: str, record: Record, *, touch: bool = True) -> Record:
        """Keep a new or changed record, if all goes well; one that is as before stays as it is, stamp and all."""
        resource = RESOURCES[path]
        identifier = str(record.setdefault(resource.id, str(uuid.uuid4())))
        before = self.get(path, identifier)
        if before is None:
            self._new.add(identifier)
        elif {**before, "UpdatedDateUTC": None} == {**record, "UpdatedDateUTC": None}:
            return before
        fields = resource.fields.split()
        if touch and "UpdatedDateUTC" in fields:
            record = {**record, "UpdatedDateUTC": self.at}
        if before is None and "CreatedDateUTC" in fields:
            record = {**record, "CreatedDateUTC": self.at}
        self._kept[path, identifier] = record
        return record

    def number(self, path: str, field_name: str, prefix: str) -> str:
        """The next free number of a series such as INV-0001."""
        series = _numbers.setdefault(self.organisation, {})
        table = self.organisation.table(path)
        if (path, prefix) not in series:
            found = (str(row.get(field_name, "")).removeprefix(prefix) for row in table.rows.values())
            series[path, prefix] = max(
                (int(one) for one in found if one.isdecimal() and len(one) < 9), default=0
            )
        while True:
            series[path, prefix] += 1
            number = f"{prefix}{series[path, prefix]:04d}"
            if not table.matching(field_name, number):
                return number

    def commit(self) -> None:
        """Put into the store what the work has kept back."""
        for (path, identifier), record in self._kept.items():
            self.organisation.put(path, record, touch=False)
            if identifier in self._new and path != "Journals":
                self.organisation.created_by(identifier, self.call.bearer.app.client_id)

    def contacts_concerned(self) -> set[str]:
        """The contacts whose balances this work has moved."""
        return {
            str(record["Contact"]["ContactID"])
            for (path, _), record in self._kept.items()
            if path in _WITH_BALANCES and record.get("Contact")
        }

    # the ledger

    @cached_property
    def ledger(self) -> books.Bookkeeper:
        """The bookkeeper of this organisation, at the next journal's number."""
        records = {
            path: self.organisation.records(path) for path in ("Accounts", "TaxRates", "TrackingCategories")
        }
        last = self.organisation.table("Journals").last()
        number = int(last["JournalNumber"]) + 1 if last else 1
        return books.Bookkeeper(
            {**records, "Organisations": self.organisation.records("Organisation")}, number
        )

    def post(self, journal: Record, journal_id: str | None = None) -> None:
        """Put a journal into the ledger, under an id of its own if one is given."""
        self.put("Journals", {**journal, "JournalID": journal_id} if journal_id else journal, touch=False)

    def standing(self, source_id: str) -> list[Record]:
        """The journals of a document that are not reversed, oldest first."""
        mine = self.organisation.table("Journals").matching("SourceID", source_id)
        return books.standing(mine, source_id)

    def reverse(self, source_id: str) -> None:
        """Undo what a document has in the ledger."""
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


_WITH_BALANCES = frozenset({"Invoices", "CreditNotes", "Overpayments", "Prepayments"})


def refresh_balances(organisation: Organisation, contacts: Iterable[str]) -> None:
    """Bring ``Contact.Balances`` up to date; that moves no contact's UpdatedDateUTC (Xero's change notes)."""
    today = organisation.now().astimezone(zone(organisation)).date()
    for contact_id in contacts:
        contact = organisation.table("Contacts").rows.get(contact_id)
        if contact is None:
            continue
        documents = {
            path: organisation.table(path).matching("Contact.ContactID", contact_id)
            for path in _WITH_BALANCES
        }
        held = [one for path in sorted(_WITH_BALANCES - {"Invoices"}) for one in documents[path]]
        found = books.balances(documents["Invoices"], held, today).get(contact_id)
        if found != contact.get("Balances"):
            organisation.put("Contacts", {**contact, "Balances": found}, touch=False)


# --- a request -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """How the elements of one resource are written.

    ``save`` takes the work and the record as it stands (None: a new one), checks everything, puts what changes and
    returns the record. ``match`` finds the record that a POST without an id means by its natural key. ``one``: the
    verbs with which only the first element of a request counts, the others are dropped without a word.
    ``summarize``: the verbs with which the ``summarizeErrors`` parameter is honoured. ``flag`` is the truth value
    that marks a failure in an answer, ``lists`` are the empty lists that even a refused element shows. ``by_id``
    is false where an element's identifier is a natural key that a create may bring along.
    """

    save: Callable[[Work, Record | None], Record]
    match: Callable[[Work], Record | None] | None = None
    one: str = ""
    summarize: str = "PUT POST"
    flag: str = ""
    lists: str = ""
    by_id: bool = True


def write(rule: Rule) -> Callable[[Call], Response]:
    """The handler of a resource's PUT and POST, for the list as for one record."""

    def handler(call: Call) -> Response:
        resource = call.resource
        asked = elements(call, resource.envelope)
        if call.key or call.method in rule.one.split():
            asked = asked[:1] or [{}]
        current = [_named(call, one, rule) for one in asked]
        done = [attempt(call, rule, *pair) for pair in zip(asked, current, strict=True)]
        refresh_balances(
            call.organisation, {one for work in done if not work.failed for one in work.contacts_concerned()}
        )
        return answered(call, rule, done)

    return handler


def _named(call: Call, asked: Record, rule: Rule) -> str:
    """The id of the record that an element or the address names; 404 for one that nobody knows.

    One unknown id in a POST ends the whole request before anything is written (as measured against a demo company).
    """
    if call.method == "PUT":
        return ""
    key = call.resource.id
    wanted = call.key or str(asked.get(key, ""))
    if not wanted or wanted == ZERO_ID or not (rule.by_id or call.key):
        return ""
    table = call.organisation.table(call.resource.path)
    found = table.find(wanted) if call.key else table.rows.get(wanted.lower())
    if found is None:
        raise not_found()
    return str(found[key])


def attempt(call: Call, rule: Rule, asked: Record, identifier: str = "") -> Work:
    """Do one element and put it into the store, unless it is refused."""
    path = call.resource.path
    work = Work(call, path, asked)

    def save() -> Record:
        current = work.get(path, identifier) if identifier else None
        if current is None and call.method == "POST" and rule.match is not None:
            current = rule.match(work)
        work.creates = current is None
        if current is not None:
            work.was = current
            work.echo[call.resource.id] = current[call.resource.id]
        return rule.save(work, current)

    return tried(work, save)


def tried(work: Work, save: Callable[[], Record]) -> Work:
    """Let ``save`` do the work; what it has put goes into the store unless it is refused."""
    try:
        record = save()
        work.stop()
    except Rejected:
        work.failed = True
        return work
    work.answer = work.answer or record
    work.commit()
    return work


# --- the answer ------------------------------------------------------------------------------------------


def answered(call: Call, rule: Rule, done: list[Work]) -> Response:
    """What Xero says to a write of records."""
    quotes = call.resource.path == "Quotes"
    response = tally(
        call,
        call.resource.envelope,
        done,
        lambda work: _failed(call, rule, work) if work.failed else _written(call, rule, work),
        summarize=bool(call.key) or call.method not in rule.summarize.split(),
        always=call.resource.path == "BatchPayments",
        extra={"SummarizeErrors": summarized(call)} if quotes else None,
    )
    if quotes and response.content_type == JSON and response.status_code == 200:
        response.content_type = QUOTES_JSON
    return response


def summarized(call: Call) -> bool:
    """``summarizeErrors``: true by the server's default, whatever the API definition says (XeroAPI/xero-ruby#247)."""
    asked = call.param("summarizeErrors")
    return asked is None or true(asked)


def tally(
    call: Call,
    key: str,
    done: list[Work],
    tree: Callable[[Work], Record],
    *,
    summarize: bool = False,
    always: bool = False,
    extra: Record | None = None,
) -> Response:
    """The answer for all elements under ``key``, each shown by ``tree``.

    Summarized, a failure makes it a 400 that lists only the failed elements although the good ones are kept;
    otherwise all come back in order, each with its status. ``summarize`` forces the one, ``always`` gives the
    status in any case.
    """
    summarize = summarize or summarized(call)
    failed = [work for work in done if work.failed]
    if failed and summarize:
        body = messages.api_exception(10, "ValidationException", "A validation exception occurred")
        return call.refuse(Refusal(400, {**body, "Elements": [tree(work) for work in failed]}))
    trees = []
    for work in done:
        one = tree(work)
        if always or not summarize:
            errors = one.pop("ValidationErrors", None)
            one["StatusAttributeString"] = "ERROR" if work.failed else "WARNING" if work.warnings else "OK"
            if errors is not None:
                one["ValidationErrors"] = errors
        trees.append(one)
    return call.answer(key, trees, extra)


def noted(found: list[str]) -> list[Record]:
    """Words as ValidationErrors and Warnings hold them."""
    return [{"Message": one} for one in found]


def _failed(call: Call, rule: Rule, work: Work) -> Record:
    """A refused element: what was asked, mixed with what was worked out; no UpdatedDateUTC."""
    resource = call.resource
    kept = {name: value for name, value in work.echo.items() if name != "UpdatedDateUTC"}
    shape = kept
    if rule.by_id:
        identifier = ZERO_ID if work.creates else kept.get(resource.id, ZERO_ID)
        shape = {resource.id: identifier, **{name: one for name, one in kept.items() if name != resource.id}}
    for name in rule.lists.split():
        shape.setdefault(name, [])
    tree = rendered(call, shape)
    if rule.flag:
        tree[rule.flag] = True
    if work.warnings:
        tree["Warnings"] = noted(work.warnings)
    tree["ValidationErrors"] = noted(work.errors)
    return tree


def _written(call: Call, rule: Rule, work: Work) -> Record:
    record = work.answer or {}
    tree = rendered(call, shown(record, call.resource, SINGLE, call.organisation))
    tree.pop("Attachments", None)
    if rule.flag:
        tree[rule.flag] = False
    if work.warnings:
        tree["Warnings"] = noted(work.warnings)
    adjust = _ADJUSTED.get(call.resource.path)
    if adjust is not None:
        adjust(call, record, tree)
    return tree


def rendered(call: Call, record: Record) -> Record:
    """Python values as this caller reads them."""
    if not call.json:
        return dict(record)
    resource = call.resource
    return messages.rendered(
        record,
        twins=resource.twins.split(),
        offset="" if resource.bare == "*" else messages.OFFSET,
        bare=frozenset(resource.bare.split()),
        places=call.places,
    )


def _as_order(call: Call, record: Record, tree: Record) -> None:
    """Orders show the whole contact, whose stamp is the organisation's local time labelled as UTC (as recorded)."""
    contact = shown(record, call.resource, SINGLE, call.organisation)["Contact"]
    if stamp := contact.get("UpdatedDateUTC"):
        contact = {
            **contact,
            "UpdatedDateUTC": stamp + (zone(call.organisation).utcoffset(stamp) or stamp - stamp),
        }
    tree["Contact"] = rendered(call, contact)
    tree.setdefault("TotalDiscount", books.ZERO)


def _as_item(call: Call, record: Record, tree: Record) -> None:
    """Answers to Items have stamps without an offset and an empty ValidationErrors instead of flags."""
    if call.json:
        tree["UpdatedDateUTC"] = messages.ms_date(record["UpdatedDateUTC"], "")
    tree["ValidationErrors"] = []


_ADJUSTED: dict[str, Callable[[Call, Record, Record], None]] = {
    "PurchaseOrders": _as_order,
    "Items": _as_item,
}
