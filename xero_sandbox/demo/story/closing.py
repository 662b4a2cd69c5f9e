"""The last day of the demo company's history: what is entered then, and what follows from the whole history."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from urllib.parse import quote

from ...resources import RESOURCES
from ...rules.work import refresh_balances
from ...values import ONE, Record, money
from ..company import Company, closed
from ..entries import local_time
from .setting import END, SUMMER, add_months, amount
from .trade import BERTHS, REGULAR_BILLS, Trade


def after(story: Trade) -> Company:
    """Enter what depends on the whole history, and return the company."""
    _repeating(story)
    _groups(story)
    for name, slug in (("Waka Pay", "wakapay"), ("Tide Cards", "tidecards")):
        element = {
            "PaymentServiceName": name,
            "PaymentServiceUrl": f"https://{slug}.example/pay?invoice=[INVOICENUMBER]&amount=[AMOUNTDUE]",
            "PayNowText": "Pay now",
        }
        story.bookkeeper.create("PaymentServices", element, END, f"service/{name}")
    refresh_balances(story.organisation, list(story.organisation.table("Contacts").rows))
    locked = {"PeriodLockDate": date(2025, 3, 31), "EndOfYearLockDate": date(2025, 3, 31)}
    story.bookkeeper.put("Organisation", {**story.organisation.records("Organisation")[0], **locked})
    company = closed(story.company, story.bookkeeper)
    company.records["LinkedTransactions"] = _billable(story, company.records)
    company.records["Budgets"] = _budgets(story, company.records)
    _papers(story, company.records)
    return company


_LINK_STATUS = {"VOIDED": "VOIDED", "DELETED": "VOIDED", "DRAFT": "DRAFT", "SUBMITTED": "DRAFT"}
"""The status of a linked transaction by that of its bill; others are approved."""


def _billable(story: Trade, records: dict[str, list[Record]]) -> list[Record]:
    """Costs on bills that are charged to customers, some of them on an invoice already. The links are written
    directly, because some of their bills were voided since.
    """
    bills = [one for one in records["Invoices"] if one["Type"] == "ACCPAY" and _freight(one)]
    sales = [one for one in records["Invoices"] if one["Type"] == "ACCREC"]
    voided = [bill for bill in bills if bill["Status"] == "VOIDED"]
    found = []
    for n, bill in enumerate([*bills[5::7], *voided[:1]]):
        target = _target(bill, sales, "DRAFT" if n % 5 == 4 else "PAID") if n % 3 else None
        record: Record = {
            "LinkedTransactionID": story.guid(f"linked/{n}"),
            "SourceTransactionID": bill["InvoiceID"],
            "SourceLineItemID": _freight(bill)[0]["LineItemID"],
            "ContactID": target["Contact"]["ContactID"] if target else story.customers[n % 47]["id"],
            "Status": _LINK_STATUS.get(bill["Status"], "APPROVED"),
            "Type": "BILLABLEEXPENSE",
            "UpdatedDateUTC": bill["UpdatedDateUTC"],
            "SourceTransactionTypeCode": "ACCPAY",
        }
        if target:
            record["TargetTransactionID"] = target["InvoiceID"]
            record["TargetLineItemID"] = target["LineItems"][0]["LineItemID"]
            record["Status"] = "ONDRAFT" if target["Status"] == "DRAFT" else "BILLED"
            record["UpdatedDateUTC"] = max(bill["UpdatedDateUTC"], target["UpdatedDateUTC"])
        found.append(record)
    return sorted(found, key=lambda one: one["UpdatedDateUTC"])


def _freight(bill: Record) -> list[Record]:
    return [line for line in bill["LineItems"] if line.get("AccountCode") == "425"]


def _target(bill: Record, sales: list[Record], status: str) -> Record | None:
    """The sales invoice to which a bill's cost is charged: the first of that status on or after the bill's date."""
    if bill["Status"] in _LINK_STATUS:
        return None
    return next((one for one in sales if one["Status"] == status and one["Date"] >= bill["Date"]), None)


def _repeating(story: Trade) -> None:
    """Repeating invoices: the templates of the monthly invoices and bills, one draft and one deleted."""
    for index, (day, value, key) in REGULAR_BILLS.items():
        if key and value:
            contact, row = story.suppliers[index]
            line = story.bookkeeper.line(row["text"], amount(value), row["account"])
            _template(story, key, "ACCPAY", contact["ContactID"], line, day, "AUTHORISED")
    for key, index, places, status in (
        *((f"berth{n}", index, places, "AUTHORISED") for n, (index, places) in enumerate(BERTHS)),
        ("new berth", 7, 1, "DRAFT"),
        ("old berth", 8, 1, "DELETED"),
    ):
        _template(story, key, "ACCREC", story.customers[index]["id"], story.berths(places), 1, status)


def _template(
    story: Trade, key: str, kind: str, contact_id: str, line: Record, day: int, status: str
) -> None:
    """A repeating invoice or bill for that day of each month, which is deleted if `status` says so."""
    sale, due = kind == "ACCREC", {"DueDate": 20, "DueDateType": "OFFOLLOWINGMONTH"}
    schedule: Record = {"Period": 1, "Unit": "MONTHLY", **due, "StartDate": date(2024, 12, day)}
    if key == "rent":
        schedule["EndDate"] = date(2027, 3, 31)
    element: Record = {
        "Type": kind,
        "Contact": {"ContactID": contact_id},
        "Schedule": schedule,
        "Reference": "Berths [Month] [Year]" if sale else "",
        "ApprovedForSending": sale and status == "AUTHORISED",
        "MarkAsSent": sale,
        "IncludePDF": sale,
        "CurrencyCode": "NZD",
        "Status": "AUTHORISED" if status == "DELETED" else status,
        "LineItems": [line],
    }
    made = story.bookkeeper.create("RepeatingInvoices", element, END, f"repeating/{key}")
    following = {**made["Schedule"], "NextScheduledDate": date(2026, 12, day)}
    story.bookkeeper.put("RepeatingInvoices", {**made, "Schedule": following})
    if status == "DELETED":
        story.bookkeeper.update("RepeatingInvoices", made["RepeatingInvoiceID"], END, Status=status)


def _groups(story: Trade) -> None:
    """Contact groups with their members."""
    rows = story.organisation.table("Contacts").rows
    active = [one for one in story.bookkeeper.all("Contacts") if one["ContactStatus"] == "ACTIVE"]
    active.sort(key=lambda one: one["UpdatedDateUTC"])
    wholesale = [one["id"] for one in story.customers if one["department"] == "Wholesale"]
    schools = [one["ContactID"] for one in active if "School" in one["Name"] or "Polytechnic" in one["Name"]]
    local = [
        one["ContactID"] for one, row in story.suppliers if row["city"] in ("Nelson", "Richmond", "Stoke")
    ]
    for name, members in (
        ("Wholesale customers", wholesale),
        ("Schools & kura", schools),
        ("Local suppliers", local),
        ("Nobody yet", []),
        ("Regatta 2025", []),
    ):
        group = story.bookkeeper.create("ContactGroups", {"Name": name}, END, f"group/{name}")
        found = [rows[key] for key in members if rows[key]["ContactStatus"] == "ACTIVE"]
        story.bookkeeper.add_members(group["ContactGroupID"], found, END)
        if name == "Regatta 2025":
            key = group["ContactGroupID"]
            story.bookkeeper.update("ContactGroups", key, END, Status="DELETED", Name=name)


def _budgets(story: Trade, records: dict[str, list[Record]]) -> list[Record]:
    """Budgets for two years by month, one for the whole company and one for a region."""
    plans = {
        **{"200": 34000, "201": 9500, "202": 4200, "203": 2600, "310": -14500, "400": -900, "412": -1700},
        **{"416": -838, "425": -1900, "445": -420, "469": -4200, "477": -14800, "478": -450},
    }
    region = records["TrackingCategories"][0]
    south = {
        "TrackingCategoryID": region["TrackingCategoryID"],
        "Name": region["Name"],
        "TrackingOptionID": region["Options"][1]["TrackingOptionID"],
        "Option": region["Options"][1]["Name"],
    }
    budgets: tuple[tuple[str, str, str, list[Record]], ...] = (
        ("Overall Budget", "OVERALL", "1", []),
        ("South Island budget", "TRACKING", "0.6", [south]),
    )
    found = []
    for n, (text, kind, share, tracking) in enumerate(budgets):
        lines = []
        for code, value in plans.items():
            account = story.bookkeeper.chart.account({"Code": code})
            balances = []
            for n_th in range(24):
                month = add_months(date(2025, 4, 1), n_th)
                season = Decimal("1.3") if month.month in SUMMER and code[0] == "2" else ONE
                sum_ = money(abs(value) * Decimal(share) * season * (1 + Decimal(n_th // 12) / 20))
                note = "Boat show" if (month.month, code) == (9, "400") else ""
                balances.append({"Period": f"{month:%Y-%m}", "Amount": sum_, "Notes": note})
            lines.append({"AccountID": account["AccountID"], "AccountCode": code, "BudgetBalances": balances})
        found.append(
            {
                "BudgetID": story.guid(f"budget/{text}"),
                "Status": "APPROVED",
                "Description": text,
                "Type": kind,
                "UpdatedDateUTC": local_time(date(2025, 3, 18 + 9 * n), 41000, 677),
                "BudgetLines": lines,
                "Tracking": tracking,
            }
        )
    return found


def _papers(story: Trade, records: dict[str, list[Record]]) -> None:
    """Files and notes on some documents. The files came with the document, so its UpdatedDateUTC does not change."""
    user = "Hinewai Parata"
    body = b"%PDF-1.4\n% a page of the demo company\n%%EOF\n"
    for resource, step, name in (
        ("Invoices", 61, "Delivery note"),
        ("CreditNotes", 17, "Photo of the damage"),
        ("BankTransactions", 97, "Receipt"),
        ("BankTransfers", 30, "Statement"),
        ("ManualJournals", 25, "Memo"),
        ("PurchaseOrders", 31, "Drawing"),
        ("Contacts", 60, "Terms of trade – Übersicht"),
        ("Accounts", 40, "Bank letter"),
        ("Prepayments", 7, "Order form"),
    ):
        for record in records[resource][step // 2 :: step]:
            key = record[RESOURCES[resource].id]
            record["HasAttachments"] = True
            address = f"https://api.xero.com/api.xro/2.0/{resource}/{key}/Attachments"
            records["Attachments"].append(
                {
                    "Resource": resource,
                    "ResourceID": key,
                    "AttachmentID": story.guid(f"attachment/{key}"),
                    "FileName": f"{name}.pdf",
                    "Url": f"{address}/{quote(name)}.pdf",
                    "MimeType": "application/pdf",
                    "ContentLength": len(body),
                    "IncludeOnline": resource == "Invoices" and record.get("Type") == "ACCREC",
                    "Content": body,
                }
            )
    for invoice in records["Invoices"][20::83]:
        key = invoice["InvoiceID"]
        changed = invoice["UpdatedDateUTC"]
        posted = (j["CreatedDateUTC"] for j in records["Journals"] if j.get("SourceID") == key)
        text = f"INV {invoice['InvoiceNumber']} to {invoice['Contact']['Name']} for {invoice['Total']}."
        steps = [("Created", min(next(posted, changed), changed), text)]
        for payment in invoice["Payments"]:
            paid_at = story.bookkeeper.get("Payments", payment["PaymentID"])["UpdatedDateUTC"]
            text = f"Payment received on {payment['Date']:%d/%m/%Y} for {payment['Amount']}."
            steps.append(("Paid", paid_at, text))
        if len(steps) % 2:
            steps.append(("Note", steps[-1][1], "Rang about delivery – all fine. Ka pai!"))
        for changes, at, details in steps:
            note = {"Changes": changes, "DateUTC": at, "User": user, "Details": details}
            records["History"].append({"Resource": "Invoices", "ResourceID": key, **note})
