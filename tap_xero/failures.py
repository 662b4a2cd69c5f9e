"""What could not be read, and why: a stream of an organisation, or one record of it."""

from __future__ import annotations

import logging
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from singer_xero.api.errors import CallError, OrganisationError, XeroError
from singer_xero.organisations import Organisation
from tap_xero.records.reader import Row
from tap_xero.records.stream_maps import MapProblem

NAMED = 10
"""The unreadable records of one stream and organisation that are logged; further ones are counted."""

logger = logging.getLogger(__name__)


class Unforeseen(CallError):
    """An unexpected error. Its text says what and where, without data."""

    remedy = "Please report it to the makers of singer-xero."

    @classmethod
    def of(cls, error: Exception) -> Unforeseen:
        """Describe an exception by its type and place, since its own text may repeat data of a record."""
        return cls(_kind_and_place(error))


class Unreadable(CallError):
    """One record that can't be passed on. Its text names the record and says what is wrong."""

    remedy = "It is left out, and the next run asks for it again."
    problem = ""

    @classmethod
    def of(cls, row: Row, error: Exception) -> Unreadable:
        """Describe what is wrong with a row."""
        if isinstance(error, MapProblem):
            return Unmapped(f"{error}, the first time for {named(row)}", problem=str(error))
        what = error.words if isinstance(error, XeroError) else _kind_and_place(error)
        return cls(f"{named(row)}: {what}")


class Unmapped(Unreadable):
    """A record for which a stream map fails; it is logged once for each expression."""

    remedy = "Such records are left out, and the next run asks for them again."


@dataclass(frozen=True)
class Failure:
    """A stream of an organisation that was not read completely, or one of its records, and why."""

    stream: str
    organisation: Organisation
    error: XeroError

    @property
    def reason(self) -> str:
        """Why; without the name of the call if the reason applies to all calls of the organisation."""
        if isinstance(self.error, OrganisationError):
            return f"{self.error.words.rstrip('.')}. {self.error.advice}"
        return str(self.error)


class Failures(list[Failure]):
    """The failures of a run. Each is logged when it occurs and at the end of the run."""

    def __init__(self, logger: logging.Logger) -> None:
        super().__init__()
        self._logger = logger
        self._told: set[tuple[str, str]] = set()
        self._unreadable: Counter[tuple[str, str, str]] = Counter()

    def note(self, failure: Failure) -> None:
        """Add and log a failure: a reason once for an organisation, and only the first unreadable records."""
        self.append(failure)
        organisation = failure.organisation
        if isinstance(failure.error, Unreadable):
            what = failure.error.problem
            where = (failure.stream, organisation.tenant_id, what)
            self._unreadable[where] += 1
            if self._unreadable[where] <= (1 if what else NAMED):
                self._logger.error(
                    "%s of %s, one record: %s", failure.stream, organisation.name, failure.error
                )
        elif (organisation.tenant_id, failure.reason) not in self._told:
            self._told.add((organisation.tenant_id, failure.reason))
            self._logger.error(
                "%s of %s could not be read: %s", failure.stream, organisation.name, failure.error
            )

    def report(self) -> None:
        """Log what is missing."""
        whole: dict[tuple[str, str], list[str]] = {}
        records: Counter[tuple[str, str]] = Counter()
        for failure in self:
            if isinstance(failure.error, Unreadable):
                records[failure.stream, failure.organisation.name] += 1
            else:
                whole.setdefault((failure.organisation.name, failure.reason), []).append(failure.stream)
        for (name, reason), streams in whole.items():
            self._logger.error("Not complete: %s of %s. %s", ", ".join(streams), name, reason)
        for (stream, name), count in records.items():
            what = "one record" if count == 1 else f"{count:,} records"
            self._logger.error("Not complete: %s of %s, %s could not be read.", stream, name, what)


def named(row: Row) -> str:
    """The name of a row in messages: its key, if it has one."""
    return " ".join(str(part) for part in row.key) or "the record"


def _kind_and_place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    logger.debug("Unexpected: %s\n%s", type(error).__name__, "".join(traceback.format_list(frames)))
    ours = [frame for frame in frames if "site-packages" not in frame.filename] or list(frames)
    place = f" at {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    return f"unexpected {type(error).__name__}{place}"
