"""The demo: `make demo`, or `python3 demo`."""
