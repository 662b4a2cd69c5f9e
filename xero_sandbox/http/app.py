"""The sandbox as one WSGI application: identity, connections, the Accounting API and the admin API."""

from __future__ import annotations

import gzip
import hashlib
import html
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlencode

from werkzeug import Request, Response

from .. import admin_api, apps
from ..faults import HOLD_LIMIT, Fault, Faults, Switches
from ..identity import BadToken, Bearer, Identity, TokenError, redirect_allowed
from ..limits import Allowance, Exceeded, Limits
from ..resources import RESOURCES, report_scopes, scopes_needed
from ..rules import registry as rules
from ..state.clock import Clock
from ..state.store import Store
from . import messages, reading
from .calls import HTML, JSON, Call, Refusal, not_built, not_found
from .visitors import foreign_name

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_API = "/api.xro/2.0/"
_CALLS_KEPT = 100_000


class Xero:
    """Everything behind the sandbox's one origin; call it as a WSGI application."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock
        self.identity = Identity(store)
        self.limits = Limits(clock)
        self.faults = Faults()
        self.switches = Switches()
        self.calls: deque[dict[str, Any]] = deque(maxlen=_CALLS_KEPT)
        self.url = ""
        self.admin_secret = ""
        self.limited = True
        self._begin = clock.now()
        self.populate: Callable[[datetime], Iterable[tuple[str, str, Mapping[str, Any]]]] = lambda _now: ()

    def load(self) -> bool:
        """Go on with what the store's file holds; false if there is nothing in it."""
        if not self.store.load():
            return False
        kept = self.store.kept("clock")
        self.clock.restore(kept["state"])
        self._begin = datetime.fromisoformat(kept["begin"])
        self.identity.load()
        return True

    def start_afresh(self) -> None:
        """Everything as in the beginning: the first organisation is connected to the known apps, with all scopes."""
        with self.store.change():
            self.store.drop_all()
            self.store.organisations.clear()
            self.clock.frozen = False
            self.clock.set(self._begin)
            self.store.keep("clock", "begin", self._begin.isoformat())
            self.keep_clock()
            for tenant_id, name, records in self.populate(self._begin):
                self.store.add_organisation(tenant_id, name, records)
            self.identity.start_afresh()
            first = list(self.store.organisations)[:1]
            for app in (apps.CUSTOM_CONNECTION, apps.WEB_APP):
                self.identity.consent(app, first, app.allowed())
        self.limits.start_afresh()
        self.limits.allowance = Allowance(enabled=self.limited)
        self.faults.clear()
        self.switches = Switches()
        self.calls.clear()

    def keep_clock(self) -> None:
        """Write down where the clock stands."""
        self.store.keep("clock", "state", self.clock.state())

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        request = Request(environ)
        if reason := foreign_name(request):
            response = Response(reason, 421, content_type="text/plain")
        elif request.path == "/sandbox" or request.path.startswith("/sandbox/"):
            response = admin_api.answer(self, request)
        else:
            response = self._noted(request)
        return response(environ, start_response)

    # --- every call ----------------------------------------------------------------------------------

    def _noted(self, request: Request) -> Response:
        """Answer a call with what faults make of it, and write it down."""
        body = request.get_data()
        call = Call(self, request, body)
        tenant_id = request.headers.get("xero-tenant-id", "")
        entry: dict[str, Any] = {
            "at": self.clock.now().isoformat(),
            "method": request.method,
            "path": request.path,
            "query": request.args.to_dict(),
            "headers": {
                name: value
                for name, value in request.headers.items()
                if name.lower() not in {"authorization", "cookie"}
            },
            "tenant": tenant_id,
            "status": None,
            "bytes": 0,
            "body_bytes": len(body),
            "body_hash": hashlib.sha256(body).hexdigest() if body else "",
        }
        if request.path.startswith("/connect/"):
            entry["grant_type"] = request.form.get("grant_type", "") if not request.is_json else ""
        self.calls.append(entry)
        pattern = (
            request.path.removeprefix(_API) if request.path.startswith(_API) else request.path.lstrip("/")
        )
        struck = self.faults.hit(request.method, pattern, tenant_id, entry["query"])
        try:
            response = self._answered(call, struck)
        except ConnectionError:
            entry["status"] = 0
            raise
        response.headers["Xero-Correlation-Id"] = call.id
        if call.organisation is not None:
            entry["tenant"] = response.headers["xero-tenant-id"] = call.organisation.tenant_id
        self._compress(request, response)
        entry["status"], entry["bytes"] = response.status_code, len(response.get_data())
        if cut := [fault for fault in struck if fault.kind == "cut_off"]:
            return _cut(response, cut[0])
        return response

    def _answered(self, call: Call, struck: list[Fault]) -> Response:
        try:
            response = self._routed(call, struck)
        except Refusal as refusal:
            response = call.refuse(refusal)
        except ConnectionError:
            raise
        except Exception:
            traceback.print_exc()
            body = messages.problem("An error occurred", 500, traceback.format_exc(limit=-3), call.id)
            response = Response(messages.encode(body), 500, content_type=JSON)
        for fault in struck:
            if fault.kind == "reset_after":
                raise ConnectionResetError
            if fault.kind == "server_error_after":
                response = call.refuse(_server_error(call))
            if fault.kind == "edit":
                admin_api.edit(self, fault.tenant or call.organisation.tenant_id, fault)
        return response

    def _routed(self, call: Call, struck: list[Fault]) -> Response:
        path = call.request.path
        if path.startswith(_API):
            return self._api(call, struck)
        for fault in struck:
            self._strike(call, fault)
        if path == "/connect/token":
            return self._token(call)
        if path == "/connect/revocation":
            return self._revocation(call)
        if path == "/identity/connect/authorize":
            return self._authorize(call)
        if path.lower().startswith("/connections"):  # the official Python SDK writes /Connections
            return self._connections(call, path[len("/connections") :].strip("/"))
        if ".xro/" in path or path.startswith("/.well-known/"):
            raise not_built(f"it has the Accounting API only, not {path}")
        raise not_found()

    def _strike(self, call: Call, fault: Fault) -> None:
        """What a fault does before the work."""
        if fault.kind == "rate_limit":
            headers = {"X-Rate-Limit-Problem": fault.problem}
            if fault.retry_after is not None:
                headers["Retry-After"] = (
                    f"{fault.retry_after:g}"
                    if isinstance(fault.retry_after, float)
                    else str(fault.retry_after)
                )
            raise Refusal(429, None, {**headers, **fault.headers})
        if fault.kind == "status":
            body = bytes.fromhex(fault.hex) or fault.body
            ready = Response(body, fault.status, fault.headers, content_type=fault.content_type)
            raise Refusal(fault.status, ready)
        if fault.kind == "server_error":
            raise _server_error(call)
        if fault.kind == "unavailable":
            raise Refusal(503, "Organisation offline", fault.headers)
        if fault.kind == "token_expired":
            raise _expired(call, self.clock.now().strftime("%m/%d/%Y %H:%M:%S"))
        if fault.kind == "html":
            raise Refusal(200, "<!DOCTYPE html><html><body><h1>We'll be back soon</h1></body></html>")
        if fault.kind == "reset_before":
            raise ConnectionResetError
        if fault.kind == "slow":
            time.sleep(fault.seconds)
        if fault.kind == "hold":
            fault.released.wait(HOLD_LIMIT)

    def _compress(self, request: Request, response: Response) -> None:
        if "gzip" in request.headers.get("Accept-Encoding", "").lower() and len(response.get_data()) > 1_000:
            response.set_data(gzip.compress(response.get_data(), 1))
            response.headers["Content-Encoding"] = "gzip"
            response.headers["Vary"] = "Accept-Encoding"

    # --- the Accounting API --------------------------------------------------------------------------

    def _api(self, call: Call, struck: list[Fault]) -> Response:
        bearer = self._bearer(call)
        tenant_id = self._tenant(call)
        call.organisation = self.store.organisations[tenant_id]
        try:
            self.limits.enter(bearer.app, tenant_id)
        except Exceeded as exceeded:
            headers = {**exceeded.headers, "X-Rate-Limit-Problem": exceeded.problem}
            if exceeded.retry_after is not None:
                headers["Retry-After"] = str(exceeded.retry_after)
            raise Refusal(429, None, headers) from None
        try:
            try:
                for fault in struck:
                    self._strike(call, fault)
                response = self._resource(call)
            except Refusal as refusal:
                response = call.refuse(refusal)
        finally:
            self.limits.leave(bearer.app, tenant_id)
        for name, value in self.limits.headers(bearer.app, tenant_id).items():
            response.headers.setdefault(name, value)
        return response

    def _bearer(self, call: Call) -> Bearer:
        kind, _, token = call.request.headers.get("Authorization", "").partition(" ")
        try:
            call.bearer = self.identity.bearer(token.strip() if kind.lower() == "bearer" else "")
        except BadToken as bad:
            if bad.expired is not None:
                raise _expired(call, bad.expired.strftime("%m/%d/%Y %H:%M:%S")) from None
            body = messages.problem("Unauthorized", 401, "AuthenticationUnsuccessful", call.id)
            raise Refusal(401, body) from None
        return call.bearer

    def _tenant(self, call: Call) -> str:
        """The organisation a call is for; a custom connection has only one and need not name it."""
        asked = call.request.headers.get("xero-tenant-id", "").strip()
        opened = {one["tenant_id"] for one in self.identity.connected(call.bearer)}
        custom = call.bearer.app.kind == apps.CUSTOM
        if not asked and custom and not self.switches.custom_needs_tenant and len(opened) == 1:
            asked = next(iter(opened))
        if asked not in opened or asked not in self.store.organisations:
            raise Refusal(403, messages.problem("Forbidden", 403, "AuthenticationUnsuccessful", call.id))
        return asked

    def _need(self, call: Call, scopes: set[str]) -> None:
        if not scopes & call.bearer.scopes:
            if call.method != "GET" and self.switches.write_scope_403:
                raise Refusal(403, messages.problem("Forbidden", 403, "AuthorizationUnsuccessful", call.id))
            raise Refusal(
                401,
                messages.problem("Unauthorized", 401, "AuthorizationUnsuccessful", call.id),
                {
                    "WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{" ".join(sorted(scopes))}"'
                },
            )

    def _resource(self, call: Call) -> Response:
        raw = call.request.environ.get("REQUEST_URI", quote(call.request.path)).partition("?")[0]
        pieces = [unquote(piece) for piece in raw.removeprefix(_API).rstrip("/").split("/")]
        special = _ADDRESSES.get("/".join(pieces)) or _ADDRESSES.get(
            f"{pieces[0]}/*" if len(pieces) == 2 else ""
        )
        if special is not None:
            scopes, answer = special
            self._need(
                call, report_scopes(pieces[-1]) if pieces[0] == "Reports" else scopes_needed(scopes, "GET")
            )
            call.key = pieces[-1]
            return self._get_only(call, answer)
        if pieces == ["Setup"]:
            raise not_built("it sets up no organisation")
        if pieces[0] not in RESOURCES or len(pieces) > 4:
            raise not_found()
        call.resource = RESOURCES[pieces[0]]
        call.key, call.part, call.name = (*pieces[1:], "", "", "")[:3]
        families = _PART_SCOPES.get(call.part, call.resource.scopes)
        self._need(call, scopes_needed(families, call.method))
        if pieces[0] == "Journals" and not call.bearer.app.reads_journals:
            raise Refusal(401, messages.problem("Unauthorized", 401, "AuthorizationUnsuccessful", call.id))
        if len(call.body) > self.limits.allowance.body:
            raise Refusal(413, messages.problem("RequestEntityTooLarge", 413, "PayloadTooLarge", call.id))
        if call.method == "GET":
            _check_accept(call)
            with self.store.lock:
                return (
                    reading.part(call)
                    if call.part
                    else reading.single(call)
                    if call.key
                    else reading.listed(call)
                )
        return self._write(call)

    def _get_only(self, call: Call, answer: Any) -> Response:
        if call.method != "GET":
            raise not_built_by_xero(call)
        with self.store.lock:
            response: Response = answer(call)
        return response

    def _write(self, call: Call) -> Response:
        shape = call.part + ("/" if call.name else "")
        verbs = (
            call.resource.parts.get(shape, "")
            if call.part
            else call.resource.item_writes
            if call.key
            else call.resource.writes
        )
        if call.method not in {"PUT", "POST", "DELETE"}:
            raise Refusal(405, f"The requested resource does not support http method '{call.method}'.")
        if call.method not in verbs.split():
            raise not_built_by_xero(call)
        handler = rules.handler(call)
        if handler is None:
            raise not_built(f"it can't {call.method} {call.request.path.removeprefix(_API)} yet")
        with self.store.change():
            return handler(call)

    # --- identity ------------------------------------------------------------------------------------

    def _form(self, call: Call) -> tuple[dict[str, str], tuple[str, str] | None]:
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

    def _token(self, call: Call) -> Response:
        form, basic = self._form(call)
        try:
            with self.store.change():
                answer = self.identity.token(form, basic)
        except TokenError as error:
            return _json(400, error.body)
        return _json(200, answer, {"Cache-Control": "no-store, no-cache, max-age=0", "Pragma": "no-cache"})

    def _revocation(self, call: Call) -> Response:
        form, basic = self._form(call)
        try:
            app = self.identity.client(form, basic)
        except TokenError as error:
            return _json(400, error.body)
        with self.store.change():
            if self.identity.revocable(form.get("token", ""), app):
                self.identity.revoke(app)
        return Response(b"", 200)

    def _connections(self, call: Call, connection_id: str) -> Response:
        bearer = self._bearer(call)
        if bearer.app.kind == apps.CUSTOM and not self.switches.custom_connections:
            raise Refusal(403, messages.problem("Forbidden", 403, "AuthenticationUnsuccessful", call.id))
        opened = self.identity.connected(bearer)
        self.limits.count(bearer.app)
        headers = self.limits.headers(bearer.app, None)
        if connection_id:
            if call.method != "DELETE":
                raise Refusal(405, "The requested resource does not support http method", headers)
            if connection_id not in {one["id"] for one in opened}:
                raise Refusal(404, "", headers)
            with self.store.change():
                self.identity.disconnect(connection_id)
            return Response(b"", 204, headers)
        event = call.param("authEventId")
        found = [
            {
                "id": one["id"],
                "authEventId": one["event"],
                "tenantId": one["tenant_id"],
                "tenantType": "ORGANISATION",
                "tenantName": self.store.organisations[one["tenant_id"]].name,
                "createdDateUtc": one["created"].strftime("%Y-%m-%dT%H:%M:%S.%f0"),
                "updatedDateUtc": one["updated"].strftime("%Y-%m-%dT%H:%M:%S.%f0"),
            }
            for one in opened
            if event in {None, one["event"]} and one["tenant_id"] in self.store.organisations
        ]
        return _json(200, found, headers)

    def _authorize(self, call: Call) -> Response:
        asked = call.request.values.to_dict()
        app = self.identity.apps.get(asked.get("client_id", ""))
        if app is None or app.kind == apps.CUSTOM:
            return _sorry("unauthorized_client", "Unknown client or client not enabled")
        address = asked.get("redirect_uri", "")
        if not redirect_allowed(app, address):
            return _sorry("unauthorized_client", "Invalid redirect_uri")
        if asked.get("response_type") != "code":
            return _sorry("unsupported_response_type", "response_type must be code")
        try:
            scopes = self.identity.check_scopes(app, asked.get("scope", ""))
        except TokenError as error:
            return _sorry(error.body["error"], "Invalid scope for client")
        if app.kind == apps.PKCE and not asked.get("code_challenge"):
            return _sorry("invalid_request", "code challenge required")
        if asked.get("code_challenge") and asked.get("code_challenge_method") != "S256":
            return _sorry("invalid_request", "Transform algorithm not supported")
        answer = asked.get("sandbox_approve") or ("1" if self.switches.approve_at_once else "")
        if not answer:
            return self._consent_page(app, scopes, asked)
        state = {"state": asked["state"]} if "state" in asked else {}
        if answer in {"0", "deny"}:
            return _back(address, {"error": "access_denied", **state})
        tenants = call.request.values.getlist("sandbox_tenant") or list(self.store.organisations)
        if unknown := [one for one in tenants if one not in self.store.organisations]:
            return _sorry("invalid_request", f"No such organisation: {unknown[0]}")
        with self.store.change():
            code = self.identity.code(app, tenants, scopes, asked)
        return _back(address, {"code": code, "scope": " ".join(sorted(scopes)), **state})

    def _consent_page(self, app: apps.App, scopes: frozenset[str], asked: dict[str, str]) -> Response:
        hidden = "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
            for name, value in asked.items()
            if not name.startswith("sandbox_")
        )
        tenants = "".join(
            f'<li><label><input type="checkbox" name="sandbox_tenant" value="{html.escape(one.tenant_id)}" checked>'
            f" {html.escape(one.name)}</label></li>"
            for one in self.store.organisations.values()
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


def not_built_by_xero(call: Call) -> Refusal:
    """501: Xero itself has no such method there."""
    message = (
        f"The Api Method called is not implemented: {call.method} {call.request.path.removeprefix(_API)}"
    )
    return Refusal(501, messages.api_exception(20, "ApiMethodNotImplementedException", message))


def _check_accept(call: Call) -> None:
    """406 for a format Xero does not speak; files come as they are, whatever is accepted."""
    accepted = call.request.headers.get("Accept", "").lower()
    if "application/pdf" in accepted and call.part != "Attachments":
        raise not_built("it makes no PDF")
    if (
        accepted
        and call.part != "Attachments"
        and not any(one in accepted for one in ("json", "xml", "html", "*/*"))
    ):
        raise Refusal(406, f"Not acceptable: {accepted}")


def _server_error(call: Call) -> Refusal:
    detail = "An error occurred in Xero. Check the API Status page http://status.developer.xero.com"
    return Refusal(500, messages.problem("An error occurred", 500, detail, call.id))


def _expired(call: Call, when: str) -> Refusal:
    return Refusal(
        401, messages.problem("Unauthorized", 401, f"TokenExpired: token expired at {when}", call.id)
    )


def _json(status: int, body: Any, headers: dict[str, str] | None = None) -> Response:
    return Response(messages.encode(body), status, headers, content_type=JSON)


def _sorry(error: str, detail: str) -> Response:
    page = (
        "<!DOCTYPE html><html><body><h1>Sorry, something went wrong</h1>"
        f"<p>Error: {error}</p><p>{html.escape(detail)}</p></body></html>"
    )
    return Response(page, 400, content_type=HTML)


def _back(address: str, params: dict[str, str]) -> Response:
    joint = "&" if "?" in address else "?"
    return Response(b"", 302, {"Location": f"{address}{joint}{urlencode(params)}"})


def _cut(response: Response, _fault: Fault) -> Response:
    """The same answer with a body that ends half way."""
    body = response.get_data()

    def half() -> Iterable[bytes]:
        yield body[: len(body) // 2]
        raise ConnectionAbortedError

    broken = Response(half(), response.status_code, response.headers, direct_passthrough=True)
    broken.headers["Content-Length"] = str(len(body))
    return broken


_ADDRESSES: dict[str, tuple[str, Any]] = {
    "Organisation/Actions": ("accounting.settings", reading.actions),
    "InvoiceReminders/Settings": ("accounting.settings", reading.reminders),
    "Reports": ("", reading.reports),
    "Reports/*": ("", reading.report),
}
_PART_SCOPES = {
    "Attachments": "accounting.attachments",
    "CISSettings": "accounting.settings",
    "PaymentServices": "paymentservices",
}
