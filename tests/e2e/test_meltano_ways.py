"""Other uses of Meltano: the demo company in files, a check of the settings, the plugin in other projects."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from singer_xero.objects import STREAMS
from xero_sandbox import Sandbox, apps

ROOT = Path(__file__).resolve().parents[2]


def test_the_demo_environment_needs_no_setting_and_writes_what_was_selected(project: Any) -> None:
    said = project.meltano(
        "--environment=demo",
        "run",
        "tap-xero",
        "target-jsonl",
        TAP_XERO__SELECT='["users.*", "!users.EmailAddress"]',
    )
    written = {
        path.stem: path.read_text(encoding="utf-8") for path in (project.folder / ".demo/jsonl").iterdir()
    }
    assert list(written) == ["users"], said
    rows = [json.loads(line) for line in written["users"].splitlines()]
    with Sandbox(data=project.folder / ".demo/xero") as sandbox:
        users = sandbox.admin.records("Users")
    assert {row["UserID"]: row["FirstName"] for row in rows} == {
        user["UserID"]: user["FirstName"] for user in users
    }
    assert all("EmailAddress" not in row for row in rows)


def test_meltano_finds_the_configuration_valid(project: Any) -> None:
    assert "configuration is valid" in project.meltano("--environment=demo", "config", "test", "tap-xero")


def test_one_command_selects_a_report_in_addition_to_the_default_streams(
    project: Any, tmp_path: Path
) -> None:
    project = project.another(tmp_path)  # one whose meltano.yml may be changed

    def selected() -> set[str]:
        said = project.meltano(
            "--log-level=error", "--environment=demo", "select", "tap-xero", "--list", "--json"
        )
        streams = json.loads(said[said.index("{") :])["streams"]
        return {one["stream"] for one in streams if one["selection"] == "selected"}

    assert selected() == {name for name, xero in STREAMS.items() if xero.selected}
    project.meltano("--no-environment", "select", "tap-xero", "report_trial_balance", "*")
    assert selected() == {"report_trial_balance", *(name for name, xero in STREAMS.items() if xero.selected)}
    said = project.meltano(
        "--environment=demo", "run", "tap-xero", "target-jsonl",
        TAP_XERO__SELECT_FILTER='["report_trial_balance", "users"]',
    )  # fmt: skip
    assert {path.stem for path in (tmp_path / ".demo/jsonl").iterdir()} == {
        "report_trial_balance",
        "users",
    }, said
    assert "was not found" not in said


@pytest.mark.parametrize("plugin", ["extractors/tap-xero", "loaders/target-xero"])
def test_another_project_can_add_the_plugin_from_its_definition(
    project: Any, tmp_path: Path, plugin: str
) -> None:
    (tmp_path / "meltano.yml").write_text("requires_meltano: '>=4.4'\nsend_anonymous_usage_stats: false\n")
    kind, name = plugin.split("/")
    reference = str(ROOT / "plugins" / f"{plugin}.yml")
    arguments = ["--plugin-type", kind.removesuffix("s"), "--from-ref", reference, "--no-install"]
    project.meltano("--cwd", str(tmp_path), "add", name, *arguments, MELTANO_PROJECT_ROOT=str(tmp_path))
    added = yaml.safe_load((tmp_path / "meltano.yml").read_text(encoding="utf-8"))["plugins"][kind][0]
    asked = yaml.safe_load(Path(reference).read_text(encoding="utf-8"))
    assert [setting["name"] for setting in added["settings"]] == [
        setting["name"] for setting in asked["settings"]
    ]
    assert added["namespace"] == asked["namespace"]


@pytest.mark.parametrize(
    "named", ["Tōtara & Tide Limited", "Tōtara & Tide Limited ", '["Tōtara & Tide Limited"]']
)
def test_organisations_may_be_named_in_an_environment_variable(project: Any, named: str) -> None:
    project.meltano(
        "--environment=demo", "run", "--full-refresh", "tap-xero", "target-jsonl",
        TAP_XERO_TENANT_IDS=named,
        TAP_XERO__SELECT='["users.*"]',
    )  # fmt: skip


def test_organisations_may_be_a_list_in_the_project_s_file(project: Any, tmp_path: Path) -> None:
    project = project.another(tmp_path)
    project.meltano("config", "set", "tap-xero", "tenant_ids", '["Tōtara & Tide Limited", "Nobody, Inc"]')
    with pytest.raises(AssertionError, match=r"no connected organisation is|belongs to"):
        project.meltano("--environment=demo", "run", "tap-xero", "target-jsonl")


#: A loader that reads its input and prints the last STATE.
LOADER = """#!{python}
import json, sys
state = None
with open("{folder}/singer.jsonl", "w") as file:
    for line in sys.stdin:
        file.write(line)
        message = json.loads(line)
        state = message["value"] if message["type"] == "STATE" else state
print(json.dumps(state), flush=True)
"""


def test_a_new_project_that_added_the_plugin_spends_at_most_a_hundred_calls(
    project: Any, tmp_path: Path
) -> None:
    """`meltano add --from-ref` drops the definition's `select`, so everything is selected."""
    text = "version: 1\ndefault_environment: dev\nenvironments: [{name: dev}]\nsend_anonymous_usage_stats: false\n"
    (tmp_path / "meltano.yml").write_text(text, encoding="utf-8")
    here = {"MELTANO_PROJECT_ROOT": str(tmp_path), "SINGER_XERO_REPOSITORY": "file:///nowhere"}
    reference = str(ROOT / "plugins/extractors/tap-xero.yml")
    add = ["--plugin-type", "extractor", "--from-ref", reference, "--no-install"]
    project.meltano("--cwd", str(tmp_path), "add", "tap-xero", *add, **here)
    added = yaml.safe_load((tmp_path / "meltano.yml").read_text(encoding="utf-8"))
    tap = added["plugins"]["extractors"][0]
    assert "select" not in tap
    # Already installed with pytest: without pip_url, Meltano uses it.
    tap.pop("pip_url", None)
    scripts = Path(sys.executable).parent
    tap["executable"] = str(scripts / "tap-xero")
    loader = tmp_path / "target-any"
    loader.write_text(LOADER.format(python=sys.executable, folder=tmp_path), encoding="utf-8")
    loader.chmod(0o755)
    added["plugins"]["loaders"] = [
        {"name": "target-any", "namespace": "target_any", "executable": str(loader), "config": {}}
    ]
    (tmp_path / "meltano.yml").write_text(yaml.safe_dump(added), encoding="utf-8")
    with Sandbox(limits=False) as sandbox:
        settings = apps.CUSTOM_CONNECTION.settings(sandbox.url)
        variables = {f"TAP_XERO_{name.upper()}": value for name, value in settings.items()} | here
        said = project.meltano("--cwd", str(tmp_path), "run", "tap-xero", "target-any", **variables)
        calls = len(sandbox.admin.calls())
        messages = [json.loads(line) for line in (tmp_path / "singer.jsonl").read_text("utf-8").splitlines()]
        sandbox.admin.forget_calls()
        project.meltano("--cwd", str(tmp_path), "run", "tap-xero", "target-any", **variables)
        again = len(sandbox.admin.calls())
    assert calls <= 100, said
    assert again <= 100
    streams = {message["stream"] for message in messages if message["type"] == "RECORD"}
    assert {"invoices", "journals", "report_profit_and_loss"} <= streams
    assert messages[-1]["type"] == "STATE"
    assert said.count("These selected streams are not read, since they cost many calls") == 1
