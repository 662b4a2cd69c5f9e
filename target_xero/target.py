"""The target: its settings, one session, one ledger, one report."""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import IO, Any

import msgspec
from singer_sdk import Target
from singer_sdk import typing as th
from singer_sdk.exceptions import RecordsWithoutSchemaException
from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform
from singer_sdk.plugin_base import BaseSingerReader
from singer_sdk.singerlib.encoding.base import GenericSingerReader

from singer_xero.api.paths import default_folder, filled_in
from singer_xero.api.postgres_address import is_postgres
from singer_xero.api.scope_advice import way_to
from singer_xero.config import CONNECTION_SETTINGS, ConfigurationProblem, Connected, Organisation, XeroPlugin
from singer_xero.console import Block
from target_xero.day_formats import DayOrder, Order, of_country
from target_xero.ledger import Ledger
from target_xero.payload import decode, decode_exactly, encode, fingerprint
from target_xero.report import SOURCE, Rejects, Report
from target_xero.sinks import Intake, Reader, States, XeroSink
from target_xero.stream_names import Meaning, meaning, reason_not_written
from target_xero.write_log_file import open_log
from target_xero.writer import Writer
from target_xero.writes import MANY, WRITES

#: Takes in a record of a stream with the stream's key properties and columns.
Taker = Callable[[Mapping[str, Any], Sequence[str], Sequence[str]], None]


class _Record(msgspec.Struct, gc=False):
    type: str
    stream: str
    record: msgspec.Raw


class Lines(GenericSingerReader[str]):
    """Reads Singer messages; a line that is none ends the run with its number, and never with its content.

    `takers` take the records of some streams as they are, as JSON and with the line that they came in, and `taken`
    says how many; all other messages go where the SDK sends them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.number = 0
        self.line = b""
        self.takers: dict[str, Reader] = {}
        self.taken: Counter[str] = Counter()

    @property
    def default_input(self) -> IO[str]:
        """Standard input."""
        return sys.stdin

    def process_lines(
        self, file_input: IO[str] | None, callbacks: dict[str, Callable[[dict[str, Any]], None]]
    ) -> Counter[str]:
        """Read all lines, as bytes where the input has them; returns how many there were of each type."""
        source = file_input or self.default_input
        counts: Counter[str] = Counter()
        read = msgspec.json.Decoder(_Record).decode
        # Records of a stream mostly follow each other.
        stream, likely = "", None
        for line in getattr(source, "buffer", source):
            line = line if isinstance(line, bytes) else line.encode()
            if not self.number:
                line = line.removeprefix(BOM_UTF8)
            self.number += 1
            self.line = line
            if likely and likely.take_line(line):
                self.taken[stream] += 1
                continue
            try:
                message = read(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                message = None
            likely = None
            if message and message.type == "RECORD":
                taker = self.takers.get(message.stream)
                if taker and taker.take(message.record, line):
                    likely = taker if message.stream == stream else None
                    stream = message.stream
                    self.taken[stream] += 1
                    continue
            told = self.deserialize_json(line)
            callback = callbacks.get(told["type"], self._process_unknown_message)
            try:
                callback(told)
            except RecursionError:
                raise ConfigurationProblem(f"Line {self.number} of the input is nested too deeply.") from None
            counts[told["type"]] += 1
        counts["RECORD"] += sum(self.taken.values())
        return counts

    def deserialize_json(self, line: str | bytes) -> dict[str, Any]:
        """Read one line; numbers stay exact."""
        if not line.strip():
            return {"type": _NOTHING}
        try:
            message = decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ConfigurationProblem(f"Line {self.number} of the input is not JSON: {error}.") from None
        if not isinstance(message, dict) or "type" not in message:
            raise ConfigurationProblem(
                f"Line {self.number} of the input is no Singer message: it has no type."
            )
        if not isinstance(message["type"], str):
            raise ConfigurationProblem(
                f"Line {self.number} of the input is no Singer message: its type is no text."
            )
        if message["type"] != "RECORD":
            self._check_numbers(line)
        return message

    def _check_numbers(self, line: str | bytes) -> None:
        """A record with a number that is beyond all numbers is rejected; what is passed on must be what came."""
        try:
            decode_exactly(line)
        except ArithmeticError:
            raise ConfigurationProblem(
                f"Line {self.number} of the input holds a number that is too large to be kept."
            ) from None

    def _process_unknown_message(self, message: dict[str, Any]) -> None:
        if message["type"] != _NOTHING:
            raise ConfigurationProblem(
                f"Line {self.number} of the input has the unknown type {str(message['type'])[:40]!r}."
            )


_NOTHING = "an empty line"


class NoSchema(ConfigurationProblem, RecordsWithoutSchemaException):
    """A record came before the SCHEMA of its stream."""


class TargetXero(XeroPlugin, Target):
    """Writes to Xero's Accounting API; loses no record and writes none twice."""

    name = "target-xero"
    default_sink_class = XeroSink
    message_reader_class = Lines

    # Without flattening, which would take nested records apart, and without the SDK's JSON schema validation:
    # what Xero wants of a record stands in the registry.
    capabilities = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    config_jsonschema = th.PropertiesList(
        *CONNECTION_SETTINGS,
        th.Property(
            "batch_size", th.IntegerType(minimum=1, maximum=MANY), default=MANY, title="Batch size",
            description="Records to send in one request, where Xero accepts several.",
        ),
        th.Property(
            "dry_run", th.BooleanType, default=False, title="Dry run",
            description="Check every record and print what would be created, updated, left alone or rejected, "
            "without sending a write. No state is passed on.",
        ),
        th.Property(
            "deletes", th.BooleanType, default=False, title="Deletes",
            description="Delete, void or archive records that have _sdc_deleted_at or such a status. Without it, "
            "these records are skipped.",
        ),
        th.Property(
            "ledger_path", th.StringType, secret=True, title="Log of writes",
            description="File that remembers what was written, so that nothing is written twice: keep it. For several "
            "machines, postgresql://user:password@host/database (needs the extra postgres). $VARIABLES and ~ are "
            "expanded. Default: one for each source, xero-ledger-<source>.db in "
            "$MELTANO_PROJECT_ROOT/.secrets under Meltano, else in the user's state folder.",
        ),
        th.Property(
            "require_write_log", th.BooleanType, default=False, title="Require a log of writes",
            description="Refuse to write if the log of writes does not know the organisation, because the log is "
            "lost or new.",
        ),
        th.Property(
            "source", th.StringType, title="Source",
            description="Name of the system that the records come from, such as crm. Records of different sources "
            "are never mistaken for each other. Default: the name of the extractor under Meltano "
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
            description="How to read dates such as 05/12/2026. auto: as the organisation's country writes them; "
            "if that does not decide, such a date is rejected.",
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

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # A reader that was handed in has no lines to offer.
        self._lines = self.message_reader if isinstance(self.message_reader, Lines) else Lines()
        self.max_parallelism = 1
        # Everything waits for the end of the input; see `sinks`.
        self._MAX_RECORD_AGE_IN_MINUTES = float("inf")
        self.connected = Connected(self.config, self.logger)
        self.report = Report()
        self.states = States(self._emit_state)
        self.source = str(self.config.get("source") or os.environ.get("MELTANO_EXTRACTOR_NAME") or "")
        self.intake = Intake(self.states, self.logger.warning, self.source, day_order=lambda: self._day_order)
        self.schemas: dict[str, Mapping[str, Any]] = {}
        self._line = b""
        self._stream = ""
        self._is_writing = self._is_stopping = self._is_announced = False
        self._ignored: dict[str, str] = {}
        self._skipped: dict[str, int] = {}

    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add the settings of the SDK that mean something here: those of stream maps."""
        BaseSingerReader.append_builtin_config.__func__(cls, config_jsonschema)  # type: ignore[attr-defined]

    # Streams

    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        self._require(message_dict, "stream", str)
        self._require(message_dict, "schema", dict)
        self._require(message_dict["schema"], "properties", dict)
        stream, keys = message_dict["stream"], message_dict.get("key_properties")
        if keys is not None and not (isinstance(keys, list) and all(isinstance(key, str) for key in keys)):
            raise ConfigurationProblem(
                f"Line {self.line_number} of the input, the SCHEMA of {stream!r}: key_properties must be a list of "
                "names."
            )
        self.schemas[stream] = message_dict
        if isinstance(message_dict.get(SOURCE), str):
            self.intake.sources[stream] = message_dict[SOURCE]
        self._lines.takers.pop(stream, None)
        if message_dict.get("bookmark_properties"):
            self.intake.tables.incremental.add(stream)
        self.mapper.register_raw_stream_schema(stream, message_dict["schema"], keys)
        for one in self.mapper.stream_maps[stream]:
            # A stream that a stream map removes has no sink, so it may be one that Xero knows nothing of.
            if not isinstance(one, RemoveRecordTransform):
                self.get_sink(
                    one.stream_alias,
                    schema=one.transformed_schema,
                    key_properties=one.transformed_key_properties,
                )
        self._take_as_it_is(stream)

    def _take_as_it_is(self, stream: str) -> None:
        """Let a stream that no stream map touches pass the SDK by: of what it does to a record nothing is needed."""
        (only,) = maps if len(maps := self.mapper.stream_maps[stream]) == 1 else (None,)
        found = meaning(stream)
        if found and type(only) is SameRecordTransform and only.stream_alias == stream:
            sink = self.get_sink(stream)
            columns = tuple(self.schemas[stream]["schema"]["properties"])
            self._lines.takers[stream] = self.intake.reader(found, stream, sink.key_properties, columns)

    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        self._require(message_dict, "stream", str)
        self._require(message_dict, "record", dict)
        stream = message_dict["stream"]
        if stream not in self.schemas:
            raise NoSchema(
                f"Line {self.line_number} of the input is a record of {stream!r}, whose SCHEMA has not come yet."
            )
        self._stream, self._line = stream, self._lines.line or encode(message_dict)
        super()._process_record_message(message_dict)

    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        if "value" not in message_dict:
            raise ConfigurationProblem(f"Line {self.line_number} of the input is a STATE without a value.")
        self.states.received(message_dict["value"])

    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Nothing to do: what is missing from a full table is not deleted in Xero."""

    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:  # noqa: ARG002
        raise ConfigurationProblem(
            "BATCH messages are not understood: switch batching off in the tap (no batch_config)."
        )

    def _require(self, message: Mapping[str, Any], name: str, kind: type) -> None:
        """Raise `ConfigurationProblem` for a message that lacks what Singer asks for; it never shows the message."""
        if not isinstance(message.get(name), kind):
            raise ConfigurationProblem(
                f"Line {self.line_number} of the input has no {name!r}, which Singer asks for."
            )

    @property
    def line_number(self) -> int:
        """How many lines of the input were read."""
        return self._lines.number

    def taker(self, stream: str) -> Taker:
        """What is to be done with each record of a stream; raises `ConfigurationProblem` for an unknown one."""
        found = meaning(stream)
        if found is not None:
            if found.row.name != stream:
                self.logger.info("The stream %s is written to %s.", stream, found.row.name)
            return self._take_for(found)
        reason = reason_not_written(stream)
        if reason is None and self.config["on_unknown_stream"] == "fail":
            known = ", ".join(WRITES)
            raise ConfigurationProblem(
                f"The stream {stream!r} is none that Xero can be written: rename it with stream_maps, deselect it in "
                f"the tap, or set on_unknown_stream to ignore. Nothing was written. Xero has {known}."
            )
        self.logger.info("The stream %s is left out: %s.", stream, reason or "Xero has nothing of that name")
        return self._leave_out(stream)

    def _take_for(self, found: Meaning) -> Taker:
        def take(record: Mapping[str, Any], keys: Sequence[str], columns: Sequence[str]) -> None:
            self.intake.take(found, self._stream, keys, record, self._line, columns)

        return take

    def _leave_out(self, stream: str) -> Taker:
        def leave_out(record: Mapping[str, Any], keys: Sequence[str], columns: Sequence[str]) -> None:  # noqa: ARG001
            self.report.of(stream).skipped += 1

        return leave_out

    # Writing

    def process_endofpipe(self) -> None:
        """Write everything, now that the input has ended."""
        try:
            self.intake.compose()
            self._is_writing = True
            if self.intake.rejects or any(self.intake.counts.values()) or self.intake.elsewhere:
                self._write()
            self.states.flush()
        finally:
            self._is_writing = False
            # Not drain_all: there is nothing to drain, and it would report the time that took.
            for stream, number in self._lines.taken.items():
                self.get_sink(stream).record_counter_metric.increment(number)
            for sink in (*self._sinks_to_clear, *self._sinks_active.values()):
                sink.clean_up()
            self._tell()
            self.close()

    def _write(self) -> None:
        source = self._only_source()
        rejects_path = self.config.get("rejects_path")
        rejects = Rejects(
            _expanded(rejects_path, "rejects_path")
            if rejects_path
            else self._rejects_folder(source) / f"xero-rejects{_behind(source)}.singer",
            self.schemas,
            lambda stream: self.intake.sources.get(stream, self.source),
        )
        organisation = self.announce()
        self._check_scopes()
        dry_run = bool(self.config["dry_run"])
        with self._open_log(source, organisation.tenant_id, dry_run=dry_run) as ledger:
            self._check_log(ledger, organisation)
            writer = Writer(
                self.connected.client,
                organisation,
                ledger,
                self.intake,
                self.report,
                rejects,
                self.logger,
                batch_size=self.config["batch_size"],
                deletes=bool(self.config["deletes"]),
                creates_contacts=self.config["missing_contacts"] == "create",
                dry_run=dry_run,
                stop_at_reject=self.config["on_reject"] == "stop",
                stop=lambda: self._is_stopping,
            )
            try:
                writer.run()
            finally:
                if self.report.rejected and not dry_run:
                    self.logger.error(
                        "%s rejected: they are in %s. Mend them there and pipe that file in again; what was written "
                        "stays as it is.", f"{self.report.rejected:,}", rejects.path,
                    )  # fmt: skip
                if self.report.different:
                    self.logger.warning(
                        "%s written, but Xero holds something else than they say: see the warnings above.",
                        f"{self.report.different:,}",
                    )

    def announce(self) -> Organisation:
        """Say which organisation is written to, once; raises `ConfigurationProblem` if it is not clear which."""
        organisation = self.organisation()
        if not self._is_announced:
            self._is_announced = True
            self.logger.info(
                "Writing to %s = %s%s.",
                organisation.name,
                organisation.tenant_id,
                " (dry run: nothing is sent)" if self.config["dry_run"] else "",
            )
        return organisation

    def _check_log(self, ledger: Ledger, organisation: Organisation) -> None:
        """See to it that the log is this organisation's; raises `ConfigurationProblem` if it had better not be used."""
        others = [f"{name or 'an organisation'} = {one}" for one, name in ledger.organisations()]
        if not ledger.is_known and others and not self.config.get("tenant_ids"):
            raise ConfigurationProblem(
                f"The log of writes {ledger.place} knows {'; '.join(others)}, and not {organisation.name} = "
                f"{organisation.tenant_id}, which is connected now. If that is right, name it in tenant_ids. Nothing "
                "was written."
            )
        if not ledger.is_known and self.config["require_write_log"]:
            raise ConfigurationProblem(
                f"require_write_log is set, and the log of writes {ledger.place} knows nothing of "
                f"{organisation.name}. Restore it, or run once without that setting. Nothing was written."
            )
        if ledger.is_new:
            self.logger.warning(
                "The log of writes %s is new for %s. If that was written to before, stop and restore the log; until a "
                "run has ended well, documents are looked up in Xero by what they say before they are made.",
                ledger.place, organisation.name,
            )  # fmt: skip
        ledger.begin(organisation.name, datetime.now(timezone.utc).isoformat(timespec="seconds"))

    def _only_source(self) -> str:
        """The source whose log of writes this run uses, by its settings or by what mended rejects say of theirs."""
        sources = sorted({self.intake.sources.get(stream, self.source) for stream in self.schemas})
        if self.source or not sources:
            return self.source
        if len(sources) > 1 and not self.config.get("ledger_path"):
            raise ConfigurationProblem(
                f"The input has records of several sources ({', '.join(sources)}), and each has a log of writes of its "
                "own: send them one after the other, or name one log for all with ledger_path."
            )
        return sources[0] if len(sources) == 1 else ""

    def _open_log(self, source: str, tenant: str, *, dry_run: bool) -> AbstractContextManager[Ledger]:
        """Open the log of writes, in a file or in PostgreSQL."""
        setting = self.config.get("ledger_path") or ""
        if is_postgres(setting):
            from target_xero.write_log_postgres import open_postgres_log

            return open_postgres_log(setting, source, tenant, dry_run=dry_run)
        path, copy_of = self._ledger_path(source)
        return open_log(path, tenant, dry_run=dry_run, copy_of=copy_of)

    def _rejects_folder(self, source: str) -> Path:
        if is_postgres(self.config.get("ledger_path") or ""):
            return default_folder("rejects_path")
        return self._ledger_path(source)[0].parent

    def _ledger_path(self, source: str) -> tuple[Path, Path | None]:
        """The log of writes, and the one that it begins as a copy of if it is new.

        Before there was a log for each source, all of them were in one.
        """
        if self.config.get("ledger_path"):
            return _expanded(self.config["ledger_path"], "ledger_path"), None
        common = default_folder("ledger_path") / "xero-ledger.db"
        if not source:
            return common, None
        return common.with_name(f"xero-ledger{_behind(source)}.db"), common

    def organisation(self) -> Organisation:
        """The one organisation to write to; raises `ConfigurationProblem` if it is not clear which."""
        found = self.connected.organisations
        if len(found) != 1:
            raise ConfigurationProblem(
                f"tenant_ids names {len(found)} organisations; target-xero writes to one. Run it once for each."
            )
        return found[0]

    @cached_property
    def _day_order(self) -> DayOrder:
        """Whether day or month comes first where a day is written in numbers; asks Xero for the country if need be."""
        written = self.config["date_format"]
        if written != "auto":
            return DayOrder(Order(written), "date_format")
        answer = self.connected.client.get(self.organisation().header, "Organisation").json()
        country = next((one.get("CountryCode") for one in answer.get("Organisations") or []), None)
        return of_country(str(country or ""))

    def _check_scopes(self) -> None:
        """Raise `ConfigurationProblem` before the first write if the token may not write all there is."""
        granted = self.connected.client.scopes()
        missing: dict[str, list[str]] = {}
        for name, row in WRITES.items():
            scope = (
                row.xero.scope_missing(granted, write=True) if row.xero and row.create and granted else None
            )
            if scope and self.intake.counts[name]:
                missing.setdefault(scope.removesuffix(".read"), []).append(name)
        if missing:
            told = "; ".join(f"{scope} for {', '.join(names)}" for scope, names in missing.items())
            raise ConfigurationProblem(
                f"The token lacks scopes that writing needs: {told}. How to get them: "
                f"{way_to(*missing, custom=self.connected.client.is_custom_connection)}. Or deselect these streams. "
                "Nothing was written."
            )

    def close(self) -> None:
        """Let go of the connection and of what waits in files; nothing happens the second time."""
        self.intake.close()
        self.connected.close()

    def _tell(self) -> None:
        """The table at the end."""
        if self.report.counts:
            would = (
                " (dry run: nothing was sent, this is what would happen)" if self.config["dry_run"] else ""
            )
            self.logger.info("What became of the records%s:\n%s", would, Block(self.report.table(WRITES)))

    def _emit_state(self, state: Any) -> None:
        if self.config["dry_run"]:
            return
        sys.stdout.write(encode(state).decode() + "\n")
        sys.stdout.flush()

    # The end

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Stop at the next safe point: what is under way gets its answer, nothing more is sent.

        The SDK's own way writes all that is left and prints the state even if that fails. While the input is
        read nothing has been sent yet, so that the end can be at once, as it is at the second signal.
        """
        if self._is_writing and not self._is_stopping:
            self._is_stopping = True
            self.logger.warning(
                "%s: stopping once what is under way has its answer.", signal.Signals(signum).name
            )
            return
        self.logger.warning("%s: stopped.", signal.Signals(signum).name)
        sys.exit(128 + signum)

    @classmethod
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: Any = None,
        file_input: IO[str] | None = None,
    ) -> None:
        """Run the target; ends with exit code 1 when a record was rejected, or differs where that is to fail."""
        if about:
            cls.print_about(about_format)
            return
        with _only_warnings(cls.logger):  # the first line is to say where this run writes
            target = cls(
                config=config.config if config else {}, parse_env_config=bool(config and config.parse_env)
            )
        try:
            target.announce()
            cls.print_version(print_fn=cls.logger.info)
            target.listen(file_input)
        finally:
            target.close()
        if target.report.rejected or (target.report.different and target.config["on_difference"] == "fail"):
            sys.exit(1)


@contextmanager
def _only_warnings(logger: logging.Logger) -> Iterator[None]:
    """Leave out what a logger says below a warning."""

    def is_warning(record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING

    logger.addFilter(is_warning)
    try:
        yield
    finally:
        logger.removeFilter(is_warning)


def _behind(source: str) -> str:
    """What a source adds to the name of a file; what a name can't hold is left out, and told by its fingerprint."""
    if not source:
        return ""
    plain = re.sub(r"[^\w.-]+", "_", source)
    return f"-{plain}" if plain == source else f"-{plain}-{fingerprint(source.encode())[:8]}"


def _expanded(path: str, setting: str) -> Path:
    return Path(filled_in(path, setting))
