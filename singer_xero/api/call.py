"""One call over all its tries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from singer_xero.api.transport import Answer

_KEY_LASTS = 5 * 60.0


@dataclass
class Call:
    """One call over all its tries. `unsure_since`: when a write was first sent that may have been done."""

    name: str
    verb: str
    url: str
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

    def unsure(self, started: float) -> None:
        """Note that a write was sent at that time and may have been done."""
        if self.verb != "GET" and self.unsure_since is None:
            self.unsure_since = started

    def too_late(self, at: float) -> bool:
        """Whether sending it (again) at that time might do the same write twice."""
        if self.unsure_since is None:
            return False
        return not self.key or at - self.unsure_since >= _KEY_LASTS
