"""The command: `target-xero`, or `python -m target_xero`."""

from __future__ import annotations

import gc

from singer_xero.deferred import import_sdk
from singer_xero.version import answers_version


def main() -> None:
    """Import the target and run it."""
    if answers_version("target-xero"):
        return
    # Importing makes no garbage; collecting it costs a quarter of a short run.
    gc.disable()
    import_sdk()
    from singer_xero.console import clean_output
    from target_xero.target import TargetXero

    gc.freeze()
    # Records make no cycles, but so many objects that the default thresholds cost a tenth of a run.
    gc.set_threshold(50_000, 20, 20)
    gc.enable()
    with clean_output():
        TargetXero.cli()


if __name__ == "__main__":
    main()
