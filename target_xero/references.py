"""How a record names others: ids of the source become Xero's, and names become ids where Xero needs them.

What this run or an earlier one wrote is found in the ledger, at no call. An id of another organisation that
was not written from there is never sent: what it stands for is found by its number or name, or the record is
rejected.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from target_xero.compare import same_name
from target_xero.ledger import Ledger
from target_xero.lookups import Directory, Record
from target_xero.payload import REFERENCES, Broken
from target_xero.spelling import folded, singular
from target_xero.tracking_names import COLUMN
from target_xero.writes import WRITES

#: The objects behind the names of references.
_OBJECTS = {
    "Contact": "contacts",
    "BankAccount": "accounts",
    "FromBankAccount": "accounts",
    "ToBankAccount": "accounts",
    "Account": "accounts",
    "Invoice": "invoices",
    "CreditNote": "credit_notes",
}
#: Characters of a reject's reason that another reject repeats.
_LONGEST_REASON = 300
_BY_NAME = ("contacts", "invoices", "credit_notes")
_TRACKING = frozenset({"Tracking", "FromTracking", "ToTracking"})
_NESTED: frozenset[type[Any]] = frozenset({dict, list})
# Codes look like OUTPUT2 or TAX001, names like "20% (VAT on Income)".
_tax_type = re.compile(r"[A-Z0-9_]+").fullmatch
_decimal_code = re.compile(r"(\d+)\.0+").fullmatch
_account_code = re.compile(r"[^a-z\s]{1,10}").fullmatch


def alias(kind: str, tenant: str | None, code: str) -> str:
    """The ledger's name for a code of another organisation: codes, unlike ids, are not unique across them."""
    return f"{kind}:{tenant or ''}:{code}"


class References:
    """Resolves what records of one organisation refer to; `tenant` is that organisation's id."""

    def __init__(self, ledger: Ledger, directory: Directory, tenant: str) -> None:
        self._ledger = ledger
        self._directory = directory
        self._tenant = tenant
        self._rejected: dict[tuple[str, str, str], str] = {}

    def heard_rejected(self, object_name: str, names: Mapping[str, str], reason: str) -> None:
        """Remember why a record was rejected, under what others may refer to it by ("" is its key in the source)."""
        for field, value in names.items():
            self._rejected.setdefault((object_name, field, _folded_value(value)), reason)

    def why_rejected(self, object_name: str, tried: Iterable[tuple[str, str]]) -> str:
        """That a record was rejected in this run, and why; empty if none by these (field, value) was."""
        for field, value in tried:
            reason = self._rejected.get((object_name, field, _folded_value(value)))
            if reason:
                kind = singular(object_name).replace("_", " ")
                named = f"{kind} {value}" if field else kind
                return f"its {named} was rejected: {_shortened(reason)}"
        return ""

    def foreign(self, tenant: str | None) -> bool:
        """Whether a record comes from another organisation, so that its ids mean nothing here."""
        return tenant is not None and tenant != self._tenant

    def prepare(self, contents: Iterable[tuple[Mapping[str, Any], str | None]]) -> None:
        """Look up the names in many records at once: (content, the organisation it comes from) each."""
        wanted: dict[tuple[str, str], set[str]] = defaultdict(set)
        for content, tenant in contents:
            for name, reference in _references(content):
                target = _OBJECTS.get(name)
                identifier, *others = REFERENCES[name]
                source = reference.get(identifier)
                if target not in _BY_NAME or (source and (self._mapped(source) or not self.foreign(tenant))):
                    continue
                for field in others:
                    value = reference.get(field)
                    if value and not self._ledger.by_name(target, field, value):
                        wanted[target, field].add(value)
                    elif value:
                        break
        for (target, field), values in wanted.items():
            self._directory.look_up(WRITES[target], field, values)

    def resolve(self, content: Mapping[str, Any], tenant: str | None) -> dict[str, Any]:
        """The content with all its references as Xero takes them; raises `Broken` for one that can't be found."""
        found = {}
        for name, value in content.items():
            if value.__class__ not in _NESTED and not _refers(name):
                found[name] = value
                continue
            resolved = self._value(name, value, tenant)
            if resolved is not None:
                found[name] = resolved
        return found

    def _value(self, name: str, value: Any, tenant: str | None) -> Any:
        if name in _TRACKING:
            return [self._tracking(one, tenant, with_ids=name != "Tracking") for one in value]
        if name in REFERENCES:
            if not isinstance(value, dict):
                return value
            try:
                return self.reference(name, value, tenant)
            except Broken as broken:
                raise Broken(broken.rule, name) from None
        if isinstance(value, list):
            found = []
            for index, one in enumerate(value):
                try:
                    found.append(self._nested(one, tenant) if isinstance(one, dict) else one)
                except Broken as broken:
                    raise Broken(broken.rule, f"{name}[{index}].{broken.field}") from None
            return found
        if isinstance(value, dict):
            try:
                return self._nested(value, tenant)
            except Broken as broken:
                raise Broken(broken.rule, f"{name}.{broken.field}") from None
        if name.endswith("TaxType") and isinstance(value, str):
            return self._tax(name, value, tenant)
        if name.endswith("AccountCode") and isinstance(value, str):
            return self._account_code(name, value, tenant)
        if name == "ItemCode" and isinstance(value, str):
            return self._not_rejected("items", "Code", value, name)
        if name.endswith("ID") and name != "LineItemID" and isinstance(value, str):
            return self._plain_id(name, value, tenant)
        return value

    def _nested(self, content: Mapping[str, Any], tenant: str | None) -> dict[str, Any]:
        """A line or details: the account by its code, as Xero's models call its id there read only."""
        found = dict(content)
        identifier = found.pop("AccountID", None)
        if identifier and not found.get("AccountCode"):
            account = self._account(identifier, tenant)
            if account.get("Code"):
                found["AccountCode"] = account["Code"]
                return {**self.resolve(found, tenant), "AccountCode": account["Code"]}
            return {**self.resolve(found, tenant), "AccountID": account["AccountID"]}
        return self.resolve(found, tenant)

    def with_account_ids(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """The content with the ids of the accounts that it names by code: some lists have nothing but those."""
        found = dict(content)
        for name, value in content.items():
            if _OBJECTS.get(name) == "accounts" and "AccountID" not in value:
                code = value.get("Code")
                ids = [a["AccountID"] for a in self._directory.whole("accounts") if a.get("Code") == code]
                found[name] = {**value, "AccountID": ids[0]} if ids else value
        return found

    # One reference

    def reference(self, name: str, given: Mapping[str, Any], tenant: str | None) -> dict[str, str]:
        """How Xero is told which record is meant: by its id, an account also by its code."""
        identifier, *others = REFERENCES[name]
        source = given.get(identifier)
        if source:
            mapped = self._mapped(source)
            if mapped or not self.foreign(tenant):
                return {identifier: mapped or source}
        target = _OBJECTS.get(name)
        tried = [(field, str(given[field])) for field in others if given.get(field)]
        if target == "accounts":
            return self._account_reference(tried, source)
        if target is not None:
            row = WRITES[target]
            for field, value in tried:
                known = self._ledger.by_name(target, field, value)
                if known:
                    return {identifier: known}
                found = self._directory.find(row, field, value)
                if len(found) > 1:
                    raise Broken(
                        f"{len(found)} {target} in Xero have the {field} {value!r}: name it by {identifier}"
                    )
                if found:
                    return {identifier: str(found[0][identifier])}
        raise Broken(self._nowhere(target or f"{name.lower()}s", tried, source))

    def _account_reference(self, tried: list[tuple[str, str]], source: str | None) -> dict[str, str]:
        for field, value in tried:
            if field == "Code" and not source:
                return {"Code": self._not_rejected("accounts", "Code", self._whole_code(value), "")}
            for account in self._directory.whole("accounts"):
                if str(account.get(field) or "").casefold() == value.casefold():
                    return {"AccountID": str(account["AccountID"])}
        raise Broken(self._nowhere("accounts", tried, source))

    def _nowhere(self, target: str, tried: list[tuple[str, str]], source: str | None) -> str:
        rejected = self.why_rejected(target, [*tried, *([("ID", source)] if source else [])])
        if rejected:
            return rejected
        if tried:
            named = " or ".join(f"{field} {value!r}" for field, value in tried)
            return f"Xero has none of {target} with the {named}: send it in the stream {target} as well"
        return f"{source} is an id of another organisation: send that record in the stream {target} as well"

    def _mapped(self, source: str | None) -> str | None:
        return self._ledger.id_of(source) if source else None

    def _plain_id(self, name: str, source: str, tenant: str | None) -> str | None:
        mapped = self._mapped(source)
        if mapped or not self.foreign(tenant):
            return mapped or source
        if name == "BrandingThemeID":
            return None  # themes can't be copied; the organisation's default is used
        raise Broken("it is an id of another organisation, and that record was not written from there", name)

    def _account(self, identifier: str, tenant: str | None) -> Record:
        mapped = self._mapped(identifier)
        if mapped is None and self.foreign(tenant):
            raise Broken(
                f"{identifier} is an account of another organisation: send accounts as well", "AccountID"
            )
        wanted = mapped or identifier
        return next(
            (a for a in self._directory.whole("accounts") if a["AccountID"] == wanted), {"AccountID": wanted}
        )

    # Codes

    def _account_code(self, name: str, code: str, tenant: str | None) -> str:
        mapped = self._ledger.id_of(alias("AccountCode", tenant, code)) if self.foreign(tenant) else None
        if mapped or _account_code(code):
            return mapped or self._not_rejected("accounts", "Code", self._whole_code(code), name)
        accounts = self._directory.whole("accounts")
        for field in ("Code", "Name"):
            for account in accounts:
                if account.get("Code") and str(account.get(field) or "").casefold() == code.casefold():
                    return str(account["Code"])
        raise Broken(f"no account in Xero has the code or name {code!r}", name)

    def _not_rejected(self, target: str, field: str, value: str, name: str) -> str:
        """A name or code that Xero resolves; raises `Broken` if it is that of a record that was rejected as new."""
        rejected = self.why_rejected(target, [(field, value)])
        if rejected and not any(same_name(value, one.get(field)) for one in self._directory.whole(target)):
            raise Broken(rejected, name)
        return value

    def _whole_code(self, code: str) -> str:
        """The code 200 where a spreadsheet made 200.0 of it, unless Xero has an account with that very code."""
        whole = _decimal_code(code)
        codes = {str(account.get("Code")) for account in self._directory.whole("accounts")} if whole else ()
        return whole[1] if whole and code not in codes and whole[1] in codes else code

    def _tax(self, name: str, code: str, tenant: str | None) -> str:
        mapped = self._ledger.id_of(alias("TaxType", tenant, code)) if self.foreign(tenant) else None
        if mapped or not code or _tax_type(code):
            return mapped or code
        for rate in self._directory.whole("tax_rates"):
            if str(rate.get("Name") or "").casefold() == code.casefold():
                return str(rate["TaxType"])
        rejected = self.why_rejected("tax_rates", [("Name", code)])
        raise Broken(rejected or f"no tax rate in Xero has the code or name {code!r}", name)

    def _tracking(self, given: Mapping[str, Any], tenant: str | None, *, with_ids: bool) -> dict[str, Any]:
        """A category and an option: by name as people know them, by id where Xero takes nothing else."""
        if COLUMN in given:
            given = {"Name": self._category_of_column(given[COLUMN]), "Option": given["Option"]}
        name, option = given.get("Name"), given.get("Option")
        if name and option and not with_ids:
            return {
                "Name": self._not_rejected("tracking_categories", "Name", name, "Tracking"),
                "Option": option,
            }
        ids = {n: given[n] for n in ("TrackingCategoryID", "TrackingOptionID") if given.get(n)}
        mapped = {n: self._mapped(value) for n, value in ids.items()}
        if len(ids) == 2 and (all(mapped.values()) or not self.foreign(tenant)):
            return {n: mapped[n] or value for n, value in ids.items()}
        if name and option:
            for category in self._directory.whole("tracking_categories"):
                if str(category.get("Name") or "").casefold() == name.casefold():
                    for one in category.get("Options") or []:
                        if str(one.get("Name") or "").casefold() == option.casefold():
                            return {
                                "TrackingCategoryID": category["TrackingCategoryID"],
                                "TrackingOptionID": one["TrackingOptionID"],
                            }
            raise Broken(f"Xero has no option {option!r} of a tracking category {name!r}", "Tracking")
        if self.foreign(tenant) and not all(mapped.values()):
            raise Broken(
                "it names tracking by ids of another organisation: send tracking_categories as well",
                "Tracking",
            )
        return {**given, **{n: mapped[n] or value for n, value in ids.items()}}

    def _category_of_column(self, column: str) -> str:
        """The tracking category that a column is named after: `cost_centre` stands for `Cost centre`."""
        for category in self._directory.whole("tracking_categories"):
            if folded(str(category.get("Name") or "")) == folded(column):
                return str(category["Name"])
        rejected = self.why_rejected("tracking_categories", [("Name", column)])
        raise Broken(rejected or f"Xero has no tracking category {column!r}", "Tracking")


@lru_cache(maxsize=4096)
def _refers(name: str) -> bool:
    """Whether a plain value of this name may stand for another record."""
    return name in REFERENCES or name.endswith(("TaxType", "AccountCode", "ItemCode", "ID"))


def _folded_value(value: str) -> str:
    return " ".join(value.split()).casefold()


def _shortened(reason: str) -> str:
    """A reason as it stands within another one."""
    return reason if len(reason) <= _LONGEST_REASON else f"{reason[:_LONGEST_REASON].rstrip()}…"


def _references(content: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """The references in a record and in what is nested in it."""
    for name, value in content.items():
        if value.__class__ is dict and name in _OBJECTS:
            yield name, value
        elif value.__class__ is list and name not in _TRACKING:
            for one in value:
                if one.__class__ is dict:
                    yield from _references(one)
