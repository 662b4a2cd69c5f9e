"""The SDK's standard tests of a tap, with all streams, over the demo company."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class

from tap_xero.sandbox import Sandbox, apps
from tap_xero.tap import TapXero

#: Filled in by a fixture before the first test: where the sandbox listens is known only then.
CONFIG: dict[str, Any] = {}


@pytest.fixture(scope="session", autouse=True)
def _demo(running_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    running_sandbox.desk.reset()
    running_sandbox.desk.limits(enabled=False)
    CONFIG.update(
        client_id=apps.CUSTOM_CONNECTION.client_id,
        client_secret=apps.CUSTOM_CONNECTION.client_secret,
        api_url=running_sandbox.url,
        identity_url=running_sandbox.url,
        token_path=str(Path(tmp_path_factory.mktemp("tokens")) / "tokens.json"),
    )
    yield


TestStandard = get_tap_test_class(TapXero, config=CONFIG, suite_config=SuiteConfig(max_records_limit=500))
