"""Benchmarks of tap-xero and target-xero.

Run `python -m benchmarks` or `python benchmarks` in the checkout; `--help` lists the parts. Python and pip are enough:
each contender gets its own environment below `.bench/`.
"""
