"""Finds the object of a stream by the name of the stream.

SQL taps add the schema as a prefix (`public-invoices`), files and spreadsheets are often named in the singular or with
spaces, and Xero's own pages call invoices `bills` and `sales invoices`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

from target_xero.content.spelling import folded, singular
from target_xero.write_specs.not_written import NOT_WRITTEN, why_not
from target_xero.write_specs.rows import WRITE_SPECS, spec_of
from target_xero.write_specs.spec import WriteSpec

_NOTHING: Mapping[str, str] = MappingProxyType({})
#: Names on Xero's pages and of its import templates, with the values that such a name gives to all records.
_KINDS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "sales_invoices": ("invoices", {"Type": "ACCREC"}),
    "bills": ("invoices", {"Type": "ACCPAY"}),
    "purchase_bills": ("invoices", {"Type": "ACCPAY"}),
    "supplier_bills": ("invoices", {"Type": "ACCPAY"}),
    "sales_credit_notes": ("credit_notes", {"Type": "ACCRECCREDIT"}),
    "customer_credit_notes": ("credit_notes", {"Type": "ACCRECCREDIT"}),
    "supplier_credit_notes": ("credit_notes", {"Type": "ACCPAYCREDIT"}),
    "bill_credit_notes": ("credit_notes", {"Type": "ACCPAYCREDIT"}),
    "spend_money": ("bank_transactions", {"Type": "SPEND"}),
    "receive_money": ("bank_transactions", {"Type": "RECEIVE"}),
    "inventory_items": ("items", {}),
    "chart_of_accounts": ("accounts", {}),
}
#: The ending of the names of Xero's template files, such as SalesInvoiceTemplate.
_TEMPLATE = "template"
_prefix = re.compile(r"[^-.]*[-.]").match


@dataclass(frozen=True)
class StreamTarget:
    """The object that a stream is written to, and the values that its name gives to records without them."""

    spec: WriteSpec
    says: Mapping[str, str] = field(default_factory=lambda: _NOTHING)


@lru_cache(maxsize=1024)
def stream_target(stream: str) -> StreamTarget | None:
    """Return the object of a stream, ignoring case, plural, prefix and separators of its name; None without one."""
    for name in _readings(stream):
        kind = _FOLDED_KINDS.get(folded(name))
        if kind is not None:
            return kind
        plural = _PLURALS.get(folded(name), name)
        spec = spec_of(plural)
        if spec is not None:
            return StreamTarget(spec)
        if why_not(plural):
            return None
    return None


def reason_not_written(stream: str) -> str | None:
    """Return why a stream can only be read; None for an unknown stream."""
    reasons = (why_not(_PLURALS.get(folded(name), name)) for name in _readings(stream))
    return next((reason for reason in reasons if reason), None)


def _readings(stream: str) -> Iterator[str]:
    """Yield the name itself, then the name without the prefixes for database and schema."""
    while stream:
        yield stream
        if folded(stream).endswith(_TEMPLATE):
            yield folded(stream).removesuffix(_TEMPLATE)
        prefix = _prefix(stream)
        stream = stream[prefix.end() :] if prefix else ""


_PLURALS: Mapping[str, str] = {
    folded(singular(name)): name for name in (*NOT_WRITTEN, *WRITE_SPECS) if singular(name) != name
}
_FOLDED_KINDS: Mapping[str, StreamTarget] = {
    folded(name): StreamTarget(WRITE_SPECS[spec], MappingProxyType(dict(says)))
    for plural, (spec, says) in _KINDS.items()
    for name in (plural, singular(plural))
}
