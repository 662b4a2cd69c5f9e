"""A small Xero over HTTP on loopback, for people without an account, for demos and for tests.

Nothing here is imported from outside this folder: it is written from Xero's documentation, so that it can
disagree with the tap and the target. ``Sandbox`` starts one; ``AdminClient`` is a client of a running one's admin API.

What it does not do, and says so with 501 when asked: PDFs, ``Setup``, Xero's other APIs (payroll, files, assets,
projects, bank feeds ...) and the discovery document of OpenID. It sends no webhooks. What the sources leave open
(an inclusive If-Modified-Since, 304, /connections for custom connections and the like) are switches, see
``faults.Switches``.
"""

from .admin_client import AdminClient, AdminError
from .server import Sandbox

__all__ = ["AdminClient", "AdminError", "Sandbox"]
