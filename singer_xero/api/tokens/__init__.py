"""The stores of tokens: a file, or PostgreSQL for several machines."""

from __future__ import annotations

from singer_xero.api.tokens.file import TokenStore, default_path, expanded
from singer_xero.api.tokens.model import Kept, Store
from singer_xero.api.tokens.place import open_store

__all__ = ["Kept", "Store", "TokenStore", "default_path", "expanded", "open_store"]
