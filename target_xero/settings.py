"""The settings of the target: their descriptions for users, and their typed values."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from singer_sdk import typing as th

from singer_xero.settings import CONNECTION_SETTINGS, properties_of, setting
from target_xero.content.day_formats import Order
from target_xero.write_specs.spec import MANY


@dataclass(frozen=True)
class TargetSettings:
    """The values of the settings, except those of the connection."""

    # fmt: off
    batch_size: int = setting(
        th.IntegerType(minimum=1, maximum=MANY), "Batch size", default=MANY,
        description="Records to send in one request, where Xero accepts several.",
    )
    dry_run: bool = setting(
        th.BooleanType, "Dry run", default=False,
        description="Check every record and print what would be created, updated, left unchanged or rejected, "
        "without sending a write. No state is passed on.",
    )
    deletes: bool = setting(
        th.BooleanType, "Deletes", default=False,
        description="Delete, void or archive records that have _sdc_deleted_at or such a status. Without it, "
        "these records are skipped.",
    )
    write_log_path: str = setting(
        th.StringType, "Log of writes", empty="", secret=True,
        description="File that stores what was written, so that nothing is written twice; keep it. For "
        "several machines, postgresql://user:password@host/database (needs the extra postgres). "
        "$VARIABLES and ~ are expanded. Default: xero-write-log-<source>.db in "
        "$MELTANO_PROJECT_ROOT/.secrets under Meltano, otherwise in the user's state folder.",
    )
    require_write_log: bool = setting(
        th.BooleanType, "Require a log of writes", default=False,
        description="Fail if the log of writes has no entries for the organisation, because the log is lost or "
        "new.",
    )
    source: str = setting(
        th.StringType, "Source", empty="",
        description="Name of the system that the records come from, such as crm. Records of different sources "
        "are never confused with each other. Default: the name of the extractor under Meltano "
        "($MELTANO_EXTRACTOR_NAME).",
    )
    rejects_path: str = setting(
        th.StringType, "Rejects", empty="",
        description="File to which rejected records are appended, as a Singer stream that can be corrected "
        "and piped in again. Default: xero-rejects-<source>.singer beside the log of writes.",
    )
    on_reject: str = setting(
        th.StringType, "On a reject", default="continue", allowed_values=["continue", "stop"],
        description="Continue with the other records, or stop. Either way, the exit code is 1.",
    )
    on_difference: str = setting(
        th.StringType, "On a difference", default="warn", allowed_values=["warn", "fail"],
        description="Xero's answer to each write is compared with the record. If they differ, log a warning, "
        "or also set exit code 1. Either way, the record is written.",
    )
    date_format: str = setting(
        th.StringType, "Date format", default="auto", allowed_values=["auto", *(order.value for order in Order)],
        description="How to read dates such as 05/12/2026. auto: in the format of the organisation's country; "
        "if the country does not decide, such a date is rejected.",
    )
    missing_contacts: str = setting(
        th.StringType, "Missing contacts", default="reject", allowed_values=["reject", "create"],
        description="What to do with a document whose contact does not exist in Xero: reject it, or let Xero "
        "create the contact by its name, as Xero's own file import does.",
    )
    on_unknown_stream: str = setting(
        th.StringType, "Unknown stream", default="fail", allowed_values=["fail", "ignore"],
        description="What to do with a stream that Xero does not have: fail before the first call, or skip "
        "it.",
    )
    # fmt: on

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> TargetSettings:
        """Read checked settings."""
        given = {one.name: value for one in fields(cls) if (value := config.get(one.name)) is not None}
        source = config.get("source") or os.environ.get("MELTANO_EXTRACTOR_NAME") or ""
        return cls(**{**given, "source": source})


SETTINGS_SCHEMA = th.PropertiesList(*CONNECTION_SETTINGS, *properties_of(TargetSettings)).to_dict()
