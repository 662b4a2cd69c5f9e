"""Finds what records refer to, and what Xero has already."""
