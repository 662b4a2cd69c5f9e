"""The second company: Tide & Timber Pty Ltd of Hobart, Australia, with the same goods and a tenth of the trade."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from ..rules.work import refresh_balances
from .bookkeeper import Bookkeeper
from .company import TODAY, Company, closed, new_organisation, opened
from .entries import local_time

CUSTOMERS = (
    "Bruny Island Paddlers",
    "Derwent Sea Kayaks",
    "Freycinet Lodge",
    "Huon Valley Scouts",
    "Zoë O'Brien",
)
SUPPLIERS = ("Huon Pine Millers", "Tōtara & Tide Limited", "Battery Point Rentals", "Aurora Lights & Power")
GOODS = (("Sea kayak kit", 3650), ("Cedar paddle", 289), ("Spray skirt", 165), ("Day on the Derwent", 210))
COSTS = (
    ("Huon pine offcuts", "310", 740),
    ("Kits from Nelson", "310", 2900),
    ("Rent", "469", 1650),
    ("Power", "445", 230),
)
FIRST_JOURNAL = 344


def company() -> Company:
    """The second company. Its journal numbers start at 344, as in an organisation that has existed for longer."""
    rnd = Random("Tide & Timber")
    founded = local_time(date(2025, 11, 17), 36000, 213)
    made, guid = new_organisation("Tide & Timber Pty Ltd", "AU", founded)
    bookkeeper = Bookkeeper(opened(made, local_time(TODAY, 12 * 3600)), guid, first_journal=FIRST_JOURNAL)
    bank = {"Code": "090", "Name": "Everyday Account", "Type": "BANK", "TaxType": "BASEXCLUDED"}
    bank |= {"BankAccountNumber": "067000123456", "CurrencyCode": "AUD"}
    bookkeeper.create("Accounts", bank, founded, "account/090")
    ids = {}
    for i, name in enumerate(CUSTOMERS + SUPPLIERS):
        asked = {"Name": name, "EmailAddress": f"office{i}@example.com"}
        at = founded + timedelta(minutes=i)
        ids[name] = bookkeeper.create("Contacts", asked, at, f"contact/{name}")["ContactID"]
    payments = []
    for week in range(52):
        day = date(2025, 11, 20) + timedelta(days=7 * week)
        at = local_time(day, 37000 + rnd.randrange(9000), rnd.randrange(1000))
        goods, price = rnd.choice(GOODS)
        number = bookkeeper.number("INV-")
        sale = bookkeeper.invoice(
            "ACCREC", ids[rnd.choice(CUSTOMERS)], day, at,
            [bookkeeper.line(goods, Decimal(price), "200", quantity=Decimal(rnd.randrange(1, 4)))],
            name=f"invoice/{number}", due=day + timedelta(days=14), number=number,
        )  # fmt: skip
        text, account, cost = COSTS[week % 4]
        bill = bookkeeper.invoice(
            "ACCPAY", ids[SUPPLIERS[week % 4]], day, at + timedelta(minutes=20),
            [bookkeeper.line(text, Decimal(cost + rnd.randrange(90)), account)],
            name=f"bill/{week}", due=day + timedelta(days=21), number=f"B{week:03d}",
        )  # fmt: skip
        payments += [
            (day + timedelta(days=16), sale["InvoiceID"]),
            (day + timedelta(days=20), bill["InvoiceID"]),
        ]
        while payments and payments[0][0] <= day + timedelta(days=6):
            paid_on, key = payments.pop(0)
            if paid_on < TODAY and rnd.random() < 0.93:
                bookkeeper.pay(
                    "Invoices",
                    key,
                    paid_on,
                    local_time(paid_on, 50000 + rnd.randrange(3000), rnd.randrange(1000)),
                )
    refresh_balances(bookkeeper.organisation, ids.values())
    return closed(made, bookkeeper)
