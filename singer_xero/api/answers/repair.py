"""Makes the text of an answer readable where Xero, or what lies between, sends text that nobody can store.

JSON may hold a NUL, which PostgreSQL refuses in any text; half of a surrogate pair, such as an emoji that was cut in
two; and bytes that are not UTF-8. Any of them would cost the whole answer, in every run.
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
    """Whether there may be a NUL in a text of JSON: quick, and never wrong about text that has one."""
    return b"\\" in content and content.rfind(b"\\u0000") >= 0


def mended(content: bytes) -> tuple[bytes, list[str]]:
    """Text without what nobody can store, and what was done to it; text that has nothing of it comes back as it is."""
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
