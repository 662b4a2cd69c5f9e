"""The admin API: what a test or a demo asks of the sandbox itself, as JSON under ``/sandbox/<secret>/``."""

from __future__ import annotations

import secrets
import uuid
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
from .state.tables import Record
from .values import decoded, encode, instant, understood


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
        """The organisation with this id or name; the first one if there is none given."""
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
        return _json(200, handler(AdminRequest(xero, request, tuple(found.values()))))
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


def _overview(asked: AdminRequest) -> Any:
    xero = asked.xero
    return {
        "url": xero.url,
        "now": xero.clock.now().isoformat(),
        "organisations": _organisations(asked),
        "apps": [_app(app) for app in xero.identity.apps.values()],
    }


def _reset(asked: AdminRequest) -> Any:
    with asked.xero.store.change():
        asked.xero.start_afresh()
    return _overview(asked)


def _clock(asked: AdminRequest) -> Any:
    sent, clock = asked.only("set", "advance", "freeze"), asked.xero.clock
    with asked.xero.store.change():
        if "set" in sent:
            clock.set(instant(sent["set"]))
        if "advance" in sent:
            clock.advance(float(sent["advance"]))
        if "freeze" in sent:
            clock.freeze(bool(sent["freeze"]))
        asked.xero.keep_clock()
    return {"now": clock.now().isoformat(), "frozen": clock.frozen}


def _limits(asked: AdminRequest) -> Any:
    limits = asked.xero.limits
    sent = asked.only(*(one.name for one in fields(Allowance)), "start_afresh")
    if sent.pop("start_afresh", False):
        limits.start_afresh()
    for name, value in sent.items():
        setattr(limits.allowance, name, bool(value) if name == "enabled" else int(value))
    return asdict(limits.allowance)


def _switches(asked: AdminRequest) -> Any:
    asked.xero.switches.change(asked.body)
    return asdict(asked.xero.switches)


def _calls(asked: AdminRequest) -> Any:
    return {"calls": list(asked.xero.calls)}


def _forget_calls(asked: AdminRequest) -> Any:
    asked.xero.calls.clear()
    return {}


def _counters(asked: AdminRequest) -> Any:
    tenants: dict[str, dict[str, int]] = {}
    for entry in list(asked.xero.calls):
        counted = tenants.setdefault(entry["tenant"], {"calls": 0, "bytes": 0})
        counted["calls"] += 1
        counted["bytes"] += entry["bytes"]
    for (_, tenant_id), most in asked.xero.limits.most_in_flight.items():
        counted = tenants.setdefault(tenant_id, {"calls": 0, "bytes": 0})
        counted["most_in_flight"] = max(most, counted.get("most_in_flight", 0))
    return {"calls": len(asked.xero.calls), "tenants": tenants}


# --- faults ----------------------------------------------------------------------------------------------


def _faults(asked: AdminRequest) -> Any:
    return {"faults": [fault.described() for fault in list(asked.xero.faults.faults.values())]}


def _add_fault(asked: AdminRequest) -> Any:
    return asked.xero.faults.add(asked.body).described()


def _clear_faults(asked: AdminRequest) -> Any:
    asked.xero.faults.clear()
    return {}


def _release(asked: AdminRequest) -> Any:
    asked.xero.faults.release(asked.only("number").get("number"))
    return {}


def _wait(asked: AdminRequest) -> Any:
    sent = asked.only("number", "hits")
    if not asked.xero.faults.wait(int(sent["number"]), int(sent["hits"])):
        raise AdminRefusal(f"Fault {sent['number']} did not hit {sent['hits']} calls")
    return {}


# --- apps and consents -----------------------------------------------------------------------------------


def _app(app: apps.App) -> dict[str, Any]:
    shown = asdict(app)
    shown["scopes"] = None if app.scopes is None else sorted(app.scopes)
    return shown


def _add_app(asked: AdminRequest) -> Any:
    sent = asked.only(*(one.name for one in fields(apps.App)))
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
    identity = asked.xero.identity
    with asked.xero.store.change():
        known = app.client_id in identity.apps
        identity.add_app(app)
        if app.kind == apps.CUSTOM and not known and (tenant_id := identity.tenant_of(app)):
            identity.consent(app, [tenant_id], app.allowed())
    return _app(app)


def _consent(asked: AdminRequest) -> Any:
    sent = asked.only("client_id", "tenants", "scopes")
    identity, app = asked.xero.identity, asked.app(sent.get("client_id"))
    scopes = sent.get("scopes")
    if isinstance(scopes, list):
        scopes = " ".join(scopes)
    chosen = app.allowed() if scopes is None else identity.check_scopes(app, scopes)
    names = sent.get("tenants")
    tenants = [asked.organisation(one).tenant_id for one in ([None] if names is None else names)]
    with asked.xero.store.change():
        event = identity.consent(app, tenants, chosen)
        return identity.issue(app, event)


def _take_scopes(asked: AdminRequest) -> Any:
    sent = asked.only("client_id", "scopes")
    with asked.xero.store.change():
        asked.xero.identity.take_scopes(asked.app(sent.get("client_id")), sent["scopes"])
    return {}


def _revoke(asked: AdminRequest) -> Any:
    with asked.xero.store.change():
        asked.xero.identity.revoke(asked.app(asked.only("client_id").get("client_id")))
    return {}


def _disconnect(asked: AdminRequest) -> Any:
    sent = asked.only("tenant", "client_id")
    tenant_id, identity = asked.organisation(sent.get("tenant")).tenant_id, asked.xero.identity
    gone = [
        one["id"]
        for one in identity.connections.values()
        if one["tenant_id"] == tenant_id and sent.get("client_id") in {None, one["client_id"]}
    ]
    with asked.xero.store.change():
        for connection_id in gone:
            identity.disconnect(connection_id)
    return {"disconnected": len(gone)}


# --- organisations and records ---------------------------------------------------------------------------


def _organisations(asked: AdminRequest) -> Any:
    return [
        {
            "tenant_id": one.tenant_id,
            "name": one.name,
            "records": {path: len(table.rows) for path, table in one.tables.items() if table.rows},
        }
        for one in asked.xero.store.organisations.values()
    ]


def _add_organisation(asked: AdminRequest) -> Any:
    sent = asked.only("tenant_id", "name", "records")
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
    with asked.xero.store.change():
        asked.xero.store.add_organisation(tenant_id, sent["name"], records)
    return {"tenant_id": tenant_id, "name": sent["name"]}


def _table(asked: AdminRequest) -> tuple[Organisation, str]:
    tenant_id, path = asked.pieces[:2]
    if path not in RESOURCES:
        raise AdminRefusal(f"Unknown resource {path!r}", 404)
    return asked.organisation(tenant_id), path


def _tree(record: Record) -> Record:
    return messages.rendered(record, places=4)


def _records(asked: AdminRequest) -> Any:
    organisation, path = _table(asked)
    return {"records": [_tree(record) for record in organisation.records(path)]}


def _record(asked: AdminRequest) -> Any:
    organisation, path = _table(asked)
    record = organisation.table(path).find(asked.pieces[2])
    if record is None:
        raise AdminRefusal(f"{path} has no {asked.pieces[2]}", 404)
    return _tree(record)


def _put(asked: AdminRequest) -> Any:
    organisation, path = _table(asked)
    identifier = asked.pieces[2] if len(asked.pieces) > 2 else None
    record = understood(asked.body)
    if identifier:
        record[RESOURCES[path].id] = identifier
    stamped = RESOURCES[path].since in record
    with asked.xero.store.change():
        return _tree(organisation.put(path, record, touch=not stamped))


def _patch(asked: AdminRequest) -> Any:
    organisation, path = _table(asked)
    with asked.xero.store.change():
        before = organisation.table(path).find(asked.pieces[2])
        if before is None:
            raise AdminRefusal(f"{path} has no {asked.pieces[2]}", 404)
        record = {**before, **understood(asked.body)}
        stamped = RESOURCES[path].since in asked.body
        return _tree(organisation.put(path, record, touch=not stamped))


def _merge(asked: AdminRequest) -> Any:
    """Merge a contact into another one, as people do in Xero."""
    organisation, into = asked.organisation(asked.pieces[0]), asked.only("into").get("into", "")
    with asked.xero.store.change():
        found = [organisation.table("Contacts").find(str(key)) for key in (asked.pieces[1], into)]
        contact, other = found
        if contact is None or other is None or contact is other:
            raise AdminRefusal("Name two contacts of the organisation", 404)
        work = Work(organisation, "Contacts", {}, Origin())
        tried(work, lambda: contacts.merge(work, contact, other))
        refresh_balances(organisation, (contact["ContactID"], other["ContactID"]))
        return _tree(organisation.table("Contacts").rows[contact["ContactID"]])


def _delete(asked: AdminRequest) -> Any:
    organisation, path = _table(asked)
    with asked.xero.store.change():
        record = organisation.table(path).find(asked.pieces[2])
        if record is None:
            raise AdminRefusal(f"{path} has no {asked.pieces[2]}", 404)
        organisation.remove(path, str(record[RESOURCES[path].id]))
    return {}


def _day(asked: AdminRequest) -> Any:
    """Let one organisation trade for a business day, and move the clock to the end of that day."""
    xero, organisation = asked.xero, asked.organisation(asked.only("tenant").get("tenant"))
    with xero.store.change():
        now = xero.clock.now()
        changed = trading_day(organisation, now)
        xero.clock.set(next_business_day(now)[1])
        xero.keep_clock()
    return {
        "now": xero.clock.now().isoformat(),
        "changed": {path: len(rows) for path, rows in changed.items()},
    }


_URLS = Map(
    [
        Rule("/", methods=["GET"], endpoint=_overview),
        Rule("/reset", methods=["POST"], endpoint=_reset),
        Rule("/clock", methods=["GET"], endpoint=_clock),
        Rule("/clock", methods=["POST"], endpoint=_clock),
        Rule("/limits", methods=["GET"], endpoint=_limits),
        Rule("/limits", methods=["POST"], endpoint=_limits),
        Rule("/switches", methods=["GET"], endpoint=_switches),
        Rule("/switches", methods=["POST"], endpoint=_switches),
        Rule("/calls", methods=["GET"], endpoint=_calls),
        Rule("/calls", methods=["DELETE"], endpoint=_forget_calls),
        Rule("/counters", methods=["GET"], endpoint=_counters),
        Rule("/faults", methods=["GET"], endpoint=_faults),
        Rule("/faults", methods=["POST"], endpoint=_add_fault),
        Rule("/faults", methods=["DELETE"], endpoint=_clear_faults),
        Rule("/faults/release", methods=["POST"], endpoint=_release),
        Rule("/faults/wait", methods=["POST"], endpoint=_wait),
        Rule("/apps", methods=["POST"], endpoint=_add_app),
        Rule("/consents", methods=["POST"], endpoint=_consent),
        Rule("/scopes/take", methods=["POST"], endpoint=_take_scopes),
        Rule("/revoke", methods=["POST"], endpoint=_revoke),
        Rule("/disconnect", methods=["POST"], endpoint=_disconnect),
        Rule("/organisations", methods=["GET"], endpoint=_organisations),
        Rule("/organisations", methods=["POST"], endpoint=_add_organisation),
        Rule("/organisations/<tenant>/<resource>", methods=["GET"], endpoint=_records),
        Rule("/organisations/<tenant>/<resource>", methods=["POST"], endpoint=_put),
        Rule("/organisations/<tenant>/<resource>/<key>", methods=["GET"], endpoint=_record),
        Rule("/organisations/<tenant>/<resource>/<key>", methods=["PUT"], endpoint=_put),
        Rule("/organisations/<tenant>/<resource>/<key>", methods=["PATCH"], endpoint=_patch),
        Rule("/organisations/<tenant>/Contacts/<resource>/merge", methods=["POST"], endpoint=_merge),
        Rule("/organisations/<tenant>/<resource>/<key>", methods=["DELETE"], endpoint=_delete),
        Rule("/day", methods=["POST"], endpoint=_day),
    ],
    merge_slashes=False,
).bind("")
