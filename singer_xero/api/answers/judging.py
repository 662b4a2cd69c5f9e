"""The error of an answer that a retry would not change."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from singer_xero.api import errors, scope_advice
from singer_xero.api.answers.error_body import elements_of, words_of
from singer_xero.api.call import Call
from singer_xero.api.http.transport import Answer

_E = TypeVar("_E", bound=errors.XeroError)


def judged(
    call: Call, answer: Answer, *, organisation: str, may_write: bool, custom: bool
) -> errors.XeroError:
    """The error of an answer with a status of 300 and more, other than 429 and 5xx.

    `organisation` names the organisation to people; `may_write` says whether the token has any scope to write, `custom`
    whether the app is a custom connection.
    """
    writes = call.verb != "GET"
    read_only = writes and answer.status == 403 and not may_write
    if answer.status in {401, 403} and (lacks_scope(call, answer) or read_only):
        named = re.search(r'scope="?([\w. -]+)', answer.headers.get("WWW-Authenticate", ""))
        scope = named[1].strip() if named else None
        advice = scope_advice.advice(scope, call.full_path, write=writes, custom=custom)
        return failed(errors.ScopeMissing, call, answer, scope=scope, advice=advice)
    if answer.status == 401:
        return failed(errors.NotConnected, call, answer, note="a new access token is refused, too")
    if answer.status == 403:
        note = f"for {organisation}"
        return failed(errors.OrganisationUnavailable, call, answer, note=note, tenant_id=call.tenant_id)
    if answer.status == 404:
        return failed(errors.NotFound, call, answer)
    if answer.status < 400:
        return failed(
            errors.Refused, call, answer, f"a redirect to {answer.headers.get('Location')}, check api_url"
        )
    kind = errors.TooLarge if answer.status == 413 else errors.Refused
    return failed(kind, call, answer, elements=elements_of(answer.content, call.api.errors))


def failed(kind: type[_E], call: Call, answer: Answer, words: str = "", note: str = "", **context: Any) -> _E:
    """An error of this kind in the words of the answer, or in these."""
    words = words or words_of(answer.content, call.api.errors)
    return answer.error(kind, f"{words}: {note}" if note else words, **context)


def lacks_scope(call: Call, answer: Answer) -> bool:
    """Xero says so in different ways (Xero-NetStandard#178 and #298), with 401 or with 403."""
    if "insufficient_scope" in answer.headers.get("WWW-Authenticate", ""):
        return True
    words = words_of(answer.content, call.api.errors).lower()
    return "authorizationunsuccessful" in words or "scope" in words
