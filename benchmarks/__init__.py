"""Measures tap-xero and target-xero against their rivals, against Xero's limits and against the bare work.

Run `python -m benchmarks` (or `python benchmarks`) in the checkout; `--help` lists the parts. Nothing but Python and
pip is needed: each contender gets an environment of its own below `.bench/`.
"""
