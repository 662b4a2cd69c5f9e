"""A company that does anything that Xero allows, in an order that depends on a seed.

All writes go to the sandbox over HTTP; refused ones have no effect. The journals that the sandbox posts are the
expected result of the models.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from random import Random
from typing import Any

import requests

from xero_sandbox import Sandbox, apps
from xero_sandbox.demo.company import new_organisation

Record = dict[str, Any]
START = datetime(2026, 2, 2, 21, tzinfo=timezone.utc)
CURRENCIES = ("NZD", "NZD", "NZD", "USD", "EUR")
TAXED = ("Exclusive", "Inclusive", "NoTax")
SALES, COSTS = ("200", "260", "270"), ("400", "404", "429", "453", "469", "710")


class RandomCompany:
    """An organisation of a running sandbox, after a number of calls of `act`."""

    def __init__(self, sandbox: Sandbox, name: str, number: int) -> None:
        self.random, self.admin = Random(number), sandbox.admin
        made, _ = new_organisation(name, "NZ", START)
        records = {name: rows for name, rows in made.records.items() if rows}
        records["Organisation"] = records.pop("Organisations")
        for rate in records["TaxRates"]:  # the admin API accepts numbers, and decimals as text
            for part in (rate, *rate["TaxComponents"]):
                part |= {name: float(value) for name, value in part.items() if isinstance(value, Decimal)}
        self.tenant = sandbox.admin.add_organisation(name, records, made.tenant_id)
        # An access token is valid for half an hour; one from the end of the story is valid throughout.
        sandbox.admin.set_clock(START + timedelta(days=1_000))
        tokens = sandbox.admin.consent(client_id=apps.WEB_APP.client_id, tenants=[self.tenant])
        self.session = requests.Session()
        self.session.headers.update(
            {
                "Accept": "application/json",
                "Authorization": f"Bearer {tokens['access_token']}",
                "xero-tenant-id": self.tenant,
            }
        )
        self.url = f"{sandbox.url}/api.xro/2.0"
        self.day = START.date()
        self.refused = self.done = 0
        self.happened: set[str] = set()
        self._set_up()

    def close(self) -> None:
        self.session.close()

    # --- calls

    def send(self, method: str, path: str, body: Any = None) -> Record | None:
        """The element of the answer, or None if it was refused."""
        response = self.session.request(
            method, f"{self.url}/{path}", json=body, params={"summarizeErrors": "false", "unitdp": "4"}
        )
        if response.status_code not in (200, 204):
            self.refused += 1
            return None
        if not response.content or response.status_code == 204:
            return {}
        answer: Record = response.json()
        first, _, last = path.rpartition("/")
        key = last if last in answer else (first or last).split("/", maxsplit=1)[0]
        found = (answer.get(key) or [answer])[0]
        if found.get("StatusAttributeString") == "ERROR" or found.get("HasValidationErrors"):
            self.refused += 1
            return None
        self.done += 1
        return dict(found)

    def records(self, resource: str) -> list[Record]:
        found: list[Record] = self.admin.records(resource, self.tenant)
        return found

    def _set_up(self) -> None:
        self.admin.set_clock(START)
        for code in ("USD", "EUR"):
            self.send("PUT", "Currencies", {"Code": code, "Description": code})
        for code, currency in (("090", "NZD"), ("091", "NZD"), ("092", "USD")):
            self.send(
                "PUT",
                "Accounts",
                {
                    "Code": code, "Name": f"Bank {code}", "Type": "BANK", "BankAccountNumber": f"12-{code}",
                    "CurrencyCode": currency,
                },
            )  # fmt: skip
        for code in ("KAYAK", "PADDLE"):
            item = {
                "Code": code, "Name": code.title(), "IsTrackedAsInventory": True, "InventoryAssetAccountCode": "630",
                "PurchaseDetails": {"UnitPrice": 100, "COGSAccountCode": "310"},
                "SalesDetails": {"UnitPrice": 150, "AccountCode": "200"},
            }  # fmt: skip
            assert self.send("PUT", "Items", item)
        self.stock_moved = self.day
        self.tracking: list[tuple[str, list[str]]] = []
        for name, options in (("Region", ("North", "South")), ("Department", ("Shop", "Yard", "Bureau"))):
            category = self.send("PUT", "TrackingCategories", {"Name": name})
            for option in options if category else ():
                path = f"TrackingCategories/{category['TrackingCategoryID']}/Options"  # type: ignore[index]
                self.send("PUT", path, {"Name": option})
            self.tracking.append((name, list(options)))

    def archive_option(self, category: str, option: str) -> None:
        """Archive a tracking option; lines that have it keep it."""
        (kept,) = (one for one in self.records("TrackingCategories") if one["Name"] == category)
        (found,) = (one for one in kept["Options"] if one["Name"] == option)
        path = f"TrackingCategories/{kept['TrackingCategoryID']}/Options/{found['TrackingOptionID']}"
        assert self.send("POST", path, {"Status": "ARCHIVED"})

    # --- inputs

    def amount(self, low: int = 1, high: int = 400_000) -> Decimal:
        return Decimal(self.random.randint(low, high)) / 100

    def rate(self) -> Decimal:
        places = self.random.choice((1, 2, 4, 6, 10))
        return Decimal(self.random.randint(3 * 10 ** (places - 1), 18 * 10 ** (places - 1))) / 10**places

    def when(self) -> str:
        """Mostly today, sometimes some weeks ago."""
        back = self.random.choice((0, 0, 0, 0, 3, 20, 45))
        return str(max(date(2026, 1, 5), self.day - timedelta(days=back)))

    def lines(self, accounts: tuple[str, ...], count: int = 4, discount: bool = False) -> list[Record]:
        made = []
        for n in range(self.random.randint(1, count)):
            line: Record = {
                "Description": f"Line {n}",
                "Quantity": str(
                    Decimal(self.random.choice((10_000, 10_000, 25_000, 3_333, 120_000))) / 10_000
                ),
                "UnitAmount": str(Decimal(self.random.randint(1, 4_000_000)) / 10_000),
                "AccountCode": self.random.choice(accounts),
            }
            if self.random.random() < 0.3:
                line["TaxType"] = self.random.choice(("NONE", "INPUT2" if "400" in accounts else "OUTPUT2"))
            if discount and self.random.random() < 0.2:
                line["DiscountRate"] = self.random.choice(("10", "33.33"))
            if self.random.random() < 0.5:
                chosen = self.random.sample(self.tracking, self.random.choice((1, 2)))
                line["Tracking"] = [
                    {"Name": name, "Option": self.random.choice(options)} for name, options in chosen
                ]
            made.append(line)
        if self.random.random() < 0.1:
            made.append({"Description": "Only words"})
        return made

    def heading(self, kind: str) -> Record:
        currency = self.random.choice(CURRENCIES)
        body: Record = {
            "Type": kind,
            "Contact": {"Name": self.random.choice(("Ada", "Bo", "Čeněk", "Dora"))},
            "Date": self.when(),
            "LineAmountTypes": self.random.choice(TAXED),
            "CurrencyCode": currency,
        }
        if currency != "NZD":
            body["CurrencyRate"] = str(self.rate())
        return body

    def pick(self, resource: str, fits: Callable[[Record], Any]) -> Record | None:
        found = [one for one in self.records(resource) if fits(one)]
        return self.random.choice(found) if found else None

    # --- deeds

    def act(self) -> None:
        """Do one thing, some hours after the last one."""
        self.day += timedelta(days=self.random.choice((0, 1, 1, 2)))
        self.admin.set_clock(datetime(self.day.year, self.day.month, self.day.day, 1, tzinfo=timezone.utc))
        self.admin.advance(self.done * 7 % 36_000)
        deed, before = self.random.choice(self.DEEDS), self.done
        deed(self)
        if self.done > before:
            self.happened.add(deed.__name__)

    def invoice(self) -> None:
        kind = self.random.choice(("ACCREC", "ACCPAY"))
        sale = kind == "ACCREC"
        body = self.heading(kind)
        body |= {
            "DueDate": str(self.day + timedelta(days=self.random.choice((-30, 7, 20)))),
            "Status": self.random.choice(("AUTHORISED", "AUTHORISED", "AUTHORISED", "DRAFT", "SUBMITTED")),
            "LineItems": self.lines(SALES if sale else COSTS, discount=sale),
        }
        self.send("PUT", "Invoices", body)

    def stock(self) -> None:
        """Buy or sell tracked stock, one document a day; these documents are neither edited nor voided.

        Xero values stock by the time of approval, which documents do not show.
        """
        if self.day <= self.stock_moved:
            return
        self.stock_moved = self.day
        sale = self.random.random() < 0.6
        kind = "ACCREC" if sale else "ACCPAY"
        resource = "Invoices"
        if self.random.random() < 0.2:
            resource, kind = "CreditNotes", f"{kind}CREDIT"
        line: Record = {
            "Description": "Stock", "ItemCode": self.random.choice(("KAYAK", "PADDLE")),
            "Quantity": str(self.random.randint(1, 3 if sale else 12)), "UnitAmount": str(self.amount(5_000, 20_000)),
            "AccountCode": "200" if sale else "630",
        }  # fmt: skip
        body = self.heading(kind)
        body |= {"Date": str(self.day), "Status": "AUTHORISED", "LineItems": [line]}
        if resource == "Invoices":
            body["DueDate"] = str(self.day)
        self.send("PUT", resource, body)

    def credit_note(self) -> None:
        kind = self.random.choice(("ACCRECCREDIT", "ACCPAYCREDIT"))
        lines = self.lines(SALES if kind == "ACCRECCREDIT" else COSTS, count=2)
        self.send("PUT", "CreditNotes", {**self.heading(kind), "Status": "AUTHORISED", "LineItems": lines})

    def approve(self) -> None:
        if one := self.pick("Invoices", lambda one: one["Status"] in {"DRAFT", "SUBMITTED"}):
            self.send("POST", f"Invoices/{one['InvoiceID']}", {"Status": "AUTHORISED"})

    def edit(self) -> None:
        """Remove lines of an approved document, change others, or change its date."""
        one = self.pick(
            "Invoices",
            lambda one: (
                one["Status"] == "AUTHORISED"
                and not Decimal(str(one["AmountPaid"]))
                and not _moves_stock(one)
            ),
        )
        if one is None:
            return
        kept = [line for line in one["LineItems"] if "UnitAmount" in line and self.random.random() < 0.7]
        lines: list[Record] = [{"LineItemID": line["LineItemID"]} for line in kept]
        for line in lines[:1]:
            line["UnitAmount"] = str(self.amount())
        lines += self.lines(SALES if one["Type"] == "ACCREC" else COSTS, count=2)
        self.send("POST", f"Invoices/{one['InvoiceID']}", {"Date": self.when(), "LineItems": lines})

    def void(self) -> None:
        resource, key = self.random.choice((("Invoices", "InvoiceID"), ("CreditNotes", "CreditNoteID")))
        fits = {"AUTHORISED", "DRAFT", "SUBMITTED"}
        if one := self.pick(resource, lambda one: one["Status"] in fits and not _moves_stock(one)):
            status = "VOIDED" if one["Status"] == "AUTHORISED" else "DELETED"
            self.send("POST", f"{resource}/{one[key]}", {"Status": status})

    def _payment(self, what: str, key: str, one: Record, left: Decimal, bank: str) -> Record:
        whole = self.random.random() < 0.6
        amount = (
            left
            if whole
            else max(Decimal("0.01"), (left / self.random.randint(2, 5)).quantize(Decimal("0.01")))
        )
        body: Record = {
            what: {key: one[key]}, "Account": {"Code": bank}, "Date": str(self.day), "Amount": str(amount),
        }  # fmt: skip
        if one["CurrencyCode"] != "NZD":
            body["CurrencyRate"] = str(self.rate())
        return body

    def pay(self) -> None:
        one = self.pick("Invoices", lambda one: one["Status"] == "AUTHORISED")
        if one is None:
            return
        bank = "092" if one["CurrencyCode"] == "USD" and self.random.random() < 0.5 else "090"
        left = Decimal(str(one["AmountDue"]))
        self.send("PUT", "Payments", self._payment("Invoice", "InvoiceID", one, left, bank))

    def refund(self) -> None:
        what, resource = self.random.choice(
            (("CreditNote", "CreditNotes"), ("Prepayment", "Prepayments"), ("Overpayment", "Overpayments"))
        )
        one = self.pick(resource, lambda one: one["Status"] == "AUTHORISED")
        if one is not None:
            left = Decimal(str(one["RemainingCredit"]))
            self.send("PUT", "Payments", self._payment(what, f"{what}ID", one, left, "090"))

    def batch(self) -> None:
        kind = self.random.choice(("ACCREC", "ACCPAY"))
        fits = [
            one
            for one in self.records("Invoices")
            if one["Status"] == "AUTHORISED" and one["CurrencyCode"] == "NZD" and one["Type"] == kind
        ]
        if len(fits) < 2:
            return
        payments = [
            {"Invoice": {"InvoiceID": one["InvoiceID"]}, "Amount": str(one["AmountDue"])} for one in fits[:3]
        ]
        made = self.send(
            "PUT", "BatchPayments", {"Account": {"Code": "091"}, "Date": str(self.day), "Payments": payments}
        )
        if made and self.random.random() < 0.3:
            self.send("POST", f"BatchPayments/{made['BatchPaymentID']}", {"Status": "DELETED"})

    def unpay(self) -> None:
        """Delete a payment; if a document is paid in parts that are exact to the cent, only the last one.

        The amount that an earlier payment relieved of a foreign document, or of the lines of a prepayment,
        depends on the payments before it, and only journals show that they existed.
        """
        latest: dict[str, Record] = {}
        for payment in sorted(self.records("Payments"), key=lambda one: one["UpdatedDateUTC"]):
            if payment["Status"] == "AUTHORISED":
                latest[payment["Invoice"]["InvoiceID"]] = payment
        prepaid = {one["PrepaymentID"] for one in self.records("Prepayments")}

        def fits(one: Record) -> bool:
            of = one["Invoice"]["InvoiceID"]
            whole = one["Invoice"]["CurrencyCode"] == "NZD" and of not in prepaid
            last = latest.get(of) == one and not self._has_allocations(of)
            return one["Status"] == "AUTHORISED" and "BatchPaymentID" not in one and (whole or last)

        if one := self.pick("Payments", fits):
            self.send("POST", f"Payments/{one['PaymentID']}", {"Status": "DELETED"})

    def _has_allocations(self, document_id: str) -> bool:
        for resource, key in (
            ("CreditNotes", "CreditNoteID"), ("Prepayments", "PrepaymentID"), ("Overpayments", "OverpaymentID"),
        ):  # fmt: skip
            for one in self.records(resource):
                if any(
                    document_id in (one[key], each["Invoice"]["InvoiceID"]) for each in one["Allocations"]
                ):
                    return True
        return False

    def allocate(self) -> None:
        resource, key = self.random.choice(
            (
                ("CreditNotes", "CreditNoteID"),
                ("Prepayments", "PrepaymentID"),
                ("Overpayments", "OverpaymentID"),
            )
        )
        credit = self.pick(resource, lambda one: one["Status"] == "AUTHORISED")
        if credit is None:
            return
        sale = credit["Type"] == "ACCRECCREDIT" or credit["Type"].startswith("RECEIVE")
        invoice = self.pick(
            "Invoices",
            lambda one: (
                one["Status"] == "AUTHORISED"
                and (one["Type"] == "ACCREC") == sale
                and one["CurrencyCode"] == credit["CurrencyCode"]
                and one["Contact"]["ContactID"] == credit["Contact"]["ContactID"]
            ),
        )
        if invoice is None:
            return
        most = min(Decimal(str(credit["RemainingCredit"])), Decimal(str(invoice["AmountDue"])))
        amount = (
            most if self.random.random() < 0.5 else max(Decimal("0.01"), (most / 3).quantize(Decimal("0.01")))
        )
        body = {"Amount": str(amount), "Date": str(self.day), "Invoice": {"InvoiceID": invoice["InvoiceID"]}}
        self.send("PUT", f"{resource}/{credit[key]}/Allocations", {"Allocations": [body]})

    def deallocate(self) -> None:
        resource, key = self.random.choice(
            (
                ("CreditNotes", "CreditNoteID"),
                ("Prepayments", "PrepaymentID"),
                ("Overpayments", "OverpaymentID"),
            )
        )
        one = self.pick(
            resource,
            lambda one: (
                one["Allocations"]
                and one["CurrencyCode"] == "NZD"
                and not (resource == "Prepayments" and any(p["Amount"] for p in one["Payments"]))
            ),
        )
        if one is not None:
            self.send("DELETE", f"{resource}/{one[key]}/Allocations/{one['Allocations'][-1]['AllocationID']}")

    def bank(self) -> None:
        kind = self.random.choice(("SPEND", "RECEIVE"))
        body = {
            "Type": kind,
            "Contact": {"Name": "Ada"},
            "Date": self.when(),
            "BankAccount": {"Code": self.random.choice(("090", "091", "092"))},
            "LineAmountTypes": self.random.choice(TAXED),
            "LineItems": self.lines(SALES if kind == "RECEIVE" else COSTS, count=2),
        }
        if body["BankAccount"] == {"Code": "092"}:
            body["CurrencyRate"] = str(self.rate())
        self.send("PUT", "BankTransactions", body)

    def held(self) -> None:
        """A prepayment or overpayment."""
        kind = self.random.choice(("SPEND", "RECEIVE"))
        more = self.random.choice(("-PREPAYMENT", "-PREPAYMENT", "-OVERPAYMENT"))
        lines: list[Record] = [{"Description": "Held", "Quantity": "1", "UnitAmount": str(self.amount())}]
        if more == "-PREPAYMENT":
            lines = [
                {**line, "AccountCode": self.random.choice(("835", "620", "200"))}
                for line in self.lines(SALES, 3)
            ]
            lines = [line for line in lines if "UnitAmount" in line]
        body = {
            "Type": f"{kind}{more}", "Contact": {"Name": self.random.choice(("Ada", "Bo"))}, "Date": str(self.day),
            "BankAccount": {"Code": self.random.choice(("090", "092"))}, "LineItems": lines,
        }  # fmt: skip
        if more == "-PREPAYMENT":
            body["LineAmountTypes"] = self.random.choice(TAXED)
        if body["BankAccount"] == {"Code": "092"}:
            body["CurrencyRate"] = str(self.rate())
        self.send("PUT", "BankTransactions", body)

    def edit_bank(self) -> None:
        kinds = {"SPEND", "RECEIVE"}
        one = self.pick(
            "BankTransactions", lambda one: one["Status"] == "AUTHORISED" and one["Type"] in kinds
        )
        if one is not None:
            lines = self.lines(SALES if one["Type"] == "RECEIVE" else COSTS, count=2)
            self.send("POST", f"BankTransactions/{one['BankTransactionID']}", {"LineItems": lines})

    def delete_bank(self) -> None:
        one = self.pick(
            "BankTransactions", lambda one: one["Status"] == "AUTHORISED" and "TRANSFER" not in one["Type"]
        )
        if one is not None:
            self.send("POST", f"BankTransactions/{one['BankTransactionID']}", {"Status": "DELETED"})

    def transfer(self) -> None:
        source, target = self.random.sample(("090", "091", "092"), 2)
        body = {
            "FromBankAccount": {"Code": source}, "ToBankAccount": {"Code": target}, "Amount": str(self.amount()),
            "Date": str(self.day),
        }  # fmt: skip
        self.send("PUT", "BankTransfers", body)

    def delete_transfer(self) -> None:
        if one := self.pick("BankTransfers", lambda one: one.get("Status") != "DELETED"):
            self.send("POST", f"BankTransfers/{one['BankTransferID']}", {"Status": "DELETED"})

    def journal(self) -> None:
        kind = self.random.choice(("NoTax", "Exclusive", "Inclusive"))
        first = self.amount()
        tax = "INPUT2" if kind != "NoTax" else "NONE"
        other = first
        if kind == "Exclusive":
            other = first + (first * 15 / 100).quantize(Decimal("0.01"), "ROUND_HALF_UP")
        lines: list[Record] = [
            {"Description": "Debit", "LineAmount": str(first), "AccountCode": "453", "TaxType": tax},
            {"Description": "Credit", "LineAmount": str(-other), "AccountCode": "850", "TaxType": "NONE"},
        ]
        if self.random.random() < 0.5:
            lines[0]["Tracking"] = [{"Name": "Region", "Option": "North"}]
        status = self.random.choice(("POSTED", "POSTED", "DRAFT"))
        body = {
            "Narration": "By hand", "Date": self.when(), "Status": status, "LineAmountTypes": kind,
            "JournalLines": lines,
        }  # fmt: skip
        self.send("PUT", "ManualJournals", body)

    def void_journal(self) -> None:
        if one := self.pick("ManualJournals", lambda one: one["Status"] in {"POSTED", "DRAFT"}):
            status = "VOIDED" if one["Status"] == "POSTED" else "DELETED"
            self.send("POST", f"ManualJournals/{one['ManualJournalID']}", {"Status": status})

    def edit_journal(self) -> None:
        if one := self.pick("ManualJournals", lambda one: one["Status"] == "POSTED"):
            amount = self.amount()
            lines = [
                {"LineAmount": str(amount), "AccountCode": "400", "TaxType": "NONE"},
                {"LineAmount": str(-amount), "AccountCode": "850", "TaxType": "NONE"},
            ]
            body = {
                "Narration": "By hand",
                "LineAmountTypes": "NoTax",
                "JournalLines": lines,
                "Date": self.when(),
            }
            self.send("POST", f"ManualJournals/{one['ManualJournalID']}", body)

    #: The choices of `act`; an entry that is there twice is chosen twice as often.
    DEEDS = (
        invoice, invoice, invoice, credit_note, pay, pay, pay, batch, unpay, edit, approve, void, allocate,
        allocate, deallocate, bank, bank, held, held, edit_bank, delete_bank, refund, transfer,
        delete_transfer, journal, journal, void_journal, edit_journal, stock, stock,
    )  # fmt: skip


def _moves_stock(document: Record) -> bool:
    return any(line.get("ItemCode") for line in document["LineItems"])
