"""The Singer side of a stream."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import Any

from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib import Catalog, Metadata

from singer_xero.errors import ConfigurationProblem
from singer_xero.objects import ORGANISATION, XeroObject
from tap_xero.records.projection import Projection
from tap_xero.records.reader import RecordReader
from tap_xero.run import Run
from tap_xero.sdk import SdkStream, SdkTap
from tap_xero.state.writer import OrganisationStates

INCREMENTAL, FULL_TABLE = "INCREMENTAL", "FULL_TABLE"


class DescribedStream(SdkStream):
    """The Singer side of a stream: keys, schema, catalog entry and replication."""

    # Records already conform to their schema when they leave the reader.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    STATE_MANAGER = OrganisationStates
    # Bookmarks move with the rows, so that a killed run can be continued.
    is_sorted = True
    # The first row may be a second older than the bookmark.
    check_sorted = False
    # See `finalize_state_progress_markers`.
    emit_activate_version_messages = False

    def __init__(self, tap: SdkTap, run: Run, xero: XeroObject) -> None:
        self.tap, self.run, self.xero = tap, run, xero
        self.selected_by_default = xero.selected or xero.name in run.opened
        self.projection = Projection(xero, run.settings)
        super().__init__(tap, schema=self.projection.schema(), name=xero.name)
        self.primary_keys = ("tenant_id", *map(self.named, xero.key))
        self.cursor = self.named(xero.cursor) if xero.cursor else None
        self.replication_key = self.cursor if xero.incremental else None
        self.projection.warn = self.warn_once
        self.incomplete = False
        """Whether a part of it could not be read."""

    @cached_property
    def reader(self) -> RecordReader:
        """Reads its answers."""
        return RecordReader(self.xero, self.logger, keep=self.projection.keeps)

    def warn_once(self, message: str) -> None:
        """Log a warning, unless it was logged before."""
        self.reader.warn_once(message)

    @property
    def is_open(self) -> bool:
        """Whether it may be read: a costly stream must be named in the setting `detail_streams`."""
        return not self.xero.costly or self.name in self.run.opened

    @property
    def is_wanted(self) -> bool:
        """Whether the catalog selects it."""
        return bool(self.mask.get((), True))

    @property
    def selected(self) -> bool:
        """Whether it is read."""
        return self.is_wanted and self.is_open

    @selected.setter
    def selected(self, value: bool | None) -> None:
        self.select(value)

    @property
    def metadata(self) -> Any:
        """The metadata in the catalog, with the replication keys of streams that can be incremental."""
        cursor = self.cursor
        if not self.has_metadata and cursor and self.xero.can_be_incremental:
            metadata = super().metadata
            metadata.root.valid_replication_keys = [cursor]
            metadata[("properties", cursor)].inclusion = Metadata.InclusionType.AUTOMATIC
        return super().metadata

    def apply_catalog(self, catalog: Catalog) -> None:
        """Apply the choices of a catalog; see `tap_xero.catalog.choose_replication`.

        Unlike in the SDK, key and replication key stay if the entry does not repeat them.
        """
        keys, cursor = self.primary_keys, self.replication_key
        super().apply_catalog(catalog)
        entry = catalog.get_stream(self.name)
        if entry is None:
            return
        self.primary_keys = self.primary_keys or keys
        method = (self.forced_replication_method or "").upper()
        if method not in {"", INCREMENTAL, FULL_TABLE}:
            raise ConfigurationProblem(
                f"Catalog, stream {self.name}: the replication method {method} is not supported."
            )
        if method == FULL_TABLE:
            self.replication_key = None
            return
        chosen = self.replication_key or (self.cursor if method == INCREMENTAL else cursor)
        if (chosen or method == INCREMENTAL) and not self.xero.can_be_incremental:
            raise ConfigurationProblem(
                f"Catalog, stream {self.name}: it can't be incremental, since Xero can't be asked for changes only."
            )
        if chosen and chosen not in {self.cursor, self.xero.cursor}:
            raise ConfigurationProblem(
                f"Catalog, stream {self.name}: {chosen} can't be the replication key; use {self.cursor}."
            )
        self.replication_key = chosen and self.cursor  # Xero's own name is accepted with snake_case, too
        self.forced_replication_method = INCREMENTAL if chosen else FULL_TABLE

    @property
    def partitions(self) -> list[dict[str, Any]]:
        """A partition for each organisation."""
        return [{"tenant_id": organisation.tenant_id} for organisation in self.run.organisations]

    @property
    def logs_start(self) -> bool:
        """Whether to log the beginning of each organisation; not if there are many."""
        return not self.run.has_many

    def get_replication_key_signpost(self, context: Any = None) -> None:
        """None: bookmarks are times of Xero's clock, so they need no upper bound."""

    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        """Log a message. The SDK's unhandled errors go to DEBUG, since the tap logs them with more detail."""
        if level == logging.ERROR:
            level = logging.DEBUG
        super().log(message, *args, level=level, **kwargs)

    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        """End the stream, and activate the version of a complete table.

        The SDK activates a version before the first row, so that an interrupted run empties a table. Here it comes
        after the last row, and only if every organisation was read completely.
        """
        if self.version is not None:
            if self.selected and not self.incomplete:
                self.activate(self.version)
            self.version = None
        super().finalize_state_progress_markers(state)

    @property
    def is_whole_table(self) -> bool:
        """Whether this run reads the complete table, so that a target may remove all other rows.

        Not for a table with a column `version`, as of organisations: the SDK's SQL targets can't mark deleted rows
        there, since they bind a parameter of that name.
        """
        return self.replication_method == FULL_TABLE and "version" not in self.schema["properties"]

    def named(self, field: str) -> str:
        """The name of a field of Xero's in the records of this stream."""
        return self.projection.named(field)

    @property
    def reads(self) -> tuple[str, ...]:
        """The names of the lists that it reads: its own, and the organisation if it has regions."""
        return (self.xero.name, *([ORGANISATION.name] if self.xero.regions is not None else []))
