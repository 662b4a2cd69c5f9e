"""A new sandbox for each test, and callers that use plain HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest
import requests
from company import Company, books_agree

from xero_sandbox import Sandbox, apps

NOON = datetime(2026, 11, 19, 12, tzinfo=timezone.utc)


class Caller:
    """Calls one sandbox with one access token."""

    def __init__(self, url: str, token: str = "", tenant: str = "") -> None:
        self.url, self.session = url, requests.Session()
        self.session.headers.update({"Accept": "application/json", "Accept-Encoding": "identity"})
        if token:
            self.session.headers["Authorization"] = f"Bearer {token}"
        if tenant:
            self.session.headers["xero-tenant-id"] = tenant

    def call(self, path: str, method: str = "GET", **options: Any) -> requests.Response:
        headers = options.pop("headers", {})
        address = self.url + (path if path.startswith("/") else f"/api.xro/2.0/{path}")
        return self.session.request(method, address, headers=headers, **options)

    def get(self, path: str, since: str | None = None, **params: Any) -> Any:
        """The JSON body of a 200."""
        response = self.call(
            path, params=params, headers={} if since is None else {"If-Modified-Since": since}
        )
        assert response.status_code == 200, (response.status_code, response.text)
        return response.json()

    def ids(self, resource: str, field: str, since: str | None = None, **params: Any) -> list[Any]:
        """One field of every record in a list."""
        return [record[field] for record in self.get(resource, since, **params)[resource]]


@pytest.fixture
def xero() -> Iterator[Sandbox]:
    """A sandbox with a brand-new organisation whose clock is stopped at 09:00."""
    with Sandbox(company="empty") as running:
        running.admin.freeze()
        running.admin.set_clock("2026-11-20T09:00:00Z")
        yield running


@pytest.fixture
def callers() -> Iterator[Callable[..., Caller]]:
    """Makes callers, and closes their connections."""
    made: list[Caller] = []

    def make(sandbox: Sandbox, token: str | None = None, tenant: str = "") -> Caller:
        if token is None:
            token = client_credentials(sandbox.url)["access_token"]
        made.append(Caller(sandbox.url, token, tenant))
        return made[-1]

    yield make
    for caller in made:
        caller.session.close()


@pytest.fixture
def api(xero: Sandbox, callers: Callable[..., Caller]) -> Caller:
    """The custom connection of that organisation."""
    return callers(xero)


@pytest.fixture
def company(xero: Sandbox, api: Caller) -> Iterator[Company]:
    """That organisation to write to, with a bank account; its books must agree after the test."""
    xero.admin.limits(enabled=False)
    made = Company(api, xero.admin)
    made.bank()
    yield made
    books_agree(xero.admin)
    debits, credited = made.trial_balance()
    assert debits == credited


@pytest.fixture
def books(xero: Sandbox, callers: Callable[..., Caller]) -> Callable[..., Caller]:
    """Creates an organisation with records, and returns a web app's caller for it."""

    def make(**records: list[dict[str, Any]]) -> Caller:
        tenant = xero.admin.add_organisation("Books Ltd", records)
        return callers(xero, xero.admin.consent(tenants=[tenant])["access_token"], tenant)

    return make


def token_call(url: str, app: apps.App = apps.WEB_APP, **form: str) -> requests.Response:
    """Call the token endpoint, with HTTP Basic if the app has a secret."""
    auth = (app.client_id, app.client_secret) if app.client_secret else None
    if auth is None:
        form = {"client_id": app.client_id, **form}
    return requests.post(f"{url}/connect/token", data=form, auth=auth, timeout=30)


def client_credentials(url: str, **form: str) -> dict[str, Any]:
    response = token_call(url, apps.CUSTOM_CONNECTION, grant_type="client_credentials", **form)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


@pytest.fixture
def ask_token() -> Callable[..., requests.Response]:
    return token_call


def guid(text: str) -> str:
    return str(uuid5(NAMESPACE_URL, text))


@pytest.fixture
def invoices() -> Callable[..., list[dict[str, Any]]]:
    """Makes invoices INV-1, INV-2, ...: each changed a minute after the one before, the first at noon."""

    def make(count: int, **more: Any) -> list[dict[str, Any]]:
        return [
            {
                "InvoiceID": guid(f"invoice {number}"),
                "InvoiceNumber": f"INV-{number}",
                "Type": "ACCREC",
                "Status": "AUTHORISED",
                "Contact": {"ContactID": guid("contact"), "Name": "Ada"},
                "Date": f"2026-10-{1 + number % 28:02}",
                "DueDate": "2026-12-01",
                "LineItems": [{"LineItemID": guid(f"line {number}"), "Quantity": 2, "UnitAmount": 1.2345}],
                "Total": number,
                "UpdatedDateUTC": (NOON + timedelta(minutes=number - 1)).isoformat(),
                **more,
            }
            for number in range(1, count + 1)
        ]

    return make
