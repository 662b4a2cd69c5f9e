"""One request, one whole answer, or `Broken`: HTTP without waiting, trying again or judging.

Bodies are read raw and unpacked here, because a gzip stream that ends early is otherwise taken for a whole one.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from decimal import Decimal
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter

from singer_xero.api.connection_faults import Fault, fault_of, is_this_machine, proxy_wants_password
from singer_xero.api.errors import NotJson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Signature = Callable[[requests.PreparedRequest], requests.PreparedRequest]

# More would only mean more idle sockets; beyond it connections are opened and closed, nothing fails.
_POOL = 100
_PROXY_WANTS_PASSWORD = 407

_decoder = msgspec.json.Decoder(float_hook=Decimal)


class Broken(Exception):
    """No whole answer came.

    `sent` is False only if the request surely never left; `hopeless` if it would be the same again; `advice` is what
    to do, None where waiting may help.
    """

    def __init__(self, reason: str, *, sent: bool, hopeless: bool = False, advice: str | None = None) -> None:
        super().__init__(reason)
        self.sent = sent
        self.hopeless = hopeless
        self.advice = advice

    @classmethod
    def by(cls, fault: Fault) -> Broken:
        """Made from what the libraries said."""
        return cls(fault.reason, sent=fault.sent, hopeless=fault.lasts, advice=fault.advice)


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
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise NotJson(
                f"the answer is no JSON: {error}",
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
    msgspec.json.decode(answer.content, type=msgspec.Raw)
    answer.content.decode()


class Transport:
    """A pool of connections for all threads; `timeout` is (to connect, between two bytes) in seconds."""

    def __init__(self, user_agent: str, timeout: tuple[float, float]) -> None:
        self.timeout = timeout
        self._session = requests.Session()
        self._session.headers.clear()
        self._session.headers.update({"User-Agent": user_agent, "Accept-Encoding": "gzip"})
        # Xero's load balancers set cookies; a jar shared by threads and organisations is no place for them.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=_POOL, max_retries=0))

    def close(self) -> None:
        """Close the idle connections."""
        self._session.close()

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
    ) -> Answer:
        """Send one request and read the answer to its end, whatever its status; Broken if that fails.

        A signature is always set, as requests would otherwise put a password of ~/.netrc over our own header. What runs
        on this machine, such as the sandbox, is never asked through a proxy.
        """
        host = urlsplit(url).hostname
        try:
            with self._session.request(
                verb,
                url,
                params=params,
                data=data,
                headers=headers,
                auth=signature or _unsigned,
                timeout=self.timeout,
                proxies={"no_proxy": host} if host and is_this_machine(host) else None,
                allow_redirects=False,
                stream=True,
            ) as response:
                packed: bytes = response.raw.read(decode_content=False)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise Broken.by(fault_of(error, url, self.timeout)) from None
        if response.status_code == _PROXY_WANTS_PASSWORD:
            raise Broken.by(proxy_wants_password(url))
        if verb != "HEAD":
            _check_length(packed, response.headers)
        content = _unpack(packed, response.headers)
        came = None if content is packed else packed
        return Answer(response.status_code, response.headers, content, call, len(packed), came)


def _unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _check_length(packed: bytes, headers: Mapping[str, str]) -> None:
    stated = headers.get("Content-Length", "")
    if stated.isdigit() and int(stated) != len(packed) and "Transfer-Encoding" not in headers:
        raise Broken(f"the answer was cut off: {len(packed)} of {stated} bytes", sent=True)


def _unpack(packed: bytes, headers: Mapping[str, str]) -> bytes:
    encoding = headers.get("Content-Encoding", "").lower().strip()
    if not packed or encoding in {"", "identity"}:
        return packed
    if encoding not in {"gzip", "x-gzip"}:
        raise Broken(
            f"the answer came packed as {encoding!r}, which was not asked for", sent=True, hopeless=True
        )
    unpacker = zlib.decompressobj(wbits=31)
    try:
        content = unpacker.decompress(packed)
    except zlib.error as error:
        raise Broken(f"the answer can't be unpacked: {error}", sent=True) from None
    if not unpacker.eof:
        raise Broken(f"the answer was cut off: its gzip stream ends after {len(packed)} bytes", sent=True)
    return content
