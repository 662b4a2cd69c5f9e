"""The Accounting API over HTTP."""
