"""What Xero's Accounting API can be asked and the tap doesn't ask, and why."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_SAME_RECORD = "the same record as by its id"

#: Addresses as in Xero's API definition, `*` for any beginning, and the reason.
EXCLUSIONS: Mapping[str, str] = MappingProxyType(
    {
        "*/Attachments/{FileName}": "the same file as by its AttachmentID; names need not be unique",
        "*/pdf": "a rendering of a record whose data is read",
        "/Contacts/{ContactNumber}": _SAME_RECORD,
        "/Journals/{JournalNumber}": _SAME_RECORD,
        "/PurchaseOrders/{PurchaseOrderNumber}": _SAME_RECORD,
    }
)
