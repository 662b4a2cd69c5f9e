"""Subresources, which cost one call for each record: history, attachments, links and others.

Each row is a stream: the list of the records is read first, and then the subresource of each record that can have one.
All but one cost many calls and are off by default.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from singer_xero.objects.accounting import INVOICES, OBJECTS, PAYMENT_SERVICES, SETTINGS
from singer_xero.objects.base import XeroObject
from singer_xero.objects.components import ATTACHMENT, PAYMENT_SERVICE
from singer_xero.objects.fields import Field, calculated, flag, instant, percent, text, whole
from singer_xero.objects.scopes import granular

ATTACHMENTS = granular("accounting.attachments")


@dataclass(frozen=True, eq=False, kw_only=True)
class Subresource(XeroObject):
    """One kind of subresource.

    Its ``key`` begins with the key of the record, and its ``cursor`` is the record's, so a catalog may choose to read
    only the subresources of changed records.

    Attributes:
        of: the row of the records.
        below: the end of the path after a record's id; empty for the record itself.
        where: fields and values of the records that can have such a subresource.
        numbered: the field with the time by which subresources without an id are numbered, from the oldest on.
        files: whether they are files that can be downloaded.
    """

    of: XeroObject
    below: str = ""
    where: Mapping[str, frozenset[Any]] = field(default_factory=lambda: MappingProxyType({}))
    numbered: str = ""
    files: bool = False

    @property
    def own_key(self) -> tuple[str, ...]:
        """The fields of the key that an answer has; the others are the record's, or numbers that the tap assigns."""
        return tuple(name for name in self.key if name not in self.of.key and not self.numbered)

    @property
    def can_be_incremental(self) -> bool:
        """Whether Xero can be asked for changed records."""
        return self.of.can_be_incremental and self.cursor is not None

    def scope_missing(self, granted: Iterable[str], *, write: bool = False) -> str | None:
        """The missing scope, for the records or for the subresource."""
        granted = frozenset(granted)
        return self.of.scope_missing(granted) or super().scope_missing(granted, write=write)

    @property
    def calls(self) -> str:
        """What a full read costs, in calls, as text."""
        single = self.of.name.removesuffix("s").replace("_", " ")
        which = {"HasAttachments": " with files", "Type": ": approved sales only"}
        limits = next((words for name, words in which.items() if name in self.where), "")
        return f"{self.of.calls} + 1 per {single}{limits}"


def _subresource(
    name: str, of: str, below: str, fields: Mapping[str, Field], key: tuple[str, ...], **row: Any
) -> Subresource:
    """A row, with the record's key before its fields and the record's time of change after them."""
    parent = replace(OBJECTS[of], detail=None)  # its list is enough
    own = {name: parent.fields[name] for name in parent.key} | dict(fields)
    cursor = parent.cursor if parent.cursor and parent.can_be_incremental else None
    if cursor and cursor not in own:
        own[cursor] = calculated(instant("Value of the parent record"))
    return Subresource(
        **{
            "name": name,
            "api": parent.api,
            "path": f"{parent.path}/{{id}}" + (f"/{below}" if below else ""),
            "of": parent,
            "below": below,
            "envelope": below,
            "fields": MappingProxyType(own),
            "key": (*parent.key, *key),
            "cursor": cursor,
            "scopes": parent.scopes,
            "incremental": False,
            "selected": False,
            "costly": True,
            **row,
        }
    )


def _history(of: str) -> Subresource:
    return _subresource(
        f"{of.removesuffix('s')}_history",
        of,
        "History",
        {
            "Number": whole("1 is the oldest"),
            "DateUTC": instant,
            "Changes": text("What was done, such as Created, Approved or Note"),
            "User": text,
            "Details": text,
        },
        ("Number",),
        envelope="HistoryRecords",
        numbered="DateUTC",
    )


def _attachments(of: str) -> Subresource:
    shown = "HasAttachments" in OBJECTS[of].fields
    return _subresource(
        f"{of.removesuffix('s')}_attachments",
        of,
        "Attachments",
        {**ATTACHMENT.fields, "Path": calculated(text("Where the file was stored, with attachments_path"))},
        ("AttachmentID",),
        scopes=ATTACHMENTS,
        where=MappingProxyType({"HasAttachments": frozenset({True})} if shown else {}),
        files=True,
    )


def _single(of: str) -> Subresource:
    parent = OBJECTS[of]
    return _subresource(
        f"{of.removesuffix('s')}_details",
        of,
        "",
        parent.fields,
        (),
        envelope=parent.envelope,
        params=parent.params,
        same_as=parent.same_as,
        statuses=parent.statuses,
    )


_HAVE_HISTORY = (
    "bank_transactions", "bank_transfers", "batch_payments", "contacts", "credit_notes", "expense_claims",
    "invoices", "items", "manual_journals", "overpayments", "payments", "prepayments", "purchase_orders",
    "quotes", "receipts", "repeating_invoices",
)  # fmt: skip
_HAVE_ATTACHMENTS = (
    "accounts", "bank_transactions", "bank_transfers", "contacts", "credit_notes", "invoices",
    "manual_journals", "purchase_orders", "quotes", "receipts", "repeating_invoices",
)  # fmt: skip
_CIS = {"CISEnabled": flag, "Rate": percent("Omitted if the scheme is not enabled")}

_ROWS = (
    *map(_history, _HAVE_HISTORY),
    *map(_attachments, _HAVE_ATTACHMENTS),
    _subresource(
        "branding_theme_payment_services",
        "branding_themes",
        "PaymentServices",
        PAYMENT_SERVICE.fields,
        ("PaymentServiceID",),
        scopes=PAYMENT_SERVICES,
        selected=True,
        costly=False,
    ),
    _subresource(
        "contact_cis_settings",
        "contacts",
        "CISSettings",
        _CIS,
        (),
        scopes=SETTINGS,
    ),
    _subresource(
        "organisation_cis_settings",
        "organisation",
        "CISSettings",
        _CIS,
        (),
    ),
    _subresource(
        "online_invoices",
        "invoices",
        "OnlineInvoice",
        {"OnlineInvoiceUrl": text("For the customer; whoever has the link can see the invoice")},
        (),
        envelope="OnlineInvoices",
        scopes=INVOICES,
        where=MappingProxyType({"Type": frozenset({"ACCREC"}), "Status": frozenset({"AUTHORISED", "PAID"})}),
    ),
    *map(_single, ("contacts", "invoices", "quotes")),
)

#: All of them by stream name, A to Z.
SUBRESOURCES: Mapping[str, Subresource] = MappingProxyType(
    {row.name: row for row in sorted(_ROWS, key=lambda row: row.name)}
)
