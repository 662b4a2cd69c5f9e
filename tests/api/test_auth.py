"""Signing in, and refreshing and storing tokens, over HTTP at the sandbox."""

from __future__ import annotations

import base64
import http.client
import logging
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from waiting import until

from singer_xero.api.auth import (
    ClientCredentials,
    Identity,
    RefreshToken,
    authorize_url,
    exchange_code,
    fingerprint,
    pkce_challenge,
    pkce_pair,
    revoke,
    scopes_of,
)
from singer_xero.api.client import XeroClient, connect
from singer_xero.api.errors import (
    BadCredentials,
    InvalidScope,
    NotConnected,
    TokenStoreError,
    Unavailable,
    XeroError,
)
from singer_xero.api.tokens import Kept, TokenStore
from xero_sandbox import AdminClient, Sandbox, apps

from .conftest import ONE, TWO, Time

Make = Callable[..., XeroClient]
WEB, PKCE, CUSTOM = apps.WEB_APP, apps.PKCE_APP, apps.CUSTOM_CONNECTION
HALF_AN_HOUR = 1_800


@pytest.fixture
def store(path: Path) -> TokenStore:
    return TokenStore(path)


def kept(path: Path, client_id: str = WEB.client_id) -> Kept:
    found = TokenStore(path).read(client_id)
    assert found is not None
    return found


def grants(admin: AdminClient) -> list[str]:
    return [call["grant_type"] for call in admin.calls("connect/token")]


# --- refreshing ---


def test_each_refresh_uses_the_token_of_the_previous_one(
    signed_in: Make, admin: AdminClient, time: Time, path: Path
) -> None:
    client = signed_in()
    seen = []
    for _ in range(5):
        client.get(ONE, "Organisation")
        seen.append(kept(path).refresh_token)
        time.pass_by(HALF_AN_HOUR + 60)  # longer than the grace period of the previous token
    assert len(set(seen)) == 5
    assert signed_in.seed not in seen
    assert grants(admin) == ["refresh_token"] * 5


def test_the_next_run_uses_the_store_with_the_same_configuration(
    signed_in: Make, admin: AdminClient, time: Time, path: Path
) -> None:
    for _ in range(3):
        signed_in().get(ONE, "Organisation")
        signed_in().get(ONE, "Organisation")  # a second run within half an hour needs no refresh
        time.pass_by(2 * HALF_AN_HOUR)
    assert grants(admin) == ["refresh_token"] * 3
    assert kept(path).seeds == (fingerprint(signed_in.seed),)


def test_the_store_alone_is_enough(signed_in: Make, time: Time) -> None:
    signed_in().get(ONE, "Organisation")
    time.pass_by(2 * HALF_AN_HOUR)
    assert signed_in(None).get(ONE, "Organisation").status == 200


def test_an_access_token_is_renewed_a_minute_before_its_end(
    signed_in: Make, admin: AdminClient, time: Time
) -> None:
    client = signed_in()
    client.scopes()
    time.pass_by(HALF_AN_HOUR - 61)
    client.scopes()
    assert len(grants(admin)) == 1
    time.pass_by(2)
    client.scopes()
    assert len(grants(admin)) == 2


def test_a_new_token_in_the_configuration_replaces_the_stored_one_once(
    signed_in: Make, admin: AdminClient, time: Time, path: Path
) -> None:
    signed_in().scopes()
    old = kept(path)
    newer = admin.consent(tenants=[ONE])["refresh_token"]
    signed_in(newer).scopes()  # although the stored access token is still valid
    assert len(grants(admin)) == 2
    assert kept(path).access_token != old.access_token
    for token in (newer, signed_in.seed):  # neither is newer than the stored token
        time.pass_by(2 * HALF_AN_HOUR)
        signed_in(token).scopes()
    assert grants(admin) == ["refresh_token"] * 4
    assert kept(path).seeds == (fingerprint(signed_in.seed), fingerprint(newer))


def test_a_stale_token_in_the_configuration_falls_back_to_the_stored_one(
    signed_in: Make, admin: AdminClient, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    signed_in().scopes()
    time.pass_by(2 * HALF_AN_HOUR)
    stale = "a-refresh-token-from-another-life"
    assert signed_in(stale).scopes()
    assert "invalid_grant" in caplog.text
    assert stale not in caplog.text
    time.pass_by(2 * HALF_AN_HOUR)
    assert signed_in(stale).scopes()  # and is not tried again
    assert [call["status"] for call in admin.calls("connect/token")] == [200, 400, 200, 200]


def test_the_previous_token_is_tried_within_its_grace_period(
    signed_in: Make, admin: AdminClient, time: Time, path: Path
) -> None:
    signed_in().scopes()
    held = kept(path)
    with TokenStore(path).locked(), TokenStore(path).successor(WEB.client_id) as keep:
        keep(
            Kept(
                refresh_token="lost-at-sea",
                previous_refresh_token=held.refresh_token,
                rotated_at=time.now,
                seeds=held.seeds,
            )
        )
    assert signed_in().scopes()
    assert [call["status"] for call in admin.calls("connect/token")] == [200, 400, 200]


@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "server_error_after", "html", "cut_off"])
def test_a_lost_answer_is_requested_again_with_the_same_token(
    signed_in: Make, admin: AdminClient, time: Time, path: Path, kind: str
) -> None:
    admin.fault(kind, path="connect/token")
    client = signed_in()
    client.get(ONE, "Organisation")
    assert time.slept == []
    assert len(grants(admin)) == 2
    time.pass_by(2 * HALF_AN_HOUR)
    client.get(ONE, "Organisation")  # the stored token is used again
    assert len(grants(admin)) == 3


def test_a_refresh_that_never_succeeds_leaves_the_old_token_for_the_next_run(
    signed_in: Make, admin: AdminClient, time: Time, path: Path
) -> None:
    signed_in().scopes()
    before = kept(path)
    time.pass_by(HALF_AN_HOUR)
    admin.fault("server_error_after", path="connect/token", count=6)
    with pytest.raises(Unavailable, match=r"POST /connect/token \(refresh_token\): 500"):
        signed_in().scopes()
    assert kept(path) == before
    assert signed_in().scopes()


def test_60_days_unused_need_a_new_consent(signed_in: Make, time: Time) -> None:
    signed_in().scopes()
    time.pass_by(61 * 86_400)
    with pytest.raises(NotConnected) as caught:
        signed_in().scopes()
    assert str(caught.value).startswith(
        "POST /connect/token (refresh_token): 400 invalid_grant: the refresh token was already used, expired or revoked"
    )
    assert "Run `xero-login`" in str(caught.value)


def test_a_missing_refresh_token_is_reported_with_the_fix(signed_in: Make, path: Path) -> None:
    with pytest.raises(NotConnected, match=r"no refresh token in the configuration.*xero-login") as caught:
        signed_in(None).scopes()
    assert str(path) in str(caught.value)


def test_a_token_is_not_used_if_the_next_one_could_not_be_stored(
    admin: AdminClient, make: Make, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    seed = admin.consent()["refresh_token"]
    auth = RefreshToken(
        WEB.client_id, WEB.client_secret, seed, store=TokenStore(tmp_path / "file" / "tokens.json")
    )
    with pytest.raises(TokenStoreError, match="token_path"):
        make(auth).scopes()
    assert grants(admin) == []


def test_an_access_token_is_stored_before_it_is_used(
    signed_in: Make, admin: AdminClient, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    replace = Path.replace

    def renamed(self: Path, target: Path) -> Path:
        done.append(f"written after {len(admin.calls())} calls")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", renamed)
    signed_in().get(ONE, "Organisation")
    # The first write proves that the file can be replaced, before the token is used.
    assert done == ["written after 0 calls", "written after 1 calls"]
    assert len(admin.calls()) == 2


# --- several processes, and processes that die ---

PROCESS = """
import os, signal, sys
from singer_xero.api.client import connect
from singer_xero.api import tokens

url, path, client_id, secret, seed, tenant_id, now, die = sys.argv[1:]

if die == "before the write":
    original = tokens.TokenStore._new_file
    import contextlib

    @contextlib.contextmanager
    def new_file(self, room):
        with original(self, room) as replace:
            yield (lambda content: os.kill(os.getpid(), signal.SIGKILL)) if room else replace

    tokens.TokenStore._new_file = new_file
elif die == "after the write":
    original = tokens.TokenStore._sync_folder
    times = []

    def sync_folder(self):
        original(self)
        times.append(1)
        if len(times) == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    tokens.TokenStore._sync_folder = sync_folder

client = connect(client_id, secret, seed, path, api_url=url, identity_url=url, clock=lambda: float(now))
print("ready", flush=True)
sys.stdin.readline()
print(client.get(tenant_id, "Organisation").status)
client.close()
"""


def process(xero: Sandbox, path: Path, seed: str, time: Time, die: str = "") -> subprocess.Popen[str]:
    assert WEB.client_secret
    arguments = [xero.url, str(path), WEB.client_id, WEB.client_secret, seed, ONE, str(time.now), die]
    started = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROCESS, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "ready\n"
    return started


def test_processes_that_share_a_store_make_one_refresh(
    signed_in: Make, xero: Sandbox, admin: AdminClient, time: Time, path: Path
) -> None:
    signed_in().scopes()
    for round_ in (2, 3):
        time.pass_by(2 * HALF_AN_HOUR)
        running = [process(xero, path, signed_in.seed, time) for _ in range(3)]
        admin.fault("hold", path="connect/token")
        for one in running:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        until(lambda made=round_: len(grants(admin)) == made, seconds=5)
        admin.release()
        for one in running:
            assert one.communicate(timeout=30) == ("200\n", "")
        assert len(grants(admin)) == round_


@pytest.mark.parametrize("die", ["before the write", "after the write"])
def test_a_process_killed_during_a_refresh_loses_no_connection(
    signed_in: Make, xero: Sandbox, admin: AdminClient, time: Time, path: Path, die: str
) -> None:
    signed_in().scopes()
    before = kept(path)
    time.pass_by(HALF_AN_HOUR)
    killed = process(xero, path, signed_in.seed, time, die)
    killed.communicate("go\n", timeout=30)
    assert killed.returncode == -signal.SIGKILL
    assert len(grants(admin)) == 2
    assert admin.calls("Organisation") == []
    assert (kept(path) == before) == (die == "before the write")
    time.pass_by(600)
    assert signed_in().get(ONE, "Organisation").status == 200
    assert len(grants(admin)) == (3 if die == "before the write" else 2)
    time.pass_by(2 * HALF_AN_HOUR)
    assert signed_in().get(ONE, "Organisation").status == 200
    assert sorted(file.name for file in path.parent.iterdir() if file.suffix != ".lock") == ["tokens.json"]


# --- custom connections and refusals ---


def test_a_custom_connection_signs_in_without_storing_anything(
    make: Make, admin: AdminClient, time: Time, tmp_path: Path
) -> None:
    client = make()
    client.get(None, "Organisation")
    client.get(None, "Organisation")
    time.pass_by(HALF_AN_HOUR)
    client.get(None, "Organisation")
    assert grants(admin) == ["client_credentials"] * 2
    assert list(tmp_path.rglob("*.json")) == []


def test_a_custom_connection_requests_the_given_scopes(make: Make) -> None:
    assert CUSTOM.client_secret
    auth = ClientCredentials(
        CUSTOM.client_id, CUSTOM.client_secret, ["accounting.contacts.read", "accounting.settings"]
    )
    assert make(auth).scopes() == {"accounting.contacts.read", "accounting.settings"}


def test_a_scope_that_the_app_lacks_is_named(make: Make) -> None:
    assert CUSTOM.client_secret
    auth = ClientCredentials(
        CUSTOM.client_id, CUSTOM.client_secret, ["accounting.settings", "accounting.everything"]
    )
    with pytest.raises(
        InvalidScope, match=r"asked for: accounting\.settings accounting\.everything"
    ) as caught:
        make(auth).scopes()
    assert caught.value.scopes == ("accounting.settings", "accounting.everything")


def test_a_wrong_secret_is_reported_and_not_shown(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(
        BadCredentials, match=r"400 invalid_client.*Check client_id and client_secret"
    ) as caught:
        make(ClientCredentials(CUSTOM.client_id, "a-wrong-secret")).scopes()
    assert "a-wrong-secret" not in f"{caught.value!r}{caught.value}{caplog.text}"


def test_a_grant_that_the_app_may_not_use_is_reported(make: Make, path: Path) -> None:
    assert WEB.client_secret
    with pytest.raises(BadCredentials, match=r"unauthorized_client.*needs a custom connection"):
        make(ClientCredentials(WEB.client_id, WEB.client_secret)).scopes()
    store = TokenStore(path)
    with pytest.raises(BadCredentials, match=r"unauthorized_client.*needs a web or PKCE app"):
        make(RefreshToken(CUSTOM.client_id, CUSTOM.client_secret, "r", store=store)).scopes()


def test_xeros_identity_may_be_slow_to_answer_but_not_for_ever(
    make: Make, admin: AdminClient, time: Time
) -> None:
    admin.fault("rate_limit", path="connect/token", count=3)
    assert make().scopes()
    assert len(time.slept) == 2
    admin.fault("unavailable", path="connect/token", count=0)
    with pytest.raises(Unavailable, match="503 Organisation offline"):
        make().scopes()
    assert len(grants(admin)) == 4 + 6


def test_an_answer_without_a_token_is_an_error(make: Make, admin: AdminClient) -> None:
    admin.fault("status", path="connect/token", status=200, body='{"token_type":"Bearer"}')
    with pytest.raises(Unavailable, match="contains no access token"):
        make().scopes()


def test_connect_prefers_stored_tokens_to_a_custom_connection(
    signed_in: Make, xero: Sandbox, path: Path, time: Time
) -> None:
    def kind() -> bool:
        client = connect(WEB.client_id, WEB.client_secret, token_path=str(path), identity_url=xero.url)
        client.close()
        return client.is_custom_connection

    assert kind()
    signed_in().scopes()
    assert not kind()


# --- consent ---


def consent(url: str, *, approve: str = "1") -> dict[str, str]:
    """Follow the consent like a browser; returns the parameters of the redirect."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc)
    connection.request("GET", f"{parts.path}?{parts.query}&{urlencode({'sandbox_approve': approve})}")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    location = answer.headers["Location"]
    assert location is not None
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


REDIRECT = "http://localhost:8742/callback"
SCOPES = ("offline_access", "accounting.settings.read")


def test_a_web_app_signs_in_by_code_and_the_next_run_finds_its_tokens(
    xero: Sandbox, admin: AdminClient, identity: Identity, store: TokenStore, signed_in: Make, time: Time
) -> None:
    back = consent(authorize_url(WEB.client_id, REDIRECT, SCOPES, "state-1", login_url=xero.url))
    assert back["state"] == "state-1"
    exchange_code(identity, store, WEB.client_id, WEB.client_secret, code=back["code"], redirect_uri=REDIRECT)
    assert "accounting.settings.read" in scopes_of(store.read(WEB.client_id).access_token)
    client = signed_in(None)
    assert {c.tenant_id for c in client.connections()} == {ONE, TWO}
    assert grants(admin) == ["authorization_code"]
    time.pass_by(2 * HALF_AN_HOUR)
    assert client.get(ONE, "Organisation").status == 200
    assert grants(admin) == ["authorization_code", "refresh_token"]


def test_a_pkce_app_signs_in_and_refreshes_without_a_secret(
    xero: Sandbox, admin: AdminClient, identity: Identity, store: TokenStore, make: Make, time: Time
) -> None:
    verifier, challenge = pkce_pair()
    assert 43 <= len(verifier) <= 128
    url = authorize_url(PKCE.client_id, REDIRECT, SCOPES, "s", challenge=challenge, login_url=xero.url)
    code = consent(url)["code"]
    exchange_code(identity, store, PKCE.client_id, None, code=code, redirect_uri=REDIRECT, verifier=verifier)
    time.pass_by(2 * HALF_AN_HOUR)
    assert make(RefreshToken(PKCE.client_id, store=store)).get(ONE, "Organisation").status == 200
    assert grants(admin) == ["authorization_code", "refresh_token"]


def test_the_challenge_is_that_of_the_standard() -> None:
    # RFC 7636, appendix B
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert pkce_challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_a_code_works_once(xero: Sandbox, identity: Identity, store: TokenStore) -> None:
    code = consent(authorize_url(WEB.client_id, REDIRECT, SCOPES, "s", login_url=xero.url))["code"]
    for expected in (None, NotConnected):
        try:
            exchange_code(identity, store, WEB.client_id, WEB.client_secret, code=code, redirect_uri=REDIRECT)
            assert expected is None
        except NotConnected as error:
            assert expected is NotConnected
            assert "the code is expired or used" in str(error)
            assert code not in str(error)


def test_a_consent_without_offline_access_is_reported(
    xero: Sandbox, admin: AdminClient, identity: Identity, store: TokenStore
) -> None:
    app = admin.add_app(name="New app")
    url = authorize_url(app["client_id"], REDIRECT, ["accounting.settings.read"], "s", login_url=xero.url)
    code = consent(url)["code"]
    with pytest.raises(NotConnected, match="without --scopes, or include offline_access"):
        exchange_code(
            identity, store, app["client_id"], app["client_secret"], code=code, redirect_uri=REDIRECT
        )
    assert store.read(app["client_id"]) is None


def test_a_login_replaces_the_older_token_in_the_configuration(
    xero: Sandbox, admin: AdminClient, identity: Identity, store: TokenStore, signed_in: Make
) -> None:
    url = authorize_url(WEB.client_id, REDIRECT, SCOPES, "s", login_url=xero.url)
    exchange_code(
        identity,
        store,
        WEB.client_id,
        WEB.client_secret,
        code=consent(url)["code"],
        redirect_uri=REDIRECT,
        configured=signed_in.seed,
    )
    signed_in(signed_in.seed).get(ONE, "Organisation")
    assert grants(admin) == ["authorization_code"]


def test_a_withdrawn_consent_is_removed_locally_and_at_xero(
    admin: AdminClient, identity: Identity, store: TokenStore, signed_in: Make
) -> None:
    signed_in().scopes()
    revoke(identity, store, WEB.client_id, WEB.client_secret)
    assert store.read(WEB.client_id) is None
    with pytest.raises(NotConnected):
        signed_in().scopes()
    with pytest.raises(NotConnected, match="no tokens for this client_id"):
        revoke(identity, store, WEB.client_id, WEB.client_secret)


# --- scopes in a token ---


def token(**claims: object) -> str:
    return jwt.encode(claims, "k" * 32, algorithm="HS256")


def test_scopes_are_read_from_a_list_or_a_text_and_not_from_the_clock() -> None:
    assert scopes_of(token(scope=["a", "b"], exp=1)) == {"a", "b"}
    assert scopes_of(token(scope="a b")) == {"a", "b"}
    assert scopes_of(token(scope=[]), "a b") == frozenset()
    assert scopes_of("opaque", "a b") == {"a", "b"}
    assert scopes_of(token(sub="x"), "a") == {"a"}
    with pytest.raises(XeroError, match="lists no scopes"):
        scopes_of("opaque")


# --- secrets ---


def test_no_secret_reaches_a_log_or_an_error(
    signed_in: Make, make: Make, admin: AdminClient, time: Time, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.DEBUG)
    secrets = {signed_in.seed, WEB.client_secret, CUSTOM.client_secret}
    texts = []

    def attempt(call: Callable[[], object]) -> None:
        try:
            texts.append(repr(call()))
        except XeroError as error:
            cause: BaseException | None = error
            while cause is not None:
                texts.append(f"{cause}{cause!r}{vars(cause)}")
                cause = cause.__cause__ or cause.__context__
        if path.exists():
            secrets.update(
                (kept(path).access_token, kept(path).refresh_token, kept(path).previous_refresh_token)
            )

    client = signed_in()
    for kind in ("server_error", "reset_after", "html", "cut_off", "unavailable"):
        admin.fault(kind, path="connect/token")
        admin.fault(kind, path="Accounts")
        attempt(lambda: client.get(ONE, "Accounts"))
        time.pass_by(2 * HALF_AN_HOUR)
    # A proxy that repeats what it was sent.
    echoed = f"Bad Authorization: Bearer {kept(path).access_token}"
    admin.fault("status", path="Organisation", status=400, body=echoed, content_type="text/plain")
    client = signed_in(None)
    time.now -= 2 * HALF_AN_HOUR  # the client's clock is stopped, so the stored token is used
    attempt(lambda: client.get(ONE, "Organisation"))
    time.now += 2 * HALF_AN_HOUR
    echoed = (
        f'{{"error":"invalid_request","error_description":"{kept(path).refresh_token} {WEB.client_secret}"}}'
    )
    admin.fault("status", path="connect/token", status=400, body=echoed, count=0)
    time.pass_by(HALF_AN_HOUR)
    attempt(lambda: signed_in().get(ONE, "Organisation"))
    admin.clear_faults()
    attempt(lambda: make().get(None, "Organisation"))
    attempt(lambda: make(api_url="http://localhost:1", auth=client._auth).get(ONE, "Organisation"))
    admin.revoke()
    attempt(lambda: signed_in().get(ONE, "Organisation"))
    attempt(lambda: signed_in().send("PUT", ONE, "Accounts", body={}, idempotency_key="key"))

    told = "\n".join([caplog.text, *(record.getMessage() for record in caplog.records), *texts])
    assert "urllib3" in told
    assert "***" in told  # the repeated secrets were found and hidden
    for secret in filter(None, secrets):
        assert secret not in told
        assert base64.b64encode(secret.encode()).decode() not in told
    basic = base64.b64encode(f"{WEB.client_id}:{WEB.client_secret}".encode()).decode()
    assert basic not in told
