"""Runs `python -m singer_xero.login`."""

from __future__ import annotations

from singer_xero.login.command import main

if __name__ == "__main__":
    main()
