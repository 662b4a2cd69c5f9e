"""The log of writes: what was written of each record."""
