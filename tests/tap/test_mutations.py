"""A test of the tests: they notice each of the faults that other taps have."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from singer_sdk import Stream

from singer_xero.api.dates import moment_of
from singer_xero.api.errors import XeroError
from singer_xero.connection import Connected
from singer_xero.organisations import Organisation
from tap_xero.reads import paging
from tap_xero.reads.list_read import ListRead
from tap_xero.reads.paging import Chunk
from tap_xero.records import values
from tap_xero.records.reader import Page, RecordReader, UnexpectedAnswer
from tap_xero.records.stream_maps import Finisher
from tap_xero.streams.messages import MessageStream
from tap_xero.streams.stream import XeroStream

from . import (
    test_activate_version,
    test_bookmarks,
    test_catalog,
    test_failures,
    test_killed,
    test_organisations,
    test_paging,
    test_schemas,
    test_scopes,
    test_values,
)
from .busy_list import first_page_only, page_by_number

NOTICED = (AssertionError, LookupError, XeroError)
Fault = Callable[[pytest.MonkeyPatch], None]
Record = Callable[[RecordReader, Any], Any]


def patched(target: str, value: Any) -> Fault:
    """A fault that replaces a name."""
    return lambda monkeypatch: monkeypatch.setattr(target, value)


def pages(reader: Callable[..., Any]) -> Fault:
    """A fault of reading pages."""

    def read(*given: Any, **_: Any) -> Any:
        return reader(*given)

    return patched("tap_xero.reads.paging.read_by_change", read)


# Faults of other taps


def journals_from_a_date(read: ListRead) -> Any:
    start = moment_of(str(read.source.settings.start_date))
    return paging.read_by_number(lambda params, _: read.fetch(params, start), int(read.bookmark or 0))


def journals_by_counting_rows(fetch: Any, after: int, at_once: Any = None) -> Any:
    while (page := fetch({"offset": str(after)}, None)).rows:
        yield Chunk(page.rows)
        after += len(page.rows)


def clamped_day(text: str) -> str:
    from singer_xero.api.dates import day

    return "1970-01-01" if "(-" in text else day(text)


def shifted_day(text: str) -> str:
    from singer_xero.api.dates import day

    return "2026-11-21" if "+1300" in text else day(text)


def every_text_like_a_date(plain: Record, self: RecordReader, row: Any) -> Any:
    from singer_xero.api.dates import instant

    def rewritten(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: rewritten(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [rewritten(inner) for inner in value]
        return instant(value) if isinstance(value, str) else value

    return rewritten(plain(self, row))


def with_floats(plain: Record, self: RecordReader, row: Any) -> Any:
    def rounded(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: rounded(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [rounded(inner) for inner in value]
        return float(value) if isinstance(value, Decimal) else value

    return rounded(plain(self, row))


def with_all_fields(plain: Record, self: RecordReader, row: Any) -> Any:
    return {**json.loads(bytes(row.raw)), **plain(self, row)}


def with_all_nested_fields(plain: Record, self: RecordReader, row: Any) -> Any:
    record, sent = plain(self, row), json.loads(bytes(row.raw))
    for name, value in record.items():
        if isinstance(value, dict):
            record[name] = {**sent[name], **value}
    return record


def with_the_answer_s_id(plain: Callable[..., Page], self: RecordReader, content: bytes, call: str) -> Page:
    page, answer = plain(self, content, call), json.loads(content)
    records = [{**json.loads(bytes(row.raw)), self.xero.key[0]: answer.get("Id")} for row in page.rows]
    return plain(self, json.dumps({**answer, self.xero.envelope: records}).encode(), call)


def an_empty_list(plain: Callable[..., Page], self: RecordReader, content: bytes, call: str) -> Page:
    try:
        return plain(self, content, call)
    except UnexpectedAnswer:
        return Page([])


def decoding(change: Callable[..., Any]) -> Fault:
    """A fault of decoding a row."""
    plain = RecordReader.record

    def record(self: RecordReader, row: Any) -> Any:
        return change(plain, self, row)

    def put_in(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(RecordReader, "record", record)
        monkeypatch.setattr(MessageStream, "encodes_records", False)
        monkeypatch.setattr(Finisher, "finish", lambda _, record: record)

    return put_in


def reading_with(change: Callable[..., Page]) -> Fault:
    """A fault of finding the rows of an answer."""
    plain = RecordReader.page

    def page(self: RecordReader, content: bytes, call: str, packed: bytes | None) -> Page:
        return change(plain, self, content, call)

    return patched("tap_xero.records.reader.RecordReader.page", page)


def rounded_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = ListRead.fetch

    def fetch(self: ListRead, params: Any, since: Any) -> Page:
        self.params.pop("unitdp", None)
        return plain(self, params, since)

    monkeypatch.setattr(ListRead, "fetch", fetch)


def the_first_one(self: Connected) -> list[Organisation]:
    one = self.client.connections()[0]
    return [Organisation(one.tenant_id, one.name, one.tenant_id)]


def exact_words(headers: Any, day_left: Any, wait: Any) -> str:
    return str(headers.get("X-Rate-Limit-Problem", "minute"))


def activate_first(self: XeroStream, *_: Any) -> None:
    """The SDK's way."""
    if self.replication_method == "FULL_TABLE":
        self._stream_version = self._initialized_at // 1000
        self._write_activate_version_message(self._stream_version)


FAULTS: dict[str, tuple[Fault, Callable[..., None], dict[str, Any]]] = {
    "page 1 only": (
        pages(first_page_only),
        test_paging.test_every_page_is_read_and_every_row_once,
        {"page_size": 3},
    ),
    "a row skipped when another is edited during paging": (
        pages(page_by_number),
        test_paging.test_a_row_edited_between_two_pages_loses_no_other_row,
        {"page_size": 2, "after": 0, "row": 1},
    ),
    "a row skipped when one of its second is edited": (
        pages(page_by_number),
        test_paging.test_rows_of_one_second_fill_several_pages_and_are_edited_meanwhile,
        {"after": 4},
    ),
    "a row skipped when another is archived": (
        pages(page_by_number),
        test_paging.test_a_contact_archived_while_archived_ones_are_omitted_loses_no_other_row,
        {"after": 0},
    ),
    "a filtered page taken for the last": (
        pages(page_by_number),
        test_paging.test_a_page_with_fewer_rows_than_requested_is_not_mistaken_for_the_last,
        {},
    ),
    "a bookmark beyond rows that were never read": (
        patched("tap_xero.streams.stream.XeroStream._increment_stream_state", Stream._increment_stream_state),
        test_killed.test_every_printed_state_leads_to_the_rest_of_the_rows,
        {"streams": ("contacts",), "after": 0},
    ),
    "a second within the bookmark's is passed over": (
        patched("tap_xero.reads.paging.OVERLAP", paging.timedelta(seconds=-1)),
        test_bookmarks.test_a_row_that_changes_within_the_second_of_the_bookmark_is_read,
        {},
    ),
    "what the overlap repeats comes twice": (
        patched("tap_xero.streams.stream.XeroStream.border", lambda *_: {}),
        test_bookmarks.test_a_second_run_reads_nothing_if_nothing_has_changed,
        {},
    ),
    "journals from a date": (
        patched("tap_xero.reads.list_read.ListRead.walk", journals_from_a_date),
        test_paging.test_journals_start_at_the_first_whatever_start_date_is,
        {},
    ),
    "journals by counting rows": (
        patched("tap_xero.reads.paging.read_by_number", journals_by_counting_rows),
        test_paging.test_journals_are_requested_by_the_last_number_seen,
        {},
    ),
    "days before 1970 clamped": (
        patched("tap_xero.records.values.READERS", {"day": values.dated(clamped_day)}),
        test_values.test_days_are_days,
        {"written": "/Date(-315619200000+0000)/", "day": "1960-01-01", "more": {}},
    ),
    "days shifted by a zone": (
        patched("tap_xero.records.values.READERS", {"day": values.dated(shifted_day)}),
        test_values.test_days_are_days,
        {"written": "/Date(1795132800000+1300)/", "day": "2026-11-20", "more": {}},
    ),
    "text that looks like a date rewritten": (
        decoding(every_text_like_a_date),
        test_values.test_text_that_looks_like_a_date_is_unchanged,
        {"text": test_values.DATE, "more": {}},
    ),
    "float amounts": (
        decoding(with_floats),
        test_values.test_amounts_are_emitted_digit_for_digit,
        {"digits": "10.10", "more": {}},
    ),
    "prices at two decimals": (
        rounded_prices,
        test_values.test_prices_keep_four_decimals_on_the_way_from_the_sandbox,
        {},
    ),
    "new fields passed on outside the schema": (
        decoding(with_all_fields),
        test_schemas.test_new_fields_are_omitted_and_logged_once_nested_ones_included,
        {"both": None},
    ),
    "new nested fields passed on outside the schema": (
        decoding(with_all_nested_fields),
        test_schemas.test_new_fields_are_omitted_and_logged_once_nested_ones_included,
        {"both": None},
    ),
    "new fields dropped in silence": (
        patched("tap_xero.records.reader.RecordReader._warn_of_unknown", lambda *_: None),
        test_schemas.test_new_fields_are_omitted_and_logged_once_nested_ones_included,
        {"both": None},
    ),
    "the answer's id taken for the record's": (
        reading_with(with_the_answer_s_id),
        test_values.test_the_id_of_the_answer_is_not_mistaken_for_that_of_the_record,
        {},
    ),
    "an answer that isn't understood taken for an empty list": (
        reading_with(an_empty_list),
        test_paging.test_an_answer_without_its_list_is_an_error_not_an_empty_list,
        {},
    ),
    "a 401 in mid-run ends it": (
        patched("singer_xero.api.client.lacks_scope", lambda call, answer: answer.status == 401),
        test_failures.test_a_401_during_a_run_leads_to_a_new_token,
        {},
    ),
    "an HTML page taken for an answer": (
        patched(
            "singer_xero.api.answers.reading.AnswerReader.understood", lambda self, call, answer: (answer, "")
        ),
        test_failures.test_a_temporary_fault_loses_no_row,
        {"fault": {"kind": "html"}, "after": 1},
    ),
    "a 429 with another spelling": (
        patched("singer_xero.api.limits._problem", exact_words),
        test_failures.test_the_daily_limit_is_recognised_in_any_form_and_without_retry_after,
        {"problem": "DailyLimit"},
    ),
    "a 429 for the day slept through": (
        patched("singer_xero.api.limits._LONGEST_WAIT", float("inf")),
        test_failures.test_a_wait_of_hours_ends_the_organisation_whatever_its_name,
        {},
    ),
    "a 429 for the day hit again": (
        patched("singer_xero.api.limits.Limits._check_day", lambda *_: None),
        test_failures.test_the_daily_limit_ends_an_organisation_cleanly,
        {},
    ),
    "a rotated token kept nowhere": (
        patched("singer_xero.api.tokens.TokenStore.read", lambda *_: None),
        test_failures.test_the_run_of_the_next_night_uses_the_rotated_token,
        {},
    ),
    "the first organisation picked in silence": (
        patched("singer_xero.connection.Connected.organisations", property(the_first_one)),
        test_organisations.test_with_several_connected_and_none_named_nothing_is_read,
        {},
    ),
    "a stream without its scope reported as empty": (
        patched("tap_xero.run.Run.may_read", lambda *_: True),
        test_scopes.test_a_stream_without_its_scope_is_skipped_with_one_warning_and_no_call,
        {},
    ),
    "a table activated before its first row": (
        patched("tap_xero.streams.stream.XeroStream._write_schema_message", activate_first),
        test_activate_version.test_a_table_that_was_not_read_completely_is_not_activated,
        {},
    ),
    "a catalog's choice not heeded": (
        patched("tap_xero.tap.choose_replication", lambda catalog: catalog),
        test_catalog.test_invoices_and_quotes_become_incremental_by_metadata,
        {"stream": "invoices", "metadata": {"replication-method": "INCREMENTAL"}},
    ),
}


@pytest.mark.usefixtures("xero")
@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_is_noticed(
    name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault, check, given = FAULTS[name]
    wanted = inspect.signature(check).parameters.keys() - given.keys()
    fixtures = {fixture: request.getfixturevalue(fixture) for fixture in wanted}
    for mark in getattr(check, "pytestmark", []):
        if mark.name == "usefixtures":
            for fixture in mark.args:
                request.getfixturevalue(fixture)
    fault(monkeypatch)
    with pytest.raises((*NOTICED, pytest.fail.Exception)):
        check(**fixtures, **given)


chatty = test_killed.chatty
catalog, discovered = test_catalog.catalog, test_catalog.discovered
