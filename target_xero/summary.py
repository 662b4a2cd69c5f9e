"""The outcomes of records: counts for the summary, and rejects as a Singer stream to be corrected."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, field, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgspec

from singer_xero.api.storage import private_files
from singer_xero.errors import ConfigurationProblem
from target_xero.content.json_text import encode, hashed
from target_xero.write_specs.spec import DELETED_AT

REASON, REJECTED_AT, REJECT = "_rejected_reason", "_rejected_at", "_rejected_id"
#: In the SCHEMA messages of rejects: the source of their records, because people pipe this file in.
SOURCE = "_source"
_TEXT: Mapping[str, Any] = {"type": ["string", "null"]}
_REASONS = {
    REASON: {**_TEXT, "description": "Why it was not written; ignored when it is sent again"},
    REJECTED_AT: {**_TEXT, "format": "date-time"},
    REJECT: {**_TEXT, "description": "The identity of the reject, which all rows of a document share"},
}
#: The part of Xero's answer that differs each time.
_correlation_id = re.compile(r"correlation id [^\s)]*")


@dataclass(slots=True)
class Count:
    """The number of records of one object by outcome, and of the calls for them."""

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
        """The number of records with an outcome."""
        return self.created + self.updated + self.removed + self.unchanged + self.rejected + self.skipped


@dataclass
class Summary:
    """Counts by object."""

    counts: defaultdict[str, Count] = field(default_factory=lambda: defaultdict(Count))

    def of(self, object_name: str) -> Count:
        """Return the counts of an object, which the caller increments."""
        return self.counts[object_name]

    @property
    def total(self) -> Count:
        """The counts of all objects together."""
        counts = map(astuple, self.counts.values())
        return Count(*map(sum, zip(*counts, strict=True)))

    def table(self, order: Mapping[str, Any]) -> str:
        """Return the counts as a table with a total, objects in this order."""
        rows = dict(sorted(self.counts.items(), key=lambda row: [*order, row[0]].index(row[0])))
        if len(rows) > 1:
            rows["all"] = self.total
        width = max(map(len, ("object", *rows)))
        lines = [f"{'object':<{width}}" + "".join(f"{column.name:>11}" for column in fields(Count))]
        for name, count in rows.items():
            lines.append(f"{name:<{width}}" + "".join(f"{number:>11,}" for number in astuple(count)))
        return "\n".join(lines)


@dataclass
class RejectsFile:
    """The file of rejects: a Singer stream of the unchanged records, each with its reason.

    Records are only appended, because a run with rejects passes its state on; a reject that is in the file already is
    not added again. The file is created at the first reject. `schemas` has the latest SCHEMA message of each stream;
    `source_of` returns the source of a stream.
    """

    path: Path
    schemas: Mapping[str, Mapping[str, Any]]
    source_of: Callable[[str], str] = lambda _: ""
    _written: dict[str, Mapping[str, Any]] = field(init=False, default_factory=dict)
    _known: set[str] | None = field(init=False, default=None)

    def name(self, stream: str, record: Mapping[str, Any]) -> str:
        """Return the name of a record for messages: its stream and its key."""
        keys = self.schemas[stream].get("key_properties") or ()
        values = ", ".join(f"{key}={record.get(key)}" for key in keys if key != "tenant_id")
        return f"{stream} {values}" if values else stream

    def add(self, rejects: Sequence[tuple[str, Sequence[Mapping[str, Any]], str]]) -> None:
        """Append rejects, given as (stream, the rows of one record, reason), and flush them to the disk.

        Raises `ConfigurationProblem` if the file can't be written.
        """
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        if self._known is None:
            self._known = self._identities()
        lines = []
        for stream, rows, reason in rejects:
            identity = _identity(self.source_of(stream), stream, rows, reason)
            if identity in self._known:
                continue
            self._known.add(identity)
            schema = self.schemas[stream]
            if self._written.get(stream) is not schema:
                self._written[stream] = schema
                properties = {**schema["schema"].get("properties", {}), **_REASONS}
                described = {**schema, "schema": {**schema["schema"], "properties": properties}}
                source = self.source_of(stream)
                lines.append(encode({**described, **({SOURCE: source} if source else {})}))
            for record in rows:
                reject = {**record, REASON: reason, REJECTED_AT: now, REJECT: identity}
                lines.append(encode({"type": "RECORD", "stream": stream, "record": reject}))
        try:
            private_files.append(self.path, b"".join(line + b"\n" for line in lines))
        except OSError as error:
            raise ConfigurationProblem(
                f"rejects_path: {self.path} can't be written: {error.strerror or error}."
            ) from None

    def _identities(self) -> set[str]:
        """The rejects in the file; none if it can't be read, which `add` reports."""
        found: set[str] = set()
        if self.path.is_symlink():
            return found
        read = msgspec.json.Decoder(_Line).decode
        with suppress(OSError), self.path.open("rb") as file:
            for line in file:
                with suppress(msgspec.DecodeError):
                    found.add(read(line).record.identity)
        return found


class _Rejected(msgspec.Struct, gc=False):
    identity: str = msgspec.field(name=REJECT)


class _Line(msgspec.Struct, gc=False):
    """A line of the file with a reject."""

    record: _Rejected


def _identity(source: str, stream: str, rows: Sequence[Mapping[str, Any]], reason: str) -> str:
    """The identity of a reject: its content and reason, not its time."""
    content = [{name: value for name, value in record.items() if name[:1] != "_"} for record in rows]
    gone = [bool(record.get(DELETED_AT)) for record in rows]
    return hashed([source, stream, content, gone, _correlation_id.sub("", reason)])
