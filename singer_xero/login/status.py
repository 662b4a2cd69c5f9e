"""What the stored tokens give access to, and how to withdraw the consent."""

from __future__ import annotations

import logging
import textwrap
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from importlib.metadata import version
from typing import Any

import click

from singer_xero import scopes as scoping
from singer_xero.api.auth import Identity, revoke
from singer_xero.api.client import Connection, XeroClient
from singer_xero.api.errors import NotConnected
from singer_xero.api.redaction import redact_line
from singer_xero.api.scope_advice import way_to
from singer_xero.api.tokens import Kept, Store
from singer_xero.connection import Connected
from singer_xero.version import DISTRIBUTION

logger = logging.getLogger("xero-login")

UNUSED_DAYS = 60
"""Days after which an unused refresh token expires (Xero's token guide)."""

_ACCESS_SECONDS = 30 * 60
_DAY = 86_400


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
