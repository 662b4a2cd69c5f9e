"""The totals of documents: line amounts, discounts and tax, as Xero calculates them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ..values import ONE, ZERO, Record, money


def line_amount(line: Mapping[str, Any]) -> Decimal | None:
    """Quantity x UnitAmount less discount, in cents; None for a line that is only a description."""
    price = line.get("UnitAmount")
    if price is None:
        amount: Decimal | None = line.get("LineAmount")
        return amount
    gross = line.get("Quantity", ONE) * price
    return money(gross - line_discount(line, gross))


def line_discount(line: Mapping[str, Any], gross: Decimal) -> Decimal:
    """What a line's DiscountRate (per cent) or DiscountAmount takes off `gross`."""
    if rate := line.get("DiscountRate"):
        return Decimal(gross * rate / 100)
    return line.get("DiscountAmount") or ZERO


def line_tax(amount: Decimal, percent: Decimal, amount_types: str) -> Decimal:
    """The tax on (Exclusive) or inside (Inclusive) a line amount, rounded to cents per line as Xero does."""
    kind = amount_types.upper()
    if kind == "NOTAX":
        return ZERO
    if kind == "INCLUSIVE":
        return money(amount * percent / (100 + percent))
    return money(amount * percent / 100)


def priced(document: Record, percents: Mapping[str, Decimal], *, keep_tax: bool = False) -> Record:
    """The document with LineAmount and TaxAmount on its lines and its SubTotal, TotalTax and Total.

    `percents` maps TaxType to its effective rate in per cent; a line without TaxType has no tax. With
    `keep_tax`, a line keeps the TaxAmount that it has. Lines that are only a description stay unchanged.
    TotalDiscount appears when a line is discounted.
    """
    kind = document.get("LineAmountTypes", "Exclusive")
    lines: list[Record] = []
    total = tax_total = discount = ZERO
    for line in document.get("LineItems", ()):
        amount = line_amount(line)
        if amount is None:
            lines.append(line)
            continue
        tax = line.get("TaxAmount") if keep_tax else None
        if tax is None:
            tax = line_tax(amount, percents.get(line.get("TaxType", ""), ZERO), kind)
        lines.append({**line, "LineAmount": amount, "TaxAmount": tax})
        total += amount
        tax_total += tax
        if "UnitAmount" in line:
            discount += line_discount(line, line.get("Quantity", ONE) * line["UnitAmount"])
    if kind.upper() != "INCLUSIVE":
        total += tax_total
    result = {
        **document,
        "LineItems": lines,
        "SubTotal": total - tax_total,
        "TotalTax": tax_total,
        "Total": total,
    }
    if discount:
        result["TotalDiscount"] = money(discount)
    else:
        result.pop("TotalDiscount", None)
    return result
