"""Writes what was taken in: opens the log of writes and the rejects file, and checks that the log fits."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from singer_xero.api.storage.paths import default_folder, filled_in
from singer_xero.api.storage.postgres_address import is_postgres
from singer_xero.errors import ConfigurationProblem
from target_xero.content.json_text import fingerprint
from target_xero.destination import Destination
from target_xero.intake.intake import Intake
from target_xero.settings import TargetSettings
from target_xero.summary import RejectsFile, Summary
from target_xero.write_log.log import WriteLog
from target_xero.write_log.sqlite_log import open_sqlite_log
from target_xero.writing.writer import Writer


def write_all(
    destination: Destination,
    intake: Intake,
    schemas: Mapping[str, Mapping[str, Any]],
    summary: Summary,
    stop: Callable[[], bool],
) -> None:
    """Write the records of an intake; `schemas` are the latest SCHEMA messages of its streams.

    `stop` is called before each request and ends the run if it returns True. Raises `ConfigurationProblem` before the
    first write for a log that does not fit.
    """
    settings, logger = destination.settings, destination.logger
    source = _only_source(settings, {intake.identities.source_of(stream) for stream in schemas})
    rejects = RejectsFile(_rejects_path(settings, source), schemas, intake.identities.source_of)
    organisation = destination.organisation
    destination.check_scopes(intake.counts)
    with _open_log(settings, source, organisation.tenant_id) as log:
        _begin_log(log, destination)
        client = destination.connected.client
        try:
            Writer(client, organisation, log, intake, summary, rejects, logger, settings, stop).run()
        finally:
            total = summary.total
            if total.rejected and not settings.dry_run:
                logger.error(
                    "%s rejected; the records are in %s. Correct them there and pipe that file in again. Written "
                    "records are not affected.", f"{total.rejected:,}", rejects.path,
                )  # fmt: skip
            if total.different:
                logger.warning(
                    "%s written, but Xero stores different values: see the warnings above.",
                    f"{total.different:,}",
                )


def _begin_log(log: WriteLog, destination: Destination) -> None:
    """Begin the log for this organisation; raises `ConfigurationProblem` if it must not be used."""
    organisation = destination.organisation
    others = [f"{name or 'an organisation'} = {one}" for one, name in log.organisations()]
    if not log.is_known and others and not destination.connected.settings.tenant_ids:
        raise ConfigurationProblem(
            f"The log of writes {log.place} belongs to {'; '.join(others)}, but {organisation.name} = "
            f"{organisation.tenant_id} is connected. If this is correct, name that organisation in tenant_ids. "
            "Nothing was written."
        )
    if not log.is_known and destination.settings.require_write_log:
        raise ConfigurationProblem(
            f"require_write_log is set, but the log of writes {log.place} has no entries for "
            f"{organisation.name}. Restore it, or run once without this setting. Nothing was written."
        )
    if log.is_new:
        destination.logger.warning(
            "The log of writes %s is new for %s. If target-xero has written to this organisation before, stop and "
            "restore the log. Until a run succeeds, documents are looked up in Xero by their content before they "
            "are created.", log.place, organisation.name,
        )  # fmt: skip
    log.begin(organisation.name, datetime.now(timezone.utc).isoformat(timespec="seconds"))


def _only_source(settings: TargetSettings, sources: set[str]) -> str:
    """The source whose log of writes this run uses, by the settings or by the source that rejects name."""
    if settings.source or not sources:
        return settings.source
    if len(sources) > 1 and not settings.write_log_path:
        raise ConfigurationProblem(
            f"The input has records of several sources ({', '.join(sorted(sources))}), each of which has its own log "
            "of writes: send them one after the other, or name one log for all in write_log_path."
        )
    return min(sources) if len(sources) == 1 else ""


def _open_log(settings: TargetSettings, source: str, tenant: str) -> AbstractContextManager[WriteLog]:
    """Open the log of writes, in a file or in PostgreSQL."""
    place, dry_run = settings.write_log_path, settings.dry_run
    if is_postgres(place):
        from target_xero.write_log.postgres_log import open_postgres_log

        return open_postgres_log(place, source, tenant, dry_run=dry_run)
    path, copy_of = _log_file(settings, source)
    return open_sqlite_log(path, tenant, dry_run=dry_run, copy_of=copy_of)


def _log_file(settings: TargetSettings, source: str) -> tuple[Path, Path | None]:
    """The log of writes, and the one that a new log copies: in earlier versions all sources had one log."""
    if settings.write_log_path:
        return Path(filled_in(settings.write_log_path, "write_log_path")), None
    common = default_folder("write_log_path") / "xero-write-log.db"
    return (common.with_name(f"xero-write-log{_suffix(source)}.db"), common) if source else (common, None)


def _rejects_path(settings: TargetSettings, source: str) -> Path:
    if settings.rejects_path:
        return Path(filled_in(settings.rejects_path, "rejects_path"))
    is_database = is_postgres(settings.write_log_path)
    folder = default_folder("rejects_path") if is_database else _log_file(settings, source)[0].parent
    return folder / f"xero-rejects{_suffix(source)}.singer"


def _suffix(source: str) -> str:
    """The part of a file's name for a source: characters that a name can't have are replaced by a fingerprint."""
    if not source:
        return ""
    plain = re.sub(r"[^\w.-]+", "_", source)
    return f"-{plain}" if plain == source else f"-{plain}-{fingerprint(source.encode())[:8]}"
