"""The admin API, with which tests and demos control the sandbox: JSON under ``/sandbox/<secret>/``."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, fields
from typing import Any

from werkzeug import Request, Response
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule

from . import apps
from .demo.trading_day import next_business_day, trading_day
from .http import messages
from .http.visitors import not_allowed_to_administer
from .identity import TokenError
from .limits import Allowance
from .resources import RESOURCES
from .rules import contacts
from .rules.work import Origin, Work, refresh_balances, tried
from .service import Xero
from .state.organisation import Organisation
from .values import Record, decoded, encode, instant, understood


class AdminRefusal(Exception):
    """The admin API refuses a request: 400 (or ``status``) with the reason."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


class AdminRequest:
    """One request to the admin API: the sandbox, the parts of the address and the body."""

    def __init__(self, xero: Xero, request: Request, pieces: tuple[str, ...]) -> None:
        self.xero, self.request, self.pieces = xero, request, pieces
        body = request.get_data()
        self.body: dict[str, Any] = decoded(body) if body else {}
        if not isinstance(self.body, dict):
            raise AdminRefusal("The body must be a JSON object")

    def only(self, *known: str) -> dict[str, Any]:
        """The body; refuses unknown fields."""
        if unknown := set(self.body) - set(known):
            raise AdminRefusal(
                f"Unknown fields: {', '.join(sorted(unknown))}. Valid fields: {', '.join(known)}"
            )
        return self.body

    def organisation(self, tenant_id: str | None) -> Organisation:
        """The organisation with this id or name; by default the first one."""
        organisations = self.xero.store.organisations
        if not tenant_id:
            return next(iter(organisations.values()))
        for one in organisations.values():
            if tenant_id in {one.tenant_id, one.name}:
                return one
        raise AdminRefusal(f"Unknown organisation {tenant_id!r}", 404)

    def app(self, client_id: str | None) -> apps.App:
        """The app with this client id; the web app by default."""
        client_id = client_id or apps.WEB_APP.client_id
        if client_id not in self.xero.identity.apps:
            raise AdminRefusal(f"Unknown app {client_id!r}", 404)
        return self.xero.identity.apps[client_id]


def answer(xero: Xero, request: Request) -> Response:
    """The admin API's answer to a request under ``/sandbox``."""
    path = request.path.removeprefix("/sandbox").strip("/")
    if refused := not_allowed_to_administer(request, path, xero.admin_secret, xero.url.rpartition(":")[2]):
        return _json(refused[0], {"error": refused[1]})
    path = path.partition("/")[2]
    try:
        handler, found = _URLS.match("/" + path, request.method)
        asked = AdminRequest(xero, request, tuple(found.values()))
        changes = request.method != "GET" and handler is not _wait
        with xero.store.change() if changes else nullcontext():
            return _json(200, handler(asked))
    except NotFound:
        return _json(404, {"error": f"Unknown address of the admin API: {path!r}"})
    except MethodNotAllowed as error:
        known = sorted(set(error.valid_methods or ()) - {"HEAD", "OPTIONS"})
        return _json(405, {"error": f"This address of the admin API accepts {', '.join(known)}"})
    except AdminRefusal as refusal:
        return _json(refusal.status, {"error": str(refusal)})
    except TokenError as refusal:
        return _json(400, refusal.body)
    except (ValueError, KeyError, TypeError) as error:
        return _json(400, {"error": f"{type(error).__name__}: {error}"})


def _json(status: int, body: Any) -> Response:
    return Response(encode(body), status, content_type="application/json")


# --- the whole -------------------------------------------------------------------------------------------


def _overview(request: AdminRequest) -> Any:
    xero = request.xero
    return {
        "url": xero.url,
        "now": xero.clock.now().isoformat(),
        "organisations": _organisations(request),
        "apps": [app.described() for app in xero.identity.apps.values()],
    }


def _reset(request: AdminRequest) -> Any:
    request.xero.start_afresh()
    return _overview(request)


def _clock(request: AdminRequest) -> Any:
    sent, clock = request.only("set", "advance", "freeze"), request.xero.clock
    if "set" in sent:
        clock.set(instant(sent["set"]))
    if "advance" in sent:
        clock.advance(float(sent["advance"]))
    if "freeze" in sent:
        clock.freeze(bool(sent["freeze"]))
    if sent:
        request.xero.save_clock()
    return {"now": clock.now().isoformat(), "frozen": clock.frozen}


def _limits(request: AdminRequest) -> Any:
    limits = request.xero.limits
    sent = request.only(*(one.name for one in fields(Allowance)), "start_afresh")
    if sent.pop("start_afresh", False):
        limits.start_afresh()
    for name, value in sent.items():
        setattr(limits.allowance, name, bool(value) if name == "enabled" else int(value))
    return asdict(limits.allowance)


def _switches(request: AdminRequest) -> Any:
    request.xero.switches.change(request.body)
    return asdict(request.xero.switches)


def _calls(request: AdminRequest) -> Any:
    return {"calls": list(request.xero.calls)}


def _forget_calls(request: AdminRequest) -> Any:
    request.xero.calls.clear()
    return {}


def _counters(request: AdminRequest) -> Any:
    tenants: dict[str, dict[str, int]] = {}
    for entry in list(request.xero.calls):
        counted = tenants.setdefault(entry["tenant"], {"calls": 0, "bytes": 0})
        counted["calls"] += 1
        counted["bytes"] += entry["bytes"]
    for (_, tenant_id), most in request.xero.limits.most_in_flight.items():
        counted = tenants.setdefault(tenant_id, {"calls": 0, "bytes": 0})
        counted["most_in_flight"] = max(most, counted.get("most_in_flight", 0))
    return {"calls": len(request.xero.calls), "tenants": tenants}


# --- faults ----------------------------------------------------------------------------------------------


def _faults(request: AdminRequest) -> Any:
    return {"faults": [asdict(fault) for fault in list(request.xero.faults.faults.values())]}


def _add_fault(request: AdminRequest) -> Any:
    return asdict(request.xero.faults.add(request.body))


def _clear_faults(request: AdminRequest) -> Any:
    request.xero.faults.clear()
    return {}


def _release(request: AdminRequest) -> Any:
    request.xero.faults.release(request.only("number").get("number"))
    return {}


def _wait(request: AdminRequest) -> Any:
    sent = request.only("number", "hits")
    if not request.xero.faults.wait(int(sent["number"]), int(sent["hits"])):
        raise AdminRefusal(f"Fault {sent['number']} did not hit {sent['hits']} calls")
    return {}


# --- apps and consents -----------------------------------------------------------------------------------


def _add_app(request: AdminRequest) -> Any:
    sent = request.only(*(one.name for one in fields(apps.App)))
    kind = sent.get("kind", apps.WEB)
    scopes = sent.get("scopes")
    app = apps.App(
        **{
            "client_id": secrets.token_hex(16).upper(),
            "client_secret": None if kind == apps.PKCE else secrets.token_urlsafe(36),
            "name": "An app",
            **sent,
            "kind": kind,
            "scopes": None if scopes is None else frozenset(scopes),
            "redirect_uris": tuple(sent.get("redirect_uris", ("http://localhost",))),
        }
    )
    identity = request.xero.identity
    known = app.client_id in identity.apps
    identity.add_app(app)
    if app.kind == apps.CUSTOM and not known and (tenant_id := identity.tenant_of(app)):
        identity.consent(app, [tenant_id], app.allowed())
    return app.described()


def _consent(request: AdminRequest) -> Any:
    sent = request.only("client_id", "tenants", "scopes")
    identity, app = request.xero.identity, request.app(sent.get("client_id"))
    scopes = sent.get("scopes")
    if isinstance(scopes, list):
        scopes = " ".join(scopes)
    chosen = app.allowed() if scopes is None else identity.check_scopes(app, scopes)
    names = sent.get("tenants")
    tenants = [request.organisation(one).tenant_id for one in ([None] if names is None else names)]
    event = identity.consent(app, tenants, chosen)
    return identity.issue(app, event)


def _take_scopes(request: AdminRequest) -> Any:
    sent = request.only("client_id", "scopes")
    request.xero.identity.take_scopes(request.app(sent.get("client_id")), sent["scopes"])
    return {}


def _revoke(request: AdminRequest) -> Any:
    request.xero.identity.revoke(request.app(request.only("client_id").get("client_id")))
    return {}


def _disconnect(request: AdminRequest) -> Any:
    sent = request.only("tenant", "client_id")
    tenant_id, identity = request.organisation(sent.get("tenant")).tenant_id, request.xero.identity
    gone = [
        one["id"]
        for one in identity.connections.values()
        if one["tenant_id"] == tenant_id and sent.get("client_id") in {None, one["client_id"]}
    ]
    for connection_id in gone:
        identity.disconnect(connection_id)
    return {"disconnected": len(gone)}


# --- organisations and records ---------------------------------------------------------------------------


def _organisations(request: AdminRequest) -> Any:
    return [
        {
            "tenant_id": one.tenant_id,
            "name": one.name,
            "records": {path: len(table.rows) for path, table in one.tables.items() if table.rows},
        }
        for one in request.xero.store.organisations.values()
    ]


def _add_organisation(request: AdminRequest) -> Any:
    sent = request.only("tenant_id", "name", "records")
    tenant_id = sent.get("tenant_id") or str(uuid.uuid4())
    records: dict[str, list[Record]] = {}
    for path, rows in sent.get("records", {}).items():
        if path not in RESOURCES:
            raise AdminRefusal(f"Unknown resource {path!r}")
        records[path] = [{RESOURCES[path].id: str(uuid.uuid4()), **understood(row)} for row in rows]
    if not records.get("Organisation"):
        records["Organisation"] = [
            {"OrganisationID": tenant_id, "Name": sent["name"], "OrganisationStatus": "ACTIVE"}
        ]
    request.xero.store.add_organisation(tenant_id, sent["name"], records)
    return {"tenant_id": tenant_id, "name": sent["name"]}


def _table(request: AdminRequest) -> tuple[Organisation, str]:
    """The organisation and the resource that the address names."""
    tenant_id, path = request.pieces[:2]
    if path not in RESOURCES:
        raise AdminRefusal(f"Unknown resource {path!r}", 404)
    return request.organisation(tenant_id), path


def _named(request: AdminRequest) -> tuple[Organisation, str, Record]:
    """The organisation, the resource and the record that the address names."""
    organisation, path = _table(request)
    record = organisation.table(path).find(request.pieces[2])
    if record is None:
        raise AdminRefusal(f"{path} has no {request.pieces[2]}", 404)
    return organisation, path, record


def _tree(record: Record) -> Record:
    return messages.rendered(record, places=4)


def _records(request: AdminRequest) -> Any:
    organisation, path = _table(request)
    return {"records": [_tree(record) for record in organisation.records(path)]}


def _record(request: AdminRequest) -> Any:
    return _tree(_named(request)[2])


def _put(request: AdminRequest) -> Any:
    """Store a record, or with PATCH the changes of one, as it is; its stamp is new unless one is given."""
    organisation, path = _table(request)
    record = understood(request.body)
    stamped = RESOURCES[path].since in record
    if request.request.method == "PATCH":
        record = {**_named(request)[2], **record}
    elif len(request.pieces) > 2:
        record[RESOURCES[path].id] = request.pieces[2]
    return _tree(organisation.put(path, record, touch=not stamped))


def _merge(request: AdminRequest) -> Any:
    """Merge a contact into another one, which Xero's API cannot do."""
    organisation, into = request.organisation(request.pieces[0]), request.only("into").get("into", "")
    table = organisation.table("Contacts")
    contact, other = table.find(request.pieces[1]), table.find(str(into))
    if contact is None or other is None or contact is other:
        raise AdminRefusal("Name two contacts of the organisation", 404)
    work = Work(organisation, "Contacts", {}, Origin())
    tried(work, lambda: contacts.merge(work, contact, other))
    refresh_balances(organisation, (contact["ContactID"], other["ContactID"]))
    return _tree(organisation.table("Contacts").rows[contact["ContactID"]])


def _delete(request: AdminRequest) -> Any:
    organisation, path, record = _named(request)
    organisation.remove(path, str(record[RESOURCES[path].id]))
    return {}


def _day(request: AdminRequest) -> Any:
    """Let an organisation trade for a business day, and move the clock to the end of that day."""
    xero, organisation = request.xero, request.organisation(request.only("tenant").get("tenant"))
    now = xero.clock.now()
    changed = trading_day(organisation, now)
    xero.clock.set(next_business_day(now)[1])
    xero.save_clock()
    return {
        "now": xero.clock.now().isoformat(),
        "changed": {path: len(rows) for path, rows in changed.items()},
    }


_RECORDS = "/organisations/<tenant>/<resource>"
_ROUTES: tuple[tuple[str, str, Callable[[AdminRequest], Any]], ...] = (
    ("GET", "/", _overview),
    ("POST", "/reset", _reset),
    ("GET POST", "/clock", _clock),
    ("GET POST", "/limits", _limits),
    ("GET POST", "/switches", _switches),
    ("GET", "/calls", _calls),
    ("DELETE", "/calls", _forget_calls),
    ("GET", "/counters", _counters),
    ("GET", "/faults", _faults),
    ("POST", "/faults", _add_fault),
    ("DELETE", "/faults", _clear_faults),
    ("POST", "/faults/release", _release),
    ("POST", "/faults/wait", _wait),
    ("POST", "/apps", _add_app),
    ("POST", "/consents", _consent),
    ("POST", "/scopes/take", _take_scopes),
    ("POST", "/revoke", _revoke),
    ("POST", "/disconnect", _disconnect),
    ("GET", "/organisations", _organisations),
    ("POST", "/organisations", _add_organisation),
    ("GET", _RECORDS, _records),
    ("POST", _RECORDS, _put),
    ("GET", f"{_RECORDS}/<key>", _record),
    ("PUT PATCH", f"{_RECORDS}/<key>", _put),
    ("DELETE", f"{_RECORDS}/<key>", _delete),
    ("POST", "/organisations/<tenant>/Contacts/<contact>/merge", _merge),
    ("POST", "/day", _day),
)
_RULES = [Rule(path, methods=verbs.split(), endpoint=handler) for verbs, path, handler in _ROUTES]
_URLS = Map(_RULES, merge_slashes=False).bind("")
