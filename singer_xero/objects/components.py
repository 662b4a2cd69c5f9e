"""Shapes that occur in several records.

Documents refer to each other (an invoice lists its payments, a payment names its invoice), so the nesting in Xero's
models has no end. Here it ends after one level: a record inside another one has the fields that Xero sends there, and
its own stream has the rest. Such shapes are named ``…_REF`` and say why they are thin.
"""

from __future__ import annotations

from singer_xero.objects.fields import (
    Component,
    at_most,
    calculated,
    day,
    flag,
    guid,
    instant,
    many,
    mixed,
    money,
    number,
    one,
    percent,
    quantity,
    rate,
    text,
    whole,
)

#: Fields that many records have.
CURRENCY = at_most(10, text("ISO 4217 code"))
CURRENCY_RATE = rate("Units of the record's currency for one unit of the organisation's base currency")
LINE_AMOUNT_TYPES = text("Whether prices include tax: Exclusive, Inclusive or NoTax")
TAX_TYPE = at_most(50, text("Code of a tax rate, as in tax_rates"))
#: Xero documents at most 10 characters for the code of an account and 30 for that of an item.
ACCOUNT_CODE = at_most(50, text("Code of an account, as in accounts"))
ITEM_CODE = at_most(50, text("Code of an item, as in items"))
#: The numbers that users give to documents: Xero documents at most 255 characters.
NUMBER = at_most(255, text)
HAS_ATTACHMENTS = calculated(flag)
UPDATED = calculated(instant("Last change in Xero"))
DUE_DATE_TYPES = "DAYSAFTERBILLDATE, DAYSAFTERBILLMONTH, OFCURRENTMONTH or OFFOLLOWINGMONTH"
SOURCE_URL = text("Link to the source document")
LINK_NAME = calculated(text("Xero's name for the site that Url links to"))

_LINES = {f"AddressLine{number}": text for number in range(1, 5)}
_PLACE = {**_LINES, "City": text, "Region": text, "PostalCode": text, "Country": text}
ADDRESS = Component({"AddressType": text("POBOX, STREET or DELIVERY"), "AttentionTo": text, **_PLACE})

PHONE = Component(
    {
        "PhoneType": text("DEFAULT, DDI, MOBILE, FAX or OFFICE"),
        **dict.fromkeys(("PhoneCountryCode", "PhoneAreaCode", "PhoneNumber"), text),
    }
)

ATTACHMENT = Component(
    {
        "AttachmentID": guid,
        "FileName": text,
        "MimeType": text,
        "ContentLength": whole("Bytes"),
        "Url": text,
        "IncludeOnline": flag("Shown to the customer with the online invoice"),
    }
)
ATTACHMENTS = calculated(many(ATTACHMENT, "Files; in single reads only"))

#: Where a sale is taxed, for automatic US sales tax.
INVOICE_ADDRESS = Component({"InvoiceAddressType": text("FROM or TO"), **_PLACE})

PAYMENT_TERM = Component(
    {
        "Day": whole("Days, or a day of the month, as Type says"),
        "Type": text(DUE_DATE_TYPES),
    }
)
PAYMENT_TERMS = Component({"Bills": one(PAYMENT_TERM), "Sales": one(PAYMENT_TERM)})

TRACKING_OPTION = Component(
    {
        "TrackingOptionID": guid,
        "TrackingCategoryID": guid,
        "Name": text,
        "Status": text,
        **dict.fromkeys(("IsActive", "IsArchived", "IsDeleted"), calculated(flag)),
    }
)

#: A category and the option chosen in it. Paged lists leave TrackingOptionID out, and some have Options as an
#: empty list.
TRACKING = Component(
    {
        "TrackingCategoryID": guid,
        "TrackingOptionID": guid("Paged lists of documents omit it: find the option by its name"),
        "Name": text("The category"),
        "Option": text("The option"),
    },
    of="tracking_categories",
)

#: The same on journals, whose Xero model is that of a whole tracking category.
JOURNAL_TRACKING = Component(
    {**TRACKING.fields, "TrackingOptionID": guid, "Status": text, "Options": many(TRACKING_OPTION)}
)

#: What a US sales tax is made of.
TAX_BREAKDOWN = Component(
    {
        "TaxComponentId": guid,
        "Type": text("Kind of jurisdiction"),
        "Name": text,
        "TaxPercentage": percent,
        **dict.fromkeys(("TaxAmount", "TaxableAmount", "NonTaxableAmount", "ExemptAmount"), money),
        "StateAssignedNo": text,
        "JurisdictionRegion": text,
    }
)

LINE_ITEM = Component(
    {
        "LineItemID": guid("Send it with an update; otherwise Xero replaces the line by a new one"),
        "Description": text,
        "Quantity": quantity,
        "UnitAmount": money("Price of one, up to 4 decimals"),
        "DiscountRate": percent,
        "DiscountAmount": money,
        "DiscountEnteredAsPercent": calculated(flag),
        # A write may give it in place of Quantity or UnitAmount; beside both it can only be refused.
        "LineAmount": calculated(money("Quantity x UnitAmount less discount")),
        "TaxType": TAX_TYPE,
        "TaxAmount": money("Calculated from TaxType; Xero accepts other values within limits"),
        "ItemCode": ITEM_CODE,
        "Item": calculated(one({"ItemID": guid, "Code": ITEM_CODE, "Name": text})),
        "AccountCode": ACCOUNT_CODE,
        "AccountID": guid("The account of AccountCode"),
        "Tracking": many(TRACKING, "At most two"),
        "RepeatingInvoiceID": guid,
        "Taxability": text,
        "SalesTaxCodeId": number,
        "TaxBreakdown": many(TAX_BREAKDOWN),
    }
)

CONTACT_PERSON = Component(
    {"FirstName": text, "LastName": text, "EmailAddress": text, "IncludeInEmails": flag}
)

CONTACT_GROUP_REF = Component(
    {"ContactGroupID": guid, "Name": text, "Status": text},
    thin="the members are in contact_groups",
    of="contact_groups",
)

CONTACT_REF = Component(
    {
        "ContactID": guid,
        "Name": text,
        "ContactNumber": NUMBER,
        "ContactStatus": text,
        "FirstName": text,
        "LastName": text,
        "EmailAddress": text,
        "DefaultCurrency": CURRENCY,
        "Addresses": many(ADDRESS),
        "Phones": many(PHONE),
        "ContactPersons": many(CONTACT_PERSON),
        "ContactGroups": many(CONTACT_GROUP_REF),
        "UpdatedDateUTC": instant(
            "The contact's last change; off by some hours in answers to purchase order writes"
        ),
    },
    thin="lists send id and name, quotes also the email address, purchase orders also status, phones and "
    "currency; contacts has the rest",
    of="contacts",
)

#: The contact of a document that itself only appears inside another.
CONTACT_NAME = Component(
    {"ContactID": guid, "Name": text, "UpdatedDateUTC": instant},
    thin="Xero sends id and name; contacts has the rest",
    of="contacts",
)

ACCOUNT_REF = Component(
    {
        "AccountID": guid,
        "Code": ACCOUNT_CODE,
        "Name": text,
        "CurrencyCode": CURRENCY,
        "UpdatedDateUTC": instant,
    },
    thin="Xero sends the id with the code, name or currency; accounts has the rest",
    of="accounts",
)

_DOCUMENT = {
    "Type": text,
    "Contact": one(CONTACT_NAME),
    **dict.fromkeys(("Status", "Reference"), text),
    "CurrencyCode": CURRENCY,
    "CurrencyRate": CURRENCY_RATE,
    "Date": day,
}
_CREDIT = {
    "AppliedAmount": money("Amount applied to this document"),
    "Total": money,
    "RemainingCredit": money,
    "UpdatedDateUTC": instant,
}

INVOICE_REF = Component(
    {
        "InvoiceID": guid,
        "InvoiceNumber": NUMBER,
        **_DOCUMENT,
        **dict.fromkeys(("DueDate", "ExpectedPaymentDate", "PlannedPaymentDate", "FullyPaidOnDate"), day),
        "IsDiscounted": flag,
        **dict.fromkeys(("Total", "AmountDue", "AmountPaid", "AmountCredited"), money),
        "UpdatedDateUTC": instant,
    },
    thin="Xero sends id, number, type, contact and currency; invoices has the rest",
    of="invoices",
)

CREDIT_NOTE_REF = Component(
    {
        "CreditNoteID": guid,
        "CreditNoteNumber": NUMBER,
        **_DOCUMENT,
        "DueDate": day,
        "FullyPaidOnDate": day,
        **_CREDIT,
    },
    thin="Xero sends id, number, date and amounts; credit_notes has the rest",
    of="credit_notes",
)

OVERPAYMENT_REF = Component(
    {
        "OverpaymentID": guid,
        **_DOCUMENT,
        "Contact": one(CONTACT_REF),
        **_CREDIT,
    },
    thin="Xero sends id, date and amounts; overpayments has the rest",
    of="overpayments",
)

PREPAYMENT_REF = Component(
    {
        "PrepaymentID": guid,
        **_DOCUMENT,
        "Contact": one(CONTACT_REF),
        "InvoiceNumber": NUMBER,
        **_CREDIT,
    },
    thin="Xero sends id, date and amounts; prepayments has the rest",
    of="prepayments",
)

PAYMENT_REF = Component(
    {
        "PaymentID": guid,
        "BatchPaymentID": guid,
        "Date": day,
        "Amount": money("In the document's currency"),
        "BankAmount": money("In the bank account's currency"),
        "CurrencyRate": CURRENCY_RATE,
        "Reference": text,
        "PaymentType": text,
        "Status": text,
        "HasAccount": flag,
        "IsReconciled": flag,
        "UpdatedDateUTC": instant,
    },
    thin="Xero sends id, date, amount, reference and rate; payments has the rest",
    of="payments",
)

#: A payment as its batch lists it: what it pays, and what the bank's file says about it.
BATCHED_PAYMENT = Component(
    {
        **PAYMENT_REF.fields,
        "Invoice": one(INVOICE_REF),
        "Account": one(ACCOUNT_REF),
        **dict.fromkeys(("BankAccountNumber", "Particulars", "Code", "Details"), text),
    },
    thin="Xero sends the invoice, the ids and the amounts; payments has the rest",
    of="payments",
)

#: What a payment says of its batch.
BATCH_PAYMENT_REF = Component(
    {
        "BatchPaymentID": guid,
        "Account": one(ACCOUNT_REF),
        "Date": day,
        "Reference": text,
        "Type": text("PAYBATCH for bills, RECBATCH for sales"),
        "Status": text,
        "TotalAmount": mixed(money),
        "IsReconciled": mixed(flag),
        "UpdatedDateUTC": instant,
    },
    thin="Xero sends the batch's head; batch_payments has the rest",
    of="batch_payments",
)

#: Credit that was set off against an invoice.
ALLOCATION = Component(
    {
        "AllocationID": guid,
        "Invoice": one(INVOICE_REF),
        "CreditNote": one(CREDIT_NOTE_REF),
        "Overpayment": one(OVERPAYMENT_REF),
        "Prepayment": one(PREPAYMENT_REF),
        "Amount": money,
        "Date": day,
        "IsDeleted": calculated(flag),
    }
)
ALLOCATIONS = calculated(many(ALLOCATION, "What the credit was allocated to; written by separate requests"))

PAYMENT_SERVICE = Component(
    {
        "PaymentServiceID": guid,
        "PaymentServiceName": text,
        "PaymentServiceUrl": text,
        "PayNowText": text("Label of the pay button"),
        "PaymentServiceType": calculated(text("CUSTOM for services made through the API")),
    }
)

_REPORT_CELLS = many(
    {
        "Value": text("As printed; amounts are text, too"),
        "Attributes": many({"Id": text, "Value": text}, "Attributes of the cell, such as an account's id"),
    }
)
#: The lines of a report: a header, sections, and rows within sections.
REPORT_LINES = Component(
    {
        "RowType": text("Header, Section, Row or SummaryRow"),
        "Title": text,
        "Cells": _REPORT_CELLS,
        "Rows": many({"RowType": text, "Title": text, "Cells": _REPORT_CELLS}),
    }
)
