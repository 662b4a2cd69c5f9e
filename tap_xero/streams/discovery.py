"""All streams of the tap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_xero.objects import NESTED_TABLES, OBJECTS, REPORTS, STREAMS, SUBRESOURCES
from tap_xero.streams.lists import XeroStream, stream_of
from tap_xero.streams.nested_tables import NestedTableStream
from tap_xero.streams.reports import ReportStream
from tap_xero.streams.subresources import SubresourceStream

if TYPE_CHECKING:
    from tap_xero.tap import TapXero


def all_streams(tap: TapXero) -> list[XeroStream]:
    """Make the streams of all objects, of what hangs on them and of the reports; with `nested_tables` of lists too."""
    return with_children(tap, [stream_named(tap, name) for name in STREAMS])


def with_children(tap: TapXero, streams: list[XeroStream]) -> list[XeroStream]:
    """Put the nested tables of some streams behind them, where the setting asks for them."""
    if not tap.config.get("nested_tables"):
        return streams
    by_name = {stream.name: stream for stream in streams}
    children = [child for child in NESTED_TABLES.values() if child.of.name in by_name]
    return [*streams, *(NestedTableStream(tap, child, by_name[child.of.name]) for child in children)]


def stream_named(tap: TapXero, name: str) -> XeroStream:
    """Make one of them; KeyError if there is none of that name."""
    if name in REPORTS:
        return ReportStream(tap, REPORTS[name])
    if name in SUBRESOURCES:
        return SubresourceStream(tap, SUBRESOURCES[name])
    return stream_of(tap, OBJECTS[name])
