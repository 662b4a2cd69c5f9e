"""What is left out of a record inside another one, such as the contact of an invoice.

Xero sends more of it there than the schema has: the outcome of a write, repeated dates, and fields that make sense only
in the complete record.
"""

from __future__ import annotations

from functools import cache

from singer_xero.objects.accounting import OBJECTS
from singer_xero.objects.apis import DateForm
from singer_xero.objects.base import ANSWER_ONLY
from singer_xero.objects.fields import Component


@cache
def left_out(part: Component, dates: DateForm) -> frozenset[str]:
    """The fields that Xero is known to send in such a part and that no record has there.

    `dates` is how the API of the record writes dates.
    """
    names = ANSWER_ONLY | dates.twins(part.fields).keys()
    if part.of:
        whole = OBJECTS[part.of]
        names |= whole.fields.keys() | whole.duplicate_fields.keys()
    return frozenset(names - part.fields.keys())
