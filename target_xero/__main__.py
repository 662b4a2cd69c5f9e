"""`python -m target_xero`."""

from target_xero.target import TargetXero

TargetXero.cli()
