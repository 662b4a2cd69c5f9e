"""The tap emits the same records as the SDK's own, slow path with the SDK's classes, defaults and writer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from singer_sdk.singerlib.encoding.simple import SimpleSingerWriter

from benchmarks import contenders
from benchmarks.contenders import Place
from benchmarks.equality import differences
from benchmarks.template_tap import TapTemplate
from xero_sandbox import Sandbox, apps

from .runs import read

INVOICES = 250


class SlowRecorder(SimpleSingerWriter):
    """Stores the lines that the SDK's default writer prints."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def write_message(self, message: Any) -> None:
        self.lines.append(self.format_message(message).encode())


@pytest.fixture(params=["the sandbox", "the benchmark's server"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Two servers with invoices of different kinds."""
    if request.param == "the sandbox":
        app = apps.CUSTOM_CONNECTION
        with Sandbox(invoices=INVOICES, limits=False) as xero:
            tenants = [one["tenant_id"] for one in xero.admin.organisations()]
            yield Place(xero.url, app.client_id, app.client_secret or "", tenants)
    else:
        with contenders.prebuilt() as found:
            found.set(invoices=INVOICES)
            yield found


@pytest.fixture
def settings(place: Place, tmp_path: Any) -> dict[str, Any]:
    return {**place.settings(tmp_path), "page_size": 100}


def slow(place: Place) -> list[bytes]:
    recorder = SlowRecorder()
    given = {"api_url": place.url, "access_token": place.access_token, "tenant_id": place.tenants[0]}
    TapTemplate(config={**given, "page_size": 100}, message_writer=recorder).sync_all()
    return recorder.lines


def test_every_record_equals_that_of_the_slow_path(place: Place, settings: dict[str, Any]):
    fast = read(settings, "invoices")
    assert differences(fast.lines, slow(place)) == (INVOICES, [])


def test_a_digit_less_or_a_date_off_by_a_day_would_be_noticed(place: Place, settings: dict[str, Any]):
    fast, theirs = read(settings, "invoices").lines, slow(place)
    due = next(m["record"]["DueDate"] for m in read(settings, "invoices").of("RECORD"))
    changed = [line.replace(due.encode(), b"1999-12-31").replace(b".00,", b".0,") for line in fast]
    _, found = differences(changed, theirs)
    assert any("DueDate" in what for what in found)
    assert any("Decimal" in what for what in found)


def test_a_record_that_only_one_side_has_would_be_noticed(place: Place, settings: dict[str, Any]):
    fast, theirs = read(settings, "invoices").lines, slow(place)
    last = max(number for number, line in enumerate(fast) if b'"type":"RECORD"' in line)
    assert differences([*fast[:last], *fast[last + 1 :]], theirs) == (INVOICES - 1, ["1 more on one side"])
    last = max(number for number, line in enumerate(theirs) if b'"type":"RECORD"' in line)
    assert differences(fast, [*theirs[:last], *theirs[last + 1 :]]) == (INVOICES - 1, ["1 more on one side"])
