"""Report streams of the demo company, whose reports are computed from its ledger."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from singer_xero.api.client import XeroClient, connect
from singer_xero.objects import REPORTS
from tap_xero.reads.periods import Period, month_end, periods, year_start
from tap_xero.reads.source import Source
from xero_sandbox import AdminClient, Sandbox, apps

from .runs import Run, read

ZERO = Decimal(0)
COSTS = {"EXPENSE", "OVERHEADS", "DEPRECIATN", "DIRECTCOSTS"}
PROFIT = {"REVENUE", "SALES", "OTHERINCOME", *COSTS}
Record = dict[str, Any]


@pytest.fixture
def admin(running_sandbox: Sandbox) -> AdminClient:
    return running_sandbox.admin


@pytest.fixture(autouse=True)
def _on_the_demo_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Source, "today", lambda self: date(2026, 11, 20))


def asked(admin: AdminClient, report: str) -> list[dict[str, str]]:
    """The parameters of the calls of a report, in the order of the periods."""
    calls = [call["query"] for call in admin.calls(f"Reports/{report}")]
    return sorted(
        calls, key=lambda query: query.get("toDate") or query.get("date") or query.get("reportYear", "")
    )


def amounts(records: list[Record], **wanted: Any) -> list[Decimal]:
    return [r["Amount"] for r in records if all(r.get(name) == value for name, value in wanted.items())]


def journal_sums(run: Run) -> dict[tuple[str, str], Decimal]:
    """The movement of the ledger by (account, month), with income positive as in the report."""
    types = {account["AccountID"]: account["Type"] for account in run.records["accounts"]}
    found: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for journal in run.records["journals"]:
        for line in journal["JournalLines"]:
            kind = types[line["AccountID"]]
            if kind in PROFIT:
                sign = 1 if kind in COSTS else -1
                found[line["AccountID"], journal["JournalDate"][:7]] += sign * Decimal(line["NetAmount"])
    return {key: net for key, net in found.items() if net}


def unchanged(record: Record) -> str:
    return json.dumps(record, default=str, sort_keys=True)


def table(*runs: Run, stream: str) -> dict[tuple[Any, ...], Record]:
    """The rows of an upserting target after these runs, with ACTIVATE_VERSION."""
    held: dict[tuple[Any, ...], Record] = {}
    for run in runs:
        (schema,) = run.of("SCHEMA", stream)
        if run.of("ACTIVATE_VERSION", stream):
            held.clear()
        for record in run.records[stream]:
            held[tuple(record[name] for name in schema["key_properties"])] = record
    return held


# -- amounts


def test_profit_and_loss_summed_is_the_journals_summed(demo: dict[str, Any]) -> None:
    config = {**demo, "report_start_date": "2024-11-01"}
    run = read(config, "report_profit_and_loss", "journals", "accounts")
    found: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for record in run.records["report_profit_and_loss"]:
        if record["RowType"] == "Row" and record.get("AccountID"):
            found[record["AccountID"], record["PeriodTo"][:7]] += record["Amount"]
    ledger = {key: net for key, net in journal_sums(run).items() if "2024-11" <= key[1] <= "2026-11"}
    assert {key: net for key, net in found.items() if net} == ledger
    assert len({month for _, month in found}) == 25
    profit = sum(amounts(run.records["report_profit_and_loss"], Label="Net Profit"), ZERO)
    types = {account["AccountID"]: account["Type"] for account in run.records["accounts"]}
    assert profit == sum((-net if types[account] in COSTS else net) for (account, _), net in ledger.items())


def test_the_balance_sheet_balances_on_every_requested_date(demo: dict[str, Any]) -> None:
    records = read(demo, "report_balance_sheet").records["report_balance_sheet"]
    dates = sorted({record["PeriodTo"] for record in records})
    assert dates[0] == "2025-11-30"
    assert dates[-1] == "2026-11-30"
    assert len(dates) == 13
    for day in dates:
        assets, liabilities, net, equity = (
            amounts(records, PeriodTo=day, Label=label)
            for label in ("Total Assets", "Total Liabilities", "Net Assets", "Total Equity")
        )
        assert [assets[0] - liabilities[0]] == net == equity
        own = [r for r in records if r["PeriodTo"] == day and r["RowType"] == "Row"]
        assert sum(r["Amount"] for r in own if r["SectionPath"].startswith("Assets > ")) == assets[0]
    assert {record["PeriodFrom"] == record["PeriodTo"] for record in records} == {True}


def test_aged_receivables_are_the_open_invoices(demo: dict[str, Any]) -> None:
    run = read(demo, "report_aged_receivables_by_contact", "invoices", "contacts")
    found: dict[str, Decimal] = defaultdict(Decimal)
    for record in run.records["report_aged_receivables_by_contact"]:
        if record["RowType"] == "Row" and record["ColumnTitle"] == "Due":
            found[record["InvoiceID"]] += record["Amount"]
    open_now = {
        invoice["InvoiceID"]: invoice
        for invoice in run.records["invoices"]
        if invoice["Type"] == "ACCREC" and invoice["Status"] == "AUTHORISED" and invoice["AmountDue"]
    }
    assert open_now.keys() <= found.keys()
    for key, invoice in open_now.items():
        if invoice["CurrencyCode"] == "NZD":
            assert found[key] == invoice["AmountDue"], invoice["InvoiceNumber"]
    credit = found.keys() - open_now.keys()
    assert all(found[key] < 0 for key in credit)


def test_a_contact_whose_credit_equals_its_invoice_is_read(demo: dict[str, Any], admin: AdminClient) -> None:
    """Nothing is outstanding, because Xero subtracts credits; but the invoice is open."""
    before = read(demo, "invoices", "contacts").records
    owing = {
        c["ContactID"]: c["Balances"]["AccountsReceivable"] for c in before["contacts"] if c.get("Balances")
    }
    contact, balance = next((c, b) for c, b in owing.items() if b["Outstanding"] > 0 and not b["Overdue"])
    line = {"Description": "Goodwill", "UnitAmount": balance["Outstanding"], "AccountCode": "200"}
    note = {"Type": "ACCRECCREDIT", "Status": "AUTHORISED", "Contact": {"ContactID": contact}}
    addresses = {name: demo[name] for name in ("api_url", "identity_url")}
    client = connect(demo["client_id"], demo["client_secret"], **addresses)
    client.send("PUT", None, "CreditNotes", body={**note, "LineAmountTypes": "NoTax", "LineItems": [line]})
    client.close()
    kept = admin.record("Contacts", contact).get("Balances") or {}
    assert not any(kept.get("AccountsReceivable", {}).values())
    found = read(demo, "report_aged_receivables_by_contact").records["report_aged_receivables_by_contact"]
    due = amounts(found, ContactID=contact, ColumnTitle="Due", RowType="Row")
    assert sum(due) == 0
    open_ones = {
        invoice["InvoiceID"]: invoice["AmountDue"]
        for invoice in before["invoices"]
        if invoice["Contact"]["ContactID"] == contact
        and (invoice["Type"], invoice["Status"]) == ("ACCREC", "AUTHORISED")
    }
    assert open_ones
    for key, amount in open_ones.items():
        assert amounts(found, InvoiceID=key, ColumnTitle="Due") == [amount]


def test_an_aged_report_of_a_past_day_has_documents_that_were_settled_since(
    demo: dict[str, Any], admin: AdminClient
) -> None:
    day = "2026-09-30"
    admin.forget_calls()
    names = ("report_aged_receivables_by_contact", "report_aged_payables_by_contact")
    reports = read({**demo, "report_end_date": day}, *names)
    lists = {
        call["path"].rpartition("/")[2]: call["query"]
        for call in admin.calls()
        if "Reports" not in call["path"]
    }
    assert {"Contacts", "Invoices", "CreditNotes", "Prepayments", "Overpayments"} <= lists.keys()
    run = read(demo, "invoices", "contacts")

    def due(invoice: Record) -> Decimal:
        used = [(p["Date"], p["Amount"]) for p in invoice.get("Payments") or ()]
        for kind in ("CreditNotes", "Prepayments", "Overpayments"):
            used += [(c["Date"], c["AppliedAmount"]) for c in invoice.get(kind) or ()]
        return Decimal(invoice["Total"] - sum(amount for when, amount in used if when <= day))

    for name, kind in zip(names, ("ACCREC", "ACCPAY"), strict=True):
        owed = {
            invoice["InvoiceID"]: due(invoice)
            for invoice in run.records["invoices"]
            if invoice["Type"] == kind
            and invoice["Status"] in {"AUTHORISED", "PAID"}
            and invoice["Date"] <= day
            and invoice["CurrencyCode"] == "NZD"
            and due(invoice)
        }
        found = {
            record["InvoiceID"]: record["Amount"]
            for record in reports.records[name]
            if record["RowType"] == "Row" and record["ColumnTitle"] == "Due"
        }
        assert {key: found.get(key) for key in owed} == owed
        settled = [i for i in run.records["invoices"] if i["InvoiceID"] in owed and i["Status"] == "PAID"]
        owing = {r["ContactID"] for r in run.records["contacts"] if r.get("Balances")}
        assert {i["Contact"]["ContactID"] for i in settled} - owing, "some owe nothing any more"


def test_an_aged_report_has_number_and_due_date_of_each_document(demo: dict[str, Any]) -> None:
    run = read(demo, "report_aged_receivables_by_contact", "invoices")
    invoices = {invoice["InvoiceID"]: invoice for invoice in run.records["invoices"]}
    known = [r for r in run.records["report_aged_receivables_by_contact"] if r.get("InvoiceID") in invoices]
    assert known
    for record in known:
        invoice = invoices[record["InvoiceID"]]
        assert (record["Date"], record["Reference"]) == (invoice["Date"], invoice["InvoiceNumber"])
        assert record["DueDate"] == invoice["DueDate"]
        assert record["ContactID"] == invoice["Contact"]["ContactID"]
    assert run.warnings == [], "a total has no date to be read"


def test_only_contacts_with_a_balance_are_read(demo: dict[str, Any], admin: AdminClient) -> None:
    admin.forget_calls()
    run = read(demo, "report_aged_payables_by_contact", "report_aged_receivables_by_contact", "contacts")
    for side in ("Payables", "Receivables"):
        owed = {
            contact["ContactID"]
            for contact in run.records["contacts"]
            if any(((contact.get("Balances") or {}).get(f"Accounts{side.rstrip('s')}") or {}).values())
        }
        assert {q["contactId"] for q in asked(admin, f"Aged{side}ByContact")} == owed
        assert owed
    # One list for both reports, and that of the stream itself.
    assert len(admin.calls("/Contacts")) == 2


def test_the_trial_balance_has_debits_and_credits_of_each_month(demo: dict[str, Any]) -> None:
    config = {**demo, "report_start_date": "2026-08-15", "report_end_date": "2026-10-01"}
    records = read(config, "report_trial_balance").records["report_trial_balance"]
    for day in ("2026-08-31", "2026-09-30", "2026-10-31"):
        rows = [r for r in records if r["PeriodTo"] == day and r["RowType"] == "Row"]
        for debit, credit in (("Debit", "Credit"), ("YTD Debit", "YTD Credit")):
            assert sum(amounts(rows, ColumnTitle=debit)) == sum(amounts(rows, ColumnTitle=credit)) > 0
    assert {record["PeriodTo"] for record in records} == {"2026-08-31", "2026-09-30", "2026-10-31"}


def test_the_bank_summary_leads_from_one_month_to_the_next(demo: dict[str, Any]) -> None:
    records = read(demo, "report_bank_summary").records["report_bank_summary"]
    months = sorted({record["PeriodTo"] for record in records})
    total = {(r["PeriodTo"], r["ColumnTitle"]): r["Amount"] for r in records if r["RowType"] == "SummaryRow"}
    for before, after in pairwise(months):
        assert total[before, "Closing Balance"] == total[after, "Opening Balance"]
    accounts = {r["AccountID"] for r in records if r["RowType"] == "Row"}
    assert None not in accounts
    assert len(accounts) > 1


def test_the_executive_summary_has_its_month_and_the_variance_only(demo: dict[str, Any]) -> None:
    records = read(demo, "report_executive_summary").records["report_executive_summary"]
    profit = read(demo, "report_profit_and_loss").records["report_profit_and_loss"]
    for month in {record["PeriodTo"] for record in records}:
        own = [record for record in records if record["PeriodTo"] == month]
        named = date.fromisoformat(month).strftime("%b %Y")
        assert {record["ColumnTitle"] for record in own} == {named, "Variance"}
        assert amounts(own, Label="Profit (loss)", ColumnTitle=named) == amounts(
            profit, PeriodTo=month, Label="Net Profit"
        )


def test_the_budget_summary_shows_the_months_of_the_budgets_range(
    demo: dict[str, Any], admin: AdminClient
) -> None:
    admin.forget_calls()
    config = {**demo, "budget_start_date": "2026-04-10", "budget_end_date": "2027-06-02"}
    run = read(config, "report_budget_summary", "budgets", "accounts")
    records = run.records["report_budget_summary"]
    assert {r["PeriodFrom"] for r in records} == {p.first.isoformat() for p in periods(
        "MONTH", date(2026, 4, 1), date(2027, 6, 30), date(2023, 1, 1)
    )}  # fmt: skip
    (overall,) = [budget for budget in run.records["budgets"] if budget["Type"] == "OVERALL"]
    types = {account["AccountID"]: account["Type"] for account in run.records["accounts"]}
    found = {
        (r["Label"], r["PeriodTo"][:7]): r["Amount"] for r in records if r["RowType"] == "Row" and r["Amount"]
    }
    names = {account["AccountID"]: account["Name"] for account in run.records["accounts"]}
    planned = {
        (names[line["AccountID"]], balance["Period"][:7]): balance["Amount"]
        for line in overall["BudgetLines"]
        for balance in line["BudgetBalances"]
        if balance["Amount"] and types[line["AccountID"]] in PROFIT
    }
    assert {key: abs(value) for key, value in found.items()} == {k: abs(v) for k, v in planned.items()}
    assert found
    assert [(q["date"], q["periods"]) for q in asked(admin, "BudgetSummary")] == [
        ("2026-04-01", "12"), ("2027-04-01", "3"),
    ]  # fmt: skip


def test_the_1099_is_read_for_american_organisations_only(demo: dict[str, Any], admin: AdminClient) -> None:
    admin.forget_calls()
    run = read(demo, "report_ten_ninety_nine")
    assert run.records["report_ten_ninety_nine"] == []
    assert run.failed == {}
    assert asked(admin, "TenNinetyNine") == []
    (organisation,) = admin.records("Organisation")
    admin.edit("Organisation", organisation["OrganisationID"], CountryCode="US")
    run = read({**demo, "report_start_date": "2025-01-01"}, "report_ten_ninety_nine")
    assert (run.failed, run.warnings) == ({}, [])
    records = run.records["report_ten_ninety_nine"]
    assert [query["reportYear"] for query in asked(admin, "TenNinetyNine")] == ["2025", "2026"]
    assert {(r["PeriodFrom"], r["PeriodTo"]) for r in records} <= {
        ("2025-01-01", "2025-12-31"), ("2026-01-01", "2026-12-31"),
    }  # fmt: skip
    assert all(r["Amount"] >= 600 and r["ColumnTitle"] == "Box1" and r["ContactID"] for r in records)
    assert records


# -- periods


def test_months_are_calendar_months_even_after_february(demo: dict[str, Any], admin: AdminClient) -> None:
    admin.forget_calls()
    config = {**demo, "report_start_date": "2024-01-31", "report_end_date": "2024-04-01"}
    run = read(config, "report_profit_and_loss", "report_bank_summary", "report_balance_sheet")
    spans = [
        (f"2024-{month}-01", f"2024-{month}-{day}")
        for month, day in (("01", 31), ("02", 29), ("03", 31), ("04", 30))
    ]
    for stream in ("report_profit_and_loss", "report_bank_summary"):
        assert sorted({(r["PeriodFrom"], r["PeriodTo"]) for r in run.records[stream]}) == spans
    assert sorted({r["PeriodTo"] for r in run.records["report_balance_sheet"]}) == [to for _, to in spans]
    assert [(q["fromDate"], q["toDate"]) for q in asked(admin, "BankSummary")] == spans
    stocktake = amounts(
        run.records["report_profit_and_loss"], Label="Cost of Goods Sold", PeriodTo="2024-02-29"
    )
    assert stocktake == [Decimal("112.40")]  # booked on 29 February 2024


def test_months_cost_a_call_for_each_calendar_year(demo: dict[str, Any], admin: AdminClient) -> None:
    admin.forget_calls()
    config = {**demo, "report_start_date": "2024-02-01", "report_end_date": "2026-09-30"}
    read(config, "report_profit_and_loss", "report_balance_sheet")
    decembers = ["2024-12-31", "2025-12-31", "2026-12-31"]
    assert [(q["toDate"], q["periods"]) for q in asked(admin, "ProfitAndLoss")] == [
        (d, "11") for d in decembers
    ]
    assert [(q["date"], q["periods"]) for q in asked(admin, "BalanceSheet")] == [(d, "11") for d in decembers]


def test_columns_of_other_periods_are_not_used(
    demo: dict[str, Any], admin: AdminClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If Xero showed other days, each month would be requested by itself, with the same result."""
    config = {**demo, "report_start_date": "2026-08-01", "budget_start_date": "2026-08-01"}
    names = ("report_profit_and_loss", "report_balance_sheet", "report_budget_summary")
    believed = read(config, *names)
    get = XeroClient.get

    def other_days(self: XeroClient, *given: Any, **options: Any) -> Any:
        answer = get(self, *given, **options)
        if (options.get("params") or {}).get("periods", 1) != 1:
            content = answer.content.replace(b"30 Nov", b"29 Nov").replace(b"Nov-26", b"Okt-26")
            object.__setattr__(answer, "content", content)
        return answer

    monkeypatch.setattr(XeroClient, "get", other_days)
    admin.forget_calls()
    alone = read(config, *names)
    assert [q["toDate"] for q in asked(admin, "ProfitAndLoss")][:4] == [
        "2026-08-31", "2026-09-30", "2026-10-31", "2026-11-30",
    ]  # fmt: skip
    assert len(asked(admin, "BalanceSheet")) == 1 + 4
    for name in names:
        assert [line for line in alone.warnings if name in line]

        def told(run: Run, name: str = name) -> set[tuple[Any, ...]]:
            # In columns side by side, an account has a zero if it has an amount in another month only.
            return {
                (r["PeriodTo"], r["SectionPath"], r["Label"], r["Amount"])
                for r in run.records[name]
                if r["Amount"]
            }

        assert told(alone) == told(believed)


@pytest.mark.parametrize("title", ["31 March 2025", "31/03/2025", "2025", "Vorjahr", ""])
def test_a_column_for_comparison_adds_nothing_to_the_requested_period(
    demo: dict[str, Any], monkeypatch: pytest.MonkeyPatch, title: str
) -> None:
    config = {
        **demo,
        "report_timeframe": "YEAR",
        "report_start_date": "2026-03-31",
        "report_end_date": "2026-03-31",
    }
    usual = read(config, "report_balance_sheet")
    get = XeroClient.get

    def other_title(self: XeroClient, *given: Any, **options: Any) -> Any:
        answer = get(self, *given, **options)
        object.__setattr__(answer, "content", answer.content.replace(b"31 Mar 2025", title.encode()))
        return answer

    monkeypatch.setattr(XeroClient, "get", other_title)
    run = read(config, "report_balance_sheet")
    assert run.records == usual.records
    assert {record["ColumnTitle"] for record in run.records["report_balance_sheet"]} == {"31 Mar 2026"}
    said = [line for line in run.warnings if f"the column {title!r} is left out" in line]
    assert len(said) == (title in {"Vorjahr", ""})


def test_quarters_and_years_are_those_of_the_financial_year(demo: dict[str, Any], admin: AdminClient) -> None:
    config = {**demo, "report_start_date": "2025-05-20", "report_timeframe": "YEAR"}
    years = read(config, "report_profit_and_loss").records["report_profit_and_loss"]
    assert sorted({(r["PeriodFrom"], r["PeriodTo"]) for r in years}) == [
        ("2025-04-01", "2026-03-31"), ("2026-04-01", "2027-03-31"),
    ]  # fmt: skip
    quarters = read({**config, "report_timeframe": "QUARTER"}, "report_profit_and_loss")
    records = quarters.records["report_profit_and_loss"]
    assert sorted({r["PeriodTo"] for r in records})[:3] == ["2025-06-30", "2025-09-30", "2025-12-31"]
    first = [r for r in records if r["PeriodTo"] <= "2026-03-31"]
    assert (
        sum(amounts(first, Label="Net Profit"))
        == amounts(years, Label="Net Profit", PeriodTo="2026-03-31")[0]
    )


@pytest.mark.parametrize(
    ("month", "day", "start"),
    [
        (3, 31, "2023-04-01"),
        (12, 31, "2024-01-01"),
        (2, 28, "2023-03-01"),
        (2, 29, "2023-03-01"),
        (4, 5, "2023-04-06"),
    ],
)
def test_a_financial_year_begins_the_day_after_it_ends(month: int, day: int, start: str) -> None:
    year = year_start({"FinancialYearEndMonth": month, "FinancialYearEndDay": day})
    assert year.isoformat() == start
    found = periods("YEAR", date(2024, 2, 29), date(2025, 6, 1), year)
    assert found[0].first <= date(2024, 2, 29) <= found[0].last
    assert all((one.last - one.first).days + 1 in {365, 366} for one in found)
    assert {one.first.strftime("%m-%d") for one in found} == {start[5:]}


def test_periods_cover_every_day_exactly_once() -> None:
    for timeframe, start in (
        ("MONTH", date(2023, 1, 1)),
        ("QUARTER", date(2023, 7, 31)),
        ("YEAR", date(2023, 4, 6)),
    ):
        found = periods(timeframe, date(2023, 1, 31), date(2028, 3, 1), start)
        days = [day for one in found for day in range(one.first.toordinal(), one.last.toordinal() + 1)]
        assert days == list(range(days[0], days[-1] + 1))
        assert found[0].first <= date(2023, 1, 31) <= found[0].last
        assert found[-1].first <= date(2028, 3, 1) <= found[-1].last
    months = periods("MONTH", date(2023, 12, 31), date(2024, 3, 1), date(2023, 4, 6))
    assert months == [
        Period(day, month_end(day))
        for day in (date(2023, 12, 1), date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 1))
    ]


# -- tracking, basis


def test_two_tracking_options_have_columns_that_sum_to_the_total(
    demo: dict[str, Any], admin: AdminClient
) -> None:
    config = {**demo, "report_start_date": "2026-06-01", "report_end_date": "2026-07-31"}
    run = read(
        {**config, "report_tracking_categories": ["region"]}, "report_profit_and_loss", "tracking_categories"
    )
    plain = read(config, "report_profit_and_loss").records["report_profit_and_loss"]
    records = run.records["report_profit_and_loss"]
    (region,) = [c for c in run.records["tracking_categories"] if c["Name"] == "Region"]
    names = {option["TrackingOptionID"]: option["Name"] for option in region["Options"]}
    found = {(r["TrackingOptionID"], r["TrackingOption"]) for r in records if r.get("TrackingOptionID")}
    assert found == set(names.items())
    assert {"North", "South"} <= set(names.values())
    for month in ("2026-06-30", "2026-07-31"):
        for label in ("Net Profit", "Total Income"):
            own = [r for r in records if r["PeriodTo"] == month and r["Label"] == label]
            parts = sum(r["Amount"] for r in own if r.get("TrackingOption"))
            assert [parts] == [r["Amount"] for r in own if r["ColumnTitle"] == "Total"]
            assert [parts] == amounts(plain, PeriodTo=month, Label=label)


def test_two_categories_name_both_options_of_a_column(demo: dict[str, Any]) -> None:
    config = {
        **demo,
        "report_start_date": "2026-06-01",
        "report_end_date": "2026-06-30",
        "report_tracking_categories": ["Region", "Department"],
    }
    records = read(config, "report_profit_and_loss").records["report_profit_and_loss"]
    pairs = {(r["TrackingOption"], r["TrackingOption2"]) for r in records if r.get("TrackingOption")}
    assert ("South", "Tours") in pairs
    assert ("Unassigned", "Unassigned") in pairs
    (total,) = amounts(records, Label="Net Profit", ColumnTitle="Total")
    assert (
        sum(r["Amount"] for r in records if r["Label"] == "Net Profit" and r.get("TrackingOption")) == total
    )


def test_tracking_options_apply_to_profit_and_loss_and_balance_sheet_only(
    demo: dict[str, Any], admin: AdminClient
) -> None:
    config = {**demo, "report_start_date": "2026-06-01", "report_end_date": "2026-06-30"}
    admin.forget_calls()
    run = read(
        {**config, "report_tracking_options": ["Region: South", "Retail"]},
        "report_profit_and_loss", "report_balance_sheet", "tracking_categories",
    )  # fmt: skip
    ids = {o["Name"]: o["TrackingOptionID"] for c in run.records["tracking_categories"] for o in c["Options"]}
    (sheet,) = asked(admin, "BalanceSheet")
    assert (sheet["trackingOptionID1"], sheet["trackingOptionID2"]) == (ids["South"], ids["Retail"])
    (profit,) = asked(admin, "ProfitAndLoss")
    assert {profit["trackingOptionID"], profit["trackingOptionID2"]} == {ids["South"], ids["Retail"]}
    assert profit["trackingCategoryID"] and profit["trackingCategoryID2"]
    assert {(r["TrackingOptionID"], r["TrackingOptionID2"]) for r in run.records["report_balance_sheet"]} == {
        (ids["South"], ids["Retail"])
    }


def test_an_unknown_tracking_option_fails_its_stream_with_the_known_names(demo: dict[str, Any]) -> None:
    run = read(
        {**demo, "report_tracking_options": ["Souht"]}, "report_profit_and_loss", "report_bank_summary"
    )
    (reason,) = run.failed.values()
    assert "'Souht'" in reason
    assert "Region: South" in reason
    assert "report_tracking_options" in reason
    assert run.records["report_bank_summary"]


@pytest.mark.parametrize("standard", [True, False])
def test_xeros_standard_layout_is_requested_by_default(
    demo: dict[str, Any], admin: AdminClient, standard: bool
) -> None:
    admin.forget_calls()
    config = {**demo, "report_start_date": "2026-11-01", "report_standard_layout": standard}
    read(config, "report_profit_and_loss", "report_balance_sheet", "report_trial_balance")
    for report, has_layouts in (("ProfitAndLoss", True), ("BalanceSheet", True), ("TrialBalance", False)):
        (query,) = asked(admin, report)
        assert query.get("standardLayout") == ("true" if standard and has_layouts else None)


def test_the_cash_basis_is_another_table_with_its_own_name(demo: dict[str, Any]) -> None:
    config = {**demo, "report_start_date": "2026-06-01", "report_end_date": "2026-07-31"}
    names = ("report_profit_and_loss", "report_balance_sheet", "report_trial_balance")
    accrual = read(config, *names)
    cash = read({**config, "report_payments_only": True}, *names, state=accrual.state)
    for name in names:
        assert {r["PaymentsOnly"] for r in accrual.records[name]} == {False}
        assert {r["PaymentsOnly"] for r in cash.records[name]} == {True}
        assert cash.of("ACTIVATE_VERSION", name), "nothing of the other basis must stay"
    assert amounts(accrual.records[names[0]], Label="Net Profit") != amounts(
        cash.records[names[0]], Label="Net Profit"
    )


# -- runs


def test_keys_are_unique_in_every_report(demo: dict[str, Any], admin: AdminClient) -> None:
    (organisation,) = admin.records("Organisation")
    admin.edit("Organisation", organisation["OrganisationID"], CountryCode="US")
    run = read({**demo, "report_start_date": "2026-07-01"}, *REPORTS)
    assert run.failed == {}
    for name in REPORTS:
        assert run.records[name], name
        assert len(table(run, stream=name)) == len(run.records[name])
        (schema,) = run.of("SCHEMA", name)
        required = {r[key] is not None for r in run.records[name] for key in schema["key_properties"]}
        assert required == {True}


def test_a_second_run_changes_nothing(demo: dict[str, Any]) -> None:
    config = {**demo, "report_start_date": "2026-07-01"}
    first = read(config, *REPORTS)
    second = read(config, *REPORTS, state=first.state)
    for name in REPORTS:
        assert table(first, second, stream=name) == table(first, stream=name), name
    assert second.state == first.state


def test_only_recent_periods_are_read_again(demo: dict[str, Any], admin: AdminClient) -> None:
    config = {**demo, "report_start_date": "2025-01-01", "report_reread_periods": 2}
    first = read(config, "report_bank_summary")
    assert len(asked(admin, "BankSummary")) == 23
    admin.forget_calls()
    second = read(config, "report_bank_summary", state=first.state)
    assert [q["toDate"] for q in asked(admin, "BankSummary")] == ["2026-09-30", "2026-10-31", "2026-11-30"]
    assert second.of("ACTIVATE_VERSION") == []
    assert len(first.of("ACTIVATE_VERSION")) == 1


def test_after_a_long_pause_no_month_is_left_out(demo: dict[str, Any], admin: AdminClient) -> None:
    old = read({**demo, "report_end_date": "2025-02-10", "report_reread_periods": 0}, "report_bank_summary")
    admin.forget_calls()
    read({**demo, "report_reread_periods": 0}, "report_bank_summary", state=old.state)
    months = [q["fromDate"] for q in asked(admin, "BankSummary")]
    assert months[0] == "2025-02-01"
    assert len(months) == 22


def test_an_account_that_left_a_period_leaves_no_amount(demo: dict[str, Any], admin: AdminClient) -> None:
    config = {**demo, "report_start_date": "2026-10-01"}
    name = "report_profit_and_loss"
    first = read(config, name)
    accounts = {
        r["AccountID"] for r in first.records[name] if r["PeriodTo"] == "2026-10-31" and r.get("AccountID")
    }
    for journal in admin.records("Journals"):
        lines = [line for line in journal["JournalLines"] if line["AccountID"] not in list(accounts)[:5]]
        if len(lines) < len(journal["JournalLines"]):
            admin.edit("Journals", journal["JournalID"], JournalLines=lines)
    second = read(config, name, state=first.state)
    fresh = read(config, name)
    held = [r for r in table(first, second, stream=name).values() if r["RowType"] != "Removed"]
    removed = [r for r in second.records[name] if r["RowType"] == "Removed"]
    assert removed
    assert {r.get("Amount") for r in removed} == {None}
    assert sorted(map(unchanged, held)) == sorted(map(unchanged, fresh.records[name]))
    third = read(config, name, state=second.state)
    assert [r for r in third.records[name] if r["RowType"] == "Removed"] == []


def test_a_run_that_breaks_off_continues_where_it_was(demo: dict[str, Any], admin: AdminClient) -> None:
    config = {**demo, "report_start_date": "2026-01-01", "report_reread_periods": 0}
    whole = read(config, "report_bank_summary")
    admin.fault("status", path="*BankSummary*", query={"toDate": "2026-06-30"}, status=400, count=1)
    broken = read(config, "report_bank_summary")
    assert broken.failed
    assert broken.of("ACTIVATE_VERSION") == []
    rest = read(config, "report_bank_summary", state=broken.state)
    assert rest.failed == {}
    assert {r["PeriodTo"] for r in rest.records["report_bank_summary"]} >= {"2026-06-30", "2026-11-30"}
    held = {**table(broken, stream="report_bank_summary"), **table(rest, stream="report_bank_summary")}
    assert held == table(whole, stream="report_bank_summary")


def test_each_organisation_has_its_own_reports_and_bookmarks(
    demo: dict[str, Any], admin: AdminClient
) -> None:
    one, two = (each["tenant_id"] for each in admin.organisations()[:2])
    tokens = admin.consent(tenants=[one, two])
    web = {**demo, "client_id": apps.WEB_APP.client_id, "client_secret": apps.WEB_APP.client_secret}
    config = {**web, "refresh_token": tokens["refresh_token"], "tenant_ids": [one, two]}
    name = "report_trial_balance"
    settings = {**config, "report_start_date": "2026-09-01", "report_reread_periods": 0}
    admin.fault("status", path="*TrialBalance", query={"date": "2026-09-30"}, tenant=two, status=400, count=1)
    first = read(settings, name)
    assert [organisation for _, organisation in first.failed] == [admin.organisations()[1]["name"]]
    assert first.of("ACTIVATE_VERSION") == []
    second = read(settings, name, state=first.state)
    periods_of = {
        tenant: {r["PeriodTo"] for r in second.records[name] if r["tenant_id"] == tenant}
        for tenant in (one, two)
    }
    assert periods_of == {one: {"2026-11-30"}, two: {"2026-09-30", "2026-10-31", "2026-11-30"}}
    assert second.of("ACTIVATE_VERSION") == [], "a part of it is from the run before"
    rows = table(first, second, stream=name)
    assert {(key[0], record["PeriodTo"][:7]) for key, record in rows.items()} == {
        (tenant, month) for tenant in (one, two) for month in ("2026-09", "2026-10", "2026-11")
    }


def test_reports_are_off_by_default(demo: dict[str, Any], admin: AdminClient) -> None:
    admin.forget_calls()
    run = read(demo)
    assert [m["stream"] for m in run.of("SCHEMA") if m["stream"].startswith("report_")] == []
    drawn = {report.path for report in REPORTS.values()}
    assert {call["path"].removeprefix("/api.xro/2.0/") for call in admin.calls()} & drawn == set()


def test_a_report_without_its_scope_is_skipped_and_the_scope_named(
    demo: dict[str, Any], admin: AdminClient
) -> None:
    scopes = [
        "accounting.settings.read",
        "accounting.reports.banksummary.read",
        "accounting.reports.aged.read",
    ]
    run = read(
        {**demo, "scopes": scopes},
        "report_bank_summary", "report_trial_balance", "report_aged_payables_by_contact",
    )  # fmt: skip
    assert run.records["report_bank_summary"]
    assert run.records["report_trial_balance"] == []
    assert run.records["report_aged_payables_by_contact"] == []
    aged, trial = sorted(run.warnings)
    assert "accounting.contacts.read" in aged
    assert "accounting.reports.trialbalance.read" in trial


@pytest.mark.parametrize("name", ["report_trial_balance", "report_bank_summary", "report_executive_summary"])
def test_a_report_that_takes_a_call_for_each_period_starts_with_last_month(
    demo: dict[str, Any], name: str, admin: AdminClient
) -> None:
    first = read(demo, name)
    assert {record["PeriodTo"] for record in first.records[name]} == {"2026-10-31", "2026-11-30"}
    second = read(demo, name, state=first.state)
    assert {record["PeriodTo"] for record in second.records[name]} == {"2026-10-31", "2026-11-30"}
    assert second.state == first.state


def test_the_setting_is_the_number_of_periods_that_are_read_again(
    demo: dict[str, Any],
) -> None:
    name = "report_trial_balance"
    first = read({**demo, "report_end_date": "2026-07-31"}, name)
    second = read(demo, name, state=first.state)
    assert {record["PeriodTo"] for record in second.records[name]} == {
        "2026-06-30", "2026-07-31", "2026-08-31", "2026-09-30", "2026-10-31", "2026-11-30",
    }  # fmt: skip


def test_a_bookmark_in_the_future_is_logged_and_periods_are_read_again(demo: dict[str, Any]) -> None:
    name = "report_profit_and_loss"
    state = read(demo, name).state
    state["bookmarks"][name]["partitions"][0]["replication_key_value"] = "2099-12-31"
    run = read(demo, name, state=state)
    assert [line for line in run.warnings if f"{name} of" in line and "2099-12-31 is in the future" in line]
    assert run.bookmark(name, run.records[name][0]["tenant_id"]) == "2026-11-30"
