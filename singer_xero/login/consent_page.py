"""Xero's consent page, asked before a user signs in."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from urllib.parse import urljoin

from singer_xero.api.errors import one_line
from singer_xero.api.http.response_body import Bounds, Broken
from singer_xero.api.http.transport import Transport

_OBJECTION = re.compile(r"invalid.scope|unauthorized_client|invalid_request|invalid redirect", re.IGNORECASE)
_REDIRECTS = {301, 302, 303, 307, 308}


def objection(url: str, user_agent: str) -> str | None:
    """The error of Xero's consent page for an address, in its own words; None if there is none.

    Xero shows an error page for a scope, client id or redirect URI that isn't allowed and never redirects back (its
    guide to authorisation errors), so the page is asked before the user signs in. Any other page counts as no error.
    """
    transport = Transport(user_agent, (5, 15), Bounds(seconds=30, megabytes=10))
    try:
        for _ in range(5):
            answer = transport.exchange("GET", url, call="the consent page")
            place = answer.headers.get("Location")
            if answer.status not in _REDIRECTS or not place:
                break
            url = urljoin(url, place)
    except (Broken, ValueError):
        return None
    finally:
        transport.close()
    if answer.status < 400:
        return None
    text = answer.content.decode("utf-8", "replace")
    text = one_line(html.unescape(re.sub(r"<[^>]*>", " ", text)), 2_000)
    found = re.search(r"Error:? *:? *(\w+(?:_\w+)+.*)", text, re.IGNORECASE)
    return one_line(found[1] if found else text, 200) if _OBJECTION.search(text) else None


def refused_scopes(scopes: Iterable[str], refuses: Callable[[tuple[str, ...]], bool]) -> tuple[str, ...]:
    """Which of the scopes are refused, found by bisection, since Xero doesn't say."""
    scopes = tuple(scopes)
    if not scopes or not refuses(scopes):
        return ()
    if len(scopes) == 1:
        return scopes
    middle = len(scopes) // 2
    return refused_scopes(scopes[:middle], refuses) + refused_scopes(scopes[middle:], refuses)
