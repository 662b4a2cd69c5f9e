"""Every value of every stream is damaged in every way, one at a time, and each damage affects only that value.

The records are those of the demo company. An answer holds one whole record and copies of it, each with one
damaged value. Whatever the damage, all copies arrive except those without a key, everything else is unchanged,
and the output fits its schema.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import jsonschema
import msgspec
import pytest

from singer_xero.api.client import XeroClient
from singer_xero.objects import OBJECTS, SUBRESOURCES, Paging, Subresource, XeroObject
from xero_sandbox import AdminClient, Sandbox

from .runs import Run, read
from .test_schemas import CHECKER, floats

MISSING = "(missing)"
EXTRA = '[{"since": "/Date(0)/"}]'

#: The replacements of a value, as JSON; among them half a surrogate pair, NUL and bytes that are not UTF-8.
DAMAGES = (
    MISSING, EXTRA, "null", "true", "0", "5", "5.25", "-0.00", '"text"', '"600.00"', '" 12 "', '"true"', '""', "[]",
    "{}", '{"a":1}', "[null]", "[[1]]", '["x"]', "1e400", "-1E+5", "1" * 400, "9" * 5000, "1e99999999999999999999",
    f'"{"x" * 5000}"', '"/Date(9999999999999999)/"', '"/Date(x)/"', '"2026-13-45"', '"NaN"', '"1_000"',
    '"Tōtara 🛶 \\u202e"', '"a\\u0000b"', '"\\\\u0000"', '"cut \\ud83d"', '"\\ude00 cut"', '"\udcff\udcfe"',
    "[" * 50 + "]" * 50,
)  # fmt: skip

#: The form in which damaged text arrives.
MENDED = {
    '"a\\u0000b"': "ab",
    '"cut \\ud83d"': "cut \ufffd",
    '"\\ude00 cut"': "\ufffd cut",
    '"\udcff\udcfe"': "\ufffd\ufffd",
}

#: The form in which damaged numbers arrive.
NUMBERS = {
    "0": "0",
    "5": "5",
    "5.25": "5.25",
    "-0.00": "-0.00",
    '"600.00"': "600.00",
    '" 12 "': "12",
    "-1E+5": "-1E+5",
}

OF_LISTS, OF_OTHERS = 250, 80
"""Damages in each list, and in each of the other answers."""

LISTS = [name for name, xero in OBJECTS.items() if not xero.detail]
SINGLES = [name for name, xero in OBJECTS.items() if xero.detail]


@dataclass(frozen=True)
class Damage:
    """A damage of one value of a record: the path of the value, and the kind of damage."""

    path: tuple[str | int, ...]
    number: int

    @property
    def json(self) -> str:
        """The replacement of the value."""
        return DAMAGES[self.number]

    @property
    def field(self) -> str:
        """The value's path by Xero's names."""
        return ".".join(part for part in self.path if isinstance(part, str))

    def __str__(self) -> str:
        return f"{self.field}: {self.json[:30]!r}"

    def in_place(self, record: dict[str, Any]) -> dict[str, Any]:
        """A record with this damage; `text_of` renders the replacement."""
        damaged = deepcopy(record)
        holder: Any = damaged
        for part in self.path[:-1]:
            holder = holder[part]
        if self.json == MISSING:
            del holder[self.path[-1]]
        else:
            holder[self.path[-1]] = f"<<{self.number}>>"
        return damaged

    @property
    def is_sent(self) -> bool:
        """Whether the replacement has a value."""
        return self.json not in {MISSING, "null", '""'}

    @property
    def text(self) -> str | None:
        """The text that arrives in a text field; None if the replacement is not a damage there."""
        if self.json in MENDED:
            return MENDED[self.json]
        return str(json.loads(self.json)) if self.json.startswith('"') else None


def text_of(value: Any) -> bytes:
    """JSON with the damages, as bytes that may not be valid text."""
    text = msgspec.json.encode(value).decode()
    for number, damage in enumerate(DAMAGES):
        text = text.replace(f'"<<{number}>>"', damage)
    return text.encode("utf-8", "surrogateescape")


def damages_of(record: dict[str, Any], most: int) -> list[Damage]:
    """The damages of a record: all of them, or this number of all kinds and places."""
    found = [Damage(path, number) for path, kinds in _places(record, ()) for number in kinds]
    return found if len(found) <= most else random.Random(len(found)).sample(found, most)


def _places(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], list[int]]]:
    """The places of a record that can be damaged, with the kinds of damage; for lists, only the first element."""
    everything = [number for number, damage in enumerate(DAMAGES) if damage not in {MISSING, EXTRA}]
    if isinstance(value, dict):
        yield (*path, "Novelty"), [DAMAGES.index(EXTRA)]
        for name, inner in value.items():
            yield (*path, name), [*everything, DAMAGES.index(MISSING)]
            yield from _places(inner, (*path, name))
    elif isinstance(value, list) and value:
        yield (*path, 0), everything
        yield from _places(value[0], (*path, 0))


class Copies:
    """An undamaged record and damaged copies of it, each with its own key and time of change."""

    def __init__(self, xero: XeroObject, record: dict[str, Any], damages: list[Damage]) -> None:
        self.xero, self.damages = xero, damages
        self._first = record
        told = xero.own_key if isinstance(xero, Subresource) else xero.key
        self.stamp = str(xero.numbered if isinstance(xero, Subresource) else xero.cursor)
        self.own_key = told[-1] if told and told[-1] in record else None
        self.records = [self._numbered(record, 0)]
        self.records += [
            damage.in_place(self._numbered(record, number)) for number, damage in enumerate(damages, 1)
        ]

    def key(self, number: int) -> Any:
        """The key of a copy, or its position."""
        return self._key(self._first[self.own_key], number) if self.own_key else number

    def _key(self, first: Any, number: int) -> Any:
        return f"{first[:-12]}{number:012}" if len(first) == 36 else f"{first[:20]}{number:04}"

    def _numbered(self, record: dict[str, Any], number: int) -> dict[str, Any]:
        own = dict(record)
        if self.own_key:
            own[self.own_key] = self._key(own[self.own_key], number)
        if self.xero.paging is Paging.OFFSET:
            own[self.stamp] = 10_000_000 + number
        elif self.stamp in own:
            own[self.stamp] = f"/Date({1_795_132_800_000 + 1000 * number}+0000)/"
        return own

    def answer(self) -> bytes:
        """Xero's answer with all copies."""
        counts = {"page": 1, "pageSize": 1000, "pageCount": 1, "itemCount": len(self.records)}
        return text_of({"Id": "0", "Status": "OK", "pagination": counts, self.xero.envelope: self.records})


def problems(run: Run, copies: Copies, stream: str) -> Iterator[str]:
    """The faults of a run over damaged copies."""
    schema = run.of("SCHEMA", stream)[0]["schema"]
    validator = jsonschema.Draft7Validator(closed(schema), format_checker=CHECKER)
    key = copies.own_key
    found = run.records[stream]
    by_key = {record[key]: record for record in found} if key else dict(enumerate(found))
    first = by_key[copies.key(0)]
    lost = 0
    for number, damage in enumerate(copies.damages, 1):
        if damage.path == (key,):
            lost += not is_key(damage, schema["properties"][key].get("maxLength", 10**6))
            continue
        record = by_key.get(copies.key(number))
        if record is None:
            yield f"{damage}: the record did not arrive"
            continue
        yield from (
            f"{damage}: {list(error.path)}: {error.message}"
            for error in validator.iter_errors(floats(record))
        )
        changed = {name for name in first.keys() | record.keys() if first.get(name) != record.get(name)}
        others = changed - {damage.path[0], copies.stamp, *copies.xero.key}
        if others:
            yield f"{damage}: {others} changed too"
        if damage.path[0] not in copies.xero.key:
            yield from _wrong_value(run, damage, record, schema, stream)
    if len(found) != len(copies.records) - lost:
        yield f"{len(found)} records of {len(copies.records) - lost}"
    if sum(1 for failure in run.tap.failures if failure.stream == stream) != lost:
        yield f"{len(run.tap.failures)} failures instead of {lost}: {sorted(run.failed.values())[:3]}"


def _wrong_value(
    run: Run, damage: Damage, record: dict[str, Any], schema: dict[str, Any], stream: str
) -> Iterator[str]:
    value, fragment = record, schema
    for part in damage.path:
        if isinstance(part, str):
            if part not in fragment.get("properties", {}):  # not in the schema, like Novelty
                known = part != "Novelty" or any(damage.field in line for line in run.warnings)
                if not known:
                    yield f"{damage}: nothing is told"
                return
            fragment = fragment["properties"][part]
            value = value.get(part) if value else None
        else:
            fragment = fragment["items"]
            value = value[part] if value else None
    told = any(f"{stream}: {damage.field} holds " in line for line in run.warnings)
    if value is None and damage.is_sent and not told:
        yield f"{damage}: null, and nothing is told"
    types = fragment["type"]
    is_text = "string" in types and "format" not in fragment
    fits = damage.text is not None and len(damage.text) <= fragment.get("maxLength", 10**6)
    if is_text and fits and value != damage.text:
        yield f"{damage}: {value!r}"
    if "number" in types and damage.json in NUMBERS and str(value) != NUMBERS[damage.json]:
        yield f"{damage}: {value!r}"


def is_key(damage: Damage, most: int) -> bool:
    """Whether a damaged key is still a key."""
    if damage.text is not None:
        return 0 < len(damage.text) <= most
    return damage.json.isdigit() and len(damage.json) <= min(most, 300)


def closed(schema: Any) -> Any:
    """A schema that allows no other field, at any depth."""
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(inner) if name == "items" else inner for name, inner in schema.items()}
    if "properties" in schema:
        found["properties"] = {name: closed(inner) for name, inner in schema["properties"].items()}
        found["additionalProperties"] = False
    return found


# Where the records come from

#: Values for fields that are empty in the demo company.
INVENTED = {
    "guid": "3a1d8f52-0b6c-4f2e-9a57-6f1f0c9be001",
    "text": "words",
    "flag": True,
    "whole": 12,
    "percent": Decimal("20.00"),
    "instant": "/Date(1795132800000+0000)/",
}


def richest(records: list[dict[str, Any]]) -> dict[str, Any]:
    """One record with the parts of all records: if one has no lines, those of another are used."""
    best = max(records, key=lambda record: len(msgspec.json.encode(record)))
    for record in records:
        for name, value in record.items():
            if value not in (None, "", [], {}) and best.get(name) in (None, "", [], {}):
                best = {**best, name: value}
    return {name: value[:1] if isinstance(value, list) else value for name, value in best.items()}


def list_of(client: XeroClient, xero: XeroObject) -> list[dict[str, Any]]:
    params = {**xero.params, "includeArchived": "true"} if xero.archived else dict(xero.params)
    found: list[dict[str, Any]] = client.get(None, xero.path, params).json()[xero.envelope]
    return found[:100]


def single_of(client: XeroClient, path: str, envelope: str) -> list[dict[str, Any]]:
    found = client.get(None, path).json()[envelope]
    return found if isinstance(found, list) else [found]


@pytest.fixture(params=["as a whole", "one by one"])
def most(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Both ways of reading an answer, with their numbers of damages."""
    monkeypatch.setattr("tap_xero.records.reader.LONG", 0 if request.param == "as a whole" else 10**9)
    return OF_LISTS if request.param == "as a whole" else OF_OTHERS


def sample(client: XeroClient, detail: Subresource) -> tuple[dict[str, Any], dict[str, Any]]:
    """A record and its subresources; invented if the demo company has none."""
    parents = list_of(client, detail.of)[:20]
    for parent in parents:
        if all(parent.get(name) in allowed for name, allowed in detail.where.items()):
            path = detail.path.format(id=quote(parent[detail.of.key[0]]))
            found = single_of(client, path, detail.envelope)
            if found:
                return parent, richest(found)
    wanted = {name: next(iter(allowed)) for name, allowed in detail.where.items()}
    made_up = {name: INVENTED[word.kind] for name, word in detail.fields.items() if name not in detail.of.key}
    return {**parents[0], **wanted}, made_up


# The tests


@pytest.fixture
def admin(running_sandbox: Sandbox) -> AdminClient:
    return running_sandbox.admin


def answer(admin: AdminClient, path: str, content: bytes, count: int = 0) -> None:
    """Let calls of a path get this answer."""
    admin.fault("status", path=path, status=200, hex=content.hex(), count=count)


@pytest.mark.parametrize("stream", LISTS)
def test_a_damaged_value_in_a_list_affects_only_itself(
    demo: dict[str, Any], admin: AdminClient, client: XeroClient, stream: str, most: int
) -> None:
    xero = OBJECTS[stream]
    record = richest(list_of(client, xero))
    copies = Copies(xero, record, damages_of(record, most))
    answer(admin, xero.path, copies.answer(), count=xero.paging is Paging.OFFSET)
    assert list(problems(read(demo, stream), copies, stream))[:20] == []


@pytest.mark.parametrize("stream", SINGLES)
def test_a_damaged_value_in_a_single_record_affects_only_itself(
    demo: dict[str, Any], admin: AdminClient, client: XeroClient, stream: str
) -> None:
    """The list is valid, and each record is read by its own call."""
    xero = OBJECTS[stream]
    (key,) = xero.key
    listed = list_of(client, xero)
    singles = [
        one for row in listed for one in single_of(client, f"{xero.path}/{quote(row[key])}", xero.envelope)
    ]
    record = richest(singles)
    copies = Copies(xero, record, [one for one in damages_of(record, OF_OTHERS) if one.path != (key,)])
    rows = [{**listed[0], key: copies.key(number)} for number in range(len(copies.records))]
    answer(admin, xero.path, msgspec.json.encode({xero.envelope: rows}))
    for one in copies.records:
        answer(admin, f"{xero.path}/{one[key]}", text_of({xero.envelope: [one]}))
    assert list(problems(read(demo, stream), copies, stream))[:20] == []


@pytest.mark.parametrize("stream", SUBRESOURCES)
def test_a_damaged_value_in_a_subresource_affects_only_itself(
    demo: dict[str, Any], admin: AdminClient, client: XeroClient, stream: str
) -> None:
    detail = SUBRESOURCES[stream]
    parent, record = sample(client, detail)
    copies = Copies(detail, record, damages_of(record, OF_OTHERS))
    answer(admin, detail.of.path, msgspec.json.encode({detail.of.envelope: [parent]}))
    answer(admin, detail.path.format(id=parent[detail.of.key[0]]), copies.answer())
    assert list(problems(read(demo, stream), copies, stream))[:20] == []


def test_the_tests_damage_more_than_five_thousand_values(client: XeroClient) -> None:
    lists = [len(damages_of(richest(list_of(client, OBJECTS[name])), OF_LISTS)) for name in LISTS]
    assert sum(lists) > 5_000
