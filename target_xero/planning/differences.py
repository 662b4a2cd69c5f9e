"""Compares Xero's answer to a write with the record.

The comparison covers the content of the record and, in lines, also a discount, item or tracking that the record does
not have. What Xero's own rules change is no difference: amounts are rounded to cents and prices to 4 places, texts lose
surrounding blanks, and missing fields are filled in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from singer_xero.api import dates
from singer_xero.objects import Field
from target_xero.content.amounts import PRICE, line_amount, to_cents
from target_xero.content.compare import LINES, decimal, folded
from target_xero.content.payload import REFERENCES, TRACKING
from target_xero.lookups.lookups import Record
from target_xero.write_specs.rules import PAYABLE
from target_xero.write_specs.spec import WriteSpec

#: An answer about a document has these fields, days and amounts if the document has them, so Xero has not stored a
#: missing one. It may omit any other field.
_SHOWN = frozenset({"Reference", "Narration", "Contact"})
#: Xero lists refunds of these as if they paid an invoice of that id.
_REFUNDED = frozenset(PAYABLE) - {"Invoice"}
#: Lists with one entry of each type, of which Xero has more than those sent.
_SLOTS = {"Phones": "PhoneType", "Addresses": "AddressType"}
#: Personal data, which no log shows.
_PERSONAL = frozenset(
    {
        "FirstName", "LastName", "EmailAddress", "TaxNumber", "AttentionTo", "Telephone", "DeliveryAddress",
        "BankAccountDetails", "BankAccountNumber", "BankAccountName",
        "PhoneNumber", "PhoneAreaCode", "PhoneCountryCode",
        "AddressLine1", "AddressLine2", "AddressLine3", "AddressLine4", "City", "Region", "PostalCode", "Country",
    }
)  # fmt: skip
#: Numbers that Xero divides into groups.
_GROUPED = frozenset({"BankAccountNumber", "BankAccountDetails"})
_CENT, _FINE = Decimal("0.005"), Decimal("0.00005")
#: How far numbers may differ by Xero's rounding.
_ROUNDING = {
    "money": _CENT,
    "percent": _CENT,
    "quantity": _FINE,
    "rate": Decimal("0.0000005"),
    "number": _FINE,
}
_DISCOUNTS = ("DiscountRate", "DiscountAmount")
#: The fields of a line that identify it, or that `_amount` and `_discount` compare.
_COMPARED_APART = frozenset({"LineItemID", "LineAmount", *_DISCOUNTS})
_PRICES = frozenset({"UnitAmount", "UnitPrice"})
#: What somebody may have added to a line in Xero.
_ADDED = ("ItemCode", "Tracking", "DiscountRate", "DiscountAmount")
_MISSING = object()
_NOTHING = "nothing"

_Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Difference:
    """A field of a record that differs in Xero; the values are as a log may show them.

    `by_hand` says that a line has more content than the record, or another place, so that somebody has changed it in
    Xero.
    """

    field: str
    expected: str
    got: str
    by_hand: bool = False

    def __str__(self) -> str:
        return f"{self.field}: expected {self.expected}, got {self.got}"


def differences(spec: WriteSpec, expected: _Fields, answer: Record) -> list[Difference]:
    """Return where an answer differs from a record, which has Xero's names and resolved references."""
    there = answer.items()
    found: list[Difference] = []
    for field in expected.items():
        if field in there:
            continue
        name, value = field
        if name == spec.key or (name in LINES and _are_equal(value, answer.get(name))):
            continue
        word = spec.fields.get(name)
        if word is not None and (name in answer or _counts_if_missing(spec, name, word)):
            found += _different(spec, name, word, value, answer)
    return found


def unchanged_fields(spec: WriteSpec, expected: _Fields, record: Record) -> set[str]:
    """Return the fields that are the same in a record of Xero's, so that they need not be sent."""
    return {
        name
        for name, value in expected.items()
        if record.get(name) not in (None, "", [], {}) and not differences(spec, {name: value}, record)
    }


def _different(spec: WriteSpec, name: str, word: Field, value: Any, answer: Record) -> Iterator[Difference]:
    """The differences of one field of a record."""
    got = answer.get(name, _MISSING)
    if name == spec.status_field:
        if got is not _MISSING and spec.status_of(answer) != value:
            yield _difference(name, value, got)
    elif name in LINES:
        if isinstance(got, list):
            yield from _lines(spec, name, word, value, got)
    elif name in _REFUNDED:
        yield from _refund(name, value, answer)
    elif name == "Payments":
        yield from _payments(value, got)
    else:
        yield from _field(name, name, word, value, None if got is _MISSING else got)


def _counts_if_missing(spec: WriteSpec, name: str, word: Field) -> bool:
    """Whether a field that was sent counts as different if the answer does not have it."""
    if name in spec.omitted:
        return False
    if name in _REFUNDED:
        return True
    return spec.document and (name in _SHOWN or (word.kind in {"day", "money"} and not word.read_only))


def _difference(path: str, expected: Any, got: Any, *, by_hand: bool = False) -> Difference:
    return Difference(path, _shown(path, expected), _shown(path, got), by_hand)


# One field


def _field(path: str, name: str, word: Field, expected: Any, got: Any) -> Iterator[Difference]:
    """The differences of a field; `got` is None where the record has none."""
    if expected == got:
        return
    if name in TRACKING:
        yield from _tracking(path, expected, got or [])
    elif name in REFERENCES and word.kind == "one":
        yield from _reference(path, expected, got)
    elif word.kind == "one":
        yield from _inner(path, word, expected, got or {})
    elif word.kind == "many":
        yield from _list(path, name, word, expected, got or [])
    elif not _same(name, word, expected, got):
        yield _difference(path, expected, got)


def _inner(path: str, word: Field, expected: _Fields, got: _Fields) -> Iterator[Difference]:
    fields = word.component.fields if word.component else {}
    for name, value in expected.items():
        if name in fields and name in got:
            yield from _field(f"{path}.{name}", name, fields[name], value, got[name])


def _list(
    path: str, name: str, word: Field, expected: Sequence[Any], got: Sequence[Any]
) -> Iterator[Difference]:
    if word.component is None:
        if list(expected) != list(got):
            yield _difference(path, expected, got)
        return
    if slot := _SLOTS.get(name):
        by_slot = {one.get(slot): one for one in got}
        got = [by_slot.get(one.get(slot), {}) for one in expected]
    if len(expected) != len(got):
        yield _counts(path, expected, got, "entry", "entries")
        return
    for index, (one, other) in enumerate(zip(expected, got, strict=True)):
        yield from _inner(f"{path}[{index}]", word, one, other)


def _same(name: str, word: Field, expected: Any, got: Any) -> bool:
    if expected in (None, "") or got in (None, ""):
        return expected in (None, "", 0, False) and got in (None, "", 0, False)
    if word.kind == "day":
        return dates.day(str(expected)) == dates.day(str(got))
    if word.kind == "flag":
        return bool(expected == got)
    limit = _FINE if name in _PRICES else _ROUNDING.get(word.kind)
    if limit is not None:
        expected, got = decimal(expected), decimal(got)
        return expected is not None and got is not None and abs(expected - got) <= limit
    if name in _GROUPED:
        expected, got = ("".join(filter(str.isalnum, str(value))) for value in (expected, got))
    return folded(expected) == folded(got)


# References


def _reference(path: str, expected: Any, got: Any) -> Iterator[Difference]:
    """The differences of a reference: the fields that both sides have must be equal."""
    if not isinstance(expected, Mapping):
        return
    shared = {name: got[name] for name in expected if name in got} if got else {}
    if not got or any(folded(expected[name]) != folded(value) for name, value in shared.items()):
        yield _difference(path, _named(expected), _named(shared))


def _named(reference: _Fields) -> str:
    return ", ".join(f"{name} {value}" for name, value in reference.items())


def _refund(name: str, expected: _Fields, answer: Record) -> Iterator[Difference]:
    identifier = REFERENCES[name][0]
    ids = [(answer.get(of) or {}).get(field) for of, field in ((name, identifier), ("Invoice", "InvoiceID"))]
    found = [folded(one) for one in ids if one]
    if found and folded(expected.get(identifier)) not in found:
        yield _difference(name, _named(expected), f"{identifier} {found[0]}")


def _payments(expected: Sequence[_Fields], got: Any) -> Iterator[Difference]:
    """The differences of the payments in a batch, which are identified by their invoices."""
    if not isinstance(got, list):
        return
    if len(expected) != len(got):
        yield _counts("Payments", expected, got, "payment", "payments")
        return
    amounts: dict[str, list[Any]] = {}
    for one in got:
        amounts.setdefault(_invoice_of(one), []).append(one.get("Amount"))
    for index, one in enumerate(expected):
        invoice = _invoice_of(one)
        if invoice in amounts:
            if "Amount" in one and decimal(one["Amount"]) not in map(decimal, amounts[invoice]):
                yield _difference(f"Payments[{index}].Amount", one["Amount"], amounts[invoice][0])
        elif folded(None) not in amounts:
            yield _difference(f"Payments[{index}].Invoice", invoice, None)


def _invoice_of(payment: _Fields) -> str:
    return folded((payment.get("Invoice") or {}).get("InvoiceID"))


# Lines


def _lines(
    spec: WriteSpec, name: str, word: Field, expected: Sequence[_Fields], got: Sequence[Record]
) -> Iterator[Difference]:
    if len(expected) != len(got):
        yield _counts(name, expected, got, "line", "lines", by_hand=True)
        return
    found = [
        list(_line(spec, f"{name}[{index}]", word, one, other))
        for index, (one, other) in enumerate(zip(expected, got, strict=True))
    ]
    if any(found) and (order := _other_order(spec, word, expected, got)):
        yield Difference(name, "this order", f"the order {', '.join(map(str, order))}", by_hand=True)
        return
    for one in found:
        yield from one


def _are_equal(expected: Sequence[_Fields], got: Any) -> bool:
    """Whether lines are certainly the same."""
    return got.__class__ is list and len(got) == len(expected) and all(map(_is_equal, expected, got))


def _is_equal(expected: _Fields, got: Mapping[str, Any]) -> bool:
    """Whether all fields of a line are equal and none is added, so that `_line` would find no difference."""
    if not expected.items() <= got.items():
        return False
    for name in _ADDED:
        if name in got and name not in expected and got[name]:
            return False
    return got.get("LineAmount") is None or not any(_amount("", expected, got["LineAmount"]))


def _other_order(
    spec: WriteSpec, word: Field, expected: Sequence[_Fields], got: Sequence[Record]
) -> list[int] | None:
    """The places of the lines, if Xero has exactly these lines in another order; None if lines differ."""
    left = list(range(len(got)))
    places = []
    for one in expected:
        place = next((p for p in left if not any(_line(spec, "", word, one, got[p]))), None)
        if place is None:
            return None
        left.remove(place)
        places.append(place)
    return [places.index(place) + 1 for place in range(len(got))]


def _line(spec: WriteSpec, path: str, word: Field, expected: _Fields, got: _Fields) -> Iterator[Difference]:
    fields = word.component.fields if word.component else {}
    may_lack = {"AccountID", *spec.omitted}
    if not expected.keys() & {"UnitAmount", "LineAmount", "ItemCode"}:
        may_lack.add("Quantity")  # which Xero omits from a line that is only a description
    for name, value in expected.items():
        if name in _COMPARED_APART or name not in fields or got.get(name, _MISSING) == value:
            continue
        if name in got or name not in may_lack:
            yield from _field(f"{path}.{name}", name, fields[name], value, got.get(name))
    yield from _amount(f"{path}.LineAmount", expected, got.get("LineAmount"))
    yield from _discount(spec, path, expected, got)
    for name in ("ItemCode", "Tracking"):
        if got.get(name) and not expected.get(name) and name in fields:
            added = _categories(got[name]) if name == "Tracking" else got[name]
            yield _difference(f"{path}.{name}", None, added, by_hand=True)


def _amount(path: str, line: _Fields, got: Any) -> Iterator[Difference]:
    """The difference of the line amount: as given, otherwise the result of quantity, exact price and discount."""
    amount = decimal(got)
    if amount is None:
        return
    try:
        if "LineAmount" in line:
            expected = rounded = to_cents(line["LineAmount"])
        elif "UnitAmount" in line and ("Quantity" in line or "ItemCode" not in line):
            quantity, price = line.get("Quantity"), line["UnitAmount"]
            rate, discount = map(line.get, _DISCOUNTS)
            expected = rounded = line_amount(quantity, price, rate, discount)
            if price % PRICE:
                expected = line_amount(quantity, price, rate, discount, exact_price=True)
        else:
            return
    except InvalidOperation:
        return
    if amount != expected:
        # If rounding the price does not explain it, there is a discount, which answers about quotes omit.
        yield _difference(path, expected, got, by_hand=amount != rounded)


def _discount(spec: WriteSpec, path: str, expected: _Fields, got: _Fields) -> Iterator[Difference]:
    """The difference of the discount: Xero also shows a rate as an amount, and the other way round."""
    name = next((name for name in _DISCOUNTS if expected.get(name)), None)
    if name is None:
        added = next((name for name in _DISCOUNTS if got.get(name)), None)
        if added:
            yield _difference(f"{path}.{added}", None, got[added], by_hand=True)
    elif name in got or not (name in spec.omitted or any(map(got.get, _DISCOUNTS))):
        discount = decimal(got.get(name) or 0)
        if discount is None or abs(Decimal(expected[name]) - discount) > _CENT:
            yield _difference(f"{path}.{name}", expected[name], got.get(name))


def _tracking(path: str, expected: Sequence[_Fields], got: Sequence[_Fields]) -> Iterator[Difference]:
    """The differences of tracking by its names or its ids, in any order."""
    rest = list(got)
    for one in expected:
        match = next((other for other in rest if _agree(one, other, "TrackingCategoryID", "Name")), None)
        if match is None:
            yield Difference(path, _categories([one]), _categories(got))
            return
        rest.remove(match)
        if not _agree(one, match, "TrackingOptionID", "Option"):
            yield Difference(path, _categories([one]), _categories([match]))
    if rest:
        yield Difference(path, _NOTHING, _categories(rest))


def _agree(expected: _Fields, got: _Fields, *names: str) -> bool:
    """Whether the first of these fields that both sides have is equal; True if they have none in common."""
    shared = (name for name in names if expected.get(name) and got.get(name))
    return all(folded(expected[name]) == folded(got[name]) for name in list(shared)[:1])


def _categories(tracking: Sequence[_Fields]) -> str:
    shown = (
        f"{one.get('Name') or one.get('TrackingCategoryID')} {one.get('Option') or one.get('TrackingOptionID')}"
        for one in tracking
    )
    return ", ".join(shown) or _NOTHING


# Showing


def _counts(
    path: str, expected: Sequence[Any], got: Sequence[Any], one: str, many: str, *, by_hand: bool = False
) -> Difference:
    before, after = (f"{len(things)} {one if len(things) == 1 else many}" for things in (expected, got))
    return Difference(path, before, after, by_hand)


def _shown(path: str, value: Any) -> str:
    """A value as a log may show it: short, days in ISO format, and no personal data."""
    if value in (None, "", [], {}):
        return _NOTHING
    name = path.rpartition(".")[2].partition("[")[0]
    if name in _PERSONAL:
        return "a text that is not shown"
    if isinstance(value, str) and value.startswith("/Date("):
        return dates.day(value)
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
