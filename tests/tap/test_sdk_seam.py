"""The private names of the SDK that the tap uses exist with the expected parameters, and are used in one
module.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from singer_xero.plugin import XeroPlugin
from tap_xero import sdk

ROOT = Path(__file__).resolve().parents[2]

#: The parameters with which the tap calls or overrides each name.
SIGNATURES = {
    "_process_record": "(self, record, child_context=None, partition_context=None)",
    "_generate_record_messages": "(self, record)",
    "_generate_schema_messages": "(self)",
    "_increment_stream_state": "(self, latest_record, *, context=None)",
    "_write_activate_version_message": "(self, full_table_version)",
    "_write_schema_message": "(self)",
    "_write_record_message": "(self, record)",
    "_write_starting_replication_value": "(self, context)",
    "_handle_termination": "(self, signum, frame)",
    "_reset_state_progress_markers": "(self)",
    "_set_compatible_replication_methods": "(self)",
    "get_selected_schema": "(stream_name, schema, mask)",
    "pop_deselected_record_properties": "(record, schema, mask, breadcrumb=())",
    "StateWriter": "(message_writer)",
    "StreamStateManager": "(*, stream_name, tap_state, is_sorted=False, check_sorted=True, tap_name=None, "
    "state_partitioning_keys=None)",
}
NAMES = [(owner, name) for owner, names in sdk.PRIVATE.items() for name in names]


def found(path: str) -> Any:
    """Import a class or a module by its full name."""
    try:
        return importlib.import_module(path)
    except ImportError:
        module, _, name = path.rpartition(".")
        return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize(("owner", "name"), NAMES)
def test_a_private_name_of_the_sdk_exists_with_the_expected_signature(owner: str, name: str) -> None:
    breaks = f"{owner}.{name}: it {sdk.PRIVATE[owner][name]}"
    thing = getattr(found(owner), name, None)
    assert thing is not None, breaks
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in inspect.signature(thing).parameters.values()
    ]
    assert str(inspect.Signature(parameters)) == SIGNATURES[name], breaks


@pytest.mark.parametrize("name", sdk.PRIVATE_ATTRIBUTES)
def test_a_private_attribute_of_the_sdk_is_set_where_the_tap_reads_it(name: str) -> None:
    sources = "".join(
        inspect.getsource(found(f"singer_sdk.{module}")) for module in ("streams.core", "tap_base")
    )
    assert re.search(rf"self\.{name}\b[^=\n]*=", sources), f"{name} {sdk.PRIVATE_ATTRIBUTES[name]}"


def test_the_private_names_are_used_in_one_module() -> None:
    private = {name for _, name in NAMES if name.startswith("_")} | sdk.PRIVATE_ATTRIBUTES.keys()
    for path in (ROOT / "tap_xero").rglob("*.py"):
        if path.name == "sdk.py":
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not [one for one in modules if one.startswith("singer_sdk") and "._" in one], path
        used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert not used & private, path


def test_the_settings_reach_tap_and_target_by_the_sdk_s_private_names() -> None:
    plugin = found("singer_sdk.plugin_base")
    assert set(plugin._ConfigInput.__annotations__) >= {"config", "parse_env"}, "--config would not be read"
    for name in ("_env_var_config", "_validate_config"):
        assert name in vars(plugin.PluginBase), "settings would not be checked"
        assert name in vars(XeroPlugin)
