"""Xero's APIs: what differs between them, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from singer_xero.objects.fields import Field


class DateForm(Enum):
    """How an API writes dates."""

    TICKS = "/Date(1777032244663+0000)/, often with the same date as text beside it, in a field named …String"
    ISO = "2026-04-24, or 2026-04-24T12:04:04 with or without a time zone"

    def twins(self, fields: Mapping[str, Field]) -> dict[str, str]:
        """The fields that repeat a date of these fields as text, ``{repetition: field}``."""
        if self is DateForm.ISO:
            return {}
        return {f"{name}String": name for name, word in fields.items() if word.is_date}


@dataclass(frozen=True, eq=False, kw_only=True)
class ErrorShape:
    """Where an API's error answers say what is wrong. The case of names makes no difference.

    Attributes:
        words: fields that hold a message, as paths with dots, beside those of `GATEWAY`.
        lists: lists of problems at any depth, and the field of their elements that holds the message.
        elements: the list with one entry for each record of a write; empty where there is none.
    """

    words: tuple[str, ...] = ()
    lists: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    elements: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class Api:
    """One of Xero's APIs.

    Attributes:
        name: its name, for people.
        base: the path below the host under which its paths lie.
        largest_page: the most rows of a page, where the caller chooses the size.
        size_param: the name of the parameter for the size of a page.
        dates: how it writes dates.
        errors: where its error answers say what is wrong.
        regions: the country codes of the organisations that have it; None if all have it.
    """

    name: str
    base: str
    largest_page: int = 1000
    size_param: str = "pageSize"
    dates: DateForm = DateForm.ISO
    errors: ErrorShape = ErrorShape()
    regions: frozenset[str] | None = None


ACCOUNTING = Api(
    name="Accounting",
    base="/api.xro/2.0",
    dates=DateForm.TICKS,
    errors=ErrorShape(lists=MappingProxyType({"ValidationErrors": "Message"}), elements="Elements"),
)
ASSETS_API = Api(
    name="Assets",
    base="/assets.xro/1.0",
    largest_page=200,
    errors=ErrorShape(
        lists=MappingProxyType(
            {"fieldValidationErrors": "localisedMessage", "resourceValidationErrors": "localisedMessage"}
        )
    ),
)

DEFAULT_API = ACCOUNTING
"""The API of objects and calls that name none."""

GATEWAY = ("title", "message", "detail")
"""The fields with the message of an error, in lower case, that Xero's gateways share by all APIs."""
