"""Takes records in, checks them, and keeps them until the input ends.

A record must be written after those that it refers to, and a tap may send these last, because streams often come in
alphabetical order. So nothing is sent before the input ends: records are parsed as they come, and wait in a temporary
file for each object.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from target_xero.content.day_formats import DayOrder, no_order
from target_xero.content.json_text import decode, encode_sorted, hashed
from target_xero.content.payload import KINDS, REFERENCES, Content, RecordParser
from target_xero.content.values import InvalidRecord
from target_xero.intake.columns import Layout, Unfolded, layout_of
from target_xero.intake.fast_path import FastPath
from target_xero.intake.identities import Identities
from target_xero.intake.records import Job, Reject, names_of
from target_xero.intake.row_tables import Origin, RowTables, tenant_of
from target_xero.intake.spool import LineSpool, SpoolFile
from target_xero.intake.states import StateQueue
from target_xero.intake.stream_names import StreamTarget
from target_xero.write_log.identity import CONTENT, part_of
from target_xero.write_specs.rows import WRITE_SPECS, parser_of
from target_xero.write_specs.spec import DELETED_AT, Part, WriteSpec

_MOST_LAYOUTS = 1_000


class Intake:
    """Keeps the records of one run in temporary files."""

    def __init__(
        self,
        states: StateQueue,
        warn: Callable[..., None],
        source: str = "",
        day_order: Callable[[], DayOrder] = no_order,
    ) -> None:
        self._day_order = day_order
        self.states = states
        self.identities = Identities(source)
        self._warn = warn
        self._parsers: dict[str, RecordParser] = {}
        self._fast_paths: dict[tuple[str, ...], FastPath] = {}
        self._files: dict[str, SpoolFile] = {}
        self._lines = LineSpool()
        self._seen: set[int] = set()
        self._last: dict[tuple[str, str], str] = {}
        self.counts: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()
        self.rejects: list[Reject] = []
        self.elsewhere: Counter[tuple[str, str]] = Counter()
        self._layouts: dict[tuple[str, ...], Layout] = {}
        self.tables = RowTables(self.identities, warn, states.settled)

    # Taking in

    def reader(
        self, stream_target: StreamTarget, stream: str, keys: Sequence[str], columns: Sequence[str] = ()
    ) -> StreamReader:
        """Return a reader for the records of an unmapped stream; `columns` are those of its SCHEMA."""
        spec, place = stream_target.spec, (stream, *keys)
        fast_path = self._fast_paths.get(place)
        if fast_path is None and not stream_target.says:
            identities = self.identities.format_of(spec, stream, keys)
            fast_path = self._fast_paths[place] = FastPath(spec, self._parser(spec), stream, keys, identities)
        return StreamReader(self, stream_target, stream, keys, columns, fast_path)

    def take_fast(self, spec: WriteSpec, stream: str, job: Job, line: bytes) -> None:
        """Take in a record that the fast path has read."""
        job.epoch = self.states.epoch
        self.states.opened(job.epoch)
        job.raw = self._lines.keep(line)
        job.key = job.key or self.identities.by_content(spec, stream, (), job.hash)
        self._add(spec, job)

    def take(
        self,
        stream_target: StreamTarget,
        stream: str,
        keys: Sequence[str],
        record: Mapping[str, Any],
        line: bytes,
        columns: Iterable[str] = (),
    ) -> None:
        """Take in one record of a stream; `line` is the message as it came.

        `keys` are the key properties of the stream and `columns` those of its SCHEMA.
        """
        epoch, spec = self.states.epoch, stream_target.spec
        self.states.opened(epoch)
        layout = self._layout(spec, stream, record, columns)
        content, unfolded = self._content(stream_target, stream, keys, record, layout)
        gone, tenant = bool(record.get(DELETED_AT)), tenant_of(record)
        origin = Origin(stream, keys, "", gone, tenant, epoch, [self._lines.keep(line)])
        if layout.lines:
            self.tables.take(stream_target, layout, record, unfolded, content, origin)
            return
        try:
            origin = origin._replace(key=self.identities.key(spec, stream, keys, record, content))
        except InvalidRecord as invalid:
            content.problems.append(invalid)
        self._accept(spec, content, origin)

    def compose(self) -> None:
        """Combine rows into documents, once the input has ended."""
        for spec, content, origin in self.tables.documents():
            self._accept(spec, content, origin)
        self.tables.close()

    def _layout(
        self, spec: WriteSpec, stream: str, record: Mapping[str, Any], columns: Iterable[str]
    ) -> Layout:
        """Return how the columns of a record are read."""
        place = (spec.name, stream, *record)
        layout = self._layouts.get(place)
        if layout is None:
            if len(self._layouts) > _MOST_LAYOUTS:
                self._layouts.clear()
            names = dict.fromkeys((*columns, *record))
            layout = self._layouts[place] = layout_of(spec, self._parser(spec), names)
        return layout

    def _content(
        self,
        stream_target: StreamTarget,
        stream: str,
        keys: Sequence[str],
        record: Mapping[str, Any],
        layout: Layout,
    ) -> tuple[Content, Unfolded]:
        """Return the content of a record, with its columns in their fields."""
        parser = self._parser(stream_target.spec)
        problems = []
        try:
            unfolded = layout.unfold(record)
        except InvalidRecord as invalid:
            unfolded = Unfolded({raw: record[raw] for raw in record if raw not in layout.lines})
            problems.append(invalid)
        content = parser.take(unfolded.record, frozenset(keys))
        content.sent = {**stream_target.says, **content.sent}
        content.problems += problems
        if parser.unknown:
            names = ", ".join(sorted(parser.unknown))
            parser.unknown.clear()
            self._warn("%s: %s ignored (no field of Xero's %s).", stream, names, stream_target.spec.name)
        return content, unfolded

    def _accept(self, spec: WriteSpec, content: Content, origin: Origin) -> None:
        """Keep the content of a record, or reject it."""
        epoch, place = origin.epoch, self._lines.keep_rows(origin.stream, origin.places)
        try:
            job = self._job(spec, origin.key, content, origin.gone, origin.tenant)
        except InvalidRecord as invalid:
            content.problems.append(invalid)
        if content.problems:
            reason = "; ".join(str(problem) for problem in content.problems[:5])
            names = names_of("", content.aside.get(spec.key), content.sent)
            self.rejects.append(Reject(spec.name, epoch, place, reason, names))
            return
        job.epoch, job.raw = epoch, place
        job.key = job.key or self.identities.by_content(spec, origin.stream, origin.keys, job.hash)
        for field, pattern, why in spec.written_by_other_stream:
            value = content.sent.get(field) or content.aside.get(field)
            if value and fnmatchcase(str(value), pattern):
                self.elsewhere[spec.name, why] += 1
                self.states.settled(epoch)
                return
        job.parts = {
            part.stream: self._take_parts(spec, part, job, content)
            for part in spec.parts
            if part.field in content.aside
        }
        self._add(spec, job)

    def _take_parts(self, owner: WriteSpec, part: Part, job: Job, content: Content) -> list[str]:
        """Keep the parts of a record as separate records, which wait for its id; returns their identities."""
        spec = WRITE_SPECS[part.stream]
        keys: list[str] = []
        times: Counter[tuple[str, ...]] = Counter()
        for nested in content.aside[part.field]:
            found = self._parser(spec).take(nested)
            fields = _distinction(spec, found)
            times[tuple(fields.values())] += 1
            number = times[tuple(fields.values())]
            key = part_of(job.key, fields if number == 1 else {**fields, "number": str(number)})
            keys.append(key)
            self.states.opened(job.epoch)
            try:
                if found.problems:
                    raise found.problems[0]
                child = self._job(spec, key, found, gone=False, tenant=job.tenant)
            except InvalidRecord as invalid:
                self.rejects.append(Reject(spec.name, job.epoch, job.raw, f"{part.field}: {invalid}"))
                continue
            child.epoch, child.raw = job.epoch, job.raw
            if owner.create:
                child.parent = (owner.name, job.key, part.link)
            elif job.id:
                child.sent[part.link] = {REFERENCES[part.link][0]: job.id}
            self._add(spec, child)
        return keys

    def _job(self, spec: WriteSpec, key: str, content: Content, gone: bool, tenant: str | None) -> Job:
        sent = content.sent
        kinds = _take_kinds(sent)
        status = self._status(spec, sent, content.aside)
        spec.prepare(content)
        self._check(spec, content)
        compared = {name: value for name, value in sent.items() if name not in spec.create_only}
        return Job(
            key=key,
            hash=hashed([compared, status, gone]),
            sent=sent,
            epoch=0,
            raw=0,
            id=content.aside.get(spec.key),
            tenant=tenant,
            status=status,
            gone=gone,
            aside={name: value for name, value in content.aside.items() if name in spec.inspected_fields},
            kinds=kinds,
        )

    @staticmethod
    def _status(spec: WriteSpec, sent: dict[str, Any], aside: dict[str, Any]) -> str:
        """Remove the status from the content and return it, because a change of status is a separate operation."""
        status = str(sent.pop(spec.status_field, "") or aside.get(spec.status_field) or "").upper()
        if not status or not spec.transitions:
            return ""
        if status not in spec.known_statuses:
            raise InvalidRecord(
                f"{status} is none of {', '.join(sorted(spec.known_statuses))}", spec.status_field
            )
        return spec.status_aliases.get(status, status)

    @staticmethod
    def _check(spec: WriteSpec, content: Content) -> None:
        """Check the rules for creates and updates."""
        sent = content.sent
        given = [name for name in spec.either if name in sent]
        if len(given) > 1:
            raise InvalidRecord(f"only one of {', '.join(given)} may be given", given[1])
        spec.check(sent)

    def _add(self, spec: WriteSpec, job: Job) -> None:
        seen = hash((spec.name, job.key))
        if seen in self._seen:
            self._last[spec.name, job.key] = job.hash
        self._seen.add(seen)
        file = self._files.get(spec.name)
        if file is None:
            file = self._files[spec.name] = SpoolFile()
        # Sorted, so that the same record makes the same request, whether the fast path or the parser has read it.
        file.write(encode_sorted(job) + b"\n")
        self.counts[spec.name] += 1
        if job.gone or job.status in spec.end_statuses:
            self.ends[spec.name] += 1

    def _parser(self, spec: WriteSpec) -> RecordParser:
        parser = self._parsers.get(spec.name)
        if parser is None:
            parser = self._parsers[spec.name] = parser_of(spec, self._day_order)
        return parser

    # Iterating

    def jobs(self, spec: WriteSpec) -> Iterator[Job]:
        """Yield the records of an object in the order in which they came."""
        file = self._files.get(spec.name)
        if file is None:
            return
        decoder = msgspec.json.Decoder(Job, float_hook=Decimal)
        for line in file.lines():
            yield decoder.decode(line)

    def ends_first(self, spec: WriteSpec, job: Job) -> bool:
        """Tell whether a record ends before anything is created; one that comes several times ends in its turn."""
        return (
            spec.document
            and (job.gone or job.status in spec.end_statuses)
            and (spec.name, job.key) not in self._last
        )

    def last_hash(self, spec: WriteSpec, job: Job) -> str:
        """Return the hash of the last record with the same identity, which supersedes the earlier ones."""
        return self._last.get((spec.name, job.key), job.hash)

    def records(self, place: int) -> tuple[str, list[dict[str, Any]]]:
        """Return the stream and the rows of one record as they came."""
        return self._lines.records(place)

    def close(self) -> None:
        """Delete the files."""
        for file in self._files.values():
            file.close()
        self._lines.close()
        self.tables.close()


@dataclass
class StreamReader:
    """Takes in the records of one stream from their JSON."""

    intake: Intake
    stream_target: StreamTarget
    stream: str
    keys: Sequence[str]
    columns: Sequence[str]
    fast_path: FastPath | None

    def take_line(self, line: bytes) -> bool:
        """Take in a line if it holds a record of this stream that the fast path can read."""
        taken = self.fast_path.take_line(line) if self.fast_path else None
        if taken is None:
            return False
        self.intake.take_fast(self.stream_target.spec, self.stream, taken, line)
        return True

    def take(self, record: msgspec.Raw, line: bytes) -> bool:
        """Take in a record of this stream; False if it is not a JSON object."""
        taken = self.fast_path.take(record) if self.fast_path else None
        if taken is not None:
            self.intake.take_fast(self.stream_target.spec, self.stream, taken, line)
            return True
        try:
            fields = decode(record)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return False
        if not isinstance(fields, dict):
            return False
        self.intake.take(self.stream_target, self.stream, self.keys, fields, line, self.columns)
        if self.fast_path and self.intake.tables.has(self.stream):
            self.fast_path = None
        elif self.fast_path:
            self.fast_path.learn()
        return True


def _distinction(spec: WriteSpec, part: Content) -> dict[str, str]:
    """Return what distinguishes a part from its siblings: its id, its `part_keys`, or a hash of its content."""
    if spec.key in part.aside:
        return {spec.key: str(part.aside[spec.key])}
    fields: dict[str, str] = {}
    for names in spec.part_keys:
        name = next((name for name in names.split("|") if part.sent.get(name)), "")
        value = part.sent.get(name)
        if isinstance(value, Mapping):
            value = next((value[inner] for inner in REFERENCES[name] if value.get(inner)), None)
        if value is not None:
            fields[name] = str(value)
    return fields or {CONTENT: hashed(part.sent)}


def _take_kinds(sent: dict[str, Any]) -> dict[str, Any]:
    """Remove the types of referenced documents from the content and return them, in lists by their places."""
    found: dict[str, Any] = {}
    for name in KINDS:
        reference = sent.get(name)
        if not isinstance(reference, dict):
            continue
        kind = reference.pop(KINDS[name], None)
        if kind and REFERENCES[name][0] not in reference:
            found[name] = kind.upper()
        if kind and not reference:
            del sent[name]
    for place, part in enumerate(sent.get("Payments") or ()):
        if kinds := _take_kinds(part):
            found.setdefault("Payments", {})[str(place)] = kinds
    return found
