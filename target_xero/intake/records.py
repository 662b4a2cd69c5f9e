"""The records of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from target_xero.content.payload import REFERENCES
from target_xero.write_log.identity import own_key
from target_xero.write_specs.spec import WriteSpec

#: The field for the single key value that identifies a record in its source.
OWN_KEY = "own key"
#: The fields that refer to other records by a name, number or code.
_REFERRED_BY = frozenset(name for names in REFERENCES.values() for name in names[1:])


class Job(msgspec.Struct, omit_defaults=True):
    """A record to be written.

    Attributes:
        key: its identity (see `identity`).
        hash: the hash of its content.
        sent: its content by Xero's names.
        epoch: the number of states before it.
        raw: the place of its line in the spool.
        id: the value of Xero's id field in the source.
        tenant: the organisation that it comes from, if the record states it.
        status: the status that it asks for.
        gone: whether the source has deleted it.
        aside: the values of calculated fields, which are never sent.
        kinds: the types of the documents that it refers to.
        parent: (object, identity, field) of the record that it is part of.
        parts: the identities of its own parts, by their object.
    """

    key: str
    hash: str
    sent: dict[str, Any]
    epoch: int
    raw: int
    id: str | None = None
    tenant: str | None = None
    status: str = ""
    gone: bool = False
    aside: dict[str, Any] = {}
    kinds: dict[str, Any] = {}
    parent: tuple[str, str, str] | None = None
    parts: dict[str, list[str]] = {}


class Reject(msgspec.Struct):
    """A record that can't be written, and the reason; `names` is what other records may refer to it by."""

    object: str
    epoch: int
    raw: int
    reason: str
    names: dict[str, str] = {}

    @classmethod
    def of(cls, spec: WriteSpec, job: Job, reason: str) -> Reject:
        """Return the reject of a job."""
        return cls(spec.name, job.epoch, job.raw, reason, names_of(job.key, job.id, job.sent))


def names_of(key: str, identifier: str | None, sent: Mapping[str, Any]) -> dict[str, str]:
    """Return what other records may refer to a record by: "" is its identity, ID its id in Xero."""
    names = {name: sent[name] for name in _REFERRED_BY if isinstance(sent.get(name), str)}
    own = own_key(key) if key else None
    if own:
        names[OWN_KEY] = own[1]
    return {**({"": key} if key else {}), **({"ID": identifier} if identifier else {}), **names}
