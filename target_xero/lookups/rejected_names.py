"""Why records were rejected in this run, by the names under which other records may refer to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from target_xero.content.compare import folded
from target_xero.content.spelling import singular

#: A reason that is part of another reason is shortened to this length.
_LONGEST_REASON = 300


class RejectedNames:
    """The records that were rejected in this run, by object, field and value."""

    def __init__(self) -> None:
        self._reasons: dict[tuple[str, str, str], str] = {}

    def add(self, object_name: str, names: Mapping[str, str], reason: str) -> None:
        """Remember why a record was rejected, by the values of its names ("" is its key in the source)."""
        for field, value in names.items():
            self._reasons.setdefault((object_name, field, folded(value)), reason)

    def why(self, object_name: str, tried: Iterable[tuple[str, str]]) -> str:
        """Return that a record with one of these (field, value) was rejected, and why; empty if none was."""
        for field, value in tried if self._reasons else ():
            reason = self._reasons.get((object_name, field, folded(value)))
            if reason:
                kind = singular(object_name).replace("_", " ")
                named = f"{kind} {value}" if field else kind
                more = "…" if len(reason) > _LONGEST_REASON else ""
                return f"its {named} was rejected: {reason[:_LONGEST_REASON].rstrip()}{more}"
        return ""
