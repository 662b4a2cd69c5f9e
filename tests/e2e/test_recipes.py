"""The recipes of docs/recipes.md that write to Xero, as printed: `meltano run` into the sandbox, twice."""

from __future__ import annotations

import os
import re
import shlex
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from singer_xero.api import dates
from xero_sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(sys.executable).parent
PAGE = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
#: The blocks of code by their info string, such as `yaml tap-csv` or `csv contacts.csv`.
BLOCKS = dict(re.findall(r"^```(\w+(?: \S+)?)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))


#: Meltano looks only for the plugins.
_QUIET = {"MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false", "MELTANO_CLI_DISABLE_VERSION_CHECK": "true"}


class Recipe:
    """A recipe in its own project; only the sources of the programs differ from the page."""

    def __init__(self, project: Any, folder: Path, name: str) -> None:
        self.project = type(project)(folder)
        self.folder, self.name = folder, name
        tap_csv = folder / "tap-csv"
        stand_in = Path(__file__).with_name("stand_in_tap_csv.py")
        tap_csv.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{stand_in}" "$@"\n')
        tap_csv.chmod(0o755)
        text = BLOCKS[f"yaml {name}"]
        for program, place in (
            ("target-xero", str(SCRIPTS / "target-xero")),
            ("tap-csv", os.environ.get("TEST_TAP_CSV") or str(tap_csv)),
        ):
            text = re.sub(rf"pip_url: git\S+\n( +)executable: {program}\n", rf"executable: {place}\n", text)
        (folder / "meltano.yml").write_text(text, encoding="utf-8")
        for block, content in BLOCKS.items():
            if block.endswith(".csv"):
                # Excel adds a byte order mark.
                (folder / block.partition(" ")[2]).write_text(content, encoding="utf-8-sig")

    def run(self, **settings: str) -> list[dict[str, Any]]:
        """Run the command of the page; returns the new invoices in Xero."""
        for line in BLOCKS[f"sh {self.name}"].splitlines():
            command, *arguments = shlex.split(line)
            if command == "meltano":
                self.project.meltano(*arguments, **_QUIET, **settings)
        with Sandbox(data=self.folder / "sandbox", limits=False) as sandbox:
            return sandbox.admin.records("Invoices")

    def made(self, **settings: str) -> dict[str, dict[str, Any]]:
        """The invoices of two runs, by number and contact; the second run must not change anything."""
        with Sandbox(data=self.folder / "sandbox", limits=False) as sandbox:
            before = {one["InvoiceID"] for one in sandbox.admin.records("Invoices")}
        first, second = (self.run(**settings) for _ in range(2))
        assert second == first
        new = [one for one in first if one["InvoiceID"] not in before]
        found = {f"{one['InvoiceNumber']} {one['Contact']['Name']}": one for one in new}
        assert len(found) == len(new)
        return found


def lines(invoice: dict[str, Any]) -> list[tuple[str, float, float]]:
    return [(line["Description"], line["Quantity"], line["UnitAmount"]) for line in invoice["LineItems"]]


@pytest.fixture
def recipe(project: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Recipe:
    return Recipe(project, tmp_path, request.param)


@pytest.mark.parametrize("recipe", ["tap-csv"], indirect=True)
def test_the_recipe_for_csv_files_writes_their_invoices_once(recipe: Recipe) -> None:
    found = recipe.made()
    assert set(found) == {"INV-0901 Bay Kayaks", "INV-0902 Rata Street Studio"}
    kayaks = found["INV-0901 Bay Kayaks"]
    assert lines(kayaks) == [("Double kayak", 2, 1890), ("Paddle", 2, 249.5)]
    assert [dates.day(kayaks[name]) for name in ("Date", "DueDate")] == ["2026-11-20", "2026-12-20"]
    assert dates.day(found["INV-0902 Rata Street Studio"]["Date"]) == "2026-12-05"


@pytest.mark.parametrize("recipe", ["mapper"], indirect=True)
def test_the_recipe_for_own_names_writes_the_invoices_once(recipe: Recipe) -> None:
    found = recipe.made()
    assert set(found) == {"D-904 Bay Kayaks", "D-905 Rata Street Studio"}
    assert lines(found["D-904 Bay Kayaks"]) == [("Double kayak", 2, 1890), ("Paddle", 2, 249.5)]


@pytest.fixture
def database(postgres_url: str) -> Iterator[str]:
    """The address of a database with the tables of the recipe."""
    name = f"recipe_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    info = conninfo_to_dict(postgres_url)
    login = f"{info.get('user', 'postgres')}:{info.get('password', '')}"
    try:
        with psycopg.connect(postgres_url, dbname=name) as connection:
            connection.execute(BLOCKS["sql"])
        yield f"postgresql://{login}@{info['host']}:{info.get('port', 5432)}/{name}"
    finally:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize("recipe", ["tap-postgres"], indirect=True)
def test_the_recipe_for_a_database_writes_its_invoices_once(recipe: Recipe, database: str) -> None:
    found = recipe.made(TAP_POSTGRES_SQLALCHEMY_URL=database)
    assert set(found) == {"4711 Harbour Paint", "4711 Bay Kayaks"}
    assert {one["Type"] for one in found.values()} == {"ACCPAY"}
    assert lines(found["4711 Harbour Paint"]) == [("Antifouling", 3, 45.25), ("Brushes", 12, 3.99)]
    assert dates.day(found["4711 Harbour Paint"]["DueDate"]) == "2026-11-30"
