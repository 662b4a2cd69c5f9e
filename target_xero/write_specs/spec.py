"""The columns of a row that says how one kind of record is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from types import MappingProxyType
from typing import Any

from singer_xero.objects import Field, XeroObject
from target_xero.content.payload import Content

#: The number of records that Xero advises to send in one request.
MANY = 50
#: Below the 3.5 MB limit of Xero's guide to efficient calls.
MOST_BYTES = 3_400_000
DELETED_AT = "_sdc_deleted_at"


class OnExisting(Enum):
    """What to do when Xero has a record of that name or number which the log of writes does not know."""

    KEEP = "use it unchanged"
    MERGE = "update it"
    REFUSE = "use it if it has the same content, otherwise reject the record: a create overwrites nothing"


class Search(Enum):
    """How Xero finds records by name or number."""

    WHOLE = "the list comes in one response"
    WHERE = "where=Name==…"
    NUMBERS = "InvoiceNumbers=…, many at once"
    NUMBER = "QuoteNumber=…, one at a time"
    ADDRESS = "PurchaseOrders/<number>, one at a time"


@dataclass(frozen=True)
class Endpoint:
    """A request: `path` with {of} for the parent of a part and {id} for the record itself.

    `body` is `list` (in the envelope), `one` (the bare record) or empty. `size` is the number of records in a request:
    several only where Xero answers for each (`answers`: it accepts `summarizeErrors=false`) or where repeating the
    request is harmless. Elsewhere one bad record is refused together with the ids of the good ones (xero-ruby#247).
    """

    method: str
    path: str
    body: str = "list"
    size: int = 1
    answers: bool = True


@dataclass(frozen=True)
class Part:
    """Nested records that Xero accepts on a path of their own.

    `field` holds them, `stream` names the row that writes each of them, and `link` is the field of each that names the
    parent.
    """

    field: str
    stream: str
    link: str


_TOTALS = ("SubTotal", "TotalTax", "Total", "TotalAmount")
_NONE: Mapping[str, Any] = MappingProxyType({})


def _never(_: Any) -> bool:
    return False


def _no_rule(_: Any) -> None:
    return None


@dataclass(frozen=True, eq=False, kw_only=True)
class WriteSpec:
    """How one kind of record is written.

    Attributes:
        name: the stream.
        path: the path of the list; that of a part begins with {of}.
        envelope: the key that holds the records in requests and answers.
        key: the field with Xero's id.
        fields: the fields that a record may have, by Xero's names.
        create, update, remove: the requests; None where Xero has none. Without `remove`, a record ends by an update of
            its status.
        required: the fields that a create needs; `A|B` means one of them.
        either: fields of which at most one may be given.
        prepare, check: what else is done to, and must hold of, the content of a record; `check` raises `InvalidRecord`.
        is_unusual: whether a record that the fast path has read needs `prepare` or `check`.
        document: whether it is a transaction. Its end frees what other records need (a payment frees its invoice, an
            order its number), so documents end before anything is created; settings end last, when nothing uses them.
        transitions: the statuses that may follow a status; "" is a record that does not exist yet. Empty if the record
            has no status.
        status_aliases: statuses that only Xero sets, and the status to send in their place.
        status_required: whether a create must state the status; elsewhere Xero has a default.
        status_sent_alone: whether Xero accepts a status only without other fields.
        repeated_on_update: fields that every update must repeat, because Xero blanks them otherwise.
        create_only: fields that are only sent with a create; later changes of them are ignored.
        never_sent: fields that are never sent, because they would send mail or mark a record as sent.
        missing_in_answers: fields that answers to writes omit although Xero stores them.
        inspected: calculated fields that are read from the source and never sent.
        natural_keys: fields that name a record, in Xero's order; `own_natural_keys` or the registry's.
        unique_when: (field, value): the number is Xero's own, and unique, only if the field has that value.
        reference_types: (field, meaning of each value): which type of document a record names by its number, as
            (reference, type).
        inactive_statuses: statuses of records that a look-up by name or number ignores.
        on_existing: what to do with a record of that name that the log of writes does not know.
        search: how such a record is found.
        has_ids_param: whether the list takes many ids at once (`IDs=…`).
        has_date_filter: whether its pages can be filtered by `Date`.
        lookup_before_create: whether to look before a create: where the list is one call, or where Xero does not refuse
            the duplicate.
        content_match: fields that identify a record without a name after its answer was lost.
        missing_in_lists: fields of lines that lists omit.
        many_to_one: whether several records of the source may stand for one in Xero.
        referred_by_code: whether Xero resolves references to it by its code.
        created_when_named: whether Xero creates it if a document names one that it does not have.
        shared_by_rows: what the rows of one document have in common if it has no number and its stream no key.
        line_aliases: further column names of a line's fields, such as those of Xero's import template.
        fills_in_tax: whether Xero fills in the tax type of a line from its account.
        sets_off_invoices: whether its records are allocated to invoices.
        parts: nested records that are written by a row of their own.
        member_reference: the reference that the whole record is, such as the contact of a group member.
        parent_paths: of a part: the fields that may name the parent, and the path of each.
        parent_by_name: of a part: (field, stream): the field that may name the parent by its name.
        siblings_path: of a part: the path that lists the parts of one parent.
        part_keys: of a part: the fields that distinguish it from its siblings in the source; `A|B` is the first given.
        written_by_other_stream: (field, pattern, reason): records that another stream writes.
        copy_params: parameters for records that come from another organisation.
        skip_if_archived: why a record that is archived in the source is not created; empty if it is created and
            archived at the end.
        why_no_update: why there is no update; part of a reject's reason.
        id_alias: of a key that other organisations use too, such as a tax type: the prefix under which the log of
            writes keeps it.
        is_own_id: whether a key of that kind belongs to one organisation alone.
        code_alias: the prefix under which the log of writes keeps a `Code` that Xero has changed.
        identified_by: a field of the source that identifies the record in Xero before any name.
        status_field: the field with the status.
        stream_aliases, stream_endings: other names of the stream, and the endings of such names, as letters and digits.
    """

    name: str
    path: str = ""
    envelope: str = ""
    key: str = ""
    xero: XeroObject | None = None
    own_fields: Mapping[str, Field] = field(default_factory=lambda: _NONE)
    create: Endpoint | None = None
    update: Endpoint | None = None
    remove: Endpoint | None = None
    required: tuple[str, ...] = ()
    either: tuple[str, ...] = ()
    prepare: Callable[[Content], None] = _no_rule
    check: Callable[[Mapping[str, Any]], None] = _no_rule
    is_unusual: Callable[[Any], bool] = _never
    document: bool = False
    transitions: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NONE)
    status_aliases: Mapping[str, str] = field(default_factory=lambda: _NONE)
    status_required: bool = False
    status_sent_alone: bool = False
    status_field: str = "Status"
    repeated_on_update: tuple[str, ...] = ()
    create_only: frozenset[str] = frozenset()
    never_sent: frozenset[str] = frozenset()
    missing_in_answers: frozenset[str] = frozenset()
    inspected: frozenset[str] = frozenset()
    own_natural_keys: tuple[str, ...] = ()
    unique_when: tuple[str, str] | None = None
    reference_types: tuple[str, Mapping[str, tuple[str, str]]] = ("", _NONE)
    inactive_statuses: frozenset[str] = frozenset({"DELETED", "VOIDED"})
    on_existing: OnExisting = OnExisting.MERGE
    search: Search | None = None
    has_ids_param: bool = False
    has_date_filter: bool = True
    lookup_before_create: bool = False
    content_match: tuple[str, ...] = ()
    missing_in_lists: frozenset[str] = frozenset()
    many_to_one: bool = False
    referred_by_code: bool = False
    created_when_named: bool = False
    shared_by_rows: tuple[str, ...] = ()
    line_aliases: Mapping[str, str] = field(default_factory=lambda: _NONE)
    fills_in_tax: bool = True
    sets_off_invoices: bool = False
    parts: tuple[Part, ...] = ()
    member_reference: str = ""
    parent_paths: Mapping[str, str] = field(default_factory=lambda: _NONE)
    parent_by_name: tuple[str, str] | None = None
    siblings_path: str = ""
    part_keys: tuple[str, ...] = ()
    written_by_other_stream: tuple[tuple[str, str, str], ...] = ()
    copy_params: Mapping[str, str] = field(default_factory=lambda: _NONE)
    skip_if_archived: str = ""
    why_no_update: str = ""
    id_alias: str = ""
    is_own_id: Callable[[str], bool] = _never
    code_alias: str = ""
    identified_by: str = ""
    stream_aliases: tuple[str, ...] = ()
    stream_endings: tuple[str, ...] = ()

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        """The registry's fields and those that only a write has."""
        return {**(self.xero.fields if self.xero else {}), **self.own_fields}

    @cached_property
    def natural_keys(self) -> tuple[str, ...]:
        """The fields that name a record, in Xero's order."""
        return self.own_natural_keys or (self.xero.natural_keys if self.xero else ())

    @cached_property
    def inspected_fields(self) -> frozenset[str]:
        """The calculated fields that are never sent: `inspected`, and the totals that Xero's are compared with."""
        totals = {name for name in _TOTALS if name in self.fields and self.fields[name].read_only}
        return self.inspected | totals

    @cached_property
    def known_statuses(self) -> frozenset[str]:
        """Every status that a record may come with."""
        found = set(self.xero.statuses if self.xero else ()) | set(self.status_aliases)
        return frozenset(found.union(*self.transitions.values()))

    @cached_property
    def end_statuses(self) -> tuple[str, ...]:
        """The statuses that end a record, which the setting `deletes` has to allow."""
        reached = {status for after in self.transitions.values() for status in after}
        return tuple(status for status in ("DELETED", "VOIDED", "ARCHIVED") if status in reached)

    @property
    def unit_price_params(self) -> Mapping[str, str]:
        """unitdp=4 where Xero accepts it."""
        return self.xero.params if self.xero and "unitdp" in self.xero.params else _NONE

    @cached_property
    def key_is_content(self) -> bool:
        """Whether the key is part of what is sent, as a currency's code is, rather than set by Xero."""
        return any(self.key in names.split("|") for names in self.required)

    def natural_key(self, content: Mapping[str, object]) -> list[tuple[str, str]]:
        """Return the (field, value) pairs by which Xero distinguishes this record from others, in Xero's order."""
        names = self.natural_keys
        if not names or (self.unique_when and content.get(self.unique_when[0]) != self.unique_when[1]):
            return []
        return [(name, str(value)) for name in names if (value := content.get(name))]

    def is_active(self, record: Mapping[str, object]) -> bool:
        """Tell whether a record of Xero's is in force, so that a name or number can refer to it."""
        return record.get(self.status_field) not in self.inactive_statuses

    @property
    def has_own_rules(self) -> bool:
        """Whether the fast path has to ask `is_unusual`."""
        return self.is_unusual is not _never

    def status_of(self, record: Mapping[str, Any]) -> str:
        """Return the status of a record of Xero's, by the name under which it can be sent."""
        status = str(record.get(self.status_field) or "")
        return self.status_aliases.get(status, status)

    def is_ended_by(self, status: str, *, gone: bool) -> bool:
        """Tell whether a record with this status, or one that the source has deleted, is to be ended."""
        return gone or status in self.end_statuses

    def transitions_to(self, now: str, wanted: str) -> tuple[str, ...] | None:
        """Return the statuses to go through from `now` to `wanted`, which is the last; None if Xero has no way."""
        ways: list[tuple[str, ...]] = [()]
        seen = {now}
        for way in ways:
            here = way[-1] if way else now
            if here == wanted:
                return way
            for status in self.transitions.get(here, ()):
                if status not in seen:
                    seen.add(status)
                    ways.append((*way, status))
        return None
