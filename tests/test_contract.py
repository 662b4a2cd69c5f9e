"""The registry compared with the official SDK: both know the same fields of each object.

Every deliberate difference is listed here with its reason; a listed difference that no longer exists fails,
too.
"""

import inspect
import re
from enum import Enum

import pytest
from xero_python.accounting import AccountingApi, models
from xero_python.assets import AssetApi
from xero_python.assets import models as asset_models

from singer_xero.objects import ANSWER_ONLY, ASSETS, OBJECTS, REPORTS, Component, Paging

#: The SDK's model of each object, and the SDK's method that lists it.
SDK = {
    "accounts": ("Account", "get_accounts"),
    "bank_transactions": ("BankTransaction", "get_bank_transactions"),
    "bank_transfers": ("BankTransfer", "get_bank_transfers"),
    "batch_payments": ("BatchPayment", "get_batch_payments"),
    "branding_themes": ("BrandingTheme", "get_branding_themes"),
    "budgets": ("Budget", "get_budgets"),
    "cash_journals": ("Journal", "get_journals"),
    "contact_groups": ("ContactGroup", "get_contact_groups"),
    "contacts": ("Contact", "get_contacts"),
    "credit_notes": ("CreditNote", "get_credit_notes"),
    "currencies": ("Currency", "get_currencies"),
    "expense_claims": ("ExpenseClaim", "get_expense_claims"),
    "invoice_reminders": ("InvoiceReminder", "get_invoice_reminders"),
    "invoices": ("Invoice", "get_invoices"),
    "items": ("Item", "get_items"),
    "journals": ("Journal", "get_journals"),
    "linked_transactions": ("LinkedTransaction", "get_linked_transactions"),
    "manual_journals": ("ManualJournal", "get_manual_journals"),
    "organisation": ("Organisation", "get_organisations"),
    "organisation_actions": ("Action", "get_organisation_actions"),
    "overpayments": ("Overpayment", "get_overpayments"),
    "payment_services": ("PaymentService", "get_payment_services"),
    "payments": ("Payment", "get_payments"),
    "prepayments": ("Prepayment", "get_prepayments"),
    "purchase_orders": ("PurchaseOrder", "get_purchase_orders"),
    "quotes": ("Quote", "get_quotes"),
    "receipts": ("Receipt", "get_receipts"),
    "repeating_invoices": ("RepeatingInvoice", "get_repeating_invoices"),
    "reports": ("ReportWithRow", "get_reports_list"),
    "tax_rates": ("TaxRate", "get_tax_rates"),
    "tracking_categories": ("TrackingCategory", "get_tracking_categories"),
    "users": ("User", "get_users"),
}

#: Fields in the SDK's model that the registry lacks.
LEFT_OUT = {
    "tracking_categories.TrackingOptionID": "the model also serves a line's tracking; a category has Options",
    "tracking_categories.Option": "the model also serves a line's tracking; a category has Options",
}

#: Fields in the registry that the SDK's model lacks.
_EXAMPLE = "in the examples of Xero's OpenAPI file, though not in its schemas"
_RECORDED = "in recorded answers, though not in Xero's OpenAPI file"
_LATER = "in Xero's API definition since November 2026"
_REPORTED = "reported by those who read it, though not in Xero's OpenAPI file"
ALSO_SENT = {
    "Account.CreatedDateUTC": _LATER,
    "BankTransaction.Attachments": _EXAMPLE,
    "BankTransaction.BatchPayment": _EXAMPLE,
    "BankTransaction.ExternalLinkProviderName": _REPORTED,
    "BankTransfer.Attachments": _EXAMPLE,
    "Budget.CreatedIn": _LATER,
    "Budget.Status": _EXAMPLE,
    "CreditNote.Attachments": _EXAMPLE,
    "CreditNote.TotalDiscount": _REPORTED,
    "Invoice.ExternalLinkProviderName": _REPORTED,
    "Invoice.InvoicePaymentServices": _RECORDED,
    "LineItem.DiscountEnteredAsPercent": _EXAMPLE,
    "ManualJournal.CreditTotal": _RECORDED,
    "ManualJournal.DebitTotal": _RECORDED,
    "ManualJournal.ExternalLinkProviderName": _REPORTED,
    "Organisation.TaxNumberName": _RECORDED,
    "PurchaseOrder.IsDiscounted": _EXAMPLE,
    "PurchaseOrder.Type": _EXAMPLE,
    "Receipt.ExternalLinkProviderName": _REPORTED,
    "RepeatingInvoice.TotalDiscount": _REPORTED,
    "TrackingOption.IsActive": _EXAMPLE,
    "TrackingOption.IsArchived": _EXAMPLE,
    "TrackingOption.IsDeleted": _EXAMPLE,
    "User.GlobalUserID": _RECORDED,
}

#: Fields with another type than in the SDK's model.
OTHER_TYPE = {
    "BudgetBalance.Period": "called a date, sent as year and month: 2019-08",
}

#: The registry's names of the SDK's types.
WORDS = {
    "str": {"text", "guid"},
    "bool": {"flag"},
    "int": {"whole"},
    "float": {"money", "rate", "quantity", "percent", "number"},
    "date[ms-format]": {"day"},
    "datetime[ms-format]": {"instant"},
}


def sdk_fields(model):
    """The model's fields by Xero's names, with the SDK's types."""
    return {model.attribute_map[name]: kind for name, kind in model.openapi_types.items()}


def words_for(kind):
    """The registry's types for a type of the SDK, and the model of nested records."""
    nested = re.fullmatch(r"list\[(.+)\]", kind)
    if nested:
        model = getattr(models, nested[1], None)
        return {"many"}, model if model and not issubclass(model, Enum) else None
    if kind in WORDS:
        return WORDS[kind], None
    model = getattr(models, kind)
    return ({"text"}, None) if issubclass(model, Enum) else ({"one"}, model)


def differences(where, model, part, seen, twins=()):
    """Compare a shape and its nested ones; yields the list for a difference, its name there, and a text."""
    seen.add(model)
    fields = part.fields
    theirs = sdk_fields(model)
    for name, kind in theirs.items():
        words, nested = words_for(kind)
        if name in fields:
            field = fields[name]
            if field.kind not in words:
                yield (
                    OTHER_TYPE,
                    f"{model.__name__}.{name}",
                    f"{where}.{name} is {kind}, ours is {field.kind}",
                )
            elif nested:
                yield from differences(f"{where}.{name}", nested, field.component, seen)
            elif field.kind == "many":
                assert field.item.kind in words_for(kind[5:-1])[0], f"{where}.{name}"
        elif name not in ANSWER_ONLY and name not in twins:
            is_date = bool(words & {"day", "instant"})
            if is_date or not part.thin:
                yield LEFT_OUT, f"{where}.{name}", f"{where}.{name} is missing"
    for name in fields:
        if name not in theirs:
            yield ALSO_SENT, f"{model.__name__}.{name}", f"{where}.{name} is unknown to the SDK"


def all_differences():
    seen = set()
    found = [
        difference
        for xero in OBJECTS.values()
        for difference in differences(
            xero.name, getattr(models, SDK[xero.name][0]), Component(xero.fields), seen, xero.duplicate_fields
        )
    ]
    return found, seen


def parameters(method):
    """The query parameters and headers that the SDK's method takes."""
    return inspect.signature(getattr(AccountingApi, method)).parameters.keys()


def squeezed(names):
    """`trackingCategoryID2` and `tracking_category_id_2` alike."""
    return {name.replace("_", "").lower() for name in names}


def test_every_object_of_the_registry_has_its_model_in_the_sdk():
    assert SDK.keys() == OBJECTS.keys()


def test_every_field_and_its_type_agrees_with_the_sdk_or_is_a_listed_difference():
    found, _ = all_differences()
    assert [text for listing, name, text in found if name not in listing] == []


@pytest.mark.parametrize("listing", [LEFT_OUT, ALSO_SENT, OTHER_TYPE], ids=["left out", "also sent", "type"])
def test_no_listed_difference_is_out_of_date(listing):
    found, _ = all_differences()
    assert listing.keys() == {name for where, name, _ in found if where is listing}


def test_no_model_within_reach_of_the_sdk_is_passed_over():
    _, seen = all_differences()
    reachable, queue = set(), [getattr(models, name) for name, _ in SDK.values()]
    while queue:
        model = queue.pop()
        if model in reachable:
            continue
        reachable.add(model)
        for name, kind in sdk_fields(model).items():
            nested = words_for(kind)[1]
            if nested and name not in ANSWER_ONLY:
                queue.append(nested)
    assert reachable == seen


def test_a_thin_shape_is_thinner_than_the_sdks_and_no_other_is():
    def shapes(model, part):
        for name, kind in sdk_fields(model).items():
            nested = words_for(kind)[1]
            if nested and name in part.fields:
                yield nested, part.fields[name].component
                yield from shapes(nested, part.fields[name].component)

    for xero in OBJECTS.values():
        for model, part in shapes(getattr(models, SDK[xero.name][0]), Component(xero.fields)):
            missing = sdk_fields(model).keys() - part.fields.keys() - ANSWER_ONLY
            assert bool(missing) == bool(part.thin), (xero.name, model.__name__, missing)


@pytest.mark.parametrize("xero", OBJECTS.values(), ids=lambda xero: xero.name)
def test_the_list_is_read_as_the_sdk_reads_it(xero):
    taken = parameters(SDK[xero.name][1])
    assert xero.modified_since == ("if_modified_since" in taken)
    assert xero.archived == ("include_archived" in taken)
    assert ("unitdp" in xero.params) == ("unitdp" in taken)
    assert ("includeDeleted" in xero.params) == ("include_deleted" in taken)
    if "page_size" in taken:
        assert xero.paging is Paging.PAGES
    elif "page" in taken:
        assert xero.paging is Paging.SHORT_PAGES
    elif "offset" in taken:
        assert xero.paging is Paging.OFFSET
    else:
        assert xero.paging is Paging.WHOLE


@pytest.mark.parametrize("xero", OBJECTS.values(), ids=lambda xero: xero.name)
def test_pages_are_ordered_wherever_the_list_takes_an_order_but_for_manual_journals(xero):
    ordered = "page" in (taken := parameters(SDK[xero.name][1])) and "order" in taken
    if xero.name == "manual_journals":
        assert ordered
        assert xero.order is None
    else:
        assert xero.order == ("UpdatedDateUTC ASC" if ordered else None)


@pytest.mark.parametrize("xero", OBJECTS.values(), ids=lambda xero: xero.name)
def test_path_and_envelope_are_those_of_the_sdk(xero):
    source = inspect.getsource(getattr(AccountingApi, SDK[xero.name][1]))
    assert re.search(r'get_resource_url\("/([\w/]+)"\)', source)[1] == xero.path
    answer = getattr(models, re.search(r'response_type="(\w+)"', source)[1])
    assert sdk_fields(answer)[xero.envelope] == f"list[{SDK[xero.name][0]}]"


@pytest.mark.parametrize("report", REPORTS.values(), ids=lambda report: report.name)
def test_a_report_takes_the_parameters_that_the_sdk_sends(report):
    method = f"get_{report.name}"
    source = inspect.getsource(getattr(AccountingApi, method))
    assert re.search(r'get_resource_url\("/([\w/]+)"\)', source)[1] == report.path
    own = {"self", "xero_tenant_id", "_return_http_data_only", "_preload_content", "_request_timeout"}
    assert squeezed(report.takes) == squeezed(parameters(method) - own)
    signature = inspect.signature(getattr(AccountingApi, method)).parameters
    needed = {name for name, it in signature.items() if it.default is inspect.Parameter.empty} - own
    assert squeezed(report.required) == squeezed(needed)


def test_the_lines_of_a_report_are_those_of_the_sdk():
    rows, boxes = (REPORTS[name].lines for name in ("report_trial_balance", "report_ten_ninety_nine"))
    found = [
        *differences("rows", models.ReportRows, rows, set()),
        *differences("1099", models.TenNinetyNineContact, boxes, set()),
    ]
    assert [text for *_, text in found] == []


def test_the_assets_api_has_the_fields_of_the_sdk():
    """Days lack the SDK's time form and enumerations are text; nothing else differs."""
    kinds = {
        "str": {"text", "guid"}, "bool": {"flag"}, "int": {"whole"}, "float": {"money", "number"}, "date": {"day"},
        "AssetStatus": {"text"}, "BookDepreciationSetting": {"one"}, "BookDepreciationDetail": {"one"},
    }  # fmt: skip

    def agree(where, model, fields):
        theirs = sdk_fields(model)
        assert fields.keys() == theirs.keys(), where
        for name, kind in theirs.items():
            assert fields[name].kind in kinds[kind], f"{where}.{name}"
            if fields[name].kind == "one":
                agree(f"{where}.{name}", getattr(asset_models, kind), fields[name].component.fields)

    models_of = {"assets": "Asset", "asset_types": "AssetType", "asset_settings": "Setting"}
    assert models_of.keys() == ASSETS.keys()
    for name, model in models_of.items():
        agree(name, getattr(asset_models, model), ASSETS[name].fields)


def test_the_assets_api_is_asked_as_the_sdk_asks_it():
    methods = {
        "assets": "get_assets",
        "asset_types": "get_asset_types",
        "asset_settings": "get_asset_settings",
    }
    for name, method in methods.items():
        source = inspect.getsource(getattr(AssetApi, method))
        assert re.search(r'get_resource_url\("/([\w/]+)"\)', source)[1] == ASSETS[name].path
        assert ("page_size" in inspect.signature(getattr(AssetApi, method)).parameters) == (
            ASSETS[name].paging is Paging.PAGES
        )
    assert [walk["status"] for walk in ASSETS["assets"].walks] == [
        status.value for status in asset_models.AssetStatusQueryParam
    ]
    assert {row.api.base for row in ASSETS.values()} == {
        AssetApi.base_url.removeprefix("https://api.xero.com")
    }
