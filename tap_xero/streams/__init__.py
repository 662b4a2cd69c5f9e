"""The streams, as Singer sees them."""
