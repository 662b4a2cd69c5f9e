"""A table with a row for each line: its rows become whole documents."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from target_xero.intake.line_rows import Place, Row, RowSpool

from .conftest import Wiring, decode, record, schema, state

ABEL = [
    schema("contacts", "id"),
    record("contacts", id=1, Name="Abel"),
    record("contacts", id=2, Name="Bert"),
]
REGIONS = [
    schema("tracking_categories", "id"),
    record("tracking_categories", id=1, Name="Region", Options=[{"Name": "Eastside"}, {"Name": "Westside"}]),
    record("tracking_categories", id=2, Name="Cost Centre", Options=[{"Name": "Shop"}]),
]


def row(number: str, description: str, amount: Any, **values: Any) -> dict[str, Any]:
    given = {
        "invoice_number": number, "type": "ACCREC", "contact_name": "Abel", "due_date": "2026-12-01",
        "line_description": description, "line_quantity": 1, "line_unit_amount": amount, "line_account_code": "200",
        **values,
    }  # fmt: skip
    return record("invoices", **given)


KEYED = schema("invoices", "invoice_number")


def invoices(wiring: Wiring) -> dict[str, list[tuple[str, float]]]:
    """Every invoice by its number: description and amount of its lines."""
    return {
        one["InvoiceNumber"]: [(line["Description"], line["UnitAmount"]) for line in one["LineItems"]]
        for one in wiring.records("Invoices")
    }


# Rows that become documents


@pytest.mark.parametrize("keys", [("invoice_number",), (), ("invoice_number", "line_number"), ("line_id",)])
def test_rows_with_one_key_are_one_document_wherever_they_are(wiring: Wiring, keys: tuple[str, ...]):
    rows = [
        row("I-1", "Hull", 10, line_number=1, line_id=11),
        row("I-2", "Oar", 3, line_number=1, line_id=12),
        row("I-1", "Mast", 20, line_number=2, line_id=13),
        row("I-1", "Sail", 30, line_number=3, line_id=14),
        row("I-2", "Rope", 4, line_number=2, line_id=15),
    ]
    run = wiring.write(ABEL, schema("invoices", *keys), rows, state("all"))
    assert (run.error, run.rejected, run.states) == (None, [], ["all"])
    assert run.count("invoices") == {"created": 2}
    assert invoices(wiring) == {
        "I-1": [("Hull", 10), ("Mast", 20), ("Sail", 30)],
        "I-2": [("Oar", 3), ("Rope", 4)],
    }
    again = wiring.write(schema("invoices", *keys), rows)
    assert again.count("invoices") == {"unchanged": 2}


def test_every_column_of_a_line_is_written(wiring: Wiring):
    items = [schema("items", "id"), record("items", id=1, Code="TENT", Name="Tent")]
    columns = {
        "line_quantity": "2", "line_unit_amount": "12.50", "line_account_code": 200.0, "line_item_code": "TENT",
        "line_tax_type": "NONE", "line_discount_rate": "10", "line_tracking_region": "westside",
        "line_tracking_cost_centre": "Shop", "line_amount_types": "Inclusive",
    }  # fmt: skip
    run = wiring.write(REGIONS, items, ABEL, KEYED, row("I-1", "Hull", 0, **columns))
    assert run.rejected == []
    (invoice,) = wiring.records("Invoices")
    (line,) = invoice["LineItems"]
    assert (line["Quantity"], line["UnitAmount"], line["AccountCode"], line["ItemCode"]) == (
        2,
        12.5,
        "200",
        "TENT",
    )
    assert (line["TaxType"], line["DiscountRate"], line["LineAmount"]) == ("NONE", 10, 22.5)
    assert [(t["Name"], t["Option"]) for t in line["Tracking"]] == [
        ("Region", "Westside"),
        ("Cost Centre", "Shop"),
    ]
    assert invoice["LineAmountTypes"] == "Inclusive"
    assert not run.logged("no field")


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_lines_are_in_the_order_of_their_numbers(wiring: Wiring, order: tuple[int, ...]):
    rows = [row("I-1", name, 1, line_number=n) for name, n in (("Hull", 2), ("Mast", 10), ("Sail", 11))]
    wiring.write(ABEL, KEYED, [rows[place] for place in order])
    assert [name for name, _ in invoices(wiring)["I-1"]] == ["Hull", "Mast", "Sail"]


def test_a_changed_row_changes_its_line_and_a_removed_row_removes_it(wiring: Wiring):
    hull, mast = row("I-1", "Hull", 10), row("I-1", "Mast", 20)
    wiring.write(ABEL, KEYED, hull, mast, row("I-2", "Oar", 3))
    run = wiring.write(KEYED, row("I-1", "Hull", 11), row("I-2", "Oar", 3))
    assert run.count("invoices") == {"updated": 1, "unchanged": 1}
    assert invoices(wiring) == {"I-1": [("Hull", 11)], "I-2": [("Oar", 3)]}


def test_a_field_of_the_document_may_be_blank_in_some_rows(wiring: Wiring):
    blank = {"contact_name": "", "type": None, "due_date": " "}
    run = wiring.write(ABEL, KEYED, row("I-1", "Hull", 10, **blank), row("I-1", "Mast", 20))
    assert run.rejected == []
    assert invoices(wiring) == {"I-1": [("Hull", 10), ("Mast", 20)]}


def test_journals_without_a_key_are_distinguished_by_narration_and_date(wiring: Wiring):
    def line(narration: str, day: str, amount: Any) -> dict[str, Any]:
        return record(
            "manual_journals", narration=narration, date=day, account_code="200", line_amount=amount
        )

    rows = [
        line("Pay", "2026-11-30", 0.1 + 0.2), line("Rent", "2026-11-30", "5"), line("Pay", "2026-10-31", 7),
        line("Pay", "2026-11-30", -0.3), line("Pay", "2026-10-31", -7), line("Rent", "2026-11-30", "-5"),
    ]  # fmt: skip
    run = wiring.write(schema("manual_journals"), rows)
    assert run.rejected == []
    assert run.count("manual_journals") == {"created": 3}
    assert wiring.write(schema("manual_journals"), rows).count("manual_journals") == {"unchanged": 3}


def test_bills_without_a_key_are_distinguished_by_number_and_supplier(wiring: Wiring):
    rows = [
        row("7", "Hull", 1, type="ACCPAY"), row("7", "Oar", 2, type="ACCPAY", contact_name="Bert"),
        row("7", "Mast", 3, type="ACCPAY"),
    ]  # fmt: skip
    run = wiring.write(ABEL, schema("invoices"), rows)
    assert run.rejected == []
    found = {
        i["Contact"]["Name"]: [line["Description"] for line in i["LineItems"]]
        for i in wiring.records("Invoices")
    }
    assert found == {"Abel": ["Hull", "Mast"], "Bert": ["Oar"]}
    rows[2]["record"]["line_unit_amount"] = 4
    assert wiring.write(schema("invoices"), rows).count("invoices") == {"updated": 1, "unchanged": 1}


@pytest.mark.parametrize(
    ("stream", "path", "values"),
    [
        ("purchase_orders", "PurchaseOrders", {"purchase_order_number": "P-1"}),
        ("quotes", "Quotes", {"quote_number": "Q-1", "date": "2026-11-05"}),
        ("credit_notes", "CreditNotes", {"credit_note_number": "C-1", "type": "ACCRECCREDIT"}),
        ("bills", "Invoices", {"invoice_number": "B-1"}),
    ],
)
def test_all_documents_with_lines_can_be_rows(wiring: Wiring, stream: str, path: str, values: dict[str, Any]):
    common = {"contact_name": "Abel", **values}
    rows = [
        record(
            stream,
            **common,
            line_description=name,
            line_unit_amount=1,
            line_quantity=1,
            line_account_code="200",
        )
        for name in ("Hull", "Mast")
    ]
    run = wiring.write(ABEL, schema(stream), rows)
    assert run.rejected == []
    (document,) = wiring.records(path)
    assert [line["Description"] for line in document["LineItems"]] == ["Hull", "Mast"]


def test_bank_transactions_and_repeating_invoices_can_be_rows(wiring: Wiring):
    bank = record("accounts", id=1, Code="090", Name="Cheque", Type="BANK", BankAccountNumber="1")
    spent = {"id": 1, "contact_name": "Abel", "bank_account_code": "090", "date": "2026-11-05"}
    rows = [
        record("spend_money", **spent, description=name, quantity=1, unit_amount=amount, account_code="400")
        for name, amount in (("Hull", 10), ("Mast", 20))
    ]
    run = wiring.write(schema("accounts", "id"), bank, ABEL, schema("spend_money", "id"), rows)
    assert run.rejected == []
    (transaction,) = wiring.records("BankTransactions")
    assert (transaction["Type"], transaction["Total"]) == ("SPEND", 30)


def test_a_line_of_zero_is_a_line(wiring: Wiring):
    wiring.write(ABEL, KEYED, row("I-1", "", 0, line_quantity=0, line_account_code=""), row("I-1", "Hull", 1))
    assert len(wiring.records("Invoices")[0]["LineItems"]) == 2


def test_a_table_of_one_line_each_needs_no_prefix(wiring: Wiring):
    plain = {
        "Type": "ACCREC",
        "InvoiceNumber": "I-1",
        "ContactName": "Abel",
        "Description": "Hull",
        "UnitAmount": 5,
    }
    run = wiring.write(
        ABEL, schema("invoices", "InvoiceNumber"), record("invoices", **plain, AccountCode="200")
    )
    assert run.rejected == []
    assert invoices(wiring) == {"I-1": [("Hull", 5)]}


def test_a_record_with_lines_is_a_whole_document(wiring: Wiring):
    whole = {
        "LineItems": [{"Description": "Hull", "UnitAmount": 5, "Quantity": 1}],
        "Description": "A boat",
        "Quantity": 7,
    }
    given = {"Type": "ACCREC", "InvoiceNumber": "I-1", "ContactName": "Abel", **whole}
    run = wiring.write(ABEL, schema("invoices", "InvoiceNumber"), record("invoices", **given))
    assert invoices(wiring) == {"I-1": [("Hull", 5)]}
    assert run.logged("Description, Quantity ignored (no field of Xero's invoices)")


def test_the_schema_shows_a_table_of_lines_if_a_tap_omits_nulls(wiring: Wiring):
    columns = [*row("I-1", "", 0)["record"]]
    described = {**KEYED, "schema": {"properties": {name: {} for name in columns}}}
    head = {"invoice_number": "I-1", "type": "ACCREC", "contact_name": "Abel"}
    run = wiring.write(ABEL, described, record("invoices", **head), row("I-1", "Hull", 10))
    assert run.rejected == []
    assert invoices(wiring) == {"I-1": [("Hull", 10)]}


# Never half a document, and never one without lines

DIFFER = "rows 1 and 2 of invoices are of one document and differ in it"


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (row("I-1", "Mast", "twenty"), "row 2: LineItems[0].UnitAmount: expected a number such as 1234.50, got 'twen"),
        (row("I-1", "Mast", 20, due_date="2026-12-02"), f"DueDate: {DIFFER}"),
        (row("I-1", "Mast", 20, contact_name="Bert"), f"Contact: {DIFFER}"),
        (row("I-1", "Mast", 20, line_discount=5), "row 2: line_discount: it is ambiguous: use line_disc"),
        (row("I-1", "Mast", 20, line_total=5), "row 2: line_total: it is ambiguous: use line_amount"),
        (row("", "Mast", 20), "row 2: invoice_number: the key is empty"),
        (row("I-1", "Mast", 20, _sdc_deleted_at="2026-11-01"), "some of its rows are deleted and others are not"),
    ],
)  # fmt: skip
def test_a_document_with_one_bad_row_is_a_reject_as_a_whole(wiring: Wiring, bad: dict[str, Any], words: str):
    run = wiring.write(
        ABEL, KEYED, row("I-1", "Hull", 10), bad, row("I-1", "Sail", 30), row("I-2", "Oar", 3), state(1)
    )
    assert run.count("invoices") == {"rejected": 1, "created": 1}
    assert run.rejected[0][1].startswith(words)
    assert [stream for stream, _ in run.rejected] == ["invoices"] * 3
    assert invoices(wiring) == {"I-2": [("Oar", 3)]}
    assert run.states == [1]


def test_rows_without_lines_create_no_invoice(wiring: Wiring):
    blank = dict.fromkeys(("line_description", "line_quantity", "line_unit_amount", "line_account_code"), "")
    run = wiring.write(ABEL, KEYED, record("invoices", **{**row("I-1", "", 0)["record"], **blank}))
    assert run.rejected == [("invoices", "LineItems: it is required for a new record of invoices")]
    assert wiring.records("Invoices") == []


def test_an_invoice_without_lines_is_never_created(wiring: Wiring):
    bare = record("invoices", id=1, Type="ACCREC", contact_name="Abel", lines=[{"Description": "Hull"}])
    run = wiring.write(ABEL, schema("invoices", "id"), bare)
    assert run.rejected == [("invoices", "LineItems: it is required for a new record of invoices")]
    assert wiring.records("Invoices") == []


def test_a_key_for_each_line_is_a_reject(wiring: Wiring):
    rows = [row("I-1", "Hull", 10, id=1), row("I-1", "Mast", 20, id=2), row("I-2", "Oar", 3, id=3)]
    run = wiring.write(ABEL, schema("invoices", "id"), rows)
    assert run.count("invoices") == {"rejected": 2, "created": 1}
    assert "other rows have the same number under another key" in run.rejected[0][1]
    assert invoices(wiring) == {"I-2": [("Oar", 3)]}


def test_bills_of_one_supplier_with_one_number_and_several_keys_are_a_reject_on_one_day_only(wiring: Wiring):
    def bill(key: int, day: str) -> dict[str, Any]:
        return row("n/a", "Hull", 10, id=key, type="ACCPAY", date=day)

    rows = [bill(1, "2026-11-01"), bill(2, "2026-11-02"), bill(3, "2026-11-03"), bill(4, "2026-11-03")]
    run = wiring.write(ABEL, schema("invoices", "id"), rows)
    assert run.count("invoices") == {"created": 2, "rejected": 2}


def test_a_repeated_line_number_is_a_reject_unless_it_is_part_of_the_key(wiring: Wiring):
    rows = [row("I-1", "Hull", 10, line_number=1), row("I-1", "Mast", 20, line_number=1)]
    run = wiring.write(ABEL, KEYED, rows)
    assert run.rejected[0][1] == "rows 1 and 2 of invoices have the same number or key of a line"
    assert wiring.write(schema("invoices", "invoice_number", "line_number"), rows).rejected == run.rejected
    assert invoices(wiring) == {"I-1": [("Mast", 20)]}


@pytest.mark.parametrize("column", ["amount", "price"])
def test_an_ambiguous_amount_is_a_reject(wiring: Wiring, column: str):
    plain = {
        "Type": "ACCREC",
        "InvoiceNumber": "I-1",
        "ContactName": "Abel",
        "Description": "Hull",
        "AccountCode": "200",
    }
    run = wiring.write(ABEL, schema("invoices", "InvoiceNumber"), record("invoices", **plain, **{column: 5}))
    assert "it is ambiguous: use " in run.rejected[0][1]
    assert wiring.records("Invoices") == []


def test_rows_that_cannot_be_assigned_to_documents_are_rejects(wiring: Wiring):
    rows = [row("", "Hull", 10), row("", "Mast", 20)]
    run = wiring.write(ABEL, schema("invoices"), rows)
    assert run.count("invoices") == {"rejected": 1}
    assert "InvoiceNumber: it tells which rows are of one document, and is empty" in run.rejected[0][1]


def test_an_incremental_table_of_lines_is_warned_of_once(wiring: Wiring):
    by_changes = {**KEYED, "bookmark_properties": ["updated_at"]}
    run = wiring.write(ABEL, by_changes, row("I-1", "Hull", 10), row("I-1", "Mast", 20))
    assert len([m for m in run.messages if "Each document must come with all of its lines" in m]) == 1
    assert not wiring.write(KEYED, row("I-1", "Hull", 10)).logged("must come with all of its lines")


# States and rejects


def test_a_state_waits_for_the_document_of_its_first_row(wiring: Wiring):
    fault = wiring.xero.admin.fault("status", method="PUT", path="Invoices", status=401, count=0)
    assert fault
    run = wiring.write(
        ABEL, KEYED, state(0), row("I-1", "Hull", 10), state(1), row("I-2", "Oar", 3), state(2), row("I-1", "Mast", 20),
        state(3),
    )  # fmt: skip
    assert run.error is not None
    assert run.states == [0]
    wiring.xero.admin.clear_faults()
    assert wiring.write(KEYED, row("I-1", "Hull", 10), state(1), row("I-1", "Mast", 20), state(2)).states == [
        2
    ]


def test_all_rows_of_a_reject_are_in_the_file_and_can_be_corrected(wiring: Wiring):
    run = wiring.write(ABEL, KEYED, row("I-1", "Hull", 10), row("I-2", "Oar", 3), row("I-1", "Hull", "ten"))
    text = run.rejects.read_text()
    rows = [m["record"] for m in map(decode, text.splitlines()) if m["type"] == "RECORD"]
    assert [one["line_unit_amount"] for one in rows] == [10, "ten"]
    assert len({one["_rejected_id"] for one in rows}) == 1
    mended = wiring.write(text.replace('"ten"', "10"))
    assert mended.rejected == run.rejected
    assert mended.count("invoices") == {"created": 1}
    assert invoices(wiring)["I-1"] == [("Hull", 10), ("Hull", 10)]


def test_two_rejects_of_one_document_are_not_merged(wiring: Wiring):
    wiring.write(KEYED, row("I-1", "Hull", 10), row("I-1", "Mast", 20))
    run = wiring.write(KEYED, row("I-1", "Hull", 11), row("I-1", "Mast", 21))
    assert len(run.rejected) == 4
    assert wiring.write(ABEL, run.rejects.read_text()).count("invoices") == {"created": 1, "updated": 1}
    assert invoices(wiring) == {"I-1": [("Hull", 11), ("Mast", 21)]}


def test_a_document_that_the_source_deleted_ends_with_all_its_rows(wiring: Wiring):
    rows = [row("I-1", "Hull", 10), row("I-1", "Mast", 20)]
    wiring.write(ABEL, KEYED, rows)
    gone = [
        record("invoices", **{**one["record"], "_sdc_deleted_at": "2026-11-01T00:00:00Z"}) for one in rows
    ]
    assert wiring.write(KEYED, gone, deletes=True).count("invoices") == {"removed": 1}


def test_rows_come_through_a_stream_map(wiring: Wiring):
    names = {"nr": "I-1", "kind": "ACCREC", "who": "Abel", "text": "Hull", "price": 10}
    source = {**schema("lines", "nr"), "schema": {"properties": {name: {} for name in names}}}
    mapped = {
        "invoice_number": "nr", "type": "kind", "contact_name": "who", "line_description": "text",
        "line_unit_amount": "price", "__key_properties__": ["invoice_number"], "__alias__": "invoices",
        "__else__": None,
    }  # fmt: skip
    rows = [record("lines", **names), record("lines", **{**names, "text": "Mast"})]
    run = wiring.write(ABEL, source, rows, stream_maps={"lines": mapped})
    assert run.rejected == []
    assert [name for name, _ in invoices(wiring)["I-1"]] == ["Hull", "Mast"]


# Many rows


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=40))
def test_documents_have_all_their_rows_in_any_order_of_rows(order: list[int]):
    spool = RowSpool()
    for number, document in enumerate(order):
        spool.add(Place("invoices", "s", str(document)), Row(number, number, 0, {"n": number}))
    found = [(d.place.identity, [r.number for r in d.rows]) for d in spool.documents()]
    spool.close()
    first = list(dict.fromkeys(order))
    assert found == [(str(d), [n for n, one in enumerate(order) if one == d]) for d in first]


def test_a_hundred_thousand_rows_far_apart_take_little_memory(tmp_path: Path):
    import tracemalloc

    spool = RowSpool()
    tracemalloc.start()
    for number in range(100_000):
        spool.add(
            Place("invoices", "s", str(number % 50_000)), Row(number, number, 0, {"Reference": "x" * 20})
        )
    assert sum(len(document.rows) for document in spool.documents()) == 100_000
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    spool.close()
    assert most < 1_000_000
