"""What a write does. A table of handlers; what is not in it is answered with 501 and says so.

A key is the verb and the address' shape, with ``*`` for any resource: ``"PUT Invoices"`` (the list),
``"POST Invoices/"`` (one record), ``"PUT Invoices/Allocations"`` (what hangs on a record) and
``"DELETE Invoices/Allocations/"`` (one of those). A handler gets the ``Call``, runs inside
``store.change()``, changes things by ``call.organisation.put`` and its like, and returns the answer
(``call.records`` makes one) or raises ``calls.Refusal``.
"""

from __future__ import annotations

from collections.abc import Callable

from werkzeug import Response

from .calls import Call

WRITES: dict[str, Callable[[Call], Response]] = {}


def handler(call: Call) -> Callable[[Call], Response] | None:
    """The handler of a write, if there is one."""
    shape = "/" if call.key else ""
    if call.part:
        shape += call.part + ("/" if call.name else "")
    return WRITES.get(f"{call.method} {call.resource.path}{shape}") or WRITES.get(f"{call.method} *{shape}")
