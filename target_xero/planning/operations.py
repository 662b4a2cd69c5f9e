"""The outcomes of a plan: an operation for Xero, a record that Xero has already, or a record to skip."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import msgspec

from target_xero.content.json_text import encode
from target_xero.content.values import InvalidRecord
from target_xero.intake.records import Job
from target_xero.lookups.lookups import Record
from target_xero.write_log.in_flight import Action
from target_xero.write_log.lines import WRITTEN
from target_xero.write_log.log import LogEntry
from target_xero.write_specs.spec import Endpoint, WriteSpec


class WriteOp(msgspec.Struct, eq=False, dict=True):
    """One request to Xero for one record. What is derived from its body is kept in its `__dict__`.

    Attributes:
        entry: what the log of writes has of the record so far.
        hash: the hash of the content once everything is written.
        status: the status that this leads to.
        after: the statuses to go through afterwards.
        owner: the path of the parent, such as `CreditNotes/<id>`.
        lines: the source's ids of the lines sent.
        follows: whether an earlier operation has counted the record.
        again: whether the record is planned again afterwards.
        adopted: whether nothing is sent, because Xero has the record.
        whole: the whole content, if the body is only a part of it.
    """

    job: Job
    action: Action
    endpoint: Endpoint
    path: str
    body: dict[str, Any]
    entry: LogEntry
    hash: str
    status: str = ""
    after: tuple[str, ...] = ()
    owner: str | None = None
    lines: list[str | None] = []
    follows: bool = False
    again: bool = False
    adopted: bool = False
    whole: Mapping[str, Any] | None = None

    @cached_property
    def written_lines(self) -> dict[str, Any]:
        """The lines of the body as JSON, and what the body says of all of them; empty if it has no lines."""
        found = {name: self.body[name] for name in WRITTEN if name in self.body}
        if "LineItems" in found:
            found["LineItems"] = msgspec.Raw(encode(found["LineItems"]))
        return found

    @cached_property
    def data(self) -> bytes:
        """The body as JSON; the body must not change after the first use."""
        return encode({**self.body, **self.written_lines})

    def names(self, spec: WriteSpec) -> list[tuple[str, str]]:
        """Return the `natural_key` of the body, which must not change after the first use."""
        found: list[tuple[str, str]] | None = self.__dict__.get("natural_key")
        if found is None:
            found = self.__dict__["natural_key"] = spec.natural_key(self.body)
        return found

    def expected(self, spec: WriteSpec) -> dict[str, Any]:
        """Return what Xero's answer is compared with: the content, its totals and the status."""
        whole = self.body if self.whole is None else self.whole
        status = {spec.status_field: self.status} if self.status else {}
        if self.action == "remove" and not self.whole:
            return {**whole, **status}
        totals = self.job.aside
        if spec.inspected:
            totals = {name: value for name, value in totals.items() if name not in spec.inspected}
        return {**whole, **totals, **status}


class Adopt(msgspec.Struct):
    """Xero has the record already, with the same content; only the log of writes needs an entry."""

    op: WriteOp
    record: Record


class Skip(msgspec.Struct):
    """The record is not written; `why` completes `12 skipped: …` and is empty for an unchanged record."""

    why: str = ""


Plan = WriteOp | Adopt | Skip


def request_path(spec: WriteSpec, endpoint: Endpoint, owner: str | None, xero_id: str) -> str:
    """Return the path of a request for a record, or for a part of `owner`."""
    path = spec.path + endpoint.path
    return path.format(of=owner or "", id=xero_id) if "{" in path else path


def line_ids(content: Mapping[str, Any]) -> list[str | None]:
    """Return the source's ids of the lines of a document."""
    return [line.get("LineItemID") for line in content.get("LineItems") or []]


class Draft(msgspec.Struct):
    """A record with its references resolved. `entry` is what the log of writes has of it, `owner` its parent's path."""

    spec: WriteSpec
    job: Job
    content: dict[str, Any]
    entry: LogEntry
    owner: str | None = None

    def adopt(self, record: Record, status: str) -> Adopt:
        """Return the plan for a record that Xero has already, with this status."""
        op = WriteOp(
            self.job, "create", self.spec.create or Endpoint(""), "", dict(self.content), self.entry, self.job.hash,
            status=status, owner=self.owner, lines=line_ids(self.content), adopted=True,
        )  # fmt: skip
        return Adopt(op, record)


def ending(spec: WriteSpec, now: str, asked: str) -> str:
    """Return the status that ends a record: a draft is deleted where an approved one is voided.

    Raises `InvalidRecord` if Xero has no such transition.
    """
    if not spec.end_statuses:
        return "DELETED"
    wanted = tuple(status for status in (asked, *spec.end_statuses) if status)
    now = now or next(iter(spec.transitions.get("", ("",))))
    for status in wanted:
        if status in spec.end_statuses and status in spec.transitions.get(now, ()):
            return status
    raise no_transition(spec, now, wanted[0])


def no_transition(spec: WriteSpec, now: str, wanted: str) -> InvalidRecord:
    """Return the error for a change of status that Xero does not allow."""
    return InvalidRecord(f"Xero does not allow the change from {now} to {wanted}", spec.status_field)
