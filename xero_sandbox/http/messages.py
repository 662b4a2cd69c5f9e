"""How Xero says things: dates, numbers, envelopes and errors, in JSON and in XML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from email.utils import parsedate_to_datetime
from typing import Any
from xml.sax.saxutils import escape

import msgspec

UTC = timezone.utc
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = EPOCH.date()
OFFSET = "+0000"
CENT, TEN_THOUSANDTH = Decimal("0.01"), Decimal("0.0001")

encode = msgspec.json.Encoder(decimal_format="number").encode
_decoder = msgspec.json.Decoder(float_hook=Decimal)

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
"""The dates of nested records that also come as text."""
_MS_DATE = re.compile(r"^/Date\((-?\d+)([+-]\d{4})?\)/$")


def milliseconds(instant: datetime) -> int:
    """Milliseconds since 1970, negative before."""
    return (instant - EPOCH) // timedelta(milliseconds=1)


def ms_date(value: datetime | date, offset: str = OFFSET) -> str:
    """``/Date(ms+0000)/``; a plain date is written as midnight UTC."""
    if isinstance(value, datetime):
        return f"/Date({milliseconds(value)}{offset})/"
    return f"/Date({(value - EPOCH_DAY).days * 86_400_000}{offset})/"


def plain_string(value: datetime | date) -> str:
    """The twin of a date: ``2026-11-20T00:00:00``, without a zone."""
    return (
        value.strftime("%Y-%m-%dT%H:%M:%S")
        if isinstance(value, datetime)
        else f"{value.isoformat()}T00:00:00"
    )


def rendered(
    tree: Mapping[str, Any],
    *,
    twins: Iterable[str] = (),
    offset: str = OFFSET,
    bare: frozenset[str] = frozenset(),
    places: int | None = 2,
) -> dict[str, Any]:
    """A record's Python values as JSON ones: dates as ``/Date()/`` with their twins, no nulls.

    ``twins`` are the date fields that also come as text, ``offset`` what stands behind the milliseconds,
    ``bare`` the fields written without it, ``places`` the decimals of unit prices (``unitdp``; None: those they have,
    from two to four).
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
    """Prices at as many decimals as asked for, quantities with four, rates with six or more."""
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


# --- reading ---------------------------------------------------------------------------------------------

_PLAIN_DATES = frozenset(
    "Date DueDate ExpectedPaymentDate PlannedPaymentDate FullyPaidOnDate DeliveryDate ExpectedArrivalDate ExpiryDate"
    " JournalDate StartDate EndDate NextScheduledDate PeriodLockDate EndOfYearLockDate PaymentDueDate"
    " ReportingDate".split()
)
_COUNTS = frozenset(
    "JournalNumber Period Day SortOrder FinancialYearEndDay FinancialYearEndMonth ContentLength DueDate".split()
)


def decoded(body: bytes) -> Any:
    """JSON text as Python values, numbers with a point as exact decimals. Raises ``ValueError``."""
    try:
        return _decoder.decode(body)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from None


def understood(value: Any, name: str = "") -> Any:
    """JSON values as a record keeps them: instants, plain dates and decimals by the name of their field.

    Dates may be written ``2026-11-20``, ``2026-11-20T09:00:00`` (with or without Z) or ``/Date(ms)/``.
    """
    if isinstance(value, Mapping):
        return {key: understood(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [understood(inner, name) for inner in value]
    if isinstance(value, str) and value:
        if name.endswith("UTC"):
            return instant(value)
        if name in _PLAIN_DATES:
            return instant(value).date()
    if isinstance(value, int) and not isinstance(value, bool) and name not in _COUNTS:
        return Decimal(value)
    return value


def instant(text: str) -> datetime:
    """A point in time from any spelling Xero takes: ISO 8601, ``/Date(ms)/`` or an HTTP date. Raises ``ValueError``."""
    if found := _MS_DATE.match(text):
        return EPOCH + timedelta(milliseconds=int(found[1]))
    text = text.strip()
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (TypeError, ValueError):
            raise ValueError(f"{text!r} is no date that Xero understands") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


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
        text = value.strftime("%Y-%m-%dT%H:%M:%S") + (
            f".{value.microsecond // 1000:03d}".rstrip("0").rstrip(".")
        )
    elif isinstance(value, date):
        text = plain_string(value)
    else:
        text = str(value)
    return f"<{name}>{escape(text)}</{name}>"


# --- errors ----------------------------------------------------------------------------------------------


def problem(title: str, status: int, detail: str, instance: str) -> dict[str, Any]:
    """The body of a refusal by Xero's gateway (401, 403, 413, 500)."""
    return {
        "Type": None,
        "Title": title,
        "Status": status,
        "Detail": detail,
        "Instance": instance,
        "Extensions": {},
    }


def api_exception(number: int, kind: str, message: str) -> dict[str, Any]:
    """The body of a refusal by the Accounting API itself."""
    return {"ErrorNumber": number, "Type": kind, "Message": message}
