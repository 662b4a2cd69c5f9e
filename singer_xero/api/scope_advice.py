"""How to get a scope: the one place for what errors, warnings and commands say about it."""

from __future__ import annotations

APP_PAGE = "developer.xero.com"

_ADVANCED = "Xero gives it to apps of its Advanced tier only"
_CLASSIC = "Xero gives classic expenses to no new connection"
_CLEARED = "Xero gives it to apps that it has cleared for payments only"

JOURNALS = "accounting.journals.read"

RESERVED = {
    JOURNALS: _ADVANCED,
    "accounting.classicexpenses.read": _CLASSIC,
    "accounting.classicexpenses": _CLASSIC,
    # Asking for it fails the whole consent: xero-python-oauth2-app#14, xero-node-oauth2-app#33.
    "paymentservices": _CLEARED,
}
"""Scopes that an ordinary app can't have, with the reason. One of them fails the whole consent."""

BELOW_ADVANCED = (
    f"Xero opens Journals to apps of its Advanced tier only (scope {JOURNALS}). Logging in again changes nothing: "
    f"move the app to that tier at {APP_PAGE}, or deselect the streams journals and cash_journals."
)
"""What to do about Journals that stay closed although the token has their scope."""


def way_to(*scopes: str, custom: bool | None = None) -> str:
    """How to get scopes, in a few words that can follow a colon.

    `custom`: whether it is for a custom connection, whose scopes are ticked for the app; else they are asked for with
    `xero-login`. None: not known, so both are said.
    """
    if reasons := [RESERVED[scope] for scope in scopes if scope in RESERVED]:
        return reasons[0]
    ticked = f"tick it for the app at {APP_PAGE}, and name it in the setting scopes if that is set"
    if custom:
        return ticked
    write = " --write" if any(_writes(scope) for scope in scopes) else ""
    asked = f"run `xero-login{write}`, or name it in its --scopes"
    return asked if custom is False else f"{asked} (of a custom connection {ticked})"


def advice(named: str | None, path: str, *, write: bool, custom: bool) -> str:
    """What to do when Xero refuses a call for want of a scope.

    `named` are the scopes that Xero says would do, if it says so; `path` is below ``/api.xro/2.0``.
    """
    if path.lstrip("/").split("/")[0] == "Journals":
        return BELOW_ADVANCED
    wanted = [scope for scope in (named or "").split() if _writes(scope) == write][:1]
    if not wanted:
        wanted = ["accounting.write" if write else "accounting.read"]  # not known which: only the kind counts
    way = way_to(*wanted, custom=custom)
    return f"{way[0].upper()}{way[1:]}."


def without(scopes: tuple[str, ...], *, custom: bool) -> str:
    """What to do when Xero says that the app may not ask for one of these scopes."""
    never = [f"{scope}: {RESERVED[scope]}. " for scope in scopes if scope in RESERVED]
    where = "the setting scopes" if custom else "`xero-login --scopes`"
    return f"{''.join(never)}Take the scope out of {where}, or add it to the app at {APP_PAGE}."


def _writes(scope: str) -> bool:
    return scope.startswith("accounting.") and not scope.endswith(".read")
