"""Lists are prefetched concurrently, which changes only the duration and not the output."""

from __future__ import annotations

import gzip
import logging
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from singer_xero.api.errors import NotConnected
from singer_xero.objects import OBJECTS
from tap_xero.reads.paging import Chunk
from tap_xero.reads.prefetch import NEAR, ROW, WINDOW, Prefetch
from tap_xero.records.reader import SHORT, Body, Page, RecordReader, Row, bodies_of
from tap_xero.run import Run
from xero_sandbox import AdminClient

from .company import HARBOUR, TIDE, guid
from .runs import Recorder, read

BOTH = {"tenant_ids": [HARBOUR, TIDE]}
STREAMS = [
    "accounts",
    "budgets",
    "contacts",
    "invoices",
    "items",
    "journals",
    "manual_journals",
    "quotes",
    "users",
]


def chunk(number: int, size: int = 1) -> Chunk:
    return Chunk([Row((number,), "", msgspec.Raw(b"{}"))], size=size)


def lists(*counts: int, size: int = 1) -> list[tuple[int, Callable[..., Iterator[Chunk]]]]:
    """Lists of this number of chunks each."""

    def reader(key: int, count: int) -> Callable[..., Iterator[Chunk]]:
        return lambda at_once: (chunk(100 * key + number, size) for number in range(count))

    return [(key, reader(key, count)) for key, count in enumerate(counts)]


def numbers(chunks: Iterator[Chunk]) -> list[int]:
    return [row.key[0] for one in chunks for row in one.rows]


def until(reading: Prefetch, reached: Callable[[], bool]) -> None:
    with reading._changed:
        assert reading._changed.wait_for(reached, 10)


def alive() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("prefetch")}


@pytest.fixture
def ahead() -> Iterator[Callable[..., Prefetch]]:
    """Makes them and closes them."""
    made: list[Prefetch] = []

    def make(*given: Any, **options: Any) -> Prefetch:
        made.append(Prefetch(*given, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()
    assert alive() == set()


# Prefetching alone


def test_every_list_is_complete_and_in_order(ahead: Callable[..., Prefetch]) -> None:
    reading = ahead(lists(5, 0, 3, 7), threads=2)
    got = [numbers(reading.consume(key)) for key in range(4)]
    assert got == [[0, 1, 2, 3, 4], [], [200, 201, 202], [300, 301, 302, 303, 304, 305, 306]]


def test_no_more_is_prefetched_than_the_spool_holds(ahead: Callable[..., Prefetch]) -> None:
    reading = ahead(lists(30, 30, 30, size=10), spool=100, due=40)
    assert [len(numbers(reading.consume(key))) for key in range(3)] == [30, 30, 30]
    assert 0 < reading.most <= 140


def test_a_chunk_larger_than_the_spool_arrives(ahead: Callable[..., Prefetch]) -> None:
    reading = ahead(lists(3, 3, size=1000), spool=100)
    assert [len(numbers(reading.consume(key))) for key in range(2)] == [3, 3]


def test_the_current_list_continues_when_later_ones_have_filled_the_spool(
    ahead: Callable[..., Prefetch],
) -> None:
    full, go = threading.Event(), threading.Event()

    def first(at_once: Any) -> Iterator[Chunk]:
        assert go.wait(10)
        yield from (chunk(number, 50) for number in range(10))

    def later(at_once: Any) -> Iterator[Chunk]:
        yield chunk(100, 90)
        full.set()
        yield chunk(101, 90)

    reading = ahead([(0, first), (1, later)], spool=100)
    assert full.wait(10)
    go.set()
    assert numbers(reading.consume(0)) == list(range(10))
    assert numbers(reading.consume(1)) == [100, 101]


def test_an_error_is_raised_after_the_rows_of_its_list_and_nowhere_else(
    ahead: Callable[..., Prefetch],
) -> None:
    def broken(at_once: Any) -> Iterator[Chunk]:
        yield chunk(1)
        raise NotConnected("gone")

    reading = ahead([(0, broken), *[(key + 1, read) for key, read in lists(2, 2)]])
    seen: list[int] = []
    with pytest.raises(NotConnected):
        seen.extend(row.key[0] for one in reading.consume(0) for row in one.rows)
    assert numbers(reading.consume(1)) == [0, 1]
    assert numbers(reading.consume(2)) == [100, 101]


def test_closing_ends_lists_that_nobody_consumes(ahead: Callable[..., Prefetch]) -> None:
    reading = Prefetch(lists(1000, 1000, 1000, size=10), spool=50)
    assert numbers(iter([next(reading.consume(0))])) == [0]
    reading.close()
    assert alive() == set()


def answer(number: int) -> Page:
    return Page([], size=number)


def paged(count: int, call: Callable[[int], Page] = answer) -> Callable[..., Iterator[Chunk]]:
    """A list of this number of pages, which are requested concurrently."""
    return lambda at_once: (chunk(page.size) for page in at_once(call, range(count)))


@pytest.mark.parametrize("count", [0, 1, WINDOW, WINDOW * 3 + 1])
def test_concurrent_calls_give_their_answers_in_order(ahead: Callable[..., Prefetch], count: int) -> None:
    reading = ahead([(0, paged(count)), (1, paged(count))])
    assert [numbers(reading.consume(key)) for key in (0, 1)] == [list(range(count))] * 2


def test_a_slow_consumer_gets_all_answers_within_the_bound_of_the_spool(
    ahead: Callable[..., Prefetch],
) -> None:
    asked: list[int] = []

    def call(number: int) -> Page:
        asked.append(number)
        return Page([], size=10)

    def read(at_once: Any) -> Iterator[Chunk]:
        return (chunk(number, page.size) for number, page in enumerate(at_once(call, range(100))))

    reading = ahead([(0, lists(1)[0][1]), (1, read)], due=40)
    assert numbers(reading.consume(0)) == [0]
    got = []
    for one in reading.consume(1):
        got += numbers(iter([one]))
        assert len(asked) <= len(got) + WINDOW + 40 // 10 + 1
    assert got == list(range(100))


def test_concurrent_calls_are_fewer_while_the_spool_is_full_and_none_is_skipped(
    ahead: Callable[..., Prefetch],
) -> None:
    lying = threading.Event()
    counts: list[int] = []

    def slow(at_once: Any) -> Iterator[Chunk]:
        def call(number: int) -> Page:
            counts.append(number)
            if number == 3:
                assert lying.wait(10)
            return Page([], size=number)

        for page in at_once(call, range(20)):
            yield chunk(page.size, 1)

    def large(at_once: Any) -> Iterator[Chunk]:
        yield chunk(100, 90)
        lying.set()

    reading = ahead([(0, lists(1)[0][1]), (1, slow), (2, large)], spool=100)
    assert numbers(reading.consume(0)) == [0]
    assert numbers(reading.consume(1)) == list(range(20))
    assert sorted(counts) == list(range(20))


def test_an_error_of_a_concurrent_call_ends_the_list(ahead: Callable[..., Prefetch]) -> None:
    def call(number: int) -> Page:
        if number == 2:
            raise NotConnected("gone")
        return Page([], size=number)

    reading = ahead([(0, paged(9, call))])
    got: list[int] = []
    with pytest.raises(NotConnected):
        got.extend(row.key[0] for one in reading.consume(0) for row in one.rows)
    assert got == [0, 1]


# Packed answers


def invoices_of(count: int, *, packed: bool) -> tuple[RecordReader, Page]:
    """A reader, and the answer with this number of invoices."""
    rows = [
        {"InvoiceID": guid("i", number), "Total": number, "UpdatedDateUTC": f"/Date({number}000+0000)/"}
        for number in range(count)
    ]
    content = msgspec.json.encode({"Id": guid("a", 1), "Padding": "x" * SHORT, "Invoices": rows})
    reader = RecordReader(OBJECTS["invoices"], logging.getLogger("tap-xero"))
    return reader, reader.page(content, "GET Invoices", gzip.compress(content) if packed else None)


@pytest.mark.parametrize("packed", [True, False])
def test_packed_rows_are_unchanged(packed: bool) -> None:
    reader, page = invoices_of(3, packed=packed)
    before = [(row.key, row.time, reader.record(row)) for row in page.rows]
    for _ in range(2):
        page.pack()
        (body,) = bodies_of(page.rows)
        assert body.is_packed
        assert body.held < page.size / 10
        assert [(row.key, row.time, reader.record(row)) for row in page.rows] == before
        assert not body.is_packed


def test_short_answers_are_not_packed() -> None:
    reader = RecordReader(OBJECTS["invoices"], logging.getLogger("tap-xero"))
    page = reader.page(b'{"Invoices":[{"InvoiceID":"a"}]}', "GET Invoices")
    page.pack()
    assert [body.is_packed for body in bodies_of(page.rows)] == [False]


@pytest.mark.parametrize("some", [slice(None), slice(1, 3), slice(None, None, -1)])
def test_chunks_for_later_are_packed_and_unpacked_unchanged(
    ahead: Callable[..., Prefetch], some: slice
) -> None:
    """This holds for a part of an answer as well, and in another order."""
    _, page = invoices_of(4, packed=True)
    rows = page.rows[some]
    wanted = [(row.key, row.time, bytes(row.raw)) for row in rows]

    def later(at_once: Any) -> Iterator[Chunk]:
        yield Chunk(rows, 7, page.size, proven=False)

    reading = ahead([(0, lists(1)[0][1]), (1, later)], unpacked=page.size - 1)
    until(reading, lambda: reading.most > 100)  # the chunk of the first list is one byte
    assert reading.most < page.size / 10 + 4 * ROW
    assert numbers(reading.consume(0)) == [0]
    (got,) = reading.consume(1)
    assert [(row.key, row.time, bytes(row.raw)) for row in got.rows] == wanted
    assert (got.remaining, got.proven) == (7, False)


@pytest.mark.parametrize(("unpacked", "again"), [(6 * SHORT + 6_000, 0), (3 * SHORT, 4)])
def test_an_answer_is_unpacked_once_while_few_bytes_are_waiting(
    ahead: Callable[..., Prefetch], unpacked: int, again: int
) -> None:
    """Each of the six answers takes a little more than SHORT; beyond the bound they are packed."""
    opened: list[int] = []
    found = RecordReader._rows

    class Counting(RecordReader):
        def _rows(self, content: bytes, call: str, body: Body) -> tuple[list[Row], Any]:
            opened.append(len(content))
            return found(self, content, call, body)

    reader, pages, lying = Counting(OBJECTS["invoices"], logging.getLogger("tap-xero")), [], threading.Event()
    for _ in range(6):
        _, page = invoices_of(3, packed=True)
        content = zlib.decompress(page.body._packed, 31) if page.body and page.body._packed else b""
        pages.append(reader.page(content, "GET Invoices", page.body._packed if page.body else None))
    opened.clear()

    def later(at_once: Any) -> Iterator[Chunk]:
        yield from (Chunk(page.rows, None, page.size) for page in pages)
        lying.set()

    reading = ahead([(0, lists(1)[0][1]), (1, later)], unpacked=unpacked)
    assert lying.wait(10)
    assert [numbers(reading.consume(0)), len(list(reading.consume(1)))] == [[0], 6]
    assert len(opened) == again


def test_answers_of_a_later_list_are_requested_concurrently_if_there_is_room_for_them_compressed(
    ahead: Callable[..., Prefetch],
) -> None:
    """The first answer stays uncompressed, and takes ten times the bytes of those for which there is no such room."""
    _, first = invoices_of(4, packed=True)
    all_at_once = threading.Barrier(WINDOW)

    def call(number: int) -> Page:
        all_at_once.wait(10)
        return invoices_of(4, packed=True)[1]

    def later(at_once: Any) -> Iterator[Chunk]:
        yield Chunk(first.rows, None, first.size)
        for page in at_once(call, range(WINDOW)):
            yield Chunk(page.rows, None, page.size)

    reading = ahead([(0, lists(1)[0][1]), (1, later)], spool=6 * first.size, unpacked=first.size * 3 // 2)
    until(reading, lambda: len(reading._lanes[1].chunks) == WINDOW + 1)
    assert [numbers(reading.consume(0)), len(list(reading.consume(1)))] == [[0], WINDOW + 1]
    assert reading.most < 3 * first.size


def test_lists_far_from_their_turn_leave_most_of_the_spool_to_the_next_ones(
    ahead: Callable[..., Prefetch],
) -> None:
    reading = ahead(lists(1, *[30] * (NEAR + 2), size=10), spool=400)
    assert numbers(reading.consume(0)) == [0]
    until(reading, lambda: reading._lying == 400)
    ready = [len(reading._lanes[key].chunks) for key in range(1, NEAR + 3)]
    assert sum(ready[NEAR:]) <= 10
    assert [len(numbers(reading.consume(key))) for key in range(1, NEAR + 3)] == [30] * (NEAR + 2)


# In a run


def said(config: dict[str, Any], *streams: str) -> list[Any]:
    """The output of a run, without intermediate states and the times of records."""
    run = read(config, *streams)
    told = {"time_extracted", "version"}
    messages = [
        {name: value for name, value in message.items() if name not in told}
        for message in run.messages
        if message["type"] != "STATE"
    ]
    return [
        *messages,
        {stream: run.bookmark(stream, tenant) for stream in streams for tenant in (HARBOUR, TIDE)},
    ]


def test_the_output_is_that_of_reading_one_list_after_another(
    web: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {**web, **BOTH, "page_size": 2}
    side_by_side = said(settings, *STREAMS)

    monkeypatch.setattr(Run, "begin", lambda *_: None)
    assert said(settings, *STREAMS) == side_by_side


def test_an_organisation_has_five_concurrent_calls_and_never_a_sixth(
    config: dict[str, Any], admin: AdminClient
) -> None:
    admin.limits(enabled=True, start_afresh=True)
    held = admin.fault("hold", tenant=HARBOUR, path="[!O]*", count=0)

    def watch() -> int:
        admin.wait(held, hits=5)
        waiting = len([call for call in admin.calls() if call["status"] is None])
        admin.clear_faults()
        return waiting

    with ThreadPoolExecutor() as pool:
        watching = pool.submit(watch)
        run = read(config, *STREAMS)
        assert watching.result() == 5
    assert run.failed == {}
    assert admin.counters()["tenants"][HARBOUR]["most_in_flight"] == 5
    assert 429 not in {call["status"] for call in admin.calls()}


def test_two_organisations_are_read_concurrently(web: dict[str, Any], admin: AdminClient) -> None:
    held = admin.fault("hold", path="Contacts", count=2)

    def watch() -> set[str]:
        admin.wait(held, hits=2)
        waiting = {
            call["headers"]["Xero-Tenant-Id"] for call in admin.calls("Contacts") if call["status"] is None
        }
        admin.release(held)
        return waiting

    with ThreadPoolExecutor() as pool:
        watching = pool.submit(watch)
        run = read({**web, **BOTH}, "contacts")
        assert watching.result() == {HARBOUR, TIDE}
    assert len(run.records["contacts"]) == 10


def test_messages_are_written_by_one_thread(web: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    writers: set[int] = set()
    plain = Recorder.write_message

    def write(self: Recorder, message: Any) -> None:
        writers.add(threading.get_ident())
        plain(self, message)

    monkeypatch.setattr(Recorder, "write_message", write)
    read({**web, **BOTH}, *STREAMS)
    assert writers == {threading.get_ident()}


def test_a_run_leaves_no_thread_behind(config: dict[str, Any], admin: AdminClient) -> None:
    read(config, *STREAMS)
    assert alive() == set()
    admin.fault(
        "status", path="Accounts", status=401, body='{"Detail": "AuthenticationUnsuccessful"}', count=0
    )
    with pytest.raises(NotConnected):
        read(config, *STREAMS)
    assert alive() == set()


def test_a_single_record_at_a_time_is_read_for_a_test_of_the_connection(
    config: dict[str, Any], admin: AdminClient
) -> None:
    from tap_xero.tap import TapXero

    tap = TapXero(config=config, message_writer=Recorder())
    try:
        tap.run_connection_test()
    finally:
        tap.close()
    assert alive() == set()
    assert len(admin.calls("/Journals")) == 1
    assert len([call for call in admin.calls() if "/ContactGroups/" in call["path"]]) <= 3


def test_changes_during_prefetching_are_read_by_the_next_run(
    config: dict[str, Any], admin: AdminClient
) -> None:
    """Quotes are fetched while accounts are emitted; their bookmark is that of the fetched rows."""
    admin.fault("edit", path="ManualJournals", resource="ManualJournals", id=guid("m", 1))
    first = read(config, "accounts", "manual_journals")
    second = read(config, "accounts", "manual_journals", state=first.state)
    assert second.ids("manual_journals") == [guid("m", 1)]
