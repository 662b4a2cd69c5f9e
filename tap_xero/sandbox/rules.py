"""What a write does: the table of handlers. What is not in it is answered with 501 and says so.

A key is the verb and the address' shape, with ``*`` for any resource: ``"PUT Invoices"`` (the list),
``"POST Invoices/"`` (one record), ``"PUT Invoices/Allocations"`` (what hangs on a record) and
``"DELETE Invoices/Allocations/"`` (one of those). A handler gets the ``Call`` and runs inside ``store.change()``.
"""

from __future__ import annotations

from collections.abc import Callable

from werkzeug import Response

from . import documents, ledgering, people
from .calls import Call
from .idempotency import once
from .writing import Rule, write

Handler = Callable[[Call], Response]

RULES: dict[str, Rule] = {
    "Contacts": people.CONTACTS,
    "ContactGroups": people.GROUPS,
    "Invoices": documents.INVOICES,
    "CreditNotes": documents.CREDIT_NOTES,
    "ManualJournals": ledgering.MANUAL_JOURNALS,
}
"""How the records of each resource are written; ``resources.RESOURCES`` says by which verbs."""

PARTS: dict[str, Handler] = {
    "PUT ContactGroups/Contacts": people.add_members,
    "DELETE ContactGroups/Contacts": people.remove_members,
    "DELETE ContactGroups/Contacts/": people.remove_members,
}


def handler(call: Call) -> Handler | None:
    """The handler of a write, if there is one."""
    shape = "/" if call.key else ""
    if call.part:
        shape += call.part + ("/" if call.name else "")
    found = PARTS.get(f"{call.method} {call.resource.path}{shape}") or PARTS.get(f"{call.method} *{shape}")
    if found is None and not call.part and call.method != "DELETE" and call.resource.path in RULES:
        found = write(RULES[call.resource.path])
    if found is None:
        return None
    work = found
    return lambda call: once(call, work)
