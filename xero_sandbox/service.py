"""The state of a running sandbox, below HTTP."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from . import apps
from .faults import Fault, Faults, Switches
from .identity import Identity
from .limits import Allowance, Limits
from .state.clock import Clock
from .state.store import Store
from .values import understood

_CALLS_KEPT = 100_000


class Xero:
    """Organisations, identity, limits, faults, switches, the clock and the list of calls."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock
        self.identity = Identity(store)
        self.limits = Limits(clock)
        self.faults = Faults()
        self.switches = Switches()
        self.calls: deque[dict[str, Any]] = deque(maxlen=_CALLS_KEPT)
        self.url = ""
        self.admin_secret = ""
        self.limited = True
        self._begin = clock.now()
        self.populate: Callable[[datetime], Iterable[tuple[str, str, Mapping[str, Any]]]] = lambda _now: ()

    def load(self) -> bool:
        """Load what the store's file holds; false if it is empty."""
        if not self.store.load():
            return False
        stored = self.store.read("clock")
        self.clock.restore(stored["state"])
        self._begin = datetime.fromisoformat(stored["begin"])
        self.identity.load()
        return True

    def start_afresh(self) -> None:
        """Reset everything; the first organisation is connected to the known apps with all scopes."""
        with self.store.change():
            self.store.clear()
            self.store.organisations.clear()
            self.clock.frozen = False
            self.clock.set(self._begin)
            self.store.write("clock", "begin", self._begin.isoformat())
            self.save_clock()
            for tenant_id, name, records in self.populate(self._begin):
                self.store.add_organisation(tenant_id, name, records)
            self.identity.start_afresh()
            first = list(self.store.organisations)[:1]
            for app in (apps.CUSTOM_CONNECTION, apps.WEB_APP):
                self.identity.consent(app, first, app.allowed())
        self.limits.start_afresh()
        self.limits.allowance = Allowance(enabled=self.limited)
        self.faults.clear()
        self.switches = Switches()
        self.calls.clear()

    def save_clock(self) -> None:
        """Store the state of the clock."""
        self.store.write("clock", "state", self.clock.state())

    def edit(self, tenant_id: str, fault: Fault) -> None:
        """The change that an ``edit`` fault makes: ``patch`` (or nothing but a new stamp) on one record."""
        with self.store.change():
            organisation = self.store.organisations[tenant_id]
            table = organisation.table(fault.resource)
            identifier = fault.id or table.ids()[fault.position]
            organisation.put(fault.resource, {**table.rows[identifier], **understood(fault.patch)})
