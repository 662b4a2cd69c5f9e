"""Writes to subresources, and deletions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from werkzeug import Response

from ..rules import attachments, contacts, linked_transactions, payments
from ..rules.reference import accounts, currencies, items, tracking_categories
from ..rules.registry import RULES
from ..rules.work import ZERO_ID, Work, tried
from ..values import Record, encode, ms_date, plain_string
from . import messages
from .calls import JSON, XML, Call, invalid, not_found
from .idempotency import once
from .views import named
from .writing import elements, noted, origin_of, refresh, tally, write

Handler = Callable[[Call], Response]

_SAYS_400 = frozenset({"Overpayments", "Prepayments", "Payments", "Receipts"})
"""The resources that answer a note for an unknown record with a 400 (Xero's API definition)."""


def _work(call: Call, sent: Record | None = None) -> Work:
    return Work(call.organisation, call.resource.path, sent or {}, origin_of(call))


def _done(call: Call, work: Work, save: Callable[[], Record]) -> Record:
    """Write one element. Raises the 400 refusal with that element if it breaks a rule."""
    if tried(work, save).failed:
        element = {**call.rendered(work.echo), "ValidationErrors": noted(work.errors)}
        raise invalid(Elements=[element])
    return work.answer or {}


def _each(call: Call, sent: Iterable[Record], save: Callable[[Work], Record]) -> list[Work]:
    """Write the elements of a request, one after the other."""
    done = []
    for one in sent:
        work = _work(call, one)
        done.append(tried(work, partial(save, work)))
    return done


# --- deletions -------------------------------------------------------------------------------------------


def _delete(rule: Callable[[Work, Record], Record], *, shows: bool = False) -> Handler:
    """``DELETE /{Resource}/{id}``; the answer shows the record if ``shows``, else it is an empty 204."""

    def handler(call: Call) -> Response:
        found, work = call.found(), _work(call)
        work.echo = found
        deleted = _done(call, work, lambda: rule(work, found))
        if not shows:
            return Response(b"", 204)
        return call.answer(call.resource.envelope, [call.rendered(deleted)])

    return handler


# --- tracking options and payment services ---------------------------------------------------------------


def _add_options(call: Call) -> Response:
    """``PUT /TrackingCategories/{id}/Options``.

    The answer is a 400 if one of the options exists, although the new ones are added (calcinai/xero-php#920), and a
    200 if the body names none (XeroAPI/xero-php-oauth2#290).
    """
    category = str(call.found()["TrackingCategoryID"])
    sent = (one for one in elements(call, "Options") if one.get("Name"))
    done = _each(call, sent, lambda work: tracking_categories.add_option(work, category))
    if again := [work for work in done if work.failed]:
        refused = [
            {"TrackingOptionID": ZERO_ID, **work.sent, "ValidationErrors": noted(work.errors)}
            for work in again
        ]
        return call.refuse(invalid(Elements=refused))
    return call.answer("Options", [work.answer or {} for work in done])


def _change_option(call: Call) -> Response:
    """``POST …/Options/{id}`` renames, archives or restores an option; ``DELETE`` removes an unused one."""
    found = call.found()
    before = _part(call, found["Options"], "TrackingOptionID")
    deletes = call.method == "DELETE"
    work = _work(call, {} if deletes else next(iter(elements(call, "Options")), {}))
    rule = tracking_categories.delete_option if deletes else tracking_categories.save_option
    return call.answer("Options", [_done(call, work, lambda: rule(work, found, before))])


def _part(call: Call, parts: list[Record], key: str) -> Record:
    """The part of a record that the address names. Raises the 404 refusal."""
    part = next((one for one in parts if one[key] == call.name.lower()), None)
    if part is None:
        raise not_found()
    return part


def _attach_services(call: Call) -> Response:
    """``POST /BrandingThemes/{id}/PaymentServices``."""
    theme, sent, work = call.found(), elements(call, "PaymentServices"), _work(call)
    _done(call, work, lambda: currencies.attach_services(work, theme, sent))
    chosen = [work.get("PaymentServices", one["PaymentServiceID"]) or {} for one in sent]
    return call.answer("PaymentServices", chosen)


# --- members of contact groups ---------------------------------------------------------------------------


def _group(call: Call) -> Record:
    group = call.found()
    if group["Status"] != "ACTIVE":
        raise not_found()
    return group


def _add_members(call: Call) -> Response:
    """``PUT /ContactGroups/{id}/Contacts``."""
    group, work = _group(call), _work(call)
    wanted = [work.get("Contacts", one.get("ContactID")) for one in elements(call, "Contacts")]
    found = [one for one in wanted if one is not None]
    if len(found) < len(wanted):
        raise not_found()
    _done(call, work, lambda: contacts.add_members(work, group, found))
    return call.answer("Contacts", [named(one, call.organisation) for one in found])


def _remove_members(call: Call) -> Response:
    """``DELETE /ContactGroups/{id}/Contacts`` removes all, ``…/Contacts/{ContactID}`` one."""
    group, work = _group(call), _work(call)
    gone = [one["ContactID"] for one in group["Contacts"] if call.name.lower() in {"", one["ContactID"]}]
    if call.name and not gone:
        raise not_found()
    tried(work, lambda: contacts.remove_members(work, group, gone))
    return Response(b"", 204)


# --- allocations -----------------------------------------------------------------------------------------


def _allocate(call: Call) -> Response:
    """``PUT /{CreditNotes|Overpayments|Prepayments}/{id}/Allocations``: allocate a credit to invoices."""
    identifier = str(call.found()[call.resource.id])
    done = _each(call, elements(call, "Allocations"), lambda work: payments.allocate(work, identifier))
    refresh(call, done)
    return tally(call, "Allocations", done, lambda work: _allocation_tree(call, work))


def _allocation_tree(call: Call, work: Work) -> Record:
    allocation = {"AllocationID": ZERO_ID, **work.sent} if work.failed else work.answer or {}
    return {**call.rendered(allocation), "ValidationErrors": noted(work.errors)}


def _deallocate(call: Call) -> Response:
    """``DELETE …/Allocations/{AllocationID}``: the answer is the bare allocation."""
    credit, work = call.found(), _work(call)
    allocation = _part(call, credit["Allocations"], "AllocationID")
    if tried(work, lambda: payments.deallocate(work, credit, allocation)).failed:
        work.sent = allocation
        return tally(call, "Allocations", [work], lambda work: _allocation_tree(call, work), summarize=True)
    refresh(call, [work])
    tree = call.rendered(work.answer or {})
    if call.json:
        return Response(encode(tree), 200, content_type=JSON)
    return Response(messages.xml("Allocation", tree), 200, content_type=XML)


# --- notes, files and mail -------------------------------------------------------------------------------


def _add_notes(call: Call) -> Response:
    """``PUT /{Resource}/{id}/History``: a repeated call makes two notes."""
    owner, sent = call.record, elements(call, "HistoryRecords")
    if owner is None and call.resource.path not in _SAYS_400:
        raise not_found()
    done = _each(call, sent, lambda work: attachments.save_note(work, owner))
    return tally(call, "HistoryRecords", done, lambda work: _note_tree(call, work), summarize=True)


def _note_tree(call: Call, work: Work) -> Record:
    """A new note: its stamp has no offset here, unlike when it is read, and there is no user (as recorded)."""
    details = (work.answer or {}).get("Details", work.sent.get("Details", ""))
    stamp: Record = {"DateUTC": work.at}
    if call.json:
        stamp = {"DateUTCString": plain_string(work.at), "DateUTC": ms_date(work.at, "")}
    return {**stamp, "Details": details, "ValidationErrors": noted(work.errors)}


def _attach(call: Call) -> Response:
    """``PUT`` or ``POST /{Resource}/{id}/Attachments/{FileName}``: the body is the file."""
    owner = call.found()
    if len(call.body) > attachments.LARGEST_FILE:
        raise call.problem(413, "RequestEntityTooLarge", "PayloadTooLarge")
    if call.name != call.name.rstrip():
        raise call.problem(500, "An error occurred", "An error occurred in Xero.")
    sent = {
        "FileName": call.name,
        "Content": call.body,
        "MimeType": call.request.headers.get("Content-Type", "").partition(";")[0].strip(),
        "Url": f"{call.xero.url}{call.request.path}",
        "IncludeOnline": call.flag("IncludeOnline"),
    }
    work = _work(call, sent)
    if tried(work, lambda: attachments.save_file(work, owner)).failed:
        raise invalid(work.errors[0])
    return call.answer("Attachments", [work.answer or {}])


def _mail(call: Call) -> Response:
    """``POST /Invoices/{id}/Email``."""
    owner, work = call.found(), _work(call)
    work.echo = {"InvoiceID": owner["InvoiceID"]}
    _done(call, work, lambda: attachments.send_mail(work, owner))
    return Response(b"", 204)


# --- the table -------------------------------------------------------------------------------------------

HANDLERS: dict[str, Handler] = {
    "DELETE Accounts/": _delete(accounts.delete_account, shows=True),
    "DELETE Items/": _delete(items.delete_item),
    "DELETE LinkedTransactions/": _delete(linked_transactions.delete_link),
    "DELETE TrackingCategories/": _delete(tracking_categories.delete_category, shows=True),
    "PUT TrackingCategories/Options": _add_options,
    "POST TrackingCategories/Options/": _change_option,
    "DELETE TrackingCategories/Options/": _change_option,
    "POST BrandingThemes/PaymentServices": _attach_services,
    "PUT ContactGroups/Contacts": _add_members,
    "DELETE ContactGroups/Contacts": _remove_members,
    "DELETE ContactGroups/Contacts/": _remove_members,
    "PUT */Allocations": _allocate,
    "DELETE */Allocations/": _deallocate,
    "PUT */History": _add_notes,
    "PUT */Attachments/": _attach,
    "POST */Attachments/": _attach,
    "POST Invoices/Email": _mail,
}
"""By method and shape of the address, with ``*`` for any resource: ``POST Invoices/`` is one record, ``PUT
*/Allocations`` a subresource, ``DELETE */Allocations/`` one item of it."""


def handler(call: Call) -> Handler | None:
    """The handler of a write, if there is one; it runs inside ``store.change()``."""
    path, shape = call.resource.path, call.shape
    found = HANDLERS.get(f"{call.method} {path}{shape}") or HANDLERS.get(f"{call.method} *{shape}")
    if found is None and not call.part and call.method != "DELETE" and path in RULES:
        found = write(RULES[path])
    return None if found is None else partial(once, work=found)
