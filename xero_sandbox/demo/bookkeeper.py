"""The everyday business of one organisation, done on its records: invoices go out, payments come in.

A `Clerk` makes full records in Xero's shape and the journals they cause. What it has made or changed lies in
`changed`; the records it was given are only read.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import sha1
from typing import TYPE_CHECKING, Any

from ..accounting import double_entry as books
from ..accounting.double_entry import ONE, ZERO, Posting, Record, in_base, market_rate, money

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from uuid import UUID

IDS = {
    "Accounts": "AccountID",
    "BankTransactions": "BankTransactionID",
    "BankTransfers": "BankTransferID",
    "BatchPayments": "BatchPaymentID",
    "Contacts": "ContactID",
    "CreditNotes": "CreditNoteID",
    "ExpenseClaims": "ExpenseClaimID",
    "Invoices": "InvoiceID",
    "Items": "ItemID",
    "Journals": "JournalID",
    "LinkedTransactions": "LinkedTransactionID",
    "ManualJournals": "ManualJournalID",
    "Overpayments": "OverpaymentID",
    "Payments": "PaymentID",
    "Prepayments": "PrepaymentID",
    "PurchaseOrders": "PurchaseOrderID",
    "Quotes": "QuoteID",
    "Receipts": "ReceiptID",
    "RepeatingInvoices": "RepeatingInvoiceID",
}
"""The id field of every resource a clerk handles."""


_BATCH_IN_PAYMENT = "Account BatchPaymentID Date Type Status TotalAmount UpdatedDateUTC IsReconciled"


class Guids:
    """GUIDs made from names (version 5): the same name gives the same GUID, in every run."""

    def __init__(self, namespace: UUID, scope: str) -> None:
        self._seed = sha1(namespace.bytes + scope.encode() + b"/")  # noqa: S324 (an id, no secret)

    def __call__(self, name: str) -> str:
        """The GUID of `name`."""
        digest = self._seed.copy()
        digest.update(name.encode())
        text = digest.hexdigest()
        variant = "89ab"[int(text[16], 16) & 3]
        return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{variant}{text[17:20]}-{text[20:32]}"


def _first_sunday(year: int, month: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(6 - first.weekday()) % 7)


def local_time(day: date, seconds: int, millisecond: int = 0) -> datetime:
    """An instant of a New Zealand business day: `seconds` after local midnight, as an aware UTC datetime.

    Daylight saving (UTC+13) runs from the last Sunday of September to the first Sunday of April. The
    milliseconds are those SQL Server can hold: they end in 0, 3 or 7.
    """
    summer_ends = _first_sunday(day.year, 4)
    summer_starts = _first_sunday(day.year, 10) - timedelta(days=7)
    offset = 12 if summer_ends <= day < summer_starts else 13
    midnight = datetime(day.year, day.month, day.day, tzinfo=timezone.utc)
    tick = round(millisecond * 300 / 1000) * 1000 / 300
    return midnight + timedelta(hours=-offset, seconds=seconds, milliseconds=round(tick) % 1000)


def business_day(day: date) -> date:
    """The day itself, or the Monday after a weekend."""
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)


class Clerk:
    """Works on the records of one organisation; see the module's words.

    `guid` makes an id from a name that is unique within the organisation, `next_journal` is the first number to
    give to a journal, and `bank` the code of the account that money goes through unless something else is said.
    """

    def __init__(
        self,
        records: Mapping[str, Iterable[Record]],
        guid: Callable[[str], str],
        next_journal: int,
        bank: str = "090",
    ) -> None:
        self._records = records
        self._index: dict[str, dict[str, Record]] = {}
        self.guid = guid
        self.bank = bank
        self.chart = books.Chart(records)
        self.ledger = books.Ledger(self.chart, next_journal, guid)
        self.changed: dict[str, dict[str, Record]] = {}
        self.moved: dict[str, Decimal] = {}
        self._counts: dict[str, int] = {}
        self.items = {item["Code"]: item["ItemID"] for item in records["Items"]}
        self.theme = next(iter(records["BrandingThemes"]))["BrandingThemeID"]
        sales = self.chart.accounts.get("200", {})
        self.sales_tax, self.purchase_tax = sales.get("TaxType", "OUTPUT2"), "INPUT2"
        costs = self.chart.accounts.get("310")
        if costs:
            self.purchase_tax = costs["TaxType"]

    # --- records

    def get(self, resource: str, key: str) -> Record:
        """The record as it stands now."""
        mine = self.changed.get(resource, {}).get(key)
        if mine is not None:
            return mine
        if resource not in self._index:
            self._index[resource] = {r[IDS[resource]]: r for r in self._records.get(resource, ())}
        return self._index[resource][key]

    def put(self, resource: str, record: Record) -> Record:
        """Keep a new or changed record, as the latest change of its resource."""
        table = self.changed.setdefault(resource, {})
        key = record[IDS[resource]]
        table.pop(key, None)
        table[key] = record
        return record

    def number(self, prefix: str, taken: Iterable[str] = ()) -> str:
        """The next number of a series such as INV-0001, after those `taken`."""
        if prefix not in self._counts:
            used = [int(n.removeprefix(prefix)) for n in taken if n.removeprefix(prefix).isdigit()]
            self._counts[prefix] = max(used, default=0)
        self._counts[prefix] += 1
        return f"{prefix}{self._counts[prefix]:04d}"

    def post(self, journal: Record) -> None:
        """Keep a journal, and what it does to the accounts."""
        self.put("Journals", journal)
        for line in journal["JournalLines"]:
            self.moved[line["AccountID"]] = self.moved.get(line["AccountID"], ZERO) + line["NetAmount"]

    def _reverse(self, source_id: str, at: datetime) -> list[Record]:
        """Undo what a source has in the ledger; gives the reversals."""
        journals = [*self._records.get("Journals", ()), *self.changed.get("Journals", {}).values()]
        reversals = [self.ledger.reverse(journal, at) for journal in books.standing(journals, source_id)]
        for journal in reversals:
            self.post(journal)
        return reversals

    def contact(self, contact_id: str) -> Record:
        """A contact as documents name it: id and name."""
        contact = self.get("Contacts", contact_id)
        return {"ContactID": contact_id, "Name": contact["Name"]}

    def _met(self, contact_id: str, role: str) -> None:
        """Note that a contact is a customer or supplier; Xero does so without touching its UpdatedDateUTC."""
        contact = self.get("Contacts", contact_id)
        if not contact[role]:
            self.changed.setdefault("Contacts", {})[contact_id] = {**contact, role: True}

    # --- lines

    def tracking(self, *options: tuple[str, str]) -> list[Record]:
        """Tracking of a line from (category, option) names."""
        return [
            {
                "Name": name,
                "Option": option,
                "TrackingCategoryID": self.chart.options[name, option][0],
                "TrackingOptionID": self.chart.options[name, option][1],
                "Options": [],
            }
            for name, option in options
        ]

    def line(
        self,
        description: str,
        price: Decimal,
        account: str,
        *,
        quantity: Decimal = ONE,
        tax: str | None = None,
        item: str | None = None,
        tracking: Sequence[tuple[str, str]] = (),
        **more: Any,
    ) -> Record:
        """A line before it has an id and amounts."""
        found = self.ledger.account({"Code": account})
        line: Record = {"Description": description, "UnitAmount": price}
        line["TaxType"] = tax or found["TaxType"]
        line.update(AccountCode=account, AccountID=found["AccountID"], Quantity=quantity)
        if item:
            record = self.get("Items", self.items[item])
            line["ItemCode"] = item
            line["Item"] = {key: record[key] for key in ("ItemID", "Name", "Code")}
        line["Tracking"] = self.tracking(*tracking)
        line.update(more)
        return line

    def _numbered(self, lines: Sequence[Record], name: str) -> list[Record]:
        return [{"LineItemID": self.guid(f"{name}/line/{i}"), **line} for i, line in enumerate(lines)]

    def _money(self, currency: str | None, day: date, rate: Decimal | None) -> dict[str, Any]:
        base = self.ledger.base_currency
        code = currency or base
        return {"CurrencyCode": code, "CurrencyRate": rate or market_rate(code, base, day)}

    # --- invoices and bills

    def invoice(
        self,
        kind: str,
        contact_id: str,
        day: date,
        at: datetime,
        lines: Sequence[Record],
        *,
        name: str,
        due: date | None,
        number: str | None = None,
        reference: str = "",
        status: str = "AUTHORISED",
        amounts: str = "Exclusive",
        currency: str | None = None,
        rate: Decimal | None = None,
        **more: Any,
    ) -> Record:
        """A sales invoice (ACCREC) or bill (ACCPAY); approved ones go to the ledger. `name` makes its ids.

        Most drafts have no DueDate yet, as recorded: `approve` gives it.
        """
        record: Record = {
            "Type": kind,
            "InvoiceID": self.guid(name),
            "InvoiceNumber": number or "",
            "Reference": reference,
            "Payments": [],
            "CreditNotes": [],
            "Prepayments": [],
            "Overpayments": [],
            "AmountDue": ZERO,
            "AmountPaid": ZERO,
            "AmountCredited": ZERO,
            **self._money(currency, day, rate),
            "IsDiscounted": any("DiscountRate" in line or "DiscountAmount" in line for line in lines),
            "HasAttachments": False,
            "InvoiceAddresses": [],
            "HasErrors": False,
            "Contact": self.contact(contact_id),
            "Date": day,
            "DueDate": due,
            "Status": status,
            "LineAmountTypes": amounts,
            "LineItems": self._numbered(lines, name),
            "UpdatedDateUTC": at,
        }
        if kind == "ACCREC":
            record["BrandingThemeID"] = self.theme
        if due is None or (status in ("DRAFT", "SUBMITTED") and int(record["InvoiceID"][:2], 16) % 4):
            del record["DueDate"]
        record.update(more)
        if "RepeatingInvoiceID" in record and record["CurrencyRate"] == ONE:
            del record["CurrencyRate"]  # as recorded: what a template made has none in base currency
        record = books.settled(books.priced(record, self.chart.percents))
        if record["Status"] in ("AUTHORISED", "PAID"):
            self._to_ledger(record, at)
        return self.put("Invoices", record)

    def _to_ledger(self, document: Record, at: datetime) -> None:
        self.post(self.ledger.post_document(document, at, self._stock(document)))
        self._met(document["Contact"]["ContactID"], "IsCustomer" if books.is_sale(document) else "IsSupplier")

    def _stock(self, document: Record) -> list[Posting]:
        """Move tracked items: a bill adds to the stock, a sale takes it at average cost."""
        postings = []
        for line in document["LineItems"]:
            item = self.get("Items", self.items[line["ItemCode"]]) if "ItemCode" in line else {}
            if not item.get("IsTrackedAsInventory"):
                continue
            quantity, pool = item["QuantityOnHand"], item["TotalCostPool"]
            if document["Type"] == "ACCREC":
                moved = -line["Quantity"]
                cost = -money(pool * line["Quantity"] / quantity)
                for code, net in (
                    (item["PurchaseDetails"]["COGSAccountCode"], -cost),
                    (item["InventoryAssetAccountCode"], cost),
                ):
                    account = self.ledger.account({"Code": code})
                    postings.append(Posting(account, net + ZERO, description=item["Name"]))
            else:
                moved, cost = line["Quantity"], in_base(line["LineAmount"], document.get("CurrencyRate"))
            changed = {**item, "QuantityOnHand": quantity + moved, "TotalCostPool": pool + cost}
            self.changed.setdefault("Items", {})[item["ItemID"]] = changed
        return postings

    def _restock(self, document: Record, reversals: Sequence[Record]) -> None:
        """Give tracked items back what a voided document had taken, or take what it had given."""
        for line in document["LineItems"]:
            item = self.get("Items", self.items[line["ItemCode"]]) if "ItemCode" in line else {}
            if not item.get("IsTrackedAsInventory"):
                continue
            asset = self.ledger.account({"Code": item["InventoryAssetAccountCode"]})["AccountID"]
            cost = sum(
                posted["NetAmount"]
                for journal in reversals
                for posted in journal["JournalLines"]
                if posted["AccountID"] == asset
                and posted.get("Description") in (item["Name"], line["Description"])
            )
            moved = line["Quantity"] if document["Type"] == "ACCREC" else -line["Quantity"]
            stock = {
                "QuantityOnHand": item["QuantityOnHand"] + moved,
                "TotalCostPool": item["TotalCostPool"] + cost,
            }
            self.changed.setdefault("Items", {})[item["ItemID"]] = {**item, **stock}

    def approve(self, resource: str, key: str, at: datetime, **more: Any) -> Record:
        """A draft or submitted invoice, bill or credit note becomes AUTHORISED."""
        record = {**self.get(resource, key), "Status": "AUTHORISED", "UpdatedDateUTC": at, **more}
        record = books.settled(record)
        self._to_ledger(record, at)
        return self.put(resource, record)

    def end(self, resource: str, key: str, status: str, at: datetime) -> Record:
        """Void or delete a document; what it had in the ledger is reversed."""
        record, reversals = self.get(resource, key), self._reverse(key, at)
        if reversals and resource == "Invoices":
            self._restock(record, reversals)
        return self.put(resource, books.ended(record, status, at))

    def touch(self, resource: str, key: str, at: datetime, **more: Any) -> Record:
        """Change fields of a record that the ledger does not care about."""
        stamp = {} if resource in ("BankTransfers", "Journals") else {"UpdatedDateUTC": at}
        return self.put(resource, {**self.get(resource, key), **more, **stamp})

    # --- payments

    def pay(
        self,
        resource: str,
        key: str,
        day: date,
        at: datetime,
        *,
        amount: Decimal | None = None,
        bank: str | None = None,
        reference: str = "",
        batch: Record | None = None,
        reconciled: bool = True,
    ) -> Record:
        """Pay an invoice or bill, or refund a credit: all that is left, or `amount`."""
        document = self.get(resource, key)
        left = document["RemainingCredit" if books.is_credit(document) else "AmountDue"]
        amount = left if amount is None else amount
        account = self.ledger.account({"Code": bank or self.bank})
        base, code = self.ledger.base_currency, document["CurrencyCode"]
        rate = market_rate(code, base, day)
        foreign_bank = account.get("CurrencyCode", base) != base
        payment_id = self.guid(f"{key}/payment/{day}/{len(document['Payments'])}")
        kind = books.PAYMENT_TYPES[document["Type"]]
        record: Record = {"PaymentID": payment_id}
        if batch:
            record["BatchPaymentID"] = batch["BatchPaymentID"]
            record["BatchPayment"] = {name: batch[name] for name in _BATCH_IN_PAYMENT.split()}
        record.update(
            {
                "Date": day,
                "BankAmount": amount if foreign_bank else in_base(amount, rate),
                "Amount": amount,
                "Reference": reference,
                "CurrencyRate": rate,
                "PaymentType": kind,
                "Status": "AUTHORISED",
                "UpdatedDateUTC": at,
                "HasAccount": True,
                "IsReconciled": reconciled,
                "Account": {"AccountID": account["AccountID"], "Code": account["Code"]},
                "Invoice": {
                    # a refunded overpayment is an invoice of the type AROVERPAYMENT here, says the official schema
                    "Type": kind.removesuffix("PAYMENT") if "-" in document["Type"] else document["Type"],
                    "InvoiceID": key,
                    "InvoiceNumber": document.get("InvoiceNumber") or document.get("CreditNoteNumber", ""),
                    "Contact": document["Contact"],
                    "CurrencyCode": code,
                },
                "HasValidationErrors": False,
            }
        )
        self.post(self.ledger.post_payment(record, document, at))
        self.put(resource, books.with_payment(document, record))
        return self.put("Payments", record)

    def delete_payment(self, resource: str, payment_id: str, at: datetime) -> Record:
        """Take a payment back: it stays as DELETED, its document is open again."""
        payment = self.get("Payments", payment_id)
        self._reverse(payment_id, at)
        key = payment["Invoice"]["InvoiceID"]
        self.put(resource, books.without_payment(self.get(resource, key), payment_id, at))
        gone = {"Status": "DELETED", "IsReconciled": False, "CurrencyRate": ZERO, "UpdatedDateUTC": at}
        return self.put("Payments", {**payment, **gone})

    def pay_batch(
        self, keys: Sequence[str], day: date, at: datetime, *, reference: str, reconciled: bool = True
    ) -> Record:
        """Pay several invoices or several bills in one bank line; everything changes at the same instant."""
        documents = [self.get("Invoices", key) for key in keys]
        account = self.ledger.account({"Code": self.bank})
        outward = documents[0]["Type"] == "ACCPAY"
        batch: Record = {
            "Account": {"AccountID": account["AccountID"], "CurrencyCode": account["CurrencyCode"]},
            "Reference": reference,
            "BatchPaymentID": self.guid(f"batch/{day}/{keys[0]}"),
            "Date": day,
            "Type": "PAYBATCH" if outward else "RECBATCH",
            "Status": "AUTHORISED",
            "TotalAmount": sum((d["AmountDue"] for d in documents), ZERO),
            "UpdatedDateUTC": at,
            "IsReconciled": reconciled,
        }
        if outward:
            batch.update(Particulars="Invoices", Code="Tōtara", Details=f"{day:%d %b %Y}")
            batch["Narrative"] = f"Pay {day:%d %b %Y}"
        payments = [
            self.pay("Invoices", key, day, at, reference=reference, batch=batch, reconciled=reconciled)
            for key in keys
        ]
        batch["Payments"] = [
            {
                "Invoice": {"InvoiceID": key, "CurrencyCode": payment["Invoice"]["CurrencyCode"]},
                "PaymentID": payment["PaymentID"],
                "Amount": payment["Amount"],
                "BankAmount": payment["BankAmount"],
            }
            for key, payment in zip(keys, payments, strict=True)
        ]
        return self.put("BatchPayments", batch)

    # --- credits

    def credit_note(
        self,
        kind: str,
        contact_id: str,
        day: date,
        at: datetime,
        lines: Sequence[Record],
        *,
        name: str,
        number: str = "",
        reference: str = "",
        status: str = "AUTHORISED",
        amounts: str = "Exclusive",
        currency: str | None = None,
        rate: Decimal | None = None,
        **more: Any,
    ) -> Record:
        """A credit note to a customer (ACCRECCREDIT) or from a supplier (ACCPAYCREDIT)."""
        key = self.guid(name)
        record: Record = {
            "CreditNoteID": key,
            "CreditNoteNumber": number,
            "Payments": [],
            "ID": key,
            "HasErrors": False,
            "InvoiceAddresses": [],
            **self._money(currency, day, rate),
            "Type": kind,
            "Reference": reference,
            "RemainingCredit": ZERO,
            "Allocations": [],
            "HasAttachments": False,
            "Contact": self.contact(contact_id),
            "Date": day,
            "Status": status,
            "LineAmountTypes": amounts,
            "LineItems": self._numbered(lines, name),
            "UpdatedDateUTC": at,
        }
        if kind == "ACCRECCREDIT":
            record["BrandingThemeID"] = self.theme
        record.update(more)
        record = books.settled(books.priced(record, self.chart.percents))
        if status == "AUTHORISED":
            self._to_ledger(record, at)
        return self.put("CreditNotes", record)

    def allocate(
        self,
        resource: str,
        credit_id: str,
        invoice_id: str,
        day: date,
        at: datetime,
        *,
        amount: Decimal | None = None,
    ) -> None:
        """Set a credit note, prepayment or overpayment against an invoice, as far as both go."""
        credit, invoice = self.get(resource, credit_id), self.get("Invoices", invoice_id)
        amount = min(credit["RemainingCredit"], invoice["AmountDue"]) if amount is None else amount
        self.post(self.ledger.post_allocation(credit, invoice, amount, day, at))
        allocation = self.guid(f"{credit_id}/allocation/{len(credit['Allocations'])}")
        credit, invoice = books.with_allocation(
            credit, invoice, allocation_id=allocation, amount=amount, day=day, at=at
        )
        self.put(resource, credit)
        self.put("Invoices", invoice)

    # --- bank

    def bank_transaction(
        self,
        kind: str,
        contact_id: str,
        day: date,
        at: datetime,
        lines: Sequence[Record],
        *,
        name: str,
        bank: str | None = None,
        reference: str = "",
        amounts: str = "Inclusive",
        reconciled: bool = True,
        **more: Any,
    ) -> Record:
        """Money spent or received; -OVERPAYMENT and -PREPAYMENT make that credit as well."""
        account = self.ledger.account({"Code": bank or self.bank})
        record: Record = {
            "BankTransactionID": self.guid(name),
            "BankAccount": {key: account[key] for key in ("AccountID", "Code", "Name")},
            "Type": kind,
            "Reference": reference,
            "IsReconciled": reconciled,
            "HasAttachments": False,
            "Contact": self.contact(contact_id),
            "Date": day,
            "Status": "AUTHORISED",
            "LineAmountTypes": amounts,
            "LineItems": self._numbered(lines, name),
            "UpdatedDateUTC": at,
            **self._money(account["CurrencyCode"], day, None),
        }
        record.update(more)
        record = books.priced(record, self.chart.percents)
        for resource, word, field in (
            ("Overpayments", "OVERPAYMENT", "OverpaymentID"),
            ("Prepayments", "PREPAYMENT", "PrepaymentID"),
        ):
            if kind.endswith(word):
                record[field] = self.guid(f"{name}/credit")
                self.put(resource, self._held(record, field, at))
        self.post(self.ledger.post_bank_transaction(record, at))
        return self.put("BankTransactions", record)

    def _held(self, transaction: Record, field: str, at: datetime) -> Record:
        kept = "Type Reference Contact Date Status LineAmountTypes LineItems SubTotal TotalTax Total"
        record: Record = {field: transaction[field]}
        record.update({key: transaction[key] for key in (*kept.split(), "CurrencyCode", "CurrencyRate")})
        if field == "PrepaymentID":
            record.update(ID=transaction[field], InvoiceNumber=transaction["Reference"])
        record.update(RemainingCredit=ZERO, Allocations=[], Payments=[], HasAttachments=False)
        if transaction["Type"] == "RECEIVE-PREPAYMENT":
            record["BrandingThemeID"] = self.theme
        record["UpdatedDateUTC"] = at
        return books.settled(record)

    def transfer(
        self, source: str, target: str, amount: Decimal, day: date, at: datetime, *, reference: str = ""
    ) -> Record:
        """Move money between two bank accounts; each side is a bank transaction of its own as well."""
        name = f"transfer/{day}/{source}/{target}"
        base = self.ledger.base_currency
        sides = {"From": self.ledger.account({"Code": source}), "To": self.ledger.account({"Code": target})}
        code = sides["From"]["CurrencyCode"]
        rate = market_rate(code, base, day)
        record: Record = {
            "BankTransferID": self.guid(name),
            "CreatedDateUTC": at,
            "Date": day,
            "Status": "AUTHORISED",
            "FromBankAccount": {},
            "ToBankAccount": {},
            "Amount": amount,
            "FromBankTransactionID": self.guid(f"{name}/from"),
            "ToBankTransactionID": self.guid(f"{name}/to"),
            "FromIsReconciled": True,
            "ToIsReconciled": True,
            "Reference": reference,
            "HasAttachments": False,
            "CurrencyRate": rate,
            "FromTracking": [],
            "ToTracking": [],
        }
        for side, account in sides.items():
            named = {key: account[key] for key in ("AccountID", "Code", "Name")}
            record[f"{side}BankAccount"] = named
            moved = amount
            if account["CurrencyCode"] != code:
                moved = money(in_base(amount, rate) * market_rate(account["CurrencyCode"], base, day))
            self.put(
                "BankTransactions",
                {
                    "BankTransactionID": record[f"{side}BankTransactionID"],
                    "BankAccount": named,
                    "Type": "SPEND-TRANSFER" if side == "From" else "RECEIVE-TRANSFER",
                    "Reference": reference,
                    "IsReconciled": True,
                    "HasAttachments": False,
                    "Date": day,
                    "Status": "AUTHORISED",
                    "LineAmountTypes": "NoTax",
                    "LineItems": [],
                    "SubTotal": moved,
                    "TotalTax": ZERO,
                    "Total": moved,
                    "UpdatedDateUTC": at,
                    "CurrencyCode": account["CurrencyCode"],
                    "CurrencyRate": market_rate(account["CurrencyCode"], base, day),
                },
            )
        self.post(self.ledger.post_transfer(record, at))
        return self.put("BankTransfers", record)

    # --- the rest

    def manual_journal(
        self,
        narration: str,
        day: date,
        at: datetime,
        lines: Sequence[tuple[str, str, Decimal]],
        *,
        status: str = "POSTED",
        tracking: Sequence[tuple[str, str]] = (),
        **more: Any,
    ) -> Record:
        """A manual journal from (account code, description, amount) lines; a debit is positive."""
        journal_lines = [
            {
                "Description": description,
                "TaxType": "NONE" if "NONE" in self.chart.percents else "BASEXCLUDED",
                "TaxAmount": ZERO,
                "LineAmount": amount,
                "AccountCode": code,
                "Tracking": self.tracking(*tracking) if code[0] in "234" else [],
                "AccountID": self.ledger.account({"Code": code})["AccountID"],
                "IsBlank": False,
            }
            for code, description, amount in lines
        ]
        record: Record = {
            "Date": day,
            "Status": status,
            "LineAmountTypes": "NoTax",
            "UpdatedDateUTC": at,
            "ManualJournalID": self.guid(f"manual/{day}/{narration}"),
            "Narration": narration,
            "JournalLines": journal_lines,
            "ShowOnCashBasisReports": True,
            "HasAttachments": False,
            **more,
        }
        if status == "POSTED":
            self.post(self.ledger.post_manual_journal(record, at))
        return self.put("ManualJournals", record)

    def order(
        self,
        contact_id: str,
        day: date,
        at: datetime,
        lines: Sequence[Record],
        *,
        number: str,
        status: str,
        amounts: str = "Exclusive",
        currency: str | None = None,
        **more: Any,
    ) -> Record:
        """A purchase order; orders never touch the ledger."""
        record: Record = {
            "PurchaseOrderID": self.guid(f"order/{number}"),
            "PurchaseOrderNumber": number,
            "Date": day,
            "HasErrors": False,
            "IsDiscounted": False,
            "Type": "PURCHASEORDER",
            **self._money(currency, day, None),
            "Contact": self.contact(contact_id),
            "BrandingThemeID": self.theme,
            "Status": status,
            "LineAmountTypes": amounts,
            "LineItems": self._numbered(lines, f"order/{number}"),
            "UpdatedDateUTC": at,
            "HasAttachments": False,
            "SentToContact": status in ("AUTHORISED", "BILLED"),
            **more,
        }
        return self.put("PurchaseOrders", books.priced(record, self.chart.percents))

    def quote(
        self,
        contact_id: str,
        day: date,
        at: datetime,
        lines: Sequence[Record],
        *,
        number: str,
        status: str,
        currency: str | None = None,
        **more: Any,
    ) -> Record:
        """A quote; its LineAmountTypes is in capitals, unlike any other document's."""
        lines = [{**line, "DiscountAmount": line.get("DiscountAmount", ZERO)} for line in lines]
        record: Record = {
            "QuoteID": self.guid(f"quote/{number}"),
            "QuoteNumber": number,
            "Reference": "",
            "Contact": self.contact(contact_id),
            "LineItems": self._numbered(lines, f"quote/{number}"),
            "Date": day,
            "Status": status,
            **self._money(currency, day, None),
            "BrandingThemeID": self.theme,
            "UpdatedDateUTC": at,
            "LineAmountTypes": "EXCLUSIVE",
            **more,
        }
        record = books.priced(record, self.chart.percents)
        record.setdefault("TotalDiscount", ZERO)
        return self.put("Quotes", record)

    def opening(self, day: date, at: datetime, amounts: Mapping[str, Decimal]) -> None:
        """Conversion balances: a journal without source, as Xero keeps them."""
        postings = [Posting(self.ledger.account({"Code": code}), amount) for code, amount in amounts.items()]
        self.post(self.ledger.journal(None, day, at, postings, "Conversion balances"))
