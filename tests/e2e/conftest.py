"""A PostgreSQL and a Meltano project for real runs."""

from __future__ import annotations

import re
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from processes import output

from demo import install, run

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(sys.executable).parent


class Project:
    """A Meltano project in its own folder, made from the repository's meltano.yml."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        text = (ROOT / "meltano.yml").read_text(encoding="utf-8")
        # Tap and target-xero are already installed with pytest: without pip_url, Meltano uses them.
        text = re.sub(r"    pip_url: -e .*\n    executable: (.*)\n", rf"    executable: {SCRIPTS}/\1\n", text)
        (folder / "meltano.yml").write_text(text, encoding="utf-8")

    def another(self, folder: Path) -> Project:
        """Another project with its own settings and state, and with the loaders that are installed here."""
        self.meltano("install", "loader", "target-jsonl")
        (folder / ".meltano").mkdir()
        (folder / ".meltano/loaders").symlink_to(self.folder / ".meltano/loaders")
        return Project(folder)

    def meltano(self, *arguments: str, **settings: str) -> str:
        """Run Meltano with settings as environment variables and return its output; fails if Meltano fails."""
        environment = {
            name: value
            for name, value in install.environment().items()
            if not name.startswith(("MELTANO_", "TAP_", "TARGET_"))
        }
        environment |= {
            "MELTANO_PROJECT_ROOT": str(self.folder),
            "XDG_STATE_HOME": str(self.folder / "state"),
        }
        return output([SCRIPTS / "meltano", *arguments], self.folder, environment | settings)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("meltano"))


class Database:
    """One schema in PostgreSQL, for one test module."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.schema = f"xero_test_{uuid.uuid4().hex[:12]}"

    @property
    def settings(self) -> dict[str, str]:
        """The settings of target-postgres."""
        return {
            "TARGET_POSTGRES_SQLALCHEMY_URL": run.sqlalchemy_url(self.url),
            "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": self.schema,
        }

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of a query; `{}` in it stands for the schema."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.replace("{}", self.schema), values or None).fetchall()

    def run(self, statements: str) -> None:
        """Run statements without rows."""
        with psycopg.connect(self.url) as connection:
            connection.execute(statements)

    def drop(self) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(f"DROP SCHEMA IF EXISTS {self.schema} CASCADE")


@pytest.fixture(scope="module")
def database(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url)
    yield database
    database.drop()
