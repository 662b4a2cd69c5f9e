"""Xero's identity service over HTTP: tokens, connections and the page on which a user consents."""

from __future__ import annotations

import html
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from werkzeug import Response

from ... import apps
from ...identity import TokenError, redirect_allowed
from ...values import encode
from ..calls import HTML, JSON, Call, Refusal


def _form(call: Call) -> tuple[dict[str, str], tuple[str, str] | None]:
    request = call.request
    if request.method != "POST":
        raise Refusal(405, "The requested resource does not support http method")
    if request.mimetype != "application/x-www-form-urlencoded":
        raise Refusal(400, _json(400, {"error": "invalid_request"}))
    basic = request.authorization
    proof = None
    if basic is not None and basic.type == "basic":
        proof = (basic.username or "", basic.password or "")
    return request.form.to_dict(), proof


@contextmanager
def _refusing() -> Iterator[None]:
    """Refuse with 400 what the identity service refuses."""
    try:
        yield
    except TokenError as error:
        raise Refusal(400, _json(400, error.body)) from None


def token(call: Call) -> Response:
    """``POST /connect/token``."""
    form, basic = _form(call)
    with _refusing(), call.xero.store.change():
        answer = call.xero.identity.token(form, basic)
    return _json(200, answer, {"Cache-Control": "no-store, no-cache, max-age=0", "Pragma": "no-cache"})


def revocation(call: Call) -> Response:
    """``POST /connect/revocation``."""
    form, basic = _form(call)
    with _refusing():
        app = call.xero.identity.client(form, basic)
    with call.xero.store.change():
        if call.xero.identity.revocable(form.get("token", ""), app):
            call.xero.identity.revoke(app)
    return Response(b"", 200)


def connections(call: Call, connection_id: str = "") -> Response:
    """``GET /connections`` and ``DELETE /connections/{id}``."""
    bearer = call.authenticate()
    if bearer.app.kind == apps.CUSTOM and not call.xero.switches.custom_connections:
        raise call.forbidden("AuthenticationUnsuccessful")
    opened = call.xero.identity.connections_of(bearer.app)
    call.xero.limits.count(bearer.app)
    headers = call.xero.limits.headers(bearer.app, None)
    if connection_id:
        if call.method != "DELETE":
            raise Refusal(405, "The requested resource does not support http method", headers)
        if connection_id not in {one["id"] for one in opened}:
            raise Refusal(404, "", headers)
        with call.xero.store.change():
            call.xero.identity.disconnect(connection_id)
        return Response(b"", 204, headers)
    event = call.param("authEventId")
    found = [
        {
            "id": one["id"],
            "authEventId": one["event"],
            "tenantId": one["tenant_id"],
            "tenantType": "ORGANISATION",
            "tenantName": call.xero.store.organisations[one["tenant_id"]].name,
            **{f"{name}DateUtc": f"{one[name]:%Y-%m-%dT%H:%M:%S.%f0}" for name in ("created", "updated")},
        }
        for one in opened
        if event in {None, one["event"]} and one["tenant_id"] in call.xero.store.organisations
    ]
    return _json(200, found, headers)


def authorize(call: Call) -> Response:
    """The consent page, and the redirect back to the app."""
    params = call.request.values.to_dict()
    app = call.xero.identity.apps.get(params.get("client_id", ""))
    if app is None or app.kind == apps.CUSTOM:
        return _sorry("unauthorized_client", "Unknown client or client not enabled")
    if wrong := _wrong_request(app, params):
        return _sorry(*wrong)
    try:
        scopes = call.xero.identity.check_scopes(app, params.get("scope", ""))
    except TokenError as error:
        return _sorry(error.body["error"], "Invalid scope for client")
    if unproved := _wrong_challenge(app, params):
        return _sorry("invalid_request", unproved)
    answer = params.get("sandbox_approve") or ("1" if call.xero.switches.approve_at_once else "")
    if not answer:
        return _consent_page(call, app, scopes, params)
    address, state = params["redirect_uri"], {"state": params["state"]} if "state" in params else {}
    if answer in {"0", "deny"}:
        return _back(address, {"error": "access_denied", **state})
    tenants = call.request.values.getlist("sandbox_tenant") or list(call.xero.store.organisations)
    if unknown := [one for one in tenants if one not in call.xero.store.organisations]:
        return _sorry("invalid_request", f"No such organisation: {unknown[0]}")
    with call.xero.store.change():
        code = call.xero.identity.code(app, tenants, scopes, params)
    return _back(address, {"code": code, "scope": " ".join(sorted(scopes)), **state})


def _wrong_request(app: apps.App, params: dict[str, str]) -> tuple[str, str] | None:
    """The error of a request for consent, and its description; None if all is well."""
    if not redirect_allowed(app, params.get("redirect_uri", "")):
        return "unauthorized_client", "Invalid redirect_uri"
    if params.get("response_type") != "code":
        return "unsupported_response_type", "response_type must be code"
    return None


def _wrong_challenge(app: apps.App, params: dict[str, str]) -> str | None:
    """What is wrong with the PKCE challenge; None if all is well."""
    if app.kind == apps.PKCE and not params.get("code_challenge"):
        return "code challenge required"
    if params.get("code_challenge") and params.get("code_challenge_method") != "S256":
        return "Transform algorithm not supported"
    return None


def _consent_page(call: Call, app: apps.App, scopes: frozenset[str], params: dict[str, str]) -> Response:
    hidden = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in params.items()
        if not name.startswith("sandbox_")
    )
    tenants = "".join(
        f'<li><label><input type="checkbox" name="sandbox_tenant" value="{html.escape(one.tenant_id)}" checked>'
        f" {html.escape(one.name)}</label></li>"
        for one in call.xero.store.organisations.values()
    )
    listed = "".join(f"<li>{html.escape(scope)}</li>" for scope in sorted(scopes))
    page = (
        "<!DOCTYPE html><html><head><title>Xero sandbox</title></head><body>"
        f"<h1>{html.escape(app.name)} wants access</h1><p>This is the sandbox, not Xero.</p>"
        f'<form method="post" action="/identity/connect/authorize">{hidden}<h2>Organisations</h2><ul>{tenants}</ul>'
        f"<h2>Scopes</h2><ul>{listed}</ul>"
        '<button name="sandbox_approve" value="1">Allow access</button> '
        '<button name="sandbox_approve" value="deny">Cancel</button></form></body></html>'
    )
    return Response(page, 200, content_type=HTML)


def _json(status: int, body: Any, headers: dict[str, str] | None = None) -> Response:
    return Response(encode(body), status, headers, content_type=JSON)


def _sorry(error: str, detail: str) -> Response:
    page = (
        "<!DOCTYPE html><html><body><h1>Sorry, something went wrong</h1>"
        f"<p>Error: {error}</p><p>{html.escape(detail)}</p></body></html>"
    )
    return Response(page, 400, content_type=HTML)


def _back(address: str, params: dict[str, str]) -> Response:
    joint = "&" if "?" in address else "?"
    return Response(b"", 302, {"Location": f"{address}{joint}{urlencode(params)}"})
