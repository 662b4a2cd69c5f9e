"""Lists, pages, filters and single records of the Accounting API."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timedelta, timezone
from xml.etree import ElementTree

import pytest

from xero_sandbox import Sandbox
from xero_sandbox.resources import RESOURCES


def contacts(count, **more):
    return [
        {"Name": f"Contact {number}", "ContactStatus": "ACTIVE", **more} for number in range(1, count + 1)
    ]


# --- the envelope ---


def test_an_answer_is_an_envelope_with_the_callers_id_and_the_servers_time(xero, api):
    response = api.call("Contacts?page=1")
    body = response.json()
    assert list(body) == ["Id", "Status", "ProviderName", "DateTimeUTC", "pagination", "Contacts"]
    assert body["DateTimeUTC"] == "/Date(1795165200000)/"
    assert body["Id"] == response.headers["Xero-Correlation-Id"]
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"


def test_the_default_format_is_xml(books, invoices):
    caller = books(Invoices=invoices(1))
    response = caller.call("Invoices?page=1", headers={"Accept": "*/*"})
    assert response.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert response.text.startswith("<Response><Id>")
    assert "<Invoices><Invoice>" in response.text
    assert "<LineItems><LineItem>" in response.text
    assert "<UpdatedDateUTC>2026-11-19T12:00:00</UpdatedDateUTC>" in response.text
    assert "<Date>2026-10-02T00:00:00</Date>" in response.text


def test_another_format_is_406(api):
    assert api.call("Contacts", headers={"Accept": "text/csv"}).status_code == 406
    assert api.call("Contacts", headers={"Accept": "application/pdf"}).status_code == 501


def test_every_address_answers_in_xml(callers):
    with Sandbox(limits=False) as demo:
        caller = callers(demo)
        for path in [
            *RESOURCES,
            "Organisation/Actions",
            "InvoiceReminders/Settings",
            "Reports",
            "Reports/TrialBalance",
        ]:
            root = ElementTree.fromstring(caller.call(path, headers={"Accept": "application/xml"}).content)
            assert (root.tag, root.findtext("Status")) == ("Response", "OK"), path
            assert len(root[-1]) > 0, path
            assert "/Date(" not in ElementTree.tostring(root, "unicode"), path


def test_a_report_with_invalid_parameters_is_400_and_an_unknown_one_404(api):
    response = api.call("Reports/ProfitAndLoss?periods=99")
    assert (response.status_code, response.json()["Type"]) == (400, "ValidationException")
    assert api.call("Reports/Nonsense").status_code == 404
    assert api.call("Reports/ProfitAndLoss", "PUT", json={}).status_code == 501


def test_answers_are_gzipped_on_request(books, invoices):
    caller = books(Invoices=invoices(30))
    response = caller.call("Invoices?page=1", headers={"Accept-Encoding": "gzip"}, stream=True)
    raw = response.raw.read(decode_content=False)
    assert response.headers["Content-Encoding"] == "gzip"
    assert len(json.loads(gzip.decompress(raw))["Invoices"]) == 30


# --- pages ---


def test_without_page_the_list_is_complete_but_has_no_lines(books, invoices):
    body = books(Invoices=invoices(120)).get("Invoices")
    assert "pagination" not in body
    assert len(body["Invoices"]) == 120
    assert {len(one["LineItems"]) for one in body["Invoices"]} == {0}


def test_a_page_has_a_hundred_records_with_lines_by_default(books, invoices):
    body = books(Invoices=invoices(120)).get("Invoices", page=1)
    assert body["pagination"] == {"page": 1, "pageSize": 100, "pageCount": 2, "itemCount": 120}
    assert len(body["Invoices"]) == 100
    assert {len(one["LineItems"]) for one in body["Invoices"]} == {1}


def test_each_page_starts_where_the_last_one_ended(books, invoices):
    caller = books(Invoices=invoices(25))
    pages = [caller.ids("Invoices", "InvoiceNumber", page=page, pageSize=10) for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [10, 10, 5]
    assert [number for page in pages for number in page] == [f"INV-{number}" for number in range(1, 26)]


def test_a_page_past_the_end_is_an_empty_list(books, invoices):
    body = books(Invoices=invoices(3)).get("Invoices", page=2)
    assert body["Invoices"] == []
    assert body["pagination"] == {"page": 2, "pageSize": 100, "pageCount": 1, "itemCount": 3}


@pytest.mark.parametrize(("asked", "served"), [("5000", 1000), ("0", 1), ("-3", 1), ("many", 100)])
def test_a_page_size_out_of_range_is_adjusted(books, invoices, asked, served):
    assert (
        books(Invoices=invoices(3)).get("Invoices", page=1, pageSize=asked)["pagination"]["pageSize"]
        == served
    )


def test_purchase_orders_are_always_paged(books):
    orders = [
        {"PurchaseOrderNumber": f"PO-{number}", "LineItems": [{"Quantity": 1}]} for number in range(101)
    ]
    caller = books(PurchaseOrders=orders)
    body = caller.get("PurchaseOrders")
    assert body["pagination"] == {"page": 1, "pageSize": 100, "pageCount": 2, "itemCount": 101}
    assert len(body["PurchaseOrders"][0]["LineItems"]) == 1
    assert len(caller.get("PurchaseOrders", page=2)["PurchaseOrders"]) == 1


def test_pages_of_quotes_have_a_hundred_records_and_no_pagination_block(books):
    caller = books(Quotes=[{"QuoteNumber": f"QU-{number}"} for number in range(101)])
    body = caller.get("Quotes", pageSize=1000)
    assert list(body)[-2:] == ["SummarizeErrors", "Quotes"]
    assert (len(body["Quotes"]), len(caller.get("Quotes", page=2)["Quotes"])) == (100, 1)
    assert caller.call("Quotes").headers["Content-Type"] == "application/json"


def test_pages_of_linked_transactions_have_a_hundred_records(books):
    caller = books(LinkedTransactions=[{"Status": "DRAFT"} for _ in range(101)])
    assert [len(caller.get("LinkedTransactions", page=page)["LinkedTransactions"]) for page in (1, 2)] == [
        100,
        1,
    ]


def test_accounts_are_never_paged(books):
    caller = books(Accounts=[{"Code": f"{number}", "Name": f"{number}"} for number in range(120)])
    body = caller.get("Accounts", page=2, pageSize=10)
    assert len(body["Accounts"]) == 120
    assert "pagination" not in body


# --- journals ---


def journals(count, start=344):
    at = datetime(2026, 11, 19, 12, tzinfo=timezone.utc)
    return [
        {
            "JournalNumber": start + number,
            "JournalDate": "2026-11-20",
            "CreatedDateUTC": (at + timedelta(minutes=number ^ 1)).isoformat(),
            "SourceType": "ACCREC" if number % 2 else "CASHREC",
            "SourceID": "6d2d6a1e-0000-4000-8000-000000000000",
            "JournalLines": [],
        }
        for number in range(count)
    ]


def test_a_journals_offset_is_the_last_number_seen_not_a_count(books):
    caller = books(Journals=journals(221))
    numbers = [caller.ids("Journals", "JournalNumber", offset=offset) for offset in (0, 100, 443, 543, 564)]
    assert numbers[0] == numbers[1] == list(range(344, 444))
    assert numbers[2] == list(range(444, 544))
    assert numbers[3] == list(range(544, 565))
    assert numbers[4] == []


def test_journals_ignore_page(books):
    caller = books(Journals=journals(150))
    assert caller.ids("Journals", "JournalNumber", page=2) == caller.ids("Journals", "JournalNumber")


def test_journals_are_filtered_by_their_creation(books):
    caller = books(Journals=journals(4))
    assert caller.ids("Journals", "JournalNumber", since="2026-11-19T12:02:00") == [346, 347]


def test_payments_only_gives_the_journals_of_the_cash_basis(books):
    assert books(Journals=journals(4)).ids("Journals", "JournalNumber", paymentsOnly="true") == [344, 346]


def test_a_single_journal_has_no_source_and_can_be_read_by_number(books):
    caller = books(Journals=journals(4))
    listed = caller.get("Journals")["Journals"][2]
    single = caller.get("Journals/346")["Journals"][0]
    assert single["JournalID"] == listed["JournalID"]
    assert set(listed) - set(single) == {"SourceID", "SourceType"}


# --- If-Modified-Since ---


@pytest.mark.parametrize(
    "header",
    [
        "2026-11-19T12:02:00",
        "2026-11-19T12:02:00Z",
        "2026-11-19T12:02:00.900",
        "2026-11-20T01:02:00+13:00",
        "Thu, 19 Nov 2026 12:02:00 GMT",
        "2026-11-19 12:02:00",
    ],
)
def test_if_modified_since_accepts_many_forms_and_counts_whole_seconds(books, invoices, header):
    caller = books(Invoices=invoices(5))
    assert caller.ids("Invoices", "InvoiceNumber", since=header, page=1) == ["INV-3", "INV-4", "INV-5"]


def test_an_empty_if_modified_since_is_ignored(books, invoices):
    assert len(books(Invoices=invoices(5)).get("Invoices", since="")["Invoices"]) == 5


def test_an_invalid_if_modified_since_is_refused(books, invoices):
    response = books(Invoices=invoices(1)).call("Invoices", headers={"If-Modified-Since": "yesterday"})
    assert (response.status_code, response.json()["ErrorNumber"]) == (400, 16)


def test_nothing_new_is_200_and_an_empty_list_or_304_by_a_switch(xero, books, invoices):
    caller = books(Invoices=invoices(5))
    assert caller.get("Invoices", since="2035-01-01T00:00:00")["Invoices"] == []
    xero.admin.switch(nothing_new_304=True)
    response = caller.call("Invoices", headers={"If-Modified-Since": "2035-01-01T00:00:00"})
    assert (response.status_code, response.content) == (304, b"")


def test_whether_the_bound_is_inclusive_is_a_switch(xero, books, invoices):
    caller = books(Invoices=invoices(3))
    since = "2026-11-19T12:01:00"
    assert caller.ids("Invoices", "InvoiceNumber", since) == ["INV-2", "INV-3"]
    xero.admin.switch(since_inclusive=False)
    assert caller.ids("Invoices", "InvoiceNumber", since) == ["INV-3"]


def test_bank_transfers_are_filtered_by_creation_and_tax_rates_not_at_all(books):
    old, new = "2026-11-01T00:00:00Z", "2026-11-20T00:00:00Z"
    caller = books(
        BankTransfers=[{"Amount": 1, "CreatedDateUTC": old}, {"Amount": 2, "CreatedDateUTC": new}],
        TaxRates=[{"TaxType": "NONE", "Name": "No tax"}],
    )
    assert caller.ids("BankTransfers", "Amount", since="2026-11-10T00:00:00") == [2]
    assert caller.ids("TaxRates", "TaxType", since="2035-01-01T00:00:00") == ["NONE"]


# --- order ---


def test_lists_are_sorted_by_time_of_change(xero, books, invoices):
    caller = books(Invoices=invoices(3))
    xero.admin.edit("Invoices", "INV-1", tenant="Books Ltd", Reference="changed")
    assert caller.ids("Invoices", "InvoiceNumber") == ["INV-2", "INV-3", "INV-1"]


def test_accounts_and_items_are_sorted_by_code_and_tax_rates_by_name(books):
    codes = [{"Code": code, "Name": code, "TaxType": code} for code in ("300", "100", "200")]
    caller = books(Accounts=codes, Items=codes, TaxRates=codes)
    for resource in ("Accounts", "Items"):
        assert caller.ids(resource, "Code") == ["100", "200", "300"]
    assert caller.ids("TaxRates", "Name") == ["100", "200", "300"]


def test_lists_can_be_sorted_by_field_and_direction(books, invoices):
    caller = books(Invoices=invoices(3))
    assert caller.ids("Invoices", "Total", order="Total DESC") == [3, 2, 1]
    assert caller.ids("Invoices", "Total", order="Contact.Name, Total desc", page=1, pageSize=2) == [3, 2]
    assert caller.call("Invoices?order=Nonsense").status_code == 400


def test_order_makes_manual_journals_unpaged_unless_switched_off(xero, books):
    caller = books(ManualJournals=[{"Narration": f"{number}", "JournalLines": [{}]} for number in range(12)])
    body = caller.get("ManualJournals", page=1, pageSize=5, order="UpdatedDateUTC ASC")
    assert (len(body["ManualJournals"]), "pagination" in body) == (12, False)
    xero.admin.switch(manual_journals_order=False)
    assert (
        len(caller.get("ManualJournals", page=1, pageSize=5, order="UpdatedDateUTC ASC")["ManualJournals"])
        == 5
    )


def test_lists_can_be_scrambled(xero, books, invoices):
    caller = books(Invoices=invoices(50))
    xero.admin.switch(scrambled_order=True)
    first, second = (caller.ids("Invoices", "Total", page=page, pageSize=25) for page in (1, 2))
    assert sorted(first + second) == list(range(1, 51))
    assert first + second != list(range(1, 51))


# --- where ---


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Total==2", [2]),
        ("Total != 2", [1, 3, 4]),
        ("Total>=2 AND Total<4", [2, 3]),
        ("Total==1 OR Total==4", [1, 4]),
        ("(Total==1 OR Total==4) && Total>2", [4]),
        ("NOT (Total==1)", [2, 3, 4]),
        ('InvoiceNumber=="inv-3"', [3]),
        ('Contact.Name=="ADA" AND Total<=1', [1]),
        ('InvoiceNumber.Contains("-2")', [2]),
        ('InvoiceNumber.StartsWith("INV")', [1, 2, 3, 4]),
        ('InvoiceNumber.EndsWith("4")', [4]),
        ('InvoiceNumber.ToLower()=="inv-1"', [1]),
        ("Date >= DateTime(2026,10,4)", [3, 4]),
        ('Date == DateTime.Parse("2026-10-03")', [2]),
        ("UpdatedDateUTC > DateTime(2026,11,19,12,1,0)", [3, 4]),
        ("Reference != null", [1, 2, 3, 4]),
        ("FullyPaidOnDate == null", [1, 2, 3, 4]),
        ("FullyPaidOnDate.HasValue", []),
        ("SentToContact == true", [1, 2, 3, 4]),
        ('Type=="ACCREC" && Status!="VOIDED" && Total=3', [3]),
    ],
)
def test_where_selects_records(books, invoices, where, found):
    caller = books(Invoices=invoices(4, Reference='say "x"', SentToContact=True))
    assert caller.ids("Invoices", "Total", where=where) == found


def test_where_compares_guids_and_text_with_quotes(books, invoices):
    caller = books(Invoices=invoices(2, Reference='say "x"'))
    one = caller.get("Invoices")["Invoices"][1]["InvoiceID"]
    assert caller.ids("Invoices", "Total", where=f'InvoiceID==Guid("{one.upper()}")') == [2]
    assert caller.ids("Invoices", "Total", where='Reference=="say \\"x\\""') == [1, 2]


@pytest.mark.parametrize(
    "where",
    [
        "Nonsense==1",
        "Total==",
        "Total==1 AND",
        "(Total==1",
        'Name=="x',
        "Total=='1'",
        "Total.Twist()==1",
        'Total>"x"',
    ],
)
def test_a_where_that_cannot_be_parsed_is_400_with_number_16(books, invoices, where):
    response = books(Invoices=invoices(1)).call("Invoices", params={"where": where})
    assert response.status_code == 400
    assert (response.json()["ErrorNumber"], response.json()["Type"]) == (16, "QueryParseException")


def test_where_is_ignored_where_xero_has_none(books):
    caller = books(PurchaseOrders=[{"PurchaseOrderNumber": "PO-1"}])
    assert caller.ids("PurchaseOrders", "PurchaseOrderNumber", where="Nonsense==1") == ["PO-1"]


# --- named filters ---


def test_invoices_are_filtered_by_ids_numbers_contacts_statuses_and_search(books, invoices):
    made = invoices(4)
    made[1] |= {"Status": "DRAFT", "Reference": "Kayak"}
    made[2]["Contact"] = {"ContactID": "aaaaaaaa-0000-4000-8000-000000000000", "Name": "Bob Kayak"}
    caller = books(Invoices=made)

    def found(**params):
        return caller.ids("Invoices", "Total", **params)

    assert found(IDs=f"{made[0]['InvoiceID']},{made[3]['InvoiceID'].upper()}") == [1, 4]
    assert found(InvoiceNumbers="INV-2,INV-4") == [2, 4]
    assert found(ContactIDs="aaaaaaaa-0000-4000-8000-000000000000") == [3]
    assert found(Statuses="DRAFT,PAID") == [2]
    assert found(searchTerm="kayak") == [2, 3]
    assert found(createdByMyApp="true") == []
    assert found(createdByMyApp="false") == [1, 2, 3, 4]


def test_quotes_are_filtered_by_dates_contact_status_and_number(books):
    quotes = [
        {
            "QuoteNumber": f"QU-{day}",
            "Date": f"2026-10-{day}",
            "ExpiryDate": f"2026-11-{day}",
            "Status": "SENT",
        }
        for day in (11, 12, 13)
    ]
    quotes[0]["Contact"] = {"ContactID": "aaaaaaaa-0000-4000-8000-000000000000"}
    caller = books(Quotes=quotes)

    def found(**params):
        return [number[3:] for number in caller.ids("Quotes", "QuoteNumber", **params)]

    assert sorted(found(DateFrom="2026-10-12")) == ["12", "13"]
    assert sorted(found(DateTo="2026-10-12")) == ["11", "12"]
    assert found(ExpiryDateFrom="2026-11-12", ExpiryDateTo="2026-11-12") == ["12"]
    assert found(ContactID="aaaaaaaa-0000-4000-8000-000000000000") == ["11"]
    assert found(QuoteNumber="QU-13") == ["13"]
    assert found(Status="DRAFT") == []


def test_archived_contacts_and_categories_and_deleted_transfers_are_listed_on_request(books):
    caller = books(
        Contacts=[*contacts(1), {"Name": "Old", "ContactStatus": "ARCHIVED"}],
        TrackingCategories=[{"Name": "Region", "Status": "ACTIVE"}, {"Name": "Old", "Status": "ARCHIVED"}],
        BankTransfers=[{"Amount": 1, "Status": "AUTHORISED"}, {"Amount": 2, "Status": "DELETED"}],
        ContactGroups=[{"Name": "A", "Status": "ACTIVE"}, {"Name": "B", "Status": "DELETED"}],
    )
    assert caller.ids("Contacts", "Name", page=1) == ["Contact 1"]
    assert caller.ids("Contacts", "Name", order="Name", includeArchived="True") == ["Contact 1", "Old"]
    assert caller.ids("TrackingCategories", "Name") == ["Region"]
    assert len(caller.get("TrackingCategories", includeArchived="true")["TrackingCategories"]) == 2
    assert caller.ids("BankTransfers", "Amount") == [1]
    assert sorted(caller.ids("BankTransfers", "Amount", includeDeleted="true")) == [1, 2]
    assert caller.ids("ContactGroups", "Name") == ["A"]


# --- how much of a record ---


def test_prices_have_two_decimals_or_four_on_request(books, invoices):
    caller = books(Invoices=invoices(1), Items=[{"Code": "A", "SalesDetails": {"UnitPrice": 1.2345}}])
    assert '"UnitAmount":1.23,' in caller.call("Invoices?page=1").text.replace("}", ",")
    assert '"UnitAmount":1.2345,' in caller.call("Invoices?page=1&unitdp=4").text.replace("}", ",")
    assert '"UnitPrice":1.2345}' in caller.call("Items?unitdp=4").text


def test_orders_and_quotes_always_have_four_decimals(books):
    lines = [{"LineItemID": "x", "UnitAmount": 1.5}]
    caller = books(PurchaseOrders=[{"LineItems": lines}], Quotes=[{"LineItems": lines}])
    assert '"UnitAmount":1.5000' in caller.call("PurchaseOrders").text
    assert '"UnitAmount":1.5000' in caller.call("Quotes").text


def test_dates_have_xeros_form_and_some_also_appear_as_text(books, invoices):
    record = books(Invoices=invoices(1)).get("Invoices", page=1)["Invoices"][0]
    assert record["Date"] == "/Date(1790899200000+0000)/"
    assert record["DateString"] == "2026-10-02T00:00:00"
    assert record["DueDateString"] == "2026-12-01T00:00:00"
    assert record["UpdatedDateUTC"] == "/Date(1795089600000+0000)/"
    assert record["UpdatedDateUTCString"] == "2026-11-19T12:00:00Z"


def test_dates_before_1970_are_negative(books, invoices):
    record = books(Invoices=invoices(1, Date="1969-12-31")).get("Invoices")["Invoices"][0]
    assert record["Date"] == "/Date(-86400000+0000)/"


def test_quotes_and_an_organisations_creation_have_no_offset(books):
    quote = {"Date": "2026-10-01", "UpdatedDateUTC": "2026-11-19T12:00:00Z", "LineAmountTypes": "Exclusive"}
    caller = books(
        Quotes=[quote],
        Organisation=[
            {"Name": "Books Ltd", "CreatedDateUTC": "2026-11-19T12:00:00Z", "PeriodLockDate": "2026-03-31"}
        ],
    )
    shown = caller.get("Quotes")["Quotes"][0]
    assert (shown["UpdatedDateUTC"], shown["LineAmountTypes"]) == ("/Date(1795089600000)/", "EXCLUSIVE")
    assert shown["DateString"] == "2026-10-01T00:00:00"
    organisation = caller.get("Organisation")["Organisations"][0]
    assert organisation["CreatedDateUTC"] == "/Date(1795089600000)/"
    assert organisation["PeriodLockDate"].endswith("+0000)/")


def test_dates_of_bank_transfers_as_text_have_no_z(books):
    caller = books(
        BankTransfers=[{"Amount": 1, "Date": "2026-10-01", "CreatedDateUTC": "2026-11-19T12:00:00Z"}]
    )
    record = caller.get("BankTransfers")["BankTransfers"][0]
    assert record["CreatedDateUTCString"] == "2026-11-19T12:00:00"
    assert record["DateString"] == "2026-10-01T00:00:00"


def test_null_fields_are_absent(books, invoices):
    record = books(Invoices=invoices(1, Reference=None)).get("Invoices", page=1)["Invoices"][0]
    assert "Reference" not in record


def test_lists_show_a_contact_by_id_and_current_name_and_single_reads_in_full(xero, books, invoices):
    made = invoices(1)
    ada = {"ContactID": made[0]["Contact"]["ContactID"], "Name": "Ada", "EmailAddress": "ada@example.com"}
    caller = books(Invoices=made, Contacts=[ada])
    assert caller.get("Invoices", page=1)["Invoices"][0]["Contact"]["Name"] == "Ada"
    xero.admin.edit("Contacts", ada["ContactID"], tenant="Books Ltd", Name="Ada Lovelace")
    listed = caller.get("Invoices", page=1)["Invoices"][0]["Contact"]
    assert {name: value for name, value in listed.items() if value} == {
        "ContactID": ada["ContactID"],
        "Name": "Ada Lovelace",
    }
    assert caller.get("Invoices/INV-1")["Invoices"][0]["Contact"]["EmailAddress"] == "ada@example.com"


def test_tracking_has_an_option_id_in_single_reads_but_not_in_pages(books, invoices):
    tracking = {"Name": "Region", "Option": "North", "TrackingCategoryID": "c", "TrackingOptionID": "o"}
    caller = books(Invoices=invoices(1, LineItems=[{"LineItemID": "x", "Tracking": [tracking]}]))
    paged = caller.get("Invoices", page=1)["Invoices"][0]["LineItems"][0]["Tracking"][0]
    single = caller.get("Invoices/INV-1")["Invoices"][0]["LineItems"][0]["Tracking"][0]
    assert paged == {"Name": "Region", "Option": "North", "TrackingCategoryID": "c", "Options": []}
    assert single == tracking


def test_unpaged_contacts_lack_some_fields(books):
    group = {"ContactGroupID": "g", "Name": "VIP"}
    caller = books(
        Contacts=contacts(1, ContactGroups=[group], PaymentTerms={"Sales": {"Day": 5}}, Website="w")
    )
    unpaged = caller.get("Contacts")["Contacts"][0]
    paged = caller.get("Contacts", page=1)["Contacts"][0]
    assert (unpaged["ContactGroups"], "PaymentTerms" in unpaged, "Website" in unpaged) == ([], False, False)
    assert (paged["ContactGroups"], paged["PaymentTerms"]["Sales"]["Day"], paged["Website"]) == (
        [{**group, "Contacts": []}],
        5,
        "w",
    )


def test_summary_only_pages_and_omits_fields(books, invoices):
    caller = books(Invoices=invoices(1), Contacts=contacts(1, IsCustomer=True))
    body = caller.get("Invoices", summaryOnly="true")
    assert "LineItems" not in body["Invoices"][0]
    assert body["pagination"]["itemCount"] == 1
    assert "IsCustomer" not in caller.get("Contacts", summaryOnly="true")["Contacts"][0]


def test_credit_notes_and_prepayments_have_their_id_twice(books):
    caller = books(**{name: [{"Type": "X"}] for name in ("CreditNotes", "Prepayments")})
    for name in ("CreditNote", "Prepayment"):
        record = caller.get(f"{name}s", page=1)[f"{name}s"][0]
        assert record["ID"] == record[f"{name}ID"]


def test_a_quote_shows_its_terms_in_single_reads_and_its_discount_in_lists(books):
    line = {"LineItemID": "x", "ItemCode": "A", "DiscountAmount": 0}
    caller = books(Quotes=[{"QuoteNumber": "QU-1", "Terms": "t", "TotalDiscount": 0, "LineItems": [line]}])
    listed = caller.get("Quotes")["Quotes"][0]
    single = caller.get(f"Quotes/{listed['QuoteID']}")["Quotes"][0]
    assert ("Terms" in listed, "TotalDiscount" in listed) == (False, True)
    assert ("Terms" in single, "TotalDiscount" in single) == (True, False)
    assert set(listed["LineItems"][0]) == {"LineItemID", "DiscountAmount"}
    assert set(single["LineItems"][0]) == {"LineItemID", "ItemCode"}


def test_a_contact_group_shows_its_members_only_in_single_reads(books):
    person = {"ContactID": "11111111-0000-4000-8000-000000000000", "Name": "Ada"}
    caller = books(
        ContactGroups=[{"Name": "VIP", "Status": "ACTIVE", "Contacts": [person]}], Contacts=[person]
    )
    listed = caller.get("ContactGroups")["ContactGroups"][0]
    assert listed["Contacts"] == []
    single = caller.get(f"ContactGroups/{listed['ContactGroupID']}")["ContactGroups"][0]
    assert [one["Name"] for one in single["Contacts"]] == ["Ada"]


# --- budgets ---


def budget():
    months = [f"{2025 + month // 12}-{month % 12 + 1:02}" for month in range(30)]
    balances = [{"Period": month, "Amount": number} for number, month in enumerate(months)]
    return {"Type": "OVERALL", "BudgetLines": [{"AccountCode": "200", "BudgetBalances": balances}]}


def periods(caller, path, **params):
    lines = caller.get(path, **params)["Budgets"][0]["BudgetLines"]
    return [one["Period"] for line in lines for one in line["BudgetBalances"]]


def test_a_budget_shows_its_lines_only_in_single_reads_and_by_month(books):
    caller = books(Budgets=[budget()])
    listed = caller.get("Budgets", DateFrom="2025-01-01", DateTo="2026-12-31")["Budgets"][0]
    path = f"Budgets/{listed['BudgetID']}"
    assert listed["BudgetLines"] == []
    assert periods(caller, path) == ["2026-11", "2026-10"]
    assert periods(caller, path, DateFrom="2025-03-01", DateTo="2025-04-30") == ["2025-04", "2025-03"]
    assert len(periods(caller, path, DateFrom="2025-01-01", DateTo="2026-12-31")) == 24
    assert caller.call(path, params={"DateFrom": "2025-01-01", "DateTo": "2027-01-31"}).status_code == 400


# --- single records and what hangs on them ---


def test_a_record_is_read_by_id_and_where_xero_allows_by_number_or_code(books, invoices):
    caller = books(
        Invoices=invoices(2),
        Contacts=contacts(1, ContactNumber="C1"),
        Items=[{"Code": "KAYAK"}],
        PurchaseOrders=[{"PurchaseOrderNumber": "PO-7"}, {"PurchaseOrderNumber": "2026/11 é"}],
        CreditNotes=[{"CreditNoteNumber": "CN-1"}],
        TaxRates=[{"TaxType": "OUTPUT2", "Name": "GST"}],
    )
    one = caller.get("Invoices/INV-2")["Invoices"][0]
    assert caller.get(f"Invoices/{one['InvoiceID'].upper()}")["Invoices"][0] == one
    for path in (
        "Contacts/C1",
        "Items/kayak",
        "PurchaseOrders/PO-7",
        "PurchaseOrders/2026%2F11%20%C3%A9",
        "CreditNotes/CN-1",
        "TaxRates/OUTPUT2",
    ):
        assert caller.call(path).status_code == 200, path


@pytest.mark.parametrize(
    "path",
    [
        "Invoices/11111111-0000-4000-8000-000000000000",
        "Invoices/INV-404",
        "Currencies/NZD",
        "Employees",
        "Nonsense",
        "Invoices/INV-1/Nonsense",
        "Accounts/INV-1/History",
    ],
)
def test_an_unknown_record_is_404_in_html(books, invoices, path):
    response = books(Invoices=invoices(1)).call(path)
    assert (response.status_code, response.headers["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_history_attachments_and_online_invoices_can_be_read(books, invoices):
    caller = books(Invoices=invoices(1))
    note = caller.get("Invoices/INV-1/History")["HistoryRecords"][0]
    assert (note["Changes"], note["DateUTCString"]) == ("Created", "2026-11-19T12:00:00")
    assert caller.get("Invoices/INV-1/Attachments")["Attachments"] == []
    assert caller.call("Invoices/INV-1/Attachments/none.pdf").status_code == 404
    assert caller.get("Invoices/INV-1/OnlineInvoice")["OnlineInvoices"][0]["OnlineInvoiceUrl"].startswith(
        "https://"
    )


def test_settings_have_their_own_addresses(api):
    assert {one["Status"] for one in api.get("Organisation/Actions")["Actions"]} == {"ALLOWED"}
    assert api.get("InvoiceReminders/Settings")["InvoiceReminders"] == [{"Enabled": False}]
    organisation = api.get("Organisation")["Organisations"][0]["OrganisationID"]
    assert api.get(f"Organisation/{organisation}/CISSettings")["CISSettings"] == []
    theme = api.get("BrandingThemes")["BrandingThemes"][0]["BrandingThemeID"]
    assert api.get(f"BrandingThemes/{theme}/PaymentServices")["PaymentServices"] == []


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("Invoices/INV-1/pdf", "PDFs are not supported"),
        ("Setup", "Setup is not supported"),
        (
            "/payroll.xro/1.0/Employees",
            "only the Accounting API and reads of the Assets API are supported, not /payroll.xro/1.0/Employees",
        ),
    ],
)
def test_unsupported_calls_are_501_with_the_reason(books, invoices, path, words):
    response = books(Invoices=invoices(1)).call(path)
    assert response.status_code == 501
    assert response.json()["Message"] == f"Sandbox: {words}"


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "Organisation"), ("DELETE", "Invoices"), ("POST", "Users")]
)
def test_a_method_that_xero_does_not_have_is_501_with_number_20(api, method, path):
    response = api.call(path, method, json={})
    assert response.status_code == 501
    assert (response.json()["ErrorNumber"], response.json()["Type"]) == (
        20,
        "ApiMethodNotImplementedException",
    )


def test_an_unknown_method_is_405(api):
    assert api.call("Contacts", "PATCH", json={}).status_code == 405


# --- very many ---


def test_a_call_for_too_many_records_is_refused_unless_paged_and_optimised(xero, books, invoices):
    caller = books(Invoices=invoices(6))
    xero.admin.limits(high_volume=5)
    assert caller.call("Invoices").status_code == 400
    assert "High volume" in caller.call("Invoices").json()["Message"]
    assert caller.call("Invoices?page=1").status_code == 200
    assert caller.call("Invoices", params={"page": 1, "where": 'Status=="PAID"'}).status_code == 200
    assert caller.call("Invoices", params={"page": 1, "where": "Total>1"}).status_code == 400
    assert caller.call("Invoices", params={"page": 1, "order": "Total"}).status_code == 400
    assert caller.call("Invoices", params={"page": 1, "order": "Date DESC"}).status_code == 200


def test_a_new_record_has_a_stamp_in_the_precision_of_xeros_database(xero, books):
    caller = books(Contacts=[])
    for milliseconds in (0, 1, 2, 5, 8, 999):
        xero.admin.set_clock(datetime(2026, 11, 20, 9, 0, 0, milliseconds * 1000, tzinfo=timezone.utc))
        xero.admin.put("Contacts", {"Name": f"{milliseconds}"}, tenant="Books Ltd")
    endings = {stamp[stamp.index(")") - 6] for stamp in caller.ids("Contacts", "UpdatedDateUTC")}
    assert endings <= {"0", "3", "7"}
