"""The lists inside records as streams: lines, their tracking, options, allocations.

They are read with their records and cost no further calls. Their records have the key of the parent record and its
time of change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from singer_xero.objects.accounting import OBJECTS
from singer_xero.objects.base import ANSWER_ONLY, XeroObject
from singer_xero.objects.fields import Field, calculated, whole


class Level(NamedTuple):
    """A list inside a record, or inside the elements of another list.

    `id` is the field that identifies its elements; without one, they are numbered from 1 in the field `number`. With
    both, they have an id and a number.
    """

    field: str
    id: str = ""
    number: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class NestedTable(XeroObject):
    """One list inside the records of an object.

    Attributes:
        of: the row of the object.
        levels: the path to the list: its field, or the fields of a list and of the list inside its elements.
        without: fields of the elements that are left out, such as lists that have a stream of their own.
    """

    of: XeroObject
    levels: tuple[Level, ...]
    without: frozenset[str] = frozenset()

    @property
    def can_be_incremental(self) -> bool:
        """Whether the stream of the object can be incremental."""
        return self.of.can_be_incremental and self.cursor is not None

    @property
    def calls(self) -> str:
        """What a full read costs, in calls, as text."""
        return f"none: they come with {self.of.name}"

    def placed(self, record: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """The elements of the list in a decoded record of the object, with their positions, such as ``LineItems[0]``.

        An element without an id, or with that of another one, gets its number as id, so that keys are unique.
        """
        base = {name: record.get(name) for name in (*self.of.key, *((self.cursor,) if self.cursor else ()))}
        yield from self._within(record, base, self.levels, "")

    def _within(
        self, holder: Mapping[str, Any], base: Mapping[str, Any], levels: tuple[Level, ...], before: str
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        level, *deeper = levels
        seen = set()
        for number, one in enumerate(holder.get(level.field) or (), 1):
            if not isinstance(one, dict):
                continue
            own = dict(base)
            if level.id:
                found = one.get(level.id)
                own[level.id] = str(number) if found is None or found in seen else found
                seen.add(own[level.id])
            if level.number:
                own[level.number] = number
            place = f"{before}{level.field}[{number - 1}]"
            if deeper:
                yield from self._within(one, own, tuple(deeper), f"{place}.")
            else:
                yield place, {name: value for name, value in one.items() if name not in self.without} | own


def _table(name: str, of: str, *levels: Level, without: tuple[str, ...] = ()) -> NestedTable:
    parent = OBJECTS[of]
    fields: dict[str, Field] = {one: parent.fields[one] for one in parent.key}
    key, inner = list(parent.key), parent.fields
    for level in levels:
        component = inner[level.field].component
        if component is None:
            raise TypeError(f"{name}: {level.field} holds no objects")
        inner = component.fields
        if level.number:
            fields[level.number] = calculated(whole("Position in its list, from 1"))
        if level.id:
            fields[level.id] = inner[level.id]
        key.append(level.id or level.number)
    for one, word in inner.items():
        if one not in without:
            fields.setdefault(one, word)
    cursor = parent.cursor if parent.can_be_incremental else None
    if cursor and cursor not in fields:
        fields[cursor] = calculated(parent.fields[cursor]("Value of the parent record"))
    return NestedTable(
        name=name,
        api=parent.api,
        path=parent.path,
        envelope=parent.envelope,
        of=parent,
        levels=levels,
        without=frozenset(without) | ANSWER_ONLY | parent.api.dates.twins(inner).keys(),
        key=tuple(key),
        fields=MappingProxyType(fields),
        cursor=cursor,
        incremental=parent.incremental,
        selected=parent.selected,
        scopes=parent.scopes,
    )


_LINES = Level("LineItems", "LineItemID", "LineNumber")
_JOURNAL_LINES = Level("JournalLines", "JournalLineID", "LineNumber")
_MANUAL_LINES = Level("JournalLines", number="LineNumber")
_TRACKING = Level("Tracking", "TrackingCategoryID")
_JOURNAL_TRACKING = Level("TrackingCategories", "TrackingCategoryID")
# A line's tracking has the line's id in its key, not its number.
_LINE, _JOURNAL_LINE = _LINES._replace(number=""), _JOURNAL_LINES._replace(number="")
_OPTIONS = ("Options",)  # of the whole category, and mostly empty: see tracking_options
_JOURNALS = ("journals", "cash_journals")
_WITH_LINES = (
    "bank_transactions", "credit_notes", "invoices", "overpayments", "prepayments", "purchase_orders",
    "quotes", "receipts", "repeating_invoices",
)  # fmt: skip

_ROWS = (
    *(_table(f"{of[:-1]}_line_items", of, _LINES, without=("Tracking",)) for of in _WITH_LINES),
    *(_table(f"{of[:-1]}_line_item_tracking", of, _LINE, _TRACKING) for of in _WITH_LINES),
    *(_table(f"{of[:-1]}_lines", of, _JOURNAL_LINES, without=("TrackingCategories",)) for of in _JOURNALS),
    *(
        _table(f"{of[:-1]}_line_tracking", of, _JOURNAL_LINE, _JOURNAL_TRACKING, without=_OPTIONS)
        for of in _JOURNALS
    ),
    _table("manual_journal_lines", "manual_journals", _MANUAL_LINES, without=("Tracking",)),
    _table("manual_journal_line_tracking", "manual_journals", _MANUAL_LINES, _TRACKING, without=_OPTIONS),
    *(
        _table(f"{of[:-1]}_allocations", of, Level("Allocations", "AllocationID"))
        for of in ("credit_notes", "overpayments", "prepayments")
    ),
    _table("batch_payment_payments", "batch_payments", Level("Payments", "PaymentID")),
    _table(
        "budget_balances", "budgets", Level("BudgetLines", "AccountID"), Level("BudgetBalances", "Period")
    ),
    _table("contact_addresses", "contacts", Level("Addresses", number="Number")),
    _table("contact_group_members", "contact_groups", Level("Contacts", "ContactID")),
    _table("contact_persons", "contacts", Level("ContactPersons", number="Number")),
    _table("contact_phones", "contacts", Level("Phones", number="Number")),
    _table("expense_claim_payments", "expense_claims", Level("Payments", "PaymentID")),
    _table("expense_claim_receipts", "expense_claims", Level("Receipts", "ReceiptID")),
    _table("tax_rate_components", "tax_rates", Level("TaxComponents", number="Number")),
    _table("tracking_options", "tracking_categories", Level("Options", "TrackingOptionID")),
)

#: All of them by stream name, A to Z. They are streams with `nested_tables: true`.
NESTED_TABLES: Mapping[str, NestedTable] = MappingProxyType(
    {row.name: row for row in sorted(_ROWS, key=lambda row: row.name)}
)
