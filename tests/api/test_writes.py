"""Writes: done once, or reported as unknown."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import backoff
import pytest

from singer_xero.api.client import XeroClient
from singer_xero.api.errors import NotFound, OutcomeUnknown, Refused, TooLarge, Unavailable
from xero_sandbox import AdminClient

from .conftest import Time

Make = Callable[..., XeroClient]

PUT: dict[str, Any] = {"path": "Accounts", "method": "PUT"}
DONE = {"status": 200, "body": '{"Accounts":[{"AccountID":"1"}]}'}


@pytest.fixture
def no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "full_jitter", float)


@pytest.fixture
def put(client: XeroClient) -> Callable[..., Any]:
    def send(key: str | None = "key-1", verb: str = "PUT", **options: Any) -> Any:
        return client.send(verb, None, "Accounts", body={"Name": "x"}, idempotency_key=key, **options).json()

    return send


def keys(admin: AdminClient) -> list[str | None]:
    return [
        {name.lower(): value for name, value in call["headers"].items()}.get("idempotency-key")
        for call in admin.calls("Accounts")
    ]


def test_a_body_is_sent_exactly(client: XeroClient, admin: AdminClient) -> None:
    admin.fault("status", **PUT, **DONE)
    client.send(
        "PUT",
        None,
        "Accounts",
        params={"summarizeErrors": False},
        body={"Accounts": [{"Amount": Decimal("1.10"), "Name": "Café"}]},
        idempotency_key="k",
    )
    (call,) = admin.calls("Accounts")
    assert (
        call["body_hash"]
        == hashlib.sha256('{"Accounts":[{"Amount":1.10,"Name":"Café"}]}'.encode()).hexdigest()
    )
    assert call["query"] == {"summarizeErrors": "false"}
    assert call["headers"]["Content-Type"] == "application/json"
    assert keys(admin) == ["k"]


def test_a_file_is_sent_unchanged(client: XeroClient, admin: AdminClient) -> None:
    admin.fault("status", method="PUT", status=200, body='{"Attachments":[]}')
    client.send("PUT", None, "Invoices/1/Attachments/a b%.pdf", body=b"%PDF", content_type="application/pdf")
    (call,) = admin.calls(method="PUT")
    assert call["path"] == "/api.xro/2.0/Invoices/1/Attachments/a b%.pdf"
    assert call["headers"]["Content-Type"] == "application/pdf"
    assert call["body_hash"] == hashlib.sha256(b"%PDF").hexdigest()


@pytest.mark.parametrize(
    "kind",
    ["server_error", "server_error_after", "reset_before", "reset_after", "html", "cut_off", "unavailable"],
)
def test_a_write_with_a_key_is_sent_again_with_the_same_key(
    put: Callable[..., Any], admin: AdminClient, kind: str
) -> None:
    admin.fault(kind, **PUT, count=2)
    admin.fault("status", **PUT, **DONE, after=2)
    # A fault after the write needs a write that succeeds.
    admin.fault("status", **PUT, **DONE, count=0)
    assert put("key-1")["Accounts"] == [{"AccountID": "1"}]
    assert keys(admin) == ["key-1"] * 3


@pytest.mark.parametrize(
    "kind",
    ["server_error", "server_error_after", "reset_before", "reset_after", "html", "cut_off", "unavailable"],
)
def test_a_write_without_a_key_is_sent_once_and_its_outcome_is_unknown(
    put: Callable[..., Any], admin: AdminClient, kind: str
) -> None:
    admin.fault(kind, **PUT, count=0)
    admin.fault("status", **PUT, **DONE, count=0)
    with pytest.raises(OutcomeUnknown) as caught:
        put(None)
    assert caught.value.sent
    assert caught.value.idempotency_key is None
    assert str(caught.value).startswith("PUT Accounts: ")
    assert str(caught.value).endswith("Look the records up in Xero before sending them again.")
    assert len(admin.calls("Accounts")) == 1


def test_a_write_that_keeps_failing_is_unknown_and_names_its_key(
    put: Callable[..., Any], admin: AdminClient
) -> None:
    admin.fault("server_error", **PUT, count=0)
    with pytest.raises(OutcomeUnknown, match="its outcome is unknown") as caught:
        put("key-1")
    assert caught.value.idempotency_key == "key-1"
    assert caught.value.status == 500
    assert keys(admin) == ["key-1"] * 6


def test_a_write_is_not_sent_again_after_5_minutes_as_xero_forgets_its_key_after_6(
    put: Callable[..., Any], admin: AdminClient, time: Time, no_jitter: None
) -> None:
    admin.fault("unavailable", **PUT, count=0)
    begun = time.now
    with pytest.raises(OutcomeUnknown):
        put("key-1")
    assert time.slept == [15, 30, 60, 120]
    assert time.now - begun < 300
    assert len(admin.calls("Accounts")) == 5


def test_a_write_that_waits_for_its_turn_too_long_is_not_sent_again(
    put: Callable[..., Any], admin: AdminClient, time: Time
) -> None:
    admin.fault("server_error", **PUT)
    admin.fault("rate_limit", **PUT, after=1, problem="minute", retry_after=400)
    with pytest.raises(OutcomeUnknown, match="longer than Xero remembers its Idempotency-Key"):
        put("key-1")
    assert [call["status"] for call in admin.calls("Accounts")] == [500, 429]


def test_a_write_without_a_key_is_sent_again_after_a_limit_because_nothing_was_done(
    put: Callable[..., Any], admin: AdminClient, time: Time
) -> None:
    admin.fault("rate_limit", **PUT, problem="minute", retry_after=800)
    admin.fault("status", **PUT, **DONE, after=1)
    # Longer than a key is valid, but nothing was written before.
    assert put(None)["Accounts"]
    assert sum(time.slept) == pytest.approx(800, abs=1)


def test_a_write_without_a_key_is_sent_again_after_a_stale_token_because_nothing_was_done(
    put: Callable[..., Any], admin: AdminClient
) -> None:
    admin.fault("token_expired", **PUT)
    admin.fault("status", **PUT, **DONE, after=1)
    assert put(None)["Accounts"]
    assert [call["status"] for call in admin.calls("Accounts")] == [401, 200]


def test_a_write_to_an_unreachable_host_was_not_done(make: Make, client: XeroClient) -> None:
    lost = make(auth=client._auth, api_url="http://localhost:1")
    with pytest.raises(Unavailable) as caught:
        lost.send("PUT", None, "Accounts", body={})
    assert not isinstance(caught.value, OutcomeUnknown)
    assert not caught.value.sent


@pytest.mark.parametrize(
    "then",
    [
        {"kind": "rate_limit", "problem": "day", "retry_after": 3_600},
        {
            "kind": "status",
            "status": 403,
            "body": '{"Title":"Forbidden","Detail":"AuthenticationUnsuccessful"}',
        },
    ],
)
def test_closing_after_a_lost_answer_leaves_the_outcome_unknown(
    put: Callable[..., Any], admin: AdminClient, then: dict[str, Any]
) -> None:
    admin.fault("reset_before", **PUT)
    admin.fault(**PUT, **then, after=1)
    with pytest.raises(OutcomeUnknown) as caught:
        put("key-1")
    assert caught.value.__cause__ is not None
    assert len(admin.calls("Accounts")) == 2


def test_xeros_answer_to_the_same_key_settles_a_lost_answer(
    put: Callable[..., Any], admin: AdminClient
) -> None:
    admin.fault("reset_before", **PUT)
    body = '{"Type":"ValidationException","Message":"no","Elements":[]}'
    admin.fault("status", **PUT, after=1, status=400, body=body)
    with pytest.raises(Refused, match="400 no"):
        put("key-1")
    admin.clear_faults()
    admin.fault("reset_before", **PUT)
    admin.fault("status", **PUT, after=1, status=404, content_type="text/html")
    with pytest.raises(NotFound):
        put("key-2")


def test_a_body_that_is_too_large_has_its_own_error(put: Callable[..., Any], admin: AdminClient) -> None:
    admin.limits(body=5)
    with pytest.raises(
        TooLarge, match=r"413 RequestEntityTooLarge / PayloadTooLarge.*Send fewer records at once"
    ):
        put()


def test_a_delete_has_no_key_and_is_sent_once(client: XeroClient, admin: AdminClient) -> None:
    admin.fault("status", method="DELETE", status=204)
    assert client.send("DELETE", None, "Accounts/1", idempotency_key="key-1").status == 204
    assert "Idempotency-Key" not in admin.calls(method="DELETE")[0]["headers"]
    admin.fault("server_error", method="DELETE")
    with pytest.raises(OutcomeUnknown):
        client.send("DELETE", None, "Accounts/1", idempotency_key="key-1")
    assert len(admin.calls(method="DELETE")) == 2


def test_a_key_that_xero_would_not_accept_is_not_sent(client: XeroClient, admin: AdminClient) -> None:
    with pytest.raises(ValueError, match="at most 128 characters, not 129"):
        client.send("PUT", None, "Accounts", body={}, idempotency_key="k" * 129)
    assert admin.calls() == []


@pytest.mark.parametrize("kind", ["reset_after", "server_error_after", "cut_off"])
def test_a_write_whose_answer_was_lost_is_done_once(
    client: XeroClient, admin: AdminClient, kind: str
) -> None:
    admin.fault(kind, method="PUT", path="Contacts", count=2)
    answer = client.send(
        "PUT", None, "Contacts", body={"Contacts": [{"Name": "Ann"}]}, idempotency_key="key-1"
    ).json()
    (stored,) = admin.records("Contacts")
    assert [contact["ContactID"] for contact in answer["Contacts"]] == [stored["ContactID"]]
    assert len(admin.calls("Contacts")) == 3
