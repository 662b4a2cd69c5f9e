"""Finds documents by their content that Xero has and the log of writes does not, because the log is new or was lost.

Until a run has ended well with a log, each create of a record without a number of its own is looked up first; after
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
from target_xero.content.compare import LINES, says
from target_xero.lookups.lookups import Lookups, Record
from target_xero.lookups.references import References
from target_xero.write_log.log import WriteLog
from target_xero.write_specs.spec import WriteSpec

_LINE = ("Description", "Quantity", "UnitAmount", "LineAmount", "AccountCode", "ItemCode")
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
        """Whether a record that the log does not know may have been written with another log."""
        if not spec.content_match or spec.many_to_one or (spec.search and spec.natural_key(content)):
            return False
        if self._is_new:
            return True
        return bool(self._began) and str(content.get("Date") or "9999") <= self._began

    def prepare(self, spec: WriteSpec, contents: Iterable[Mapping[str, Any]]) -> None:
        """Read what is needed to find these records, in as few calls as that takes."""
        wanted = [content for content in contents if self.is_needed(spec, content)]
        if not wanted or spec.siblings_path or spec.name in self._whole:
            return
        days = sorted({str(content.get("Date") or "") for content in wanted} - self._known[spec.name].keys())
        if not days:
            return
        self._questions[spec.name] += 1
        # Only these lists can be asked for days; in the others that is no fewer calls.
        if spec.xero is None or spec.xero.paging is not Paging.PAGES or not spec.has_date_filter:
            days = [""]
        if "" in days or self._questions[spec.name] > _QUESTIONS or len(days) > _DAYS:
            self._read(spec, None)
        else:
            self._read(spec, days)

    def _read(self, spec: WriteSpec, days: list[str] | None) -> None:
        known = self._known[spec.name]
        if days is None:
            self._indexes.clear()
            known.clear()
            self._whole.add(spec.name)
        else:
            known.update({day: [] for day in days})
        for record in self._lookups.dated(spec, days):
            if spec.is_active(record):
                day = dates.day(str(record["Date"])) if record.get("Date") else ""
                kept = {
                    name: record[name]
                    for name in (spec.key, spec.status_field, *spec.content_match)
                    if name in record
                }
                known.setdefault(day, []).append(kept)

    def find(
        self, spec: WriteSpec, content: Mapping[str, Any], siblings: Iterable[Record] | None, times: int
    ) -> Record | None:
        """Return the document in force with the same content that is no other record's; None if there is none.

        `siblings` are the parts of the same record; `times` is how many equal ones without an id the log knows.
        """
        body = self._references.with_account_ids(content)
        same = [one for one in self._candidates(spec, body, siblings) if _is_same(spec, body, one)]
        if not spec.key:
            return same[0] if len(same) > times else None
        for one in same:
            if not self._log.holder(spec.name, str(one.get(spec.key))):
                return one
        return None

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
            sign = _sign(body.get(name))
            if sign is not None and len(fewest) > 1:
                found = self._index(spec, day, name).get(sign, [])
                fewest = min(fewest, found, key=len)
        return fewest

    def _index(self, spec: WriteSpec, day: str, name: str) -> Mapping[str, list[Record]]:
        """The documents of a day by what they say in one field."""
        place = (spec.name, day, name)
        if place not in self._indexes:
            index: defaultdict[str, list[Record]] = defaultdict(list)
            for record in self._known[spec.name].get(day, []):
                index[_sign(record.get(name)) or ""].append(record)
            self._indexes[place] = index
        return self._indexes[place]


def _is_same(spec: WriteSpec, body: Mapping[str, Any], record: Record) -> bool:
    for name in spec.content_match:
        if name not in body:
            continue
        if name in LINES:
            if not _are_same_lines(spec, body[name], record.get(name) or []):
                return False
        elif not says({name: _rounded(body[name], record.get(name))}, record):
            return False
    return True


def _are_same_lines(spec: WriteSpec, sent: list[Mapping[str, Any]], there: list[Record]) -> bool:
    """Whether two lists have the same lines; Xero puts new ones in front, so that their order does not count."""
    if len(sent) != len(there):
        return False
    fields = [name for name in _LINE if name not in spec.omitted]
    left = list(there)
    for line in sent:
        one = next(
            (
                held
                for held in left
                if all(
                    says({name: _rounded(line[name], held.get(name))}, held)
                    for name in fields
                    if name in line
                )
            ),
            None,
        )
        if one is None:
            return False
        left.remove(one)
    return True


def _sign(value: Any) -> str | None:
    """A key that two equal values share; None for a value without one."""
    if isinstance(value, Mapping):
        return next((str(one).lower() for name, one in value.items() if name.endswith("ID")), None)
    if isinstance(value, str):
        day = dates.day(value) if value.startswith("/Date(") else value
        return " ".join(day.split()).casefold() or None
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return str(Decimal(str(value)).quantize(Decimal("0.01"), ROUND_HALF_UP))
    return None


def _rounded(sent: Any, there: Any) -> Any:
    """A number as precise as Xero keeps it."""
    if isinstance(sent, (int, Decimal)) and not isinstance(sent, bool) and there is not None:
        for places in ("0.01", "0.0001"):
            short = Decimal(sent).quantize(Decimal(places), ROUND_HALF_UP)
            if short == Decimal(str(there)):
                return short
    return sent
