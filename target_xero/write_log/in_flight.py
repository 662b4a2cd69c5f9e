"""The requests in flight, one row each, with all that the next run needs if their answers never come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, cast

import msgspec

from target_xero.content.json_text import decode, encode
from target_xero.write_log.database import Database, Transaction
from target_xero.write_log.schema import insertion

#: What a request does to a record.
Action = Literal["create", "update", "remove"]


class SentRecord(NamedTuple):
    """A record of a request; the body is what was sent, as JSON, and the job what the next run needs besides."""

    key: str
    hash: str
    body: msgspec.Raw
    job: Any


_decode = msgspec.json.Decoder(list[tuple[str, str, msgspec.Raw, msgspec.Raw]]).decode
_PUT = (
    f"{insertion('request')} ON CONFLICT (scope, request) DO UPDATE SET object = excluded.object,"
    " action = excluded.action, path = excluded.path, sent_at = excluded.sent_at, records = excluded.records"
)


@dataclass(frozen=True, slots=True)
class PendingWrite:
    """A record in flight: what was asked of Xero, when (by Xero's clock), and by which request."""

    object: str
    key: str
    request: str
    action: Action
    path: str
    hash: str
    body: dict[str, Any]
    job: dict[str, Any]
    sent_at: str


@dataclass(frozen=True, slots=True)
class Request:
    """A request in flight; `records` are its records by their identities."""

    key: str
    object: str
    action: Action
    path: str
    sent_at: str
    records: Mapping[str, SentRecord]


class RequestsInFlight:
    """The requests in flight of one organisation.

    Changes are in memory until `save` writes them; `is_saved` tells whether there are none.
    """

    def __init__(self, database: Database, scope: str) -> None:
        self._scope = scope
        self._requests: dict[str, Request] = {}
        self._request_of: dict[tuple[str, str], str] = {}
        self._changed: set[str] = set()
        query = "SELECT request, object, action, path, sent_at, records FROM {request} WHERE scope = ?"
        for key, name, action, path, sent_at, content in database.rows(
            f"{query} ORDER BY sent_at, request", (scope,)
        ):
            records = {record[0]: SentRecord(*record) for record in _decode(content)}
            self._note(Request(key, name, cast("Action", action), path, sent_at, records))

    @property
    def is_saved(self) -> bool:
        """Whether the database has all requests as they are."""
        return not self._changed

    def pending(self) -> list[PendingWrite]:
        """Return every record in flight, in the order in which they were sent."""
        return [
            PendingWrite(
                one.object, record.key, one.key, one.action, one.path, record.hash,
                decode(record.body), decode(encode(record.job)), one.sent_at,
            )
            for one in self._requests.values()
            for record in one.records.values()
        ]  # fmt: skip

    def put(self, request: Request) -> None:
        """Take in a request. Its records are no longer in flight by an earlier one.

        Raises ValueError if the request is in flight with records that this one lacks.
        """
        old = self._requests.get(request.key)
        if old and old.records.keys() - request.records.keys():
            raise ValueError(f"the request {request.key} is in flight with other records")
        self.take_out(request.object, request.records)
        self._note(request)
        self._changed.add(request.key)

    def _note(self, request: Request) -> None:
        self._requests[request.key] = request
        self._request_of |= dict.fromkeys([(request.object, key) for key in request.records], request.key)

    def take_out(self, object_name: str, keys: Iterable[str]) -> None:
        """Remove records from their requests."""
        done: defaultdict[str, set[str]] = defaultdict(set)
        for key in keys:
            if request := self._request_of.pop((object_name, key), None):
                done[request].add(key)
        self._changed.update(done)
        for request, settled in done.items():
            old = self._requests[request]
            if len(settled) == len(old.records):
                del self._requests[request]
            else:
                left = {key: one for key, one in old.records.items() if key not in settled}
                self._requests[request] = replace(old, records=left)

    def save(self, change: Transaction) -> None:
        """Write what has changed; call `note_saved` once the transaction is committed."""
        for key in self._changed:
            one = self._requests.get(key)
            if one is None:
                change.run("DELETE FROM {request} WHERE scope = ? AND request = ?", (self._scope, key))
            else:
                records = _joined(one.records.values())
                values = (self._scope, key, one.object, one.action, one.path, one.sent_at, records)
                change.run(_PUT, values)

    def note_saved(self) -> None:
        """Note that the database has what `save` has written."""
        self._changed.clear()


def _joined(records: Iterable[SentRecord]) -> bytes:
    return encode(list(records))


def gathered(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return rows of `OLD_FLIGHT` as rows of requests."""
    records: defaultdict[tuple[Any, ...], list[SentRecord]] = defaultdict(list)
    for *request, key, content, body, job in rows:
        sent = SentRecord(key, content, msgspec.Raw(body.encode()), msgspec.Raw(job.encode()))
        records[tuple(request)].append(sent)
    return [(*request, _joined(of)) for request, of in records.items()]
