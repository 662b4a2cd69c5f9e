"""A plain Xero client: waits, signs, refreshes, retries. Knows nothing of Singer.

`connect` makes a `XeroClient` from what a configuration holds; every request goes through it. What can go wrong stands
in `errors`, by what the caller should do about it.
"""

from tap_xero.api.client import Connection, XeroClient, connect
from tap_xero.api.limits import Usage
from tap_xero.api.transport import Answer

__all__ = ["Answer", "Connection", "Usage", "XeroClient", "connect"]
