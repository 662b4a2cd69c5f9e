"""References by the keys that a source has of its own records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from target_xero.content.payload import KINDS, REFERENCED_OBJECTS, REFERENCES, InvalidRecord, is_id
from target_xero.intake.records import OWN_KEY
from target_xero.lookups.rejected_names import RejectedNames
from target_xero.write_log import identity
from target_xero.write_log.log import WriteLog

#: The objects of references that name more than an id.
OBJECTS_BY_NAME = {name: of for name, of in REFERENCED_OBJECTS.items() if len(REFERENCES[name]) > 1}
TRACKING = frozenset({"Tracking", "FromTracking", "ToTracking"})


class OwnKeys:
    """Replaces the source's own keys by Xero's ids."""

    def __init__(self, log: WriteLog, rejected: RejectedNames) -> None:
        self._log = log
        self._rejected = rejected

    def completed(self, content: Mapping[str, Any], source: str, kinds: Mapping[str, Any]) -> dict[str, Any]:
        """Return the content with Xero's ids instead of the source's own keys, and with the types of documents it
        names.

        `kinds` are the types by the names of references; those of the payments in a batch by their places in it.
        """
        found = dict(content)
        for name, value in content.items():
            if name in REFERENCES and isinstance(value, dict):
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
        identifier = REFERENCES[name][0]
        key = given.get(identifier)
        if not key or is_id(key) or name in TRACKING:
            return dict(given)
        target = OBJECTS_BY_NAME.get(name)
        if target is None:
            raise InvalidRecord(f"a GUID is needed, not {key!r}", f"{name}.{identifier}")
        held = self._log.by_own_key(target, source, key)
        if len({xero_id for _, xero_id in held}) > 1:
            told = " and ".join(identity.shown(one) for one, _ in held)
            raise InvalidRecord(
                f"{key!r} is the key of {told}: name it in another way", f"{name}.{identifier}"
            )
        others = {field: value for field, value in given.items() if field != identifier}
        if held:
            return {identifier: held[0][1]}
        if not others.keys() - {KINDS.get(name)}:
            raise InvalidRecord(
                self._rejected.why(target, [(OWN_KEY, key)])
                or f"none of the source's {target} that were written has the key {key!r}: send it in a stream of "
                f"{target} as well",
                f"{name}.{identifier}",
            )
        return others
