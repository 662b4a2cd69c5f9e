"""What can be written and how: one row per object, in the order in which they must be written.

What others refer to stands before what refers to it. Facts are those of Xero's OpenAPI file and developer
guides, and where practice differs, of the public issues that a comment names. How to add an object: one row
here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from types import MappingProxyType

from singer_xero.objects import EVERY, NESTED_TABLES, OBJECTS, Field, XeroObject
from singer_xero.objects.components import ALLOCATION, CONTACT_REF, TRACKING_OPTION
from singer_xero.objects.fields import calculated, guid, many, one, text
from target_xero.day_formats import DayOrder, no_order
from target_xero.payload import REFERENCES, Form
from target_xero.spelling import folded

#: As many records as Xero advises to send at once.
MANY = 50
#: Smaller than the 3.5 MB that Xero's guide to efficient calls asks to stay under.
MOST_BYTES = 3_400_000

DELETED_AT = "_sdc_deleted_at"


class Existing(Enum):
    """What to do when Xero has a record of that name or number which the ledger does not know."""

    KEEP = "it is taken as it is"
    MERGE = "it is updated"
    REFUSE = "it is taken if it says the same, else the record is rejected: a create overwrites nothing"


class Search(Enum):
    """How Xero finds records by name or number."""

    WHOLE = "the list comes in one piece"
    WHERE = "where=Name==…"
    NUMBERS = "InvoiceNumbers=…, many at once"
    NUMBER = "QuoteNumber=…, one at a time"
    ADDRESS = "PurchaseOrders/<number>, one at a time"


@dataclass(frozen=True)
class Verb:
    """A request: `path` with {of} for what a part belongs to and {id} for the record itself.

    `body` is `list` (in the envelope), `one` (the bare record) or empty. `size` is how many records go at once:
    several only where Xero answers for each (`answers`: it takes `summarizeErrors=false`) or where doing it twice
    does no harm. Elsewhere one bad record is refused together with the ids of the good ones (xero-ruby#247).
    """

    method: str
    path: str
    body: str = "list"
    size: int = 1
    answers: bool = True


@dataclass(frozen=True)
class Part:
    """Records nested in another one that Xero takes on a path of their own.

    `field` holds them, `row` says how each is written, `link` is the field of each that names what they
    belong to.
    """

    field: str
    row: str
    link: str


_TOTALS = ("SubTotal", "TotalTax", "Total", "TotalAmount")
_NOTHING: Mapping[str, str] = MappingProxyType({})
_NOTHING_SAID: Mapping[str, tuple[str, str]] = MappingProxyType({})
_NO_STEPS: Mapping[str, tuple[str, ...]] = MappingProxyType({})


@dataclass(frozen=True, eq=False, kw_only=True)
class Write:
    """How one kind of record is written.

    Attributes:
        name: the stream.
        path: where the list is; a part's begins with {of}.
        envelope: the key under which records are sent and answered.
        key: the field that holds Xero's id.
        fields: what a record may hold, by Xero's names.
        create, update, remove: the requests; None where Xero has none. Without a `remove`, what ends a record is an
            update of its status.
        required: what a create needs; `A|B` is one of them.
        either: fields of which exactly one may be given.
        document: whether it is a transaction. Its end frees what others need (a payment its invoice, an order its
            number), so that documents end before anything is made; settings end last, when nothing uses them.
        steps: which status may follow which; "" is a record that does not exist yet. Empty if it has no status.
        becomes: statuses that only Xero gives, and what to send in their place.
        spoken: whether a create must say its status; elsewhere Xero has a default.
        alone: whether Xero takes a status only without other fields.
        header: fields that every update must repeat, or they are blanked.
        once: fields that are sent with a create only, and whose changes are none of ours.
        never: fields that are never sent, since they would mail or mark something.
        unanswered: fields that answers to writes leave out, although Xero keeps them.
        aside: calculated fields that are looked at, though never sent.
        names: fields that name a record, in Xero's order.
        numbered: (field, value): only where it has that value is the number Xero's own and unique.
        kinds: (field, what each of its values says): of which kind a document is that a record names by its number,
            as (reference, kind).
        dead: statuses in which a record does not count any more when one is looked up by its name or number.
        existing: what to do with a record of that name that the ledger does not know.
        search: how such a record is found.
        first: whether to look before a create: where the list is one call, or where Xero does not refuse the double.
        marks: fields by which a record without a name is recognised after its answer was lost.
        unlisted: fields of lines that lists leave out.
        shared: whether several records of the source may stand for one in Xero.
        shared_by_rows: what rows of one document have in common, where it has no number and its stream no key.
        parts: what is nested and written on its own.
        refers: the reference that a record as a whole is, such as a group's member.
        owners: for a part: the field that names what it belongs to, and the path of that.
        siblings: for a part: where the parts of one record are listed.
        told: for a part: the fields that tell it from its siblings in the source; `A|B` is the first given of them.
        elsewhere: (field, pattern, why): records that another stream writes.
        copied: parameters for records that come from another organisation.
        unborn: why a record that is archived in the source is not created; empty where it is, and archived at the end.
        unchangeable: why there is no update; part of a reject's text.
    """

    name: str
    path: str = ""
    envelope: str = ""
    key: str = ""
    xero: XeroObject | None = None
    own_fields: Mapping[str, Field] = field(default_factory=lambda: MappingProxyType({}))
    create: Verb | None = None
    update: Verb | None = None
    remove: Verb | None = None
    required: tuple[str, ...] = ()
    either: tuple[str, ...] = ()
    document: bool = False
    steps: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NO_STEPS)
    becomes: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    spoken: bool = False
    alone: bool = False
    header: tuple[str, ...] = ()
    once: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()
    unanswered: frozenset[str] = frozenset()
    aside: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    numbered: tuple[str, str] | None = None
    kinds: tuple[str, Mapping[str, tuple[str, str]]] = ("", _NOTHING_SAID)
    dead: frozenset[str] = frozenset({"DELETED", "VOIDED"})
    existing: Existing = Existing.MERGE
    search: Search | None = None
    first: bool = False
    marks: tuple[str, ...] = ()
    unlisted: frozenset[str] = frozenset()
    shared: bool = False
    shared_by_rows: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    refers: str = ""
    owners: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    siblings: str = ""
    told: tuple[str, ...] = ()
    elsewhere: tuple[tuple[str, str, str], ...] = ()
    copied: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    unborn: str = ""
    unchangeable: str = ""

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        """The registry's fields and those that only a write has."""
        return {**(self.xero.fields if self.xero else {}), **self.own_fields}

    @cached_property
    def looked_at(self) -> frozenset[str]:
        """The calculated fields that are never sent but looked at: `aside`, and totals to compare Xero's with."""
        return self.aside | {name for name in _TOTALS if name in self.fields and self.fields[name].read_only}

    @cached_property
    def status(self) -> str:
        """The field that holds the status."""
        return "ContactStatus" if self.name == "contacts" else "Status"

    @cached_property
    def statuses(self) -> frozenset[str]:
        """Every status that a record may come with."""
        found = set(self.xero.statuses if self.xero else ()) | set(self.becomes)
        return frozenset(found | {s for after in self.steps.values() for s in after})

    @cached_property
    def ends(self) -> tuple[str, ...]:
        """The statuses that end a record, so that they need `deletes`."""
        return tuple(
            s for s in ("DELETED", "VOIDED", "ARCHIVED") if any(s in after for after in self.steps.values())
        )

    @property
    def unit_prices(self) -> Mapping[str, str]:
        """unitdp=4 where Xero takes it."""
        return self.xero.params if self.xero and "unitdp" in self.xero.params else _NOTHING

    @property
    def scopes(self) -> tuple[str, ...]:
        """Any of these opens a write; empty for a part, which its owner's open."""
        return self.xero.scopes if self.xero else ()

    def form(self, order: Callable[[], DayOrder] | None = None) -> Form:
        """What sorts out the records of this object during a run; `order` tells how days in numbers are written."""
        aside = self.looked_at | {part.field for part in self.parts}
        if not self.key_is_content:
            aside |= {self.key}
        twins = frozenset(self.xero.duplicate_fields if self.xero else ())
        never = self.never | twins | {"tenant_id"}
        refers = {"": self.refers, **{part.field: WRITES[part.row].refers for part in self.parts}}
        own_keys = {field: REFERENCES[name][0] for field, name in refers.items() if name}
        return Form(self.fields, aside=aside, never=never, own_keys=own_keys, order=order or no_order)

    @cached_property
    def key_is_content(self) -> bool:
        """Whether the key is part of what is sent, as a currency's code is, rather than given by Xero."""
        return any(self.key in names.split("|") for names in self.required)

    def named(self, content: Mapping[str, object]) -> list[tuple[str, str]]:
        """The (field, value) pairs by which Xero tells this record from others, in its order."""
        if self.numbered and content.get(self.numbered[0]) != self.numbered[1]:
            return []
        return [(name, str(content[name])) for name in self.names if content.get(name)]

    def counts(self, record: Mapping[str, object]) -> bool:
        """Whether a record of Xero's is still in force, so that a name or number can mean it."""
        return record.get(self.status) not in self.dead

    def way(self, now: str, wanted: str) -> tuple[str, ...] | None:
        """The statuses to go through from `now` to `wanted`, the last included; None if Xero has no such way."""
        ways: list[tuple[str, ...]] = [()]
        seen = {now}
        for way in ways:
            here = way[-1] if way else now
            if here == wanted:
                return way
            for status in self.steps.get(here, ()):
                if status not in seen:
                    seen.add(status)
                    ways.append((*way, status))
        return None


def _steps(**after: str) -> Mapping[str, tuple[str, ...]]:
    """`new` stands for a record that does not exist yet."""
    return MappingProxyType(
        {"" if now == "new" else now: tuple(words.split()) for now, words in after.items()}
    )


def _list(path: str, name: str, key: str, **more: object) -> Write:
    """A row of an object that Xero creates and updates in batches."""
    row = {
        "create": Verb("PUT", path, size=MANY),
        "update": Verb("POST", path, size=MANY),
        **more,
    }
    return Write(name=name, path=path, envelope=path, key=key, xero=OBJECTS[name], **row)  # type: ignore[arg-type]


_DOCUMENT_STEPS = _steps(
    new="DRAFT SUBMITTED AUTHORISED",
    DRAFT="SUBMITTED AUTHORISED DELETED",
    SUBMITTED="DRAFT AUTHORISED DELETED",
    AUTHORISED="VOIDED",
)
_PAID = MappingProxyType({"PAID": "AUTHORISED"})
_ONLY_ENDED = _steps(new="AUTHORISED", AUTHORISED="DELETED")
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
    Write(
        name="branding_themes",
        path="BrandingThemes",
        envelope="BrandingThemes",
        key="BrandingThemeID",
        xero=OBJECTS["branding_themes"],
        names=("Name",),
        existing=Existing.KEEP,
        search=Search.WHOLE,
        first=True,
        shared=True,
        unchangeable="branding themes are made in Xero's settings; those of the same name are taken for one another",
    ),
    Write(
        name="currencies",
        path="Currencies",
        envelope="Currencies",
        key="Code",
        xero=OBJECTS["currencies"],
        create=Verb("PUT", "Currencies", "one"),
        required=("Code",),
        once=frozenset({"Description"}),
        names=("Code",),
        existing=Existing.KEEP,
        search=Search.WHOLE,
        first=True,
        shared=True,
        unchangeable="Xero can neither change nor remove a currency",
    ),
    Write(
        name="accounts",
        path="Accounts",
        envelope="Accounts",
        key="AccountID",
        xero=OBJECTS["accounts"],
        create=Verb("PUT", "Accounts", "one"),
        update=Verb("POST", "Accounts/{id}"),
        remove=Verb("DELETE", "Accounts/{id}", ""),
        required=("Name", "Type", "Code|BankAccountNumber"),
        steps=_steps(new="ACTIVE", ACTIVE="ARCHIVED DELETED", ARCHIVED="ACTIVE DELETED"),
        alone=True,
        aside=frozenset({"SystemAccount"}),
        names=("Code", "Name"),
        search=Search.WHOLE,
        first=True,
        shared=True,
    ),
    Write(
        name="tax_rates",
        path="TaxRates",
        envelope="TaxRates",
        key="TaxType",
        xero=OBJECTS["tax_rates"],
        # A POST may match and change another rate (xero-php#872), and of several only the first is taken
        # (xero-ruby#200).
        create=Verb("PUT", "TaxRates"),
        update=Verb("POST", "TaxRates"),
        required=("Name", "TaxComponents"),
        steps=_steps(new="ACTIVE", ACTIVE="DELETED"),
        becomes=MappingProxyType({"PENDING": "ACTIVE", "ARCHIVED": "DELETED"}),
        dead=frozenset({"DELETED", "ARCHIVED"}),
        header=("Name", "ReportTaxType", "TaxComponents"),
        names=("Name",),
        search=Search.WHOLE,
        first=True,
        shared=True,
    ),
    Write(
        name="tracking_categories",
        path="TrackingCategories",
        envelope="TrackingCategories",
        key="TrackingCategoryID",
        xero=OBJECTS["tracking_categories"],
        create=Verb("PUT", "TrackingCategories", "one"),
        update=Verb("POST", "TrackingCategories/{id}", "one"),
        remove=Verb("DELETE", "TrackingCategories/{id}", ""),
        required=("Name",),
        steps=_steps(new="ACTIVE", ACTIVE="ARCHIVED DELETED", ARCHIVED="ACTIVE DELETED"),
        alone=True,
        names=("Name",),
        search=Search.WHOLE,
        first=True,
        shared=True,
        parts=(Part("Options", "tracking_options", "TrackingCategoryID"),),
        unborn="archived in the source, and Xero has room for two active categories only, as a new one is at first",
    ),
    Write(
        name="tracking_options",
        path="{of}/Options",
        envelope="Options",
        key="TrackingOptionID",
        own_fields=TRACKING_OPTION.fields,
        # One at a time: beside a name in use Xero makes the new one and says 400 all the same (xero-php#920).
        create=Verb("PUT", "{of}/Options", "one"),
        update=Verb("POST", "{of}/Options/{id}", "one"),
        remove=Verb("DELETE", "{of}/Options/{id}", ""),
        required=("TrackingCategoryID", "Name"),
        steps=_steps(new="ACTIVE", ACTIVE="ARCHIVED DELETED", ARCHIVED="ACTIVE DELETED"),
        alone=True,
        names=("Name",),
        owners=MappingProxyType({"TrackingCategoryID": "TrackingCategories"}),
        siblings="{of}",
        told=("Name",),
        first=True,
        shared=True,
    ),
    _list(
        "Contacts",
        "contacts",
        "ContactID",
        required=("Name",),
        steps=_steps(new="ACTIVE", ACTIVE="ARCHIVED"),
        becomes=MappingProxyType({"GDPRREQUEST": "ARCHIVED"}),
        # Xero takes no document for one, and lists them only if asked to.
        dead=frozenset({"ARCHIVED", "GDPRREQUEST"}),
        names=("ContactNumber", "Name"),
        search=Search.WHERE,
    ),
    Write(
        name="contact_groups",
        path="ContactGroups",
        envelope="ContactGroups",
        key="ContactGroupID",
        xero=OBJECTS["contact_groups"],
        create=Verb("PUT", "ContactGroups"),
        update=Verb("POST", "ContactGroups/{id}"),
        required=("Name",),
        steps=_steps(new="ACTIVE", ACTIVE="DELETED"),
        names=("Name",),
        search=Search.WHOLE,
        first=True,
        shared=True,
        parts=(Part("Contacts", "contact_group_members", "ContactGroupID"),),
    ),
    Write(
        name="contact_group_members",
        path="{of}/Contacts",
        envelope="Contacts",
        key="ContactID",
        own_fields={
            "ContactGroupID": guid,
            **{name: CONTACT_REF.fields[name] for name in REFERENCES["Contact"]},
        },
        create=Verb("PUT", "{of}/Contacts", size=MANY, answers=False),
        remove=Verb("DELETE", "{of}/Contacts/{id}", ""),
        required=("ContactGroupID", "ContactID|ContactNumber|Name|EmailAddress"),
        refers="Contact",
        owners=MappingProxyType({"ContactGroupID": "ContactGroups"}),
        siblings="{of}",
        told=("ContactID|ContactNumber|Name|EmailAddress",),
        marks=("ContactID",),
        shared=True,
        unchangeable="a member is added or removed",
    ),
    _list(
        "Items",
        "items",
        "ItemID",
        remove=Verb("DELETE", "Items/{id}", ""),
        required=("Code",),
        steps=_steps(new="ACTIVE", ACTIVE="DELETED"),
        header=("Code",),
        names=("Code",),
        search=Search.WHOLE,
        first=True,
    ),
    Write(
        name="payment_services",
        path="PaymentServices",
        envelope="PaymentServices",
        key="PaymentServiceID",
        xero=OBJECTS["payment_services"],
        own_fields={"BrandingThemes": many({"BrandingThemeID": guid, "Name": text}, "Where it is offered")},
        create=Verb("PUT", "PaymentServices"),
        required=("PaymentServiceName", "PaymentServiceUrl", "PayNowText"),
        names=("PaymentServiceName",),
        existing=Existing.REFUSE,
        search=Search.WHOLE,
        first=True,
        parts=(Part("BrandingThemes", "payment_service_themes", "PaymentServiceID"),),
        unchangeable="Xero's API can neither change nor remove a payment service",
    ),
    Write(
        name="payment_service_themes",
        path="{of}/PaymentServices",
        envelope="PaymentServices",
        key="PaymentServiceID",
        own_fields={"PaymentServiceID": guid, "BrandingThemeID": guid, "Name": text("The branding theme")},
        create=Verb("POST", "{of}/PaymentServices"),
        required=("PaymentServiceID", "BrandingThemeID|Name"),
        owners=MappingProxyType({"BrandingThemeID": "BrandingThemes"}),
        siblings="{of}/PaymentServices",
        told=("BrandingThemeID|Name",),
        marks=("PaymentServiceID",),
        shared=True,
        unchangeable="Xero's API can't take a payment service off a branding theme",
    ),
    _list(
        "Quotes",
        "quotes",
        "QuoteID",
        own_fields=_THEME,
        document=True,
        required=("Contact", "Date", "LineItems"),
        steps=_steps(
            new="DRAFT",
            DRAFT="SENT DELETED",
            SENT="ACCEPTED DECLINED DELETED",
            ACCEPTED="INVOICED DELETED",
            DECLINED="DELETED",
            INVOICED="DELETED",
        ),
        # Left out of an update, the number is given anew and the rest is blanked.
        header=(
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
        names=("QuoteNumber",),
        unanswered=frozenset({"Terms", "ItemCode", "DiscountAmount"}),
        existing=Existing.REFUSE,
        search=Search.NUMBER,
        marks=("Contact", "Date", "Reference", "Title", "LineItems"),
        unlisted=frozenset({"ItemCode"}),
    ),
    _list(
        "PurchaseOrders",
        "purchase_orders",
        "PurchaseOrderID",
        own_fields=_THEME,
        document=True,
        required=("Contact", "LineItems"),
        steps=_steps(
            new="DRAFT SUBMITTED AUTHORISED",
            DRAFT="SUBMITTED AUTHORISED DELETED",
            SUBMITTED="DRAFT AUTHORISED DELETED",
            AUTHORISED="SUBMITTED BILLED DELETED",
            BILLED="AUTHORISED DELETED",
        ),
        never=_SENT,
        names=("PurchaseOrderNumber",),
        existing=Existing.REFUSE,
        search=Search.ADDRESS,
        # Xero does not refuse a number in use: it changes the order that has it.
        first=True,
        marks=("Contact", "Date", "Reference", "LineItems"),
    ),
    _list(
        "Invoices",
        "invoices",
        "InvoiceID",
        own_fields=_THEME,
        document=True,
        required=("Type", "Contact", "LineItems"),
        steps=_DOCUMENT_STEPS,
        becomes=_PAID,
        never=_SENT | {"EnteredTotal", "RoundingAmount"},
        names=("InvoiceNumber",),
        numbered=("Type", "ACCREC"),
        existing=Existing.REFUSE,
        search=Search.NUMBERS,
        # What was sold there was in stock then; stock itself can't be copied.
        copied=MappingProxyType({"allowBackorders": "true"}),
        marks=("Type", "Contact", "Date", "InvoiceNumber", "Reference", "LineItems"),
    ),
    _list(
        "CreditNotes",
        "credit_notes",
        "CreditNoteID",
        own_fields=_THEME,
        document=True,
        required=("Type", "Contact", "LineItems"),
        steps=_DOCUMENT_STEPS,
        becomes=_PAID,
        never=_SENT,
        names=("CreditNoteNumber",),
        numbered=("Type", "ACCRECCREDIT"),
        existing=Existing.REFUSE,
        search=Search.WHERE,
        marks=("Type", "Contact", "Date", "CreditNoteNumber", "Reference", "LineItems"),
        parts=(Part("Allocations", "allocations", "CreditNote"),),
    ),
    _list(
        "BankTransactions",
        "bank_transactions",
        "BankTransactionID",
        document=True,
        required=("Type", "BankAccount", "LineItems"),
        steps=_ONLY_ENDED,
        becomes=MappingProxyType({"VOIDED": "DELETED"}),
        once=frozenset({"IsReconciled"}),
        aside=frozenset({"OverpaymentID", "PrepaymentID"}),
        marks=("Type", "Contact", "BankAccount", "Date", "Reference", "LineItems"),
        elsewhere=(("Type", "*-TRANSFER", "bank_transfers makes both sides of a transfer"),),
    ),
    Write(
        name="bank_transfers",
        document=True,
        path="BankTransfers",
        envelope="BankTransfers",
        key="BankTransferID",
        xero=OBJECTS["bank_transfers"],
        create=Verb("PUT", "BankTransfers"),
        remove=Verb("POST", "BankTransfers", size=MANY),
        required=("FromBankAccount", "ToBankAccount", "Amount"),
        steps=_ONLY_ENDED,
        once=frozenset({"FromIsReconciled", "ToIsReconciled"}),
        aside=frozenset({"Status", "FromBankTransactionID", "ToBankTransactionID"}),
        marks=("FromBankAccount", "ToBankAccount", "Amount", "Date", "Reference"),
        unchangeable=_FIXED,
    ),
    Write(
        name="payments",
        document=True,
        path="Payments",
        envelope="Payments",
        key="PaymentID",
        xero=OBJECTS["payments"],
        create=Verb("PUT", "Payments", size=MANY),
        remove=Verb("POST", "Payments/{id}", "one"),
        required=("Invoice|CreditNote|Prepayment|Overpayment", "Account|Code", "Date", "Amount|BankAmount"),
        either=("Invoice", "CreditNote", "Prepayment", "Overpayment"),
        steps=_ONLY_ENDED,
        once=frozenset({"IsReconciled", "CurrencyRate", "BankAmount"}),
        aside=frozenset({"BatchPaymentID", "PaymentType"}),
        marks=(
            "Invoice",
            "CreditNote",
            "Prepayment",
            "Overpayment",
            "Account",
            "Date",
            "Amount",
            "Reference",
        ),
        kinds=(
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
        elsewhere=(("BatchPaymentID", "*", "batch_payments makes the payments of a batch"),),
        unchangeable=_FIXED,
    ),
    Write(
        name="batch_payments",
        document=True,
        path="BatchPayments",
        envelope="BatchPayments",
        key="BatchPaymentID",
        xero=OBJECTS["batch_payments"],
        create=Verb("PUT", "BatchPayments", size=MANY),
        remove=Verb("POST", "BatchPayments/{id}", "one"),
        required=("Account", "Date", "Payments"),
        steps=_ONLY_ENDED,
        aside=frozenset({"Status", "Type"}),
        kinds=(
            "Type",
            MappingProxyType({"RECBATCH": ("Invoice", "ACCREC"), "PAYBATCH": ("Invoice", "ACCPAY")}),
        ),
        marks=("Account", "Date", "Reference", "Payments"),
        unchangeable=_FIXED,
    ),
    Write(
        name="overpayments",
        path="Overpayments",
        envelope="Overpayments",
        key="OverpaymentID",
        xero=OBJECTS["overpayments"],
        parts=(Part("Allocations", "allocations", "Overpayment"),),
        unchangeable="Xero makes overpayments from bank_transactions of a type that ends in -OVERPAYMENT; only their "
        "Allocations are written",
    ),
    Write(
        name="prepayments",
        path="Prepayments",
        envelope="Prepayments",
        key="PrepaymentID",
        xero=OBJECTS["prepayments"],
        parts=(Part("Allocations", "allocations", "Prepayment"),),
        unchangeable="Xero makes prepayments from bank_transactions of a type that ends in -PREPAYMENT; only their "
        "Allocations are written",
    ),
    Write(
        name="allocations",
        document=True,
        path="{of}/Allocations",
        envelope="Allocations",
        key="AllocationID",
        own_fields=ALLOCATION.fields,
        create=Verb("PUT", "{of}/Allocations", size=MANY),
        remove=Verb("DELETE", "{of}/Allocations/{id}", ""),
        required=("|".join(_OF), "Invoice", "Amount", "Date"),
        owners=MappingProxyType(_OF),
        siblings="{of}",
        told=("Date", "Invoice"),
        marks=("Invoice", "Amount", "Date"),
        unchangeable="Xero can't change an allocation: delete it and send it again under another key",
    ),
    _list(
        "ManualJournals",
        "manual_journals",
        "ManualJournalID",
        document=True,
        required=("Narration", "JournalLines"),
        shared_by_rows=("Narration", "Date"),
        steps=_steps(new="DRAFT POSTED", DRAFT="POSTED DELETED", POSTED="VOIDED"),
        becomes=MappingProxyType({"ARCHIVED": "POSTED"}),
        marks=("Narration", "Date", "JournalLines"),
    ),
    Write(
        name="linked_transactions",
        document=True,
        path="LinkedTransactions",
        envelope="LinkedTransactions",
        key="LinkedTransactionID",
        xero=OBJECTS["linked_transactions"],
        create=Verb("PUT", "LinkedTransactions", "one"),
        update=Verb("POST", "LinkedTransactions/{id}"),
        remove=Verb("DELETE", "LinkedTransactions/{id}", ""),
        required=("SourceTransactionID", "SourceLineItemID", "ContactID|TargetTransactionID"),
        aside=frozenset({"Status"}),
        marks=(
            "SourceTransactionID",
            "SourceLineItemID",
            "TargetTransactionID",
            "TargetLineItemID",
            "ContactID",
        ),
        elsewhere=(("Status", "VOIDED", "what they link was voided, and Xero links what is in force only"),),
    ),
    _list(
        "RepeatingInvoices",
        "repeating_invoices",
        "RepeatingInvoiceID",
        own_fields=_THEME,
        document=True,
        update=None,
        remove=Verb("POST", "RepeatingInvoices", size=MANY),
        required=("Type", "Contact", "Schedule", "LineItems"),
        spoken=True,
        steps=_steps(new="DRAFT AUTHORISED", DRAFT="DELETED", AUTHORISED="DELETED"),
        # The invoices of a template with ApprovedForSending are mailed as they are made.
        never=frozenset({"ApprovedForSending", "SendCopy", "MarkAsSent", "IncludePDF"}),
        marks=("Type", "Contact", "Reference", "Schedule", "LineItems"),
        unchangeable=_FIXED,
    ),
    Write(
        name="history_notes",
        path="{of}/History",
        envelope="HistoryRecords",
        own_fields={
            **{name: _OWNERS.get(name, guid) for name in _HISTORY},
            "Details": text("At most 2,500 characters"),
            "Changes": calculated(text("What was done; anything but Note is Xero's own")),
        },
        aside=frozenset({"Changes"}),
        create=Verb("PUT", "{of}/History"),
        required=("|".join(_HISTORY), "Details"),
        either=tuple(_HISTORY),
        owners=MappingProxyType(_HISTORY),
        siblings="{of}/History",
        marks=("Details",),
        elsewhere=(("Changes", "[!N]*", "Xero writes the rest of the history itself"),),
        unchangeable="Xero can neither change nor remove a note",
    ),
)

#: All of them by stream name, in the order in which they are written.
WRITES: Mapping[str, Write] = MappingProxyType({row.name: row for row in _ROWS})


def _alias(stream: str) -> Write | None:
    """The row of a stream that tap-xero, or somebody else, calls by another name."""
    name = folded(stream)
    if name == "brandingthemepaymentservices":
        return WRITES["payment_service_themes"]
    return WRITES["history_notes"] if name.endswith(("history", "historyrecords")) else None


_CLASSIC = "classic expenses are closed to new connections and end in 2027"
_READ_ONLY = "Xero's API only reads them"
_ENDINGS = {
    "_attachments": "files are not written",
    "_details": "the same records come in the stream without _details",
}
_REASONS = {
    "journals": "Xero makes journals from documents; write manual_journals",
    "cash_journals": "Xero makes journals from documents; write manual_journals",
    "organisation": "an organisation's settings are changed in Xero",
    "organisation_actions": "an organisation's settings are changed in Xero",
    "organisation_cis_settings": "an organisation's settings are changed in Xero",
    "invoice_reminders": "an organisation's settings are changed in Xero",
    "users": "users are invited in Xero",
    "receipts": _CLASSIC,
    "expense_claims": _CLASSIC,
}


def _reason(stream: str) -> str:
    if stream in NESTED_TABLES:
        return "lists inside records are written with their records"
    if stream == "reports" or stream.startswith("report_"):
        return "reports are worked out by Xero"
    ending = next((ending for ending in _ENDINGS if stream.endswith(ending)), "")
    return _REASONS.get(stream) or _ENDINGS.get(ending, _READ_ONLY)


#: What can be read and not written, and Xero's reason.
NOT_WRITTEN: Mapping[str, str] = MappingProxyType(
    {name: _reason(name) for name in EVERY if name not in WRITES and _alias(name) is None}
)

#: What a copy of an organisation lacks, and Xero's reason: of whole records and of single fields (`stream.field`).
NOT_COPIED: Mapping[str, str] = MappingProxyType(
    {
        "documents that are voided or deleted": "Xero makes nothing in an ended state, and they count for nothing",
        "archived tracking categories": "a new category is active at first, and Xero has room for two of those",
        "contacts.Balances": "Xero works them out from documents",
        "contacts.BatchPayments": "the API only reads them",
        "contacts.BrandingTheme": "the API only reads it",
        "contacts.Discount": "the API only reads it",
        "contacts.Website": "the API only reads it",
        "items.QuantityOnHand": "stock comes from documents: what was there before the first one is missing",
        "items.TotalCostPool": "stock comes from documents: what was there before the first one is missing",
        "batch_payments.IsReconciled": "reconciling with the bank statement is done in Xero",
        "payments.IsReconciled": "reconciling payments of a batch with the bank statement is done in Xero",
        "repeating_invoices.Schedule.NextScheduledDate": "Xero works it out",
        "repeating_invoices.ApprovedForSending": "it would mail the invoices of the copy to customers",
        "repeating_invoices.SendCopy": "it is about mail",
        "repeating_invoices.MarkAsSent": "it is about mail",
        "repeating_invoices.IncludePDF": "it is about mail",
        "*.SentToContact": "nothing of the copy was sent to anybody",
        "branding themes, and BrandingThemeID": "themes are made in Xero's settings; one of the same name is used",
        "*.HasAttachments": "files are not copied",
    }
)

_BY_NAME = {folded(name): row for name, row in WRITES.items()}
_UNWRITTEN = {folded(name): reason for name, reason in NOT_WRITTEN.items()}


def row_of(stream: str) -> Write | None:
    """The row that a stream is written by, whatever the case and underscores of its name; None if there is none."""
    return _BY_NAME.get(folded(stream)) or _alias(stream)


def why_not(stream: str) -> str | None:
    """Why Xero can't be written this stream, if it is one of those it can't; None for a stream nobody knows."""
    return _UNWRITTEN.get(folded(stream))


def table() -> str:
    """What each object accepts, as a Markdown table for the documentation."""
    rows = [
        "| stream | create | change | end | required for a create | recognised by |",
        "|---|---|---|---|---|---|",
    ]
    for row in WRITES.values():
        if not row.create:
            continue
        needed = ", ".join(
            names.replace("|", " or ") if names.count("|") < 4 else _one_of(names) for names in row.required
        )
        names = (
            ", ".join(row.names) + (f" ({row.numbered[1]} only)" if row.numbered else "")
            if row.names
            else "its content"
        )
        rows.append(
            f"| `{row.name}` | {_size(row.create)} | {_size(row.update)} | {_end(row)} | {needed} | {names} |"
        )
    return "\n".join(rows)


def not_written() -> str:
    """What is left out and why, as a Markdown list."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in NOT_WRITTEN.items():
        by_reason.setdefault(reason, []).append(f"`{name}`")
    return "\n".join(f"* {', '.join(names)}: {reason}." for reason, names in by_reason.items())


def not_copied() -> str:
    """What the copy of an organisation lacks and why, as a Markdown list."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in NOT_COPIED.items():
        by_reason.setdefault(reason, []).append(f"`{name.removeprefix('*.')}`" if "." in name else name)
    return "\n".join(f"* {', '.join(names)}: {reason}." for reason, names in by_reason.items())


def _size(verb: Verb | None) -> str:
    return "no" if verb is None else f"{verb.size} at once" if verb.size > 1 else "one at a time"


def _one_of(names: str) -> str:
    first, *_, last = names.split("|")
    return f"its document ({first} … {last})"


def _end(row: Write) -> str:
    done = {"DELETED": "deleted", "VOIDED": "voided", "ARCHIVED": "archived"}
    return ", ".join(done[status] for status in row.ends) or ("deleted" if row.remove else "no")
