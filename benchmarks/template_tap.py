"""A tap as the template and documentation of the Meltano SDK suggest, with the SDK's classes and defaults.

    python template_tap.py --config config.json

`post_process` converts dates by walking through each record, like the taps for Xero do.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.pagination import PageNumberPaginator

XERO_DATE = re.compile(r"^/Date\((-?\d+)([+-]\d{4})?\)/$")
EPOCH = datetime(1970, 1, 1)


def convert_dates(value: Any, name: str = "") -> Any:
    """Convert Xero's dates at any depth: to a date and time in fields whose names end in UTC, else to a date."""
    if isinstance(value, dict):
        return {key: convert_dates(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [convert_dates(each, name) for each in value]
    if isinstance(value, str):
        found = XERO_DATE.match(value)
        if found:
            moment = EPOCH + timedelta(milliseconds=int(found[1]))
            return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if name.endswith("UTC") else "%Y-%m-%d")
    return value


class Invoices(RESTStream):
    """Invoices, page by page."""

    name = "invoices"
    path = "/Invoices"
    primary_keys = ("InvoiceID",)
    replication_key = "UpdatedDateUTC"
    records_jsonpath = "$.Invoices[*]"

    schema = th.PropertiesList(
        th.Property("InvoiceID", th.StringType),
        th.Property("InvoiceNumber", th.StringType),
        th.Property("Type", th.StringType),
        th.Property("Status", th.StringType),
        th.Property("Reference", th.StringType),
        th.Property(
            "Contact",
            th.ObjectType(th.Property("ContactID", th.StringType), th.Property("Name", th.StringType)),
        ),
        th.Property("Date", th.DateType),
        th.Property("DueDate", th.DateType),
        th.Property("FullyPaidOnDate", th.DateType),
        th.Property("UpdatedDateUTC", th.DateTimeType),
        th.Property("CurrencyCode", th.StringType),
        th.Property("CurrencyRate", th.NumberType),
        th.Property("LineAmountTypes", th.StringType),
        th.Property("IsDiscounted", th.BooleanType),
        th.Property("HasAttachments", th.BooleanType),
        th.Property("SubTotal", th.NumberType),
        th.Property("TotalTax", th.NumberType),
        th.Property("Total", th.NumberType),
        th.Property("AmountDue", th.NumberType),
        th.Property("AmountPaid", th.NumberType),
        th.Property("AmountCredited", th.NumberType),
        th.Property(
            "LineItems",
            th.ArrayType(
                th.ObjectType(
                    th.Property("LineItemID", th.StringType),
                    th.Property("ItemCode", th.StringType),
                    th.Property("Description", th.StringType),
                    th.Property("Quantity", th.NumberType),
                    th.Property("UnitAmount", th.NumberType),
                    th.Property("LineAmount", th.NumberType),
                    th.Property("TaxAmount", th.NumberType),
                    th.Property("TaxType", th.StringType),
                    th.Property("AccountCode", th.StringType),
                    th.Property("AccountID", th.StringType),
                    th.Property(
                        "Tracking",
                        th.ArrayType(
                            th.ObjectType(
                                th.Property("TrackingCategoryID", th.StringType),
                                th.Property("Name", th.StringType),
                                th.Property("Option", th.StringType),
                            )
                        ),
                    ),
                )
            ),
        ),
    ).to_dict()

    @property
    def url_base(self) -> str:
        """The address of the API."""
        return f"{self.config['api_url']}/api.xro/2.0"

    @property
    def authenticator(self) -> BearerTokenAuthenticator:
        """Authenticate with the access token of the configuration."""
        return BearerTokenAuthenticator(token=self.config["access_token"])

    @property
    def http_headers(self) -> dict[str, str]:
        """The headers of each request, with the organisation."""
        return {"Accept": "application/json", "Xero-Tenant-Id": self.config["tenant_id"]}

    def get_new_paginator(self) -> PageNumberPaginator:
        """Count pages from 1; an empty page ends the list."""
        return PageNumberPaginator(start_value=1)

    def get_url_params(self, context: Any, next_page_token: int | None) -> dict[str, Any]:  # noqa: ARG002
        """The parameters of a page."""
        return {
            "page": next_page_token,
            "pageSize": self.config["page_size"],
            "order": "UpdatedDateUTC ASC",
            "unitdp": "4",
        }

    def post_process(self, row: dict[str, Any], context: Any = None) -> dict[str, Any]:  # noqa: ARG002
        """Convert the dates of a record."""
        return convert_dates(row)


class TapTemplate(Tap):
    """The tap: one stream, and an access token as a setting."""

    name = "tap-template"
    config_jsonschema = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True),
        th.Property("tenant_id", th.StringType, required=True),
        th.Property("access_token", th.StringType, required=True, secret=True),
        th.Property("page_size", th.IntegerType, default=1000),
    ).to_dict()

    def discover_streams(self) -> list[Invoices]:
        """The only stream."""
        return [Invoices(tap=self)]


if __name__ == "__main__":
    TapTemplate.cli()
