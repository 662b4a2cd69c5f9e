"""The sandbox as one WSGI application: identity, connections, the Accounting API and the admin API."""

from __future__ import annotations

import gzip
import hashlib
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from werkzeug import Request, Response
from werkzeug.exceptions import NotFound
from werkzeug.routing import Map, Rule

from .. import admin_api
from ..faults import HOLD_LIMIT, Fault
from ..service import Xero
from .apis import accounting, assets, identity
from .apis.accounting import PREFIX
from .calls import Call, Refusal, not_found, not_supported
from .visitors import foreign_name

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_URLS = Map(
    [
        Rule("/connect/token", endpoint=identity.token),
        Rule("/connect/revocation", endpoint=identity.revocation),
        Rule("/identity/connect/authorize", endpoint=identity.authorize),
        Rule("/connections", endpoint=identity.connections),
        Rule("/connections/<connection_id>", endpoint=identity.connections),
        Rule("/Connections", endpoint=identity.connections),  # as the official Python SDK spells it
        Rule("/Connections/<connection_id>", endpoint=identity.connections),
    ],
    strict_slashes=False,
    merge_slashes=False,
).bind("")


class Application:
    """Everything behind the sandbox's one origin; call it as a WSGI application."""

    def __init__(self, xero: Xero) -> None:
        self.xero = xero

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        request = Request(environ)
        if reason := foreign_name(request):
            response = Response(reason, 421, content_type="text/plain")
        elif request.path == "/sandbox" or request.path.startswith("/sandbox/"):
            response = admin_api.answer(self.xero, request)
        else:
            response = self._noted(request)
        return response(environ, start_response)

    def _noted(self, request: Request) -> Response:
        """Answer a call, apply faults to it, and add it to the list of calls."""
        body = request.get_data()
        call = Call(self.xero, request, body)
        tenant_id = request.headers.get("xero-tenant-id", "")
        entry: dict[str, Any] = {
            "at": self.xero.clock.now().isoformat(),
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
        self.xero.calls.append(entry)
        path = request.path.removeprefix(PREFIX).lstrip("/")
        struck = self.xero.faults.hit(request.method, path, tenant_id, entry["query"])
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
        return _cut(response) if any(fault.kind == "cut_off" for fault in struck) else response

    def _answered(self, call: Call, struck: list[Fault]) -> Response:
        try:
            response = self._routed(call, struck)
        except Refusal as refusal:
            response = call.refuse(refusal)
        except ConnectionError:
            raise
        except Exception:
            response = call.refuse(call.failure())
        for fault in struck:
            if fault.kind == "reset_after":
                raise ConnectionResetError
            if fault.kind == "server_error_after":
                response = call.refuse(call.server_error())
            if fault.kind == "edit":
                self.xero.edit(fault.tenant or call.organisation.tenant_id, fault)
        return response

    def _routed(self, call: Call, struck: list[Fault]) -> Response:
        path = call.request.path

        def strike() -> None:
            for fault in struck:
                self._strike(call, fault)

        if path.startswith(PREFIX):
            return accounting.answer(call, strike)
        if path.startswith(assets.PREFIX):
            return accounting.answer(call, strike, assets.routed)
        strike()
        try:
            endpoint, found = _URLS.match(path)
        except NotFound:
            if ".xro/" in path or path.startswith("/.well-known/"):
                raise not_supported(
                    f"only the Accounting API and reads of the Assets API are supported, not {path}"
                ) from None
            raise not_found() from None
        response: Response = endpoint(call, **found)
        return response

    def _strike(self, call: Call, fault: Fault) -> None:
        """Apply a fault before the call is answered."""
        if fault.kind == "rate_limit":
            raise call.too_many(fault.problem, fault.retry_after, fault.headers)
        if fault.kind == "status":
            body = bytes.fromhex(fault.hex) or fault.body
            ready = Response(body, fault.status, fault.headers, content_type=fault.content_type)
            raise Refusal(fault.status, ready)
        if fault.kind == "server_error":
            raise call.server_error()
        if fault.kind == "unavailable":
            raise Refusal(503, "Organisation offline", fault.headers)
        if fault.kind == "token_expired":
            raise call.token_expired(self.xero.clock.now())
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


def _cut(response: Response) -> Response:
    """The same answer with half of its body."""
    body = response.get_data()

    def half() -> Iterable[bytes]:
        yield body[: len(body) // 2]
        raise ConnectionAbortedError

    broken = Response(half(), response.status_code, response.headers, direct_passthrough=True)
    broken.headers["Content-Length"] = str(len(body))
    return broken
