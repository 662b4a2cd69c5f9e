"""Signing in: from the request for consent to the stored tokens."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import threading
import webbrowser
from collections.abc import Mapping
from functools import partial
from typing import Any

import click

from singer_xero import scopes as scoping
from singer_xero.api.auth import authorize_url, exchange_code, pkce_pair
from singer_xero.api.client import Connection
from singer_xero.api.errors import BadCredentials, InvalidScope, NotConnected, XeroError
from singer_xero.api.http.transport import require_https
from singer_xero.api.scope_advice import RESERVED
from singer_xero.api.tokens import Store
from singer_xero.connection import Connected
from singer_xero.errors import ConfigurationProblem
from singer_xero.login.answer import APP_PAGE, NoConsent
from singer_xero.login.consent_page import objection, refused_scopes
from singer_xero.login.page import Page
from singer_xero.login.status import (
    UNUSED_DAYS,
    identity_of,
    organisations_of,
    show_organisations,
    user_agent,
)
from singer_xero.login.waiting import Waiting

logger = logging.getLogger("xero-login")


class Stopped(Exception):
    """The user pressed Ctrl-C; the text says whether anything was stored."""


def sign_in(
    config: Mapping[str, Any],
    store: Store,
    scopes: tuple[str, ...],
    *,
    redirect_uri: str,
    login_url: str,
    browser: bool,
    seconds: float,
) -> None:
    """Get consent, store the tokens, show the organisations. A failure before the code is exchanged uses nothing up."""
    if scoping.OFFLINE not in scopes:
        raise ConfigurationProblem(
            f"The scopes must include {scoping.OFFLINE}. Without it, the connection ends after 30 minutes."
        )
    client_id = config["client_id"]
    for setting, url in (("login_url", login_url), ("identity_url", config["identity_url"])):
        require_https(setting, url, allowed=bool(config.get("allow_insecure_http")))
    with store.locked(client_id), store.successor(client_id):
        pass  # find out that the store is not writable before the user signs in
    before = store.read(client_id)
    try:
        organisations = consented(config, store, scopes, redirect_uri, login_url, seconds, browser=browser)
    except KeyboardInterrupt:
        if store.read(client_id) == before:
            raise Stopped("stopped; nothing was stored.") from None
        raise Stopped("stopped; the tokens are stored. `xero-login --status` shows what they open.") from None
    told(config, store, organisations)


def consented(
    config: Mapping[str, Any],
    store: Store,
    scopes: tuple[str, ...],
    redirect_uri: str,
    login_url: str,
    seconds: float,
    *,
    browser: bool,
) -> list[Connection] | None:
    """Get consent and store the tokens; returns the organisations, or None if they can't be listed."""
    client_id, secret = config["client_id"], config.get("client_secret")
    verifier, challenge = (None, None) if secret else pkce_pair()
    with Waiting(redirect_uri, pasted=_terminal(), say=click.echo) as waiting:
        address = partial(
            authorize_url,
            client_id,
            waiting.redirect_uri,
            state=waiting.state,
            challenge=challenge,
            login_url=login_url,
        )
        check_address(address, scopes, waiting.redirect_uri)
        invite(waiting, address(scopes), browser=browser)
        try:
            code = waiting.answer(seconds)
            organisations = taken_up(config, store, waiting.redirect_uri, code, verifier)
        except (NoConsent, XeroError) as problem:
            waiting.show(
                Page(problem.title if isinstance(problem, NoConsent) else "Not connected", str(problem))
            )
            raise
        waiting.show(page_of(organisations))
    return organisations


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
        if waiting.listening:
            click.echo(
                "If your browser is on another machine, paste the address it ends up at here and press Enter."
            )
        else:
            click.echo("Paste the address that your browser ends up at here and press Enter.")


def taken_up(
    config: Mapping[str, Any], store: Store, redirect_uri: str, code: str, verifier: str | None
) -> list[Connection] | None:
    """Exchange the code and list the organisations it opens; None if only the listing failed."""
    identity = identity_of(config)
    try:
        exchange_code(
            identity,
            store,
            config["client_id"],
            config.get("client_secret"),
            code=code,
            redirect_uri=redirect_uri,
            verifier=verifier,
            configured=config.get("refresh_token"),
        )
    except NotConnected as error:
        if error.status is None:
            raise
        raise NoConsent(
            "Too late",
            f"Xero no longer accepts the code of this consent (invalid_grant, correlation id {error.correlation_id}). "
            "A code works once, within five minutes. Run `xero-login` again.",
        ) from None
    except BadCredentials as error:
        if not config.get("client_secret"):
            error.advice += " A web app needs its client_secret; a PKCE app has no secret."
        raise
    finally:
        identity.close()
    link = Connected(config, logger)
    try:
        return organisations_of(link.client)
    except XeroError as error:
        logger.warning("The tokens are stored, but the organisations could not be listed: %s", error)
        return None
    finally:
        link.close()


def check_address(address: Any, scopes: tuple[str, ...], redirect_uri: str) -> None:
    """Ask Xero's consent page whether it accepts app, redirect URI and scopes; raises NoConsent or InvalidScope."""
    agent = user_agent({})
    words = objection(address(scopes), agent)
    if words is None:
        return
    if re.search(r"invalid.scope", words, re.IGNORECASE):
        asked = tuple(scope for scope in scopes if scope != scoping.OFFLINE)
        refused = refused_scopes(
            asked, lambda some: objection(address((scoping.OFFLINE, *some)), agent) is not None
        )
        raise not_allowed(refused, words)
    if re.search(r"redirect", words, re.IGNORECASE):
        raise NoConsent(
            "Redirect URI",
            f"Xero says {words}. Register exactly {redirect_uri} as a redirect URI of the app at {APP_PAGE}.",
        )
    raise NoConsent(
        "App",
        f"Xero says {words}. Check that client_id belongs to a web or PKCE app at {APP_PAGE}. (A custom connection "
        "needs no login: set client_id and client_secret.)",
    )


def not_allowed(refused: tuple[str, ...], words: str) -> InvalidScope:
    """The error that names the refused scopes, the reason and the way out."""
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
    if len(facts) == 1:
        title = f"Connected to {facts[0][0]}"
    elif facts:
        title = f"Connected to {len(facts)} organisations"
    else:
        title = "Connected"
    return Page(title, "The tokens are stored. You can close this window.", facts, good=True)


def told(config: Mapping[str, Any], store: Store, organisations: list[Connection] | None) -> None:
    """Print what is connected, where the tokens are, and the next step."""
    click.echo()
    show_organisations(organisations or [], "Connected to")
    kept = store.read(config["client_id"])
    if kept and kept.scope:
        opened = scoping.access(kept.scope.split())
        total = len(opened.streams) + sum(map(len, opened.missing.values()))
        write = "" if opened.writing else " for reading"
        click.echo(
            f"Scopes:  give access to {len(opened.streams)} of {total} streams{write}; "
            "`xero-login --status` lists them."
        )
    click.echo(f"Tokens:  {store.path}")
    click.echo(f"         Every run renews them. Unused, they expire after {UNUSED_DAYS} days.")
    needed = "client_id and client_secret" if config.get("client_secret") else "client_id"
    several = len(organisations or ()) > 1 and not config.get("tenant_ids")
    click.echo(
        f"Next:    set {needed} for tap-xero"
        + (
            ", and name the organisations to read in tenant_ids."
            if several
            else "; it finds the tokens by itself."
        )
    )


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
