"""States that this tap did not write: it unwraps them, and takes over the bookmarks of other taps.

* A STATE line as a target prints it, ``{"type": "STATE", "value": …}``, or several lines, of which the last one counts.
* The output of `meltano state get`, ``{"singer_state": …}``.
* singer-io's tap-xero has one bookmark for each stream, under the name of its field:
  ``{"bookmarks": {"contacts": {"UpdatedDateUTC": …}, "journals": {"JournalNumber": 2000}}}``.
* Taps of the Meltano SDK that read one organisation have no partitions:
  ``{"bookmarks": {"contacts": {"replication_key": "UpdatedDateUTC", "replication_key_value": …}}}``.

The last two do not name an organisation, so they are taken over only if a run reads one organisation.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from singer_xero.api.dates import instant
from singer_xero.json_input import json_text
from singer_xero.objects import EVERY
from singer_xero.organisations import Organisation
from tap_xero.records.naming import snake_case
from tap_xero.state.check import is_bookmark

logger = logging.getLogger("tap-xero")

WRAPPERS = ("singer_state", "value", "completed")
"""The fields in which a state may be wrapped."""

OURS = frozenset({
    "partitions", "replication_key", "replication_key_value", "replication_key_signpost",
    "starting_replication_value", "progress_markers",
})  # fmt: skip
"""The fields of an entry in the states of SDK taps."""


def state_from(text: str) -> dict[str, Any] | None:
    """Read the text of a state file: None if it is empty; raises `InputProblem` if it is not a state.

    Of several lines, each with a JSON object, the last one counts.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return None
    if len(lines) > 1 and all(map(_is_object, lines)):
        text = lines[-1]
    return unwrapped(json_text(text, "state file"))


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def unwrapped(state: dict[str, Any]) -> dict[str, Any]:
    """The state without its wrappers."""
    while "bookmarks" not in state:
        inner = next((state[name] for name in WRAPPERS if isinstance(state.get(name), dict)), None)
        if inner is None:
            return state
        state = inner
    return state


@dataclass
class ForeignBookmarks:
    """The bookmarks in a state of another tap, by stream; and the ignored parts of a state, with reasons."""

    found: dict[str, Any] = field(default_factory=dict)
    ignored: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> ForeignBookmarks:
        """Find them in a valid state."""
        foreign = cls()
        if state and "bookmarks" not in state:
            foreign.ignored["its fields " + ", ".join(sorted(state))] = "there are no bookmarks"
        for name, kept in state.get("bookmarks", {}).items():
            foreign._look_at(name, kept)
        return foreign

    def _look_at(self, name: str, kept: Mapping[str, Any]) -> None:
        xero = EVERY.get(name)
        if xero is None:
            self.ignored[name] = "there is no such stream"
            return
        for part in kept.get("partitions", ()):
            if part["context"].keys() != {"tenant_id"}:
                self.ignored[f"{name} ({', '.join(sorted(part['context']))})"] = "it names no tenant_id"
        value = kept.get("replication_key_value", kept.get(xero.cursor) if xero.cursor else None)
        odd = kept.keys() - OURS - {xero.cursor, "offset"}
        if value is None:
            if odd:
                self.ignored[f"{name} ({', '.join(sorted(odd))})"] = f"its bookmark would be {xero.cursor}"
        elif not xero.can_be_incremental or kept.get("replication_key", xero.cursor) not in {
            xero.cursor,
            snake_case(str(xero.cursor)),
        }:
            self.ignored[name] = "Xero can't be asked for changes by that field"
        elif not is_bookmark(name, value):
            self.ignored[name] = f"{value!r} is not a bookmark"
        else:
            self.found[name] = instant(value) if isinstance(value, str) else value

    def take_over(
        self,
        streams: Mapping[str, Any],
        organisations: list[Organisation],
        state: Mapping[str, Any],
    ) -> None:
        """Put them into `state` as bookmarks of the run's only organisation, and log which ones."""
        if self.found and len(organisations) != 1:
            why = "they do not name an organisation; take them over in a run with one organisation in tenant_ids"
            self.ignored[", ".join(self.found)] = why
            self.found = {}
        taken = [
            name
            for name in self.found
            if name in streams and self._continue(streams[name], organisations[0], state)
        ]
        if taken:
            logger.info(
                "The state is from another tap: %s of %s continue from its bookmarks.",
                ", ".join(name for name in taken if name not in self.ignored) or "no streams",
                organisations[0].name,
            )
        if self.ignored:
            logger.warning(
                "These parts of the state are ignored: %s.",
                "; ".join(f"{what}: {why}" for what, why in self.ignored.items()),
            )

    def _continue(self, stream: Any, organisation: Organisation, state: Mapping[str, Any]) -> bool:
        """Set a stream's bookmark in `state`; False if it has its own one already."""
        kept = state["bookmarks"][stream.name]
        for name in kept.keys() - {"partitions"}:
            del kept[name]
        part = stream.get_context_state({"tenant_id": organisation.tenant_id})
        if part.get("replication_key_value") is not None:
            self.ignored[stream.name] = "the state also has this tap's own bookmark"
            return False
        part |= {"replication_key": stream.cursor, "replication_key_value": self.found[stream.name]}
        if stream.selected and stream.replication_method != "INCREMENTAL":
            self.ignored[stream.name] = "it is a full table; choose INCREMENTAL to continue from there"
        return True
