"""The command `xero-reconcile`."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from singer_sdk import typing as th

from singer_xero.api.errors import XeroError
from singer_xero.connection import Connected
from singer_xero.console import clean_output
from singer_xero.errors import ConfigurationProblem
from singer_xero.json_input import json_file
from singer_xero.settings import CONNECTION_SETTINGS, ConnectionSettings, remember_settings
from singer_xero.settings import environment as from_environment
from xero_reconcile import counts, figures, page, text, warehouse

AGREES, DIFFERS, NOT_COMPARED = 0, 1, 2
"""Exit codes: all figures agree or have an explained difference; one is wrong; there was nothing to compare."""

logger = logging.getLogger("xero-reconcile")


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] | None = None) -> int:
    """Compare, print, and return the exit code."""
    options = _parser().parse_args(arguments)
    given = os.environ if environment is None else environment
    with clean_output(stdout=True):
        try:
            return _run(options, given)
        except (ConfigurationProblem, XeroError) as problem:
            print(f"xero-reconcile: {problem}", file=sys.stderr)
            return NOT_COMPARED


def _run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    database = options.database or warehouse.from_environment(environment)
    if not database:
        raise ConfigurationProblem(
            "No warehouse is named: use --database, or the environment variables of dbt's profile "
            "(TARGET_POSTGRES_DATABASE and its neighbours, or XERO_LEDGER_TARGET=duckdb and XERO_DUCKDB_PATH)."
        )
    with warehouse.Warehouse(database, options.schema, options.tap_schema) as opened:
        every = figures.organisations(opened)
        config = _tap_settings(options.config, environment)
        if config is None:
            for one in every:
                one.not_checked.append("Records: no settings of the tap are given (--config)")
        else:
            with closing(Connected(ConnectionSettings.of(config), logger)) as connected:
                archived = config.get("include_archived") is not False
                counts.compare_records(opened, connected, every, include_archived=archived)
        for line in text.lines(every):
            print(line)
        if options.page:
            path = Path(options.page)
            path.write_text(page.render(opened, every), encoding="utf-8")
            print(f"The page: {path}")
    if not any(one.figures for one in every):
        raise ConfigurationProblem(
            "There was nothing to compare: load the streams report_profit_and_loss, report_balance_sheet and the other "
            "reports, and run `dbt build`."
        )
    wrong = figures.unexplained(every)
    strict = options.strict and any(check.explained for one in every for check in one.checks)
    return DIFFERS if wrong or strict else AGREES


def _tap_settings(paths: Sequence[str], variables: Mapping[str, str]) -> dict[str, Any] | None:
    """The tap's settings from its config files, and with `ENV` from TAP_XERO_… variables; None if none are given."""
    if not paths:
        return None
    found: dict[str, Any] = {}
    known = th.PropertiesList(*CONNECTION_SETTINGS).to_dict()["properties"]
    for path in paths:
        found |= (
            from_environment("TAP_XERO", known, variables) if path == "ENV" else json_file(path, "config")
        )
    remember_settings(found, known)
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="xero-reconcile",
        description="Compare the ledger that dbt made in the warehouse with Xero's own figures. The exit code is 0 if "
        "all of them agree to the cent or differ by what only Xero knows, 1 if one differs and should not, 2 if they "
        "could not be compared.",
    )
    parser.add_argument(
        "--database",
        metavar="URL",
        help="postgresql://user:password@host/database, or the path of a DuckDB file. Default: what dbt's profile "
        "takes from the environment",
    )
    parser.add_argument(
        "--schema", default="xero_ledger", help="schema of dbt's models (default: %(default)s)"
    )
    parser.add_argument(
        "--tap-schema",
        default="tap_xero",
        metavar="SCHEMA",
        help="schema of the tap's tables (default: %(default)s)",
    )
    parser.add_argument(
        "--config",
        action="append",
        default=[],
        metavar="FILE",
        help="settings of tap-xero, or ENV for TAP_XERO_… variables: compare the numbers of records too, at a call or "
        "so for each list",
    )
    parser.add_argument("--page", metavar="FILE", help="write the page as one HTML file")
    parser.add_argument("--strict", action="store_true", help="treat explained differences as wrong, too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
