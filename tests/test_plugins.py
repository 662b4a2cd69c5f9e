"""The plugin definitions for Meltano agree with the plugins."""

from __future__ import annotations

import runpy
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from singer_xero.objects import EVERY, STREAMS

ROOT = Path(__file__).resolve().parents[1]
make = runpy.run_path(str(ROOT / "plugins" / "make.py"))
PROJECT = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
DEFINED = {plugin["name"]: plugin for kind in PROJECT["plugins"].values() for plugin in kind}


@pytest.fixture(scope="module")
def made() -> dict[Path, str]:
    return make["files"]()


def test_the_definitions_are_what_about_gives(made: dict[Path, str]) -> None:
    assert len(made) == 3
    for path, text in made.items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run python plugins/make.py"


@pytest.mark.parametrize("plugin", ["tap-xero", "target-xero"])
def test_every_setting_is_known_to_meltano_and_secrets_are_marked(plugin: str) -> None:
    told = make["about"](plugin)["settings"]["properties"]
    settings = {setting["name"]: setting for setting in DEFINED[plugin]["settings"]}
    assert list(settings) == list(told)
    assert {name for name, setting in settings.items() if setting.get("sensitive")} == {
        "client_secret",
        "refresh_token",
        "token_path",  # it can be the address of a database with a password
        *(["write_log_path"] if plugin == "target-xero" else []),  # like this one
    }


def test_meltano_selects_the_streams_that_are_on_by_default_and_no_others() -> None:
    patterns = DEFINED["tap-xero"]["select"]
    # An exclusion would override a user's later selection.
    assert not [pattern for pattern in patterns if pattern.startswith("!")]
    for name, xero in EVERY.items():
        assert any(fnmatch(f"{name}.tenant_id", pattern) for pattern in patterns) == xero.selected, name


def test_meltano_is_not_asked_for_a_stream_that_may_be_missing_by_its_full_name() -> None:
    """Meltano warns of an unknown stream in every run; nested tables exist only with `nested_tables: true`."""
    streams = {pattern.partition(".")[0] for pattern in DEFINED["tap-xero"]["select"]}
    assert {name for name in streams if "*" not in name} <= set(STREAMS)


def test_no_plugin_needs_the_hub() -> None:
    assert all("namespace" in plugin and "pip_url" in plugin for plugin in DEFINED.values())


def test_jobs_and_schedules_name_plugins_that_are_there() -> None:
    jobs = {job["name"]: job["tasks"] for job in PROJECT["jobs"]}
    assert {name for tasks in jobs.values() for task in tasks for name in task.split()} <= set(DEFINED)
    assert {schedule["job"] for schedule in PROJECT["schedules"]} <= set(jobs)


@pytest.mark.parametrize("path", ["meltano.yml", "examples/nightly/meltano.yml"])
def test_postgresql_does_not_validate_what_the_tap_guarantees(path: str) -> None:
    loaders = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))["plugins"]["loaders"]
    (found,) = [loader for loader in loaders if loader["name"] == "target-postgres"]
    values = {setting["name"]: setting.get("value") for setting in found["settings"]}
    assert {**values, **found.get("config", {})}["validate_records"] is False
