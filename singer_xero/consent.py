"""A user's consent, from the page at Xero back to here: by a redirect to this machine, or pasted by hand.

Xero sends the browser to the redirect address registered for the app, which for a program on a user's machine is
`http://localhost:PORT` (Xero takes http for `localhost` alone). `Waiting` listens there, and reads what is pasted into
the terminal at the same time, for a browser on another machine.
"""

from __future__ import annotations

import errno
import html
import os
import queue
import re
import secrets
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import requests
import urllib3.exceptions

from singer_xero.api.connection_faults import proxies_for
from singer_xero.api.errors import one_line
from singer_xero.config import ConfigurationProblem

if TYPE_CHECKING:
    from types import TracebackType

PORT = 8742
"""Where Xero's own command line listens, so that one registered address serves both."""

APP_PAGE = "developer.xero.com/app/manage"

_SCRIPTLESS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Connection": "close",
}


class NoConsent(ConfigurationProblem):
    """Consent did not come about; the text says why and what to do. `title` is for the page in the browser."""

    def __init__(self, title: str, text: str) -> None:
        super().__init__(text)
        self.title = title


@dataclass(frozen=True)
class Page:
    """A page for the user's browser; everything in it is text. `facts` are (name, detail)."""

    title: str
    text: str
    facts: tuple[tuple[str, str], ...] = ()
    good: bool = False
    status: int = 400

    def html(self) -> bytes:
        """The page, complete in itself."""
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

    A context manager. Port 0 takes a free one; `redirect_uri` then names it. An address that isn't on this machine is
    not listened at: what came back there can only be pasted. Raises NoConsent when the port is in use.
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
        """Wait for what comes back first: the code. NoConsent if it is a refusal, not ours, or doesn't come."""
        until = time.monotonic() + seconds
        try:
            params = self._answers.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            raise NoConsent(
                "Too late",
                f"No answer came from Xero within {_span(seconds)}. Run xero-login again; if Xero's page showed an "
                f"error: is {self.redirect_uri} among the app's redirect URIs at {APP_PAGE}?",
            ) from None
        return code_of(params, self.state)

    def show(self, page: Page) -> None:
        """Show the browser how it went, if it was a browser that brought the answer."""
        self._page.set_result(page)
        if self._first.locked():
            self._shown.wait(5)

    # --- the redirect

    def _listen(self, closing: ExitStack) -> None:
        address = urlsplit(self.redirect_uri)
        if address.hostname not in {"localhost", "127.0.0.1", "::1"} or address.scheme != "http":
            return
        port = 80 if address.port is None else address.port
        # Browsers take localhost for either of the two; what isn't there on this machine can't be asked.
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            try:
                server = _Server(family, (host, port), self)
            except OSError as error:
                if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                    why = "is in use" if error.errno == errno.EADDRINUSE else "may not be used by you"
                    raise NoConsent(
                        "Port",
                        f"Port {port} {why}, so that Xero's answer can't be received. End the program that listens "
                        f"there, or register another redirect URI (http://localhost:PORT) at {APP_PAGE} and name its "
                        "port with --port.",
                    ) from None
                continue
            closing.callback(server.server_close)
            closing.callback(server.shutdown)
            port = server.server_address[1]
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            self.listening = True
        if not self.listening:
            raise NoConsent("Port", f"Port {port} of this machine can't be listened at.")
        self.redirect_uri = address._replace(netloc=f"{address.hostname}:{port}").geturl()

    def received(self, target: str) -> Page:
        """What to show for a request that reached the redirect address."""
        address = urlsplit(target)
        params = dict(parse_qsl(address.query))
        if address.path.rstrip("/") != urlsplit(self.redirect_uri).path.rstrip("/") or not _is_answer(params):
            return Page(
                "Nothing here",
                "xero-login waits for Xero's answer. Go on in the page that it opened.",
                status=404,
            )
        if self._first.acquire(blocking=False):
            self._answers.put(params)
        return self._page.result()

    def sent(self) -> None:
        """The page has left."""
        if self._page.done():
            self._shown.set()

    # --- the terminal

    def _read(self, descriptor: int) -> None:
        # Read past sys.stdin, whose lock a thread that never ends would hold when the program does.
        text = b""
        while piece := _typed(descriptor):
            *lines, text = (text + piece).split(b"\n")
            for line in lines:
                pasted = line.decode("utf-8", "replace").strip()
                params = dict(parse_qsl(urlsplit(pasted).query or pasted.lstrip("?")))
                if _is_answer(params):
                    self._answers.put(params)
                elif pasted:
                    self.say("That holds no answer of Xero's: paste the whole address, from http to the end.")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    # On Windows it would let two programs have the same port.
    allow_reuse_address = os.name == "posix"

    def __init__(self, family: socket.AddressFamily, address: tuple[str, int], waiting: Waiting) -> None:
        self.address_family = family
        self.waiting = waiting
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    # Browsers open connections ahead and say nothing on them.
    timeout = 30

    def do_GET(self) -> None:
        """Answer the browser."""
        page = self.server.waiting.received(self.path)
        content = page.html()
        try:
            self.send_response(200 if page.good else page.status)
            for name, value in {**_SCRIPTLESS, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()
        except ConnectionError:
            self.close_connection = True
        self.server.waiting.sent()

    def log_message(self, *_: object) -> None:
        """Say nothing: the address holds the code."""


def code_of(params: Mapping[str, str], state: str) -> str:
    """The code in an answer of the consent page; NoConsent if there is none or `state` is another's."""
    error = params.get("error")
    ours = secrets.compare_digest(params.get("state", "").encode(), state.encode())
    if not ours and (not error or "state" in params):
        raise NoConsent(
            "Not the answer to this login",
            "The answer does not belong to this login (its state differs), so nothing was done with it. Run xero-login "
            "again, and use the page that it opens.",
        )
    if error == "access_denied":
        raise NoConsent(
            "Access was not allowed",
            "Consent was not given (access_denied), and nothing was changed. Run xero-login again and choose "
            "'Allow access'.",
        )
    if error == "invalid_scope":
        raise NoConsent(
            "A scope is not allowed", "Xero says invalid_scope: the app may not ask for one of the scopes."
        )
    if error:
        words = one_line(f"{error} {params.get('error_description', '')}".strip(), 200)
        raise NoConsent("Xero refused", f"Xero says {words}. Run xero-login again.")
    return params["code"]


def objection(url: str, user_agent: str) -> str | None:
    """What Xero's consent page has against an address before anybody signs in, in its own words; None if nothing.

    A scope, client id or redirect URI that isn't allowed ends on an error page at Xero, and never comes back here
    (Xero's guide to authorisation errors), so it is asked first. Whatever isn't clearly such a page is no objection.
    """
    try:
        answer = requests.get(
            url,
            headers={"User-Agent": user_agent},
            auth=lambda request: request,
            timeout=(5, 15),
            proxies=proxies_for(url),
        )
    except (OSError, urllib3.exceptions.HTTPError):  # requests' own errors are OSErrors
        return None
    text = one_line(html.unescape(re.sub(r"<[^>]*>", " ", answer.text)), 2_000)
    if answer.status_code < 400:
        return None
    found = re.search(r"Error:? *:? *(\w+(?:_\w+)+.*)", text, re.IGNORECASE)
    known = re.search(
        r"invalid_scope|invalid scope|unauthorized_client|invalid_request|invalid redirect",
        text,
        re.IGNORECASE,
    )
    return one_line(found[1] if found else text, 200) if known else None


def refused_scopes(scopes: Iterable[str], refuses: Callable[[tuple[str, ...]], bool]) -> tuple[str, ...]:
    """Which of several scopes are refused, found by halves: Xero doesn't say."""
    scopes = tuple(scopes)
    if not scopes or not refuses(scopes):
        return ()
    if len(scopes) == 1:
        return scopes
    middle = len(scopes) // 2
    return refused_scopes(scopes[:middle], refuses) + refused_scopes(scopes[middle:], refuses)


def _typed(descriptor: int) -> bytes:
    """What was typed; nothing once the terminal is gone."""
    try:
        return os.read(descriptor, 65_536)
    except OSError:
        return b""


def _is_answer(params: Mapping[str, str]) -> bool:
    return bool({"code", "error"} & params.keys())


def _span(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 120 else f"{seconds:g} seconds"
