"""Paths in settings: expands `~` and $VARIABLES, and knows the default folder.

Meltano expands variables in meltano.yml, but not in the environment.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from singer_xero.api.errors import UnusableSetting

_VARIABLE = re.compile(r"\$(\w+|\{[^}]*\})")


def filled_in(text: str, setting: str) -> str:
    """A path or an address with `~` and $VARIABLES expanded; raises UnusableSetting if one is not set.

    `setting` is its name in the error.
    """
    full = os.path.expandvars(text)
    unset = _VARIABLE.search(full)
    if unset:
        raise UnusableSetting(
            f"{setting} is {text!r}, but {unset[0]} is not set",
            advice="Set the variable, or write the full path.",
        )
    if full.startswith("~"):
        full = os.path.expanduser(full)  # noqa: PTH111 - it may be an address
        if full.startswith("~"):
            raise UnusableSetting(f"{setting} is {text!r}, but {_no_home()}", advice="Write the full path.")
    return full


def default_folder(setting: str) -> Path:
    """The folder to use without `setting`: in the Meltano project, or else the user's state folder.

    Raises UnusableSetting if there is neither.
    """
    project = os.environ.get("MELTANO_PROJECT_ROOT")
    if project:
        return Path(project) / ".secrets"
    import platformdirs

    try:
        folder = platformdirs.user_state_path("singer-xero", appauthor=False)
    except RuntimeError:  # older versions leave the ~ in the path
        folder = Path("~")
    if not folder.is_absolute():
        raise UnusableSetting(
            f"{setting} is not set, and there is no default folder: {_no_home()}",
            advice=f"Set {setting}, or HOME.",
        )
    return folder


def _no_home() -> str:
    user = f" and the user id {os.getuid()} has no name" if hasattr(os, "getuid") else ""
    return f"HOME is not set{user}"
