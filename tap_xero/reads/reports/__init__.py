"""Reading reports: their calls, and the amounts in their answers."""
