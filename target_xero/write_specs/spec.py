"""The columns of a row that says how one kind of record is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any

from singer_xero.objects import Field, Paging, XeroObject
from target_xero.content.payload import Content

#: The number of records that Xero recommends for one request.
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
    """A request. `path` is appended to the path of the list; it may contain {id}, Xero's id of the record.

    `body` is `list` (in the envelope), `one` (the bare record) or empty. `size` is the number of records in a request.
    It is greater than 1 only where Xero reports on each record (`answers`: the endpoint accepts
    `summarizeErrors=false`) or where the request can be repeated without harm. Elsewhere Xero refuses the whole request
    because of one bad record, but saves the good ones without returning their ids (xero-ruby#247).
    """

    method: str
    path: str = ""
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
        path: the path of the list; that of a part begins with {of}, the path of its parent.
        envelope: the key that holds the records in requests and answers.
        key: the field with Xero's id.
        xero: the row of the registry; None for a part.
        own_fields: the fields that only a write has, or those of a part.
        create, update, remove: the requests; None where Xero has none. Without `remove`, a record ends by an update of
            its status.
        required: the fields that a create needs; `A|B` means one of them.
        either: fields of which at most one may be given.
        prepare, check: further changes to the content of a record, and further rules for it; `check` raises
            `InvalidRecord`.
        is_unusual: whether a record that the fast path has read needs `prepare` or `check`.
        document: whether it is a transaction. The end of a document releases what other records need (a payment its
            invoice, an order its number), so documents end before anything is created. Settings end last, when nothing
            uses them.
        transitions: the statuses that may follow a status; "" is a record that does not exist yet. Empty if the record
            has no status.
        status_aliases: statuses that only Xero sets, and the status to send in their place.
        status_required: whether a create must state the status; elsewhere Xero has a default.
        status_sent_alone: whether Xero accepts a status only without other fields.
        status_field: the field with the status.
        repeated_on_update: fields that every update must repeat, because Xero blanks them otherwise.
        create_only: fields that are only sent with a create; later changes of them are ignored.
        never_sent: fields that are never sent, because they would send mail or mark a record as sent.
        omitted: fields, also of lines, that Xero stores but omits from lists and from answers to writes.
        inspected: calculated fields that are read from the source and never sent.
        own_natural_keys: the fields that name a part.
        unique_when: (field, value): the number is Xero's own, and unique, only if the field has that value.
        type_field, reference_types: a field, and by its values the type of the document that a record names by its
            number, as (reference, type).
        inactive_statuses: statuses of records that a look-up by name or number ignores.
        on_existing: what to do with a record of that name that the log of writes does not know.
        own_search: how such a record is found, where the list does not come in one response.
        accepts_duplicates: whether Xero accepts a create whose name is in use.
        has_ids_param: whether the list takes many ids at once (`IDs=…`).
        content_match: fields that identify a record without a name after its answer was lost.
        many_to_one: whether several records of the source may be the same record in Xero.
        created_when_named: whether Xero creates it if a document names one that it does not have.
        shared_by_rows: what the rows of one document have in common if it has no number and its stream no key.
        line_aliases: further column names of a line's fields, such as those of Xero's import template.
        fills_in_tax: whether Xero fills in the tax type of a line from its account.
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
        code_alias: of an object that others name by its `Code`: the prefix under which the log of writes keeps a code
            that Xero has changed.
        identified_by: a field of the source that identifies the record in Xero before any name.
        stream_aliases, stream_endings: other names of the stream, and the endings of such names, as letters and digits.
    """

    name: str
    path: str
    envelope: str
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
    omitted: frozenset[str] = frozenset()
    inspected: frozenset[str] = frozenset()
    own_natural_keys: tuple[str, ...] = ()
    unique_when: tuple[str, str] | None = None
    type_field: str = ""
    reference_types: Mapping[str, tuple[str, str]] = field(default_factory=lambda: _NONE)
    inactive_statuses: frozenset[str] = frozenset({"DELETED", "VOIDED"})
    on_existing: OnExisting = OnExisting.MERGE
    own_search: Search | None = None
    accepts_duplicates: bool = False
    has_ids_param: bool = False
    content_match: tuple[str, ...] = ()
    many_to_one: bool = False
    created_when_named: bool = False
    shared_by_rows: tuple[str, ...] = ()
    line_aliases: Mapping[str, str] = field(default_factory=lambda: _NONE)
    fills_in_tax: bool = True
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
        """The fields that a record may have, by Xero's names: the registry's and `own_fields`."""
        return {**(self.xero.fields if self.xero else {}), **self.own_fields}

    @cached_property
    def natural_keys(self) -> tuple[str, ...]:
        """The fields that name a record, in the order in which Xero matches them."""
        return self.own_natural_keys or (self.xero.natural_keys if self.xero else ())

    @cached_property
    def search(self) -> Search | None:
        """How Xero finds a record by its natural keys; None if it has none, or is a part."""
        is_whole = self.xero is not None and self.xero.paging is Paging.WHOLE and self.natural_keys
        return Search.WHOLE if is_whole else self.own_search

    @cached_property
    def lookup_before_create(self) -> bool:
        """Whether to look a name up before a create: where that is one call, or where Xero accepts duplicates."""
        return self.accepts_duplicates or self.search is Search.WHOLE

    @cached_property
    def kept_in_flight(self) -> tuple[str, ...]:
        """The fields of the source that are needed once a record is written: its names, and its code."""
        return tuple(dict.fromkeys((*self.natural_keys, *(self.unique_when or ())[:1], "Code")))

    @cached_property
    def inspected_fields(self) -> frozenset[str]:
        """The calculated fields that are never sent: `inspected`, and the totals that Xero's are compared with."""
        totals = {name for name in _TOTALS if name in self.fields and self.fields[name].read_only}
        return self.inspected | totals

    @cached_property
    def inspected_ids(self) -> tuple[str, ...]:
        """The `inspected_fields` that are ids."""
        return tuple(sorted(name for name in self.inspected_fields if name.endswith("ID")))

    @cached_property
    def known_statuses(self) -> frozenset[str]:
        """Every status that a record may come with."""
        found = set(self.xero.statuses if self.xero else ()) | set(self.status_aliases)
        return frozenset(found.union(*self.transitions.values()))

    @cached_property
    def end_statuses(self) -> tuple[str, ...]:
        """The statuses that end a record; the setting `deletes` must allow them."""
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

    def has_natural_key(self, content: Mapping[str, object]) -> bool:
        """Tell whether names or numbers of a record are Xero's own, and distinguish it from others."""
        if not self.natural_keys:
            return False
        return self.unique_when is None or content.get(self.unique_when[0]) == self.unique_when[1]

    def natural_key(self, content: Mapping[str, object]) -> list[tuple[str, str]]:
        """Return the (field, value) pairs by which Xero distinguishes this record from others, in Xero's order."""
        if self.unique_when and content.get(self.unique_when[0]) != self.unique_when[1]:
            return []
        return [(name, str(value)) for name in self.natural_keys if (value := content.get(name))]

    def is_active(self, record: Mapping[str, object]) -> bool:
        """Tell whether a record of Xero's is active, so that a name or number can refer to it."""
        return self.status_of(record) not in self.inactive_statuses

    @property
    def has_own_rules(self) -> bool:
        """Whether the fast path must call `is_unusual`."""
        return self.is_unusual is not _never

    def status_of(self, record: Mapping[str, Any]) -> str:
        """Return the status of a record of Xero's, by the name under which it can be sent."""
        status = str(record.get(self.status_field) or "")
        return self.status_aliases.get(status, status)

    def transitions_to(self, now: str, wanted: str) -> tuple[str, ...] | None:
        """Return the statuses that lead from `now` to `wanted`, which is the last; None if no transitions do."""
        return _route(self, now, wanted)


@cache
def _route(spec: WriteSpec, now: str, wanted: str) -> tuple[str, ...] | None:
    routes: list[tuple[str, ...]] = [()]
    seen = {now}
    for route in routes:
        here = route[-1] if route else now
        if here == wanted:
            return route
        following = [status for status in spec.transitions.get(here, ()) if status not in seen]
        seen.update(following)
        routes += [(*route, status) for status in following]
    return None
