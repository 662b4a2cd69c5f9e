"""The README's tables say what the registry and the settings say."""

from __future__ import annotations

from tools.tables import README, with_tables


def test_the_tables_are_up_to_date() -> None:
    text = README.read_text(encoding="utf-8")
    assert with_tables(text) == text, "run python tools/tables.py"
