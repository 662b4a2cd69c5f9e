"""Xero's identity service (identity.xero.com and login.xero.com): apps, consents, tokens and connections."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import jwt

from . import apps
from .apps import App
from .state.store import Store

ACCESS_LIFE = timedelta(seconds=1800)
ID_LIFE = timedelta(minutes=5)
CODE_LIFE = timedelta(minutes=5)
UNUSED_LIFE = timedelta(days=60)
GRACE = timedelta(minutes=30)
"""How long a used refresh token still works, in case the answer was lost (Xero's token guide)."""

USER_ID = "5f1c3a0e-7b2d-4c86-9e41-d2a8f0b63c57"
_ISSUER = "https://identity.xero.com"
_VERIFIER = re.compile(r"^[A-Za-z0-9\-._~]{43,128}$")


class TokenError(Exception):
    """A refusal by the token endpoint: HTTP 400 with ``{"error": code}``."""

    def __init__(self, code: str, description: str = "") -> None:
        super().__init__(code)
        self.body = {"error": code, **({"error_description": description} if description else {})}


class BadToken(Exception):
    """An invalid access token, or one that has expired (at ``expired``)."""

    def __init__(self, expired: datetime | None = None) -> None:
        super().__init__("bad access token")
        self.expired = expired


@dataclass(frozen=True)
class Bearer:
    """Who is calling: the app, and what it may do."""

    app: App
    scopes: frozenset[str]


class Identity:
    """Apps, consents, tokens and connections, stored in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._begin()

    def _begin(self) -> None:
        self._key = secrets.token_hex(32)
        self._codes: dict[str, dict[str, Any]] = {}
        self.apps = {app.client_id: app for app in apps.KNOWN}
        self.granted: dict[str, frozenset[str]] = {}
        self.connections: dict[str, dict[str, Any]] = {}
        self._refreshable: dict[str, dict[str, Any]] = {}

    def start_afresh(self) -> None:
        """Reset to the known apps without consents and tokens."""
        self._begin()
        self._store.write("identity", "key", self._key)

    def load(self) -> None:
        """Load what an earlier process stored."""
        self._key = self._store.read("identity")["key"]
        for client_id, stored in self._store.read("apps").items():
            stored["scopes"] = None if stored["scopes"] is None else frozenset(stored["scopes"])
            self.apps[client_id] = App(**{**stored, "redirect_uris": tuple(stored["redirect_uris"])})
        self.granted = {key: frozenset(scopes) for key, scopes in self._store.read("granted").items()}
        self.connections = self._store.read("connections")
        self._refreshable = self._store.read("refresh")

    # --- apps and consents ---------------------------------------------------------------------------

    def add_app(self, app: App) -> App:
        """Register an app, or change a known one."""
        self.apps[app.client_id] = app
        self._store.write("apps", app.client_id, app.described())
        return app

    def tenant_of(self, app: App) -> str | None:
        """The only organisation of a custom connection."""
        return app.tenant_id or next(iter(self._store.organisations), None)

    def check_scopes(self, app: App, text: str) -> frozenset[str]:
        """The scopes that ``text`` names. Raises ``TokenError`` if the app may not ask for one of them."""
        scopes = frozenset(text.split())
        if not scopes or scopes - app.allowed():
            raise TokenError(
                "invalid_scope",
                "Client credentials scope validation failed" if app.kind == apps.CUSTOM else "",
            )
        return scopes

    def consent(self, app: App, tenants: Iterable[str], scopes: frozenset[str]) -> str:
        """A user gives ``app`` access to organisations; scopes accumulate. Returns the id of the event."""
        event = str(uuid.uuid4())
        self._grant(app, self.granted.get(app.client_id, frozenset()) | scopes)
        for tenant_id in tenants:
            self.connect(app, tenant_id, event)
        return event

    def _grant(self, app: App, scopes: frozenset[str]) -> None:
        self.granted[app.client_id] = scopes
        self._store.write("granted", app.client_id, sorted(scopes))

    def take_scopes(self, app: App, scopes: Iterable[str]) -> None:
        """Remove scopes; new tokens lack them."""
        self._grant(app, self.granted.get(app.client_id, frozenset()) - frozenset(scopes))

    def connect(self, app: App, tenant_id: str, event: str) -> dict[str, Any]:
        """Connect an organisation to an app, or renew its connection."""
        now = self._store.clock.now()
        known = next((one for one in self.connections_of(app) if one["tenant_id"] == tenant_id), {})
        connection = {
            "id": str(uuid.uuid4()),
            "client_id": app.client_id,
            "tenant_id": tenant_id,
            "created": now,
            **known,
            "event": event,
            "updated": now,
        }
        self.connections[connection["id"]] = connection
        self._store.write("connections", connection["id"], connection)
        return connection

    def disconnect(self, connection_id: str) -> None:
        """Disconnect one organisation from one app."""
        del self.connections[connection_id]
        self._store.delete("connections", connection_id)

    def revoke(self, app: App) -> None:
        """Drop the user's refresh tokens and connections for an app, as the revocation endpoint does."""
        for token in [one for one in self._refreshable if self.revocable(one, app)]:
            del self._refreshable[token]
            self._store.delete("refresh", token)
        for connection in self.connections_of(app):
            self.disconnect(connection["id"])
        self._grant(app, frozenset())

    def connections_of(self, app: App) -> list[dict[str, Any]]:
        """The connections of an app, oldest first."""
        return [one for one in self.connections.values() if one["client_id"] == app.client_id]

    def code(
        self, app: App, tenants: Iterable[str], scopes: frozenset[str], params: Mapping[str, str]
    ) -> str:
        """The single-use code for the app's redirect address after a user has consented."""
        code = secrets.token_urlsafe(32)
        self._codes[code] = {
            "client_id": app.client_id,
            "event": self.consent(app, tenants, scopes),
            "redirect_uri": params["redirect_uri"],
            "challenge": params.get("code_challenge", ""),
            "until": self._store.clock.now() + CODE_LIFE,
        }
        return code

    # --- the token endpoint --------------------------------------------------------------------------

    def token(self, form: Mapping[str, str], basic: tuple[str, str] | None) -> dict[str, Any]:
        """The answer of ``POST /connect/token``. Raises ``TokenError``."""
        app = self.client(form, basic)
        grants = {
            "client_credentials": (self._client_credentials, {apps.CUSTOM}),
            "authorization_code": (self._authorization_code, {apps.WEB, apps.PKCE}),
            "refresh_token": (self._refresh, {apps.WEB, apps.PKCE}),
        }
        if form.get("grant_type") not in grants:
            raise TokenError("unsupported_grant_type")
        answer, kinds = grants[form["grant_type"]]
        if app.kind not in kinds:
            raise TokenError("unauthorized_client")
        return answer(app, form)

    def client(self, form: Mapping[str, str], basic: tuple[str, str] | None) -> App:
        """The app that a form or a Basic header authenticates. Raises ``TokenError``."""
        client_id, secret = basic or (form.get("client_id", ""), form.get("client_secret", ""))
        if not client_id:
            raise TokenError("invalid_request")
        app = self.apps.get(client_id)
        if app is None:
            raise TokenError("invalid_client")
        if app.client_secret is not None and not secrets.compare_digest(secret, app.client_secret):
            raise TokenError("invalid_client")
        return app

    def _client_credentials(self, app: App, form: Mapping[str, str]) -> dict[str, Any]:
        scopes = self.check_scopes(app, form["scope"]) if form.get("scope") else app.allowed() - apps.IDENTITY
        connections = self.connections_of(app)
        if not connections:
            raise TokenError("unauthorized_client")
        return self._answer(app, scopes - apps.IDENTITY, None, connections[0]["event"])

    def _authorization_code(self, app: App, form: Mapping[str, str]) -> dict[str, Any]:
        stored = self._codes.get(form.get("code", ""))
        if (
            stored is None
            or stored["client_id"] != app.client_id
            or stored["redirect_uri"] != form.get("redirect_uri")
            or stored["until"] < self._store.clock.now()
        ):
            raise TokenError("invalid_grant")
        del self._codes[form["code"]]
        if stored["challenge"] and not _proves(form.get("code_verifier", ""), stored["challenge"]):
            raise TokenError("invalid_grant")
        return self._answer(app, self.granted[app.client_id], USER_ID, stored["event"])

    def _refresh(self, app: App, form: Mapping[str, str]) -> dict[str, Any]:
        now, token = self._store.clock.now(), form.get("refresh_token", "")
        stored = self._refreshable.get(token)
        if stored is None or stored["client_id"] != app.client_id:
            raise TokenError("invalid_grant")
        used = stored["used"]
        since, life = (stored["issued"], UNUSED_LIFE) if used is None else (used, GRACE)
        if now - since > life:
            raise TokenError("invalid_grant")
        if used is None:
            stored["used"] = now
            self._store.write("refresh", token, stored)
        return self._answer(app, self.granted.get(app.client_id, frozenset()), USER_ID, stored["event"])

    def issue(self, app: App, event: str) -> dict[str, Any]:
        """Tokens for a consent without a browser; used by the admin API."""
        return self._answer(app, self.granted[app.client_id], USER_ID, event)

    def _answer(self, app: App, scopes: frozenset[str], user_id: str | None, event: str) -> dict[str, Any]:
        now = self._store.clock.now()
        claims: dict[str, Any] = {
            "nbf": int(now.timestamp()),
            "exp": int((now + ACCESS_LIFE).timestamp()),
            "iss": _ISSUER,
            "aud": f"{_ISSUER}/resources",
            "client_id": app.client_id,
            "jti": secrets.token_hex(16),
            "authentication_event_id": event,
            "scope": sorted(scopes),
        }
        if user_id:
            claims |= {"sub": hashlib.sha256(user_id.encode()).hexdigest()[:32], "xero_userid": user_id}
        answer: dict[str, Any] = {
            "access_token": jwt.encode(claims, self._key, algorithm="HS256"),
            "expires_in": int(ACCESS_LIFE.total_seconds()),
            "token_type": "Bearer",
            "scope": " ".join(sorted(scopes)),
        }
        if user_id and "openid" in scopes:
            about = {**claims, "aud": app.client_id, "exp": int((now + ID_LIFE).timestamp())}
            del about["scope"]
            answer["id_token"] = jwt.encode(about, self._key, algorithm="HS256")
        if user_id and "offline_access" in scopes:
            token = secrets.token_urlsafe(48)
            stored = {"client_id": app.client_id, "event": event, "issued": now, "used": None}
            self._refreshable[token] = stored
            self._store.write("refresh", token, stored)
            answer["refresh_token"] = token
        return answer

    def revocable(self, token: str, app: App) -> bool:
        """Whether ``token`` is a refresh token of this app."""
        return token in self._refreshable and self._refreshable[token]["client_id"] == app.client_id

    def bearer(self, token: str) -> Bearer:
        """The app and the scopes of an access token. Raises ``BadToken``."""
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=["HS256"],
                options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False},
            )
        except jwt.PyJWTError:
            raise BadToken from None
        until = datetime.fromtimestamp(claims["exp"], timezone.utc)
        if until <= self._store.clock.now():
            raise BadToken(until)
        app = self.apps.get(claims["client_id"])
        if app is None:
            raise BadToken
        return Bearer(app, frozenset(claims["scope"]))


def redirect_allowed(app: App, address: str) -> bool:
    """Whether an address is registered: exactly, or any port and path of a registered ``http://localhost``."""
    return address in app.redirect_uris or (
        "http://localhost" in app.redirect_uris
        and re.match(r"^http://localhost(:\d+)?(/[^#]*)?$", address) is not None
    )


def _proves(verifier: str, challenge: str) -> bool:
    if not _VERIFIER.match(verifier):
        return False
    digest = hashlib.sha256(verifier.encode()).digest()
    return secrets.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), challenge)
