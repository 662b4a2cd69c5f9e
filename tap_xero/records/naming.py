"""Field names as Xero writes them, or in snake_case for databases that fold or quote capitals."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

XERO, SNAKE_CASE = "xero", "snake_case"

_BORDER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

_OF_SQL = {"user": "xero_user"}
"""Reserved words of SQL: in PostgreSQL, `user` is the current user."""


@cache
def snake_case(name: str) -> str:
    """`UpdatedDateUTC` as `updated_date_utc`, `COGSAccountCode` as `cogs_account_code`; digits stay where they are."""
    found = _BORDER.sub("_", name).lower()
    return _OF_SQL.get(found, found)


def renamed(value: Any) -> Any:
    """A record with all its fields in snake_case, including nested ones.

    A field keeps its own name if another field already has the new one, so that no value is lost.
    """
    if isinstance(value, dict):
        found = {snake_case(name): renamed(inner) for name, inner in value.items()}
        if len(found) < len(value):
            found = {name: renamed(inner) for name, inner in value.items() if snake_case(name) == name}
            for name in [name for name in value if snake_case(name) != name]:
                new = snake_case(name)
                found[name if new in found else new] = renamed(value[name])
        return found
    if isinstance(value, list):
        return [renamed(inner) for inner in value]
    return value
