"""The sandbox as a running server on loopback."""

from __future__ import annotations

import contextlib
import importlib
import io
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from socket import SHUT_RDWR, create_server, socket
from typing import TYPE_CHECKING, Any

from .admin_client import AdminClient
from .state.clock import DEMO_DAY, Clock

if TYPE_CHECKING:
    from types import TracebackType

    from .service import Xero


COMPANIES: dict[str, tuple[str, ...]] = {
    "demo": ("demo_company", "second_company", "empty_company"),
    "second": ("second_company",),
    "empty": ("empty_company",),
}
"""The values of ``company`` and their organisations; the first one is connected to the custom connection."""


class Sandbox:
    """A small Xero over HTTP on 127.0.0.1.

    ``data``: a folder or a SQLite file that stores everything for a later start; by default, memory. ``company``:
    ``demo`` (three organisations), ``second`` or ``empty``. ``invoices``: instead, one large organisation with
    that many invoices. ``port``: 0 for a free one. ``now``: the start of the clock (aware), by default the
    demo's day. ``limits``: False switches the call limits off from the start.

    ``admin_secret``: the secret in the address of the admin API, by default a new one.

    Use it as a context manager, or call ``start()`` and ``stop()``. ``url`` is its origin, ``admin`` a client
    of its admin API, which other processes reach at ``admin_url``.
    """

    def __init__(
        self,
        data: Path | str | None = None,
        company: str = "demo",
        invoices: int | None = None,
        port: int = 0,
        now: datetime | None = None,
        limits: bool = True,
        admin_secret: str | None = None,
    ) -> None:
        if invoices is None and company not in COMPANIES:
            raise ValueError(f"Unknown company {company!r}. Valid companies: {', '.join(COMPANIES)}")
        self._data = None if data is None else Path(data)
        self._company, self._invoices = company, invoices
        self._port, self._now, self._limits = port, now, limits
        self._admin_secret = admin_secret or secrets.token_urlsafe(18)
        self._server: Any = None
        self._thread: threading.Thread | None = None
        self._xero: Xero | None = None
        self.url = ""

    @property
    def admin(self) -> AdminClient:
        """A client of the admin API."""
        return AdminClient(self.admin_url)

    @property
    def admin_url(self) -> str:
        """The address of the admin API: whoever has it can change and read everything."""
        return f"{self.url}/sandbox/{self._admin_secret}"

    def start(self) -> Sandbox:
        """Build or load the data and listen; does nothing if the sandbox runs. Raises ``OSError`` if the port
        is taken."""
        if self._server is not None:
            return self
        from werkzeug.serving import make_server

        from .http.app import Application
        from .service import Xero
        from .state.store import Store

        clock = Clock(self._now or DEMO_DAY)
        store = Store(clock, _file(self._data))
        xero = Xero(store, clock)
        xero.populate = self.populate
        xero.admin_secret = self._admin_secret
        xero.limited = xero.limits.allowance.enabled = self._limits
        try:
            if not xero.load():
                xero.start_afresh()
            with create_server(("127.0.0.1", self._port)) as listening:
                port, number = listening.getsockname()[1], listening.fileno()
                self._server = make_server(
                    "127.0.0.1", port, Application(xero), True, request_handler=_handler(), fd=number
                )
        except BaseException:
            store.close()
            raise
        self._server.daemon_threads = True
        self._server.open_connections = {}
        self._xero = xero
        self.url = xero.url = f"http://127.0.0.1:{port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.02},
            name="xero-sandbox",
            daemon=True,
        )
        self._thread.start()
        return self

    def populate(self, now: datetime) -> Iterable[tuple[str, str, Mapping[str, Any]]]:
        """The organisations to begin with, as (tenant id, name, records by resource)."""
        if self._invoices is not None:
            made = [_companies().large_company(now, invoices=self._invoices)]
        else:
            made = [_company(name, now) for name in COMPANIES[self._company]]
        return [(one.tenant_id, one.name, one.records) for one in made]

    def stop(self) -> None:
        """Close every connection, stop listening and close the file."""
        if self._server is None or self._xero is None or self._thread is None:
            return
        self._xero.faults.clear()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        for thread, connection in list(self._server.open_connections.items()):
            with contextlib.suppress(OSError):
                connection.shutdown(SHUT_RDWR)
            thread.join(5)
        self._xero.store.close()
        self._server = self._xero = self._thread = None

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _companies() -> Any:
    """The module of the companies, imported late so that importing the package stays fast."""
    return importlib.import_module(f"{__package__}.demo.companies")


def _company(name: str, now: datetime) -> Any:
    if name == "empty_company":
        return _companies().empty_company(now)
    _companies().check_after_history(now)
    return _with_history(name)


@lru_cache
def _with_history(name: str) -> Any:
    """A demo company, built once per process: records are never changed in place, so sandboxes can share it."""
    return getattr(_companies(), name)(_companies().HISTORY_ENDS)


def _file(data: Path | None) -> Path | None:
    if data is None:
        return None
    return (
        data if data.suffix in {".sqlite", ".sqlite3", ".db"} or data.is_file() else data / "sandbox.sqlite"
    )


def _handler() -> type:
    """The class of the request handler, made here so that importing the package stays fast."""
    from werkzeug.serving import WSGIRequestHandler

    class Handler(WSGIRequestHandler):
        """HTTP/1.1 with keep-alive: werkzeug's own handler closes each connection and waits for stray bytes."""

        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = 65_536
        server: Any
        connection: socket

        def setup(self) -> None:
            super().setup()
            self.server.open_connections[threading.current_thread()] = self.connection

        def finish(self) -> None:
            self.server.open_connections.pop(threading.current_thread(), None)
            with contextlib.suppress(OSError):
                super().finish()

        def run_wsgi(self) -> None:
            environ = self.make_environ()
            if self.headers.get("Expect", "").lower() == "100-continue":
                self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            if environ.get("wsgi.input_terminated"):
                body = environ["wsgi.input"].read()
            else:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
            environ["wsgi.input_terminated"] = True
            try:
                for piece in self.server.app(environ, self._start):
                    self.wfile.write(piece)
                self.wfile.flush()
            except ConnectionError:
                self.close_connection = True

        def _start(
            self, status: str, headers: list[tuple[str, str]], _error: Any = None
        ) -> Callable[..., Any]:
            code, _, reason = status.partition(" ")
            self.send_response(int(code), reason)
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()
            return self.wfile.write

        def log(self, *_args: Any) -> None:
            """Log nothing: the admin API has the list of calls."""

    return Handler
