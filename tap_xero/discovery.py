"""All streams of the tap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_xero.details import DetailStream
from tap_xero.objects import DETAILS, OBJECTS, REPORTS, STREAMS
from tap_xero.reports import ReportStream
from tap_xero.streams import XeroStream, stream_of

if TYPE_CHECKING:
    from tap_xero.tap import TapXero


def all_streams(tap: TapXero) -> list[XeroStream]:
    """Make the streams of all objects, of what hangs on them, and of the reports."""
    return [stream_named(tap, name) for name in STREAMS]


def stream_named(tap: TapXero, name: str) -> XeroStream:
    """Make one of them; KeyError if there is none of that name."""
    if name in REPORTS:
        return ReportStream(tap, REPORTS[name])
    if name in DETAILS:
        return DetailStream(tap, DETAILS[name])
    return stream_of(tap, OBJECTS[name])
