"""Combines operations into requests: which go together, what a request contains, and which keys it locks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256

import msgspec
from msgspec.structs import replace

from target_xero.content.compare import folded
from target_xero.intake.records import Job
from target_xero.planning.operations import WriteOp
from target_xero.write_log.in_flight import PendingWrite
from target_xero.write_log.log import LogEntry, WriteLog
from target_xero.write_specs.spec import MOST_BYTES, Endpoint, WriteSpec

#: The keys of a request that must be the only one in flight.
ALONE: frozenset[object] = frozenset({"alone"})
#: The documents that payments change.
_PAID = frozenset({"Invoice", "CreditNote", "Prepayment", "Overpayment"})


def grouped(ops: list[WriteOp]) -> list[list[WriteOp]]:
    """Group operations by method and path, because a request has one of each."""
    groups: dict[tuple[str, str], list[WriteOp]] = {}
    for op in ops:
        groups.setdefault((op.endpoint.method, op.path), []).append(op)
    return list(groups.values())


def batches(ops: list[WriteOp], size: int) -> Iterator[list[WriteOp]]:
    """Split operations into requests of at most `size` records that Xero accepts; a larger record goes alone."""
    batch: list[WriteOp] = []
    weight = 0
    for op in ops:
        heavy = len(op.data) + 1 if len(ops) > 1 else 0
        if batch and (len(batch) >= size or weight + heavy > MOST_BYTES):
            yield batch
            batch, weight = [], 0
        batch.append(op)
        weight += heavy
    if batch:
        yield batch


def request_body(spec: WriteSpec, endpoint: Endpoint, bodies: list[bytes]) -> bytes | None:
    """Return the body of a request, or None for one without."""
    if not endpoint.body:
        return None
    return (
        bodies[0] if endpoint.body == "one" else b'{"%b":[%b]}' % (spec.envelope.encode(), b",".join(bodies))
    )


def request_params(spec: WriteSpec, endpoint: Endpoint, *, is_copy: bool) -> dict[str, str]:
    """Return the parameters of a request; `is_copy` says that the records come from another organisation."""
    params = {}
    if endpoint.body == "list":
        params = {**spec.unit_price_params, **(spec.copy_params if is_copy else {})}
    if endpoint.size > 1 and endpoint.answers:
        params["summarizeErrors"] = "false"
    return params


def idempotency_key(tenant_id: str, ops: list[WriteOp], body: bytes | None) -> str:
    """Return the Idempotency-Key. It is the same for the same request until that is answered."""
    first = ops[0]
    told = sha256(f"{tenant_id} {first.endpoint.method} {first.path}\n".encode())
    told.update(body or b"")
    told.update("".join([f"\n{op.job.key} {op.entry.attempts}" for op in ops]).encode())
    return told.hexdigest()


# Order


def compared_names(spec: WriteSpec, content: Mapping[str, object]) -> list[object]:
    """Return the names of a record as Xero compares them."""
    return [(name, folded(value)) for name, value in spec.natural_key(content)]


def planning_keys(spec: WriteSpec, job: Job, *, by_name: bool) -> list[object]:
    """Return keys of a record. Another record with one of them is planned after this one is written.

    `by_name` says that records are looked up by name before they are created.
    """
    found: list[object] = [job.key]
    if job.id:
        found.append(("", job.id))
    return found + compared_names(spec, job.sent) if by_name else found


def locked_keys(spec: WriteSpec, ops: list[WriteOp], log: WriteLog) -> frozenset[object]:
    """Return the keys that a request locks: no other request in flight may have one of them.

    Only batches are sent at the same time: creates in the object's own list, and updates without a new name. The order
    matters if one record gives up a name that another one takes, and if Xero numbers records in their order: such
    requests are `ALONE`.
    """
    for op in ops:
        if _needs_order(spec, op):
            return ALONE
    changed = {op.job.key: op.names(spec) for op in ops if op.action != "create"}
    if changed and not log.has_names(spec.name, changed):
        return ALONE
    return frozenset(key for op in ops for key in _locked_keys(spec, op))


def _locked_keys(spec: WriteSpec, op: WriteOp) -> list[object]:
    """Return the keys that an operation locks."""
    body = op.body
    keys: list[object] = [op.job.key]
    keys += [("", one) for one in (op.job.id, op.entry.xero_id) if one]
    keys += [(name, folded(value)) for name, value in op.names(spec)]
    contact = body.get("Contact")
    if isinstance(contact, dict) and "Name" in contact:
        # The first document that names a new contact creates it.
        keys.append(("Contact", contact["Name"].casefold()))
    for part in (body, *body["Payments"]) if body.get("Payments") else (body,):
        for name in part.keys() & _PAID:
            if isinstance(part[name], dict):
                keys.append((name, *part[name].values()))
    return keys


def _needs_order(spec: WriteSpec, op: WriteOp) -> bool:
    """Tell whether an operation must be sent alone."""
    if op.endpoint.size == 1 or op.path != spec.path or op.action == "remove":
        return True
    if op.action != "create":
        return spec.unique_when is not None and spec.unique_when[0] not in op.body
    if not spec.document or not spec.natural_keys or op.names(spec):
        return False
    # Xero numbers this document, unless it is of a kind that is numbered by others.
    return bool(spec.natural_key({spec.natural_keys[0]: "?", **op.body}))


# Operations in flight in the log of writes


class KeptOp(msgspec.Struct):
    """What `revived` needs of an operation besides its request; the content of the job is cut to its names."""

    job: Job
    xero_id: str | None
    status: str
    after: bool
    owner: str | None
    lines: list[str | None]


def kept(spec: WriteSpec, op: WriteOp) -> KeptOp:
    """Return an operation for the log of writes."""
    job = op.job
    told = replace(job, sent={name: job.sent[name] for name in spec.kept_in_flight if name in job.sent})
    after = bool(op.after) or op.again
    return KeptOp(told, op.entry.xero_id, op.status, after, op.owner, op.lines)


def revived(spec: WriteSpec, pending: PendingWrite, entry: LogEntry | None) -> WriteOp:
    """Return the operation that an earlier run has left in flight."""
    told = pending.job
    entry = entry or LogEntry()
    endpoint = spec.remove if pending.action == "remove" and spec.remove else spec.update or spec.create
    endpoint = (spec.create if pending.action == "create" else endpoint) or Endpoint("", "")
    return WriteOp(
        job=msgspec.convert(told["job"], Job),
        action=pending.action,
        endpoint=endpoint,
        path=pending.path,
        body=pending.body,
        entry=replace(entry, xero_id=entry.xero_id or told["xero_id"]),
        hash=pending.hash,
        status=told["status"],
        after=("",) if told["after"] else (),
        owner=told["owner"],
        lines=told["lines"],
    )
