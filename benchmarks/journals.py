"""Journals in Xero's JSON, each generated from its number: about 7 KB, with twenty lines.

Lines are generated for fifty journals and reused for all others, with the number of the journal in their ids.
"""

from __future__ import annotations

from functools import cache

from benchmarks.invoices import changed_ms, digits_of, guid_of

PER_PAGE = 100
"""The most journals in an answer of Xero."""

LINES = 20
"""Lines of a journal."""

_NUMBER = "########"
_LINE = (
    '{"JournalLineID":"%s%s","AccountID":"a96123cc-1828-5c6a-bc69-b7be83cfad34","AccountCode":"%d",'
    '"AccountType":"%s","AccountName":"%s","Description":"Line %d of an order","NetAmount":%s%d.%02d,'
    '"GrossAmount":%s%d.%02d,"TaxAmount":0.00,"TaxType":"NONE","TaxName":"No Tax","TrackingCategories":[]}'
)
_JOURNAL = (
    '{"JournalID":"%s","JournalDate":"/Date(%d+0000)/","JournalNumber":%d,"CreatedDateUTC":"/Date(%d+0000)/",'
    '"Reference":"PO %d","SourceID":"%s","SourceType":"ACCREC","JournalLines":[%s]}'
)


@cache
def _lines(sample: int) -> str:
    """The lines of a journal; debits equal credits."""
    made = []
    for line in range(LINES):
        guid = guid_of(digits_of(sample * LINES + line, b"line")[:32])
        amount = divmod(100 + int(digits_of(sample * LINES + line // 2, b"amount")[:4], 16), 100)
        account = (200, "REVENUE", "Sales") if line % 2 else (610, "CURRENT", "Accounts Receivable")
        sign = "-" if line % 2 else ""
        made.append(_LINE % (_NUMBER, guid[8:], *account, line, sign, *amount, sign, *amount))
    return ",".join(made)


def journal(number: int) -> str:
    """The JSON of a journal."""
    digits = digits_of(number, b"journal")
    made = changed_ms(number)
    lines = _lines(number % 50).replace(_NUMBER, f"{number:08x}")
    return _JOURNAL % (guid_of(digits[:32]), made, number, made, number, guid_of(digits[32:64]), lines)
