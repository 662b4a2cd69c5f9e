"""Answers to GET: lists, pages, single records and their subresources."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

from werkzeug import Response

from ..accounting import reports as drawn
from ..resources import GUARDED, LIST, OPTIMISED, OPTIMISED_ORDER, PAGE, REPORT_SCOPES, SINGLE, SUMMARY
from ..state.tables import Table
from ..values import Record, encode
from . import messages, queries
from .calls import Call, Refusal, invalid, not_found, not_supported

_ACTIONS = (
    "CreateApprovedInvoice CreateDraftPurchaseOrder CreateApprovedBill AttachFilesIntoInvoice UseMulticurrency"
    " CreateDraftInvoice CreateRepeatingInvoice CreateRepeatingBill CreateSentQuote CreateInvoicePayment"
    " CreateApprovedPurchaseOrder CreateDraftQuote CreateDraftBill"
).split()


# --- lists -----------------------------------------------------------------------------------------------


def listed(call: Call) -> Response:
    """``GET /{Resource}``."""
    chosen = _asked_for(call)
    if not chosen.total and call.xero.switches.nothing_new_304 and _since(call):
        raise Refusal(304)
    if chosen.size == 0:
        return _page_of(call, chosen.ids, LIST, None)
    pagination = {
        "page": chosen.page,
        "pageSize": chosen.size,
        "pageCount": math.ceil(chosen.total / chosen.size),
        "itemCount": chosen.total,
    }
    summary = call.flag("summaryOnly") and SUMMARY in call.resource.views
    block = call.resource.paging != "hundred"
    return _page_of(call, chosen.ids, SUMMARY if summary else PAGE, pagination if block else None)


def _page_of(call: Call, ids: list[str], view: str, pagination: dict[str, int] | None) -> Response:
    table = _table(call)
    extra: dict[str, Any] = {"pagination": pagination} if pagination else {}
    key, form = call.resource.envelope, (view, call.places)
    if not call.json:
        return call.answer(key, [call.tree(table.rows[one], view) for one in ids], extra)
    head = encode({**call.envelope(), **extra, **call.summarize_errors(key)})[:-1]
    texts = [table.text(one, form, lambda record: encode(call.tree(record, view))) for one in ids]
    body = b'%b,"%b":[%b]}' % (head, key.encode(), b",".join(texts))
    return Response(body, 200, content_type=call.json_type(key))


def _since(call: Call) -> datetime | None:
    return queries.since(call.request.headers.get("If-Modified-Since")) if call.resource.since else None


def _table(call: Call) -> Table:
    """The table of a list; journals with ``paymentsOnly`` are those of the cash basis."""
    if call.resource.path == "Journals" and call.flag("paymentsOnly"):
        return call.organisation.cash_journals()
    return call.organisation.table(call.resource.path)


class _Chosen(NamedTuple):
    """The identifiers to show, in order; ``size`` 0 means all at once, else it is one page of ``total``."""

    ids: list[str]
    total: int
    page: int = 1
    size: int = 0


def _asked_for(call: Call) -> _Chosen:
    resource, table = call.resource, _table(call)
    after, tests = _changed_since(call)
    where, used = _where(call)
    tests += [*where, *_hiding(call, table), *_named_filters(call)]
    if resource.paging == "offset":
        return _from_offset(call, table, tests)
    keys = queries.order(text, resource.names) if (text := call.param("order")) else []
    page, size = _paging(call)
    _guard(call, len(table.rows), bool(size), used, keys)
    scrambled = call.xero.switches.scrambled_order
    if size and not tests and not keys and not scrambled:
        return _Chosen(table.ids(after, (page - 1) * size, size), table.size(after), page, size)
    ids = _passing(table, table.ids(after), tests)
    if keys:
        records = queries.arranged([table.rows[one] for one in ids], keys)
        ids = [str(record[resource.id]) for record in records]
        if resource.path == "ManualJournals" and call.xero.switches.manual_journals_order:
            size = 0
    elif scrambled:
        random.Random(len(ids)).shuffle(ids)
    chosen = ids[(page - 1) * size : page * size] if size else ids
    return _Chosen(chosen, len(ids), page, size)


def _from_offset(call: Call, table: Table, tests: list[queries.Test]) -> _Chosen:
    """A hundred journals after the number that ``offset`` names."""
    after = call.number("offset", 0) + 1
    if not tests:
        return _Chosen(table.ids(after, 0, 100), table.size(after))
    ids = _passing(table, table.ids(after), tests)
    return _Chosen(ids[:100], len(ids))


def _passing(table: Table, ids: list[str], tests: list[queries.Test]) -> list[str]:
    return [one for one in ids if all(test(table.rows[one]) for test in tests)] if tests else ids


def _changed_since(call: Call) -> tuple[Any, list[queries.Test]]:
    """The start of the list by If-Modified-Since, or the test that the header stands for."""
    resource, bound = call.resource, _since(call)
    inclusive = call.xero.switches.since_inclusive
    if bound is None:
        return None, []
    if resource.since == resource.list_order and inclusive:
        return bound, []
    return None, [queries.modified_after(resource.since, bound, inclusive=inclusive)]


def _where(call: Call) -> tuple[list[queries.Test], set[str]]:
    """The test of ``where``, and the fields it looks at."""
    text = call.param("where")
    if not call.resource.where or not text:
        return [], set()
    test, used = queries.where(text, call.resource.names)
    return [test], used


def _hiding(call: Call, table: Table) -> list[queries.Test]:
    """The test that leaves out archived or deleted records unless a parameter asks for them."""
    resource, hidden = call.resource, table.hidden
    if not hidden or (resource.hidden and resource.hidden[2] and call.flag(resource.hidden[2])):
        return []
    return [lambda record: record[resource.id] not in hidden]


def _named_filters(call: Call) -> Iterator[queries.Test]:
    for name in call.resource.filters.split():
        text = call.param(name)
        if text is None or (name == "createdByMyApp" and not queries.true(text)):
            continue
        if name == "createdByMyApp":
            yield _made_by(call)
            continue
        if name == "IDs" and not queries.guids(text):
            raise Refusal(400, "Supplied parameter 'Ids' cannot be parsed - must be of type UUID.")
        yield queries.named_filter(call.resource, name, text)


def _made_by(call: Call) -> queries.Test:
    creators, client_id, key = call.organisation.creators, call.bearer.app.client_id, call.resource.id
    return lambda record: creators.get(str(record[key])) == client_id


def _paging(call: Call) -> tuple[int, int]:
    """Which page of which size is asked for; size 0 is everything at once."""
    paging = call.resource.paging
    asked = call.param("page") is not None or (call.flag("summaryOnly") and SUMMARY in call.resource.views)
    page = max(1, call.number("page", 1))
    if paging == "hundred":
        return page, 100
    if paging == "always" or (paging == "page" and asked):
        return page, min(1000, max(1, call.number("pageSize", 100)))
    return 1, 0


def _guard(call: Call, rows: int, paged: object, used: set[str], keys: list[tuple[list[str], bool]]) -> None:
    """Enforce Xero's high-volume threshold. The message is the sandbox's own; Xero does not document one."""
    if call.resource.path not in GUARDED or rows <= call.xero.limits.allowance.high_volume:
        return
    orders = {".".join(path) for path, _ in keys} - OPTIMISED_ORDER
    if not paged or used - OPTIMISED or orders:
        fields = ", ".join(sorted((used - OPTIMISED) | orders))
        raise invalid(
            f"High volume threshold: the call covers {rows} {call.resource.path}, more than"
            f" {call.xero.limits.allowance.high_volume}, and"
            f" {f'uses {fields}, not optimised' if paged else 'is not paged'}"
        )


# --- one record ------------------------------------------------------------------------------------------


def single(call: Call) -> Response:
    """``GET /{Resource}/{id, number or code}``."""
    if not call.resource.single:
        raise not_found()
    record = call.found()
    if call.resource.path == "Budgets":
        record = _within(call, record)
    return call.records([record], SINGLE)


def _within(call: Call, budget: Record) -> Record:
    """A budget with the requested months, newest first: by default this month and the last; at most 24.

    Window and order are as recorded from Xero in August 2026.
    """
    today = call.organisation.now().date()
    first = _month(call, "DateFrom", _months(today) - 1)
    last = _month(call, "DateTo", max(first, _months(today)))
    if last - first >= 24:
        raise invalid("DateFrom and DateTo may be 24 months apart at most")
    lines = []
    for line in budget.get("BudgetLines") or []:
        months = ((_months(one["Period"]), one) for one in line.get("BudgetBalances") or [])
        shown = [pair for pair in months if first <= pair[0] <= last]
        if shown:
            shown.sort(key=lambda pair: pair[0], reverse=True)
            lines.append({**line, "BudgetBalances": [one for _, one in shown]})
    return {**budget, "BudgetLines": lines}


def _month(call: Call, name: str, default: int) -> int:
    text = call.param(name)
    return default if text is None else _months(queries.parsed(text).date())


def _months(period: str | date) -> int:
    year, month = (int(part) for part in str(period).split("-")[:2])
    return year * 12 + month - 1


# --- subresources ----------------------------------------------------------------------------------------


def part(call: Call) -> Response:
    """``GET /{Resource}/{id}/{part}[/{name}]``."""
    if "GET" not in call.resource.verbs.get(call.shape, "").split():
        raise not_found()
    return _PARTS[call.shape](call)


def _history(call: Call) -> Response:
    record = call.found()
    identifier = str(record[call.resource.id])
    created = record.get("CreatedDateUTC") or record.get("UpdatedDateUTC") or call.organisation.now()
    first = {"Changes": "Created", "DateUTC": created, "User": "System Generated", "Details": ""}
    notes = call.organisation.notes.get(identifier) or [first]
    trees = [messages.rendered(note, twins=("DateUTC",)) for note in notes] if call.json else notes
    return call.answer("HistoryRecords", trees)


def _attachments(call: Call) -> Response:
    return call.answer("Attachments", call.organisation.attachments(str(call.found()[call.resource.id])))


def _attachment(call: Call) -> Response:
    files = call.organisation.files.get(str(call.found()[call.resource.id]), [])
    for file in files:
        if call.name in {file["AttachmentID"], file["FileName"]}:
            return Response(file["Content"], 200, content_type=file["MimeType"])
    raise not_found()


def _online_invoice(call: Call) -> Response:
    invoice = call.found()
    if invoice.get("Type") != "ACCREC":
        raise not_found()
    address = f"https://in.xero.com/{str(invoice['InvoiceID']).replace('-', '')}"
    return call.answer("OnlineInvoices", [{"OnlineInvoiceUrl": address}])


def _pdf(_call: Call) -> Response:
    raise not_supported("PDFs are not supported")


def _cis(call: Call) -> Response:
    """Construction Industry Scheme settings: British organisations only."""
    if call.resource.path == "Contacts":
        call.found()
    elif call.key.lower() != call.organisation.tenant_id.lower():
        raise not_found()
    country = next((one.get("CountryCode") for one in call.organisation.records("Organisation")), None)
    return call.answer("CISSettings", [{"CISEnabled": False}] if country == "GB" else [])


def _theme_services(call: Call) -> Response:
    theme = call.found()
    services = call.organisation.table("PaymentServices").rows
    chosen = [services[one] for one in theme.get("PaymentServiceIDs") or [] if one in services]
    return call.answer("PaymentServices", chosen)


_PARTS: dict[str, Callable[[Call], Response]] = {
    "/History": _history,
    "/Attachments": _attachments,
    "/Attachments/": _attachment,
    "/OnlineInvoice": _online_invoice,
    "/pdf": _pdf,
    "/CISSettings": _cis,
    "/PaymentServices": _theme_services,
}


# --- addresses of their own ------------------------------------------------------------------------------


def actions(call: Call) -> Response:
    """``GET /Organisation/Actions``."""
    return call.answer("Actions", [{"Name": name, "Status": "ALLOWED"} for name in _ACTIONS])


def reminders(call: Call) -> Response:
    """``GET /InvoiceReminders/Settings``."""
    kept = call.organisation.records("InvoiceReminders")
    return call.answer("InvoiceReminders", kept or [{"Enabled": False}])


def reports(call: Call) -> Response:
    """``GET /Reports``: the published tax reports, none in most organisations."""
    published = call.organisation.records("Reports")
    return call.answer("Reports", [_published(call, one, "Rows", "Fields") for one in published])


def _published(call: Call, report: Record, *without: str) -> Record:
    tree = {name: value for name, value in report.items() if name not in without}
    return messages.rendered(tree, offset="") if call.json else tree


def report(call: Call) -> Response:
    """``GET /Reports/{name or id}``."""
    if call.key not in REPORT_SCOPES:
        for published in call.organisation.records("Reports"):
            if published.get("ReportID") == call.key:
                return call.answer("Reports", [_published(call, published)])
        raise not_found()
    try:
        made = drawn.run(call.key, call.request.args.to_dict(), call.organisation)
    except ValueError as error:
        raise invalid(str(error)) from None
    return call.answer("Reports", [_published(call, made)])
