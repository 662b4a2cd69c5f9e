"""How to get a scope: the texts that errors, warnings and commands share."""

from __future__ import annotations

from singer_xero.objects import STREAMS

APP_PAGE = "developer.xero.com"

RESERVED = {
    scope: row.scopes.reserved
    for row in STREAMS.values()
    if row.scopes.reserved
    for scope in (row.scopes.read, row.scopes.write)
    if scope
}
"""Scopes that an ordinary app can't get, with the reason. Requesting any of them fails the whole consent."""

# The scopes of OpenID, and those that both read and write: they do not say whether records may be written.
_NEITHER = {"openid", "profile", "email", "offline_access"} | {
    row.scopes.read for row in STREAMS.values() if not row.scopes.read.endswith(".read")
}
_IF_REFUSED = {
    f"{row.api.base}/{row.path}": row.scopes.if_refused for row in STREAMS.values() if row.scopes.if_refused
}


def way_to(*scopes: str, custom: bool | None = None, write: bool = False) -> str:
    """How to get scopes, as a phrase that can follow a colon; without `scopes` any that read, or `write`.

    `custom`: whether this is a custom connection, whose scopes are selected on the app's page; otherwise `xero-login`
    requests them. None: unknown, so the phrase covers both.
    """
    if reasons := [RESERVED[scope] for scope in scopes if scope in RESERVED]:
        return reasons[0]
    ticked = f"select it for the app at {APP_PAGE}, and add it to the setting scopes if that is set"
    if custom:
        return ticked
    option = " --write" if write or any(map(writes, scopes)) else ""
    asked = f"run `xero-login{option}`, or add it to its --scopes"
    return asked if custom is False else f"{asked} (for a custom connection, {ticked})"


def advice(named: str | None, path: str, *, write: bool, custom: bool) -> str:
    """What to do if Xero refuses a call because a scope is missing.

    `named` are the scopes that would suffice, if Xero names them; `path` is below the host.
    """
    for start, words in _IF_REFUSED.items():
        if f"{path}/".startswith(f"{start}/"):
            return words
    wanted = [scope for scope in (named or "").split() if writes(scope) == write][:1]
    way = way_to(*wanted, custom=custom, write=write)
    return f"{way[0].upper()}{way[1:]}."


def without(scopes: tuple[str, ...], *, custom: bool) -> str:
    """What to do if Xero says that the app may not request one of these scopes."""
    never = [f"{scope}: {RESERVED[scope]}. " for scope in scopes if scope in RESERVED]
    where = "the setting scopes" if custom else "`xero-login --scopes`"
    return f"{''.join(never)}Remove the scope from {where}, or add it to the app at {APP_PAGE}."


def writes(scope: str) -> bool:
    """Whether a scope lets records be written."""
    return not scope.endswith(".read") and scope not in _NEITHER
