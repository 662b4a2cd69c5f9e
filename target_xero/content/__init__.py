"""The content of records: names, values and amounts as Xero takes them."""
