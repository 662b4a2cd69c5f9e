"""A minimal stand-in for Xero's API on loopback, in its own process, which takes hardly any CPU.

It returns the invoices of `benchmarks.invoices` or `benchmarks.varied` by page and time of change like Xero, the
journals of `benchmarks.journals`, and empty lists for everything else. Answers are built once and cached. `POST /bench`
sets the number of records, the delay of each answer and whether Xero's limits apply, and resets the counters. `GET
/bench` returns the counters.

    python -m benchmarks.server       # prints its port
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import re
import uuid
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timezone
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from benchmarks import journals
from benchmarks.invoices import changed_ms, first_since, invoice
from benchmarks.varied import Varied

KEPT = 128 * 2**20
"""The most bytes of answers to cache."""

_PLENTY = 1_000_000
_SCOPES = (
    "accounting.transactions accounting.contacts accounting.settings accounting.reports.read "
    "accounting.journals.read accounting.budgets.read accounting.invoices accounting.payments "
    "accounting.banktransactions accounting.manualjournals accounting.attachments paymentservices "
    "offline_access"
)
_WORDS = {200: "OK", 304: "Not Modified", 404: "Not Found", 429: "Too Many Requests"}


@cache
def various() -> Varied:
    """The invoices of the demo company, generated at the first request for them."""
    return Varied()


def tenant(number: int) -> str:
    """The id of the organisation with this number."""
    return str(uuid.UUID(int=(0xBE << 120) + (4 << 76) + (2 << 62) + number))


class Kept:
    """A cache of answers by request, which drops the oldest ones first."""

    def __init__(self) -> None:
        self._answers: OrderedDict[Any, bytes] = OrderedDict()
        self._size = 0

    def get(self, request: Any, make: Callable[[], bytes]) -> bytes:
        """The answer to a request, built with `make` if it is not cached."""
        found = self._answers.get(request)
        if found is None:
            found = self._answers[request] = make()
            self._size += len(found)
            while self._size > KEPT:
                self._size -= len(self._answers.popitem(last=False)[1])
        return found


class Xero:
    """The content of the server, its answers and its counters."""

    def __init__(self) -> None:
        self.kept = Kept()
        self.set({})

    def set(self, options: dict[str, Any]) -> None:
        """Set the content and behaviour, and reset the counters.

        `options`: the numbers of `invoices`, `journals` and `tenants`; `varied` for the invoices of the demo company;
        `latency` in seconds for each answer; `limits` to apply Xero's limits.
        """
        self.invoices: int = options.get("invoices", 0)
        self.journals: int = options.get("journals", 0)
        self.varied = bool(options.get("varied"))
        self.invoice = various().invoice if self.varied else invoice
        self.tenants: int = options.get("tenants", 1)
        self.latency: float = options.get("latency", 0.0)
        self.limits: bool = options.get("limits", False)
        self.calls: Counter[str] = Counter()
        self.sent = self.waited = self.written = self.refused = 0.0
        self.first = self.last = 0.0
        self.flying: Counter[str] = Counter()
        self.most = 0
        self.minute: dict[str, deque[float]] = {}

    def counted(self) -> dict[str, Any]:
        """The counters since `set`; `seconds` are from the first request to the last answer."""
        return {
            "calls": sum(self.calls.values()),
            "paths": dict(self.calls),
            "bytes": self.sent,
            "waits": self.waited,
            "most_at_once": self.most,
            "refused": self.refused,
            "written": self.written,
            "seconds": self.last - self.first,
        }

    def limit(self, tenant_id: str, now: float) -> tuple[int, list[str]] | None:
        """Count a call. Returns the status and headers of a refusal over 5 concurrent calls or 60 in any minute."""
        window = self.minute.setdefault(tenant_id, deque())
        while window and window[0] <= now - 60:
            window.popleft()
        if self.limits and self.flying[tenant_id] >= 5:
            return 429, ["X-Rate-Limit-Problem: concurrent"]
        if self.limits and len(window) >= 60:
            wait = int(window[0] + 60 - now) + 1
            return 429, ["X-Rate-Limit-Problem: minute", f"Retry-After: {wait}"]
        window.append(now)
        return None

    def left(self, tenant_id: str) -> list[str]:
        """The headers with the remaining calls."""
        left = 60 - len(self.minute.get(tenant_id, ())) if self.limits else _PLENTY
        return [f"X-MinLimit-Remaining: {left}", "X-AppMinLimit-Remaining: 9999"]

    def now(self) -> str:
        """The time of the organisation: an hour after the last change, so that no record is being edited."""
        return f"/Date({changed_ms(self.invoices) + 3_600_000})/"

    def plain(self, path: str) -> bytes | None:
        """The answer to a request without an organisation, or None."""
        if path == "/connect/token":
            claims = json.dumps({"scope": _SCOPES.split(), "exp": 4_000_000_000}).encode()
            parts = [b'{"alg":"HS256","typ":"JWT"}', claims, b"unsigned"]
            token = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
            answer = {
                "access_token": token,
                "expires_in": 1800,
                "token_type": "Bearer",
                "refresh_token": "next",
            }
            return json.dumps({**answer, "scope": _SCOPES}).encode()
        if path == "/connections":
            kind = {"tenantType": "ORGANISATION"}
            found = range(self.tenants)
            return json.dumps(
                [
                    {"id": tenant(1000 + n), "tenantId": tenant(n), "tenantName": f"Org {n}", **kind}
                    for n in found
                ]
            ).encode()
        return None

    def list_of(self, name: str, query: dict[str, list[str]], since: str | None, *, packed: bool) -> bytes:
        """A page of a list."""
        first = min(first_since(_moment(since)), self.invoices) if since and name == "Invoices" else 0
        page = int(query.get("page", ["1"])[0])
        size = int(query.get("pageSize", ["100"])[0])
        there = self.invoices - first if name == "Invoices" else 0
        request = (name, first, page, size, self.invoices, packed, self.varied)

        def make() -> bytes:
            begin = min((page - 1) * size, there)
            rows = ",".join(map(self.invoice, range(first + begin, first + min(begin + size, there))))
            if name == "TrackingCategories":
                rows = _REGION
            counts = (
                f'{{"page":{page},"pageSize":{size},"pageCount":{-(-there // size)},"itemCount":{there}}}'
            )
            body = (
                f'{{"Id":"{tenant(7)}","Status":"OK","ProviderName":"Benchmark","DateTimeUTC":"{self.now()}",'
                f'"pagination":{counts},"{name}":[{rows}]}}'
            ).encode()
            return gzip.compress(body, 1) if packed else body

        return self.kept.get(request, make)

    def journals_of(self, query: dict[str, list[str]], *, packed: bool) -> bytes:
        """The journals after an offset, numbered from 1. They are too many to cache."""
        offset = int(query.get("offset", ["0"])[0])
        numbers = range(offset + 1, min(offset + journals.PER_PAGE, self.journals) + 1)
        rows = ",".join(map(journals.journal, numbers))
        now = f"/Date({changed_ms(self.journals) + 3_600_000})/"
        body = f'{{"Id":"{tenant(7)}","Status":"OK","DateTimeUTC":"{now}","Journals":[{rows}]}}'.encode()
        return gzip.compress(body, 1) if packed else body

    def written_of(self, name: str, body: bytes) -> bytes:
        """Accept a write. Each element is returned with an id, as with summarizeErrors=false."""
        elements = json.loads(body)[name]
        self.written += len(elements)
        key = f"{name[:-1]}ID"
        for element in elements:
            element.setdefault(key, str(uuid.uuid4()))
            element.update(StatusAttributeString="OK", HasErrors=False, ValidationErrors=[])
            element["UpdatedDateUTC"] = self.now()
        answer = {"Id": tenant(7), "Status": "OK", "DateTimeUTC": self.now(), name: elements}
        return json.dumps(answer, ensure_ascii=False).encode()


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(re.sub(r"\.\d+|Z$|\+00:00$", "", text))
    return found.replace(tzinfo=timezone.utc)


def contacts_of(query: dict[str, list[str]]) -> list[dict[str, Any]]:
    """The contacts that a `where` or `searchTerm` names; all of them exist."""
    names = re.findall(r'Name\s*==\s*"((?:[^"\\]|\\.)*)"', "".join(query.get("where", [])))
    names += query.get("searchTerm", [])
    return [
        {"ContactID": str(uuid.uuid5(uuid.NAMESPACE_DNS, name)), "Name": name, "ContactStatus": "ACTIVE"}
        for name in dict.fromkeys(names)
    ]


#: The tracking category of the benchmark's invoices.
_REGION = json.dumps(
    {
        "TrackingCategoryID": "af1c9cc1-eb46-59fe-be5b-8c984dce9b8b",
        "Name": "Region",
        "Status": "ACTIVE",
        "Options": [
            {"TrackingOptionID": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"Region {n}")), "Name": f"Region {n}"}
            for n in range(8)
        ],
    }
)


class Connection(asyncio.Protocol):
    """The connection of a client, which sends the next request after the answer."""

    def __init__(self, xero: Xero) -> None:
        self.xero = xero
        self.buffer = bytearray()
        self.loop = asyncio.get_running_loop()

    def connection_made(self, transport: Any) -> None:
        """Store the transport."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer as soon as a request is complete."""
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        start, *lines = self.buffer[:end].decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        if len(self.buffer) < end + 4 + length:
            return
        body = bytes(self.buffer[end + 4 : end + 4 + length])
        del self.buffer[: end + 4 + length]
        verb, target, _ = start.split(" ")
        self.answer(verb, target, headers, body)

    def answer(self, verb: str, target: str, headers: dict[str, str], body: bytes) -> None:
        """Answer a request."""
        xero, address = self.xero, urlsplit(target)
        path = unquote(address.path)
        if path == "/bench":
            if verb == "POST":
                xero.set(json.loads(body))
            self.send(200, [], json.dumps(xero.counted()).encode())
            return
        now = self.loop.time()
        xero.first = xero.first or now
        plain = xero.plain(path)
        if plain is not None:
            xero.calls[path] += 1
            self.send(200, [], plain)
            return
        tenant_id = headers.get("xero-tenant-id", "")
        name, _, part = path.removeprefix("/api.xro/2.0/").partition("/")
        refusal = xero.limit(tenant_id, now)
        if refusal:
            xero.refused += 1
            self.send(refusal[0], refusal[1], b"")
            return
        xero.calls[f"{verb} {name}"] += 1
        xero.flying[tenant_id] += 1
        xero.most = max(xero.most, xero.flying[tenant_id])
        query = parse_qs(address.query)
        content, packed = self.content_of(verb, name, part, query, headers, body)

        def finish() -> None:
            xero.flying[tenant_id] -= 1
            self.send(200, [*xero.left(tenant_id), *(["Content-Encoding: gzip"] if packed else [])], content)

        if xero.latency:
            xero.waited += xero.latency
            self.loop.call_later(xero.latency, finish)
        else:
            finish()

    def content_of(
        self,
        verb: str,
        name: str,
        part: str,
        query: Mapping[str, list[str]],
        headers: Mapping[str, str],
        body: bytes,
    ) -> tuple[bytes, bool]:
        """The body of an answer of the API, and whether it is compressed."""
        xero, tenant_id = self.xero, headers.get("xero-tenant-id", "")
        if verb != "GET":
            return xero.written_of(name, body), False
        if part == "Actions":
            return b'{"Actions":[]}', False
        if name == "Organisation":
            one = {"OrganisationID": tenant_id or tenant(0), "Name": "Org 0", "BaseCurrency": "NZD"}
            return json.dumps({"Organisations": [one]}).encode(), False
        if name == "Contacts" and ("where" in query or "searchTerm" in query):
            found = {"DateTimeUTC": xero.now(), "Contacts": contacts_of(query)}
            return json.dumps(found).encode(), False
        packed = "gzip" in headers.get("accept-encoding", "")
        if name == "Journals":
            return xero.journals_of(query, packed=packed), packed
        return xero.list_of(name, query, headers.get("if-modified-since"), packed=packed), packed

    def send(self, status: int, headers: list[str], content: bytes) -> None:
        """Send an answer."""
        lines = [f"HTTP/1.1 {status} {_WORDS[status]}", "Content-Type: application/json; charset=utf-8"]
        lines += [f"Content-Length: {len(content)}", *headers, "", ""]
        self.xero.sent += len(content)
        self.xero.last = self.loop.time()
        self.transport.write("\r\n".join(lines).encode() + content)


async def serve() -> None:
    """Print the port, and serve until the process is terminated."""
    xero = Xero()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(xero), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(serve())
