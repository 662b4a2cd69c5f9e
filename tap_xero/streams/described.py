"""What Singer sees of a stream."""

from __future__ import annotations

import logging
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
    """What Singer sees of a stream: its keys, its schema, its place in the catalog, its replication."""

    # Records leave the reader in the shape of their schema, so that the SDK needn't walk them again.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    STATE_MANAGER = OrganisationStates

    def __init__(self, tap: SdkTap, run: Run, xero: XeroObject) -> None:
        self.tap, self.run, self.xero = tap, run, xero
        self.selected_by_default = xero.selected or xero.name in run.opened
        self.projection = Projection(xero, tap.config)
        super().__init__(tap, schema=self.projection.schema(), name=xero.name)
        self.primary_keys = ("tenant_id", *map(self.named, xero.key))
        self.cursor = self.named(xero.cursor) if xero.cursor else None
        self.replication_key = self.cursor if xero.incremental else None
        self.reader = self.make_reader()
        self.projection.warn = self.reader.warn_once
        self.incomplete = False
        """Whether something of it could not be read."""

    def make_reader(self) -> RecordReader:
        """Make what reads the answers."""
        return RecordReader(self.xero, self.logger, keep=self.projection.keeps)

    # What Singer sees

    @property
    def is_open(self) -> bool:
        """Whether it may be read: what costs many calls is opened by the setting `detail_streams` only."""
        return not self.xero.costly or self.name in self.run.opened

    @property
    def is_wanted(self) -> bool:
        """Whether the catalog selects it."""
        return bool(self.mask.get((), True))

    @property
    def selected(self) -> bool:
        """Whether it is to be read."""
        return self.is_wanted and self.is_open

    @selected.setter
    def selected(self, value: bool | None) -> None:
        self.select(value)

    @property
    def metadata(self) -> Any:
        """The catalog's metadata; says of streams that are read whole by default whether they can be incremental."""
        cursor = self.cursor
        if not self.has_metadata and cursor and self.xero.can_be_incremental:
            metadata = super().metadata
            metadata.root.valid_replication_keys = [cursor]
            metadata[("properties", cursor)].inclusion = Metadata.InclusionType.AUTOMATIC
        return super().metadata

    def apply_catalog(self, catalog: Catalog) -> None:
        """Take over what a catalog chooses.

        The SDK forgets keys and bookmark of a stream whose entry doesn't repeat them; here they stay. See
        `tap_xero.catalog.choose_replication` for how a catalog chooses.
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
                f"Catalogue, stream {self.name}: replication method {method} is not offered."
            )
        if method == FULL_TABLE:
            self.replication_key = None
            return
        chosen = self.replication_key or (self.cursor if method == INCREMENTAL else cursor)
        if (chosen or method == INCREMENTAL) and not self.xero.can_be_incremental:
            raise ConfigurationProblem(
                f"Catalogue, stream {self.name}: it can't be incremental: Xero can't be asked for its changes alone."
            )
        if chosen and chosen not in {self.cursor, self.xero.cursor}:
            raise ConfigurationProblem(
                f"Catalogue, stream {self.name}: {chosen} can't be the replication key; use {self.cursor}."
            )
        self.replication_key = chosen and self.cursor  # Xero's name for it will do in snake_case, too
        self.forced_replication_method = INCREMENTAL if chosen else FULL_TABLE

    @property
    def partitions(self) -> list[dict[str, Any]]:
        """One for each organisation."""
        return [{"tenant_id": organisation.tenant_id} for organisation in self.run.organisations]

    @property
    def is_sorted(self) -> bool:
        """Bookmarks move with the rows, so that a run that was killed goes on where it was."""
        return True

    @property
    def check_sorted(self) -> bool:
        """Rows come in order, but the first may be a second older than the bookmark."""
        return False

    @property
    def logs_start(self) -> bool:
        """Whether to log where the reading of each organisation begins: not where that would bury all other lines."""
        return not self.run.has_many

    def get_replication_key_signpost(self, context: Any = None) -> None:
        """No ceiling for bookmarks: they are times of Xero's clock, on rows that were passed on."""

    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        """Log a message; what the SDK calls an unhandled error is handled by the tap, which says more of it."""
        if level == logging.ERROR:
            level = logging.DEBUG
        super().log(message, *args, level=level, **kwargs)

    @property
    def emit_activate_version_messages(self) -> bool:
        """Not now: see `finalize_state_progress_markers`."""
        return False

    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        """End the stream; a complete table is made the valid one.

        The SDK announces a new version before the first row, which makes a target forget the table when the run then
        breaks off. Here it comes after the last row, and only if every organisation was read to its end.
        """
        if self.version is not None:
            if self.selected and not self.incomplete:
                self.activate(self.version)
            self.version = None
        super().finalize_state_progress_markers(state)

    @property
    def is_whole_table(self) -> bool:
        """Whether this run reads all that the table is to hold, so that a target may drop everything else.

        Not for a table with a column `version`, which is the organisation's one row: the SDK's SQL targets can't mark
        deleted rows there, for they bind a parameter of that name.
        """
        return self.replication_method == FULL_TABLE and "version" not in self.schema["properties"]

    def named(self, field: str) -> str:
        """A field of Xero's as it is called in this stream's records."""
        return self.projection.named(field)

    @property
    def reads(self) -> tuple[str, ...]:
        """The names of the lists that it has to read: its own, and the organisation where regions decide."""
        return (self.xero.name, *([ORGANISATION.name] if self.xero.regions is not None else []))
