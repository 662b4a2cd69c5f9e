"""The rules for tax rates."""

from __future__ import annotations

from decimal import Decimal

from ...accounting.chart import APPLIES
from ...values import TEN_THOUSANDTH, ZERO, Record
from ..checks import check_lengths, check_status
from ..lines import used
from ..work import Work, head


def match_tax_rate(work: Work) -> Record | None:
    """By TaxType, else by Name, deleted ones left out."""
    for name in ("TaxType", "Name"):
        for one in work.matching("TaxRates", name, work.sent.get(name)):
            if one["Status"] != "DELETED":
                return one
    return None


def save_tax_rate(work: Work, current: Record | None) -> Record:
    """Check and store a tax rate of the organisation; Xero's own rates cannot be changed."""
    sent = work.sent
    if current is not None and not current["TaxType"].startswith("TAX"):
        work.fail("System tax rates cannot be edited")
    status = sent.get("Status", "ACTIVE")
    check_status(work, status, current, "DELETED", "tax rates")
    if current is not None and status == "DELETED":
        return _delete_tax_rate(work, current)
    name = str(sent.get("Name", (current or {}).get("Name", "")))
    _tax_rate_name(work, name, current)
    country = head(work.organisation).get("CountryCode")
    report = sent.get("ReportTaxType", (current or {}).get("ReportTaxType"))
    if not report and country in {"AU", "NZ", "GB"}:
        work.refuse("ReportTaxType must be specified")
    components = _components(work, sent.get("TaxComponents", []))
    work.stop()
    rate = _effective_rate(components)
    sale = str(report or "OUTPUT").startswith(("OUTPUT", "EXEMPTOUTPUT"))
    record: Record = {
        "TaxType": current["TaxType"] if current else _next_tax_type(work),
        "Name": name,
        **dict.fromkeys(APPLIES.values(), True),
        APPLIES["EXPENSE"]: not sale,
        APPLIES["REVENUE"]: sale,
        "DisplayTaxRate": rate,
        "EffectiveRate": rate,
        "Status": "ACTIVE",
        "TaxComponents": components,
    }
    if report:
        record["ReportTaxType"] = report
    return work.put("TaxRates", record)


def _delete_tax_rate(work: Work, current: Record) -> Record:
    if used(work, "TaxType", current["TaxType"]):
        work.refuse("The tax rate cannot be deleted because it has been used on a transaction")
    work.stop()
    return work.put("TaxRates", {**current, "Status": "DELETED"})


def _tax_rate_name(work: Work, name: str, current: Record | None) -> None:
    if not name:
        work.refuse("The tax rate Name must be specified")
    check_lengths(work, {"Name": 50})
    if any(one["Status"] != "DELETED" for one in work.others("TaxRates", "Name", name, current or {})):
        work.refuse("The tax rate name must be unique")


def _effective_rate(components: list[Record]) -> Decimal:
    """The rate of all components; a compound component also applies to the tax of the others."""
    plain = sum((one["Rate"] for one in components if not one["IsCompound"]), ZERO)
    compound = sum((one["Rate"] for one in components if one["IsCompound"]), ZERO)
    return Decimal(plain + compound * (100 + plain) / 100).quantize(TEN_THOUSANDTH)


def _components(work: Work, sent: list[Record]) -> list[Record]:
    if not sent:
        work.refuse("One or more tax components must be specified")
    for one in sent:
        if not one.get("Name") or "Rate" not in one:
            work.refuse("A tax component needs a Name and a Rate")
    return [
        {
            "Name": one.get("Name", ""),
            "Rate": Decimal(one.get("Rate", ZERO)).quantize(TEN_THOUSANDTH),
            "IsCompound": one.get("IsCompound", False),
            "IsNonRecoverable": one.get("IsNonRecoverable", False),
        }
        for one in sent
    ]


def _next_tax_type(work: Work) -> str:
    taken = {rate["TaxType"] for rate in work.organisation.records("TaxRates")}
    return next(name for number in range(1, 1000) if (name := f"TAX{number:03d}") not in taken)
