"""A small Xero over HTTP on the loopback interface, for demos, tests and users without a Xero account.

The package imports nothing of the tap or the target and follows Xero's documentation, so that its answers can
reveal their mistakes. ``Sandbox`` starts a sandbox; ``AdminClient`` controls a running one through its admin
API.

The sandbox answers 501 to what it does not support: PDFs, ``Setup``, Xero's other APIs (payroll, files,
projects, bank feeds ...) and the discovery document of OpenID. It sends no webhooks. Where sources disagree
about Xero (whether If-Modified-Since is inclusive, 304, /connections for custom connections),
``faults.Switches`` selects the behaviour.
"""

from .admin_client import AdminClient, AdminError
from .server import Sandbox

__all__ = ["AdminClient", "AdminError", "Sandbox"]
