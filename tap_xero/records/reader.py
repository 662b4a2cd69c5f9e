"""From an answer's bytes to the records of a stream.

Decimals stay exactly as Xero wrote them. `/Date(…)/` becomes ISO text in the date fields of the schema and nowhere
else. Every record fits its schema: values that don't are repaired or replaced by null, with a warning.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter
from typing import Any, cast

import msgspec

from singer_xero.api.dates import readable_instant
from singer_xero.api.errors import CallError
from singer_xero.api.http import deflate
from singer_xero.objects import DateForm, Field, XeroObject
from tap_xero.records import types as record_types
from tap_xero.records.conversions import plan_for
from tap_xero.records.projection import UNKNOWN
from tap_xero.records.repair import Findings, Repairer
from tap_xero.records.values import Unfit, by_look, fitting, reader_of

Record = dict[str, Any]

_Decode = Callable[[Any], Any]

SHORT = 32 * 1024
"""Bytes of an answer that is too short to compress."""

LONG = 64 * 1024
"""Bytes of an answer from which on its records are checked by their type; making that type takes as long as reading a
hundred records."""

SAMPLE = 20
"""Records of that answer that show the order of its fields."""

_NULL = msgspec.Raw(b"null")


class UnexpectedAnswer(CallError):
    """Xero's answer is valid JSON but not what was requested. It is never treated as an empty list."""

    remedy = "Run again with TAP_XERO_LOGLEVEL=DEBUG and report it to the makers of singer-xero."


class Pagination(msgspec.Struct):
    """The `pagination` block beside the records of a paged list."""

    page: int = 1
    pageSize: int = 0  # noqa: N815 - Xero's name
    pageCount: int = 0  # noqa: N815
    itemCount: int = 0  # noqa: N815


class Row(msgspec.Struct, frozen=True, gc=False):
    """A record of which only the key and the cursor are decoded.

    `time` is the cursor as the tap writes it: of fixed width, so that it sorts as text; for journals their number. A
    record without a readable cursor has the time of its neighbour, or "" if no record of the answer has a cursor.
    `source` is the record's bytes, or the answer that has the record at `place`. A `checked` record fits its schema.
    `fault` says why a record can't be emitted.
    """

    key: tuple[Any, ...]
    time: Any
    source: msgspec.Raw | Body
    place: int = 0
    checked: bool = False
    fault: str = ""

    @property
    def raw(self) -> msgspec.Raw:
        """The record's bytes."""
        source = self.source
        return source.raws[self.place] if type(source) is Body else cast("msgspec.Raw", source)


class Body:
    """The records of one answer, which can be compressed until they are needed.

    `content` is the JSON text, `packed` the compressed body as it was received, if it was compressed, and `raws` are
    the records in the text. `read` finds the rows of a text again.
    """

    __slots__ = ("_content", "_packed", "_raws", "_read", "count", "packed_size", "unchecked")

    def __init__(
        self, content: bytes, packed: bytes | None, read: Callable[[Body, bytes], list[Row]]
    ) -> None:
        self._content: bytes | None = content
        self._packed = packed
        self._read = read
        self._raws: list[msgspec.Raw] | None = None
        self.packed_size = len(packed or content)
        """The bytes that the compressed body has, or the text if it was not compressed."""
        self.count = 0
        """The number of records."""
        self.unchecked: frozenset[int] | None = None
        """The places of the records that don't fit their schema; None before they are checked."""

    @property
    def is_packed(self) -> bool:
        """Whether only the compressed form is kept."""
        return self._content is None

    @property
    def held(self) -> int:
        """The bytes that it takes."""
        return len(self._content or b"") + len(self._packed or b"")

    def opened(self, content: bytes, raws: list[msgspec.Raw]) -> None:
        """Keep the records, and the text that they are parts of."""
        self._content, self._raws, self.count = content, raws, len(raws)

    @property
    def raws(self) -> list[msgspec.Raw]:
        """Each record's bytes."""
        return self._raws if self._raws is not None else self._opened()

    def rows(self) -> list[Row]:
        """Find all rows again."""
        content = self._content
        if content is None:
            content = deflate.decompress(cast("bytes", self._packed))
        return self._read(self, content)

    def _opened(self) -> list[msgspec.Raw]:
        while self._raws is None:
            self.rows()
        return self._raws

    def pack(self) -> None:
        """Keep only the compressed form, unless the text is short."""
        if self._content is not None and len(self._content) > SHORT:
            self._packed = self._packed or deflate.compress(self._content)
            self._content = self._raws = None

    def stay_unpacked(self) -> None:
        """Keep only the text."""
        if self._content is not None:
            self._packed = None


@dataclass(frozen=True)
class Page:
    """One answer of a list: its rows in Xero's order, its `pagination` block, and its size in bytes.

    `at` is the time of the answer by Xero's clock, or "" if the answer doesn't have it. `body` holds the rows, if they
    come from one answer.
    """

    rows: list[Row]
    pagination: Pagination | None = None
    size: int = 0
    at: str = ""
    body: Body | None = None

    @property
    def held(self) -> int:
        """The bytes that it takes."""
        return self.body.held if self.body else self.size

    def pack(self) -> None:
        """Compress its records until they are needed."""
        if self.body:
            self.body.pack()

    def stay_unpacked(self) -> None:
        """Keep its records uncompressed."""
        if self.body:
            self.body.stay_unpacked()


def bodies_of(rows: Iterable[Row]) -> list[Body]:
    """The answers that hold the rows, except for rows with bytes of their own."""
    return [body for body in {id(row.source): row.source for row in rows}.values() if isinstance(body, Body)]


class _Checked:
    """The decoders of records that fit their schema, made for the fields' order in the first long answer."""

    def __init__(
        self, xero: XeroObject, order: record_types.Order, report: Callable[[str, str], None]
    ) -> None:
        self.strict = msgspec.json.Decoder(record_types.checked(xero, order)).decode
        self.raw = msgspec.json.Decoder(record_types.raw(xero, order)).decode
        self.decoded = msgspec.json.Decoder(record_types.decoded(xero), float_hook=Decimal).decode
        # The cursor is known from the row.
        fields = {name: word for name, word in xero.fields.items() if name != xero.cursor}
        self.convert_raw = plan_for(fields, "", report, of_bytes=True)
        self.convert = plan_for(xero.fields, "", report, of_bytes=False)


class _Bare(msgspec.Struct):
    """An answer without an envelope: the list or the record itself."""

    records: Any
    pagination: msgspec.Raw = _NULL
    at: msgspec.Raw = _NULL


def _answer_decoder(xero: XeroObject, records: Any, *more: Any) -> _Decode:
    """Make the decoder of an answer whose records have the type `records`."""
    if not xero.envelope:
        decode = msgspec.json.Decoder(records).decode
        return lambda content: _Bare(decode(content))
    fields = [("records", records, msgspec.field(name=xero.envelope)), *more]
    return msgspec.json.Decoder(msgspec.defstruct("Envelope", fields)).decode


class RecordReader:
    """Reads the answers of one object: `page` finds the rows, `record` decodes one.

    Several threads may read pages while one thread decodes records. Fields that the schema lacks and values that can't
    be read are reported once for each field, not once for each record. With `keep` they go into the record's field
    `UNKNOWN`, by their paths. `needed` are the key fields that each record must have; by default the whole key.
    """

    def __init__(
        self,
        xero: XeroObject,
        logger: logging.Logger,
        *,
        keep: bool = False,
        needed: Sequence[str] | None = None,
    ) -> None:
        self.xero = xero
        self.logger = logger
        self.keep = keep
        self._warned: set[str] = set()
        self._row: Row | None = None
        self._checked: _Checked | None = None
        self._shape = Repairer(xero.fields, xero.dropped, xero.api.dates)
        beside: list[Any] = [
            ("pagination", msgspec.Raw, _NULL),
            ("at", msgspec.Raw, msgspec.field(name="DateTimeUTC", default=_NULL)),
        ]
        self._list = _answer_decoder(xero, list[msgspec.Raw], *beside)
        self._single = _answer_decoder(xero, msgspec.Raw, *beside)
        names = [*xero.key, xero.cursor] if xero.cursor else [*xero.key]
        head = msgspec.defstruct("Head", [(name, Any, None) for name in dict.fromkeys(names)])
        self._head = msgspec.json.Decoder(head).decode
        self._key = attrgetter(*xero.key) if xero.key else lambda _: ()
        self._needed = frozenset(xero.key if needed is None else needed)
        self._cursor = attrgetter(xero.cursor) if xero.cursor else lambda _: None

    def _decoders(self, raws: Sequence[msgspec.Raw]) -> _Checked:
        if self._checked is None:
            found = []
            for raw in raws[:SAMPLE]:
                with suppress(ValueError):
                    found.append(values_of(raw))
            self._checked = _Checked(self.xero, record_types.order_of(found), self._warn_of_unfit)
        return self._checked

    # From an answer to rows

    def page(self, content: bytes, call: str, packed: bytes | None = None) -> Page:
        """Find the rows in the body of a list's answer; `packed` is the compressed body, if it was compressed.

        Raises msgspec's DecodeError or UnicodeDecodeError if the body is not JSON in UTF-8, and `UnexpectedAnswer` if
        it doesn't have the list.
        """
        body = Body(content, packed, lambda body, content: self._rows(content, call, body)[0])
        rows, envelope = self._rows(content, call, body)
        return Page(rows, _pagination(envelope.pagination), len(content), _instant(_value(envelope.at)), body)

    def _rows(self, content: bytes, call: str, body: Body) -> tuple[list[Row], Any]:
        content = _on_one_line(content)
        envelope = self._opened(content, call)
        body.opened(content, envelope.records)
        rows = self._fitting(content, body)
        for place, row in enumerate(rows):
            if row is None:
                rows[place] = self._looked_at(body, place, call)
        if self.xero.cursor is not None and any(row.time == "" for row in rows):
            rows = _timed(rows)
        return rows, envelope

    def _opened(self, content: bytes, call: str) -> Any:
        try:
            return self._list(content)
        except msgspec.ValidationError as error:
            named = f" '{self.xero.envelope}'" if self.xero.envelope else ""
            words = f"the answer has no list{named}: {error}"
        try:  # the single GET of a budget shows an object where others have a list
            envelope = self._single(content)
        except msgspec.ValidationError:
            envelope = None
        if envelope is None or not bytes(envelope.records).startswith(b"{"):
            raise UnexpectedAnswer(words, call=call)
        envelope.records = [envelope.records]
        return envelope

    def _fitting(self, content: bytes, body: Body) -> list[Any]:
        """Make the rows of the records that fit their schema; None in the place of any other record."""
        places = body.unchecked
        if places is None and (len(content) < LONG or self._needed != frozenset(self.xero.key)):
            content.decode()
            places = frozenset(range(body.count))
        # Records that were checked before are decoded only as far as their key and cursor.
        decode = self._decoders(body.raws).strict if places is None else self._head
        rows = self._decoded_rows(body, decode, places or frozenset())
        if body.unchecked is None:
            body.unchecked = places = frozenset(place for place, row in enumerate(rows) if row is None)
            if places:
                content.decode()  # the check of a record ends at its first unfit value
        return rows

    def _decoded_rows(self, body: Body, decode: _Decode, left_out: frozenset[int]) -> list[Any]:
        key_of, cursor_of, several = self._key, self._cursor, len(self.xero.key) != 1
        has_cursor = self.xero.cursor is not None
        rows: list[Any] = []
        for place, raw in enumerate(body.raws):
            row = None
            if place not in left_out:
                try:
                    head = decode(raw)
                except msgspec.ValidationError:
                    pass
                else:
                    time: Any = ""
                    if has_cursor:
                        time = cursor_of(head)
                        if type(time) is not int:
                            time = (time and readable_instant(time)) or ""
                    if time != "" or not has_cursor:
                        key = key_of(head)
                        row = Row(key if several else (key,), time, body, place, True)
            rows.append(row)
        return rows

    def _looked_at(self, body: Body, place: int, call: str) -> Row:
        """Make the row of a record that doesn't fit its schema, or was not checked."""
        name = f"record {place + 1} of {call}"
        try:
            parts = _parts(body.raws[place])
        except msgspec.ValidationError:
            return Row((name,) * len(self.xero.key), "", body, place, fault="it is not a JSON object")
        key, fault = [], ""
        for field in self.xero.key:
            part, problem = _key_part(self.xero.fields[field], parts.get(field, _NULL))
            if problem and field in self._needed:
                part, fault = name, f"its {field} is {problem}"
            key.append(part)
        time: Any = ""
        if self.xero.cursor:
            found = _value(parts.get(self.xero.cursor, _NULL))
            time = fitting(self.xero.fields[self.xero.cursor], found)
            time = "" if time is None else time
        return Row(tuple(key), time, body, place, fault=fault)

    # From a row to its record

    def record(self, row: Row) -> Record:
        """Decode a row to fit its schema. Raises `UnexpectedAnswer` if the row has a fault."""
        self._row = row
        if row.fault:
            raise UnexpectedAnswer(f"{' '.join(map(str, row.key))}: {row.fault}")
        if self._checked and row.checked:
            tree = self._checked.decoded(row.raw)
            if self._checked.convert:
                self._checked.convert(tree)
            return cast("Record", msgspec.to_builtins(tree, builtin_types=(Decimal,)))
        findings: Findings = []
        record = self._shape.repaired(values_of(row.raw), "", "", findings)
        for found in findings:
            if found.problem:
                self._warn_of_unfit(found.field, found.problem)
            else:
                self._warn_of_unknown(found.field)
        if findings and self.keep:
            ticks = self.xero.api.dates is DateForm.TICKS
            record[UNKNOWN] = {
                found.place: by_look(found.value, found.field) if ticks else found.value for found in findings
            }
        return record

    def undecoded(self, row: Row) -> Any:
        """Take a checked row apart into a tree whose values are the bytes that Xero sent.

        For records that are emitted as they are, digit for digit: to decode a number and encode it again costs more
        than all the rest. The tree has a field `tenant_id`, which is empty.
        """
        self._row = row
        checked = cast("_Checked", self._checked)  # made when the row was checked
        tree = checked.raw(row.raw)
        if checked.convert_raw:
            checked.convert_raw(tree)
        if self.xero.cursor:
            setattr(tree, self.xero.cursor, row.time)
        return tree

    # Warnings

    def _warn_of_unknown(self, field: str) -> None:
        where = (
            f"It is kept in {UNKNOWN}"
            if self.keep
            else "It is left out; set unknown_fields to keep to keep it"
        )
        self.warn_once(
            f"{self.xero.name} has a field that this version does not know: {field}. {where}. Look for a newer version "
            "of singer-xero."
        )

    def _warn_of_unfit(self, field: str, problem: str) -> None:
        first = " ".join(map(str, self._row.key)) if self._row else ""
        self.warn_once(
            f"{self.xero.name}: {field} holds {problem}; null is emitted instead. First seen in "
            f"{first or 'its one record'}.",
            field,
        )

    def warn_once(self, message: str, about: str | None = None) -> None:
        """Log a warning, unless there was one about the same thing."""
        about = about or message
        if about not in self._warned:
            self._warned.add(about)
            self.logger.warning(message)


_parts = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_any_value = msgspec.json.Decoder(float_hook=Decimal).decode
_any_record = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode
_counts = msgspec.json.Decoder(Pagination, strict=False).decode

_BEYOND = "1e99999999999999999999"
"""A number that no type can hold."""

_LONG_NUMBER = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d{400,}')


def values_of(content: msgspec.Raw | bytes) -> Record:
    """Decode a JSON object exactly; numbers that no type can hold become text. Raises ValueError for anything else."""
    try:
        return _any_record(content)
    except (ArithmeticError, msgspec.ValidationError):
        content = _LONG_NUMBER.sub(
            lambda found: found[0] if found[0].startswith(b'"') else _BEYOND.encode(), bytes(content)
        )
        return msgspec.json.Decoder(dict[str, Any], float_hook=_decimal).decode(content)


def _decimal(digits: str) -> Decimal | str:
    try:
        return Decimal(digits)
    except ArithmeticError:
        return digits


def _value(raw: msgspec.Raw) -> Any:
    """Decode one value; None if it can't be decoded."""
    try:
        return _any_value(raw)
    except (ArithmeticError, msgspec.ValidationError):
        return None


def _key_part(word: Field, raw: msgspec.Raw) -> tuple[Any, str]:
    """Read a field of the key: its value in the record, or what is wrong with it."""
    value = _value(raw)
    if value is None or value == "":
        return None, "missing"
    if isinstance(value, (bool, Decimal)):
        return None, "neither text nor a whole number"
    try:
        return reader_of(word)(value), ""
    except Unfit as problem:
        return None, str(problem)


def _instant(value: Any) -> str:
    """A moment as text of fixed width; "" if there is none."""
    return (readable_instant(value) if isinstance(value, str) else None) or ""


def _pagination(raw: msgspec.Raw) -> Pagination | None:
    try:
        return _counts(raw)
    except msgspec.ValidationError:
        return None


def _on_one_line(content: bytes) -> bytes:
    """Remove line breaks and blanks from JSON: a record is emitted as the bytes that Xero sent, on one line."""
    if b"\n" in content or b"\r" in content or b'": ' in content[:100]:
        return msgspec.json.format(content, indent=-1)
    return content


def _timed(rows: list[Row]) -> list[Row]:
    """Give a time to each row without one; see `filled`."""
    times = filled(row.time for row in rows)
    return [msgspec.structs.replace(row, time=time) for row, time in zip(rows, times, strict=True)]


def filled(times: Iterable[Any]) -> list[Any]:
    """Give each row without a readable time ("") the time of the row before it, or of the first row with a time.

    Lists come in the order of change, so one unreadable value must not make a list look unordered.
    """
    found = list(times)
    time = next((one for one in found if one != ""), "")
    for place, one in enumerate(found):
        time = found[place] = one if one != "" else time
    return found
