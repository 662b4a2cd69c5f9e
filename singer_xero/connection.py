"""The connection that settings describe: the client of a run and the organisations that it uses."""

from __future__ import annotations

import atexit
import contextlib
import logging
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_xero.errors import ConfigurationProblem
from singer_xero.organisations import Organisation, chosen, folded, is_id, own_record
from singer_xero.settings import ConnectionSettings

if TYPE_CHECKING:
    from singer_xero.api.client import XeroClient


class Connected:
    """Builds the client and the list of organisations from settings, each on first use.

    Close it at the end: an embedded sandbox runs until then.
    """

    def __init__(self, settings: ConnectionSettings, logger: logging.Logger) -> None:
        self.settings = settings
        self.logger = logger
        self._closing = contextlib.ExitStack()
        atexit.register(self.close)

    @cached_property
    def client(self) -> XeroClient:
        """The client of this run; raises `ConfigurationProblem` if there are no credentials."""
        from singer_xero.api.client import connect
        from singer_xero.api.http.response_body import Bounds

        settings, data = self.settings, self.settings.sandbox_data
        if data:
            settings = replace(settings, **self._sandbox(None if data is True else data))
        if not settings.client_id:
            raise ConfigurationProblem(
                "No credentials: set client_id (with client_secret or refresh_token), or set `sandbox: true` to try it "
                "without a Xero account."
            )
        settings.check_hosts()
        client = connect(
            settings.client_id,
            settings.client_secret,
            settings.refresh_token,
            settings.token_path,
            settings.scopes,
            settings.user_agent,
            api_url=settings.api_url,
            identity_url=settings.identity_url,
            day_reserve=settings.day_reserve,
            bounds=Bounds(settings.request_timeout, settings.max_response_mb),
            allow_insecure_http=settings.allow_insecure_http,
        )
        self._closing.callback(client.close)
        return client

    def _sandbox(self, data: Path | None) -> dict[str, Any]:
        """Start the embedded sandbox, without rate limits, so that a demo does not wait; returns its settings."""
        from xero_sandbox import Sandbox, apps

        sandbox = self._closing.enter_context(Sandbox(data=data, limits=False))
        self.logger.info("Using the sandbox's demo company%s instead of Xero.", f" in {data}" if data else "")
        return {**apps.CUSTOM_CONNECTION.settings(sandbox.url), "refresh_token": None, "scopes": ()}

    @cached_property
    def organisations(self) -> list[Organisation]:
        """The organisations to use, in the order of `tenant_ids`; raises `ConfigurationProblem` if it is ambiguous."""
        wanted = [str(name).strip() for name in self.settings.tenant_ids if str(name).strip()]
        connected = [
            Organisation(one.tenant_id, one.name, one.tenant_id) for one in self.client.connections()
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
