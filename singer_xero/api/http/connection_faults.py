"""Why a request got no answer, and what to do: a proxy, a certificate, an address, the network or the other side.

The libraries nest their errors and quote addresses with parameters and proxies with passwords. The texts here name
hosts and variables only.
"""

from __future__ import annotations

import http.client
import ipaddress
import os
import re
import socket
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
import urllib3.util
from requests.utils import get_environ_proxies, select_proxy

from singer_xero.api.http.response_body import Broken

_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})\s*(.*)", re.DOTALL)
_NO_CERTIFICATES = {"NO_CERTIFICATE_OR_CRL_FOUND", "NO_START_LINE", "PEM_LIB", "BAD_BASE64_DECODE"}


def is_this_machine(host: str | None) -> bool:
    """Whether a host is this machine (loopback), which is reached without a proxy."""
    if not host or host == "localhost":
        return host == "localhost"
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def proxies_for(url: str) -> dict[str, str] | None:
    """The argument `proxies` of requests: no proxy for this machine, else those of the environment."""
    host = urlsplit(url).hostname
    return {"no_proxy": host} if host and is_this_machine(host) else None


def fault_of(error: BaseException, url: str, timeout: tuple[float, float]) -> Broken:
    """The fault behind an error of requests or urllib3; `timeout` as in `Transport`."""
    chain = _chain(error)
    host = urlsplit(url).hostname or urlsplit(url).netloc
    return (
        _of_proxy(chain, url, host)
        or _of_address(chain, url)
        or _of_certificates(chain, host)
        or _of_network(chain, urlsplit(url).netloc, timeout)
    )


def proxy_wants_password(url: str) -> Broken:
    """The fault behind a 407, which only a proxy answers."""
    variable, proxy = _proxy(url)
    return _hopeless(
        f"the proxy {proxy} requires a user name and a password (407)",
        f"Set them in {variable}: http://name:password@host:port.",
    )


def _hopeless(reason: str, advice: str) -> Broken:
    """A fault that a retry would meet again."""
    return Broken(reason, advice, hopeless=True)


# --- proxies ---


def _of_proxy(chain: list[BaseException], url: str, host: str) -> Broken | None:
    variable, proxy = _proxy(url)
    if _among(chain, requests.exceptions.InvalidSchema) and any("SOCKS" in str(link) for link in chain):
        return _hopeless(
            f"the proxy {proxy} is a SOCKS proxy, for which a library is missing",
            "Install it beside singer-xero (pip install pysocks), or use an HTTP proxy.",
        )
    unreadable = _among(
        chain,
        requests.exceptions.InvalidProxyURL,
        urllib3.exceptions.ProxySchemeUnknown,
        urllib3.exceptions.ProxySchemeUnsupported,
    )
    # Both libraries report an invalid address of a proxy as if it were the address of the call.
    unreadable = unreadable or (
        _among(chain, urllib3.exceptions.LocationParseError, requests.exceptions.InvalidURL)
        and _is_address(url)
    )
    if unreadable:
        return _hopeless(
            f"the proxy address in {variable} can't be used",
            f"Set {variable} to http://host:port, or unset it.",
        )
    if not _among(chain, requests.exceptions.ProxyError, urllib3.exceptions.ProxyError):
        return None
    if found := next(filter(None, (_TUNNEL.search(str(link)) for link in reversed(chain))), None):
        return _refused_tunnel(int(found[1]), " ".join(found[2].split())[:80], url, host)
    if any("only use HTTP" in str(link) for link in chain) or _among(chain, ssl.SSLError):
        return _hopeless(
            f"the proxy {proxy} does not support TLS, which its address requires",
            f"Begin the address in {variable} with http://.",
        )
    return Broken(
        f"no connection to the proxy {proxy}: {_words(chain)}", f"Check {variable}, and that the proxy runs."
    )


def _refused_tunnel(status: int, words: str, url: str, host: str) -> Broken:
    variable, proxy = _proxy(url)
    if status == 407:
        return proxy_wants_password(url)
    said = f"({status} {words})".replace(" )", ")")
    if status < 500:
        return _hopeless(
            f"the proxy {proxy} does not allow connections to {host} {said}",
            f"Ask the proxy's administrator to allow {host}, or add {host} to NO_PROXY to bypass the proxy.",
        )
    return Broken(
        f"the proxy {proxy} could not reach {host} {said}",
        f"Run again. If it persists, ask the proxy's administrator, or check {variable}.",
    )


def _proxy(url: str) -> tuple[str, str]:
    """The variable that names the proxy for an address, and the proxy's host and port without its password."""
    scheme = urlsplit(url).scheme or "https"
    names = [name for kind in (scheme, "all") for name in (f"{kind}_proxy", f"{kind}_proxy".upper())]
    variable = next((name for name in names if os.environ.get(name)), f"{scheme}_proxy".upper())
    address = select_proxy(url, get_environ_proxies(url)) or ""
    place = (address.rpartition("://")[2]).rpartition("@")[2].partition("/")[0]
    return variable, place or f"of {variable}"


# --- addresses, certificates and the network ---


def _is_address(url: str) -> bool:
    try:
        parts = urllib3.util.parse_url(url)
    except urllib3.exceptions.LocationParseError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.host)


def _of_address(chain: list[BaseException], url: str) -> Broken | None:
    if not _among(
        chain,
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidSchema,
        requests.exceptions.MissingSchema,
    ):
        return None
    return _hopeless(
        f"{url.partition('?')[0]} is not an address; it must start with https:// and a host",
        "Correct api_url or identity_url.",
    )


def _of_certificates(chain: list[BaseException], host: str) -> Broken | None:
    for link in chain:
        if isinstance(link, ssl.SSLCertVerificationError):
            return _hopeless(
                f"no connection to {host}: its certificate is not trusted ({link.verify_message})",
                "If a proxy of yours is in between, set REQUESTS_CA_BUNDLE to the file with its certificate.",
            )
    variable = next((name for name in _BUNDLES if os.environ.get(name)), None)
    if variable is None:
        return None
    bundle = os.environ[variable]
    unusable = any(isinstance(link, ssl.SSLError) and link.reason in _NO_CERTIFICATES for link in chain)
    if not Path(bundle).exists():
        said = "does not exist"
    elif unusable:
        said = "contains no certificate"
    else:
        return None
    return _hopeless(
        f"the certificate file {bundle}, named by {variable}, {said}", f"Correct {variable}, or unset it."
    )


def _of_network(chain: list[BaseException], host: str, timeout: tuple[float, float]) -> Broken:
    if _among(chain, urllib3.exceptions.ConnectTimeoutError) and not _among(
        chain, urllib3.exceptions.NewConnectionError
    ):
        return Broken(f"no connection to {host} within {timeout[0]:g} s", None)
    if _among(chain, urllib3.exceptions.NewConnectionError, socket.gaierror):
        return Broken(
            f"no connection to {host}: {_words(chain)}",
            f"Check that this machine can reach {host}; behind a proxy, set HTTPS_PROXY.",
        )
    if _among(chain, urllib3.exceptions.ReadTimeoutError, TimeoutError):
        return Broken(f"no answer from {host} for {timeout[1]:g} s", None, sent=True)
    advice = f"Run again. If it persists, check the network between this machine and {host}."
    if _among(chain, http.client.IncompleteRead):
        return Broken(f"the answer from {host} was cut off", advice, sent=True)
    return Broken(f"the connection to {host} was lost: {_words(chain)}", advice, sent=True)


# --- what the libraries say ---


def _chain(error: BaseException) -> list[BaseException]:
    """An error and the errors nested in it: arguments, reason, cause and context."""
    found: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting:
        link = waiting.pop(0)
        if isinstance(link, BaseException) and not any(link is seen for seen in found):
            found.append(link)
            waiting += [*link.args, getattr(link, "reason", None), link.__cause__, link.__context__]
    return found


def _among(chain: list[BaseException], *wanted: type[BaseException]) -> bool:
    return any(isinstance(link, wanted) for link in chain)


def _words(chain: list[BaseException]) -> str:
    """The words of the operating system; those of a library may quote the address with its parameters."""
    for link in reversed(chain):
        if isinstance(link, OSError) and not isinstance(link, requests.RequestException) and link.strerror:
            return link.strerror
    return type(chain[-1]).__name__
