"""The settings of a login: those of tap and target, and the options of the command line."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from singer_sdk import typing as th

from singer_xero.api.tokens import default_path
from singer_xero.errors import ConfigurationProblem
from singer_xero.json_input import json_file
from singer_xero.login.answer import APP_PAGE
from singer_xero.settings import (
    CONNECTION_SETTINGS,
    ConnectionSettings,
    environment,
    invalid,
    remember_settings,
)


def settings(sources: Iterable[str], options: Mapping[str, str | None]) -> ConnectionSettings:
    """The connection settings of tap and target: files and environment in the given order, then the options.

    Raises ConfigurationProblem if there is no client_id or a setting is invalid.
    """
    found: dict[str, Any] = {}
    schema = th.PropertiesList(*CONNECTION_SETTINGS).to_dict()
    known = schema["properties"]
    for source in sources or ("ENV",):
        if source == "ENV":
            given = environment("TARGET_XERO", known, os.environ) | environment("TAP_XERO", known, os.environ)
        else:
            given = json_file(source, "config file")
        found |= {name: value for name, value in given.items() if name in known and value is not None}
    found |= {name: value for name, value in options.items() if value}
    remember_settings(found, known)
    if problem := invalid(found, schema):
        raise ConfigurationProblem(f"Settings: {problem}.")
    read = ConnectionSettings.of(found)
    read.check_hosts()
    if read.sandbox_data:
        raise ConfigurationProblem("The setting sandbox is on. The embedded demo company needs no login.")
    if not read.client_id:
        raise ConfigurationProblem(
            "No client_id: pass --client-id, set TAP_XERO_CLIENT_ID, or name the tap's config file with --config. The "
            f"app's page at {APP_PAGE} shows the client id."
        )
    return replace(read, token_path=read.token_path or of_project() or default_path())


def of_project() -> str | None:
    """The token file of the Meltano project around the current folder; None if there is none or Meltano runs this."""
    if os.environ.get("MELTANO_PROJECT_ROOT"):
        return None
    here = Path.cwd()
    project = next((folder for folder in (here, *here.parents) if (folder / "meltano.yml").is_file()), None)
    return str(project / ".secrets" / "xero-tokens.json") if project else None
