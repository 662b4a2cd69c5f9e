"""Signing in to Xero: its token endpoint, and the access token of each call.

There are two sources of access tokens, both safe for many threads. `RefreshToken` is for web apps (with a secret) and
PKCE apps (without), to which a user gives consent; its tokens are in a `Store` that processes share.
`ClientCredentials` is for a custom connection, which has one organisation and stores nothing.

An access token lasts for `expires_in`, 30 minutes, by the local clock, and is renewed a minute early. The `exp` in the
token is not used, since clocks differ.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeGuard
from urllib.parse import urlencode

import backoff
import requests.auth

from singer_xero.api import errors, scope_advice
from singer_xero.api.answers.error_body import words_of
from singer_xero.api.hosts import IDENTITY_URL, LOGIN_URL
from singer_xero.api.http.response_body import Broken
from singer_xero.api.http.transport import MAX_SLOW, Answer, Transport, check_sendable, require_https
from singer_xero.api.redaction import remember, remember_basic
from singer_xero.api.tokens import Kept, Store, open_store
from singer_xero.objects.apis import ErrorShape

logger = logging.getLogger(__name__)

_LIFE = 30 * 60.0
_LEEWAY = 60.0
# For this long after a refresh, Xero still accepts the old refresh token, in case its answer was lost.
_GRACE = 30 * 60.0
_SEEDS_REMEMBERED = 50
# The store is locked while a grant is under way, and its answer is short.
_PATIENCE = 60.0
_ERRORS = ErrorShape(words=("error_description", "error"))
_SECRET_FIELDS = ("refresh_token", "code", "code_verifier", "token")


class Identity:
    """Xero's token endpoint. A grant is tried at most `max_tries` times; `sleep` waits between the tries.

    Raises InsecureAddress for plain http to another machine, unless `allow_insecure_http`.
    """

    def __init__(
        self,
        url: str = IDENTITY_URL,
        *,
        transport: Transport | None = None,
        user_agent: str = "singer-xero",
        timeout: tuple[float, float] = (10, 120),
        max_tries: int = 6,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        allow_insecure_http: bool = False,
    ) -> None:
        require_https("identity_url", url, allowed=allow_insecure_http)
        self.url = url.rstrip("/")
        self.clock = clock
        self._transport = transport or Transport(user_agent, timeout)
        self._max_tries = max_tries
        self._sleep = sleep

    def grant(self, client_id: str, client_secret: str | None, form: dict[str, str]) -> Kept:
        """Exchange a code, a refresh token or the app's own credentials for tokens.

        Raises NotConnected, BadCredentials or InvalidScope if Xero refuses, and Unavailable if there is no answer. A
        lost answer is requested again at once with the same refresh token, which Xero accepts for 30 minutes more.
        """
        call = f"POST /connect/token ({form['grant_type']})"
        asked_at = self.clock()
        answer = self._post("/connect/token", client_id, client_secret, form, call)
        found = answer.json() if answer.json_fault() is None else None
        if not isinstance(found, dict) or not isinstance(found.get("access_token"), str):
            advice = f"Check identity_url; Xero's is {IDENTITY_URL}."
            raise answer.error(
                errors.Unavailable, "the answer contains no access token", sent=True, advice=advice
            )
        scope = found.get("scope")
        return Kept(
            access_token=found["access_token"],
            expires_at=asked_at + float(found.get("expires_in") or _LIFE),
            refresh_token=found.get("refresh_token") or "",
            scope=" ".join(scope) if isinstance(scope, list) else scope,
        )

    def revoke(self, client_id: str, client_secret: str | None, refresh_token: str) -> None:
        """Withdraw consent: the app loses all of this user's connections."""
        form = {"token": refresh_token, "token_type_hint": "refresh_token"}
        self._post("/connect/revocation", client_id, client_secret, form, "POST /connect/revocation")

    def close(self) -> None:
        """Close the idle connections."""
        self._transport.close()

    def _post(
        self, path: str, client_id: str, client_secret: str | None, form: dict[str, str], call: str
    ) -> Answer:
        basic, data = _proof(client_id, client_secret, form)
        waits = backoff.expo(max_value=30)
        next(waits)
        slow = 0
        for tries in range(1, self._max_tries + 1):
            try:
                answer = self._transport.exchange(
                    "POST",
                    self.url + path,
                    call=call,
                    headers={"Accept": "application/json"},
                    data=data,
                    signature=basic,
                    seconds=_PATIENCE,
                )
            except Broken as broken:
                failure = broken.failure(call)
                slow += isinstance(failure, errors.TooSlow)
                if broken.hopeless and not broken.sent:
                    raise errors.NetworkSetupError(str(broken), call=call, advice=broken.advice) from None
                if broken.hopeless or slow >= MAX_SLOW:
                    raise failure from None
            else:
                problem = _unusable(answer, path, form)
                if problem is None:
                    return answer
                failure = problem
            if tries < self._max_tries:
                logger.warning("%s; trying again", failure.what)
                # The first retry comes at once: if only the answer was lost, the old token expires soon.
                if tries > 1:
                    self._sleep(backoff.full_jitter(next(waits)))
        raise failure


def _proof(
    client_id: str, client_secret: str | None, form: dict[str, str]
) -> tuple[requests.auth.HTTPBasicAuth | None, dict[str, str]]:
    """The credentials and the form of an app: a web app uses HTTP Basic, a PKCE app only states its id."""
    check_sendable("client_id", client_id)
    check_sendable("client_secret", client_secret or "")
    remember(*(form.get(name) for name in _SECRET_FIELDS))
    if not client_secret:
        return None, {**form, "client_id": client_id}
    remember_basic(client_id, client_secret)
    return requests.auth.HTTPBasicAuth(client_id, client_secret), form


def _unusable(answer: Answer, path: str, form: dict[str, str]) -> errors.Unavailable | None:
    """The temporary failure of an answer; None if it can be used. Raises a permanent failure."""
    fault = answer.json_fault() if answer.status == 200 and path.endswith("token") else None
    if answer.status in {200, 204} and not fault:
        return None
    if answer.status < 500 and answer.status != 429 and not fault:
        raise _identity_error(answer, form)
    words = fault or words_of(answer.content, _ERRORS)
    return answer.error(errors.NotJson if fault else errors.Unavailable, words, sent=True)


class AccessTokens(ABC):
    """Where a client's access tokens come from."""

    def __init__(self, client_id: str, client_secret: str | None) -> None:
        # Files and variables often end with a line break.
        self._client_id = client_id.strip()
        self._client_secret = (client_secret or "").strip() or None
        self._lock = threading.Lock()
        self._held: Kept | None = None

    @abstractmethod
    def access_token(self, identity: Identity, *, rejected: str | None = None) -> str:
        """A token that lasts another minute; never `rejected`, which Xero has just refused with 401."""

    def granted_scope(self) -> str | None:
        """The scopes that Xero named beside the current token, if it did."""
        return self._held.scope if self._held else None

    def _usable(self, kept: Kept | None, identity: Identity, rejected: str | None) -> TypeGuard[Kept]:
        return (
            kept is not None
            and bool(kept.access_token)
            and kept.access_token != rejected
            and identity.clock() < kept.expires_at - _LEEWAY
        )


class ClientCredentials(AccessTokens):
    """A custom connection, which signs in as itself. `scopes` must be selected for it at developer.xero.com."""

    def __init__(self, client_id: str, client_secret: str, scopes: Iterable[str] = ()) -> None:
        super().__init__(client_id, client_secret)
        self._scopes = tuple(scopes)

    def access_token(self, identity: Identity, *, rejected: str | None = None) -> str:
        """See `AccessTokens`."""
        with self._lock:
            held = self._held
            if not self._usable(held, identity, rejected):
                form = {"grant_type": "client_credentials"}
                if self._scopes:
                    form["scope"] = " ".join(self._scopes)
                held = self._held = identity.grant(self._client_id, self._client_secret, form)
            return held.access_token


class RefreshToken(AccessTokens):
    """A user's consent: each refresh returns the refresh token for the next one.

    `refresh_token` comes from the configuration and is the first of a chain; `store` has the later ones. It is used if
    the store has not seen it yet, which means a newer consent; otherwise the stored one is used. Of all threads and
    processes that share the store, one refreshes and the others use its result.
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str | None = None,
        refresh_token: str | None = None,
        *,
        store: Store | None = None,
    ) -> None:
        super().__init__(client_id, client_secret)
        self._seed = (refresh_token or "").strip() or None
        self._store: Store = store or open_store()

    def access_token(self, identity: Identity, *, rejected: str | None = None) -> str:
        """See `AccessTokens`."""
        with self._lock:
            held = (
                self._held
                if self._usable(self._held, identity, rejected)
                else self._store.read(self._client_id)
            )
            if not self._usable(held, identity, rejected):
                with self._store.locked(self._client_id):
                    # Another process may have refreshed while this one waited for the lock.
                    held = self._store.read(self._client_id)
                    if not self._usable(held, identity, rejected):
                        held = self._refreshed(held, identity)
            self._held = held
            return held.access_token

    def _usable(self, kept: Kept | None, identity: Identity, rejected: str | None) -> TypeGuard[Kept]:
        return super()._usable(kept, identity, rejected) and not self._newer_consent(kept)

    def _newer_consent(self, kept: Kept | None) -> bool:
        if self._seed is None:
            return False
        known = (kept.refresh_token, kept.previous_refresh_token) if kept else ()
        return self._seed not in known and fingerprint(self._seed) not in (kept.seeds if kept else ())

    def _refreshed(self, kept: Kept | None, identity: Identity) -> Kept:
        """Refresh under the store's lock. The result is on disk before the new access token is used."""
        candidates = [self._seed] if self._newer_consent(kept) else []
        if kept:
            candidates.append(kept.refresh_token)
            if identity.clock() - kept.rotated_at < _GRACE:
                candidates.append(kept.previous_refresh_token)
        seeds = kept.seeds if kept else ()
        if self._seed and fingerprint(self._seed) not in seeds:
            seeds = (*seeds, fingerprint(self._seed))[-_SEEDS_REMEMBERED:]
        refused: errors.NotConnected | None = None
        with self._store.successor(self._client_id) as keep:
            for token in filter(None, candidates):
                form = {"grant_type": "refresh_token", "refresh_token": token}
                try:
                    tokens = identity.grant(self._client_id, self._client_secret, form)
                except errors.NotConnected as error:
                    # An older token of the chain may still work: the configured one can be stale.
                    refused = refused or error
                    logger.warning("%s", error.what)
                    continue
                fresh = replace(
                    tokens,
                    refresh_token=tokens.refresh_token or token,
                    previous_refresh_token=token,
                    rotated_at=identity.clock(),
                    seeds=seeds,
                )
                keep(fresh)
                return fresh
        raise refused or errors.NotConnected(
            f"there is no refresh token in the configuration and none for this client_id in {self._store.path}"
        )


def fingerprint(token: str) -> str:
    """A hash that identifies a token that is not stored."""
    return hashlib.sha256(token.encode()).hexdigest()


@lru_cache(maxsize=4)  # asked for each list of each organisation
def scopes_of(access_token: str, granted: str | None = None) -> frozenset[str]:
    """The scopes in an access token (a JWT whose `scope` is a list or a text), or else those granted beside it.

    The signature is not checked, since only Xero relies on it. Raises XeroError if neither names scopes.
    """
    import jwt

    try:
        stated: Any = jwt.decode(access_token, options={"verify_signature": False}).get("scope")
    except jwt.PyJWTError:
        stated = None
    stated = stated if stated is not None else granted
    if stated is None:
        raise errors.XeroError("the access token lists no scopes")
    return frozenset(stated.split() if isinstance(stated, str) else map(str, stated))


def pkce_pair() -> tuple[str, str]:
    """A verifier and its challenge (S256), for an app without a secret."""
    verifier = secrets.token_urlsafe(64)
    return verifier, pkce_challenge(verifier)


def pkce_challenge(verifier: str) -> str:
    """The S256 challenge of a verifier."""
    return (
        base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest())
        .rstrip(b"=")
        .decode("ascii")
    )


def authorize_url(
    client_id: str,
    redirect_uri: str,
    scopes: Iterable[str],
    state: str,
    *,
    challenge: str | None = None,
    login_url: str = LOGIN_URL,
) -> str:
    """The page on which a user gives consent. Xero sends the browser back to `redirect_uri` with `code` and `state`.

    Xero accepts http only for `localhost`, not for 127.0.0.1, and gives a refresh token only if `offline_access` is
    among the scopes.
    """
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(scopes),
        "state": state,
    }
    if challenge:
        query |= {"code_challenge": challenge, "code_challenge_method": "S256"}
    return f"{login_url.rstrip('/')}/identity/connect/authorize?{urlencode(query)}"


def exchange_code(
    identity: Identity,
    store: Store,
    client_id: str,
    client_secret: str | None,
    *,
    code: str,
    redirect_uri: str,
    verifier: str | None = None,
    configured: str | None = None,
) -> None:
    """Exchange the code of a consent for tokens and store them for the next run.

    The code works once, within five minutes, so the store is checked before it is used. `configured` is the refresh
    token in the configuration, if any; it is older than this consent. Raises NotConnected if the code is stale, or if
    there is no refresh token because `offline_access` was not requested.
    """
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    if verifier:
        form["code_verifier"] = verifier
    with store.locked(client_id), store.successor(client_id) as keep:
        tokens = identity.grant(client_id, client_secret, form)
        if not tokens.refresh_token:
            raise errors.NotConnected(
                "Xero returned no refresh token",
                advice="Run `xero-login` without --scopes, or include offline_access in them.",
            )
        before = store.read(client_id)
        seeds = [*(before.seeds if before else ()), *([fingerprint(configured)] if configured else ())]
        keep(replace(tokens, seeds=tuple(dict.fromkeys(seeds))[-_SEEDS_REMEMBERED:]))


def revoke(identity: Identity, store: Store, client_id: str, client_secret: str | None) -> None:
    """Withdraw the consent whose tokens are in the store; raises NotConnected if there are none."""
    with store.locked(client_id), store.successor(client_id) as keep:
        kept = store.read(client_id)
        if kept is None:
            raise errors.NotConnected(
                f"there are no tokens for this client_id in {store.path}", advice="Nothing to withdraw."
            )
        identity.revoke(client_id, client_secret, kept.refresh_token)
        keep(None)


def _identity_error(answer: Answer, form: dict[str, str]) -> errors.XeroError:
    found = answer.json() if answer.json_fault() is None else {}
    kind = found.get("error") if isinstance(found, dict) else None
    words = words_of(answer.content, _ERRORS)
    if kind == "invalid_grant":
        what = (
            "the code is expired or used"
            if "code" in form
            else "the refresh token was already used, expired or revoked"
        )
        return answer.error(errors.NotConnected, f"{words}: {what}")
    if kind == "invalid_scope":
        asked = tuple(form.get("scope", "").split())
        advice = scope_advice.without(asked, custom=form.get("grant_type") == "client_credentials")
        shown = f"{words} (asked for: {' '.join(asked)})" if asked else words
        return answer.error(errors.InvalidScope, shown, scopes=asked, advice=advice)
    if kind == "unauthorized_client":
        needed = (
            "a custom connection" if form.get("grant_type") == "client_credentials" else "a web or PKCE app"
        )
        advice = f"This way of signing in needs {needed}; see the app's page at developer.xero.com."
        return answer.error(errors.BadCredentials, words, advice=advice)
    if kind in {"invalid_client", "invalid_request", "unsupported_grant_type"} or answer.status == 401:
        return answer.error(errors.BadCredentials, words)
    return answer.error(errors.XeroError, words)
