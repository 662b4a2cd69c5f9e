"""What the reads of a run share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from datetime import date, datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from singer_xero.connection import Connected
from singer_xero.organisations import Organisation
from tap_xero.reads.attachments import Files
from tap_xero.settings import Settings

if TYPE_CHECKING:
    from singer_xero.api.client import XeroClient

T = TypeVar("T")


class Source:
    """The client, the organisations, the settings, and a cache of answers that several reads need."""

    def __init__(self, settings: Settings, connected: Connected) -> None:
        self.settings = settings
        self.connected = connected
        self.shared: frozenset[str] = frozenset()
        """Lists that more than one stream of this run needs. Each is requested once."""
        self._answers: dict[Hashable, Future[Any]] = {}
        self._asking = threading.Lock()

    @property
    def client(self) -> XeroClient:
        """The one client of the run."""
        return self.connected.client

    @property
    def organisations(self) -> list[Organisation]:
        """The organisations to read."""
        return self.connected.organisations

    @cached_property
    def organisation_of(self) -> dict[str, Organisation]:
        """The organisations by id."""
        return {organisation.tenant_id: organisation for organisation in self.organisations}

    @cached_property
    def files(self) -> Files | None:
        """Where attachments are stored; None if they are only listed."""
        path = self.settings.attachments_path
        return Files(path) if path else None

    def once(self, key: Hashable, ask: Callable[[], T]) -> T:
        """Call `ask` for the first read that needs this key, and give its result to all others that wait for it."""
        with self._asking:
            is_first = key not in self._answers
            answer: Future[T] = self._answers.setdefault(key, Future())
        if is_first:
            try:
                answer.set_result(ask())
            except BaseException as error:
                answer.set_exception(error)
        return answer.result()

    @staticmethod
    def today() -> date:
        """Today's date in UTC."""
        return datetime.now(timezone.utc).date()

    def budget_range(self) -> tuple[date, date]:
        """The first and the last day of the budgets to read."""
        return self.settings.budget_range(self.today())
