"""Compares Xero's answer to a write with the record.

Only the record's content is compared and, of lines, also that they have no other discount, item or tracking. Xero's
own rules are no differences: amounts are rounded to cents and prices to 4 places, texts lose surrounding blanks, and
missing fields are filled in. `_SHOWN` states which fields that an answer omits count as not stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from singer_xero.api import dates
from singer_xero.objects import Field
from target_xero.content.amounts import PRICE, line_amount, to_cents
from target_xero.content.compare import LINES, folded
from target_xero.content.payload import REFERENCES
from target_xero.lookups.lookups import Record
from target_xero.write_specs.spec import WriteSpec

_TRACKING = frozenset({"Tracking", "FromTracking", "ToTracking"})
#: What an answer about a document shows if the document has it, so that what is missing there was not kept. Days and
#: amounts are such fields as well; of all others, answers leave out one or the other.
_SHOWN = frozenset({"Reference", "Narration", "Contact"})
#: Refunds are listed as if they paid an invoice of that id.
_REFUNDED = ("CreditNote", "Prepayment", "Overpayment")
#: Lists of entries of which there is one of each type, and what Xero has besides those sent.
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
#: Numbers that Xero writes in groups of its own.
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
#: The fields of a line that identify it, or that `_amount` and `_discount` compare.
_COMPARED_APART = frozenset({"LineItemID", "LineAmount", "DiscountRate", "DiscountAmount"})
_PRICES = frozenset({"UnitAmount", "UnitPrice"})
_MISSING = object()
_NOTHING = "nothing"


@dataclass(frozen=True)
class Difference:
    """A field of a record that differs in Xero; the values are as a log may show them.

    `stuck` tells that a line has more than the record says, or another place, because somebody changed it in Xero.
    """

    field: str
    said: str
    got: str
    stuck: bool = False

    def __str__(self) -> str:
        return f"{self.field}: said {self.said}, got {self.got}"


def differences(spec: WriteSpec, said: Mapping[str, Any], answer: Record) -> list[Difference]:
    """Return where an answer differs from a record; `said` has Xero's names and resolved references."""
    return list(_differences(spec, said, answer))


def held(spec: WriteSpec, said: Mapping[str, Any], record: Record) -> set[str]:
    """Return the fields in which a record of Xero's is the same, so that they need not be sent."""
    return {
        name
        for name, value in said.items()
        if record.get(name) not in (None, "", [], {}) and not any(_differences(spec, {name: value}, record))
    }


def _differences(spec: WriteSpec, said: Mapping[str, Any], answer: Record) -> Iterator[Difference]:
    for name, value in said.items():
        got = answer.get(name, _MISSING)
        if (got == value and name not in LINES) or name == spec.key:
            continue
        word = spec.fields.get(name)
        if word is not None and not (got is _MISSING and name in spec.omitted):
            yield from _different(spec, name, word, value, answer)


def _different(spec: WriteSpec, name: str, word: Field, value: Any, answer: Record) -> Iterator[Difference]:
    """The differences of one field of a record."""
    got = answer.get(name, _MISSING)
    if name == spec.status_field:
        if got is not _MISSING and spec.status_aliases.get(got, got) != value:
            yield _difference(name, value, got)
    elif name in LINES:
        if isinstance(got, list):
            yield from _lines(spec, name, word, value, got)
    elif name in _REFUNDED:
        yield from _refund(name, value, answer)
    elif name == "Payments":
        yield from _payments(value, got)
    elif got is not _MISSING or (spec.document and _is_shown(name, word)):
        yield from _field(name, name, word, value, None if got is _MISSING else got)


def _is_shown(name: str, word: Field) -> bool:
    return name in _SHOWN or (word.kind in {"day", "money"} and not word.read_only)


def _difference(path: str, said: Any, got: Any) -> Difference:
    return Difference(path, _shown(path, said), _shown(path, got))


# One field


def _field(path: str, name: str, word: Field, said: Any, got: Any) -> Iterator[Difference]:
    """The differences of a field; `got` is None where the record has none."""
    if said == got:
        return
    if name in REFERENCES and word.kind == "one":
        yield from _reference(path, said, got)
    elif name in _TRACKING:
        yield from _tracking(path, said, got or [])
    elif word.kind == "one":
        yield from _inner(path, word, said, got or {})
    elif word.kind == "many":
        yield from _list(path, name, word, said, got or [])
    elif not _same(name, word, said, got):
        yield _difference(path, said, got)


def _inner(path: str, word: Field, said: Mapping[str, Any], got: Mapping[str, Any]) -> Iterator[Difference]:
    for name, value in said.items():
        field = word.component.fields.get(name) if word.component else None
        if field is not None and name in got:
            yield from _field(f"{path}.{name}", name, field, value, got[name])


def _list(path: str, name: str, word: Field, said: Sequence[Any], got: Sequence[Any]) -> Iterator[Difference]:
    if word.component is None:
        if list(said) != list(got):
            yield _difference(path, said, got)
        return
    slot = _SLOTS.get(name)
    if slot:
        held = {one.get(slot): one for one in got}
        got = [held.get(one.get(slot), {}) for one in said]
    if len(said) != len(got):
        yield Difference(path, _counted(said, "entr", "y", "ies"), _counted(got, "entr", "y", "ies"))
        return
    for index, (one, other) in enumerate(zip(said, got, strict=True)):
        yield from _inner(f"{path}[{index}]", word, one, other)


def _same(name: str, word: Field, said: Any, got: Any) -> bool:
    if said in (None, "") or got in (None, ""):
        return said in (None, "", 0, False) and got in (None, "", 0, False)
    if word.kind == "day":
        return dates.day(str(said)) == dates.day(str(got))
    if word.kind == "flag":
        return bool(said == got)
    limit = _FINE if name in _PRICES else _ROUNDING.get(word.kind)
    if limit is not None:
        said, got = _number(said), _number(got)
        return said is not None and got is not None and abs(said - got) <= limit
    if name in _GROUPED:
        said, got = ("".join(filter(str.isalnum, str(value))) for value in (said, got))
    return folded(said) == folded(got)


def _number(value: Any) -> Decimal | None:
    if value.__class__ is Decimal:
        return value
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


# References


def _reference(path: str, said: Any, got: Any) -> Iterator[Difference]:
    """The differences of a reference: what both sides name the other record by has to be the same."""
    if not isinstance(said, Mapping):
        return
    if not got:
        yield _difference(path, _told(said), None)
        return
    shared = [name for name in said if name in got]
    if any(folded(said[name]) != folded(got[name]) for name in shared):
        yield _difference(path, _told(said), _told({name: got[name] for name in shared}))


def _told(reference: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in reference.items())


def _refund(name: str, said: Mapping[str, Any], answer: Record) -> Iterator[Difference]:
    identifier = REFERENCES[name][0]
    wanted = folded(said.get(identifier))
    found = [
        folded(one[field])
        for of, field in ((name, identifier), ("Invoice", "InvoiceID"))
        if (one := answer.get(of) or {}).get(field)
    ]
    if found and wanted not in found:
        yield _difference(name, _told(said), f"{identifier} {found[0]}")


def _payments(said: Sequence[Mapping[str, Any]], got: Any) -> Iterator[Difference]:
    """The payments of a batch, told by what they pay."""
    if not isinstance(got, list):
        return
    if len(said) != len(got):
        yield Difference("Payments", _counted(said, "payment"), _counted(got, "payment"))
        return
    amounts: dict[str, list[Any]] = {}
    for one in got:
        amounts.setdefault(folded((one.get("Invoice") or {}).get("InvoiceID")), []).append(one.get("Amount"))
    for index, one in enumerate(said):
        invoice = folded((one.get("Invoice") or {}).get("InvoiceID"))
        there = amounts.get(invoice) or []
        if not there:
            if folded(None) not in amounts:
                yield _difference(f"Payments[{index}].Invoice", invoice, None)
        elif "Amount" in one and not any(_number(one["Amount"]) == _number(amount) for amount in there):
            yield _difference(f"Payments[{index}].Amount", one["Amount"], there[0])


# Lines


def _lines(
    spec: WriteSpec, name: str, word: Field, said: Sequence[Mapping[str, Any]], got: Sequence[Record]
) -> Iterator[Difference]:
    if len(said) != len(got):
        yield Difference(name, _counted(said, "line"), _counted(got, "line"), stuck=True)
        return
    found = [
        list(_line(spec, f"{name}[{index}]", word, one, other))
        for index, (one, other) in enumerate(zip(said, got, strict=True))
    ]
    if any(found) and (order := _other_order(spec, word, said, got)):
        yield Difference(name, "this order", f"the order {', '.join(map(str, order))}", stuck=True)
        return
    for one in found:
        yield from one


def _other_order(
    spec: WriteSpec, word: Field, said: Sequence[Mapping[str, Any]], got: Sequence[Record]
) -> list[int] | None:
    """The places of the lines, if Xero has just these lines in another order; None if lines differ."""
    left = list(range(len(got)))
    places = []
    for one in said:
        place = next((p for p in left if not any(_line(spec, "", word, one, got[p]))), None)
        if place is None:
            return None
        left.remove(place)
        places.append(place)
    return [places.index(place) + 1 for place in range(len(got))]


def _line(
    spec: WriteSpec, path: str, word: Field, said: Mapping[str, Any], got: Mapping[str, Any]
) -> Iterator[Difference]:
    fields = word.component.fields if word.component else {}
    for name, value in said.items():
        if name in _COMPARED_APART or name not in fields or got.get(name, _MISSING) == value:
            continue
        may_lack = name in spec.omitted or name == "AccountID" or _says_no_price(name, said)
        if name in got or not may_lack:
            yield from _field(f"{path}.{name}", name, fields[name], value, got.get(name))
    yield from _amount(f"{path}.LineAmount", said, got.get("LineAmount"))
    yield from _discount(spec, path, said, got)
    yield from _added(path, fields, said, got)


def _added(
    path: str, fields: Mapping[str, Field], said: Mapping[str, Any], got: Mapping[str, Any]
) -> Iterator[Difference]:
    """The item and the tracking of a line that the record does not have."""
    for name in ("ItemCode", "Tracking"):
        if got.get(name) and not said.get(name) and name in fields:
            shown = [_told(_named(one)) for one in got[name]] if name == "Tracking" else [got[name]]
            yield Difference(f"{path}.{name}", _NOTHING, ", ".join(shown), stuck=True)


def _says_no_price(name: str, said: Mapping[str, Any]) -> bool:
    """Whether it is the quantity of a line that is only a description, which Xero omits."""
    return name == "Quantity" and not said.keys() & {"UnitAmount", "LineAmount", "ItemCode"}


def _amount(path: str, said: Mapping[str, Any], got: Any) -> Iterator[Difference]:
    """The line amount: as given, otherwise the result of quantity, exact price and discount."""
    held = _number(got)
    if held is None:
        return
    try:
        if "LineAmount" in said:
            expected = rounded = to_cents(said["LineAmount"])
        elif "UnitAmount" in said and ("Quantity" in said or "ItemCode" not in said):
            quantity, price = said.get("Quantity"), said["UnitAmount"]
            discounts = said.get("DiscountRate"), said.get("DiscountAmount")
            expected = rounded = line_amount(quantity, price, *discounts)
            if price % PRICE:
                expected = line_amount(quantity, price, *discounts, exact_price=True)
        else:
            return
    except InvalidOperation:
        return
    if held != expected:
        # Where rounding the price does not explain it, there is a discount, which answers about quotes do not show.
        yield Difference(path, str(expected), _shown(path, got), stuck=held != rounded)


def _discount(
    spec: WriteSpec, path: str, said: Mapping[str, Any], got: Mapping[str, Any]
) -> Iterator[Difference]:
    """The discount: Xero also shows a rate as an amount, and the other way round."""
    names = ("DiscountRate", "DiscountAmount")
    if not any(said.get(name) for name in names):
        for name in names:
            if got.get(name):
                yield Difference(f"{path}.{name}", _NOTHING, _shown(name, got[name]), stuck=True)
                return
        return
    name = next(name for name in names if said.get(name))
    if name in got or not (name in spec.omitted or any(got.get(other) for other in names)):
        held = _number(got.get(name) or 0)
        if held is None or abs(Decimal(said[name]) - held) > _CENT:
            yield _difference(f"{path}.{name}", said[name], got.get(name))


def _tracking(
    path: str, said: Sequence[Mapping[str, Any]], got: Sequence[Mapping[str, Any]]
) -> Iterator[Difference]:
    """Tracking by its names or its ids, in any order."""
    rest = list(got)
    for one in said:
        match = next((other for other in rest if _is_category(one, other)), None)
        if match is None:
            yield Difference(
                path, _told(_named(one)), ", ".join(_told(_named(other)) for other in got) or _NOTHING
            )
            return
        rest.remove(match)
        if _agree(one, match, "TrackingOptionID", "Option") is False:
            yield Difference(path, _told(_named(one)), _told(_named(match)))
    if rest:
        yield Difference(path, _NOTHING, ", ".join(_told(_named(other)) for other in rest))


def _is_category(said: Mapping[str, Any], got: Mapping[str, Any]) -> bool:
    return _agree(said, got, "TrackingCategoryID", "Name") is not False


def _agree(said: Mapping[str, Any], got: Mapping[str, Any], *names: str) -> bool | None:
    """Whether both sides have the same name; None if they have no name in common."""
    shared = [name for name in names if said.get(name) and got.get(name)]
    return folded(said[shared[0]]) == folded(got[shared[0]]) if shared else None


def _named(one: Mapping[str, Any]) -> dict[str, Any]:
    name = one.get("Name") or one.get("TrackingCategoryID")
    return {str(name): one.get("Option") or one.get("TrackingOptionID")}


# Showing


def _counted(things: Sequence[Any], noun: str, one: str = "", many: str = "s") -> str:
    return f"{len(things)} {noun}{one if len(things) == 1 else many}"


def _shown(path: str, value: Any) -> str:
    """A value as a log may show it: short, days as days, and personal data not at all."""
    if value in (None, "", [], {}):
        return _NOTHING
    name = path.rpartition(".")[2].partition("[")[0]
    if name in _PERSONAL:
        return "a text that is not shown"
    if isinstance(value, str) and value.startswith("/Date("):
        return dates.day(value)
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
