"""Invoices in Xero's JSON, each generated from its number: about 1.8 KB, 20 fields, a contact and three lines.

Invoice n was changed 20 seconds after invoice n - 1, so any page can be generated without the others.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import lru_cache
from hashlib import blake2b

FIRST_CHANGE = datetime(2024, 1, 1, tzinfo=timezone.utc)
STEP = timedelta(seconds=20, milliseconds=17)

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FIRST_MS = (FIRST_CHANGE - _EPOCH) // timedelta(milliseconds=1)
_STEP_MS = STEP // timedelta(milliseconds=1)
_DAY_MS = 86_400_000

_LINE = (
    '{"LineItemID":"%s","ItemCode":"ITEM-%03d","Description":"Line %d: goods as ordered, packed in Größe %s and '
    'delivered to the warehouse","Quantity":%d.0000,"UnitAmount":%d.%04d,"LineAmount":%d.%02d,"TaxAmount":%d.%02d,'
    '"TaxType":"OUTPUT2","AccountCode":"200","AccountID":"a96123cc-1828-5c6a-bc69-b7be83cfad34","Tracking":%s}'
)
_TRACKING = (
    '[{"TrackingCategoryID":"af1c9cc1-eb46-59fe-be5b-8c984dce9b8b","Name":"Region","Option":"Region %d"}]'
)
_CONTACT = '{"ContactID":"%s","Name":"Customer %05d - Kia ora & Söhne"}'
_INVOICE = (
    '{"Type":"ACCREC","InvoiceID":"%s","InvoiceNumber":"INV-%07d","Reference":"PO %d","AmountDue":0.00,'
    '"AmountPaid":%d.%02d,"AmountCredited":0.00,"CurrencyRate":1.%06d,"IsDiscounted":false,"HasAttachments":%s,'
    '"Contact":%s,"Date":"/Date(%d+0000)/","DueDate":"/Date(%d+0000)/","FullyPaidOnDate":"/Date(%d+0000)/",'
    '"Status":"PAID","LineAmountTypes":"Exclusive","LineItems":[%s,%s,%s],"SubTotal":%d.%02d,"TotalTax":%d.%02d,'
    '"Total":%d.%02d,"UpdatedDateUTC":"/Date(%d+0000)/","CurrencyCode":"NZD"}'
)


def guid_of(text: str) -> str:
    """Format 32 hexadecimal digits as a GUID."""
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def digits_of(number: int, salt: bytes) -> str:
    """128 hexadecimal digits that gzip can compress no better than Xero's ids."""
    return blake2b(number.to_bytes(8, "big"), salt=salt).hexdigest()


@lru_cache(5000)
def _contact(number: int) -> str:
    return _CONTACT % (guid_of(digits_of(number, b"contact")[:32]), number)


def changed_ms(number: int) -> int:
    """The time of change of an invoice, in milliseconds since 1970."""
    return _FIRST_MS + number * _STEP_MS


def first_since(moment: datetime) -> int:
    """The number of the first invoice that was changed at this time or later."""
    return max(0, -((_FIRST_MS - (moment - _EPOCH) // timedelta(milliseconds=1)) // _STEP_MS))


def _line(chance: int, guid: str, tracking: str) -> tuple[int, str]:
    """The amount of a line in cents, and its JSON."""
    quantity, price = 1 + chance % 9, 1000 + chance * 13  # the price in hundredths of a cent
    amount = (quantity * price + 50) // 100
    tax = (amount * 15 + 50) // 100
    return amount, _LINE % (
        guid, chance % 200, chance, "SML"[chance % 3], quantity, price // 10_000, price % 10_000,
        amount // 100, amount % 100, tax // 100, tax % 100, tracking,
    )  # fmt: skip


def invoice(number: int) -> str:
    """The JSON of an invoice."""
    digits = digits_of(number, b"invoice")
    chance = int(digits[:12], 16)
    first, one = _line(chance & 0xFFFF, guid_of(digits[32:64]), _TRACKING % (chance % 8))
    second, two = _line((chance >> 16) & 0xFFFF, guid_of(digits[64:96]), "[]")
    third, three = _line(chance >> 32, guid_of(digits[96:]), "[]")
    net = first + second + third
    tax = (net * 15 + 50) // 100
    total = net + tax
    changed = changed_ms(number)
    date = changed // _DAY_MS * _DAY_MS - (chance % 300) * _DAY_MS
    return _INVOICE % (
        guid_of(digits[:32]), number, chance % 100_000, total // 100, total % 100, chance % 1_000_000,
        "true" if chance % 5 == 0 else "false", _contact(chance % 5000),
        date, date + 20 * _DAY_MS, date + chance % 40 * _DAY_MS, one, two, three,
        net // 100, net % 100, tax // 100, tax % 100, total // 100, total % 100, changed,
    )  # fmt: skip
