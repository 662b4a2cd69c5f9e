"""The registry: what Xero has, as plain data. Tap, target, the tables of the docs and the tests are made from it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from singer_xero.objects.accounting import OBJECTS, ORGANISATION
from singer_xero.objects.apis import Api, DateForm
from singer_xero.objects.assets import ASSETS
from singer_xero.objects.base import ANSWER_ONLY, Paging, XeroObject
from singer_xero.objects.exclusions import EXCLUSIONS
from singer_xero.objects.fields import Component, Field
from singer_xero.objects.nested_tables import NESTED_TABLES, Level, NestedTable
from singer_xero.objects.references import left_out
from singer_xero.objects.reports import REPORTS, Report, Span
from singer_xero.objects.subresources import SUBRESOURCES, Subresource

#: The rows of all streams except nested tables, by name: objects, subresources and the amounts of reports.
STREAMS: Mapping[str, XeroObject] = MappingProxyType({**OBJECTS, **ASSETS, **SUBRESOURCES, **REPORTS})

#: The same with the nested tables.
EVERY: Mapping[str, XeroObject] = MappingProxyType({**STREAMS, **NESTED_TABLES})

__all__ = [
    "ANSWER_ONLY", "ASSETS", "EVERY", "EXCLUSIONS", "NESTED_TABLES", "OBJECTS", "ORGANISATION", "REPORTS",
    "STREAMS", "SUBRESOURCES", "Api", "Component", "DateForm", "Field", "Level", "NestedTable", "Paging",
    "Report", "Span", "Subresource", "XeroObject", "left_out",
]  # fmt: skip
