"""Fixtures for all tests: a sandbox with the demo company, and a PostgreSQL."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator

import psycopg
import pytest

from demo import postgres
from xero_sandbox import Sandbox

# The tests start hundreds of Python processes. Without .pyc files, each of them would compile every module again,
# which takes longer than the tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    """The demo company on a server of its own; a test that changes it must reset it."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a PostgreSQL: TEST_POSTGRES_URL, else one that runs for these tests."""
    if given := os.environ.get("TEST_POSTGRES_URL"):
        yield given
        return
    with postgres.running(tmp_path_factory.mktemp("postgres"), keep=False) as server:
        yield server.url


@pytest.fixture
def postgres_schema(postgres_url: str) -> Iterator[str]:
    """Address of an empty schema in PostgreSQL, for one test."""
    schema = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        yield f"{postgres_url}?options=-csearch_path%3D{schema}"
        connection.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def xero(running_sandbox: Sandbox) -> Sandbox:
    """The demo company as new, its limits off."""
    running_sandbox.admin.reset()
    running_sandbox.admin.limits(enabled=False)
    return running_sandbox
