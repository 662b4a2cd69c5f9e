"""The organisations a sandbox can start with."""
