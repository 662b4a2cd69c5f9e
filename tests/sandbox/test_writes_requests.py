"""The forms of write requests, the answers to batches, and Idempotency-Key."""

from __future__ import annotations

import json
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest

ZERO_ID = "00000000-0000-0000-0000-000000000000"
TAKEN = (
    "The contact name {} is already assigned to another contact. The contact name must be unique across all active"
    " contacts."
)


def names(company: Any) -> list[str]:
    return sorted(one["Name"] for one in company.admin.records("Contacts"))


# --- bodies ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {"Contacts": [{"Name": "Ada"}]},
        {"contacts": [{"Name": "Ada"}]},
        {"CONTACTS": [{"Name": "Ada"}]},
        [{"Name": "Ada"}],
        {"Name": "Ada"},
        {"Contacts": {"Name": "Ada"}},
    ],
    ids=["envelope", "lower case", "upper case", "bare list", "bare object", "object in envelope"],
)
def test_an_element_can_be_sent_in_an_envelope_of_any_case_in_a_list_or_alone(company, body):
    answer = company.send("PUT", "Contacts", body).json()
    assert [one["Name"] for one in answer["Contacts"]] == names(company) == ["Ada"]
    assert "StatusAttributeString" not in answer["Contacts"][0]
    assert answer["Contacts"][0]["HasValidationErrors"] is False


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not json",
        b'"text"',
        b"[1, 2]",
        b'{"Contacts": "none"}',
        b'{"Contacts": [{"Name": "A", "Phones": "12"}]}',
    ],
)
def test_a_body_that_cannot_be_read_is_a_400_and_writes_nothing(company, data):
    response = company.send("POST", "Contacts", data=data, headers={"Content-Type": "application/json"})
    assert response.status_code == 400
    assert (response.json()["ErrorNumber"], response.json()["Type"]) == (14, "PostDataInvalidException")
    assert names(company) == []


@pytest.mark.parametrize(
    "line",
    [
        {"Quantity": "many"},
        {"UnitAmount": True},
        {"UnitAmount": "NaN"},
        {"UnitAmount": 10**18},
        {"Tracking": {}},
        {"Tracking": ["North"]},
        "words",
    ],
)
def test_one_value_of_a_wrong_type_refuses_the_whole_request(company, line):
    good = {"Type": "ACCREC", "Contact": {"Name": "Ada"}, "LineItems": [{"Description": "x"}]}
    response = company.send("PUT", "Invoices", {"Invoices": [good, {**good, "LineItems": [line]}]})
    assert response.status_code == 400
    assert response.json()["Type"] == "PostDataInvalidException"
    assert company.count("Invoices") == 0


@pytest.mark.parametrize(
    "day", ["2026-11-05", "2026-11-05T00:00:00", "/Date(1793836800000+0000)/", "/Date(1793836800000)/"]
)
def test_dates_numbers_and_nulls_are_accepted_in_every_form_of_xero(company, day):
    line = {"Description": "x", "Quantity": "2", "UnitAmount": "10.50", "AccountCode": 200, "TaxType": None}
    sent = {"Type": "ACCREC", "Contact": {"Name": "Ada"}, "Date": day, "LineItems": [line], "Reference": None}
    invoice = company.put("Invoices", sent)
    assert invoice["DateString"] == "2026-11-05T00:00:00"
    assert (invoice["SubTotal"], invoice["TotalTax"], invoice["Total"]) == (21.0, 3.15, 24.15)
    assert invoice["LineItems"][0]["AccountCode"] == "200"


def test_objects_and_lists_in_place_of_a_text_are_ignored(company):
    odd = {"Name": "Ada", "FirstName": {"a": 1}, "LastName": ["b"], "Website": {"c": 2}}
    made = company.put("Contacts", odd)
    assert not {"FirstName", "LastName", "Website"} & set(made)
    assert company.refused("PUT", "Contacts", {"Name": {"a": 1}}) == ["The contact name must be specified."]


def test_the_default_date_is_today_in_the_organisations_time_zone(company, xero, callers):
    xero.admin.set_clock("2026-11-20T11:30:00Z")  # half past midnight on the 21st in Nelson
    company.caller = callers(xero)
    assert company.invoice(Date=None)["DateString"] == "2026-11-21T00:00:00"


def test_more_than_500_elements_are_refused_and_none_is_written(company):
    many = [{"Name": f"Contact {number}"} for number in range(501)]
    assert company.send("PUT", "Contacts", {"Contacts": many}).status_code == 400
    assert names(company) == []
    assert company.send("PUT", "Contacts", {"Contacts": many[:500]}).status_code == 200
    assert len(names(company)) == 500


def test_a_body_that_is_too_large_is_a_413(company, xero):
    xero.admin.limits(body=2_000)
    response = company.send("PUT", "Contacts", {"Contacts": [{"Name": "Ada", "FirstName": "x" * 2_000}]})
    assert response.status_code == 413
    assert response.json()["Title"] == "RequestEntityTooLarge"
    assert names(company) == []


# --- batches ---------------------------------------------------------------------------------------------


def test_without_summarize_errors_all_elements_come_back_in_order_each_with_its_status(company):
    company.put("Contacts", {"Name": "Ada"})
    good, taken, nameless, last = company.each(
        "PUT", "Contacts", {"Name": "Grace"}, {"Name": "ADA"}, {"EmailAddress": "a@b.nz"}, {"Name": "Mary"}
    )
    assert [good["StatusAttributeString"], last["StatusAttributeString"]] == ["OK", "OK"]
    assert taken["StatusAttributeString"] == nameless["StatusAttributeString"] == "ERROR"
    assert taken["ContactID"] == nameless["ContactID"] == ZERO_ID
    assert taken["HasValidationErrors"] is True
    assert taken["ValidationErrors"] == [{"Message": TAKEN.format("ADA")}]
    assert "UpdatedDateUTC" in good
    assert "UpdatedDateUTC" not in taken
    assert names(company) == ["Ada", "Grace", "Mary"]


@pytest.mark.parametrize("params", [{}, {"summarizeErrors": "true"}, {"summarizeErrors": "True"}])
def test_with_summarized_errors_the_400_lists_only_the_invalid_element_and_the_others_are_saved(
    company, params
):
    company.put("Contacts", {"Name": "Ada"})
    body = {"Contacts": [{"Name": "Grace"}, {"Name": "Ada"}, {"Name": "Mary"}]}
    response = company.send("PUT", "Contacts", body, **params)
    assert response.status_code == 400
    answer = response.json()
    assert (answer["ErrorNumber"], answer["Type"]) == (10, "ValidationException")
    assert answer["Message"] == "A validation exception occurred"
    (failed,) = answer["Elements"]
    assert (failed["Name"], failed["ContactID"]) == ("Ada", ZERO_ID)
    assert "StatusAttributeString" not in failed
    assert names(company) == ["Ada", "Grace", "Mary"]


def test_booleans_in_the_query_are_case_insensitive(company):
    company.put("Contacts", {"Name": "Ada"})
    response = company.send("PUT", "Contacts", [{"Name": "Ada"}], summarizeErrors="False")
    assert response.status_code == 200


def test_a_refused_element_shows_what_was_sent(company):
    invoice = company.invoice()
    (failed,) = company.each("POST", "Invoices", {"InvoiceID": invoice["InvoiceID"], "Status": "DELETED"})
    assert failed["Status"] == "DELETED"
    assert failed["InvoiceID"] == invoice["InvoiceID"]
    assert failed["ValidationErrors"] == [{"Message": "Invoice not of valid status for modification"}]
    assert failed["HasErrors"] is True
    assert failed["Total"] == 115.0
    assert not {"UpdatedDateUTC", "InvoiceNumber", "AmountDue"} & set(failed)
    assert company.kept("Invoices", invoice["InvoiceID"])["Status"] == "AUTHORISED"


def test_one_unknown_id_in_a_batch_is_a_404_for_all_of_it_and_nothing_is_written(company):
    ada = company.put("Contacts", {"Name": "Ada"})
    body = [{"Name": "Grace"}, {"ContactID": str(uuid4()), "Name": "Mary"}, {**ada, "Name": "Ada L."}]
    response = company.send("POST", "Contacts", body, summarizeErrors="false")
    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith("text/html")
    assert names(company) == ["Ada"]


def test_an_address_that_names_an_unknown_record_is_a_404(company):
    for path in ("Contacts", "Invoices", "ManualJournals", "Payments", "ContactGroups"):
        assert company.send("POST", f"{path}/{uuid4()}", {"Status": "DELETED"}).status_code == 404


def test_put_creates_a_record_whatever_id_is_sent_and_post_updates_by_it(company):
    made = company.put("Contacts", {"ContactID": str(uuid4()), "Name": "Ada"})
    company.post("Contacts", {"ContactID": made["ContactID"].upper(), "FirstName": "Ada"})
    company.post(f"Contacts/{made['ContactID']}", {"LastName": "Lovelace"})
    kept = company.kept("Contacts", made["ContactID"])
    assert (kept["Name"], kept["FirstName"], kept["LastName"]) == ("Ada", "Ada", "Lovelace")
    assert names(company) == ["Ada"]


def test_a_post_to_one_record_always_summarizes(company):
    invoice = company.invoice()
    path = f"Invoices/{invoice['InvoiceID']}"
    response = company.send("POST", path, {"Status": "DELETED"}, summarizeErrors="false")
    assert response.status_code == 400
    assert response.json()["Elements"][0]["InvoiceID"] == invoice["InvoiceID"]


def test_two_elements_of_one_batch_see_each_other(company):
    first, second = company.each("PUT", "Contacts", {"Name": "Ada"}, {"Name": "ada"})
    assert [first["StatusAttributeString"], second["StatusAttributeString"]] == ["OK", "ERROR"]
    invoice = company.invoice(100)
    payment = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Account": {"Code": "090"}, "Amount": 60}
    first, second = company.each("PUT", "Payments", payment, payment)
    assert [first["StatusAttributeString"], second["StatusAttributeString"]] == ["OK", "ERROR"]
    assert company.get("Invoices", invoice["InvoiceID"])["AmountDue"] == 40.0


def test_a_write_without_changes_keeps_the_stamp(company, xero):
    made = company.put("Contacts", {"Name": "Ada", "EmailAddress": "ada@b.nz"})
    invoice = company.invoice(Contact={"ContactID": made["ContactID"]})
    xero.admin.advance(60)
    again = company.post("Contacts", {"Name": "Ada", "EmailAddress": "ada@b.nz"})
    assert again["UpdatedDateUTC"] == made["UpdatedDateUTC"]
    same = company.post(
        "Invoices", {"InvoiceID": invoice["InvoiceID"], "Reference": "", "Status": "AUTHORISED"}
    )
    assert same["UpdatedDateUTC"] == invoice["UpdatedDateUTC"]
    changed = company.post("Contacts", {"Name": "Ada", "EmailAddress": "ada@c.nz"})
    assert changed["UpdatedDateUTC"] != made["UpdatedDateUTC"]


def test_created_by_my_app_finds_the_invoices_of_this_app(company, xero, callers, api):
    mine = company.invoice()
    other = callers(xero, xero.admin.consent()["access_token"], xero.admin.organisations()[0]["tenant_id"])
    body = {"Type": "ACCREC", "Contact": {"Name": "Ada"}}
    theirs = other.call("Invoices", "PUT", json=body).json()["Invoices"][0]
    assert api.ids("Invoices", "InvoiceID", createdByMyApp="true") == [mine["InvoiceID"]]
    assert other.ids("Invoices", "InvoiceID", createdByMyApp="true") == [theirs["InvoiceID"]]


def test_a_caller_that_reads_xml_gets_xml(company):
    response = company.send("PUT", "Contacts", {"Name": "Ada"}, headers={"Accept": "text/xml"})
    assert response.headers["Content-Type"].startswith("text/xml")
    assert "<Name>Ada</Name>" in response.text


# --- scopes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("switch", "status"), [(False, 401), (True, 403)])
def test_a_read_scope_gives_no_write_access(xero, callers, switch, status):
    xero.admin.switch(write_scope_403=switch)
    app = xero.admin.add_app(scopes=["accounting.contacts.read"])
    token = xero.admin.consent(app["client_id"])["access_token"]
    reader = callers(xero, token, xero.admin.organisations()[0]["tenant_id"])
    assert reader.call("Contacts").status_code == 200
    assert reader.call("Contacts", "PUT", json={"Name": "Ada"}).status_code == status
    assert xero.admin.records("Contacts") == []


# --- Idempotency-Key -------------------------------------------------------------------------------------


def keyed(
    company: Any, key: str, method: str = "PUT", path: str = "Contacts", body: Any = None, **params: Any
) -> Any:
    body = {"Contacts": [{"Name": "Ada"}]} if body is None else body
    return company.send(method, path, body, headers={"Idempotency-Key": key}, **params)


def test_an_idempotency_key_repeats_the_first_answer_exactly_and_writes_once(company, xero):
    first = keyed(company, "one")
    xero.admin.advance(5 * 60 + 59)
    second = keyed(company, "one")
    assert (second.status_code, second.content) == (200, first.content)
    assert second.headers["Content-Type"] == first.headers["Content-Type"]
    assert names(company) == ["Ada"]


def test_a_refusal_is_repeated_even_if_the_write_would_work_now(company):
    company.put("Contacts", {"Name": "Ada"})
    first = keyed(company, "one")
    assert first.status_code == 400
    company.post("Contacts", {"Name": "Ada", "ContactStatus": "ARCHIVED"})
    assert keyed(company, "one").content == first.content
    assert names(company) == ["Ada"]
    assert keyed(company, "two").status_code == 200
    assert keyed(company, "three", "POST", f"Contacts/{uuid4()}").status_code == 404


def test_after_six_minutes_the_same_request_is_a_new_one(company, xero):
    keyed(company, "one")
    xero.admin.advance(6 * 60)
    assert keyed(company, "one").status_code == 400
    assert len(names(company)) == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "params"),
    [
        ("POST", "Contacts", None, {}),
        ("PUT", "ContactGroups", None, {}),
        ("PUT", "Contacts", None, {"summarizeErrors": "false"}),
        ("PUT", "Contacts", {"Contacts": [{"Name": "Grace"}]}, {}),
    ],
    ids=["method", "path", "query", "body"],
)
def test_an_idempotency_key_with_a_different_request_is_a_400(company, method, path, body, params):
    keyed(company, "one")
    response = keyed(company, "one", method, path, body, **params)
    assert response.status_code == 400
    assert response.json()["Message"] == "Idempotency Key: one is used with a different request."
    assert names(company) == ["Ada"]


def test_a_key_of_more_than_128_characters_is_refused(company):
    assert keyed(company, "k" * 129).status_code == 400
    assert names(company) == []
    assert keyed(company, "k" * 128).status_code == 200


def test_a_key_belongs_to_an_app(company, xero, callers):
    keyed(company, "one")
    tenant = xero.admin.organisations()[0]["tenant_id"]
    other = callers(xero, xero.admin.consent()["access_token"], tenant)
    answer = other.call("Contacts", "PUT", json={"Name": "Ada"}, headers={"Idempotency-Key": "one"})
    assert answer.status_code == 400
    assert answer.json()["Elements"][0]["ValidationErrors"] == [{"Message": TAKEN.format("Ada")}]


def test_calls_at_the_same_time_with_one_key_write_once(company, xero, callers):
    answers: list[bytes] = []
    line = {"Description": "x", "UnitAmount": 1, "AccountCode": "400"}
    bill = json.dumps({"Type": "ACCPAY", "Contact": {"Name": "Ada"}, "LineItems": [line]}).encode()

    def call() -> None:
        headers = {"Idempotency-Key": "one", "Content-Type": "application/json"}
        answers.append(callers(xero).call("Invoices", "PUT", data=bill, headers=headers).content)

    threads = [Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert len(set(answers)) == 1
    assert company.count("Invoices") == 1


@pytest.mark.parametrize("kind", ["reset_after", "server_error_after"])
def test_a_lost_answer_can_be_repeated_with_the_same_key(company, xero, kind):
    xero.admin.fault(kind, method="PUT", path="Contacts")
    try:
        assert keyed(company, "one").status_code == 500
    except OSError:
        assert kind == "reset_after"
    assert names(company) == ["Ada"]
    again = keyed(company, "one")
    assert again.status_code == 200
    assert again.json()["Contacts"][0]["ContactID"] == company.admin.records("Contacts")[0]["ContactID"]
    assert names(company) == ["Ada"]


def test_a_fault_before_the_write_leaves_the_key_unused(company, xero):
    xero.admin.fault("server_error", method="PUT", path="Contacts")
    assert keyed(company, "one").status_code == 500
    assert names(company) == []
    assert keyed(company, "one").status_code == 200
    assert names(company) == ["Ada"]


def test_a_reset_forgets_all_keys(company, xero, callers):
    first = keyed(company, "one")
    xero.admin.reset()
    company.caller = callers(xero)
    again = keyed(company, "one")
    assert again.status_code == 200
    assert again.json()["Contacts"][0]["ContactID"] != first.json()["Contacts"][0]["ContactID"]
    assert names(company) == ["Ada"]
