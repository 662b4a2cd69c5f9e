"""What can be read and not written, and what a copy of an organisation lacks, each with Xero's reason."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from singer_xero.objects import ASSETS, EVERY, NESTED_TABLES
from target_xero.content.spelling import folded
from target_xero.write_specs.rows import spec_of

_CLASSIC = "classic expenses are closed to new connections and end in 2027"
_READ_ONLY = "Xero's API only reads them"
_ENDINGS = {
    "_attachments": "files are not written",
    "_details": "the same records come in the stream without _details",
}
_REASONS = {
    "journals": "Xero makes journals from documents; write manual_journals",
    "cash_journals": "Xero makes journals from documents; write manual_journals",
    "organisation": "an organisation's settings are changed in Xero",
    "organisation_actions": "an organisation's settings are changed in Xero",
    "organisation_cis_settings": "an organisation's settings are changed in Xero",
    "invoice_reminders": "an organisation's settings are changed in Xero",
    "users": "users are invited in Xero",
    "receipts": _CLASSIC,
    "expense_claims": _CLASSIC,
}


def _reason(stream: str) -> str:
    if stream in NESTED_TABLES:
        return "lists inside records are written with their records"
    if stream in ASSETS:
        return "the Assets API is only read"
    if stream == "reports" or stream.startswith("report_"):
        return "reports are worked out by Xero"
    ending = next((ending for ending in _ENDINGS if stream.endswith(ending)), "")
    return _REASONS.get(stream) or _ENDINGS.get(ending, _READ_ONLY)


#: What can be read and not written, and Xero's reason.
NOT_WRITTEN: Mapping[str, str] = MappingProxyType(
    {name: _reason(name) for name in EVERY if spec_of(name) is None}
)

#: What a copy of an organisation lacks, and Xero's reason: of whole records and of single fields (`stream.field`).
NOT_COPIED: Mapping[str, str] = MappingProxyType(
    {
        "documents that are voided or deleted": "Xero makes nothing in an ended state, and they count for nothing",
        "archived tracking categories": "a new category is active at first, and Xero has room for two of those",
        "contacts.Balances": "Xero works them out from documents",
        "contacts.BatchPayments": "the API only reads them",
        "contacts.BrandingTheme": "the API only reads it",
        "contacts.Discount": "the API only reads it",
        "contacts.Website": "the API only reads it",
        "items.QuantityOnHand": "stock comes from documents: what was there before the first one is missing",
        "items.TotalCostPool": "stock comes from documents: what was there before the first one is missing",
        "batch_payments.IsReconciled": "reconciling with the bank statement is done in Xero",
        "payments.IsReconciled": "reconciling payments of a batch with the bank statement is done in Xero",
        "repeating_invoices.Schedule.NextScheduledDate": "Xero works it out",
        "repeating_invoices.ApprovedForSending": "it would mail the invoices of the copy to customers",
        "repeating_invoices.SendCopy": "it is about mail",
        "repeating_invoices.MarkAsSent": "it is about mail",
        "repeating_invoices.IncludePDF": "it is about mail",
        "*.SentToContact": "nothing of the copy was sent to anybody",
        "branding themes, and BrandingThemeID": "themes are made in Xero's settings; one of the same name is used",
        "*.HasAttachments": "files are not copied",
    }
)

_BY_NAME = {folded(name): reason for name, reason in NOT_WRITTEN.items()}


def why_not(stream: str) -> str | None:
    """Return why Xero can't be written this stream, if that is so; None for an unknown stream."""
    return _BY_NAME.get(folded(stream))
