"""Resolves references between records: ids of the source become Xero's, and names become ids where Xero needs them.

The log of writes has what this run or an earlier one wrote. An id of another organisation is never sent if its record
was not written: that record is found by number or name, or the referring record is rejected. A number or name that
several records have is a reject, too. Voided, deleted and archived records are ignored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from target_xero.content.compare import same_name
from target_xero.content.payload import KINDS, REFERENCED_OBJECTS, REFERENCES
from target_xero.content.values import InvalidRecord, is_id
from target_xero.lookups.codes import Codes
from target_xero.lookups.lookups import Lookups, Record
from target_xero.lookups.own_keys import OwnKeys
from target_xero.lookups.referring_fields import RENAMED, references_in, referring_fields
from target_xero.lookups.rejected_names import RejectedNames
from target_xero.lookups.tracking import Tracking
from target_xero.write_log.log import WriteLog
from target_xero.write_specs.rows import WRITE_SPECS
from target_xero.write_specs.spec import WriteSpec

#: The objects with line items that other records can refer to.
_WITH_LINES = tuple(name for name, spec in WRITE_SPECS.items() if "LineItems" in spec.fields)


class Ambiguous(InvalidRecord):
    """A number or name that several records have; `records` are Xero's."""

    def __init__(self, rule: str, records: Sequence[Record]) -> None:
        super().__init__(rule)
        self.records = records


class References:
    """Resolves the references of one organisation's records; `tenant` is its id.

    With `creates_contacts`, Xero creates a contact of an unknown name.
    """

    def __init__(
        self, log: WriteLog, lookups: Lookups, tenant: str, *, creates_contacts: bool = False
    ) -> None:
        self._creates_contacts = creates_contacts
        self._log = log
        self._lookups = lookups
        self._tenant = tenant
        self.rejected = RejectedNames()
        self.own_keys = OwnKeys(log, self.rejected)
        self._codes = Codes(log, lookups, self.rejected)
        self._tracking = Tracking(log, lookups, self.rejected)
        self._moves: dict[str, str] = {}
        self._resolvers: Mapping[str, Callable[[str, Any, str | None], Any]] = {
            "tracking": self._tracked,
            "reference": self._named,
            "list": self._list,
            "object": self._object,
            "theme": lambda _, value, __: self._theme(value),
            "currency": lambda _, value, __: value.strip().upper(),
            "id": self._plain_id,
        }

    def foreign(self, tenant: str | None) -> bool:
        """Tell whether a record comes from another organisation, whose ids Xero does not know here."""
        return tenant is not None and tenant != self._tenant

    def forget(self) -> None:
        """Forget codes and tracking, because settings may have been written."""
        self._codes.forget()
        self._tracking.forget()

    def prepare(self, contents: Iterable[tuple[Mapping[str, Any], str | None]]) -> None:
        """Look up the references of many records at once, given as (content, the organisation it comes from)."""
        found = [
            (name, reference, self.foreign(tenant))
            for content, tenant in contents
            for name, reference in references_in(content)
        ]
        ids = [source for name, one, _ in found if (source := one.get(REFERENCES[name][0]))]
        self._log.foresee_ids([*ids, *map(_merged, ids)])
        wanted: dict[tuple[str, str], set[str]] = defaultdict(set)
        for name, reference, foreign in found:
            for pair, value in self._names_to_look_up(name, reference, foreign=foreign):
                wanted[pair].add(value)
        for (target, field), values in wanted.items():
            self._lookups.look_up(WRITE_SPECS[target], field, values)

    def _names_to_look_up(
        self, name: str, reference: Mapping[str, Any], *, foreign: bool
    ) -> Iterable[tuple[tuple[str, str], str]]:
        """The names of a reference that must be looked up in Xero, each with its object and field."""
        target = REFERENCED_OBJECTS[name]
        identifier, *others = REFERENCES[name]
        source = reference.get(identifier)
        is_resolved = source and is_id(source) and (self._mapped(source) or not foreign)
        for field in () if WRITE_SPECS[target].code_alias or is_resolved else others:
            value = reference.get(field)
            # The log has only the numbers of sales documents, and a bill may have the same number.
            if value and (WRITE_SPECS[target].unique_when or not self._log.by_name(target, field, value)):
                yield (target, field), value
            elif value:
                return

    def resolve(self, content: Mapping[str, Any], tenant: str | None) -> dict[str, Any]:
        """Return the content with its references resolved; raises `InvalidRecord` for an unknown one."""
        return self._resolve(dict(content), self._other(tenant))

    def _other(self, tenant: str | None) -> str | None:
        """The organisation that a record comes from, if it is another one."""
        return None if tenant == self._tenant else tenant

    def _resolve(self, found: dict[str, Any], foreign: str | None) -> dict[str, Any]:
        """Resolve the references in this very content, and return it; `foreign` is the other organisation it is of."""
        fields = referring_fields(found)
        known = self._codes.known
        for name in fields.codes:
            value = found[name]
            found[name] = known.get((name, value, foreign)) or self._codes.code(name, value, foreign)
        for name, kind in fields.others:
            value = found[name]
            if kind == "line":
                document = found.get(name.replace("LineItem", "Transaction"))
                found[name] = self._line_id(name, value, document, foreign)
                continue
            resolved = self._resolvers[kind](name, value, foreign)
            if resolved is None or name in RENAMED:
                del found[name]
            if resolved is not None:
                found[RENAMED.get(name, name)] = resolved
        return found

    def _tracked(self, name: str, value: list[Any], foreign: str | None) -> list[dict[str, Any]]:
        with_ids = name != "Tracking"
        return [self._tracking.resolve(one, foreign is not None, with_ids=with_ids) for one in value]

    def _named(self, name: str, value: dict[str, Any], foreign: str | None) -> dict[str, str]:
        try:
            return self.reference(name, value, foreign)
        except InvalidRecord as invalid:
            raise invalid.within(name) from None

    def _list(self, name: str, value: list[Any], foreign: str | None) -> list[Any]:
        found: list[Any] = []
        for one in value:
            try:
                found.append(self._nested(one, foreign) if one.__class__ is dict else one)
            except InvalidRecord as invalid:
                raise invalid.within(f"{name}[{len(found)}].") from None
        return found

    def _object(self, name: str, value: dict[str, Any], foreign: str | None) -> dict[str, Any]:
        try:
            return self._nested(value, foreign)
        except InvalidRecord as invalid:
            raise invalid.within(f"{name}.") from None

    def _nested(self, content: Mapping[str, Any], foreign: str | None) -> dict[str, Any]:
        """A line or details with the code of its account, because Xero only reads the id there."""
        others = dict(content)
        identifier = others.pop("AccountID", None)
        if not identifier or others.get("AccountCode"):
            return self._resolve(others, foreign)
        mapped = self._mapped(identifier)
        if mapped is None and foreign:
            raise InvalidRecord(
                f"{identifier} is an account of another organisation: send accounts as well", "AccountID"
            )
        account = self._codes.account(mapped or identifier)
        field, own = ("AccountCode", "Code") if account.get("Code") else ("AccountID", "AccountID")
        return {**self._resolve(others, foreign), field: account[own]}

    def with_account_ids(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Return the content with the ids of the accounts in it that have a code, because some lists have only ids."""
        found = dict(content)
        for name, value in content.items():
            if REFERENCED_OBJECTS.get(name) == "accounts" and "AccountID" not in value:
                code = value.get("Code")
                ids = [a["AccountID"] for a in self._lookups.whole("accounts") if a.get("Code") == code]
                found[name] = {**value, "AccountID": ids[0]} if ids else value
        return found

    # One reference

    def reference(self, name: str, given: Mapping[str, Any], tenant: str | None) -> dict[str, str]:
        """Return the reference to a record: by its id, or an account also by its code."""
        identifier, *others = REFERENCES[name]
        source = given.get(identifier)
        if source:
            mapped = self._mapped(source)
            if mapped or not self.foreign(tenant):
                return {identifier: self._current_id(name, mapped or source)}
        spec, kind = WRITE_SPECS[REFERENCED_OBJECTS[name]], given.get(KINDS.get(name, ""))
        tried = {field: str(given[field]) for field in others if given.get(field)}
        if spec.code_alias:
            if found := self._codes.account_reference(tried, known=bool(source)):
                return found
        else:
            for field, value in tried.items():
                if known := self._numbered(spec, field, value, kind):
                    return {identifier: self._current_id(name, known)}
            if self._may_be_created(spec, tried):
                return {"Name": tried["Name"]}
        raise InvalidRecord(self._why_unknown(spec, tried, source, kind))

    def _may_be_created(self, spec: WriteSpec, tried: Mapping[str, str]) -> bool:
        """Whether Xero may create a contact of an unknown name: not if it was rejected in this run, or is archived."""
        if not self._creates_contacts or not spec.created_when_named or "Name" not in tried:
            return False
        return not (self.rejected.why(spec.name, tried.items()) or self._over(spec, tried, None))

    def _numbered(self, spec: WriteSpec, field: str, value: str, kind: str | None) -> str | None:
        """Xero's id of the one active record with that name or number, and of that kind if it is given."""
        known = self._log.by_name(spec.name, field, value)
        if known and (not spec.unique_when or kind == spec.unique_when[1]):
            return known
        records = self._lookups.find(spec, field, value)
        active = [one for one in records if spec.is_active(one)]
        if spec.unique_when:
            field_of_kind, numbered = spec.unique_when
            active = [one for one in active if kind in {None, one.get(field_of_kind)}]
            if known and not kind and all(one.get(spec.key) != known for one in records):
                # In a dry run it is not in Xero yet.
                active.append({spec.key: known, field_of_kind: numbered})
        if len(active) > 1:
            raise several(spec, field, value, active)
        return str(active[0][spec.key]) if active else None

    def _why_unknown(
        self, spec: WriteSpec, tried: Mapping[str, str], source: str | None, kind: str | None
    ) -> str:
        """The reason why a reference can't be resolved."""
        target = spec.name
        rejected = self.rejected.why(target, [*tried.items(), *([("ID", source)] if source else [])])
        if rejected:
            return rejected
        if not tried:
            return (
                f"{source} is an id of another organisation: send its record in the stream {target} as well"
            )
        names = " or ".join(f"{field} {value!r}" for field, value in tried.items())
        record = f"record of {target}{f' of the type {kind}' if kind else ''} with the {names}"
        over = "" if spec.code_alias else self._over(spec, tried, kind)
        if over:
            restore = ": restore it in Xero" if over == "ARCHIVED" else ""
            return f"Xero has no active {record}, only one with the status {over}{restore}"
        may_create = spec.created_when_named and "Name" in tried
        create = ", or set missing_contacts to create" if may_create else ""
        return f"Xero has no {record}: send it in the stream {target} as well{create}"

    def _over(self, spec: WriteSpec, tried: Mapping[str, str], kind: str | None) -> str:
        """The status of an inactive record with such a name; empty if there is none."""
        field_of_kind = spec.unique_when[0] if spec.unique_when else ""
        found = (one for pair in tried.items() for one in self._lookups.find(spec, *pair, over=True))
        for one in found:
            if not spec.is_active(one) and (not kind or not field_of_kind or one.get(field_of_kind) == kind):
                return str(one.get(spec.status_field))
        return ""

    def note_moves(self, moves: Mapping[str, str], lasting: Mapping[str, str]) -> None:
        """Note the new ids of merged or archived contacts; `lasting` are those to remember for later runs."""
        self._moves |= moves
        if lasting:
            self._log.settle("contacts", ids={_merged(old): new for old, new in lasting.items()})

    def _current_id(self, name: str, identifier: str) -> str:
        """The id of the contact that one was merged into, as far as that is known; any other id unchanged."""
        if REFERENCED_OBJECTS[name] != "contacts":
            return identifier
        met = {identifier}
        while (
            into := self._moves.get(identifier) or self._log.id_of(_merged(identifier))
        ) and into not in met:
            met.add(into)
            identifier = into
        return identifier

    def _mapped(self, source: str | None) -> str | None:
        return self._log.id_of(source) if source else None

    def _line_id(self, name: str, source: str, document: str | None, foreign: str | None) -> str | None:
        """Return Xero's id of a line item; `document` is the source's id of its document."""
        of = self._mapped(document) or document
        known = self._log.line_id(_WITH_LINES, of, source) if of else None
        return known or self._plain_id(name, source, foreign)

    def _plain_id(self, name: str, source: str, foreign: str | None) -> str | None:
        mapped = self._mapped(source)
        if mapped or not foreign:
            return mapped or source
        if name == "BrandingThemeID":
            return None  # themes can't be copied; the organisation's default is used
        raise InvalidRecord("it is an id of another organisation whose record was not written", name)

    def _theme(self, name: str) -> str:
        for theme in self._lookups.whole("branding_themes"):
            if same_name(name, theme.get("Name")):
                return str(theme["BrandingThemeID"])
        raise InvalidRecord(f"Xero has no branding theme {name!r}", "BrandingThemeName")


def _merged(contact_id: str) -> str:
    """The log's name for the contact that one was merged into."""
    return f"merged:{contact_id}"


def several(spec: WriteSpec, field: str, value: str, records: Sequence[Record]) -> Ambiguous:
    """Return the error for a name that several of Xero's records have, with each of them."""
    listed = "; ".join(_described(spec, one) for one in records[:5])
    more = f" and {len(records) - 5} more" if len(records) > 5 else ""
    fields = f"{spec.unique_when[0]} or {spec.key}" if spec.unique_when else spec.key
    return Ambiguous(
        f"{len(records)} {spec.name} in Xero have the {field} {value!r}: {listed}{more}. Add the {fields}",
        records,
    )


def _described(spec: WriteSpec, record: Record) -> str:
    kind = str(record.get(spec.unique_when[0], "")) if spec.unique_when else ""
    contact = record.get("Contact")
    of = f"of {contact['Name']}" if isinstance(contact, dict) and contact.get("Name") else ""
    return " ".join(word for word in (kind, str(record.get(spec.key)), of) if word)
