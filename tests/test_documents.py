"""README and docs: generated tables are up to date, links work, and lines are short."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

from tools.tables import PAGES, with_tables

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").rglob("*.md")])
LONGEST = 120

_FENCE = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)")
_GENERATED = re.compile(r"<!-- (?P<name>[\w ]+) -->\n.*?<!-- /(?P=name) -->", re.DOTALL)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def prose(path: Path) -> str:
    """A document without its code blocks."""
    return _FENCE.sub("", path.read_text(encoding="utf-8"))


@cache
def anchors(path: Path) -> frozenset[str]:
    """The anchors that GitHub makes of a document's headings."""
    found: list[str] = []
    for heading in re.findall(r"^#+ (.*)", prose(path), re.MULTILINE):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        repeated = found.count(anchor)
        found.append(f"{anchor}-{repeated}" if repeated else anchor)
    return frozenset(found)


def dead_links(path: Path) -> list[str]:
    """The links of a document to missing files or headings."""
    dead = []
    for link in _LINK.findall(prose(path)):
        if re.match(r"\w+:", link):
            continue  # another site
        place, _, anchor = link.partition("#")
        target = (path.parent / unquote(place)).resolve() if place else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    return dead


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_the_tables_are_up_to_date(page: Path) -> None:
    assert with_tables(page) == page.read_text(encoding="utf-8"), "run python tools/tables.py"


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_link_leads_somewhere(path: Path) -> None:
    assert dead_links(path) == []


def test_a_dead_link_and_a_dead_anchor_are_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# A `heading` of [two](x.md): words\n", encoding="utf-8")
    page = tmp_path / "page.md"
    page.write_text(
        "# Here\n[a](other.md) [b](other.md#a-heading-of-two-words) [c](#here) [d](https://example.com/x)\n"
        "[e](none.md) [f](other.md#none) [g](#none)\n```\n[h](none.md)\n```\n",
        encoding="utf-8",
    )
    assert dead_links(page) == ["none.md", "other.md#none", "#none"]


def test_the_index_names_every_page() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in _LINK.findall(prose(index))}
    assert {path for path in (ROOT / "docs").glob("*.md") if path != index} - linked == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_lines_of_prose_are_short_enough_to_read(path: Path) -> None:
    written = _GENERATED.sub("", prose(path))
    long = [line for line in written.splitlines() if len(line) > LONGEST and not line.startswith("|")]
    # A link or an address may be longer than a line.
    assert [line for line in long if re.search(r"\s", line.strip().partition("](")[0][LONGEST:])] == []


@cache
def texts_of_the_programs() -> str:
    """All texts in the source code, one per line; an expression in an f-string ends a text."""
    found = []
    for package in ("singer_xero", "tap_xero", "target_xero", "xero_sandbox"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.append(node.value)
    return "\n".join(found)


def messages() -> list[str]:
    """The messages that docs/troubleshooting.md explains; `…` stands for varying parts."""
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    first = re.findall(r"^\| (`.*?`) \|", page, re.MULTILINE)
    return [message for cell in first for message in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize("message", messages())
def test_a_message_that_is_explained_is_one_of_the_programs(message: str) -> None:
    parts = [part.strip(" .:;,()") for part in message.split("…")]
    assert [part for part in parts if part not in texts_of_the_programs()] == []


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 160
