"""The errors if no answer comes: they name the proxy, the certificate, the address or the network."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from singer_xero.api.client import XeroClient
from singer_xero.api.errors import NetworkSetupError, Unavailable
from singer_xero.api.http.connection_faults import is_this_machine
from singer_xero.api.http.response_body import Broken
from singer_xero.api.http.transport import Transport
from singer_xero.login.consent_page import objection
from xero_sandbox import Sandbox

from .canned import Canned, http

XERO = "https://api.xero.com/api.xro/2.0/Invoices"
STATUS_PAGE = "status.developer.xero.com"
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def broken(transport: Transport, url: str = XERO) -> Broken:
    with pytest.raises(Broken) as caught:
        transport.exchange("GET", url, call="GET Invoices", params={"where": "secret"})
    text = f"{caught.value} {caught.value.advice}"
    assert "secret" not in text
    assert STATUS_PAGE not in text
    assert not caught.value.sent
    return caught.value


def unused_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@pytest.mark.parametrize(
    ("status", "reason", "advice", "lasts"),
    [
        (
            "407 Proxy Authentication Required",
            "requires a user name and a password (407)",
            "Set them in HTTPS_PROXY: http://name:password@host:port.",
            True,
        ),
        (
            "403 Forbidden",
            "does not allow connections to api.xero.com (403 Forbidden)",
            "allow api.xero.com",
            True,
        ),
        (
            "502 Bad Gateway",
            "could not reach api.xero.com (502 Bad Gateway)",
            "Run again. If it persists",
            False,
        ),
    ],
)
def test_a_proxy_that_refuses_is_named_with_its_message(
    server: Canned,
    transport: Transport,
    monkeypatch: pytest.MonkeyPatch,
    status: str,
    reason: str,
    advice: str,
    lasts: bool,
) -> None:
    server.answers = [http(b"", status=status)]
    place = server.url.removeprefix("http://")
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:secret@{place}")
    fault = broken(transport)
    assert str(fault) == f"the proxy {place} {reason}"
    assert advice in (fault.advice or "")
    assert fault.hopeless == lasts
    assert server.requests[0].startswith(b"CONNECT api.xero.com:443 ")


def test_a_proxy_for_plain_http_that_requires_a_password_is_named(
    server: Canned, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers = [http(b"<html>", status="407 Proxy Authentication Required")]
    monkeypatch.setenv("http_proxy", server.url)
    fault = broken(transport, "http://xero.test/Invoices")
    assert "requires a user name and a password (407)" in str(fault)
    assert "Set them in http_proxy" in (fault.advice or "")
    assert fault.hopeless


def test_an_unreachable_proxy_is_named_and_tried_again(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = unused_port()
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    fault = broken(transport)
    assert str(fault) == f"no connection to the proxy 127.0.0.1:{port}: Connection refused"
    assert fault.advice == "Check HTTPS_PROXY, and that the proxy runs."
    assert not fault.hopeless


@pytest.mark.parametrize(
    "address", ["http://", "http://proxy:port", "foo://proxy:3128", "http://me:secret@:3128", "http://[proxy"]
)
def test_a_broken_proxy_address_names_its_variable_and_not_its_password(
    transport: Transport, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    fault = broken(transport)
    assert str(fault) == "the proxy address in HTTPS_PROXY can't be used"
    assert fault.advice == "Set HTTPS_PROXY to http://host:port, or unset it."
    assert fault.hopeless


def test_a_socks_proxy_without_its_library_is_named(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    fault = broken(transport)
    assert str(fault) == "the proxy 127.0.0.1:1080 is a SOCKS proxy, for which a library is missing"
    assert "pip install pysocks" in (fault.advice or "")
    assert fault.hopeless


def test_a_missing_file_of_certificates_is_named(
    transport: Transport, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    fault = broken(transport)
    assert str(fault) == f"the certificate file {path}, named by REQUESTS_CA_BUNDLE, does not exist"
    assert fault.advice == "Correct REQUESTS_CA_BUNDLE, or unset it."
    assert fault.hopeless


def test_a_file_without_certificates_is_named(
    server: Canned, transport: Transport, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("nothing of the kind\n")
    server.answers = [b""]
    monkeypatch.setenv("CURL_CA_BUNDLE", str(path))
    fault = broken(transport, server.url.replace("http:", "https:"))
    assert str(fault) == f"the certificate file {path}, named by CURL_CA_BUNDLE, contains no certificate"
    assert fault.hopeless


def test_an_unreachable_host_is_reported_with_advice_to_check_the_network(transport: Transport) -> None:
    fault = broken(transport, "https://api.xero.invalid/Invoices")
    assert "Check that this machine can reach api.xero.invalid" in (fault.advice or "")


def test_a_fault_that_only_a_person_can_fix_ends_the_run_at_once(
    make: Callable[..., XeroClient],
    client: XeroClient,
    server: Canned,
    time: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client.get(None, "Organisation")  # there is a token
    server.answers = [http(b"", status="407 Proxy Authentication Required")]
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    blocked = make(api_url="https://api.xero.com", auth=client._auth)
    with pytest.raises(
        NetworkSetupError, match=r"^GET Accounts: the proxy .* \(407\)\. Set them in HTTPS_PROXY"
    ):
        blocked.get(None, "Accounts")
    assert time.slept == []
    assert len(server.requests) == 1


def test_a_fault_of_signing_in_that_only_a_person_can_fix_ends_the_run_at_once(
    make: Callable[..., XeroClient], server: Canned, time: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers = [http(b"", status="403 Forbidden")]
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    with pytest.raises(NetworkSetupError, match=r"does not allow connections to identity\.xero\.com"):
        make(identity_url="https://identity.xero.com").get(None, "Accounts")
    assert time.slept == []


def test_a_proxy_that_cannot_reach_xero_is_tried_again(
    make: Callable[..., XeroClient], client: XeroClient, server: Canned, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get(None, "Organisation")
    server.answers = [http(b"", "Connection: close", status="503 Service Unavailable")]
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    with pytest.raises(Unavailable, match=r"could not reach api\.xero\.com") as caught:
        make(api_url="https://api.xero.com", auth=client._auth).get(None, "Accounts")
    assert len(server.requests) == 6
    assert STATUS_PAGE not in str(caught.value)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"])
def test_the_sandbox_is_never_called_through_a_proxy(
    xero: Sandbox, make: Callable[..., XeroClient], monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, f"http://127.0.0.1:{unused_port()}")
    assert make().get(None, "Organisation").status == 200


def test_the_consent_page_of_the_sandbox_is_called_without_a_proxy(
    xero: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_port()}")
    words = objection(f"{xero.url}/identity/connect/authorize?client_id=nobody", "singer-xero/test")
    assert "unauthorized_client" in (words or "")


def test_an_unreachable_consent_page_is_not_a_refusal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    assert objection("https://login.xero.com/identity/connect/authorize", "singer-xero/test") is None


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("api.xero.com", False),
        ("localhost.evil.example", False),
        ("192.168.0.1", False),
        ("", False),
        (None, False),
    ],
)
def test_only_loopback_is_this_machine(host: str | None, here: bool) -> None:
    assert is_this_machine(host) == here
