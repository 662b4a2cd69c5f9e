"""What all tests share: one sandbox with the demo company."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tap_xero.sandbox import Sandbox


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    """The demo company on a server of its own; who changes it gives it back as it was."""
    with Sandbox() as sandbox:
        yield sandbox
