"""A Xero client: it waits, signs, renews tokens and retries. It knows nothing of Singer.

`client.connect` makes a `XeroClient` from the values of a configuration; every request passes through it. `errors` has
what can go wrong, by what the caller should do.
"""
