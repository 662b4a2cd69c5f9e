"""The state of a sandbox: organisations, their records, and the clock."""
