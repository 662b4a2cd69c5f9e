"""`xero-login --status` and `--logout`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from singer_xero.api.tokens import Kept, TokenStore
from singer_xero.login.status import lifetime
from singer_xero.objects import STREAMS
from xero_sandbox import Sandbox, apps

from .conftest import Login

Start = Callable[..., Login]
DAY = 86_400
NOW = 1_790_000_000.0  # 2026-09-21


@pytest.fixture
def connected(xero: Sandbox, token_path: Path) -> Callable[..., Kept]:
    """Stores the tokens of a consent of the web app, renewed some days ago."""

    def consent(scopes: Iterable[str] | None = None, days: float = 0, good_for: float = 1_000) -> Kept:
        xero.admin.revoke()  # scopes accumulate, and the sandbox's web app has all of them from the start
        answer = xero.admin.consent(
            tenants=[one["tenant_id"] for one in xero.admin.organisations()], scopes=scopes
        )
        now = time.time()
        kept = Kept(
            refresh_token=answer["refresh_token"],
            access_token=answer["access_token"],
            expires_at=now + good_for,
            scope=answer["scope"],
            rotated_at=now - days * DAY,
        )
        store = TokenStore(token_path)
        with store.locked(), store.successor(apps.WEB_APP.client_id) as keep:
            keep(kept)
        xero.admin.forget_calls()
        return kept

    return consent


def test_status_shows_organisations_scopes_streams_and_days_left(
    xero: Sandbox, login: Start, connected: Callable[..., Kept]
) -> None:
    granted = [
        "offline_access",
        "accounting.settings.read",
        "accounting.contacts",
        "accounting.reports.aged.read",
    ]
    connected(granted, days=3)
    ended = login("--status", app=apps.WEB_APP).end()
    assert ended.code == 0
    said = " ".join(ended.said.split())
    for organisation in xero.admin.organisations():
        assert f"{organisation['name']} {organisation['tenant_id']}" in said
    opened = [name for name, row in STREAMS.items() if row.scope_missing(granted) is None]
    assert f"They give access to {len(opened)} streams: {', '.join(opened)}" in said
    assert "journals: accounting.journals.read (Xero grants it only to apps of its Advanced tier)" in said
    assert ": accounting.invoices.read (run `xero-login`, or add it to its --scopes)" in said
    assert "Write scopes: accounting.contacts Tokens" in said
    assert "57 days left" in said
    # No refresh token was used: the access token was still valid.
    assert not xero.admin.calls("/connect/token")


def test_status_shows_how_to_get_write_access(login: Start, connected: Callable[..., Kept]) -> None:
    connected(["offline_access", "accounting.settings.read"])
    said = login("--status", app=apps.WEB_APP).end().said
    assert "No write scopes. To get them: run `xero-login --write`" in said


def test_status_renews_expired_tokens_and_reports_it(
    xero: Sandbox, login: Start, connected: Callable[..., Kept], token_path: Path
) -> None:
    before = connected(days=20, good_for=-1)
    ended = login("--status", app=apps.WEB_APP).end()
    assert "Renewed just now: 60 days left" in ended.said
    after = TokenStore(token_path).read(apps.WEB_APP.client_id)
    assert after.previous_refresh_token == before.refresh_token
    assert len(xero.admin.calls("/connect/token")) == 1


def test_status_after_sixty_unused_days_says_to_run_xero_login(
    xero: Sandbox, login: Start, connected: Callable[..., Kept]
) -> None:
    connected(days=61, good_for=-1)
    xero.admin.advance(61 * DAY)
    ended = login("--status", app=apps.WEB_APP).end()
    assert ended.code == 1
    assert "invalid_grant" in ended.complaint
    assert "Run `xero-login`" in ended.complaint


def test_status_without_tokens_says_to_run_xero_login(login: Start, token_path: Path) -> None:
    ended = login("--status").end()
    assert ended.code == 1
    assert (
        ended.complaint
        == f"xero-login: there are no tokens for this client_id in {token_path}. Run `xero-login`."
    )


@pytest.mark.parametrize("listed", [True, False])
def test_status_of_a_custom_connection_needs_no_tokens(listed: bool, xero: Sandbox, login: Start) -> None:
    xero.admin.switch(custom_connections=listed)
    ended = login("--status", app=apps.CUSTOM_CONNECTION).end()
    assert ended.code == 0
    assert xero.admin.organisations()[0]["tenant_id"] in ended.said
    assert "none expire" in ended.said


def test_status_names_no_organisation_when_all_were_disconnected(
    xero: Sandbox, login: Start, connected: Callable[..., Kept]
) -> None:
    connected()
    for organisation in xero.admin.organisations():
        xero.admin.disconnect(organisation["tenant_id"])
    assert "No organisation is connected" in login("--status", app=apps.WEB_APP).end().said


@pytest.mark.parametrize(
    ("renewed_at", "said"),
    [
        (NOW - 30, "Renewed just now: 60 days left, until 2026-11-20."),
        (NOW - 1.5 * DAY, "Renewed 2026-09-20: 59 days left, until 2026-11-19."),
        (NOW - 59.5 * DAY, "Renewed 2026-07-24: 1 day left, until 2026-09-22."),
    ],
)
def test_days_left_count_from_the_last_renewal(renewed_at: float, said: str) -> None:
    kept = Kept(refresh_token="r", rotated_at=renewed_at)
    assert lifetime(kept, kept, NOW).startswith(said)


def test_days_left_of_a_fresh_consent_count_from_its_access_token() -> None:
    kept = Kept(refresh_token="r", expires_at=NOW - 10 * DAY + 1_800)
    assert lifetime(kept, kept, NOW).startswith("Renewed 2026-09-11: 50 days left")


def test_logout_withdraws_consent_and_deletes_the_tokens(
    xero: Sandbox, login: Start, connected: Callable[..., Kept], token_path: Path
) -> None:
    kept = connected()
    ended = login("--logout", app=apps.WEB_APP, TAP_XERO_REFRESH_TOKEN="a-token-pasted-long-ago").end()
    assert ended.code == 0
    assert "remove it" in ended.said
    assert json.loads(token_path.read_text())["clients"] == {}
    assert [call["status"] for call in xero.admin.calls("/connect/revocation")] == [200]
    assert kept.refresh_token not in ended.said
    again = login("--logout", app=apps.WEB_APP).end()
    assert again.code == 1
    assert "no tokens" in again.complaint


def test_logout_keeps_the_tokens_when_xero_refuses(
    xero: Sandbox, login: Start, connected: Callable[..., Kept], token_path: Path
) -> None:
    kept = connected()
    ended = login("--logout", app=apps.WEB_APP, TAP_XERO_CLIENT_SECRET="another").end()
    assert ended.code == 1
    assert "invalid_client" in ended.complaint
    assert TokenStore(token_path).read(apps.WEB_APP.client_id) == kept
