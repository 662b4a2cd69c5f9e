"""Which scopes to ask for, and what each of them opens; all of it follows from the registry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from singer_xero.api.scope_advice import RESERVED
from singer_xero.objects import STREAMS, XeroObject

OFFLINE = "offline_access"
"""The scope without which there is no refresh token."""

ROWS: tuple[XeroObject, ...] = tuple(STREAMS.values())

BROAD = frozenset(scope for row in ROWS for scope in row.scopes.broad)
"""The scopes that only apps created before March 2026 have. Xero ends them in September 2027 (its scope guide)."""

_WRITING = frozenset(row.scopes.write for row in ROWS if row.scopes.write)


def read_scopes() -> tuple[str, ...]:
    """`offline_access` and the granular scopes that open every stream an ordinary app can read."""
    return _asked(row.scopes.read for row in ROWS)


def write_scopes() -> tuple[str, ...]:
    """The same, and the granular scopes to write what target-xero writes."""
    return _asked((*read_scopes(), *_WRITING))


def broad_scopes(*, write: bool = False) -> tuple[str, ...]:
    """The scopes for apps created before March 2026: broad ones, and granular ones where there is no broad one."""
    found: list[str] = []
    for row in ROWS:
        scopes = row.scopes.broad or (row.scopes.read, row.scopes.write)
        found += scopes if write else scopes[:1]
    return _asked(found)


def _asked(scopes: Iterable[str]) -> tuple[str, ...]:
    return OFFLINE, *sorted({*scopes} - RESERVED.keys() - {OFFLINE, ""})


@dataclass(frozen=True)
class Access:
    """What a token's scopes open: the streams; for each missing scope the streams it would open; scopes to write."""

    streams: tuple[str, ...]
    missing: dict[str, tuple[str, ...]]
    writing: tuple[str, ...]


def access(granted: Iterable[str]) -> Access:
    """Compare an access token's scopes with what the streams need."""
    granted = frozenset(granted)
    lacking: dict[str, tuple[str, ...]] = {"": ()}
    for row in ROWS:
        scope = row.scope_missing(granted) or ""
        lacking[scope] = (*lacking.get(scope, ()), row.name)
    writing = _WRITING | {scope for scope in BROAD if not scope.endswith(".read")}
    return Access(lacking.pop(""), lacking, tuple(sorted(granted & writing)))
