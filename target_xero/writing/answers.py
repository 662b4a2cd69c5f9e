"""Reads Xero's answers to writes: matches them with the records, and tells whether each record was written."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from singer_xero.api.errors import NotFound, OutcomeUnknown, Refused
from singer_xero.api.http.transport import Answer
from target_xero.content.compare import matches, same_name
from target_xero.content.values import NOBODY
from target_xero.lookups.lookups import Record
from target_xero.planning.operations import WriteOp
from target_xero.write_log.lines import noted
from target_xero.write_log.log import LogEntry
from target_xero.write_specs.spec import WriteSpec

_NESTED: frozenset[type[Any]] = frozenset({dict, list})
_no_messages = re.compile(rb'"ValidationErrors":\s*\[\s*\]').findall


@dataclass(frozen=True)
class Refusal:
    """Xero did not write the record; the reason is Xero's."""

    reason: str


Outcome = Record | Refusal


def outcomes_of(
    spec: WriteSpec, ops: list[WriteOp], answer: Answer, envelope: Mapping[str, Any]
) -> list[Outcome]:
    """Return the outcome of each record of a request, from its answer and the decoded JSON.

    Raises `OutcomeUnknown` if they can't be matched. The records stay in flight, and the next run looks them up.
    """
    # If all lists of messages are empty, no element has to be searched for messages.
    silent = len(_no_messages(answer.content)) == answer.content.count(b"ValidationErrors")
    found: list[Outcome] = []
    for element in paired(spec, ops, _elements(envelope, spec.envelope)):
        if is_written(element, silent=silent):
            found.append(element)
        else:
            call = f"({answer.call}: {answer.status}, correlation id {answer.correlation_id})"
            found.append(
                Refusal("; ".join(messages(element)) or f"Xero refused it and did not say why {call}")
            )
    return found


def refusal_of(error: Refused | NotFound) -> Refusal:
    """Return the refusal of a request with one record."""
    if isinstance(error, NotFound):
        return Refusal("Xero has no such record: an id in it is not one of this organisation (404)")
    words = [word for element in error.elements for word in messages(element)]
    return Refusal("; ".join(words) or (error.words if error.says_why else error.what))


def _elements(envelope: Mapping[str, Any], name: str) -> list[Record]:
    """Return the records of an answer, ignoring the case of the envelope's name."""
    found: Any = next((value for key, value in envelope.items() if key.lower() == name.lower()), [])
    return [found] if isinstance(found, dict) else list(found or [])


def paired(spec: WriteSpec, ops: list[WriteOp], elements: list[Record]) -> list[Record]:
    """Return the answer of each record: by position if ids and names agree, otherwise by id, name or content."""
    if not elements and not ops[0].endpoint.body:
        return [{} for _ in ops]
    if len(elements) == len(ops) and all(map(partial(_fits, spec), ops, elements)):
        return elements
    rest = list(elements)
    found: list[Record] = []
    for op in ops:
        mine = next((one for one in rest if _is_of(spec, op, one)), None)
        if mine is None:
            raise OutcomeUnknown(
                f"{len(elements)} answers came for {len(ops)} records, and they can't be matched",
                call=f"{op.endpoint.method} {op.path}",
            )
        rest.remove(mine)
        found.append(mine)
    return found


def _fits(spec: WriteSpec, op: WriteOp, element: Record) -> bool:
    """Whether an answer may be this record's: neither id nor names differ. A refused record may lack its names."""
    sent, got = op.body.get(spec.key), element.get(spec.key)
    if sent and got and got != NOBODY and str(sent).lower() != str(got).lower():
        return False
    for name, value in op.names(spec):
        answered = element.get(name)
        if answered and answered != value and not same_name(value, answered):
            return False
    return True


def _is_of(spec: WriteSpec, op: WriteOp, element: Record) -> bool:
    """Whether an answer is certainly this record's."""
    sent = op.body.get(spec.key)
    if sent and str(sent).lower() == str(element.get(spec.key)).lower():
        return True
    names = op.names(spec)
    if names:
        return any(same_name(value, element.get(name)) for name, value in names)
    return bool(spec.content_match) and matches(op.body, element, spec.content_match)


def is_written(element: Record, *, silent: bool) -> bool:
    """Tell whether a record was written: neither it nor anything nested in it reports an error.

    The flags differ by object: documents have HasErrors, contacts and payments HasValidationErrors, items only the list
    of messages; an answer to a single record may have none. `silent` says that the answer has no messages.
    """
    if element.get("StatusAttributeString") == "ERROR":
        return False
    if element.get("HasErrors") is True or element.get("HasValidationErrors") is True:
        return False
    return silent or not messages(element)


def messages(value: Any) -> list[str]:
    """Return Xero's validation messages about a record and what is nested in it, each once."""
    found: dict[str, None] = {}
    for name, one in value.items() if isinstance(value, dict) else enumerate(value):
        if one.__class__ not in _NESTED or not one:
            continue
        if name == "ValidationErrors":
            texts = [e.get("Message") if isinstance(e, dict) else e for e in one]
            found |= dict.fromkeys(str(text) for text in texts if text)
        else:
            found |= dict.fromkeys(messages(one))
    return list(found)


# For the log of writes


def log_entry(spec: WriteSpec, op: WriteOp, answer: Record) -> LogEntry:
    """Return the entry of a record in the log of writes after an operation."""
    identifier = answer.get(spec.key) if spec.key else None
    xero_id = str(identifier) if identifier and identifier != NOBODY else op.entry.xero_id
    status = op.status
    if not status and op.action == "remove":
        status = "DELETED"
    elif not status and spec.status_field in spec.fields:
        status = str(answer.get(spec.status_field) or "")
    return LogEntry(
        hash=None if op.after or op.again else op.hash,
        xero_id=xero_id or "-",
        status=status,
        owner=op.owner,
        parent=op.job.parent[1] if op.job.parent else op.entry.parent,
        lines=_lines_after(op, answer),
        attempts=op.entry.attempts + 1,
    )


def _lines_after(op: WriteOp, answer: Record) -> bytes | None:
    """Return the lines for the log, in the order in which they were sent.

    In an answer, new lines come before old ones.
    """
    sent = op.body.get("LineItems")
    if not sent:
        return op.entry.lines
    found = _line_ids(sent, answer)
    if not all(found):
        return None
    sources = op.lines
    if not any(sources) and op.entry.lines:
        before = {xero: source for source, xero in op.entry.line_ids.items()}
        sources = [before.get(one) for one in found]
    return noted(found, None if op.adopted or op.again else op.written_lines, sources)


def _line_ids(sent: list[Record], answer: Record) -> list[str]:
    """Return the ids of the lines that were sent; "" for a line that the answer lacks."""
    answered = [str(line.get("LineItemID")) for line in answer.get("LineItems") or []]
    old = [line.get("LineItemID") for line in sent]
    if not any(old) and len(old) == len(answered):
        return answered
    new = iter([one for one in answered if one not in old] if any(old) else answered)
    return [one or next(new, "") for one in old]


def imagined(spec: WriteSpec, op: WriteOp) -> Record:
    """Return what Xero would answer, for a dry run."""
    lines = [
        {**line, "LineItemID": line.get("LineItemID") or str(uuid.uuid4())}
        for line in op.body.get("LineItems") or []
    ]
    made = {spec.key: op.entry.xero_id or op.body.get(spec.key) or str(uuid.uuid4())} if spec.key else {}
    asides = {name: str(uuid.uuid4()) for name in op.job.aside if name.endswith("ID")}
    return {**asides, **op.body, **({"LineItems": lines} if lines else {}), **made}
