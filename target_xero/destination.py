"""The organisation that is written to."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from singer_xero.api.scope_advice import way_to
from singer_xero.connection import Connected
from singer_xero.errors import ConfigurationProblem
from singer_xero.organisations import Organisation
from target_xero.content.day_formats import DayOrder, Order, of_country
from target_xero.settings import TargetSettings
from target_xero.write_specs.rows import WRITE_SPECS


@dataclass(frozen=True)
class Destination:
    """The one organisation of a run. It makes no call before its result is needed."""

    connected: Connected
    settings: TargetSettings
    logger: logging.Logger

    @cached_property
    def organisation(self) -> Organisation:
        """The organisation, whose name is logged on first use.

        Raises `ConfigurationProblem` if the settings do not name exactly one.
        """
        found = self.connected.organisations
        if len(found) != 1:
            raise ConfigurationProblem(
                f"tenant_ids names {len(found)} organisations; target-xero writes to one. Run it once for each."
            )
        dry_run = " (dry run: nothing is sent)" if self.settings.dry_run else ""
        self.logger.info("Writing to %s = %s%s.", found[0].name, found[0].tenant_id, dry_run)
        return found[0]

    @cached_property
    def day_order(self) -> DayOrder:
        """Whether day or month comes first in numeric dates; asks Xero for the country if necessary."""
        written = self.settings.date_format
        if written != "auto":
            return DayOrder(Order(written), "date_format")
        answer = self.connected.client.get(self.organisation.header, "Organisation").json()
        country = next((one.get("CountryCode") for one in answer.get("Organisations") or []), None)
        return of_country(str(country or ""))

    def check_scopes(self, counts: Counter[str]) -> None:
        """Raise `ConfigurationProblem` before the first write if the token lacks a scope for one of these streams."""
        granted = self.connected.client.scopes()
        missing: dict[str, list[str]] = {}
        for name, spec in WRITE_SPECS.items() if granted else ():
            if counts[name] and spec.xero and spec.create:
                scope = spec.xero.scope_missing(granted, write=True)
                if scope:
                    missing.setdefault(scope.removesuffix(".read"), []).append(name)
        if missing:
            scopes = "; ".join(f"{scope} for {', '.join(names)}" for scope, names in missing.items())
            raise ConfigurationProblem(
                f"The token lacks scopes that writing needs: {scopes}. How to get them: "
                f"{way_to(*missing, custom=self.connected.client.is_custom_connection)}. Or deselect these streams. "
                "Nothing was written."
            )
