"""The SDK's standard tests of a tap, with all streams of the demo company."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class

from singer_xero.objects import STREAMS
from tap_xero.tap import TapXero
from xero_sandbox import Sandbox, apps

#: A fixture fills in the address of the sandbox before the first test.
CONFIG: dict[str, Any] = {
    "client_id": apps.CUSTOM_CONNECTION.client_id,
    "client_secret": apps.CUSTOM_CONNECTION.client_secret,
}


@pytest.fixture(scope="session", autouse=True)
def _demo(running_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    running_sandbox.admin.reset()
    running_sandbox.admin.limits(enabled=False)
    CONFIG.update(
        api_url=running_sandbox.url,
        identity_url=running_sandbox.url,
        token_path=str(Path(tmp_path_factory.mktemp("tokens")) / "tokens.json"),
    )
    yield


STANDARD = get_tap_test_class(
    TapXero,
    config=CONFIG,
    # A test of the connection omits streams that are off by default.
    suite_config=SuiteConfig(
        max_records_limit=500,
        ignore_no_records_for_streams=[
            # No payment service is attached to a theme of the demo company.
            "branding_theme_payment_services",
            *(name for name, row in STREAMS.items() if not row.selected),
        ],
    ),
)


# Xero omits empty fields, and fields of other countries are empty in the demo company.
@pytest.mark.filterwarnings("ignore:Fields in transformed catalog but not in records:UserWarning")
class TestStandard(STANDARD):
    """Four tests of the tap, and six of each stream besides those of its fields."""
