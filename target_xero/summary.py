"""The outcome of every record: counts for the summary, and rejects as a Singer stream to be corrected."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgspec

from singer_xero.api.storage import private_files
from singer_xero.errors import ConfigurationProblem
from target_xero.content.payload import encode, hashed
from target_xero.write_specs.spec import DELETED_AT

REASON, REJECTED_AT, REJECT = "_rejected_reason", "_rejected_at", "_rejected_id"
#: In the SCHEMA messages of rejects: the source that their records come from, which may be piped in by hand.
SOURCE = "_source"
_REASONS = {
    REASON: {
        "type": ["string", "null"],
        "description": "Why it was not written; ignored when it is sent again",
    },
    REJECTED_AT: {"type": ["string", "null"], "format": "date-time"},
    REJECT: {
        "type": ["string", "null"],
        "description": "The same for the same reject, and for all rows of one document",
    },
}
#: Differs each time that Xero refuses the same.
_correlation_id = re.compile(r"correlation id [^\s)]*")


@dataclass(slots=True)
class Count:
    """The outcomes of the records of one object, and the calls for them."""

    created: int = 0
    updated: int = 0
    removed: int = 0
    unchanged: int = 0
    rejected: int = 0
    different: int = 0
    skipped: int = 0
    calls: int = 0

    @property
    def done(self) -> int:
        """How many records were dealt with."""
        return self.created + self.updated + self.removed + self.unchanged + self.rejected + self.skipped


class Summary:
    """Counts by object."""

    def __init__(self) -> None:
        self.counts: dict[str, Count] = {}

    def of(self, object_name: str) -> Count:
        """Return the counts of an object, to be added to."""
        return self.counts.setdefault(object_name, Count())

    @property
    def rejected(self) -> int:
        """How many records were rejected in all."""
        return sum(count.rejected for count in self.counts.values())

    @property
    def different(self) -> int:
        """How many records differ in Xero."""
        return sum(count.different for count in self.counts.values())

    def table(self, order: Mapping[str, Any]) -> str:
        """Return the counts as a table, objects in the order in which they are written, with a total."""
        columns = [column.name for column in fields(Count)]
        known = sorted(self.counts, key=lambda name: list(order).index(name) if name in order else len(order))
        rows = [[name, *(getattr(self.counts[name], c) for c in columns)] for name in known]
        if len(rows) > 1:
            rows.append(["all", *(sum(row[i] for row in rows) for i in range(1, len(columns) + 1))])
        wide = max(len("object"), *(len(str(row[0])) for row in rows)) if rows else len("object")
        lines = [f"{'object':<{wide}}" + "".join(f"{column:>11}" for column in columns)]
        lines += [f"{row[0]:<{wide}}" + "".join(f"{number:>11,}" for number in row[1:]) for row in rows]
        return "\n".join(lines)


class RejectsFile:
    """The file of rejects: a Singer stream of the records as they came, each with the reason.

    Records are only appended, because a run with rejects passes its state on; a reject that is in the file already is
    not added again. The file is made at the first reject. `schemas` has the latest SCHEMA message of each stream;
    `source_of` returns its source.
    """

    def __init__(
        self,
        path: Path,
        schemas: Mapping[str, Mapping[str, Any]],
        source_of: Callable[[str], str] = lambda _: "",
    ) -> None:
        self.path = path
        self._source_of = source_of
        self._schemas = schemas
        self._written: dict[str, Mapping[str, Any]] = {}
        self._there: set[str] | None = None

    def name(self, stream: str, record: Mapping[str, Any]) -> str:
        """Return the name of a record for messages: its stream and its key."""
        keys = self._schemas[stream].get("key_properties") or ()
        told = ", ".join(f"{key}={record.get(key)}" for key in keys if key != "tenant_id")
        return f"{stream} {told}" if told else stream

    def add(self, rejects: Sequence[tuple[str, Sequence[Mapping[str, Any]], str]]) -> None:
        """Add (stream, the rows of one record, reason) each, flushed to the disk.

        Raises `ConfigurationProblem` if the file can't be written.
        """
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        there = self._identities()
        lines = []
        for stream, rows, reason in rejects:
            identity = _identity(self._source_of(stream), stream, rows, reason)
            if identity in there:
                continue
            there.add(identity)
            schema = self._schemas[stream]
            if self._written.get(stream) is not schema:
                self._written[stream] = schema
                described = {
                    **schema["schema"],
                    "properties": {**schema["schema"].get("properties", {}), **_REASONS},
                }
                source = self._source_of(stream)
                lines.append(encode({**schema, "schema": described, **({SOURCE: source} if source else {})}))
            for record in rows:
                told = {**record, REASON: reason, REJECTED_AT: now, REJECT: identity}
                lines.append(encode({"type": "RECORD", "stream": stream, "record": told}))
        try:
            private_files.append(self.path, b"".join(line + b"\n" for line in lines))
        except OSError as error:
            raise ConfigurationProblem(
                f"rejects_path: {self.path} can't be written: {error.strerror or error}."
            ) from None

    def _identities(self) -> set[str]:
        """The rejects that are in the file, read at the first one of a run."""
        if self._there is None:
            self._there = set()
            if self.path.is_symlink():
                # Links are not followed: adding to it says so.
                return self._there
            read = msgspec.json.Decoder(_Line).decode
            try:
                with self.path.open("rb") as file:
                    for line in file:
                        try:
                            self._there.add(read(line).record.identity)
                        except msgspec.DecodeError:
                            continue
            except OSError:
                # There is none yet, or adding to it tells what is wrong.
                return self._there
        return self._there


class _Rejected(msgspec.Struct, gc=False):
    identity: str = msgspec.field(name=REJECT)


class _Line(msgspec.Struct, gc=False):
    """A line of the file that holds a reject."""

    record: _Rejected


def _identity(source: str, stream: str, rows: Sequence[Mapping[str, Any]], reason: str) -> str:
    """The identity of a reject: its content and reason, not when it came."""
    said = [{name: value for name, value in record.items() if name[:1] != "_"} for record in rows]
    gone = [bool(record.get(DELETED_AT)) for record in rows]
    return hashed([source, stream, said, gone, _correlation_id.sub("", reason)])
