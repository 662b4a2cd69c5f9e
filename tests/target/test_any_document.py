"""Any document with lines, after any changes, reads back through tap-xero with the content of the source."""

from __future__ import annotations

import io
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tap_xero.tap import TapXero
from target_xero.target import TargetXero
from xero_sandbox import Sandbox, apps

from .conftest import decode, lines, record, schema
from .test_round_trip import Recorder

CENT = Decimal("0.01")
RATES = {"OUTPUT2": 15, "INPUT2": 15, "NONE": 0, None: 0}
#: What Xero fills in where a line does not say it.
DEFAULT_TAX = {"200": "OUTPUT2", "260": "OUTPUT2", "429": "INPUT2", "400": "INPUT2"}
ITEM = {"Code": "KAYAK", "Description": "A kayak", "UnitPrice": Decimal("12.5")}
REGIONS, PEOPLE = ("East", "West"), ("Ada", "Bert")


@dataclass(frozen=True)
class Kind:
    """A kind of document with lines: its stream, its fields, and the fields of its lines."""

    stream: str
    head: dict[str, Any]
    sale: bool = True
    discounts: bool = False
    items: bool = True
    taxed: bool = True
    amounts: str = "Exclusive"
    day: str = "due_date"
    price_places: int = 4
    changes: bool = True

    @property
    def accounts(self) -> list[str]:
        return ["200", "260"] if self.sale else ["429", "400"]


KINDS = {
    "sale": Kind("invoices", {"type": "ACCREC", "status": "AUTHORISED"}, discounts=True),
    "draft": Kind("invoices", {"type": "ACCREC", "status": "DRAFT"}, discounts=True),
    "bill": Kind("invoices", {"type": "ACCPAY", "status": "AUTHORISED"}, sale=False),
    "credit note": Kind("credit_notes", {"type": "ACCRECCREDIT", "status": "AUTHORISED"}),
    "spent money": Kind(
        "bank_transactions", {"type": "SPEND", "bank_account_code": "090"}, sale=False, amounts="Inclusive", day=""
    ),
    "order": Kind("purchase_orders", {}, sale=False, discounts=True, day="delivery_date"),
    # Lists of quotes have no items.
    "quote": Kind("quotes", {}, discounts=True, items=False, taxed=False, day="expiry_date"),
    "template": Kind(
        "repeating_invoices",
        {"type": "ACCREC", "status": "DRAFT", "schedule": {
            "period": 1, "unit": "MONTHLY", "due_date": 20, "due_date_type": "OFFOLLOWINGMONTH",
            "start_date": "2027-01-01",
        }}, discounts=True, day="", price_places=2, changes=False,
    ),
}  # fmt: skip


def numbers(least: str, most: str, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(least), Decimal(most), places=places)


# Documents and their changes


#: What a line says unless an item says it.
NEEDED = {"description", "unit_amount", "account_code"}


@st.composite
def any_line(draw: st.DrawFn, kind: Kind, amounts: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": draw(st.sampled_from(["Hull", "Mast", "Sail"])),
        "unit_amount": draw(numbers("1", "200", draw(st.sampled_from([0, 2, kind.price_places])))),
        "account_code": draw(st.sampled_from(kind.accounts)),
    }
    for name in optional(kind, amounts):
        if draw(st.booleans()):
            found |= draw(OPTIONAL[name](kind))
    if "item_code" in found:
        for name in sorted(NEEDED):
            if draw(st.booleans()):
                del found[name]
    return found


def says(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return values.map(lambda value: {name: value})


def tracked(places: dict[str, int]) -> list[dict[str, str]]:
    options = {"Region": REGIONS, "Person": PEOPLE}
    return [{"name": name, "option": options[name][place]} for name, place in places.items()]


#: What a line may say besides, and may stop to say.
OPTIONAL: dict[str, Callable[[Kind], st.SearchStrategy[dict[str, Any]]]] = {
    "quantity": lambda _: says(
        "quantity", st.sampled_from([0, 2, 4]).flatmap(lambda p: numbers("1", "50", p))
    ),
    "tax_type": lambda kind: says(
        "tax_type", st.sampled_from(["OUTPUT2" if kind.sale else "INPUT2", "NONE"])
    ),
    "tracking": lambda _: says(
        "tracking",
        st.dictionaries(st.sampled_from(["Region", "Person"]), st.integers(0, 1), min_size=1).map(tracked),
    ),
    "discount": lambda _: st.one_of(
        says("discount_rate", numbers("0.5", "50", 1)), says("discount_amount", numbers("0.01", "0.5", 2))
    ),
    "item": lambda _: st.just({"item_code": "KAYAK"}),
    "line_amount": lambda _: st.just({"line_amount": None}),
}


def optional(kind: Kind, amounts: str) -> list[str]:
    left_out = set() if kind.discounts else {"discount"}
    left_out |= set() if kind.items else {"item"}
    left_out |= {"tax_type"} if amounts == "NoTax" else set()
    return [name for name in OPTIONAL if name not in left_out]


@st.composite
def any_document(draw: st.DrawFn, kind: Kind) -> list[dict[str, Any]]:
    """A document as the source sends it at first, and after each of a few changes."""
    amounts = draw(st.sampled_from(["Exclusive", "Inclusive", "NoTax"]))
    document = {
        **kind.head,
        "contact_name": draw(st.sampled_from(["Abel", "Cain"])),
        "date": draw(DAYS),
        "line_amount_types": amounts,
        "line_items": draw(st.lists(any_line(kind, amounts), min_size=1, max_size=5)),
    }
    if kind.day:
        document[kind.day] = draw(DAYS)
    if kind.stream == "repeating_invoices":
        del document["date"]
    found = [document]
    for _ in range(draw(st.integers(1, 3)) if kind.changes else 0):
        found.append(draw(changed(kind, found[-1])))
    return found


DAYS = st.integers(1, 28).map(lambda number: f"2026-12-{number:02}")


@st.composite
def changed(draw: st.DrawFn, kind: Kind, document: dict[str, Any]) -> dict[str, Any]:
    amounts = document["line_amount_types"]
    there = [dict(one) for one in document["line_items"]]
    for change in draw(
        st.lists(st.sampled_from(["add", "remove", "move", "copy", "drop", "set"]), max_size=4)
    ):
        place = draw(st.integers(0, len(there) - 1))
        line = there[place]
        if change == "add":
            there.insert(draw(st.integers(0, len(there))), draw(any_line(kind, amounts)))
        elif change == "remove" and len(there) > 1:
            del there[place]
        elif change == "move":
            there.insert(draw(st.integers(0, len(there) - 1)), there.pop(place))
        elif change == "copy":
            there.insert(draw(st.integers(0, len(there))), dict(line))
        elif change == "drop":
            bare = {"item_code"} if {"description", "unit_amount", "account_code"} <= line.keys() else set()
            names = sorted(
                line.keys() - {"description", "unit_amount", "account_code", "item_code"} | bare & line.keys()
            )
            if names:
                del line[draw(st.sampled_from(names))]
        elif change == "set":
            new = draw(any_line(kind, amounts))
            name = draw(st.sampled_from(sorted(new)))
            for other in ("discount_rate", "discount_amount") if name.startswith("discount") else ():
                line.pop(other, None)
            line[name] = new[name]
    head = {"reference": draw(st.sampled_from(["R1", "R2"]))} if draw(st.booleans()) else {}
    head |= {"contact_name": draw(st.sampled_from(["Abel", "Cain"]))} if draw(st.booleans()) else {}
    return {**document, **head, "line_items": there}


@st.composite
def any_journal(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Journals have lines without ids: a change replaces them all."""

    def one() -> dict[str, Any]:
        amounts = draw(st.lists(numbers("1", "900", 2), min_size=1, max_size=4))
        found = [
            {"line_amount": amount, "account_code": draw(st.sampled_from(["429", "400"]))}
            for amount in amounts
        ]
        found.append({"line_amount": -sum(amounts), "account_code": "825"})
        for line in found:
            if draw(st.booleans()):
                line["description"] = draw(st.sampled_from(["Hull", "Mast"]))
            if draw(st.booleans()):
                line |= draw(OPTIONAL["tracking"](KINDS["bill"]))
        status = {"status": "POSTED", "narration": "Pay", "date": "2026-11-05"}
        return {**status, "journal_lines": draw(st.permutations(found))}

    return [one() for _ in range(draw(st.integers(1, 3)))]


# What Xero is to hold


def cents(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)


def amount_of(line: dict[str, Any]) -> Decimal:
    gross = Decimal(line.get("quantity", 1)) * line.get("unit_amount", ITEM["UnitPrice"])
    if "discount_rate" in line:
        gross *= 1 - line["discount_rate"] / 100
    return cents(gross - line.get("discount_amount", 0))


def tax_of(kind: Kind, amounts: str, line: dict[str, Any]) -> str | None:
    if amounts == "NoTax":
        return "NONE" if kind.taxed else None
    if "tax_type" in line or not kind.taxed:
        return line.get("tax_type")
    return DEFAULT_TAX[line.get("account_code") or item_account(kind)]


def item_account(kind: Kind) -> str:
    return "260" if kind.sale else "400"


def tracking_of(found: list[dict[str, Any]] | None) -> list[tuple[str, str]]:
    return sorted((one.get("name") or one["Name"], one.get("option") or one["Option"]) for one in found or [])


def expected_line(kind: Kind, amounts: str, line: dict[str, Any]) -> dict[str, Any]:
    return {
        "Description": line.get("description", ITEM["Description"]),
        "Quantity": Decimal(line.get("quantity", 1)),
        "UnitAmount": line.get("unit_amount", ITEM["UnitPrice"]),
        "LineAmount": amount_of(line),
        "AccountCode": line.get("account_code") or item_account(kind),
        "TaxType": tax_of(kind, amounts, line),
        "Tracking": tracking_of(line.get("tracking")),
        "DiscountRate": line.get("discount_rate", 0),
        "DiscountAmount": line.get("discount_amount", 0),
        "ItemCode": line.get("item_code"),
    }


def read_line(line: dict[str, Any]) -> dict[str, Any]:
    numbers = ("Quantity", "UnitAmount", "LineAmount", "DiscountRate", "DiscountAmount")
    texts = ("Description", "AccountCode", "TaxType", "ItemCode")
    return {
        **{name: Decimal(str(line.get(name) or 0)) for name in numbers},
        **{name: line.get(name) or None for name in texts},
        "Tracking": tracking_of(line["Tracking"]),
    }


def expected_totals(kind: Kind, document: dict[str, Any]) -> tuple[Decimal, Decimal]:
    """SubTotal and Total: tax is rounded for each line."""
    amounts, net, tax = document["line_amount_types"], Decimal(0), Decimal(0)
    for line in document["line_items"]:
        amount, rate = amount_of(line), RATES[tax_of(kind, amounts, line)]
        mine = cents(amount * rate / (100 + rate) if amounts == "Inclusive" else amount * rate / 100)
        tax += mine
        net += amount - mine if amounts == "Inclusive" else amount
    return net, net + tax


# Writing and reading


@dataclass
class Company:
    """An organisation that documents are written to and read from."""

    sandbox: Sandbox
    folder: Path
    last: int = 0
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        tenant = self.sandbox.admin.organisations()[0]["tenant_id"]
        self.config = {
            **apps.CUSTOM_CONNECTION.settings(self.sandbox.url),
            "tenant_ids": [tenant],
            "token_path": str(self.folder / "tokens.json"),
        }
        side = {"UnitPrice": ITEM["UnitPrice"]}
        categories = (("Region", REGIONS), ("Person", PEOPLE))
        self.write(
            [
                schema("accounts", "id"),
                record("accounts", id=1, Code="090", Name="Cheque", Type="BANK", BankAccountNumber="1"),
                schema("tracking_categories", "id"),
                *(
                    record("tracking_categories", id=name, Name=name, Options=[{"Name": one} for one in options])
                    for name, options in categories
                ),
                schema("contacts", "id"),
                *(record("contacts", id=name, Name=name) for name in ("Abel", "Cain")),
                schema("items", "id"),
                record(
                    "items", id=1, Code="KAYAK", Name="Kayak", Description="A kayak", PurchaseDescription="A kayak",
                    SalesDetails={**side, "AccountCode": "260"}, PurchaseDetails={**side, "AccountCode": "400"},
                ),
            ]
        )  # fmt: skip

    def write(self, messages: list[dict[str, Any]]) -> None:
        """Let target-xero write records; it rejects none, and Xero answers with what they say."""
        paths = {"write_log_path": "writes.db", "rejects_path": "rejects.singer"}
        target = TargetXero(
            config={**self.config, **{name: str(self.folder / file) for name, file in paths.items()}}
        )
        target.listen(io.StringIO(lines(*messages)))
        rejects = self.folder / "rejects.singer"
        assert not rejects.exists(), rejects.read_text()
        assert target.summary.total.different == 0

    def read(self) -> dict[str, dict[str, Any]]:
        """All documents as tap-xero reads them, by their ids."""
        streams = {kind.stream for kind in KINDS.values()} | {"manual_journals"}
        recorder = Recorder()
        tap = TapXero(config=dict(self.config), message_writer=recorder)
        for entry in tap.catalog.streams:
            entry.metadata.root.selected = entry.tap_stream_id in streams
        tap = TapXero(config=dict(self.config), message_writer=recorder, catalog=tap.catalog.to_dict())
        try:
            tap.sync_all()
        finally:
            tap.close()
        assert tap.failures == []
        found = {}
        for line in recorder.text.decode().splitlines():
            message = decode(line)
            if message["type"] == "RECORD":
                key = message["stream"].removesuffix("s").title().replace("_", "") + "ID"
                found[message["record"][key]] = message["record"]
        return found

    def ids(self) -> dict[tuple[str, str], str]:
        """Xero's ids by stream and the source's key."""
        with sqlite3.connect(f"file:{self.folder / 'writes.db'}?mode=ro", uri=True) as log:
            rows = log.execute("SELECT object, key, xero_id FROM record").fetchall()
        log.close()
        return {
            (name, json.loads(key)[2]["id"]): xero_id
            for name, key, xero_id in rows
            if "id" in json.loads(key)[2]
        }


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    with Sandbox(company="empty", limits=False) as sandbox, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", io.StringIO())
        yield Company(sandbox, tmp_path_factory.mktemp("documents"))


HISTORIES = st.fixed_dictionaries({name: any_document(kind) for name, kind in KINDS.items()})


# Each example is several runs of target and tap, and to shrink one takes minutes. The same few examples each time;
# XERO_TEST_DOCUMENTS asks for so many new ones.
_MORE = int(os.environ.get("XERO_TEST_DOCUMENTS", "0"))


@settings(
    max_examples=_MORE or 8, derandomize=not _MORE, deadline=None, suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate], database=None,
)  # fmt: skip
@given(histories=HISTORIES, journals=any_journal())
def test_any_document_reads_back_unchanged_after_every_change(
    company: Company, histories: dict[str, list[dict[str, Any]]], journals: list[dict[str, Any]]
):
    company.last += 1
    keys = {name: f"{company.last}.{name}" for name in [*KINDS, "journal"]}
    for turn in range(max(len(journals), *map(len, histories.values()))):
        now = {name: found[min(turn, len(found) - 1)] for name, found in histories.items()}
        journal = journals[min(turn, len(journals) - 1)]
        messages = []
        for name, kind in KINDS.items():
            messages += [schema(kind.stream, "id"), record(kind.stream, id=keys[name], **sent(now[name]))]
        messages += [
            schema("manual_journals", "id"),
            record("manual_journals", id=keys["journal"], **journal),
        ]
        company.write(messages)
        records, ids = company.read(), company.ids()
        for name, kind in KINDS.items():
            holds(kind, now[name], records[ids[kind.stream, keys[name]]])
        found = records[ids["manual_journals", keys["journal"]]]["JournalLines"]
        assert [read_journal_line(line) for line in found] == [
            (
                line["line_amount"],
                line["account_code"],
                line.get("description"),
                tracking_of(line.get("tracking")),
            )
            for line in journal["journal_lines"]
        ]


def read_journal_line(line: dict[str, Any]) -> tuple[Any, ...]:
    amount = Decimal(str(line["LineAmount"]))
    return amount, line["AccountCode"], line.get("Description"), tracking_of(line["Tracking"])


def sent(document: dict[str, Any]) -> dict[str, Any]:
    """The record, with the line amounts that some of its lines have in addition to their price."""
    given = [dict(line) for line in document["line_items"]]
    for line in given:
        if "line_amount" in line:
            del line["line_amount"]
            line |= {"line_amount": amount_of(line)} if "unit_amount" in line else {}
    return {**document, "line_items": given}


def holds(kind: Kind, document: dict[str, Any], found: dict[str, Any]) -> None:
    """Check that a document that was read has the content of the source."""
    amounts = document["line_amount_types"]
    assert [read_line(one) for one in found["LineItems"]] == [
        expected_line(kind, amounts, one) for one in document["line_items"]
    ]
    assert found["LineAmountTypes"].casefold() == amounts.casefold()
    assert found["Contact"]["Name"] == document["contact_name"]
    totals = tuple(Decimal(str(found[name])) for name in ("SubTotal", "Total"))
    assert totals == expected_totals(kind, document)
    for name, ours in (
        ("Date", "date"),
        ("Reference", "reference"),
        (kind.day.title().replace("_", ""), kind.day),
    ):
        if ours in document:
            assert found[name] == document[ours]
