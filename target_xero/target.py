"""The target: reads messages, and writes when the input has ended."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import IO, Any

from singer_sdk.exceptions import RecordsWithoutSchemaException
from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.mapper import RemoveRecordTransform

from singer_xero.connection import Connected
from singer_xero.console import Block
from singer_xero.errors import ConfigurationProblem, InputProblem
from singer_xero.plugin import XeroPlugin
from singer_xero.settings import ConnectionSettings
from target_xero.content.json_text import encode
from target_xero.destination import Destination
from target_xero.intake.intake import Intake
from target_xero.intake.messages import MessageReader
from target_xero.intake.states import StateQueue
from target_xero.intake.stream_names import StreamTarget, reason_not_written, stream_target
from target_xero.sdk_seam import SeamSink, SeamTarget, is_unmapped
from target_xero.settings import SETTINGS_SCHEMA, TargetSettings
from target_xero.summary import SOURCE, Summary
from target_xero.write_run import write_all
from target_xero.write_specs.rows import WRITE_SPECS


class NoSchema(InputProblem, RecordsWithoutSchemaException):
    """A record precedes the SCHEMA of its stream."""


class XeroSink(SeamSink):
    """Passes the records of one stream to the target."""

    def __init__(self, target: TargetXero, **options: Any) -> None:
        super().__init__(target, **options)
        self._target = target
        self._object = target.object_of(self.stream_name)
        self._columns = tuple(options["schema"].get("properties") or ())

    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:  # noqa: ARG002
        """Take a record in, or count it if its stream is ignored."""
        target = self._target
        if self._object is None:
            target.summary.of(self.stream_name).skipped += 1
        else:
            target.intake.take(
                self._object, target.stream, self.key_properties, record, target.line, self._columns
            )


class TargetXero(XeroPlugin, SeamTarget):
    """Writes to Xero's Accounting API, without losing a record or writing one twice."""

    name = "target-xero"
    default_sink_class = XeroSink
    message_reader_class = MessageReader
    config_jsonschema = SETTINGS_SCHEMA

    # Without flattening, which would take nested records apart, and without JSON schema validation, because the parser
    # checks Xero's rules.
    capabilities = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Another reader, passed in by the caller, has no line numbers.
        self._messages = (
            self.message_reader if isinstance(self.message_reader, MessageReader) else MessageReader()
        )
        self.settings = TargetSettings.of(self.config)
        self.connected = Connected(ConnectionSettings.of(self.config), self.logger)
        self.destination = Destination(self.connected, self.settings, self.logger)
        self.summary = Summary()
        self.states = StateQueue(self._emit_state)
        self.intake = Intake(
            self.states,
            self.logger.warning,
            self.settings.source,
            day_order=lambda: self.destination.day_order,
        )
        self.schemas: dict[str, Mapping[str, Any]] = {}
        #: The record that stream maps may change: its stream, and its line of the input.
        self.stream, self.line = "", b""
        self._is_writing = self._is_stopping = False

    # Messages

    def schema_message(self, message: dict[str, Any]) -> None:
        """Handle the SCHEMA of a stream."""
        self._require(message, "stream", str)
        self._require(message, "schema", dict)
        self._require(message["schema"], "properties", dict)
        stream, keys = message["stream"], message.get("key_properties")
        if keys is not None and not (isinstance(keys, list) and all(isinstance(key, str) for key in keys)):
            raise self._messages.invalid(
                f"is a SCHEMA of {stream!r} whose key_properties are not a list of names"
            )
        self.schemas[stream] = message
        if isinstance(message.get(SOURCE), str):
            self.intake.identities.sources[stream] = message[SOURCE]
        self._messages.takers.pop(stream, None)
        if message.get("bookmark_properties"):
            self.intake.tables.incremental.add(stream)
        self.mapper.register_raw_stream_schema(stream, message["schema"], keys)
        for one in self.mapper.stream_maps[stream]:
            # A stream that a stream map removes has no sink, so its name may be unknown.
            if not isinstance(one, RemoveRecordTransform):
                self.get_sink(
                    one.stream_alias,
                    schema=one.transformed_schema,
                    key_properties=one.transformed_key_properties,
                )
        self._bypass_sdk(stream)

    def _bypass_sdk(self, stream: str) -> None:
        """Read the records of an unmapped stream without the SDK, which does nothing to them."""
        found = stream_target(stream)
        if found and is_unmapped(stream, self.mapper.stream_maps[stream]):
            keys = self.get_sink(stream).key_properties
            columns = tuple(self.schemas[stream]["schema"]["properties"])
            self._messages.takers[stream] = self.intake.reader(found, stream, keys, columns)

    def record_message(self, message: dict[str, Any]) -> None:
        """Handle a record of a stream with stream maps."""
        self._require(message, "stream", str)
        self._require(message, "record", dict)
        stream = message["stream"]
        if stream not in self.schemas:
            raise self._messages.invalid(
                f"is a record of {stream!r}, but no SCHEMA message precedes it", NoSchema
            )
        self.stream, self.line = stream, self._messages.line or encode(message)
        super().record_message(message)

    def state_message(self, message: dict[str, Any]) -> None:
        """Handle a state."""
        if "value" not in message:
            raise self._messages.invalid("is a STATE without a value")
        self.states.received(message["value"])

    def batch_message(self, message: dict[str, Any]) -> None:  # noqa: ARG002
        """Raise `InputProblem`: the files of a BATCH are not read."""
        raise InputProblem("BATCH messages are not supported: remove batch_config from the tap's settings.")

    def _require(self, message: Mapping[str, Any], name: str, kind: type) -> None:
        """Raise `InputProblem` for a message without this field."""
        if not isinstance(message.get(name), kind):
            raise self._messages.invalid(f"has no {name!r}, which the Singer specification requires")

    # For the sinks

    def object_of(self, stream: str) -> StreamTarget | None:
        """Return what a stream is written to, or None if it is skipped.

        Raises `ConfigurationProblem` for an unknown stream, unless `on_unknown_stream` is `ignore`.
        """
        found = stream_target(stream)
        if found is not None:
            if found.spec.name != stream:
                self.logger.info("The stream %s is written to %s.", stream, found.spec.name)
            return found
        reason = reason_not_written(stream)
        if reason is None and self.settings.on_unknown_stream != "ignore":
            raise ConfigurationProblem(
                f"The stream {stream!r} is unknown: rename it with stream_maps, deselect it in the tap, or set "
                f"on_unknown_stream to ignore. Nothing was written. target-xero writes {', '.join(WRITE_SPECS)}."
            )
        self.logger.info("The stream %s is skipped: %s.", stream, reason or "Xero has no object of that name")
        return None

    # Writing

    def process_endofpipe(self) -> None:
        """Write everything, now that the input has ended."""
        try:
            self.intake.compose()
            self._is_writing = True
            if self.intake.rejects or any(self.intake.counts.values()) or self.intake.elsewhere:
                write_all(
                    self.destination, self.intake, self.schemas, self.summary, lambda: self._is_stopping
                )
            self.states.flush()
        finally:
            self._is_writing = False
            for stream, number in self._messages.taken.items():
                self.get_sink(stream).record_counter_metric.increment(number)
            self.clean_up_sinks()
            self._log_summary()
            self.close()

    def close(self) -> None:
        """Close the connection and the temporary files; a second call does nothing."""
        self.intake.close()
        self.connected.close()

    def _log_summary(self) -> None:
        if self.summary.counts:
            dry_run = (
                " (dry run: nothing was sent, this is what would happen)" if self.settings.dry_run else ""
            )
            self.logger.info("Summary%s:\n%s", dry_run, Block(self.summary.table(WRITE_SPECS)))

    def _emit_state(self, state: Any) -> None:
        if self.settings.dry_run:
            return
        sys.stdout.write(encode(state).decode() + "\n")
        sys.stdout.flush()

    def stop_safely(self) -> bool:
        """Stop the writer between two requests; False if it is not writing, or at the second call."""
        if not self._is_writing or self._is_stopping:
            return False
        self._is_stopping = True
        return True

    @classmethod
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: Any = None,
        file_input: IO[str] | None = None,
    ) -> None:
        """Run the target. The exit code is 1 if a record was rejected, or differs and `on_difference` is `fail`."""
        if about:
            cls.print_about(about_format)
            return
        logging.disable(logging.INFO)  # so that the first line names the organisation
        try:
            target = cls(
                config=config.config if config else {}, parse_env_config=bool(config and config.parse_env)
            )
        finally:
            logging.disable(logging.NOTSET)
        try:
            _ = target.destination.organisation  # logs its name
            cls.print_version(print_fn=cls.logger.info)
            target.listen(file_input)
        finally:
            target.close()
        total = target.summary.total
        if total.rejected or (total.different and target.settings.on_difference == "fail"):
            sys.exit(1)
