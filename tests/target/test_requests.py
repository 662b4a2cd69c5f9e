"""Requests: which records are sent together, under which key, and what they lock for other requests."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from target_xero.content.json_text import encode
from target_xero.write_log.in_flight import PendingWrite
from target_xero.write_log.log import LogEntry
from target_xero.write_specs.rows import WRITE_SPECS
from target_xero.writing.requests import (
    ALONE,
    batches,
    grouped,
    idempotency_key,
    kept,
    locked_keys,
    request_body,
    request_params,
    revived,
)

from .conftest import Wiring, decode
from .parts import CONTACTS, create, parts

INVOICES, ACCOUNTS = WRITE_SPECS["invoices"], WRITE_SPECS["accounts"]


def test_a_batch_has_a_maximum_of_records_in_their_order():
    ops = [create(CONTACTS, str(n), Name=f"N{n}") for n in range(7)]
    assert [[op.body["Name"] for op in batch] for batch in batches(ops, 3)] == [
        ["N0", "N1", "N2"], ["N3", "N4", "N5"], ["N6"],
    ]  # fmt: skip


def test_a_batch_stays_below_the_bytes_that_xero_accepts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("target_xero.writing.requests.MOST_BYTES", 100)
    ops = [create(CONTACTS, str(n), Name="x" * 30) for n in range(4)]
    ops.insert(2, create(CONTACTS, "large", Name="y" * 200))
    assert [len(batch) for batch in batches(ops, 50)] == [2, 1, 2]


def test_operations_are_grouped_by_method_and_path():
    made, changed = create(CONTACTS, "1", Name="A"), create(CONTACTS, "2", Name="B")
    assert CONTACTS.update is not None
    changed = replace(changed, action="update", endpoint=CONTACTS.update)
    assert grouped([made, changed, made]) == [[made, made], [changed]]


def test_a_body_is_in_the_envelope_or_bare_or_empty():
    assert ACCOUNTS.create is not None and ACCOUNTS.remove is not None and CONTACTS.create is not None
    assert request_body(CONTACTS, CONTACTS.create, [b"1", b"2"]) == b'{"Contacts":[1,2]}'
    assert request_body(ACCOUNTS, ACCOUNTS.create, [b"1"]) == b"1"
    assert request_body(ACCOUNTS, ACCOUNTS.remove, [b"1"]) is None


def test_only_batches_with_an_answer_for_each_record_ask_for_one():
    assert INVOICES.create is not None and ACCOUNTS.create is not None
    given = {"summarizeErrors": "false", "unitdp": "4"}
    assert request_params(INVOICES, INVOICES.create, is_copy=False) == given
    assert request_params(INVOICES, INVOICES.create, is_copy=True) == {**given, "allowBackorders": "true"}
    assert request_params(ACCOUNTS, ACCOUNTS.create, is_copy=False) == {}


def test_the_same_request_has_the_same_key_until_it_is_answered():
    one = create(CONTACTS, "1", Name="A")
    key = idempotency_key("tenant", [one], one.data)
    assert idempotency_key("tenant", [create(CONTACTS, "1", Name="A")], one.data) == key
    answered = replace(one, entry=LogEntry(attempts=1))
    others = {
        idempotency_key("other", [one], one.data),
        idempotency_key("tenant", [one], one.data + b" "),
        idempotency_key("tenant", [answered], one.data),
        idempotency_key("tenant", [one, one], one.data),
    }
    assert len(others | {key}) == 5


def test_creates_lock_their_names_and_ids_and_leave_all_others_free(wiring: Wiring):
    with parts(wiring) as built:
        keys = locked_keys(CONTACTS, [create(CONTACTS, "1", Name=" Abel  Ltd")], built.log)
        assert ("Name", "abel ltd") in keys
        assert keys.isdisjoint(locked_keys(CONTACTS, [create(CONTACTS, "2", Name="Bert")], built.log))
        again = locked_keys(CONTACTS, [create(CONTACTS, "3", Name="ABEL LTD")], built.log)
        assert keys & again


def test_operations_that_depend_on_order_are_sent_alone(wiring: Wiring):
    named = create(CONTACTS, "1", Name="Abel")
    assert CONTACTS.update is not None and ACCOUNTS.create is not None
    renamed = replace(named, action="update", endpoint=CONTACTS.update)
    numbered_by_xero = create(INVOICES, "1", Type="ACCREC")
    with parts(wiring) as built:
        assert locked_keys(CONTACTS, [renamed], built.log) is ALONE
        assert locked_keys(INVOICES, [numbered_by_xero], built.log) is ALONE
        assert locked_keys(ACCOUNTS, [create(ACCOUNTS, "1", Name="A")], built.log) is ALONE
        assert locked_keys(INVOICES, [create(INVOICES, "1", Type="ACCPAY")], built.log) is not ALONE


def test_an_operation_in_flight_is_restored_from_the_log():
    one = replace(create(CONTACTS, "1", Name="A"), status="ACTIVE", after=("ARCHIVED",), owner="X/1")
    pending = PendingWrite(
        "contacts",
        one.job.key,
        "request",
        "create",
        one.path,
        one.hash,
        one.body,
        decode(encode(kept(CONTACTS, one))),
        "now",
    )
    found = revived(CONTACTS, pending, LogEntry(attempts=2))
    assert (found.job, found.body, found.endpoint) == (one.job, one.body, CONTACTS.create)
    assert (found.status, bool(found.after), found.owner, found.entry.attempts) == ("ACTIVE", True, "X/1", 2)
