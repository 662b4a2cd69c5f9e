"""Receive a user's consent from Xero's page: by a redirect to this machine, or pasted by hand.

Xero sends the browser to the redirect address registered for the app, which for a program on a user's machine is
`http://localhost:PORT` (Xero accepts http for `localhost` only). `Waiting` listens there and, for a browser on another
machine, also reads what is pasted into the terminal.

Other pages in the browser and other users of the machine can reach that address, too. A request without the state of
this login, or for another host, changes nothing and gets an empty 404.
"""

from __future__ import annotations

import errno
import html
import ipaddress
import os
import queue
import re
import secrets
import select
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urljoin, urlsplit

from singer_xero.api.errors import one_line
from singer_xero.api.response_body import Bounds, Broken
from singer_xero.api.transport import Transport
from singer_xero.errors import ConfigurationProblem

if TYPE_CHECKING:
    from types import TracebackType

PORT = 8742
"""The port of Xero's own command line, so that one registered redirect URI serves both."""

APP_PAGE = "developer.xero.com/app/manage"

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_REDIRECTS = {301, 302, 303, 307, 308}
# Lines that arrive within this time are one paste.
_PASTE_SECONDS = 0.2
_LONGEST_PASTE = 16_384

_SCRIPTLESS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Connection": "close",
}


class NoConsent(ConfigurationProblem):
    """There is no consent; the text says why and what to do. `title` is for the page in the browser."""

    def __init__(self, title: str, text: str) -> None:
        super().__init__(text)
        self.title = title


@dataclass(frozen=True)
class Page:
    """A page for the user's browser; all its values are plain text. `facts` are (name, detail)."""

    title: str
    text: str
    facts: tuple[tuple[str, str], ...] = ()
    good: bool = False
    status: int = 400

    def html(self) -> bytes:
        """The whole page, without external resources."""
        rows = "".join(
            f"<li><strong>{html.escape(name)}</strong><code>{html.escape(detail)}</code></li>"
            for name, detail in self.facts
        )
        template = Template(files("singer_xero").joinpath("consent.html").read_text(encoding="utf-8"))
        return template.substitute(
            title=html.escape(self.title),
            text=re.sub(r"`(.*?)`", r"<code>\1</code>", html.escape(self.text)),
            facts=f"<ul>{rows}</ul>" if rows else "",
            tone="good" if self.good else "bad",
            mark="M7 12.5l3.4 3.4L17.2 9" if self.good else "M12 7v6.2M12 16.6v.1",
        ).encode()


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

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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
                if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                    why = (
                        "is in use"
                        if error.errno == errno.EADDRINUSE
                        else "needs permissions that you do not have"
                    )
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
        whole = _is_answer(params) and "://" not in params.get("code", "")
        return whole and secrets.compare_digest(given, self.state.encode())

    # --- the terminal

    def _read(self, descriptor: int) -> None:
        before = ""
        for paste in _pastes(descriptor):
            tries = [_params_of(text) for text in (paste, before + paste, *paste.splitlines())]
            ours = next((params for params in tries if self._is_ours(params)), None)
            if ours:
                self._answers.put(ours)
                return
            if paste.strip():
                self.say(_why_not(tries))
            before = (before + paste)[-_LONGEST_PASTE:]


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
        headers, content, status = dict(_SCRIPTLESS), b"", 404
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


def code_of(params: Mapping[str, str]) -> str:
    """The code in an answer of the consent page; raises NoConsent if there is none."""
    error = params.get("error")
    if error == "access_denied":
        raise NoConsent(
            "Access was not allowed",
            "Consent was not given (access_denied), so nothing changed. Run xero-login again and choose "
            "'Allow access'.",
        )
    if error == "invalid_scope":
        raise NoConsent(
            "A scope is not allowed", "Xero says invalid_scope: the app may not request one of the scopes."
        )
    if error:
        words = one_line(f"{error} {params.get('error_description', '')}".strip(), 200)
        raise NoConsent("Xero refused", f"Xero says {words}. Run xero-login again.")
    return params["code"]


def user_of(visitor: tuple[str, int], tables: Path = Path("/proc/net")) -> int | None:
    """The id of the user whose program owns this end of a local connection; None where the system doesn't tell."""
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


def objection(url: str, user_agent: str) -> str | None:
    """The error of Xero's consent page for an address, in its own words; None if there is none.

    Xero shows an error page for a scope, client id or redirect URI that isn't allowed and never redirects back (its
    guide to authorisation errors), so the page is asked before the user signs in. Any other page counts as no error.
    """
    transport = Transport(user_agent, (5, 15), Bounds(seconds=30, megabytes=10))
    try:
        for _ in range(5):
            answer = transport.exchange("GET", url, call="the consent page")
            place = answer.headers.get("Location")
            if answer.status not in _REDIRECTS or not place:
                break
            url = urljoin(url, place)
    except (Broken, ValueError):
        return None
    finally:
        transport.close()
    if answer.status < 400:
        return None
    text = answer.content.decode("utf-8", "replace")
    text = one_line(html.unescape(re.sub(r"<[^>]*>", " ", text)), 2_000)
    found = re.search(r"Error:? *:? *(\w+(?:_\w+)+.*)", text, re.IGNORECASE)
    known = re.search(
        r"invalid_scope|invalid scope|unauthorized_client|invalid_request|invalid redirect",
        text,
        re.IGNORECASE,
    )
    return one_line(found[1] if found else text, 200) if known else None


def refused_scopes(scopes: Iterable[str], refuses: Callable[[tuple[str, ...]], bool]) -> tuple[str, ...]:
    """Which of the scopes are refused, found by bisection, since Xero doesn't say."""
    scopes = tuple(scopes)
    if not scopes or not refuses(scopes):
        return ()
    if len(scopes) == 1:
        return scopes
    middle = len(scopes) // 2
    return refused_scopes(scopes[:middle], refuses) + refused_scopes(scopes[middle:], refuses)


def _pastes(descriptor: int) -> Iterator[str]:
    """What is typed or pasted, up to Enter; several lines that arrive together are one paste."""
    # Not by sys.stdin: this thread never ends and would hold its lock when the program exits.
    text = b""
    for piece in iter(partial(_typed, descriptor), b""):
        text = (text + piece)[-_LONGEST_PASTE:]
        if text.endswith((b"\n", b"\r")) and not _more(descriptor):
            yield text.decode("utf-8", "replace")
            text = b""
    yield text.decode("utf-8", "replace")


def _typed(descriptor: int) -> bytes:
    """What was typed; empty once the terminal is closed."""
    try:
        return os.read(descriptor, 65_536)
    except OSError:
        return b""


def _more(descriptor: int) -> bool:
    """Whether more input follows immediately."""
    try:
        return bool(select.select([descriptor], [], [], _PASTE_SECONDS)[0])
    except (OSError, ValueError):  # on Windows, select accepts sockets only
        return False


def _params_of(text: str) -> dict[str, str]:
    """The parameters of a pasted address, which may be quoted, span several lines or contain shell escapes."""
    address = re.sub(r"[\s\\]", "", text).strip("'\"<>`\u2018\u2019\u201c\u201d").replace("&amp;", "&")
    try:
        return dict(parse_qsl(urlsplit(address).query or address.lstrip("?")))
    except ValueError:
        return {}


def _why_not(tries: Iterable[Mapping[str, str]]) -> str:
    """Why a paste is not an answer to this login, and what to do."""
    answers = [params for params in tries if _is_answer(params)]
    if any("state" in params for params in answers):
        return (
            "That is not the answer to this login (its state differs), so it was ignored. Paste the address that the "
            "page above led to."
        )
    if answers:
        return "That address is incomplete: its state is missing. Paste all of it, from http to the end."
    return "That contains no answer from Xero. Paste the whole address, from http to the end."


def _is_answer(params: Mapping[str, str]) -> bool:
    return bool({"code", "error"} & params.keys())


def _span(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 120 else f"{seconds:g} seconds"
