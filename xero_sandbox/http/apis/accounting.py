"""The Accounting API: authorisation, limits and routes."""

from __future__ import annotations

from collections.abc import Callable, Set
from urllib.parse import quote, unquote

from werkzeug import Response
from werkzeug.exceptions import NotFound
from werkzeug.routing import Map, Rule

from ... import apps
from ...limits import Exceeded
from ...resources import RESOURCES, report_scopes, scopes_needed
from .. import reading, subresources
from ..calls import Call, Refusal, bad_query, not_found, not_implemented, not_supported
from ..queries import QueryError

PREFIX = "/api.xro/2.0/"

_PART_SCOPES = {
    "Attachments": "accounting.attachments",
    "CISSettings": "accounting.settings",
    "PaymentServices": "paymentservices",
}


def answer(
    call: Call, before: Callable[[], None], routed: Callable[[Call], Response] | None = None
) -> Response:
    """The answer of one of the APIs; ``before`` is called when the caller is authorised. Raises ``Refusal``.

    ``routed`` finds and calls the endpoint; by default it is the Accounting API's.
    """
    bearer, limits = call.authenticate(), call.xero.limits
    tenant_id = _tenant(call)
    call.organisation = call.xero.store.organisations[tenant_id]
    try:
        limits.enter(bearer.app, tenant_id)
    except Exceeded as exceeded:
        raise call.too_many(exceeded.problem, exceeded.retry_after, exceeded.headers) from None
    try:
        before()
        response = (routed or _routed)(call)
    except Refusal as refusal:
        response = call.refuse(refusal)
    except QueryError as error:
        response = call.refuse(bad_query(str(error)))
    finally:
        limits.leave(bearer.app, tenant_id)
    for name, value in limits.headers(bearer.app, tenant_id).items():
        response.headers.setdefault(name, value)
    return response


def _tenant(call: Call) -> str:
    """The organisation of a call; a custom connection has only one and may leave it out."""
    asked = call.request.headers.get("xero-tenant-id", "").strip()
    opened = {one["tenant_id"] for one in call.xero.identity.connections_of(call.bearer.app)}
    custom = call.bearer.app.kind == apps.CUSTOM
    if not asked and custom and not call.xero.switches.custom_needs_tenant and len(opened) == 1:
        asked = next(iter(opened))
    if asked not in opened or asked not in call.xero.store.organisations:
        raise call.forbidden("AuthenticationUnsuccessful")
    return asked


def need(call: Call, scopes: Set[str]) -> None:
    """Refuse a call whose token has none of these scopes."""
    if scopes & call.bearer.scopes:
        return
    if call.method != "GET" and call.xero.switches.write_scope_403:
        raise call.forbidden("AuthorizationUnsuccessful")
    challenge = f'Bearer error="insufficient_scope", scope="{" ".join(sorted(scopes))}"'
    raise call.unauthorized("AuthorizationUnsuccessful", {"WWW-Authenticate": challenge})


# --- addresses -------------------------------------------------------------------------------------------


def _routed(call: Call) -> Response:
    raw = call.request.environ.get("REQUEST_URI", quote(call.request.path)).partition("?")[0]
    pieces = [unquote(piece) for piece in raw.removeprefix(PREFIX).rstrip("/").split("/")]
    try:
        endpoint, found = _URLS.match("/" + "/".join(quote(piece, safe="") for piece in pieces))
    except NotFound:
        raise not_found() from None
    response: Response = endpoint(call, **{name: unquote(value) for name, value in found.items()})
    return response


def _reads(read: Callable[[Call], Response], scopes: Set[str] = frozenset()) -> Callable[..., Response]:
    """The endpoint of an address that can only be read, by default that of a report."""

    def endpoint(call: Call, key: str = "Reports") -> Response:
        call.key = key
        need(call, scopes or report_scopes(key))
        if call.method != "GET":
            raise _no_method(call)
        with call.xero.store.lock:
            return read(call)

    return endpoint


def _set_up(_call: Call) -> Response:
    raise not_supported("Setup is not supported")


def _resource(call: Call, resource: str, key: str = "", part: str = "", name: str = "") -> Response:
    if resource not in RESOURCES:
        raise not_found()
    call.resource, call.key, call.part, call.name = RESOURCES[resource], key, part, name
    need(call, scopes_needed(_PART_SCOPES.get(part, call.resource.scopes), call.method))
    if resource == "Journals" and not call.bearer.app.reads_journals:
        raise call.unauthorized("AuthorizationUnsuccessful")
    if len(call.body) > call.xero.limits.allowance.body:
        raise call.problem(413, "RequestEntityTooLarge", "PayloadTooLarge")
    if call.method != "GET":
        return _write(call)
    _check_accept(call)
    read = reading.part if part else reading.single if key else reading.listed
    with call.xero.store.lock:
        return read(call)


_SETTINGS = frozenset(scopes_needed("accounting.settings", "GET"))
_URLS = Map(
    [
        Rule("/Organisation/Actions", endpoint=_reads(reading.actions, _SETTINGS)),
        Rule("/InvoiceReminders/Settings", endpoint=_reads(reading.reminders, _SETTINGS)),
        Rule("/Reports", endpoint=_reads(reading.reports)),
        Rule("/Reports/<key>", endpoint=_reads(reading.report)),
        Rule("/Setup", endpoint=_set_up),
        Rule("/<resource>", endpoint=_resource),
        Rule("/<resource>/<key>", endpoint=_resource),
        Rule("/<resource>/<key>/<part>", endpoint=_resource),
        Rule("/<resource>/<key>/<part>/<name>", endpoint=_resource),
    ],
    merge_slashes=False,
).bind("")


def _write(call: Call) -> Response:
    if call.method not in {"PUT", "POST", "DELETE"}:
        raise Refusal(405, f"The requested resource does not support http method '{call.method}'.")
    if call.method not in call.resource.verbs.get(call.shape, "").split():
        raise _no_method(call)
    handler = subresources.handler(call)
    if handler is None:
        raise not_supported(f"{call.method} {_address(call)} is not supported")
    with call.xero.store.change():
        return handler(call)


def _address(call: Call) -> str:
    return call.request.path.removeprefix(PREFIX)


def _no_method(call: Call) -> Refusal:
    return not_implemented(call.method, _address(call))


def _check_accept(call: Call) -> None:
    """406 for a format that Xero does not offer; attachments ignore the Accept header."""
    accepted = call.request.headers.get("Accept", "").lower()
    if call.part == "Attachments" or not accepted:
        return
    if "application/pdf" in accepted:
        raise not_supported("PDFs are not supported")
    if not any(one in accepted for one in ("json", "xml", "html", "*/*")):
        raise Refusal(406, f"Not acceptable: {accepted}")
