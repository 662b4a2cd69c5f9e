"""Repairs the text of an answer that no database can store.

JSON may contain a NUL, which PostgreSQL refuses; half of a surrogate pair, such as an emoji that was cut in two; and
bytes that are not UTF-8. Without a repair, each of them would make the whole answer unusable, in every run.
"""

from __future__ import annotations

import re

NUL = "NUL characters were removed"
HALVES = "halves of surrogate pairs were replaced by U+FFFD"
BYTES = "bytes that are not UTF-8 were replaced by U+FFFD"

_ESCAPE = re.compile(
    rb"\\(?:"
    rb"(?P<pair>u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|(?P<nul>u0000)"
    rb"|.)",
    re.DOTALL,
)


def may_hold_nul(content: bytes) -> bool:
    """Whether a JSON text may contain a NUL. It is fast, and may be wrong only about a text that has none."""
    return b"\\" in content and content.rfind(b"\\u0000") >= 0


def repaired(content: bytes) -> tuple[bytes, list[str]]:
    """The text that databases can store, and what was repaired; the same text if nothing was."""
    done: dict[str, None] = {}
    try:
        content.decode()
    except UnicodeDecodeError:
        content = content.decode("utf-8", "replace").encode()
        done[BYTES] = None

    def replaced(escape: re.Match[bytes]) -> bytes:
        if escape["nul"]:
            done[NUL] = None
            return b""
        if escape["half"]:
            done[HALVES] = None
            return b"\\ufffd"
        return escape[0]

    content = _ESCAPE.sub(replaced, content)
    if b"\0" in content:
        done[NUL] = None
        content = content.replace(b"\0", b"")
    return content, list(done)
