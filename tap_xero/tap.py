"""The tap: its settings, its connection, one stream for each object and organisation."""

from __future__ import annotations

import difflib
import fnmatch
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
from concurrent.futures import Future
from datetime import date, datetime, timezone
from functools import cached_property
from types import FrameType
from typing import IO, TYPE_CHECKING, Any, TypeVar

from singer_sdk import Stream, Tap
from singer_sdk import typing as th
from singer_sdk.helpers._catalog import get_selected_schema
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities

from singer_xero.api.errors import AccessError, XeroError
from singer_xero.api.scope_advice import way_to
from singer_xero.config import (
    CONNECTION_SETTINGS,
    SCOPE_SETTING,
    TEXTS,
    ConfigurationProblem,
    Connected,
    Organisation,
    XeroPlugin,
    from_environment,
    text_of,
)
from singer_xero.objects import STREAMS, XeroObject
from tap_xero.catalog import catalog_from, choose_replication, fill_in
from tap_xero.failures import Failure, Failures, Unforeseen
from tap_xero.memory import stay_small
from tap_xero.message_writer import BlockWriter
from tap_xero.paging import Chunk
from tap_xero.prefetch import Prefetch, Read, threads_for
from tap_xero.records.naming import SNAKE_CASE, XERO
from tap_xero.records.projection import DROP, KEEP, NUMBER, SINGER_DECIMALS, STRING, with_precision
from tap_xero.records.stream_maps import check_maps, check_names, prepare, with_numbers
from tap_xero.state.check import check_state, organisations_in
from tap_xero.state.foreign import ForeignBookmarks, state_from, unwrapped
from tap_xero.state.writer import SparingStateWriter
from tap_xero.streams.attachments import Files
from tap_xero.streams.budgets import windows
from tap_xero.streams.discovery import all_streams
from tap_xero.streams.lists import Reading, XeroStream, moment_of
from tap_xero.streams.periods import later, month_end
from tap_xero.streams.reports import REPORT_SETTINGS

if TYPE_CHECKING:
    from singer_sdk.mapper import StreamMap

    from singer_xero.api.client import XeroClient

T = TypeVar("T")

DAYS = ("start_date", "report_start_date", "report_end_date", "budget_start_date", "budget_end_date")
"""The settings that are days."""

SHAPING = ("field_names", "nested_tables", "unknown_fields", "decimals")
"""The settings that the schemas depend on."""

MANY = 20
"""Organisations up to which each list is logged even when it holds nothing new."""


STOPPING_TAKES = 8.0
"""Seconds after a signal to end within which what has been read so far is proved; what sends it kills after ten."""


class TapXero(XeroPlugin, Tap):
    """Reads Xero's Accounting API: every object, every organisation, with its whole history."""

    name = "tap-xero"
    message_writer_class = BlockWriter

    # Without BATCH: the SDK writes batch files without looking at the selection of fields.
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

    config_jsonschema = th.PropertiesList(
        *CONNECTION_SETTINGS,
        SCOPE_SETTING,
        th.Property(
            "start_date", th.DateTimeType, title="Start date",
            description="For incremental streams without a bookmark, read from this day or moment on. Journals "
            "and full tables are always read in full. Default: all history.",
        ),
        th.Property(
            "page_size", th.IntegerType(minimum=1, maximum=1000), default=1000, title="Page size",
            description="Rows to request in one call, 1 to 1000.",
        ),
        th.Property(
            "include_archived", th.BooleanType, default=True, title="Include archived",
            description="Also read archived contacts, tracking categories and invoices of archived contacts. "
            "Without them, archived records stay active downstream.",
        ),
        th.Property(
            "budget_start_date", th.DateType, title="Budgets from",
            description="Read budgets from the month of this day; 24 months take one call. Default: twelve months "
            "ago.",
        ),
        th.Property(
            "budget_end_date", th.DateType, title="Budgets to",
            description="Read budgets to the month of this day. Default: eleven months ahead.",
        ),
        *REPORT_SETTINGS,
        th.Property(
            "field_names", th.StringType, default=XERO, allowed_values=[XERO, SNAKE_CASE], title="Field names",
            description="xero: names as in Xero, such as UpdatedDateUTC; snake_case: updated_date_utc, which "
            "needs no quotes in SQL. Applies to nested fields, too.",
        ),
        th.Property(
            "nested_tables", th.BooleanType, default=False, title="Nested tables",
            description="Also create streams of the lists inside records, such as invoice_line_items, and put the "
            "ids of nested records into columns (ContactID beside Contact). Costs no calls.",
        ),
        th.Property(
            "unknown_fields", th.StringType, default=DROP, allowed_values=[DROP, KEEP], title="Unknown fields",
            description="What to do with fields that the schema does not have, and with values that a field "
            "cannot hold: drop them with a warning, or keep them as JSON text in the column "
            "UnknownFields.",
        ),
        th.Property(
            "decimals", th.StringType, default=NUMBER, allowed_values=[NUMBER, STRING, *SINGER_DECIMALS],
            title="Decimals",
            description="Form of amounts, quantities and rates. number: JSON numbers, digit for digit; string: "
            "text; singer.decimal or x-singer.decimal: text that the schema declares as a decimal of "
            "38 digits, 10 of them after the point, for targets that create a decimal column from it.",
        ),
        th.Property(
            "complete_records", th.BooleanType, title="Complete records",
            description="Give each record all fields of its schema, in the schema's order, with null where Xero "
            "sends nothing. Default: true with stream maps or flattening, otherwise false.",
        ),
        th.Property(
            "detail_streams", TEXTS, title="Streams of details",
            description="Streams to read although they cost many calls, mostly one for each record (history, "
            "attachments, details, online invoices, aged reports by contact, published reports, "
            "receipts, cash journals): names, patterns with *, or * for all. Other such streams are "
            "not read, whatever the catalog selects.",
        ),
        th.Property(
            "attachments_path", th.StringType, title="Folder for attachments",
            description="Folder or fsspec URL (such as s3://bucket, with its package installed) in which the "
            "streams of attachments store the files; $VARIABLES and ~ are expanded. Existing files "
            "are not fetched again. Default: files are listed only.",
        ),
        th.Property(
            "emit_activate_version_messages", th.BooleanType, default=True, title="Emit ACTIVATE_VERSION",
            description="Send ACTIVATE_VERSION after a full table was read to its end. The target then marks or "
            "removes rows that no longer exist in Xero.",
        ),
    ).to_dict()  # fmt: skip

    def __init__(self, *, catalog: Any = None, **kwargs: Any) -> None:
        if isinstance(catalog, dict):
            catalog = choose_replication(fill_in(catalog, self._shapes(kwargs)))
        self.failures = Failures(self.logger)
        self._stopped_by = 0
        self._skipped: set[tuple[str, str]] = set()
        self._ahead: Prefetch | None = None
        self._readings: dict[tuple[str, str], Reading] = {}
        self._known: dict[Hashable, Future[Any]] = {}
        self._asking = threading.Lock()
        if isinstance(kwargs.get("state"), dict):
            kwargs["state"] = unwrapped(kwargs["state"])
            check_state(kwargs["state"])
        self._foreign = ForeignBookmarks.of(kwargs.get("state") or {})
        super().__init__(catalog=catalog, **kwargs)
        self._state_writer = self._states = SparingStateWriter(self.message_writer)
        for name in DAYS:
            day = self.config.get(name)
            try:
                if day and (name == "start_date" or date.fromisoformat(day[:10])):
                    moment_of(day)
            except ValueError:
                raise ConfigurationProblem(f"{name} must be a day like 2024-07-01, not {day!r}.") from None
        for first, last in ((f"{kind}_start_date", f"{kind}_end_date") for kind in ("report", "budget")):
            if (self.config.get(first) or "") > (self.config.get(last) or "9"):
                raise ConfigurationProblem(f"{first} must not be later than {last}.")

    def _shapes(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The settings for the shape of records: a catalogue is read by them before there is a configuration."""
        schema = self.config_jsonschema["properties"]
        found = {name: (given.get("config") or {}).get(name) for name in SHAPING}
        for name, value in found.items():
            variable = f"{self.name.upper().replace('-', '_')}_{name.upper()}"
            if value is None and given.get("parse_env_config") and variable in os.environ:
                found[name] = from_environment(variable, os.environ[variable], schema[name])
        return found

    def discover_streams(self) -> list[XeroStream]:
        """All objects are streams, whatever the organisation has: no call is needed to know them."""
        return all_streams(self)

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        if self.config.get("stream_maps"):
            check_maps(self.config["stream_maps"])
        return super()._validate_config(raise_errors=raise_errors)

    def setup_mapper(self) -> None:
        """Set up the stream maps; raises `ConfigurationProblem` for one that can't work.

        The SDK makes those of all streams, and fails on a pattern that a deselected stream matches. Here those of
        selected streams are made, and others when they are asked for.
        """
        maps = self.config.get("stream_maps")
        if maps:
            schemas = {name: stream.schema for name, stream in self.streams.items()}
            check_names(maps, schemas)
            self._config["stream_maps"] = with_numbers(maps, schemas)
        super(Tap, self).setup_mapper()
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
                schema = with_precision(schema)
            self.mapper.register_raw_stream_schema(stream.name, schema, keys)
            for one in self.mapper.stream_maps[stream.name]:
                prepare(one)
        return self.mapper.stream_maps[stream.name]

    # The connection

    @cached_property
    def connected(self) -> Connected:
        """The way to Xero that the settings lead to."""
        return Connected(self.config, self.logger)

    @property
    def client(self) -> XeroClient:
        """The one client of all streams."""
        return self.connected.client

    @property
    def organisations(self) -> list[Organisation]:
        """The organisations to read."""
        return self.connected.organisations

    def organisation(self, tenant_id: str) -> Organisation:
        """The organisation with this id."""
        return self._by_id[tenant_id]

    @cached_property
    def _by_id(self) -> dict[str, Organisation]:
        return {organisation.tenant_id: organisation for organisation in self.organisations}

    def bookmark_moved(self) -> None:
        """Let the target know how far a list has been read, now and then."""
        self._states.bookmark_moved(self.state)

    @property
    def has_many(self) -> bool:
        """Whether a line of log for each list with nothing new would bury all others."""
        return len(self.organisations) > MANY

    def today(self) -> date:
        """The day it is, in UTC."""
        return datetime.now(timezone.utc).date()

    def once(self, key: Hashable, ask: Callable[[], T]) -> T:
        """What several streams have to know, such as the contacts with a balance: asked once in a run."""
        with self._asking:
            is_first = key not in self._known
            answer: Future[T] = self._known.setdefault(key, Future())
        if is_first:
            try:
                answer.set_result(ask())
            except BaseException as error:
                answer.set_exception(error)
        return answer.result()

    @cached_property
    def shared(self) -> frozenset[str]:
        """The lists that more than one of the streams of this run has to read, so that they are asked for once."""
        read = Counter(
            name
            for stream in self.streams.values()
            if isinstance(stream, XeroStream) and stream.selected and not stream.parent_stream_type
            for name in stream.reads
        )
        return frozenset(name for name, streams in read.items() if streams > 1)

    @cached_property
    def opened(self) -> frozenset[str]:
        """The streams that cost many calls and may be read; `ConfigurationProblem` for an unknown name."""
        costly = [name for name, xero in STREAMS.items() if xero.costly]
        found: set[str] = set()
        for name in self.config.get("detail_streams") or ():
            matches = fnmatch.filter(costly, name)
            if not matches and name not in STREAMS:
                near = difflib.get_close_matches(name, costly, 1)
                meant = f"did you mean {near[0]}?" if near else f"they are: {', '.join(costly)}."
                raise ConfigurationProblem(f"detail_streams: no stream is called {name}; {meant}")
            found.update(matches)
        return frozenset(found)

    @cached_property
    def files(self) -> Files | None:
        """Where attachments are put; None: they are listed only."""
        path = self.config.get("attachments_path")
        return Files(path) if path else None

    def budget_range(self) -> tuple[date, date]:
        """The first day of the first month that budgets are read for, and the last day of the last one."""
        month = self.today().replace(day=1)
        start, end = (self.config.get(f"budget_{name}_date") for name in ("start", "end"))
        first = date.fromisoformat(start[:10]) if start else later(month, -12)
        last = date.fromisoformat(end[:10]) if end else max(later(month, 11), first)
        return first.replace(day=1), month_end(last)

    def detail_params(self, xero: XeroObject) -> list[dict[str, str]]:
        """What to ask a single GET for, call by call: budgets give three months unless told, and at most 24."""
        return list(windows(*self.budget_range())) if xero.name == "budgets" else [{}]

    def read(self, stream: XeroStream, organisation: Organisation) -> tuple[Reading, Iterator[Chunk]]:
        """Begin to consume a list; with the first one, all selected lists begin to be read ahead."""
        if stream.ABORT_AT_RECORD_COUNT is not None:  # `--test` wants one record of each and not a call more
            reading = Reading(stream, organisation)
            return reading, reading.chunks()
        if self._ahead is None:
            self._ahead = Prefetch(self._lists(), threads_for(len(self.organisations)))
        key = (stream.name, organisation.tenant_id)
        if key not in self._ahead:  # read a second time
            reading = Reading(stream, organisation)
            return reading, reading.chunks()
        reading = self._readings.pop(key)
        reading.is_due = True
        return reading, self._ahead.consume(key)

    def _lists(self) -> Iterator[tuple[Hashable, Read]]:
        """All lists of this run in the order in which they are consumed, each made when its turn comes near."""
        for stream in self.streams.values():
            if not isinstance(stream, XeroStream) or stream.parent_stream_type:
                continue
            if (stream.selected or stream.has_selected_descendents) and self.missing_scope(stream) is None:
                for organisation in self.organisations:
                    key = (stream.name, organisation.tenant_id)
                    self._readings[key] = Reading(stream, organisation)
                    yield key, self._readings[key].chunks

    def flush(self) -> None:
        """Let the target have what has been read so far."""
        if isinstance(self.message_writer, BlockWriter):
            self.message_writer.flush()

    def close(self) -> None:
        """Stop reading ahead, close the connections and stop an embedded sandbox."""
        self._states.end(self.state)
        self.flush()
        self.connected.interrupt()
        if self._ahead is not None:
            self._ahead.close()
        self.connected.close()

    # What can't be read

    def missing_scope(self, stream: XeroStream) -> str | None:
        """The scope that the token lacks for a stream; None too when the token doesn't say what it may do."""
        try:
            return stream.scope_missing(self.client.scopes())
        except AccessError:
            raise
        except XeroError:  # a token that doesn't list its scopes: Xero's answers will tell
            return None

    def may_read(self, stream: XeroStream) -> bool:
        """Tell whether the token opens a stream; says once why not."""
        scope = self.missing_scope(stream)
        if scope:
            if self.config.get("on_missing_scope") == "fail":
                self.check_scopes()
            if (stream.name, scope) not in self._skipped:
                self._skipped.add((stream.name, scope))
                self.logger.warning(
                    "Stream %s is skipped: the token lacks the scope %s. How to get it: %s. Or deselect the stream.",
                    stream.name, scope, way_to(scope, custom=self.client.is_custom_connection),
                )  # fmt: skip
        return scope is None

    def failed(self, stream: XeroStream, organisation: Organisation, error: XeroError) -> None:
        """Note what went wrong and go on with what can be read."""
        if stream.ABORT_AT_RECORD_COUNT is not None:  # `--test`: the first failure is the answer
            raise error
        self.failures.note(Failure(stream.name, organisation, error))

    def check_scopes(self) -> None:
        """With `on_missing_scope: fail`: raise `ConfigurationProblem` for every selected stream without its scope."""
        if self.config.get("on_missing_scope") != "fail":
            return
        streams = [s for s in self.streams.values() if isinstance(s, XeroStream) and s.selected]
        missing = {stream.name: scope for stream in streams if (scope := self.missing_scope(stream))}
        if missing:
            listing = ", ".join(f"{scope} (for {name})" for name, scope in missing.items())
            raise ConfigurationProblem(
                f"The token lacks scopes: {listing}. How to get them: "
                f"{way_to(*missing.values(), custom=self.client.is_custom_connection)}. "
                "Or deselect the streams, or set on_missing_scope to skip."
            )

    def report(self) -> None:
        """Say at the end what each organisation cost, and what is missing."""
        for organisation in self.organisations:
            usage = self.client.usage(organisation.header)
            left = "" if usage.day_left is None else f", {usage.day_left:,} left today"
            self.logger.info(
                "%s: %s calls%s, %.1f MB received, %.0f s waited.",
                organisation.name,
                f"{usage.calls:,}",
                left,
                usage.received / 1e6,
                usage.waited,
            )
        self.failures.report()

    # The run

    def sync_all(self) -> None:  # type: ignore[misc]
        """Read all selected streams; what goes wrong in one of them is noted, and the others are read."""
        self._reset_state_progress_markers()
        self._set_compatible_replication_methods()
        self._take_over_bookmarks()
        self._warn_of_other_organisations()
        if self.state:
            self._state_writer.write_state(self.state)
        streams = [one for one in self.streams.values() if one.selected or one.has_selected_descendents]
        if len(streams) < len(self.streams):
            self.logger.info("%d of %d streams are read.", len(streams), len(self.streams))
        self._name_closed()
        for stream in streams:
            if not stream.parent_stream_type:
                self._sync(stream)
                self.check_stopped()
        for stream in self.streams.values():
            stream.log_sync_costs()

    def _warn_of_other_organisations(self) -> None:
        """Say so if the state is of other organisations only: then another one is connected than before."""
        known, now = organisations_in(self.state), {one.tenant_id: one.name for one in self.organisations}
        if known and known.isdisjoint(now):
            self.logger.warning(
                "The state knows other organisations only (%s), and none of those that are read: %s. If that is not "
                "meant, check the connection and tenant_ids; all lists are read from their beginning.",
                ", ".join(sorted(known)),
                ", ".join(f"{name} = {tenant_id}" for tenant_id, name in now.items()),
            )

    def _name_closed(self) -> None:
        """Say which selected streams aren't read for what they cost, and which opened ones aren't selected."""
        streams = [one for one in self.streams.values() if isinstance(one, XeroStream)]
        closed = [one for one in streams if one.is_wanted and not one.is_open and not one.parent_stream_type]
        if closed:
            prices = ", ".join(f"{one.name} ({one.xero.calls})" for one in closed)
            self.logger.warning(
                "Selected, but not read, since they cost many calls: %s. Name those to read in detail_streams, or * "
                "for all.", prices,
            )  # fmt: skip
        idle = [one.name for one in streams if one.name in self.opened and not one.is_wanted]
        if idle and "*" not in (self.config.get("detail_streams") or ()):
            self.logger.warning("In detail_streams, but not selected, and so not read: %s.", ", ".join(idle))

    def _take_over_bookmarks(self) -> None:
        def part_of(stream: XeroStream, tenant_id: str) -> dict[str, Any]:
            return stream.get_context_state({"tenant_id": tenant_id})

        if self._foreign.found or self._foreign.ignored:
            self._foreign.take_over(self.streams, self.organisations, part_of, self.state)

    def _sync(self, stream: Stream) -> None:
        try:
            stream.sync()
            stream.finalize_state_progress_markers()
        except (AccessError, ConfigurationProblem, OSError):  # an OSError is of stdout: nobody reads any more
            raise
        except Exception as error:
            if not isinstance(stream, XeroStream):
                raise
            stream.incomplete = True
            for organisation in self.organisations:
                self.failed(stream, organisation, Unforeseen.of(error))

    # The command

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """End soon, with the state of all that was passed on; the exit code says that the run isn't done.

        What has been read of the list at hand is proved and passed on first, as long as that takes seconds only. A
        second signal ends the run at once.
        """
        ahead = self._ahead
        if self._stopped_by or ahead is None:
            try:
                super()._handle_termination(signum, frame)
            finally:
                sys.exit(128 + signum)
        self._stopped_by = signum
        self._state_writer.write_state(self.state)
        self.logger.info("Gracefully shutting down...")
        self.client.stop()
        ending = threading.Timer(STOPPING_TAKES, ahead.abandon)
        ending.daemon = True
        ending.start()

    def check_stopped(self) -> None:
        """End the run here if a signal asked for it."""
        if self._stopped_by:
            sys.exit(128 + self._stopped_by)

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
        """Run the tap; ends with exit code 1 when a stream wasn't read to its end."""
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
            tap.check_scopes()
            _ = tap.organisations
            stay_small()
            tap.sync_all()
            tap.report()
        finally:
            tap.close()
        if tap.failures:
            sys.exit(1)
