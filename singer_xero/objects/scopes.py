"""The OAuth scopes that open a list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Scopes:
    """The scopes of an object, any one of which lets its list be read.

    Attributes:
        read: the scope to ask for.
        write: the scope to ask for to write it, which includes reading; empty where target-xero writes nothing or Xero
            has no such scope.
        broad: the scopes of apps created before March 2026 that do the same. Xero ends them in September 2027.
        also: other scopes that include it.
        reserved: why an ordinary app can't get `read` and `write`; empty if it can.
        if_refused: what to do if Xero refuses the list although the token has a scope for it.
    """

    read: str
    write: str = ""
    broad: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    reserved: str = ""
    if_refused: str = ""

    @cached_property
    def opening(self) -> tuple[str, ...]:
        """Every scope that lets the list be read, the one to ask for first."""
        return tuple(dict.fromkeys(filter(None, (self.read, self.write, *self.broad, *self.also))))

    def missing(self, granted: Iterable[str], *, write: bool = False) -> str | None:
        """The scope to ask for if none of the granted ones opens the list, else None.

        With `write`, the list is to be written, for which no scope that ends in .read is enough.
        """
        needed = [scope for scope in self.opening if not (write and scope.endswith(".read"))] or self.opening
        return needed[0] if set(needed).isdisjoint(granted) else None


def granular(family: str, *, broad: tuple[str, ...] = (), reserved: str = "") -> Scopes:
    """The scopes of a family such as `accounting.contacts`, which has one to read and one to write."""
    return Scopes(f"{family}.read", family, broad, reserved=reserved)


def report_scopes(name: str) -> Scopes:
    """The scope of one report, and the broad one of all reports."""
    return Scopes(f"accounting.reports.{name}.read", broad=("accounting.reports.read",))
