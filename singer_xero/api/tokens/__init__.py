"""The stores of tokens: a file, or PostgreSQL for several machines."""

from __future__ import annotations

import os
import re

from singer_xero.api.errors import TokenStoreError
from singer_xero.api.tokens.file import TokenStore, default_path, expanded
from singer_xero.api.tokens.model import Kept, Store

__all__ = ["Kept", "Store", "TokenStore", "default_path", "expanded", "open_store"]


def open_store(path: str | os.PathLike[str] | None = None) -> Store:
    """The store of a `token_path`: `postgresql://…` or a file, by default the default file."""
    full = os.path.expandvars(os.fspath(path or ""))
    scheme, separator, _ = full.partition("://")
    if not separator:
        return TokenStore(path)
    if not re.fullmatch(r"postgres(ql)?(\+\w+)?", scheme):
        raise TokenStoreError(
            f"token_path has the unsupported scheme {scheme}://", advice="Use a file, or postgresql://…"
        )
    from singer_xero.api.tokens.postgres import PostgresTokenStore

    return PostgresTokenStore(full)
