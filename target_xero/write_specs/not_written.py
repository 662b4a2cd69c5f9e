"""What can be read and not written, and what a copy of an organisation lacks, each with Xero's reason."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType

from singer_xero.objects import ASSETS, EVERY, NESTED_TABLES
from target_xero.content.spelling import folded
from target_xero.write_specs.rows import spec_of

_SETTINGS = ("organisation", "organisation_actions", "organisation_cis_settings", "invoice_reminders")
_REASONS = {
    **dict.fromkeys(NESTED_TABLES, "lists inside records are written with their records"),
    **dict.fromkeys(ASSETS, "target-xero does not write to the Assets API"),
    **dict.fromkeys(_SETTINGS, "the settings of an organisation can only be changed in Xero"),
    **dict.fromkeys(
        ("receipts", "expense_claims"),
        "Xero has closed classic expenses to new connections and retires them in 2027",
    ),
    "users": "users are invited in Xero",
}
#: The reasons of all others; the first pattern that matches counts.
_PATTERNS = {
    "*journals": "Xero creates journals from documents; write manual_journals",
    "report*": "Xero calculates reports",
    "*_attachments": "files are not written",
    "*_details": "the same records come in the stream without _details",
    "*": "Xero's API can't write them",
}

#: What can be read and not written, and Xero's reason.
NOT_WRITTEN: Mapping[str, str] = MappingProxyType(
    {
        name: _REASONS.get(name) or next(_PATTERNS[one] for one in _PATTERNS if fnmatchcase(name, one))
        for name in EVERY
        if spec_of(name) is None
    }
)

_STOCK = "documents determine the stock; stock from before the first document is missing"
_MAIL = "only relevant to emails to customers"
#: What a copy of an organisation lacks, and Xero's reason: whole records and single fields (`stream.field`).
NOT_COPIED: Mapping[str, str] = MappingProxyType(
    {
        "documents that are voided or deleted": "Xero creates no record with such a status, and they affect no balance",
        "archived tracking categories": "a new category is active, and Xero allows only two active ones",
        "contacts.Balances": "Xero calculates them from documents",
        "contacts.BatchPayments": "Xero's API can't write them",
        "contacts.BrandingTheme": "Xero's API can't write it",
        "contacts.Discount": "Xero's API can't write it",
        "contacts.Website": "Xero's API can't write it",
        "items.QuantityOnHand": _STOCK,
        "items.TotalCostPool": _STOCK,
        "batch_payments.IsReconciled": "batches are reconciled with the bank statement in Xero",
        "payments.IsReconciled": "the payments of a batch are reconciled with the bank statement in Xero",
        "repeating_invoices.Schedule.NextScheduledDate": "Xero calculates it",
        "repeating_invoices.ApprovedForSending": "Xero would email the invoices of the copy to customers",
        "repeating_invoices.SendCopy": _MAIL,
        "repeating_invoices.MarkAsSent": _MAIL,
        "repeating_invoices.IncludePDF": _MAIL,
        "*.SentToContact": "the copy has not sent any document",
        "branding themes, and BrandingThemeID": "themes are created in Xero; a theme of the same name is used",
        "*.HasAttachments": "files are not copied",
    }
)

_BY_NAME = {folded(name): reason for name, reason in NOT_WRITTEN.items()}


def why_not(stream: str) -> str | None:
    """Return why this stream can't be written to Xero; None for an unknown stream or one that can be written."""
    return _BY_NAME.get(folded(stream))
