"""What can be written and how: one row for each object, in the order in which they are written.

A row is below the rows that its records refer to. The facts come from Xero's OpenAPI file and developer guides and,
where practice differs, from the public issues that a comment names. To add an object, add a row here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from singer_xero.objects import OBJECTS, SUBRESOURCES
from singer_xero.objects.components import ALLOCATION, CONTACT_REF, TRACKING_OPTION
from singer_xero.objects.fields import calculated, guid, many, one, text
from target_xero.content.day_formats import DayOrder, no_order
from target_xero.content.payload import REFERENCED_OBJECTS, REFERENCES, RecordParser
from target_xero.content.spelling import folded
from target_xero.write_specs import rules
from target_xero.write_specs.rules import PAYABLE
from target_xero.write_specs.spec import MANY, Endpoint, OnExisting, Part, Search, WriteSpec


def _transitions(**after: str) -> Mapping[str, tuple[str, ...]]:
    """Return the statuses that may follow a status; `new` is a record that does not exist yet."""
    return MappingProxyType(
        {"" if now == "new" else now: tuple(words.split()) for now, words in after.items()}
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_CREATE, _CREATE_ONE, _CREATE_MANY = Endpoint("PUT"), Endpoint("PUT", body="one"), Endpoint("PUT", size=MANY)
_UPDATE_MANY = Endpoint("POST", size=MANY)
_UPDATE_BY_ID, _UPDATE_ONE_BY_ID = Endpoint("POST", "/{id}"), Endpoint("POST", "/{id}", "one")
_DELETE = Endpoint("DELETE", "/{id}", "")


def _at(name: str) -> dict[str, Any]:
    """Return what the registry knows of an object."""
    xero = OBJECTS[name]
    return {
        "name": name,
        "path": xero.path,
        "envelope": xero.envelope,
        "key": xero.key[0],
        "xero": xero,
        "status_field": xero.status_field or "Status",
    }


def _part(name: str, envelope: str, below: str = "", *, is_listed: bool = False) -> dict[str, Any]:
    """Return the same for a part, whose path is below that of its parent; `is_listed` if Xero lists it there."""
    path = f"{{of}}/{below or envelope}"
    return {
        "name": name,
        "path": path,
        "envelope": envelope,
        "siblings_path": path if is_listed else "{of}",
    }


def _batched(name: str) -> dict[str, Any]:
    """Return the same for an object that Xero creates and updates in batches."""
    return {**_at(name), "create": _CREATE_MANY, "update": _UPDATE_MANY}


def _numbered(name: str) -> dict[str, Any]:
    """Return the same for a document that has a number and a branding theme."""
    own = {"document": True, "own_fields": _THEME, "on_existing": OnExisting.REFUSE}
    return {**_batched(name), **own}


#: Settings that are archived by a request of their own.
_ARCHIVED_ALONE: Mapping[str, Any] = {
    "create": _CREATE_ONE,
    "remove": _DELETE,
    "transitions": _transitions(new="ACTIVE", ACTIVE="ARCHIVED DELETED", ARCHIVED="ACTIVE DELETED"),
    "status_sent_alone": True,
    "many_to_one": True,
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
_THEME = MappingProxyType({"BrandingThemeName": text("In place of BrandingThemeID")})
#: By the field that names it, what credit is allocated from.
_CREDITS = {name: OBJECTS[REFERENCED_OBJECTS[name]].path for name in PAYABLE if name != "Invoice"}
#: By the field that names it, what has a history. The classic expenses, which end in 2027, are not written.
_HISTORY = {
    next((name for name, of in REFERENCED_OBJECTS.items() if of == row.of.name), row.of.key[0]): row.of.path
    for row in SUBRESOURCES.values()
    if row.below == "History" and row.of.name not in {"expense_claims", "receipts"}
}
_CONTACT = "ContactID|ContactNumber|Name|EmailAddress"
_FIXED = "Xero's API can't change it: delete it and send it again under another key"
_FROM_BANK = (
    "Xero creates them from bank_transactions whose Type ends in {}; only Allocations are written".format
)

_ROWS = (
    WriteSpec(
        **_at("branding_themes"),
        on_existing=OnExisting.KEEP,
        many_to_one=True,
        why_no_update="branding themes are created in Xero; a theme of the same name is used",
    ),
    WriteSpec(
        **_at("currencies"),
        create=_CREATE_ONE,
        required=("Code",),
        create_only=frozenset({"Description"}),
        on_existing=OnExisting.KEEP,
        many_to_one=True,
        why_no_update="Xero can neither change nor remove a currency",
    ),
    WriteSpec(
        **_at("accounts"),
        **_ARCHIVED_ALONE,
        code_alias="AccountCode",
        identified_by="SystemAccount",
        update=_UPDATE_BY_ID,
        required=("Name", "Type", "Code|BankAccountNumber"),
        inspected=frozenset({"SystemAccount"}),
    ),
    WriteSpec(
        **_at("tax_rates"),
        id_alias="TaxType",
        is_own_id=rules.is_own_rate,
        identified_by="TaxType",
        # A POST may match and change another rate (xero-php#872), and of several only the first is taken
        # (xero-ruby#200).
        create=_CREATE,
        update=Endpoint("POST"),
        required=("Name", "TaxComponents"),
        transitions=_transitions(new="ACTIVE", ACTIVE="DELETED"),
        status_aliases=MappingProxyType({"PENDING": "ACTIVE", "ARCHIVED": "DELETED"}),
        repeated_on_update=("Name", "ReportTaxType", "TaxComponents"),
        many_to_one=True,
    ),
    WriteSpec(
        **_at("tracking_categories"),
        **_ARCHIVED_ALONE,
        update=_UPDATE_ONE_BY_ID,
        required=("Name",),
        parts=(Part("Options", "tracking_options", "TrackingCategoryID"),),
        skip_if_archived="archived in the source; a new category would be active, and Xero allows only two active ones",
    ),
    WriteSpec(
        **_part("tracking_options", "Options"),
        # One at a time: beside a name in use, Xero creates the new option and answers 400 nevertheless (xero-php#920).
        **_ARCHIVED_ALONE,
        own_natural_keys=("Name",),
        key="TrackingOptionID",
        own_fields=TRACKING_OPTION.fields,
        update=_UPDATE_ONE_BY_ID,
        required=("TrackingCategoryID", "Name"),
        parent_paths=MappingProxyType({"TrackingCategoryID": "TrackingCategories"}),
        part_keys=("Name",),
        accepts_duplicates=True,
    ),
    WriteSpec(
        **_batched("contacts"),
        created_when_named=True,
        has_ids_param=True,
        required=("Name",),
        transitions=_transitions(new="ACTIVE", ACTIVE="ARCHIVED"),
        status_aliases=MappingProxyType({"GDPRREQUEST": "ARCHIVED"}),
        # Xero accepts no document for one, and lists it only if asked to.
        inactive_statuses=frozenset({"ARCHIVED"}),
        own_search=Search.WHERE,
    ),
    WriteSpec(
        **_at("contact_groups"),
        create=_CREATE,
        update=_UPDATE_BY_ID,
        required=("Name",),
        transitions=_transitions(new="ACTIVE", ACTIVE="DELETED"),
        many_to_one=True,
        parts=(Part("Contacts", "contact_group_members", "ContactGroupID"),),
    ),
    WriteSpec(
        **_part("contact_group_members", "Contacts"),
        key="ContactID",
        own_fields={
            "ContactGroupID": guid,
            **{name: CONTACT_REF.fields[name] for name in REFERENCES["Contact"]},
        },
        create=Endpoint("PUT", size=MANY, answers=False),
        remove=_DELETE,
        required=("ContactGroupID", _CONTACT),
        member_reference="Contact",
        parent_paths=MappingProxyType({"ContactGroupID": "ContactGroups"}),
        part_keys=(_CONTACT,),
        content_match=("ContactID",),
        many_to_one=True,
        why_no_update="members can only be added or removed",
    ),
    WriteSpec(
        **_batched("items"),
        remove=_DELETE,
        required=("Code",),
        transitions=_transitions(new="ACTIVE", ACTIVE="DELETED"),
        repeated_on_update=("Code",),
    ),
    WriteSpec(
        **_at("payment_services"),
        own_fields={"BrandingThemes": many({"BrandingThemeID": guid, "Name": text}, "Where it is offered")},
        create=_CREATE,
        required=("PaymentServiceName", "PaymentServiceUrl", "PayNowText"),
        on_existing=OnExisting.REFUSE,
        parts=(Part("BrandingThemes", "payment_service_themes", "PaymentServiceID"),),
        why_no_update="Xero's API can neither change nor remove a payment service",
    ),
    WriteSpec(
        **_part("payment_service_themes", "PaymentServices", is_listed=True),
        parent_by_name=("Name", "branding_themes"),
        stream_aliases=("brandingthemepaymentservices",),
        key="PaymentServiceID",
        own_fields={"PaymentServiceID": guid, "BrandingThemeID": guid, "Name": text("The branding theme")},
        create=Endpoint("POST"),
        required=("PaymentServiceID", "BrandingThemeID|Name"),
        parent_paths=MappingProxyType({"BrandingThemeID": "BrandingThemes"}),
        part_keys=("BrandingThemeID|Name",),
        content_match=("PaymentServiceID",),
        many_to_one=True,
        why_no_update="Xero's API can't remove a payment service from a branding theme",
    ),
    WriteSpec(
        **_numbered("quotes"),
        fills_in_tax=False,
        required=("Contact", "Date", "LineItems"),
        transitions=_transitions(
            new="DRAFT",
            DRAFT="SENT DELETED",
            SENT="ACCEPTED DECLINED DELETED",
            ACCEPTED="INVOICED DELETED",
            DECLINED="DELETED",
            INVOICED="DELETED",
        ),
        # Xero gives a quote a new number, and blanks the other fields, if an update omits them.
        repeated_on_update=_words(
            "QuoteNumber Contact Date ExpiryDate Reference Title Summary Terms BrandingThemeID LineAmountTypes"
        ),
        omitted=frozenset({"Terms", "ItemCode", "DiscountAmount"}),
        own_search=Search.NUMBER,
        content_match=("Contact", "Date", "Reference", "Title", "LineItems"),
    ),
    WriteSpec(
        **_numbered("purchase_orders"),
        required=("Contact", "LineItems"),
        transitions=_transitions(
            new="DRAFT SUBMITTED AUTHORISED",
            DRAFT="SUBMITTED AUTHORISED DELETED",
            SUBMITTED="DRAFT AUTHORISED DELETED",
            AUTHORISED="SUBMITTED BILLED DELETED",
            BILLED="AUTHORISED DELETED",
        ),
        never_sent=_SENT,
        own_search=Search.ADDRESS,
        # Xero does not refuse a number in use: it changes the order that has it.
        accepts_duplicates=True,
        content_match=("Contact", "Date", "Reference", "LineItems"),
    ),
    WriteSpec(
        **_numbered("invoices"),
        has_ids_param=True,
        required=("Type", "Contact", "LineItems"),
        transitions=_DOCUMENT_TRANSITIONS,
        status_aliases=_PAID,
        never_sent=_SENT | {"EnteredTotal", "RoundingAmount"},
        unique_when=("Type", "ACCREC"),
        own_search=Search.NUMBERS,
        # What the other organisation sold was in stock there; stock itself can't be copied.
        copy_params=MappingProxyType({"allowBackorders": "true"}),
        content_match=("Type", "Contact", "Date", "InvoiceNumber", "Reference", "LineItems"),
    ),
    WriteSpec(
        **_numbered("credit_notes"),
        required=("Type", "Contact", "LineItems"),
        transitions=_DOCUMENT_TRANSITIONS,
        status_aliases=_PAID,
        never_sent=_SENT,
        unique_when=("Type", "ACCRECCREDIT"),
        own_search=Search.WHERE,
        content_match=("Type", "Contact", "Date", "CreditNoteNumber", "Reference", "LineItems"),
        parts=(Part("Allocations", "allocations", "CreditNote"),),
    ),
    WriteSpec(
        **_batched("bank_transactions"),
        document=True,
        required=("Type", "BankAccount", "LineItems"),
        transitions=_ONLY_ENDED,
        status_aliases=MappingProxyType({"VOIDED": "DELETED"}),
        create_only=frozenset({"IsReconciled"}),
        inspected=frozenset({"OverpaymentID", "PrepaymentID"}),
        content_match=("Type", "Contact", "BankAccount", "Date", "Reference", "LineItems"),
        written_by_other_stream=(("Type", "*-TRANSFER", "bank_transfers creates both sides of a transfer"),),
    ),
    WriteSpec(
        **_at("bank_transfers"),
        document=True,
        create=_CREATE,
        remove=_UPDATE_MANY,
        required=("FromBankAccount", "ToBankAccount", "Amount"),
        transitions=_ONLY_ENDED,
        create_only=frozenset({"FromIsReconciled", "ToIsReconciled"}),
        inspected=frozenset({"Status", "FromBankTransactionID", "ToBankTransactionID"}),
        content_match=("FromBankAccount", "ToBankAccount", "Amount", "Date", "Reference"),
        why_no_update=_FIXED,
    ),
    WriteSpec(
        **_at("payments"),
        prepare=rules.name_what_is_paid,
        is_unusual=rules.may_be_refund,
        document=True,
        create=_CREATE_MANY,
        remove=_UPDATE_ONE_BY_ID,
        required=("|".join(PAYABLE), "Account|Code", "Date", "Amount|BankAmount"),
        either=PAYABLE,
        transitions=_ONLY_ENDED,
        create_only=frozenset({"IsReconciled", "CurrencyRate", "BankAmount"}),
        inspected=frozenset({"BatchPaymentID", "PaymentType"}),
        content_match=(*PAYABLE, "Account", "Date", "Amount", "Reference"),
        type_field="PaymentType",
        reference_types={
            "ACCRECPAYMENT": ("Invoice", "ACCREC"),
            "ACCPAYPAYMENT": ("Invoice", "ACCPAY"),
            "ARCREDITPAYMENT": ("CreditNote", "ACCRECCREDIT"),
            "APCREDITPAYMENT": ("CreditNote", "ACCPAYCREDIT"),
        },
        written_by_other_stream=(("BatchPaymentID", "*", "batch_payments creates the payments of a batch"),),
        why_no_update=_FIXED,
    ),
    WriteSpec(
        **_at("batch_payments"),
        document=True,
        create=_CREATE_MANY,
        remove=_UPDATE_ONE_BY_ID,
        required=("Account", "Date", "Payments"),
        transitions=_ONLY_ENDED,
        inspected=frozenset({"Status", "Type"}),
        type_field="Type",
        reference_types={"RECBATCH": ("Invoice", "ACCREC"), "PAYBATCH": ("Invoice", "ACCPAY")},
        content_match=("Account", "Date", "Reference", "Payments"),
        why_no_update=_FIXED,
    ),
    WriteSpec(
        **_at("overpayments"),
        parts=(Part("Allocations", "allocations", "Overpayment"),),
        why_no_update=_FROM_BANK("-OVERPAYMENT"),
    ),
    WriteSpec(
        **_at("prepayments"),
        parts=(Part("Allocations", "allocations", "Prepayment"),),
        why_no_update=_FROM_BANK("-PREPAYMENT"),
    ),
    WriteSpec(
        **_part("allocations", "Allocations"),
        document=True,
        key="AllocationID",
        own_fields=ALLOCATION.fields,
        create=_CREATE_MANY,
        remove=_DELETE,
        required=("|".join(_CREDITS), "Invoice", "Amount", "Date"),
        parent_paths=MappingProxyType(_CREDITS),
        part_keys=("Date", "Invoice"),
        content_match=("Invoice", "Amount", "Date"),
        why_no_update=_FIXED,
    ),
    WriteSpec(
        **_batched("manual_journals"),
        check=rules.check_balance,
        is_unusual=rules.is_unbalanced,
        # Its name in Xero's import template.
        line_aliases=MappingProxyType({"Amount": "LineAmount"}),
        document=True,
        required=("Narration", "JournalLines"),
        shared_by_rows=("Narration", "Date"),
        transitions=_transitions(new="DRAFT POSTED", DRAFT="POSTED DELETED", POSTED="VOIDED"),
        status_aliases=MappingProxyType({"ARCHIVED": "POSTED"}),
        content_match=("Narration", "Date", "JournalLines"),
    ),
    WriteSpec(
        **_at("linked_transactions"),
        document=True,
        create=_CREATE_ONE,
        update=_UPDATE_BY_ID,
        remove=_DELETE,
        required=("SourceTransactionID", "SourceLineItemID", "ContactID|TargetTransactionID"),
        inspected=frozenset({"Status"}),
        content_match=_words(
            "SourceTransactionID SourceLineItemID TargetTransactionID TargetLineItemID ContactID"
        ),
        written_by_other_stream=(("Status", "VOIDED", "a linked document was voided in Xero"),),
    ),
    WriteSpec(
        **_at("repeating_invoices"),
        create=_CREATE_MANY,
        own_fields=_THEME,
        document=True,
        remove=_UPDATE_MANY,
        required=("Type", "Contact", "Schedule", "LineItems"),
        status_required=True,
        transitions=_transitions(new="DRAFT AUTHORISED", DRAFT="DELETED", AUTHORISED="DELETED"),
        # The invoices of a template with ApprovedForSending are mailed as they are made.
        never_sent=frozenset({"ApprovedForSending", "SendCopy", "MarkAsSent", "IncludePDF"}),
        content_match=("Type", "Contact", "Reference", "Schedule", "LineItems"),
        why_no_update=_FIXED,
    ),
    WriteSpec(
        **_part("history_notes", "HistoryRecords", "History", is_listed=True),
        check=rules.check_note,
        is_unusual=lambda _: True,
        stream_endings=("history", "historyrecords"),
        own_fields={
            **dict.fromkeys(_HISTORY, guid),
            "Contact": one(CONTACT_REF),
            **{name: ALLOCATION.fields[name] for name in PAYABLE},
            "Details": text("At most 2,500 characters"),
            "Changes": calculated(text("What was done; entries other than Note are Xero's own")),
        },
        inspected=frozenset({"Changes"}),
        create=_CREATE,
        required=("|".join(_HISTORY), "Details"),
        either=tuple(_HISTORY),
        parent_paths=MappingProxyType(_HISTORY),
        content_match=("Details",),
        written_by_other_stream=(("Changes", "[!N]*", "Xero writes the other entries itself"),),
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
    """Return a parser for the records of an object; `order` tells whether numeric dates begin with the month."""
    aside = spec.inspected_fields | {part.field for part in spec.parts}
    if not spec.key_is_content:
        aside |= {spec.key}
    twins = frozenset(spec.xero.duplicate_fields if spec.xero else ())
    refers = {"": spec.member_reference}
    refers |= {part.field: WRITE_SPECS[part.stream].member_reference for part in spec.parts}
    own_keys = {field: REFERENCES[name][0] for field, name in refers.items() if name}
    never = spec.never_sent | twins | {"tenant_id"}
    return RecordParser(spec.fields, aside=aside, never=never, own_keys=own_keys, order=order)
