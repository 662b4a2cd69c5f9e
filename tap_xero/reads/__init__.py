"""Reading lists from Xero: which calls to make, in which order, and the proof that a list is complete."""
