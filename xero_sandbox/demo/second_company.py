"""The second company: Tide & Timber Pty Ltd of Hobart, Australia, with the same goods and a tenth of the trade."""

from __future__ import annotations

from datetime import date, timedelta
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
        element = {"Name": name, "EmailAddress": f"office{i}@example.com"}
        at = founded + timedelta(minutes=i)
        ids[name] = bookkeeper.create("Contacts", element, at, f"contact/{name}")["ContactID"]
    payments = []
    for week in range(52):
        day = date(2025, 11, 20) + timedelta(days=7 * week)
        at = local_time(day, 37000 + rnd.randrange(9000), rnd.randrange(1000))
        goods, price = rnd.choice(GOODS)
        number = bookkeeper.number("INV-")
        customer, quantity = ids[rnd.choice(CUSTOMERS)], rnd.randrange(1, 4)
        line, name = bookkeeper.line(goods, price, "200", quantity), f"invoice/{number}"
        due = day + timedelta(days=14)
        sale = bookkeeper.invoice("ACCREC", customer, day, at, [line], name, due, InvoiceNumber=number)
        text, account, cost = COSTS[week % 4]
        supplier, at, due = ids[SUPPLIERS[week % 4]], at + timedelta(minutes=20), day + timedelta(days=21)
        line, number = bookkeeper.line(text, cost + rnd.randrange(90), account), f"B{week:03d}"
        bill = bookkeeper.invoice(
            "ACCPAY", supplier, day, at, [line], f"bill/{week}", due, InvoiceNumber=number
        )
        for days, invoice in ((16, sale), (20, bill)):
            payments.append((day + timedelta(days=days), invoice["InvoiceID"]))
        while payments and payments[0][0] <= day + timedelta(days=6):
            paid_on, key = payments.pop(0)
            if paid_on < TODAY and rnd.random() < 0.93:
                at = local_time(paid_on, 50000 + rnd.randrange(3000), rnd.randrange(1000))
                bookkeeper.pay("Invoices", key, paid_on, at)
    refresh_balances(bookkeeper.organisation, ids.values())
    return closed(made, bookkeeper)
