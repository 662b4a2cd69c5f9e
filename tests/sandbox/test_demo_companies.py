"""The demo companies are consistent: every number follows from other records."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from xero_sandbox.accounting import currencies, ledger, settlement, totals
from xero_sandbox.demo import companies as seed
from xero_sandbox.demo.company import RESOURCES, Company, opened
from xero_sandbox.demo.trading_day import next_business_day, trading_day
from xero_sandbox.values import ONE

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=timezone.utc)
ZERO = Decimal("0.00")
_DOCUMENTS = """
Invoices CreditNotes BankTransactions Prepayments Overpayments PurchaseOrders Quotes RepeatingInvoices
"""
DOCUMENTS = _DOCUMENTS.split()
_STAMPED = """
Accounts Contacts Items Invoices CreditNotes BankTransactions Payments BatchPayments Prepayments Overpayments
PurchaseOrders Quotes ManualJournals LinkedTransactions Budgets Users ExpenseClaims Receipts Reports
"""
STAMPED = _STAMPED.split()
IDS = {
    "Accounts": "AccountID", "BankTransactions": "BankTransactionID", "BankTransfers": "BankTransferID",
    "BatchPayments": "BatchPaymentID", "Contacts": "ContactID", "CreditNotes": "CreditNoteID",
    "Invoices": "InvoiceID", "Items": "ItemID", "Journals": "JournalID", "ManualJournals": "ManualJournalID",
    "Overpayments": "OverpaymentID", "Payments": "PaymentID", "Prepayments": "PrepaymentID",
    "PurchaseOrders": "PurchaseOrderID", "Quotes": "QuoteID", "Users": "UserID", "Budgets": "BudgetID",
    "LinkedTransactions": "LinkedTransactionID", "RepeatingInvoices": "RepeatingInvoiceID",
}  # fmt: skip


@pytest.fixture(scope="module")
def demo() -> Company:
    return seed.demo_company(NOW)


@pytest.fixture(scope="module", params=["demo", "second", "demo after ten days"])
def company(request: pytest.FixtureRequest, demo: Company) -> Company:
    if request.param == "demo":
        return demo
    if request.param == "second":
        return seed.second_company(NOW)
    return live_on(demo, days=10)


def live_on(company: Company, days: int) -> Company:
    """The company after this number of trading days."""
    organisation, now = opened(company, NOW), NOW
    for _ in range(days):
        trading_day(organisation, now)
        _, now = next_business_day(now)
    records = {**company.records, **organisation.everything()}
    for resource in ("Accounts", "Items"):  # Xero lists them by code
        records[resource].sort(key=lambda record: record["UpdatedDateUTC"])
    return Company(company.tenant_id, company.name, records)


def all_values(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [one for inner in value.values() for one in all_values(inner)]
    if isinstance(value, (list, tuple)):
        return [one for inner in value for one in all_values(inner)]
    return [value]


def by_id(company: Company, resource: str) -> dict[str, dict[str, Any]]:
    return {record[IDS[resource]]: record for record in company.records[resource]}


# --- the same every time


def test_two_generations_are_equal(demo):
    assert seed.demo_company(NOW) == demo
    assert seed.second_company(NOW) == seed.second_company(NOW)
    assert seed.large_company(NOW, invoices=50) == seed.large_company(NOW, invoices=50)


def test_the_history_does_not_depend_on_the_current_time(demo):
    assert seed.demo_company(NOW + timedelta(days=400)).records == demo.records


def test_a_time_before_the_end_of_the_history_is_refused():
    with pytest.raises(ValueError, match="2026-11-20"):
        seed.demo_company(datetime(2026, 11, 19, 23, 0, tzinfo=timezone.utc))


def test_no_id_is_used_twice_or_shared_between_organisations(demo):
    seen: Counter[str] = Counter()
    for company in (
        demo,
        seed.second_company(NOW),
        seed.empty_company(NOW),
        seed.large_company(NOW, invoices=200),
    ):
        seen[company.tenant_id] += 1
        for resource, key in IDS.items():
            seen.update(record[key] for record in company.records[resource])
    assert [key for key, count in seen.items() if count > 1] == []


# --- values and order


def test_every_value_has_a_type_that_can_be_rendered(company):
    kinds = Counter(type(value).__name__ for value in all_values(company.records))
    assert set(kinds) <= {"str", "int", "bool", "Decimal", "date", "datetime", "bytes"}


def test_no_amount_has_more_than_two_decimals_and_no_rate_more_than_ten(company):
    for resource in DOCUMENTS:
        for record in company.records[resource]:
            for name in ("SubTotal", "TotalTax", "Total", "AmountDue", "AmountPaid", "RemainingCredit"):
                assert record.get(name, ZERO).as_tuple().exponent == -2, (resource, name)
            rate = record.get("CurrencyRate", Decimal(1))
            assert rate > 0
            assert rate.as_tuple().exponent >= -10
            for line in record["LineItems"]:
                assert line.get("UnitAmount", ZERO).as_tuple().exponent >= -4


def test_lists_are_in_order_of_change(company):
    for resource in STAMPED:
        stamps = [record["UpdatedDateUTC"] for record in company.records[resource]]
        assert stamps == sorted(stamps), resource
    created = [record["CreatedDateUTC"] for record in company.records["BankTransfers"]]
    assert created == sorted(created)


def test_instants_are_aware_end_as_sql_server_keeps_them_and_are_not_in_the_future(demo):
    instants = [v for v in all_values(demo.records) if isinstance(v, datetime)]
    assert all(v.tzinfo is not None and v <= NOW for v in instants)
    assert {v.microsecond % 1000 for v in instants} == {0}
    assert {v.microsecond // 1000 % 10 for v in instants} == {0, 3, 7}


def test_changes_are_spread_over_two_years_and_some_share_an_instant(demo):
    months = Counter(f"{r['UpdatedDateUTC']:%Y-%m}" for r in demo.records["Invoices"])
    assert len(months) == 25
    assert max(months.values()) < 120
    shared = Counter(r["UpdatedDateUTC"] for r in demo.records["Invoices"])
    assert max(shared.values()) > 5
    assert max(Counter(r["UpdatedDateUTC"] for r in demo.records["Contacts"]).values()) > 30


# --- documents


def test_documents_add_up(company):
    for resource in DOCUMENTS:
        for record in company.records[resource]:
            if record.get("Type", "").endswith("-TRANSFER"):
                continue
            amounts = sum((line.get("LineAmount", ZERO) for line in record["LineItems"]), ZERO)
            tax = sum((line.get("TaxAmount", ZERO) for line in record["LineItems"]), ZERO)
            inclusive = record["LineAmountTypes"].upper() == "INCLUSIVE"
            assert record["TotalTax"] == tax
            assert record["SubTotal"] + record["TotalTax"] == record["Total"]
            assert amounts == (record["Total"] if inclusive else record["SubTotal"]), record


def test_what_is_due_is_the_total_less_what_was_paid_and_credited(company):
    for invoice in company.records["Invoices"]:
        paid = sum((p["Amount"] for p in invoice["Payments"]), ZERO)
        applied = [c for key in ("CreditNotes", "Prepayments", "Overpayments") for c in invoice[key]]
        credited = sum((c["AppliedAmount"] for c in applied), ZERO)
        assert (invoice["AmountPaid"], invoice["AmountCredited"]) == (paid, credited)
        live = invoice["Status"] not in ("VOIDED", "DELETED")
        assert invoice["AmountDue"] == (invoice["Total"] - paid - credited if live else ZERO)
        assert invoice["AmountDue"] >= 0


def test_a_status_follows_from_the_amounts(company):
    for invoice in company.records["Invoices"]:
        if invoice["Status"] in ("AUTHORISED", "PAID"):
            assert (invoice["Status"] == "PAID") == (invoice["AmountDue"] == 0)
        else:
            assert settlement.used(invoice) == 0
        assert ("FullyPaidOnDate" in invoice) == (invoice["Status"] == "PAID")
    for resource in ("CreditNotes", "Prepayments", "Overpayments"):
        for credit in company.records[resource]:
            used = sum((a["Amount"] for a in credit["Allocations"] + credit["Payments"]), ZERO)
            if credit["Status"] in ("VOIDED", "DELETED"):
                assert credit["RemainingCredit"] == 0
                assert used == 0
            else:
                assert credit["RemainingCredit"] == credit["Total"] - used
                assert (credit["Status"] == "PAID") == (credit["RemainingCredit"] == 0)


def test_an_allocation_is_on_both_documents(company):
    invoices = by_id(company, "Invoices")
    for resource, key in (
        ("CreditNotes", "CreditNoteID"), ("Prepayments", "PrepaymentID"), ("Overpayments", "OverpaymentID"),
    ):  # fmt: skip
        from_credits = Counter(
            (credit[key], a["Invoice"]["InvoiceID"], a["Amount"])
            for credit in company.records[resource]
            for a in credit["Allocations"]
        )
        from_invoices = Counter(
            (c[key], invoice["InvoiceID"], c["AppliedAmount"])
            for invoice in invoices.values()
            for c in invoice[resource]
        )
        assert from_credits == from_invoices


def test_a_payment_and_its_document_agree_and_change_together(company):
    documents = {
        **by_id(company, "Invoices"),
        **by_id(company, "CreditNotes"),
        **by_id(company, "Overpayments"),
    }
    documents.update(by_id(company, "Prepayments"))
    for payment in company.records["Payments"]:
        document = documents[payment["Invoice"]["InvoiceID"]]
        named = [p for p in document["Payments"] if p["PaymentID"] == payment["PaymentID"]]
        assert len(named) == (1 if payment["Status"] == "AUTHORISED" else 0)
        assert document["UpdatedDateUTC"] >= payment["UpdatedDateUTC"]
        assert payment["PaymentType"] == settlement.PAYMENT_TYPES[document["Type"]]
    last_paid = [
        invoice for invoice in company.records["Invoices"]
        if invoice["Status"] == "PAID" and invoice["Payments"] and not invoice["AmountCredited"]
    ]  # fmt: skip
    stamps = {p["PaymentID"]: p["UpdatedDateUTC"] for p in company.records["Payments"]}
    for invoice in last_paid:
        assert invoice["UpdatedDateUTC"] == stamps[invoice["Payments"][-1]["PaymentID"]]


def test_a_batch_is_the_sum_of_its_payments(demo):
    payments = by_id(demo, "Payments")
    for batch in demo.records["BatchPayments"]:
        assert batch["TotalAmount"] == sum(p["Amount"] for p in batch["Payments"])
        for one in batch["Payments"]:
            payment = payments[one["PaymentID"]]
            assert payment["BatchPaymentID"] == batch["BatchPaymentID"]
            assert payment["UpdatedDateUTC"] == batch["UpdatedDateUTC"]
            assert payment["BatchPayment"]["TotalAmount"] == batch["TotalAmount"]


def test_references_lead_to_records(company):
    contacts, accounts, items = (by_id(company, resource) for resource in ("Contacts", "Accounts", "Items"))
    codes = {account["Code"] for account in accounts.values()}
    options = {o["TrackingOptionID"] for c in company.records["TrackingCategories"] for o in c["Options"]}
    types = {rate["TaxType"] for rate in company.records["TaxRates"]}
    for resource in DOCUMENTS:
        for record in company.records[resource]:
            if "Contact" in record:
                assert contacts[record["Contact"]["ContactID"]]["Name"] == record["Contact"]["Name"]
            assert len({line["LineItemID"] for line in record["LineItems"]}) == len(record["LineItems"])
            for line in record["LineItems"]:
                assert line.get("AccountCode", "200") in codes
                assert line.get("TaxType", "OUTPUT" if "OUTPUT" in types else "NONE") in types
                assert all(t["TrackingOptionID"] in options for t in line["Tracking"])
                if "Item" in line:
                    assert items[line["Item"]["ItemID"]]["Code"] == line["ItemCode"]
    repeating = by_id(company, "RepeatingInvoices")
    for invoice in company.records["Invoices"]:
        assert invoice.get("RepeatingInvoiceID") in {None, *repeating}


def test_numbers_of_sales_invoices_are_unique(company):
    numbers = Counter(i["InvoiceNumber"] for i in company.records["Invoices"] if i["Type"] == "ACCREC")
    assert [number for number, count in numbers.items() if count > 1] == []


# --- the ledger


def test_every_journal_balances(company):
    for journal in company.records["Journals"]:
        assert sum(line["NetAmount"] for line in journal["JournalLines"]) == 0, journal
        for line in journal["JournalLines"]:
            assert line["GrossAmount"] == line["NetAmount"] + line["TaxAmount"]


def test_journal_numbers_have_no_gap_but_are_not_quite_in_order_of_creation(company):
    numbers = [journal["JournalNumber"] for journal in company.records["Journals"]]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    created = [journal["CreatedDateUTC"] for journal in company.records["Journals"]]
    backwards = sum(one > other for one, other in itertools.pairwise(created))
    assert 0 < backwards < len(created) / 20


def test_only_opening_balances_have_no_source(demo):
    without = [journal for journal in demo.records["Journals"] if "SourceID" not in journal]
    assert [journal["Reference"] for journal in without] == ["Conversion balances"]
    assert not any("SourceType" in journal for journal in without)


def owed_by_documents(company: Company, *, sales: bool) -> Decimal:
    owed = ZERO
    for resource in ("Invoices", "CreditNotes", "Prepayments", "Overpayments"):
        for document in company.records[resource]:
            if document["Status"] == "AUTHORISED" and settlement.is_sale(document) == sales:
                rate = document.get("CurrencyRate", ONE)
                left = currencies.in_base(document["Total"], rate) - currencies.in_base(
                    settlement.used(document), rate
                )
                owed += -left if settlement.is_credit(document) else left
    return owed


def balance(company: Company, code: str) -> Decimal:
    lines = (line for journal in company.records["Journals"] for line in journal["JournalLines"])
    return sum((line["NetAmount"] for line in lines if line.get("AccountCode") == code), ZERO)


def test_receivables_and_payables_agree_with_the_open_documents(company):
    assert balance(company, "610") == owed_by_documents(company, sales=True) > 0
    assert balance(company, "800") == -owed_by_documents(company, sales=False) < 0


def test_an_approved_document_is_in_the_ledger_with_its_amounts(company):
    effects: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    for journal in company.records["Journals"]:
        if journal.get("SourceType") in ("ACCREC", "ACCPAY"):
            for line in journal["JournalLines"]:
                effects[journal["SourceID"]][line["AccountCode"]] += line["NetAmount"]
    for invoice in company.records["Invoices"]:
        effect = effects.pop(invoice["InvoiceID"], {})
        control = "610" if invoice["Type"] == "ACCREC" else "800"
        sign = 1 if invoice["Type"] == "ACCREC" else -1
        rate = invoice.get("CurrencyRate", ONE)
        if invoice["Status"] in ("AUTHORISED", "PAID"):
            assert effect[control] == sign * currencies.in_base(invoice["Total"], rate)
            assert abs(
                effect.get("820", ZERO) + sign * currencies.in_base(invoice["TotalTax"], rate)
            ) <= Decimal("0.02")
        else:
            assert not any(effect.values())
    assert not effects


def test_bank_transactions_move_the_bank_by_their_total_unless_deleted(demo):
    banks = {a["AccountID"] for a in demo.records["Accounts"] if a["Type"] == "BANK"}
    moved: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for journal in demo.records["Journals"]:
        for line in journal["JournalLines"]:
            if line["AccountID"] in banks and "SourceID" in journal:
                moved[journal["SourceID"]] += line["NetAmount"]
    seen = Counter()
    for transaction in demo.records["BankTransactions"]:
        kind = transaction["Type"]
        seen[kind, transaction["Status"]] += 1
        if kind.endswith("TRANSFER"):
            continue
        source = (
            transaction.get("OverpaymentID")
            or transaction.get("PrepaymentID")
            or transaction["BankTransactionID"]
        )
        total = currencies.in_base(transaction["Total"], transaction["CurrencyRate"])
        expected = total if kind.startswith("RECEIVE") else -total
        assert moved[source] == (expected if transaction["Status"] == "AUTHORISED" else 0)
    assert {kind for kind, _ in seen} == {
        "SPEND", "RECEIVE", "SPEND-TRANSFER", "RECEIVE-TRANSFER", "SPEND-OVERPAYMENT", "RECEIVE-OVERPAYMENT",
        "SPEND-PREPAYMENT", "RECEIVE-PREPAYMENT",
    }  # fmt: skip
    assert seen["SPEND", "DELETED"]


def test_a_voided_document_has_its_journal_and_the_reversal(demo):
    journals = demo.records["Journals"]
    voided = [i for i in demo.records["Invoices"] if i["Status"] == "VOIDED"]
    assert len(voided) > 10
    for invoice in voided:
        mine = [j for j in journals if j.get("SourceID") == invoice["InvoiceID"]]
        assert len(mine) == 2
        assert {j["JournalDate"] for j in mine} == {invoice["Date"]}
        assert max(j["CreatedDateUTC"] for j in mine) == invoice["UpdatedDateUTC"]
        assert ledger.standing(journals, invoice["InvoiceID"]) == []


def test_stock_in_the_ledger_is_the_cost_pool_of_the_tracked_items(demo):
    tracked = [item for item in demo.records["Items"] if item["IsTrackedAsInventory"]]
    assert tracked
    assert all(item["QuantityOnHand"] >= 0 for item in tracked)
    assert balance(demo, "630") == sum(item["TotalCostPool"] for item in tracked)
    sold = Counter(
        line["ItemCode"]
        for i in demo.records["Invoices"]
        for line in i["LineItems"]
        if i["Type"] == "ACCREC" and "ItemCode" in line
    )
    assert all(sold[item["Code"]] for item in tracked)


def test_foreign_payments_realise_gains_and_losses(demo):
    gains = [
        line["NetAmount"]
        for journal in demo.records["Journals"]
        for line in journal["JournalLines"]
        if line["AccountName"] == "Realised Currency Gains"
    ]
    assert min(gains) < 0 < max(gains)


def test_gst_returns_were_paid_to_the_cent(demo):
    returns = demo.records["Reports"]
    assert len(returns) >= 11
    for report in returns:
        boxes = {
            row["Cells"][0]["Value"]: Decimal(row["Cells"][2]["Value"]) for row in report["Rows"][1]["Rows"]
        }
        assert boxes["7"] == boxes["5"] - boxes["6"]
        paid = [
            t for t in demo.records["BankTransactions"]
            if t["Reference"] == "GST return" and t["UpdatedDateUTC"] == report["UpdatedDateUTC"]
        ]  # fmt: skip
        assert [t["Total"] for t in paid] == [boxes["15"]]


# --- what a demo needs


def test_the_size_is_that_of_a_small_company_with_many_pages(demo):
    records = demo.records
    assert 1100 < len(records["Invoices"]) < 1400
    assert 100 < len(records["Contacts"]) < 400
    assert 3000 < len(records["Journals"]) < 5000
    assert all(records[resource] for resource in RESOURCES)


def test_all_states_of_documents_occur(demo):
    found = {(resource, r.get("Type"), r["Status"]) for resource in DOCUMENTS for r in demo.records[resource]}
    for kind in ("ACCREC", "ACCPAY"):
        for status in ("DRAFT", "SUBMITTED", "AUTHORISED", "PAID", "VOIDED", "DELETED"):
            assert ("Invoices", kind, status) in found
    for status in ("DRAFT", "SENT", "ACCEPTED", "DECLINED", "INVOICED", "DELETED"):
        assert ("Quotes", None, status) in found
    for status in ("DRAFT", "SUBMITTED", "AUTHORISED", "BILLED", "DELETED"):
        assert ("PurchaseOrders", "PURCHASEORDER", status) in found
    assert {r["Status"] for r in demo.records["ManualJournals"]} == {"DRAFT", "POSTED", "VOIDED", "DELETED"}
    assert {r["Status"] for r in demo.records["LinkedTransactions"]} >= {"APPROVED", "BILLED", "VOIDED"}
    assert {r["Status"] for r in demo.records["Payments"]} == {"AUTHORISED", "DELETED"}
    kinds = {(r["Type"], r["Status"]) for r in demo.records["CreditNotes"]}
    assert kinds >= {("ACCRECCREDIT", "PAID"), ("ACCRECCREDIT", "AUTHORISED"), ("ACCPAYCREDIT", "PAID")}


def test_overdue_invoices_are_of_various_ages(demo):
    late = [
        (date(2026, 11, 20) - i["DueDate"]).days
        for i in demo.records["Invoices"]
        if i["Type"] == "ACCREC" and i["Status"] == "AUTHORISED" and i["DueDate"] < date(2026, 11, 20)
    ]
    assert all(any(low <= days < high for days in late) for low, high in ((1, 31), (31, 91), (91, 800)))


def test_currency_rates_have_ten_decimals(demo):
    rates = defaultdict(set)
    for invoice in demo.records["Invoices"]:
        rates[invoice["CurrencyCode"]].add(invoice.get("CurrencyRate", ONE))
    assert set(rates) == {"NZD", "AUD", "USD", "EUR", "GBP"}
    assert any("CurrencyRate" not in invoice for invoice in demo.records["Invoices"])
    assert rates["NZD"] == {Decimal(1)}
    assert all(
        rate.as_tuple().exponent == -10 for code in ("AUD", "USD", "EUR", "GBP") for rate in rates[code]
    )


def test_rare_kinds_of_records_occur(demo):
    invoices = demo.records["Invoices"]
    assert max(len(i["LineItems"]) for i in invoices) == 100
    assert any(i["Total"] == 0 and i["Status"] == "PAID" for i in invoices)
    lines = [line for i in invoices for line in i["LineItems"]]
    assert any(set(line) == {"LineItemID", "Description", "Tracking"} for line in lines)
    assert any(len(line["Description"]) > 3000 for line in lines)
    assert any("/Date(1234567890)/" in line["Description"] for line in lines)
    assert any("🛶" in i["Reference"] for i in invoices)
    assert any(line.get("UnitAmount", ZERO).as_tuple().exponent == -4 for line in lines)
    assert any("DiscountRate" in line for line in lines)
    assert any("DiscountAmount" in line for line in lines)
    assert any(line.get("UnitAmount", ZERO) < 0 for line in lines)
    assert {i["LineAmountTypes"] for i in invoices} == {"Exclusive", "Inclusive", "NoTax"}
    names = " ".join(contact["Name"] for contact in demo.records["Contacts"])
    assert all(text in names for text in ("ō", "深圳", "ß", "'", "株式会社"))
    assert min(r["Date"] for r in demo.records["ManualJournals"]) < date(1970, 1, 1)
    assert any(o["Status"] == "ARCHIVED" for c in demo.records["TrackingCategories"] for o in c["Options"])
    assert any(a["Status"] == "ARCHIVED" for a in demo.records["Accounts"])


def test_archived_contacts_get_no_documents_and_a_merged_one_names_the_other(demo):
    archived = {c["ContactID"]: c for c in demo.records["Contacts"] if c["ContactStatus"] == "ARCHIVED"}
    assert len(archived) > 3
    for resource in ("Invoices", "Quotes", "PurchaseOrders"):
        for document in demo.records[resource]:
            contact = archived.get(document["Contact"]["ContactID"])
            assert contact is None or document["Date"] <= contact["UpdatedDateUTC"].date() + timedelta(days=1)
    merged = [c for c in archived.values() if "MergedToContactID" in c]
    assert [by_id(demo, "Contacts")[c["MergedToContactID"]]["ContactStatus"] for c in merged] == ["ACTIVE"]


def test_groups_and_their_members_name_each_other(demo):
    contacts = by_id(demo, "Contacts")
    members = {
        (g["ContactGroupID"], c["ContactID"]) for g in demo.records["ContactGroups"] for c in g["Contacts"]
    }
    named = {(g["ContactGroupID"], key) for key, c in contacts.items() for g in c["ContactGroups"]}
    assert members == named
    assert len(members) > 10


def test_has_attachments_is_true_where_there_are_attachments_and_nowhere_else(demo):
    rows = {(row["Resource"], row["ResourceID"]) for row in demo.records["Attachments"]}
    flagged = {
        (resource, record[key])
        for resource, key in IDS.items()
        for record in demo.records[resource]
        if record.get("HasAttachments")
    }
    assert rows == flagged
    assert all(row["ContentLength"] == len(row["Content"]) for row in demo.records["Attachments"])


def test_history_notes_belong_to_documents(demo):
    invoices = by_id(demo, "Invoices")
    for note in demo.records["History"]:
        assert note["DateUTC"] <= invoices[note["ResourceID"]]["UpdatedDateUTC"]


def test_customers_and_suppliers_are_known_by_their_documents(demo):
    roles = {"IsCustomer": ("ACCREC",), "IsSupplier": ("ACCPAY",)}
    for role, kinds in roles.items():
        met = {
            i["Contact"]["ContactID"]
            for i in demo.records["Invoices"]
            if i["Type"] in kinds and i["Status"] not in ("DRAFT", "SUBMITTED", "DELETED")
        }
        assert {c["ContactID"] for c in demo.records["Contacts"] if c[role]} == met


def test_balances_of_contacts_add_up_to_the_ledger(demo):
    for side, code, sign in (("AccountsReceivable", "610", 1), ("AccountsPayable", "800", -1)):
        total = sum(c["Balances"][side]["Outstanding"] for c in demo.records["Contacts"] if "Balances" in c)
        assert total == sign * balance(demo, code)
    assert any(
        c["Balances"]["AccountsReceivable"]["Overdue"] > 0
        for c in demo.records["Contacts"]
        if "Balances" in c
    )


def test_budgets_cover_two_years_of_months(demo):
    for budget in demo.records["Budgets"]:
        for line in budget["BudgetLines"]:
            assert len({balance["Period"] for balance in line["BudgetBalances"]}) == 24


# --- the other companies


def test_a_new_organisation_has_a_chart_and_nothing_else():
    empty = seed.empty_company(NOW)
    held = {resource for resource, rows in empty.records.items() if rows}
    assert held == {"Organisations", "Accounts", "TaxRates", "Currencies", "BrandingThemes", "Users"}
    systems = {a.get("SystemAccount") for a in empty.records["Accounts"]}
    assert systems >= {"DEBTORS", "CREDITORS", "GST", "RETAINEDEARNINGS", "ROUNDING", "REALISEDCURRENCYGAIN"}
    assert len({a["Code"] for a in empty.records["Accounts"]}) == len(empty.records["Accounts"])


def test_the_second_company_shares_codes_with_the_first_but_is_another_country(demo):
    second = seed.second_company(NOW)
    assert second.records["Organisations"][0]["BaseCurrency"] == "AUD"
    types = {rate["TaxType"] for rate in second.records["TaxRates"]}
    assert types & {rate["TaxType"] for rate in demo.records["TaxRates"]}
    assert second.records["Journals"][0]["JournalNumber"] == 344


def test_the_large_company_adds_up_too():
    large = seed.large_company(NOW, invoices=3000)
    assert len(large.records["Invoices"]) == 3000
    assert len({line["LineItemID"] for i in large.records["Invoices"] for line in i["LineItems"]}) > 8000
    for invoice in large.records["Invoices"]:
        assert invoice["SubTotal"] == sum(line["LineAmount"] for line in invoice["LineItems"])
        for line in invoice["LineItems"]:
            assert line["LineAmount"] == totals.line_amount(line)
    stamps = [invoice["UpdatedDateUTC"] for invoice in large.records["Invoices"]]
    assert stamps == sorted(stamps)
    assert stamps[-1] < NOW


# --- a trading day


def test_a_trading_day_makes_every_kind_of_change(demo):
    changes = trading_day(opened(demo, NOW), NOW)
    before = by_id(demo, "Invoices")
    new = [i for i in changes["Invoices"] if i["InvoiceID"] not in before]
    paid = [i for i in changes["Invoices"] if i["Status"] == "PAID" and i["InvoiceID"] in before]
    voided = [i for i in changes["Invoices"] if i["Status"] == "VOIDED"]
    assert len(new) >= 4
    assert len(paid) >= 3
    assert [i["Type"] for i in voided] == ["ACCPAY"]
    assert len(changes["BankTransactions"]) == 1
    assert len(changes["Contacts"]) >= 1
    assert changes["Journals"][0]["JournalNumber"] == demo.records["Journals"][-1]["JournalNumber"] + 1


def test_a_trading_day_is_reproducible_and_does_not_change_the_company(demo):
    again = seed.demo_company(NOW)
    assert trading_day(opened(again, NOW), NOW) == trading_day(opened(again, NOW), NOW)
    assert again == demo


def test_a_trading_day_lies_between_now_and_its_close(demo):
    friday = NOW
    day, close = next_business_day(friday)
    assert day == date(2026, 11, 23)
    instants = [
        record.get("UpdatedDateUTC") or record["CreatedDateUTC"]
        for rows in trading_day(opened(demo, friday), friday).values()
        for record in rows
    ]
    assert friday < min(instants) <= max(instants) <= close


def test_trading_days_can_follow_each_other_for_long(demo):
    later = live_on(demo, days=30)
    assert len(later.records["Invoices"]) > len(demo.records["Invoices"]) + 120


def test_an_organisation_without_contacts_has_no_trade():
    assert trading_day(opened(seed.empty_company(NOW), NOW), NOW) == {}
