"""The client, through which every request of tap and target passes.

A call waits for its turn (`limits`), is signed (`auth`), sent and read to the end (`http`). The result is an answer,
one of `errors`, or a retry. Reads are retried after every temporary failure. A write is retried only if nothing was
done, or if Xero recognises it: Xero remembers an Idempotency-Key for 6 minutes (its guide to idempotent requests), and
the client relies on 5 of them. Otherwise the call raises `OutcomeUnknown`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

import backoff
import msgspec
import requests.auth

from singer_xero.api import dates, errors, scope_advice
from singer_xero.api.answers.judging import failed, judged, lacks_scope
from singer_xero.api.answers.reading import AnswerReader
from singer_xero.api.auth import (
    AccessTokens,
    ClientCredentials,
    Identity,
    RefreshToken,
    scopes_of,
)
from singer_xero.api.call import JSON as _JSON
from singer_xero.api.call import Call
from singer_xero.api.hosts import API_URL, IDENTITY_URL
from singer_xero.api.http.response_body import BOUNDS, Bounds, Broken
from singer_xero.api.http.transport import MAX_SLOW, Answer, Transport, read_through, require_https
from singer_xero.api.limits import Limits, Usage
from singer_xero.api.redaction import remember, remember_passwords_of
from singer_xero.api.tokens import open_store
from singer_xero.objects.apis import DEFAULT_API, Api

logger = logging.getLogger(__name__)

USER_AGENT = f"singer-xero/{version('singer-xero')}"

_OVER_LIMIT = "Run again later, with fewer programs that call Xero at the same time: they share its limits."
_LONGEST_KEY = 128
# For calls that belong to no organisation. None stands for the organisation of a custom connection.
_NO_ORGANISATION = "(no organisation)"


_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True)
class Connection:
    """An organisation that the user connected to the app."""

    tenant_id: str
    name: str


class XeroClient:
    """Xero's API for any number of threads and organisations.

    `api_url` and `identity_url` have no path. `api` is the API of paths that name none. `clock` gives seconds since
    1970, `monotonic` measures waits and `sleep` waits; without a `sleep`, waits end when the client is closed.
    `timeout` is (to connect, between two bytes) in seconds, and `bounds` limits a whole exchange. `day_reserve` calls a
    day are left for other programs. A call is tried at most `max_tries` times. Raises InsecureAddress for plain http to
    another machine, unless `allow_insecure_http`.
    """

    def __init__(
        self,
        auth: AccessTokens,
        api_url: str = API_URL,
        identity_url: str = IDENTITY_URL,
        user_agent: str = USER_AGENT,
        *,
        api: Api = DEFAULT_API,
        day_reserve: int = 0,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] | None = None,
        timeout: tuple[float, float] = (10, 120),
        bounds: Bounds = BOUNDS,
        max_tries: int = 6,
        allow_insecure_http: bool = False,
    ) -> None:
        remember_passwords_of(api_url, identity_url)
        for setting, url in (("api_url", api_url), ("identity_url", identity_url)):
            require_https(setting, url, allowed=allow_insecure_http)
        self._auth = auth
        self._api_url = api_url.rstrip("/")
        self._api = api
        self._monotonic = monotonic
        self._max_tries = max_tries
        self._transport = Transport(user_agent, timeout, bounds)
        self._names: dict[str | None, str] = {}
        self._answers = AnswerReader(self._name_of)
        self._limits = Limits(
            day_reserve=day_reserve, clock=clock, monotonic=monotonic, sleep=sleep, name_of=self._name_of
        )
        self._identity = Identity(
            identity_url,
            transport=self._transport,
            allow_insecure_http=allow_insecure_http,
            max_tries=max_tries,
            clock=clock,
            sleep=lambda seconds: self._limits.pause(_NO_ORGANISATION, seconds, "POST /connect/token"),
        )

    @property
    def is_custom_connection(self) -> bool:
        """Whether the app signs in as itself, for its one organisation."""
        return isinstance(self._auth, ClientCredentials)

    def connections(self) -> list[Connection]:
        """The connected organisations; empty if Xero does not list that of a custom connection.

        Xero's FAQ and its own programs disagree on whether it does (xero-mcp-server#278).
        """
        try:
            answer = self._call("GET", _NO_ORGANISATION, "/connections", accept=_JSON)
        except (errors.ScopeMissing, errors.OrganisationUnavailable, errors.NotFound, errors.NotConnected):
            if self.is_custom_connection:
                return []
            raise
        # Practices have none of an organisation's APIs.
        found = [
            Connection(row["tenantId"], row.get("tenantName") or "")
            for row in answer.json()
            if (row.get("tenantType") or "ORGANISATION") == "ORGANISATION"
        ]
        self._names.update((connection.tenant_id, connection.name) for connection in found)
        return found

    def scopes(self) -> frozenset[str]:
        """The scopes of the current access token, fetching one if there is none."""
        return scopes_of(self._auth.access_token(self._identity), self._auth.granted_scope())

    def get(
        self,
        tenant_id: str | None,
        path: str,
        params: Mapping[str, Any] | None = None,
        modified_since: datetime | str | None = None,
        headers: Mapping[str, str] | None = None,
        accept: str = _JSON,
        *,
        api: Api | None = None,
        urgent: bool = False,
        last: bool = False,
        read: Callable[[Answer], Any] = read_through,
    ) -> Answer:
        """Read. `path` is below the base of `api` (`Invoices`), or starts with a slash and is below the host.

        Of `params`, None is left out, lists are joined by commas, and dates are days. `modified_since` becomes the
        header If-Modified-Since, rounded down to the second. An `urgent` call takes its turn before those that wait. A
        `last` call may use the calls that are `kept_back`, is sent even after `stop`, and is not retried. `read` makes
        the answer's `value` from a body that should be JSON; if it raises msgspec's DecodeError or UnicodeDecodeError,
        the call is retried. Returns an answer with status 200, or 304 with an empty body.
        """
        extra = {"If-Modified-Since": dates.if_modified_since(modified_since)} if modified_since else {}
        return self._call(
            "GET",
            tenant_id,
            path,
            params=params,
            headers={**(headers or {}), **extra},
            accept=accept,
            api=api,
            urgent=urgent,
            last=last,
            read=read,
        )

    def send(
        self,
        verb: str,
        tenant_id: str | None,
        path: str,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        idempotency_key: str | None = None,
        content_type: str = _JSON,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Write with PUT, POST or DELETE. `body` is bytes, anything that JSON can hold (Decimals exactly), or None.

        With an `idempotency_key` (up to 128 characters), the write is retried within 5 minutes. Xero offers keys for
        PUT and POST only, so a DELETE is sent without it. Raises OutcomeUnknown if the write may have happened; every
        other error means that nothing was written, except where `Refused.elements` says otherwise.
        """
        extra = dict(headers or {})
        keyed = idempotency_key if verb != "DELETE" else None
        if keyed:
            if len(keyed) > _LONGEST_KEY:
                raise ValueError(f"Idempotency-Key: at most {_LONGEST_KEY} characters, not {len(keyed)}")
            extra["Idempotency-Key"] = keyed
        data = body if isinstance(body, bytes) or body is None else _encoder.encode(body)
        if data is not None:
            extra["Content-Type"] = content_type
        return self._call(
            verb, tenant_id, path, params=params, headers=extra, accept=_JSON, data=data, key=keyed
        )

    def usage(self, tenant_id: str | None) -> Usage:
        """The calls, bytes and seconds of waiting of an organisation so far, and what is left of its limits."""
        return self._limits.usage(tenant_id)

    def kept_back(self, tenant_id: str | None, calls: int) -> AbstractContextManager[None]:
        """Reserve so many of the organisation's daily calls for `get(…, last=True)` while the context is open."""
        return self._limits.kept_back(tenant_id, calls)

    def stop(self) -> None:
        """Send only `last` calls from now on; all others, waiting ones included, raise Closed."""
        self._limits.stop()

    def close(self) -> None:
        """End all waits, whose calls raise Closed, and close the connections."""
        self._limits.close()
        self._transport.close()

    def _call(
        self, verb: str, tenant_id: str | None, path: str, *, api: Api | None = None, **options: Any
    ) -> Answer:
        """Make a call; `options` are attributes of `Call`."""
        call = Call(
            self._api_url,
            verb,
            path,
            api=api or self._api,
            is_default=api is None or api is self._api,
            tenant_id=tenant_id,
            header=None if tenant_id == _NO_ORGANISATION else tenant_id,
            **options,
        )
        try:
            return self._answered(call)
        except errors.XeroError as error:
            # Only an answer about the write itself says what an earlier try with the same key has done.
            if call.unsure_since is None or isinstance(
                error, (errors.Refused, errors.NotFound, errors.OutcomeUnknown)
            ):
                raise
            raise errors.OutcomeUnknown(
                f"{error.words}; its outcome is unknown",
                call=call.name,
                status=error.status,
                correlation_id=error.correlation_id,
                idempotency_key=call.key,
            ) from error

    def _answered(self, call: Call) -> Answer:
        """Try a call until there is an answer; raises a permanent failure, or the last temporary one."""
        waits, long_waits = backoff.expo(max_value=30), backoff.expo(factor=15, max_value=120)
        next(waits), next(long_waits)
        tries = slow = 0
        while True:
            outcome = self._try(call)
            if isinstance(outcome, Answer):
                return outcome
            tries += 1
            slow += isinstance(outcome, errors.TooSlow)
            if tries >= self._max_tries or slow >= MAX_SLOW or (call.last and outcome.status != 429):
                raise outcome
            if outcome.status == 429:
                wait = 0.0  # `limits` waits before the next try
            else:
                # 503 means maintenance or an offline organisation, which takes minutes rather than seconds.
                wait = backoff.full_jitter(next(long_waits if outcome.status == 503 else waits))
            if call.too_late(self._monotonic() + wait):
                raise outcome
            logger.warning("%s; trying again", outcome.what)
            if wait:
                self._limits.pause(call.tenant_id, wait, call.name)

    def _try(self, call: Call) -> Answer | errors.Unavailable:
        """Send once, or twice if the token is stale; returns an answer or a temporary failure, or raises."""
        rejected: str | None = None
        while True:
            self._limits.enter(call.tenant_id, call.name, urgent=call.urgent, last=call.last)
            answer: Answer | None = None
            try:
                token = self._auth.access_token(self._identity, rejected=rejected)
                started = self._monotonic()
                if call.too_late(started):
                    raise errors.Unavailable(
                        "the wait was longer than Xero remembers its Idempotency-Key", call=call.name
                    )
                answer = self._transport.exchange(
                    call.verb,
                    call.url,
                    call=call.name,
                    headers=call.sent_headers,
                    params=call.query,
                    data=call.data,
                    signature=_Bearer(token),
                )
            except Broken as broken:
                if broken.sent:
                    call.unsure(started)
                if broken.hopeless and not broken.sent:
                    raise errors.NetworkSetupError(
                        str(broken), call=call.name, advice=broken.advice
                    ) from None
                failure = broken.failure(call.name)
                if broken.hopeless:
                    raise failure from None
                return failure
            finally:
                problem = self._limits.leave(call.tenant_id, answer)
            outcome = self._outcome(call, answer, started, problem)
            if outcome is not None:
                return outcome
            if answer.status == 401 and rejected is None and not lacks_scope(call, answer):
                rejected = token
                continue
            raise judged(
                call,
                answer,
                organisation=self._name_of(call.tenant_id),
                may_write=self._may_write(token),
                custom=self.is_custom_connection,
            )

    def _outcome(
        self, call: Call, answer: Answer, started: float, problem: Any
    ) -> Answer | errors.Unavailable | None:
        """A usable answer or a temporary failure; None for a permanent failure."""
        if answer.status == 429:
            self._limits.check_day(call.tenant_id, call.name)
            return failed(
                errors.Unavailable, call, answer, f"over the {problem} limit", sent=False, advice=_OVER_LIMIT
            )
        if answer.status == 304 or 200 <= answer.status < 300:
            answer, fault = self._answers.understood(call, answer)
            if not fault:
                return answer
            call.unsure(started)
            return failed(errors.NotJson, call, answer, fault, sent=True)
        if answer.status >= 500 and answer.status != 501:
            call.unsure(started)
            return failed(errors.Unavailable, call, answer, sent=True)
        return None

    def _may_write(self, token: str) -> bool:
        try:
            granted = scopes_of(token, self._auth.granted_scope())
        except errors.XeroError:
            return True
        return any(map(scope_advice.writes, granted))

    def _name_of(self, tenant_id: str | None) -> str:
        if tenant_id == _NO_ORGANISATION:
            return "the app"
        if tenant_id is None:
            return "the organisation of the custom connection"
        name = self._names.get(tenant_id)
        return f"{name} ({tenant_id})" if name else f"organisation {tenant_id}"


def connect(
    client_id: str,
    client_secret: str | None = None,
    refresh_token: str | None = None,
    token_path: str | None = None,
    scopes: Iterable[str] | None = None,
    user_agent: str | None = None,
    **options: Any,
) -> XeroClient:
    """Make a client from the values of a configuration; `options` are those of XeroClient.

    With a secret but no refresh token, configured or stored, the app counts as a custom connection. Raises
    TokenStoreError if the store at `token_path` can't be read.
    """
    auth: AccessTokens
    store = open_store(token_path)
    client_id = client_id.strip()
    if client_secret and not refresh_token and store.read(client_id) is None:
        auth = ClientCredentials(client_id, client_secret, scopes or ())
    else:
        auth = RefreshToken(client_id, client_secret, refresh_token, store=store)
    return XeroClient(auth, user_agent=user_agent or USER_AGENT, **options)


class _Bearer(requests.auth.AuthBase):
    def __init__(self, token: str) -> None:
        remember(token)
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request
