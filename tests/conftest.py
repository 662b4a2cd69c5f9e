"""What all tests share: one sandbox with the demo company."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from xero_sandbox import Sandbox

# The tests start hundreds of Python processes. Where the environment forbids .pyc files, each of them would compile
# every module again, which takes longer than the tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    """The demo company on a server of its own; who changes it gives it back as it was."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def xero(running_sandbox: Sandbox) -> Sandbox:
    """The demo company as new, its limits off."""
    running_sandbox.admin.reset()
    running_sandbox.admin.limits(enabled=False)
    return running_sandbox
