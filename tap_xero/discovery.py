"""All streams of the tap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_xero.objects import CHILDREN, DETAILS, OBJECTS, REPORTS, STREAMS
from tap_xero.children import ChildStream
from tap_xero.details import DetailStream
from tap_xero.reports import ReportStream
from tap_xero.streams import XeroStream, stream_of

if TYPE_CHECKING:
    from tap_xero.tap import TapXero


def all_streams(tap: TapXero) -> list[XeroStream]:
    """Make the streams of all objects, of what hangs on them and of the reports; with `child_streams` of lists too."""
    return with_children(tap, [stream_named(tap, name) for name in STREAMS])


def with_children(tap: TapXero, streams: list[XeroStream]) -> list[XeroStream]:
    """Put the child streams of some streams behind them, where the setting asks for them."""
    if not tap.config.get("child_streams"):
        return streams
    by_name = {stream.name: stream for stream in streams}
    children = [child for child in CHILDREN.values() if child.of.name in by_name]
    return [*streams, *(ChildStream(tap, child, by_name[child.of.name]) for child in children)]


def stream_named(tap: TapXero, name: str) -> XeroStream:
    """Make one of them; KeyError if there is none of that name."""
    if name in REPORTS:
        return ReportStream(tap, REPORTS[name])
    if name in DETAILS:
        return DetailStream(tap, DETAILS[name])
    return stream_of(tap, OBJECTS[name])
