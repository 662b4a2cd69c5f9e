"""Which scopes to ask for, and what each of them opens; all worked out from the registry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from singer_xero.api.scope_advice import RESERVED
from singer_xero.objects import STREAMS, XeroObject

OFFLINE = "offline_access"
"""The scope without which there is no refresh token."""

# Xero's table of scopes has no scope to write budgets, and target-xero writes no assets.
_READ_ONLY = {"accounting.budgets", "assets"}


_BROAD = ("accounting.transactions", "accounting.reports")

ROWS: tuple[XeroObject, ...] = tuple(STREAMS.values())


def read_scopes() -> tuple[str, ...]:
    """`offline_access` and the granular scopes that open every stream an ordinary app can read."""
    return _asked(row.scopes[0] for row in ROWS)


def write_scopes() -> tuple[str, ...]:
    """The same, and the granular scopes to write what Xero lets be written."""
    return _asked((*(row.scopes[0] for row in ROWS), *_WRITING))


def broad_scopes(*, write: bool = False) -> tuple[str, ...]:
    """The few broad scopes for apps of before March 2026. Xero ends them in September 2027 (its scope guide)."""
    found = []
    for row in ROWS:
        broad = next((family for family in _BROAD if f"{family}.read" in row.scopes), None)
        found.append(f"{broad}.read" if broad else row.scopes[0])
        write_scope = broad or row.scopes[0].removesuffix(".read")
        if write and write_scope in row.scopes and write_scope not in _READ_ONLY:
            found.append(write_scope)
    return _asked(found)


def _asked(scopes: Iterable[str]) -> tuple[str, ...]:
    return OFFLINE, *sorted({scope for scope in scopes if scope not in RESERVED})


_WRITING = frozenset(
    family
    for row in ROWS
    if (family := row.scopes[0].removesuffix(".read")) in row.scopes and family not in _READ_ONLY
)


@dataclass(frozen=True)
class Access:
    """What a token's scopes open: the streams; for each missing scope the streams it would open; scopes to write."""

    streams: tuple[str, ...]
    missing: dict[str, tuple[str, ...]]
    writing: tuple[str, ...]


def access(granted: Iterable[str]) -> Access:
    """Compare an access token's scopes with what the streams need."""
    granted = frozenset(granted)
    missing: dict[str, tuple[str, ...]] = {}
    for row in ROWS:
        scope = row.scope_missing(granted)
        if scope is not None:
            missing[scope] = (*missing.get(scope, ()), row.name)
    lacking = {name for names in missing.values() for name in names}
    return Access(
        streams=tuple(row.name for row in ROWS if row.name not in lacking),
        missing=missing,
        writing=tuple(sorted(granted & (_WRITING | {_BROAD[0], "paymentservices"}))),
    )
