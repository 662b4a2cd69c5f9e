"""All streams of the tap."""

from __future__ import annotations

from singer_xero.objects import NESTED_TABLES, STREAMS, Report, Subresource
from tap_xero.run import Run
from tap_xero.sdk import SdkTap
from tap_xero.streams.nested_tables import NestedTableStream
from tap_xero.streams.reports import ReportStream
from tap_xero.streams.stream import XeroStream
from tap_xero.streams.subresources import SubresourceStream


def all_streams(tap: SdkTap, run: Run) -> list[XeroStream]:
    """Make the streams of all objects, subresources and reports, and with `nested_tables` those of nested tables."""
    return with_nested_tables(tap, run, [stream_named(tap, run, name) for name in STREAMS])


def with_nested_tables(tap: SdkTap, run: Run, streams: list[XeroStream]) -> list[XeroStream]:
    """Append the nested tables of these streams if the setting asks for them."""
    if not tap.config.get("nested_tables"):
        return streams
    by_name = {stream.name: stream for stream in streams}
    tables = [table for table in NESTED_TABLES.values() if table.of.name in by_name]
    return [*streams, *(NestedTableStream(tap, run, table, by_name[table.of.name]) for table in tables)]


def stream_named(tap: SdkTap, run: Run, name: str) -> XeroStream:
    """Make a stream; raises KeyError if none has that name."""
    row = STREAMS[name]
    if isinstance(row, Report):
        return ReportStream(tap, run, row)
    return (SubresourceStream if isinstance(row, Subresource) else XeroStream)(tap, run, row)
