"""Days as spreadsheets write them are read in a known order and never guessed."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from singer_xero.api import dates
from target_xero.content.day_formats import DayOrder, Order, of_country, read

from .conftest import Wiring, record, schema

DAY, MONTH, UNKNOWN = DayOrder(Order.DAY, "x"), DayOrder(Order.MONTH, "x"), DayOrder(None, "")
LINE = {"Description": "Hull", "Quantity": 1, "UnitAmount": 10, "AccountCode": "200"}


@given(st.dates(min_value=date(1900, 1, 1)))
def test_every_day_is_read_back_in_either_order(day: date):
    assert read(f"{day:%d/%m/}{day.year:04}", lambda: DAY) == day.isoformat()
    assert read(f"{day.day}.{day.month}.{day.year:04} 00:00", lambda: DAY) == day.isoformat()
    assert read(f"{day:%m/%d/}{day.year:04}", lambda: MONTH) == day.isoformat()
    assert read(f"{day.month}-{day.day}-{day.year:04}", lambda: MONTH) == day.isoformat()


@given(st.dates(min_value=date(1900, 1, 1)), st.sampled_from([DAY, MONTH, UNKNOWN]))
def test_a_day_with_the_month_in_words_or_the_year_first_needs_no_order(day: date, known: DayOrder):
    month = day.strftime("%B")
    for text in (
        f"{day.day} {month} {day.year}", f"{day.day}-{month[:3]}-{day.year}", f"{month[:3]} {day.day}, {day.year}",
        f"{day.year}/{day.month}/{day.day}", f"{day.year}.{day.month:02}.{day.day:02}",
    ):  # fmt: skip
        assert read(text, lambda: known) == day.isoformat()


@given(st.dates(min_value=date(1900, 1, 1)))
def test_without_a_known_order_only_unambiguous_days_are_read(day: date):
    text = f"{day:%d/%m/}{day.year:04}"
    if day.day <= 12 and day.day != day.month:
        with pytest.raises(ValueError, match="is ambiguous: set date_format"):
            read(text, lambda: UNKNOWN)
    else:
        assert read(text, lambda: UNKNOWN) == day.isoformat()


@pytest.mark.parametrize("text", ["13/13/2026", "31/02/2026", "12/31/2026", "0/1/2026"])
def test_an_impossible_day_in_the_known_order_is_refused(text: str):
    with pytest.raises(ValueError, match=r"is not a date"):
        read(text, lambda: DAY)


@pytest.mark.parametrize("text", ["5/12/26", "1.2/2026", "next week"])
def test_a_text_in_another_format_is_not_read_as_a_day(text: str):
    assert read(text, lambda: DAY) is None


@pytest.mark.parametrize(
    ("country", "order"),
    [
        ("US", Order.MONTH),
        ("NZ", Order.DAY),
        ("AU", Order.DAY),
        ("GB", Order.DAY),
        ("CA", None),
        ("PH", None),
        ("", None),
    ],
)
def test_the_country_decides_the_order(country: str, order: Order | None):
    assert of_country(country).order is order


# In a run


def sale(**values: object) -> dict[str, object]:
    given = {"Type": "ACCREC", "contact_name": "Abel", "LineItems": [LINE], "DueDate": "2027-01-01", **values}
    return record("invoices", id=1, **given)


def written(wiring: Wiring, day: str, **settings: object) -> tuple[str, list[tuple[str, str]]]:
    """The day of an invoice in Xero, and the rejects."""
    people = [schema("contacts", "id"), record("contacts", id=1, Name="Abel")]
    run = wiring.write(people, schema("invoices", "id"), sale(Date=day), **settings)
    found = [dates.day(invoice["Date"]) for invoice in wiring.records("Invoices")]
    return found[0] if found else "", run.rejected


def set_country(wiring: Wiring, country: str) -> None:
    (organisation,) = wiring.records("Organisation")
    wiring.xero.admin.put("Organisation", {**organisation, "CountryCode": country}, wiring.tenant)


@pytest.mark.parametrize(("country", "day"), [("NZ", "2026-12-05"), ("US", "2026-05-12")])
def test_days_are_read_in_the_format_of_the_organisation_s_country(wiring: Wiring, country: str, day: str):
    set_country(wiring, country)
    assert written(wiring, "05/12/2026") == (day, [])


@pytest.mark.parametrize(("setting", "day"), [("dd/mm/yyyy", "2026-12-05"), ("mm/dd/yyyy", "2026-05-12")])
def test_the_setting_takes_precedence_over_the_country(wiring: Wiring, setting: str, day: str):
    set_country(wiring, "US" if setting == "dd/mm/yyyy" else "NZ")
    assert written(wiring, "05/12/2026", date_format=setting) == (day, [])


def test_an_ambiguous_day_is_a_reject_if_the_order_is_unknown(wiring: Wiring):
    set_country(wiring, "CA")
    day, (reject,) = written(wiring, "05/12/2026")
    assert day == ""
    assert reject[1].startswith("Date: 05/12/2026 is ambiguous: set date_format to dd/mm/yyyy or mm/dd/yyyy")


def test_a_day_in_the_other_order_is_a_reject(wiring: Wiring):
    set_country(wiring, "US")
    day, (reject,) = written(wiring, "31/12/2026")
    assert day == ""
    assert (
        "31/12/2026 is not a date in the format mm/dd/yyyy (from the organisation's country, US)" in reject[1]
    )


def test_the_country_is_requested_once_and_only_if_a_day_needs_it(wiring: Wiring):
    people = [schema("contacts", "id"), record("contacts", id=1, Name="Abel")]
    wiring.write(people, schema("invoices", "id"), sale(Date="5 Dec 2026"))
    wiring.xero.admin.forget_calls()
    wiring.write(people, schema("items", "id"), record("items", id=1, Code="A"))
    before = len(wiring.xero.admin.calls("/Organisation", "GET"))
    wiring.xero.admin.forget_calls()
    days = [record("manual_journals", id=n, Narration="x", Date="05/12/2026") for n in range(20)]
    wiring.write(schema("manual_journals", "id"), days)
    assert len(wiring.xero.admin.calls("/Organisation", "GET")) <= before + 1
