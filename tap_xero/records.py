"""From an answer's bytes to the records of a stream.

Decimals stay exactly as Xero wrote them, `/Date(…)/` becomes ISO text where the schema says so and nowhere else, and
what the schema doesn't know passes through.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple, cast

import msgspec

from singer_xero.api.dates import day, instant
from singer_xero.api.errors import CallError
from singer_xero.objects import Paging, XeroObject

Record = dict[str, Any]
Plan = Callable[[Record], None]

SHORT = 32 * 1024
"""Bytes of an answer that isn't worth packing."""

_NULL = b"null"
_INSTANT = len("2026-04-24T12:04:04.663000Z")


class UnexpectedAnswer(CallError):
    """Xero's answer can be read but isn't what was asked for; what isn't understood is never an empty answer."""

    way_out = "Run again with TAP_XERO_LOGLEVEL=DEBUG and report it to the makers of singer-xero."


class Pagination(msgspec.Struct):
    """The block that Xero puts next to the records of a paged list."""

    page: int = 1
    pageSize: int = 0  # noqa: N815 - Xero's name
    pageCount: int = 0  # noqa: N815
    itemCount: int = 0  # noqa: N815


class Row(NamedTuple):
    """A record that hasn't been decoded yet, but for its key and the field that tells its change.

    `time` is the marker as the tap writes it (fixed width, so that it sorts as text; journals: their number), and
    "" where the record has none. `source` is the record's bytes, or the answer in which it has this `place`. `fault`
    says why it can't be passed on, where it can't.
    """

    key: tuple[Any, ...]
    time: Any
    source: msgspec.Raw | Body
    place: int = 0
    fault: str = ""

    @property
    def raw(self) -> msgspec.Raw:
        """The record's bytes."""
        source = self.source
        return source.raw(self.place) if type(source) is Body else cast("msgspec.Raw", source)


class Body:
    """The records of one answer; packed while they wait, for text that waits by the megabyte packs into a fifth.

    `content` is the text, `packed` what came over the wire if that was packed, `raws` the records in it; `read` finds
    rows in a text anew.
    """

    __slots__ = ("_content", "_packed", "_raws", "_read", "count")

    def __init__(
        self, content: bytes, packed: bytes | None, read: Callable[[Body, bytes], list[Row]]
    ) -> None:
        self._content: bytes | None = content
        self._packed = packed
        self._read = read
        self._raws: list[msgspec.Raw] | None = None
        self.count = 0
        """How many records there are."""

    @property
    def is_packed(self) -> bool:
        """Whether only the packed form is there."""
        return self._content is None

    @property
    def held(self) -> int:
        """Bytes that are kept of it."""
        return len(self._content or b"") + len(self._packed or b"")

    def opened(self, content: bytes, raws: list[msgspec.Raw]) -> None:
        """These are the records, and the text that they are parts of."""
        self._content, self._raws, self.count = content, raws, len(raws)

    def raw(self, place: int) -> msgspec.Raw:
        """One record's bytes."""
        return (self._raws or self._opened())[place]

    def rows(self) -> list[Row]:
        """All rows, found anew."""
        content = self._content
        if content is None:
            # 32: of gzip, as Xero packs, or of zlib, as `pack` does.
            content = zlib.decompress(cast("bytes", self._packed), wbits=32 + zlib.MAX_WBITS)
        return self._read(self, content)

    def _opened(self) -> list[msgspec.Raw]:
        while self._raws is None:
            self.rows()
        return self._raws

    def pack(self) -> None:
        """Keep the packed form only; what is short stays as it is."""
        if self._content is not None and len(self._content) > SHORT:
            self._packed = self._packed or zlib.compress(self._content, 1)
            self._content = self._raws = None


@dataclass(frozen=True)
class Page:
    """One answer of a list: its rows in Xero's order, Xero's word on how many there are, and its size in bytes.

    `at` is when Xero made the answer, by its own clock; "" where it doesn't say. The rows lie in `body`, where they
    have one in common.
    """

    rows: list[Row]
    pagination: Pagination | None = None
    size: int = 0
    at: str = ""
    body: Body | None = None

    @property
    def held(self) -> int:
        """Bytes that are kept of it."""
        return self.body.held if self.body else self.size

    def pack(self) -> None:
        """Pack its records until they are asked for."""
        if self.body:
            self.body.pack()


def _pagination(value: Any) -> Pagination | None:
    """The counts of a list; None where they can't be understood, as where there are none."""
    try:
        return msgspec.convert(value, Pagination | None)
    except msgspec.MsgspecError:
        return None


def _time_of(value: Any) -> str:
    """Xero's own time of an answer; "" where it doesn't say."""
    found = instant(value) if isinstance(value, str) else ""
    return found if len(found) == _INSTANT else ""


def can_be_key(parts: Iterable[Any]) -> bool:
    """Whether values tell a record from others: numbers, or text that isn't empty."""
    return all(type(part) is int or (type(part) is str and bool(part)) for part in parts)


def bodies_of(rows: Iterable[Row]) -> list[Body]:
    """The answers in which rows lie that have not been given bytes of their own."""
    return [body for body in {id(row.source): row.source for row in rows}.values() if isinstance(body, Body)]


class RecordReader:
    """Reads the answers of one object: `page` finds the rows, `record` decodes one.

    Pages may be read by several threads while records are decoded by one. New fields and unreadable dates are told
    once each, not once per record.
    """

    keyed = True
    """Whether a record has to have its whole key when it is found in an answer."""

    def __init__(self, xero: XeroObject, logger: logging.Logger) -> None:
        self.xero = xero
        self.logger = logger
        schema = xero.schema()
        self.known = frozenset(schema["properties"])
        self.dropped = tuple(xero.dropped)
        self.plan = self._compile(schema, xero.envelope)
        self._told: set[str] = set()
        self._list = self._envelope_of(list[msgspec.Raw])
        self._single = self._envelope_of(msgspec.Raw)
        names = [*xero.key, xero.marker] if xero.marker else [*xero.key]
        head = msgspec.defstruct("Head", [(name, Any, None) for name in dict.fromkeys(names)])
        self._head = msgspec.json.Decoder(head)
        self._heads = self._envelope_of(list[head])  # type: ignore[valid-type]
        self._several = len(xero.key) != 1
        self._key = attrgetter(*xero.key) if xero.key else lambda _: ()
        self._marker = attrgetter(xero.marker) if xero.marker else lambda _: None
        self._record = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
        self._parts = msgspec.json.Decoder(dict[str, msgspec.Raw])
        # The marker is known from the row.
        fields = {name: field for name, field in schema["properties"].items() if name != xero.marker}
        made = {name: self._conversion(field, f"{xero.envelope}.{name}") for name, field in fields.items()}
        self._conversions = [(name, convert) for name, convert in made.items() if convert]

    def _envelope_of(self, records: Any) -> msgspec.json.Decoder[Any]:
        fields = [
            ("records", records, msgspec.field(name=self.xero.envelope)),
            ("pagination", Any, None),
            ("at", Any, msgspec.field(name="DateTimeUTC", default="")),
        ]
        return msgspec.json.Decoder(msgspec.defstruct("Envelope", fields))

    def page(self, content: bytes, call: str, packed: bytes | None = None) -> Page:
        """Find the rows in the bytes of a list's answer; `packed` is what they were unpacked from, if they were.

        Raises `UnexpectedAnswer` when the answer holds no such list: what can't be read is never an empty list.
        """
        body = Body(content, packed, lambda body, content: self._rows(content, call, body)[0])
        rows, envelope = self._rows(content, call, body)
        return Page(rows, _pagination(envelope.pagination), len(content), _time_of(envelope.at), body)

    def _rows(self, content: bytes, call: str, body: Body) -> tuple[list[Row], Any]:
        # Bytes that are passed on must stay on their line.
        if b"\n" in content or b"\r" in content or b'": ' in content[:100]:
            content = compact(content, call)
        try:
            envelope = self._list.decode(content)
            raws = envelope.records
        except msgspec.MsgspecError as error:
            try:  # the single GET of a budget shows an object where others have a list
                envelope = self._single.decode(content)
                raws, heads = [envelope.records], [self._head.decode(envelope.records)]
            except msgspec.MsgspecError:
                words = f"the answer has no list '{self.xero.envelope}': {error}"
                raise UnexpectedAnswer(words, call=call) from None
        else:
            try:
                heads = self._heads.decode(content).records
            except msgspec.MsgspecError:  # one of them is no record
                heads = [self._head_of(raw) for raw in raws]
        body.opened(content, raws)
        rows = []
        key_of, marker_of, single = self._key, self._marker, not self._several
        for place, head in enumerate(heads):
            if single and head is not None:
                key: Any = key_of(head)
                time: Any = marker_of(head)
                if type(key) is str and key and type(time) is str:
                    time = instant(time)
                    if len(time) == _INSTANT:
                        rows.append(Row((key,), time, body, place))
                        continue
            rows.append(self._row(head, body, place, call))
        return rows, envelope

    def _head_of(self, raw: msgspec.Raw) -> Any:
        try:
            return self._head.decode(raw)
        except msgspec.MsgspecError:
            return None

    def _row(self, head: Any, body: Body, place: int, call: str) -> Row:
        """Make the row of any element of a list: also of one without a time, with a number as its key, or at fault."""
        fault, time = "it is no JSON object", ""
        if head is not None:
            found: Any = self._key(head)
            key = found if self._several else (found,)
            time = self._time(self._marker(head))
            if not self.keyed or can_be_key(key):
                return Row(key, time, body, place)
            fault = f"its {' and '.join(self.xero.key)} can't tell it from others"
        return Row((f"record {place + 1} of {call}",), time, body, place, fault)

    def _time(self, value: Any) -> Any:
        """The marker as the tap writes it; "" where it is none."""
        if type(value) is str:
            if self.xero.paging is Paging.OFFSET:
                return int(value) if value.isdecimal() and len(value) < 19 else ""
            found = instant(value)
            return found if len(found) == _INSTANT else ""
        return value if type(value) is int and self.xero.paging is Paging.OFFSET else ""

    def record(self, row: Row) -> Record:
        """Decode a row into the shape of its schema."""
        record = self._record.decode(row.raw)
        self.conform(record)
        return record

    def undecoded(self, row: Row) -> Record:
        """Take a row apart without decoding it: values are the bytes that Xero sent, but for what is to be converted.

        For records that go into their message as they are, digit for digit; decoding a number only to write it again
        costs more than all else.
        """
        record: Record = self._parts.decode(row.raw)
        for name in self.dropped:
            record.pop(name, None)
        if not record.keys() <= self.known:
            self._tell_new_fields(record.keys() - self.known)
        for name, convert in self._conversions:
            raw = record.get(name)
            if raw is not None:
                record[name] = convert(bytes(raw))
        marker = self.xero.marker
        if marker and row.time != "":
            record[marker] = row.time
        elif marker and bytes(record.get(marker, _NULL)) != _NULL:
            where = f"{self.xero.envelope}.{marker}"
            self.tell_once(f"{where} is not what Xero's documentation has there; null is passed on.", where)
            record[marker] = None
        return record

    def _conversion(self, field: Mapping[str, Any], path: str) -> Callable[[bytes], Any] | None:
        """Make what converts a field's bytes, None where they can be passed on as they are."""
        name = path.rpartition(".")[2]
        plan = self._compile({"properties": {name: field}}, path.rpartition(".")[0])
        if plan is _nothing:
            return None
        decode = msgspec.json.Decoder(float_hook=Decimal).decode
        nested = "format" not in field
        names = tuple(f'"{each}"'.encode() for each in dates_in(field))
        known: dict[bytes, Any] = {}

        def convert(data: bytes) -> Any:
            if nested and not any(each in data for each in names):
                return msgspec.Raw(data)
            if data in known:
                return known[data]
            record = {name: decode(data)}
            plan(record)
            if not nested and len(known) < 10_000:
                known[data] = record[name]
            return record[name]

        return convert

    def conform(self, record: Record) -> None:
        """Bring one record into the shape of its schema, in place."""
        for name in self.dropped:
            record.pop(name, None)
        if not record.keys() <= self.known:
            self._tell_new_fields(record.keys() - self.known)
        self.plan(record)

    def _tell_new_fields(self, names: Iterable[str]) -> None:
        for name in sorted(names):
            self.tell_once(
                f"Xero sends a field of {self.xero.name} that this version doesn't know: {name}. It is passed on, "
                "but a target keeps only what the schema names; look for a newer version of singer-xero."
            )

    def tell_once(self, message: str, about: str | None = None) -> None:
        """Log a warning, the first time only that there is one about this."""
        about = about or message
        if about not in self._told:
            self._told.add(about)
            self.logger.warning(message)

    def _date(self, convert: Callable[[str], str], where: str, length: int) -> Callable[[Any], str | None]:
        def read(value: Any) -> str | None:
            text = convert(value) if isinstance(value, str) else ""
            if len(text) == length:
                return text
            if value != "":
                self.tell_once(
                    f"{where}: {value!r} is not a date as Xero writes them; null is passed on.", where
                )
            return None

        return read

    def _number(self, where: str) -> Callable[[Any], Any]:
        def read(value: Any) -> Any:
            if not isinstance(value, str):
                return value
            try:
                return Decimal(value)
            except ArithmeticError:
                self.tell_once(f"{where}: {value!r} is not a number; null is passed on.", where)
                return None

        return read

    def _compile(self, schema: Mapping[str, Any], where: str) -> Plan:
        """Make the function that converts the values of such a record, nested ones included."""
        values: list[tuple[str, Callable[[Any], Any]]] = []
        parts: list[tuple[str, Plan, bool]] = []
        # Xero's examples of budgets show amounts as text. Long lists are known from recordings to have numbers.
        small = self.xero.paging is Paging.WHOLE
        for name, field in schema.get("properties", {}).items():
            path = f"{where}.{name}"
            kind = field.get("format")
            if kind == "date-time":
                values.append((name, self._date(instant, path, len("2026-04-24T12:04:04.663000Z"))))
            elif kind == "date":
                values.append((name, _Days(self._date(day, path, len("2026-04-24"))).day))
            elif small and "number" in field["type"]:
                values.append((name, self._number(path)))
            elif "array" in field["type"] and "object" in field.get("items", {}).get("type", ()):
                parts.append((name, self._compile(field["items"], path), True))
            elif "object" in field["type"]:
                parts.append((name, self._compile(field, path), False))
        # Only branches with something to convert are walked.
        parts = [part for part in parts if part[1] is not _nothing]
        return _plan(values, parts) if values or parts else _nothing


def dates_in(field: Mapping[str, Any]) -> set[str]:
    """The names of the dates within a nested field."""
    inside = field.get("items", field).get("properties", {})
    names = {name for name, each in inside.items() if "format" in each}
    return names.union(*(dates_in(each) for each in inside.values()))


def compact(content: bytes, call: str) -> bytes:
    """Take the line breaks and blanks out of JSON."""
    try:
        return msgspec.json.format(content, indent=-1)
    except msgspec.MsgspecError as error:
        raise UnexpectedAnswer(f"the answer is not JSON: {error}", call=call) from None


class _Days(dict[str, "str | None"]):
    """The days of a field as Xero wrote them: a list of thousands has a few hundred different ones."""

    def __init__(self, read: Callable[[Any], str | None]) -> None:
        self.read = read

    def day(self, value: Any) -> str | None:
        """Read a day; what isn't text isn't kept."""
        return self[value] if type(value) is str else self.read(value)

    def __missing__(self, value: str) -> str | None:
        text = self.read(value)
        if len(self) < 10_000:
            self[value] = text
        return text


def _nothing(record: Record) -> None:
    """Leave a record as it is: there is nothing to convert in it."""


def _plan(
    values: list[tuple[str, Callable[[Any], Any]]],
    parts: list[tuple[str, Plan, bool]],
) -> Plan:
    def convert(record: Record) -> None:
        for name, read in values:
            value = record.get(name)
            if value is not None:
                record[name] = read(value)
        for name, plan, many in parts:
            part = record.get(name)
            if not part:
                continue
            if many:
                for each in cast("list[Any]", part):
                    if isinstance(each, dict):
                        plan(each)
            elif isinstance(part, dict):
                plan(part)

    return convert
