"""After a run, Xero has the lines, amounts and dates of the source."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from hashlib import blake2b
from itertools import repeat
from typing import Any

import msgspec
import pytest

from singer_xero.api import dates
from target_xero.write_log.lines import LoggedLines

from .conftest import Wiring, record, schema

encode = msgspec.json.Encoder(decimal_format="number").encode
ABEL = [schema("contacts", "id"), record("contacts", id=1, Name="Abel")]


def sale(key: int, *line_items: dict[str, Any], **values: Any) -> dict[str, Any]:
    given = {"type": "ACCREC", "contact_name": "Abel", "due_date": "2026-12-01", "line_items": line_items}
    return record("invoices", id=key, **{**given, **values})


def line(description: str, **values: Any) -> dict[str, Any]:
    return {"description": description, "quantity": 1, "unit_amount": 40, "account_code": "200", **values}


# Amounts and dates


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"quantity": 2, "unit_amount": 50, "line_amount": 90}, "The line total 90.00 does not match"),
        (
            {"quantity": 8555500, "unit_amount": "0.000149611361", "line_amount": 1280},
            "The line total 1280.00 does not match the expected line total 855.55",
        ),
    ],
)
def test_a_line_amount_that_contradicts_its_price_is_a_reject(
    wiring: Wiring, values: dict[str, Any], words: str
):
    run = wiring.write(ABEL, schema("invoices", "id"), sale(1, line("Ads", **values)), sale(2, line("Work")))
    assert run.count("invoices") == {"created": 1, "rejected": 1}
    assert words in run.rejected[0][1]
    assert [one["Total"] for one in wiring.records("Invoices")] == [46]


def test_a_line_amount_determines_a_missing_quantity(wiring: Wiring):
    hours = {"description": "Hours", "unit_amount": 25, "line_amount": 100, "account_code": "200"}
    wiring.write(ABEL, schema("invoices", "id"), sale(1, hours, line_amount_types="NoTax"))
    (invoice,) = wiring.records("Invoices")
    assert (invoice["LineItems"][0]["Quantity"], invoice["Total"]) == (4, 100)


def test_dates_that_are_only_given_as_string_fields_are_written(wiring: Wiring):
    texts = {"date_string": "2026-11-02T00:00:00", "DueDateString": "2026-12-24T00:00:00"}
    wiring.write(ABEL, schema("invoices", "id"), sale(1, line("Work"), due_date=None, **texts))
    (invoice,) = wiring.records("Invoices")
    assert (dates.day(invoice["Date"]), dates.day(invoice["DueDate"])) == ("2026-11-02", "2026-12-24")


# Lines

BANK = record("accounts", id=1, Code="090", Name="Cheque", Type="BANK", BankAccountNumber="1")
REGION = record("tracking_categories", id=1, Name="Region", Options=[{"Name": "Eastside"}, {"Name": "West"}])
SETTING = [schema("accounts", "id"), BANK, schema("tracking_categories", "id"), REGION, *ABEL]
EAST = [{"name": "Region", "option": "Eastside"}]
#: What each document with lines needs besides, where Xero keeps it, and whether its lines may have a discount.
DOCUMENTS: dict[str, tuple[str, dict[str, Any], bool]] = {
    "sales": ("Invoices", {"type": "ACCREC", "status": "AUTHORISED", "due_date": "2026-12-01"}, True),
    "bills": ("Invoices", {"type": "ACCPAY", "status": "AUTHORISED", "due_date": "2026-12-01"}, False),
    "credit notes": ("CreditNotes", {"type": "ACCRECCREDIT", "status": "AUTHORISED"}, False),
    "bank transactions": ("BankTransactions", {"type": "SPEND", "bank_account_code": "090"}, False),
    "purchase orders": ("PurchaseOrders", {}, True),
    "quotes": ("Quotes", {}, True),
}


class Document:
    """One document of a kind, written again and again with other lines."""

    def __init__(self, wiring: Wiring, kind: str) -> None:
        self.wiring = wiring
        self.path, self.head, self.has_discounts = DOCUMENTS[kind]
        self.stream = {"Invoices": "invoices", "CreditNotes": "credit_notes"}.get(self.path) or (
            self.path.replace("Bank", "bank_").replace("Purchase", "purchase_").lower()
        )
        self.account = "200" if kind in {"sales", "credit notes", "quotes"} else "429"
        self.head = {"contact_name": "Abel", "date": "2026-11-05", **self.head}
        wiring.write(SETTING)

    def line(self, description: str, **values: Any) -> dict[str, Any]:
        found = line(description, **{"account_code": self.account, **values})
        return found if self.has_discounts else {k: v for k, v in found.items() if k != "discount_rate"}

    def write(
        self, *line_items: dict[str, Any], settings: dict[str, Any] | None = None, **values: Any
    ) -> Any:
        document = record(self.stream, id=1, **self.head, line_items=line_items, **values)
        run = self.wiring.write(schema(self.stream, "id"), document, **(settings or {}))
        assert run.rejected == []
        assert run.error is None
        return run

    def lines(self) -> list[dict[str, Any]]:
        (document,) = self.wiring.records(self.path)
        found: list[dict[str, Any]] = document["LineItems"]
        return found

    def ids(self) -> dict[str, str]:
        return {one["Description"]: one["LineItemID"] for one in self.lines()}


@pytest.fixture(params=DOCUMENTS)
def document(wiring: Wiring, request: pytest.FixtureRequest) -> Document:
    return Document(wiring, request.param)


def plain(one: dict[str, Any]) -> tuple[Any, ...]:
    """The discount, tax and tracking of a line."""
    tracking = [(each["Name"], each["Option"]) for each in one["Tracking"]]
    return one["Description"], one.get("DiscountRate", 0), one.get("TaxType"), tracking


def test_a_new_line_keeps_nothing_of_the_line_that_it_replaces(document: Document):
    sure = document.line("A", quantity=2, unit_amount=100, discount_rate=50, tax_type="NONE", tracking=EAST)
    other = document.line("B")
    document.write(sure, other)
    expected = document.lines()[1]
    assert plain(document.lines()[0])[2:] == ("NONE", [("Region", "Eastside")])
    assert document.write(other).count(document.stream) == {"updated": 1}
    assert document.lines() == [expected]


@pytest.mark.parametrize("gone", ["discount_rate", "tax_type", "tracking"])
def test_a_field_that_is_removed_from_a_line_is_removed_in_xero(document: Document, gone: str):
    said = document.line("A", discount_rate=50, tax_type="NONE", tracking=EAST)
    bare = {name: value for name, value in said.items() if name != gone}
    document.write(bare)
    (expected,) = document.lines()
    document.write(said, document.line("B"))
    document.write(bare, document.line("B"))
    now = document.lines()[0]
    assert now["LineItemID"] != expected["LineItemID"]
    assert {**now, "LineItemID": ""} == {**expected, "LineItemID": ""}


def test_an_appended_line_is_below_the_others(document: Document):
    document.write(document.line("A"), document.line("B"))
    document.write(*(document.line(one) for one in "ABC"))
    assert list(document.ids()) == ["A", "B", "C"]
    document.write(*(document.line(one) for one in "CXAB"))
    assert list(document.ids()) == ["C", "X", "A", "B"]


def test_lines_keep_their_ids_when_others_are_changed_removed_or_inserted_above(document: Document):
    document.write(*(document.line(one) for one in "ABC"))
    before = document.ids()
    dearer = document.line("B", unit_amount=41, tracking=EAST)
    document.write(document.line("A"), dearer, document.line("C"))
    assert document.ids() == before
    document.write(document.line("X"), dearer, document.line("C"))
    assert {name: document.ids()[name] for name in "BC"} == {name: before[name] for name in "BC"}
    assert [plain(one)[3] for one in document.lines()] == [[], [("Region", "Eastside")], []]


def test_looked_up_lines_have_prices_with_four_places(document: Document):
    dear = document.line("A", quantity=1000, unit_amount="1.2345")
    document.write(dear, document.line("B"))
    before = document.ids()
    settings = {"write_log_path": str(document.wiring.folder / "other.db")}
    own = {f"{document.path[:-1]}ID": document.wiring.records(document.path)[0][f"{document.path[:-1]}ID"]}
    document.write(dear, document.line("B", unit_amount=41), settings=settings, **own)
    assert document.ids() == before


def test_a_tax_type_that_xero_filled_in_changes_with_the_account(wiring: Wiring):
    document = Document(wiring, "sales")
    document.write(document.line("A"), line_amount_types="Exclusive")
    (before,) = document.lines()
    assert before["TaxType"] == "OUTPUT2"
    exempt = record("accounts", id=2, Code="299", Name="Exports", Type="REVENUE", TaxType="NONE")
    wiring.write(schema("accounts", "id"), exempt)
    document.write(document.line("A", account_code="299"), line_amount_types="Exclusive")
    assert document.lines()[0]["TaxType"] == "NONE"
    document.write(document.line("A"), line_amount_types="NoTax")
    assert document.lines()[0]["TaxType"] == "NONE"
    document.write(document.line("A"), line_amount_types="Exclusive")
    assert document.lines()[0]["TaxType"] == "OUTPUT2"


def test_an_adopted_document_keeps_no_discount_or_tracking_that_the_record_lacks(
    document: Document,
):
    said = [document.line("A", discount_rate=50, tax_type="NONE", tracking=EAST), document.line("B")]
    document.write(*said)
    before = document.ids()
    settings = {"write_log_path": str(document.wiring.folder / "other.db")}
    own = {f"{document.path[:-1]}ID": document.wiring.records(document.path)[0][f"{document.path[:-1]}ID"]}
    document.write(document.line("A"), document.line("B", unit_amount=41), settings=settings, **own)
    assert plain(document.lines()[0])[1:] == (0, plain(document.lines()[1])[2], [])
    assert document.ids()["B"] == before["B"]


def as_before(document: Document, line_of: Callable[[str, str, dict[str, Any]], str]) -> None:
    """Store the lines as version 3 of the log did: `line_of` gets an id, the tax of all lines, and a line."""
    with closing(sqlite3.connect(document.wiring.config["write_log_path"])) as log:
        found = log.execute("SELECT key, lines FROM record WHERE lines IS NOT NULL").fetchall()
        assert found
        for key, stored in found:
            new = LoggedLines.of(stored.encode())
            types = new.written.get("LineAmountTypes", "")
            old = [
                line_of(*one) for one in zip(new.ids, repeat(types), new.written["LineItems"], strict=False)
            ]
            log.execute("UPDATE record SET lines = ? WHERE key = ?", (",".join(old), key))
        log.execute("PRAGMA user_version = 3")
        log.commit()


def with_prints(xero_id: str, types: str, line: dict[str, Any]) -> str:
    fields = [f"LineAmountTypes={_printed(types.casefold())}"] if types else []
    for name, value in line.items():
        if name not in {"Tracking", "LineItemID"}:
            fields.append(f"{name}={_printed(value)}")
        for one in value if name == "Tracking" else ():
            category, option = (_printed(one[field].casefold()) for field in ("Name", "Option"))
            fields.append(f"Tracking {category}={option}")
    return ";".join([xero_id, *fields])


def _printed(value: Any) -> str:
    return blake2b(msgspec.json.encode(value), digest_size=6).hexdigest()


def test_a_log_of_version_three_still_tells_which_lines_have_changed(document: Document):
    said = [document.line("A", discount_rate=50, tracking=EAST), document.line("B", quantity=2)]
    document.write(*said, document.line("C"), line_amount_types="Exclusive")
    before = document.ids()
    as_before(document, with_prints)
    document.write(*said, document.line("C", unit_amount=41), line_amount_types="Exclusive")
    assert document.ids() == before
    assert document.lines()[2]["UnitAmount"] == 41
    as_before(document, with_prints)
    document.write(
        document.line("A"),
        document.line("B", quantity=2),
        document.line("C", unit_amount=41),
        line_amount_types="Exclusive",
    )
    after = document.ids()
    assert plain(document.lines()[0])[1::2] == (0, [])
    assert (after["A"] != before["A"], after["B"], after["C"]) == (True, before["B"], before["C"])


def test_the_ids_of_lines_in_the_source_are_kept_in_a_log_of_version_three(document: Document):
    said = [document.line(name, line_item_id=f"0f0f0f0f-0000-4000-8000-00000000000{place}")
            for place, name in enumerate("ABC")]  # fmt: skip
    document.write(*said)
    before = document.ids()
    own = {before[one["description"]]: one["line_item_id"] for one in said}
    as_before(document, lambda xero, types, line: f"{with_prints(xero, types, line)};={own[xero]}")
    document.write(said[0], {**said[1], "description": "New"}, said[2])
    assert document.ids() == {"A": before["A"], "New": before["B"], "C": before["C"]}


def test_lines_written_by_an_older_version_are_looked_up_before_a_change(document: Document):
    document.write(document.line("A", discount_rate=50, tracking=EAST), document.line("B"))
    before = document.ids()
    as_before(document, lambda xero_id, *_: xero_id)
    document.write(document.line("A"), document.line("B", unit_amount=41))
    assert plain(document.lines()[0])[1::2] == (0, [])
    assert document.ids()["B"] == before["B"]


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[0].update(DiscountAmount=5, LineAmount=35),
        lambda lines: lines[1].update(Tracking=lines[2]["Tracking"]),
        lambda lines: lines.reverse(),
        lambda lines: lines[2].update(LineItemID="0f0f0f0f-0000-4000-8000-000000000000"),
        lambda lines: lines.pop(0),
        lambda lines: lines.insert(1, {**lines[0], "LineItemID": "0f0f0f0f-0000-4000-8000-000000000000"}),
    ],
    ids=["a discount", "tracking", "another order", "a line made anew", "a line taken away", "a line more"],
)
def test_the_next_change_of_the_source_replaces_changes_made_in_xero(
    document: Document, change: Callable[[list[dict[str, Any]]], object]
):
    said = [document.line("A"), document.line("B"), document.line("C", tracking=EAST)]
    document.write(*said)
    expected = [{**one, "LineItemID": ""} for one in document.lines()]
    lines = document.lines()
    change(lines)
    if not document.has_discounts:
        lines[0] = {name: value for name, value in lines[0].items() if name != "DiscountAmount"}
    (found,) = document.wiring.records(document.path)
    document.wiring.xero.admin.edit(
        document.path, found[f"{document.path[:-1]}ID"], document.wiring.tenant, LineItems=lines
    )
    run = document.write(*said, reference="New")
    assert [{**one, "LineItemID": ""} for one in document.lines()] == expected
    assert run.count(document.stream) == {"updated": 1}
    assert document.write(*said, reference="New").count(document.stream) == {"unchanged": 1}


@pytest.mark.parametrize(
    ("fault", "after"), [("server_error", 1), ("reset_before", 1), ("reset_after", 0), ("reset_after", 1)]
)
def test_the_next_run_corrects_lines_that_an_interrupted_run_left(wiring: Wiring, fault: str, after: int):
    document = Document(wiring, "sales")
    said = [document.line("A"), document.line("B")]
    document.write(*said)
    expected = [{**one, "LineItemID": ""} for one in document.lines()]
    (found,) = wiring.records("Invoices")
    lines = [{**found["LineItems"][0], "DiscountAmount": 5, "LineAmount": 35}, *found["LineItems"][1:]]
    wiring.xero.admin.edit("Invoices", found["InvoiceID"], wiring.tenant, LineItems=lines)
    wiring.xero.admin.fault(fault, method="POST", path="Invoices", after=after)
    changed = [
        schema("invoices", "id"),
        record("invoices", id=1, **document.head, line_items=said, reference="New"),
    ]
    assert wiring.write(changed, tries=1).error is not None
    wiring.xero.admin.clear_faults()
    run = wiring.write(changed)
    assert (run.error, run.rejected, run.count("invoices").get("different")) == (None, [], None)
    assert [{**one, "LineItemID": ""} for one in document.lines()] == expected
    assert len(wiring.records("Invoices")) == 1
    assert wiring.write(changed).count("invoices") == {"unchanged": 1}


# Documents that take no lines any more


def paid(wiring: Wiring, **values: Any) -> list[dict[str, Any]]:
    """A sales invoice, and the payment that pays it; the invoice as it is sent."""
    invoice = [schema("invoices", "id"), sale(1, line("A", tracking=EAST), line("B"), **values)]
    payment = {"account_code": "090", "date": "2026-11-06", "amount": 92}
    wiring.write(
        SETTING, invoice, schema("payments", "id"), record("payments", id=1, invoice_number="I-1", **payment)
    )
    assert wiring.records("Invoices")[0]["Status"] == "PAID"
    return invoice


HEAD = {"invoice_number": "I-1", "status": "AUTHORISED", "date": "2026-11-05", "url": "https://a.example"}


def test_a_paid_invoice_accepts_a_new_reference_that_is_sent_alone(wiring: Wiring):
    paid(wiring, **HEAD)
    before = wiring.records("Invoices")[0]["LineItems"]
    changed = {"reference": "Order 7", "due_date": "2026-12-24", "url": "https://b.example"}
    stream = [schema("invoices", "id"), sale(1, line("A", tracking=EAST), line("B"), **{**HEAD, **changed})]
    run = wiring.write(stream)
    assert (run.count("invoices"), run.rejected) == ({"updated": 1}, [])
    (invoice,) = wiring.records("Invoices")
    assert (invoice["Reference"], dates.day(invoice["DueDate"])) == ("Order 7", "2026-12-24")
    assert (invoice["Url"], invoice["LineItems"], invoice["Status"]) == ("https://b.example", before, "PAID")
    assert wiring.write(stream).count("invoices") == {"unchanged": 1}


def test_many_paid_invoices_cost_three_additional_calls_in_all(wiring: Wiring):
    wiring.write(SETTING)
    heads = [{**HEAD, "invoice_number": f"I-{n}"} for n in range(30)]
    payments = [
        record("payments", id=n, invoice_number=f"I-{n}", account_code="090", date="2026-11-06", amount=46)
        for n in range(30)
    ]
    documents = [sale(n, line("A"), **head) for n, head in enumerate(heads)]
    wiring.write(schema("invoices", "id"), documents, schema("payments", "id"), payments)
    wiring.xero.admin.forget_calls()
    changed = [sale(n, line("A"), **head, reference=f"R{n}") for n, head in enumerate(heads)]
    assert wiring.write(schema("invoices", "id"), changed).count("invoices") == {"updated": 30}
    assert len(wiring.xero.admin.calls("/Invoices")) == 3
    assert {one["Reference"] for one in wiring.records("Invoices")} == {f"R{n}" for n in range(30)}


def test_changed_lines_of_a_paid_invoice_are_a_reject_with_xero_s_message(wiring: Wiring):
    paid(wiring, **HEAD)
    for lines in ([line("A"), line("B")], [line("A", tracking=EAST)], [line("B"), line("A", tracking=EAST)]):
        run = wiring.write(schema("invoices", "id"), sale(1, *lines, **HEAD, reference="Order 7"))
        assert run.count("invoices") == {"rejected": 1}
        assert "cannot be edited as it has a payment or credit note allocated to it" in run.rejected[-1][1]
    assert [plain(one)[3] for one in wiring.records("Invoices")[0]["LineItems"]] == [
        [("Region", "Eastside")],
        [],
    ]


def test_a_paid_invoice_with_the_same_content_is_unchanged(wiring: Wiring):
    stream = paid(wiring, **HEAD)
    settings = {"write_log_path": str(wiring.folder / "other.db")}
    own = {"InvoiceID": wiring.records("Invoices")[0]["InvoiceID"]}
    run = wiring.write(
        schema("invoices", "id"), record("invoices", **{**stream[1]["record"], **own}), **settings
    )
    assert (run.count("invoices"), run.rejected) == ({"unchanged": 1}, [])


def test_a_line_of_a_formerly_paid_invoice_is_known_as_xero_has_it(wiring: Wiring):
    """A discount is added in Xero, then in the source, and then removed from the source."""
    wiring.write(SETTING)
    document = [schema("invoices", "id"), sale(1, line("A"), line("B"), **HEAD)]
    wiring.write(document)
    invoice = wiring.records("Invoices")[0]
    first, second = ({"LineItemID": one["LineItemID"]} for one in invoice["LineItems"])
    client = wiring.client(1)
    lines = [{**first, "DiscountRate": 50}, second]
    body = {"Invoices": [{"InvoiceID": invoice["InvoiceID"], "LineItems": lines}]}
    client.send(
        "POST",
        wiring.tenant,
        "Invoices",
        body=encode(body),
        idempotency_key="x",
    )
    client.close()
    payment = {"invoice_number": "I-1", "account_code": "090", "date": "2026-11-06", "amount": 1}
    wiring.write(schema("payments", "id"), record("payments", id=1, **payment))
    half = sale(1, line("A", discount_rate=50), line("B"), **HEAD, reference="R")
    assert wiring.write(schema("invoices", "id"), half).count("invoices") == {"updated": 1}
    gone = record("payments", id=1, _sdc_deleted_at="2026-11-07T00:00:00Z", **payment)
    wiring.write(schema("payments", "id"), gone, deletes=True)
    wiring.write(document)
    assert [plain(one)[1] for one in wiring.records("Invoices")[0]["LineItems"]] == [0, 0]


# Records that say nothing but their end


@pytest.mark.parametrize("known", [True, False])
def test_a_contact_is_archived_by_its_status_alone(wiring: Wiring, known: bool):
    wiring.write(ABEL)
    settings = {} if known else {"write_log_path": str(wiring.folder / "other.db")}
    archived = record(
        "contacts", ContactID=wiring.records("Contacts")[0]["ContactID"], ContactStatus="ARCHIVED"
    )
    stream = [schema("contacts", "ContactID"), archived]
    wiring.xero.admin.forget_calls()
    assert wiring.write(stream, **settings).count("contacts") == {"skipped": 1}
    assert wiring.writes() == []
    assert wiring.write(stream, deletes=True, **settings).count("contacts") == {"removed": 1}
    assert [call["method"] for call in wiring.writes()] == ["POST"]
    assert wiring.records("Contacts")[0]["ContactStatus"] == "ARCHIVED"
    assert wiring.write(stream, deletes=True, **settings).count("contacts") == {"unchanged": 1}


def test_a_record_with_only_an_id_is_not_sent(wiring: Wiring):
    wiring.write(ABEL)
    wiring.xero.admin.forget_calls()
    here, nowhere = wiring.records("Contacts")[0]["ContactID"], "6a40b05b-d926-5f37-a9b6-c937434088c3"
    settings = {"write_log_path": str(wiring.folder / "other.db")}
    stream = [
        schema("contacts", "ContactID"),
        *(record("contacts", ContactID=one) for one in (here, nowhere)),
    ]
    run = wiring.write(stream, **settings)
    assert run.count("contacts") == {"unchanged": 1, "rejected": 1}
    assert "Xero has no record with this id" in run.rejected[0][1]
    assert wiring.writes() == []
