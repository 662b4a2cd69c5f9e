"""Tests of the Xero client."""
