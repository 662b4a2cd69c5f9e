"""A plain Xero client: waits, signs, refreshes, retries. Knows nothing of Singer.

`connect` makes a `XeroClient` from what a configuration holds; every request goes through it. What can go wrong stands
in `errors`, by what the caller should do about it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from singer_xero.api.client import Connection, XeroClient, connect
    from singer_xero.api.http.transport import Answer
    from singer_xero.api.limits import Usage

__all__ = ["Answer", "Connection", "Usage", "XeroClient", "connect"]

_PLACES = {
    "Answer": "http.transport",
    "Connection": "client",
    "Usage": "limits",
    "XeroClient": "client",
    "connect": "client",
}


def __getattr__(name: str) -> Any:
    # What makes no call, such as `--version` and `--discover`, needs no client either.
    if name in _PLACES:
        return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
