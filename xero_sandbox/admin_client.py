"""A client of the admin API, for any process that knows its address."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import quote

_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
"""Opens requests without a proxy, because the sandbox runs on this machine."""


class AdminError(Exception):
    """The admin API refused; the message says why."""


def _given(**fields: str | None) -> dict[str, Any]:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value}


class AdminClient:
    """The admin API at ``url``, the address with its secret that ``xero-sandbox`` prints.

    Organisations are named by tenant id or by name.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send one request (``path`` below the admin API's address), return the JSON answer. Raises ``AdminError``."""
        data = None if body is None else json.dumps(body, default=str).encode()
        request = urllib.request.Request(  # noqa: S310 - always the sandbox's own http address
            f"{self.url}/{path}",
            data=data,
            method=method,
            headers={"Content-Type": "application/json"},
        )
        try:
            with _open(request, timeout=120) as response:
                return json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode(errors="replace")
            try:
                reason = json.loads(text)["error"]
            except (ValueError, KeyError, TypeError):
                reason = text
            raise AdminError(f"{method} {path}: {reason}") from None

    def _object(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        found: dict[str, Any] = self.ask(method, path, body)
        return found

    # --- the whole ---

    def overview(self) -> dict[str, Any]:
        """The address, the time, the apps, and the organisations with their numbers of records."""
        return self._object("GET", "")

    def reset(self) -> dict[str, Any]:
        """Reset everything: records, clock, consents, tokens, faults, limits, switches and the list of calls."""
        return self._object("POST", "reset", {})

    # --- the clock ---

    def now(self) -> datetime:
        """The sandbox's current time."""
        return datetime.fromisoformat(self.ask("GET", "clock")["now"])

    def advance(self, seconds: float) -> datetime:
        """Move the clock forward."""
        return datetime.fromisoformat(self.ask("POST", "clock", {"advance": seconds})["now"])

    def set_clock(self, instant: datetime | str) -> datetime:
        """Set the clock (an aware datetime, or ISO 8601 in UTC)."""
        text = instant if isinstance(instant, str) else instant.isoformat()
        return datetime.fromisoformat(self.ask("POST", "clock", {"set": text})["now"])

    def freeze(self, frozen: bool = True) -> datetime:
        """Stop the clock, or start it again."""
        return datetime.fromisoformat(self.ask("POST", "clock", {"freeze": frozen})["now"])

    def day(self, tenant: str | None = None) -> dict[str, Any]:
        """Let an organisation (the first by default) trade for the next business day; returns the numbers of
        changed records."""
        return self._object("POST", "day", _given(tenant=tenant))

    # --- limits, faults, switches ---

    def limits(self, **changes: Any) -> dict[str, Any]:
        """Set limits by name (``enabled``, ``minute`` and the others of ``limits.Allowance``) and return them
        all.

        ``start_afresh=True`` resets the counters.
        """
        return self._object("POST", "limits", changes)

    def fault(self, kind: str, **options: Any) -> int:
        """Inject a fault; see ``faults.KINDS`` and ``faults.Fault``. Returns its number."""
        return int(self.ask("POST", "faults", {"kind": kind, **options})["number"])

    def faults(self) -> list[dict[str, Any]]:
        """The faults that are set, with ``seen`` and ``hits``."""
        found: list[dict[str, Any]] = self.ask("GET", "faults")["faults"]
        return found

    def clear_faults(self) -> None:
        """Remove all faults."""
        self.ask("DELETE", "faults")

    def release(self, number: int | None = None) -> None:
        """Release held calls."""
        self.ask("POST", "faults/release", {} if number is None else {"number": number})

    def wait(self, number: int, hits: int = 1) -> None:
        """Wait until a fault has hit this many calls. Raises ``AdminError`` if it does not."""
        self.ask("POST", "faults/wait", {"number": number, "hits": hits})

    def switch(self, **switches: bool) -> dict[str, Any]:
        """Set switches, see ``faults.Switches``. Returns all switches."""
        return self._object("POST", "switches", switches)

    # --- calls ---

    def calls(self, path: str = "", method: str = "") -> list[dict[str, Any]]:
        """The calls received, oldest first: those whose path ends in ``path``, with that verb."""
        return [
            one
            for one in self.ask("GET", "calls")["calls"]
            if one["path"].endswith(path) and method in {"", one["method"]}
        ]

    def forget_calls(self) -> None:
        """Empty the list of calls."""
        self.ask("DELETE", "calls")

    def counters(self) -> dict[str, Any]:
        """The numbers of calls and bytes, in total and by tenant, and the most calls in flight at once."""
        return self._object("GET", "counters")

    # --- apps and consents ---

    def add_app(self, **app: Any) -> dict[str, Any]:
        """Register an app (fields of ``apps.App``; id and secret are generated), or change the one with this
        ``client_id``."""
        return self._object("POST", "apps", app)

    def consent(
        self,
        client_id: str | None = None,
        tenants: Iterable[str] | None = None,
        scopes: str | Iterable[str] | None = None,
    ) -> dict[str, Any]:
        """Consent without a browser. Returns tokens for an app (default: the web app), organisations (the
        first) and scopes (all)."""
        body: dict[str, Any] = _given(client_id=client_id)
        if tenants is not None:
            body["tenants"] = list(tenants)
        if scopes is not None:
            body["scopes"] = scopes if isinstance(scopes, str) else " ".join(scopes)
        return self._object("POST", "consents", body)

    def take_scopes(self, *scopes: str, client_id: str | None = None) -> None:
        """Remove scopes from an app (default: the web app); new tokens lack them."""
        self.ask("POST", "scopes/take", {"scopes": list(scopes), **_given(client_id=client_id)})

    def revoke(self, client_id: str | None = None) -> None:
        """Revoke the refresh tokens and connections of an app (default: the web app)."""
        self.ask("POST", "revoke", _given(client_id=client_id))

    def disconnect(self, tenant: str | None = None, client_id: str | None = None) -> int:
        """Disconnect an organisation (default: the first) from an app (all); returns the number of connections
        removed."""
        return int(self.ask("POST", "disconnect", _given(tenant=tenant, client_id=client_id))["disconnected"])

    # --- organisations and records ---

    def organisations(self) -> list[dict[str, Any]]:
        """The tenant id, name and numbers of records of each organisation."""
        found: list[dict[str, Any]] = self.ask("GET", "organisations")
        return found

    def add_organisation(
        self, name: str, records: dict[str, list[dict[str, Any]]] | None = None, tenant_id: str | None = None
    ) -> str:
        """Add an organisation with these records; returns its tenant id. No app is connected to it yet."""
        body = {"name": name, "records": records or {}, **_given(tenant_id=tenant_id)}
        return str(self.ask("POST", "organisations", body)["tenant_id"])

    def records(self, resource: str, tenant: str | None = None) -> list[dict[str, Any]]:
        """All records of a resource as they are stored, including hidden ones; dates as ``/Date()/``."""
        found: list[dict[str, Any]] = self.ask("GET", self._address(tenant, resource))["records"]
        return found

    def record(self, resource: str, key: str, tenant: str | None = None) -> dict[str, Any]:
        """One record by id, number or code."""
        return self._object("GET", self._address(tenant, resource, key))

    def put(self, resource: str, record: dict[str, Any], tenant: str | None = None) -> dict[str, Any]:
        """Store a record as it is (with a new id if it has none); UpdatedDateUTC is now unless given."""
        return self._object("POST", self._address(tenant, resource), record)

    def edit(self, resource: str, key: str, tenant: str | None = None, **patch: Any) -> dict[str, Any]:
        """Change fields of a record; without fields, only UpdatedDateUTC changes."""
        return self._object("PATCH", self._address(tenant, resource, key), patch)

    def merge_contacts(self, contact: str, into: str, tenant: str | None = None) -> dict[str, Any]:
        """Merge a contact into another one: it is archived and the other one gets its documents. Returns the
        archived contact."""
        return self._object("POST", self._address(tenant, "Contacts", contact, "merge"), {"into": into})

    def delete(self, resource: str, key: str, tenant: str | None = None) -> None:
        """Delete a record."""
        self.ask("DELETE", self._address(tenant, resource, key))

    def _address(self, tenant: str | None, *pieces: str) -> str:
        first = tenant or self.organisations()[0]["tenant_id"]
        return "/".join(["organisations", *(quote(piece, safe="") for piece in (first, *pieces))])
