"""Looks up what Xero has, in as few calls as possible, and remembers it for the run.

A look-up returns an answer or raises; only an answer states that something does not exist.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from singer_xero.api import dates
from singer_xero.api.client import XeroClient
from singer_xero.api.errors import NotFound, ScopeMissing
from singer_xero.objects import OBJECTS, ORGANISATION, Paging, XeroObject
from singer_xero.organisations import Organisation
from target_xero.content.compare import folded
from target_xero.write_specs.spec import Search, WriteSpec

Record = dict[str, Any]

#: Longer lists of ids or names break on the length of the address (xero-openapi#534).
_AT_ONCE = 40
_NAMES_AT_ONCE = 20
#: After so many look-ups by name the whole list is read once: it has 1,000 in a call.
_SINGLE_LOOKS = 5


class Lookups:
    """The look-ups of one organisation. `clock` gives seconds since 1970, to tell Xero's time between two answers."""

    def __init__(
        self, client: XeroClient, organisation: Organisation, clock: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._header = organisation.header
        self._clock = clock
        self._ahead: timedelta | None = None
        self._whole: dict[str, list[Record]] = {}
        self._found: dict[tuple[str, str], dict[str, list[Record]]] = defaultdict(dict)
        self._looks: dict[str, int] = defaultdict(int)
        self._records: dict[tuple[str, str], Record | None] = {}
        self._forbidden: set[str] = set()

    # Time

    def now(self) -> str:
        """Return the current time by Xero's clock, which its time stamps use; asks for it if no answer has stated it
        yet.
        """
        if self._ahead is None:
            self._get(ORGANISATION.path)
        moment = self._local() + (self._ahead or timedelta())
        return dates.instant(moment.isoformat())

    def heard(self, envelope: Mapping[str, Any]) -> None:
        """Take the time from an answer's envelope."""
        stamp = envelope.get("DateTimeUTC")
        if isinstance(stamp, str):
            try:
                self._ahead = dates.moment(stamp) - self._local()
            except ValueError:
                return

    def _local(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), timezone.utc)

    # Reading

    def _get(
        self, path: str, params: Mapping[str, Any] | None = None, since: str | None = None
    ) -> dict[str, Any]:
        answer = self._client.get(self._header, path, params=params, modified_since=since)
        found: dict[str, Any] = answer.json()
        self.heard(found)
        return found

    def _pages(
        self, xero: XeroObject, params: Mapping[str, Any], since: str | None = None
    ) -> Iterator[Record]:
        """All records of a list. A record that changes meanwhile may come twice, which is harmless here."""
        page = 0
        size = 1000 if xero.paging is Paging.PAGES else 100
        while True:
            page += 1
            asked = dict(params)
            if xero.paging is Paging.PAGES:
                asked |= {"page": page, "pageSize": size}
            elif xero.paging is Paging.SHORT_PAGES:
                asked |= {"page": page}
            envelope = self._get(xero.path, asked, since)
            records = envelope.get(xero.envelope) or []
            yield from records
            if xero.paging is Paging.WHOLE or not records:
                return
            pages = (envelope.get("pagination") or {}).get("pageCount")
            if page >= pages if isinstance(pages, int) else len(records) < size:
                return

    def whole(self, name: str) -> list[Record]:
        """A list of the registry in full, archived records too; read once."""
        if name not in self._whole:
            xero = OBJECTS[name]
            params = {**xero.params, **({"includeArchived": "true"} if xero.archived else {})}
            # Living records first, so that they are found before archived ones of the same name.
            records = list(self._pages(xero, params))
            self._whole[name] = sorted(records, key=lambda r: r.get("Status") in {"ARCHIVED", "DELETED"})
        return self._whole[name]

    def permitted(self, name: str) -> list[Record] | None:
        """The same list; None if the token may not read it."""
        if name in self._forbidden:
            return None
        try:
            return self.whole(name)
        except ScopeMissing:
            self._forbidden.add(name)
            return None

    def one(self, path: str, envelope: str, params: Mapping[str, str] | None = None) -> Record | None:
        """A single record by its address; None if Xero says that there is none."""
        try:
            answer = self._get(path, params)
        except NotFound:
            return None
        found: Any = answer.get(envelope)
        if isinstance(found, list):
            found = found[0] if found else None
        return found if isinstance(found, dict) else None

    def listed(self, path: str, envelope: str) -> list[Record]:
        """Return the sub-resources of a record; none if the record itself is gone."""
        try:
            return list(self._get(path).get(envelope) or [])
        except NotFound:
            return []

    def recent(self, spec: WriteSpec, since: str) -> list[Record]:
        """Return what was created or changed since a moment by Xero's clock; all records where Xero can't filter."""
        assert spec.xero is not None  # noqa: S101
        early = _just_before(since) if spec.xero.modified_since else None
        return list(self._pages(spec.xero, spec.xero.params, early))

    def dated(self, spec: WriteSpec, days: list[str] | None) -> Iterator[Record]:
        """The documents of some days (2026-12-31), or all there are; those that are voided or deleted too."""
        assert spec.xero is not None  # noqa: S101
        params = dict(spec.xero.params)
        if days:
            told = (day.split("-") for day in days)
            params["where"] = " OR ".join(
                f"Date==DateTime({int(year)}, {int(month)}, {int(day)})" for year, month, day in told
            )
        return self._pages(spec.xero, params)

    # By id

    def by_ids(self, spec: WriteSpec, ids: Iterable[str]) -> dict[str, Record]:
        """The records with these ids; those that Xero doesn't have are left out."""
        wanted = list(dict.fromkeys(ids))
        asked = [one for one in wanted if (spec.name, one) not in self._records]
        if spec.search is Search.WHOLE:
            for record in self.whole(spec.name):
                self._records[(spec.name, str(record.get(spec.key)))] = record
        elif spec.has_ids_param:
            for part in _parts(asked, _AT_ONCE):
                params = {
                    **spec.unit_price_params,
                    "IDs": part,
                    "page": 1,
                    "pageSize": 1000,
                    "includeArchived": "true",
                }
                for record in self._get(spec.path, params).get(spec.envelope) or []:
                    self._records[(spec.name, str(record[spec.key]))] = record
        else:
            for one in asked:
                self._records[(spec.name, one)] = self.one(
                    f"{spec.path}/{one}", spec.envelope, spec.unit_price_params
                )
        for one in asked:
            self._records.setdefault((spec.name, one), None)
        found = ((one, self._records[(spec.name, one)]) for one in wanted)
        return {one: record for one, record in found if record is not None}

    def forget(self, spec: WriteSpec, xero_id: str | None) -> None:
        """Forget what was read of a record, because it was written."""
        self._records.pop((spec.name, xero_id or ""), None)

    # By name

    def find(self, spec: WriteSpec, field: str, value: str, *, over: bool = False) -> list[Record]:
        """Return the records whose field has that value in any case; `over` includes those that lists omit."""
        self.look_up(spec, field, [value])
        found = self._found[(spec.name, field)].get(folded(value), [])
        if over and not found and spec.xero and spec.xero.archived and spec.search is Search.WHERE:
            where = f'{field}=="{value.strip()}"'
            if '"' not in value and "\\" not in value:
                params = {**spec.xero.params, "where": where, "includeArchived": "true"}
                return list(self._pages(spec.xero, params))
        return found

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
        if spec.search is Search.WHOLE:
            records: Iterable[Record] = self.whole(spec.name)
        else:
            records = self._named(spec, field, list(wanted.values()))
        found: dict[str, list[Record]] = {name: [] for name in wanted}
        for record in records:
            name = folded(str(record.get(field) or ""))
            if name in found:
                found[name].append(record)
        known.update(found)

    def _named(self, spec: WriteSpec, field: str, values: list[str]) -> Iterator[Record]:
        assert spec.xero is not None  # noqa: S101
        odd = [v for v in values if not _plain(v, spec.search)]
        single = spec.search in {Search.NUMBER, Search.ADDRESS}
        parts = _parts(values, 1 if single else _NAMES_AT_ONCE if spec.search is Search.WHERE else _AT_ONCE)
        if odd or self._looks[spec.name] + len(parts) > _SINGLE_LOOKS:
            if spec.name not in self._whole:
                self._whole[spec.name] = list(self._pages(spec.xero, spec.xero.params))
            yield from self._whole[spec.name]
            return
        self._looks[spec.name] += len(parts)
        for part in parts:
            if spec.search is Search.ADDRESS:
                record = self.one(f"{spec.path}/{part[0]}", spec.envelope)
                yield from [record] if record else []
            elif spec.search is Search.NUMBER:
                yield from self._pages(spec.xero, {**spec.xero.params, field: part[0]})
            elif spec.search is Search.NUMBERS:
                yield from self._pages(spec.xero, {**spec.xero.params, f"{field}s": part})
            else:
                where = " OR ".join(f'{field}=="{value}"' for value in part)
                yield from self._pages(spec.xero, {**spec.xero.params, "where": where})

    def wrote(self, spec: WriteSpec, record: Record, names: Iterable[tuple[str, str]]) -> None:
        """Take in a record that was just written, so that earlier look-ups stay correct."""
        self.forget(spec, record.get(spec.key))
        for owner in OBJECTS.values() if spec.parent_paths else ():
            if owner.path in spec.parent_paths.values():
                self._whole.pop(owner.name, None)
        for field, value in names:
            known = self._found[(spec.name, field)]
            if folded(value) in known:
                others = [one for one in known[folded(value)] if one.get(spec.key) != record.get(spec.key)]
                known[folded(value)] = [record, *others]
        if spec.name in self._whole:
            kept = [one for one in self._whole[spec.name] if one.get(spec.key) != record.get(spec.key)]
            self._whole[spec.name] = (
                [*kept, record] if len(kept) == len(self._whole[spec.name]) else [record, *kept]
            )


def may_be_changed_since(record: Record, since: str) -> bool:
    """Tell whether Xero may have written a record since a moment by its clock."""
    stamp = record.get("UpdatedDateUTC")
    return not stamp or dates.instant(str(stamp)) >= _just_before(since)


def _just_before(moment: str) -> str:
    """A moment with a margin, because the clocks of Xero's servers may differ."""
    return dates.instant((dates.moment(moment) - timedelta(minutes=2)).isoformat())


def _plain(value: str, search: Search | None) -> bool:
    """Whether a value can be searched for: quotes end a `where`, commas a list, slashes an address."""
    return not any(sign in value for sign in ('"', "\\", ",", "/", "?", "#")) or (
        search is Search.WHERE and not any(sign in value for sign in ('"', "\\"))
    )


def _parts(values: Sequence[str], size: int) -> list[list[str]]:
    return [list(values[i : i + size]) for i in range(0, len(values), size)]
