"""The address of a PostgreSQL database in a setting, parsed, and shown without its password."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from singer_xero.api.redaction import remember

_is_address = re.compile(r"postgres(ql)?(\+\w+)?://").match


class BadAddress(Exception):
    """The setting is not a usable address. The text begins with the setting; `advice` says what to do."""

    def __init__(self, words: str, advice: str) -> None:
        super().__init__(words)
        self.advice = advice


@dataclass(frozen=True)
class PostgresAddress:
    """A database: `url` with the password, `shown` without it, and further `options` to connect."""

    url: str = field(repr=False)
    shown: str
    secrets: frozenset[str] = field(repr=False)
    options: dict[str, Any]


def is_postgres(setting: str) -> bool:
    """Whether a setting names a PostgreSQL database rather than a file."""
    return bool(_is_address(os.path.expandvars(setting)))


def postgres_address(setting: str, url: str) -> PostgresAddress:
    """Parse `postgresql://user:password@host:port/database`; raises BadAddress.

    Missing parts come from libpq's own variables and files (PGPASSWORD, ~/.pgpass).
    """
    try:
        import psycopg.conninfo
    except ImportError:
        raise BadAddress(
            f"{setting} is a PostgreSQL database, but Psycopg is not installed",
            "Install it: pip install 'singer-xero[postgres]'.",
        ) from None
    if "$" in url:
        raise BadAddress(
            f"{setting} contains a $ that names no variable that is set",
            "Set the variable, or write a $ in the password as %24.",
        )
    # SQLAlchemy's spelling names a driver as well.
    url = re.sub(r"^postgres(ql)?(\+\w+)?:", "postgresql:", url)
    try:
        parts: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:  # its text repeats the address, password and all
        parts = {"port": "unknown"}
    host, port, database = (str(parts.get(name) or "") for name in ("host", "port", "dbname"))
    # With an unencoded @ or / in a password, libpq takes parts of it for a host or a port.
    if not re.fullmatch(r"[\d,]*", port) or "@" in host + database:
        raise BadAddress(
            f"{setting} is not the address of a PostgreSQL database",
            "Write characters such as / @ : % in user and password as %2F %40 %3A %25, or leave the password out of "
            f"{setting} and set PGPASSWORD.",
        )
    secrets = {str(parts["password"])} if parts.get("password") else set()
    secrets |= {quote(secret, safe="") for secret in secrets}
    remember(*secrets)
    # Without it, a host that drops packets would block a run for minutes.
    options: dict[str, Any] = {} if parts.get("connect_timeout") else {"connect_timeout": 10}
    shown = f"postgresql://{host}{f':{port}' if port else ''}/{database}"
    return PostgresAddress(url, shown, frozenset(secrets), options)
