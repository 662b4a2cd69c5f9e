"""Contacts and contact groups."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

ARCHIVED = (
    "The specified contact details matched an archived contact. Archived contacts cannot currently be edited via"
    " the API."
)


def taken(name: str) -> str:
    return (
        f"The contact name {name} is already assigned to another contact. The contact name must be unique across all"
        " active contacts."
    )


def test_a_new_contact_has_all_phones_and_addresses_and_no_role(company):
    made = company.put(
        "Contacts", {"Name": "Ada", "IsCustomer": True, "Phones": [{"PhoneType": "DDI", "PhoneNumber": "1"}]}
    )
    assert (made["ContactStatus"], made["IsCustomer"], made["IsSupplier"]) == ("ACTIVE", False, False)
    assert {one["PhoneType"]: one["PhoneNumber"] for one in made["Phones"]} == {
        "DEFAULT": "",
        "DDI": "1",
        "FAX": "",
        "MOBILE": "",
    }
    assert {one["AddressType"] for one in made["Addresses"]} == {"STREET", "POBOX"}
    assert company.get("Contacts", made["ContactID"])["UpdatedDateUTC"] == made["UpdatedDateUTC"]


def test_names_are_unique_among_active_contacts_in_any_case(company):
    ada = company.put("Contacts", {"Name": "Ada"})
    grace = company.put("Contacts", {"Name": "Grace"})
    assert company.refused("PUT", "Contacts", {"Name": "ADA"}) == [taken("ADA")]
    rename = {"ContactID": grace["ContactID"], "Name": "ada"}
    assert company.refused("POST", "Contacts", rename) == [taken("ada")]
    company.post("Contacts", {"ContactID": ada["ContactID"], "Name": "ADA"})
    company.post("Contacts", {"ContactID": ada["ContactID"], "ContactStatus": "ARCHIVED"})
    company.put("Contacts", {"Name": "Ada"})


def test_a_contact_needs_a_name(company):
    assert company.refused("PUT", "Contacts", {"EmailAddress": "a@b.nz"}) == [
        "The contact name must be specified."
    ]


def test_a_post_matches_by_id_then_number_then_name(company):
    ada = company.put("Contacts", {"Name": "Ada", "ContactNumber": "C-1"})
    grace = company.put("Contacts", {"Name": "Grace"})
    assert company.post("Contacts", {"Name": "grace", "FirstName": "G"})["ContactID"] == grace["ContactID"]
    by_number = company.post("Contacts", {"ContactNumber": "c-1", "Name": "Ada Lovelace"})
    assert (by_number["ContactID"], by_number["Name"]) == (ada["ContactID"], "Ada Lovelace")
    by_id = company.post("Contacts", {"ContactID": grace["ContactID"], "ContactNumber": "C-2"})
    assert (by_id["ContactID"], by_id["Name"]) == (grace["ContactID"], "grace")
    assert company.refused("PUT", "Contacts", {"Name": "Mary", "ContactNumber": "C-2"})
    assert company.refused("POST", "Contacts", {"ContactID": grace["ContactID"], "ContactNumber": "C-1"})
    assert company.count("Contacts") == 2


def test_an_archived_contact_refuses_any_edit_by_id_by_number_and_by_name(company):
    ada = company.put("Contacts", {"Name": "Ada", "ContactNumber": "C-1"})
    archived = company.post("Contacts", {"ContactID": ada["ContactID"], "ContactStatus": "ARCHIVED"})
    assert archived["ContactStatus"] == "ARCHIVED"
    for element in (
        {"ContactID": ada["ContactID"], "ContactStatus": "ACTIVE"},
        {"ContactNumber": "C-1", "Name": "New"},
        {"Name": "Ada", "FirstName": "A"},
    ):
        assert company.refused("POST", "Contacts", element) == [ARCHIVED]
    assert company.refused("PUT", "Contacts", {"Name": "Grace", "ContactNumber": "C-1"})


def test_phones_and_addresses_are_replaced_by_type(company):
    company.put("Contacts", {"Name": "Ada", "Phones": [{"PhoneType": "DDI", "PhoneNumber": "1"}]})
    street = {"AddressType": "STREET", "City": "Nelson"}
    company.post("Contacts", {"Name": "Ada", "Addresses": [street]})
    phones = [{"PhoneType": "MOBILE", "PhoneNumber": "2"}, {"PhoneType": "DDI", "PhoneAreaCode": "3"}]
    done = company.post("Contacts", {"Name": "Ada", "Phones": phones})
    assert {one["PhoneType"]: (one["PhoneNumber"], one["PhoneAreaCode"]) for one in done["Phones"]} == {
        "DEFAULT": ("", ""),
        "DDI": ("1", "3"),
        "FAX": ("", ""),
        "MOBILE": ("2", ""),
    }
    assert [one["City"] for one in done["Addresses"] if one["AddressType"] == "STREET"] == ["Nelson"]


def test_an_error_of_a_phone_is_noted_on_the_phone_only(company):
    bad = {"Name": "Ada", "Phones": [{"PhoneType": "DDI", "PhoneNumber": "1" * 51}]}
    (failed,) = company.each("PUT", "Contacts", bad)
    assert failed["StatusAttributeString"] == "ERROR"
    assert failed["HasValidationErrors"] is True
    assert failed["ValidationErrors"] == []
    assert failed["Phones"][0]["ValidationErrors"] == [
        {"Message": "The PhoneNumber field exceeds the maximum length of 50 characters."}
    ]
    assert company.send("PUT", "Contacts", [bad]).status_code == 400
    assert company.count("Contacts") == 0


def test_contact_persons_are_replaced_as_a_set_of_at_most_five(company):
    people = [{"FirstName": f"P{number}"} for number in range(6)]
    company.put("Contacts", {"Name": "Ada", "ContactPersons": people[:5]})
    done = company.post("Contacts", {"Name": "Ada", "ContactPersons": people[5:]})
    assert done["ContactPersons"] == [{"IncludeInEmails": False, "FirstName": "P5"}]
    assert company.refused("POST", "Contacts", {"Name": "Ada", "ContactPersons": people})


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("EmailAddress", "not an address", "Email address must be valid."),
        ("ContactStatus", "GDPRREQUEST", "The status 'GDPRREQUEST' is not valid for contacts"),
        ("ContactStatus", "ARCHIVED", "The status 'ARCHIVED' is not valid for contacts"),
        ("Name", "x" * 256, "The Name field exceeds the maximum length of 255 characters."),
        ("DefaultCurrency", "SEK", "Organisation is not subscribed to currency SEK"),
        (
            "AccountsPayableTaxType",
            "NOPE",
            "The TaxType code NOPE does not exist or cannot be used for this type of transaction.",
        ),
    ],
)
def test_a_contact_is_refused_with_the_reason(company, field, value, words):
    assert company.refused("PUT", "Contacts", {"Name": "Ada", field: value}) == [words]


def test_fields_that_follow_from_documents_cannot_be_written(company):
    made = company.put(
        "Contacts",
        {"Name": "Ada", "IsSupplier": True, "Balances": {"AccountsReceivable": {"Outstanding": 1}}},
    )
    again = company.post("Contacts", {"Name": "Ada", "IsCustomer": True, "ContactGroups": [{"Name": "VIP"}]})
    assert (again["IsSupplier"], again["IsCustomer"], again["ContactGroups"]) == (False, False, [])
    assert again["UpdatedDateUTC"] == made["UpdatedDateUTC"]
    assert "Balances" not in again


def test_an_invoice_makes_its_contact_a_customer_with_a_balance_and_the_same_stamp(company, xero):
    ada = company.put("Contacts", {"Name": "Ada"})
    named = {"ContactID": ada["ContactID"]}
    company.invoice(100, Contact=named, Status="DRAFT")
    assert company.get("Contacts", ada["ContactID"])["IsCustomer"] is False
    xero.admin.advance(60)
    company.invoice(100, Contact=named)
    company.invoice(30, Contact=named, Type="ACCPAY", DueDate="2026-11-19")
    now = company.get("Contacts", ada["ContactID"])
    assert (now["IsCustomer"], now["IsSupplier"]) == (True, True)
    assert now["UpdatedDateUTC"] == ada["UpdatedDateUTC"]
    assert now["Balances"] == {
        "AccountsReceivable": {"Outstanding": 100.0, "Overdue": 0.0},
        "AccountsPayable": {"Outstanding": 30.0, "Overdue": 30.0},
    }


# --- contacts inside documents ---------------------------------------------------------------------------


def test_a_name_in_a_document_matches_or_creates_a_contact(company):
    first = company.invoice(Contact={"Name": "Ada"})
    second = company.invoice(Contact={"Name": "ADA"})
    assert first["Contact"]["ContactID"] == second["Contact"]["ContactID"]
    assert [one["Name"] for one in company.admin.records("Contacts")] == ["Ada"]


def test_further_fields_of_the_contact_in_a_document_edit_it(company):
    ada = company.put("Contacts", {"Name": "Ada", "ContactNumber": "C-1"})
    named = {"ContactNumber": "C-1", "Name": "Ada Lovelace", "EmailAddress": "ada@b.nz"}
    company.invoice(Contact=named)
    kept = company.kept("Contacts", ada["ContactID"])
    assert (kept["Name"], kept["EmailAddress"]) == ("Ada Lovelace", "ada@b.nz")


def test_a_refused_document_creates_no_contact(company):
    assert company.refused(
        "PUT", "Invoices", {"Type": "ACCREC", "Contact": {"Name": "New"}, "Status": "AUTHORISED"}
    )
    assert company.count("Contacts") == 0


@pytest.mark.parametrize("named", [None, {}, {"EmailAddress": "a@b.nz"}])
def test_a_document_needs_a_contact(company, named):
    words = company.refused("PUT", "Invoices", {"Type": "ACCREC", "Contact": named})
    assert words[0] in {
        "A Contact must be specified for this type of transaction",
        "The Contact must contain at least 1 of the following elements to identify the contact: Name, ContactID,"
        " ContactNumber",
    }


def test_a_document_cannot_name_an_unknown_or_archived_contact(company):
    ada = company.put("Contacts", {"Name": "Ada"})
    company.post("Contacts", {"Name": "Ada", "ContactStatus": "ARCHIVED"})
    unknown = {"Type": "ACCREC", "Contact": {"ContactID": str(uuid4())}}
    assert company.refused("PUT", "Invoices", unknown) == [
        "The contact with the specified contact details could not be found."
    ]
    for named in ({"ContactID": ada["ContactID"]}, {"Name": "ada"}):
        words = company.refused("PUT", "Invoices", {"Type": "ACCREC", "Contact": named})
        assert words == [
            "The contact with the specified contact details has been archived. The contact must be un-archived before"
            " creating new invoices or credit notes."
        ]


# --- groups ----------------------------------------------------------------------------------------------


def group(company: Any, **fields: Any) -> Any:
    return company.send("PUT", "ContactGroups", {"ContactGroups": [fields]})


def test_a_contact_group_is_created_renamed_and_deleted(company):
    made = group(company, Name="VIP").json()["ContactGroups"][0]
    assert (made["Status"], made["HasValidationErrors"]) == ("ACTIVE", False)
    path = f"ContactGroups/{made['ContactGroupID']}"
    renamed = company.send("POST", path, {"ContactGroups": [{"Name": "Best"}]}).json()["ContactGroups"][0]
    assert renamed["Name"] == "Best"
    deleted = company.send("POST", path, {"ContactGroups": [{"Status": "DELETED"}]})
    assert deleted.json()["ContactGroups"][0]["Status"] == "DELETED"
    assert company.caller.get("ContactGroups")["ContactGroups"] == []
    assert group(company, Name="Best").status_code == 200


def test_a_contact_group_needs_a_unique_name_and_its_answer_has_no_status(company):
    group(company, Name="VIP")
    response = company.send("PUT", "ContactGroups", [{"Name": "vip"}], summarizeErrors="false")
    assert response.status_code == 400
    (failed,) = response.json()["Elements"]
    assert failed["ValidationErrors"] == [{"Message": "A Contact Group already exists with this name"}]
    assert group(company).status_code == 400


def test_members_are_added_and_removed_and_show_their_groups(company):
    made = group(company, Name="VIP").json()["ContactGroups"][0]
    people = [company.put("Contacts", {"Name": name}) for name in ("Ada", "Grace", "Mary")]
    path = f"ContactGroups/{made['ContactGroupID']}"
    body = {"Contacts": [{"ContactID": one["ContactID"]} for one in people]}
    answer = company.send("PUT", f"{path}/Contacts", body)
    assert [one["Name"] for one in answer.json()["Contacts"]] == ["Ada", "Grace", "Mary"]
    company.send("PUT", f"{path}/Contacts", body)
    assert len(company.get("ContactGroups", made["ContactGroupID"])["Contacts"]) == 3
    assert [one["Name"] for one in company.get("Contacts", people[0]["ContactID"])["ContactGroups"]] == [
        "VIP"
    ]
    assert company.send("DELETE", f"{path}/Contacts/{people[0]['ContactID']}").status_code == 204
    assert company.get("Contacts", people[0]["ContactID"])["ContactGroups"] == []
    assert company.send("DELETE", f"{path}/Contacts/{people[0]['ContactID']}").status_code == 404
    assert company.send("DELETE", f"{path}/Contacts").status_code == 204
    assert company.get("ContactGroups", made["ContactGroupID"])["Contacts"] == []


def test_an_unknown_or_archived_member_is_refused(company):
    made = group(company, Name="VIP").json()["ContactGroups"][0]
    ada = company.put("Contacts", {"Name": "Ada"})
    company.post("Contacts", {"Name": "Ada", "ContactStatus": "ARCHIVED"})
    path = f"ContactGroups/{made['ContactGroupID']}/Contacts"
    assert company.send("PUT", path, {"Contacts": [{"ContactID": str(uuid4())}]}).status_code == 404
    assert company.send("PUT", path, {"Contacts": [{"ContactID": ada["ContactID"]}]}).status_code == 400
    assert company.get("ContactGroups", made["ContactGroupID"])["Contacts"] == []
