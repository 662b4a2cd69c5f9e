"""How to get a scope: the texts that errors, warnings and commands share."""

from __future__ import annotations

APP_PAGE = "developer.xero.com"

_ADVANCED = "Xero grants it only to apps of its Advanced tier"
_CLASSIC = "Xero no longer grants classic expenses to new connections"
_CLEARED = "Xero grants it only to apps that it has certified for payments"

JOURNALS = "accounting.journals.read"

RESERVED = {
    JOURNALS: _ADVANCED,
    "accounting.classicexpenses.read": _CLASSIC,
    "accounting.classicexpenses": _CLASSIC,
    # Requesting it fails the whole consent: xero-python-oauth2-app#14, xero-node-oauth2-app#33.
    "paymentservices": _CLEARED,
}
"""Scopes that an ordinary app can't get, with the reason. Requesting any of them fails the whole consent."""

_OTHERS = frozenset({"openid", "profile", "email", "offline_access", "paymentservices"})
"""Scopes that say nothing about whether records may be written."""

BELOW_ADVANCED = (
    f"Xero gives access to Journals only to apps of its Advanced tier (scope {JOURNALS}). Logging in again does not "
    f"help: move the app to that tier at {APP_PAGE}, or deselect the streams journals and cash_journals."
)
"""What to do if Journals are refused although the token has their scope."""


def way_to(*scopes: str, custom: bool | None = None) -> str:
    """How to get scopes, as a phrase that can follow a colon.

    `custom`: whether this is a custom connection, whose scopes are selected on the app's page; otherwise `xero-login`
    requests them. None: unknown, so the phrase covers both.
    """
    if reasons := [RESERVED[scope] for scope in scopes if scope in RESERVED]:
        return reasons[0]
    ticked = f"select it for the app at {APP_PAGE}, and add it to the setting scopes if that is set"
    if custom:
        return ticked
    write = " --write" if any(writes(scope) for scope in scopes) else ""
    asked = f"run `xero-login{write}`, or add it to its --scopes"
    return asked if custom is False else f"{asked} (for a custom connection, {ticked})"


def advice(named: str | None, path: str, *, write: bool, custom: bool) -> str:
    """What to do if Xero refuses a call because a scope is missing.

    `named` are the scopes that would suffice, if Xero names them; `path` is below ``/api.xro/2.0``.
    """
    if path.lstrip("/").split("/")[0] == "Journals":
        return BELOW_ADVANCED
    wanted = [scope for scope in (named or "").split() if writes(scope) == write][:1]
    if not wanted:
        wanted = ["any" if write else "any.read"]  # unknown which: only reading or writing matters
    way = way_to(*wanted, custom=custom)
    return f"{way[0].upper()}{way[1:]}."


def without(scopes: tuple[str, ...], *, custom: bool) -> str:
    """What to do if Xero says that the app may not request one of these scopes."""
    never = [f"{scope}: {RESERVED[scope]}. " for scope in scopes if scope in RESERVED]
    where = "the setting scopes" if custom else "`xero-login --scopes`"
    return f"{''.join(never)}Remove the scope from {where}, or add it to the app at {APP_PAGE}."


def writes(scope: str) -> bool:
    """Whether a scope lets records be written."""
    return not scope.endswith(".read") and scope not in _OTHERS
