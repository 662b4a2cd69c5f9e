"""What the demo company has beside its daily trade: beginnings, rarities, and what is put in order at the end."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from tap_xero.sandbox.books import ZERO
from tap_xero.sandbox.clerk import local_time
from tap_xero.sandbox.seed import put_in_order

if TYPE_CHECKING:
    from tap_xero.sandbox.demo import Story


def before(story: Story) -> None:
    """Contacts and conversion balances, before the first day of trade."""
    story.make_contacts()
    offices = (
        ("Inland Revenue (Te Tari Taake)", "tax_office"),
        ("Tasman Savings Bank", "bank_contact"),
        ("Staff wages", "staff"),
        ("Walk-in customer", "walk_in"),
        ("Hinewai Parata", "owner"),
    )
    at = local_time(date(2024, 11, 18), 9 * 3600 + 843, 407)
    for i, (name, role) in enumerate(offices):
        record = story.make_contact(
            name, at, number=f"X{i + 1:04d}", currency="NZD", city="Nelson", country="New Zealand", person=""
        )
        setattr(story, role, record["ContactID"])
    story.disputed = {story.suppliers[index][0]["ContactID"] for index in (22,)}
    stock = sum((item.get("TotalCostPool", ZERO) for item in story.records["Items"]), ZERO)
    amounts = {
        "090": "38450.00", "091": "42000.00", "092": "6118.40", "093": "-1240.55", "710": "9800.00", "711": "-4100.00",
        "720": "12400.00", "721": "-6900.00", "730": "78000.00", "731": "-22300.00", "820": "-3950.20",
        "825": "-2812.75", "900": "-64000.00", "970": "-45800.00",
    }  # fmt: skip
    balances = {code: Decimal(value) for code, value in amounts.items()} | {"630": stock}
    balances["960"] = -sum(balances.values(), ZERO)
    story.clerk.opening(date(2024, 10, 31), story.founded + timedelta(minutes=47), balances)


def during(story: Story) -> None:
    """Put the rare things into the diary."""


def after(story: Story) -> None:
    """Put the records in order of change, and add what only the end can tell."""
    put_in_order(story.records, story.clerk)
