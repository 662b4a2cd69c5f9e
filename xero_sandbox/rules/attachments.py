"""What hangs on records: history notes, attachments, and mail."""

from __future__ import annotations

import mimetypes
import re
import uuid

from werkzeug import Response

from ..http import messages
from ..http.calls import Call, Refusal, not_found
from ..state.store import Record
from .work import Work, elements, noted, rendered, tally, tried

LONGEST_NOTE = 2_500
LARGEST_FILE = 10_000_000
MOST_FILES = 10
_BAD_NAME = re.compile(r'[<>:"/\\|?*+\x00]')
_SAYS_400 = frozenset({"Overpayments", "Prepayments", "Payments", "Receipts"})
"""Where a note for an unknown record is a 400 with words, as the API definition shows."""


def _owner(call: Call) -> Record | None:
    return call.organisation.table(call.resource.path).find(call.key)


def add_notes(call: Call) -> Response:
    """``PUT /{Resource}/{id}/History``: notes can't be changed or taken away, so a repeated call makes two."""
    owner, asked = _owner(call), elements(call, "HistoryRecords")
    if owner is None and call.resource.path not in _SAYS_400:
        raise not_found()
    done = [_note(call, owner, one) for one in asked]
    return tally(call, "HistoryRecords", done, lambda work: _note_tree(call, work), summarize=True)


def _note(call: Call, owner: Record | None, asked: Record) -> Work:
    work = Work(call, call.resource.path, asked)

    def save() -> Record:
        details = asked.get("Details", "")
        if owner is None:
            work.stop("The document with the supplied id was not found for this endpoint.")
        if not details:
            work.refuse("Details must be specified")
        if len(details) > LONGEST_NOTE:
            work.refuse(f"The Details field exceeds the maximum length of {LONGEST_NOTE} characters.")
        work.stop()
        note = {"Changes": "Note", "DateUTC": work.at, "User": call.bearer.app.name, "Details": details}
        call.organisation.note(str((owner or {})[call.resource.id]), note)
        return {"DateUTC": work.at, "Details": details}

    return tried(work, save)


def _note_tree(call: Call, work: Work) -> Record:
    """A new note: its stamp has no offset here, unlike when it is read, and there is no user (as recorded)."""
    details = (work.answer or {}).get("Details", work.asked.get("Details", ""))
    stamp: Record = {"DateUTC": work.at}
    if call.json:
        stamp = {"DateUTCString": messages.plain_string(work.at), "DateUTC": messages.ms_date(work.at, "")}
    return {**stamp, "Details": details, "ValidationErrors": noted(work.errors)}


def attach(call: Call) -> Response:
    """``PUT`` or ``POST /{Resource}/{id}/Attachments/{FileName}``: the body is the file; the same name replaces it."""
    owner = _owner(call)
    if owner is None:
        raise not_found()
    identifier = str(owner[call.resource.id])
    kept = call.organisation.files.get(identifier, [])
    known = next((one for one in kept if one["FileName"] == call.name), None)
    if len(call.body) > LARGEST_FILE:
        raise Refusal(413, messages.problem("RequestEntityTooLarge", 413, "PayloadTooLarge", call.id))
    if call.name != call.name.rstrip():
        raise Refusal(500, messages.problem("An error occurred", 500, "An error occurred in Xero.", call.id))
    wrong = ""
    if _BAD_NAME.search(call.name):
        wrong = f"The file name {call.name} contains invalid characters"
    elif not call.body:
        wrong = "The file is empty"
    elif known is None and len(kept) >= MOST_FILES:
        wrong = f"A document can have a maximum of {MOST_FILES} attachments"
    if wrong:
        raise Refusal(400, messages.api_exception(10, "ValidationException", wrong))
    sent = call.request.headers.get("Content-Type", "").partition(";")[0].strip()
    if sent in {"", "application/octet-stream"}:
        sent = mimetypes.guess_type(call.name)[0] or "application/octet-stream"
    shown: Record = {
        "AttachmentID": known["AttachmentID"] if known else str(uuid.uuid4()),
        "FileName": call.name,
        "Url": f"{call.xero.url}{call.request.path}",
        "MimeType": sent,
        "ContentLength": len(call.body),
    }
    if call.flag("IncludeOnline"):
        shown["IncludeOnline"] = True
    call.organisation.attach(identifier, {**shown, "Content": call.body})
    if "HasAttachments" in call.resource.fields.split():
        call.organisation.put(call.resource.path, {**owner, "HasAttachments": True}, touch=False)
    return call.answer("Attachments", [shown])


def mail(call: Call) -> Response:
    """``POST /Invoices/{id}/Email``: marks an approved sales invoice as sent; nothing leaves the sandbox."""
    owner = _owner(call)
    if owner is None:
        raise not_found()
    work = Work(call, call.resource.path, {})

    def send() -> Record:
        contact = work.get("Contacts", owner["Contact"]["ContactID"]) or {}
        if owner["Type"] != "ACCREC" or owner["Status"] not in {"SUBMITTED", "AUTHORISED", "PAID"}:
            work.refuse("Only approved sales invoices can be emailed")
        if not contact.get("EmailAddress"):
            work.refuse("Email address must be valid.")
        work.stop()
        return work.put("Invoices", {**owner, "SentToContact": True})

    if tried(work, send).failed:
        return tally(call, "Invoices", [work], lambda work: _mail_tree(call, owner, work), summarize=True)
    return Response(b"", 204)


def _mail_tree(call: Call, owner: Record, work: Work) -> Record:
    return {**rendered(call, {"InvoiceID": owner["InvoiceID"]}), "ValidationErrors": noted(work.errors)}
