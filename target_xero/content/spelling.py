"""Names of fields, streams and columns: how they are compared, and their forms."""

from __future__ import annotations

import re
from functools import lru_cache

_no_letter = re.compile(r"[\W_]+").sub
#: A byte order mark that was read as Latin-1.
_MISREAD_MARK = "\u00ef\u00bb\u00bf"


@lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """Return a name's letters and digits in lower case: `line_items`, `*Line Items` and `LineItems` are the same.

    A misread byte order mark before the first column of a file is ignored.
    """
    return _no_letter("", name.removeprefix(_MISREAD_MARK)).lower()


def is_blank(value: object) -> bool:
    """Tell whether a value is empty: null, an empty or blank text, an empty list or object."""
    return value is None or value in ([], {}) or (isinstance(value, str) and not value.strip())


def singular(plural: str) -> str:
    """Return `currency` for `currencies`, `tax_rate` for `tax_rates`."""
    if plural.endswith("ies"):
        return plural.removesuffix("ies") + "y"
    return plural.removesuffix("s")
