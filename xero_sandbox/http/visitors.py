"""Access to the sandbox: programs on this machine may call it, web pages of other sites may not.

Any web page can make a browser send requests to 127.0.0.1, even under a name of its own (DNS rebinding). The
API and the consent page do not answer to such names. The admin API, which can read and change everything,
accepts only its own address with its secret, and only JSON.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Iterable
from urllib.parse import urlsplit

from werkzeug import Request

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_LOCAL = (".localhost", ".local", ".internal", ".home.arpa")
"""Suffixes that nobody can register in the public DNS, such as host.docker.internal."""


def foreign_name(request: Request) -> str | None:
    """Why a request is rejected; None if it is accepted."""
    host = _name(request.headers.get("Host", ""))
    if host is None:
        return "The Host header is not valid"
    if "." not in host or host.endswith(_LOCAL) or _is_address(host):
        return None
    return f"The sandbox does not answer to the host name {host}"


def not_allowed_to_administer(request: Request, path: str, secret: str, port: str) -> tuple[int, str] | None:
    """Why the admin API rejects a request, with a status; None if it accepts it. `path` is below /sandbox/."""
    places = {f"{name}:{port}" for name in _LOOPBACK}
    if request.headers.get("Host", "").lower() not in places:
        return 403, f"The admin API answers at {', '.join(sorted(places))} only"
    if not _is_own(request, places):
        return 403, "The admin API accepts no requests from pages of other origins"
    given = path.partition("/")[0]
    if not secrets.compare_digest(given.encode(), secret.encode()):
        return 403, "The address of the admin API has a secret: use the address that xero-sandbox prints"
    if request.method in {"POST", "PUT", "PATCH"} and request.mimetype != "application/json":
        return 415, "The admin API accepts application/json only"
    return None


def _is_own(request: Request, places: Iterable[str]) -> bool:
    """Whether the request comes from the sandbox's own origin or from a program that is no browser."""
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site", "none")
    own = origin is None or origin in {f"http://{place}" for place in places}
    return own and site in {"none", "same-origin"}


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
