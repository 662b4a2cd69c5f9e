"""One request and one complete answer, with a server that sends exactly the given bytes."""

from __future__ import annotations

import gzip
import socket
import threading
from decimal import Decimal

import pytest

from singer_xero.api.errors import NotJson
from singer_xero.api.http.response_body import Broken
from singer_xero.api.http.transport import Answer, Transport

from .canned import Canned, http


def get(transport: Transport, server: Canned) -> Answer:
    return transport.exchange("GET", f"{server.url}/Invoices", call="GET Invoices")


def test_numbers_arrive_digit_for_digit(server: Canned, transport: Transport) -> None:
    server.answers = [
        http(b'{"a": 1.10, "b": 0.1234567890, "c": 12345678901234567890123, "d": 2, "e": 1e-7}')
    ]
    assert get(transport, server).json() == {
        "a": Decimal("1.10"),
        "b": Decimal("0.1234567890"),
        "c": 12345678901234567890123,
        "d": 2,
        "e": Decimal("1e-7"),
    }
    assert str(get(transport, server).json()["a"]) == "1.10"


def test_gzip_is_requested_and_the_compressed_bytes_are_counted(server: Canned, transport: Transport) -> None:
    body = b'{"Invoices": [' + b"1, " * 500 + b"1]}"
    packed = gzip.compress(body)
    server.answers = [http(packed, "Content-Encoding: gzip")]
    answer = get(transport, server)
    assert answer.content == body
    assert answer.received == len(packed)
    assert b"Accept-Encoding: gzip\r\n" in server.requests[0]
    assert b"User-Agent: singer-xero/test\r\n" in server.requests[0]


def test_a_connection_is_reused_for_the_second_call(server: Canned, transport: Transport) -> None:
    server.answers = [http(b"{}")]
    for _ in range(3):
        get(transport, server)
    assert (server.connected, len(server.requests)) == (1, 3)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (http(b'{"Inv', "Connection: close", length=100), "cut off"),
        (http(gzip.compress(b"{}" * 999)[:-9], "Content-Encoding: gzip"), "cut off: its gzip stream ends"),
        (http(b"not gzip at all", "Content-Encoding: gzip"), "can't be decompressed"),
        (
            http(b'10\r\n{"Invoices": [1,', "Transfer-Encoding: chunked", "Connection: close", length=-1),
            "cut off|was lost",
        ),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Le", "was lost|cut off|not JSON"),
        (b"Connection: close\r\n\r\n", "was lost"),
        (http(b"{}", "Content-Encoding: br"), "compressed as 'br'"),
    ],
    ids=["length", "gzip", "no-gzip", "chunked", "headers", "no-http", "unasked"],
)
def test_an_incomplete_answer_is_an_error(
    server: Canned, transport: Transport, answer: bytes, reason: str
) -> None:
    server.answers = [answer]
    with pytest.raises((Broken, NotJson), match=reason) as caught:
        got = get(transport, server)
        raise NotJson(got.json_fault() or "nothing wrong", sent=True)
    assert caught.value.sent
    assert "status.developer.xero.com" not in str(caught.value.advice)


def test_an_unreachable_host_is_named_and_nothing_was_sent(transport: Transport) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(Broken, match=f"no connection to {host}: Connection refused") as caught:
        transport.exchange("GET", f"http://{host}/x", call="GET x", params={"where": "secret"})
    assert not caught.value.sent
    assert "secret" not in str(caught.value)


def test_a_host_without_address_is_named(transport: Transport) -> None:
    with pytest.raises(Broken, match=r"no connection to api\.xero\.invalid: ") as caught:
        transport.exchange("GET", "https://api.xero.invalid/Invoices", call="GET Invoices")
    assert not caught.value.sent


@pytest.mark.parametrize("url", ["api.xero.com/x", "ftp://api.xero.com/x"])
def test_an_invalid_address_is_not_tried_again(transport: Transport, url: str) -> None:
    with pytest.raises(Broken) as caught:
        transport.exchange("GET", url, call="GET x")
    assert caught.value.hopeless
    assert not caught.value.sent


def test_a_request_without_an_answer_in_time_may_have_been_processed(server: Canned) -> None:
    server.answers = [b""]
    impatient = Transport("singer-xero/test", (5, 0.02))
    with pytest.raises(Broken, match=r"no answer from 127\.0\.0\.1:\d+ for 0\.02 s") as caught:
        get(impatient, server)
    assert caught.value.sent
    impatient.close()


def test_a_request_to_a_server_that_hangs_up_may_have_been_processed(
    server: Canned, transport: Transport
) -> None:
    server.answers = [b"Connection: close"]
    with pytest.raises(Broken, match="was lost") as caught:
        get(transport, server)
    assert caught.value.sent


@pytest.mark.parametrize("body", [b"", b"<a href=/elsewhere>Moved</a>"])
def test_a_redirect_is_an_answer_and_is_not_followed(
    server: Canned, transport: Transport, body: bytes
) -> None:
    server.answers = [http(body, f"Location: {server.url}/elsewhere", status="302 Found")]
    answer = get(transport, server)
    assert (answer.status, answer.content) == (302, body)
    assert len(server.requests) == 1


def test_a_transport_that_was_closed_connects_again(server: Canned, transport: Transport) -> None:
    server.answers = [http(b"{}")]
    get(transport, server)
    transport.close()
    assert get(transport, server).status == 200
    assert server.connected == 2


def test_each_host_has_its_own_connections(server: Canned, transport: Transport) -> None:
    """Also two ports of one machine."""
    with Canned() as other:
        threading.Thread(target=other.serve_forever, args=(0.01,), daemon=True).start()
        server.answers, other.answers = [http(b"1")], [http(b"2")]
        for _ in range(2):
            assert [get(transport, one).content for one in (server, other)] == [b"1", b"2"]
        assert (server.connected, other.connected) == (1, 1)
        other.shutdown()


def test_cookies_are_not_kept(server: Canned, transport: Transport) -> None:
    server.answers = [http(b"{}", "Set-Cookie: balancer=7; Path=/")]
    get(transport, server)
    get(transport, server)
    assert b"Cookie" not in server.requests[1]


def test_a_netrc_password_does_not_replace_the_token(
    server: Canned, transport: Transport, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password something\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.answers = [http(b"{}")]
    transport.exchange("GET", server.url, call="GET x")
    assert b"Authorization" not in server.requests[0]


@pytest.mark.parametrize(
    ("content", "kind", "fault"),
    [
        (b"<html>We'll be back</html>", "text/html; charset=utf-8", "not JSON but text/html; charset=utf-8"),
        (b'{"Invoices": [', "application/json", "broken JSON"),
        (b"", "", "not JSON but no content type"),
        (b'{"Invoices": []} trailing', "application/json", "broken JSON"),
    ],
)
def test_an_answer_that_is_not_json_is_described(content: bytes, kind: str, fault: str) -> None:
    answer = Answer(200, {"Content-Type": kind}, content, call="GET Invoices page 3")
    assert fault in (answer.json_fault() or "")
    with pytest.raises(NotJson, match="GET Invoices page 3: 200 the answer is not JSON"):
        answer.json()


def test_an_answer_with_content_length_zero_is_empty() -> None:
    for status in (204, 304):
        assert Answer(status, {}, b"").json_fault() is None
        assert Answer(status, {}, b"").json() == {}
