"""Accounts, items, tax rates, tracking, currencies, payment services and linked transactions."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest


def words(response: Any) -> list[str]:
    """Why a call was refused with 400."""
    assert response.status_code == 400, (response.status_code, response.text)
    (element,) = response.json()["Elements"]
    return [one["Message"] for one in element["ValidationErrors"]]


# --- accounts --------------------------------------------------------------------------------------------

SALES = {"Code": "201", "Name": "Tours", "Type": "REVENUE"}


def test_accounts_are_created_one_at_a_time_with_the_fields_of_their_type(company):
    answer = company.send("PUT", "Accounts", {"Accounts": [SALES, {**SALES, "Code": "202", "Name": "Other"}]})
    (made,) = answer.json()["Accounts"]
    assert (made["Class"], made["TaxType"], made["Status"]) == ("REVENUE", "OUTPUT2", "ACTIVE")
    assert "202" not in {one.get("Code") for one in company.admin.records("Accounts")}
    line = {"Description": "x", "UnitAmount": 10, "AccountCode": "201"}
    assert company.invoice(LineItems=[line])["LineItems"][0]["AccountID"] == made["AccountID"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"Name": "SALES"}, "Please enter a unique Name."),
        ({"Code": "200"}, "Please enter a unique Code."),
        ({"Code": None}, "Please enter a Code."),
        ({"Code": "12345678901"}, "Account Code is too long. Maximum of 10 characters allowed"),
        ({"Name": None}, "Please enter a Name."),
        ({"Type": "NONSENSE"}, "Account Type 'NONSENSE' is not valid"),
        ({"Type": "BANK"}, "Please enter a BankAccountNumber."),
        (
            {"TaxType": "X"},
            "The TaxType code X does not exist or cannot be used for this type of transaction.",
        ),
    ],
)
def test_an_account_is_refused_with_400_even_without_summarize_errors(company, change, why):
    before = company.count("Accounts")
    assert words(company.send("PUT", "Accounts", [{**SALES, **change}], summarizeErrors="false")) == [why]
    assert company.count("Accounts") == before


def test_an_account_is_changed_by_its_id_in_the_element_or_in_the_address(company):
    made = company.put("Accounts", SALES)
    changed = company.post("Accounts", {"AccountID": made["AccountID"], "Name": "Trips"})
    assert (changed["Name"], changed["Code"]) == ("Trips", "201")
    response = company.send("POST", f"Accounts/{made['AccountID']}", {"Accounts": [{"Description": "Boats"}]})
    assert response.json()["Accounts"][0]["Description"] == "Boats"
    both = {"Name": "More", "Status": "ARCHIVED"}
    assert words(company.send("POST", f"Accounts/{made['AccountID']}", both)) == [
        "The Status of an account cannot be changed together with other fields"
    ]


def test_an_archived_account_accepts_no_new_lines(company):
    made = company.put("Accounts", SALES)
    company.post("Accounts", {"AccountID": made["AccountID"], "Status": "ARCHIVED"})
    line = {"Description": "x", "UnitAmount": 10, "AccountCode": "201"}
    body = {"Type": "ACCREC", "Contact": {"Name": "Ada"}, "LineItems": [line]}
    assert company.refused("PUT", "Invoices", body) == ["Account code '201' has been archived, or deleted."]


def test_only_an_unused_account_is_deleted_and_system_accounts_stay(company):
    made, used = (
        company.put("Accounts", SALES),
        company.put("Accounts", {**SALES, "Code": "202", "Name": "U"}),
    )
    company.invoice(LineItems=[{"Description": "x", "UnitAmount": 10, "AccountCode": "202"}])
    gone = company.send("DELETE", f"Accounts/{made['AccountID']}")
    assert gone.json()["Accounts"][0]["Status"] == "DELETED"
    assert company.send("GET", f"Accounts/{made['AccountID']}").status_code == 404
    assert words(company.send("DELETE", f"Accounts/{used['AccountID']}"))
    gst = next(one for one in company.admin.records("Accounts") if one.get("SystemAccount") == "GST")
    assert words(company.send("DELETE", f"Accounts/{gst['AccountID']}")) == [
        "System accounts cannot be deleted"
    ]
    assert words(company.send("POST", f"Accounts/{gst['AccountID']}", {"Name": "x"})) == [
        "System accounts cannot be edited"
    ]


# --- items -----------------------------------------------------------------------------------------------


def test_an_item_is_found_again_by_its_code_and_its_answer_has_no_flags(company):
    body = {"Code": "KAY", "Name": "Kayak", "SalesDetails": {"UnitPrice": "10.1234", "AccountCode": "200"}}
    first = company.send("POST", "Items", {"Items": [body]}).json()["Items"][0]
    again = company.send("POST", "Items", {"Items": [{**body, "Code": "kay", "Name": "Boat"}]}, unitdp=4)
    second = again.json()["Items"][0]
    assert (second["ItemID"], second["Name"]) == (first["ItemID"], "Boat")
    assert (first["SalesDetails"]["UnitPrice"], second["SalesDetails"]["UnitPrice"]) == (10.12, 10.1234)
    assert first["SalesDetails"]["TaxType"] == "OUTPUT2"
    assert (first["IsSold"], first["IsPurchased"], first["IsTrackedAsInventory"]) == (True, True, False)
    assert first["ValidationErrors"] == []
    assert not {"HasErrors", "HasValidationErrors", "StatusAttributeString"} & set(first)
    assert "+" not in first["UpdatedDateUTC"]
    assert "+0000" in company.get("Items", first["ItemID"])["UpdatedDateUTC"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"Code": "kay"}, "Price List Item with Code 'kay' already exists"),
        ({"Code": None}, "Price List Item Code must be specified"),
        ({"Code": "x" * 31}, "The Code field exceeds the maximum length of 30 characters."),
        (
            {"SalesDetails": {"AccountCode": "999"}},
            "Account code '999' is not a valid code for this document.",
        ),
        (
            {"InventoryAssetAccountCode": "200"},
            "A tracked item needs an InventoryAssetAccountCode of type INVENTORY and a COGSAccountCode",
        ),
    ],
)
def test_an_item_is_refused_with_the_reason(company, change, why):
    company.put("Items", {"Code": "KAY"})
    assert company.refused("PUT", "Items", {"Code": "OTHER", **change}) == [why]


def test_an_update_of_an_item_needs_its_code_as_well(company):
    made = company.put("Items", {"Code": "KAY", "Name": "Kayak"})
    assert company.refused("POST", "Items", {"ItemID": made["ItemID"], "Name": "Boat"}) == [
        "Price List Item Code must be specified"
    ]
    done = company.send("POST", f"Items/{made['ItemID']}", {"Code": "BOAT"}).json()["Items"][0]
    assert (done["ItemID"], done["Code"], done["Name"]) == (made["ItemID"], "BOAT", "Kayak")


def test_a_deleted_item_is_gone_and_its_lines_stay(company):
    made = company.put("Items", {"Code": "KAY", "SalesDetails": {"UnitPrice": 5, "AccountCode": "200"}})
    invoice = company.invoice(LineItems=[{"ItemCode": "KAY", "Description": "x"}])
    response = company.send("DELETE", f"Items/{made['ItemID']}")
    assert (response.status_code, response.content) == (204, b"")
    assert company.send("DELETE", f"Items/{made['ItemID']}").status_code == 404
    assert company.get("Invoices", invoice["InvoiceID"])["LineItems"][0]["ItemCode"] == "KAY"
    company.put("Items", {"Code": "KAY"})


# --- tax rates -------------------------------------------------------------------------------------------

RATE = {"Name": "City", "ReportTaxType": "OUTPUT", "TaxComponents": [{"Name": "City tax", "Rate": "2.25"}]}


def test_tax_rates_get_their_type_from_xero_and_only_the_first_of_a_request_counts(company):
    answer = company.send(
        "PUT", "TaxRates", {"TaxRates": [RATE, {**RATE, "Name": "Dropped"}]}, summarizeErrors="false"
    )
    (made,) = answer.json()["TaxRates"]
    assert (made["TaxType"], made["EffectiveRate"], made["CanApplyToRevenue"]) == ("TAX001", 2.25, True)
    assert "Dropped" not in {one["Name"] for one in company.admin.records("TaxRates")}
    line = {"Description": "x", "UnitAmount": 100, "AccountCode": "200", "TaxType": "TAX001"}
    assert company.invoice(LineItems=[line], LineAmountTypes="Exclusive")["TotalTax"] == 2.25


def test_a_compound_rate_applies_to_the_others_as_well(company):
    parts = [{"Name": "A", "Rate": 10}, {"Name": "B", "Rate": 5, "IsCompound": True}]
    assert company.put("TaxRates", {**RATE, "TaxComponents": parts})["EffectiveRate"] == 15.5


def test_a_post_matches_a_rate_by_name_and_replaces_all_its_components(company):
    made = company.put("TaxRates", RATE)
    done = company.post("TaxRates", {"Name": "CITY", "TaxComponents": [{"Name": "New", "Rate": 3}]})
    assert (done["TaxType"], done["EffectiveRate"], len(done["TaxComponents"])) == (made["TaxType"], 3.0, 1)
    assert words(company.send("POST", "TaxRates", {"Name": "City"})) == [
        "One or more tax components must be specified"
    ]
    renamed = company.post("TaxRates", {**RATE, "TaxType": "TAX001", "Name": "Town"})
    assert (renamed["TaxType"], renamed["Name"]) == ("TAX001", "Town")


def test_a_rate_is_refused_with_the_reason(company):
    company.put("TaxRates", RATE)
    assert words(company.send("PUT", "TaxRates", {**RATE, "Name": "city"})) == [
        "The tax rate name must be unique"
    ]
    missing = {name: one for name, one in RATE.items() if name != "ReportTaxType"}
    assert words(company.send("PUT", "TaxRates", {**missing, "Name": "B"})) == [
        "ReportTaxType must be specified"
    ]
    system = {"Name": "15% GST on Income", "TaxComponents": RATE["TaxComponents"]}
    assert words(company.send("POST", "TaxRates", system)) == ["System tax rates cannot be edited"]


def test_an_unused_rate_is_deleted_by_its_status(company):
    company.put("TaxRates", RATE)
    line = {"Description": "x", "UnitAmount": 100, "AccountCode": "200", "TaxType": "TAX001"}
    made = company.invoice(LineItems=[line], Status="DRAFT")
    assert words(company.send("POST", "TaxRates", {"Name": "City", "Status": "DELETED"}))
    company.post("Invoices", {"InvoiceID": made["InvoiceID"], "LineItems": []})
    assert company.post("TaxRates", {"Name": "City", "Status": "DELETED"})["Status"] == "DELETED"
    body = {"Type": "ACCREC", "Contact": {"Name": "Ada"}, "LineItems": [line]}
    assert company.refused("PUT", "Invoices", body)
    assert company.put("TaxRates", RATE)["TaxType"] == "TAX002"


# --- tracking --------------------------------------------------------------------------------------------


def category(company: Any, name: str) -> str:
    return str(company.put("TrackingCategories", {"Name": name})["TrackingCategoryID"])


def test_two_tracking_categories_can_be_active_and_four_exist(company):
    ids = [category(company, name) for name in ("Region", "Department")]
    assert words(company.send("PUT", "TrackingCategories", {"Name": "Season"})) == [
        "An organisation can have a maximum of 2 active tracking categories"
    ]
    for identifier in ids:
        company.send("POST", f"TrackingCategories/{identifier}", {"Status": "ARCHIVED"})
    for name in ("Season", "Year"):
        category(company, name)
    assert words(company.send("POST", f"TrackingCategories/{ids[0]}", {"Status": "ACTIVE"}))
    assert words(company.send("POST", f"TrackingCategories/{ids[0]}", {"Name": "season"})) == [
        "The tracking category name must be unique"
    ]
    renamed = company.send("POST", f"TrackingCategories/{ids[0]}", {"Name": "Place"})
    assert renamed.json()["TrackingCategories"][0]["Name"] == "Place"


def test_options_are_added_one_by_one_renamed_archived_and_deleted(company):
    path = f"TrackingCategories/{category(company, 'Region')}"
    (north,) = company.send("PUT", f"{path}/Options", {"Name": "North"}).json()["Options"]
    assert (north["Status"], north["IsActive"]) == ("ACTIVE", True)
    option = f"{path}/Options/{north['TrackingOptionID']}"
    assert company.send("POST", option, {"Name": "South"}).json()["Options"][0]["Name"] == "South"
    archived = company.send("POST", option, {"Status": "ARCHIVED"}).json()["Options"][0]
    assert (archived["Status"], archived["IsArchived"]) == ("ARCHIVED", True)
    assert company.send("DELETE", option).json()["Options"][0]["Status"] == "DELETED"
    assert company.send("DELETE", option).status_code == 404
    assert company.caller.get(path)["TrackingCategories"][0]["Options"] == []


def test_sending_a_known_option_is_a_400_although_the_new_one_is_added(company):
    path = f"TrackingCategories/{category(company, 'Region')}/Options"
    company.send("PUT", path, {"Name": "North"})
    response = company.send("PUT", path, {"Options": [{"Name": "NORTH"}, {"Name": "South"}]})
    assert words(response) == ["For each specified tracking option the name must be unique"]
    kept = company.admin.records("TrackingCategories")[0]["Options"]
    assert [one["Name"] for one in kept] == ["North", "South"]


def test_a_body_without_options_is_a_200_that_adds_nothing(company):
    path = f"TrackingCategories/{category(company, 'Region')}/Options"
    response = company.send("PUT", path, {"name": "North"})
    assert (response.status_code, response.json()["Options"]) == (200, [])


def test_tracking_that_is_used_cannot_be_deleted(company):
    path = f"TrackingCategories/{category(company, 'Region')}"
    (north,) = company.send("PUT", f"{path}/Options", {"Name": "North"}).json()["Options"]
    line = {
        "Description": "x",
        "UnitAmount": 1,
        "AccountCode": "200",
        "Tracking": [{"Name": "Region", "Option": "North"}],
    }
    company.invoice(LineItems=[line])
    assert words(company.send("DELETE", path))
    assert words(company.send("DELETE", f"{path}/Options/{north['TrackingOptionID']}"))
    unused = f"TrackingCategories/{category(company, 'Other')}"
    assert company.send("DELETE", unused).json()["TrackingCategories"][0]["Status"] == "DELETED"
    assert company.send("GET", unused).status_code == 404


# --- currencies and payment services ---------------------------------------------------------------------


def test_a_currency_is_subscribed_to_once(company):
    made = company.send("PUT", "Currencies", {"Code": "EUR", "Description": "Euro"}).json()["Currencies"]
    assert made == [{"Code": "EUR", "Description": "Euro"}]
    assert words(company.send("PUT", "Currencies", {"Code": "eur"}))
    assert words(company.send("PUT", "Currencies", {"Description": "No code"})) == [
        "Currency Code must be specified"
    ]
    assert company.send("POST", "Currencies", {"Code": "EUR"}).status_code == 501
    assert [one["Code"] for one in company.caller.get("Currencies")["Currencies"]] == ["NZD", "EUR"]


def test_a_payment_service_is_created_and_attached_to_a_theme(company):
    body = {"PaymentServiceName": "Cards", "PaymentServiceUrl": "https://pay.nz", "PayNowText": "Pay"}
    (made,) = company.send("PUT", "PaymentServices", {"PaymentServices": [body]}).json()["PaymentServices"]
    assert (made["PaymentServiceType"], made["PayNowText"]) == ("Custom", "Pay")
    theme = company.admin.records("BrandingThemes")[0]["BrandingThemeID"]
    path = f"BrandingThemes/{theme}/PaymentServices"
    for _ in range(2):
        key = {"PaymentServiceID": made["PaymentServiceID"]}
        assert company.send("POST", path, {"PaymentServices": [key]}).status_code == 200
    assert [one["PaymentServiceName"] for one in company.caller.get(path)["PaymentServices"]] == ["Cards"]
    unknown = {"PaymentServices": [{"PaymentServiceID": str(uuid4())}]}
    assert words(company.send("POST", path, unknown)) == ["Payment service could not be found"]
    assert words(company.send("PUT", "PaymentServices", [{**body, "PaymentServiceUrl": "ftp://x"}]))


# --- linked transactions ---------------------------------------------------------------------------------


@pytest.fixture
def bill(company):
    return company.invoice(100, Type="ACCPAY", Contact={"Name": "Supplier"})


def link(bill: dict[str, Any], **more: Any) -> dict[str, Any]:
    line = bill["LineItems"][0]["LineItemID"]
    return {"SourceTransactionID": bill["InvoiceID"], "SourceLineItemID": line, **more}


def test_the_line_of_a_bill_is_charged_to_a_customers_invoice(company, bill):
    sale = company.invoice(120)
    customer = {"ContactID": sale["Contact"]["ContactID"]}
    made = company.put("LinkedTransactions", link(bill, **customer))
    assert (made["Status"], made["Type"], made["SourceTransactionTypeCode"]) == (
        "APPROVED",
        "BILLABLEEXPENSE",
        "ACCPAY",
    )
    target = {
        "TargetTransactionID": sale["InvoiceID"],
        "TargetLineItemID": sale["LineItems"][0]["LineItemID"],
    }
    path = f"LinkedTransactions/{made['LinkedTransactionID']}"
    done = company.send("POST", path, {"LinkedTransactions": [target]}).json()["LinkedTransactions"][0]
    assert (done["Status"], done["TargetTransactionID"]) == ("BILLED", sale["InvoiceID"])
    assert company.send("DELETE", path).status_code == 204
    assert company.send("GET", path).status_code == 404


def test_a_link_is_refused_with_the_reason(company, bill):
    sale, other = company.invoice(120), company.invoice(5, Contact={"Name": "Grace"})
    customer = {"ContactID": sale["Contact"]["ContactID"]}

    def why(**change: Any) -> list[str]:
        return words(company.send("PUT", "LinkedTransactions", {**link(bill, **customer), **change}))

    assert why(SourceLineItemID=str(uuid4())) == ["The SourceLineItemID and SourceTransactionID do not match"]
    assert why(SourceTransactionID=sale["InvoiceID"])[0].startswith(
        "The SourceTransactionID must be that of an ACCPAY"
    )
    target = {
        "TargetTransactionID": other["InvoiceID"],
        "TargetLineItemID": other["LineItems"][0]["LineItemID"],
    }
    assert why(**target) == ["The ContactID and the TargetTransaction ContactID do not match"]
    assert why(ContactID=None) == ["ContactID must be specified unless there is a TargetTransactionID"]
    assert company.count("LinkedTransactions") == 0
    company.put("LinkedTransactions", link(bill, **customer))
    assert why() == ["The SourceLineItemID has already been linked"]
