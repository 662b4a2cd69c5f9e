"""Parses Singer records into content for Xero: names, types and dates by Xero's rules.

Names may have any case and underscores, numbers and dates may be text, and nested values may be JSON text. Nulls,
empty lists and the metadata of taps are dropped. Every other value is converted to the kind that the registry names; a
value that can't be is a problem that states the field and the rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from hashlib import blake2b
from types import MappingProxyType
from typing import Any

import msgspec

from singer_xero.api import dates
from singer_xero.objects import ANSWER_ONLY, OBJECTS, Field
from target_xero.content import day_formats
from target_xero.content.amounts import agrees
from target_xero.content.day_formats import DayOrder
from target_xero.content.spelling import folded, is_blank
from target_xero.content.tracking_names import BESIDE, COLUMN, tracking_entries, tracking_name

_FIELDS_OF: Mapping[str, tuple[str, ...]] = {
    "contacts": ("ContactID", "ContactNumber", "Name", "EmailAddress"),
    "accounts": ("AccountID", "Code", "Name"),
    "invoices": ("InvoiceID", "InvoiceNumber"),
    "credit_notes": ("CreditNoteID", "CreditNoteNumber"),
    "prepayments": ("PrepaymentID",),
    "overpayments": ("OverpaymentID",),
}
#: The fields that refer to another record, and its object.
REFERENCED_OBJECTS: Mapping[str, str] = {
    "Contact": "contacts",
    **dict.fromkeys(("BankAccount", "FromBankAccount", "ToBankAccount", "Account"), "accounts"),
    "Invoice": "invoices",
    "CreditNote": "credit_notes",
    "Prepayment": "prepayments",
    "Overpayment": "overpayments",
}
TRACKING = ("Tracking", "FromTracking", "ToTracking")
#: The fields that identify another record, the id first. No other field of that record is sent, because Xero would
#: change it.
REFERENCES: Mapping[str, tuple[str, ...]] = {
    **{name: _FIELDS_OF[of] for name, of in REFERENCED_OBJECTS.items()},
    **dict.fromkeys(TRACKING, ("TrackingCategoryID", "TrackingOptionID", "Name", "Option")),
}
#: Xero's names of a category and its option in a contact.
_OF_CONTACTS: Mapping[str, str] = {"Name": "TrackingCategoryName", "Option": "TrackingOptionName"}
#: A category without its option, or an option without its category, is not tracking.
_TRACKING_NEEDS = (("Name", "TrackingCategoryID"), ("Option", "TrackingOptionID"))
#: The field of a reference that distinguishes documents with the same number; it is never sent.
KINDS: Mapping[str, str] = {"Invoice": "Type", "CreditNote": "Type"}

#: The fields of other nested parts that Xero accepts; their other fields are ids that Xero gives.
_ACCEPTED: Mapping[str, tuple[str, ...]] = {
    "Payments": (
        "Invoice", "CreditNote", "Amount", "BankAccountNumber", "Particulars", "Code", "Details", "Reference"
    ),
}  # fmt: skip
_OWN_IDS = frozenset({"RepeatingInvoiceID"})

#: Replaces the digits of an id by x and characters that ids do not have by ?, so that ids match a pattern.
HEXADECIMAL = bytes(
    120 if chr(byte) in "0123456789abcdef" else byte if byte == 45 else 63 for byte in range(256)
)
ID_LIKE = b"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
NOBODY = "00000000-0000-0000-0000-000000000000"
_guid = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
_day = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII).fullmatch
_decoder = msgspec.json.Decoder(float_hook=Decimal)

#: Encodes as JSON, with sorted names.
encode_sorted = msgspec.json.Encoder(decimal_format="number", order="deterministic").encode
encode = msgspec.json.Encoder(decimal_format="number").encode


def decode(content: bytes | str | msgspec.Raw) -> Any:
    """Read JSON with exact numbers; a number out of range is returned as the text of its digits.

    Raises msgspec.DecodeError, also for JSON that is nested too deeply, and UnicodeDecodeError.
    """
    try:
        return decode_exactly(content)
    except ArithmeticError:
        return _tolerant.decode(content)


def decode_exactly(content: bytes | str | msgspec.Raw) -> Any:
    """Do the same as `decode`, but raise ArithmeticError for a number out of range."""
    try:
        return _decoder.decode(content)
    except RecursionError:
        raise msgspec.DecodeError("the JSON is nested too deeply") from None


def _digits(text: str) -> Decimal | str:
    try:
        return Decimal(text)
    except ArithmeticError:
        return text


_tolerant = msgspec.json.Decoder(float_hook=_digits)


class InvalidRecord(Exception):
    """A value breaks a rule. `field` is its path within the record, such as `LineItems[2].Quantity`."""

    def __init__(self, rule: str, field: str = "") -> None:
        super().__init__(f"{field}: {rule}" if field else rule)
        self.rule = rule
        self.field = field


@dataclass
class Content:
    """The content of a record: `sent` may be sent to Xero, `aside` is only read (ids, calculated fields and parts)."""

    sent: dict[str, Any]
    aside: dict[str, Any] = field(default_factory=dict)
    problems: list[InvalidRecord] = field(default_factory=list)


def hashed(content: Any) -> str:
    """Return a fingerprint of JSON-like content; the order of names does not matter."""
    return fingerprint(encode_sorted(content))


def fingerprint(content: bytes) -> str:
    """Return the fingerprint of JSON with sorted names."""
    return blake2b(content, digest_size=16).hexdigest()


#: The name of a field, what converts its values, and the type of values that need no conversion.
_Slot = tuple[str, Callable[[Any], Any], "type[Any] | None"]
_UNCONVERTED: Mapping[str, type[Any]] = {"text": str, "instant": str, "flag": bool}


class RecordParser:
    """Parses records, or the parts nested in them.

    `fields` are the registry's. Calculated fields are dropped unless `aside` names them; so are duplicate fields and
    those in `never`. `only` restricts the names, and the names in `beside` are ignored. `needs` are groups of fields;
    a part needs one field of each. `own_keys` are the fields in which the source may give its own key of a record
    instead of Xero's id: "" is the record, the other names are parts. `order` returns whether day or month comes first,
    and is only called where that matters. `unknown` collects all other names, for one warning each.
    """

    def __init__(
        self,
        fields: Mapping[str, Field],
        *,
        aside: frozenset[str] = frozenset(),
        never: frozenset[str] = frozenset(),
        only: tuple[str, ...] = (),
        beside: Iterable[str] = (),
        needs: tuple[tuple[str, ...], ...] = (),
        order: Callable[[], DayOrder] = day_formats.no_order,
        own_keys: Mapping[str, str] = MappingProxyType({}),
        where: str = "",
        unknown: set[str] | None = None,
        met: list[str] | None = None,
    ) -> None:
        self.where = where
        #: The different names in the records so far, including nested ones.
        self.met: list[str] = [] if met is None else met
        self.unknown: set[str] = set() if unknown is None else unknown
        self.aside = aside
        self.needs = needs
        self._order = order
        self._own_keys = own_keys
        #: The fields that are kept, and the parsers of those with nested fields.
        self.wanted: dict[str, Field] = {}
        self.inner: dict[str, RecordParser] = {}
        self._slots: dict[str, _Slot | None] = {}
        self._known: dict[str, _Slot | None] = {}
        #: The names of tracking in the input, and Xero's.
        self._given_as: dict[str, str] = {}
        #: Whether it is a line with a price, whose LineAmount a write may contain as well.
        self.is_priced_line = bool(where) and {"UnitAmount", "LineAmount"} <= fields.keys()
        self._take_fields(fields, never, only)
        twins = [f"{name}String" for name, word in fields.items() if word.is_date]
        for name in (*never, *ANSWER_ONLY, *twins, *beside):
            self._slots.setdefault(folded(name), None)
        self._take_flat_columns()

    def _take_fields(self, fields: Mapping[str, Field], never: frozenset[str], only: tuple[str, ...]) -> None:
        """Find a slot for each field; None for a field that is dropped."""
        for name, word in fields.items():
            if self.is_priced_line and name == "LineAmount":
                word = replace(word, read_only=False)
            unwanted = (
                name in never or (only and name not in only) or (word.read_only and name not in self.aside)
            )
            slot: _Slot | None = None
            if not unwanted:
                self.wanted[name] = word
                converter = _id_or_key if name == self._own_keys.get("") else self._converter(name, word)
                slot = (name, converter, _UNCONVERTED.get(word.kind))
            self._slots[folded(name)] = slot
        if "ItemCode" in fields:
            # Lists of quotes have the item instead of its ItemCode.
            self._slots["item"] = ("ItemCode", _code, None)
        for name, word in self.wanted.items():
            if word.kind == "day":
                # Xero's own examples of requests have `DateString` instead of `Date`.
                self._slots.setdefault(folded(f"{name}String"), (f"{name}.String", self._day, None))

    def _take_flat_columns(self) -> None:
        """Accept columns for nested fields: `sales_details__unit_price` is the `UnitPrice` of `SalesDetails`.

        The name of a reference is not repeated: `ContactID` is the `ContactID` of `Contact`.
        """
        for name, parser in self.inner.items():
            if self.wanted[name].kind != "one":
                continue
            own = "Account" if name.endswith("Account") else name
            for inner, slot in parser._slots.items():
                if slot is None:
                    continue
                nested = (f"{name}.{slot[0]}", slot[1], slot[2])
                if name in REFERENCES:
                    self._slots.setdefault(folded(name) + inner.removeprefix(folded(own)), nested)
                self._slots.setdefault(folded(name) + inner, nested)

    def _converter(self, name: str, word: Field) -> Callable[[Any], Any]:
        if word.kind == "day":
            return self._day
        if word.component is None:
            return _listed(_CONVERTERS[word.item.kind]) if word.item else _CONVERTERS[word.kind]
        fields = word.component.fields
        if name in self.aside:
            fields = {inner: replace(word, read_only=False) for inner, word in fields.items()}
        many, (only, own_key, beside) = word.kind == "many", _rules_of(name)
        parser = RecordParser(
            fields,
            only=only,
            own_keys={"": self._own_keys.get(name) or own_key},
            never=_OWN_IDS,
            beside=beside,
            needs=_TRACKING_NEEDS if name in TRACKING else (),
            order=self._order,
            where=f"{self.where}{name}{'[]' if many else ''}.",
            unknown=self.unknown,
            met=self.met,
        )
        self.inner[name] = parser
        if name in TRACKING or fields.keys() >= set(_OF_CONTACTS.values()):
            return _listed(parser.tracked, parser.tracking_entries)
        return _listed(parser.nested) if many else parser.nested

    def _day(self, value: Any) -> str | None:
        return _calendar_day(value, self._order)

    def knows(self, raw: str) -> bool:
        """Tell whether a field has this name in any spelling, whether or not it is content."""
        return folded(raw) in self._slots

    def takes(self, raw: str) -> bool:
        """Tell whether a field of this name, in any spelling, is content."""
        return raw[:1] != "_" and self._slots.get(folded(raw)) is not None

    @property
    def spellings(self) -> dict[str, str]:
        """The first spelling of each field in the input that is not Xero's name of it."""
        given = self._given_as or {raw: slot[0] for raw, slot in self._known.items() if slot}
        first: dict[str, str] = {}
        for raw, name in given.items():
            first.setdefault(name, raw)
        return {name: raw for name, raw in first.items() if name != raw and name in self.wanted}

    @property
    def left_out(self) -> list[str]:
        """The names seen so far that are dropped, as they were spelled."""
        return [raw for raw, slot in self._known.items() if slot is None]

    def take(self, record: Mapping[str, Any], ignored: frozenset[str] = frozenset()) -> Content:
        """Parse a record; names in `ignored`, and names that begin with an underscore, cause no warning."""
        content = Content({})
        taken, _ = self._sort(record, ignored, content.problems)
        for name, value in taken.items():
            (content.aside if name in self.aside else content.sent)[name] = value
        return content

    def nested(self, value: Any) -> dict[str, Any] | None:
        """Parse a nested object; None if it is empty. Raises `InvalidRecord` if nothing of its content is kept."""
        value = _from_json(value)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise InvalidRecord(f"expected an object, got {_shown(value)}")
        problems: list[InvalidRecord] = []
        taken, left = self._sort(value, frozenset(), problems)
        if problems:
            raise InvalidRecord(problems[0].rule, f".{problems[0].field}")
        if self.is_priced_line:
            _drop_amount(taken)
        if taken:
            return taken
        lost = [raw for raw in left if raw[:1] != "_" and raw not in ANSWER_ONLY]
        lost = [raw for raw in lost if value[raw] is not False and not is_blank(value[raw])]
        if lost:
            raise InvalidRecord(f"none of its fields is known or can be written: {', '.join(lost[:5])}")
        return None

    def tracking_entries(self, value: Any) -> list[Any]:
        """Return the categories and options in an entry of a list of tracking, under the names of documents."""
        value = _from_json(value)
        if value is None:
            return []
        if not isinstance(value, Mapping):
            raise InvalidRecord(f"expected a tracking category and its option, got {_shown(value)}")
        try:
            entries = tracking_entries(value)
        except ValueError as error:
            raise InvalidRecord(str(error)) from None
        own = _OF_CONTACTS if "TrackingCategoryName" in self.wanted else {}
        for raw in value:
            name = tracking_name(raw)
            self._given_as[raw] = own.get(name, name)
        return entries

    def tracked(self, entry: Mapping[str, Any]) -> dict[str, Any] | None:
        """Parse a category and its option, as `tracking_entries` returns them."""
        if "TrackingCategoryName" in self.wanted:
            own = {**_OF_CONTACTS, COLUMN: _OF_CONTACTS["Name"]}
            return self.nested({own.get(name, name): value for name, value in entry.items()})
        named = {name: value for name, value in entry.items() if name != COLUMN}
        found = self.nested(named)
        return {**found, COLUMN: entry[COLUMN]} if found and COLUMN in entry else found

    def _sort(
        self, record: Mapping[str, Any], ignored: frozenset[str], problems: list[InvalidRecord]
    ) -> tuple[dict[str, Any], list[str]]:
        """Return the values by Xero's names, and the names of dropped fields."""
        taken: dict[str, Any] = {}
        left: list[str] = []
        flat: list[tuple[list[str], Any]] = []
        for raw, value in record.items():
            if value is None or value == "":
                continue
            try:
                slot = self._known[raw]
            except KeyError:
                slot = self._slot(raw, ignored)
            if slot is None:
                left.append(raw)
                continue
            name, convert, right = slot
            if value.__class__ is right and (right is bool or (value and not value.isspace())):
                found = value
            else:
                try:
                    found = convert(value)
                except InvalidRecord as invalid:
                    problems.append(InvalidRecord(invalid.rule, name + invalid.field))
                    continue
                if found is None:
                    continue
            if "." in name:
                flat.append((name.split("."), found))
            else:
                taken[name] = found
        for path, found in flat:
            try:
                _place(taken, path, found)
            except InvalidRecord as invalid:
                problems.append(invalid)
        return taken, left

    def _slot(self, raw: str, ignored: frozenset[str]) -> _Slot | None:
        """Find the slot of a name once; the next record uses `_known`."""
        slot = None
        if raw[:1] != "_":
            name = folded(raw)
            if name in self._slots:
                slot = self._slots[name]
            elif raw not in ignored:
                self.unknown.add(self.where + raw)
        self._known[raw] = slot
        self.met.append(raw)
        return slot


def _rules_of(name: str) -> tuple[tuple[str, ...], str, Iterable[str]]:
    """Return the fields of a nested part that are kept, the one for the source's own key, and those to ignore."""
    if name in TRACKING:
        return REFERENCES[name], "", BESIDE
    if name not in REFERENCED_OBJECTS:
        return _ACCEPTED.get(name, ()), "", ()
    identifier, *others = REFERENCES[name]
    # Xero's answers show more fields of a part that only refers to another record.
    beside = OBJECTS[REFERENCED_OBJECTS[name]].fields
    return (identifier, *others, KINDS.get(name, "")), identifier if others else "", beside


def _place(content: dict[str, Any], path: list[str], value: Any) -> None:
    """Put a value at a path, unless there is one already. Raises `InvalidRecord` if `DateString` is not `Date`."""
    is_twin = path[-1] == "String"
    *parents, name = path[:-1] if is_twin else path
    for parent in parents:
        content = content.setdefault(parent, {})
    if content.setdefault(name, value) != value and is_twin:
        raise InvalidRecord(f"it is {value}, but {name} is {content[name]}", "".join(path))


def _drop_amount(line: dict[str, Any]) -> None:
    """Drop a LineAmount that Xero calculates by itself; any other is sent, so that Xero compares it."""
    names = ("LineAmount", "Quantity", "UnitAmount", "DiscountRate", "DiscountAmount")
    amount, quantity, price, *discounts = map(line.get, names)
    if amount is not None and price is not None and agrees(amount, quantity, price, *discounts):
        del line["LineAmount"]


def _from_json(value: Any) -> Any:
    """The value, parsed if it is JSON text; blank text is the same as null."""
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    try:
        return decode(value)
    except msgspec.DecodeError:
        raise InvalidRecord(f"expected an object or a list, or its JSON text, got {_shown(value)}") from None


def _listed(
    one: Callable[[Any], Any], entries_of: Callable[[Any], list[Any]] = lambda entry: [entry]
) -> Callable[[Any], list[Any] | None]:
    """Return a converter of lists; `one` converts each of `entries_of` an element."""

    def many(value: Any) -> list[Any] | None:
        if isinstance(value, str) and value.lstrip()[:1] in {"", "[", "{"}:
            value = _from_json(value)
        taken = []
        for index, entry in enumerate(value if isinstance(value, (list, tuple)) else [value]):
            try:
                found = [one(each) for each in entries_of(entry)] if entry is not None else []
            except InvalidRecord as invalid:
                raise InvalidRecord(invalid.rule, f"[{index}]{invalid.field}") from None
            taken += [each for each in found if each is not None]
        return taken or None

    return many


#: A float has 15 reliable digits and is written with up to 17.
_SURE_DIGITS = 15
_NOISE, _MOST_NOISE = Decimal("1e-12"), Decimal("1e-6")


def without_noise(exact: Decimal) -> Decimal:
    """Return a number without the rounding noise of binary arithmetic: 0.30000000000000004 is 0.3.

    Xero's prices have up to 4 decimals and its rates up to 10. A number with as many digits as only a float has, and
    very close to a number with so few decimals, is replaced by it; any other number is unchanged.
    """
    _, digits, exponent = exact.as_tuple()
    if len(digits) < _SURE_DIGITS or not isinstance(exponent, int) or exponent >= -4:
        return exact
    tolerance = min(max(abs(exact), Decimal(1)) * _NOISE, _MOST_NOISE)
    for places in (4, 10):
        rounded = round(exact, places)
        if abs(exact - rounded) <= tolerance:
            return rounded
    return exact


def number(value: Any) -> int | Decimal:
    """Return an exact number in its shortest form, so that `1.50` and `1.5` are the same content."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        raise InvalidRecord(f"expected a number, got {_shown(value)}")
    if isinstance(value, int):
        return value
    try:
        exact = value if isinstance(value, Decimal) else Decimal(str(value).strip())
    except InvalidOperation:
        raise InvalidRecord(f"expected a number such as 1234.50, got {_shown(value)}") from None
    if not exact.is_finite() or exact.adjusted() > 30:
        raise InvalidRecord(f"expected a number, got {_shown(value)}")
    if not isinstance(value, str) or len(value) >= _SURE_DIGITS:
        exact = without_noise(exact)
    if exact == exact.to_integral_value():
        return int(exact)
    return exact.normalize()


def _number(value: Any) -> int | Decimal | None:
    return None if isinstance(value, str) and not value.strip() else number(value)


def _whole(value: Any) -> int | None:
    found = _number(value)
    if found is not None and not isinstance(found, int):
        raise InvalidRecord(f"expected a whole number, got {_shown(value)}")
    return found


def _text(value: Any) -> str | None:
    """A text, or None if it is blank. Whole numbers get no decimals, because a column of floats has 200.0 for 200."""
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise InvalidRecord(f"expected text, got {_shown(value)}")
    exact = number(value)
    return str(exact) if isinstance(exact, int) else f"{without_noise(Decimal(str(value))):f}"


def _code(item: Any) -> str | None:
    code = item
    if isinstance(item, Mapping):
        code = next((value for name, value in item.items() if folded(name) == "code"), None)
    return _text(code) if code else None


_FLAGS = {"": None, "true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def _flag(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    word = str(number(value) if isinstance(value, (float, Decimal)) else value).strip().lower()
    if word not in _FLAGS:
        raise InvalidRecord(f"expected true or false, got {_shown(value)}")
    return _FLAGS[word]


def _id(value: Any) -> str | None:
    found = str(value).strip().lower()
    if found in {"", NOBODY}:
        return None
    if not _guid(found):
        raise InvalidRecord(f"expected a GUID, got {_shown(value)}")
    return found


@lru_cache(maxsize=4096)
def is_id(text: str) -> bool:
    """Tell whether a text is one of Xero's ids, in lower case."""
    return bool(_guid(text))


def _id_or_key(value: Any) -> str | None:
    """An id of Xero's, or a key of the source's own."""
    if isinstance(value, (dict, list, bool)):
        raise InvalidRecord(f"expected an id, got {_shown(value)}")
    found = str(number(value) if isinstance(value, (float, Decimal)) else value).strip()
    if found.lower() in {"", NOBODY}:
        return None
    return found.lower() if _guid(found.lower()) else found


def _calendar_day(value: Any, order: Callable[[], DayOrder]) -> str | None:
    if isinstance(value, (date, datetime)):
        return value.isoformat()[:10]
    if isinstance(value, str):
        if not value.strip():
            return None
        found = dates.day(value.strip())
        is_iso = _day(found)
        try:
            day = date.fromisoformat(found).isoformat() if is_iso else day_formats.read(value, order)
        except ValueError as error:
            raise InvalidRecord(f"{found} is not a date" if is_iso else str(error)) from None
        if day:
            return day
    raise InvalidRecord(f"expected a date such as 2026-12-31, got {_shown(value)}")


_CONVERTERS: Mapping[str, Callable[[Any], Any]] = {
    "guid": _id,
    "text": _text,
    "instant": _text,
    **dict.fromkeys(("money", "rate", "quantity", "percent", "number"), _number),
    "flag": _flag,
    "whole": _whole,
    # All nested fields that can be written have components.
    "one": _from_json,
    "many": _from_json,
}


def _shown(value: Any) -> str:
    """A value as messages show it: shortened, and without the content of objects and lists."""
    text = repr(value) if isinstance(value, (str, int, float, bool)) else str(value)
    if isinstance(value, (dict, list)):
        text = "an object" if isinstance(value, dict) else "a list"
    return text if len(text) <= 40 else f"{text[:37]}…'"
