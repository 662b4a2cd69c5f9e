"""Xero's APIs, as far as they differ in what a caller has to know."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Api:
    """One of Xero's APIs.

    Attributes:
        name: its name, for people.
        base: the path below the host under which its paths lie.
        largest_page: the most rows that a page may have, where the caller chooses the size.
        size_param: the name of the parameter for it.
    """

    name: str
    base: str
    largest_page: int = 1000
    size_param: str = "pageSize"


ACCOUNTING = Api("Accounting", "/api.xro/2.0")
ASSETS_API = Api("Assets", "/assets.xro/1.0", largest_page=200)
