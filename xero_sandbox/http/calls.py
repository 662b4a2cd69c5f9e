"""A call to the API: its address, parameters and caller, and the forms of an answer."""

from __future__ import annotations

import traceback
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from werkzeug import Request, Response

from ..identity import BadToken, Bearer
from ..resources import Resource
from ..service import Xero
from ..state.organisation import Organisation
from ..values import OFFSET, Record, encode, ms_date
from . import messages
from .queries import true
from .views import shown

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


def _api_exception(status: int, number: int, kind: str, message: str, **more: Any) -> Refusal:
    """A refusal by the Accounting API itself."""
    return Refusal(status, {"ErrorNumber": number, "Type": kind, "Message": message, **more})


def not_found() -> Refusal:
    """404 in Xero's form: HTML, whatever the caller accepts."""
    return Refusal(404, NOT_FOUND)


def invalid(message: str = "A validation exception occurred", **more: Any) -> Refusal:
    """400 for a request that breaks a rule; ``more`` are further fields, such as the refused Elements."""
    return _api_exception(400, 10, "ValidationException", message, **more)


def unreadable(message: str) -> Refusal:
    """400 for a body that cannot be parsed."""
    return _api_exception(400, 14, "PostDataInvalidException", message)


def bad_query(message: str) -> Refusal:
    """400 for a query that cannot be parsed."""
    return _api_exception(400, 16, "QueryParseException", message)


def not_supported(message: str) -> Refusal:
    """501 for what Xero supports and the sandbox does not."""
    return _api_exception(501, 20, "ApiMethodNotImplementedException", f"Sandbox: {message}")


def not_implemented(method: str, address: str) -> Refusal:
    """501 for a method that Xero itself does not have."""
    message = f"The Api Method called is not implemented: {method} {address}"
    return _api_exception(501, 20, "ApiMethodNotImplementedException", message)


@dataclass
class Call:
    """One HTTP call.

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

    @property
    def shape(self) -> str:
        """The address after the resource, without names: ``""``, ``/``, ``/History`` or ``/Attachments/``."""
        if not self.part:
            return "/" if self.key else ""
        return f"/{self.part}/" if self.name else f"/{self.part}"

    def param(self, name: str) -> str | None:
        """A parameter of the query, None when it is absent or empty."""
        return self.request.args.get(name) or None

    def number(self, name: str, default: int) -> int:
        """A parameter as a whole number, ``default`` when it is absent or not a number."""
        return self.request.args.get(name, default, type=int)

    def flag(self, name: str) -> bool:
        """A boolean parameter."""
        return true(self.request.args.get(name))

    @property
    def json(self) -> bool:
        """Whether the caller gets JSON; by default, Xero sends XML."""
        return "json" in self.request.headers.get("Accept", "").lower()

    @property
    def places(self) -> int | None:
        """The decimals of unit prices: four with ``unitdp=4``, else those of the resource."""
        return 4 if self.resource.unitdp and self.param("unitdp") == "4" else self.resource.places

    @property
    def record(self) -> Record | None:
        """The record that the address names, by id, number or code."""
        return self.organisation.table(self.resource.path).find(self.key)

    def found(self) -> Record:
        """The record that the address names. Raises the 404 refusal."""
        if (record := self.record) is None:
            raise not_found()
        return record

    def envelope(self) -> dict[str, Any]:
        """The envelope around the records of every answer."""
        now = self.organisation.now()
        return {
            "Id": self.id,
            "Status": "OK",
            "ProviderName": self.bearer.app.name,
            "DateTimeUTC": ms_date(now, "") if self.json else now,
        }

    def answer(self, key: str, trees: Iterable[Record], extra: Mapping[str, Any] | None = None) -> Response:
        """200 with ``trees`` (JSON values, or Python ones for XML) under ``key``."""
        values = {**self.envelope(), **(extra or {}), **self.summarize_errors(key), key: list(trees)}
        if self.json:
            return Response(encode(values), 200, content_type=self.json_type(key))
        return Response(messages.xml("Response", values), 200, content_type=XML)

    def summarize_errors(self, key: str) -> dict[str, Any]:
        """SummarizeErrors, which only the envelope of quotes has."""
        reads = self.method == "GET"
        return {"SummarizeErrors": reads or self.summarized} if key == "Quotes" else {}

    def json_type(self, key: str) -> str:
        """The content type of an answer in JSON, which has no charset for quotes."""
        return QUOTES_JSON if key == "Quotes" else JSON

    @property
    def summarized(self) -> bool:
        """``summarizeErrors``: true by default, whatever the API definition says (XeroAPI/xero-ruby#247)."""
        sent = self.param("summarizeErrors")
        return sent is None or true(sent)

    def records(self, records: Iterable[Record], view: str) -> Response:
        """200 with records of the resource as ``view`` shows them."""
        return self.answer(self.resource.envelope, (self.tree(record, view) for record in records))

    def tree(self, record: Record, view: str) -> Record:
        """A record in a view and in the format of this caller: JSON values, or Python values for XML."""
        tree = shown(record, self.resource, view, self.organisation)
        return self.rendered(tree) if self.json else tree

    def rendered(self, record: Record) -> Record:
        """Python values in the format of this caller."""
        if not self.json:
            return dict(record)
        bare = self.resource.bare
        return messages.rendered(
            record,
            twins=self.resource.twins.split(),
            offset="" if bare == "*" else OFFSET,
            bare=frozenset(bare.split()),
            places=self.places,
        )

    def refuse(self, refusal: Refusal) -> Response:
        """A refusal in the format of this caller."""
        body, headers = refusal.body, refusal.headers
        if isinstance(body, Response):
            response = body
        elif body is None:
            response = Response(b"", refusal.status)
            del response.headers["Content-Type"]
        elif isinstance(body, str):
            response = Response(body, refusal.status, content_type=HTML)
        elif self.json or "Title" in body:
            response = Response(encode(body), refusal.status, content_type=JSON)
        else:
            response = Response(messages.xml("ApiException", body), refusal.status, content_type=XML)
        for name, value in headers.items():
            response.headers[name] = value
        return response

    def problem(
        self, status: int, title: str, detail: str, headers: Mapping[str, str] | None = None
    ) -> Refusal:
        """A refusal by Xero's gateway."""
        about = {"Type": None, "Title": title, "Status": status, "Detail": detail}
        return Refusal(status, {**about, "Instance": self.id, "Extensions": {}}, headers)

    def too_many(self, problem: str, wait: float | str | None, headers: Mapping[str, str]) -> Refusal:
        """429 for the limit that is exceeded, with the seconds to wait if they are known."""
        after = f"{wait:g}" if isinstance(wait, float) else str(wait)
        retry = {} if wait is None else {"Retry-After": after}
        return Refusal(429, None, {"X-Rate-Limit-Problem": problem, **retry, **headers})

    def unauthorized(self, detail: str, headers: Mapping[str, str] | None = None) -> Refusal:
        """401 for this reason."""
        return self.problem(401, "Unauthorized", detail, headers)

    def forbidden(self, detail: str) -> Refusal:
        """403 for this reason."""
        return self.problem(403, "Forbidden", detail)

    def token_expired(self, when: datetime) -> Refusal:
        """401 for an access token that ended at ``when``."""
        return self.unauthorized(f"TokenExpired: token expired at {when:%m/%d/%Y %H:%M:%S}")

    def failure(self) -> Refusal:
        """500 for the exception that is being handled, which is printed."""
        traceback.print_exc()
        return self.problem(500, "An error occurred", traceback.format_exc(limit=-3))

    def server_error(self) -> Refusal:
        """500 in Xero's form."""
        detail = "An error occurred in Xero. Check the API Status page http://status.developer.xero.com"
        return self.problem(500, "An error occurred", detail)

    def authenticate(self) -> Bearer:
        """Identify the caller by the access token. Raises the 401 refusal."""
        kind, _, token = self.request.headers.get("Authorization", "").partition(" ")
        try:
            self.bearer = self.xero.identity.bearer(token.strip() if kind.lower() == "bearer" else "")
        except BadToken as bad:
            if bad.expired is not None:
                raise self.token_expired(bad.expired) from None
            raise self.unauthorized("AuthenticationUnsuccessful") from None
        return self.bearer
