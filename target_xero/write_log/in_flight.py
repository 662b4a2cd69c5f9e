"""The requests in flight, one row each, with all that the next run needs if their answers never come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import msgspec

from target_xero.content.json_text import decode, encode
from target_xero.write_log.database import Database, Transaction
from target_xero.write_log.schema import insertion

#: What a request does to a record.
Action = Literal["create", "update", "remove"]
#: The records of a request: (identity, content hash, body, job) each.
_records = msgspec.json.Decoder(list[msgspec.Raw]).decode
_record = msgspec.json.Decoder(tuple[str, str, msgspec.Raw, msgspec.Raw]).decode


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
    """A request in flight; `records` are the encoded records by their identities."""

    key: str
    object: str
    action: Action
    path: str
    sent_at: str
    records: Mapping[str, bytes]


class RequestsInFlight:
    """The requests in flight of one organisation."""

    def __init__(self, database: Database, scope: str) -> None:
        self._scope = scope
        self._requests: dict[str, Request] = {}
        self._request_of: dict[tuple[str, str], str] = {}
        query = "SELECT request, object, action, path, sent_at, records FROM {request} WHERE scope = ?"
        for key, name, action, path, sent_at, content in database.rows(
            f"{query} ORDER BY sent_at, request", (scope,)
        ):
            records = {_record(one)[0]: bytes(one) for one in _records(content)}
            self.note([Request(key, name, cast("Action", action), path, sent_at, records)])

    def pending(self) -> list[PendingWrite]:
        """Return every record in flight, in the order in which they were sent."""
        return [
            PendingWrite(one.object, key, one.key, one.action, one.path, content, body, job, one.sent_at)
            for one in self._requests.values()
            for key, content, body, job in map(decode, one.records.values())
        ]

    def put(self, change: Transaction, request: Request) -> list[Request]:
        """Log a request. Returns all changed requests, for `note`."""
        left = self.take_out(change, request.object, request.records)
        change.run(
            insertion("request"),
            (
                self._scope, request.key, request.object, request.action, request.path, request.sent_at,
                _joined(request.records.values()),
            ),
        )  # fmt: skip
        return [*left, request]

    def take_out(self, change: Transaction, object_name: str, keys: Iterable[str]) -> list[Request]:
        """Remove records from their requests. Returns the changed requests, for `note`."""
        done: defaultdict[str, set[str]] = defaultdict(set)
        for key in keys:
            if request := self._request_of.get((object_name, key)):
                done[request].add(key)
        changed = []
        for request, settled in done.items():
            old = self._requests[request]
            left = {} if len(settled) == len(old.records) else old.records
            new = replace(old, records={key: one for key, one in left.items() if key not in settled})
            place = (self._scope, request)
            if new.records:
                update = "UPDATE {request} SET records = ? WHERE scope = ? AND request = ?"
                change.run(update, (_joined(new.records.values()), *place))
            else:
                change.run("DELETE FROM {request} WHERE scope = ? AND request = ?", place)
            changed.append(new)
        return changed

    def note(self, requests: Iterable[Request]) -> None:
        """Take in changed requests, once the transaction is committed."""
        for request in requests:
            old = self._requests.pop(request.key, None)
            for key in old.records if old else ():
                del self._request_of[request.object, key]
            if request.records:
                self._requests[request.key] = request
                self._request_of |= dict.fromkeys(
                    ((request.object, key) for key in request.records), request.key
                )


def encoded(key: str, content: str, body: bytes, job: bytes) -> bytes:
    """Return a record of a request as JSON."""
    return b"[%b,%b,%b]" % (encode((key, content))[1:-1], body, job)


def _joined(records: Iterable[bytes]) -> bytes:
    return b"[%b]" % b",".join(records)


def gathered(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return rows of `OLD_FLIGHT` as rows of requests."""
    records: defaultdict[tuple[Any, ...], list[bytes]] = defaultdict(list)
    for *request, key, content, body, job in rows:
        records[tuple(request)].append(encoded(key, content, body.encode(), job.encode()))
    return [(*request, _joined(of)) for request, of in records.items()]
