"""The tables of README and docs say what the registry and the settings say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.tables import PAGES, with_tables


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tables_are_up_to_date(page: Path) -> None:
    assert with_tables(page) == page.read_text(encoding="utf-8"), "run python tools/tables.py"
