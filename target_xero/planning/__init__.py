"""Decides what to ask of Xero for each record."""
