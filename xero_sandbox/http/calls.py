"""One call to the API, what it asks for, and how it is answered."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from werkzeug import Request, Response

from . import messages
from .queries import true

if TYPE_CHECKING:
    from ..identity import Bearer
    from ..resources import Resource
    from ..state.store import Organisation, Record
    from .app import Xero

JSON = "application/json; charset=utf-8"
QUOTES_JSON = "application/json"
XML = "text/xml; charset=utf-8"
HTML = "text/html; charset=utf-8"
NOT_FOUND = "The resource you're looking for cannot be found"


class Refusal(Exception):
    """An answer that ends the call: ``status``, ``body`` (JSON values, text for HTML, or a ready Response), headers."""

    def __init__(self, status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status, self.body, self.headers = status, body, dict(headers or {})


def not_found() -> Refusal:
    """404 as Xero says it: HTML, whatever the caller accepts."""
    return Refusal(404, NOT_FOUND)


def bad_query(message: str) -> Refusal:
    """400 for a query that can't be parsed."""
    return Refusal(400, messages.api_exception(16, "QueryParseException", message))


def not_built(message: str) -> Refusal:
    """501 for what the sandbox can't do although Xero can; it says so."""
    return Refusal(501, messages.api_exception(20, "ApiMethodNotImplementedException", f"Sandbox: {message}"))


@dataclass
class Call:
    """A call to ``/api.xro/2.0``.

    ``resource``, ``key``, ``part`` and ``name`` are the pieces of the address: ``Invoices/{key}/History`` has the
    part ``History``, ``Invoices/{key}/Attachments/{name}`` a name as well. ``body`` is what was sent, as bytes.
    """

    xero: Xero
    request: Request
    body: bytes = b""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    bearer: Bearer = None  # type: ignore[assignment]
    organisation: Organisation = None  # type: ignore[assignment]
    resource: Resource = None  # type: ignore[assignment]
    key: str = ""
    part: str = ""
    name: str = ""

    @property
    def method(self) -> str:
        """GET, PUT, POST or DELETE."""
        return self.request.method

    def param(self, name: str) -> str | None:
        """A parameter of the query, None when it is absent or empty."""
        return self.request.args.get(name) or None

    def flag(self, name: str) -> bool:
        """A yes-or-no parameter."""
        return true(self.request.args.get(name))

    @property
    def json(self) -> bool:
        """Whether the caller gets JSON; XML is what Xero sends unless JSON is asked for."""
        return "json" in self.request.headers.get("Accept", "").lower()

    @property
    def places(self) -> int | None:
        """Decimals of unit prices: four when ``unitdp=4`` is asked for, and always on orders and quotes.

        None: those that the price has, up to four, as items show them when nothing is asked for (as recorded).
        """
        if self.resource.unitdp and self.param("unitdp") == "4":
            return 4
        if self.resource.exact:
            return None
        return 4 if self.resource.four else 2

    def envelope(self) -> dict[str, Any]:
        """What stands around every answer's records."""
        now = self.organisation.now()
        return {
            "Id": self.id,
            "Status": "OK",
            "ProviderName": self.bearer.app.name,
            "DateTimeUTC": messages.ms_date(now, "") if self.json else now,
        }

    def answer(self, key: str, trees: Iterable[Record], extra: Mapping[str, Any] | None = None) -> Response:
        """200 with ``trees`` (JSON values, or Python ones for XML) under ``key``."""
        values = {**self.envelope(), **(extra or {}), key: list(trees)}
        if self.json:
            return Response(messages.encode(values), 200, content_type=JSON)
        return Response(messages.xml("Response", values), 200, content_type=XML)

    def records(self, records: Iterable[Record], view: str) -> Response:
        """200 with records of the resource as ``view`` shows them."""
        from .views import shown

        table = self.organisation.table(self.resource.path)
        if self.json:
            trees = [table.tree(record, view, self.places, self.organisation) for record in records]
        else:
            trees = [shown(record, self.resource, view, self.organisation) for record in records]
        extra = {"SummarizeErrors": True} if self.resource.path == "Quotes" else None
        response = self.answer(self.resource.envelope, trees, extra)
        if self.json and self.resource.path == "Quotes":
            response.content_type = QUOTES_JSON
        return response

    def refuse(self, refusal: Refusal) -> Response:
        """A refusal as this caller reads it."""
        body, headers = refusal.body, refusal.headers
        if isinstance(body, Response):
            response = body
        elif body is None:
            response = Response(b"", refusal.status)
            del response.headers["Content-Type"]
        elif isinstance(body, str):
            response = Response(body, refusal.status, content_type=HTML)
        elif self.json or "Title" in body:
            response = Response(messages.encode(body), refusal.status, content_type=JSON)
        else:
            response = Response(messages.xml("ApiException", body), refusal.status, content_type=XML)
        for name, value in headers.items():
            response.headers[name] = value
        return response
