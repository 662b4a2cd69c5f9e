"""The SDK's standard suite for targets. Its streams are unknown, and skipped here."""

from __future__ import annotations

from pathlib import Path

import singer_sdk.testing
from singer_sdk.testing import get_target_test_class

from target_xero.target import TargetXero

CONFIG = {"client_id": "unused", "on_unknown_stream": "ignore"}
STREAMS = Path(singer_sdk.testing.__file__).parent / "target_test_streams"

Suite = get_target_test_class(target_class=TargetXero, config=CONFIG)


class TestTargetXero(Suite):  # type: ignore[misc, valid-type]
    """The SDK's requirements of a target, with one exception."""

    def test_target_record_missing_key_property(self):
        """The SDK wants the whole run to fail; here such a record is a reject (see test_runs), and the run goes on."""
        target = TargetXero(config=CONFIG)
        with (STREAMS / "record_missing_key_property.singer").open() as file:
            target.listen(file)
        assert target.summary.of("test_record_missing_key_property").skipped == 1
