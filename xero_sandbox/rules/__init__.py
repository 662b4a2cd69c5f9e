"""Xero's rules for every kind of record."""
