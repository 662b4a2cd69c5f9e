"""Exchange rates. A `CurrencyRate` is what one unit of the base currency buys, as Xero shows it."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha1

from ..values import ONE, money

_PER_NZD = {
    "NZD": Decimal(1),
    "AUD": Decimal("0.9105"),
    "USD": Decimal("0.5985"),
    "EUR": Decimal("0.5492"),
    "GBP": Decimal("0.4702"),
    "CNY": Decimal("4.3120"),
    "JPY": Decimal("89.15"),
    "CAD": Decimal("0.8240"),
    "SGD": Decimal("0.7990"),
    "FJD": Decimal("1.3480"),
}
CURRENCIES = tuple(_PER_NZD)
"""The currencies that `market_rate` knows."""

_TEN_PLACES = Decimal("0.0000000001")


def market_rate(code: str, base: str, day: date) -> Decimal:
    """An invented exchange rate, which depends only on the day: units of `code` for one unit of `base`.

    Raises KeyError for a currency without a rate.
    """
    if code == base:
        return ONE

    def worth(currency: str) -> Decimal:
        turn = (day.toordinal() + 97 * len(_PER_NZD) * ord(currency[0])) % 420
        swing = Decimal(abs(turn - 210) - 105) / 105 * Decimal("0.035")
        noise = Decimal(int.from_bytes(sha1(f"{currency}{day}".encode()).digest()[:4], "big")) / 2**32  # noqa: S324
        still = currency == "NZD"
        return _PER_NZD[currency] * (1 if still else 1 + swing + (noise - Decimal("0.5")) / 125)

    return (worth(code) / worth(base)).quantize(_TEN_PLACES, ROUND_HALF_UP)


def known_rate(code: str, base: str, day: date) -> Decimal | None:
    """The market rate, None for a currency without one."""
    return market_rate(code, base, day) if code == base or {code, base} <= _PER_NZD.keys() else None


def in_base(amount: Decimal, rate: Decimal | None = None) -> Decimal:
    """An amount in base currency at `rate`; a missing or zero rate means that it is in base already."""
    return money(amount / rate) if rate and rate != ONE else amount
