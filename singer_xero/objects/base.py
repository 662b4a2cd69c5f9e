"""The columns of a row of the registry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any

from singer_xero.objects.apis import DEFAULT_API, Api
from singer_xero.objects.fields import Field
from singer_xero.objects.scopes import Scopes

#: Fields with the outcome of a write. Xero sends them with reads as well, empty or false, on records and on what is
#: nested in them. No schema has them.
ANSWER_ONLY = frozenset(
    {"HasErrors", "HasValidationErrors", "StatusAttributeString", "ValidationErrors", "Warnings"}
)

_NOTHING: Mapping[str, str] = MappingProxyType({})


class Paging(Enum):
    """The ways in which Xero returns a list."""

    WHOLE = "one answer has everything; page parameters are ignored"
    PAGES = "page=1, 2, … of a size that the caller chooses, with a `pagination` block beside the records"
    SHORT_PAGES = "page=1, 2, … of 100; no pageSize and no `pagination` block"
    OFFSET = "offset=<last number seen>, 100 at a time; page parameters are ignored"


_ROWS_PER_CALL = {Paging.SHORT_PAGES: 100, Paging.OFFSET: 100}


@dataclass(frozen=True, eq=False, kw_only=True)
class XeroObject:
    """One kind of record of Xero's, and how its list is read.

    Attributes:
        name: the name of the stream: Xero's name in snake_case.
        path: the path of the list below the base of its API, by default the name in PascalCase; a single record is at
            ``path/<key>``.
        envelope: the key of an answer that holds the records, by default the path; empty where an answer is the list,
            or the one record, itself.
        key: the fields that identify a record within its organisation, by default the first field.
        fields: the record's fields by Xero's names, in the order of the schema.
        scopes: the scopes that open the list.
        api: the API that it belongs to.
        paging: how Xero returns the list.
        cursor: the field with the time of the last change, if there is one; the number of journals, which never change.
        modified_since: whether the list supports the header ``If-Modified-Since``.
        incremental: whether the stream is incremental, if it can be, unless the catalog says otherwise.
        ordered: whether pages can be requested in the order of ``cursor``.
        params: query parameters to send with every read.
        walks: query parameters of the lists to read if Xero has no list of everything.
        archived: whether the list has archived records only with ``includeArchived=true``.
        detail: a field that only the single record has, which costs one call for each record.
        months_a_call: the most months of a record that Xero returns in one call, if that is limited (budgets).
        natural_keys: fields that name a record for users, in the order in which Xero matches a write by them.
        statuses: the known values of the field with the status.
        same_as: fields that are left out because another field has the same value, ``{left out: kept}``.
        selected: whether the stream is read unless the catalog says otherwise.
        costly: whether it costs so many calls, mostly one for each record, that it is read only if the setting
            ``detail_streams`` names it, whatever the catalog selects.
        regions: the country codes of the organisations that have it, by default those of its API; None for all.
        removal: how Xero lists a removed record.
    """

    name: str
    fields: Mapping[str, Field]
    scopes: Scopes
    path: str = ""
    key: tuple[str, ...] = ("",)
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
    regions: frozenset[str] | None = None
    removal: str = "no longer listed"

    def __post_init__(self) -> None:
        path = self.path or "".join(word.capitalize() for word in self.name.split("_"))
        object.__setattr__(self, "path", path)
        object.__setattr__(self, "regions", self.api.regions if self.regions is None else self.regions)
        object.__setattr__(self, "envelope", self.envelope.format(path=path))
        object.__setattr__(self, "key", tuple(name or next(iter(self.fields)) for name in self.key))
        object.__setattr__(self, "incremental", self.incremental and self.can_be_incremental)

    @property
    def order(self) -> str | None:
        """The parameter ``order`` that sorts pages by ``cursor``; None where they have no order to ask for."""
        by_page = self.paging in {Paging.PAGES, Paging.SHORT_PAGES}
        return f"{self.cursor} ASC" if self.modified_since and by_page and self.ordered else None

    @property
    def rows_per_call(self) -> int | None:
        """The most rows that one call returns; None if it returns the whole list."""
        return self.api.largest_page if self.paging is Paging.PAGES else _ROWS_PER_CALL.get(self.paging)

    @property
    def can_be_incremental(self) -> bool:
        """Whether Xero can be asked for changes, so that the catalog may choose incremental replication."""
        return self.cursor is not None and (self.modified_since or self.paging is Paging.OFFSET)

    @property
    def read_only(self) -> frozenset[str]:
        """The top-level fields that Xero calculates. The key is not among them, since writes name records by it."""
        return frozenset(name for name, word in self.fields.items() if word.read_only)

    @property
    def duplicate_fields(self) -> Mapping[str, str]:
        """Fields that repeat another one, ``{duplicate: original}``. No schema and no record has them.

        Some APIs write many dates twice, ``Date`` beside ``DateString``, and give some records their id twice.
        """
        return MappingProxyType({**self.api.dates.twins(self.fields), **self.same_as})

    @property
    def dropped(self) -> frozenset[str]:
        """The top-level fields that no record has: duplicates and the outcome of a write."""
        return ANSWER_ONLY | self.duplicate_fields.keys()

    @property
    def status_field(self) -> str | None:
        """The field with one of ``statuses``, if the record has one."""
        return next(
            (name for name in ("Status", "ContactStatus", "assetStatus") if name in self.fields), None
        )

    @property
    def calls(self) -> str:
        """What a full read costs, in calls, as text."""
        rows = self.rows_per_call
        listing = f"1 per {rows:,} rows" if rows else "1"
        if self.walks:
            listing += f", at least {2 * len(self.walks)}"
        return f"{listing} + 1 per {self.name[:-1].replace('_', ' ')}" if self.detail else listing

    def schema(self, *, with_tenant: bool = False) -> dict[str, Any]:
        """The JSON schema of a record, as a new dictionary.

        `with_tenant` puts ``tenant_id`` in front, the id of the organisation. The tap's keys begin with it, since keys
        such as ``TaxType`` repeat across organisations.
        """
        tenant = {"type": "string", "maxLength": 36, "description": "Organisation the record belongs to"}
        properties: dict[str, Any] = {"tenant_id": tenant} if with_tenant else {}
        for name, word in self.fields.items():
            properties[name] = word.schema(nullable=name not in self.key)
        return {"type": "object", "properties": properties}

    def scope_missing(self, granted: Iterable[str], *, write: bool = False) -> str | None:
        """The scope to ask for if none of the `granted` ones lets the object be read, or with `write` written."""
        return self.scopes.missing(granted, write=write)
