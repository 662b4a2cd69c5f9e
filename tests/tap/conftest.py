"""A small Xero with known rows, and a client that never really sleeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moving_time import Time

from singer_xero.api.client import XeroClient, connect
from xero_sandbox import AdminClient, Sandbox, apps

from .company import SmallXero


@pytest.fixture(scope="session")
def small_xero() -> Iterator[Sandbox]:
    with SmallXero() as sandbox:
        yield sandbox


@pytest.fixture
def xero(small_xero: Sandbox) -> Sandbox:
    """Two small organisations in their initial state, without limits, with a stopped clock."""
    admin = small_xero.admin
    admin.reset()
    admin.limits(enabled=False, concurrent=5, minute=60, day=5_000, app_minute=10_000, start_afresh=True)
    admin.freeze()
    return small_xero


@pytest.fixture
def admin(xero: Sandbox) -> AdminClient:
    return xero.admin


@pytest.fixture
def config(xero: Sandbox, tmp_path: Path) -> dict[str, Any]:
    """Settings for Harbour Limited with a custom connection."""
    return {
        **apps.CUSTOM_CONNECTION.settings(xero.url),
        "token_path": str(tmp_path / "tokens.json"),
    }


@pytest.fixture
def web(xero: Sandbox, admin: AdminClient, tmp_path: Path) -> dict[str, Any]:
    """Settings of a web app after a consent to both organisations."""
    tokens = admin.consent(tenants=[one["tenant_id"] for one in admin.organisations()])
    return {
        **apps.WEB_APP.settings(xero.url),
        "refresh_token": tokens["refresh_token"],
        "token_path": str(tmp_path / "tokens.json"),
    }


@pytest.fixture(scope="module")
def client(running_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[XeroClient]:
    """A client for the demo company."""
    running_sandbox.admin.reset()
    running_sandbox.admin.limits(enabled=False)
    settings = apps.CUSTOM_CONNECTION.settings(running_sandbox.url)
    wanted = {name: settings[name] for name in ("client_id", "client_secret", "api_url", "identity_url")}
    place = str(tmp_path_factory.mktemp("tokens") / "tokens.json")
    minutes = iter(range(0, 10**9, 61))  # no call waits for a limit
    connected = connect(**wanted, token_path=place, monotonic=minutes.__next__)
    yield connected
    connected.close()


@pytest.fixture
def demo(running_sandbox: Sandbox, tmp_path: Path) -> dict[str, Any]:
    """Settings for the demo company in its initial state, without limits."""
    running_sandbox.admin.reset()
    running_sandbox.admin.limits(enabled=False)
    return {
        **apps.CUSTOM_CONNECTION.settings(running_sandbox.url),
        "token_path": str(tmp_path / "tokens.json"),
    }


def moving_clock(admin: AdminClient, monkeypatch: pytest.MonkeyPatch) -> Time:
    """Let new clients wait by moving the clocks."""
    moving = Time(admin)
    made = XeroClient.__init__

    def make(self: XeroClient, *given: Any, **options: Any) -> None:
        made(self, *given, **options, clock=moving, monotonic=moving, sleep=moving.sleep)

    monkeypatch.setattr(XeroClient, "__init__", make)
    return moving


@pytest.fixture(autouse=True)
def time(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Time | None:
    """Clients of this process wait by moving the clocks if the test uses a small Xero or the demo company."""
    names = {"xero": "xero", "demo": "running_sandbox"}
    sandbox = next((names[name] for name in names if name in request.fixturenames), None)
    if sandbox is None:
        return None
    return moving_clock(request.getfixturevalue(sandbox).admin, monkeypatch)


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the tokens of the user."""
    monkeypatch.delenv("MELTANO_PROJECT_ROOT", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home" / "state"))
