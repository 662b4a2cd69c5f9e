"""The columns of a row of the registry, each explained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any

from singer_xero.objects.apis import DEFAULT_API, Api
from singer_xero.objects.fields import Field
from singer_xero.objects.scopes import Scopes

#: Fields that tell how a write went and are no part of a record. They come with reads too, empty or false, on
#: the record and on what is nested in it. No schema has them.
ANSWER_ONLY = frozenset(
    {"HasErrors", "HasValidationErrors", "StatusAttributeString", "ValidationErrors", "Warnings"}
)

_NOTHING: Mapping[str, str] = MappingProxyType({})


class Paging(Enum):
    """The ways Xero hands out a list."""

    WHOLE = "one answer holds everything; page parameters are ignored"
    PAGES = "page=1, 2, … of a size that the caller chooses, with a `pagination` block beside the records"
    SHORT_PAGES = "page=1, 2, … of 100; no pageSize and no `pagination` block"
    OFFSET = "offset=<last number seen>, 100 at a time; page parameters are ignored"


_ROWS_PER_CALL = {Paging.SHORT_PAGES: 100, Paging.OFFSET: 100}


@dataclass(frozen=True, eq=False, kw_only=True)
class XeroObject:
    """One kind of record that Xero keeps, and how its list is read.

    Attributes:
        name: name of the stream: Xero's name in snake_case.
        api: the API that it belongs to.
        path: path of the list below the base path of its API; a single record is at ``path/<key>``.
        envelope: the key of an answer that holds the records, by default the path; empty where an answer is the list,
            or the one record, itself.
        key: the fields that identify a record within its organisation.
        fields: the record's fields by Xero's names, in the order they are shown.
        scopes: the scopes that open the list.
        paging: how the list is handed out.
        cursor: the field that tells a change, None where nothing does. For journals, which never change, it
            is their number.
        modified_since: whether the list honours the ``If-Modified-Since`` header.
        incremental: whether the stream is incremental, if it can be, unless the catalog says otherwise.
        ordered: whether pages can be requested in the order of ``cursor``.
        params: query parameters to send with every read.
        walks: query parameters of the lists that make up the whole one, where Xero gives no list of everything.
        archived: whether the list shows archived records only on ``includeArchived=true``.
        detail: the field that only the single record has, so that reading it costs one call per record.
        months_a_call: how many months of a record one call for it shows, where that is limited (budgets).
        natural_keys: fields that name a record for its users, in the order Xero matches a write by them.
        statuses: the known values of ``Status`` (for contacts ``ContactStatus``); others must be survived.
        same_as: fields left out because another field holds the same, ``{left out: kept}``.
        selected: whether the stream is read unless the catalog says otherwise; False where that costs many calls.
        costly: whether it costs so many calls, mostly one for each record, that the setting ``detail_streams`` has to
            open it, whatever the catalog selects.
        removal: how a record that has been removed in Xero shows.
        note: what a user should know before reading it.
    """

    name: str
    path: str
    key: tuple[str, ...]
    fields: Mapping[str, Field]
    scopes: Scopes
    envelope: str = "{path}"
    api: Api = DEFAULT_API
    paging: Paging = Paging.WHOLE
    cursor: str | None = None
    modified_since: bool = False
    incremental: bool = True
    ordered: bool = True
    params: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    walks: tuple[Mapping[str, str], ...] = ()
    archived: bool = False
    detail: str | None = None
    months_a_call: int | None = None
    natural_keys: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    same_as: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    selected: bool = True
    costly: bool = False
    removal: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "envelope", self.envelope.format(path=self.path))
        object.__setattr__(self, "incremental", self.incremental and self.can_be_incremental)

    @property
    def order(self) -> str | None:
        """The parameter ``order`` that sorts pages by ``cursor``; None where they have no order to ask for."""
        by_page = self.paging in {Paging.PAGES, Paging.SHORT_PAGES}
        return f"{self.cursor} ASC" if self.modified_since and by_page and self.ordered else None

    @property
    def can_be_incremental(self) -> bool:
        """Whether Xero can be asked for what is new, so that the catalog may choose to be incremental."""
        return self.cursor is not None and (self.modified_since or self.paging is Paging.OFFSET)

    @property
    def read_only(self) -> frozenset[str]:
        """The top-level fields that Xero works out itself; never the key, for writes name records by it.

        Nested ones are marked alike: ``row.fields["LineItems"].component.fields["LineAmount"].read_only``.
        """
        return frozenset(name for name, word in self.fields.items() if word.read_only)

    @property
    def duplicate_fields(self) -> Mapping[str, str]:
        """Fields that repeat another one, ``{duplicate: original}``; in no schema and in no record.

        Some APIs write many dates twice, ``Date`` beside ``DateString``, and give some records their id twice.
        """
        return MappingProxyType({**self.api.dates.twins(self.fields), **self.same_as})

    @property
    def dropped(self) -> frozenset[str]:
        """Every top-level field that a record must not carry: the duplicates and the comments on the answer."""
        return ANSWER_ONLY | self.duplicate_fields.keys()

    @property
    def status_field(self) -> str | None:
        """The field that holds one of ``statuses``, if the record has one."""
        return next(
            (name for name in ("Status", "ContactStatus", "assetStatus") if name in self.fields), None
        )

    @property
    def calls(self) -> str:
        """What a full read costs, in calls, for people."""
        rows = self.api.largest_page if self.paging is Paging.PAGES else _ROWS_PER_CALL.get(self.paging)
        listing = f"1 per {rows:,} rows" if rows else "1"
        if self.walks:
            listing += f", at least {2 * len(self.walks)}"
        return f"{listing} + 1 per {self.name[:-1].replace('_', ' ')}" if self.detail else listing

    def schema(self, *, with_tenant: bool = False) -> dict[str, Any]:
        """The JSON schema of a record, a fresh dictionary each time.

        Args:
            with_tenant: put ``tenant_id``, the organisation a record belongs to, in front. Keys repeat across
                organisations (``TaxType``, currency ``Code``), so the tap's key begins with it.
        """
        properties: dict[str, Any] = {}
        if with_tenant:
            properties["tenant_id"] = {
                "type": "string",
                "maxLength": 36,
                "description": "Organisation the record belongs to",
            }
        for name, word in self.fields.items():
            properties[name] = word.schema(nullable=name not in self.key)
        return {"type": "object", "properties": properties}

    def scope_missing(self, granted: Iterable[str], *, write: bool = False) -> str | None:
        """The scope to ask for when none of the granted ones opens this object; None when one does.

        Args:
            granted: the scopes of an access token.
            write: ask whether the object may be written, for which no ``.read`` scope is enough.
        """
        return self.scopes.missing(granted, write=write)
