"""Which objects can be written, and how: one row each."""
