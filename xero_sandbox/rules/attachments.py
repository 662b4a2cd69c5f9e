"""The rules for subresources: history notes, attachments and email."""

from __future__ import annotations

import mimetypes
import re

from ..resources import RESOURCES
from ..values import Record
from .work import Work

LONGEST_NOTE = 2_500
LARGEST_FILE = 10_000_000
MOST_FILES = 10
_BAD_NAME = re.compile(r'[<>:"/\\|?*+\x00]')


def save_note(work: Work, owner: Record | None) -> Record:
    """Add a note to the history of a record; notes cannot be changed or deleted."""
    details = work.sent.get("Details", "")
    if owner is None:
        work.fail("The document with the supplied id was not found for this endpoint.")
    if not details:
        work.refuse("Details must be specified")
    if len(details) > LONGEST_NOTE:
        work.refuse(f"The Details field exceeds the maximum length of {LONGEST_NOTE} characters.")
    work.stop()
    note = {"Changes": "Note", "DateUTC": work.at, "User": work.origin.user, "Details": details}
    work.organisation.note(str((owner or {})[RESOURCES[work.path].id]), note)
    return {"DateUTC": work.at, "Details": details}


def save_file(work: Work, owner: Record) -> Record:
    """Attach a file (``FileName``, ``MimeType``, ``Content`` ...); it replaces one of the same name."""
    sent, identifier = work.sent, str(owner[RESOURCES[work.path].id])
    name, content = sent["FileName"], sent["Content"]
    kept = work.organisation.files.get(identifier, [])
    known = next((one for one in kept if one["FileName"] == name), None)
    if _BAD_NAME.search(name):
        work.fail(f"The file name {name} contains invalid characters")
    if not content:
        work.fail("The file is empty")
    if known is None and len(kept) >= MOST_FILES:
        work.fail(f"A document can have a maximum of {MOST_FILES} attachments")
    kind = sent.get("MimeType") or ""
    if kind in {"", "application/octet-stream"}:
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    shown: Record = {
        "AttachmentID": known["AttachmentID"] if known else work.new_id(f"/attachment/{identifier}"),
        "FileName": name,
        "Url": sent["Url"],
        "MimeType": kind,
        "ContentLength": len(content),
    }
    if sent.get("IncludeOnline"):
        shown["IncludeOnline"] = True
    work.organisation.attach(identifier, {**shown, "Content": content})
    if "HasAttachments" in RESOURCES[work.path].names:
        work.put(work.path, {**owner, "HasAttachments": True}, touch=False)
    return shown


def send_mail(work: Work, invoice: Record) -> Record:
    """Mark an approved sales invoice as sent; nothing leaves the sandbox."""
    contact = work.get("Contacts", invoice["Contact"]["ContactID"]) or {}
    if invoice["Type"] != "ACCREC" or invoice["Status"] not in {"SUBMITTED", "AUTHORISED", "PAID"}:
        work.refuse("Only approved sales invoices can be emailed")
    if not contact.get("EmailAddress"):
        work.refuse("Email address must be valid.")
    work.stop()
    return work.put("Invoices", {**invoice, "SentToContact": True})
