"""Reads a catalog: checks it, completes it, and resolves the replication that it chooses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from singer_xero.errors import InputProblem, suggested
from singer_xero.json_input import json_text, text_of
from singer_xero.objects import EVERY, NESTED_TABLES
from tap_xero.records.projection import Projection
from tap_xero.settings import Settings


def catalog_from(file: IO[str]) -> dict[str, Any]:
    """Read a catalog; raises `InputProblem` for anything else."""
    catalog = json_text(text_of(file, "catalog"), "catalog")
    streams = catalog.get("streams")
    if not isinstance(streams, list) or not all(
        isinstance(entry, dict) and isinstance(entry.get("tap_stream_id"), str) for entry in streams
    ):
        raise InputProblem(
            "The catalog has no list 'streams' with a tap_stream_id in each. Make one with --discover."
        )
    for entry in streams:
        metadata, schema = entry.get("metadata") or [], entry.get("schema") or {}
        if not isinstance(metadata, list) or not all(map(_is_metadata, metadata)):
            raise _mistaken(entry, "metadata is not a list of breadcrumbs with their metadata")
        if not isinstance(schema, dict) or not isinstance(schema.get("properties") or {}, dict):
            raise _mistaken(entry, "schema is not the JSON schema of an object")
    return catalog


def _is_metadata(one: Any) -> bool:
    return (
        isinstance(one, dict)
        and isinstance(one.get("breadcrumb", []), list)
        and isinstance(one.get("metadata", {}), dict)
    )


def _mistaken(entry: dict[str, Any], what: str) -> InputProblem:
    return InputProblem(
        f"The catalog, stream {entry['tap_stream_id']}: its {what}. Make a catalog with --discover."
    )


def fill_in(catalog: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Complete a short catalog: add key properties, and the key and cursor fields to each schema.

    An entry without fields gets all fields, and the entry of a deselected stream loses its schema, which nothing
    reads. `settings` say how fields are named. Returns a new catalog. Raises `InputProblem` if it selects an unknown
    stream, which the SDK would ignore.
    """
    streams = []
    for entry in catalog.get("streams", []):
        _check_name(entry, settings)
        xero, filled = EVERY.get(entry["tap_stream_id"]), dict(entry)
        if _root(entry).get("selected") is False:
            # The SDK spends a tenth of a short run on the schemas of streams that are not read.
            filled |= {
                "schema": {},
                "metadata": [one for one in entry["metadata"] if not one.get("breadcrumb")],
            }
        elif xero:
            shape = Projection(xero, settings)
            keys = ["tenant_id", *map(shape.named, xero.key)]
            filled["key_properties"] = entry.get("key_properties") or keys
            schema: dict[str, Any] = entry.get("schema") or {"type": "object"}
            given = schema.get("properties") or {}
            wanted = [*keys, *([shape.named(xero.cursor)] if xero.cursor else [])]
            missing = [name for name in wanted if name not in given]
            ours = shape.schema()["properties"] if missing else {}
            if not given:
                missing = list(ours)
            filled["schema"] = {**schema, "properties": {**{name: ours[name] for name in missing}, **given}}
        streams.append(filled)
    return {**catalog, "streams": streams}


def _check_name(entry: Mapping[str, Any], settings: Settings) -> None:
    name = entry["tap_stream_id"]
    if _root(entry).get("selected") is not True:
        return
    if name not in EVERY:
        meant = suggested(name, EVERY, "; tap-xero --discover lists the streams.")
        raise InputProblem(f"The catalog selects the stream {name}, which is unknown{meant}")
    if name in NESTED_TABLES and not settings.nested_tables:
        raise InputProblem(
            f"The catalog selects the stream {name}, which exists only with nested_tables: true. Set that, or "
            "deselect the stream."
        )


def _root(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of the stream itself."""
    return next((m.get("metadata", {}) for m in entry.get("metadata") or [] if not m.get("breadcrumb")), {})


def choose_replication(catalog: dict[str, Any]) -> dict[str, Any]:
    """Resolve the replication that a catalog chooses, for which there are four places.

    The stream's metadata takes precedence over the entry's own fields, which `--discover` fills in:
    `forced-replication-method`, then `replication-method`, then a `replication-key` alone, which means incremental.
    Returns a new catalog whose entries have the choice in their own fields.
    """
    streams = []
    for entry in catalog.get("streams", []):
        root = _root(entry)
        key = root.get("replication-key")
        method = (
            root.get("forced-replication-method") or root.get("replication-method") or (key and "INCREMENTAL")
        )
        chosen = dict(entry)
        if method:
            chosen["replication_method"] = str(method).upper()
            chosen["replication_key"] = key or entry.get("replication_key")
        streams.append(chosen)
    return {**catalog, "streams": streams}
