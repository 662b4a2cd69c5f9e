"""Finds documents that Xero has and the log of writes does not, because the log is new or was lost, by their content.

Until a run has succeeded with a log, each create of a record without a number of its own is looked up first; after
that, only documents dated before the log began. A document that was changed since, in the source or in Xero, is not
found.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from singer_xero.api import dates
from singer_xero.objects import Paging
from target_xero.content.amounts import CENT, PRICE, to_cents
from target_xero.content.compare import LINE_FIELDS, LINES, folded, matches
from target_xero.lookups.lookups import Lookups, Record
from target_xero.lookups.references import References
from target_xero.write_log.log import WriteLog
from target_xero.write_specs.spec import Search, WriteSpec

#: Days in one question, and questions after which the whole list is read.
_DAYS, _QUESTIONS = 20, 5


class ContentSearch:
    """Finds the documents of one organisation by their content; `found` counts them by object."""

    def __init__(self, log: WriteLog, lookups: Lookups, references: References) -> None:
        self._log = log
        self._lookups = lookups
        self._references = references
        self._is_new = log.is_new
        self._began = log.began_at[:10]
        self._known: dict[str, dict[str, list[Record]]] = defaultdict(dict)
        self._whole: set[str] = set()
        self._indexes: dict[tuple[str, str, str], Mapping[str, list[Record]]] = {}
        self._questions: Counter[str] = Counter()
        self.found: Counter[str] = Counter()

    def is_needed(self, spec: WriteSpec, content: Mapping[str, Any]) -> bool:
        """Tell whether a record that the log does not know may have been written with another log."""
        if not spec.content_match or spec.many_to_one or (spec.search and spec.natural_key(content)):
            return False
        return self._is_new or (bool(self._began) and str(content.get("Date") or "9999") <= self._began)

    def prepare(self, spec: WriteSpec, contents: Iterable[Mapping[str, Any]]) -> None:
        """Read what is needed to find these records, in as few calls as possible."""
        wanted = [content for content in contents if self.is_needed(spec, content)]
        if not wanted or spec.siblings_path or spec.name in self._whole:
            return
        days = sorted({str(content.get("Date") or "") for content in wanted} - self._known[spec.name].keys())
        if not days:
            return
        self._questions[spec.name] += 1
        # Where a list can't be filtered by days, reading it whole takes no more calls. Orders take no `where`.
        has_pages = spec.xero is not None and spec.xero.paging is Paging.PAGES
        by_day = has_pages and spec.search is not Search.ADDRESS
        is_whole = not by_day or "" in days or self._questions[spec.name] > _QUESTIONS or len(days) > _DAYS
        self._read(spec, None if is_whole else days)

    def _read(self, spec: WriteSpec, days: list[str] | None) -> None:
        known = self._known[spec.name]
        if days is None:
            self._indexes.clear()
            known.clear()
            self._whole.add(spec.name)
        known.update({day: [] for day in days or ()})
        fields = (spec.key, spec.status_field, *spec.content_match)
        for record in filter(spec.is_active, self._lookups.dated(spec, days)):
            day = dates.day(str(record["Date"])) if record.get("Date") else ""
            known.setdefault(day, []).append({name: record[name] for name in fields if name in record})

    def find(
        self, spec: WriteSpec, content: Mapping[str, Any], siblings: Iterable[Record] | None, times: int
    ) -> Record | None:
        """Return the active document with the same content that no other record stands for; None if there is none.

        `siblings` are the parts of the same record; `times` is how many equal ones without an id the log knows.
        """
        body = self._references.with_account_ids(content)
        same = [one for one in self._candidates(spec, body, siblings) if _is_same(spec, body, one)]
        if not spec.key:
            return same[0] if len(same) > times else None
        return next((one for one in same if not self._log.holder(spec.name, str(one.get(spec.key)))), None)

    def _candidates(
        self, spec: WriteSpec, body: Mapping[str, Any], siblings: Iterable[Record] | None
    ) -> list[Record]:
        if siblings is not None:
            return [one for one in siblings if spec.is_active(one)]
        self.prepare(spec, [body])
        known = self._known[spec.name]
        day = str(body.get("Date") or "")
        if not day:
            return [one for records in known.values() for one in records]
        fewest = known.get(day, [])
        for name in spec.content_match:
            value = _index_key(body.get(name))
            if value is not None and len(fewest) > 1:
                fewest = min(fewest, self._index(spec, day, name).get(value, []), key=len)
        return fewest

    def _index(self, spec: WriteSpec, day: str, name: str) -> Mapping[str, list[Record]]:
        """The documents of a day by the value of one field."""
        place = (spec.name, day, name)
        if place not in self._indexes:
            index: defaultdict[str, list[Record]] = defaultdict(list)
            for record in self._known[spec.name].get(day, []):
                index[_index_key(record.get(name)) or ""].append(record)
            self._indexes[place] = index
        return self._indexes[place]


def _is_same(spec: WriteSpec, body: Mapping[str, Any], record: Record) -> bool:
    lines = LINES.intersection(spec.content_match, body)
    return _agrees(body, record, [name for name in spec.content_match if name not in lines]) and all(
        _are_same_lines(spec, body[name], record.get(name) or []) for name in lines
    )


def _agrees(sent: Mapping[str, Any], record: Record, fields: Iterable[str]) -> bool:
    return all(
        matches({name: _rounded(sent[name], record.get(name))}, record) for name in fields if name in sent
    )


def _are_same_lines(spec: WriteSpec, sent: list[Mapping[str, Any]], there: list[Record]) -> bool:
    """Tell whether two lists have the same lines in any order, because Xero puts new lines in front."""
    fields = [name for name in LINE_FIELDS if name not in spec.omitted]
    left = list(there)
    for line in sent:
        one = next((one for one in left if _agrees(line, one, fields)), None)
        if one is None:
            return False
        left.remove(one)
    return not left


def _index_key(value: Any) -> str | None:
    """A text that two equal values share; None for a value that has none."""
    if isinstance(value, Mapping):
        return next((str(one).lower() for name, one in value.items() if name.endswith("ID")), None)
    if isinstance(value, str):
        return folded(dates.day(value) if value.startswith("/Date(") else value) or None
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return str(to_cents(Decimal(str(value))))
    return None


def _rounded(sent: Any, there: Any) -> Any:
    """A number, rounded as Xero stores it."""
    if isinstance(sent, (int, Decimal)) and not isinstance(sent, bool) and there is not None:
        for places in (CENT, PRICE):
            short = Decimal(sent).quantize(places, ROUND_HALF_UP)
            if short == Decimal(str(there)):
                return short
    return sent
