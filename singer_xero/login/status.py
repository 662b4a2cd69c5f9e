"""What the stored tokens give access to, and how to withdraw the consent."""

from __future__ import annotations

import logging
import textwrap
import time
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime, timezone

import click

from singer_xero import scopes as scoping
from singer_xero.api.auth import Identity, revoke
from singer_xero.api.client import USER_AGENT, Connection
from singer_xero.api.errors import NotConnected
from singer_xero.api.redaction import redact_line
from singer_xero.api.scope_advice import way_to
from singer_xero.api.tokens import Kept, Store
from singer_xero.connection import Connected
from singer_xero.settings import ConnectionSettings

logger = logging.getLogger("xero-login")

UNUSED_DAYS = 60
"""Days after which an unused refresh token expires (Xero's token guide)."""

_ACCESS_SECONDS = 30 * 60
_DAY = 86_400


def status(settings: ConnectionSettings, store: Store) -> None:
    """Show what the tokens give access to and how long they last. Raises NotConnected if there are none."""
    before = store.read(settings.client_id)
    if before is None and not settings.client_secret and not settings.refresh_token:
        raise NotConnected(
            f"there are no tokens for this client_id in {store.path}", advice="Run `xero-login`."
        )
    with closing(Connected(settings, logger)) as connected:
        granted, organisations = connected.client.scopes(), connected.client.connections()
        custom = connected.client.is_custom_connection
        # /connections may not list the organisation of a custom connection, but Xero answers for it.
        if custom and not organisations:
            organisations = [Connection(one.tenant_id, one.name) for one in connected.organisations]
    show_organisations(organisations, "Organisations")
    show_scopes(granted, custom=custom)
    if custom:
        click.echo("Tokens:  a custom connection stores no tokens, and none expire.")
    else:
        click.echo(f"Tokens:  {store.path}")
        click.echo(f"         {lifetime(store.read(settings.client_id), before, time.time())}")


def show_scopes(granted: Iterable[str], *, custom: bool) -> None:
    """List the scopes of a token, the streams they open, and the others with the scope they lack."""
    access = scoping.access(granted)
    click.echo(f"Scopes:\n{_wrapped(sorted(granted))}\n")
    click.echo(f"They give access to {len(access.streams)} streams:\n{_wrapped(access.streams)}\n")
    if access.missing:
        click.echo("These streams are skipped, since their scope is missing:")
        for scope, streams in access.missing.items():
            click.echo(_wrapped([f"{', '.join(streams)}: {scope} ({way_to(scope, custom=custom)})"]))
        click.echo()
    if access.writing:
        click.echo(f"Write scopes:\n{_wrapped(access.writing)}\n")
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
    by_this_run = before is not None and kept.refresh_token != before.refresh_token
    when = f"{datetime.fromtimestamp(renewed, timezone.utc):%Y-%m-%d}"
    if by_this_run or now - renewed < 60:
        when = "just now"
    return f"Renewed {when}: {days} day{'' if days == 1 else 's'} left, until {until:%Y-%m-%d}. Every run renews them."


def logout(settings: ConnectionSettings, store: Store) -> None:
    """Withdraw the consent and delete its tokens. If Xero does not answer, they are kept."""
    with closing(identity_of(settings)) as identity:
        revoke(identity, store, settings.client_id, settings.client_secret)
    click.echo(
        f"Logged out: Xero withdrew this app's connections, and its tokens were deleted from {store.path}."
    )
    if settings.refresh_token:
        click.echo("The refresh_token in the configuration is no longer valid either: remove it.")


def identity_of(settings: ConnectionSettings) -> Identity:
    """Xero's token endpoint, with few retries: the user waits at the terminal."""
    return Identity(
        settings.identity_url,
        user_agent=settings.user_agent or USER_AGENT,
        max_tries=3,
        allow_insecure_http=settings.allow_insecure_http,
    )


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


def _wrapped(names: Iterable[str]) -> str:
    """The names, separated by commas, wrapped at spaces only, since commands contain hyphens."""
    return textwrap.fill(
        ", ".join(names),
        width=100,
        initial_indent="  ",
        subsequent_indent="  ",
        break_on_hyphens=False,
        break_long_words=False,
    )
