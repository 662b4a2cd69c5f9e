"""The steps of docs/dbt.md, word for word: load, build, compare; and the comparison as a Meltano utility."""

from __future__ import annotations

import os
import re
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from filelock import FileLock
from processes import shell

from demo import dbt, install
from xero_sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "dbt.md").read_text(encoding="utf-8")
#: The two lines that create dbt's environment, which is created once for all tests from the same requirements.
INSTALL = ["python3 -m venv .dbt", ".dbt/bin/pip install --quiet -r dbt/requirements.txt"]


def block(step: str, kind: str) -> str:
    """The first block of YAML or commands of a step."""
    _, found, text = GUIDE.partition(f"**{step}.**")
    code = re.search(rf"```{kind}\n(.*?)```", text, re.DOTALL)
    assert found
    assert code
    return "\n".join(line.removeprefix("   ") for line in code[1].splitlines())


@pytest.fixture(scope="module")
def folder(project: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new user's folder: meltano.yml with the content of the first step, and dbt/."""
    folder = tmp_path_factory.mktemp("newcomer")
    path = folder / "meltano.yml"
    settings = yaml.safe_load((project.folder / "meltano.yml").read_text(encoding="utf-8"))
    told = {plugin.pop("name"): plugin for plugin in yaml.safe_load(block("Load", "yaml"))}
    for plugins in settings["plugins"].values():
        for plugin in plugins:
            plugin |= told.pop(plugin["name"], {})
    assert told == {}
    path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    (folder / "dbt").symlink_to(ROOT / "dbt")
    shared = ROOT / ".demo" / "dbt"
    shared.parent.mkdir(exist_ok=True)
    with FileLock(shared.with_suffix(".lock")):
        dbt.make_environment(shared)
    (folder / ".dbt").symlink_to(shared)
    with Sandbox(data=folder / "company", company="second", limits=False):
        """The smaller of the companies."""
    return folder


@pytest.fixture(scope="module")
def url(postgres_url: str) -> Iterator[str]:
    """An empty database: the guide's schemas have fixed names."""
    name = f"steps_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield postgres_url.rpartition("/")[0] + f"/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def follow(folder: Path, url: str) -> Callable[[str], str]:
    """Runs commands in the new user's shell and returns their output."""
    connection = {
        name: value for name, value in dbt.postgres_settings(url).items() if name.startswith("TARGET_")
    }
    kept = {
        name: value
        for name, value in install.environment().items()
        if not name.startswith(("MELTANO_", "TAP_", "TARGET_", "XERO_", "DBT_"))
    }
    environment = {
        **kept,
        **connection,
        "TAP_XERO_SANDBOX": str(folder / "company"),
        "MELTANO_PROJECT_ROOT": str(folder),
        "XDG_STATE_HOME": str(folder / "state"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]]),
    }

    return lambda commands: shell(commands, folder, environment)


@pytest.fixture(scope="module")
def built(follow: Callable[[str], str]) -> str:
    """The output of dbt after the first two steps."""
    follow(block("Load", "sh"))
    lines = block("Build", "sh").splitlines()
    assert lines[:2] == INSTALL
    return follow("\n".join(lines[2:]))


def test_the_build_passes_every_test_of_the_package(built: str, url: str) -> None:
    done = re.search(r"Done\. PASS=(\d+) WARN=0 ERROR=0 SKIP=0", built)
    assert done, built[-3000:]
    assert int(done[1]) > 90
    with psycopg.connect(url) as connection:
        rows: Any = connection.execute(
            "SELECT count(*), count(DISTINCT account_id) FROM xero_ledger.general_ledger"
        )
        entries, accounts = rows.fetchone()
    assert entries > 300
    assert accounts > 5  # the second company has few contacts


def test_every_figure_of_the_comparison_agrees(
    built: str, follow: Callable[[str], str], folder: Path
) -> None:
    said = follow(block("Compare", "sh"))
    agreeing = re.search(r"^([\d,]+) of ([\d,]+) figures agree with Xero\.$", said, re.MULTILINE)
    assert agreeing, said
    assert agreeing[1] == agreeing[2]
    assert 'data-mark="agrees"' in (folder / "books.html").read_text(encoding="utf-8")


def test_meltano_runs_the_comparison_as_a_utility(
    built: str, follow: Callable[[str], str], folder: Path
) -> None:
    (folder / "books.html").unlink(missing_ok=True)
    assert "meltano run xero-reconcile:check" in GUIDE
    said = follow("meltano run xero-reconcile:check")
    assert "figures agree with Xero" in said
    assert 'data-mark="agrees"' in (folder / "books.html").read_text(encoding="utf-8")
