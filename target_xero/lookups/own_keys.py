"""References by the source's own keys of its records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from target_xero.content.payload import KINDS, REFERENCED_OBJECTS, REFERENCES
from target_xero.content.values import InvalidRecord, is_id
from target_xero.intake.records import OWN_KEY
from target_xero.lookups.referring_fields import referring_fields
from target_xero.lookups.rejected_names import RejectedNames
from target_xero.write_log import identity
from target_xero.write_log.log import WriteLog


class OwnKeys:
    """Replaces the source's own keys by Xero's ids."""

    def __init__(self, log: WriteLog, rejected: RejectedNames) -> None:
        self._log = log
        self._rejected = rejected

    def completed(self, content: Mapping[str, Any], key: str, kinds: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the content with Xero's ids instead of the source's own keys, and with the types of its references.

        `key` is the identity of the record. `kinds` are the types by the names of references; those of the payments in
        a batch by their places in it. Content that needs no change is returned itself.
        """
        changed: dict[str, Any] = {}
        for name, kind in referring_fields(content).others:
            if kind == "reference":
                given = content[name]
                found = self.reference(name, given, key)
                if name in kinds and REFERENCES[name][0] not in found:
                    found = {**found, KINDS[name]: kinds[name]}
                if found is not given:
                    changed[name] = found
            elif name == "Payments":
                places = kinds.get(name, {})
                changed[name] = [
                    self.completed(one, key, {**kinds, **places.get(str(place), {})})
                    for place, one in enumerate(content[name])
                ]
        return {**content, **changed} if changed else content

    def reference(self, name: str, given: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        """Return a reference with Xero's id instead of the source's key of the record; `key` as in `completed`."""
        identifier, target = REFERENCES[name][0], REFERENCED_OBJECTS.get(name)
        value = given.get(identifier)
        if not value or is_id(value) or target is None:
            return given
        field = f"{name}.{identifier}"
        found = self._log.by_own_key(target, identity.source_of(key) or "", value)
        if len({xero_id for _, xero_id in found}) > 1:
            records = " and ".join(identity.shown(one) for one, _ in found)
            raise InvalidRecord(
                f"{value!r} is the key of {records}: identify the record in another way", field
            )
        if found:
            return {identifier: found[0][1]}
        others = {name: one for name, one in given.items() if name != identifier}
        if not others.keys() - {KINDS.get(name)}:
            unknown = f"no record of {target} with the source's key {value!r} was written: send it in {target} as well"
            raise InvalidRecord(self._rejected.why(target, [(OWN_KEY, value)]) or unknown, field)
        return others
