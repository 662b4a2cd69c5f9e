"""A Singer target for the Xero Accounting API."""
