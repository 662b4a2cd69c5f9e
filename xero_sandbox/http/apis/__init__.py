"""The APIs that the sandbox answers."""
