"""A small Xero of two organisations with limits, and clients whose sleep moves its clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from moving_time import Time

from singer_xero.api.auth import Identity, RefreshToken
from singer_xero.api.client import XeroClient, connect
from singer_xero.api.http.transport import Transport
from singer_xero.api.tokens import TokenStore
from xero_sandbox import AdminClient, Sandbox, apps

from .canned import Canned

ONE, TWO = "11111111-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002"


class SmallXero(Sandbox):
    """Two organisations with three accounts each."""

    def populate(self, now: datetime) -> Iterable[tuple[str, str, Mapping[str, Any]]]:
        for tenant_id, name in ((ONE, "One Ltd"), (TWO, "Two Ltd")):
            accounts = [
                {
                    "AccountID": f"{tenant_id[:8]}-aaaa-4000-8000-00000000000{number}",
                    "Code": f"20{number}",
                    "Name": f"Sales {number}",
                    "Type": "REVENUE",
                    "Status": "ACTIVE",
                    "UpdatedDateUTC": now,
                }
                for number in range(3)
            ]
            yield (
                tenant_id,
                name,
                {
                    "Organisation": [
                        {"OrganisationID": tenant_id, "Name": name, "OrganisationStatus": "ACTIVE"}
                    ],
                    "Accounts": accounts,
                },
            )


@pytest.fixture(scope="session")
def small_xero() -> Iterator[Sandbox]:
    with SmallXero() as sandbox:
        yield sandbox


@pytest.fixture
def xero(small_xero: Sandbox) -> Sandbox:
    admin = small_xero.admin
    admin.reset()
    admin.limits(
        enabled=True,
        concurrent=5,
        minute=60,
        day=5_000,
        app_minute=10_000,
        body=10_000_000,
        start_afresh=True,
    )
    return small_xero


@pytest.fixture
def admin(xero: Sandbox) -> AdminClient:
    return xero.admin


@pytest.fixture
def time(admin: AdminClient) -> Time:
    return Time(admin)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "secret" / "tokens.json"


@pytest.fixture
def identity(xero: Sandbox, time: Time) -> Iterator[Identity]:
    made = Identity(xero.url, clock=time, sleep=time.sleep)
    yield made
    made.close()


@pytest.fixture
def make(xero: Sandbox, time: Time) -> Iterator[Callable[..., XeroClient]]:
    """Creates clients that are closed after the test, for the custom connection or with a given authentication."""
    made: list[XeroClient] = []

    def client(auth: Any = None, **options: Any) -> XeroClient:
        options = {
            "api_url": xero.url,
            "identity_url": xero.url,
            "clock": time,
            "monotonic": time,
            "sleep": time.sleep,
            **options,
        }
        app = apps.CUSTOM_CONNECTION
        made.append(
            XeroClient(auth, **options) if auth else connect(app.client_id, app.client_secret, **options)
        )
        return made[-1]

    yield client
    for one in made:
        one.close()


@pytest.fixture
def client(make: Callable[..., XeroClient]) -> XeroClient:
    """A client of the custom connection."""
    return make()


@pytest.fixture
def signed_in(admin: AdminClient, make: Callable[..., XeroClient], path: Path) -> Callable[..., XeroClient]:
    """Creates clients of the web app after a consent to both organisations."""
    seed = admin.consent(tenants=[ONE, TWO])["refresh_token"]

    def client(refresh_token: str | None = seed, **options: Any) -> XeroClient:
        app = apps.WEB_APP
        auth = RefreshToken(app.client_id, app.client_secret, refresh_token, store=TokenStore(path))
        return make(auth, **options)

    client.seed = seed  # type: ignore[attr-defined]
    return client


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the tokens of the user."""
    monkeypatch.delenv("MELTANO_PROJECT_ROOT", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home" / "state"))


@pytest.fixture
def server() -> Iterator[Canned]:
    with Canned() as canned:
        thread = threading.Thread(target=canned.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield canned
        canned.shutdown()
        thread.join()


@pytest.fixture
def transport() -> Iterator[Transport]:
    made = Transport("singer-xero/test", (5, 5))
    yield made
    made.close()
