"""Parses Singer records into content for Xero: names, types and dates by Xero's rules.

Names may have any case and underscores, numbers and dates may be text, and nested values may be JSON text. Nulls,
empty lists and the metadata of taps are dropped. Every other value is converted to the kind that the registry names; a
value that can't be is a problem that states the field and the rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any

from singer_xero.objects import ANSWER_ONLY, OBJECTS, Field
from target_xero.content import day_formats
from target_xero.content.amounts import agrees
from target_xero.content.day_formats import DayOrder
from target_xero.content.spelling import folded, is_blank
from target_xero.content.tracking_names import BESIDE, COLUMN, tracking_entries, tracking_name
from target_xero.content.values import (
    CONVERTERS,
    InvalidRecord,
    code_of,
    day_of,
    id_or_key,
    json_object,
    listed,
)

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
    **{name: (*OBJECTS[of].key, *OBJECTS[of].natural_keys) for name, of in REFERENCED_OBJECTS.items()},
    "Contact": (*OBJECTS["contacts"].key, *OBJECTS["contacts"].natural_keys, "EmailAddress"),
    **dict.fromkeys(TRACKING, ("TrackingCategoryID", "TrackingOptionID", "Name", "Option")),
}
#: Xero's names of a category and its option in a contact.
_OF_CONTACTS: Mapping[str, str] = {
    **dict.fromkeys(("Name", COLUMN), "TrackingCategoryName"),
    "Option": "TrackingOptionName",
}
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


@dataclass
class Content:
    """The content of a record: `sent` may be sent to Xero, `aside` is only read (ids, calculated fields and parts)."""

    sent: dict[str, Any]
    aside: dict[str, Any] = field(default_factory=dict)
    problems: list[InvalidRecord] = field(default_factory=list)


#: The name of a field, what converts its values, and the type of values that need no conversion.
_Slot = tuple[str, Callable[[Any], Any], "type[Any] | None"]
_UNCONVERTED: Mapping[str, type[Any]] = {"text": str, "instant": str, "flag": bool}


def _joined(entries: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Join the lists that `entries` returns; None if they are empty."""
    return lambda value: [one for found in entries(value) or () for one in found] or None


class RecordParser:
    """Parses records, or the parts nested in them.

    `fields` are the registry's. Calculated fields are dropped unless `aside` names them; so are duplicate fields and
    those in `never`. `only` restricts the names, and the names in `beside` are ignored. `needs` are groups of fields;
    a part needs one field of each. `own_keys` are the fields in which the source may give its own key of a record
    instead of Xero's id: "" is the record, the other names are parts. `order` returns whether day or month comes first,
    and is only called where that matters. `where` is the path of a part within the record of `parent`. `unknown` has
    all other names, for one warning each.
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
        parent: RecordParser | None = None,
    ) -> None:
        self.where = where
        #: The different names in the records so far, including nested ones.
        self.met: list[str] = parent.met if parent else []
        self.unknown: set[str] = parent.unknown if parent else set()
        self.aside = aside
        self.needs = needs
        self._order = order
        self._day = partial(day_of, order=order)
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
            slot: _Slot | None = None
            is_open = not word.read_only or name in self.aside
            if is_open and name not in never and (not only or name in only):
                self.wanted[name] = word
                converter = id_or_key if name == self._own_keys.get("") else self._converter(name, word)
                slot = (name, converter, _UNCONVERTED.get(word.kind))
            self._slots[folded(name)] = slot
        if "ItemCode" in fields:
            # Lists of quotes have the item instead of its ItemCode.
            self._slots["item"] = ("ItemCode", code_of, None)
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
                nested = (f"{name}.{slot[0]}", *slot[1:])
                if name in REFERENCES:
                    self._slots.setdefault(folded(name) + inner.removeprefix(folded(own)), nested)
                self._slots.setdefault(folded(name) + inner, nested)

    def _converter(self, name: str, word: Field) -> Callable[[Any], Any]:
        if word.kind == "day":
            return self._day
        if word.component is None:
            return listed(CONVERTERS[word.item.kind]) if word.item else CONVERTERS[word.kind]
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
            parent=self,
        )
        self.inner[name] = parser
        if name in TRACKING or fields.keys() >= set(_OF_CONTACTS.values()):
            return _joined(listed(parser.tracked))
        return listed(parser.nested) if many else parser.nested

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
        first = {name: raw for raw, name in reversed(given.items())}
        return {name: raw for name, raw in first.items() if name != raw and name in self.wanted}

    @property
    def left_out(self) -> list[str]:
        """The names seen so far that are dropped, as they were spelled."""
        return [raw for raw, slot in self._known.items() if slot is None]

    def take(self, record: Mapping[str, Any], ignored: frozenset[str] = frozenset()) -> Content:
        """Parse a record; names in `ignored`, and names that begin with an underscore, cause no warning."""
        taken, _, problems = self._sort(record, ignored)
        content = Content({}, problems=problems)
        for name, value in taken.items():
            (content.aside if name in self.aside else content.sent)[name] = value
        return content

    def nested(self, value: Any) -> dict[str, Any] | None:
        """Parse a nested object; None if it is empty. Raises `InvalidRecord` if nothing of its content is kept."""
        value = json_object(value, "an object")
        if value is None:
            return None
        taken, left, problems = self._sort(value)
        if problems:
            raise problems[0].within(".")
        if self.is_priced_line:
            _drop_amount(taken)
        if taken:
            return taken
        lost = [raw for raw in left if raw[:1] != "_" and raw not in ANSWER_ONLY]
        lost = [raw for raw in lost if value[raw] is not False and not is_blank(value[raw])]
        if lost:
            raise InvalidRecord(f"none of its fields is known or can be written: {', '.join(lost[:5])}")
        return None

    def tracked(self, value: Any) -> list[dict[str, Any]]:
        """Parse the categories and options in one entry of a list of tracking."""
        value = json_object(value, "a tracking category and its option")
        if value is None:
            return []
        own = _OF_CONTACTS if "TrackingCategoryName" in self.wanted else {}
        try:
            entries = tracking_entries(value)
        except ValueError as error:
            raise InvalidRecord(str(error)) from None
        self._given_as |= {raw: own.get(name := tracking_name(raw), name) for raw in value}
        found = []
        for entry in entries:
            column = {COLUMN: entry.pop(COLUMN)} if COLUMN in entry and not own else {}
            part = self.nested({own.get(name, name): one for name, one in entry.items()})
            if part:
                found.append({**part, **column})
        return found

    def _sort(
        self, record: Mapping[str, Any], ignored: frozenset[str] = frozenset()
    ) -> tuple[dict[str, Any], list[str], list[InvalidRecord]]:
        """Return the values by Xero's names, the names of dropped fields, and the problems."""
        taken: dict[str, Any] = {}
        left: list[str] = []
        flat: list[tuple[list[str], Any]] = []
        problems: list[InvalidRecord] = []
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
            if value.__class__ is str and value.isspace():
                continue
            found = value
            if value.__class__ is not right:
                try:
                    found = convert(value)
                except InvalidRecord as invalid:
                    problems.append(invalid.within(name))
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
        return taken, left, problems

    def _slot(self, raw: str, ignored: frozenset[str]) -> _Slot | None:
        """Find the slot of a name once; the next record uses `_known`."""
        slot = None
        if raw[:1] != "_":
            name = folded(raw)
            slot = self._slots.get(name)
            if name not in self._slots and raw not in ignored:
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
