"""Xero's dates to ISO and back."""

from datetime import datetime, timedelta, timezone

import pytest

from singer_xero.api.dates import day, if_modified_since, instant, moment


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("/Date(1777032244663+0000)/", "2026-04-24T12:04:04.663000Z"),
        ("/Date(1777032244663)/", "2026-04-24T12:04:04.663000Z"),
        (
            "/Date(1777032244663+1300)/",
            "2026-04-24T12:04:04.663000Z",
        ),  # the offset does not change the instant
        (r"\/Date(1777032244663+0000)\/", "2026-04-24T12:04:04.663000Z"),
        ("/Date(0+0000)/", "1970-01-01T00:00:00.000000Z"),
        ("/Date(7)/", "1970-01-01T00:00:00.007000Z"),
        ("/Date(-1+0000)/", "1969-12-31T23:59:59.999000Z"),
        ("/Date(-62135596800000+0000)/", "0001-01-01T00:00:00.000000Z"),  # .NET's DateTime.MinValue
        ("/Date(253402300799999)/", "9999-12-31T23:59:59.999000Z"),
        ("2026-04-20T11:47:10.3365440", "2026-04-20T11:47:10.336544Z"),  # connections have seven decimals
        ("2017-08-14 01:18:26.740000", "2017-08-14T01:18:26.740000Z"),  # budgets
        ("2026-09-14T09:30:05Z", "2026-09-14T09:30:05.000000Z"),
        ("2026-04-24T00:00:00", "2026-04-24T00:00:00.000000Z"),
        ("2026-04-24", "2026-04-24T00:00:00.000000Z"),
        ("2026-04-24T01:00:00+13:00", "2026-04-23T12:00:00.000000Z"),
        ("0001-01-01T00:00:00", "0001-01-01T00:00:00.000000Z"),
    ],
)
def test_an_instant_is_converted_from_every_form(written: str, iso: str) -> None:
    assert instant(written) == iso
    assert instant(instant(written)) == iso


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("/Date(1777032244663+0000)/", "2026-04-24"),
        ("/Date(1777032000000+1300)/", "2026-04-24"),
        ("/Date(1777075199999)/", "2026-04-24"),  # the last millisecond of the day
        ("/Date(-1)/", "1969-12-31"),
        ("/Date(-86400000)/", "1969-12-31"),
        ("/Date(-62135596800000+0000)/", "0001-01-01"),
        ("/Date(253402300799999)/", "9999-12-31"),
        ("2026-04-24T00:00:00", "2026-04-24"),
        ("2026-04-24T00:00:00+13:00", "2026-04-24"),  # as in the text, never shifted
        ("2026-04-24", "2026-04-24"),
    ],
)
def test_a_day_is_the_date_in_utc_and_never_shifted(written: str, iso: str) -> None:
    assert day(written) == iso
    assert day(day(written)) == iso


@pytest.mark.parametrize(
    "text",
    [
        "",
        "paid /Date(1777032244663+0000)/ by card",
        "/Date(1777032244663+0000)/ and more",
        "/Date(1777032244663+0000)/\n",
        "/Date(١٧٧٧)/",  # digits, but not those that Xero uses
        "/Date(253402300800000)/",  # the year 10000
        "/Date(-62135596800001)/",  # before the year 1
        "/Date(999999999999999999)/",
        "/Date(99999999999999999999999)/",
        "/Date()/",
        "2026-13-45T00:00:00",
        "2026-02-30",
        "2019-08",  # the period of a budget
        "2026-04-24T25:00:00",
        "20260424",
    ],
)
def test_a_text_that_is_not_entirely_a_date_is_unchanged(text: str) -> None:
    assert instant(text) == text
    assert day(text) == text


def test_every_millisecond_agrees_with_python() -> None:
    start = datetime(1970, 1, 1, tzinfo=timezone.utc)
    for ms in range(-(10**11), 2 * 10**12, 9_999_999_937):
        expected = start + timedelta(milliseconds=ms)
        assert instant(f"/Date({ms}+0000)/") == expected.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        assert day(f"/Date({ms}+0000)/") == expected.date().isoformat()
        assert moment(f"/Date({ms}+0000)/") == expected


def test_instants_sort_as_text_like_in_time() -> None:
    stamps = [-62135596800000, -86400001, -1, 0, 9, 999, 1000, 1777032244663, 1777032244673, 253402300799999]
    texts = [instant(f"/Date({ms})/") for ms in stamps]
    assert texts == sorted(texts)
    assert {len(text) for text in texts} == {27}


def test_if_modified_since_is_utc_floored_to_the_second() -> None:
    in_auckland = datetime(2026, 4, 25, 0, 4, 4, 999999, tzinfo=timezone(timedelta(hours=12)))
    assert if_modified_since(in_auckland) == "2026-04-24T12:04:04"
    assert if_modified_since(datetime(2026, 4, 24, 12, 4, 4, 663000)) == "2026-04-24T12:04:04"
    assert if_modified_since("2026-04-24T12:04:04.999999Z") == "2026-04-24T12:04:04"
    assert if_modified_since("/Date(1777032244663+0000)/") == "2026-04-24T12:04:04"
    assert if_modified_since("0999-04-24") == "0999-04-24T00:00:00"
    with pytest.raises(ValueError, match="not a date: 'yesterday'"):
        if_modified_since("yesterday")


def test_a_moment_is_read_from_each_form_of_a_date() -> None:
    expected = datetime(2026, 4, 24, 12, 4, 4, 663_000, tzinfo=timezone.utc)
    assert moment("/Date(1777032244663+0000)/") == moment("2026-04-24T12:04:04.663000Z") == expected
    assert moment("/Date(-1)/") == datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=timezone.utc)
    with pytest.raises(ValueError, match="not a date"):
        moment("2026-02-30T00:00:00.000000Z")
