"""The tap: its settings, its streams, and the order in which they are read."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any

from singer_sdk import Stream
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities

from singer_xero.api.errors import AccessError
from singer_xero.connection import Connected
from singer_xero.errors import ConfigurationProblem
from singer_xero.json_input import text_of
from singer_xero.settings import ConnectionSettings, environment
from tap_xero.catalog import catalog_from, choose_replication, fill_in
from tap_xero.failures import Failures, Unforeseen
from tap_xero.memory import stay_small
from tap_xero.message_writer import BlockWriter
from tap_xero.reads.list_read import ListRead
from tap_xero.records.projection import changed_schema, with_precision
from tap_xero.records.stream_maps import check_maps, check_names, prepare, with_numbers
from tap_xero.run import Run
from tap_xero.sdk import SdkTap, get_selected_schema
from tap_xero.settings import SETTINGS, SINGER_DECIMALS, Settings
from tap_xero.state.check import check_state, organisations_in
from tap_xero.state.foreign import ForeignBookmarks, state_from, unwrapped
from tap_xero.state.writer import SparingStateWriter
from tap_xero.streams.discovery import all_streams
from tap_xero.streams.stream import XeroStream

if TYPE_CHECKING:
    from singer_sdk.mapper import StreamMap


SHAPING = ("field_names", "nested_tables", "unknown_fields", "decimals")
"""The settings on which schemas depend."""


class TapXero(SdkTap):
    """Reads Xero: every object of every organisation, with its whole history."""

    name = "tap-xero"
    message_writer_class = BlockWriter

    # Not BATCH: the SDK writes batch files without regard to the selection of fields.
    capabilities = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        TapCapabilities.ACTIVATE_VERSION,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    config_jsonschema = SETTINGS

    def __init__(self, *, catalog: Any = None, **kwargs: Any) -> None:
        if isinstance(catalog, dict):
            catalog = choose_replication(fill_in(catalog, self._shapes(kwargs)))
        if isinstance(kwargs.get("state"), dict):
            kwargs["state"] = unwrapped(kwargs["state"])
            check_state(kwargs["state"])
        self._foreign = ForeignBookmarks.of(kwargs.get("state") or {})
        super().__init__(catalog=catalog, **kwargs)
        self._states = SparingStateWriter(self.message_writer)
        self.use_state_writer(self._states)
        _ = self.run  # reads the settings

    def _shapes(self, given: Mapping[str, Any]) -> Settings:
        """The settings in `SHAPING`, which are needed to read a catalog before the SDK has read the configuration."""
        config = given.get("config") or {}
        found = {name: config[name] for name in SHAPING if config.get(name) is not None}
        missing = {name: self.config_jsonschema["properties"][name] for name in SHAPING if name not in found}
        variables = os.environ if given.get("parse_env_config") else {}
        return Settings.of(environment("TAP_XERO", missing, variables, empty=True) | found)

    @cached_property
    def run(self) -> Run:
        """What the streams share in this run."""
        return Run(
            Settings.of(self.config),
            Connected(ConnectionSettings.of(self.config), self.logger),
            self.logger,
            flush=self.flush,
            bookmark_moved=lambda: self._states.bookmark_moved(self.state),
        )

    @property
    def failures(self) -> Failures:
        """What could not be read."""
        return self.run.failures

    def discover_streams(self) -> list[XeroStream]:
        """All streams, whatever the organisation has, so that discovery makes no call."""
        return all_streams(self, self.run)

    @property
    def selected_streams(self) -> list[XeroStream]:
        """The streams that are read."""
        return [one for one in self.streams.values() if isinstance(one, XeroStream) and one.selected]

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        if self.config.get("stream_maps"):
            check_maps(self.config["stream_maps"])
        return super()._validate_config(raise_errors=raise_errors)

    def setup_mapper(self) -> None:
        """Set up the stream maps; raises `ConfigurationProblem` for one that can't work.

        The SDK makes the maps of all streams, and fails if a pattern matches a deselected stream. Here the maps of
        selected streams are made first, and others on demand.
        """
        maps = self.config.get("stream_maps")
        if maps:
            schemas = {name: stream.schema for name, stream in self.streams.items()}
            check_names(maps, schemas)
            self.change_maps(with_numbers(maps, schemas))
        self.set_up_maps()
        for stream in self.streams.values() if maps else ():
            if stream.selected:
                self.maps_of(stream)

    def maps_of(self, stream: Stream) -> list[StreamMap]:
        """The stream maps of a stream."""
        if stream.name not in self.mapper.stream_maps:
            entry = self.catalog.get_stream(stream.name)
            schema, keys = stream.schema, stream.primary_keys
            if entry is not None:
                mask = entry.metadata.resolve_selection()
                schema = get_selected_schema(stream.name, entry.schema.to_dict(), mask)
                keys = entry.key_properties or ()
            if self.config.get("decimals") in SINGER_DECIMALS:
                schema = changed_schema(schema, with_precision)
            self.mapper.register_raw_stream_schema(stream.name, schema, keys)
            for one in self.mapper.stream_maps[stream.name]:
                prepare(one)
        return self.mapper.stream_maps[stream.name]

    def flush(self) -> None:
        """Pass on to the target what has been read so far."""
        if isinstance(self.message_writer, BlockWriter):
            self.message_writer.flush()

    def close(self) -> None:
        """Write the last state and end the run."""
        try:
            self._states.end(self.state)
            self.flush()
        finally:  # with a target that has ended, nothing can be written, and threads still wait for room
            self.run.close()

    # The run

    def sync_all(self) -> None:  # type: ignore[misc]
        """Read all selected streams. A failure of one of them is recorded, and the others are read."""
        self.run.check_scopes(stream.xero for stream in self.selected_streams)
        self.begin()
        if self._foreign.found or self._foreign.ignored:
            self._foreign.take_over(self.streams, self.run.organisations, self.state)
        self._warn_of_other_organisations()
        if self.state:
            self._states.write_state(self.state)
        streams = [one for one in self.streams.values() if one.selected or one.has_selected_descendents]
        if len(streams) < len(self.streams):
            self.logger.info("%d of %d streams are read.", len(streams), len(self.streams))
        self._name_closed()
        readers = [one for one in streams if not one.parent_stream_type]
        self.run.begin(self._reads(readers), self._shared(readers))
        for stream in readers:
            self._sync(stream)
            self.run.check_stopped()
        for stream in self.streams.values():
            stream.log_sync_costs()

    def _reads(self, streams: list[Stream]) -> Iterator[ListRead]:
        """All reads of this run, in the order in which they are consumed. Each is made when it is about to begin."""
        for stream in streams:
            if isinstance(stream, XeroStream) and self.run.missing_scope(stream.xero) is None:
                for organisation in self.run.organisations:
                    yield stream.list_read(organisation)

    @staticmethod
    def _shared(streams: list[Stream]) -> frozenset[str]:
        """The lists that several streams of this run read."""
        read = Counter(
            name
            for stream in streams
            if isinstance(stream, XeroStream) and stream.selected
            for name in stream.reads
        )
        return frozenset(name for name, number in read.items() if number > 1)

    def _warn_of_other_organisations(self) -> None:
        """Warn if the state has bookmarks of other organisations only, since the connection may have changed."""
        known, now = organisations_in(self.state), {one.tenant_id: one.name for one in self.run.organisations}
        if known and known.isdisjoint(now):
            self.logger.warning(
                "The state has bookmarks of other organisations only (%s), and none of those that are read: %s. All "
                "lists are read from the beginning. If that is not intended, check the connection and tenant_ids.",
                ", ".join(sorted(known)),
                ", ".join(f"{name} = {tenant_id}" for tenant_id, name in now.items()),
            )

    def _name_closed(self) -> None:
        """Warn of selected streams that are too costly to be read, and of opened ones that are not selected."""
        streams = [one for one in self.streams.values() if isinstance(one, XeroStream)]
        closed = [one for one in streams if one.is_wanted and not one.is_open and not one.parent_stream_type]
        if closed:
            prices = ", ".join(f"{one.name} ({one.xero.calls})" for one in closed)
            self.logger.warning(
                "These selected streams are not read, since they cost many calls: %s. To read some, name them in "
                "detail_streams; * stands for all.", prices,
            )  # fmt: skip
        idle = [one.name for one in streams if one.name in self.run.opened and not one.is_wanted]
        if idle and "*" not in self.run.settings.detail_streams:
            names = ", ".join(idle)
            self.logger.warning("These streams in detail_streams are not selected and not read: %s.", names)

    def _sync(self, stream: Stream) -> None:
        try:
            stream.sync()
            stream.finalize_state_progress_markers()
        except (AccessError, ConfigurationProblem, OSError):  # an OSError means that stdout is closed
            raise
        except Exception as error:
            if not isinstance(stream, XeroStream):
                raise
            stream.incomplete = True
            for organisation in self.run.organisations:
                stream.failed(organisation, Unforeseen.of(error))

    # The command

    def stop(self, signum: int) -> bool:
        """End soon, with the state of what was passed on. The exit code says that the run is incomplete."""
        if not self.run.stop(signum):
            return False
        self._states.write_state(self.state)
        return True

    @classmethod
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: Any = None,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
    ) -> None:
        """Run the tap. The exit code is 1 if a stream was not read completely."""
        if about:
            cls.print_about(about_format)
            return
        cls.print_version(print_fn=cls.logger.info)
        tap = cls(
            config=config.config if config else {},
            state=None if state is None else state_from(text_of(state, "state file")),
            catalog=None if catalog is None else catalog_from(catalog),
            parse_env_config=bool(config and config.parse_env),
        )
        try:
            tap.run.check_scopes(stream.xero for stream in tap.selected_streams)
            _ = tap.run.organisations
            stay_small()
            tap.sync_all()
            tap.run.report()
        except BrokenPipeError:
            cls.logger.error("The target has ended, so the run is not complete. Check the target's log.")
            raise
        finally:
            tap.close()
        if tap.run.failures:
            sys.exit(1)
