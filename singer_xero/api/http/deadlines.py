"""A deadline for a whole exchange, from connecting to the last byte of the answer.

The timeouts of sockets limit the time between two bytes, so a server that sends one byte a second never exceeds them.
Here a thread watches the exchanges and shuts down the connection of one that takes too long, which wakes the thread
that waits for it in a system call.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

# Seconds between attempts to shut down a late exchange, which may not have a connection yet.
_AGAIN = 0.2

_of_this_thread = threading.local()


class Exchange:
    """One exchange with a deadline; `expired` says whether the deadline ended it."""

    def __init__(self, until: float) -> None:
        self.until = until
        self.expired = False
        self._connection: HTTPConnection | None = None
        self._socket: socket.socket | None = None

    def uses(self, connection: HTTPConnection) -> None:
        """Note the connection and its socket, which outlives the connection's own reference to it."""
        self._connection = connection
        self._socket = connection.sock or self._socket

    def end(self) -> None:
        """Shut down its connection, so that no thread waits for it any longer."""
        self.expired = True
        connected = self._socket or (self._connection and self._connection.sock)
        if connected:
            with suppress(OSError):  # it is not connected yet, or no longer
                # SSLSocket's own method takes the TLS object away from the thread that reads.
                socket.socket.shutdown(connected, socket.SHUT_RDWR)


class Watchdog:
    """Watches the exchanges of a transport, in a thread that starts with the first one and ends with `close`."""

    def __init__(self) -> None:
        self._pending: set[Exchange] = set()
        self._changed = threading.Condition()
        self._next = float("inf")
        self._thread: threading.Thread | None = None
        self._is_closed = False

    @contextmanager
    def watch(self, seconds: float) -> Iterator[Exchange]:
        """Limit the exchange of this thread to so many seconds while the context is open."""
        exchange = Exchange(time.monotonic() + seconds)
        with self._changed:
            self._pending.add(exchange)
            if self._thread is None and not self._is_closed:
                self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self._thread.start()
            elif exchange.until < self._next:
                self._changed.notify()
        _of_this_thread.exchange = exchange
        try:
            yield exchange
        finally:
            _of_this_thread.exchange = None
            # The connection may belong to another exchange from now on.
            with self._changed:
                self._pending.discard(exchange)

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def _run(self) -> None:
        with self._changed:
            while not self._is_closed:
                now = time.monotonic()
                late = [exchange for exchange in self._pending if exchange.until <= now]
                for exchange in late:
                    exchange.end()
                    exchange.until = now + _AGAIN
                self._next = min((exchange.until for exchange in self._pending), default=float("inf"))
                self._changed.wait(None if self._next == float("inf") else self._next - now)


class Adapter(HTTPAdapter):
    """requests' adapter, with connections that register with the exchange of their thread."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pool of direct connections."""
        self._pools: dict[tuple[str, str], Any] = {}
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> Any:
        """Return the pool of a host. It is looked up once, because a session's settings for a host do not change."""
        address = urlsplit(request.url or "")
        place = (address.scheme, address.netloc)
        pool = self._pools.get(place)
        if pool is None:
            pool = self._pools[place] = super().get_connection_with_tls_context(request, *args, **kwargs)
        return pool

    def build_response(self, request: requests.PreparedRequest, answer: Any) -> requests.Response:  # noqa: ARG002
        """Make a response with what the transport reads of it."""
        response = requests.Response()
        response.status_code, response.raw = answer.status, answer
        response.headers = CaseInsensitiveDict(answer.headers)
        return response

    def close(self) -> None:
        """Close the connections, which end with the last reference to their pools."""
        self._pools.clear()
        super().close()

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> PoolManager:
        """Make the pool of connections through a proxy."""
        manager: PoolManager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class _Watched(HTTPConnection):
    def connect(self) -> None:
        _register(self)
        super().connect()
        _register(self)

    def request(self, *args: Any, **kwargs: Any) -> None:
        _register(self)
        super().request(*args, **kwargs)


class _WatchedHTTPS(_Watched, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPS


_POOLS = {"http": _Pool, "https": _HTTPSPool}


def _register(connection: HTTPConnection) -> None:
    exchange: Exchange | None = getattr(_of_this_thread, "exchange", None)
    if exchange is not None:
        exchange.uses(connection)
