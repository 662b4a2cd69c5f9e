"""Signing in: from the request for consent to the stored tokens."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import threading
import webbrowser
from dataclasses import dataclass, field

import click

from singer_xero import scopes as scoping
from singer_xero.api.auth import authorize_url, exchange_code, pkce_pair
from singer_xero.api.client import USER_AGENT, Connection
from singer_xero.api.errors import BadCredentials, InvalidScope, NotConnected, XeroError
from singer_xero.api.http.transport import require_https
from singer_xero.api.scope_advice import RESERVED
from singer_xero.api.tokens import Store
from singer_xero.connection import Connected
from singer_xero.errors import ConfigurationProblem
from singer_xero.login.answer import APP_PAGE, NoConsent
from singer_xero.login.consent_page import objection, refused_scopes
from singer_xero.login.page import Page
from singer_xero.login.status import UNUSED_DAYS, identity_of, show_organisations
from singer_xero.login.waiting import Waiting
from singer_xero.settings import ConnectionSettings

logger = logging.getLogger("xero-login")


class Stopped(Exception):
    """The user pressed Ctrl-C; the text says whether anything was stored."""


@dataclass
class SignIn:
    """One login.

    `redirect_uri` and `login_url` are addresses, `browser` says whether to open a browser, and `seconds` how long to
    wait for consent.
    """

    settings: ConnectionSettings
    store: Store
    scopes: tuple[str, ...]
    redirect_uri: str
    login_url: str
    browser: bool
    seconds: float
    verifier: str | None = field(default=None, init=False, repr=False)
    challenge: str | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if not self.settings.client_secret:
            self.verifier, self.challenge = pkce_pair()

    def run(self) -> None:
        """Get consent, store the tokens and show the organisations.

        A failure before the code is exchanged leaves the old tokens valid.
        """
        if scoping.OFFLINE not in self.scopes:
            raise ConfigurationProblem(
                f"The scopes must include {scoping.OFFLINE}. Without it, the connection ends after 30 minutes."
            )
        client_id = self.settings.client_id
        for setting, url in (("login_url", self.login_url), ("identity_url", self.settings.identity_url)):
            require_https(setting, url, allowed=self.settings.allow_insecure_http)
        with self.store.locked(client_id), self.store.successor(client_id):
            pass  # find out that the store is not writable before the user signs in
        before = self.store.read(client_id)
        try:
            organisations = self._consent()
        except KeyboardInterrupt:
            if self.store.read(client_id) == before:
                raise Stopped("stopped; nothing was stored.") from None
            raise Stopped(
                "stopped; the tokens are stored. `xero-login --status` shows what they give access to."
            ) from None
        self._report(organisations)

    def _consent(self) -> list[Connection] | None:
        """Get consent and store the tokens; returns the organisations, or None if they can't be listed."""
        with Waiting(self.redirect_uri, pasted=_terminal(), say=click.echo) as waiting:
            self._check(waiting)
            invite(waiting, self._address(waiting, self.scopes), browser=self.browser)
            try:
                organisations = self._exchange(waiting.answer(self.seconds), waiting.redirect_uri)
            except (NoConsent, XeroError) as problem:
                title = problem.title if isinstance(problem, NoConsent) else "Not connected"
                waiting.show(Page(title, str(problem)))
                raise
            waiting.show(page_of(organisations))
        return organisations

    def _address(self, waiting: Waiting, scopes: tuple[str, ...]) -> str:
        return authorize_url(
            self.settings.client_id,
            waiting.redirect_uri,
            scopes,
            waiting.state,
            challenge=self.challenge,
            login_url=self.login_url,
        )

    def _check(self, waiting: Waiting) -> None:
        """Ask the consent page whether it accepts app, redirect URI and scopes; raises NoConsent or InvalidScope."""
        words = objection(self._address(waiting, self.scopes), USER_AGENT)
        if words is None:
            return
        if re.search(r"invalid.scope", words, re.IGNORECASE):
            asked = tuple(scope for scope in self.scopes if scope != scoping.OFFLINE)

            def refuses(some: tuple[str, ...]) -> bool:
                return objection(self._address(waiting, (scoping.OFFLINE, *some)), USER_AGENT) is not None

            raise not_allowed(refused_scopes(asked, refuses), words)
        if re.search(r"redirect", words, re.IGNORECASE):
            raise NoConsent(
                "Redirect URI",
                f"Xero says {words}. Register exactly {waiting.redirect_uri} as a redirect URI of the app at "
                f"{APP_PAGE}.",
            )
        raise NoConsent(
            "App",
            f"Xero says {words}. Check that client_id belongs to a web or PKCE app at {APP_PAGE}. (A custom "
            "connection needs no login: set client_id and client_secret.)",
        )

    def _exchange(self, code: str, redirect_uri: str) -> list[Connection] | None:
        """Exchange the code and list the organisations it gives access to; None if only the listing failed."""
        settings = self.settings
        identity = identity_of(settings)
        try:
            exchange_code(
                identity,
                self.store,
                settings.client_id,
                settings.client_secret,
                code=code,
                redirect_uri=redirect_uri,
                verifier=self.verifier,
                configured=settings.refresh_token,
            )
        except NotConnected as error:
            if error.status is None:
                raise
            raise NoConsent(
                "Too late",
                "Xero no longer accepts the code of this consent (invalid_grant, correlation id "
                f"{error.correlation_id}). A code works once, within five minutes. Run `xero-login` again.",
            ) from None
        except BadCredentials as error:
            if not settings.client_secret:
                error.advice += " A web app needs its client_secret; a PKCE app has no secret."
            raise
        finally:
            identity.close()
        with contextlib.closing(Connected(settings, logger)) as connected:
            try:
                return connected.client.connections()
            except XeroError as error:
                logger.warning("The tokens are stored, but the organisations could not be listed: %s", error)
                return None

    def _report(self, organisations: list[Connection] | None) -> None:
        """Print what is connected, where the tokens are, and the next step."""
        click.echo()
        show_organisations(organisations or [], "Connected to")
        kept = self.store.read(self.settings.client_id)
        if kept and kept.scope:
            access = scoping.access(kept.scope.split())
            total = len(access.streams) + sum(map(len, access.missing.values()))
            write = "" if access.writing else " for reading"
            click.echo(
                f"Scopes:  give access to {len(access.streams)} of {total} streams{write}; "
                "`xero-login --status` lists them."
            )
        click.echo(f"Tokens:  {self.store.path}")
        click.echo(f"         Every run renews them. Unused, they expire after {UNUSED_DAYS} days.")
        needed = "client_id and client_secret" if self.settings.client_secret else "client_id"
        several = len(organisations or ()) > 1 and not self.settings.tenant_ids
        rest = (
            ", and name the organisations to read in tenant_ids."
            if several
            else "; it finds the tokens by itself."
        )
        click.echo(f"Next:    set {needed} for tap-xero{rest}")


def invite(waiting: Waiting, url: str, *, browser: bool) -> None:
    """Show where to give consent and how the answer is received."""
    # Other users of this machine can see a program's arguments, so the browser gets an address without the state.
    opened = browser and has_browser() and open_browser(waiting.page_that_opens(url))
    click.echo(
        f"{'Your browser opens' if opened else 'Open'} this page to choose what to connect:\n\n  {url}\n"
    )
    if waiting.listening:
        click.echo(f"Waiting for the answer at {waiting.redirect_uri} (press Ctrl-C to cancel).")
    if waiting.pasted is not None:
        start = (
            "If your browser is on another machine, paste the address it ends up at"
            if waiting.listening
            else "Paste the address that your browser ends up at"
        )
        click.echo(f"{start} here and press Enter.")


def not_allowed(refused: tuple[str, ...], words: str) -> InvalidScope:
    """The error that names the refused scopes, the reason and the remedy."""
    reasons = "; ".join(f"{scope} ({RESERVED[scope]})" if scope in RESERVED else scope for scope in refused)
    if any(f"{scope.removesuffix('.read')}.read" in scoping.BROAD for scope in refused):
        advice = "Apps created since March 2026 have granular scopes only: omit --broad and these scopes."
    elif refused and not set(refused) - RESERVED.keys():
        advice = "Request only the other scopes, with --scopes."
    else:
        advice = (
            f"Check the app's scopes at {APP_PAGE} and add the missing ones there, or omit them with --scopes. An app "
            "created before March 2026 may need --broad."
        )
    what = f"this app may not request {reasons}" if reasons else "this app may not request one of the scopes"
    return InvalidScope(f"Xero says {words}: {what}", advice=advice)


def has_browser() -> bool:
    """Whether there is a graphical browser; a text browser would take over this terminal."""
    return sys.platform in {"win32", "darwin"} or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME")
    )


def open_browser(url: str) -> bool:
    """Open the address."""
    # In a thread, since some browsers return only when they are closed.
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
    return True


def page_of(organisations: list[Connection] | None) -> Page:
    """The last page in the browser."""
    facts = tuple((one.name, one.tenant_id) for one in organisations or ())
    whom = facts[0][0] if len(facts) == 1 else f"{len(facts)} organisations"
    title = f"Connected to {whom}" if facts else "Connected"
    return Page(title, "The tokens are stored. You can close this window.", facts, good=True)


def _terminal() -> int | None:
    """The descriptor to read pasted addresses from: standard input, unless there is none or another job owns it."""
    try:
        descriptor = sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):
        return None
    with contextlib.suppress(AttributeError, OSError):  # no terminal, or a system without jobs
        if os.tcgetpgrp(descriptor) != os.getpgrp():
            return None  # a background job that reads from its terminal is stopped
    return descriptor
