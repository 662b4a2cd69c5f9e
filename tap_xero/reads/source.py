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
    """The client, the organisations and the settings, and a memory for answers that several reads need."""

    def __init__(self, settings: Settings, connected: Connected) -> None:
        self.settings = settings
        self.connected = connected
        self.shared: frozenset[str] = frozenset()
        """Lists that more than one stream of this run has to read, so that each is asked for once."""
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
        """Where attachments are put; None: they are listed only."""
        path = self.settings.attachments_path
        return Files(path) if path else None

    def once(self, key: Hashable, ask: Callable[[], T]) -> T:
        """The answer to a question that several reads have: the first one asks it, the others wait for the answer."""
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
        """The day it is, in UTC."""
        return datetime.now(timezone.utc).date()

    def budget_range(self) -> tuple[date, date]:
        """The first and the last day that budgets are read for."""
        return self.settings.budget_range(self.today())
