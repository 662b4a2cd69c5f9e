"""Answers to writes: the elements of a request, one after the other, and the answer for all of them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from werkzeug import Response

from ..fields import COUNTS_WRITTEN, DATES, FLAGS, LISTS, NUMBERS, OBJECTS
from ..resources import SINGLE
from ..rules.work import ZERO_ID, Origin, Rule, Work, attempt, refresh_balances, zone
from ..values import ZERO, Record, decoded, instant, ms_date
from .calls import Call, invalid, not_found, unreadable
from .queries import true
from .views import shown

MOST = 500
"""Elements in one request (Xero's guide to limits)."""

_TOO_MUCH = Decimal(10) ** 15


def origin_of(call: Call) -> Origin:
    """The origin of the records that this call writes."""
    app = call.bearer.app
    return Origin(
        client_id=app.client_id,
        user=app.name,
        updates=call.method == "POST",
        four_decimals=call.places == 4,
        backorders=call.flag("allowBackorders"),
    )


# --- the request ---------------------------------------------------------------------------------------


def elements(call: Call, key: str) -> list[Record]:
    """The elements of the body: ``{key: [...]}`` (``key`` in any case), a bare list, or one bare object.

    Values have the types of records: decimals, dates, booleans and text by the name of their field. Nulls and
    unknown objects and lists are dropped. Raises the 400 refusal for a body that cannot be read.
    """
    try:
        body = decoded(call.body)
    except ValueError as error:
        raise unreadable(str(error)) from None
    if isinstance(body, dict):
        wanted = next((name for name in body if name.lower() == key.lower()), None)
        body = [body] if wanted is None else body[wanted]
    if isinstance(body, dict):
        body = [body]
    if not isinstance(body, list) or not all(isinstance(one, dict) for one in body):
        raise unreadable(f"{key} must be an array of objects")
    if len(body) > MOST:
        raise invalid(f"A request can hold {MOST} {key} at most, this one holds {len(body)}")
    return [_object(one) for one in body]


def _object(value: Record, parent: str = "") -> Record:
    read = {name: _value(name, one, parent) for name, one in _dated(value).items() if one is not None}
    return {name: one for name, one in read.items() if one is not None}


def _dated(value: Record) -> Record:
    """The object with `Date` for `DateString`, which Xero's own examples of requests use."""
    twins = [name for name in value if name.endswith("String") and name.removesuffix("String") in DATES]
    if not twins:
        return value
    given = {name.removesuffix("String"): value[name] for name in twins if value[name]}
    rest = {name: one for name, one in value.items() if name not in twins and one is not None}
    return {**given, **rest}


def _value(name: str, value: Any, parent: str) -> Any:
    objects = isinstance(value, list) and all(isinstance(one, dict) for one in value)
    if (name in OBJECTS and not isinstance(value, dict)) or (name in LISTS and not objects):
        raise unreadable(f"Error converting value {value!r} of {name}")
    try:
        if isinstance(value, dict):
            return _object(value, name) if name in OBJECTS else None
        if isinstance(value, list):
            return [_object(one, name) for one in value] if name in LISTS else None
        return _scalar(name, value, parent)
    except (ValueError, TypeError, AttributeError, InvalidOperation):
        raise unreadable(f"Error converting value {value!r} of {name}") from None


def _scalar(name: str, value: Any, parent: str) -> Any:
    """A value that is neither object nor list, by the kind of its field."""
    if name in COUNTS_WRITTEN or (name == "DueDate" and parent == "Schedule"):
        return int(value)
    if name in NUMBERS:
        return None if value == "" else _number(value)
    if name in DATES:
        return instant(value).date() if value else None
    if name in FLAGS:
        return value if isinstance(value, bool) else true(str(value))
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


# --- records ---------------------------------------------------------------------------------------------


def write(rule: Rule) -> Callable[[Call], Response]:
    """The handler of a resource's PUT and POST, for the list as for one record."""

    def handler(call: Call) -> Response:
        resource = call.resource
        sent = elements(call, resource.envelope)
        if call.key or call.method in rule.one.split():
            sent = sent[:1] or [{}]
        current = [_named(call, one, rule) for one in sent]
        path, origin = resource.path, origin_of(call)
        done = [
            attempt(call.organisation, path, rule, one, origin, identifier)
            for one, identifier in zip(sent, current, strict=True)
        ]
        refresh(call, done)
        return answered(call, rule, done)

    return handler


def refresh(call: Call, done: list[Work]) -> None:
    """Update the balances of the contacts whose documents were written."""
    refresh_balances(call.organisation, {one for work in done for one in work.contacts_concerned()})


def _named(call: Call, sent: Record, rule: Rule) -> str:
    """The id of the record that an element or the address names; 404 if there is none.

    One unknown id in a POST ends the whole request before anything is written (as measured against a demo
    company).
    """
    if call.method == "PUT":
        return ""
    key = call.resource.id
    wanted = call.key or str(sent.get(key, ""))
    if not wanted or wanted == ZERO_ID or not (rule.by_id or call.key):
        return ""
    table = call.organisation.table(call.resource.path)
    found = table.find(wanted) if call.key else table.rows.get(wanted.lower())
    if found is None:
        raise not_found()
    return str(found[key])


# --- the answer ------------------------------------------------------------------------------------------


def answered(call: Call, rule: Rule, done: list[Work]) -> Response:
    """The answer to a write of records."""
    return tally(
        call,
        call.resource.envelope,
        done,
        lambda work: _tree(call, rule, work),
        summarize=bool(call.key) or call.method not in rule.summarize.split(),
        always=call.resource.path == "BatchPayments",
    )


def tally(
    call: Call,
    key: str,
    done: list[Work],
    tree: Callable[[Work], Record],
    *,
    summarize: bool = False,
    always: bool = False,
) -> Response:
    """The answer for all elements under ``key``, each shown by ``tree``.

    With summarized errors, a failure makes the answer a 400 that lists only the failed elements, although the
    others are written. Otherwise all elements follow in order, each with its status. ``summarize`` forces the
    former, ``always`` adds the status in any case.
    """
    summarize = summarize or call.summarized
    failed = [work for work in done if work.failed]
    if failed and summarize:
        return call.refuse(invalid(Elements=[tree(work) for work in failed]))
    trees = []
    for work in done:
        one = tree(work)
        if always or not summarize:
            errors = one.pop("ValidationErrors", None)
            one["StatusAttributeString"] = "ERROR" if work.failed else "WARNING" if work.warnings else "OK"
            if errors is not None:
                one["ValidationErrors"] = errors
        trees.append(one)
    return call.answer(key, trees)


def noted(found: list[str]) -> list[Record]:
    """Messages in the form of ValidationErrors and Warnings."""
    return [{"Message": one} for one in found]


def _tree(call: Call, rule: Rule, work: Work) -> Record:
    """An element in the answer to a write."""
    tree = _failed(call, rule, work) if work.failed else _written(call, work)
    if rule.flag:
        tree[rule.flag] = work.failed
    if work.warnings:
        tree["Warnings"] = noted(work.warnings)
    if work.failed:
        tree["ValidationErrors"] = noted(work.errors)
    elif adjust := _ADJUSTED.get(call.resource.path):
        adjust(call, work.answer or {}, tree)
    return tree


def _failed(call: Call, rule: Rule, work: Work) -> Record:
    """A refused element: its fields as sent and as computed so far, without UpdatedDateUTC."""
    resource = call.resource
    kept = {name: value for name, value in work.echo.items() if name != "UpdatedDateUTC"}
    shape = kept
    if rule.by_id:
        identifier = ZERO_ID if work.creates else kept.get(resource.id, ZERO_ID)
        shape = {resource.id: identifier, **{name: one for name, one in kept.items() if name != resource.id}}
    for name in rule.lists.split():
        shape.setdefault(name, [])
    return call.rendered(shape)


def _written(call: Call, work: Work) -> Record:
    tree = call.rendered(shown(work.answer or {}, call.resource, SINGLE, call.organisation))
    tree.pop("Attachments", None)
    return tree


def _as_order(call: Call, record: Record, tree: Record) -> None:
    """Orders show the whole contact, whose stamp is the organisation's local time labelled as UTC (as recorded)."""
    contact = shown(record, call.resource, SINGLE, call.organisation)["Contact"]
    if stamp := contact.get("UpdatedDateUTC"):
        contact = {
            **contact,
            "UpdatedDateUTC": stamp + (zone(call.organisation).utcoffset(stamp) or stamp - stamp),
        }
    tree["Contact"] = call.rendered(contact)
    tree.setdefault("TotalDiscount", ZERO)


def _as_item(call: Call, record: Record, tree: Record) -> None:
    """Answers to Items have stamps without an offset and an empty ValidationErrors instead of flags."""
    if call.json:
        tree["UpdatedDateUTC"] = ms_date(record["UpdatedDateUTC"], "")
    tree["ValidationErrors"] = []


_ADJUSTED: dict[str, Callable[[Call, Record, Record], None]] = {
    "PurchaseOrders": _as_order,
    "Items": _as_item,
}
