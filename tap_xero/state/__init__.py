"""Reading, checking and writing Singer state."""
