"""The settings of the target."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from singer_sdk import typing as th

from singer_xero.settings import CONNECTION_SETTINGS
from target_xero.content.day_formats import Order
from target_xero.write_specs.spec import MANY

SETTINGS_SCHEMA: dict[str, Any] = th.PropertiesList(
    *CONNECTION_SETTINGS,
    th.Property(
        "batch_size", th.IntegerType(minimum=1, maximum=MANY), default=MANY, title="Batch size",
        description="Records to send in one request, where Xero accepts several.",
    ),
    th.Property(
        "dry_run", th.BooleanType, default=False, title="Dry run",
        description="Check every record and print what would be created, updated, left unchanged or rejected, "
        "without sending a write. No state is passed on.",
    ),
    th.Property(
        "deletes", th.BooleanType, default=False, title="Deletes",
        description="Delete, void or archive records that have _sdc_deleted_at or such a status. Without it, "
        "these records are skipped.",
    ),
    th.Property(
        "write_log_path", th.StringType, secret=True, title="Log of writes",
        description="File that stores what was written, so that nothing is written twice; keep it. For "
        "several machines, postgresql://user:password@host/database (needs the extra postgres). "
        "$VARIABLES and ~ are expanded. Default: xero-write-log-<source>.db in "
        "$MELTANO_PROJECT_ROOT/.secrets under Meltano, otherwise in the user's state folder.",
    ),
    th.Property(
        "require_write_log", th.BooleanType, default=False, title="Require a log of writes",
        description="Fail if the log of writes has no entries for the organisation, because the log is lost or "
        "new.",
    ),
    th.Property(
        "source", th.StringType, title="Source",
        description="Name of the system that the records come from, such as crm. Records of different sources "
        "are never confused with each other. Default: the name of the extractor under Meltano "
        "($MELTANO_EXTRACTOR_NAME).",
    ),
    th.Property(
        "rejects_path", th.StringType, title="Rejects",
        description="File to which rejected records are appended, as a Singer stream that can be corrected "
        "and piped in again. Default: xero-rejects-<source>.singer beside the log of writes.",
    ),
    th.Property(
        "on_reject", th.StringType, default="continue", allowed_values=["continue", "stop"], title="On a reject",
        description="Continue with the other records, or stop. Either way, the exit code is 1.",
    ),
    th.Property(
        "on_difference", th.StringType, default="warn", allowed_values=["warn", "fail"], title="On a difference",
        description="Xero's answer to each write is compared with the record. If they differ, log a warning, "
        "or also set exit code 1. Either way, the record is written.",
    ),
    th.Property(
        "date_format", th.StringType, default="auto", allowed_values=["auto", *(order.value for order in Order)],
        title="Date format",
        description="How to read dates such as 05/12/2026. auto: in the format of the organisation's country; "
        "if the country does not decide, such a date is rejected.",
    ),
    th.Property(
        "missing_contacts", th.StringType, default="reject", allowed_values=["reject", "create"],
        title="Missing contacts",
        description="What to do with a document whose contact does not exist in Xero: reject it, or let Xero "
        "create the contact by its name, as Xero's own file import does.",
    ),
    th.Property(
        "on_unknown_stream", th.StringType, default="fail", allowed_values=["fail", "ignore"],
        title="Unknown stream",
        description="What to do with a stream that Xero does not have: fail before the first call, or skip "
        "it.",
    ),
).to_dict()  # fmt: skip


@dataclass(frozen=True)
class TargetSettings:
    """The settings with their types, without those of the connection."""

    batch_size: int
    dry_run: bool
    deletes: bool
    source: str
    write_log_path: str
    require_write_log: bool
    rejects_path: str
    stops_at_reject: bool
    fails_on_difference: bool
    date_format: str
    creates_contacts: bool
    ignores_unknown_streams: bool
    names_organisation: bool

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> TargetSettings:
        """Read checked settings."""
        return cls(
            batch_size=config["batch_size"],
            dry_run=bool(config["dry_run"]),
            deletes=bool(config["deletes"]),
            source=str(config.get("source") or os.environ.get("MELTANO_EXTRACTOR_NAME") or ""),
            write_log_path=config.get("write_log_path") or "",
            require_write_log=bool(config["require_write_log"]),
            rejects_path=config.get("rejects_path") or "",
            stops_at_reject=config["on_reject"] == "stop",
            fails_on_difference=config["on_difference"] == "fail",
            date_format=config["date_format"],
            creates_contacts=config["missing_contacts"] == "create",
            ignores_unknown_streams=config["on_unknown_stream"] == "ignore",
            names_organisation=bool(config.get("tenant_ids")),
        )
