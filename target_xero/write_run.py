"""A run of the writer: opens the log of writes and the rejects file, and checks that the log fits."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
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


class WriteRun:
    """Writes what an intake holds; `schemas` are the latest SCHEMA messages of its streams."""

    def __init__(
        self,
        settings: TargetSettings,
        destination: Destination,
        intake: Intake,
        schemas: Mapping[str, Mapping[str, Any]],
        summary: Summary,
        logger: logging.Logger,
    ) -> None:
        self._settings = settings
        self._destination = destination
        self._intake = intake
        self._schemas = schemas
        self._summary = summary
        self._logger = logger

    def write(self, stop: Callable[[], bool]) -> None:
        """Write everything. Raises `ConfigurationProblem` before the first write for a log that does not fit."""
        settings, source = self._settings, self._only_source()
        rejects = RejectsFile(self._rejects_path(source), self._schemas, self._intake.identities.source_of)
        organisation = self._destination.organisation
        self._destination.announce()
        self._destination.check_scopes(self._intake.counts)
        options = WriteOptions(
            batch_size=settings.batch_size,
            deletes=settings.deletes,
            creates_contacts=settings.creates_contacts,
            dry_run=settings.dry_run,
            stop_at_reject=settings.stops_at_reject,
            stop=stop,
        )
        with self._open_log(source, organisation.tenant_id) as log:
            self._check_log(log, organisation)
            writer = Writer(
                self._destination.client,
                organisation,
                log,
                self._intake,
                self._summary,
                rejects,
                self._logger,
                options,
            )
            try:
                writer.run()
            finally:
                self._tell_rejects(rejects.path)

    def _tell_rejects(self, path: Path) -> None:
        if self._summary.rejected and not self._settings.dry_run:
            self._logger.error(
                "%s rejected: they are in %s. Mend them there and pipe that file in again; what was written "
                "stays as it is.", f"{self._summary.rejected:,}", path,
            )  # fmt: skip
        if self._summary.different:
            self._logger.warning(
                "%s written, but Xero holds something else than they say: see the warnings above.",
                f"{self._summary.different:,}",
            )

    def _check_log(self, log: WriteLog, organisation: Organisation) -> None:
        """Begin the log for this organisation; raises `ConfigurationProblem` if it must not be used."""
        others = [f"{name or 'an organisation'} = {one}" for one, name in log.organisations()]
        if not log.is_known and others and not self._settings.names_organisation:
            raise ConfigurationProblem(
                f"The log of writes {log.place} knows {'; '.join(others)}, and not {organisation.name} = "
                f"{organisation.tenant_id}, which is connected now. If that is right, name it in tenant_ids. Nothing "
                "was written."
            )
        if not log.is_known and self._settings.require_write_log:
            raise ConfigurationProblem(
                f"require_write_log is set, and the log of writes {log.place} knows nothing of "
                f"{organisation.name}. Restore it, or run once without that setting. Nothing was written."
            )
        if log.is_new:
            self._logger.warning(
                "The log of writes %s is new for %s. If that was written to before, stop and restore the log; until a "
                "run has ended well, documents are looked up in Xero by what they say before they are made.",
                log.place, organisation.name,
            )  # fmt: skip
        log.begin(organisation.name, datetime.now(timezone.utc).isoformat(timespec="seconds"))

    def _only_source(self) -> str:
        """The source whose log of writes this run uses, by the settings or by the source that rejects name."""
        sources = sorted({self._intake.identities.source_of(stream) for stream in self._schemas})
        if self._settings.source or not sources:
            return self._settings.source
        if len(sources) > 1 and not self._settings.write_log_path:
            raise ConfigurationProblem(
                f"The input has records of several sources ({', '.join(sources)}), and each has a log of writes of its "
                "own: send them one after the other, or name one log for all with write_log_path."
            )
        return sources[0] if len(sources) == 1 else ""

    def _open_log(self, source: str, tenant: str) -> AbstractContextManager[WriteLog]:
        """Open the log of writes, in a file or in PostgreSQL."""
        place, dry_run = self._settings.write_log_path, self._settings.dry_run
        if is_postgres(place):
            from target_xero.write_log.postgres_log import open_postgres_log

            return open_postgres_log(place, source, tenant, dry_run=dry_run)
        path, copy_of = self._log_file(source)
        return open_sqlite_log(path, tenant, dry_run=dry_run, copy_of=copy_of)

    def _log_file(self, source: str) -> tuple[Path, Path | None]:
        """The log of writes, and the one that a new log copies: all sources once had one log."""
        if self._settings.write_log_path:
            return _expanded(self._settings.write_log_path, "write_log_path"), None
        common = default_folder("write_log_path") / "xero-write-log.db"
        return (common.with_name(f"xero-write-log{_suffix(source)}.db"), common) if source else (common, None)

    def _rejects_path(self, source: str) -> Path:
        if self._settings.rejects_path:
            return _expanded(self._settings.rejects_path, "rejects_path")
        is_database = is_postgres(self._settings.write_log_path)
        folder = default_folder("rejects_path") if is_database else self._log_file(source)[0].parent
        return folder / f"xero-rejects{_suffix(source)}.singer"


def _suffix(source: str) -> str:
    """What a source adds to a file's name: characters that a name can't have are replaced by a fingerprint."""
    if not source:
        return ""
    plain = re.sub(r"[^\w.-]+", "_", source)
    return f"-{plain}" if plain == source else f"-{plain}-{fingerprint(source.encode())[:8]}"


def _expanded(path: str, setting: str) -> Path:
    return Path(filled_in(path, setting))
