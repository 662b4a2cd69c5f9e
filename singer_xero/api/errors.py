"""What can go wrong with a call, by what the caller should do about it.

XeroError
  + AccessError              stop the run: only a person can help
    - UnusableSetting          a setting holds what can't be sent, or names a place that there is not
    - InsecureAddress          secrets would go over plain http to another machine
    - NotConnected             consent is missing, withdrawn or 60 days unused: run `xero-login`
    - BadCredentials           client id or secret is wrong, or the app may not use this grant
    - InvalidScope             a scope was asked for that the app does not have
    - TokenStoreError          the tokens can't be read or kept: mend the place that token_path names
    - NetworkSetupError        a proxy, a certificate or an address keeps this machine from Xero: mend it
  + OrganisationError        leave this organisation, go on with the others
    - OrganisationUnavailable  disconnected, unknown, or closed to the user who gave consent
    - DayLimitReached          no calls left today; `resets_at` says until when, if Xero said so
  + CallError                leave this call (stream, record), go on with the rest
    - ScopeMissing             the token lacks the scope of this endpoint: skip the stream
    - NotFound                 no such object, or no such number
    - Refused                  Xero does not accept the request; `elements` holds its answer per record
      - TooLarge                 send less at once
  + Unavailable              come back later: tries ran out; nothing was done by a read
    - NotJson                  the answer is not JSON although JSON was asked for
    - TooSlow                  the answer was not there in full at the end of the deadline
    - OutcomeUnknown           a write may or may not have happened: look it up before it is sent again
  + Closed                   the client was closed while the call waited

Every error says in one line which call failed (`GET Invoices page 3`), Xero's own words, the correlation id that
Xero's support asks for, and what to do. None holds a request, a token or a whole body; `Refused.elements` is the one
place for records, and it is not part of the text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_xero.api.redaction import redact

if TYPE_CHECKING:
    from datetime import datetime

_LONGEST_WORDS = 400
#: What takes the place of Xero's words where it says nothing.
NO_BODY, NO_MESSAGE = "(no words)", "(no message in the answer)"


class XeroError(Exception):
    """Any failure of a call.

    `call` is verb, path and page; `status` the HTTP status or None when no answer came; `words` Xero's own words;
    `correlation_id` the answer's Xero-Correlation-Id; `advice` what to do, by default the class's `way_out`.
    """

    way_out = ""

    def __init__(
        self,
        words: str = "",
        *,
        call: str = "",
        status: int | None = None,
        correlation_id: str | None = None,
        advice: str | None = None,
    ) -> None:
        self.words = one_line(words)
        self.call = call
        self.status = status
        self.correlation_id = correlation_id
        self.advice = self.way_out if advice is None else advice
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
    """Nothing can be read or written until a person does something."""


class NotConnected(AccessError):
    """Consent was never given, was withdrawn, or its refresh token is used up or older than 60 days."""

    way_out = "Run `xero-login` to give consent again, or put a new refresh_token into the configuration."


class BadCredentials(AccessError):
    """The client id or secret is wrong, or the app may not use this way of signing in."""

    way_out = "Check client_id and client_secret against the app's page at developer.xero.com."


class InvalidScope(AccessError):
    """A scope was asked for that the app does not have; `scopes` are those asked for."""

    def __init__(self, words: str = "", *, scopes: tuple[str, ...] = (), **context: Any) -> None:
        asked = f" (asked for: {' '.join(scopes)})" if scopes else ""
        super().__init__(words + asked, **context)
        self.scopes = scopes


class UnusableSetting(AccessError):
    """A setting holds what can't be sent, or names a place that there is not."""


class InsecureAddress(AccessError):
    """Secrets would go unencrypted to another machine."""

    way_out = (
        "Use https://. If you control the network in between, set allow_insecure_http to true: tokens and records then"
        " go over it unencrypted."
    )


class TokenStoreError(AccessError):
    """The place in which tokens are kept can't be read or written."""


class NetworkSetupError(AccessError):
    """A proxy, a certificate or an address keeps this machine from Xero; `advice` says what to mend."""


class OrganisationError(XeroError):
    """One organisation can't be used now; `tenant_id` says which."""

    def __init__(self, words: str = "", *, tenant_id: str | None = None, **context: Any) -> None:
        super().__init__(words, **context)
        self.tenant_id = tenant_id


class OrganisationUnavailable(OrganisationError):
    """Xero refuses this organisation (403)."""

    way_out = (
        "Check that the organisation is still connected (run `xero-login`) and that the user who connected it"
        " may see this there."
    )


class DayLimitReached(OrganisationError):
    """The day's calls are used up, or down to those kept for others; `resets_at` is in UTC, None if unknown."""

    def __init__(self, words: str = "", *, resets_at: datetime | None = None, **context: Any) -> None:
        when = f"after {resets_at:%Y-%m-%d %H:%M:%S} UTC" if resets_at else "when Xero's next day begins"
        context.setdefault("advice", f"Run again {when}; it continues where this run stopped.")
        super().__init__(words, **context)
        self.resets_at = resets_at


class CallError(XeroError):
    """Xero answered and the answer is final: the same call would fail again."""


class ScopeMissing(CallError):
    """The token lacks the scope that this endpoint needs; `scope` names those that would do, where Xero says so."""

    def __init__(self, words: str = "", *, scope: str | None = None, **context: Any) -> None:
        super().__init__(
            f"{words}: needs the scope {scope.replace(' ', ' or ')}" if scope else words, **context
        )
        self.scope = scope


class NotFound(CallError):
    """Xero has no such object, id or number (404)."""


class Refused(CallError):
    """Xero does not accept the request; `elements` are its answers per record, in its order, if it gave any."""

    def __init__(
        self, words: str = "", *, elements: list[dict[str, Any]] | None = None, **context: Any
    ) -> None:
        super().__init__(words, **context)
        self.elements = elements or []


class TooLarge(Refused):
    """The body is larger than Xero takes (413)."""

    way_out = "Send fewer records at once, or a smaller file."


class Unavailable(XeroError):
    """All tries failed. `sent` says whether the last of them may have reached Xero."""

    way_out = "Run again later. status.developer.xero.com shows Xero's status."

    def __init__(self, words: str = "", *, sent: bool = False, **context: Any) -> None:
        super().__init__(words, **context)
        self.sent = sent


class NotJson(Unavailable):
    """The answer is not the JSON that was asked for."""

    way_out = "Run again later. If it persists, something other than Xero answers, such as a proxy."


class TooSlow(Unavailable):
    """The answer was not there in full at the end of the deadline for a whole exchange."""

    way_out = "Run again later. If the connection is slow, raise the setting request_timeout."


class OutcomeUnknown(Unavailable):
    """A write was sent and no answer says whether it was done. `idempotency_key` is the one it was sent with."""

    way_out = "Look the records up in Xero before they are sent again."

    def __init__(self, words: str = "", *, idempotency_key: str | None = None, **context: Any) -> None:
        context["sent"] = True
        super().__init__(words, **context)
        self.idempotency_key = idempotency_key


class Closed(XeroError):
    """The client was closed while the call waited; it was not sent."""


def one_line(text: str, longest: int = _LONGEST_WORDS) -> str:
    """The text as it may be shown, without line breaks and cut to a length that fits an error message."""
    text = redact(" ".join(text.split()))
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
