"""What tap-xero and target-xero share: the Xero client, the registry of objects, settings and login."""
