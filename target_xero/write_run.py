"""A run of the writer: opens the log of writes and the rejects file, and checks that the log fits."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from singer_xero.api.storage.paths import default_folder, filled_in
from singer_xero.api.storage.postgres_address import is_postgres
from singer_xero.errors import ConfigurationProblem
from singer_xero.organisations import Organisation
from target_xero.content.payload import fingerprint
from target_xero.destination import Destination
from target_xero.intake.intake import Intake
from target_xero.settings import TargetSettings
from target_xero.summary import RejectsFile, Summary
from target_xero.write_log.log import WriteLog
from target_xero.write_log.sqlite_log import open_sqlite_log
from target_xero.writing.tally import WriteOptions
from target_xero.writing.writer import Writer


@dataclass(frozen=True)
class WriteRun:
    """Writes the records of an intake; `schemas` are the latest SCHEMA messages of its streams."""

    settings: TargetSettings
    destination: Destination
    intake: Intake
    schemas: Mapping[str, Mapping[str, Any]]
    summary: Summary
    logger: logging.Logger

    def write(self, stop: Callable[[], bool]) -> None:
        """Write everything. Raises `ConfigurationProblem` before the first write for a log that does not fit.

        `stop` is called before each request and ends the run if it returns True.
        """
        settings, source = self.settings, self._only_source()
        rejects = RejectsFile(self._rejects_path(source), self.schemas, self.intake.identities.source_of)
        organisation = self.destination.organisation
        self.destination.announce()
        self.destination.check_scopes(self.intake.counts)
        options = WriteOptions(
            batch_size=settings.batch_size,
            deletes=settings.deletes,
            creates_contacts=settings.missing_contacts == "create",
            dry_run=settings.dry_run,
            stop_at_reject=settings.on_reject == "stop",
            stop=stop,
        )
        with self._open_log(source, organisation.tenant_id) as log:
            self._check_log(log, organisation)
            client = self.destination.client
            writer = Writer(
                client, organisation, log, self.intake, self.summary, rejects, self.logger, options
            )
            try:
                writer.run()
            finally:
                self._report_rejects(rejects.path)

    def _report_rejects(self, path: Path) -> None:
        if self.summary.rejected and not self.settings.dry_run:
            self.logger.error(
                "%s rejected; the records are in %s. Correct them there and pipe that file in again. Written records "
                "are not affected.", f"{self.summary.rejected:,}", path,
            )  # fmt: skip
        if self.summary.different:
            self.logger.warning(
                "%s written, but Xero stores different values: see the warnings above.",
                f"{self.summary.different:,}",
            )

    def _check_log(self, log: WriteLog, organisation: Organisation) -> None:
        """Begin the log for this organisation; raises `ConfigurationProblem` if it must not be used."""
        others = [f"{name or 'an organisation'} = {one}" for one, name in log.organisations()]
        if not log.is_known and others and not self.destination.is_named:
            raise ConfigurationProblem(
                f"The log of writes {log.place} belongs to {'; '.join(others)}, but {organisation.name} = "
                f"{organisation.tenant_id} is connected. If this is correct, name that organisation in tenant_ids. "
                "Nothing was written."
            )
        if not log.is_known and self.settings.require_write_log:
            raise ConfigurationProblem(
                f"require_write_log is set, but the log of writes {log.place} has no entries for "
                f"{organisation.name}. Restore it, or run once without this setting. Nothing was written."
            )
        if log.is_new:
            self.logger.warning(
                "The log of writes %s is new for %s. If target-xero has written to this organisation before, stop and "
                "restore the log. Until a run succeeds, documents are looked up in Xero by their content before they "
                "are created.", log.place, organisation.name,
            )  # fmt: skip
        log.begin(organisation.name, datetime.now(timezone.utc).isoformat(timespec="seconds"))

    def _only_source(self) -> str:
        """The source whose log of writes this run uses, by the settings or by the source that rejects name."""
        sources = sorted({self.intake.identities.source_of(stream) for stream in self.schemas})
        if self.settings.source or not sources:
            return self.settings.source
        if len(sources) > 1 and not self.settings.write_log_path:
            raise ConfigurationProblem(
                f"The input has records of several sources ({', '.join(sources)}), each of which has its own log of "
                "writes: send them one after the other, or name one log for all in write_log_path."
            )
        return sources[0] if len(sources) == 1 else ""

    def _open_log(self, source: str, tenant: str) -> AbstractContextManager[WriteLog]:
        """Open the log of writes, in a file or in PostgreSQL."""
        place, dry_run = self.settings.write_log_path, self.settings.dry_run
        if is_postgres(place):
            from target_xero.write_log.postgres_log import open_postgres_log

            return open_postgres_log(place, source, tenant, dry_run=dry_run)
        path, copy_of = self._log_file(source)
        return open_sqlite_log(path, tenant, dry_run=dry_run, copy_of=copy_of)

    def _log_file(self, source: str) -> tuple[Path, Path | None]:
        """The log of writes, and the one that a new log copies: in earlier versions all sources had one log."""
        if self.settings.write_log_path:
            return Path(filled_in(self.settings.write_log_path, "write_log_path")), None
        common = default_folder("write_log_path") / "xero-write-log.db"
        return (common.with_name(f"xero-write-log{_suffix(source)}.db"), common) if source else (common, None)

    def _rejects_path(self, source: str) -> Path:
        if self.settings.rejects_path:
            return Path(filled_in(self.settings.rejects_path, "rejects_path"))
        is_database = is_postgres(self.settings.write_log_path)
        folder = default_folder("rejects_path") if is_database else self._log_file(source)[0].parent
        return folder / f"xero-rejects{_suffix(source)}.singer"


def _suffix(source: str) -> str:
    """The part of a file's name for a source: characters that a name can't have are replaced by a fingerprint."""
    if not source:
        return ""
    plain = re.sub(r"[^\w.-]+", "_", source)
    return f"-{plain}" if plain == source else f"-{plain}-{fingerprint(source.encode())[:8]}"
