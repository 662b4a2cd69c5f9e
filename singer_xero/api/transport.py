"""One request, one whole answer, or `Broken`: HTTP without waiting, trying again or judging.

Bodies are read raw and unpacked here, because a gzip stream that ends early is otherwise taken for a whole one.
"""

from __future__ import annotations

import http.client
import socket
import ssl
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

from singer_xero.api.errors import NotJson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Signature = Callable[[requests.PreparedRequest], requests.PreparedRequest]

# More would only mean more idle sockets; beyond it connections are opened and closed, nothing fails.
_POOL = 100

_decoder = msgspec.json.Decoder(float_hook=Decimal)


class Broken(Exception):
    """No whole answer came. `sent` is False only if the request surely never left; `hopeless` if it never will."""

    def __init__(self, reason: str, *, sent: bool, hopeless: bool = False) -> None:
        super().__init__(reason)
        self.sent = sent
        self.hopeless = hopeless


@dataclass(frozen=True)
class Answer:
    """What came back: `status`, `headers` (their names' case does not matter), `content` (unpacked bytes).

    `call` names the call as error messages do; `received` is the body's size in bytes as it came over the wire, and
    `packed` is the body as it came if it was packed by gzip.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    call: str = ""
    received: int = 0
    packed: bytes | None = field(default=None, repr=False)

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
            msgspec.json.decode(self.content, type=msgspec.Raw)
        except msgspec.DecodeError as error:
            kind = self.headers.get("Content-Type") or "no content type"
            return f"not JSON but {kind}: {error}" if "json" not in kind.lower() else f"broken JSON: {error}"
        return None


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

        A signature is always set, as requests would otherwise put a password of ~/.netrc over our own header.
        """
        try:
            with self._session.request(
                verb,
                url,
                params=params,
                data=data,
                headers=headers,
                auth=signature or _unsigned,
                timeout=self.timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                packed: bytes = response.raw.read(decode_content=False)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise self._broken(error, url) from None
        if verb != "HEAD":
            _check_length(packed, response.headers)
        content = _unpack(packed, response.headers)
        came = None if content is packed else packed
        return Answer(response.status_code, response.headers, content, call, len(packed), came)

    def _broken(self, error: BaseException, url: str) -> Broken:
        chain = list(_chain(error))
        kinds = tuple(type(link) for link in chain)

        def among(*wanted: type[BaseException]) -> bool:
            return any(issubclass(kind, wanted) for kind in kinds)

        host = urlsplit(url).netloc
        untrusted = among(ssl.SSLCertVerificationError)
        addressless = among(
            requests.exceptions.InvalidURL,
            requests.exceptions.InvalidSchema,
            requests.exceptions.MissingSchema,
        )
        unconnected = among(urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
        if addressless:
            reason = f"{url.partition('?')[0]} is no address; it starts with https:// and a host"
        elif among(urllib3.exceptions.NewConnectionError, socket.gaierror) or untrusted:
            reason = f"no connection to {host}: {_root_words(chain)}"
        elif among(urllib3.exceptions.ConnectTimeoutError):
            reason = f"no connection to {host} within {self.timeout[0]:g} s"
        elif among(urllib3.exceptions.ReadTimeoutError, TimeoutError):
            reason = f"no answer from {host} for {self.timeout[1]:g} s"
        elif among(http.client.IncompleteRead):
            reason = f"the answer from {host} was cut off"
        else:
            reason = f"the connection to {host} broke: {_root_words(chain)}"
        hopeless = addressless or untrusted
        return Broken(reason, sent=not (hopeless or unconnected), hopeless=hopeless)


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


def _chain(error: BaseException) -> list[BaseException]:
    """The error and what lies beneath: its arguments, reason, cause and context, as the libraries nest them."""
    found: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting:
        link = waiting.pop(0)
        if isinstance(link, BaseException) and not any(link is seen for seen in found):
            found.append(link)
            waiting += [*link.args, getattr(link, "reason", None), link.__cause__, link.__context__]
    return found


def _root_words(chain: list[BaseException]) -> str:
    """The system's own words; never a library's, which may quote the address with all its parameters."""
    for link in reversed(chain):
        if isinstance(link, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({link.verify_message}); set REQUESTS_CA_BUNDLE for a proxy's own"
        if isinstance(link, OSError) and not isinstance(link, requests.RequestException) and link.strerror:
            return link.strerror
    return type(chain[-1]).__name__
