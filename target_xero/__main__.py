"""The command: `target-xero`, or `python -m target_xero`."""

from __future__ import annotations

import gc


def main() -> None:
    """Import the target and run it."""
    # As for the tap: what is imported is no garbage.
    gc.disable()
    from singer_xero.console import clean_output
    from target_xero.target import TargetXero

    gc.freeze()
    gc.enable()
    with clean_output():
        TargetXero.cli()


if __name__ == "__main__":
    main()
