"""Reports agree with the ledger and the documents: each number is computed in another way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import pytest

from xero_sandbox.accounting import currencies, settlement
from xero_sandbox.accounting import reports as drawn
from xero_sandbox.accounting.cash_basis import cash_journals
from xero_sandbox.accounting.reports import account_types
from xero_sandbox.demo import companies as seed
from xero_sandbox.demo.company import Company
from xero_sandbox.values import ONE

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=timezone.utc)
ZERO = Decimal("0.00")
INCOME = ("REVENUE", "SALES", "OTHERINCOME")


class Kept:
    """A company in the form that reports read."""

    def __init__(self, company: Company, now: datetime = NOW) -> None:
        self._records, self._now = company.records, now

    def records(self, resource: str) -> list[dict[str, Any]]:
        return self._records.get(resource, [])

    def now(self) -> datetime:
        return self._now


@pytest.fixture(scope="module")
def demo() -> Company:
    return seed.demo_company(NOW)


@pytest.fixture(scope="module")
def kept(demo: Company) -> Kept:
    return Kept(demo)


def run(kept: Kept, name: str, **params: str) -> dict[str, Any]:
    return drawn.run(name, params, kept)


def rows(report: dict[str, Any]) -> Iterator[tuple[str, str, list[str]]]:
    """(section, first cell, other cells) of every row below the header."""
    for section in report["Rows"][1:]:
        for row in section["Rows"]:
            values = [cell["Value"] for cell in row["Cells"]]
            yield section["Title"], values[0], values[1:]


def numbers(report: dict[str, Any], name: str) -> list[Decimal]:
    found = [values for _, first, values in rows(report) if first == name]
    assert len(found) == 1, name
    return [Decimal(value) for value in found[0]]


def header(report: dict[str, Any]) -> list[str]:
    assert report["Rows"][0]["RowType"] == "Header"
    return [cell["Value"] for cell in report["Rows"][0]["Cells"]]


def movement(company: Company, first: date | None, last: date) -> dict[str, Decimal]:
    """The movement of the ledger by account name."""
    found: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for journal in company.records["Journals"]:
        if (first is None or first <= journal["JournalDate"]) and journal["JournalDate"] <= last:
            for line in journal["JournalLines"]:
                found[line["AccountName"]] += line["NetAmount"]
    return found


def kinds(company: Company) -> dict[str, str]:
    return {account["Name"]: account["Type"] for account in company.records["Accounts"]}


# --- the frame


def test_a_report_has_xeros_fields(kept):
    report = run(kept, "ProfitAndLoss", fromDate="2026-10-01", toDate="2026-10-31")
    assert report["ReportID"] == report["ReportType"] == "ProfitAndLoss"
    assert report["ReportName"] == "Profit and Loss"
    assert report["ReportTitles"] == [
        "Profit and Loss",
        "Tōtara & Tide Limited",
        "1 October 2026 to 31 October 2026",
    ]
    assert report["ReportDate"] == "20 November 2026"
    assert report["UpdatedDateUTC"] == NOW
    assert report["Fields"] == []
    assert {row["RowType"] for row in report["Rows"]} == {"Header", "Section"}
    inner = {row["RowType"] for section in report["Rows"][1:] for row in section["Rows"]}
    assert inner == {"Row", "SummaryRow"}


def test_account_rows_name_their_account_in_every_cell(kept, demo):
    ids = {account["Name"]: account["AccountID"] for account in demo.records["Accounts"]}
    report = run(kept, "ProfitAndLoss", fromDate="2026-10-01", toDate="2026-10-31")
    row = report["Rows"][1]["Rows"][0]
    name = row["Cells"][0]["Value"]
    assert [cell["Attributes"] for cell in row["Cells"]] == [[{"Value": ids[name], "Id": "account"}]] * 2


def test_amounts_have_two_decimals_and_a_plain_minus_sign(kept):
    for name in ("ProfitAndLoss", "BalanceSheet", "BankSummary"):
        for _, _, values in rows(run(kept, name)):
            for value in values:
                assert str(Decimal(value).quantize(Decimal("0.01"))) == value
                assert value != "-0.00"


def test_the_organisation_may_be_stored_under_its_resource_or_envelope_name(demo):
    class Elsewhere(Kept):
        def records(self, resource: str) -> list[dict[str, Any]]:
            return super().records(
                "Organisations" if resource == "Organisation" else resource.replace("Organisations", "")
            )

    assert run(Elsewhere(demo), "BalanceSheet") == run(Kept(demo), "BalanceSheet")


# --- profit and loss


def test_profit_and_loss_is_the_sum_of_the_journals(kept, demo):
    report = run(kept, "ProfitAndLoss", fromDate="2025-04-01", toDate="2026-03-31")
    ledger, types = movement(demo, date(2025, 4, 1), date(2026, 3, 31)), kinds(demo)
    profit = -sum((net for name, net in ledger.items() if types[name] in account_types.PROFIT), ZERO)
    assert numbers(report, "Net Profit") == [profit]
    shown = {name: Decimal(values[0]) for section, name, values in rows(report) if name in types}
    assert shown == {
        name: (-net if types[name] in INCOME else net)
        for name, net in ledger.items()
        if types[name] in account_types.PROFIT and net
    }
    assert numbers(report, "Gross Profit") == [
        numbers(report, "Total Income")[0] - numbers(report, "Total Cost of Sales")[0]
    ]


def test_twelve_months_add_up_to_their_year(kept):
    year = run(kept, "ProfitAndLoss", fromDate="2025-04-01", toDate="2026-03-31")
    months = run(
        kept, "ProfitAndLoss", fromDate="2026-03-01", toDate="2026-03-31", periods="11", timeframe="MONTH"
    )
    assert len(header(months)) == 13
    for name in ("Total Income", "Total Operating Expenses", "Net Profit"):
        assert sum(numbers(months, name)) == numbers(year, name)[0]


def test_the_default_is_the_current_month_or_the_month_of_the_given_date(kept):
    assert header(run(kept, "ProfitAndLoss")) == ["", "30 Nov 26"]
    titles = run(kept, "ProfitAndLoss", toDate="2026-09-12")["ReportTitles"]
    assert titles[2] == "1 September 2026 to 12 September 2026"
    titles = run(kept, "BankSummary", fromDate="2024-02-10")["ReportTitles"]
    assert titles[2] == "From 10 February 2024 to 29 February 2024"


def test_months_end_on_their_last_day_even_in_leap_years(kept):
    words = {"fromDate": "2024-03-01", "toDate": "2024-03-31"}
    assert header(run(kept, "ProfitAndLoss", **words, periods="2")) == [
        "",
        "31 Mar 24",
        "29 Feb 24",
        "31 Jan 24",
    ]
    february = {"fromDate": "2025-02-01", "toDate": "2025-02-28"}
    years = run(kept, "ProfitAndLoss", **february, periods="1", timeframe="YEAR")
    assert header(years) == ["", "28 Feb 25", "29 Feb 24"]
    assert numbers(years, "Cost of Goods Sold")[1] == Decimal("112.40")  # the stocktake of 29 February 2024


def test_quarters_reach_back_three_months_each(kept):
    words = {"fromDate": "2026-04-01", "toDate": "2026-06-30", "periods": "2", "timeframe": "quarter"}
    assert header(run(kept, "ProfitAndLoss", **words)) == ["", "30 Jun 26", "31 Mar 26", "31 Dec 25"]


def test_a_tracking_category_splits_the_columns(kept, demo):
    region = demo.records["TrackingCategories"][0]
    words = {"fromDate": "2025-04-01", "toDate": "2026-03-31"}
    split = run(kept, "ProfitAndLoss", **words, trackingCategoryID=region["TrackingCategoryID"])
    options = [option["Name"] for option in region["Options"]]
    assert header(split) == ["", *options, "Unassigned", "Total"]
    *parts, total = numbers(split, "Net Profit")
    assert sum(parts) == total == numbers(run(kept, "ProfitAndLoss", **words), "Net Profit")[0]
    north = region["Options"][0]["TrackingOptionID"]
    assert numbers(run(kept, "ProfitAndLoss", **words, trackingOptionID=north), "Net Profit") == [parts[0]]


def test_two_categories_make_a_column_per_pair(kept, demo):
    region, department, _ = demo.records["TrackingCategories"]
    words = {
        "trackingCategoryID": region["TrackingCategoryID"],
        "trackingCategoryID2": department["TrackingCategoryID"],
    }
    report = run(kept, "ProfitAndLoss", fromDate="2026-04-01", toDate="2026-06-30", **words)
    assert "South, Tours" in header(report)
    assert len(header(report)) == 2 + (len(region["Options"]) + 1) * (len(department["Options"]) + 1)
    *parts, total = numbers(report, "Net Profit")
    assert sum(parts) == total


def test_the_cash_basis_counts_payments(kept, demo):
    words = {"fromDate": "2025-04-01", "toDate": "2026-03-31", "paymentsOnly": "true"}
    report = run(kept, "ProfitAndLoss", **words)
    assert numbers(report, "Net Profit") != numbers(
        run(kept, "ProfitAndLoss", **{**words, "paymentsOnly": "false"}), "Net Profit"
    )
    workshop = ZERO
    code = "203"
    paid = defaultdict(lambda: ZERO)
    first, last = date(2025, 4, 1), date(2026, 3, 31)
    for invoice in demo.records["Invoices"]:
        lists = ("CreditNotes", "Prepayments", "Overpayments")
        settled = [(p["Date"], p["Amount"]) for p in invoice["Payments"]]
        settled += [(c["Date"], c["AppliedAmount"]) for key in lists for c in invoice[key]]
        for day, amount in settled:
            if first <= day <= last:
                paid[invoice["InvoiceID"]] += amount
        own = [line for line in invoice["LineItems"] if line.get("AccountCode") == code]
        if own and paid[invoice["InvoiceID"]]:
            inclusive = invoice["LineAmountTypes"] == "Inclusive"
            net = sum(line["LineAmount"] - (line["TaxAmount"] if inclusive else ZERO) for line in own)
            workshop += net * paid[invoice["InvoiceID"]] / invoice["Total"] / invoice.get("CurrencyRate", ONE)
    credits_ = sum(
        (line["LineAmount"] for note in demo.records["CreditNotes"] for line in note["LineItems"]
         if line.get("AccountCode") == code and first <= note["Date"] <= last), ZERO,
    )  # fmt: skip
    assert abs(numbers(report, "Sales - Workshop")[0] - (workshop - credits_)) < 5


def test_the_journals_of_the_cash_basis_add_up_to_its_reports(kept, demo):
    accounts = {account["AccountID"]: account for account in demo.records["Accounts"]}
    moved = defaultdict(lambda: ZERO)
    for journal in cash_journals(kept):
        assert sum(line["NetAmount"] for line in journal["JournalLines"]) == ZERO, journal
        for line in journal["JournalLines"]:
            if date(2025, 4, 1) <= journal["JournalDate"] <= date(2026, 3, 31):
                moved[accounts[line["AccountID"]]["Name"]] += line["NetAmount"]
    words = {"fromDate": "2025-04-01", "toDate": "2026-03-31", "paymentsOnly": "true"}
    report = run(kept, "ProfitAndLoss", **words)
    income = {name: values for section, name, values in rows(report) if section == "Income"}
    assert len(income) > 4
    for name, values in income.items():
        if not name.startswith("Total"):
            assert -moved[name] == Decimal(values[0]), name
    # Only sales paid directly into the bank, without an invoice, are equal on both bases.
    direct = sum(
        -line["NetAmount"]
        for journal in demo.records["Journals"]
        if journal.get("SourceType") == "CASHREC"
        and date(2025, 4, 1) <= journal["JournalDate"] <= date(2026, 3, 31)
        for line in journal["JournalLines"]
        if accounts[line["AccountID"]]["Type"] in account_types.INCOME
    )
    assert ZERO < direct < Decimal(income["Total Income"][0])


def test_an_invoice_counts_on_the_cash_basis_when_and_as_far_as_it_is_paid(kept, demo):
    invoice = next(
        i
        for i in demo.records["Invoices"]
        if i["Type"] == "ACCREC"
        and len(i["Payments"]) > 1
        and not i["AmountCredited"]
        and i["CurrencyCode"] == "NZD"
    )
    journals = cash_journals(kept)
    assert not [journal for journal in journals if journal.get("SourceID") == invoice["InvoiceID"]]
    for payment in invoice["Payments"]:
        (journal,) = [one for one in journals if one.get("SourceID") == payment["PaymentID"]]
        assert journal["JournalDate"] == payment["Date"]
        assert not {"610", "800"} & {line.get("AccountCode") for line in journal["JournalLines"]}
        charged = [line for line in journal["JournalLines"] if line["AccountType"] != "BANK"]
        assert -sum(line["NetAmount"] for line in charged) == payment["Amount"]
        tax = -sum(line["NetAmount"] for line in charged if line["AccountName"] == "GST")
        share = invoice["TotalTax"] * payment["Amount"] / invoice["Total"]
        assert abs(tax - share) < Decimal("0.02")


# --- balance sheet and trial balance


@pytest.mark.parametrize(
    "day",
    [
        "1968-07-01",
        "2024-02-29",
        "2024-11-30",
        "2025-03-31",
        "2025-04-01",
        "2025-12-24",
        "2026-11-20",
        "2028-02-29",
    ],
)
@pytest.mark.parametrize("basis", ["false", "true"])
def test_the_balance_sheet_balances_on_any_day(kept, day, basis):
    report = run(kept, "BalanceSheet", date=day, periods="3", timeframe="MONTH", paymentsOnly=basis)
    assets, liabilities = numbers(report, "Total Assets"), numbers(report, "Total Liabilities")
    net = [one - other for one, other in zip(assets, liabilities, strict=True)]
    assert numbers(report, "Net Assets") == net == numbers(report, "Total Equity")


def test_the_balance_sheet_shows_the_ledgers_balances(kept, demo):
    report = run(kept, "BalanceSheet", date="2026-09-30")
    ledger, types = movement(demo, None, date(2026, 9, 30)), kinds(demo)
    for section, name, values in rows(report):
        if name in types and name != "Retained Earnings":
            sign = 1 if types[name] in account_types.ASSETS else -1
            assert Decimal(values[0]) == sign * ledger[name], (section, name)


def test_this_years_earnings_are_the_profit_since_the_first_of_april(kept):
    sheet = run(kept, "BalanceSheet", date="2026-10-31")
    profit = run(kept, "ProfitAndLoss", fromDate="2026-04-01", toDate="2026-10-31")
    assert numbers(sheet, "Current Year Earnings")[0] == numbers(profit, "Net Profit")[0]
    rows_ = [row for section in sheet["Rows"][1:] for row in section["Rows"]]
    cell = next(row for row in rows_ if row["Cells"][0]["Value"] == "Current Year Earnings")["Cells"][1]
    assert cell["Attributes"][1:] == [
        {"Value": "4/1/2026", "Id": "fromDate"},
        {"Value": "10/31/2026", "Id": "toDate"},
    ]


def test_on_the_first_day_of_a_year_the_earnings_of_the_last_year_are_retained(kept):
    last, first = (run(kept, "BalanceSheet", date=day) for day in ("2026-03-31", "2026-04-01"))
    earned = [numbers(report, "Current Year Earnings")[0] for report in (last, first)]
    held = [numbers(report, "Retained Earnings")[0] for report in (last, first)]
    assert held[1] == held[0] + earned[0]


def test_the_balance_sheet_has_a_column_for_the_year_before(kept):
    assert header(run(kept, "BalanceSheet")) == ["", "30 Nov 2026", "30 Nov 2025"]
    assert header(run(kept, "BalanceSheet", date="2024-02-29")) == ["", "29 Feb 2024", "28 Feb 2023"]
    assert header(run(kept, "BalanceSheet", date="2026-10-31", periods="2")) == [
        "", "31 Oct 2026", "30 Sep 2026", "31 Aug 2026",
    ]  # fmt: skip


def test_an_option_filters_the_balance_sheet(kept, demo):
    south = demo.records["TrackingCategories"][0]["Options"][1]["TrackingOptionID"]
    report = run(kept, "BalanceSheet", trackingOptionID1=south)
    assert numbers(report, "Total Assets") != numbers(run(kept, "BalanceSheet"), "Total Assets")
    for net, equity in zip(numbers(report, "Net Assets"), numbers(report, "Total Equity"), strict=True):
        assert abs(net - equity) < Decimal("0.10")  # rounding differences have no tracking


@pytest.mark.parametrize("day", ["2024-11-30", "2025-03-31", "2025-04-01", "2026-11-20"])
@pytest.mark.parametrize("basis", ["false", "true"])
def test_debits_equal_credits(kept, day, basis):
    debit, credit, year_debit, year_credit = numbers(
        run(kept, "TrialBalance", date=day, paymentsOnly=basis), "Total"
    )
    assert debit == credit
    assert year_debit == year_credit > 0


def test_the_trial_balance_shows_the_month_and_the_year_to_date(kept, demo):
    report = run(kept, "TrialBalance", date="2026-10-31")
    month, year = (
        movement(demo, date(2026, 10, 1), date(2026, 10, 31)),
        movement(demo, date(2026, 4, 1), date(2026, 10, 31)),
    )
    values = next(values for _, name, values in rows(report) if name == "Sales (200)")
    assert values == ["", f"{-month['Sales']:.2f}", "", f"{-year['Sales']:.2f}"]
    assert [section["Title"] for section in report["Rows"][1:]] == [
        "Revenue", "Expenses", "Assets", "Liabilities", "Equity", "",
    ]  # fmt: skip


def test_the_trial_balance_is_as_at_today(kept):
    assert run(kept, "TrialBalance")["ReportTitles"][2] == "As at 20 November 2026"


# --- cash


def test_the_bank_summary_leads_from_opening_to_closing_balance(kept, demo):
    report = run(kept, "BankSummary", fromDate="2026-10-01", toDate="2026-10-31")
    before, after = movement(demo, None, date(2026, 9, 30)), movement(demo, None, date(2026, 10, 31))
    for _, name, values in rows(report):
        opening, received, spent, closing = map(Decimal, values)
        assert opening + received - spent == closing
        if name != "Total":
            assert (opening, closing) == (before[name], after[name])
    total = numbers(report, "Total")
    summary = run(kept, "ExecutiveSummary", date="2026-10-09")
    assert numbers_of_first(summary, "Cash received") == total[1]
    assert numbers_of_first(summary, "Closing bank balance") == total[3]


def numbers_of_first(report: dict[str, Any], name: str) -> Decimal:
    return next(Decimal(values[0]) for _, first, values in rows(report) if first == name)


def test_deleted_bank_transactions_are_neither_received_nor_spent(kept, demo):
    gone = next(
        t for t in demo.records["BankTransactions"] if t["Status"] == "DELETED" and t["Type"] == "SPEND"
    )
    day = gone["Date"]
    report = run(kept, "BankSummary", fromDate=str(day), toDate=str(day))
    name = gone["BankAccount"]["Name"]
    live = [
        currencies.in_base(t["Total"], t["CurrencyRate"])
        for t in demo.records["BankTransactions"]
        if (t["Date"], t["BankAccount"]["Name"], t["Status"]) == (day, name, "AUTHORISED")
        and t["Type"].startswith("SPEND")
    ]
    paid_out = ("ACCPAYPAYMENT", "ARCREDITPAYMENT", "AROVERPAYMENTPAYMENT", "ARPREPAYMENTPAYMENT")
    live += [
        p["BankAmount"]
        for p in demo.records["Payments"]
        if p["Date"] == day and p["PaymentType"] in paid_out and p["Status"] == "AUTHORISED"
        and p["Account"]["AccountID"] == gone["BankAccount"]["AccountID"]
    ]  # fmt: skip
    assert numbers(report, name)[2] == sum(live, ZERO)


# --- budget and summary


def test_budget_summary_is_the_overall_budget(kept, demo):
    overall = next(b for b in demo.records["Budgets"] if b["Type"] == "OVERALL")
    months = {
        line["AccountCode"]: {b["Period"]: b["Amount"] for b in line["BudgetBalances"]}
        for line in overall["BudgetLines"]
    }
    report = run(kept, "BudgetSummary", date="2026-01-15", periods="12")
    assert header(report)[:3] == ["Account", "Jan-26", "Feb-26"]
    periods = [f"2026-{month:02d}" for month in range(1, 13)]
    assert numbers(report, "Sales") == [months["200"][period] for period in periods]
    assert numbers(report, "Rent") == [months["469"][period] for period in periods]
    quarters = run(kept, "BudgetSummary", date="2026-01-15", periods="4", timeframe="3")
    assert header(quarters) == ["Account", "Mar-26", "Jun-26", "Sep-26", "Dec-26"]
    assert sum(numbers(quarters, "Net Profit")) == sum(numbers(report, "Net Profit"))


def test_budget_summary_runs_for_a_year_from_this_month(kept):
    titles = run(kept, "BudgetSummary")["ReportTitles"]
    assert titles == [
        "Overall Budget",
        "Budget Summary",
        "Tōtara & Tide Limited",
        "November 2026 to October 2027",
    ]


def test_executive_summary_agrees_with_the_other_reports(kept):
    report = run(kept, "ExecutiveSummary", date="2026-10-31")
    assert header(report) == ["", "Oct 2026", "Sep 2026", "Variance"]
    profit = run(kept, "ProfitAndLoss", fromDate="2026-10-01", toDate="2026-10-31")
    sheet = run(kept, "BalanceSheet", date="2026-10-31")
    assert numbers_of_first(report, "Profit (loss)") == numbers(profit, "Net Profit")[0]
    assert numbers_of_first(report, "Net assets") == numbers(sheet, "Net Assets")[0]
    assert numbers_of_first(report, "Debtors") == numbers(sheet, "Accounts Receivable")[0]
    assert numbers_of_first(report, "Creditors") == numbers(sheet, "Accounts Payable")[0]
    days = numbers_of_first(report, "Debtors") / numbers_of_first(report, "Income") * 31
    assert abs(numbers_of_first(report, "Average debtors days") - days) < Decimal("0.0001")
    surplus = next(values for _, name, values in rows(report) if name == "Cash surplus (deficit)")
    one, other = map(Decimal, surplus[:2])
    assert surplus[2] == f"{((one - other) / abs(other) * 100).quantize(Decimal('0.1'))}%"


# --- aged reports


@pytest.mark.parametrize(
    ("name", "sales", "account"),
    [
        ("AgedReceivablesByContact", True, "Accounts Receivable"),
        ("AgedPayablesByContact", False, "Accounts Payable"),
    ],
)
@pytest.mark.parametrize("day", ["2025-06-30", "2026-11-30"])
def test_aged_reports_of_all_contacts_add_up_to_the_ledger(kept, demo, name, sales, account, day):
    total = ZERO
    for contact in demo.records["Contacts"]:
        report = run(kept, name, contactId=contact["ContactID"], date=day)
        total += numbers_of_last(report, "Total")
    sign = 1 if sales else -1
    if day == "2026-11-30":
        assert total == sign * movement(demo, None, date.fromisoformat(day))[account]
    else:  # compare with approved documents only, because journals of voided documents are dated before
        assert total == sum((owed(d, date.fromisoformat(day)) for d in documents(demo, sales=sales)), ZERO)


def documents(company: Company, *, sales: bool) -> Iterator[dict[str, Any]]:
    for resource in ("Invoices", "CreditNotes", "Prepayments", "Overpayments"):
        for document in company.records[resource]:
            if document["Status"] in ("AUTHORISED", "PAID") and settlement.is_sale(document) == sales:
                yield document


def owed(document: dict[str, Any], day: date) -> Decimal:
    if document["Date"] > day:
        return ZERO
    used = [(p["Date"], p["Amount"]) for p in document["Payments"]]
    used += [(a["Date"], a["Amount"]) for a in document.get("Allocations", ())]
    used += [
        (c["Date"], c["AppliedAmount"])
        for key in settlement.CREDIT_KEYS.values()
        for c in document.get(key, ())
    ]
    before = sum((amount for when, amount in used if when <= day), ZERO)
    rate = document.get("CurrencyRate", ONE)
    left = currencies.in_base(document["Total"], rate) - currencies.in_base(before, rate)
    return -left if settlement.is_credit(document) else left


def numbers_of_last(report: dict[str, Any], name: str) -> Decimal:
    found = (values for _, first, values in rows(report) if first == name)
    return next((Decimal([text for text in values if text][-1]) for values in found), ZERO)


def test_an_aged_report_lists_the_open_invoices_of_a_contact(kept, demo):
    contact = next(c for c in demo.records["Contacts"] if c["Name"] == "Sleeping Giant Backpackers")
    report = run(kept, "AgedReceivablesByContact", contactId=contact["ContactID"])
    assert report["ReportTitles"] == [
        "Invoices", "Sleeping Giant Backpackers", "To 30 November 2026", "Showing payments to 30 November 2026",
    ]  # fmt: skip
    assert header(report) == ["Date", "Number", "Due Date", "", "Total", "Paid", "Credited", "Due"]
    mine = [
        i for i in demo.records["Invoices"]
        if i["Contact"]["ContactID"] == contact["ContactID"] and i["Status"] == "AUTHORISED" and i["Type"] == "ACCREC"
    ]  # fmt: skip
    shown = {values[0]: values for _, first, values in rows(report) if first != "Total"}
    assert set(shown) == {i["InvoiceNumber"] for i in mine}
    invoice = max(mine, key=lambda i: i["DueDate"])
    values = shown[invoice["InvoiceNumber"]]
    assert values[1] == f"{invoice['DueDate']}T00:00:00"
    assert values[2] == f"{(date(2026, 11, 30) - invoice['DueDate']).days} days overdue"
    assert Decimal(values[-1]) == invoice["AmountDue"]


def test_aged_payables_have_an_empty_column_after_each_amount(kept, demo):
    bill = next(i for i in demo.records["Invoices"] if i["Type"] == "ACCPAY" and i["Status"] == "AUTHORISED")
    report = run(kept, "AgedPayablesByContact", contactId=bill["Contact"]["ContactID"], date="2026-11-30")
    assert report["ReportID"] == "AgedPayablesByContact"
    assert header(report) == [
        *["Date", "Reference", "Due Date", ""],
        *["Total", "", "Paid", "", "Credited", "", "Due", ""],
    ]
    values = next(v for _, first, v in rows(report) if first != "Total" and v[0] == bill["InvoiceNumber"])
    assert [values[n] for n in (4, 6, 8, 10)] == [""] * 4
    assert Decimal(values[3]) == Decimal(values[9]) == bill["AmountDue"]


def test_the_aged_report_of_a_contact_without_open_documents_is_its_header(kept, demo):
    owing = {d["Contact"]["ContactID"] for d in documents(demo, sales=False)}
    contact = next(c for c in demo.records["Contacts"] if c["ContactID"] not in owing)
    report = run(kept, "AgedPayablesByContact", contactId=contact["ContactID"])
    assert [row["RowType"] for row in report["Rows"]] == ["Header"]


def test_dates_divide_an_aged_report_into_opening_and_closing_balance(kept, demo):
    contact = next(c for c in demo.records["Contacts"] if c["Name"] == "Sleeping Giant Backpackers")
    words = {"contactId": contact["ContactID"], "date": "2026-11-20"}
    whole = run(kept, "AgedReceivablesByContact", **words)
    part = run(kept, "AgedReceivablesByContact", **words, fromDate="2026-08-01", toDate="2026-11-20")
    names = [name for _, name, _ in rows(part)]
    assert names[-1] == "Closing Balance"
    opening = next(values for _, _, values in rows(part) if values[0] == "Opening Balance")
    assert Decimal(opening[-1]) > 0
    assert numbers_of_last(part, "Closing Balance") == numbers_of_last(whole, "Total")
    assert numbers_of_last(part, "Total") + Decimal(opening[-1]) == numbers_of_last(whole, "Total")
    assert part["ReportTitles"][2] == "From 1 August 2026 to 20 November 2026"


def test_an_aged_report_shows_the_documents_that_were_open_at_its_date(kept, demo):
    invoice = next(
        i for i in demo.records["Invoices"]
        if i["Type"] == "ACCREC" and i["Status"] == "PAID" and len(i["Payments"]) == 1 and not i["AmountCredited"]
        and i["Payments"][0]["Date"] > i["Date"] and i["CurrencyCode"] == "NZD"
    )  # fmt: skip
    words = {"contactId": invoice["Contact"]["ContactID"], "date": str(invoice["Date"])}
    shown = {values[0] for _, _, values in rows(run(kept, "AgedReceivablesByContact", **words))}
    assert invoice["InvoiceNumber"] in shown
    later = {**words, "date": str(invoice["Payments"][0]["Date"])}
    assert invoice["InvoiceNumber"] not in {
        values[0] for _, _, values in rows(run(kept, "AgedReceivablesByContact", **later))
    }


# --- what is refused


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("ProfitAndLoss", {"fromDate": "01/02/2026"}, "fromDate"),
        ("ProfitAndLoss", {"periods": "13"}, "1 to 12"),
        ("ProfitAndLoss", {"periods": "0"}, "periods"),
        ("ProfitAndLoss", {"periods": "many"}, "periods"),
        ("ProfitAndLoss", {"timeframe": "WEEK"}, "timeframe"),
        ("ProfitAndLoss", {"fromDate": "2025-01-01", "toDate": "2026-06-30"}, "365 days"),
        ("ProfitAndLoss", {"fromDate": "2026-06-30", "toDate": "2026-06-01"}, "before fromDate"),
        ("ProfitAndLoss", {"paymentsOnly": "yes"}, "true or false"),
        ("ProfitAndLoss", {"trackingCategoryID": "north"}, "identifier"),
        ("ProfitAndLoss", {"trackingOptionID": "00000000-0000-0000-0000-000000000000"}, "could not be found"),
        ("BudgetSummary", {"timeframe": "2"}, "1, 3, 12"),
        ("BalanceSheet", {"date": "2026-02-30"}, "date"),
        ("AgedReceivablesByContact", {}, "contactId"),
        (
            "AgedPayablesByContact",
            {"contactId": "00000000-0000-0000-0000-000000000000"},
            "could not be found",
        ),
        ("TenNinetyNine", {}, "United States"),
        ("CrystalBall", {}, "CrystalBall"),
    ],
)
def test_an_invalid_parameter_is_named_in_the_error(kept, name, params, message):
    with pytest.raises(ValueError, match=message):
        drawn.run(name, params, kept)


def test_parameter_names_are_case_insensitive(kept):
    assert header(run(kept, "ProfitAndLoss", FROMDATE="2026-10-01", todate="2026-10-31")) == ["", "31 Oct 26"]


# --- other organisations


def test_the_reports_of_a_new_organisation_are_empty():
    empty = Kept(seed.empty_company(NOW))
    profit = run(empty, "ProfitAndLoss")
    assert [name for _, name, _ in rows(profit)] == ["Gross Profit", "Net Profit"]
    assert numbers(run(empty, "BalanceSheet"), "Total Equity") == [ZERO, ZERO]
    assert numbers(run(empty, "TrialBalance"), "Total") == [ZERO] * 4
    assert [name for _, name, _ in rows(run(empty, "BudgetSummary"))] == [
        "Gross Profit",
        "Total Expenses",
        "Net Profit",
    ]
    assert run(empty, "ExecutiveSummary")["Rows"][1]["Rows"][0]["Cells"][3]["Value"] == "0.0%"


def test_the_australian_year_ends_in_june():
    second = Kept(seed.second_company(NOW))
    sheet = run(second, "BalanceSheet", date="2026-08-31", periods="1", timeframe="MONTH")
    profit = run(second, "ProfitAndLoss", fromDate="2026-07-01", toDate="2026-08-31")
    assert numbers(sheet, "Current Year Earnings")[0] == numbers(profit, "Net Profit")[0]
    assert numbers(sheet, "Net Assets") == numbers(sheet, "Total Equity")


def american_company() -> Company:
    second = seed.second_company(NOW)
    organisation = {**second.records["Organisations"][0], "CountryCode": "US"}
    return Company(second.tenant_id, second.name, {**second.records, "Organisations": [organisation]})


def test_american_profit_and_loss_is_called_an_income_statement():
    words = {"fromDate": "2026-07-01", "toDate": "2026-08-31"}
    report = run(Kept(american_company()), "ProfitAndLoss", **words)
    usual = run(Kept(seed.second_company(NOW)), "ProfitAndLoss", **words)
    assert (report["ReportName"], report["ReportTitles"][0]) == ("Profit and Loss", "Income Statement")
    assert numbers(report, "Net Income") == numbers(usual, "Net Profit")
    assert [name for _, name, _ in rows(report)][-3:] == [
        *["Net Income  / (Loss) before Tax", "Net Income", "Total Comprehensive Income"]
    ]


def test_the_american_balance_sheet_has_liabilities_and_equity_under_one_heading():
    report = run(Kept(american_company()), "BalanceSheet", date="2026-08-31")
    titles = [row["Title"] for row in report["Rows"] if row["RowType"] == "Section" and row["Title"]]
    assert titles[:2] == ["Assets", "Cash and Cash Equivalents"]
    assert titles[-4:] == ["Liabilities and Equity", "Liabilities", "Current Liabilities", "Equity"]
    assert numbers(report, "Total Liabilities and Equity") == numbers(report, "Total Assets")
    assert numbers(report, "Total Assets") == [
        owed + own
        for owed, own in zip(
            numbers(report, "Total Liabilities"), numbers(report, "Total Equity"), strict=True
        )
    ]


def test_an_american_organisation_has_a_report_of_payments_to_suppliers():
    second = seed.second_company(NOW)
    report = run(Kept(american_company()), "TenNinetyNine", reportYear="2026")
    assert report["ReportName"] == "1099-NEC report"
    paid: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for payment in second.records["Payments"]:
        if payment["PaymentType"] == "ACCPAYPAYMENT" and payment["Date"].year == 2026:
            paid[payment["Invoice"]["Contact"]["Name"]] += payment["Amount"]
    assert {c["Name"]: c["Box1"] for c in report["Contacts"]} == paid
