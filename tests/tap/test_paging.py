"""Every page of every list is read, for every kind of paging, while people edit records."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from singer_xero.api import dates
from xero_sandbox import AdminClient

from .company import FIRST_JOURNAL, START, at, contact, guid, ticks
from .runs import Run, read

NEW = {"ContactID": guid("c", 99), "Name": "Somebody new"}


def contacts(config: dict[str, Any], page_size: int, **more: Any) -> Run:
    return read({**config, "page_size": page_size}, "contacts", **more)


def final(admin: AdminClient) -> dict[str, str]:
    """Each contact and its time of change, as they are in Xero now."""
    return {one["ContactID"]: dates.instant(one["UpdatedDateUTC"]) for one in admin.records("Contacts")}


def versions(*runs: Run) -> list[tuple[str, str]]:
    return [(one["ContactID"], one["UpdatedDateUTC"]) for run in runs for one in run.records["contacts"]]


def assert_whole(admin: AdminClient, first: Run, config: dict[str, Any], page_size: int) -> None:
    """Nothing is lost or repeated: the second run reads what the first one left."""
    second = contacts(config, page_size, state=first.state)
    seen = versions(first, second)
    assert set(final(admin).items()) <= set(seen)
    assert len(seen) == len(set(seen))


# Pages


@pytest.mark.parametrize("page_size", [1, 2, 3, 6, 7, 8, 1000])
def test_every_page_is_read_and_every_row_once(config: dict[str, Any], page_size: int) -> None:
    run = contacts(config, page_size)
    assert run.ids("contacts") == [guid("c", n) for n in range(1, 8)]


def test_a_page_is_requested_with_its_size_and_in_the_order_of_change(
    config: dict[str, Any], admin: AdminClient
) -> None:
    contacts(config, 3)
    first = admin.calls("Contacts")[0]["query"]
    assert first == {"page": "1", "pageSize": "3", "order": "UpdatedDateUTC ASC", "includeArchived": "true"}


def test_a_page_has_a_thousand_rows_by_default(config: dict[str, Any], admin: AdminClient) -> None:
    read(config, "invoices")
    assert admin.calls("Invoices")[0]["query"]["pageSize"] == "1000"


def test_manual_journals_are_requested_without_an_order(config: dict[str, Any], admin: AdminClient) -> None:
    """With `order`, Xero answered without pages (singer-io/tap-xero, pull request 104)."""
    run = read({**config, "page_size": 3}, "manual_journals")
    assert run.ids("manual_journals") == [guid("m", n) for n in range(1, 5)]
    assert all("order" not in call["query"] for call in admin.calls("ManualJournals"))


def test_pages_of_quotes_have_a_hundred_rows_whatever_the_page_size(
    config: dict[str, Any], admin: AdminClient
) -> None:
    run = read({**config, "page_size": 7}, "quotes")
    assert run.ids("quotes") == [guid("q", n) for n in range(1, 231)]
    assert all("pageSize" not in call["query"] for call in admin.calls("Quotes"))


def test_linked_transactions_have_a_second_page(config: dict[str, Any]) -> None:
    run = read(config, "linked_transactions")
    assert sorted(run.ids("linked_transactions")) == [guid("k", n) for n in range(1, 131)]


def test_an_unpaged_list_is_read_with_one_call(config: dict[str, Any], admin: AdminClient) -> None:
    run = read(config, "items")
    assert run.ids("items") == [guid("t", n) for n in range(1, 4)]
    assert len(admin.calls("Items")) == 1


def test_each_budget_and_each_contact_group_costs_a_call(config: dict[str, Any], admin: AdminClient) -> None:
    admin.edit("ContactGroups", guid("G", 2), Contacts=[{"ContactID": guid("c", 1)}])
    run = read(config, "budgets", "contact_groups")
    assert run.ids("budgets") == [guid("g", 1), guid("g", 2)]
    members = {one["ContactGroupID"]: one["Contacts"] for one in run.records["contact_groups"]}
    assert [one["ContactID"] for one in members[guid("G", 2)]] == [guid("c", 1)]
    assert len([call for call in admin.calls() if "/Budgets" in call["path"]]) == 3
    assert len([call for call in admin.calls() if "/ContactGroups" in call["path"]]) == 4


def test_a_contact_group_that_is_deleted_after_the_list_is_left_out(
    config: dict[str, Any], admin: AdminClient
) -> None:
    admin.fault(
        "status", path=f"ContactGroups/{guid('G', 2)}", status=404, body="gone", content_type="text/html"
    )
    run = read(config, "contact_groups")
    assert run.ids("contact_groups") == [guid("G", 1), guid("G", 3)]
    assert run.failed == {}


def test_a_page_with_fewer_rows_than_requested_is_not_mistaken_for_the_last(
    config: dict[str, Any], admin: AdminClient
) -> None:
    """Xero gives the number of pages; a filter can make a page shorter."""
    page = {
        "DateTimeUTC": "/Date(1795165200000)/",
        "pagination": {"page": 1, "pageSize": 3, "pageCount": 3, "itemCount": 7},
        "Contacts": [{"ContactID": guid("c", 1), "UpdatedDateUTC": f"/Date({ticks(at(10))}+0000)/"}],
    }
    admin.fault("status", path="Contacts", query={"page": "1"}, status=200, body=json.dumps(page))
    run = contacts(config, 3)
    assert {guid("c", n) for n in (1, 4, 5, 6, 7)} <= set(run.ids("contacts"))


def test_a_short_page_of_a_list_without_counts_is_the_last(
    config: dict[str, Any], admin: AdminClient
) -> None:
    read(config, "linked_transactions")
    pages = [call["query"]["page"] for call in admin.calls("LinkedTransactions")]
    assert set(pages) == {"1", "2"}


# Journals


def test_journals_are_requested_by_the_last_number_seen(config: dict[str, Any], admin: AdminClient) -> None:
    run = read(config, "journals")
    numbers = [one["JournalNumber"] for one in run.records["journals"]]
    assert numbers == list(range(FIRST_JOURNAL, FIRST_JOURNAL + 230))
    calls = admin.calls("Journals")
    assert calls[0]["query"] == {"offset": "0"}
    assert all("page" not in call["query"] and "If-Modified-Since" not in call["headers"] for call in calls)


def test_journals_with_gaps_in_their_numbers_are_all_read(config: dict[str, Any], admin: AdminClient) -> None:
    for journal in admin.records("Journals")[1::2]:
        admin.delete("Journals", journal["JournalID"])
    admin.put("Journals", {"JournalID": guid("j", 99_000), "JournalNumber": 99_000, "JournalLines": []})
    run = read(config, "journals")
    numbers = [one["JournalNumber"] for one in run.records["journals"]]
    assert numbers == [*range(FIRST_JOURNAL, FIRST_JOURNAL + 230, 2), 99_000]


def test_journals_start_at_the_first_whatever_start_date_is(config: dict[str, Any]) -> None:
    run = read({**config, "start_date": "2030-01-01"}, "journals")
    assert len(run.records["journals"]) == 230


def test_a_new_journal_with_an_old_date_is_read_by_the_second_run(
    config: dict[str, Any], admin: AdminClient
) -> None:
    first = read(config, "journals")
    old = {"JournalID": guid("j", 900), "JournalNumber": 900, "JournalDate": "2019-01-01", "JournalLines": []}
    admin.put("Journals", {**old, "CreatedDateUTC": "2019-01-01T00:00:00Z"})
    second = read(config, "journals", state=first.state)
    assert [one["JournalNumber"] for one in second.records["journals"]] == [900]


def test_an_answer_with_earlier_journals_only_is_an_error_not_an_endless_loop(
    config: dict[str, Any], admin: AdminClient
) -> None:
    body = json.dumps({"Journals": [{"JournalID": guid("j", 1), "JournalNumber": 1}]})
    admin.fault("status", path="Journals", status=200, body=body, count=0)
    state = read(config, "journals").state
    run = read(config, "journals", state=state)
    assert run.failed == {} or "earlier" in next(iter(run.failed.values()))
    assert len(admin.calls("Journals")) < 12


# Edits while the list is read


@pytest.mark.parametrize("page_size", [2, 3])
@pytest.mark.parametrize("after", [0, 1, 2, 3])
@pytest.mark.parametrize("row", [1, 2, 3, 4, 7])
def test_a_row_edited_between_two_pages_loses_no_other_row(
    config: dict[str, Any], admin: AdminClient, page_size: int, after: int, row: int
) -> None:
    admin.fault("edit", path="Contacts", resource="Contacts", id=guid("c", row), after=after)
    assert_whole(admin, contacts(config, page_size), config, page_size)


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_a_row_added_between_two_pages_loses_no_other_row(
    config: dict[str, Any], admin: AdminClient, after: int
) -> None:
    admin.fault("edit", path="Contacts", resource="Contacts", position=0, patch=NEW, after=after)
    assert_whole(admin, contacts(config, 2), config, 2)


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_several_edits_between_two_pages_lose_no_row(
    config: dict[str, Any], admin: AdminClient, after: int
) -> None:
    for row in (1, 2, 4, 5):
        admin.fault("edit", path="Contacts", resource="Contacts", id=guid("c", row), after=after)
    assert_whole(admin, contacts(config, 2), config, 2)


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_contact_archived_while_archived_ones_are_omitted_loses_no_other_row(
    config: dict[str, Any], admin: AdminClient, after: int
) -> None:
    """The row disappears from the list, and its successors move forward, as after an edit."""
    patch = {"ContactStatus": "ARCHIVED"}
    admin.fault("edit", path="Contacts", resource="Contacts", id=guid("c", 1), patch=patch, after=after)
    run = contacts({**config, "include_archived": False}, 2)
    assert {guid("c", n) for n in range(2, 8)} <= set(run.ids("contacts"))


@pytest.mark.parametrize("after", range(8))
def test_rows_of_one_second_fill_several_pages_and_are_edited_meanwhile(
    config: dict[str, Any], admin: AdminClient, after: int
) -> None:
    second = "2026-11-05T00:00:00"
    for n in range(20, 28):
        admin.put("Contacts", contact(n, 0) | {"UpdatedDateUTC": f"{second}.{n}0Z"})
    admin.put("Contacts", contact(40, 0) | {"UpdatedDateUTC": "2026-11-05T00:00:04Z"})
    admin.set_clock("2026-11-05T00:00:00.900Z")
    admin.fault("edit", path="Contacts", resource="Contacts", id=guid("c", 21), after=after)
    assert_whole(admin, contacts(config, 2), config, 2)


def test_more_rows_of_one_instant_than_a_page_are_all_read(
    config: dict[str, Any], admin: AdminClient
) -> None:
    for n in range(20, 31):
        admin.put("Contacts", contact(n, 0) | {"UpdatedDateUTC": "2026-11-05T00:00:00.123Z"})
    run = contacts(config, 2)
    assert set(run.ids("contacts")) == set(final(admin))
    assert len(run.ids("contacts")) == len(final(admin))


def test_a_quote_edited_between_two_pages_of_a_hundred_loses_no_other_row(
    config: dict[str, Any], admin: AdminClient
) -> None:
    admin.fault("edit", path="Quotes", resource="Quotes", id=guid("q", 3), after=0)
    run = read(config, "quotes")
    assert {guid("q", n) for n in range(1, 231)} <= set(run.ids("quotes"))


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_linked_transaction_deleted_between_two_pages_loses_no_other_row(
    config: dict[str, Any], admin: AdminClient, after: int
) -> None:
    """This list cannot be filtered by time, so it is read again until it does not change."""
    held = admin.fault("hold", path="LinkedTransactions", after=after + 1)

    def remove() -> None:
        admin.wait(held)
        admin.delete("LinkedTransactions", guid("k", 1))
        admin.release(held)

    with ThreadPoolExecutor() as pool:
        removed = pool.submit(remove)
        run = read(config, "linked_transactions")
        removed.result()
    assert {guid("k", n) for n in range(2, 131)} <= set(run.ids("linked_transactions"))


# Answers that differ from the documentation


def test_nothing_is_lost_if_if_modified_since_excludes_its_own_second(
    config: dict[str, Any], admin: AdminClient
) -> None:
    admin.switch(since_inclusive=False)
    for n in range(20, 26):
        admin.put("Contacts", contact(n, 0) | {"UpdatedDateUTC": f"2026-11-05T00:00:0{n % 2}.500Z"})
    admin.fault("edit", path="Contacts", resource="Contacts", id=guid("c", 3), after=1)
    assert_whole(admin, contacts(config, 2), config, 2)


def test_an_unordered_list_is_read_completely_and_its_bookmark_is_right(
    config: dict[str, Any], admin: AdminClient
) -> None:
    admin.switch(scrambled_order=True)
    first = read({**config, "page_size": 3}, "manual_journals")
    assert sorted(first.ids("manual_journals")) == [guid("m", n) for n in range(1, 5)]
    assert first.bookmark("manual_journals") == "2026-11-01T00:00:04.000000Z"
    admin.edit("ManualJournals", guid("m", 1))
    second = read({**config, "page_size": 3}, "manual_journals", state=first.state)
    assert second.ids("manual_journals") == [guid("m", 1)]


def test_unpaged_manual_journals_are_read_once(config: dict[str, Any], admin: AdminClient) -> None:
    """As with `order`: everything in one answer, more than requested."""
    rows = [
        {
            "ManualJournalID": guid("m", n),
            "UpdatedDateUTC": f"/Date({ticks(START) + n * 1000}+0000)/",
        }
        for n in range(1, 9)
    ]
    admin.fault("status", path="ManualJournals", status=200, body=json.dumps({"ManualJournals": rows}))
    run = read({**config, "page_size": 3}, "manual_journals")
    assert sorted(set(run.ids("manual_journals"))) == [guid("m", n) for n in range(1, 9)]


def test_an_unpaged_and_unordered_answer_does_not_loop_for_ever(
    config: dict[str, Any], admin: AdminClient
) -> None:
    stamps = [f"/Date({ticks(START) + n % 4 * 1000}+0000)/" for n in range(8)]
    rows = [{"ManualJournalID": guid("m", n), "UpdatedDateUTC": stamp} for n, stamp in enumerate(stamps)]
    admin.fault(
        "status", path="ManualJournals", status=200, body=json.dumps({"ManualJournals": rows}), count=0
    )
    run = read({**config, "page_size": 3}, "manual_journals")
    assert sorted(set(run.ids("manual_journals"))) == [guid("m", n) for n in range(8)]
    assert len(admin.calls("ManualJournals")) < 40


def test_an_answer_without_its_list_is_an_error_not_an_empty_list(
    config: dict[str, Any], admin: AdminClient
) -> None:
    admin.fault("status", path="Contacts", status=200, body='{"Contact": []}', count=0)
    run = contacts(config, 3)
    assert "the answer has no list 'Contacts'" in run.failed["contacts", "Harbour Limited"]


def test_a_row_without_a_time_of_change_is_emitted(config: dict[str, Any], admin: AdminClient) -> None:
    admin.fault("status", path="Items", status=200, body=json.dumps({"Items": [{"ItemID": guid("t", 9)}]}))
    run = read(config, "items")
    assert run.ids("items") == [guid("t", 9)]
    assert run.bookmark("items") is None
