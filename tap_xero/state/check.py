"""Checks a state that is given to the tap."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from singer_xero.api.dates import moment_of
from singer_xero.errors import InputProblem
from singer_xero.objects import EVERY, NestedTable, Paging


def check_state(state: dict[str, Any]) -> None:
    """Raise `InputProblem` if a state is invalid. Parts that the tap does not use are ignored."""
    for where, problem in _problems(state):
        raise InputProblem(
            f"The state{where}: {problem}. Use the last STATE that a run printed, or omit the state to read everything."
        )


def organisations_in(state: Mapping[str, Any]) -> set[str]:
    """The ids of the organisations with bookmarks in a state."""
    return {
        str(part["context"]["tenant_id"])
        for kept in state.get("bookmarks", {}).values()
        for part in kept.get("partitions", [])
        if part["context"].get("tenant_id")
    }


def _problems(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    bookmarks = state.get("bookmarks", {})
    if not isinstance(bookmarks, dict):
        yield "", "'bookmarks' is not a JSON object"
        return
    for stream, kept in bookmarks.items():
        where = f", stream {stream}"
        if not isinstance(kept, dict):
            yield where, "its bookmark is not a JSON object"
            continue
        parts = kept.get("partitions", [])
        if not isinstance(parts, list) or not all(
            isinstance(part, dict) and isinstance(part.get("context"), dict) for part in parts
        ):
            yield where, "'partitions' is not a list of objects with a context"
            continue
        contexts = [json.dumps(part["context"], sort_keys=True) for part in parts]
        times = Counter(contexts)
        for part, context in zip(parts, contexts, strict=True):
            if times[context] > 1:
                yield where, f"it has {part['context']} twice"
            value = part.get("replication_key_value")
            if value is not None and stream in EVERY and not is_bookmark(stream, value):
                yield where, f"{value!r} is not a bookmark"


def is_bookmark(stream: str, value: Any) -> bool:
    """Whether a value can be the bookmark of a stream: a time, or a number for journals."""
    xero = EVERY[stream]
    if (xero.of if isinstance(xero, NestedTable) else xero).paging is Paging.OFFSET:
        return isinstance(value, int) or (isinstance(value, str) and value.isdigit())
    if not isinstance(value, str):
        return False
    try:
        moment_of(value)
    except ValueError:
        return False
    return True
