"""Addresses that are pasted into the terminal."""

from __future__ import annotations

import os
import re
import select
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from urllib.parse import parse_qsl, urlsplit

from singer_xero.login.answer import is_answer

# Lines that arrive within this time are one paste.
_PASTE_SECONDS = 0.2
LONGEST_PASTE = 16_384
"""Bytes of a paste that are kept."""


def pastes(descriptor: int) -> Iterator[str]:
    """What is typed or pasted, up to Enter; several lines that arrive together are one paste."""
    # Not by sys.stdin: this thread never ends and would hold its lock when the program exits.
    text = b""
    for piece in iter(partial(_typed, descriptor), b""):
        text = (text + piece)[-LONGEST_PASTE:]
        if text.endswith((b"\n", b"\r")) and not _more(descriptor):
            yield text.decode("utf-8", "replace")
            text = b""
    yield text.decode("utf-8", "replace")


def _typed(descriptor: int) -> bytes:
    """What was typed; empty once the terminal is closed."""
    try:
        return os.read(descriptor, 65_536)
    except OSError:
        return b""


def _more(descriptor: int) -> bool:
    """Whether more input follows immediately."""
    try:
        return bool(select.select([descriptor], [], [], _PASTE_SECONDS)[0])
    except (OSError, ValueError):  # on Windows, select accepts sockets only
        return False


def params_of(text: str) -> dict[str, str]:
    """The parameters of a pasted address, which may be quoted, span several lines or contain shell escapes."""
    address = re.sub(r"[\s\\]", "", text).strip("'\"<>`\u2018\u2019\u201c\u201d").replace("&amp;", "&")
    try:
        return dict(parse_qsl(urlsplit(address).query or address.lstrip("?")))
    except ValueError:
        return {}


def why_not(tries: Iterable[Mapping[str, str]]) -> str:
    """Why a paste is not an answer to this login, and what to do."""
    answers = [params for params in tries if is_answer(params)]
    if any("state" in params for params in answers):
        return (
            "That is not the answer to this login (its state differs), so it was ignored. Paste the address that the "
            "page above led to."
        )
    if answers:
        return "That address is incomplete: its state is missing. Paste all of it, from http to the end."
    return "That contains no answer from Xero. Paste the whole address, from http to the end."
