"""The organisations that a sandbox can start with. They are the same in every run. `demo_company` has two years
of a kayak maker's trade. `second_company` is a small Australian company, `empty_company` a new organisation,
and `large_company` has many invoices for measurements.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from . import second_company as second
from .company import TODAY, Company, new_organisation
from .large_company import large_company
from .story import months

__all__ = ["demo_company", "empty_company", "large_company", "second_company"]

HISTORY_ENDS = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=timezone.utc)


def empty_company(now: datetime) -> Company:
    """A brand-new organisation in New Zealand, set up a minute before `now`: no contact, no document."""
    at = now.astimezone(timezone.utc).replace(microsecond=0) - timedelta(minutes=1)
    return new_organisation("Blank Slate Ltd", "NZ", at)[0]


def demo_company(now: datetime) -> Company:
    """Tōtara & Tide Limited of Nelson: a kayak maker with two years of trade that end on 20 November 2026.

    Raises ValueError if `now` lies before that day; the history does not depend on it otherwise.
    """
    check_after_history(now)
    return months.company()


def second_company(now: datetime) -> Company:
    """Tide & Timber Pty Ltd of Hobart, a small Australian company with a year of trade up to 20 November 2026.

    Raises ValueError when `now` lies before that day.
    """
    check_after_history(now)
    return second.company()


def check_after_history(now: datetime) -> None:
    """Raise ValueError if the demo companies' history has not ended at `now`."""
    if now < HISTORY_ENDS:
        raise ValueError(
            f"The demo companies' history runs to {TODAY}; a sandbox cannot start on {now:%Y-%m-%d}"
        )
