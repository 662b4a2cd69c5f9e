"""Receive a user's consent from Xero's page: by a redirect to this machine, or pasted by hand.

Xero sends the browser to the redirect address registered for the app, which for a program on a user's machine is
`http://localhost:PORT` (Xero accepts http for `localhost` only). `Waiting` listens there and, for a browser on another
machine, also reads what is pasted into the terminal.

Other pages in the browser and other users of the machine can reach that address, too. A request without the state of
this login, or for another host, changes nothing and gets an empty 404.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import queue
import secrets
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from singer_xero.login.answer import APP_PAGE, NoConsent, code_of, is_answer
from singer_xero.login.page import SCRIPTLESS, Page
from singer_xero.login.pasting import LONGEST_PASTE, params_of, pastes, why_not

PORT = 8742
"""The port of Xero's own command line, so that one registered redirect URI serves both."""

_UNUSABLE = {errno.EADDRINUSE: "is in use", errno.EACCES: "needs permissions that you do not have"}
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


@dataclass
class Waiting:
    """Listens at `redirect_uri` and, if `pasted` is a file descriptor, reads addresses from it.

    A context manager. Port 0 takes a free port; `redirect_uri` then names it. If the address is not on this machine,
    nothing listens, and the answer can only be pasted. Raises NoConsent if the port is in use. Only an answer with
    `state` counts.
    """

    redirect_uri: str
    pasted: int | None = None
    say: Callable[[str], None] = print
    state: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    def __post_init__(self) -> None:
        self._answers: queue.Queue[dict[str, str]] = queue.Queue()
        self._page: Future[Page] = Future()
        self._first = threading.Lock()
        self._shown = threading.Event()
        self._closing = ExitStack()
        self._hosts: set[str] = set()
        self._local = ""
        self._opening: tuple[str, str] | None = None
        self.listening = False

    def __enter__(self) -> Waiting:
        with ExitStack() as closing:
            self._listen(closing)
            self._closing = closing.pop_all()
        if self.pasted is not None:
            threading.Thread(target=self._read, args=(self.pasted,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def answer(self, seconds: float) -> str:
        """Wait for the answer and return its code. Raises NoConsent for a refusal or after `seconds`."""
        until = time.monotonic() + seconds
        try:
            params = self._answers.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            raise NoConsent(
                "Too late",
                f"No answer came from Xero within {_span(seconds)}. Run xero-login again. If Xero's page showed an "
                f"error, check that {self.redirect_uri} is among the app's redirect URIs at {APP_PAGE}.",
            ) from None
        return code_of(params)

    def show(self, page: Page) -> None:
        """Show the outcome in the browser, if the answer came from a browser."""
        self._page.set_result(page)
        if self._first.locked():
            self._shown.wait(5)

    def page_that_opens(self, url: str) -> str:
        """The address of a local page that redirects the browser to `url`, once.

        A browser gets its address as an argument, which every user of the machine can read; `url` contains the state.
        """
        if not self._local:
            self._serve(self._closing, socket.AF_INET, "127.0.0.1", 0)
        path = f"/open/{secrets.token_urlsafe(24)}"
        self._opening = (path, url)
        return f"http://{self._local}{path}"

    # --- the redirect

    def _listen(self, closing: ExitStack) -> None:
        address = urlsplit(self.redirect_uri)
        if address.hostname not in {"localhost", "127.0.0.1", "::1"} or address.scheme != "http":
            return
        port = 80 if address.port is None else address.port
        # Browsers resolve localhost to either of the two; a machine may lack one of them.
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            try:
                port = self._serve(closing, family, host, port)
            except OSError as error:
                if why := _UNUSABLE.get(error.errno or 0):
                    raise NoConsent(
                        "Port",
                        f"Port {port} {why}, so Xero's answer can't be received. End the program that listens "
                        f"there, or register another redirect URI (http://localhost:PORT) at {APP_PAGE} and pass its "
                        "port with --port.",
                    ) from None
                continue
            self.listening = True
        if not self.listening:
            raise NoConsent("Port", f"This machine can't listen on port {port}.")
        self.redirect_uri = address._replace(netloc=f"{address.hostname}:{port}").geturl()

    def _serve(self, closing: ExitStack, family: socket.AddressFamily, host: str, port: int) -> int:
        server = _Server(family, (host, port), self)
        closing.callback(server.server_close)
        closing.callback(server.shutdown)
        port = int(server.server_address[1])
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        self._local = self._local or f"{'[::1]' if family == socket.AF_INET6 else host}:{port}"
        self._hosts |= {f"{name}:{port}" for name in _LOOPBACK} | ({*_LOOPBACK} if port == 80 else set())
        return port

    def received(self, target: str, host: str, visitor: tuple[str, int]) -> Page | str | None:
        """The response to a request for `host`: a page, an address to redirect to, or None for an empty 404."""
        if host.lower() not in self._hosts:
            return None  # DNS rebinding: another site's name that resolves to this machine
        address = urlsplit(target)
        if self._opening and secrets.compare_digest(target.encode(), self._opening[0].encode()):
            if user_of(visitor) not in {None, 0, _this_user()}:
                return None
            (_, url), self._opening = self._opening, None
            return url
        params = dict(parse_qsl(address.query))
        elsewhere = address.path.rstrip("/") != urlsplit(self.redirect_uri).path.rstrip("/")
        if elsewhere or not self.listening or not self._is_ours(params):
            return None
        if self._first.acquire(blocking=False):
            self._answers.put(params)
        return self._page.result()

    def sent(self) -> None:
        """Note that the page was sent."""
        if self._page.done():
            self._shown.set()

    def _is_ours(self, params: Mapping[str, str]) -> bool:
        """Whether this is an answer to this login: nobody else knows its state."""
        given = params.get("state", "").encode()
        # A code that contains an address comes from two pastes in one line.
        whole = is_answer(params) and "://" not in params.get("code", "")
        return whole and secrets.compare_digest(given, self.state.encode())

    # --- the terminal

    def _read(self, descriptor: int) -> None:
        before = ""
        for paste in pastes(descriptor):
            tries = [params_of(text) for text in (paste, before + paste, *paste.splitlines())]
            ours = next((params for params in tries if self._is_ours(params)), None)
            if ours:
                self._answers.put(ours)
                return
            if paste.strip():
                self.say(why_not(tries))
            before = (before + paste)[-LONGEST_PASTE:]


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    # On Windows it would let two programs share the port.
    allow_reuse_address = os.name == "posix"

    def __init__(self, family: socket.AddressFamily, address: tuple[str, int], waiting: Waiting) -> None:
        self.address_family = family
        self.waiting = waiting
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    # Browsers open connections in advance and send nothing on them.
    timeout = 30

    def do_GET(self) -> None:
        """Answer the browser."""
        waiting = self.server.waiting
        host, port = self.client_address[:2]
        found = waiting.received(self.path, self.headers.get("Host", ""), (host, port))
        headers, content, status = dict(SCRIPTLESS), b"", 404
        if isinstance(found, Page):
            content, status = found.html(), 200 if found.good else found.status
        elif found:
            headers["Location"], status = found, 302
        try:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()
        except ConnectionError:
            self.close_connection = True
        if isinstance(found, Page):
            waiting.sent()

    def version_string(self) -> str:
        """Do not say which program listens here."""
        return "-"

    def log_message(self, *_: object) -> None:
        """Log nothing: the address contains the code."""


def user_of(visitor: tuple[str, int], tables: Path = Path("/proc/net")) -> int | None:
    """The id of the user whose program owns this end of a local connection; None if the system does not say."""
    host, port = visitor
    address = ipaddress.ip_address(host.partition("%")[0])
    # An IPv6 socket can connect to an IPv4 address.
    mapped = ipaddress.ip_address(f"::ffff:{address}") if address.version == 4 else address
    for name, each in (("tcp", address), ("tcp6", mapped)):
        # The kernel writes addresses as 32-bit words in the machine's byte order.
        words = (
            int.from_bytes(each.packed[at : at + 4], sys.byteorder) for at in range(0, len(each.packed), 4)
        )
        wanted = f"{''.join(f'{word:08X}' for word in words)}:{port:04X}"
        with suppress(OSError):
            for line in (tables / name).read_text(encoding="ascii").splitlines()[1:]:
                _, local, _, _, _, _, _, user, *_ = line.split()
                if local == wanted:
                    return int(user)
    return None


def _this_user() -> int | None:
    return os.getuid() if hasattr(os, "getuid") else None


def _span(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 120 else f"{seconds:g} seconds"
