"""`meltano run tap-xero target-jsonl`: the shortest way from the demo company to a file, with Meltano's own means."""

from __future__ import annotations

import json
from typing import Any

from tap_xero.sandbox import Sandbox


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
        users = sandbox.desk.records("Users")
    assert {row["UserID"]: row["FirstName"] for row in rows} == {
        user["UserID"]: user["FirstName"] for user in users
    }
    assert all("EmailAddress" not in row for row in rows)


def test_meltano_finds_the_configuration_valid(project: Any) -> None:
    assert "configuration is valid" in project.meltano("--environment=demo", "config", "test", "tap-xero")
