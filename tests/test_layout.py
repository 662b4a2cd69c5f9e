"""Imports go one way: the client does not know Singer, and the sandbox does not know the other packages."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OURS = {"singer_xero", "tap_xero", "target_xero", "xero_reconcile", "xero_sandbox"}
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in sorted(OURS)
    for path in sorted((ROOT / package).rglob("*.py"))
}
#: The other parts of the project that each part may import. `singer_xero.connection` starts the sandbox
#: when the setting `sandbox` asks for it.
ALLOWED = {
    "singer_xero.api": {"singer_xero.objects"},
    "singer_xero.objects": set(),
    "xero_sandbox": set(),
    "singer_xero": {"singer_xero.api", "singer_xero.objects", "xero_sandbox"},
    "tap_xero": {"singer_xero"},
    "target_xero": {"singer_xero"},
    "xero_reconcile": {"singer_xero"},
}
DOZEN = 12
"""The most modules in a folder; more of them go into packages."""

#: The libraries that the client may import.
LIBRARIES = {
    "backoff",
    "filelock",
    "isal",
    "jwt",
    "msgspec",
    "pendulum",
    "platformdirs",
    "psycopg",
    "requests",
    "urllib3",
}


def part_of(module: str) -> str:
    """The part of the project that a module belongs to."""
    parts = [part for part in ALLOWED if module == part or module.startswith(f"{part}.")]
    return max(parts, key=len)


def imported(module: str) -> Iterator[str]:
    """The full names of everything that a module imports; `from a import b` is a.b if that is a module."""
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
    """The modules of the project that it imports."""
    return {name for name in imported(module) if name.split(".")[0] in OURS}


def is_within(name: str, parts: set[str]) -> bool:
    return any(name == part or name.startswith(f"{part}.") for part in parts)


@pytest.mark.parametrize("module", MODULES)
def test_imports_lean_one_way(module: str) -> None:
    part = part_of(module)
    for name in ours(module):
        assert part_of(name) == part or is_within(name, ALLOWED[part]), f"{module} imports {name}"


@pytest.mark.parametrize("module", [name for name in MODULES if part_of(name) == "singer_xero.api"])
def test_the_client_knows_nothing_of_singer(module: str) -> None:
    foreign = {name.split(".")[0] for name in imported(module)} - set(sys.stdlib_module_names)
    assert foreign <= {"singer_xero", "__future__", *LIBRARIES}


@pytest.mark.parametrize(
    "module", [n for n in MODULES if part_of(n) in {"singer_xero.objects", "xero_sandbox"}]
)
def test_neither_registry_nor_sandbox_knows_of_singer(module: str) -> None:
    assert "singer_sdk" not in {name.split(".")[0] for name in imported(module)}


def test_the_registry_does_nothing() -> None:
    """The registry is data: it uses no file, no network and no process."""
    doing = {"io", "os", "pathlib", "requests", "socket", "subprocess", "sqlite3", "threading", "urllib"}
    for module in MODULES:
        if part_of(module) == "singer_xero.objects":
            assert not {name.split(".")[0] for name in imported(module)} & doing, module


def test_no_folder_has_more_than_a_dozen_modules() -> None:
    folders = Counter(path.parent for path in MODULES.values() if path.name != "__init__.py")
    assert {folder: number for folder, number in folders.items() if number > DOZEN} == {}


def test_a_module_s_name_says_what_is_in_it() -> None:
    words = {word for module in MODULES for word in module.replace("_", ".").split(".")}
    assert not words & {"utils", "util", "helpers", "helper", "misc", "common", "stuff"}


#: The other packages of the sandbox that each may import: rules know neither HTTP nor the demo company.
SANDBOX = {
    "accounting": set(),
    "state": {"accounting"},
    "rules": {"accounting", "state"},
    "demo": {"accounting", "state", "rules"},
    "http": {"accounting", "state", "rules"},
}


@pytest.mark.parametrize(
    "module", [name for name in MODULES if name.startswith(tuple(f"xero_sandbox.{one}" for one in SANDBOX))]
)
def test_the_packages_of_the_sandbox_lean_one_way(module: str) -> None:
    package = module.split(".")[1]
    others = {name.split(".")[1] for name in ours(module) if name.count(".") > 1} & SANDBOX.keys()
    assert others <= SANDBOX[package] | {package}, module


def circles() -> list[frozenset[str]]:
    """The groups of modules that reach each other by imports, those for type checking and in functions included."""
    reached = {module: set(ours(module) & MODULES.keys()) for module in MODULES}
    for through in MODULES:
        for module in MODULES:
            if through in reached[module]:
                reached[module] |= reached[through]
    found = {
        frozenset(other for other in reached[module] if module in reached[other])
        for module in MODULES
        if module in reached[module]
    }
    return sorted(found, key=min)


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert [sorted(circle) for circle in circles()] == []


def test_a_circle_would_be_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, text in {
        "one": "from x import two",
        "two": "if TYPE_CHECKING:\n    from x.one import A",
    }.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.setitem(
        globals(), "MODULES", {f"x.{name}": tmp_path / f"{name}.py" for name in ("one", "two")}
    )
    monkeypatch.setitem(globals(), "OURS", {"x"})
    assert circles() == [frozenset({"x.one", "x.two"})]


def test_these_tests_see_imports_that_are_hidden_in_functions_and_relative_ones() -> None:
    assert "xero_sandbox.apps" in ours("singer_xero.connection")
    assert "xero_sandbox.faults" in ours("xero_sandbox.service")


#: The packages of the target, in the order in which a record passes them.
TARGET = ["content", "write_specs", "write_log", "intake", "lookups", "planning", "writing"]


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("target_xero.")])
def test_the_packages_of_the_target_import_only_those_before_them(module: str) -> None:
    package = module.split(".")[1]
    if package not in TARGET or len(module.split(".")) < 3:
        return
    later = TARGET[TARGET.index(package) + 1 :]
    assert not is_within_any(ours(module), later), module


def is_within_any(names: set[str], packages: list[str]) -> set[str]:
    return {name for name in names if name.split(".")[0] == "target_xero" and name.split(".")[1] in packages}


def test_no_module_of_the_target_asks_for_an_object_by_its_name() -> None:
    """Everything special about an object is in its row, so that a new object needs one row."""
    from target_xero.write_specs.rows import WRITE_SPECS

    for module, path in MODULES.items():
        if not module.startswith("target_xero.") or module.startswith("target_xero.write_specs"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare):
                sides = [node.left, *node.comparators]
                named = any(isinstance(one, ast.Attribute) and one.attr == "name" for one in sides)
                words = {
                    one.value for side in sides for one in ast.walk(side) if isinstance(one, ast.Constant)
                }
                assert not (named and words & WRITE_SPECS.keys()), f"{module}:{node.lineno}"


def literals(module: str) -> Iterator[tuple[str, int]]:
    """The texts in a module's code, docstrings excluded, with their lines."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    prose = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value, node.lineno


@pytest.mark.parametrize(
    "module",
    [name for name in MODULES if part_of(name) in {"singer_xero", "singer_xero.api", "tap_xero"}],
)
def test_only_the_registry_knows_objects_apis_and_scopes_by_name(module: str) -> None:
    from singer_xero.objects import EVERY

    rows = EVERY.values()
    # `items` is a keyword of JSON schema, too.
    names = {name for row in rows for name in (row.name, row.path, row.api.name, row.api.base)} - {"items"}
    scopes = {scope for row in rows for scope in row.scopes.opening if "." in scope} | {"paymentservices"}
    for text, line in literals(module):
        assert text not in names, f"{module}:{line}"
        assert not [name for name in scopes if name in text], f"{module}:{line}"
