"""What the demo company has besides its daily trade: opening balances and rare events."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from ...accounting import currencies
from ...accounting.ledger import Posting
from ...values import TEN_THOUSANDTH, ZERO, Record, picked
from ..company import phone
from ..entries import business_day, local_time
from . import names
from .trade import Trade

SLOW_PAYER = "Sleeping Giant Backpackers"


def before(story: Trade) -> None:
    """Contacts and conversion balances, before the first day of trade."""
    story.make_contacts()
    offices = (
        ("Inland Revenue (Te Tari Taake)", "tax_office"),
        ("Tasman Savings Bank", "bank_contact"),
        ("Staff wages", "staff"),
        ("Walk-in customer", "walk_in"),
        ("Hinewai Parata", "owner"),
    )
    at = local_time(date(2024, 11, 18), 9 * 3600 + 843, 407)
    for i, (name, role) in enumerate(offices):
        setattr(story, role, story.make_contact(at, f"X{i + 1:04d}", name)["ContactID"])
    story.disputed = {story.suppliers[22][0]["ContactID"], story.guid(f"contact/{SLOW_PAYER}")}
    stock = sum((item.get("TotalCostPool", ZERO) for item in story.bookkeeper.all("Items")), ZERO)
    amounts = {
        "090": "38450.00", "091": "42000.00", "092": "6118.40", "093": "-1240.55", "710": "9800.00", "711": "-4100.00",
        "720": "12400.00", "721": "-6900.00", "730": "78000.00", "731": "-22300.00", "820": "-3950.20",
        "825": "-2812.75", "900": "-64000.00", "970": "-45800.00",
    }  # fmt: skip
    balances = {code: Decimal(value) for code, value in amounts.items()} | {"630": stock}
    balances["960"] = -sum(balances.values(), ZERO)
    chart, day, at = story.bookkeeper.chart, date(2024, 10, 31), story.founded + timedelta(minutes=47)
    postings = [Posting(chart.account({"Code": code}), value) for code, value in balances.items()]
    story.bookkeeper.post(at, lambda ledger: ledger.journal(None, day, at, postings, "Conversion balances"))


def during(story: Trade) -> None:
    """Plan the rare events."""
    plan, when = story.diary.plan, story.when
    for act, days in RARITIES.items():
        for text in days.split():
            day = business_day(date.fromisoformat(text))
            plan(when(day, 8, 12), act, story, day)
    for act, first, step, times in (
        (_deposit, date(2024, 12, 4), 49, 15),
        (_together, date(2025, 1, 16), 91, 8),
        (_stock_up, date(2025, 2, 10), 91, 7),
    ):
        for n in range(times):
            day = business_day(first + timedelta(days=step * n))
            plan(when(day), act, story, day)
    for n in range(100):
        day = date(2024, 12, 2) + timedelta(days=7 * n + n % 5 + 14)
        plan(when(day), _order, story, day, n)
    for n in range(84):
        day = date(2024, 12, 2) + timedelta(days=8 * n + n % 3 + 20)
        plan(when(day), _quote, story, day, n)
    for n in range(34):
        day = date(2025, 1, 8) + timedelta(days=19 * n)
        plan(when(day), _new_phone, story, n)
    closing_down = ("Hauraki Sea Scouts", "Mapua Wharf Traders", "Skip & Save Waste", "Sealink Ferries")
    for n, name in enumerate(closing_down):
        plan(when(date(2026, 8, 3) + timedelta(days=17 * n)), _archive, story, name)
    plan(when(date(2025, 10, 6)), _merge, story)


# --- documents out of the ordinary


def _sell(story: Trade, at: datetime, day: date, contact: str, lines: list[Record], **fields: Any) -> str:
    """A sales invoice to a contact by name; returns its id."""
    return str(story.invoice(at, day, story.guid(f"contact/{contact}"), lines, **fields)["InvoiceID"])


def _hundred_lines(at: datetime, story: Trade, day: date) -> None:
    """The spring order of a shop: one hundred lines."""
    tracking = [("Region", "South"), ("Department", "Wholesale")]
    goods = [item for item in names.ITEMS if item["account"] == "200" and item["code"] != "KAY-FIN"]
    lines = []
    for n in range(100):
        item = goods[n % len(goods)]
        text, price = f"{item['name']} (carton {n + 1} of 100)", item["price"]
        lines.append(story.bookkeeper.line(text, price, "200", 1 + n % 3, item["code"], tracking=tracking))
    contact = "The Gear Shed (Wānaka) Ltd"
    key = _sell(story, at, day, contact, lines, Reference="Spring order 2025 🛶", SentToContact=True)
    story.diary.plan(story.when(day + timedelta(days=14)), story.receive, key, Decimal("0.5"))
    story.diary.plan(story.when(day + timedelta(days=49)), story.receive, key)


def _nothing_to_pay(at: datetime, story: Trade, day: date) -> None:
    """A warranty replacement, free of charge: Xero calls it PAID at once."""
    text, free = "Rudder kit, replaced under warranty", Decimal("100.00")
    line = story.bookkeeper.line(text, "329.0000", "200", item="RUDDER", DiscountRate=free)
    _sell(story, at, day, "Cable Bay Holiday Park", [line], Reference="Warranty")


def _long_words(at: datetime, story: Trade, day: date) -> None:
    lines = [
        story.bookkeeper.line(names.LONG_TEXT, "6950.0000", "200", item="KAY-FIN"),
        story.bookkeeper.line(names.DATE_TEXT, "18.2500", "200", "2.5", "GLASS-M2"),
        {
            "Description": 'Waka huia, mā te wā! – 谢谢 – ありがとう – Grüße – O\'Neill & "Sons" <b>not html</b>',
            "Tracking": [],
        },
    ]
    key = _sell(
        story, at, day, "Paddle & Peak", lines, Reference="Kia ora 🌊 #88", SentToContact=True,
        Url="https://totara-and-tide.example/orders/88", ExpectedPaymentDate=day + timedelta(days=45),
    )  # fmt: skip
    story.diary.plan(story.when(day + timedelta(days=43)), story.receive, key)


def _odd_lines(at: datetime, story: Trade, day: date) -> None:
    """Prices of four decimals, a discount in dollars, a negative line, and one line of nothing."""
    line = story.bookkeeper.line
    lines = [
        line("Deck line", "3.4567", "200", "137.5", "ROPE-M"),
        line("Bungee", "2.8995", "200", "0.3333", "BUNGEE-M"),
        line("Trolley", "169.0000", "200", item="TROLLEY", DiscountAmount=Decimal("12.50")),
        line("Deposit returned on hire gear", "-50.0000", "202"),
        line("Sticker, with compliments", "0.0000", "200"),
    ]
    key = _sell(story, at, day, "University Canoe Club", lines, Reference="Regatta")
    story.diary.plan(story.when(day + timedelta(days=20)), story.receive, key)
    loan = [line("Loan of a canoe, no GST", "240.0000", "202", tax="NONE")]
    _sell(story, at + timedelta(seconds=40), day, "Golden Bay Area School", loan, LineAmountTypes="NoTax")


def _pending(at: datetime, story: Trade, day: date) -> None:
    """Documents of the last days that nobody has approved yet."""
    status = "SUBMITTED" if day.day % 2 else "DRAFT"
    line = story.bookkeeper.line("Guided day on the water", "195.0000", "201", 4, "TOUR-DAY")
    reference = f"Party of four, {day:%d %b}"
    _sell(story, at, day, "Kererū Retreats", [line], Status=status, Reference=reference)
    story.bill(at + timedelta(seconds=90), day, 17 + day.day % 4, Status=status)


def _unpaid(at: datetime, story: Trade, day: date) -> None:
    """An invoice to somebody who does not answer the phone."""
    line = story.bookkeeper.line("Hire of three double kayaks", "135.0000", "202", 9, "HIRE-DBL")
    _sell(story, at, day, SLOW_PAYER, [line], Reference="Final notice sent")


def _wrong_bill(at: datetime, story: Trade, day: date) -> None:
    """A freight bill meant for somebody else, voided the day after."""
    key = story.suppliers[15][0]["ContactID"]
    lines = [story.bookkeeper.line("Freight to Bluff", "318.40", "425")]
    record = story.bookkeeper.invoice(
        "ACCPAY", key, day, at, lines, "bill/wrong", None, InvoiceNumber="SF-99120"
    )
    story.diary.plan(at + timedelta(hours=23), story.end, "Invoices", record["InvoiceID"], "VOIDED")


def _goodwill(at: datetime, story: Trade, day: date) -> None:
    """Credit notes without an invoice: one approved, one draft, one voided and one deleted."""
    served = [one for one in story.customers[20:] if one["id"] not in story.retired]
    for n, status in enumerate(("AUTHORISED", "DRAFT", "VOIDED", "DELETED")):
        number, moment = story.bookkeeper.number("CN-"), at + timedelta(minutes=7 * n)
        price = Decimal("60.00") + 15 * n
        line = story.bookkeeper.line("Goodwill, late delivery", price, "200", tax="OUTPUT2")
        made = {"VOIDED": "AUTHORISED", "DELETED": "DRAFT"}.get(status, status)
        more = {"Type": "ACCRECCREDIT", "CreditNoteNumber": number, "Status": made}
        record = story.bookkeeper.document(
            "CreditNotes", served[n]["id"], day, moment, [line], f"credit/{number}", **more
        )
        if made != status:
            later = moment + timedelta(hours=22)
            story.diary.plan(later, story.end, "CreditNotes", record["CreditNoteID"], status)


def _stock_up(at: datetime, story: Trade, day: date) -> None:
    """Finished goods for stock, bought as tracked inventory."""
    contact = story.suppliers[0][0]["ContactID"]
    lines = []
    for item in names.TRACKED[:3]:
        quantity = max(2, int(item["quantity"]) // 12)
        lines.append(story.bookkeeper.goods(item, item["cost"], "630", quantity, tax="INPUT2"))
    due, number = story.due(contact, day), f"STOCK-{day:%y%m}"
    story.bookkeeper.invoice("ACCPAY", contact, day, at, lines, f"stock/{day}", due, InvoiceNumber=number)


# --- money before or beyond the invoice


def _deposit(at: datetime, story: Trade, day: date) -> None:
    """A deposit on a boat; it is set against the invoice when the boat is handed over."""
    local = [c for c in story.active(at) if c["currency"] == "NZD"]
    customer = story.random.choice(local)
    text, more = "Deposit on a kayak made to order", {"name": f"deposit/{day}", "Reference": "Deposit"}
    record = story.advance(at, day, "RECEIVE-PREPAYMENT", customer["id"], text, Decimal("2000.00"), **more)
    tracking = [("Region", customer["region"]), ("Department", "Workshop")]
    boat = story.bookkeeper.line("Finished kayak", "6950.0000", "200", item="KAY-FIN", tracking=tracking)
    ready = day + timedelta(days=63)
    story.diary.plan(story.when(ready), _hand_over_boat, story, ready, customer, boat, record["PrepaymentID"])


def _hand_over_boat(
    at: datetime, story: Trade, day: date, customer: Record, boat: Record, prepayment_id: str
) -> None:
    key = story.invoice(at, day, customer["id"], [boat], Reference="Boat handed over")["InvoiceID"]
    story.bookkeeper.allocate("Prepayments", prepayment_id, key, day, at + timedelta(minutes=3))
    story.diary.plan(story.when(day + timedelta(days=15)), story.receive, key)


def _advance(at: datetime, story: Trade, day: date) -> None:
    """Money in advance to the supplier in Shenzhen, from the dollar account."""
    contact = story.suppliers[8][0]["ContactID"]
    more = {"name": f"advance/{day}", "bank": "092", "Reference": "PI-2203"}
    value = Decimal("900.00")
    record = story.advance(at, day, "SPEND-PREPAYMENT", contact, "30 % in advance", value, **more)
    later = story.when(day + timedelta(days=30))
    story.diary.plan(later, story.use_credit, "Prepayments", record["PrepaymentID"], contact)


def _double_payment(at: datetime, story: Trade, day: date) -> None:
    """A freight bill paid twice; the second payment is set against the next one."""
    contact = story.suppliers[15][0]["ContactID"]
    more = {"name": f"double/{day}", "Reference": "Paid twice"}
    record = story.advance(at, day, "SPEND-OVERPAYMENT", contact, "Overpayment", Decimal("46.00"), **more)
    later = story.when(day + timedelta(days=9))
    story.diary.plan(later, story.use_credit, "Overpayments", record["OverpaymentID"], contact)


def _withdrawn_deposit(at: datetime, story: Trade, day: date) -> None:
    """A deposit entered by mistake, deleted the day after; its prepayment is VOIDED then."""
    contact, more = story.customers[3]["id"], {"name": "withdrawn", "IsReconciled": False}
    text, value = "Deposit, entered twice", Decimal("500.00")
    record = story.advance(at, day, "RECEIVE-PREPAYMENT", contact, text, value, **more)
    later, key = story.when(day + timedelta(days=1)), record["BankTransactionID"]
    story.diary.plan(later, story.end, "BankTransactions", key, "DELETED")


def _together(at: datetime, story: Trade, day: date) -> None:
    """A customer pays several invoices in one go."""
    found: dict[str, list[str]] = {}
    for record in story.bookkeeper.all("Invoices"):
        contact_id = record["Contact"]["ContactID"]
        kind = record["Type"], record["CurrencyCode"], record["Status"]
        if kind == ("ACCREC", "NZD", "AUTHORISED") and contact_id not in story.disputed:
            found.setdefault(contact_id, []).append(record["InvoiceID"])
    keys = max(found.values(), key=len)
    if len(keys) > 1:
        story.bookkeeper.pay_batch(keys[:4], day, at, reference="Statement")


# --- manual journals and expense claims


def _legacy_journals(at: datetime, story: Trade, _day: date) -> None:
    """Manual journals dated before the company's first day: the purchase of land, and a stocktake on a leap day."""
    land, found = Decimal("4200.00"), Decimal("112.40")
    deed = [("740", "Deed of 1 July 1968, section 14", land), ("970", "Family capital", -land)]
    story.bookkeeper.manual_journal("Land at historical cost, 14 Karetu Road", date(1968, 7, 1), at, deed)
    lines = [("310", "Stocktake", found), ("840", "Stocktake", -found)]
    text = "Stocktake difference of 29 February 2024"
    story.bookkeeper.manual_journal(text, date(2024, 2, 29), at + timedelta(minutes=4), lines)


def _rare_journals(at: datetime, story: Trade, day: date) -> None:
    """Manual journals that are deleted, voided and still in draft."""
    premium, text = Decimal("480.00"), "Insurance to spread"
    lines = [("433", text, premium), ("620", text, -premium)]
    fates = (
        ("typed twice", "DRAFT", "DELETED"),
        ("wrong year", "POSTED", "VOIDED"),
        ("to be checked", "DRAFT", ""),
    )
    for n, (words, status, end) in enumerate(fates):
        text, moment = f"Insurance in advance, {words}", at + timedelta(minutes=n)
        made = story.bookkeeper.manual_journal(
            text, day, moment, lines, Status=status, Url="https://example.com/memo"
        )
        if end:
            key = made["ManualJournalID"]
            story.diary.plan(moment + timedelta(hours=20), story.end, "ManualJournals", key, end)


def _claims(at: datetime, story: Trade, day: date) -> None:
    """A guide's expense claim with two receipts; the older one is paid back."""
    bookkeeper, person = story.bookkeeper, story.company.records["Users"][2]
    user = picked(person, ("UserID", "EmailAddress", "FirstName", "LastName", "OrganisationRole"))
    contact = story.suppliers[17][0]
    receipts = []
    bought = (("Taxi to the airport", "493", "48.30"), ("Camp fuel", "429", "27.60"))
    for n, (text, code, price) in enumerate(bought):
        name = f"receipt/{day}/{n}"
        record: Record = {
            "ReceiptID": story.guid(name),
            "ReceiptNumber": str(len(bookkeeper.changed.get("Receipts", {})) + 1),
            "Date": day - timedelta(days=4 + n),
            "Contact": {"ContactID": contact["ContactID"], "Name": contact["Name"]},
            "User": user,
            "Reference": "",
            "LineAmountTypes": "Inclusive",
            "Status": "AUTHORISED",
            "UpdatedDateUTC": at,
            "HasAttachments": False,
        }
        lines = [bookkeeper.line(text, price, code)]
        receipts.append(bookkeeper.put("Receipts", bookkeeper.with_lines(record, lines, name)))
    total = sum((r["Total"] for r in receipts), ZERO)
    claim: Record = {
        "ExpenseClaimID": story.guid(f"claim/{day}"),
        "Status": "AUTHORISED",
        "User": user,
        "Receipts": [picked(r, ("ReceiptID", "ReceiptNumber", "Date", "Total")) for r in receipts],
        "Payments": [],
        "UpdatedDateUTC": at,
        "Total": total,
        "AmountDue": total,
        "AmountPaid": ZERO,
        "PaymentDueDate": day + timedelta(days=14),
        "ReportingDate": day,
    }
    system = bookkeeper.chart.system
    postings = []
    for receipt in receipts:
        for line in receipt["LineItems"]:
            net, tax = line["LineAmount"] - line["TaxAmount"], line["TaxAmount"]
            account = bookkeeper.chart.account(line)
            postings.append(Posting(account, net, tax, line["TaxType"], line["Description"]))
            postings.append(Posting(system["GST"], tax))
    owed = system["UNPAIDEXPCLM"]
    source = ("EXPCLAIM", claim["ExpenseClaimID"])
    postings.append(Posting(owed, -total))
    bookkeeper.post(at, lambda ledger: ledger.journal(source, day, at, postings, ""))
    bookkeeper.put("ExpenseClaims", claim)
    story.diary.plan(story.when(day + timedelta(days=12)), _pay_claim, story, claim, day + timedelta(days=12))


def _pay_claim(at: datetime, story: Trade, claim: Record, day: date) -> None:
    bookkeeper = story.bookkeeper
    chart, total, key = bookkeeper.chart, claim["Total"], story.guid(f"claim/payment/{day}")
    owed, bank = chart.system["UNPAIDEXPCLM"], chart.account({"Code": "090"})
    postings, source = [Posting(owed, total), Posting(bank, -total)], ("EXPPAYMENT", key)
    bookkeeper.post(at, lambda ledger: ledger.journal(source, day, at, postings, "Expense claim"))
    payment = {"PaymentID": key, "Date": day, "Amount": total, "Reference": "Expense claim"}
    paid = {"Status": "PAID", "AmountDue": ZERO, "AmountPaid": total, "Payments": [payment]}
    bookkeeper.put("ExpenseClaims", {**claim, **paid, "UpdatedDateUTC": at})


# --- orders and quotes


def _order(at: datetime, story: Trade, day: date, n: int) -> None:
    """A purchase order that ends in one of several statuses."""
    rnd, bookkeeper = story.random, story.bookkeeper
    contact, row = story.suppliers[rnd.choice((0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 34, 35))]
    currency, account = row["currency"], row["account"]
    tax = None if currency == "NZD" else "NONE"
    bought = [item for item in names.ITEMS if item["cost"]]
    lines = []
    for item in rnd.sample(bought, rnd.randrange(1, 5)):
        lines.append(bookkeeper.goods(item, item["cost"], account, rnd.randrange(1, 40), tax=tax))
    old = day < date(2026, 9, 1)
    fates = "BILLED BILLED BILLED AUTHORISED DELETED" if old else "DRAFT SUBMITTED AUTHORISED"
    status = fates.split()[n % len(fates.split())]
    made = "AUTHORISED" if old else status
    fields: Record = {"DeliveryInstructions": "Forklift on site. Mind the dog (Pōtae)."} if n % 3 == 0 else {}
    if n % 4 == 0:
        fields["ExpectedArrivalDate"] = day + timedelta(days=25)
    number = bookkeeper.number("PO-")
    record = bookkeeper.document(
        "PurchaseOrders", contact["ContactID"], day, at, lines, f"order/{number}", PurchaseOrderNumber=number,
        Status=made, SentToContact=made == "AUTHORISED", CurrencyCode=currency,
        Reference=rnd.choice(("", f"Q{rnd.randrange(100, 999)}")), DeliveryDate=day + timedelta(days=21),
        DeliveryAddress="14 Karetu Road\r\nNelson\r\n7010\r\nNew Zealand", AttentionTo="Jörg Kästner",
        Telephone="03 548 0199", **fields,
    )  # fmt: skip
    if old and status != "AUTHORISED":
        later = story.when(day + timedelta(days=rnd.randrange(3, 40)))
        story.diary.plan(later, _new_status, story, "PurchaseOrders", record["PurchaseOrderID"], status)


def _quote(at: datetime, story: Trade, day: date, n: int) -> None:
    """A quote; most are sent, and then accepted, declined or left open."""
    rnd, bookkeeper = story.random, story.bookkeeper
    customer = rnd.choice(story.active(at))
    tax = "ZERORATED" if customer["currency"] != "NZD" else None
    rate = currencies.market_rate(customer["currency"], "NZD", day)
    lines = []
    for item in rnd.sample(names.ITEMS, rnd.randrange(1, 4)):
        value = (Decimal(item["price"]) * rate).quantize(TEN_THOUSANDTH)
        lines.append(bookkeeper.goods(item, value, item["account"], rnd.randrange(1, 6), tax=tax))
    if n % 6 == 0:
        lines[0]["DiscountRate"] = Decimal("10.00")
    number = bookkeeper.number("QU-")
    record = bookkeeper.document(
        "Quotes", customer["id"], day, at, lines, f"quote/{number}", QuoteNumber=number, Status="DRAFT",
        CurrencyCode=customer["currency"], ExpiryDate=day + timedelta(days=30),
        Title=rnd.choice(("Fleet renewal", "Season hire", "Repairs", "Boats")), Reference=rnd.choice(("", f"RFQ {n}")),
        Summary="Prices hold for thirty days.", Terms="Half on order, half on delivery. Ngā mihi nui.",
    )  # fmt: skip
    fates = (
        ("SENT",),
        ("SENT", "ACCEPTED"),
        ("SENT", "ACCEPTED", "INVOICED"),
        ("SENT", "DECLINED"),
        ("DELETED",),
        (),
    )
    for step, status in enumerate(rnd.choice(fates)):
        later = story.when(day + timedelta(days=1 + 9 * step))
        story.diary.plan(later, _new_status, story, "Quotes", record["QuoteID"], status)


def _new_status(at: datetime, story: Trade, resource: str, key: str, status: str) -> None:
    """Change the status of an order or a quote; an update of a quote repeats its heading."""
    record = story.bookkeeper.get(resource, key)
    again = ("Contact", "Date", "QuoteNumber", "Terms") if resource == "Quotes" else ()
    story.bookkeeper.update(resource, key, at, Status=status, **{name: record[name] for name in again})


# --- contacts


def _new_phone(at: datetime, story: Trade, n: int) -> None:
    people = story.bookkeeper.all("Contacts")
    record = people[(n * 53) % len(people)]
    if record["ContactStatus"] != "ACTIVE" or record["UpdatedDateUTC"] > at:
        return
    mobile = phone("MOBILE", f"{400 + n} {7000 + 13 * n}", "27")
    story.bookkeeper.update("Contacts", record["ContactID"], at, Phones=[mobile])


def _archive(at: datetime, story: Trade, name: str) -> None:
    story.retired.add(story.guid(f"contact/{name}"))
    story.bookkeeper.update("Contacts", story.guid(f"contact/{name}"), at, ContactStatus="ARCHIVED")


def _merge(at: datetime, story: Trade) -> None:
    """A duplicate contact that is merged into the first one."""
    name, person = "Okarito Nature Kayaks Ltd", "Gemma Barr"
    double = story.make_contact(at - timedelta(days=60), "C0999", name, city="Ōkārito", person=person)
    story.bookkeeper.merge(double["ContactID"], story.guid("contact/Okarito Nature Kayaks"), at)


RARITIES: dict[Callable[..., None], str] = {
    _hundred_lines: "2025-09-02",
    _nothing_to_pay: "2025-06-11",
    _long_words: "2026-01-21",
    _odd_lines: "2026-05-06",
    _legacy_journals: "2024-11-20",
    _rare_journals: "2026-10-01",
    _claims: "2025-05-14 2026-10-29",
    _double_payment: "2025-02-17 2025-09-15 2026-09-29",
    _advance: "2025-03-12 2025-08-20 2026-02-18 2026-08-05 2026-10-28",
    _withdrawn_deposit: "2026-04-08",
    _unpaid: "2026-05-11 2026-07-08 2026-08-12 2026-09-09 2026-10-07 2026-10-28",
    _wrong_bill: "2026-03-04",
    _goodwill: "2026-10-20",
    _pending: "2026-11-12 2026-11-16 2026-11-17 2026-11-18 2026-11-19 2026-11-20",
}
"""The days of the rare events."""
