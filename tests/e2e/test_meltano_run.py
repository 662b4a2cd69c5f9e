"""`meltano run tap-xero target-postgres`, twice, with every value compared with Xero's.

Xero's values are read from the sandbox by a few lines that share nothing with the tap.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads

from singer_xero.objects import OBJECTS, SUBRESOURCES
from xero_sandbox import Sandbox, apps

# Stream: its path, the key of its rows, and whether it is incremental.
LISTS = {
    "accounts": ("Accounts", "AccountID", True),
    "bank_transactions": ("BankTransactions?unitdp=4", "BankTransactionID", True),
    "bank_transfers": ("BankTransfers?includeDeleted=true", "BankTransferID", True),
    "batch_payments": ("BatchPayments", "BatchPaymentID", True),
    "branding_themes": ("BrandingThemes", "BrandingThemeID", False),
    "budgets": ("Budgets", "BudgetID", False),
    "contact_groups": ("ContactGroups", "ContactGroupID", False),
    "contacts": ("Contacts?includeArchived=true", "ContactID", True),
    "credit_notes": ("CreditNotes?unitdp=4", "CreditNoteID", True),
    "currencies": ("Currencies", "Code", False),
    "invoice_reminders": ("InvoiceReminders/Settings", "Enabled", False),
    "invoices": ("Invoices?unitdp=4&includeArchived=true", "InvoiceID", False),
    "items": ("Items?unitdp=4", "ItemID", True),
    "journals": ("Journals", "JournalID", True),
    "linked_transactions": ("LinkedTransactions", "LinkedTransactionID", False),
    "manual_journals": ("ManualJournals", "ManualJournalID", True),
    "organisation": ("Organisation", "OrganisationID", False),
    "organisation_actions": ("Organisation/Actions", "Name", False),
    "overpayments": ("Overpayments?unitdp=4", "OverpaymentID", True),
    "payment_services": ("PaymentServices", "PaymentServiceID", False),
    "payments": ("Payments", "PaymentID", True),
    "prepayments": ("Prepayments?unitdp=4", "PrepaymentID", True),
    "purchase_orders": ("PurchaseOrders", "PurchaseOrderID", True),
    "quotes": ("Quotes", "QuoteID", False),
    "repeating_invoices": ("RepeatingInvoices", "RepeatingInvoiceID", False),
    "tax_rates": ("TaxRates", "TaxType", False),
    "tracking_categories": ("TrackingCategories?includeArchived=true", "TrackingCategoryID", False),
    "users": ("Users", "UserID", True),
}
BY_RECORD = {"budgets", "contact_groups"}  # the list omits their lines and members
XERO_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")
Record = dict[str, Any]


class Xero:
    """Reads lists like a short script: page after page, until one has no new records."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.url = sandbox.url
        self.session = requests.Session()
        answer = self.session.post(
            f"{self.url}/connect/token",
            data={"grant_type": "client_credentials"},
            auth=(apps.CUSTOM_CONNECTION.client_id, apps.CUSTOM_CONNECTION.client_secret or ""),
            timeout=30,
        )
        self.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        self.session.headers["Accept"] = "application/json"

    def get(self, path: str, **params: Any) -> list[Record]:
        answer = self.session.get(f"{self.url}/api.xro/2.0/{path}", params=params, timeout=30)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        body = json.loads(answer.text, parse_float=Decimal, parse_int=Decimal)
        lists = [value for value in body.values() if isinstance(value, list)]
        assert len(lists) == 1, f"{path}: {list(body)}"
        return lists[0]

    def all(self, stream: str) -> dict[str, Record]:
        path, key, _ = LISTS[stream]
        found: dict[str, Record] = {}
        for page in range(1, 1000):
            last = (
                max((int(row["JournalNumber"]) for row in found.values()), default=0)
                if stream == "journals"
                else 0
            )
            rows = (
                self.get(path, offset=last)
                if stream == "journals"
                else self.get(path, page=page, pageSize=1000)
            )
            new = {str(row[key]): row for row in rows}
            if not new.keys() - found.keys():
                break
            found |= new
        if stream in BY_RECORD:
            month = date.today().replace(day=1)
            last = month.replace(year=month.year + 1) - timedelta(days=1)
            span = {"DateFrom": month.replace(year=month.year - 1), "DateTo": last}
            found = {
                one: self.get(f"{path}/{one}", **span if stream == "budgets" else {})[0] for one in found
            }
        return found

    def everything(self) -> dict[str, dict[str, Record]]:
        return {stream: self.all(stream) for stream in LISTS}


@dataclass
class Loaded:
    """The records of Xero and of PostgreSQL after a run; `written`: the keys that this run wrote."""

    xero: dict[str, dict[str, Record]]
    tables: dict[str, dict[str, Record]]
    written: dict[str, set[str]]


def load(database: Any, xero: Xero) -> Loaded:
    names = [
        name
        for (name,) in database.ask("SELECT tablename FROM pg_tables WHERE schemaname = %s", database.schema)
        if name not in SUBRESOURCES
    ]
    tables: dict[str, list[Record]] = {}
    with psycopg.connect(database.url, row_factory=dict_row) as connection:
        set_json_loads(lambda text: json.loads(text, parse_float=Decimal, parse_int=Decimal), connection)
        for name in names:
            tables[name] = connection.execute(f'SELECT * FROM {database.schema}."{name}"').fetchall()
    latest = max(row["_sdc_sync_started_at"] for rows in tables.values() for row in rows)
    keyed = {name: {str(row[LISTS[name][1]]): row for row in rows} for name, rows in tables.items()}
    assert {name: len(rows) for name, rows in tables.items()} == {
        name: len(rows) for name, rows in keyed.items()
    }
    written = {
        name: {key for key, row in rows.items() if row["_sdc_sync_started_at"] == latest}
        for name, rows in keyed.items()
    }
    return Loaded(xero.everything(), keyed, written)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the demo company."""
    return tmp_path_factory.mktemp("company")


@pytest.fixture(scope="module")
def runs(project: Any, database: Any, company: Path) -> tuple[Loaded, Loaded]:
    """Two runs, with a business day between them."""
    found = []
    for _ in range(2):
        project.meltano(
            "run", "tap-xero", "target-postgres", TAP_XERO_SANDBOX=str(company), **database.settings
        )
        with Sandbox(data=company, limits=False) as sandbox:
            found.append(load(database, Xero(sandbox)))
            sandbox.admin.day()
    return found[0], found[1]


def instant(text: str) -> datetime | None:
    """The value of `/Date(1764547200000+0000)/` or of an ISO date; None for any other text."""
    if found := XERO_DATE.fullmatch(text):
        return datetime(1970, 1, 1) + timedelta(milliseconds=int(found.group(1)))
    try:
        return datetime.fromisoformat(text.rstrip("Z")) if re.match(r"\d{4}-\d\d-\d\d", text) else None
    except ValueError:
        return None


#: Fields that Xero changes without a new UpdatedDateUTC, so that an incremental run cannot see it.
UNSTAMPED = {"contacts": {"Balances"}}


def stamped(stream: str, record: dict[str, Any]) -> dict[str, Any]:
    """A record without the fields that change unseen."""
    return {name: value for name, value in record.items() if name not in UNSTAMPED.get(stream, ())}


def differences(given: Any, loaded: Any, at: str, schema: dict[str, Any]) -> Iterator[str]:
    """The places where a loaded value differs from Xero's: numbers digit for digit, days and instants as such.

    The schema of a nested record omits fields that only the stream of such records has.
    """
    if isinstance(given, dict) and isinstance(loaded, dict):
        for name, value in given.items():
            if name in schema["properties"]:
                inner = schema["properties"][name]
                yield from differences(value, loaded.get(name), f"{at}.{name}", inner)
        for name in loaded.keys() - given.keys():
            if loaded[name] is not None:
                yield f"{at}.{name}: {loaded[name]!r} from nowhere"
    elif isinstance(given, list) and isinstance(loaded, list):
        if len(given) != len(loaded):
            yield f"{at}: {len(given)} in Xero, {len(loaded)} loaded"
        for number, (one, other) in enumerate(zip(given, loaded, strict=False)):
            yield from differences(one, other, f"{at}[{number}]", schema["items"])
    elif isinstance(given, str) and (when := instant(given)):
        if isinstance(loaded, str):
            loaded = (
                datetime.fromisoformat(loaded.rstrip("Z")) if "T" in loaded else date.fromisoformat(loaded)
            )
        day = type(loaded) is date
        if loaded != (when.date() if day else when) or day == at.endswith("UTC"):
            yield f"{at}: {given} in Xero, {loaded!r} loaded"
    elif isinstance(given, Decimal) and isinstance(loaded, Decimal | int):
        # PostgreSQL's numeric has no negative zero.
        if str(given.copy_abs() if given.is_zero() else given) != str(loaded):
            yield f"{at}: {given} in Xero, {loaded} loaded"
    elif given != loaded:
        yield f"{at}: {given!r} in Xero, {loaded!r} loaded"


@pytest.mark.parametrize("run", [0, 1], ids=["first run", "second run"])
@pytest.mark.parametrize("stream", LISTS)
def test_every_value_arrives_unchanged(runs: tuple[Loaded, Loaded], stream: str, run: int) -> None:
    given, loaded = runs[run].xero[stream], runs[run].tables[stream]
    assert given, "the demo company has none: nothing would be compared"
    assert loaded.keys() == given.keys()
    (organisation,) = runs[run].xero["organisation"]
    found = []
    for key, record in given.items():
        row = {name: value for name, value in loaded[key].items() if not name.startswith("_sdc_")}
        assert row.pop("tenant_id") == organisation
        schema = OBJECTS[stream].schema()
        if run == 1 and key not in runs[run].written[stream]:
            record, row = stamped(stream, record), stamped(stream, row)
        asked = {name for name in record if name not in OBJECTS[stream].dropped}
        assert asked <= schema["properties"].keys()
        found += differences(record, row, key, schema)
    assert not found, f"{len(found)} differences: {found[:10]}"


def test_there_is_a_table_for_every_object_and_no_other(runs: tuple[Loaded, Loaded]) -> None:
    assert set(LISTS) == {name for name, xero in OBJECTS.items() if xero.selected}
    assert set(runs[0].tables) == set(LISTS)


def test_amounts_are_numeric_days_are_dates_and_instants_are_timestamps(
    runs: tuple[Loaded, Loaded], database: Any
) -> None:
    asked = "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
    types = dict(database.ask(asked, database.schema, "invoices"))
    assert {types[name] for name in ("Total", "AmountDue", "CurrencyRate")} == {"numeric"}
    assert {types[name] for name in ("Date", "DueDate")} == {"date"}
    assert types["UpdatedDateUTC"] == "timestamp without time zone"


@pytest.mark.parametrize("stream", [name for name, (_, _, by_changes) in LISTS.items() if by_changes])
def test_the_second_run_loads_only_changes(runs: tuple[Loaded, Loaded], stream: str) -> None:
    first, second = runs
    before = first.xero[stream]
    changed = {
        key
        for key, record in second.xero[stream].items()
        if stamped(stream, record) != stamped(stream, before.get(key, {}))
    }
    assert changed <= second.written[stream]
    cursor = OBJECTS[stream].cursor
    border = max((str(record[cursor]) for record in before.values()), default="")
    again = second.written[stream] - changed
    assert {str(before[key][cursor]) for key in again} <= {border}, (
        "more than the rows at the bookmark were read again"
    )


def test_something_changed_in_between(runs: tuple[Loaded, Loaded]) -> None:
    first, second = runs
    grown = {stream for stream in LISTS if len(second.xero[stream]) > len(first.xero[stream])}
    assert {"invoices", "payments", "journals"} <= grown
    by_changes = [name for name, (_, _, by_changes) in LISTS.items() if by_changes]
    moved = [sum(len(run.written[name]) for name in by_changes) for run in runs]
    assert moved[1] < moved[0] / 5
