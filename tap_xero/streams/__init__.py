"""The streams: one class for each way Xero hands out a list."""
