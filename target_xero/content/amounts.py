"""The amount of a line, as Xero calculates it: the price rounded to 4 places, less the discount, rounded to cents."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

Number = int | Decimal

CENT = Decimal("0.01")
#: Unit prices have at most 4 places in Xero (its guide to rounding).
PRICE = Decimal("0.0001")


def to_cents(value: Number) -> Decimal:
    """Return an amount rounded to cents, halves away from zero. Raises InvalidOperation for more than 26 digits."""
    exact = value if value.__class__ is Decimal else Decimal(value)
    return exact.quantize(CENT, ROUND_HALF_UP)


def line_amount(
    quantity: Number | None,
    price: Number,
    discount_rate: Number | None = None,
    discount: Number | None = None,
    *,
    exact_price: bool = False,
) -> Decimal:
    """Return quantity x price less the discount, in cents; `exact_price` leaves the price unrounded.

    If there are two discounts, the rate counts, as in Xero. Raises InvalidOperation for more than 26 digits.
    """
    if not exact_price and price.__class__ is Decimal:
        price = price.quantize(PRICE, ROUND_HALF_UP)
    gross = price if quantity is None else quantity * price
    if discount_rate:
        gross -= Decimal(gross * discount_rate) / 100
    elif discount:
        gross -= discount
    return to_cents(gross)


def agrees(
    amount: Number,
    quantity: Number | None,
    price: Number,
    discount_rate: Number | None = None,
    discount: Number | None = None,
) -> bool:
    """Tell whether Xero calculates this LineAmount from the other fields, so that it can be omitted."""
    try:
        calculated = line_amount(quantity, price, discount_rate, discount)
        return calculated == amount or calculated == to_cents(amount)
    except InvalidOperation:
        return False
