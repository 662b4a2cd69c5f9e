"""Takes in the messages of the input and keeps their records until it ends."""
