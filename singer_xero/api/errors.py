"""What can go wrong with a call, by what the caller should do.

XeroError
  + AccessError          stop the run: only a person can help
  + OrganisationError    skip this organisation, continue with the others
  + CallError            skip this call (stream, record), continue with the rest
  + Unavailable          run again later: all tries failed
  + Closed               the client was closed while the call waited

The text of an error is one line: the call that failed (`GET Invoices page 3`), Xero's own words, the correlation id
for Xero's support, and what to do. It contains no request, token or record. Records are in `Refused.elements` only.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from singer_xero.api.redaction import redact

_LONGEST_WORDS = 400
#: What takes the place of Xero's words where it says nothing.
NO_BODY, NO_MESSAGE = "(no words)", "(no message in the answer)"


class XeroError(Exception):
    """Any failure of a call.

    `call` is verb, path and page; `status` the HTTP status, None without an answer; `words` are Xero's own words;
    `correlation_id` is the answer's Xero-Correlation-Id; `advice` says what to do, by default `remedy`. `details` are
    attributes of a subclass.
    """

    remedy = ""

    def __init__(
        self,
        words: str = "",
        *,
        call: str = "",
        status: int | None = None,
        correlation_id: str | None = None,
        advice: str | None = None,
        **details: Any,
    ) -> None:
        self.words = one_line(words)
        self.call = call
        self.status = status
        self.correlation_id = correlation_id
        self.advice = self.remedy if advice is None else advice
        for name, value in details.items():
            if not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} has no attribute {name}")
            setattr(self, name, value)
        super().__init__(self.words)

    @property
    def what(self) -> str:
        """What happened, without the advice."""
        said = f"{self.status} {self.words}".strip() if self.status else self.words
        if self.correlation_id:
            said += f" (correlation id {self.correlation_id})"
        return f"{self.call}: {said}" if self.call else said

    @property
    def says_why(self) -> bool:
        """Whether Xero gave a reason in words."""
        return self.words not in {"", NO_BODY, NO_MESSAGE}

    def __str__(self) -> str:
        return f"{self.what.rstrip('.')}. {self.advice}" if self.advice else self.what


class AccessError(XeroError):
    """Nothing can be read or written until a person acts."""


class NotConnected(AccessError):
    """Consent was never given, was withdrawn, or its refresh token is used up or older than 60 days."""

    remedy = "Run `xero-login` to give consent again, or put a new refresh_token into the configuration."


class BadCredentials(AccessError):
    """The client id or secret is wrong, or the app may not use this way of signing in."""

    remedy = "Check client_id and client_secret against the app's page at developer.xero.com."


class InvalidScope(AccessError):
    """The app does not have one of the requested `scopes`."""

    scopes: tuple[str, ...] = ()


class UnusableSetting(AccessError):
    """A setting can't be sent, or names a place that does not exist."""


class InsecureAddress(AccessError):
    """Secrets would go unencrypted to another machine."""

    remedy = (
        "Use https://. If you control the network in between, set allow_insecure_http to true: tokens and records are"
        " then sent unencrypted."
    )


class TokenStoreError(AccessError):
    """The store of tokens can't be read or written."""


class NetworkSetupError(AccessError):
    """A proxy, a certificate or an address keeps this machine from Xero; `advice` says what to change."""


class OrganisationError(XeroError):
    """One organisation can't be used now; `tenant_id` says which."""

    tenant_id: str | None = None


class OrganisationUnavailable(OrganisationError):
    """Xero refuses this organisation (403)."""

    remedy = (
        "Check that the organisation is still connected (run `xero-login`) and that the user who connected it"
        " may see this there."
    )


class DayLimitReached(OrganisationError):
    """The day's calls are used up, or those left are reserved; `resets_at` is in UTC, None if unknown."""

    def __init__(self, words: str = "", *, resets_at: datetime | None = None, **context: Any) -> None:
        when = f"after {resets_at:%Y-%m-%d %H:%M:%S} UTC" if resets_at else "when Xero's next day begins"
        context.setdefault("advice", f"Run again {when}; it continues where this run stopped.")
        super().__init__(words, **context)
        self.resets_at = resets_at


class CallError(XeroError):
    """Xero's answer is final: the same call would fail again."""


class ScopeMissing(CallError):
    """The token lacks the scope of this endpoint; `scope` names those that would suffice, if Xero does."""

    def __init__(self, words: str = "", *, scope: str | None = None, **context: Any) -> None:
        super().__init__(
            f"{words}: needs the scope {scope.replace(' ', ' or ')}" if scope else words, **context
        )
        self.scope = scope


class NotFound(CallError):
    """Xero has no such object, id or number (404)."""


class Refused(CallError):
    """Xero does not accept the request; `elements` has its answers for the records, in order, if there are any."""

    elements: Sequence[dict[str, Any]] = ()


class TooLarge(Refused):
    """The body is larger than Xero accepts (413)."""

    remedy = "Send fewer records at once, or a smaller file."


class Unavailable(XeroError):
    """All tries failed. `sent` says whether the last one may have reached Xero."""

    sent = False

    remedy = "Run again later. status.developer.xero.com shows Xero's status."


class NotJson(Unavailable):
    """The answer is not the JSON that was requested."""

    remedy = "Run again later. If it persists, something other than Xero answers, such as a proxy."


class TooSlow(Unavailable):
    """The answer was not complete at the deadline of the exchange."""

    remedy = "Run again later. If the connection is slow, raise the setting request_timeout."


class OutcomeUnknown(Unavailable):
    """A write was sent, and no answer says whether it was done. `idempotency_key` is its key."""

    sent = True
    idempotency_key: str | None = None

    remedy = "Look the records up in Xero before sending them again."


class Closed(XeroError):
    """The client was closed while the call waited; it was not sent."""


def one_line(text: str, longest: int = _LONGEST_WORDS) -> str:
    """The redacted text without line breaks, cut to a length that fits an error message."""
    text = redact(" ".join(text.split()))
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
