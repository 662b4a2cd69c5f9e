"""What an answer means: its JSON, its errors, and what they call for."""
