"""Reading lists from Xero: what to ask for, in which order, and how a list is proved to be whole."""
