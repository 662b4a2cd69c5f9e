"""Which of the connected organisations the setting `tenant_ids` names."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from singer_xero.errors import ConfigurationProblem
from singer_xero.objects import ORGANISATION

if TYPE_CHECKING:
    from singer_xero.api.client import XeroClient

_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_COMMA = re.compile(r"\s*,\s*")


@dataclass(frozen=True)
class Organisation:
    """A connected organisation.

    `tenant_id` goes into records and state. `header` is what to send as `xero-tenant-id`: the same id, or None for a
    custom connection, whose token belongs to one organisation.
    """

    tenant_id: str
    name: str
    header: str | None


def own_record(client: XeroClient, header: str | None) -> dict[str, Any]:
    """The record that Xero has of an organisation, by its `Organisation.header`; empty if it has none."""
    answer = client.get(header, ORGANISATION.path, api=ORGANISATION.api).json()
    return next(iter(answer.get(ORGANISATION.envelope) or ()), {})


def is_id(text: str) -> bool:
    """Whether it is written as Xero writes the id of an organisation."""
    return bool(_ID.fullmatch(text))


def folded(name: str) -> str:
    """A name or id as it is compared: capitals and blanks make no difference."""
    return _COMMA.sub(",", " ".join(name.split())).casefold()


def chosen(
    wanted: Sequence[str], connected: Sequence[Organisation], logger: logging.Logger
) -> list[Organisation]:
    """The organisations to work with, in the order they were named.

    Names with commas may have been taken apart on the way, as in an environment variable; they are put together again.
    Raises `ConfigurationProblem` if it isn't clear which organisations are meant, with a list of the connected ones.
    """
    listing = "; ".join(f"{one.name} = {one.tenant_id}" for one in connected)
    if not wanted:
        if len(connected) > 1:
            raise ConfigurationProblem(
                f"{len(connected)} organisations are connected; name the ones to use in tenant_ids. "
                f"They are: {listing}"
            )
        return list(connected)
    called: dict[str, list[Organisation]] = {}
    for one in connected:
        for word in {folded(one.tenant_id), folded(one.name)}:
            called.setdefault(word, []).append(one)
    found: dict[str, Organisation] = {}
    place = 0
    while place < len(wanted):
        width = _width(wanted[place:], called)
        name = ", ".join(wanted[place : place + width])
        place += width
        matches = called.get(folded(name), [])
        if not matches and is_id(name) and any(folded(other) in called for other in wanted):
            # One of several was cut off. The others are read; why this one isn't, Xero's answers say.
            logger.warning("%s in tenant_ids is not connected to this app (any more).", name)
            matches = [Organisation(name, name, name)]
        if len(matches) != 1:
            several = (
                "several connected organisations are called" if matches else "no connected organisation is"
            )
            hint = (
                ' Write names with commas as a JSON list: ["Smith, Jones & Co"].' if len(wanted) > 1 else ""
            )
            raise ConfigurationProblem(
                f"tenant_ids: {several} {name!r}. Connected organisations: {listing}.{hint}"
            )
        found[matches[0].tenant_id] = matches[0]
    return list(found.values())


def _width(names: Sequence[str], called: dict[str, list[Organisation]]) -> int:
    """How many of the first names are one name with commas in it; 1 where they are none."""
    longest = max((word.count(",") for word in called), default=0) + 1
    widths = (1, *range(longest, 1, -1))
    return next((width for width in widths if folded(",".join(names[:width])) in called), 1)
