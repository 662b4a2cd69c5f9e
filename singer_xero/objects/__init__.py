"""What Xero has, as plain data: no requests, no Singer.

Tap, target, the tables of the README and the tests are all made from these rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from singer_xero.objects.accounting import OBJECTS
from singer_xero.objects.base import ANSWER_ONLY, Paging, XeroObject
from singer_xero.objects.children import CHILDREN, Child, Level
from singer_xero.objects.details import DETAILS, Detail
from singer_xero.objects.fields import Field, Part
from singer_xero.objects.references import left_out
from singer_xero.objects.reports import REPORTS, Report, Span
from singer_xero.objects.unread import NOT_READ

#: The rows of all streams but child streams by name: objects, what hangs on them, and reports as the amounts that
#: they are unfolded into.
STREAMS: Mapping[str, XeroObject] = MappingProxyType(
    {**OBJECTS, **DETAILS, **{report.name: report.amounts for report in REPORTS.values()}}
)

#: The same with the child streams.
EVERY: Mapping[str, XeroObject] = MappingProxyType({**STREAMS, **CHILDREN})

__all__ = [
    "ANSWER_ONLY",
    "CHILDREN",
    "DETAILS",
    "EVERY",
    "NOT_READ",
    "OBJECTS",
    "REPORTS",
    "STREAMS",
    "Child",
    "Detail",
    "Field",
    "Level",
    "Paging",
    "Part",
    "Report",
    "Span",
    "XeroObject",
    "left_out",
]
