"""One request and its complete answer, or `Broken`: HTTP without waits, retries or judgement."""

from __future__ import annotations

import codecs
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
import requests
import urllib3.exceptions

from singer_xero.api.errors import InsecureAddress, NotJson, UnusableSetting, XeroError
from singer_xero.api.http.connection_faults import (
    fault_of,
    is_this_machine,
    proxies_for,
    proxy_wants_password,
)
from singer_xero.api.http.deadlines import Adapter, Watchdog
from singer_xero.api.http.response_body import BOUNDS, PIECE, Body, Bounds, Broken, Late, Room

Signature = Callable[[requests.PreparedRequest], requests.PreparedRequest]

# Connections that stay open. Further ones are opened and closed as needed.
_POOL = 100
_PROXY_WANTS_PASSWORD = 407

MAX_SLOW = 2
"""Tries of one call that may exceed the deadline; more would only delay the run."""

_E = TypeVar("_E", bound=XeroError)
_decoder = msgspec.json.Decoder(float_hook=Decimal)


@dataclass(frozen=True)
class Answer:
    """An answer: `status`, `headers` (in any case), and `content`, the decompressed bytes.

    `call` names the call as error messages do, `received` is the size of the body on the wire in bytes, `packed` the
    gzip body if there was one, and `value` what the caller's reader made of the content.
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
        """The id by which Xero's support finds the call."""
        return self.headers.get("Xero-Correlation-Id")

    def error(self, kind: type[_E], words: str, **context: Any) -> _E:
        """The error that this answer means for its call; `context` are further attributes of the error."""
        return kind(words, call=self.call, status=self.status, correlation_id=self.correlation_id, **context)

    def json(self) -> Any:
        """The decoded body. Whole numbers are int, others Decimal, exactly as written.

        The empty body of a 204 or 304 is `{}`. Raises NotJson for anything else that is not JSON.
        """
        if self.value is not None:
            return self.value
        if not self.content and self.status in {204, 304}:
            return {}
        try:
            return _decoder.decode(self.content)
        except (ValueError, ArithmeticError, RecursionError) as error:
            words = f"the answer is not JSON: {error or 'a number in it is too large'}"
            raise self.error(NotJson, words, sent=True) from None

    def json_fault(self) -> str | None:
        """Why the body is not JSON; None if it is. Builds no values."""
        if not self.content and self.status in {204, 304}:
            return None
        try:
            read_through(self)
        except ValueError as error:
            return self.fault(error)
        return None

    def fault(self, error: Exception) -> str:
        """Say what is wrong with a body that should be JSON."""
        kind = self.headers.get("Content-Type") or "no content type"
        return f"not JSON but {kind}: {error}" if "json" not in kind.lower() else f"broken JSON: {error}"


def read_json(answer: Answer) -> Any:
    """Return the body with exact numbers, for `Answer.json`; None if a number in it is too large.

    Raises msgspec.DecodeError or UnicodeDecodeError if the body is no JSON, and RecursionError.
    """
    try:
        return _decoder.decode(answer.content)
    except ArithmeticError:
        return None


def read_through(answer: Answer) -> None:
    """Raise ValueError if the body is not JSON in UTF-8."""
    try:
        msgspec.json.decode(answer.content, type=msgspec.Raw)
    except RecursionError:
        raise msgspec.DecodeError("it is nested too deeply") from None
    # In pieces: the whole text would be in memory twice.
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(answer.content)
    for begin in range(0, len(view), PIECE):
        decoder.decode(view[begin : begin + PIECE])
    decoder.decode(b"", final=True)


class Transport:
    """A pool of connections for all threads.

    `timeout` is (to connect, between two bytes) in seconds; `bounds` limits a whole exchange.
    """

    def __init__(self, user_agent: str, timeout: tuple[float, float], bounds: Bounds = BOUNDS) -> None:
        check_sendable("user_agent", user_agent)
        self.timeout = timeout
        self.bounds = bounds
        self._watchdog = Watchdog()
        self._large = threading.Lock()
        self._settings: dict[str, Mapping[str, Any]] = {}
        self._session = requests.Session()
        self._session.headers.clear()
        self._session.headers.update({"User-Agent": user_agent, "Accept-Encoding": "gzip"})
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, Adapter(pool_maxsize=_POOL, max_retries=0))

    def _request(
        self,
        verb: str,
        url: str,
        headers: Mapping[str, str] | None,
        params: Mapping[str, str] | None,
        data: Mapping[str, str] | bytes | None,
        signature: Signature,
    ) -> requests.PreparedRequest:
        """Prepare a request as a session does, without merging the settings that this session never has."""
        request = requests.PreparedRequest()
        request.prepare_method(verb)
        request.url = _address(url, tuple((params or {}).items()))
        request.prepare_headers({**self._session.headers, **(headers or {})})
        request.prepare_body(data or None, None)
        request.prepare_auth(signature)
        return request

    def _settings_for(self, url: str) -> Mapping[str, Any]:
        """Return the settings of a connection that requests takes from the environment: proxies and certificates."""
        host = urlsplit(url).netloc
        found = self._settings.get(host)
        if found is None:
            found = self._session.merge_environment_settings(url, proxies_for(url) or {}, True, None, None)
            self._settings[host] = found
        return found

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
        """Send one request and read the answer to its end, whatever its status. Raises Broken if that fails.

        `seconds` can shorten the transport's own deadline. A signature is always set, since requests would otherwise
        overwrite our header with a password of ~/.netrc. Requests to this machine, such as to the sandbox, never go
        through a proxy.
        """
        limit = min(seconds or self.bounds.seconds, self.bounds.seconds)
        with self._watchdog.watch(limit) as watched, ExitStack() as closing:
            room = Room(self.bounds.megabytes, urlsplit(url).netloc, self._large, closing)
            try:
                request = self._request(verb, url, headers, params, data, signature or _unsigned)
                # Session.send would read the body of a redirect, and store cookies. Xero's load balancers set some,
                # which must not be shared between threads and organisations.
                send = self._session.get_adapter(url).send
                with send(request, timeout=self.timeout, **self._settings_for(url)) as response:
                    body = Body(response.headers.get("Content-Encoding", ""), room)
                    for piece in response.raw.stream(PIECE, decode_content=False):
                        body.take(piece)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                if watched.expired:
                    raise _late(url, limit) from None
                raise fault_of(error, url, self.timeout) from None
            if watched.expired:  # a closed connection can look like the end of the answer
                raise _late(url, limit)
            if response.status_code == _PROXY_WANTS_PASSWORD:
                raise proxy_wants_password(url)
            if verb != "HEAD":
                _check_length(body.received, response.headers)
            content, packed = body.end()
            room.check_values(content)
        return Answer(response.status_code, response.headers, content, call, body.received, packed)


def require_https(setting: str, url: str, *, allowed: bool = False) -> None:
    """Raise InsecureAddress for plain http to another machine, unless it is `allowed`. `setting` is for the error."""
    try:
        address = urlsplit(url.strip())
        host = address.hostname
    except ValueError:  # not an address; the first request reports that
        return
    if address.scheme == "http" and not allowed and not is_this_machine(host):
        raise InsecureAddress(
            f"{setting} is {url!r}: tokens and records would be sent over plain http to another machine"
        )


def check_sendable(setting: str, text: str) -> None:
    """Raise UnusableSetting, without repeating the text, if it can't be sent in a header."""
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


@lru_cache(maxsize=256)
def _address(url: str, params: tuple[tuple[str, str], ...]) -> str | None:
    """Return an address with its query, as requests encodes it."""
    request = requests.PreparedRequest()
    request.prepare_url(url, list(params))
    return request.url


def _unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _check_length(received: int, headers: Mapping[str, str]) -> None:
    stated = headers.get("Content-Length", "")
    if stated.isdigit() and int(stated) != received and "Transfer-Encoding" not in headers:
        raise Broken.damaged(f"the answer was cut off: {received} of {stated} bytes")
