"""A small Xero over HTTP on loopback, for people without an account, for demos and for tests.

Nothing here is imported from outside this folder: it is written from Xero's documentation, so that it can
disagree with the tap and the target. ``Sandbox`` starts one; ``Desk`` is a client of a running one's control desk.
"""

from .desk import Desk, DeskError
from .server import Sandbox

__all__ = ["Desk", "DeskError", "Sandbox"]
