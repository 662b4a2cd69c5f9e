"""Xero's formats of records, envelopes and errors, in JSON and in XML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from xml.sax.saxutils import escape

from ..values import CENT, OFFSET, TEN_THOUSANDTH, ms_date, plain_string

_PRICES = frozenset({"UnitAmount", "UnitPrice"})
_LEAST_PLACES = {"Quantity": 4, "CurrencyRate": 6}
_SCALED = _PRICES | set(_LEAST_PLACES)
_NESTED_TWINS: dict[str, tuple[str, ...]] = {
    "Invoice": ("Date", "DueDate", "UpdatedDateUTC"),
    "BatchPayment": ("Date",),
    **dict.fromkeys(
        ("CreditNote", "CreditNotes", "Prepayment", "Prepayments", "Overpayment", "Overpayments"),
        ("Date", "DueDate"),
    ),
}
"""The dates of nested records that also appear as text."""


def rendered(
    tree: Mapping[str, Any],
    *,
    twins: Iterable[str] = (),
    offset: str = OFFSET,
    bare: frozenset[str] = frozenset(),
    places: int | None = 2,
) -> dict[str, Any]:
    """A record's Python values as JSON values: dates as ``/Date()/`` and, for ``twins``, as text too; no nulls.
    ``offset`` follows the milliseconds, ``bare`` the fields written without it, ``places`` the decimals of unit
    prices (``unitdp``; None: those they have, from two to four).
    """
    out: dict[str, Any] = {}
    step = {2: CENT, 4: TEN_THOUSANDTH, None: None}[places]
    for name, value in tree.items():
        kind = type(value)
        if kind is str or kind is bool or kind is int:
            out[name] = value
        elif kind is Decimal:
            out[name] = _scaled(value, name, step) if name in _SCALED else value
        elif value is None:
            continue
        elif kind is list:
            nested = _NESTED_TWINS.get(name, ())
            out[name] = [
                rendered(one, twins=nested, offset=offset, bare=bare, places=places)
                if type(one) is dict
                else _scalar(one, offset)
                for one in value
            ]
        elif kind is dict:
            nested = _NESTED_TWINS.get(name, ())
            out[name] = rendered(value, twins=nested, offset=offset, bare=bare, places=places)
        else:
            if name in twins:
                text = plain_string(value)
                out[f"{name}String"] = f"{text}Z" if name == "UpdatedDateUTC" else text
            out[name] = ms_date(value, "" if name in bare else offset)
    return out


def _scaled(value: Decimal, name: str, step: Decimal | None) -> Decimal:
    """Prices with ``step``, quantities with at least four decimals, rates with at least six."""
    exponent = value.as_tuple().exponent
    decimals = -exponent if isinstance(exponent, int) else 0
    if name in _PRICES:
        if step is None:
            if 2 <= decimals <= 4:
                return value
            step = CENT if decimals < 2 else TEN_THOUSANDTH
        return value.quantize(step, ROUND_HALF_UP)
    least = _LEAST_PLACES[name]
    return value.quantize(Decimal(1).scaleb(-least)) if decimals < least else value


def _scalar(value: Any, offset: str) -> Any:
    return ms_date(value, offset) if isinstance(value, date) else value


# --- XML -------------------------------------------------------------------------------------------------


def singular(name: str) -> str:
    """The name of one element in a list called ``name``: Addresses holds Address, Currencies Currency."""
    if name == "Tracking":
        return "TrackingCategory"
    for ending, one in (("ies", "y"), ("sses", "ss"), ("s", "")):
        if name.endswith(ending):
            return name[: -len(ending)] + one
    return name


def xml(name: str, value: Any) -> str:
    """``value`` as an element called ``name``; dates without a zone, as Xero's XML has them."""
    if isinstance(value, Mapping):
        inner = "".join(xml(key, one) for key, one in value.items() if one is not None)
        return f"<{name}>{inner}</{name}>" if inner else f"<{name} />"
    if isinstance(value, list):
        one = singular(name)
        return f"<{name}>{''.join(xml(one, item) for item in value)}</{name}>" if value else f"<{name} />"
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, datetime):
        text = plain_string(value) + f".{value.microsecond // 1000:03d}".rstrip("0").rstrip(".")
    elif isinstance(value, date):
        text = plain_string(value)
    else:
        text = str(value)
    return f"<{name}>{escape(text)}</{name}>"
