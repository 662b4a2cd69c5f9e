"""Looks up what Xero has, in as few calls as possible, and remembers it for the run.

A look-up returns what Xero answered or raises; only an answer proves that something does not exist.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from itertools import chain, count
from typing import Any

from singer_xero.api import dates
from singer_xero.api.client import XeroClient
from singer_xero.api.errors import NotFound, ScopeMissing
from singer_xero.objects import OBJECTS, Paging, XeroObject
from singer_xero.objects.apis import DEFAULT_API
from singer_xero.organisations import Organisation
from target_xero.content.compare import folded
from target_xero.write_specs.spec import Search, WriteSpec

Record = dict[str, Any]

#: Longer lists of ids or names exceed the length of an address (xero-openapi#534).
_IDS_PER_CALL = 40
_NAMES_PER_CALL = {Search.NUMBERS: 40, Search.WHERE: 20, Search.NUMBER: 1, Search.ADDRESS: 1}
#: After so many look-ups by name the whole list is read once, with 1,000 records in a call.
_MOST_NAME_CALLS = 5
#: The characters with which a value can't be searched for: quotes end a `where`, commas a list, slashes an address.
_SPECIAL = {search: '"\\' if search is Search.WHERE else '"\\,/?#' for search in Search}


class Lookups:
    """The look-ups of one organisation.

    `before_call` is called before each call. `clock` returns seconds since 1970; it runs between two answers of Xero's.
    """

    def __init__(
        self,
        client: XeroClient,
        organisation: Organisation,
        before_call: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._header = organisation.header
        self._before_call = before_call
        self._clock = clock
        self._ahead: timedelta | None = None
        self._whole: dict[str, list[Record]] = {}
        self._found: dict[tuple[str, str], dict[str, list[Record]]] = defaultdict(dict)
        self._name_calls: Counter[str] = Counter()
        self._records: dict[tuple[str, str], Record | None] = {}
        self._forbidden: set[str] = set()

    # Time

    def now(self) -> str:
        """Return the current time by Xero's clock, which its time stamps use. Makes a call if no answer came yet."""
        if self._ahead is None:
            self._get("Organisation")
        moment = self._local() + (self._ahead or timedelta())
        return dates.instant(moment.isoformat())

    def heard(self, envelope: Mapping[str, Any]) -> None:
        """Take the time from an answer's envelope."""
        stamp = envelope.get("DateTimeUTC")
        if isinstance(stamp, str):
            with suppress(ValueError):
                self._ahead = dates.moment(stamp) - self._local()

    def _local(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), timezone.utc)

    # Reading

    def _get(
        self, path: str, params: Mapping[str, Any] | None = None, since: str | None = None
    ) -> dict[str, Any]:
        self._before_call()
        answer = self._client.get(self._header, path, params=params, modified_since=since)
        found: dict[str, Any] = answer.json()
        self.heard(found)
        return found

    def _pages(
        self, xero: XeroObject, params: Mapping[str, Any], since: str | None = None
    ) -> Iterator[Record]:
        """All records of a list. A record that changes meanwhile may come twice, which is harmless here."""
        size = xero.rows_per_call or 0
        sized = {xero.api.size_param: size} if xero.paging is Paging.PAGES else {}
        is_paged = xero.paging in {Paging.PAGES, Paging.SHORT_PAGES}
        for page in count(1):
            asked = {**params, "page": page, **sized} if is_paged else params
            envelope = self._get(xero.path, asked, since)
            records = envelope.get(xero.envelope) or []
            yield from records
            pages = (envelope.get("pagination") or {}).get("pageCount")
            is_last = page >= pages if isinstance(pages, int) else len(records) < size
            if is_last or xero.paging is Paging.WHOLE or not records:
                return

    def whole(self, name: str) -> list[Record]:
        """Return a whole list of the registry, with archived records behind active ones; it is read once."""
        if name not in self._whole:
            xero = OBJECTS[name]
            params = {**xero.params, **({"includeArchived": "true"} if xero.archived else {})}
            records = list(self._pages(xero, params))
            # Active records first, so that they are found before archived ones of the same name.
            self._whole[name] = sorted(records, key=lambda r: r.get("Status") in {"ARCHIVED", "DELETED"})
        return self._whole[name]

    def permitted(self, name: str) -> list[Record] | None:
        """Return the same list; None if the token may not read it."""
        if name not in self._forbidden:
            try:
                return self.whole(name)
            except ScopeMissing:
                self._forbidden.add(name)
        return None

    def one(self, path: str, envelope: str, params: Mapping[str, str] | None = None) -> Record | None:
        """Return a single record by its address; None if Xero does not have it."""
        found: Any = self._answered(path, params).get(envelope)
        if isinstance(found, list):
            found = found[0] if found else None
        return found if isinstance(found, dict) else None

    def listed(self, path: str, envelope: str) -> list[Record]:
        """Return the sub-resources of a record; none if Xero does not have the record."""
        return list(self._answered(path).get(envelope) or [])

    def _answered(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        try:
            return self._get(path, params)
        except NotFound:
            return {}

    def recent(self, spec: WriteSpec, since: str) -> list[Record]:
        """Return what was created or changed since a moment by Xero's clock; all records where Xero can't filter."""
        assert spec.xero is not None  # noqa: S101
        early = _just_before(since) if spec.xero.modified_since else None
        return list(self._pages(spec.xero, spec.xero.params, early))

    def dated(self, spec: WriteSpec, days: list[str] | None) -> Iterator[Record]:
        """Return the documents of some days (2026-12-31), or all documents, including voided and deleted ones."""
        assert spec.xero is not None  # noqa: S101
        params = dict(spec.xero.params)
        if days:
            dates_of = (map(int, day.split("-")) for day in days)
            params["where"] = " OR ".join(f"Date==DateTime({', '.join(map(str, one))})" for one in dates_of)
        return self._pages(spec.xero, params)

    # By id

    def by_id(self, spec: WriteSpec, xero_id: str | None) -> Record | None:
        """Return the record with this id; None if Xero does not have it."""
        return self.by_ids(spec, [xero_id]).get(xero_id) if xero_id else None

    def by_ids(self, spec: WriteSpec, ids: Iterable[str]) -> dict[str, Record]:
        """Return the records with these ids, without those that Xero does not have."""
        wanted = list(dict.fromkeys(ids))
        asked = [one for one in wanted if (spec.name, one) not in self._records]
        records: Iterable[Record | None]
        if spec.search is Search.WHOLE:
            records = self.whole(spec.name)
        elif spec.has_ids_param:
            records = chain.from_iterable(self._with_ids(spec, part) for part in _parts(asked, _IDS_PER_CALL))
        else:
            paths = (f"{spec.path}/{one}" for one in asked)
            records = (self.one(path, spec.envelope, spec.unit_price_params) for path in paths)
        found = {(spec.name, str(record.get(spec.key))): record for record in records if record}
        self._records |= {**dict.fromkeys((spec.name, one) for one in asked), **found}
        return {one: record for one in wanted if (record := self._records[spec.name, one]) is not None}

    def _with_ids(self, spec: WriteSpec, ids: list[str]) -> Iterable[Record]:
        api = spec.xero.api if spec.xero else DEFAULT_API
        params = {"IDs": ids, "page": 1, api.size_param: api.largest_page, "includeArchived": "true"}
        return self._get(spec.path, {**spec.unit_price_params, **params}).get(spec.envelope) or []

    def forget(self, spec: WriteSpec, xero_id: str | None) -> None:
        """Forget a record that was written."""
        self._records.pop((spec.name, xero_id or ""), None)

    # By name

    def find(self, spec: WriteSpec, field: str, value: str, *, over: bool = False) -> list[Record]:
        """Return the records whose field has that value in any case; `over` includes those that lists omit."""
        self.look_up(spec, field, [value])
        found = self._found[(spec.name, field)].get(folded(value), [])
        xero, is_searchable = spec.xero, _is_searchable(value, Search.WHERE)
        if not over or found or xero is None or not xero.archived or spec.search is not Search.WHERE:
            return found
        where = {"where": f'{field}=="{value.strip()}"', "includeArchived": "true"}
        return list(self._pages(xero, {**xero.params, **where})) if is_searchable else []

    def look_up_names(
        self, spec: WriteSpec, contents: Iterable[Mapping[str, Any]], *, afresh: bool = False
    ) -> None:
        """Look up the names of many records in few calls."""
        names = [pair for content in contents for pair in spec.natural_key(content)] if spec.search else []
        for field in spec.natural_keys:
            self.look_up(spec, field, [value for name, value in names if name == field], afresh=afresh)

    def look_up(self, spec: WriteSpec, field: str, values: Iterable[str], *, afresh: bool = False) -> None:
        """Look up many values in few calls; `afresh` also those that were looked up before."""
        known = self._found[(spec.name, field)]
        wanted = {
            folded(value): value.strip()
            for value in values
            if value.strip() and (afresh or folded(value) not in known)
        }
        if not wanted:
            return
        if afresh:
            self._whole.pop(spec.name, None)
        is_whole = spec.search is Search.WHOLE
        records = self.whole(spec.name) if is_whole else self._named(spec, field, list(wanted.values()))
        found: dict[str, list[Record]] = {name: [] for name in wanted}
        for record in records:
            name = folded(str(record.get(field) or ""))
            if name in found:
                found[name].append(record)
        known.update(found)

    def _named(self, spec: WriteSpec, field: str, values: list[str]) -> Iterable[Record]:
        assert spec.xero is not None and spec.search is not None  # noqa: S101
        parts = _parts(values, _NAMES_PER_CALL[spec.search])
        is_searchable = all(_is_searchable(value, spec.search) for value in values)
        if is_searchable and self._name_calls[spec.name] + len(parts) <= _MOST_NAME_CALLS:
            self._name_calls[spec.name] += len(parts)
            return (record for part in parts for record in self._searched(spec, spec.xero, field, part))
        if spec.name not in self._whole:
            self._whole[spec.name] = list(self._pages(spec.xero, spec.xero.params))
        return self._whole[spec.name]

    def _searched(self, spec: WriteSpec, xero: XeroObject, field: str, values: list[str]) -> Iterable[Record]:
        """The records with these values; one value only where Xero can't search for more."""
        if spec.search is Search.ADDRESS:
            record = self.one(f"{spec.path}/{values[0]}", spec.envelope)
            return [record] if record else []
        search: dict[str, Any] = {field: values[0]}
        if spec.search is Search.NUMBERS:
            search = {f"{field}s": values}
        elif spec.search is Search.WHERE:
            search = {"where": " OR ".join(f'{field}=="{value}"' for value in values)}
        return self._pages(xero, {**xero.params, **search})

    def wrote(
        self,
        spec: WriteSpec,
        xero_id: str | None,
        names: Iterable[tuple[str, str]],
        record_of: Callable[[], Record],
    ) -> None:
        """Take in a record that was just written, so that earlier look-ups stay correct.

        `record_of` returns the record, and is only called if a look-up has to change.
        """
        self.forget(spec, xero_id)
        for owner in OBJECTS.values() if spec.parent_paths else ():
            if owner.path in spec.parent_paths.values():
                self._whole.pop(owner.name, None)
        for field, value in names:
            known = self._found[(spec.name, field)]
            if known and folded(value) in known:
                others = [one for one in known[folded(value)] if one.get(spec.key) != xero_id]
                known[folded(value)] = [record_of(), *others]
        listed = self._whole.get(spec.name)
        if listed is not None:
            kept = [one for one in listed if one.get(spec.key) != xero_id]
            record = record_of()
            self._whole[spec.name] = [*kept, record] if len(kept) == len(listed) else [record, *kept]


def may_be_changed_since(record: Record, since: str) -> bool:
    """Tell whether Xero may have written a record since a moment by its clock."""
    stamp = record.get("UpdatedDateUTC")
    return not stamp or dates.instant(str(stamp)) >= _just_before(since)


def _just_before(moment: str) -> str:
    """A moment with a margin, because the clocks of Xero's servers may differ."""
    return dates.instant((dates.moment(moment) - timedelta(minutes=2)).isoformat())


def _is_searchable(value: str, search: Search) -> bool:
    return not any(sign in value for sign in _SPECIAL[search])


def _parts(values: Sequence[str], size: int) -> list[list[str]]:
    return [list(values[i : i + size]) for i in range(0, len(values), size)]
