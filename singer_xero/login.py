"""The command `xero-login`: get consent in the browser and store the tokens that tap and target share."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import textwrap
import threading
import time
import webbrowser
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import jsonschema
from singer_sdk import typing as th

from singer_xero import scopes as scoping
from singer_xero.api.auth import (
    LOGIN_URL,
    Identity,
    authorize_url,
    exchange_code,
    pkce_pair,
    revoke,
)
from singer_xero.api.client import Connection, XeroClient
from singer_xero.api.errors import BadCredentials, InvalidScope, NotConnected, XeroError
from singer_xero.api.redaction import redact_line
from singer_xero.api.scope_advice import RESERVED, way_to
from singer_xero.api.tokens import Kept, Store, default_path, open_store
from singer_xero.api.transport import require_https
from singer_xero.config import (
    API_URL,
    CONNECTION_SETTINGS,
    IDENTITY_URL,
    Connected,
    check_host,
    explain,
    from_environment,
    json_file,
    remember_settings,
    sandbox_setting,
    trimmed,
)
from singer_xero.consent import APP_PAGE, PORT, NoConsent, Page, Waiting, objection, refused_scopes
from singer_xero.console import clean_output
from singer_xero.errors import ConfigurationProblem
from singer_xero.version import DISTRIBUTION

logger = logging.getLogger("xero-login")

UNUSED_DAYS = 60
"""Days after which an unused refresh token expires (Xero's token guide)."""

_PREFIXES = ("TAP_XERO", "TARGET_XERO")
_ACCESS_SECONDS = 30 * 60
_DAY = 86_400


class Stopped(Exception):
    """The user pressed Ctrl-C; the text says whether anything was stored."""


@click.command(
    context_settings={"max_content_width": 110},
    epilog="A config file or the environment can hold all connection settings of tap-xero. Options take precedence.",
)
@click.option(
    "--config", "sources", multiple=True, metavar="FILE|ENV",
    help="Settings of tap-xero or target-xero: a JSON file, or ENV to read TAP_XERO_* and TARGET_XERO_*. Can be "
    "repeated. Default: ENV.",
)  # fmt: skip
@click.option("--client-id", help=f"Client id of your app ({APP_PAGE}).")
@click.option(
    "--client-secret", prompt="Client secret", prompt_required=False, hide_input=True, metavar="[TEXT]",
    help="Client secret of a web app; prompts for it if no value follows. A PKCE app has no secret.",
)  # fmt: skip
@click.option("--token-path", help="Where to store tokens: a file or postgresql://…")
@click.option("--scopes", help="Request exactly these scopes (separated by spaces or commas).")
@click.option("--write", is_flag=True, help="Request the write scopes as well.")
@click.option(
    "--broad",
    is_flag=True,
    help="Request the broad scopes, for apps created before March 2026. Xero retires them in September 2027.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True,
    help="Port of the redirect URI http://localhost:PORT, which must be registered for the app. 0 picks a free port.",
)  # fmt: skip
@click.option(
    "--redirect-uri",
    help="Another registered redirect URI. If it is not on this machine, paste the resulting address here.",
)
@click.option("--no-browser", is_flag=True, help="Do not open a browser; only print the address.")
@click.option(
    "--timeout", type=click.FloatRange(0, min_open=True), default=600, show_default=True, metavar="SECONDS",
    help="How long to wait for consent.",
)  # fmt: skip
@click.option("--api-url", hidden=True)
@click.option("--identity-url", hidden=True)
@click.option("--login-url", hidden=True)
@click.option(
    "--status", "action", flag_value="status", help="Show organisations, scopes, streams and days left."
)
@click.option(
    "--logout", "action", flag_value="logout", help="Withdraw consent at Xero and delete the tokens."
)
@click.version_option(version(DISTRIBUTION), prog_name="xero-login", message="%(prog)s %(version)s")
def login(
    sources: tuple[str, ...],
    scopes: str | None,
    write: bool,
    broad: bool,
    port: int,
    redirect_uri: str | None,
    no_browser: bool,
    timeout: float,
    login_url: str | None,
    action: str | None,
    **options: str | None,
) -> None:
    """Connect Xero organisations in the browser. Do this once: tap-xero and target-xero then renew the tokens.

    Requires an app at developer.xero.com with the redirect URI http://localhost:8742: a web app (with a secret) or a
    PKCE app (without).
    """
    config = settings(sources, options)
    store = open_store(config["token_path"])
    if action == "status":
        status(config, store)
    elif action == "logout":
        logout(config, store)
    else:
        wanted = re.split(r"[\s,]+", scopes.strip()) if scopes else config_scopes(write=write, broad=broad)
        sign_in(
            config,
            store,
            tuple(dict.fromkeys(wanted)),
            redirect_uri=redirect_uri or f"http://localhost:{port}",
            login_url=login_url
            or (LOGIN_URL if config["identity_url"] == IDENTITY_URL else config["identity_url"]),
            browser=not no_browser,
            seconds=timeout,
        )


def config_scopes(*, write: bool, broad: bool) -> tuple[str, ...]:
    """The scopes to request when the user names none."""
    if broad:
        return scoping.broad_scopes(write=write)
    return scoping.write_scopes() if write else scoping.read_scopes()


def main() -> None:
    """Run the command; an error that the user can fix is one line, with exit code 1."""
    with clean_output(stdout=True):
        logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
        try:
            sys.exit(login.main(prog_name="xero-login", standalone_mode=False))
        except click.ClickException as wrong:
            wrong.show()
            sys.exit(wrong.exit_code)
        except click.Abort:
            click.echo("xero-login: stopped; nothing was stored.", err=True)
            sys.exit(130)
        except Stopped as stopped:
            click.echo(f"xero-login: {stopped}", err=True)
            sys.exit(130)
        except (ConfigurationProblem, XeroError) as problem:
            click.echo(f"xero-login: {problem}", err=True)
            sys.exit(1)


# Settings


def settings(sources: Iterable[str], options: Mapping[str, str | None]) -> dict[str, Any]:
    """The connection settings of tap and target: files and environment in the given order, then the options.

    Raises ConfigurationProblem if there is no client_id or a setting is invalid.
    """
    found: dict[str, Any] = {"api_url": API_URL, "identity_url": IDENTITY_URL}
    schema = th.PropertiesList(*CONNECTION_SETTINGS).to_dict()
    known = schema["properties"]
    for source in sources or ("ENV",):
        told = environment(known) if source == "ENV" else json_file(source, "config file")
        found |= {name: value for name, value in told.items() if name in known and value is not None}
    found |= {name: value for name, value in options.items() if value}
    found = trimmed(found)
    remember_settings(found, known)
    errors = [explain(error, known) for error in jsonschema.Draft7Validator(schema).iter_errors(found)]
    if errors:
        raise ConfigurationProblem(f"Settings: {'; '.join(errors)}.")
    check_host("identity_url", found["identity_url"])
    if sandbox_setting(found.get("sandbox")):
        raise ConfigurationProblem("The setting sandbox is on. The embedded demo company needs no login.")
    if not found.get("client_id"):
        raise ConfigurationProblem(
            "No client_id: pass --client-id, set TAP_XERO_CLIENT_ID, or name the tap's config file with --config. The "
            f"app's page at {APP_PAGE} shows the client id."
        )
    found["token_path"] = found.get("token_path") or of_project() or default_path()
    return found


def environment(known: Mapping[str, Any]) -> dict[str, Any]:
    """The settings in TAP_XERO_* and TARGET_XERO_*; the tap's take precedence."""
    found: dict[str, Any] = {}
    for prefix in _PREFIXES:
        for name, setting in known.items():
            variable = f"{prefix}_{name.upper()}"
            if os.environ.get(variable) and name not in found:
                found[name] = from_environment(variable, os.environ[variable], setting)
    return found


def of_project() -> str | None:
    """The token file of the Meltano project around the current folder; None if there is none or Meltano runs this."""
    if os.environ.get("MELTANO_PROJECT_ROOT"):
        return None
    here = Path.cwd()
    project = next((folder for folder in (here, *here.parents) if (folder / "meltano.yml").is_file()), None)
    return str(project / ".secrets" / "xero-tokens.json") if project else None


# Signing in


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


# Status and logout


def status(config: Mapping[str, Any], store: Store) -> None:
    """Show what the tokens give access to and how long they last. Raises NotConnected if there are none."""
    before = store.read(config["client_id"])
    if before is None and not config.get("client_secret") and not config.get("refresh_token"):
        raise NotConnected(
            f"there are no tokens for this client_id in {store.path}", advice="Run `xero-login`."
        )
    link = Connected(config, logger)
    try:
        granted, organisations = link.client.scopes(), organisations_of(link.client)
        custom = link.client.is_custom_connection
        if custom and not organisations:  # /connections may not answer for it, its organisation does
            organisations = [
                Connection("", one.tenant_id, "ORGANISATION", one.name) for one in link.organisations
            ]
    finally:
        link.close()
    show_organisations(organisations, "Organisations")
    show_scopes(granted, custom=custom)
    if custom:
        click.echo("Tokens:  a custom connection stores no tokens, and none expire.")
    else:
        click.echo(f"Tokens:  {store.path}")
        click.echo(f"         {lifetime(store.read(config['client_id']), before, time.time())}")


def show_scopes(granted: Iterable[str], *, custom: bool) -> None:
    """List the scopes of a token, the streams they open, and the others with the scope they lack."""
    opened = scoping.access(granted)
    click.echo(f"Scopes:\n{_wrapped(sorted(granted))}\n")
    click.echo(f"They give access to {len(opened.streams)} streams:\n{_wrapped(opened.streams)}\n")
    if opened.missing:
        click.echo("These streams are skipped, since their scope is missing:")
        for scope, streams in opened.missing.items():
            click.echo(_wrapped([f"{', '.join(streams)}: {scope} ({way_to(scope, custom=custom)})"]))
        click.echo()
    if opened.writing:
        click.echo(f"Write scopes:\n{_wrapped(opened.writing)}\n")
    else:
        way = way_to(custom=custom, write=True)
        click.echo(f"No write scopes. To get them: {way}.\n")


def lifetime(kept: Kept | None, before: Kept | None, now: float) -> str:
    """How long unused tokens will last, in words. `now` is in seconds since 1970."""
    if kept is None:
        return "Not stored."
    renewed = kept.rotated_at or kept.expires_at - _ACCESS_SECONDS
    days = UNUSED_DAYS - int((now - renewed) // _DAY)
    until = datetime.fromtimestamp(renewed + UNUSED_DAYS * _DAY, timezone.utc)
    just_now = kept is not None and before is not None and kept.refresh_token != before.refresh_token
    when = (
        "just now"
        if just_now or now - renewed < 60
        else f"{datetime.fromtimestamp(renewed, timezone.utc):%Y-%m-%d}"
    )
    return f"Renewed {when}: {days} day{'' if days == 1 else 's'} left, until {until:%Y-%m-%d}. Every run renews them."


def logout(config: Mapping[str, Any], store: Store) -> None:
    """Withdraw the consent and delete its tokens; without an answer from Xero they stay."""
    identity = identity_of(config)
    try:
        revoke(identity, store, config["client_id"], config.get("client_secret"))
    finally:
        identity.close()
    click.echo(
        f"Logged out: Xero withdrew this app's connections, and its tokens were deleted from {store.path}."
    )
    if config.get("refresh_token"):
        click.echo("The refresh_token in the configuration is no longer valid either: remove it.")


def identity_of(config: Mapping[str, Any]) -> Identity:
    """Xero's token endpoint, with few retries: the user waits at the terminal."""
    return Identity(
        config["identity_url"],
        user_agent=user_agent(config),
        max_tries=3,
        allow_insecure_http=bool(config.get("allow_insecure_http")),
    )


def organisations_of(client: XeroClient) -> list[Connection]:
    """The connected organisations; practices are left out, since they have no Accounting API."""
    return [one for one in client.connections() if one.tenant_type == "ORGANISATION"]


def user_agent(config: Mapping[str, Any]) -> str:
    """The User-Agent header."""
    return str(config.get("user_agent") or f"{DISTRIBUTION}/{version(DISTRIBUTION)}")


def show_organisations(organisations: list[Connection], head: str) -> None:
    """List names and ids, or say that there are none."""
    if not organisations:
        click.echo("No organisation is connected: run `xero-login` and choose one.\n")
        return
    width = max(len(redact_line(one.name)) for one in organisations)
    click.echo(f"{head}:")
    for one in organisations:
        click.echo(f"  {redact_line(one.name):<{width}}  {redact_line(one.tenant_id)}")
    click.echo()


def _wrapped(names: Iterable[str], indent: str = "  ") -> str:
    """The names, separated by commas, wrapped at spaces only, since commands contain hyphens."""
    return textwrap.fill(
        ", ".join(names),
        width=100,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
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


if __name__ == "__main__":
    main()
