"""The rules for currencies and payment services."""

from __future__ import annotations

from ...values import Record, picked
from ..work import ZERO_ID, Work


def save_currency(work: Work, _current: Record | None) -> Record:
    """Subscribe to a currency; it cannot be changed or removed again."""
    code = str(work.sent.get("Code", ""))
    if len(code) != 3 or not code.isalpha():
        work.refuse("Currency Code must be specified" if not code else f"Currency Code '{code}' is not valid")
    if work.matching("Currencies", "Code", code):
        work.refuse(f"Organisation is already subscribed to currency {code.upper()}")
    work.stop()
    return work.put(
        "Currencies", {"Code": code.upper(), "Description": work.sent.get("Description", code.upper())}
    )


def save_payment_service(work: Work, _current: Record | None) -> Record:
    """Create a custom payment service."""
    sent = work.sent
    for name in ("PaymentServiceName", "PaymentServiceUrl"):
        if not sent.get(name):
            work.refuse(f"{name} must be specified")
    if sent.get("PaymentServiceUrl") and not sent["PaymentServiceUrl"].startswith("https://"):
        work.refuse("PaymentServiceUrl must be a valid https address")
    if work.matching("PaymentServices", "PaymentServiceName", sent.get("PaymentServiceName")):
        work.refuse("PaymentServiceName must be unique")
    work.stop()
    names = ("PaymentServiceName", "PaymentServiceUrl")
    service = {"PaymentServiceType": "Custom", "PayNowText": sent.get("PayNowText", "Pay now")}
    return work.put("PaymentServices", {**picked(sent, names), **service})


def attach_services(work: Work, theme: Record, sent: list[Record]) -> Record:
    """Attach payment services to a branding theme; those attached before stay. Returns the theme."""
    attached = dict.fromkeys(theme.get("PaymentServiceIDs", ()))
    for one in sent:
        service = work.get("PaymentServices", one.get("PaymentServiceID"))
        if service is None:
            work.echo = {"PaymentServiceID": ZERO_ID, **one}
            work.fail("Payment service could not be found")
        attached[service["PaymentServiceID"]] = None
    return work.put("BrandingThemes", {**theme, "PaymentServiceIDs": list(attached)})
