"""The rules of accounting on small documents."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import pytest

from xero_sandbox.accounting import currencies, settlement, totals
from xero_sandbox.accounting.ledger import Chart, Ledger, Posting, standing
from xero_sandbox.demo import companies as seed
from xero_sandbox.values import ONE, money, negated

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=timezone.utc)
LATER = datetime(2026, 11, 25, 9, 0, tzinfo=timezone.utc)
DAY = date(2026, 11, 20)
GST = {"OUTPUT2": Decimal(15), "INPUT2": Decimal(15), "NONE": Decimal(0)}
ZERO = Decimal("0.00")
BANK = {
    "AccountID": "b" * 8, "Code": "090", "Name": "Bank", "Type": "BANK", "CurrencyCode": "NZD", "TaxType": "NONE",
    "Status": "ACTIVE",
}  # fmt: skip
DOLLARS = {**BANK, "AccountID": "d" * 8, "Code": "092", "Name": "Dollars", "CurrencyCode": "USD"}


@pytest.fixture
def ledger() -> Ledger:
    records = seed.empty_company(NOW).records
    region = {"TrackingCategoryID": "region", "Name": "Region", "Options": []}
    region["Options"] = [{"TrackingOptionID": name.lower(), "Name": name} for name in ("North", "South")]
    accounts = [*records["Accounts"], BANK, DOLLARS]
    chart = Chart({**records, "Accounts": accounts, "TrackingCategories": [region]})
    return Ledger(chart, next_number=7)


def line(
    price: str, quantity: str = "1", tax: str = "OUTPUT2", code: str = "200", **more: Any
) -> dict[str, Any]:
    return {
        "UnitAmount": Decimal(price),
        "Quantity": Decimal(quantity),
        "TaxType": tax,
        "AccountCode": code,
        **more,
    }


def invoice(*lines: dict[str, Any], kind: str = "ACCREC", rate: str = "1", **more: Any) -> dict[str, Any]:
    record = {
        "InvoiceID": "i" * 8, "Type": kind, "InvoiceNumber": "INV-0001", "Reference": "ref", "Status": "AUTHORISED",
        "Date": DAY, "DueDate": DAY, "Contact": {"ContactID": "c" * 8, "Name": "Somebody"}, "CurrencyCode": "NZD",
        "CurrencyRate": Decimal(rate), "LineAmountTypes": "Exclusive", "LineItems": list(lines), "Payments": [],
        "CreditNotes": [], "Prepayments": [], "Overpayments": [], **more,
    }  # fmt: skip
    return settlement.settled(totals.priced(record, GST))


def credit(*lines: dict[str, Any], kind: str = "ACCRECCREDIT", **more: Any) -> dict[str, Any]:
    record = invoice(*lines)
    for key in (
        "InvoiceID",
        "AmountDue",
        "AmountPaid",
        "AmountCredited",
        "CreditNotes",
        "Prepayments",
        "Overpayments",
    ):
        del record[key]
    record.update(
        {"CreditNoteID": "n" * 8, "CreditNoteNumber": "CN-1", "Type": kind, "Allocations": [], **more}
    )
    return settlement.settled(record)


def payment(amount: str, rate: str = "1", number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "PaymentID": f"p{number}", "Date": DAY, "Amount": Decimal(amount), "CurrencyRate": Decimal(rate),
        "Reference": "", "PaymentType": "ACCRECPAYMENT", "Account": {"Code": "090"}, "UpdatedDateUTC": LATER, **more,
    }  # fmt: skip


def totals_of(document: dict[str, Any]) -> list[str]:
    return [str(document[name]) for name in ("SubTotal", "TotalTax", "Total")]


def effect(journal: dict[str, Any]) -> list[tuple[str, str]]:
    return [(entry["AccountCode"], str(entry["NetAmount"])) for entry in journal["JournalLines"]]


# --- totals


def test_tax_is_rounded_on_each_line_and_then_summed():
    document = invoice(line("0.10"), line("0.10"), line("0.10"))
    assert [one["TaxAmount"] for one in document["LineItems"]] == [Decimal("0.02")] * 3
    assert (document["SubTotal"], document["TotalTax"], document["Total"]) == tuple(
        map(Decimal, ("0.30", "0.06", "0.36"))
    )


def test_an_inclusive_price_contains_the_tax_as_recorded_from_xero():
    document = invoice(line("541.25"), LineAmountTypes="Inclusive")
    assert totals_of(document) == ["470.65", "70.60", "541.25"]


def test_no_tax_overrides_the_tax_types_of_lines():
    document = invoice(line("100"), LineAmountTypes="NoTax")
    assert (document["TotalTax"], document["Total"]) == (ZERO, Decimal("100.00"))


def test_quotes_spell_the_same_types_in_capitals():
    assert invoice(line("541.25"), LineAmountTypes="INCLUSIVE")["TotalTax"] == Decimal("70.60")


def test_a_price_of_four_decimals_times_a_quantity_is_rounded_once():
    document = invoice(line("3.4567", "137.5"))
    assert document["LineItems"][0]["LineAmount"] == Decimal("475.30")


def test_discounts_reduce_the_line_and_appear_in_the_total_discount():
    by_rate = invoice(line("200", "2", DiscountRate=Decimal("12.5")))
    assert by_rate["LineItems"][0]["LineAmount"] == Decimal("350.00")
    assert by_rate["TotalDiscount"] == Decimal("50.00")
    by_amount = invoice(line("200", "2", DiscountAmount=Decimal("12.50")))
    assert by_amount["LineItems"][0]["LineAmount"] == Decimal("387.50")
    assert "TotalDiscount" not in invoice(line("200"))


def test_a_line_with_only_a_description_is_unchanged():
    words = {"Description": "Thank you"}
    document = invoice(line("10"), words)
    assert document["LineItems"][1] == words
    assert document["SubTotal"] == Decimal("10.00")


def test_a_tax_amount_that_is_sent_is_kept_on_request():
    document = invoice(line("100", TaxAmount=Decimal("15.01")))
    assert document["TotalTax"] == Decimal("15.00")
    sent = {**document, "LineItems": [line("100", TaxAmount=Decimal("15.01"))]}
    assert totals.priced(sent, GST, keep_tax=True)["TotalTax"] == Decimal("15.01")


def test_halves_are_rounded_away_from_zero_and_zero_has_no_sign():
    assert money(Decimal("0.125")) == Decimal("0.13")
    assert money(Decimal("-0.125")) == Decimal("-0.13")
    assert str(money(Decimal("-0.001"))) == "0.00"
    assert str(negated(ZERO)) == "0.00"


def test_arguments_are_not_changed():
    lines = [line("100")]
    document = invoice(*lines)
    assert lines == [line("100")]
    settlement.with_payment(document, payment("50"))
    assert document["Payments"] == []


# --- settlement


def test_a_part_payment_leaves_an_invoice_open_and_the_rest_closes_it():
    half = settlement.with_payment(invoice(line("100")), payment("50.00"))
    assert (half["Status"], half["AmountPaid"], half["AmountDue"]) == (
        "AUTHORISED",
        Decimal("50.00"),
        Decimal("65.00"),
    )
    assert "FullyPaidOnDate" not in half
    whole = settlement.with_payment(half, payment("65.00", number=2))
    assert (whole["Status"], whole["AmountDue"], whole["FullyPaidOnDate"]) == ("PAID", ZERO, DAY)
    assert whole["UpdatedDateUTC"] == LATER


def test_a_deleted_payment_opens_the_invoice_again():
    paid = settlement.with_payment(invoice(line("100")), payment("115.00"))
    again = settlement.without_payment(paid, "p1", LATER)
    assert (again["Status"], again["AmountDue"], again["Payments"]) == ("AUTHORISED", Decimal("115.00"), [])
    assert "FullyPaidOnDate" not in again


def test_an_invoice_over_nothing_is_paid_at_once():
    document = invoice(line("100", DiscountRate=Decimal(100)))
    assert (document["Status"], document["Total"], document["FullyPaidOnDate"]) == ("PAID", ZERO, DAY)


def test_an_allocation_changes_credit_and_invoice_and_can_be_deleted():
    note, bill = credit(line("40")), invoice(line("100"))
    words = {"allocation_id": "a1", "amount": Decimal("46.00"), "day": DAY, "at": LATER}
    used, credited = settlement.with_allocation(note, bill, **words)
    assert (used["Status"], used["RemainingCredit"]) == ("PAID", ZERO)
    assert (credited["AmountCredited"], credited["AmountDue"]) == (Decimal("46.00"), Decimal("69.00"))
    assert credited["CreditNotes"][0]["CreditNoteNumber"] == "CN-1"
    free, open_again = settlement.without_allocation(used, credited, "a1", LATER)
    assert (free["Status"], free["RemainingCredit"], free["Allocations"]) == (
        "AUTHORISED",
        Decimal("46.00"),
        [],
    )
    assert (open_again["AmountDue"], open_again["CreditNotes"]) == (Decimal("115.00"), [])


def test_a_voided_invoice_owes_nothing_but_keeps_its_total():
    void = settlement.ended(invoice(line("100")), "VOIDED", LATER)
    assert (void["Status"], void["AmountDue"], void["Total"]) == ("VOIDED", ZERO, Decimal("115.00"))


def test_balances_of_contacts_are_in_base_currency_and_net_of_credits():
    open_ones = [
        invoice(line("100"), rate="0.5", DueDate=date(2026, 10, 1)),
        invoice(line("10"), kind="ACCPAY"),
    ]
    found = settlement.balances([*open_ones, credit(line("20"))], DAY)
    assert found["c" * 8]["AccountsReceivable"] == {
        "Outstanding": Decimal("207.00"),
        "Overdue": Decimal("230.00"),
    }
    assert found["c" * 8]["AccountsPayable"] == {"Outstanding": Decimal("11.50"), "Overdue": ZERO}


# --- currencies


def test_a_rate_is_what_one_unit_of_base_buys():
    assert currencies.in_base(Decimal("60.00"), Decimal("0.6")) == Decimal("100.00")
    assert currencies.in_base(Decimal("60.00"), None) == Decimal("60.00")
    assert currencies.in_base(Decimal("60.00"), Decimal(0)) == Decimal("60.00")


def test_rates_have_ten_decimals_and_convert_both_ways():
    there, back = (currencies.market_rate(*pair, DAY) for pair in (("USD", "NZD"), ("NZD", "USD")))
    assert there.as_tuple().exponent == -10
    assert abs(there * back - 1) < Decimal("0.00000001")
    assert currencies.market_rate("NZD", "NZD", DAY) == 1
    assert currencies.market_rate("USD", "NZD", date(2026, 3, 1)) != there


def test_the_parts_of_a_foreign_invoice_add_up_to_its_base_value():
    document = invoice(line("99.99"), rate="0.5987654321")
    value = currencies.in_base(document["Total"], document["CurrencyRate"])
    first = settlement.relief(document, ZERO, Decimal("33.33"))
    rest = settlement.relief(document, Decimal("33.33"), document["Total"] - Decimal("33.33"))
    assert first + rest == value


# --- journals


def test_a_sale_debits_receivables_and_credits_sales_and_gst(ledger):
    journal = ledger.post_document(invoice(line("100"), line("50", tax="NONE", code="260")), NOW)
    assert effect(journal) == [("610", "165.00"), ("200", "-100.00"), ("260", "-50.00"), ("820", "-15.00")]
    assert (journal["SourceType"], journal["SourceID"], journal["JournalNumber"]) == ("ACCREC", "i" * 8, 7)
    assert journal["JournalDate"] == DAY
    assert journal["CreatedDateUTC"] == NOW
    sale = journal["JournalLines"][1]
    assert (sale["GrossAmount"], sale["TaxAmount"]) == (Decimal("-115.00"), Decimal("-15.00"))
    assert (sale["TaxName"], sale["AccountName"], sale["AccountType"]) == (
        "15% GST on Income",
        "Sales",
        "REVENUE",
    )


def test_a_bill_is_posted_in_reverse_and_a_credit_note_undoes_a_sale(ledger):
    bill = ledger.post_document(invoice(line("100", tax="INPUT2", code="453"), kind="ACCPAY"), NOW)
    assert effect(bill) == [("800", "-115.00"), ("453", "100.00"), ("820", "15.00")]
    note = ledger.post_document(credit(line("100")), NOW)
    assert effect(note) == [("610", "-115.00"), ("200", "100.00"), ("820", "15.00")]
    assert note["JournalNumber"] == 8


def test_an_inclusive_line_is_posted_without_its_tax(ledger):
    journal = ledger.post_document(invoice(line("115"), LineAmountTypes="Inclusive"), NOW)
    assert effect(journal) == [("610", "115.00"), ("200", "-100.00"), ("820", "-15.00")]


def test_receivables_and_tax_are_split_by_tracking_as_recorded(ledger):
    north, south = ([{"Name": "Region", "Option": name}] for name in ("North", "South"))
    journal = ledger.post_document(
        invoice(line("100", Tracking=north), line("20", Tracking=south), line("1")), NOW
    )
    by_option = {}
    for entry in journal["JournalLines"]:
        option = next((t["TrackingOptionID"] for t in entry["TrackingCategories"]), None)
        by_option.setdefault(option, []).append((entry["AccountCode"], str(entry["NetAmount"])))
    assert by_option == {
        "north": [("610", "115.00"), ("200", "-100.00"), ("820", "-15.00")],
        "south": [("610", "23.00"), ("200", "-20.00"), ("820", "-3.00")],
        None: [("610", "1.15"), ("200", "-1.00"), ("820", "-0.15")],
    }


def test_a_foreign_document_is_converted_and_lost_cents_go_to_rounding(ledger):
    document = invoice(line("10", tax="NONE"), line("10", tax="NONE"), line("10", tax="NONE"), rate="3")
    journal = ledger.post_document(document, NOW)
    assert effect(journal) == [("610", "10.00"), *[("200", "-3.33")] * 3, ("860", "-0.01")]


def test_a_journal_that_does_not_balance_is_refused(ledger):
    account = ledger.account({"Code": "200"})
    with pytest.raises(ValueError, match="out of balance by 5"):
        ledger.journal(("MANJOURNAL", "x"), DAY, NOW, [Posting(account, Decimal("5.00"))])


def test_an_unknown_account_code_is_named_in_the_error(ledger):
    with pytest.raises(ValueError, match="'999'"):
        ledger.post_document(invoice(line("1", code="999")), NOW)


def test_a_payment_at_another_rate_realises_the_difference(ledger):
    document = invoice(line("60", tax="NONE"), rate="0.6")
    gain = ledger.post_payment(payment("60.00", rate="0.5"), document, NOW)
    assert effect(gain) == [("090", "120.00"), ("610", "-100.00"), ("499", "-20.00")]
    bill = invoice(line("60", tax="NONE"), kind="ACCPAY", rate="0.6")
    loss = ledger.post_payment(payment("60.00", rate="0.5", PaymentType="ACCPAYPAYMENT"), bill, NOW)
    assert effect(loss) == [("090", "-120.00"), ("800", "100.00"), ("499", "20.00")]


def test_money_into_a_foreign_account_counts_at_the_days_rate(ledger):
    document = invoice(line("60", tax="NONE"), rate="0.6")
    paid = payment("60.00", rate="0.5", BankAmount=Decimal("60.00"), Account={"Code": "092"})
    assert effect(ledger.post_payment(paid, document, NOW))[0] == ("092", "120.00")


def test_the_bank_amount_has_priority_over_the_rate(ledger):
    paid = payment("60.00", rate="0.6", BankAmount=Decimal("98.00"))
    journal = ledger.post_payment(paid, invoice(line("60", tax="NONE"), rate="0.6"), NOW)
    assert effect(journal) == [("090", "98.00"), ("610", "-100.00"), ("499", "2.00")]


def test_the_second_part_of_a_foreign_invoice_closes_receivables_to_the_cent(ledger):
    document = invoice(line("99.99", tax="NONE"), rate="0.5987654321")
    first = payment("33.33", rate="0.5987654321")
    one = ledger.post_payment(first, document, NOW)
    two = ledger.post_payment(
        payment("66.66", rate="0.5987654321", number=2), settlement.with_payment(document, first), NOW
    )
    closed = sum(
        Decimal(amount) for journal in (one, two) for code, amount in effect(journal) if code == "610"
    )
    assert closed == -currencies.in_base(document["Total"], document["CurrencyRate"])


def test_a_refund_of_a_credit_note_pays_out(ledger):
    refund = payment("46.00", PaymentType="ARCREDITPAYMENT")
    journal = ledger.post_payment(refund, credit(line("40")), NOW)
    assert effect(journal) == [("090", "-46.00"), ("610", "46.00")]
    assert journal["SourceType"] == "ARCREDITPAYMENT"


def test_an_allocation_passes_through_tracking_transfers_as_recorded(ledger):
    journal = ledger.post_allocation(credit(line("40")), invoice(line("100")), Decimal("46.00"), DAY, NOW)
    assert effect(journal) == [("610", "46.00"), ("610", "-46.00"), ("877", "-46.00"), ("877", "46.00")]
    assert (journal["SourceType"], journal["SourceID"]) == ("ACCRECCREDIT", "n" * 8)


def bank_transaction(kind: str, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    record = {
        "BankTransactionID": "t" * 8, "Type": kind, "BankAccount": {"Code": "090"}, "Date": DAY,
        "CurrencyRate": ONE, "LineAmountTypes": "Inclusive", "LineItems": list(lines), **more,
    }  # fmt: skip
    return totals.priced(record, GST)


def test_money_spent_and_received_moves_the_bank(ledger):
    spent = ledger.post_bank_transaction(
        bank_transaction("SPEND", line("115", tax="INPUT2", code="429")), NOW
    )
    assert effect(spent) == [("090", "-115.00"), ("429", "100.00"), ("820", "15.00")]
    received = ledger.post_bank_transaction(bank_transaction("RECEIVE", line("115")), NOW)
    assert effect(received) == [("090", "115.00"), ("200", "-100.00"), ("820", "-15.00")]
    assert (spent["SourceType"], received["SourceType"]) == ("CASHPAID", "CASHREC")


@pytest.mark.parametrize(
    ("kind", "source", "lines"),
    [
        ("RECEIVE-OVERPAYMENT", "AROVERPAYMENT", [("090", "50.00"), ("610", "-50.00")]),
        ("RECEIVE-PREPAYMENT", "ARPREPAYMENT", [("090", "50.00"), ("200", "-50.00")]),
        ("SPEND-OVERPAYMENT", "APOVERPAYMENT", [("090", "-50.00"), ("800", "50.00")]),
        ("SPEND-PREPAYMENT", "APPREPAYMENT", [("090", "-50.00"), ("200", "50.00")]),
    ],
)
def test_prepayments_and_overpayments_are_held_for_the_contact(ledger, kind, source, lines):
    field = "OverpaymentID" if kind.endswith("OVERPAYMENT") else "PrepaymentID"
    journal = ledger.post_bank_transaction(
        bank_transaction(kind, line("50", tax="NONE"), **{field: "held"}), NOW
    )
    assert effect(journal) == lines
    assert (journal["SourceType"], journal["SourceID"]) == (source, "held")


def prepayment(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A customer's deposit, in the form in which it is stored beside its bank transaction."""
    record = credit(*lines, kind="RECEIVE-PREPAYMENT", PrepaymentID="r" * 8, **more)
    return {name: one for name, one in record.items() if not name.startswith("CreditNote")}


def test_a_prepayment_is_posted_by_its_lines_and_their_tax(ledger):
    """A prepayment accounts for the tax when the deposit is received."""
    deposit = bank_transaction("RECEIVE-PREPAYMENT", line("115", code="835"), PrepaymentID="r" * 8)
    journal = ledger.post_bank_transaction(deposit, NOW)
    assert effect(journal) == [("090", "115.00"), ("835", "-100.00"), ("820", "-15.00")]


def test_an_allocated_prepayment_reduces_its_lines(ledger):
    deposit = prepayment(line("60", code="835"), line("40", code="200"))
    first = ledger.post_allocation(deposit, invoice(line("100")), Decimal("38.33"), DAY, NOW)
    assert effect(first)[:4] == [("835", "20.00"), ("200", "13.33"), ("820", "5.00"), ("610", "-38.33")]
    used, _ = settlement.with_allocation(
        deposit, invoice(line("100")), allocation_id="a", amount=Decimal("38.33"), day=DAY, at=NOW
    )
    rest = ledger.post_payment(payment("76.67", PaymentType="ARPREPAYMENTPAYMENT"), used, LATER)
    assert effect(rest) == [("090", "-76.67"), ("835", "40.00"), ("200", "26.67"), ("820", "10.00")]


def test_a_transfer_between_currencies_is_one_amount_of_base(ledger):
    transfer = {
        "BankTransferID": "t",
        "Date": DAY,
        "Amount": Decimal("60.00"),
        "CurrencyRate": Decimal("0.6"),
    }
    accounts = {"FromBankAccount": {"Code": "092"}, "ToBankAccount": {"Code": "090"}}
    assert effect(ledger.post_transfer({**transfer, **accounts}, NOW)) == [
        ("092", "-100.00"),
        ("090", "100.00"),
    ]


def test_the_tax_of_a_manual_journal_is_posted_to_the_gst_account(ledger):
    lines = [
        {
            "LineAmount": Decimal("100.00"),
            "TaxAmount": Decimal("15.00"),
            "TaxType": "INPUT2",
            "AccountCode": "453",
        },
        {"LineAmount": Decimal("-115.00"), "TaxAmount": ZERO, "TaxType": "NONE", "AccountCode": "850"},
    ]
    manual = {"ManualJournalID": "m", "Narration": "By hand", "Date": DAY, "LineAmountTypes": "Exclusive"}
    journal = ledger.post_manual_journal({**manual, "JournalLines": lines}, NOW)
    assert effect(journal) == [("453", "100.00"), ("820", "15.00"), ("850", "-115.00")]
    assert journal["Reference"] == "By hand"


def test_a_reversal_has_its_own_number_and_the_old_date(ledger):
    journal = ledger.post_document(invoice(line("100")), NOW)
    reversal = ledger.reverse(journal, LATER)
    assert effect(reversal) == [("610", "-115.00"), ("200", "100.00"), ("820", "15.00")]
    assert (reversal["JournalNumber"], reversal["CreatedDateUTC"]) == (8, LATER)
    assert (reversal["JournalDate"], reversal["SourceID"]) == (DAY, journal["SourceID"])
    assert reversal["JournalID"] != journal["JournalID"]
    assert standing([journal, reversal], "i" * 8) == []


def test_a_journal_posted_again_after_a_reversal_counts(ledger):
    journal = ledger.post_document(invoice(line("100")), NOW)
    changed = ledger.post_document(invoice(line("120")), LATER)
    reversal = ledger.reverse(journal, LATER)
    assert standing([journal, changed, reversal], "i" * 8) == [changed]


def test_two_equal_allocations_are_not_mistaken_for_a_reversal(ledger):
    words = (credit(line("100")), invoice(line("100")), Decimal("20.00"), DAY, NOW)
    pair = [ledger.post_allocation(*words), ledger.post_allocation(*words)]
    assert standing(pair, "n" * 8) == pair


def test_the_journal_of_a_sale_includes_the_cost_of_stock(ledger):
    cost = Decimal("40.00")
    extra = [Posting(ledger.account({"Code": code}), net) for code, net in (("310", cost), ("630", -cost))]
    journal = ledger.post_document(invoice(line("100", tax="NONE")), NOW, extra)
    assert effect(journal)[2:] == [("310", "40.00"), ("630", "-40.00")]
