"""Faults that hit the next matching calls, and switches for behaviour of Xero that is uncertain."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, fields
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

HOLD_LIMIT = 60.0
"""Seconds after which a held call is released, so that a failed test does not hang."""

KINDS = {
    "rate_limit": "429 with X-Rate-Limit-Problem ``problem``; ``retry_after`` seconds, null for no such header",
    "status": "any ``status`` with ``body`` (or ``hex``, for bytes that are no text), ``content_type`` and ``headers``",
    "server_error": "500 with Xero's body; nothing is written",
    "server_error_after": "500 with Xero's body, although the call was carried out",
    "unavailable": "503, the organisation is offline",
    "token_expired": "401 TokenExpired although the token is good",
    "html": "200 with an HTML page instead of JSON",
    "cut_off": "the body ends early: Content-Length is larger than what is sent",
    "reset_before": "the connection drops before the call is answered",
    "reset_after": "the call is carried out, then the connection drops without an answer",
    "slow": "the answer takes ``seconds`` of real time",
    "hold": "the answer waits until the fault is released",
    "edit": "a record changes after the answer: ``tenant``, ``resource``, ``id`` or ``position``, ``patch``",
}


@dataclass
class Fault:
    """One fault. ``path`` is a pattern of the address after ``/api.xro/2.0/`` (``Invoices``, ``Invoices/*``,
    ``*``), or of the whole address elsewhere (``connect/token``). ``query`` holds parameters that must have
    these values. The first ``after`` matching calls pass; then ``count`` calls are hit (0: all). The other
    fields belong to a kind, see ``KINDS``.
    """

    kind: str
    method: str = "*"
    path: str = "*"
    tenant: str = ""
    query: dict[str, str] = field(default_factory=dict)
    after: int = 0
    count: int = 1
    problem: str = "minute"
    retry_after: float | str | None = None
    status: int = 500
    body: str = ""
    hex: str = ""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    resource: str = ""
    id: str = ""
    position: int = 0
    patch: dict[str, Any] = field(default_factory=dict)
    number: int = 0
    seen: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        self.released = threading.Event()

    def matches(self, method: str, path: str, tenant_id: str, query: dict[str, str]) -> bool:
        """Whether the fault applies to a call."""
        return (
            fnmatchcase(method, self.method)
            and fnmatchcase(path, self.path)
            and self.tenant in {"", tenant_id}
            and all(query.get(name) == value for name, value in self.query.items())
        )


class Faults:
    """The faults that are set; safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._next = 1
        self.faults: dict[int, Fault] = {}

    def add(self, wanted: dict[str, Any]) -> Fault:
        """Set a fault. Raises ``ValueError`` for a kind or an option that does not exist."""
        known = {one.name for one in fields(Fault)} - {"number", "seen", "hits"}
        if unknown := set(wanted) - known:
            raise ValueError(
                f"Unknown options of a fault: {', '.join(sorted(unknown))}. Valid options: {', '.join(sorted(known))}"
            )
        if wanted.get("kind") not in KINDS:
            raise ValueError(f"Unknown fault {wanted.get('kind')!r}. Valid kinds: {', '.join(KINDS)}")
        exact: dict[str, Any] = {
            name: float(value) if isinstance(value, Decimal) else value for name, value in wanted.items()
        }
        with self._lock:
            fault = Fault(**{**exact, "number": self._next})
            self.faults[self._next] = fault
            self._next += 1
            return fault

    def clear(self) -> None:
        """Remove all faults and release held calls."""
        with self._lock:
            for fault in self.faults.values():
                fault.released.set()
            self.faults.clear()

    def release(self, number: int | None = None) -> None:
        """Release the calls of a ``hold`` and remove it; all holds without a number."""
        with self._lock:
            held = [one for one in self.faults.values() if one.kind == "hold"]
            for fault in [one for one in held if number in {None, one.number}]:
                fault.released.set()
                del self.faults[fault.number]

    def hit(self, method: str, path: str, tenant_id: str, query: dict[str, str]) -> list[Fault]:
        """The faults that hit this call; each of them counts it."""
        struck = []
        with self._lock:
            for fault in self.faults.values():
                if fault.matches(method, path, tenant_id, query):
                    fault.seen += 1
                    if fault.seen > fault.after and (not fault.count or fault.hits < fault.count):
                        fault.hits += 1
                        struck.append(fault)
            self._lock.notify_all()
        return struck

    def wait(self, number: int, hits: int) -> bool:
        """Wait until a fault has hit this many calls; false if that takes longer than ``HOLD_LIMIT``."""
        with self._lock:
            return self._lock.wait_for(
                lambda: number in self.faults and self.faults[number].hits >= hits, HOLD_LIMIT
            )


@dataclass
class Switches:
    """Behaviour of Xero that sources disagree about; the defaults are what most of them say.

    ``since_inclusive``: If-Modified-Since includes the second it names. ``nothing_new_304``: 304 with an empty
    body instead of 200 with an empty list. ``scrambled_order``: lists come in random order.
    ``manual_journals_order``: ``order`` makes ManualJournals answer everything un-paged (singer-io/tap-xero PR
    104). ``custom_connections``: /connections answers for custom connections. ``custom_needs_tenant``: they
    must send xero-tenant-id too. ``approve_at_once``: the consent page approves every request.
    ``write_scope_403``: a write without its scope is refused with 403 instead of 401.
    """

    since_inclusive: bool = True
    nothing_new_304: bool = False
    scrambled_order: bool = False
    manual_journals_order: bool = True
    custom_connections: bool = True
    custom_needs_tenant: bool = False
    approve_at_once: bool = False
    write_scope_403: bool = False

    def change(self, wanted: dict[str, Any]) -> None:
        """Set switches by name. Raises ``ValueError`` for one that does not exist."""
        known = [one.name for one in fields(self)]
        for name, value in wanted.items():
            if name not in known:
                raise ValueError(f"Unknown switch {name!r}. Valid switches: {', '.join(known)}")
            setattr(self, name, bool(value))
