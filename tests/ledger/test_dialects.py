"""The models compile for Snowflake and BigQuery, without a connection, to valid statements of these dialects."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from demo import dbt

from .dialects import faults

ROOT = Path(__file__).resolve().parents[2]
PROFILES = """
xero_ledger:
  target: bigquery
  outputs:
    bigquery: {type: bigquery, method: oauth-secrets, token: none, project: books, schema: xero_ledger, threads: 1}
    snowflake:
      {type: snowflake, account: none, user: none, password: none, database: books, warehouse: none,
       schema: xero_ledger, threads: 1}
"""
#: The statements that dbt would run: models, and tests written as statements.
MADE = [
    "config.materialized:table",
    "config.materialized:incremental",
    "config.materialized:view",
    "test_type:singular",
]


@pytest.fixture(scope="module")
def adapters() -> Path:
    """dbt with both adapters, in an environment that is kept for later runs."""
    folder = ROOT / ".demo" / "dbt-adapters"
    folder.parent.mkdir(exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        return dbt.make_environment(folder, Path(__file__).with_name("adapters.txt"))


@pytest.fixture(scope="module", params=["bigquery", "snowflake"])
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def compiled(dialect: str, adapters: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The statements by the name of their model or test."""
    folder = tmp_path_factory.mktemp(dialect)
    (folder / "profiles.yml").write_text(PROFILES)
    arguments = ["--no-populate-cache", "compile", "--no-introspect", "--target", dialect, "--select", *MADE]
    variables = {"xero_assume_tables": True, "xero_deduplicate": True}
    dbt.run(adapters, arguments, {"DBT_PROFILES_DIR": str(folder)}, folder, variables=variables)
    found = (folder / "target" / "compiled" / "xero_ledger").rglob("*.sql")
    return {path.stem: path.read_text(encoding="utf-8") for path in found}


def test_every_model_is_a_valid_statement_of_the_warehouse(compiled: dict[str, str], dialect: str) -> None:
    assert {
        "general_ledger",
        "reconciliation",
        "ledger_stock_costs",
        "ledger_agrees_with_xero",
    } <= compiled.keys()
    assert len(compiled) > 40
    assert {name: found for name, text in compiled.items() if (found := faults(text, dialect))} == {}


def test_a_recursion_stays_within_the_limit_of_the_warehouse(compiled: dict[str, str], dialect: str) -> None:
    limit = {"bigquery": 499, "snowflake": 99}[dialect]
    assert compiled["ledger_stock_costs"].count(f"e.events <= {limit}") == 2
    assert f"events > {limit}" in compiled["stock_is_valued"]


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("SELECT (1", "Expecting )"),
        ("SELECT x FROM t WHERE", "Required keyword"),
        ("SELECT details ->> 'code' AS code FROM items", "->> is no operator"),
        ("SELECT DISTINCT ON (a) a FROM t", "DISTINCT ON"),
        ("SELECT bigfoot(a) AS b FROM t", "bigfoot is no function"),
        ("DROP TABLE t", "no query"),
    ],
)
def test_invalid_parts_of_a_statement_are_found(statement: str, fault: str, dialect: str) -> None:
    found = faults(statement, dialect)
    assert found
    assert fault in found[0]


def test_each_warehouse_has_its_own_reserved_words() -> None:
    assert faults("SELECT paid_on AS at FROM payments", "bigquery") == ["at is reserved"]
    assert faults("SELECT paid_on AS at FROM payments", "snowflake") == []
    assert faults("SELECT number AS row FROM lines", "snowflake") == ["row is reserved"]
    assert faults("SELECT CAST(a AS string) AS b, p.at FROM payments AS p", "bigquery") == []
    assert faults("SELECT a::date AS b FROM t", "bigquery") == [":: is no operator"]
    assert faults("SELECT a::date AS b FROM t", "snowflake") == []
