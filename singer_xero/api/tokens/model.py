"""The tokens of an app, and what a place that keeps them has to offer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from singer_xero.api.redaction import remember

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from contextlib import AbstractContextManager


@dataclass(frozen=True)
class Kept:
    """One app's tokens. Times are seconds since 1970 by the local clock.

    `previous_refresh_token` was used up at `rotated_at` and works 30 minutes longer. `seeds` are fingerprints of the
    refresh tokens from configurations that have been taken up before, so that only a newer one counts.
    """

    refresh_token: str = field(repr=False)
    access_token: str = field(default="", repr=False)
    expires_at: float = 0.0
    scope: str | None = None
    previous_refresh_token: str | None = field(default=None, repr=False)
    rotated_at: float = 0.0
    seeds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        remember(self.refresh_token, self.access_token, self.previous_refresh_token)


class Store(Protocol):
    """A place for tokens that outlasts a run and that processes share. What fails is a TokenStoreError."""

    @property
    def path(self) -> str | os.PathLike[str]:
        """How to name it to people."""

    def read(self, client_id: str) -> Kept | None:
        """The app's tokens, None if there are none."""

    def locked(self, client_id: str) -> AbstractContextManager[None]:
        """Hold the app's tokens for this process alone; read again inside, somebody may have refreshed meanwhile."""

    def successor(self, client_id: str) -> AbstractContextManager[Callable[[Kept | None], None]]:
        """Under the lock: gives `keep(kept)`, after which they are on the disk; `keep(None)` takes them out."""
