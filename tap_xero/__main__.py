"""The command: `tap-xero`, or `python -m tap_xero`."""

from __future__ import annotations

import gc

from singer_xero.deferred import import_sdk
from singer_xero.version import answers_version


def main() -> None:
    """Import the tap and run it."""
    if answers_version("tap-xero"):
        return
    # Importing makes no garbage; collecting it costs a quarter of a short run.
    gc.disable()
    import_sdk()
    from singer_xero.console import clean_output
    from tap_xero.tap import TapXero

    gc.freeze()
    gc.enable()
    with clean_output():
        TapXero.cli()


if __name__ == "__main__":
    main()
