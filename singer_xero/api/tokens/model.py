"""The tokens of an app, and the interface of a store for them."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from singer_xero.api.redaction import remember


@dataclass(frozen=True)
class Kept:
    """One app's tokens. Times are seconds since 1970 by the local clock.

    `previous_refresh_token` was used at `rotated_at` and works for 30 minutes more. `seeds` are fingerprints of the
    configured refresh tokens that were used before, so that only a new one is used.
    """

    refresh_token: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    expires_at: float = 0.0
    scope: str | None = None
    previous_refresh_token: str | None = field(default=None, repr=False)
    rotated_at: float = 0.0
    seeds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        remember(self.refresh_token, self.access_token, self.previous_refresh_token)


class Store(Protocol):
    """A persistent place for tokens that processes share. Failures are TokenStoreErrors."""

    @property
    def path(self) -> str | os.PathLike[str]:
        """Its name in messages."""

    def read(self, client_id: str) -> Kept | None:
        """The app's tokens; None if there are none."""

    def locked(self, client_id: str) -> AbstractContextManager[None]:
        """Lock the app's tokens for this process. Read them again inside: another process may have refreshed them."""

    def successor(self, client_id: str) -> AbstractContextManager[Callable[[Kept | None], None]]:
        """Under the lock: yields `keep(kept)`, which stores tokens durably; `keep(None)` deletes them."""
