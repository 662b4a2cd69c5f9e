"""Double-entry accounting and the reports drawn from it."""
