"""The commands of the README, word for word in an empty folder."""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from pathlib import Path

from processes import shell

from demo import install

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def commands(name: str) -> str:
    """The block of commands that follows a mark."""
    found = re.search(rf"<!-- {name} -->\n```sh\n(.*?)```", README, re.DOTALL)
    assert found, name
    return found[1]


def follow(name: str, folder: Path) -> str:
    """Run a block in a shell; returns its output, which must not complain about settings."""
    kept = {
        key: value
        for key, value in install.environment().items()
        if not key.startswith(("MELTANO_", "TAP_", "TARGET_", "XDG_"))
    }
    path = os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]])
    said = shell(commands(name), folder, kept | {"HOME": str(folder), "PATH": path})
    assert "is unknown and ignored" not in said
    return said


def records(path: Path) -> Counter[str]:
    """The number of records of each stream in a file of Singer messages."""
    messages = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return Counter(message["stream"] for message in messages if message["type"] == "RECORD")


def test_the_commands_of_the_readme_read_the_company_and_then_only_changes(tmp_path: Path) -> None:
    follow("try", tmp_path)
    first, second = records(tmp_path / "first.jsonl"), records(tmp_path / "second.jsonl")
    assert first["contacts"] > 100
    assert first["journals"] > 1000
    assert second["contacts"] == second["journals"] == 0
    assert second["organisation"] == 1


def test_the_first_writes_are_done_once(tmp_path: Path) -> None:
    said = follow("write", tmp_path)
    rows = re.findall(r"^(contacts|invoices) +(\d+) +(\d+) +(\d+) +(\d+)", said, re.MULTILINE)
    created = [("contacts", "1", "0", "0", "0"), ("invoices", "1", "0", "0", "0")]
    unchanged = [("contacts", "0", "0", "0", "1"), ("invoices", "0", "0", "0", "1")]
    assert rows == created + unchanged
