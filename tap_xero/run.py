"""One run of the tap: the reads under way, what could not be read, and how it ends."""

from __future__ import annotations

import fnmatch
import logging
import sys
import threading
from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from singer_xero.api.errors import AccessError, XeroError
from singer_xero.api.scope_advice import way_to
from singer_xero.connection import Connected
from singer_xero.errors import ConfigurationProblem, suggested
from singer_xero.objects import STREAMS, XeroObject
from singer_xero.organisations import Organisation
from tap_xero.failures import Failures
from tap_xero.reads.list_read import ListRead
from tap_xero.reads.paging import Chunk
from tap_xero.reads.prefetch import Prefetch, Read, threads_for
from tap_xero.reads.source import Source
from tap_xero.settings import Settings

if TYPE_CHECKING:
    from singer_xero.api.client import XeroClient

MANY = 20
"""Up to this number of organisations, each list is logged even if it has nothing new."""

STOPPING_TAKES = 8.0
"""Seconds after a signal in which the tap proves what it has read; orchestrators kill a process after ten."""


class Run:
    """What streams share while they are read.

    `flush` writes the messages that wait in memory; `bookmark_moved` is called after a bookmark has moved.
    """

    def __init__(
        self,
        settings: Settings,
        connected: Connected,
        logger: logging.Logger,
        *,
        flush: Callable[[], None],
        bookmark_moved: Callable[[], None],
    ) -> None:
        self.settings, self.logger = settings, logger
        self.source = Source(settings, connected)
        self.flush, self.bookmark_moved = flush, bookmark_moved
        self.failures = Failures(logger)
        self._connected = connected
        self._prefetch: Prefetch | None = None
        self._reads: dict[Hashable, ListRead] = {}
        self._skipped: set[tuple[str, str]] = set()
        self._stopped_by = 0
        self._is_beginning = False

    @property
    def client(self) -> XeroClient:
        """The one client of all streams."""
        return self.source.client

    @property
    def organisations(self) -> list[Organisation]:
        """The organisations to read."""
        return self.source.organisations

    @property
    def organisation_of(self) -> dict[str, Organisation]:
        """The organisations by id."""
        return self.source.organisation_of

    @property
    def has_many(self) -> bool:
        """Whether there are more than `MANY` organisations."""
        return len(self.organisations) > MANY

    @cached_property
    def opened(self) -> frozenset[str]:
        """The costly streams that may be read; raises `ConfigurationProblem` for an unknown name."""
        costly = [name for name, xero in STREAMS.items() if xero.costly]
        found: set[str] = set()
        for name in self.settings.detail_streams:
            matches = fnmatch.filter(costly, name)
            if not matches and name not in STREAMS:
                meant = suggested(name, costly, f"; they are: {', '.join(costly)}.")
                raise ConfigurationProblem(f"detail_streams: no stream is called {name}{meant}")
            found.update(matches)
        return frozenset(found)

    # Reads

    def begin(self, reads: Iterable[ListRead], shared: frozenset[str]) -> None:
        """Begin to read lists in the background, in the order in which they will be consumed.

        `reads` gives the next read when it is about to begin. `shared` are the lists that several of them need.
        """
        self.source.shared = shared

        def lists() -> Iterator[tuple[Hashable, Read]]:
            for read in reads:
                key = (read.row.name, read.organisation.tenant_id)
                self._reads[key] = read
                yield key, read.chunks

        threads = threads_for(len(self.organisations))
        self._is_beginning = True
        try:
            self._prefetch = Prefetch(lists(), threads)
        finally:
            self._is_beginning = False
        self.check_stopped()

    def begun(self, stream: str, organisation: Organisation) -> tuple[ListRead, Iterator[Chunk]] | None:
        """A read that has begun in the background, and its chunks; None if there is none, or it was consumed."""
        key = (stream, organisation.tenant_id)
        if self._prefetch is None or key not in self._prefetch:
            return None
        read = self._reads.pop(key)
        read.is_due = True
        return read, self._prefetch.consume(key)

    # What can't be read

    def missing_scope(self, row: XeroObject) -> str | None:
        """The scope that the token lacks for a stream; None also if the token does not list its scopes."""
        try:
            return row.scope_missing(self.client.scopes())
        except AccessError:
            raise
        except XeroError:  # the token does not list its scopes, so Xero's answers decide
            return None

    def may_read(self, row: XeroObject) -> bool:
        """Whether the token has the scope of a stream. It logs once if not."""
        scope = self.missing_scope(row)
        if scope:
            if self.settings.on_missing_scope == "fail":
                self.check_scopes([row])
            if (row.name, scope) not in self._skipped:
                self._skipped.add((row.name, scope))
                self.logger.warning(
                    "Stream %s is skipped: the token lacks the scope %s. How to get it: %s. Or deselect the stream.",
                    row.name, scope, way_to(scope, custom=self.client.is_custom_connection),
                )  # fmt: skip
        return scope is None

    def check_scopes(self, rows: Iterable[XeroObject]) -> None:
        """With `on_missing_scope: fail`, raise `ConfigurationProblem` for rows whose scope is missing."""
        if self.settings.on_missing_scope != "fail":
            return
        missing = {row.name: scope for row in rows if (scope := self.missing_scope(row))}
        if missing:
            listing = ", ".join(f"{scope} (for {name})" for name, scope in missing.items())
            raise ConfigurationProblem(
                f"The token lacks scopes: {listing}. How to get them: "
                f"{way_to(*missing.values(), custom=self.client.is_custom_connection)}. "
                "Or deselect the streams, or set on_missing_scope to skip."
            )

    # The end

    def stop(self, signum: int) -> bool:
        """End soon because of a signal; False if nothing is being read.

        The first signal lets what was read of the current list be proved and emitted, if that takes only seconds. The
        second one ends the list where it is. No signal interrupts the code: an exception while threads are started or
        while the stream waits for one can leave a lock in a state in which the process never ends.
        """
        if self._prefetch is None and not self._is_beginning:
            return False
        is_first = not self._stopped_by
        self._stopped_by = signum
        if is_first:
            self.logger.info("Gracefully shutting down...")
            self.client.stop()
        if self._prefetch is None:
            return True  # `begin` ends the run
        ending = threading.Timer(STOPPING_TAKES if is_first else 0, self._prefetch.abandon)
        ending.daemon = True
        ending.start()
        return True

    def check_stopped(self) -> None:
        """End the run here if a signal asked for it."""
        if self._stopped_by:
            sys.exit(128 + self._stopped_by)

    def report(self) -> None:
        """Log the calls of each organisation, and what is missing."""
        for organisation in self.organisations:
            usage = self.client.usage(organisation.header)
            left = "" if usage.day_left is None else f", {usage.day_left:,} left today"
            self.logger.info(
                "%s: %s calls%s, %.1f MB received, %.0f s waited.",
                organisation.name,
                f"{usage.calls:,}",
                left,
                usage.received / 1e6,
                usage.waited,
            )
        self.failures.report()

    def close(self) -> None:
        """Stop reading in the background, close the connections and stop an embedded sandbox."""
        self._connected.interrupt()
        if self._prefetch is not None:
            self._prefetch.close()
        self._connected.close()
