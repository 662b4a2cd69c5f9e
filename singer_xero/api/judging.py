"""Which error an answer is that would be the same again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

from singer_xero.api import scope_advice
from singer_xero.api.errors import (
    NotConnected,
    NotFound,
    OrganisationUnavailable,
    Refused,
    ScopeMissing,
    TooLarge,
    XeroError,
    elements_of,
    words_of,
)

if TYPE_CHECKING:
    from singer_xero.api.transport import Answer

_E = TypeVar("_E", bound=XeroError)


def judged(
    answer: Answer, *, tenant_id: str | None, organisation: str, writes: bool, may_write: bool, custom: bool
) -> XeroError:
    """The error of an answer with a status of 300 and more, other than 429 and 5xx.

    `organisation` names the organisation to people; `writes` says whether the call was a write, `may_write` whether the
    token has any scope to write, `custom` whether the app is a custom connection.
    """
    read_only = writes and answer.status == 403 and not may_write
    if answer.status in {401, 403} and (lacks_scope(answer) or read_only):
        named = re.search(r'scope="?([\w. -]+)', answer.headers.get("WWW-Authenticate", ""))
        scope = named[1].strip() if named else None
        way_out = scope_advice.advice(scope, answer.call.split()[1], write=writes, custom=custom)
        return failed(ScopeMissing, answer, scope=scope, advice=way_out)
    if answer.status == 401:
        return failed(NotConnected, answer, note="a new access token is refused, too")
    if answer.status == 403:
        return failed(OrganisationUnavailable, answer, note=f"for {organisation}", tenant_id=tenant_id)
    if answer.status == 404:
        return failed(NotFound, answer)
    if answer.status < 400:
        return failed(Refused, answer, f"a redirect to {answer.headers.get('Location')}, check api_url")
    kind = TooLarge if answer.status == 413 else Refused
    return failed(kind, answer, elements=elements_of(answer.content))


def failed(kind: type[_E], answer: Answer, words: str = "", note: str = "", **context: Any) -> _E:
    """An error of this kind in the words of the answer, or in these."""
    words = words or words_of(answer.content)
    return kind(
        f"{words}: {note}" if note else words,
        call=answer.call,
        status=answer.status,
        correlation_id=answer.correlation_id,
        **context,
    )


def lacks_scope(answer: Answer) -> bool:
    """Xero says so in different ways (Xero-NetStandard#178 and #298), with 401 or with 403."""
    if "insufficient_scope" in answer.headers.get("WWW-Authenticate", ""):
        return True
    words = words_of(answer.content).lower()
    return "authorizationunsuccessful" in words or "scope" in words
