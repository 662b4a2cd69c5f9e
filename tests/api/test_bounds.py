"""The bounds of one exchange, with servers that are slow, send much or cannot be trusted."""

from __future__ import annotations

import gzip
import importlib
import shutil
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from singer_xero.api.errors import InsecureAddress
from singer_xero.api.http import deflate
from singer_xero.api.http.response_body import Bounds, Broken, Late
from singer_xero.api.http.transport import Answer, Transport, require_https

from .canned import Canned, http


def get(transport: Transport, server: Canned) -> Answer:
    return transport.exchange("GET", f"{server.url}/Invoices", call="GET Invoices")


class Slow(socketserver.ThreadingTCPServer):
    """Sends `at_once` on each connection, and then a byte of `rest` at a time while the client stays."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, at_once: bytes, rest: bytes, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Slow)
        self.at_once, self.rest, self.context = at_once, rest, context
        self.connected = 0


class _Slow(socketserver.BaseRequestHandler):
    server: Slow

    def handle(self) -> None:
        self.server.connected += 1
        try:
            if self.server.context:
                self.request = self.server.context.wrap_socket(self.request, server_side=True)
            self.request.sendall(self.server.at_once)
            for number in range(1_000_000):
                time.sleep(0.01)
                self.request.sendall(self.server.rest[number % len(self.server.rest) :][:1])
        except OSError:
            pass
        finally:
            self.request.close()


HEAD = b"HTTP/1.1 200 OK\r\n"
SLOW = {
    "the body": (HEAD + b"Content-Length: 999999\r\n\r\n", b" "),
    "a body that ends with the connection": (HEAD + b"Connection: close\r\n\r\n", b" "),
    "a chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffff\r\n", b" "),
    "the length of a chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "the status": (b"", b"HTTP/1.1 "),
    "a header": (HEAD + b"X: ", b"x"),
    "many headers": (HEAD, b"X:\r\n"),
}


@pytest.fixture
def slow() -> Iterator[Callable[..., Slow]]:
    with ExitStack() as closing:

        def start(*given: Any) -> Slow:
            server = closing.enter_context(Slow(*given))
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            closing.callback(server.shutdown)
            return server

        yield start


@pytest.mark.parametrize(("at_once", "rest"), SLOW.values(), ids=SLOW)
def test_a_slow_answer_is_ended_by_the_deadline(
    slow: Callable[..., Slow], at_once: bytes, rest: bytes
) -> None:
    server = slow(at_once, rest)
    transport = Transport("singer-xero/test", (5, 5), Bounds(seconds=0.3))
    began = time.monotonic()
    with pytest.raises(Late, match=r"no complete answer from 127\.0\.0\.1:\d+ within 0\.3 s") as caught:
        transport.exchange("GET", f"http://127.0.0.1:{server.server_address[1]}/x", call="GET x")
    assert time.monotonic() - began < 5
    assert caught.value.sent
    assert "request_timeout" in str(caught.value.failure("GET x"))
    transport.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a certificate for 127.0.0.1."""
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("openssl is not on PATH, which makes the certificate")
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key", "-out", folder / "certificate"],
        check=True, capture_output=True,
    )  # fmt: skip
    (folder / "both").write_bytes((folder / "key").read_bytes() + (folder / "certificate").read_bytes())
    return folder / "both"


@pytest.mark.parametrize("part", ["the body", "a body that ends with the connection", "a header"])
def test_the_deadline_applies_to_tls(
    slow: Callable[..., Slow], certificate: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    server = slow(*SLOW[part], context)
    transport = Transport("singer-xero/test", (5, 5), Bounds(seconds=2))  # the handshake must be over before
    with pytest.raises(Late):
        transport.exchange("GET", f"https://127.0.0.1:{server.server_address[1]}/x", call="GET x")
    assert server.connected == 1
    transport.close()


def test_a_slow_handshake_is_ended_by_a_timeout(slow: Callable[..., Slow]) -> None:
    server = slow(b"", b"\x16\x03\x03\x00\xff")
    transport = Transport("singer-xero/test", (0.3, 0.3), Bounds(seconds=5))
    with pytest.raises(Broken):
        transport.exchange("GET", f"https://127.0.0.1:{server.server_address[1]}/x", call="GET x")
    transport.close()


def test_the_deadline_applies_to_the_answer_of_a_proxy(
    slow: Callable[..., Slow], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = slow(*SLOW["the status"])
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.server_address[1]}")
    transport = Transport("singer-xero/test", (5, 5), Bounds(seconds=0.3))
    with pytest.raises(Late):
        transport.exchange("GET", "https://api.xero.invalid/x", call="GET x")
    assert server.connected == 1
    transport.close()


def test_an_upload_that_is_not_read_is_ended_by_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        transport = Transport("singer-xero/test", (5, 5), Bounds(seconds=0.3))
        with pytest.raises(Late):
            transport.exchange(
                "PUT", f"http://127.0.0.1:{deaf.getsockname()[1]}/x", call="PUT x", data=b"x" * 50_000_000
            )
        transport.close()


def test_a_deadline_does_not_affect_other_threads_and_later_exchanges(
    slow: Callable[..., Slow], server: Canned
) -> None:
    held = slow(HEAD + b"Content-Length: 999999\r\n\r\n", b" ")
    transport = Transport("singer-xero/test", (5, 5), Bounds(seconds=0.4))
    server.answers = [http(b"{}")]
    ended: list[BaseException] = []

    def late() -> None:
        try:
            transport.exchange("GET", f"http://127.0.0.1:{held.server_address[1]}/x", call="GET x")
        except Broken as broken:
            ended.append(broken)

    threads = [threading.Thread(target=late) for _ in range(3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert get(transport, server).content == b"{}"
    assert [type(each) for each in ended] == [Late] * 3
    assert get(transport, server).content == b"{}"
    assert server.connected == 1
    transport.close()


def bomb(megabytes: int, of: bytes = b" ", before: bytes = b"", after: bytes = b"") -> bytes:
    """This number of megabytes, compressed."""
    packer = zlib.compressobj(1, wbits=31)
    piece = of * (1_000_000 // len(of))
    packed = [
        packer.compress(before),
        *(packer.compress(piece) for _ in range(megabytes)),
        packer.compress(after),
    ]
    return b"".join([*packed, packer.flush()])


@pytest.mark.parametrize("chunked", [False, True])
def test_a_compressed_answer_that_becomes_too_large_is_refused(server: Canned, chunked: bool) -> None:
    packed = bomb(30)
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(packed), packed) if chunked else packed
    how = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(packed)}"
    server.answers = [http(body, "Content-Encoding: gzip", how, length=-1)]
    transport = Transport("singer-xero/test", (5, 5), Bounds(megabytes=20))
    with pytest.raises(
        Broken, match=r"the answer from 127\.0\.0\.1:\d+ takes more than 20 MB of memory"
    ) as caught:
        get(transport, server)
    assert (caught.value.sent, caught.value.hopeless) == (True, True)
    assert "max_response_mb" in str(caught.value.failure("GET x"))
    transport.close()


def test_an_uncompressed_answer_is_counted_as_well(server: Canned) -> None:
    server.answers = [http(b" " * 3_000_000, "Connection: close", length=-1)]
    transport = Transport("singer-xero/test", (5, 5), Bounds(megabytes=2))
    with pytest.raises(Broken, match="takes more than 2 MB"):
        get(transport, server)
    transport.close()


def test_the_values_of_an_answer_are_counted_before_it_is_decoded(server: Canned) -> None:
    server.answers = [http(bomb(3, b"{},", b'{"Invoices":[', b"{}]}"), "Content-Encoding: gzip")]
    with_room = Transport("singer-xero/test", (5, 5), Bounds(megabytes=500))
    assert len(get(with_room, server).content) > 3_000_000
    with_room.close()
    transport = Transport("singer-xero/test", (5, 5), Bounds(megabytes=300))
    with pytest.raises(Broken, match="takes more than 300 MB"):
        get(transport, server)
    transport.close()


@pytest.fixture(params=["isal.isal_zlib", "zlib"])
def unpacking(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the two libraries that decompress."""
    monkeypatch.setattr(deflate, "_chosen", importlib.import_module(request.param))


def test_answers_are_decompressed_by_the_faster_library_if_it_is_installed() -> None:
    assert deflate._chosen.__name__ == "isal.isal_zlib"


@pytest.mark.usefixtures("unpacking")
@pytest.mark.parametrize("damage", [lambda packed: packed[:-9], lambda packed: packed[:40] + b"?" * 40])
def test_a_damaged_answer_is_never_mistaken_for_a_complete_one(
    server: Canned, damage: Callable[[bytes], bytes]
) -> None:
    content = b"".join(b"%d," % (number * 7919) for number in range(1000))
    server.answers = [http(damage(gzip.compress(content)), "Content-Encoding: gzip")]
    transport = Transport("singer-xero/test", (5, 5))
    with pytest.raises(Broken, match=r"cut off|can't be decompressed"):
        get(transport, server)
    transport.close()


@pytest.mark.usefixtures("unpacking")
def test_an_answer_decompressed_in_pieces_is_the_original(server: Canned, transport: Transport) -> None:
    for size in (0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20):
        content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        server.answers = [http(gzip.compress(content), "Content-Encoding: gzip")]
        assert get(transport, server).content == content
        server.answers = [http(gzip.compress(b"\0" * size), "Content-Encoding: gzip")]
        assert get(transport, server).content == b"\0" * size


MEMORY = """
import re, resource, sys
from pathlib import Path
from singer_xero.api.answers.error_body import words_of
from singer_xero.objects.apis import DEFAULT_API
from singer_xero.api.http.response_body import Broken
from singer_xero.api.http.transport import Transport, read_through
import tap_xero.tap
transport = Transport("singer-xero/test", (60, 60))
for path in sys.argv[2:]:
    try:
        answer = transport.exchange("GET", sys.argv[1] + path, call="GET x")
        print(len(answer.content), read_through(answer), words_of(answer.content, DEFAULT_API.errors))
        del answer
    except Broken as broken:
        print("refused")
transport.close()
status = Path("/proc/self/status")
if status.exists():  # on Linux ru_maxrss includes the process that started this one
    print(int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read_text()).group(1)) * 1024)
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_no_answer_takes_more_than_600_mb(server: Canned) -> None:
    server.answers = [
        http(packed, "Content-Encoding: gzip", "Content-Type: application/json")
        for packed in (
            bomb(600),
            bomb(500, before=b"[", after=b"]"),
            bomb(40, b"[]"),
            bomb(40, b"0,", b"["),
        )
    ]
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, server.url, "/1", "/2", "/3", "/4"],
        capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    *told, most = done.stdout.splitlines()
    assert told == ["refused", "500000002 None [", "refused", "refused"]
    assert int(most) < 600_000_000


# --- plain http


@pytest.mark.parametrize(
    "url",
    ["http://api.xero.com", "HTTP://api.xero.com", " http://10.0.0.1:8080", "http://localhost.example.com",
     "http://xero.localhost", "http://0.0.0.0",
     "http://127.0.0.1@evil.example", "http://[::ffff:10.0.0.1]"],
)  # fmt: skip
def test_plain_http_to_another_machine_is_refused(url: str) -> None:
    with pytest.raises(InsecureAddress, match=r"api_url is .* plain http .* allow_insecure_http"):
        require_https("api_url", url)
    require_https("api_url", url, allowed=True)


@pytest.mark.parametrize(
    "url",
    ["https://api.xero.com", "http://localhost:1", "http://127.0.0.1:1", "http://127.9.9.9", "http://[::1]:1",
     "http://LOCALHOST"],
)  # fmt: skip
def test_plain_http_to_this_machine_is_allowed(url: str) -> None:
    require_https("api_url", url)
