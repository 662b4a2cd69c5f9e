"""How names of fields, streams and columns are compared."""

from __future__ import annotations

import re
from functools import lru_cache

_no_letter = re.compile(r"[\W_]+").sub
#: A byte order mark that was read as Latin-1.
_MISREAD_MARK = "\u00ef\u00bb\u00bf"


@lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """A name as it is compared, by its letters and digits: `line_items`, `*Line Items` and `LineItems` are one.

    What a byte order mark leaves in front of the first column of a file does not count either.
    """
    return _no_letter("", name.removeprefix(_MISREAD_MARK)).lower()


def is_blank(value: object) -> bool:
    """Whether a value says nothing: null, an empty or blank text, an empty list or object."""
    return value is None or value in ([], {}) or (isinstance(value, str) and not value.strip())


def singular(plural: str) -> str:
    """`currencies` as `currency`, `tax_rates` as `tax_rate`."""
    if plural.endswith("ies"):
        return plural.removesuffix("ies") + "y"
    return plural.removesuffix("s")


_word_border = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])").sub


def snake_case(name: str) -> str:
    """`SalesDetails` as `sales_details`, `COGSAccountCode` as `cogs_account_code`."""
    return _word_border("_", name).lower()
