"""The example that distributes many organisations over several processes with Dagster."""

from __future__ import annotations

import ast
import importlib.util
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import yaml

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "nightly"
TENANTS = [f"99999999-0000-4000-8000-{number:012}" for number in range(40)]
#: A stand-in for Meltano that notes its arguments, and fails for one share.
MELTANO = """#!{python}
import json, os, sys
share = sys.argv[2].removeprefix("tap-xero--")
told = {{"arguments": sys.argv[1:], "tenants": json.loads(os.environ[f"TAP_XERO__{{share}}_TENANT_IDS"])}}
with open(os.path.join({folder!r}, share), "a") as file:
    file.write(json.dumps(told) + "\\n")
if share == os.environ.get("FAILING_SHARE"):
    print("2026-11-22 [info] tap-xero  Not complete: contacts of Branch 7. Forbidden.")
    sys.exit(1)
"""


@pytest.fixture(scope="module")
def nightly() -> Any:
    """The example's module; without Dagster its tests are skipped."""
    pytest.importorskip("dagster", reason="Dagster is not installed (pip install 'dagster~=1.13.0')")
    specification = importlib.util.spec_from_file_location("nightly", EXAMPLE / "nightly.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setenv("RETRY_SECONDS", "0")
        warnings.simplefilter("ignore")  # Dagster's own
        specification.loader.exec_module(module)
    return module


def shares_in_code() -> int:
    """`SHARES` in nightly.py, read without Dagster."""
    for node in ast.parse((EXAMPLE / "nightly.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SHARES":
            return int(ast.literal_eval(node.value))
    raise AssertionError("nightly.py has no SHARES")


def test_each_share_has_its_own_extractor_and_schema() -> None:
    project = yaml.safe_load((EXAMPLE / "meltano.yml").read_text(encoding="utf-8"))
    parent, *shares = project["plugins"]["extractors"]
    assert [share["name"] for share in shares] == [f"tap-xero--{n}" for n in range(1, shares_in_code() + 1)]
    assert {share["inherit_from"] for share in shares} == {parent["name"]}
    assert len({share["load_schema"] for share in shares}) == len(shares)


def run(nightly: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, failing: str = "") -> Any:
    """Run the job in this process, with a stand-in for Meltano."""
    (folder / "organisations").write_text("\n".join(TENANTS), encoding="utf-8")
    (folder / "meltano").write_text(MELTANO.format(python=sys.executable, folder=str(folder)))
    (folder / "meltano").chmod(0o755)
    monkeypatch.setenv("XERO_ORGANISATIONS", str(folder / "organisations"))
    monkeypatch.setenv("MELTANO", str(folder / "meltano"))
    monkeypatch.setenv("FAILING_SHARE", failing)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Dagster's own
        return nightly.nightly.execute_in_process(raise_on_error=False)


def told(folder: Path) -> dict[str, list[Any]]:
    """The arguments of each share's program."""
    return {
        path.name: [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for path in sorted(folder.iterdir())
        if path.name.isdigit()
    }


def test_every_organisation_is_read_once_and_always_in_the_same_share(
    nightly: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(nightly, tmp_path, monkeypatch).success
    first = told(tmp_path)
    assert sorted(first) == ["1", "2", "3", "4"]
    assert sorted(tenant for (share,) in first.values() for tenant in share["tenants"]) == TENANTS
    for number, (share,) in first.items():
        assert share["arguments"] == ["run", f"tap-xero--{number}", "target-postgres"]
        assert {nightly.share_of(tenant.upper()) for tenant in share["tenants"]} == {int(number)}


def test_a_share_that_fails_is_repeated_reports_why_and_stops_no_other(
    nightly: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run(nightly, tmp_path, monkeypatch, failing="2")
    assert not result.success
    assert {share: len(runs) for share, runs in told(tmp_path).items()} == {"1": 1, "2": 2, "3": 1, "4": 1}
    failures = [event for event in result.all_events if event.is_step_failure]
    assert [event.step_key for event in failures] == ["read[2]"]
    assert "Not complete: contacts of Branch 7" in str(failures[0].event_specific_data)


def test_it_runs_each_night(nightly: Any) -> None:
    schedule = nightly.definitions.resolve_schedule_def("nightly_schedule")
    assert schedule.cron_schedule == "0 2 * * *"
