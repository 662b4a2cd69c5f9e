"""The settings of a login: those of tap and target, and the options of the command line."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import jsonschema
from singer_sdk import typing as th

from singer_xero.api.hosts import API_URL, IDENTITY_URL
from singer_xero.api.tokens import default_path
from singer_xero.connection import check_host, sandbox_setting
from singer_xero.errors import ConfigurationProblem
from singer_xero.json_input import json_file
from singer_xero.login.answer import APP_PAGE
from singer_xero.settings import CONNECTION_SETTINGS, explain, from_environment, remember_settings, trimmed

_PREFIXES = ("TAP_XERO", "TARGET_XERO")


def settings(sources: Iterable[str], options: Mapping[str, str | None]) -> dict[str, Any]:
    """The connection settings of tap and target: files and environment in the given order, then the options.

    Raises ConfigurationProblem if there is no client_id or a setting is invalid.
    """
    found: dict[str, Any] = {"api_url": API_URL, "identity_url": IDENTITY_URL}
    schema = th.PropertiesList(*CONNECTION_SETTINGS).to_dict()
    known = schema["properties"]
    for source in sources or ("ENV",):
        told = environment(known) if source == "ENV" else json_file(source, "config file")
        found |= {name: value for name, value in told.items() if name in known and value is not None}
    found |= {name: value for name, value in options.items() if value}
    found = trimmed(found)
    remember_settings(found, known)
    errors = [explain(error, known) for error in jsonschema.Draft7Validator(schema).iter_errors(found)]
    if errors:
        raise ConfigurationProblem(f"Settings: {'; '.join(errors)}.")
    check_host("identity_url", found["identity_url"])
    if sandbox_setting(found.get("sandbox")):
        raise ConfigurationProblem("The setting sandbox is on. The embedded demo company needs no login.")
    if not found.get("client_id"):
        raise ConfigurationProblem(
            "No client_id: pass --client-id, set TAP_XERO_CLIENT_ID, or name the tap's config file with --config. The "
            f"app's page at {APP_PAGE} shows the client id."
        )
    found["token_path"] = found.get("token_path") or of_project() or default_path()
    return found


def environment(known: Mapping[str, Any]) -> dict[str, Any]:
    """The settings in TAP_XERO_* and TARGET_XERO_*; the tap's take precedence."""
    found: dict[str, Any] = {}
    for prefix in _PREFIXES:
        for name, setting in known.items():
            variable = f"{prefix}_{name.upper()}"
            if os.environ.get(variable) and name not in found:
                found[name] = from_environment(variable, os.environ[variable], setting)
    return found


def of_project() -> str | None:
    """The token file of the Meltano project around the current folder; None if there is none or Meltano runs this."""
    if os.environ.get("MELTANO_PROJECT_ROOT"):
        return None
    here = Path.cwd()
    project = next((folder for folder in (here, *here.parents) if (folder / "meltano.yml").is_file()), None)
    return str(project / ".secrets" / "xero-tokens.json") if project else None
