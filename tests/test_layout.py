"""Who may import whom: imports lean one way. The client knows nothing of Singer, the sandbox nothing of us."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in ("tap_xero", "target_xero")
    for path in sorted((ROOT / package).rglob("*.py"))
}
#: For each part of the project, what it may import of the project besides itself.
ALLOWED = {
    "tap_xero.api": set(),
    "tap_xero.objects": set(),
    "tap_xero.sandbox": set(),
    "tap_xero": {"tap_xero.api", "tap_xero.objects"},
    "target_xero": {"tap_xero.api", "tap_xero.objects", "tap_xero.config"},
}
#: What the client may use of other people's.
LIBRARIES = {"backoff", "filelock", "jwt", "msgspec", "platformdirs", "psycopg", "requests", "urllib3"}


def part_of(module: str) -> str:
    """The part of the project that a module belongs to."""
    parts = [part for part in ALLOWED if module == part or module.startswith(f"{part}.")]
    return max(parts, key=len)


def imported(module: str) -> Iterator[str]:
    """What a module imports anywhere in it, by full name; of `from a import b` it is a.b where that is a module."""
    path = MODULES[module]
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            whole = ".".join([*base, *([node.module] if node.module else [])])
            names = {f"{whole}.{alias.name}" for alias in node.names}
            yield from (names & MODULES.keys()) or {whole}


def ours(module: str) -> set[str]:
    """What it imports of the project."""
    return {name for name in imported(module) if name.split(".")[0] in {"tap_xero", "target_xero"}}


def is_within(name: str, parts: set[str]) -> bool:
    return any(name == part or name.startswith(f"{part}.") for part in parts)


@pytest.mark.parametrize("module", MODULES)
def test_imports_lean_one_way(module: str) -> None:
    part = part_of(module)
    for name in ours(module):
        if part == "tap_xero" and part_of(name) == "tap_xero":
            continue
        if module == "tap_xero.config" and is_within(name, {"tap_xero.sandbox"}):
            continue  # the setting `sandbox` starts one
        assert part_of(name) == part or is_within(name, ALLOWED[part]), f"{module} imports {name}"


@pytest.mark.parametrize("module", [name for name in MODULES if part_of(name) == "tap_xero.api"])
def test_the_client_knows_nothing_of_singer(module: str) -> None:
    foreign = {name.split(".")[0] for name in imported(module)} - set(sys.stdlib_module_names)
    assert foreign <= {"tap_xero", "__future__", *LIBRARIES}


@pytest.mark.parametrize(
    "module", [n for n in MODULES if part_of(n) in {"tap_xero.objects", "tap_xero.sandbox"}]
)
def test_neither_registry_nor_sandbox_knows_of_singer(module: str) -> None:
    assert "singer_sdk" not in {name.split(".")[0] for name in imported(module)}


def test_the_registry_does_nothing() -> None:
    """It is data: no file, no network, no process."""
    doing = {"io", "os", "pathlib", "requests", "socket", "subprocess", "sqlite3", "threading", "urllib"}
    for module in MODULES:
        if part_of(module) == "tap_xero.objects":
            assert not {name.split(".")[0] for name in imported(module)} & doing, module


def test_a_module_s_name_says_what_is_in_it() -> None:
    words = {word for module in MODULES for word in module.replace("_", ".").split(".")}
    assert not words & {"utils", "util", "helpers", "helper", "misc", "common", "stuff"}


def test_these_tests_see_imports_that_are_hidden_in_functions_and_relative_ones() -> None:
    assert "tap_xero.sandbox" in ours("tap_xero.config")
    assert "tap_xero.sandbox.faults" in ours("tap_xero.sandbox.control")
