"""Checks that several kinds of records share."""

from __future__ import annotations

from collections.abc import Mapping

from ..values import Record
from .work import Work


def tax_type_error(tax_type: str) -> str:
    """The message for a tax type that does not exist or is deleted."""
    return f"The TaxType code {tax_type} does not exist or cannot be used for this type of transaction."


def check_tax_type(work: Work, tax_type: str | None) -> None:
    """Refuse a tax type that does not exist."""
    if tax_type and not work.matching("TaxRates", "TaxType", tax_type):
        work.refuse(tax_type_error(tax_type))


def check_currency(work: Work, code: str) -> bool:
    """Refuse a currency that the organisation does not have; false if it is refused."""
    known = bool(work.matching("Currencies", "Code", code))
    if not known:
        work.refuse(f"Organisation is not subscribed to currency {code}")
    return known


def check_status(work: Work, status: str, current: Record | None, later: str, noun: str) -> None:
    """Refuse a status other than ACTIVE, and for an existing record ``later``."""
    if status != "ACTIVE" and (current is None or status != later):
        work.refuse(f"The status '{status}' is not valid for {noun}")


def require(work: Work, sent: Record, *names: str, within: str = "") -> None:
    """Refuse an element, or the part ``within`` it, that lacks one of these fields."""
    for name in names:
        if name not in sent:
            work.refuse(f"{within}{name} must be specified")


def check_lengths(work: Work, limits: Mapping[str, int], sent: Record | None = None) -> None:
    """Refuse texts of an element that are too long; `limits` is the number of characters by field."""
    texts = work.sent if sent is None else sent
    for name, longest in limits.items():
        if len(str(texts.get(name, ""))) > longest:
            work.refuse(too_long(name, longest))


def too_long(name: str, longest: int) -> str:
    """The message for a text that is too long."""
    return f"The {name} field exceeds the maximum length of {longest} characters."
