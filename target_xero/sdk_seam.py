"""The private names of the Singer SDK that the target uses. No other module of it names them.

A test holds `PRIVATE_NAMES` against the installed SDK. Where one is renamed, the SDK's own behaviour comes back without
an error: what that breaks stands beside each name.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Any

from singer_sdk import Target
from singer_sdk.mapper import SameRecordTransform, StreamMap
from singer_sdk.plugin_base import BaseSingerReader
from singer_sdk.singerlib.encoding.base import GenericSingerReader
from singer_sdk.sinks import Sink

#: (class, name, parameters, what breaks without it); the parameters are None for an attribute.
PRIVATE_NAMES: Sequence[tuple[type, str, Sequence[str] | None, str]] = (
    (Target, "_process_schema_message", ("self", "message_dict"), "streams of unknown names are accepted"),
    (
        Target,
        "_process_record_message",
        ("self", "message_dict"),
        "records come without their line for the rejects",
    ),
    (
        Target,
        "_process_state_message",
        ("self", "message_dict"),
        "a state is passed on before its records are written",
    ),
    (Target, "_process_activate_version_message", ("self", "message_dict"), "ACTIVATE_VERSION ends the run"),
    (Target, "_process_batch_message", ("self", "message_dict"), "BATCH files are read without their lines"),
    (
        Target,
        "_handle_termination",
        ("self", "signum", "frame"),
        "a signal drains everything and passes the state on",
    ),
    (Target, "_MAX_RECORD_AGE_IN_MINUTES", None, "long inputs are drained early, and their states passed on"),
    (Target, "_sinks_to_clear", None, "replaced sinks are not cleaned up"),
    (Target, "_sinks_active", None, "sinks are not cleaned up"),
    (Sink, "_validate_and_parse", ("self", "record"), "dates are parsed, which loses their text"),
    (Sink, "_singer_validate_message", ("self", "record"), "a record without its key ends the run"),
    (Sink, "_remove_sdc_metadata_from_record", ("self", "record"), "deletions (`_sdc_deleted_at`) are lost"),
    (
        GenericSingerReader,
        "_process_unknown_message",
        ("self", "message_dict"),
        "unknown types have no line number",
    ),
)


class SeamReader(GenericSingerReader[str]):
    """A reader of messages that handles unknown types itself."""

    def _process_unknown_message(self, message_dict: dict[str, Any]) -> None:
        self.unknown_message(message_dict)

    def unknown_message(self, message: Mapping[str, Any]) -> None:
        """Handle a message whose type is unknown."""
        raise NotImplementedError


class SeamSink(Sink):
    """A sink that gets each record as it came, and is never drained."""

    def get_validator(self) -> None:
        """No JSON schema validation: the registry knows Xero's rules, and checks twenty times as fast."""

    def _validate_and_parse(self, record: dict[str, Any]) -> dict[str, Any]:
        return record

    def _singer_validate_message(self, record: dict[str, Any]) -> None:
        """A missing key is a reject and does not end the run."""

    def _remove_sdc_metadata_from_record(self, record: dict[str, Any]) -> None:
        """`_sdc_deleted_at` asks for a deletion; the parser drops the others."""

    def process_batch(self, context: dict[str, Any]) -> None:
        """Nothing is drained: all writing waits for the end of the input."""


class SeamTarget(Target):
    """A target whose messages go to public methods."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_parallelism = 1
        # Nothing is drained before the input ends.
        self._MAX_RECORD_AGE_IN_MINUTES = float("inf")

    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add only those settings of the SDK that apply here: those of stream maps."""
        BaseSingerReader.append_builtin_config.__func__(cls, config_jsonschema)  # type: ignore[attr-defined]

    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        self.schema_message(message_dict)

    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        self.record_message(message_dict)

    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        self.state_message(message_dict)

    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Nothing to do: records that a full table lacks are not deleted in Xero."""

    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        self.batch_message(message_dict)

    def schema_message(self, message: dict[str, Any]) -> None:
        """Handle a SCHEMA message."""
        raise NotImplementedError

    def record_message(self, message: dict[str, Any]) -> None:
        """Pass a RECORD message through the stream maps to its sinks."""
        super()._process_record_message(message)

    def state_message(self, message: dict[str, Any]) -> None:
        """Handle a STATE message."""
        raise NotImplementedError

    def batch_message(self, message: dict[str, Any]) -> None:
        """Handle a BATCH message."""
        raise NotImplementedError

    def clean_up_sinks(self) -> None:
        """Clean up all sinks; `drain_all` would drain them and log how long that took."""
        for sink in (*self._sinks_to_clear, *self._sinks_active.values()):
            sink.clean_up()

    # The end

    def stop_safely(self) -> bool:
        """Tell whether the run ends by itself after a signal, at the next safe point."""
        return False

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Stop at the next safe point: requests in flight get their answers, and nothing more is sent.

        The SDK writes all that is left and passes the state on even if that fails. While the input is read nothing has
        been sent, so the run ends at once, as it does at the second signal.
        """
        name = signal.Signals(signum).name
        if self.stop_safely():
            self.logger.warning("%s: stopping once what is under way has its answer.", name)
            return
        self.logger.warning("%s: stopped.", name)
        sys.exit(128 + signum)


def is_unmapped(stream: str, stream_maps: Sequence[StreamMap]) -> bool:
    """Tell whether no stream map changes a stream, so that its records need not pass through the SDK."""
    return [(type(one), one.stream_alias) for one in stream_maps] == [(SameRecordTransform, stream)]
