"""A tag becomes a release only if tag, version and changelog agree."""

from __future__ import annotations

import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
release = runpy.run_path(str(ROOT / "tools" / "release.py"))
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
CHANGELOG = (
    f"# Changelog\n\n## [Unreleased]\n\n## [{VERSION}] - 2026-12-01\n\n* New.\n\n"
    "## [0.0.1] - 2026-01-01\n\n* Old.\n"
)


def test_the_notes_are_the_section_of_that_version_alone() -> None:
    assert release["notes"](CHANGELOG, VERSION) == "* New.\n"
    assert release["notes"](CHANGELOG, "0.0.1") == "* Old.\n"


@pytest.mark.parametrize("version", ["0.0.2", "0.0", "Unreleased"])
def test_a_version_without_a_section_is_not_released(version: str) -> None:
    with pytest.raises(release["NotReadyError"], match=r"CHANGELOG\.md has no section"):
        release["notes"](CHANGELOG, version)


def test_a_tag_for_another_version_is_refused_with_the_right_tag() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools/release.py", "check", "v99.0.0"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"tag v{VERSION}." in done.stderr


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github/workflows").glob("*.yml")), ids=lambda path: path.name
)
def test_workflows_pin_every_action_to_a_commit(path: Path) -> None:
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    used = [step["uses"] for job in jobs.values() for step in job["steps"] if "uses" in step]
    assert used
    for action in used:
        commit = action.partition("@")[2]
        assert len(commit) == 40 and set(commit) <= set("0123456789abcdef"), action


def test_only_the_job_that_publishes_may_ask_for_an_identity() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"))["jobs"]
    assert [name for name, job in jobs.items() if "id-token" in job.get("permissions", {})] == ["pypi"]
    assert jobs["pypi"]["needs"] == "build"


def test_each_change_is_audited_for_known_vulnerabilities_and_new_dependencies() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/security.yml").read_text(encoding="utf-8"))
    # YAML reads the key `on` as true.
    assert workflow[True].keys() == {"push", "pull_request", "schedule"}
    assert workflow["permissions"] == {"contents": "read"}
    audit, review = workflow["jobs"]["audit"], workflow["jobs"]["dependencies"]
    assert any("pip_audit --requirement requirements.txt" in step.get("run", "") for step in audit["steps"])
    assert any(
        step.get("uses", "").startswith("actions/dependency-review-action@") for step in review["steps"]
    )
