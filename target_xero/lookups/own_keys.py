"""References by the source's own keys of its records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from target_xero.content.payload import KINDS, REFERENCED_OBJECTS, REFERENCES
from target_xero.content.values import InvalidRecord, is_id
from target_xero.intake.records import OWN_KEY
from target_xero.lookups.rejected_names import RejectedNames
from target_xero.write_log import identity
from target_xero.write_log.log import WriteLog


class OwnKeys:
    """Replaces the source's own keys by Xero's ids."""

    def __init__(self, log: WriteLog, rejected: RejectedNames) -> None:
        self._log = log
        self._rejected = rejected

    def completed(self, content: Mapping[str, Any], source: str, kinds: Mapping[str, Any]) -> dict[str, Any]:
        """Return the content with Xero's ids instead of the source's own keys, and with the types of its references.

        `kinds` are the types by the names of references; those of the payments in a batch by their places in it.
        """
        found = dict(content)
        for name, value in content.items():
            if value.__class__ is dict and name in REFERENCES:
                found[name] = self.reference(name, value, source)
                if name in kinds and REFERENCES[name][0] not in found[name]:
                    found[name][KINDS[name]] = kinds[name]
            elif name == "Payments":
                places = kinds.get(name, {})
                found[name] = [
                    self.completed(one, source, {**kinds, **places.get(str(place), {})})
                    for place, one in enumerate(value)
                ]
        return found

    def reference(self, name: str, given: Mapping[str, Any], source: str) -> dict[str, Any]:
        """Return a reference with Xero's id instead of the source's key of the record."""
        identifier, target = REFERENCES[name][0], REFERENCED_OBJECTS.get(name)
        key = given.get(identifier)
        if not key or is_id(key) or target is None:
            return dict(given)
        field = f"{name}.{identifier}"
        found = self._log.by_own_key(target, source, key)
        if len({xero_id for _, xero_id in found}) > 1:
            records = " and ".join(identity.shown(one) for one, _ in found)
            raise InvalidRecord(f"{key!r} is the key of {records}: identify the record in another way", field)
        if found:
            return {identifier: found[0][1]}
        others = {name: value for name, value in given.items() if name != identifier}
        if not others.keys() - {KINDS.get(name)}:
            unknown = f"no record of {target} with the source's key {key!r} was written: send it in {target} as well"
            raise InvalidRecord(self._rejected.why(target, [(OWN_KEY, key)]) or unknown, field)
        return others
