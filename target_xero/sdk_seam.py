"""The private names of the Singer SDK that the target uses. No other module of the target uses them.

A test compares `PRIVATE_NAMES` with the installed SDK. If the SDK renames one of them, its own behaviour returns
without an error, with the effect that is given for each name.
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

_MESSAGE, _RECORD = ("self", "message_dict"), ("self", "record")
#: (class, name, parameters, effect of its absence); the parameters are None for an attribute.
PRIVATE_NAMES: Sequence[tuple[type, str, Sequence[str] | None, str]] = (
    (Target, "_process_schema_message", _MESSAGE, "streams of unknown names are accepted"),
    (Target, "_process_record_message", _MESSAGE, "rejects lack the line of the record"),
    (Target, "_process_state_message", _MESSAGE, "states are passed on before their records are written"),
    (Target, "_process_activate_version_message", _MESSAGE, "ACTIVATE_VERSION ends the run"),
    (Target, "_process_batch_message", _MESSAGE, "BATCH files are read without their lines"),
    (Target, "_handle_termination", ("self", "signum", "frame"), "a signal writes what is left"),
    (Target, "_MAX_RECORD_AGE_IN_MINUTES", None, "long inputs are drained early, and their states passed on"),
    (Target, "_sinks_to_clear", None, "replaced sinks are not cleaned up"),
    (Target, "_sinks_active", None, "sinks are not cleaned up"),
    (Sink, "_validate_and_parse", _RECORD, "dates are parsed, which loses their text"),
    (Sink, "_singer_validate_message", _RECORD, "a record without its key ends the run"),
    (Sink, "_remove_sdc_metadata_from_record", _RECORD, "deletions (`_sdc_deleted_at`) are lost"),
    (GenericSingerReader, "_process_unknown_message", _MESSAGE, "unknown types have no line number"),
)


class SeamReader(GenericSingerReader[str]):
    """A reader with a public method for messages of unknown types."""

    def _process_unknown_message(self, message_dict: dict[str, Any]) -> None:
        self.unknown_message(message_dict)

    def unknown_message(self, message: Mapping[str, Any]) -> None:
        """Handle a message whose type is unknown."""
        raise NotImplementedError


class SeamSink(Sink):
    """A sink that gets each record unchanged, and is never drained."""

    def get_validator(self) -> None:
        """Skip JSON schema validation: the parser checks Xero's rules, twenty times as fast."""

    def _validate_and_parse(self, record: dict[str, Any]) -> dict[str, Any]:
        return record

    def _singer_validate_message(self, record: dict[str, Any]) -> None:
        """Accept a record without its key, which becomes a reject and does not end the run."""

    def _remove_sdc_metadata_from_record(self, record: dict[str, Any]) -> None:
        """Keep `_sdc_deleted_at`, which asks for a deletion; the parser drops the other metadata."""

    def process_batch(self, context: dict[str, Any]) -> None:
        """Do nothing: the target writes when the input has ended."""


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
        """Do nothing: records that a full table lacks are not deleted in Xero."""

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
        """Clean up all sinks; the SDK's `drain_all` would also drain them and log the duration."""
        for sink in (*self._sinks_to_clear, *self._sinks_active.values()):
            sink.clean_up()

    # The end

    def stop_safely(self) -> bool:
        """Ask the run to end at the next safe point; False if it can't, so that it must end at once."""
        return False

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Stop at the next safe point: requests in flight get their answers, and nothing more is sent.

        The SDK would write everything that is left and pass the state on even if that fails. While the input is read,
        nothing has been sent, so the run ends at once, as it does at the second signal.
        """
        name = signal.Signals(signum).name
        if self.stop_safely():
            self.logger.warning("%s: stopping as soon as the requests in flight are answered.", name)
            return
        self.logger.warning("%s: stopped.", name)
        sys.exit(128 + signum)


def is_unmapped(stream: str, stream_maps: Sequence[StreamMap]) -> bool:
    """Tell whether no stream map changes a stream, so that its records can bypass the SDK."""
    return [(type(one), one.stream_alias) for one in stream_maps] == [(SameRecordTransform, stream)]
