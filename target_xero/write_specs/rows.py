"""What can be written and how: one row per object, in the order in which they are written.

What other records refer to stands before what refers to it. Facts are those of Xero's OpenAPI file and developer
guides and, where practice differs, of the public issues that a comment names. To add an object, add a row here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from singer_xero.objects import OBJECTS
from singer_xero.objects.components import ALLOCATION, CONTACT_REF, TRACKING_OPTION
from singer_xero.objects.fields import calculated, guid, many, one, text
from target_xero.content.day_formats import DayOrder, no_order
from target_xero.content.payload import REFERENCES, RecordParser
from target_xero.content.spelling import folded
from target_xero.write_specs.rules import (
    PAYABLE,
    check_balance,
    check_note,
    is_own_rate,
    is_unbalanced,
    may_be_refund,
    name_what_is_paid,
)
from target_xero.write_specs.spec import MANY, Endpoint, OnExisting, Part, Search, WriteSpec


def _transitions(**after: str) -> Mapping[str, tuple[str, ...]]:
    """`new` stands for a record that does not exist yet."""
    return MappingProxyType(
        {"" if now == "new" else now: tuple(words.split()) for now, words in after.items()}
    )


def _at(path: str, name: str, key: str) -> dict[str, Any]:
    """Return where an object of the registry is read and written."""
    return {"name": name, "path": path, "envelope": path, "key": key, "xero": OBJECTS[name]}


def _batched(path: str, name: str, key: str) -> dict[str, Any]:
    """Return the same for an object that Xero creates and updates in batches."""
    return {
        **_at(path, name, key),
        "create": Endpoint("PUT", path, size=MANY),
        "update": Endpoint("POST", path, size=MANY),
    }


_DOCUMENT_TRANSITIONS = _transitions(
    new="DRAFT SUBMITTED AUTHORISED",
    DRAFT="SUBMITTED AUTHORISED DELETED",
    SUBMITTED="DRAFT AUTHORISED DELETED",
    AUTHORISED="VOIDED",
)
_PAID = MappingProxyType({"PAID": "AUTHORISED"})
_ONLY_ENDED = _transitions(new="AUTHORISED", AUTHORISED="DELETED")
_SENT = frozenset({"SentToContact"})
_THEME = MappingProxyType({"BrandingThemeName": text("The branding theme, in place of BrandingThemeID")})
_OF = {"CreditNote": "CreditNotes", "Overpayment": "Overpayments", "Prepayment": "Prepayments"}
_HISTORY = {
    "BankTransactionID": "BankTransactions",
    "BankTransferID": "BankTransfers",
    "BatchPaymentID": "BatchPayments",
    "Contact": "Contacts",
    "CreditNote": "CreditNotes",
    "Invoice": "Invoices",
    "ItemID": "Items",
    "ManualJournalID": "ManualJournals",
    "Overpayment": "Overpayments",
    "PaymentID": "Payments",
    "Prepayment": "Prepayments",
    "PurchaseOrderID": "PurchaseOrders",
    "QuoteID": "Quotes",
    "RepeatingInvoiceID": "RepeatingInvoices",
}
_OWNERS = {
    "Contact": one(CONTACT_REF),
    **{name: ALLOCATION.fields[name] for name in ("CreditNote", "Invoice", "Overpayment", "Prepayment")},
}
_FIXED = "Xero can't change one: delete it and send it again under another key"

_ROWS = (
    WriteSpec(
        **_at("BrandingThemes", "branding_themes", "BrandingThemeID"),
        on_existing=OnExisting.KEEP,
        search=Search.WHOLE,
        lookup_before_create=True,
        many_to_one=True,
        why_no_update="branding themes are made in Xero's settings; those of the same name are taken for one another",
    ),
    WriteSpec(
        **_at("Currencies", "currencies", "Code"),
        create=Endpoint("PUT", "Currencies", "one"),
        required=("Code",),
        create_only=frozenset({"Description"}),
        on_existing=OnExisting.KEEP,
        search=Search.WHOLE,
        lookup_before_create=True,
        many_to_one=True,
        why_no_update="Xero can neither change nor remove a currency",
    ),
    WriteSpec(
        **_at("Accounts", "accounts", "AccountID"),
        code_alias="AccountCode",
        referred_by_code=True,
        identified_by="SystemAccount",
        create=Endpoint("PUT", "Accounts", "one"),
        update=Endpoint("POST", "Accounts/{id}"),
        remove=Endpoint("DELETE", "Accounts/{id}", ""),
        required=("Name", "Type", "Code|BankAccountNumber"),
        transitions=_transitions(new="ACTIVE", ACTIVE="ARCHIVED DELETED", ARCHIVED="ACTIVE DELETED"),
        status_sent_alone=True,
        inspected=frozenset({"SystemAccount"}),
        search=Search.WHOLE,
        lookup_before_create=True,
        many_to_one=True,
    ),
    WriteSpec(
        **_at("TaxRates", "tax_rates", "TaxType"),
        id_alias="TaxType",
        is_own_id=is_own_rate,
        identified_by="TaxType",
        # A POST may match and change another rate (xero-php#872), and of several only the first is taken
        # (xero-ruby#200).
        create=Endpoint("PUT", "TaxRates"),
        update=Endpoint("POST", "TaxRates"),
        required=("Name", "TaxComponents"),
        transitions=_transitions(new="ACTIVE", ACTIVE="DELETED"),
        status_aliases=MappingProxyType({"PENDING": "ACTIVE", "ARCHIVED": "DELETED"}),
        inactive_statuses=frozenset({"DELETED", "ARCHIVED"}),
        repeated_on_update=("Name", "ReportTaxType", "TaxComponents"),
        search=Search.WHOLE,
        lookup_before_create=True,
        many_to_one=True,
    ),
    WriteSpec(
        **_at("TrackingCategories", "tracking_categories", "TrackingCategoryID"),
        create=Endpoint("PUT", "TrackingCategories", "one"),
        update=Endpoint("POST", "TrackingCategories/{id}", "one"),
        remove=Endpoint("DELETE", "TrackingCategories/{id}", ""),
        required=("Name",),
        transitions=_transitions(new="ACTIVE", ACTIVE="ARCHIVED DELETED", ARCHIVED="ACTIVE DELETED"),
        status_sent_alone=True,
        search=Search.WHOLE,
        lookup_before_create=True,
        many_to_one=True,
        parts=(Part("Options", "tracking_options", "TrackingCategoryID"),),
        skip_if_archived="archived in the source; a new category is active, and Xero has room for two",
    ),
    WriteSpec(
        name="tracking_options",
        own_natural_keys=("Name",),
        path="{of}/Options",
        envelope="Options",
        key="TrackingOptionID",
        own_fields=TRACKING_OPTION.fields,
        # One at a time: beside a name in use Xero makes the new one and says 400 all the same (xero-php#920).
        create=Endpoint("PUT", "{of}/Options", "one"),
        update=Endpoint("POST", "{of}/Options/{id}", "one"),
        remove=Endpoint("DELETE", "{of}/Options/{id}", ""),
        required=("TrackingCategoryID", "Name"),
        transitions=_transitions(new="ACTIVE", ACTIVE="ARCHIVED DELETED", ARCHIVED="ACTIVE DELETED"),
        status_sent_alone=True,
        parent_paths=MappingProxyType({"TrackingCategoryID": "TrackingCategories"}),
        siblings_path="{of}",
        part_keys=("Name",),
        lookup_before_create=True,
        many_to_one=True,
    ),
    WriteSpec(
        **_batched("Contacts", "contacts", "ContactID"),
        status_field="ContactStatus",
        created_when_named=True,
        has_ids_param=True,
        required=("Name",),
        transitions=_transitions(new="ACTIVE", ACTIVE="ARCHIVED"),
        status_aliases=MappingProxyType({"GDPRREQUEST": "ARCHIVED"}),
        # Xero takes no document for one, and lists them only if asked to.
        inactive_statuses=frozenset({"ARCHIVED", "GDPRREQUEST"}),
        search=Search.WHERE,
    ),
    WriteSpec(
        **_at("ContactGroups", "contact_groups", "ContactGroupID"),
        create=Endpoint("PUT", "ContactGroups"),
        update=Endpoint("POST", "ContactGroups/{id}"),
        required=("Name",),
        transitions=_transitions(new="ACTIVE", ACTIVE="DELETED"),
        search=Search.WHOLE,
        lookup_before_create=True,
        many_to_one=True,
        parts=(Part("Contacts", "contact_group_members", "ContactGroupID"),),
    ),
    WriteSpec(
        name="contact_group_members",
        path="{of}/Contacts",
        envelope="Contacts",
        key="ContactID",
        own_fields={
            "ContactGroupID": guid,
            **{name: CONTACT_REF.fields[name] for name in REFERENCES["Contact"]},
        },
        create=Endpoint("PUT", "{of}/Contacts", size=MANY, answers=False),
        remove=Endpoint("DELETE", "{of}/Contacts/{id}", ""),
        required=("ContactGroupID", "ContactID|ContactNumber|Name|EmailAddress"),
        member_reference="Contact",
        parent_paths=MappingProxyType({"ContactGroupID": "ContactGroups"}),
        siblings_path="{of}",
        part_keys=("ContactID|ContactNumber|Name|EmailAddress",),
        content_match=("ContactID",),
        many_to_one=True,
        why_no_update="a member is added or removed",
    ),
    WriteSpec(
        **_batched("Items", "items", "ItemID"),
        remove=Endpoint("DELETE", "Items/{id}", ""),
        required=("Code",),
        transitions=_transitions(new="ACTIVE", ACTIVE="DELETED"),
        repeated_on_update=("Code",),
        search=Search.WHOLE,
        lookup_before_create=True,
    ),
    WriteSpec(
        **_at("PaymentServices", "payment_services", "PaymentServiceID"),
        own_fields={"BrandingThemes": many({"BrandingThemeID": guid, "Name": text}, "Where it is offered")},
        create=Endpoint("PUT", "PaymentServices"),
        required=("PaymentServiceName", "PaymentServiceUrl", "PayNowText"),
        on_existing=OnExisting.REFUSE,
        search=Search.WHOLE,
        lookup_before_create=True,
        parts=(Part("BrandingThemes", "payment_service_themes", "PaymentServiceID"),),
        why_no_update="Xero's API can neither change nor remove a payment service",
    ),
    WriteSpec(
        name="payment_service_themes",
        parent_by_name=("Name", "branding_themes"),
        stream_aliases=("brandingthemepaymentservices",),
        path="{of}/PaymentServices",
        envelope="PaymentServices",
        key="PaymentServiceID",
        own_fields={"PaymentServiceID": guid, "BrandingThemeID": guid, "Name": text("The branding theme")},
        create=Endpoint("POST", "{of}/PaymentServices"),
        required=("PaymentServiceID", "BrandingThemeID|Name"),
        parent_paths=MappingProxyType({"BrandingThemeID": "BrandingThemes"}),
        siblings_path="{of}/PaymentServices",
        part_keys=("BrandingThemeID|Name",),
        content_match=("PaymentServiceID",),
        many_to_one=True,
        why_no_update="Xero's API can't take a payment service off a branding theme",
    ),
    WriteSpec(
        **_batched("Quotes", "quotes", "QuoteID"),
        fills_in_tax=False,
        own_fields=_THEME,
        document=True,
        required=("Contact", "Date", "LineItems"),
        transitions=_transitions(
            new="DRAFT",
            DRAFT="SENT DELETED",
            SENT="ACCEPTED DECLINED DELETED",
            ACCEPTED="INVOICED DELETED",
            DECLINED="DELETED",
            INVOICED="DELETED",
        ),
        # Left out of an update, the number is given anew and the rest is blanked.
        repeated_on_update=(
            "QuoteNumber",
            "Contact",
            "Date",
            "ExpiryDate",
            "Reference",
            "Title",
            "Summary",
            "Terms",
            "BrandingThemeID",
            "LineAmountTypes",
        ),
        missing_in_answers=frozenset({"Terms", "ItemCode", "DiscountAmount"}),
        on_existing=OnExisting.REFUSE,
        search=Search.NUMBER,
        content_match=("Contact", "Date", "Reference", "Title", "LineItems"),
        missing_in_lists=frozenset({"ItemCode"}),
    ),
    WriteSpec(
        **_batched("PurchaseOrders", "purchase_orders", "PurchaseOrderID"),
        has_date_filter=False,
        own_fields=_THEME,
        document=True,
        required=("Contact", "LineItems"),
        transitions=_transitions(
            new="DRAFT SUBMITTED AUTHORISED",
            DRAFT="SUBMITTED AUTHORISED DELETED",
            SUBMITTED="DRAFT AUTHORISED DELETED",
            AUTHORISED="SUBMITTED BILLED DELETED",
            BILLED="AUTHORISED DELETED",
        ),
        never_sent=_SENT,
        on_existing=OnExisting.REFUSE,
        search=Search.ADDRESS,
        # Xero does not refuse a number in use: it changes the order that has it.
        lookup_before_create=True,
        content_match=("Contact", "Date", "Reference", "LineItems"),
    ),
    WriteSpec(
        **_batched("Invoices", "invoices", "InvoiceID"),
        has_ids_param=True,
        own_fields=_THEME,
        document=True,
        required=("Type", "Contact", "LineItems"),
        transitions=_DOCUMENT_TRANSITIONS,
        status_aliases=_PAID,
        never_sent=_SENT | {"EnteredTotal", "RoundingAmount"},
        unique_when=("Type", "ACCREC"),
        on_existing=OnExisting.REFUSE,
        search=Search.NUMBERS,
        # What was sold there was in stock then; stock itself can't be copied.
        copy_params=MappingProxyType({"allowBackorders": "true"}),
        content_match=("Type", "Contact", "Date", "InvoiceNumber", "Reference", "LineItems"),
    ),
    WriteSpec(
        **_batched("CreditNotes", "credit_notes", "CreditNoteID"),
        sets_off_invoices=True,
        own_fields=_THEME,
        document=True,
        required=("Type", "Contact", "LineItems"),
        transitions=_DOCUMENT_TRANSITIONS,
        status_aliases=_PAID,
        never_sent=_SENT,
        unique_when=("Type", "ACCRECCREDIT"),
        on_existing=OnExisting.REFUSE,
        search=Search.WHERE,
        content_match=("Type", "Contact", "Date", "CreditNoteNumber", "Reference", "LineItems"),
        parts=(Part("Allocations", "allocations", "CreditNote"),),
    ),
    WriteSpec(
        **_batched("BankTransactions", "bank_transactions", "BankTransactionID"),
        document=True,
        required=("Type", "BankAccount", "LineItems"),
        transitions=_ONLY_ENDED,
        status_aliases=MappingProxyType({"VOIDED": "DELETED"}),
        create_only=frozenset({"IsReconciled"}),
        inspected=frozenset({"OverpaymentID", "PrepaymentID"}),
        content_match=("Type", "Contact", "BankAccount", "Date", "Reference", "LineItems"),
        written_by_other_stream=(("Type", "*-TRANSFER", "bank_transfers makes both sides of a transfer"),),
    ),
    WriteSpec(
        **_at("BankTransfers", "bank_transfers", "BankTransferID"),
        document=True,
        create=Endpoint("PUT", "BankTransfers"),
        remove=Endpoint("POST", "BankTransfers", size=MANY),
        required=("FromBankAccount", "ToBankAccount", "Amount"),
        transitions=_ONLY_ENDED,
        create_only=frozenset({"FromIsReconciled", "ToIsReconciled"}),
        inspected=frozenset({"Status", "FromBankTransactionID", "ToBankTransactionID"}),
        content_match=("FromBankAccount", "ToBankAccount", "Amount", "Date", "Reference"),
        why_no_update=_FIXED,
    ),
    WriteSpec(
        **_at("Payments", "payments", "PaymentID"),
        prepare=name_what_is_paid,
        is_unusual=may_be_refund,
        document=True,
        create=Endpoint("PUT", "Payments", size=MANY),
        remove=Endpoint("POST", "Payments/{id}", "one"),
        required=("Invoice|CreditNote|Prepayment|Overpayment", "Account|Code", "Date", "Amount|BankAmount"),
        either=PAYABLE,
        transitions=_ONLY_ENDED,
        create_only=frozenset({"IsReconciled", "CurrencyRate", "BankAmount"}),
        inspected=frozenset({"BatchPaymentID", "PaymentType"}),
        content_match=(
            "Invoice",
            "CreditNote",
            "Prepayment",
            "Overpayment",
            "Account",
            "Date",
            "Amount",
            "Reference",
        ),
        reference_types=(
            "PaymentType",
            MappingProxyType(
                {
                    "ACCRECPAYMENT": ("Invoice", "ACCREC"),
                    "ACCPAYPAYMENT": ("Invoice", "ACCPAY"),
                    "ARCREDITPAYMENT": ("CreditNote", "ACCRECCREDIT"),
                    "APCREDITPAYMENT": ("CreditNote", "ACCPAYCREDIT"),
                }
            ),
        ),
        written_by_other_stream=(("BatchPaymentID", "*", "batch_payments makes the payments of a batch"),),
        why_no_update=_FIXED,
    ),
    WriteSpec(
        **_at("BatchPayments", "batch_payments", "BatchPaymentID"),
        document=True,
        create=Endpoint("PUT", "BatchPayments", size=MANY),
        remove=Endpoint("POST", "BatchPayments/{id}", "one"),
        required=("Account", "Date", "Payments"),
        transitions=_ONLY_ENDED,
        inspected=frozenset({"Status", "Type"}),
        reference_types=(
            "Type",
            MappingProxyType({"RECBATCH": ("Invoice", "ACCREC"), "PAYBATCH": ("Invoice", "ACCPAY")}),
        ),
        content_match=("Account", "Date", "Reference", "Payments"),
        why_no_update=_FIXED,
    ),
    WriteSpec(
        **_at("Overpayments", "overpayments", "OverpaymentID"),
        sets_off_invoices=True,
        parts=(Part("Allocations", "allocations", "Overpayment"),),
        why_no_update="Xero makes overpayments from bank_transactions of a type that ends in -OVERPAYMENT; only their "
        "Allocations are written",
    ),
    WriteSpec(
        **_at("Prepayments", "prepayments", "PrepaymentID"),
        sets_off_invoices=True,
        parts=(Part("Allocations", "allocations", "Prepayment"),),
        why_no_update="Xero makes prepayments from bank_transactions of a type that ends in -PREPAYMENT; only their "
        "Allocations are written",
    ),
    WriteSpec(
        name="allocations",
        document=True,
        path="{of}/Allocations",
        envelope="Allocations",
        key="AllocationID",
        own_fields=ALLOCATION.fields,
        create=Endpoint("PUT", "{of}/Allocations", size=MANY),
        remove=Endpoint("DELETE", "{of}/Allocations/{id}", ""),
        required=("|".join(_OF), "Invoice", "Amount", "Date"),
        parent_paths=MappingProxyType(_OF),
        siblings_path="{of}",
        part_keys=("Date", "Invoice"),
        content_match=("Invoice", "Amount", "Date"),
        why_no_update="Xero can't change an allocation: delete it and send it again under another key",
    ),
    WriteSpec(
        **_batched("ManualJournals", "manual_journals", "ManualJournalID"),
        check=check_balance,
        is_unusual=is_unbalanced,
        # So Xero's import template calls it.
        line_aliases=MappingProxyType({"Amount": "LineAmount"}),
        document=True,
        required=("Narration", "JournalLines"),
        shared_by_rows=("Narration", "Date"),
        transitions=_transitions(new="DRAFT POSTED", DRAFT="POSTED DELETED", POSTED="VOIDED"),
        status_aliases=MappingProxyType({"ARCHIVED": "POSTED"}),
        content_match=("Narration", "Date", "JournalLines"),
    ),
    WriteSpec(
        **_at("LinkedTransactions", "linked_transactions", "LinkedTransactionID"),
        document=True,
        create=Endpoint("PUT", "LinkedTransactions", "one"),
        update=Endpoint("POST", "LinkedTransactions/{id}"),
        remove=Endpoint("DELETE", "LinkedTransactions/{id}", ""),
        required=("SourceTransactionID", "SourceLineItemID", "ContactID|TargetTransactionID"),
        inspected=frozenset({"Status"}),
        content_match=(
            "SourceTransactionID",
            "SourceLineItemID",
            "TargetTransactionID",
            "TargetLineItemID",
            "ContactID",
        ),
        written_by_other_stream=(
            ("Status", "VOIDED", "what they link was voided, and Xero links what is in force only"),
        ),
    ),
    WriteSpec(
        **_at("RepeatingInvoices", "repeating_invoices", "RepeatingInvoiceID"),
        create=Endpoint("PUT", "RepeatingInvoices", size=MANY),
        own_fields=_THEME,
        document=True,
        remove=Endpoint("POST", "RepeatingInvoices", size=MANY),
        required=("Type", "Contact", "Schedule", "LineItems"),
        status_required=True,
        transitions=_transitions(new="DRAFT AUTHORISED", DRAFT="DELETED", AUTHORISED="DELETED"),
        # The invoices of a template with ApprovedForSending are mailed as they are made.
        never_sent=frozenset({"ApprovedForSending", "SendCopy", "MarkAsSent", "IncludePDF"}),
        content_match=("Type", "Contact", "Reference", "Schedule", "LineItems"),
        why_no_update=_FIXED,
    ),
    WriteSpec(
        name="history_notes",
        check=check_note,
        is_unusual=lambda _: True,
        stream_endings=("history", "historyrecords"),
        path="{of}/History",
        envelope="HistoryRecords",
        own_fields={
            **{name: _OWNERS.get(name, guid) for name in _HISTORY},
            "Details": text("At most 2,500 characters"),
            "Changes": calculated(text("What was done; anything but Note is Xero's own")),
        },
        inspected=frozenset({"Changes"}),
        create=Endpoint("PUT", "{of}/History"),
        required=("|".join(_HISTORY), "Details"),
        either=tuple(_HISTORY),
        parent_paths=MappingProxyType(_HISTORY),
        siblings_path="{of}/History",
        content_match=("Details",),
        written_by_other_stream=(("Changes", "[!N]*", "Xero writes the rest of the history itself"),),
        why_no_update="Xero can neither change nor remove a note",
    ),
)

#: All rows by stream name, in the order in which they are written.
WRITE_SPECS: Mapping[str, WriteSpec] = MappingProxyType({spec.name: spec for spec in _ROWS})
_BY_NAME = {folded(name): spec for name, spec in WRITE_SPECS.items()}
_BY_NAME |= {alias: spec for spec in _ROWS for alias in spec.stream_aliases}


def spec_of(stream: str) -> WriteSpec | None:
    """Return the row that writes a stream, ignoring case and underscores in its name; None if there is none."""
    name = folded(stream)
    return _BY_NAME.get(name) or next(
        (spec for spec in _ROWS if spec.stream_endings and name.endswith(spec.stream_endings)), None
    )


def parser_of(spec: WriteSpec, order: Callable[[], DayOrder] = no_order) -> RecordParser:
    """Return a parser for the records of an object; `order` tells whether days in numbers begin with the month."""
    aside = spec.inspected_fields | {part.field for part in spec.parts}
    if not spec.key_is_content:
        aside |= {spec.key}
    twins = frozenset(spec.xero.duplicate_fields if spec.xero else ())
    refers = {"": spec.member_reference}
    refers |= {part.field: WRITE_SPECS[part.stream].member_reference for part in spec.parts}
    own_keys = {field: REFERENCES[name][0] for field, name in refers.items() if name}
    never = spec.never_sent | twins | {"tenant_id"}
    return RecordParser(spec.fields, aside=aside, never=never, own_keys=own_keys, order=order)
