"""Finds accounts, tax rates and items by their codes or names, ignoring case and surrounding blanks.

A code is preferred to a name. A possible code that Xero's list lacks, or that the token may not look up, is sent as it
is: Xero reports it if it does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from target_xero.content.compare import same_name
from target_xero.content.values import InvalidRecord
from target_xero.lookups.lookups import Lookups, Record
from target_xero.lookups.rejected_names import RejectedNames
from target_xero.write_log.log import WriteLog
from target_xero.write_specs.rows import WRITE_SPECS

# Codes look like OUTPUT2 or TAX001, names like "20% (VAT on Income)".
_tax_type = re.compile(r"[A-Z0-9_]+").fullmatch
#: The codes that every organisation has, or that Xero gives to its own rates: they need no look-up.
_given_tax_type = re.compile(r"(IN|OUT)PUT2?|NONE|TAX\d{3}").fullmatch
_account_code = re.compile(r"[^a-z\s]{1,10}").fullmatch
_decimal_code = re.compile(r"(\d+)\.0+").fullmatch
_letter = re.compile(r"[^\W\d_]").search


def alias(kind: str, tenant: str | None, code: str) -> str:
    """Return the log's name for a code of another organisation: codes, unlike ids, are not unique across them."""
    return f"{kind}:{tenant or ''}:{code}"


class Codes:
    """Finds the settings of one organisation that lines refer to."""

    def __init__(self, log: WriteLog, lookups: Lookups, rejected: RejectedNames) -> None:
        self._log = log
        self._lookups = lookups
        self._rejected = rejected
        #: The codes by field, given code and organisation, until `forget`.
        self.known: dict[tuple[str, str, str | None], str] = {}

    def code(self, field: str, given: str, foreign: str | None) -> str:
        """Return the code of an account, tax rate or item; `foreign` is the other organisation that it comes from.

        Raises `InvalidRecord` for an unknown one. The result is remembered until `forget`.
        """
        asked = (field, given, foreign)
        if asked not in self.known:
            self.known[asked] = self._code(field, given.strip(), foreign)
        return self.known[asked]

    def _code(self, field: str, code: str, foreign: str | None) -> str:
        if field == "ItemCode":
            return self._unless_rejected("items", code, field)
        is_tax = field.endswith("TaxType")
        name = alias("TaxType" if is_tax else "AccountCode", foreign, code)
        mapped = self._log.id_of(name) if foreign else None
        return mapped or (self._tax_type(field, code) if is_tax else self._account_code(field, code))

    def forget(self) -> None:
        """Forget the codes, because settings may have been written."""
        self.known.clear()

    # Accounts

    def _account_code(self, field: str, code: str) -> str:
        # A number is a code, because names of accounts have letters.
        if not _letter(code):
            return self._unless_rejected("accounts", self._whole_code(code), field)
        account = self._account(code, ("Code", "Name"))
        if account and account.get("Code"):
            return str(account["Code"])
        if account:
            raise InvalidRecord(f"the account {code!r} has no code in Xero, and a line needs one", field)
        rejected = self._rejected.why("accounts", [("Code", code), ("Name", code)])
        if rejected or not _account_code(code):
            raise InvalidRecord(rejected or f"no account in Xero has the code or name {code!r}", field)
        return code

    def _whole_code(self, code: str) -> str:
        """Return the code 200 for 200.0, as spreadsheets write it, unless an account in Xero has that very code."""
        whole = _decimal_code(code)
        accounts = (self._lookups.permitted("accounts") or []) if whole else ()
        codes = {str(account.get("Code")) for account in accounts}
        return whole[1] if whole and code not in codes and whole[1] in codes else code

    def _unless_rejected(self, target: str, code: str, field: str = "") -> str:
        """Return a code that Xero resolves. Raises `InvalidRecord` for the code of a rejected record."""
        rejected = self._rejected.why(target, [("Code", code)])
        if rejected and not found_by(self._lookups.whole(target), code, ("Code",)):
            raise InvalidRecord(rejected, field)
        return code

    def account_reference(self, given: Mapping[str, str], *, known: bool) -> dict[str, str] | None:
        """Return the reference to an account; `known` states that the code may be another organisation's."""
        for field, value in given.items():
            text = value.strip()
            may_be_sent = field == "Code" and not known
            if may_be_sent and not _letter(text):
                return {"Code": self._unless_rejected("accounts", self._whole_code(text))}
            account = self._account(text, ("Code", "Name") if field == "Code" else ("Name", "Code"))
            if account:
                return {"AccountID": str(account["AccountID"])}
            if may_be_sent and _account_code(text):
                return {"Code": self._unless_rejected("accounts", text)}
        return None

    def _account(self, text: str, fields: Iterable[str]) -> Record | None:
        return found_by(self._lookups.permitted("accounts"), text, fields)

    def account(self, identifier: str) -> Record:
        """Return the account with an id, as Xero lists it."""
        accounts = self._lookups.whole("accounts")
        return next((a for a in accounts if a["AccountID"] == identifier), {"AccountID": identifier})

    # Tax rates

    def _tax_type(self, field: str, code: str) -> str:
        if not code or _given_tax_type(code):
            return code
        rates = filter(WRITE_SPECS["tax_rates"].is_active, self._lookups.permitted("tax_rates") or [])
        rate = found_by(rates, code, ("TaxType", "Name"))
        if rate:
            return str(rate["TaxType"])
        rejected = self._rejected.why("tax_rates", [("Name", code)])
        if _tax_type(code) and not rejected:
            return code
        raise InvalidRecord(rejected or f"no tax rate in Xero has the code or name {code!r}", field)


def found_by(records: Iterable[Record] | None, text: str, fields: Iterable[str]) -> Record | None:
    """Return the first record with that code or name; lists have active records first."""
    listed = list(records or ())
    return next((one for field in fields for one in listed if same_name(text, one.get(field))), None)
