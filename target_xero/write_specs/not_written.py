"""What can be read and not written, and what a copy of an organisation lacks, each with Xero's reason."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from singer_xero.objects import ASSETS, EVERY, NESTED_TABLES
from target_xero.content.spelling import folded
from target_xero.write_specs.rows import spec_of

_CLASSIC = "classic expenses are closed to new connections and end in 2027"
_SETTINGS = "an organisation's settings are changed in Xero"
_FROM_DOCUMENTS = "Xero makes journals from documents; write manual_journals"
_ENDINGS = {
    "_attachments": "files are not written",
    "_details": "the same records come in the stream without _details",
}
_REASONS = {
    "journals": _FROM_DOCUMENTS,
    "cash_journals": _FROM_DOCUMENTS,
    "organisation": _SETTINGS,
    "organisation_actions": _SETTINGS,
    "organisation_cis_settings": _SETTINGS,
    "invoice_reminders": _SETTINGS,
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
        return "Xero calculates reports"
    by_ending = (reason for ending, reason in _ENDINGS.items() if stream.endswith(ending))
    return _REASONS.get(stream) or next(by_ending, "Xero's API only reads them")


#: What can be read and not written, and Xero's reason.
NOT_WRITTEN: Mapping[str, str] = MappingProxyType(
    {name: _reason(name) for name in EVERY if spec_of(name) is None}
)

_STOCK = "stock comes from documents; the stock before the first one is missing"
_MAIL = "it concerns e-mail"
#: What a copy of an organisation lacks, and Xero's reason: whole records and single fields (`stream.field`).
NOT_COPIED: Mapping[str, str] = MappingProxyType(
    {
        "documents that are voided or deleted": "Xero creates nothing in an ended state, and they affect no figure",
        "archived tracking categories": "a new category is active at first, and Xero allows only two of those",
        "contacts.Balances": "Xero calculates them from documents",
        "contacts.BatchPayments": "the API only reads them",
        "contacts.BrandingTheme": "the API only reads it",
        "contacts.Discount": "the API only reads it",
        "contacts.Website": "the API only reads it",
        "items.QuantityOnHand": _STOCK,
        "items.TotalCostPool": _STOCK,
        "batch_payments.IsReconciled": "people reconcile batches with the bank statement in Xero",
        "payments.IsReconciled": "people reconcile the payments of a batch with the bank statement in Xero",
        "repeating_invoices.Schedule.NextScheduledDate": "Xero calculates it",
        "repeating_invoices.ApprovedForSending": "it would mail the invoices of the copy to customers",
        "repeating_invoices.SendCopy": _MAIL,
        "repeating_invoices.MarkAsSent": _MAIL,
        "repeating_invoices.IncludePDF": _MAIL,
        "*.SentToContact": "the copy has sent nothing to anybody",
        "branding themes, and BrandingThemeID": "themes are made in Xero's settings; a theme of the same name is used",
        "*.HasAttachments": "files are not copied",
    }
)

_BY_NAME = {folded(name): reason for name, reason in NOT_WRITTEN.items()}


def why_not(stream: str) -> str | None:
    """Return why this stream can't be written to Xero; None for an unknown stream or one that can be written."""
    return _BY_NAME.get(folded(stream))
