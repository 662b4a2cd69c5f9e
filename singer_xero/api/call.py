"""One call, with all its tries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from singer_xero.api.http.transport import Answer, read_through

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from singer_xero.objects.apis import Api, ErrorShape

JSON = "application/json"

_KEY_LASTS = 5 * 60.0


@dataclass
class Call:
    """One call, with all its tries.

    `path` is below the host, `errors` says how to read an error answer, and `unsure_since` is when a write was first
    sent that may have been done.
    """

    name: str
    verb: str
    url: str
    path: str
    errors: ErrorShape
    tenant_id: str | None
    query: dict[str, str]
    headers: dict[str, str]
    data: bytes | None
    key: str | None
    is_json: bool
    urgent: bool
    last: bool
    read: Callable[[Answer], Any]
    unsure_since: float | None = None

    @classmethod
    def to(
        cls,
        url: str,
        verb: str,
        path: str,
        *,
        api: Api,
        is_default: bool,
        tenant_id: str | None,
        header: str | None,
        accept: str,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        data: bytes | None = None,
        key: str | None = None,
        urgent: bool = False,
        last: bool = False,
        read: Callable[[Answer], Any] | None = None,
    ) -> Call:
        """A call to a host's address; `header` is what to send as Xero-Tenant-Id. See `XeroClient.get` for the rest.

        Its name has a short path if the API is the client's default one.
        """
        query = {name: _query(value) for name, value in (params or {}).items() if value is not None}
        sent = {"Accept": accept, **(headers or {})}
        if header is not None:
            sent["Xero-Tenant-Id"] = header
        full = path if path.startswith("/") else f"{api.base}/{path}"
        return cls(
            name=_named(verb, path if is_default else full, query),
            verb=verb,
            url=url + quote(full, safe="/"),
            path=full,
            errors=api.errors,
            tenant_id=tenant_id,
            query=query,
            headers=sent,
            data=data,
            key=key,
            is_json=accept == JSON and verb != "DELETE",
            urgent=urgent,
            last=last,
            read=read or read_through,
        )

    def unsure(self, started: float) -> None:
        """Note that a write was sent at that time and may have been done."""
        if self.verb != "GET" and self.unsure_since is None:
            self.unsure_since = started

    def too_late(self, at: float) -> bool:
        """Whether sending it at that time might repeat a write that was done."""
        if self.unsure_since is None:
            return False
        return not self.key or at - self.unsure_since >= _KEY_LASTS


def _named(verb: str, path: str, query: Mapping[str, str]) -> str:
    place = "".join(f" {name} {query[name]}" for name in ("page", "offset") if name in query)
    return f"{verb} {path}{place}"


def _query(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple, set, frozenset)):
        return ",".join(_query(one) for one in value)
    return str(value)
