"""Counts the outcomes of records, writes rejects to their file, and logs progress."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from singer_xero.errors import Stopped
from target_xero.intake.intake import Intake
from target_xero.intake.records import Job, Reject
from target_xero.lookups.rejected_names import RejectedNames
from target_xero.settings import TargetSettings
from target_xero.summary import RejectsFile, Summary
from target_xero.write_specs.spec import WriteSpec

#: Seconds between two messages about progress.
_QUIET = 30.0


@dataclass
class Tally:
    """The records of one run. A record that is settled no longer holds back the state behind it."""

    intake: Intake
    summary: Summary
    rejects: RejectsFile
    rejected: RejectedNames
    logger: logging.Logger
    settings: TargetSettings
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._told_at = self.clock()
        self._remarks: set[tuple[str, str]] = set()
        self.skipped: Counter[tuple[str, str]] = Counter(self.intake.elsewhere)

    def count(self, spec: WriteSpec, what: str) -> None:
        """Count a record; `what` is a column of the summary."""
        count = self.summary.of(spec.name)
        setattr(count, what, getattr(count, what) + 1)

    def settle(self, spec: WriteSpec, job: Job, what: str) -> None:
        """Count a record that is finished."""
        self.count(spec, what)
        self.intake.states.settled(job.epoch)

    def skip(self, spec: WriteSpec, job: Job, why: str) -> None:
        """Settle a record that is skipped, or unchanged if there is no reason."""
        if why:
            self.skipped[spec.name, why] += 1
        self.settle(spec, job, "skipped" if why else "unchanged")

    def reject(self, spec: WriteSpec, job: Job, reason: str) -> None:
        """Reject one record."""
        self.set_aside([Reject.of(spec, job, reason)])
        self.check_stop()

    def set_aside(self, rejects: list[Reject]) -> None:
        """Write rejects to their file. Only then do they no longer hold back the state."""
        told: list[tuple[str, list[dict[str, Any]], str]] = []
        for reject in rejects:
            stream, rows = self.intake.records(reject.raw)
            told.append((stream, rows, reject.reason))
            self.rejected.add(reject.object, reject.names, reject.reason)
            self.logger.error("%s rejected: %s", self.rejects.name(stream, rows[0]), reject.reason)
        if told and not self.settings.dry_run:
            self.rejects.add(told)
        for reject in rejects:
            self.summary.of(reject.object).rejected += 1
            self.intake.states.settled(reject.epoch)

    def check_stop(self) -> None:
        """Raise `Stopped` after the first reject, if on_reject says so."""
        if self.settings.on_reject == "stop" and not self.settings.dry_run and self.summary.total.rejected:
            self.intake.states.flush()
            raise Stopped(
                "Stopped at the first reject, because on_reject is stop. The next run writes the remaining records."
            )

    def tell_progress(self, spec: WriteSpec) -> None:
        """Log the progress every 30 seconds, because Xero allows only 60 calls a minute."""
        if self.clock() - self._told_at >= _QUIET:
            self._told_at = self.clock()
            done, all_records = self.summary.of(spec.name).done, self.intake.counts[spec.name]
            self.logger.info("%s: %s of %s records done.", spec.name, f"{done:,}", f"{all_records:,}")

    def tell_remarks(self, spec: WriteSpec, warnings: Iterable[Any]) -> None:
        """Log Xero's warnings about a record that it wrote, each once."""
        for warning in warnings:
            words = str(warning.get("Message") if isinstance(warning, dict) else warning)
            if (spec.name, words) not in self._remarks:
                self._remarks.add((spec.name, words))
                self.logger.warning("%s: Xero warns about a record that it wrote: %s", spec.name, words)

    def tell_skipped(self) -> None:
        """Log how many records were skipped, by reason."""
        for (name, why), number in sorted(self.skipped.items()):
            self.logger.warning("%s: %s skipped: %s.", name, f"{number:,}", why)
