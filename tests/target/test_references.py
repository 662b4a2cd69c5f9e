"""References are found by number, e-mail, name or code, in few calls, and nothing is created by accident."""

from __future__ import annotations

from typing import Any

import pytest

from singer_xero.api.errors import Unavailable

from .conftest import Wiring, record, schema

LINES = [{"Description": "Work", "Quantity": 1, "UnitAmount": 10, "AccountCode": "200"}]


def bill(number: int, **values: Any) -> dict[str, Any]:
    return record("invoices", id=number, **{"Type": "ACCPAY", "LineItems": LINES, **values})


@pytest.fixture
def contacts(wiring: Wiring) -> list[str]:
    """Create five contacts that are not in the log of writes; returns their ids."""
    admin, tenant = wiring.xero.admin, wiring.tenant
    return [
        admin.put(
            "Contacts",
            {
                "Name": f"Contact {n}",
                "ContactNumber": f"N-{n}",
                "EmailAddress": f"{n}@example.com",
                "ContactStatus": "ACTIVE",
                "Phones": [],
                "Addresses": [],
            },
            tenant,
        )["ContactID"]
        for n in range(5)
    ]  # fmt: skip


@pytest.mark.parametrize("field", ["Name", "ContactNumber", "EmailAddress"])
def test_a_contact_is_found_by_its_name_number_or_address_in_one_call(
    wiring: Wiring, contacts: list[str], field: str
):
    values = {"Name": "contact {}", "ContactNumber": "N-{}", "EmailAddress": "{}@EXAMPLE.com"}[field]
    run = wiring.write(
        schema("invoices", "id"), [bill(n, Contact={field: values.format(n)}) for n in range(5)]
    )
    assert run.count("invoices") == {"created": 5}
    assert len(wiring.xero.admin.calls("/Contacts")) == 1
    assert sorted(i["Contact"]["ContactID"] for i in wiring.records("Invoices")) == sorted(contacts)


def test_a_missing_contact_is_a_reject_and_never_created(wiring: Wiring, contacts: list[str]):
    run = wiring.write(
        schema("invoices", "id"), bill(1, contact_name="Contact 1"), bill(2, contact_name="Contract 2")
    )
    assert run.count("invoices") == {"created": 1, "rejected": 1}
    assert run.rejected[0][1] == (
        "Contact: Xero has no record of contacts with the Name 'Contract 2': send it in the stream contacts as well"
        ", or set missing_contacts to create"
    )
    assert len(wiring.records("Contacts")) == len(contacts)


def test_a_name_that_two_contacts_share_is_a_reject(wiring: Wiring, contacts: list[str]):
    for n in (0, 1):
        wiring.xero.admin.edit("Contacts", contacts[n], wiring.tenant, EmailAddress="both@example.com")
    run = wiring.write(schema("invoices", "id"), bill(1, Contact={"EmailAddress": "both@example.com"}))
    assert "2 contacts in Xero have the EmailAddress 'both@example.com'" in run.rejected[0][1]


@pytest.mark.parametrize("fault", ["server_error", "html", "reset_before"])
def test_a_failed_look_up_ends_the_run_and_creates_nothing(wiring: Wiring, contacts: list[str], fault: str):
    wiring.xero.admin.fault(fault, method="GET", path="Contacts", count=0)
    run = wiring.write(schema("invoices", "id"), bill(1, contact_name="Contact 1"), tries=2)
    assert isinstance(run.error, Unavailable)
    assert wiring.writes() == []
    assert run.rejected == []
    wiring.xero.admin.clear_faults()
    assert wiring.write(schema("invoices", "id"), bill(1, contact_name="Contact 1")).count("invoices") == {
        "created": 1
    }


def test_written_records_are_found_in_the_log_without_a_call(wiring: Wiring):
    wiring.write(schema("contacts", "id"), record("contacts", id=1, Name="Abel"))
    wiring.xero.admin.forget_calls()
    run = wiring.write(schema("invoices", "id"), bill(1, contact_name="ABEL"))
    assert run.count("invoices") == {"created": 1}
    assert wiring.xero.admin.calls("/Contacts") == []


def test_many_names_are_looked_up_by_reading_the_list_once(wiring: Wiring):
    for n in range(250):
        wiring.xero.admin.put("Contacts", {"Name": f"Contact {n}", "ContactStatus": "ACTIVE"}, wiring.tenant)
    run = wiring.write(schema("invoices", "id"), [bill(n, contact_name=f"Contact {n}") for n in range(250)])
    assert run.count("invoices") == {"created": 250}
    assert len(wiring.xero.admin.calls("/Contacts")) <= 6
    assert len(wiring.writes()) == 5


def test_accounts_and_tax_rates_are_found_by_name_and_tracking_by_its_names(wiring: Wiring):
    region = record("tracking_categories", id=1, Name="Region", Options=[{"Name": "North"}])
    wiring.write(schema("tracking_categories", "id"), region)
    line = {
        "Description": "Work",
        "Quantity": 1,
        "UnitAmount": 10,
        "AccountCode": "Sales",
        "TaxType": "15% GST on Income",
        "Tracking": [{"Name": "Region", "Option": "North"}],
    }
    run = wiring.write(
        schema("contacts", "id"),
        record("contacts", id=1, Name="Abel"),
        schema("invoices", "id"),
        bill(1, Type="ACCREC", contact_name="Abel", LineItems=[line]),
        bill(2, Type="ACCREC", contact_name="Abel", LineItems=[{**line, "AccountCode": "Sails"}]),
        bill(3, Type="ACCREC", contact_name="Abel", LineItems=[{**line, "TaxType": "90% GST"}]),
    )
    assert run.count("invoices") == {"created": 1, "rejected": 2}
    written = wiring.records("Invoices")[0]["LineItems"][0]
    assert (written["AccountCode"], written["TaxType"]) == ("200", "OUTPUT2")
    assert [reason for _, reason in run.rejected] == [
        "LineItems[0].AccountCode: no account in Xero has the code or name 'Sails'",
        "LineItems[0].TaxType: no tax rate in Xero has the code or name '90% GST'",
    ]


def test_ids_of_accounts_and_tracking_are_translated_from_another_organisation(wiring: Wiring):
    bank, category, option = (f"0f0f0f0f-0000-4000-8000-00000000000{n}" for n in range(3))
    given = {"tenant_id": "elsewhere"}
    line = {
        "LineAmount": 5,
        "AccountID": bank,
        "Tracking": [{"TrackingCategoryID": category, "TrackingOptionID": option}],
    }
    journal = [line, {"LineAmount": -5, "AccountCode": "850"}]
    stream = [
        schema("manual_journals", "id"),
        record("manual_journals", id=1, Narration="N", JournalLines=journal, **given),
    ]
    alone = wiring.write(stream)
    assert "is an account of another organisation: send accounts as well" in alone.rejected[0][1]
    run = wiring.write(
        schema("accounts", "AccountID"),
        record("accounts", AccountID=bank, Code="299", Name="Rents", Type="REVENUE", **given),
        schema("tracking_categories", "TrackingCategoryID"),
        record("tracking_categories", TrackingCategoryID=category, Name="Region",
               Options=[{"TrackingOptionID": option, "Name": "North"}], **given),
        stream,
    )  # fmt: skip
    assert run.count("manual_journals") == {"created": 1}
    written = wiring.records("ManualJournals")[0]["JournalLines"][0]
    assert written["AccountCode"] == "299"
    assert [(one["Name"], one["Option"]) for one in written["Tracking"]] == [("Region", "North")]


def test_tracking_by_ids_that_were_not_written_is_a_reject(wiring: Wiring, contacts: list[str]):
    stranger = "6a40b05b-d926-5f37-a9b6-c937434088c3"
    line = {**LINES[0], "Tracking": [{"TrackingCategoryID": stranger, "TrackingOptionID": stranger}]}
    run = wiring.write(
        schema("invoices", "id"), bill(1, tenant_id="elsewhere", contact_name="Contact 1", LineItems=[line])
    )
    assert "it has tracking ids of another organisation" in run.rejected[0][1]


def test_an_id_of_another_organisation_is_never_sent(wiring: Wiring):
    stranger = "6a40b05b-d926-5f37-a9b6-c937434088c3"
    run = wiring.write(
        schema("invoices", "id"), bill(1, tenant_id="elsewhere", Contact={"ContactID": stranger})
    )
    assert run.count("invoices") == {"rejected": 1}
    assert f"{stranger} is an id of another organisation" in run.rejected[0][1]
    assert wiring.writes() == []


def test_an_unknown_id_rejects_only_its_own_record(wiring: Wiring, contacts: list[str]):
    stranger = "6a40b05b-d926-5f37-a9b6-c937434088c3"
    changes = [
        record("contacts", ContactID=one, FirstName="F") for one in [*contacts[:3], stranger, *contacts[3:]]
    ]
    run = wiring.write(schema("contacts", "ContactID"), changes)
    assert run.count("contacts") == {"updated": 5, "rejected": 1}
    assert "Xero has no such record" in run.rejected[0][1]
    assert [c.get("FirstName") for c in wiring.records("Contacts")] == ["F"] * 5


def test_transfers_get_tracking_ids_because_xero_accepts_no_names_there(wiring: Wiring):
    run = wiring.write(
        schema("tracking_categories", "id"),
        record("tracking_categories", id=1, Name="Region", Options=[{"Name": "North"}]),
        schema("accounts", "id"),
        record("accounts", id=1, Code="090", Name="Cheque", Type="BANK", BankAccountNumber="1"),
        record("accounts", id=2, Code="091", Name="Savings", Type="BANK", BankAccountNumber="2"),
        schema("bank_transfers", "id"),
        record(
            "bank_transfers",
            id=1,
            Amount=1,
            FromBankAccount={"Name": "Cheque"},
            ToBankAccount={"Code": "091"},
            FromTracking=[{"Name": "region", "Option": "north"}],
        ),
    )
    assert run.count("bank_transfers") == {"created": 1}
    option = wiring.records("TrackingCategories")[0]["Options"][0]["TrackingOptionID"]
    assert wiring.records("BankTransfers")[0]["FromTracking"][0]["TrackingOptionID"] == option
