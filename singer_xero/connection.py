"""The connection that settings describe: the client of a run and the organisations that it uses."""

from __future__ import annotations

import atexit
import contextlib
import logging
from collections.abc import Mapping
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from singer_xero.api.hosts import API_URL, IDENTITY_URL
from singer_xero.api.storage.paths import filled_in
from singer_xero.errors import ConfigurationProblem
from singer_xero.organisations import Organisation, chosen, folded, is_id, own_record
from singer_xero.settings import trimmed
from singer_xero.version import DISTRIBUTION

if TYPE_CHECKING:
    from singer_xero.api.auth import AccessTokens
    from singer_xero.api.client import XeroClient
    from singer_xero.api.http.response_body import Bounds
    from xero_sandbox import Sandbox


class Connected:
    """Builds the client and the list of organisations from a configuration, each on first use.

    `config` holds the settings of `CONNECTION_SETTINGS`. Close it at the end: an embedded sandbox runs until then.
    """

    def __init__(self, config: Mapping[str, Any], logger: logging.Logger) -> None:
        self.config = trimmed(config)
        self.logger = logger
        self._closing = contextlib.ExitStack()
        atexit.register(self.close)

    @cached_property
    def client(self) -> XeroClient:
        """The client of this run; raises `ConfigurationProblem` if there are no credentials."""
        from singer_xero.api.client import XeroClient

        config = dict(self.config)
        sandbox = sandbox_setting(config.get("sandbox"))
        if sandbox:
            config |= self._sandbox(None if sandbox is True else sandbox)
        if not config.get("client_id"):
            raise ConfigurationProblem(
                "No credentials: set client_id (with client_secret or refresh_token), or set `sandbox: true` to try it "
                "without a Xero account."
            )
        for name in ("api_url", "identity_url"):
            check_host(name, config.get(name) or "")
        user_agent = config.get("user_agent") or f"{DISTRIBUTION}/{version(DISTRIBUTION)}"
        client = XeroClient(
            self._tokens(config),
            api_url=config.get("api_url") or API_URL,
            identity_url=config.get("identity_url") or IDENTITY_URL,
            user_agent=user_agent,
            day_reserve=config.get("day_reserve") or 0,
            bounds=bounds(config),
            allow_insecure_http=bool(config.get("allow_insecure_http")),
        )
        self._closing.callback(client.close)
        return client

    def _tokens(self, config: Mapping[str, Any]) -> AccessTokens:
        """Choose how to sign in: a secret without a refresh token, set or stored, means a custom connection."""
        from singer_xero.api.auth import ClientCredentials, RefreshToken
        from singer_xero.api.tokens import open_store

        client_id, secret, seed = (
            config["client_id"],
            config.get("client_secret"),
            config.get("refresh_token"),
        )
        store = open_store(config.get("token_path"))
        if secret and not seed and store.read(client_id) is None:
            return ClientCredentials(client_id, secret, config.get("scopes") or ())
        return RefreshToken(client_id, secret, seed, store=store)

    def _sandbox(self, data: Path | None) -> dict[str, Any]:
        """Start the embedded sandbox, without rate limits, so that a demo does not wait."""
        from xero_sandbox import Sandbox, apps

        sandbox: Sandbox = self._closing.enter_context(Sandbox(data=data, limits=False))
        self.logger.info("Using the sandbox's demo company%s instead of Xero.", f" in {data}" if data else "")
        return {
            **apps.CUSTOM_CONNECTION.settings(sandbox.url),
            "refresh_token": None,
            "scopes": None,
        }

    @cached_property
    def organisations(self) -> list[Organisation]:
        """The organisations to use, in the order of `tenant_ids`; raises `ConfigurationProblem` if it is ambiguous."""
        wanted = [str(name).strip() for name in self.config.get("tenant_ids") or () if str(name).strip()]
        connected = [
            Organisation(c.tenant_id, c.name, c.tenant_id)
            for c in self.client.connections()
            if c.tenant_type == "ORGANISATION"  # a PRACTICE has no Accounting API
        ]
        if not connected and self.client.is_custom_connection:
            return [self._of_custom_connection(wanted)]
        if not connected:
            raise ConfigurationProblem(
                "No organisation is connected to this app. Connect one with `xero-login`."
            )
        return chosen(wanted, connected, self.logger)

    def _of_custom_connection(self, wanted: list[str]) -> Organisation:
        """Get the organisation of a custom connection, for which /connections may return nothing.

        Xero documents that the tenant header is optional here; if it is refused without one, an id from `tenant_ids`
        is sent.
        """
        from singer_xero.api.errors import OrganisationUnavailable

        header = None
        try:
            one = own_record(self.client, header)
        except OrganisationUnavailable:
            header = next(filter(is_id, wanted), None)
            if header is None:
                raise
            one = own_record(self.client, header)
        found = Organisation(one["OrganisationID"], one["Name"], header)
        known = {folded(found.tenant_id), folded(found.name)}
        if folded(",".join(wanted)) not in known and any(folded(name) not in known for name in wanted):
            raise ConfigurationProblem(
                f"tenant_ids names {', '.join(wanted)}, but this custom connection belongs to "
                f"{found.name} = {found.tenant_id}."
            )
        return found

    def interrupt(self) -> None:
        """End all waits of the client: calls under way finish, later ones are not sent."""
        if "client" in self.__dict__:
            self.client.close()

    def close(self) -> None:
        """Close the client and stop the embedded sandbox; safe to call twice."""
        self._closing.close()
        atexit.unregister(self.close)


def check_host(name: str, url: str) -> None:
    """Raise `ConfigurationProblem` if an address has more than scheme and host: paths are added to it."""
    parts = urlsplit(url)
    if parts.scheme and (parts.path.strip("/") or parts.query or parts.fragment):
        raise ConfigurationProblem(f"{name} must be scheme and host only, such as {API_URL}, without a path.")


def bounds(config: Mapping[str, Any]) -> Bounds:
    """The limits of one request: time and memory."""
    from singer_xero.api.http.response_body import BOUNDS, Bounds

    return Bounds(
        seconds=config.get("request_timeout") or BOUNDS.seconds,
        megabytes=config.get("max_response_mb") or BOUNDS.megabytes,
    )


def sandbox_setting(value: bool | str | None) -> bool | Path:
    """Read the setting `sandbox`: off (False), in memory (True), or the folder that keeps its data."""
    word = value.strip().lower() if isinstance(value, str) else value
    if word in {True, "true", "1", "yes", "on"}:
        return True
    if not word or word in {"false", "0", "no", "off"}:
        return False
    return Path(filled_in(str(value), "sandbox"))
