"""One request, one whole answer, or `Broken`: HTTP without waiting, trying again or judging."""

from __future__ import annotations

import codecs
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import requests
import urllib3.exceptions

from singer_xero.api.errors import InsecureAddress, NotJson, UnusableSetting
from singer_xero.api.http.connection_faults import (
    fault_of,
    is_this_machine,
    proxies_for,
    proxy_wants_password,
)
from singer_xero.api.http.deadlines import Adapter, Watchdog
from singer_xero.api.http.response_body import BOUNDS, PIECE, Body, Bounds, Broken, Late, Room

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Signature = Callable[[requests.PreparedRequest], requests.PreparedRequest]

# More would only mean more idle sockets; beyond it connections are opened and closed, nothing fails.
_POOL = 100
_PROXY_WANTS_PASSWORD = 407

MAX_SLOW = 2
"""Tries of one call that may run into the deadline; more would only hold up the run."""

_decoder = msgspec.json.Decoder(float_hook=Decimal)


@dataclass(frozen=True)
class Answer:
    """What came back: `status`, `headers` (their names' case does not matter), `content` (unpacked bytes).

    `call` names the call as error messages do; `received` is the body's size in bytes as it came over the wire, and
    `packed` is the body as it came if it was packed by gzip. `value` is what the caller's reader made of it.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    call: str = ""
    received: int = 0
    packed: bytes | None = field(default=None, repr=False)
    value: Any = field(default=None, repr=False)

    @property
    def correlation_id(self) -> str | None:
        """What Xero's support asks for."""
        return self.headers.get("Xero-Correlation-Id")

    def json(self) -> Any:
        """The body, with numbers exactly as written: whole ones int, the others Decimal.

        An empty body of 204 (done) and 304 (nothing changed) is `{}`; any other that is no JSON raises NotJson.
        """
        if not self.content and self.status in {204, 304}:
            return {}
        try:
            return _decoder.decode(self.content)
        except (ValueError, ArithmeticError, RecursionError) as error:
            raise NotJson(
                f"the answer is not JSON: {error or 'a number in it is too large'}",
                call=self.call,
                status=self.status,
                correlation_id=self.correlation_id,
                sent=True,
            ) from None

    def json_fault(self) -> str | None:
        """Why the body is no JSON, None if it is; reads it through without building anything."""
        if not self.content and self.status in {204, 304}:
            return None
        try:
            read_through(self)
        except ValueError as error:
            return self.fault(error)
        return None

    def fault(self, error: Exception) -> str:
        """What is wrong with a body that was to be JSON, in words."""
        kind = self.headers.get("Content-Type") or "no content type"
        return f"not JSON but {kind}: {error}" if "json" not in kind.lower() else f"broken JSON: {error}"


def read_through(answer: Answer) -> None:
    """Raise ValueError if the body is no JSON in UTF-8."""
    try:
        msgspec.json.decode(answer.content, type=msgspec.Raw)
    except RecursionError:
        raise msgspec.DecodeError("it is nested too deeply") from None
    # Piece by piece: a long text would be in memory twice.
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(answer.content)
    for begin in range(0, len(view), PIECE):
        decoder.decode(view[begin : begin + PIECE])
    decoder.decode(b"", final=True)


class Transport:
    """A pool of connections for all threads.

    `timeout` is (to connect, between two bytes) in seconds; `bounds` is what one exchange may take in all.
    """

    def __init__(self, user_agent: str, timeout: tuple[float, float], bounds: Bounds = BOUNDS) -> None:
        check_sendable("user_agent", user_agent)
        self.timeout = timeout
        self.bounds = bounds
        self._watchdog = Watchdog()
        self._large = threading.Lock()
        self._session = requests.Session()
        self._session.headers.clear()
        self._session.headers.update({"User-Agent": user_agent, "Accept-Encoding": "gzip"})
        # Xero's load balancers set cookies; a jar shared by threads and organisations is no place for them.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, Adapter(pool_maxsize=_POOL, max_retries=0))

    def close(self) -> None:
        """Close the idle connections."""
        self._session.close()
        self._watchdog.close()

    def exchange(
        self,
        verb: str,
        url: str,
        *,
        call: str,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | bytes | None = None,
        signature: Signature | None = None,
        seconds: float | None = None,
    ) -> Answer:
        """Send one request and read the answer to its end, whatever its status; Broken if that fails.

        It may take `seconds`, if they are fewer than the transport's own. A signature is always set, as requests would
        otherwise put a password of ~/.netrc over our own header. What runs on this machine, such as the sandbox, is
        never asked through a proxy.
        """
        limit = min(seconds or self.bounds.seconds, self.bounds.seconds)
        with self._watchdog.watch(limit) as watched, ExitStack() as closing:
            room = Room(self.bounds.megabytes, urlsplit(url).netloc, self._large, closing)
            try:
                with self._session.request(
                    verb,
                    url,
                    params=params,
                    data=data,
                    headers=headers,
                    auth=signature or _unsigned,
                    timeout=self.timeout,
                    proxies=proxies_for(url),
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    body = Body(response.headers.get("Content-Encoding", ""), room)
                    for piece in response.raw.stream(PIECE, decode_content=False):
                        body.take(piece)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                if watched.expired:
                    raise _late(url, limit) from None
                raise Broken.by(fault_of(error, url, self.timeout)) from None
            if watched.expired:  # the end of the connection may look like the end of the answer
                raise _late(url, limit)
            if response.status_code == _PROXY_WANTS_PASSWORD:
                raise Broken.by(proxy_wants_password(url))
            if verb != "HEAD":
                _check_length(body.received, response.headers)
            content, packed = body.end()
            room.check_values(content)
        return Answer(response.status_code, response.headers, content, call, body.received, packed)


def require_https(setting: str, url: str, *, allowed: bool = False) -> None:
    """Raise InsecureAddress if secrets would go by plain http to another machine, unless that is `allowed`.

    `setting` names the address in the error.
    """
    try:
        address = urlsplit(url.strip())
        host = address.hostname
    except ValueError:  # no address at all; the first request says so
        return
    if address.scheme == "http" and not allowed and not is_this_machine(host):
        raise InsecureAddress(
            f"{setting} is {url!r}: tokens and records would be sent over plain http to another machine"
        )


def check_sendable(setting: str, text: str) -> None:
    """Raise UnusableSetting if a text can't be sent in a header, without repeating it."""
    for place, character in enumerate(text, 1):
        if not character.isascii() or not character.isprintable():
            kind = (
                "a control character"
                if character.isascii()
                else "not a Latin letter, digit or punctuation mark"
            )
            raise UnusableSetting(
                f"character {place} of {setting} can't be sent to Xero: it is {kind}",
                advice=f"Copy {setting} again.",
            )


def _late(url: str, seconds: float) -> Late:
    return Late(f"no complete answer from {urlsplit(url).netloc} within {seconds:g} s", sent=True)


def _unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _check_length(received: int, headers: Mapping[str, str]) -> None:
    stated = headers.get("Content-Length", "")
    if stated.isdigit() and int(stated) != received and "Transfer-Encoding" not in headers:
        raise Broken.damaged(f"the answer was cut off: {received} of {stated} bytes")
