"""The login: consent in the browser, and the tokens that it brings."""

from __future__ import annotations

from singer_xero.login.command import main

__all__ = ["main"]
