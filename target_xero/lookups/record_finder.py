"""Finds the record in Xero that a record of the source stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from target_xero.content.compare import same_name
from target_xero.intake.records import Job
from target_xero.lookups.lookups import Lookups, Record
from target_xero.lookups.references import References
from target_xero.write_specs.spec import WriteSpec


class RecordFinder:
    """Finds records of one organisation."""

    def __init__(self, lookups: Lookups, references: References) -> None:
        self._lookups = lookups
        self._references = references

    def by_id(self, spec: WriteSpec, xero_id: str | None, owner: str | None = None) -> Record | None:
        """Return a record by its id, a part among those of `owner`; None if Xero does not have it."""
        if not spec.siblings_path:
            return self._lookups.by_id(spec, xero_id)
        return next((one for one in self.siblings(spec, owner) if str(one.get(spec.key)) == xero_id), None)

    def siblings(self, spec: WriteSpec, owner: str | None) -> list[Record]:
        """Return the parts that a record has in Xero."""
        path = spec.siblings_path.format(of=owner)
        if spec.siblings_path != "{of}":
            return self._lookups.listed(path, spec.envelope)
        record = self._lookups.one(path, path.partition("/")[0])
        return list((record or {}).get(spec.envelope) or [])

    def existing(
        self, spec: WriteSpec, job: Job, content: Mapping[str, Any], owner: str | None
    ) -> Record | None:
        """Return the record that Xero has under one of this record's names; the first name with a match counts."""
        if spec.siblings_path:
            names = spec.natural_key(content)
            for one in self.siblings(spec, owner):
                if any(same_name(value, one.get(name)) for name, value in names):
                    return one
            return None
        if identifier := self._identifier(spec, job):
            for one in self._lookups.whole(spec.name):
                if one.get(spec.identified_by) == identifier:
                    return one
        return self.by_name(spec, content)

    def _identifier(self, spec: WriteSpec, job: Job) -> str | None:
        """What identifies a record in Xero before its names: a system account, or a tax type of Xero's own."""
        if not spec.identified_by or spec.identified_by != spec.key:
            return job.aside.get(spec.identified_by)
        is_other = job.id and spec.is_own_id(job.id) and self._references.foreign(job.tenant)
        return None if is_other else job.id

    def by_name(self, spec: WriteSpec, content: Mapping[str, Any]) -> Record | None:
        """Return the active record that has one of the content's names."""
        for name, value in spec.natural_key(content) if spec.search else ():
            for one in self._lookups.find(spec, name, value):
                is_alike = not spec.unique_when or one.get(spec.unique_when[0]) == spec.unique_when[1]
                if is_alike and spec.is_active(one):
                    return one
        return None
