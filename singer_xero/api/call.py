"""One call, with all its tries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any
from urllib.parse import quote

from singer_xero.api.http.transport import Answer, read_json
from singer_xero.objects.apis import Api

JSON = "application/json"

_KEY_LASTS = 5 * 60.0


@dataclass
class Call:
    """One call, with all its tries.

    `path` is below the base of the API, or starts with a slash and is below the host. The name of the call has a short
    path if the API is the client's default one. `header` is what to send as Xero-Tenant-Id. `unsure_since` is when a
    write was first sent that may have been done. See `XeroClient.get` and `send` for the rest.
    """

    host: str
    verb: str
    path: str
    api: Api
    is_default: bool
    tenant_id: str | None
    header: str | None
    accept: str = JSON
    params: Mapping[str, Any] | None = None
    headers: Mapping[str, str] | None = None
    data: bytes | None = None
    key: str | None = None
    urgent: bool = False
    last: bool = False
    read: Callable[[Answer], Any] = read_json
    unsure_since: float | None = None

    @cached_property
    def full_path(self) -> str:
        """The path below the host."""
        return self.path if self.path.startswith("/") else f"{self.api.base}/{self.path}"

    @cached_property
    def url(self) -> str:
        """The address without its query."""
        return self.host + quote(self.full_path, safe="/")

    @cached_property
    def query(self) -> dict[str, str]:
        """The query parameters as they are sent."""
        return {name: _query(value) for name, value in (self.params or {}).items() if value is not None}

    @cached_property
    def name(self) -> str:
        """What messages call it, such as `GET Invoices page 3`."""
        place = "".join(f" {name} {self.query[name]}" for name in ("page", "offset") if name in self.query)
        return f"{self.verb} {self.path if self.is_default else self.full_path}{place}"

    @cached_property
    def sent_headers(self) -> dict[str, str]:
        """All headers except the signature."""
        tenant = {} if self.header is None else {"Xero-Tenant-Id": self.header}
        return {"Accept": self.accept, **(self.headers or {}), **tenant}

    @property
    def is_json(self) -> bool:
        """Whether the answer should be JSON."""
        return self.accept == JSON and self.verb != "DELETE"

    def unsure(self, started: float) -> None:
        """Note that a write was sent at that time and may have been done."""
        if self.verb != "GET" and self.unsure_since is None:
            self.unsure_since = started

    def too_late(self, at: float) -> bool:
        """Whether sending it at that time might repeat a write that was done."""
        if self.unsure_since is None:
            return False
        return not self.key or at - self.unsure_since >= _KEY_LASTS


def _query(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):  # or a datetime
        return value.isoformat()[:10]
    if isinstance(value, (list, tuple, set, frozenset)):
        return ",".join(_query(one) for one in value)
    return str(value)
