"""Writes, in a demo company only, with a clean-up: Xero's documented and actual behaviour."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from singer_xero.api.errors import Refused

from .conftest import Note
from .place import MARK, Place, Undo

ONE_BY_ONE = {"summarizeErrors": False, "unitdp": "4"}


def send(
    place: Place, path: str, *records: dict[str, Any], verb: str = "POST", key: str | None = None
) -> list[Any]:
    """Write records; returns Xero's answer to each."""
    answer = place.client.send(
        verb, place.tenant_id, path, params=ONE_BY_ONE, body={path: records}, idempotency_key=key
    )
    found: list[Any] = answer.json()[path]
    return found


def contact(place: Place, undo: Undo) -> dict[str, Any]:
    """A new contact, which is archived afterwards, because Xero deletes no contacts."""
    name = f"{MARK} {uuid.uuid4()}"
    made: dict[str, Any] = send(place, "Contacts", {"Name": name})[0]
    undo(lambda: send(place, "Contacts", {"ContactID": made["ContactID"], "ContactStatus": "ARCHIVED"}))
    return made


def test_a_contact_is_created_changed_and_archived(place: Place, undo: Undo) -> None:
    made = contact(place, undo)
    changed = send(place, "Contacts", {"ContactID": made["ContactID"], "FirstName": "Ana"})[0]
    assert (changed["ContactID"], changed["FirstName"], changed["Name"]) == (
        made["ContactID"],
        "Ana",
        made["Name"],
    )


def test_the_same_key_and_body_write_once(place: Place, undo: Undo, note: Note) -> None:
    name, key = f"{MARK} {uuid.uuid4()}", str(uuid.uuid4())
    made = [send(place, "Contacts", {"Name": name}, verb="PUT", key=key)[0] for _ in range(2)]
    undo(lambda: send(place, "Contacts", {"ContactID": made[0]["ContactID"], "ContactStatus": "ARCHIVED"}))
    assert made[0]["ContactID"] == made[1]["ContactID"]
    note("the answer to a repeated key is the first one", made[0] == made[1])


def test_the_same_key_with_another_body_is_refused(place: Place, undo: Undo, note: Note) -> None:
    key = str(uuid.uuid4())
    made = send(place, "Contacts", {"Name": f"{MARK} {uuid.uuid4()}"}, verb="PUT", key=key)[0]
    undo(lambda: send(place, "Contacts", {"ContactID": made["ContactID"], "ContactStatus": "ARCHIVED"}))
    with pytest.raises(Refused) as caught:
        send(place, "Contacts", {"Name": f"{MARK} {uuid.uuid4()}"}, verb="PUT", key=key)
    note("status of a key with another body", caught.value.status)


def test_one_invalid_record_does_not_affect_valid_ones(place: Place, undo: Undo) -> None:
    maker = contact(place, undo)
    line = {"Description": MARK, "Quantity": "1", "UnitAmount": "0.1234"}
    good = {
        "Type": "ACCREC",
        "Contact": {"ContactID": maker["ContactID"]},
        "Status": "DRAFT",
        "LineItems": [line],
    }
    written = send(place, "Invoices", good, {**good, "Type": "NONSENSE"})
    undo(lambda: send(place, "Invoices", {"InvoiceID": written[0]["InvoiceID"], "Status": "DELETED"}))
    assert [one.get("StatusAttributeString") for one in written] == ["OK", "ERROR"]
    assert written[1]["ValidationErrors"]
    assert str(written[0]["LineItems"][0]["UnitAmount"]) == "0.1234"


def test_the_target_writes_a_contact_once_and_then_only_its_changes(place: Place, undo: Undo) -> None:
    name = f"{MARK} {uuid.uuid4()}"
    schema = {
        "type": "SCHEMA",
        "stream": "contacts",
        "schema": {"properties": {}},
        "key_properties": ["ContactNumber"],
    }
    first = {"ContactNumber": name[-36:], "Name": name, "FirstName": "Ana"}

    def archive() -> None:
        for one in found():
            send(place, "Contacts", {"ContactID": one["ContactID"], "ContactStatus": "ARCHIVED"})

    def found() -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = place.get("Contacts", params={"page": 1, "where": f'Name=="{name}"'})[
            "Contacts"
        ]
        return rows

    undo(archive)
    times = []
    for values in (first, first, {**first, "FirstName": "Anahera"}):
        run = place.target(schema, {"type": "RECORD", "stream": "contacts", "record": values})
        assert run.code == 0, run.log
        (contact,) = found()
        assert contact["FirstName"] == values["FirstName"]
        times.append(contact["UpdatedDateUTC"])
    assert times[0] == times[1] != times[2]
