"""The lines that a changed document has in Xero."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from target_xero.intake.records import Job
from target_xero.lookups.lookups import Lookups, Record
from target_xero.lookups.references import References
from target_xero.planning.line_matching import KnownLine, in_xero, known
from target_xero.write_log.log import LogEntry, WriteLog
from target_xero.write_specs.spec import WriteSpec


class DocumentLines:
    """The lines of one organisation's documents."""

    def __init__(self, log: WriteLog, lookups: Lookups, references: References) -> None:
        self._log = log
        self._lookups = lookups
        self._references = references
        self._looked_twice: set[tuple[str, str]] = set()

    def is_first_look(self, spec: WriteSpec, key: str) -> bool:
        """Tell whether the lines of a record have not been looked up again in this run, and remember that they are."""
        is_first = (spec.name, key) not in self._looked_twice
        self._looked_twice.add((spec.name, key))
        return is_first

    def document_to_look_up(self, job: Job, entry: LogEntry | None, content_hash: str) -> str | None:
        """Return Xero's id of a document if its change needs lines that the log of writes does not know."""
        if "LineItems" not in job.sent:
            return None
        if entry is None:
            return None if self._references.foreign(job.tenant) else job.id
        if entry.gone or entry.hash == content_hash or _all_known(entry):
            return None
        return entry.xero_id

    def there(self, spec: WriteSpec, entry: LogEntry) -> list[KnownLine]:
        """Return the lines of a document from the log of writes, otherwise as Xero has them."""
        if _all_known(entry) or not entry.xero_id:
            return known(entry.lines)
        record = self._lookups.by_id(spec, entry.xero_id) or {}
        return in_xero(record, lambda line: self._tax_filled_in(spec, record, line))

    def _tax_filled_in(self, spec: WriteSpec, document: Record, line: Mapping[str, Any]) -> str | None:
        """Return the tax type that Xero gives a line without one; None if that is unknown."""
        if str(document.get("LineAmountTypes")).upper() == "NOTAX":
            return line.get("TaxType")
        if not spec.fills_in_tax or line.get("ItemCode") or not line.get("AccountCode"):
            return None
        accounts = self._lookups.whole("accounts")
        return next((a.get("TaxType") for a in accounts if a.get("Code") == line["AccountCode"]), None)

    def ids_of(self, spec: WriteSpec, job: Job) -> Callable[[str], str | None]:
        """Return a function from a line's id in the source to Xero's."""
        foreign = self._references.foreign(job.tenant)
        entry = self._log.entry(spec.name, job.key)
        known = entry.line_ids if entry else {}
        # Earlier versions have logged the ids of lines like those of records.
        return lambda source: known.get(source) or self._log.id_of(source) or (None if foreign else source)


def _all_known(entry: LogEntry) -> bool:
    """Tell whether the log of writes knows the content of every line."""
    return entry.lines is not None and all(line.content is not None for line in known(entry.lines))
