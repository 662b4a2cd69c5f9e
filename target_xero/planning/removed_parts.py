"""Parts that were written for a record and are no longer in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection

from target_xero.intake.intake import Intake
from target_xero.intake.records import Job
from target_xero.write_log.log import WriteLog


class RemovedParts:
    """Collects removed parts; `deletes` allows to end them. `kept` counts the others, which stay in Xero, by object."""

    def __init__(self, log: WriteLog, intake: Intake, *, deletes: bool) -> None:
        self._log = log
        self._intake = intake
        self._deletes = deletes
        self._found: defaultdict[str, dict[str, Job]] = defaultdict(dict)
        self.kept: Counter[str] = Counter()

    def find(self, job: Job) -> None:
        """Find the removed parts of a record, which end together with the other parts of their object."""
        for name, keys in job.parts.items():
            if self._deletes:
                self._found[name] |= {part.key: part for part in self.take(name, job, keys)}
            else:
                self.kept[name] += len(self._keys(name, job, keys))

    def found(self, name: str) -> Collection[Job]:
        """Return and forget the parts found so far."""
        return self._found.pop(name, {}).values()

    def take(self, name: str, job: Job, keep: Collection[str]) -> list[Job]:
        """Return the written parts of a record, except those in `keep`, as records to end."""
        keys = self._keys(name, job, keep) if self._deletes else []
        for _ in keys:
            self._intake.states.opened(job.epoch)
        return [Job(key=key, hash="", sent={}, epoch=job.epoch, raw=job.raw, gone=True) for key in keys]

    def _keys(self, name: str, job: Job, keep: Collection[str]) -> list[str]:
        self._log.claim(name, dict.fromkeys(keep, ""))
        children = self._log.children(name, job.key)
        return [key for key, _ in children if key not in keep and key not in self._found[name]]
