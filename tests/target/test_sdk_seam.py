"""The private names of the SDK that the target depends on, compared with the installed SDK."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest
from singer_sdk import Sink, Target

import target_xero
from target_xero import sdk_seam
from target_xero.sdk_seam import PRIVATE_NAMES

FOLDER = Path(target_xero.__file__).parent


@pytest.mark.parametrize(("owner", "name", "parameters", "breaks"), PRIVATE_NAMES, ids=str)
def test_a_private_name_of_the_sdk_is_as_the_target_expects(owner, name, parameters, breaks):
    if parameters is None:
        assert f"self.{name}" in inspect.getsource(owner) or hasattr(owner, name), f"without {name}: {breaks}"
        return
    found = getattr(owner, name, None)
    assert found is not None, f"without {name}: {breaks}"
    assert tuple(inspect.signature(found).parameters) == tuple(parameters), f"{name} changed: {breaks}"


def test_the_sdk_calls_each_hook_that_the_target_overrides():
    """The SDK may keep a hook and no longer call it."""
    source = (
        inspect.getsource(Target) + inspect.getsource(Sink) + inspect.getsource(sdk_seam.GenericSingerReader)
    )
    source += inspect.getsource(inspect.getmodule(sdk_seam.BaseSingerReader))
    for _, name, _, breaks in PRIVATE_NAMES:
        uses = source.count(f"._{name.removeprefix('_')}")
        assert uses, f"{name} is not used by the SDK: {breaks}"


def test_every_private_override_is_listed():
    listed = {name for _, name, _, _ in PRIVATE_NAMES}
    tree = ast.parse((FOLDER / "sdk_seam.py").read_text(encoding="utf-8"))
    overridden = {
        part.name
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        for part in node.body
        if isinstance(part, ast.FunctionDef) and part.name.startswith("_") and not part.name.startswith("__")
    }
    assert overridden <= listed


def test_no_other_module_uses_a_private_name_of_the_sdk():
    listed = {name for _, name, _, _ in PRIVATE_NAMES} | {"__func__"}
    for path in FOLDER.rglob("*.py"):
        if path.name != "sdk_seam.py":
            tree = ast.parse(path.read_text(encoding="utf-8"))
            names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
            names |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
            assert not names & listed, path
