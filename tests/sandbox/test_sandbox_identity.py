"""Apps, consents, tokens and connections."""

from __future__ import annotations

import base64
import hashlib
import re
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests

from xero_sandbox import apps

BACK = "http://localhost:8742/back"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def authorize(url, app=apps.WEB_APP, **more):
    asked = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": BACK,
        "scope": "openid offline_access accounting.contacts.read",
        "state": "s 1&2",
        "sandbox_approve": "1",
        **more,
    }
    return requests.get(f"{url}/identity/connect/authorize", params=asked, allow_redirects=False, timeout=30)


def came_back(response):
    assert response.status_code == 302, response.text
    address = urlsplit(response.headers["Location"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == BACK
    return {name: values[0] for name, values in parse_qs(address.query).items()}


def claims(token):
    return jwt.decode(token, options={"verify_signature": False})


# --- client_credentials ---


def test_a_custom_connection_gets_a_token_for_its_organisation(xero, api):
    assert api.get("Organisation")["Organisations"][0]["Name"] == "Blank Slate Ltd"


def test_an_access_token_is_a_jwt_that_lists_its_scopes_for_half_an_hour(xero, ask_token):
    answer = ask_token(
        xero.url, apps.CUSTOM_CONNECTION, grant_type="client_credentials", scope="accounting.contacts.read"
    ).json()
    told = claims(answer["access_token"])
    assert answer["expires_in"] == told["exp"] - told["nbf"] == 1800
    assert told["scope"] == ["accounting.contacts.read"]
    assert told["client_id"] == apps.CUSTOM_CONNECTION.client_id
    assert told["authentication_event_id"]
    assert "refresh_token" not in answer


@pytest.mark.parametrize(
    ("app", "form", "error"),
    [
        (apps.CUSTOM_CONNECTION, {"grant_type": "password"}, "unsupported_grant_type"),
        (apps.WEB_APP, {"grant_type": "client_credentials"}, "unauthorized_client"),
        (
            apps.CUSTOM_CONNECTION,
            {"grant_type": "refresh_token", "refresh_token": "x"},
            "unauthorized_client",
        ),
        (apps.WEB_APP, {"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
        (apps.WEB_APP, {"grant_type": "authorization_code", "code": "x"}, "invalid_grant"),
        (apps.App("F" * 32, "x", "web", ""), {"grant_type": "refresh_token"}, "invalid_client"),
        (
            apps.App(apps.WEB_APP.client_id, "wrong", "web", ""),
            {"grant_type": "refresh_token"},
            "invalid_client",
        ),
        (apps.App("", None, "pkce", ""), {"grant_type": "refresh_token"}, "invalid_request"),
        (apps.CUSTOM_CONNECTION, {"grant_type": "client_credentials", "scope": "no.such"}, "invalid_scope"),
    ],
)
def test_the_token_endpoint_refuses_with_400_and_a_reason(xero, ask_token, app, form, error):
    response = ask_token(xero.url, app, **form)
    assert (response.status_code, response.json()["error"]) == (400, error)


def test_a_token_request_in_json_is_invalid(xero):
    response = requests.post(
        f"{xero.url}/connect/token", json={"grant_type": "client_credentials"}, timeout=30
    )
    assert (response.status_code, response.json()) == (400, {"error": "invalid_request"})


def test_an_app_of_2026_gets_granular_scopes_only(xero, ask_token):
    made = xero.admin.add_app(kind="custom_connection", granular_only=True)
    app = apps.App(made["client_id"], made["client_secret"], "custom_connection", "")
    broad = ask_token(xero.url, app, grant_type="client_credentials", scope="accounting.transactions.read")
    granular = ask_token(xero.url, app, grant_type="client_credentials", scope="accounting.invoices.read")
    assert broad.json() == {
        "error": "invalid_scope",
        "error_description": "Client credentials scope validation failed",
    }
    assert granular.status_code == 200


def test_a_disconnected_custom_connection_gets_no_token(xero, ask_token):
    xero.admin.disconnect()
    response = ask_token(xero.url, apps.CUSTOM_CONNECTION, grant_type="client_credentials")
    assert response.json() == {"error": "unauthorized_client"}


# --- refresh ---


def test_every_refresh_gives_a_new_token_and_the_second_one_works_too(xero, ask_token):
    first = xero.admin.consent()["refresh_token"]
    second = ask_token(xero.url, grant_type="refresh_token", refresh_token=first).json()["refresh_token"]
    third = ask_token(xero.url, grant_type="refresh_token", refresh_token=second).json()["refresh_token"]
    assert len({first, second, third}) == 3


def test_a_used_refresh_token_works_for_thirty_minutes_more_in_case_the_answer_was_lost(xero, ask_token):
    token = xero.admin.consent()["refresh_token"]
    assert ask_token(xero.url, grant_type="refresh_token", refresh_token=token).status_code == 200
    xero.admin.advance(30 * 60)
    assert ask_token(xero.url, grant_type="refresh_token", refresh_token=token).status_code == 200
    xero.admin.advance(1)
    late = ask_token(xero.url, grant_type="refresh_token", refresh_token=token)
    assert (late.status_code, late.json()) == (400, {"error": "invalid_grant"})


def test_a_refresh_token_expires_after_sixty_unused_days(xero, ask_token):
    token, other = (xero.admin.consent()["refresh_token"] for _ in "ab")
    xero.admin.advance(60 * 86_400)
    assert ask_token(xero.url, grant_type="refresh_token", refresh_token=token).status_code == 200
    xero.admin.advance(1)
    late = ask_token(xero.url, grant_type="refresh_token", refresh_token=other)
    assert late.json() == {"error": "invalid_grant"}


def test_a_refresh_token_of_another_app_is_refused(xero, ask_token):
    token = xero.admin.consent(client_id=apps.PKCE_APP.client_id)["refresh_token"]
    assert ask_token(xero.url, grant_type="refresh_token", refresh_token=token).json() == {
        "error": "invalid_grant"
    }
    mine = ask_token(xero.url, apps.PKCE_APP, grant_type="refresh_token", refresh_token=token)
    assert mine.status_code == 200


def test_without_offline_access_there_is_no_refresh_token(xero):
    assert "refresh_token" not in xero.admin.consent(
        client_id=apps.PKCE_APP.client_id, scopes="accounting.contacts"
    )


# --- the browser ---


def test_a_code_is_exchanged_once_and_state_comes_back(xero, ask_token):
    answer = came_back(authorize(xero.url))
    assert answer["state"] == "s 1&2"
    form = {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": BACK}
    tokens = ask_token(xero.url, **form).json()
    assert {"access_token", "refresh_token", "id_token", "expires_in", "scope"} <= set(tokens)
    assert ask_token(xero.url, **form).json() == {"error": "invalid_grant"}


def test_a_code_expires_after_five_minutes(xero, ask_token):
    code = came_back(authorize(xero.url))["code"]
    xero.admin.advance(301)
    late = ask_token(xero.url, grant_type="authorization_code", code=code, redirect_uri=BACK)
    assert late.json() == {"error": "invalid_grant"}


def test_a_code_belongs_to_its_redirect_address(xero, ask_token):
    code = came_back(authorize(xero.url))["code"]
    other = ask_token(xero.url, grant_type="authorization_code", code=code, redirect_uri=BACK + "2")
    assert other.json() == {"error": "invalid_grant"}


@pytest.mark.parametrize(
    ("verifier", "status"), [(VERIFIER, 200), ("w" * 43, 400), ("v" * 42, 400), ("", 400)]
)
def test_pkce_needs_the_verifier_of_the_challenge(xero, ask_token, verifier, status):
    proof = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    code = came_back(authorize(xero.url, apps.PKCE_APP, **proof))["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": verifier}
    assert ask_token(xero.url, apps.PKCE_APP, **form).status_code == status


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"redirect_uri": "http://127.0.0.1:8742/back"}, "unauthorized_client"),
        ({"redirect_uri": "https://elsewhere.example/back"}, "unauthorized_client"),
        ({"client_id": "0" * 32}, "unauthorized_client"),
        ({"client_id": apps.CUSTOM_CONNECTION.client_id}, "unauthorized_client"),
        ({"scope": "accounting.nonsense"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"client_id": apps.PKCE_APP.client_id}, "invalid_request"),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "plain"}, "invalid_request"),
    ],
)
def test_the_consent_page_refuses_what_is_not_registered(xero, more, error):
    response = authorize(xero.url, **more)
    assert (response.status_code, error in response.text) == (400, True)


def test_the_consent_page_lists_organisations_and_scopes_and_its_button_leads_back(xero):
    xero.admin.add_organisation("Second & Co")
    page = authorize(xero.url, sandbox_approve="")
    assert page.status_code == 200
    assert {"Blank Slate Ltd", "Second &amp; Co", "accounting.contacts.read"} <= set(
        re.findall(r"> ?([^<>]+)</l", page.text)
    )
    form = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    form = {name: value.replace("&amp;", "&") for name, value in form.items()}
    tenant = xero.admin.organisations()[1]["tenant_id"]
    sent = requests.post(
        f"{xero.url}/identity/connect/authorize",
        data={**form, "sandbox_tenant": tenant, "sandbox_approve": "1"},
        allow_redirects=False,
        timeout=30,
    )
    assert came_back(sent)["state"] == "s 1&2"


def test_a_user_can_deny_access(xero):
    assert came_back(authorize(xero.url, sandbox_approve="deny")) == {
        "error": "access_denied",
        "state": "s 1&2",
    }


def test_a_switch_approves_every_consent(xero):
    xero.admin.switch(approve_at_once=True)
    assert "code" in came_back(authorize(xero.url, sandbox_approve=""))


# --- access tokens and connections ---


def test_an_access_token_expires_after_thirty_minutes(xero, api):
    xero.admin.advance(1799)
    assert api.call("Organisation").status_code == 200
    xero.admin.advance(1)
    response = api.call("Organisation")
    body = response.json()
    assert (response.status_code, body["Title"], body["Status"]) == (401, "Unauthorized", 401)
    assert body["Detail"] == "TokenExpired: token expired at 11/20/2026 09:30:00"


@pytest.mark.parametrize("header", [None, "Bearer nonsense", "Basic abc"])
def test_an_invalid_token_is_401_authentication_unsuccessful(xero, callers, header):
    response = callers(xero, "").call("Organisation", headers={"Authorization": header} if header else {})
    assert (response.status_code, response.json()["Detail"]) == (401, "AuthenticationUnsuccessful")


def test_a_missing_scope_is_401_and_the_header_names_it(xero, callers):
    tenant = xero.admin.organisations()[0]["tenant_id"]
    token = xero.admin.consent(client_id=apps.PKCE_APP.client_id, scopes="accounting.contacts.read")
    caller = callers(xero, token["access_token"], tenant)
    assert caller.call("Contacts").status_code == 200
    response = caller.call("Invoices")
    assert (response.status_code, response.json()["Detail"]) == (401, "AuthorizationUnsuccessful")
    assert "insufficient_scope" in response.headers["WWW-Authenticate"]
    assert "accounting.invoices.read" in response.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("scope", "opened"),
    [
        (
            "accounting.transactions.read",
            {"Invoices", "Payments", "BankTransactions", "ManualJournals", "Items"},
        ),
        ("accounting.transactions", {"Invoices", "Payments", "BankTransactions", "ManualJournals", "Items"}),
        ("accounting.invoices.read", {"Invoices", "Items"}),
        ("accounting.payments", {"Payments"}),
        ("accounting.banktransactions.read", {"BankTransactions"}),
        ("accounting.manualjournals.read", {"ManualJournals"}),
        ("accounting.settings.read", {"Items", "Accounts"}),
        ("accounting.budgets.read", {"Budgets"}),
        ("accounting.journals.read", {"Journals"}),
        ("accounting.reports.read", {"Reports"}),
        ("accounting.reports.taxreports.read", {"Reports"}),
        ("paymentservices", {"PaymentServices"}),
    ],
)
def test_broad_and_granular_scopes_give_access_to_their_resources(xero, callers, scope, opened):
    every = "Invoices Payments BankTransactions ManualJournals Items Accounts Budgets Journals Reports PaymentServices"
    token = xero.admin.consent(client_id=apps.PKCE_APP.client_id, scopes=scope)["access_token"]
    caller = callers(xero, token, xero.admin.organisations()[0]["tenant_id"])
    assert {name for name in every.split() if caller.call(name).status_code == 200} == opened


def test_connections_have_seven_decimals_and_can_be_listed_by_consent(xero, callers):
    second = xero.admin.add_organisation("Second Ltd")
    xero.admin.consent()
    token = xero.admin.consent(tenants=[second])["access_token"]
    caller = callers(xero, token)
    both = caller.get("/connections")
    assert [one["tenantName"] for one in both] == ["Blank Slate Ltd", "Second Ltd"]
    assert {one["tenantType"] for one in both} == {"ORGANISATION"}
    assert re.fullmatch(r"2026-11-20T09:00:00\.\d{7}", both[0]["createdDateUtc"])
    event = claims(token)["authentication_event_id"]
    assert [one["tenantId"] for one in caller.get("/connections", authEventId=event)] == [second]


def test_the_scopes_of_an_app_accumulate_over_consents(xero):
    app = apps.PKCE_APP.client_id
    xero.admin.consent(client_id=app, scopes="accounting.contacts.read")
    second = xero.admin.consent(client_id=app, scopes="accounting.settings.read")
    assert claims(second["access_token"])["scope"] == ["accounting.contacts.read", "accounting.settings.read"]


def test_the_next_token_lacks_removed_scopes(xero, ask_token):
    token = xero.admin.consent()["refresh_token"]
    xero.admin.take_scopes("accounting.contacts.read", "accounting.contacts")
    answer = ask_token(xero.url, grant_type="refresh_token", refresh_token=token).json()
    assert "accounting.contacts.read" not in claims(answer["access_token"])["scope"]
    assert "accounting.settings" in claims(answer["access_token"])["scope"]


def test_a_connection_that_is_deleted_is_403_from_then_on(xero, callers):
    tenant = xero.admin.organisations()[0]["tenant_id"]
    caller = callers(xero, xero.admin.consent()["access_token"], tenant)
    assert caller.call("Organisation").status_code == 200
    connection = caller.get("/connections")[0]["id"]
    assert caller.call(f"/connections/{connection}", "DELETE").status_code == 204
    response = caller.call("Organisation")
    assert response.status_code == 403
    assert (response.json()["Title"], response.json()["Detail"]) == (
        "Forbidden",
        "AuthenticationUnsuccessful",
    )
    assert caller.call(f"/connections/{connection}", "DELETE").status_code == 404


@pytest.mark.parametrize("tenant", ["", "7c6f1a52-0000-4000-8000-000000000000"])
def test_a_missing_or_unknown_tenant_is_403(xero, callers, tenant):
    caller = callers(xero, xero.admin.consent()["access_token"], tenant)
    assert caller.call("Organisation").status_code == 403


def test_revoking_ends_connections_and_refresh_tokens(xero, ask_token, callers):
    tokens = xero.admin.consent()
    caller = callers(xero, tokens["access_token"])
    auth = (apps.WEB_APP.client_id, apps.WEB_APP.client_secret)
    form = {"token": tokens["refresh_token"]}
    assert (
        requests.post(f"{xero.url}/connect/revocation", data=form, auth=auth, timeout=30).status_code == 200
    )
    assert caller.get("/connections") == []
    again = ask_token(xero.url, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert again.json() == {"error": "invalid_grant"}


def test_whether_connections_answers_a_custom_connection_is_a_switch(xero, api):
    assert [one["tenantName"] for one in api.get("/connections")] == ["Blank Slate Ltd"]
    xero.admin.switch(custom_connections=False)
    assert api.call("/connections").status_code == 403
    assert api.call("Organisation").status_code == 200


def test_whether_a_custom_connection_must_name_its_tenant_is_a_switch(xero, api):
    xero.admin.switch(custom_needs_tenant=True)
    assert api.call("Organisation").status_code == 403
    tenant = xero.admin.organisations()[0]["tenant_id"]
    assert api.call("Organisation", headers={"xero-tenant-id": tenant}).status_code == 200


def test_only_the_advanced_tier_may_ask_for_journals(xero, ask_token):
    made = xero.admin.add_app(kind="custom_connection", tier="starter")
    app = apps.App(made["client_id"], made["client_secret"], "custom_connection", "")
    refused = ask_token(xero.url, app, grant_type="client_credentials", scope="accounting.journals.read")
    assert refused.json()["error"] == "invalid_scope"
