"""Lets `python -m tap_xero` run the tap."""

from tap_xero.tap import TapXero

TapXero.cli()
