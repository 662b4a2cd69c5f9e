"""Xero's official SDK as a client of the sandbox."""

from __future__ import annotations

from typing import Any

from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token

from xero_sandbox import Sandbox, apps


def client_of(sandbox: Sandbox) -> ApiClient:
    """The SDK's client with a token of the web app."""
    app = apps.WEB_APP
    token = OAuth2Token(client_id=app.client_id, client_secret=app.client_secret)
    stored: dict[str, Any] = {**sandbox.admin.consent(), "expires_at": 1e12}
    stored["scope"] = stored["scope"].split()
    return ApiClient(
        Configuration(oauth2_token=token),
        pool_threads=1,
        oauth2_token_getter=lambda: stored,
        oauth2_token_saver=stored.update,
    )
