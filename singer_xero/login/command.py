"""The command `xero-login`: get consent in the browser and store the tokens that tap and target share."""

from __future__ import annotations

import logging
import re
import sys
from importlib.metadata import version

import click

from singer_xero import scopes as scoping
from singer_xero.api.errors import XeroError
from singer_xero.api.hosts import IDENTITY_URL, LOGIN_URL
from singer_xero.api.tokens import open_store
from singer_xero.console import clean_output
from singer_xero.errors import ConfigurationProblem
from singer_xero.login.answer import APP_PAGE
from singer_xero.login.settings import settings
from singer_xero.login.sign_in import SignIn, Stopped
from singer_xero.login.status import logout, status
from singer_xero.login.waiting import PORT
from singer_xero.version import DISTRIBUTION


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
    read = settings(sources, options)
    store = open_store(read.token_path)
    if action == "status":
        status(read, store)
    elif action == "logout":
        logout(read, store)
    else:
        by_default = scoping.write_scopes() if write else scoping.read_scopes()
        if broad:
            by_default = scoping.broad_scopes(write=write)
        wanted = re.split(r"[\s,]+", scopes.strip()) if scopes else by_default
        SignIn(
            read,
            store,
            tuple(dict.fromkeys(wanted)),
            redirect_uri=redirect_uri or f"http://localhost:{port}",
            login_url=login_url or (LOGIN_URL if read.identity_url == IDENTITY_URL else read.identity_url),
            browser=not no_browser,
            seconds=timeout,
        ).run()


def main() -> None:
    """Run the command; an error that the user can fix is one line, with exit code 1."""
    with clean_output(stdout=True):
        logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
        try:
            sys.exit(login.main(prog_name="xero-login", standalone_mode=False))
        except click.ClickException as wrong:
            wrong.show()
            sys.exit(wrong.exit_code)
        except (click.Abort, Stopped, ConfigurationProblem, XeroError) as problem:
            words = str(problem) or "stopped; nothing was stored."
            click.echo(f"xero-login: {words}", err=True)
            sys.exit(130 if isinstance(problem, (click.Abort, Stopped)) else 1)
