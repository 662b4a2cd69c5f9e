"""Twenty and more organisations in one run: concurrent, independent, and with a cost linear in their number."""

from __future__ import annotations

import json
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from singer_sdk.streams._state import StreamStateManager

from tap_xero.message_writer import BlockWriter
from tap_xero.reads.paging import Chunk
from tap_xero.reads.prefetch import Prefetch, threads_for
from tap_xero.run import MANY
from tap_xero.state import writer as states
from tap_xero.state.writer import OrganisationStates, SparingStateWriter
from tap_xero.streams.stream import XeroStream
from xero_sandbox import AdminClient

from . import runs
from .company import contact, dated, organisation
from .runs import Run, command, last_state, read
from .test_command import only

TENANTS = [f"99999999-0000-4000-8000-{number:012}" for number in range(20)]
BROKEN = TENANTS[7]


def name_of(tenant_id: str) -> str:
    return f"Branch {int(tenant_id[-4:]):02}"


def key(tenant_id: str, number: int) -> str:
    """The id of a record, different for each organisation."""
    return str(uuid.uuid5(uuid.UUID(tenant_id), str(number)))


def branch(tenant_id: str) -> dict[str, list[dict[str, Any]]]:
    """An organisation with a few records; organisations with higher numbers have more and newer ones."""
    number = int(tenant_id[-4:])
    contacts = [
        contact(n, 100 * number + n, ContactID=key(tenant_id, n), Name=f"{name_of(tenant_id)} {n}")
        for n in range(1, 3 + number % 5)
    ]
    return {
        "Organisation": [organisation(tenant_id, name_of(tenant_id))],
        "Contacts": contacts,
        "Items": [dated("t", "ItemID", 1, Code="ITEM-1", Name="Item 1")],
        "TaxRates": [{"TaxType": "OUTPUT2", "Name": "15% GST", "Status": "ACTIVE"}],
    }


@pytest.fixture
def twenty(web: dict[str, Any], admin: AdminClient) -> dict[str, Any]:
    """Settings for twenty organisations."""
    for tenant_id in TENANTS:
        admin.add_organisation(name_of(tenant_id), branch(tenant_id), tenant_id=tenant_id)
    tokens = admin.consent(tenants=TENANTS)
    admin.forget_calls()
    return {**web, "refresh_token": tokens["refresh_token"], "tenant_ids": TENANTS}


def contacts_of(tenant_id: str) -> list[str]:
    return [record["ContactID"] for record in branch(tenant_id)["Contacts"]]


def by_tenant(run: Run, stream: str) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for record in run.records[stream]:
        found.setdefault(record["tenant_id"], []).append(record.get("ContactID"))
    return found


# One of them is broken


@pytest.mark.parametrize("how", ["cut off before the run", "cut off in mid-run"])
def test_of_twenty_organisations_nineteen_are_read_and_the_broken_one_is_named(
    twenty: dict[str, Any], admin: AdminClient, tmp_path: Path, how: str
) -> None:
    if how == "cut off before the run":
        admin.disconnect(BROKEN)
        name = BROKEN
    else:
        forbidden = '{"Title": "Forbidden", "Status": 403, "Detail": "AuthenticationUnsuccessful"}'
        admin.fault("status", status=403, body=forbidden, tenant=BROKEN, after=1, count=0)
        name = name_of(BROKEN)
    catalog = only(tmp_path, "contacts", "items", "tax_rates")
    done = command("--catalog", catalog, config=twenty, at=tmp_path)
    assert done.code == 1
    records = [message for message in done.messages if message["type"] == "RECORD"]
    whole = {m["record"]["tenant_id"] for m in records if m["stream"] == "tax_rates"}
    assert whole == set(TENANTS) - {BROKEN}
    for tenant_id in whole:
        got = [
            m["record"]["ContactID"]
            for m in records
            if m["record"]["tenant_id"] == tenant_id and "ContactID" in m["record"]
        ]
        assert got == contacts_of(tenant_id)
    complaints = [line for line in done.errors if name in line]
    assert "Not complete" in complaints[-1]
    assert "xero-login" in complaints[-1]
    assert not [line for line in done.errors if name not in line]
    marked = {
        part["context"]["tenant_id"]: part.get("replication_key_value")
        for part in last_state(done.messages)["bookmarks"]["items"]["partitions"]
    }
    assert set(marked) >= set(TENANTS) - {BROKEN}
    for tenant_id in TENANTS:
        if tenant_id != BROKEN:
            assert f"{name_of(tenant_id)}: 3 calls" in done.err


def test_each_of_twenty_continues_from_its_bookmark(twenty: dict[str, Any], admin: AdminClient) -> None:
    first = read(twenty, "contacts", "items")
    assert by_tenant(first, "contacts") == {tenant_id: contacts_of(tenant_id) for tenant_id in TENANTS}
    bookmarks = {tenant_id: first.bookmark("contacts", tenant_id) for tenant_id in TENANTS}
    assert len(set(bookmarks.values())) == 20
    changed = {TENANTS[3]: key(TENANTS[3], 1), TENANTS[19]: key(TENANTS[19], 2)}
    for tenant_id, contact_id in changed.items():
        admin.edit("Contacts", contact_id, tenant=tenant_id)
    second = read(twenty, "contacts", "items", state=first.state)
    assert by_tenant(second, "contacts") == {tenant_id: [one] for tenant_id, one in changed.items()}
    for tenant_id in set(TENANTS) - changed.keys():
        assert second.bookmark("contacts", tenant_id) == bookmarks[tenant_id]


def test_an_organisation_that_was_disconnected_catches_up_when_it_is_back(
    twenty: dict[str, Any], admin: AdminClient
) -> None:
    first = read(twenty, "contacts")
    for tenant_id in (BROKEN, TENANTS[8]):
        admin.edit("Contacts", key(tenant_id, 1), tenant=tenant_id)
    admin.disconnect(BROKEN)
    second = read(twenty, "contacts", state=first.state)
    assert by_tenant(second, "contacts") == {TENANTS[8]: [key(TENANTS[8], 1)]}
    assert set(second.failed) == {("contacts", BROKEN)}
    admin.consent(tenants=[BROKEN])
    third = read(twenty, "contacts", state=second.state)
    assert by_tenant(third, "contacts") == {BROKEN: [key(BROKEN, 1)]}


# Side by side


def test_many_organisations_are_read_concurrently_each_with_at_most_five_calls(
    twenty: dict[str, Any], admin: AdminClient
) -> None:
    admin.limits(enabled=True, start_afresh=True)
    held = admin.fault("hold", path="Contacts", count=0)
    with ThreadPoolExecutor() as pool:
        running = pool.submit(read, twenty, "contacts", "items", "tax_rates")
        # All of them have been asked before the first has answered.
        admin.wait(held, hits=20)
        admin.release(held)
        run = running.result()
    assert run.failed == {}
    assert {call["tenant"] for call in admin.calls("Contacts")} == set(TENANTS)
    counted = admin.counters()["tenants"]
    assert all(1 <= counted[tenant_id]["most_in_flight"] <= 5 for tenant_id in TENANTS)
    assert not [call for call in admin.calls() if call["status"] == 429]


def test_more_organisations_have_more_concurrent_calls(twenty: dict[str, Any], admin: AdminClient) -> None:
    more = [f"99999999-0000-4000-8000-{number:012}" for number in range(20, 30)]
    for tenant_id in more:
        admin.add_organisation(name_of(tenant_id), branch(tenant_id), tenant_id=tenant_id)
    admin.consent(tenants=more)
    held = admin.fault("hold", path="Contacts", count=0)
    with ThreadPoolExecutor() as pool:
        running = pool.submit(read, {**twenty, "tenant_ids": [*TENANTS, *more]}, "contacts")
        admin.wait(held, hits=30)
        admin.release(held)
        assert running.result().failed == {}
    assert [threads_for(number) for number in (1, 4, 30, 3000)] == [8, 32, 60, 60]


def test_the_minute_limit_of_one_organisation_delays_its_own_calls_only(
    twenty: dict[str, Any], admin: AdminClient
) -> None:
    """Each has its own limit of sixty: the nineteen others finish without waiting."""
    for number in range(100, 240):
        admin.put("Contacts", contact(number, 5000 + number), tenant=TENANTS[0])
    admin.limits(enabled=True, start_afresh=True)
    run = read({**twenty, "page_size": 2}, "contacts")
    assert len(by_tenant(run, "contacts")[TENANTS[0]]) == 142
    waited = {tenant_id: run.tap.run.client.usage(tenant_id).waited for tenant_id in TENANTS}
    assert waited.pop(TENANTS[0]) > 0
    assert set(waited.values()) == {0.0}
    assert not [call for call in admin.calls() if call["status"] == 429]


def test_lists_are_started_as_earlier_ones_are_consumed() -> None:
    """Thousands of organisations make tens of thousands of lists."""
    begun: list[int] = []

    def lists() -> Iterator[Any]:
        for number in range(100):
            begun.append(number)
            yield number, lambda at_once, number=number: iter([Chunk([], size=number)])

    reading = Prefetch(lists(), threads=2, lanes=10)
    try:
        assert len(begun) == 10
        for number in range(100):
            assert [chunk.size for chunk in reading.consume(number)] == [number]
            assert len(begun) <= number + 11
        assert begun == list(range(100))
        assert 100 not in reading
    finally:
        reading.close()


# Costs


def test_finding_a_bookmark_takes_no_more_time_with_more_organisations(
    twenty: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK compares the contexts of all partitions each time; the tap does not use its search."""
    first = read(twenty, "contacts")

    def search(*_: Any) -> None:
        raise AssertionError("searched through all partitions")

    monkeypatch.setattr("singer_sdk.helpers._state._find_in_partitions_list", search)
    second = read(twenty, "contacts", state=first.state)
    assert second.state == first.state


def steps_of(run: Callable[[], Run]) -> tuple[int, Run]:
    """The number of Python's instructions of a run in this thread, which emits the records.

    Instructions that wait for the other threads are not counted, because they depend on the load of the
    machine.
    """
    steps = 0

    def count(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal steps
        if threading.__file__ in {frame.f_code.co_filename, frame.f_back and frame.f_back.f_code.co_filename}:
            return None
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        steps += event == "opcode"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        done = run()
    finally:
        sys.settrace(before)
    return steps, done


SIZES = (MANY + 10, MANY + 40, MANY + 100)
"""Numbers of organisations, all of them large enough for the short log."""


@pytest.fixture
def many(web: dict[str, Any], admin: AdminClient) -> dict[int, dict[str, Any]]:
    """Settings for this number of organisations."""
    tenants = [f"99999999-0000-4000-8000-{number:012}" for number in range(SIZES[-1])]
    for tenant_id in tenants:
        admin.add_organisation(name_of(tenant_id), branch(tenant_id), tenant_id=tenant_id)
    config = {
        **web,
        "refresh_token": admin.consent(tenants=tenants)["refresh_token"],
        "report_start_date": "2026-11-01",
        "report_end_date": "2026-11-20",
    }
    return {size: {**config, "tenant_ids": tenants[:size]} for size in SIZES}


def growth(many: dict[int, dict[str, Any]], *streams: str, again: bool) -> float:
    """The ratio of the cost of an organisation among many to that among half as many: 1 if there is no
    difference.

    `again`: in a second run, which has bookmarks and no changes.
    """
    read(many[SIZES[0]], *streams)  # values that a process makes only once are made here
    steps = []
    for config in many.values():
        state = read(config, *streams).state if again else None
        took, done = steps_of(lambda config=config, state=state: read(config, *streams, state=state))
        assert done.failed == {}
        steps.append(took)
    few, some, all_of_them = steps
    return (all_of_them - some) / (SIZES[2] - SIZES[1]) / ((some - few) / (SIZES[1] - SIZES[0]))


@pytest.mark.parametrize("again", [False, True], ids=["first", "again"])
@pytest.mark.parametrize("streams", [("contacts", "items", "tax_rates"), ("report_bank_summary",)], ids=str)
def test_an_organisation_costs_the_same_among_many(
    many: dict[int, dict[str, Any]], streams: tuple[str, ...], again: bool
) -> None:
    """Instructions are counted, copies of states included."""
    assert growth(many, *streams, again=again) < 1.1


def test_the_sdks_own_search_would_make_each_organisation_more_expensive(
    many: dict[int, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The measurement above notices a search that grows with the number of organisations."""
    monkeypatch.setattr(OrganisationStates, "get_context_state", StreamStateManager.get_context_state)
    assert growth(many, "contacts", again=True) > 1.3


@pytest.mark.parametrize("again", [False, True], ids=["first", "again"])
def test_the_size_of_all_states_grows_linearly_with_the_organisations(
    many: dict[int, dict[str, Any]], monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    monkeypatch.setattr(states, "SHORT", 2000)
    monkeypatch.setattr(runs, "Recorder", Kept)
    lengths = []
    for config in many.values():
        state = read(config, "contacts", "items").state if again else None
        run = read(config, "contacts", "items", state=state)
        lengths.append(sum(len(line) for line in run.lines if line.startswith(b'{"type":"STATE"')))
    assert lengths[2] / SIZES[2] < 1.3 * lengths[1] / SIZES[1]


def test_a_state_that_names_an_organisation_twice_is_refused(twenty: dict[str, Any]) -> None:
    state = read(twenty, "contacts").state
    parts = state["bookmarks"]["contacts"]["partitions"]
    with pytest.raises(Exception, match="twice"):
        read(twenty, "contacts", state={"bookmarks": {"contacts": {"partitions": [*parts, parts[0]]}}})


def test_with_many_organisations_lists_without_changes_are_not_logged(
    twenty: dict[str, Any], admin: AdminClient
) -> None:
    state = read(twenty, "contacts").state
    few = read({**twenty, "tenant_ids": TENANTS[:3]}, "contacts", state=state)
    assert sum("0 rows" in line for line in few.said()) == 3
    more = admin.add_organisation("Branch 20", branch(TENANTS[0]), tenant_id=str(uuid.uuid4()))
    admin.consent(tenants=[more])
    many = read({**twenty, "tenant_ids": [*TENANTS, more]}, "contacts", state=state)
    assert len(many.tap.run.organisations) > MANY
    assert [line for line in many.said() if "rows" in line] == ["contacts of Branch 20: 2 rows (1 call)"]


class Kept(BlockWriter):
    """The tap's own writer, which also stores its lines."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[bytes] = []

    def flush(self) -> None:
        self.lines.extend(bytes(self._block).splitlines(keepends=True))
        self._gone += len(self._block)
        self._block.clear()


def test_long_states_take_no_more_space_than_the_records(
    twenty: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A STATE is requested after every record, and nothing is lost at the end."""
    monkeypatch.setattr(XeroStream, "STATE_MSG_FREQUENCY", 1)
    wanted = read(twenty, "contacts", "items")
    monkeypatch.setattr(states, "SHORT", 500)
    monkeypatch.setattr(runs, "Recorder", Kept)
    run = read(twenty, "contacts", "items")
    lengths = dict.fromkeys(("SCHEMA", "RECORD", "STATE"), 0)
    for line, message in zip(run.lines, run.messages, strict=True):
        lengths[message["type"]] += len(line)
    assert run.messages[-1]["type"] == "STATE"
    assert run.state == wanted.state
    assert 3 < len(run.of("STATE")) < len(wanted.of("STATE")) / 2
    assert lengths["STATE"] <= lengths["SCHEMA"] + lengths["RECORD"] + 2 * len(run.lines[-1])


class Lines:
    """Another writer than the tap's own."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def write_message(self, message: Any) -> None:
        self.values.append(json.loads(json.dumps(message.to_dict()))["value"])


def test_an_unchanged_state_is_written_once() -> None:
    lines = Lines()
    writer = SparingStateWriter(lines)
    part = {"context": {"tenant_id": "a"}, "replication_key_value": 1}
    state = {"bookmarks": {"journals": {"partitions": [part]}}}
    writer.write_state(state)
    writer.write_state(state)
    part["replication_key_value"] = 2
    writer.write_state(state)
    writer.finish()
    kept = [
        value["bookmarks"]["journals"]["partitions"][0]["replication_key_value"] for value in lines.values
    ]
    assert kept == [1, 2]


def test_streams_without_a_bookmark_are_not_in_the_state() -> None:
    lines = Lines()
    part = {"context": {"tenant_id": "a"}, "replication_key_value": 1}
    partitions = [{"context": {"tenant_id": "b"}}, part]
    SparingStateWriter(lines).write_state({"bookmarks": {"users": {"partitions": partitions}, "x": {}}})
    assert lines.values == [{"bookmarks": {"users": {"partitions": [part]}, "x": {}}}]
    assert partitions[0] == {"context": {"tenant_id": "b"}}
